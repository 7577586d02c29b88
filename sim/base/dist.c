#include "sim/base/dist.h"

#include <math.h>

#include "sim/base/exactmath.h"

/* Uniform in (0, 1]: the logarithm of 0 is never asked for. */
static double unit_open_low(Rng *rng)
{
    return 1 - rng_unit(rng);
}

static SimTime to_ns(double ns)
{
    if (ns >= (double)DIST_MAX_NS)
        return DIST_MAX_NS;
    if (ns <= -(double)DIST_MAX_NS)
        return -DIST_MAX_NS;
    return (SimTime)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

double dist_uniform(Rng *rng, double lo, double hi)
{
    double x = lo + (hi - lo) * rng_unit(rng);

    /* Rounding can reach hi when the interval is narrow. */
    return x < hi ? x : lo;
}

double dist_exponential(Rng *rng, double mean)
{
    return mean * -exactmath_log(unit_open_low(rng));
}

double dist_normal(Rng *rng, double mean, double deviation)
{
    double radius = sqrt(-2 * exactmath_log(unit_open_low(rng)));
    double sine, cosine;

    exactmath_sincos_turns(rng_unit(rng), &sine, &cosine);
    return mean + deviation * (radius * cosine);
}

double dist_pareto(Rng *rng, double shape, double scale)
{
    return scale * exactmath_pow(unit_open_low(rng), -1 / shape);
}

SimTime dist_uniform_ns(Rng *rng, SimTime lo, SimTime hi)
{
    return rng_range(rng, lo, hi);
}

SimTime dist_exponential_ns(Rng *rng, SimTime mean)
{
    return to_ns(dist_exponential(rng, (double)mean));
}

SimTime dist_normal_ns(Rng *rng, SimTime mean, SimTime deviation)
{
    return to_ns(dist_normal(rng, (double)mean, (double)deviation));
}

SimTime dist_pareto_ns(Rng *rng, double shape, SimTime scale)
{
    return to_ns(dist_pareto(rng, shape, (double)scale));
}

/* Rejection-inversion (W. Hoermann, G. Derflinger, "Rejection-inversion to generate variates from monotone
 * discrete distributions", ACM TOMACS 6, 1996). h(x) = x^-s is laid over the ranks; H is its integral from 1,
 * a uniform point of area is mapped back by H's inverse and rounded to a rank, and the sliver that belongs to
 * no rank is rejected. Written with expm1 and log1p so that s near 1, where H turns from a power into a
 * logarithm, is not special. */
static double hat(const DistZipf *z, double x)
{
    return exactmath_pow(x, -z->exponent);
}

/* H(x) = (x^(1-s) - 1) / (1-s), log(x) in the limit. */
static double hat_integral(const DistZipf *z, double x)
{
    double log_x = exactmath_log(x);
    double t = (1 - z->exponent) * log_x;

    return t == 0 ? log_x : log_x * (exactmath_expm1(t) / t);
}

static double hat_integral_inverse(const DistZipf *z, double area)
{
    double t = (1 - z->exponent) * area;

    if (t == 0)
        return exactmath_exp(area);
    if (t <= -1)
        return INFINITY; /* rounding at the far end; the caller clamps */
    return exactmath_exp(area * (exactmath_log1p(t) / t));
}

bool dist_zipf_init(DistZipf *zipf, uint64_t n, double exponent)
{
    if (n < 1 || n > 1ULL << 50 || !(exponent >= 0 && exponent <= 1000))
        return false;
    zipf->n = n;
    zipf->exponent = exponent;
    zipf->area_first = hat_integral(zipf, 1.5) - 1;
    zipf->area_last = hat_integral(zipf, (double)n + 0.5);
    /* Points within this distance left of their rank are always accepted, which saves most evaluations of H.
     */
    zipf->squeeze = 2 - hat_integral_inverse(zipf, hat_integral(zipf, 2.5) - hat(zipf, 2));
    return true;
}

uint64_t dist_zipf_next(const DistZipf *zipf, Rng *rng)
{
    for (;;) {
        double area = zipf->area_last + rng_unit(rng) * (zipf->area_first - zipf->area_last);
        double x = hat_integral_inverse(zipf, area);
        double n = (double)zipf->n;
        double k = x >= n ? n : x < 1 ? 1 : (double)(uint64_t)(x + 0.5);

        if (k > n)
            k = n;
        if (k - x <= zipf->squeeze || area >= hat_integral(zipf, k + 0.5) - hat(zipf, k))
            return (uint64_t)k;
    }
}
