/* The inverse of the parser: what --verbose and error messages show can be pasted into a script. */
#include "packetdrill/pd_format.h"

#include "models/wire/ipv4.h"
#include "packetdrill/pd_icmp.h"
#include "packetdrill/pd_option.h"
#include "sim/base/base.h"

static void format_ip(GString *out, const PdIpInfo *ip)
{
    static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};
    const char *comma = "";

    if (ip->tos_check == PD_TOS_NONE && !ip->has_flow_label && !ip->has_ttl)
        return;
    g_string_append_c(out, '[');
    if (ip->tos_check == PD_TOS_ECN)
        g_string_append(out, ecn[ip->tos & IP_ECN_MASK]);
    else if (ip->tos_check == PD_TOS_ECT01)
        g_string_append(out, "ect01");
    else if (ip->tos_check == PD_TOS_BYTE)
        g_string_append_printf(out, "tos 0x%02x", ip->tos);
    if (ip->tos_check != PD_TOS_NONE)
        comma = ", ";
    if (ip->has_flow_label) {
        g_string_append_printf(out, "%sflowlabel 0x%x", comma, ip->flow_label);
        comma = ", ";
    }
    if (ip->has_ttl)
        g_string_append_printf(out, "%sttl %u", comma, ip->ttl);
    g_string_append(out, "] ");
}

static void format_hex(GString *out, const PdTcpOption *o)
{
    if (o->n)
        g_string_append_c(out, ' ');
    for (unsigned i = 0; i < o->n; i++)
        g_string_append_printf(out, "%02x", o->bytes[i]);
}

static void format_option(GString *out, const PdTcpOption *o)
{
    static const char *const ecn[2][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};

    switch (o->kind) {
    case TCP_OPT_EOL:
        g_string_append(out, "eol");
        break;
    case TCP_OPT_NOP:
        g_string_append(out, "nop");
        break;
    case TCP_OPT_MSS:
        g_string_append_printf(out, "mss %u", o->value);
        break;
    case TCP_OPT_WSCALE:
        g_string_append_printf(out, "wscale %u", o->value);
        break;
    case TCP_OPT_SACK_PERMITTED:
        g_string_append(out, "sackOK");
        break;
    case TCP_OPT_SACK:
        g_string_append(out, "sack");
        for (unsigned i = 0; i < o->n; i++)
            g_string_append_printf(out, " %u:%u", o->sack[i].left, o->sack[i].right);
        break;
    case TCP_OPT_TIMESTAMPS:
        g_string_append_printf(out, "TS val %u ecr %u", o->ts_val, o->ts_ecr);
        break;
    case TCP_OPT_FASTOPEN:
        g_string_append(out, "FO");
        format_hex(out, o);
        break;
    case TCP_OPT_EXPERIMENTAL:
        g_string_append(out, "FOEXP");
        format_hex(out, o);
        break;
    case TCP_OPT_MD5:
        g_string_append(out, "md5");
        format_hex(out, o);
        break;
    case PD_OPTION_ACCECN0:
    case PD_OPTION_ACCECN1:
        g_string_append(out, "ECN");
        for (unsigned i = 0; i < o->n && i < 3; i++)
            g_string_append_printf(out, " %s %u", ecn[o->kind == PD_OPTION_ACCECN1][i], o->counter[i]);
        break;
    default:
        g_string_append_printf(out, "option %u", o->kind);
        format_hex(out, o);
        break;
    }
}

static void format_flags(GString *out, const PdTcp *t, bool ace_digits)
{
    static const struct {
        uint16_t flag;
        char letter;
    } letters[] = {{TCP_SYN, 'S'}, {TCP_FIN, 'F'}, {TCP_RST, 'R'}, {TCP_ECE, 'E'}, {TCP_CWR, 'W'},
                   {TCP_AE, 'A'},  {TCP_PSH, 'P'}, {TCP_URG, 'U'}, {TCP_ACK, '.'}};
    const uint16_t ecn = TCP_ECE | TCP_CWR | TCP_AE;
    gsize before = out->len;

    for (unsigned i = 0; i < HS_ARRAY_LEN(letters); i++) {
        if (t->flags & letters[i].flag && !(ace_digits && letters[i].flag & ecn))
            g_string_append_c(out, letters[i].letter);
    }
    if (ace_digits)
        g_string_append_printf(out, "%d",
                               (t->flags & TCP_AE ? 4 : 0) + (t->flags & TCP_CWR ? 2 : 0) +
                                   (t->flags & TCP_ECE ? 1 : 0));
    if (out->len == before)
        g_string_append_c(out, '-');
}

