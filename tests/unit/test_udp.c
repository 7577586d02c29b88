/* Rules of UDP sockets, one test each. */
#include "tests/unit/test_ip_helper.h"

#include <errno.h>
#include <string.h>

static UdpSock *sock(TestHost *h, uint32_t ip, uint16_t port)
{
    UdpSock *s = udpsock_new(h->udp);

    g_assert_cmpint(udpsock_bind(s, (UdpAddr){ip, port}), ==, 0);
    return s;
}

static int send_to(UdpSock *s, uint32_t ip, uint16_t port, const char *text)
{
    return udpsock_send(s,
                        &(UdpSend){.to = &(UdpAddr){ip, port}, .bytes = text, .len = (uint32_t)strlen(text)});
}

/* The next datagram is this text. */
static void expect(UdpSock *s, const char *text)
{
    char buf[64];
    UdpRecv r;
    int n = udpsock_recv(s, buf, sizeof buf, &r);

    g_assert_cmpint(n, ==, (int)strlen(text));
    g_assert_cmpmem(buf, n, text, strlen(text));
}

static void expect_nothing(UdpSock *s)
{
    char c;

    g_assert_cmpint(udpsock_recv(s, &c, 1, NULL), ==, -EAGAIN);
}

/* RFC 768: "Length is the length in octets of this user datagram including this header and the data"; the
 * checksum is over the pseudo-header, header and data. */
static void on_the_wire(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 1492), *r = sock(p.b, 0, 69);
    const TestDev *d = &p.a->dev[0];
    UdpRecv info;
    char buf[8];

    udpsock_opt(s)->tos = 0x10;
    udpsock_opt(s)->ttl = 33;
    g_assert_cmpint(send_to(s, TEST_B, 69, "hello"), ==, 0);
    g_assert_cmpuint(d->last_len, ==, 33);
    g_assert_cmpuint(udp_src_port(d->last + 20), ==, 1492);
    g_assert_cmpuint(udp_dst_port(d->last + 20), ==, 69);
    g_assert_cmpuint(udp_len(d->last + 20), ==, 13);
    g_assert_cmpuint(udp_checksum(d->last + 20), !=, 0);
    g_assert_cmpint(udp_check(d->last + 20, 13, ipv4_pseudo_sum(TEST_A, TEST_B, 17, 13)), ==, WIRE_OK);
    g_assert_cmphex(ipv4_frag(d->last), ==, IPV4_FLAG_DF); /* IP_PMTUDISC_WANT */
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(r, buf, sizeof buf, &info), ==, 5);
    g_assert_cmpuint(info.from.ip, ==, TEST_A);
    g_assert_cmpuint(info.from.port, ==, 1492);
    g_assert_cmpuint(info.to.ip, ==, TEST_B);
    g_assert_cmpuint(info.to.port, ==, 69);
    g_assert_cmpuint(info.tos, ==, 0x10);
    g_assert_cmpuint(info.ttl, ==, 33);
    g_assert_cmpint(info.time, ==, WIRE_DELAY);
    g_assert_cmpuint(udp_mib(p.a->udp, MIB_UdpOutDatagrams), ==, 1);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpInDatagrams), ==, 1);
    test_net_free(p.net);
}

/* "One send, one datagram, one receive": a short buffer loses the rest, a datagram can be empty. */
static void boundaries(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0), *r = sock(p.b, 0, 7);
    UdpRecv info;
    char buf[2];

    send_to(s, TEST_B, 7, "one");
    send_to(s, TEST_B, 7, "");
    send_to(s, TEST_B, 7, "three");
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(r, buf, 2, &info), ==, 2);
    g_assert_cmpuint(info.len, ==, 3);
    g_assert_cmpuint(info.copied, ==, 2);
    expect(r, "");
    expect(r, "three");
    expect_nothing(r);
    g_assert_cmpuint(udpsock_rmem(r), ==, 0);
    test_net_free(p.net);
}

