/* A host or router as a scenario sees it. */
#include "lua/bind/bind.h"
#include "models/cc/cc.h"
#include "models/tcp/tcp_life.h"

static int host_method_addr(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    uint32_t addr = 0;

    scenario_prepare(L);
    if (lua_isnoneornil(L, 2)) {
        addr = host_addr(h->host);
    } else {
        const char *name = bind_check_name(L, 2, "interface");
        const Ip4If *ifp = ip4_if_by_name(host_ip4(h->host), name);

        if (!ifp)
            luaerr_arg(L, 2, "interface", NULL, "the name of an interface of this host, such as \"eth0\"");
        addr = ip4_primary_addr(ifp);
    }
    if (addr == 0)
        lua_pushnil(L);
    else
        bind_push_ip4(L, addr);
    return 1;
}

static Ip4If *check_if(lua_State *L, int idx, ScnHost *h)
{
    const char *name = bind_check_name(L, idx, "interface");
    Ip4If *ifp = ip4_if_by_name(host_ip4(h->host), name);

    if (!ifp)
        luaerr_arg(L, idx, "interface", NULL, "the name of an interface of this host, such as \"eth0\"");
    return ifp;
}

static int host_method_address(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    char *error = NULL;

    scenario_may_change(L);
    Ip4If *ifp = check_if(L, 2, h);
    Ipv4Prefix prefix = bind_check_prefix(L, 3, "address");

    if (!ip4_addr_add(host_ip4(h->host), ifp, prefix, &error))
        bind_raise_free(L, error);
    h->s->is_dirty = true;
    lua_settop(L, 1);
    return 1;
}

static int host_method_remove_address(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_may_change(L);
    Ip4If *ifp = check_if(L, 2, h);
    Ipv4Prefix prefix = bind_check_prefix(L, 3, "address");

    if (!ip4_addr_remove(host_ip4(h->host), ifp, prefix))
        luaerr_arg(L, 3, "address", NULL, "an address that the interface has");
    h->s->is_dirty = true;
    lua_settop(L, 1);
    return 1;
}

static int host_method_addresses(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Ip4 *ip = host_ip4(h->host);
    char buf[IPV4_PREFIX_STR_LEN];
    int n = 0;

    scenario_prepare(L);
    lua_createtable(L, 2, 0);
    for (unsigned i = 0; i < ip4_if_count(ip); i++) {
        const Ip4If *ifp = ip4_if(ip, i);

        if (ip4_if_dev(ifp)->flags & NETDEV_LOOPBACK)
            continue;
        for (unsigned k = 0; k < ip4_addr_count(ifp); k++) {
            lua_createtable(L, 0, 2);
            bind_set_text(L, "dev", ip4_if_dev(ifp)->name);
            bind_set_text(L, "address", ipv4_prefix_format(ip4_addr(ifp, k), buf));
            lua_rawseti(L, -2, ++n);
        }
    }
    return 1;
}

/* ---- counters and settings ---- */

static int host_method_counter(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    const char *name = bind_check_name(L, 2, "counter");
    uint64_t value = 0;

    if (!host_counter(h->host, name, &value)) {
        scenario_push_private(L, "unknown_counter");
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_call(L, 2, 0);
        luaerr_arg(L, 2, "counter", NULL, "a name that netstat -s knows, such as \"UdpNoPorts\"");
    }
    lua_pushinteger(L, (lua_Integer)value);
    return 1;
}

static void add_counter(const char *name, uint64_t value, void *user)
{
    lua_State *L = user;

    bind_set_int(L, name, value);
}

static int host_method_counters(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    lua_createtable(L, 0, 96);
    host_foreach_counter(h->host, add_counter, L);
    return 1;
}

static void add_counter_line(const char *name, uint64_t value, void *user)
{
    luaL_Buffer *b = user;
    char line[96];

    if (value == 0)
        return;
    g_snprintf(line, sizeof line, "%-32s%" G_GUINT64_FORMAT "\n", name, value);
    luaL_addstring(b, line);
}

