/* IPv6 sockets of UDP, over the loopback: both families, who gets what, errors. */
#include "models/udp/udp6.h"

#include <errno.h>
#include <string.h>

#include "models/wire/icmp6.h"
#include "tests/unit/test_ip_helper.h"

typedef struct Bed {
    TestNet *net;
    TestHost *h;
    Ip6 *ip6;
} Bed;

static Bed bed_new(void)
{
    Bed b = {.net = test_net_new()};
    Ipv6Prefix p;

    b.h = test_host(b.net, "h");
    b.ip6 = ip6_new(b.h->ip);
    g_assert_true(ipv6_prefix_parse("fd3d::1/128", &p));
    g_assert_true(ip6_addr_add(b.ip6, ip4_if(b.h->ip, 0), p, NULL));
    udp_set_ip6(b.h->udp, b.ip6);
    return b;
}

static void bed_free(Bed *b)
{
    udp_set_ip6(b->h->udp, NULL);
    ip6_free(b->ip6);
    test_net_free(b->net);
}

static UdpAddr6 at(const char *ip, uint16_t port)
{
    UdpAddr6 a = {.port = port};

    g_assert_true(ipv6_addr_parse(ip, &a.ip));
    return a;
}

static int bind6(UdpSock *s, const char *ip, uint16_t port)
{
    UdpAddr6 a = at(ip, port);

    return udp6sock_bind(s, &a);
}

static int connect6(UdpSock *s, const char *ip, uint16_t port)
{
    UdpAddr6 a = at(ip, port);

    return udp6sock_connect(s, &a);
}

static UdpSock *bound(Bed *b, const char *ip, uint16_t port)
{
    UdpSock *s = udp6sock_new(b->h->udp);

    g_assert_cmpint(bind6(s, ip, port), ==, 0);
    return s;
}

static int send6(UdpSock *s, const char *ip, uint16_t port, const char *text)
{
    UdpAddr6 to;

    if (ip)
        to = at(ip, port);
    return udp6sock_send(s, &(UdpSend){.bytes = text, .len = (uint32_t)strlen(text)}, ip ? &to : NULL);
}

static void assert_addr(const UdpAddr6 *a, const char *ip, uint16_t port)
{
    char text[IPV6_ADDR_STR_LEN];

    g_assert_cmpstr(ipv6_addr_format(&a->ip, text), ==, ip);
    g_assert_cmpuint(a->port, ==, port);
}

static void expect(Bed *b, UdpSock *s, const char *text, const char *from, uint16_t port)
{
    char buf[64];
    UdpAddr6 src, dst;

    test_net_run(b->net, SIM_MS);
    g_assert_true(udp6sock_next(s, &src, &dst));
    assert_addr(&src, from, port);
    g_assert_cmpint(udpsock_recv(s, buf, sizeof buf, NULL), ==, (int)strlen(text));
    g_assert_cmpmem(buf, strlen(text), text, strlen(text));
}

