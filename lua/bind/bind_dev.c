/* An interface of a host as a scenario sees it: ip link, ethtool. */
#include "lua/bind/bind.h"

#include <string.h>

#include "models/ether/nic_ring.h"

static NetDev *check_dev(lua_State *L)
{
    return luaclass_check(L, 1, &bind_dev_class);
}

void bind_push_dev(lua_State *L, NetDev *dev)
{
    luaclass_push(L, &bind_dev_class, dev);
}

static bool is_nic(const NetDev *dev)
{
    return dev->point && dev->point->linktype == 1;
}

static Nic *check_nic(lua_State *L)
{
    NetDev *dev = check_dev(L);

    if (!is_nic(dev))
        luaerr_raise(L, "interface \"%s\" is no Ethernet card", dev->name);
    return nic_of_dev(dev);
}

static int set_up(lua_State *L, bool up)
{
    NetDev *dev = check_dev(L);

    scenario_may_change(L);
    if (dev->ops->set_up) {
        dev->ops->set_up(dev, up);
    } else {
        dev->flags = (uint16_t)(up ? dev->flags | NETDEV_UP : dev->flags & ~NETDEV_UP);
        if (dev->changed)
            dev->changed(dev);
    }
    lua_settop(L, 1);
    return 1;
}

static int dev_up(lua_State *L)
{
    return set_up(L, true);
}

static int dev_down(lua_State *L)
{
    return set_up(L, false);
}

static int dev_promisc(lua_State *L)
{
    NetDev *dev = check_dev(L);

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    if (!dev->ops->set_promisc)
        luaerr_raise(L, "interface \"%s\" has no promiscuous mode", dev->name);
    dev->ops->set_promisc(dev, lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

static int dev_set_mac(lua_State *L)
{
    Nic *nic = check_nic(L);

    scenario_may_change(L);
    nic_set_mac(nic, bind_check_mac(L, 2, "mac"));
    lua_settop(L, 1);
    return 1;
}

static int dev_set_mtu(lua_State *L)
{
    Nic *nic = check_nic(L);

    scenario_may_change(L);
    lua_Integer mtu = luaL_checkinteger(L, 2);

    if (mtu < 0 || mtu > NIC_MTU_MAX || !nic_set_mtu(nic, (uint32_t)mtu))
        luaerr_arg(L, 2, "mtu", NULL, "a whole number from 68 to 65535");
    lua_settop(L, 1);
    return 1;
}

static int dev_stats(lua_State *L)
{
    const NetDevStats *st = netdev_stats(check_dev(L));
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"rx_packets", st->rx_packets},       {"rx_bytes", st->rx_bytes},
        {"tx_packets", st->tx_packets},       {"tx_bytes", st->tx_bytes},
        {"rx_crc_errors", st->rx_crc_errors}, {"rx_frame_errors", st->rx_frame_errors},
        {"rx_dropped", st->rx_dropped},       {"rx_overruns", st->rx_overruns},
        {"rx_not_for_me", st->rx_not_for_me}, {"rx_multicast", st->rx_multicast},
        {"tx_dropped", st->tx_dropped},       {"tx_carrier_errors", st->tx_carrier_errors},
    };

    lua_createtable(L, 0, HS_ARRAY_LEN(fields));
    for (size_t i = 0; i < HS_ARRAY_LEN(fields); i++) {
        lua_pushinteger(L, (lua_Integer)fields[i].value);
        lua_setfield(L, -2, fields[i].name);
    }
    return 1;
}

static int dev_pad_pattern(lua_State *L)
{
    Nic *nic = check_nic(L);
    size_t len = 0;
    const char *bytes = lua_isnoneornil(L, 2) ? NULL : luaL_checklstring(L, 2, &len);

    scenario_may_change(L);
    if (len > 46)
        luaerr_arg(L, 2, "pattern", NULL, "at most 46 bytes");
    nic_set_pad_pattern(nic, (const uint8_t *)bytes, (unsigned)len);
    lua_settop(L, 1);
    return 1;
}

/* ---- rings (ethtool -G) ---- */

