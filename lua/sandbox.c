/* The sandbox's state, memory and instruction limits. What the scenario sees is put together in the
 * sandbox_*.c files.
 *
 * Every block of memory has a word in front of it with the number of the object in it (Lua tells the
 * allocator when a block is a new table, function, thread or userdata). This gives objects a creation order,
 * which is what pairs sorts them by: their addresses differ from run to run.
 *
 * Why limits are final: the hook's error unwinds with hooks switched off in that coroutine, so a close
 * handler that ran there later would not be counted. A sandbox that has hit a limit is only good for being
 * freed. */
#include "lua/sandbox.h"

#include <ctype.h>
#include <glib.h>
#include <locale.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

typedef struct BlockHeader {
    uint64_t serial;
} BlockHeader;

/* Once a limit was hit, errors still need a little memory to be told. */
#define RESERVE_BYTES ((size_t)4 << 20)
#define SMALL_BYTES ((size_t)64 << 10)
/* Bytes allocated per unit charged: about what memory bandwidth does in the time of an instruction. */
#define BYTES_PER_UNIT 64
#define FIRST_SERIAL ((uint64_t)1 << 32)

const char sandbox_key_ids, sandbox_key_builtins, sandbox_key_next, sandbox_key_modules, sandbox_key_loaded,
    sandbox_key_blocked;

static void set_limit(Sandbox *sb, SandboxLimit limit)
{
    if (sb->limit != SANDBOX_LIMIT_NONE)
        return;
    sb->limit = limit;
    if (limit == SANDBOX_LIMIT_MEMORY)
        g_snprintf(sb->limit_text, sizeof sb->limit_text, "more than %" G_GSIZE_FORMAT " %s of memory",
                   sb->config.memory_max_bytes >> (sb->config.memory_max_bytes >> 20 ? 20 : 10),
                   sb->config.memory_max_bytes >> 20 ? "MiB" : "KiB");
    else if (limit == SANDBOX_LIMIT_EVENT)
        g_snprintf(sb->limit_text, sizeof sb->limit_text,
                   "more than %" G_GUINT64_FORMAT " instructions in one event",
                   sb->config.event_instructions_max);
    else
        g_snprintf(sb->limit_text, sizeof sb->limit_text,
                   "more than %" G_GUINT64_FORMAT " instructions in one run",
                   sb->config.total_instructions_max);
}

/* False when the budget is used up (or a limit was hit before). */
static bool spend(Sandbox *sb, uint64_t units)
{
    uint64_t event_left = sb->config.event_instructions_max - sb->event_used;
    uint64_t total_left = sb->config.total_instructions_max - sb->total_used;

    sb->event_used += HS_MIN(units, event_left);
    sb->total_used += HS_MIN(units, total_left);
    if (units > event_left)
        set_limit(sb, SANDBOX_LIMIT_EVENT);
    else if (units > total_left)
        set_limit(sb, SANDBOX_LIMIT_TOTAL);
    return sb->limit == SANDBOX_LIMIT_NONE;
}

static void *sandbox_alloc(void *user, void *ptr, size_t old_size, size_t new_size)
{
    Sandbox *sb = user;
    BlockHeader *block = ptr ? (BlockHeader *)ptr - 1 : NULL;
    size_t held = ptr ? old_size : 0;

    if (new_size == 0) {
        sb->used_bytes -= held;
        free(block);
        return NULL;
    }
    if (new_size > held) {
        size_t grow = new_size - held, max = sb->config.memory_max_bytes;

        if (sb->depth > 0 && sb->limit == SANDBOX_LIMIT_NONE)
            spend(sb, new_size / BYTES_PER_UNIT);
        if (sb->limit != SANDBOX_LIMIT_NONE) {
            if (grow > SMALL_BYTES)
                return NULL;
            max += RESERVE_BYTES;
        }
        if (new_size > G_MAXSIZE / 2 || sb->used_bytes > max || grow > max - sb->used_bytes)
            return NULL; /* Lua collects garbage, tries again, and raises LUA_ERRMEM */
    }
    BlockHeader *moved = realloc(block, sizeof *moved + new_size);

    if (!moved)
        return new_size <= held ? ptr : NULL; /* Lua relies on shrinking never failing */
    sb->used_bytes += new_size - held;
    sb->peak_bytes = HS_MAX(sb->peak_bytes, sb->used_bytes);
    if (!ptr) {
        bool is_object = old_size == LUA_TTABLE || old_size == LUA_TFUNCTION || old_size == LUA_TUSERDATA ||
                         old_size == LUA_TTHREAD;

        moved->serial = is_object ? FIRST_SERIAL + ++sb->serial : 0;
        if (is_object)
            sb->last_block = moved + 1;
    }
    return moved + 1;
}

