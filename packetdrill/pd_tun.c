/* Capturing and injecting whole datagrams; see pd_tun.h. */
#include "packetdrill/pd_tun.h"

#include "models/ether/tso.h"
#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/tcp.h"
#include "sim/engine/sim.h"

typedef struct Held { /* by fq, until it may go */
    PdTun *tun;
    Packet *pkt;
} Held;

static void capture(void *user, Packet *pkt)
{
    PdTun *t = user;
    PdCaptured *c = g_new0(PdCaptured, 1);

    c->at_ns = node_now(t->dev.node) - t->zero_ns;
    c->gso_size = pkt->gso_size;
    c->len = packet_len(pkt);
    c->bytes = g_malloc(c->len);
    packet_copy(pkt, 0, c->bytes, (uint32_t)c->len);
    t->stats.tx_packets++;
    t->stats.tx_bytes += c->len;
    packet_unref(pkt);
    g_queue_push_tail(t->captured, c);
    if (t->on_capture)
        t->on_capture(t->user);
}

static void transmit(PdTun *t, Packet *pkt)
{
    /* Linux's TUN device offers no offload for accurate ECN: software cuts such packets before it. */
    if (pkt->gso_size && (!(t->dev.flags & NETDEV_TSO) || pkt->flags & PKT_ACCECN))
        tso_split(t->dev.node, packet_own(pkt), capture, t);
    else
        capture(t, pkt);
}

static void release(void *arg)
{
    Held *h = arg;

    transmit(h->tun, h->pkt);
    g_free(h);
}

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    PdTun *t = (PdTun *)dev;

    (void)dst;
    (void)ethertype;
    if (!netdev_is_running(dev)) {
        netdev_count(&t->dev)->tx_dropped++;
        packet_unref(pkt);
        return;
    }
    if (t->is_fq && pkt->stamp > node_now(dev->node)) {
        Held *h = g_new(Held, 1);

        *h = (Held){t, pkt};
        node_at(dev->node, pkt->stamp, release, h);
        return;
    }
    transmit(t, pkt);
}

static const NetDevOps ops = {.xmit = xmit};

PdTun *pd_tun_new(Node *node, PacketPool *pool, uint32_t mtu)
{
    PdTun *t = g_new0(PdTun, 1);

    t->dev = (NetDev){.ops = &ops,
                      .node = node,
                      .name = sim_intern(node_sim(node), "tun0"),
                      .mtu = mtu,
                      .flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_NOARP | NETDEV_POINTOPOINT | NETDEV_TSO,
                      .stats = &t->stats};
    t->pool = pool;
    t->tso = t->gso = true;
    t->captured = g_queue_new();
    return t;
}

void pd_tun_free(PdTun *t)
{
    PdCaptured c;

    if (!t)
        return;
    while (pd_tun_take(t, &c))
        g_free(c.bytes);
    g_queue_free(t->captured);
    netdev_clear_stats(&t->dev);
    g_free(t);
}

void pd_tun_set_limit(PdTun *t, bool drops_all)
{
    t->dev.flags &= (uint16_t)~NETDEV_TX_FULL;
    t->dev.flags |= drops_all ? NETDEV_TX_FULL : 0;
}

void pd_tun_set_offload(PdTun *t, bool tso, bool gso)
{
    t->tso = tso;
    t->gso = gso;
    t->dev.flags &= (uint16_t)~NETDEV_TSO;
    if (tso || gso)
        t->dev.flags |= NETDEV_TSO;
    if (t->dev.changed)
        t->dev.changed(&t->dev);
}

bool pd_tun_take(PdTun *t, PdCaptured *out)
{
    PdCaptured *c = g_queue_pop_head(t->captured);

    if (!c)
        return false;
    *out = *c;
    g_free(c);
    return true;
}

void pd_tun_inject(PdTun *t, const uint8_t *bytes, size_t len, uint32_t gso_size)
{
    Node *node = t->dev.node;
    Packet *p = packet_from_bytes(t->pool, node->id, node->birth_next++, bytes, len);

    t->stats.rx_packets++;
    t->stats.rx_bytes += len;
    p->l3 = p->head;
    /* How many segments it stands for a TUN device does not say: Linux virtio_net_hdr_to_skb leaves gso_segs
     * 0. */
    p->gso_size = (uint16_t)gso_size;
    t->dev.input(&t->dev, p, bytes[0] >> 4 == 6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
}
