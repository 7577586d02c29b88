/* UDP sockets of a host: os.udp(). Calls that wait do so in simulated time; what Linux reports by errno is
 * nil and its name.
 *
 * A socket belongs to its host, and to the process that made it: it is closed when either ends. Open, it is
 * ours, and lent to Lua; when it is closed and nobody is at work with it, it is given to Lua, which frees it.
 */
#include "lua/bind/bind_sock.h"

#include <string.h>

/* sk may be gone afterwards, unless Lua has it on a stack. */
static void give_if_done(ScnSock *sk)
{
    if (!sk->udp && !sk->reader && !sk->in_callback)
        luaclass_give(sk->host->s->L, &bind_sock_class, sk);
}

static void close_sock(ScnSock *sk)
{
    UdpSock *udp = sk->udp;

    if (!udp)
        return;
    sk->udp = NULL;
    g_ptr_array_remove(sk->host->socks, sk);
    udpsock_close(udp);
    if (sk->on_datagram != LUA_NOREF)
        luaL_unref(sk->host->s->L, LUA_REGISTRYINDEX, sk->on_datagram);
    sk->on_datagram = LUA_NOREF;
    if (sk->reader)
        proc_wake(sk->reader);
    give_if_done(sk);
}

void bind_sock_on_proc_end(Proc *p)
{
    GPtrArray *socks = p->host->socks;

    for (guint i = socks ? socks->len : 0; i-- > 0;) {
        ScnSock *sk = g_ptr_array_index(socks, i);

        if (sk->owner == p)
            close_sock(sk);
    }
}

void bind_sock_close_host(ScnHost *h)
{
    while (h->socks && h->socks->len > 0)
        close_sock(g_ptr_array_index(h->socks, h->socks->len - 1));
}

static void release(void *ptr)
{
    ScnSock *sk = ptr;

    hs_assert(!sk->udp);
    g_free(sk);
}

ScnSock *bind_sock_check(lua_State *L, int idx)
{
    return luaclass_check(L, idx, &bind_sock_class);
}

/* ---- what has arrived ---- */

/* data, address, port, { time, ttl, tos, len, truncated, to } */
static int push_datagram(lua_State *L, ScnSock *sk, bool with_sender, uint32_t size)
{
    Packet *pkt = NULL;
    UdpRecv info;
    int rc = sk->udp ? udpsock_recv_packet(sk->udp, &pkt, &info) : -EBADF;

    if (rc < 0)
        return bind_push_errno(L, rc);
    bind_push_packet_data(L, pkt, HS_MIN(info.len, size));
    packet_unref(pkt);
    if (!with_sender)
        return 1;
    bind_push_endpoint(L, info.from.ip, info.from.port);
    lua_createtable(L, 0, 7);
    bind_set_time(L, "time", info.time);
    bind_set_int(L, "ttl", info.ttl);
    bind_set_int(L, "tos", info.tos);
    bind_set_int(L, "len", info.len);
    bind_set_flag(L, "truncated", info.len > size);
    bind_set_ip4(L, "to", info.to.ip);
    return 4;
}

static int call_back(lua_State *L)
{
    ScnSock *sk = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, sk->on_datagram);
    int n = push_datagram(L, sk, true, UINT32_MAX);

    luaclass_push(L, &bind_sock_class, sk);
    lua_call(L, n + 1, 0);
    return 0;
}

static void on_wake(void *user, UdpSock *udp)
{
    ScnSock *sk = user;
    Scenario *s = sk->host->s;

    (void)udp;
    if (sk->reader)
        proc_wake(sk->reader);
    if (sk->on_datagram == LUA_NOREF || sk->in_callback)
        return;
    sk->in_callback = true;
    while (sk->udp && sk->on_datagram != LUA_NOREF && udpsock_readable(sk->udp) && !s->failed) {
        LuaErr err = {0};

        if (!luaerr_protect(s->L, call_back, sk, &err))
            scenario_fail(s, &err);
    }
    sk->in_callback = false;
    give_if_done(sk);
}

/* ---- making one ---- */

typedef struct UdpOpts {
    int64_t port;
    int address, on_datagram;
    bool broadcast;
} UdpOpts;

