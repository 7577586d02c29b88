/* Networks at work: packets end to end, cables pulled and moved, power, and nothing left behind. */
#include <errno.h>

#include "models/ether/neigh.h"
#include "models/link/segment.h"
#include "tests/unit/test_net_helper.h"

/* a – sw – r1 – r2 – b: 10.0.0 with a and r1, 10.0.1 between the routers, 10.0.2 with b */
typedef struct Bed {
    Net *net;
    Host *a, *b, *r1, *r2;
    NetLink *a_sw, *middle;
    Pinger ping;
} Bed;

static void bed_init(Bed *bed)
{
    Net *net = bed->net = net_new(1);

    bed->a = add_host(net, "a");
    bed->b = add_host(net, "b");
    bed->r1 = add_router(net, "r1");
    bed->r2 = add_router(net, "r2");
    add_switch(net, "sw");
    bed->a_sw = join(net, "a", "sw");
    join(net, "r1", "sw");
    bed->middle = join(net, "r1", "r2");
    join(net, "r2", "b");
    prepare(net);
    pinger_init(&bed->ping, bed->a);
}

static uint32_t b_addr(const Bed *bed)
{
    return host_addr(bed->b);
}

static void test_ping(void)
{
    Bed bed;
    SimTime sent;

    bed_init(&bed);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 1);
    g_assert_cmpuint(bed.ping.from, ==, b_addr(&bed));
    g_assert_cmpuint(bed.ping.ttl, ==, 62); /* 64, and two routers */
    sent = sim_now(net_sim(bed.net));
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 2);
    /* Four links there and four back, 1 ms each, and 98 bytes + preamble and FCS at 1 Gbit/s: 880 ns on each.
     */
    g_assert_cmpint(bed.ping.replied - sent, ==, 8 * (SIM_MS + 880));
    g_assert_cmpuint(counter(bed.r1, "IpForwDatagrams"), ==, 4);
    g_assert_cmpuint(counter(bed.b, "IcmpInEchos"), ==, 2);
    g_assert_cmpuint(counter(bed.b, "IcmpOutEchoReps"), ==, 2);
    g_assert_cmpuint(counter(bed.a, "IcmpInEchoReps"), ==, 2);
    net_free(bed.net);
}

static void test_ttl(void)
{
    const char *const reporter[] = {"r1", "r2"};
    Bed bed;

    bed_init(&bed);
    for (uint8_t ttl = 1; ttl <= 2; ttl++) {
        ping(&bed.ping, b_addr(&bed), ttl);
        run_for(bed.net, 2 * SIM_SEC);
        g_assert_cmpuint(bed.ping.errors, ==, ttl);
        g_assert_cmpuint(bed.ping.type, ==, ICMP_TIME_EXCEEDED);
        g_assert_cmpstr(net_name_of(bed.net, bed.ping.reporter), ==, reporter[ttl - 1]);
    }
    ping(&bed.ping, b_addr(&bed), 3);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 1);
    net_free(bed.net);
}

