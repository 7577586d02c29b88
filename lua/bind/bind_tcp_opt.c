/* What can be set and seen of a TCP socket: options by their Linux names, TCP_INFO, addresses, state. */
#include <netinet/in.h>
#include <string.h>

#include "lua/bind/bind_tcp.h"
#include "models/tcp/tcp.h"
#include "models/tcp/tcp_info.h"
#include "sim/base/suggest.h"

typedef enum OptKind { INT, BOOLEAN, TEXT, LINGER, TIMEVAL } OptKind;

/* Numbers of Linux's ABI: <netinet/tcp.h> of older C libraries lacks the newer ones. */
static const struct {
    const char *name;
    int level, number;
    OptKind kind;
} options[] = {
    {"IPV6_V6ONLY", IPPROTO_IPV6, 26, BOOLEAN},
    {"IP_FREEBIND", IPPROTO_IP, 15, BOOLEAN},
    {"IP_MTU", IPPROTO_IP, 14, INT},
    {"IP_MTU_DISCOVER", IPPROTO_IP, 10, INT},
    {"IP_RECVERR", IPPROTO_IP, 11, BOOLEAN},
    {"IP_TOS", IPPROTO_IP, 1, INT},
    {"IP_TTL", IPPROTO_IP, 2, INT},
    {"SO_ERROR", SOL_SOCKET, 4, INT},
    {"SO_KEEPALIVE", SOL_SOCKET, 9, BOOLEAN},
    {"SO_LINGER", SOL_SOCKET, 13, LINGER},
    {"SO_MAX_PACING_RATE", SOL_SOCKET, 47, INT},
    {"SO_OOBINLINE", SOL_SOCKET, 10, BOOLEAN},
    {"SO_RCVBUF", SOL_SOCKET, 8, INT},
    {"SO_RCVLOWAT", SOL_SOCKET, 18, INT},
    {"SO_RCVTIMEO", SOL_SOCKET, 20, TIMEVAL},
    {"SO_REUSEADDR", SOL_SOCKET, 2, BOOLEAN},
    {"SO_REUSEPORT", SOL_SOCKET, 15, BOOLEAN},
    {"SO_SNDBUF", SOL_SOCKET, 7, INT},
    {"SO_SNDTIMEO", SOL_SOCKET, 21, TIMEVAL},
    {"TCP_CONGESTION", IPPROTO_TCP, 13, TEXT},
    {"TCP_CORK", IPPROTO_TCP, 3, BOOLEAN},
    {"TCP_DEFER_ACCEPT", IPPROTO_TCP, 9, INT},
    {"TCP_FASTOPEN", IPPROTO_TCP, 23, INT},
    {"TCP_FASTOPEN_CONNECT", IPPROTO_TCP, 30, BOOLEAN},
    {"TCP_FASTOPEN_NO_COOKIE", IPPROTO_TCP, 34, BOOLEAN},
    {"TCP_KEEPCNT", IPPROTO_TCP, 6, INT},
    {"TCP_KEEPIDLE", IPPROTO_TCP, 4, INT},
    {"TCP_KEEPINTVL", IPPROTO_TCP, 5, INT},
    {"TCP_LINGER2", IPPROTO_TCP, 8, INT},
    {"TCP_MAXSEG", IPPROTO_TCP, 2, INT},
    {"TCP_NODELAY", IPPROTO_TCP, 1, BOOLEAN},
    {"TCP_NOTSENT_LOWAT", IPPROTO_TCP, 25, INT},
    {"TCP_QUICKACK", IPPROTO_TCP, 12, BOOLEAN},
    {"TCP_RTO_MAX_MS", IPPROTO_TCP, 44, INT},
    {"TCP_SYNCNT", IPPROTO_TCP, 7, INT},
    {"TCP_USER_TIMEOUT", IPPROTO_TCP, 18, INT},
    {"TCP_WINDOW_CLAMP", IPPROTO_TCP, 10, INT},
};

static unsigned find(lua_State *L, const char *name, const char *who)
{
    const char *known[HS_ARRAY_LEN(options)];

    for (unsigned i = 0; i < HS_ARRAY_LEN(options); i++) {
        if (strcmp(options[i].name, name) == 0)
            return i;
        known[i] = options[i].name;
    }
    bind_raise_unknown(L, "socket option", name, who, known, HS_ARRAY_LEN(options));
}

typedef struct LingerOpt { /* Linux struct linger */
    int onoff, seconds;
} LingerOpt;

typedef struct TimeOpt { /* struct timeval on 64 bits */
    int64_t s, us;
} TimeOpt;

int bind_tcp_set_named(lua_State *L, ScnTcp *sk, const char *name, int idx)
{
    unsigned i = find(L, name, "tcp:setopt");
    SockCall call = {.op = SYS_SETSOCKOPT, .level = options[i].level, .name = options[i].number};
    LingerOpt linger;
    TimeOpt time;
    int value = 0;

    call.val = &value;
    call.val_len = sizeof value;
    switch (options[i].kind) {
    case BOOLEAN:
        value = lua_isboolean(L, idx) ? lua_toboolean(L, idx) : (int)luaL_checkinteger(L, idx);
        break;
    case INT:
        if (!lua_isinteger(L, idx))
            luaerr_arg(L, idx, name, NULL, "an integer");
        value = (int)HS_MIN(HS_MAX(lua_tointeger(L, idx), INT32_MIN), INT32_MAX);
        break;
    case TEXT:
        call.val = (void *)(uintptr_t)bind_check_name(L, idx, name);
        call.val_len = (unsigned)strlen(call.val);
        break;
    case LINGER: /* seconds; nil or false: off */
        linger.onoff = lua_toboolean(L, idx);
        linger.seconds = lua_toboolean(L, idx) ? (int)(bind_check_time(L, idx, name) / SIM_SEC) : 0;
        call.val = &linger;
        call.val_len = sizeof linger;
        break;
    case TIMEVAL: {
        SimTime t = bind_check_time(L, idx, name);

        time = (TimeOpt){t / SIM_SEC, t % SIM_SEC / SIM_US};
        call.val = &time;
        call.val_len = sizeof time;
        break;
    }
    }
    return (int)bind_tcp_now(L, sk, &call);
}

