/* Work in processes of its own, several at a time, so that what happens to one (a crash, a run without end)
 * is its failure alone. Forked without exec: a job sees everything that its parent had in memory. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef struct JobResult {
    unsigned job;
    const char *answer; /* what the job's function returned; NULL: it did not come to that */
    const char *said;   /* what it wrote to stdout and stderr, cut after JOBS_SAID_MAX bytes */
    int wait_status;    /* as from waitpid */
    bool is_late;       /* it was ended because its time was over */
    double seconds;     /* of real time */
} JobResult;

#define JOBS_SAID_MAX (UINT32_C(1) << 20)

typedef struct JobsConfig {
    unsigned n_jobs, at_a_time;
    SimTime timeout;           /* real time for each; 0: none */
    int64_t (*clock_us)(void); /* real time */
    /* In the job's process. The answer (no NUL in it) is sent to the parent. */
    char *(*work)(void *user, unsigned job);
    /* In the parent, in order of their ends. False: no more of them are wanted. */
    bool (*on_result)(void *user, const JobResult *r);
    /* Ten times a second. False: stop. */
    bool (*on_tick)(void *user);
    void *user;
} JobsConfig;

/* False: a callback said stop, or *error: no process could be started. Those under way are then ended. */
bool jobs_run(const JobsConfig *config, GError **error);
