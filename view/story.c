/* The sink that writes the story down, and what it is asked for. */
#include "view/story.h"

#include <string.h>

#include "sim/engine/sim.h"
#include "sim/trace/sink_frame.h"
#include "view/story_priv.h"

typedef struct Birth {
    uint32_t node;
    uint64_t id;
} Birth;

static guint birth_hash(gconstpointer key)
{
    const Birth *b = key;

    return (guint)(b->id * 2654435761u + b->node * 40503u);
}

static gboolean birth_equal(gconstpointer a, gconstpointer b)
{
    const Birth *x = a, *y = b;

    return x->node == y->node && x->id == y->id;
}

/* ---- memory ---- */

void *story_room(Story *s, size_t len)
{
    void *at;

    len = (len + 7) & ~(size_t)7;
    if (s->chunk_size - s->chunk_used < len) {
        s->chunk_size = (uint32_t)HS_MAX(len, STORY_CHUNK);
        s->chunk_used = 0;
        s->chunk_bytes += s->chunk_size;
        s->chunk = g_malloc(s->chunk_size);
        g_ptr_array_add(s->chunks, s->chunk);
    }
    at = s->chunk + s->chunk_used;
    s->chunk_used += (uint32_t)len;
    return at;
}

const char *story_intern(Story *s, const char *text)
{
    return g_string_chunk_insert_const(s->strings, text ? text : "");
}

/* ---- nodes, points, links ---- */

static int32_t *place_of(GArray *map, uint32_t id)
{
    static const int32_t none = STORY_NONE;

    while (map->len <= id)
        g_array_append_val(map, none);
    return &g_array_index(map, int32_t, id);
}

static int32_t node_of(Story *s, const Node *n)
{
    int32_t *at = place_of(s->node_of, n->id);
    const char *kind;

    if (*at == STORY_NONE) {
        kind = s->config.kind_of ? s->config.kind_of(s->config.user, n) : NULL;
        g_array_append_val(s->nodes, ((StoryNode){story_intern(s, n->name), story_intern(s, kind)}));
        *at = (int32_t)s->nodes->len - 1;
    }
    return *at;
}

static int32_t far_of(Story *s, const ProbePoint *p)
{
    const Node *far = s->config.far_of ? s->config.far_of(s->config.user, p) : NULL;

    return far ? node_of(s, far) : STORY_NONE;
}

static int32_t point_of(Story *s, const ProbePoint *p)
{
    int32_t *at = place_of(s->point_of, p->id), far;

    if (*at == STORY_NONE) {
        StoryPoint point = {.node = node_of(s, p->node),
                            .far = STORY_NONE,
                            .name = story_intern(s, p->name),
                            .linktype = p->linktype};

        memcpy(point.mac, p->mac, sizeof(point.mac));
        g_array_append_val(s->points, point);
        *at = (int32_t)s->points->len - 1;
    }
    if (g_array_index(s->points, StoryPoint, *at).far == STORY_NONE) { /* a card is made before its cable */
        far = far_of(s, p);
        g_array_index(s->points, StoryPoint, *at).far = far;
    }
    return *at;
}

static int32_t link_of(Story *s, const ProbePoint *p)
{
    const char *name = s->config.link_of ? s->config.link_of(s->config.user, p) : NULL;
    gpointer known;

    if (!name)
        return STORY_NONE;
    known = g_hash_table_lookup(s->link_of, name);
    if (!known) {
        name = story_intern(s, name);
        g_array_append_val(s->links, name);
        known = GUINT_TO_POINTER(s->links->len);
        g_hash_table_insert(s->link_of, (gpointer)name, known);
    }
    return (int32_t)GPOINTER_TO_UINT(known) - 1;
}

/* ---- packets ---- */