static int host_method_netstat(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    host_foreach_counter(h->host, add_counter_line, &b);
    luaL_pushresult(&b);
    return 1;
}

/* A number comes back as a number. */
static void push_sysctl(lua_State *L, char *value)
{
    lua_pushstring(L, value);
    g_free(value);
    if (lua_stringtonumber(L, lua_tostring(L, -1)))
        lua_remove(L, -2);
}

static int host_method_sysctl(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    const char *name = bind_check_name(L, 2, "sysctl");
    char *error = NULL, *value = NULL;

    if (lua_isnoneornil(L, 3)) {
        if (!host_sysctl_get(h->host, name, &value, &error))
            bind_raise_free(L, error);
        push_sysctl(L, value);
        return 1;
    }
    scenario_may_change(L);
    const char *text = lua_isboolean(L, 3) ? (lua_toboolean(L, 3) ? "1" : "0") : NULL;

    if (!text && lua_type(L, 3) != LUA_TSTRING && lua_type(L, 3) != LUA_TNUMBER)
        luaerr_arg(L, 3, "value", NULL, "a number, a string, true or false");
    if (!text)
        text = lua_tostring(L, 3);
    if (!host_sysctl_set(h->host, name, text, &error))
        bind_raise_free(L, error);
    lua_settop(L, 1);
    return 1;
}

/* What Linux has as /sys/module/tcp_cubic/parameters/hystart, but each host has its own. */
static int host_method_cc_param(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    const char *controller = bind_check_name(L, 2, "congestion control");
    const char *name = bind_check_name(L, 3, "parameter");
    const CcOps *ops = cc_ops_by_name(controller);
    const Scenario *s = scenario_of(L);
    CcParams *params;
    char *error = NULL;
    int32_t now;

    if (!ops)
        luaerr_arg(L, 2, "congestion control", NULL, "one that is built in, such as \"cubic\"");
    params = tcp_cc_params(host_tcp(h->host), ops, true);
    if (lua_isnoneornil(L, 4)) {
        if (!cc_params_get(params, name, &now)) {
            cc_params_set(params, name, 0, &error); /* says what the name should have been */
            bind_raise_free(L, error);
        }
        lua_pushinteger(L, now);
        return 1;
    }
    scenario_may_change(L);
    int64_t value = lua_isboolean(L, 4) ? lua_toboolean(L, 4) : luaL_checkinteger(L, 4);

    /* what is set before time passes is what the module is loaded with */
    if (s->is_running || sim_now(s->sim) > 0 ? !cc_params_write(params, name, value, &error)
                                             : !cc_params_set(params, name, value, &error))
        bind_raise_free(L, error);
    lua_settop(L, 1);
    return 1;
}

/* ---- parts ---- */

static int host_method_dev(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    const char *name = lua_isnoneornil(L, 2) ? "eth0" : bind_check_name(L, 2, "interface");
    NetDev *dev = host_dev(h->host, name);

    if (!dev)
        luaerr_arg(L, 2, "interface", NULL, "the name of an interface of this host, such as \"eth0\"");
    bind_push_dev(L, dev);
    return 1;
}

