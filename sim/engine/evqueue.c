/* A ladder queue (Tang, Goh and Thng, ACM TOMACS 15(3), 2005) over chunked bags.
 *
 *   push ->  bottom | heap | innermost rung ... outermost rung | top      -> later
 *            sorted   (rare)        unsorted bags                unsorted
 *
 * The pending set is cut into consecutive intervals of the order. Pops come from the bottom, a short sorted
 * array. When that is empty refill() takes the next non-empty bag: a small one is sorted into the bottom, a
 * large one becomes a finer rung; the top becomes the first rung. When pushes make the bottom long, spill()
 * puts its later half back. Where that is impossible - more events at one nanosecond than a bag should hold,
 * or a crowd pushed before a rung that a peek far ahead had already opened - a heap serves the interval.
 *
 * Why nothing is quadratic: the bottom and the bags sorted into it are bounded; each rung is at least 8 times
 * finer than the one outside it, so an event moves down at most 22 times (twice or three times, usually);
 * everything else goes through the heap.
 *
 * Differences from the paper, each measured with the hold model (million events per CPU second with 60, 10^3,
 * 10^5 and 10^6 pending, one 2.6 GHz Zen 4 core, callback included; a plain C ladder over linked lists: 46,
 * 37, 18, 4.4): bags are chunks of {time, event}, not lists through the events: spawning a rung streams, and
 * an event's own cache line is touched when it is pushed and, prefetched, when it nears the bottom; widths
 * are powers of two and at most 1024 bags a rung, so that the tail of every bag stays in the second-level
 * cache (insertion sort: 33, 33, 15-20, 9); small bags are sorted by counting places (scalar: 33, 38, 28, 10;
 * four lanes at a time: 46, 43, 26, 12); a small queue is not simply the sorted bottom (22 instead of 46 at
 * 60 pending): random insertion costs a misprediction, and a chain of links pushes at the far end, which the
 * top takes for nothing. Tried without gain: 4096 bags a rung, 256-byte chunks, 2 or 8 events per bag. */
#include "sim/engine/evqueue.h"

#include <glib.h>
#include <string.h>

#include "sim/engine/evqueue_mem.h"

#define BOT_CAP 256     /* room of the bottom */
#define BOT_MAX 64      /* more than this many and its later half is spilt */
#define SORT_MAX 48     /* a bag this small is sorted into the bottom, a larger one becomes a rung */
#define TOP_SORT_MAX 24 /* the same for the top */
#define FEW_MAX 4       /* slots that need no counting of places; they fit in one chunk */
#define PER_BAG 4       /* events a bag of a new rung should hold */
#define MAX_BAGS 1024
#define MIN_BAGS 16
#define SWEEP_MIN 1024
#define IDLE_BYTES (4u << 20)
#define HEAP_BATCH 32
#define ORDER_MAX (~(EvOrder)0)

/* The one comparison of the queue: events compare by this number, the time above the key. The key is (origin
 * node, that node's own sequence number), which depends on neither how the network is cut into partitions nor
 * on who pushes first; it is unique, so the order is total and no two runs can differ in a tie. One 128-bit
 * comparison also has no branch to mispredict. */
static inline EvOrder order_of(uint64_t time, uint64_t key)
{
    return (EvOrder)time << 64 | key;
}

