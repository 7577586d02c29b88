/* A packet's path: input with its checks, forwarding, output (Linux ip_input.c, ip_forward.c, ip_output.c).
 */
#include "tests/unit/ip4_bed.h"

typedef struct T {
    Bed *b;
    Ip4 *ip;
    Ip4If *e0, *e1;
    StubDev *d0, *d1;
} T;

/* A router between 10.0.0.0/24 and 10.0.1.0/24 that knows 10.0.1.2 and 10.0.0.2. */
static T router(void)
{
    T t = {.b = bed_new()};

    t.ip = bed_host(t.b);
    t.e0 = bed_dev(t.b, t.ip, "10.0.0.1/24");
    t.e1 = bed_dev(t.b, t.ip, "10.0.1.1/24");
    t.d0 = stub_of(t.e0), t.d1 = stub_of(t.e1);
    bed_know(t.e0, "10.0.0.2", 0x0a0000000002);
    bed_know(t.e1, "10.0.1.2", 0x0a0000000012);
    ip4_sysctl(t.ip)->ip_forward = true;
    return t;
}

static void give(T *t, const char *src, const char *dst, unsigned len, uint8_t ttl)
{
    bed_receive(t->e0, bed_ip(t->b, src, dst, len, 0, ttl));
}

#define EXPECT_DROP(t, name)                                                                                 \
    do {                                                                                                     \
        g_assert_cmpstr((t)->b->last_drop, ==, name);                                                        \
        (t)->b->last_drop = NULL;                                                                            \
    } while (0)

static uint64_t mib(T *t, unsigned i)
{
    return ip4_mib(t->ip, i);
}

/* HOST-06, RT-05: TTL one less, checksum right, addresses as they were, new MAC. */
static void test_forward(void)
{
    T t = router();
    const uint8_t *h;

    for (unsigned i = 0; i < 2; i++) /* the second from the cache */
        give(&t, "10.0.0.2", "10.0.1.2", 100, 64);
    g_assert_cmpuint(t.d1->sent->len, ==, 2);
    h = sent_at(t.d1, 1)->bytes;
    g_assert_cmpuint(ipv4_ttl(h), ==, 63);
    g_assert_cmpint(ipv4_check(h), ==, WIRE_OK);
    g_assert_cmpuint(ipv4_src(h), ==, addr("10.0.0.2"));
    g_assert_cmpint(mac_to_u64(sent_at(t.d1, 1)->dst), ==, 0x0a0000000012);
    g_assert_cmpuint(mib(&t, MIB_IpForwDatagrams), ==, 2);
    g_assert_cmpuint(mib(&t, MIB_IpOutTransmits), ==, 2);
    g_assert_cmpuint(mib(&t, MIB_IpOutRequests), ==, 0);
    g_assert_cmpuint(mib(&t, MIB_IpExtInNoECTPkts), ==, 2);
    g_assert_cmpuint(mib(&t, MIB_IpExtOutOctets), ==, 240);
    ip4_sysctl(t.ip)->ip_forward = false; /* the cache forgets */
    give(&t, "10.0.0.2", "10.0.1.2", 100, 64);
    EXPECT_DROP(&t, "not for this host");
    g_assert_cmpuint(mib(&t, MIB_IpInAddrErrors), ==, 1);
    g_assert_cmpuint(t.b->icmp->len, ==, 0);
    bed_free(t.b);
}

static void test_ttl(void)
{
    T t = router();

    give(&t, "10.0.0.2", "10.0.1.2", 100, 2);
    g_assert_cmpuint(ipv4_ttl(sent_at(t.d1, 0)->bytes), ==, 1);
    give(&t, "10.0.0.2", "10.0.1.2", 100, 1);
    EXPECT_DROP(&t, "TTL exceeded");
    g_assert_cmpint(icmp_at(t.b, 0)->type, ==, ICMP_TIME_EXCEEDED);
    g_assert_cmpuint(mib(&t, MIB_IpInHdrErrors), ==, 1);
    give(&t, "10.0.0.2", "10.0.0.1", 100, 1); /* for ourselves one is enough */
    g_assert_cmpuint(t.b->got->len, ==, 1);
    bed_free(t.b);
}

