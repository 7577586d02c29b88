/* The usual way of a packet into a compressed capture: it is like the last one of its flow, as nearly all
 * are, and its block is some stores at known places (pcapng_lz4_plan.h). What is not like that, or whatever
 * does not fit for once, is left to pcapng_lz4.c. */
#include "sim/trace/pcapng_lz4_priv.h"

/* Few enough that they are still in the first-level cache when they are written. */
#define FIND_FRAMES 32

/* What precedes the time: type, length, interface and time's high half. The block before may end with the
 * same eight bytes as another one did. Then comes the plan's first token. */
static ALWAYS_INLINE uint8_t *put_edge(const PcapngLz4 *z, Shape *s, uint8_t *p, uint64_t pos,
                                       uint32_t distance, uint8_t token)
{
    const uint32_t before = z->held_total;
    Edge *e = &s->edge[before >> 2 & (EDGES - 1)];
    const uint64_t edge_distance = pos - e->pos;

    _Static_assert(EDGES == 4, "lengths are multiples of four");
    e->pos = pos;
    if (HS_LIKELY(e->before == before && edge_distance <= LZ4_MAX_DISTANCE)) {
        const uint32_t more = 16 + LAST_BYTES - ID_BYTES - LZ4_MIN_MATCH - 15;

        p[0] = ID_BYTES << 4 | 15;
        pcapng_put64(p + 1, z->held_id);
        pcapng_put32(p + 9, (uint32_t)edge_distance | more << 16 | (uint32_t)token << 24);
        return p + 12;
    }
    p[0] = 15 << 4 | (16 - LZ4_MIN_MATCH);
    p[1] = LAST_BYTES - 15;
    get_held(z, p + 2);
    lz4_put16(p + 18, distance);
    p[20] = token;
    e->before = before;
    return p + 20;
}

/* The distance of the payload of a block at block_pos, which begins at `residue` of a lap, or 0: not in
 * reach. */
static ALWAYS_INLINE uint32_t find_payload(Seen *seen, uint64_t block_pos, uint32_t residue, const Shape *s)
{
    const uint32_t before = PCAPNG_PACKET_HEAD_BYTES + s->what.n_headers;
    const uint64_t pos = block_pos + before;
    const uint32_t shift = residue - seen->residue + (residue < seen->residue ? PAYLOAD_PERIOD : 0);
    const uint64_t source = seen->pos + shift;
    const uint32_t n = s->what.n_payload;

    if (HS_UNLIKELY(pos - seen->pos > LZ4_MAX_DISTANCE || source + s->lap > seen->end))
        return 0;
    if (n >= GOOD_PAYLOAD || n >= seen->end - seen->pos)
        *seen = (Seen){pos, pos + n, residue};
    return (uint32_t)(pos - source);
}

/* Ones' complement, in native order. */
static ALWAYS_INLINE uint64_t add64(uint64_t a, uint64_t b)
{
    bool carry = __builtin_add_overflow(a, b, &a);

    return a + carry; /* cannot carry again */
}

static ALWAYS_INLINE uint16_t fold(uint64_t sum)
{
    /* The upper half and the lower, with the carry that comes in again at the other end. */
    uint32_t half = (uint32_t)((sum + (sum >> 32 | sum << 32)) >> 32);

    return (uint16_t)((half + (half >> 16 | half << 16)) >> 16);
}

/* What the sum below is not made for; and a sum of 0, of which there are two. */
static __attribute__((noinline)) uint16_t csum_value_of_any(const PcapngWaiting *w, const Shape *s)
{
    uint16_t sum = 0xffff;

    if (s->csum_bytes) {
        const uint8_t *p = w->headers + s->csum_from;
        uint64_t more = G_BYTE_ORDER == G_LITTLE_ENDIAN ? (uint64_t)w->payload_sum << 8 : w->payload_sum;

        for (const uint8_t *end = p + s->csum_bytes; p != end; p += 4)
            more = add64(more, load32(p));
        sum = fold(more);
    }
    if (sum == 0xffff) {
        Packet view;

        pcapng_wait_view(w, &view);
        return GUINT16_TO_BE(packet_csum_value(&view));
    }
    return (uint16_t)~sum;
}

/* packet_csum_value of it, as it stands in the frame. */
static ALWAYS_INLINE uint16_t csum_value(const PcapngWaiting *w, const Shape *s)
{
    const uint8_t *p = w->headers + s->csum_from;
    uint64_t sum = w->payload_sum;
    uint16_t folded;

    if (HS_UNLIKELY(s->csum_bytes != 32)) /* as TCP's header has with timestamps */
        return csum_value_of_any(w, s);
    if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
        sum <<= 8; /* the same, with bytes swapped */
    sum = add64(add64(sum, load64(p)), load64(p + 8));
    sum = add64(add64(sum, load64(p + 16)), load64(p + 24));
    folded = fold(sum);
    return HS_LIKELY(folded != 0xffff) ? (uint16_t)~folded : csum_value_of_any(w, s);
}

