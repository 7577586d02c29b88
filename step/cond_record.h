/* The names of a record for conditions (step/cond.h). */
#pragma once

#include <lua.h>

#include "models/node/net.h"
#include "models/wire/dissect.h"
#include "sim/trace/sink_frame.h"

#define STEP_FIELDS_MAX 192

typedef struct StepSeen { /* a field of a header */
    const char *name;
    WireLayerId layer;
    WireKind kind;
    uint64_t value;
    uint32_t at; /* of bytes: where */
} StepSeen;

/* The packet of the present record, dissected when somebody asks. */
typedef struct StepRecordView {
    Net *net;
    const ProbeRecord *r; /* NULL: none */
    bool wants_tables;    /* headers as tables, for printing; otherwise as tables that look their fields up */
    int lookups;          /* of these, in the registry */
    bool is_dissected;
    uint8_t *bytes;
    uint32_t len, cap;
    unsigned n;
    uint32_t payload;
    int depth;
    bool has[WIRE_N_LAYERS], is_over[WIRE_N_LAYERS];
    StepSeen seen[STEP_FIELDS_MAX];
} StepRecordView;

/* Makes what headers are looked up with; once, before anything is pushed. */
void steprecordview_open(lua_State *L, StepRecordView *v);
void steprecordview_set(StepRecordView *v, const ProbeRecord *r);
void steprecordview_clear(StepRecordView *v);
/* All names; returns how many were written. */
size_t step_record_names(const char **out, size_t max);
/* Pushes the value (nil: the record has none). */
void steprecordview_push(lua_State *L, StepRecordView *v, const char *name);
