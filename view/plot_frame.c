/* What the sink learns from frames. Three places matter to it: the card of the node that made a packet (what
 * was sent, and acknowledged), the card of the host that it is for (what arrived), and where it was dropped.
 */
#include <string.h>

#include "models/wire/eth.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "sim/engine/sim.h"
#include "sim/trace/pcapng.h"
#include "sim/trace/sink_frame.h"
#include "view/plot_sink_priv.h"

#define FRAME_BYTES 160 /* all headers of one that pictures can be made of */
#define ECN_MASK 3
#define ECN_CE 3
#define LOOK_BACK 4096 /* ranges that may have been sent since the lost one */

typedef struct Frame {
    const uint8_t *l4;
    unsigned l4_room; /* bytes of it that are there */
    uint8_t proto, ecn;
    uint8_t src[16], dst[16];
    uint16_t src_port, dst_port;
    uint32_t payload;
    uint32_t len; /* of the frame */
} Frame;

static void map_v4(uint8_t out[16], const uint8_t *addr)
{
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, addr, 4);
}

/* Offset of the network header; 0 where there is none that can be read, except of raw IP. */
static bool find_network(uint16_t linktype, const uint8_t *p, unsigned len, unsigned *l3)
{
    unsigned at = 0;

    if (linktype == PCAPNG_LINKTYPE_ETHERNET) {
        at = ETH_TYPE_OFF;
        while (at + 2 <= len && (wire_get16(p + at) == ETH_TYPE_VLAN || wire_get16(p + at) == ETH_TYPE_QINQ))
            at += 4;
        at += 2;
    } else if (linktype == PCAPNG_LINKTYPE_PPP) {
        at = len > 0 && p[0] == 0xff ? 4 : 2;
    } else if (linktype != PCAPNG_LINKTYPE_RAW_IP) {
        return false;
    }
    *l3 = at;
    return at < len;
}

static bool read_ip(Frame *f, const uint8_t *p, unsigned len)
{
    unsigned hdr_len, total;

    if (p[0] >> 4 == 4) {
        if (len < IPV4_MIN_HDR_LEN || ipv4_frag_offset(p))
            return false;
        hdr_len = ipv4_hdr_len(p);
        total = ipv4_total_len(p);
        f->proto = ipv4_proto(p);
        f->ecn = ipv4_ecn(p);
        map_v4(f->src, p + 12);
        map_v4(f->dst, p + 16);
    } else if (p[0] >> 4 == 6) {
        if (len < IPV6_HDR_LEN)
            return false;
        hdr_len = IPV6_HDR_LEN;
        total = IPV6_HDR_LEN + ipv6_payload_len(p);
        f->proto = ipv6_next_header(p);
        f->ecn = (p[1] >> 4) & ECN_MASK;
        memcpy(f->src, p + 8, 16);
        memcpy(f->dst, p + 24, 16);
    } else {
        return false;
    }
    if ((f->proto != PLOT_PROTO_TCP && f->proto != PLOT_PROTO_UDP) || len <= hdr_len)
        return false;
    f->l4 = p + hdr_len;
    f->l4_room = len - hdr_len;
    if (f->l4_room < (f->proto == PLOT_PROTO_TCP ? TCP_MIN_HDR_LEN : UDP_HDR_LEN))
        return false;
    hdr_len += f->proto == PLOT_PROTO_TCP ? tcp_hdr_len(f->l4) : UDP_HDR_LEN;
    f->payload = total > hdr_len ? total - hdr_len : 0;
    f->src_port = wire_get16(f->l4);
    f->dst_port = wire_get16(f->l4 + 2);
    return true;
}

static bool read_frame(Frame *f, const ProbeRecord *r, uint8_t copy[FRAME_BYTES])
{
    SinkFrame frame;
    const Packet *pkt = sinkframe_of(&frame, r);
    const uint8_t *p = packet_cdata(pkt);
    unsigned len = packet_header_len(pkt), l3;

    if (len < 54) { /* bytes of a forged packet, or headers that are payload of another */
        len = (unsigned)HS_MIN(packet_len(pkt), (uint32_t)FRAME_BYTES);
        packet_copy(pkt, 0, copy, len);
        p = copy;
    }
    f->len = packet_len(pkt);
    return find_network(frame.linktype, p, len, &l3) && read_ip(f, p + l3, len - l3);
}

static PlotEnd *end_that_sent(PlotSink *s, const Frame *f, uint32_t node_id)
{
    PlotEndKey key = {
        .node_id = node_id, .local_port = f->src_port, .remote_port = f->dst_port, .proto = f->proto};
    const Node *node = sim_node(s->part->sim, node_id);

    memcpy(key.remote, f->dst, sizeof(key.remote));
    return node ? plotsink_find_end(s, &key, node->name) : NULL;
}

