/* Life of the sink, endpoints and queues. Frames are in plot_frame.c, what TCP tells of itself in plot_tcp.c.
 */
#include "view/plot_sink.h"

#include <string.h>

#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "models/wire/wire.h"
#include "sim/engine/sim.h"
#include "view/plot_sink_priv.h"

typedef enum RecordKind {
    RECORD_OTHER,
    RECORD_STATE,
    RECORD_CWND,
    RECORD_RTT,
    RECORD_SEND,
    RECORD_QUEUE,
} RecordKind;

#define RECORD_FIELDS 5

/* Which fields of which records are read. */
static const struct {
    const char *probe;
    RecordKind kind;
    const char *field[RECORD_FIELDS];
} record_kinds[] = {
    {"tcp.state", RECORD_STATE, {"conn", "local_port", "remote", "remote_port"}},
    {"tcp.cwnd", RECORD_CWND, {"conn", "cwnd", "ssthresh", "inflight", "ca_state"}},
    {"tcp.rtt", RECORD_RTT, {"conn", "sample_us", "srtt_us", "rto_ms"}},
    {"tcp.send", RECORD_SEND, {"conn", "length_bytes", "flags", "segments"}},
    {"tcp.retransmit", RECORD_SEND, {"conn", "length_bytes", "flags", "segments"}},
    {"queue.length", RECORD_QUEUE, {"packets"}},
};

typedef struct PlotDesc {
    const ProbeDesc *desc;
    RecordKind kind;
    unsigned at[RECORD_FIELDS];
} PlotDesc;

/* ---- endpoints ---- */

static guint key_hash(gconstpointer ptr)
{
    const PlotEndKey *k = ptr;
    guint h = k->node_id * 2654435761u + k->proto;

    h = h * 31 + k->local_port;
    h = h * 31 + k->remote_port;
    for (unsigned i = 12; i < 16; i++)
        h = h * 31 + k->remote[i];
    return h;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const PlotEndKey *x = a, *y = b;

    return x->node_id == y->node_id && x->local_port == y->local_port && x->remote_port == y->remote_port &&
           x->proto == y->proto && !memcmp(x->remote, y->remote, sizeof(x->remote));
}

static guint conn_hash(gconstpointer ptr)
{
    const uint64_t *k = ptr;

    return (guint)(k[0] * 2654435761u + k[1]);
}

static gboolean conn_equal(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, 2 * sizeof(uint64_t));
}

static PlotEnd *new_end(const PlotSink *s, uint32_t node_id, const char *node)
{
    static const uint8_t thin[PLOT_END_SERIES] = {
        [PLOT_END_SENT] = PLOT_THIN_RANGE, [PLOT_END_AGAIN] = PLOT_THIN_RANGE,
        [PLOT_END_SACK] = PLOT_THIN_RANGE, [PLOT_END_DSACK] = PLOT_THIN_RANGE,
        [PLOT_END_LOST] = PLOT_THIN_EVENT, [PLOT_END_MARK] = PLOT_THIN_EVENT,
    };
    PlotEnd *e = g_new0(PlotEnd, 1);
    SimTime interval = s->config.wish.interval;

    e->node_id = node_id;
    e->node = g_strdup(node);
    for (unsigned i = 0; i < PLOT_END_SERIES; i++)
        plotseries_init(&e->s[i], s->config.wish.cdf ? PLOT_THIN_EVERY : (PlotThin)thin[i]);
    plotbins_init(&e->received, interval ? interval : PLOT_BINS_WIDTH, interval != 0);
    plotbins_init(&e->useful, interval ? interval : PLOT_BINS_WIDTH, interval != 0);
    return e;
}

static void free_end(PlotEnd *e)
{
    for (unsigned i = 0; i < PLOT_END_SERIES; i++)
        plotseries_clear(&e->s[i]);
    plotbins_clear(&e->received);
    plotbins_clear(&e->useful);
    g_free(e->node);
    g_free(e->remote_name);
    g_free(e);
}

