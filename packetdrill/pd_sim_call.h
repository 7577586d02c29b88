/* System calls of a script on the socket layer. */
#pragma once

#include "packetdrill/pd_sim_priv.h"

/* As PdStackOps.call. */
bool pd_sim_call(PdSim *s, const PdCall *call, PdResult *out, char **error);
bool pd_sim_call_is_done(const PdSim *s);
/* The result of the call that slept and has returned; false: it sleeps still, or there is none. */
bool pd_sim_call_take(PdSim *s, PdResult *out);
void pd_sim_call_forget(PdSim *s);
