/* IPv6 for transports: addresses, routes, sources, input checks, output, path MTU, ICMPv6. Two hosts on a
 * wire without link addresses; what one end sends arrives at the other at once. */
#include <errno.h>
#include <glib.h>

#include "models/ip/raw.h"
#include "models/wire/eth.h"
#include "models/wire/icmp6.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "sim/engine/sim.h"
#include "sim/packet/checksum.h"
#include "sim/trace/probe.h"

#define PROTO 253 /* for experiments (RFC 3692) */

typedef struct Dev {
    NetDev dev;
    struct Dev *peer;
    Ip4If *ifp;
    void *user;
    unsigned n_sent;
    uint8_t last[2048]; /* the last packet sent, true bytes */
    uint32_t last_len;
} Dev;

typedef struct End {
    Node node;
    Ip4 *ip4;
    Ip6 *ip;
    Dev dev;
    /* what the protocol heard */
    unsigned n_input, n_errors;
    Ip6Rx rx;
    uint32_t len;
    Ip6Error error;
    uint8_t error_l4[8];
} End;

typedef struct Bed {
    Sim *sim;
    PacketPool *pool;
    End a, b;
} Bed;

static Ipv6Addr addr(const char *s)
{
    Ipv6Addr a;

    g_assert_true(ipv6_addr_parse(s, &a));
    return a;
}

static Ipv6Prefix prefix(const char *s)
{
    Ipv6Prefix p;

    g_assert_true(ipv6_prefix_parse(s, &p));
    return p;
}

static void assert_addr(const Ipv6Addr *a, const char *want)
{
    char text[IPV6_ADDR_STR_LEN];

    g_assert_cmpstr(ipv6_addr_format(a, text), ==, want);
}

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    Dev *d = (Dev *)dev;

    (void)dst;
    g_assert_cmpuint(ethertype, ==, ETH_TYPE_IPV6);
    d->n_sent++;
    d->last_len = packet_copy(pkt, 0, d->last, sizeof d->last);
    if (!d->peer) {
        packet_unref(pkt);
        return;
    }
    pkt->l3 = pkt->head;
    d->peer->dev.input(&d->peer->dev, pkt, ethertype);
}

static const NetDevOps dev_ops = {.xmit = xmit};

static void input(void *user, Packet *pkt, const Ip6Rx *rx)
{
    End *e = user;

    e->n_input++;
    e->rx = *rx;
    e->len = packet_len(pkt);
    g_assert_cmpuint(pkt->l4, ==, pkt->head);
    packet_unref(pkt);
}

static void on_error(void *user, const Ip6Error *e)
{
    End *end = user;

    end->n_errors++;
    end->error = *e;
    memcpy(end->error_l4, e->l4, sizeof end->error_l4);
}

static void end_init(Bed *b, End *e, const char *name, const char *address)
{
    char *error = NULL;

    node_init(&e->node, b->sim, name);
    e->ip4 = ip4_new(&e->node, b->pool);
    e->dev.dev = (NetDev){.ops = &dev_ops,
                          .node = &e->node,
                          .name = "tun0",
                          .mtu = 1500,
                          .flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_NOARP | NETDEV_POINTOPOINT};
    e->dev.ifp = ip4_add_dev(e->ip4, &e->dev.dev);
    e->ip = ip6_new(e->ip4);
    g_assert_true(ip6_addr_add(e->ip, e->dev.ifp, prefix(address), &error));
    ip6_set_proto(e->ip, PROTO, &(Ip6Proto){.input = input, .error = on_error, .user = e});
}

static Bed *bed_new(void)
{
    Bed *b = g_new0(Bed, 1);

    b->sim = sim_new(1);
    b->pool = packetpool_new();
    end_init(b, &b->a, "a", "fd3d::1/16");
    end_init(b, &b->b, "b", "fd3d::2/16");
    b->a.dev.peer = &b->b.dev;
    b->b.dev.peer = &b->a.dev;
    return b;
}

static void bed_run(Bed *b, SimTime until)
{
    sim_run(b->sim, &(SimLimits){.until = until});
}

static void bed_free(Bed *b)
{
    PacketPoolInfo info;

    for (int i = 0; i < 2; i++) {
        End *e = i ? &b->b : &b->a;

        ip6_free(e->ip);
        ip4_free(e->ip4);
        node_clear(&e->node);
    }
    packetpool_get_info(b->pool, &info);
    g_assert_cmpuint(info.live, ==, 0);
    packetpool_free(b->pool);
    sim_free(b->sim);
    g_free(b);
}

static Packet *body(Bed *b, uint32_t len)
{
    Packet *p = packet_new(b->pool, 0, 0, PKT_HEADROOM);

    memcpy(packet_put(p, 8), "ABCDEFGH", 8);
    packet_add_synthetic(p, 0, len - 8);
    return p;
}

static int send(Bed *b, const Ip6Tx *tx, uint32_t len)
{
    return ip6_output(b->a.ip, body(b, len), tx);
}

static void inject(Bed *b, End *e, const uint8_t *bytes, size_t len)
{
    Packet *p = packet_from_bytes(b->pool, 0, 0, bytes, len);

    p->l3 = p->head;
    e->dev.dev.input(&e->dev.dev, p, ETH_TYPE_IPV6);
}

