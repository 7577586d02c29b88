/* Fields of the IPv4 and IPv6 headers. */
#include <inttypes.h>
#include <string.h>

#include "models/wire/tcp.h"
#include "step/reasons.h"

static void of_dscp(const Reasons *why, const WireField *f, GString *out)
{
    if (!f->value)
        g_string_append(out, "nobody asked for anything else (IP_TOS)");
    else if (why->proto == 1)
        g_string_append(out,
                        "routers send their errors with precedence (RFC 1812 4.3.2.5), and answers have the "
                        "class of the question");
    else
        g_string_append(out, "the sender's application set it (IP_TOS)");
}

/* RFC 3168 6.1: what may carry ECT. */
static void of_ecn(const Reasons *why, const WireField *f, GString *out)
{
    bool is_ecn = why->conn && why->conn->ecn.flags & (TCP_ECN_OK | TCP_ECN_MODE_ACCECN);

    if (f->value == 3)
        g_string_append(out, "a queue on the way marked it (CE) where it would have dropped another one");
    else if (f->value)
        g_string_append(out, "both ends speak ECN: queues may mark it instead of dropping it");
    else if (!why->has_tcp)
        g_string_append(out, "the sender did not ask for it");
    else if (why->flags & TCP_SYN)
        g_string_append(out, "a SYN never carries it: ECN is only being agreed on (RFC 3168 6.1.1)");
    else if (is_ecn && !why->data_len)
        g_string_append(out, "a segment without data must not carry it (RFC 3168 6.1.4)");
    else if (is_ecn)
        g_string_append(out, "a retransmission or window probe must not carry it (RFC 3168 6.1.5, 6.1.6)");
    else
        g_string_append(out, "ECN was not agreed on in the handshake (net.ipv4.tcp_ecn)");
}

static void of_length(const Reasons *why, uint32_t ip_hdr_len, GString *out)
{
    uint32_t data = why->ip_len + (why->is_ip6 ? 40 : 0);

    if (!why->l4_hdr_len || data < why->ip_hdr_len + why->l4_hdr_len)
        return;
    data -= why->ip_hdr_len + why->l4_hdr_len;
    if (ip_hdr_len)
        g_string_append_printf(out, "%" PRIu32 " (this header) + ", ip_hdr_len);
    g_string_append_printf(out, "%" PRIu32 " (%s) + %" PRIu32 " (data)", why->l4_hdr_len,
                           why->has_tcp          ? "TCP header"
                           : why->proto == 17    ? "UDP header"
                           : why->l4_hdr_len > 0 ? "ICMP header"
                                                 : "header",
                           data);
}

static void of_ttl(const WireField *f, bool is_ip6, GString *out)
{
    unsigned initial = f->value > 128 ? 255 : f->value > 64 ? 128 : f->value > 1 ? 64 : 1;

    if (f->value == initial)
        g_string_append_printf(out, "as its sender set it%s: no router has passed it on yet",
                               initial != 64 ? ""
                               : is_ip6      ? " (net.ipv6.conf.all.hop_limit)"
                                             : " (net.ipv4.ip_default_ttl)");
    else
        g_string_append_printf(out, "it began with %u, and %u router%s taken one each", initial,
                               initial - (unsigned)f->value, initial - f->value == 1 ? " has" : "s have");
}

static void of_address(const Reasons *why, bool is_src, GString *out)
{
    const Host *h = is_src ? why->sender : why->receiver;

    if (h && is_src)
        g_string_append_printf(
            out,
            "an address of %s: the one that the socket is bound to, or that its route prefers "
            "('ip route get')",
            host_node(h)->name);
    else if (h)
        g_string_append_printf(out,
                               "an address of %s: whom the sender's application named, or who is answered",
                               host_node(h)->name);
    else
        g_string_append(out, "no node here has this address: a broadcast, a group, or one that nobody owns");
}

