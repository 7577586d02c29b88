/* One run of a scenario from the command line's point of view: set-up, limits in real time, ^C, progress,
 * outputs. Shared by `run` and `diff`. */
#pragma once

#include "cli/inputs.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "lua/scenario.h"

typedef struct RunnerConfig {
    const char *command;     /* for messages: "run" */
    ScenarioConfig scenario; /* callbacks are the runner's */
    OutputsConfig outputs;
    SimTime max_wall; /* of real time; 0: no limit */
    ProgressWish progress;
    Inputs *inputs;      /* what is read from the disk is kept in it; NULL: nobody wants it */
    bool replay;         /* inputs holds everything that is read; the disk is not asked */
    bool limit_is_known; /* that it is reached is not worth a message */
    bool mute;           /* what the scenario prints goes nowhere */
    /* Somebody else who watches: before the scenario's first line. NULL: nobody. */
    void (*observer_start)(void *observer, Scenario *s);
    void (*observer_print)(void *observer, const char *line); /* likewise; what it prints although muted */
    void (*observer_resume)(void *observer);                  /* hs.run returns to the main part; NULL */
    void *observer;
} RunnerConfig;

typedef enum RunnerStop { RUNNER_ENDED, RUNNER_INTERRUPTED, RUNNER_WALL, RUNNER_BROKEN } RunnerStop;

typedef struct Runner {
    RunnerConfig config;
    Scenario *scenario;
    Outputs *outputs;
    Progress progress;
    RunnerStop stop;
    GError *error;  /* of RUNNER_BROKEN */
    double seconds; /* of real time */
} Runner;

/* Runs, completes or sets aside the outputs, tells errors on stderr. Returns the exit status. runner_clear
 * afterwards in any case. */
int runner_run(Runner *r, const RunnerConfig *config);
void runner_clear(Runner *r);

/* The folder exists and files can be made in it; otherwise a message on stderr and false. */
bool runner_make_folder(const char *command, const char *dir);
