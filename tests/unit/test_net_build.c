/* A network's names, cables and addresses: the rules of models/node/net.h, and every refusal in words. */
#include "tests/unit/test_net_helper.h"

/* ---- names ---- */

static void test_names(void)
{
    Net *net = net_new(1);
    char *error, *long_name = g_strnfill(63, 'x'), *too_long = g_strnfill(64, 'x');
    char *want;

    add_host(net, "a");
    add_host(net, "web-1.example_2");
    add_host(net, long_name);
    assert_refused(net_host(net, "a", &error), error, "the name \"a\" is taken already");
    assert_refused(net_router(net, "a", &error), error, "the name \"a\" is taken already");
    assert_refused(net_switch(net, "a", &error), error, "the name \"a\" is taken already");
    assert_refused(net_host(net, "localhost", &error), error, "the name \"localhost\" is taken already");
    assert_refused(net_host(net, "", &error), error,
                   "\"\" is not a name (expected 1 to 63 letters, digits, '-', '_' or '.')");
    assert_refused(net_host(net, "a b", &error), error,
                   "\"a b\" is not a name (expected 1 to 63 letters, digits, '-', '_' or '.')");
    assert_refused(net_switch(net, "a:eth0", &error), error,
                   "\"a:eth0\" is not a name (expected 1 to 63 letters, digits, '-', '_' or '.')");
    want =
        g_strdup_printf("\"%s\" is not a name (expected 1 to 63 letters, digits, '-', '_' or '.')", too_long);
    assert_refused(net_router(net, too_long, &error), error, want);
    /* It could never be asked for: net_resolve would take it for the address. */
    assert_refused(net_host(net, "10.0.0.1", &error), error, "\"10.0.0.1\" is an address, not a name");
    g_assert_cmpuint(net_host_count(net), ==, 3);
    g_assert_true(net_host_by_name(net, "a") == net_host_at(net, 0));
    g_assert_null(net_host_by_name(net, "b"));
    add_switch(net, "sw");
    g_assert_null(net_host_by_name(net, "sw"));
    g_assert_nonnull(switch_of_node(node_named(net, "sw")));
    g_assert_null(switch_of_node(node_named(net, "a")));
    g_assert_null(host_of_node(NULL));
    g_free(want);
    g_free(long_name);
    g_free(too_long);
    net_free(net);
}

static void test_interface_names(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a");
    NetLinkConfig c;
    char *error;

    add_host(net, "b");
    add_switch(net, "sw");
    link_config(net, &c, "a", "b");
    c.end[0].dev = "eth1"; /* what would come second */
    g_assert_cmpstr(netlink_dev(must_link(net, &c), 0)->name, ==, "eth1");
    g_assert_cmpstr(netlink_dev(join(net, "a", "b"), 0)->name, ==, "eth0");
    g_assert_cmpstr(netlink_dev(join(net, "a", "b"), 0)->name, ==, "eth2"); /* eth1 is taken */
    link_config(net, &c, "b", "a");
    c.end[1].dev = "eth2";
    assert_refused(net_link(net, &c, &error), error, "a has an interface \"eth2\" already");
    link_config(net, &c, "b", "a");
    c.end[1].dev = "lo";
    assert_refused(net_link(net, &c, &error), error, "a has an interface \"lo\" already");
    link_config(net, &c, "b", "a");
    c.end[1].dev = "wan:1";
    assert_refused(
        net_link(net, &c, &error), error,
        "\"wan:1\" is not an interface's name (expected 1 to 15 letters, digits, '-', '_' or '.')");
    link_config(net, &c, "b", "a");
    c.end[1].dev = "sixteen-letters-";
    assert_refused(net_link(net, &c, &error), error,
                   "\"sixteen-letters-\" is not an interface's name (expected 1 to 15 letters, digits, '-', "
                   "'_' or '.')");
    link_config(net, &c, "a", "sw");
    c.end[1].dev = "p7";
    assert_refused(net_link(net, &c, &error), error,
                   "switch sw numbers its ports itself: a port cannot be named \"p7\"");
    /* What was refused left nothing behind. */
    g_assert_cmpuint(host_dev_count(a), ==, 4);
    g_assert_cmpuint(net_link_count(net), ==, 3);
    g_assert_cmpstr(netlink_dev(join(net, "b", "a"), 1)->name, ==, "eth3");
    g_assert_cmpstr(netlink_port(join(net, "a", "sw"), 1)->point.name, ==, "p1");
    net_free(net);
}

