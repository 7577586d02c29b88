/* What `hopscope run` says at the end. */
#pragma once

#include "lab/run/runner.h"

typedef struct RunSummaryStyle {
    double seconds;     /* of real time that the run took */
    bool digest, stats; /* are wanted */
} RunSummaryStyle;

/* On stdout: the summary (not with --quiet), failed expectations (with --quiet on stderr), digest and
 * statistics if they were asked for. After a wrong scenario nothing: its error has been told. */
void runsummary_print(const Runner *r, int status, const RunSummaryStyle *style);