/* tcp:setopt("TCP_NODELAY", true) */
int bind_tcp_setopt(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    const char *name = bind_check_name(L, 2, "option");
    int rc;

    scenario_may_change(L);
    luaL_checkany(L, 3);
    rc = bind_tcp_set_named(L, sk, name, 3);
    if (rc < 0)
        return bind_push_errno(L, rc);
    lua_settop(L, 1);
    return 1;
}

/* tcp:getopt("SO_RCVBUF") */
int bind_tcp_getopt(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    unsigned i = find(L, bind_check_name(L, 2, "option"), "tcp:getopt");
    union {
        int value;
        LingerOpt linger;
        TimeOpt time;
        char text[64];
    } out = {0};
    SockCall call = {.op = SYS_GETSOCKOPT, .level = options[i].level, .name = options[i].number, .val = &out};
    int64_t rc;

    call.val_len = options[i].kind == TEXT      ? sizeof out.text - 1
                   : options[i].kind == LINGER  ? sizeof out.linger
                   : options[i].kind == TIMEVAL ? sizeof out.time
                                                : sizeof out.value;
    rc = bind_tcp_now(L, sk, &call);
    if (rc < 0)
        return bind_push_errno(L, (int)rc);
    switch (options[i].kind) {
    case BOOLEAN:
        lua_pushboolean(L, out.value);
        break;
    case INT:
        if (options[i].number == 4 && options[i].level == SOL_SOCKET && out.value) /* SO_ERROR */
            lua_pushstring(L, bind_errno_name(-out.value));
        else
            lua_pushinteger(L, out.value);
        break;
    case TEXT:
        lua_pushstring(L, out.text);
        break;
    case LINGER:
        if (out.linger.onoff)
            lua_pushinteger(L, out.linger.seconds);
        else
            lua_pushboolean(L, false);
        break;
    case TIMEVAL:
        bind_push_time(L, out.time.s * SIM_SEC + out.time.us * SIM_US);
        break;
    }
    return 1;
}

/* Every field of TCP_INFO by its Linux name without "tcpi_", and what it lacks: the controller, the queues.
 */
void bind_tcp_push_info(lua_State *L, TcpConn *c)
{
    TcpInfo info;
    char name[16] = "";
    unsigned len = sizeof name;
    int queued;

    tcp_get_info(c, &info);
    lua_createtable(L, 0, 80);
    for (const TcpInfoField *f = tcp_info_fields; f->name; f++) {
        uint64_t v = f->get(&info);

        bind_set_int(L, g_str_has_prefix(f->name, "tcpi_") ? f->name + 5 : f->name,
                     v > INT64_MAX ? INT64_MAX : (lua_Integer)v);
    }
    bind_set_text(L, "state_name", tcp_state_name(tcp_state(c)));
    if (tcp_getsockopt(c, IPPROTO_TCP, 13, name, &len) == 0) {
        lua_pushlstring(L, name, strnlen(name, len));
        lua_setfield(L, -2, "congestion");
    }
    if (tcp_ioctl(c, 0x541B, &queued) == 0) { /* SIOCINQ */
        bind_set_int(L, "recv_q", queued);
    }
    if (tcp_ioctl(c, 0x5411, &queued) == 0) { /* SIOCOUTQ */
        bind_set_int(L, "send_q", queued);
    }
}

/* tcp:info() */
int bind_tcp_info(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    Fds *fds = bind_tcp_fds(L, sk);
    TcpConn *c = fds ? fds_tcp(fds, sk->fd) : NULL;

    if (!c)
        return bind_push_errno(L, -EBADF);
    bind_tcp_push_info(L, c);
    return 1;
}

static int push_name(lua_State *L, SockOp op)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    SockCall call = {.op = op};
    int64_t rc = bind_tcp_now(L, sk, &call);

    if (rc < 0)
        return bind_push_errno(L, (int)rc);
    bind_tcp_push_addr(L, &call.addr_out);
    return 2;
}

int bind_tcp_local(lua_State *L)
{
    return push_name(L, SYS_GETSOCKNAME);
}

int bind_tcp_remote(lua_State *L)
{
    return push_name(L, SYS_GETPEERNAME);
}

/* "ESTABLISHED"; "CLOSED" for what is no socket any more. */
int bind_tcp_state(lua_State *L)
{
    ScnTcp *sk = bind_tcp_check(L, 1);
    Fds *fds = bind_tcp_fds(L, sk);
    TcpConn *c = fds ? fds_tcp(fds, sk->fd) : NULL;

    lua_pushstring(L, c ? tcp_state_name(tcp_state(c)) : tcp_state_name(TCP_CLOSE));
    return 1;
}
