/* What the Ethernet models cost per frame: card out and in, switch unicast and flood. */
#include <stdio.h>
#include <time.h>

#include "models/ether/nic.h"
#include "models/ether/switch.h"
#include "models/wire/eth.h"

static uint64_t sink_count;

static void sink_send(LinkTx *tx, Packet *pkt)
{
    (void)tx;
    sink_count++;
    packet_unref(pkt);
}

static void input(NetDev *dev, Packet *pkt, uint16_t type)
{
    (void)dev;
    sink_count += type;
    packet_unref(pkt);
}

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void plug(LinkPort *port, LinkTx *tx)
{
    port->tx = tx;
    port->carrier = true;
    if (port->ops->carrier)
        port->ops->carrier(port, true);
}

#define ROUNDS 3000000

int main(void)
{
    Sim *sim = sim_new(1);
    PacketPool *pool = packetpool_new();
    LinkTx tx = {.send = sink_send};
    Node node;
    Nic nic;
    Switch *sw;
    MacAddr dst = mac_from_u64(0x020000000002), own = mac_from_u64(0x020000000001);
    Packet *pkt;
    double t;

    sim_partition(sim, 0)->packets = pool;
    node_init(&node, sim, "host");
    nic_init(&nic, &node, "eth0", own, NULL);
    nic.dev.input = input;
    plug(&nic.port, &tx);

    t = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        pkt = packet_new(pool, 0, i, PKT_HEADROOM);
        packet_add_synthetic(pkt, 0, 1000);
        packet_unref(pkt);
    }
    double base = (now_ns() - t) / ROUNDS;
    printf("packet new, free        %6.1f ns\n", base);

    t = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        pkt = packet_new(pool, 0, i, PKT_HEADROOM);
        packet_add_synthetic(pkt, 0, 1000);
        nic.dev.ops->xmit(&nic.dev, pkt, &dst, ETH_TYPE_IPV4);
    }
    printf("card, out               %6.1f ns beyond\n", (now_ns() - t) / ROUNDS - base);

    t = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        pkt = packet_new(pool, 0, i, PKT_HEADROOM);
        eth_put(packet_put(pkt, 14), own, dst, ETH_TYPE_IPV4);
        packet_add_synthetic(pkt, 0, 1000);
        nic.port.ops->receive(&nic.port, pkt);
    }
    printf("card, in                %6.1f ns beyond\n", (now_ns() - t) / ROUNDS - base);

    pkt = packet_new(pool, 0, 0, PKT_HEADROOM);
    eth_put(packet_put(pkt, 42), MAC_BROADCAST, dst, ETH_TYPE_ARP);
    pkt->pad = 18;
    t = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        nic.port.ops->receive(&nic.port, packet_ref(pkt));
    printf("card, shared broadcast  %6.1f ns\n", (now_ns() - t) / ROUNDS);
    eth_set_dst(packet_data(pkt), dst);
    t = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        nic.port.ops->receive(&nic.port, packet_ref(pkt));
    printf("card, shared, not mine  %6.1f ns\n", (now_ns() - t) / ROUNDS);

    sw = switch_new(sim, "sw", mac_from_u64(0x02aa00000000), NULL);
    for (unsigned i = 0; i < 100; i++)
        plug(switch_add_port(sw), &tx);
    for (unsigned i = 0; i < 100; i++) {
        eth_put(packet_data(pkt), MAC_BROADCAST, mac_from_u64(0x020000000000 + i + 1), 0x0800);
        sw->ports[i]->port.ops->receive(&sw->ports[i]->port, packet_ref(pkt));
    }
    t = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned from = i * 37 % 100, to = (i * 61 + 1) % 100;
        if (to == from)
            to = (to + 1) % 100;
        eth_put(packet_data(pkt), mac_from_u64(0x020000000001 + to), mac_from_u64(0x020000000001 + from),
                0x0800);
        sw->ports[from]->port.ops->receive(&sw->ports[from]->port, packet_ref(pkt));
    }
    printf("switch, unicast         %6.1f ns\n", (now_ns() - t) / ROUNDS);
    eth_put(packet_data(pkt), MAC_BROADCAST, mac_from_u64(0x020000000001), 0x0806);
    t = now_ns();
    for (unsigned i = 0; i < ROUNDS / 100; i++)
        sw->ports[0]->port.ops->receive(&sw->ports[0]->port, packet_ref(pkt));
    printf("switch, flood           %6.1f ns per port\n", (now_ns() - t) / (ROUNDS / 100) / 99);

    SwitchTable *tab = &sw->table;
    uint64_t found = 0;
    t = now_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        found += switch_table_find(tab, 0x020000000001 + i % 100, 0) != NULL;
    printf("MAC table, look-up      %6.1f ns (%u %% found)\n", (now_ns() - t) / ROUNDS,
           (unsigned)(found * 100 / ROUNDS));

    packet_unref(pkt);
    for (unsigned i = 0; i < 100; i++)
        sw->ports[i]->port.tx = NULL;
    switch_free(sw);
    nic.port.tx = NULL;
    nic_clear(&nic);
    node_clear(&node);
    packetpool_free(pool);
    sim_free(sim);
    return sink_count == 0;
}
