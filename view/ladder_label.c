/* Sequence numbers count from the SYN's as in Wireshark, unless the user wants those of the wire; windows are
 * scaled by what both SYNs agreed on (RFC 7323 2.3). */
#include "view/ladder_label.h"

#include <string.h>

#include "models/wire/dissect.h"
#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"
#include "models/wire/tcp_opt.h"
#include "sim/trace/sink_frame.h"

/* ---- what the packets before tell ---- */

typedef struct Side {
    bool has_sent, has_acked;
    uint32_t end; /* behind the last byte sent */
    uint32_t ack;
    uint16_t window;
    uint16_t dup;
} Side;

static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static void mark_segment(Side *me, const Side *peer, const StorySegment *seg, LadderMark *out)
{
    uint32_t len = seg->payload_len + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
    bool is_bare = !len && !(seg->flags & TCP_RST);

    if (len && me->has_sent && is_before(seg->seq, me->end) && !is_before(me->end, seg->seq + len))
        out->is_again = true;
    if (me->has_sent && seg->seq == me->end - 1 && is_bare)
        out->is_probe = true;
    if (is_bare && seg->flags & TCP_ACK && me->has_acked && seg->ack == me->ack &&
        seg->window == me->window && peer->has_sent && is_before(seg->ack, peer->end) && !out->is_probe)
        out->dup = ++me->dup;
    else
        me->dup = 0;
    out->same_window = me->has_acked && seg->window == me->window && seg->window;
    if (seg->flags & TCP_ACK) {
        me->has_acked = true;
        me->ack = seg->ack;
        me->window = seg->window;
    }
    if (!(seg->flags & TCP_RST) && (!me->has_sent || is_before(me->end, seg->seq + len))) {
        me->has_sent = true;
        me->end = seg->seq + len;
    }
}

/* Told by what crossed a link, in the order of sending: inside a host there are segments that the card cuts.
 */
LadderMark *ladder_marks(const Story *s)
{
    LadderMark *marks = g_new0(LadderMark, story_packet_count(s) + 1);
    Side *sides = g_new0(Side, 2 * story_flow_count(s) + 1);
    GHashTable *births = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (int32_t i = 0; i < story_flight_count(s); i++) {
        int32_t packet = story_flight(s, i)->packet;
        const StoryPacket *p = story_packet(s, packet);
        gint64 key = (gint64)p->birth * (story_node_count(s) + 1) + p->birth_node;
        gpointer known = g_hash_table_lookup(births, &key);
        StorySegment seg;

        if (known) { /* as a router left it */
            marks[packet] = marks[GPOINTER_TO_INT(known) - 1];
            continue;
        }
        g_hash_table_insert(births, g_memdup2(&key, sizeof(key)), GINT_TO_POINTER(packet + 1));
        if (p->flow != STORY_NONE && story_segment(p, &seg) && seg.has_ports && seg.proto == IP_PROTO_TCP)
            mark_segment(&sides[2 * p->flow + p->side], &sides[2 * p->flow + !p->side], &seg, &marks[packet]);
    }
    g_hash_table_destroy(births);
    g_free(sides);
    return marks;
}

/* ---- TCP ---- */

typedef struct Numbers {
    uint32_t seq, ack; /* what counts as 0 */
    unsigned shift;
} Numbers;

static Numbers numbers_of(const Ladder *l, const StoryPacket *p)
{
    const StoryFlow *f = story_flow(l->story, p->flow);
    Numbers n = {0};

    if (!l->config.absolute) {
        n.seq = f->isn[p->side];
        n.ack = f->isn[!p->side];
    }
    if (f->has_wscale[0] && f->has_wscale[1])
        n.shift = f->wscale[p->side];
    return n;
}

