/* A record of an event log as `diff` shows it. */
#pragma once

#include <glib.h>

#include "sim/base/simtime.h"
#include "sim/trace/eventlog_json.h"

/* The text of a member as it stands, quotes included; NULL: there is none. */
const char *diff_record_member(const EventlogMember *m, const char *name);
/* A string's text without its quotes, or a number; "" if there is none. For g_free. */
char *diff_record_text(const EventlogMember *m, const char *name);
/* Exact; -1: there is none. */
SimTime diff_record_time(const EventlogMember *m);

/* "     12.345678901  client:eth0      frame.tx         10.0.0.1 > 10.0.0.2: …" behind a mark. */
void diff_record_print(GString *out, const char *mark, const EventlogMember *m);
