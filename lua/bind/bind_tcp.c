/* TCP sockets of a host: os.tcp(). A socket is a descriptor of the process that made it, every method is a
 * system call (models/node/socket.h), and calls that wait do so in simulated time. What Linux reports by
 * errno is nil and its name. Where nothing may block (a callback) a call that would sleep gives nil,
 * "EAGAIN". */
#include "lua/bind/bind_tcp.h"

#include <netinet/in.h>
#include <string.h>

#define OPT_USER_TIMEOUT 18 /* TCP_USER_TIMEOUT */

/* ---- life ---- */

ScnTcp *bind_tcp_check(lua_State *L, int idx)
{
    return luaclass_check(L, idx, &bind_tcp_class);
}

void bind_tcp_push(lua_State *L, ScnTcp *sk)
{
    luaclass_push(L, &bind_tcp_class, sk);
}

/* sk may be gone afterwards, unless Lua has it on a stack. */
void bind_tcp_give_if_done(ScnTcp *sk)
{
    if (sk->fds || sk->ops || sk->busy || sk->is_given) /* a call on a closed socket gives it only once */
        return;
    sk->is_given = true;
    luaclass_give(sk->host->s->L, sk->is_epoll ? &bind_epoll_class : &bind_tcp_class, sk);
}

static void release(void *ptr)
{
    g_free(ptr);
}

Fds *bind_tcp_table(lua_State *L, ScnHost *h)
{
    Scenario *s = h->s;
    Proc *p = s->current;
    bool is_own = p && p->host == h && p->lua && luaproc_is_running(p->lua) && lua_isyieldable(L);
    Fds **table = is_own ? &p->fds : &h->fds;

    if (!*table) {
        *table = fds_new(h->host);
        bind_host_hear_power(h);
    }
    return *table;
}

ScnTcp *bind_tcp_adopt(ScnHost *h, Fds *fds, int fd)
{
    ScnTcp *sk = g_new0(ScnTcp, 1);

    *sk = (ScnTcp){.host = h, .fds = fds, .table = fds_id(fds), .fd = fd};
    if (!h->tcps)
        h->tcps = g_ptr_array_new();
    g_ptr_array_add(h->tcps, sk);
    return sk;
}

Fds *bind_tcp_fds(lua_State *L, const ScnTcp *sk)
{
    Proc *p = sk->host->s->current;

    if (p && p->fds && p->host == sk->host && lua_isyieldable(L) && fds_descends_from(p->fds, sk->table))
        return p->fds;
    return sk->fds;
}

/* Who waits on it learns that it is gone. */
static void cut_ops(ScnTcp *sk, Fds *fds)
{
    for (TcpOp *op = sk->ops, *next; op; op = next) {
        next = op->next;
        if (op->fds != fds)
            continue;
        sockcall_cancel(&op->call);
        op->is_cut = true;
        op->fds = NULL;
        if (op->proc)
            proc_wake(op->proc);
    }
}

static void forget(ScnTcp *sk)
{
    sk->fds = NULL;
    g_ptr_array_remove(sk->host->tcps, sk);
    bind_tcp_events_clear(sk);
    bind_tcp_give_if_done(sk);
}

/* The table is about to go with its process: its descriptors are closed by fds_free, in order. */
static void drop_table(ScnHost *h, Fds **table)
{
    Fds *fds = *table;

    if (!fds)
        return;
    *table = NULL;
    for (guint i = h->tcps ? h->tcps->len : 0; i-- > 0;) {
        ScnTcp *sk = g_ptr_array_index(h->tcps, i);

        cut_ops(sk, fds);
        if (sk->fds == fds)
            forget(sk);
    }
    fds_free(fds);
}

void bind_tcp_on_proc_end(Proc *p)
{
    drop_table(p->host, &p->fds);
}

void bind_tcp_close_host(ScnHost *h)
{
    drop_table(h, &h->fds);
}

/* ---- results ---- */

static int push_self(lua_State *L, TcpOp *op)
{
    if (op->call.ret < 0)
        return bind_push_errno(L, (int)op->call.ret);
    bind_tcp_push(L, op->sk);
    return 1;
}

void bind_tcp_push_addr(lua_State *L, const SockAddr *a)
{
    char text[INET_STR_LEN];

    lua_pushstring(L, inet_format(&a->ep.addr, text));
    lua_pushinteger(L, a->ep.port);
}

