#include "tests/unit/test_impair_helper.h"
#include "tests/unit/test_link_helper.h"

/* Each third frame is 2.5 ms late; one comes every millisecond: 3 arrives between 5 and 6. */
static void test_every(void)
{
    static const unsigned order[] = {1, 2, 4, 5, 3, 7, 8, 6, 9};
    Bed b;

    bed_start(&b, 0, 10 * SIM_MS);
    bed_impair(&b, impair_ops_by_name("reorder"), (ImpairValue[]){UNSET, NUMBER(3), NUMBER(2500 * SIM_US)});
    for (int i = 1; i <= 9; i++) {
        bed_run(&b, i * SIM_MS);
        bed_send(&b, 60);
    }
    bed_run(&b, SIM_NEVER);
    for (unsigned i = 0; i < 9; i++)
        bed_expect(&b, i, order[i], 10 * SIM_MS + order[i] * SIM_MS + (order[i] % 3 ? 0 : 2500 * SIM_US));
    bed_end(&b);
}

/* 25 % of every second of 100000: 12500, and 4.5 standard deviations are 436. One draw for each frame. */
static void test_probability(void)
{
    unsigned late = 0;
    ImpairVerdict v;
    Rng rng, start;
    Impair *im = impair_make("reorder", (ImpairValue[]){RATIO(0.25), NUMBER(2), NUMBER(SIM_MS)}, &rng);

    start = rng;
    for (unsigned k = 1; k <= 500; k++)
        impair_ask(im, k, 1000, &v);
    g_assert_cmpuint(rng_distance(start, &rng), ==, 500);
    for (unsigned k = 1; k <= 100000; k++) {
        impair_ask(im, k, 1000, &v);
        g_assert_cmpint(v.delay, ==, v.may_overtake ? SIM_MS : 0);
        g_assert_false(v.may_overtake && k % 2);
        late += v.may_overtake;
    }
    g_assert_cmpuint(late, >, 12500 - 436);
    g_assert_cmpuint(late, <, 12500 + 436);
    impair_free(im);
}

static void test_errors(void)
{
    impair_refuses("reorder", (ImpairValue[]){UNSET, UNSET, NUMBER(1)},
                   "reorder: expected a probability, or every = n for each n-th frame, or both");
    impair_refuses("reorder", (ImpairValue[]){UNSET, NUMBER(0), NUMBER(1)},
                   "reorder: every = 0 makes no sense (expected 1 or more)");
    impair_refuses("reorder", (ImpairValue[]){RATIO(0.5), UNSET, UNSET},
                   "reorder: the delay is missing (expected how much later the chosen frames arrive)");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/impair/reorder/every", test_every);
    g_test_add_func("/link/impair/reorder/probability", test_probability);
    g_test_add_func("/link/impair/reorder/errors", test_errors);
    return g_test_run();
}
