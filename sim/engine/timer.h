/* Intrusive lazy timers. Moving a deadline later or cancelling costs a store: the entry in the event queue
 * stays where it is, and when it comes up it is moved on (or forgotten) by the run loop without counting as
 * an event. Firing order is by (deadline, node, the sequence number taken at the last arming), exactly as if
 * the entry had been queued then, so that laziness cannot be observed.
 *
 * Embed a Timer, get the owner back with HS_CONTAINER_OF. timer_clear before the memory goes away. */
#pragma once

#include "sim/engine/node.h"

typedef struct Timer Timer;
typedef void (*TimerFn)(Timer *t);

struct Timer {
    Node *node;
    TimerFn fn;
    SimTime deadline; /* SIM_NEVER: not armed */
    uint64_t key;
    Event *ev; /* our entry in the queue, perhaps for an earlier time than the deadline */
};

static inline void timer_init(Timer *t, Node *node, TimerFn fn)
{
    *t = (Timer){.node = node, .fn = fn, .deadline = SIM_NEVER};
}

void timer_arm(Timer *t, SimTime deadline); /* deadline >= now; replaces an earlier arming */

static inline void timer_arm_after(Timer *t, SimTime delay)
{
    timer_arm(t, node_now(t->node) + delay);
}

static inline void timer_cancel(Timer *t)
{
    if (t->ev && t->deadline != SIM_NEVER)
        t->node->part->dormant++;
    t->deadline = SIM_NEVER;
}

static inline bool timer_is_armed(const Timer *t)
{
    return t->deadline != SIM_NEVER;
}

/* Cancels and forgets the queue entry. */
void timer_clear(Timer *t);

/* For the run loop only: the function by which it recognises a timer's entry. */
void timer_event(void *timer);
/* For the run loop only: is the popped entry the timer's present arming? If not, it is moved on or forgotten.
 */
static inline bool timer_is_due(const Timer *t, const Event *ev)
{
    return t->deadline == ev->time && t->key == ev->key;
}
void timer_move_on(Timer *t);
