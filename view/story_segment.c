/* Headers found by hand rather than by wire_dissect: this is asked for every packet of a run, the bytes may
 * have been cut, and a dissection looks at the payload as well. */
#include "view/story_segment.h"

#include <string.h>

#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/ppp.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "models/wire/vlan.h"

#define LINK_ETHERNET 1 /* as in pcapng */
#define LINK_PPP 50
#define LINK_RAW 101
#define LINK_IPV4 228
#define LINK_IPV6 229

/* Where the network header begins; 0 for *type: it is neither IPv4 nor IPv6. */
static size_t find_network(const StoryPacket *p, uint16_t *type)
{
    size_t at = ETH_HDR_LEN;
    PppHdr ppp;
    int len;

    *type = 0;
    switch (p->linktype) {
    case LINK_ETHERNET:
        if (p->kept < at)
            return 0;
        *type = eth_type(p->bytes);
        while ((*type == ETH_TYPE_VLAN || *type == ETH_TYPE_QINQ) && p->kept >= at + VLAN_TAG_LEN) {
            *type = wire_get16(p->bytes + at + 2);
            at += VLAN_TAG_LEN;
        }
        return at;
    case LINK_PPP:
        len = ppp_decode(&ppp, p->bytes, p->kept);
        if (len < 0)
            return 0;
        *type = ppp.protocol == PPP_PROTO_IPV4   ? ETH_TYPE_IPV4
                : ppp.protocol == PPP_PROTO_IPV6 ? ETH_TYPE_IPV6
                                                 : 0;
        return (size_t)len;
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        if (p->kept)
            *type = p->bytes[0] >> 4 == 4 ? ETH_TYPE_IPV4 : p->bytes[0] >> 4 == 6 ? ETH_TYPE_IPV6 : 0;
        return 0;
    default:
        return 0;
    }
}

/* end: where the packet ends by its own length; a short frame is padded behind it. */
static void read_transport(const StoryPacket *p, size_t at, size_t end, StorySegment *out)
{
    const uint8_t *h = p->bytes + at;
    bool is_tcp = out->proto == IP_PROTO_TCP;
    size_t hdr_len = UDP_HDR_LEN;

    if (p->kept < at + (is_tcp ? TCP_MIN_HDR_LEN : UDP_HDR_LEN))
        return;
    if (is_tcp) {
        hdr_len = tcp_hdr_len(h);
        if (hdr_len < TCP_MIN_HDR_LEN)
            return;
    }
    out->has_ports = true;
    out->l4 = (uint32_t)at;
    out->src_port = wire_get16(h);
    out->dst_port = wire_get16(h + 2);
    out->payload_len = end > at + hdr_len ? (uint32_t)(end - at - hdr_len) : 0;
    if (!is_tcp)
        return;
    out->seq = tcp_seq(h);
    out->ack = tcp_ack(h);
    out->flags = tcp_flags(h);
    out->window = tcp_window(h);
    if (hdr_len > TCP_MIN_HDR_LEN && p->kept >= at + hdr_len)
        out->options_len = (uint32_t)(hdr_len - TCP_MIN_HDR_LEN);
}

static bool has_known_ports(const StorySegment *out)
{
    return out->proto == IP_PROTO_TCP || out->proto == IP_PROTO_UDP;
}

static bool read_ip4(const StoryPacket *p, size_t at, StorySegment *out)
{
    const uint8_t *h = p->bytes + at;

    if (p->kept < at + IPV4_MIN_HDR_LEN || h[0] >> 4 != 4 || ipv4_hdr_len(h) < IPV4_MIN_HDR_LEN)
        return false;
    out->proto = ipv4_proto(h);
    out->is_fragment = ipv4_is_fragment(h);
    out->fragment_id = ipv4_id(h);
    out->fragment_offset = ipv4_frag_offset(h);
    ipv4_addr_format(ipv4_src(h), out->src);
    ipv4_addr_format(ipv4_dst(h), out->dst);
    if (has_known_ports(out) && !ipv4_frag_offset(h))
        read_transport(p, at + ipv4_hdr_len(h), at + ipv4_total_len(h), out);
    return true;
}

static void format_ip6(const uint8_t *bytes, char *buf)
{
    Ipv6Addr addr;

    memcpy(&addr, bytes, sizeof(addr));
    ipv6_addr_format(&addr, buf);
}

static bool is_extension(uint8_t next)
{
    return next == IPV6_EXT_HOP_BY_HOP || next == IPV6_EXT_ROUTING || next == IPV6_EXT_DEST ||
           next == IPV6_EXT_FRAGMENT;
}

static bool read_ip6(const StoryPacket *p, size_t at, StorySegment *out)
{
    const uint8_t *h = p->bytes + at;
    size_t next = at + IPV6_HDR_LEN;
    bool is_later = false;

    if (p->kept < next || h[0] >> 4 != 6)
        return false;
    out->proto = ipv6_next_header(h);
    format_ip6(h + IPV6_SRC_OFF, out->src);
    format_ip6(h + IPV6_DST_OFF, out->dst);
    for (int i = 0; i < IPV6_EXT_MAX && is_extension(out->proto) && p->kept >= next + 8; i++) {
        const uint8_t *e = p->bytes + next;

        if (out->proto == IPV6_EXT_FRAGMENT) {
            out->is_fragment = true;
            out->fragment_id = wire_get32(e + 4);
            out->fragment_offset = wire_get16(e + 2) & 0xfff8u;
            is_later = out->fragment_offset;
        }
        next += out->proto == IPV6_EXT_FRAGMENT ? IPV6_FRAG_HDR_LEN : (e[1] + 1u) * 8;
        out->proto = e[0];
    }
    if (has_known_ports(out) && !is_later)
        read_transport(p, next, at + IPV6_HDR_LEN + ipv6_payload_len(h), out);
    return true;
}

bool story_segment(const StoryPacket *p, StorySegment *out)
{
    uint16_t type;
    size_t at = find_network(p, &type);

    memset(out, 0, sizeof(*out));
    out->l3 = (uint32_t)at;
    return type == ETH_TYPE_IPV4 ? read_ip4(p, at, out) : type == ETH_TYPE_IPV6 && read_ip6(p, at, out);
}

uint8_t *story_mended(const StoryPacket *p)
{
    uint8_t *whole;

    if (p->kept >= p->len)
        return NULL;
    whole = g_malloc0(p->len);
    memcpy(whole, p->bytes, p->kept);
    return whole;
}