static Ip6Flow get(Ip6 *ip, const char *dst)
{
    Ipv6Addr d = addr(dst);
    Ip6Flow f = {0};

    g_assert_cmpint(ip6_route_get(ip, &d, NULL, NULL, &f), ==, 0);
    return f;
}

#define assert_flow(ip, dst, field, want)                                                                    \
    do {                                                                                                     \
        Ip6Flow f_ = get(ip, dst);                                                                           \
        assert_addr(&f_.field, want);                                                                        \
    } while (0)

static int get_error(Ip6 *ip, const char *dst)
{
    Ipv6Addr d = addr(dst);
    Ip6Flow f;

    return ip6_route_get(ip, &d, NULL, NULL, &f);
}

static Ip6RouteSpec spec(const char *p, const char *via, Ip4RouteType type)
{
    Ip6RouteSpec s = {.prefix = prefix(p), .type = type};

    if (via)
        s.via = addr(via);
    return s;
}

static void route(Ip6 *ip, const char *p, const char *via, Ip4RouteType type)
{
    Ip6RouteSpec s = spec(p, via, type);
    char *error = NULL;

    g_assert_true(ip6_route_add(ip, &s, &error));
}

/* ---- output and input ---- */

/* The header of what is sent (RFC 8200 section 3), and what the other end's protocol learns. */
static void test_send(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = PROTO, .tclass = 0x2e, .flow_label = 0xabcde};
    Ipv6Hdr h;

    g_assert_cmpint(send(b, &tx, 100), ==, 0);
    g_assert_cmpint(ipv6_decode(&h, b->a.dev.last, b->a.dev.last_len), ==, IPV6_HDR_LEN);
    g_assert_cmpuint(b->a.dev.last_len, ==, 140);
    g_assert_cmpuint(h.payload_len, ==, 100);
    g_assert_cmpuint(h.next_header, ==, PROTO);
    g_assert_cmpuint(h.hop_limit, ==, 64);
    g_assert_cmpuint(h.tc, ==, 0x2e);
    g_assert_cmpuint(h.flow, ==, 0xabcde);
    assert_addr(&h.src, "fd3d::1");
    g_assert_cmpuint(b->b.n_input, ==, 1);
    g_assert_cmpuint(b->b.len, ==, 100);
    g_assert_cmpuint(b->b.rx.tclass, ==, 0x2e);
    g_assert_cmpuint(b->b.rx.flow_label, ==, 0xabcde);
    g_assert_cmpuint(b->b.rx.hop_limit, ==, 64);
    assert_addr(&b->b.rx.dst, "fd3d::2");
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6OutRequests), ==, 1);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Ip6InReceives), ==, 1);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Ip6InDelivers), ==, 1);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Ip6InECT0Pkts), ==, 1);
    bed_free(b);
}

/* To ourselves: by the loopback, from the address itself. */
static void test_loopback(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::1"), .proto = PROTO};

    g_assert_cmpint(send(b, &tx, 60000), ==, 0);
    tx.dst = addr("::1");
    g_assert_cmpint(send(b, &tx, 100), ==, 0);
    bed_run(b, SIM_SEC);
    g_assert_cmpuint(b->a.n_input, ==, 2);
    assert_addr(&b->a.rx.src, "::1");
    g_assert_cmpuint(b->a.dev.n_sent, ==, 0);
    bed_free(b);
}

/* A transport that does not know its source leaves the pseudo-header to IP; the result is a right checksum.
 */
static void test_pseudo_header(void)
{
    Bed *b = bed_new();
    Packet *p = packet_new(b->pool, 0, 0, PKT_HEADROOM);
    Ipv6Addr src = addr("fd3d::1"), dst = addr("fd3d::2");
    uint32_t sum;

    udp_encode(packet_put(p, 8), &(UdpHdr){.src_port = 1, .dst_port = 2, .len = 108});
    packet_set_csum_partial(p, p->head, p->head + UDP_CHECKSUM_OFF);
    wire_put16(packet_data(p) + UDP_CHECKSUM_OFF, 0);
    packet_add_synthetic(p, 0, 100);
    g_assert_cmpint(ip6_output(b->a.ip, p, &(Ip6Tx){.dst = dst, .proto = IP_PROTO_UDP}), ==, 0);
    sum = ipv6_pseudo_sum(src.b, dst.b, IP_PROTO_UDP, 108);
    g_assert_cmphex(checksum_fold(checksum_add(sum, b->a.dev.last + 40, 108)), ==, 0xffff);
    bed_free(b);
}

/* What is longer than the MTU is refused, unless it may be cut; a super packet is measured by its frames. */
static void test_too_long(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = PROTO};
    Packet *p = body(b, 5000);

    g_assert_cmpint(send(b, &tx, 1460), ==, 0);
    g_assert_cmpint(send(b, &tx, 1461), ==, -EMSGSIZE);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6FragFails), ==, 1);
    b->a.dev.peer = NULL;
    p->gso_size = 1452;
    p->gso_segs = 4;
    g_assert_cmpint(ip6_output(b->a.ip, p, &tx), ==, 0);
    p = body(b, 5000);
    p->gso_size = 1453;
    g_assert_cmpint(ip6_output(b->a.ip, p, &tx), ==, -EMSGSIZE);
    bed_free(b);
}

