/* Numbers of two event logs side by side: each field at each place as a series, at common times. */
#pragma once

#include "lab/diff/difflog.h"
#include "sim/base/simtime.h"

typedef struct DiffSeriesConfig {
    const char *names; /* "cwnd,queue,tcp.rtt.rto_ms" */
    const char *place; /* pattern of "node:point"; NULL: everywhere */
    SimTime every;     /* 0: about twenty rows */
    bool tsv, quiet;
} DiffSeriesConfig;

/* Is that a list of known names, or of PROBE.FIELD? A sentence for g_free, or NULL: it is. */
char *diff_series_check(const char *names);

/* Appended to out. DIFF_ERROR: *error says which file could not be read. */
DiffResult diff_series_compare(GString *out, const DiffSide side[2], const DiffSeriesConfig *config,
                               GError **error);
