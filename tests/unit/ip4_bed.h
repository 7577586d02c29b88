/* A bench for the network layer: hosts with stub devices. A device keeps what it is given to send, and passes
 * it on to its peer, if it has one, after a delay. ICMP errors are only noted: icmp4_send_error is a stub
 * here. */
#pragma once

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "models/ether/arp.h"
#include "models/ip/icmp4.h"
#include "models/ip/ip4.h"
#include "models/wire/eth.h"
#include "sim/packet/checksum.h"
#include "sim/engine/sim.h"

typedef struct Sent {
    SimTime time;
    MacAddr dst;
    uint16_t ethertype;
    unsigned len;
    uint8_t bytes[2100]; /* of the true frame, from the network header */
} Sent;

typedef struct StubDev {
    NetDev dev; /* first */
    struct StubDev *peer;
    SimTime delay;
    GArray *sent;
} StubDev;

typedef struct Passed {
    StubDev *to;
    Packet *pkt;
    uint16_t ethertype;
} Passed;

typedef struct IcmpSent {
    uint8_t type, code;
    uint32_t info, src, dst;
    SimTime time;
} IcmpSent;

typedef struct Bed {
    Sim *sim;
    PacketPool *pool;
    Probes *probes;
    Node node[4];
    Ip4 *ip[4];
    StubDev dev[8];
    unsigned n_nodes, n_devs;
    ProbeSink sink;
    const char *last_drop;
    unsigned drops;
    GArray *icmp;
    /* What the protocol handler got. */
    GPtrArray *got;
    Ip4Rx last_rx;
} Bed;

static Bed *bed_now; /* for the stub of ICMP only */

void icmp4_send_error(Ip4 *ip, Packet *pkt, uint8_t type, uint8_t code, uint32_t info)
{
    const uint8_t *h = pkt->buf + pkt->l3;
    IcmpSent e = {type, code, info, ipv4_src(h), ipv4_dst(h), node_now(ip4_node(ip))};

    g_array_append_val(bed_now->icmp, e);
}

static inline IcmpSent *icmp_at(Bed *b, unsigned i)
{
    g_assert_cmpuint(b->icmp->len, >, i);
    return &g_array_index(b->icmp, IcmpSent, i);
}

static inline void stub_arrive(void *arg)
{
    Passed *m = arg;

    m->to->dev.input(&m->to->dev, m->pkt, m->ethertype);
    g_free(m);
}

static inline void stub_xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    StubDev *s = (StubDev *)dev;
    Sent m = {.time = node_now(dev->node), .dst = *dst, .ethertype = ethertype, .len = packet_len(pkt)};

    packet_copy(pkt, 0, m.bytes, HS_MIN(m.len, (unsigned)sizeof m.bytes));
    g_array_append_val(s->sent, m);
    if (s->peer && (mac_is_multicast(*dst) || mac_equal(*dst, s->peer->dev.mac))) {
        Passed *p = g_new(Passed, 1);

        pkt = packet_own(pkt);
        pkt->flags = mac_is_broadcast(*dst) ? PKT_BROADCAST : mac_is_multicast(*dst) ? PKT_MULTICAST : 0;
        *p = (Passed){s->peer, pkt, ethertype};
        node_after(s->peer->dev.node, s->delay, stub_arrive, p);
    } else {
        packet_unref(pkt);
    }
}

static const NetDevOps stub_ops = {.xmit = stub_xmit};

static inline void bed_record(ProbeSink *sink, const ProbeRecord *r)
{
    Bed *b = HS_CONTAINER_OF(sink, Bed, sink);

    b->last_drop = r->value[0].s;
    b->drops++;
}

static inline Bed *bed_new(void)
{
    Bed *b = g_new0(Bed, 1);

    b->sim = sim_new(1);
    b->pool = packetpool_new();
    sim_partition(b->sim, 0)->packets = b->pool;
    b->probes = probes_new(sim_partition(b->sim, 0));
    b->sink = (ProbeSink){.mask = PROBE_BIT(PROBE_FRAME_DROP), .record = bed_record};
    probes_attach(b->probes, &b->sink);
    b->icmp = g_array_new(FALSE, FALSE, sizeof(IcmpSent));
    b->got = g_ptr_array_new();
    bed_now = b;
    return b;
}

static inline void bed_input(void *user, Packet *pkt, const Ip4Rx *rx)
{
    Bed *b = user;

    b->last_rx = *rx;
    g_ptr_array_add(b->got, pkt);
}

static inline Ip4 *bed_host(Bed *b)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    unsigned i = b->n_nodes++;
    const Ip4Proto p = {.input = bed_input, .user = b};

    node_init(&b->node[i], b->sim, names[i]);
    b->ip[i] = ip4_new(&b->node[i], b->pool);
    ip4_set_proto(b->ip[i], IP_PROTO_UDP, &p);
    return b->ip[i];
}

