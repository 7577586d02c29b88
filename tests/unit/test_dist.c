/* Each distribution: first values of a fixed stream bit by bit, number of draws, and its moments or quantiles
 * over 200,000 draws. A bound is five standard errors of the estimate (a true sampler fails one seed in 1.7
 * million; the seed is fixed, so the test is not flaky). */
#include "sim/base/dist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>

#define DRAWS 200000

static uint64_t bits_of(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof(u));
    return u;
}

static void assert_share(int hits, double p)
{
    g_assert_cmpfloat(fabs((double)hits / DRAWS - p), <, 5 * sqrt(p * (1 - p) / DRAWS));
}

/* rng took n draws since before. */
static void assert_drew(const Rng *before, const Rng *rng, int n)
{
    Rng copy = *before;

    while (n-- > 0)
        (void)rng_next(&copy);
    g_assert_cmphex(rng_hash(&copy), ==, rng_hash(rng));
}

static void test_golden(void)
{
    static const uint64_t golden[] = {
        0x3fcbff3d2a809520, 0x3ffdca29748759f3, 0x4022bc29afcb6fcc, 0x40a03040bdef8c86, 57814,  535108,
        0xbfd90534a40dd9c0, 0x3ff634f693dd4456, 0x40289d299af53920, 0x40982778785e240e, 193,    1322080,
        0x3ff10fcd8eedb352, 0x3fb22ed7e2becd18, 0x4021b9875cba227d, 0x40942c8efb246ce0, 248506, 755999,
        0xbfbb3537cbe3eba0, 0x3fec0ffb650b5014, 0x402302f6ddd08173, 0x40a7472ad2052129, 96,     520909};
    uint64_t got[HS_ARRAY_LEN(golden)];
    size_t n = 0;
    DistZipf zipf;
    Rng rng;

    g_assert_true(dist_zipf_init(&zipf, 1000000, 1.1));
    rng_init(&rng, 1, "test", "dist golden");
    for (int i = 0; i < 4; i++) {
        got[n++] = bits_of(dist_uniform(&rng, -1, 3));
        got[n++] = bits_of(dist_exponential(&rng, 2));
        got[n++] = bits_of(dist_normal(&rng, 10, 3));
        got[n++] = bits_of(dist_pareto(&rng, 1.2, 1000));
        got[n++] = dist_zipf_next(&zipf, &rng);
        got[n++] = (uint64_t)dist_exponential_ns(&rng, SIM_MS);
    }
    g_assert_cmpuint(n, ==, HS_ARRAY_LEN(golden));
    for (size_t i = 0; i < n; i++) {
        g_test_message("0x%016" G_GINT64_MODIFIER "x,", got[i]);
        g_assert_cmphex(got[i], ==, golden[i]);
    }
}

static void test_uniform(void)
{
    double sum = 0;
    Rng rng, before;

    rng_init(&rng, 1, "test", "uniform");
    before = rng;
    for (int i = 0; i < DRAWS; i++) {
        double x = dist_uniform(&rng, 5, 9);
        g_assert_true(x >= 5 && x < 9);
        sum += x;
    }
    assert_drew(&before, &rng, DRAWS);
    g_assert_cmpfloat(fabs(sum / DRAWS - 7), <, 5 * 4 / sqrt(12.0 * DRAWS));
    g_assert_cmpfloat(dist_uniform(&rng, 3, 3), ==, 3);
    /* An interval of one step: never its upper end. */
    for (int i = 0; i < 100; i++)
        g_assert_cmpfloat(dist_uniform(&rng, 1, 0x1.0000000000001p0), ==, 1);
    for (int i = 0; i < 100; i++) {
        SimTime t = dist_uniform_ns(&rng, -3, 3);
        g_assert_true(t >= -3 && t <= 3);
    }
}

static void test_exponential(void)
{
    double sum = 0, sum2 = 0;
    int above_mean = 0, above_3 = 0;
    Rng rng, before;

    rng_init(&rng, 1, "test", "exponential");
    before = rng;
    for (int i = 0; i < DRAWS; i++) {
        double x = dist_exponential(&rng, 2);
        g_assert_true(x >= 0 && x < 2 * 36.8);
        sum += x;
        sum2 += x * x;
        above_mean += x > 2;
        above_3 += x > 6;
    }
    assert_drew(&before, &rng, DRAWS);
    /* Mean 2, deviation 2; second moment 8, its variance 24 * 16 - 64 = 320. */
    g_assert_cmpfloat(fabs(sum / DRAWS - 2), <, 5 * 2 / sqrt(DRAWS));
    g_assert_cmpfloat(fabs(sum2 / DRAWS - 8), <, 5 * sqrt(320.0 / DRAWS));
    assert_share(above_mean, exp(-1));
    assert_share(above_3, exp(-3));
}

