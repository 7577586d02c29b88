/* Records into matches; see lz4records.h. Every match is certain: what it claims to repeat was compared byte
 * by byte, or is a range of the synthetic stream, which repeats itself by definition (sim/packet/payload.h).
 */
#include "sim/trace/lz4records.h"

#include <string.h>

#include "sim/trace/lz4frame.h"

/* A window of 64 KiB holds some forty frames of 1500 bytes and as many acknowledgements. */
#define RING 128
#define SLOTS 256
/* A match costs three bytes and two nanoseconds, literals one byte each: shorter runs are not worth it. */
#define MIN_RUN 6
/* Payload shorter than this does not take the place of longer payload as the one to refer to. */
#define GOOD_PAYLOAD 512

typedef struct Seen { /* synthetic payload in the stream: what of it may still be in reach */
    uint64_t pos;
    uint32_t residue; /* of its offset */
    uint32_t len;
} Seen;

struct Lz4Records {
    Lz4Frame *frame;
    Lz4Record *held;            /* its tail is not yet in the frame */
    const Lz4Record *held_like; /* what it is compared with; NULL: nothing */
    Seen seen;
    unsigned n;
    uint8_t of_flow[SLOTS]; /* index in the ring of the last such record, or of another one: it is checked */
    uint8_t of_kind[SLOTS];
    Lz4Record ring[RING];
};

/* ---- what differs ---- */

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return GUINT64_FROM_LE(v);
}

/* Bit i: a[i] differs from b[i]; 64 bytes. */
static inline uint64_t differences(const uint8_t *a, const uint8_t *b)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t bits = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t x = load64(a + 8 * i) ^ load64(b + 8 * i);

        x = (((x & low) + low) | x) >> 7 & UINT64_C(0x0101010101010101); /* bit 8k: byte k is not zero */
        bits |= x * UINT64_C(0x0102040810204080) >> 56 << 8 * i;
    }
    return bits;
}

/* Equal runs shorter than MIN_RUN become differences too, so that few and long ones are left. What lies
 * beyond the 64 bits counts as equal. */
static inline uint64_t without_short_runs(uint64_t d)
{
    _Static_assert(MIN_RUN == 6, "the shifts below");
    uint64_t x = d | d << 1;
    int64_t y;

    x |= x << 2;
    x |= x << 2; /* each difference and the five bytes behind it */
    y = (int64_t)x;
    y &= y >> 1;
    y &= y >> 2;
    y &= y >> 2;
    return (uint64_t)y | d;
}

/* n bytes at `p`, of which those that are the same as `like`, distance back in the stream, become matches.
 * Both have room up to a multiple of 64 bytes. */
static inline void put_like(Lz4Out *o, const uint8_t *p, const uint8_t *like, unsigned n, uint32_t distance)
{
    unsigned lits = 0, run = 0; /* where what is not yet written begins, and where its equal end does */

    for (unsigned base = 0; base < n; base += 64) {
        uint64_t d = differences(p + base, like + base);

        if (n - base < 64)
            d &= (UINT64_C(1) << (n - base)) - 1;
        d = without_short_runs(d);
        if (n - base < 64)
            d &= (UINT64_C(1) << (n - base)) - 1;
        while (d) {
            unsigned from = (unsigned)__builtin_ctzll(d);
            uint64_t equal = ~(d >> from);
            unsigned to = equal ? from + (unsigned)__builtin_ctzll(equal) : 64;

            if (base + from - run >= MIN_RUN) {
                lz4out_put(o, p + lits, run - lits);
                lz4out_match(o, distance, base + from - run);
                lits = base + from;
            }
            run = base + to;
            d = to < 64 ? d >> to << to : 0;
        }
    }
    if (n - run >= MIN_RUN) {
        lz4out_put(o, p + lits, run - lits);
        lz4out_match(o, distance, n - run);
    } else {
        lz4out_put(o, p + lits, n - lits);
    }
}

/* ---- payload ---- */

