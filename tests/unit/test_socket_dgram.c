/* Sockets of datagrams: UDP, ping and raw, over IPv4 and IPv6. */
#include "tests/unit/socket_bed.h"

static void test_udp_and_ping(void)
{
    Bed t = make_bed();
    char *error = NULL;
    SockAddr any = sockaddr_ip4(0, 7), to = sockaddr_ip4(t.ip_b, 7);
    int a = (int)CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_DGRAM);
    int b = (int)CALL(t.fb, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_DGRAM);
    char buf[8];
    uint8_t echo[12] = {8, 0, 0, 0, 0, 0, 0, 1, 'd', 'a', 't', 'a'};
    Ended e = {.t = &t};
    SockCall r = {
        .op = SYS_RECVFROM, .fd = b, .buf = buf, .len = 2, .flags = MSG_TRUNC, .done = on_done, .user = &e};

    g_assert_cmpint(CALL(t.fb, .op = SYS_BIND, .fd = b, .addr = &any), ==, 0);
    g_assert_false(sockcall_start(t.fb, &r));
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = a, .buf = (char *)"abcd", .len = 4, .addr = &to), ==,
                    4);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SEND, .fd = a, .buf = (char *)"abcd", .len = 4), ==, -EDESTADDRREQ);
    pass(&t, SIM_SEC);
    g_assert_cmpint(r.ret, ==, 4); /* MSG_TRUNC: its true length */
    g_assert_cmpmem(buf, 2, "ab", 2);
    g_assert_cmpuint(inet_ip4(&r.addr_out.ep.addr), ==, t.ip_a);
    g_assert_cmpint(
        CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_DGRAM, .protocol = IPPROTO_ICMP), ==,
        -EACCES);
    g_assert_true(host_sysctl_set(fds_host(t.fa), "net.ipv4.ping_group_range", "0 2147483647", &error));
    int ping =
        (int)CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_DGRAM, .protocol = IPPROTO_ICMP);
    g_assert_cmpint(ping, >=, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = ping, .buf = echo, .len = 12, .addr = &to), ==, 12);
    pass(&t, SIM_SEC);
    uint8_t reply[20];
    g_assert_cmpint(CALL(t.fa, .op = SYS_RECV, .fd = ping, .buf = reply, .len = 20), ==, 12);
    g_assert_cmpuint(reply[0], ==, 0);
    g_assert_cmpmem(reply + 8, 4, "data", 4);
    end_bed(&t);
}

static SockAddr at6(const char *text, uint16_t port)
{
    Ipv6Addr a;

    g_assert_true(ipv6_addr_parse(text, &a));
    return sockaddr_ip6(&a, port);
}

static int open6(Bed *t, int type, int protocol)
{
    return (int)CALL(t->fa, .op = SYS_SOCKET, .domain = AF_INET6, .type = type | SOCK_NONBLOCK,
                     .protocol = protocol);
}

/* AF_INET6: names and sources in IPv6, mapped ones for IPv4. */
static void test_udp6(void)
{
    Bed t = make_bed();
    SockAddr any = at6("::", 7), lo = at6("::1", 7), mapped = at6("::ffff:127.0.0.1", 7);
    int s, c, d;
    char buf[8];

    host_ip6(t.a);
    s = open6(&t, SOCK_DGRAM, 0);
    c = open6(&t, SOCK_DGRAM, IPPROTO_UDP);
    d = open6(&t, SOCK_DGRAM, IPPROTO_UDP);
    g_assert_cmpint(CALL(t.fa, .op = SYS_BIND, .fd = s, .addr = &any), ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = c, .addr = &lo), ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CONNECT, .fd = d, .addr = &mapped), ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SEND, .fd = c, .buf = (char *)"six", .len = 3), ==, 3);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SEND, .fd = d, .buf = (char *)"four", .len = 4), ==, 4);
    pass(&t, SIM_MS);
    for (int i = 0; i < 2; i++) {
        SockCall name = {.op = SYS_GETSOCKNAME, .fd = i ? d : c};
        SockCall peer = {.op = SYS_GETPEERNAME, .fd = i ? d : c};
        SockCall r = {.op = SYS_RECVFROM, .fd = s, .buf = buf, .len = sizeof(buf)};

        g_assert_true(sockcall_start(t.fa, &name) && sockcall_start(t.fa, &peer) && sockcall_start(t.fa, &r));
        g_assert_cmpint(r.ret, ==, 3 + i);
        g_assert_cmpuint(r.addr_out.family, ==, AF_INET6);
        g_assert_true(inet_eq(&r.addr_out.ep.addr, &name.addr_out.ep.addr));
        g_assert_cmpuint(r.addr_out.ep.port, ==, name.addr_out.ep.port);
        g_assert_true(inet_eq(&peer.addr_out.ep.addr, i ? &mapped.ep.addr : &lo.ep.addr));
        g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = s, .buf = buf, .len = 2, .addr = &r.addr_out), ==,
                        2);
    }
    pass(&t, SIM_MS);
    g_assert_cmpint(CALL(t.fa, .op = SYS_RECV, .fd = c, .buf = buf, .len = 8), ==, 2);
    g_assert_cmpint(CALL(t.fa, .op = SYS_RECV, .fd = d, .buf = buf, .len = 8), ==, 2);
    end_bed(&t);
}