static int32_t add_packet(Story *s, const Packet *pkt, uint16_t linktype, SimTime now)
{
    const Node *birth_node = sim_node(s->part->sim, pkt->birth_node);
    StoryPacket p = {.birth_node = birth_node ? node_of(s, birth_node) : STORY_NONE,
                     .birth = pkt->birth_id,
                     .len = packet_len(pkt),
                     .linktype = linktype,
                     .flow = STORY_NONE,
                     .about = STORY_NONE};
    Birth key = {pkt->birth_node, pkt->birth_id}, *kept;
    uint8_t *bytes;
    gpointer known = g_hash_table_lookup(s->latest, &key);

    p.kept = s->config.snaplen ? HS_MIN(p.len, s->config.snaplen) : p.len;
    bytes = story_room(s, p.kept);
    packet_copy(pkt, 0, bytes, p.kept);
    if (known) {
        const StoryPacket *last = &g_array_index(s->packets, StoryPacket, GPOINTER_TO_UINT(known) - 1);

        if (last->len == p.len && last->linktype == linktype && !memcmp(last->bytes, bytes, p.kept)) {
            s->chunk_used -= (p.kept + 7) & ~UINT32_C(7); /* not needed after all */
            return (int32_t)GPOINTER_TO_UINT(known) - 1;
        }
    }
    p.bytes = bytes;
    if (!known)
        story_flow_add_packet(s, &p, birth_node, now);
    else { /* as a router or a NAT left it: still of the conversation that it was born in */
        const StoryPacket *last = &g_array_index(s->packets, StoryPacket, GPOINTER_TO_UINT(known) - 1);

        p.flow = last->flow;
        p.side = last->side;
        p.about = last->about;
        p.is_cookie = last->is_cookie;
        if (p.flow == STORY_NONE) /* its first record was of a time when it had no header yet */
            story_flow_add_packet(s, &p, birth_node, now);
    }
    g_array_append_val(s->packets, p);
    kept = story_room(s, sizeof(key));
    *kept = key;
    g_hash_table_replace(s->latest, kept, GUINT_TO_POINTER(s->packets->len));
    return (int32_t)s->packets->len - 1;
}

/* ---- the sink ---- */

static void record(Story *s, const ProbeRecord *r)
{
    StoryRecord out = {.time = r->time,
                       .event = s->part->events,
                       .desc = r->desc,
                       .node = node_of(s, r->node),
                       .point = r->point ? point_of(s, r->point) : STORY_NONE,
                       .link = r->point ? link_of(s, r->point) : STORY_NONE,
                       .packet = STORY_NONE,
                       .flight = STORY_NONE};
    ProbeValue *value;

    if (r->desc->n_fields) {
        value = story_room(s, r->desc->n_fields * sizeof(*value));
        for (unsigned i = 0; i < r->desc->n_fields; i++)
            if (r->desc->field[i].kind == PROBE_STR)
                value[i].s = story_intern(s, r->value[i].s);
            else
                value[i] = r->value[i];
        out.value = value;
    }
    if (r->pkt) {
        SinkFrame frame;
        const Packet *pkt = sinkframe_of(&frame, r);

        out.packet = add_packet(s, pkt, frame.linktype, r->time);
    }
    g_array_append_val(s->records, out);
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    Story *s = (Story *)((char *)sink - offsetof(Story, sink));

    if ((s->config.max_records && s->records->len >= s->config.max_records) ||
        (s->config.max_bytes && s->chunk_bytes >= s->config.max_bytes))
        s->is_cut = true;
    if (!s->is_cut)
        record(s, r);
}

Story *story_new(const StoryConfig *config)
{
    Story *s = g_new0(Story, 1);

    s->config = *config;
    s->strings = g_string_chunk_new(4096);
    s->nodes = g_array_new(FALSE, FALSE, sizeof(StoryNode));
    s->points = g_array_new(FALSE, FALSE, sizeof(StoryPoint));
    s->links = g_array_new(FALSE, FALSE, sizeof(const char *));
    s->records = g_array_new(FALSE, FALSE, sizeof(StoryRecord));
    s->packets = g_array_new(FALSE, FALSE, sizeof(StoryPacket));
    s->flights = g_array_new(FALSE, FALSE, sizeof(StoryFlight));
    s->flows = g_array_new(FALSE, FALSE, sizeof(StoryFlow));
    s->conns = g_array_new(FALSE, FALSE, sizeof(StoryConn));
    s->cookies_seen = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    s->node_of = g_array_new(FALSE, FALSE, sizeof(int32_t));
    s->point_of = g_array_new(FALSE, FALSE, sizeof(int32_t));
    s->link_of = g_hash_table_new(g_str_hash, g_str_equal);
    s->latest = g_hash_table_new(birth_hash, birth_equal);
    s->flow_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->conn_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->chunks = g_ptr_array_new_with_free_func(g_free);
    s->sink = (ProbeSink){.mask = config->classes ? config->classes : PROBE_BIT(PROBE_CLASSES) - 1,
                          .record = on_record};
    return s;
}