/* The number on the wire as one that does not wrap; 0 is the SYN. */
static int64_t unwrap(const PlotEnd *e, uint32_t seq)
{
    uint32_t near = e->isn + (uint32_t)e->high;

    return e->high + (int32_t)(seq - near);
}

static void learn_numbers(PlotEnd *e, const Frame *f, uint32_t seq, uint16_t flags)
{
    TcpOptions o;
    unsigned len = tcp_hdr_len(f->l4) - TCP_MIN_HDR_LEN;

    if (flags & TCP_SYN && f->l4_room >= len + TCP_MIN_HDR_LEN) {
        tcp_options_decode(&o, f->l4 + TCP_MIN_HDR_LEN, len);
        e->has_wscale = o.has_wscale;
        e->wscale = o.wscale;
    }
    if (!e->has_isn) {
        e->has_isn = true;
        e->isn = flags & TCP_SYN ? seq : seq - 1;
        e->high = flags & TCP_SYN ? 0 : 1;
        e->acked = 1;
    }
}

/* ---- at the card of who made it ---- */

static void on_ack_sent(PlotEnd *data, SimTime t, uint32_t ack, bool is_time)
{
    int64_t rel = data->isn + 1 == ack ? 1 : unwrap(data, ack);

    if (rel <= data->acked)
        return;
    if (is_time)
        plotbins_add(&data->useful, t, (double)(rel - data->acked));
    data->acked = rel;
}

static PlotEnd *on_sent(PlotSink *s, const ProbeRecord *r, const Frame *f)
{
    PlotEnd *e = end_that_sent(s, f, r->node->id);
    bool is_time = plotsink_is_time(s, r->time);
    uint32_t seq;
    uint16_t flags;
    int64_t rel, end;

    if (!e)
        return NULL;
    e->payload += f->payload;
    if (f->proto != PLOT_PROTO_TCP)
        return e;
    seq = tcp_seq(f->l4);
    flags = tcp_flags(f->l4);
    if (flags & TCP_SYN && !(flags & TCP_ACK) && e->has_isn && e->isn != seq && e->high > 1) {
        PlotEndKey key = {e->node_id, e->local_port, e->remote_port, e->proto, {0}};

        memcpy(key.remote, e->remote, sizeof(key.remote));
        e = plotsink_new_end(s, &key, r->node->name);
    }
    if (flags & TCP_RST)
        return e;
    learn_numbers(e, f, seq, flags);
    if (flags & TCP_ACK && e->peer && e->peer->has_isn)
        on_ack_sent(e->peer, r->time, tcp_ack(f->l4), is_time);
    rel = unwrap(e, seq);
    end = rel + f->payload + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);
    if (plotsink_wants(s, PLOT_BIT(PLOT_SEQUENCE)) && is_time) {
        if (end > rel)
            plotseries_add(&e->s[end > e->high ? PLOT_END_SENT : PLOT_END_AGAIN], r->time, (double)rel,
                           (double)end);
        else if (rel < e->high)
            plotseries_add(&e->s[PLOT_END_PROBE], r->time, (double)rel, 0);
    }
    e->high = HS_MAX(e->high, end);
    return e;
}

/* ---- at the card of whom it is for ---- */

/* RFC 2883 4: the first block tells of a repetition if it lies below the ACK, or within the second block. */
static bool is_dsack(const TcpOptions *o, uint32_t ack)
{
    if ((int32_t)(o->sack[0].right - ack) <= 0)
        return true;
    return o->n_sack > 1 && (int32_t)(o->sack[0].left - o->sack[1].left) >= 0 &&
           (int32_t)(o->sack[1].right - o->sack[0].right) >= 0;
}

static void add_value(const PlotSink *s, PlotSeries *series, SimTime t, double y)
{
    if (!plotsink_carries(s, series, t, y))
        plotseries_add(series, t, y, 0);
}

static void on_ack_arrived(const PlotSink *s, PlotEnd *data, const PlotEnd *from, const Frame *f, SimTime t)
{
    uint16_t flags = tcp_flags(f->l4);
    unsigned len = tcp_hdr_len(f->l4) - TCP_MIN_HDR_LEN;
    uint32_t window = tcp_window(f->l4);
    TcpOptions o;
    int64_t ack = unwrap(data, tcp_ack(f->l4));
    const PlotPoint *last = plotseries_last(&data->s[PLOT_END_ACK]);

    if (!(flags & TCP_SYN) && from->has_wscale && data->has_wscale)
        window <<= from->wscale;
    if (!last || (double)ack >= last->y) { /* one that was overtaken says nothing new */
        add_value(s, &data->s[PLOT_END_ACK], t, (double)ack);
        add_value(s, &data->s[PLOT_END_EDGE], t, (double)ack + window);
        add_value(s, &data->s[PLOT_END_RWND], t, window);
    }
    if (t >= s->config.wish.from && len && f->l4_room >= len + TCP_MIN_HDR_LEN) {
        tcp_options_decode(&o, f->l4 + TCP_MIN_HDR_LEN, len);
        for (unsigned i = 0; i < o.n_sack; i++)
            plotseries_add(&data->s[i == 0 && is_dsack(&o, tcp_ack(f->l4)) ? PLOT_END_DSACK : PLOT_END_SACK],
                           t, (double)unwrap(data, o.sack[i].left), (double)unwrap(data, o.sack[i].right));
    }
}

