/* What led to a record of an event log: the chain of causes as far as the log tells it.
 *
 *   a frame arrived          because it was sent at the other end of the link
 *   a frame was sent         because it had arrived here (a router), or a protocol made it, earlier if it
 * waited a protocol did something because a frame arrived, or a timer fired, at the same instant a timer
 * fired            because it was set
 *
 * Where the log has no such record, a process of the node or something that is not recorded did it. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/trace/eventlog_json.h"

/* A log in memory and the place of a line in it. */
typedef struct DiffPlace {
    const char *text;
    size_t len, at;
} DiffPlace;

/* The record there, for g_free; NULL: it is none. */
EventlogMember *diff_cause_read(const DiffPlace *place);

/* The place of what caused the record there, and why, in words ("sent"); false: the log does not say. */
bool diff_cause_find(const DiffPlace *of, DiffPlace *cause, const char **why);

/* The first record from `place` on that says the same as m, at whatever time. */
bool diff_cause_find_same(const DiffPlace *from, const EventlogMember *m, DiffPlace *same);
/* The next record there of the same packet, whatever it says. */
bool diff_cause_find_packet(const DiffPlace *from, const EventlogMember *m, DiffPlace *next);
