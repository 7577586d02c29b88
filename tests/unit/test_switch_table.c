/* The MAC table against an array that is searched from end to end, and its rules one by one. */
#include "models/ether/switch_table.h"

#include <glib.h>

#include "sim/base/rng.h"

#define S SIM_SEC

typedef struct Naive {
    SwitchEntry e[4096];
    unsigned n;
    uint32_t limit;
    SimTime age;
} Naive;

static SwitchEntry *naive_find(Naive *t, uint64_t key, SimTime now)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (t->e[i].key != key)
            continue;
        if (t->e[i].is_static || now - t->e[i].seen <= t->age)
            return &t->e[i];
        t->e[i] = t->e[--t->n];
        return NULL;
    }
    return NULL;
}

static void naive_bury(Naive *t, SimTime now)
{
    for (unsigned i = 0; i < t->n;)
        if (!t->e[i].is_static && now - t->e[i].seen > t->age)
            t->e[i] = t->e[--t->n];
        else
            i++;
}

static SwitchLearn naive_learn(Naive *t, uint64_t key, uint16_t port, SimTime now)
{
    SwitchEntry *e = naive_find(t, key, now);

    if (!e) {
        naive_bury(t, now);
        if (t->n >= t->limit)
            return SWITCH_LEARN_FULL;
        t->e[t->n++] = (SwitchEntry){key, now, port, false};
        return SWITCH_LEARN_NEW;
    }
    if (e->port == port) {
        e->seen = now;
        return SWITCH_LEARN_KNOWN;
    }
    if (e->is_static)
        return SWITCH_LEARN_STATIC;
    e->port = port;
    e->seen = now;
    return SWITCH_LEARN_MOVED;
}

static void naive_flush(Naive *t, uint16_t port)
{
    for (unsigned i = 0; i < t->n;)
        if (!t->e[i].is_static && (port == SWITCH_TABLE_ANY_PORT || t->e[i].port == port))
            t->e[i] = t->e[--t->n];
        else
            i++;
}

static void check_entry(void *user, const SwitchEntry *e)
{
    Naive *naive = user;
    SwitchEntry *n = NULL;

    for (unsigned i = 0; i < naive->n; i++)
        if (naive->e[i].key == e->key)
            n = &naive->e[i];
    g_assert_nonnull(n);
    g_assert_cmpuint(n->port, ==, e->port);
    g_assert_cmpint(n->seen, ==, e->seen);
    g_assert_cmpint(n->is_static, ==, e->is_static);
}

/* Random operations: both tables give the same answers, whatever the order of keys and times. */
static void test_naive(void)
{
    static Naive naive; /* large */

    for (uint64_t seed = 1; seed <= 6; seed++) {
        SwitchTable t;
        Rng rng;
        SimTime now = 0;
        uint64_t keys = 20 + 150 * seed;

        rng_init(&rng, seed, "table", "test");
        switch_table_init(&t);
        naive = (Naive){.limit = seed & 1 ? 100 : 4096, .age = 300 * S};
        switch_table_set_limit(&t, naive.limit);
        for (unsigned i = 0; i < 20000; i++) {
            /* neighbouring addresses, as in life, in two VLANs */
            uint64_t key =
                switch_table_key((uint16_t)rng_below(&rng, 2), 0x020000000000 + rng_below(&rng, keys));
            uint16_t port = (uint16_t)rng_below(&rng, 4), old;
            uint64_t op = rng_below(&rng, 1000);
            SwitchEntry *a, *b;

            if (key >> 48 == 0 && key == 0)
                continue;
            now += (SimTime)rng_below(&rng, 2 * S);
            if (op < 500) {
                g_assert_cmpint(switch_table_learn(&t, key, port, now, &old), ==,
                                naive_learn(&naive, key, port, now));
            } else if (op < 985) {
                a = switch_table_find(&t, key, now);
                b = naive_find(&naive, key, now);
                g_assert_cmpint(!a, ==, !b);
                g_assert_true(!a || a->port == b->port);
            } else if (op < 990) {
                switch_table_flush(&t, port);
                naive_flush(&naive, port);
            } else if (op < 993) {
                naive_bury(&naive, now);
                g_assert_cmpuint(switch_table_count(&t, now), ==, naive.n);
                if (switch_table_set_static(&t, key, port, now)) {
                    b = naive_find(&naive, key, now);
                    if (!b)
                        b = &naive.e[naive.n++];
                    *b = (SwitchEntry){key, now, port, true};
                }
            } else {
                b = naive_find(&naive, key, now);
                naive_bury(&naive, now);
                switch_table_count(&t, now);
                b = naive_find(&naive, key, now);
                g_assert_cmpint(switch_table_remove(&t, key), ==, b != NULL);
                if (b)
                    *b = naive.e[--naive.n];
            }
            if (i % 1000 == 0) {
                naive_bury(&naive, now);
                g_assert_cmpuint(switch_table_count(&t, now), ==, naive.n);
                switch_table_foreach(&t, now, check_entry, &naive);
            }
        }
        switch_table_clear(&t);
    }
}

