/* One metatable per class, in the registry under the class's address, with a list "objects" from pointer to
 * userdata. The list is strong: were it weak, an object that is pushed again after a collection would be
 * another one (another number in tostring, another place in pairs), and collections differ from run to run.
 */
#include "lua/luaclass.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "lua/luaerr.h"
#include "lua/sandbox.h"
#include "sim/base/suggest.h"

typedef struct Box {
    const LuaClass *class;
    void *ptr; /* NULL: the thing is gone */
    bool owned;
} Box;

static const char gone[] = "used after the run, or after it was removed";

/* Every box begins with its class, and scenarios cannot make userdata; other userdata is told by its
 * metatable. */
static Box *to_box(lua_State *L, int idx, const LuaClass *class)
{
    Box *box = lua_touserdata(L, idx);

    if (!box || lua_islightuserdata(L, idx) || !lua_getmetatable(L, idx))
        return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, class);
    bool same = lua_rawequal(L, -1, -2);

    lua_pop(L, 2);
    return same ? box : NULL;
}

static const LuaClass *upvalue_class(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

void *luaclass_test(lua_State *L, int idx, const LuaClass *class)
{
    const Box *box = to_box(L, idx, class);

    return box ? box->ptr : NULL;
}

void *luaclass_check(lua_State *L, int idx, const LuaClass *class)
{
    const Box *box = to_box(L, idx, class);

    if (!box)
        luaerr_raise(L, "bad argument #%d: got %s, expected a %s", idx, luaerr_describe(L, idx), class->name);
    if (!box->ptr)
        luaerr_raise(L, "bad argument #%d: this %s was %s", idx, class->name, gone);
    return box->ptr;
}

static const luaL_Reg *find_member(const luaL_Reg *list, const char *name)
{
    for (; list && list->name; list++)
        if (g_str_equal(list->name, name))
            return list;
    return NULL;
}

_Noreturn static void unknown_member(lua_State *L, const LuaClass *class, const char *name)
{
    const char *known[256] = {NULL};
    size_t n = 0;

    for (const luaL_Reg *m = class->methods; m && m->name && n < G_N_ELEMENTS(known); m++)
        known[n++] = m->name;
    for (const luaL_Reg *m = class->properties; m && m->name && n < G_N_ELEMENTS(known); m++)
        known[n++] = m->name;
    const char *close = suggest_closest(name, known, n);

    if (close)
        luaerr_raise(L, "a %s has no \"%s\" (did you mean \"%s\"?)", class->name, name, close);
    luaerr_raise(L, "a %s has no \"%s\": it has %s", class->name, name, luaerr_push_names(L, known, n));
}

/* Upvalues of the metamethods: the class. Methods are found in the metatable's own list, one closure each. */
static int class_index(lua_State *L)
{
    const LuaClass *class = upvalue_class(L);
    const Box *box = to_box(L, 1, class);

    if (!box)
        luaerr_raise(L, "this is no %s", class->name);
    if (lua_type(L, 2) != LUA_TSTRING)
        luaerr_raise(L, "a %s has no member %s", class->name, luaerr_describe(L, 2));
    const char *name = lua_tostring(L, 2);
    const luaL_Reg *member = find_member(class->methods, name);

    if (member) {
        lua_pushcfunction(L, member->func);
        return 1;
    }
    member = find_member(class->properties, name);
    if (!member)
        unknown_member(L, class, name);
    if (!box->ptr)
        luaerr_raise(L, "this %s was %s", class->name, gone);
    lua_settop(L, 1);
    return member->func(L);
}

static int class_newindex(lua_State *L)
{
    const LuaClass *class = upvalue_class(L);

    luaerr_raise(L, "%s of a %s cannot be assigned", luaerr_describe(L, 2), class->name);
}

static int class_eq(lua_State *L)
{
    const LuaClass *class = upvalue_class(L);
    const Box *a = to_box(L, 1, class), *b = to_box(L, 2, class);

    lua_pushboolean(L, a && b && a->ptr && a->ptr == b->ptr);
    return 1;
}

/* Only installed for classes that describe themselves. The copy is a buffer's, so that an error cannot leak
 * the text. */
static int class_tostring(lua_State *L)
{
    const LuaClass *class = upvalue_class(L);
    const Box *box = to_box(L, 1, class);

    if (!box || !box->ptr) {
        lua_pushfstring(L, "%s (gone)", class->name);
        return 1;
    }
    char *text = class->describe(box->ptr);
    luaL_Buffer copy;
    size_t len = strlen(text);
    char stack_text[256];

    g_strlcpy(stack_text, text, sizeof stack_text);
    g_free(text);
    luaL_buffinit(L, &copy);
    luaL_addlstring(&copy, stack_text, HS_MIN(len, sizeof stack_text - 1));
    luaL_pushresult(&copy);
    return 1;
}

static int class_gc(lua_State *L)
{
    Box *box = lua_touserdata(L, 1);

    if (box && box->owned && box->ptr && box->class->release)
        box->class->release(box->ptr);
    if (box)
        box->ptr = NULL;
    return 0;
}

/* Pushes the class's metatable, made on first use. */
static void push_metatable(lua_State *L, const LuaClass *class)
{
    static const luaL_Reg meta[] = {{"__index", class_index},
                                    {"__newindex", class_newindex},
                                    {"__eq", class_eq},
                                    {"__gc", class_gc},
                                    {NULL, NULL}};

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, class) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 8);
    lua_pushlightuserdata(L, (void *)class);
    luaL_setfuncs(L, meta, 1);
    if (class->describe) {
        lua_pushlightuserdata(L, (void *)class);
        lua_pushcclosure(L, class_tostring, 1);
        lua_setfield(L, -2, "__tostring");
    }
    if (class->length) {
        lua_pushcfunction(L, class->length);
        lua_setfield(L, -2, "__len");
    }
    lua_pushstring(L, class->name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_createtable(L, 0, 0);
    lua_rawseti(L, -2, 1); /* the objects */
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, class);
}