static int push_accepted(lua_State *L, TcpOp *op)
{
    if (op->call.ret >= 0 &&
        !op->fds) /* it was closed with the table, before the waiting process heard of it */
        op->call.ret = -EBADF;
    if (op->call.ret < 0)
        return bind_push_errno(L, (int)op->call.ret);
    bind_tcp_push(L, bind_tcp_adopt(op->sk->host, op->fds, (int)op->call.ret));
    bind_tcp_push_addr(L, &op->call.addr_out);
    return 3;
}

/* ---- arguments ---- */

static void set_addr(SockAddr *a, const ScnHost *h, lua_State *L, int idx)
{
    InetAddr any;

    if (lua_type(L, idx) == LUA_TSTRING && inet_parse(lua_tostring(L, idx), &any) && !inet_is_ip4(&any)) {
        a->family = AF_INET6;
        a->ep.addr = any;
        a->ep.is_v6 = true;
        return;
    }
    a->family = AF_INET;
    if (lua_type(L, idx) == LUA_TSTRING && strcmp(lua_tostring(L, idx), "*") == 0) {
        a->ep.addr = inet_from_ip4(0);
        return;
    }
    a->ep.addr = inet_from_ip4(bind_check_addr(L, idx, "address", h));
}

InetEndpoint bind_tcp_check_address(lua_State *L, int idx, const ScnHost *h)
{
    SockAddr a = {.family = AF_INET};

    set_addr(&a, h, L, idx);
    return a.ep;
}

SockAddr bind_tcp_check_endpoint(lua_State *L, int idx, const ScnHost *h, bool is_address_needed)
{
    SockAddr a = {.family = AF_INET, .ep = {.addr = inet_from_ip4(0)}};
    const char *text, *colon;

    if (lua_type(L, idx) == LUA_TNUMBER && !is_address_needed) {
        a.ep.port = bind_check_port(L, idx, "port");
        return a;
    }
    text = lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : NULL;
    colon = text ? strrchr(text, ':') : NULL;
    if (colon && lua_type(L, idx + 1) != LUA_TNUMBER) { /* "10.0.0.1:80" */
        lua_pushlstring(L, text, (size_t)(colon - text));
        if (!lua_stringtonumber(L, colon + 1))
            luaerr_arg(L, idx, "address", NULL, "address and port, such as \"10.0.0.1:80\"");
        a.ep.port = bind_check_port(L, -1, "port");
        set_addr(&a, h, L, -2);
        lua_pop(L, 2);
        return a;
    }
    set_addr(&a, h, L, idx);
    a.ep.port = bind_check_port(L, idx + 1, "port");
    return a;
}

/* ---- making one ---- */

typedef struct NewOpts {
    const char *congestion;
    uint64_t rcvbuf, sndbuf;
    SimTime user_timeout;
    int64_t mss;
    bool nodelay, cork, reuseaddr, reuseport, keepalive, nonblock, v6;
} NewOpts;

#define OPT(n, k)                                                                                            \
    {                                                                                                        \
        .name = #n, .kind = k, .offset = offsetof(NewOpts, n)                                                \
    }
static const LuaOpt tcp_opts_list[] = {
    OPT(congestion, LUAOPT_STRING), OPT(cork, LUAOPT_BOOL),         OPT(keepalive, LUAOPT_BOOL),
    OPT(mss, LUAOPT_INT),           OPT(nodelay, LUAOPT_BOOL),      OPT(nonblock, LUAOPT_BOOL),
    OPT(rcvbuf, LUAOPT_SIZE),       OPT(reuseaddr, LUAOPT_BOOL),    OPT(reuseport, LUAOPT_BOOL),
    OPT(sndbuf, LUAOPT_SIZE),       OPT(user_timeout, LUAOPT_TIME), OPT(v6, LUAOPT_BOOL),
};
const BindOptions bind_tcp_options = {"host:tcp", tcp_opts_list, HS_ARRAY_LEN(tcp_opts_list)};

/* The name of each in Linux's terms. */
static const char *const linux_name[] = {"TCP_CONGESTION", "TCP_CORK",  "SO_KEEPALIVE", "TCP_MAXSEG",
                                         "TCP_NODELAY",    NULL,        "SO_RCVBUF",    "SO_REUSEADDR",
                                         "SO_REUSEPORT",   "SO_SNDBUF", NULL,           NULL};

