/* The switch: one test per rule of 802.1D clause 7, with peers at its ports. */
#include "models/ether/switch.h"

#include <glib.h>

#include "models/ether/rstp.h"

#define MAC(i) (0x020000000000 + (i))
#define PORTS 5
#include "switch_lab.h"

/* One frame from peer to peer, one millisecond; returns how many peers got a copy. */
static unsigned exchange(Lab *lab, unsigned from, MacAddr dst)
{
    unsigned before = 0, after = 0;

    for (unsigned i = 0; i < PORTS; i++)
        before += lab->peer[i]->got->len;
    peer_send(lab->peer[from], dst, 100);
    world_run(&lab->w, sim_now(lab->w.sim) + SIM_MS);
    for (unsigned i = 0; i < PORTS; i++)
        after += lab->peer[i]->got->len;
    return after - before;
}

static MacAddr mac_of(const Lab *lab, unsigned i)
{
    return lab->peer[i]->mac;
}

/* SW-03, SW-02: unknown: ports - 1 copies; after one frame from A, traffic to A leaves only A's port. */
static void test_learning(void)
{
    Lab lab;

    lab_init(&lab);
    g_assert_cmpuint(exchange(&lab, 0, mac_of(&lab, 1)), ==, PORTS - 1);
    g_assert_cmpuint(lab.peer[0]->got->len, ==, 0);
    g_assert_cmpuint(exchange(&lab, 1, mac_of(&lab, 0)), ==, 1);
    g_assert_cmpuint(lab.peer[0]->got->len, ==, 1);
    g_assert_cmpuint(exchange(&lab, 0, mac_of(&lab, 1)), ==, 1);
    g_assert_cmpuint(lab.sw->stats.learnt, ==, 2);
    g_assert_cmpuint(lab.sw->stats.flooded, ==, 1);
    g_assert_cmpuint(lab.sw->stats.flood_copies, ==, PORTS - 1);
    g_assert_cmpuint(lab.sw->stats.forwarded, ==, 2);
    lab_clear(&lab);
}

/* SW-05: broadcast and multicast go to all others, and are one packet in many hands. */
static void test_broadcast(void)
{
    Lab lab;

    lab_init(&lab);
    g_assert_cmpuint(exchange(&lab, 2, MAC_BROADCAST), ==, PORTS - 1);
    g_assert_true(peer_got(lab.peer[0], 0)->pkt == peer_got(lab.peer[4], 0)->pkt);
    g_assert_cmpuint(peer_got(lab.peer[0], 0)->pkt->ref, ==, PORTS - 1);
    g_assert_cmpuint(exchange(&lab, 2, mac_from_u64(0x01005e000001)), ==, PORTS - 1);
    lab_clear(&lab);
}

/* SW-01, SW-06: bit for bit, FCS included; one full reception time at each hop; a damaged frame never leaves.
 */
static void test_store_and_forward(void)
{
    Lab lab;
    Packet *pkt, *damaged;
    const Arrival *a;

    lab_init(&lab);
    exchange(&lab, 1, MAC_BROADCAST);
    pkt = peer_frame(lab.peer[0], mac_of(&lab, 1), mac_of(&lab, 0), 0x88b5, 1000);
    pkt->fcs = packet_fcs(pkt);
    pkt->flags |= PKT_HAS_FCS;
    damaged = packet_clone(pkt);
    packet_flip_bit(damaged, 5000);
    port_send(&lab.peer[0]->port, packet_ref(pkt));
    world_run(&lab.w, 2 * SIM_MS);
    a = peer_got(lab.peer[1], 0);
    g_assert_true(a->pkt == pkt);
    g_assert_true(a->pkt->flags & PKT_HAS_FCS);
    /* twice (1000 + 12 bytes at 1 Gbit/s + 1 µs) */
    g_assert_cmpint(a->at, ==, SIM_MS + 2 * (8096 + 1000));
    packet_unref(pkt);
    port_send(&lab.peer[0]->port, damaged);
    world_run(&lab.w, 3 * SIM_MS);
    g_assert_cmpuint(lab.peer[1]->got->len, ==, 1);
    g_assert_cmpuint(lab.sw->stats.bad_fcs, ==, 1);
    g_assert_cmpuint(lab.sw->ports[0]->stats.rx_bad_fcs, ==, 1);
    g_assert_cmpuint(lab.w.drops[DROP_FCS], ==, 1);
    lab_clear(&lab);
}

