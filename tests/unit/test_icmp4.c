/* Rules of ICMP, one test each. */
#include "tests/unit/test_ip_helper.h"

#include <errno.h>
#include <string.h>

#include "models/ip/icmp4_rate.h"
#include "sim/base/rng.h"

typedef struct Seen {
    unsigned n_replies, n_errors;
    uint16_t seq;
    uint8_t type, tos, ttl;
    uint32_t from, len;
    uint8_t body[2048];
    Ip4Error error;
} Seen;

static void on_reply(void *user, Packet *pkt, const Ip4Rx *rx)
{
    Seen *s = user;
    const uint8_t *h = packet_cdata(pkt);

    s->n_replies++;
    s->type = icmp_type(h);
    s->seq = icmp_seq(h);
    s->from = rx->src;
    s->tos = rx->tos;
    s->ttl = rx->ttl;
    s->len = packet_copy(pkt, 0, s->body, sizeof s->body);
    packet_unref(pkt);
}

static void on_error(void *user, const Ip4Error *e)
{
    Seen *s = user;

    s->n_errors++;
    s->error = *e;
}

static void send_echo(TestHost *h, uint32_t dst, uint16_t id, uint16_t seq, uint32_t payload, uint8_t tos)
{
    Packet *p = packet_new(ip4_pool(h->ip), h->node.id, h->node.birth_next++, PKT_HEADROOM);
    IcmpMsg m = {.type = ICMP_ECHO, .id = id, .seq = seq};

    icmp_encode(packet_put(p, ICMP_HDR_LEN), &m);
    packet_add_synthetic(p, 7, payload);
    icmp4_send_query(h->ip, p,
                     &(Ip4Tx){.dst = dst, .proto = IP_PROTO_ICMP, .tos = tos, .allow_broadcast = true});
}

/* The last packet on the host's wire is an ICMP message of this type and code with true checksums. */
static const uint8_t *last_icmp(const TestHost *h, uint8_t type, uint8_t code)
{
    const TestDev *d = &h->dev[0];
    unsigned hlen = ipv4_hdr_len(d->last);

    g_assert_cmpint(ipv4_check(d->last), ==, WIRE_OK);
    g_assert_cmpuint(ipv4_proto(d->last), ==, IP_PROTO_ICMP);
    g_assert_cmpint(icmp_check(d->last + hlen, d->last_len - hlen), ==, WIRE_OK);
    g_assert_cmpuint(icmp_type(d->last + hlen), ==, type);
    g_assert_cmpuint(icmp_code(d->last + hlen), ==, code);
    return d->last + hlen;
}

/* RFC 792: "The data received in the echo message must be returned in the echo reply message", with
 * identifier and sequence number; RFC 1122 3.2.2.6: from the address that was asked. TOS as asked (Linux
 * icmp_reply). */
static void echo(void)
{
    TestPair p = test_pair();
    Seen s = {0};
    uint16_t id = icmp4_echo_open(p.a->ip, 0x1234, on_reply, on_error, &s);

    g_assert_cmpuint(id, ==, 0x1234);
    send_echo(p.a, TEST_B, id, 7, 1000, 0x10);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(s.n_replies, ==, 1);
    g_assert_cmpuint(s.type, ==, ICMP_ECHO_REPLY);
    g_assert_cmpuint(s.seq, ==, 7);
    g_assert_cmpuint(s.from, ==, TEST_B);
    g_assert_cmpuint(s.tos, ==, 0x10);
    g_assert_cmpuint(s.ttl, ==, 64);
    g_assert_cmpuint(s.len, ==, 1008);
    g_assert_true(payload_matches(s.body + 8, 7, 1000));
    g_assert_cmpint(icmp_check(s.body, s.len), ==, WIRE_OK);
    last_icmp(p.b, ICMP_ECHO_REPLY, 0);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpInEchos), ==, 1);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpOutEchoReps), ==, 1);
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpOutEchos), ==, 1);
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpInEchoReps), ==, 1);
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpOutMsgs), ==, 1);
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpInMsgs), ==, 1);
    test_net_free(p.net);
}

