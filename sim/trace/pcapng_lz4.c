/* Packet blocks into matches; see pcapng_lz4.h. Every match is certain: what it claims to repeat was compared
 * byte for byte or made from the same number, or is a range of the synthetic stream, which repeats itself by
 * definition.
 *
 *     block:  head 28 | headers | payload, padding | options | last 16 bytes
 *
 * The last bytes (packet id, end of options, length) are held back until more comes: they are literals, as
 * the end of a block of LZ4 must be, and go in front of the next match.
 *
 * Two ways lead through this file. add_usual takes a packet like the last one of its flow, as nearly all are;
 * add_unusual the rest, from which it learns what packets of their flow are like. */
#include "sim/trace/pcapng_lz4.h"

#include <string.h>

#include "sim/trace/lz4frame.h"
#include "sim/trace/pcapng_bytes.h"
#include "sim/trace/pcapng_lz4_plan.h"

#define SHAPE_BITS 6
#define FLOW_BITS 8
#define EDGES 4
/* Payload shorter than this does not take the place of longer payload as the one to refer to. */
#define GOOD_PAYLOAD 512
#define OPTIONS_BYTES 12 /* flags with their header, the header of the packet id */
#define LAST_BYTES 16
#define ID_BYTES 8 /* the first of them */
/* So that an Lz4Out stays in registers (lz4frame.h). */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What must be the same in two blocks, so that one is like the other byte for byte but in time, headers,
 * payload and packet id. */
typedef struct Key {
    uint64_t iface;   /* and captured length */
    uint64_t time;    /* its high half, and flags */
    uint64_t lengths; /* of the packet and its parts, and where its headers are in memory: as Packet has it */
    uint64_t headers; /* likewise: slices, checksum, padding; where network's and transport's headers are */
    uint64_t ports;   /* and places of the lazy checksum */
    uint64_t addresses; /* IPv4's, or the end of IPv6's destination */
} Key;

typedef struct Edge { /* where a block of a shape follows a packet's block */
    uint64_t pos;     /* of the former */
    uint32_t before;  /* the latter's length */
} Edge;

typedef struct Flow Flow;

typedef struct Shape { /* what flows have in common that differ in addresses and ports only */
    Key key;
    uint64_t id;    /* never the same again */
    Flow *last;     /* that of the last block; maybe of another shape by now */
    uint32_t total; /* a block's length */
    bool can_plan;
    PcapngLz4Shape what;
    Edge edge[EDGES];       /* by a hash of `before` */
    PcapngLz4Plan own, any; /* after a block of the same flow; of the same shape */
} Shape;

struct Flow {
    uint64_t pos; /* of its last block */
    Key key;
    uint64_t shape_id;
    Shape *shape; /* if it is still that one */
    /* Of a block of its own: the present ones where the plan says so, but not where a lazy checksum is. */
    _Alignas(16) uint8_t headers[LZ4_PLAN_BYTES];
};

typedef struct Seen { /* synthetic payload in the stream that may still be in reach */
    uint64_t pos;
    uint32_t residue; /* of its offset */
    uint32_t len;
} Seen;

struct PcapngLz4 {
    Lz4Frame *frame;
    Seen seen;
    /* Of the last packet block LAST_BYTES are held back, if held_total, its length, is not 0. */
    uint64_t held_id;
    uint32_t held_total;
    uint64_t n_shapes;             /* that were there ever */
    Shape shapes[1 << SHAPE_BITS]; /* by a hash */
    Flow flows[1 << FLOW_BITS];
};

/* ---- payload ---- */

