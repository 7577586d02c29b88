/* Fields of the TCP header and its options. */
#include <inttypes.h>
#include <string.h>

#include "models/wire/tcp.h"
#include "step/reasons.h"

static void of_seq(const Reasons *why, GString *out)
{
    const TcpConn *c = why->conn;

    if (why->flags & TCP_SYN) {
        g_string_append(
            out,
            "the initial sequence number: a secret hash of addresses and ports, and the time (RFC 6528), "
            "so that nobody can guess it");
        return;
    }
    if (why->has_isn)
        g_string_append_printf(out, "%" PRIu32 " behind the SYN's", why->seq - why->isn);
    if (!c || c->state == TCP_LISTEN)
        return;
    g_string_append_printf(out,
                           "%sthe sender has sent up to SND.NXT=%" PRIu32 ", and all before SND.UNA=%" PRIu32
                           " is "
                           "acknowledged",
                           out->len ? ": " : "", c->snd_nxt, c->snd_una);
    if ((int32_t)(why->seq - c->snd_una) > 0)
        g_string_append_printf(out, "; %" PRIu32 " bytes before this are under way", why->seq - c->snd_una);
    else if ((int32_t)(c->snd_nxt - why->seq) > 0 && why->seq == c->snd_una && c->retransmits)
        g_string_append(out, "; this is the oldest unacknowledged byte, sent again");
}

static void of_ackno(const Reasons *why, GString *out)
{
    if (!(why->flags & TCP_ACK)) {
        g_string_append(out, "it does not count: the flag ACK is off");
        return;
    }
    if (why->has_peer_isn && why->ack - why->peer_isn == 1)
        g_string_append(out, "the other side's SYN, which counts as one byte, has arrived");
    else if (why->has_peer_isn)
        g_string_append_printf(out, "%" PRIu32 " behind the other side's SYN: all before it has arrived",
                               why->ack - why->peer_isn);
    if (why->conn)
        g_string_append_printf(out, "%sthe sender's RCV.NXT is %" PRIu32, out->len ? "; " : "",
                               why->conn->rcv_nxt);
}

static void of_flags(const Reasons *why, GString *out)
{
    if (why->flags & TCP_RST)
        g_string_append(out, "the connection is cut off, or does not exist");
    else if (why->flags & TCP_SYN)
        g_string_append(out,
                        why->flags & TCP_ACK ? "the handshake's second step" : "the handshake's first step");
    else if (why->flags & TCP_FIN)
        g_string_append(out, "the sender has no more to send");
    else
        g_string_append(out,
                        why->data_len ? "data, and an acknowledgment with it" : "an acknowledgment alone");
}

static const char *of_ecn_bit(const Reasons *why, const char *name, bool on)
{
    bool syn = why->flags & TCP_SYN,
         is_ecn = why->conn && why->conn->ecn.flags & (TCP_ECN_OK | TCP_ECN_MODE_ACCECN);

    if (!strcmp(name, "ae"))
        return on ? (syn ? "Accurate ECN is offered (net.ipv4.tcp_ecn)"
                         : "part of the count of marked packets (Accurate ECN)")
                  : "Accurate ECN is not in use, or this is a part of its count";
    if (!strcmp(name, "ece"))
        return on       ? (syn ? "ECN is offered or accepted (net.ipv4.tcp_ecn)"
                               : "a marked packet has arrived: it is repeated until the other side answers with "
                                 "CWR")
               : is_ecn ? "no marked packet has arrived that was not answered yet"
               : syn    ? "ECN is not offered (net.ipv4.tcp_ecn)"
                        : "ECN was not agreed on";
    return on       ? (syn ? "with ECE in the first SYN: ECN is offered"
                           : "the sender has answered the mark: it has reduced its congestion window (RFC 3168 "
                             "6.1.2)")
           : is_ecn ? "no mark was answered since"
                    : "ECN was not agreed on";
}

static const char *of_push(const Reasons *why, bool on)
{
    if (on)
        return "nothing more of what the application wrote waits behind this, or half the largest window was "
               "sent since "
               "the last one (Linux tcp_push, forced_push)";
    return why->data_len ? "more data waits behind it" : "there is no data in it";
}

static void of_bit(const Reasons *why, const WireField *f, GString *out)
{
    bool on = f->value;
    const char *name = f->name, *text = "";

    if (!strcmp(name, "ae") || !strcmp(name, "ece") || !strcmp(name, "cwr"))
        text = of_ecn_bit(why, name, on);
    else if (!strcmp(name, "urg"))
        text = on ? "the application sent urgent data (MSG_OOB)" : "there is no urgent data";
    else if (!strcmp(name, "ack"))
        text = on ? "something has arrived that can be acknowledged: so it is in all segments but the first"
                  : "nothing has arrived yet from the other side";
    else if (!strcmp(name, "psh"))
        text = of_push(why, on);
    else if (!strcmp(name, "rst"))
        text = on ? "there is no such connection, or one side gave it up (RFC 9293 3.5.2)"
                  : "the connection is in order";
    else if (!strcmp(name, "syn"))
        text = on ? "the sender opens its direction of the connection"
                  : "only the first segment of each direction has it";
    else if (!strcmp(name, "fin"))
        text = on ? "the sender's application has closed or shut down its side; the FIN counts as one byte"
                  : "the sender's application may write more";
    g_string_append(out, text);
}