/* There and back. */
static void test_both_ways(void)
{
    Bed b = bed_new();
    UdpSock *s = bound(&b, "::", 7), *c = udp6sock_new(b.h->udp);
    UdpRecv info;
    UdpAddr6 me;
    char buf[8];

    udp6sock_opt(c)->tclass = 0x28;
    udp6sock_opt(c)->hop_limit = 5;
    g_assert_cmpint(connect6(c, "fd3d::1", 7), ==, 0);
    me = udp6sock_local(c);
    assert_addr(&me, "fd3d::1", me.port);
    g_assert_cmpint(send6(c, NULL, 0, "hello"), ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_cmpint(udpsock_recv(s, buf, sizeof buf, &info), ==, 5);
    g_assert_cmpuint(info.tos, ==, 0x28);
    g_assert_cmpuint(info.ttl, ==, 5);
    g_assert_cmpuint(info.from.port, ==, me.port);
    g_assert_cmpint(send6(s, "fd3d::1", me.port, "back"), ==, 0);
    expect(&b, c, "back", "fd3d::1", 7);
    g_assert_cmpuint(udp_mib(b.h->udp, MIB_Udp6OutDatagrams), ==, 2);
    g_assert_cmpuint(udp_mib(b.h->udp, MIB_Udp6InDatagrams), ==, 2);
    g_assert_cmpuint(udp_mib(b.h->udp, MIB_UdpOutDatagrams), ==, 0);
    bed_free(&b);
}

/* An IPv6 socket talks IPv4 in mapped addresses, unless it is v6only (RFC 3493 3.7, 5.3). */
static void test_mapped(void)
{
    Bed b = bed_new();
    UdpSock *s = bound(&b, "::", 7), *only = udp6sock_new(b.h->udp), *c = udpsock_new(b.h->udp);
    UdpAddr6 peer;

    udp6sock_opt(only)->is_v6only = true;
    g_assert_cmpint(bind6(only, "::", 8), ==, 0);
    g_assert_cmpint(udpsock_bind(c, (UdpAddr){0, 9}), ==, 0);
    g_assert_cmpint(udpsock_send(c, &(UdpSend){.to = &(UdpAddr){IPV4_LOOPBACK, 7}, .bytes = "x", .len = 1}),
                    ==, 0);
    expect(&b, s, "x", "::ffff:127.0.0.1", 9);
    g_assert_cmpint(udpsock_send(c, &(UdpSend){.to = &(UdpAddr){IPV4_LOOPBACK, 8}, .bytes = "x", .len = 1}),
                    ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_false(udpsock_readable(only));
    g_assert_cmpuint(udp_mib(b.h->udp, MIB_UdpNoPorts), ==, 1);
    g_assert_cmpint(send6(only, "::ffff:127.0.0.1", 9, "y"), ==, -ENETUNREACH);

    g_assert_cmpint(send6(s, "::ffff:127.0.0.1", 9, "y"), ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_true(udpsock_readable(c));
    g_assert_cmpint(connect6(s, "::ffff:127.0.0.1", 9), ==, 0);
    peer = udp6sock_peer(s);
    assert_addr(&peer, "::ffff:127.0.0.1", 9);
    g_assert_cmpint(send6(s, NULL, 0, "z"), ==, 0);
    g_assert_cmpint(send6(s, "fd3d::1", 9, "z"), ==, -ENETUNREACH);
    bed_free(&b);
}

/* Which ports are free: :: takes the IPv4 port too, a v6only socket and one with an IPv6 address do not. */
static void test_conflicts(void)
{
    Bed b = bed_new();
    Udp *u = b.h->udp;
    UdpSock *only = udp6sock_new(u), *four, *six;

    bound(&b, "::", 7);
    g_assert_cmpint(udpsock_bind(udpsock_new(u), (UdpAddr){0, 7}), ==, -EADDRINUSE);
    g_assert_cmpint(udpsock_bind(udpsock_new(u), (UdpAddr){IPV4_LOOPBACK, 7}), ==, -EADDRINUSE);
    g_assert_cmpint(bind6(udp6sock_new(u), "fd3d::1", 7), ==, -EADDRINUSE);
    g_assert_cmpint(bind6(udp6sock_new(u), "::ffff:127.0.0.1", 7), ==, -EADDRINUSE);

    udp6sock_opt(only)->is_v6only = true;
    g_assert_cmpint(bind6(only, "::", 8), ==, 0);
    g_assert_cmpint(udpsock_bind(udpsock_new(u), (UdpAddr){0, 8}), ==, 0);

    bound(&b, "fd3d::1", 9);
    bound(&b, "::1", 9);
    g_assert_cmpint(bind6(udp6sock_new(u), "fd3d::1", 9), ==, -EADDRINUSE);
    g_assert_cmpint(bind6(udp6sock_new(u), "fd3d::2", 9), ==, -EADDRNOTAVAIL);
    four = udpsock_new(u);
    g_assert_cmpint(udpsock_bind(four, (UdpAddr){0, 9}), ==, 0);
    six = udp6sock_new(u);
    g_assert_cmpint(bind6(six, "::ffff:127.0.0.1", 9), ==, -EADDRINUSE);
    bed_free(&b);
}

/* The bound address, then the connected peer, decide who gets a datagram. */
static void test_best_match(void)
{
    Bed b = bed_new();
    UdpSock *any = udp6sock_new(b.h->udp), *one = udp6sock_new(b.h->udp), *c;

    udpsock_opt(any)->reuseaddr = udpsock_opt(one)->reuseaddr = true;
    g_assert_cmpint(bind6(one, "fd3d::1", 7), ==, 0);
    g_assert_cmpint(bind6(any, "::", 7), ==, 0);
    c = bound(&b, "::", 9);
    g_assert_cmpint(send6(c, "fd3d::1", 7, "one"), ==, 0);
    g_assert_cmpint(send6(c, "::1", 7, "any"), ==, 0);
    expect(&b, one, "one", "fd3d::1", 9);
    expect(&b, any, "any", "::1", 9);
    bed_free(&b);
}

/* Nobody there: port unreachable, ECONNREFUSED for the connected sender (RFC 4443 3.1). */
static void test_refused(void)
{
    Bed b = bed_new();
    UdpSock *c = udp6sock_new(b.h->udp), *loose = bound(&b, "::", 10);

    g_assert_cmpint(connect6(c, "::", 99), ==, 0); /* :: is this host */
    g_assert_cmpint(send6(c, NULL, 0, "x"), ==, 0);
    g_assert_cmpint(send6(loose, "::1", 99, "x"), ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_cmpuint(udp_mib(b.h->udp, MIB_Udp6NoPorts), ==, 2);
    g_assert_cmpuint(ip6_mib(b.ip6, MIB_Icmp6OutDestUnreachs), ==, 2);
    g_assert_cmpint(send6(c, NULL, 0, "x"), ==, -ECONNREFUSED);
    g_assert_cmpint(udpsock_take_error(loose), ==, 0);
    bed_free(&b);
}

static void on_icmp(void *user, UdpSock *s, const Ip6Error *e)
{
    Ip6Error *last = user;

    (void)s;
    *last = *e;
}

/* With IPV6_RECVERR every error, connected or not, and who wants to know is told all of it. */
static void test_told_errors(void)
{
    Bed b = bed_new();
    UdpSock *s = bound(&b, "::", 10);
    Ip6Error last = {0};

    udp6sock_on_icmp(s, on_icmp, &last);
    g_assert_cmpint(send6(s, "::1", 99, "x"), ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_cmpint(last.err, ==, 0);
    udp6sock_opt(s)->recverr = true;
    g_assert_cmpint(send6(s, "::1", 99, "x"), ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_cmpint(last.err, ==, ECONNREFUSED);
    g_assert_cmpuint(last.hop_limit, ==, 64);
    g_assert_cmpuint(last.to.b[15], ==, 1);
    g_assert_nonnull(last.in);
    g_assert_cmpint(udpsock_take_error(s), ==, ECONNREFUSED);
    bed_free(&b);
}

static int send_len(UdpSock *s, uint32_t len)
{
    return udp6sock_send(s, &(UdpSend){.len = len}, NULL);
}

/* Over the loopback's 65536: the longest datagram; and less by IPV6_MTU and IPV6_DONTFRAG. */
static void test_lengths(void)
{
    Bed b = bed_new();
    UdpSock *c = udp6sock_new(b.h->udp);

    g_assert_cmpint(udp6sock_mtu(c), ==, -ENOTCONN);
    g_assert_cmpint(connect6(c, "fd3d::1", 7), ==, 0);
    g_assert_cmpint(udp6sock_mtu(c), ==, 65536);
    udpsock_opt(c)->mtu_discover = PMTUDISC_DO; /* that is IPv4's */
    g_assert_cmpint(send_len(c, 65527), ==, 0);
    g_assert_cmpint(send_len(c, 65528), ==, -EMSGSIZE);
    udp6sock_opt(c)->frag_mtu = 1400;
    g_assert_cmpint(send_len(c, 1353), ==, 0);
    udp6sock_opt(c)->dontfrag = true;
    g_assert_cmpint(send_len(c, 1352), ==, 0);
    g_assert_cmpint(send_len(c, 1353), ==, -EMSGSIZE);
    g_assert_cmpuint(udpsock_refused_mtu(c), ==, 1400);
    udp6sock_opt(c)->dontfrag = false;
    udp6sock_opt(c)->mtu_discover = PMTUDISC_PROBE;
    g_assert_cmpint(send_len(c, 1353), ==, -EMSGSIZE);
    g_assert_cmpint(udp6sock_send(c, &(UdpSend){.len = 1353, .is_whole = true}, NULL), ==, -EMSGSIZE);
    g_assert_cmpuint(udpsock_refused_mtu(c), ==, 0);
    bed_free(&b);
}

/* RFC 6936: datagrams without a checksum, when both sides want them. */
static void test_no_checksum(void)
{
    Bed b = bed_new();
    UdpSock *s = bound(&b, "::", 7), *c = udp6sock_new(b.h->udp);

    udp6sock_opt(c)->no_check_tx = true;
    g_assert_cmpint(connect6(c, "fd3d::1", 7), ==, 0);
    g_assert_cmpint(send6(c, NULL, 0, "x"), ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_false(udpsock_readable(s));
    g_assert_cmpuint(udp_mib(b.h->udp, MIB_Udp6InCsumErrors), ==, 1);
    udp6sock_opt(s)->no_check_rx = true;
    g_assert_cmpint(send6(c, NULL, 0, "x"), ==, 0);
    test_net_run(b.net, SIM_MS);
    g_assert_true(udpsock_readable(s));
    bed_free(&b);
}

/* __inet6_bind: who is bound to an IPv6 address hears no IPv4. */
static void test_bound_is_v6only(void)
{
    Bed b = bed_new();
    UdpSock *s = bound(&b, "fd3d::1", 7);

    g_assert_true(udp6sock_opt(s)->is_v6only);
    g_assert_cmpint(send6(s, "::ffff:127.0.0.1", 9, "y"), ==, -ENETUNREACH);
    g_assert_false(udp6sock_opt(bound(&b, "::", 8))->is_v6only);
    bed_free(&b);
}

/* Hostile bytes: short, a length beyond the packet, no checksum, a wrong one. */
static void test_bad_datagrams(void)
{
    static const struct {
        uint8_t len, claimed;
        uint16_t checksum;
        unsigned mib;
    } rows[] = {{7, 8, 1, MIB_Udp6InErrors},
                {12, 7, 1, MIB_Udp6InErrors},
                {12, 13, 1, MIB_Udp6InErrors},
                {12, 12, 0, MIB_Udp6InCsumErrors},
                {12, 12, 0x1234, MIB_Udp6InCsumErrors}};
    Bed b = bed_new();
    UdpSock *s = bound(&b, "::", 7);

    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        Packet *p = packet_new(b.net->pool, 0, 0, PKT_HEADROOM);
        uint8_t bytes[12] = {0, 9, 0, 7, 0, rows[i].claimed};
        UdpAddr6 to = at("fd3d::1", 7);

        wire_put16(bytes + 6, rows[i].checksum);
        memcpy(packet_put(p, rows[i].len), bytes, rows[i].len);
        g_assert_cmpint(ip6_output(b.ip6, p, &(Ip6Tx){.dst = to.ip, .proto = IP_PROTO_UDP}), ==, 0);
        test_net_run(b.net, SIM_MS);
        g_assert_cmpuint(udp_mib(b.h->udp, MIB_Udp6InErrors), ==, i + 1);
        g_assert_cmpuint(udp_mib(b.h->udp, rows[i].mib), >, 0);
        g_assert_false(udpsock_readable(s));
    }
    bed_free(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/udp6/both-ways", test_both_ways);
    g_test_add_func("/udp6/mapped", test_mapped);
    g_test_add_func("/udp6/conflicts", test_conflicts);
    g_test_add_func("/udp6/best-match", test_best_match);
    g_test_add_func("/udp6/refused", test_refused);
    g_test_add_func("/udp6/told-errors", test_told_errors);
    g_test_add_func("/udp6/lengths", test_lengths);
    g_test_add_func("/udp6/no-checksum", test_no_checksum);
    g_test_add_func("/udp6/bound-is-v6only", test_bound_is_v6only);
    g_test_add_func("/udp6/bad-datagrams", test_bad_datagrams);
    return g_test_run();
}