PlotEnd *plotsink_new_end(PlotSink *s, const PlotEndKey *key, const char *node)
{
    PlotEnd *e = new_end(s, key->node_id, node);

    e->proto = key->proto;
    e->local_port = key->local_port;
    e->remote_port = key->remote_port;
    memcpy(e->remote, key->remote, sizeof(e->remote));
    g_ptr_array_add(s->ends, e);
    g_hash_table_replace(s->by_key, g_memdup2(key, sizeof(*key)), e);
    return e;
}

PlotEnd *plotsink_find_end(PlotSink *s, const PlotEndKey *key, const char *node)
{
    PlotEnd *e = g_hash_table_lookup(s->by_key, key);

    return e ? e : plotsink_new_end(s, key, node);
}

static bool parse_addr(const char *text, uint8_t addr[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    uint32_t v4;
    Ipv6Addr v6;

    if (ipv4_addr_parse(text, &v4)) {
        memcpy(addr, mapped, sizeof(mapped));
        wire_put32(addr + 12, v4);
        return true;
    }
    if (!ipv6_addr_parse(text, &v6))
        return false;
    memcpy(addr, &v6, 16);
    return true;
}

static char *format_addr(const PlotEnd *e)
{
    char text[IPV6_ADDR_STR_LEN], v4[IPV4_ADDR_STR_LEN];
    Ipv6Addr addr;

    if (e->remote[10] == 0xff && e->remote[11] == 0xff && !e->remote[0])
        return g_strdup(ipv4_addr_format(wire_get32(e->remote + 12), v4));
    memcpy(&addr, e->remote, sizeof(addr));
    return g_strdup(ipv6_addr_format(&addr, text));
}

static PlotEnd *end_of(const PlotSink *s, const ProbeRecord *r, uint64_t conn)
{
    uint64_t key[2] = {r->node->id, conn};

    return g_hash_table_lookup(s->by_conn, key);
}

static void set_end_of(PlotSink *s, const ProbeRecord *r, uint64_t conn, PlotEnd *e)
{
    uint64_t key[2] = {r->node->id, conn};

    e->conn = conn;
    g_hash_table_replace(s->by_conn, g_memdup2(key, sizeof(key)), e);
}

/* What the SYN ACK tells comes before the record that tells the ports: it is kept without a name until then.
 */
static PlotEnd *end_or_nameless(PlotSink *s, const ProbeRecord *r, uint64_t conn)
{
    PlotEnd *e = end_of(s, r, conn);

    if (!e) {
        e = new_end(s, r->node->id, r->node->name);
        g_ptr_array_add(s->nameless, e);
        set_end_of(s, r, conn, e);
    }
    return e;
}

static void take_over(PlotSink *s, PlotEnd *e, PlotEnd *nameless)
{
    for (unsigned i = 0; i <= PLOT_END_RTO; i++) {
        PlotSeries kept = e->s[i];

        e->s[i] = nameless->s[i];
        nameless->s[i] = kept;
    }
    e->payload += nameless->payload;
    g_ptr_array_remove_fast(s->nameless, nameless);
    free_end(nameless);
}

/* ---- records of TCP ---- */

static void on_state(PlotSink *s, const ProbeRecord *r, const PlotDesc *d)
{
    uint64_t conn = r->value[d->at[0]].u;
    PlotEnd *e, *nameless = end_of(s, r, conn);
    PlotEndKey key = {.node_id = r->node->id,
                      .local_port = (uint16_t)r->value[d->at[1]].u,
                      .remote_port = (uint16_t)r->value[d->at[3]].u,
                      .proto = PLOT_PROTO_TCP};

    /* SYN-SENT may come before a port is chosen, a listener has no peer. */
    if (key.local_port == 0 || (nameless && nameless->local_port) ||
        !parse_addr(r->value[d->at[2]].s, key.remote) || key.remote_port == 0)
        return;
    e = plotsink_find_end(s, &key, r->node->name);
    if (e->conn && e->conn != conn)
        e = plotsink_new_end(s, &key, r->node->name);
    set_end_of(s, r, conn, e);
    if (nameless)
        take_over(s, e, nameless);
}

/* ---- queues ---- */

static PlotQueue *queue_at(PlotSink *s, const ProbePoint *point)
{
    PlotQueue **at;

    if (s->queue_of->len <= point->id)
        g_array_set_size(s->queue_of, point->id + 1);
    at = &g_array_index(s->queue_of, PlotQueue *, point->id);
    if (!*at) {
        PlotThin thin = s->config.wish.cdf ? PLOT_THIN_EVERY : PLOT_THIN_VALUE;

        *at = g_new0(PlotQueue, 1);
        (*at)->point = point->id;
        (*at)->node = g_strdup(point->node->name);
        (*at)->device = g_strdup(point->name);
        plotseries_init(&(*at)->length, thin);
        plotseries_init(&(*at)->sojourn, thin);
        g_queue_init(&(*at)->waiting);
        g_ptr_array_add(s->queues, *at);
    }
    return *at;
}

static void on_queue(PlotSink *s, const ProbeRecord *r, const PlotDesc *d)
{
    uint64_t packets = r->value[d->at[0]].u;
    PlotQueue *q;

    if (!r->point)
        return;
    q = queue_at(s, r->point);
    if (plotsink_is_time(s, r->time)) {
        if (plotseries_count(&q->length) == 0)
            plotseries_add(&q->length, s->config.wish.from, (double)q->packets, 0);
        plotseries_add(&q->length, r->time, (double)packets, 0);
        q->max_packets = HS_MAX(q->max_packets, packets);
    }
    if (plotsink_wants(s, PLOT_BIT(PLOT_SOJOURN))) {
        for (; q->packets < packets; q->packets++)
            g_queue_push_tail(&q->waiting, g_memdup2(&r->time, sizeof(r->time)));
        for (; q->packets > packets; q->packets--) {
            SimTime *since = g_queue_pop_head(&q->waiting);

            if (since && plotsink_is_time(s, r->time))
                plotseries_add(&q->sojourn, r->time, (double)(r->time - *since) / 1e9, 0);
            g_free(since);
        }
    }
    q->packets = packets;
}

/* ---- the sink ---- */

static const PlotDesc *desc_of(PlotSink *s, const ProbeDesc *desc)
{
    PlotDesc d = {.desc = desc};

    for (unsigned i = 0; i < s->descs->len; i++)
        if (g_array_index(s->descs, PlotDesc, i).desc == desc)
            return &g_array_index(s->descs, PlotDesc, i);
    for (unsigned i = 0; i < HS_ARRAY_LEN(record_kinds) && d.kind == RECORD_OTHER; i++) {
        if (strcmp(record_kinds[i].probe, desc->name))
            continue;
        d.kind = record_kinds[i].kind;
        for (unsigned f = 0; f < RECORD_FIELDS && record_kinds[i].field[f]; f++) {
            while (d.at[f] < desc->n_fields && strcmp(desc->field[d.at[f]].name, record_kinds[i].field[f]))
                d.at[f]++;
            if (d.at[f] == desc->n_fields)
                d.kind = RECORD_OTHER;
        }
    }
    g_array_append_val(s->descs, d);
    return &g_array_index(s->descs, PlotDesc, s->descs->len - 1);
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    PlotSink *s = HS_CONTAINER_OF(sink, PlotSink, sink);
    const PlotDesc *d;
    PlotEnd *e;

    if (r->desc->cls <= PROBE_FRAME_DROP) {
        plotsink_on_frame(s, r);
        return;
    }
    d = desc_of(s, r->desc);
    if (d->kind == RECORD_OTHER)
        return;
    if (d->kind == RECORD_STATE) {
        on_state(s, r, d);
        return;
    }
    if (d->kind == RECORD_QUEUE) {
        on_queue(s, r, d);
        return;
    }
    e = end_or_nameless(s, r, r->value[d->at[0]].u);
    if (d->kind == RECORD_SEND && !(s->sink.mask & PROBE_BIT(PROBE_FRAME_TX))) /* else frames are counted */
        e->payload += r->value[d->at[1]].u;
    if (r->time > s->config.wish.to)
        return;
    if (d->kind == RECORD_CWND)
        plotsink_on_cwnd(s, e, r, d->at);
    else if (d->kind == RECORD_RTT)
        plotsink_on_rtt(s, e, r, d->at);
    else
        plotsink_on_send(s, e, r, d->at);
}

bool plotsink_is_host(PlotSink *s, const Node *node)
{
    char *at;
    const char *kind;

    if (s->is_host->len <= node->id)
        g_array_set_size(s->is_host, node->id + 1);
    at = &g_array_index(s->is_host, char, node->id);
    if (!*at) {
        kind = s->config.kind_of ? s->config.kind_of(s->config.user, node) : "host";
        *at = !kind || !strcmp(kind, "host") ? 2 : 1;
    }
    return *at == 2;
}

static uint64_t classes_of(uint32_t what)
{
    uint64_t classes = 0;

    if (what & (PLOT_BIT(PLOT_CWND) | PLOT_BIT(PLOT_SSTHRESH) | PLOT_BIT(PLOT_INFLIGHT) | PLOT_BIT(PLOT_RTT) |
                PLOT_BIT(PLOT_RTO)))
        classes |= PROBE_BIT(PROBE_TCP);
    if (what & (PLOT_BIT(PLOT_QUEUE) | PLOT_BIT(PLOT_SOJOURN)))
        classes |= PROBE_BIT(PROBE_QUEUE);
    if (what & (PLOT_BIT(PLOT_SEQUENCE) | PLOT_BIT(PLOT_LOSS)))
        classes |= PROBE_BIT(PROBE_FRAME_DROP);
    if (what & (PLOT_BIT(PLOT_SEQUENCE) | PLOT_BIT(PLOT_RWND) | PLOT_BIT(PLOT_THROUGHPUT) |
                PLOT_BIT(PLOT_GOODPUT) | PLOT_BIT(PLOT_FAIRNESS) | PLOT_BIT(PLOT_LOSS) | PLOT_BIT(PLOT_MARK)))
        classes |= PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX);
    return classes;
}

