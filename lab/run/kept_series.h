/* Series that a run leaves in its folder: what TCP's senders knew, and the lengths of queues, as tables. Made
 * of what a PlotSink has collected, so that they stay readable however long the run was: of a series with
 * more than PLOT_SERIES_LIMIT points the first, smallest, largest and last value of each interval are there.
 *
 *     connection  flow                       time_s       cwnd  ssthresh  inflight  state       rtt_s  …
 *     1           client:40000>server:5001   0.004000000  10    NA        1         slow_start  0.042  …
 *
 * One line of names, then a row for each time at which something changed; what was not reported yet is NA.
 * Connections follow each other with two empty lines between them: gnuplot's `index`, which R and pandas
 * skip. */
#pragma once

#include <glib.h>

#include "view/plot_sink.h"

typedef struct KeptTable {
    unsigned blocks; /* connections, queues; 0: there was nothing to write, and no file */
    uint64_t rows;
    bool is_thinned;
} KeptTable;

/* False and *error: the file cannot be written. The sink is sealed. */
bool kept_series_tcp(const PlotSink *sink, const char *path, KeptTable *out, GError **error) HS_MUST_USE;
/* Queues in which something waited behind something else. */
bool kept_series_queues(const PlotSink *sink, const char *path, KeptTable *out, GError **error) HS_MUST_USE;
