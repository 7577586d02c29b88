/* hs.plot.cwnd { file = "cwnd.svg", host = client } and its like: wishes that whoever writes files fulfils
 * (scenario_plot), as with captures. hs.plot.note(time, text) writes something into all of them. */
#include <string.h>

#include "lua/bind/bind.h"
#include "sim/base/suggest.h"
#include "sim/base/units.h"

typedef struct PlotOpts {
    const char *file, *of, *flow, *title, *font, *style;
    int host;
    SimTime from, to, interval;
    int64_t width, height;
    bool states, separate, log, legend;
} PlotOpts;

static const LuaOpt plot_opts[] = {
    {.name = "file", .kind = LUAOPT_STRING, .offset = offsetof(PlotOpts, file), .required = true},
    {.name = "of", .kind = LUAOPT_STRING, .offset = offsetof(PlotOpts, of)},
    {.name = "host", .kind = LUAOPT_ANY, .offset = offsetof(PlotOpts, host)},
    {.name = "flow", .kind = LUAOPT_STRING, .offset = offsetof(PlotOpts, flow)},
    {.name = "from", .kind = LUAOPT_TIME, .offset = offsetof(PlotOpts, from)},
    {.name = "to", .kind = LUAOPT_TIME, .offset = offsetof(PlotOpts, to)},
    {.name = "interval",
     .kind = LUAOPT_TIME,
     .offset = offsetof(PlotOpts, interval),
     .min = 1e-6,
     .max = 1e6},
    {.name = "title", .kind = LUAOPT_STRING, .offset = offsetof(PlotOpts, title)},
    {.name = "states", .kind = LUAOPT_BOOL, .offset = offsetof(PlotOpts, states)},
    {.name = "separate", .kind = LUAOPT_BOOL, .offset = offsetof(PlotOpts, separate)},
    {.name = "log", .kind = LUAOPT_BOOL, .offset = offsetof(PlotOpts, log)},
    {.name = "legend", .kind = LUAOPT_BOOL, .offset = offsetof(PlotOpts, legend)},
    {.name = "width", .kind = LUAOPT_INT, .offset = offsetof(PlotOpts, width), .min = 200, .max = 8000},
    {.name = "height", .kind = LUAOPT_INT, .offset = offsetof(PlotOpts, height), .min = 100, .max = 8000},
    {.name = "font", .kind = LUAOPT_STRING, .offset = offsetof(PlotOpts, font)},
    {.name = "style", .kind = LUAOPT_STRING, .offset = offsetof(PlotOpts, style)},
};
const BindOptions bind_plot_options = {"hs.plot", plot_opts, HS_ARRAY_LEN(plot_opts)};

/* What can be drawn, by the names that view/plot.h knows; and what of it hs.plot.NAME draws. */
static const struct {
    const char *name, *what;
} plots[] = {
    {"cwnd", "cwnd,ssthresh"},
    {"ssthresh", "ssthresh"},
    {"inflight", "inflight,cwnd"},
    {"sequence", "sequence"},
    {"rwnd", "rwnd"},
    {"rtt", "rtt"},
    {"rto", "rto,rtt"},
    {"queue", "queue"},
    {"sojourn", "sojourn"},
    {"throughput", "throughput"},
    {"goodput", "goodput"},
    {"fairness", "fairness"},
    {"loss", "loss"},
    {"mark", "mark"},
};

static void release_plot(void *ptr)
{
    Plot *w = ptr;

    g_free(w->file);
    g_free(w->what);
    g_free(w->host);
    g_free(w->flow);
    g_free(w->title);
    g_free(w->font);
    g_free(w);
}

/* Lua owns a wish, so that a mistake in it leaves nothing behind; one without mistakes is kept for good. */
static const LuaClass plot_class = {.name = "plot", .release = release_plot};