void story_attach(Story *s, Probes *probes)
{
    s->probes = probes;
    s->part = probes_partition(probes);
    probes_attach(probes, &s->sink);
}

static void detach(Story *s)
{
    if (!s->probes)
        return;
    s->end = s->part->now;
    probes_detach(s->probes, &s->sink);
    s->probes = NULL;
    s->part = NULL;
}

/* ---- crossings ---- */

static bool is_alike(const StoryPacket *a, const StoryPacket *b)
{
    return a == b || (a->len == b->len && a->kept == b->kept && !memcmp(a->bytes, b->bytes, a->kept));
}

/* The sending that this arrival or loss ends: the oldest open one of the packet on this link, else (a shared
 * medium, whose points know no link) the last one. What is dropped inside a node has lost its link header,
 * and ends no crossing: a host may drop its own copy of a broadcast that is on its way. */
static int32_t find_open(Story *s, GHashTable *open, const StoryRecord *r)
{
    const StoryPacket *p = story_packet(s, r->packet);
    Birth key = {(uint32_t)p->birth_node, p->birth};
    GArray *flights = g_hash_table_lookup(open, &key);
    int32_t shared = STORY_NONE, oldest = STORY_NONE;

    if (r->point == STORY_NONE || p->linktype != story_point(s, r->point)->linktype)
        return STORY_NONE;
    for (unsigned i = 0; flights && i < flights->len; i++) {
        int32_t f = g_array_index(flights, int32_t, i);
        const StoryFlight *flight = story_flight(s, f);
        const StoryRecord *tx = story_record(s, flight->tx);

        if (tx->link == STORY_NONE || r->link == STORY_NONE) {
            if (tx->point != r->point || r->desc == &probe_frame_drop)
                shared = f;
        } else if (flight->end == STORY_NONE && tx->link == r->link &&
                   (tx->point != r->point || r->desc == &probe_frame_drop)) {
            if (is_alike(p, story_packet(s, flight->packet)))
                return f;
            if (oldest == STORY_NONE)
                oldest = f;
        }
    }
    return oldest != STORY_NONE ? oldest : shared;
}

/* It has arrived, at the one place where it can: in a storm there are a great many of one birth. */
static void forget(GArray *flights, int32_t f)
{
    for (unsigned i = 0; i < flights->len; i++)
        if (g_array_index(flights, int32_t, i) == f) {
            g_array_remove_index(flights, i);
            return;
        }
}

static void add_flight(Story *s, GHashTable *open, int32_t record)
{
    StoryRecord *r = &g_array_index(s->records, StoryRecord, record);
    const StoryPacket *p = story_packet(s, r->packet);
    StoryFlight flight = {STORY_NONE, STORY_NONE, r->packet, false};
    Birth key = {(uint32_t)p->birth_node, p->birth};
    GArray *flights;

    if (r->desc == &probe_frame_tx) {
        flight.tx = record;
        flights = g_hash_table_lookup(open, &key);
        if (!flights) {
            Birth *kept = story_room(s, sizeof(key));

            *kept = key;
            flights = g_array_new(FALSE, FALSE, sizeof(int32_t));
            g_hash_table_insert(open, kept, flights);
        }
        r->flight = (int32_t)s->flights->len;
        g_array_append_val(flights, r->flight);
    } else {
        int32_t f = find_open(s, open, r);

        if (f != STORY_NONE && story_flight(s, f)->end == STORY_NONE) {
            StoryFlight *known = &g_array_index(s->flights, StoryFlight, f);

            known->end = record;
            known->is_lost = r->desc == &probe_frame_drop;
            r->flight = f;
            if (r->link != STORY_NONE && story_record(s, known->tx)->link != STORY_NONE)
                forget(g_hash_table_lookup(open, &key), f);
            return;
        }
        if (f != STORY_NONE) { /* one more receiver on a shared medium */
            flight.tx = story_flight(s, f)->tx;
            flight.packet = story_flight(s, f)->packet;
        }
        flight.end = record;
        flight.is_lost = r->desc == &probe_frame_drop;
        r->flight = (int32_t)s->flights->len;
    }
    g_array_append_val(s->flights, flight);
}

static void free_open(gpointer flights)
{
    g_array_free(flights, TRUE);
}

