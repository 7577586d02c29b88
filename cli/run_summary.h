/* What `hopscope run` says at the end. */
#pragma once

#include "cli/runner.h"

/* Frames on all links of the network, in all directions. */
typedef struct RunFrames {
    uint64_t sent, delivered, lost;
} RunFrames;
RunFrames runsummary_frames(const Net *net);

/* On stdout: the summary (not with --quiet), failed expectations (with --quiet on stderr), digest and
 * statistics if they were asked for. After a wrong scenario nothing: its error has been told. */
void runsummary_print(const Runner *r, int status, bool digest, bool stats);
