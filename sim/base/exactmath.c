/* How it works: the logarithm and the argument of the exponential are kept as a "double double", an
 * unevaluated sum hi + lo of two doubles with |lo| <= ulp(hi) / 2 (T. J. Dekker, "A floating-point technique
 * for extending the available precision", Numer. Math. 18, 1971). pow needs it: an error in log(x) is
 * multiplied by up to 1000.
 *
 * log: x = 2^k m with m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m-1)/(m+1), by the Taylor series of
 * atanh. exp: x = k ln 2 + r with |r| <= ln(2)/2; the Taylor series of exp. The coefficients are reciprocals
 * of integers, so anyone can check them; no fitted polynomials. */
#include "sim/base/exactmath.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "sim/base/base.h"

#if FLT_EVAL_METHOD != 0
#error "exactmath needs doubles to be evaluated as doubles (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif
#ifdef __FAST_MATH__
#error "exactmath cannot be compiled with -ffast-math"
#endif

/* ln 2 in two parts; the first has 42 significant bits, so that its product with an exponent (11 bits) is
 * exact. */
#define LN2_HI 0x1.62e42fefa3800p-1
#define LN2_LO 0x1.ef35793c76730p-45
#define INV_LN2 0x1.71547652b82fep+0
#define SQRT_HALF 0x1.6a09e667f3bcdp-1

typedef struct DoubleDouble {
    double hi, lo;
} DoubleDouble;

static uint64_t bits_of(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof(u));
    return u;
}

static double from_bits(uint64_t u)
{
    double x;

    memcpy(&x, &u, sizeof(x));
    return x;
}

/* 2^k for a normal result: -1022 <= k <= 1023. */
static double pow2(int k)
{
    return from_bits((uint64_t)(k + 1023) << 52);
}

/* a + b exactly, any order of magnitude. */
static DoubleDouble two_sum(double a, double b)
{
    double s = a + b;
    double t = s - a;

    return (DoubleDouble){s, (a - (s - t)) + (b - t)};
}

/* a + b exactly when |a| >= |b| or a == 0. */
static DoubleDouble fast_two_sum(double a, double b)
{
    double s = a + b;

    return (DoubleDouble){s, b - (s - a)};
}

