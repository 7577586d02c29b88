/* Errors that a host sends about a packet (Linux icmp_send; RFC 1122 3.2.2, RFC 1812 4.3.2).
 *
 * The error quotes the packet from its IP header on, as much as fits into 576 bytes in all (RFC
 * 1812 4.3.2.3), by reference to its payload. */
#include <string.h>

#include "models/ip/icmp4_priv.h"
#include "models/ip/icmp_quote.h"

#define ERROR_MAX 576
#define QUOTE_MAX (ERROR_MAX - IPV4_MIN_HDR_LEN - ICMP_HDR_LEN)
#define TOS_INTERNETCONTROL 0xc0 /* RFC 1812 4.3.2.5 */
#define TOS_MASK 0x1e

/* RFC 1122 3.2.2: the packet's source must be one host that can be answered. */
static bool source_is_host(Ip4 *ip, uint32_t src, uint32_t dst)
{
    Ip4Flow f;

    if (ipv4_addr_is_zeronet(src) || src >> 28 >= 14) /* 0/8, multicast, class E, limited broadcast */
        return false;
    if (ipv4_addr_is_loopback(src))
        return ip4_is_local(ip, dst);
    return ip4_route_get(ip, src, 0, NULL, &f) == 0 &&
           (f.type == IP4_ROUTE_UNICAST || f.type == IP4_ROUTE_LOCAL);
}

static bool destination_is_group(Ip4 *ip, uint32_t dst)
{
    if (ipv4_addr_is_multicast(dst) || dst == IPV4_BROADCAST)
        return true;
    for (unsigned i = 0; i < ip4_if_count(ip); i++) {
        const Ip4If *ifp = ip4_if(ip, i);

        for (unsigned k = 0; k < ip4_addr_count(ifp); k++) {
            Ipv4Prefix p = ip4_addr(ifp, k);

            if (p.len < 31 && dst == ipv4_prefix_broadcast(p))
                return true;
        }
    }
    return false;
}

/* Is it an ICMP message about which nothing may be said: an error, an unknown type, or one too short to tell?
 */
static bool is_unanswerable_icmp(const Packet *pkt, const uint8_t *hdr)
{
    unsigned at = pkt->l3 + ipv4_hdr_len(hdr);
    uint8_t type;

    if (ipv4_proto(hdr) != IP_PROTO_ICMP)
        return false;
    if (at < pkt->tail)
        type = pkt->buf[at];
    else if (packet_copy_raw(pkt, at - pkt->head, &type, 1) != 1)
        return true;
    return type > ICMP_ADDRMASK_REPLY || icmp_is_error(type);
}

static bool may_send(Icmp4 *ic, const Packet *pkt, const uint8_t *hdr, uint8_t type)
{
    const Ip4Sysctl *sys = ip4_sysctl_get(ic->ip);

    if (sys->icmp_silent || (type == ICMP_SOURCE_QUENCH && !sys->source_quench))
        return false;
    if (pkt->flags & (PKT_BROADCAST | PKT_MULTICAST | PKT_OTHERHOST))
        return false;
    if (ipv4_frag(hdr) & IPV4_OFFSET_MASK)
        return false;
    if (is_unanswerable_icmp(pkt, hdr))
        return false;
    return !destination_is_group(ic->ip, ipv4_dst(hdr)) &&
           source_is_host(ic->ip, ipv4_src(hdr), ipv4_dst(hdr));
}

/* Linux 6.12's order: room in the common bucket, then the destination's, and only what passes both takes a
 * credit. */
static bool rate_allows(Icmp4 *ic, uint32_t dst, uint8_t type, uint8_t code)
{
    const Ip4Sysctl *sys = ip4_sysctl_get(ic->ip);
    SimTime now = node_now(ic->node);

    if (!icmp4_rate_applies(sys, type, code))
        return true;
    if (!icmp4_rate_global_allow(&ic->rate, sys, now)) {
        icmp4_count(ic, MIB_IcmpOutRateLimitGlobal);
        return false;
    }
    /* To ourselves nothing is limited for each host. */
    if (!ip4_is_local(ic->ip, dst) && !icmp4_rate_host_allow(&ic->rate, sys, dst, now)) {
        icmp4_count(ic, MIB_IcmpOutRateLimitHost);
        return false;
    }
    icmp4_rate_global_consume(&ic->rate);
    return true;
}

static void put_rest(uint8_t *h, uint8_t type, uint8_t code, uint32_t info)
{
    switch (type) {
    case ICMP_DEST_UNREACH:
        wire_put32(h + 4, code == ICMP_UNREACH_NEEDFRAG ? HS_MIN(info, UINT16_MAX) : 0); /* RFC 1191 */
        break;
    case ICMP_REDIRECT:
        wire_put32(h + 4, info);
        break;
    case ICMP_PARAM_PROBLEM:
        wire_put32(h + 4, info << 24);
        break;
    default:
        wire_put32(h + 4, 0);
        break;
    }
}

void icmp4_send_error(Ip4 *ip, Packet *pkt, uint8_t type, uint8_t code, uint32_t info)
{
    Icmp4 *ic = icmp4_of(ip);
    const uint8_t *hdr = pkt->buf + pkt->l3;
    uint32_t src, dst, len;
    Packet *out;
    uint8_t *h;

    if (!ic || !may_send(ic, pkt, hdr, type))
        return;
    src = ipv4_src(hdr), dst = ipv4_dst(hdr);
    if (!rate_allows(ic, src, type, code))
        return;
    /* The IP header says how long the packet is; padding behind it is not part of it. */
    len = HS_MIN((uint32_t)ipv4_total_len(hdr), (uint32_t)(pkt->tail - pkt->l3) + pkt->payload_len);
    len = HS_MIN(len, QUOTE_MAX);
    out = packet_new(ip4_pool(ip), ic->node->id, ic->node->birth_next++, PKT_HEADROOM);
    h = packet_put(out, ICMP_HDR_LEN);
    h[0] = type;
    h[1] = code;
    wire_put16(h + ICMP_CHECKSUM_OFF, 0);
    put_rest(h, type, code, info);
    icmp_quote(out, pkt, len);
    out->l4 = out->head;
    packet_set_csum_partial(out, out->head, out->head + ICMP_CHECKSUM_OFF);
    icmp4_output(ic, out,
                 &(Ip4Tx){
                     /* A packet for us: from the address it was sent to. Otherwise as the route back says,
                      * which is Linux's icmp_errors_use_inbound_ifaddr = 0. */
                     .src = ip4_is_local(ip, dst) ? dst : 0,
                     .dst = src,
                     .proto = IP_PROTO_ICMP,
                     .tos = (uint8_t)((ipv4_tos(hdr) & TOS_MASK) | TOS_INTERNETCONTROL),
                 });
}
