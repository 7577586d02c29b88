/* Columns of "packets", one entry for each packet:
 *   b  the first packet with the same birth: itself, or what it was before a router or switch changed it
 *   n  node that made it                y  bytes on the wire, without FCS
 *   k  how many of them are in "bytes"  f  flow, s its side; f -1: none
 *   h  shape, v values (report_fields.h)
 *   m  string: the packet in one line, -1 for TCP, which the page words by itself from
 *   q  sequence number and a acknowledgment, both relative where their zero is known
 *   g  flags, w window (unscaled), d bytes of payload, o string: options but timestamps, relative too
 * "bytes" holds the first k bytes of every packet one after the other, each padded to a multiple of three
 * (report_json_base64). "malformed" lists [packet, at, string].
 *
 * All headers are kept. Of payload there is as much as makes the page not much larger than MAX_BYTES. */
#include "view/report_packets.h"

#include <string.h>

#include "models/wire/dissect.h"
#include "models/wire/tcp.h"
#include "models/wire/tcp_opt.h"
#include "view/report_fields.h"
#include "view/story_segment.h"

#define MAX_BYTES UINT32_C(8000000)
#define MIN_PAYLOAD UINT32_C(16)
#define LINKTYPE_PPP 9

enum {
    COL_B,
    COL_N,
    COL_Y,
    COL_F,
    COL_S,
    COL_H,
    COL_V,
    COL_M,
    COL_Q,
    COL_A,
    COL_G,
    COL_W,
    COL_D,
    COL_O,
    N_COLS
};
static const char col_names[N_COLS + 1] = "bnyfshvmqagwdo";

struct ReportPackets {
    const Story *story;
    ReportStrings *strings;
    ReportFields *fields;
    GArray *col[N_COLS];
    GArray *of;         /* story's packet -> ours + 1 */
    GArray *source;     /* ours -> story's */
    GArray *header_len; /* likewise, in bytes */
    GArray *malformed;  /* triples */
    GHashTable *first;  /* birth -> ours + 1; look-up only */
};

ReportPackets *report_packets_new(const Story *story, ReportStrings *strings)
{
    ReportPackets *p = g_new0(ReportPackets, 1);
    GArray **lists[] = {&p->of, &p->source, &p->header_len, &p->malformed};

    p->story = story;
    p->strings = strings;
    p->fields = report_fields_new(strings);
    for (int i = 0; i < N_COLS; i++)
        p->col[i] = g_array_new(FALSE, FALSE, sizeof(int64_t));
    for (unsigned i = 0; i < HS_ARRAY_LEN(lists); i++)
        *lists[i] = g_array_new(FALSE, TRUE, sizeof(int64_t));
    g_array_set_size(p->of, (guint)story_packet_count(story));
    p->first = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return p;
}

void report_packets_free(ReportPackets *p)
{
    report_fields_free(p->fields);
    for (int i = 0; i < N_COLS; i++)
        g_array_free(p->col[i], TRUE);
    g_array_free(p->of, TRUE);
    g_array_free(p->source, TRUE);
    g_array_free(p->header_len, TRUE);
    g_array_free(p->malformed, TRUE);
    g_hash_table_destroy(p->first);
    g_free(p);
}

static void push(GArray *a, int64_t v)
{
    g_array_append_val(a, v);
}

static int64_t first_of_birth(ReportPackets *p, const StoryPacket *packet, int64_t index)
{
    char *key = g_strdup_printf("%d/%" G_GUINT64_FORMAT, packet->birth_node, packet->birth);
    gpointer known = g_hash_table_lookup(p->first, key);

    if (known) {
        g_free(key);
        return (int64_t)GPOINTER_TO_UINT(known) - 1;
    }
    g_hash_table_insert(p->first, key, GUINT_TO_POINTER((guint)index + 1));
    return index;
}

/* ---- TCP ---- */

static uint32_t relative(uint32_t number, const StoryFlow *flow, int side)
{
    return flow && flow->has_isn[side] ? number - flow->isn[side] : number;
}

static int64_t options_text(ReportPackets *p, const StoryPacket *packet, const StorySegment *seg,
                            const StoryFlow *flow, int other)
{
    GString *text;
    TcpOptions o = {0};
    int64_t index;

    if (seg->options_len)
        (void)!tcp_options_decode(&o, packet->bytes + seg->l4 + TCP_MIN_HDR_LEN, seg->options_len);
    if (!o.has_mss && !o.has_wscale && !o.has_sack_permitted && !o.n_sack && !o.has_fastopen && !o.has_md5 &&
        !packet->is_cookie)
        return -1;
    text = g_string_new(NULL);
    if (o.has_mss)
        g_string_append_printf(text, " mss=%u", o.mss);
    if (o.has_sack_permitted)
        g_string_append(text, " sackOK");
    if (o.has_wscale)
        g_string_append_printf(text, " wscale=%u", o.wscale);
    for (unsigned i = 0; i < o.n_sack; i++)
        g_string_append_printf(text, "%s%u–%u", i ? "," : " SACK ", relative(o.sack[i].left, flow, other),
                               relative(o.sack[i].right, flow, other));
    if (o.has_fastopen)
        g_string_append(text, o.fastopen_cookie_len ? " TFO cookie" : " TFO request");
    if (o.has_md5)
        g_string_append(text, " MD5");
    if (packet->is_cookie)
        g_string_append(text, " SYN cookie");
    index = report_strings_add(p->strings, text->str + 1);
    g_string_free(text, TRUE);
    return index;
}