static void of_window(const Reasons *why, const WireField *f, GString *out)
{
    unsigned scale = why->conn ? why->conn->win.rcv_wscale : 0;

    if (why->flags & TCP_RST)
        g_string_append(out, "a RST's window does not count");
    else if (why->flags & TCP_SYN)
        g_string_append(
            out, "the first receive window, which grows with use (net.ipv4.tcp_rmem); a SYN's window is "
                 "never scaled (RFC 7323 2.2)");
    else if (!f->value)
        g_string_append(
            out, "its receive buffer is full: the application has not read (zero window, RFC 9293 3.8.6)");
    else if (why->conn)
        g_string_append_printf(
            out, "%" PRIu64 " << %u = %" PRIu64 " bytes: room in its receive buffer (SO_RCVBUF %" PRIu32 ")",
            f->value, scale, f->value << scale, why->conn->win.rcvbuf);
    else
        g_string_append(out, "room in the sender's receive buffer, scaled as its SYN said");
}

static void of_sack(Reasons *why, const WireField *f, GString *out)
{
    bool is_left = !strcmp(f->name, "sack_left");

    if (is_left)
        why->n_sack++;
    if (is_left && (int32_t)((uint32_t)f->value - why->ack) < 0)
        g_string_append(out, "before the acknowledged byte: it arrived twice (D-SACK, RFC 2883)");
    else if (is_left)
        g_string_append_printf(out,
                               "bytes from here on have arrived out of order: %" PRIu32
                               " bytes from the acknowledged one to here %s",
                               (uint32_t)f->value - why->ack,
                               why->n_sack == 1 ? "are missing, in part or whole" : "are not all there");
    else
        g_string_append(out, "… and up to here: the block that arrived last comes first (RFC 2018 4)");
    if (why->has_peer_isn)
        g_string_append_printf(out, " (%" PRIu32 " behind the SYN's)", (uint32_t)f->value - why->peer_isn);
}

static void of_data_len(const Reasons *why, GString *out)
{
    const TcpConn *c = why->conn;

    if (!why->data_len)
        g_string_append(out, why->flags & (TCP_SYN | TCP_FIN | TCP_RST)
                                 ? "the flags are what it is about"
                                 : "nothing was to be sent: it only acknowledges");
    else if (c && why->data_len % HS_MAX(c->mss_cache, 1) == 0)
        g_string_append_printf(out,
                               "full segments: the MSS is %" PRIu32
                               " (what the other side can take, and the path's MTU, "
                               "less headers and options)",
                               (uint32_t)c->mss_cache);
    else
        g_string_append(out, "the rest of what the application wrote, or of the window");
}

static void of_option(Reasons *why, const WireField *f, GString *out)
{
    const char *name = f->name;

    if (!strcmp(name, "options"))
        g_string_append(out, why->flags & TCP_SYN ? "what the sender offers, or accepts of what was offered"
                                                  : "those that both sides named in their SYNs");
    else if (!strcmp(name, "mss"))
        g_string_append(
            out, "the MTU of the sender's device (or its route's advmss) without the IP and TCP headers");
    else if (!strcmp(name, "wscale"))
        g_string_append(out, "large enough for the largest receive buffer it may get (net.ipv4.tcp_rmem, "
                             "net.core.rmem_max)");
    else if (!strcmp(name, "sack_permitted"))
        g_string_append(out, "net.ipv4.tcp_sack is on; it is used if both sides say so");
    else if (!strcmp(name, "ts_val"))
        g_string_append(out,
                        "the sender's clock in ms, with an offset of its own for each pair of addresses");
    else if (!strcmp(name, "ts_ecr") && !f->value)
        g_string_append(out, "nothing was heard yet from the other side");
    else if (!strcmp(name, "ts_ecr"))
        g_string_append(
            out,
            "the other side's timestamp value, sent back: it measures the round trip with it (RFC 7323 4.1)");
    else if (!strcmp(name, "sack_left") || !strcmp(name, "sack_right"))
        of_sack(why, f, out);
    else if (!strcmp(name, "tfo_cookie"))
        g_string_append(
            out,
            "Fast Open (RFC 7413): empty it asks for a cookie; filled, it shows that the client owns its "
            "address, so that data may come with the SYN");
}

void reasons_tcp(Reasons *why, const WireField *f, GString *out)
{
    if (f->kind == WIRE_BOOL && strlen(f->name) <= 3)
        of_bit(why, f, out);
    else if (!strcmp(f->name, "seq"))
        of_seq(why, out);
    else if (!strcmp(f->name, "ackno"))
        of_ackno(why, out);
    else if (!strcmp(f->name, "hdr_len") && f->value > 20)
        g_string_append_printf(out, "20, and %" PRIu64 " of options", f->value - 20);
    else if (!strcmp(f->name, "hdr_len"))
        g_string_append(out, "20: no options");
    else if (!strcmp(f->name, "flags"))
        of_flags(why, out);
    else if (!strcmp(f->name, "reserved"))
        g_string_append(out, "as it must be");
    else if (!strcmp(f->name, "window"))
        of_window(why, f, out);
    else if (!strcmp(f->name, "checksum"))
        g_string_append(
            out,
            "the ones' complement sum over both addresses, the length, header and data, as the sender's card "
            "computed it");
    else if (!strcmp(f->name, "urgent"))
        g_string_append(out, why->flags & TCP_URG
                                 ? "where the urgent data ends, counted from the sequence number"
                                 : "it does not count: the flag URG is off");
    else if (!strcmp(f->name, "data_len"))
        of_data_len(why, out);
    else
        of_option(why, f, out);
}