int bind_tcp_new(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    NewOpts o = {.user_timeout = -1};
    SockCall call = {.op = SYS_SOCKET, .type = SOCK_STREAM};
    int64_t fd;
    ScnTcp *sk;

    scenario_may_change(L);
    luaopt_read(L, 2, "host:tcp", tcp_opts_list, HS_ARRAY_LEN(tcp_opts_list), 0, &o);
    scenario_prepare(L);
    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    call.domain = o.v6 ? AF_INET6 : AF_INET;
    if (o.nonblock)
        call.type |= SOCK_NONBLOCK;
    Fds *fds = bind_tcp_table(L, h);

    fd = sockcall_now(fds, &call);
    if (fd < 0)
        return bind_push_errno(L, (int)fd);
    sk = bind_tcp_adopt(h, fds, (int)fd);
    bind_tcp_push(L, sk);
    for (unsigned i = 0; lua_istable(L, 2) && i < HS_ARRAY_LEN(tcp_opts_list); i++) {
        int rc;

        if (!linux_name[i] || !bind_get_field(L, 2, tcp_opts_list[i].name))
            continue;
        if (tcp_opts_list[i].kind == LUAOPT_SIZE) { /* "64KB" */
            lua_pop(L, 1);
            lua_pushinteger(
                L, (lua_Integer)HS_MIN(*(uint64_t *)((char *)&o + tcp_opts_list[i].offset), INT32_MAX));
        }
        rc = bind_tcp_set_named(L, sk, linux_name[i], lua_gettop(L));
        lua_pop(L, 1);
        if (rc < 0) {
            bind_tcp_close(sk, fds);
            return bind_push_errno(L, rc);
        }
    }
    if (o.user_timeout >= 0) {
        unsigned ms = (unsigned)HS_MIN(o.user_timeout / SIM_MS, INT32_MAX);

        sockcall_now(fds, &(SockCall){.op = SYS_SETSOCKOPT,
                                      .fd = sk->fd,
                                      .level = IPPROTO_TCP,
                                      .name = OPT_USER_TIMEOUT,
                                      .val = &ms,
                                      .val_len = sizeof ms});
    }
    return 1;
}

/* ---- methods ---- */

static int self_or_errno(lua_State *L, int64_t rc)
{
    if (rc < 0)
        return bind_push_errno(L, (int)rc);
    lua_settop(L, 1);
    return 1;
}

static int tcp_method_bind(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    SockAddr a = bind_tcp_check_endpoint(L, 2, sk->host, false);

    scenario_may_change(L);
    return self_or_errno(L, bind_tcp_now(L, sk, &(SockCall){.op = SYS_BIND, .addr = &a}));
}

static int tcp_method_listen(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    static const LuaOpt backlog_opt = {
        .name = "backlog", .kind = LUAOPT_INT, .min = -2147483648.0, .max = 2147483647};
    int64_t backlog = SOMAXCONN;

    scenario_may_change(L);
    if (!lua_isnoneornil(L, 2))
        luaopt_value(L, 2, "tcp:listen", &backlog_opt, &backlog);
    return self_or_errno(L, bind_tcp_now(L, sk, &(SockCall){.op = SYS_LISTEN, .backlog = (int)backlog}));
}

static int tcp_method_accept(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    SimTime timeout = bind_opt_time(L, 2, "timeout", -1);

    scenario_may_change(L);
    return bind_tcp_run(L, bind_tcp_op(sk, SYS_ACCEPT, push_accepted), timeout);
}

static int tcp_method_connect(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    SockAddr a = {.family = AF_UNSPEC};
    TcpOp *op;

    scenario_may_change(L);
    if (!lua_isnoneornil(L, 2)) /* nothing: disconnect */
        a = bind_tcp_check_endpoint(L, 2, sk->host, true);
    scenario_prepare(L);
    op = bind_tcp_op(sk, SYS_CONNECT, push_self);
    op->addr = a;
    op->call.addr = &op->addr;
    return bind_tcp_run(L, op, -1);
}

