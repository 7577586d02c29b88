/* Rapid spanning tree (802.1D-2004 clause 17) on small topologies: who becomes what, and how soon. */
#include "models/ether/rstp.h"

#include <glib.h>

#include "ether_peer.h"
#include "models/wire/bpdu.h"
#include "models/wire/eth.h"

#define SWITCHES_MAX 4
#define GBIT_COST 20000

typedef struct Lab {
    World w;
    Switch *sw[SWITCHES_MAX];
    unsigned n;
} Lab;

static void lab_init(Lab *lab, unsigned n)
{
    memset(lab, 0, sizeof *lab);
    world_init(&lab->w, 1);
    lab->n = n;
    for (unsigned i = 0; i < n; i++) {
        char *name = g_strdup_printf("s%u", i);

        lab->sw[i] = switch_new(lab->w.sim, name, mac_from_u64(0x02aa00000000 + 0x100 * i), lab->w.probes);
        g_free(name);
    }
}

static Link *cable_full(Lab *lab, unsigned a, unsigned b, uint64_t rate_bps)
{
    return world_link_full(&lab->w, switch_add_port(lab->sw[a]), switch_add_port(lab->sw[b]), rate_bps,
                           SIM_US);
}

static Link *cable(Lab *lab, unsigned a, unsigned b)
{
    return cable_full(lab, a, b, 1000000000);
}

static void start(Lab *lab, SwitchStp mode)
{
    for (unsigned i = 0; i < lab->n; i++)
        switch_set_stp(lab->sw[i], mode);
}

static void lab_clear(Lab *lab)
{
    world_unlink(&lab->w);
    for (unsigned i = 0; i < lab->n; i++)
        switch_free(lab->sw[i]);
    world_clear(&lab->w);
}

#define check(lab, s, p, r, st)                                                                              \
    do {                                                                                                     \
        g_assert_cmpstr(rstp_role_name(rstp_port_role((lab)->sw[s]->ports[p])), ==, r);                      \
        g_assert_cmpstr(rstp_state_name(rstp_port_state((lab)->sw[s]->ports[p])), ==, st);                   \
    } while (0)

static RstpInfo info_of(const Lab *lab, unsigned i)
{
    RstpInfo info;

    rstp_get_info(lab->sw[i]->stp, &info);
    return info;
}

/* The tree is there and loop-free: this many forwarding ports in all. */
static unsigned forwarding_ports(const Lab *lab)
{
    unsigned n = 0;

    for (unsigned i = 0; i < lab->n; i++)
        for (unsigned p = 0; p < lab->sw[i]->n_ports; p++)
            n += lab->sw[i]->ports[p]->forwards && lab->sw[i]->ports[p]->port.carrier;
    return n;
}

/* Two switches, one cable: by proposal and agreement both ends forward within a few frame times. */
static void test_handshake(void)
{
    Lab lab;

    lab_init(&lab, 2);
    cable(&lab, 0, 1);
    start(&lab, SWITCH_STP_RSTP);
    check(&lab, 0, 0, "designated", "discarding");
    world_run(&lab.w, 20 * SIM_US);
    check(&lab, 0, 0, "designated", "forwarding");
    check(&lab, 1, 0, "root", "forwarding");
    g_assert_cmpint(info_of(&lab, 0).root_port, ==, -1);
    g_assert_cmpint(info_of(&lab, 1).root_port, ==, 0);
    g_assert_cmpuint(info_of(&lab, 1).root_cost, ==, GBIT_COST);
    lab_clear(&lab);
}

/* Root election: the lowest priority wins, then the lowest address; a change moves the root. */
static void test_root_election(void)
{
    Lab lab;
    uint64_t id0, id2;

    lab_init(&lab, 3);
    cable(&lab, 0, 1);
    cable(&lab, 1, 2);
    start(&lab, SWITCH_STP_RSTP);
    world_run(&lab.w, 1 * SIM_SEC);
    id0 = bpdu_bridge_id(32768, lab.sw[0]->mac);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmphex(info_of(&lab, i).root_id, ==, id0);
    g_assert_cmpuint(info_of(&lab, 2).root_cost, ==, 2 * GBIT_COST);
    g_assert_false(rstp_set_priority(lab.sw[2]->stp, 100));
    g_assert_true(rstp_set_priority(lab.sw[2]->stp, 4096));
    world_run(&lab.w, 2 * SIM_SEC);
    id2 = bpdu_bridge_id(4096, lab.sw[2]->mac);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmphex(info_of(&lab, i).root_id, ==, id2);
    g_assert_cmpuint(forwarding_ports(&lab), ==, 4);
    lab_clear(&lab);
}

