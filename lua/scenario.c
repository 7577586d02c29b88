/* A scenario's life: file, sandbox, network, run loop.
 *
 * The main part of the file is a process on a node of its own, `control`, which exists before all others, so
 * that what a scenario does at a time comes before what its network does at that time. When the main part
 * waits (hs.run, or any call that lets time pass) control is back in drive(), below all Lua; sim_run is never
 * called from inside Lua. */
#include "lua/scenario.h"

#include <string.h>

#include "lua/bind/bind.h"
#include "lua/scenario_modules.h"
#include "lua/scenario_private.h"
#include "sim/base/suggest.h"

#define FILE_MAX ((size_t)16 << 20)

static const char key_scenario;

const ProbeDesc scenario_probe_log = {
    .name = "scenario.log",
    .help = "The scenario says something.",
    .cls = PROBE_LOG,
    .n_fields = 2,
    .field = {{"kind", PROBE_STR}, {"text", PROBE_STR}},
};

const ProbeDesc scenario_probe_translation = {
    .name = "scenario.translation",
    .help = "What the scenario has just said, in another language.",
    .cls = PROBE_TRANSLATION,
    .n_fields = 3,
    .field = {{"kind", PROBE_STR}, {"lang", PROBE_STR}, {"text", PROBE_STR}},
};

/* ---- life ---- */

static void on_print(void *user, const char *line, size_t len)
{
    (void)len;
    scenario_print(user, line);
}

int scenario_read(Scenario *s, const char *path, size_t max, char **text, size_t *len)
{
    return s->config.read ? s->config.read(s->config.user, path, max, text, len)
                          : inputfile_read(path, max, text, len);
}

static int on_read(void *user, const char *path, size_t max, char **text, size_t *len)
{
    return scenario_read(user, path, max, text, len);
}

static uint64_t on_draw(void *user)
{
    return rng_next(node_rng(&((Scenario *)user)->control, "math.random"));
}

Scenario *scenario_new(const ScenarioConfig *config)
{
    Scenario *s = g_new0(Scenario, 1);

    s->config = *config;
    if (!config->has_seed)
        s->config.seed = SCENARIO_SEED_DEFAULT;
    s->path = g_strdup(config->path);
    s->config.path = s->path;
    s->dir = g_path_get_dirname(s->path);
    s->out_dir = g_strdup(config->out_dir ? config->out_dir : ".");
    s->config.out_dir = s->out_dir;
    s->params = config->params ? g_strdupv((char **)config->params) : g_new0(char *, 1);
    s->config.params = NULL;
    s->params_used = g_new0(bool, g_strv_length(s->params) + 1);
    s->run_until = SIM_NEVER;
    s->hosts = g_ptr_array_new();
    s->host_by_ptr = g_hash_table_new(NULL, NULL);
    s->expects = g_ptr_array_new();
    s->words = g_ptr_array_new_with_free_func(g_free);
    s->results = g_ptr_array_new();
    s->param_list = g_ptr_array_new();
    s->captures = g_ptr_array_new();
    s->series = g_ptr_array_new();
    s->plots = g_ptr_array_new();
    s->ladders = g_ptr_array_new();
    s->qlogs = g_ptr_array_new();
    s->plot_notes = g_array_new(false, false, sizeof(PlotNote));
    s->plot_levels = g_array_new(false, false, sizeof(PlotLine));
    s->rules = g_ptr_array_new();
    s->observers = g_ptr_array_new();
    s->apps = g_ptr_array_new();
    s->rarps = g_ptr_array_new();
    s->controllers = g_ptr_array_new();
    s->net = net_new(s->config.seed);
    s->sim = net_sim(s->net);
    node_init(&s->control, s->sim, "(scenario)");
    return s;
}

static void free_expectation(gpointer p)
{
    Expectation *e = p;

    g_free(e->name);
    g_free(e->where);
    g_free(e->detail);
    g_free(e);
}

static void free_param(gpointer p)
{
    Param *q = p;

    g_free(q->name);
    g_free(q->value);
    g_free(q->standard);
    g_free(q->help);
    g_free(q);
}

static void free_qlog(gpointer p)
{
    QlogFileWish *w = p;

    g_free(w->file);
    g_free(w->host);
    g_free(w->role);
    g_free(w->level);
    g_free(w);
}

