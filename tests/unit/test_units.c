#include "sim/base/units.h"

#include <string.h>
#include <glib.h>

#include "sim/base/rng.h"

static void test_time_good(void)
{
    static const struct {
        const char *s;
        SimTime ns;
    } good[] = {{"20ms", 20000000},
                {"0.1ms", 100000},
                {"0.1us", 100},
                {"1ns", 1},
                {"1 s", 1000000000},
                {"1.5s", 1500000000},
                {"1.000000001s", 1000000001},
                {"0.000000001s", 1},
                {"1e-9s", 1},
                {"1e3us", 1000000},
                {"1.5E+2 ns", 150},
                {"10us", 10000},
                {"10\xc2\xb5s", 10000},
                {"10\xce\xbcs", 10000},
                {"2min", 120000000000},
                {"0.5h", 1800000000000},
                {"0", 0},
                {"0.000", 0},
                {"-0", 0},
                {"+5ms", 5000000},
                {"-5ms", -5000000},
                {".5s", 500000000},
                {"00010ms", 10000000},
                {"1.50000000000000000000000000000000000000000000s", 1500000000},
                {"9223372036.854775806s", INT64_MAX - 1},
                {"100e-9s", 100},
                {"1000000000000000000000e-21s", 1000000000}};

    for (size_t i = 0; i < HS_ARRAY_LEN(good); i++) {
        SimTime t = -77;
        char *error = NULL;
        bool ok = units_parse_time(good[i].s, &t, &error);
        g_assert_cmpstr(error, ==, NULL);
        g_assert_true(ok);
        g_assert_cmpint(t, ==, good[i].ns);
    }
}

static void test_rate_good(void)
{
    static const struct {
        const char *s;
        uint64_t bps;
    } good[] = {{"10Mbps", 10000000},
                {"1Gbps", 1000000000},
                {"2.5Gbit/s", 2500000000},
                {"100kbps", 100000},
                {"9600bps", 9600},
                {"10 Mbps", 10000000},
                {"0.3Mbps", 300000},
                {"1.544Mbps", 1544000},
                {"1e6bps", 1000000},
                {"11520B/s", 92160},
                {"1kB/s", 8000},
                {"1MiB/s", 8388608},
                {"0.125B/s", 1},
                {"0", 0},
                {"0bps", 0},
                {"1Tbps", 1000000000000},
                {"0.5KiB/s", 4096},
                {"18446744073709551615bps", UINT64_MAX},
                {"1bit/s", 1},
                {"1.0000000000Tbit/s", 1000000000000}};

    for (size_t i = 0; i < HS_ARRAY_LEN(good); i++) {
        uint64_t v = 77;
        char *error = NULL;
        g_assert_true(units_parse_rate(good[i].s, &v, &error));
        g_assert_cmpstr(error, ==, NULL);
        g_assert_cmpuint(v, ==, good[i].bps);
    }
}

static void test_size_and_count_good(void)
{
    static const struct {
        const char *s;
        uint64_t v;
    } sizes[] = {{"64KiB", 65536},
                 {"10MB", 10000000},
                 {"1500", 1500},
                 {"1500B", 1500},
                 {"1.5kB", 1500},
                 {"0.5KiB", 512},
                 {"1GiB", 1073741824},
                 {"2TiB", 2199023255552},
                 {"0", 0},
                 {"1e3", 1000},
                 {"0.0009765625KiB", 1},
                 {"1.25 MiB", 1310720},
                 {"18446744073709551615", UINT64_MAX}},
      counts[] = {{"0", 0},       {"1000", 1000},    {"1e6", 1000000},
                  {"10k", 10000}, {"1.5M", 1500000}, {"2G", 2000000000}};

    for (size_t i = 0; i < HS_ARRAY_LEN(sizes); i++) {
        uint64_t v = 77;
        g_assert_true(units_parse_size(sizes[i].s, &v, NULL));
        g_assert_cmpuint(v, ==, sizes[i].v);
    }
    for (size_t i = 0; i < HS_ARRAY_LEN(counts); i++) {
        uint64_t v = 77;
        g_assert_true(units_parse_count(counts[i].s, &v, NULL));
        g_assert_cmpuint(v, ==, counts[i].v);
    }
}