/* Without neighbour discovery, a card cannot be used. */
static void test_needs_neighbours(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = PROTO};

    b->a.dev.dev.flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_BROADCAST;
    g_assert_cmpint(send(b, &tx, 100), ==, -EHOSTUNREACH);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6OutDiscards), ==, 1);
    bed_free(b);
}

/* A good packet from fd3d::1 to fd3d::2 as bytes; its payload is 16 bytes. */
static void packet_bytes(uint8_t bytes[56])
{
    Ipv6Hdr h = {.payload_len = 16,
                 .next_header = PROTO,
                 .hop_limit = 9,
                 .src = addr("fd3d::1"),
                 .dst = addr("fd3d::2")};

    memset(bytes, 0, 56);
    ipv6_encode(bytes, &h);
}

static void refuse_bytes(Bed *b, const uint8_t *bytes, size_t len, unsigned mib)
{
    uint64_t before = ip6_mib(b->b.ip, mib);

    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(ip6_mib(b->b.ip, mib), ==, before + 1);
    g_assert_cmpuint(b->b.n_input, ==, 0);
}

/* ip6_rcv_core's checks, each with its counter. */
static void test_input_checks(void)
{
    Bed *b = bed_new();
    uint8_t bytes[64];
    Ipv6Addr x;

    packet_bytes(bytes);
    refuse_bytes(b, bytes, 39, MIB_Ip6InHdrErrors);
    bytes[0] = 0x40;
    refuse_bytes(b, bytes, 56, MIB_Ip6InHdrErrors);
    packet_bytes(bytes);
    refuse_bytes(b, bytes, 55, MIB_Ip6InTruncatedPkts);
    x = addr("ff02::1");
    memcpy(bytes + 8, &x, 16);
    refuse_bytes(b, bytes, 56, MIB_Ip6InHdrErrors);
    x = addr("::ffff:1.2.3.4");
    memcpy(bytes + 8, &x, 16);
    refuse_bytes(b, bytes, 56, MIB_Ip6InHdrErrors);
    x = addr("::1");
    memcpy(bytes + 8, &x, 16);
    refuse_bytes(b, bytes, 56, MIB_Ip6InHdrErrors);
    packet_bytes(bytes);
    x = addr("fd3d::3");
    memcpy(bytes + 24, &x, 16);
    refuse_bytes(b, bytes, 56, MIB_Ip6InAddrErrors);
    x = addr("ff02::1");
    memcpy(bytes + 24, &x, 16);
    refuse_bytes(b, bytes, 56, MIB_Ip6InMcastPkts);

    packet_bytes(bytes);
    memset(bytes + 56, 0xee, 8); /* padding is cut off */
    inject(b, &b->b, bytes, 64);
    g_assert_cmpuint(b->b.n_input, ==, 1);
    g_assert_cmpuint(b->b.len, ==, 16);
    bed_free(b);
}

/* Hop-by-hop and destination options are skipped; a fragment that is a whole datagram is accepted (RFC 6946),
 * others are not. */
static void test_extensions(void)
{
    static const uint8_t extensions[] = {60,    0, 1, 4, 0, 0, 0, 0,  /* hop-by-hop: PadN */
                                         44,    0, 1, 4, 0, 0, 0, 0,  /* destination options */
                                         PROTO, 0, 0, 0, 0, 0, 0, 1}; /* fragment, offset 0, no more */
    uint8_t bytes[56 + sizeof extensions];
    Bed *b = bed_new();

    packet_bytes(bytes);
    wire_put16(bytes + 4, 16 + sizeof extensions);
    bytes[6] = IPV6_EXT_HOP_BY_HOP;
    memcpy(bytes + 40, extensions, sizeof extensions);
    memset(bytes + 40 + sizeof extensions, 7, 16);
    inject(b, &b->b, bytes, sizeof bytes);
    g_assert_cmpuint(b->b.n_input, ==, 1);
    g_assert_cmpuint(b->b.len, ==, 16);
    g_assert_cmpuint(b->b.rx.proto, ==, PROTO);

    b->b.n_input = 0;
    bytes[40 + 16 + 3] = 1; /* more fragments */
    refuse_bytes(b, bytes, sizeof bytes, MIB_Ip6ReasmFails);
    bytes[40 + 1] = 200; /* longer than the packet */
    refuse_bytes(b, bytes, sizeof bytes, MIB_Ip6InHdrErrors);
    bed_free(b);
}

/* ---- addresses and routes ---- */