static void test_udp(void)
{
    Bed bed;
    UdpSock *client, *server;
    UdpRecv info;
    char buf[64];

    bed_init(&bed);
    server = udpsock_new(host_udp(bed.b));
    client = udpsock_new(host_udp(bed.a));
    g_assert_cmpint(udpsock_bind(server, (UdpAddr){0, 7}), ==, 0);
    g_assert_cmpint(udpsock_connect(client, (UdpAddr){b_addr(&bed), 7}), ==, 0);
    g_assert_cmpint(udpsock_send(client, &(UdpSend){.bytes = "question", .len = 8}), >=, 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(server, buf, sizeof buf, &info), >=, 0);
    g_assert_cmpmem(buf, info.len, "question", 8);
    g_assert_cmpstr(net_name_of(bed.net, info.from.ip), ==, "a");
    g_assert_cmpint(udpsock_send(server, &(UdpSend){.to = &info.from, .bytes = "answer", .len = 6}), >=, 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(client, buf, sizeof buf, &info), >=, 0);
    g_assert_cmpmem(buf, info.len, "answer", 6);
    /* A port where nobody listens: ICMP 3/3, and the connected socket hears of it. */
    g_assert_cmpint(udpsock_connect(client, (UdpAddr){b_addr(&bed), 9}), ==, 0);
    g_assert_cmpint(udpsock_send(client, &(UdpSend){.bytes = "x", .len = 1}), >=, 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpint(udpsock_recv(client, buf, sizeof buf, &info), ==, -ECONNREFUSED);
    g_assert_cmpuint(counter(bed.b, "UdpNoPorts"), ==, 1);
    net_free(bed.net);
}

static void test_broadcast(void)
{
    Net *net = net_new(1);
    UdpSock *rx[4], *tx;
    UdpRecv info;
    char name[8];

    add_switch(net, "sw");
    for (int i = 0; i < 4; i++) {
        g_snprintf(name, sizeof name, "h%d", i);
        rx[i] = udpsock_new(host_udp(add_host(net, name)));
        udpsock_bind(rx[i], (UdpAddr){0, 67});
        join(net, name, "sw");
    }
    add_router(net, "r");
    add_host(net, "behind");
    join(net, "r", "sw");
    join(net, "r", "behind");
    prepare(net);
    tx = udpsock_new(host_udp(net_host_by_name(net, "h0")));
    g_assert_cmpint(udpsock_send(tx, &(UdpSend){.to = &(UdpAddr){addr_of("10.0.0.255"), 67}, .len = 10}), ==,
                    -EACCES);
    udpsock_opt(tx)->broadcast = true;
    g_assert_cmpint(udpsock_send(tx, &(UdpSend){.to = &(UdpAddr){addr_of("10.0.0.255"), 67}, .len = 10}), >=,
                    0);
    g_assert_cmpint(udpsock_send(tx, &(UdpSend){.to = &(UdpAddr){IPV4_BROADCAST, 67}, .len = 11}), >=, 0);
    run_for(net, SIM_SEC);
    for (int i = 1; i < 4; i++) {
        g_assert_cmpint(udpsock_recv(rx[i], NULL, 0, &info), >=, 0);
        g_assert_cmpuint(info.len, ==, 10);
        g_assert_cmpint(udpsock_recv(rx[i], NULL, 0, &info), >=, 0);
        g_assert_cmpuint(info.len, ==, 11);
        g_assert_cmpint(udpsock_recv(rx[i], NULL, 0, &info), ==, -EAGAIN);
    }
    g_assert_cmpuint(counter(net_host_by_name(net, "behind"), "IpInReceives"), ==, 0);
    net_free(net);
}

/* ---- cables ---- */

static void test_unplug_and_back(void)
{
    Bed bed;
    char *error = NULL;

    bed_init(&bed);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, 2500 * SIM_US); /* on its way between the routers */
    net_unplug(bed.middle);
    net_unplug(bed.middle); /* twice is once */
    g_assert_null(netlink_link(bed.middle));
    g_assert_null(netlink_dir(bed.middle, 0));
    g_assert_false(netdev_is_running(netlink_dev(bed.middle, 0)));
    netlink_set_up(bed.middle, true); /* no carrier without a cable */
    g_assert_false(netdev_is_running(netlink_dev(bed.middle, 0)));
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 1);
    g_assert_true(net_replug(bed.middle, 0, &(NetEndConfig){.node = host_node(bed.r1)}, &error));
    g_assert_true(netdev_is_running(netlink_dev(bed.middle, 0)));
    g_assert_cmpuint(host_dev_count(bed.r1), ==, 3); /* the same socket */
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 2);
    g_assert_cmpuint(linkdir_rate(netlink_dir(bed.middle, 0)), ==, UINT64_C(1000000000));
    net_free(bed.net);
}

