/* Which records and packets belong to which connection, and to which file.
 *
 * A connection is what a host sees on the wire between two ports and an address, or, before its first packet
 * has left, a socket that went to SYN-SENT: it has no port then, and is found again by the sequence number of
 * its SYN. The records of a socket name it by a number; the first tcp.state of it says which ports it has. A
 * passive side has no socket while it answers a SYN (request sockets): the packets are there first. */
#include "view/qlog_tcp.h"

#include <string.h>

#include "models/wire/tcp.h"
#include "sim/packet/packet.h"
#include "sim/trace/sink_frame.h"
#include "view/qlog_event.h"

struct QlogTcp {
    ProbeSink sink; /* first */
    Probes *probes;
    QlogTcpConfig config;
    GPtrArray *files;     /* QlogFile, in order of opening */
    GHashTable *file_of;  /* "node role" -> QlogFile; NULL: none wanted. Look-up only, as all here */
    GHashTable *flow_of;  /* "node port remote port" -> QlogFlow */
    GHashTable *conn_of;  /* "node conn" -> QlogFlow */
    GPtrArray *flows;     /* own them */
    GPtrArray *portless;  /* those of SYN-SENT whose SYN was not seen yet */
    GArray *count;        /* of flows, by node id */
    QlogFlow *pending;    /* whose round trip time waits to be told; NULL: none's */
    GString *key, *acked; /* scratch */
    GError *error;        /* the first file that could not be opened */
};

/* ---- files and flows ---- */

static QlogFile *find_file(QlogTcp *q, const Node *node, const char *role)
{
    QlogHeader h = {.title = q->config.title,
                    .description = q->config.description,
                    .trace_title = q->config.trace_title,
                    .vantage_name = node->name,
                    .vantage_type = role,
                    .schemas = (const char *const[]){QLOG_TCP_SCHEMA, NULL},
                    .hold = q->config.hold};
    gpointer known;
    char *path;
    QlogFile *file = NULL;

    g_string_printf(q->key, "%u %s", node->id, role);
    if (g_hash_table_lookup_extended(q->file_of, q->key->str, NULL, &known))
        return known;
    path = q->config.path(q->config.user, node, role);
    if (path)
        file = qlog_open(path, &h, q->error ? NULL : &q->error);
    if (file)
        g_ptr_array_add(q->files, file);
    g_hash_table_insert(q->file_of, g_strdup(q->key->str), file);
    g_free(path);
    return file;
}

static unsigned next_number(QlogTcp *q, const Node *node)
{
    if (node->id >= q->count->len)
        g_array_set_size(q->count, node->id + 1);
    return ++g_array_index(q->count, unsigned, node->id);
}

/* NULL: nobody wants it. */
static QlogFlow *add_flow(QlogTcp *q, const Node *node, bool is_client, const char *remote,
                          uint16_t remote_port)
{
    QlogFile *file = find_file(q, node, is_client ? "client" : "server");
    char *group;
    QlogFlow *f;

    if (!file)
        return NULL;
    group = g_strdup_printf(strchr(remote, ':') ? "%s %u %s [%s]:%u" : "%s %u %s %s:%u", node->name,
                            next_number(q, node), is_client ? "to" : "from", remote, remote_port);
    f = qlog_flow_new(file, group);
    f->level = q->config.level;
    f->node = node->id;
    f->is_client = is_client;
    f->remote_port = remote_port;
    g_strlcpy(f->remote, remote, sizeof(f->remote));
    g_ptr_array_add(q->flows, f);
    g_free(group);
    return f;
}

static const char *flow_key(QlogTcp *q, uint32_t node, uint16_t local_port, const char *remote,
                            uint16_t remote_port)
{
    g_string_printf(q->key, "%u %u %s %u", node, local_port, remote, remote_port);
    return q->key->str;
}

static void name_flow(QlogTcp *q, QlogFlow *f, uint16_t local_port)
{
    f->local_port = local_port;
    f->has_port = true;
    g_hash_table_replace(q->flow_of, g_strdup(flow_key(q, f->node, local_port, f->remote, f->remote_port)),
                         f);
}

/* ---- sockets' records ---- */

static const char *conn_key(QlogTcp *q, const ProbeRecord *r)
{
    g_string_printf(q->key, "%u %" G_GUINT64_FORMAT, r->node->id, qlog_event_field(r, "conn").u);
    return q->key->str;
}