/* RFC 768: "An all zero transmitted checksum value means that the transmitter generated no checksum". A wrong
 * one is dropped and counted (RFC 1122 4.1.3.4). */
static void checksum(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 1000), *r = sock(p.b, 0, 7);
    uint8_t d[11] = {1000 >> 8, 1000 & 0xff, 0, 7, 0, 11, 0, 0, 'a', 'b', 'c'};
    Ip4Tx tx = {.dst = TEST_B, .proto = IP_PROTO_UDP};

    udpsock_opt(s)->no_check = true;
    send_to(s, TEST_B, 7, "x");
    g_assert_cmphex(udp_checksum(p.a->dev[0].last + 20), ==, 0);
    test_net_run(p.net, SIM_SEC);
    expect(r, "x");

    udp_fill_checksum(d, 11, ipv4_pseudo_sum(TEST_A, TEST_B, 17, 11));
    test_send_ip(p.a, &tx, d, 11);
    test_net_run(p.net, SIM_SEC);
    expect(r, "abc");
    d[8] ^= 1;
    test_send_ip(p.a, &tx, d, 11);
    test_net_run(p.net, SIM_SEC);
    expect_nothing(r);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpInCsumErrors), ==, 1);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpInErrors), ==, 1);
    test_net_free(p.net);
}

/* The UDP length may be less than what IP carries (the rest is nobody's), never more, never below 8. */
static void lengths(void)
{
    TestPair p = test_pair();
    UdpSock *r = sock(p.b, 0, 7);
    Ip4Tx tx = {.dst = TEST_B, .proto = IP_PROTO_UDP};
    uint8_t d[11] = {3, 232, 0, 7, 0, 10, 0, 0, 'a', 'b', 'c'};

    test_send_ip(p.a, &tx, d, 11);
    test_net_run(p.net, SIM_SEC);
    expect(r, "ab");
    d[5] = 12;
    test_send_ip(p.a, &tx, d, 11);
    d[5] = 7;
    test_send_ip(p.a, &tx, d, 11);
    test_send_ip(p.a, &tx, d, 5);
    test_net_run(p.net, SIM_SEC);
    expect_nothing(r);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpInErrors), ==, 3);
    test_net_free(p.net);
}

/* Linux compute_score: the most specific socket gets it. */
static void lookup(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 1000), *other = sock(p.a, 0, 1001);
    UdpSock *any = udpsock_new(p.b->udp), *bound = udpsock_new(p.b->udp), *conn = udpsock_new(p.b->udp);

    udpsock_opt(any)->reuseaddr = udpsock_opt(bound)->reuseaddr = udpsock_opt(conn)->reuseaddr = true;
    g_assert_cmpint(udpsock_bind(conn, (UdpAddr){TEST_B, 7}), ==, 0);
    g_assert_cmpint(udpsock_bind(bound, (UdpAddr){TEST_B, 7}), ==, 0);
    g_assert_cmpint(udpsock_bind(any, (UdpAddr){0, 7}), ==, 0);
    g_assert_cmpint(udpsock_connect(conn, (UdpAddr){TEST_A, 1000}), ==, 0);
    send_to(s, TEST_B, 7, "to the connected one");
    send_to(other, TEST_B, 7, "to the bound one");
    test_net_run(p.net, SIM_SEC);
    expect(conn, "to the connected one");
    expect(bound, "to the bound one");
    expect_nothing(any);
    udpsock_close(bound);
    send_to(other, TEST_B, 7, "to any");
    test_net_run(p.net, SIM_SEC);
    expect(any, "to any");
    /* A connected socket hears its peer only. */
    udpsock_close(any);
    send_to(other, TEST_B, 7, "to nobody");
    test_net_run(p.net, SIM_SEC);
    expect_nothing(conn);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpNoPorts), ==, 1);
    test_net_free(p.net);
}