static int host_method_devs(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    unsigned n = host_dev_count(h->host);

    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        bind_push_dev(L, host_dev_at(h->host, i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- power ---- */

static void on_power(void *user, bool on)
{
    ScnHost *h = user;

    if (on)
        return;
    proc_kill_host(h);
    bind_calls_stop_host(h);
    bind_sock_close_host(h);
    bind_tcp_close_host(h);
    bind_app_stop_host(h);
}

void bind_host_hear_power(ScnHost *h)
{
    if (!h->hears_power)
        host_on_power(h->host, on_power, h);
    h->hears_power = true;
}

static int host_method_power(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    if (lua_isnoneornil(L, 2)) {
        lua_pushboolean(L, host_is_on(h->host));
        return 1;
    }
    if (!lua_isboolean(L, 2))
        luaerr_arg(L, 2, "power", NULL, "true or false");
    scenario_may_change(L);
    bind_host_hear_power(h);
    host_set_power(h->host, lua_toboolean(L, 2));
    return 0;
}

/* ---- processes ---- */

static int host_method_spawn(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    int nargs = lua_gettop(L) - 2;

    scenario_may_change(L);
    if (lua_type(L, 2) != LUA_TFUNCTION)
        luaerr_arg(L, 2, "process", NULL, "a function");
    if (!host_is_on(h->host))
        luaerr_raise(L, "host \"%s\" is switched off", h->node->name);
    if (h->os_ref == LUA_NOREF) {
        scenario_push_private(L, "make_os");
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        h->os_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->os_ref);
    lua_insert(L, 3);
    bind_host_hear_power(h);
    Proc *p = proc_new(L, nargs + 1, h->s, h);

    proc_start(p);
    luaclass_push(L, &bind_proc_class, p);
    return 1;
}

static int host_method_log(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    bind_log_args(L, 2, h->node);
    return 0;
}

static int host_get_name(lua_State *L)
{
    lua_pushstring(L, bind_check_host(L, 1)->node->name);
    return 1;
}

static int host_get_is_router(lua_State *L)
{
    lua_pushboolean(L, host_is_router(bind_check_host(L, 1)->host));
    return 1;
}

static char *describe(const void *ptr)
{
    return g_strdup(((const ScnHost *)ptr)->node->name);
}

static const luaL_Reg methods[] = {{"addr", host_method_addr},
                                   {"address", host_method_address},
                                   {"addresses", host_method_addresses},
                                   {"arp", bind_host_arp},
                                   {"arp_announce", bind_host_arp_announce},
                                   {"arp_claim", bind_host_arp_claim},
                                   {"arp_del", bind_host_arp_del},
                                   {"arp_set", bind_host_arp_set},
                                   {"cc_param", host_method_cc_param},
                                   {"counter", host_method_counter},
                                   {"counters", host_method_counters},
                                   {"dev", host_method_dev},
                                   {"devs", host_method_devs},
                                   {"epoll", bind_epoll_new},
                                   {"forge", bind_host_forge},
                                   {"fork", bind_host_fork},
                                   {"log", host_method_log},
                                   {"mtr", bind_host_mtr},
                                   {"netstat", host_method_netstat},
                                   {"ping", bind_host_ping},
                                   {"power", host_method_power},
                                   {"rarp", bind_host_rarp},
                                   {"rarp_server", bind_host_rarp_server},
                                   {"raw", bind_raw_new},
                                   {"remove_address", host_method_remove_address},
                                   {"route", bind_host_route},
                                   {"route_change", bind_host_route_change},
                                   {"route_del", bind_host_route_del},
                                   {"route_get", bind_host_route_get},
                                   {"route_replace", bind_host_route_replace},
                                   {"routes", bind_host_routes},
                                   {"sockets", bind_host_sockets},
                                   {"spawn", host_method_spawn},
                                   {"sysctl", host_method_sysctl},
                                   {"sockstat", bind_host_sockstat},
                                   {"tcp", bind_tcp_new},
                                   {"tcp_sink", bind_host_tcp_sink},
                                   {"tcp_source", bind_host_tcp_source},
                                   {"tftp_get", bind_host_tftp_get},
                                   {"tftp_server", bind_host_tftp_server},
                                   {"traceroute", bind_host_traceroute},
                                   {"udp", bind_sock_new},
                                   {"udp_echo", bind_host_udp_echo},
                                   {"udp_sink", bind_host_udp_sink},
                                   {"udp_source", bind_host_udp_source},
                                   {"ulimit", bind_host_ulimit},
                                   {NULL, NULL}};
static const luaL_Reg properties[] = {
    {"is_router", host_get_is_router}, {"name", host_get_name}, {NULL, NULL}};

const LuaClass bind_host_class = {
    .name = "host", .methods = methods, .properties = properties, .describe = describe};
