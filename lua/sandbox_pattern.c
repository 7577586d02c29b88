/* string.find, match, gmatch and gsub (Lua 5.4 Reference Manual 6.4), on a matcher that accounts for its
 * steps (sandbox_match.c). */
#include <string.h>

#include "lua/sandbox_match.h"
#include "lua/sandbox_private.h"
#include "sim/base/base.h"

/* The optional starting position at idx, as an offset; beyond the end: more than len. */
static size_t start_offset(lua_State *L, int idx, size_t len)
{
    lua_Integer at = luaL_optinteger(L, idx, 1);

    if (at > 0)
        return (size_t)at - 1;
    return at == 0 || at < -(lua_Integer)len ? 0 : len - (size_t)-at;
}

static int find_or_match(lua_State *L, bool find)
{
    size_t src_len, pat_len;
    const char *src = luaL_checklstring(L, 1, &src_len), *pat = luaL_checklstring(L, 2, &pat_len);
    size_t at = start_offset(L, 3, src_len);

    if (at > src_len) {
        lua_pushnil(L);
        return 1;
    }
    bool is_plain = find && (lua_toboolean(L, 4) || !strpbrk(pat, "^$*+?.([%-") || strlen(pat) != pat_len);

    /* A pattern with a zero byte is plain only if all its parts are. */
    if (is_plain && !lua_toboolean(L, 4))
        for (size_t i = 0; i < pat_len && is_plain; i++)
            is_plain = pat[i] == '\0' || !strchr("^$*+?.([%-", pat[i]);
    if (is_plain) {
        sandbox_charge(L, (src_len - at) / 16);
        const char *hit = pat_len ? memmem(src + at, src_len - at, pat, pat_len) : src + at;

        if (!hit) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushinteger(L, hit - src + 1);
        lua_pushinteger(L, hit - src + (lua_Integer)pat_len);
        return 2;
    }
    bool anchored = pat_len > 0 && pat[0] == '^';
    SandboxMatch m;

    sandbox_match_init(&m, L, src, src_len, pat, pat_len);
    for (const char *s = src + at;; s++) {
        const char *e = sandbox_match_at(&m, s, pat + anchored);

        if (e) {
            sandbox_match_done(&m);
            if (!find)
                return sandbox_match_push_all(&m, s, e);
            lua_pushinteger(L, s - src + 1);
            lua_pushinteger(L, e - src);
            return sandbox_match_push_all(&m, NULL, NULL) + 2;
        }
        if (anchored || s == m.src_end)
            break;
    }
    sandbox_match_done(&m);
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L)
{
    return find_or_match(L, true);
}

static int string_match(lua_State *L)
{
    return find_or_match(L, false);
}

/* Upvalues: text, pattern, offset to go on at, offset of the end of the last match (-1: none). */
static int gmatch_step(lua_State *L)
{
    size_t src_len, pat_len;
    const char *src = lua_tolstring(L, lua_upvalueindex(1), &src_len);
    const char *pat = lua_tolstring(L, lua_upvalueindex(2), &pat_len);
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
    SandboxMatch m;

    sandbox_match_init(&m, L, src, src_len, pat, pat_len);
    for (; at <= (lua_Integer)src_len; at++) {
        const char *e = sandbox_match_at(&m, src + at, pat);

        if (e && e - src != last) {
            sandbox_match_done(&m);
            lua_pushinteger(L, e - src);
            lua_copy(L, -1, lua_upvalueindex(3));
            lua_replace(L, lua_upvalueindex(4));
            return sandbox_match_push_all(&m, src + at, e);
        }
    }
    sandbox_match_done(&m);
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    return 0;
}

static int string_gmatch(lua_State *L)
{
    size_t len;

    luaL_checklstring(L, 1, &len);
    luaL_checkstring(L, 2);
    size_t at = start_offset(L, 3, len);

    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)HS_MIN(at, len + 1));
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, gmatch_step, 4);
    return 1;
}

static void add_replacement_text(SandboxMatch *m, luaL_Buffer *out, const char *s, const char *e)
{
    size_t len;
    const char *text = lua_tolstring(m->L, 3, &len);

    for (const char *p = text; p < text + len; p++) {
        if (*p != '%') {
            luaL_addchar(out, *p);
            continue;
        }
        p++;
        if (p < text + len && *p == '%') {
            luaL_addchar(out, '%');
        } else if (p < text + len && *p == '0') {
            luaL_addlstring(out, s, (size_t)(e - s));
        } else if (p < text + len && *p >= '1' && *p <= '9') {
            sandbox_match_push(m, *p - '1', s, e);
            luaL_tolstring(m->L, -1, NULL); /* a position is a number */
            lua_remove(m->L, -2);
            luaL_addvalue(out);
        } else {
            luaL_error(m->L, "invalid use of '%%' in replacement string");
        }
    }
    sandbox_charge(m->L, len / 32);
}

static void add_replacement(SandboxMatch *m, luaL_Buffer *out, const char *s, const char *e)
{
    lua_State *L = m->L;
    int type = lua_type(L, 3);

    if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        add_replacement_text(m, out, s, e);
        return;
    }
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, sandbox_match_push_all(m, s, e), 1);
    } else {
        sandbox_match_push(m, 0, s, e);
        lua_gettable(L, 3);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(out, s, (size_t)(e - s));
    } else if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    } else {
        sandbox_push_same_nan(L, -1);
        lua_remove(L, -2);
        luaL_addvalue(out);
    }
}

static int string_gsub(lua_State *L)
{
    size_t src_len, pat_len;
    const char *src = luaL_checklstring(L, 1, &src_len), *pat = luaL_checklstring(L, 2, &pat_len);
    int type = lua_type(L, 3);

    luaL_argexpected(
        L, type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
        "string/function/table");
    if (type == LUA_TNUMBER) {
        sandbox_tolstring(L, 3, NULL);
        lua_replace(L, 3);
    }
    lua_Integer max = luaL_optinteger(L, 4, (lua_Integer)src_len + 1), count = 0;
    bool anchored = pat_len > 0 && pat[0] == '^';
    const char *s = src, *last = NULL;
    luaL_Buffer out;
    SandboxMatch m;

    sandbox_match_init(&m, L, src, src_len, pat, pat_len);
    luaL_buffinit(L, &out);
    while (count < max) {
        const char *e = sandbox_match_at(&m, s, pat + anchored);

        if (e && e != last) {
            count++;
            add_replacement(&m, &out, s, e);
            s = last = e;
        } else if (s < m.src_end) {
            luaL_addchar(&out, *s++);
        } else {
            break;
        }
        if (anchored)
            break;
    }
    luaL_addlstring(&out, s, (size_t)(m.src_end - s));
    luaL_pushresult(&out);
    sandbox_match_done(&m);
    lua_pushinteger(L, count);
    return 2;
}

void sandbox_pattern_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch}, {"gsub", string_gsub},
        {NULL, NULL},
    };

    luaL_setfuncs(L, ours, 0);
}
