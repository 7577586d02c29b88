/* Expectations. The comparing and wording is Lua's (lua/hs/expect.lua); here they are kept, and asked at the
 * end.
 *
 * private.expect(name, ok, detail) notes an outcome; private.expect_later(name, function) one that is decided
 * at the end. Both take the place from the scenario's line that called. */
#include "lua/bind/bind.h"
#include "sim/base/suggest.h"

static Expectation *add(lua_State *L)
{
    Scenario *s = scenario_of(L);
    Expectation *e = g_new0(Expectation, 1);

    e->ref = LUA_NOREF;
    e->name = g_strdup(lua_tostring(L, 1));
    luaerr_where(L);
    e->where = g_strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    g_ptr_array_add(s->expects, e);
    return e;
}

static void decide(Expectation *e, bool ok, const char *seen)
{
    e->ok = ok;
    g_free(e->detail);
    e->detail = ok ? NULL : g_strconcat(e->where, seen, NULL);
}

static int private_expect(lua_State *L)
{
    bind_check_name(L, 1, "name");
    lua_settop(L, 3);
    const char *detail = lua_isnil(L, 3) ? "" : sandbox_tolstring(L, 3, NULL);

    decide(add(L), lua_toboolean(L, 2), detail);
    return 0;
}

static int private_expect_later(lua_State *L)
{
    bind_check_name(L, 1, "name");
    lua_settop(L, 2);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    Expectation *e = add(L);

    e->ref = ref;
    decide(e, false, "never asked");
    return 0;
}

/* The function's results: ok, detail. */
void bind_expect_finish(Scenario *s)
{
    for (guint i = 0; i < s->expects->len && !s->failed; i++) {
        Expectation *e = g_ptr_array_index(s->expects, i);
        LuaErr err = {0};

        if (e->ref == LUA_NOREF)
            continue;
        lua_rawgeti(s->L, LUA_REGISTRYINDEX, e->ref);
        luaL_unref(s->L, LUA_REGISTRYINDEX, e->ref);
        e->ref = LUA_NOREF;
        if (!luaerr_call(s->L, 0, 2, &err)) {
            if (err.class == LUAERR_LIMIT) {
                scenario_fail(s, &err);
                return;
            }
            g_free(e->detail);
            e->detail = g_strdup(err.message);
            luaerr_clear(&err);
            continue;
        }
        decide(e, lua_toboolean(s->L, -2), lua_type(s->L, -1) == LUA_TSTRING ? lua_tostring(s->L, -1) : "");
        lua_pop(s->L, 2);
    }
}

/* private.raise(text): an error of the scenario's line that called. */
static int private_raise(lua_State *L)
{
    luaerr_raise(L, "%s", luaL_checkstring(L, 1));
}

/* private.raise_unknown(who, name, { known, … }) */
static int private_raise_unknown(lua_State *L)
{
    const char *who = luaL_checkstring(L, 1), *name = luaL_checkstring(L, 2);
    const char *known[256];
    size_t n = 0;

    for (lua_Integer i = 1; n < HS_ARRAY_LEN(known) && lua_rawgeti(L, 3, i) == LUA_TSTRING; i++) {
        known[n++] = lua_tostring(L, -1);
        lua_pop(L, 1); /* the list keeps it */
    }
    const char *close = suggest_closest(name, known, n);

    if (close)
        luaerr_raise(L, "%s has no \"%s\" (did you mean \"%s\"?)", who, name, close);
    if (n > 40)
        luaerr_raise(L, "%s has no \"%s\"", who, name);
    luaerr_raise(L, "%s has no \"%s\": it has %s", who, name, luaerr_push_names(L, known, n));
}

void bind_private_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"expect", private_expect},
                                         {"expect_later", private_expect_later},
                                         {"raise", private_raise},
                                         {"raise_unknown", private_raise_unknown},
                                         {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