static void triangle(Lab *lab, Link *link[3])
{
    lab_init(lab, 3);
    link[0] = cable(lab, 0, 1); /* s0 p1 - s1 p1 */
    link[1] = cable(lab, 1, 2); /* s1 p2 - s2 p1 */
    link[2] = cable(lab, 2, 0); /* s2 p2 - s0 p2 */
    start(lab, SWITCH_STP_RSTP);
}

static void check_triangle(const Lab *lab)
{
    check(lab, 0, 0, "designated", "forwarding");
    check(lab, 0, 1, "designated", "forwarding");
    check(lab, 1, 0, "root", "forwarding");
    check(lab, 1, 1, "designated", "forwarding");
    check(lab, 2, 0, "alternate", "discarding");
    check(lab, 2, 1, "root", "forwarding");
}

/* A loop of three: one port blocks. The cable between s1 and s2 has no neighbour that agrees (an alternate
 * port does, too), so everything but that is up at once. */
static void test_triangle(void)
{
    Lab lab;
    Link *link[3];

    triangle(&lab, link);
    world_run(&lab.w, 6 * SIM_SEC); /* three hello times */
    check_triangle(&lab);
    /* no loop: a broadcast comes to an end, and everybody gets it once */
    {
        Peer *a = peer_new(&lab.w, "a", 0x020000000001), *b = peer_new(&lab.w, "b", 0x020000000002);

        world_link(&lab.w, &a->port, switch_add_port(lab.sw[1]));
        world_link(&lab.w, &b->port, switch_add_port(lab.sw[2]));
        world_run(&lab.w, 13 * SIM_SEC); /* between two hellos */
        peer_forget(a);
        peer_forget(b);
        peer_send(a, MAC_BROADCAST, 1000);
        world_run(&lab.w, 13 * SIM_SEC + 200 * SIM_US);
        g_assert_cmpuint(b->got->len, ==, 1);
        g_assert_cmpuint(a->got->len, ==, 0);
        g_assert_cmpuint(lab.w.drops[DROP_STP], ==, 1); /* at the blocked port */
    }
    lab_clear(&lab);
}

/* The root port's cable breaks: the alternate port takes over without waiting for a timer (17.29.2, rapid
 * transition). */
static void test_failover(void)
{
    Lab lab;
    Link *link[3];

    triangle(&lab, link);
    world_run(&lab.w, 6 * SIM_SEC);
    link_set_up(link[2], false);
    world_run(&lab.w, 6 * SIM_SEC + 1 * SIM_MS);
    check(&lab, 2, 0, "root", "forwarding");
    check(&lab, 2, 1, "disabled", "discarding");
    check(&lab, 1, 1, "designated", "forwarding");
    g_assert_cmpuint(info_of(&lab, 2).root_cost, ==, 2 * GBIT_COST);
    /* and back: the better way is used again, the loop stays closed */
    link_set_up(link[2], true);
    world_run(&lab.w, 6 * SIM_SEC + 2 * SIM_MS);
    g_assert_cmpuint(forwarding_ports(&lab), <=, 5);
    world_run(&lab.w, 20 * SIM_SEC);
    check_triangle(&lab);
    lab_clear(&lab);
}

/* A cable that is not ours breaks: s1 loses its way to the root, tells s2, and s2's alternate port becomes
 * designated. */
static void test_indirect_failure(void)
{
    Lab lab;
    Link *link[3];

    triangle(&lab, link);
    world_run(&lab.w, 6 * SIM_SEC);
    link_set_up(link[0], false);
    world_run(&lab.w, 6 * SIM_SEC + 1 * SIM_MS);
    check(&lab, 1, 1, "root", "forwarding");
    check(&lab, 2, 0, "designated", "forwarding");
    check(&lab, 2, 1, "root", "forwarding");
    lab_clear(&lab);
}

/* A ring of four: the port farthest from the root blocks; whichever cable breaks, all are connected again
 * within a second. */
