/* Traces that a link follows, read from text. Pure: bytes in, a struct out; models/link/link.h plays it.
 *
 * A schedule says what changes when, one line for each change:
 *
 *     # time  rate     delay  loss
 *     0       10Mbps   20ms   0
 *     1.5s    -        40ms   1%        '-' (or nothing at the line's end) leaves a value as it is
 *     2s      2Mbps
 *
 * with units as sim/base/units.h has them, times ascending.
 *
 * Delivery opportunities are Mahimahi's format (Netravali et al., USENIX ATC 2015; mm-link(1)): one whole
 * number of milliseconds for each line, never descending, each an opportunity to deliver up to 1504 bytes;
 * the same number on k lines means k opportunities at that time. After the last the trace repeats, shifted by
 * the last number. Blank lines and '#' comments are allowed here too; Mahimahi itself knows neither. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"

/* Mahimahi's PACKET_SIZE: an Ethernet payload of 1500 bytes and a TUN header of 4. */
#define LINKTRACE_OPPORTUNITY_BYTES 1504

#define LINKTRACE_ERROR (linktrace_error_quark())
GQuark linktrace_error_quark(void);

typedef enum LinkTraceError {
    LINKTRACE_ERROR_SYNTAX,
} LinkTraceError;

typedef enum LinkTraceKind {
    LINKTRACE_SCHEDULE,
    LINKTRACE_OPPORTUNITIES,
} LinkTraceKind;

typedef struct LinkTraceStep {
    SimTime time;
    bool sets_rate;
    bool sets_delay;
    bool sets_loss;
    uint64_t rate_bps; /* > 0 */
    SimTime delay;     /* >= 0 */
    double loss;       /* 0 … 1 */
} LinkTraceStep;

typedef struct LinkTrace {
    LinkTraceKind kind;
    LinkTraceStep *steps; /* SCHEDULE: at least one, times strictly ascending */
    size_t n_steps;
    uint32_t
        *opportunities_ms; /* OPPORTUNITIES: at least one, never descending; the last is the period, > 0 */
    size_t n_opportunities;
} LinkTrace;

/* NULL on error, whose message names name, line, value and what was expected. The text need not end in NUL.
 */
LinkTrace *linktrace_parse_schedule(const char *text, size_t n, const char *name, GError **error) HS_MUST_USE;
LinkTrace *linktrace_parse_opportunities(const char *text, size_t n, const char *name,
                                         GError **error) HS_MUST_USE;
void linktrace_free(LinkTrace *trace);

/* When opportunity i (0, 1, …) is, counted from the trace's begin, repetitions included; SIM_NEVER if time
 * ends first. */
SimTime linktrace_opportunity_time(const LinkTrace *trace, uint64_t i);
