#include "models/link/linktiming.h"

#include <glib.h>

#include "sim/engine/sim.h"

#define GBIT UINT64_C(1000000000)

/* Those that agree in everything are one; it goes with its last user. */
static void test_shared(void)
{
    Sim *sim = sim_new(1);
    Partition *part = sim_partition(sim, 0);
    LinkTiming *a = linktiming_take(part, GBIT, SIM_MS, 24, 12), *other[4];

    g_assert_true(linktiming_take(part, GBIT, SIM_MS, 24, 12) == a);
    g_assert_cmpuint(a->users, ==, 2);
    other[0] = linktiming_take(part, GBIT + 1, SIM_MS, 24, 12);
    other[1] = linktiming_take(part, GBIT, SIM_MS + 1, 24, 12);
    other[2] = linktiming_take(part, GBIT, SIM_MS, 25, 12);
    other[3] = linktiming_take(part, GBIT, SIM_MS, 24, 11);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_true(other[i] != a);
        for (unsigned k = 0; k < i; k++)
            g_assert_true(other[i] != other[k]);
        linktiming_give(part, other[i]);
    }
    linktiming_give(part, a);
    g_assert_cmpuint(a->users, ==, 1);
    g_assert_nonnull(part->link_timings);
    linktiming_give(part, a);
    linktiming_give(part, NULL);
    g_assert_null(part->link_timings);
    sim_free(sim);
}

/* Thousands of different ones are found again. */
static void test_many(void)
{
    enum { N = 5000 };
    Sim *sim = sim_new(1);
    Partition *part = sim_partition(sim, 0);
    static LinkTiming *t[N];

    for (unsigned i = 0; i < N; i++)
        t[i] = linktiming_take(part, 1000 * (i + 1), i, 24, 12);
    for (unsigned i = 0; i < N; i++)
        g_assert_true(linktiming_take(part, 1000 * (i + 1), i, 24, 12) == t[i]);
    for (unsigned i = 0; i < N; i++) {
        linktiming_give(part, t[i]);
        linktiming_give(part, t[i]);
    }
    g_assert_null(part->link_timings);
    sim_free(sim);
}

/* 1476 + 24 bytes are 12 000 bits: 12 µs at 1 Gbit/s; at 7 Gbit/s 1714 2/7 ns. The gap's 12 bytes are 96 ns,
 * and 13 5/7. Lengths by turns, more of them than are remembered, do not disturb each other. */
static void test_times(void)
{
    Sim *sim = sim_new(1);
    Partition *part = sim_partition(sim, 0);
    LinkTiming *one = linktiming_take(part, GBIT, 0, 24, 12),
               *seven = linktiming_take(part, 7 * GBIT, 0, 24, 12),
               *infinite = linktiming_take(part, 0, 0, 24, 12);

    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(linktiming_frame(one, 1476)->ns, ==, 12000);
        g_assert_cmpuint(linktiming_frame(one, 1476)->frac, ==, 0);
        g_assert_cmpint(linktiming_frame(seven, 1476)->ns, ==, 1714);
        g_assert_cmpuint(linktiming_frame(seven, 1476)->frac, ==, 2 * GBIT);
        for (uint32_t len = 60; len < 100; len++)
            g_assert_cmpint(linktiming_frame(one, len)->ns, ==, (len + 24) * 8);
    }
    g_assert_cmpint(one->gap.ns, ==, 96);
    g_assert_cmpint(seven->gap.ns, ==, 13);
    g_assert_cmpuint(seven->gap.frac, ==, 5 * GBIT);
    g_assert_cmpint(infinite->gap.ns, ==, 0);
    linktiming_give(part, one);
    linktiming_give(part, seven);
    linktiming_give(part, infinite);
    sim_free(sim);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/timing/shared", test_shared);
    g_test_add_func("/link/timing/many", test_many);
    g_test_add_func("/link/timing/times", test_times);
    return g_test_run();
}
