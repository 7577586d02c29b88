/* Classes for userdata: methods, readable properties, and errors that suggest the right name.
 *
 * A LuaClass is static data. luaclass_push lends the scenario a pointer that the host owns: the same pointer
 * is always the same Lua value until luaclass_invalidate, which the host must call before the thing goes
 * (afterwards any use is an error in the scenario). luaclass_push_owned gives the pointer away:
 * class->release is called when Lua is done with it; luaclass_give gives away what was lent. What
 * luaclass_check returns is borrowed. */
#pragma once

#include <lauxlib.h>
#include <lua.h>

typedef struct LuaClass {
    const char *name;           /* as errors call it: "host" */
    const luaL_Reg *methods;    /* ended by {NULL, NULL}; called with the object as value 1; may be NULL */
    const luaL_Reg *properties; /* the same, returning one value */
    char *(*describe)(const void *ptr); /* text of tostring, for g_free; NULL: "host: #3" */
    void (*release)(void *ptr);         /* for luaclass_push_owned */
    lua_CFunction length;               /* the # operator; NULL: an error */
} LuaClass;

void luaclass_push(lua_State *L, const LuaClass *class, void *ptr);
void luaclass_push_owned(lua_State *L, const LuaClass *class, void *ptr);
/* Raises an error when the value at idx is of another kind, or of a thing that is gone. */
void *luaclass_check(lua_State *L, int idx, const LuaClass *class);
/* NULL instead of an error. */
void *luaclass_test(lua_State *L, int idx, const LuaClass *class);
/* These take no memory and raise nothing. */
/* The host is done with what it lent: class->release is called when Lua is too, at once if it never saw it.
 * It must not be pushed again. */
void luaclass_give(lua_State *L, const LuaClass *class, void *ptr);
void luaclass_invalidate(lua_State *L, const LuaClass *class, void *ptr);
void luaclass_invalidate_all(lua_State *L, const LuaClass *class);
