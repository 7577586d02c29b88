/* Processes of a scenario: coroutines that wait in simulated time.
 *
 *   proc_start ─→ timer ─→ luaproc_resume ─→ … the function calls something that blocks …
 *                   ↑                             │ proc_block: deadline armed, yield
 *                   └── proc_wake (a datagram, the end of another process, …) or the deadline
 *
 * Whoever wakes a process only arms its timer for now: the process goes on in an event of its own. */
#include "lua/bind/bind.h"
#include "lua/scenario_private.h"

static void free_wait(Proc *p)
{
    ProcWait wait = p->wait;

    p->wait = (ProcWait){0};
    p->is_waiting = p->is_woken = false;
    if (wait.left)
        wait.left(wait.data);
}

/* Frees what nobody needs any more, or leaves that to Lua. */
static void proc_leave(Proc *p)
{
    hs_assert(p->busy > 0);
    if (--p->busy == 0 && p->host && !p->lua && !(p->joiners && p->joiners->len)) {
        p->is_given = true;
        luaclass_give(p->s->L, &bind_proc_class, p);
    }
}

static void release(void *ptr)
{
    Proc *p = ptr;

    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    timer_clear(&p->timer);
    if (p->joiners)
        g_ptr_array_free(p->joiners, true);
    g_free(p);
}

static void on_done(LuaProc *lua, const LuaErr *err, void *user)
{
    Proc *p = user;

    p->lua = NULL;
    timer_cancel(&p->timer);
    if (err) {
        LuaErr copy = {err->class, g_strdup(err->message), g_strdup(err->traceback)};

        scenario_fail(p->s, &copy);
    }
    if (p->host) {
        bind_sock_on_proc_end(p);
        bind_tcp_on_proc_end(p);
    }
    for (guint i = 0; p->joiners && i < p->joiners->len; i++)
        proc_wake(g_ptr_array_index(p->joiners, i));
    if (!p->host)
        sim_stop(p->s->sim);
}

/* The wait is over before the process goes on: it may wait for the same thing again. */
static int push_results(lua_State *L, void *data)
{
    ProcWait *wait = data;
    int n = wait->push ? wait->push(L, wait->data) : 0;
    void (*left)(void *) = wait->left;

    wait->left = NULL;
    if (left)
        left(wait->data);
    return n;
}

void proc_continue(Proc *p)
{
    Scenario *s = p->s;
    Proc *outer = s->current;
    ProcWait wait = p->wait;

    p->busy++;
    p->wait = (ProcWait){0};
    p->is_waiting = p->is_woken = false;
    s->current = p;
    luaproc_resume(p->lua, push_results, &wait);
    s->current = outer;
    if (wait.left)
        wait.left(wait.data); /* push raised an error */
    if (!p->lua && p->is_waiting)
        free_wait(p); /* killed by what it did itself: it ended where it blocked */
    proc_leave(p);
}

void proc_throw(Proc *p, const char *message)
{
    Proc *outer = p->s->current;

    p->busy++;
    free_wait(p);
    p->s->current = p;
    luaproc_throw(p->lua, message);
    p->s->current = outer;
    proc_leave(p);
}

static void on_timer(Timer *t)
{
    Proc *p = HS_CONTAINER_OF(t, Proc, timer);

    if (!p->lua || p->s->failed)
        return;
    if (p->is_waiting) {
        bool is_over = p->deadline <= node_now(t->node);
        bool is_ready = p->is_woken && (!p->wait.ready || p->wait.ready(p->wait.data));

        p->is_woken = false;
        p->is_timed_out = is_over && !is_ready;
        if (!is_over && !is_ready) {
            if (p->deadline != SIM_NEVER)
                timer_arm(t, p->deadline);
            return;
        }
    }
    proc_continue(p);
}

Proc *proc_new(lua_State *L, int nargs, Scenario *s, ScnHost *host)
{
    LuaProc *lua;
    Proc *p = g_new0(Proc, 1);

    /* In the list before anything can fail: then it is not lost. */
    p->s = s;
    p->host = host;
    p->next = s->procs;
    p->link = &s->procs;
    if (p->next)
        p->next->link = &p->next;
    p->deadline = SIM_NEVER;
    s->procs = p;
    timer_init(&p->timer, host ? host->node : &s->control, on_timer);
    lua = luaproc_new(L, nargs, on_done, p);
    p->lua = lua;
    return p;
}

void proc_start(Proc *p)
{
    timer_arm_after(&p->timer, 0);
}

Proc *proc_current(lua_State *L)
{
    luaproc_current(L);
    return scenario_of(L)->current;
}

