/* The network card: framing, padding, filters, VLANs and taps, against a peer on a real link. */
#include "models/ether/nic.h"

#include <glib.h>

#include "ether_peer.h"
#include "models/ether/nic_vlan.h"
#include "models/wire/vlan.h"

#define MAC_A 0x020000000001
#define MAC_B 0x020000000002
#define MAC_C 0x020000000003
#define GROUP 0x01005e000005

typedef struct Lab {
    World w;
    Node node;
    Nic nic;
    Peer *peer;
    Link *link;
    /* what the network layer got */
    unsigned n_input;
    uint16_t type;
    uint32_t len;
    uint8_t flags;
    uint8_t first; /* the first byte at the network header */
    NetDev *dev;
    SimTime at;
} Lab;

static void input(NetDev *dev, Packet *pkt, uint16_t type)
{
    Lab *lab = dev->upper;

    lab->n_input++;
    lab->type = type;
    lab->len = packet_len(pkt);
    lab->flags = pkt->flags;
    lab->dev = dev;
    lab->at = node_now(dev->node);
    g_assert_cmpuint(pkt->l3, ==, pkt->head);
    g_assert_cmpuint(pkt->ref, ==, 1);
    packet_copy(pkt, 0, &lab->first, 1);
    packet_unref(pkt);
}

static void lab_init(Lab *lab)
{
    memset(lab, 0, sizeof *lab);
    world_init(&lab->w, 1);
    node_init(&lab->node, lab->w.sim, "host");
    nic_init(&lab->nic, &lab->node, "eth0", mac_from_u64(MAC_A), lab->w.probes);
    lab->nic.dev.input = input;
    lab->nic.dev.upper = lab;
    lab->peer = peer_new(&lab->w, "peer", MAC_B);
    lab->link = world_link(&lab->w, &lab->nic.port, &lab->peer->port);
}

static void lab_clear(Lab *lab)
{
    world_unlink(&lab->w);
    nic_clear(&lab->nic);
    node_clear(&lab->node);
    world_clear(&lab->w);
}

static Packet *datagram(Lab *lab, uint32_t len)
{
    Packet *pkt = packet_new(lab->w.pool, 0, 0, PKT_HEADROOM);

    packet_add_synthetic(pkt, 0, len);
    return pkt;
}

static void send(Lab *lab, uint32_t len)
{
    MacAddr dst = mac_from_u64(MAC_B);

    lab->nic.dev.ops->xmit(&lab->nic.dev, datagram(lab, len), &dst, ETH_TYPE_IPV4);
}