static void test_ring(void)
{
    for (unsigned broken = 0; broken < 4; broken++) {
        Lab lab;
        Link *link[4];
        uint64_t root;

        lab_init(&lab, 4);
        for (unsigned i = 0; i < 4; i++)
            link[i] = cable(&lab, i, (i + 1) % 4);
        start(&lab, SWITCH_STP_RSTP);
        world_run(&lab.w, 6 * SIM_SEC);
        g_assert_cmpuint(forwarding_ports(&lab), ==, 7);
        /* s2 has two equal ways to s0 and takes that by the bridge with the lower identifier: s1 */
        g_assert_cmpint(info_of(&lab, 2).root_port, ==, 0);
        root = info_of(&lab, 0).root_id;
        link_set_up(link[broken], false);
        world_run(&lab.w, 7 * SIM_SEC);
        g_assert_cmpuint(forwarding_ports(&lab), ==, 6);
        for (unsigned i = 0; i < 4; i++)
            g_assert_cmphex(info_of(&lab, i).root_id, ==, root);
        lab_clear(&lab);
    }
}

/* Two cables between the same switches: the one with the lower port identifier at the root is used; port
 * priority changes that. */
static void test_redundant_pair(void)
{
    Lab lab;
    Link *first;

    lab_init(&lab, 2);
    first = cable(&lab, 0, 1);
    cable(&lab, 0, 1);
    start(&lab, SWITCH_STP_RSTP);
    world_run(&lab.w, 6 * SIM_SEC);
    check(&lab, 1, 0, "root", "forwarding");
    check(&lab, 1, 1, "alternate", "discarding");
    g_assert_false(rstp_port_set_priority(lab.sw[0]->ports[1], 100));
    g_assert_true(rstp_port_set_priority(lab.sw[0]->ports[1], 16));
    world_run(&lab.w, 12 * SIM_SEC);
    check(&lab, 1, 0, "alternate", "discarding");
    check(&lab, 1, 1, "root", "forwarding");
    g_assert_true(rstp_port_set_priority(lab.sw[0]->ports[1], 128));
    world_run(&lab.w, 20 * SIM_SEC);
    check(&lab, 1, 0, "root", "forwarding");
    link_unplug(first);
    world_run(&lab.w, 20 * SIM_SEC + SIM_MS);
    check(&lab, 1, 1, "root", "forwarding");
    lab_clear(&lab);
}

/* Path costs follow the speed (table 17-3): two fast hops are better than a slow one. Both ends of one cable
 * in the same switch: a backup port. */
static void test_costs_and_backup(void)
{
    Lab lab;
    Link *link;

    lab_init(&lab, 3);
    cable(&lab, 0, 1);
    cable(&lab, 1, 2);
    cable_full(&lab, 2, 0, 100000000);
    link = cable(&lab, 2, 2);
    start(&lab, SWITCH_STP_RSTP);
    world_run(&lab.w, 10 * SIM_SEC);
    g_assert_cmpuint(info_of(&lab, 2).root_cost, ==, 2 * GBIT_COST);
    check(&lab, 2, 1, "alternate", "discarding");
    check(&lab, 2, 3, "backup", "discarding");
    g_assert_true(link_is_up(link));
    rstp_port_set_cost(lab.sw[2]->ports[0], 300000);
    world_run(&lab.w, 20 * SIM_SEC);
    check(&lab, 2, 1, "root", "forwarding");
    g_assert_cmpuint(info_of(&lab, 2).root_cost, ==, 200000);
    lab_clear(&lab);
}

/* Ports without bridges: an edge port by hand forwards at once, an automatic one when nobody has spoken for 3
 * s; without either it listens for the maximum age and learns for a hello time. A BPDU ends an edge. */