/* Below every object's serial. */
static uint64_t builtin_rank(lua_State *L, int idx)
{
    idx = lua_absindex(L, idx);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_builtins);
    lua_pushvalue(L, idx);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_rawgeti(L, -1, 0);
        lua_Integer rank = lua_tointeger(L, -1) + 1;

        lua_pop(L, 1);
        lua_pushinteger(L, rank);
        lua_rawseti(L, -2, 0);
        lua_pushvalue(L, idx);
        lua_pushinteger(L, rank);
        lua_rawset(L, -3);
        lua_pushinteger(L, rank);
    }
    uint64_t rank = (uint64_t)lua_tointeger(L, -1);

    lua_pop(L, 2);
    return rank;
}

uint64_t sandbox_serial(lua_State *L, int idx)
{
    const Sandbox *sb = sandbox_of(L);
    const char *p = lua_topointer(L, idx);

    switch (lua_type(L, idx)) {
    case LUA_TFUNCTION:
        if (lua_iscfunction(L, idx)) {
            if (!lua_getupvalue(L, idx, 1))
                return builtin_rank(L, idx);
            lua_pop(L, 1);
        }
        break;
    case LUA_TTABLE:
        break;
    case LUA_TTHREAD:
        if (lua_tothread(L, idx) == sb->L)
            return 0;
        p -= sb->thread_offset;
        break;
    case LUA_TUSERDATA:
        p -= sb->userdata_offset;
        break;
    default:
        return 0;
    }
    return ((const BlockHeader *)(const void *)p - 1)->serial;
}

/* Finds out where in its block each kind of object lies, and that lua_topointer means what we take it for. */
static void calibrate(lua_State *L)
{
    Sandbox *sb = sandbox_of(L);

    lua_createtable(L, 0, 0);
    hs_assert(lua_topointer(L, -1) == sb->last_block);
    lua_pushcclosure(L, lua_error, 1);
    hs_assert(lua_topointer(L, -1) == sb->last_block);
    lua_newthread(L);
    sb->thread_offset = (size_t)((const char *)lua_topointer(L, -1) - (const char *)sb->last_block);
    hs_assert(sb->thread_offset <= 64);
    lua_newuserdatauv(L, 8, 0);
    sb->userdata_offset = (size_t)((const char *)lua_topointer(L, -1) - (const char *)sb->last_block);
    hs_assert(sb->userdata_offset <= 64);
    lua_settop(L, 0);
}

void sandbox_raise_limit(lua_State *L)
{
    Sandbox *sb = sandbox_of(L);

    lua_sethook(L, lua_gethook(L), LUA_MASKCOUNT, 1);
    luaL_where(L, 0);
    if (lua_tostring(L, -1)[0] == '\0') {
        lua_pop(L, 1);
        luaL_where(L, 1);
    }
    lua_pushfstring(L, "the scenario took %s", sandbox_limit_text(sb));
    lua_concat(L, 2);
    lua_error(L);
    abort();
}

static void count_hook(lua_State *L, lua_Debug *ar)
{
    Sandbox *sb = sandbox_of(L);

    (void)ar;
    if (sb->limit != SANDBOX_LIMIT_NONE || !spend(sb, SANDBOX_HOOK_INTERVAL))
        sandbox_raise_limit(L);
}

void sandbox_charge(lua_State *L, uint64_t units)
{
    Sandbox *sb = sandbox_of(L);

    if (sb->limit != SANDBOX_LIMIT_NONE || !spend(sb, units))
        sandbox_raise_limit(L);
}

void sandbox_note(Sandbox *sb, int status)
{
    if (status == LUA_ERRMEM)
        set_limit(sb, SANDBOX_LIMIT_MEMORY);
}

void sandbox_check(lua_State *L, int status)
{
    Sandbox *sb = sandbox_of(L);

    sandbox_note(sb, status);
    if (sb->limit != SANDBOX_LIMIT_NONE)
        sandbox_raise_limit(L);
}

bool sandbox_enter(Sandbox *sb)
{
    if (sb->limit != SANDBOX_LIMIT_NONE)
        return false;
    if (sb->depth++ == 0)
        sb->event_used = 0;
    return true;
}

void sandbox_leave(Sandbox *sb)
{
    hs_assert(sb->depth > 0);
    sb->depth--;
}

