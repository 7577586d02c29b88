/*
 * What one datagram costs in UDP and one echo in ICMP, with IP around them and a device that throws
 * everything away: send (from the socket call to the device), receive (from the device to the reader), echo
 * (from the device in to the device out).
 */
#include "models/udp/udp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "models/ip/icmp4.h"
#include "models/wire/eth.h"
#include "sim/engine/sim.h"

#define TIMES 2000000u
#define PEER IPV4_ADDR(10, 0, 0, 2)
#define HERE IPV4_ADDR(10, 0, 0, 1)

static void discard(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    packet_unref(pkt);
}

static const NetDevOps ops = {.xmit = discard};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A packet from the peer, as a network card would hand it up. */
static Packet *arriving(PacketPool *pool, const uint8_t *ip, unsigned len, unsigned payload)
{
    Packet *p = packet_new(pool, 1, 0, 96);

    memcpy(packet_put(p, len), ip, len);
    packet_add_synthetic(p, 0, payload);
    p->l3 = p->head;
    packet_set_csum_partial(p, p->head + 20, p->head + 20 + (ip[9] == IP_PROTO_UDP ? 6 : 2));
    return p;
}

static void drain(void *user, UdpSock *s)
{
    Packet *pkt;

    while (udpsock_recv_packet(s, &pkt, NULL) >= 0)
        packet_unref(pkt);
}

static double measure_input(NetDev *dev, PacketPool *pool, const uint8_t *ip, unsigned payload)
{
    double start = now_ns(), build;

    for (unsigned i = 0; i < TIMES; i++)
        packet_unref(arriving(pool, ip, 28, payload));
    build = now_ns() - start;
    start = now_ns();
    for (unsigned i = 0; i < TIMES; i++)
        dev->input(dev, arriving(pool, ip, 28, payload), ETH_TYPE_IPV4);
    return (now_ns() - start - build) / TIMES;
}

int main(void)
{
    Sim *sim = sim_new(1);
    PacketPool *pool = packetpool_new();
    Node node;
    Ip4 *ip;
    Icmp4 *icmp;
    Udp *udp;
    NetDev dev = {.ops = &ops, .node = &node, .name = "eth0", .mtu = 1500, .ifindex = 2};
    UdpSock *s, *r;
    uint8_t in[28];
    Ipv4Hdr h = {.ttl = 64, .proto = IP_PROTO_UDP, .total_len = 128, .src = PEER, .dst = HERE};
    double start;

    node_init(&node, sim, "host");
    ip = ip4_new(&node, pool);
    icmp = icmp4_new(ip);
    udp = udp_new(ip);
    dev.flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_NOARP;
    ip4_addr_add(ip, ip4_add_dev(ip, &dev), (Ipv4Prefix){HERE, 24}, NULL);
    s = udpsock_new(udp);
    r = udpsock_new(udp);
    udpsock_connect(s, (UdpAddr){PEER, 9});
    udpsock_bind(r, (UdpAddr){0, 7});
    udpsock_on_wake(r, drain, NULL);

    start = now_ns();
    for (unsigned i = 0; i < TIMES; i++)
        udpsock_send(s, &(UdpSend){.len = 100});
    printf("udp_send_ns\t%.1f\n", (now_ns() - start) / TIMES);

    ipv4_encode(in, &h);
    udp_encode(in + 20, &(UdpHdr){.src_port = 9, .dst_port = 7, .len = 108});
    printf("udp_receive_ns\t%.1f\n", measure_input(&dev, pool, in, 100));

    h.proto = IP_PROTO_ICMP;
    h.total_len = 84;
    ipv4_encode(in, &h);
    icmp_encode(in + 20, &(IcmpMsg){.type = ICMP_ECHO, .id = 1, .seq = 1});
    printf("icmp_echo_ns\t%.1f\n", measure_input(&dev, pool, in, 56));

    udp_free(udp);
    icmp4_free(icmp);
    ip4_free(ip);
    node_clear(&node);
    packetpool_free(pool);
    sim_free(sim);
    return 0;
}
