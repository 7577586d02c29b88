/* hs.switch, and a switch as a scenario sees it. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/ether/rstp.h"
#include "models/ether/switch_vlan.h"

/* ---- settings ---- */

typedef struct SwitchOpts {
    int stp;
    SimTime ageing, delay, hello, max_age, forward_delay;
    int64_t table_size, priority;
} SwitchOpts;

static const LuaOpt switch_opts[] = {
    {.name = "stp", .kind = LUAOPT_ANY, .offset = offsetof(SwitchOpts, stp)},
    {.name = "ageing", .kind = LUAOPT_TIME, .offset = offsetof(SwitchOpts, ageing)},
    {.name = "table_size",
     .kind = LUAOPT_INT,
     .offset = offsetof(SwitchOpts, table_size),
     .min = 0,
     .max = 1 << 24},
    {.name = "delay", .kind = LUAOPT_TIME, .offset = offsetof(SwitchOpts, delay)},
    {.name = "priority",
     .kind = LUAOPT_INT,
     .offset = offsetof(SwitchOpts, priority),
     .min = 0,
     .max = 61440},
    {.name = "hello", .kind = LUAOPT_TIME, .offset = offsetof(SwitchOpts, hello)},
    {.name = "max_age", .kind = LUAOPT_TIME, .offset = offsetof(SwitchOpts, max_age)},
    {.name = "forward_delay", .kind = LUAOPT_TIME, .offset = offsetof(SwitchOpts, forward_delay)},
};
const BindOptions bind_switch_options = {"hs.switch", switch_opts, HS_ARRAY_LEN(switch_opts)};
enum {
    SET_STP,
    SET_AGEING,
    SET_TABLE_SIZE,
    SET_DELAY,
    SET_PRIORITY,
    SET_HELLO,
    SET_MAX_AGE,
    SET_FORWARD_DELAY
};

static SwitchStp stp_mode(lua_State *L, int idx)
{
    if (lua_isboolean(L, idx))
        return lua_toboolean(L, idx) ? SWITCH_STP_RSTP : SWITCH_STP_OFF;
    if (lua_type(L, idx) == LUA_TSTRING && strcmp(lua_tostring(L, idx), "rstp") == 0)
        return SWITCH_STP_RSTP;
    if (lua_type(L, idx) == LUA_TSTRING && strcmp(lua_tostring(L, idx), "legacy") == 0)
        return SWITCH_STP_LEGACY;
    luaerr_raise(L, "bad option \"stp\" for hs.switch: got %s, expected true, false, \"rstp\" or \"legacy\"",
                 luaerr_describe(L, idx));
}

static void read_settings(lua_State *L, int idx, SwitchOpts *o, uint64_t *set, SwitchStp *stp)
{
    *o = (SwitchOpts){.hello = 2 * SIM_SEC, .max_age = 20 * SIM_SEC, .forward_delay = 15 * SIM_SEC};
    *set = luaopt_read(L, idx, "hs.switch", switch_opts, HS_ARRAY_LEN(switch_opts), 0, o);
    *stp = o->stp ? stp_mode(L, o->stp) : SWITCH_STP_OFF;
}

