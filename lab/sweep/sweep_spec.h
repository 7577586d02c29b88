/* What a sweep is: a scenario, a grid of parameters, seeds. Run r (from 0) is point r / seeds of the grid
 * with seed r % seeds; the last axis of the grid changes fastest. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef struct SweepAxis {
    char *name;
    GPtrArray *values; /* as they are given to the scenario */
    GPtrArray *shown;  /* as the scenario understands them: "0.01" for 1%; the same until the check */
} SweepAxis;

typedef struct SweepSpec {
    char *version;  /* of hopscope */
    char *scenario; /* path */
    char *digest;   /* of the texts of the scenario; NULL until it is known */
    GPtrArray *set; /* "name=value" */
    GPtrArray *axes;
    GArray *seeds; /* uint64_t */
    SimTime until; /* SIM_NEVER */
    uint64_t max_events, max_memory;
} SweepSpec;

SweepSpec *sweep_spec_new(const char *scenario);
void sweep_spec_free(SweepSpec *s);
/* "name=list"; on failure *error for g_free. */
bool sweep_spec_add_axis(SweepSpec *s, const char *text, char **error) HS_MUST_USE;

#define SWEEP_RUNS_MAX 1000000u /* and fewer */
unsigned sweep_spec_points(const SweepSpec *s);
unsigned sweep_spec_runs(const SweepSpec *s);
/* The index into the axis's values. */
unsigned sweep_spec_at(const SweepSpec *s, unsigned point, unsigned axis);
uint64_t sweep_spec_seed(const SweepSpec *s, unsigned run);
/* For ScenarioConfig.params: name=value … NULL, for g_strfreev. */
char **sweep_spec_params(const SweepSpec *s, unsigned point);
/* "loss=0.01 rtt=10ms": for messages; with the seed as `hopscope run` wants them. */
char *sweep_spec_describe(const SweepSpec *s, unsigned run);

/* One line of JSON. */
void sweep_spec_write(const SweepSpec *s, GString *out);
/* NULL: it is not such a line. */
SweepSpec *sweep_spec_read(JsonObject *object);
/* NULL: the same sweep. Otherwise in what `now` differs from what was, as a sentence for g_free. */
char *sweep_spec_difference(const SweepSpec *was, const SweepSpec *now);
