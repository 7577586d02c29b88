/* The event queue against a plain sorted array, over mixes and patterns that queues dislike; the work it does
 * is bounded by counting entry moves, never by time. */
#include "sim/engine/evqueue.h"

#include <glib.h>
#include <math.h>

typedef struct Ref {
    SimTime time;
    uint64_t key;
    Event *ev;
} Ref;

static void nop(void *arg)
{
}

static uint64_t rng_next(uint64_t *s)
{
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}

static int ref_cmp(const void *pa, const void *pb)
{
    const Ref *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

/* Where x belongs in the sorted array. */
static guint ref_find(GArray *m, const Ref *x)
{
    guint lo = 0, hi = m->len;
    while (lo < hi) {
        guint mid = (lo + hi) / 2;
        if (ref_cmp(&g_array_index(m, Ref, mid), x) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

typedef enum Dist { TIES, NEAR, WIDE, BIMODAL, RISING, FALLING, BURSTS, FAR, EXPONENT, N_DIST } Dist;

static SimTime draw(Dist d, uint64_t *s, SimTime now, SimTime *level)
{
    uint64_t r = rng_next(s);
    switch (d) {
    case TIES:
        return now + (r % 16 == 0);
    case NEAR:
        return now + (SimTime)(r % 1000);
    case WIDE:
        return now + (SimTime)(r >> 24);
    case BIMODAL:
        return now + (r & 1 ? (SimTime)(r >> 8) % 50 : 3600 * SIM_SEC + (SimTime)(r >> 8) % 50);
    case RISING:
        return *level = HS_MAX(*level, now) + (SimTime)(r % 3);
    case FALLING:
        *level = *level - (SimTime)(r % 1000) < now ? now + SIM_SEC : *level - (SimTime)(r % 1000);
        return *level;
    case BURSTS:
        return (now / SIM_MS + 1 + (SimTime)(r % 3)) * SIM_MS;
    case FAR:
        return r % 4 ? SIM_NEVER - 1 - (SimTime)(r % 5 > 3)
                     : HS_MIN(now, SIM_NEVER - 101) + (SimTime)(r % 100);
    case EXPONENT:
    case N_DIST:
        break;
    }
    return now + (SimTime)((uint64_t)1 << (r % 50)) + (SimTime)(r >> 60);
}

/* Random pushes, pops with limits, peeks and cancels; phases grow and drain the queue. */
static void mix(Dist d, uint64_t seed, int steps)
{
    g_test_message("distribution %d, seed %u", d, (unsigned)seed);
    EvQueue q;
    evqueue_init(&q);
    GArray *m = g_array_new(FALSE, FALSE, sizeof(Ref));
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 1, seq = 0;
    SimTime now = 0, level = 0;
    unsigned grow = 60;
    for (int i = 0; i < steps; i++) {
        if (i % 4096 == 0)
            grow = (unsigned[]){75, 45, 90, 30, 50, 10}[rng_next(&s) % 6];
        unsigned what = (unsigned)(rng_next(&s) % 100);
        if (what < grow) {
            Ref x = {.time = draw(d, &s, now, &level), .key = (rng_next(&s) % 50) << 40 | seq++};
            x.time = HS_MAX(x.time, now);
            x.ev = evqueue_push(&q, x.time, x.key, nop, &q);
            g_array_insert_val(m, ref_find(m, &x), x);
        } else if (what < grow + (100 - grow) / 4 && m->len) {
            guint k = (guint)(rng_next(&s) % m->len);
            evqueue_cancel(&q, g_array_index(m, Ref, k).ev);
            g_array_remove_index(m, k);
        } else {
            SimTime limit =
                what % 3 ? SIM_NEVER : HS_MIN(now, SIM_NEVER - 2000) + (SimTime)(rng_next(&s) % 2000);
            if (what % 8 == 0) {
                const Event *p = evqueue_peek(&q);
                g_assert_true((p != NULL) == (m->len > 0));
                g_assert_true(!p || p == g_array_index(m, Ref, 0).ev);
            }
            Event *ev = evqueue_pop(&q, limit);
            if (!m->len || g_array_index(m, Ref, 0).time > limit) {
                g_assert_null(ev);
                if (limit != SIM_NEVER)
                    now = limit;
            } else {
                Ref x = g_array_index(m, Ref, 0);
                g_assert_true(ev == x.ev && ev->time == x.time && ev->key == x.key && ev->arg == &q);
                now = ev->time;
                g_array_remove_index(m, 0);
                evqueue_recycle(&q, ev);
            }
        }
        g_assert_cmpuint(evqueue_len(&q), ==, m->len);
    }
    for (guint k = 0; k < m->len; k++) {
        Event *ev = evqueue_pop(&q, SIM_NEVER);
        g_assert_true(ev == g_array_index(m, Ref, k).ev);
        evqueue_recycle(&q, ev);
    }
    g_assert_null(evqueue_pop(&q, SIM_NEVER));
    g_assert_null(evqueue_peek(&q));
    g_array_free(m, TRUE);
    evqueue_clear(&q);
}

static void test_mix(void)
{
    for (int d = 0; d < N_DIST; d++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            mix((Dist)d, seed, 40000);
}

typedef struct Hold {
    EvQueue q;
    SimTime now, delay[65536];
    uint64_t rng, seq, done, sum;
} Hold;

static Hold hold;

static void on_hold(void *arg)
{
    uint64_t n = (uintptr_t)arg;
    hold.done++;
    hold.sum += n;
    evqueue_push(&hold.q, hold.now + hold.delay[rng_next(&hold.rng) >> 48], hold.seq++, on_hold,
                 (void *)(uintptr_t)(n + 1));
}

/* Expected: what an independent program with three other queues (two heaps, a calendar) prints for the same
 * draws, `hold ladder N 1000000`; table and generator are in bench_evqueue.c too. */
static void check_hold(size_t n, uint64_t now, uint64_t sum, double max_moves)
{
    hold = (Hold){.rng = 88172645463325252u};
    for (int i = 0; i < 65536; i++)
        hold.delay[i] = 1 + (SimTime)(-log((i + 0.5) / 65536.0) * 1e9);
    evqueue_init(&hold.q);
    for (size_t i = 0; i < n; i++)
        evqueue_push(&hold.q, hold.delay[rng_next(&hold.rng) >> 48], hold.seq++, on_hold, (void *)i);
    size_t bytes = 0;
    while (hold.done < 1000000) {
        Event *ev = evqueue_pop(&hold.q, SIM_NEVER);
        EventFn fn = ev->fn;
        void *arg = ev->arg;
        hold.now = ev->time;
        evqueue_recycle(&hold.q, ev);
        fn(arg);
        if (hold.done == 500000)
            bytes = evqueue_bytes(&hold.q);
    }
    g_assert_cmpuint((uint64_t)hold.now, ==, now);
    g_assert_cmpuint(hold.sum, ==, sum);
    g_assert_cmpfloat((double)hold.q.moves, <, max_moves * (1e6 + (double)n));
    g_assert_cmpuint(evqueue_bytes(&hold.q), <=, bytes + bytes / 8); /* steady */
    g_assert_cmpuint(evqueue_bytes(&hold.q), <, 40960 + 160 * n);
    evqueue_clear(&hold.q);
}

static void test_hold(void)
{
    check_hold(1000, 998422532960, 999286910, 12);
    check_hold(100000, 9980310197, 50020506210, 12);
}

/* Pushes n events by pattern, pops all; moves per event must stay below what n log n allows. */
static void check_moves(const char *name, Dist d, size_t n, bool descending_keys, double max_moves)
{
    EvQueue q;
    evqueue_init(&q);
    uint64_t s = 7;
    SimTime level = d == FALLING ? (SimTime)1 << 50 : 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t key = descending_keys ? n - i : d == TIES ? (i * 2654435761u) % (1u << 31) : i;
        evqueue_push(&q, d == TIES ? 5 : draw(d, &s, 0, &level), key, nop, NULL);
    }
    Ref last = {.time = -1};
    for (size_t i = 0; i < n; i++) {
        Event *ev = evqueue_pop(&q, SIM_NEVER);
        Ref x = {.time = ev->time, .key = ev->key};
        g_assert_cmpint(ref_cmp(&last, &x), <, 0);
        last = x;
        evqueue_recycle(&q, ev);
    }
    g_assert_null(evqueue_pop(&q, SIM_NEVER));
    double moves = (double)q.moves / (double)n;
    g_test_message("%s: %.1f moves per event", name, moves);
    g_assert_cmpfloat(moves, <, max_moves);
    evqueue_clear(&q);
}

static void test_no_quadratic(void)
{
    size_t n = 200000;
    /* 2 log2(n) = 35: what a binary heap moves */
    check_moves("ties", TIES, n, false, 35);
    check_moves("ties, falling keys", TIES, n, true, 35);
    check_moves("near", NEAR, n, false, 35);
    check_moves("wide", WIDE, n, false, 12);
    check_moves("bimodal", BIMODAL, n, false, 35);
    check_moves("rising", RISING, n, false, 12);
    check_moves("falling", FALLING, n, false, 12);
    check_moves("far", FAR, n, false, 35);
    check_moves("exponents", EXPONENT, n, false, 35);
}

/* All pending at now and pushed at now while popping: the bottom can only spill into a tie. */
static void test_ties_while_popping(void)
{
    EvQueue q;
    evqueue_init(&q);
    uint64_t s = 3, pushed = 0, popped = 0;
    while (pushed < 300000) {
        for (int i = 0; i < 3; i++, pushed++)
            evqueue_push(&q, 9, rng_next(&s), nop, NULL);
        evqueue_recycle(&q, evqueue_pop(&q, 9));
        popped++;
    }
    for (uint64_t last = 0; popped < pushed; popped++) {
        Event *ev = evqueue_pop(&q, 9);
        g_assert_cmpuint(ev->key, >, last);
        last = ev->key;
        evqueue_recycle(&q, ev);
    }
    g_assert_cmpfloat((double)q.moves / (double)pushed, <, 60);
    evqueue_clear(&q);
}

/* Peeking far ahead and then filling the gap again and again must not pile up rungs. */
static void test_gap_after_peek(void)
{
    EvQueue q;
    evqueue_init(&q);
    SimTime far = (SimTime)1 << 60, now = 0;
    size_t pushed = 0;
    uint64_t key = 0;
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 100; i++, pushed++)
            evqueue_push(&q, far - (SimTime)round * 1000 + i, key++, nop, NULL);
        for (int i = 0; i < 100; i++, pushed++)
            evqueue_push(&q, now + i, key++, nop, NULL);
        for (int i = 0; i < 100; i++) {
            Event *ev = evqueue_pop(&q, SIM_NEVER);
            g_assert_cmpint(ev->time, >=, now);
            now = ev->time;
            evqueue_recycle(&q, ev);
        }
        g_assert_cmpint(evqueue_peek(&q)->time, ==, far - (SimTime)round * 1000);
    }
    for (size_t n = evqueue_len(&q); n; n--) {
        Event *ev = evqueue_pop(&q, SIM_NEVER);
        g_assert_cmpint(ev->time, >=, now);
        now = ev->time;
        evqueue_recycle(&q, ev);
    }
    g_assert_cmpfloat((double)q.moves / (double)pushed, <, 60);
    evqueue_clear(&q);
}

/* A limit is not an event: what is pushed before the next pending one, after a pop in vain, comes first. */
static void test_limit(void)
{
    EvQueue q;
    evqueue_init(&q);
    for (uint64_t i = 0; i < 1000; i++)
        evqueue_push(&q, 60 * SIM_SEC + (SimTime)i * SIM_MS, i, nop, NULL);
    for (SimTime t = 1; t < 1000; t++) {
        g_assert_null(evqueue_pop(&q, t));
        evqueue_push(&q, t, 5000 + (uint64_t)t, nop, NULL);
        g_assert_null(evqueue_pop(&q, t - 1));
        Event *ev = evqueue_pop(&q, t);
        g_assert_cmpint(ev->time, ==, t);
        evqueue_recycle(&q, ev);
    }
    g_assert_null(evqueue_pop(&q, -1));
    g_assert_null(evqueue_pop(&q, 60 * SIM_SEC - 1));
    g_assert_cmpuint(evqueue_len(&q), ==, 1000);
    evqueue_clear(&q);
}

/* A crowd pushed between two bags of a rung, after a pop in vain has passed over the empty ones. */
static void test_gap_within_rung(void)
{
    EvQueue q;
    evqueue_init(&q);
    uint64_t key = 0;
    for (int i = 0; i < 100; i++) {
        evqueue_push(&q, i, key++, nop, NULL);
        evqueue_push(&q, SIM_SEC + i, key++, nop, NULL);
    }
    for (int i = 0; i < 100; i++)
        evqueue_recycle(&q, evqueue_pop(&q, SIM_MS));
    g_assert_null(evqueue_pop(&q, SIM_MS));
    for (int i = 1000; i--;)
        evqueue_push(&q, 2 * SIM_MS + i % 500 * SIM_US, key++, nop, NULL);
    Ref last = {.time = SIM_MS};
    for (int i = 0; i < 1100; i++) {
        Event *ev = evqueue_pop(&q, SIM_NEVER);
        g_assert_nonnull(ev);
        Ref x = {.time = ev->time, .key = ev->key};
        g_assert_cmpint(ref_cmp(&last, &x), <, 0);
        last = x;
        evqueue_recycle(&q, ev);
    }
    g_assert_null(evqueue_peek(&q));
    evqueue_clear(&q);
}

/* Pushes before the event last popped, as after a stale timer entry far ahead: they come next, in order,
 * whatever shape the queue is in. Pops have limits that end within bags. */
static void test_before_last_pop(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        GArray *model = g_array_new(FALSE, FALSE, sizeof(Ref));
        uint64_t s = seed * 0x9e3779b97f4a7c15u, key = 0;
        EvQueue q;

        evqueue_init(&q);
        for (int round = 0; round < 100; round++) {
            SimTime around = (SimTime)(rng_next(&s) % 1000000),
                    width = (SimTime)(rng_next(&s) % 4 ? 100 : 1000000);
            SimTime limit = (SimTime)(rng_next(&s) % 1100000);

            for (uint64_t n = rng_next(&s) % 120; n; n--) {
                Ref r = {.time = around + (SimTime)(rng_next(&s) % (uint64_t)width), .key = key++};

                r.ev = evqueue_push(&q, r.time, r.key, nop, NULL);
                g_array_insert_val(model, ref_find(model, &r), r);
            }
            for (uint64_t n = rng_next(&s) % 130; n; n--) {
                Ref *first = model->len ? &g_array_index(model, Ref, 0) : NULL;
                Event *ev = evqueue_pop(&q, limit);

                if (!first || first->time > limit) {
                    g_assert_null(ev);
                    break;
                }
                g_assert_true(ev == first->ev);
                g_assert_cmpuint(ev->key, ==, first->key);
                evqueue_recycle(&q, ev);
                g_array_remove_index(model, 0);
            }
            g_assert_cmpuint(evqueue_len(&q), ==, model->len);
        }
        evqueue_clear(&q);
        g_array_free(model, TRUE);
    }
}

/* A timer re-armed at every event leaves tombstones; memory and work stay bounded. */
static void test_rearm(void)
{
    EvQueue q;
    evqueue_init(&q);
    enum { TIMERS = 500, ROUNDS = 400000 };
    Event *timer[TIMERS];
    uint64_t key = 0, s = 5;
    for (int i = 0; i < TIMERS; i++)
        timer[i] = evqueue_push(&q, SIM_SEC, key++, nop, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        int k = (int)(rng_next(&s) % TIMERS);
        evqueue_cancel(&q, timer[k]);
        timer[k] = evqueue_push(&q, i + SIM_SEC, key++, nop, NULL);
    }
    g_assert_cmpuint(evqueue_len(&q), ==, TIMERS);
    g_assert_cmpuint(evqueue_bytes(&q), <, 300000);
    g_assert_cmpfloat((double)q.moves / ROUNDS, <, 20);
    for (int i = 0; i < TIMERS; i++)
        evqueue_cancel(&q, timer[i]);
    g_assert_null(evqueue_peek(&q));
    g_assert_cmpuint(evqueue_len(&q), ==, 0);
    evqueue_clear(&q);
}

/* A million come and go: no more than 72 bytes each meanwhile, next to nothing afterwards. */
static void test_memory(void)
{
    EvQueue q;
    evqueue_init(&q);
    uint64_t s = 11;
    SimTime level = 0;
    size_t n = 1000000;
    for (size_t i = 0; i < n; i++)
        evqueue_push(&q, draw(WIDE, &s, 0, &level), i, nop, NULL);
    g_assert_cmpuint(evqueue_bytes(&q), <, 72 * n);
    for (size_t i = 0; i < n; i++)
        evqueue_recycle(&q, evqueue_pop(&q, SIM_NEVER));
    g_assert_null(evqueue_pop(&q, SIM_NEVER));
    g_assert_cmpuint(evqueue_bytes(&q), <, 100000);
    evqueue_push(&q, SIM_NEVER - 1, 1, nop, NULL);
    g_assert_nonnull(evqueue_peek(&q));
    evqueue_clear(&q);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/engine/evqueue/mix", test_mix);
    g_test_add_func("/engine/evqueue/hold", test_hold);
    g_test_add_func("/engine/evqueue/no-quadratic", test_no_quadratic);
    g_test_add_func("/engine/evqueue/ties-while-popping", test_ties_while_popping);
    g_test_add_func("/engine/evqueue/gap-after-peek", test_gap_after_peek);
    g_test_add_func("/engine/evqueue/limit", test_limit);
    g_test_add_func("/engine/evqueue/gap-within-rung", test_gap_within_rung);
    g_test_add_func("/engine/evqueue/before-last-pop", test_before_last_pop);
    g_test_add_func("/engine/evqueue/rearm", test_rearm);
    g_test_add_func("/engine/evqueue/memory", test_memory);
    return g_test_run();
}
