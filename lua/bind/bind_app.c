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

void *bind_app_new(ScnHost *h, const ScnAppKind *kind)
{
    ScnApp *a = g_malloc0(kind->size);

    a->kind = kind;
    a->host = h;
    return a;
}

int bind_app_begin(lua_State *L, ScnApp *a)
{
    g_ptr_array_add(a->host->s->apps, a);
    bind_host_hear_power(a->host);
    luaclass_push(L, a->kind->class, a);
    return 1;
}

static void stop(ScnApp *a)
{
    if (!a->run)
        return;
    a->kind->look(a);
    a->kind->end(a);
    a->run = NULL;
}

void bind_app_free(ScnApp *a)
{
    stop(a);
    if (a->kind->release)
        a->kind->release(a);
    g_free(a);
}

const void *bind_app_look(lua_State *L, const LuaClass *class)
{
    ScnApp *a = luaclass_check(L, 1, class);

    if (a->run)
        a->kind->look(a);
    return a;
}

int bind_app_stop(lua_State *L, const LuaClass *class)
{
    scenario_may_change(L);
    stop(luaclass_check(L, 1, class));
    return 0;
}

void bind_app_stop_host(ScnHost *h)
{
    for (guint i = 0; i < h->s->apps->len; i++) {
        ScnApp *a = g_ptr_array_index(h->s->apps, i);

        if (a->host == h)
            stop(a);
    }
}

void bind_app_free_all(Scenario *s)
{
    for (guint i = 0; i < s->apps->len; i++)
        bind_app_free(g_ptr_array_index(s->apps, i));
    g_ptr_array_free(s->apps, true);
}
