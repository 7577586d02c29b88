/* Size: 100 000 idle hosts behind 1 000 routers that hang on one core; how long it takes to build, and what a
 * host costs. */
#include <glib.h>
#include <inttypes.h>

#include "cli/bench/bench.h"

#define HOSTS 100000
#define ROUTERS 1000
#define P2P_LEN 30

static NetLink *idle_link(Net *net, Host *router, Host *other, uint32_t base)
{
    NetLinkConfig c;
    char *error = NULL;

    netlinkconfig_init(&c);
    c.end[0] = (NetEndConfig){.node = host_node(router), .has_addr = true, .addr = {base + 1, P2P_LEN}};
    c.end[1] = (NetEndConfig){.node = host_node(other), .has_addr = true, .addr = {base + 2, P2P_LEN}};
    for (int k = 0; k < 2; k++) {
        c.dir[k].rate_bps = UINT64_C(100000000);
        c.dir[k].delay = SIM_MS;
    }
    return net_link(net, &c, &error);
}

static void route(Host *h, Ipv4Prefix to, uint32_t via)
{
    char *error = NULL;
    const Ip4RouteSpec spec = {.prefix = to, .via = via};
    bool ok = ip4_route_add(host_ip4(h), &spec, &error);

    hs_assert(ok);
}

int bench_size(const BenchOptions *o)
{
    unsigned hosts = o->n ? (unsigned)o->n : HOSTS, routers = o->routers ? (unsigned)o->routers : ROUTERS;
    unsigned per = (hosts + routers - 1) / routers, made = 0;
    long rss_before = bench_peak_rss_kb();
    BenchClock before = bench_clock(), after;
    Net *net = net_new(1);
    Host *core = net_router(net, "core", NULL);
    NetSizes z;
    SimStop stop;
    const SimLimits limits = {.until = SIM_SEC};
    double rss_per_host;

    for (unsigned r = 0; r < routers; r++) {
        char name[32];
        Host *router;
        /* Each router has a /20 of 10.0.0.0/8: 1024 links of four addresses. */
        uint32_t block = IPV4_ADDR(10, 0, 0, 0) + (r << 12), uplink = IPV4_ADDR(172, 16, 0, 0) + (r << 2);

        g_snprintf(name, sizeof name, "r%u", r);
        router = net_router(net, name, NULL);
        if (!idle_link(net, core, router, uplink))
            return 2;
        route(router, (Ipv4Prefix){0, 0}, uplink + 1);
        route(core, (Ipv4Prefix){block, 20}, uplink + 2);
        for (unsigned k = 0; k < per && made < hosts; k++, made++) {
            Host *h;

            g_snprintf(name, sizeof name, "h%u-%u", r, k);
            h = net_host(net, name, NULL);
            if (!idle_link(net, router, h, block + (k << 2)))
                return 2;
            route(h, (Ipv4Prefix){0, 0}, block + (k << 2) + 1);
        }
    }
    after = bench_clock();
    stop = sim_run(net_sim(net), &limits);
    rss_per_host = (double)(bench_peak_rss_kb() - rss_before) * 1024 / made;
    net_sizes(net, &z);
    printf("workload=size hosts=%u routers=%u setup_cpu_s=%.3f setup_wall_s=%.3f events=%" PRIu64
           " rss_bytes_per_host=%.0f counted_bytes_per_host=%.0f bytes_per_link=%.0f bytes_per_route=%.0f "
           "peak_rss_kb=%ld idle=%d\n",
           made, routers, after.cpu_s - before.cpu_s, after.wall_s - before.wall_s, sim_events(net_sim(net)),
           rss_per_host, (double)(z.host_bytes + z.link_bytes + z.route_bytes) / made,
           (double)z.link_bytes / (double)z.links, (double)z.route_bytes / (double)z.routes,
           bench_peak_rss_kb(), stop == SIM_STOP_IDLE);
    net_free(net);
    return 0;
}