static void test_routes(void)
{
    Bed *b = bed_new();
    Ip6 *ip = b->a.ip;
    Ip6RouteSpec s;
    char *error = NULL;
    uint32_t gen;

    g_assert_cmpint(get_error(ip, "2001:db8::1"), ==, -ENETUNREACH);
    g_assert_cmpint(get_error(ip, "::"), ==, -ENETUNREACH);
    route(ip, "::/0", "fd3d::fe", IP4_ROUTE_UNICAST);
    route(ip, "2001:db8::/32", "fd3d::fd", IP4_ROUTE_UNICAST);
    route(ip, "2001:db8:1::/48", NULL, IP4_ROUTE_UNREACHABLE);
    route(ip, "2001:db8:2::/48", NULL, IP4_ROUTE_PROHIBIT);
    route(ip, "2001:db8:3::/48", NULL, IP4_ROUTE_BLACKHOLE);
    assert_flow(ip, "2001:db8::1", next_hop, "fd3d::fd");
    assert_flow(ip, "2620::1", next_hop, "fd3d::fe");
    assert_flow(ip, "fd3d::9", next_hop, "fd3d::9");
    g_assert_cmpint(get_error(ip, "2001:db8:1::1"), ==, -EHOSTUNREACH);
    g_assert_cmpint(get_error(ip, "2001:db8:2::1"), ==, -EACCES);
    g_assert_cmpint(get_error(ip, "2001:db8:3::1"), ==, -EINVAL);
    g_assert_cmpint(get(ip, "fd3d::1").type, ==, IP4_ROUTE_LOCAL);

    /* A better metric wins; equal ones are refused. */
    s = spec("2001:db8::/32", "fd3d::fc", IP4_ROUTE_UNICAST);
    g_assert_false(ip6_route_add(ip, &s, &error));
    g_assert_cmpstr(error, ==, "route 2001:db8::/32: there is one with metric 1024 already");
    g_clear_pointer(&error, g_free);
    s.metric = 10;
    gen = ip6_gen(ip);
    g_assert_true(ip6_route_add(ip, &s, &error));
    g_assert_cmpuint(ip6_gen(ip), !=, gen);
    assert_flow(ip, "2001:db8::1", next_hop, "fd3d::fc");
    g_assert_true(ip6_route_remove(ip, &s, &error));
    assert_flow(ip, "2001:db8::1", next_hop, "fd3d::fd");

    /* The device goes down and comes back. */
    gen = ip6_gen(ip);
    b->a.dev.dev.flags &= (uint16_t)~NETDEV_UP;
    b->a.dev.dev.changed(&b->a.dev.dev);
    g_assert_cmpuint(ip6_gen(ip), !=, gen);
    g_assert_cmpint(get_error(ip, "2001:db8::1"), ==, -ENETUNREACH);
    b->a.dev.dev.flags |= NETDEV_UP;
    b->a.dev.dev.changed(&b->a.dev.dev);
    g_assert_cmpint(get_error(ip, "2001:db8::1"), ==, 0);

    g_assert_true(ip6_addr_remove(ip, b->a.dev.ifp, prefix("fd3d::1/16")));
    g_assert_cmpint(get_error(ip, "fd3d::9"), ==, -EADDRNOTAVAIL); /* the default route, but no source */
    bed_free(b);
}

static void refuse_route(Ip6 *ip, const char *p, const char *via, const char *message)
{
    Ip6RouteSpec s = spec(p, via, IP4_ROUTE_UNICAST);
    char *error = NULL;

    g_assert_false(ip6_route_add(ip, &s, &error));
    g_assert_cmpstr(error, ==, message);
    g_free(error);
}

static void test_refused(void)
{
    Bed *b = bed_new();
    char *error = NULL;

    refuse_route(b->a.ip, "::/0", "fe80::1", "route ::/0: gateway fe80::1 is not on a network of this host");
    refuse_route(b->a.ip, "::/0", "fd3d::1", "route ::/0: gateway fd3d::1 is this host itself");
    refuse_route(b->a.ip, "2001:db8::1/32", "fd3d::2",
                 "route 2001:db8::1/32: bits beyond the prefix are set");
    refuse_route(b->a.ip, "2001:db8::/32", NULL,
                 "route 2001:db8::/32: neither a gateway nor a device is given");
    g_assert_false(ip6_addr_add(b->a.ip, b->a.dev.ifp, prefix("ff02::5/64"), &error));
    g_assert_cmpstr(error, ==, "ff02::5/64: a multicast address cannot be a host's");
    g_clear_pointer(&error, g_free);
    g_assert_false(ip6_addr_add(b->a.ip, b->a.dev.ifp, prefix("fd3d::1/64"), &error));
    g_free(error);
    bed_free(b);
}

/* RFC 6724: a scope that reaches, then the longest common prefix. */
static void test_source(void)
{
    Bed *b = bed_new();
    Ip6 *ip = b->a.ip;
    Ipv6Addr foreign = addr("fd3d::77"), dst = addr("fd3d::2");
    Ip6Flow f;

    g_assert_true(ip6_addr_add(ip, b->a.dev.ifp, prefix("fe80::1/64"), NULL));
    g_assert_true(ip6_addr_add(ip, b->a.dev.ifp, prefix("2001:db8:5::1/64"), NULL));
    route(ip, "::/0", "fd3d::fe", IP4_ROUTE_UNICAST);
    assert_flow(ip, "fe80::9", src, "fe80::1");
    assert_flow(ip, "2001:db8:6::1", src, "2001:db8:5::1");
    assert_flow(ip, "fd3d:1::1", src, "fd3d::1");
    assert_flow(ip, "fd3d::1", src, "fd3d::1");
    g_assert_cmpint(ip6_route_get(ip, &dst, &foreign, NULL, &f), ==, -EINVAL);
    bed_free(b);
}

