/* Errors of scenarios: running Lua under a handler, and composing messages that name the scenario's own line.
 *
 * A LuaErr owns its texts: message is "FILE:LINE: what is wrong", traceback is one line per scenario frame,
 * innermost first ("" if there is nothing to tell). Functions that fill one want it empty ({0}) and leave it
 * so on success. The raising functions are for bindings: they own nothing and never return (free what you
 * hold before). */
#pragma once

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "lua/sandbox.h"
#include "sim/base/base.h"

typedef enum LuaErrClass {
    LUAERR_NONE,
    LUAERR_SCENARIO, /* the scenario is wrong: exit code 2 */
    LUAERR_LIMIT,    /* it ran into a limit: exit code 3 */
} LuaErrClass;

typedef struct LuaErr {
    LuaErrClass class;
    char *message;
    char *traceback;
} LuaErr;

void luaerr_clear(LuaErr *err);
int luaerr_exit_code(const LuaErr *err);

/* Compiles a chunk (text only) and pushes it. chunkname is "@FILE" for a scenario's file, "=NAME" for the
 * host's. */
bool luaerr_load(lua_State *L, const char *text, size_t len, const char *chunkname, LuaErr *err) HS_MUST_USE;
/* lua_pcall as one entry into the sandbox. On failure the function and its arguments are gone and nothing is
 * pushed. */
bool luaerr_call(lua_State *L, int nargs, int nresults, LuaErr *err) HS_MUST_USE;
/* Calls fn with data as its only (light userdata) argument: for hosts that must allocate in Lua. */
bool luaerr_protect(lua_State *L, lua_CFunction fn, void *data, LuaErr *err) HS_MUST_USE;
/* Describes the error on top of a coroutine whose resume ended with status; pops it. */
void luaerr_from_thread(lua_State *co, int status, LuaErr *err);

/* Pushes "FILE:LINE: " of the innermost scenario frame, or "". */
void luaerr_where(lua_State *L);
/* Raises "FILE:LINE: …"; the format is lua_pushfstring's. */
_Noreturn void luaerr_raise(lua_State *L, const char *format, ...);
/* Raises: FILE:LINE: bad argument #2 (rate): got "10 Mbs", expected a rate such as "10Mbps".
 * idx 0: bad rate: got …; got NULL: the value at idx is described. */
_Noreturn void luaerr_arg(lua_State *L, int idx, const char *name, const char *got, const char *expected);
/* Pushes how an error names the value at idx: "10 Mbs" in quotes, 42, nil, a table. Returns it. */
const char *luaerr_describe(lua_State *L, int idx);
/* Pushes "a, b, c". Returns it. */
const char *luaerr_push_names(lua_State *L, const char *const *names, size_t n);