static void meet(PlotEnd *a, PlotEnd *b)
{
    if (a && b && (a->peer != b || b->peer != a)) {
        a->peer = b;
        b->peer = a;
    }
}

static void on_arrived(PlotSink *s, const ProbeRecord *r, const Frame *f)
{
    PlotEnd *e = end_that_sent(s, f, r->pkt->birth_node), *back = NULL;
    PlotEndKey key = {
        .node_id = r->node->id, .local_port = f->dst_port, .remote_port = f->src_port, .proto = f->proto};

    if (!e)
        return;
    memcpy(key.remote, f->src, sizeof(key.remote));
    if (f->proto == PLOT_PROTO_TCP) {
        back = g_hash_table_lookup(s->by_key, &key);
        meet(e, back);
    }
    if (r->time > s->config.wish.to)
        return;
    if (back && back->has_isn && tcp_flags(f->l4) & TCP_ACK && !(tcp_flags(f->l4) & TCP_RST) &&
        plotsink_wants(s, PLOT_BIT(PLOT_SEQUENCE) | PLOT_BIT(PLOT_RWND)))
        on_ack_arrived(s, back, e, f, r->time);
    if (!plotsink_is_time(s, r->time))
        return;
    if (f->payload) {
        plotbins_add(&e->received, r->time, f->len);
        if (f->proto == PLOT_PROTO_UDP)
            plotbins_add(&e->useful, r->time, f->payload);
    }
    if (f->ecn == ECN_CE) {
        e->marked++;
        plotseries_add(&e->s[PLOT_END_MARK], r->time, 0, 1);
    }
}

/* ---- where it was dropped ---- */

/* When it was sent is where its loss is seen in the picture: at its bar. */
static SimTime sent_at(const PlotEnd *e, double rel, double end, SimTime now)
{
    const PlotEndSeries where[] = {PLOT_END_AGAIN, PLOT_END_SENT};

    for (unsigned k = 0; k < HS_ARRAY_LEN(where); k++) {
        const PlotSeries *series = &e->s[where[k]];
        unsigned n = plotseries_count(series);

        for (unsigned i = n; i > 0 && n - i < LOOK_BACK; i--) {
            const PlotPoint *p = plotseries_point(series, i - 1);

            if (p->y <= rel && p->y2 >= end)
                return p->t;
        }
    }
    return now;
}

static void on_dropped(PlotSink *s, const ProbeRecord *r, const Frame *f)
{
    PlotEnd *e = end_that_sent(s, f, r->pkt->birth_node);
    SimTime t = r->time;
    double rel = 0;

    if (!e || !plotsink_is_time(s, t))
        return;
    if (f->proto == PLOT_PROTO_TCP) {
        unsigned len = f->payload + !!(tcp_flags(f->l4) & (TCP_SYN | TCP_FIN));

        if (len == 0)
            return;
        if (e->has_isn) {
            rel = (double)unwrap(e, tcp_seq(f->l4));
            t = sent_at(e, rel, rel + len, t);
            rel += len / 2.0;
        }
    } else if (f->payload == 0) {
        return;
    }
    e->lost++;
    plotseries_add(&e->s[PLOT_END_LOST], t, rel, 1);
}

void plotsink_on_frame(PlotSink *s, const ProbeRecord *r)
{
    uint8_t copy[FRAME_BYTES];
    Frame f;

    if (r->desc->cls == PROBE_FRAME_TX) {
        if (r->node->id == r->pkt->birth_node && read_frame(&f, r, copy))
            on_sent(s, r, &f);
    } else if (r->desc->cls == PROBE_FRAME_DROP) {
        if (read_frame(&f, r, copy))
            on_dropped(s, r, &f);
    } else if (r->node->id != r->pkt->birth_node && plotsink_is_host(s, r->node)) {
        if (r->point->linktype == PCAPNG_LINKTYPE_ETHERNET && packet_header_len(r->pkt) >= ETH_HDR_LEN &&
            memcmp(packet_cdata(r->pkt), r->point->mac, 6))
            return; /* a switch or a hub showed it to others too */
        if (read_frame(&f, r, copy))
            on_arrived(s, r, &f);
    }
}