static void test_errors(void)
{
    T t = router();
    Packet *p;

    give(&t, "10.0.0.2", "99.0.0.1", 10, 64);
    EXPECT_DROP(&t, "no route");
    g_assert_cmpint(icmp_at(t.b, 0)->code, ==, ICMP_UNREACH_NET);
    route(t.ip, "99.0.0.0/8", NULL, IP4_ROUTE_UNREACHABLE);
    route(t.ip, "98.0.0.0/8", NULL, IP4_ROUTE_PROHIBIT);
    route(t.ip, "97.0.0.0/8", NULL, IP4_ROUTE_BLACKHOLE);
    give(&t, "10.0.0.2", "99.0.0.1", 10, 64);
    g_assert_cmpint(icmp_at(t.b, 1)->code, ==, ICMP_UNREACH_HOST);
    give(&t, "10.0.0.2", "98.0.0.1", 10, 64);
    g_assert_cmpint(icmp_at(t.b, 2)->code, ==, ICMP_UNREACH_ADMIN);
    give(&t, "10.0.0.2", "97.0.0.1", 10, 64);
    g_assert_cmpuint(t.b->icmp->len, ==, 3); /* silent */
    /* ICMP-09 */
    ip4_if_dev(t.e1)->mtu = 1400;
    ip4_if_dev(t.e1)->changed(ip4_if_dev(t.e1));
    bed_receive(t.e0, bed_ip(t.b, "10.0.0.2", "10.0.1.2", 1480, IPV4_FLAG_DF, 64));
    EXPECT_DROP(&t, "too big and DF set");
    g_assert_cmpint(icmp_at(t.b, 3)->code, ==, ICMP_UNREACH_NEEDFRAG);
    g_assert_cmpuint(icmp_at(t.b, 3)->info, ==, 1400);
    /* unknown protocol */
    p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 10, 0, 64);
    ipv4_set_proto(packet_data(p), 200);
    ipv4_fill_checksum(packet_data(p));
    bed_receive(t.e0, p);
    EXPECT_DROP(&t, "unknown protocol");
    g_assert_cmpint(icmp_at(t.b, 4)->code, ==, ICMP_UNREACH_PROTO);
    g_assert_cmpuint(mib(&t, MIB_IpInUnknownProtos), ==, 1);
    bed_free(t.b);
}

/* ICMP-11: it goes back where it came from: redirect to the better gateway, and it is forwarded all the same.
 */
static void test_redirect(void)
{
    T t = router();

    route(t.ip, "172.16.0.0/16", "10.0.0.3", IP4_ROUTE_UNICAST);
    bed_know(t.e0, "10.0.0.3", 0x0a0000000003);
    give(&t, "10.0.0.2", "172.16.0.1", 10, 64);
    g_assert_cmpuint(t.d0->sent->len, ==, 1);
    g_assert_cmpint(icmp_at(t.b, 0)->type, ==, ICMP_REDIRECT);
    g_assert_cmpuint(icmp_at(t.b, 0)->info, ==, addr("10.0.0.3"));
    give(&t, "10.0.0.2", "172.16.0.1", 10, 64);
    g_assert_cmpuint(t.b->icmp->len, ==, 1); /* at most one in 20 ms, 40 ms, … */
    bed_run(t.b, SIM_SEC);
    give(&t, "10.0.0.2", "172.16.0.1", 10, 64);
    g_assert_cmpuint(t.b->icmp->len, ==, 2);
    g_assert_cmpuint(t.d0->sent->len, ==, 3);
    ip4_sysctl(t.ip)->send_redirects = false;
    bed_run(t.b, 2 * SIM_SEC);
    give(&t, "10.0.0.2", "172.16.0.1", 10, 64);
    g_assert_cmpuint(t.b->icmp->len, ==, 2);
    bed_free(t.b);
}

static uint64_t full_queue(const NetDev *dev)
{
    return stub_of(dev->upper)->sent->len; /* as if every frame had found it full */
}

static uint64_t empty_queue(const NetDev *dev)
{
    (void)dev;
    return 7; /* drops of earlier days */
}

/* ICMP-10: in the historic profile the source of what a full queue refused is asked to slow down (RFC 1016);
 * by default never (RFC 6633). */