static void free_capture(gpointer p)
{
    Capture *c = p;

    g_free(c->file);
    g_ptr_array_free(c->points, true);
    g_free(c);
}

static void free_host(gpointer p)
{
    ScnHost *h = p;

    if (h->socks)
        g_ptr_array_free(h->socks, true);
    if (h->calls)
        g_ptr_array_free(h->calls, true);
    if (h->tcps)
        g_ptr_array_free(h->tcps, true);
    g_free(h);
}

static void free_list(GPtrArray *list, GDestroyNotify free_one)
{
    g_ptr_array_set_free_func(list, free_one);
    g_ptr_array_free(list, true);
}

/* First whatever may call Lua or holds packets, then Lua, then the network. */
void scenario_free(Scenario *s)
{
    if (!s)
        return;
    s->failed = true;
    proc_free_all(s);
    bind_observe_free(s);
    bind_rules_free(s);
    bind_app_free_all(s);
    bind_rarps_free(s);
    for (guint i = 0; i < s->hosts->len; i++) {
        bind_sock_close_host(g_ptr_array_index(s->hosts, i));
        bind_tcp_close_host(g_ptr_array_index(s->hosts, i));
    }
    sandbox_free(s->sb);
    bind_packets_free(s);
    node_clear(&s->control);
    net_free(s->net);
    bind_cc_free(s);
    free_list(s->hosts, free_host);
    free_list(s->expects, free_expectation);
    g_ptr_array_free(s->words, true);
    free_list(s->results, bind_result_free);
    free_list(s->param_list, free_param);
    free_list(s->captures, free_capture);
    g_ptr_array_free(s->series, true);
    g_ptr_array_free(s->plots, true);
    g_ptr_array_free(s->ladders, true);
    free_list(s->qlogs, free_qlog);
    g_free(s->title);
    for (guint i = 0; i < s->plot_notes->len; i++)
        g_free(g_array_index(s->plot_notes, PlotNote, i).text);
    g_array_free(s->plot_notes, true);
    for (guint i = 0; i < s->plot_levels->len; i++) {
        g_free(g_array_index(s->plot_levels, PlotLine, i).what);
        g_free(g_array_index(s->plot_levels, PlotLine, i).text);
    }
    g_array_free(s->plot_levels, true);
    g_hash_table_destroy(s->host_by_ptr);
    g_strfreev(s->params);
    g_free(s->params_used);
    g_free(s->path);
    g_free(s->dir);
    g_free(s->out_dir);
    g_free(s->error);
    g_free(s->traceback);
    g_free(s);
}

/* ---- for bindings ---- */

Scenario *scenario_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_scenario);
    Scenario *s = lua_touserdata(L, -1);

    lua_pop(L, 1);
    return s;
}

void scenario_fail(Scenario *s, LuaErr *err)
{
    if (!s->failed) {
        s->failed = true;
        s->exit_code = luaerr_exit_code(err);
        s->error = g_strdup(err->message);
        s->traceback = g_strdup(err->traceback);
        sim_stop(s->sim);
    }
    luaerr_clear(err);
}

void scenario_fail_text(Scenario *s, int exit_code, const char *format, ...)
{
    va_list args;

    if (s->failed)
        return;
    va_start(args, format);
    s->error = g_strdup_vprintf(format, args);
    va_end(args);
    s->failed = true;
    s->exit_code = exit_code;
    s->traceback = g_strdup("");
    sim_stop(s->sim);
}

void scenario_print(Scenario *s, const char *line)
{
    if (s->config.print)
        s->config.print(s->config.user, line);
}

bool scenario_call(Scenario *s, int nargs, int nresults)
{
    LuaErr err = {0};

    if (luaerr_call(s->L, nargs, nresults, &err))
        return true;
    scenario_fail(s, &err);
    return false;
}

void scenario_may_change(lua_State *L)
{
    if (scenario_of(L)->observing)
        luaerr_raise(L, "an observer or congestion controller must only look: use hs.after(0, function) to "
                        "change something");
}

bool scenario_prepare_net(Scenario *s, char **error)
{
    if (!s->is_dirty)
        return true;
    s->is_dirty = false;
    return net_prepare(s->net, error);
}

void scenario_prepare(lua_State *L)
{
    char *error = NULL;

    if (!scenario_prepare_net(scenario_of(L), &error))
        bind_raise_free(L, error);
}

