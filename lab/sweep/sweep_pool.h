/* Runs of a sweep in processes of their own, several at a time: whatever happens to one, the others do not
 * notice. */
#pragma once

#include "lab/run/inputs.h"
#include "lab/sweep/sweep_row.h"
#include "lab/sweep/sweep_spec.h"

typedef struct SweepPoolConfig {
    const SweepSpec *spec;
    Inputs *inputs;
    const unsigned *todo; /* runs, in the order in which they begin */
    unsigned n_todo;
    unsigned jobs;   /* at a time */
    SimTime timeout; /* real time for each run; 0: none */
    int64_t (*clock_us)(void);
    /* A run has ended; takes the row. false: stop. */
    bool (*on_row)(void *user, SweepRow *row);
    /* Several times a second. false: stop. */
    bool (*on_tick)(void *user);
    void *user;
} SweepPoolConfig;

/* False: a callback said stop, or *error: no process could be started. Runs under way are then ended. */
bool sweep_pool_run(const SweepPoolConfig *config, GError **error);
