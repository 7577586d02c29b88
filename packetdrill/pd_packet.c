/* Building and explaining datagrams. Only here do script packets meet bytes. */
#include "packetdrill/pd_packet.h"

#include <string.h>

#include "models/wire/icmp.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/udp.h"
#include "packetdrill/pd_icmp.h"
#include "packetdrill/pd_option.h"
#include "sim/base/base.h"
#include "sim/packet/checksum.h"

#define INBOUND_TTL 255
#define MAX_HDR (IPV6_HDR_LEN + TCP_MAX_HDR_LEN)

static uint32_t addr4(const PdAddr *a)
{
    return wire_get32(a->b);
}

static Ipv6Addr addr6(const PdAddr *a)
{
    return ipv6_addr_get(a->b);
}

bool pd_addr_equal(const PdAddr *a, const PdAddr *b)
{
    return a->is_v6 == b->is_v6 && memcmp(a->b, b->b, a->is_v6 ? 16 : 4) == 0;
}

bool pd_tuple_equal(const PdTuple *a, const PdTuple *b)
{
    return a->src_port == b->src_port && a->dst_port == b->dst_port && pd_addr_equal(&a->src, &b->src) &&
           pd_addr_equal(&a->dst, &b->dst);
}

PdTuple pd_tuple_reversed(const PdTuple *t)
{
    return (PdTuple){t->dst, t->src, t->dst_port, t->src_port};
}

/* ---- explaining ---- */

static bool explain_ipv4(PdSeen *s, const PdCaptured *p, const char **why)
{
    Ipv4Hdr h;

    if (ipv4_decode(&h, p->bytes, p->len) < 0) {
        *why = "its IPv4 header cannot be read";
        return false;
    }
    wire_put32(s->tuple.src.b, h.src);
    wire_put32(s->tuple.dst.b, h.dst);
    s->tos = h.tos;
    s->ttl = h.ttl;
    s->ip_hdr_len = h.hdr_len;
    s->total_len = h.total_len;
    s->ip_proto = h.proto;
    s->is_fragment = h.mf || h.frag_offset;
    s->bad_ip_checksum = ipv4_check(p->bytes) != WIRE_OK;
    return true;
}

static bool explain_ipv6(PdSeen *s, const PdCaptured *p, const char **why)
{
    Ipv6Hdr h;
    Ipv6Upper upper;

    if (ipv6_decode(&h, p->bytes, p->len) < 0 || ipv6_find_upper(&upper, p->bytes, p->len) != WIRE_OK) {
        *why = "its IPv6 header cannot be read";
        return false;
    }
    s->tuple.src.is_v6 = s->tuple.dst.is_v6 = true;
    memcpy(s->tuple.src.b, h.src.b, 16);
    memcpy(s->tuple.dst.b, h.dst.b, 16);
    s->tos = h.tc;
    s->ttl = h.hop_limit;
    s->flow_label = h.flow;
    s->ip_hdr_len = (uint32_t)upper.off;
    s->total_len = IPV6_HDR_LEN + h.payload_len;
    s->ip_proto = upper.proto;
    s->is_fragment = upper.is_fragment;
    return true;
}

static void explain_payload(PdSeen *s, const uint8_t *p, size_t len)
{
    s->payload_len = s->first_piece_len = s->last_piece_len = (uint32_t)len;
    s->payload_is_zero = true;
    for (size_t i = 0; i < len && s->payload_is_zero; i++)
        s->payload_is_zero = p[i] == 0;
}

static bool explain_tcp(PdSeen *s, const uint8_t *p, size_t len, const char **why)
{
    size_t leftover;

    if (tcp_decode(&s->tcp, p, len) < 0) {
        *why = "its TCP header cannot be read";
        return false;
    }
    s->tuple.src_port = s->tcp.src_port;
    s->tuple.dst_port = s->tcp.dst_port;
    s->n_options =
        pd_options_decode(s->options, PD_MAX_TCP_OPTIONS, s->tcp.options, s->tcp.options_len, &leftover);
    s->options_leftover = (unsigned)leftover;
    explain_payload(s, p + s->tcp.hdr_len, len - s->tcp.hdr_len);
    return true;
}

static bool explain_udp(PdSeen *s, const uint8_t *p, size_t len, const char **why)
{
    UdpHdr h;

    if (udp_decode(&h, p, len) < 0) {
        *why = "its UDP header cannot be read";
        return false;
    }
    s->tuple.src_port = h.src_port;
    s->tuple.dst_port = h.dst_port;
    explain_payload(s, p + UDP_HDR_LEN, h.len - UDP_HDR_LEN);
    return true;
}

/* The packet that an error message is about: its IP header and at least the eight bytes behind it (RFC 792,
 * RFC 4443 3). Lengths are those of the whole packet, quoted or not. */