void story_seal(Story *s)
{
    GHashTable *open = g_hash_table_new_full(birth_hash, birth_equal, NULL, free_open);

    detach(s);
    for (int32_t i = 0; i < story_record_count(s); i++) {
        const StoryRecord *r = story_record(s, i);

        if (r->packet != STORY_NONE &&
            (r->desc == &probe_frame_tx || r->desc == &probe_frame_rx || r->desc == &probe_frame_drop))
            add_flight(s, open, i);
    }
    g_hash_table_destroy(open);
    story_flow_add_fragments(s);
    story_flow_add_conns(s);
}

void story_free(Story *s)
{
    if (!s)
        return;
    detach(s);
    g_string_chunk_free(s->strings);
    g_array_free(s->nodes, TRUE);
    g_array_free(s->points, TRUE);
    g_array_free(s->links, TRUE);
    g_array_free(s->records, TRUE);
    g_array_free(s->packets, TRUE);
    g_array_free(s->flights, TRUE);
    g_array_free(s->flows, TRUE);
    g_array_free(s->conns, TRUE);
    g_array_free(s->cookies_seen, TRUE);
    g_array_free(s->node_of, TRUE);
    g_array_free(s->point_of, TRUE);
    g_hash_table_destroy(s->link_of);
    g_hash_table_destroy(s->latest);
    g_hash_table_destroy(s->flow_of);
    g_hash_table_destroy(s->conn_of);
    g_ptr_array_free(s->chunks, TRUE);
    g_free(s);
}

/* ---- questions ---- */

static gconstpointer element(const GArray *a, size_t size, int32_t i)
{
    hs_assert(i >= 0 && (guint)i < a->len);
    return a->data + (size_t)i * size;
}

#define ELEMENT(array, type, i) ((const type *)element(array, sizeof(type), i))

bool story_is_cut(const Story *s)
{
    return s->is_cut;
}

SimTime story_end(const Story *s)
{
    return s->end;
}

int32_t story_node_count(const Story *s)
{
    return (int32_t)s->nodes->len;
}

const StoryNode *story_node(const Story *s, int32_t i)
{
    return ELEMENT(s->nodes, StoryNode, i);
}

int32_t story_node_by_name(const Story *s, const char *name)
{
    for (int32_t i = 0; i < story_node_count(s); i++)
        if (!strcmp(story_node(s, i)->name, name))
            return i;
    return STORY_NONE;
}

int32_t story_point_count(const Story *s)
{
    return (int32_t)s->points->len;
}

const StoryPoint *story_point(const Story *s, int32_t i)
{
    return ELEMENT(s->points, StoryPoint, i);
}

int32_t story_link_count(const Story *s)
{
    return (int32_t)s->links->len;
}

const char *story_link(const Story *s, int32_t i)
{
    return *ELEMENT(s->links, char *, i);
}

int32_t story_record_count(const Story *s)
{
    return (int32_t)s->records->len;
}

const StoryRecord *story_record(const Story *s, int32_t i)
{
    return ELEMENT(s->records, StoryRecord, i);
}

int32_t story_packet_count(const Story *s)
{
    return (int32_t)s->packets->len;
}

const StoryPacket *story_packet(const Story *s, int32_t i)
{
    return ELEMENT(s->packets, StoryPacket, i);
}

int32_t story_flight_count(const Story *s)
{
    return (int32_t)s->flights->len;
}

const StoryFlight *story_flight(const Story *s, int32_t i)
{
    return ELEMENT(s->flights, StoryFlight, i);
}

int32_t story_flow_count(const Story *s)
{
    return (int32_t)s->flows->len;
}

const StoryFlow *story_flow(const Story *s, int32_t i)
{
    return ELEMENT(s->flows, StoryFlow, i);
}

int32_t story_conn_count(const Story *s)
{
    return (int32_t)s->conns->len;
}

const StoryConn *story_conn(const Story *s, int32_t i)
{
    return ELEMENT(s->conns, StoryConn, i);
}

const ProbeValue *story_value(const StoryRecord *r, const char *field, ProbeKind *kind)
{
    for (unsigned i = 0; i < r->desc->n_fields; i++)
        if (!strcmp(r->desc->field[i].name, field)) {
            if (kind)
                *kind = r->desc->field[i].kind;
            return &r->value[i];
        }
    return NULL;
}

const char *story_str(const StoryRecord *r, const char *field)
{
    ProbeKind kind;
    const ProbeValue *v = story_value(r, field, &kind);

    return v && kind == PROBE_STR ? v->s : "";
}

bool story_is(const StoryRecord *r, const char *probe)
{
    return !strcmp(r->desc->name, probe);
}
