/* The basic functions that differ from stock Lua's:
 *   pcall, xpcall    do not stop a limit error; may be yielded through
 *   tostring, print  objects are numbered in the order in which they are first shown, never by their address;
 *                    a NaN is "nan", whatever its sign
 *   setmetatable     refuses __gc and __mode: when garbage is collected differs from run to run. (A scenario
 *                    that adds __mode to a metatable later is not stopped: only its own results vary.)
 *   require          modules the host registered, then FILE.lua beside the scenario */
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

#define MODULE_FILE_MAX ((size_t)16 << 20)

/* x86 makes 0/0 negative, ARM makes it positive, and C writes the sign. Pushes the value at idx, a NaN always
 * as the positive one. */
void sandbox_push_same_nan(lua_State *L, int idx)
{
    if (lua_type(L, idx) == LUA_TNUMBER && isnan(lua_tonumber(L, idx)))
        lua_pushnumber(L, copysign((lua_Number)NAN, 1));
    else
        lua_pushvalue(L, idx);
}

static const char *push_plain(lua_State *L, int idx, size_t *len)
{
    sandbox_push_same_nan(L, idx);
    const char *text = luaL_tolstring(L, -1, len);

    lua_remove(L, -2);
    return text;
}

const char *sandbox_tolstring(lua_State *L, int idx, size_t *len)
{
    idx = lua_absindex(L, idx);
    int type = lua_type(L, idx);

    if (luaL_getmetafield(L, idx, "__tostring") != LUA_TNIL) {
        lua_pushvalue(L, idx);
        lua_call(L, 1, 1);
        if (!lua_isstring(L, -1))
            luaL_error(L, "'__tostring' must return a string");
        return lua_tolstring(L, -1, len);
    }
    if (type != LUA_TTABLE && type != LUA_TFUNCTION && type != LUA_TUSERDATA && type != LUA_TTHREAD &&
        type != LUA_TLIGHTUSERDATA)
        return push_plain(L, idx, len);

    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_ids);
    lua_pushvalue(L, idx);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_rawgeti(L, -1, 0); /* how many were given out; no object is an integer */
        lua_Integer id = lua_tointeger(L, -1) + 1;

        lua_pop(L, 1);
        lua_pushvalue(L, idx);
        lua_pushinteger(L, id);
        lua_rawset(L, -3);
        lua_pushinteger(L, id);
        lua_rawseti(L, -2, 0);
        lua_pushinteger(L, id);
    }
    lua_Integer id = lua_tointeger(L, -1);

    lua_pop(L, 2);
    int top = lua_gettop(L);
    bool has_name = luaL_getmetafield(L, idx, "__name") == LUA_TSTRING;

    lua_pushfstring(L, "%s: #%I", has_name ? lua_tostring(L, -1) : lua_typename(L, type), (LUAI_UACINT)id);
    lua_copy(L, -1, top + 1);
    lua_settop(L, top + 1);
    return lua_tolstring(L, -1, len);
}

static int base_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    sandbox_tolstring(L, 1, NULL);
    return 1;
}

static int base_print(lua_State *L)
{
    const Sandbox *sb = sandbox_of(L);
    int n = lua_gettop(L);

    luaL_checkstack(L, n + LUA_MINSTACK, "too many values to print");
    for (int i = 1; i <= n; i++) {
        sandbox_tolstring(L, i, NULL);
        lua_replace(L, i);
    }
    luaL_Buffer line;

    luaL_buffinit(L, &line);
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&line, '\t');
        lua_pushvalue(L, i);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);

    sandbox_charge(L, 100 + len);
    if (sb->config.print)
        sb->config.print(sb->config.user, text, len);
    return 0;
}

static int base_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(
                L, "__gc is not available in scenarios: when garbage is collected differs from run "
                   "to run (use a local variable with <close>)");
        lua_pushliteral(L, "__mode");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(
                L, "__mode (a weak table) is not available in scenarios: when garbage is collected "
                   "differs from run to run");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* Values above `base` are the results; the boolean goes in front of them. */
static int finish_pcall(lua_State *L, int status, lua_KContext first)
{
    sandbox_check(L, status == LUA_YIELD ? LUA_OK : status);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - (int)first;
}

static int base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    return finish_pcall(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall), 0);
}

/* A limit error is raised inside a hook, and its handler would run uncounted: do not call the scenario's. */
static int message_handler(lua_State *L)
{
    if (sandbox_of(L)->limit != SANDBOX_LIMIT_NONE)
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L) > 0 ? 1 : 0;
}

static int base_xpcall(lua_State *L)
{
    int nargs = lua_gettop(L) - 2;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, message_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); /* function, handler, true, function, arguments … */
    return finish_pcall(L, lua_pcallk(L, nargs, LUA_MULTRET, 2, 2, finish_pcall), 2);
}

static int base_tonumber(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        sandbox_charge(L, lua_rawlen(L, 1) / 16);
    return sandbox_of(L)->stock_tonumber(L);
}

