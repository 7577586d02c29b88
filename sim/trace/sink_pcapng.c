/* Captures. On the path of every frame: one look-up by the point's number, the frame's bytes copied straight
 * into the writer's buffer, or its headers into the queue of a compressed one. */
#include "sim/trace/sink_pcapng.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "sim/trace/eventlog.h"
#include "sim/trace/sink_frame.h"

typedef enum Wanted { WANTED_UNKNOWN, WANTED_NO, WANTED_YES } Wanted;

typedef struct Target { /* where the frames of one point go */
    PcapngWriter *writer;
    PcapngLz4 *packed;         /* of the writer; NULL: on_record knows where to */
    uint32_t where[2];         /* then: pcapng_wait_where of what comes in and goes out */
    uint32_t iface, raw_iface; /* NO_IFACE: not yet described; raw is for packets without link header */
    uint8_t wanted;            /* Wanted */
} Target;

#define NO_IFACE UINT32_MAX

struct SinkPcapng {
    ProbeSink sink; /* first */
    Target *target; /* by point id */
    unsigned n_targets;
    uint32_t most; /* bytes of a frame */
    uint64_t frames;
    Probes *probes;
    SinkPcapngConfig config;
    char *path, *comment, **patterns; /* copies that config points to */
    const ProbePoint **points;
    GHashTable *pointless; /* node -> Target: what ends where no card is involved; look-up only */
    GPtrArray *writers, *paths;
    unsigned n_interfaces;
    GError *error; /* the first one, met while running */
};

/* ---- files ---- */

static PcapngWriter *open_file(SinkPcapng *s, const char *path, GError **error)
{
    PcapngWriter *w = pcapng_writer_open(
        path,
        &(PcapngSection){.comment = s->config.comment, .snaplen = s->config.snaplen, .hold = s->config.hold},
        error);

    if (!w)
        return NULL;
    g_ptr_array_add(s->writers, w);
    g_ptr_array_add(s->paths, g_strdup(path));
    return w;
}

/* "r1-eth0.pcapng"; a VLAN's "eth0.10" is a fine file name, and node names are restricted anyway. */
static PcapngWriter *open_own_file(SinkPcapng *s, const char *node, const char *point, GError **error)
{
    char *base =
        g_strdup_printf("%s-%s.pcapng%s", node, point, s->config.compress ? PCAPNG_WRITER_PACKED_SUFFIX : "");
    char *path;
    PcapngWriter *w;

    g_strdelimit(base, "/", '_');
    path = g_build_filename(s->config.path, base, NULL);
    w = open_file(s, path, error);
    g_free(path);
    g_free(base);
    return w;
}

static PcapngWriter *writer_for(SinkPcapng *s, const Node *node, const ProbePoint *point)
{
    if (s->error)
        return NULL;
    if (!s->config.per_interface)
        return s->writers->len ? s->writers->pdata[0] : open_file(s, s->config.path, &s->error);
    return open_own_file(s, node->name, point ? point->name : "none", &s->error);
}

/* ---- selection ---- */

static bool is_selected(const SinkPcapng *s, const Node *node, const ProbePoint *point,
                        const SinkPcapngPoint *info)
{
    const SinkPcapngConfig *c = &s->config;

    for (unsigned i = 0; i < c->n_points; i++)
        if (c->points[i] == point)
            return true;
    if (c->n_points)
        return false;
    if (!c->patterns || !c->patterns[0])
        return true;
    for (const char *const *p = c->patterns; *p; p++)
        if (eventlog_matches(*p, node->name, point ? point->name : NULL) ||
            (info->link && g_pattern_match_simple(*p, info->link)))
            return true;
    return false;
}

static uint32_t describe(SinkPcapng *s, Target *t, const Node *node, const ProbePoint *point,
                         const SinkPcapngPoint *info, uint16_t linktype)
{
    static const uint8_t no_mac[6];
    bool is_raw = !point || linktype != point->linktype;
    char *name = g_strdup_printf("%s%s%s%s", node->name, point ? ":" : "", point ? point->name : "",
                                 linktype == SINKFRAME_BYTES ? " (bytes)"
                                 : is_raw                    ? " (IP)"
                                                             : "");
    uint32_t iface = pcapng_writer_add_iface(
        t->writer,
        &(PcapngIface){.name = name,
                       .description = info->description,
                       .linktype = linktype,
                       .snaplen = s->config.snaplen,
                       .mac = point && !is_raw && memcmp(point->mac, no_mac, 6) ? point->mac : NULL,
                       .ipv4 = info->n_ipv4 ? info->ipv4 : NULL,
                       .n_ipv4 = info->n_ipv4,
                       .speed_bps = info->speed_bps});

    g_free(name);
    return iface;
}

