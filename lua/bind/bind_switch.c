/* hs.switch, and a switch as a scenario sees it. */
#include "lua/bind/bind.h"

static int hs_switch(lua_State *L)
{
    const char *name = bind_check_name(L, 1, "name");
    char *error = NULL;
    Scenario *s = scenario_of(L);

    scenario_may_change(L);
    Switch *sw = net_switch(s->net, name, &error);

    if (!sw)
        bind_raise_free(L, error);
    s->is_dirty = true;
    luaclass_push(L, &bind_switch_class, sw);
    return 1;
}

static int switch_name(lua_State *L)
{
    Switch *sw = luaclass_check(L, 1, &bind_switch_class);

    lua_pushstring(L, sw->node.name);
    return 1;
}

static char *describe(const void *ptr)
{
    return g_strdup(((const Switch *)ptr)->node.name);
}

static const luaL_Reg properties[] = {{"name", switch_name}, {NULL, NULL}};
const LuaClass bind_switch_class = {.name = "switch", .properties = properties, .describe = describe};

void bind_switch_open(lua_State *L)
{
    lua_pushcfunction(L, hs_switch);
    lua_setfield(L, -2, "switch");
}