/* pos: where in the stream; nothing before `first` may be referred to. */
static ALWAYS_INLINE void put_synthetic(Seen *seen, Lz4Out *o, uint64_t pos, uint64_t first, uint64_t off,
                                        uint32_t n)
{
    const uint32_t residue = (uint32_t)(off % PAYLOAD_PERIOD);
    const uint32_t shift = residue - seen->residue + (residue < seen->residue ? PAYLOAD_PERIOD : 0);
    const uint64_t distance = pos - seen->pos - shift;
    const bool is_near = seen->len && distance <= LZ4_MAX_DISTANCE && seen->pos >= first;
    const Seen now = {pos, residue, n};
    uint32_t done = 0;

    if (is_near && seen->len >= shift + 2 * LZ4_MIN_MATCH && n >= 2 * LZ4_MIN_MATCH) {
        done = HS_MIN(n, seen->len - shift);
        if (n - done && n - done < LZ4_MIN_MATCH)
            done -= LZ4_MIN_MATCH;
        lz4out_match(o, (uint32_t)distance, done);
    }
    if (HS_UNLIKELY(n > done && done < PAYLOAD_PERIOD)) {
        uint32_t more = HS_MIN(n, (uint32_t)PAYLOAD_PERIOD) - done;

        payload_fill(o->end, off + done, more);
        o->end += more;
        done += more;
    }
    /* From here on the payload is the same as itself one period before. */
    if (n - done >= LZ4_MIN_MATCH) {
        lz4out_match(o, PAYLOAD_PERIOD, n - done);
    } else if (n > done) {
        payload_fill(o->end, off + done, n - done);
        o->end += n - done;
    }
    if (!is_near || n >= seen->len || n >= GOOD_PAYLOAD)
        *seen = now;
}

/* The first n bytes of what follows the packet's headers. */
static ALWAYS_INLINE void put_body(Seen *seen, Lz4Out *o, uint64_t pos, uint64_t first, const Packet *p,
                                   uint32_t n)
{
    for (unsigned i = 0; i < p->n_slices && n; i++) {
        const PktSlice *slice = &p->slice[i];
        uint32_t step = HS_MIN(n, slice->len);

        if (HS_LIKELY(!slice->chunk)) {
            put_synthetic(seen, o, pos, first, slice->off, step);
        } else {
            memcpy(o->end, slice->chunk->bytes + slice->off, step);
            o->end += step;
        }
        n -= step;
        pos += step;
    }
    if (n) { /* up to Ethernet's least */
        memset(o->end, 0, n);
        o->end += n;
    }
}

/* ---- blocks ---- */

PcapngLz4 *pcapng_lz4_open(const char *path, GError **error)
{
    Lz4Frame *frame = lz4frame_open(path, error);
    PcapngLz4 *z;

    if (!frame)
        return NULL;
    z = g_new0(PcapngLz4, 1);
    z->frame = frame;
    return z;
}

/* What is held back, at p; returns its length. */
static inline uint32_t get_held(const PcapngLz4 *z, uint8_t *p)
{
    if (!z->held_total)
        return 0;
    p = pcapng_put64(p, z->held_id);
    p = pcapng_put32(p, PCAPNG_OPT_END);
    pcapng_put32(p, z->held_total);
    return LAST_BYTES;
}

static void put_held(PcapngLz4 *z)
{
    uint8_t held[LAST_BYTES];

    lz4frame_put(z->frame, held, get_held(z, held));
    z->held_total = 0;
}

bool pcapng_lz4_close(PcapngLz4 *z, GError **error)
{
    bool ok;

    put_held(z);
    ok = lz4frame_close(z->frame, error);
    g_free(z);
    return ok;
}

void pcapng_lz4_discard(PcapngLz4 *z)
{
    if (!z)
        return;
    put_held(z);
    lz4frame_discard(z->frame);
    g_free(z);
}

void pcapng_lz4_put(PcapngLz4 *z, const void *bytes, size_t n)
{
    put_held(z);
    lz4frame_put(z->frame, bytes, n);
}