static void add_tcp(ReportPackets *p, const StoryPacket *packet, const StorySegment *seg)
{
    const StoryFlow *flow = packet->flow == STORY_NONE ? NULL : story_flow(p->story, packet->flow);
    int side = packet->side;

    push(p->col[COL_Q], relative(seg->seq, flow, side));
    push(p->col[COL_A], seg->flags & TCP_ACK ? relative(seg->ack, flow, !side) : 0);
    push(p->col[COL_G], seg->flags);
    push(p->col[COL_W], seg->window);
    push(p->col[COL_D], seg->payload_len);
    push(p->col[COL_O], options_text(p, packet, seg, flow, !side));
}

int64_t report_packets_add(ReportPackets *p, int32_t index)
{
    const StoryPacket *packet = story_packet(p->story, index);
    int64_t *known = &g_array_index(p->of, int64_t, index);
    int64_t ours = p->source->len;
    bool is_tcp;
    char summary[256];
    ReportPacketFields fields;
    StorySegment seg;

    if (*known)
        return *known - 1;
    *known = ours + 1;
    push(p->source, index);
    report_fields_add(p->fields, packet, &fields);
    push(p->header_len, fields.header_len);
    if (fields.malformed >= 0) {
        push(p->malformed, ours);
        push(p->malformed, fields.malformed_at);
        push(p->malformed, fields.malformed);
    }
    push(p->col[COL_B], first_of_birth(p, packet, ours));
    push(p->col[COL_N], packet->birth_node);
    push(p->col[COL_Y], packet->len);
    push(p->col[COL_F], packet->flow);
    push(p->col[COL_S], packet->side);
    push(p->col[COL_H], fields.shape);
    push(p->col[COL_V], fields.values);
    is_tcp = story_segment(packet, &seg) && seg.proto == 6 && seg.has_ports;
    if (is_tcp) {
        push(p->col[COL_M], -1);
        add_tcp(p, packet, &seg);
        return ours;
    }
    dissect_summary(summary, sizeof(summary),
                    packet->linktype == LINKTYPE_PPP ? WIRE_LINK_PPP : (WireLinkType)packet->linktype,
                    packet->bytes, packet->kept);
    push(p->col[COL_M], report_strings_add(p->strings, summary));
    for (int i = COL_Q; i <= COL_D; i++)
        push(p->col[i], 0);
    push(p->col[COL_O], -1);
    return ours;
}

/* ---- writing ---- */

static uint32_t payload_limit(const ReportPackets *p)
{
    uint64_t headers = 0;

    for (guint i = 0; i < p->header_len->len; i++)
        headers += (uint64_t)g_array_index(p->header_len, int64_t, i);
    if (headers >= MAX_BYTES)
        return MIN_PAYLOAD;
    return HS_MAX((uint32_t)((MAX_BYTES - headers) / HS_MAX(p->source->len, 1)), MIN_PAYLOAD);
}

static uint32_t kept_of(const ReportPackets *p, guint i, uint32_t payload)
{
    const StoryPacket *packet = story_packet(p->story, (int32_t)g_array_index(p->source, int64_t, i));

    return HS_MIN(packet->kept, (uint32_t)g_array_index(p->header_len, int64_t, i) + payload);
}

void report_packets_write(const ReportPackets *p, ReportJson *j)
{
    uint32_t payload = payload_limit(p);

    report_json_key(j, "packets");
    report_json_begin(j, '{');
    for (int i = 0; i < N_COLS; i++)
        report_json_ints(j, (char[]){col_names[i], '\0'}, p->col[i]);
    report_json_key(j, "k");
    report_json_begin(j, '[');
    for (guint i = 0; i < p->source->len; i++)
        report_json_uint(j, kept_of(p, i, payload));
    report_json_end(j, ']');
    report_json_end(j, '}');
    report_json_base64_begin(j, "bytes");
    for (guint i = 0; i < p->source->len; i++)
        report_json_base64(j, story_packet(p->story, (int32_t)g_array_index(p->source, int64_t, i))->bytes,
                           kept_of(p, i, payload));
    report_json_base64_end(j);
    report_json_ints(j, "malformed", p->malformed);
    report_fields_write(p->fields, j);
}