static const LuaOpt udp_opts[] = {
    {.name = "port", .kind = LUAOPT_INT, .offset = offsetof(UdpOpts, port), .max = 65535},
    {.name = "address", .kind = LUAOPT_ANY, .offset = offsetof(UdpOpts, address)},
    {.name = "on_datagram", .kind = LUAOPT_FUNCTION, .offset = offsetof(UdpOpts, on_datagram)},
    {.name = "broadcast", .kind = LUAOPT_BOOL, .offset = offsetof(UdpOpts, broadcast)},
};
const BindOptions bind_udp_options = {"host:udp", udp_opts, HS_ARRAY_LEN(udp_opts)};

int bind_sock_new(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Scenario *s = h->s;
    UdpOpts o = {.port = -1};

    scenario_may_change(L);
    luaopt_read(L, 2, "host:udp", udp_opts, HS_ARRAY_LEN(udp_opts), 0, &o);
    uint32_t addr = o.address ? bind_check_addr(L, o.address, "address", h) : 0;

    scenario_prepare(L);
    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    if (o.on_datagram)
        lua_pushvalue(L, o.on_datagram);
    int on_datagram = o.on_datagram ? luaL_ref(L, LUA_REGISTRYINDEX) : LUA_NOREF;
    ScnSock *sk = g_new0(ScnSock, 1);

    sk->host = h;
    sk->on_datagram = on_datagram;
    sk->owner = s->current && s->current->host && s->current->lua && luaproc_is_running(s->current->lua) &&
                        lua_isyieldable(L)
                    ? s->current
                    : NULL;
    if (sk->owner && sk->owner->host != h)
        sk->owner = NULL;
    luaclass_push(L, &bind_sock_class, sk);
    sk->udp = udpsock_new(host_udp(h->host));
    udpsock_on_wake(sk->udp, on_wake, sk);
    if (!h->socks)
        h->socks = g_ptr_array_new();
    g_ptr_array_add(h->socks, sk);
    bind_host_hear_power(h);
    udpsock_opt(sk->udp)->broadcast = o.broadcast;
    if (o.port >= 0 || o.address) {
        int rc = udpsock_bind(sk->udp, (UdpAddr){addr, (uint16_t)HS_MAX(o.port, 0)});

        if (rc < 0) {
            close_sock(sk);
            return bind_push_errno(L, rc);
        }
    }
    return 1;
}

/* ---- methods ---- */

static int self_or_errno(lua_State *L, int rc)
{
    if (rc < 0)
        return bind_push_errno(L, rc);
    lua_settop(L, 1);
    return 1;
}

/* (port), (address, port), ("10.0.0.1:69") */
static UdpAddr check_endpoint(lua_State *L, int idx, const ScnHost *h, bool address_needed)
{
    UdpAddr a = {0, 0};

    if (lua_type(L, idx) == LUA_TNUMBER && !address_needed) {
        a.port = bind_check_port(L, idx, "port");
        return a;
    }
    const char *colon = lua_type(L, idx) == LUA_TSTRING ? strrchr(lua_tostring(L, idx), ':') : NULL;

    if (colon && lua_type(L, idx + 1) != LUA_TNUMBER) {
        lua_pushlstring(L, lua_tostring(L, idx), (size_t)(colon - lua_tostring(L, idx)));
        lua_pushstring(L, colon + 1);
        if (!lua_stringtonumber(L, lua_tostring(L, -1)))
            luaerr_arg(L, idx, "address", NULL, "address and port, such as \"10.0.0.1:69\"");
        a.port = bind_check_port(L, -1, "port");
        a.ip = bind_check_addr(L, -3, "address", h);
        lua_pop(L, 3);
        return a;
    }
    if (lua_type(L, idx) == LUA_TSTRING && strcmp(lua_tostring(L, idx), "*") == 0)
        scenario_prepare(L);
    else
        a.ip = bind_check_addr(L, idx, "address", h);
    a.port = bind_check_port(L, idx + 1, "port");
    return a;
}

static int sock_bind(lua_State *L)
{
    ScnSock *sk = bind_sock_check(L, 1);
    UdpAddr a = check_endpoint(L, 2, sk->host, false);

    scenario_may_change(L);
    return self_or_errno(L, sk->udp ? udpsock_bind(sk->udp, a) : -EBADF);
}

static int sock_connect(lua_State *L)
{
    ScnSock *sk = bind_sock_check(L, 1);
    UdpAddr a = {0, 0};

    scenario_may_change(L);
    if (!lua_isnoneornil(L, 2))
        a = check_endpoint(L, 2, sk->host, true);
    return self_or_errno(L, sk->udp ? udpsock_connect(sk->udp, a) : -EBADF);
}

typedef struct SendOpts {
    int64_t ttl, tos;
} SendOpts;