static inline EvOrder entry_order(const EvEntry *e)
{
    return order_of(e->time, e->key);
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

static inline void bot_insert(EvQueue *q, uint64_t time, uint64_t key, Event *ev)
{
    if (HS_UNLIKELY(q->head == 0 || q->tail == BOT_CAP))
        bot_centre(q);
    EvOrder o = order_of(time, key);
    uint32_t h = q->head, t = q->tail, mid = h + (t - h) / 2;
    EvEntry *bot = q->bot;
    if (t > h && o < entry_order(&bot[mid])) { /* move the smaller half */
        uint32_t i = h;
        while (entry_order(&bot[i]) < o) {
            bot[i - 1] = bot[i];
            i++;
        }
        bot[i - 1] = (EvEntry){time, key, ev};
        q->head = h - 1;
        q->moves += i - h + 1;
    } else {
        uint32_t i = t;
        while (i > h && o < entry_order(&bot[i - 1])) {
            bot[i] = bot[i - 1];
            i--;
        }
        bot[i] = (EvEntry){time, key, ev};
        q->tail = t + 1;
        q->moves += t - i + 1;
    }
}

/* ---- heap ---- */

static void heap_sift_down(EvQueue *q, size_t i, EvEntry x)
{
    EvEntry *h = q->heap;
    size_t n = q->heap_n;
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
        q->moves++;
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
        heap_sift_down(q, 0, q->heap[q->heap_n]);
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
        bot_insert(q, time, key, ev);
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
            else {
                event_free(q, ev);
                q->n_dead--;
            }
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
    if (!q->heap_end) {
        if (!r)
            q->top_start = first;
        else if (first >= r->start)
            r->cur = (uint32_t)((first - r->start) >> r->shift); /* reopens bags that were found empty */
        else
            q->heap_end = old_end;
    }
    uint32_t tail = q->tail;
    q->tail = mid;
    q->moves += tail - mid;
    for (uint32_t i = mid; i < tail; i++)
        put(q, q->bot[i].time, q->bot[i].key, q->bot[i].ev);
}

typedef int32_t Lanes __attribute__((vector_size(16)));

/* place[i]: how many of the distinct v[0..n) are smaller than v[i]. No branch depends on the values. */
static inline void count_places(const int32_t *v, size_t n, int32_t *place)
{
    for (size_t i = 0; i < n; i += 8) {
        Lanes a, b, na = {0}, nb = {0};
        memcpy(&a, v + i, sizeof a);
        memcpy(&b, v + i + 4, sizeof b);
        for (size_t j = 0; j < n; j++) {
            Lanes x = {v[j], v[j], v[j], v[j]};
            na -= x < a;
            nb -= x < b;
        }
        memcpy(place + i, &na, sizeof na);
        memcpy(place + i + 4, &nb, sizeof nb);
    }
}

/* The same for a bag of one chunk or less: between two links little else is pending, and counting places
 * would cost more. */
static inline void few_to_bottom(EvQueue *q, EvBag *b, size_t n)
{
    EvChunk *c = bag_chunk(*b);
    EvEntry *bot = q->bot + BOT_CAP / 2;
    b->end = NULL;
    for (size_t k = 0; k < n; k++) {
        EvEntry x = {c->slot[k].time, c->slot[k].ev->key, c->slot[k].ev};
        size_t j = k;
        for (; j && entry_order(&x) < entry_order(&bot[j - 1]); j--)
            bot[j] = bot[j - 1];
        bot[j] = x;
        q->moves += k - j + 1;
    }
    chunk_free(q, c);
    q->head = BOT_CAP / 2;
    q->tail = q->head + (uint32_t)n;
}

/* Sorts a bag into the empty bottom. Each entry's place is counted, not searched for: at these sizes n*n
 * comparisons four at a time, with nothing to mispredict, are cheaper than any comparison sort, and they need
 * only the times, so that the events meanwhile arrive in the cache. Counted are the upper 25 bits of the time
 * within the bag, then the order of insertion, which is usually that of the keys; the last pass compares
 * properly and puts right what that got wrong. */
static void bag_to_bottom(EvQueue *q, EvBag *b)
{
    EvSlot *end = b->end;
    size_t n = bag_len(*b);
    if (n <= FEW_MAX) {
        few_to_bottom(q, b, n);
        return;
    }
    uint64_t time[SORT_MAX], lo = UINT64_MAX, hi = 0;
    Event *evs[SORT_MAX];
    int32_t v[SORT_MAX + 8] = {0}, place[SORT_MAX + 8];
    b->end = NULL;
    for (EvChunk *c = bag_chunk((EvBag){end}), *older; c; c = older, end = c ? chunk_end(c) : NULL) {
        size_t k = c->before;
        older = c->next;
        for (EvSlot *s = c->slot; s < end; s++, k++) {
            __builtin_prefetch(s->ev);
            time[k] = s->time;
            evs[k] = s->ev;
            lo = HS_MIN(lo, s->time);
            hi = HS_MAX(hi, s->time);
        }
        chunk_free(q, c);
    }
    int shift = HS_MAX(0, 64 - __builtin_clzll((hi - lo) | 1) - 25);
    for (size_t k = 0; k < n; k++)
        v[k] = (int32_t)((time[k] - lo) >> shift << 6 | k);
    count_places(v, n, place);
    EvEntry *bot = q->bot + (BOT_CAP - n) / 2;
    q->head = (uint32_t)(bot - q->bot);
    q->tail = q->head + (uint32_t)n;
    q->moves += n;
    for (size_t k = 0; k < n; k++)
        bot[place[k]] = (EvEntry){time[k], evs[k]->key, evs[k]};
    for (size_t i = 1; i < n; i++) {
        if (HS_LIKELY(entry_order(&bot[i - 1]) < entry_order(&bot[i])))
            continue;
        EvEntry x = bot[i];
        size_t j = i;
        while (j && entry_order(&x) < entry_order(&bot[j - 1])) {
            bot[j] = bot[j - 1];
            j--;
        }
        bot[j] = x;
        q->moves += i - j;
    }
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
        end = c ? chunk_end(c) : NULL;
    }
}