int proc_block(lua_State *L, Proc *p, SimTime timeout, const ProcWait *wait)
{
    SimTime now = sim_now(p->s->sim);

    hs_assert(!p->is_waiting);
    if (!p->host)
        scenario_prepare(L);
    p->wait = *wait;
    p->is_waiting = true;
    p->is_woken = p->is_timed_out = false;
    p->deadline = timeout < 0 || timeout > SIM_NEVER - now ? SIM_NEVER : now + timeout;
    if (p->deadline != SIM_NEVER)
        timer_arm(&p->timer, p->deadline);
    return luaproc_yield(L);
}

void proc_wake(Proc *p)
{
    if (!p->is_waiting || p->is_woken || !p->lua)
        return;
    p->is_woken = true;
    timer_arm_after(&p->timer, 0);
}

void proc_kill(Proc *p)
{
    LuaProc *lua = p->lua;

    if (!lua)
        return;
    p->busy++;
    timer_cancel(&p->timer);
    if (p->is_waiting)
        free_wait(p);
    p->lua = NULL;
    luaproc_kill(lua);
    if (p->host) {
        bind_sock_on_proc_end(p);
        bind_tcp_on_proc_end(p);
    }
    for (guint i = 0; p->joiners && i < p->joiners->len; i++)
        proc_wake(g_ptr_array_index(p->joiners, i));
    proc_leave(p);
}

/* What ends one process may free others: those that are to end are held meanwhile. */
void proc_kill_host(ScnHost *h)
{
    GPtrArray *doomed = g_ptr_array_new();

    for (Proc *p = h->s->procs; p; p = p->next) {
        if (p->host != h || !p->lua)
            continue;
        p->busy++;
        g_ptr_array_add(doomed, p);
    }
    for (guint i = 0; i < doomed->len; i++)
        proc_kill(g_ptr_array_index(doomed, i));
    for (guint i = 0; i < doomed->len; i++)
        proc_leave(g_ptr_array_index(doomed, i));
    g_ptr_array_free(doomed, true);
}

/* All are held to the end of this: Lua must not free what it has been given, nor what it has not. */
void proc_free_all(Scenario *s)
{
    for (Proc *p = s->procs; p; p = p->next)
        p->busy++;
    for (Proc *p = s->procs; p; p = p->next)
        if (p->is_waiting)
            free_wait(p);
    for (Proc *p = s->procs; p; p = p->next)
        if (p->host)
            bind_tcp_on_proc_end(p);
    if (s->L)
        luaclass_invalidate_all(s->L, &bind_proc_class);
    for (Proc *p = s->procs, *next; p; p = next) {
        next = p->next;
        if (!p->is_given)
            release(p);
    }
}

/* ---- what scenarios see ---- */

static int proc_method_kill(lua_State *L)
{
    Proc *p = luaclass_check(L, 1, &bind_proc_class);

    scenario_may_change(L);
    proc_kill(p);
    return 0;
}

typedef struct Join {
    Proc *waiter, *target;
} Join;

static bool join_ready(void *data)
{
    return !((Join *)data)->target->lua;
}

static int join_push(lua_State *L, void *data)
{
    const Join *j = data;

    if (j->target->lua)
        return bind_push_errno(L, -EAGAIN);
    lua_pushboolean(L, 1);
    return 1;
}

static void join_left(void *data)
{
    Join *j = data;

    j->target->busy++;
    g_ptr_array_remove(j->target->joiners, j->waiter);
    proc_leave(j->target);
    g_free(j);
}

static int proc_method_join(lua_State *L)
{
    Proc *target = luaclass_check(L, 1, &bind_proc_class);
    SimTime timeout = bind_opt_time(L, 2, "timeout", -1);
    Proc *p = proc_current(L);

    if (!target->lua) {
        lua_pushboolean(L, 1);
        return 1;
    }
    if (target == p)
        luaerr_raise(L, "a process cannot wait for its own end");
    if (!target->joiners)
        target->joiners = g_ptr_array_new();
    g_ptr_array_add(target->joiners, p);
    Join *j = g_new(Join, 1);

    *j = (Join){p, target};
    return proc_block(L, p, timeout, &(ProcWait){join_ready, join_push, join_left, j});
}

static int proc_get_is_running(lua_State *L)
{
    const Proc *p = luaclass_check(L, 1, &bind_proc_class);

    lua_pushboolean(L, p->lua != NULL);
    return 1;
}

static const luaL_Reg methods[] = {{"join", proc_method_join}, {"kill", proc_method_kill}, {NULL, NULL}};
static const luaL_Reg properties[] = {{"is_running", proc_get_is_running}, {NULL, NULL}};

const LuaClass bind_proc_class = {
    .name = "process", .methods = methods, .properties = properties, .release = release};