static void put_options(const Ladder *l, const StorySegment *seg, const TcpOptions *o, const Numbers *n,
                        GString *t)
{
    bool all = seg->flags & TCP_SYN || l->config.options;
    GString *w = g_string_new(NULL);

    if (o->has_mss)
        g_string_append_printf(w, ", mss %u", o->mss);
    if (o->has_sack_permitted)
        g_string_append(w, ", sackOK");
    if (o->has_timestamps && l->config.options)
        g_string_append_printf(w, ", TS %u ecr %u", o->ts_val, o->ts_ecr);
    else if (o->has_timestamps && all)
        g_string_append(w, ", TS");
    if (o->has_wscale)
        g_string_append_printf(w, ", wscale %u", o->wscale);
    for (unsigned i = 0; i < o->n_sack; i++)
        g_string_append_printf(w, "%s%u:%u", i ? " " : ", SACK ", o->sack[i].left - n->ack,
                               o->sack[i].right - n->ack);
    if (o->has_fastopen && o->fastopen_cookie_len) {
        g_string_append(w, ", TFO cookie ");
        for (unsigned i = 0; i < o->fastopen_cookie_len; i++)
            g_string_append_printf(w, "%02x", o->fastopen_cookie[i]);
    } else if (o->has_fastopen) {
        g_string_append(w, ", TFO cookie request");
    }
    if (o->has_md5)
        g_string_append(w, ", MD5");
    if (o->has_accecn && all)
        g_string_append(w, ", AccECN");
    if (w->len)
        g_string_append_printf(t, "\n%s", w->str + 2);
    g_string_free(w, TRUE);
}

static LadderTone tone_of(const StorySegment *seg, const LadderMark *mark)
{
    if (seg->flags & TCP_RST)
        return LADDER_RST;
    if (mark->is_again)
        return LADDER_AGAIN;
    if (seg->flags & TCP_SYN)
        return LADDER_SYN;
    if (seg->flags & TCP_FIN)
        return LADDER_FIN;
    return seg->payload_len ? LADDER_DATA : LADDER_ACK;
}

