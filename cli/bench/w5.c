/* W5, scale: server –(10 Gbit/s 1 ms)– core –(1 Gbit/s 2 ms)– 100 leaves –(100 Mbit/s 1 ms)– 100 hosts each;
 * host k sends 100 000 bytes to the server at k ms, then closes; 20 s. And idle: established connections
 * between hosts that say nothing. */
#include <glib.h>

#include "cli/bench/tcp_net.h"

#define LEAVES 100
#define HOSTS_PER_LEAF 100
#define BYTES 100000
#define BUFFER (256u << 10)

typedef struct Sender {
    struct Scale *scale;
    TcpSource *source;
} Sender;

typedef struct Scale {
    BenchNet b;
    Host **hosts;
    Sender *senders;
    unsigned n, next, ended;
    InetEndpoint to;
    Timer timer;
    TcpSink *sink;
    const char *cc;
} Scale;

static void on_done(void *user, const TcpSourceResult *r)
{
    Sender *s = user;

    (void)r;
    s->scale->ended++;
    tcp_source_free(s->source);
    s->source = NULL;
}

/* Only what runs takes memory, as with programs. */
static void on_timer(Timer *t)
{
    Scale *s = HS_CONTAINER_OF(t, Scale, timer);
    Host *h = s->hosts[s->next];
    Sender *sender = &s->senders[s->next];

    sender->scale = s;
    sender->source = tcp_source_new(host_tcp(h), host_node(h),
                                    &(TcpSourceOptions){.to = s->to,
                                                        .bytes = BYTES,
                                                        .write_bytes = BENCH_WRITE_BYTES,
                                                        .sndbuf = BUFFER,
                                                        .rcvbuf = BUFFER,
                                                        .congestion = s->cc},
                                    on_done, sender);
    if (sender->source && ++s->next < s->n)
        timer_arm_after(t, SIM_MS);
}

static void on_end(BenchNet *b)
{
    Scale *s = HS_CONTAINER_OF(b, Scale, b);
    TcpSinkResult r;

    tcp_sink_result(s->sink, &r);
    b->delivered_bytes = r.bytes;
    b->delivered_packets = s->ended;
    for (unsigned i = 0; i < s->next; i++)
        tcp_source_free(s->senders[i].source);
    tcp_sink_free(s->sink);
    timer_clear(&s->timer);
}

/* Static routes: a leaf's default route leads to the core, which has one route a leaf. Host j of leaf i is
 * 10.i.j.2 behind 10.i.j.1/30, so that a leaf is one prefix. */
static void plug(Scale *s, Host *a, Host *b, uint32_t subnet, uint64_t rate, SimTime delay)
{
    NetLinkConfig c;
    char *error = NULL;

    netlinkconfig_init(&c);
    c.end[0] = (NetEndConfig){.node = host_node(a), .has_addr = true, .addr = {subnet + 1, 30}};
    c.end[1] = (NetEndConfig){.node = host_node(b), .has_addr = true, .addr = {subnet + 2, 30}};
    for (int i = 0; i < 2; i++) {
        c.dir[i].rate_bps = rate;
        c.dir[i].delay = delay;
    }
    s->b.capture = net_link(s->b.net, &c, &error);
    hs_assert(s->b.capture != NULL);
}

static void route(Host *h, Ipv4Prefix prefix, uint32_t via)
{
    char *error = NULL;
    bool ok = ip4_route_add(host_ip4(h), &(Ip4RouteSpec){.prefix = prefix, .via = via}, &error);

    hs_assert(ok);
}

#define NET(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
static const Ipv4Prefix everything = {0, 0};

static void build(Scale *s, Host *server)
{
    Host *core = net_router(s->b.net, "core", NULL), *leaf = NULL;

    plug(s, core, server, NET(172, 16, 0, 0), UINT64_C(10000000000), SIM_MS);
    route(server, everything, NET(172, 16, 0, 1));
    for (unsigned i = 0; i < s->n; i++) {
        unsigned l = i / HOSTS_PER_LEAF, j = i % HOSTS_PER_LEAF;
        char name[16];

        if (j == 0) {
            uint32_t up = NET(172, 17, l, 0);

            g_snprintf(name, sizeof name, "leaf%u", l);
            leaf = net_router(s->b.net, name, NULL);
            plug(s, core, leaf, up, 1000000000, 2 * SIM_MS);
            route(leaf, everything, up + 1);
            route(core, (Ipv4Prefix){NET(10, l, 0, 0), 16}, up + 2);
        }
        g_snprintf(name, sizeof name, "h%u", i);
        s->hosts[i] = net_host(s->b.net, name, NULL);
        plug(s, leaf, s->hosts[i], NET(10, l, j, 0), 100000000, SIM_MS);
        route(s->hosts[i], everything, NET(10, l, j, 1));
    }
}

