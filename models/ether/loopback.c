#include "models/ether/loopback.h"

#include <glib.h>

#define RING_MIN 8

/* process_backlog: what is there when the event begins; what is added meanwhile waits for the next one. */
static void run(Timer *t)
{
    Loopback *lo = HS_CONTAINER_OF(t, Loopback, softirq);
    uint32_t n = lo->len;

    while (n-- && lo->len) {
        LoopbackItem it = lo->ring[lo->first];

        lo->first = (lo->first + 1) & (lo->cap - 1);
        lo->len--;
        if (it.dev == &lo->dev) { /* a card's own broadcast that loops back was not received by the card */
            lo->stats.rx_packets++;
            lo->stats.rx_bytes += packet_len(it.pkt);
        }
        it.dev->input(it.dev, it.pkt, it.ethertype);
    }
    if (lo->len && !timer_is_armed(t))
        timer_arm_after(t, 0);
}

static void grow(Loopback *lo)
{
    uint32_t cap = lo->cap ? lo->cap * 2 : RING_MIN;
    LoopbackItem *ring = g_new(LoopbackItem, cap);

    for (uint32_t i = 0; i < lo->len; i++)
        ring[i] = lo->ring[(lo->first + i) & (lo->cap - 1)];
    g_free(lo->ring);
    lo->ring = ring;
    lo->cap = cap;
    lo->first = 0;
}

void loopback_receive(Loopback *lo, NetDev *dev, Packet *pkt, uint16_t ethertype)
{
    if (lo->len >= lo->max_backlog) {
        lo->backlog_drops++;
        if (dev->stats) /* a card that loops a broadcast back has sent it */
            netdev_count(dev)->rx_dropped++;
        probe_drop(lo->dev.node, dev->point, pkt, DROP_BACKLOG_FULL);
        return;
    }
    if (lo->len == lo->cap)
        grow(lo);
    lo->ring[(lo->first + lo->len++) & (lo->cap - 1)] = (LoopbackItem){pkt, dev, ethertype};
    if (!timer_is_armed(&lo->softirq))
        timer_arm_after(&lo->softirq, 0);
}

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    Loopback *lo = HS_CONTAINER_OF(dev, Loopback, dev);

    (void)dst;
    if (!(dev->flags & NETDEV_UP)) {
        netdev_count(dev)->tx_dropped++;
        probe_drop(dev->node, dev->point, pkt, DROP_DEVICE_DOWN);
        return;
    }
    pkt = packet_own(pkt);
    pkt->flags = PKT_LOOPBACK;
    lo->stats.tx_packets++;
    lo->stats.tx_bytes += packet_len(pkt);
    loopback_receive(lo, dev, pkt, ethertype);
}

static const NetDevOps ops = {.xmit = xmit};

void loopback_init(Loopback *lo, Node *node)
{
    *lo = (Loopback){
        .dev = {.ops = &ops,
                .node = node,
                .name = "lo",
                .mtu = LOOPBACK_MTU,
                .flags = NETDEV_UP | NETDEV_CARRIER | NETDEV_LOOPBACK | NETDEV_NOARP | NETDEV_TSO,
                .ifindex = 1},
        .max_backlog = LOOPBACK_BACKLOG,
    };
    lo->dev.stats = &lo->stats;
    timer_init(&lo->softirq, node, run);
}

void loopback_purge(Loopback *lo)
{
    timer_clear(&lo->softirq);
    for (; lo->len; lo->len--) {
        packet_unref(lo->ring[lo->first].pkt);
        lo->first = (lo->first + 1) & (lo->cap - 1);
    }
}

void loopback_clear(Loopback *lo)
{
    loopback_purge(lo);
    netdev_clear_stats(&lo->dev);
    g_free(lo->ring);
    lo->ring = NULL;
    lo->cap = lo->first = 0;
}