static void test_move(void)
{
    Bed bed;
    char *error = NULL;
    NetLink *to_b;

    bed_init(&bed);
    add_host(bed.net, "c");
    to_b = net_link_between(bed.net, host_node(bed.r2), host_node(bed.b));
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    /* The refusals leave the cable where it is. */
    assert_refused(net_replug(to_b, 1, &(NetEndConfig){.node = host_node(bed.r2)}, &error), error,
                   "a link joins two different nodes, not r2 with itself");
    assert_refused(net_replug(to_b, 1, &(NetEndConfig){.node = host_node(bed.r1), .dev = "eth0"}, &error),
                   error, "r1 has an interface \"eth0\" already");
    assert_refused(net_replug(to_b, 1,
                              &(NetEndConfig){.node = node_named(bed.net, "c"),
                                              .has_addr = true,
                                              .addr = prefix_of("224.0.0.9/24")},
                              &error),
                   error, "224.0.0.9/24: a multicast (class D) address cannot be a host's");
    g_assert_nonnull(netlink_link(to_b));
    g_assert_cmpuint(host_dev_count(net_host_by_name(bed.net, "c")), ==, 1);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 2);

    g_assert_true(net_replug(to_b, 1, &(NetEndConfig){.node = node_named(bed.net, "c")}, &error));
    g_assert_cmpstr(netlink_name(to_b), ==, "r2-c");
    prepare(bed.net);
    assert_addr(net_host_by_name(bed.net, "c"), "eth0", "10.0.2.3/24"); /* .2 is b's, who may come back */
    g_assert_false(netdev_is_running(host_dev(bed.b, "eth0")));
    ping(&bed.ping, addr_of("10.0.2.3"), 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 3);
    net_free(bed.net);
}

/* From one segment to another that has a subnet: the moved cable must not bring its old one along. */
static void test_move_between_segments(void)
{
    Net *net = net_new(1);
    char *error = NULL;
    Host *a = add_host(net, "a");
    NetLink *moving;

    add_router(net, "r");
    add_host(net, "x");
    add_host(net, "new");
    add_switch(net, "left");
    add_switch(net, "right");
    moving = join(net, "a", "left");
    join(net, "r", "left");
    join(net, "r", "right");
    join(net, "x", "right");
    prepare(net);
    assert_addr(a, "eth0", "10.0.0.2/24");
    g_assert_true(net_replug(moving, 1, &(NetEndConfig){.node = node_named(net, "right")}, &error));
    join(net, "new", "right");
    prepare(net);
    assert_addr(net_host_by_name(net, "new"), "eth0", "10.0.1.3/24");
    assert_addr(a, "eth0", "10.0.0.2/24"); /* as on a real host */
    assert_via(net_host_by_name(net, "x"), "10.0.0.9", "10.0.1.1");
    net_free(net);
}

/* A hub's cables are part of its medium, a PPP link has no addresses to resolve: both carry packets. */
static void test_hub_and_ppp(void)
{
    Net *net = net_new(1);
    char *error = NULL;
    NetLinkConfig c;
    SegmentConfig medium;
    NetLink *cable;
    Pinger p;

    segmentconfig_init(&medium);
    add_host(net, "a");
    add_router(net, "r");
    add_host(net, "far");
    g_assert_nonnull(net_hub(net, "hub", &medium, &error));
    g_assert_nonnull(net_hub(net, "hub2", &medium, &error));
    assert_refused((link_config(net, &c, "hub", "hub2"), net_link(net, &c, &error)), error,
                   "hubs hub and hub2 cannot be joined: put their hosts on one hub");
    link_config(net, &c, "hub", "a");
    c.dir[1].queue = queue_new_default(5);
    assert_refused(net_link(net, &c, &error), error,
                   "the cable to hub hub is part of the shared medium: rate and delay are the hub's, and "
                   "there is no queue, jitter or impairment of its own");
    link_config(net, &c, "hub", "a");
    c.dir[0].delay = SIM_MS;
    assert_refused(
        net_link(net, &c, &error), error,
        "the cable to hub hub is part of the shared medium: rate and delay are the hub's, and there is no "
        "queue, jitter or impairment of its own");
    cable = join(net, "a", "hub");
    join(net, "hub", "r");
    g_assert_null(netlink_link(cable));
    link_config(net, &c, "r", "far");
    c.kind = NET_LINK_PPP;
    g_assert_cmpstr(netlink_dev(must_link(net, &c), 0)->name, ==, "ppp0");
    prepare(net);
    pinger_init(&p, net_host_by_name(net, "a"));
    ping(&p, host_addr(net_host_by_name(net, "far")), 0);
    run_for(net, SIM_SEC);
    g_assert_cmpuint(p.replies, ==, 1);
    net_unplug(cable);
    ping(&p, host_addr(net_host_by_name(net, "far")), 0);
    run_for(net, SIM_SEC);
    g_assert_cmpuint(p.replies, ==, 1);
    g_assert_true(net_replug(cable, 1, &(NetEndConfig){.node = node_named(net, "hub")}, &error));
    ping(&p, host_addr(net_host_by_name(net, "far")), 0);
    run_for(net, 5 * SIM_SEC);
    g_assert_cmpuint(p.replies, >=, 2);
    net_free(net);
}