typedef struct RingOpts {
    const char *mode;
    int64_t rx, tx, weight, budget, max_backlog;
    SimTime irq_cost, packet_cost, budget_time, thread_delay, tx_irq_delay;
} RingOpts;

static const LuaOpt ring_opts[] = {
    {.name = "mode", .kind = LUAOPT_STRING, .offset = offsetof(RingOpts, mode)},
    {.name = "rx", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, rx), .max = 1 << 20},
    {.name = "tx", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, tx), .max = 1 << 20},
    {.name = "irq_cost", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, irq_cost)},
    {.name = "packet_cost", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, packet_cost)},
    {.name = "weight", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, weight), .min = 1, .max = 1 << 20},
    {.name = "budget", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, budget), .min = 1, .max = 1 << 20},
    {.name = "budget_time", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, budget_time)},
    {.name = "thread_delay", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, thread_delay)},
    {.name = "max_backlog", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, max_backlog), .max = 1 << 24},
    {.name = "tx_irq_delay", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, tx_irq_delay)},
};
const BindOptions bind_ring_options = {"dev:ring", ring_opts, HS_ARRAY_LEN(ring_opts)};

/* The direction of the cable in that card that leaves it; NULL: no cable of its own. */
static LinkDir *dir_from(const Scenario *s, const Nic *nic)
{
    for (unsigned i = 0; i < net_link_count(s->net); i++)
        for (unsigned end = 0; end < 2; end++) {
            LinkDir *d = netlink_dir(net_link_at(s->net, i), end);

            if (d && linkdir_from(d) == &nic->port)
                return d;
        }
    return NULL;
}

static NicRingMode check_mode(lua_State *L, const char *mode)
{
    if (!mode || strcmp(mode, "napi") == 0)
        return NIC_RING_NAPI;
    if (strcmp(mode, "interrupt") == 0)
        return NIC_RING_INTERRUPT;
    luaerr_raise(L, "bad option \"mode\" for dev:ring: got \"%s\", expected \"napi\" or \"interrupt\"", mode);
}

/* dev:ring { … }; dev:ring(false) takes both rings away. */
static int dev_ring(lua_State *L)
{
    Scenario *s = scenario_of(L);
    Nic *nic = check_nic(L);
    LinkDir *d = dir_from(s, nic);
    NicRingConfig c;

    scenario_may_change(L);
    if (lua_isboolean(L, 2) && !lua_toboolean(L, 2)) {
        nic_set_ring(nic, NULL);
        if (d)
            linkdir_set_ring(d, 0, 0);
        lua_settop(L, 1);
        return 1;
    }
    nic_ring_config_init(&c);
    c.max_backlog = ip4_sysctl_get(host_ip4(host_of_node(nic->dev.node)))->netdev_max_backlog;
    RingOpts o = {.rx = c.rx_size,
                  .weight = c.weight,
                  .budget = c.budget,
                  .max_backlog = c.max_backlog,
                  .irq_cost = c.irq_cost,
                  .packet_cost = c.packet_cost,
                  .budget_time = c.budget_time,
                  .tx_irq_delay = c.irq_cost};

    luaL_checktype(L, 2, LUA_TTABLE);
    luaopt_read(L, 2, "dev:ring", ring_opts, HS_ARRAY_LEN(ring_opts), 0, &o);
    c.mode = check_mode(L, o.mode);
    if (o.tx && (!d || !linkdir_set_ring(d, (unsigned)o.tx, o.tx_irq_delay)))
        luaerr_raise(L,
                     "%s has no place for a transmit ring: it needs a cable of its own, which follows no "
                     "opportunities",
                     nic->dev.name);
    if (!o.tx && d)
        linkdir_set_ring(d, 0, 0);
    c.rx_size = (unsigned)o.rx;
    c.weight = (unsigned)o.weight;
    c.budget = (unsigned)o.budget;
    c.max_backlog = (unsigned)o.max_backlog;
    c.irq_cost = o.irq_cost;
    c.packet_cost = o.packet_cost;
    c.budget_time = o.budget_time;
    c.thread_delay = o.thread_delay;
    nic_set_ring(nic, o.rx ? &c : NULL);
    lua_settop(L, 1);
    return 1;
}