static bool name_is_plain(const char *name, size_t len, bool dots)
{
    if (len == 0 || len > 200 || strlen(name) != len || name[0] == '.')
        return false;
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '_' && *p != '-' &&
            !(dots && *p == '.' && p[1] != '.' && p[1] != '\0'))
            return false;
    return true;
}

/* Pushes the chunk, or returns false having pushed nothing. GLib's strings are freed before anything can
 * raise. */
static bool load_module_file(lua_State *L, const char *name, const char *path)
{
    const SandboxConfig *config = &sandbox_of(L)->config;
    char *text = NULL;
    size_t len = 0;
    int why = config->read ? config->read(config->user, path, MODULE_FILE_MAX, &text, &len)
                           : inputfile_read(path, MODULE_FILE_MAX, &text, &len);

    if (why == ENOENT || why == ENOTDIR || why == EISDIR || why == EINVAL)
        return false;
    if (why == EFBIG)
        luaL_error(L, "module \"%s\": %s is larger than 16 MiB", name, path);
    if (why != 0)
        luaL_error(L, "module \"%s\": %s cannot be read", name, path);
    lua_pushfstring(L, "@%s", path);
    int status = luaL_loadbufferx(L, text, len, lua_tostring(L, -1), "t");

    g_free(text);
    if (status != LUA_OK) {
        sandbox_check(L, status);
        lua_error(L);
    }
    lua_remove(L, -2);
    return true;
}

/* Pushes the function that makes the module. */
static void find_module(lua_State *L, const char *name, size_t len)
{
    const Sandbox *sb = sandbox_of(L);
    const char *path = NULL;

    if (!name_is_plain(name, len, true))
        luaL_error(L, "bad module name \"%s\": expected letters, digits, '_' and '-' only (no folders)",
                   name);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_modules);
    lua_getfield(L, -1, name);
    if (lua_isfunction(L, -1))
        return;
    if (lua_isstring(L, -1)) {
        size_t text_len;
        const char *text = lua_tolstring(L, -1, &text_len);

        lua_pushfstring(L, "=%s", name);
        if (luaL_loadbufferx(L, text, text_len, lua_tostring(L, -1), "t") != LUA_OK)
            lua_error(L);
        return;
    }
    if (sb->module_dir && name_is_plain(name, len, false)) {
        path = lua_pushfstring(L, "%s/%s.lua", sb->module_dir, name);
        if (load_module_file(L, name, path))
            return;
    }
    lua_pushfstring(L, "module \"%s\" not found: no module of hopscope has this name", name);
    if (path)
        lua_pushfstring(L, ", and there is no file %s", path);
    else
        lua_pushliteral(L, "");
    lua_concat(L, 2);
    luaL_error(L, "%s", lua_tostring(L, -1));
}

static int base_require(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);

    lua_settop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_loaded);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 2) != LUA_TNIL) {
        if (lua_islightuserdata(L, -1))
            return luaL_error(L, "module \"%s\" requires itself, directly or by way of another module", name);
        return 1;
    }
    lua_pop(L, 1);
    find_module(L, name, len);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, NULL);
    lua_rawset(L, 2);
    lua_pushvalue(L, 1);
    int status = lua_pcall(L, 1, 1, 0);

    if (status != LUA_OK || lua_isnil(L, -1)) {
        lua_pushvalue(L, 1);
        if (status == LUA_OK)
            lua_pushboolean(L, 1); /* like stock Lua: loaded, without a value */
        else
            lua_pushnil(L);
        lua_rawset(L, 2);
        sandbox_check(L, status);
        if (status != LUA_OK)
            return lua_error(L);
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, 2);
    return 1;
}

static int add_module(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_modules);
    lua_insert(L, 1);
    lua_rawset(L, 1);
    return 0;
}

static void add_protected(lua_State *L)
{
    int status = lua_pcall(L, 2, 0, 0);

    hs_assert(status == LUA_OK);
}

void sandbox_add_module(Sandbox *sb, const char *name, lua_CFunction open)
{
    lua_pushcfunction(sb->L, add_module);
    lua_pushstring(sb->L, name);
    lua_pushcfunction(sb->L, open);
    add_protected(sb->L);
}

void sandbox_add_module_text(Sandbox *sb, const char *name, const char *text)
{
    lua_pushcfunction(sb->L, add_module);
    lua_pushstring(sb->L, name);
    lua_pushstring(sb->L, text);
    add_protected(sb->L);
}

void sandbox_base_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"pcall", base_pcall},       {"xpcall", base_xpcall},
        {"tostring", base_tostring}, {"print", base_print},
        {"require", base_require},   {"setmetatable", base_setmetatable},
        {"tonumber", base_tonumber}, {NULL, NULL},
    };

    lua_getfield(L, -1, "tonumber");
    sandbox_of(L)->stock_tonumber = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    luaL_setfuncs(L, ours, 0);
    sandbox_pairs_install(L);
}