static void bind_errors(void)
{
    TestPair p = test_pair();
    UdpSock *one = sock(p.a, TEST_A, 53), *s = udpsock_new(p.a->udp);

    g_assert_cmpint(udpsock_bind(s, (UdpAddr){TEST_A, 53}), ==, -EADDRINUSE);
    g_assert_cmpint(udpsock_bind(s, (UdpAddr){0, 53}), ==, -EADDRINUSE);         /* the wildcard overlaps */
    g_assert_cmpint(udpsock_bind(s, (UdpAddr){TEST_B, 53}), ==, -EADDRNOTAVAIL); /* not ours */
    g_assert_cmpint(udpsock_bind(s, (UdpAddr){IPV4_LOOPBACK, 53}), ==, 0);       /* another address of ours */
    g_assert_cmpint(udpsock_bind(s, (UdpAddr){0, 54}), ==, -EINVAL);             /* bound already */
    udpsock_close(s);
    /* SO_REUSEADDR and SO_REUSEPORT must be set on both. */
    s = udpsock_new(p.a->udp);
    udpsock_opt(s)->reuseaddr = true;
    g_assert_cmpint(udpsock_bind(s, (UdpAddr){TEST_A, 53}), ==, -EADDRINUSE);
    udpsock_opt(one)->reuseaddr = true;
    g_assert_cmpint(udpsock_bind(s, (UdpAddr){TEST_A, 53}), ==, 0);
    udpsock_close(s);
    udpsock_close(one);
    s = sock(p.a, TEST_A, 53); /* free again */
    test_net_free(p.net);
}

/* SO_REUSEPORT: flows are shared out, and each stays where it is. */
static void reuseport(void)
{
    TestPair p = test_pair();
    UdpSock *w[4], *c[40];
    unsigned got[4] = {0}, again[4] = {0};

    for (unsigned i = 0; i < 4; i++) {
        w[i] = udpsock_new(p.b->udp);
        udpsock_opt(w[i])->reuseport = true;
        g_assert_cmpint(udpsock_bind(w[i], (UdpAddr){0, 7}), ==, 0);
    }
    for (unsigned i = 0; i < 40; i++)
        c[i] = sock(p.a, 0, (uint16_t)(2000 + i));
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 40; i++)
            send_to(c[i], TEST_B, 7, "x");
        test_net_run(p.net, SIM_SEC);
        for (unsigned i = 0; i < 4; i++) {
            char b;
            while (udpsock_recv(w[i], &b, 1, NULL) >= 0)
                (round ? again : got)[i]++;
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpuint(got[i], >, 0);
        g_assert_cmpuint(got[i], ==, again[i]);
    }
    test_net_free(p.net);
}

/* ip_local_port_range; a port is chosen once, is nobody else's, and is free again after close. */
static void ephemeral(void)
{
    TestPair p = test_pair();
    UdpSock *s[20];
    uint32_t seen = 0;

    ip4_sysctl(p.a->ip)->port_low = 40000;
    ip4_sysctl(p.a->ip)->port_high = 40019;
    for (unsigned i = 0; i < 20; i++) {
        s[i] = udpsock_new(p.a->udp);
        g_assert_cmpint(send_to(s[i], TEST_B, 9, "x"), ==, 0); /* binds by itself */
        g_assert_cmpuint(udpsock_local(s[i]).port, >=, 40000);
        g_assert_cmpuint(udpsock_local(s[i]).port, <=, 40019);
        seen |= 1u << (udpsock_local(s[i]).port - 40000);
    }
    g_assert_cmphex(seen, ==, 0xfffff);
    s[0] = (udpsock_close(s[0]), udpsock_new(p.a->udp));
    g_assert_cmpint(udpsock_bind(s[0], (UdpAddr){0, 0}), ==, 0);
    s[1] = udpsock_new(p.a->udp);
    g_assert_cmpint(udpsock_bind(s[1], (UdpAddr){0, 0}), ==, -EADDRINUSE);
    g_assert_cmpint(send_to(s[1], TEST_B, 9, "x"), ==, -EAGAIN); /* inet_autobind's errno */
    test_net_run(p.net, SIM_SEC);
    test_net_free(p.net);
}