static const LuaOpt send_opts[] = {
    {.name = "ttl", .kind = LUAOPT_INT, .offset = offsetof(SendOpts, ttl), .min = 1, .max = 255},
    {.name = "tos", .kind = LUAOPT_INT, .offset = offsetof(SendOpts, tos), .min = 0, .max = 255},
};
const BindOptions bind_send_options = {"sock:send", send_opts, HS_ARRAY_LEN(send_opts)};

static int send_data(lua_State *L, const UdpAddr *to, int opts_idx, const char *who)
{
    ScnSock *sk = bind_sock_check(L, 1);
    BindData d = bind_check_data(L, 2, "data");
    SendOpts o = {0, -1};

    scenario_may_change(L);
    scenario_prepare(L);
    luaopt_read(L, opts_idx, who, send_opts, HS_ARRAY_LEN(send_opts), 0, &o);
    if (!sk->udp)
        return bind_push_errno(L, -EBADF);
    if (d.len > UINT32_MAX)
        return bind_push_errno(L, -EMSGSIZE);
    UdpSend m = {.to = to,
                 .bytes = d.bytes,
                 .synthetic_off = d.off,
                 .len = (uint32_t)d.len,
                 .ttl = (uint8_t)o.ttl,
                 .has_tos = o.tos >= 0,
                 .tos = (uint8_t)HS_MAX(o.tos, 0)};
    int rc = udpsock_send(sk->udp, &m);

    if (rc < 0)
        return bind_push_errno(L, rc);
    lua_pushinteger(L, (lua_Integer)d.len);
    return 1;
}

static int sock_send(lua_State *L)
{
    return send_data(L, NULL, 3, "sock:send");
}

static int sock_sendto(lua_State *L)
{
    bool is_joined = lua_type(L, 4) != LUA_TNUMBER; /* "10.0.0.1:69" */
    UdpAddr to = check_endpoint(L, 3, bind_sock_check(L, 1)->host, true);

    return send_data(L, &to, is_joined ? 4 : 5, "sock:sendto");
}

typedef struct Recv {
    ScnSock *sk;
    Proc *p;
    bool with_sender;
    uint32_t size;
} Recv;

typedef struct RecvOpts {
    SimTime timeout;
    uint64_t size;
} RecvOpts;

static const LuaOpt recv_opts[] = {
    {.name = "timeout", .kind = LUAOPT_TIME, .offset = offsetof(RecvOpts, timeout)},
    {.name = "size", .kind = LUAOPT_SIZE, .offset = offsetof(RecvOpts, size)},
};
const BindOptions bind_recv_options = {"sock:recv", recv_opts, HS_ARRAY_LEN(recv_opts)};

static bool recv_ready(void *data)
{
    const Recv *r = data;

    return !r->sk->udp || udpsock_readable(r->sk->udp);
}

static int recv_push(lua_State *L, void *data)
{
    const Recv *r = data;

    return push_datagram(L, r->sk, r->with_sender, r->size);
}

static void recv_left(void *data)
{
    Recv *r = data;

    r->sk->reader = NULL;
    give_if_done(r->sk);
    g_free(r);
}

static int receive(lua_State *L, bool with_sender)
{
    ScnSock *sk = bind_sock_check(L, 1);
    RecvOpts o = {.timeout = -1, .size = UINT32_MAX};

    scenario_may_change(L);
    if (lua_istable(L, 2))
        luaopt_read(L, 2, "sock:recv", recv_opts, HS_ARRAY_LEN(recv_opts), 0, &o);
    else
        o.timeout = bind_opt_time(L, 2, "timeout", -1);
    if (!sk->udp || udpsock_readable(sk->udp) || o.timeout == 0)
        return push_datagram(L, sk, with_sender, (uint32_t)HS_MIN(o.size, UINT32_MAX));
    Proc *p = proc_current(L);

    if (sk->on_datagram != LUA_NOREF)
        luaerr_raise(L, "this socket gives its datagrams to on_datagram: nothing is left to receive");
    if (sk->reader)
        luaerr_raise(L, "another process waits on this socket already");
    Recv *r = g_new(Recv, 1);

    *r = (Recv){sk, p, with_sender, (uint32_t)HS_MIN(o.size, UINT32_MAX)};
    sk->reader = p;
    return proc_block(L, p, o.timeout, &(ProcWait){recv_ready, recv_push, recv_left, r});
}

static int sock_recv(lua_State *L)
{
    return receive(L, false);
}

