/* What a run, or work on runs, ended with: the exit statuses of the command. */
#pragma once

enum {
    EXIT_OK = 0,
    EXIT_UNEXPECTED = 1, /* an expectation failed; runs differ; a frame is malformed */
    EXIT_WRONG = 2,      /* usage, scenario or environment */
    EXIT_LIMIT = 3,      /* a limit was hit */
    EXIT_INTERRUPTED = 130,
};
