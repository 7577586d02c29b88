#include "sim/base/exactmath.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/rng.h"

static uint64_t bits_of(double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof(u));
    return u;
}

/* The right-hand sides were computed with 80 decimal digits and rounded once; any change of a bit, on any
 * platform, fails. */
static void test_golden(void)
{
    static const struct {
        double x;
        uint64_t bits;
    } logs[] = {{2, 0x3fe62e42fefa39ef},
                {10, 0x40026bb1bbb55516},
                {0.1, 0xc0026bb1bbb55515},
                {0x1.0000000000001p0, 0x3cafffffffffffff},
                {0x1.fffffffffffffp-1, 0xbca0000000000000},
                {3, 0x3ff193ea7aad030b},
                {1e300, 0x4085963447f87fb5},
                {0x1p-1074, 0xc0874385446d71c3},
                {0.7, 0xbfd6d3c324e13f50},
                {1.5, 0x3fd9f323ecbf984c},
                {12345.678, 0x4022d79559791e31}},
      exps[] = {{1, 0x4005bf0a8b145769},      {-1, 0x3fd78b56362cef38},   {0.5, 0x3ffa61298e1e069c},
                {10, 0x40d5829dcf950560},     {-700, 0x00d14f2b0fb9307f}, {700, 0x7f0d945df4f8ec8e},
                {1e-10, 0x3ff000000006df38},  {-745, 0x0000000000000001}, {0.34657, 0x3ff6a099138a089d},
                {3.14159, 0x4037240068789162}},
      log1ps[] = {{1e-10, 0x3ddb7cdfd9d1d693},
                  {-0.5, 0xbfe62e42fefa39ef},
                  {0.001, 0x3f5060354f8c3ebf},
                  {3, 0x3ff62e42fefa39ef},
                  {-1e-20, 0xbbc79ca10c924223}},
      expm1s[] = {{1e-10, 0x3ddb7cdfd9dda4e3}, {-0.5, 0xbfd92e9a0720d3ec}, {0.001, 0x3f506466dfb8cf3a},
                  {3, 0x403315e5bf6fb106},     {-20, 0xbfeffffffee4b79b},  {0.4, 0x3fdf7a0e4beeff80}};
    static const struct {
        double x, y;
        uint64_t bits;
    } pows[] = {{2, 0.5, 0x3ff6a09e667f3bcd},
                {10, -3, 0x3f50624dd2f1a9fc},
                {1.5, 200.25, 0x47419d7733854eb6},
                {0.3, -1.1, 0x400e141a89e151e1},
                {0x1.0000000000001p0, 1e17, 0x41f06272889f21c5},
                {7, 300, 0x7492763cf89c12d4},
                {0.999, -100000, 0x48f4469adc1762d6},
                {123.456, 0.001, 0x3ff013c6001e2a2e},
                {3, -2, 0x3fbc71c71c71c71c}};

    for (size_t i = 0; i < HS_ARRAY_LEN(logs); i++)
        g_assert_cmphex(bits_of(exactmath_log(logs[i].x)), ==, logs[i].bits);
    for (size_t i = 0; i < HS_ARRAY_LEN(exps); i++)
        g_assert_cmphex(bits_of(exactmath_exp(exps[i].x)), ==, exps[i].bits);
    for (size_t i = 0; i < HS_ARRAY_LEN(log1ps); i++)
        g_assert_cmphex(bits_of(exactmath_log1p(log1ps[i].x)), ==, log1ps[i].bits);
    for (size_t i = 0; i < HS_ARRAY_LEN(expm1s); i++)
        g_assert_cmphex(bits_of(exactmath_expm1(expm1s[i].x)), ==, expm1s[i].bits);
    for (size_t i = 0; i < HS_ARRAY_LEN(pows); i++)
        g_assert_cmphex(bits_of(exactmath_pow(pows[i].x, pows[i].y)), ==, pows[i].bits);
}

