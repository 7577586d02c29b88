/* The serial line (LINK-11): another framing, another speed. */
#include "models/ether/ppp.h"

#include <glib.h>

#include "ether_peer.h"
#include "models/wire/ppp.h"

typedef struct Lab {
    World w;
    Node node[2];
    Ppp ppp[2];
    unsigned n_input;
    uint16_t type;
    uint32_t len;
    SimTime at;
} Lab;

static void input(NetDev *dev, Packet *pkt, uint16_t type)
{
    Lab *lab = dev->upper;

    lab->n_input++;
    lab->type = type;
    lab->len = packet_len(pkt);
    lab->at = node_now(dev->node);
    g_assert_cmpuint(pkt->l3, ==, pkt->head);
    packet_unref(pkt);
}

static void lab_init(Lab *lab)
{
    LinkDirConfig c[2];

    memset(lab, 0, sizeof *lab);
    world_init(&lab->w, 1);
    for (unsigned i = 0; i < 2; i++) {
        node_init(&lab->node[i], lab->w.sim, i ? "b" : "a");
        ppp_init(&lab->ppp[i], &lab->node[i], "ppp0", lab->w.probes);
        lab->ppp[i].dev.input = input;
        lab->ppp[i].dev.upper = lab;
        ppp_line_config(&c[i], 115200);
    }
    g_ptr_array_add(lab->w.links, link_new(&lab->ppp[0].port, &lab->ppp[1].port, c));
}

static void lab_clear(Lab *lab)
{
    world_unlink(&lab->w);
    for (unsigned i = 0; i < 2; i++) {
        ppp_clear(&lab->ppp[i]);
        node_clear(&lab->node[i]);
    }
    world_clear(&lab->w);
}

static void send(Lab *lab, uint32_t len, uint16_t type)
{
    Packet *pkt = packet_new(lab->w.pool, 0, 0, PKT_HEADROOM);

    packet_add_synthetic(pkt, 0, len);
    lab->ppp[0].dev.ops->xmit(&lab->ppp[0].dev, pkt, NULL, type);
}

/* 115200 baud 8N1 carry 11520 byte/s: 1145 bytes, 4 of header and 3 around them take 100 ms. */
static void test_speed(void)
{
    Lab lab;

    lab_init(&lab);
    g_assert_true(netdev_is_running(&lab.ppp[0].dev));
    g_assert_true(lab.ppp[0].dev.flags & NETDEV_NOARP);
    send(&lab, 1145, ETH_TYPE_IPV4);
    world_run(&lab.w, SIM_SEC);
    g_assert_cmpuint(lab.n_input, ==, 1);
    g_assert_cmphex(lab.type, ==, ETH_TYPE_IPV4);
    g_assert_cmpuint(lab.len, ==, 1145); /* no minimum, no padding */
    g_assert_cmpint(lab.at, ==, 100 * SIM_MS);
    send(&lab, 20, ETH_TYPE_IPV6);
    world_run(&lab.w, 2 * SIM_SEC);
    g_assert_cmphex(lab.type, ==, ETH_TYPE_IPV6);
    g_assert_cmpuint(lab.len, ==, 20);
    g_assert_cmpuint(netdev_stats(&lab.ppp[1].dev)->rx_bytes, ==, 1149 + 24);
    lab_clear(&lab);
}

static Packet *frame(Lab *lab, const uint8_t *bytes, size_t len)
{
    return packet_from_bytes(lab->w.pool, 0, 0, bytes, len);
}

/* What is refused, and where it is counted. */
static void test_refused(void)
{
    Lab lab;
    Packet *pkt;

    lab_init(&lab);
    send(&lab, 1501, ETH_TYPE_IPV4);
    g_assert_cmpuint(lab.w.drops[DROP_MTU], ==, 1);
    send(&lab, 28, ETH_TYPE_ARP);
    g_assert_cmpuint(lab.w.drops[DROP_ETHERTYPE], ==, 1);
    port_send(&lab.ppp[0].port, frame(&lab, (const uint8_t[]){0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4}, 8));
    world_run(&lab.w, 1 * SIM_SEC);
    g_assert_cmpuint(lab.w.drops[DROP_ETHERTYPE], ==, 2);
    port_send(&lab.ppp[0].port, frame(&lab, (const uint8_t[]){0xff, 0x03, 0x00}, 3));
    world_run(&lab.w, 2 * SIM_SEC);
    g_assert_cmpuint(lab.w.drops[DROP_MALFORMED], ==, 1);
    pkt = frame(&lab, (const uint8_t[]){0xff, 0x03, 0x00, 0x21, 0x45, 0, 0, 20}, 8);
    packet_flip_bit(pkt, 40);
    port_send(&lab.ppp[0].port, pkt);
    world_run(&lab.w, 3 * SIM_SEC);
    g_assert_cmpuint(lab.w.drops[DROP_FCS], ==, 1);
    g_assert_cmpuint(netdev_errors(&lab.ppp[1].dev)->rx_crc_errors, ==, 1);
    g_assert_cmpuint(lab.n_input, ==, 0);
    /* address, control and a byte of the protocol left out (RFC 1661 6.5, 6.6) */
    port_send(&lab.ppp[0].port, frame(&lab, (const uint8_t[]){0x21, 0x45, 0, 0, 20}, 5));
    world_run(&lab.w, 4 * SIM_SEC);
    g_assert_cmpuint(lab.n_input, ==, 1);
    g_assert_cmpuint(lab.len, ==, 4);
    lab_clear(&lab);
}

static void test_down(void)
{
    Lab lab;

    lab_init(&lab);
    lab.ppp[0].dev.ops->set_up(&lab.ppp[0].dev, false);
    send(&lab, 100, ETH_TYPE_IPV4);
    g_assert_cmpuint(lab.w.drops[DROP_DEVICE_DOWN], ==, 1);
    lab.ppp[0].dev.ops->set_up(&lab.ppp[0].dev, true);
    world_unlink(&lab.w);
    send(&lab, 100, ETH_TYPE_IPV4);
    g_assert_cmpuint(lab.w.drops[DROP_NO_CARRIER], ==, 1);
    g_assert_cmpuint(netdev_errors(&lab.ppp[0].dev)->tx_carrier_errors, ==, 1);
    lab_clear(&lab);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ether/ppp/speed", test_speed);
    g_test_add_func("/ether/ppp/refused", test_refused);
    g_test_add_func("/ether/ppp/down", test_down);
    return g_test_run();
}
