/* The terminal in front of a run: what the scenario prints, errors, progress, ^C, limits of real time. */
#pragma once

#include "cli/progress.h"
#include "lab/run/runner.h"

typedef struct Console {
    const char *command; /* for messages: "run" */
    ProgressWish progress;
    bool mute;        /* what the scenario prints goes nowhere */
    SimTime max_wall; /* of real time; 0: no limit */
    double seconds;   /* of real time that the run took; afterwards */
    Progress bar;
    RunnerFront front;
} Console;

/* For RunnerConfig, while c lives. */
const RunnerFront *console_front(Console *c);

/* "hopscope run: TEXT" on stderr, after all that was printed. Returns EXIT_WRONG. */
int console_tell(const char *command, const char *text);
/* The same of an error, which is freed. */
int console_tell_error(const char *command, GError *error);
