/* Packets: DIRECTION [ipinfo] [ports] BODY, where the body is TCP (here, options in pd_parse_options.c), udp
 * or icmp (pd_parse_icmp.c). */
#include <string.h>

#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "packetdrill/pd_option.h"
#include "packetdrill/pd_parse_priv.h"

#define MAX_SEGMENT 65535

static bool set_ecn(PdParser *p, PdPacket *packet, const char *word)
{
    static const struct {
        const char *name;
        uint8_t ecn;
    } names[] = {{"noecn", IP_ECN_NOT_ECT}, {"ect0", IP_ECN_ECT0}, {"ect1", IP_ECN_ECT1}, {"ce", IP_ECN_CE}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++) {
        if (strcmp(word, names[i].name) == 0) {
            packet->ip.tos_check = PD_TOS_ECN;
            packet->ip.tos = names[i].ecn;
            return true;
        }
    }
    if (strcmp(word, "ect01") != 0)
        return pd_parser_fail(p, p->lex.tok.loc,
                              "expected noecn, ect0, ect1, ect01, ce, tos, flowlabel or ttl, found '%s'",
                              word);
    if (packet->dir == PD_INBOUND)
        return pd_parser_fail(p, p->lex.tok.loc, "[ect01] is a question, for outbound packets only");
    packet->ip.tos_check = PD_TOS_ECT01;
    return true;
}

static bool parse_ip_item(PdParser *p, PdPacket *packet)
{
    const char *word = p->lex.tok.text;
    PdLoc loc = p->lex.tok.loc;
    bool is_tos =
        p->lex.tok.kind == PD_TOKEN_WORD && strcmp(word, "flowlabel") != 0 && strcmp(word, "ttl") != 0;
    uint64_t v;

    if (is_tos && packet->ip.tos_check != PD_TOS_NONE)
        return pd_parser_fail(p, loc, "'%s' sets the TOS byte a second time", word);
    if (p->lex.tok.kind != PD_TOKEN_WORD)
        return pd_parser_expected(p, "noecn, ect0, ect1, ect01, ce, tos, flowlabel or ttl");
    if ((packet->ip.has_ttl && strcmp(word, "ttl") == 0) ||
        (packet->ip.has_flow_label && strcmp(word, "flowlabel") == 0))
        return pd_parser_fail(p, loc, "'%s' is written twice", word);
    if (strcmp(word, "tos") == 0) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "a TOS byte", 255, &v))
            return false;
        packet->ip.tos_check = PD_TOS_BYTE;
        packet->ip.tos = (uint8_t)v;
    } else if (strcmp(word, "flowlabel") == 0) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "a flow label", 0xfffff, &v))
            return false;
        if (p->script->ip_version != PD_IPV6)
            return pd_parser_fail(p, loc, "flow labels are IPv6's, and this test's IP version is 4");
        packet->ip.has_flow_label = true;
        packet->ip.flow_label = (uint32_t)v;
    } else if (strcmp(word, "ttl") == 0) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "a TTL", 255, &v))
            return false;
        packet->ip.has_ttl = true;
        packet->ip.ttl = (uint8_t)v;
    } else {
        if (!set_ecn(p, packet, word))
            return false;
        pd_lex_next(&p->lex);
    }
    return true;
}

static bool parse_ip_info(PdParser *p, PdPacket *packet)
{
    char close = pd_parser_is_punct(p, '[') ? ']' : ')';

    do {
        pd_lex_next(&p->lex);
        if (!parse_ip_item(p, packet))
            return false;
    } while (pd_parser_is_punct(p, ','));
    return pd_parser_take_punct(p, close, "behind the IP fields");
}

static bool parse_ports(PdParser *p, PdPacket *packet)
{
    uint64_t src, dst;

    if (!pd_parser_take_uint(p, "a port", 65535, &src) ||
        !pd_parser_take_punct(p, '>', "between source and destination port") ||
        !pd_parser_take_uint(p, "a port", 65535, &dst))
        return false;
    packet->has_ports = true;
    packet->src_port = (uint16_t)src;
    packet->dst_port = (uint16_t)dst;
    return true;
}

