/* One line per frame, in the words of tcpdump. Where we differ: no link-layer prefix, and TCP numbers are
 * absolute (a single frame knows no initial sequence number). */
#include <stdarg.h>
#include <stdio.h>

#include "models/wire/arp.h"
#include "models/wire/bpdu.h"
#include "models/wire/dissect.h"
#include "models/wire/eth.h"
#include "models/wire/icmp.h"
#include "models/wire/icmp6.h"
#include "models/wire/igmp.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/llc.h"
#include "models/wire/ppp.h"
#include "models/wire/tcp.h"
#include "models/wire/tftp.h"
#include "models/wire/udp.h"
#include "models/wire/vlan.h"
#include "sim/base/base.h"

typedef struct Line {
    char *buf;
    size_t at, size;
} Line;

HS_PRINTF(2, 3) static void put(Line *l, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(l->buf + l->at, l->size - l->at, fmt, args);
    va_end(args);
    l->at = HS_MIN(l->at + (size_t)n, l->size - 1);
}

static void put_malformed(Line *l, const char *what, int err)
{
    put(l, "%s [%s]", what, wire_error_str(err));
}

static void put_text(Line *l, const char *s)
{
    for (; *s; s++)
        put(l, *s >= 0x20 && *s < 0x7f ? "%c" : "\\x%02x", (unsigned char)*s);
}

static void arp_line(Line *l, const uint8_t *p, size_t len)
{
    char a[IPV4_ADDR_STR_LEN], b[IPV4_ADDR_STR_LEN], m[MAC_STR_LEN], n[MAC_STR_LEN];
    ArpMsg arp;
    int err = arp_decode(&arp, p, len);

    if (err < 0) {
        put_malformed(l, "ARP", err);
        return;
    }
    switch (arp.op) {
    case ARP_OP_REQUEST:
        put(l, "who-has %s tell %s", ipv4_addr_format(arp.tpa, a), ipv4_addr_format(arp.spa, b));
        break;
    case ARP_OP_REPLY:
        put(l, "%s is-at %s", ipv4_addr_format(arp.spa, a), mac_format(arp.sha, m));
        break;
    case RARP_OP_REQUEST:
        put(l, "who-is %s tell %s", mac_format(arp.tha, m), mac_format(arp.sha, n));
        break;
    case RARP_OP_REPLY:
        put(l, "%s is %s", mac_format(arp.tha, m), ipv4_addr_format(arp.tpa, a));
        break;
    default:
        put(l, "ARP operation %u", arp.op);
        break;
    }
}

/* "udp port 69" and the like, of the packet that an error quotes. */
static void put_quoted_port(Line *l, const IcmpQuote *q)
{
    const char *proto = wire_name(ip_proto_names, q->ip.proto);

    if (q->has_ports)
        put(l, "%s port %u", q->ip.proto == IP_PROTO_TCP ? "tcp" : "udp", q->dst_port);
    else
        put(l, "%s", proto ? proto : "port");
}

static void icmp_unreach_line(Line *l, const IcmpMsg *m, const IcmpQuote *q, const char *dst)
{
    const char *name = icmp_code_name(m->type, m->code);

    switch (m->code) {
    case ICMP_UNREACH_NET:
        put(l, "net %s unreachable", dst);
        break;
    case ICMP_UNREACH_HOST:
        put(l, "host %s unreachable", dst);
        break;
    case ICMP_UNREACH_PROTO:
        put(l, "%s protocol %u unreachable", dst, q->ip.proto);
        break;
    case ICMP_UNREACH_PORT:
        put(l, "%s ", dst);
        put_quoted_port(l, q);
        put(l, " unreachable");
        break;
    case ICMP_UNREACH_NEEDFRAG:
        put(l, "%s unreachable - need to frag (mtu %u)", dst, m->mtu);
        break;
    default:
        put(l, "%s unreachable - ", dst);
        if (name)
            put(l, "%s", name);
        else
            put(l, "code %u", m->code);
        break;
    }
}