/* a * b exactly, barring overflow and underflow: each factor is split into halves of 26 bits (Veltkamp). */
static DoubleDouble two_prod(double a, double b)
{
    double p = a * b;
    double ta = a * 0x1.0000002p27, tb = b * 0x1.0000002p27;
    double ah = ta - (ta - a), al = a - ah;
    double bh = tb - (tb - b), bl = b - bh;

    return (DoubleDouble){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static DoubleDouble dd_mul(DoubleDouble a, DoubleDouble b)
{
    DoubleDouble p = two_prod(a.hi, b.hi);

    return fast_two_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/* a + b when |a| >= |b|. */
static DoubleDouble dd_add(DoubleDouble a, DoubleDouble b)
{
    DoubleDouble s = two_sum(a.hi, b.hi);

    return fast_two_sum(s.hi, s.lo + (a.lo + b.lo));
}

/* Logarithm of a finite x > 0, relative error about 2^-68. */
static DoubleDouble log_dd(double x)
{
    uint64_t u;
    int k = 0;

    if (x < DBL_MIN) {
        x *= 0x1p54;
        k = -54;
    }
    u = bits_of(x);
    k += (int)(u >> 52) - 1022;
    double m = from_bits((u & 0xfffffffffffffULL) | 0x3fe0000000000000ULL); /* [0.5, 1) */
    if (m < SQRT_HALF) {
        m *= 2;
        k--;
    }

    double f = m - 1; /* exact: m is within a factor of two of 1 */
    DoubleDouble d = two_sum(m, 1);
    double s_hi = f / d.hi;
    DoubleDouble p = two_prod(s_hi, d.hi);
    DoubleDouble s = {s_hi, (((f - p.hi) - p.lo) - s_hi * d.lo) / d.hi};

    /* atanh(s) = s (1 + z/3 + z^2/5 + z^3/7 + ...), z = s^2 <= 0.0295. The first two coefficients in double
     * double. */
    DoubleDouble z = dd_mul(s, s);
    double zh = z.hi;
    double q = 1.0 / 29;

    q = 1.0 / 27 + zh * q;
    q = 1.0 / 25 + zh * q;
    q = 1.0 / 23 + zh * q;
    q = 1.0 / 21 + zh * q;
    q = 1.0 / 19 + zh * q;
    q = 1.0 / 17 + zh * q;
    q = 1.0 / 15 + zh * q;
    q = 1.0 / 13 + zh * q;
    q = 1.0 / 11 + zh * q;
    q = 1.0 / 9 + zh * q;
    q = 1.0 / 7 + zh * q;

    const DoubleDouble third = {0x1.5555555555555p-2, 0x1.5555555555555p-56};
    const DoubleDouble fifth = {0x1.999999999999ap-3, -0x1.999999999999ap-57};
    DoubleDouble w = dd_add(fifth, (DoubleDouble){zh * q, 0});
    w = dd_add(third, dd_mul(z, w));
    w = dd_mul(z, w);
    s.hi *= 2;
    s.lo *= 2;
    DoubleDouble r = dd_add(s, dd_mul(s, w));
    if (k != 0)
        r = dd_add(dd_add((DoubleDouble){k * LN2_HI, 0}, (DoubleDouble){k * LN2_LO, 0}), r);
    return r;
}

/* y * 2^k with one rounding; 0.5 < y < 2. */
static double scale(double y, int k)
{
    int half = k / 2;

    return y * pow2(half) * pow2(k - half);
}

/* exp(x.hi + x.lo) = 2^k (result), result in [0.7, 1.42]; |x.hi| < 800. With minus_one: less 1, and k = 0
 * then means that the small result itself is precise. */
static DoubleDouble exp_dd(DoubleDouble x, int *k_out, bool minus_one)
{
    double t = x.hi * INV_LN2;
    int k = (int)(t < 0 ? t - 0.5 : t + 0.5);
    DoubleDouble r = two_sum(x.hi, -(k * LN2_HI));
    double h;

    r = fast_two_sum(r.hi, r.lo + (x.lo - k * LN2_LO));
    h = r.hi;
    double q = 1.0 / 1307674368000.0; /* 1/15! */
    q = 1.0 / 87178291200.0 + h * q;
    q = 1.0 / 6227020800.0 + h * q;
    q = 1.0 / 479001600.0 + h * q;
    q = 1.0 / 39916800.0 + h * q;
    q = 1.0 / 3628800.0 + h * q;
    q = 1.0 / 362880.0 + h * q;
    q = 1.0 / 40320.0 + h * q;
    q = 1.0 / 5040.0 + h * q;
    q = 1.0 / 720.0 + h * q;
    q = 1.0 / 120.0 + h * q;
    q = 1.0 / 24.0 + h * q;
    q = 1.0 / 6.0 + h * q;

    /* r + r^2/2 + h^3 q; the square exactly, because it is up to 0.06 and its error would be seen. */
    DoubleDouble sq = two_prod(h, h);
    DoubleDouble e = two_sum(h, 0.5 * sq.hi);
    e = fast_two_sum(e.hi, e.lo + (0.5 * sq.lo + (r.lo + r.lo * h) + sq.hi * h * q));
    if (!minus_one || k != 0)
        e = dd_add((DoubleDouble){1, 0}, e);
    *k_out = k;
    return e;
}

double exactmath_log(double x)
{
    if (x != x || x == INFINITY)
        return x;
    if (x <= 0)
        return x < 0 ? NAN : -INFINITY;
    return log_dd(x).hi;
}

double exactmath_log1p(double x)
{
    if (x != x || x == INFINITY || x == 0)
        return x;
    if (x <= -1)
        return x < -1 ? NAN : -INFINITY;
    DoubleDouble y = two_sum(1, x);
    /* log(hi + lo) = log(hi) + lo/hi, the next term is below 2^-106 relative to hi. */
    DoubleDouble r = log_dd(y.hi);
    return r.hi + (r.lo + y.lo / y.hi);
}

double exactmath_exp(double x)
{
    int k;

    if (x != x)
        return x;
    if (x > 710)
        return INFINITY;
    if (x < -746)
        return 0;
    DoubleDouble e = exp_dd((DoubleDouble){x, 0}, &k, false);
    return scale(e.hi, k);
}

double exactmath_expm1(double x)
{
    int k;

    if (x != x || x == 0)
        return x;
    if (x > 710)
        return INFINITY;
    if (x < -40)
        return -1;
    if (x < 0x1p-60 && x > -0x1p-60)
        return x;
    DoubleDouble e = exp_dd((DoubleDouble){x, 0}, &k, true);
    if (k == 0)
        return e.hi;
    if (k > 1000)
        return scale(e.hi, k);
    DoubleDouble s = two_sum(e.hi * pow2(k), -1);
    return s.hi + (s.lo + e.lo * pow2(k));
}

/* 0: not an integer, 1: odd, 2: even. */
static int integer_kind(double y)
{
    double a = fabs(y);

    if (a >= 0x1p53)
        return 2;
    if ((double)(uint64_t)a != a)
        return 0;
    return ((uint64_t)a & 1) ? 1 : 2;
}

double exactmath_pow(double x, double y)
{
    double sign = 1;
    int k;

    if (y == 0 || x == 1)
        return 1;
    if (x != x || y != y)
        return NAN;
    int kind = integer_kind(y);
    if (x == 0 || fabs(x) == INFINITY) {
        bool negative = (bits_of(x) >> 63) != 0;
        bool large = (x == 0) == (y < 0);
        double r = large ? INFINITY : 0;
        return negative && kind == 1 ? -r : r;
    }
    if (fabs(y) == INFINITY) {
        if (x == -1)
            return 1;
        return (fabs(x) > 1) == (y > 0) ? INFINITY : 0;
    }
    if (x < 0) {
        if (kind == 0)
            return NAN;
        if (kind == 1)
            sign = -1;
        x = -x;
        if (x == 1)
            return sign;
    }

    /* |log x| is between 2^-53 and 745, so beyond these exponents the answer is plain. */
    if (fabs(y) > 0x1p70)
        return (x > 1) == (y > 0) ? sign * INFINITY : sign * 0.0;
    if (fabs(y) < 0x1p-70)
        return sign;
    DoubleDouble e = dd_mul(log_dd(x), (DoubleDouble){y, 0});
    if (e.hi > 710)
        return sign * INFINITY;
    if (e.hi < -746)
        return sign * 0.0;
    e = exp_dd(e, &k, false);
    return sign * scale(e.hi, k);
}

void exactmath_sincos_turns(double turns, double *sine, double *cosine)
{
    hs_assert(turns >= 0 && turns <= 1);
    int quarter = (int)(turns * 4 + 0.5);
    double f = turns - quarter * 0.25; /* exact, |f| <= 1/8 */
    DoubleDouble x = two_prod(f, 0x1.921fb54442d18p+2);
    double h = x.hi;
    double lo = x.lo + f * 0x1.1a62633145c07p-52;
    double z = h * h;

    /* Taylor series to h^17 / 17! and h^18 / 18!: with |h| <= pi/4 the next terms are below 2^-63. */
    double ps = 1.0 / 355687428096000.0;
    ps = -1.0 / 1307674368000.0 + z * ps;
    ps = 1.0 / 6227020800.0 + z * ps;
    ps = -1.0 / 39916800.0 + z * ps;
    ps = 1.0 / 362880.0 + z * ps;
    ps = -1.0 / 5040.0 + z * ps;
    ps = 1.0 / 120.0 + z * ps;
    ps = -1.0 / 6.0 + z * ps;
    double pc = -1.0 / 6402373705728000.0;
    pc = 1.0 / 20922789888000.0 + z * pc;
    pc = -1.0 / 87178291200.0 + z * pc;
    pc = 1.0 / 479001600.0 + z * pc;
    pc = -1.0 / 3628800.0 + z * pc;
    pc = 1.0 / 40320.0 + z * pc;
    pc = -1.0 / 720.0 + z * pc;
    pc = 1.0 / 24.0 + z * pc;

    double s = h + (h * z * ps + lo * (1 - 0.5 * z));
    DoubleDouble sq = two_prod(h, h);
    DoubleDouble half = fast_two_sum(1, -0.5 * sq.hi);
    double c = half.hi + (half.lo + (z * z * pc - 0.5 * sq.lo - h * lo));

    switch (quarter & 3) {
    case 0:
        *sine = s;
        *cosine = c;
        break;
    case 1:
        *sine = c;
        *cosine = -s;
        break;
    case 2:
        *sine = -s;
        *cosine = -c;
        break;
    default:
        *sine = -c;
        *cosine = s;
        break;
    }
}

uint64_t exactmath_muldiv64(uint64_t a, uint64_t b, uint64_t c)
{
    ExactU128 p = (ExactU128)a * b;

    hs_assert(c != 0);
    if (HS_LIKELY(p >> 64 == 0))
        return (uint64_t)p / c;
    hs_assert((uint64_t)(p >> 64) < c);
    return (uint64_t)(p / c);
}

uint64_t exactmath_isqrt64(uint64_t n)
{
    uint64_t root = 0;

    /* One binary digit of the root at a time, as by hand; rem stays n - root^2. */
    for (uint64_t bit = 1ULL << 62, rem = n; bit != 0; bit >>= 2) {
        uint64_t trial = root + bit;
        root >>= 1;
        if (rem >= trial) {
            rem -= trial;
            root += bit;
        }
    }
    return root;
}

uint64_t exactmath_icbrt64(uint64_t n)
{
    uint64_t root = 0;

    /* 2642245 is the cube root of 2^64 - 1: 22 bits. */
    for (int bit = 21; bit >= 0; bit--) {
        uint64_t trial = root | 1ULL << bit;
        if (trial <= 2642245 && trial * trial * trial <= n)
            root = trial;
    }
    return root;
}
