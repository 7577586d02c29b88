/* A run as something to move in, forwards and backwards. Owns the processes that execute it
 * (step/backend.h): the one that stands where we are, and sleeping checkpoints.
 *
 * Going back wakes the nearest checkpoint before the wanted place and executes from there. Checkpoints are
 * dense around the present place, and their distances grow with the distance from it: there are at most
 * max_marks. */
#pragma once

#include <glib.h>

#include "step/backend.h"

typedef struct StepTimeline StepTimeline;

typedef struct StepTimelineConfig {
    /* In a process of its own: runs the scenario once, with stepbackend_on_start and stepbackend_on_end. */
    void (*run)(void *user, StepBackend *b);
    uint64_t (*cpu_ns)(void *user);                         /* of the calling process */
    bool (*was_interrupted)(void *user);                    /* ^C came; asked again, it did not. NULL */
    void (*text)(void *user, const char *text, size_t len); /* what is shown on the way; whole lines */
    void *user;
    uint64_t checkpoint_ns; /* of CPU time between checkpoints; 0: the default */
    unsigned max_marks;     /* 0: the default */
    unsigned columns;       /* of the terminal; 0: the default */
    bool has_digest;
} StepTimelineConfig;

/* Runs to the first event. NULL: *error. */
StepTimeline *steptimeline_new(const StepTimelineConfig *config, char **error);
/* Ends all processes. */
void steptimeline_free(StepTimeline *t);

/* Where we stand, why, and what was said about it ("" if nothing). */
const StepStop *steptimeline_here(const StepTimeline *t);
const char *steptimeline_said(const StepTimeline *t);

/* Goes on from here. watches: conditions (step/watch.h) or NULL. false: the process ended itself, which is
 * told in *error; we stand where we were. */
bool steptimeline_go(StepTimeline *t, const StepPlan *plan, const char *watches, char **error);
bool steptimeline_goto(StepTimeline *t, StepPos pos, char **error);
/* Before the first event at that time or later. */
bool steptimeline_goto_time(StepTimeline *t, SimTime time, char **error);

/* Places before `before` that the plan (its scan, unit, count) finds: at most plan->count of them, the last
 * ones, in order; an array of StepMatch. *error: a condition is wrong. */
GArray *steptimeline_search(StepTimeline *t, const StepPlan *plan, const char *watches, StepPos before,
                            char **error);
/* What happened in an event: its facts, and its records as lines in *lines (for g_free). false: there is no
 * such event. */
bool steptimeline_event(StepTimeline *t, uint64_t event, StepEvent *out, char **lines);
/* A ladder of what happened between (step/ladder.h), for g_free. */
char *steptimeline_ladder(StepTimeline *t, const StepMatch *from, StepPos to);
void steptimeline_set_columns(StepTimeline *t, unsigned columns); /* of the ladders to come; 0: the default */
/* Shows the records in [from, to] that are of the unit and at the node (UINT32_MAX: anywhere). */
void steptimeline_show(StepTimeline *t, StepPos from, StepPos to, StepUnit unit, uint32_t node);

/* Asks the process that stands here, or one that stands there (step/inspect.h). Text for g_free; *fine false:
 * it says what is wrong. */
char *steptimeline_ask(StepTimeline *t, const char *query, bool *fine);
char *steptimeline_ask_at(StepTimeline *t, StepPos pos, const char *query, bool *fine);

/* The first place behind `from` where one of the watches stops; the run's end if there is none. */
StepPos steptimeline_next(StepTimeline *t, StepPos from, const char *watches);