static void apply(lua_State *L, Switch *sw, const SwitchOpts *o, uint64_t set, SwitchStp stp)
{
    uint64_t times =
        set & (UINT64_C(1) << SET_HELLO | UINT64_C(1) << SET_MAX_AGE | UINT64_C(1) << SET_FORWARD_DELAY);

    if (set >> SET_STP & 1)
        switch_set_stp(sw, stp);
    if (set >> SET_AGEING & 1)
        switch_set_age(sw, o->ageing);
    if (set >> SET_TABLE_SIZE & 1)
        switch_table_set_limit(&sw->table, (uint32_t)o->table_size);
    if (set >> SET_DELAY & 1)
        switch_set_delay(sw, o->delay);
    if ((set >> SET_PRIORITY & 1 || times) && !sw->stp)
        luaerr_raise(
            L,
            "\"priority\", \"hello\", \"max_age\" and \"forward_delay\" are settings of the spanning tree, "
            "which is off (stp = true)");
    if (set >> SET_PRIORITY & 1 && !rstp_set_priority(sw->stp, (unsigned)o->priority))
        luaerr_raise(L,
                     "bad option \"priority\" for hs.switch: got %d, expected a multiple of 4096 up to 61440",
                     (int)o->priority);
    if (times && !rstp_set_times(sw->stp, o->hello, o->max_age, o->forward_delay))
        luaerr_raise(L, "bad times for hs.switch: expected hello from 1 s to 2 s, max_age from 6 s to 40 s, "
                        "forward_delay "
                        "from 4 s to 30 s, and 2 (forward_delay - 1 s) >= max_age >= 2 (hello + 1 s)");
}

static int hs_switch(lua_State *L)
{
    const char *name = bind_check_name(L, 1, "name");
    char *error = NULL;
    Scenario *s = scenario_of(L);
    SwitchOpts o;
    SwitchStp stp;
    uint64_t set;

    scenario_may_change(L);
    read_settings(L, 2, &o, &set, &stp);
    Switch *sw = net_switch(s->net, name, &error);

    if (!sw)
        bind_raise_free(L, error);
    s->is_dirty = true;
    apply(L, sw, &o, set, stp);
    luaclass_push(L, &bind_switch_class, sw);
    return 1;
}

static Switch *check(lua_State *L)
{
    return luaclass_check(L, 1, &bind_switch_class);
}

static int switch_set(lua_State *L)
{
    Switch *sw = check(L);
    SwitchOpts o;
    SwitchStp stp;
    uint64_t set;

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    read_settings(L, 2, &o, &set, &stp);
    apply(L, sw, &o, set, stp);
    lua_settop(L, 1);
    return 1;
}

/* ---- the table ---- */

typedef struct MacList {
    lua_State *L;
    Switch *sw;
} MacList;