/* Nothing before `first` may be referred to. */
static inline void put_synthetic(Seen *seen, Lz4Out *o, uint64_t first, uint64_t off, uint32_t n)
{
    const uint32_t residue = (uint32_t)(off % PAYLOAD_PERIOD);
    const uint32_t shift = (residue + PAYLOAD_PERIOD - seen->residue) % PAYLOAD_PERIOD;
    const uint64_t distance = o->pos - seen->pos - shift;
    const Seen now = {o->pos, residue, n};
    const bool is_near = seen->len && distance <= LZ4_MAX_DISTANCE && seen->pos >= first;
    uint32_t done = 0;

    if (is_near && seen->len >= shift + 2 * LZ4_MIN_MATCH) {
        done = HS_MIN(n, seen->len - shift);
        if (n - done && n - done < LZ4_MIN_MATCH)
            done -= LZ4_MIN_MATCH;
        if (done >= LZ4_MIN_MATCH)
            lz4out_match(o, (uint32_t)distance, done);
        else
            done = 0;
    }
    if (n > done && done < PAYLOAD_PERIOD) {
        uint32_t more = HS_MIN(n, (uint32_t)PAYLOAD_PERIOD) - done;

        payload_fill(lz4out_room(o), off + done, more);
        lz4out_add(o, more);
        done += more;
    }
    /* From here on the payload is the same as itself one period before. */
    if (n - done >= LZ4_MIN_MATCH) {
        lz4out_match(o, PAYLOAD_PERIOD, n - done);
    } else if (n > done) {
        payload_fill(lz4out_room(o), off + done, n - done);
        lz4out_add(o, n - done);
    }
    if (!is_near || n >= seen->len || n >= GOOD_PAYLOAD)
        *seen = now;
}

static inline void put_body(Seen *seen, Lz4Out *o, uint64_t first, const Packet *p, uint32_t off, uint32_t n)
{
    uint32_t n_headers = packet_header_len(p);

    if (HS_UNLIKELY(off < n_headers)) {
        uint32_t step = packet_copy(p, off, lz4out_room(o), HS_MIN(n, n_headers - off));

        lz4out_add(o, step);
        off += step;
        n -= step;
    }
    off -= n_headers;
    for (unsigned i = 0; i < p->n_slices && n; i++) {
        const PktSlice *slice = &p->slice[i];
        uint32_t step;

        if (off >= slice->len) {
            off -= slice->len;
            continue;
        }
        step = HS_MIN(n, slice->len - off);
        if (HS_LIKELY(!slice->chunk)) {
            put_synthetic(seen, o, first, slice->off + off, step);
        } else {
            memcpy(lz4out_room(o), slice->chunk->bytes + slice->off + off, step);
            lz4out_add(o, step);
        }
        n -= step;
        off = 0;
    }
    memset(lz4out_room(o), 0, n); /* padding */
    lz4out_add(o, n);
}

/* ---- records ---- */

Lz4Records *lz4records_open(const char *path, GError **error)
{
    Lz4Frame *frame = lz4frame_open(path, error);
    Lz4Records *s;

    if (!frame)
        return NULL;
    s = g_new0(Lz4Records, 1);
    s->frame = frame;
    return s;
}

static void put_held_tail(Lz4Records *s)
{
    if (s->held)
        lz4frame_put(s->frame, s->held->tail, s->held->n_tail);
    s->held = NULL;
    s->held_like = NULL;
}

bool lz4records_close(Lz4Records *s, GError **error)
{
    bool ok;

    put_held_tail(s);
    ok = lz4frame_close(s->frame, error);
    g_free(s);
    return ok;
}

void lz4records_discard(Lz4Records *s)
{
    if (!s)
        return;
    put_held_tail(s);
    lz4frame_discard(s->frame);
    g_free(s);
}

void lz4records_put(Lz4Records *s, const void *bytes, size_t n)
{
    put_held_tail(s);
    lz4frame_put(s->frame, bytes, n);
}

