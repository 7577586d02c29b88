/* The two lists: what a scenario gets of Lua's standard library, and what is known and refused, with the
 * reason that error messages give. A unit test goes through the library of the Lua we are linked with and
 * fails for a name on neither list, so that a new Lua brings no surprises. */
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

static const char *const allowed[] = {
    "_G",
    "_VERSION",
    "assert",
    "error",
    "getmetatable",
    "ipairs",
    "next",
    "pairs",
    "pcall",
    "print",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "require",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "xpcall",
    /* tables */
    "coroutine",
    "math",
    "string",
    "table",
    "utf8",
    "coroutine.close",
    "coroutine.create",
    "coroutine.isyieldable",
    "coroutine.resume",
    "coroutine.running",
    "coroutine.status",
    "coroutine.wrap",
    "coroutine.yield",
    "math.abs",
    "math.acos",
    "math.asin",
    "math.atan",
    "math.ceil",
    "math.cos",
    "math.deg",
    "math.exp",
    "math.floor",
    "math.fmod",
    "math.huge",
    "math.log",
    "math.max",
    "math.maxinteger",
    "math.min",
    "math.mininteger",
    "math.modf",
    "math.pi",
    "math.pow",
    "math.rad",
    "math.random",
    "math.randomseed",
    "math.sin",
    "math.sqrt",
    "math.tan",
    "math.tointeger",
    "math.type",
    "math.ult",
    "string.byte",
    "string.char",
    "string.find",
    "string.format",
    "string.gmatch",
    "string.gsub",
    "string.len",
    "string.lower",
    "string.match",
    "string.pack",
    "string.packsize",
    "string.rep",
    "string.reverse",
    "string.sub",
    "string.unpack",
    "string.upper",
    "table.concat",
    "table.insert",
    "table.move",
    "table.pack",
    "table.remove",
    "table.sort",
    "table.unpack",
    "utf8.char",
    "utf8.charpattern",
    "utf8.codepoint",
    "utf8.codes",
    "utf8.len",
    "utf8.offset",
};

static const struct {
    const char *name, *why;
} refused[] = {
    {"collectgarbage", "what it tells differs from run to run"},
    {"dofile", "a scenario loads code with require only"},
    {"load", "a scenario loads code with require only"},
    {"loadfile", "a scenario loads code with require only"},
    {"loadstring", "a scenario loads code with require only"},
    {"warn", "use print"},
    {"debug", "it could look behind the sandbox"},
    {"io", "a scenario has no access to files"},
    {"os", "a scenario has no access to the system or its clock"},
    {"package", "a scenario loads code with require only"},
    {"string.dump", "a scenario has no access to byte code"},
    /* left-overs of Lua 5.1-5.3 that a Lua built with compatibility still has */
    {"math.atan2", "Lua 5.4 has it no more: use math.atan(y, x)"},
    {"math.cosh", "Lua 5.4 has it no more"},
    {"math.frexp", "Lua 5.4 has it no more"},
    {"math.ldexp", "Lua 5.4 has it no more"},
    {"math.log10", "Lua 5.4 has it no more: use math.log(x, 10)"},
    {"math.sinh", "Lua 5.4 has it no more"},
    {"math.tanh", "Lua 5.4 has it no more"},
};

bool sandbox_name_allowed(const char *name)
{
    for (size_t i = 0; i < HS_ARRAY_LEN(allowed); i++)
        if (strcmp(allowed[i], name) == 0)
            return true;
    return false;
}

const char *sandbox_name_refused(const char *name)
{
    for (size_t i = 0; i < HS_ARRAY_LEN(refused); i++)
        if (strcmp(refused[i].name, name) == 0)
            return refused[i].why;
    return NULL;
}

void sandbox_names_prune(lua_State *L, const char *prefix)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        /* A key that is no string cannot be on the list. */
        bool keep = false;

        if (lua_type(L, -1) == LUA_TSTRING) {
            lua_pushfstring(L, "%s%s", prefix, lua_tostring(L, -1));
            keep = sandbox_name_allowed(lua_tostring(L, -1));
            lua_pop(L, 1);
        }
        if (!keep) {
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, -4); /* clearing during a traversal is allowed */
        }
    }
}

void sandbox_names_number(lua_State *L)
{
    for (size_t i = 0; i < HS_ARRAY_LEN(allowed); i++) {
        const char *dot = strchr(allowed[i], '.');

        lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
        if (dot) {
            lua_pushlstring(L, allowed[i], (size_t)(dot - allowed[i]));
            lua_rawget(L, -2);
            lua_replace(L, -2);
        }
        lua_pushstring(L, dot ? dot + 1 : allowed[i]);
        lua_rawget(L, -2);
        if (lua_isfunction(L, -1))
            sandbox_serial(L, -1);
        lua_pop(L, 2);
    }
}