static void test_source_quench(void)
{
    T t = router();
    NetDevOps ops = *t.d1->dev.ops;

    t.d1->dev.ops = &ops;
    ops.queue_drops = full_queue;
    give(&t, "10.0.0.2", "10.0.1.2", 100, 64);
    g_assert_cmpuint(t.b->icmp->len, ==, 0);
    ip4_sysctl(t.ip)->source_quench = true;
    give(&t, "10.0.0.2", "10.0.1.2", 100, 64);
    g_assert_cmpuint(t.b->icmp->len, ==, 1);
    g_assert_cmpint(icmp_at(t.b, 0)->type, ==, ICMP_SOURCE_QUENCH);
    g_assert_cmpuint(icmp_at(t.b, 0)->src, ==, addr("10.0.0.2"));
    g_assert_cmpuint(icmp_at(t.b, 0)->dst, ==, addr("10.0.1.2"));
    ops.queue_drops = empty_queue;
    give(&t, "10.0.0.2", "10.0.1.2", 100, 64);
    ops.queue_drops = NULL;
    give(&t, "10.0.0.2", "10.0.1.2", 100, 64);
    g_assert_cmpuint(t.b->icmp->len, ==, 1);
    g_assert_cmpuint(t.d1->sent->len, ==, 4);
    bed_free(t.b);
}

/* ip_rcv_core: each check with its counter. */
static void test_bad_headers(void)
{
    T t = router();
    Packet *p;

    p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 10, 0, 64);
    packet_data(p)[8] ^= 1;
    bed_receive(t.e0, p);
    EXPECT_DROP(&t, "bad IP checksum");
    g_assert_cmpuint(mib(&t, MIB_IpExtInCsumErrors), ==, 1);
    g_assert_cmpuint(mib(&t, MIB_IpInHdrErrors), ==, 1);
    p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 10, 0, 64);
    packet_data(p)[0] = 0x65;
    bed_receive(t.e0, p);
    EXPECT_DROP(&t, "bad IP header");
    p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 10, 0, 64);
    packet_data(p)[0] = 0x44;
    bed_receive(t.e0, p);
    g_assert_cmpuint(mib(&t, MIB_IpInHdrErrors), ==, 3);
    p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 10, 0, 64);
    packet_trim(p, 29);
    bed_receive(t.e0, p);
    g_assert_cmpuint(mib(&t, MIB_IpExtInTruncatedPkts), ==, 1);
    p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 10, 0, 64);
    packet_trim(p, 12);
    bed_receive(t.e0, p);
    g_assert_cmpuint(mib(&t, MIB_IpInHdrErrors), ==, 4);
    g_assert_cmpuint(mib(&t, MIB_IpInReceives), ==, 5);
    g_assert_cmpuint(t.b->got->len, ==, 0);
    p = bed_ip(t.b, "10.0.0.2", "10.0.0.1", 10, 0, 64);
    p->pad = 16; /* Ethernet's padding is cut off */
    bed_receive(t.e0, p);
    g_assert_cmpuint(packet_len(t.b->got->pdata[0]), ==, 10);
    g_assert_cmpuint(packet_header_len(t.b->got->pdata[0]), >=, 8);
    bed_free(t.b);
}

/* 127/8 and other impossible addresses from a wire. */
static void test_martians(void)
{
    T t = router();
    static const struct {
        const char *src, *dst;
    } bad[] = {{"127.0.0.1", "10.0.0.1"},       {"10.0.0.2", "127.0.0.1"}, {"224.0.0.5", "10.0.0.1"},
               {"255.255.255.255", "10.0.0.1"}, {"0.0.0.1", "10.0.0.1"},   {"10.0.0.2", "0.0.0.5"},
               {"10.0.0.1", "10.0.1.2"}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(bad); i++) {
        give(&t, bad[i].src, bad[i].dst, 10, 64);
        EXPECT_DROP(&t, "impossible address");
    }
    give(&t, "0.0.0.0", "255.255.255.255", 10, 64); /* DHCP */
    g_assert_cmpuint(t.b->got->len, ==, 1);
    /* rp_filter */
    give(&t, "10.0.1.7", "10.0.0.1", 10, 64);
    g_assert_cmpuint(t.b->got->len, ==, 2);
    ip4_sysctl(t.ip)->rp_filter = true;
    give(&t, "10.0.1.7", "10.0.0.1", 10, 64);
    EXPECT_DROP(&t, "impossible address");
    bed_free(t.b);
}

