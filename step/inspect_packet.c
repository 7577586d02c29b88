/* The packet at the place where the run stands, header by header: each field with its place, its value, what
 * it is for (models/wire), and why it has this value, as far as the sender's state tells. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "models/tcp/tcp_conn.h"
#include "models/wire/dissect.h"
#include "models/wire/ipv4_addr.h"
#include "models/wire/mac.h"
#include "models/wire/tcp.h"
#include "sim/trace/sink_frame.h"
#include "step/inspect.h"
#include "step/record.h"

#define LABEL_WIDTH 24

typedef struct View {
    const StepInspect *w;
    const ProbeRecord *r;
    GString *out;
    int depth;
    size_t off;
    Host *sender, *receiver; /* by the addresses of the IP header; NULL: nobody here */
    const TcpConn *conn;     /* the sender's */
    uint32_t src, dst;
    uint16_t sport, dport;
    uint16_t flags;
    uint32_t seq;
} View;

/* ---- who is who ---- */

static Host *host_with(const Net *net, uint32_t addr)
{
    const char *name = net_name_of(net, addr);

    return name ? net_host_by_name(net, name) : NULL;
}

static void match_conn(void *user, const TcpEntry *e)
{
    View *v = user;

    if (e->conn && e->local.port == v->sport && e->remote.port == v->dport && inet_is_ip4(&e->remote.addr) &&
        inet_ip4(&e->remote.addr) == v->dst)
        v->conn = e->conn;
}

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

/* ---- why ---- */

static void why_eth(View *v, const WireField *f, GString *why)
{
    g_autofree char *owner = NULL;

    if (f->kind != WIRE_MAC)
        return;
    owner = owner_of_mac(v->w->net, f->value);
    if (f->value == UINT64_C(0xffffffffffff))
        g_string_append(why, "to everybody on this segment: the sender does not know whose card it wants, or "
                             "means all of them");
    else if (owner && !strcmp(f->name, "dst"))
        g_string_append_printf(why,
                               "%s: the next hop of the sender's route; ARP told its card's address "
                               "('ip neigh' shows what is known)",
                               owner);
    else if (owner)
        g_string_append_printf(why, "%s put it on this wire; every router on the way writes its own", owner);
}

static void why_ip(View *v, const WireField *f, GString *why)
{
    unsigned initial;

    if (!strcmp(f->name, "src")) {
        v->src = (uint32_t)f->value;
        v->sender = host_with(v->w->net, v->src);
        if (v->sender)
            g_string_append_printf(why, "an address of %s; it belongs to the device that its route takes",
                                   host_node(v->sender)->name);
    } else if (!strcmp(f->name, "dst")) {
        v->dst = (uint32_t)f->value;
        v->receiver = host_with(v->w->net, v->dst);
        if (v->receiver)
            g_string_append_printf(why, "an address of %s", host_node(v->receiver)->name);
    } else if (!strcmp(f->name, "ttl")) {
        initial = f->value > 128 ? 255 : f->value > 64 ? 128 : f->value > 1 ? 64 : 1;
        if (f->value == initial)
            g_string_append_printf(why, "as its sender set it%s: no router has passed it on yet",
                                   initial == 64 ? " (net.ipv4.ip_default_ttl)" : "");
        else
            g_string_append_printf(why, "it began with %u, and %u router%s taken one each", initial,
                                   initial - (unsigned)f->value, initial - f->value == 1 ? " has" : "s have");
    } else if (!strcmp(f->name, "df") && f->value) {
        g_string_append(why,
                        "path MTU discovery (RFC 1191): a router for whose link it is too long shall say so "
                        "instead of cutting it");
    } else if (!strcmp(f->name, "hdr_len")) {
        g_string_append(why, f->value > 20 ? "longer than 20: there are options" : "20: no options");
    } else if (!strcmp(f->name, "mf") && f->value) {
        g_string_append(why, "the datagram was longer than a link's MTU and was cut; more pieces follow");
    }
}

static void why_seq(View *v, const WireField *f, GString *why)
{
    v->seq = (uint32_t)f->value;
    if (!v->conn || v->conn->state == TCP_LISTEN)
        return;
    g_string_append_printf(why,
                           "the sender has sent up to SND.NXT=%" PRIu32
                           ", of which all before SND.UNA=%" PRIu32 " is acknowledged",
                           v->conn->snd_nxt, v->conn->snd_una);
    if ((int32_t)(v->seq - v->conn->snd_una) > 0)
        g_string_append_printf(why, "; %" PRIu32 " bytes before this are under way",
                               v->seq - v->conn->snd_una);
    else if ((int32_t)(v->conn->snd_nxt - v->seq) > 0 && v->seq == v->conn->snd_una && v->conn->retransmits)
        g_string_append(why, "; this is the oldest unacknowledged byte, sent again");
}

static void why_window(View *v, const WireField *f, GString *why)
{
    unsigned scale = v->conn ? v->conn->win.rcv_wscale : 0;

    if (!v->conn)
        return;
    if (v->flags & TCP_SYN)
        g_string_append(why, "a SYN's window is never scaled (RFC 7323 2.2)");
    else if (!f->value)
        g_string_append(
            why, "its receive buffer is full: the application has not read (zero window, RFC 9293 3.8.6)");
    else
        g_string_append_printf(why,
                               "%" PRIu64 " << %u = %" PRIu64 " bytes: room in its receive buffer "
                               "(SO_RCVBUF %" PRIu32 ")",
                               f->value, scale, f->value << scale, v->conn->win.rcvbuf);
}

