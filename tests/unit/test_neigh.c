/* Neighbour cache: the state walk with its times (Linux net/core/neighbour.c). */
#include "tests/unit/ip4_bed.h"

typedef struct T {
    Bed *b;
    Ip4 *ip;
    Ip4If *ifp;
    StubDev *dev;
    NeighTable *tab;
} T;

static const uint64_t peer_mac = 0x0a0000000002;

static T start(void)
{
    T t = {.b = bed_new()};

    t.ip = bed_host(t.b);
    t.ifp = bed_dev(t.b, t.ip, "10.0.0.1/24");
    t.dev = stub_of(t.ifp);
    t.tab = ip4_if_neighbours(t.ifp);
    return t;
}

static NeighState state_of(T *t, const char *ip)
{
    uint32_t a = addr(ip);
    Neigh *n = neigh_lookup(t->tab, &a);

    return n ? neigh_state(n) : NEIGH_NONE;
}

static void answer(T *t, const char *ip, bool unicast)
{
    const ArpMsg m = {ARP_OP_REPLY, mac_from_u64(peer_mac), addr(ip), t->dev->dev.mac, addr("10.0.0.1")};
    Packet *p = packet_new(t->b->pool, 0, 0, 64);

    arp_encode(packet_put(p, ARP_LEN), &m);
    p->flags = unicast ? 0 : PKT_BROADCAST;
    t->dev->dev.input(&t->dev->dev, p, ETH_TYPE_ARP);
}

/* mcast_solicit 3, retrans_time 1 s: requests at 0, 1, 2 s, FAILED at 3 s; the waiting packet draws host
 * unreachable. */
static void test_fail(void)
{
    T t = start();

    g_assert_cmpint(bed_send(t.b, t.ip, "10.0.0.2", 100), ==, 0);
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_INCOMPLETE);
    bed_run(t.b, 10 * SIM_SEC);
    g_assert_cmpuint(t.dev->sent->len, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(sent_at(t.dev, i)->time, ==, i * SIM_SEC);
        g_assert_true(mac_is_broadcast(sent_at(t.dev, i)->dst));
        g_assert_cmpint(sent_at(t.dev, i)->ethertype, ==, ETH_TYPE_ARP);
    }
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_FAILED);
    g_assert_cmpuint(t.b->icmp->len, ==, 1);
    g_assert_cmpint(icmp_at(t.b, 0)->time, ==, 3 * SIM_SEC);
    g_assert_cmpint(icmp_at(t.b, 0)->code, ==, ICMP_UNREACH_HOST);
    g_assert_cmpstr(t.b->last_drop, ==, "neighbour not found");
    bed_free(t.b);
}

/* REACHABLE for 15 to 45 s, then STALE; a packet makes it DELAY, 5 s later PROBE with unicast requests, then
 * FAILED after three. */
static void test_walk(void)
{
    T t = start();
    SimTime stale = 0, used;

    bed_send(t.b, t.ip, "10.0.0.2", 100);
    bed_send(t.b, t.ip, "10.0.0.2", 101);
    g_assert_cmpuint(t.dev->sent->len, ==, 1); /* one request for both */
    bed_run(t.b, SIM_MS);
    answer(&t, "10.0.0.2", true);
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_REACHABLE);
    g_assert_cmpuint(t.dev->sent->len, ==, 3); /* what waited went out, in order */
    g_assert_cmpuint(sent_at(t.dev, 1)->len, ==, 120);
    g_assert_cmpuint(sent_at(t.dev, 2)->len, ==, 121);
    g_assert_cmpint(mac_to_u64(sent_at(t.dev, 2)->dst), ==, peer_mac);
    for (SimTime at = SIM_SEC; !stale; at += 100 * SIM_MS) {
        bed_run(t.b, at);
        if (state_of(&t, "10.0.0.2") == NEIGH_STALE)
            stale = at;
        g_assert_cmpint(at, <, 60 * SIM_SEC);
    }
    g_assert_cmpint(stale, >, 15 * SIM_SEC);
    g_assert_cmpint(stale, <=, 46 * SIM_SEC);
    g_assert_cmpuint(sim_pending(t.b->sim), ==, 0); /* an idle entry costs no events */
    used = stale + 10 * SIM_SEC;
    bed_run(t.b, used);
    bed_send(t.b, t.ip, "10.0.0.2", 102);
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_DELAY);
    g_assert_cmpuint(sent_at(t.dev, 3)->len, ==, 122); /* at once, to the address believed in */
    bed_run(t.b, used + 5 * SIM_SEC);
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_PROBE);
    bed_run(t.b, used + 20 * SIM_SEC);
    g_assert_cmpuint(t.dev->sent->len, ==, 7);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(sent_at(t.dev, 4 + i)->time, ==, used + (5 + i) * SIM_SEC);
        g_assert_cmpint(mac_to_u64(sent_at(t.dev, 4 + i)->dst), ==, peer_mac);
    }
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_FAILED);
    bed_free(t.b);
}

