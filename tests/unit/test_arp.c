/* ARP by RFC 826, Linux arp_process and RFC 5227; RARP by RFC 903. */
#include "models/ether/rarp.h"
#include "tests/unit/ip4_bed.h"

#define PEER 0x0a0000000002u

static void arp_in(Bed *b, Ip4If *ifp, uint16_t op, uint64_t sha, const char *spa, uint64_t tha,
                   const char *tpa, uint8_t flags)
{
    const ArpMsg m = {op, mac_from_u64(sha), addr(spa), mac_from_u64(tha), addr(tpa)};
    Packet *p = packet_new(b->pool, 0, 0, 64);
    NetDev *dev = ip4_if_dev(ifp);

    arp_encode(packet_put(p, ARP_LEN), &m);
    p->flags = flags;
    dev->input(dev, p, ETH_TYPE_ARP);
}

static Neigh *entry(Ip4If *ifp, const char *ip)
{
    return neigh_lookup(ip4_if_neighbours(ifp), &(uint32_t){addr(ip)});
}

/* ARP-01, -02: 28 bytes, broadcast, target MAC zero; the owner answers by unicast, and then the packet
 * leaves. */
static void test_exchange(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b), *y = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "192.168.0.7/24"), *yi = bed_dev(b, y, "192.168.0.1/24");
    StubDev *xd = stub_of(xi), *yd = stub_of(yi);
    static const uint8_t request[28] = {0,   1,   8, 0, 6, 4, 0, 1, 2, 0, 0,   0,   0, 1,
                                        192, 168, 0, 7, 0, 0, 0, 0, 0, 0, 192, 168, 0, 1};

    bed_join(xi, yi, SIM_MS);
    bed_send(b, x, "192.168.0.1", 56);
    bed_send(b, x, "192.168.0.1", 56);
    bed_run(b, SIM_SEC);
    g_assert_cmpuint(xd->sent->len, ==, 3);
    g_assert_cmpuint(sent_at(xd, 0)->len, ==, 28);
    g_assert_cmpmem(sent_at(xd, 0)->bytes, 28, request, 28);
    g_assert_true(mac_is_broadcast(sent_at(xd, 0)->dst));
    g_assert_cmpuint(yd->sent->len, ==, 1);
    g_assert_cmpuint(arp_op(sent_at(yd, 0)->bytes), ==, ARP_OP_REPLY);
    g_assert_true(mac_equal(sent_at(yd, 0)->dst, xd->dev.mac));
    g_assert_cmpint(sent_at(xd, 1)->time, ==, 2 * SIM_MS);
    g_assert_cmpuint(b->got->len, ==, 2);
    /* The request taught y where x is: its answer needs no request of its own. */
    bed_send(b, y, "192.168.0.7", 10);
    g_assert_cmpint(sent_at(yd, 1)->ethertype, ==, ETH_TYPE_IPV4);
    bed_run(b, 2 * SIM_SEC);
    bed_free(b);
}

/* ARP-06: others' requests teach nothing new, but update an entry that exists (RFC 826's merge flag). */
static void test_hearers(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.1/24");

    arp_in(b, xi, ARP_OP_REQUEST, PEER, "10.0.0.2", 0, "10.0.0.3", PKT_BROADCAST);
    g_assert_null(entry(xi, "10.0.0.2"));
    g_assert_cmpuint(stub_of(xi)->sent->len, ==, 0);
    arp_in(b, xi, ARP_OP_REQUEST, PEER, "10.0.0.2", 0, "10.0.0.1", PKT_BROADCAST);
    g_assert_cmpint(neigh_state(entry(xi, "10.0.0.2")), ==, NEIGH_STALE);
    g_assert_cmpuint(stub_of(xi)->sent->len, ==, 1);
    /* Changed within locktime: not believed. After it: believed. Gratuitous: always. */
    arp_in(b, xi, ARP_OP_REQUEST, 0x0a00000000aa, "10.0.0.2", 0, "10.0.0.3", PKT_BROADCAST);
    g_assert_cmpint(mac_to_u64(entry(xi, "10.0.0.2")->mac), ==, PEER);
    bed_run(b, 2 * SIM_SEC);
    arp_in(b, xi, ARP_OP_REQUEST, 0x0a00000000aa, "10.0.0.2", 0, "10.0.0.3", PKT_BROADCAST);
    g_assert_cmpint(mac_to_u64(entry(xi, "10.0.0.2")->mac), ==, 0x0a00000000aa);
    arp_in(b, xi, ARP_OP_REQUEST, 0x0a00000000bb, "10.0.0.2", 0, "10.0.0.2", PKT_BROADCAST);
    g_assert_cmpint(mac_to_u64(entry(xi, "10.0.0.2")->mac), ==, 0x0a00000000bb);
    /* A gratuitous one makes an entry only with arp_accept. */
    arp_in(b, xi, ARP_OP_REQUEST, PEER, "10.0.0.9", 0, "10.0.0.9", PKT_BROADCAST);
    g_assert_null(entry(xi, "10.0.0.9"));
    ip4_if_arp(xi)->arp_accept = true;
    arp_in(b, xi, ARP_OP_REQUEST, PEER, "10.0.0.9", 0, "10.0.0.9", PKT_BROADCAST);
    g_assert_nonnull(entry(xi, "10.0.0.9"));
    bed_free(b);
}

