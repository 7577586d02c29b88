/* A host's own datagrams: ip_make_skb / ip_queue_xmit, ip_output, ip_finish_output2 (Linux
 * net/ipv4/ip_output.c), and raw_send_hdrinc (raw.c). */
#include <glib.h>

#include "models/ether/tso.h"
#include "models/ip/ip4_priv.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "sim/packet/checksum.h"

void ip4_l4_csum(Packet *pkt, uint32_t src, uint32_t dst, uint8_t proto, unsigned field_off)
{
    unsigned at = pkt->l4 + field_off;
    uint32_t sum = ipv4_pseudo_sum(src, dst, proto, pkt->tail - pkt->l4 + pkt->payload_len);

    wire_put16(pkt->buf + at, checksum_fold(sum));
    packet_set_csum_partial(pkt, pkt->l4, at);
}

uint16_t ip4_take_id(Ip4 *ip, uint32_t src, uint32_t dst, uint8_t proto, bool df)
{
    Ip4Live *live = ip4_live(ip);
    uint32_t *idents;
    uint64_t h;

    if (ip->sysctl->ip_id_global)
        return (uint16_t)(ip->sysctl->ip_id_first + live->n_ids++);
    /* __ip_select_ident: one counter for each hash of (source, destination, protocol). Linux also adds a
     * random part of the time that passed, against idle scans; we do not. RFC 6864: with DF the field means
     * nothing. */
    if (df)
        return 0;
    idents = ip4_rare(ip)->idents;
    if (!idents)
        idents = live->rare->idents = g_new0(uint32_t, IP4_IDENTS);
    h = (((uint64_t)dst << 32 | src) + proto) * 0x9e3779b97f4a7c15u;
    if (idents[h >> 56] == 0)
        idents[h >> 56] = (uint32_t)(h >> 24 & 0xffff) | 0x10000; /* counters start apart */
    return (uint16_t)idents[h >> 56]++;
}

static void finish(Ip4 *ip, Packet *pkt, const Ip4Dst *d)
{
    Ip4Live *live = ip->live;
    uint32_t len = packet_len(pkt);
    NetDev *dev = d->out->dev;

    if (d->type == IP4_ROUTE_BROADCAST) {
        ip4_add(live, MIB_IpExtOutBcastPkts, 1);
        ip4_add(live, MIB_IpExtOutBcastOctets, len);
    } else if (d->type == IP4_ROUTE_MULTICAST) {
        ip4_add(live, MIB_IpExtOutMcastPkts, 1);
        ip4_add(live, MIB_IpExtOutMcastOctets, len);
    }
    ip4_add(live, MIB_IpOutTransmits, 1);
    ip4_add(live, MIB_IpExtOutOctets, len);
    if (HS_LIKELY(d->neigh != NULL))
        neigh_output(d->neigh, pkt);
    else
        dev->ops->xmit(dev, pkt, &MAC_ZERO, ETH_TYPE_IPV4);
}

typedef struct Frames {
    Ip4 *ip;
    const Ip4Dst *d;
} Frames;

static void transmit_frame(void *user, Packet *pkt)
{
    const Frames *f = user;

    ip4_transmit(f->ip, pkt, f->d);
}

/* A super packet whose frames are too long for the path as well: first frames, then fragments
 * (ip_finish_output_gso). With DF the transport is told before anything is sent. */
static int transmit_frames(Ip4 *ip, Packet *pkt, const Ip4Dst *d)
{
    const Ip4Dst to = *d; /* sending may change the cache */

    if (to.neigh)
        neigh_ref(to.neigh);
    tso_split(ip->node, pkt, transmit_frame, &(Frames){ip, &to});
    neigh_unref(to.neigh);
    return 0;
}

static int transmit_long(Ip4 *ip, Packet *pkt, const Ip4Dst *d)
{
    return pkt->gso_size ? transmit_frames(ip, pkt, d) : ip4_fragment(ip, pkt, d);
}

void ip4_transmit(Ip4 *ip, Packet *pkt, const Ip4Dst *d)
{
    if (HS_UNLIKELY(tso_frame_len(pkt) > d->mtu))
        transmit_long(ip, pkt, d);
    else
        finish(ip, pkt, d);
}

void ip4_transmit_fragment(Ip4 *ip, Packet *pkt, const Ip4Dst *d)
{
    finish(ip, pkt, d);
}