/* ---- the module ---- */

static int unknown_member(lua_State *L)
{
    const char *known[256];
    size_t n = 0;

    if (lua_type(L, 2) != LUA_TSTRING)
        luaerr_raise(L, "hopscope has no member %s", luaerr_describe(L, 2));
    lua_pushnil(L);
    while (lua_next(L, 1)) { /* collected, then sorted: the walk has no defined order */
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING && n < HS_ARRAY_LEN(known))
            known[n++] = lua_tostring(L, -1);
    }
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && strcmp(known[k - 1], known[k]) > 0; k--) {
            const char *swap = known[k];

            known[k] = known[k - 1];
            known[k - 1] = swap;
        }
    const char *close = suggest_closest(lua_tostring(L, 2), known, n);

    if (close)
        luaerr_raise(L, "hopscope has no \"%s\" (did you mean \"%s\"?)", lua_tostring(L, 2), close);
    luaerr_raise(L, "hopscope has no \"%s\": it has %s", lua_tostring(L, 2), luaerr_push_names(L, known, n));
}

static int refuse_assignment(lua_State *L)
{
    luaerr_raise(L, "hopscope's own names cannot be changed: %s", luaerr_describe(L, 2));
}

/* What require "hopscope" gives. The parts written in Lua (lua/hs) get the table and one of things that only
 * they may use. */
static int open_module(lua_State *L)
{
    lua_createtable(L, 0, 64);
    bind_topology_open(L);
    bind_link_open(L);
    bind_time_open(L);
    bind_random_open(L);
    bind_result_open(L);
    bind_cc_open(L);
    bind_param_open(L);
    bind_log_open(L);
    bind_payload_open(L);
    bind_observe_open(L);
    bind_capture_open(L);
    bind_series_open(L);
    bind_plot_open(L);
    bind_ladder_open(L);
    bind_qlog_open(L);
    bind_ip4_open(L);
    lua_createtable(L, 0, 16); /* private */
    bind_private_open(L);
    for (unsigned i = 0; scenario_modules[i].name; i++) {
        const ScenarioModule *m = &scenario_modules[i];

        if (luaL_loadbufferx(L, m->text, m->len, m->name, "t") != LUA_OK)
            return lua_error(L);
        lua_pushvalue(L, -3);
        lua_pushvalue(L, -3);
        lua_call(L, 2, 0);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scenario_modules);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, unknown_member);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_assignment);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    return 1;
}

void scenario_push_private(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &scenario_modules);
    if (lua_isnil(L, -1))
        return;
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* ---- running ---- */

static int start_main(lua_State *L)
{
    Scenario *s = lua_touserdata(L, 1);

    lua_pushlightuserdata(L, s);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_scenario);
    sandbox_add_module(s->sb, "hopscope", open_module);
    return 0;
}

static int make_main(lua_State *L)
{
    Scenario *s = lua_touserdata(L, 1);

    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->main);
    s->main = proc_new(L, 0, s, NULL);
    return 0;
}

static bool start(Scenario *s)
{
    g_autofree char *text = NULL;
    g_autofree char *chunk = g_strconcat("@", s->path, NULL);
    char *error = NULL;
    size_t len;
    LuaErr err = {0};
    SandboxConfig config = {.memory_max_bytes = s->config.max_memory,
                            .module_dir = s->dir,
                            .print = on_print,
                            .draw = on_draw,
                            .read = on_read,
                            .user = s};

    int why = scenario_read(s, s->path, FILE_MAX, &text, &len);

    if (why != 0) {
        scenario_fail_text(s, SCENARIO_WRONG, "%s: cannot read the scenario: %s", s->path, g_strerror(why));
        return false;
    }
    s->sb = sandbox_new(&config, &error);
    if (!s->sb) {
        scenario_fail_text(s, SCENARIO_LIMIT, "%s", error);
        g_free(error);
        return false;
    }
    s->L = sandbox_lua(s->sb);
    if (!luaerr_protect(s->L, start_main, s, &err) || !luaerr_load(s->L, text, len, chunk, &err)) {
        scenario_fail(s, &err);
        return false;
    }
    lua_rawsetp(s->L, LUA_REGISTRYINDEX, &s->main);
    if (!luaerr_protect(s->L, make_main, s, &err)) {
        scenario_fail(s, &err);
        return false;
    }
    return true;
}

