/* What a run leaves in its folder without being asked for it by name (docs/traces.md, "The folder of a run").
 */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

typedef enum KeepKind {
    KEEP_CAPTURES = 1 << 0, /* capture.pcapng.lz4 */
    KEEP_EVENTS = 1 << 1,   /* events.jsonl */
    KEEP_SERIES = 1 << 2,   /* series/ */
    KEEP_PICTURES = 1 << 3, /* pictures/ */
    KEEP_ALL = KEEP_CAPTURES | KEEP_EVENTS | KEEP_SERIES | KEEP_PICTURES,
} KeepKind;

#define KEEP_CAPTURE_NAME "capture.pcapng.lz4"
#define KEEP_EVENTS_NAME "events.jsonl"

/* "all", or some of the names of kinds and "manifest" (which stands for none), joined by commas. False:
 * *error is a sentence for g_free. */
bool keep_parse(const char *list, unsigned *kinds, char **error) HS_MUST_USE;
/* The name of kind 1 << i; NULL behind the last one. */
const char *keep_name(unsigned i);
