#include "sim/engine/evqueue.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef BOT_CAP
#define BOT_CAP 256 /* room of the bottom */
#define BOT_MAX 64  /* more than this many and its later half is spilt */
#define SORT_MAX 48 /* a bag this small is sorted into the bottom, a larger one becomes a rung */
#define PER_BAG 4   /* events a bag of a new rung should hold */
#define MAX_BAGS 1024
#endif
#define MIN_BAGS 16
#define SWEEP_MIN 1024
#define HEAP_BATCH 32
#define CHUNK_BYTES 128
#define BLOCK_MIN 8192
#define BLOCK_MAX (2u << 20)
#define ORDER_MAX (~(EvOrder)0)

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

static inline EvOrder order_of(uint64_t time, uint64_t key)
{
    return (EvOrder)time << 64 | key;
}

static inline EvOrder entry_order(const EvEntry *e)
{
    return order_of(e->time, e->key);
}

/* ---- pools ---- */

static void pool_grow(EvPool *p, size_t obj)
{
    size_t bytes = p->blocks ? HS_MIN(2 * p->blocks->bytes, (size_t)BLOCK_MAX) : BLOCK_MIN;
    EvBlock *b = aligned_alloc(bytes == BLOCK_MAX ? BLOCK_MAX : 4096, bytes);
    if (!b)
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

static void pool_clear(EvPool *p)
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

static inline size_t bag_len(EvBag b)
{
    EvChunk *c = bag_chunk(b);
    return c ? c->before + (size_t)(b.end - c->slot) : 0;
}

static __attribute__((noinline)) EvSlot *bag_grow(EvQueue *q, EvBag b)
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

/* ---- bottom ---- */

static void bot_centre(EvQueue *q)
{
    uint32_t n = q->tail - q->head, head = (BOT_CAP - n) / 2;
    memmove(q->bot + head, q->bot + q->head, n * sizeof *q->bot);
    q->moves += n;
    q->head = head;
    q->tail = head + n;
}

static inline void bot_insert(EvQueue *q, EvEntry x)
{
    if (HS_UNLIKELY(q->head == 0 || q->tail == BOT_CAP))
        bot_centre(q);
    EvOrder o = entry_order(&x);
    uint32_t h = q->head, t = q->tail, mid = h + (t - h) / 2;
    EvEntry *bot = q->bot;
    if (t > h && o < entry_order(&bot[mid])) { /* move the smaller half */
        uint32_t i = h;
        while (entry_order(&bot[i]) < o) {
            bot[i - 1] = bot[i];
            i++;
        }
        bot[i - 1] = x;
        q->head = h - 1;
        q->moves += i - h + 1;
    } else {
        uint32_t i = t;
        while (i > h && o < entry_order(&bot[i - 1])) {
            bot[i] = bot[i - 1];
            i--;
        }
        bot[i] = x;
        q->tail = t + 1;
        q->moves += t - i + 1;
    }
}

/* ---- heap ---- */

static void heap_sift_down(EvEntry *h, size_t n, size_t i, EvEntry x)
{
    EvOrder o = entry_order(&x);
    for (;;) {
        size_t c = 4 * i + 1, best = c;
        if (c >= n)
            break;
        for (size_t k = c + 1; k < HS_MIN(c + 4, n); k++)
            if (entry_order(&h[k]) < entry_order(&h[best]))
                best = k;
        if (o < entry_order(&h[best]))
            break;
        h[i] = h[best];
        i = best;
    }
    h[i] = x;
}

static void heap_push(EvQueue *q, EvEntry x)
{
    if (q->heap_n == q->heap_cap) {
        q->heap_cap = HS_MAX(2 * q->heap_cap, (size_t)256);
        q->heap = g_renew(EvEntry, q->heap, q->heap_cap);
    }
    EvOrder o = entry_order(&x);
    EvEntry *h = q->heap;
    size_t i = q->heap_n++;
    while (i && o < entry_order(&h[(i - 1) / 4])) {
        h[i] = h[(i - 1) / 4];
        i = (i - 1) / 4;
        q->moves++;
    }
    h[i] = x;
    q->moves++;
}

static EvEntry heap_pop(EvQueue *q)
{
    EvEntry top = q->heap[0];
    q->heap_n--;
    if (q->heap_n)
        heap_sift_down(q->heap, q->heap_n, 0, q->heap[q->heap_n]);
    return top;
}

/* ---- rungs ---- */

static inline uint64_t rung_bag_start(const EvRung *r, uint32_t i)
{
    return HS_MIN(r->start + ((uint64_t)i << r->shift), r->end);
}

static inline void rung_add(EvQueue *q, EvRung *r, uint64_t time, Event *ev)
{
    bag_add(q, &r->bags[(time - r->start) >> r->shift], time, ev);
}

static __attribute__((noinline)) void spill(EvQueue *q);

static inline void put(EvQueue *q, uint64_t time, uint64_t key, Event *ev)
{
    EvOrder o = order_of(time, key);
    if (o < q->bot_end) {
        bot_insert(q, (EvEntry){time, key, ev});
        if (HS_UNLIKELY(q->tail - q->head > BOT_MAX))
            spill(q);
        return;
    }
    if (time >= q->top_start) {
        q->top_min = HS_MIN(q->top_min, time);
        bag_add(q, &q->top, time, ev);
        return;
    }
    if (HS_UNLIKELY(o < q->heap_end)) {
        heap_push(q, (EvEntry){time, key, ev});
        return;
    }
    EvRung *r = &q->rungs[q->n_rungs - 1];
    while (time >= r->end)
        r--;
    rung_add(q, r, time, ev);
}

/* The bottom is too long: its later half goes back to where it would be if it had not been fetched. */
static void spill(EvQueue *q)
{
    uint32_t keep = 0;
    if (q->n_dead) { /* tombstones first */
        for (uint32_t i = q->head; i < q->tail; i++) {
            Event *ev = q->bot[i].ev;
            if (ev->fn)
                q->bot[q->head + keep++] = q->bot[i];
            else
                event_free(q, ev), q->n_dead--;
        }
        q->moves += q->tail - q->head;
        q->tail = q->head + keep;
        if (keep <= BOT_MAX / 2)
            return;
    }
    uint32_t mid = q->head + (q->tail - q->head) / 2;
    uint64_t first = q->bot[mid].time;
    EvRung *r = q->n_rungs ? &q->rungs[q->n_rungs - 1] : NULL;
    EvOrder old_end = q->bot_end;
    q->bot_end = entry_order(&q->bot[mid]);
    if (q->heap_end)
        ;
    else if (!r && old_end == ORDER_MAX) {
        q->top_start = first;
        /* A tie that spans the cut stays in order: the bottom is below bot_end, the top above. */
    } else if (r && first >= r->start)
        r->cur = (uint32_t)((first - r->start) >> r->shift);
    else
        q->heap_end = old_end;
    uint32_t tail = q->tail;
    q->tail = mid;
    q->moves += tail - mid;
    for (uint32_t i = mid; i < tail; i++)
        put(q, q->bot[i].time, q->bot[i].key, q->bot[i].ev);
}

/* Sorts a bag into the empty bottom. */
static void bag_to_bottom(EvQueue *q, EvBag *b)
{
    EvSlot *end = b->end;
    EvChunk *c = bag_chunk(*b);
    size_t n = bag_len(*b);
    Event *evs[SORT_MAX];
    uint32_t k = 0;
    b->end = NULL;
    while (c) {
        for (EvSlot *s = c->slot; s < end; s++) {
            __builtin_prefetch(s->ev);
            evs[k++] = s->ev;
        }
        EvChunk *old = c->next;
        chunk_free(q, c);
        c = old;
        end = c ? c->slot + HS_ARRAY_LEN(c->slot) : NULL;
    }
    EvEntry *bot = q->bot + (BOT_CAP - n) / 2;
    uint32_t m = 0;
    for (uint32_t j = 0; j < k; j++) {
        Event *ev = evs[j];
        if (HS_UNLIKELY(!ev->fn)) {
            event_free(q, ev);
            q->n_dead--;
            continue;
        }
        EvEntry x = {(uint64_t)ev->time, ev->key, ev};
        EvOrder o = entry_order(&x);
        uint32_t i = m++;
        while (i && o < entry_order(&bot[i - 1])) {
            bot[i] = bot[i - 1];
            i--;
        }
        bot[i] = x;
        q->moves += m - i;
    }
    q->head = (uint32_t)(bot - q->bot);
    q->tail = q->head + m;
}

static void bag_to_heap(EvQueue *q, EvBag *b)
{
    EvSlot *end = b->end;
    EvChunk *c = bag_chunk(*b);
    b->end = NULL;
    while (c) {
        for (EvSlot *s = c->slot; s < end; s++)
            heap_push(q, (EvEntry){s->time, s->ev->key, s->ev});
        EvChunk *old = c->next;
        chunk_free(q, c);
        c = old;
        end = c ? c->slot + HS_ARRAY_LEN(c->slot) : NULL;
    }
}

/* Makes the bag the innermost rung, which ends at `bound` at the latest. */
static EvRung *bag_to_rung(EvQueue *q, EvBag *b, uint64_t bound)
{
    EvBag bag = *b;
    size_t n = bag_len(bag);
    uint64_t lo = UINT64_MAX, hi = 0;
    EvSlot *end = bag.end;
    for (EvChunk *c = bag_chunk(bag); c; c = c->next, end = c ? c->slot + HS_ARRAY_LEN(c->slot) : NULL) {
        __builtin_prefetch(c->next);
        for (EvSlot *s = c->slot; s < end; s++) {
            lo = HS_MIN(lo, s->time);
            hi = HS_MAX(hi, s->time);
        }
    }
    hs_assert(q->n_rungs < EVQUEUE_RUNGS);
    EvRung *r = &q->rungs[q->n_rungs++];
    uint32_t nb = MIN_BAGS;
    while (nb < MAX_BAGS && nb < n / PER_BAG)
        nb *= 2;
    if (nb > r->cap) {
        r->bags = g_renew(EvBag, r->bags, nb);
        memset(r->bags + r->cap, 0, (nb - r->cap) * sizeof *r->bags);
        r->cap = nb;
    }
    r->shift = 0;
    while ((hi - lo) >> r->shift >= nb)
        r->shift++;
    r->nb = nb;
    r->cur = 0;
    r->start = lo;
    r->end = HS_MIN(lo + ((uint64_t)nb << r->shift), bound);
    b->end = NULL;
    end = bag.end;
    for (EvChunk *c = bag_chunk(bag); c;) {
        for (EvSlot *s = c->slot; s < end; s++)
            rung_add(q, r, s->time, s->ev);
        EvChunk *old = c->next;
        chunk_free(q, c);
        c = old;
        end = c ? c->slot + HS_ARRAY_LEN(c->slot) : NULL;
    }
    q->moves += n + nb;
    return r;
}

/* Fills the empty bottom; false when nothing is pending at or before limit. */
static __attribute__((noinline)) bool refill(EvQueue *q, uint64_t limit)
{
    while (q->head == q->tail) {
        if (q->heap_end) {
            if (q->heap_n) {
                q->head = q->tail = (BOT_CAP - HEAP_BATCH) / 2;
                for (int i = 0; i < HEAP_BATCH && q->heap_n; i++) {
                    EvEntry e = heap_pop(q);
                    q->bot[q->tail++] = e;
                }
            }
            q->bot_end = q->heap_n ? entry_order(&q->heap[0]) : q->heap_end;
            if (!q->heap_n)
                q->heap_end = 0;
            continue;
        }
        if (!q->n_rungs) {
            size_t n = bag_len(q->top);
            if (!n) {
                q->bot_end = ORDER_MAX;
                q->top_start = UINT64_MAX;
                return false;
            }
            if (q->top_min > limit)
                return false;
            q->top_min = UINT64_MAX;
            if (n <= SORT_MAX) {
                bag_to_bottom(q, &q->top);
                q->bot_end = ORDER_MAX;
                q->top_start = UINT64_MAX;
                continue;
            }
            q->top_start = bag_to_rung(q, &q->top, UINT64_MAX)->end;
        }
        EvRung *r = &q->rungs[q->n_rungs - 1];
        uint32_t i = r->cur;
        while (i < r->nb && !r->bags[i].end)
            i++;
        if (i == r->nb || rung_bag_start(r, i) >= r->end) {
            q->n_rungs--;
            q->bot_end = order_of(r->end, 0);
            continue;
        }
        if (rung_bag_start(r, i) > limit)
            return false;
        r->cur = i;
        uint64_t end = rung_bag_start(r, i + 1);
        size_t n = bag_len(r->bags[i]);
        if (n <= SORT_MAX) {
            bag_to_bottom(q, &r->bags[i]);
            q->bot_end = order_of(end, 0);
        } else if (r->shift) {
            bag_to_rung(q, &r->bags[i], end);
        } else {
            q->heap_end = order_of(end, 0);
            bag_to_heap(q, &r->bags[i]);
        }
    }
    return true;
}

/* ---- sweeping ---- */

static void bag_sweep(EvQueue *q, EvBag *b)
{
    EvSlot *end = b->end;
    EvChunk *c = bag_chunk(*b);
    b->end = NULL;
    while (c) {
        for (EvSlot *s = c->slot; s < end; s++) {
            if (s->ev->fn)
                bag_add(q, b, s->time, s->ev);
            else
                event_free(q, s->ev);
        }
        q->moves += (size_t)(end - c->slot);
        EvChunk *old = c->next;
        chunk_free(q, c);
        c = old;
        end = c ? c->slot + HS_ARRAY_LEN(c->slot) : NULL;
    }
}

static size_t entries_sweep(EvQueue *q, EvEntry *e, size_t n)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (e[i].ev->fn)
            e[m++] = e[i];
        else
            event_free(q, e[i].ev);
    }
    q->moves += n;
    return m;
}

