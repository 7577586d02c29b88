/* Ports: who may bind what (Linux inet_csk_bind_conflict), which port connect chooses (RFC 6056), which
 * listener gets a SYN; over the loopback, IPv4 and IPv6. */
#include "tests/unit/tcp_peer.h"

static TcpConn *sock(Peer *p, bool is_v6, uint32_t flags)
{
    TcpConn *c = tcp_socket(p->tcp, is_v6);

    c->sflags |= flags;
    return c;
}

static int bind4(TcpConn *c, const char *ip, uint16_t port)
{
    InetEndpoint e = peer_endpoint(ip, port);

    return tcp_bind(c, &e);
}

static int bind6(TcpConn *c, InetAddr a, uint16_t port)
{
    InetEndpoint e = {.addr = a, .port = port, .is_v6 = true};

    return tcp_bind(c, &e);
}

static const InetAddr any6;
static const InetAddr loop6 = {{0, 0, 0, 1}};

/* Two sockets at one port: flags of each, whether the first listens, addresses; may the second bind? */
static void test_bind_conflicts(void)
{
    static const struct {
        uint32_t flags[2];
        bool listens;
        const char *addr[2];
        int err;
    } rows[] = {
        {{0, 0}, false, {NULL, NULL}, -EADDRINUSE},
        {{0, 0}, false, {"127.0.0.1", PEER_HOST}, 0}, /* different addresses never meet */
        {{0, 0}, false, {"127.0.0.1", NULL}, -EADDRINUSE},
        {{TCP_S_REUSEADDR, TCP_S_REUSEADDR}, false, {NULL, NULL}, 0},
        {{TCP_S_REUSEADDR, 0}, false, {NULL, NULL}, -EADDRINUSE},
        {{TCP_S_REUSEADDR, TCP_S_REUSEADDR}, true, {NULL, NULL}, -EADDRINUSE},
        {{TCP_S_REUSEPORT, TCP_S_REUSEPORT}, true, {NULL, NULL}, 0},
        {{TCP_S_REUSEPORT, 0}, false, {NULL, NULL}, -EADDRINUSE},
        {{TCP_S_REUSEPORT, TCP_S_REUSEADDR}, false, {NULL, NULL}, -EADDRINUSE},
    };

    for (unsigned i = 0; i < HS_ARRAY_LEN(rows); i++) {
        Peer *p = peer_new(1);
        TcpConn *a = sock(p, false, rows[i].flags[0]), *b = sock(p, false, rows[i].flags[1]);

        g_assert_cmpint(bind4(a, rows[i].addr[0], 80), ==, 0);
        if (rows[i].listens)
            g_assert_cmpint(tcp_listen(a, 1), ==, 0);
        g_assert_cmpint(bind4(b, rows[i].addr[1], 80), ==, rows[i].err);
        tcp_close(a);
        if (rows[i].err) /* free again */
            g_assert_cmpint(bind4(b, rows[i].addr[1], 80), ==, 0);
        tcp_close(b);
        peer_free(p);
    }
}

static void test_bind_families(void)
{
    Peer *p = peer_new(1);
    TcpConn *dual = sock(p, true, 0), *only = sock(p, true, TCP_S_V6ONLY), *v4 = sock(p, false, 0);

    g_assert_cmpint(bind4(v4, NULL, 80), ==, 0);
    g_assert_cmpint(bind6(dual, any6, 80), ==, -EADDRINUSE); /* :: means IPv4 as well … */
    g_assert_cmpint(bind6(only, any6, 80), ==, 0);           /* … unless IPV6_V6ONLY */
    g_assert_cmpint(bind6(dual, loop6, 81), ==, 0);
    tcp_close(v4);
    v4 = sock(p, false, 0);
    g_assert_cmpint(bind4(v4, "127.0.0.1", 81), ==, 0); /* ::1 is no IPv4 address */
    g_assert_cmpint(tcp_bind(v4, &(InetEndpoint){.port = 9}), ==, -EINVAL);
    tcp_close(v4);
    tcp_close(dual);
    tcp_close(only);
    peer_free(p);
}

