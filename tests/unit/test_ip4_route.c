/* Addresses, the forwarding table, the choice of source and next hop. */
#include "tests/unit/ip4_bed.h"

static Ip4Flow get(Ip4 *ip, const char *dst)
{
    Ip4Flow f = {0};

    g_assert_cmpint(ip4_route_get(ip, addr(dst), 0, NULL, &f), ==, 0);
    return f;
}

static int get_error(Ip4 *ip, const char *dst)
{
    Ip4Flow f;

    return ip4_route_get(ip, addr(dst), 0, NULL, &f);
}

/* RT-01, RT-02: each destination leaves by its card, with that card's address; the longest prefix wins
 * whatever the order. */
static void test_lookup(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    Ip4If *e0 = bed_dev(b, ip, "10.0.0.1/24"), *e1 = bed_dev(b, ip, "10.0.1.1/24");

    g_assert_cmpint(get_error(ip, "172.16.5.5"), ==, -ENETUNREACH);
    route(ip, "172.16.5.0/24", "10.0.1.254", IP4_ROUTE_UNICAST);
    route(ip, "172.16.0.0/16", "10.0.0.254", IP4_ROUTE_UNICAST);
    route(ip, "0.0.0.0/0", "10.0.0.253", IP4_ROUTE_UNICAST);
    g_assert_true(get(ip, "10.0.0.9").dev == e0);
    g_assert_cmpuint(get(ip, "10.0.0.9").src, ==, addr("10.0.0.1"));
    g_assert_cmpuint(get(ip, "10.0.0.9").next_hop, ==, addr("10.0.0.9"));
    g_assert_true(get(ip, "172.16.5.5").dev == e1);
    g_assert_cmpuint(get(ip, "172.16.5.5").src, ==, addr("10.0.1.1"));
    g_assert_cmpuint(get(ip, "172.16.5.5").next_hop, ==, addr("10.0.1.254"));
    g_assert_cmpuint(get(ip, "172.16.6.5").next_hop, ==, addr("10.0.0.254"));
    g_assert_cmpuint(get(ip, "8.8.8.8").next_hop, ==, addr("10.0.0.253"));
    g_assert_cmpint(get(ip, "10.0.0.1").type, ==, IP4_ROUTE_LOCAL);
    g_assert_cmpstr(ip4_if_dev(get(ip, "10.0.0.1").dev)->name, ==, "lo");
    g_assert_cmpuint(get(ip, "127.9.9.9").src, ==, IPV4_LOOPBACK);
    g_assert_cmpint(get(ip, "10.0.0.255").type, ==, IP4_ROUTE_BROADCAST);
    bed_free(b);
}

static void test_types(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);

    bed_dev(b, ip, "10.0.0.1/24");
    route(ip, "192.0.2.0/24", NULL, IP4_ROUTE_BLACKHOLE);
    route(ip, "198.51.100.0/24", NULL, IP4_ROUTE_UNREACHABLE);
    route(ip, "203.0.113.0/24", NULL, IP4_ROUTE_PROHIBIT);
    g_assert_cmpint(get_error(ip, "192.0.2.1"), ==, -EINVAL); /* Linux fib_props */
    g_assert_cmpint(get_error(ip, "198.51.100.1"), ==, -EHOSTUNREACH);
    g_assert_cmpint(get_error(ip, "203.0.113.1"), ==, -EACCES);
    bed_free(b);
}

/* Of one prefix the lowest metric wins, and the next one takes over. */
static void test_metric(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    Ip4RouteSpec s = {.prefix = {addr("172.16.0.0"), 16}, .via = addr("10.0.0.9"), .metric = 20};
    char *error = NULL;

    bed_dev(b, ip, "10.0.0.1/24");
    g_assert_true(ip4_route_add(ip, &s, &error));
    s.via = addr("10.0.0.8"), s.metric = 10;
    g_assert_true(ip4_route_add(ip, &s, &error));
    g_assert_cmpuint(get(ip, "172.16.0.1").next_hop, ==, addr("10.0.0.8"));
    s.via = addr("10.0.0.7");
    g_assert_false(ip4_route_add(ip, &s, &error));
    g_assert_cmpstr(error, ==, "route 172.16.0.0/16: there is one with metric 10 already");
    g_clear_pointer(&error, g_free);
    s.via = 0;
    g_assert_true(ip4_route_remove(ip, &s, &error));
    g_assert_cmpuint(get(ip, "172.16.0.1").next_hop, ==, addr("10.0.0.9"));
    g_assert_false(ip4_route_remove(ip, &s, &error));
    g_assert_cmpstr(error, ==, "route 172.16.0.0/16: there is no such route");
    g_clear_pointer(&error, g_free);
    bed_free(b);
}

