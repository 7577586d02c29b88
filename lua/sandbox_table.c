/* The table library: sort is a stable merge sort (stock Lua's picks pivots from the clock on large arrays),
 * and what loops in C charges for it (a __len of 2^62 must not be an endless loop). */
#include <string.h>

#include "lua/sandbox_private.h"
#include "sim/base/base.h"

/* The length that the library will use; charged. */
static lua_Integer charged_length(lua_State *L, uint64_t per_element)
{
    lua_Integer n = luaL_len(L, 1);

    if (n > 0)
        sandbox_charge(L, (uint64_t)n / 2 * per_element);
    return n;
}

/* Stock Lua's, but that a NaN is written as tostring writes it. */
static int table_concat(lua_State *L)
{
    size_t sep_len;
    const char *sep = luaL_optlstring(L, 2, "", &sep_len);
    lua_Integer first = luaL_optinteger(L, 3, 1);

    if (lua_type(L, 1) != LUA_TTABLE && !luaL_getmetafield(L, 1, "__index"))
        luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer last = lua_isnoneornil(L, 4) ? charged_length(L, 1) : luaL_checkinteger(L, 4);

    if (!lua_isnoneornil(L, 4) && last > first)
        sandbox_charge(L, ((uint64_t)last - (uint64_t)first) / 2);
    luaL_Buffer out;

    luaL_buffinit(L, &out);
    for (lua_Integer i = first; i <= last; i++) {
        lua_geti(L, 1, i);
        if (!lua_isstring(L, -1))
            return luaL_error(L, "invalid value (at index %I) in table for 'concat'", (LUAI_UACINT)i);
        sandbox_push_same_nan(L, -1);
        lua_remove(L, -2);
        luaL_addvalue(&out);
        if (i == last)
            break; /* may be the largest integer */
        luaL_addlstring(&out, sep, sep_len);
    }
    luaL_pushresult(&out);
    return 1;
}

/* In the middle, insert and remove move the rest. */
static int table_insert(lua_State *L)
{
    if (lua_gettop(L) == 3 && lua_type(L, 1) == LUA_TTABLE)
        charged_length(L, 1);
    return sandbox_of(L)->stock_insert(L);
}

static int table_remove(lua_State *L)
{
    if (lua_gettop(L) == 2 && lua_type(L, 1) == LUA_TTABLE)
        charged_length(L, 1);
    return sandbox_of(L)->stock_remove(L);
}

static int table_unpack(lua_State *L)
{
    if (lua_isnoneornil(L, 3) && lua_type(L, 1) == LUA_TTABLE)
        charged_length(L, 1);
    else
        sandbox_charge(L, 1000);
    return sandbox_of(L)->stock_unpack(L);
}

static int table_move(lua_State *L)
{
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, target, LUA_TTABLE);
    if (last >= first) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        luaL_argcheck(L, to <= LUA_MAXINTEGER - (last - first), 4, "destination wrap around");
        lua_Integer n = last - first + 1;
        bool overlaps_upwards = to > first && to <= last && lua_rawequal(L, 1, target);

        sandbox_charge(L, (uint64_t)n / 2);
        for (lua_Integer i = 0; i < n; i++) {
            lua_Integer k = overlaps_upwards ? n - 1 - i : i;

            lua_geti(L, 1, first + k);
            lua_seti(L, target, to + k);
        }
    }
    lua_pushvalue(L, target);
    return 1;
}

/* Whether element a of the working list (at 3) comes before element b, by the function at 2 or by <. */
static bool sort_before(lua_State *L, uint32_t a, uint32_t b)
{
    bool before;

    if (lua_isnil(L, 2)) {
        lua_rawgeti(L, 3, a);
        lua_rawgeti(L, 3, b);
        before = lua_compare(L, -2, -1, LUA_OPLT);
        lua_pop(L, 2);
    } else {
        lua_pushvalue(L, 2);
        lua_rawgeti(L, 3, a);
        lua_rawgeti(L, 3, b);
        lua_call(L, 2, 1);
        before = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    return before;
}

static void sort_range(lua_State *L, uint32_t *order, uint32_t *spare, size_t n)
{
    if (n < 2)
        return;
    size_t half = n / 2, left = 0, right = half, out = 0;

    sort_range(L, order, spare, half);
    sort_range(L, order + half, spare, n - half);
    sandbox_charge(L, n);
    memcpy(spare, order, half * sizeof *order);
    while (left < half && right < n)
        order[out++] = sort_before(L, order[right], spare[left]) ? order[right++] : spare[left++];
    while (left < half)
        order[out++] = spare[left++];
}

/* The table is written only when all went well: an error in the order function leaves it as it was. */
static int table_sort(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer n = charged_length(L, 2);

    if (n < 2)
        return 0;
    luaL_argcheck(L, n < INT32_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_createtable(L, 0, 0);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_geti(L, 1, i);
        lua_rawseti(L, 3, i);
    }
    uint32_t *order = lua_newuserdatauv(L, (size_t)n * 2 * sizeof *order, 0);

    for (uint32_t i = 0; i < n; i++)
        order[i] = i + 1;
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    sort_range(L, order, order + n, (size_t)n);
    /* An order that says so of neighbours the wrong way round (as <= does of equals) is none. */
    for (lua_Integer i = 0; i + 1 < n; i++)
        if (sort_before(L, order[i + 1], order[i]))
            return luaL_error(L, "invalid order function for sorting: it must be false for equal elements, "
                                 "and never true both ways");
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, 3, order[i]);
        lua_seti(L, 1, i + 1);
    }
    return 0;
}

void sandbox_table_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"concat", table_concat}, {"insert", table_insert}, {"move", table_move}, {"remove", table_remove},
        {"sort", table_sort},     {"unpack", table_unpack}, {NULL, NULL},
    };
    Sandbox *sb = sandbox_of(L);

    lua_getfield(L, -1, "insert");
    lua_getfield(L, -2, "remove");
    lua_getfield(L, -3, "unpack");
    sb->stock_insert = lua_tocfunction(L, -3);
    sb->stock_remove = lua_tocfunction(L, -2);
    sb->stock_unpack = lua_tocfunction(L, -1);
    lua_pop(L, 3);
    luaL_setfuncs(L, ours, 0);
}