static void icmp_error_line(Line *l, const IcmpMsg *m, const uint8_t *p, size_t len)
{
    static const char *const redirect_to[] = {"net", "host", "tos and net", "tos and host"};
    char dst[IPV4_ADDR_STR_LEN] = "?", gateway[IPV4_ADDR_STR_LEN];
    IcmpQuote q = {0};

    if (icmp_quote_decode(&q, p, len) == WIRE_OK)
        ipv4_addr_format(q.ip.dst, dst);
    switch (m->type) {
    case ICMP_DEST_UNREACH:
        icmp_unreach_line(l, m, &q, dst);
        break;
    case ICMP_REDIRECT:
        put(l, "redirect %s to %s %s", dst, m->code < 4 ? redirect_to[m->code] : "?",
            ipv4_addr_format(m->gateway, gateway));
        break;
    case ICMP_TIME_EXCEEDED:
        if (m->code <= ICMP_EXCEEDED_REASSEMBLY)
            put(l, "%s", m->code ? "ip reassembly time exceeded" : "time exceeded in-transit");
        else
            put(l, "time exceeded, code %u", m->code);
        break;
    case ICMP_PARAM_PROBLEM:
        put(l, "parameter problem, octet %u", m->pointer);
        break;
    default:
        put(l, "source quench");
        break;
    }
}

static void icmp_line(Line *l, const uint8_t *p, size_t len)
{
    IcmpMsg m;
    int err = icmp_decode(&m, p, len);

    if (err < 0) {
        put_malformed(l, "ICMP", err);
        return;
    }
    put(l, "ICMP ");
    if (icmp_is_error(m.type))
        icmp_error_line(l, &m, p, len);
    else if (m.type == ICMP_ECHO || m.type == ICMP_ECHO_REPLY)
        put(l, "echo %s, id %u, seq %u", m.type == ICMP_ECHO ? "request" : "reply", m.id, m.seq);
    else if (m.type == ICMP_TIMESTAMP)
        put(l, "time stamp query id %u seq %u", m.id, m.seq);
    else if (m.type == ICMP_TIMESTAMP_REPLY)
        put(l, "time stamp reply id %u seq %u: org %u, recv %u, xmit %u", m.id, m.seq, m.originate_ms,
            m.receive_ms, m.transmit_ms);
    else if (m.type == ICMP_ADDRMASK)
        put(l, "address mask request");
    else if (m.type == ICMP_ADDRMASK_REPLY)
        put(l, "address mask is 0x%08x", m.mask);
    else if (icmp_type_name(m.type))
        put(l, "%s", icmp_type_name(m.type));
    else
        put(l, "type %u code %u", m.type, m.code);
    put(l, ", length %zu", len);
}

static void igmp_line(Line *l, const uint8_t *p, size_t len)
{
    char group[IPV4_ADDR_STR_LEN];
    IgmpMsg m;
    int err = igmp_decode(&m, p, len);

    if (err < 0) {
        put_malformed(l, "igmp", err);
        return;
    }
    ipv4_addr_format(m.group, group);
    switch (m.type) {
    case IGMP_QUERY:
        put(l, "igmp query v%u", m.version);
        if (m.group)
            put(l, " [gaddr %s]", group);
        break;
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT:
        put(l, "igmp v%u report %s", m.version, group);
        break;
    case IGMP_LEAVE:
        put(l, "igmp leave %s", group);
        break;
    case IGMP_V3_REPORT:
        put(l, "igmp v3 report, %u group record(s)", m.n_records);
        break;
    default:
        put(l, "igmp-%02x", m.type);
        break;
    }
}

static void tftp_line(Line *l, const uint8_t *p, size_t len)
{
    static const char *const names[] = {"?", "RRQ", "WRQ", "DATA", "ACK", "ERROR", "OACK"};
    TftpMsg m;
    int err = tftp_decode(&m, p, len);

    put(l, "TFTP, length %zu", len);
    if (err < 0) {
        put_malformed(l, ",", err);
        return;
    }
    put(l, ", %s", names[m.op]);
    if (m.filename) {
        put(l, " \"");
        put_text(l, m.filename);
        put(l, "\" ");
        put_text(l, m.mode);
    }
    for (unsigned i = 0; i < m.n_options; i++) {
        put(l, " ");
        put_text(l, m.options[i].name);
        put(l, " ");
        put_text(l, m.options[i].value);
    }
    if (m.op == TFTP_DATA || m.op == TFTP_ACK)
        put(l, " block %u", m.block);
    if (m.op == TFTP_ERROR) {
        put(l, " %u \"", m.error_code);
        put_text(l, m.error_msg);
        put(l, "\"");
    }
}

