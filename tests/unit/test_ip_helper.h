/* Hosts with IPv4, ICMP and UDP on wires without link layer: what is sent on one end arrives at the other
 * after 1 ms. The device needs no neighbours, so tests see IP packets and nothing else. */
#pragma once

#include <glib.h>

#include "models/ip/icmp4.h"
#include "models/ip/ip4.h"
#include "models/udp/udp.h"
#include "models/wire/eth.h"
#include "sim/engine/sim.h"
#include "sim/trace/probe.h"

#define WIRE_DELAY SIM_MS

typedef struct TestDev {
    NetDev dev;
    struct TestDev *peer;
    Ip4If *ifp;
    bool is_cut; /* loses everything */
    Packet *(*filter)(void *user,
                      Packet *pkt); /* returns what goes on, or NULL (it then has released the packet) */
    void *filter_user;
    unsigned n_sent;
    uint8_t last[2048]; /* the last packet sent, from the IP header on, true bytes */
    uint32_t last_len;
} TestDev;

typedef struct TestHost {
    Node node;
    Ip4 *ip;
    Icmp4 *icmp;
    Udp *udp;
    TestDev dev[2];
} TestHost;

typedef struct TestNet {
    Sim *sim;
    PacketPool *pool;
    TestHost *host[8];
    unsigned n_hosts;
} TestNet;

typedef struct TestFlight {
    TestDev *to;
    Packet *pkt;
} TestFlight;

static void test_dev_arrive(void *arg)
{
    TestFlight f = *(TestFlight *)arg;

    g_free(arg);
    /* In front of the IP header there was a link header of 14 bytes. */
    f.pkt->l3 = f.pkt->head;
    f.to->dev.input(&f.to->dev, f.pkt, ETH_TYPE_IPV4);
}

static void test_dev_xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    TestDev *d = (TestDev *)dev;
    TestFlight *f;

    g_assert_cmpuint(ethertype, ==, ETH_TYPE_IPV4);
    d->n_sent++;
    d->last_len = packet_copy(pkt, 0, d->last, sizeof d->last);
    if (d->filter)
        pkt = d->filter(d->filter_user, pkt);
    if (!pkt)
        return;
    if (d->is_cut || !d->peer) {
        packet_unref(pkt);
        return;
    }
    f = g_new(TestFlight, 1);
    *f = (TestFlight){d->peer, pkt};
    node_after(d->peer->dev.node, WIRE_DELAY, test_dev_arrive, f);
}

static const NetDevOps test_dev_ops = {.xmit = test_dev_xmit};

static G_GNUC_UNUSED TestHost *test_host(TestNet *n, const char *name)
{
    TestHost *h = g_new0(TestHost, 1);

    node_init(&h->node, n->sim, name);
    h->ip = ip4_new(&h->node, n->pool);
    h->icmp = icmp4_new(h->ip);
    h->udp = udp_new(h->ip);
    n->host[n->n_hosts++] = h;
    return h;
}

/* Gives the host's device i (0 or 1) the address and connects it to the peer's device j, if there is one. */
static G_GNUC_UNUSED void test_dev(TestHost *h, unsigned i, const char *prefix, TestDev *peer)
{
    TestDev *d = &h->dev[i];
    Ipv4Prefix p;
    char *error = NULL;

    d->dev = (NetDev){
        .ops = &test_dev_ops,
        .node = &h->node,
        .name = i ? "eth1" : "eth0",
        .mtu = 1500,
        .flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_NOARP | NETDEV_BROADCAST,
        .ifindex = (uint16_t)(2 + i),
    };
    d->peer = peer;
    if (peer)
        peer->peer = d;
    d->ifp = ip4_add_dev(h->ip, &d->dev);
    g_assert_true(ipv4_prefix_parse(prefix, &p));
    g_assert_true(ip4_addr_add(h->ip, d->ifp, p, &error));
    g_assert_null(error);
}

static G_GNUC_UNUSED void test_route(TestHost *h, const char *prefix, uint32_t via)
{
    Ip4RouteSpec r = {.type = IP4_ROUTE_UNICAST, .via = via};
    char *error = NULL;

    g_assert_true(ipv4_prefix_parse(prefix, &r.prefix));
    g_assert_true(ip4_route_add(h->ip, &r, &error));
    g_assert_null(error);
}

static G_GNUC_UNUSED TestNet *test_net_new(void)
{
    TestNet *n = g_new0(TestNet, 1);

    n->sim = sim_new(1);
    n->pool = packetpool_new();
    return n;
}

static G_GNUC_UNUSED void test_net_run(TestNet *n, SimTime for_how_long)
{
    sim_run(n->sim, &(SimLimits){.until = sim_now(n->sim) + for_how_long});
}

static G_GNUC_UNUSED void test_net_free(TestNet *n)
{
    PacketPoolInfo info;

    for (unsigned i = 0; i < n->n_hosts; i++) {
        TestHost *h = n->host[i];

        udp_free(h->udp);
        icmp4_free(h->icmp);
        ip4_free(h->ip);
        node_clear(&h->node);
        g_free(h);
    }
    packetpool_get_info(n->pool, &info);
    g_assert_cmpuint(info.live, ==, 0);
    packetpool_free(n->pool);
    sim_free(n->sim);
    g_free(n);
}

/* a (10.0.0.1) and b (10.0.0.2) on one wire. */
typedef struct TestPair {
    TestNet *net;
    TestHost *a, *b;
} TestPair;

#define TEST_A IPV4_ADDR(10, 0, 0, 1)
#define TEST_B IPV4_ADDR(10, 0, 0, 2)

static G_GNUC_UNUSED TestPair test_pair(void)
{
    TestPair p = {.net = test_net_new()};

    p.a = test_host(p.net, "a");
    p.b = test_host(p.net, "b");
    test_dev(p.a, 0, "10.0.0.1/24", NULL);
    test_dev(p.b, 0, "10.0.0.2/24", &p.a->dev[0]);
    return p;
}

/* Sends any IP packet of protocol `proto` with that body. */
static G_GNUC_UNUSED int test_send_ip(TestHost *h, const Ip4Tx *tx, const void *body, size_t len)
{
    Packet *p = packet_new(ip4_pool(h->ip), h->node.id, h->node.birth_next++, PKT_HEADROOM);

    if (len <= 64)
        memcpy(packet_put(p, (unsigned)len), body, len);
    else {
        memcpy(packet_put(p, 64), body, 64);
        packet_add_bytes(p, (const uint8_t *)body + 64, len - 64);
    }
    return ip4_output(h->ip, p, tx);
}

/* A complete IP packet as bytes arrives at the host's first device. */
static G_GNUC_UNUSED void test_inject(TestHost *h, const uint8_t *bytes, size_t len, uint8_t flags)
{
    Packet *p = packet_new(ip4_pool(h->ip), 0, 0, 50);
    size_t in_buf = HS_MIN(len, (size_t)100);

    memcpy(packet_put(p, (unsigned)in_buf), bytes, in_buf);
    packet_add_bytes(p, bytes + in_buf, len - in_buf);
    p->l3 = p->head;
    p->flags = flags;
    h->dev[0].dev.input(&h->dev[0].dev, p, ETH_TYPE_IPV4);
}

static G_GNUC_UNUSED uint64_t test_icmp(const TestHost *h, unsigned mib)
{
    return icmp4_mib(h->icmp, mib);
}