static QlogFlow *flow_of_state(QlogTcp *q, const ProbeRecord *r)
{
    QlogFlow *f = g_hash_table_lookup(q->conn_of, conn_key(q, r));
    uint16_t local_port = (uint16_t)qlog_event_field(r, "local_port").u;
    uint16_t remote_port = (uint16_t)qlog_event_field(r, "remote_port").u;
    const char *remote = qlog_event_field(r, "remote").s, *new_state = qlog_event_field(r, "new").s;

    if (f || !remote_port || !strcmp(new_state, "LISTEN"))
        return f;
    if (q->config.port && q->config.port != remote_port && (!local_port || q->config.port != local_port))
        return NULL;
    if (!strcmp(new_state, "SYN-SENT")) {
        f = add_flow(q, r->node, true, remote, remote_port);
        if (f)
            g_ptr_array_add(q->portless, f);
    } else {
        f = g_hash_table_lookup(q->flow_of, flow_key(q, r->node->id, local_port, remote, remote_port));
    }
    if (f)
        g_hash_table_insert(q->conn_of, g_strdup(conn_key(q, r)), f);
    return f;
}

static void on_lost(QlogFlow *f, const ProbeRecord *r)
{
    uint32_t seq = (uint32_t)qlog_event_field(r, "seq").u;
    uint32_t end = seq + (uint32_t)HS_MAX(qlog_event_field(r, "length_bytes").u, 1);
    const char *ca_state = qlog_event_field(r, "ca_state").s, *trigger = NULL;

    if (!strcmp(ca_state, "recovery"))
        trigger = "fast_retransmit";
    else if (!strcmp(ca_state, "loss"))
        trigger = "retransmission_timeout";
    else
        return; /* a probe: nothing was declared lost */
    for (unsigned i = 0; i < f->sent->len; i++) {
        QlogSent *p = &g_array_index(f->sent, QlogSent, i);

        if (p->is_lost || (int32_t)(p->end - seq) <= 0 || (int32_t)(end - p->seq) <= 0)
            continue;
        p->is_lost = true;
        qlog_event_lost(f, r->time, p, trigger);
    }
}

static void flush(QlogTcp *q)
{
    if (q->pending)
        qlog_event_flush(q->pending);
    q->pending = NULL;
}

static void wait_for_cwnd(QlogTcp *q, QlogFlow *f, const ProbeRecord *r)
{
    flush(q);
    qlog_event_rtt(f, r);
    q->pending = f;
}

static void on_tcp(QlogTcp *q, const ProbeRecord *r)
{
    const char *name = r->desc->name;
    QlogFlow *f;

    if (!strcmp(name, "tcp.state")) {
        f = flow_of_state(q, r);
        if (f)
            qlog_event_state(f, r);
        return;
    }
    f = g_hash_table_lookup(q->conn_of, conn_key(q, r));
    if (!f && !strcmp(name, "tcp.drop"))
        f = g_hash_table_lookup(q->flow_of,
                                flow_key(q, r->node->id, (uint16_t)qlog_event_field(r, "local_port").u,
                                         qlog_event_field(r, "remote").s,
                                         (uint16_t)qlog_event_field(r, "remote_port").u));
    if (!f)
        return;
    if (!strcmp(name, "tcp.cwnd"))
        qlog_event_cwnd(f, r);
    else if (!strcmp(name, "tcp.rtt"))
        wait_for_cwnd(q, f, r);
    else if (!strcmp(name, "tcp.window"))
        qlog_event_window(f, r);
    else if (!strcmp(name, "tcp.timer"))
        qlog_event_timer(f, r);
    else if (!strcmp(name, "tcp.drop"))
        qlog_event_refused(f, r);
    else if (!strcmp(name, "tcp.retransmit"))
        on_lost(f, r);
    else if (!strcmp(name, "tcp.send") && !f->has_isn[0]) {
        f->isn[0] = (uint32_t)qlog_event_field(r, "seq").u;
        f->has_isn[0] = true;
    }
}

/* ---- packets ---- */

#define MAX_WSCALE 14 /* RFC 7323 2.3: a larger one is taken for it */

static QlogFlow *find_portless(QlogTcp *q, const Node *node, const StorySegment *seg)
{
    for (unsigned i = 0; i < q->portless->len; i++) {
        QlogFlow *f = q->portless->pdata[i];

        if (f->node == node->id && f->remote_port == seg->dst_port && f->has_isn[0] &&
            f->isn[0] == seg->seq && !strcmp(f->remote, seg->dst)) {
            g_ptr_array_remove_index(q->portless, i);
            return f;
        }
    }
    return NULL;
}

