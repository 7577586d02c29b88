#include "tests/unit/test_impair_helper.h"

#include <math.h>

/* n Bernoulli trials: 4.5 standard deviations of sqrt(n p (1 - p)) are passed once in 150 000 seeds. */
static void test_ratio(void)
{
    static const double ratios[] = {0.001, 0.1, 0.5, 0.97};
    const unsigned n = 200000;

    for (size_t i = 0; i < HS_ARRAY_LEN(ratios); i++) {
        double p = ratios[i], slack = 4.5 * sqrt(n * p * (1 - p));
        unsigned lost = 0, pairs = 0, before = 0;
        ImpairVerdict v;
        Rng rng;
        Impair *im = impair_make("bernoulli", (ImpairValue[]){RATIO(p)}, &rng);

        for (unsigned k = 1; k <= n; k++) {
            impair_ask(im, k, 1000, &v);
            g_assert_true(v.drop == DROP_NONE || v.drop == DROP_LOSS);
            lost += v.drop != DROP_NONE;
            pairs += before && v.drop != DROP_NONE;
            before = v.drop != DROP_NONE;
        }
        g_assert_cmpfloat(fabs(lost - n * p), <, slack);
        g_assert_cmpuint(im->hits, ==, lost);
        /* Independent: a loss follows a loss as often as anything else. */
        g_assert_cmpfloat(fabs(pairs - lost * p), <, 4.5 * sqrt(lost * p * (1 - p)) + 1);
        impair_free(im);
    }
}

/* One draw for each frame, whatever the ratio, so that a scenario with another ratio has the same luck. */
static void test_draws(void)
{
    static const double ratios[] = {0, 0.3, 1};

    for (size_t i = 0; i < HS_ARRAY_LEN(ratios); i++) {
        ImpairVerdict v;
        Rng rng, start;
        Impair *im = impair_make("bernoulli", (ImpairValue[]){RATIO(ratios[i])}, &rng);

        start = rng;
        for (unsigned k = 1; k <= 50; k++) {
            impair_ask(im, k, 1000, &v);
            if (ratios[i] == 0 || ratios[i] == 1)
                g_assert_cmpint(v.drop == DROP_LOSS, ==, ratios[i] == 1);
        }
        g_assert_cmpuint(rng_distance(start, &rng), ==, 50);
        impair_free(im);
    }
}

static void test_errors(void)
{
    impair_refuses("bernoulli", (ImpairValue[]){UNSET},
                   "bernoulli: the loss ratio is missing (expected loss = 0 to 1)");
    impair_refuses("bernoulli", (ImpairValue[]){RATIO(1.5)},
                   "bernoulli: loss = 1.5 is out of range (expected 0 to 1)");
    impair_refuses("bernoulli", (ImpairValue[]){RATIO(NAN)},
                   "bernoulli: loss = nan is out of range (expected 0 to 1)");
    g_assert_null(impair_ops_by_name("bernouilli"));
}

/* The table is sorted, complete and closed. */
static void test_table(void)
{
    unsigned n = 0;

    for (; impair_ops_table[n]; n++) {
        g_assert_true(impair_ops_by_name(impair_ops_table[n]->name) == impair_ops_table[n]);
        g_assert_cmpuint(impair_ops_table[n]->size, >=, sizeof(Impair));
        g_assert_nonnull(impair_ops_table[n]->help);
        if (n)
            g_assert_cmpstr(impair_ops_table[n - 1]->name, <, impair_ops_table[n]->name);
    }
    g_assert_cmpuint(n, ==, impair_ops_table_len);
    g_assert_cmpuint(n, ==, 6);
    impair_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/impair/bernoulli/ratio", test_ratio);
    g_test_add_func("/link/impair/bernoulli/draws", test_draws);
    g_test_add_func("/link/impair/bernoulli/errors", test_errors);
    g_test_add_func("/link/impair/table", test_table);
    return g_test_run();
}
