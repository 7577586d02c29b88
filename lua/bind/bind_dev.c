/* An interface of a host as a scenario sees it: ip link, ethtool. */
#include "lua/bind/bind.h"

static NetDev *check_dev(lua_State *L)
{
    return luaclass_check(L, 1, &bind_dev_class);
}

void bind_push_dev(lua_State *L, NetDev *dev)
{
    luaclass_push(L, &bind_dev_class, dev);
}

Nic *bind_dev_nic(NetDev *dev)
{
    bool is_nic = dev->point && dev->point->linktype == 1 && &nic_of_dev(dev)->port.point == dev->point;

    return is_nic ? nic_of_dev(dev) : NULL;
}

static Nic *check_nic(lua_State *L)
{
    NetDev *dev = check_dev(L);

    if (!bind_dev_nic(dev))
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

/* ethtool -K eth0 tso off */
static int dev_tso(lua_State *L)
{
    NetDev *dev = check_dev(L);

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    dev->flags = (uint16_t)(lua_toboolean(L, 2) ? dev->flags | NETDEV_TSO : dev->flags & ~NETDEV_TSO);
    if (dev->changed)
        dev->changed(dev);
    lua_settop(L, 1);
    return 1;
}

static int dev_stats(lua_State *L)
{
    const NetDev *dev = check_dev(L);
    const NetDevStats *st = netdev_stats(dev);
    const NetDevErrors *e = netdev_errors(dev);
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"rx_packets", st->rx_packets},      {"rx_bytes", st->rx_bytes},
        {"tx_packets", st->tx_packets},      {"tx_bytes", st->tx_bytes},
        {"rx_crc_errors", e->rx_crc_errors}, {"rx_frame_errors", e->rx_frame_errors},
        {"rx_dropped", e->rx_dropped},       {"rx_overruns", e->rx_overruns},
        {"rx_not_for_me", e->rx_not_for_me}, {"rx_multicast", e->rx_multicast},
        {"tx_dropped", e->tx_dropped},       {"tx_carrier_errors", e->tx_carrier_errors},
    };

    lua_createtable(L, 0, HS_ARRAY_LEN(fields));
    for (size_t i = 0; i < HS_ARRAY_LEN(fields); i++)
        bind_set_int(L, fields[i].name, fields[i].value);
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

static int get_speed(lua_State *L)
{
    LinkTxInfo info;

    if (!port_describe(&check_nic(L)->port, &info) || info.rate_bps == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, (lua_Integer)info.rate_bps);
    return 1;
}

/* dev:vlan(10): the interface eth0.10 */
static int dev_vlan(lua_State *L)
{
    NetDev *dev = check_dev(L);
    int is_int;
    lua_Integer vid = lua_type(L, 2) == LUA_TNUMBER ? lua_tointegerx(L, 2, &is_int) : (is_int = 0);
    Scenario *s = scenario_of(L);
    char *error = NULL;

    scenario_may_change(L);
    if (!is_int || vid < 1 || vid > 4094)
        luaerr_arg(L, 2, "vlan", NULL, "a VLAN from 1 to 4094");
    NetDev *vlan = host_add_vlan(host_of_node(dev->node), dev, (unsigned)vid, &error);

    if (!vlan)
        bind_raise_free(L, error);
    s->is_dirty = true;
    bind_push_dev(L, vlan);
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
                                   {"promisc", dev_promisc},
                                   {"ring", bind_dev_ring},
                                   {"ring_pause", bind_dev_ring_pause},
                                   {"ring_stats", bind_dev_ring_stats},
                                   {"set_mac", dev_set_mac},
                                   {"set_mtu", dev_set_mtu},
                                   {"stats", dev_stats},
                                   {"tso", dev_tso},
                                   {"up", dev_up},
                                   {"vlan", dev_vlan},
                                   {NULL, NULL}};
static const luaL_Reg properties[] = {{"carrier", get_carrier}, {"host", get_host},   {"index", get_index},
                                      {"is_up", get_is_up},     {"mac", get_mac},     {"mtu", get_mtu},
                                      {"name", get_name},       {"speed", get_speed}, {NULL, NULL}};

const LuaClass bind_dev_class = {
    .name = "interface", .methods = methods, .properties = properties, .describe = describe};
