/* The conditions of a plan: breakpoints, watched values, the condition of `until`. Compiled in the process
 * that runs the scenario.
 *
 * As text, one a line: "ID KIND EXPRESSION". KIND is `c` (stop where it holds; what is not of a record: where
 * it begins to hold), `u` (the same, also if it holds already) or `w` (stop where its value has changed). */
#pragma once

#include "step/cond.h"

typedef struct StepWatches StepWatches;

/* NULL and *error. */
StepWatches *stepwatches_new(StepCond *cond, const char *text, char **error);
void stepwatches_free(StepWatches *w);
/* Takes the present values as known. Before the first event that is to be looked at. */
void stepwatches_prime(StepWatches *w);
/* Something stops here: its id in *id, and what there is to say (a value's change) in *text for g_free, or
 * NULL. An error in an expression also stops: *error. */
bool stepwatches_record(StepWatches *w, const ProbeRecord *r, uint32_t *id, char **text, char **error);
bool stepwatches_event(StepWatches *w, uint32_t *id, char **text, char **error);
/* Is there one that is asked behind records, or before events? */
bool stepwatches_wants_records(const StepWatches *w);
bool stepwatches_wants_events(const StepWatches *w);
