/* hs.rng "name": a stream of random numbers of the scenario's own, keyed by the seed and the name. */
#include <math.h>

#include "lua/bind/bind.h"
#include "sim/base/dist.h"

static Rng *check(lua_State *L)
{
    return luaclass_check(L, 1, &bind_rng_class);
}

static double check_number(lua_State *L, int idx, const char *name)
{
    if (lua_type(L, idx) != LUA_TNUMBER || !isfinite(lua_tonumber(L, idx)))
        luaerr_arg(L, idx, name, NULL, "a number");
    return lua_tonumber(L, idx);
}

static int hs_rng(lua_State *L)
{
    const char *name = lua_pushfstring(L, "rng:%s", bind_check_name(L, 1, "name"));

    luaclass_push(L, &bind_rng_class, node_rng(&scenario_of(L)->control, name));
    return 1;
}

/* As math.random: nothing, n, or from and to. */
static int rng_integer(lua_State *L)
{
    Rng *rng = check(L);
    lua_Integer from = luaL_checkinteger(L, 2), to = lua_isnoneornil(L, 3) ? from : luaL_checkinteger(L, 3);

    if (lua_isnoneornil(L, 3))
        from = 1;
    if (from > to)
        luaerr_raise(L, "no whole number lies between %I and %I", (LUAI_UACINT)from, (LUAI_UACINT)to);
    lua_pushinteger(L, rng_range(rng, from, to));
    return 1;
}

static int rng_uniform(lua_State *L)
{
    Rng *rng = check(L);
    double lo = lua_isnoneornil(L, 2) ? 0 : check_number(L, 2, "from");
    double hi = lua_isnoneornil(L, 2) ? 1 : check_number(L, 3, "to");

    if (lo > hi)
        luaerr_arg(L, 3, "to", NULL, "a number that is not below the first");
    lua_pushnumber(L, dist_uniform(rng, lo, hi));
    return 1;
}

static int rng_exponential(lua_State *L)
{
    Rng *rng = check(L);

    lua_pushnumber(L, dist_exponential(rng, check_number(L, 2, "mean")));
    return 1;
}

static int rng_normal(lua_State *L)
{
    Rng *rng = check(L);

    lua_pushnumber(L, dist_normal(rng, check_number(L, 2, "mean"), check_number(L, 3, "deviation")));
    return 1;
}

static int rng_pareto(lua_State *L)
{
    Rng *rng = check(L);
    double shape = check_number(L, 2, "shape"), scale = check_number(L, 3, "scale");

    if (!(shape > 0) || !(scale > 0))
        luaerr_raise(L, "shape and scale of a Pareto distribution are above 0");
    lua_pushnumber(L, dist_pareto(rng, shape, scale));
    return 1;
}

static int rng_zipf(lua_State *L)
{
    Rng *rng = check(L);
    lua_Integer n = luaL_checkinteger(L, 2);
    DistZipf zipf;

    if (n < 1 || !dist_zipf_init(&zipf, (uint64_t)n, check_number(L, 3, "exponent")))
        luaerr_raise(L, "rng:zipf wants a count from 1 to 2^50 and an exponent from 0 to 1000");
    lua_pushinteger(L, (lua_Integer)dist_zipf_next(&zipf, rng));
    return 1;
}

/* true with that probability. */
static int rng_is_chance(lua_State *L)
{
    Rng *rng = check(L);
    uint64_t threshold;

    if (!rng_threshold(check_number(L, 2, "probability"), &threshold))
        luaerr_arg(L, 2, "probability", NULL, "a number from 0 to 1");
    lua_pushboolean(L, rng_chance(rng, threshold));
    return 1;
}

static const luaL_Reg methods[] = {{"chance", rng_is_chance}, {"exponential", rng_exponential},
                                   {"integer", rng_integer},  {"normal", rng_normal},
                                   {"pareto", rng_pareto},    {"uniform", rng_uniform},
                                   {"zipf", rng_zipf},        {NULL, NULL}};

const LuaClass bind_rng_class = {.name = "random stream", .methods = methods};

void bind_random_open(lua_State *L)
{
    lua_pushcfunction(L, hs_rng);
    lua_setfield(L, -2, "rng");
    bind_set_int(L, "seed", scenario_of(L)->config.seed);
}
