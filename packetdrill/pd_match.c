/* The order of the checks is the language's: the first difference is the one that is told. */
#include "packetdrill/pd_match.h"

#include <stdarg.h>
#include <string.h>

#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/udp.h"
#include "packetdrill/pd_icmp.h"
#include "packetdrill/pd_option.h"

#define ECN_FLAGS (TCP_ECE | TCP_CWR | TCP_AE)

bool pd_match_join(PdSeen *sum, const PdSeen *piece, const char **why)
{
    /* What may differ between the pieces of one large packet: the first carries CWR, the last PSH and FIN. */
    const uint16_t same = TCP_SYN | TCP_RST | TCP_ACK | TCP_URG | TCP_ECE;
    PdSeen joined;

    *why = NULL;
    if (sum->last_piece_len != sum->first_piece_len)
        *why = "the pieces before the last have different lengths";
    else if (piece->tcp.seq != sum->tcp.seq + sum->payload_len)
        *why = "the next piece does not follow in sequence";
    else if (piece->tcp.hdr_len != sum->tcp.hdr_len || piece->ip_hdr_len != sum->ip_hdr_len)
        *why = "the next piece has another header length";
    else if ((piece->tcp.flags & same) != (sum->tcp.flags & same))
        *why = "the next piece has other flags";
    else if (piece->tcp.ack != sum->tcp.ack)
        *why = "the next piece acknowledges something else";
    else if (piece->tcp.window != sum->tcp.window)
        *why = "the next piece has another window";
    if (*why)
        return false;
    joined = *piece;
    joined.tcp.seq = sum->tcp.seq;
    joined.tcp.flags = (uint16_t)((piece->tcp.flags & ~TCP_CWR) | (sum->tcp.flags & TCP_CWR));
    joined.payload_len = sum->payload_len + piece->payload_len;
    joined.payload_is_zero = sum->payload_is_zero && piece->payload_is_zero;
    joined.total_len = sum->total_len + piece->payload_len;
    joined.n_pieces = sum->n_pieces + 1;
    joined.first_piece_len = sum->first_piece_len;
    *sum = joined;
    return true;
}

void pd_match_to_script(PdSeen *s, const PdPacket *expected, PdMap *map)
{
    bool syn = s->tcp.flags & TCP_SYN;
    const PdTcpOption *script_ts = NULL;

    if (s->ip_proto != IP_PROTO_TCP)
        return;
    for (unsigned i = 0; expected && expected->proto == PD_TCP && i < expected->tcp.n_options; i++) {
        if (expected->tcp.options[i].kind == TCP_OPT_TIMESTAMPS)
            script_ts = &expected->tcp.options[i];
    }
    s->tcp.seq = pd_map_local_to_script(map, s->tcp.seq, syn);
    if (s->tcp.flags & TCP_ACK)
        s->tcp.ack = pd_map_remote_to_script(map, s->tcp.ack, syn);
    for (unsigned i = 0; i < s->n_options; i++) {
        PdTcpOption *o = &s->options[i];

        if (o->kind == TCP_OPT_SACK) {
            for (unsigned b = 0; b < o->n; b++) {
                o->sack[b].left = pd_map_remote_to_script(map, o->sack[b].left, syn);
                o->sack[b].right = pd_map_remote_to_script(map, o->sack[b].right, syn);
            }
        } else if (o->kind == TCP_OPT_TIMESTAMPS) {
            if (script_ts)
                pd_map_learn_ts(map, script_ts->ts_val, o->ts_val);
            o->ts_val = pd_map_ts_to_script(map, o->ts_val);
        }
    }
}

/* ---- comparing ---- */

static bool differ(char **why, const char *format, ...) HS_PRINTF(2, 3);

static bool differ(char **why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    *why = g_strdup_vprintf(format, args);
    va_end(args);
    return false;
}

static bool same_number(char **why, const char *what, uint64_t expected, uint64_t actual)
{
    if (expected == actual)
        return true;
    return differ(why, "%s: expected %" G_GUINT64_FORMAT ", saw %" G_GUINT64_FORMAT, what, expected, actual);
}

static const char *proto_name(uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
        return "TCP";
    case IP_PROTO_UDP:
        return "UDP";
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMPV6:
        return "ICMP";
    default:
        return "another protocol";
    }
}

static unsigned options_len(const PdTcp *t)
{
    unsigned len = 0;

    for (unsigned i = 0; i < t->n_options; i++)
        len += pd_option_len(&t->options[i]);
    return len;
}

