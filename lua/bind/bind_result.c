/* hs.result("goodput", value, { unit = "bit/s" }): what a run has found out, one number under a name. The
 * summary tells it, and a sweep makes a column of it (hopscope sweep).
 *
 * value is a number, a list of numbers (samples within the run: their mean is the result, and a sweep can
 * make batch means of them), or a function that returns one of these when the run has ended. nil, NaN and the
 * infinities mean that this run has no such value; who asks is told why. */
#include <math.h>
#include <string.h>

#include "lua/bind/bind.h"

#define SAMPLES_MAX 1000000

typedef struct ResultOpts {
    const char *unit, *help;
} ResultOpts;

static const LuaOpt result_opts[] = {
    {.name = "help", .kind = LUAOPT_STRING, .offset = offsetof(ResultOpts, help)},
    {.name = "unit", .kind = LUAOPT_STRING, .offset = offsetof(ResultOpts, unit)},
};
const BindOptions bind_result_options = {"hs.result", result_opts, HS_ARRAY_LEN(result_opts)};

/* The columns that every table of runs has. */
const char *const scenario_columns[] = {"run",
                                        "seed",
                                        "status",
                                        "events",
                                        "seconds",
                                        "frames_sent",
                                        "frames_delivered",
                                        "frames_lost",
                                        "expectations_failed",
                                        "detail",
                                        NULL};

static void check_name(lua_State *L, const Scenario *s, const char *name)
{
    bool ok = g_ascii_isalpha(*name) || *name == '_';

    for (const char *c = name; *c && ok; c++)
        ok = g_ascii_isalnum(*c) || strchr("_.-", *c);
    if (!ok)
        luaerr_arg(L, 1, "name", NULL,
                   "a name of letters, digits, \"_\", \".\" and \"-\" that begins with a letter");
    if (g_strv_contains(scenario_columns, name))
        luaerr_raise(L, "result \"%s\": every table of runs has a column of that name; take another one",
                     name);
    for (guint i = 0; i < s->param_list->len; i++)
        if (strcmp(((const Param *)g_ptr_array_index(s->param_list, i))->name, name) == 0)
            luaerr_raise(L, "result \"%s\": there is a parameter of that name", name);
    for (guint i = 0; i < s->results->len; i++)
        if (strcmp(((const Result *)g_ptr_array_index(s->results, i))->name, name) == 0)
            luaerr_raise(L, "result \"%s\" is told twice", name);
}

/* NULL, or why there is no value. */
static const char *not_finite(double v)
{
    return isnan(v) ? "not a number" : isinf(v) ? v > 0 ? "infinite" : "minus infinity" : NULL;
}

static void set_samples(Result *r, lua_State *L, int idx, lua_Integer n)
{
    double sum = 0;

    r->samples = n ? g_new(double, (gsize)n) : NULL;
    r->n_samples = (unsigned)n;
    r->missing = n ? NULL : "no samples";
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, idx, i + 1);
        r->samples[i] = lua_tonumber(L, -1);
        lua_pop(L, 1);
        sum += r->samples[i];
    }
    r->value = n ? sum / (double)n : 0;
    if (not_finite(r->value))
        r->missing = "too large for a number";
}

/* NULL, or what is wrong with the value at idx as part of a sentence; it is on the stack. */
static const char *wrong_value(lua_State *L, int idx)
{
    lua_Integer n;
    int top = lua_gettop(L);

    if (lua_isnil(L, idx) || lua_type(L, idx) == LUA_TNUMBER)
        return NULL;
    if (lua_type(L, idx) != LUA_TTABLE)
        return lua_pushfstring(L, "got %s, expected a number or a list of numbers", luaerr_describe(L, idx));
    n = (lua_Integer)lua_rawlen(L, idx);
    if (n > SAMPLES_MAX)
        return lua_pushfstring(L, "%I samples, expected at most %d", n, SAMPLES_MAX);
    for (lua_Integer i = 1; i <= n; i++) {
        bool is_number = lua_rawgeti(L, idx, i) == LUA_TNUMBER;
        const char *why = is_number ? not_finite(lua_tonumber(L, -1)) : luaerr_describe(L, lua_gettop(L));

        if (!is_number || why)
            return lua_pushfstring(L, "sample %I is %s, expected a finite number", i, why);
        lua_settop(L, top);
    }
    return NULL;
}

static void set_value(Result *r, lua_State *L, int idx)
{
    if (lua_type(L, idx) == LUA_TTABLE) {
        set_samples(r, L, idx, (lua_Integer)lua_rawlen(L, idx));
    } else if (lua_type(L, idx) == LUA_TNUMBER) {
        r->value = lua_tonumber(L, idx);
        r->missing = not_finite(r->value);
    } else {
        r->missing = "nil";
    }
}

static int hs_result(lua_State *L)
{
    Scenario *s = scenario_of(L);
    const char *name = bind_check_name(L, 1, "name"), *wrong;
    bool later = lua_type(L, 2) == LUA_TFUNCTION;
    ResultOpts o = {.unit = "", .help = ""};

    if (lua_isnone(L, 2))
        luaerr_raise(L, "result \"%s\" has no value: give a number, a list of numbers or a function", name);
    check_name(L, s, name);
    luaopt_read(L, 3, "hs.result", result_opts, HS_ARRAY_LEN(result_opts), 0, &o);
    if (strpbrk(o.unit, "\t\r\n"))
        luaerr_raise(L, "bad option \"unit\" for hs.result: expected one word such as \"bit/s\"");
    wrong = later ? NULL : wrong_value(L, 2);
    if (wrong)
        luaerr_raise(L, "result \"%s\": %s", name, wrong);
    luaerr_where(L);
    Result *r = g_new0(Result, 1);

    g_ptr_array_add(s->results, r);
    r->name = g_strdup(name);
    r->unit = g_strdup(o.unit);
    r->help = g_strdup(o.help);
    r->where = g_strdup(lua_tostring(L, -1));
    r->ref = LUA_NOREF;
    if (!later) {
        set_value(r, L, 2);
        return 0;
    }
    r->missing = "the run did not come to its end";
    lua_pushvalue(L, 2);
    r->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* What a result's function returned is on the stack. */
static int take_value(lua_State *L)
{
    Result *r = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, r->ref);
    luaL_unref(L, LUA_REGISTRYINDEX, r->ref);
    r->ref = LUA_NOREF;
    lua_call(L, 0, 1);
    const char *wrong = wrong_value(L, 2);

    if (wrong)
        return luaL_error(L, "%sresult \"%s\": %s", r->where, r->name, wrong);
    set_value(r, L, 2);
    return 0;
}

/* A function that fails is a mistake of the scenario: better no table than one with a hole nobody expects. */
void bind_result_finish(Scenario *s)
{
    for (guint i = 0; i < s->results->len && !s->failed; i++) {
        Result *r = g_ptr_array_index(s->results, i);
        LuaErr err = {0};

        if (r->ref != LUA_NOREF && !luaerr_protect(s->L, take_value, r, &err))
            scenario_fail(s, &err);
    }
}

void bind_result_free(gpointer p)
{
    Result *r = p;

    g_free(r->name);
    g_free(r->unit);
    g_free(r->help);
    g_free(r->where);
    g_free(r->samples);
    g_free(r);
}

void bind_result_open(lua_State *L)
{
    lua_pushcfunction(L, hs_result);
    lua_setfield(L, -2, "result");
}
