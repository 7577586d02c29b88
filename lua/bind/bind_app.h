/* Traffic that runs by itself on a host, and what all its kinds share: each lives until it is stopped, or its
 * host loses its power, and its last results can still be asked for. */
#pragma once

#include "lua/bind/bind.h"

typedef struct ScnApp ScnApp;

typedef struct ScnAppKind {
    const LuaClass *class;
    size_t size;
    void (*look)(ScnApp *a);    /* keeps the results of what runs */
    void (*end)(ScnApp *a);     /* frees what runs */
    void (*release)(ScnApp *a); /* frees what else a owns; NULL: nothing */
} ScnAppKind;

/* The first member of the struct of each kind. */
struct ScnApp {
    const ScnAppKind *kind;
    ScnHost *host;
    void *run; /* NULL: it was stopped, or could not begin */
};

/* The host of a call that begins such traffic; raises if it is switched off. */
ScnHost *bind_app_check_host(lua_State *L);
/* All else is zero. */
void *bind_app_new(ScnHost *h, const ScnAppKind *kind);
/* Gives it to the scenario and pushes it. */
int bind_app_begin(lua_State *L, ScnApp *a);
/* For one that could not begin. */
void bind_app_free(ScnApp *a);
/* The object at 1, with the latest results. */
const void *bind_app_look(lua_State *L, const LuaClass *class);
/* obj:stop(), of the object at 1 */
int bind_app_stop(lua_State *L, const LuaClass *class);