/* ARP-07: the gateway is asked for, not the destination. */
static void test_gateway(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.1/24");

    route(x, "0.0.0.0/0", "10.0.0.254", IP4_ROUTE_UNICAST);
    bed_send(b, x, "203.0.113.5", 10);
    g_assert_cmpuint(arp_tpa(sent_at(stub_of(xi), 0)->bytes), ==, addr("10.0.0.254"));
    bed_free(b);
}

static void test_static_and_proxy(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.1/24");
    StubDev *d = stub_of(xi);

    bed_dev(b, x, "10.0.1.1/24");
    bed_know(xi, "10.0.0.2", PEER);
    bed_send(b, x, "10.0.0.2", 10);
    g_assert_cmpint(sent_at(d, 0)->ethertype, ==, ETH_TYPE_IPV4);
    arp_in(b, xi, ARP_OP_REPLY, 0x0a00000000aa, "10.0.0.2", 0x020000000001, "10.0.0.1",
           0); /* PERMANENT stays */
    g_assert_cmpint(mac_to_u64(entry(xi, "10.0.0.2")->mac), ==, PEER);

    arp_in(b, xi, ARP_OP_REQUEST, 0x0a0000000003, "10.0.0.3", 0, "10.0.1.7", PKT_BROADCAST);
    g_assert_cmpuint(d->sent->len, ==, 1);
    ip4_if_arp(xi)->proxy_arp = true; /* also needs forwarding */
    ip4_sysctl(x)->ip_forward = true;
    arp_in(b, xi, ARP_OP_REQUEST, 0x0a0000000003, "10.0.0.3", 0, "10.0.1.7", PKT_BROADCAST);
    g_assert_cmpuint(d->sent->len, ==, 2);
    g_assert_cmpuint(arp_spa(sent_at(d, 1)->bytes), ==, addr("10.0.1.7"));
    arp_in(b, xi, ARP_OP_REQUEST, 0x0a0000000003, "10.0.0.3", 0, "10.0.0.9",
           PKT_BROADCAST); /* its own link: no */
    g_assert_cmpuint(d->sent->len, ==, 2);
    bed_free(b);
}

/* ARP-05: the swapped card announces itself if arp_notify is set. */
static void test_notify(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.1/24");
    StubDev *d = stub_of(xi);

    ip4_if_arp(xi)->arp_notify = true;
    d->dev.mac = mac_from_u64(0x0200000000ee);
    d->dev.changed(&d->dev);
    g_assert_cmpuint(d->sent->len, ==, 1);
    g_assert_cmpuint(arp_spa(sent_at(d, 0)->bytes), ==, addr("10.0.0.1"));
    g_assert_cmpuint(arp_tpa(sent_at(d, 0)->bytes), ==, addr("10.0.0.1"));
    bed_free(b);
}

/* RFC 5227 2.1.1: a probe (sender 0.0.0.0) is answered, and teaches nothing. */
static void test_probe_answered(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.1/24");

    arp_in(b, xi, ARP_OP_REQUEST, PEER, "0.0.0.0", 0, "10.0.0.1", PKT_BROADCAST);
    g_assert_cmpuint(stub_of(xi)->sent->len, ==, 1);
    g_assert_null(neigh_lookup(ip4_if_neighbours(xi), &(uint32_t){0}));
    bed_free(b);
}

static int claimed; /* of the test below only */
static void on_claim(void *user, uint32_t a, bool is_free, MacAddr other)
{
    claimed = is_free ? 1 : 2;
}

static void test_claim(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, NULL);
    StubDev *d = stub_of(xi);
    SimTime gap;

    claimed = 0;
    arp_claim(ip4_if_arp(xi), addr("10.0.0.5"), on_claim, NULL);
    bed_run(b, 20 * SIM_SEC);
    g_assert_cmpint(claimed, ==, 1);
    g_assert_cmpuint(d->sent->len, ==, 5); /* three probes, two announcements */
    g_assert_cmpuint(arp_spa(sent_at(d, 2)->bytes), ==, 0);
    g_assert_cmpuint(arp_spa(sent_at(d, 3)->bytes), ==, addr("10.0.0.5"));
    gap = sent_at(d, 1)->time - sent_at(d, 0)->time;
    g_assert_cmpint(gap, >=, SIM_SEC);
    g_assert_cmpint(gap, <=, 2 * SIM_SEC);
    g_assert_cmpint(sent_at(d, 3)->time - sent_at(d, 2)->time, ==, 2 * SIM_SEC);
    g_assert_cmpint(sent_at(d, 4)->time - sent_at(d, 3)->time, ==, 2 * SIM_SEC);

    arp_claim(ip4_if_arp(xi), addr("10.0.0.6"), on_claim, NULL);
    bed_run(b, 21 * SIM_SEC + SIM_MS);
    arp_in(b, xi, ARP_OP_REPLY, PEER, "10.0.0.6", 0x020000000001, "0.0.0.0", 0);
    g_assert_cmpint(claimed, ==, 2);
    bed_free(b);
}

