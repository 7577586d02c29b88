/* TCP without processes: callbacks (on_accept, on_connect, on_data), each a system call that sleeps by itself
 * and is made again; epoll for event loops; fork and the limit of
 * descriptors. */
#include <string.h>

#include "lua/bind/bind_tcp.h"

enum { ON_ACCEPT, ON_CONNECT, ON_DATA };

typedef struct TcpEvent {
    ScnTcp *sk;
    TcpOp *op;   /* sleeps; NULL: not begun, or the callback runs */
    Timer timer; /* begins it: never from inside the call that registers */
    int ref;     /* the function */
    unsigned which;
    SockAddr addr; /* of connect */
    bool is_dead, in_call;
} TcpEvent;

static void free_event(TcpEvent *ev)
{
    ScnTcp *sk = ev->sk;

    if (sk->event[ev->which] == ev)
        sk->event[ev->which] = NULL;
    timer_clear(&ev->timer);
    luaL_unref(sk->host->s->L, LUA_REGISTRYINDEX, ev->ref);
    if (ev->op) {
        if (sockcall_is_pending(&ev->op->call))
            sockcall_cancel(&ev->op->call);
        bind_tcp_op_free(ev->op);
    }
    g_free(ev);
}

void bind_tcp_events_clear(ScnTcp *sk)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(sk->event); i++) {
        TcpEvent *ev = sk->event[i];

        if (!ev)
            continue;
        sk->event[i] = NULL;
        if (ev->in_call)
            ev->is_dead = true;
        else
            free_event(ev);
    }
}

/* fn(sock, …): accept: the new connection, address, port; connect: nil or the error's name; data: the data,
 * nil at the end, nil and an error. */
static int call_back(lua_State *L)
{
    TcpEvent *ev = lua_touserdata(L, 1);
    TcpOp *op = ev->op;
    int n = 1;

    ev->op = NULL;
    lua_rawgeti(L, LUA_REGISTRYINDEX, ev->ref);
    bind_tcp_push(L, ev->sk);
    if (op->call.ret < 0 && ev->which == ON_CONNECT) {
        lua_pushstring(L, bind_errno_name((int)op->call.ret));
        n = 2;
    } else if (op->call.ret < 0) {
        n += bind_push_errno(L, (int)op->call.ret);
    } else if (ev->which == ON_ACCEPT) {
        bind_tcp_push(L, bind_tcp_adopt(ev->sk->host, op->fds, (int)op->call.ret));
        bind_tcp_push_addr(L, &op->call.addr_out);
        n += 3;
    } else if (ev->which == ON_DATA && op->call.ret > 0) {
        bind_tcp_push_slices(L, op);
        n += 1;
    }
    bind_tcp_op_free(op);
    lua_call(L, n, 0);
    return 0;
}

/* Tells the callback. false: it was the last time, ev is gone. */
static bool finish(TcpEvent *ev)
{
    ScnTcp *sk = ev->sk;
    Scenario *s = sk->host->s;
    bool goes_on = ev->op->call.ret > 0 || (ev->which == ON_ACCEPT && ev->op->call.ret >= 0);
    LuaErr err = {0};

    sk->busy++;
    ev->in_call = true;
    if (!luaerr_protect(s->L, call_back, ev, &err))
        scenario_fail(s, &err);
    ev->in_call = false;
    goes_on = goes_on && !ev->is_dead && !s->failed;
    if (!goes_on)
        free_event(ev);
    sk->busy--;
    bind_tcp_give_if_done(sk);
    return goes_on;
}

static void run(TcpEvent *ev);

static void on_done(SockCall *call)
{
    TcpEvent *ev = ((TcpOp *)call->user)->event;

    if (finish(ev))
        run(ev);
}

static void run(TcpEvent *ev)
{
    static const SockOp ops[] = {SYS_ACCEPT, SYS_CONNECT, SYS_RECV};

    do {
        TcpOp *op = ev->op = bind_tcp_op(ev->sk, ops[ev->which], NULL);

        op->event = ev;
        op->fds = ev->sk->fds;
        op->call.user = op;
        op->call.done = on_done;
        if (ev->which == ON_DATA) {
            op->call.payload = SOCK_SYNTHETIC;
            op->call.len = 65536;
            op->call.take = bind_tcp_collect;
        } else if (ev->which == ON_CONNECT) {
            op->addr = ev->addr;
            op->call.addr = &op->addr;
        }
        if (!sockcall_start(op->fds, &op->call))
            return;
    } while (finish(ev));
}