static void tcp_line(Line *l, const TcpHdr *h, size_t data_len)
{
    static const char letters[] = "FSRP.UEWe";
    char options[200];

    put(l, "Flags [");
    for (unsigned i = 0; i < 9; i++)
        if (h->flags >> i & 1)
            put(l, "%c", letters[i]);
    put(l, "%s]", h->flags ? "" : "none");
    if (data_len > 0)
        put(l, ", seq %u:%u", h->seq, h->seq + (uint32_t)data_len);
    else if (h->flags & (TCP_SYN | TCP_FIN | TCP_RST))
        put(l, ", seq %u", h->seq);
    if (h->flags & TCP_ACK)
        put(l, ", ack %u", h->ack);
    put(l, ", win %u", h->window);
    if (h->flags & TCP_URG)
        put(l, ", urg %u", h->urgent);
    if (h->options_len)
        put(l, ", options [%s]", tcp_options_format(h->options, h->options_len, options, sizeof options));
    put(l, ", length %zu", data_len);
}

/* What an IP packet of either version carries. */
static void transport_line(Line *l, const char *src, const char *dst, uint8_t proto, const uint8_t *p,
                           size_t len, bool is_first_fragment)
{
    const char *name = wire_name(ip_proto_names, proto);
    TcpHdr tcp;
    UdpHdr udp;
    int err;

    if (proto == IP_PROTO_UDP && len >= UDP_HDR_LEN) {
        err = udp_decode(&udp, p, len);
        put(l, "%s.%u > %s.%u: ", src, udp_src_port(p), dst, udp_dst_port(p));
        if (err < 0 && (!is_first_fragment || udp_len(p) < UDP_HDR_LEN))
            put_malformed(l, "UDP", err);
        else if (err >= 0 && !is_first_fragment && (udp.dst_port == TFTP_PORT || udp.src_port == TFTP_PORT))
            tftp_line(l, p + UDP_HDR_LEN, udp.len - UDP_HDR_LEN);
        else
            put(l, "UDP, length %d", udp_len(p) - UDP_HDR_LEN);
        return;
    }
    if (proto == IP_PROTO_TCP && len >= TCP_MIN_HDR_LEN) {
        err = tcp_decode(&tcp, p, len);
        put(l, "%s.%u > %s.%u: ", src, tcp_src_port(p), dst, tcp_dst_port(p));
        if (err < 0)
            put_malformed(l, "TCP", err);
        else
            tcp_line(l, &tcp, len - tcp.hdr_len);
        return;
    }
    put(l, "%s > %s: ", src, dst);
    if (proto == IP_PROTO_UDP || proto == IP_PROTO_TCP)
        put_malformed(l, name, WIRE_TRUNCATED);
    else if (name)
        put(l, "%s, length %zu", name, len);
    else
        put(l, "ip-proto-%u, length %zu", proto, len);
}

static void ipv4_line(Line *l, const uint8_t *p, size_t len)
{
    char src[IPV4_ADDR_STR_LEN], dst[IPV4_ADDR_STR_LEN];
    Ipv4Hdr h;
    int hdr_len = ipv4_decode(&h, p, len);
    size_t data_len;

    if (hdr_len < 0) {
        put_malformed(l, "IP", hdr_len);
        return;
    }
    ipv4_addr_format(h.src, src);
    ipv4_addr_format(h.dst, dst);
    p += hdr_len;
    data_len = h.total_len - (size_t)hdr_len;
    if (h.frag_offset > 0) {
        const char *name = wire_name(ip_proto_names, h.proto);

        put(l, "%s > %s: %s fragment", src, dst, name ? name : "ip");
    } else if (h.proto == IP_PROTO_ICMP) {
        put(l, "%s > %s: ", src, dst);
        icmp_line(l, p, data_len);
    } else if (h.proto == IP_PROTO_IGMP) {
        put(l, "%s > %s: ", src, dst);
        igmp_line(l, p, data_len);
    } else {
        transport_line(l, src, dst, h.proto, p, data_len, h.mf);
    }
    /* tcpdump -v: fragment identification:size@offset, + when more follow. */
    if (h.mf || h.frag_offset > 0)
        put(l, " (frag %u:%zu@%u%s)", h.id, data_len, h.frag_offset, h.mf ? "+" : "");
}