static int sock_recvfrom(lua_State *L)
{
    return receive(L, true);
}

static int sock_close(lua_State *L)
{
    scenario_may_change(L);
    close_sock(bind_sock_check(L, 1));
    return 0;
}

static int sock_on_datagram(lua_State *L)
{
    ScnSock *sk = bind_sock_check(L, 1);

    scenario_may_change(L);
    if (!lua_isnil(L, 2) && lua_type(L, 2) != LUA_TFUNCTION)
        luaerr_arg(L, 2, "on_datagram", NULL, "a function, or nil");
    if (!sk->udp)
        return bind_push_errno(L, -EBADF);
    luaL_unref(L, LUA_REGISTRYINDEX, sk->on_datagram);
    sk->on_datagram = LUA_NOREF;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2))
        sk->on_datagram = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_settop(L, 1);
    return 1;
}

/* ---- groups: sock:join("224.1.1.1" [, "eth0"]), sock:leave ---- */

static int change_membership(lua_State *L, int (*change)(UdpSock *, uint32_t, Ip4If *))
{
    ScnSock *sk = bind_sock_check(L, 1);
    uint32_t group = bind_check_addr(L, 2, "group", sk->host);
    Ip4If *ifp = NULL;

    scenario_may_change(L);
    if (!sk->udp)
        return bind_push_errno(L, -EBADF);
    if (!lua_isnoneornil(L, 3) &&
        !(ifp = ip4_if_by_name(host_ip4(sk->host->host), bind_check_name(L, 3, "device"))))
        return bind_push_errno(L, -ENODEV);
    return self_or_errno(L, change(sk->udp, group, ifp));
}

static int sock_join(lua_State *L)
{
    return change_membership(L, udpsock_join);
}

static int sock_leave(lua_State *L)
{
    return change_membership(L, udpsock_leave);
}

/* ---- what it knows ---- */

static int push_udp_addr(lua_State *L, const ScnSock *sk, UdpAddr (*get)(const UdpSock *))
{
    if (!sk->udp)
        return bind_push_errno(L, -EBADF);
    UdpAddr a = get(sk->udp);

    bind_push_endpoint(L, a.ip, a.port);
    return 2;
}

static int sock_local(lua_State *L)
{
    return push_udp_addr(L, bind_sock_check(L, 1), udpsock_local);
}

static int sock_peer(lua_State *L)
{
    return push_udp_addr(L, bind_sock_check(L, 1), udpsock_peer);
}

/* SO_ERROR: the pending error's name, or nil. */
static int sock_error(lua_State *L)
{
    ScnSock *sk = bind_sock_check(L, 1);
    int rc = sk->udp ? udpsock_take_error(sk->udp) : -EBADF;

    lua_pushstring(L, rc ? bind_errno_name(rc < 0 ? rc : -rc) : NULL);
    return 1;
}

static int sock_get_drops(lua_State *L)
{
    const ScnSock *sk = bind_sock_check(L, 1);

    lua_pushinteger(L, sk->udp ? (lua_Integer)udpsock_drops(sk->udp) : 0);
    return 1;
}

static int sock_get_is_open(lua_State *L)
{
    lua_pushboolean(L, bind_sock_check(L, 1)->udp != NULL);
    return 1;
}

static int sock_get_rmem(lua_State *L)
{
    const ScnSock *sk = bind_sock_check(L, 1);

    lua_pushinteger(L, sk->udp ? udpsock_rmem(sk->udp) : 0);
    return 1;
}

static const luaL_Reg methods[] = {{"bind", sock_bind},
                                   {"close", sock_close},
                                   {"connect", sock_connect},
                                   {"error", sock_error},
                                   {"getopt", bind_sock_getopt},
                                   {"join", sock_join},
                                   {"leave", sock_leave},
                                   {"local_addr", sock_local},
                                   {"on_datagram", sock_on_datagram},
                                   {"peer_addr", sock_peer},
                                   {"recv", sock_recv},
                                   {"recvfrom", sock_recvfrom},
                                   {"send", sock_send},
                                   {"sendto", sock_sendto},
                                   {"setopt", bind_sock_setopt},
                                   {NULL, NULL}};
static const luaL_Reg properties[] = {
    {"drops", sock_get_drops}, {"is_open", sock_get_is_open}, {"rmem", sock_get_rmem}, {NULL, NULL}};

const LuaClass bind_sock_class = {
    .name = "udp socket", .methods = methods, .properties = properties, .release = release};
