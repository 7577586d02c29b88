/* host:traceroute and host:mtr: block until the program has ended, and return what it found. */
#include "lua/bind/bind.h"
#include "models/app/mtr.h"
#include "models/app/traceroute.h"

/* What both have in common: the process that waits, and the lines that the program printed. */
typedef struct PathCall {
    ScnCall call;
    Traceroute *traceroute;
    Mtr *mtr;
    GPtrArray *lines;
    GArray *hops; /* HopRecord */
    char *name;
    bool reached, print;
} PathCall;

typedef struct HopRecord {
    uint8_t ttl, n;
    TracerouteProbe probe[10];
} HopRecord;

static void call_stop(ScnCall *call)
{
    PathCall *c = (PathCall *)call;

    traceroute_free(c->traceroute);
    mtr_free(c->mtr);
    c->traceroute = NULL;
    c->mtr = NULL;
}

static PathCall *call_new(ScnHost *h, const char *name, bool print)
{
    PathCall *c = g_new0(PathCall, 1);

    c->call = (ScnCall){.host = h, .stop = call_stop};
    c->name = g_strdup(name);
    c->print = print && !h->s->config.quiet;
    c->lines = g_ptr_array_new_with_free_func(g_free);
    c->hops = g_array_new(false, false, sizeof(HopRecord));
    return c;
}

static void call_left(void *data)
{
    PathCall *c = data;

    bind_call_left(&c->call);
    call_stop(&c->call);
    g_ptr_array_free(c->lines, true);
    g_array_free(c->hops, true);
    g_free(c->name);
    g_free(c);
}

static void on_line(void *user, const char *text)
{
    PathCall *c = user;

    g_ptr_array_add(c->lines, g_strdup(text));
    if (c->print)
        scenario_print(c->call.host->s, text);
}