/* "4000 > 8080" begins with a number and so may TCP's flags: look one token further, on a copy. */
static bool ports_follow(const PdParser *p)
{
    PdLex ahead = p->lex;

    if (ahead.tok.kind != PD_TOKEN_INT)
        return false;
    pd_lex_next(&ahead);
    return ahead.tok.kind == PD_TOKEN_PUNCT && ahead.tok.value == '>';
}

bool pd_parse_length(PdParser *p, uint32_t *len)
{
    uint64_t v;

    if (!pd_parser_take_punct(p, '(', "and the payload's length") ||
        !pd_parser_take_uint(p, "a payload length", MAX_SEGMENT, &v) ||
        !pd_parser_take_punct(p, ')', "behind the payload's length"))
        return false;
    *len = (uint32_t)v;
    return true;
}

bool pd_parse_seq_range(PdParser *p, uint32_t *seq, uint32_t *len)
{
    PdLoc loc = p->lex.tok.loc;
    uint64_t from, to;

    if (!pd_parser_take_uint(p, "a sequence number", UINT32_MAX, &from) ||
        !pd_parser_take_punct(p, ':', "between the ends of a sequence range") ||
        !pd_parser_take_uint(p, "a sequence number", UINT32_MAX, &to) || !pd_parse_length(p, len))
        return false;
    if ((uint32_t)from + *len != (uint32_t)to)
        return pd_parser_fail(
            p, loc,
            "the sequence range %u:%u does not hold %u bytes; expected %u:%u(%u) (SYN and FIN "
            "do not count)",
            (unsigned)from, (unsigned)to, *len, (unsigned)from, (uint32_t)from + *len, *len);
    *seq = (uint32_t)from;
    return true;
}

/* Letters S F R P U E W A, a dot for ACK (last, but for an ACE digit), or one digit; "-" alone: none. */
static bool parse_tcp_flags(PdParser *p, PdTcp *tcp)
{
    static const struct {
        char letter;
        uint16_t flag;
    } letters[] = {{'S', TCP_SYN}, {'F', TCP_FIN}, {'R', TCP_RST}, {'P', TCP_PSH}, {'U', TCP_URG},
                   {'E', TCP_ECE}, {'W', TCP_CWR}, {'A', TCP_AE},  {'.', TCP_ACK}};
    PdLoc loc;
    const char *text, *defined;
    bool has_dot = false;

    if (p->lex.tok.kind == PD_TOKEN_END)
        return pd_parser_expected(p, "TCP flags");
    text = pd_lex_raw(&p->lex, "/", false, &loc); /* up to a comment, too */
    /* A defined word, unless it can be read as flags itself. */
    defined = text[strspn(text, "SFRPUEWA.-01234567")] ? pd_defines_find(p->lex.defines, text) : NULL;
    text = defined ? defined : text;
    tcp->ace = PD_ACE_NONE;
    if (strcmp(text, "-") == 0)
        return true;
    if (!*text)
        return pd_parser_fail(p, loc, "expected TCP flags, found nothing");
    for (const char *c = text; *c; c++) {
        unsigned i = 0;

        if (*c >= '0' && *c <= '7' && tcp->ace == PD_ACE_NONE) {
            tcp->ace = *c - '0';
            continue;
        }
        while (i < HS_ARRAY_LEN(letters) && letters[i].letter != *c)
            i++;
        if (i == HS_ARRAY_LEN(letters))
            return pd_parser_fail(
                p, loc,
                "expected udp, icmp or TCP flags (S F R P U E W A . or one digit 0-7, or -), "
                "found '%s'",
                text);
        if (tcp->flags & letters[i].flag)
            return pd_parser_fail(p, loc, "a flag is written twice in '%s'", text);
        if (has_dot)
            return pd_parser_fail(p, loc, "the dot (ACK) comes last in TCP flags, found '%s'", text);
        has_dot = *c == '.';
        tcp->flags |= letters[i].flag;
    }
    if (tcp->ace != PD_ACE_NONE && tcp->flags & (TCP_ECE | TCP_CWR | TCP_AE))
        return pd_parser_fail(p, loc, "an ACE digit and the letters E, W, A exclude each other: '%s'", text);
    if (tcp->ace != PD_ACE_NONE)
        tcp->flags |= (uint16_t)((tcp->ace & 4 ? TCP_AE : 0) | (tcp->ace & 2 ? TCP_CWR : 0) |
                                 (tcp->ace & 1 ? TCP_ECE : 0));
    return true;
}

