/* hs.series { file = "queue.tsv", of = "queue.length", fields = "packets", link:dir(r), … }: a wish that
 * whoever writes files fulfils (scenario_series), as with captures. */
#include <string.h>

#include "lua/bind/bind.h"
#include "sim/trace/probe_table.h"
#include "sim/base/suggest.h"

typedef struct SeriesOpts {
    const char *file, *of;
    int fields;
    SimTime every;
} SeriesOpts;

static const LuaOpt series_opts[] = {
    {.name = "file", .kind = LUAOPT_STRING, .offset = offsetof(SeriesOpts, file), .required = true},
    {.name = "of", .kind = LUAOPT_STRING, .offset = offsetof(SeriesOpts, of), .required = true},
    {.name = "fields", .kind = LUAOPT_ANY, .offset = offsetof(SeriesOpts, fields), .required = true},
    {.name = "every", .kind = LUAOPT_TIME, .offset = offsetof(SeriesOpts, every)},
};
const BindOptions bind_series_options = {"hs.series", series_opts, HS_ARRAY_LEN(series_opts)};

static void add_point(GPtrArray *places, const ProbePoint *point)
{
    g_ptr_array_add(places, g_strdup_printf("%s:%s", point->node->name, point->name));
}

static void add_place(lua_State *L, int idx, GPtrArray *places)
{
    const NetLink *link = luaclass_test(L, idx, &bind_link_class);
    const LinkDir *dir = luaclass_test(L, idx, &bind_linkdir_class);
    const NetDev *dev = luaclass_test(L, idx, &bind_dev_class);

    if (dev && !dev->point)
        luaerr_raise(L, "interface \"%s\" has no wire to report from", dev->name);
    if (link) {
        for (unsigned end = 0; end < 2; end++)
            if (netlink_point(link, end))
                add_point(places, netlink_point(link, end));
    } else if (dir) {
        add_point(places, &linkdir_from(dir)->point);
    } else if (dev) {
        add_point(places, dev->point);
    } else {
        g_ptr_array_add(places, g_strdup(bind_check_node(L, idx, "what reports")->name));
    }
}

static void add_field(lua_State *L, int idx, GPtrArray *fields)
{
    if (lua_type(L, idx) != LUA_TSTRING || lua_rawlen(L, idx) == 0)
        luaerr_arg(L, idx, "fields", "hs.series", "the name of a field, or a list of them");
    g_ptr_array_add(fields, g_strdup(lua_tostring(L, idx)));
}

static void read_fields(lua_State *L, int idx, GPtrArray *fields)
{
    if (!lua_istable(L, idx)) {
        add_field(L, idx, fields);
        return;
    }
    int n = (int)lua_rawlen(L, idx);

    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, idx, i);
        add_field(L, lua_gettop(L), fields);
        lua_pop(L, 1);
    }
    if (n == 0)
        luaerr_raise(L, "bad option \"fields\" for hs.series: got an empty list, expected names of fields");
}

static void release_series(void *ptr)
{
    Series *w = ptr;

    g_free(w->file);
    g_free(w->of);
    g_ptr_array_free(w->places, true);
    g_ptr_array_free(w->fields, true);
    g_free(w);
}

/* Lua owns a wish, so that a mistake in it leaves nothing behind; one without mistakes is kept for good. */
static const LuaClass series_class = {.name = "series", .release = release_series};

/* Every one a field of the probe, and one that a column of numbers can show. */
static void check_fields(lua_State *L, const ProbeDesc *desc, const GPtrArray *fields)
{
    for (guint i = 0; i < fields->len; i++) {
        const char *name = fields->pdata[i], *names[PROBE_MAX_FIELDS], *close;
        unsigned k = 0;

        for (unsigned f = 0; f < desc->n_fields; f++)
            names[f] = desc->field[f].name;
        while (k < desc->n_fields && strcmp(names[k], name) != 0)
            k++;
        if (k == desc->n_fields) {
            close = suggest_closest(name, names, desc->n_fields);
            if (close)
                luaerr_raise(L, "probe \"%s\" has no field \"%s\" (did you mean \"%s\"?)", desc->name, name,
                             close);
            luaerr_raise(L, "probe \"%s\" has no field \"%s\": docs/traces.md lists them", desc->name, name);
        }
        if (desc->field[k].kind == PROBE_STR)
            luaerr_raise(L, "field \"%s\" of probe \"%s\" is text: a series is of numbers", name, desc->name);
    }
}

static int hs_series(lua_State *L)
{
    Scenario *s = scenario_of(L);
    SeriesOpts o = {0};

    luaL_checktype(L, 1, LUA_TTABLE);
    int n = (int)lua_rawlen(L, 1);

    if (s->is_ready)
        luaerr_raise(L, "hs.series comes before the first hs.run");
    luaopt_read(L, 1, "hs.series", series_opts, HS_ARRAY_LEN(series_opts), n, &o);
    if (*o.file == '\0' || g_path_is_absolute(o.file) || strstr(o.file, ".."))
        luaerr_raise(
            L, "bad option \"file\" for hs.series: got \"%s\", expected a name inside the output folder",
            o.file);
    const ProbeDesc *desc = probe_by_name(o.of);

    if (!desc)
        bind_raise_unknown_probe(L, "hs.series", o.of);
    if (n == 0)
        luaerr_raise(L, "hs.series needs a list of what reports: nodes, interfaces, links or directions");
    Series *w = g_new0(Series, 1);

    w->places = g_ptr_array_new_with_free_func(g_free);
    w->fields = g_ptr_array_new_with_free_func(g_free);
    luaclass_push_owned(L, &series_class, w);
    w->file = g_strdup(o.file);
    w->of = g_strdup(o.of);
    w->every = o.every;
    read_fields(L, o.fields, w->fields);
    check_fields(L, desc, w->fields);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        add_place(L, lua_gettop(L), w->places);
        lua_pop(L, 1);
    }
    luaL_ref(L, LUA_REGISTRYINDEX);
    g_ptr_array_add(w->places, NULL);
    g_ptr_array_add(w->fields, NULL);
    g_ptr_array_add(s->series, w);
    if (s->config.on_wish)
        s->config.on_wish(s->config.user, s);
    return 0;
}

void bind_series_open(lua_State *L)
{
    lua_pushcfunction(L, hs_series);
    lua_setfield(L, -2, "series");
}
