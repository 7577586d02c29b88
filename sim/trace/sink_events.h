/* Writes records of the probe bus as JSON Lines (sim/trace/eventlog.h has the format). The file is a stream:
 * what a killed run leaves is readable up to its last whole line. */
#pragma once

#include "sim/trace/eventlog.h"
#include "sim/trace/outfile.h"

typedef struct SinkEvents SinkEvents;

typedef struct SinkEventsConfig {
    const char *path;
    uint64_t classes; /* bits of PROBE_BIT, and EVENTLOG_ENGINE_EVENTS */
    const char *const
        *names; /* patterns of event names, "neigh.*"; NULL at the end; NULL: all of the classes */
    const char *const *places; /* patterns of "node:point"; NULL: everywhere */
    uint64_t max_each;         /* records of one name that are written, the first ones; 0: all */
    EventlogFormat format;
    OutHold *hold; /* for the file (sim/trace/outfile.h); NULL: none */
} SinkEventsConfig;

/* Strings must outlive the sink. */
SinkEvents *sink_events_new(Probes *probes, const SinkEventsConfig *config, GError **error) HS_MUST_USE;
/* For Partition.on_event with the SinkEvents as user, when engine events are wanted; the caller sets it. */
void sink_events_on_event(void *user, SimTime time, uint64_t key);
bool sink_events_wants_engine(const SinkEvents *s);
uint64_t sink_events_records(const SinkEvents *s);
/* Of max_each: names of which some were left out, in the order in which that began; NULL behind the last one.
 */
const char *sink_events_cut(const SinkEvents *s, unsigned i);
uint64_t sink_events_left_out(const SinkEvents *s); /* so many records */
bool sink_events_has_failed(const SinkEvents *s);

/* Both detach and free s. */
bool sink_events_close(SinkEvents *s, GError **error);
void sink_events_discard(SinkEvents *s); /* NULL is allowed */
