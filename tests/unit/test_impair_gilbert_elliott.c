#include "tests/unit/test_impair_helper.h"

#include <math.h>

typedef struct Seen {
    unsigned lost, bursts, in_good;
} Seen;

static Seen watch(const ImpairValue *values, unsigned n)
{
    Seen s = {0};
    bool before = false;
    ImpairVerdict v;
    Rng rng;
    Impair *im = impair_make("gilbert_elliott", values, &rng);

    for (unsigned k = 1; k <= n; k++) {
        impair_ask(im, k, 1000, &v);
        s.lost += v.drop != DROP_NONE;
        s.in_good += v.drop == DROP_LOSS;
        s.bursts += v.drop != DROP_NONE && !before;
        before = v.drop != DROP_NONE;
    }
    impair_free(im);
    return s;
}

/* p = 0.01, r = 0.2, all lost in bad: the share of bad is p / (p + r) = 1/21, bursts are 1 / r = 5 frames
 * long on average. Over 10^6 frames there are n p r / (p + r) = 9524 bursts, geometric with deviation
 * sqrt(0.8) / 0.2 = 4.47: their mean is known to 4.47 / sqrt(9524) = 0.046, the loss to about 0.047 * sqrt(2
 * * 0.95 / (9524)) = 1.4 %. 4.5 of these each. */
static void test_p_r(void)
{
    const unsigned n = 1000000;
    Seen s = watch((ImpairValue[]){RATIO(0.01), RATIO(0.2), UNSET, UNSET, UNSET, UNSET}, n);

    g_assert_cmpfloat(fabs((double)s.lost / s.bursts - 5), <, 4.5 * 0.046);
    g_assert_cmpfloat(fabs((double)s.lost / n * 21 - 1), <, 4.5 * 0.014);
    g_assert_cmpuint(s.in_good, ==, 0);
}

/* The same chain, said by what it does. */
static void test_loss_burst(void)
{
    const unsigned n = 1000000;
    Seen a = watch((ImpairValue[]){UNSET, UNSET, UNSET, UNSET, RATIO(1.0 / 21), NUMBER(5)}, n);
    Seen b = watch((ImpairValue[]){RATIO(0.01), RATIO(0.2), UNSET, UNSET, UNSET, UNSET}, n);

    g_assert_cmpuint(a.lost, ==, b.lost);
    g_assert_cmpuint(a.bursts, ==, b.bursts);
}

/* Loss in both states: 0.9 of 1/21 + 0.02 of 20/21. */
static void test_loss_in_states(void)
{
    const unsigned n = 1000000;
    Seen s = watch((ImpairValue[]){RATIO(0.01), RATIO(0.2), RATIO(0.02), RATIO(0.9), UNSET, UNSET}, n);

    g_assert_cmpfloat(fabs((double)s.lost / n - (0.9 + 20 * 0.02) / 21), <, 0.0035);
    g_assert_cmpfloat(fabs((double)s.in_good / n - 20 * 0.02 / 21), <, 0.0007);
}

/* Exact: p = 1 and r = 1 alternate, from good. Two draws for each frame. */
static void test_alternation(void)
{
    ImpairVerdict v;
    Rng rng, start;
    Impair *im =
        impair_make("gilbert_elliott", (ImpairValue[]){RATIO(1), RATIO(1), UNSET, UNSET, UNSET, UNSET}, &rng);

    start = rng;
    for (unsigned k = 1; k <= 20; k++) {
        impair_ask(im, k, 1000, &v);
        g_assert_cmpint(v.drop, ==, k % 2 ? DROP_NONE : DROP_LOSS_BURST);
    }
    g_assert_cmpuint(rng_distance(start, &rng), ==, 40);
    impair_free(im);
}

static void test_errors(void)
{
    impair_refuses("gilbert_elliott", (ImpairValue[]){RATIO(0.1), UNSET, UNSET, UNSET, UNSET, UNSET},
                   "gilbert_elliott: expected either r (bad to good) or burst (the mean burst in frames)");
    impair_refuses("gilbert_elliott",
                   (ImpairValue[]){RATIO(0.1), RATIO(0.1), UNSET, UNSET, RATIO(0.1), UNSET},
                   "gilbert_elliott: expected either p (good to bad) or loss (the overall ratio)");
    impair_refuses("gilbert_elliott", (ImpairValue[]){RATIO(0.1), UNSET, UNSET, UNSET, UNSET, NUMBER(0)},
                   "gilbert_elliott: burst = 0 makes no sense (expected 1 frame or more)");
    impair_refuses("gilbert_elliott", (ImpairValue[]){UNSET, UNSET, UNSET, UNSET, RATIO(0.9), NUMBER(2)},
                   "gilbert_elliott: loss = 0.9 cannot be reached with loss_good = 0, loss_bad = 1 and "
                   "bursts of 2 frames");
    impair_refuses("gilbert_elliott",
                   (ImpairValue[]){UNSET, UNSET, RATIO(0.5), RATIO(0.5), RATIO(0.5), NUMBER(2)},
                   "gilbert_elliott: loss = 0.5 cannot be reached with loss_good = 0.5, loss_bad = 0.5 and "
                   "bursts of 2 frames");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/impair/gilbert-elliott/p-r", test_p_r);
    g_test_add_func("/link/impair/gilbert-elliott/loss-burst", test_loss_burst);
    g_test_add_func("/link/impair/gilbert-elliott/loss-in-states", test_loss_in_states);
    g_test_add_func("/link/impair/gilbert-elliott/alternation", test_alternation);
    g_test_add_func("/link/impair/gilbert-elliott/errors", test_errors);
    return g_test_run();
}