static void test_normal(void)
{
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
    int below[3] = {0};
    Rng rng, before;

    rng_init(&rng, 1, "test", "normal");
    before = rng;
    for (int i = 0; i < DRAWS; i++) {
        double z = (dist_normal(&rng, 10, 3) - 10) / 3;
        m1 += z;
        m2 += z * z;
        m3 += z * z * z;
        m4 += z * z * z * z;
        below[0] += z < -1;
        below[1] += z < 0.5;
        below[2] += z > 3;
    }
    assert_drew(&before, &rng, 2 * DRAWS);
    /* Moments 0, 1, 0, 3 with variances 1, 2, 15, 96. */
    g_assert_cmpfloat(fabs(m1 / DRAWS), <, 5 * sqrt(1.0 / DRAWS));
    g_assert_cmpfloat(fabs(m2 / DRAWS - 1), <, 5 * sqrt(2.0 / DRAWS));
    g_assert_cmpfloat(fabs(m3 / DRAWS), <, 5 * sqrt(15.0 / DRAWS));
    g_assert_cmpfloat(fabs(m4 / DRAWS - 3), <, 5 * sqrt(96.0 / DRAWS));
    assert_share(below[0], erfc(1 / sqrt(2)) / 2);
    assert_share(below[1], 1 - erfc(0.5 / sqrt(2)) / 2);
    assert_share(below[2], erfc(3 / sqrt(2)) / 2);
}

static void test_pareto(void)
{
    static const double quantiles[] = {0.1, 0.5, 0.9, 0.999};
    int above[4] = {0};
    double sum = 0;
    Rng rng, before;

    rng_init(&rng, 1, "test", "pareto");
    before = rng;
    for (int i = 0; i < DRAWS; i++) {
        double x = dist_pareto(&rng, 1.2, 1000);
        g_assert_true(x >= 1000 && isfinite(x));
        for (int q = 0; q < 4; q++)
            above[q] += x > 1000 * pow(1 - quantiles[q], -1 / 1.2);
    }
    assert_drew(&before, &rng, DRAWS);
    for (int q = 0; q < 4; q++)
        assert_share(above[q], 1 - quantiles[q]);
    /* Shape 5 has a mean, 5/4 of the scale, and a variance, 5/48. */
    for (int i = 0; i < DRAWS; i++)
        sum += dist_pareto(&rng, 5, 1);
    g_assert_cmpfloat(fabs(sum / DRAWS - 1.25), <, 5 * sqrt(5.0 / 48 / DRAWS));
    /* So heavy a tail that it leaves 64 bits: cut, never negative. */
    for (int i = 0; i < 1000; i++) {
        SimTime t = dist_pareto_ns(&rng, 0.01, SIM_SEC);
        g_assert_true(t >= SIM_SEC && t <= DIST_MAX_NS);
    }
}

static void test_ns(void)
{
    double exponential = 0, normal = 0;
    Rng rng;

    rng_init(&rng, 1, "test", "ns");
    for (int i = 0; i < DRAWS; i++) {
        exponential += (double)dist_exponential_ns(&rng, 20 * SIM_MS);
        normal += (double)dist_normal_ns(&rng, -SIM_MS, 100 * SIM_US);
    }
    g_assert_cmpfloat(fabs(exponential / DRAWS - 2e7), <, 5 * 2e7 / sqrt(DRAWS));
    g_assert_cmpfloat(fabs(normal / DRAWS + 1e6), <, 5 * 1e5 / sqrt(DRAWS));
    g_assert_cmpint(dist_exponential_ns(&rng, 0), ==, 0);
    g_assert_cmpint(dist_normal_ns(&rng, 5, 0), ==, 5);
    g_assert_cmpint(dist_normal_ns(&rng, -5, 0), ==, -5);
    g_assert_cmpint(dist_normal_ns(&rng, INT64_MAX, 0), ==, DIST_MAX_NS);
    g_assert_cmpint(dist_normal_ns(&rng, INT64_MIN, 0), ==, -DIST_MAX_NS);
}