/* A request with a real checksum (from a capture) is answered with a right one. */
static void echo_real_checksum(void)
{
    TestPair p = test_pair();
    uint8_t body[8 + 5] = {ICMP_ECHO, 0, 0, 0, 0, 9, 0, 1, 'h', 'e', 'l', 'l', 'o'};

    icmp_fill_checksum(body, sizeof body);
    test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpmem(last_icmp(p.b, ICMP_ECHO_REPLY, 0) + 8, 5, "hello", 5);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpInCsumErrors), ==, 0);

    body[8] ^= 1; /* and one with a wrong one is not */
    test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 1);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpInCsumErrors), ==, 1);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpInErrors), ==, 1);
    test_net_free(p.net);
}

/* The request's payload comes back by reference, without a packet of its own. */
static void echo_in_place(void)
{
    TestPair p = test_pair();
    PacketPoolInfo info;

    for (unsigned i = 0; i < 10; i++) {
        send_echo(p.a, TEST_B, 1, (uint16_t)i, 1400, 0);
        test_net_run(p.net, SIM_SEC);
    }
    packetpool_get_info(p.net->pool, &info);
    g_assert_cmpuint(info.peak, ==, 1);
    test_net_free(p.net);
}

static void echo_ignored(void)
{
    TestPair p = test_pair();

    /* net.ipv4.icmp_echo_ignore_broadcasts is on by default (RFC 1122 3.2.2.6 allows it). */
    send_echo(p.a, IPV4_ADDR(10, 0, 0, 255), 1, 1, 10, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 0);
    ip4_sysctl(p.b->ip)->icmp_echo_ignore_broadcasts = false;
    send_echo(p.a, IPV4_ADDR(10, 0, 0, 255), 1, 1, 10, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 1);
    g_assert_cmpuint(ipv4_src(p.b->dev[0].last), ==, TEST_B);
    ip4_sysctl(p.b->ip)->icmp_echo_ignore_all = true;
    send_echo(p.a, TEST_B, 1, 1, 10, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 1);
    test_net_free(p.net);
}

/* RFC 792: "The timestamp is 32 bits of milliseconds since midnight UT." */
static void timestamp(void)
{
    TestPair p = test_pair();
    IcmpMsg m = {.type = ICMP_TIMESTAMP, .id = 1, .seq = 2, .originate_ms = 99};
    uint8_t body[ICMP_TIMESTAMP_LEN];
    const uint8_t *r;

    test_net_run(p.net, 86400 * SIM_SEC + 5 * SIM_SEC); /* five seconds into the second day */
    icmp_encode(body, &m);
    icmp_fill_checksum(body, sizeof body);
    test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    r = last_icmp(p.b, ICMP_TIMESTAMP_REPLY, 0);
    g_assert_cmpuint(icmp_seq(r), ==, 2);
    g_assert_cmpuint(wire_get32(r + 8), ==, 99);
    g_assert_cmpuint(wire_get32(r + 12), ==, 5001);
    g_assert_cmpuint(wire_get32(r + 16), ==, 5001);
    test_net_free(p.net);
}

/* RFC 1122 3.2.2.9: "A system MUST NOT send an Address Mask Reply unless it is an authoritative agent". */
static void address_mask(void)
{
    TestPair p = test_pair();
    IcmpMsg m = {.type = ICMP_ADDRMASK, .id = 1, .seq = 1};
    uint8_t body[ICMP_ADDRMASK_LEN];

    icmp_encode(body, &m);
    icmp_fill_checksum(body, sizeof body);
    test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 0);
    icmp4_set_mask_agent(p.b->icmp, true);
    test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmphex(wire_get32(last_icmp(p.b, ICMP_ADDRMASK_REPLY, 0) + 8), ==, 0xffffff00);
    test_net_free(p.net);
}

/* RFC 1122 3.2.2: "If an ICMP message of unknown type is received, it MUST be silently discarded." */
static void unknown_type(void)
{
    TestPair p = test_pair();
    uint8_t body[8] = {200};

    icmp_fill_checksum(body, sizeof body);
    test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 0);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpInErrors), ==, 1);
    test_net_free(p.net);
}

/* A UDP datagram to a closed port of b, with n bytes. */
static void send_to_closed(TestHost *h, uint32_t dst, uint32_t n, uint8_t tos)
{
    UdpSock *s = udpsock_new(h->udp);

    udpsock_opt(s)->tos = tos;
    udpsock_opt(s)->mtu_discover = PMTUDISC_DONT;
    g_assert_cmpint(udpsock_send(s, &(UdpSend){.to = &(UdpAddr){dst, 9}, .len = n}), ==, 0);
    udpsock_close(s);
}