/* tcpdump: ICMP6, echo request, id 1, seq 1, length 64 */
static void icmp6_line(Line *l, const uint8_t *p, size_t len)
{
    const char *type, *code;

    if (len < ICMP6_HDR_LEN) {
        put_malformed(l, "ICMP6", WIRE_TRUNCATED);
        return;
    }
    type = icmp6_type_name(icmp6_type(p));
    code = icmp6_code_name(icmp6_type(p), icmp6_code(p));
    if (type)
        put(l, "ICMP6, %s", type);
    else
        put(l, "ICMP6, type %u", icmp6_type(p));
    if (code)
        put(l, ", %s", code);
    if (icmp6_type(p) == ICMP6_PACKET_TOO_BIG)
        put(l, ", mtu %u", icmp6_info(p));
    if (icmp6_type(p) == ICMP6_ECHO || icmp6_type(p) == ICMP6_ECHO_REPLY)
        put(l, ", id %u, seq %u", wire_get16(p + ICMP6_ID_OFF), wire_get16(p + ICMP6_ID_OFF + 2));
    put(l, ", length %zu", len);
}

static void ipv6_line(Line *l, const uint8_t *p, size_t len)
{
    char src[IPV6_ADDR_STR_LEN], dst[IPV6_ADDR_STR_LEN];
    Ipv6Hdr h;
    Ipv6Upper up;
    int err = ipv6_decode(&h, p, len);

    if (err >= 0) {
        len = IPV6_HDR_LEN + (size_t)h.payload_len;
        err = ipv6_find_upper(&up, p, len);
    }
    if (err < 0) {
        put_malformed(l, "IP6", err);
        return;
    }
    ipv6_addr_format(&h.src, src);
    ipv6_addr_format(&h.dst, dst);
    if (up.frag_offset > 0) {
        put(l, "%s > %s: fragment", src, dst);
    } else if (up.proto == IP_PROTO_ICMPV6) {
        put(l, "%s > %s: ", src, dst);
        icmp6_line(l, p + up.off, len - up.off);
    } else {
        transport_line(l, src, dst, up.proto, p + up.off, len - up.off, up.more_fragments);
    }
    if (up.is_fragment)
        put(l, " (frag %u:%zu@%u%s)", up.frag_id, len - up.off, up.frag_offset, up.more_fragments ? "+" : "");
}

static void bpdu_line(Line *l, const uint8_t *p, size_t len)
{
    char root[MAC_STR_LEN], bridge[MAC_STR_LEN];
    Bpdu b;
    int err = bpdu_decode(&b, p, len);

    if (err < 0) {
        put_malformed(l, "STP", err);
        return;
    }
    if (b.type == BPDU_TYPE_TCN) {
        put(l, "STP topology change notification");
        return;
    }
    put(l, "%s root %u/%s cost %u bridge %u/%s port %u.%u", b.type == BPDU_TYPE_RST ? "RSTP" : "STP",
        (unsigned)(b.root_id >> 48), mac_format(mac_from_u64(b.root_id), root), b.root_cost,
        (unsigned)(b.bridge_id >> 48), mac_format(mac_from_u64(b.bridge_id), bridge), (b.port_id >> 12) * 16u,
        b.port_id & 0xfffu);
    if (b.type == BPDU_TYPE_RST) {
        static const char *const roles[] = {"unknown", "alternate", "root", "designated"};

        put(l, ", %s%s%s%s%s%s", roles[bpdu_role(b.flags)], b.flags & BPDU_FLAG_PROPOSAL ? " proposal" : "",
            b.flags & BPDU_FLAG_AGREEMENT ? " agreement" : "",
            b.flags & BPDU_FLAG_LEARNING ? " learning" : "",
            b.flags & BPDU_FLAG_FORWARDING ? " forwarding" : "", b.flags & BPDU_FLAG_TC ? " tc" : "");
    } else {
        put(l, "%s%s", b.flags & BPDU_FLAG_TC ? " tc" : "", b.flags & BPDU_FLAG_TC_ACK ? " tc-ack" : "");
    }
}