static int refuse(Ip4 *ip, const Ip4Dst *d, Packet *pkt, ProbeDrop reason, int err)
{
    if (err == -ENETUNREACH)
        ip4_count(ip, MIB_IpOutNoRoutes);
    else if (reason != DROP_NO_ROUTE && reason != DROP_DF)
        ip4_count(ip, MIB_IpOutDiscards);
    probe_drop(ip->node, d ? d->out->dev->point : NULL, pkt, reason);
    return err;
}

/* Our own copy of what goes to everybody (ip_mc_output). */
static void loop_back(Ip4 *ip, const Packet *pkt, const Ip4Dst *d)
{
    Packet *copy = packet_clone(pkt);

    copy->flags = PKT_LOOPBACK | (d->type == IP4_ROUTE_BROADCAST ? PKT_BROADCAST : PKT_MULTICAST);
    loopback_receive(ip4_loopback(ip), d->out->dev, copy, ETH_TYPE_IPV4);
}

static int send_it(Ip4 *ip, Packet *pkt, const Ip4Dst *d, uint8_t ttl)
{
    int err = 0;

    ip4_add(ip->live, MIB_IpOutRequests, 1);
    ip4_probe(d->out, &ip4_probe_output, pkt);
    if (HS_UNLIKELY(d->type == IP4_ROUTE_BROADCAST || d->type == IP4_ROUTE_MULTICAST)) {
        bool loops = d->type == IP4_ROUTE_BROADCAST || ip4_in_group(d->out, d->dst);

        if (loops && !(d->out->dev->flags & NETDEV_LOOPBACK))
            loop_back(ip, pkt, d);
        if (d->type == IP4_ROUTE_MULTICAST && ttl == 0) { /* only for this host */
            packet_unref(pkt);
            return 0;
        }
    }
    if (HS_UNLIKELY(tso_frame_len(pkt) > d->mtu))
        err = transmit_long(ip, pkt, d);
    else
        finish(ip, pkt, d);
    return err;
}

static int output_raw(Ip4 *ip, Packet *pkt, const Ip4Tx *tx)
{
    uint32_t len = packet_len(pkt);
    const Ip4Dst *d;
    unsigned hlen;
    uint8_t *h;
    int err;

    pkt = packet_own(pkt);
    if (!packet_pullup(pkt, IPV4_MIN_HDR_LEN) || (hlen = ipv4_hdr_len(packet_data(pkt))) < IPV4_MIN_HDR_LEN ||
        !packet_pullup(pkt, hlen))
        return refuse(ip, NULL, pkt, DROP_IP_HEADER, -EINVAL);
    h = packet_data(pkt);
    /* A spoofed source is no business of the route. */
    err = ip4_dst_out(ip, tx->oif, 0, tx->dst ? tx->dst : ipv4_dst(h), &d);
    if (err)
        return refuse(ip, NULL, pkt, DROP_NO_ROUTE, err);
    if (d->type == IP4_ROUTE_BROADCAST && !tx->allow_broadcast)
        return refuse(ip, d, pkt, DROP_FILTER, -EACCES);
    if (len > d->mtu || len > IPV4_MAX_LEN) /* raw_send_hdrinc: never fragmented */
        return refuse(ip, d, pkt, DROP_MTU, -EMSGSIZE);
    if (ipv4_src(h) == 0)
        ipv4_set_src(h, d->src_used);
    if (ipv4_id(h) == 0)
        ipv4_set_id(h, ip4_take_id(ip, ipv4_src(h), ipv4_dst(h), ipv4_proto(h), false));
    ipv4_set_total_len(h, (uint16_t)len);
    ipv4_fill_checksum(h);
    pkt->l3 = pkt->head;
    pkt->l4 = (uint16_t)(pkt->head + hlen);
    return send_it(ip, pkt, d, ipv4_ttl(h));
}

/* A transport that does not know its source address yet leaves the pseudo-header to us: its field is then 0,
 * which no pseudo-header's sum ever is. */
static void add_pseudo(Packet *pkt, uint32_t src, uint32_t dst, uint8_t proto)
{
    unsigned at = proto == IP_PROTO_UDP ? UDP_CHECKSUM_OFF : TCP_CHECKSUM_OFF;

    if (pkt->csum_at == pkt->head + at && wire_get16(pkt->buf + pkt->csum_at) == 0) {
        pkt->l4 = pkt->head;
        ip4_l4_csum(pkt, src, dst, proto, at);
    }
}