/* LINK-01: destination, source, type: 14 bytes. */
static void test_header(void)
{
    Lab lab;
    uint8_t b[14];

    lab_init(&lab);
    send(&lab, 100);
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(lab.peer->got->len, ==, 1);
    g_assert_cmpuint(packet_len(peer_got(lab.peer, 0)->pkt), ==, 114);
    packet_copy(peer_got(lab.peer, 0)->pkt, 0, b, 14);
    g_assert_cmpmem(b, 14, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00", 14);
    g_assert_cmpuint(netdev_stats(&lab.nic.dev)->tx_packets, ==, 1);
    g_assert_cmpuint(netdev_stats(&lab.nic.dev)->tx_bytes, ==, 114);
    lab_clear(&lab);
}

/* LINK-04: 28 bytes of ARP leave as 60, padded with zeros; 46 bytes need no padding. */
static void test_padding(void)
{
    Lab lab;
    uint8_t b[60];

    lab_init(&lab);
    send(&lab, 28);
    send(&lab, 46);
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(packet_len(peer_got(lab.peer, 0)->pkt), ==, 60);
    g_assert_cmpuint(packet_copy(peer_got(lab.peer, 0)->pkt, 0, b, 60), ==, 60);
    for (int i = 42; i < 60; i++)
        g_assert_cmpuint(b[i], ==, 0);
    g_assert_cmpuint(packet_len(peer_got(lab.peer, 1)->pkt), ==, 60);
    g_assert_cmpuint(peer_got(lab.peer, 1)->pkt->pad, ==, 0);
    lab_clear(&lab);
}

/* HEX-01: a card that pads with old memory. */
static void test_pad_pattern(void)
{
    static const uint8_t old[18] = {0x00, 0x77, 0x31, 0xd2, 0x50, 0x10, 0xfd, 0x78, 0x41, 0xd3};
    Lab lab;
    uint8_t b[60];

    lab_init(&lab);
    nic_set_pad_pattern(&lab.nic, old, sizeof old);
    send(&lab, 28);
    send(&lab, 20); /* the pattern is too short for 26 bytes: zeros follow */
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(packet_copy(peer_got(lab.peer, 0)->pkt, 0, b, 60), ==, 60);
    g_assert_cmpmem(b + 42, 18, old, 18);
    g_assert_cmpuint(packet_copy(peer_got(lab.peer, 1)->pkt, 0, b, 60), ==, 60);
    g_assert_cmpmem(b + 34, 18, old, 18);
    g_assert_cmpmem(b + 52, 8, "\0\0\0\0\0\0\0\0", 8);
    lab_clear(&lab);
}

/* LINK-05: 1500 bytes pass, 1501 do not. */
static void test_mtu(void)
{
    Lab lab;

    lab_init(&lab);
    send(&lab, 1500);
    send(&lab, 1501);
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(lab.peer->got->len, ==, 1);
    g_assert_cmpuint(lab.w.drops[DROP_MTU], ==, 1);
    g_assert_cmpuint(netdev_errors(&lab.nic.dev)->tx_dropped, ==, 1);
    g_assert_true(nic_set_mtu(&lab.nic, 576));
    g_assert_false(nic_set_mtu(&lab.nic, 67));
    send(&lab, 577);
    g_assert_cmpuint(lab.w.drops[DROP_MTU], ==, 2);
    lab_clear(&lab);
}

/* A shared packet is not written to. */
static void test_shared(void)
{
    Lab lab;
    Packet *pkt;
    MacAddr dst = mac_from_u64(MAC_B);

    lab_init(&lab);
    pkt = datagram(&lab, 100);
    lab.nic.dev.ops->xmit(&lab.nic.dev, packet_ref(pkt), &dst, ETH_TYPE_IPV4);
    g_assert_cmpuint(packet_len(pkt), ==, 100);
    packet_unref(pkt);
    /* and a shared frame from the wire is one packet to everybody who does not want it */
    pkt = peer_frame(lab.peer, mac_from_u64(MAC_C), lab.peer->mac, ETH_TYPE_IPV4, 100);
    port_send(&lab.peer->port, packet_ref(pkt));
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(pkt->ref, ==, 1);
    g_assert_cmpuint(pkt->head, ==, PKT_HEADROOM);
    packet_unref(pkt);
    lab_clear(&lab);
}

/* LINK-07: own address, broadcast, joined groups; nothing else, unless promiscuous. */
static void test_filter(void)
{
    Lab lab;
    NetDev *dev = &lab.nic.dev;

    lab_init(&lab);
    peer_send(lab.peer, mac_from_u64(MAC_A), 100);
    world_run(&lab.w, 1 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 1);
    g_assert_cmpuint(lab.flags, ==, 0);
    g_assert_cmpuint(lab.type, ==, 0x88b5);
    g_assert_cmpuint(lab.len, ==, 86);
    /* 100 + 12 bytes on the wire (the gap does not delay the frame itself) at 1 Gbit/s, and 1 µs of cable */
    g_assert_cmpint(lab.at, ==, 896 + 1000);

    peer_send(lab.peer, MAC_BROADCAST, 100);
    world_run(&lab.w, 2 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 2);
    g_assert_cmpuint(lab.flags, ==, PKT_BROADCAST);

    peer_send(lab.peer, mac_from_u64(MAC_C), 100);
    peer_send(lab.peer, mac_from_u64(GROUP), 100);
    world_run(&lab.w, 3 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 2);
    g_assert_cmpuint(netdev_errors(dev)->rx_not_for_me, ==, 2);
    g_assert_cmpuint(lab.w.drops[DROP_NOT_FOR_ME], ==, 2);

    /* joins nest */
    dev->ops->join(dev, mac_from_u64(GROUP), true);
    dev->ops->join(dev, mac_from_u64(GROUP), true);
    dev->ops->join(dev, mac_from_u64(GROUP), false);
    peer_send(lab.peer, mac_from_u64(GROUP), 100);
    world_run(&lab.w, 4 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 3);
    g_assert_cmpuint(lab.flags, ==, PKT_MULTICAST);
    dev->ops->join(dev, mac_from_u64(GROUP), false);
    peer_send(lab.peer, mac_from_u64(GROUP), 100);
    world_run(&lab.w, 5 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 3);

    dev->ops->set_promisc(dev, true);
    peer_send(lab.peer, mac_from_u64(MAC_C), 100);
    world_run(&lab.w, 6 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 4);
    g_assert_cmpuint(lab.flags, ==, PKT_OTHERHOST);
    dev->ops->set_promisc(dev, false);

    /* a swapped card: the old address is nobody's */
    nic_set_mac(&lab.nic, mac_from_u64(MAC_C));
    peer_send(lab.peer, mac_from_u64(MAC_A), 100);
    peer_send(lab.peer, mac_from_u64(MAC_C), 100);
    world_run(&lab.w, 7 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 5);
    g_assert_cmpuint(lab.nic.port.point.mac[5], ==, 3);
    lab_clear(&lab);
}

/* LINK-02: a flipped bit anywhere is found by the card, counted, and nothing goes up. */
static void test_fcs(void)
{
    Lab lab;
    unsigned n = 0;

    lab_init(&lab);
    for (uint32_t bit = 0; bit < 800; bit += 37, n++) {
        Packet *pkt = peer_frame(lab.peer, mac_from_u64(MAC_A), lab.peer->mac, ETH_TYPE_IPV4, 100);

        packet_flip_bit(pkt, bit);
        port_send(&lab.peer->port, pkt);
    }
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(lab.n_input, ==, 0);
    g_assert_cmpuint(netdev_errors(&lab.nic.dev)->rx_crc_errors, ==, n);
    g_assert_cmpuint(lab.w.drops[DROP_FCS], ==, n);
    lab_clear(&lab);
}

/* Frames below 60 bytes are the rest of a collision, frames above the MTU a mistake; both are counted. */
static void test_lengths(void)
{
    Lab lab;

    lab_init(&lab);
    peer_send(lab.peer, mac_from_u64(MAC_A), 59);
    peer_send(lab.peer, mac_from_u64(MAC_A), 60);
    g_assert_true(nic_set_mtu(&lab.nic, 1000));
    peer_send(lab.peer, mac_from_u64(MAC_A), 1000 + 14 + 8);
    peer_send(lab.peer, mac_from_u64(MAC_A), 1000 + 14 + 9);
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(lab.n_input, ==, 2);
    g_assert_cmpuint(nic_stats(&lab.nic).rx_runts, ==, 1);
    g_assert_cmpuint(nic_stats(&lab.nic).rx_oversize, ==, 1);
    g_assert_cmpuint(netdev_errors(&lab.nic.dev)->rx_frame_errors, ==, 2);
    lab_clear(&lab);
}

/* Headers that arrive as payload (a frame from outside) are read all the same; no handler: dropped. */
static void test_bytes_and_types(void)
{
    Lab lab;
    uint8_t b[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45};
    Packet *pkt;

    lab_init(&lab);
    pkt = packet_new(lab.w.pool, 0, 0, 0);
    packet_add_bytes(pkt, b, sizeof b);
    port_send(&lab.peer->port, pkt);
    world_run(&lab.w, 1 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 1);
    g_assert_cmpuint(lab.type, ==, 0x0800);
    g_assert_cmpuint(lab.first, ==, 0x45);
    /* an 802.3 length instead of a type */
    port_send(&lab.peer->port, peer_frame(lab.peer, mac_from_u64(MAC_A), lab.peer->mac, 46, 60));
    world_run(&lab.w, 2 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 1);
    g_assert_cmpuint(lab.w.drops[DROP_ETHERTYPE], ==, 1);
    g_assert_cmpuint(netdev_errors(&lab.nic.dev)->rx_dropped, ==, 1);
    lab_clear(&lab);
}

static void on_changed(NetDev *dev)
{
    ((Lab *)dev->upper)->n_input += 100;
}

/* Down: nothing goes in or out. A pulled cable takes the carrier; a new cable brings it back. */
static void test_up_and_carrier(void)
{
    Lab lab;
    NetDev *dev = &lab.nic.dev;

    lab_init(&lab);
    g_assert_true(netdev_is_running(dev));
    dev->changed = on_changed;
    dev->ops->set_up(dev, false);
    g_assert_cmpuint(lab.n_input, ==, 100);
    send(&lab, 100);
    peer_send(lab.peer, mac_from_u64(MAC_A), 100);
    world_run(&lab.w, 1 * SIM_MS);
    g_assert_cmpuint(lab.n_input, ==, 100);
    g_assert_cmpuint(lab.w.drops[DROP_DEVICE_DOWN], ==, 2);
    g_assert_cmpuint(netdev_errors(dev)->tx_carrier_errors, ==, 0);
    dev->ops->set_up(dev, true);
    g_assert_cmpuint(lab.n_input, ==, 200);

    link_unplug(lab.link);
    g_assert_cmpuint(lab.n_input, ==, 300);
    g_assert_false(netdev_is_running(dev));
    send(&lab, 100);
    g_assert_cmpuint(lab.w.drops[DROP_NO_CARRIER], ==, 1);
    g_assert_cmpuint(netdev_errors(dev)->tx_carrier_errors, ==, 1);

    world_link(&lab.w, &lab.nic.port, &lab.peer->port);
    g_assert_true(netdev_is_running(dev));
    send(&lab, 100);
    world_run(&lab.w, 2 * SIM_MS);
    g_assert_cmpuint(lab.peer->got->len, ==, 1);
    lab_clear(&lab);
}

/* 802.1Q: eth0.10 sends tagged frames and gets those of its VLAN; VLAN 0 is the card's; others are dropped.
 */
static void test_vlan(void)
{
    Lab lab;
    NicVlan *v;
    MacAddr dst = mac_from_u64(MAC_B);
    uint8_t b[22];
    const uint16_t vids[] = {10, 11, 0};

    lab_init(&lab);
    g_assert_null(nic_vlan_new(&lab.nic, 0, NULL));
    g_assert_null(nic_vlan_new(&lab.nic, 4095, NULL));
    v = nic_vlan_new(&lab.nic, 10, NULL);
    g_assert_null(nic_vlan_new(&lab.nic, 10, NULL));
    g_assert_cmpstr(v->dev.name, ==, "eth0.10");
    g_assert_true(netdev_is_running(&v->dev));
    v->dev.input = input;
    v->dev.upper = &lab;
    v->pcp = 5;

    v->dev.ops->xmit(&v->dev, datagram(&lab, 1500), &dst, ETH_TYPE_IPV4);
    world_run(&lab.w, 1 * SIM_MS);
    g_assert_cmpuint(packet_len(peer_got(lab.peer, 0)->pkt), ==, 1518);
    packet_copy(peer_got(lab.peer, 0)->pkt, 0, b, 18);
    g_assert_cmpmem(b + 12, 6, "\x81\x00\xa0\x0a\x08\x00", 6);

    for (unsigned i = 0; i < 3; i++) {
        Packet *pkt = peer_frame(lab.peer, mac_from_u64(MAC_A), lab.peer->mac, ETH_TYPE_VLAN, 18);

        packet_trim(pkt, 14);
        vlan_encode(packet_put(pkt, 4), &(VlanTag){.vid = vids[i], .type = ETH_TYPE_IPV4});
        packet_add_synthetic(pkt, 0, 46);
        lab.dev = NULL;
        port_send(&lab.peer->port, pkt);
        world_run(&lab.w, (2 + i) * SIM_MS);
        g_assert_true(lab.dev == (vids[i] == 10 ? &v->dev : vids[i] == 0 ? &lab.nic.dev : NULL));
        if (lab.dev)
            g_assert_cmpuint(lab.len, ==, 46);
    }
    g_assert_cmpuint(lab.w.drops[DROP_VLAN], ==, 1);
    g_assert_cmpuint(netdev_stats(&v->dev)->rx_packets, ==, 1);

    v->dev.ops->set_promisc(&v->dev, true);
    g_assert_true(lab.nic.dev.flags & NETDEV_PROMISC);
    lab.nic.dev.ops->set_promisc(&lab.nic.dev, false);
    g_assert_true(lab.nic.dev.flags & NETDEV_PROMISC);
    v->dev.ops->set_promisc(&v->dev, false);
    g_assert_false(lab.nic.dev.flags & NETDEV_PROMISC);
    link_unplug(lab.link);
    g_assert_false(netdev_is_running(&v->dev));
    lab_clear(&lab);
}

typedef struct Sniffer {
    NicTap tap;
    unsigned in, out;
} Sniffer;

static void sniff(NicTap *tap, Nic *nic, const Packet *pkt, bool outgoing)
{
    Sniffer *s = (Sniffer *)tap;

    (void)nic;
    g_assert_cmpuint(packet_len(pkt), >=, 60);
    *(outgoing ? &s->out : &s->in) += 1;
}

/* Raw sockets see what the card takes and sends; raw frames go out as they are, padded. */
static void test_raw(void)
{
    Lab lab;
    Sniffer all = {.tap = {.frame = sniff}}, arp = {.tap = {.frame = sniff, .ethertype = ETH_TYPE_ARP}};
    Packet *pkt;
    uint8_t b[14];

    lab_init(&lab);
    nic_add_tap(&lab.nic, &all.tap);
    nic_add_tap(&lab.nic, &arp.tap);
    send(&lab, 28);
    peer_send(lab.peer, mac_from_u64(MAC_A), 100);
    peer_send(lab.peer, mac_from_u64(MAC_C), 100);
    world_run(&lab.w, 1 * SIM_MS);
    g_assert_cmpuint(all.out, ==, 1);
    g_assert_cmpuint(all.in, ==, 1);
    nic_remove_tap(&lab.nic, &all.tap);
    pkt = peer_frame(lab.peer, mac_from_u64(MAC_B), mac_from_u64(MAC_C), ETH_TYPE_ARP, 42);
    nic_send_raw(&lab.nic, pkt);
    world_run(&lab.w, 2 * SIM_MS);
    g_assert_cmpuint(all.out, ==, 1);
    g_assert_cmpuint(arp.out, ==, 1);
    g_assert_cmpuint(arp.in, ==, 0);
    g_assert_cmpuint(packet_len(peer_got(lab.peer, 1)->pkt), ==, 60);
    packet_copy(peer_got(lab.peer, 1)->pkt, 0, b, 14);
    g_assert_cmpmem(b, 14, "\x02\0\0\0\0\x02\x02\0\0\0\0\x03\x08\x06", 14);
    pkt = packet_new(lab.w.pool, 0, 0, 32);
    packet_add_synthetic(pkt, 0, 13);
    nic_send_raw(&lab.nic, pkt);
    g_assert_cmpuint(lab.w.drops[DROP_MALFORMED], ==, 1);
    lab_clear(&lab);
}

/* ethtool: the cable's speed; where the queue's drops are found. */
static void test_describe(void)
{
    Lab lab;
    LinkTxInfo info;

    lab_init(&lab);
    for (int i = 0; i < 1003; i++)
        send(&lab, 100);
    g_assert_true(port_describe(&lab.nic.port, &info));
    g_assert_cmpuint(info.rate_bps, ==, 1000000000);
    g_assert_false(info.half_duplex);
    g_assert_cmpuint(info.tx_packets, ==, 1);
    g_assert_cmpuint(info.queue_packets, ==, 1000); /* txqueuelen */
    g_assert_cmpuint(info.queue_drops, ==, 2);
    link_unplug(lab.link);
    g_assert_false(port_describe(&lab.nic.port, &info));
    lab_clear(&lab);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/nic/header", test_header);
    g_test_add_func("/ether/nic/padding", test_padding);
    g_test_add_func("/ether/nic/pad-pattern", test_pad_pattern);
    g_test_add_func("/ether/nic/mtu", test_mtu);
    g_test_add_func("/ether/nic/shared", test_shared);
    g_test_add_func("/ether/nic/filter", test_filter);
    g_test_add_func("/ether/nic/fcs", test_fcs);
    g_test_add_func("/ether/nic/lengths", test_lengths);
    g_test_add_func("/ether/nic/bytes-and-types", test_bytes_and_types);
    g_test_add_func("/ether/nic/up-and-carrier", test_up_and_carrier);
    g_test_add_func("/ether/nic/vlan", test_vlan);
    g_test_add_func("/ether/nic/raw", test_raw);
    g_test_add_func("/ether/nic/describe", test_describe);
    return g_test_run();
}
