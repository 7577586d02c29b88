/* The names of a socket's facts in code blocks: tcpi_…, the congestion controller's, SK_MEMINFO_…. */
#pragma once

#include "packetdrill/pd_stack.h"

/* Tells every name that a code block may use with this snapshot. */
typedef void (*PdInfoFn)(void *user, const char *name, uint64_t value);
void pd_info_foreach(const PdSnapshot *s, PdInfoFn fn, void *user);
/* Constants: TCP_ESTABLISHED, TCP_CA_Recovery, TCPI_OPT_SACK, … */
void pd_info_foreach_constant(PdInfoFn fn, void *user);
/* One field of a TCP_INFO by its name with the prefix; false: no such field. */
bool pd_info_tcp(const PdSnapshot *s, const char *name, uint64_t *value);
