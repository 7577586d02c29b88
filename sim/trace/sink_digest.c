/* The digest. On the path of every frame: no allocation, no look-up but two arrays by number, no byte of
 * synthetic payload made real. */
#include "sim/trace/sink_digest.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "sim/packet/packet.h"

/* Makes an empty hash of one grade differ from that of another. */
enum { SEED_FRAMES = 1, SEED_STATE, SEED_EVENTS, SEED_NAME };

typedef struct NodeHash {
    Hash64 frames, state;
    bool has_frames, has_state;
} NodeHash;

/* What is worth remembering of a description; a cache only, by address: it changes no value. */
#define DESC_CACHE 64
typedef struct DescHash {
    const ProbeDesc *desc;
    uint64_t name;
    bool has_text;
} DescHash;

struct SinkDigest {
    ProbeSink sink; /* first */
    Sim *sim;
    Probes *probes;
    NodeHash *node; /* by node id */
    unsigned n_nodes;
    uint64_t *point; /* hash of the point's name, by point id; 0: not yet known */
    unsigned n_points;
    DescHash desc[DESC_CACHE];
    uint64_t event_sum[2], n_events;
};

/* ---- names, hashed once ---- */

static uint64_t hash_name(const char *name)
{
    Hash64 h;

    hash64_init(&h, SEED_NAME);
    hash64_update(&h, name, strlen(name));
    return hash64_final64(&h) | 1;
}

static void grow_nodes(SinkDigest *d, unsigned id)
{
    unsigned n = HS_MAX(id + 1, HS_MAX(sim_node_count(d->sim), 2 * d->n_nodes));

    d->node = g_renew(NodeHash, d->node, n);
    for (unsigned i = d->n_nodes; i < n; i++) {
        hash64_init(&d->node[i].frames, SEED_FRAMES);
        hash64_init(&d->node[i].state, SEED_STATE);
        d->node[i].has_frames = d->node[i].has_state = false;
    }
    d->n_nodes = n;
}

static inline NodeHash *node_hash(SinkDigest *d, const Node *n)
{
    if (HS_UNLIKELY(n->id >= d->n_nodes))
        grow_nodes(d, n->id);
    return &d->node[n->id];
}

static void grow_points(SinkDigest *d, unsigned id)
{
    unsigned n = HS_MAX(id + 1, HS_MAX(probes_point_count(d->probes), 2 * d->n_points));

    d->point = g_renew(uint64_t, d->point, n);
    memset(d->point + d->n_points, 0, (n - d->n_points) * sizeof(*d->point));
    d->n_points = n;
}

static inline uint64_t point_hash(SinkDigest *d, const ProbePoint *p)
{
    if (!p)
        return 0;
    if (HS_UNLIKELY(p->id >= d->n_points))
        grow_points(d, p->id);
    if (HS_UNLIKELY(!d->point[p->id]))
        d->point[p->id] = hash_name(p->name);
    return d->point[p->id];
}

/* ---- frames ---- */

/* The header area as it stands, then the payload by reference: of synthetic payload where it begins in the
 * pattern's period and how long it is, of real payload the bytes. A lazy checksum is hashed as what it is, a
 * promise with its place; it is determined by what else is hashed. */
static inline void hash_packet(Hash64 *h, const Packet *p)
{
    unsigned len = packet_header_len(p);
    uint64_t lazy = p->csum == PKT_CSUM_PARTIAL ? 1 | (uint64_t)(uint16_t)(p->csum_start - p->head) << 8 |
                                                      (uint64_t)(uint16_t)(p->csum_at - p->head) << 24
                                                : 0;

    hash64_inject(h, lazy | (uint64_t)p->pad << 40 | (uint64_t)p->n_slices << 48,
                  p->flags & PKT_HAS_FCS ? UINT64_C(1) << 32 | p->fcs : 0);
    hash64_update(h, packet_cdata(p), len);
    for (unsigned i = 0; i < p->n_slices; i++) {
        const PktSlice *s = &p->slice[i];

        if (s->chunk)
            hash64_update(h, s->chunk->bytes + s->off, s->len);
        else
            hash64_inject(h, s->off % PAYLOAD_PERIOD, ~(uint64_t)s->len);
    }
}

/* ---- other records ---- */

static const DescHash *find_desc(SinkDigest *d, const ProbeDesc *desc)
{
    DescHash *known = &d->desc[((uintptr_t)desc >> 4) % DESC_CACHE];

    if (HS_UNLIKELY(known->desc != desc)) {
        known->desc = desc;
        known->name = hash_name(desc->name);
        known->has_text = false;
        for (unsigned i = 0; i < desc->n_fields; i++)
            known->has_text |= desc->field[i].kind == PROBE_STR;
    }
    return known;
}

/* Numbers, two at a time, by products that do not wait for each other; the place of a value is in its
 * constant, and the sum beside the product keeps one value where the other one makes the product zero. */
