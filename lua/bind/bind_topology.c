/* Building the network: hs.host, hs.router, hs.switch, hs.hub, hs.subnets. */
#include "lua/bind/bind.h"

/* ---- names ---- */

ScnHost *bind_host_of(Scenario *s, Host *host)
{
    ScnHost *h = g_hash_table_lookup(s->host_by_ptr, host);

    if (!h) {
        h = g_new0(ScnHost, 1);
        *h = (ScnHost){.s = s, .host = host, .node = host_node(host), .os_ref = LUA_NOREF};
        g_ptr_array_add(s->hosts, h);
        g_hash_table_insert(s->host_by_ptr, host, h);
    }
    return h;
}

void bind_push_host(lua_State *L, ScnHost *h)
{
    luaclass_push(L, &bind_host_class, h);
}

ScnHost *bind_check_host(lua_State *L, int idx)
{
    return luaclass_check(L, idx, &bind_host_class);
}

void bind_push_node(lua_State *L, Node *node)
{
    Scenario *s = scenario_of(L);

    if (host_of_node(node))
        bind_push_host(L, bind_host_of(s, host_of_node(node)));
    else if (node->kind == NET_SWITCH)
        luaclass_push(L, &bind_switch_class, switch_of_node(node));
    else
        luaclass_push(L, &bind_hub_class, node);
}

Node *bind_check_node(lua_State *L, int idx, const char *name)
{
    const ScnHost *h = luaclass_test(L, idx, &bind_host_class);
    Switch *sw = luaclass_test(L, idx, &bind_switch_class);
    Node *node = luaclass_test(L, idx, &bind_hub_class);

    if (h)
        return h->node;
    if (sw)
        return &sw->node;
    if (node)
        return node;
    if (lua_type(L, idx) == LUA_TSTRING) {
        node = sim_node_by_name(scenario_of(L)->sim, lua_tostring(L, idx));
        if (node && node->kind >= NET_HOST && node->kind <= NET_HUB)
            return node;
    }
    luaerr_arg(L, idx, name, NULL, "a host, router, switch or hub, or the name of one");
}

static Scenario *may_build(lua_State *L)
{
    Scenario *s = scenario_of(L);

    scenario_may_change(L);
    s->is_dirty = true;
    return s;
}

/* ---- hosts ---- */

typedef struct HostOpts {
    int sysctl;
} HostOpts;

static const LuaOpt host_opts[] = {
    {.name = "sysctl", .kind = LUAOPT_TABLE, .offset = offsetof(HostOpts, sysctl)},
};
const BindOptions bind_host_options = {"hs.host", host_opts, HS_ARRAY_LEN(host_opts)};

static int new_host(lua_State *L, const char *who, Host *(*make)(Net *, const char *, char **))
{
    const char *name = bind_check_name(L, 1, "name");
    HostOpts o = {0};
    char *error = NULL;

    luaopt_read(L, 2, who, host_opts, HS_ARRAY_LEN(host_opts), 0, &o);
    Scenario *s = may_build(L);
    Host *host = make(s->net, name, &error);

    if (!host)
        bind_raise_free(L, error);
    bind_push_host(L, bind_host_of(s, host));
    if (o.sysctl) {
        scenario_push_private(L, "set_sysctls");
        lua_pushvalue(L, -2);
        lua_pushvalue(L, o.sysctl);
        lua_call(L, 2, 0);
    }
    return 1;
}

static int hs_host(lua_State *L)
{
    return new_host(L, "hs.host", net_host);
}

static int hs_router(lua_State *L)
{
    return new_host(L, "hs.router", net_router);
}

/* ---- hubs ---- */

typedef struct HubOpts {
    uint64_t rate;
    SimTime delay;
    uint64_t mtu;
    int64_t queue, attempts;
} HubOpts;

static const LuaOpt hub_opts[] = {
    {.name = "rate", .kind = LUAOPT_RATE, .offset = offsetof(HubOpts, rate), .min = 1, .max = 1e12},
    {.name = "delay", .kind = LUAOPT_TIME, .offset = offsetof(HubOpts, delay)},
    {.name = "mtu", .kind = LUAOPT_SIZE, .offset = offsetof(HubOpts, mtu), .min = 68, .max = 65535},
    {.name = "queue", .kind = LUAOPT_INT, .offset = offsetof(HubOpts, queue), .min = 1, .max = 1e6},
    {.name = "attempts", .kind = LUAOPT_INT, .offset = offsetof(HubOpts, attempts), .min = 1, .max = 1000},
};
const BindOptions bind_hub_options = {"hs.hub", hub_opts, HS_ARRAY_LEN(hub_opts)};

