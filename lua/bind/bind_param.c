/* hs.param("loss", 0.01, "share of frames lost"): a value that --set may change. Its type is that of the
 * default. */
#include <string.h>

#include "lua/bind/bind.h"
#include "sim/base/units.h"
#include "sim/base/suggest.h"

/* The --set of that name, or NULL; the last one wins. */
static const char *find_setting(Scenario *s, const char *name)
{
    size_t len = strlen(name);
    const char *value = NULL;

    for (guint i = 0; s->params[i]; i++)
        if (strncmp(s->params[i], name, len) == 0 && s->params[i][len] == '=') {
            s->params_used[i] = true;
            value = s->params[i] + len + 1;
        }
    return value;
}

_Noreturn static void bad_setting(lua_State *L, const char *name, const char *value, const char *expected)
{
    luaerr_raise(L, "bad value for parameter \"%s\": got \"%s\", expected %s", name, value, expected);
}

static void push_setting(lua_State *L, const char *name, const char *value)
{
    static const char *const truths[] = {"true", "yes", "on", "1"}, *const lies[] = {"false", "no", "off",
                                                                                     "0"};
    double ratio;
    bool was_int;

    switch (lua_type(L, 2)) {
    case LUA_TSTRING:
        lua_pushstring(L, value);
        return;
    case LUA_TNUMBER:
        was_int = lua_isinteger(L, 2);
        if (!was_int && g_str_has_suffix(value, "%") && units_parse_ratio(value, &ratio, NULL)) {
            lua_pushnumber(L, ratio);
            return;
        }
        if (lua_stringtonumber(L, value) == 0)
            bad_setting(L, name, value, was_int ? "a whole number" : "a number, or a share such as 2%");
        if (was_int && !lua_isinteger(L, -1)) {
            int is_int;
            lua_Integer n = lua_tointegerx(L, -1, &is_int);

            if (!is_int)
                bad_setting(L, name, value, "a whole number");
            lua_pushinteger(L, n);
        } else if (!was_int) {
            lua_pushnumber(L, lua_tonumber(L, -1));
        }
        return;
    default:
        for (size_t i = 0; i < HS_ARRAY_LEN(truths); i++)
            if (strcmp(value, truths[i]) == 0 || strcmp(value, lies[i]) == 0) {
                lua_pushboolean(L, strcmp(value, truths[i]) == 0);
                return;
            }
        bad_setting(L, name, value, "true or false");
    }
}

static char *text_of(lua_State *L, int idx)
{
    char *text = g_strdup(sandbox_tolstring(L, idx, NULL));

    lua_pop(L, 1);
    return text;
}

static int hs_param(lua_State *L)
{
    Scenario *s = scenario_of(L);
    const char *name = bind_check_name(L, 1, "name");
    const char *help = lua_isnoneornil(L, 3) ? "" : bind_check_name(L, 3, "help");
    int type = lua_type(L, 2);

    if (*name == '\0' || strchr(name, '='))
        luaerr_arg(L, 1, "name", NULL, "a name without \"=\"");
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        luaerr_arg(L, 2, "default", NULL, "a number, a string, true or false");
    for (guint i = 0; i < s->param_list->len; i++)
        if (strcmp(((const Param *)g_ptr_array_index(s->param_list, i))->name, name) == 0)
            luaerr_raise(L, "parameter \"%s\" is declared twice", name);
    const char *setting = find_setting(s, name);

    if (setting)
        push_setting(L, name, setting);
    else
        lua_pushvalue(L, 2);
    Param *p = g_new0(Param, 1);

    g_ptr_array_add(s->param_list, p);
    p->name = g_strdup(name);
    p->help = g_strdup(help);
    p->standard = text_of(L, 2);
    p->value = text_of(L, -1);
    return 1;
}

bool bind_param_check(Scenario *s)
{
    g_autofree const char **known = g_new(const char *, s->param_list->len + 1);

    for (guint i = 0; i < s->param_list->len; i++)
        known[i] = ((const Param *)g_ptr_array_index(s->param_list, i))->name;
    for (guint i = 0; s->params[i]; i++) {
        const char *eq = strchr(s->params[i], '=');

        if (!eq || eq == s->params[i]) {
            scenario_fail_text(s, SCENARIO_WRONG, "--set %s: expected NAME=VALUE", s->params[i]);
            return false;
        }
        if (s->params_used[i])
            continue;
        g_autofree char *name = g_strndup(s->params[i], (gsize)(eq - s->params[i]));
        const char *close = suggest_closest(name, known, s->param_list->len);
        g_autofree char *list = g_strjoinv(", ", (known[s->param_list->len] = NULL, (char **)known));

        if (close)
            scenario_fail_text(s, SCENARIO_WRONG,
                               "--set %s: %s has no parameter \"%s\" (did you mean \"%s\"?)", s->params[i],
                               s->path, name, close);
        else if (*list)
            scenario_fail_text(s, SCENARIO_WRONG, "--set %s: %s has no parameter \"%s\": it has %s",
                               s->params[i], s->path, name, list);
        else
            scenario_fail_text(s, SCENARIO_WRONG, "--set %s: %s has no parameters", s->params[i], s->path);
        return false;
    }
    return true;
}

void bind_param_open(lua_State *L)
{
    lua_pushcfunction(L, hs_param);
    lua_setfield(L, -2, "param");
}
