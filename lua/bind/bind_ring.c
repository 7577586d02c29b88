/* dev:ring { … }: the receive ring of a card, and how fast its host takes frames from it
 * (models/ether/nic_ring.h). */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/ether/nic_ring.h"

typedef struct RingOpts {
    const char *mode;
    int64_t size, weight, budget, max_backlog;
    SimTime irq_cost, packet_cost, budget_time, thread_delay;
} RingOpts;

static const LuaOpt ring_opts[] = {
    {.name = "mode", .kind = LUAOPT_STRING, .offset = offsetof(RingOpts, mode)},
    {.name = "size", .kind = LUAOPT_INT, .offset = offsetof(RingOpts, size), .min = 1, .max = 65536},
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
};
const BindOptions bind_ring_options = {"dev:ring", ring_opts, HS_ARRAY_LEN(ring_opts)};

static Nic *check_nic(lua_State *L)
{
    NetDev *dev = luaclass_check(L, 1, &bind_dev_class);

    if (!bind_dev_nic(dev))
        luaerr_raise(L, "interface \"%s\" is no Ethernet card", dev->name);
    return nic_of_dev(dev);
}

int bind_dev_ring(lua_State *L)
{
    Nic *nic = check_nic(L);
    NicRingConfig c;

    scenario_may_change(L);
    lua_settop(L, 2);
    if (lua_isboolean(L, 2) && !lua_toboolean(L, 2)) {
        nic_set_ring(nic, NULL);
        lua_settop(L, 1);
        return 1;
    }
    nic_ring_config_init(&c);
    RingOpts o = {.size = c.rx_size,
                  .weight = c.weight,
                  .budget = c.budget,
                  .max_backlog = c.max_backlog,
                  .irq_cost = c.irq_cost,
                  .packet_cost = c.packet_cost,
                  .budget_time = c.budget_time,
                  .thread_delay = c.thread_delay};

    luaopt_read(L, 2, "dev:ring", ring_opts, HS_ARRAY_LEN(ring_opts), 0, &o);
    if (o.mode && strcmp(o.mode, "interrupt") == 0)
        c.mode = NIC_RING_INTERRUPT;
    else if (o.mode && strcmp(o.mode, "napi") != 0)
        luaerr_raise(L, "bad option \"mode\" for dev:ring: got \"%s\", expected \"napi\" or \"interrupt\"",
                     o.mode);
    c = (NicRingConfig){.mode = c.mode,
                        .rx_size = (unsigned)o.size,
                        .irq_cost = o.irq_cost,
                        .packet_cost = o.packet_cost,
                        .weight = (unsigned)o.weight,
                        .budget = (unsigned)o.budget,
                        .budget_time = o.budget_time,
                        .thread_delay = o.thread_delay,
                        .max_backlog = (unsigned)o.max_backlog};
    nic_set_ring(nic, &c);
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
    const NicRing *ring = check_ring(L);
    const NicRingStats *st = nic_ring_stats(ring);
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"interrupts", st->interrupts},       {"softirqs", st->softirqs},
        {"thread_runs", st->thread_runs},     {"polls", st->polls},
        {"squeezes", st->squeezes},           {"overruns", st->overruns},
        {"backlog_drops", st->backlog_drops}, {"ring_peak", st->ring_peak},
        {"backlog_peak", st->backlog_peak},   {"waiting", nic_ring_waiting(ring)},
        {"backlog", nic_ring_backlog(ring)},
    };

    lua_createtable(L, 0, HS_ARRAY_LEN(fields) + 1);
    for (size_t i = 0; i < HS_ARRAY_LEN(fields); i++) {
        lua_pushinteger(L, (lua_Integer)fields[i].value);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushboolean(L, nic_ring_is_masked(ring));
    lua_setfield(L, -2, "is_masked");
    return 1;
}