Lz4Record *lz4records_next(Lz4Records *s)
{
    return &s->ring[s->n++ % RING];
}

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return GUINT32_FROM_LE(v);
}

static inline unsigned slot_of(uint64_t key)
{
    return (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

/* Of the same shape, so that everything in it lies as far from its counterpart, and in reach. The oldest
 * record is about to be filled in again. */
static inline bool is_like(const Lz4Records *s, const Lz4Record *old, const Lz4Record *r, uint64_t first)
{
    return old->n_head == r->n_head && old->n_body == r->n_body && old->n_tail == r->n_tail &&
           old->pos >= first && r->pos - old->pos <= LZ4_MAX_DISTANCE && old->pos < r->pos &&
           old != &s->ring[s->n % RING];
}

/* The record to compare r with, or NULL; and r is remembered. Which one it is decides only how well r packs.
 */
static const Lz4Record *find_like(Lz4Records *s, Lz4Record *r, uint64_t first)
{
    const uint64_t shape = (uint64_t)r->n_body << 16 | r->n_head;
    const uint8_t me = (uint8_t)(r - s->ring);
    /* What most often tells interfaces from each other in a block: the third word of it. */
    uint8_t *of_kind = &s->of_kind[slot_of(shape ^ (uint64_t)load32(r->head + 8) << 40)];
    const Lz4Record *old = &s->ring[*of_kind];

    *of_kind = me;
    if (r->flow_at) {
        const uint8_t *f = r->head + r->flow_at;
        uint64_t flow = load64(f) * UINT64_C(0xff51afd7ed558ccd) + load32(f + 8);
        uint8_t *of_flow = &s->of_flow[slot_of(flow ^ shape << 20 ^ load32(r->head + 8))];
        const Lz4Record *better = &s->ring[*of_flow];

        *of_flow = me;
        if (is_like(s, better, r, first))
            return better;
    }
    return is_like(s, old, r, first) ? old : NULL;
}

void lz4records_add(Lz4Records *s, Lz4Record *r, const Packet *pkt, uint32_t from)
{
    uint32_t reach = lz4frame_reach(s->frame);
    const Lz4Record *old = NULL;
    uint64_t first;
    Lz4Out o;

    hs_assert(r->n_head >= LZ4RECORDS_END && r->n_head <= LZ4RECORDS_HEAD);
    hs_assert(r->n_tail >= LZ4RECORDS_END && r->n_tail <= LZ4RECORDS_TAIL);
    hs_assert(r->n_body <= PKT_MAX_LEN);
    if (HS_UNLIKELY(reach == 0)) { /* this ends the block */
        put_held_tail(s);
        r->pos = lz4frame_pos(s->frame);
        lz4frame_put(s->frame, r->head, r->n_head);
        o = lz4frame_begin(s->frame);
        first = o.pos - lz4frame_reach(s->frame);
    } else {
        o = lz4frame_begin(s->frame);
        first = o.pos - reach;
        if (HS_LIKELY(s->held_like != NULL))
            put_like(&o, s->held->tail, s->held_like->tail, s->held->n_tail,
                     (uint32_t)(s->held->pos - s->held_like->pos));
        else if (s->held)
            lz4out_put(&o, s->held->tail, s->held->n_tail);
        r->pos = o.pos;
        old = find_like(s, r, first);
        if (HS_LIKELY(old != NULL))
            put_like(&o, r->head, old->head, r->n_head, (uint32_t)(r->pos - old->pos));
        else
            lz4out_put(&o, r->head, r->n_head);
    }
    put_body(&s->seen, &o, first, pkt, from, r->n_body);
    lz4frame_end(s->frame, &o);
    s->held = r;
    s->held_like = old;
}

void lz4records_flush(Lz4Records *s)
{
    put_held_tail(s);
    lz4frame_flush(s->frame);
}

uint64_t lz4records_size(const Lz4Records *s)
{
    return lz4frame_size(s->frame);
}

bool lz4records_has_failed(const Lz4Records *s)
{
    return lz4frame_has_failed(s->frame);
}