/* RFC 5227 2.4: a conflict is noticed, and defended against at most every 10 s. */
static void test_conflict(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b);
    Ip4If *xi = bed_dev(b, x, "10.0.0.1/24");
    Arp *arp = ip4_if_arp(xi);

    arp->conflict_defend = true;
    arp_in(b, xi, ARP_OP_REQUEST, PEER, "10.0.0.1", 0, "10.0.0.1", PKT_BROADCAST);
    g_assert_cmpuint(arp_conflicts(arp), ==, 1);
    g_assert_cmpuint(stub_of(xi)->sent->len, ==, 1);
    arp_in(b, xi, ARP_OP_REQUEST, PEER, "10.0.0.1", 0, "10.0.0.1", PKT_BROADCAST);
    g_assert_cmpuint(arp_conflicts(arp), ==, 2);
    g_assert_cmpuint(stub_of(xi)->sent->len, ==, 1);
    bed_free(b);
}

/* ---- RARP ---- */

typedef struct RarpTest {
    RarpClient client;
    RarpServer server;
    uint32_t got;
    unsigned calls;
} RarpTest;

static void on_rarp(void *user, uint32_t a, uint32_t server)
{
    RarpTest *t = user;

    t->got = a;
    t->calls++;
}

static void tap_client(void *user, Ip4If *ifp, Packet *pkt)
{
    rarpclient_input(user, pkt);
}

static void tap_server(void *user, Ip4If *ifp, Packet *pkt)
{
    rarpserver_input(user, pkt);
}

/* RARP-01: one request, one reply; RARP-02: unknown to the table, no address. */
static void test_rarp(void)
{
    Bed *b = bed_new();
    Ip4 *x = bed_host(b), *y = bed_host(b);
    Ip4If *xi = bed_dev(b, x, NULL), *yi = bed_dev(b, y, "10.0.0.1/24");
    RarpTest t = {.got = 1};

    bed_join(xi, yi, SIM_MS);
    rarpclient_init(&t.client, ip4_if_dev(xi), on_rarp, &t);
    rarpserver_init(&t.server, ip4_if_dev(yi), addr("10.0.0.1"));
    ip4_if_set_tap(xi, ETH_TYPE_RARP, tap_client, &t.client);
    ip4_if_set_tap(yi, ETH_TYPE_RARP, tap_server, &t.server);
    rarpclient_start(&t.client, 3);
    bed_run(b, 60 * SIM_SEC); /* tries at 0, 2, 6 s, given up at 14 s */
    g_assert_cmpuint(t.calls, ==, 1);
    g_assert_cmpuint(t.got, ==, 0);
    g_assert_cmpuint(stub_of(xi)->sent->len, ==, 3);
    g_assert_cmpint(sent_at(stub_of(xi), 2)->time, ==, 6 * SIM_SEC);
    g_assert_cmpuint(stub_of(yi)->sent->len, ==, 0);

    rarpserver_set(&t.server, ip4_if_dev(xi)->mac, addr("10.0.0.42"));
    rarpclient_start(&t.client, 3);
    bed_run(b, 70 * SIM_SEC);
    g_assert_cmpuint(t.got, ==, addr("10.0.0.42"));
    g_assert_cmpuint(stub_of(xi)->sent->len, ==, 4);
    g_assert_cmpuint(sent_at(stub_of(xi), 3)->bytes[7], ==, RARP_OP_REQUEST);
    g_assert_cmpuint(sent_at(stub_of(yi), 0)->bytes[7], ==, RARP_OP_REPLY);
    rarpclient_clear(&t.client);
    rarpserver_clear(&t.server);
    bed_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/arp/exchange", test_exchange);
    g_test_add_func("/ether/arp/hearers", test_hearers);
    g_test_add_func("/ether/arp/gateway", test_gateway);
    g_test_add_func("/ether/arp/static-proxy", test_static_and_proxy);
    g_test_add_func("/ether/arp/notify", test_notify);
    g_test_add_func("/ether/arp/probe-answered", test_probe_answered);
    g_test_add_func("/ether/arp/claim", test_claim);
    g_test_add_func("/ether/arp/conflict", test_conflict);
    g_test_add_func("/ether/rarp/exchange", test_rarp);
    return g_test_run();
}
