#include "sim/engine/timer.h"

void timer_arm(Timer *t, SimTime deadline)
{
    EvQueue *q = &t->node->part->queue;

    hs_assert(deadline >= node_now(t->node) && deadline != SIM_NEVER);
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
    if (t->deadline != SIM_NEVER)
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
    t->deadline = SIM_NEVER;
    if (t->ev)
        evqueue_cancel(&t->node->part->queue, t->ev);
    t->ev = NULL;
}