static void decide(SinkPcapng *s, Target *t, const Node *node, const ProbePoint *point)
{
    SinkPcapngPoint info = {0};

    if (point && s->config.describe)
        s->config.describe(s->config.user, point, &info);
    t->wanted = WANTED_NO;
    t->iface = t->raw_iface = NO_IFACE;
    if (!is_selected(s, node, point, &info))
        return;
    t->writer = writer_for(s, node, point);
    if (!t->writer)
        return;
    t->wanted = WANTED_YES;
    s->n_interfaces++;
    if (point)
        t->iface = describe(s, t, node, point, &info, point->linktype);
    if (t->iface < PCAPNG_WAIT_IFACES)
        t->packed = pcapng_writer_packed(t->writer);
    t->where[0] = pcapng_wait_where(t->iface, PCAPNG_FLAG_INBOUND);
    t->where[1] = pcapng_wait_where(t->iface, PCAPNG_FLAG_OUTBOUND);
}

static Target *target_of_point(SinkPcapng *s, const ProbePoint *point)
{
    if (HS_UNLIKELY(point->id >= s->n_targets)) {
        unsigned n = HS_MAX(point->id + 1, HS_MAX(probes_point_count(s->probes), 2 * s->n_targets));

        s->target = g_renew(Target, s->target, n);
        memset(s->target + s->n_targets, 0, (n - s->n_targets) * sizeof(Target));
        s->n_targets = n;
    }
    if (HS_UNLIKELY(s->target[point->id].wanted == WANTED_UNKNOWN))
        decide(s, &s->target[point->id], point->node, point);
    return &s->target[point->id];
}

static Target *target_of_node(SinkPcapng *s, const Node *node)
{
    Target *t = g_hash_table_lookup(s->pointless, node);

    if (!t) {
        t = g_new0(Target, 1);
        g_hash_table_insert(s->pointless, (void *)node, t);
        decide(s, t, node, NULL);
    }
    return t;
}

/* ---- frames ---- */

static uint64_t birth_of(const Packet *p)
{
    return (uint64_t)p->birth_node << EVENT_SEQ_BITS | p->birth_id;
}

/* Where the packet is in the file, and what is said about it. */
static void put(SinkPcapng *s, Target *t, const ProbeRecord *r, const SinkFrame *f, uint32_t flags,
                const char *comment)
{
    uint32_t iface = t->iface, len, caplen;

    if (HS_UNLIKELY(!r->point || f->linktype != r->point->linktype)) {
        if (t->raw_iface == NO_IFACE)
            t->raw_iface = describe(s, t, r->node, r->point, &(SinkPcapngPoint){0}, f->linktype);
        iface = t->raw_iface;
    }
    s->frames++;
    if (HS_LIKELY(!comment)) {
        pcapng_writer_add_packet(t->writer, iface, r->time, f->pkt, flags, birth_of(f->pkt));
        return;
    }
    len = packet_len(f->pkt);
    caplen = HS_MIN(len, s->most);
    packet_copy(f->pkt, 0, pcapng_writer_packet_begin(t->writer, iface, r->time, caplen, len), caplen);
    pcapng_writer_packet_end_with(t->writer, &(PcapngPacketNotes){.flags = flags,
                                                                  .comments = &comment,
                                                                  .n_comments = 1,
                                                                  .has_packetid = true,
                                                                  .packetid = birth_of(f->pkt)});
}

static void put_received(SinkPcapng *s, Target *t, const ProbeRecord *r, const SinkFrame *f)
{
    if (HS_UNLIKELY(f->pkt->flags & PKT_HAS_FCS) && !packet_fcs_ok(f->pkt))
        put(s, t, r, f, PCAPNG_FLAG_INBOUND | PCAPNG_FLAG_CRC_ERROR,
            "corrupted on the way: bad frame check sequence");
    else
        put(s, t, r, f, PCAPNG_FLAG_INBOUND, NULL);
}

static void put_dropped(SinkPcapng *s, Target *t, const ProbeRecord *r, const SinkFrame *f)
{
    char comment[96];

    g_snprintf(comment, sizeof(comment), "dropped: %s", r->value[0].s);
    put(s, t, r, f, 0, comment);
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    SinkPcapng *s = (SinkPcapng *)sink;
    SinkFrame frame;
    Target *t;

    t = HS_LIKELY(r->point != NULL) ? target_of_point(s, r->point) : target_of_node(s, r->node);
    if (t->wanted != WANTED_YES) {
        if (r->point)
            probes_ignore_point(s->probes, sink, r->point);
        return;
    }
    sinkframe_of(&frame, r);
    if (r->desc->cls == PROBE_FRAME_TX)
        put(s, t, r, &frame, PCAPNG_FLAG_OUTBOUND, r->is_copy ? "duplicate" : NULL);
    else if (r->desc->cls == PROBE_FRAME_RX)
        put_received(s, t, r, &frame);
    else
        put_dropped(s, t, r, &frame);
}