static void eth_line(Line *l, const uint8_t *p, size_t len)
{
    char src[MAC_STR_LEN], dst[MAC_STR_LEN];
    const uint8_t *frame = p;
    uint16_t type;

    if (len < ETH_HDR_LEN) {
        put_malformed(l, "Ethernet", WIRE_TRUNCATED);
        return;
    }
    type = eth_type(p);
    p += ETH_HDR_LEN;
    len -= ETH_HDR_LEN;
    while ((type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ) && len >= VLAN_TAG_LEN) {
        put(l, "vlan %u, ", vlan_vid(p));
        type = vlan_type(p);
        p += VLAN_TAG_LEN;
        len -= VLAN_TAG_LEN;
    }
    if (type == ETH_TYPE_IPV4) {
        ipv4_line(l, p, len);
    } else if (type == ETH_TYPE_IPV6) {
        ipv6_line(l, p, len);
    } else if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP) {
        arp_line(l, p, len);
    } else if (type < ETH_MIN_TYPE && type >= LLC_HDR_LEN && type <= len && p[0] == LLC_SAP_STP &&
               p[1] == LLC_SAP_STP) {
        bpdu_line(l, p + LLC_HDR_LEN, type - LLC_HDR_LEN);
    } else {
        put(l, "%s > %s, ", mac_format(eth_src(frame), src), mac_format(eth_dst(frame), dst));
        if (type < ETH_MIN_TYPE)
            put(l, "802.3, length %zu", len);
        else
            put(l, "ethertype 0x%04x, length %zu", type, len);
    }
}

static void ppp_line(Line *l, const uint8_t *p, size_t len)
{
    PppHdr h;
    int hdr_len = ppp_decode(&h, p, len);

    if (hdr_len < 0)
        put_malformed(l, "PPP", hdr_len);
    else if (h.protocol == PPP_PROTO_IPV4)
        ipv4_line(l, p + hdr_len, len - (size_t)hdr_len);
    else if (h.protocol == PPP_PROTO_IPV6)
        ipv6_line(l, p + hdr_len, len - (size_t)hdr_len);
    else
        put(l, "PPP protocol 0x%04x, length %zu", h.protocol, len - (size_t)hdr_len);
}

char *dissect_summary(char *buf, size_t buf_len, WireLinkType linktype, const uint8_t *p, size_t len)
{
    Line l = {buf, 0, buf_len};

    hs_assert(buf_len > 0);
    buf[0] = '\0';
    switch (linktype) {
    case WIRE_LINK_ETHERNET:
        eth_line(&l, p, len);
        break;
    case WIRE_LINK_ETHERNET_FCS:
        eth_line(&l, p, len > ETH_FCS_LEN ? len - ETH_FCS_LEN : len);
        if (eth_check_fcs(p, len) == WIRE_BAD_CHECKSUM)
            put(&l, " [bad FCS]");
        break;
    case WIRE_LINK_PPP:
        ppp_line(&l, p, len);
        break;
    case WIRE_LINK_IPV6:
        ipv6_line(&l, p, len);
        break;
    case WIRE_LINK_RAW:
        if (len > 0 && p[0] >> 4 == 6)
            ipv6_line(&l, p, len);
        else
            ipv4_line(&l, p, len);
        break;
    case WIRE_LINK_IPV4:
        ipv4_line(&l, p, len);
        break;
    default:
        put(&l, "link type %d, length %zu", (int)linktype, len);
        break;
    }
    return buf;
}