static void on_timer(Timer *t)
{
    run(HS_CONTAINER_OF(t, TcpEvent, timer));
}

static int set_event(lua_State *L, unsigned which, int fn_idx, const SockAddr *addr)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    TcpEvent *ev;

    if (lua_type(L, fn_idx) != LUA_TFUNCTION)
        luaerr_arg(L, fn_idx, "callback", NULL, "a function");
    scenario_may_change(L);
    if (!sk->fds)
        return bind_push_errno(L, -EBADF);
    if (sk->event[which])
        luaerr_raise(L, "this socket has a callback for that already");
    ev = g_new0(TcpEvent, 1);
    ev->sk = sk;
    ev->which = which;
    if (addr)
        ev->addr = *addr;
    lua_pushvalue(L, fn_idx);
    ev->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    timer_init(&ev->timer, sk->host->node, on_timer);
    timer_arm_after(&ev->timer, 0);
    sk->event[which] = ev;
    lua_settop(L, 1);
    return 1;
}

/* tcp:on_accept(function(listener, conn, address, port) … end) */
int bind_tcp_on_accept(lua_State *L)
{
    return set_event(L, ON_ACCEPT, 2, NULL);
}

/* tcp:on_data(function(conn, data) … end) */
int bind_tcp_on_data(lua_State *L)
{
    return set_event(L, ON_DATA, 2, NULL);
}

/* tcp:on_connect(address, port, function(conn, err) … end): connects, and tells how it went. */
int bind_tcp_on_connect(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    SockAddr a = bind_tcp_check_endpoint(L, 2, sk->host, true);

    scenario_prepare(L);
    return set_event(L, ON_CONNECT, lua_gettop(L), &a);
}

/* ---- event loops ---- */

/* os.epoll() */
int bind_epoll_new(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Fds *fds;
    int64_t fd;

    scenario_may_change(L);
    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    fds = bind_tcp_table(L, h);
    fd = sockcall_now(fds, &(SockCall){.op = SYS_EPOLL_CREATE, .len = 1});
    if (fd < 0)
        return bind_push_errno(L, (int)fd);
    ScnTcp *ep = bind_tcp_adopt(h, fds, (int)fd);

    ep->is_epoll = true;
    luaclass_push(L, &bind_epoll_class, ep);
    return 1;
}

static const struct {
    const char *name;
    uint32_t bit;
} event_names[] = {{"in", EPOLLIN},   {"out", EPOLLOUT}, {"pri", EPOLLPRI},         {"err", EPOLLERR},
                   {"hup", EPOLLHUP}, {"et", EPOLLET},   {"oneshot", EPOLLONESHOT}, {"rdhup", EPOLLRDHUP}};

/* "in", "in out et" */
static uint32_t check_events(lua_State *L, int idx)
{
    char **words = g_strsplit_set(luaL_optstring(L, idx, "in"), " ,|", -1);
    uint32_t events = 0;
    bool ok = true;

    for (char **w = words; *w; w++) {
        unsigned i = 0;

        while (i < HS_ARRAY_LEN(event_names) && strcmp(event_names[i].name, *w) != 0)
            i++;
        if (i < HS_ARRAY_LEN(event_names))
            events |= event_names[i].bit;
        else if (**w)
            ok = false;
    }
    g_strfreev(words);
    if (!ok)
        luaerr_arg(L, idx, "events", NULL, "words such as \"in out et\" (also pri, oneshot, rdhup)");
    return events;
}

static ScnTcp *check_epoll(lua_State *L)
{
    return luaclass_check(L, 1, &bind_epoll_class);
}

static int control(lua_State *L, int op)
{
    ScnTcp *ep = check_epoll(L), *sk = bind_tcp_check(L, 2);
    struct epoll_event ev = {.events = op == EPOLL_CTL_DEL ? 0 : check_events(L, 3), .data.fd = sk->fd};
    SockCall call = {.op = SYS_EPOLL_CTL, .cmd = (unsigned long)op, .fd2 = sk->fd, .events = &ev};
    int64_t rc;

    scenario_may_change(L);
    rc = bind_tcp_now(L, ep, &call);
    if (rc < 0)
        return bind_push_errno(L, (int)rc);
    lua_settop(L, 1);
    return 1;
}