static void add_mac(void *user, const SwitchEntry *e)
{
    const MacList *list = user;
    lua_State *L = list->L;

    lua_createtable(L, 0, 5);
    bind_push_mac(L, mac_from_u64(e->key & 0xffffffffffff));
    lua_setfield(L, -2, "mac");
    bind_set_int(L, "vlan", e->key >> 48);
    bind_set_text(L, "port", list->sw->ports[e->port]->name);
    bind_set_flag(L, "static", e->is_static);
    bind_set_time(L, "age", node_now(&list->sw->node) - e->seen);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int switch_macs(lua_State *L)
{
    MacList list = {L, check(L)};

    lua_createtable(L, 8, 0);
    switch_foreach(list.sw, add_mac, &list);
    return 1;
}

static uint16_t opt_vid(lua_State *L, int idx)
{
    lua_Integer vid = luaL_optinteger(L, idx, 0);

    if (vid < 0 || vid > 4094)
        luaerr_arg(L, idx, "vlan", NULL, "a VLAN from 1 to 4094");
    return (uint16_t)vid;
}

/* The port at idx: its number from 1, its name, or the node at the other end of its cable. */
static SwitchPort *check_port(lua_State *L, int idx, Switch *sw)
{
    const Scenario *s = scenario_of(L);

    if (lua_isinteger(L, idx)) {
        lua_Integer n = lua_tointeger(L, idx);

        if (n >= 1 && n <= (lua_Integer)sw->n_ports)
            return sw->ports[n - 1];
    } else if (lua_type(L, idx) == LUA_TSTRING) {
        for (unsigned i = 0; i < sw->n_ports; i++)
            if (strcmp(sw->ports[i]->name, lua_tostring(L, idx)) == 0)
                return sw->ports[i];
    }
    const Node *node = lua_isinteger(L, idx) ? NULL : bind_check_node(L, idx, "port");

    for (unsigned i = 0; node && i < net_link_count(s->net); i++) {
        NetLink *link = net_link_at(s->net, i);

        for (unsigned end = 0; end < 2; end++)
            if (netlink_node(link, end) == &sw->node && netlink_node(link, !end) == node)
                return switch_port_of(netlink_port(link, end));
    }
    luaerr_arg(L, idx, "port", NULL,
               "the number or name of a port of this switch, or the node that is plugged in there");
}

static int switch_lookup_method(lua_State *L)
{
    Switch *sw = check(L);
    const SwitchPort *port = switch_lookup(sw, bind_check_mac(L, 2, "mac"), opt_vid(L, 3));

    lua_pushstring(L, port ? port->name : NULL);
    return 1;
}

static int switch_add_static_method(lua_State *L)
{
    Switch *sw = check(L);
    MacAddr mac = bind_check_mac(L, 2, "mac");
    const SwitchPort *port = check_port(L, 3, sw);

    scenario_may_change(L);
    if (!switch_add_static(sw, mac, opt_vid(L, 4), port))
        return bind_push_errno(L, -ENOSPC);
    lua_settop(L, 1);
    return 1;
}

static int switch_flush(lua_State *L)
{
    Switch *sw = check(L);

    scenario_may_change(L);
    for (unsigned i = 0; i < sw->n_ports; i++)
        switch_port_flush(sw->ports[i]);
    lua_settop(L, 1);
    return 1;
}

/* ---- figures ---- */

static int switch_stats_method(lua_State *L)
{
    const SwitchStats *st = &check(L)->stats;

    lua_createtable(L, 0, 16);
    bind_set_int(L, "rx_frames", st->rx_frames);
    bind_set_int(L, "rx_bytes", st->rx_bytes);
    bind_set_int(L, "forwarded", st->forwarded);
    bind_set_int(L, "flooded", st->flooded);
    bind_set_int(L, "flood_copies", st->flood_copies);
    bind_set_int(L, "bad_fcs", st->bad_fcs);
    bind_set_int(L, "malformed", st->malformed);
    bind_set_int(L, "same_port", st->same_port);
    bind_set_int(L, "reserved", st->reserved);
    bind_set_int(L, "vlan_drops", st->vlan_drops);
    bind_set_int(L, "stp_drops", st->stp_drops);
    bind_set_int(L, "not_learnt", st->not_learnt);
    bind_set_int(L, "learnt", st->learnt);
    bind_set_int(L, "moved", st->moved);
    bind_set_int(L, "aged", st->aged);
    return 1;
}

static void set_bridge(lua_State *L, const char *name, uint64_t id)
{
    char mac[MAC_STR_LEN];

    lua_pushfstring(L, "%d.%s", (int)(id >> 48), mac_format(mac_from_u64(id & 0xffffffffffff), mac));
    lua_setfield(L, -2, name);
}

/* The spanning tree as this switch sees it; nil: it is off. */
static int switch_stp_method(lua_State *L)
{
    const Switch *sw = check(L);
    RstpInfo info;

    if (!sw->stp)
        return 0;
    rstp_get_info(sw->stp, &info);
    lua_createtable(L, 0, 9);
    set_bridge(L, "bridge", info.bridge_id);
    set_bridge(L, "root", info.root_id);
    bind_set_flag(L, "is_root", info.bridge_id == info.root_id);
    bind_set_int(L, "root_cost", info.root_cost);
    if (info.root_port >= 0)
        bind_set_text(L, "root_port", sw->ports[info.root_port]->name);
    bind_set_int(L, "topology_changes", info.topology_changes);
    bind_set_int(L, "tx_bpdus", info.tx_bpdus);
    bind_set_int(L, "rx_bpdus", info.rx_bpdus);
    bind_set_int(L, "rx_bad_bpdus", info.rx_bad_bpdus);
    return 1;
}

static int switch_port_method(lua_State *L)
{
    luaclass_push(L, &bind_port_class, check_port(L, 2, check(L)));
    return 1;
}

static int switch_ports(lua_State *L)
{
    const Switch *sw = check(L);

    lua_createtable(L, (int)sw->n_ports, 0);
    for (unsigned i = 0; i < sw->n_ports; i++) {
        luaclass_push(L, &bind_port_class, sw->ports[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int switch_name(lua_State *L)
{
    lua_pushstring(L, check(L)->node.name);
    return 1;
}

static int switch_mac(lua_State *L)
{
    bind_push_mac(L, check(L)->mac);
    return 1;
}

static char *describe(const void *ptr)
{
    return g_strdup(((const Switch *)ptr)->node.name);
}

static const luaL_Reg methods[] = {{"add_static", switch_add_static_method},
                                   {"flush", switch_flush},
                                   {"lookup", switch_lookup_method},
                                   {"macs", switch_macs},
                                   {"port", switch_port_method},
                                   {"ports", switch_ports},
                                   {"set", switch_set},
                                   {"stats", switch_stats_method},
                                   {"stp", switch_stp_method},
                                   {NULL, NULL}};
static const luaL_Reg properties[] = {{"mac", switch_mac}, {"name", switch_name}, {NULL, NULL}};
const LuaClass bind_switch_class = {
    .name = "switch", .methods = methods, .properties = properties, .describe = describe};

/* ---- one port ---- */

static SwitchPort *check_self(lua_State *L)
{
    return luaclass_check(L, 1, &bind_port_class);
}

static int port_access(lua_State *L)
{
    SwitchPort *p = check_self(L);

    scenario_may_change(L);
    if (!switch_vlan_set_access(p, opt_vid(L, 2)))
        luaerr_arg(L, 2, "vlan", NULL, "a VLAN from 1 to 4094");
    lua_settop(L, 1);
    return 1;
}

typedef struct TrunkOpts {
    int vlans;
    int64_t native;
} TrunkOpts;

static const LuaOpt trunk_opts[] = {
    {.name = "vlans", .kind = LUAOPT_TABLE, .offset = offsetof(TrunkOpts, vlans)},
    {.name = "native", .kind = LUAOPT_INT, .offset = offsetof(TrunkOpts, native), .min = 0, .max = 4094},
};
const BindOptions bind_trunk_options = {"port:trunk", trunk_opts, HS_ARRAY_LEN(trunk_opts)};

static int port_trunk(lua_State *L)
{
    SwitchPort *p = check_self(L);
    TrunkOpts o = {.native = 1};
    uint16_t vids[4094];
    unsigned n = 0;

    scenario_may_change(L);
    luaopt_read(L, 2, "port:trunk", trunk_opts, HS_ARRAY_LEN(trunk_opts), 0, &o);
    for (lua_Integer i = 1; o.vlans && i <= (lua_Integer)lua_rawlen(L, o.vlans) && n < HS_ARRAY_LEN(vids);
         i++) {
        lua_rawgeti(L, o.vlans, i);
        vids[n++] = opt_vid(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (!switch_vlan_set_trunk(p, vids, n, (uint16_t)o.native))
        luaerr_raise(L, "bad option \"vlans\" for port:trunk: expected VLANs from 1 to 4094");
    lua_settop(L, 1);
    return 1;
}

static int port_mirror(lua_State *L)
{
    SwitchPort *p = check_self(L);
    SwitchPort *to = NULL;

    scenario_may_change(L);
    if (!lua_isnoneornil(L, 2))
        to = luaclass_test(L, 2, &bind_port_class) ? luaclass_check(L, 2, &bind_port_class)
                                                   : check_port(L, 2, p->sw);
    if (to == p)
        luaerr_raise(L, "a port cannot be its own mirror");
    switch_set_mirror(p, to);
    lua_settop(L, 1);
    return 1;
}

typedef struct PortStpOpts {
    int64_t cost, priority;
    bool edge, auto_edge;
} PortStpOpts;

static const LuaOpt port_stp_opts[] = {
    {.name = "cost", .kind = LUAOPT_INT, .offset = offsetof(PortStpOpts, cost), .min = 0, .max = 200000000},
    {.name = "priority", .kind = LUAOPT_INT, .offset = offsetof(PortStpOpts, priority), .min = 0, .max = 240},
    {.name = "edge", .kind = LUAOPT_BOOL, .offset = offsetof(PortStpOpts, edge)},
    {.name = "auto_edge", .kind = LUAOPT_BOOL, .offset = offsetof(PortStpOpts, auto_edge)},
};
const BindOptions bind_port_stp_options = {"port:stp", port_stp_opts, HS_ARRAY_LEN(port_stp_opts)};

static int port_stp(lua_State *L)
{
    SwitchPort *p = check_self(L);
    PortStpOpts o = {.auto_edge = true};

    scenario_may_change(L);
    uint64_t set = luaopt_read(L, 2, "port:stp", port_stp_opts, HS_ARRAY_LEN(port_stp_opts), 0, &o);

    if (!p->stp)
        luaerr_raise(L, "the spanning tree of switch \"%s\" is off", p->sw->node.name);
    if (set & 1)
        rstp_port_set_cost(p, (uint32_t)o.cost);
    if (set >> 1 & 1 && !rstp_port_set_priority(p, (unsigned)o.priority))
        luaerr_raise(L, "bad option \"priority\" for port:stp: got %d, expected a multiple of 16 up to 240",
                     (int)o.priority);
    if (set >> 2 & 3)
        rstp_port_set_edge(p, o.edge, o.auto_edge);
    lua_settop(L, 1);
    return 1;
}

static int port_stats(lua_State *L)
{
    const SwitchPortStats *st = &check_self(L)->stats;

    lua_createtable(L, 0, 6);
    bind_set_int(L, "rx_frames", st->rx_frames);
    bind_set_int(L, "rx_bytes", st->rx_bytes);
    bind_set_int(L, "tx_frames", st->tx_frames);
    bind_set_int(L, "tx_bytes", st->tx_bytes);
    bind_set_int(L, "rx_bad_fcs", st->rx_bad_fcs);
    bind_set_int(L, "rx_dropped", st->rx_dropped);
    return 1;
}

static int port_get_name(lua_State *L)
{
    lua_pushstring(L, check_self(L)->name);
    return 1;
}

static int port_get_role(lua_State *L)
{
    const SwitchPort *p = check_self(L);

    lua_pushstring(L, p->stp ? rstp_role_name(rstp_port_role(p)) : NULL);
    return 1;
}

static int port_get_state(lua_State *L)
{
    const SwitchPort *p = check_self(L);

    lua_pushstring(L, p->stp ? rstp_state_name(rstp_port_state(p)) : NULL);
    return 1;
}

static int port_get_is_edge(lua_State *L)
{
    const SwitchPort *p = check_self(L);

    lua_pushboolean(L, p->stp && rstp_port_is_edge(p));
    return 1;
}

static char *describe_port(const void *ptr)
{
    const SwitchPort *p = ptr;

    return g_strdup_printf("%s:%s", p->sw->node.name, p->name);
}

static const luaL_Reg port_methods[] = {{"access", port_access}, {"mirror", port_mirror},
                                        {"stats", port_stats},   {"stp", port_stp},
                                        {"trunk", port_trunk},   {NULL, NULL}};
static const luaL_Reg port_properties[] = {{"is_edge", port_get_is_edge},
                                           {"name", port_get_name},
                                           {"role", port_get_role},
                                           {"state", port_get_state},
                                           {NULL, NULL}};
const LuaClass bind_port_class = {
    .name = "switch port", .methods = port_methods, .properties = port_properties, .describe = describe_port};

void bind_switch_open(lua_State *L)
{
    lua_pushcfunction(L, hs_switch);
    lua_setfield(L, -2, "switch");
}