static void test_refused_addresses(void)
{
    static const struct {
        const char *addr, *why;
    } bad[] = {
        {"224.1.1.1/24", "224.1.1.1/24: a multicast (class D) address cannot be a host's"},
        {"240.0.0.1/24", "240.0.0.1/24: class E addresses are reserved"},
        {"255.255.255.255/32", "255.255.255.255/32: the limited broadcast address cannot be a host's"},
        {"10.0.5.0/24",
         "10.0.5.0/24 is the address of the network itself: its hosts are numbered from 10.0.5.1"},
        {"10.0.5.255/24", "10.0.5.255/24 is the broadcast address of its network"},
        {"127.0.0.2/8", "127.0.0.2/8: loopback addresses belong to lo"},
        {"0.1.2.3/8", "0.1.2.3/8: 0.0.0.0/8 means \"this network\" and cannot be a host's"},
        {"10.0.0.1/16", "10.0.0.1/16: this host has the address already, on eth0"},
    };
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    Ip4If *e0 = bed_dev(b, ip, "10.0.0.1/24");

    for (unsigned i = 0; i < HS_ARRAY_LEN(bad); i++) {
        char *error = NULL;
        Ipv4Prefix p;

        g_assert_true(ipv4_prefix_parse(bad[i].addr, &p));
        g_assert_false(ip4_addr_add(ip, e0, p, &error));
        g_assert_cmpstr(error, ==, bad[i].why);
        g_free(error);
    }
    g_assert_true(ip4_addr_add(ip, e0, (Ipv4Prefix){addr("10.9.0.0"), 31}, NULL)); /* RFC 3021 */
    g_assert_cmpint(ip4_addr_count(e0), ==, 2);
    g_assert_cmpuint(ip4_primary_addr(e0), ==, addr("10.0.0.1"));
    bed_free(b);
}

static void test_refused_routes(void)
{
    static const struct {
        const char *prefix, *via, *why;
    } bad[] = {
        {"10.5.0.1/16", "10.0.0.9",
         "route 10.5.0.1/16: bits beyond the prefix are set; 10.5.0.0/16 is meant?"},
        {"10.5.0.0/16", "10.7.0.1", "route 10.5.0.0/16: gateway 10.7.0.1 is not on a network of this host"},
        {"10.5.0.0/16", "10.0.0.1", "route 10.5.0.0/16: gateway 10.0.0.1 is this host itself"},
        {"10.5.0.0/16", "10.0.0.255",
         "route 10.5.0.0/16: gateway 10.0.0.255 is a broadcast or multicast address"},
        {"10.5.0.0/16", NULL, "route 10.5.0.0/16: neither a gateway nor a device is given"},
        {"10.0.0.0/24", "10.0.0.9", "route 10.0.0.0/24: there is one with metric 0 already"},
    };
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);

    bed_dev(b, ip, "10.0.0.1/24");
    for (unsigned i = 0; i < HS_ARRAY_LEN(bad); i++) {
        Ip4RouteSpec s = {.via = bad[i].via ? addr(bad[i].via) : 0};
        char *error = NULL;

        g_assert_true(ipv4_prefix_parse(bad[i].prefix, &s.prefix));
        g_assert_false(ip4_route_add(ip, &s, &error));
        g_assert_cmpstr(error, ==, bad[i].why);
        g_free(error);
    }
    bed_free(b);
}