/* Each frame of a super packet takes one (ip_select_ident_segs). */
static uint16_t take_ids(Ip4 *ip, const Packet *pkt, const Ip4Dst *d, const Ip4Tx *tx)
{
    uint16_t first = ip4_take_id(ip, d->src_used, d->dst, tx->proto, tx->df);

    for (unsigned i = 1; i < pkt->gso_segs; i++)
        ip4_take_id(ip, d->src_used, d->dst, tx->proto, tx->df);
    return first;
}

int ip4_output(Ip4 *ip, Packet *pkt, const Ip4Tx *tx)
{
    unsigned hlen = IPV4_MIN_HDR_LEN + ((tx->options_len + 3u) & ~3u);
    const Ip4Dst *d;
    Ip4Dst wide;
    uint32_t len;
    const RouteMetrics *metrics;
    uint8_t *h, ttl;
    int err;

    if (HS_UNLIKELY(tx->header_included))
        return output_raw(ip, pkt, tx);
    err = ip4_dst_out(ip, tx->oif, tx->src, tx->dst, &d);
    if (HS_UNLIKELY(err))
        return refuse(ip, NULL, pkt, DROP_NO_ROUTE, err);
    if (HS_UNLIKELY(d->type == IP4_ROUTE_BROADCAST && !tx->allow_broadcast))
        return refuse(ip, d, pkt, DROP_FILTER, -EACCES);
    if (HS_UNLIKELY(tx->by_dev_mtu)) { /* ip_skb_dst_mtu */
        wide = *d;
        wide.mtu = d->out->dev->mtu;
        d = &wide;
    }
    len = packet_len(pkt) + hlen;
    if (HS_UNLIKELY(len > IPV4_MAX_LEN || tx->options_len > IPV4_MAX_OPTIONS_LEN))
        return refuse(ip, d, pkt, DROP_MTU, -EMSGSIZE);
    if (HS_UNLIKELY(tso_frame_len(pkt) + hlen > d->mtu && tx->df)) {
        ip4_count(ip, MIB_IpFragFails);
        return refuse(ip, d, pkt, DROP_DF, -EMSGSIZE);
    }
    if (HS_UNLIKELY(d->out->dev->flags & NETDEV_TX_FULL))
        return refuse(ip, d, pkt, DROP_QUEUE_FULL, -ENOBUFS);
    pkt = packet_own(pkt);
    pkt->flags &= PKT_ACCECN;
    if (pkt->csum == PKT_CSUM_PARTIAL && (tx->proto == IP_PROTO_UDP || tx->proto == IP_PROTO_TCP))
        add_pseudo(pkt, d->src_used, d->dst, tx->proto);
    pkt->l4 = pkt->head;
    h = packet_push(pkt, hlen);
    pkt->l3 = pkt->head;
    metrics = ip4_dst_metrics(ip, d);
    ttl = tx->ttl                                      ? tx->ttl
          : d->type == IP4_ROUTE_MULTICAST             ? 1
          : route_metrics_has(metrics, ROUTE_HOPLIMIT) ? (uint8_t)metrics->value[ROUTE_HOPLIMIT]
                                                       : ip->sysctl->ip_default_ttl;
    h[0] = (uint8_t)(0x40 | hlen / 4);
    ipv4_set_tos(h, tx->tos);
    ipv4_set_total_len(h, (uint16_t)len);
    ipv4_set_id(h, tx->has_id ? tx->id : take_ids(ip, pkt, d, tx));
    ipv4_set_frag(h, tx->df ? IPV4_FLAG_DF : 0);
    ipv4_set_ttl(h, ttl);
    ipv4_set_proto(h, tx->proto);
    ipv4_set_src(h, d->src_used);
    ipv4_set_dst(h, d->dst);
    if (HS_UNLIKELY(tx->options_len)) {
        memset(h + hlen - 4, IPV4_OPT_EOL, 4);
        memcpy(h + IPV4_MIN_HDR_LEN, tx->options, tx->options_len);
    }
    ipv4_fill_checksum(h);
    return send_it(ip, pkt, d, ttl);
}
