/* Reading from a TCP socket and writing to it. */
#include "lua/bind/bind_tcp.h"

#define READ_SIZE 65536

static int push_count(lua_State *L, TcpOp *op)
{
    if (op->call.ret < 0)
        return bind_push_errno(L, (int)op->call.ret);
    lua_pushinteger(L, op->call.ret);
    return 1;
}

/* The data; nil alone at the end of the stream; nil and the error's name. */
static int push_data(lua_State *L, TcpOp *op)
{
    if (op->call.ret < 0)
        return bind_push_errno(L, (int)op->call.ret);
    if (op->call.ret == 0 && op->call.len > 0) {
        lua_pushnil(L);
        return 1;
    }
    bind_tcp_push_slices(L, op);
    return 1;
}

typedef struct IoOpts {
    SimTime timeout;
    bool oob, peek, dontwait, waitall, more, eor, fastopen, nosignal, trunc;
} IoOpts;

#define IO(n)                                                                                                \
    {                                                                                                        \
        .name = #n, .kind = LUAOPT_BOOL, .offset = offsetof(IoOpts, n)                                       \
    }
static const LuaOpt recv_list[] = {
    IO(dontwait), IO(oob),
    IO(peek),     {.name = "timeout", .kind = LUAOPT_TIME, .offset = offsetof(IoOpts, timeout)},
    IO(trunc),    IO(waitall),
};
static const LuaOpt send_list[] = {IO(dontwait), IO(eor), IO(fastopen), IO(more), IO(oob)};
const BindOptions bind_tcp_recv_options = {"tcp:recv", recv_list, HS_ARRAY_LEN(recv_list)};
const BindOptions bind_tcp_send_options = {"tcp:send", send_list, HS_ARRAY_LEN(send_list)};

static int io_flags(const IoOpts *o)
{
    return (o->oob ? MSG_OOB : 0) | (o->peek ? MSG_PEEK : 0) | (o->dontwait ? MSG_DONTWAIT : 0) |
           (o->waitall ? MSG_WAITALL : 0) | (o->more ? MSG_MORE : 0) | (o->eor ? MSG_EOR : 0) |
           (o->fastopen ? MSG_FASTOPEN : 0) | (o->trunc ? MSG_TRUNC : 0);
}

static uint64_t opt_size(lua_State *L, int idx, const char *who)
{
    static const LuaOpt size_opt = {.name = "size", .kind = LUAOPT_SIZE};
    uint64_t size = READ_SIZE;

    if (!lua_isnoneornil(L, idx))
        luaopt_value(L, idx, who, &size_opt, &size);
    return HS_MIN(size, (uint64_t)1 << 30);
}

static int receive(lua_State *L, ScnTcp *sk, uint64_t size, int flags, SimTime timeout)
{
    TcpOp *op = bind_tcp_op(sk, SYS_RECV, push_data);

    op->call.payload = SOCK_SYNTHETIC;
    op->call.len = size;
    op->call.flags = flags;
    op->call.take = bind_tcp_collect;
    return bind_tcp_run(L, op, timeout);
}

/* tcp:read([size [, timeout]]) */
int bind_tcp_read(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    uint64_t size = opt_size(L, 2, "tcp:read");
    SimTime timeout = bind_opt_time(L, 3, "timeout", -1);

    scenario_may_change(L);
    return receive(L, sk, size, 0, timeout);
}

/* tcp:recv([size [, { peek = true, … }]]) */
int bind_tcp_recv(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    uint64_t size = opt_size(L, 2, "tcp:recv");
    IoOpts o = {.timeout = -1};

    scenario_may_change(L);
    luaopt_read(L, 3, "tcp:recv", recv_list, HS_ARRAY_LEN(recv_list), 0, &o);
    return receive(L, sk, size, io_flags(&o), o.timeout);
}

static int transmit(lua_State *L, ScnTcp *sk, int flags, const SockAddr *to)
{
    BindData d = bind_check_data(L, 2, "data");
    TcpOp *op = bind_tcp_op(sk, to ? SYS_SENDTO : SYS_SEND, push_count);

    op->call.len = d.len;
    op->call.flags = flags | MSG_NOSIGNAL;
    if (d.bytes || d.len == 0) {
        op->bytes = g_memdup2(d.bytes ? d.bytes : (const uint8_t *)"", HS_MAX(d.len, 1u));
        op->call.buf = op->bytes;
    } else {
        op->call.payload = SOCK_SYNTHETIC;
        op->call.synthetic_off = d.off;
    }
    if (to) {
        op->addr = *to;
        op->call.addr = &op->addr;
    }
    return bind_tcp_run(L, op, -1);
}

/* tcp:write(data): waits until all of it is in the send buffer. */
int bind_tcp_write(lua_State *L)
{
    scenario_may_change(L);
    return transmit(L, bind_tcp_check(L, 1), 0, NULL);
}

/* tcp:send(data [, { more = true, … }]) */
int bind_tcp_send(lua_State *L)
{
    IoOpts o = {0};

    scenario_may_change(L);
    luaopt_read(L, 3, "tcp:send", send_list, HS_ARRAY_LEN(send_list), 0, &o);
    return transmit(L, bind_tcp_check(L, 1), io_flags(&o), NULL);
}

/* tcp:sendto(data, address, port [, { fastopen = true }]): data in the SYN */
int bind_tcp_sendto(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    bool is_joined = lua_type(L, 4) != LUA_TNUMBER;
    SockAddr to = bind_tcp_check_endpoint(L, 3, sk->host, true);
    IoOpts o = {0};

    scenario_may_change(L);
    scenario_prepare(L);
    luaopt_read(L, is_joined ? 4 : 5, "tcp:send", send_list, HS_ARRAY_LEN(send_list), 0, &o);
    return transmit(L, sk, io_flags(&o), &to);
}
