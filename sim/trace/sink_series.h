/* Time series as tab-separated text: one column for each field of a probe that was asked for, one row for
 * each instant at which one of them was reported, times in seconds with nine decimals.
 *
 *     # time (s)    client:eth0 queue.length packets    client:eth0 queue.length bytes
 *     0.001000000   1                                   1514
 *
 * A column keeps its value until the next report ("nan" before the first). Within one instant the last report
 * counts. With a period there is at most one row for each multiple of it, of the last reports up to then:
 * what a plot of a long run needs. Units are part of the names (units last: "length_bytes"), and times are
 * converted to seconds. gnuplot, R and pandas read it; the file gets its name only when it is complete
 * (OUTFILE_WHOLE). */
#pragma once

#include <glib.h>

#include "sim/trace/probe.h"

typedef struct SinkSeries SinkSeries;

/* NULL and *error: cannot write. */
SinkSeries *sink_series_new(Probes *probes, const char *path, GError **error) HS_MUST_USE;

/* Rows at multiples of the period only; 0: whenever something was reported. Before the first record. */
void sink_series_set_period(SinkSeries *s, SimTime period);
/* Columns come before the first record. cls PROBE_CLASSES: not known, any but those of frames. event is the
 * probe's name ("queue.length"), field one of its fields, place a pattern of "node:point". title NULL: made
 * from the three. */
void sink_series_add_column(SinkSeries *s, ProbeClass cls, const char *event, const char *field,
                            const char *place, const char *title);
/* All fields of a probe. */
void sink_series_add_probe(SinkSeries *s, const ProbeDesc *desc, const char *place);

uint64_t sink_series_rows(const SinkSeries *s); /* so far, the one that may still change included */

/* Both detach and free s. A column that nothing matched is no error: it is all "nan". */
bool sink_series_close(SinkSeries *s, GError **error);
void sink_series_discard(SinkSeries *s); /* NULL is allowed */