/* Makes the bag the innermost rung, which ends at `bound` at the latest. */
static EvRung *bag_to_rung(EvQueue *q, EvBag *b, uint64_t bound)
{
    EvBag bag = *b;
    size_t n = bag_len(bag);
    uint64_t lo = UINT64_MAX, hi = 0;
    EvSlot *end = bag.end;
    for (EvChunk *c = bag_chunk(bag); c; c = c->next, end = c ? chunk_end(c) : NULL) {
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
        end = c ? chunk_end(c) : NULL;
    }
    q->moves += n + nb;
    return r;
}

/* A large queue that has run dry gives its memory back; partly filled ones keep what they had at their peak.
 */
static void release_if_idle(EvQueue *q)
{
    q->top_min = UINT64_MAX;
    if (q->n_detached || q->events.bytes < IDLE_BYTES)
        return;
    pool_clear(&q->events);
    pool_clear(&q->chunks);
    g_clear_pointer(&q->heap, g_free);
    q->heap_cap = 0;
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
                release_if_idle(q);
                return false;
            }
            if (q->top_min > limit)
                return false;
            q->top_min = UINT64_MAX;
            if (n <= TOP_SORT_MAX) {
                bag_to_bottom(q, &q->top);
                q->top_start = q->tail > q->head ? q->bot[q->tail - 1].time + 1 : q->top_start;
                q->bot_end = order_of(q->top_start, 0);
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
        r->cur = i;
        /* Nothing is pending below that bag: what is pushed into the gap belongs to the bottom. */
        q->bot_end = order_of(rung_bag_start(r, i), 0);
        if (rung_bag_start(r, i) > limit)
            return false;
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
        end = c ? chunk_end(c) : NULL;
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
            heap_sift_down(q, i, q->heap[i]);
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
    q->top_min = UINT64_MAX;
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
    hs_assert(fn != NULL);
    hs_assert(time >= 0);
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
    EvEntry *e = limit >= 0 ? first_live(q, (uint64_t)limit) : NULL;
    if (!e)
        return NULL;
    q->head++;
    q->n_live--;
    q->n_detached++;
    return e->ev;
}

void evqueue_recycle(EvQueue *q, Event *ev)
{
    q->n_detached--;
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
