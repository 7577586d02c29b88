/* Who talks to whom: flows out of packets, and which endpoint's tcp.* records belong to which flow. */
#include "view/story_segment.h"

#include <string.h>

#include "models/wire/dissect.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/tcp.h"
#include "models/wire/tcp_opt.h"
#include "models/wire/udp.h"
#include "view/story_priv.h"

#define PROTO_TCP 6
#define PROTO_UDP 17
#define TCP_WSCALE_MAX 14 /* RFC 7323 2.3 */

typedef struct Layers {
    size_t l3, l4, l4_len;
    WireLayerId ip, transport;
} Layers;

static void on_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Layers *l = user;

    if (depth > 0)
        return;
    if (l->ip == WIRE_LAYER_NONE && (layer->id == WIRE_LAYER_IP || layer->id == WIRE_LAYER_IP6)) {
        l->ip = layer->id;
        l->l3 = off;
    } else if (l->transport == WIRE_LAYER_NONE &&
               (layer->id == WIRE_LAYER_TCP || layer->id == WIRE_LAYER_UDP)) {
        l->transport = layer->id;
        l->l4 = off;
        l->l4_len = len;
    }
}

/* The length is taken from the IP header: the bytes may have been cut, and a short frame is padded. */
static void read_transport(const StoryPacket *p, const Layers *l, size_t end, StorySegment *out)
{
    const uint8_t *h = p->bytes + l->l4;
    bool is_tcp = l->transport == WIRE_LAYER_TCP;
    size_t hdr_len = is_tcp ? tcp_hdr_len(h) : UDP_HDR_LEN;

    out->has_ports = true;
    out->l4 = (uint32_t)l->l4;
    out->src_port = wire_get16(h);
    out->dst_port = wire_get16(h + 2);
    out->payload_len = end > l->l4 + hdr_len ? (uint32_t)(end - l->l4 - hdr_len) : 0;
    if (!is_tcp)
        return;
    out->seq = tcp_seq(h);
    out->ack = tcp_ack(h);
    out->flags = tcp_flags(h);
    out->window = tcp_window(h);
    if (hdr_len > TCP_MIN_HDR_LEN && p->kept >= l->l4 + hdr_len)
        out->options_len = (uint32_t)(hdr_len - TCP_MIN_HDR_LEN);
}