static void test_link_names(void)
{
    Net *net = net_new(1);
    NetLink *first, *second;

    add_host(net, "a");
    add_host(net, "b");
    first = join(net, "a", "b");
    second = join(net, "a", "b");
    g_assert_cmpstr(netlink_name(second), ==, "a-b#2");
    g_assert_cmpstr(netlink_name(first), ==, "a-b");
    g_assert_true(net_link_between(net, node_named(net, "b"), node_named(net, "a")) == first);
    add_host(net, "c");
    g_assert_null(net_link_between(net, node_named(net, "a"), node_named(net, "c")));
    net_free(net);
}

/* ---- refused links ---- */

typedef struct Refusal {
    const char *a, *b;
    const char *addr_a, *addr_b, *subnet;
    const char *error;
} Refusal;

static void test_refused_links(void)
{
    static const Refusal table[] = {
        {"a", "a", NULL, NULL, NULL, "a link joins two different nodes, not a with itself"},
        {"a", "b", "10.1.0.1/24", "10.1.0.1/24", NULL, "both ends of the link have the address 10.1.0.1"},
        {"a", "b", "10.1.0.1/24", "10.1.1.2/24", NULL,
         "10.1.0.1/24 and 10.1.1.2/24 are in different subnets, but on one link"},
        {"a", "b", "10.1.0.1/24", NULL, "10.2.0.0/24",
         "the address 10.1.0.1/24 of a is outside the link's subnet 10.2.0.0/24"},
        {"a", "b", NULL, "10.2.0.9/25", "10.2.0.0/24",
         "the address 10.2.0.9/25 of b is outside the link's subnet 10.2.0.0/24"},
        {"a", "b", NULL, NULL, "10.2.0.1/24",
         "10.2.0.1/24 is not a subnet: its host bits are set (expected 10.2.0.0/24)"},
        {"a", "b", NULL, NULL, "0.0.0.0/0", "0.0.0.0/0 is not a subnet (expected a length of 1 to 32)"},
        {"a", "b", "192.168.0.1/24", NULL, NULL, "the address 192.168.0.1 is owner's already"},
        {"a", "sw", NULL, "10.1.0.1/24", NULL,
         "switch sw cannot have the address 10.1.0.1/24: only hosts and routers have addresses"},
        {"a", "b", "224.0.0.1/24", NULL, NULL,
         "224.0.0.1/24: a multicast (class D) address cannot be a host's"},
        {"a", "b", NULL, "10.1.0.255/24", NULL, "10.1.0.255/24 is the broadcast address of its network"},
        {"a", "b", "10.1.0.9/24", "10.1.0.0/24", NULL,
         "10.1.0.0/24 is the address of the network itself: its hosts are numbered from 10.1.0.1"},
        {"a", "sw", "10.1.0.0/24", NULL, NULL,
         "10.1.0.0/24 is the address of the network itself: its hosts are numbered from 10.1.0.1"},
        {"sw", "a", NULL, "127.0.0.5/8", NULL, "127.0.0.5/8: loopback addresses belong to lo"},
    };
    Net *net = net_new(1);
    NetLinkConfig c;
    char *error;

    add_host(net, "a");
    add_host(net, "b");
    add_host(net, "owner");
    add_switch(net, "sw");
    link_config(net, &c, "owner", "sw");
    give_addr(&c, 0, "192.168.0.1/24");
    must_link(net, &c);
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        const Refusal *r = &table[i];

        link_config(net, &c, r->a, r->b);
        if (r->addr_a)
            give_addr(&c, 0, r->addr_a);
        if (r->addr_b)
            give_addr(&c, 1, r->addr_b);
        if (r->subnet)
            give_subnet(&c, r->subnet);
        c.dir[0].queue = queue_new_default(10); /* taken over although it fails */
        assert_refused(net_link(net, &c, &error), error, r->error);
    }
    /* Nothing is left: neither interfaces, nor ports, nor owners of addresses. */
    g_assert_cmpuint(net_link_count(net), ==, 1);
    g_assert_cmpuint(host_dev_count(net_host_by_name(net, "a")), ==, 1);
    g_assert_cmpuint(switch_of_node(node_named(net, "sw"))->n_ports, ==, 1);
    link_config(net, &c, "b", "a");
    give_addr(&c, 0, "10.1.0.9/24");
    give_addr(&c, 1, "10.1.0.1/24");
    g_assert_cmpstr(netlink_dev(must_link(net, &c), 0)->name, ==, "eth0");
    net_free(net);
}