static void test_edges(void)
{
    Lab lab;
    Peer *peer[3];
    Bpdu bpdu = {.version = BPDU_VERSION_RSTP,
                 .type = BPDU_TYPE_RST,
                 .flags = BPDU_ROLE_DESIGNATED << 2,
                 .root_id = UINT64_MAX,
                 .bridge_id = UINT64_MAX,
                 .port_id = 1,
                 .max_age = 20 * 256,
                 .hello_time = 2 * 256,
                 .forward_delay = 15 * 256};
    uint8_t frame[BPDU_MAX_FRAME_LEN];
    size_t len;
    Packet *pkt;

    lab_init(&lab, 1);
    for (unsigned i = 0; i < 3; i++) {
        char *name = g_strdup_printf("h%u", i);
        peer[i] = peer_new(&lab.w, name, 0x020000000001 + i);
        world_link(&lab.w, &peer[i]->port, switch_add_port(lab.sw[0]));
        g_free(name);
    }
    start(&lab, SWITCH_STP_RSTP);
    rstp_port_set_edge(lab.sw[0]->ports[0], true, true);
    rstp_port_set_edge(lab.sw[0]->ports[2], false, false);
    check(&lab, 0, 0, "designated", "forwarding");
    world_run(&lab.w, 2999 * SIM_MS);
    check(&lab, 0, 1, "designated", "discarding");
    world_run(&lab.w, 3000 * SIM_MS);
    check(&lab, 0, 1, "designated", "forwarding");
    world_run(&lab.w, 19999 * SIM_MS);
    check(&lab, 0, 2, "designated", "discarding");
    world_run(&lab.w, 20000 * SIM_MS);
    check(&lab, 0, 2, "designated", "learning");
    world_run(&lab.w, 22000 * SIM_MS);
    check(&lab, 0, 2, "designated", "forwarding");

    /* the first BPDU at once, then one every two seconds */
    g_assert_cmpuint(peer[0]->got->len, ==, 12);
    g_assert_cmpint(peer_got(peer[0], 11)->at - peer_got(peer[0], 10)->at, ==, 2 * SIM_SEC);

    g_assert_true(rstp_port_is_edge(lab.sw[0]->ports[0]));
    len = bpdu_encode_frame(frame, peer[0]->mac, &bpdu);
    pkt = packet_from_bytes(lab.w.pool, 0, 0, frame, len);
    pkt->pad = (uint8_t)(60 - len);
    port_send(&peer[0]->port, pkt);
    world_run(&lab.w, 22001 * SIM_MS);
    g_assert_false(rstp_port_is_edge(lab.sw[0]->ports[0]));
    g_assert_cmpuint(info_of(&lab, 0).rx_bpdus, ==, 1);
    lab_clear(&lab);
}

/* Garbage to the Bridge Group Address is counted and forgotten, whatever its length. */
static void test_garbage(void)
{
    Lab lab;
    Peer *peer;
    uint8_t frame[64] = {0x01, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 38, 0x42, 0x42, 0x03};

    lab_init(&lab, 1);
    peer = peer_new(&lab.w, "h", 0x020000000001);
    world_link(&lab.w, &peer->port, switch_add_port(lab.sw[0]));
    start(&lab, SWITCH_STP_RSTP);
    for (unsigned i = 0; i < 200; i++) {
        frame[13] = (uint8_t)i;
        frame[17 + i % 40] ^= (uint8_t)(i * 37);
        port_send(&peer->port, packet_from_bytes(lab.w.pool, 0, 0, frame, sizeof frame));
    }
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(info_of(&lab, 0).rx_bpdus + info_of(&lab, 0).rx_bad_bpdus, ==, 200);
    g_assert_cmpuint(info_of(&lab, 0).rx_bad_bpdus, >, 150);
    lab_clear(&lab);
}

/* 17.5: the cost of a path grows with each link. A neighbour who claims the largest one does not thereby
 * become the nearest: that is no path at all. */
static void test_cost_limit(void)
{
    Bpdu b = {.version = BPDU_VERSION_RSTP,
              .type = BPDU_TYPE_RST,
              .flags = BPDU_ROLE_DESIGNATED << 2,
              .root_cost = UINT32_MAX - 1,
              .bridge_id = 9,
              .port_id = 0x8001,
              .max_age = 20 * 256,
              .hello_time = 2 * 256,
              .forward_delay = 15 * 256};
    uint8_t frame[ETH_MIN_FRAME] = {0};
    Lab lab;
    Peer *peer;

    lab_init(&lab, 1);
    peer = peer_new(&lab.w, "h", 0x020000000001);
    world_link(&lab.w, &peer->port, switch_add_port(lab.sw[0]));
    start(&lab, SWITCH_STP_RSTP);
    bpdu_encode_frame(frame, mac_from_u64(9), &b);
    port_send(&peer->port, packet_from_bytes(lab.w.pool, 0, 0, frame, sizeof frame));
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpint(info_of(&lab, 0).root_port, ==, -1);
    g_assert_cmpuint(info_of(&lab, 0).root_cost, ==, 0);
    check(&lab, 0, 0, "alternate", "discarding");
    lab_clear(&lab);
}