/* Metrics reach the flow; a change moves the generation. */
static void test_metrics(void)
{
    Bed *b = bed_new();
    Ip6 *ip = b->a.ip;
    RouteMetrics m = {0};
    Ip6RouteSpec s = spec("fd3d::/16", NULL, IP4_ROUTE_UNICAST);
    char *error = NULL;
    Ip6Flow f;

    s.metrics = &m;
    route_metrics_set(&m, ROUTE_MTU, 1400, false);
    route_metrics_set(&m, ROUTE_HOPLIMIT, 7, false);
    route_metrics_set(&m, ROUTE_INITCWND, 3, false);
    g_assert_true(ip6_route_change(ip, &s, &error)); /* the connected one */
    f = get(ip, "fd3d::2");
    g_assert_cmpuint(f.mtu, ==, 1400);
    g_assert_cmpuint(route_metrics_get(f.metrics, ROUTE_INITCWND), ==, 3);
    g_assert_cmpint(send(b, &(Ip6Tx){.dst = addr("fd3d::2"), .proto = PROTO}, 100), ==, 0);
    g_assert_cmpuint(ipv6_hop_limit(b->a.dev.last), ==, 7);
    m = (RouteMetrics){0};
    g_assert_true(ip6_route_change(ip, &s, &error));
    g_assert_cmpuint(ip6_gen(ip), !=, f.gen);
    g_assert_null(get(ip, "fd3d::2").metrics);
    s = spec("2001::/16", NULL, IP4_ROUTE_UNICAST);
    g_assert_false(ip6_route_change(ip, &s, &error));
    g_assert_cmpstr(error, ==, "route 2001::/16: there is none to change");
    g_free(error);
    bed_free(b);
}

/* Path MTU: only narrower, never below 1280 (RFC 8201 section 4), forgotten after ten minutes, not on locked
 * routes. */
static void test_pmtu(void)
{
    Bed *b = bed_new();
    Ip6 *ip = b->a.ip;
    Ipv6Addr dst = addr("fd3d::2");
    RouteMetrics m = {0};
    Ip6RouteSpec s = spec("fd3d::/16", NULL, IP4_ROUTE_UNICAST);

    ip6_pmtu_update(ip, &dst, 1279);
    g_assert_cmpuint(get(ip, "fd3d::2").mtu, ==, 1500);
    ip6_pmtu_update(ip, &dst, 1300);
    g_assert_cmpuint(get(ip, "fd3d::2").mtu, ==, 1300);
    g_assert_cmpuint(get(ip, "fd3d::3").mtu, ==, 1500);
    ip6_pmtu_update(ip, &dst, 1400);
    g_assert_cmpuint(get(ip, "fd3d::2").mtu, ==, 1300);
    g_assert_cmpint(get(ip, "fd3d::2").expires, ==, 600 * SIM_SEC);
    g_assert_cmpint(send(b, &(Ip6Tx){.dst = dst, .proto = PROTO}, 1300), ==, -EMSGSIZE);
    bed_run(b, 600 * SIM_SEC);
    g_assert_cmpuint(get(ip, "fd3d::2").mtu, ==, 1500);

    route_metrics_set(&m, ROUTE_MTU, 1450, true);
    s.metrics = &m;
    g_assert_true(ip6_route_change(ip, &s, NULL));
    ip6_pmtu_update(ip, &dst, 1300);
    g_assert_cmpuint(get(ip, "fd3d::2").mtu, ==, 1450);
    bed_free(b);
}

/* ---- ICMPv6 ---- */

static uint16_t icmp_sum(const uint8_t *packet)
{
    uint16_t len = ipv6_payload_len(packet);

    return checksum_fold(
        checksum_add(ipv6_pseudo_sum(packet + 8, packet + 24, IP_PROTO_ICMPV6, len), packet + 40, len));
}

/* An ICMPv6 message from fd3d::1 to fd3d::2. */
static size_t icmp_bytes(uint8_t *bytes, uint8_t type, uint8_t code, uint32_t info, const void *rest,
                         uint16_t len)
{
    Ipv6Hdr h = {.tc = 0x10,
                 .payload_len = (uint16_t)(8 + len),
                 .next_header = IP_PROTO_ICMPV6,
                 .hop_limit = 64,
                 .src = addr("fd3d::1"),
                 .dst = addr("fd3d::2")};

    ipv6_encode(bytes, &h);
    bytes[40] = type;
    bytes[41] = code;
    wire_put16(bytes + 42, 0);
    wire_put32(bytes + 44, info);
    memcpy(bytes + 48, rest, len);
    wire_put16(bytes + 42, (uint16_t)~icmp_sum(bytes));
    return 48u + len;
}

/* Puts together what is cut, byte by byte. */
typedef struct Pieces {
    uint8_t bytes[4000];
    uint32_t len, id;
    unsigned n;
    bool is_last;
} Pieces;

static void collect(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    Pieces *p = (Pieces *)((Dev *)dev)->user;
    uint8_t bytes[2048];
    uint32_t len = packet_copy(pkt, 0, bytes, sizeof bytes);
    Ipv6Upper up;

    g_assert_cmpuint(len, ==, IPV6_HDR_LEN + ipv6_payload_len(bytes));
    g_assert_cmpint(ipv6_find_upper(&up, bytes, len), ==, WIRE_OK);
    g_assert_true(up.is_fragment);
    g_assert_cmpuint(up.proto, ==, IP_PROTO_UDP);
    g_assert_cmpuint(up.frag_offset, ==, p->len);
    g_assert_true(p->n == 0 || up.frag_id == p->id);
    g_assert_cmpuint(up.frag_id, !=, 0);
    p->is_last = !up.more_fragments;
    g_assert_true(p->is_last || (len == 1288 && (len - up.off) % 8 == 0));
    memcpy(p->bytes + p->len, bytes + up.off, len - up.off);
    p->len += (uint32_t)(len - up.off);
    p->id = up.frag_id;
    p->n++;
    packet_unref(pkt);
}