static void check_file(lua_State *L, const char *who, const char *file)
{
    if (*file == '\0' || g_path_is_absolute(file) || strstr(file, ".."))
        luaerr_raise(L, "bad option \"file\" for %s: got \"%s\", expected a name inside the output folder",
                     who, file);
    if (!g_str_has_suffix(file, ".svg") && !g_str_has_suffix(file, ".png") && !g_str_has_suffix(file, ".pdf"))
        luaerr_raise(
            L, "bad option \"file\" for %s: got \"%s\", expected a name that ends in .svg, .png or .pdf", who,
            file);
}

/* A node or its name (or a pattern of names), or where a queue is: link:dir(node), an interface. */
static char *read_host(lua_State *L, int idx)
{
    const LinkDir *dir = luaclass_test(L, idx, &bind_linkdir_class);
    const NetDev *dev = luaclass_test(L, idx, &bind_dev_class);
    const ProbePoint *point = dir ? &linkdir_from(dir)->point : dev ? dev->point : NULL;

    if (point)
        return g_strdup_printf("%s:%s", point->node->name, point->name);
    if (lua_type(L, idx) == LUA_TSTRING && strpbrk(lua_tostring(L, idx), "*?:"))
        return g_strdup(lua_tostring(L, idx));
    return g_strdup(bind_check_node(L, idx, "host")->name);
}

static void check_name(lua_State *L, const char *who, const char *name)
{
    const char *names[HS_ARRAY_LEN(plots)], *close;

    for (size_t i = 0; i < HS_ARRAY_LEN(plots); i++) {
        names[i] = plots[i].name;
        if (!strcmp(names[i], name))
            return;
    }
    close = suggest_closest(name, names, HS_ARRAY_LEN(names));
    if (close)
        luaerr_raise(L, "%s cannot draw \"%s\" (did you mean \"%s\"?)", who, name, close);
    luaerr_raise(L, "%s cannot draw \"%s\": docs/scenario-api.md lists what there is", who, name);
}