/* RFC 1812 4.3.2.3: as much of the packet "as possible without the length of the ICMP datagram exceeding 576
 * bytes"; 4.3.2.5: precedence 6 (0xc0); RFC 1122 3.2.2: at least its header and 8 bytes, unchanged. */
static void error_format(void)
{
    TestPair p = test_pair();
    const uint8_t *e;

    send_to_closed(p.a, TEST_B, 1000, 0x08);
    test_net_run(p.net, SIM_SEC);
    e = last_icmp(p.b, ICMP_DEST_UNREACH, ICMP_UNREACH_PORT);
    g_assert_cmpuint(p.b->dev[0].last_len, ==, 576);
    g_assert_cmphex(ipv4_tos(p.b->dev[0].last), ==, 0xc8);
    g_assert_cmpuint(ipv4_src(p.b->dev[0].last), ==, TEST_B);
    g_assert_cmphex(ipv4_frag(p.b->dev[0].last), ==, 0);
    g_assert_cmphex(wire_get32(e + 4), ==, 0);
    g_assert_cmpmem(e + 8, 548, p.a->dev[0].last, 548); /* with the true UDP checksum */
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpOutDestUnreachs), ==, 1);
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpInDestUnreachs), ==, 1);

    send_to_closed(p.a, TEST_B, 3, 0);
    test_net_run(p.net, SIM_SEC);
    last_icmp(p.b, ICMP_DEST_UNREACH, ICMP_UNREACH_PORT);
    g_assert_cmpuint(p.b->dev[0].last_len, ==, 20 + 8 + 20 + 8 + 3);
    test_net_free(p.net);
}

/* A protocol that nobody runs: 3/2 (RFC 1122 3.2.2.1). */
static void protocol_unreachable(void)
{
    TestPair p = test_pair();

    test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = 200}, "12345678", 8);
    test_net_run(p.net, SIM_SEC);
    last_icmp(p.b, ICMP_DEST_UNREACH, ICMP_UNREACH_PROTO);
    test_net_free(p.net);
}

/* An IP packet of protocol 200, which would draw an error. */
static size_t odd_packet(uint8_t *buf, uint32_t src, uint32_t dst, uint8_t proto, uint16_t frag,
                         uint8_t first)
{
    Ipv4Hdr h = {.ttl = 64, .proto = proto, .total_len = 28, .src = src, .dst = dst};

    ipv4_encode(buf, &h);
    ipv4_set_frag(buf, frag);
    ipv4_fill_checksum(buf);
    memset(buf + 20, 0, 8);
    buf[20] = first;
    return 28;
}

static unsigned errors_about(uint32_t src, uint32_t dst, uint8_t proto, uint16_t frag, uint8_t first,
                             uint8_t flags)
{
    TestPair p = test_pair();
    Packet *pkt = packet_new(p.net->pool, 0, 0, 50);
    uint8_t buf[28];
    unsigned n;

    odd_packet(buf, src, dst, proto, frag, first);
    memcpy(packet_put(pkt, 28), buf, 28);
    pkt->l3 = pkt->head;
    pkt->flags = flags;
    icmp4_send_error(p.b->ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_HOST, 0);
    packet_unref(pkt);
    n = (unsigned)test_icmp(p.b, MIB_IcmpOutMsgs);
    test_net_run(p.net, SIM_SEC);
    test_net_free(p.net);
    return n;
}

/* RFC 1122 3.2.2: "An ICMP error message MUST NOT be sent as the result of receiving: an ICMP error message,
 * or a datagram destined to an IP broadcast or IP multicast address, or a datagram sent as a link-layer
 * broadcast, or a non-initial fragment, or a datagram whose source address does not define a single host." */