/* A topology change is told to everybody (17.31), and stations behind other ports are forgotten. */
static void test_topology_change(void)
{
    Lab lab;
    Link *link[3];
    Peer *a, *b;

    triangle(&lab, link);
    a = peer_new(&lab.w, "a", 0x020000000001);
    b = peer_new(&lab.w, "b", 0x020000000002);
    world_link(&lab.w, &a->port, switch_add_port(lab.sw[0]));
    world_link(&lab.w, &b->port, switch_add_port(lab.sw[2]));
    world_run(&lab.w, 30 * SIM_SEC);
    peer_send(b, MAC_BROADCAST, 100);
    world_run(&lab.w, 31 * SIM_SEC);
    peer_forget(b);
    g_assert_true(switch_lookup(lab.sw[0], b->mac, 0) == lab.sw[0]->ports[1]);
    link_set_up(link[2], false);
    world_run(&lab.w, 31 * SIM_SEC + SIM_MS);
    g_assert_null(switch_lookup(lab.sw[0], b->mac, 0));
    peer_send(a, b->mac, 100); /* reaches b by the other way */
    world_run(&lab.w, 31 * SIM_SEC + 2 * SIM_MS);
    g_assert_cmpuint(packet_len(peer_got(b, b->got->len - 1)->pkt), ==, 100);
    /* it is over after a hello time and a second: no more flags */
    g_assert_cmpuint(info_of(&lab, 0).topology_changes, >, 0);
    lab_clear(&lab);
}

/* The old timers: 15 s of listening, 15 s of learning, and a lost root is missed for 20 s. */
static void test_legacy(void)
{
    Lab lab;
    Link *link;

    lab_init(&lab, 2);
    link = cable(&lab, 0, 1);
    start(&lab, SWITCH_STP_LEGACY);
    world_run(&lab.w, 14999 * SIM_MS);
    check(&lab, 0, 0, "designated", "discarding");
    world_run(&lab.w, 15001 * SIM_MS);
    check(&lab, 0, 0, "designated", "learning");
    check(&lab, 1, 0, "root", "learning");
    world_run(&lab.w, 30001 * SIM_MS);
    check(&lab, 0, 0, "designated", "forwarding");
    check(&lab, 1, 0, "root", "forwarding");
    g_assert_true(link_is_up(link));
    lab_clear(&lab);
}

/* An RSTP bridge beside an old one falls back to the old messages (17.24), and both forward in the end. */
static void test_migration(void)
{
    Lab lab;

    lab_init(&lab, 2);
    cable(&lab, 0, 1);
    switch_set_stp(lab.sw[0], SWITCH_STP_RSTP);
    switch_set_stp(lab.sw[1], SWITCH_STP_LEGACY);
    world_run(&lab.w, 60 * SIM_SEC);
    check(&lab, 0, 0, "designated", "forwarding");
    check(&lab, 1, 0, "root", "forwarding");
    switch_set_stp(lab.sw[1], SWITCH_STP_OFF);
    g_assert_null(lab.sw[1]->stp);
    lab_clear(&lab);
}

/* The same run twice is the same run. */
static void test_deterministic(void)
{
    uint64_t events[2], tx[2];

    for (unsigned run = 0; run < 2; run++) {
        Lab lab;
        Link *link[3];

        triangle(&lab, link);
        world_run(&lab.w, 10 * SIM_SEC);
        link_set_up(link[0], false);
        world_run(&lab.w, 60 * SIM_SEC);
        events[run] = sim_events(lab.w.sim);
        tx[run] = info_of(&lab, 0).tx_bpdus;
        lab_clear(&lab);
    }
    g_assert_cmpuint(events[0], ==, events[1]);
    g_assert_cmpuint(tx[0], ==, tx[1]);
    /* a hello every two seconds at each of the root's two ports, and few more */
    g_assert_cmpuint(tx[0], >=, 35);
    g_assert_cmpuint(tx[0], <=, 50);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/rstp/handshake", test_handshake);
    g_test_add_func("/ether/rstp/root-election", test_root_election);
    g_test_add_func("/ether/rstp/triangle", test_triangle);
    g_test_add_func("/ether/rstp/failover", test_failover);
    g_test_add_func("/ether/rstp/indirect-failure", test_indirect_failure);
    g_test_add_func("/ether/rstp/ring", test_ring);
    g_test_add_func("/ether/rstp/redundant-pair", test_redundant_pair);
    g_test_add_func("/ether/rstp/costs-and-backup", test_costs_and_backup);
    g_test_add_func("/ether/rstp/edges", test_edges);
    g_test_add_func("/ether/rstp/garbage", test_garbage);
    g_test_add_func("/ether/rstp/cost-limit", test_cost_limit);
    g_test_add_func("/ether/rstp/topology-change", test_topology_change);
    g_test_add_func("/ether/rstp/legacy", test_legacy);
    g_test_add_func("/ether/rstp/migration", test_migration);
    g_test_add_func("/ether/rstp/deterministic", test_deterministic);
    return g_test_run();
}