/* bind(0): an odd port of the range, and never one that is taken; EADDRINUSE when none is left. */
static void test_bind_any_port(void)
{
    Peer *p = peer_new(7);
    TcpConn *c[9];
    Ip4Sysctl *s = ip4_sysctl(p->ip);
    bool seen[8] = {false};

    s->port_low = 32768;
    s->port_high = 32775;
    for (unsigned i = 0; i < 8; i++) {
        c[i] = sock(p, false, 0);
        g_assert_cmpint(bind4(c[i], NULL, 0), ==, 0);
        g_assert_cmpuint(c[i]->local_port, >=, 32768);
        g_assert_cmpuint(c[i]->local_port, <=, 32775);
        g_assert_false(seen[c[i]->local_port - 32768]);
        seen[c[i]->local_port - 32768] = true;
        g_assert_cmpuint(c[i]->local_port & 1, ==, i < 4); /* the odd ones first */
    }
    c[8] = sock(p, false, 0);
    g_assert_cmpint(bind4(c[8], NULL, 0), ==, -EADDRINUSE);
    for (unsigned i = 0; i < 9; i++)
        tcp_close(c[i]);
    peer_free(p);
}

/* connect: even ports first; a port may serve several destinations; EADDRNOTAVAIL when the tuples are used
 * up. */
static void test_connect_ports(void)
{
    Peer *p = peer_new(7);
    TcpConn *c[6];
    Ip4Sysctl *s = ip4_sysctl(p->ip);
    InetEndpoint to = peer_endpoint(PEER_ADDR, 80);

    s->port_low = 32768;
    s->port_high = 32771;
    for (unsigned i = 0; i < 4; i++) {
        c[i] = sock(p, false, 0);
        g_assert_cmpint(tcp_connect(c[i], &to), ==, -EINPROGRESS);
        g_assert_cmpuint(c[i]->local_port & 1, ==, i >= 2);
        for (unsigned k = 0; k < i; k++)
            g_assert_cmpuint(c[i]->local_port, !=, c[k]->local_port);
    }
    c[4] = sock(p, false, 0);
    g_assert_cmpint(tcp_connect(c[4], &to), ==, -EADDRNOTAVAIL);
    to.port = 81;
    c[5] = sock(p, false, 0);
    g_assert_cmpint(tcp_connect(c[5], &to), ==, -EINPROGRESS);
    for (unsigned i = 0; i < 6; i++)
        tcp_close(c[i]);
    peer_free(p);
}

/* Each destination's search goes on where it was, also when others were connected to in between: a port that
 * was given back is not the next one's. The step is 2 to 16 (Linux __inet_hash_connect), of all destinations
 * that share one of the 256 slots. */
static void test_connect_goes_on(void)
{
    enum { PORTS = 1 << 14 };
    Peer *p = peer_new(7);
    Ip4Sysctl *s = ip4_sysctl(p->ip);
    uint16_t last[20];

    s->port_low = 32768;
    s->port_high = s->port_low + PORTS - 1;
    for (unsigned turn = 0; turn < 3; turn++)
        for (unsigned i = 0; i < HS_ARRAY_LEN(last); i++) {
            InetEndpoint to = peer_endpoint(PEER_ADDR, (uint16_t)(80 + i));
            TcpConn *c = sock(p, false, 0);

            g_assert_cmpint(tcp_connect(c, &to), ==, -EINPROGRESS);
            if (turn) {
                unsigned step = (unsigned)(c->local_port - last[i]) % PORTS;

                g_assert_cmpuint(step, >, 0);
                g_assert_cmpuint(step, <=, 3 * 16);
            }
            last[i] = c->local_port;
            tcp_close(c);
        }
    peer_free(p);
}

/* That all even ports are used up is remembered, but not for longer than it is true: the port that one gives
 * back is the next one's. */
