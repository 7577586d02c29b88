/* Runs what somebody wants to look at, with an observer attached. What is looked at is a scenario, or the
 * folder of an earlier run: its manifest says which scenario ran with which seed and parameters, so that it
 * can run again, which takes less time than reading a log of everything, and needs no space. That it is the
 * same run is checked: the digests agree, or it fails. */
#pragma once

#include "lab/run/runner.h"

typedef struct ObserveConfig {
    const RunnerFront *front; /* NULL: nobody; hears no narration unless it has an on_print */
    const char *operand;      /* SCENARIO.lua, or a folder with a manifest.json, or such a manifest */
    uint64_t seed;            /* if has_seed; these four of a scenario only */
    bool has_seed;
    GPtrArray *set;      /* "name=value" */
    SimTime until;       /* SIM_NEVER */
    const char *out_dir; /* where the scenario's own files would go; NULL: they are not written */
    /* Before the scenario's first line: attach sinks to net_probes(scenario_net(s)). */
    void (*on_start)(void *user, Scenario *s);
    void (*on_print)(void *user, const char *line); /* what the scenario prints; NULL: goes nowhere */
    void (*on_resume)(void *user);                  /* hs.run returns to the main part; NULL */
    void *user;
} ObserveConfig;

/* Runs it without narration. Returns EXIT_OK (also when an expectation failed: there is something to look at)
 * or the exit status of what went wrong, which has been told. The scenario's network is there until
 * runner_clear(r), which is to be called in any case. */
int observe_run(Runner *r, const ObserveConfig *config);
/* The scenario that ran, as the user knows it: for titles and file names. "" if it did not come so far. */
const char *observe_scenario(const Runner *r);
