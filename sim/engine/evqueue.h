/* The queue of pending events: a ladder queue with a heap as its safety net.
 *
 * Order is total and belongs to the model, not to the machine: see order_of() in evqueue.c. Two runs that
 * push the same (time, key) pairs pop them alike, whatever the order of the pushes, the partitioning or the
 * addresses.
 *
 * Who owns what: Events belong to the queue and never move. evqueue_push() lends a handle, good until the
 * event is popped or cancelled. evqueue_pop() detaches the event: copy fn and arg, call evqueue_recycle(),
 * and only then call fn, so that the push it probably makes finds that Event again, still in the cache.
 *
 * Times are >= 0. An event may be pushed before the one last popped: it comes next. (The run loop relies on
 * it: it pops and forgets stale timer entries without moving the clock.) */
#pragma once

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef void (*EventFn)(void *arg);

typedef struct Event {
    SimTime time;
    uint64_t key; /* origin node << 40 | that node's sequence number; unique */
    EventFn fn;   /* NULL: cancelled */
    union {
        void *arg;
        struct Event *next; /* free list */
    };
} Event;
_Static_assert(sizeof(Event) == 32, "two events fill a cache line");

/* Place in the total order: the earlier time, then the smaller key (evqueue.c says why). */
typedef unsigned __int128 EvOrder;

typedef struct EvEntry {
    uint64_t time, key;
    Event *ev;
} EvEntry;

typedef struct EvSlot {
    uint64_t time;
    Event *ev;
} EvSlot;

/* An unsorted bag: slots in a list of chunks. `end` is the next free slot of the newest chunk; when that
 * chunk is full, this is an address aligned to the size of a chunk. NULL: empty. */
typedef struct EvBag {
    EvSlot *end;
} EvBag;

/* One rung of the ladder: nb bags, each 2^shift ns wide; those before `cur` are empty. */
typedef struct EvRung {
    uint64_t start, end; /* end: first time that does not belong to it */
    unsigned shift;
    uint32_t nb, cur, cap;
    EvBag *bags;
} EvRung;

/* Equally sized objects from growing blocks, freed objects in a LIFO list. */
typedef struct EvPool {
    void *free;         /* list through the object's link word */
    char *fresh, *last; /* never used part of the newest block */
    struct EvBlock *blocks;
    size_t bytes;
} EvPool;

#define EVQUEUE_RUNGS 24

typedef struct EvQueue {
    EvOrder bot_end;    /* orders below live in bot[], all others above it */
    EvOrder heap_end;   /* orders in [bot_end, heap_end) live in the heap; 0: no heap */
    uint64_t top_start; /* times from here on live in top */
    EvEntry *bot;       /* sorted, bot[head] first */
    uint32_t head, tail;
    EvEntry *heap; /* 4-ary */
    size_t heap_n, heap_cap;
    EvBag top;
    uint64_t top_min;
    uint32_t n_rungs;
    size_t n_live, n_dead, n_detached;
    uint64_t moves; /* entries moved so far: what the complexity tests look at */
    EvPool events, chunks;
    EvRung rungs[EVQUEUE_RUNGS]; /* outermost (widest) first */
} EvQueue;

void evqueue_init(EvQueue *q);
void evqueue_clear(EvQueue *q);

Event *evqueue_push(EvQueue *q, SimTime time, uint64_t key, EventFn fn, void *arg);

/* Leaves a tombstone; the queue sweeps when these outnumber the live events and are more than 1024. */
void evqueue_cancel(EvQueue *q, Event *ev);

/* The earliest live event with time <= limit, detached, or NULL. */
Event *evqueue_pop(EvQueue *q, SimTime limit);
void evqueue_recycle(EvQueue *q, Event *ev);

/* The earliest live event, still queued, or NULL. */
const Event *evqueue_peek(EvQueue *q);

size_t evqueue_len(const EvQueue *q);   /* live events */
size_t evqueue_bytes(const EvQueue *q); /* memory held, without the struct itself */