/* IP4-15, -16, -18 */
static void test_broadcast(void)
{
    T t = router();
    Packet *p;

    give(&t, "10.0.0.2", "10.0.0.255", 10, 64);
    give(&t, "10.0.0.2", "255.255.255.255", 10, 64);
    g_assert_cmpuint(t.b->got->len, ==, 2);
    g_assert_cmpint(t.b->last_rx.type, ==, IP4_ROUTE_BROADCAST);
    g_assert_cmpuint(mib(&t, MIB_IpExtInBcastPkts), ==, 2);
    give(&t, "10.0.0.2", "10.0.1.255", 10, 64);
    EXPECT_DROP(&t, "directed broadcast");
    ip4_sysctl(t.ip)->bc_forwarding = true;
    give(&t, "10.0.0.2", "10.0.1.255", 10, 64);
    g_assert_cmpuint(t.d1->sent->len, ==, 1);
    g_assert_true(mac_is_broadcast(sent_at(t.d1, 0)->dst));
    g_assert_cmpuint(t.b->got->len, ==, 2);
    /* A unicast packet in a broadcast frame is not forwarded. */
    p = bed_ip(t.b, "10.0.0.2", "10.0.1.2", 10, 0, 64);
    p->flags = PKT_BROADCAST;
    bed_receive(t.e0, p);
    EXPECT_DROP(&t, "not for this host");
    ip4_sysctl(t.ip)->drop_private = true;
    give(&t, "10.0.0.2", "10.0.1.2", 10, 64);
    EXPECT_DROP(&t, "filtered");
    bed_free(t.b);
}

/* Broadcasts need permission, go to everybody's MAC, and come back to the sender's own sockets. */
static void test_send_broadcast(void)
{
    T t = router();
    Ip4Tx tx = {.dst = addr("10.0.0.255"), .proto = IP_PROTO_UDP};

    g_assert_cmpint(ip4_output(t.ip, bed_packet(t.b, 10), &tx), ==, -EACCES);
    tx.allow_broadcast = true;
    g_assert_cmpint(ip4_output(t.ip, bed_packet(t.b, 10), &tx), ==, 0);
    g_assert_true(mac_is_broadcast(sent_at(t.d0, 0)->dst));
    bed_run(t.b, 0);
    g_assert_cmpuint(t.b->got->len, ==, 1);
    g_assert_true(t.b->last_rx.in == t.e0);
    tx.dst = IPV4_BROADCAST;
    tx.oif = t.e1;
    g_assert_cmpint(ip4_output(t.ip, bed_packet(t.b, 10), &tx), ==, 0);
    g_assert_cmpuint(ipv4_src(sent_at(t.d1, 0)->bytes), ==, addr("10.0.1.1"));
    g_assert_cmpuint(mib(&t, MIB_IpExtOutBcastPkts), ==, 2);
    bed_free(t.b);
}

static void test_multicast(void)
{
    T t = router();
    Ip4Tx tx = {.dst = addr("239.1.2.3"), .proto = IP_PROTO_UDP, .oif = t.e0};

    g_assert_cmpint(ip4_output(t.ip, bed_packet(t.b, 10), &tx), ==, 0);
    g_assert_cmpint(mac_to_u64(sent_at(t.d0, 0)->dst), ==, 0x01005e010203);
    g_assert_cmpuint(ipv4_ttl(sent_at(t.d0, 0)->bytes), ==, 1);
    give(&t, "10.0.0.2", "239.1.2.3", 10, 5);
    EXPECT_DROP(&t, "not for this host");
    ip4_group_join(t.e0, addr("239.1.2.3"));
    give(&t, "10.0.0.2", "239.1.2.3", 10, 5);
    give(&t, "10.0.0.2", "224.0.0.1", 10, 5);
    g_assert_cmpuint(t.b->got->len, ==, 2);
    /* ip_mc_validate_source: nobody else speaks to a group in our name. */
    give(&t, "10.0.0.1", "239.1.2.3", 10, 5);
    EXPECT_DROP(&t, "impossible address");
    give(&t, "10.0.1.1", "224.0.0.1", 10, 5);
    EXPECT_DROP(&t, "impossible address");
    give(&t, "0.0.0.0", "224.0.0.1", 10, 5);
    g_assert_cmpuint(t.b->got->len, ==, 3);
    g_assert_true(ip4_group_leave(t.e0, addr("239.1.2.3")));
    g_assert_false(ip4_group_leave(t.e0, addr("239.1.2.3")));
    bed_free(t.b);
}