/* Echo over IPv6, and raw sockets that look on; what waits is given back with the process. */
static void test_echo6_and_raw(void)
{
    static const uint8_t echo[12] = {[0] = 128, [8] = 'd', 'a', 't', 'a'};
    Bed t = make_bed();
    SockAddr lo = at6("::1", 0), v4 = sockaddr_ip4(IPV4_LOOPBACK, 0);
    int ping, raw, raw4, n;
    char *error = NULL;
    uint8_t got[40];

    host_ip6(t.a);
    g_assert_true(host_sysctl_set(t.a, "net.ipv4.ping_group_range", "0 0", &error));
    ping = open6(&t, SOCK_DGRAM, IPPROTO_ICMPV6);
    raw = open6(&t, SOCK_RAW, IPPROTO_ICMPV6);
    raw4 = (int)CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_RAW | SOCK_NONBLOCK,
                     .protocol = 253);
    g_assert_cmpint(ping, >=, 0);
    g_assert_cmpint(raw, >=, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = ping, .buf = (void *)echo, .len = 12, .addr = &lo), ==,
                    12);
    pass(&t, SIM_MS);
    SockCall r = {.op = SYS_RECVFROM, .fd = ping, .buf = got, .len = sizeof(got)};
    g_assert_true(sockcall_start(t.fa, &r));
    g_assert_cmpint(r.ret, ==, 12);
    g_assert_cmpuint(got[0], ==, 129);
    g_assert_cmpmem(got + 8, 4, "data", 4);
    g_assert_true(inet_eq(&r.addr_out.ep.addr, &lo.ep.addr));
    for (n = 0; CALL(t.fa, .op = SYS_RECV, .fd = raw, .buf = got, .len = sizeof(got)) == 12; n++)
        g_assert_cmpuint(got[0], ==, n ? 129 : 128);
    g_assert_cmpint(n, ==, 2); /* the request and the reply */

    /* A protocol that nobody speaks is refused, unless a raw socket has it. */
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = raw4, .buf = (void *)echo, .len = 12, .addr = &v4), ==,
                    12);
    pass(&t, SIM_MS);
    g_assert_cmpint(CALL(t.fa, .op = SYS_RECV, .fd = raw4, .buf = got, .len = sizeof(got)), ==, 32);
    g_assert_cmpuint(got[9], ==, 253);
    g_assert_cmpuint(counter(t.a, "IcmpOutDestUnreachs"), ==, 0);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = raw4, .buf = (void *)echo, .len = 12, .addr = &v4), ==,
                    12);
    pass(&t, SIM_MS);
    end_bed(&t);
}

/* Without power nothing is left of a raw socket. */
static void test_raw_power(void)
{
    Bed t = make_bed();
    SockAddr v4 = sockaddr_ip4(IPV4_LOOPBACK, 0);
    int raw, ping;
    char *error = NULL;

    host_ip6(t.a);
    g_assert_true(host_sysctl_set(t.a, "net.ipv4.ping_group_range", "0 0", &error));
    raw = (int)CALL(t.fa, .op = SYS_SOCKET, .domain = AF_INET, .type = SOCK_RAW, .protocol = 253);
    ping = open6(&t, SOCK_DGRAM, IPPROTO_ICMPV6);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = raw, .buf = (char *)"x", .len = 1, .addr = &v4), ==,
                    1);
    pass(&t, SIM_MS);
    host_set_power(t.a, false);
    g_assert_cmpint(CALL(t.fa, .op = SYS_SENDTO, .fd = raw, .buf = (char *)"x", .len = 1, .addr = &v4), <, 0);
    host_set_power(t.a, true);
    g_assert_cmpint(CALL(t.fa, .op = SYS_CLOSE, .fd = ping), ==, 0);
    pass(&t, SIM_MS);
    end_bed(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/node/socket/udp-and-ping", test_udp_and_ping);
    g_test_add_func("/node/socket/udp6", test_udp6);
    g_test_add_func("/node/socket/echo6-and-raw", test_echo6_and_raw);
    g_test_add_func("/node/socket/raw-power", test_raw_power);
    return g_test_run();
}
