/* The process that runs the scenario, stops inside it, and answers questions there. It is made by
 * step/timeline.h and talks to it over a socket (step/plan.h).
 *
 * It stops in two places: before an event (Partition.on_event), and behind a record (a sink of the probe
 * bus). From time to time it makes a *checkpoint*: a copy of itself (fork: the memory is shared until
 * somebody writes) that sleeps on a socket of its own. Woken, a checkpoint copies itself again, so that it
 * stays, and the copy goes on from there: that is how time runs backwards. Nothing here writes to the
 * simulation; questions, which might fill a cache, are answered by a copy that ends with its answer. */
#pragma once

#include "lua/scenario.h"
#include "step/plan.h"

typedef struct StepBackend StepBackend;

typedef struct StepBackendConfig {
    int fd;          /* the socket */
    bool has_digest; /* the digest can be asked for; costs time */
    /* Of this process: what decides where checkpoints are worth their memory. NULL: there are none. */
    uint64_t (*cpu_ns)(void *user);
    uint64_t checkpoint_ns; /* of cpu_ns, between two; 0: the default */
    void *user;
} StepBackendConfig;

StepBackend *stepbackend_new(const StepBackendConfig *config);
/* Before the scenario's first line (ScenarioConfig.on_start). */
void stepbackend_on_start(StepBackend *b, Scenario *s);
/* hs.run has let its time pass: the scenario's main part goes on. */
void stepbackend_on_resume(StepBackend *b);
/* What the scenario prints: a line without its end. */
void stepbackend_on_print(StepBackend *b, const char *line);
/* The run is over, with this exit status; error is what was told about it, or "". The scenario is still
 * there, and is looked at until the other side has had enough: never returns. */
_Noreturn void stepbackend_on_end(StepBackend *b, int status, const char *error);