/* An answer to a probe, or a confirmation from above during DELAY, makes it REACHABLE again. */
static void test_confirm(void)
{
    T t = start();
    uint32_t a = addr("10.0.0.2");
    Neigh *n;

    bed_send(t.b, t.ip, "10.0.0.2", 100);
    answer(&t, "10.0.0.2", false);                              /* a broadcast reply proves nothing: STALE */
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_DELAY); /* and the waiting packet used it */
    bed_run(t.b, 2 * SIM_SEC);
    n = neigh_lookup(t.tab, &a);
    neigh_confirm(n);
    bed_run(t.b, 6 * SIM_SEC);
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_REACHABLE);
    g_assert_cmpuint(t.dev->sent->len, ==, 2); /* no probe was needed */
    bed_free(t.b);
}

/* unres_qlen_bytes: the oldest waiting packet goes. 1500 bytes are 2112 of true size: 100 of them fit into
 * 212992. */
static void test_queue(void)
{
    T t = start();
    NeighStats st;

    for (unsigned i = 0; i < 103; i++)
        bed_send(t.b, t.ip, "10.0.0.2", 1480 - (i == 0));
    neightable_stats(t.tab, &st);
    g_assert_cmpuint(st.unresolved_discards, ==, 3);
    g_assert_cmpstr(t.b->last_drop, ==, "neighbour queue full");
    answer(&t, "10.0.0.2", true);
    g_assert_cmpuint(t.dev->sent->len, ==, 101);
    g_assert_cmpuint(sent_at(t.dev, 1)->len, ==, 1500); /* the first one, 1499 long, is gone */
    bed_free(t.b);
}

/* The classic cache (ARP-04): 19:59 after the last use it still answers, 20:01 after it asks anew. */
static void test_lifetime(void)
{
    T t = start();
    SimTime now;

    neightable_params(t.tab)->lifetime = 20 * 60 * SIM_SEC;
    bed_send(t.b, t.ip, "10.0.0.2", 100);
    answer(&t, "10.0.0.2", true);
    now = (20 * 60 - 1) * SIM_SEC;
    bed_run(t.b, now);
    bed_send(t.b, t.ip, "10.0.0.2", 100);
    g_assert_cmpint(sent_at(t.dev, 2)->ethertype, ==, ETH_TYPE_IPV4);
    now += (20 * 60 + 1) * SIM_SEC;
    bed_run(t.b, now);
    bed_send(t.b, t.ip, "10.0.0.2", 100);
    g_assert_cmpint(sent_at(t.dev, 3)->ethertype, ==, ETH_TYPE_ARP);
    g_assert_true(mac_is_broadcast(sent_at(t.dev, 3)->dst));
    bed_free(t.b);
}

/* Within locktime a second answer with another address is ignored; afterwards it counts. Gratuitous ones
 * always count. */
static void test_locktime(void)
{
    T t = start();
    uint32_t a = addr("10.0.0.2");
    MacAddr other = mac_from_u64(0x0a00000000ff);
    Neigh *n;

    bed_send(t.b, t.ip, "10.0.0.2", 100);
    answer(&t, "10.0.0.2", true);
    n = neigh_lookup(t.tab, &a);
    neigh_update(n, &other, NEIGH_REACHABLE, 0);
    g_assert_cmpint(mac_to_u64(n->mac), ==, peer_mac);
    neigh_update(n, &other, NEIGH_REACHABLE, NEIGH_UPDATE_WEAK_OVERRIDE);
    g_assert_cmpint(mac_to_u64(n->mac), ==, peer_mac);
    g_assert_cmpint(neigh_state(n), ==, NEIGH_STALE);
    neigh_update(n, &other, NEIGH_REACHABLE, NEIGH_UPDATE_OVERRIDE);
    g_assert_true(mac_equal(n->mac, other));
    bed_free(t.b);
}

/* A route may hold a removed entry: its packets go by the successor. */
static void test_dead(void)
{
    T t = start();
    uint32_t a = addr("10.0.0.2");
    Neigh *n;

    bed_send(t.b, t.ip, "10.0.0.2", 100);
    answer(&t, "10.0.0.2", true);
    n = neigh_ref(neigh_lookup(t.tab, &a));
    neigh_remove(n);
    g_assert_null(neigh_lookup(t.tab, &a));
    bed_send(t.b, t.ip, "10.0.0.2", 100);
    g_assert_cmpint(state_of(&t, "10.0.0.2"), ==, NEIGH_INCOMPLETE);
    g_assert_true(neigh_lookup(t.tab, &a) != n);
    neigh_unref(n);
    bed_free(t.b);
}