/* A SYN with another number than the last one begins a new connection between the same ports. */
static bool is_successor(const QlogFlow *f, const StorySegment *seg, unsigned side)
{
    return (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && f->has_syn[side] &&
           f->isn[side] != seg->seq;
}

static QlogFlow *find_flow(QlogTcp *q, const Node *node, const QlogPacket *p)
{
    const StorySegment *seg = p->seg;
    uint16_t local_port = p->is_sent ? seg->src_port : seg->dst_port;
    uint16_t remote_port = p->is_sent ? seg->dst_port : seg->src_port;
    const char *remote = p->is_sent ? seg->dst : seg->src;
    QlogFlow *f = g_hash_table_lookup(q->flow_of, flow_key(q, node->id, local_port, remote, remote_port));
    bool is_client = p->is_sent && !(seg->flags & TCP_ACK);

    if (f && !is_successor(f, seg, !p->is_sent))
        return f;
    if (q->config.port && q->config.port != local_port && q->config.port != remote_port)
        return NULL;
    if (!p->is_sent && !q->config.owns(q->config.user, node, seg->dst))
        return NULL;
    f = is_client ? find_portless(q, node, seg) : NULL;
    if (!f)
        f = add_flow(q, node, is_client, remote, remote_port);
    if (!f)
        return NULL;
    name_flow(q, f, local_port);
    qlog_event_started(f, p);
    return f;
}

static void learn_syn(QlogFlow *f, const QlogPacket *p)
{
    unsigned side = !p->is_sent;

    if (f->has_syn[side])
        return;
    f->has_syn[side] = f->has_isn[side] = true;
    f->isn[side] = p->seg->seq;
    if (p->options) {
        f->mss[side] = p->options->has_mss ? p->options->mss : 0;
        f->has_ts[side] = p->options->has_timestamps;
        f->has_wscale[side] = p->options->has_wscale;
        f->wscale[side] = HS_MIN(p->options->wscale, MAX_WSCALE);
    }
    f->limit[side] = p->seg->window;
    qlog_event_parameters(f, p);
}

static void on_segment(QlogTcp *q, QlogFlow *f, QlogPacket *p)
{
    const StorySegment *seg = p->seg;
    uint32_t len = seg->payload_len + (seg->flags & TCP_SYN ? 1 : 0) + (seg->flags & TCP_FIN ? 1 : 0);
    QlogSent entry = {seg->seq, seg->seq + len, p->number, false, qlog_event_packet_type(seg)};

    if (seg->flags & TCP_SYN)
        learn_syn(f, p);
    g_string_truncate(q->acked, 0);
    if (seg->flags & TCP_ACK)
        qlog_flow_acked(p->is_sent ? f->arrived : f->sent, seg->ack, p->options, q->acked);
    if (len && p->is_sent) {
        p->is_retransmission = f->snd_max && (int32_t)(entry.seq - f->snd_max) < 0;
        if (!p->is_retransmission || (int32_t)(entry.end - f->snd_max) > 0)
            f->snd_max = entry.end;
    }
    if (len && !(seg->flags & TCP_RST))
        g_array_append_val(*(p->is_sent ? &f->sent : &f->arrived), entry);
    p->acked = q->acked->str;
    p->new_limit = qlog_flow_new_limit(f, !p->is_sent, seg);
    qlog_event_packet(f, p);
}

/* What becomes of a frame on the wire its sender does not see. */
static bool is_lost_on_the_way(const ProbeRecord *r)
{
    static const ProbeDrop reasons[] = {DROP_LOSS, DROP_LOSS_BURST, DROP_LOSS_LIST, DROP_RULE,
                                        DROP_COLLISION};

    for (unsigned i = 0; i < HS_ARRAY_LEN(reasons); i++)
        if (!strcmp(r->value[0].s, probe_drop_name(reasons[i])))
            return true;
    return false;
}

static void on_frame(QlogTcp *q, const ProbeRecord *r)
{
    uint8_t bytes[PKT_MAX_LEN + PKT_BUF]; /* a packet that was cut is not dissected */
    SinkFrame frame;
    const Packet *pkt = sinkframe_of(&frame, r);
    StoryPacket packet = {.birth = r->pkt->birth_id, .bytes = bytes, .linktype = frame.linktype};
    bool is_own = r->pkt->birth_node == r->node->id;
    ProbeClass cls = r->desc->cls;
    TcpOptions options;
    StorySegment seg;
    QlogPacket p = {.time = r->time, .number = packet.birth, .packet = &packet, .seg = &seg};
    QlogFlow *f;

    if (cls == PROBE_FRAME_DROP && is_lost_on_the_way(r))
        return;
    if (is_own == (cls == PROBE_FRAME_RX) || (cls == PROBE_FRAME_RX && !packet_fcs_ok(r->pkt)))
        return; /* forwarded, an echo on a hub, or broken */
    packet.kept = packet_copy(pkt, 0, bytes, sizeof(bytes));
    packet.len = packet_len(pkt);
    if (!story_segment(&packet, &seg) || !seg.has_ports || seg.proto != 6)
        return;
    if (seg.options_len) {
        tcp_options_decode(&options, bytes + seg.l4 + TCP_MIN_HDR_LEN, seg.options_len);
        p.options = &options;
    }
    p.is_sent = is_own;
    f = find_flow(q, r->node, &p);
    if (!f)
        return;
    if (cls == PROBE_FRAME_DROP)
        qlog_event_packet_dropped(f, &p, r->value[0].s);
    else
        on_segment(q, f, &p);
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    QlogTcp *q = (QlogTcp *)sink;

    if (q->pending && (r->desc->cls != PROBE_TCP || r->time != q->pending->rtt.time))
        flush(q);
    if (r->desc->cls == PROBE_TCP)
        on_tcp(q, r);
    else
        on_frame(q, r);
}

/* ---- life ---- */

QlogTcp *qlog_tcp_new(Probes *probes, const QlogTcpConfig *config)
{
    QlogTcp *q = g_new0(QlogTcp, 1);

    q->probes = probes;
    q->config = *config;
    q->files = g_ptr_array_new();
    q->file_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    q->flow_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    q->conn_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    q->flows = g_ptr_array_new_with_free_func(qlog_flow_free);
    q->portless = g_ptr_array_new();
    q->count = g_array_new(FALSE, TRUE, sizeof(unsigned));
    q->key = g_string_new(NULL);
    q->acked = g_string_new(NULL);
    q->sink.mask = PROBE_BIT(PROBE_TCP) | PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) |
                   PROBE_BIT(PROBE_FRAME_DROP);
    q->sink.record = on_record;
    probes_attach(probes, &q->sink);
    return q;
}