static void connect_and_disconnect(void)
{
    TestPair p = test_pair();
    UdpSock *s = udpsock_new(p.a->udp);

    g_assert_cmpint(udpsock_send(s, &(UdpSend){.bytes = "x", .len = 1}), ==, -EDESTADDRREQ);
    g_assert_cmpint(send_to(s, TEST_B, 0, "x"), ==, -EINVAL);
    g_assert_cmpint(udpsock_connect(s, (UdpAddr){IPV4_ADDR(192, 0, 2, 1), 7}), ==, -ENETUNREACH);
    g_assert_cmpint(udpsock_connect(s, (UdpAddr){TEST_B, 7}), ==, 0);
    g_assert_cmpuint(udpsock_local(s).ip, ==, TEST_A); /* the route's source */
    g_assert_cmpuint(udpsock_local(s).port, !=, 0);
    g_assert_cmpuint(udpsock_peer(s).port, ==, 7);
    g_assert_cmpint(udpsock_connect(s, (UdpAddr){0, 0}), ==, 0);
    g_assert_cmpuint(udpsock_local(s).ip, ==, 0);
    g_assert_cmpuint(udpsock_peer(s).ip, ==, 0);
    g_assert_cmpint(udpsock_send(s, &(UdpSend){.bytes = "x", .len = 1}), ==, -EDESTADDRREQ);
    test_net_free(p.net);
}

/* "One exception" to UDP's silence: port unreachable reaches a connected socket, once, as ECONNREFUSED; an
 * unconnected one only with IP_RECVERR. */
static void refused(void)
{
    TestPair p = test_pair();
    UdpSock *c = udpsock_new(p.a->udp), *u = sock(p.a, 0, 0);
    char b;

    udpsock_connect(c, (UdpAddr){TEST_B, 9});
    g_assert_cmpint(udpsock_send(c, &(UdpSend){.bytes = "x", .len = 1}), ==, 0);
    g_assert_cmpint(send_to(u, TEST_B, 9, "x"), ==, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_true(udpsock_readable(c));
    g_assert_cmpint(udpsock_send(c, &(UdpSend){.bytes = "x", .len = 1}), ==, -ECONNREFUSED);
    g_assert_cmpint(udpsock_recv(c, &b, 1, NULL), ==, -EAGAIN);
    g_assert_false(udpsock_readable(u));
    udpsock_opt(u)->recverr = true;
    send_to(u, TEST_B, 9, "x");
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(u, &b, 1, NULL), ==, -ECONNREFUSED);
    g_assert_cmpint(udpsock_take_error(u), ==, 0);
    test_net_free(p.net);
}

/* Linux's known figures for skb->truesize; UDP-06: a buffer of k datagrams, a burst of n, n - k dropped. */
static void receive_buffer(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0), *r = sock(p.b, 0, 7);

    g_assert_cmpuint(udp_truesize(1), ==, 832);
    g_assert_cmpuint(udp_truesize(1472), ==, 2304);
    g_assert_cmpuint(udp_truesize(150), ==, 832);
    g_assert_cmpuint(udp_truesize(151), ==, 1280);
    udpsock_opt(r)->rcvbuf = udp_rcvbuf_for(5, 100);
    for (unsigned i = 0; i < 12; i++)
        g_assert_cmpint(udpsock_send(s, &(UdpSend){.to = &(UdpAddr){TEST_B, 7}, .len = 100}), ==, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(udpsock_rmem(r), ==, 5 * udp_truesize(100));
    g_assert_cmpuint(udpsock_drops(r), ==, 7);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpRcvbufErrors), ==, 7);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpInErrors), ==, 7);
    for (unsigned i = 0; i < 5; i++) {
        Packet *pkt;
        UdpRecv info;
        uint8_t buf[100];

        g_assert_cmpint(udpsock_recv_packet(r, &pkt, &info), ==, 100);
        g_assert_cmpuint(packet_copy_raw(pkt, 0, buf, 100), ==, 100);
        g_assert_true(payload_matches(buf, 0, 100));
        packet_unref(pkt);
    }
    expect_nothing(r);
    udpsock_opt(r)->rcvbuf = 1; /* an empty queue takes anything */
    for (unsigned i = 0; i < 2; i++)
        g_assert_cmpint(udpsock_send(s, &(UdpSend){.to = &(UdpAddr){TEST_B, 7}, .len = 1400}), ==, 0);
    test_net_run(p.net, 2 * SIM_SEC);
    g_assert_cmpuint(udpsock_rmem(r), ==, udp_truesize(1400));
    g_assert_cmpuint(udpsock_drops(r), ==, 8);
    test_net_free(p.net);
}