static __attribute__((noinline)) void sweep(EvQueue *q)
{
    q->tail = q->head + (uint32_t)entries_sweep(q, q->bot + q->head, q->tail - q->head);
    q->heap_n = entries_sweep(q, q->heap, q->heap_n);
    for (size_t i = q->heap_n / 4 + 1; i--;)
        if (i < q->heap_n)
            heap_sift_down(q->heap, q->heap_n, i, q->heap[i]);
    for (uint32_t k = 0; k < q->n_rungs; k++)
        for (uint32_t i = q->rungs[k].cur; i < q->rungs[k].nb; i++)
            bag_sweep(q, &q->rungs[k].bags[i]);
    bag_sweep(q, &q->top);
    q->n_dead = 0;
}

/* ---- entry points ---- */

void evqueue_init(EvQueue *q)
{
    memset(q, 0, sizeof *q);
    q->bot = g_new(EvEntry, BOT_CAP);
    q->head = q->tail = BOT_CAP / 2;
    q->bot_end = ORDER_MAX;
    q->top_start = q->top_min = UINT64_MAX;
}

void evqueue_clear(EvQueue *q)
{
    for (int i = 0; i < EVQUEUE_RUNGS; i++)
        g_free(q->rungs[i].bags);
    g_free(q->bot);
    g_free(q->heap);
    pool_clear(&q->events);
    pool_clear(&q->chunks);
    memset(q, 0, sizeof *q);
}