static bool on_poll(void *user)
{
    const Scenario *s = user;

    return !s->config.poll || s->config.poll(s->config.user, s->sim);
}

static bool observers_agree(Scenario *s, bool (*callback)(void *user, Scenario *s))
{
    if (!callback || callback(s->config.user, s))
        return true;
    scenario_fail_text(s, SCENARIO_WRONG, "%s: its observers stopped the run", s->path);
    return false;
}

/* Time is about to pass for the first time. */
static bool get_ready(Scenario *s)
{
    char *error = NULL;

    if (!scenario_prepare_net(s, &error)) {
        scenario_fail_text(s, SCENARIO_WRONG, "%s: %s", s->path, error);
        g_free(error);
        return false;
    }
    if (s->is_ready)
        return true;
    s->is_ready = true;
    if (!bind_param_check(s))
        return false;
    return observers_agree(s, s->config.on_ready);
}

/* Lets time pass until the main part goes on. */
static void pass_time(Scenario *s)
{
    SimTime until = HS_MIN(s->in_run ? s->run_until : SIM_NEVER, s->config.until);
    SimLimits limits = {.until = until, .poll = on_poll, .user = s};
    char at[SIMTIME_STR_LEN];

    if (s->config.max_events) {
        limits.events = s->config.max_events - HS_MIN(sim_events(s->sim), s->config.max_events);
        if (limits.events == 0) {
            scenario_fail_text(s, SCENARIO_LIMIT, "the limit of %" G_GUINT64_FORMAT " events is used up",
                               s->config.max_events);
            return;
        }
    }
    s->is_running = true;
    SimStop why = sim_run(s->sim, &limits);

    s->is_running = false;
    if (s->failed || !s->main->lua)
        return;
    simtime_str(sim_now(s->sim), at);
    switch (why) {
    case SIM_STOP_EVENTS:
        scenario_fail_text(s, SCENARIO_LIMIT, "the limit of %" G_GUINT64_FORMAT " events was reached at %s s",
                           s->config.max_events, at);
        break;
    case SIM_STOP_POLL:
        scenario_fail_text(s, SCENARIO_LIMIT, "stopped from outside at %s s", at);
        break;
    case SIM_STOP_STUCK:
        scenario_fail_text(
            s, SCENARIO_LIMIT,
            "time stands still at %s s: a loop of events without delay, most of them scheduled by node %s",
            at, sim_stuck_node(s->sim) ? sim_stuck_node(s->sim)->name : "nobody");
        break;
    case SIM_STOP_REQUEST:
        if (s->in_run && s->stop_asked)
            s->in_run = false;
        break;
    case SIM_STOP_TIME:
    case SIM_STOP_IDLE:
        if (!s->in_run && until != SIM_NEVER)
            s->is_over = true;
        else if (!s->in_run)
            s->is_asleep = true;
        s->in_run = false;
    }
}

/* The main part runs until it has ended; what it waits for other than hs.run wakes it from inside sim_run. */
static void drive(Scenario *s)
{
    proc_continue(s->main);
    while (!s->failed && s->main->lua) {
        if (!get_ready(s))
            return;
        s->stop_asked = false;
        bool in_run = s->in_run;

        pass_time(s);
        if (s->failed || !s->main->lua)
            return;
        if (s->is_over)
            return; /* --until ends the main part where it waits */
        if (s->is_asleep) {
            s->is_asleep = false;
            proc_throw(s->main, "nothing is left to happen in the network: this call waits forever");
        } else if (in_run && !s->in_run) {
            if (s->config.on_resume)
                s->config.on_resume(s->config.user, s);
            proc_continue(s->main);
        }
    }
}

int scenario_run(Scenario *s)
{
    if (start(s) && observers_agree(s, s->config.on_start)) {
        drive(s);
        if (!s->failed && get_ready(s))
            bind_expect_finish(s);
        if (!s->failed)
            bind_result_finish(s);
    }
    if (s->failed)
        return s->exit_code;
    for (guint i = 0; i < s->expects->len; i++)
        if (!((const Expectation *)g_ptr_array_index(s->expects, i))->ok)
            return SCENARIO_FAILED;
    return SCENARIO_OK;
}