/* IP4-19, IP4-20: no card is touched, also when they are down; an event of its own at the same time. */
static void test_loopback(void)
{
    T t = router();

    t.d0->dev.flags = t.d1->dev.flags = 0;
    t.d0->dev.changed(&t.d0->dev);
    t.d1->dev.changed(&t.d1->dev);
    g_assert_cmpint(bed_send(t.b, t.ip, "127.0.0.1", 60000), ==, 0);
    g_assert_cmpint(bed_send(t.b, t.ip, "127.5.5.5", 10), ==, 0);
    g_assert_cmpint(bed_send(t.b, t.ip, "10.0.1.1", 10), ==, 0);
    g_assert_cmpint(bed_send(t.b, t.ip, "0.0.0.0", 10), ==, 0);
    g_assert_cmpuint(t.b->got->len, ==, 0);
    bed_run(t.b, 0);
    g_assert_cmpuint(t.b->got->len, ==, 4);
    g_assert_cmpuint(t.d0->sent->len + t.d1->sent->len, ==, 0);
    g_assert_cmpint(bed_send(t.b, t.ip, "10.0.1.2", 10), ==, -ENETUNREACH);
    ip4_sysctl(t.ip)->connect_zero_is_error = true;
    g_assert_cmpint(bed_send(t.b, t.ip, "0.0.0.0", 10), ==, -EINVAL);
    g_assert_cmpint(
        ip4_output(t.ip, bed_packet(t.b, 9),
                   &(Ip4Tx){.src = IPV4_LOOPBACK, .dst = addr("10.0.1.2"), .proto = IP_PROTO_UDP}),
        <, 0);
    bed_free(t.b);
}

/* HOST-05: the 1001st waiting packet is dropped. */
static void test_backlog(void)
{
    T t = router();

    for (unsigned i = 0; i < 1001; i++)
        bed_send(t.b, t.ip, "127.0.0.1", 10);
    g_assert_cmpuint(t.b->drops, ==, 1);
    EXPECT_DROP(&t, "input backlog full");
    bed_run(t.b, 0);
    g_assert_cmpuint(t.b->got->len, ==, 1000);
    bed_free(t.b);
}

/* IP4-06 */
static void test_id(void)
{
    T t = router();
    Ip4Tx tx = {.dst = addr("10.0.0.2"), .proto = IP_PROTO_UDP};
    uint16_t first;

    for (unsigned i = 0; i < 2; i++)
        ip4_output(t.ip, bed_packet(t.b, 10), &tx);
    g_assert_cmpuint(ipv4_id(sent_at(t.d0, 1)->bytes), ==, ipv4_id(sent_at(t.d0, 0)->bytes) + 1);
    tx.has_id = true, tx.id = 0x9325;
    ip4_output(t.ip, bed_packet(t.b, 10), &tx);
    g_assert_cmpuint(ipv4_id(sent_at(t.d0, 2)->bytes), ==, 0x9325);
    tx.has_id = false;
    ip4_sysctl(t.ip)->ip_id_global = false;
    for (unsigned i = 0; i < 2; i++)
        ip4_output(t.ip, bed_packet(t.b, 10), &tx);
    first = ipv4_id(sent_at(t.d0, 3)->bytes);
    g_assert_cmpuint(ipv4_id(sent_at(t.d0, 4)->bytes), ==, (uint16_t)(first + 1));
    tx.df = true;
    ip4_output(t.ip, bed_packet(t.b, 10), &tx);
    g_assert_cmpuint(ipv4_id(sent_at(t.d0, 5)->bytes), ==, 0);
    g_assert_cmpuint(ipv4_frag(sent_at(t.d0, 5)->bytes), ==, IPV4_FLAG_DF);
    bed_free(t.b);
}