static int hs_hub(lua_State *L)
{
    const char *name = bind_check_name(L, 1, "name");
    SegmentConfig c;
    HubOpts o;
    char *error = NULL;

    segmentconfig_init(&c);
    o = (HubOpts){c.rate_bps, c.delay, c.mtu, c.queue_packets, c.attempts};
    luaopt_read(L, 2, "hs.hub", hub_opts, HS_ARRAY_LEN(hub_opts), 0, &o);
    c = (SegmentConfig){o.rate, o.delay, (uint32_t)o.mtu, (uint32_t)o.queue, (unsigned)o.attempts};
    Scenario *s = may_build(L);
    Node *hub = net_hub(s->net, name, &c, &error);

    if (!hub)
        bind_raise_free(L, error);
    luaclass_push(L, &bind_hub_class, hub);
    return 1;
}

static int hub_name(lua_State *L)
{
    const Node *hub = luaclass_check(L, 1, &bind_hub_class);

    lua_pushstring(L, hub->name);
    return 1;
}

/* Of the segment, or of the station at that node. */
static int hub_stats(lua_State *L)
{
    Node *hub = luaclass_check(L, 1, &bind_hub_class);
    const Scenario *s = scenario_of(L);
    const Segment *segment = net_segment_of(s->net, hub);
    const SegmentStats *st = segment_stats(segment);
    const SegmentPortStats *ps = NULL;

    if (lua_isnoneornil(L, 2)) {
        lua_createtable(L, 0, 4);
        bind_set_int(L, "delivered_frames", st->delivered_frames);
        bind_set_int(L, "delivered_bytes", st->delivered_bytes);
        bind_set_int(L, "collisions", st->collisions);
        bind_set_time(L, "busy", st->busy);
        return 1;
    }
    const Node *node = bind_check_node(L, 2, "station");

    for (unsigned i = 0; i < net_link_count(s->net) && !ps; i++)
        for (unsigned end = 0; end < 2; end++)
            if (netlink_node(net_link_at(s->net, i), end) == node)
                ps = ps ? ps : segment_port_stats(segment, netlink_port(net_link_at(s->net, i), end));
    if (!ps)
        luaerr_arg(L, 2, "station", NULL, "a node that is plugged in at this hub");
    lua_createtable(L, 0, 8);
    bind_set_int(L, "tx_frames", ps->tx_frames);
    bind_set_int(L, "tx_bytes", ps->tx_bytes);
    bind_set_int(L, "collisions", ps->collisions);
    bind_set_int(L, "single", ps->single);
    bind_set_int(L, "multiple", ps->multiple);
    bind_set_int(L, "deferred", ps->deferred);
    bind_set_int(L, "excessive_collisions", ps->excessive_collisions);
    bind_set_int(L, "queue_drops", ps->queue_drops);
    return 1;
}

static char *describe_node(const void *ptr)
{
    return g_strdup(((const Node *)ptr)->name);
}

static const luaL_Reg hub_methods[] = {{"stats", hub_stats}, {NULL, NULL}};
static const luaL_Reg hub_properties[] = {{"name", hub_name}, {NULL, NULL}};
const LuaClass bind_hub_class = {
    .name = "hub", .methods = hub_methods, .properties = hub_properties, .describe = describe_node};

/* ---- the network as a whole ---- */

static int hs_auto_routes(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    net_set_auto_routes(may_build(L)->net, lua_toboolean(L, 1));
    return 0;
}

static int hs_auto_addresses(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    net_set_auto_addresses(may_build(L)->net, lua_toboolean(L, 1));
    return 0;
}

static int hs_prepare(lua_State *L)
{
    scenario_prepare(L);
    return 0;
}

static int hs_node(lua_State *L)
{
    bind_check_name(L, 1, "name");
    bind_push_node(L, bind_check_node(L, 1, "name"));
    return 1;
}

static int hs_resolve(lua_State *L)
{
    bind_push_ip4(L, bind_check_addr(L, 1, "name", NULL));
    return 1;
}

void bind_topology_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"auto_addresses", hs_auto_addresses},
                                         {"auto_routes", hs_auto_routes},
                                         {"host", hs_host},
                                         {"hub", hs_hub},
                                         {"node", hs_node},
                                         {"prepare", hs_prepare},
                                         {"resolve", hs_resolve},
                                         {"router", hs_router},
                                         {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
    bind_switch_open(L);
}
