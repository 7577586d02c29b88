/* Options of a UDP socket, by the names of setsockopt(2). */
#include <string.h>

#include "lua/bind/bind_sock.h"

typedef enum OptKind { OPT_U32, OPT_U8, OPT_FLAG, OPT_DEVICE } OptKind;

static const struct {
    const char *name, *alias;
    OptKind kind;
    size_t offset;
} sock_opts[] = {
    {"SO_RCVBUF", "rcvbuf", OPT_U32, offsetof(UdpSockOpt, rcvbuf)},
    {"SO_SNDBUF", "sndbuf", OPT_U32, offsetof(UdpSockOpt, sndbuf)},
    {"SO_BROADCAST", "broadcast", OPT_FLAG, offsetof(UdpSockOpt, broadcast)},
    {"SO_REUSEADDR", "reuseaddr", OPT_FLAG, offsetof(UdpSockOpt, reuseaddr)},
    {"SO_REUSEPORT", "reuseport", OPT_FLAG, offsetof(UdpSockOpt, reuseport)},
    {"SO_NO_CHECK", "no_check", OPT_FLAG, offsetof(UdpSockOpt, no_check)},
    {"IP_RECVERR", "recverr", OPT_FLAG, offsetof(UdpSockOpt, recverr)},
    {"IP_TOS", "tos", OPT_U8, offsetof(UdpSockOpt, tos)},
    {"IP_TTL", "ttl", OPT_U8, offsetof(UdpSockOpt, ttl)},
    {"IP_MTU_DISCOVER", "mtu_discover", OPT_U8, offsetof(UdpSockOpt, mtu_discover)},
    {"SO_BINDTODEVICE", "device", OPT_DEVICE, offsetof(UdpSockOpt, bound_dev)},
};

static size_t check_opt(lua_State *L)
{
    const char *name = bind_check_name(L, 2, "option");

    for (size_t i = 0; i < HS_ARRAY_LEN(sock_opts); i++)
        if (strcmp(name, sock_opts[i].name) == 0 || strcmp(name, sock_opts[i].alias) == 0)
            return i;
    luaerr_arg(L, 2, "option", NULL,
               "SO_RCVBUF, SO_SNDBUF, SO_BROADCAST, SO_REUSEADDR, SO_REUSEPORT, SO_NO_CHECK, IP_RECVERR, "
               "IP_TOS, IP_TTL, "
               "IP_MTU_DISCOVER or SO_BINDTODEVICE");
}

int bind_sock_setopt(lua_State *L)
{
    ScnSock *sk = bind_sock_check(L, 1);
    size_t i = check_opt(L);

    scenario_may_change(L);
    if (!sk->udp)
        return bind_push_errno(L, -EBADF);
    char *field = (char *)udpsock_opt(sk->udp) + sock_opts[i].offset;

    if (sock_opts[i].kind == OPT_FLAG) {
        luaL_checkany(L, 3);
        *(bool *)field = lua_toboolean(L, 3) && !(lua_isinteger(L, 3) && lua_tointeger(L, 3) == 0);
    } else if (sock_opts[i].kind == OPT_DEVICE) {
        Ip4If *ifp = NULL;

        if (!lua_isnil(L, 3) &&
            !(ifp = ip4_if_by_name(host_ip4(sk->host->host), bind_check_name(L, 3, "device"))))
            return bind_push_errno(L, -ENODEV);
        *(const Ip4If **)field = ifp;
    } else {
        uint64_t value = 0;
        static const LuaOpt size = {.name = "value", .kind = LUAOPT_SIZE};

        luaopt_value(L, 3, "sock:setopt", &size, &value);
        if (sock_opts[i].kind == OPT_U8 && value > 255)
            luaerr_arg(L, 3, "value", NULL, "a whole number from 0 to 255");
        if (sock_opts[i].kind == OPT_U8)
            *(uint8_t *)field = (uint8_t)value;
        else /* SO_RCVBUF counts double, as Linux keeps it, and has a least value */
            *(uint32_t *)field = (uint32_t)HS_MAX(HS_MIN(value, INT32_MAX / 2) * 2, 2304);
    }
    lua_settop(L, 1);
    return 1;
}

int bind_sock_getopt(lua_State *L)
{
    ScnSock *sk = bind_sock_check(L, 1);
    size_t i = check_opt(L);

    if (!sk->udp)
        return bind_push_errno(L, -EBADF);
    const char *field = (const char *)udpsock_opt(sk->udp) + sock_opts[i].offset;
    const Ip4If *ifp;

    switch (sock_opts[i].kind) {
    case OPT_FLAG:
        lua_pushboolean(L, *(const bool *)field);
        break;
    case OPT_U8:
        lua_pushinteger(L, *(const uint8_t *)field);
        break;
    case OPT_U32:
        lua_pushinteger(L, *(const uint32_t *)field);
        break;
    case OPT_DEVICE:
        ifp = *(const Ip4If *const *)field;
        lua_pushstring(L, ifp ? ip4_if_dev(ifp)->name : NULL);
        break;
    }
    return 1;
}
