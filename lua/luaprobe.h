/* Values of probes' records in Lua. */
#pragma once

#include <lua.h>

#include "sim/trace/probe.h"

/* Numbers, truths and texts. False, and nothing is pushed: a time or an address, which scenarios get as
 * objects and the debugger's conditions as what they compare with. */
bool luaprobe_push(lua_State *L, ProbeKind kind, ProbeValue v);