static inline uint64_t hash_numbers(const ProbeValue *v, unsigned n)
{
    uint64_t sum = n, k = HASH64_K1;

    for (unsigned i = 0; i < n; i += 2, k += HASH64_K3 & ~UINT64_C(1)) {
        uint64_t x = v[i].u, y = i + 1 < n ? v[i + 1].u : 0;

        sum += hash64_fold(x ^ k, y ^ ~k) ^ (x + (y << 32 | y >> 32));
    }
    return sum;
}

static void hash_texts(Hash64 *h, const ProbeRecord *r)
{
    for (unsigned i = 0; i < r->desc->n_fields; i++) {
        if (r->desc->field[i].kind == PROBE_STR) {
            const char *s = r->value[i].s ? r->value[i].s : "";

            hash64_update(h, s, strlen(s));
        } else {
            hash64_u64(h, r->value[i].u);
        }
    }
}

static inline void hash_fields(Hash64 *h, const ProbeRecord *r, const DescHash *desc)
{
    uint64_t numbers = 0;

    if (HS_UNLIKELY(desc->has_text))
        hash_texts(h, r);
    else
        numbers = hash_numbers(r->value, r->desc->n_fields);
    hash64_inject(h, numbers, desc->name);
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    SinkDigest *d = (SinkDigest *)sink;
    NodeHash *node = node_hash(d, r->node);
    uint64_t point = point_hash(d, r->point);
    ProbeClass cls = r->desc->cls;
    Hash64 *h; /* worked on in place: a copy would be written by halves and read whole, which stalls */

    if (HS_LIKELY(cls == PROBE_FRAME_TX)) {
        h = &node->frames;
        hash64_inject(h, (uint64_t)r->time, point);
        hash_packet(h, r->pkt);
        node->has_frames = true;
    } else if (cls == PROBE_FRAME_DROP) {
        h = &node->frames;
        hash64_inject(h, (uint64_t)r->time, ~point);
        hash_fields(h, r, find_desc(d, r->desc));
        hash_packet(h, r->pkt);
        node->has_frames = true;
    } else {
        const DescHash *desc = find_desc(d, r->desc);
        const Packet *p = r->pkt;

        h = &node->state;
        hash64_inject(h, (uint64_t)r->time,
                      point + (p ? ((uint64_t)p->birth_node << EVENT_SEQ_BITS) + p->birth_id : ~UINT64_C(0)));
        hash_fields(h, r, desc);
        node->has_state = true;
    }
}

/* Time and key determine an event's place in the total order, so a sum over the events says as much as a
 * chain. */
void sink_digest_on_event(void *user, SimTime time, uint64_t key)
{
    SinkDigest *d = user;
    Hash64 h = {HASH64_K3, HASH64_K4};

    hash64_inject(&h, (uint64_t)time, key);
    d->event_sum[0] += h.a;
    d->event_sum[1] += h.b;
    d->n_events++;
}

/* ---- life ---- */

SinkDigest *sink_digest_new(Sim *sim, Probes *probes)
{
    SinkDigest *d = g_new0(SinkDigest, 1);

    d->sink.mask = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_DROP) | PROBE_STATE_MASK;
    d->sink.record = on_record;
    d->sim = sim;
    d->probes = probes;
    probes_attach(probes, &d->sink);
    return d;
}

void sink_digest_free(SinkDigest *d)
{
    if (!d)
        return;
    probes_detach(d->probes, &d->sink);
    g_free(d->node);
    g_free(d->point);
    g_free(d);
}

static void add_hash(Hash64 *sum, const Hash64 *h)
{
    uint64_t v[2];

    hash64_final(h, v);
    hash64_inject(sum, v[0], v[1]);
}

void sink_digest_get(const SinkDigest *d, SinkDigestValue *value)
{
    Hash64 frames, state, events;

    hash64_init(&frames, SEED_FRAMES);
    hash64_init(&state, SEED_STATE);
    hash64_init(&events, SEED_EVENTS);
    for (unsigned i = 0; i < d->n_nodes; i++) {
        const Node *n = sim_node(d->sim, i);
        uint64_t name;

        name = n ? hash_name(n->name) : 0;
        if (d->node[i].has_frames) {
            hash64_u64(&frames, name);
            add_hash(&frames, &d->node[i].frames);
        }
        if (d->node[i].has_state) {
            hash64_u64(&state, name);
            add_hash(&state, &d->node[i].state);
        }
    }
    add_hash(&state, &frames);
    add_hash(&events, &state);
    hash64_inject(&events, d->event_sum[0], d->event_sum[1]);
    hash64_u64(&events, d->n_events);
    hash64_hex(&frames, value->frames);
    hash64_hex(&state, value->state);
    hash64_hex(&events, value->events);
}

char *sink_digest_line(const SinkDigest *d, char buf[SINK_DIGEST_LINE_LEN])
{
    SinkDigestValue v;

    sink_digest_get(d, &v);
    snprintf(buf, SINK_DIGEST_LINE_LEN, "digest frames=%s state=%s events=%s", v.frames, v.state, v.events);
    return buf;
}