static void explain_quote(PdSeen *s, const uint8_t *p, size_t len, bool v6)
{
    size_t hdr = v6 ? IPV6_HDR_LEN : IPV4_MIN_HDR_LEN;
    uint32_t l4_hdr = 0, l4_len;

    if (len < hdr + 8 || p[0] >> 4 != (v6 ? 6 : 4))
        return;
    if (!v6)
        hdr = (size_t)(p[0] & 0xf) * 4;
    if (hdr < IPV4_MIN_HDR_LEN || len < hdr + 8)
        return;
    l4_len = v6 ? wire_get16(p + 4) : wire_get16(p + 2) - (uint32_t)hdr;
    s->has_quote = true;
    s->quote_proto = v6 ? p[6] : p[9];
    if (s->quote_proto == IP_PROTO_UDP)
        l4_hdr = UDP_HDR_LEN;
    if (s->quote_proto == IP_PROTO_TCP) {
        s->quote_seq = wire_get32(p + hdr + 4);
        l4_hdr = TCP_MIN_HDR_LEN;
        if (len >= hdr + TCP_MIN_HDR_LEN) {
            l4_hdr = (p[hdr + 12] >> 4) * 4u;
            s->quote_flags = p[hdr + 13];
        }
    }
    s->quote_len = l4_len >= l4_hdr ? l4_len - l4_hdr : 0;
}

/* The first eight bytes have the same places in both versions (RFC 792, RFC 4443 2.1). */
static bool explain_icmp(PdSeen *s, const uint8_t *p, size_t len, bool v6, const char **why)
{
    if (len < ICMP_CHECKSUM_OFF + 2) { /* a raw socket may stop there */
        *why = "its ICMP header cannot be read";
        return false;
    }
    s->icmp_type = icmp_type(p);
    s->icmp_code = icmp_code(p);
    if (len < ICMP_HDR_LEN)
        return true;
    s->icmp_id = icmp_id(p);
    if (pd_icmp_has_mtu(v6, s->icmp_type, s->icmp_code))
        s->icmp_mtu = v6 ? wire_get32(p + 4) : icmp_seq(p);
    if (v6 ? s->icmp_type < 128 : icmp_is_error(s->icmp_type))
        explain_quote(s, p + ICMP_HDR_LEN, len - ICMP_HDR_LEN, v6);
    explain_payload(s, p + ICMP_HDR_LEN, len - ICMP_HDR_LEN);
    return true;
}

