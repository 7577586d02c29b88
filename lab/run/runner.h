/* One run of a scenario with its outputs. Whoever sits in front of it (RunnerFront) says when to stop, hears
 * what the scenario prints and what went wrong; nothing here prints or looks at a clock. */
#pragma once

#include "lab/run/inputs.h"
#include "lab/run/outputs.h"
#include "lua/scenario.h"

typedef enum RunnerStop { RUNNER_ENDED, RUNNER_INTERRUPTED, RUNNER_WALL, RUNNER_BROKEN } RunnerStop;

typedef enum RunnerSays {
    RUNNER_SAYS,          /* a sentence */
    RUNNER_SAYS_SCENARIO, /* an error of the scenario, "FILE:LINE: …", with its traceback; lines */
} RunnerSays;

/* NULL, any of them: nobody cares. */
typedef struct RunnerFront {
    void (*on_begin)(void *user, SimTime until);
    void (*on_print)(void *user, const char *line); /* what the scenario prints */
    /* Now and then. RUNNER_ENDED: go on. */
    RunnerStop (*on_poll)(void *user, const Sim *sim, SimTime until);
    void (*on_end)(void *user); /* time has stopped; files are still to be completed */
    void (*tell)(void *user, RunnerSays says, const char *text);
    void *user;
} RunnerFront;

typedef struct Runner Runner;

typedef struct RunnerConfig {
    ScenarioConfig scenario; /* callbacks are the runner's */
    OutputsConfig outputs;
    const RunnerFront *front; /* NULL: nobody */
    Inputs *inputs;           /* what is read from the disk is kept in it; NULL: nobody wants it */
    bool replay;              /* inputs holds everything that is read; the disk is not asked */
    bool limit_is_known;      /* that it is reached is not worth a message */
    /* All that can be checked before time passes was right, and no file has been replaced yet. NULL: nobody
     * cares. */
    bool (*prepare)(void *user, GError **error);
    /* The run has ended; files are replaced only if this agrees. NULL: they are replaced when it begins. */
    bool (*accept)(void *user, const Runner *r, GError **error);
    void *prepare_user; /* of both */
    /* Somebody else who watches: before the scenario's first line. NULL: nobody. */
    void (*observer_start)(void *observer, Scenario *s);
    void (*observer_print)(void *observer, const char *line); /* likewise */
    void (*observer_resume)(void *observer);                  /* hs.run returns to the main part; NULL */
    void *observer;
} RunnerConfig;

struct Runner {
    RunnerConfig config;
    Scenario *scenario;
    Outputs *outputs;
    RunnerStop stop;
    bool has_begun; /* time may pass: there is a run; false: a limit or ^C ended the main part before */
    GError *error;  /* of RUNNER_BROKEN */
};

/* Runs, completes or sets aside the outputs, tells errors. Returns the exit status. runner_clear afterwards
 * in any case. */
int runner_run(Runner *r, const RunnerConfig *config);
void runner_clear(Runner *r);

/* The folder exists and files can be made in it; otherwise false and *error, and no folder was made. *made:
 * the uppermost of those that were not there, NULL if dir was; for g_free. made NULL: nobody wants to know.
 */
bool runner_make_folder(const char *dir, char **made, GError **error) HS_MUST_USE;
/* Those again, as far as they are empty. */
void runner_remove_folder(const char *dir, const char *made);
