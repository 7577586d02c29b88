/* Routes and neighbours of a host: host:route, host:arp and their kin, in the words of ip(8). */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/ether/arp.h"

static Ip4If *find_if(lua_State *L, ScnHost *h, const char *name)
{
    Ip4If *ifp = ip4_if_by_name(host_ip4(h->host), name);

    if (!ifp)
        luaerr_raise(L, "host \"%s\" has no interface \"%s\"", h->node->name, name);
    return ifp;
}

/* ---- routes ---- */

typedef struct RouteOpts {
    const char *to, *dev, *type;
    int via, src;
    int64_t metric;
    int64_t values[ROUTE_METRICS]; /* times in nanoseconds */
    const char *features, *congctl, *lock;
} RouteOpts;

#define METRIC(which, option, of_kind, lowest, highest)                                                      \
    {                                                                                                        \
        .name = option, .kind = of_kind, .offset = offsetof(RouteOpts, values) + (which) * sizeof(int64_t),  \
        .min = lowest, .max = highest                                                                        \
    }

static const LuaOpt route_opts[] = {
    {.name = "to", .kind = LUAOPT_STRING, .offset = offsetof(RouteOpts, to), .required = true},
    {.name = "via", .kind = LUAOPT_ANY, .offset = offsetof(RouteOpts, via)},
    {.name = "dev", .kind = LUAOPT_STRING, .offset = offsetof(RouteOpts, dev)},
    {.name = "src", .kind = LUAOPT_ANY, .offset = offsetof(RouteOpts, src)},
    {.name = "type", .kind = LUAOPT_STRING, .offset = offsetof(RouteOpts, type)},
    {.name = "metric",
     .kind = LUAOPT_INT,
     .offset = offsetof(RouteOpts, metric),
     .min = 0,
     .max = UINT32_MAX},
    METRIC(ROUTE_MTU, "mtu", LUAOPT_INT, 68, 65535),
    METRIC(ROUTE_ADVMSS, "advmss", LUAOPT_INT, 0, 65495),
    METRIC(ROUTE_INITCWND, "initcwnd", LUAOPT_INT, 0, UINT32_MAX),
    METRIC(ROUTE_INITRWND, "initrwnd", LUAOPT_INT, 0, UINT32_MAX),
    METRIC(ROUTE_CWND, "cwnd", LUAOPT_INT, 0, UINT32_MAX),
    METRIC(ROUTE_SSTHRESH, "ssthresh", LUAOPT_INT, 0, UINT32_MAX),
    METRIC(ROUTE_WINDOW, "window", LUAOPT_INT, 0, UINT32_MAX),
    METRIC(ROUTE_REORDERING, "reordering", LUAOPT_INT, 0, UINT32_MAX),
    METRIC(ROUTE_HOPLIMIT, "hoplimit", LUAOPT_INT, 0, 255),
    METRIC(ROUTE_QUICKACK, "quickack", LUAOPT_INT, 0, 1),
    METRIC(ROUTE_FASTOPEN_NO_COOKIE, "fastopen_no_cookie", LUAOPT_INT, 0, 1),
    METRIC(ROUTE_RTT_US, "rtt", LUAOPT_TIME, 0, 4294),
    METRIC(ROUTE_RTTVAR_US, "rttvar", LUAOPT_TIME, 0, 4294),
    METRIC(ROUTE_RTO_MIN_US, "rto_min", LUAOPT_TIME, 0, 4294),
    {.name = "features", .kind = LUAOPT_STRING, .offset = offsetof(RouteOpts, features)},
    {.name = "congctl", .kind = LUAOPT_STRING, .offset = offsetof(RouteOpts, congctl)},
    {.name = "lock", .kind = LUAOPT_STRING, .offset = offsetof(RouteOpts, lock)},
};
const BindOptions bind_route_options = {"host:route", route_opts, HS_ARRAY_LEN(route_opts)};

static const char *const type_names[] = {
    [IP4_ROUTE_UNICAST] = "unicast",     [IP4_ROUTE_LOCAL] = "local",
    [IP4_ROUTE_BROADCAST] = "broadcast", [IP4_ROUTE_MULTICAST] = "multicast",
    [IP4_ROUTE_BLACKHOLE] = "blackhole", [IP4_ROUTE_UNREACHABLE] = "unreachable",
    [IP4_ROUTE_PROHIBIT] = "prohibit",
};

static void parse_metric(lua_State *L, RouteMetrics *m, const char *name, const char *value)
{
    char *error = NULL;

    if (value && !route_metrics_parse(m, name, value, false, &error))
        bind_raise_free(L, error);
}

