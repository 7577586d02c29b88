/* What backend.c and backend_serve.c share. */
#pragma once

#include <glib.h>

#include "sim/trace/sink_digest.h"
#include "step/backend.h"
#include "step/cond.h"
#include "step/ladder.h"
#include "step/seqs.h"
#include "step/watch.h"

struct StepBackend {
    StepBackendConfig config;
    Scenario *scenario;
    Net *net;
    Partition *part;
    ProbeSink sink;
    SinkDigest *digest;
    void (*next_on_event)(void *user, SimTime time, uint64_t key);
    void *next_user;
    StepCond *cond;
    StepSeqs *seqs;
    GString *printed;     /* lines of the scenario that were not shown yet */
    Story *story;         /* of the plan's ladder */
    StepWatches *watches; /* the plan's conditions */
    StepPlan plan;
    StepPos pos, last; /* and where the event before this began */
    uint64_t key;      /* of the event that happens */
    uint64_t shown, found;
    const ProbeRecord *record; /* where it stands behind one; NULL: before an event */
    bool is_shown;             /* that record was shown when it came */
    bool is_main;              /* the scenario's main part is at work, no event */
    bool was_main;             /* it was, since the last event */
    bool is_ended, is_free;    /* nobody is told of records while a query is answered */
    int status;
    const char *error;
    uint64_t next_look;          /* events */
    uint64_t mark_at, mark_cost; /* cpu_ns: of the last checkpoint */
    StepEvent told;              /* the plan's tell_event */
    GString *told_text;
    GArray *matches; /* StepMatch: a search's, the last plan.count of them */
    bool has_before, has_mark;
    bool is_woken; /* a checkpoint has just begotten this process */
};

/* Tells where it stopped, and serves until there is another plan, which is then in b->plan. */
void stepbackend_stop(StepBackend *b, StepWhy why, uint32_t break_id, const char *text);
/* Serves without having told anything: a process that has just been woken. */
void stepbackend_serve(StepBackend *b);
/* A new plan was taken. */
void stepbackend_begin(StepBackend *b);
/* Makes a checkpoint. Returns in the process that goes on, and later in those that the checkpoint begets. */
void stepbackend_mark(StepBackend *b);