/* SO_BROADCAST; and everybody who listens gets his own, on every host (UDP-08). */
static void broadcast(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0), *r[3];
    UdpAddr all = {IPV4_ADDR(10, 0, 0, 255), 7};

    for (unsigned i = 0; i < 3; i++) {
        r[i] = udpsock_new(p.b->udp);
        udpsock_opt(r[i])->reuseaddr = true;
        g_assert_cmpint(udpsock_bind(r[i], (UdpAddr){i == 2 ? TEST_B : 0, 7}), ==, 0);
    }
    g_assert_cmpint(udpsock_send(s, &(UdpSend){.to = &all, .bytes = "x", .len = 1}), ==, -EACCES);
    g_assert_cmpint(udpsock_connect(s, all), ==, -EACCES);
    udpsock_opt(s)->broadcast = true;
    g_assert_cmpint(udpsock_send(s, &(UdpSend){.to = &all, .bytes = "x", .len = 1}), ==, 0);
    test_net_run(p.net, SIM_SEC);
    expect(r[0], "x");
    expect(r[1], "x");
    expect_nothing(r[2]); /* bound to the unicast address */
    all.port = 8;         /* nobody there: silence */
    g_assert_cmpint(udpsock_send(s, &(UdpSend){.to = &all, .bytes = "x", .len = 1}), ==, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpIgnoredMulti), ==, 1);
    g_assert_cmpuint(p.b->dev[0].n_sent, ==, 0);
    test_net_free(p.net);
}

/* IP_ADD_MEMBERSHIP (RFC 1112 section 7): the host takes the group's datagrams while a socket is a member,
 * and the socket's end is the membership's. */
static void groups(void)
{
    const uint32_t group = IPV4_ADDR(224, 1, 1, 1);
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0), *member = sock(p.b, 0, 7);
    Ip4If *out = ip4_if(p.a->ip, 1), *in = ip4_if(p.b->ip, 1);

    udpsock_opt(s)->bound_dev = out; /* there is no route to the group */
    g_assert_cmpint(udpsock_join(member, TEST_A, in), ==, -EINVAL);
    g_assert_cmpint(udpsock_join(member, group, NULL), ==, -ENODEV);
    g_assert_cmpint(send_to(s, group, 7, "too early"), ==, 0);
    test_net_run(p.net, SIM_SEC);
    expect_nothing(member);

    g_assert_cmpint(udpsock_join(member, group, in), ==, 0);
    g_assert_cmpint(udpsock_join(member, group, in), ==, -EADDRINUSE);
    g_assert_cmpint(send_to(s, group, 7, "in time"), ==, 0);
    test_net_run(p.net, SIM_SEC);
    expect(member, "in time");

    g_assert_cmpint(udpsock_leave(member, group, in), ==, 0);
    g_assert_cmpint(udpsock_leave(member, group, in), ==, -EADDRNOTAVAIL);
    g_assert_cmpint(send_to(s, group, 7, "too late"), ==, 0);
    test_net_run(p.net, SIM_SEC);
    expect_nothing(member);

    g_assert_cmpint(udpsock_join(member, group, in), ==, 0);
    udpsock_close(member);
    g_assert_false(ip4_group_leave(in, group));
    test_net_free(p.net);
}

