/* The little of JSON (RFC 8259) that traces need: writing text that is valid whatever the bytes were, and
 * reading one object of a log line back as a flat list. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

/* "text" with quotes. Bytes that are not UTF-8 become U+FFFD, control characters are escaped. */
void eventlog_json_string(GString *out, const char *text, size_t n);
/* ,"name": (without the comma directly after '{' or '['). */
void eventlog_json_key(GString *out, const char *name);
/* Seconds with nine decimals: a number that loses nothing. */
void eventlog_json_time(GString *out, int64_t time_ns);

/* One member of a flattened object: members of nested objects have names like "frame.len". Value is the JSON
 * text as it stands, quotes included. */
typedef struct EventlogMember {
    const char *name;
    const char *value;
} EventlogMember;

/* The members in the order of the text, as an array of EventlogMember that ends with a NULL name; NULL and
 * *error
 * ("column 17: expected ':'") when the text is not one JSON object. Everything lives in one block, for
 * g_free. */
EventlogMember *eventlog_json_read(const char *text, size_t n, char **error) HS_MUST_USE;
