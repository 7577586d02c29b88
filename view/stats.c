/* Student's t comes from the incomplete beta function, and that from its continued fraction (Abramowitz and
 * Stegun 26.7.1 and 26.5.8, evaluated by Lentz's method); for whole degrees of freedom the gamma functions
 * become products. The quantile is found by bisection. Good for at least twelve digits. */
#include "view/stats.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/exactmath.h"

#define PI 3.14159265358979323846
/* From here on Student's t is the normal distribution in all digits that a table shows. */
#define DF_MAX 1000000u

/* ---- Student's t ---- */

/* Gamma((df + 1) / 2) / Gamma(df / 2) / sqrt(pi), by Gamma(x + 1) = x Gamma(x). */
static double gamma_ratio(unsigned df)
{
    double ratio = df % 2 ? 1 / PI : 0.5;

    for (unsigned i = df % 2 ? 1 : 2; i < df; i += 2)
        ratio *= (double)(i + 1) / (double)i;
    return ratio;
}

static double not_zero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* The fraction of A&S 26.5.8 for I_x(a, b); converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), f = d;

    for (unsigned m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step;

        d = 1 / not_zero(1 + even * d);
        c = not_zero(1 + even / c);
        f *= c * d;
        d = 1 / not_zero(1 + odd * d);
        c = not_zero(1 + odd / c);
        step = c * d;
        f *= step;
        if (fabs(step - 1) < 1e-16)
            break;
    }
    return f;
}

/* The probability beyond t >= 0. */
static double upper_tail(double t, unsigned df)
{
    double nu = df, sum = nu + t * t;
    double x = nu / sum, y = t * t / sum;
    /* x^(nu/2) y^(1/2) / B(nu/2, 1/2); 1 / B is gamma_ratio. The log of x keeps its digits near 1. */
    double front = exactmath_exp(nu / 2 * (y < 0.5 ? exactmath_log1p(-y) : exactmath_log(x))) * sqrt(y) *
                   gamma_ratio(df);

    if (x < (nu / 2 + 1) / (nu / 2 + 0.5 + 2))
        return 0.5 * front * beta_fraction(nu / 2, 0.5, x) / (nu / 2);
    return 0.5 * (1 - front * beta_fraction(0.5, nu / 2, y) / 0.5);
}

double stats_student_cdf(double t, unsigned df)
{
    hs_assert(df > 0);
    df = HS_MIN(df, DF_MAX);
    return t < 0 ? upper_tail(-t, df) : 1 - upper_tail(t, df);
}

double stats_student_quantile(double p, unsigned df)
{
    double low = 0, high = 1, tail = p < 0.5 ? p : 1 - p;

    hs_assert(p > 0 && p < 1 && df > 0);
    df = HS_MIN(df, DF_MAX);
    while (upper_tail(high, df) > tail)
        high *= 2;
    for (;;) {
        double middle = low + (high - low) / 2;

        if (middle <= low || middle >= high)
            break;
        if (upper_tail(middle, df) > tail)
            low = middle;
        else
            high = middle;
    }
    return p < 0.5 ? -high : p > 0.5 ? high : 0;
}

/* ---- samples ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double stats_quantile(const double *sorted, unsigned n, double p)
{
    double at = p * (double)(n - 1);
    unsigned i = (unsigned)at;

    hs_assert(n > 0 && p >= 0 && p <= 1);
    if (i + 1 >= n)
        return sorted[n - 1];
    return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

void stats_summarize(const double *values, unsigned n, StatsSummary *out)
{
    double *sorted, sum = 0, squares = 0, half;

    *out = (StatsSummary){.n = n};
    if (n == 0)
        return;
    for (unsigned i = 0; i < n; i++)
        sum += values[i];
    out->mean = sum / n;
    for (unsigned i = 0; i < n; i++)
        squares += (values[i] - out->mean) * (values[i] - out->mean);
    sorted = g_new(double, n);
    memcpy(sorted, values, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare);
    out->min = sorted[0];
    out->max = sorted[n - 1];
    out->median = stats_quantile(sorted, n, 0.5);
    out->p5 = stats_quantile(sorted, n, 0.05);
    out->p25 = stats_quantile(sorted, n, 0.25);
    out->p75 = stats_quantile(sorted, n, 0.75);
    out->p95 = stats_quantile(sorted, n, 0.95);
    g_free(sorted);
    if (out->min == out->max)
        out->mean = out->min; /* the sum may have been rounded */
    if (n == 1)
        return;
    out->sd = out->min == out->max ? 0 : sqrt(squares / (n - 1));
    half = stats_student_quantile(0.975, n - 1) * out->sd / sqrt(n);
    out->low = out->mean - half;
    out->high = out->mean + half;
}

void stats_add_neighbours(const double *values, unsigned n, double *products, double *squares)
{
    double sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += values[i];
    for (unsigned i = 0; i < n; i++) {
        double d = values[i] - sum / n;

        *squares += d * d;
        if (i + 1 < n)
            *products += d * (values[i + 1] - sum / n);
    }
}

unsigned stats_batch_means(const double *samples, unsigned n, unsigned k, double *means)
{
    unsigned len, first;

    hs_assert(n > 0 && k > 0);
    k = HS_MIN(k, n);
    len = n / k;
    first = n - k * len;
    for (unsigned i = 0; i < k; i++) {
        double sum = 0;

        for (unsigned j = 0; j < len; j++)
            sum += samples[first + i * len + j];
        means[i] = sum / len;
    }
    return k;
}
