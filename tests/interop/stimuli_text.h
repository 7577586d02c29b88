/* What stimuli_run wrote down, as text. */
#pragma once

#include "tests/interop/stimuli.h"

/* The script again, with what the stack really sent and what calls really returned; times in whole
 * milliseconds, each counted from the line before. */
void stimuli_format_script(GString *out, const PdScript *script, const GPtrArray *items);

/* One line each: "TIME what", times in seconds from the start. Aggregates are cut into segments (PSH at
 * the last one only) and TS val is left out, so that two stacks can be compared. */
void stimuli_format_trace(GString *out, const PdScript *script, const GPtrArray *items);