static void format_tcp(GString *out, const PdTcp *t, bool ace_digits)
{
    format_flags(out, t, ace_digits);
    g_string_append_printf(out, " %u:%u(%u)", t->seq, t->seq + t->len, t->len);
    if (t->flags & TCP_ACK || t->ack != 0)
        g_string_append_printf(out, " ack %u", t->ack);
    if (t->has_win)
        g_string_append_printf(out, " win %u", t->win);
    if (t->urg)
        g_string_append_printf(out, " urg %u", t->urg);
    if (t->any_options)
        g_string_append(out, " <...>");
    for (unsigned i = 0; i < t->n_options; i++) {
        g_string_append(out, i ? "," : " <");
        format_option(out, &t->options[i]);
    }
    if (t->n_options)
        g_string_append_c(out, '>');
}

static void format_icmp(GString *out, const PdIcmp *icmp, bool v6)
{
    const char *type = pd_icmp_type_name(v6, icmp->type),
               *code = pd_icmp_code_name(v6, icmp->type, icmp->code);

    if (type)
        g_string_append_printf(out, "icmp %s", type);
    else
        g_string_append_printf(out, "icmp type_%u", icmp->type);
    if (code)
        g_string_append_printf(out, " %s", code);
    else if (icmp->code)
        g_string_append_printf(out, " code_%u", icmp->code);
    if (icmp->has_mtu)
        g_string_append_printf(out, " mtu %u", icmp->mtu);
    if (icmp->has_id)
        g_string_append_printf(out, " id %u", icmp->id);
    if (icmp->echoed == PD_ECHOED_TCP)
        g_string_append_printf(out, " [%u:%u(%u)]", icmp->echoed_seq, icmp->echoed_seq + icmp->echoed_len,
                               icmp->echoed_len);
    else if (icmp->echoed != PD_ECHOED_NONE)
        g_string_append_printf(out, " [%s (%u)]", icmp->echoed == PD_ECHOED_UDP ? "udp" : "raw",
                               icmp->echoed_len);
}

void pd_format_packet(GString *out, const PdPacket *p, bool v6, bool ace_digits)
{
    g_string_append(out, p->dir == PD_INBOUND ? "< " : "> ");
    format_ip(out, &p->ip);
    if (p->has_ports)
        g_string_append_printf(out, "%u > %u ", p->src_port, p->dst_port);
    if (p->proto == PD_TCP)
        format_tcp(out, &p->tcp, ace_digits);
    else if (p->proto == PD_UDP)
        g_string_append_printf(out, "udp (%u)", p->udp_len);
    else
        format_icmp(out, &p->icmp, v6);
}

void pd_format_from_seen(PdPacket *out, const PdSeen *s, bool with_ecn)
{
    bool v6 = s->tuple.src.is_v6;

    *out = (PdPacket){.dir = PD_OUTBOUND};
    if (with_ecn) {
        out->ip.tos_check = s->tos & ~IP_ECN_MASK ? PD_TOS_BYTE : PD_TOS_ECN;
        out->ip.tos = s->tos;
    }
    if (s->ip_proto == IP_PROTO_TCP) {
        out->proto = PD_TCP;
        out->tcp = (PdTcp){.flags = s->tcp.flags,
                           .ace = PD_ACE_NONE,
                           .seq = s->tcp.seq,
                           .ack = s->tcp.ack,
                           .len = s->payload_len,
                           .win = s->tcp.window,
                           .urg = s->tcp.urgent,
                           .has_ack = true,
                           .has_win = true,
                           .has_urg = true,
                           .n_options = (uint8_t)s->n_options,
                           .options = (PdTcpOption *)s->options};
    } else if (s->ip_proto == IP_PROTO_UDP) {
        out->proto = PD_UDP;
        out->udp_len = s->payload_len;
    } else {
        out->proto = PD_ICMP;
        out->icmp = (PdIcmp){.type = s->icmp_type,
                             .code = s->icmp_code,
                             .has_mtu = pd_icmp_has_mtu(v6, s->icmp_type, s->icmp_code),
                             .mtu = s->icmp_mtu};
    }
}

void pd_format_time(GString *out, int64_t us)
{
    if (us < 0)
        g_string_append_c(out, '-');
    us = ABS(us);
    g_string_append_printf(out, "%" G_GINT64_FORMAT ".%06d", us / 1000000, (int)(us % 1000000));
}
