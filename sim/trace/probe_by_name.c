/* Looking probes up by their names. The table itself is generated. */
#include <string.h>

#include "sim/trace/probe_table.h"

const ProbeDesc *probe_by_name(const char *name)
{
    for (const ProbeDesc *const *d = probe_table; *d; d++)
        if (strcmp((*d)->name, name) == 0)
            return *d;
    return NULL;
}

uint64_t probe_classes_of(const char *prefix, size_t len)
{
    uint64_t mask = 0;

    for (const ProbeDesc *const *d = probe_table; *d; d++)
        if (strncmp((*d)->name, prefix, len) == 0)
            mask |= PROBE_BIT((*d)->cls);
    return mask;
}