/* Takes the metatable from the top and puts the userdata there. */
static void push_box(lua_State *L, const LuaClass *class, void *ptr, bool owned)
{
    Box *box = lua_newuserdatauv(L, sizeof *box, 0);

    *box = (Box){.class = class, .ptr = ptr, .owned = owned};
    lua_insert(L, -2);
    lua_setmetatable(L, -2);
}

void luaclass_push(lua_State *L, const LuaClass *class, void *ptr)
{
    luaL_checkstack(L, 8, NULL);
    push_metatable(L, class);
    lua_rawgeti(L, -1, 1);
    if (lua_rawgetp(L, -1, ptr) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushvalue(L, -2);
        push_box(L, class, ptr, false);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, ptr);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

void luaclass_push_owned(lua_State *L, const LuaClass *class, void *ptr)
{
    luaL_checkstack(L, 8, NULL);
    push_metatable(L, class);
    push_box(L, class, ptr, true);
}

void luaclass_give(lua_State *L, const LuaClass *class, void *ptr)
{
    int top = lua_gettop(L);
    Box *box = NULL;

    if (!lua_checkstack(L, 6))
        return; /* no memory left: rather lost than used after it is gone */
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, class) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        if (lua_rawgetp(L, -1, ptr) == LUA_TUSERDATA) {
            box = lua_touserdata(L, -1);
            box->owned = true;
            lua_pushnil(L);
            lua_rawsetp(L, -3, ptr);
        }
    }
    lua_settop(L, top);
    if (!box)
        class->release(ptr);
}

void luaclass_invalidate(lua_State *L, const LuaClass *class, void *ptr)
{
    int top = lua_gettop(L);

    if (lua_checkstack(L, 6) && lua_rawgetp(L, LUA_REGISTRYINDEX, class) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        if (lua_rawgetp(L, -1, ptr) == LUA_TUSERDATA) {
            ((Box *)lua_touserdata(L, -1))->ptr = NULL;
            lua_pushnil(L);
            lua_rawsetp(L, -3, ptr);
        }
    }
    lua_settop(L, top);
}

/* The order of this walk does not show. */
void luaclass_invalidate_all(lua_State *L, const LuaClass *class)
{
    int top = lua_gettop(L);

    if (lua_checkstack(L, 6) && lua_rawgetp(L, LUA_REGISTRYINDEX, class) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 1);
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            ((Box *)lua_touserdata(L, -1))->ptr = NULL;
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, -4);
        }
    }
    lua_settop(L, top);
}