static int tcp_method_shutdown(lua_State *L)
{
    static const char *const names[] = {"read", "write", "both", NULL};
    ScnTcp *sk = bind_tcp_check(L, 1);
    const char *how = luaL_optstring(L, 2, "both");
    int i = 0;

    while (names[i] && strcmp(names[i], how) != 0)
        i++;
    if (!names[i])
        luaerr_arg(L, 2, "how", NULL, "\"read\", \"write\" or \"both\"");
    scenario_may_change(L);
    return self_or_errno(L, bind_tcp_now(L, sk, &(SockCall){.op = SYS_SHUTDOWN, .how = i}));
}

void bind_tcp_close(ScnTcp *sk, Fds *fds)
{
    if (fds != sk->fds) { /* a forked process gives up its copy: the object stays the parent's */
        sockcall_now(fds, &(SockCall){.op = SYS_CLOSE, .fd = sk->fd});
        return;
    }
    cut_ops(sk, fds);
    sockcall_now(fds, &(SockCall){.op = SYS_CLOSE, .fd = sk->fd});
    forget(sk);
}

static int push_closed(lua_State *L, TcpOp *op)
{
    if (op->fds == op->sk->fds && op->fds)
        forget(op->sk);
    if (op->call.ret < 0)
        return bind_push_errno(L, (int)op->call.ret);
    lua_pushboolean(L, true);
    return 1;
}

/* Waits only with SO_LINGER. */
static int tcp_method_close(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    Fds *fds = bind_tcp_fds(L, sk);
    TcpOp *op;

    scenario_may_change(L);
    if (!fds) {
        lua_pushboolean(L, true); /* closing twice is no mistake */
        return 1;
    }
    op = bind_tcp_op(sk, SYS_CLOSE, push_closed);
    cut_ops(sk, fds);
    return bind_tcp_run(L, op, -1);
}

/* What poll would say: { readable = …, writable = …, hup = …, err = …, pri = … } */
static int tcp_method_poll(lua_State *L)
{
    static const struct {
        short bit;
        const char *name;
    } bits[] = {{POLLIN, "readable"}, {POLLOUT, "writable"}, {POLLPRI, "pri"},
                {POLLERR, "err"},     {POLLHUP, "hup"},      {POLLRDHUP, "rdhup"}};
    ScnTcp *sk = bind_tcp_check(L, 1);
    struct pollfd pfd = {.fd = sk->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP};
    int64_t rc =
        bind_tcp_now(L, sk, &(SockCall){.op = SYS_POLL, .pollfds = &pfd, .n_pollfds = 1, .timeout_ns = 0});

    if (rc < 0)
        return bind_push_errno(L, (int)rc);
    lua_createtable(L, 0, HS_ARRAY_LEN(bits));
    for (unsigned i = 0; i < HS_ARRAY_LEN(bits); i++)
        bind_set_flag(L, bits[i].name, pfd.revents & bits[i].bit);
    return 1;
}

static int get_is_open(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);

    lua_pushboolean(L, bind_tcp_fds(L, sk) != NULL);
    return 1;
}

static int get_fd(lua_State *L)
{
    lua_pushinteger(L, bind_tcp_check(L, 1)->fd);
    return 1;
}

static const luaL_Reg methods[] = {{"accept", tcp_method_accept},     {"bind", tcp_method_bind},
                                   {"close", tcp_method_close},       {"connect", tcp_method_connect},
                                   {"getopt", bind_tcp_getopt},       {"info", bind_tcp_info},
                                   {"listen", tcp_method_listen},     {"local_addr", bind_tcp_local},
                                   {"on_accept", bind_tcp_on_accept}, {"on_connect", bind_tcp_on_connect},
                                   {"on_data", bind_tcp_on_data},     {"poll", tcp_method_poll},
                                   {"read", bind_tcp_read},           {"recv", bind_tcp_recv},
                                   {"peer_addr", bind_tcp_remote},    {"send", bind_tcp_send},
                                   {"sendto", bind_tcp_sendto},       {"setopt", bind_tcp_setopt},
                                   {"shutdown", tcp_method_shutdown}, {"state", bind_tcp_state},
                                   {"write", bind_tcp_write},         {NULL, NULL}};
static const luaL_Reg properties[] = {{"fd", get_fd}, {"is_open", get_is_open}, {NULL, NULL}};

const LuaClass bind_tcp_class = {
    .name = "tcp socket", .methods = methods, .properties = properties, .release = release};
