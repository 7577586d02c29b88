/* The options that all commands have which look at a run (lab/run/observe.h). */
#pragma once

#include "cli/args.h"
#include "lab/run/observe.h"

/* clang-format off */
#define OBSERVE_OPTIONS(c)                                                                                   \
    {"seed", 's', ARG_COUNT, "N", "seed of every random stream (default 1)", &(c)->seed, &(c)->has_seed, NULL},  \
    {"set", 'p', ARG_LIST, "NAME=VALUE", "set a parameter of the scenario; may be repeated", (c)->set, NULL, NULL}, \
    {"until", 'u', ARG_TIME, "TIME", "end the run at this simulated time at the latest", &(c)->until, NULL, NULL}
/* clang-format on */