static void test_refused_settings(void)
{
    Net *net = net_new(1);
    NetLinkConfig c;
    char *error;

    add_host(net, "a");
    add_host(net, "b");
    add_switch(net, "sw");
    link_config(net, &c, "a", "b");
    c.dir[0].mtu = 67; /* RFC 791: 68 */
    assert_refused(net_link(net, &c, &error), error, "an MTU of 67 is not possible (expected 68 to 65535)");
    link_config(net, &c, "a", "b");
    c.dir[1].mtu = 65536;
    assert_refused(net_link(net, &c, &error), error,
                   "an MTU of 65536 is not possible (expected 68 to 65535)");
    link_config(net, &c, "a", "b");
    c.end[0].has_mac = true;
    c.end[0].mac = mac_from_u64(UINT64_C(0x0100000000ff));
    assert_refused(net_link(net, &c, &error), error,
                   "01:00:00:00:00:ff is a group's MAC address and cannot be an interface's");
    link_config(net, &c, "a", "sw");
    c.end[1].has_mac = true;
    c.end[1].mac = mac_from_u64(0x2);
    assert_refused(net_link(net, &c, &error), error,
                   "a port of switch sw has no MAC address of its own (00:00:00:00:00:02 was given)");
    link_config(net, &c, "sw", "a");
    c.kind = NET_LINK_PPP;
    assert_refused(net_link(net, &c, &error), error, "a PPP link joins hosts and routers, not switch sw");
    link_config(net, &c, "a", "b");
    c.dir[0].mtu = 9000;
    g_assert_cmpuint(netlink_dev(must_link(net, &c), 0)->mtu, ==, 9000);
    net_free(net);
}

static void test_given_mac(void)
{
    Net *net = net_new(1);
    char text[MAC_STR_LEN];
    NetLinkConfig c;
    NetLink *l;

    add_host(net, "a");
    add_host(net, "b");
    link_config(net, &c, "a", "b");
    c.end[0].has_mac = true;
    c.end[0].mac = mac_from_u64(UINT64_C(0x0200deadbeef));
    l = must_link(net, &c);
    g_assert_cmpstr(mac_format(netlink_dev(l, 0)->mac, text), ==, "02:00:de:ad:be:ef");
    g_assert_cmpstr(mac_format(netlink_dev(l, 1)->mac, text), ==, "02:00:00:00:00:01");
    net_free(net);
}

/* ---- addresses ---- */

static void test_automatic_subnets(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a"), *r = add_router(net, "r"), *s = add_router(net, "s"),
         *b = add_host(net, "b");

    join(net, "a", "r");
    join(net, "s", "r");
    join(net, "s", "b");
    prepare(net);
    /* In order of creation; routers first, although a was plugged in before r. */
    assert_addr(a, "eth0", "10.0.0.2/24");
    assert_addr(r, "eth0", "10.0.0.1/24");
    assert_addr(s, "eth0", "10.0.1.1/24");
    assert_addr(r, "eth1", "10.0.1.2/24");
    assert_addr(s, "eth1", "10.0.2.1/24");
    assert_addr(b, "eth0", "10.0.2.2/24");
    g_assert_cmpuint(host_addr(r), ==, addr_of("10.0.0.1"));
    g_assert_cmpstr(net_name_of(net, addr_of("10.0.2.2")), ==, "b");
    g_assert_null(net_name_of(net, addr_of("10.0.2.3")));
    g_assert_null(net_name_of(net, addr_of("127.0.0.1")));
    net_free(net);
}

