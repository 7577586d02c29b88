/* pairs and next in a defined order: integer keys ascending, then other numbers ascending, then strings
 * bytewise, then false, true, then functions of the library and other objects in the order of their creation.
 * (Stock Lua's order depends on addresses and on a seed made of them.)
 *
 * pairs sorts one snapshot of the keys and walks through it: fields may be assigned and cleared on the way as
 * in stock Lua, and what was cleared is skipped; a key added on the way is never visited. A table whose keys
 * are 1..n needs no snapshot. next is the same walk, remembered between calls; next(t) alone looks for the
 * smallest key only. */
#include <stdlib.h>
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

typedef struct Key {
    uint8_t rank;   /* of the kind of key */
    uint32_t index; /* in the unsorted list, from 1 */
    union {
        lua_Integer integer;
        lua_Number number;
        uint64_t serial;
        struct {
            const char *text;
            size_t len;
        };
    };
} Key;

enum { RANK_INTEGER, RANK_FLOAT, RANK_STRING, RANK_BOOLEAN, RANK_OBJECT };

/* The key at idx must stay reachable, unchanged, while the Key is in use: it may point into a string. */
static Key key_of(lua_State *L, int idx)
{
    Key key = {.rank = RANK_OBJECT};

    switch (lua_type(L, idx)) {
    case LUA_TNUMBER:
        if (lua_isinteger(L, idx)) {
            key.rank = RANK_INTEGER;
            key.integer = lua_tointeger(L, idx);
        } else {
            key.rank = RANK_FLOAT;
            key.number = lua_tonumber(L, idx);
        }
        break;
    case LUA_TSTRING:
        key.rank = RANK_STRING;
        key.text = lua_tolstring(L, idx, &key.len);
        break;
    case LUA_TBOOLEAN:
        key.rank = RANK_BOOLEAN;
        key.integer = lua_toboolean(L, idx);
        break;
    default:
        key.serial = sandbox_serial(L, idx);
    }
    return key;
}

static int key_compare(const void *pa, const void *pb)
{
    const Key *a = pa, *b = pb;

    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    switch (a->rank) {
    case RANK_FLOAT:
        return (a->number > b->number) - (a->number < b->number);
    case RANK_STRING: {
        int order = memcmp(a->text, b->text, HS_MIN(a->len, b->len));

        return order ? order : (a->len > b->len) - (a->len < b->len);
    }
    case RANK_OBJECT:
        return (a->serial > b->serial) - (a->serial < b->serial);
    default:
        return (a->integer > b->integer) - (a->integer < b->integer);
    }
}

/* How many keys the table at idx has; *is_list: they came as 1..n. */
static lua_Integer count_keys(lua_State *L, int idx, bool *is_list)
{
    lua_Integer n = 0;

    *is_list = true;
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        n++;
        if (*is_list && (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != n))
            *is_list = false;
    }
    sandbox_charge(L, (uint64_t)n);
    return n;
}

/* Pushes a list of the n keys of the table at idx, sorted. */
static void push_snapshot(lua_State *L, int idx, lua_Integer n)
{
    bool sorted = true;
    lua_Integer i = 0;

    luaL_argcheck(L, n < (lua_Integer)1 << 30, idx, "too many keys");
    sandbox_charge(L, (uint64_t)n * 8);
    lua_createtable(L, (int)n, 0);
    Key *keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys + 1, 0);
    int unsorted = lua_gettop(L) - 1;

    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        keys[i] = key_of(L, -1);
        keys[i].index = (uint32_t)i + 1;
        if (i > 0 && sorted && key_compare(&keys[i - 1], &keys[i]) > 0)
            sorted = false;
        lua_pushvalue(L, -1);
        lua_rawseti(L, unsorted, ++i);
    }
    if (sorted) {
        lua_pop(L, 1);
        return;
    }
    /* No two keys compare equal, so qsort has no choice to make. */
    qsort(keys, (size_t)n, sizeof *keys, key_compare);
    lua_createtable(L, (int)n, 0);
    for (i = 0; i < n; i++) {
        lua_rawgeti(L, unsorted, keys[i].index);
        lua_rawseti(L, -2, i + 1);
    }
    lua_replace(L, unsorted);
    lua_settop(L, unsorted);
}

