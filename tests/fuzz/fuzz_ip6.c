/* Hostile IPv6 packets at a host that has addresses, UDP sockets (one of them connected, both with
 * IPV6_RECVERR), an echo request under way, raw taps and a protocol that listens to errors: every packet is
 * delivered, answered or dropped, none is lost. */
#include "models/ip/raw.h"
#include "models/udp/udp6.h"
#include "models/wire/eth.h"
#include "sim/engine/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    uint32_t len = packet_len(pkt);
    uint8_t h[IPV6_HDR_LEN];

    (void)dev, (void)dst;
    hs_assert(ethertype == ETH_TYPE_IPV6 && len <= 1500);
    hs_assert(packet_copy(pkt, 0, h, sizeof h) == sizeof h);
    hs_assert(IPV6_HDR_LEN + ipv6_payload_len(h) == len);
    packet_unref(pkt);
}

static void listen(void *user, Packet *pkt, const Ip6Rx *rx)
{
    (void)user;
    hs_assert(ip6_is_local(rx->ip, &rx->dst));
    hs_assert(pkt->head == pkt->l4 && pkt->l3 < pkt->l4);
    packet_unref(pkt);
}

static void on_error(void *user, const Ip6Error *e)
{
    (void)user;
    hs_assert(e->l4_len >= 8 && e->err > 0);
}

static void on_reply(void *user, Packet *reply, const Ip6Rx *rx)
{
    (void)user, (void)rx;
    hs_assert(packet_header_len(reply) >= 8);
    packet_unref(reply);
}

static bool on_raw4(void *user, const Packet *pkt, const Ip4Rx *rx)
{
    (void)user, (void)pkt, (void)rx;
    return false;
}

static void on_raw_error4(void *user, const Ip4Error *e)
{
    (void)user, (void)e;
}

static bool on_raw6(void *user, const Packet *pkt, const Ip6Rx *rx)
{
    (void)user;
    hs_assert(ip6_is_local(rx->ip, &rx->dst));
    hs_assert(pkt->head == pkt->l4 && pkt->l3 < pkt->l4);
    return rx->hop_limit & 1;
}

static void on_icmp(void *user, UdpSock *s, const Ip6Error *e)
{
    (void)user;
    hs_assert(e->l4_len >= 8 && e->in && udpsock_take_error(s) == e->err);
}

/* What is sent to and by whom, so that errors about it are believed. */
static UdpSock *socket_with_errors(Udp *udp, uint16_t port, const UdpAddr6 *peer)
{
    UdpSock *s = udp6sock_new(udp);

    hs_assert(udp6sock_bind(s, &(UdpAddr6){.port = port}) == 0);
    udp6sock_opt(s)->recverr = true;
    udp6sock_on_icmp(s, on_icmp, NULL);
    if (peer)
        hs_assert(udp6sock_connect(s, peer) == 0);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const NetDevOps ops = {.xmit = xmit};
    NetDev dev = {.ops = &ops, .name = "tun0", .mtu = 1500};
    PacketPool *pool = packetpool_new();
    Sim *sim = sim_new(1);
    PacketPoolInfo info;
    Ipv6Prefix p;
    Node node;
    Ip4 *ip4;
    Ip6 *ip6;
    Udp *udp;
    Packet *pkt;
    UdpAddr6 peer;
    UdpSock *connected;
    RawTap taps[] = {{.proto = IP_PROTO_UDP}, {.proto = IP_PROTO_ICMPV6}, {.proto = 253}};

    node_init(&node, sim, "host");
    dev.node = &node;
    dev.flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_NOARP | NETDEV_POINTOPOINT;
    ip4 = ip4_new(&node, pool);
    ip6 = ip6_new(ip4);
    hs_assert(ipv6_prefix_parse("fd3d::2/16", &p));
    hs_assert(ip6_addr_add(ip6, ip4_add_dev(ip4, &dev), p, NULL));
    ip6_set_proto(ip6, 6, &(Ip6Proto){.input = listen, .error = on_error});
    udp = udp_new(ip4);
    udp_set_ip6(udp, ip6);
    socket_with_errors(udp, 7, NULL);
    peer.port = 9;
    hs_assert(ipv6_addr_parse("fd3d::1", &peer.ip));
    connected = socket_with_errors(udp, 8, &peer);
    udp6sock_opt(connected)->no_check_rx = true;
    hs_assert(ip6_echo_open(ip6, 7, on_reply, on_error, NULL) == 7);
    for (unsigned i = 0; i < HS_ARRAY_LEN(taps); i++) {
        taps[i] = (RawTap){.proto = taps[i].proto,
                           .input4 = on_raw4,
                           .input6 = on_raw6,
                           .error4 = on_raw_error4,
                           .error6 = on_error};
        ip6_raw_add(ip6, &taps[i]);
    }

    if (n > 0 && n < PKT_MAX_LEN) {
        pkt = packet_from_bytes(pool, 0, 0, data, n);
        pkt->l3 = pkt->head;
        dev.input(&dev, pkt, ETH_TYPE_IPV6);
    }
    sim_run(sim, &(SimLimits){.until = SIM_SEC});
    udp6sock_send(connected, &(UdpSend){.len = 3000}, NULL); /* along a path of which something was said */
    udp_free(udp);
    ip6_free(ip6);
    ip4_free(ip4);
    node_clear(&node);
    packetpool_get_info(pool, &info);
    hs_assert(info.live == 0);
    packetpool_free(pool);
    sim_free(sim);
    return 0;
}
