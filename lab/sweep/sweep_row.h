/* What one run of a sweep came to: a line of the journal, a row of the table. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef struct SweepValue {
    char *name, *unit, *help;
    bool has_value;
    double value;    /* finite, if has_value */
    GArray *samples; /* double; NULL: none */
    char *missing;   /* why there is no value */
} SweepValue;

typedef struct SweepRow {
    unsigned run;
    const char *status; /* one of sweep_statuses */
    char *detail;       /* why not ok; "" */
    bool has_end;       /* the scenario came to its end: what follows counts */
    uint64_t events;
    SimTime time;
    uint64_t sent, delivered, lost; /* frames */
    unsigned failed;                /* expectations */
    GPtrArray *param_names, *param_values;
    GPtrArray *results; /* SweepValue */
} SweepRow;

/* "ok", "failed": an expectation; "error": the scenario is wrong for these parameters; "limit"; these two
 * depend on the machine: "timeout", "crash". NULL at the end. */
extern const char *const sweep_statuses[];
#define SWEEP_OK "ok"
#define SWEEP_FAILED "failed"
#define SWEEP_ERROR "error"
#define SWEEP_LIMIT "limit"
#define SWEEP_TIMEOUT "timeout"
#define SWEEP_CRASH "crash"

SweepRow *sweep_row_new(unsigned run, const char *status, const char *detail);
void sweep_row_free(SweepRow *r); /* NULL is allowed */
bool sweep_row_is(const SweepRow *r, const char *status);

/* One line of JSON; numbers lose nothing. */
void sweep_row_write(const SweepRow *r, GString *out);
/* NULL: it is not such a line. */
SweepRow *sweep_row_read(JsonObject *object);

/* The shortest decimal number that is this double. */
char *sweep_row_number(double value, char *buf, size_t len);
