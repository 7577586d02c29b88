/* All probes of all models, made at build time from the sources by scripts/gen-probes. */
#pragma once

#include "sim/trace/probe.h"

extern const ProbeDesc *const probe_table[]; /* NULL at the end */

/* "neigh.state"; NULL: no such probe. */
const ProbeDesc *probe_by_name(const char *name);
/* The classes of the probes whose names begin so ("neigh.", ""); 0: there are none. */
uint64_t probe_classes_of(const char *prefix, size_t len);