/* SW-04: 299 s after its last frame a station is still known, at 301 s not; meanwhile nothing happens in the
 * switch. */
static void test_ageing(void)
{
    Lab lab;
    uint64_t events;

    lab_init(&lab);
    exchange(&lab, 1, MAC_BROADCAST);
    events = sim_events(lab.w.sim);
    world_run(&lab.w, 299 * SIM_SEC);
    g_assert_cmpuint(sim_events(lab.w.sim), ==, events);
    g_assert_cmpuint(exchange(&lab, 0, mac_of(&lab, 1)), ==, 1);
    world_run(&lab.w, 301 * SIM_SEC);
    g_assert_cmpuint(exchange(&lab, 0, mac_of(&lab, 1)), ==, PORTS - 1);
    g_assert_cmpuint(lab.sw->stats.aged, ==, 1);
    lab_clear(&lab);
}

/* SW-02: a station that speaks at another port has moved; a pulled cable takes its stations with it. */
static void test_move(void)
{
    Lab lab;

    lab_init(&lab);
    exchange(&lab, 1, MAC_BROADCAST);
    lab.peer[3]->mac = mac_of(&lab, 1);
    exchange(&lab, 3, MAC_BROADCAST);
    g_assert_cmpuint(lab.sw->stats.moved, ==, 1);
    g_assert_true(switch_lookup(lab.sw, mac_of(&lab, 1), 0) == lab.sw->ports[3]);
    link_unplug(lab.link[3]);
    g_assert_null(switch_lookup(lab.sw, mac_of(&lab, 1), 0));
    g_assert_cmpuint(exchange(&lab, 0, MAC_BROADCAST), ==, PORTS - 2);
    /* the cable goes to another port of the same switch */
    world_link(&lab.w, &lab.peer[3]->port, switch_add_port(lab.sw));
    exchange(&lab, 3, MAC_BROADCAST);
    g_assert_true(switch_lookup(lab.sw, mac_of(&lab, 1), 0) == lab.sw->ports[PORTS]);
    lab_clear(&lab);
}

/* A destination behind the port of arrival (a hub there): dropped. Addresses that no station has: dropped. */
static void test_drops(void)
{
    Lab lab;

    lab_init(&lab);
    exchange(&lab, 1, MAC_BROADCAST);
    port_send(&lab.peer[1]->port, peer_frame(lab.peer[1], mac_of(&lab, 1), mac_from_u64(MAC(9)), 0x88b5, 60));
    port_send(&lab.peer[1]->port, peer_frame(lab.peer[1], mac_of(&lab, 0), MAC_BROADCAST, 0x88b5, 60));
    port_send(&lab.peer[1]->port, peer_frame(lab.peer[1], mac_of(&lab, 0), MAC_ZERO, 0x88b5, 60));
    port_send(&lab.peer[1]->port, peer_frame(lab.peer[1], mac_of(&lab, 0), mac_of(&lab, 1), 0x88b5, 59));
    for (unsigned i = 0; i < 16; i++)
        port_send(&lab.peer[1]->port,
                  peer_frame(lab.peer[1], mac_from_u64(0x0180c2000000 + i), mac_of(&lab, 1), 38, 60));
    world_run(&lab.w, 2 * SIM_MS);
    g_assert_cmpuint(lab.peer[0]->got->len, ==, 1);
    g_assert_cmpuint(lab.w.drops[DROP_SAME_PORT], ==, 1);
    g_assert_cmpuint(lab.w.drops[DROP_MALFORMED], ==, 3);
    g_assert_cmpuint(lab.w.drops[DROP_NOT_FOR_ME], ==, 16);
    g_assert_cmpuint(lab.sw->stats.reserved, ==, 16);
    lab_clear(&lab);
}