/* Stores at known places, where the block is like that at pos - distance. */
static ALWAYS_INLINE uint8_t *put_planned(const Shape *s, const PcapngLz4Plan *plan, uint8_t *p,
                                          uint32_t distance, uint32_t payload_distance,
                                          const PcapngWaiting *w)
{
    const uint8_t *headers = w->headers;
    const PcapngLz4Step *step = plan->step, *const end = step + plan->n_steps;

    pcapng_put32(p + 1, w->time_low);
    pcapng_put64(p + 5, step->behind | distance);
    while (++step != end) {
        memcpy(p + step->literals_at, headers + step->from, LZ4_PLAN_STEP_LITERALS);
        pcapng_put64(p + step->distance_at, step->behind | distance);
    }
    if (HS_LIKELY(plan->csum_out)) {
        uint16_t sum = csum_value(w, s);

        memcpy(p + plan->csum_out, &sum, 2);
    }
    if (!payload_distance)
        return p + plan->size;
    lz4_put16(p + end[-1].distance_at, payload_distance);
    p += plan->size;
    memcpy(p, plan->tail, 16);
    if (HS_UNLIKELY(plan->n_tail > 16))
        memcpy(p + 16, plan->tail + 16, LZ4_PLAN_TAIL_BYTES - 16);
    p += plan->n_tail;
    lz4_put16(p, distance);
    return p + 2;
}

/* The same but for what the plan of the flow's packets has as literals. */
static ALWAYS_INLINE bool is_like_last(const PcapngWaiting *w, const Flow *f, const Shape *s)
{
    const PcapngLz4Lanes *a = (const PcapngLz4Lanes *)w, *b = (const PcapngLz4Lanes *)f->key.like;
    const PcapngLz4Lanes but_time_and_ports = {UINT64_MAX,
                                               GUINT64_TO_LE(UINT32_MAX)}; /* four bytes of each */
    const PcapngLz4Lanes differ = (a[0] ^ b[0]) | ((a[1] ^ b[1]) & but_time_and_ports) |
                                  pcapng_lz4_plan_differ(&s->own, f->headers, w->headers);

    _Static_assert(PCAPNG_WAIT_LIKE_BYTES == 28, "two lanes less a word");
    return (differ[0] | differ[1]) == 0;
}

/* When the flow's last block is out of reach, that of another of its shape may do. */
static inline bool can_do(PcapngLz4 *z, const PcapngWaiting *w, const Shape *s, const Flow *other,
                          uint64_t pos)
{
    return mark_of(z, other)->shape == s && pos - other->pos <= LZ4_MAX_DISTANCE &&
           pcapng_lz4_plan_fits(&s->any, other->headers, w->headers) && s->any.n_steps;
}

/* There is room for so many frames: one step more than makes a block full. */
static inline ptrdiff_t room_for(const PcapngLz4 *z)
{
    const Lz4Frame *frame = z->frame;

    _Static_assert(FIND_FRAMES * LZ4_PLAN_OUT_MOST <= LZ4_MAX_STEP, "nor is the file's part longer");
    return lz4frame_is_full(frame) ? 0
                                   : (ptrdiff_t)((frame->full_pos + LZ4_MAX_STEP - frame->pos) / z->longest);
}

PcapngWaiting *pcapng_lz4_usual_find(PcapngLz4 *z, PcapngWaiting *w, const PcapngWaiting *end)
{
    const PcapngWaiting *const stop = end - w > FIND_FRAMES ? w + FIND_FRAMES : end;

    for (; w < stop; w = pcapng_wait_next(w)) {
        const uint64_t hash = hash_flow(w, ends_in(w, w->headers)), off = w->payload_off;
        const unsigned first = flows_of(hash);
        const unsigned flow = first + (z->marks[first].tag != tag_of(hash));

        __builtin_prefetch(&z->flows[flow]);
        __builtin_prefetch(&z->flows[flow].headers[16]);
        w->flow = (uint16_t)flow;
        w->residue = (uint8_t)(off % PAYLOAD_PERIOD);
        w->payload_sum = payload_checksum_at(w->residue, w->payload_len);
    }
    return w;
}

const PcapngWaiting *pcapng_lz4_usual_add(PcapngLz4 *z, const PcapngWaiting *w, const PcapngWaiting *end)
{
    Lz4Frame *const frame = z->frame;
    uint8_t *token = frame->out.token;
    uint64_t pos = frame->pos + LAST_BYTES; /* of the next block */

    if (HS_UNLIKELY(frame->out.end != token + 1 || !z->held_total))
        return w;
    end = HS_MIN(end, w + room_for(z));
    while (w < end) {
        Flow *const f = &z->flows[w->flow];
        Shape *const s = z->marks[w->flow].shape;
        const PcapngLz4Plan *plan = &s->own;
        uint64_t distance = pos - f->pos;
        uint32_t payload_distance = 0;

        if (HS_UNLIKELY(!is_like_last(w, f, s) || !plan->n_steps))
            break;
        if (HS_UNLIKELY(distance > LZ4_MAX_DISTANCE)) {
            if (!can_do(z, w, s, s->last, pos))
                break;
            plan = &s->any;
            distance = pos - s->last->pos;
        }
        if (s->lap) {
            payload_distance = find_payload(&z->seen, pos, w->residue, s);
            if (HS_UNLIKELY(!payload_distance))
                break;
        }
        if (HS_UNLIKELY(plan == &s->any))
            memcpy(f->headers, w->headers, LZ4_PLAN_BYTES);
        token = put_edge(z, s, token, pos, (uint32_t)distance, plan->token);
        token = put_planned(s, plan, token, (uint32_t)distance, payload_distance, w);
        f->pos = pos;
        s->last = f;
        z->held_id = w->packetid;
        z->held_total = s->total;
        pos += s->total;
        w = (const PcapngWaiting *)((const uint8_t *)w + s->step);
    }
    lz4out_begin(&frame->out, token);
    frame->pos = pos - LAST_BYTES;
    return w;
}