static void test_switched_segment(void)
{
    Net *net = net_new(1);
    Host *h1 = add_host(net, "h1"), *h2 = add_host(net, "h2"), *r = add_router(net, "r");

    add_switch(net, "s1");
    add_switch(net, "s2");
    join(net, "h1", "s1");
    join(net, "s2", "h2");
    join(net, "r", "s2");
    join(net, "s1", "s2"); /* makes one segment of two */
    prepare(net);
    assert_addr(r, "eth0", "10.0.0.1/24");
    assert_addr(h1, "eth0", "10.0.0.2/24");
    assert_addr(h2, "eth0", "10.0.0.3/24");
    net_free(net);
}

static void test_overlap_with_given(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a"), *b = add_host(net, "b");
    NetLinkConfig c;
    char *error = NULL;
    Ip4If *ifp;

    for (int i = 0; i < 4; i++) {
        link_config(net, &c, "a", "b");
        if (i == 1)
            give_subnet(&c, "10.0.0.0/23"); /* the first two /24s */
        if (i == 2)
            give_addr(&c, 0, "10.0.2.77/30"); /* in the third */
        must_link(net, &c);
    }
    /* Another one, added by hand. */
    ifp = ip4_if_by_name(host_ip4(b), "eth2");
    g_assert_true(ip4_addr_add(host_ip4(b), ifp, prefix_of("10.0.2.78/30"), &error));
    g_assert_true(ip4_addr_add(host_ip4(b), ifp, prefix_of("10.0.3.200/32"), &error));
    prepare(net);
    assert_addr(a, "eth0", "10.0.4.1/24");
    assert_addr(b, "eth0", "10.0.4.2/24");
    assert_addr(a, "eth1", "10.0.0.1/23");
    assert_addr(b, "eth1", "10.0.0.2/23");
    assert_addr(a, "eth2", "10.0.2.77/30");
    assert_addr(a, "eth3", "10.0.5.1/24");
    net_free(net);
}

static void test_given_addresses_are_kept(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a"), *r = add_router(net, "r"), *b = add_host(net, "b");
    char *error = NULL;
    NetLinkConfig c;

    add_switch(net, "sw");
    link_config(net, &c, "r", "sw");
    give_addr(&c, 0, "192.168.7.2/24");
    must_link(net, &c);
    /* More addresses on one interface than there are interfaces: none of them is given away again. */
    for (unsigned i = 3; i < 20; i++)
        g_assert_true(ip4_addr_add(host_ip4(r), ip4_if_by_name(host_ip4(r), "eth0"),
                                   (Ipv4Prefix){IPV4_ADDR(192, 168, 7, i), 24}, &error));
    join(net, "a", "sw");
    link_config(net, &c, "b", "sw");
    c.end[0].no_addr = true;
    must_link(net, &c);
    prepare(net);
    assert_addr(a, "eth0", "192.168.7.1/24");
    assert_addr(b, "eth0", "none");
    g_assert_cmpuint(host_addr(b), ==, 0);
    add_host(net, "c");
    join(net, "c", "sw");
    prepare(net);
    assert_addr(net_host_by_name(net, "c"), "eth0", "192.168.7.20/24");
    /* An address that was given automatically is taken, too. */
    add_host(net, "d");
    link_config(net, &c, "d", "sw");
    give_addr(&c, 0, "192.168.7.20/24");
    assert_refused(net_link(net, &c, &error), error, "the address 192.168.7.20 is c's already");
    net_free(net);
}

static void test_small_subnets(void)
{
    Net *net = net_new(1);
    Host *a = add_router(net, "a"), *b = add_host(net, "b");
    char *error = NULL;
    NetLinkConfig c;

    link_config(net, &c, "b", "a");
    give_subnet(&c, "10.9.0.0/31"); /* RFC 3021: both numbers are hosts' */
    must_link(net, &c);
    link_config(net, &c, "a", "b");
    give_subnet(&c, "10.9.1.4/30");
    must_link(net, &c);
    prepare(net);
    assert_addr(a, "eth0", "10.9.0.0/31");
    assert_addr(b, "eth0", "10.9.0.1/31");
    assert_addr(a, "eth1", "10.9.1.5/30");
    assert_addr(b, "eth1", "10.9.1.6/30");

    add_switch(net, "sw");
    link_config(net, &c, "a", "sw");
    give_subnet(&c, "10.9.2.0/30");
    must_link(net, &c);
    join(net, "b", "sw");
    prepare(net);
    add_host(net, "third");
    join(net, "third", "sw");
    assert_refused(net_prepare(net, &error), error,
                   "the subnet 10.9.2.0/30 is too small for its 3 interfaces");
    net_free(net);

    net = net_new(1);
    add_host(net, "a");
    add_host(net, "b");
    link_config(net, &c, "a", "b");
    give_subnet(&c, "10.9.0.1/32");
    must_link(net, &c);
    assert_refused(net_prepare(net, &error), error,
                   "the subnet 10.9.0.1/32 is too small for its 2 interfaces");
    net_free(net);
}

