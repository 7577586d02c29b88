/* Numbers with units, as scenarios and command lines write them: "10Mbps", "20ms", "64KiB", "1%".
 *
 * The arithmetic is exact and in integers, never through a double or the C library's locale: "0.1ms" is
 * 100000 ns. A number is decimal digits with an optional point and an optional exponent ("1.5e3"), at most 30
 * significant digits; blanks may stand between number and unit, nowhere else. Units are case-sensitive: m is
 * milli, M is mega.
 *
 * On failure the functions return false, leave *out alone and set *error (if error is not NULL) to a sentence
 * for g_free: `"10 Mbs" is not a rate: unknown unit "Mbs" (expected bps, kbps, Mbps, ...)`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"

/* ns, us (or µs), ms, s, min, h; a unit is needed except for 0. Whole nanoseconds; may be negative. */
bool units_parse_time(const char *s, SimTime *out, char **error) HS_MUST_USE;

/* Bits per second: bps, kbps, Mbps, Gbps, Tbps, also written bit/s, kbit/s and so on. Bytes per second only
 * in the form that cannot be mistaken for bits: B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s. "Bps" is refused,
 * because tools disagree about it. Powers of 1000 unless the unit has an i. A unit is needed except for 0. */
bool units_parse_rate(const char *s, uint64_t *rate_bps, char **error) HS_MUST_USE;

/* Bytes: B (or nothing), kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024). "KB" is
 * refused: it is used for both. */
bool units_parse_size(const char *s, uint64_t *bytes, char **error) HS_MUST_USE;

/* A probability or share between 0 and 1: "1%", "0.01", "1e-2". The result is the nearest double. */
bool units_parse_ratio(const char *s, double *out, char **error) HS_MUST_USE;

/* How many: "10", "1e6", and k, M, G for thousands, millions, thousand millions. */
bool units_parse_count(const char *s, uint64_t *out, char **error) HS_MUST_USE;

/* The other way: short text that parses back to the same value ("20ms", "2.5Gbps", "64KiB", "1500B"). Return
 * buf. */
#define UNITS_STR_LEN 40
char *units_format_time(SimTime t, char buf[UNITS_STR_LEN]);
char *units_format_rate(uint64_t rate_bps, char buf[UNITS_STR_LEN]);
char *units_format_size(uint64_t bytes, char buf[UNITS_STR_LEN]);