static void format_ip6(const uint8_t *p, char *buf)
{
    Ipv6Addr addr;

    memcpy(&addr, p, sizeof(addr));
    ipv6_addr_format(&addr, buf);
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

bool story_segment(const StoryPacket *p, StorySegment *out)
{
    Layers l = {0};
    WireSink sink = {.user = &l, .no_text = true, .begin_layer = on_layer};
    const uint8_t *h;
    uint8_t *whole;
    size_t end;

    memset(out, 0, sizeof(*out));
    whole = story_mended(p);
    wire_dissect((WireLinkType)p->linktype, whole ? whole : p->bytes, p->len, &sink);
    g_free(whole);
    if (l.ip == WIRE_LAYER_NONE || p->kept < l.l3 + (l.ip == WIRE_LAYER_IP ? IPV4_MIN_HDR_LEN : IPV6_HDR_LEN))
        return false;
    h = p->bytes + l.l3;
    out->l3 = (uint32_t)l.l3;
    if (l.ip == WIRE_LAYER_IP) {
        out->proto = ipv4_proto(h);
        ipv4_addr_format(ipv4_src(h), out->src);
        ipv4_addr_format(ipv4_dst(h), out->dst);
        end = l.l3 + ipv4_total_len(h);
    } else {
        out->proto = ipv6_next_header(h);
        format_ip6(h + IPV6_SRC_OFF, out->src);
        format_ip6(h + IPV6_SRC_OFF + 16, out->dst);
        end = l.l3 + IPV6_HDR_LEN + ipv6_payload_len(h);
    }
    if (l.transport != WIRE_LAYER_NONE &&
        p->kept >= l.l4 + (l.transport == WIRE_LAYER_TCP ? TCP_MIN_HDR_LEN : UDP_HDR_LEN)) {
        out->proto = l.transport == WIRE_LAYER_TCP ? PROTO_TCP : PROTO_UDP;
        read_transport(p, &l, end, out);
    }
    return true;
}

/* ---- flows ---- */

static char *flow_key(uint8_t proto, const char *a, uint16_t a_port, const char *b, uint16_t b_port)
{
    return g_strdup_printf("%u %s %u %s %u", proto, a, a_port, b, b_port);
}

/* A SYN without ACK that is no repetition of the last one begins a new connection on the same ports. */
static bool is_new_connection(const StoryFlow *f, unsigned side, const StorySegment *seg)
{
    return seg->proto == PROTO_TCP && (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
           f->has_isn[side] && f->has_isn[!side] && f->isn[side] != seg->seq;
}

static void learn_numbers(StoryFlow *f, unsigned side, const StoryPacket *p, const StorySegment *seg)
{
    TcpOptions options;

    if (seg->flags & TCP_SYN && !f->has_syn[side]) {
        f->isn[side] = seg->seq;
        f->has_isn[side] = f->has_syn[side] = true;
        if (seg->options_len &&
            tcp_options_decode(&options, p->bytes + seg->l4 + TCP_MIN_HDR_LEN, seg->options_len) >= 0 &&
            options.has_wscale) {
            f->has_wscale[side] = true;
            f->wscale[side] = (uint8_t)HS_MIN(options.wscale, TCP_WSCALE_MAX);
        }
    } else if (!f->has_isn[side] && !(seg->flags & TCP_RST)) {
        f->isn[side] = seg->seq;
        f->has_isn[side] = true;
    }
    if (!f->has_isn[!side] && seg->flags & TCP_ACK && !(seg->flags & TCP_RST)) {
        f->isn[!side] = seg->ack; /* until something of its own is seen */
        f->has_isn[!side] = true;
    }
}

void story_flow_add_packet(Story *s, StoryPacket *p, SimTime now)
{
    StorySegment seg;
    char *key;
    gpointer known;
    unsigned side = 0;
    StoryFlow *f = NULL;

    if (!story_segment(p, &seg) || !seg.has_ports)
        return;
    key = flow_key(seg.proto, seg.src, seg.src_port, seg.dst, seg.dst_port);
    known = g_hash_table_lookup(s->flow_of, key);
    if (known) { /* the value is the flow's index times two, plus the side, plus one */
        side = (GPOINTER_TO_UINT(known) - 1) & 1;
        f = &g_array_index(s->flows, StoryFlow, (GPOINTER_TO_UINT(known) - 1) / 2);
    }
    if (!f || is_new_connection(f, side, &seg)) {
        StoryFlow flow = {.proto = seg.proto,
                          .addr = {story_intern(s, seg.src), story_intern(s, seg.dst)},
                          .port = {seg.src_port, seg.dst_port},
                          .node = {p->birth_node, STORY_NONE},
                          .begin = now};

        side = 0;
        g_hash_table_replace(s->flow_of, g_strdup(key), GUINT_TO_POINTER(s->flows->len * 2 + 1));
        g_hash_table_replace(s->flow_of, flow_key(seg.proto, seg.dst, seg.dst_port, seg.src, seg.src_port),
                             GUINT_TO_POINTER(s->flows->len * 2 + 2));
        g_array_append_val(s->flows, flow);
        f = &g_array_index(s->flows, StoryFlow, s->flows->len - 1);
    }
    p->flow = (int32_t)(f - (StoryFlow *)s->flows->data);
    p->side = (uint8_t)side;
    if (f->node[side] == STORY_NONE)
        f->node[side] = p->birth_node;
    f->packets[side]++;
    if (seg.proto == PROTO_TCP)
        learn_numbers(f, side, p, &seg);
    g_free(key);
}

/* ---- endpoints ---- */

static char *conn_key(int32_t node, uint64_t id)
{
    return g_strdup_printf("%d %" G_GUINT64_FORMAT, node, id);
}

/* The last flow between those ports that had begun by then, or, where the state changes before the first
 * packet leaves (SYN_SENT), the next one. */
static int32_t find_flow(const Story *s, const StoryConn *c, SimTime when, uint8_t *side)
{
    int32_t best = STORY_NONE;

    for (int32_t i = 0; i < story_flow_count(s); i++) {
        const StoryFlow *f = story_flow(s, i);

        for (unsigned k = 0; k < 2; k++) {
            if (f->proto != PROTO_TCP || f->port[k] != c->local_port || f->port[!k] != c->remote_port ||
                strcmp(f->addr[!k], c->remote) || (f->node[k] != c->node && f->node[k] != STORY_NONE))
                continue;
            if (best != STORY_NONE && f->begin > when)
                return best;
            best = i;
            *side = (uint8_t)k;
        }
    }
    return best;
}

void story_flow_add_conns(Story *s)
{
    for (int32_t i = 0; i < story_record_count(s); i++) {
        const StoryRecord *r = story_record(s, i);
        StoryConn c = {.node = r->node, .flow = STORY_NONE};
        char *key;

        if (!story_is(r, "tcp.state"))
            continue;
        c.id = story_value(r, "conn", NULL)->u;
        key = conn_key(c.node, c.id);
        if (g_hash_table_lookup(s->conn_of, key)) {
            g_free(key);
            continue;
        }
        c.local_port = (uint16_t)story_value(r, "local_port", NULL)->u;
        c.remote_port = (uint16_t)story_value(r, "remote_port", NULL)->u;
        c.remote = story_str(r, "remote");
        c.flow = find_flow(s, &c, r->time, &c.side);
        g_array_append_val(s->conns, c);
        g_hash_table_insert(s->conn_of, key, GUINT_TO_POINTER(s->conns->len));
    }
}

int32_t story_conn_of(const Story *s, const StoryRecord *r)
{
    const ProbeValue *id = story_value(r, "conn", NULL);
    char *key;
    gpointer known;

    if (!id || r->desc->cls != PROBE_TCP)
        return STORY_NONE;
    key = conn_key(r->node, id->u);
    known = g_hash_table_lookup(s->conn_of, key);
    g_free(key);
    return (int32_t)GPOINTER_TO_UINT(known) - 1;
}