/* RFC 8200 4.5: multiples of eight bytes, one number, a checksum over the whole. */
static void test_fragments(void)
{
    static const NetDevOps ops = {.xmit = collect};
    Bed *b = bed_new();
    Pieces got = {0};
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = IP_PROTO_UDP, .frag_mtu = 1290};
    Packet *p = packet_new(b->pool, 0, 0, PKT_HEADROOM);
    uint8_t *h = packet_put(p, UDP_HDR_LEN);
    Ip6Flow f = get(b->a.ip, "fd3d::2");
    uint32_t first_id;

    b->a.dev.dev.ops = &ops;
    b->a.dev.user = &got;
    udp_encode(h, &(UdpHdr){7, 9, 3008, 0});
    packet_add_synthetic(p, 0, 3000);
    p->l4 = p->head;
    ip6_l4_csum(p, &f.src, &tx.dst, IP_PROTO_UDP, UDP_CHECKSUM_OFF);
    g_assert_cmpint(ip6_output(b->a.ip, p, &tx), ==, 0);
    g_assert_cmpuint(got.n, ==, 3); /* 1240 + 1240 + 528 */
    g_assert_true(got.is_last);
    g_assert_cmpuint(got.len, ==, 3008);
    g_assert_true(payload_matches(got.bytes + 8, 0, 3000));
    g_assert_cmphex(checksum_fold(checksum_add(ipv6_pseudo_sum(f.src.b, tx.dst.b, IP_PROTO_UDP, 3008),
                                               got.bytes, got.len)),
                    ==, 0xffff);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6FragOKs), ==, 1);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6FragCreates), ==, 3);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6OutRequests), ==, 1);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6OutTransmits), ==, 3);
    first_id = got.id;

    got = (Pieces){0}; /* all of it in the header area */
    tx.proto = IP_PROTO_UDP;
    p = packet_new(b->pool, 0, 0, PKT_HEADROOM);
    memset(packet_put(p, PKT_BUF - PKT_HEADROOM), 'x', PKT_BUF - PKT_HEADROOM);
    packet_add_synthetic(p, 0, 1400);
    g_assert_cmpint(ip6_output(b->a.ip, p, &tx), ==, 0);
    g_assert_cmpuint(got.n, ==, 2);
    g_assert_cmpuint(got.id, !=, first_id);

    tx.frag_mtu = 1279; /* no link is so narrow */
    g_assert_cmpint(send(b, &tx, 1461), ==, -EMSGSIZE);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Ip6FragFails), ==, 1);
    bed_free(b);
}

static void on_reply(void *user, Packet *reply, const Ip6Rx *rx)
{
    End *e = user;

    e->n_input++;
    e->rx = *rx;
    g_assert_cmpuint(icmp6_type(packet_cdata(reply)), ==, ICMP6_ECHO_REPLY);
    packet_unref(reply);
}

static Packet *echo_request(Bed *b, uint16_t id)
{
    Packet *p = body(b, 20);

    memset(packet_data(p), 0, 8);
    packet_data(p)[0] = ICMP6_ECHO;
    wire_put16(packet_data(p) + ICMP6_ID_OFF, id);
    return p;
}

/* Requests of our own: the answers, and what is said about the requests, go to who has the identifier. */
static void test_own_echo(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = IP_PROTO_ICMPV6};
    uint8_t bytes[200], quote[48] = {0};
    size_t len;

    g_assert_cmpuint(ip6_echo_open(b->a.ip, 77, on_reply, on_error, &b->a), ==, 77);
    g_assert_cmpuint(ip6_echo_open(b->a.ip, 77, on_reply, on_error, &b->b), ==, 0);
    g_assert_cmpuint(ip6_echo_open(b->a.ip, 0, on_reply, on_error, &b->b), ==, 1);
    g_assert_cmpint(ip6_send_query(b->a.ip, echo_request(b, 77), &tx), ==, 0);
    g_assert_cmpuint(b->a.n_input, ==, 1);
    assert_addr(&b->a.rx.src, "fd3d::2");
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Icmp6OutEchos), ==, 1);
    g_assert_cmpint(ip6_send_query(b->a.ip, echo_request(b, 78), &tx), ==, 0);
    g_assert_cmpuint(b->a.n_input, ==, 1);
    g_assert_cmpuint(b->b.n_input, ==, 0);
    tx.dst = addr("2001::1");
    g_assert_cmpint(ip6_send_query(b->a.ip, echo_request(b, 77), &tx), ==, -ENETUNREACH);

    g_assert_cmpuint(ip6_echo_open(b->b.ip, 77, on_reply, on_error, &b->b), ==, 77);
    ipv6_encode(quote, &(Ipv6Hdr){.payload_len = 8,
                                  .next_header = IP_PROTO_ICMPV6,
                                  .src = addr("fd3d::2"),
                                  .dst = addr("2001::9")});
    quote[40] = ICMP6_ECHO;
    wire_put16(quote + 40 + ICMP6_ID_OFF, 77);
    len = icmp_bytes(bytes, ICMP6_DEST_UNREACH, ICMP6_UNREACH_ADDR, 0, quote, sizeof quote);
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(b->b.n_errors, ==, 1);
    g_assert_cmpint(b->b.error.err, ==, EHOSTUNREACH);
    quote[40] = ICMP6_ECHO_REPLY; /* that was no request */
    len = icmp_bytes(bytes, ICMP6_DEST_UNREACH, ICMP6_UNREACH_ADDR, 0, quote, sizeof quote);
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(b->b.n_errors, ==, 1);
    ip6_echo_close(b->b.ip, 77);
    ip6_echo_close(b->b.ip, 77);
    g_assert_cmpuint(ip6_echo_open(b->b.ip, 77, on_reply, on_error, &b->b), ==, 77);
    bed_free(b);
}

