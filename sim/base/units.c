/* A string is read into digits x 10^exponent; the unit is one more factor. The product must be a whole number
 * of base units (nanoseconds, bits per second, bytes) that fits, otherwise the string is refused with the
 * reason. */
#include "sim/base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <glib.h>

__extension__ typedef unsigned __int128 U128;

#define MAX_DIGITS 30
#define MAX_TEXT 200   /* bytes */
#define MAX_POWER10 38 /* 10^38 < 2^127 */

typedef struct Unit {
    const char *name;
    uint64_t factor;
} Unit;

/* What a kind of value is called and which units it has; the list for messages is the common spelling only.
 */
typedef struct Kind {
    const char *noun;
    const char *expected;
    const char *too_fine; /* what a fraction of the base unit is called */
    const Unit *units;
    size_t n_units;
} Kind;

typedef struct Number {
    bool negative;
    U128 digits;
    int exponent;
    const char *unit; /* points into the string, "" if there is none */
} Number;

static const Unit time_units[] = {
    {"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000}, /* U+00B5 micro sign */
    {"\xce\xbcs", 1000},                                         /* U+03BC Greek mu */
    {"ms", 1000000},     {"s", 1000000000}, {"min", 60000000000}, {"h", 3600000000000},
};
static const Kind time_kind = {"a time", "ns, us, ms, s, min, h", "a nanosecond", time_units,
                               HS_ARRAY_LEN(time_units)};

static const Unit rate_units[] = {
    {"bps", 1},
    {"kbps", 1000},
    {"Mbps", 1000000},
    {"Gbps", 1000000000},
    {"Tbps", 1000000000000},
    {"bit/s", 1},
    {"kbit/s", 1000},
    {"Mbit/s", 1000000},
    {"Gbit/s", 1000000000},
    {"Tbit/s", 1000000000000},
    {"B/s", 8},
    {"kB/s", 8000},
    {"MB/s", 8000000},
    {"GB/s", 8000000000},
    {"KiB/s", 8ULL << 10},
    {"MiB/s", 8ULL << 20},
    {"GiB/s", 8ULL << 30},
};
static const Kind rate_kind = {"a rate", "bps, kbps, Mbps, Gbps, Tbps, or B/s, kB/s, MB/s, GB/s for bytes",
                               "a bit per second", rate_units, HS_ARRAY_LEN(rate_units)};

static const Unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
};
static const Kind size_kind = {"a size", "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB", "a byte", size_units,
                               HS_ARRAY_LEN(size_units)};

static const Unit count_units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}};
static const Kind count_kind = {"a count", "none, k, M, G", "one", count_units, HS_ARRAY_LEN(count_units)};

static const Kind ratio_kind = {"a ratio", "none, %", NULL, NULL, 0};

/* Scenario text may hold anything: what a terminal should not get is shown as escapes. */
static char *printable(const char *s)
{
    bool plain = g_utf8_validate(s, -1, NULL);

    for (const char *p = s; *p != '\0' && plain; p++)
        plain = (unsigned char)*p >= 0x20 && *p != 0x7f;
    return plain ? g_strdup(s) : g_strescape(s, NULL);
}