static void set_lines(lua_State *L, const PathCall *c)
{
    lua_createtable(L, (int)c->lines->len, 0);
    for (guint i = 0; i < c->lines->len; i++) {
        lua_pushstring(L, g_ptr_array_index(c->lines, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "lines");
}

/* ---- traceroute ---- */

static void on_hop(void *user, uint8_t ttl, const TracerouteProbe *probes, unsigned n)
{
    PathCall *c = user;
    HopRecord hop = {.ttl = ttl, .n = (uint8_t)HS_MIN(n, HS_ARRAY_LEN(hop.probe))};

    for (unsigned i = 0; i < hop.n; i++)
        hop.probe[i] = probes[i];
    g_array_append_val(c->hops, hop);
}

static void on_traceroute_done(void *user, bool reached)
{
    PathCall *c = user;

    c->reached = reached;
    bind_call_done(&c->call);
}

static void push_probe(lua_State *L, const TracerouteProbe *p)
{
    static const char *const answers[] = {
        [HOP_ROUTER] = "router", [HOP_TARGET] = "target", [HOP_UNREACHABLE] = "unreachable"};

    lua_createtable(L, 0, 4);
    if (p->state != TRACEROUTE_ANSWERED)
        return;
    bind_set_time(L, "rtt", p->rtt);
    bind_set_ip4(L, "from", p->reply.from);
    bind_set_text(L, "answer", answers[p->reply.answer]);
    if (p->reply.answer == HOP_UNREACHABLE)
        bind_set_int(L, "icmp_code", p->reply.icmp_code);
}

/* { reached, hops = { { ttl, address, probes = { { rtt, from, answer }, … } }, … }, lines } */
static int traceroute_push(lua_State *L, void *data)
{
    const PathCall *c = data;

    if (c->call.is_cut)
        return bind_push_errno(L, -ENETDOWN);
    lua_createtable(L, 0, 3);
    bind_set_flag(L, "reached", c->reached);
    set_lines(L, c);
    lua_createtable(L, (int)c->hops->len, 0);
    for (guint i = 0; i < c->hops->len; i++) {
        const HopRecord *hop = &g_array_index(c->hops, HopRecord, i);
        uint32_t addr = 0;

        lua_createtable(L, 0, 3);
        bind_set_int(L, "ttl", hop->ttl);
        lua_createtable(L, hop->n, 0);
        for (unsigned k = 0; k < hop->n; k++) {
            if (addr == 0 && hop->probe[k].state == TRACEROUTE_ANSWERED)
                addr = hop->probe[k].reply.from;
            push_probe(L, &hop->probe[k]);
            lua_rawseti(L, -2, k + 1);
        }
        lua_setfield(L, -2, "probes");
        if (addr)
            bind_set_ip4(L, "address", addr);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "hops");
    return 1;
}

typedef struct TraceOpts {
    bool icmp, print;
    int64_t first_ttl, max_ttl, probes, parallel, size;
    SimTime wait;
} TraceOpts;

static const LuaOpt trace_opts[] = {
    {.name = "icmp", .kind = LUAOPT_BOOL, .offset = offsetof(TraceOpts, icmp)},
    {.name = "first_ttl", .kind = LUAOPT_INT, .offset = offsetof(TraceOpts, first_ttl), .min = 1, .max = 255},
    {.name = "max_ttl", .kind = LUAOPT_INT, .offset = offsetof(TraceOpts, max_ttl), .min = 1, .max = 255},
    {.name = "probes", .kind = LUAOPT_INT, .offset = offsetof(TraceOpts, probes), .min = 1, .max = 10},
    {.name = "parallel", .kind = LUAOPT_INT, .offset = offsetof(TraceOpts, parallel), .min = 1, .max = 16},
    {.name = "wait", .kind = LUAOPT_TIME, .offset = offsetof(TraceOpts, wait)},
    {.name = "size", .kind = LUAOPT_INT, .offset = offsetof(TraceOpts, size), .min = 28, .max = 65535},
    {.name = "print", .kind = LUAOPT_BOOL, .offset = offsetof(TraceOpts, print)},
};
const BindOptions bind_traceroute_options = {"host:traceroute", trace_opts, HS_ARRAY_LEN(trace_opts)};

static const char *name_arg(lua_State *L, int idx, uint32_t dst, char buf[IPV4_ADDR_STR_LEN])
{
    return lua_type(L, idx) == LUA_TSTRING ? lua_tostring(L, idx) : ipv4_addr_format(dst, buf);
}

int bind_host_traceroute(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    TraceOpts o = {0};
    char text[IPV4_ADDR_STR_LEN];

    scenario_may_change(L);
    uint32_t dst = bind_check_addr(L, 2, "destination", h);

    luaopt_read(L, 3, "host:traceroute", trace_opts, HS_ARRAY_LEN(trace_opts), 0, &o);
    Proc *p = proc_current(L);

    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    PathCall *c = call_new(h, name_arg(L, 2, dst, text), o.print);
    TracerouteOptions to = {.dst = dst,
                            .name = c->name,
                            .icmp = o.icmp,
                            .first_ttl = (uint8_t)o.first_ttl,
                            .max_ttl = (uint8_t)o.max_ttl,
                            .probes = (uint8_t)o.probes,
                            .parallel = (uint8_t)o.parallel,
                            .wait = o.wait,
                            .total_len = (uint32_t)o.size};

    host_icmp4(h->host);
    c->traceroute = traceroute_new(host_ip4(h->host), host_udp(h->host), &to,
                                   &(TracerouteEvents){on_line, on_hop, on_traceroute_done, c});
    return bind_call_block(L, &c->call, p, traceroute_push, call_left);
}

/* ---- mtr ---- */

static void on_mtr_done(void *user)
{
    bind_call_done(&((PathCall *)user)->call);
}

/* { hops = { { address, sent, received, loss, last, best, worst, avg }, … }, lines } */
static int mtr_push(lua_State *L, void *data)
{
    const PathCall *c = data;

    if (c->call.is_cut)
        return bind_push_errno(L, -ENETDOWN);
    unsigned n = mtr_hops(c->mtr);

    lua_createtable(L, 0, 2);
    set_lines(L, c);
    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        const MtrHop *hop = mtr_hop(c->mtr, i);

        lua_createtable(L, 0, 8);
        bind_set_int(L, "sent", hop->sent);
        bind_set_int(L, "received", hop->received);
        bind_set_number(L, "loss", mtr_hop_loss(hop));
        if (hop->received) {
            bind_set_ip4(L, "address", hop->addr);
            bind_set_time(L, "last", hop->last);
            bind_set_time(L, "best", hop->best);
            bind_set_time(L, "worst", hop->worst);
            bind_set_number(L, "avg", hop->sum_us / hop->received / 1e6);
        }
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "hops");
    return 1;
}

typedef struct MtrOpts {
    bool udp, print;
    int64_t cycles, max_ttl, size;
    SimTime interval, grace;
} MtrOpts;

static const LuaOpt mtr_opts[] = {
    {.name = "udp", .kind = LUAOPT_BOOL, .offset = offsetof(MtrOpts, udp)},
    {.name = "cycles", .kind = LUAOPT_INT, .offset = offsetof(MtrOpts, cycles), .min = 1, .max = 1e6},
    {.name = "max_ttl", .kind = LUAOPT_INT, .offset = offsetof(MtrOpts, max_ttl), .min = 1, .max = 255},
    {.name = "interval", .kind = LUAOPT_TIME, .offset = offsetof(MtrOpts, interval)},
    {.name = "grace", .kind = LUAOPT_TIME, .offset = offsetof(MtrOpts, grace)},
    {.name = "size", .kind = LUAOPT_INT, .offset = offsetof(MtrOpts, size), .min = 28, .max = 65535},
    {.name = "print", .kind = LUAOPT_BOOL, .offset = offsetof(MtrOpts, print)},
};
const BindOptions bind_mtr_options = {"host:mtr", mtr_opts, HS_ARRAY_LEN(mtr_opts)};

int bind_host_mtr(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    MtrOpts o = {0};

    scenario_may_change(L);
    uint32_t dst = bind_check_addr(L, 2, "destination", h);

    luaopt_read(L, 3, "host:mtr", mtr_opts, HS_ARRAY_LEN(mtr_opts), 0, &o);
    Proc *p = proc_current(L);

    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    PathCall *c = call_new(h, "", o.print);
    MtrOptions mo = {.dst = dst,
                     .udp = o.udp,
                     .cycles = (uint32_t)o.cycles,
                     .max_ttl = (uint8_t)o.max_ttl,
                     .interval = o.interval,
                     .grace = o.grace,
                     .total_len = (uint32_t)o.size};

    host_icmp4(h->host);
    c->mtr = mtr_new(host_ip4(h->host), host_udp(h->host), &mo, &(MtrEvents){on_line, on_mtr_done, c});
    return bind_call_block(L, &c->call, p, mtr_push, call_left);
}
