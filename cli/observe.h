/* Runs what a user wants to look at, with an observer attached. What is looked at is a scenario, or the
 * folder of an earlier run: its manifest says which scenario ran with which seed and parameters, so that it
 * can run again, which takes less time than reading a log of everything, and needs no space. That it is the
 * same run is checked: the digests agree, or the command fails. */
#pragma once

#include "cli/args.h"
#include "cli/runner.h"

typedef struct ObserveConfig {
    const char *command; /* for messages: "ladder" */
    const char *operand; /* SCENARIO.lua, or a folder with a manifest.json, or such a manifest */
    uint64_t seed;       /* of --seed, if has_seed */
    bool has_seed;
    GPtrArray *set;      /* of --set: "name=value" */
    SimTime until;       /* of --until; SIM_NEVER */
    const char *out_dir; /* where the scenario's own files would go; NULL: they are not written */
    ProgressWish progress;
    /* Before the scenario's first line: attach sinks to net_probes(scenario_net(s)). */
    void (*on_start)(void *user, Scenario *s);
    void (*on_print)(void *user, const char *line); /* what the scenario prints; NULL: goes nowhere */
    void (*on_resume)(void *user);                  /* hs.run returns to the main part; NULL */
    void *user;
} ObserveConfig;

/* The options that all such commands have; an operand that is a run's folder allows none of them. */
#define OBSERVE_OPTIONS(c)                                                                                   \
    {"seed",         's', ARG_COUNT, "N", "seed of every random stream (default 1)", &(c)->seed,             \
     &(c)->has_seed, NULL},                                                                                  \
        {"set",    'p',  ARG_LIST, "NAME=VALUE", "set a parameter of the scenario; may be repeated",         \
         (c)->set, NULL, NULL},                                                                              \
    {                                                                                                        \
        "until", 'u', ARG_TIME, "TIME", "end the run at this simulated time at the latest", &(c)->until,     \
            NULL, NULL                                                                                       \
    }

/* Runs it without narration. Returns EXIT_OK (also when an expectation failed: there is something to look at)
 * or the exit status of what went wrong, which has been told. The scenario's network is there until
 * runner_clear(r), which is to be called in any case. */
int observe_run(Runner *r, const ObserveConfig *config);
/* The scenario that ran, as the user knows it: for titles and file names. "" if it did not come so far. */
const char *observe_scenario(const Runner *r);