bool pd_packet_explain(PdSeen *out, const PdCaptured *p, const char **why)
{
    PdSeen s = {.at_ns = p->at_ns, .gso_size = p->gso_size, .n_pieces = 1};
    const uint8_t *l4;
    size_t len;
    bool ok, v6 = p->len > 0 && p->bytes[0] >> 4 == 6;

    if (!(v6 ? explain_ipv6(&s, p, why) : explain_ipv4(&s, p, why)))
        return false;
    l4 = p->bytes + s.ip_hdr_len;
    len = s.total_len - s.ip_hdr_len;
    if (s.is_fragment)
        ok = true;
    else if (s.ip_proto == IP_PROTO_TCP)
        ok = explain_tcp(&s, l4, len, why);
    else if (s.ip_proto == IP_PROTO_UDP)
        ok = explain_udp(&s, l4, len, why);
    else if (s.ip_proto == (v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
        ok = explain_icmp(&s, l4, len, v6, why);
    else
        ok = true;
    if (ok)
        *out = s;
    return ok;
}

/* ---- building ---- */

uint8_t pd_packet_tos(const PdIpInfo *ip)
{
    return ip->tos_check == PD_TOS_ECN || ip->tos_check == PD_TOS_BYTE ? ip->tos : 0;
}

/* The IP header in front of `payload` bytes; returns where the payload goes (zeroed). */
static uint8_t *begin(GByteArray *out, const PdIpInfo *ip, const PdAddr *src, const PdAddr *dst,
                      uint8_t proto, size_t payload)
{
    size_t hdr = src->is_v6 ? IPV6_HDR_LEN : IPV4_MIN_HDR_LEN;
    uint8_t ttl = ip->has_ttl ? ip->ttl : INBOUND_TTL;

    g_byte_array_set_size(out, (guint)(hdr + payload));
    memset(out->data, 0, out->len);
    if (src->is_v6) {
        Ipv6Hdr h = {.tc = pd_packet_tos(ip),
                     .flow = ip->has_flow_label ? ip->flow_label : 0,
                     .payload_len = (uint16_t)payload,
                     .next_header = proto,
                     .hop_limit = ttl,
                     .src = addr6(src),
                     .dst = addr6(dst)};

        ipv6_encode(out->data, &h);
    } else {
        Ipv4Hdr h = {.tos = pd_packet_tos(ip),
                     .total_len = (uint16_t)(hdr + payload),
                     .ttl = ttl,
                     .proto = proto,
                     .src = addr4(src),
                     .dst = addr4(dst)};

        ipv4_encode(out->data, &h);
    }
    return out->data + hdr;
}

static uint32_t pseudo_sum(const PdAddr *src, const PdAddr *dst, uint8_t proto, size_t len)
{
    return src->is_v6 ? ipv6_pseudo_sum(src->b, dst->b, proto, len)
                      : ipv4_pseudo_sum(addr4(src), addr4(dst), proto, len);
}

/* A datagram's length field has 16 bits. */
static size_t fit(const PdAddr *src, size_t headers, size_t payload)
{
    size_t room = src->is_v6 ? IPV4_MAX_LEN - headers : IPV4_MAX_LEN - IPV4_MIN_HDR_LEN - headers;

    return HS_MIN(payload, room);
}

GByteArray *pd_packet_build_tcp(const PdPacket *p, const PdTuple *tuple)
{
    GByteArray *out = g_byte_array_new();
    TcpHdr h = {.src_port = tuple->src_port,
                .dst_port = tuple->dst_port,
                .seq = p->tcp.seq,
                .ack = p->tcp.ack,
                .flags = p->tcp.flags,
                .window = p->tcp.win,
                .urgent = p->tcp.urg};
    size_t hdr_len, len;
    uint8_t *at;

    h.options_len = (uint8_t)pd_options_encode(h.options, p->tcp.options, p->tcp.n_options);
    hdr_len = tcp_encoded_len(&h);
    len = hdr_len + fit(&tuple->src, hdr_len, p->tcp.len);
    at = begin(out, &p->ip, &tuple->src, &tuple->dst, IP_PROTO_TCP, len);
    tcp_encode(at, &h);
    tcp_fill_checksum(at, len, pseudo_sum(&tuple->src, &tuple->dst, IP_PROTO_TCP, len));
    return out;
}

GByteArray *pd_packet_build_udp(const PdPacket *p, const PdTuple *tuple)
{
    GByteArray *out = g_byte_array_new();
    size_t len = UDP_HDR_LEN + fit(&tuple->src, UDP_HDR_LEN, p->udp_len);
    UdpHdr h = {.src_port = tuple->src_port, .dst_port = tuple->dst_port, .len = (uint16_t)len};
    uint8_t *at = begin(out, &p->ip, &tuple->src, &tuple->dst, IP_PROTO_UDP, len);

    udp_encode(at, &h);
    udp_fill_checksum(at, len, pseudo_sum(&tuple->src, &tuple->dst, IP_PROTO_UDP, len));
    return out;
}

/* The IP header of the packet complained about, and the first eight bytes behind it (RFC 792). */
static size_t put_quote(uint8_t *to, const PdIcmp *icmp, const PdTuple *about, uint8_t proto, uint32_t seq)
{
    static const PdIpInfo plain;
    GByteArray *ip = g_byte_array_new();
    size_t hdr = about->src.is_v6 ? IPV6_HDR_LEN : IPV4_MIN_HDR_LEN;
    size_t l4_hdr = proto == IP_PROTO_TCP ? TCP_MIN_HDR_LEN : proto == IP_PROTO_UDP ? UDP_HDR_LEN : 0;
    size_t l4_len = l4_hdr + fit(&about->src, l4_hdr, icmp->echoed_len);
    uint8_t l4[TCP_MAX_HDR_LEN] = {0};

    begin(ip, &plain, &about->src, &about->dst, proto, l4_len);
    memcpy(to, ip->data, hdr);
    g_byte_array_free(ip, TRUE);
    if (proto == IP_PROTO_TCP)
        tcp_encode(l4, &(TcpHdr){.src_port = about->src_port, .dst_port = about->dst_port, .seq = seq});
    else if (proto == IP_PROTO_UDP)
        udp_encode(l4, &(UdpHdr){about->src_port, about->dst_port, (uint16_t)l4_len, 0});
    memcpy(to + hdr, l4, 8);
    return hdr + 8;
}

GByteArray *pd_packet_build_icmp(const PdPacket *p, const PdAddr *src, const PdAddr *dst,
                                 const PdTuple *about, uint8_t about_proto, uint32_t seq)
{
    GByteArray *out = g_byte_array_new();
    const PdIcmp *icmp = &p->icmp;
    uint8_t message[ICMP_TIMESTAMP_LEN + IPV6_HDR_LEN + 8] = {0};
    size_t len;
    uint8_t *at;

    if (src->is_v6) {
        /* RFC 4443: type, code, checksum, then the MTU or an identifier in four bytes. */
        message[0] = icmp->type;
        message[1] = icmp->code;
        if (icmp->has_mtu)
            wire_put32(message + 4, icmp->mtu);
        else if (icmp->has_id)
            wire_put16(message + 4, icmp->id);
        len = ICMP_HDR_LEN;
    } else {
        IcmpMsg m = {.type = icmp->type,
                     .code = icmp->code,
                     .id = icmp->id,
                     .mtu = (uint16_t)(icmp->has_mtu ? icmp->mtu : 0)};

        len = icmp_encode(message, &m);
    }
    if (about)
        len += put_quote(message + len, icmp, about, about_proto, seq);
    at = begin(out, &p->ip, src, dst, src->is_v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, len);
    memcpy(at, message, len);
    if (src->is_v6)
        wire_put16(at + ICMP_CHECKSUM_OFF,
                   checksum_finish(checksum_add(pseudo_sum(src, dst, IP_PROTO_ICMPV6, len), at, len)));
    else
        icmp_fill_checksum(at, len);
    return out;
}
