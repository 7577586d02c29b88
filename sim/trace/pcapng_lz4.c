/* Packet blocks into matches; see pcapng_lz4.h. Every match is certain: what it claims to repeat was compared
 * byte for byte or made from the same number, or is a range of the synthetic stream, which repeats itself by
 * definition.
 *
 *     block:  head 28 | headers | payload, padding | options | last 16 bytes
 *
 * The last bytes (packet id, end of options, length) are held back until more comes: they are literals, as
 * the end of a block of LZ4 must be, and go in front of the next match.
 *
 * Frames wait until there is a batch of them (pcapng_lz4_wait.h), in order. Two ways lead from there:
 * pcapng_lz4_usual.c takes packets like the last one of their flow, as nearly all are; add_unusual the rest,
 * from which it learns what packets of their flow are like. */
#include "sim/trace/pcapng_lz4.h"

#include "sim/trace/pcapng_lz4_priv.h"

/* ---- payload ---- */

/* pos: where in the stream. */
static ALWAYS_INLINE void put_synthetic(Seen *seen, Lz4Out *o, uint64_t pos, uint64_t off, uint32_t n)
{
    const uint32_t residue = (uint32_t)(off % PAYLOAD_PERIOD);
    const uint32_t shift = residue - seen->residue + (residue < seen->residue ? PAYLOAD_PERIOD : 0);
    const uint64_t distance = pos - seen->pos - shift, len = seen->end - seen->pos;
    const bool is_near = len && pos - seen->pos <= LZ4_MAX_DISTANCE;
    const Seen now = {pos, pos + n, residue};
    uint32_t done = 0;

    if (is_near && len >= shift + 2 * LZ4_MIN_MATCH && n >= 2 * LZ4_MIN_MATCH) {
        done = HS_MIN(n, (uint32_t)len - shift);
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
    if (!is_near || n >= len || n >= GOOD_PAYLOAD)
        *seen = now;
}

/* The first n bytes of what follows the packet's headers. */
static ALWAYS_INLINE void put_body(Seen *seen, Lz4Out *o, uint64_t pos, const Packet *p, uint32_t n)
{
    for (unsigned i = 0; i < p->n_slices && n; i++) {
        const PktSlice *slice = &p->slice[i];
        uint32_t step = HS_MIN(n, slice->len);

        if (HS_LIKELY(!slice->chunk)) {
            put_synthetic(seen, o, pos, slice->off, step);
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

PcapngLz4 *pcapng_lz4_open(const char *path, uint32_t most, OutHold *hold, GError **error)
{
    Lz4Frame *frame = lz4frame_open(path, hold, error);
    PcapngLz4 *z;

    if (!frame)
        return NULL;
    z = aligned_alloc(_Alignof(PcapngLz4), sizeof *z);
    hs_assert(z);
    memset(z, 0, sizeof *z);
    z->queue = (PcapngWaitQueue){z->waiting, z->waiting + PCAPNG_WAIT_FRAMES};
    z->frame = frame;
    z->most = most;
    z->longest = 1;
    for (unsigned i = 0; i < HS_ARRAY_LEN(z->marks); i++)
        z->marks[i].shape = &z->none;
    return z;
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

    pcapng_lz4_add_waiting(z);
    put_held(z);
    ok = lz4frame_close(z->frame, error);
    free(z);
    return ok;
}

void pcapng_lz4_discard(PcapngLz4 *z)
{
    if (!z)
        return;
    pcapng_lz4_add_waiting(z);
    put_held(z);
    lz4frame_discard(z->frame);
    free(z);
}

void pcapng_lz4_put(PcapngLz4 *z, const void *bytes, size_t n)
{
    pcapng_lz4_add_waiting(z);
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

static bool is_key(const Key *k, const PcapngWaiting *w, Ends ends)
{
    return memcmp(k->like, pcapng_wait_like(w), PCAPNG_WAIT_LIKE_BYTES) == 0 && k->ports == ends.ports &&
           k->addresses == ends.addresses;
}

/* The flow; or else the place of one of the same tag, which would be in its way and is most likely itself in
 * an earlier stretch of time; or of that which was not seen for longer. */
static Flow *find_flow(PcapngLz4 *z, const PcapngWaiting *w, Ends ends)
{
    const uint64_t hash = hash_flow(w, ends);
    const Mark *marks = &z->marks[flows_of(hash)];
    Flow *f = &z->flows[flows_of(hash)], *place = &f[f[0].pos > f[1].pos];

    _Static_assert(WAYS == 2, "one of two");
    for (unsigned i = 0; i < WAYS; i++) {
        if (is_key(&f[i].key, w, ends))
            return &f[i];
        if (marks[i].tag == tag_of(hash))
            place = &f[i];
    }
    return place;
}

static Shape *find_shape(PcapngLz4 *z, const PcapngWaiting *w, const Packet *pkt)
{
    const uint32_t caplen = HS_MIN(packet_len(pkt), z->most);
    uint32_t n, csum_at;
    uint64_t v = 0;
    Shape *ways, *s;

    for (unsigned i = 0; i + 8 <= PCAPNG_WAIT_LIKE_BYTES; i += 8)
        v = (v ^ v >> 32 ^ load64(pcapng_wait_like(w) + i)) * HASH_FACTOR;
    s = ways = &z->shapes[(v >> (64 - SHAPE_BITS)) * WAYS];
    for (unsigned i = 0; i < WAYS; i++) {
        if (is_key(&ways[i].key, w, (Ends){0, 0}))
            return &ways[i];
        if (!ways[i].last || (s->last && ways[i].last->pos < s->last->pos))
            s = &ways[i];
    }
    n = HS_MIN(packet_header_len(pkt), caplen);
    csum_at = (uint32_t)pkt->csum_at - pkt->head;
    for (unsigned i = 0; i < HS_ARRAY_LEN(z->marks); i++) {
        if (z->marks[i].shape == s) {
            z->marks[i].shape = &z->none;
            memset(&z->flows[i].key, 0xff, sizeof z->flows[i].key);
        }
    }
    memset(s, 0, offsetof(Shape, own));
    memcpy(s->key.like, pcapng_wait_like(w), PCAPNG_WAIT_LIKE_BYTES);
    s->what = (PcapngLz4Shape){
        .n_headers = n,
        .n_payload = caplen - n,
        .n_options = pcapng_padding(caplen) + OPTIONS_BYTES,
        .csum_at = pkt->csum == PKT_CSUM_PARTIAL && csum_at < n ? csum_at : LZ4_PLAN_NO_CSUM,
    };
    s->total = PCAPNG_PACKET_HEAD_BYTES + caplen + s->what.n_options + LAST_BYTES;
    z->longest = HS_MAX(z->longest, s->total);
    s->step = (uint32_t)((uint8_t *)pcapng_wait_next(w) - (uint8_t *)w);
    s->lap = HS_MIN(s->what.n_payload, (uint32_t)PAYLOAD_PERIOD);
    s->csum_from = pkt->csum_start - pkt->head;
    s->csum_bytes = pkt->tail - pkt->csum_start;
    if (s->csum_bytes % 4 || pkt->csum_start < pkt->head || pkt->csum_start > pkt->tail)
        s->csum_bytes = 0;
    s->last = z->flows;
    s->can_plan = caplen == n || (pkt->n_slices == 1 && pkt->payload_len >= caplen - n);
    pcapng_lz4_plan_init(&s->own, &s->what);
    pcapng_lz4_plan_init(&s->any, &s->what);
    return s;
}

/* ---- the unusual way ---- */

static void add_other(PcapngLz4 *z, const Shape *s, const PcapngWaiting *w, const Packet *pkt,
                      const uint8_t *headers)
{
    const Flow *like = s->last;
    const uint32_t n = s->what.n_headers, caplen = n + s->what.n_payload, n_options = s->what.n_options;
    uint8_t head[PCAPNG_PACKET_HEAD_BYTES + LZ4_SLACK], options[2 * LZ4_SLACK], held[LZ4_SLACK];
    uint8_t *p;
    uint32_t distance = 0, same = 0;
    const uint32_t n_held = get_held(z, held);
    const uint64_t pos = z->frame->pos + n_held;
    Lz4Out o = lz4frame_begin(z->frame);

    lz4out_put(&o, held, n_held);
    if (mark_of(z, like)->shape == s && pos - like->pos <= LZ4_MAX_DISTANCE) {
        distance = (uint32_t)(pos - like->pos);
        lz4out_match_short(&o, distance, 16); /* up to the high half of the time */
        o.end = pcapng_put32(o.end, w->time_low);
        while (same < HS_MIN(n, LZ4_PLAN_BYTES) && s->own.same[same] && headers[same] == like->headers[same])
            same++;
        lz4out_match(&o, distance, 8 + same); /* both lengths, and what begins like it */
    } else {
        pcapng_put_packet_head(head, s->total, pcapng_wait_iface(w->where),
                               (uint64_t)w->time_high << 32 | w->time_low, caplen, packet_len(pkt));
        lz4out_put(&o, head, PCAPNG_PACKET_HEAD_BYTES);
    }
    lz4out_put(&o, headers + same, n - same);
    if (pkt->csum == PKT_CSUM_PARTIAL)
        put_checksum(o.end - n, n, (unsigned)pkt->csum_at - pkt->head, packet_csum_value(pkt));
    put_body(&z->seen, &o, pos + PCAPNG_PACKET_HEAD_BYTES + n, pkt, caplen - n);
    if (distance) {
        lz4out_match_short(&o, distance, n_options);
    } else {
        memset(options, 0, n_options);
        p = pcapng_put_flags(options + n_options - OPTIONS_BYTES, pcapng_wait_flags(w->where));
        p = pcapng_put16(p, PCAPNG_EPB_PACKETID);
        pcapng_put16(p, 8);
        lz4out_put(&o, options, n_options);
    }
    lz4frame_end(z->frame, o, n_held + s->total - LAST_BYTES);
}

static void learn(PcapngLz4 *z, Shape *s, const Flow *f, bool is_known, const uint8_t *headers)
{
    PcapngLz4Plan *own = &s->own, *any = &s->any;

    if (!s->can_plan)
        return;
    if (is_known && !(own->n_steps && pcapng_lz4_plan_fits(own, f->headers, headers)))
        pcapng_lz4_plan_learn(own, &s->what, NULL, f->headers, headers);
    if (mark_of(z, s->last)->shape == s &&
        !(any->n_steps && pcapng_lz4_plan_fits(any, s->last->headers, headers)))
        pcapng_lz4_plan_learn(any, &s->what, own->same, s->last->headers, headers);
}

/* A flow that is new or was forgotten, a packet unlike the last one, nothing in reach. w's headers may not be
 * there. */
static __attribute__((noinline)) void add_unusual(PcapngLz4 *z, const PcapngWaiting *w, const Packet *pkt)
{
    const Ends ends = ends_in(w, packet_cdata(pkt));
    Flow *f = find_flow(z, w, ends);
    uint64_t pos;
    _Alignas(16) uint8_t headers[PKT_BUF + LZ4_PLAN_BYTES];
    bool is_known;
    Shape *s;

    hs_assert(pcapng_wait_flags(w->where));
    if (HS_UNLIKELY(lz4frame_is_full(z->frame)))
        put_held(z); /* this ends the block */
    s = find_shape(z, w, pkt);
    hs_assert(s->total <= LZ4_MAX_STEP - 512);
    memcpy(headers, packet_cdata(pkt), s->what.n_headers);
    memset(headers + s->what.n_headers, 0, LZ4_PLAN_BYTES);
    pos = z->frame->pos + (z->held_total ? LAST_BYTES : 0);
    add_other(z, s, w, pkt, headers);
    is_known = mark_of(z, f)->shape == s && is_key(&f->key, w, ends);
    learn(z, s, f, is_known, headers);
    memcpy(f->headers, headers, LZ4_PLAN_BYTES);
    memcpy(f->key.like, pcapng_wait_like(w), PCAPNG_WAIT_LIKE_BYTES);
    f->key.ports = ends.ports;
    f->key.addresses = ends.addresses;
    *mark_of(z, f) = (Mark){s, tag_of(hash_flow(w, ends))};
    f->pos = pos;
    s->last = f;
    z->held_id = w->packetid;
    z->held_total = s->total;
}

__attribute__((noinline)) void pcapng_lz4_add_waiting(PcapngLz4 *z)
{
    const PcapngWaiting *w = z->waiting, *found = w;

    while (w != z->queue.next) {
        Packet view;

        if (w == found)
            found = pcapng_lz4_usual_find(z, (PcapngWaiting *)w, z->queue.next);
        w = pcapng_lz4_usual_add(z, w, found);
        if (HS_LIKELY(w == found))
            continue;
        pcapng_wait_view(w, &view);
        add_unusual(z, w, &view);
        w = pcapng_wait_next(w);
    }
    z->queue.next = z->waiting;
}

__attribute__((noinline)) void pcapng_lz4_add_at_once(PcapngLz4 *z, uint32_t where, uint64_t time,
                                                      const Packet *pkt, uint64_t packetid)
{
    PcapngWaiting w;

    pcapng_lz4_add_waiting(z);
    pcapng_wait_describe(&w, pkt, where, time, packetid);
    add_unusual(z, &w, pkt);
}

void pcapng_lz4_flush(PcapngLz4 *z)
{
    pcapng_lz4_add_waiting(z);
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