/* Distance of got from the precise value in units of got's last place. */
static double ulps(double got, long double precise)
{
    double next = nextafter(fabs(got), INFINITY);

    return (double)fabsl(((long double)got - precise) / ((long double)next - fabsl((long double)got)));
}

/* The judge is the C library's long double (64 bits of mantissa on x86): its own error is below 0.001 of our
 * ulps. On machines where long double is double, the bound is still two roundings. */
static void test_accuracy(void)
{
    const double bound = sizeof(long double) > 8 && LDBL_MANT_DIG > 53 ? 0.75 : 1.75;
    double worst[6] = {0};
    Rng rng;

    rng_init(&rng, 1, "test", "exactmath");
    for (int i = 0; i < 200000; i++) {
        double wide = ldexp(1 + rng_unit(&rng), (int)rng_range(&rng, -1022, 1022));
        double near = 0.5 + 1.5 * rng_unit(&rng);
        double x = (rng_unit(&rng) - 0.5) * 1400;
        double small = (rng_unit(&rng) - 0.5) * ldexp(1, (int)rng_range(&rng, -50, 2));
        double y = (rng_unit(&rng) - 0.5) * 2 * 700 / fabs(log(wide));
        double turns = rng_unit(&rng), s, c;

        worst[0] = fmax(worst[0], ulps(exactmath_log(wide), logl(wide)));
        worst[0] = fmax(worst[0], ulps(exactmath_log(near), logl(near)));
        worst[1] = fmax(worst[1], ulps(exactmath_exp(x), expl(x)));
        worst[1] = fmax(worst[1], ulps(exactmath_exp(small), expl(small)));
        worst[2] = fmax(worst[2], ulps(exactmath_log1p(fmax(small, -0.9)), log1pl(fmax(small, -0.9))));
        worst[3] = fmax(worst[3], ulps(exactmath_expm1(small), expm1l(small)));
        worst[3] = fmax(worst[3], ulps(exactmath_expm1(x / 20), expm1l(x / 20)));
        worst[4] = fmax(worst[4], ulps(exactmath_pow(wide, y), powl(wide, y)));
        worst[4] = fmax(worst[4], ulps(exactmath_pow(near, x), powl(near, x)));
        exactmath_sincos_turns(turns, &s, &c);
        /* Near a zero of the C library's sine its rounded argument dominates; absolute error is what a radius
         * needs. */
        worst[5] = fmax(worst[5], fabs(s - (double)sinl(2 * 3.14159265358979323846264338L * turns)) * 0x1p53);
        worst[5] = fmax(worst[5], fabs(c - (double)cosl(2 * 3.14159265358979323846264338L * turns)) * 0x1p53);
    }
    static const char *const names[] = {"log", "exp", "log1p", "expm1", "pow", "sincos"};
    for (int i = 0; i < 6; i++)
        g_test_message("%s: worst error %.3f ulp", names[i], worst[i]);
    for (int i = 0; i < 5; i++)
        g_assert_cmpfloat(worst[i], <, bound);
    /* Both sides rounded: at most one unit of 2^-53 apart, and one more for ours. */
    g_assert_cmpfloat(worst[5], <=, 2);
}