static bool parse_tcp(PdParser *p, PdPacket *packet)
{
    PdTcp *tcp = &packet->tcp;
    PdLoc loc = p->lex.tok.loc;
    uint64_t v;

    packet->proto = PD_TCP;
    if (!parse_tcp_flags(p, tcp) || !pd_parse_seq_range(p, &tcp->seq, &tcp->len))
        return false;
    if (pd_parser_is_word(p, "ack")) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "an acknowledgment number", UINT32_MAX, &v))
            return false;
        tcp->has_ack = true;
        tcp->ack = (uint32_t)v;
    }
    if (pd_parser_is_word(p, "win")) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "a window as in the header (unscaled)", 65535, &v))
            return false;
        tcp->has_win = true;
        tcp->win = (uint16_t)v;
    }
    if (pd_parser_is_word(p, "urg")) {
        pd_lex_next(&p->lex);
        if (!pd_parser_take_uint(p, "an urgent pointer", 65535, &v))
            return false;
        tcp->has_urg = true;
        tcp->urg = (uint16_t)v;
    }
    if (packet->dir == PD_INBOUND && !tcp->has_win)
        return pd_parser_fail(p, loc, "an inbound TCP packet needs its window: win N");
    if (pd_parser_is_punct(p, '<') && !pd_parse_tcp_options(p, tcp, packet->dir))
        return false;
    return true;
}

/* An inbound packet is one datagram, whose length has 16 bits: total_length with IPv4's header,
 * payload_length without IPv6's. Outbound lines may stand for several. */
static bool fits(PdParser *p, PdLoc loc, const PdPacket *packet, unsigned headers, uint32_t len)
{
    unsigned room = IPV4_MAX_LEN - headers - (p->script->ip_version == PD_IPV6 ? 0 : IPV4_MIN_HDR_LEN);

    if (packet->dir != PD_INBOUND || len <= room)
        return true;
    return pd_parser_fail(p, loc, "a payload of %u bytes does not fit in one packet: expected at most %u",
                          len, room);
}

static unsigned tcp_header_len(const PdTcp *tcp)
{
    unsigned len = TCP_MIN_HDR_LEN;

    for (unsigned i = 0; i < tcp->n_options; i++)
        len += pd_option_len(&tcp->options[i]);
    return len;
}

static bool is_encapsulation(const PdParser *p)
{
    static const char *const words[] = {"ipv4", "ipv6", "gre", "mpls", "encap"};

    for (unsigned i = 0; i < HS_ARRAY_LEN(words); i++) {
        if (pd_parser_is_word(p, words[i]))
            return true;
    }
    return false;
}

bool pd_parse_packet(PdParser *p, PdPacket *packet)
{
    PdLoc loc = p->lex.tok.loc;

    packet->dir = pd_parser_is_punct(p, '<') ? PD_INBOUND : PD_OUTBOUND;
    pd_lex_next(&p->lex);
    if ((pd_parser_is_punct(p, '[') || pd_parser_is_punct(p, '(')) && !parse_ip_info(p, packet))
        return false;
    if (is_encapsulation(p))
        return pd_parser_fail(p, p->lex.tok.loc, "encapsulation (%s) is not supported", p->lex.tok.text);
    if (ports_follow(p) && !parse_ports(p, packet))
        return false;
    if (pd_parser_is_word(p, "udp")) {
        pd_lex_next(&p->lex);
        packet->proto = PD_UDP;
        if (!packet->has_ports && p->lex.tok.kind == PD_TOKEN_INT && !parse_ports(p, packet))
            return false;
        return pd_parse_length(p, &packet->udp_len) && fits(p, loc, packet, UDP_HDR_LEN, packet->udp_len);
    }
    if (pd_parser_is_word(p, "icmp")) {
        pd_lex_next(&p->lex);
        packet->proto = PD_ICMP;
        return pd_parse_icmp(p, packet);
    }
    return parse_tcp(p, packet) && fits(p, loc, packet, tcp_header_len(&packet->tcp), packet->tcp.len);
}
