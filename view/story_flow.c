/* Who talks to whom: flows out of packets, and which endpoint's tcp.* records belong to which flow. */
#include <string.h>

#include "models/wire/icmp.h"
#include "models/wire/ipv4.h"
#include "models/wire/tcp.h"
#include "models/wire/tcp_opt.h"
#include "view/story_priv.h"
#include "view/story_segment.h"

#define TCP_WSCALE_MAX 14 /* RFC 7323 2.3 */
#define LINKTYPE_RAW 101  /* as in pcapng */

/* ---- flows ---- */

static char *flow_key(uint8_t proto, const char *a, uint16_t a_port, const char *b, uint16_t b_port)
{
    return g_strdup_printf("%u %s %u %s %u", proto, a, a_port, b, b_port);
}

/* A SYN without ACK that is no repetition of the last one begins a new connection on the same ports. */
static bool is_new_connection(const StoryFlow *f, unsigned side, const StorySegment *seg)
{
    return seg->proto == IP_PROTO_TCP && (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
           f->has_isn[side] && f->isn[side] != seg->seq;
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

/* Only the first fragment of a datagram has ports; the others are known by its identification (RFC 791 3.2).
 */
static char *fragment_key(const StorySegment *seg)
{
    return g_strdup_printf("fragment %u %s %s %u", seg->proto, seg->src, seg->dst, seg->fragment_id);
}

static void keep_first_fragment(Story *s, const StoryPacket *p, const StorySegment *seg)
{
    g_hash_table_replace(s->flow_of, fragment_key(seg), GUINT_TO_POINTER((guint)p->flow * 2 + p->side + 1));
}

static void find_first_fragment(Story *s, StoryPacket *p, const StorySegment *seg)
{
    char *key = fragment_key(seg);
    gpointer known = g_hash_table_lookup(s->flow_of, key);

    if (known) {
        p->flow = (int32_t)((GPOINTER_TO_UINT(known) - 1) / 2);
        p->side = (GPOINTER_TO_UINT(known) - 1) & 1;
    }
    g_free(key);
}

static bool is_error(uint8_t type)
{
    return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAM_PROBLEM;
}

/* RFC 792: an error carries the header of the packet that it is about, and what follows it. */
static int32_t quoted_flow(Story *s, const StoryPacket *p, const StorySegment *seg)
{
    size_t icmp = seg->l3 + ipv4_hdr_len(p->bytes + seg->l3), inner = icmp + ICMP_HDR_LEN;
    StoryPacket quote = {.linktype = LINKTYPE_RAW};
    StorySegment about;
    gpointer known;
    char *key;

    if (p->kept <= inner || !is_error(p->bytes[icmp]))
        return STORY_NONE;
    quote.bytes = p->bytes + inner;
    quote.kept = quote.len = (uint32_t)(p->kept - inner);
    if (!story_segment(&quote, &about) || !about.has_ports)
        return STORY_NONE;
    key = flow_key(about.proto, about.src, about.src_port, about.dst, about.dst_port);
    known = g_hash_table_lookup(s->flow_of, key);
    g_free(key);
    return known ? (int32_t)((GPOINTER_TO_UINT(known) - 1) / 2) : STORY_NONE;
}

/* The host counts the cookies that it sends, and its packets leave in that order. */
static bool is_cookie(Story *s, const StoryPacket *p, const Node *node, const StorySegment *seg)
{
    uint64_t *seen;

    if ((seg->flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) || !node || !s->config.cookies_of)
        return false;
    if (s->cookies_seen->len <= (guint)p->birth_node)
        g_array_set_size(s->cookies_seen, (guint)p->birth_node + 1);
    seen = &g_array_index(s->cookies_seen, uint64_t, p->birth_node);
    if (*seen >= s->config.cookies_of(s->config.user, node))
        return false;
    ++*seen;
    return true;
}

void story_flow_add_packet(Story *s, StoryPacket *p, const Node *birth_node, SimTime now)
{
    StorySegment seg;
    char *key;
    gpointer known;
    unsigned side = 0;
    StoryFlow *f = NULL;

    if (!story_segment(p, &seg))
        return;
    if (!seg.has_ports) {
        if (seg.is_fragment)
            find_first_fragment(s, p, &seg);
        else if (seg.proto == IP_PROTO_ICMP)
            p->about = quoted_flow(s, p, &seg);
        return;
    }
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
    if (seg.is_fragment)
        keep_first_fragment(s, p, &seg);
    if (seg.proto == IP_PROTO_TCP) {
        learn_numbers(f, side, p, &seg);
        p->is_cookie = is_cookie(s, p, birth_node, &seg);
    }
    g_free(key);
}

void story_flow_add_fragments(Story *s)
{
    for (guint i = 0; i < s->packets->len; i++) {
        StoryPacket *p = &g_array_index(s->packets, StoryPacket, i);
        StorySegment seg;

        if (p->flow == STORY_NONE && story_segment(p, &seg) && seg.is_fragment)
            find_first_fragment(s, p, &seg);
    }
}

/* ---- endpoints ---- */

static void free_list(gpointer list)
{
    g_array_free(list, TRUE);
}

static char *conn_key(int32_t node, uint64_t id)
{
    return g_strdup_printf("%d %" G_GUINT64_FORMAT, node, id);
}

/* TCP flows by the ports of either side: flow * 2 + side, in order. */
static GHashTable *index_by_ports(const Story *s)
{
    GHashTable *by_ports = g_hash_table_new_full(NULL, NULL, NULL, free_list);

    for (int32_t i = 0; i < story_flow_count(s); i++)
        for (unsigned side = 0; side < 2; side++) {
            const StoryFlow *f = story_flow(s, i);
            gpointer key = GUINT_TO_POINTER((guint)f->port[side] << 16 | f->port[!side]);
            GArray *list = g_hash_table_lookup(by_ports, key);
            int32_t entry = i * 2 + (int32_t)side;

            if (f->proto != IP_PROTO_TCP)
                continue;
            if (!list) {
                list = g_array_new(FALSE, FALSE, sizeof(int32_t));
                g_hash_table_insert(by_ports, key, list);
            }
            g_array_append_val(list, entry);
        }
    return by_ports;
}

/* The last flow between those ports that had begun by then, or, where the state changes before the first
 * packet leaves (SYN_SENT), the next one. */
static int32_t find_flow(const Story *s, GHashTable *by_ports, const StoryConn *c, SimTime when,
                         uint8_t *side)
{
    const GArray *list =
        g_hash_table_lookup(by_ports, GUINT_TO_POINTER((guint)c->local_port << 16 | c->remote_port));
    int32_t best = STORY_NONE;

    for (guint i = 0; list && i < list->len; i++) {
        int32_t entry = g_array_index(list, int32_t, i);
        const StoryFlow *f = story_flow(s, entry / 2);
        unsigned k = (unsigned)entry & 1;

        if (strcmp(f->addr[!k], c->remote) || (f->node[k] != c->node && f->node[k] != STORY_NONE))
            continue;
        if (best != STORY_NONE && f->begin > when)
            return best;
        best = entry / 2;
        *side = (uint8_t)k;
    }
    return best;
}

void story_flow_add_conns(Story *s)
{
    GHashTable *by_ports = index_by_ports(s);

    for (int32_t i = 0; i < story_record_count(s); i++) {
        const StoryRecord *r = story_record(s, i);
        StoryConn c = {.node = r->node, .flow = STORY_NONE};
        StoryConn *known = NULL;
        gpointer at;
        char *key;

        if (!story_is(r, "tcp.state"))
            continue;
        c.id = story_value(r, "conn", NULL)->u;
        key = conn_key(c.node, c.id);
        at = g_hash_table_lookup(s->conn_of, key);
        if (at)
            known = &g_array_index(s->conns, StoryConn, GPOINTER_TO_UINT(at) - 1);
        if (known && known->local_port) {
            g_free(key);
            continue;
        }
        c.local_port = (uint16_t)story_value(r, "local_port", NULL)->u;
        c.remote_port = (uint16_t)story_value(r, "remote_port", NULL)->u;
        c.remote = story_str(r, "remote");
        c.flow = find_flow(s, by_ports, &c, r->time, &c.side);
        if (known) { /* connect() changes the state before it chooses a port */
            *known = c;
            g_free(key);
            continue;
        }
        g_array_append_val(s->conns, c);
        g_hash_table_insert(s->conn_of, key, GUINT_TO_POINTER(s->conns->len));
    }
    g_hash_table_destroy(by_ports);
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