/* gc_thresh3 is the end; nothing older than 5 s can make room. */
static void test_full(void)
{
    T t = start();
    NeighStats st;

    neightable_params(t.tab)->gc_thresh3 = 10;
    for (uint32_t i = 0; i < 12; i++) {
        uint32_t a = addr("10.0.0.2") + i;
        Neigh *n = neigh_get(t.tab, &a);

        g_assert_true((n != NULL) == (i < 10));
        if (n)
            neigh_update(n, &(MacAddr){{2, 0, 0, 0, 0, 9}}, NEIGH_REACHABLE, NEIGH_UPDATE_OVERRIDE);
    }
    neightable_stats(t.tab, &st);
    g_assert_cmpuint(st.entries, ==, 10);
    g_assert_cmpuint(st.table_fulls, ==, 2);
    bed_run(t.b, 6 * SIM_SEC);
    g_assert_nonnull(neigh_get(t.tab, &(uint32_t){addr("10.0.0.99")}));
    bed_free(t.b);
}

/* 1000 entries in and out: nobody gets lost in the hash. */
static void test_hash(void)
{
    T t = start();

    for (uint32_t i = 0; i < 1000; i++)
        g_assert_nonnull(neigh_get(t.tab, &(uint32_t){i * 256}));
    for (uint32_t i = 0; i < 1000; i += 3)
        neigh_remove(neigh_lookup(t.tab, &(uint32_t){i * 256}));
    for (uint32_t i = 0; i < 1000; i++)
        g_assert_true((neigh_lookup(t.tab, &(uint32_t){i * 256}) != NULL) == (i % 3 != 0));
    bed_free(t.b);
}

/* A timer and a place for packets are there while they are needed: asking takes both, DELAY a timer, and an
 * entry at rest neither. */
static void test_rest(void)
{
    T t = start();
    uint32_t a = addr("10.0.0.2");
    Neigh *n;

    bed_send(t.b, t.ip, "10.0.0.2", 100);
    n = neigh_lookup(t.tab, &a);
    g_assert_nonnull(n->wait);
    g_assert_true(n->has_queue);
    answer(&t, "10.0.0.2", true);
    g_assert_cmpint(n->state, ==, NEIGH_REACHABLE);
    g_assert_null(n->wait);
    g_assert_cmpuint(sim_pending(t.b->sim), ==, 0);
    bed_run(t.b, 60 * SIM_SEC);
    bed_send(t.b, t.ip, "10.0.0.2", 100);
    g_assert_cmpint(n->state, ==, NEIGH_DELAY);
    g_assert_nonnull(n->wait);
    g_assert_false(n->has_queue);
    bed_run(t.b, 90 * SIM_SEC);
    g_assert_cmpint(n->state, ==, NEIGH_FAILED);
    g_assert_null(n->wait);
    bed_send(t.b, t.ip, "10.0.0.2", 100); /* and all over again */
    g_assert_true(n->has_queue);
    neigh_update(n, NULL, NEIGH_FAILED, NEIGH_UPDATE_ADMIN);
    g_assert_null(n->wait);
    g_assert_false(n->has_queue);
    bed_free(t.b);
}

/* A table of one entry keeps it in place; a second one makes it a hash, which stays right through it all. */
static void test_one(void)
{
    T t = start();
    uint32_t a = addr("10.0.0.2"), b = addr("10.0.0.3");
    NeighStats st;

    g_assert_nonnull(neigh_get(t.tab, &a));
    g_assert_null(neigh_lookup(t.tab, &b));
    neigh_remove(neigh_lookup(t.tab, &a));
    g_assert_null(neigh_lookup(t.tab, &a));
    g_assert_nonnull(neigh_get(t.tab, &b));
    neightable_stats(t.tab, &st);
    g_assert_cmpuint(st.entries, ==, 1);
    g_assert_cmpuint(st.bytes, <=, 136);
    g_assert_nonnull(neigh_get(t.tab, &a));
    g_assert_true(neigh_lookup(t.tab, &a) != neigh_lookup(t.tab, &b));
    neigh_remove(neigh_lookup(t.tab, &b));
    neigh_remove(neigh_lookup(t.tab, &a));
    neightable_stats(t.tab, &st);
    g_assert_cmpuint(st.entries, ==, 0);
    g_assert_cmpuint(st.allocs, ==, 3);
    bed_free(t.b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/neigh/fail", test_fail);
    g_test_add_func("/ether/neigh/walk", test_walk);
    g_test_add_func("/ether/neigh/confirm", test_confirm);
    g_test_add_func("/ether/neigh/queue", test_queue);
    g_test_add_func("/ether/neigh/lifetime", test_lifetime);
    g_test_add_func("/ether/neigh/override", test_locktime);
    g_test_add_func("/ether/neigh/dead", test_dead);
    g_test_add_func("/ether/neigh/full", test_full);
    g_test_add_func("/ether/neigh/hash", test_hash);
    g_test_add_func("/ether/neigh/rest", test_rest);
    g_test_add_func("/ether/neigh/one", test_one);
    return g_test_run();
}
