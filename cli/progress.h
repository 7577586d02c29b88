/* The line on a terminal that shows how far a long run is. On stderr, redrawn at most five times a second,
 * taken away at the end. This is where wall-clock time lives. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/engine/sim.h"

typedef enum ProgressWish { PROGRESS_IF_TERMINAL, PROGRESS_ALWAYS, PROGRESS_NEVER } ProgressWish;

typedef struct Progress {
    bool is_on, is_drawn;
    SimTime until; /* SIM_NEVER: not known */
    gint64 started_us, drawn_us;
    uint64_t events_drawn;
} Progress;

void progress_init(Progress *p, ProgressWish wish, SimTime until);
/* Cheap enough for every poll. */
void progress_poll(Progress *p, const Sim *sim);
/* Takes the line away, before something else is printed or at the end. */
void progress_clear(Progress *p);

/* Real seconds since progress_init. */
double progress_seconds(const Progress *p);
/* "4.2 M events/s" */
char *progress_format_rate(double events_per_s, char *buf, size_t len);
