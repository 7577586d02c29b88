/* What the files of the sandbox share. Nobody else includes this, except luaerr and luaproc. */
#pragma once

#include "lua/sandbox.h"

struct Sandbox {
    lua_State *L;
    SandboxConfig config;
    char *module_dir;

    size_t used_bytes, peak_bytes;
    uint64_t event_used, total_used;
    unsigned depth;
    SandboxLimit limit;
    char limit_text[96];

    /* Object serials: every block carries one, and these say where the block of an object begins. */
    uint64_t serial;
    const void *last_block;
    size_t thread_offset, userdata_offset;

    /* Stock library functions that ours wrap, called in the wrapper's own frame so that errors name it well.
     */
    lua_CFunction stock_format, stock_pack, stock_insert, stock_remove, stock_unpack, stock_tonumber;
    lua_CFunction stock_utf8_len, stock_utf8_codepoint, stock_utf8_offset;

    struct LuaErr *catching; /* what the handler of the innermost luaerr_call fills */

    /* Blocking (luaproc): the thread the host resumed, whether a blocking call may yield through everything
     * between that thread and the running one, and whether the yield under way is such a call. */
    lua_State *root;
    bool can_block;
    bool blocking;
    struct LuaProc *proc; /* that runs */
};

/* Units between two calls of the hook; a new coroutine is charged as much, as its count starts afresh. */
#define SANDBOX_HOOK_INTERVAL 1000

/* Registry keys: the address of each is the key. */
extern const char sandbox_key_ids;      /* object -> number shown by tostring, weak keys */
extern const char sandbox_key_builtins; /* C function without upvalues -> its rank */
extern const char sandbox_key_next;     /* the traversal that next is in */
extern const char sandbox_key_modules;  /* name -> function or text */
extern const char sandbox_key_loaded;   /* name -> value of require */
extern const char sandbox_key_blocked;  /* coroutine -> true while it waits in a blocking call, weak keys */

_Noreturn void sandbox_raise_limit(lua_State *L);
/* Creation number of the table, function, thread or userdata at idx. A C function without upvalues is no
 * object; it is numbered when first asked for, which the sandbox does for its own in the order of their list.
 */
uint64_t sandbox_serial(lua_State *L, int idx);
/* Like lua_pushvalue, but all NaNs are one. */
void sandbox_push_same_nan(lua_State *L, int idx);

/* Each expects the library's table on top of the stack and replaces functions in it. */
void sandbox_base_install(lua_State *L);
void sandbox_pairs_install(lua_State *L);
void sandbox_string_install(lua_State *L);
void sandbox_pattern_install(lua_State *L);
void sandbox_table_install(lua_State *L);
void sandbox_math_install(lua_State *L);
void sandbox_utf8_install(lua_State *L);
void sandbox_coro_install(lua_State *L);

/* Numbers the library's functions, once all are in place. */
void sandbox_names_number(lua_State *L);
/* Removes from the table on top every name that is not allowed under `prefix` ("" or "string."). */
void sandbox_names_prune(lua_State *L, const char *prefix);
