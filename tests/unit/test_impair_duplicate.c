#include "tests/unit/test_impair_helper.h"
#include "tests/unit/test_link_helper.h"

/* 5 % of 100000: 5000, and 4.5 standard deviations are 310. */
static void test_ratio(void)
{
    unsigned copies = 0;
    ImpairVerdict v;
    Rng rng, start;
    Impair *im = impair_make("duplicate", (ImpairValue[]){RATIO(0.05), UNSET, UNSET}, &rng);

    start = rng;
    for (unsigned k = 1; k <= 500; k++) {
        impair_ask(im, k, 1000, &v);
        g_assert_cmpint(v.drop, ==, DROP_NONE);
    }
    g_assert_cmpuint(rng_distance(start, &rng), ==, 500);
    for (unsigned k = 1; k <= 100000; k++) {
        impair_ask(im, k, 1000, &v);
        copies += v.copies;
    }
    g_assert_cmpuint(copies, >, 5000 - 310);
    g_assert_cmpuint(copies, <, 5000 + 310);
    impair_free(im);
}

/* The frame itself first and in time; copies a gap apart, passed by the frames in between. */
static void test_gap(void)
{
    Bed b;

    bed_start(&b, 0, 10 * SIM_MS);
    bed_impair(&b, impair_ops_by_name("duplicate"), (ImpairValue[]){RATIO(1), NUMBER(2), NUMBER(3 * SIM_MS)});
    bed_send(&b, 60);
    bed_run(&b, SIM_MS);
    bed_send(&b, 60);
    bed_run(&b, SIM_NEVER);
    bed_expect(&b, 0, 1, 10 * SIM_MS);
    bed_expect(&b, 1, 2, 11 * SIM_MS);
    bed_expect(&b, 2, 1, 13 * SIM_MS);
    bed_expect(&b, 3, 2, 14 * SIM_MS);
    bed_expect(&b, 4, 1, 16 * SIM_MS);
    bed_expect(&b, 5, 2, 17 * SIM_MS);
    bed_end(&b);
}

static void test_errors(void)
{
    impair_refuses("duplicate", (ImpairValue[]){UNSET, UNSET, UNSET},
                   "duplicate: the probability is missing (expected probability = 0 to 1)");
    impair_refuses("duplicate", (ImpairValue[]){RATIO(0.1), NUMBER(0), UNSET},
                   "duplicate: copies = 0 is out of range (expected 1 to 1000)");
    impair_refuses("duplicate", (ImpairValue[]){RATIO(0.1), UNSET, NUMBER(-1)},
                   "duplicate: gap = -1 is negative");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/impair/duplicate/ratio", test_ratio);
    g_test_add_func("/link/impair/duplicate/gap", test_gap);
    g_test_add_func("/link/impair/duplicate/errors", test_errors);
    return g_test_run();
}
