/* The tables of a sweep: one row a run, tidy, in the order of the grid, whatever order runs ended in; and one
 * row for each point of the grid and each result, with statistics over the seeds.
 *
 * Columns: run, seed, the scenario's parameters, status, counts that every run has, the scenario's results
 * (hs.result), detail. What a run has no value for is NA. */
#pragma once

#include "lab/sweep/sweep_row.h"
#include "lab/sweep/sweep_spec.h"
#include "sim/trace/outfile.h"
#include "view/stats.h"

typedef enum SweepColumnKind { SWEEP_FIXED, SWEEP_PARAM, SWEEP_RESULT } SweepColumnKind;

typedef struct SweepColumn {
    const char *name, *unit, *help;
    SweepColumnKind kind;
    int axis;       /* of a parameter: the axis of the grid; -1: none */
    bool is_number; /* what can be summarized */
} SweepColumn;

typedef struct SweepTable {
    const SweepSpec *spec;
    SweepRow *const *rows; /* all there, except when a sweep is looked at half-way */
    unsigned n_rows;
    GArray *columns;  /* SweepColumn */
    unsigned batches; /* of results with samples: batch means; 0: replication only */
} SweepTable;

SweepTable *sweep_table_new(const SweepSpec *spec, SweepRow *const *rows, unsigned batches);
void sweep_table_free(SweepTable *t);
/* NULL: there is none. */
const SweepColumn *sweep_table_column(const SweepTable *t, const char *name);
/* As text, for g_free: "NA". */
char *sweep_table_text(const SweepTable *t, unsigned run, const SweepColumn *c);
/* False: it is no number, or not there. Of a parameter "10ms" is 0.01. */
bool sweep_table_number(const SweepTable *t, unsigned run, const SweepColumn *c, double *out);
/* "10ms" in seconds, "10Mbps" in bit/s, "64KiB" in bytes, "1%", 0.01; *unit: "s", "bit/s", "byte", "". */
bool sweep_table_parse(const char *text, double *out, const char **unit);

/* Over the runs of a point. *missing: runs without a value. */
void sweep_table_summarize(const SweepTable *t, unsigned point, const SweepColumn *c, StatsSummary *out,
                           unsigned *missing);
bool sweep_table_has_batches(const SweepTable *t, const SweepColumn *c);

/* runs.tsv, runs.jsonl and summary.tsv. */
bool sweep_table_write(const SweepTable *t, const char *dir, GError **error) HS_MUST_USE;
unsigned sweep_table_summary_rows(const SweepTable *t);
/* A summary to be read: a line for each point, mean ± half the interval for each result. For g_string_free.
 */
GString *sweep_table_pretty(const SweepTable *t);