static int epoll_add(lua_State *L)
{
    return control(L, EPOLL_CTL_ADD);
}

static int epoll_mod(lua_State *L)
{
    return control(L, EPOLL_CTL_MOD);
}

static int epoll_del(lua_State *L)
{
    return control(L, EPOLL_CTL_DEL);
}

/* A list of { sock = …, ["in"] = true, … }, empty when the time is over. */
static int push_events(lua_State *L, TcpOp *op)
{
    int64_t n = op->call.ret == -EAGAIN ? 0 : op->call.ret;

    if (n < 0)
        return bind_push_errno(L, (int)n);
    lua_createtable(L, (int)n, 0);
    for (int64_t i = 0; i < n; i++) {
        lua_createtable(L, 0, 3);
        for (guint k = 0; op->sk->host->tcps && k < op->sk->host->tcps->len; k++) {
            ScnTcp *sk = g_ptr_array_index(op->sk->host->tcps, k);

            if (sk->fds == op->fds && sk->fd == op->events[i].data.fd && !sk->is_epoll) {
                bind_tcp_push(L, sk);
                lua_setfield(L, -2, "sock");
                break;
            }
        }
        for (unsigned k = 0; k < HS_ARRAY_LEN(event_names); k++)
            if (op->events[i].events & event_names[k].bit)
                bind_set_flag(L, event_names[k].name, true);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ep:wait([timeout]) */
static int epoll_wait_method(lua_State *L)
{
    ScnTcp *ep = check_epoll(L);
    SimTime timeout = bind_opt_time(L, 2, "timeout", -1);
    TcpOp *op;

    scenario_may_change(L);
    op = bind_tcp_op(ep, SYS_EPOLL_WAIT, push_events);
    op->call.events = op->events;
    op->call.max_events = HS_ARRAY_LEN(op->events);
    op->call.timeout_ns = timeout;
    return bind_tcp_run(L, op, timeout == 0 ? 0 : -1);
}

static int epoll_close(lua_State *L)
{
    ScnTcp *ep = check_epoll(L);
    Fds *fds = bind_tcp_fds(L, ep);

    scenario_may_change(L);
    if (fds)
        bind_tcp_close(ep, fds);
    return 0;
}

static void release_epoll(void *ptr)
{
    g_free(ptr);
}

static const luaL_Reg epoll_methods[] = {{"add", epoll_add}, {"close", epoll_close},      {"del", epoll_del},
                                         {"mod", epoll_mod}, {"wait", epoll_wait_method}, {NULL, NULL}};

const LuaClass bind_epoll_class = {.name = "epoll", .methods = epoll_methods, .release = release_epoll};

/* ---- fork ---- */

/* os.fork(function(os, …) … end, …): a child process with copies of the caller's descriptors. */
int bind_host_fork(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Proc *parent = h->s->current, *child;

    if (!parent || parent->host != h || !lua_isyieldable(L))
        luaerr_raise(L, "fork is for processes of the host itself: inside host:spawn");
    if (lua_type(L, 2) != LUA_TFUNCTION)
        luaerr_arg(L, 2, "process", NULL, "a function");
    lua_getfield(L, 1, "spawn");
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    child = luaclass_check(L, -1, &bind_proc_class);
    if (parent->fds) {
        child->fds = fds_new(h->host);
        fds_dup_into(parent->fds, child->fds);
    }
    return 1;
}

/* os.ulimit(n): ulimit -n, how many descriptors the process may have; without a number, how many it has. */
int bind_host_ulimit(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Fds *fds;

    if (lua_isnoneornil(L, 2)) {
        lua_pushinteger(L, host_is_on(h->host) ? (lua_Integer)fds_count(bind_tcp_table(L, h)) : 0);
        return 1;
    }
    if (!lua_isinteger(L, 2) || lua_tointeger(L, 2) < 0 || lua_tointeger(L, 2) > 1048576)
        luaerr_arg(L, 2, "limit", NULL, "a number of descriptors from 0 to 1048576");
    scenario_may_change(L);
    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    fds = bind_tcp_table(L, h);
    fds_set_limit(fds, (unsigned)lua_tointeger(L, 2));
    return 0;
}
