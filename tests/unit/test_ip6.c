/* IPv6 for transports: addresses, routes, sources, input checks, output, fragments, path MTU, raw taps. */
#include "models/wire/icmp6.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "sim/packet/checksum.h"
#include "tests/unit/ip6_bed.h"

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

/* ---- fragments ---- */

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

/* ---- taps ---- */

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
    g_test_add_func("/ip6/raw-taps", test_raw_taps);
    g_test_add_func("/ip6/needs-neighbours", test_needs_neighbours);
    g_test_add_func("/ip6/input-checks", test_input_checks);
    g_test_add_func("/ip6/extensions", test_extensions);
    g_test_add_func("/ip6/routes", test_routes);
    g_test_add_func("/ip6/refused", test_refused);
    g_test_add_func("/ip6/source", test_source);
    g_test_add_func("/ip6/metrics", test_metrics);
    g_test_add_func("/ip6/pmtu", test_pmtu);
    g_test_add_func("/ip6/tap-gone", test_tap_gone);
    return g_test_run();
}