static void test_connect_full(void)
{
    enum { N = 600, EVEN = N / 2 };
    Peer *p = peer_new(7);
    TcpConn *c[N], *other;
    Ip4Sysctl *s = ip4_sysctl(p->ip);
    InetEndpoint to = peer_endpoint(PEER_ADDR, 80);
    uint16_t port;

    s->port_low = 32768;
    s->port_high = 32768 + N - 1;
    for (unsigned i = 0; i < EVEN + 2; i++) {
        c[i] = sock(p, false, 0);
        g_assert_cmpint(tcp_connect(c[i], &to), ==, -EINPROGRESS);
        g_assert_cmpuint(c[i]->local_port & 1, ==, i >= EVEN);
    }
    port = c[5]->local_port;
    tcp_close(c[5]);
    c[5] = sock(p, false, 0);
    g_assert_cmpint(tcp_connect(c[5], &to), ==, -EINPROGRESS);
    g_assert_cmpuint(c[5]->local_port, ==, port);
    to.port = 81; /* another destination has even ports */
    other = sock(p, false, 0);
    g_assert_cmpint(tcp_connect(other, &to), ==, -EINPROGRESS);
    g_assert_cmpuint(other->local_port & 1, ==, 0);
    for (unsigned i = 0; i < EVEN + 2; i++)
        tcp_close(c[i]);
    tcp_close(other);
    peer_free(p);
}

/* The same seed chooses the same ports, another one others. */
static void test_ports_by_seed(void)
{
    uint16_t port[3];

    for (unsigned i = 0; i < 3; i++) {
        Peer *p = peer_new(i < 2 ? 5 : 6);
        TcpConn *c = sock(p, false, 0);
        InetEndpoint to = peer_endpoint(PEER_ADDR, 80);

        g_assert_cmpint(tcp_connect(c, &to), ==, -EINPROGRESS);
        port[i] = c->local_port;
        tcp_close(c);
        peer_free(p);
    }
    g_assert_cmpuint(port[0], ==, port[1]);
    g_assert_cmpuint(port[0], !=, port[2]);
}

/* A whole connection over the loopback, both families; from an AF_INET6 socket also to IPv4. */
static void over_loopback(bool server_v6, bool client_v6, InetAddr to_addr)
{
    Peer *p = peer_new(3);
    TcpConn *l = sock(p, server_v6, 0), *c = sock(p, client_v6, 0), *s;
    InetEndpoint to = {.addr = to_addr, .port = 80, .is_v6 = client_v6};
    char buf[16] = {0};
    TcpRecv r = {.bytes = buf, .len = sizeof(buf)};
    int err;

    g_assert_cmpint(server_v6 ? bind6(l, any6, 80) : bind4(l, NULL, 80), ==, 0);
    g_assert_cmpint(tcp_listen(l, 5), ==, 0);
    g_assert_cmpint(tcp_connect(c, &to), ==, -EINPROGRESS);
    peer_run(p, SIM_SEC);
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    s = tcp_accept(l, &err);
    g_assert_nonnull(s);
    g_assert_true(inet_eq(&s->local, &c->remote));
    g_assert_true(inet_eq(&s->remote, &c->local));
    g_assert_cmpint(tcp_send(c, &(TcpSend){.bytes = "hello", .len = 5}), ==, 5);
    peer_run(p, 2 * SIM_SEC);
    g_assert_cmpint(tcp_recv(s, &r), ==, 5);
    g_assert_cmpstr(buf, ==, "hello");
    tcp_close(c);
    peer_run(p, 3 * SIM_SEC);
    g_assert_cmpint(tcp_recv(s, &r), ==, 0);
    tcp_close(s);
    peer_run(p, 4 * SIM_SEC);
    g_assert_cmpuint(p->tcp->n_tw, ==, 1);
    peer_run(p, 70 * SIM_SEC);
    g_assert_cmpuint(p->tcp->n_tw, ==, 0);
    g_assert_cmpuint(p->tcp->n_conns, ==, 1); /* the listener */
    g_assert_cmpuint(tcp_mib(p->tcp, MIB_TcpExtTW), ==, 1);
    tcp_close(l);
    peer_free(p);
}

