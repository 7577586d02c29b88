/* What many numbers say together: mean, spread, quantiles, and a confidence interval of the mean.
 *
 * Everything is computed in the order of the numbers given, with square roots and sim/base/exactmath only, so
 * that a table of statistics is byte-equal on every machine. */
#pragma once

#include "sim/base/base.h"

typedef struct StatsSummary {
    unsigned n;
    double mean, median, p5, p25, p75, p95, min, max; /* if n > 0 */
    double sd;        /* of the sample, with n - 1; if n > 1, as those below */
    double low, high; /* 95 % confidence interval of the mean, with Student's t */
} StatsSummary;

/* All values are finite. */
void stats_summarize(const double *values, unsigned n, StatsSummary *out);

/* The p-quantile, 0 <= p <= 1, of n > 0 values in ascending order: linear between neighbours, the p-quantile
 * of 0, 1, … n - 1 being p (n - 1) (Hyndman and Fan's type 7, the default of R and NumPy). */
double stats_quantile(const double *sorted, unsigned n, double p);

/* Student's t distribution with df > 0 degrees of freedom. */
double stats_student_cdf(double t, unsigned df);
double stats_student_quantile(double p, unsigned df); /* 0 < p < 1 */

/* Adds to *products and *squares the sums of products of neighbours, and of squares, of deviations from the
 * mean: their quotient is the autocorrelation at lag 1, near 0 within 1/sqrt(n) if nothing binds neighbours.
 */
void stats_add_neighbours(const double *values, unsigned n, double *products, double *squares);

/* Batch means: cuts n > 0 successive samples of one run into at most k batches of equal length and writes
 * their means, which are nearly independent if the batches are long. What does not fill a batch is left out
 * at the start, where a run is least typical. Returns how many. */
unsigned stats_batch_means(const double *samples, unsigned n, unsigned k, double *means);
