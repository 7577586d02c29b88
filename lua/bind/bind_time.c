/* Time: hs.run, hs.now, hs.at and its kin, sleep. */
#include "lua/bind/bind.h"

/* Something to be done at a time, perhaps again and again. Lua owns it; while it is armed the registry holds
 * it and its function, afterwards only whoever kept the handle does. */
typedef struct Alarm {
    Scenario *s;
    Timer timer;
    SimTime period; /* 0: once */
    int ref;        /* the function; LUA_NOREF: it is over */
    int self_ref;
} Alarm;

static void finish_alarm(Alarm *a)
{
    timer_cancel(&a->timer);
    luaL_unref(a->s->L, LUA_REGISTRYINDEX, a->ref);
    luaL_unref(a->s->L, LUA_REGISTRYINDEX, a->self_ref);
    a->ref = LUA_NOREF;
}

static void release_alarm(void *ptr)
{
    Alarm *a = ptr;

    timer_clear(&a->timer);
    g_free(a);
}

static void on_alarm(Timer *t)
{
    Alarm *a = HS_CONTAINER_OF(t, Alarm, timer);
    Scenario *s = a->s;

    if (s->failed)
        return;
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, a->self_ref); /* nobody else may hold it meanwhile */
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, a->ref);
    if (a->period == 0)
        finish_alarm(a);
    else
        timer_arm_after(t, a->period);
    if (!scenario_call(s, 0, 1))
        return;
    /* Of hs.every, false means: no more. */
    bool is_enough = a->period && lua_isboolean(s->L, -1) && !lua_toboolean(s->L, -1);

    if (is_enough && a->ref != LUA_NOREF)
        finish_alarm(a);
    lua_pop(s->L, 2);
}

static int new_alarm(lua_State *L, SimTime when, SimTime period, int fn_idx)
{
    Scenario *s = scenario_of(L);

    if (lua_type(L, fn_idx) != LUA_TFUNCTION)
        luaerr_arg(L, fn_idx, "what to do", NULL, "a function");
    lua_pushvalue(L, fn_idx);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    Alarm *a = g_new0(Alarm, 1);

    a->s = s;
    a->period = period;
    a->ref = ref;
    timer_init(&a->timer, &s->control, on_alarm);
    luaclass_push_owned(L, &bind_alarm_class, a);
    lua_pushvalue(L, -1);
    a->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    timer_arm(&a->timer, when);
    return 1;
}

static SimTime later(lua_State *L, SimTime delay, int idx)
{
    SimTime now = sim_now(scenario_of(L)->sim);

    if (delay > SIM_NEVER - 1 - now)
        luaerr_arg(L, idx, "time", NULL, "a time within the 292 years that a clock can show");
    return now + delay;
}

static int hs_at(lua_State *L)
{
    SimTime when = bind_check_time(L, 1, "time"), now = sim_now(scenario_of(L)->sim);
    char text[SIMTIME_STR_LEN];

    if (when < now)
        luaerr_arg(L, 1, "time", NULL,
                   lua_pushfstring(L, "a time that is not over (it is %s s now)", simtime_str(now, text)));
    return new_alarm(L, when, 0, 2);
}

static int hs_after(lua_State *L)
{
    return new_alarm(L, later(L, bind_check_time(L, 1, "delay"), 1), 0, 2);
}

static int hs_every(lua_State *L)
{
    SimTime period = bind_check_time(L, 1, "period");

    if (period == 0)
        luaerr_arg(L, 1, "period", NULL, "a time above 0");
    return new_alarm(L, later(L, period, 1), period, 2);
}

static int alarm_cancel(lua_State *L)
{
    Alarm *a = luaclass_check(L, 1, &bind_alarm_class);

    if (a->ref != LUA_NOREF)
        finish_alarm(a);
    return 0;
}

static const luaL_Reg alarm_methods[] = {{"cancel", alarm_cancel}, {NULL, NULL}};
const LuaClass bind_alarm_class = {.name = "alarm", .methods = alarm_methods, .release = release_alarm};

/* ---- the run ---- */

static int push_now(lua_State *L, void *data)
{
    bind_push_time(L, sim_now(((Scenario *)data)->sim));
    return 1;
}

static int run_until(lua_State *L, SimTime until)
{
    Scenario *s = scenario_of(L);
    Proc *p = proc_current(L);

    if (p != s->main)
        luaerr_raise(L, "hs.run is for the scenario's main part: a process lets time pass with os.sleep");
    scenario_prepare(L);
    s->in_run = true;
    s->run_until = until;
    p->wait = (ProcWait){.push = push_now, .data = s};
    if (s->is_running)
        sim_stop(s->sim); /* woken from inside: drive() sets the new end */
    return luaproc_yield(L);
}

static int hs_run(lua_State *L)
{
    return run_until(L, lua_isnoneornil(L, 1) ? SIM_NEVER : later(L, bind_check_time(L, 1, "time"), 1));
}

static int hs_run_until(lua_State *L)
{
    SimTime until = bind_check_time(L, 1, "time"), now = sim_now(scenario_of(L)->sim);
    char text[SIMTIME_STR_LEN];

    if (until < now)
        luaerr_arg(L, 1, "time", NULL,
                   lua_pushfstring(L, "a time that is not over (it is %s s now)", simtime_str(now, text)));
    return run_until(L, until);
}

static int hs_stop(lua_State *L)
{
    Scenario *s = scenario_of(L);

    s->stop_asked = true;
    sim_stop(s->sim);
    return 0;
}

static int hs_now(lua_State *L)
{
    bind_push_time(L, sim_now(scenario_of(L)->sim));
    return 1;
}

static int hs_now_ns(lua_State *L)
{
    lua_pushinteger(L, sim_now(scenario_of(L)->sim));
    return 1;
}

static int hs_sleep(lua_State *L)
{
    SimTime t = bind_check_time(L, 1, "time");

    return proc_block(L, proc_current(L), t, &(ProcWait){0});
}

static int hs_seconds(lua_State *L)
{
    bind_push_time(L, bind_check_time(L, 1, "time"));
    return 1;
}

void bind_time_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"after", hs_after},
                                         {"at", hs_at},
                                         {"every", hs_every},
                                         {"now", hs_now},
                                         {"now_ns", hs_now_ns},
                                         {"run", hs_run},
                                         {"run_until", hs_run_until},
                                         {"seconds", hs_seconds},
                                         {"sleep", hs_sleep},
                                         {"stop", hs_stop},
                                         {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
