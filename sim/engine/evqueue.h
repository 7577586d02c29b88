/* The pending-event set: events ordered by (time, key). See evqueue.c for how it is kept. */
#pragma once

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef void (*EventFn)(void *arg);

/* Owned by the queue and recycled last-in first-out; it never moves, so a timer may hold on to it. */
typedef struct Event Event;
struct Event {
    SimTime time;
    uint64_t key; /* origin node << EVENT_SEQ_BITS | the origin's own sequence number */
    EventFn fn;   /* NULL: cancelled */
    void *arg;
    Event *next;
};

#define EVENT_SEQ_BITS 40

typedef struct EvQueue {
    Event **heap;
    size_t len, cap;
    Event *free;
} EvQueue;

void evqueue_init(EvQueue *q);
void evqueue_clear(EvQueue *q);
Event *evqueue_push(EvQueue *q, SimTime time, uint64_t key, EventFn fn, void *arg);
void evqueue_cancel(EvQueue *q, Event *ev);
Event *evqueue_pop(EvQueue *q, SimTime limit);
void evqueue_recycle(EvQueue *q, Event *ev);
const Event *evqueue_peek(EvQueue *q);
size_t evqueue_len(const EvQueue *q);