/* A device that goes down takes its routes out of use; its address stays ours (IP4-20). */
static void test_down(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    Ip4If *e0 = bed_dev(b, ip, "10.0.0.1/24");
    NetDev *dev = ip4_if_dev(e0);

    bed_dev(b, ip, "10.0.1.1/24");
    route(ip, "172.16.0.0/16", "10.0.0.9", IP4_ROUTE_UNICAST);
    route(ip, "0.0.0.0/0", "10.0.1.9", IP4_ROUTE_UNICAST);
    g_assert_cmpuint(get(ip, "172.16.0.1").next_hop, ==, addr("10.0.0.9"));
    dev->flags &= (uint16_t)~NETDEV_UP;
    dev->changed(dev);
    g_assert_cmpuint(get(ip, "172.16.0.1").next_hop, ==, addr("10.0.1.9"));
    g_assert_cmpint(get(ip, "10.0.0.1").type, ==, IP4_ROUTE_LOCAL);
    dev->flags |= NETDEV_UP;
    dev->changed(dev);
    g_assert_cmpuint(get(ip, "172.16.0.1").next_hop, ==, addr("10.0.0.9"));
    g_assert_cmpuint(ip4_route_count(ip), ==, 8);
    g_assert_true(ip4_addr_remove(ip, e0, (Ipv4Prefix){addr("10.0.0.1"), 24}));
    g_assert_cmpint(get(ip, "10.0.0.1").type, ==, IP4_ROUTE_UNICAST);
    bed_free(b);
}

/* RFC 1191: a learnt MTU holds for ten minutes, not below min_pmtu; no error makes a path wider. */
static void test_pmtu(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);

    bed_dev(b, ip, "10.0.0.1/24");
    route(ip, "0.0.0.0/0", "10.0.0.9", IP4_ROUTE_UNICAST);
    ip4_pmtu_update(ip, addr("8.8.8.8"), 1400);
    g_assert_cmpuint(get(ip, "8.8.8.8").mtu, ==, 1400);
    g_assert_cmpuint(get(ip, "8.8.4.4").mtu, ==, 1500);
    ip4_pmtu_update(ip, addr("8.8.8.8"), 1450);
    g_assert_cmpuint(get(ip, "8.8.8.8").mtu, ==, 1400);
    ip4_pmtu_update(ip, addr("8.8.8.8"), 100);
    g_assert_cmpuint(get(ip, "8.8.8.8").mtu, ==, 552);
    bed_run(b, 599 * SIM_SEC);
    g_assert_cmpuint(get(ip, "8.8.8.8").mtu, ==, 552);
    bed_run(b, 601 * SIM_SEC);
    g_assert_cmpuint(get(ip, "8.8.8.8").mtu, ==, 1500);
    bed_free(b);
}

/* Linux __ip_rt_update_pmtu: a path narrower than min_pmtu (a serial line of 296 bytes) is taken for one of
 * min_pmtu, and "locked": only routers can cut as small as it needs, so DF must not be set. Its MTU is not
 * learnt again before it expires. */
static void test_pmtu_locked(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);

    bed_dev(b, ip, "10.0.0.1/24");
    route(ip, "0.0.0.0/0", "10.0.0.9", IP4_ROUTE_UNICAST);
    ip4_pmtu_update(ip, addr("8.8.8.8"), 552);
    g_assert_false(get(ip, "8.8.8.8").mtu_locked);
    ip4_pmtu_update(ip, addr("8.8.8.8"), 296);
    g_assert_true(get(ip, "8.8.8.8").mtu_locked);
    g_assert_cmpuint(get(ip, "8.8.8.8").mtu, ==, 552);
    ip4_pmtu_update(ip, addr("8.8.8.8"), 552);
    g_assert_true(get(ip, "8.8.8.8").mtu_locked);
    bed_run(b, 601 * SIM_SEC);
    g_assert_false(get(ip, "8.8.8.8").mtu_locked);
    /* ip-sysctl.rst, ip_no_pmtu_disc 1: "the PMTU to this destination will be set to min_pmtu" */
    ip4_sysctl(ip)->ip_no_pmtu_disc = 1;
    ip4_pmtu_update(ip, addr("8.8.8.8"), 0);
    g_assert_cmpuint(get(ip, "8.8.8.8").mtu, ==, 552);
    bed_free(b);
}