static void why_port(View *v, const WireField *f, GString *why)
{
    const Ip4Sysctl *s = v->sender ? ip4_sysctl_get(host_ip4(v->sender)) : NULL;

    if (!strcmp(f->name, "sport"))
        v->sport = (uint16_t)f->value;
    else
        v->dport = (uint16_t)f->value;
    if (!strcmp(f->name, "dport") && v->sender && host_has_tcp(v->sender))
        tcp_foreach(host_tcp(v->sender), match_conn, v);
    if (s && f->value >= s->port_low && f->value <= s->port_high)
        g_string_append(why, "an ephemeral port, chosen by the host of whoever connected "
                             "(net.ipv4.ip_local_port_range)");
    else
        g_string_append(why, "the port that the server is bound to");
}

static void why_tcp(View *v, const WireField *f, GString *why)
{
    if (!strcmp(f->name, "sport") || !strcmp(f->name, "dport")) {
        why_port(v, f, why);
    } else if (!strcmp(f->name, "seq")) {
        why_seq(v, f, why);
    } else if (!strcmp(f->name, "flags")) {
        v->flags = (uint16_t)f->value;
        if (v->flags & TCP_SYN)
            g_string_append(why,
                            "the handshake: the sequence number above is the initial one, which is hard to "
                            "guess (RFC 6528) and counts as one byte");
        else if (v->flags & TCP_FIN)
            g_string_append(
                why, "the sender's application has closed or shut down its side; the FIN counts as one "
                     "byte");
    } else if (!strcmp(f->name, "ackno") && f->bytes && !(f->bytes[5] & TCP_ACK)) {
        g_string_append(why, "it does not count: the flag ACK is off");
    } else if (!strcmp(f->name, "ackno") && v->conn) {
        g_string_append_printf(why, "the sender's RCV.NXT=%" PRIu32 ": all bytes before have arrived there",
                               v->conn->rcv_nxt);
    } else if (!strcmp(f->name, "window")) {
        why_window(v, f, why);
    } else if (!strcmp(f->name, "mss")) {
        g_string_append(
            why, "the MTU of the sender's device (or its route's advmss) without the IP and TCP headers");
    } else if (!strcmp(f->name, "wscale")) {
        g_string_append(why, "large enough for the largest receive buffer it may get (net.ipv4.tcp_rmem)");
    } else if (!strcmp(f->name, "tsval")) {
        g_string_append(why,
                        "the sender's clock in ms, with an offset of its own for each pair of addresses");
    } else if (!strcmp(f->name, "tsecr")) {
        g_string_append(why,
                        "the other side's tsval, sent back: it measures the round trip with it (RFC 7323)");
    }
}

static void why_arp(View *v, const WireField *f, GString *why)
{
    const char *name = f->kind == WIRE_IP4 ? net_name_of(v->w->net, (uint32_t)f->value) : NULL;

    if (name)
        g_string_append_printf(why, "an address of %s", name);
    else if (!strcmp(f->name, "tha") && !f->value)
        g_string_append(why, "this is what is being asked for");
}

/* ---- the packet ---- */

static void begin_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    View *v = user;

    v->depth = depth;
    v->off = off;
    g_string_append_printf(v->out, "%s%s (%zu byte%s)\n", depth ? "quoted: " : "", layer->title, len,
                           len == 1 ? "" : "s");
}

static void append_padded(GString *out, const char *text, int width)
{
    int n = (int)g_utf8_strlen(text, -1);

    g_string_append_printf(out, "%s%*s", text, HS_MAX(width - n, 1), "");
}

static void field(void *user, const WireLayer *layer, const WireField *f)
{
    View *v = user;
    GString *why = g_string_new(NULL);

    if (!v->depth && layer->id == WIRE_LAYER_ETH)
        why_eth(v, f, why);
    else if (!v->depth && layer->id == WIRE_LAYER_IP)
        why_ip(v, f, why);
    else if (!v->depth && layer->id == WIRE_LAYER_TCP)
        why_tcp(v, f, why);
    else if (!v->depth && layer->id == WIRE_LAYER_ARP)
        why_arp(v, f, why);
    if (f->bit_len)
        g_string_append_printf(v->out, "  %4zu  ", v->off + f->bit_off / 8);
    else
        g_string_append(v->out, "        ");
    append_padded(v->out, f->label, LABEL_WIDTH);
    g_string_append_printf(v->out, "%s\n", f->text);
    if (f->note && *f->note)
        g_string_append_printf(v->out, "          %s\n", f->note);
    if (why->len)
        g_string_append_printf(v->out, "          Here: %s.\n", why->str);
    g_string_free(why, TRUE);
}

static void malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    View *v = user;

    g_string_append_printf(v->out, "malformed: %s at byte %zu: %s (%s)\n", layer->title, off, why,
                           wire_error_str(err));
}

bool stepinspect_packet(const StepInspect *w, GString *out)
{
    View v = {.w = w, .r = w->record, .out = out};
    const WireSink sink = {.user = &v, .begin_layer = begin_layer, .field = field, .malformed = malformed};
    SinkFrame frame;
    const Packet *pkt;
    const Node *born;
    uint8_t *bytes;

    if (!w->record || !w->record->pkt) {
        g_string_append(out, "there is no packet here");
        return false;
    }
    steprecord_line(out, w->record, w->seqs);
    pkt = sinkframe_of(&frame, w->record);
    born = sim_node(net_sim(w->net), pkt->birth_node);
    g_string_append_printf(out, "\n%" PRIu32 " bytes; packet %" PRIu64 " of %s\n", packet_len(pkt),
                           pkt->birth_id, born ? born->name : "?");
    bytes = g_malloc(packet_len(pkt));
    packet_copy(pkt, 0, bytes, packet_len(pkt));
    if (wire_link_type_is_known(frame.linktype))
        wire_dissect((WireLinkType)frame.linktype, bytes, packet_len(pkt), &sink);
    g_free(bytes);
    return true;
}
