#include "step/reasons.h"

#include <inttypes.h>
#include <string.h>

#include "models/wire/ipv6_addr.h"
#include "models/wire/mac.h"
#include "models/wire/tcp.h"

/* ---- the packet as a whole ---- */

static Host *host_with(const Net *net, const InetAddr *addr)
{
    const char *name = inet_is_ip4(addr) ? net_name_of(net, inet_ip4(addr)) : NULL;

    if (name)
        return net_host_by_name(net, name);
    for (unsigned i = 0; i < net_host_count(net) && !inet_is_ip4(addr); i++) {
        Host *h = net_host_at(net, i);
        Ipv6Prefix p;
        Ip4If *at;

        for (unsigned k = 0; host_has_ip6(h) && ip6_addr_at(host_ip6(h), k, &at, &p); k++) {
            InetAddr mine = inet_from_ip6(&p.addr);

            if (inet_eq(&mine, addr))
                return h;
        }
    }
    return NULL;
}

static void match_conn(void *user, const TcpEntry *e)
{
    Reasons *why = user;

    if (e->conn && e->state != TCP_LISTEN && e->local.port == why->sport && e->remote.port == why->dport &&
        inet_eq(&e->remote.addr, &why->dst))
        why->conn = e->conn;
}

static void begin_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Reasons *why = user;

    why->depth = (unsigned)depth;
    if (depth)
        return;
    if (layer->id == WIRE_LAYER_TCP || layer->id == WIRE_LAYER_UDP || layer->id == WIRE_LAYER_ICMP ||
        layer->id == WIRE_LAYER_ICMP6)
        why->l4_hdr_len = (uint32_t)len;
    if (layer->id == WIRE_LAYER_IP || layer->id == WIRE_LAYER_IP6)
        why->ip_hdr_len = (uint32_t)len;
}

static void take_ip(Reasons *why, const WireField *f)
{
    Ipv6Addr a6;

    if (f->kind == WIRE_IP6)
        memcpy(&a6, f->bytes, sizeof(a6));
    if (!strcmp(f->name, "src"))
        why->src = f->kind == WIRE_IP6 ? inet_from_ip6(&a6) : inet_from_ip4((uint32_t)f->value);
    else if (!strcmp(f->name, "dst"))
        why->dst = f->kind == WIRE_IP6 ? inet_from_ip6(&a6) : inet_from_ip4((uint32_t)f->value);
    else if (!strcmp(f->name, "proto"))
        why->proto = (uint8_t)f->value;
    else if (!strcmp(f->name, "len"))
        why->ip_len = (uint32_t)f->value;
    else if (!strcmp(f->name, "df"))
        why->df = f->value;
    why->has_ends = true;
}

static void take_l4(Reasons *why, const WireField *f)
{
    if (!strcmp(f->name, "sport"))
        why->sport = (uint16_t)f->value;
    else if (!strcmp(f->name, "dport"))
        why->dport = (uint16_t)f->value;
    else if (!strcmp(f->name, "seq"))
        why->seq = (uint32_t)f->value;
    else if (!strcmp(f->name, "ackno"))
        why->ack = (uint32_t)f->value;
    else if (!strcmp(f->name, "flags"))
        why->flags = (uint16_t)f->value;
    else if (!strcmp(f->name, "data_len"))
        why->data_len = (uint32_t)f->value;
}

static void take(void *user, const WireLayer *layer, const WireField *f)
{
    Reasons *why = user;

    if (why->depth)
        return;
    if (layer->id == WIRE_LAYER_IP || layer->id == WIRE_LAYER_IP6) {
        why->is_ip6 = layer->id == WIRE_LAYER_IP6;
        take_ip(why, f);
    } else if (layer->id == WIRE_LAYER_TCP || layer->id == WIRE_LAYER_UDP) {
        why->has_tcp = layer->id == WIRE_LAYER_TCP;
        take_l4(why, f);
    }
}

void reasons_init(Reasons *why, const StepInspect *w, WireLinkType link, const uint8_t *bytes, size_t len)
{
    const WireSink sink = {.user = why, .no_text = true, .begin_layer = begin_layer, .field = take};

    *why = (Reasons){.w = w, .r = w->record};
    if (wire_link_type_is_known(link))
        wire_dissect(link, bytes, len, &sink);
    if (!why->has_ends)
        return;
    why->sender = host_with(w->net, &why->src);
    why->receiver = host_with(w->net, &why->dst);
    if (!why->has_tcp)
        return;
    if (why->sender && host_has_tcp(why->sender))
        tcp_foreach(host_tcp(why->sender), match_conn, why);
    why->has_isn = w->seqs && stepseqs_packet(w->seqs, w->record, false, &why->isn);
    why->has_peer_isn = w->seqs && stepseqs_packet(w->seqs, w->record, true, &why->peer_isn);
}

