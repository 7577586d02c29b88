/* Option tables. Errors are composed here, where option, value and expectation are known together. */
#include "lua/luaopt.h"

#include <glib.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "lua/luaerr.h"
#include "sim/base/simtime.h"
#include "sim/base/suggest.h"
#include "sim/base/units.h"

static const char *const expectations[] = {
    [LUAOPT_STRING] = "a string",
    [LUAOPT_BOOL] = "true or false",
    [LUAOPT_INT] = "a whole number",
    [LUAOPT_NUMBER] = "a number",
    [LUAOPT_TIME] = "a time such as \"20ms\", or a number of seconds",
    [LUAOPT_RATE] = "a rate such as \"10Mbps\", or a number of bits per second",
    [LUAOPT_SIZE] = "a size such as \"64KiB\", or a number of bytes",
    [LUAOPT_RATIO] = "a ratio from 0 to 1, such as \"1%\" or 0.01",
    [LUAOPT_TABLE] = "a table",
    [LUAOPT_FUNCTION] = "a function",
    [LUAOPT_ANY] = "a value",
};

_Noreturn static void bad_value(lua_State *L, int idx, const char *who, const LuaOpt *opt)
{
    luaerr_raise(L, "bad option \"%s\" for %s: got %s, expected %s", opt->name, who, luaerr_describe(L, idx),
                 expectations[opt->kind]);
}

static void check_range(lua_State *L, int idx, const char *who, const LuaOpt *opt, double value)
{
    char range[80];

    if ((opt->min == 0 && opt->max == 0) || (value >= opt->min && value <= opt->max))
        return;
    if (isinf(opt->max))
        g_snprintf(range, sizeof range, "%.14g or more", opt->min);
    else
        g_snprintf(range, sizeof range, "between %.14g and %.14g", opt->min, opt->max);
    luaerr_raise(L, "option \"%s\" for %s is out of range: got %s, expected %s, %s", opt->name, who,
                 luaerr_describe(L, idx), expectations[opt->kind], range);
}

/* Copies a message of units_parse_* to Lua, frees it, raises. */
_Noreturn static void bad_unit(lua_State *L, const char *who, const LuaOpt *opt, char *message)
{
    char copy[300];

    g_strlcpy(copy, message, sizeof copy);
    g_free(message);
    luaerr_raise(L, "bad option \"%s\" for %s: %s", opt->name, who, copy);
}

/* Numbers are converted exactly where they are whole; otherwise to the nearest unit. */
static double read_scaled(lua_State *L, int idx, const char *who, const LuaOpt *opt, double scale,
                          double limit)
{
    double value = lua_tonumber(L, idx) * scale;

    if (!(fabs(value) < limit))
        bad_value(L, idx, who, opt);
    return floor(value + 0.5);
}

static void read_time(lua_State *L, int idx, const char *who, const LuaOpt *opt, void *field)
{
    SimTime time = 0;
    char *message = NULL;

    if (lua_type(L, idx) == LUA_TNUMBER) {
        if (lua_isinteger(L, idx) && llabs(lua_tointeger(L, idx)) < INT64_MAX / SIM_SEC)
            time = lua_tointeger(L, idx) * SIM_SEC;
        else
            time = (SimTime)read_scaled(L, idx, who, opt, 1e9, 9.2e18);
    } else if (lua_type(L, idx) != LUA_TSTRING) {
        bad_value(L, idx, who, opt);
    } else if (!units_parse_time(lua_tostring(L, idx), &time, &message)) {
        bad_unit(L, who, opt, message);
    }
    if (time < 0 && opt->min >= 0)
        luaerr_raise(L, "option \"%s\" for %s is out of range: got %s, expected a time that is not negative",
                     opt->name, who, luaerr_describe(L, idx));
    check_range(L, idx, who, opt, (double)time / 1e9);
    *(SimTime *)field = time;
}

static void read_count(lua_State *L, int idx, const char *who, const LuaOpt *opt, void *field)
{
    uint64_t count = 0;
    char *message = NULL;

    if (lua_type(L, idx) == LUA_TNUMBER) {
        double value = read_scaled(L, idx, who, opt, 1, 1.8e19);

        if (value < 0)
            bad_value(L, idx, who, opt);
        count = lua_isinteger(L, idx) ? (uint64_t)lua_tointeger(L, idx) : (uint64_t)value;
    } else if (lua_type(L, idx) != LUA_TSTRING) {
        bad_value(L, idx, who, opt);
    } else if (opt->kind == LUAOPT_RATE ? !units_parse_rate(lua_tostring(L, idx), &count, &message)
                                        : !units_parse_size(lua_tostring(L, idx), &count, &message)) {
        bad_unit(L, who, opt, message);
    }
    check_range(L, idx, who, opt, (double)count);
    *(uint64_t *)field = count;
}

static void read_double(lua_State *L, int idx, const char *who, const LuaOpt *opt, void *field)
{
    double value = 0;
    char *message = NULL;

    if (lua_type(L, idx) == LUA_TNUMBER)
        value = lua_tonumber(L, idx);
    else if (lua_type(L, idx) != LUA_TSTRING || opt->kind != LUAOPT_RATIO)
        bad_value(L, idx, who, opt);
    else if (!units_parse_ratio(lua_tostring(L, idx), &value, &message))
        bad_unit(L, who, opt, message);
    if (!isfinite(value) || (opt->kind == LUAOPT_RATIO && !(value >= 0 && value <= 1)))
        bad_value(L, idx, who, opt);
    check_range(L, idx, who, opt, value);
    *(double *)field = value;
}