static bool on_raw4(void *user, const Packet *pkt, const Ip4Rx *rx)
{
    (void)user, (void)pkt, (void)rx;
    g_assert_not_reached();
}

static void on_raw_error4(void *user, const Ip4Error *e)
{
    (void)user, (void)e;
    g_assert_not_reached();
}

static bool on_raw6(void *user, const Packet *pkt, const Ip6Rx *rx)
{
    unsigned *seen = user;

    g_assert_cmpuint(pkt->head, ==, pkt->l4);
    g_assert_cmpuint(rx->proto, ==, PROTO);
    seen[0]++;
    return seen[1];
}

static void on_raw_error6(void *user, const Ip6Error *e)
{
    unsigned *seen = user;

    (void)e;
    seen[2]++;
}

/* Taps come before the protocol, which need not be known if one of them wants the packet. */
static void test_raw_taps(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = PROTO};
    unsigned seen[3] = {0}, other[3] = {0};
    RawTap tap = {.proto = PROTO,
                  .input4 = on_raw4,
                  .input6 = on_raw6,
                  .error4 = on_raw_error4,
                  .error6 = on_raw_error6,
                  .user = seen};
    RawTap second = tap;

    second.proto = PROTO + 1;
    second.user = other;
    ip6_raw_add(b->b.ip, &tap);
    ip6_raw_add(b->b.ip, &second);
    g_assert_cmpint(send(b, &tx, 100), ==, 0);
    g_assert_cmpuint(seen[0], ==, 1);
    g_assert_cmpuint(b->b.n_input, ==, 1);

    ip6_set_proto(b->b.ip, PROTO, NULL);
    g_assert_cmpint(send(b, &tx, 100), ==, 0);
    g_assert_cmpuint(seen[0], ==, 2);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1); /* nobody wants it: a parameter problem */
    seen[1] = true;
    g_assert_cmpint(send(b, &tx, 100), ==, 0);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Ip6InDelivers), ==, 2);

    ip6_raw_add(b->a.ip, &tap); /* that problem, told to the sender's tap */
    ip6_raw_remove(b->b.ip, &tap);
    g_assert_cmpint(send(b, &tx, 100), ==, 0);
    g_assert_cmpuint(seen[2], ==, 1);
    g_assert_cmpuint(seen[0], ==, 3);
    ip6_raw_remove(b->a.ip, &tap);
    ip6_raw_remove(b->b.ip, &second);
    g_assert_cmpuint(other[0] + other[2], ==, 0);
    bed_free(b);
}

static void test_echo(void)
{
    Bed *b = bed_new();
    uint8_t bytes[200];
    size_t len = icmp_bytes(bytes, ICMP6_ECHO, 0, 0x12340001, "hello, world", 12);

    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1);
    g_assert_cmpuint(b->b.dev.last_len, ==, len);
    g_assert_cmpuint(b->b.dev.last[40], ==, ICMP6_ECHO_REPLY);
    g_assert_cmpmem(b->b.dev.last + 44, 16, bytes + 44, 16);
    g_assert_cmpmem(b->b.dev.last + 8, 16, bytes + 24, 16);
    g_assert_cmphex(icmp_sum(b->b.dev.last), ==, 0xffff);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InEchos), ==, 1);
    g_assert_cmpuint(ip6_mib(b->a.ip, MIB_Icmp6InEchoReplies), ==, 1);

    bytes[50] ^= 1;
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InCsumErrors), ==, 1);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1);
    bed_free(b);
}

/* Linux icmpv6_err_convert: the errno of each error, and whether it ends a connection. */
static void test_errors_in(void)
{
    static const struct {
        uint8_t type, code;
        int err;
        bool hard;
    } rows[] = {
        {1, 0, ENETUNREACH, false},  {1, 1, EACCES, true},        {1, 2, EHOSTUNREACH, false},
        {1, 3, EHOSTUNREACH, false}, {1, 4, ECONNREFUSED, true},  {1, 5, EACCES, true},
        {1, 6, EACCES, true},        {1, 7, EPROTO, true},        {2, 0, EMSGSIZE, false},
        {3, 0, EHOSTUNREACH, false}, {3, 1, EHOSTUNREACH, false}, {4, 1, EPROTO, true},
    };
    Bed *b = bed_new();
    uint8_t bytes[200], quote[48];
    size_t len;

    ipv6_encode(quote, &(Ipv6Hdr){.payload_len = 1000,
                                  .next_header = PROTO,
                                  .src = addr("fd3d::2"),
                                  .dst = addr("2001::9")});
    memcpy(quote + 40, "ABCDEFGH", 8);
    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        len = icmp_bytes(bytes, rows[i].type, rows[i].code, 1400, quote, sizeof quote);
        inject(b, &b->b, bytes, len);
        g_assert_cmpuint(b->b.n_errors, ==, i + 1);
        g_assert_cmpint(b->b.error.err, ==, rows[i].err);
        g_assert_cmpint(b->b.error.hard, ==, rows[i].hard);
        g_assert_cmpuint(b->b.error.icmp_type, ==, rows[i].type);
        g_assert_cmpuint(b->b.error.info, ==, 1400);
        g_assert_cmpmem(b->b.error_l4, 8, "ABCDEFGH", 8);
        assert_addr(&b->b.error.dst, "2001::9");
        assert_addr(&b->b.error.reporter, "fd3d::1");
    }
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InDestUnreachs), ==, 8);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InPktTooBigs), ==, 1);

    /* Too short a quote; a quote of what we never sent. */
    len = icmp_bytes(bytes, 1, 4, 0, quote, sizeof quote - 1);
    inject(b, &b->b, bytes, len);
    quote[8] ^= 1;
    len = icmp_bytes(bytes, 1, 4, 0, quote, sizeof quote);
    inject(b, &b->b, bytes, len);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6InErrors), ==, 2);
    g_assert_cmpuint(b->b.n_errors, ==, HS_ARRAY_LEN(rows));
    bed_free(b);
}