/* ---- links ---- */

/* The device with that MAC address, as "client:eth0"; NULL: nobody's. */
static char *owner_of_mac(const Net *net, uint64_t mac)
{
    for (unsigned i = 0; i < net_host_count(net); i++) {
        Host *h = net_host_at(net, i);

        for (unsigned d = 0; d < host_dev_count(h); d++)
            if (mac_to_u64(host_dev_at(h, d)->mac) == mac && mac)
                return g_strdup_printf("%s:%s", host_node(h)->name, host_dev_at(h, d)->name);
    }
    return NULL;
}

static void of_eth(const Reasons *why, const WireField *f, GString *out)
{
    g_autofree char *owner = f->kind == WIRE_MAC ? owner_of_mac(why->w->net, f->value) : NULL;

    if (f->kind == WIRE_MAC && f->value == UINT64_C(0xffffffffffff))
        g_string_append(out, "to everybody on this segment: the sender does not know whose card it wants, or "
                             "means all of them");
    else if (f->kind == WIRE_MAC && !strcmp(f->name, "dst") && f->value >> 40 & 1)
        g_string_append(out,
                        "a group's address: several cards take it (an IPv4 group's last 23 bits stand behind "
                        "01:00:5e)");
    else if (owner && !strcmp(f->name, "dst"))
        g_string_append_printf(
            out,
            "%s: the next hop of the sender's route ('ip route get'), and the card that its "
            "neighbour cache has for it ('ip neigh')",
            owner);
    else if (owner)
        g_string_append_printf(out, "%s put it on this wire; every router on the way writes its own", owner);
    else if (f->kind == WIRE_MAC)
        g_string_append(out, "no host's card: a switch's own, or made up");
    else if (!strcmp(f->name, "type"))
        g_string_append(out, "the header of that protocol comes next");
    else if (!strcmp(f->name, "len"))
        g_string_append(out,
                        "1500 or less is no type: the length of what follows, and an LLC header comes next "
                        "(IEEE 802.3)");
}

static void of_vlan(const WireField *f, GString *out)
{
    if (!strcmp(f->name, "vid"))
        g_string_append(
            out, "the VLAN of the port by which the frame came to the first switch, or of the sender's "
                 "own VLAN device");
    else if (!strcmp(f->name, "pcp"))
        g_string_append(out, f->value ? "its sender set it" : "nobody asked for another one");
    else if (!strcmp(f->name, "dei"))
        g_string_append(out, f->value ? "its sender set it" : "nobody marked it");
    else if (!strcmp(f->name, "type"))
        g_string_append(
            out, "the type that stood before the tag was put in: the header of that protocol comes next");
}

static void of_arp(const Reasons *why, const WireField *f, GString *out)
{
    const char *name = f->kind == WIRE_IP4 ? net_name_of(why->w->net, (uint32_t)f->value) : NULL;
    g_autofree char *owner = f->kind == WIRE_MAC ? owner_of_mac(why->w->net, f->value) : NULL;

    if (name)
        g_string_append_printf(out, "an address of %s", name);
    else if (f->kind == WIRE_IP4)
        g_string_append(out, f->value ? "no node here has this address"
                                      : "a probe: it has no address yet (RFC 5227)");
    else if (owner)
        g_string_append_printf(out, "the card %s", owner);
    else if (!strcmp(f->name, "tha"))
        g_string_append(out, "this is what is being asked for");
    else if (!strcmp(f->name, "htype") || !strcmp(f->name, "hlen"))
        g_string_append(out, "the link is an Ethernet");
    else if (!strcmp(f->name, "ptype") || !strcmp(f->name, "plen"))
        g_string_append(out, "the address in question is one of IPv4");
    else if (!strcmp(f->name, "op"))
        g_string_append(
            out, f->value == 1
                     ? "a packet waits for that neighbour's address, or a known one is to be confirmed, "
                       "or somebody tells his own (RFC 826, RFC 5227)"
                 : f->value == 2 ? "the answer goes to whoever asked (RFC 826)"
                                 : "reverse ARP: somebody asks for his own IP address (RFC 903)");
}

/* ---- UDP, ICMP and payload ---- */

static void of_port(const Reasons *why, const WireField *f, GString *out)
{
    const Ip4Sysctl *s = why->sender ? ip4_sysctl_get(host_ip4(why->sender)) : NULL;

    if (s && f->value >= s->port_low && f->value <= s->port_high)
        g_string_append(out, "an ephemeral port, chosen by the host of whoever began "
                             "(net.ipv4.ip_local_port_range)");
    else
        g_string_append_printf(out, "the port that %s is bound to",
                               !strcmp(f->name, "sport") ? "the sender's socket"
                                                         : "the socket at the other end");
}