/* Linux ip_dont_fragment, ip_mtu_locked: on a path that is narrower than we believe, routers must be allowed
 * to cut. */
static void locked_mtu(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0);

    ip4_pmtu_update(p.a->ip, TEST_B, 600);
    g_assert_cmpint(send_to(s, TEST_B, 7, "x"), ==, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmphex(ipv4_frag(p.a->dev[0].last), ==, IPV4_FLAG_DF);
    ip4_pmtu_update(p.a->ip, TEST_B, 296);
    g_assert_cmpint(send_to(s, TEST_B, 7, "x"), ==, 0);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmphex(ipv4_frag(p.a->dev[0].last), ==, 0);
    test_net_free(p.net);
}

static void too_long(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0), *r = sock(p.b, 0, 7);
    UdpSend m = {.to = &(UdpAddr){TEST_B, 7}, .len = 65508};
    static uint8_t buf[65507];

    g_assert_cmpint(udpsock_send(s, &m), ==, -EMSGSIZE); /* 65535 - 20 - 8 = 65507 */
    m.len = 1473;
    udpsock_opt(s)->mtu_discover = PMTUDISC_DO;
    g_assert_cmpint(udpsock_send(s, &m), ==, -EMSGSIZE);
    g_assert_cmpuint(p.a->dev[0].n_sent, ==, 0);
    m.len = 65507; /* with WANT it goes in fragments */
    udpsock_opt(s)->mtu_discover = PMTUDISC_WANT;
    g_assert_cmpint(udpsock_send(s, &m), ==, 0);
    g_assert_cmpuint(p.a->dev[0].n_sent, ==, 45);
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(r, buf, sizeof buf, NULL), ==, 65507);
    g_assert_true(payload_matches(buf, 0, 65507));
    test_net_free(p.net);
}

/* To one's own addresses, and to 0.0.0.0, which Linux takes for this host; nothing on the wire. */
static void own_addresses(void)
{
    static const uint32_t to[] = {IPV4_LOOPBACK, TEST_A, 0, IPV4_ADDR(127, 1, 2, 3)};
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0), *r = sock(p.a, 0, 7);

    for (unsigned i = 0; i < G_N_ELEMENTS(to); i++) {
        g_assert_cmpint(send_to(s, to[i], 7, "me"), ==, 0);
        test_net_run(p.net, SIM_SEC);
        expect(r, "me");
    }
    g_assert_cmpuint(p.a->dev[0].n_sent, ==, 0);
    udpsock_connect(s, (UdpAddr){IPV4_LOOPBACK, 9});
    udpsock_send(s, &(UdpSend){.bytes = "x", .len = 1});
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpint(udpsock_take_error(s), ==, ECONNREFUSED);
    ip4_sysctl(p.a->ip)->connect_zero_is_error = true;
    g_assert_cmpint(udpsock_connect(s, (UdpAddr){0, 7}), <, 0);
    test_net_free(p.net);
}

static void wake_echo(void *user, UdpSock *s)
{
    unsigned *n = user;
    Packet *pkt;
    UdpRecv r;
    char c = 'y';

    while (udpsock_recv_packet(s, &pkt, &r) >= 0) {
        packet_unref(pkt);
        ++*n;
        udpsock_send(s, &(UdpSend){.to = &r.from, .bytes = &c, .len = 1});
    }
}

static void wake_close(void *user, UdpSock *s)
{
    ++*(unsigned *)user;
    udpsock_close(s);
}

