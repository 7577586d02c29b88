/* A system call of a script, made on the machine that we run on. */
#pragma once

#include "packetdrill/pd_stack.h"

/* `cc`: the congestion control of new TCP sockets (a namespace may not choose every one of them as its
 * default). Sets everything in *out but at_ns. false and *error: not a call that can be made here. */
bool lnx_call_run(const PdCall *call, const char *cc, PdResult *out, char **error);

/* A copy that lives on its own, for another thread. */
PdCall *lnx_call_copy(const PdCall *call);
void lnx_call_free(PdCall *call);

bool lnx_call_snapshot(int fd, PdSnapshot *out, char **error);