void qlog_tcp_finish(QlogTcp *q)
{
    flush(q);
}

unsigned qlog_tcp_file_count(const QlogTcp *q)
{
    return q->files->len;
}

const char *qlog_tcp_file(const QlogTcp *q, unsigned i, uint64_t *events)
{
    *events = qlog_events(q->files->pdata[i]);
    return qlog_path(q->files->pdata[i]);
}

bool qlog_tcp_has_failed(const QlogTcp *q)
{
    for (unsigned i = 0; i < q->files->len; i++)
        if (qlog_has_failed(q->files->pdata[i]))
            return true;
    return q->error != NULL;
}

static void forget(QlogTcp *q)
{
    probes_detach(q->probes, &q->sink);
    g_ptr_array_free(q->files, TRUE);
    g_hash_table_destroy(q->file_of);
    g_hash_table_destroy(q->flow_of);
    g_hash_table_destroy(q->conn_of);
    g_ptr_array_free(q->flows, TRUE);
    g_ptr_array_free(q->portless, TRUE);
    g_array_free(q->count, TRUE);
    g_string_free(q->key, TRUE);
    g_string_free(q->acked, TRUE);
    g_clear_error(&q->error);
    g_free(q);
}

bool qlog_tcp_close(QlogTcp *q, GError **error)
{
    GError *first = g_steal_pointer(&q->error);

    flush(q);
    for (unsigned i = 0; i < q->files->len; i++)
        (void)!qlog_close(q->files->pdata[i], first ? NULL : &first);
    forget(q);
    if (first)
        g_propagate_error(error, first);
    return first == NULL;
}

void qlog_tcp_discard(QlogTcp *q)
{
    if (!q)
        return;
    for (unsigned i = 0; i < q->files->len; i++)
        qlog_discard(q->files->pdata[i]);
    forget(q);
}