static void waking(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0), *r = sock(p.b, 0, 7), *once = sock(p.b, 0, 8);
    unsigned n = 0, closed = 0;

    udpsock_on_wake(r, wake_echo, &n);
    udpsock_on_wake(once, wake_close, &closed);
    send_to(s, TEST_B, 7, "x");
    send_to(s, TEST_B, 7, "x");
    send_to(s, TEST_B, 8, "x");
    send_to(s, TEST_B, 8, "x"); /* closed by then: refused */
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpuint(closed, ==, 1);
    expect(s, "y");
    expect(s, "y");
    g_assert_cmpuint(udp_mib(p.b->udp, MIB_UdpNoPorts), ==, 1);
    test_net_free(p.net);
}

/* Many sockets: the table grows and still finds everybody. */
static void many(void)
{
    TestPair p = test_pair();
    UdpSock *r[1000], *s = sock(p.a, 0, 0);

    for (unsigned i = 0; i < 1000; i++)
        r[i] = sock(p.b, 0, (uint16_t)(1000 + i));
    for (unsigned i = 0; i < 1000; i += 7)
        send_to(s, TEST_B, (uint16_t)(1000 + i), "x");
    test_net_run(p.net, SIM_SEC);
    for (unsigned i = 0; i < 1000; i++)
        g_assert_cmpint(udpsock_readable(r[i]), ==, i % 7 == 0);
    test_net_free(p.net);
}

typedef struct Counting {
    ProbeSink sink;
    unsigned n_send, n_deliver, n_drop, n_frame_drop;
} Counting;

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    Counting *c = (Counting *)sink;

    c->n_send += !strcmp(r->desc->name, "udp.send");
    c->n_deliver += !strcmp(r->desc->name, "udp.deliver");
    c->n_drop += !strcmp(r->desc->name, "udp.drop");
    c->n_frame_drop += r->desc == &probe_frame_drop;
}

static void probes(void)
{
    TestPair p = test_pair();
    UdpSock *s = sock(p.a, 0, 0);
    Partition *part = sim_partition(p.net->sim, 0);
    Probes *bus = probes_new(part);
    Counting c = {.sink = {PROBE_BIT(PROBE_UDP) | PROBE_BIT(PROBE_FRAME_DROP), on_record, NULL}};

    probes_attach(bus, &c.sink);
    sock(p.b, 0, 7);
    send_to(s, TEST_B, 7, "x");
    send_to(s, TEST_B, 9, "x");
    test_net_run(p.net, SIM_SEC);
    g_assert_cmpuint(c.n_send, ==, 2);
    g_assert_cmpuint(c.n_deliver, ==, 1);
    g_assert_cmpuint(c.n_drop, ==, 1);
    g_assert_cmpuint(c.n_frame_drop, ==, 1);
    probes_detach(bus, &c.sink);
    probes_free(bus);
    test_net_free(p.net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/udp/on-the-wire", on_the_wire);
    g_test_add_func("/udp/boundaries", boundaries);
    g_test_add_func("/udp/checksum", checksum);
    g_test_add_func("/udp/lengths", lengths);
    g_test_add_func("/udp/lookup", lookup);
    g_test_add_func("/udp/bind-errors", bind_errors);
    g_test_add_func("/udp/reuseport", reuseport);
    g_test_add_func("/udp/ephemeral", ephemeral);
    g_test_add_func("/udp/connect", connect_and_disconnect);
    g_test_add_func("/udp/refused", refused);
    g_test_add_func("/udp/receive-buffer", receive_buffer);
    g_test_add_func("/udp/broadcast", broadcast);
    g_test_add_func("/udp/groups", groups);
    g_test_add_func("/udp/too-long", too_long);
    g_test_add_func("/udp/locked-mtu", locked_mtu);
    g_test_add_func("/udp/own-addresses", own_addresses);
    g_test_add_func("/udp/waking", waking);
    g_test_add_func("/udp/many", many);
    g_test_add_func("/udp/probes", probes);
    return g_test_run();
}