static inline StubDev *bed_stub(Bed *b, Node *node)
{
    static const char *const names[] = {"eth0", "eth1", "eth2", "eth3", "eth4", "eth5", "eth6", "eth7"};
    StubDev *s = &b->dev[b->n_devs];

    s->dev = (NetDev){.ops = &stub_ops,
                      .node = node,
                      .name = names[b->n_devs],
                      .mtu = 1500,
                      .flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_BROADCAST,
                      .mac = mac_from_u64(0x020000000001 + b->n_devs)};
    s->sent = g_array_new(FALSE, FALSE, sizeof(Sent));
    b->n_devs++;
    return s;
}

/* A device with an address ("10.0.0.1/24"; NULL: none). */
static inline Ip4If *bed_dev(Bed *b, Ip4 *ip, const char *addr)
{
    StubDev *s = bed_stub(b, ip4_node(ip));
    Ip4If *ifp = ip4_add_dev(ip, &s->dev);
    char *error = NULL;
    Ipv4Prefix p;

    if (addr) {
        g_assert_true(ipv4_prefix_parse(addr, &p));
        g_assert_true(ip4_addr_add(ip, ifp, p, &error));
    }
    return ifp;
}

static inline StubDev *stub_of(Ip4If *ifp)
{
    return (StubDev *)ip4_if_dev(ifp);
}

static inline void bed_join(Ip4If *x, Ip4If *y, SimTime delay)
{
    stub_of(x)->peer = stub_of(y);
    stub_of(y)->peer = stub_of(x);
    stub_of(x)->delay = stub_of(y)->delay = delay;
}

static inline Sent *sent_at(StubDev *s, unsigned i)
{
    g_assert_cmpuint(s->sent->len, >, i);
    return &g_array_index(s->sent, Sent, i);
}

static inline void bed_run(Bed *b, SimTime until)
{
    sim_run(b->sim, &(SimLimits){.until = until});
}

static inline Packet *bed_packet(Bed *b, unsigned len)
{
    Packet *p = packet_new(b->pool, 0, 0, PKT_HEADROOM);

    p->l4 = p->head;
    memset(packet_put(p, HS_MIN(len, 8u)), 0, HS_MIN(len, 8u));
    if (len > 8)
        packet_add_synthetic(p, 0, len - 8);
    return p;
}

static inline uint32_t addr(const char *s)
{
    uint32_t a;

    g_assert_true(ipv4_addr_parse(s, &a));
    return a;
}

static inline int bed_send(Bed *b, Ip4 *ip, const char *dst, unsigned len)
{
    return ip4_output(ip, bed_packet(b, len), &(Ip4Tx){.dst = addr(dst), .proto = IP_PROTO_UDP});
}

/* A raw IP packet given to the device as if it came from its wire. */
static inline Packet *bed_ip(Bed *b, const char *src, const char *dst, unsigned len, uint16_t frag,
                             uint8_t ttl)
{
    Packet *p = packet_new(b->pool, 0, 0, 34);
    uint8_t *h = packet_put(p, 20);

    memset(h, 0, 20);
    h[0] = 0x45;
    ipv4_set_total_len(h, (uint16_t)(20 + len));
    ipv4_set_id(h, 77);
    ipv4_set_frag(h, frag);
    ipv4_set_ttl(h, ttl);
    ipv4_set_proto(h, IP_PROTO_UDP);
    ipv4_set_src(h, addr(src));
    ipv4_set_dst(h, addr(dst));
    ipv4_fill_checksum(h);
    packet_add_synthetic(p, (frag & IPV4_OFFSET_MASK) * 8u, len);
    return p;
}

static inline void bed_receive(Ip4If *ifp, Packet *p)
{
    NetDev *dev = ip4_if_dev(ifp);

    dev->input(dev, p, ETH_TYPE_IPV4);
}

static inline void bed_know(Ip4If *ifp, const char *ip, uint64_t mac)
{
    arp_set_permanent(ip4_if_arp(ifp), addr(ip), mac_from_u64(mac));
}

static inline void bed_free(Bed *b)
{
    PacketPoolInfo info;

    for (unsigned i = 0; i < b->got->len; i++)
        packet_unref(b->got->pdata[i]);
    for (unsigned i = 0; i < b->n_nodes; i++)
        ip4_free(b->ip[i]);
    packetpool_get_info(b->pool, &info);
    g_assert_cmpuint(info.live, ==, 0);
    for (unsigned i = 0; i < b->n_nodes; i++)
        node_clear(&b->node[i]);
    for (unsigned i = 0; i < b->n_devs; i++)
        g_array_free(b->dev[i].sent, TRUE);
    g_array_free(b->icmp, TRUE);
    g_ptr_array_free(b->got, TRUE);
    probes_free(b->probes);
    sim_free(b->sim);
    packetpool_free(b->pool);
    g_free(b);
}

static inline void route(Ip4 *ip, const char *prefix, const char *via, Ip4RouteType type)
{
    Ip4RouteSpec s = {.type = type, .via = via ? addr(via) : 0};
    char *error = NULL;

    g_assert_true(ipv4_prefix_parse(prefix, &s.prefix));
    g_assert_true(ip4_route_add(ip, &s, &error));
}
