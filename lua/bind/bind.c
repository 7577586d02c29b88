/* Values between Lua and the models: times, addresses, errno names, data. */
#include "lua/bind/bind.h"

#include <stdio.h>
#include <string.h>

#include "models/wire/ipv4_addr.h"
#include "sim/base/units.h"
#include "sim/base/suggest.h"
#include "sim/trace/probe_table.h"

/* clang-format off */
const LuaClass *const bind_classes[] = {
    &bind_alarm_class,
    &bind_dev_class,
    &bind_echo_class,
    &bind_epoll_class,
    &bind_host_class,
    &bind_hub_class,
    &bind_link_class,
    &bind_linkdir_class,
    &bind_observer_class,
    &bind_packet_class,
    &bind_payload_class,
    &bind_port_class,
    &bind_proc_class,
    &bind_rarp_class,
    &bind_raw_class,
    &bind_rng_class,
    &bind_sink_class,
    &bind_sock_class,
    &bind_source_class,
    &bind_switch_class,
    &bind_tcp_class,
    &bind_tcp_sink_class,
    &bind_tcp_source_class,
    &bind_tftp_server_class,
    NULL,
};
/* clang-format on */

/* ---- times ---- */

void bind_push_time(lua_State *L, SimTime t)
{
    lua_pushnumber(L, (double)t / 1e9);
}

SimTime bind_check_time(lua_State *L, int idx, const char *name)
{
    const LuaOpt opt = {.name = name, .kind = LUAOPT_TIME};
    SimTime t = 0;
    char *message = NULL;

    if (lua_type(L, idx) == LUA_TSTRING) {
        if (!units_parse_time(lua_tostring(L, idx), &t, &message)) {
            g_free(message);
            luaerr_arg(L, idx, name, NULL, "a time such as \"20ms\", or a number of seconds");
        }
        if (t < 0)
            luaerr_arg(L, idx, name, NULL, "a time that is not negative");
        return t;
    }
    if (lua_type(L, idx) != LUA_TNUMBER)
        luaerr_arg(L, idx, name, NULL, "a time such as \"20ms\", or a number of seconds");
    luaopt_value(L, idx, name, &opt, &t);
    return t;
}

SimTime bind_opt_time(lua_State *L, int idx, const char *name, SimTime otherwise)
{
    return lua_isnoneornil(L, idx) ? otherwise : bind_check_time(L, idx, name);
}

/* ---- errno ---- */

const char *bind_errno_name(int negative_errno)
{
    const char *name = strerrorname_np(-negative_errno);

    return name ? name : "EINVAL";
}

int bind_push_errno(lua_State *L, int negative_errno)
{
    lua_pushnil(L);
    lua_pushstring(L, bind_errno_name(negative_errno));
    return 2;
}

void bind_raise_free(lua_State *L, char *message)
{
    char text[512];

    g_strlcpy(text, message ? message : "not possible", sizeof text);
    g_free(message);
    luaerr_raise(L, "%s", text);
}

/* ---- addresses ---- */

void bind_push_ip4(lua_State *L, uint32_t addr)
{
    char buf[IPV4_ADDR_STR_LEN];

    lua_pushstring(L, ipv4_addr_format(addr, buf));
}

void bind_push_mac(lua_State *L, MacAddr mac)
{
    char buf[MAC_STR_LEN];

    lua_pushstring(L, mac_format(mac, buf));
}

void bind_push_endpoint(lua_State *L, uint32_t addr, uint16_t port)
{
    bind_push_ip4(L, addr);
    lua_pushinteger(L, port);
}

void bind_set_int(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

void bind_set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

void bind_set_flag(lua_State *L, const char *key, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

void bind_set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

void bind_set_time(lua_State *L, const char *key, SimTime t)
{
    bind_push_time(L, t);
    lua_setfield(L, -2, key);
}

void bind_set_ip4(lua_State *L, const char *key, uint32_t addr)
{
    bind_push_ip4(L, addr);
    lua_setfield(L, -2, key);
}

const char *bind_check_name(lua_State *L, int idx, const char *name)
{
    size_t len;

    if (lua_type(L, idx) != LUA_TSTRING || strlen(lua_tolstring(L, idx, &len)) != len)
        luaerr_arg(L, idx, name, NULL, "a string");
    return lua_tostring(L, idx);
}

MacAddr bind_check_mac(lua_State *L, int idx, const char *name)
{
    MacAddr mac;

    if (lua_type(L, idx) != LUA_TSTRING || !mac_parse(lua_tostring(L, idx), &mac))
        luaerr_arg(L, idx, name, NULL, "a MAC address such as \"02:00:00:00:00:01\"");
    return mac;
}

uint32_t bind_check_addr(lua_State *L, int idx, const char *name, const ScnHost *asker)
{
    uint32_t addr;
    const ScnHost *h = luaclass_test(L, idx, &bind_host_class);

    scenario_prepare(L);
    if (h) {
        addr = host_addr(h->host);
        if (addr == 0)
            luaerr_raise(L, "host \"%s\" has no address", h->node->name);
        return addr;
    }
    if (lua_type(L, idx) != LUA_TSTRING)
        luaerr_arg(L, idx, name, NULL, "an address such as \"10.0.0.1\", or the name of a host");
    const char *text = lua_tostring(L, idx);

    if (ipv4_addr_parse(text, &addr) ||
        net_resolve(scenario_of(L)->net, asker ? asker->host : NULL, text, &addr))
        return addr;
    luaerr_arg(L, idx, name, NULL, "an address such as \"10.0.0.1\", or the name of a host that has one");
}

Ipv4Prefix bind_check_prefix(lua_State *L, int idx, const char *name)
{
    Ipv4Prefix prefix;

    if (lua_type(L, idx) != LUA_TSTRING || !ipv4_prefix_parse(lua_tostring(L, idx), &prefix))
        luaerr_arg(L, idx, name, NULL, "an address with its prefix length, such as \"10.0.0.1/24\"");
    return prefix;
}

uint16_t bind_check_port(lua_State *L, int idx, const char *name)
{
    int is_int;
    lua_Integer port = lua_type(L, idx) == LUA_TNUMBER ? lua_tointegerx(L, idx, &is_int) : (is_int = 0);

    if (!is_int || port < 0 || port > 65535)
        luaerr_arg(L, idx, name, NULL, "a port from 0 to 65535");
    return (uint16_t)port;
}

bool bind_get_field(lua_State *L, int idx, const char *name)
{
    idx = lua_absindex(L, idx);
    lua_pushstring(L, name);
    if (lua_rawget(L, idx) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

_Noreturn void bind_raise_unknown(lua_State *L, const char *what, const char *name, const char *who,
                                  const char *const *known, size_t n)
{
    const char *close = suggest_closest(name, known, n);

    if (close)
        luaerr_raise(L, "unknown %s \"%s\" for %s (did you mean \"%s\"?)", what, name, who, close);
    luaerr_raise(L, "unknown %s \"%s\" for %s: there are %s", what, name, who,
                 luaerr_push_names(L, known, n));
}

_Noreturn void bind_raise_unknown_probe(lua_State *L, const char *who, const char *name)
{
    const char *names[256];
    size_t n = 0;

    for (const ProbeDesc *const *d = probe_table; *d && n < HS_ARRAY_LEN(names); d++)
        names[n++] = (*d)->name;
    bind_raise_unknown(L, "probe", name, who, names, n);
}