static const char *keep_string(PlotSink *s, const char *text)
{
    char *copy = g_strdup(text);

    if (copy)
        g_ptr_array_add(s->strings, copy);
    return copy;
}

PlotSink *plotsink_new(const PlotSinkConfig *config)
{
    PlotSink *s = g_new0(PlotSink, 1);
    PlotWish *w = &s->config.wish;

    s->config = *config;
    s->strings = g_ptr_array_new_with_free_func(g_free);
    w->host = keep_string(s, w->host);
    w->flow = keep_string(s, w->flow);
    w->title = keep_string(s, w->title);
    w->look.font = keep_string(s, w->look.font);
    if (w->to <= 0)
        w->to = SIM_NEVER;
    s->ends = g_ptr_array_new();
    s->nameless = g_ptr_array_new();
    s->queues = g_ptr_array_new();
    s->by_key = g_hash_table_new_full(key_hash, key_equal, g_free, NULL);
    s->by_conn = g_hash_table_new_full(conn_hash, conn_equal, g_free, NULL);
    s->queue_of = g_array_new(FALSE, TRUE, sizeof(PlotQueue *));
    s->is_host = g_array_new(FALSE, TRUE, 1);
    s->descs = g_array_new(FALSE, FALSE, sizeof(PlotDesc));
    s->notes = g_array_new(FALSE, FALSE, sizeof(PlotSinkNote));
    s->levels = g_array_new(FALSE, FALSE, sizeof(PlotLevel));
    s->sink = (ProbeSink){.mask = classes_of(w->what), .record = on_record};
    return s;
}