/* A full table: not learnt, so flooded. Static entries. */
static void test_limit_and_static(void)
{
    Lab lab;

    lab_init(&lab);
    switch_table_set_limit(&lab.sw->table, 2);
    g_assert_true(switch_add_static(lab.sw, mac_of(&lab, 4), 0, lab.sw->ports[4]));
    exchange(&lab, 1, MAC_BROADCAST);
    exchange(&lab, 2, MAC_BROADCAST);
    g_assert_cmpuint(lab.sw->stats.not_learnt, ==, 1);
    g_assert_cmpuint(exchange(&lab, 1, mac_of(&lab, 2)), ==, PORTS - 1);
    g_assert_cmpuint(exchange(&lab, 1, mac_of(&lab, 4)), ==, 1);
    link_unplug(lab.link[4]);
    g_assert_cmpuint(exchange(&lab, 1, mac_of(&lab, 4)), ==, 0);
    g_assert_cmpuint(lab.w.drops[DROP_NO_CARRIER], ==, 1);
    lab_clear(&lab);
}

/* SW-08: ten times faster in than out: about 90 % is lost once the queue is full, nothing before. */
static void test_speeds(void)
{
    Lab lab;
    Peer *slow;
    unsigned burst = 900, n = 10000;

    lab_init(&lab);
    slow = peer_new(&lab.w, "slow", MAC(20));
    world_link_full(&lab.w, &slow->port, switch_add_port(lab.sw), 100000000, SIM_US);
    peer_send(slow, MAC_BROADCAST, 60);
    world_run(&lab.w, 1 * SIM_MS);
    for (unsigned i = 0; i < burst; i++)
        peer_send(lab.peer[0], slow->mac, 1000);
    world_run(&lab.w, 1 * SIM_SEC);
    g_assert_cmpuint(slow->got->len, ==, burst);
    peer_forget(slow);
    for (unsigned k = 0; k < 20; k++) { /* below the sender's own queue limit each time */
        for (unsigned i = 0; i < n / 20; i++)
            peer_send(lab.peer[0], slow->mac, 1000);
        world_run(&lab.w, sim_now(lab.w.sim) + (SimTime)(n / 20) * 8192);
    }
    world_run(&lab.w, 3 * SIM_SEC);
    /* 10000 frames in 82 ms; 100 Mbit/s take 1000 of them, and the queue 1000 more */
    g_assert_cmpuint(slow->got->len, >=, 1990);
    g_assert_cmpuint(slow->got->len, <=, 2010);
    g_assert_cmpuint(lab.w.drops[DROP_QUEUE_FULL], ==, n - slow->got->len);
    lab_clear(&lab);
}

/* Time to think: every frame is later by the same, in order. */
static void test_delay(void)
{
    Lab lab;
    SimTime at;

    lab_init(&lab);
    exchange(&lab, 0, MAC_BROADCAST);
    at = peer_got(lab.peer[1], 0)->at;
    peer_forget(lab.peer[1]);
    switch_set_delay(lab.sw, 10 * SIM_US);
    for (unsigned i = 0; i < 50; i++)
        peer_send(lab.peer[0], MAC_BROADCAST, 100);
    world_run(&lab.w, 2 * SIM_MS);
    g_assert_cmpuint(lab.peer[1]->got->len, ==, 50);
    for (unsigned i = 0; i < 50; i++) /* 124 byte times of 8 ns apart */
        g_assert_cmpint(peer_got(lab.peer[1], i)->at, ==, SIM_MS + at + 10 * SIM_US + i * 992);
    /* freed with frames inside */
    for (unsigned i = 0; i < 50; i++)
        peer_send(lab.peer[0], MAC_BROADCAST, 100);
    world_run(&lab.w, 2 * SIM_MS + 12 * SIM_US);
    lab_clear(&lab);
}

