/* Distributions over the random streams of rng.h, the same bits everywhere (exactmath.h).
 *
 * How many draws each takes is part of its contract, because it decides what a change shifts: uniform,
 * exponential and Pareto take one, normal takes two, Zipf one or more (rejection; 1.0 to 1.3 on average). The
 * _ns forms round to whole nanoseconds and stay within +-DIST_MAX_NS, so that adding one to a time is safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/base.h"
#include "sim/base/rng.h"
#include "sim/base/simtime.h"

#define DIST_MAX_NS (INT64_MAX / 4) /* 73 years */

/* [lo, hi), or lo if both are equal. */
double dist_uniform(Rng *rng, double lo, double hi);

/* By inversion, from a 53-bit uniform: never above 36.8 times the mean. */
double dist_exponential(Rng *rng, double mean);

/* Box and Muller's transform (1958), cosine branch; within 8.58 standard deviations. */
double dist_normal(Rng *rng, double mean, double deviation);

/* Pareto type I: P(X > x) = (scale / x)^shape for x >= scale. Both > 0. The mean is infinite for shape <= 1.
 */
double dist_pareto(Rng *rng, double shape, double scale);

SimTime dist_uniform_ns(Rng *rng, SimTime lo, SimTime hi); /* [lo, hi], both included */
SimTime dist_exponential_ns(Rng *rng, SimTime mean);
SimTime dist_normal_ns(Rng *rng, SimTime mean, SimTime deviation); /* can be negative */
SimTime dist_pareto_ns(Rng *rng, double shape, SimTime scale);

/* Zipf: rank k in 1..n with probability proportional to k^-exponent. No table: n costs neither memory nor
 * time. */
typedef struct DistZipf {
    uint64_t n;
    double exponent;
    double area_first, area_last; /* the hat's integral at the ends, see dist.c */
    double squeeze;
} DistZipf;

/* False (zipf untouched) unless 1 <= n <= 2^50 and 0 <= exponent <= 1000. */
bool dist_zipf_init(DistZipf *zipf, uint64_t n, double exponent) HS_MUST_USE;
uint64_t dist_zipf_next(const DistZipf *zipf, Rng *rng);