static void of_flag(const Reasons *why, const WireField *f, GString *out)
{
    if (!strcmp(f->name, "evil"))
        g_string_append(out, f->value ? "somebody follows RFC 3514" : "as it must be");
    else if (!strcmp(f->name, "df") && f->value)
        g_string_append(out,
                        "path MTU discovery (RFC 1191): a router for whose link it is too long shall say so "
                        "instead of cutting it");
    else if (!strcmp(f->name, "df"))
        g_string_append(out, "the sender does no path MTU discovery for it (IP_MTU_DISCOVER, "
                             "net.ipv4.ip_no_pmtu_disc): routers may cut it");
    else if (f->value)
        g_string_append(out, "the datagram was longer than a link's MTU and was cut; more pieces follow");
    else
        g_string_append(out, "this is the whole datagram, or its last piece");
}

void reasons_ip(const Reasons *why, const WireField *f, GString *out)
{
    const char *name = f->name;

    if (!strcmp(name, "src") || !strcmp(name, "dst"))
        of_address(why, *name == 's', out);
    else if (!strcmp(name, "ttl"))
        of_ttl(f, false, out);
    else if (!strcmp(name, "version"))
        g_string_append(out, "the addresses are IPv4's");
    else if (!strcmp(name, "hdr_len") && f->value > 20)
        g_string_append_printf(out, "20, and %" PRIu64 " of options", f->value - 20);
    else if (!strcmp(name, "hdr_len"))
        g_string_append(out, "20: no options");
    else if (!strcmp(name, "tos"))
        g_string_append(out, "the next two together");
    else if (!strcmp(name, "dscp"))
        of_dscp(why, f, out);
    else if (!strcmp(name, "ecn"))
        of_ecn(why, f, out);
    else if (!strcmp(name, "len"))
        of_length(why, why->ip_hdr_len, out);
    else if (!strcmp(name, "id") && why->df)
        g_string_append(
            out, "the sender counts on; no one needs it, because the packet must not be cut (RFC 6864)");
    else if (!strcmp(name, "id"))
        g_string_append(out, "the sender counts on, so that pieces of different datagrams are not mixed up");
    else if (!strcmp(name, "flags"))
        g_string_append(out, "the next three together");
    else if (!strcmp(name, "evil") || !strcmp(name, "df") || !strcmp(name, "mf"))
        of_flag(why, f, out);
    else if (!strcmp(name, "frag_offset") && f->value)
        g_string_append_printf(out, "%" PRIu64 " bytes of the datagram stand in the pieces before this one",
                               f->value);
    else if (!strcmp(name, "frag_offset"))
        g_string_append(out, "it begins with the datagram's first byte");
    else if (!strcmp(name, "proto"))
        g_string_append(out, "the header of that protocol comes next");
    else if (!strcmp(name, "checksum"))
        g_string_append(
            out, "the ones' complement sum of this header's 16-bit words; every router that takes one from "
                 "the TTL corrects it");
}

void reasons_ip6(const Reasons *why, const WireField *f, GString *out)
{
    const char *name = f->name;

    if (!strcmp(name, "src") || !strcmp(name, "dst"))
        of_address(why, *name == 's', out);
    else if (!strcmp(name, "hop_limit"))
        of_ttl(f, true, out);
    else if (!strcmp(name, "version"))
        g_string_append(out, "the addresses are IPv6's");
    else if (!strcmp(name, "tc"))
        g_string_append(out, "the next two together");
    else if (!strcmp(name, "dscp"))
        of_dscp(why, f, out);
    else if (!strcmp(name, "ecn"))
        of_ecn(why, f, out);
    else if (!strcmp(name, "flow"))
        g_string_append(
            out, f->value ? "the sender computed it from the connection: its packets have the same one "
                            "(RFC 6437, net.ipv6.auto_flowlabels)"
                          : "the sender did not set it");
    else if (!strcmp(name, "len"))
        of_length(why, 0, out);
    else if (!strcmp(name, "next") || !strcmp(name, "proto"))
        g_string_append(out, "the header of that protocol comes next");
    else if (!strcmp(name, "extension"))
        g_string_append(out, "the sender has something to say that only some receivers of packets need");
    else if (!strcmp(name, "frag_offset"))
        g_string_append_printf(out, "%" PRIu64 " bytes of the datagram stand in the pieces before this one",
                               f->value);
    else if (!strcmp(name, "mf"))
        g_string_append(
            out, f->value
                     ? "the datagram was too long for the path, and its sender cut it; more pieces follow"
                     : "this is the last piece");
    else if (!strcmp(name, "id"))
        g_string_append(out, "the sender's choice: all pieces of the datagram have the same");
}