/* A socket bound to a device uses that device's routes, however short (fib_table_lookup, flowi4_oif): the
 * default route by eth1 reaches what eth0 has next to it. */
static void test_bound_device(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    Ip4If *e0 = bed_dev(b, ip, "10.0.0.1/24"), *e1 = bed_dev(b, ip, "10.0.1.1/24"),
          *e2 = bed_dev(b, ip, "10.0.2.1/24");
    Ip4RouteSpec s = {.prefix = {addr("172.16.0.0"), 16}, .via = addr("10.0.1.8"), .dev = e1};
    Ip4Flow f;

    route(ip, "0.0.0.0/0", "10.0.1.9", IP4_ROUTE_UNICAST);
    g_assert_cmpint(ip4_route_get(ip, addr("10.0.0.7"), 0, e1, &f), ==, 0);
    g_assert_cmpuint(f.next_hop, ==, addr("10.0.1.9"));
    g_assert_cmpuint(f.src, ==, addr("10.0.1.1"));
    g_assert_cmpint(ip4_route_get(ip, addr("10.0.0.7"), 0, e0, &f), ==, 0);
    g_assert_cmpuint(f.next_hop, ==, addr("10.0.0.7"));
    /* None at all: taken for a neighbour. */
    g_assert_cmpint(ip4_route_get(ip, addr("10.0.0.7"), 0, e2, &f), ==, 0);
    g_assert_true(f.dev == e2);
    g_assert_cmpuint(f.next_hop, ==, addr("10.0.0.7"));
    g_assert_true(ip4_route_add(ip, &s, NULL));
    bed_free(b);
}

/* RFC 1122 3.2.2.2: only from the gateway in use, only to a neighbour on the same device. */
static void test_redirect(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);
    Ip4If *e0 = bed_dev(b, ip, "10.0.0.1/24");
    uint32_t dst = addr("8.8.8.8");

    route(ip, "0.0.0.0/0", "10.0.0.9", IP4_ROUTE_UNICAST);
    g_assert_false(ip4_redirect(ip, e0, addr("10.0.0.7"), dst, addr("10.0.0.8")));
    g_assert_false(ip4_redirect(ip, e0, addr("10.0.0.9"), dst, addr("10.1.0.8")));
    g_assert_false(ip4_redirect(ip, e0, addr("10.0.0.9"), dst, addr("10.0.0.1")));
    g_assert_true(ip4_redirect(ip, e0, addr("10.0.0.9"), dst, addr("10.0.0.8")));
    g_assert_cmpuint(get(ip, "8.8.8.8").next_hop, ==, addr("10.0.0.8"));
    g_assert_cmpuint(get(ip, "8.8.4.4").next_hop, ==, addr("10.0.0.9"));
    bed_free(b);
}

/* 100 000 idle hosts are built: a host with a device and a default route must stay small. */
static void test_size(void)
{
    Bed *b = bed_new();
    Ip4 *ip = bed_host(b);

    bed_dev(b, ip, "10.0.0.1/24");
    route(ip, "0.0.0.0/0", "10.0.0.9", IP4_ROUTE_UNICAST);
    g_test_message("%zu bytes", ip4_bytes(ip));
    g_assert_cmpuint(ip4_bytes(ip), <=, 480);
    bed_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/route/lookup", test_lookup);
    g_test_add_func("/ip/route/types", test_types);
    g_test_add_func("/ip/route/metric", test_metric);
    g_test_add_func("/ip/route/refused-addresses", test_refused_addresses);
    g_test_add_func("/ip/route/refused-routes", test_refused_routes);
    g_test_add_func("/ip/route/down", test_down);
    g_test_add_func("/ip/route/pmtu", test_pmtu);
    g_test_add_func("/ip/route/pmtu-locked", test_pmtu_locked);
    g_test_add_func("/ip/route/bound-device", test_bound_device);
    g_test_add_func("/ip/route/redirect", test_redirect);
    g_test_add_func("/ip/route/size", test_size);
    return g_test_run();
}
