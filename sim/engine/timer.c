#include "sim/engine/timer.h"

void timer_arm(Timer *t, SimTime deadline)
{
    EvQueue *q = &t->node->part->queue;

    hs_assert(deadline >= node_now(t->node));
    hs_assert(deadline != SIM_NEVER);
    if (t->ev && t->deadline == SIM_NEVER)
        t->node->part->dormant--;
    t->deadline = deadline;
    t->key = node_take_key(t->node);
    if (t->ev) {
        if (t->ev->time <= deadline)
            return;
        evqueue_cancel(q, t->ev);
    }
    t->ev = evqueue_push(q, deadline, t->key, timer_event, t);
}

void timer_move_on(Timer *t)
{
    t->ev = NULL;
    if (t->deadline == SIM_NEVER)
        t->node->part->dormant--;
    else
        t->ev = evqueue_push(&t->node->part->queue, t->deadline, t->key, timer_event, t);
}

void timer_event(void *timer)
{
    Timer *t = timer;

    t->ev = NULL;
    t->deadline = SIM_NEVER;
    t->fn(t);
}

void timer_clear(Timer *t)
{
    if (t->ev) {
        t->node->part->dormant -= t->deadline == SIM_NEVER;
        evqueue_cancel(&t->node->part->queue, t->ev);
    }
    t->deadline = SIM_NEVER;
    t->ev = NULL;
}