static void test_ratio(void)
{
    /* The right-hand sides are the compiler's own nearest doubles. */
    static const struct {
        const char *s;
        double v;
    } good[] = {{"1%", 0.01},
                {"0.01", 0.01},
                {"1e-2", 0.01},
                {"1e-3", 1e-3},
                {"0", 0},
                {"1", 1},
                {"100%", 1},
                {"0.1", 0.1},
                {"0.3", 0.3},
                {"33.3 %", 0.333},
                {"0.5", 0.5},
                {"1.0", 1},
                {"0%", 0},
                {"1e-30", 1e-30},
                {"0.123456789012345678901234567890", 0.123456789012345678901234567890},
                {"0.99999999999999999999", 1},
                {"0.9999999999999999", 0.9999999999999999},
                {"10e-1", 1},
                {"0.70000000000000001", 0.7},
                {"2.2e-16", 2.2e-16}};
    static const char *const bad[] = {"",    "1.01", "101%", "-0.1", "-1%", "1e-60",  "abc", "0.5x",
                                      "1%%", "% 1",  "1e5",  "nan",  "inf", "0x1p-1", "0,5"};

    for (size_t i = 0; i < HS_ARRAY_LEN(good); i++) {
        double v = -7;
        g_assert_true(units_parse_ratio(good[i].s, &v, NULL));
        g_assert_cmpfloat(v, ==, good[i].v);
    }
    for (size_t i = 0; i < HS_ARRAY_LEN(bad); i++) {
        double v = -7;
        char *error = NULL;
        g_assert_false(units_parse_ratio(bad[i], &v, &error));
        g_assert_nonnull(strstr(error, "is not a ratio: "));
        g_assert_cmpfloat(v, ==, -7);
        g_free(error);
    }

    /* Against the C library, which rounds correctly, over random decimals. */
    Rng rng;
    rng_init(&rng, 1, "test", "ratio");
    for (int i = 0; i < 2000; i++) {
        char text[40];
        double v;
        g_snprintf(text, sizeof(text), "0.%019" G_GUINT64_FORMAT "e-%d",
                   rng_below(&rng, 10000000000000000000U), (int)rng_below(&rng, 15));
        g_assert_true(units_parse_ratio(text, &v, NULL));
        g_assert_cmpfloat(v, ==, g_ascii_strtod(text, NULL));
    }
}

typedef enum What { TIME, RATE, SIZE, COUNT } What;

static void test_bad(void)
{
    static const struct {
        What what;
        const char *s, *error;
    } bad[] = {
        {RATE, "10 Mbs",
         "\"10 Mbs\" is not a rate: unknown unit \"Mbs\" (expected bps, kbps, Mbps, Gbps, Tbps, or B/s, "
         "kB/s, MB/s, GB/s "
         "for bytes)"},
        {RATE, "10mbps",
         "\"10mbps\" is not a rate: unknown unit \"mbps\" (did you mean Mbps? capitals count)"},
        {RATE, "11520Bps", "for bytes per second write B/s"},
        {RATE, "1MBps", "for bytes per second write B/s"},
        {RATE, "10", "it lacks a unit"},
        {RATE, "-1bps", "it is negative"},
        {RATE, "0.5bps", "finer than a bit per second"},
        {RATE, "0.1B/s", "finer than a bit per second"},
        {RATE, "18446744073709551616bps", "too large"},
        {RATE, "1e30Tbps", "too large"},
        {RATE, "Mbps", "it does not begin with a number"},
        {RATE, "10Mbps ", "unknown unit \"Mbps \""},
        {RATE, " 10Mbps", "it does not begin with a number"},
        {RATE, "10Mbps5", "unknown unit"},
        {RATE, "1,5Mbps", "decimal separator is a point"},
        {RATE, "1.Mbps", "a digit must follow the point"},
        {RATE, "1..5Mbps", "a digit must follow the point"},
        {RATE, "1.5.5Mbps", "unknown unit \".5Mbps\""},
        {RATE, "0x10bps", "unknown unit \"x10bps\""},
        {RATE, "infbps", "it does not begin with a number"},
        {RATE, "1e999999999999bps", "too large"},
        {RATE, "1e-999999999999bps", "finer than"},
        {TIME, "", "\"\" is not a time: it is empty"},
        {TIME, "20", "\"20\" is not a time: it lacks a unit (expected ns, us, ms, s, min, h)"},
        {TIME, "20 ", "it ends in a blank"},
        {TIME, "20MS", "did you mean ms?"},
        {TIME, "20m", "unknown unit \"m\""},
        {TIME, "20Mbps", "unknown unit \"Mbps\""},
        {TIME, "0.5ns", "finer than a nanosecond"},
        {TIME, "1.0000000001s", "finer than a nanosecond"},
        {TIME, "0.0000000000005h", "finer than a nanosecond"},
        {TIME, "1e-10s", "finer than a nanosecond"},
        {TIME, "9223372036.854775807s", "too large"},
        {TIME, "-9223372036.854775807s", "too large"},
        {TIME, "300000000h", "too large"},
        {TIME, "--5ms", "it does not begin with a number"},
        {TIME, "5 5ms", "unknown unit \"5ms\""},
        {TIME, "1.0000000000000000000000000000001s", "more than 30 significant digits"},
        {TIME, "\xff\xfe", "\"\\377\\376\" is not a time"},
        {TIME, "5ms\n", "\"5ms\\n\" is not a time: unknown unit \"ms\\n\""},
        {SIZE, "64KB", "write kB for 1000 bytes, KiB for 1024"},
        {SIZE, "64k", "write kB for 1000 bytes, KiB for 1024"},
        {SIZE, "64b", "B for bytes is a capital"},
        {SIZE, "64kib", "did you mean KiB?"},
        {SIZE, "1.5B", "finer than a byte"},
        {SIZE, "0.1KiB", "finer than a byte"},
        {SIZE, "-1", "it is negative"},
        {SIZE, "16777216TiB", "too large"},
        {SIZE, "10Mbps", "unknown unit"},
        {COUNT, "1.5", "\"1.5\" is not a count: finer than one"},
        {COUNT, "-3", "it is negative"},
        {COUNT, "ten", "it does not begin with a number"},
        {COUNT, "1e20", "too large"},
        {COUNT, "10kB", "unknown unit"},
    };

    for (size_t i = 0; i < HS_ARRAY_LEN(bad); i++) {
        SimTime t = -77;
        uint64_t v = 77;
        char *error = NULL;
        bool ok = true;
        for (int with_error = 0; with_error < 2; with_error++) {
            char **e = with_error ? &error : NULL;
            switch (bad[i].what) {
            case TIME:
                ok = units_parse_time(bad[i].s, &t, e);
                break;
            case RATE:
                ok = units_parse_rate(bad[i].s, &v, e);
                break;
            case SIZE:
                ok = units_parse_size(bad[i].s, &v, e);
                break;
            case COUNT:
                ok = units_parse_count(bad[i].s, &v, e);
                break;
            }
            g_assert_false(ok);
        }
        g_assert_cmpint(t, ==, -77);
        g_assert_cmpuint(v, ==, 77);
        if (strstr(error, bad[i].error) == NULL)
            g_error("%s: no \"%s\" in: %s", bad[i].s, bad[i].error, error);
        g_free(error);
    }

    /* Far too long, digits or not. */
    char *text = g_strnfill(100000, '0'), *error = NULL;
    SimTime t;
    g_assert_false(units_parse_time(text, &t, &error));
    g_assert_nonnull(strstr(error, "longer than"));
    g_free(error);
    g_free(text);
}