/* The list of names at the front of the table; NULL: none. */
static char *read_list(lua_State *L, const char *who, int n)
{
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        if (lua_type(L, -1) != LUA_TSTRING)
            luaerr_arg(L, lua_gettop(L), "what", who, "names of what to draw");
        check_name(L, who, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    GString *list = g_string_new(NULL);

    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        g_string_append_printf(list, "%s%s", i > 1 ? "," : "", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return g_string_free(list, FALSE);
}

static void check_of(lua_State *L, const char *who, const char *of)
{
    static const char *const without[] = {"sequence", "fairness", "loss", "mark"};

    check_name(L, who, of);
    for (size_t i = 0; i < HS_ARRAY_LEN(without); i++)
        if (!strcmp(without[i], of))
            luaerr_raise(L, "bad option \"of\" for %s: \"%s\" has no distribution", who, of);
}

/* `what` NULL: from the table's list (figure) or its option "of" (cdf). */
static int add_plot(lua_State *L, const char *who, const char *what, bool is_cdf)
{
    Scenario *s = scenario_of(L);
    PlotOpts o = {.states = true, .legend = true, .to = SIM_NEVER};
    bool is_list = !what && !is_cdf;
    Plot *w;
    int n;

    luaL_checktype(L, 1, LUA_TTABLE);
    if (s->is_ready)
        luaerr_raise(L, "%s comes before the first hs.run", who);
    n = is_list ? (int)lua_rawlen(L, 1) : 0;
    luaopt_read(L, 1, who, plot_opts, HS_ARRAY_LEN(plot_opts), n, &o);
    check_file(L, who, o.file);
    if (o.from >= o.to)
        luaerr_raise(L, "bad option \"to\" for %s: expected a time later than \"from\"", who);
    if (o.style && strcmp(o.style, "screen") && strcmp(o.style, "paper"))
        luaerr_raise(L, "bad option \"style\" for %s: got \"%s\", expected \"screen\" or \"paper\"", who,
                     o.style);
    if (is_list && n == 0)
        luaerr_raise(L, "%s needs a list of what to draw: { \"cwnd\", \"rtt\", file = … }", who);
    if (is_cdf)
        check_of(L, who, o.of ? o.of : "rtt");
    else if (o.of)
        luaerr_raise(L, "unknown option \"of\" for %s: it belongs to hs.plot.cdf", who);
    w = g_new0(Plot, 1);
    luaclass_push_owned(L, &plot_class, w);
    if (o.host)
        w->host = read_host(L, o.host);
    w->what = is_list ? read_list(L, who, n) : g_strdup(is_cdf ? o.of ? o.of : "rtt" : what);
    w->file = g_strdup(o.file);
    w->flow = g_strdup(o.flow);
    w->title = g_strdup(o.title);
    w->from = o.from;
    w->to = o.to;
    w->interval = o.interval;
    w->cdf = is_cdf;
    w->no_states = !o.states;
    w->separate = o.separate;
    w->log = o.log;
    w->no_legend = !o.legend;
    w->width = (unsigned)o.width;
    w->height = (unsigned)o.height;
    w->font = g_strdup(o.font);
    w->is_paper = o.style && !strcmp(o.style, "paper");
    luaL_ref(L, LUA_REGISTRYINDEX);
    g_ptr_array_add(s->plots, w);
    if (s->config.on_wish)
        s->config.on_wish(s->config.user, s);
    return 0;
}

static int hs_plot(lua_State *L)
{
    size_t i = (size_t)lua_tointeger(L, lua_upvalueindex(1));
    char who[40];

    g_snprintf(who, sizeof(who), "hs.plot.%s", plots[i].name);
    return add_plot(L, who, plots[i].what, false);
}

static int hs_plot_figure(lua_State *L)
{
    return add_plot(L, "hs.plot.figure", NULL, false);
}

static int hs_plot_cdf(lua_State *L)
{
    return add_plot(L, "hs.plot.cdf", NULL, true);
}

static int hs_plot_note(lua_State *L)
{
    Scenario *s = scenario_of(L);
    PlotNote note = {.time = bind_check_time(L, 1, "time")};

    note.text = g_strdup(luaL_checkstring(L, 2));
    g_array_append_val(s->plot_notes, note);
    return 0;
}

/* In the unit that view/plot_sink.h tells of. */
static double check_level(lua_State *L, const char *what)
{
    static const char *const times[] = {"rtt", "rto", "sojourn"}, *const rates[] = {"throughput", "goodput"};
    uint64_t rate;
    char *error;

    for (size_t i = 0; i < HS_ARRAY_LEN(times); i++)
        if (!strcmp(times[i], what))
            return (double)bind_check_time(L, 2, "value") / 1e9;
    for (size_t i = 0; i < HS_ARRAY_LEN(rates) && lua_type(L, 2) == LUA_TSTRING; i++)
        if (!strcmp(rates[i], what)) {
            if (!units_parse_rate(lua_tostring(L, 2), &rate, &error)) {
                lua_pushstring(L, error);
                g_free(error);
                luaerr_raise(L, "bad value for hs.plot.level: %s", lua_tostring(L, -1));
            }
            return (double)rate;
        }
    return luaL_checknumber(L, 2);
}

static int hs_plot_level(lua_State *L)
{
    Scenario *s = scenario_of(L);
    const char *what = luaL_checkstring(L, 1), *text = luaL_checkstring(L, 3);
    PlotLine line;

    check_name(L, "hs.plot.level", what);
    line.value = check_level(L, what);
    line.what = g_strdup(what);
    line.text = g_strdup(text);
    g_array_append_val(s->plot_levels, line);
    return 0;
}

void bind_plot_open(lua_State *L)
{
    lua_createtable(L, 0, (int)HS_ARRAY_LEN(plots) + 4);
    for (size_t i = 0; i < HS_ARRAY_LEN(plots); i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, hs_plot, 1);
        lua_setfield(L, -2, plots[i].name);
    }
    lua_pushcfunction(L, hs_plot_cdf);
    lua_setfield(L, -2, "cdf");
    lua_pushcfunction(L, hs_plot_figure);
    lua_setfield(L, -2, "figure");
    lua_pushcfunction(L, hs_plot_note);
    lua_setfield(L, -2, "note");
    lua_pushcfunction(L, hs_plot_level);
    lua_setfield(L, -2, "level");
    lua_setfield(L, -2, "plot");
}