static void set_int(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static int dev_ring_stats(lua_State *L)
{
    const Nic *nic = check_nic(L);
    const NicRing *ring = nic->live ? nic->live->ring : NULL;
    const LinkDir *d = dir_from(scenario_of(L), nic);

    lua_createtable(L, 0, 18);
    if (ring) {
        const NicRingStats *st = nic_ring_stats(ring);

        set_int(L, "interrupts", st->interrupts);
        set_int(L, "softirqs", st->softirqs);
        set_int(L, "thread_runs", st->thread_runs);
        set_int(L, "polls", st->polls);
        set_int(L, "squeezes", st->squeezes);
        set_int(L, "overruns", st->overruns);
        set_int(L, "backlog_drops", st->backlog_drops);
        set_int(L, "rx_peak", st->ring_peak);
        set_int(L, "backlog_peak", st->backlog_peak);
        set_int(L, "rx_waiting", nic_ring_waiting(ring));
        set_int(L, "backlog", nic_ring_backlog(ring));
        lua_pushboolean(L, nic_ring_is_masked(ring));
        lua_setfield(L, -2, "masked");
    }
    LinkRingInfo info = d ? linkdir_ring_info(d) : (LinkRingInfo){0};

    if (info.slots) {
        set_int(L, "tx_used", info.used);
        set_int(L, "tx_peak", info.peak);
        set_int(L, "tx_interrupts", info.interrupts);
        set_int(L, "tx_completed", info.completed);
    }
    return 1;
}

/* While paused no soft interrupt takes frames from the receive ring. */
static int dev_pause_polling(lua_State *L)
{
    const Nic *nic = check_nic(L);
    NicRing *ring = nic->live ? nic->live->ring : NULL;

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    if (!ring)
        luaerr_raise(L, "interface \"%s\" has no receive ring: give it one with dev:ring", nic->dev.name);
    nic_ring_set_paused(ring, lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

static int get_speed(lua_State *L)
{
    LinkTxInfo info;

    if (!port_describe(&check_nic(L)->port, &info) || info.rate_bps == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, (lua_Integer)info.rate_bps);
    return 1;
}

static int get_name(lua_State *L)
{
    lua_pushstring(L, check_dev(L)->name);
    return 1;
}

static int get_mac(lua_State *L)
{
    bind_push_mac(L, check_dev(L)->mac);
    return 1;
}

static int get_mtu(lua_State *L)
{
    lua_pushinteger(L, check_dev(L)->mtu);
    return 1;
}

static int get_is_up(lua_State *L)
{
    lua_pushboolean(L, check_dev(L)->flags & NETDEV_UP);
    return 1;
}

static int get_carrier(lua_State *L)
{
    lua_pushboolean(L, check_dev(L)->flags & NETDEV_CARRIER);
    return 1;
}

static int get_index(lua_State *L)
{
    lua_pushinteger(L, check_dev(L)->ifindex);
    return 1;
}

static int get_host(lua_State *L)
{
    bind_push_node(L, check_dev(L)->node);
    return 1;
}

static char *describe(const void *ptr)
{
    const NetDev *dev = ptr;

    return g_strdup_printf("%s:%s", dev->node->name, dev->name);
}

static const luaL_Reg methods[] = {{"down", dev_down},
                                   {"pad_pattern", dev_pad_pattern},
                                   {"pause_polling", dev_pause_polling},
                                   {"promisc", dev_promisc},
                                   {"ring", dev_ring},
                                   {"ring_stats", dev_ring_stats},
                                   {"set_mac", dev_set_mac},
                                   {"set_mtu", dev_set_mtu},
                                   {"stats", dev_stats},
                                   {"up", dev_up},
                                   {NULL, NULL}};
static const luaL_Reg properties[] = {{"carrier", get_carrier}, {"host", get_host},   {"index", get_index},
                                      {"is_up", get_is_up},     {"mac", get_mac},     {"mtu", get_mtu},
                                      {"name", get_name},       {"speed", get_speed}, {NULL, NULL}};

const LuaClass bind_dev_class = {
    .name = "interface", .methods = methods, .properties = properties, .describe = describe};