static void of_udp(const Reasons *why, const WireField *f, GString *out)
{
    if (!strcmp(f->name, "sport") || !strcmp(f->name, "dport"))
        of_port(why, f, out);
    else if (!strcmp(f->name, "len") && f->value >= 8)
        g_string_append_printf(out, "8 bytes of header and %" PRIu64 " that the application sent",
                               f->value - 8);
    else if (!strcmp(f->name, "checksum"))
        g_string_append(out, f->value
                                 ? "the sum over both addresses, the length, header and data, as the sender "
                                   "computed it"
                                 : "none was computed (SO_NO_CHECK)");
}

static void of_icmp(const Reasons *why, const WireField *f, GString *out)
{
    if (!strcmp(f->name, "type"))
        g_string_append(
            out, f->value == 8 || f->value == 128 ? "an application on the sender pings"
                 : f->value == 0 || f->value == 129
                     ? "the receiver of an echo request answers it, whoever asks "
                       "(net.ipv4.icmp_echo_ignore_all is off)"
                 : f->value >= 133 && f->value <= 137
                     ? "hosts and routers of a link find each other, and each other's link-layer addresses "
                       "(RFC 4861)"
                 : f->value >= 130
                     ? "routers learn which groups somebody on the link listens to (RFC 2710, RFC 3810)"
                     : "something happened to the packet that is quoted below, and its sender shall know");
    else if (!strcmp(f->name, "code"))
        g_string_append(out, f->value ? "see its text: what exactly happened"
                                      : "the type has no more to say, or this is its first case");
    else if (!strcmp(f->name, "id"))
        g_string_append(out, "the pinging program's; the answer has the same");
    else if (!strcmp(f->name, "seq"))
        g_string_append(out, "the program counts its questions; the answer has the same number");
    else if (!strcmp(f->name, "mtu"))
        g_string_append(out, f->value
                                 ? "the MTU of the link for which the quoted packet was too long"
                                 : "the router does not tell (older than RFC 1191), or it does not apply");
    else if (!strcmp(f->name, "checksum"))
        g_string_append_printf(out, "the sum over the message%s, as its sender computed it",
                               why->is_ip6 ? " and both addresses" : "");
    else if (!strcmp(f->name, "gateway"))
        g_string_append(out,
                        "the sender's own route to the destination goes by that router on the same link");
}

static void of_data(const Reasons *why, const WireLayer *layer, const WireField *f, GString *out)
{
    if (layer->id == WIRE_LAYER_PADDING)
        g_string_append(
            out, "an Ethernet frame has at least 60 bytes without its checksum: the card filled it up");
    else if (!strcmp(f->name, "len"))
        g_string_append(out, why->has_tcp ? "what fitted into this segment of what the application wrote"
                                          : "as the application gave it");
    else if (!strcmp(f->name, "bytes"))
        g_string_append(out, "as the application gave them; no header looks inside");
}

void reasons_append(Reasons *why, const WireLayer *layer, const WireField *f, GString *out)
{
    if (!strcmp(f->name, "checksum_ok")) { /* no field, but what a receiver's own sum says */
        g_string_append(
            out, f->value ? "nothing was changed on the way, or whoever changed it computed anew"
                          : "a bit was changed on the way, or the sum was not filled in: receivers drop it");
        return;
    }
    switch (layer->id) {
    case WIRE_LAYER_ETH:
        of_eth(why, f, out);
        break;
    case WIRE_LAYER_VLAN:
        of_vlan(f, out);
        break;
    case WIRE_LAYER_ARP:
        of_arp(why, f, out);
        break;
    case WIRE_LAYER_IP:
        reasons_ip(why, f, out);
        break;
    case WIRE_LAYER_IP6:
        reasons_ip6(why, f, out);
        break;
    case WIRE_LAYER_TCP:
        if (!strcmp(f->name, "sport") || !strcmp(f->name, "dport"))
            of_port(why, f, out);
        else
            reasons_tcp(why, f, out);
        break;
    case WIRE_LAYER_UDP:
        of_udp(why, f, out);
        break;
    case WIRE_LAYER_ICMP:
    case WIRE_LAYER_ICMP6:
        of_icmp(why, f, out);
        break;
    case WIRE_LAYER_DATA:
    case WIRE_LAYER_PADDING:
        of_data(why, layer, f, out);
        break;
    default: /* what the field is for says it all */
        break;
    }
}
