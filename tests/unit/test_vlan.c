/* 802.1Q on a switch: ports of VLAN 10 and 20, a trunk, tags put on and taken off. */
#include "models/ether/switch_vlan.h"

#include <glib.h>

#include "models/wire/vlan.h"

/* peers 0, 1: access 10; 2, 3: access 20; 4: trunk 10 and 20, native 99; 5: trunk of all, no native */
#define PORTS 6
#include "switch_lab.h"

/* Its ports as above. */
static void vlan_lab_init(Lab *lab)
{
    lab_init(lab);
    g_assert_true(switch_vlan_set_access(lab->sw->ports[0], 10));
    g_assert_true(switch_vlan_set_access(lab->sw->ports[1], 10));
    g_assert_true(switch_vlan_set_access(lab->sw->ports[2], 20));
    g_assert_true(switch_vlan_set_access(lab->sw->ports[3], 20));
    g_assert_true(switch_vlan_set_trunk(lab->sw->ports[4], (const uint16_t[]){10, 20}, 2, 99));
    g_assert_true(switch_vlan_set_trunk(lab->sw->ports[5], NULL, 0, 0));
}

static Packet *tagged(Peer *p, MacAddr dst, uint16_t tci, uint32_t len)
{
    Packet *pkt = packet_new(p->world->pool, p->node.id, p->node.birth_next++, PKT_HEADROOM);
    uint8_t *at = packet_put(pkt, ETH_HDR_LEN + VLAN_TAG_LEN);

    eth_put(at, dst, p->mac, ETH_TYPE_VLAN);
    wire_put16(at + 14, tci);
    wire_put16(at + 16, 0x88b5);
    packet_add_synthetic(pkt, 0, len - ETH_HDR_LEN - VLAN_TAG_LEN);
    return pkt;
}

/* Who got it: a bit per peer. Forgets. */
static unsigned run(Lab *lab)
{
    unsigned who = 0;

    world_run(&lab->w, sim_now(lab->w.sim) + SIM_MS);
    for (unsigned i = 0; i < PORTS; i++)
        who |= (lab->peer[i]->got->len != 0) << i;
    return who;
}

static void forget(Lab *lab)
{
    for (unsigned i = 0; i < PORTS; i++)
        peer_forget(lab->peer[i]);
}

static uint32_t bytes_at(const Peer *p, unsigned off)
{
    uint8_t b[4];

    g_assert_cmpuint(packet_copy(peer_got(p, 0)->pkt, off, b, 4), ==, 4);
    return wire_get32(b);
}

/* A frame stays in its VLAN: access ports get it without, trunks with a tag. The payload is untouched. */
static void test_tagging(void)
{
    Lab lab;
    Packet *sent;
    uint8_t a[86], b[86];

    vlan_lab_init(&lab);
    sent = peer_frame(lab.peer[0], MAC_BROADCAST, lab.peer[0]->mac, 0x88b5, 100);
    port_send(&lab.peer[0]->port, packet_ref(sent));
    g_assert_cmphex(run(&lab), ==, 0x32);
    g_assert_true(peer_got(lab.peer[1], 0)->pkt == sent);
    g_assert_cmpuint(packet_len(peer_got(lab.peer[4], 0)->pkt), ==, 104);
    g_assert_cmphex(bytes_at(lab.peer[4], 12), ==, 0x8100000a);
    g_assert_cmphex(bytes_at(lab.peer[4], 6), ==, 0x02000000);
    g_assert_true(peer_got(lab.peer[4], 0)->pkt == peer_got(lab.peer[5], 0)->pkt); /* made once */
    packet_copy(sent, 14, a, 86);
    packet_copy(peer_got(lab.peer[4], 0)->pkt, 18, b, 86);
    g_assert_cmpmem(a, 86, b, 86);
    packet_unref(sent);
    forget(&lab);

    /* and back: from the trunk to access ports */
    port_send(&lab.peer[4]->port, tagged(lab.peer[4], MAC_BROADCAST, 20, 104));
    g_assert_cmphex(run(&lab), ==, 0x2c);
    g_assert_cmpuint(packet_len(peer_got(lab.peer[2], 0)->pkt), ==, 100);
    g_assert_cmphex(bytes_at(lab.peer[2], 10) & 0xffff, ==, 0x88b5);
    g_assert_cmphex(bytes_at(lab.peer[5], 12), ==, 0x81000014);
    lab_clear(&lab);
}

/* Taking the tag off a frame of 60 bytes leaves 56: padded to the minimum again. */
static void test_minimum(void)
{
    Lab lab;

    vlan_lab_init(&lab);
    port_send(&lab.peer[4]->port, tagged(lab.peer[4], MAC_BROADCAST, 10, 60));
    g_assert_cmphex(run(&lab), ==, 0x23);
    g_assert_cmpuint(packet_len(peer_got(lab.peer[0], 0)->pkt), ==, 60);
    g_assert_cmpuint(packet_len(peer_got(lab.peer[5], 0)->pkt), ==, 60);
    lab_clear(&lab);
}

/* Ingress filtering: a tag at an access port, a VLAN that the trunk does not carry, no tag where no VLAN is
 * native. */
