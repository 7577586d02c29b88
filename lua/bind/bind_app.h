/* Traffic that runs by itself on a host, and what all its kinds share: each lives until it is stopped, or its
 * host loses its power, and its last results can still be asked for. */
#pragma once

#include "lua/bind/bind.h"

/* The first member of the struct of each kind, which g_malloc made. */
typedef struct ScnApp ScnApp;
struct ScnApp {
    ScnHost *host;
    void (*stop)(ScnApp *a);    /* keeps the last results and frees what runs; nothing runs: does nothing */
    void (*release)(ScnApp *a); /* frees what else it owns, but not a; NULL: nothing */
};

/* The host of a call that begins such traffic; raises if it is switched off. */
ScnHost *bind_app_check_host(lua_State *L);
/* Gives it to the scenario and pushes it. */
int bind_app_begin(lua_State *L, ScnApp *a, const LuaClass *class);
/* For one that could not begin. */
void bind_app_free(ScnApp *a);
/* obj:stop(), of the object at 1 */
int bind_app_stop(lua_State *L, const LuaClass *class);
