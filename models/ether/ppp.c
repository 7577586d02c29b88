#include "models/ether/ppp.h"

#include <glib.h>

#include "models/ether/tso.h"
#include "models/wire/eth.h"
#include "models/wire/ppp.h"

#define BITS_PER_CHARACTER 10 /* start, 8 data, stop */

static void drop_out(Ppp *p, Packet *pkt, ProbeDrop reason)
{
    netdev_count(&p->dev)->tx_dropped++;
    netdev_count(&p->dev)->tx_carrier_errors += reason == DROP_NO_CARRIER;
    probe_drop(p->dev.node, &p->port.point, pkt, reason);
}

static void drop_in(Ppp *p, Packet *pkt, ProbeDrop reason)
{
    NetDevErrors *s = netdev_count(&p->dev);

    s->rx_crc_errors += reason == DROP_FCS;
    s->rx_frame_errors += reason == DROP_MALFORMED || reason == DROP_MTU;
    s->rx_dropped += reason == DROP_ETHERTYPE || reason == DROP_DEVICE_DOWN;
    probe_drop(p->dev.node, &p->port.point, pkt, reason);
}

typedef struct Burst {
    Ppp *p;
    uint16_t protocol;
} Burst;

static void xmit_frame(void *user, Packet *pkt)
{
    const Burst *b = user;
    Ppp *p = b->p;

    ppp_put(packet_push(pkt, PPP_HDR_LEN), b->protocol);
    p->stats.tx_packets++;
    p->stats.tx_bytes += packet_len(pkt);
    port_send(&p->port, pkt);
}

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    Ppp *p = (Ppp *)dev;
    uint16_t protocol = ethertype == ETH_TYPE_IPV4   ? PPP_PROTO_IPV4
                        : ethertype == ETH_TYPE_IPV6 ? PPP_PROTO_IPV6
                                                     : 0;

    (void)dst;
    if (!netdev_is_running(dev)) {
        drop_out(p, pkt, dev->flags & NETDEV_UP ? DROP_NO_CARRIER : DROP_DEVICE_DOWN);
        return;
    }
    if (!protocol || tso_frame_len(pkt) > dev->mtu) {
        drop_out(p, pkt, protocol ? DROP_MTU : DROP_ETHERTYPE);
        return;
    }
    if (pkt->gso_size)
        tso_split(dev->node, pkt, xmit_frame, &(Burst){p, protocol});
    else
        xmit_frame(&(Burst){p, protocol}, packet_own(pkt));
}

static ProbeDrop check_frame(const Ppp *p, const Packet *pkt)
{
    if (!(p->dev.flags & NETDEV_UP))
        return DROP_DEVICE_DOWN;
    if (!packet_fcs_ok(pkt)) /* whatever its size: it tells that bits were damaged */
        return DROP_FCS;
    if (packet_len(pkt) > p->dev.mtu + PPP_HDR_LEN)
        return DROP_MTU;
    return DROP_NONE;
}

static void on_receive(LinkPort *port, Packet *pkt)
{
    Ppp *p = HS_CONTAINER_OF(port, Ppp, port);
    ProbeDrop reason = check_frame(p, pkt);
    uint8_t b[PPP_HDR_LEN];
    PppHdr hdr;
    uint16_t type;
    int len;

    if (reason != DROP_NONE) {
        drop_in(p, pkt, reason);
        return;
    }
    len = ppp_decode(&hdr, b, packet_copy_raw(pkt, 0, b, sizeof b));
    pkt = packet_own(pkt);
    if (len < 0 || !packet_pullup(pkt, (unsigned)len)) {
        drop_in(p, pkt, DROP_MALFORMED);
        return;
    }
    p->stats.rx_packets++;
    p->stats.rx_bytes += packet_len(pkt);
    type = hdr.protocol == PPP_PROTO_IPV4   ? ETH_TYPE_IPV4
           : hdr.protocol == PPP_PROTO_IPV6 ? ETH_TYPE_IPV6
                                            : 0;
    if (!type || !p->dev.input) { /* RFC 1661 would answer with Protocol-Reject */
        drop_in(p, pkt, DROP_ETHERTYPE);
        return;
    }
    packet_pull(pkt, (unsigned)len);
    pkt->l3 = pkt->head;
    pkt->flags = 0;
    p->dev.input(&p->dev, pkt, type);
}

static void set_flag(Ppp *p, uint16_t flag, bool on)
{
    p->dev.flags = (uint16_t)(on ? p->dev.flags | flag : p->dev.flags & ~flag);
    if (p->dev.changed)
        p->dev.changed(&p->dev);
}

static void on_carrier(LinkPort *port, bool up)
{
    set_flag(HS_CONTAINER_OF(port, Ppp, port), NETDEV_CARRIER, up);
}

static void set_up(NetDev *dev, bool up)
{
    set_flag((Ppp *)dev, NETDEV_UP, up);
}

/* Nothing is filtered on a line with one other end. */
static void set_promisc(NetDev *dev, bool on)
{
    set_flag((Ppp *)dev, NETDEV_PROMISC, on);
}

static void join(NetDev *dev, MacAddr group, bool on)
{
    (void)dev;
    (void)group;
    (void)on;
}

static uint64_t queue_drops(const NetDev *dev)
{
    LinkTxInfo info;

    port_describe(&HS_CONTAINER_OF(dev, Ppp, dev)->port, &info);
    return info.queue_drops;
}

static const NetDevOps ppp_ops = {
    .xmit = xmit, .set_up = set_up, .set_promisc = set_promisc, .join = join, .queue_drops = queue_drops};
static const LinkPortOps ppp_port_ops = {.receive = on_receive, .carrier = on_carrier};

void ppp_init(Ppp *p, Node *node, const char *name, Probes *probes)
{
    char *own_name = g_strdup(name);

    *p = (Ppp){
        .dev = {.ops = &ppp_ops,
                .stats = &p->stats,
                .node = node,
                .name = own_name,
                .point = &p->port.point,
                .mtu = PPP_MTU,
                .flags = NETDEV_UP | NETDEV_NOARP | NETDEV_POINTOPOINT | NETDEV_TSO},
        .port = {.point = {.node = node, .name = own_name, .linktype = PPP_LINKTYPE}, .ops = &ppp_port_ops},
        .probes = probes};
    if (probes)
        probes_add_point(probes, &p->port.point);
}

void ppp_clear(Ppp *p)
{
    hs_assert(!p->port.tx);
    if (p->probes)
        probes_remove_point(p->probes, &p->port.point);
    netdev_clear_stats(&p->dev);
    g_free((char *)p->dev.name);
}

Ppp *ppp_new(Node *node, const char *name, Probes *probes)
{
    Ppp *p = g_new(Ppp, 1);

    ppp_init(p, node, name, probes);
    return p;
}

void ppp_free(Ppp *p)
{
    if (!p)
        return;
    ppp_clear(p);
    g_free(p);
}

void ppp_line_config(LinkDirConfig *c, uint32_t baud)
{
    linkdirconfig_init(c);
    c->rate_bps = (uint64_t)baud * 8 / BITS_PER_CHARACTER;
    c->overhead_bytes = PPP_OVERHEAD;
    c->gap_bytes = 0;
    c->mtu = PPP_MTU;
}