Event *evqueue_push(EvQueue *q, SimTime time, uint64_t key, EventFn fn, void *arg)
{
    Event *ev = event_alloc(q);
    ev->time = time;
    ev->key = key;
    ev->fn = fn;
    ev->arg = arg;
    q->n_live++;
    put(q, (uint64_t)time, key, ev);
    return ev;
}

void evqueue_cancel(EvQueue *q, Event *ev)
{
    ev->fn = NULL;
    q->n_live--;
    if (++q->n_dead > SWEEP_MIN && q->n_dead > q->n_live)
        sweep(q);
}

static inline EvEntry *first_live(EvQueue *q, uint64_t limit)
{
    for (;;) {
        if (HS_UNLIKELY(q->head == q->tail) && !refill(q, limit))
            return NULL;
        EvEntry *e = &q->bot[q->head];
        if (e->time > limit)
            return NULL;
        if (HS_LIKELY(e->ev->fn != NULL))
            return e;
        q->head++;
        q->n_dead--;
        event_free(q, e->ev);
    }
}

Event *evqueue_pop(EvQueue *q, SimTime limit)
{
    EvEntry *e = first_live(q, (uint64_t)limit);
    if (!e)
        return NULL;
    q->head++;
    q->n_live--;
    return e->ev;
}

void evqueue_recycle(EvQueue *q, Event *ev)
{
    event_free(q, ev);
}

const Event *evqueue_peek(EvQueue *q)
{
    EvEntry *e = first_live(q, UINT64_MAX);
    return e ? e->ev : NULL;
}

size_t evqueue_len(const EvQueue *q)
{
    return q->n_live;
}

size_t evqueue_bytes(const EvQueue *q)
{
    size_t n = q->events.bytes + q->chunks.bytes + BOT_CAP * sizeof *q->bot + q->heap_cap * sizeof *q->heap;
    for (int i = 0; i < EVQUEUE_RUNGS; i++)
        n += q->rungs[i].cap * sizeof *q->rungs[i].bags;
    return n;
}
