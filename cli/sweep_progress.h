/* How far a sweep is: a line on a terminal, redrawn; lines now and then where it is asked for in a pipe or a
 * file. On stderr. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

typedef struct SweepProgress {
    bool is_on, is_terminal, is_drawn;
    unsigned all, before; /* runs; done by an earlier process */
    unsigned done, bad;   /* by this one; of all that are done, not ok */
    unsigned tenths;      /* shown */
    gint64 started_us, drawn_us;
} SweepProgress;

void sweep_progress_begin(SweepProgress *p, bool is_on, unsigned all, unsigned before);
/* Cheap: draws when it is time. */
void sweep_progress_poll(SweepProgress *p);
void sweep_progress_end(SweepProgress *p);

/* "40 s", "12 min", "3.5 h". */
char *sweep_progress_time(double seconds, char *buf, size_t len);