/* A transport that leaves source and pseudo-header to us gets the right checksum, as does one that did it
 * itself. */
static void test_checksum(void)
{
    T t = router();
    Packet *p = bed_packet(t.b, 21);

    packet_set_csum_partial(p, p->l4, p->l4 + 6);
    g_assert_cmpint(ip4_output(t.ip, p, &(Ip4Tx){.dst = addr("10.0.0.2"), .proto = IP_PROTO_UDP}), ==, 0);
    p = bed_packet(t.b, 21);
    ip4_l4_csum(p, addr("10.0.0.1"), addr("10.0.0.2"), IP_PROTO_UDP, 6);
    g_assert_cmpint(ip4_output(t.ip, p, &(Ip4Tx){.dst = addr("10.0.0.2"), .proto = IP_PROTO_UDP}), ==, 0);
    for (unsigned i = 0; i < 2; i++)
        g_assert_cmpuint(
            checksum_fold(checksum_add(ipv4_pseudo_sum(addr("10.0.0.1"), addr("10.0.0.2"), IP_PROTO_UDP, 21),
                                       sent_at(t.d0, i)->bytes + 20, 21)),
            ==, 0xffff);
    bed_free(t.b);
}

static void test_header_included(void)
{
    T t = router();
    Packet *p = bed_ip(t.b, "1.2.3.4", "10.0.0.2", 10, 0, 7); /* a spoofed source is the sender's business */
    const uint8_t *h;

    ipv4_set_checksum(packet_data(p), 0);
    g_assert_cmpint(ip4_output(t.ip, p, &(Ip4Tx){.header_included = true}), ==, 0);
    h = sent_at(t.d0, 0)->bytes;
    g_assert_cmpuint(ipv4_src(h), ==, addr("1.2.3.4"));
    g_assert_cmpuint(ipv4_ttl(h), ==, 7);
    g_assert_cmpint(ipv4_check(h), ==, WIRE_OK);
    bed_free(t.b);
}

/* Options: a router records its outgoing address; source routes are refused; nonsense draws 12/0 with a
 * pointer. */
static void test_options(void)
{
    T t = router();
    static const uint8_t rr[] = {7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0}, lsrr[] = {131, 7, 4, 10, 0, 1, 2},
                         bad[] = {7, 30, 4, 0};
    Bed *b = t.b;
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.2/24");
    Ip4Tx tx = {.dst = addr("10.0.1.2"), .proto = IP_PROTO_UDP, .options = rr, .options_len = sizeof rr};
    const uint8_t *h;

    bed_join(xi, t.e0, SIM_MS);
    bed_know(xi, "10.0.0.1", 0x020000000001);
    route(x, "0.0.0.0/0", "10.0.0.1", IP4_ROUTE_UNICAST);
    ip4_output(x, bed_packet(b, 10), &tx);
    bed_run(b, SIM_SEC);
    h = sent_at(t.d1, 0)->bytes;
    g_assert_cmpuint(h[22], ==, 8);
    g_assert_cmpuint(wire_get32(h + 23), ==, addr("10.0.1.1"));
    g_assert_cmpint(ipv4_check(h), ==, WIRE_OK);
    tx.options = lsrr, tx.options_len = sizeof lsrr;
    ip4_output(x, bed_packet(b, 10), &tx);
    bed_run(b, 2 * SIM_SEC);
    EXPECT_DROP(&t, "filtered");
    tx.options = bad, tx.options_len = sizeof bad;
    ip4_output(x, bed_packet(b, 10), &tx);
    bed_run(b, 3 * SIM_SEC);
    EXPECT_DROP(&t, "bad IP header");
    g_assert_cmpint(icmp_at(b, 0)->type, ==, ICMP_PARAM_PROBLEM);
    g_assert_cmpuint(icmp_at(b, 0)->info, ==, 20);
    bed_free(b);
}