static void put_flags(uint16_t flags, bool has_data, GString *t)
{
    static const struct {
        uint16_t flag;
        const char *name;
    } known[] = {{TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"}, {TCP_URG, "URG"},
                 {TCP_ECE, "ECE"}, {TCP_CWR, "CWR"}, {TCP_AE, "AE"}};
    gsize begin = t->len;

    for (unsigned i = 0; i < HS_ARRAY_LEN(known); i++)
        if (flags & known[i].flag)
            g_string_append_printf(t, "%s%s", t->len > begin ? " " : "", known[i].name);
    if (flags & TCP_ACK && (t->len > begin || !has_data))
        g_string_append(t, t->len > begin ? " ACK" : "ACK");
}

static void put_marks(const StorySegment *seg, const LadderMark *mark, LadderLabel *out)
{
    bool is_quiet = seg->flags & (TCP_SYN | TCP_FIN | TCP_RST);

    if (mark->is_again) {
        g_string_append(out->text, ", retransmission");
    } else if (mark->dup) {
        g_string_append_printf(out->text, ", dup ACK %u", mark->dup);
    } else if (mark->is_probe) {
        g_string_append(out->text, ", probe");
    }
    if (!seg->window && !is_quiet)
        g_string_append(out->text, ", zero window");
    out->is_marked =
        mark->is_again || (mark->dup && mark->dup <= 3) || mark->is_probe || !seg->window || is_quiet;
}

static void label_tcp(const Ladder *l, const StoryPacket *p, const StorySegment *seg, const LadderMark *mark,
                      LadderLabel *out)
{
    Numbers n = numbers_of(l, p);
    bool is_syn = seg->flags & TCP_SYN;
    GString *t = out->text;
    uint32_t seq = seg->seq - n.seq;
    TcpOptions options;
    gsize begin = t->len;

    out->tone = tone_of(seg, mark);
    out->payload = seg->payload_len;
    put_flags(seg->flags, seg->payload_len != 0, t);
    if (seg->payload_len)
        g_string_append_printf(t, "%s%sseq %u:%u (%u)", t->len > begin ? " " : "",
                               seg->flags & TCP_PSH ? "PSH " : "", seq, seq + seg->payload_len + is_syn,
                               seg->payload_len);
    else if (is_syn || seg->flags & (TCP_FIN | TCP_RST) || mark->is_probe)
        g_string_append_printf(t, " seq %u", seq);
    if (seg->flags & TCP_ACK)
        g_string_append_printf(t, " ack %u", seg->ack - n.ack);
    if (!(seg->flags & TCP_RST) && !(seg->payload_len && mark->same_window && !is_syn))
        g_string_append_printf(t, " win %u", is_syn ? seg->window : (uint32_t)seg->window << n.shift);
    put_marks(seg, mark, out);
    if (p->is_cookie)
        g_string_append(t, ", SYN cookie");
    if (seg->options_len &&
        tcp_options_decode(&options, p->bytes + seg->l4 + TCP_MIN_HDR_LEN, seg->options_len) <= WIRE_OK)
        put_options(l, seg, &options, &n, t);
}

/* ---- others ---- */

static void put_text(GString *t, const char *s)
{
    for (; *s; s++)
        g_string_append_c(t, (guchar)*s >= 0x20 && *s != 0x7f ? *s : ' ');
}

/* The lanes say who speaks to whom. */
static const char *behind_addresses(const char *summary, const StorySegment *seg)
{
    const char *colon = strstr(summary, ": ");

    return colon && !strncmp(summary, seg->src, strlen(seg->src)) ? colon + 2 : summary;
}

static void label_other(const StoryPacket *p, const StorySegment *seg, bool is_ip, LadderLabel *out)
{
    char summary[160], *valid;
    uint8_t *whole;
    const char *words;

    out->tone = LADDER_OTHER;
    if (p->linktype == SINKFRAME_BYTES) { /* dropped before it got its IP header */
        g_string_append_printf(out->text, "%u byte%s to be sent, no header yet", p->len,
                               p->len == 1 ? "" : "s");
        return;
    }
    whole = story_mended(p);
    dissect_summary(summary, sizeof(summary), (WireLinkType)p->linktype, whole ? whole : p->bytes, p->len);
    g_free(whole);
    valid = g_utf8_make_valid(summary, -1);
    words = is_ip ? behind_addresses(valid, seg) : valid;
    if (is_ip && seg->proto == IP_PROTO_UDP && seg->has_ports) {
        out->tone = LADDER_UDP;
        out->payload = seg->payload_len;
        if (g_str_has_prefix(words, "UDP, length"))
            g_string_append_printf(out->text, "UDP %u > %u, %u byte%s", seg->src_port, seg->dst_port,
                                   seg->payload_len, seg->payload_len == 1 ? "" : "s");
        else {
            g_string_append_printf(out->text, "UDP %u > %u ", seg->src_port, seg->dst_port);
            put_text(out->text, words);
        }
        if (seg->is_fragment)
            g_string_append(out->text, ", first fragment");
        g_free(valid);
        return;
    }
    if (is_ip && seg->proto == IP_PROTO_UDP) /* a later fragment */
        out->tone = LADDER_UDP;
    if (is_ip && (seg->proto == IP_PROTO_ICMP || seg->proto == IP_PROTO_ICMPV6)) {
        out->tone = LADDER_ICMP;
        out->is_marked = !strstr(words, "echo");
    } else if (g_str_has_prefix(words, "who-has") || strstr(words, " is-at ")) {
        out->tone = LADDER_ARP;
        g_string_append(out->text, "ARP ");
    }
    put_text(out->text, words);
    g_free(valid);
}

void ladder_label(const Ladder *l, int32_t packet, const LadderMark *mark, LadderLabel *out)
{
    const StoryPacket *p = story_packet(l->story, packet);
    StorySegment seg;
    bool is_ip = story_segment(p, &seg);

    out->payload = 0;
    out->is_marked = false;
    if (p->flow != STORY_NONE && l->legend->len > 1 && story_flow(l->story, p->flow)->proto == IP_PROTO_TCP)
        g_string_append_printf(out->text, "#%d ", p->flow + 1);
    if (is_ip && seg.has_ports && seg.proto == IP_PROTO_TCP && p->flow != STORY_NONE)
        label_tcp(l, p, &seg, mark, out);
    else
        label_other(p, &seg, is_ip, out);
}