/* Upvalues: table, snapshot or nil for a list, number of keys, position. */
static int pairs_step(lua_State *L)
{
    lua_Integer n = lua_tointeger(L, lua_upvalueindex(3));
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(4));
    bool is_list = lua_isnil(L, lua_upvalueindex(2));

    lua_settop(L, 0);
    while (at < n) {
        at++;
        if (is_list) {
            lua_pushinteger(L, at);
            lua_rawgeti(L, lua_upvalueindex(1), at);
        } else {
            lua_rawgeti(L, lua_upvalueindex(2), at);
            lua_pushvalue(L, -1);
            lua_rawget(L, lua_upvalueindex(1));
        }
        if (!lua_isnil(L, -1))
            break;
        lua_settop(L, 0);
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(4));
    if (lua_gettop(L) == 2)
        return 2;
    lua_pushnil(L);
    return 1;
}

static int finish_pairs(lua_State *L, int status, lua_KContext ctx)
{
    (void)L, (void)status, (void)ctx;
    return 3;
}

static int base_pairs(lua_State *L)
{
    bool is_list;

    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 3, 0, finish_pairs);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer n = count_keys(L, 1, &is_list);

    lua_pushvalue(L, 1);
    if (is_list)
        lua_pushnil(L);
    else
        push_snapshot(L, 1, n);
    lua_pushinteger(L, n);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_step, 4);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* The first key, without sorting. */
static int next_first(lua_State *L)
{
    Key best = {0};
    uint64_t n = 0;

    lua_settop(L, 1);
    lua_pushnil(L); /* 2: the best so far */
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        Key key = key_of(L, -1);

        if (n++ == 0 || key_compare(&key, &best) < 0) {
            best = key;
            lua_copy(L, -1, 2);
        }
    }
    sandbox_charge(L, n);
    if (n == 0)
        return 1; /* nil */
    lua_pushvalue(L, 2);
    lua_rawget(L, 1);
    return 2;
}

/* Where in the sorted list at `list` the walk goes on after the key at `idx` (which may have left the table).
 */
static lua_Integer position_after(lua_State *L, int list, lua_Integer n, int idx)
{
    Key key = key_of(L, idx);
    lua_Integer low = 0;

    while (low < n) {
        lua_Integer mid = low + (n - low) / 2;

        lua_rawgeti(L, list, mid + 1);
        Key other = key_of(L, -1);
        bool is_before = key_compare(&other, &key) <= 0;

        lua_pop(L, 1);
        if (is_before)
            low = mid + 1;
        else
            n = mid;
    }
    return low;
}

/* The walk under way is a list {table, snapshot, position} in the registry; position is that of the last key
 * given. */
static int base_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_isnil(L, 2))
        return next_first(L);

    bool is_list;
    lua_Integer at = 0;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_next);
    if (lua_istable(L, 3)) {
        lua_rawgeti(L, 3, 1);
        lua_rawgeti(L, 3, 3);
        at = lua_tointeger(L, -1);
        lua_rawgeti(L, 3, 2);
        lua_rawgeti(L, -1, at);
        if (!lua_rawequal(L, 4, 1) || !lua_rawequal(L, -1, 2))
            at = 0;
        lua_copy(L, 6, 4);
        lua_settop(L, 4);
    }
    if (at == 0) {
        lua_settop(L, 2);
        lua_createtable(L, 3, 0);
        lua_pushvalue(L, 1);
        lua_rawseti(L, 3, 1);
        push_snapshot(L, 1, count_keys(L, 1, &is_list));
        lua_pushvalue(L, 4);
        lua_rawseti(L, 3, 2);
        at = position_after(L, 4, (lua_Integer)lua_rawlen(L, 4), 2);
        lua_pushvalue(L, 3);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox_key_next);
    }
    lua_Integer n = (lua_Integer)lua_rawlen(L, 4);

    while (at < n) {
        lua_rawgeti(L, 4, ++at);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) {
            lua_pushinteger(L, at);
            lua_rawseti(L, 3, 3);
            return 2;
        }
        lua_settop(L, 4);
    }
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox_key_next);
    lua_pushnil(L);
    return 1;
}

void sandbox_pairs_install(lua_State *L)
{
    static const luaL_Reg ours[] = {{"pairs", base_pairs}, {"next", base_next}, {NULL, NULL}};

    luaL_setfuncs(L, ours, 0);
}