/* Many flows through one router: the cache grows and is never wrong. */
static void test_many_flows(void)
{
    T t = router();
    char dst[16], src[16];

    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 2; i < 250; i++) {
            g_snprintf(src, sizeof src, "10.0.0.%u", i);
            g_snprintf(dst, sizeof dst, "10.0.1.%u", 251 - i);
            if (round == 0)
                bed_know(t.e1, dst, 0x0b0000000000 + 251 - i);
            give(&t, src, dst, 10, 64);
        }
    g_assert_cmpuint(t.d1->sent->len, ==, 3 * 248);
    for (unsigned i = 0; i < t.d1->sent->len; i++)
        g_assert_cmpuint(mac_to_u64(sent_at(t.d1, i)->dst) & 255, ==,
                         ipv4_dst(sent_at(t.d1, i)->bytes) & 255);
    ip4_remove_dev(t.ip, t.e1);
    give(&t, "10.0.0.2", "10.0.1.7", 10, 64);
    EXPECT_DROP(&t, "no route");
    bed_free(t.b);
}

/* Answers that are not kept (they expire, as a learnt MTU does) let go of their neighbour when the cache
 * grows. */
static void test_cache_lets_go(void)
{
    T t = router();
    uint32_t hop = addr("10.0.1.9");
    Neigh *n;
    Ip4Flow f;
    char dst[16];

    route(t.ip, "172.16.0.0/16", "10.0.1.9", IP4_ROUTE_UNICAST);
    bed_know(t.e1, "10.0.1.9", 0x0b0000000009);
    n = neigh_ref(neigh_lookup(ip4_if_neighbours(t.e1), &hop));
    for (unsigned i = 0; i < 200; i++) {
        g_snprintf(dst, sizeof dst, "172.16.0.%u", i);
        if (i % 2)
            ip4_pmtu_update(t.ip, addr(dst), 1400);
    }
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < 200; i++) {
            g_snprintf(dst, sizeof dst, "172.16.0.%u", i);
            g_assert_cmpint(ip4_route_get(t.ip, addr(dst), 0, NULL, &f), ==, 0);
        }
    ip4_reset(t.ip);
    g_assert_cmpuint(n->ref, ==, 2); /* the table's, and ours */
    neigh_unref(n);
    bed_free(t.b);
}

/* The counters that every packet moves have 32 bits of their own; what carries over is not lost. */
static void test_counters(void)
{
    T t = router();

    ip4_mib_add(t.ip, MIB_IpExtInOctets, UINT32_MAX - 100);
    ip4_mib_add(t.ip, MIB_IpInReceives, UINT32_MAX);
    give(&t, "10.0.0.2", "10.0.1.2", 100, 64);
    g_assert_cmpuint(mib(&t, MIB_IpExtInOctets), ==, UINT64_C(0xffffffff) + 20);
    g_assert_cmpuint(mib(&t, MIB_IpInReceives), ==, UINT64_C(1) << 32);
    ip4_mib_add(t.ip, MIB_IpExtInOctets, UINT64_C(5) << 32);
    g_assert_cmpuint(mib(&t, MIB_IpExtInOctets), ==, UINT64_C(0x5ffffffff) + 20);
    g_assert_cmpuint(mib(&t, MIB_IpExtOutOctets), ==, 120);
    bed_free(t.b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/path/forward", test_forward);
    g_test_add_func("/ip/path/ttl", test_ttl);
    g_test_add_func("/ip/path/errors", test_errors);
    g_test_add_func("/ip/path/redirect", test_redirect);
    g_test_add_func("/ip/path/source-quench", test_source_quench);
    g_test_add_func("/ip/path/bad-headers", test_bad_headers);
    g_test_add_func("/ip/path/martians", test_martians);
    g_test_add_func("/ip/path/broadcast", test_broadcast);
    g_test_add_func("/ip/path/send-broadcast", test_send_broadcast);
    g_test_add_func("/ip/path/multicast", test_multicast);
    g_test_add_func("/ip/path/loopback", test_loopback);
    g_test_add_func("/ip/path/backlog", test_backlog);
    g_test_add_func("/ip/path/id", test_id);
    g_test_add_func("/ip/path/checksum", test_checksum);
    g_test_add_func("/ip/path/header-included", test_header_included);
    g_test_add_func("/ip/path/options", test_options);
    g_test_add_func("/ip/path/many-flows", test_many_flows);
    g_test_add_func("/ip/path/cache-lets-go", test_cache_lets_go);
    g_test_add_func("/ip/path/counters", test_counters);
    return g_test_run();
}
