#include "sim/engine/evqueue.h"

#include <glib.h>

static bool before(const Event *a, const Event *b)
{
    return a->time < b->time || (a->time == b->time && a->key < b->key);
}

void evqueue_init(EvQueue *q)
{
    *q = (EvQueue){0};
}

void evqueue_clear(EvQueue *q)
{
    for (size_t i = 0; i < q->len; i++)
        g_free(q->heap[i]);
    while (q->free) {
        Event *e = q->free;
        q->free = e->next;
        g_free(e);
    }
    g_free(q->heap);
    *q = (EvQueue){0};
}

Event *evqueue_push(EvQueue *q, SimTime time, uint64_t key, EventFn fn, void *arg)
{
    Event *e = q->free;
    size_t i;

    if (e)
        q->free = e->next;
    else
        e = g_new(Event, 1);
    *e = (Event){time, key, fn, arg, NULL};
    if (q->len == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 64;
        q->heap = g_renew(Event *, q->heap, q->cap);
    }
    for (i = q->len++; i && before(e, q->heap[(i - 1) / 2]); i = (i - 1) / 2)
        q->heap[i] = q->heap[(i - 1) / 2];
    q->heap[i] = e;
    return e;
}

void evqueue_cancel(EvQueue *q, Event *ev)
{
    ev->fn = NULL;
}

static Event *take(EvQueue *q)
{
    Event *top = q->heap[0], *e = q->heap[--q->len];
    size_t i = 0, c;

    for (; (c = 2 * i + 1) < q->len; i = c) {
        if (c + 1 < q->len && before(q->heap[c + 1], q->heap[c]))
            c++;
        if (!before(q->heap[c], e))
            break;
        q->heap[i] = q->heap[c];
    }
    q->heap[i] = e;
    return top;
}

const Event *evqueue_peek(EvQueue *q)
{
    while (q->len && !q->heap[0]->fn)
        evqueue_recycle(q, take(q));
    return q->len ? q->heap[0] : NULL;
}

Event *evqueue_pop(EvQueue *q, SimTime limit)
{
    const Event *e = evqueue_peek(q);

    return e && e->time <= limit ? take(q) : NULL;
}

void evqueue_recycle(EvQueue *q, Event *ev)
{
    ev->next = q->free;
    q->free = ev;
}

size_t evqueue_len(const EvQueue *q)
{
    return q->len;
}