/* The value is at idx, which is absolute; returns with it popped, unless the field keeps its index. */
static void read_value(lua_State *L, int idx, const char *who, const LuaOpt *opt, void *field)
{
    int type = lua_type(L, idx);
    size_t len;
    int is_int;

    switch (opt->kind) {
    case LUAOPT_STRING:
        if (type != LUA_TSTRING || strlen(lua_tolstring(L, idx, &len)) != len)
            bad_value(L, idx, who, opt);
        *(const char **)field = lua_tostring(L, idx);
        break;
    case LUAOPT_BOOL:
        if (type != LUA_TBOOLEAN)
            bad_value(L, idx, who, opt);
        *(bool *)field = lua_toboolean(L, idx);
        break;
    case LUAOPT_INT: {
        lua_Integer value = type == LUA_TNUMBER ? lua_tointegerx(L, idx, &is_int) : (is_int = 0);

        if (!is_int)
            bad_value(L, idx, who, opt);
        check_range(L, idx, who, opt, (double)value);
        *(int64_t *)field = value;
        break;
    }
    case LUAOPT_TIME:
        read_time(L, idx, who, opt, field);
        break;
    case LUAOPT_RATE:
    case LUAOPT_SIZE:
        read_count(L, idx, who, opt, field);
        break;
    case LUAOPT_NUMBER:
    case LUAOPT_RATIO:
        read_double(L, idx, who, opt, field);
        break;
    case LUAOPT_TABLE:
    case LUAOPT_FUNCTION:
    case LUAOPT_ANY:
        if ((opt->kind == LUAOPT_TABLE && type != LUA_TTABLE) ||
            (opt->kind == LUAOPT_FUNCTION && type != LUA_TFUNCTION))
            bad_value(L, idx, who, opt);
        *(int *)field = idx;
    }
}

static bool keeps_index(LuaOptKind kind)
{
    return kind == LUAOPT_TABLE || kind == LUAOPT_FUNCTION || kind == LUAOPT_ANY;
}

void luaopt_value(lua_State *L, int idx, const char *who, const LuaOpt *opt, void *into)
{
    read_value(L, lua_absindex(L, idx), who, opt, (char *)into + opt->offset);
}

_Noreturn static void unknown_option(lua_State *L, const char *name, const char *who, const LuaOpt *opts,
                                     size_t n)
{
    const char *known[64] = {NULL};

    for (size_t i = 0; i < n; i++)
        known[i] = opts[i].name;
    const char *close = suggest_closest(name, known, n);

    if (close)
        luaerr_raise(L, "unknown option \"%s\" for %s (did you mean \"%s\"?)", name, who, close);
    if (n == 0)
        luaerr_raise(L, "unknown option \"%s\" for %s: it has no options", name, who);
    luaerr_raise(L, "unknown option \"%s\" for %s: its options are %s", name, who,
                 luaerr_push_names(L, known, n));
}

/* Of several unknown names, the first in byte order is reported: the walk has no defined order. */
static void check_names(lua_State *L, int idx, const char *who, const LuaOpt *opts, size_t n,
                        int n_positional)
{
    const char *unknown = NULL;
    bool has_other = false;

    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= n_positional)
            continue;
        if (lua_type(L, -1) != LUA_TSTRING) {
            has_other = true;
            continue;
        }
        const char *name = lua_tostring(L, -1);
        size_t i = 0;

        while (i < n && strcmp(opts[i].name, name) != 0)
            i++;
        if (i == n && (!unknown || strcmp(name, unknown) < 0))
            unknown = name;
    }
    if (unknown)
        unknown_option(L, unknown, who, opts, n);
    if (has_other)
        luaerr_raise(L, "bad options for %s: values without a name (write them as { name = value })", who);
}

uint64_t luaopt_read(lua_State *L, int idx, const char *who, const LuaOpt *opts, size_t n_opts,
                     int n_positional, void *into)
{
    uint64_t present = 0;
    bool is_empty = lua_isnoneornil(L, idx);

    hs_assert(n_opts <= 64);
    luaL_checkstack(L, (int)n_opts + LUA_MINSTACK, NULL);
    idx = lua_absindex(L, idx);
    if (!is_empty && lua_type(L, idx) != LUA_TTABLE)
        luaerr_raise(L, "bad options for %s: got %s, expected a table such as { name = value }", who,
                     luaerr_describe(L, idx));
    if (!is_empty)
        check_names(L, idx, who, opts, n_opts, n_positional);
    for (size_t i = 0; i < n_opts; i++) {
        if (!is_empty) {
            lua_pushstring(L, opts[i].name);
            if (lua_rawget(L, idx) != LUA_TNIL) {
                luaopt_value(L, -1, who, &opts[i], into);
                present |= (uint64_t)1 << i;
                if (keeps_index(opts[i].kind))
                    continue;
            }
            lua_pop(L, 1);
        }
        if (opts[i].required && !(present >> i & 1))
            luaerr_raise(L, "option \"%s\" for %s is missing: expected %s", opts[i].name, who,
                         expectations[opts[i].kind]);
    }
    return present;
}