static void test_loopback(void)
{
    over_loopback(false, false, inet_from_ip4(0x7f000001));
    over_loopback(true, true, loop6);
    over_loopback(true, false, inet_from_ip4(0x7f000001)); /* dual stack */
    over_loopback(false, true, inet_from_ip4(0x7f000001)); /* mapped */
}

/* RFC 9293 3.5: a SYN that meets itself. Linux connects such a socket with itself. */
static void test_self_connect(void)
{
    Peer *p = peer_new(3);
    TcpConn *c = sock(p, false, 0);
    InetEndpoint to = peer_endpoint("127.0.0.1", 7777);
    char buf[4];
    TcpRecv r = {.bytes = buf, .len = sizeof(buf)};

    g_assert_cmpint(bind4(c, "127.0.0.1", 7777), ==, 0);
    g_assert_cmpint(tcp_connect(c, &to), ==, -EINPROGRESS);
    peer_run(p, SIM_SEC);
    g_assert_cmpint(tcp_state(c), ==, TCP_ESTABLISHED);
    g_assert_cmpint(tcp_send(c, &(TcpSend){.bytes = "abc", .len = 3}), ==, 3);
    peer_run(p, 2 * SIM_SEC);
    g_assert_cmpint(tcp_recv(c, &r), ==, 3);
    tcp_close(c);
    peer_run(p, 200 * SIM_SEC);
    g_assert_cmpuint(p->tcp->n_conns, ==, 0);
    peer_free(p);
}

/* The more specific listener gets the SYN; the group of SO_REUSEPORT shares. */
static void test_listener_choice(void)
{
    Peer *p = peer_new(1);
    TcpConn *any = sock(p, false, 0), *one = sock(p, false, 0), *group[2];
    unsigned taken[2] = {0};
    int err;

    any->sflags |= TCP_S_REUSEPORT;
    one->sflags |= TCP_S_REUSEPORT;
    g_assert_cmpint(bind4(any, NULL, 8080), ==, 0);
    g_assert_cmpint(bind4(one, PEER_HOST, 8080), ==, 0);
    g_assert_cmpint(tcp_listen(any, 5), ==, 0);
    g_assert_cmpint(tcp_listen(one, 5), ==, 0);
    peer_send(p, &(PeerIn){.flags = TCP_SYN, .seq = 1, .window = 100});
    g_assert_cmpuint(one->listen->qlen, ==, 1);
    g_assert_cmpuint(any->listen->qlen, ==, 0);
    for (unsigned i = 0; i < 2; i++) {
        group[i] = sock(p, false, TCP_S_REUSEPORT);
        g_assert_cmpint(bind4(group[i], NULL, 81), ==, 0);
        g_assert_cmpint(tcp_listen(group[i], 100), ==, 0);
    }
    for (unsigned i = 0; i < 64; i++)
        peer_send(
            p, &(PeerIn){.src_port = (uint16_t)(3000 + i), .dst_port = 81, .flags = TCP_SYN, .window = 100});
    for (unsigned i = 0; i < 2; i++) {
        taken[i] = group[i]->listen->qlen;
        g_assert_cmpuint(taken[i], >, 16);
    }
    g_assert_cmpuint(taken[0] + taken[1], ==, 64);
    g_assert_null(tcp_accept(any, &err));
    tcp_close(any);
    tcp_close(one);
    tcp_close(group[0]);
    tcp_close(group[1]);
    peer_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp/table/bind_conflicts", test_bind_conflicts);
    g_test_add_func("/tcp/table/bind_families", test_bind_families);
    g_test_add_func("/tcp/table/bind_any_port", test_bind_any_port);
    g_test_add_func("/tcp/table/connect_ports", test_connect_ports);
    g_test_add_func("/tcp/table/connect_goes_on", test_connect_goes_on);
    g_test_add_func("/tcp/table/connect_full", test_connect_full);
    g_test_add_func("/tcp/table/ports_by_seed", test_ports_by_seed);
    g_test_add_func("/tcp/table/loopback", test_loopback);
    g_test_add_func("/tcp/table/self_connect", test_self_connect);
    g_test_add_func("/tcp/table/listener_choice", test_listener_choice);
    return g_test_run();
}
