/* hs.ladder { between = { a, b }, file = "handshake.svg" }: a wish that whoever writes files fulfils
 * (scenario_ladder), as with captures. */
#include <string.h>

#include "lua/bind/bind.h"

typedef struct LadderOpts {
    const char *file, *flow, *title;
    int between;
    SimTime from, to;
    bool hops, timers, options, absolute, unfold, notes, states;
} LadderOpts;

static const LuaOpt ladder_opts[] = {
    {.name = "file", .kind = LUAOPT_STRING, .offset = offsetof(LadderOpts, file), .required = true},
    {.name = "between", .kind = LUAOPT_TABLE, .offset = offsetof(LadderOpts, between)},
    {.name = "flow", .kind = LUAOPT_STRING, .offset = offsetof(LadderOpts, flow)},
    {.name = "from", .kind = LUAOPT_TIME, .offset = offsetof(LadderOpts, from)},
    {.name = "to", .kind = LUAOPT_TIME, .offset = offsetof(LadderOpts, to)},
    {.name = "title", .kind = LUAOPT_STRING, .offset = offsetof(LadderOpts, title)},
    {.name = "hops", .kind = LUAOPT_BOOL, .offset = offsetof(LadderOpts, hops)},
    {.name = "timers", .kind = LUAOPT_BOOL, .offset = offsetof(LadderOpts, timers)},
    {.name = "options", .kind = LUAOPT_BOOL, .offset = offsetof(LadderOpts, options)},
    {.name = "absolute", .kind = LUAOPT_BOOL, .offset = offsetof(LadderOpts, absolute)},
    {.name = "unfold", .kind = LUAOPT_BOOL, .offset = offsetof(LadderOpts, unfold)},
    {.name = "notes", .kind = LUAOPT_BOOL, .offset = offsetof(LadderOpts, notes)},
    {.name = "states", .kind = LUAOPT_BOOL, .offset = offsetof(LadderOpts, states)},
};
const BindOptions bind_ladder_options = {"hs.ladder", ladder_opts, HS_ARRAY_LEN(ladder_opts)};

static void release_ladder(void *ptr)
{
    LadderWish *w = ptr;

    g_free(w->file);
    g_free(w->flow);
    g_free(w->title);
    if (w->between)
        g_ptr_array_free(w->between, true);
    g_free(w);
}

/* Lua owns a wish, so that a mistake in it leaves nothing behind; one without mistakes is kept for good. */
static const LuaClass ladder_class = {.name = "ladder", .release = release_ladder};

static void check_file(lua_State *L, const char *file)
{
    if (*file == '\0' || g_path_is_absolute(file) || strstr(file, "..") ||
        (!g_str_has_suffix(file, ".svg") && !g_str_has_suffix(file, ".txt")))
        luaerr_raise(
            L,
            "bad option \"file\" for hs.ladder: got \"%s\", expected a name inside the output folder "
            "that ends in .svg or .txt",
            file);
}

static void read_between(lua_State *L, int idx, LadderWish *w)
{
    int n = (int)lua_rawlen(L, idx);

    if (n < 2)
        luaerr_raise(L, "bad option \"between\" for hs.ladder: got %d nodes, expected at least two", n);
    w->between = g_ptr_array_new_with_free_func(g_free);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, idx, i);
        g_ptr_array_add(w->between, g_strdup(bind_check_node(L, lua_gettop(L), "between")->name));
        lua_pop(L, 1);
    }
    g_ptr_array_add(w->between, NULL);
}

static int hs_ladder(lua_State *L)
{
    Scenario *s = scenario_of(L);
    LadderOpts o = {.to = SIM_NEVER, .notes = true, .states = true};
    LadderWish *w;

    luaL_checktype(L, 1, LUA_TTABLE);
    if (s->is_ready)
        luaerr_raise(L, "hs.ladder comes before the first hs.run");
    luaopt_read(L, 1, "hs.ladder", ladder_opts, HS_ARRAY_LEN(ladder_opts), 0, &o);
    check_file(L, o.file);
    if (o.from >= o.to)
        luaerr_raise(L, "bad option \"to\" for hs.ladder: expected a time later than \"from\"");
    w = g_new0(LadderWish, 1);
    luaclass_push_owned(L, &ladder_class, w);
    w->file = g_strdup(o.file);
    w->flow = g_strdup(o.flow);
    w->title = g_strdup(o.title);
    if (o.between)
        read_between(L, o.between, w);
    w->from = o.from;
    w->to = o.to;
    w->hops = o.hops;
    w->timers = o.timers;
    w->options = o.options;
    w->absolute = o.absolute;
    w->unfold = o.unfold;
    w->no_notes = !o.notes;
    w->no_states = !o.states;
    luaL_ref(L, LUA_REGISTRYINDEX);
    g_ptr_array_add(s->ladders, w);
    if (s->config.on_wish)
        s->config.on_wish(s->config.user, s);
    return 0;
}

void bind_ladder_open(lua_State *L)
{
    lua_pushcfunction(L, hs_ladder);
    lua_setfield(L, -2, "ladder");
}