static void error_rules(void)
{
    g_assert_cmpuint(errors_about(TEST_A, TEST_B, 200, 0, 0, 0), ==, 1);

    for (uint8_t type = 0; type <= 18; type++)
        g_assert_cmpuint(errors_about(TEST_A, TEST_B, 1, 0, type, 0), ==, icmp_is_error(type) ? 0 : 1);
    g_assert_cmpuint(errors_about(TEST_A, TEST_B, 1, 0, 19, 0), ==, 0);

    g_assert_cmpuint(errors_about(TEST_A, IPV4_BROADCAST, 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(TEST_A, IPV4_ADDR(10, 0, 0, 255), 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(TEST_A, IPV4_ADDR(224, 0, 0, 5), 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(TEST_A, TEST_B, 200, 0, 0, PKT_BROADCAST), ==, 0);
    g_assert_cmpuint(errors_about(TEST_A, TEST_B, 200, 0, 0, PKT_MULTICAST), ==, 0);

    g_assert_cmpuint(errors_about(TEST_A, TEST_B, 200, IPV4_FLAG_MF, 0, 0), ==, 1);
    g_assert_cmpuint(errors_about(TEST_A, TEST_B, 200, 1, 0, 0), ==, 0);

    g_assert_cmpuint(errors_about(0, TEST_B, 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(IPV4_LOOPBACK, IPV4_ADDR(10, 0, 0, 9), 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(IPV4_BROADCAST, TEST_B, 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(IPV4_ADDR(10, 0, 0, 255), TEST_B, 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(IPV4_ADDR(224, 0, 0, 1), TEST_B, 200, 0, 0, 0), ==, 0);
    g_assert_cmpuint(errors_about(IPV4_ADDR(240, 0, 0, 1), TEST_B, 200, 0, 0, 0), ==, 0);
}

/* icmp_ratelimit 1000 ms, of which six can be saved up (XRLIM_BURST_FACTOR); mask 6168 = types 3, 4, 11, 12.
 */
static void rate_per_host(void)
{
    TestPair p = test_pair();

    for (unsigned i = 0; i < 10; i++)
        send_to_closed(p.a, TEST_B, 1, 0);
    test_net_run(p.net, 500 * SIM_MS);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpOutDestUnreachs), ==, 6);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpOutRateLimitHost), ==, 4);
    test_net_run(p.net, 500 * SIM_MS); /* after a second: one more */
    send_to_closed(p.a, TEST_B, 1, 0);
    send_to_closed(p.a, TEST_B, 1, 0);
    test_net_run(p.net, 500 * SIM_MS);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpOutDestUnreachs), ==, 7);

    ip4_sysctl(p.b->ip)->icmp_ratemask = 0;
    for (unsigned i = 0; i < 10; i++)
        send_to_closed(p.a, TEST_B, 1, 0);
    test_net_run(p.net, 500 * SIM_MS);
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpOutDestUnreachs), ==, 17);
    test_net_free(p.net);
}

/* icmp_msgs_burst 50 in one instant, to whomever; icmp_msgs_per_sec 1000 afterwards. */
static void rate_global(void)
{
    TestNet *net = test_net_new();
    TestHost *h = test_host(net, "h");
    unsigned n = 0;

    test_dev(h, 0, "10.0.0.1/16", NULL);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 100; i++) {
            Packet *pkt = packet_new(net->pool, 0, 0, 50);
            uint8_t buf[28];

            odd_packet(buf, IPV4_ADDR(10, 0, 1, 1 + i), TEST_A, 200, 0, 0);
            memcpy(packet_put(pkt, 28), buf, 28);
            pkt->l3 = pkt->head;
            icmp4_send_error(h->ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_PROTO, 0);
            packet_unref(pkt);
        }
        n += round ? 25 : 50;
        g_assert_cmpuint(test_icmp(h, MIB_IcmpOutDestUnreachs), ==, n);
        g_assert_cmpuint(test_icmp(h, MIB_IcmpOutRateLimitGlobal), ==, 100 * (round + 1) - n);
        test_net_run(net, 25 * SIM_MS);
    }
    test_net_free(net);
}