void plotsink_attach(PlotSink *s, Probes *probes)
{
    s->probes = probes;
    s->part = probes_partition(probes);
    probes_attach(probes, &s->sink);
}

/* Where nothing changed in the picture's time the connection may have been over. */
static void seal_series(const PlotSink *s, PlotEnd *e)
{
    static const PlotEndSeries carried[] = {PLOT_END_CWND,  PLOT_END_SSTHRESH, PLOT_END_INFLIGHT,
                                            PLOT_END_STATE, PLOT_END_SRTT,     PLOT_END_RTO,
                                            PLOT_END_ACK,   PLOT_END_EDGE,     PLOT_END_RWND};

    for (unsigned i = 0; i < HS_ARRAY_LEN(carried) && s->config.wish.from; i++) {
        PlotSeries *series = &e->s[carried[i]];

        if (plotseries_count(series) == 1 && plotseries_last(series)->t == s->config.wish.from)
            plotseries_clear(series);
    }
}

/* In a distribution the time after the last change counts too. */
static void seal_queue(const PlotSink *s, PlotQueue *q)
{
    const PlotPoint *last = plotseries_last(&q->length);
    SimTime end = HS_MIN(s->until, s->config.wish.to);

    if (s->config.wish.cdf && last && end > last->t)
        plotseries_add(&q->length, end, last->y, 0);
}