/* Opens one stock library, removes what is not allowed, and lets `install` put ours in. */
static void open_lib(lua_State *L, const char *name, lua_CFunction open, void (*install)(lua_State *))
{
    bool is_base = strcmp(name, LUA_GNAME) == 0;
    g_autofree char *prefix = is_base ? g_strdup("") : g_strconcat(name, ".", NULL);

    luaL_requiref(L, name, open, !is_base);
    install(L);
    sandbox_names_prune(L, prefix);
    lua_pop(L, 1);
}

static void new_registry_table(lua_State *L, const void *key, const char *mode)
{
    lua_createtable(L, 0, 0);
    if (mode) {
        lua_createtable(L, 0, 1);
        lua_pushstring(L, mode);
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static int setup(lua_State *L)
{
    calibrate(L);
    new_registry_table(L, &sandbox_key_ids, "k");
    new_registry_table(L, &sandbox_key_blocked, "k");
    new_registry_table(L, &sandbox_key_builtins, NULL);
    new_registry_table(L, &sandbox_key_modules, NULL);
    new_registry_table(L, &sandbox_key_loaded, NULL);
    open_lib(L, LUA_GNAME, luaopen_base, sandbox_base_install);
    open_lib(L, LUA_COLIBNAME, luaopen_coroutine, sandbox_coro_install);
    open_lib(L, LUA_TABLIBNAME, luaopen_table, sandbox_table_install);
    open_lib(L, LUA_STRLIBNAME, luaopen_string, sandbox_string_install);
    open_lib(L, LUA_UTF8LIBNAME, luaopen_utf8, sandbox_utf8_install);
    open_lib(L, LUA_MATHLIBNAME, luaopen_math, sandbox_math_install);
    /* Strings share one metatable; nobody gets at it. */
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_settop(L, 0);
    sandbox_names_number(L);
    return 0;
}

static int on_panic(lua_State *L)
{
    (void)L;
    hs_assert(!"Lua was called outside luaerr_call and luaproc");
    return 0;
}

Sandbox *sandbox_new(const SandboxConfig *config, char **error)
{
    Sandbox *sb = g_new0(Sandbox, 1);

    /* Lua prints and compares with the C library's locale: a host that sets one would change results. What
     * it uses must be as in "C": the point, bytes in their order, ASCII letters. */
    hs_assert(strcmp(localeconv()->decimal_point, ".") == 0);
    hs_assert(strcoll("a", "B") > 0 && !isalpha(0xe4));
    sb->config = *config;
    if (sb->config.memory_max_bytes == 0)
        sb->config.memory_max_bytes = SANDBOX_MEMORY_DEFAULT;
    if (sb->config.event_instructions_max == 0)
        sb->config.event_instructions_max = SANDBOX_EVENT_DEFAULT;
    if (sb->config.total_instructions_max == 0)
        sb->config.total_instructions_max = SANDBOX_TOTAL_DEFAULT;
    sb->module_dir = g_strdup(config->module_dir);
    sb->L = lua_newstate(sandbox_alloc, sb);
    if (sb->L) {
        lua_atpanic(sb->L, on_panic);
        *(Sandbox **)lua_getextraspace(sb->L) = sb;
        lua_pushcfunction(sb->L, setup);
        if (lua_pcall(sb->L, 0, 0, 0) == LUA_OK) {
            lua_sethook(sb->L, count_hook, LUA_MASKCOUNT, SANDBOX_HOOK_INTERVAL);
            return sb;
        }
    }
    *error = g_strdup_printf("a memory limit of %" G_GSIZE_FORMAT " bytes is too small to start Lua",
                             sb->config.memory_max_bytes);
    sandbox_free(sb);
    return NULL;
}

void sandbox_free(Sandbox *sb)
{
    if (!sb)
        return;
    if (sb->L) {
        lua_sethook(sb->L, NULL, 0, 0);
        lua_close(sb->L);
    }
    hs_assert(sb->used_bytes == 0);
    g_free(sb->module_dir);
    g_free(sb);
}

lua_State *sandbox_lua(Sandbox *sb)
{
    return sb->L;
}

Sandbox *sandbox_of(lua_State *L)
{
    return *(Sandbox **)lua_getextraspace(L); /* new coroutines inherit the main thread's */
}

SandboxLimit sandbox_limit_hit(const Sandbox *sb)
{
    return sb->limit;
}

const char *sandbox_limit_text(const Sandbox *sb)
{
    return sb->limit == SANDBOX_LIMIT_NONE ? "no limit" : sb->limit_text;
}

size_t sandbox_memory_bytes(const Sandbox *sb)
{
    return sb->used_bytes;
}

size_t sandbox_memory_peak_bytes(const Sandbox *sb)
{
    return sb->peak_bytes;
}

uint64_t sandbox_instructions(const Sandbox *sb)
{
    return sb->total_used;
}