static void rate_rules(void)
{
    Ip4Sysctl sys = {.icmp_ratemask = 6168, .icmp_ratelimit_ms = 1000};
    Icmp4Rate r = {0};

    g_assert_true(icmp4_rate_applies(&sys, ICMP_DEST_UNREACH, ICMP_UNREACH_HOST));
    g_assert_true(icmp4_rate_applies(&sys, ICMP_TIME_EXCEEDED, 0));
    g_assert_true(icmp4_rate_applies(&sys, ICMP_PARAM_PROBLEM, 0));
    g_assert_true(icmp4_rate_applies(&sys, ICMP_SOURCE_QUENCH, 0));
    g_assert_false(
        icmp4_rate_applies(&sys, ICMP_DEST_UNREACH, ICMP_UNREACH_NEEDFRAG)); /* path MTU discovery */
    g_assert_false(icmp4_rate_applies(&sys, ICMP_ECHO_REPLY, 0));
    g_assert_false(icmp4_rate_applies(&sys, ICMP_REDIRECT, 0));
    /* Many destinations: the table forgets those whose bucket is full again. */
    for (uint32_t i = 1; i <= 1000; i++)
        g_assert_true(icmp4_rate_host_allow(&r, &sys, i, 0));
    for (uint32_t i = 1; i <= 1000; i++)
        g_assert_true(icmp4_rate_host_allow(&r, &sys, 5000 + i, 100 * SIM_SEC));
    g_assert_cmpuint(r.n_peers, <=, 1600);
    icmp4_rate_clear(&r);
}

/* An error arrives for a packet that a (fictitious) protocol of a's sent. */
static void inject_error(TestPair *p, uint8_t type, uint8_t code, uint32_t rest, uint32_t quoted_src,
                         unsigned cut)
{
    uint8_t body[8 + 28] = {type, code};

    wire_put32(body + 4, rest);
    odd_packet(body + 8, quoted_src, TEST_B, 200, 0, 0x55);
    icmp_fill_checksum(body, sizeof body - cut);
    test_send_ip(p->b, &(Ip4Tx){.dst = TEST_A, .proto = IP_PROTO_ICMP}, body, sizeof body - cut);
    test_net_run(p->net, SIM_SEC);
}

/* Linux icmp_err_convert. */
static void errno_of_errors(void)
{
    static const struct {
        uint8_t type, code;
        int err;
        bool hard;
    } want[] = {
        {3, 0, ENETUNREACH, false},   {3, 1, EHOSTUNREACH, false},  {3, 2, ENOPROTOOPT, true},
        {3, 3, ECONNREFUSED, true},   {3, 4, EMSGSIZE, false},      {3, 5, EOPNOTSUPP, false},
        {3, 6, ENETUNREACH, true},    {3, 7, EHOSTDOWN, true},      {3, 8, ENONET, true},
        {3, 9, ENETUNREACH, true},    {3, 10, EHOSTUNREACH, true},  {3, 11, ENETUNREACH, false},
        {3, 12, EHOSTUNREACH, false}, {3, 13, EHOSTUNREACH, true},  {3, 14, EHOSTUNREACH, true},
        {3, 15, EHOSTUNREACH, true},  {11, 0, EHOSTUNREACH, false}, {12, 0, EPROTO, true},
    };
    TestPair p = test_pair();
    Seen s = {0};

    ip4_set_proto(p.a->ip, 200, &(Ip4Proto){.error = on_error, .user = &s});
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        inject_error(&p, want[i].type, want[i].code, 1400, TEST_A, 0);
        g_assert_cmpuint(s.n_errors, ==, i + 1);
        g_assert_cmpint(s.error.err, ==, want[i].err);
        g_assert_cmpint(s.error.hard, ==, want[i].hard);
        g_assert_cmpuint(s.error.reporter, ==, TEST_B);
        g_assert_cmpuint(s.error.src, ==, TEST_A);
        g_assert_cmpuint(s.error.l4_len, ==, 8);
    }
    /* Not told: reassembly timeouts, unknown codes, source quench (RFC 6633), what quotes a packet that is
     * not ours. */
    inject_error(&p, 11, 1, 0, TEST_A, 0);
    inject_error(&p, 3, 16, 0, TEST_A, 0);
    inject_error(&p, 4, 0, 0, TEST_A, 0);
    inject_error(&p, 3, 3, 0, TEST_B, 0);
    inject_error(&p, 3, 3, 0, TEST_A, 1); /* less than 8 bytes quoted */
    g_assert_cmpuint(s.n_errors, ==, G_N_ELEMENTS(want));
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpInErrors), ==, 2);
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpInSrcQuenchs), ==, 1);
    ip4_sysctl(p.a->ip)->source_quench = true; /* the historic profile */
    inject_error(&p, 4, 0, 0, TEST_A, 0);
    g_assert_cmpuint(s.n_errors, ==, G_N_ELEMENTS(want) + 1);
    g_assert_cmpint(s.error.err, ==, 0);
    test_net_free(p.net);
}