static void test_large_segment(void)
{
    Net *net = net_new(1);
    char name[16];
    Host *last = NULL;

    add_host(net, "x");
    add_host(net, "y");
    add_switch(net, "full");
    add_switch(net, "large");
    join(net, "x", "y");
    for (int i = 0; i < 254; i++) {
        g_snprintf(name, sizeof name, "f%d", i);
        last = add_host(net, name);
        join(net, name, "full");
    }
    for (int i = 0; i < 255; i++) {
        g_snprintf(name, sizeof name, "l%d", i);
        add_host(net, name);
        join(net, name, "large");
    }
    join(net, "y", "x");
    prepare(net);
    assert_addr(net_host_by_name(net, "x"), "eth0", "10.0.0.1/24");
    assert_addr(last, "eth0", "10.0.1.254/24");                      /* 254 just fit */
    assert_addr(net_host_by_name(net, "l0"), "eth0", "10.0.2.1/23"); /* 255 do not; 10.0.2.0 is aligned */
    assert_addr(net_host_by_name(net, "l254"), "eth0", "10.0.2.255/23");
    assert_addr(net_host_by_name(net, "x"), "eth1", "10.0.4.2/24");
    net_free(net);
}

static void test_exhausted(void)
{
    Net *net = net_new(1);
    char *error;
    NetLinkConfig c;

    add_host(net, "a");
    add_host(net, "b");
    link_config(net, &c, "a", "b");
    give_addr(&c, 0, "10.200.0.1/8");
    must_link(net, &c);
    join(net, "a", "b");
    assert_refused(net_prepare(net, &error), error,
                   "10.0.0.0/8 has no room for another automatic subnet of 2 interfaces: give subnets in the "
                   "links' options");
    net_free(net);
}

static void test_two_subnets_on_one_segment(void)
{
    Net *net = net_new(1);
    char *error;
    NetLinkConfig c;

    add_host(net, "a");
    add_host(net, "b");
    add_switch(net, "sw");
    link_config(net, &c, "a", "sw");
    give_subnet(&c, "10.1.0.0/24");
    must_link(net, &c);
    link_config(net, &c, "b", "sw");
    give_subnet(&c, "10.2.0.0/24");
    must_link(net, &c);
    assert_refused(net_prepare(net, &error), error,
                   "link b-sw has the subnet 10.2.0.0/24, but is on one segment with a-sw: 10.1.0.0/24");
    net_free(net);
}

static void test_automatic_off(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a");

    add_router(net, "r");
    join(net, "a", "r");
    net_set_auto_addresses(net, false);
    net_set_auto_routes(net, false);
    prepare(net);
    assert_addr(a, "eth0", "none");
    net_set_auto_addresses(net, true);
    prepare(net);
    assert_addr(a, "eth0", "10.0.0.2/24");
    assert_via(a, "9.9.9.9", "none");
    net_set_auto_routes(net, true);
    prepare(net);
    assert_via(a, "9.9.9.9", "10.0.0.1");
    net_free(net);
}

/* ---- net_resolve ---- */