/* The checksum that captures show, into the packet's first n bytes. */
static inline void put_checksum(uint8_t *headers, uint32_t n, unsigned at, uint16_t sum)
{
    if (at < n)
        headers[at] = (uint8_t)(sum >> 8);
    if (at + 1 < n)
        headers[at + 1] = (uint8_t)sum;
}

/* ---- shapes and flows ---- */

static inline uint64_t load64(const void *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

static inline uint32_t load32(const void *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

static ALWAYS_INLINE Key key_of(const Packet *p, uint32_t iface, uint32_t caplen, uint64_t time,
                                uint32_t flags)
{
    Key k = {
        .iface = (uint64_t)iface << 32 | caplen,
        .time = time >> 32 << 32 | flags,
        .lengths = load64(&p->head),
        .headers = load64(&p->n_slices),
        .ports = (uint64_t)load32(&p->csum_start) << 32,
    };

    _Static_assert(offsetof(Packet, n_slices) == offsetof(Packet, head) + 8 &&
                       offsetof(Packet, csum_start) == offsetof(Packet, head) + 16 &&
                       offsetof(Packet, gso_size) == offsetof(Packet, head) + 20,
                   "what describes a packet lies together");
    if (HS_LIKELY(p->l4 >= p->head + 8 && p->l4 + 4 <= p->tail)) {
        k.ports |= load32(p->buf + p->l4);
        k.addresses = load64(p->buf + p->l4 - 8);
    }
    return k;
}

static ALWAYS_INLINE bool is_key(const Key *a, const Key *b)
{
    return ((a->iface ^ b->iface) | (a->time ^ b->time) | (a->lengths ^ b->lengths) |
            (a->headers ^ b->headers) | (a->ports ^ b->ports) | (a->addresses ^ b->addresses)) == 0;
}

static inline unsigned hash(uint64_t v, unsigned bits)
{
    return (unsigned)(v * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

/* It may be another one. */
static ALWAYS_INLINE Flow *find_flow(PcapngLz4 *z, const Key *k)
{
    return &z->flows[hash(k->addresses ^ k->ports << 32 ^ k->iface >> 24 ^ k->time ^ k->lengths, FLOW_BITS)];
}

static Shape *find_shape(PcapngLz4 *z, Key k, const Packet *pkt)
{
    uint32_t caplen = (uint32_t)k.iface, n, csum_at;
    Shape *s;

    k.ports = k.ports >> 32 << 32;
    k.addresses = 0;
    s = &z->shapes[hash(k.iface ^ k.time ^ k.lengths ^ k.headers, SHAPE_BITS)];
    if (is_key(&s->key, &k))
        return s;
    n = HS_MIN(packet_header_len(pkt), caplen);
    csum_at = (uint32_t)pkt->csum_at - pkt->head;
    memset(s, 0, offsetof(Shape, own));
    s->key = k;
    s->id = ++z->n_shapes;
    s->what = (PcapngLz4Shape){
        .n_headers = n,
        .n_payload = caplen - n,
        .n_options = pcapng_padding(caplen) + OPTIONS_BYTES,
        .csum_at = pkt->csum == PKT_CSUM_PARTIAL && csum_at < n ? csum_at : LZ4_PLAN_NO_CSUM,
    };
    s->total = PCAPNG_PACKET_HEAD_BYTES + caplen + s->what.n_options + LAST_BYTES;
    s->last = z->flows;
    s->can_plan = pkt->head + HS_MAX(n + LZ4_SLACK, LZ4_PLAN_BYTES) <= PKT_BUF && /* may be read in place */
                  (caplen == n || (pkt->n_slices == 1 && pkt->payload_len >= caplen - n));
    pcapng_lz4_plan_init(&s->own, &s->what);
    pcapng_lz4_plan_init(&s->any, &s->what);
    return s;
}

static inline bool can_reach(const PcapngLz4 *z, uint64_t pos, uint64_t target)
{
    return target >= z->frame->block_pos && pos - target <= LZ4_MAX_DISTANCE;
}

/* ---- the usual way ---- */

/* What precedes the time: type, length, interface and time's high half. The block before may end with the
 * same eight bytes as another one did. Then comes the plan's first token. */
static ALWAYS_INLINE uint8_t *put_edge(PcapngLz4 *z, Shape *s, uint64_t pos, uint8_t *p, uint32_t distance,
                                       uint8_t token)
{
    const uint32_t before = z->held_total;
    Edge *e = &s->edge[before >> 2 & (EDGES - 1)];

    _Static_assert(EDGES == 4, "lengths are multiples of four");
    if (HS_LIKELY(e->before == before && can_reach(z, pos, e->pos - (LAST_BYTES - ID_BYTES)))) {
        const uint32_t more = 16 + LAST_BYTES - ID_BYTES - LZ4_MIN_MATCH - 15;

        p[0] = ID_BYTES << 4 | 15;
        pcapng_put64(p + 1, z->held_id);
        pcapng_put32(p + 9, (uint32_t)(pos - e->pos) | more << 16 | (uint32_t)token << 24);
        p += 12;
    } else {
        p[0] = 15 << 4 | (16 - LZ4_MIN_MATCH);
        p[1] = LAST_BYTES - 15;
        get_held(z, p + 2);
        lz4_put16(p + 18, distance);
        p[20] = token;
        p += 20;
        e->before = before;
    }
    e->pos = pos;
    return p;
}

/* The payload's distance, or 0: not to be found. */
static ALWAYS_INLINE uint32_t find_payload(PcapngLz4 *z, uint64_t pos, uint64_t off, uint32_t n)
{
    Seen *seen = &z->seen;
    const uint32_t residue = (uint32_t)(off % PAYLOAD_PERIOD);
    const uint32_t shift = residue - seen->residue + (residue < seen->residue ? PAYLOAD_PERIOD : 0);
    const uint64_t distance = pos - seen->pos - shift;

    if (HS_UNLIKELY(seen->pos < z->frame->block_pos || distance > LZ4_MAX_DISTANCE ||
                    seen->len < shift + HS_MIN(n, (uint32_t)PAYLOAD_PERIOD)))
        return 0;
    if (n >= seen->len || n >= GOOD_PAYLOAD)
        *seen = (Seen){pos, residue, n};
    return (uint32_t)distance;
}

/* Stores at known places, where the block is like that at pos - distance. False: it is not possible, and
 * nothing has happened. */
static ALWAYS_INLINE bool add_planned(PcapngLz4 *z, Shape *s, const PcapngLz4Plan *plan, uint64_t pos,
                                      uint32_t distance, const Packet *pkt, uint64_t time)
{
    const uint8_t *headers = packet_cdata(pkt);
    const PcapngLz4Seq *seq = plan->seq, *const end = seq + plan->n_seqs;
    const uint32_t n_payload = s->what.n_payload;
    uint32_t payload_distance = 0;
    Lz4Out o = lz4frame_begin(z->frame);
    uint8_t *p;

    if (HS_UNLIKELY(o.end != o.token + 1))
        return false;
    if (n_payload) {
        if (HS_UNLIKELY(pkt->slice[0].chunk))
            return false;
        payload_distance =
            find_payload(z, pos + PCAPNG_PACKET_HEAD_BYTES + s->what.n_headers, pkt->slice[0].off, n_payload);
        if (HS_UNLIKELY(!payload_distance))
            return false;
    }
    p = put_edge(z, s, pos, o.token, distance, plan->token);
    pcapng_put32(p + 1, (uint32_t)time);
    pcapng_put64(p + 5, seq->behind | distance);
    while (++seq != end) {
        memcpy(p + seq->literals_at, headers + seq->from, 16);
        if (HS_UNLIKELY(seq->n_literals > 16))
            memcpy(p + seq->literals_at + 16, headers + seq->from + 16, seq->n_literals - 16u);
        pcapng_put64(p + seq->distance_at, seq->behind | distance);
    }
    if (HS_LIKELY(plan->csum_out)) {
        uint16_t sum = packet_csum_value(pkt);

        lz4_put16(p + plan->csum_out, GUINT16_TO_BE(sum));
    }
    if (n_payload) {
        lz4_put16(p + end[-1].distance_at, payload_distance);
        p += plan->size;
        memcpy(p, plan->tail, 16);
        if (HS_UNLIKELY(plan->n_tail > 16))
            memcpy(p + 16, plan->tail + 16, LZ4_PLAN_TAIL_BYTES - 16);
        p += plan->n_tail;
        lz4_put16(p, distance);
        p += 2;
    } else {
        p += plan->size;
    }
    lz4out_begin(&o, p);
    lz4frame_end(z->frame, o, s->total);
    return true;
}

/* ---- the other way ---- */

static void add_other(PcapngLz4 *z, const Shape *s, Key key, const Packet *pkt, const uint8_t *headers,
                      uint64_t time)
{
    const Flow *like = s->last;
    const uint32_t caplen = (uint32_t)key.iface, n = s->what.n_headers, n_options = s->what.n_options;
    uint8_t head[PCAPNG_PACKET_HEAD_BYTES + LZ4_SLACK], options[2 * LZ4_SLACK], held[LZ4_SLACK];
    uint8_t *p;
    uint32_t distance = 0, same = 0;
    const uint32_t n_held = get_held(z, held);
    const uint64_t pos = z->frame->pos + n_held;
    const uint64_t first = z->frame->pos - lz4frame_reach(z->frame);
    Lz4Out o = lz4frame_begin(z->frame);

    lz4out_put(&o, held, n_held);
    if (like->shape_id == s->id && like->pos >= first && pos - like->pos <= LZ4_MAX_DISTANCE) {
        distance = (uint32_t)(pos - like->pos);
        lz4out_match_short(&o, distance, 16); /* up to the high half of the time */
        o.end = pcapng_put32(o.end, (uint32_t)time);
        while (same < HS_MIN(n, LZ4_PLAN_BYTES) && s->own.same[same] && headers[same] == like->headers[same])
            same++;
        lz4out_match(&o, distance, 8 + same); /* both lengths, and what begins like it */
    } else {
        pcapng_put_packet_head(head, s->total, (uint32_t)(key.iface >> 32), time, caplen, packet_len(pkt));
        lz4out_put(&o, head, PCAPNG_PACKET_HEAD_BYTES);
    }
    lz4out_put(&o, headers + same, n - same);
    if (pkt->csum == PKT_CSUM_PARTIAL)
        put_checksum(o.end - n, n, (unsigned)pkt->csum_at - pkt->head, packet_csum_value(pkt));
    put_body(&z->seen, &o, pos + PCAPNG_PACKET_HEAD_BYTES + n, first, pkt, caplen - n);
    if (distance) {
        lz4out_match_short(&o, distance, n_options);
    } else {
        memset(options, 0, n_options);
        p = pcapng_put_flags(options + n_options - OPTIONS_BYTES, (uint32_t)key.time);
        p = pcapng_put16(p, PCAPNG_EPB_PACKETID);
        pcapng_put16(p, 8);
        lz4out_put(&o, options, n_options);
    }
    lz4frame_end(z->frame, o, n_held + s->total - LAST_BYTES);
}

static void learn(Shape *s, const Flow *f, bool is_known, const uint8_t *headers)
{
    PcapngLz4Plan *own = &s->own, *any = &s->any;

    if (!s->can_plan)
        return;
    if (is_known && !(own->n_seqs && pcapng_lz4_plan_fits(own, f->headers, headers)))
        pcapng_lz4_plan_learn(own, &s->what, NULL, f->headers, headers);
    if (s->last->shape_id == s->id && !(any->n_seqs && pcapng_lz4_plan_fits(any, s->last->headers, headers)))
        pcapng_lz4_plan_learn(any, &s->what, own->same, s->last->headers, headers);
}

/* A flow that is new or was forgotten, a packet unlike the last one, nothing in reach. */
static __attribute__((noinline)) void add_unusual(PcapngLz4 *z, Flow *f, uint32_t iface, uint64_t time,
                                                  const Packet *pkt, uint32_t caplen, uint32_t flags)
{
    Key key = key_of(pkt, iface, caplen, time, flags);
    uint64_t pos;
    uint8_t headers[PKT_BUF + LZ4_PLAN_BYTES];
    bool is_known;
    Shape *s;

    hs_assert(flags);
    hs_assert(caplen <= packet_len(pkt) && caplen <= LZ4_MAX_STEP - 1024);
    if (HS_UNLIKELY(lz4frame_is_full(z->frame)))
        put_held(z); /* this ends the block */
    s = find_shape(z, key, pkt);
    memcpy(headers, packet_cdata(pkt), s->what.n_headers);
    memset(headers + s->what.n_headers, 0, LZ4_PLAN_BYTES);
    pos = z->frame->pos + (z->held_total ? LAST_BYTES : 0);
    add_other(z, s, key, pkt, headers, time);
    is_known = f->shape_id == s->id && is_key(&f->key, &key);
    learn(s, f, is_known, headers);
    memcpy(f->headers, headers, LZ4_PLAN_BYTES);
    f->key = key;
    f->shape = s;
    f->shape_id = s->id;
    f->pos = pos;
    s->last = f;
}

/* A packet like the last one of its flow; or like the last one of its shape, when that is out of reach. */
static ALWAYS_INLINE bool add_usual(PcapngLz4 *z, Flow *f, const Key *key, const Packet *pkt, uint64_t time)
{
    const uint64_t pos = z->frame->pos + LAST_BYTES;
    const uint8_t *headers = packet_cdata(pkt);
    const Flow *like = f;
    Shape *s = f->shape;
    const PcapngLz4Plan *plan;

    if (HS_UNLIKELY(!is_key(&f->key, key) || s->id != f->shape_id || !z->held_total ||
                    lz4frame_is_full(z->frame)))
        return false;
    plan = &s->own;
    if (HS_UNLIKELY(!can_reach(z, pos, f->pos))) {
        plan = &s->any;
        like = s->last;
        if (like->shape_id != s->id || !can_reach(z, pos, like->pos))
            return false;
    }
    if (HS_UNLIKELY(!plan->n_seqs || !pcapng_lz4_plan_fits(plan, like->headers, headers) ||
                    !add_planned(z, s, plan, pos, (uint32_t)(pos - like->pos), pkt, time)))
        return false;
    if (HS_UNLIKELY(plan == &s->any))
        memcpy(f->headers, headers, LZ4_PLAN_BYTES);
    f->pos = pos;
    s->last = f;
    return true;
}

void pcapng_lz4_add_packet(PcapngLz4 *z, uint32_t iface, uint64_t time, const Packet *pkt, uint32_t caplen,
                           uint32_t flags, uint64_t packetid)
{
    const Key key = key_of(pkt, iface, caplen, time, flags);
    Flow *f = find_flow(z, &key);

    if (HS_UNLIKELY(!add_usual(z, f, &key, pkt, time)))
        add_unusual(z, f, iface, time, pkt, caplen, flags);
    z->held_id = packetid;
    z->held_total = f->shape->total;
}

void pcapng_lz4_flush(PcapngLz4 *z)
{
    put_held(z);
    lz4frame_flush(z->frame);
}

uint64_t pcapng_lz4_size(const PcapngLz4 *z)
{
    return lz4frame_size(z->frame);
}

bool pcapng_lz4_has_failed(const PcapngLz4 *z)
{
    return lz4frame_has_failed(z->frame);
}