void plotsink_seal(PlotSink *s)
{
    if (!s->probes)
        return;
    s->until = s->part->now;
    for (unsigned i = 0; i < s->queues->len; i++)
        seal_queue(s, s->queues->pdata[i]);
    probes_detach(s->probes, &s->sink);
    s->probes = NULL;
    for (unsigned i = 0; i < s->ends->len; i++) {
        PlotEnd *e = s->ends->pdata[i];
        seal_series(s, e);
        char *addr = format_addr(e);
        const char *name = s->config.name_of ? s->config.name_of(s->config.user, addr) : NULL;

        e->remote_name = g_strdup(name ? name : addr);
        g_free(addr);
    }
}

static void free_queue(PlotQueue *q)
{
    plotseries_clear(&q->length);
    plotseries_clear(&q->sojourn);
    g_queue_clear_full(&q->waiting, g_free);
    g_free(q->node);
    g_free(q->device);
    g_free(q);
}

void plotsink_free(PlotSink *s)
{
    if (!s)
        return;
    if (s->probes)
        probes_detach(s->probes, &s->sink);
    for (unsigned i = 0; i < s->ends->len; i++)
        free_end(s->ends->pdata[i]);
    for (unsigned i = 0; i < s->nameless->len; i++)
        free_end(s->nameless->pdata[i]);
    for (unsigned i = 0; i < s->queues->len; i++)
        free_queue(s->queues->pdata[i]);
    g_ptr_array_free(s->ends, TRUE);
    g_ptr_array_free(s->nameless, TRUE);
    g_ptr_array_free(s->queues, TRUE);
    g_ptr_array_free(s->strings, TRUE);
    g_hash_table_destroy(s->by_key);
    g_hash_table_destroy(s->by_conn);
    g_array_free(s->queue_of, TRUE);
    g_array_free(s->is_host, TRUE);
    g_array_free(s->descs, TRUE);
    g_array_free(s->notes, TRUE);
    g_array_free(s->levels, TRUE);
    g_free(s);
}

const PlotWish *plotsink_wish(const PlotSink *s)
{
    return &s->config.wish;
}

void plotsink_add_level(PlotSink *s, PlotWhat what, double value, const char *text)
{
    PlotLevel level = {what, value, keep_string(s, text)};

    g_array_append_val(s->levels, level);
}

unsigned plotsink_level_count(const PlotSink *s)
{
    return s->levels->len;
}

const PlotLevel *plotsink_level(const PlotSink *s, unsigned i)
{
    return &g_array_index(s->levels, PlotLevel, i);
}

unsigned plotsink_end_count(const PlotSink *s)
{
    return s->ends->len;
}

const PlotEnd *plotsink_end(const PlotSink *s, unsigned i)
{
    return s->ends->pdata[i];
}

unsigned plotsink_queue_count(const PlotSink *s)
{
    return s->queues->len;
}

const PlotQueue *plotsink_queue(const PlotSink *s, unsigned i)
{
    return s->queues->pdata[i];
}

SimTime plotsink_until(const PlotSink *s)
{
    return s->until;
}

char *plotend_name(const PlotEnd *e, bool is_remote, bool with_port)
{
    const char *name = is_remote ? e->remote_name : e->node;

    return with_port ? g_strdup_printf("%s:%u", name, is_remote ? e->remote_port : e->local_port)
                     : g_strdup(name);
}

void plotsink_add_note(PlotSink *s, SimTime t, const char *text)
{
    PlotSinkNote note = {t, keep_string(s, text)};

    g_array_append_val(s->notes, note);
}

unsigned plotsink_note_count(const PlotSink *s)
{
    return s->notes->len;
}

const char *plotsink_note(const PlotSink *s, unsigned i, SimTime *t)
{
    *t = g_array_index(s->notes, PlotSinkNote, i).t;
    return g_array_index(s->notes, PlotSinkNote, i).text;
}