static void test_resolve(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a");
    uint32_t addr = 0;

    add_host(net, "b");
    add_host(net, "lonely");
    add_switch(net, "sw");
    join(net, "a", "b");
    join(net, "a", "b");
    join(net, "a", "sw");
    g_assert_false(net_resolve(net, a, "b", &addr)); /* has none yet */
    prepare(net);
    g_assert_true(net_resolve(net, NULL, "192.0.2.1", &addr));
    g_assert_cmpuint(addr, ==, addr_of("192.0.2.1"));
    g_assert_true(net_resolve(net, a, "b", &addr));
    g_assert_cmpuint(addr, ==, addr_of("10.0.0.2"));
    g_assert_true(net_resolve(net, a, "b:eth1", &addr));
    g_assert_cmpuint(addr, ==, addr_of("10.0.1.2"));
    g_assert_true(net_resolve(net, a, "b:lo", &addr));
    g_assert_cmpuint(addr, ==, IPV4_LOOPBACK);
    g_assert_true(net_resolve(net, a, "localhost", &addr));
    g_assert_cmpuint(addr, ==, IPV4_LOOPBACK);
    addr = 7;
    for (const char *const *bad =
             (const char *const[]){"c", "sw", "lonely", "b:eth2", "b:", ":eth0", "c:eth0", "sw:p1", "",
                                   "10.0.0", "10.0.0.256", "B", NULL};
         *bad; bad++)
        g_assert_false(net_resolve(net, a, *bad, &addr));
    g_assert_cmpuint(addr, ==, 7); /* untouched on failure */
    net_free(net);
}

static void test_sizes(void)
{
    Net *net = net_new(1);
    NetSizes empty, idle, used;
    Pinger p;

    net_sizes(net, &empty);
    g_assert_cmpuint(empty.hosts + empty.links + empty.switches + empty.routes + empty.neighbours, ==, 0);
    g_assert_cmpuint(empty.host_bytes + empty.link_bytes + empty.switch_bytes, ==, 0);
    add_host(net, "a");
    add_host(net, "b");
    add_switch(net, "sw");
    join(net, "a", "sw");
    join(net, "b", "sw");
    prepare(net);
    net_sizes(net, &idle);
    g_assert_cmpuint(idle.hosts, ==, 2);
    g_assert_cmpuint(idle.links, ==, 2);
    g_assert_cmpuint(idle.switches, ==, 1);
    g_assert_cmpuint(idle.neighbours, ==, 0);
    g_assert_cmpuint(idle.routes, ==, 6); /* local, connected and broadcast of each */
    /* "An idle host and a link are each counted in hundreds of bytes" (design). */
    g_assert_cmpuint(idle.host_bytes / 2, >=, 100);
    g_assert_cmpuint(idle.host_bytes / 2, <, 1000);
    g_assert_cmpuint(idle.link_bytes / 2, <, 1500);
    net_sizes(net, &used); /* looking makes nothing larger */
    g_assert_cmpmem(&used, sizeof used, &idle, sizeof idle);
    pinger_init(&p, net_host_by_name(net, "a"));
    ping(&p, addr_of("10.0.0.2"), 0);
    run_for(net, SIM_SEC);
    g_assert_cmpuint(p.replies, ==, 1);
    net_sizes(net, &used);
    g_assert_cmpuint(used.neighbours, ==, 2);
    g_assert_cmpuint(used.neighbour_bytes, >=, 2 * 64);
    g_assert_cmpuint(used.host_bytes, >, idle.host_bytes);
    net_free(net);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/build/names", test_names);
    g_test_add_func("/net/build/interface-names", test_interface_names);
    g_test_add_func("/net/build/link-names", test_link_names);
    g_test_add_func("/net/build/refused-links", test_refused_links);
    g_test_add_func("/net/build/refused-settings", test_refused_settings);
    g_test_add_func("/net/build/given-mac", test_given_mac);
    g_test_add_func("/net/build/automatic-subnets", test_automatic_subnets);
    g_test_add_func("/net/build/switched-segment", test_switched_segment);
    g_test_add_func("/net/build/overlap-with-given", test_overlap_with_given);
    g_test_add_func("/net/build/given-addresses-are-kept", test_given_addresses_are_kept);
    g_test_add_func("/net/build/small-subnets", test_small_subnets);
    g_test_add_func("/net/build/large-segment", test_large_segment);
    g_test_add_func("/net/build/exhausted", test_exhausted);
    g_test_add_func("/net/build/two-subnets-on-one-segment", test_two_subnets_on_one_segment);
    g_test_add_func("/net/build/automatic-off", test_automatic_off);
    g_test_add_func("/net/build/resolve", test_resolve);
    g_test_add_func("/net/build/sizes", test_sizes);
    return g_test_run();
}