/* A mirror port sees both directions of another, and nothing else. */
static void test_mirror(void)
{
    Lab lab;

    lab_init(&lab);
    switch_set_mirror(lab.sw->ports[0], lab.sw->ports[4]);
    exchange(&lab, 0, MAC_BROADCAST);
    g_assert_cmpuint(lab.peer[4]->got->len, ==, 1);
    exchange(&lab, 1, mac_of(&lab, 0));
    g_assert_cmpuint(lab.peer[4]->got->len, ==, 2);
    exchange(&lab, 2, mac_of(&lab, 1));
    g_assert_cmpuint(lab.peer[4]->got->len, ==, 2);
    switch_set_mirror(lab.sw->ports[0], NULL);
    exchange(&lab, 1, MAC_BROADCAST);
    g_assert_cmpuint(lab.peer[4]->got->len, ==, 3);
    g_assert_cmpuint(exchange(&lab, 1, MAC_BROADCAST), ==, PORTS - 1);
    lab_clear(&lab);
}

/* Two cables between two switches, no spanning tree: one broadcast circles both ways for ever. With three
 * cables each frame becomes two at every hop, until the links carry no more. */
static void test_storm(void)
{
    for (unsigned cables = 2; cables <= 3; cables++) {
        Lab lab;
        Switch *other;
        uint64_t first, second;

        lab_init(&lab);
        other = switch_new(lab.w.sim, "other", mac_from_u64(0x02aa00000100), lab.w.probes);
        for (unsigned i = 0; i < cables; i++)
            world_link_full(&lab.w, switch_add_port(lab.sw), switch_add_port(other), 10000000, SIM_US);
        for (unsigned i = 0; i < PORTS; i++)
            lab.peer[i]->echo = true;
        peer_send(lab.peer[0], MAC_BROADCAST, 100);
        world_run(&lab.w, 500 * SIM_MS);
        first = lab.sw->stats.rx_frames;
        world_run(&lab.w, 1000 * SIM_MS);
        second = lab.sw->stats.rx_frames - first;
        if (cables == 2) {
            /* two frames; 112 byte times of 0.8 µs and 1 µs per hop: each is back every 181.2 µs */
            g_assert_cmpuint(second, >=, 2 * 2758);
            g_assert_cmpuint(second, <=, 2 * 2760);
            g_assert_cmpuint(lab.w.drops[DROP_QUEUE_FULL], ==, 0);
        } else {
            /* three links, saturated: 124 byte times each */
            g_assert_cmpuint(second, >=, 3 * 5000);
            g_assert_cmpuint(second, <=, 3 * 5042);
            g_assert_cmpuint(lab.w.drops[DROP_QUEUE_FULL], >, 1000);
        }
        world_unlink(&lab.w);
        switch_free(other);
        lab_clear(&lab);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/switch/learning", test_learning);
    g_test_add_func("/ether/switch/broadcast", test_broadcast);
    g_test_add_func("/ether/switch/store-and-forward", test_store_and_forward);
    g_test_add_func("/ether/switch/ageing", test_ageing);
    g_test_add_func("/ether/switch/move", test_move);
    g_test_add_func("/ether/switch/drops", test_drops);
    g_test_add_func("/ether/switch/limit-and-static", test_limit_and_static);
    g_test_add_func("/ether/switch/speeds", test_speeds);
    g_test_add_func("/ether/switch/delay", test_delay);
    g_test_add_func("/ether/switch/mirror", test_mirror);
    g_test_add_func("/ether/switch/storm", test_storm);
    return g_test_run();
}