int bench_w5(const BenchOptions *o)
{
    BenchClock before = bench_clock(), after;
    long rss = bench_peak_rss_kb();
    Scale s = {.b = {.workload = "w5", .net = net_new(1), .until = 20 * SIM_SEC, .on_end = on_end},
               .n = o->n ? (unsigned)o->n : LEAVES * HOSTS_PER_LEAF,
               .cc = o->cc};
    Host *server = net_host(s.b.net, "server", NULL);
    int rc = 2;

    s.hosts = g_new(Host *, s.n);
    s.senders = g_new0(Sender, s.n);
    net_set_auto_routes(s.b.net, false);
    build(&s, server);
    if (!bench_prepare(&s.b))
        goto out;
    s.to = bench_at(server);
    s.sink = bench_sink(server, BUFFER);
    timer_init(&s.timer, host_node(server), on_timer);
    timer_arm(&s.timer, 0);
    after = bench_clock();
    g_snprintf(s.b.extra, sizeof s.b.extra, " hosts=%u setup_s=%.3f setup_bytes_per_host=%ld", s.n,
               after.cpu_s - before.cpu_s, (bench_peak_rss_kb() - rss) * 1024 / (long)s.n);
    rc = bench_net_run(&s.b, o);
    printf("bytes_per_host_at_peak=%ld\n", (bench_peak_rss_kb() - rss) * 1024 / (long)s.n);
out:
    g_free(s.hosts);
    g_free(s.senders);
    return rc;
}

/* 100 000 connections between two hosts, established and silent. */
#define IDLE_CONNECTIONS 100000
#define CONNECTIONS_PER_PORT 20000

int bench_idle(const BenchOptions *o)
{
    unsigned n = o->n ? (unsigned)o->n : IDLE_CONNECTIONS,
             n_ports = (n + CONNECTIONS_PER_PORT - 1) / CONNECTIONS_PER_PORT;
    Net *net = net_new(1);
    BenchNet b = {.workload = "idle", .net = net};
    Host *client = net_host(net, "client", NULL), *server = net_host(net, "server", NULL);
    TcpSink **sinks = g_new0(TcpSink *, n_ports);
    TcpConn **conns = g_new0(TcpConn *, n);
    BenchClock before = bench_clock(), after;
    long rss;
    uint64_t events, established = 0;

    bench_link(net, host_node(client), host_node(server), UINT64_C(10000000000), SIM_MS, 100000);
    if (!bench_prepare(&b))
        return 2;
    for (unsigned i = 0; i < n_ports; i++) {
        int err;

        sinks[i] = tcp_sink_new(
            host_tcp(server), host_node(server),
            &(TcpSinkOptions){.at = {.addr = inet_from_ip4(0), .port = (uint16_t)(BENCH_TCP_PORT + i)}},
            &err);
    }
    host_tcp(client);
    rss = bench_peak_rss_kb();
    for (unsigned i = 0; i < n; i++) {
        InetEndpoint to = bench_at(server);

        to.port = (uint16_t)(to.port + i % n_ports);
        conns[i] = tcp_socket(host_tcp(client), false);
        tcp_connect(conns[i], &to);
        if (i % 100 == 99)
            sim_run(net_sim(net), &(SimLimits){.until = sim_now(net_sim(net)) + 10 * SIM_MS});
    }
    sim_run(net_sim(net), &(SimLimits){.until = sim_now(net_sim(net)) + 10 * SIM_SEC});
    for (unsigned i = 0; i < n; i++)
        established += tcp_state(conns[i]) == TCP_ESTABLISHED;
    rss = bench_peak_rss_kb() - rss;
    events = sim_events(net_sim(net));
    sim_run(net_sim(net), &(SimLimits){.until = sim_now(net_sim(net)) + 3600 * SIM_SEC});
    after = bench_clock();
    printf("workload=idle connections=%u established=%" G_GUINT64_FORMAT
           " cpu_s=%.3f bytes_per_pair=%ld events_in_an_idle_hour=%" G_GUINT64_FORMAT
           " pending=%" G_GUINT64_FORMAT "\n",
           n, established, after.cpu_s - before.cpu_s, rss * 1024 / (long)n,
           sim_events(net_sim(net)) - events, sim_pending(net_sim(net)));
    for (unsigned i = 0; i < n; i++)
        tcp_close(conns[i]);
    for (unsigned i = 0; i < n_ports; i++)
        tcp_sink_free(sinks[i]);
    g_free(conns);
    g_free(sinks);
    net_free(net);
    return 0;
}