/* An unknown protocol is answered with a parameter problem that points at its number (RFC 8200 section 4). */
static void test_unknown_protocol(void)
{
    Bed *b = bed_new();
    Ip6Tx tx = {.dst = addr("fd3d::2"), .proto = PROTO};

    ip6_set_proto(b->b.ip, PROTO, NULL);
    g_assert_cmpint(send(b, &tx, 1400), ==, 0);
    g_assert_cmpuint(b->b.dev.last[40], ==, ICMP6_PARAM_PROBLEM);
    g_assert_cmpuint(b->b.dev.last[41], ==, ICMP6_PARAM_NEXT_HEADER);
    g_assert_cmpuint(wire_get32(b->b.dev.last + 44), ==, 6);
    g_assert_cmpuint(b->b.dev.last_len, ==, IPV6_MIN_MTU); /* quotes as much as fits */
    g_assert_cmphex(icmp_sum(b->b.dev.last), ==, 0xffff);
    g_assert_cmpuint(b->a.n_errors, ==, 1);
    g_assert_cmpint(b->a.error.err, ==, EPROTO);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Ip6InUnknownProtos), ==, 1);
    bed_free(b);
}

/* RFC 4443 2.4 (e): no error about an error. */
static void test_no_error_about_error(void)
{
    Bed *b = bed_new();
    uint8_t bytes[200];
    size_t len = icmp_bytes(bytes, ICMP6_DEST_UNREACH, 0, 0, "12345678", 8);
    Packet *p = packet_from_bytes(b->pool, 0, 0, bytes, len);

    p->l3 = p->head;
    ip6_send_error(b->b.ip, p, ICMP6_DEST_UNREACH, ICMP6_UNREACH_PORT, 0);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 0);
    packet_unref(p);
    len = icmp_bytes(bytes, ICMP6_ECHO, 0, 0, "12345678", 8);
    p = packet_from_bytes(b->pool, 0, 0, bytes, len);
    p->l3 = p->head;
    ip6_send_error(b->b.ip, p, ICMP6_DEST_UNREACH, ICMP6_UNREACH_PORT, 0);
    g_assert_cmpuint(b->b.dev.n_sent, ==, 1);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Icmp6OutDestUnreachs), ==, 1);
    packet_unref(p);
    bed_free(b);
}

/* Without IPv6, its frames have no handler. */
static void test_tap_gone(void)
{
    Bed *b = bed_new();

    g_assert_true(ip6_addr_remove(b->b.ip, b->b.dev.ifp, prefix("fd3d::2/16")));
    g_assert_cmpint(send(b, &(Ip6Tx){.dst = addr("fd3d::2"), .proto = PROTO}, 100), ==, 0);
    g_assert_cmpuint(ip6_mib(b->b.ip, MIB_Ip6InReceives), ==, 0);
    bed_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip6/send", test_send);
    g_test_add_func("/ip6/loopback", test_loopback);
    g_test_add_func("/ip6/pseudo-header", test_pseudo_header);
    g_test_add_func("/ip6/too-long", test_too_long);
    g_test_add_func("/ip6/fragments", test_fragments);
    g_test_add_func("/ip6/own-echo", test_own_echo);
    g_test_add_func("/ip6/raw-taps", test_raw_taps);
    g_test_add_func("/ip6/needs-neighbours", test_needs_neighbours);
    g_test_add_func("/ip6/input-checks", test_input_checks);
    g_test_add_func("/ip6/extensions", test_extensions);
    g_test_add_func("/ip6/routes", test_routes);
    g_test_add_func("/ip6/refused", test_refused);
    g_test_add_func("/ip6/source", test_source);
    g_test_add_func("/ip6/metrics", test_metrics);
    g_test_add_func("/ip6/pmtu", test_pmtu);
    g_test_add_func("/ip6/echo", test_echo);
    g_test_add_func("/ip6/errors-in", test_errors_in);
    g_test_add_func("/ip6/unknown-protocol", test_unknown_protocol);
    g_test_add_func("/ip6/no-error-about-error", test_no_error_about_error);
    g_test_add_func("/ip6/tap-gone", test_tap_gone);
    return g_test_run();
}
