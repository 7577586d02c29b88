/* From the device to the protocol: ip6_rcv_core, ip6_input_finish (Linux net/ipv6/ip6_input.c). */
#include "models/ip/ip6_priv.h"

#define L4_IN_BUF 8       /* what handlers may rely on */
#define EXTENSIONS_MAX 64 /* bytes of extension headers that are looked through */

static void bad_header(Ip6 *ip, Ip4If *ifp, Packet *pkt)
{
    ip6_count(ip, MIB_Ip6InHdrErrors);
    ip6_drop(ip, ifp, pkt, DROP_IP_HEADER);
}

/* Makes the extension headers readable and walks over them. */
static bool find_upper(Packet *pkt, Ipv6Upper *up)
{
    uint32_t len = packet_len(pkt), want = IPV6_HDR_LEN + EXTENSIONS_MAX;
    uint8_t next = ipv6_next_header(packet_cdata(pkt));

    *up = (Ipv6Upper){.proto = next, .off = IPV6_HDR_LEN};
    if (HS_LIKELY(next == IP_PROTO_TCP || next == IP_PROTO_UDP || next == IP_PROTO_ICMPV6))
        return true;
    want = HS_MIN(want, len);
    if (packet_header_len(pkt) < want && !packet_pullup(pkt, want))
        return false;
    return ipv6_find_upper(up, packet_cdata(pkt), packet_header_len(pkt)) == WIRE_OK;
}

/* Where the "next header" byte stands that named the upper layer. */
static uint32_t next_header_at(const uint8_t *p, size_t upper)
{
    size_t at = 6, off = IPV6_HDR_LEN;

    while (off < upper) {
        uint8_t type = p[at];

        at = off;
        off += type == IPV6_EXT_FRAGMENT ? 8 : (p[off + 1] + 1u) * 8;
    }
    return (uint32_t)at;
}

static void unknown_protocol(Ip6 *ip, Packet *pkt, const Ip6Rx *rx)
{
    ip6_count(ip, MIB_Ip6InUnknownProtos);
    pkt->head = pkt->l3;
    if (rx->proto != IPV6_EXT_NONE)
        ip6_send_error(ip, pkt, ICMP6_PARAM_PROBLEM, ICMP6_PARAM_NEXT_HEADER,
                       next_header_at(packet_cdata(pkt), (size_t)(pkt->l4 - pkt->l3)));
    ip6_drop(ip, rx->in, pkt, DROP_PROTOCOL);
}

/* ip6_protocol_deliver_rcu: raw sockets first. */
static void deliver(Ip6 *ip, Ip4If *ifp, Packet *pkt)
{
    bool is_wanted;
    const uint8_t *h;
    const Ip6Proto *p;
    Ipv6Upper up;
    uint32_t want;
    Ip6Rx rx;

    if (!find_upper(pkt, &up)) {
        bad_header(ip, ifp, pkt);
        return;
    }
    if (up.is_fragment &&
        (up.frag_offset || up.more_fragments)) { /* a whole datagram in one is none (RFC 6946) */
        ip6_count(ip, MIB_Ip6ReasmReqds);
        ip6_count(ip, MIB_Ip6ReasmFails);
        ip6_drop(ip, ifp, pkt, DROP_REASSEMBLY_MEMORY);
        return;
    }
    want = (uint32_t)up.off + L4_IN_BUF;
    want = HS_MIN(want, packet_len(pkt));
    if (packet_header_len(pkt) < want)
        packet_pullup(pkt, want);
    h = packet_cdata(pkt);
    rx = (Ip6Rx){.ip = ip,
                 .in = ifp,
                 .src = ipv6_addr_get(h + IPV6_SRC_OFF),
                 .dst = ipv6_addr_get(h + IPV6_DST_OFF),
                 .proto = up.proto,
                 .tclass = (uint8_t)(wire_get16(h) >> 4),
                 .hop_limit = ipv6_hop_limit(h),
                 .flow_label = wire_get32(h) & 0xfffff,
                 .hdr = h};
    pkt->l3 = pkt->head;
    packet_pull(pkt, (unsigned)up.off);
    pkt->l4 = pkt->head;
    is_wanted = ip->raw && ip6_raw_show(ip, pkt, &rx);
    p = ip6_proto(ip, up.proto);
    if (p || is_wanted)
        ip6_count(ip, MIB_Ip6InDelivers);
    if (p)
        p->input(p->user, pkt, &rx);
    else if (is_wanted)
        packet_unref(pkt);
    else
        unknown_protocol(ip, pkt, &rx);
}

static bool is_v4_mapped(const Ipv6Addr *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(a->b, prefix, sizeof prefix) == 0;
}

/* Addresses that no wire carries (ip6_rcv_core). */
static bool addresses_ok(const Ip4If *ifp, const Ipv6Addr *src, const Ipv6Addr *dst)
{
    if (ipv6_addr_is_multicast(src) || is_v4_mapped(src))
        return false;
    return (ip4_if_dev(ifp)->flags & NETDEV_LOOPBACK) ||
           (!ip6_addr_is_loopback(src) && !ip6_addr_is_loopback(dst));
}

void ip6_input(void *user, Ip4If *ifp, Packet *pkt)
{
    static const unsigned ecn_mib[] = {MIB_Ip6InNoECTPkts, MIB_Ip6InECT1Pkts, MIB_Ip6InECT0Pkts,
                                       MIB_Ip6InCEPkts};
    uint32_t len = packet_len(pkt), total;
    Ipv6Addr src, dst;
    const uint8_t *h;
    Ip6 *ip = user;

    if (pkt->flags & PKT_OTHERHOST) {
        ip6_drop(ip, ifp, pkt, DROP_NOT_FOR_ME);
        return;
    }
    ip6_count(ip, MIB_Ip6InReceives);
    ip6_mib_add(ip, MIB_Ip6InOctets, len);
    pkt = packet_own(pkt);
    if (!packet_pullup(pkt, IPV6_HDR_LEN) || packet_cdata(pkt)[0] >> 4 != 6) {
        bad_header(ip, ifp, pkt);
        return;
    }
    h = packet_cdata(pkt);
    ip6_count(ip, ecn_mib[wire_get16(h) >> 4 & 3]);
    src = ipv6_addr_get(h + IPV6_SRC_OFF);
    dst = ipv6_addr_get(h + IPV6_DST_OFF);
    if (!addresses_ok(ifp, &src, &dst)) {
        bad_header(ip, ifp, pkt);
        return;
    }
    total = IPV6_HDR_LEN + ipv6_payload_len(h);
    if (len < total) {
        ip6_count(ip, MIB_Ip6InTruncatedPkts);
        ip6_drop(ip, ifp, pkt, DROP_IP_HEADER);
        return;
    }
    if (len > total)
        packet_trim(pkt, total);
    pkt->l3 = pkt->head;
    if (ipv6_addr_is_multicast(&dst)) {
        ip6_count(ip, MIB_Ip6InMcastPkts);
        ip6_drop(ip, ifp, pkt, DROP_NOT_FORWARDING);
        return;
    }
    if (!ip6_is_local(ip, &dst)) {
        ip6_count(ip, MIB_Ip6InAddrErrors);
        ip6_drop(ip, ifp, pkt, DROP_NOT_FORWARDING);
        return;
    }
    deliver(ip, ifp, pkt);
}