/* RFC 1191: 3/4 lowers the path MTU to its destination; what is lower than min_pmtu (552) is not believed. */
static void path_mtu(void)
{
    TestPair p = test_pair();
    Ip4Flow f;

    inject_error(&p, 3, 4, 1400, TEST_A, 0);
    g_assert_cmpint(ip4_route_get(p.a->ip, TEST_B, 0, NULL, &f), ==, 0);
    g_assert_cmpuint(f.mtu, ==, 1400);
    inject_error(&p, 3, 4, 68, TEST_A, 0);
    g_assert_cmpint(ip4_route_get(p.a->ip, TEST_B, 0, NULL, &f), ==, 0);
    g_assert_cmpuint(f.mtu, ==, 552);
    test_net_free(p.net);
}

static void echo_errors_and_ids(void)
{
    TestPair p = test_pair();
    Seen s = {0}, other = {0};
    uint16_t id = icmp4_echo_open(p.a->ip, 0, on_reply, on_error, &s);
    uint16_t id2 = icmp4_echo_open(p.a->ip, 0, on_reply, on_error, &other);
    uint8_t body[8 + 28] = {11, 0};

    g_assert_cmpuint(id, !=, 0);
    g_assert_cmpuint(id2, !=, id);
    g_assert_cmpuint(icmp4_echo_open(p.a->ip, id, on_reply, on_error, &s), ==, 0); /* taken */
    odd_packet(body + 8, TEST_A, TEST_B, IP_PROTO_ICMP, 0, ICMP_ECHO);
    wire_put16(body + 8 + 20 + 4, id);
    wire_put16(body + 8 + 20 + 6, 3);
    icmp_fill_checksum(body, sizeof body);
    test_send_ip(p.b, &(Ip4Tx){.dst = TEST_A, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(s.n_errors, ==, 1);
    g_assert_cmpuint(s.error.icmp_type, ==, ICMP_TIME_EXCEEDED);
    g_assert_cmpuint(other.n_errors, ==, 0);
    icmp4_echo_close(p.a->ip, id);
    send_echo(p.a, TEST_B, id, 1, 1, 0);
    send_echo(p.a, TEST_B, id2, 1, 1, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(s.n_replies, ==, 0);
    g_assert_cmpuint(other.n_replies, ==, 1);
    g_assert_cmpuint(icmp4_echo_open(p.a->ip, id, on_reply, on_error, &s), ==, id);
    test_net_free(p.net);
}

/* RFC 1122 3.2.2.2, as routes see it: the next packet takes the other gateway. */
static void redirect(void)
{
    TestPair p = test_pair();
    uint8_t body[8 + 28] = {ICMP_REDIRECT, ICMP_REDIRECT_HOST};
    uint32_t far = IPV4_ADDR(192, 0, 2, 1), better = IPV4_ADDR(10, 0, 0, 3);
    Ip4Flow f;

    test_route(p.a, "0.0.0.0/0", TEST_B);
    ip4_sysctl(p.a->ip)->accept_redirects = true;
    odd_packet(body + 8, TEST_A, far, 200, 0, 0);
    wire_put32(body + 4, better);
    icmp_fill_checksum(body, sizeof body);
    test_send_ip(p.b, &(Ip4Tx){.dst = TEST_A, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(ip4_route_get(p.a->ip, far, 0, NULL, &f), ==, 0);
    g_assert_cmpuint(f.next_hop, ==, better);
    g_assert_cmpuint(test_icmp(p.a, MIB_IcmpInRedirects), ==, 1);
    /* Not on our network: not followed. */
    wire_put32(body + 4, IPV4_ADDR(172, 16, 0, 1));
    wire_put32(body + 8 + 16, far + 1);
    icmp_fill_checksum(body, sizeof body);
    test_send_ip(p.b, &(Ip4Tx){.dst = TEST_A, .proto = IP_PROTO_ICMP}, body, sizeof body);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(ip4_route_get(p.a->ip, far + 1, 0, NULL, &f), ==, 0);
    g_assert_cmpuint(f.next_hop, ==, TEST_B);
    test_net_free(p.net);
}

/* A host that lost power has no ICMP; what was opened before can still be closed, and echo works when it is
 * back. */
static void gone_and_back(void)
{
    TestPair p = test_pair();
    Seen s = {0};
    uint16_t id = icmp4_echo_open(p.b->ip, 0, on_reply, on_error, &s);

    icmp4_free(p.b->icmp);
    p.b->icmp = NULL;
    icmp4_echo_close(p.b->ip, id);
    send_echo(p.a, TEST_B, 1, 1, 10, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 0);
    p.b->icmp = icmp4_new(p.b->ip);
    send_echo(p.a, TEST_B, 1, 1, 10, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 1);
    test_net_free(p.net);
}

static void make_icmp(Ip4 *ip, uint8_t proto)
{
    TestHost *h = HS_CONTAINER_OF(ip4_node(ip), TestHost, node);

    g_assert_cmpuint(proto, ==, IP_PROTO_ICMP);
    h->icmp = icmp4_new(h->ip);
}

/* An idle host makes its ICMP when it is first needed: by the first ping, for one. */
static void first_use(void)
{
    TestPair p = test_pair();
    Seen s = {0};

    icmp4_free(p.a->icmp);
    p.a->icmp = NULL;
    ip4_reset(p.a->ip);
    ip4_on_unknown_proto(p.a->ip, make_icmp);
    g_assert_cmpuint(icmp4_echo_open(p.a->ip, 5, on_reply, on_error, &s), ==, 5);
    g_assert_nonnull(p.a->icmp);
    send_echo(p.a, TEST_B, 5, 1, 10, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(s.n_replies, ==, 1);
    test_net_free(p.net);
}

/* Whatever arrives as an ICMP message: no crash, and it is counted. */
static void hostile(void)
{
    TestPair p = test_pair();
    uint8_t body[64];
    Rng rng;

    rng_init(&rng, 1, "", "icmp4");
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = rng_below(&rng, sizeof body + 1);

        for (size_t k = 0; k < len; k++)
            body[k] = (uint8_t)rng_next(&rng);
        if (len >= 8) {
            body[0] %= 20;
            if (i & 1 && len >= 28)
                odd_packet(body + 8, TEST_B, TEST_A, (uint8_t)(i % 4 ? 17 : 1), 0, 8);
            icmp_fill_checksum(body, len);
        }
        test_send_ip(p.a, &(Ip4Tx){.dst = TEST_B, .proto = IP_PROTO_ICMP}, body, len);
        test_net_run(p.net, 2 * SIM_MS);
    }
    g_assert_cmpuint(test_icmp(p.b, MIB_IcmpInMsgs), ==, 20000);
    test_net_free(p.net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/icmp4/echo", echo);
    g_test_add_func("/ip/icmp4/echo-real-checksum", echo_real_checksum);
    g_test_add_func("/ip/icmp4/echo-in-place", echo_in_place);
    g_test_add_func("/ip/icmp4/echo-ignored", echo_ignored);
    g_test_add_func("/ip/icmp4/timestamp", timestamp);
    g_test_add_func("/ip/icmp4/address-mask", address_mask);
    g_test_add_func("/ip/icmp4/unknown-type", unknown_type);
    g_test_add_func("/ip/icmp4/error-format", error_format);
    g_test_add_func("/ip/icmp4/protocol-unreachable", protocol_unreachable);
    g_test_add_func("/ip/icmp4/error-rules", error_rules);
    g_test_add_func("/ip/icmp4/rate-per-host", rate_per_host);
    g_test_add_func("/ip/icmp4/rate-global", rate_global);
    g_test_add_func("/ip/icmp4/rate-rules", rate_rules);
    g_test_add_func("/ip/icmp4/errno", errno_of_errors);
    g_test_add_func("/ip/icmp4/path-mtu", path_mtu);
    g_test_add_func("/ip/icmp4/echo-errors-and-ids", echo_errors_and_ids);
    g_test_add_func("/ip/icmp4/redirect", redirect);
    g_test_add_func("/ip/icmp4/gone-and-back", gone_and_back);
    g_test_add_func("/ip/icmp4/first-use", first_use);
    g_test_add_func("/ip/icmp4/hostile", hostile);
    return g_test_run();
}