static bool match_ip(const PdSeen *s, const PdPacket *e, PdMap *map, char **why)
{
    bool v6 = s->tuple.src.is_v6;
    uint8_t proto = e->proto == PD_TCP   ? IP_PROTO_TCP
                    : e->proto == PD_UDP ? IP_PROTO_UDP
                    : v6                 ? IP_PROTO_ICMPV6
                                         : IP_PROTO_ICMP;
    uint32_t l4_hdr = e->proto != PD_TCP   ? UDP_HDR_LEN
                      : e->tcp.any_options ? s->tcp.hdr_len
                                           : TCP_MIN_HDR_LEN + options_len(&e->tcp);
    uint32_t payload = e->proto == PD_TCP ? e->tcp.len : e->udp_len;

    if (s->ip_proto != proto)
        return differ(why, "protocol: expected %s, saw %s", proto_name(proto), proto_name(s->ip_proto));
    if (s->is_fragment)
        return differ(why, "saw a fragment of a datagram");
    if (s->bad_ip_checksum)
        return differ(why, "the IP header's checksum is wrong");
    if (!same_number(why, "IP header length", v6 ? IPV6_HDR_LEN : IPV4_MIN_HDR_LEN, s->ip_hdr_len))
        return false;
    if (e->proto != PD_ICMP &&
        !same_number(why, "total length", s->ip_hdr_len + l4_hdr + payload, s->total_len))
        return false;
    if (e->ip.tos_check == PD_TOS_BYTE && e->ip.tos != s->tos)
        return differ(why, "TOS: expected 0x%02x, saw 0x%02x", e->ip.tos, s->tos);
    if (e->ip.tos_check == PD_TOS_ECN && e->ip.tos != (s->tos & IP_ECN_MASK))
        return differ(why, "ECN bits: expected %u, saw %u", e->ip.tos, s->tos & IP_ECN_MASK);
    if (e->ip.tos_check == PD_TOS_ECT01 && (s->tos & IP_ECN_MASK) != IP_ECN_ECT0 &&
        (s->tos & IP_ECN_MASK) != IP_ECN_ECT1)
        return differ(why, "ECN bits: expected ECT(0) or ECT(1), saw %u", s->tos & IP_ECN_MASK);
    if (e->ip.has_ttl && !same_number(why, "TTL", e->ip.ttl, s->ttl))
        return false;
    if (e->ip.has_flow_label && !pd_map_flow_label(map, e->ip.flow_label, s->flow_label))
        return differ(why,
                      "flow label: the script's 0x%x and the live 0x%x do not go together with 0x%x and 0x%x",
                      e->ip.flow_label, s->flow_label, map->script_flow_label, map->live_flow_label);
    return true;
}

static bool match_flags(const PdSeen *s, const PdTcp *e, char **why)
{
    static const struct {
        const char *name;
        uint16_t flag;
    } flags[] = {{"FIN", TCP_FIN}, {"SYN", TCP_SYN}, {"RST", TCP_RST}, {"PSH", TCP_PSH}, {"ACK", TCP_ACK},
                 {"URG", TCP_URG}, {"ECE", TCP_ECE}, {"CWR", TCP_CWR}, {"AE", TCP_AE}};
    uint16_t wrong = s->tcp.flags ^ e->flags;

    for (unsigned i = 0; i < HS_ARRAY_LEN(flags); i++) {
        if (!(wrong & flags[i].flag))
            continue;
        if (flags[i].flag & ECN_FLAGS && e->ace != PD_ACE_NONE)
            return same_number(why, "ACE field", (unsigned)e->ace,
                               (s->tcp.flags & TCP_AE ? 4u : 0) + (s->tcp.flags & TCP_CWR ? 2u : 0) +
                                   (s->tcp.flags & TCP_ECE ? 1u : 0));
        return differ(why, "%s flag: expected %d, saw %d", flags[i].name, !!(e->flags & flags[i].flag),
                      !!(s->tcp.flags & flags[i].flag));
    }
    return same_number(why, "reserved bits", 0, s->tcp.reserved);
}

static const char *option_name(uint8_t kind)
{
    switch (kind) {
    case TCP_OPT_EOL:
        return "eol";
    case TCP_OPT_NOP:
        return "nop";
    case TCP_OPT_MSS:
        return "mss";
    case TCP_OPT_WSCALE:
        return "wscale";
    case TCP_OPT_SACK_PERMITTED:
        return "sackOK";
    case TCP_OPT_SACK:
        return "sack";
    case TCP_OPT_TIMESTAMPS:
        return "TS";
    case TCP_OPT_FASTOPEN:
        return "FO";
    case TCP_OPT_EXPERIMENTAL:
        return "FOEXP";
    case TCP_OPT_MD5:
        return "md5";
    case PD_OPTION_ACCECN0:
        return "ECN (order 0)";
    case PD_OPTION_ACCECN1:
        return "ECN (order 1)";
    default:
        return "an unknown option";
    }
}

static bool match_ts(const PdTcpOption *seen, const PdTcpOption *e, const PdConfig *c, int64_t since_start_us,
                     char **why)
{
    int32_t off = (int32_t)(seen->ts_val - e->ts_val);
    int64_t by_percent = (int64_t)(c->tolerance_percent * (double)since_start_us / 100.0);
    int64_t tolerance = HS_MAX(c->tolerance_us, by_percent);

    if (c->ts_tick_us > 0 && ABS((int64_t)off) * c->ts_tick_us > tolerance)
        return differ(why,
                      "TS val: expected %u, saw %u: %" G_GINT64_FORMAT
                      " us apart, tolerance %" G_GINT64_FORMAT " us",
                      e->ts_val, seen->ts_val, (int64_t)off * c->ts_tick_us, tolerance);
    if (c->strict_ecr && !same_number(why, "TS ecr", e->ts_ecr, seen->ts_ecr))
        return false;
    return true;
}

