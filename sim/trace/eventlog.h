/* The event log: one record of the probe bus is one line of JSON. It is what `run --events` writes, what
 * `diff` compares, and easy on jq and pandas. The members come in this order, each line complete in itself:
 *
 *     {"time":0.001000000,"node":"client","point":"eth0","event":"frame.tx",
 *      "frame":{"len":60,"birth":"client/0","fcs":"9c1c7003","summary":"who-has 10.0.0.2 tell 10.0.0.1"}}
 *     {"time":0.001010240,"node":"client","point":"eth0","event":"neigh.state","ip":"10.0.0.2","old":"incomplete",…}
 *
 * Times are seconds with nine decimals, exact. "fcs" is the CRC-32 over the frame's true bytes as Ethernet
 * computes it: two frames that differ in one bit differ in it. The numbers are those of the simulation;
 * nothing in a line depends on who else watches. */
#pragma once

#include <glib.h>

#include "sim/trace/probe.h"

/* The caller's words for a frame's bytes (sim/ knows no protocol); writes one line into buf. */
typedef void (*EventlogSummary)(void *user, uint16_t linktype, const uint8_t *bytes, size_t len, char *buf,
                                size_t buf_len);

typedef struct EventlogFormat {
    EventlogSummary summary; /* NULL: no summary */
    void *user;
    Sim *sim; /* to name the node where a packet was born */
} EventlogFormat;

/* Appends the line without its end. */
void eventlog_append_record(GString *line, const EventlogFormat *format, const ProbeRecord *r);
/* An executed event of the engine: {"time":…,"node":"client","event":"engine.event","seq":17}: the node that
 * scheduled it, and its number there. */
void eventlog_append_event(GString *line, const EventlogFormat *format, SimTime time, uint64_t key);

/* A field's value as text without quotes, as series and summaries show it: times in seconds, addresses in
 * their usual form. */
void eventlog_append_value(GString *text, ProbeKind kind, ProbeValue value);

/* Classes by name: "tx", "rx", "drop", "queue", "link", "switch", "neigh", "route", "ip", "udp", "socket",
 * "tcp", "app", "log". */
extern const char *const eventlog_class_names[PROBE_CLASSES];
/* What a selection may say beside classes. */
#define EVENTLOG_ENGINE_EVENTS (UINT64_C(1) << 63)
/* A comma-separated list of classes, of the groups "frames" (tx, rx, drop), "state" (all but frames),
 * "engine" (executed events) and "all" (all classes, not engine), into bits of PROBE_BIT. False: *error is a
 * sentence for g_free. */
bool eventlog_parse_classes(const char *list, uint64_t *mask, char **error) HS_MUST_USE;

/* "client:eth0", or "client" without a point, matches a pattern of '*' and '?': "client:*", "client" (=
 * "client:*"), "*:eth0". */
bool eventlog_matches(const char *pattern, const char *node, const char *point);
