#include "lua/bind/bind_app.h"

ScnHost *bind_app_check_host(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_may_change(L);
    scenario_prepare(L);
    if (!host_is_on(h->host))
        luaerr_raise(L, "host \"%s\" is switched off", h->node->name);
    return h;
}

int bind_app_begin(lua_State *L, ScnApp *a, const LuaClass *class)
{
    g_ptr_array_add(a->host->s->apps, a);
    bind_host_hear_power(a->host);
    luaclass_push(L, class, a);
    return 1;
}

void bind_app_free(ScnApp *a)
{
    a->stop(a);
    if (a->release)
        a->release(a);
    g_free(a);
}

int bind_app_stop(lua_State *L, const LuaClass *class)
{
    ScnApp *a;

    scenario_may_change(L);
    a = luaclass_check(L, 1, class);
    a->stop(a);
    return 0;
}

void bind_app_stop_host(ScnHost *h)
{
    for (guint i = 0; i < h->s->apps->len; i++) {
        ScnApp *a = g_ptr_array_index(h->s->apps, i);

        if (a->host == h)
            a->stop(a);
    }
}

void bind_app_free_all(Scenario *s)
{
    for (guint i = 0; i < s->apps->len; i++)
        bind_app_free(g_ptr_array_index(s->apps, i));
    g_ptr_array_free(s->apps, true);
}