static bool match_option(const PdTcpOption *seen, const PdTcpOption *e, unsigned nth, char **why)
{
    uint8_t a[64], b[64];
    size_t len;

    if (seen->kind != e->kind)
        return differ(why, "option %u: expected %s, saw %s", nth, option_name(e->kind),
                      option_name(seen->kind));
    if (!pd_option_is_same_shape(seen, e))
        return differ(why, "option %s: expected a length of %u, saw %u", option_name(e->kind),
                      pd_option_len(e), pd_option_len(seen));
    if (e->kind == TCP_OPT_TIMESTAMPS)
        return true;
    len = pd_options_encode(a, e, 1);
    pd_options_encode(b, seen, 1);
    if (memcmp(a, b, len) != 0)
        return differ(why, "option %s: another value than expected", option_name(e->kind));
    return true;
}

static bool match_options(const PdSeen *s, const PdTcp *e, const PdConfig *c, int64_t since_start_us,
                          char **why)
{
    for (unsigned i = 0; i < HS_MAX(s->n_options, e->n_options); i++) {
        if (i >= s->n_options)
            return differ(why, "option %s is missing", option_name(e->options[i].kind));
        if (i >= e->n_options)
            return differ(why, "option %s was not expected", option_name(s->options[i].kind));
        if (!match_option(&s->options[i], &e->options[i], i + 1, why))
            return false;
        if (e->options[i].kind == TCP_OPT_TIMESTAMPS &&
            !match_ts(&s->options[i], &e->options[i], c, since_start_us, why))
            return false;
    }
    return s->options_leftover == 0 || differ(why, "the options end with bytes that are none");
}

static bool match_tcp(const PdSeen *s, const PdTcp *e, const PdConfig *c, int64_t since_start_us, char **why)
{
    if (!e->any_options &&
        !same_number(why, "TCP header length", TCP_MIN_HDR_LEN + options_len(e), s->tcp.hdr_len))
        return false;
    if (!match_flags(s, e, why) || !same_number(why, "sequence number", e->seq, s->tcp.seq) ||
        !same_number(why, "acknowledgment number", e->ack, s->tcp.ack))
        return false;
    if (e->has_win && !same_number(why, "window", e->win, s->tcp.window))
        return false;
    if (!same_number(why, "urgent pointer", e->urg, s->tcp.urgent))
        return false;
    return e->any_options || match_options(s, e, c, since_start_us, why);
}

/* What the message complains about came from the script: its numbers are the remote side's. */
static bool match_quote(const PdSeen *s, const PdIcmp *e, const PdMap *map, char **why)
{
    static const uint8_t protos[] = {
        [PD_ECHOED_TCP] = IP_PROTO_TCP, [PD_ECHOED_UDP] = IP_PROTO_UDP, [PD_ECHOED_RAW] = IP_PROTO_RAW};

    if (e->echoed == PD_ECHOED_NONE)
        return true;
    if (!s->has_quote)
        return differ(why, "the ICMP message quotes no packet");
    if (!same_number(why, "protocol of the quoted packet", protos[e->echoed], s->quote_proto))
        return false;
    if (e->echoed == PD_ECHOED_TCP &&
        !same_number(why, "sequence number of the quoted packet", e->echoed_seq,
                     pd_map_remote_to_script(map, s->quote_seq, s->quote_flags & TCP_SYN)))
        return false;
    return same_number(why, "payload of the quoted packet", e->echoed_len, s->quote_len);
}

static bool match_icmp(const PdSeen *s, const PdIcmp *e, const PdMap *map, bool v6, char **why)
{
    if (!same_number(why, "ICMP type", e->type, s->icmp_type) ||
        !same_number(why, "ICMP code", e->code, s->icmp_code))
        return false;
    if (e->has_mtu && pd_icmp_has_mtu(v6, e->type, e->code) &&
        !same_number(why, "ICMP MTU", e->mtu, s->icmp_mtu))
        return false;
    if (e->has_id && !same_number(why, "ICMP identifier", e->id, s->icmp_id))
        return false;
    return match_quote(s, e, map, why);
}

bool pd_match_packet(const PdSeen *seen, const PdPacket *expected, PdMap *map, const PdConfig *config,
                     int64_t since_start_us, char **why)
{
    if (!match_ip(seen, expected, map, why))
        return false;
    if (expected->proto == PD_TCP && !match_tcp(seen, &expected->tcp, config, since_start_us, why))
        return false;
    if (expected->proto == PD_ICMP)
        return match_icmp(seen, &expected->icmp, map, seen->tuple.src.is_v6, why);
    return seen->payload_is_zero || differ(why, "payload: expected zeros only");
}