static void test_filtering(void)
{
    Lab lab;

    vlan_lab_init(&lab);
    port_send(&lab.peer[0]->port, tagged(lab.peer[0], MAC_BROADCAST, 10, 100));
    port_send(&lab.peer[4]->port, tagged(lab.peer[4], MAC_BROADCAST, 30, 100));
    port_send(&lab.peer[4]->port, tagged(lab.peer[4], MAC_BROADCAST, 4095, 100));
    peer_send(lab.peer[5], MAC_BROADCAST, 100);
    g_assert_cmphex(run(&lab), ==, 0);
    g_assert_cmpuint(lab.w.drops[DROP_VLAN], ==, 4);
    g_assert_cmpuint(lab.sw->stats.vlan_drops, ==, 4);
    g_assert_cmpuint(lab.sw->stats.learnt, ==, 0);
    lab_clear(&lab);
}

/* The native VLAN crosses a trunk without a tag; a priority tag names no VLAN and keeps its priority. */
static void test_native_and_priority(void)
{
    Lab lab;

    vlan_lab_init(&lab);
    peer_send(lab.peer[4], MAC_BROADCAST, 100);
    g_assert_cmphex(run(&lab), ==, 0x20);
    g_assert_cmphex(bytes_at(lab.peer[5], 12), ==, 0x81000063);
    forget(&lab);
    port_send(&lab.peer[5]->port, tagged(lab.peer[5], MAC_BROADCAST, 99, 100));
    g_assert_cmphex(run(&lab), ==, 0x10);
    g_assert_cmpuint(packet_len(peer_got(lab.peer[4], 0)->pkt), ==, 96);
    forget(&lab);
    port_send(&lab.peer[0]->port, tagged(lab.peer[0], MAC_BROADCAST, 0xa000, 100));
    g_assert_cmphex(run(&lab), ==, 0x32);
    g_assert_cmphex(bytes_at(lab.peer[4], 12), ==, 0x8100a00a);
    g_assert_cmpuint(packet_len(peer_got(lab.peer[1], 0)->pkt), ==, 96);
    lab_clear(&lab);
}

/* Learning is per VLAN: the same station may be known in one and unknown in the other; unicast does not leak.
 */
static void test_learning(void)
{
    Lab lab;

    vlan_lab_init(&lab);
    peer_send(lab.peer[1], MAC_BROADCAST, 100);
    run(&lab);
    forget(&lab);
    peer_send(lab.peer[0], lab.peer[1]->mac, 100);
    g_assert_cmphex(run(&lab), ==, 0x02);
    forget(&lab);
    peer_send(lab.peer[2], lab.peer[1]->mac, 100); /* VLAN 20 does not know it */
    g_assert_cmphex(run(&lab), ==, 0x38);
    g_assert_true(switch_lookup(lab.sw, lab.peer[1]->mac, 10) == lab.sw->ports[1]);
    g_assert_null(switch_lookup(lab.sw, lab.peer[1]->mac, 20));
    /* a static entry that leads out of the VLAN's ports */
    g_assert_true(switch_add_static(lab.sw, mac_from_u64(0x020000000077), 10, lab.sw->ports[2]));
    peer_send(lab.peer[0], mac_from_u64(0x020000000077), 100);
    forget(&lab);
    g_assert_cmphex(run(&lab), ==, 0);
    g_assert_cmpuint(lab.w.drops[DROP_VLAN], ==, 1);
    lab_clear(&lab);
}

/* A frame from outside without headroom, a damaged one, and a lazy checksum all survive the tag. */
static void test_odd_packets(void)
{
    Lab lab;
    uint8_t frame[300] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, got[304];
    Packet *pkt;

    vlan_lab_init(&lab);
    pkt = packet_new(lab.w.pool, 0, 0, 0);
    memcpy(packet_put(pkt, 100), frame, 100);
    packet_add_bytes(pkt, frame + 100, 200);
    packet_set_csum_partial(pkt, 34, 40);
    frame[299] = 0x5a;
    pkt->slice[0].chunk->bytes[199] = 0x5a;
    port_send(&lab.peer[0]->port, pkt);
    g_assert_cmphex(run(&lab), ==, 0x32);
    g_assert_cmpuint(packet_copy(peer_got(lab.peer[4], 0)->pkt, 0, got, 304), ==, 304);
    /* 0x5a at an odd place, complemented, at the place of the checksum */
    g_assert_cmphex(wire_get16(got + 44), ==, 0xffff - 0x5a);
    g_assert_cmpuint(packet_copy(peer_got(lab.peer[1], 0)->pkt, 0, got, 304), ==, 300);
    g_assert_cmphex(wire_get16(got + 40), ==, 0xffff - 0x5a);
    g_assert_false(switch_vlan_set_access(lab.sw->ports[0], 0));
    g_assert_false(switch_vlan_set_access(lab.sw->ports[0], 4095));
    g_assert_false(switch_vlan_set_trunk(lab.sw->ports[0], (const uint16_t[]){4095}, 1, 0));
    lab_clear(&lab);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/vlan/tagging", test_tagging);
    g_test_add_func("/ether/vlan/minimum", test_minimum);
    g_test_add_func("/ether/vlan/filtering", test_filtering);
    g_test_add_func("/ether/vlan/native-and-priority", test_native_and_priority);
    g_test_add_func("/ether/vlan/learning", test_learning);
    g_test_add_func("/ether/vlan/odd-packets", test_odd_packets);
    return g_test_run();
}
