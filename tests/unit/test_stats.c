/* Statistics against published tables and worked examples. */
#include "view/stats.h"

#include <glib.h>
#include <math.h>

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        g_error("got %.17g, expected %.17g within %g", got, want, tolerance);
}

/* Critical values of Student's t as textbooks print them, to three decimals. */
static void test_student_table(void)
{
    static const struct {
        unsigned df;
        double at_90, at_95, at_975, at_99, at_995, at_999;
    } rows[] = {
        {1, 3.078, 6.314, 12.706, 31.821, 63.657, 318.309}, {2, 1.886, 2.920, 4.303, 6.965, 9.925, 22.327},
        {3, 1.638, 2.353, 3.182, 4.541, 5.841, 10.215},     {4, 1.533, 2.132, 2.776, 3.747, 4.604, 7.173},
        {5, 1.476, 2.015, 2.571, 3.365, 4.032, 5.893},      {9, 1.383, 1.833, 2.262, 2.821, 3.250, 4.297},
        {10, 1.372, 1.812, 2.228, 2.764, 3.169, 4.144},     {19, 1.328, 1.729, 2.093, 2.539, 2.861, 3.579},
        {29, 1.311, 1.699, 2.045, 2.462, 2.756, 3.396},     {30, 1.310, 1.697, 2.042, 2.457, 2.750, 3.385},
        {60, 1.296, 1.671, 2.000, 2.390, 2.660, 3.232},     {100, 1.290, 1.660, 1.984, 2.364, 2.626, 3.174},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned df = rows[i].df;

        assert_near(stats_student_quantile(0.90, df), rows[i].at_90, 0.00051);
        assert_near(stats_student_quantile(0.95, df), rows[i].at_95, 0.00051);
        assert_near(stats_student_quantile(0.975, df), rows[i].at_975, 0.00051);
        assert_near(stats_student_quantile(0.99, df), rows[i].at_99, 0.00051);
        assert_near(stats_student_quantile(0.995, df), rows[i].at_995, 0.00051);
        assert_near(stats_student_quantile(0.999, df), rows[i].at_999, 0.00051);
    }
}

/* Where there is a closed form: tan(pi (p - 1/2)) for 1, sqrt(2) (2p - 1) / sqrt(1 - (2p - 1)^2) for 2; and
 * the normal distribution's 1.959963984540054 for very many. */
static void test_student_closed_forms(void)
{
    static const double ps[] = {0.55, 0.75, 0.9, 0.975, 0.9995};

    for (unsigned i = 0; i < G_N_ELEMENTS(ps); i++) {
        double p = ps[i], u = 2 * p - 1, one = tan(G_PI * (p - 0.5)), two = u * sqrt(2 / (1 - u * u));

        assert_near(stats_student_quantile(p, 1), one, 1e-10 * one);
        assert_near(stats_student_quantile(p, 2), two, 1e-10 * two);
        assert_near(stats_student_quantile(1 - p, 2), -two, 1e-10 * two);
    }
    g_assert_cmpfloat(stats_student_quantile(0.5, 7), ==, 0);
    assert_near(stats_student_quantile(0.975, 1000000), 1.959963984540054, 3e-6);
    assert_near(stats_student_quantile(0.975, 4000000000u), 1.959963984540054, 3e-6);
    for (unsigned df = 1; df < 200; df += 7)
        assert_near(stats_student_cdf(stats_student_quantile(0.975, df), df), 0.975, 1e-13);
    assert_near(stats_student_cdf(-1, 1), 0.25, 1e-14); /* the quartiles of Cauchy's distribution are -1, 1 */
}

/* Cushny and Peebles's hours of sleep, differences, as in "Student", The probable error of a mean, 1908 (and
 * R's data set sleep): mean 1.58, and R's t.test gives 0.7001142 to 2.4598858. */
static void test_student_1908(void)
{
    static const double hours[] = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
    StatsSummary s;

    stats_summarize(hours, 10, &s);
    assert_near(s.mean, 1.58, 1e-12);
    assert_near(s.sd, 1.229995, 5e-7);
    assert_near(s.low, 0.7001142, 5e-8);
    assert_near(s.high, 2.4598858, 5e-8);
    assert_near(s.median, 1.3, 1e-12);
    g_assert_cmpfloat(s.min, ==, 0.0);
    g_assert_cmpfloat(s.max, ==, 4.6);
    assert_near(s.p5, 0.36, 1e-12);  /* R: quantile(x, 0.05): position 0.45 between 0.0 and 0.8 */
    assert_near(s.p25, 1.05, 1e-12); /* R's summary(): 1st Qu. 1.05, 3rd Qu. 1.7 */
    assert_near(s.p75, 1.7, 1e-12);
    assert_near(s.p95, 3.61, 1e-12);
}

/* NIST's certified values for univariate statistics, data set NumAcc1 (10000001, 10000003, 10000002): naive
 * sums of squares lose the standard deviation. */
static void test_accuracy(void)
{
    static const double v[] = {10000001, 10000003, 10000002};
    StatsSummary s;

    stats_summarize(v, 3, &s);
    g_assert_cmpfloat(s.mean, ==, 10000002);
    g_assert_cmpfloat(s.sd, ==, 1);
}

static void test_few(void)
{
    StatsSummary s;

    stats_summarize(NULL, 0, &s);
    g_assert_cmpuint(s.n, ==, 0);
    stats_summarize((const double[]){7}, 1, &s);
    g_assert_cmpfloat(s.mean, ==, 7);
    g_assert_cmpfloat(s.median, ==, 7);
    g_assert_cmpfloat(s.p95, ==, 7);
}

static void test_batches(void)
{
    static const double v[] = {100, 1, 3, 5, 7, 9, 11};
    double means[8];

    g_assert_cmpuint(stats_batch_means(v, 7, 3, means), ==, 3); /* the first sample is left out */
    g_assert_cmpfloat(means[0], ==, 2);
    g_assert_cmpfloat(means[1], ==, 6);
    g_assert_cmpfloat(means[2], ==, 10);
    g_assert_cmpuint(stats_batch_means(v, 2, 8, means), ==, 2);
    g_assert_cmpfloat(means[0], ==, 100);
}

/* 1, 2, 3, 4, 5: deviations -2 … 2, neighbours' products 2 + 0 + 0 + 2, squares 10; R: acf(1:5)$acf[2] = 0.4.
 * An alternating series of ten: nine products of -1, ten squares. */
static void test_neighbours(void)
{
    double products = 0, squares = 0, turns[10];

    stats_add_neighbours((const double[]){1, 2, 3, 4, 5}, 5, &products, &squares);
    assert_near(products, 4, 1e-12);
    assert_near(squares, 10, 1e-12);
    stats_add_neighbours((const double[]){7}, 1, &products, &squares);
    assert_near(products / squares, 0.4, 1e-12);
    products = squares = 0;
    for (unsigned i = 0; i < 10; i++)
        turns[i] = i % 2 ? -1 : 1;
    stats_add_neighbours(turns, 10, &products, &squares);
    assert_near(products / squares, -0.9, 1e-12);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/stats/student-table", test_student_table);
    g_test_add_func("/view/stats/student-closed-forms", test_student_closed_forms);
    g_test_add_func("/view/stats/student-1908", test_student_1908);
    g_test_add_func("/view/stats/accuracy", test_accuracy);
    g_test_add_func("/view/stats/few", test_few);
    g_test_add_func("/view/stats/batches", test_batches);
    g_test_add_func("/view/stats/neighbours", test_neighbours);
    return g_test_run();
}
