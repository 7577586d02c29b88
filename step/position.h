/* A place in a run: so many events have begun, so many records were emitted since the last of them began.
 *
 *   {7, 0}  before event 7 happens: the place between two events
 *   {7, 3}  in event 7, just behind its third record
 *
 * What the scenario's main part does belongs to no event. Before the first one it is at {0, n}; where hs.run
 * returns to it, it counts like a record behind the last event's, and so does each record that it causes.
 *
 * Runs are deterministic, so a position names the same state in every process that executes the scenario. The
 * first event is number 1; the run's end is {last event + 1, 0}. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct StepPos {
    uint64_t event, record;
} StepPos;

#define STEP_POS_NEVER ((StepPos){UINT64_MAX, 0})
#define STEP_POS_START ((StepPos){0, 0}) /* before the scenario's first line */
#define STEP_POS_FIRST ((StepPos){1, 0})

static inline int steppos_compare(StepPos a, StepPos b)
{
    if (a.event != b.event)
        return a.event < b.event ? -1 : 1;
    return a.record < b.record ? -1 : a.record > b.record;
}
