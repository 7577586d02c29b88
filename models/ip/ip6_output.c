/* A host's own datagrams: ip6_xmit, ip6_finish_output2 (Linux net/ipv6/ip6_output.c). */
#include "models/ether/tso.h"
#include "models/ip/ip6_priv.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "sim/packet/checksum.h"

#define PAYLOAD_MAX 65535 /* no jumbograms */

void ip6_l4_csum(Packet *pkt, const Ipv6Addr *src, const Ipv6Addr *dst, uint8_t proto, unsigned field_off)
{
    unsigned at = pkt->l4 + field_off;
    uint32_t sum = ipv6_pseudo_sum(src->b, dst->b, proto, (size_t)(pkt->tail - pkt->l4) + pkt->payload_len);

    wire_put16(pkt->buf + at, checksum_fold(sum));
    packet_set_csum_partial(pkt, pkt->l4, at);
}

/* A transport that left the source to the route leaves the pseudo-header to us: its field is then 0, which no
 * pseudo-header's sum ever is. */
static void add_pseudo(Packet *pkt, const Ipv6Addr *src, const Ipv6Addr *dst, uint8_t proto)
{
    unsigned at = proto == IP_PROTO_UDP ? UDP_CHECKSUM_OFF : TCP_CHECKSUM_OFF;

    if (pkt->csum_at == pkt->head + at && wire_get16(pkt->buf + pkt->csum_at) == 0) {
        pkt->l4 = pkt->head;
        ip6_l4_csum(pkt, src, dst, proto, at);
    }
}

/* __ip6_append_data, ip6_sk_ignore_df */
int ip6_choose_mtu(unsigned mode, bool cuttable, uint32_t limit, uint32_t total, const Ip6Flow *f,
                   uint32_t *mtu)
{
    bool may_cut = cuttable && (mode < PMTUDISC_DO || mode == PMTUDISC_OMIT);

    *mtu = mode >= PMTUDISC_PROBE ? ip4_if_dev(f->dev)->mtu : f->mtu;
    if (limit)
        *mtu = HS_MIN(*mtu, limit);
    return total > (may_cut ? IPV6_HDR_LEN + PAYLOAD_MAX : *mtu) ? -EMSGSIZE : 0;
}

static int refuse(Ip6 *ip, const Ip4If *dev, Packet *pkt, ProbeDrop reason, int err)
{
    if (reason == DROP_NO_ROUTE)
        ip6_count(ip, MIB_Ip6OutNoRoutes);
    else if (reason == DROP_MTU)
        ip6_count(ip, MIB_Ip6FragFails);
    else
        ip6_count(ip, MIB_Ip6OutDiscards);
    ip6_drop(ip, dev, pkt, reason);
    return err;
}

void ip6_transmit(Ip6 *ip, Packet *pkt, const Ip4If *out)
{
    NetDev *dev = ip4_if_dev(out);

    ip6_count(ip, MIB_Ip6OutTransmits);
    ip6_mib_add(ip, MIB_Ip6OutOctets, packet_len(pkt));
    dev->ops->xmit(dev, pkt, &MAC_ZERO, ETH_TYPE_IPV6);
}

/* rawv6_send_hdrinc: as it is. */
static int output_raw(Ip6 *ip, Packet *pkt, const Ip6Tx *tx)
{
    Ip6Flow f;
    int err = ip6_route_get(ip, &tx->dst, &tx->src, tx->oif, &f);

    if (err)
        return refuse(ip, NULL, pkt, DROP_NO_ROUTE, err);
    if (packet_len(pkt) > f.mtu)
        return refuse(ip, f.dev, pkt, DROP_MTU, -EMSGSIZE);
    pkt = packet_own(pkt);
    pkt->l3 = pkt->head;
    ip6_count(ip, MIB_Ip6OutRequests);
    ip6_transmit(ip, pkt, f.dev);
    return 0;
}

int ip6_output(Ip6 *ip, Packet *pkt, const Ip6Tx *tx)
{
    uint32_t len = packet_len(pkt), hop_limit;
    bool is_long;
    NetDev *dev;
    Ip6Flow f;
    int err;

    if (HS_UNLIKELY(tx->header_included))
        return output_raw(ip, pkt, tx);
    err = ip6_route_get(ip, &tx->dst, &tx->src, tx->oif, &f);
    if (HS_UNLIKELY(err))
        return refuse(ip, NULL, pkt, DROP_NO_ROUTE, err);
    is_long = tso_frame_len(pkt) + IPV6_HDR_LEN > (tx->by_dev_mtu ? ip4_if_dev(f.dev)->mtu : f.mtu);
    if (HS_UNLIKELY(len > PAYLOAD_MAX || (is_long && !tx->frag_mtu)))
        return refuse(ip, f.dev, pkt, DROP_MTU, -EMSGSIZE);
    dev = ip4_if_dev(f.dev);
    if (HS_UNLIKELY(!(dev->flags & (NETDEV_NOARP | NETDEV_LOOPBACK | NETDEV_POINTOPOINT))))
        return refuse(ip, f.dev, pkt, DROP_NEIGH_FAILED, -EHOSTUNREACH);
    if (HS_UNLIKELY(dev->flags & NETDEV_TX_FULL))
        return refuse(ip, f.dev, pkt, DROP_QUEUE_FULL, -ENOBUFS);
    hop_limit = tx->hop_limit ? tx->hop_limit : route_metrics_get(f.metrics, ROUTE_HOPLIMIT);
    if (!hop_limit)
        hop_limit = ip->sysctl.hop_limit;
    pkt = packet_own(pkt);
    pkt->flags &= PKT_ACCECN;
    if (pkt->csum == PKT_CSUM_PARTIAL && (tx->proto == IP_PROTO_UDP || tx->proto == IP_PROTO_TCP))
        add_pseudo(pkt, &f.src, &tx->dst, tx->proto);
    pkt->l4 = pkt->head;
    ipv6_encode(packet_push(pkt, IPV6_HDR_LEN),
                &(Ipv6Hdr){.tc = tx->tclass,
                           .flow = tx->flow_label,
                           .payload_len = (uint16_t)len,
                           .next_header = tx->proto,
                           .hop_limit = tx->is_last_hop ? 0 : (uint8_t)hop_limit,
                           .src = f.src,
                           .dst = tx->dst});
    pkt->l3 = pkt->head;
    ip6_count(ip, MIB_Ip6OutRequests);
    if (HS_UNLIKELY(is_long))
        return ip6_fragment(ip, pkt, f.dev, tx->frag_mtu);
    ip6_transmit(ip, pkt, f.dev);
    return 0;
}