/* lock = "mtu cwnd": these are not to be changed by what is learnt. */
static void lock_metrics(lua_State *L, RouteMetrics *m, const char *names)
{
    const char *at = names;

    while (at && *at) {
        size_t n = strcspn(at, " ,");
        RouteMetric i = 0;

        while (i < ROUTE_METRICS &&
               (strncmp(route_metrics_name(i), at, n) != 0 || route_metrics_name(i)[n] != '\0'))
            i++;
        if (n == strlen("congctl") && strncmp(at, "congctl", n) == 0 && m->congctl[0])
            m->is_congctl_locked = true;
        else if (n && (i == ROUTE_METRICS || !route_metrics_has(m, i)))
            luaerr_raise(L,
                         "bad option \"lock\" for host:route: got \"%s\", expected names of options that "
                         "are given, such as \"mtu\"",
                         names);
        else if (n)
            m->lock |= 1u << i;
        at += n + (at[n] != '\0');
    }
}

static void read_metrics(lua_State *L, const RouteOpts *o, uint64_t given, RouteMetrics *m)
{
    for (size_t k = 0; k < HS_ARRAY_LEN(route_opts); k++) {
        for (RouteMetric i = 0; i < ROUTE_METRICS; i++) {
            bool is_time = route_opts[k].kind == LUAOPT_TIME;

            if (given >> k & 1 && i != ROUTE_FEATURES &&
                strcmp(route_opts[k].name, route_metrics_name(i)) == 0)
                route_metrics_set(m, i, (uint32_t)(is_time ? o->values[i] / SIM_US : o->values[i]), false);
        }
    }
    parse_metric(L, m, "features", o->features);
    parse_metric(L, m, "congctl", o->congctl);
    lock_metrics(L, m, o->lock);
}

static Ip4RouteSpec read_route(lua_State *L, ScnHost *h, RouteMetrics *metrics)
{
    RouteOpts o = {0};
    uint64_t given;
    Ip4RouteSpec spec = {.type = IP4_ROUTE_UNICAST};

    luaL_checktype(L, 2, LUA_TTABLE);
    given = luaopt_read(L, 2, "host:route", route_opts, HS_ARRAY_LEN(route_opts), 0, &o);
    if (g_str_equal(o.to, "default")) {
        spec.prefix = (Ipv4Prefix){0, 0};
    } else {
        lua_pushstring(L, o.to);
        if (strchr(o.to, '/'))
            spec.prefix = bind_check_prefix(L, -1, "to");
        else
            spec.prefix = (Ipv4Prefix){bind_check_addr(L, -1, "to", h), 32};
    }
    if (o.type) {
        size_t i = 0;

        while (i < HS_ARRAY_LEN(type_names) && !g_str_equal(type_names[i], o.type))
            i++;
        if (i == HS_ARRAY_LEN(type_names))
            luaerr_raise(L,
                         "bad option \"type\" for host:route: got \"%s\", expected unicast, blackhole, "
                         "unreachable or prohibit",
                         o.type);
        spec.type = (Ip4RouteType)i;
    }
    if (o.via)
        spec.via = bind_check_addr(L, o.via, "via", h);
    if (o.src)
        spec.src = bind_check_addr(L, o.src, "src", h);
    if (o.dev)
        spec.dev = find_if(L, h, o.dev);
    spec.metric = (uint32_t)o.metric;
    read_metrics(L, &o, given, metrics);
    spec.metrics = metrics;
    return spec;
}

static int do_route(lua_State *L, bool (*what)(Ip4 *ip, const Ip4RouteSpec *spec, char **error))
{
    ScnHost *h = bind_check_host(L, 1);
    RouteMetrics metrics = {0};
    char *error = NULL;

    scenario_may_change(L);
    Ip4RouteSpec spec = read_route(L, h, &metrics);

    scenario_prepare(L); /* the gateway's interface needs its address */
    if (!what(host_ip4(h->host), &spec, &error))
        bind_raise_free(L, error);
    lua_settop(L, 1);
    return 1;
}

int bind_host_route(lua_State *L)
{
    return do_route(L, ip4_route_add);
}

int bind_host_route_change(lua_State *L)
{
    return do_route(L, ip4_route_change);
}

int bind_host_route_replace(lua_State *L)
{
    return do_route(L, ip4_route_replace);
}

int bind_host_route_del(lua_State *L)
{
    return do_route(L, ip4_route_remove);
}

/* t.metrics = "mtu 1400 initcwnd 20", as `ip route` shows them */
static void set_metrics(lua_State *L, const RouteMetrics *m)
{
    char *text;

    if (route_metrics_is_empty(m))
        return;
    text = route_metrics_format(m);
    lua_pushstring(L, text);
    g_free(text);
    lua_setfield(L, -2, "metrics");
}