HS_PRINTF(4, 5) static bool refuse(const Kind *kind, const char *s, char **error, const char *fmt, ...)
{
    va_list args;
    char *why;

    if (error == NULL)
        return false;
    va_start(args, fmt);
    why = g_strdup_vprintf(fmt, args);
    va_end(args);
    char *shown = printable(s);
    *error = g_strdup_printf("\"%s\" is not %s: %s", shown, kind->noun, why);
    g_free(shown);
    g_free(why);
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Significant digits as they arrive; zeros at either end of the number cost nothing. */
typedef struct Digits {
    U128 value;
    int count; /* significant digits in value */
    int zeros; /* zeros seen since the last non-zero digit, not yet in value */
    bool too_many;
} Digits;

static void digits_push(Digits *d, int digit)
{
    if (digit == 0) {
        if (d->count > 0)
            d->zeros++;
        return;
    }
    if (d->count + d->zeros + 1 > MAX_DIGITS) {
        d->too_many = true;
        return;
    }
    for (; d->zeros > 0; d->zeros--, d->count++)
        d->value *= 10;
    d->value = d->value * 10 + (unsigned)digit;
    d->count++;
}

static bool parse_number(const Kind *kind, const char *s, Number *out, char **error)
{
    const char *p = s;
    Digits d = {0};
    int places = 0; /* digits seen after the point */
    bool any = false;

    if (*p == '\0')
        return refuse(kind, s, error, "it is empty");
    if (strlen(s) > MAX_TEXT)
        return refuse(kind, s, error, "it is longer than %d bytes", MAX_TEXT);
    out->negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    for (; is_digit(*p); p++, any = true)
        digits_push(&d, *p - '0');
    if (*p == '.') {
        p++;
        if (!is_digit(*p))
            return refuse(kind, s, error, "a digit must follow the point");
        for (; is_digit(*p); p++, any = true) {
            digits_push(&d, *p - '0');
            places++;
        }
    }
    if (!any)
        return refuse(kind, s, error, "it does not begin with a number");
    if (d.too_many)
        return refuse(kind, s, error, "more than %d significant digits", MAX_DIGITS);

    int power = 0;
    if ((*p == 'e' || *p == 'E') && (is_digit(p[1]) || ((p[1] == '-' || p[1] == '+') && is_digit(p[2])))) {
        bool minus = p[1] == '-';
        for (p += is_digit(p[1]) ? 1 : 2; is_digit(*p); p++)
            power = power < 100000 ? power * 10 + (*p - '0') : power;
        power = minus ? -power : power;
    }
    if (*p == ',')
        return refuse(kind, s, error, "the decimal separator is a point, and digits are not grouped");
    const char *end = p;
    while (*p == ' ' || *p == '\t')
        p++;
    if (*p == '\0' && p != end)
        return refuse(kind, s, error, "it ends in a blank");
    out->digits = d.value;
    /* zeros were never multiplied in: they count as exponent. */
    out->exponent = d.value == 0 ? 0 : power + d.zeros - places;
    out->unit = p;
    return true;
}

/* Hints for spellings that people bring from elsewhere; NULL if there is nothing to say. */
static const char *unit_hint(const Kind *kind, const char *unit)
{
    if (kind == &rate_kind) {
        if (strcmp(unit, "Bps") == 0 || (unit[0] != '\0' && strcmp(unit + 1, "Bps") == 0))
            return "; for bytes per second write B/s, kB/s, MB/s, for bits bps, kbps, Mbps";
    } else if (kind == &size_kind) {
        if (strcmp(unit, "KB") == 0 || strcmp(unit, "K") == 0 || strcmp(unit, "k") == 0)
            return "; write kB for 1000 bytes, KiB for 1024";
        if (strcmp(unit, "b") == 0)
            return "; B for bytes is a capital";
    }
    return NULL;
}

static bool find_unit(const Kind *kind, const char *s, const Number *n, uint64_t *factor, char **error)
{
    for (size_t i = 0; i < kind->n_units; i++) {
        if (strcmp(kind->units[i].name, n->unit) == 0) {
            *factor = kind->units[i].factor;
            return true;
        }
    }
    if (n->unit[0] == '\0') {
        if (n->digits == 0) {
            *factor = 1;
            return true;
        }
        return refuse(kind, s, error, "it lacks a unit (expected %s)", kind->expected);
    }

    char *shown = printable(n->unit);
    const char *hint = unit_hint(kind, n->unit);
    const char *same = NULL; /* a unit that differs in capitals only */
    for (size_t i = 0; i < kind->n_units && hint == NULL && same == NULL; i++) {
        if (g_ascii_strcasecmp(kind->units[i].name, n->unit) == 0)
            same = kind->units[i].name;
    }
    if (same != NULL)
        refuse(kind, s, error, "unknown unit \"%s\" (did you mean %s? capitals count)", shown, same);
    else
        refuse(kind, s, error, "unknown unit \"%s\" (expected %s%s)", shown, kind->expected,
               hint ? hint : "");
    g_free(shown);
    return false;
}

static bool mul_overflows(U128 *a, U128 b)
{
    return __builtin_mul_overflow(*a, b, a);
}

/* digits x 10^exponent x factor as an integer up to max. */
static bool scaled(const Kind *kind, const char *s, const Number *n, uint64_t factor, uint64_t max,
                   uint64_t *out, char **error)
{
    /* Places after the point are first paid by the factor, so that what remains to multiply is as small as
     * can be. */
    U128 v = n->digits;
    int exponent = n->exponent;
    bool too_large = false;

    if (v == 0) {
        *out = 0;
        return true;
    }
    for (; exponent < 0 && factor % 10 == 0; exponent++)
        factor /= 10;
    /* Each further place must be paid by twos and fives of the digits and the factor together. */
    for (; exponent < 0; exponent++) {
        if (v % 10 == 0)
            v /= 10;
        else if (v % 5 == 0 && factor % 2 == 0)
            v /= 5, factor /= 2;
        else if (v % 2 == 0 && factor % 5 == 0)
            v /= 2, factor /= 5;
        else
            return refuse(kind, s, error, "finer than %s", kind->too_fine);
    }
    for (; exponent > 0 && !too_large; exponent--)
        too_large = mul_overflows(&v, 10);
    if (too_large || mul_overflows(&v, factor) || v > max)
        return refuse(kind, s, error, "too large");
    *out = (uint64_t)v;
    return true;
}

static bool parse_whole(const Kind *kind, const char *s, uint64_t *out, char **error)
{
    Number n;
    uint64_t factor, v;

    if (!parse_number(kind, s, &n, error) || !find_unit(kind, s, &n, &factor, error))
        return false;
    if (n.negative && n.digits != 0)
        return refuse(kind, s, error, "it is negative");
    if (!scaled(kind, s, &n, factor, UINT64_MAX, &v, error))
        return false;
    *out = v;
    return true;
}

bool units_parse_rate(const char *s, uint64_t *rate_bps, char **error)
{
    return parse_whole(&rate_kind, s, rate_bps, error);
}

bool units_parse_size(const char *s, uint64_t *bytes, char **error)
{
    return parse_whole(&size_kind, s, bytes, error);
}

bool units_parse_count(const char *s, uint64_t *out, char **error)
{
    return parse_whole(&count_kind, s, out, error);
}

bool units_parse_time(const char *s, SimTime *out, char **error)
{
    Number n;
    uint64_t factor, v;

    if (!parse_number(&time_kind, s, &n, error) || !find_unit(&time_kind, s, &n, &factor, error))
        return false;
    /* SIM_NEVER is the largest value and means something else. */
    if (!scaled(&time_kind, s, &n, factor, (uint64_t)SIM_NEVER - 1, &v, error))
        return false;
    *out = n.negative ? -(SimTime)v : (SimTime)v;
    return true;
}

/* num / den in [0, 1), to the nearest double, ties to even: long division in binary. den < 2^127. */
static double nearest_quotient(U128 num, U128 den)
{
    int exponent = 0;
    uint64_t q = 0;

    if (num == 0)
        return 0;
    for (; num < den; num *= 2)
        exponent--;
    for (int i = 0; i < 53; i++) {
        bool one = num >= den;
        q = q << 1 | one;
        num = (one ? num - den : num) * 2;
    }
    if (num > den || (num == den && (q & 1)))
        q++;
    double r = (double)q;
    for (exponent -= 52; exponent < 0; exponent++)
        r *= 0.5;
    return r;
}

bool units_parse_ratio(const char *s, double *out, char **error)
{
    const Kind *kind = &ratio_kind;
    Number n;

    if (!parse_number(kind, s, &n, error))
        return false;
    if (strcmp(n.unit, "%") == 0) {
        n.exponent -= 2;
    } else if (n.unit[0] != '\0') {
        char *shown = printable(n.unit);
        refuse(kind, s, error, "unknown unit \"%s\" (expected a number from 0 to 1, or a percentage)", shown);
        g_free(shown);
        return false;
    }
    if (n.negative && n.digits != 0)
        return refuse(kind, s, error, "it is negative");
    if (n.digits == 0) {
        *out = 0;
        return true;
    }
    if (n.exponent < -MAX_POWER10)
        return refuse(kind, s, error, "finer than 1e-%d", MAX_POWER10);
    U128 den = 1;
    for (int e = n.exponent; e < 0; e++)
        den *= 10;
    if (n.exponent > 0 || n.digits > den)
        return refuse(kind, s, error, "it must lie between 0 and 1 (100%%)");
    *out = n.digits == den ? 1 : nearest_quotient(n.digits, den);
    return true;
}

/* value / factor with as many decimals as it takes; factor is a power of ten. */
static char *format_decimal(char buf[UNITS_STR_LEN], const char *sign, uint64_t value, uint64_t factor,
                            const char *unit)
{
    uint64_t whole = value / factor, rest = value % factor;
    char decimals[24] = "";
    size_t len = 0;

    if (rest != 0) {
        decimals[len++] = '.';
        for (; rest != 0; rest %= factor) {
            factor /= 10;
            decimals[len++] = (char)('0' + rest / factor);
        }
        decimals[len] = '\0';
    }
    snprintf(buf, UNITS_STR_LEN, "%s%" PRIu64 "%s%s", sign, whole, decimals, unit);
    return buf;
}

char *units_format_time(SimTime t, char buf[UNITS_STR_LEN])
{
    uint64_t v = t < 0 ? -(uint64_t)t : (uint64_t)t;
    const char *sign = t < 0 ? "-" : "";

    if (v == 0 || v >= 1000000000)
        return format_decimal(buf, sign, v, 1000000000, "s");
    if (v >= 1000000)
        return format_decimal(buf, sign, v, 1000000, "ms");
    if (v >= 1000)
        return format_decimal(buf, sign, v, 1000, "us");
    return format_decimal(buf, sign, v, 1, "ns");
}

char *units_format_rate(uint64_t rate_bps, char buf[UNITS_STR_LEN])
{
    if (rate_bps >= 1000000000000)
        return format_decimal(buf, "", rate_bps, 1000000000000, "Tbps");
    if (rate_bps >= 1000000000)
        return format_decimal(buf, "", rate_bps, 1000000000, "Gbps");
    if (rate_bps >= 1000000)
        return format_decimal(buf, "", rate_bps, 1000000, "Mbps");
    if (rate_bps >= 1000)
        return format_decimal(buf, "", rate_bps, 1000, "kbps");
    return format_decimal(buf, "", rate_bps, 1, "bps");
}

/* Whole numbers only: of the units that divide the size, the one that leaves the shortest number. */
char *units_format_size(uint64_t bytes, char buf[UNITS_STR_LEN])
{
    const char *unit = "B";
    uint64_t factor = 1;

    for (size_t i = 0; i < HS_ARRAY_LEN(size_units) && bytes != 0; i++) {
        if (size_units[i].factor > factor && bytes % size_units[i].factor == 0) {
            factor = size_units[i].factor;
            unit = size_units[i].name;
        }
    }
    snprintf(buf, UNITS_STR_LEN, "%" PRIu64 "%s", bytes / factor, unit);
    return buf;
}