static __attribute__((noinline)) void on_frame_as_record(ProbeSink *sink, ProbeClass cls,
                                                         const ProbePoint *point, const Packet *pkt)
{
    on_record(sink, &(ProbeRecord){.desc = probe_frame_desc(cls),
                                   .time = node_now(point->node),
                                   .node = point->node,
                                   .point = point,
                                   .pkt = pkt});
}

/* What nearly all records are: a frame on a known point into a compressed file, and nothing to say about it.
 * The others take the long way. */
static void on_frame(ProbeSink *sink, ProbeClass cls, const ProbePoint *point, const Packet *pkt)
{
    SinkPcapng *s = (SinkPcapng *)sink;
    const Target *t = s->target + point->id;

    if (HS_UNLIKELY(point->id >= s->n_targets || !t->packed || (pkt->flags & PKT_HAS_FCS))) {
        on_frame_as_record(sink, cls, point, pkt);
        return;
    }
    s->frames++;
    pcapng_lz4_add_packet(t->packed, t->where[cls == PROBE_FRAME_TX], (uint64_t)node_now(point->node), pkt,
                          birth_of(pkt));
}

/* ---- life ---- */

SinkPcapng *sink_pcapng_new(Probes *probes, const SinkPcapngConfig *config, GError **error)
{
    SinkPcapng *s = g_new0(SinkPcapng, 1);

    s->probes = probes;
    s->config = *config;
    s->most = config->snaplen ? config->snaplen : UINT32_MAX;
    s->config.path = s->path = g_strdup(config->path);
    s->config.comment = s->comment = g_strdup(config->comment);
    s->patterns = g_strdupv((char **)config->patterns);
    s->config.patterns = (const char *const *)s->patterns;
    s->points = g_memdup2(config->points, config->n_points * sizeof(*config->points));
    s->config.points = s->points;
    s->writers = g_ptr_array_new();
    s->paths = g_ptr_array_new_with_free_func(g_free);
    s->pointless = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    s->sink.record = on_record;
    s->sink.frame = on_frame;
    s->sink.mask = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX);
    if (config->drops)
        s->sink.mask |= PROBE_BIT(PROBE_FRAME_DROP);
    probes_attach(probes, &s->sink);
    if (!config->is_early && !sink_pcapng_settle(s, config->names, config->n_names, error)) {
        sink_pcapng_discard(s);
        return NULL;
    }
    return s;
}

bool sink_pcapng_settle(SinkPcapng *s, const PcapngName *names, unsigned n_names, GError **error)
{
    s->config.names = names;
    s->config.n_names = n_names;
    if (!s->config.per_interface && !s->writers->len && !s->error)
        open_file(s, s->config.path, &s->error);
    for (unsigned i = 0; !s->error && i < probes_point_count(s->probes); i++)
        if (probes_point(s->probes, i))
            target_of_point(s, probes_point(s->probes, i));
    if (!s->error)
        return true;
    g_propagate_error(error, g_steal_pointer(&s->error));
    return false;
}

unsigned sink_pcapng_interfaces(const SinkPcapng *s)
{
    return s->n_interfaces;
}

uint64_t sink_pcapng_frames(const SinkPcapng *s)
{
    return s->frames;
}

bool sink_pcapng_has_failed(const SinkPcapng *s)
{
    for (unsigned i = 0; i < s->writers->len; i++)
        if (pcapng_writer_has_failed(s->writers->pdata[i]))
            return true;
    return s->error != NULL;
}

unsigned sink_pcapng_file_count(const SinkPcapng *s)
{
    return s->paths->len;
}

const char *sink_pcapng_file(const SinkPcapng *s, unsigned i)
{
    return s->paths->pdata[i];
}

static void forget(SinkPcapng *s)
{
    probes_detach(s->probes, &s->sink);
    g_ptr_array_free(s->writers, TRUE);
    g_ptr_array_free(s->paths, TRUE);
    g_hash_table_destroy(s->pointless);
    g_clear_error(&s->error);
    g_free(s->path);
    g_free(s->comment);
    g_strfreev(s->patterns);
    g_free(s->points);
    g_free(s->target);
    g_free(s);
}

bool sink_pcapng_close(SinkPcapng *s, GError **error)
{
    GError *first = g_steal_pointer(&s->error);

    for (unsigned i = 0; i < s->writers->len; i++) {
        PcapngWriter *w = s->writers->pdata[i];

        if (s->config.n_names)
            pcapng_writer_add_names(w, s->config.names, s->config.n_names);
        pcapng_writer_close(w, first ? NULL : &first);
    }
    forget(s);
    if (first) {
        g_propagate_error(error, first);
        return false;
    }
    return true;
}

void sink_pcapng_discard(SinkPcapng *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->writers->len; i++)
        pcapng_writer_discard(s->writers->pdata[i]);
    forget(s);
}
