/* One host's TCP against a peer whose segments the test writes: a point-to-point device, everything that the
 * host sends is kept, decoded. Sequence numbers are absolute. The host is 192.168.0.1, the peer 192.0.2.1. */
#pragma once

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "models/ip/icmp4.h"
#include "models/ip/ip6.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/wire/eth.h"
#include "sim/engine/sim.h"

#define PEER_HOST "192.168.0.1"
#define PEER_ADDR "192.0.2.1"

typedef struct PeerSeg { /* what the host sent */
    SimTime time;
    Ipv4Hdr ip;
    TcpHdr tcp;
    TcpOptions opt;
    uint32_t len;
    uint16_t gso_size; /* 0: one frame */
} PeerSeg;

typedef struct Peer {
    Sim *sim;
    PacketPool *pool;
    Probes *probes;
    Node node;
    Ip4 *ip;
    Icmp4 *icmp;
    Ip6 *ip6;
    Tcp *tcp;
    NetDev dev;
    GArray *sent;   /* of PeerSeg */
    unsigned taken; /* by peer_next */
} Peer;

static inline void peer_xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    Peer *p = HS_CONTAINER_OF(dev, Peer, dev);
    uint8_t bytes[200];
    uint32_t n = packet_copy(pkt, 0, bytes, sizeof(bytes));
    PeerSeg s = {.time = node_now(dev->node), .gso_size = pkt->gso_size};
    int at = ipv4_decode_quoted(&s.ip, bytes, n);

    g_assert_cmpint(at, >=, 20);
    if (s.ip.proto == IP_PROTO_TCP) {
        int hdr = tcp_decode(&s.tcp, bytes + at, n - (unsigned)at);

        g_assert_cmpint(hdr, >=, 20);
        tcp_options_decode(&s.opt, bytes + at + 20, (size_t)hdr - 20);
        s.len = packet_len(pkt) - (unsigned)at - (unsigned)hdr;
        g_array_append_val(p->sent, s);
    }
    packet_unref(pkt);
}

static const NetDevOps peer_ops = {.xmit = peer_xmit};

static inline uint32_t peer_ip(const char *s)
{
    uint32_t a;

    g_assert_true(ipv4_addr_parse(s, &a));
    return a;
}

static inline Peer *peer_new(uint64_t seed)
{
    Peer *p = g_new0(Peer, 1);
    Ip4RouteSpec all = {.type = IP4_ROUTE_UNICAST};
    char *error = NULL;
    Ipv4Prefix prefix;

    p->sim = sim_new(seed);
    p->pool = packetpool_new();
    sim_partition(p->sim, 0)->packets = p->pool;
    p->probes = probes_new(sim_partition(p->sim, 0));
    node_init(&p->node, p->sim, "host");
    p->ip = ip4_new(&p->node, p->pool);
    p->icmp = icmp4_new(p->ip);
    p->dev = (NetDev){.ops = &peer_ops,
                      .node = &p->node,
                      .name = "tun0",
                      .mtu = 1500,
                      .flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_NOARP};
    all.dev = ip4_add_dev(p->ip, &p->dev);
    g_assert_true(ipv4_prefix_parse(PEER_HOST "/16", &prefix));
    g_assert_true(ip4_addr_add(p->ip, all.dev, prefix, &error));
    g_assert_true(ipv4_prefix_parse("0.0.0.0/0", &all.prefix));
    g_assert_true(ip4_route_add(p->ip, &all, &error));
    p->ip6 = ip6_new(p->ip); /* only ::1 */
    p->tcp = tcp_new(p->ip, p->ip6);
    p->sent = g_array_new(FALSE, FALSE, sizeof(PeerSeg));
    return p;
}

static inline void peer_free(Peer *p)
{
    PacketPoolInfo info;

    tcp_free(p->tcp);
    ip6_free(p->ip6);
    icmp4_free(p->icmp);
    ip4_free(p->ip);
    packetpool_get_info(p->pool, &info);
    g_assert_cmpuint(info.live, ==, 0);
    node_clear(&p->node);
    g_array_free(p->sent, TRUE);
    probes_free(p->probes);
    sim_free(p->sim);
    packetpool_free(p->pool);
    g_free(p);
}

static inline void peer_run(Peer *p, SimTime until)
{
    sim_run(p->sim, &(SimLimits){.until = until});
}

/* The next segment that the host sent; fails when there is none. */
static inline const PeerSeg *peer_next(Peer *p)
{
    g_assert_cmpuint(p->sent->len, >, p->taken);
    return &g_array_index(p->sent, PeerSeg, p->taken++);
}

static inline void peer_nothing(const Peer *p)
{
    if (p->sent->len > p->taken) {
        const PeerSeg *s = &g_array_index(p->sent, PeerSeg, p->taken);
        char flags[TCP_FLAGS_STR_LEN];

        g_error("unexpected segment %s seq %u ack %u len %u", tcp_flags_format(s->tcp.flags, flags),
                s->tcp.seq, s->tcp.ack, s->len);
    }
}

typedef struct PeerIn {          /* what the peer sends */
    uint16_t src_port, dst_port; /* 0: 40000 to 8080 */
    uint16_t flags, window;
    uint32_t seq, ack, len;
    uint8_t tos;
    bool bad_checksum;
    TcpOptions opt;
} PeerIn;

static inline void peer_send(Peer *p, const PeerIn *in)
{
    TcpHdr h = {.src_port = in->src_port ? in->src_port : 40000,
                .dst_port = in->dst_port ? in->dst_port : 8080,
                .seq = in->seq,
                .ack = in->ack,
                .flags = in->flags,
                .window = in->window};
    Ipv4Hdr ip = {.ttl = 64,
                  .tos = in->tos,
                  .proto = IP_PROTO_TCP,
                  .src = peer_ip(PEER_ADDR),
                  .dst = peer_ip(PEER_HOST)};
    uint8_t bytes[1600] = {0};
    size_t n;

    h.options_len = (uint8_t)tcp_options_encode(h.options, &in->opt);
    ip.total_len = (uint16_t)(20 + tcp_encoded_len(&h) + in->len);
    g_assert_cmpuint(ip.total_len, <=, sizeof(bytes));
    n = ipv4_encode(bytes, &ip);
    tcp_encode(bytes + n, &h);
    tcp_fill_checksum(bytes + n, ip.total_len - n,
                      ipv4_pseudo_sum(ip.src, ip.dst, IP_PROTO_TCP, ip.total_len - n));
    if (in->bad_checksum)
        bytes[n + TCP_CHECKSUM_OFF] ^= 1;
    p->dev.input(&p->dev, packet_from_bytes(p->pool, 0, 0, bytes, ip.total_len), ETH_TYPE_IPV4);
}

static inline InetEndpoint peer_endpoint(const char *ip, uint16_t port)
{
    return (InetEndpoint){.addr = inet_from_ip4(ip ? peer_ip(ip) : 0), .port = port};
}

static inline TcpConn *peer_listen(Peer *p, int backlog)
{
    TcpConn *l = tcp_socket(p->tcp, false);
    InetEndpoint e = peer_endpoint(NULL, 8080);

    l->sflags |= TCP_S_REUSEADDR;
    g_assert_cmpint(tcp_bind(l, &e), ==, 0);
    g_assert_cmpint(tcp_listen(l, backlog), ==, 0);
    return l;
}
