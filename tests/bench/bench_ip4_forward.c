/* What a hop costs inside a router: device input → checks → route → TTL → neighbour → device xmit, without
 * links and events. Output: a table "flows<TAB>ns per hop". */
#include <stdio.h>
#include <time.h>

#include "models/ether/arp.h"
#include "models/ip/icmp4.h"
#include "models/ip/ip4.h"
#include "models/wire/eth.h"
#include "sim/engine/sim.h"

#define HOPS 10000000
#define FLOWS_MAX 1024

static Packet *back;

void icmp4_send_error(Ip4 *ip, Packet *pkt, uint8_t type, uint8_t code, uint32_t info)
{
    (void)ip, (void)pkt, (void)type, (void)code, (void)info;
}

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    (void)dst, (void)ethertype;
    back = pkt;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static Packet *make(PacketPool *pool, uint32_t src, uint32_t dst)
{
    Packet *p = packet_new(pool, 0, 0, PKT_HEADROOM);
    uint8_t *h = packet_put(p, 28);

    memset(h, 0, 28);
    h[0] = 0x45;
    ipv4_set_total_len(h, 1028);
    ipv4_set_ttl(h, 255);
    ipv4_set_proto(h, IP_PROTO_UDP);
    ipv4_set_src(h, src);
    ipv4_set_dst(h, dst);
    ipv4_fill_checksum(h);
    packet_add_synthetic(p, 0, 1000);
    return p;
}

int main(void)
{
    static const NetDevOps ops = {.xmit = xmit};
    Sim *sim = sim_new(1);
    PacketPool *pool = packetpool_new();
    Probes *probes = probes_new(sim_partition(sim, 0));
    NetDev dev[2];
    Node node;
    Ip4 *ip;

    node_init(&node, sim, "r");
    ip = ip4_new(&node, pool);
    for (unsigned i = 0; i < 2; i++) {
        dev[i] = (NetDev){.ops = &ops,
                          .node = &node,
                          .name = i ? "eth1" : "eth0",
                          .mtu = 1500,
                          .flags = NETDEV_UP | NETDEV_CARRIER};
        ip4_addr_add(ip, ip4_add_dev(ip, &dev[i]), (Ipv4Prefix){IPV4_ADDR(10, i, 0, 1), 16}, NULL);
    }
    ip4_sysctl(ip)->ip_forward = true;
    arp_set_permanent(ip4_if_arp(dev[1].upper), IPV4_ADDR(10, 1, 0, 2), mac_from_u64(2));
    printf("flows\tns_per_hop\n");
    for (unsigned flows = 1; flows <= FLOWS_MAX; flows *= 32) {
        Packet *p[FLOWS_MAX];
        double t;

        for (unsigned i = 0; i < flows; i++)
            p[i] = make(pool, IPV4_ADDR(10, 0, 1 + i / 256, i & 255), IPV4_ADDR(10, 1, 0, 2));
        t = now_s();
        for (unsigned n = 0; n < HOPS; n++) {
            Packet *pkt = p[n % flows];

            if (ipv4_ttl(packet_data(pkt)) == 1) {
                ipv4_set_ttl(packet_data(pkt), 255);
                ipv4_fill_checksum(packet_data(pkt));
            }
            dev[0].input(&dev[0], pkt, ETH_TYPE_IPV4);
        }
        printf("%u\t%.1f\n", flows, (now_s() - t) * 1e9 / HOPS);
        for (unsigned i = 0; i < flows; i++)
            packet_unref(p[i]);
    }
    ip4_free(ip);
    node_clear(&node);
    probes_free(probes);
    sim_free(sim);
    packetpool_free(pool);
    return back == NULL;
}