static void test_special(void)
{
    /* Every combination, judged by the C library (C17 annex F agrees on all of them). */
    static const double v[] = {0.0,      -0.0,
                               1,        -1,
                               2,        -2,
                               0.5,      -0.5,
                               3,        -3,
                               1e300,    -1e300,
                               1e-300,   -1e-300,
                               INFINITY, -INFINITY,
                               NAN,      0x1p53,
                               -0x1p53,  0x1p-1074,
                               1e18,     0x1.fffffffffffffp-1};

    for (size_t i = 0; i < HS_ARRAY_LEN(v); i++) {
        double libm[] = {log(v[i]), log1p(v[i]), exp(v[i]), expm1(v[i])};
        double ours[] = {exactmath_log(v[i]), exactmath_log1p(v[i]), exactmath_exp(v[i]),
                         exactmath_expm1(v[i])};
        for (int k = 0; k < 4; k++) {
            if (isnan(libm[k]))
                g_assert_true(isnan(ours[k]));
            else if (libm[k] == 0 || isinf(libm[k]))
                g_assert_cmphex(bits_of(ours[k]), ==, bits_of(libm[k]));
        }
        for (size_t j = 0; j < HS_ARRAY_LEN(v); j++) {
            double want = pow(v[i], v[j]), got = exactmath_pow(v[i], v[j]);
            if (isnan(want))
                g_assert_true(isnan(got));
            else if (want == 0 || isinf(want))
                g_assert_cmphex(bits_of(got), ==, bits_of(want));
            else
                g_assert_cmpfloat(ulps(got, powl(v[i], v[j])), <, 1.75);
        }
    }
    g_assert_cmpfloat(exactmath_exp(0), ==, 1);
    g_assert_cmpfloat(exactmath_exp(709.79), ==, INFINITY);
    g_assert_cmphex(bits_of(exactmath_exp(-746)), ==, 0);
}

static void test_turns(void)
{
    /* The corners of the circle are exact. */
    static const struct {
        double turns, s, c;
    } corners[] = {{0, 0, 1}, {0.25, 1, 0}, {0.5, 0, -1}, {0.75, -1, 0}, {1, 0, 1}};

    for (size_t i = 0; i < HS_ARRAY_LEN(corners); i++) {
        double s, c;
        exactmath_sincos_turns(corners[i].turns, &s, &c);
        g_assert_cmpfloat(s, ==, corners[i].s);
        g_assert_cmpfloat(c, ==, corners[i].c);
    }
}

static void test_muldiv(void)
{
    g_assert_cmpuint(exactmath_muldiv64(7, 3, 2), ==, 10);
    g_assert_cmpuint(exactmath_muldiv64(0, UINT64_MAX, 1), ==, 0);
    g_assert_cmpuint(exactmath_muldiv64(UINT64_MAX, UINT64_MAX, UINT64_MAX), ==, UINT64_MAX);
    /* 1500 bytes a million times at 10 Gbit/s, in nanoseconds: the product needs 64 bits and more. */
    g_assert_cmpuint(exactmath_muldiv64(12000000000, 1000000000, 10000000000), ==, 1200000000);
    g_assert_cmpuint(exactmath_muldiv64(UINT64_MAX, 1000, 1001), ==,
                     UINT64_MAX / 1001 * 1000 + UINT64_MAX % 1001 * 1000 / 1001);
}

static void test_roots(void)
{
    for (uint64_t r = 0; r < 70000; r++) {
        g_assert_cmpuint(exactmath_isqrt64(r * r), ==, r);
        g_assert_cmpuint(exactmath_icbrt64(r * r * r), ==, r);
        if (r > 0) {
            g_assert_cmpuint(exactmath_isqrt64(r * r - 1), ==, r - 1);
            g_assert_cmpuint(exactmath_icbrt64(r * r * r - 1), ==, r - 1);
        }
    }
    g_assert_cmpuint(exactmath_isqrt64(UINT64_MAX), ==, 4294967295);
    g_assert_cmpuint(exactmath_isqrt64(4294967295ULL * 4294967295ULL - 1), ==, 4294967294);
    g_assert_cmpuint(exactmath_icbrt64(UINT64_MAX), ==, 2642245);
    g_assert_cmpuint(exactmath_icbrt64(2642245ULL * 2642245 * 2642245 - 1), ==, 2642244);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/exactmath/golden", test_golden);
    g_test_add_func("/base/exactmath/accuracy", test_accuracy);
    g_test_add_func("/base/exactmath/special", test_special);
    g_test_add_func("/base/exactmath/turns", test_turns);
    g_test_add_func("/base/exactmath/muldiv", test_muldiv);
    g_test_add_func("/base/exactmath/roots", test_roots);
    return g_test_run();
}
