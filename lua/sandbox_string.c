/* string and utf8, apart from patterns: rep refuses what cannot fit (stock Lua loops for ever on
 * (""):rep(1e18)), format writes objects and NaN as tostring does, pack has one NaN only, and what walks
 * through a long string charges for it. */
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

static int string_rep(lua_State *L)
{
    size_t len, sep_len;
    const char *text = luaL_checklstring(L, 1, &len), *sep = luaL_optlstring(L, 3, "", &sep_len);
    lua_Integer n = luaL_checkinteger(L, 2);
    size_t piece = len + sep_len;

    if (n <= 0 || piece == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (piece >= SIZE_MAX / 4 / (uint64_t)n)
        return luaL_error(L, "resulting string too large (%I times %I bytes)", (LUAI_UACINT)n,
                          (LUAI_UACINT)piece);
    size_t total = piece * (size_t)n - sep_len;
    luaL_Buffer out;
    char *p = luaL_buffinitsize(L, &out, total);

    sandbox_charge(L, (uint64_t)n / 4 + total / 64);
    while (n-- > 0) {
        memcpy(p, text, len);
        p += len;
        if (n > 0)
            memcpy(p, sep, sep_len);
        p += sep_len;
    }
    luaL_pushresultsize(&out, total);
    return 1;
}

/* Stock string.format with the arguments for %s and %p made strings beforehand: it would show addresses. */
static int string_format(lua_State *L)
{
    size_t len;
    const char *format = luaL_checklstring(L, 1, &len);
    int arg = 1, top = lua_gettop(L);
    bool has_p = false;

    sandbox_charge(L, len / 8);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    for (const char *p = format; p < format + len; p++) {
        if (*p != '%')
            continue;
        if (*++p == '%')
            continue;
        p += strspn(p, "-+ #0123456789.");
        if (++arg > top)
            break; /* stock complains */
        if (*p == 's' && lua_type(L, arg) != LUA_TSTRING) {
            sandbox_tolstring(L, arg, NULL);
            lua_replace(L, arg);
        } else if (*p == 'p') {
            has_p = true;
            sandbox_tolstring(L, arg, NULL);
            const char *id = strstr(lua_tostring(L, -1), ": #");

            lua_pushstring(L, id && sandbox_serial(L, arg) ? id + 2 : "(null)");
            lua_replace(L, arg);
            lua_pop(L, 1);
        } else {
            sandbox_push_same_nan(L, arg);
            lua_replace(L, arg);
        }
    }
    if (has_p) {
        luaL_Buffer out;
        bool in_item = false;

        luaL_buffinit(L, &out);
        for (const char *p = format; p < format + len; p++) {
            char c = *p;

            if (c == '%') {
                in_item = !in_item;
            } else if (in_item && !strchr("-+ #0123456789.", c)) {
                in_item = false;
                c = c == 'p' ? 's' : c;
            }
            luaL_addchar(&out, c);
        }
        luaL_pushresult(&out);
        lua_replace(L, 1);
    }
    return sandbox_of(L)->stock_format(L);
}

static int string_pack(lua_State *L)
{
    int top = lua_gettop(L);

    luaL_checkstack(L, 1, NULL);
    for (int arg = 2; arg <= top; arg++) {
        sandbox_push_same_nan(L, arg);
        lua_replace(L, arg);
    }
    return sandbox_of(L)->stock_pack(L);
}

/* The rest of these libraries takes linear time and little memory: charge for the string at 1. */
static void charge_text(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        sandbox_charge(L, lua_rawlen(L, 1) / 16);
}

static int utf8_len(lua_State *L)
{
    charge_text(L);
    return sandbox_of(L)->stock_utf8_len(L);
}

static int utf8_codepoint(lua_State *L)
{
    charge_text(L);
    return sandbox_of(L)->stock_utf8_codepoint(L);
}

static int utf8_offset(lua_State *L)
{
    charge_text(L);
    return sandbox_of(L)->stock_utf8_offset(L);
}

void sandbox_string_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"rep", string_rep}, {"format", string_format}, {"pack", string_pack}, {NULL, NULL}};
    Sandbox *sb = sandbox_of(L);

    lua_getfield(L, -1, "format");
    lua_getfield(L, -2, "pack");
    sb->stock_format = lua_tocfunction(L, -2);
    sb->stock_pack = lua_tocfunction(L, -1);
    lua_pop(L, 2);
    luaL_setfuncs(L, ours, 0);
    sandbox_pattern_install(L);
}

void sandbox_utf8_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"len", utf8_len}, {"codepoint", utf8_codepoint}, {"offset", utf8_offset}, {NULL, NULL}};
    Sandbox *sb = sandbox_of(L);

    lua_getfield(L, -1, "len");
    lua_getfield(L, -2, "codepoint");
    lua_getfield(L, -3, "offset");
    sb->stock_utf8_len = lua_tocfunction(L, -3);
    sb->stock_utf8_codepoint = lua_tocfunction(L, -2);
    sb->stock_utf8_offset = lua_tocfunction(L, -1);
    lua_pop(L, 3);
    luaL_setfuncs(L, ours, 0);
}