static void set_addr(lua_State *L, const char *key, uint32_t addr)
{
    if (addr == 0)
        return;
    bind_set_ip4(L, key, addr);
}

static void add_route(const Ip4RouteSpec *spec, void *user)
{
    lua_State *L = user;
    char buf[IPV4_PREFIX_STR_LEN];

    lua_createtable(L, 0, 6);
    bind_set_text(L, "to", spec->prefix.len == 0 ? "default" : ipv4_prefix_format(spec->prefix, buf));
    bind_set_text(L, "type", type_names[spec->type]);
    set_addr(L, "via", spec->via);
    set_addr(L, "src", spec->src);
    if (spec->dev)
        bind_set_text(L, "dev", ip4_if_dev(spec->dev)->name);
    bind_set_int(L, "metric", spec->metric);
    set_metrics(L, spec->metrics);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

int bind_host_routes(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_prepare(L);
    lua_createtable(L, 8, 0);
    ip4_route_foreach(host_ip4(h->host), add_route, L);
    return 1;
}

int bind_host_route_get(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    uint32_t dst = bind_check_addr(L, 2, "destination", h);
    Ip4Flow flow = {0};
    int rc = ip4_route_get(host_ip4(h->host), dst, 0, NULL, &flow);

    if (rc < 0)
        return bind_push_errno(L, rc);
    lua_createtable(L, 0, 5);
    bind_set_text(L, "type", type_names[flow.type]);
    if (flow.dev)
        bind_set_text(L, "dev", ip4_if_dev(flow.dev)->name);
    if (flow.next_hop != dst)
        set_addr(L, "via", flow.next_hop);
    set_addr(L, "src", flow.src);
    bind_set_int(L, "mtu", flow.mtu);
    set_metrics(L, flow.metrics);
    return 1;
}

/* ---- neighbours ---- */

typedef struct ArpList {
    lua_State *L;
    const NetDev *dev;
    uint32_t only; /* 0: all */
} ArpList;

static void push_neigh(lua_State *L, Neigh *n, const NetDev *dev)
{
    NeighState state = neigh_state(n);

    lua_createtable(L, 0, 4);
    set_addr(L, "address", n->key.ip4);
    if (state != NEIGH_INCOMPLETE && state != NEIGH_FAILED && state != NEIGH_NONE) {
        bind_push_mac(L, n->mac);
        lua_setfield(L, -2, "mac");
    }
    bind_set_text(L, "state", neigh_state_name(state));
    bind_set_text(L, "dev", dev->name);
}

static void add_neigh(Neigh *n, void *user)
{
    const ArpList *list = user;
    lua_State *L = list->L;

    push_neigh(L, n, list->dev);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* host:arp() lists, host:arp("10.0.0.2") gives one entry or nil. */
int bind_host_arp(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Ip4 *ip = host_ip4(h->host);
    bool is_one = !lua_isnoneornil(L, 2);
    uint32_t addr = is_one ? bind_check_addr(L, 2, "address", h) : 0;

    if (!is_one)
        lua_createtable(L, 4, 0);
    for (unsigned i = 0; i < ip4_if_count(ip); i++) {
        Ip4If *ifp = ip4_if(ip, i);
        NetDev *dev = ip4_if_dev(ifp);
        ArpList list = {L, dev, addr};

        if (dev->flags & (NETDEV_LOOPBACK | NETDEV_NOARP))
            continue;
        if (!is_one) {
            neightable_foreach(ip4_if_neighbours(ifp), add_neigh, &list);
            continue;
        }
        Neigh *n = neigh_lookup(ip4_if_neighbours(ifp), &addr);

        if (n) {
            push_neigh(L, n, dev);
            return 1;
        }
    }
    if (is_one)
        lua_pushnil(L);
    return 1;
}

/* The interface on whose subnet the address is. */
static Ip4If *if_for(lua_State *L, ScnHost *h, uint32_t addr, int dev_idx)
{
    Ip4Flow flow = {0};

    scenario_prepare(L);
    if (!lua_isnoneornil(L, dev_idx))
        return find_if(L, h, bind_check_name(L, dev_idx, "interface"));
    if (ip4_route_get(host_ip4(h->host), addr, 0, NULL, &flow) < 0 || !flow.dev || flow.next_hop != addr)
        luaerr_raise(L, "no interface of \"%s\" is on the subnet of that address: name the interface",
                     h->node->name);
    return flow.dev;
}

static NeighState check_state(lua_State *L, int idx)
{
    const char *name = lua_isnoneornil(L, idx) ? "PERMANENT" : bind_check_name(L, idx, "state");

    for (NeighState state = NEIGH_NONE; state < NEIGH_STATES; state++)
        if (g_ascii_strcasecmp(name, neigh_state_name(state)) == 0)
            return state;
    luaerr_arg(L, idx, "state", NULL, "PERMANENT, REACHABLE, STALE, NOARP, …");
}

/* host:arp_set(address, mac [, state [, interface]]) */
int bind_host_arp_set(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_may_change(L);
    uint32_t addr = bind_check_addr(L, 2, "address", h);
    MacAddr mac = bind_check_mac(L, 3, "mac");
    NeighState state = check_state(L, 4);
    Ip4If *ifp = if_for(L, h, addr, 5);
    Neigh *n = neigh_get(ip4_if_neighbours(ifp), &addr);

    if (!n)
        return bind_push_errno(L, -ENOBUFS);
    neigh_update(n, &mac, state, NEIGH_UPDATE_OVERRIDE | NEIGH_UPDATE_ADMIN);
    lua_settop(L, 1);
    return 1;
}

int bind_host_arp_del(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_may_change(L);
    uint32_t addr = bind_check_addr(L, 2, "address", h);
    Ip4If *ifp = if_for(L, h, addr, 3);
    Neigh *n = neigh_lookup(ip4_if_neighbours(ifp), &addr);

    if (n)
        neigh_remove(n);
    lua_pushboolean(L, n != NULL);
    return 1;
}

static Arp *arp_of(lua_State *L, Ip4If *ifp)
{
    if (ip4_if_dev(ifp)->flags & (NETDEV_LOOPBACK | NETDEV_NOARP))
        luaerr_raise(L, "interface \"%s\" does without ARP", ip4_if_dev(ifp)->name);
    return (Arp *)ip4_if_neighbours(ifp); /* an Arp begins with its table */
}

/* ---- is an address free? ---- */

/* Lua owns it; the registry holds it until the answer is there, whoever still waits. */
typedef struct Claim {
    Scenario *s;
    Proc *p; /* waits; NULL: nobody */
    bool is_done, is_free;
    MacAddr other;
    int self_ref;
} Claim;

static void release_claim(void *ptr)
{
    g_free(ptr);
}

static const LuaClass claim_class = {.name = "claim", .release = release_claim};

static void on_claimed(void *user, uint32_t addr, bool is_free, MacAddr other)
{
    Claim *c = user;

    (void)addr;
    c->is_done = true;
    c->is_free = is_free;
    c->other = other;
    if (c->p)
        proc_wake(c->p);
    else
        luaL_unref(c->s->L, LUA_REGISTRYINDEX, c->self_ref);
}

static bool claim_ready(void *data)
{
    return ((const Claim *)data)->is_done;
}

static int claim_push(lua_State *L, void *data)
{
    const Claim *c = data;

    lua_pushboolean(L, c->is_free);
    if (c->is_free)
        return 1;
    bind_push_mac(L, c->other);
    return 2;
}

static void claim_left(void *data)
{
    Claim *c = data;

    c->p = NULL;
    if (c->is_done)
        luaL_unref(c->s->L, LUA_REGISTRYINDEX, c->self_ref);
}

/* host:arp_claim(address, [interface]): true, or false and who has it */
int bind_host_arp_claim(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    uint32_t addr;

    scenario_may_change(L);
    if (lua_type(L, 2) != LUA_TSTRING || !ipv4_addr_parse(lua_tostring(L, 2), &addr))
        luaerr_arg(L, 2, "address", NULL, "an address such as \"10.0.0.1\"");
    scenario_prepare(L);
    Arp *arp = arp_of(L, find_if(L, h, lua_isnoneornil(L, 3) ? "eth0" : bind_check_name(L, 3, "interface")));
    Proc *p = proc_current(L);

    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    Claim *c = g_new0(Claim, 1);

    c->s = h->s;
    c->p = p;
    luaclass_push_owned(L, &claim_class, c);
    c->self_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    arp_claim(arp, addr, on_claimed, c);
    return proc_block(L, p, -1, &(ProcWait){claim_ready, claim_push, claim_left, c});
}

/* host:arp_announce([interface]) */
int bind_host_arp_announce(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_may_change(L);
    scenario_prepare(L);
    Ip4If *ifp = find_if(L, h, lua_isnoneornil(L, 2) ? "eth0" : bind_check_name(L, 2, "interface"));

    if (ip4_primary_addr(ifp) == 0)
        luaerr_raise(L, "interface \"%s\" has no address to announce", ip4_if_dev(ifp)->name);
    arp_announce(arp_of(L, ifp), ip4_primary_addr(ifp));
    lua_settop(L, 1);
    return 1;
}