static void test_format(void)
{
    static const struct {
        SimTime t;
        const char *s;
    } times[] = {{0, "0s"},          {20000000, "20ms"},   {1500000000, "1.5s"},
                 {100, "100ns"},     {1000, "1us"},        {1234567, "1.234567ms"},
                 {-5000000, "-5ms"}, {90000000000, "90s"}, {1000000001, "1.000000001s"}};
    static const struct {
        uint64_t v;
        const char *s;
    } rates[] = {{0, "0bps"},
                 {9600, "9.6kbps"},
                 {10000000, "10Mbps"},
                 {2500000000, "2.5Gbps"},
                 {999, "999bps"},
                 {1544000, "1.544Mbps"},
                 {UINT64_MAX, "18446744.073709551615Tbps"}},
      sizes[] = {{0, "0B"},     {65536, "64KiB"},  {1500, "1500B"}, {10000000, "10MB"},
                 {1000, "1kB"}, {1048576, "1MiB"}, {64000, "64kB"}, {1, "1B"}};
    char buf[UNITS_STR_LEN];

    for (size_t i = 0; i < HS_ARRAY_LEN(times); i++)
        g_assert_cmpstr(units_format_time(times[i].t, buf), ==, times[i].s);
    for (size_t i = 0; i < HS_ARRAY_LEN(rates); i++)
        g_assert_cmpstr(units_format_rate(rates[i].v, buf), ==, rates[i].s);
    for (size_t i = 0; i < HS_ARRAY_LEN(sizes); i++)
        g_assert_cmpstr(units_format_size(sizes[i].v, buf), ==, sizes[i].s);
}

/* What is printed parses back to the same value, over all magnitudes. */
static void test_round_trip(void)
{
    char buf[UNITS_STR_LEN];
    Rng rng;

    rng_init(&rng, 1, "test", "round trip");
    for (int i = 0; i < 5000; i++) {
        uint64_t v = rng_next(&rng) >> rng_below(&rng, 64), got;
        SimTime t = (SimTime)(v >> 1), got_t;
        for (uint64_t z = rng_below(&rng, 10); z > 0; z--)
            t = t / 10 * 10, v -= v % 1000;
        if (t == SIM_NEVER)
            t--;
        t = i & 1 ? -t : t;
        g_assert_true(units_parse_time(units_format_time(t, buf), &got_t, NULL));
        g_assert_cmpint(got_t, ==, t);
        g_assert_true(units_parse_rate(units_format_rate(v, buf), &got, NULL));
        g_assert_cmpuint(got, ==, v);
        g_assert_true(units_parse_size(units_format_size(v, buf), &got, NULL));
        g_assert_cmpuint(got, ==, v);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/units/time-good", test_time_good);
    g_test_add_func("/base/units/rate-good", test_rate_good);
    g_test_add_func("/base/units/size-and-count-good", test_size_and_count_good);
    g_test_add_func("/base/units/ratio", test_ratio);
    g_test_add_func("/base/units/bad", test_bad);
    g_test_add_func("/base/units/format", test_format);
    g_test_add_func("/base/units/round-trip", test_round_trip);
    return g_test_run();
}
