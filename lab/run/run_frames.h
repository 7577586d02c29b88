/* Frames on all links of a network, in all directions. */
#pragma once

#include "models/node/net.h"

typedef struct RunFrames {
    uint64_t sent, delivered, lost;
} RunFrames;

RunFrames run_frames_count(const Net *net);
