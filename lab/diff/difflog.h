/* Comparing two event logs (sim/trace/eventlog.h): where they first differ, with what came before. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

typedef struct DiffSide {
    const char *label; /* "a", "b" */
    const char *title; /* what was run, or the file */
    const char *path;  /* of the log */
} DiffSide;

typedef enum DiffResult { DIFF_SAME, DIFF_DIFFERENT, DIFF_ERROR } DiffResult;

typedef struct DiffStyle {
    unsigned context; /* records shown before the first difference */
    unsigned after;   /* and from there on, on each side */
    unsigned causes;  /* at most so many steps back from there */
    bool quiet;       /* only the exit status */
} DiffStyle;

/* Appended to out. DIFF_ERROR: *error says which file could not be read. */
DiffResult difflog_compare(GString *out, const DiffSide side[2], const DiffStyle *style, GError **error);
