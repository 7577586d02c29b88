/* The scenario language's cage: a Lua state with a memory limit, an instruction limit and an environment in
 * which every result is a function of the scenario alone. Knows nothing of networks.
 *
 * Limits. The memory limit counts every byte Lua holds. Instructions are counted by a hook; library functions
 * written in C charge what they do in the same unit, so that a pattern match or a table.move cannot hide an
 * endless loop. There is a budget per event (one call of the host into Lua, with everything that runs below
 * it) and one for the run. A limit that was hit cannot be swallowed: pcall, xpcall and coroutines of the
 * scenario pass it on, and afterwards the sandbox runs no Lua any more (sandbox_enter fails) until it is
 * freed.
 *
 * Ownership: a Sandbox owns its lua_State and everything in it; the host owns what the config's pointers
 * name, and keeps it alive until sandbox_free. Every lua_* call that may allocate must be made below
 * luaerr_call or luaproc. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lua/inputfile.h"

typedef struct Sandbox Sandbox;

typedef enum SandboxLimit {
    SANDBOX_LIMIT_NONE,
    SANDBOX_LIMIT_MEMORY,
    SANDBOX_LIMIT_EVENT, /* instructions in one event */
    SANDBOX_LIMIT_TOTAL, /* instructions in the whole run */
} SandboxLimit;

#define SANDBOX_MEMORY_DEFAULT ((size_t)512 << 20)
#define SANDBOX_EVENT_DEFAULT ((uint64_t)500000000)
#define SANDBOX_TOTAL_DEFAULT ((uint64_t)100000000000)

typedef struct SandboxConfig {
    size_t memory_max_bytes; /* 0: the default; so below */
    uint64_t event_instructions_max;
    uint64_t total_instructions_max;
    const char *module_dir; /* where require finds FILE.lua; NULL: nowhere */
    InputFileFn read;       /* how; NULL: from the disk */
    void (*print)(void *user, const char *line,
                  size_t line_len); /* one line without its end; NULL: discard */
    uint64_t (*draw)(void *user);   /* 64 random bits from the scenario's stream; NULL: math.random errs */
    void (*reseed)(void *user, uint64_t key); /* math.randomseed; NULL: it is an error that names --seed */
    void *user;
} SandboxConfig;

/* NULL, and *error (to be g_free'd) when the limits are too small to even start. The config is copied. */
Sandbox *sandbox_new(const SandboxConfig *config, char **error);
void sandbox_free(Sandbox *sb);

lua_State *sandbox_lua(Sandbox *sb);
/* The sandbox that L, or any of its coroutines, belongs to. */
Sandbox *sandbox_of(lua_State *L);

/* What require "NAME" gives: what `open` returns, or what the chunk `text` returns. Names and texts are
 * static. Chunks of the host are named "=NAME", and errors are never located in them. */
void sandbox_add_module(Sandbox *sb, const char *name, lua_CFunction open);
void sandbox_add_module_text(Sandbox *sb, const char *name, const char *text);

/* Brackets around every entry from the host; the outermost one begins a new event. False: a limit was hit
 * earlier. */
bool sandbox_enter(Sandbox *sb);
void sandbox_leave(Sandbox *sb);

/* Accounts for work of a library function, in instructions; raises the limit error when the budget is used
 * up. */
void sandbox_charge(lua_State *L, uint64_t units);
/* To be called with the status of every protected call whose error might be passed to the scenario: raises
 * the limit error again when one was hit. */
void sandbox_check(lua_State *L, int status);
/* Notes that a call ended with `status` without raising anything: for callers that are C. */
void sandbox_note(Sandbox *sb, int status);

SandboxLimit sandbox_limit_hit(const Sandbox *sb);
/* "more than 512 MiB of memory"; a static text if no limit was hit. Valid as long as sb. */
const char *sandbox_limit_text(const Sandbox *sb);
size_t sandbox_memory_bytes(const Sandbox *sb);
size_t sandbox_memory_peak_bytes(const Sandbox *sb);
uint64_t sandbox_instructions(const Sandbox *sb);

/* The same text tostring gives in a scenario ("table: #12", never an address); pushes it like luaL_tolstring.
 */
const char *sandbox_tolstring(lua_State *L, int idx, size_t *len);

/* Names of the standard library (of any Lua 5.4): what a scenario gets, and what is known and refused. A name
 * looks like "pairs" or "string.rep". sandbox_name_refused gives the reason, or NULL. */
bool sandbox_name_allowed(const char *name);
const char *sandbox_name_refused(const char *name);