static void test_link_down(void)
{
    Bed bed;

    bed_init(&bed);
    netlink_set_up(bed.a_sw, false);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 0);
    netlink_set_up(bed.a_sw, true);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, 2 * SIM_SEC);
    /* The first one waited, too: the third question for r1's address, two seconds after the first, is
     * answered. */
    g_assert_cmpuint(bed.ping.replies, ==, 2);
    net_free(bed.net);
}

/* ---- power ---- */

typedef struct Hook {
    Host *host;
    unsigned on, off;
    bool had_carrier; /* when told that it is on */
} Hook;

static void on_power(void *user, bool on)
{
    Hook *k = user;

    if (on)
        k->had_carrier = netdev_is_running(host_dev(k->host, "eth0"));
    ++*(on ? &k->on : &k->off);
}

static NeighTable *neighbours(Host *h, const char *dev)
{
    return ip4_if_neighbours(ip4_if_by_name(host_ip4(h), dev));
}

static unsigned entries(Host *h, const char *dev)
{
    NeighStats st;

    neightable_stats(neighbours(h, dev), &st);
    return st.entries;
}

static void test_power(void)
{
    Bed bed;
    Hook hook = {0};
    NetDev *peer;

    bed_init(&bed);
    hook.host = bed.b;
    host_on_power(bed.b, on_power, &hook);
    peer = netlink_dev(net_link_between(bed.net, host_node(bed.r2), host_node(bed.b)), 0);
    udpsock_bind(udpsock_new(host_udp(bed.b)), (UdpAddr){0, 7});
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, SIM_SEC);
    g_assert_cmpuint(entries(bed.b, "eth0"), ==, 1);
    g_assert_true(host_is_on(bed.b));
    g_assert_true(netdev_is_running(peer));

    host_set_power(bed.b, false);
    host_set_power(bed.b, false);
    g_assert_cmpuint(hook.off, ==, 1);
    g_assert_false(host_is_on(bed.b));
    g_assert_false(netdev_is_running(peer)); /* it sees no carrier */
    g_assert_cmpuint(entries(bed.b, "eth0"), ==, 0);
    g_assert_cmpuint(counter(bed.b, "IpInReceives"), ==, 0);
    g_assert_cmpuint(counter(bed.b, "IcmpInEchos"), ==, 0);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, 5 * SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 1);

    host_set_power(bed.b, true);
    g_assert_cmpuint(hook.on, ==, 1);
    g_assert_true(hook.had_carrier);
    g_assert_true(netdev_is_running(peer));
    assert_addr(bed.b, "eth0", "10.0.2.2/24");
    assert_via(bed.b, "10.0.0.2", "10.0.2.1");
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, 5 * SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 2);
    g_assert_cmpuint(counter(bed.b, "IcmpInEchos"), ==, 1);
    /* The socket is gone: the port is free. */
    g_assert_cmpint(udpsock_bind(udpsock_new(host_udp(bed.b)), (UdpAddr){0, 7}), ==, 0);
    net_free(bed.net);
}

