/* From the device to the protocol: ip_rcv_core, ip_rcv_finish, ip_local_deliver (Linux net/ipv4/ip_input.c)
 * and ip_error (route.c), with their counters at their places.
 *
 * The header checksum is always verified: it is 20 bytes, and computing it costs less than remembering
 * whether it is needed. */
#include <string.h>

#include "models/ip/ip4_priv.h"

#define L4_IN_BUF 8 /* what handlers may rely on */

/* Sums to all ones if it is right (RFC 1071), in any byte order. */
static inline bool header_ok(const uint8_t *h, unsigned hlen)
{
    uint64_t sum = 0;
    uint32_t w;

    for (unsigned i = 0; i < hlen; i += 4) {
        memcpy(&w, h + i, 4);
        sum += w;
    }
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

static void other_input(Ip4If *ifp, Packet *pkt, uint16_t ethertype)
{
    if (ethertype == ETH_TYPE_ARP && !(ifp->dev->flags & NETDEV_LOOPBACK)) {
        arp_input(ip4_if_arp(ifp), pkt);
        return;
    }
    for (const Ip4Tap *t = ifp->extra ? ifp->extra->taps : NULL; t; t = t->next) {
        if (t->ethertype == ethertype) {
            t->fn(t->user, ifp, pkt);
            return;
        }
    }
    if (ifp->dev->stats) /* Linux __netif_receive_skb_core: the device counts what no protocol wants */
        netdev_count(ifp->dev)->rx_dropped++;
    ip4_drop(ifp, pkt, DROP_ETHERTYPE);
}

/* ip_route_input_slow's failures, ip_error */
static void input_error(Ip4 *ip, Ip4If *ifp, Packet *pkt, int err)
{
    ProbeDrop reason = DROP_MARTIAN;

    switch (err) {
    case -EHOSTUNREACH:
        ip4_count(ip, MIB_IpInAddrErrors);
        reason = DROP_NOT_FORWARDING;
        break;
    case -ENETUNREACH:
        ip4_count(ip, MIB_IpExtInNoRoutes);
        icmp4_send_error(ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_NET, 0);
        reason = DROP_NO_ROUTE;
        break;
    case -ENOENT:
        reason = DROP_NOT_FORWARDING;
        break;
    case -ENOTUNIQ:
        reason = DROP_DIRECTED_BROADCAST;
        break;
    case -ENOBUFS:
        ip4_count(ip, MIB_IpInDiscards);
        reason = DROP_NEIGH_QUEUE_FULL;
        break;
    default:
        break;
    }
    ip4_drop(ifp, pkt, reason);
}

/* What comes back over the loopback has been routed on its way out. */
static int looped_type(Ip4 *ip, Ip4If *ifp, uint32_t dst)
{
    Ip4RouteType type = ip4_addr_type(ip, dst);

    if (type == IP4_ROUTE_MULTICAST && !ip4_in_group(ifp, dst))
        return -ENOENT;
    return type == IP4_ROUTE_UNICAST ? -EINVAL : (int)type;
}

static void deliver_or_forward(Ip4 *ip, Ip4If *ifp, Packet *pkt, Ip4RouteType type, const Ip4Dst *d)
{
    Ip4Live *live = ip->live;
    uint32_t len = packet_len(pkt);

    switch (type) {
    case IP4_ROUTE_BROADCAST:
        ip4_add(live, MIB_IpExtInBcastPkts, 1);
        ip4_add(live, MIB_IpExtInBcastOctets, len);
        if (d && d->out) { /* bc_forwarding: instead of taking it ourselves, as Linux */
            ip4_forward(ip, ifp, pkt, d);
            return;
        }
        break;
    case IP4_ROUTE_MULTICAST:
        ip4_add(live, MIB_IpExtInMcastPkts, 1);
        ip4_add(live, MIB_IpExtInMcastOctets, len);
        break;
    case IP4_ROUTE_BLACKHOLE:
        ip4_drop(ifp, pkt, DROP_NO_ROUTE);
        return;
    case IP4_ROUTE_UNREACHABLE:
        icmp4_send_error(ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_HOST, 0);
        ip4_drop(ifp, pkt, DROP_NO_ROUTE);
        return;
    case IP4_ROUTE_PROHIBIT:
        icmp4_send_error(ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_ADMIN, 0);
        ip4_drop(ifp, pkt, DROP_FILTER);
        return;
    default:
        break;
    }
    ip4_local_deliver(ip, ifp, pkt, type);
}

void ip4_input(NetDev *dev, Packet *pkt, uint16_t ethertype)
{
    Ip4If *ifp = dev->upper;
    Ip4 *ip = ifp->ip;
    const Ip4Dst *d = NULL;
    uint32_t len, total;
    unsigned hlen;
    Ip4Live *live;
    const uint8_t *h;
    ProbeDrop reason;
    int type, err;

    if (HS_UNLIKELY(ethertype != ETH_TYPE_IPV4)) {
        other_input(ifp, pkt, ethertype);
        return;
    }
    if (HS_UNLIKELY(pkt->flags & PKT_OTHERHOST)) {
        ip4_drop(ifp, pkt, DROP_NOT_FOR_ME);
        return;
    }
    live = ip4_live(ip);
    len = packet_len(pkt);
    ip4_add(live, MIB_IpInReceives, 1);
    ip4_add(live, MIB_IpExtInOctets, len);
    pkt = packet_own(pkt);
    if (HS_UNLIKELY(packet_header_len(pkt) < IPV4_MIN_HDR_LEN) && !packet_pullup(pkt, IPV4_MIN_HDR_LEN))
        goto bad_header;
    h = packet_cdata(pkt);
    hlen = IPV4_MIN_HDR_LEN;
    if (HS_UNLIKELY(h[0] != 0x45)) {
        hlen = ipv4_hdr_len(h);
        if (h[0] >> 4 != 4 || hlen < IPV4_MIN_HDR_LEN || !packet_pullup(pkt, hlen))
            goto bad_header;
        h = packet_cdata(pkt);
    }
    ip4_add(live, MIB_IpExtInNoECTPkts + ipv4_ecn(h), 1);
    if (HS_UNLIKELY(!header_ok(h, hlen))) {
        ip4_add(live, MIB_IpExtInCsumErrors, 1);
        ip4_add(live, MIB_IpInHdrErrors, 1);
        ip4_drop(ifp, pkt, DROP_IP_CHECKSUM);
        return;
    }
    total = ipv4_total_len(h);
    if (HS_UNLIKELY(len != total)) {
        if (len < total) {
            ip4_add(live, MIB_IpExtInTruncatedPkts, 1);
            ip4_drop(ifp, pkt, DROP_IP_HEADER);
            return;
        }
        if (total < hlen)
            goto bad_header;
        packet_trim(pkt, total); /* Ethernet's padding */
    }
    pkt->l3 = pkt->head;
    pkt->l4 = (uint16_t)(pkt->head + hlen);
    ip4_probe(ifp, &ip4_probe_rcv, pkt);

    if (HS_UNLIKELY(pkt->flags & PKT_LOOPBACK)) {
        type = looped_type(ip, ifp, ipv4_dst(h));
        err = HS_MIN(type, 0);
    } else {
        err = ip4_dst_in(ip, ifp, ipv4_src(h), ipv4_dst(h), &d);
        type = err ? 0 : d->type;
    }
    if (HS_UNLIKELY(err)) {
        input_error(ip, ifp, pkt, err);
        return;
    }
    if (HS_UNLIKELY(hlen > IPV4_MIN_HDR_LEN) && !ip4_options_input(ip, ifp, pkt, &reason)) {
        ip4_drop(ifp, pkt, reason);
        return;
    }
    if (HS_LIKELY(type == IP4_ROUTE_UNICAST))
        ip4_forward(ip, ifp, pkt, d);
    else if (HS_LIKELY(type == IP4_ROUTE_LOCAL))
        ip4_local_deliver(ip, ifp, pkt, IP4_ROUTE_LOCAL);
    else
        deliver_or_forward(ip, ifp, pkt, (Ip4RouteType)type, d);
    return;

bad_header:
    ip4_add(live, MIB_IpInHdrErrors, 1);
    ip4_drop(ifp, pkt, DROP_IP_HEADER);
}

static void unknown_protocol(Ip4 *ip, Ip4If *ifp, Packet *pkt)
{
    ip4_count(ip, MIB_IpInUnknownProtos);
    icmp4_send_error(ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_PROTO, 0);
    ip4_drop(ifp, pkt, DROP_PROTOCOL);
}

/* ip_protocol_deliver_rcu: raw sockets first. false: that was the packet's end, there is no protocol p. */
static bool show_to_raw(Ip4 *ip, Packet *pkt, const Ip4Rx *rx, const Ip4Proto *p)
{
    bool is_wanted = ip4_raw_show(ip, pkt, rx);

    if (p)
        return true;
    if (is_wanted) {
        ip4_add(ip->live, MIB_IpInDelivers, 1);
        packet_unref(pkt);
    } else {
        pkt->head = pkt->l3;
        unknown_protocol(ip, rx->in, pkt);
    }
    return false;
}

void ip4_local_deliver(Ip4 *ip, Ip4If *ifp, Packet *pkt, Ip4RouteType type)
{
    const uint8_t *h = packet_cdata(pkt);
    const Ip4Proto *p;
    Ip4Rx rx;
    unsigned hlen;
    uint32_t want;

    if (HS_UNLIKELY(ipv4_is_fragment(h))) {
        pkt = ip4_reassemble(ip, ifp, pkt);
        if (!pkt)
            return;
        h = packet_cdata(pkt);
    }
    ip4_probe(ifp, &ip4_probe_local_deliver, pkt);
    hlen = ipv4_hdr_len(h);
    want = hlen + L4_IN_BUF;
    want = HS_MIN(want, packet_len(pkt));
    if (HS_UNLIKELY(packet_header_len(pkt) < want))
        packet_pullup(pkt, want);
    h = packet_cdata(pkt);
    rx = (Ip4Rx){.ip = ip,
                 .in = ifp,
                 .src = ipv4_src(h),
                 .dst = ipv4_dst(h),
                 .proto = ipv4_proto(h),
                 .tos = ipv4_tos(h),
                 .ttl = ipv4_ttl(h),
                 .type = type,
                 .hdr = h};
    p = ip4_proto(ip, rx.proto);
    if (HS_UNLIKELY(!p && !ip->raw)) {
        unknown_protocol(ip, ifp, pkt);
        return;
    }
    pkt->l3 = pkt->head;
    packet_pull(pkt, hlen);
    pkt->l4 = pkt->head;
    if (HS_UNLIKELY(ip->raw != NULL) && !show_to_raw(ip, pkt, &rx, p))
        return;
    ip4_add(ip->live, MIB_IpInDelivers, 1);
    p->input(p->user, pkt, &rx);
}
