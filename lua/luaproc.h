/* Processes: functions of a scenario whose blocking calls let the host's time pass. The host supplies the
 * wake-ups; nothing here knows an engine.
 *
 * A blocking binding asks luaproc_current for the process (an error in the scenario if nothing may block
 * here), arranges for a wake-up, and returns luaproc_yield(L). The host later calls luaproc_resume with a
 * function that pushes the call's results or raises its error, at the call's own file and line. This works
 * inside the scenario's coroutines and pcalls too; it does not inside table.sort, string.gsub, metamethods
 * called by C functions, or module chunks, where it is a clear error.
 *
 * A LuaProc belongs to its sandbox. It is gone after `done` returned, after luaproc_kill, and with the
 * sandbox. */
#pragma once

#include <lua.h>
#include <stdbool.h>

#include "lua/luaerr.h"

typedef struct LuaProc LuaProc;

/* Pushes the results of the blocking call and returns how many, or raises an error. */
typedef int (*LuaProcPush)(lua_State *L, void *data);
/* err is NULL when the function returned; the process must not be used by then, except for its address. */
typedef void (*LuaProcDone)(LuaProc *proc, const LuaErr *err, void *user);

/* Takes a function and nargs arguments from L's stack; to be called from Lua or below luaerr_protect. The
 * process does nothing before the first luaproc_resume (whose push must be NULL). */
LuaProc *luaproc_new(lua_State *L, int nargs, LuaProcDone done, void *user);
/* Runs it until it blocks again, ends or fails; push may be NULL: no results. */
void luaproc_resume(LuaProc *proc, LuaProcPush push, void *data);
/* Resumes it with an error, "FILE:LINE: message", raised by the call it waits in. */
void luaproc_throw(LuaProc *proc, const char *message);
/* Ends it without calling done; its <close> variables are closed. If it is running, it ends where it next
 * blocks. */
void luaproc_kill(LuaProc *proc);
bool luaproc_is_running(const LuaProc *proc);

/* The process that L runs in; raises an error if a blocking call is not possible here. */
LuaProc *luaproc_current(lua_State *L);
/* To be returned by the binding that blocks: return luaproc_yield(L). */
int luaproc_yield(lua_State *L);