/* Carrier needs both ends' power, the link's own state, and a cable. */
static void test_power_and_carrier(void)
{
    Bed bed;
    NetLink *l;
    char *error = NULL;

    bed_init(&bed);
    l = net_link_between(bed.net, host_node(bed.r2), host_node(bed.b));
    host_set_power(bed.b, false);
    host_set_power(bed.r2, false);
    host_set_power(bed.b, true);
    g_assert_false(link_is_up(netlink_link(l)));
    host_set_power(bed.r2, true);
    g_assert_true(link_is_up(netlink_link(l)));
    netlink_set_up(l, false);
    host_set_power(bed.b, false);
    host_set_power(bed.b, true);
    g_assert_false(link_is_up(netlink_link(l)));
    netlink_set_up(l, true);
    g_assert_true(link_is_up(netlink_link(l)));
    host_set_power(bed.b, false);
    netlink_set_up(l, true);
    g_assert_false(link_is_up(netlink_link(l)));
    net_unplug(l);
    g_assert_true(net_replug(l, 1, &(NetEndConfig){.node = host_node(bed.b)}, &error));
    g_assert_false(link_is_up(netlink_link(l)));
    /* A cable to a host that is off: its interface is down with it. */
    g_assert_false(link_is_up(netlink_link(join(bed.net, "b", "a"))));
    g_assert_false(netdev_is_running(host_dev(bed.b, "eth1")));
    host_set_power(bed.b, true);
    g_assert_true(link_is_up(netlink_link(l)));
    g_assert_true(netdev_is_running(host_dev(bed.b, "eth1")));
    net_free(bed.net);
}

/* Power fails while a packet waits for ARP, others are in flight and the pinger's listener is open. */
static void test_power_fails_at_work(void)
{
    Bed bed;
    PacketPoolInfo pool;

    bed_init(&bed);
    ping(&bed.ping, addr_of("10.0.0.99"), 0); /* nobody: waits */
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, 1500 * SIM_US);
    host_set_power(bed.a, false);
    icmp4_echo_close(host_ip4(bed.a), bed.ping.id); /* what its process does when it hears of it late */
    g_assert_cmpuint(counter(bed.a, "IcmpOutMsgs"), ==, 0);
    run_for(bed.net, 10 * SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 0);
    packetpool_get_info(net_packets(bed.net), &pool);
    g_assert_cmpuint(pool.live, ==, 0);
    host_set_power(bed.a, true);
    pinger_init(&bed.ping, bed.a);
    ping(&bed.ping, b_addr(&bed), 0);
    run_for(bed.net, 5 * SIM_SEC);
    g_assert_cmpuint(bed.ping.replies, ==, 1);
    net_free(bed.net);
}

/* ---- counters ---- */

static void note_name(const char *name, uint64_t value, void *user)
{
    GHashTable *seen = user;

    (void)value;
    g_assert_true(g_hash_table_add(seen, (gpointer)name));
}

static void test_counters(void)
{
    Bed bed;
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    uint64_t v = 7;

    bed_init(&bed);
    host_foreach_counter(bed.a, note_name, seen);
    g_assert_cmpuint(g_hash_table_size(seen), ==,
                     IP4_MIB_COUNT + ICMP4_MIB_COUNT + UDP_MIB_COUNT + TCP_MIB_COUNT + IP6_MIB_COUNT);
    for (const char *const *name =
             (const char *const[]){"IpInReceives", "IpOutRequests", "IpForwDatagrams", "IcmpInEchos",
                                   "UdpNoPorts", "UdpRcvbufErrors", NULL};
         *name; name++)
        g_assert_true(host_counter(bed.a, *name, &v));
    v = 7;
    g_assert_false(host_counter(bed.a, "IpInReceive", &v));
    g_assert_false(host_counter(bed.a, "", &v));
    g_assert_cmpuint(v, ==, 7);
    g_hash_table_destroy(seen);
    net_free(bed.net);
}

/* ---- IPv6 ---- */

#define PROTO 253

static void count_input(void *user, Packet *pkt, const Ip6Rx *rx)
{
    (void)rx;
    ++*(unsigned *)user;
    packet_unref(pkt);
}

static Ipv6Addr v6(const char *s)
{
    Ipv6Addr a;

    g_assert_true(ipv6_addr_parse(s, &a));
    return a;
}

static void give_v6(Host *h, const char *dev, const char *s)
{
    Ipv6Prefix p;
    char *error = NULL;

    g_assert_true(ipv6_prefix_parse(s, &p));
    g_assert_true(ip6_addr_add(host_ip6(h), ip4_if_by_name(host_ip4(h), dev), p, &error));
}