/* 802.1D table 7-5: an entry lives 300 s from its last frame; there is no entry at 301 s. */
static void test_age(void)
{
    SwitchTable t;
    uint16_t old;

    switch_table_init(&t);
    g_assert_cmpint(switch_table_learn(&t, 1, 0, 0, &old), ==, SWITCH_LEARN_NEW);
    g_assert_nonnull(switch_table_find(&t, 1, 300 * S));
    g_assert_cmpint(switch_table_learn(&t, 1, 0, 299 * S, &old), ==, SWITCH_LEARN_KNOWN);
    g_assert_nonnull(switch_table_find(&t, 1, 599 * S));
    g_assert_null(switch_table_find(&t, 1, 599 * S + 1));
    g_assert_cmpint(switch_table_learn(&t, 1, 0, 600 * S, &old), ==, SWITCH_LEARN_NEW);
    t.age = 0;
    g_assert_nonnull(switch_table_find(&t, 1, 100000 * S));
    switch_table_clear(&t);
}

/* Full: newcomers are not learnt until somebody has died. */
static void test_limit(void)
{
    SwitchTable t;
    uint16_t old;

    switch_table_init(&t);
    switch_table_set_limit(&t, 3);
    for (uint64_t mac = 1; mac <= 3; mac++)
        g_assert_cmpint(switch_table_learn(&t, mac, 0, (SimTime)mac * S, &old), ==, SWITCH_LEARN_NEW);
    g_assert_cmpint(switch_table_learn(&t, 4, 0, 100 * S, &old), ==, SWITCH_LEARN_FULL);
    g_assert_cmpint(switch_table_learn(&t, 4, 0, 301 * S, &old), ==, SWITCH_LEARN_FULL);
    g_assert_cmpint(switch_table_learn(&t, 4, 0, 301 * S + 1, &old), ==, SWITCH_LEARN_NEW);
    g_assert_cmpint(switch_table_learn(&t, 5, 0, 301 * S + 1, &old), ==, SWITCH_LEARN_FULL);
    g_assert_cmpint(switch_table_learn(&t, 2, 1, 301 * S + 1, &old), ==, SWITCH_LEARN_MOVED);
    g_assert_cmpuint(old, ==, 0);
    switch_table_clear(&t);
}

static void count_up(void *user, const SwitchEntry *e)
{
    uint64_t *last = user;

    g_assert_cmpuint(e->key, >, *last);
    *last = e->key;
}

/* By hand: never moves, ages or is flushed. And the order of foreach. */
static void test_static_and_order(void)
{
    SwitchTable t;
    uint16_t old;
    uint64_t last = 0;

    switch_table_init(&t);
    g_assert_true(switch_table_set_static(&t, 7, 3, 0));
    g_assert_cmpint(switch_table_learn(&t, 7, 1, 1, &old), ==, SWITCH_LEARN_STATIC);
    for (uint64_t mac = 1000; mac > 900; mac -= 3)
        switch_table_learn(&t, switch_table_key((uint16_t)(mac % 5), mac), 2, 1, &old);
    switch_table_foreach(&t, 1, count_up, &last);
    g_assert_cmpuint(last >> 48, ==, 4);
    g_assert_cmpuint(switch_table_flush(&t, 2), ==, 34);
    g_assert_cmpuint(switch_table_flush(&t, SWITCH_TABLE_ANY_PORT), ==, 0);
    g_assert_cmpuint(switch_table_find(&t, 7, 10000 * S)->port, ==, 3);
    g_assert_true(switch_table_remove(&t, 7));
    g_assert_false(switch_table_remove(&t, 7));
    switch_table_clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/switch-table/naive", test_naive);
    g_test_add_func("/ether/switch-table/age", test_age);
    g_test_add_func("/ether/switch-table/limit", test_limit);
    g_test_add_func("/ether/switch-table/static-and-order", test_static_and_order);
    return g_test_run();
}
