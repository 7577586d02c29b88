/* A host's own datagrams: ip6_xmit, ip6_finish_output2 (Linux net/ipv6/ip6_output.c). Sources do not
 * fragment: what is larger than the path's MTU is refused. */
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

int ip6_output(Ip6 *ip, Packet *pkt, const Ip6Tx *tx)
{
    uint32_t len = packet_len(pkt), hop_limit;
    NetDev *dev;
    Ip6Flow f;
    int err;

    err = ip6_route_get(ip, &tx->dst, &tx->src, tx->oif, &f);
    if (HS_UNLIKELY(err))
        return refuse(ip, NULL, pkt, DROP_NO_ROUTE, err);
    if (HS_UNLIKELY(len > PAYLOAD_MAX || tso_frame_len(pkt) + IPV6_HDR_LEN > f.mtu))
        return refuse(ip, f.dev, pkt, DROP_MTU, -EMSGSIZE);
    dev = ip4_if_dev(f.dev);
    if (HS_UNLIKELY(!(dev->flags & (NETDEV_NOARP | NETDEV_LOOPBACK | NETDEV_POINTOPOINT))))
        return refuse(ip, f.dev, pkt, DROP_NEIGH_FAILED, -EHOSTUNREACH);
    if (HS_UNLIKELY(dev->flags & NETDEV_TX_FULL))
        return refuse(ip, f.dev, pkt, DROP_QUEUE_FULL, -ENOBUFS);
    hop_limit = tx->hop_limit ? tx->hop_limit : route_metrics_get(f.metrics, ROUTE_HOPLIMIT);
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
                           .hop_limit = (uint8_t)(hop_limit ? hop_limit : ip->sysctl.hop_limit),
                           .src = f.src,
                           .dst = tx->dst});
    pkt->l3 = pkt->head;
    ip6_count(ip, MIB_Ip6OutRequests);
    ip6_count(ip, MIB_Ip6OutTransmits);
    ip6_mib_add(ip, MIB_Ip6OutOctets, packet_len(pkt));
    dev->ops->xmit(dev, pkt, &MAC_ZERO, ETH_TYPE_IPV6);
    return 0;
}