static int send_v6(Host *h, const char *to)
{
    Packet *p = packet_new(ip4_pool(host_ip4(h)), 0, 0, PKT_HEADROOM);

    packet_add_synthetic(p, 0, 100);
    return ip6_output(host_ip6(h), p, &(Ip6Tx){.dst = v6(to), .proto = PROTO});
}

/* Two hosts on a serial line speak IPv6; power and plugs are obeyed. */
static void test_ip6(void)
{
    Net *net = net_new(1);
    Host *a = add_host(net, "a"), *b = add_host(net, "b");
    NetLinkConfig c;

    unsigned got = 0;

    link_config(net, &c, "a", "b");
    c.kind = NET_LINK_PPP;
    must_link(net, &c);
    prepare(net);
    g_assert_false(host_has_ip6(a));
    give_v6(a, "ppp0", "fd00::1/64");
    give_v6(b, "ppp0", "fd00::2/64");
    ip6_set_proto(host_ip6(b), PROTO, &(Ip6Proto){.input = count_input, .user = &got});
    g_assert_cmpint(send_v6(a, "fd00::2"), ==, 0);
    run_for(net, SIM_SEC);
    g_assert_cmpuint(got, ==, 1);
    g_assert_cmpuint(counter(b, "Ip6InDelivers"), ==, 1);

    host_set_power(b, false);
    g_assert_cmpuint(counter(b, "Ip6InDelivers"), ==, 0);
    g_assert_cmpint(send_v6(a, "fd00::2"), ==, 0);
    run_for(net, SIM_SEC);
    host_set_power(b, true);
    g_assert_cmpint(send_v6(a, "fd00::2"), ==, 0);
    run_for(net, SIM_SEC);
    g_assert_cmpuint(got, ==, 2);
    net_free(net);
}

/* ---- the end ---- */

/* Freed in mid-run, with frames in flight and in queues, packets waiting for ARP, timers armed, sockets open
 * and full. */
static void test_free_at_work(void)
{
    for (unsigned stop_us = 0; stop_us < 12000; stop_us += 700) {
        Bed bed;
        UdpSock *tx, *rx;

        bed_init(&bed);
        rx = udpsock_new(host_udp(bed.b));
        udpsock_bind(rx, (UdpAddr){0, 9});
        tx = udpsock_new(host_udp(bed.a));
        ping(&bed.ping, addr_of("10.0.0.99"), 0);
        for (int i = 0; i < 50; i++)
            udpsock_send(tx, &(UdpSend){.to = &(UdpAddr){b_addr(&bed), 9}, .len = 5000});
        run_for(bed.net, stop_us * SIM_US);
        for (int i = 0; i < 50; i++)
            udpsock_send(tx, &(UdpSend){.to = &(UdpAddr){b_addr(&bed), 9}, .bytes = "real bytes", .len = 10});
        if (stop_us % 1400)
            net_unplug(bed.middle);
        net_free(bed.net);
    }
    net_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/run/ping", test_ping);
    g_test_add_func("/net/run/ttl", test_ttl);
    g_test_add_func("/net/run/udp", test_udp);
    g_test_add_func("/net/run/broadcast", test_broadcast);
    g_test_add_func("/net/run/unplug-and-back", test_unplug_and_back);
    g_test_add_func("/net/run/move", test_move);
    g_test_add_func("/net/run/move-between-segments", test_move_between_segments);
    g_test_add_func("/net/run/hub-and-ppp", test_hub_and_ppp);
    g_test_add_func("/net/run/link-down", test_link_down);
    g_test_add_func("/net/run/power", test_power);
    g_test_add_func("/net/run/power-and-carrier", test_power_and_carrier);
    g_test_add_func("/net/run/power-fails-at-work", test_power_fails_at_work);
    g_test_add_func("/net/run/counters", test_counters);
    g_test_add_func("/net/run/ip6", test_ip6);
    g_test_add_func("/net/run/free-at-work", test_free_at_work);
    return g_test_run();
}
