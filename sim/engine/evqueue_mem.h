/* Private to evqueue.c: where its Events and chunks come from, and the bags made of chunks.
 *
 * Blocks double from 8 KiB to 2 MiB: a small simulation stays small, a large one asks for huge pages, since
 * its events are visited in random order. Freed objects are reused last in, first out, while still in the
 * cache. */
#pragma once

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/engine/evqueue.h"

#define CHUNK_BYTES 128
#define BLOCK_MIN 8192
#define BLOCK_MAX (2u << 20)

typedef struct EvBlock {
    struct EvBlock *next;
    size_t bytes;
} EvBlock;

typedef struct EvChunk {
    struct EvChunk *next; /* older chunk */
    size_t before;        /* slots in the older chunks, all full */
    EvSlot slot[(CHUNK_BYTES - 16) / sizeof(EvSlot)];
} EvChunk;

_Static_assert(sizeof(EvChunk) == CHUNK_BYTES, "chunks are found by masking addresses");

/* ---- pools ---- */

static inline void pool_grow(EvPool *p, size_t obj)
{
    size_t bytes = p->blocks ? HS_MIN(2 * p->blocks->bytes, (size_t)BLOCK_MAX) : BLOCK_MIN;
    EvBlock *b = aligned_alloc(bytes == BLOCK_MAX ? BLOCK_MAX : 4096, bytes);
    if (!b)
        /* tidy-allow: g_error (out of memory ends the program, as it does in g_malloc) */
        g_error("out of memory (%zu bytes of pending events)", p->bytes + bytes);
    if (bytes == BLOCK_MAX)
        madvise(b, bytes, MADV_HUGEPAGE);
    b->next = p->blocks;
    b->bytes = bytes;
    p->blocks = b;
    p->bytes += bytes;
    p->fresh = (char *)b + CHUNK_BYTES;
    p->last = (char *)b + bytes - obj;
}

static inline void pool_clear(EvPool *p)
{
    while (p->blocks) {
        EvBlock *b = p->blocks;
        p->blocks = b->next;
        free(b);
    }
    memset(p, 0, sizeof *p);
}

static inline Event *event_alloc(EvQueue *q)
{
    EvPool *p = &q->events;
    Event *ev = p->free;
    if (HS_LIKELY(ev != NULL)) {
        p->free = ev->next;
        return ev;
    }
    if (p->fresh > p->last || !p->fresh)
        pool_grow(p, sizeof *ev);
    ev = (Event *)p->fresh;
    p->fresh += sizeof *ev;
    return ev;
}

static inline void event_free(EvQueue *q, Event *ev)
{
    ev->next = q->events.free;
    q->events.free = ev;
}

static inline EvChunk *chunk_alloc(EvQueue *q)
{
    EvPool *p = &q->chunks;
    EvChunk *c = p->free;
    if (HS_LIKELY(c != NULL)) {
        p->free = c->next;
        return c;
    }
    if (p->fresh > p->last || !p->fresh)
        pool_grow(p, sizeof *c);
    c = (EvChunk *)p->fresh;
    p->fresh += sizeof *c;
    return c;
}

static inline void chunk_free(EvQueue *q, EvChunk *c)
{
    c->next = q->chunks.free;
    q->chunks.free = c;
}

/* ---- bags ---- */

static inline EvChunk *bag_chunk(EvBag b)
{
    return b.end ? (EvChunk *)(((uintptr_t)b.end - 1) & ~(uintptr_t)(CHUNK_BYTES - 1)) : NULL;
}

static inline EvSlot *chunk_end(EvChunk *c)
{
    return c->slot + HS_ARRAY_LEN(c->slot);
}

static inline size_t bag_len(EvBag b)
{
    EvChunk *c = bag_chunk(b);
    return c ? c->before + (size_t)(b.end - c->slot) : 0;
}

static __attribute__((noinline, unused)) EvSlot *bag_grow(EvQueue *q, EvBag b)
{
    EvChunk *c = chunk_alloc(q);
    c->next = bag_chunk(b);
    c->before = bag_len(b);
    return c->slot;
}

static inline void bag_add(EvQueue *q, EvBag *b, uint64_t time, Event *ev)
{
    EvSlot *s = b->end;
    if (((uintptr_t)s & (CHUNK_BYTES - 1)) == 0)
        s = bag_grow(q, *b);
    s->time = time;
    s->ev = ev;
    b->end = s + 1;
}