/* Every rank's share against k^-s / sum, over flat, common, harmonic, near-harmonic and steep exponents. */
static void test_zipf(void)
{
    static const double exponents[] = {0, 0.5, 0.99, 1, 1.0000001, 1.5, 3};
    enum { N = 50 };

    for (size_t e = 0; e < HS_ARRAY_LEN(exponents); e++) {
        int count[N + 1] = {0};
        double total = 0, chi2 = 0;
        int bins = 0;
        DistZipf zipf;
        Rng rng;

        g_assert_true(dist_zipf_init(&zipf, N, exponents[e]));
        rng_init(&rng, 1, "test", "zipf");
        for (int i = 0; i < DRAWS; i++) {
            uint64_t k = dist_zipf_next(&zipf, &rng);
            g_assert_true(k >= 1 && k <= N);
            count[k]++;
        }
        for (int k = 1; k <= N; k++)
            total += pow(k, -exponents[e]);
        for (int k = 1; k <= N; k++) {
            double want = DRAWS * pow(k, -exponents[e]) / total;
            if (want >= 10) {
                chi2 += pow(count[k] - want, 2) / want;
                bins++;
            }
        }
        /* Chi-squared has mean = degrees of freedom and variance twice that: five deviations. */
        g_assert_cmpfloat(chi2, <, bins + 5 * sqrt(2.0 * bins));
    }
}

static void test_zipf_edges(void)
{
    DistZipf zipf = {.n = 77};
    Rng rng, before;

    rng_init(&rng, 1, "test", "zipf edges");
    g_assert_false(dist_zipf_init(&zipf, 0, 1));
    g_assert_false(dist_zipf_init(&zipf, 10, -0.1));
    g_assert_false(dist_zipf_init(&zipf, 10, NAN));
    g_assert_false(dist_zipf_init(&zipf, 10, 1001));
    g_assert_false(dist_zipf_init(&zipf, (1ULL << 50) + 1, 1));
    g_assert_cmpuint(zipf.n, ==, 77);

    g_assert_true(dist_zipf_init(&zipf, 1, 1));
    for (int i = 0; i < 1000; i++)
        g_assert_cmpuint(dist_zipf_next(&zipf, &rng), ==, 1);
    g_assert_true(dist_zipf_init(&zipf, 1000, 1000));
    for (int i = 0; i < 1000; i++)
        g_assert_cmpuint(dist_zipf_next(&zipf, &rng), ==, 1); /* rank 2 has 2^-1000 */
    g_assert_true(dist_zipf_init(&zipf, 1ULL << 50, 0));
    for (int i = 0; i < 1000; i++)
        g_assert_cmpuint(dist_zipf_next(&zipf, &rng), <=, 1ULL << 50);
    g_assert_true(dist_zipf_init(&zipf, 2, 1));
    int ones = 0;
    for (int i = 0; i < DRAWS; i++)
        ones += dist_zipf_next(&zipf, &rng) == 1;
    assert_share(ones, 2.0 / 3);

    /* Rejection is rare: the header promises 1.3 draws on average at most. */
    static const double exponents[] = {0, 0.5, 1, 1.2, 2, 5};
    for (size_t e = 0; e < HS_ARRAY_LEN(exponents); e++) {
        g_assert_true(dist_zipf_init(&zipf, 1000, exponents[e]));
        before = rng;
        for (int i = 0; i < 10000; i++)
            (void)dist_zipf_next(&zipf, &rng);
        uint64_t target = rng_hash(&rng);
        int draws = 0;
        for (; rng_hash(&before) != target; draws++)
            (void)rng_next(&before);
        g_test_message("exponent %g: %.3f draws", exponents[e], draws / 10000.0);
        g_assert_cmpint(draws, <=, 13000);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/dist/golden", test_golden);
    g_test_add_func("/base/dist/uniform", test_uniform);
    g_test_add_func("/base/dist/exponential", test_exponential);
    g_test_add_func("/base/dist/normal", test_normal);
    g_test_add_func("/base/dist/pareto", test_pareto);
    g_test_add_func("/base/dist/ns", test_ns);
    g_test_add_func("/base/dist/zipf", test_zipf);
    g_test_add_func("/base/dist/zipf-edges", test_zipf_edges);
    return g_test_run();
}
