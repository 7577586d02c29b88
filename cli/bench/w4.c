/* W4, the UDP chain: source – 10 routers – sink, 1 Gbit/s and 1 ms each; a 1000-byte datagram every 16 µs for
 * 5 s. */
#include <glib.h>
#include <stdio.h>

#include "cli/bench/bench.h"
#include "models/ether/neigh.h"

#define ROUTERS 10
#define PAYLOAD 1000
#define GAP (16 * SIM_US)
#define PACKETS 312500
#define PORT 9
#define QUEUE_PACKETS 1000

typedef struct Source {
    UdpSock *sock;
    Timer timer;
    uint64_t left, off;
} Source;

static void on_timer(Timer *t)
{
    Source *s = HS_CONTAINER_OF(t, Source, timer);
    const UdpSend m = {.synthetic_off = s->off, .len = PAYLOAD};

    udpsock_send(s->sock, &m);
    s->off += PAYLOAD;
    if (--s->left)
        timer_arm_after(t, GAP);
}

static void on_datagram(void *user, UdpSock *sock)
{
    BenchNet *b = user;
    UdpRecv info;
    Packet *pkt;

    while (udpsock_recv_packet(sock, &pkt, &info) >= 0) {
        b->delivered_packets++;
        b->delivered_bytes += info.len;
        packet_unref(pkt);
    }
}

static NetLink *chain_link(Net *net, Host *a, Host *b)
{
    NetLinkConfig c;
    char *error = NULL;
    NetLink *l;

    netlinkconfig_init(&c);
    c.end[0].node = host_node(a);
    c.end[1].node = host_node(b);
    for (int i = 0; i < 2; i++) {
        c.dir[i].rate_bps = UINT64_C(1000000000);
        c.dir[i].delay = SIM_MS;
    }
    l = net_link(net, &c, &error);
    hs_assert(l != NULL);
    return l;
}

/* ns-3's point-to-point links resolve no addresses; ours are Ethernet, so each end is told the other's: ip
 * neigh add … nud permanent. */
static void know_neighbours(NetLink *l)
{
    for (unsigned end = 0; end < 2; end++) {
        Ip4If *mine = netlink_dev(l, end)->upper, *other = netlink_dev(l, !end)->upper;
        uint32_t addr = ip4_primary_addr(other);

        neigh_update(neigh_get(ip4_if_neighbours(mine), &addr), &netlink_dev(l, !end)->mac, NEIGH_PERMANENT,
                     NEIGH_UPDATE_ADMIN);
    }
}

int bench_w4(const BenchOptions *o)
{
    BenchNet b = {.workload = "w4", .net = net_new(1)};
    uint64_t routers = o->routers ? o->routers : ROUTERS;
    Host *first = net_host(b.net, "source", NULL), *last = first, *sink;
    Source src = {.left = o->n ? o->n : PACKETS};
    UdpSock *rx;
    char *error = NULL;
    int rc;

    for (uint64_t i = 0; i <= routers; i++) {
        char name[24];
        Host *next;

        g_snprintf(name, sizeof name, "r%u", (unsigned)i + 1);
        next = i < routers ? net_router(b.net, name, NULL) : net_host(b.net, "sink", NULL);
        b.capture = chain_link(b.net, last, next);
        last = next;
    }
    sink = last;
    b.capture = net_link_at(b.net, (unsigned)(routers / 2));
    if (!net_prepare(b.net, &error)) {
        fprintf(stderr, "hopscope: w4: %s\n", error);
        return 2;
    }
    for (unsigned i = 0; i < net_link_count(b.net); i++)
        know_neighbours(net_link_at(b.net, i));
    rx = udpsock_new(host_udp(sink));
    udpsock_bind(rx, (UdpAddr){0, PORT});
    udpsock_on_wake(rx, on_datagram, &b);
    src.sock = udpsock_new(host_udp(first));
    udpsock_connect(src.sock, (UdpAddr){host_addr(sink), PORT});
    timer_init(&src.timer, host_node(first), on_timer);
    timer_arm(&src.timer, 0);
    b.until = (SimTime)src.left * GAP + SIM_SEC;
    g_snprintf(b.extra, sizeof b.extra, " routers=%u sent=%u", (unsigned)routers, (unsigned)src.left);
    rc = bench_net_run(&b, o);
    return rc;
}
