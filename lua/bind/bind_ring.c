/* dev:ring { … }: the receive ring of a card, and how fast its host takes frames from it
 * (models/ether/nic_ring.h); and its transmit ring, which belongs to the cable (models/link/linkring.c). */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/ether/nic_ring.h"

typedef struct RingOpts {
    const char *mode;
    int64_t size, weight, budget, max_backlog;
    SimTime irq_cost, packet_cost, budget_time, thread_delay;
    int64_t tx;
    SimTime tx_irq_delay;
} RingOpts;

static const LuaOpt ring_opts[] = {
    {.name = "mode", .kind = LUAOPT_STRING, .offset = offsetof(RingOpts, mode)},
    {.name = "size", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, size), .min = 0, .max = 65536},
    {.name = "irq_cost", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, irq_cost)},
    {.name = "packet_cost", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, packet_cost)},
    {.name = "weight", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, weight), .min = 1, .max = 65536},
    {.name = "budget", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, budget), .min = 1, .max = 1e6},
    {.name = "budget_time", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, budget_time)},
    {.name = "thread_delay", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, thread_delay)},
    {.name = "max_backlog",
     .kind = LUAOPT_INT,
     .offset = offsetof(RingOpts, max_backlog),
     .min = 1,
     .max = 1e6},
    {.name = "tx", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, tx), .min = 0, .max = 65536},
    {.name = "tx_irq_delay", .kind = LUAOPT_TIME, .offset = offsetof(RingOpts, tx_irq_delay)},
};
const BindOptions bind_ring_options = {"dev:ring", ring_opts, HS_ARRAY_LEN(ring_opts)};

static Nic *check_nic(lua_State *L)
{
    NetDev *dev = luaclass_check(L, 1, &bind_dev_class);

    if (!bind_dev_nic(dev))
        luaerr_raise(L, "interface \"%s\" is no Ethernet card", dev->name);
    return nic_of_dev(dev);
}

/* The direction of a cable that leaves that card; NULL: it has no cable of its own. */
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

int bind_dev_ring(lua_State *L)
{
    Nic *nic = check_nic(L);
    LinkDir *d = dir_from(scenario_of(L), nic);
    NicRingConfig c;

    scenario_may_change(L);
    lua_settop(L, 2);
    if (lua_isboolean(L, 2) && !lua_toboolean(L, 2)) {
        nic_set_ring(nic, NULL);
        if (d)
            linkdir_set_ring(d, 0, 0);
        lua_settop(L, 1);
        return 1;
    }
    nic_ring_config_init(&c);
    c.max_backlog = ip4_sysctl_get(host_ip4(host_of_node(nic->dev.node)))->netdev_max_backlog;
    RingOpts o = {.size = c.rx_size,
                  .weight = c.weight,
                  .budget = c.budget,
                  .max_backlog = c.max_backlog,
                  .irq_cost = c.irq_cost,
                  .packet_cost = c.packet_cost,
                  .budget_time = c.budget_time,
                  .thread_delay = c.thread_delay,
                  .tx_irq_delay = c.irq_cost};

    luaopt_read(L, 2, "dev:ring", ring_opts, HS_ARRAY_LEN(ring_opts), 0, &o);
    if (o.mode && strcmp(o.mode, "interrupt") == 0)
        c.mode = NIC_RING_INTERRUPT;
    else if (o.mode && strcmp(o.mode, "napi") != 0)
        luaerr_raise(L, "bad option \"mode\" for dev:ring: got \"%s\", expected \"napi\" or \"interrupt\"",
                     o.mode);
    if (o.tx ? !d || !linkdir_set_ring(d, (unsigned)o.tx, o.tx_irq_delay) : d && !linkdir_set_ring(d, 0, 0))
        luaerr_raise(L,
                     "%s has no place for a transmit ring: it needs a cable of its own, and one that follows "
                     "no trace of opportunities",
                     nic->dev.name);
    c = (NicRingConfig){.mode = c.mode,
                        .rx_size = (unsigned)o.size,
                        .irq_cost = o.irq_cost,
                        .packet_cost = o.packet_cost,
                        .weight = (unsigned)o.weight,
                        .budget = (unsigned)o.budget,
                        .budget_time = o.budget_time,
                        .thread_delay = o.thread_delay,
                        .max_backlog = (unsigned)o.max_backlog};
    nic_set_ring(nic, o.size ? &c : NULL);
    lua_settop(L, 1);
    return 1;
}

static NicRing *check_ring(lua_State *L)
{
    const Nic *nic = check_nic(L);

    if (!nic_get_ring(nic))
        luaerr_raise(L, "interface \"%s\" has no receive ring (dev:ring)", nic->dev.name);
    return nic_get_ring(nic);
}

int bind_dev_ring_pause(lua_State *L)
{
    NicRing *ring = check_ring(L);

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    nic_ring_set_paused(ring, lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

int bind_dev_ring_stats(lua_State *L)
{
    const Nic *nic = check_nic(L);
    const LinkDir *d = dir_from(scenario_of(L), nic);
    const LinkRingInfo tx = d ? linkdir_ring_info(d) : (LinkRingInfo){0};
    const NicRing *ring = tx.slots ? nic_get_ring(nic) : check_ring(L);
    static const NicRingStats none;
    const NicRingStats *st = ring ? nic_ring_stats(ring) : &none;
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"interrupts", st->interrupts},
        {"softirqs", st->softirqs},
        {"thread_runs", st->thread_runs},
        {"polls", st->polls},
        {"squeezes", st->squeezes},
        {"overruns", st->overruns},
        {"backlog_drops", st->backlog_drops},
        {"ring_peak", st->ring_peak},
        {"backlog_peak", st->backlog_peak},
        {"waiting", ring ? nic_ring_waiting(ring) : 0},
        {"backlog", ring ? nic_ring_backlog(ring) : 0},
        {"tx_used", tx.used},
        {"tx_peak", tx.peak},
        {"tx_interrupts", tx.interrupts},
        {"tx_completed", tx.completed},
    };

    lua_createtable(L, 0, HS_ARRAY_LEN(fields) + 1);
    for (size_t i = 0; i < HS_ARRAY_LEN(fields); i++)
        bind_set_int(L, fields[i].name, fields[i].value);
    bind_set_flag(L, "is_masked", ring && nic_ring_is_masked(ring));
    return 1;
}
