/* Packet blocks into matches; see pcapng_lz4.h. Every match is certain: what it claims to repeat was compared
 * byte for byte or made from the same number, or is a range of the synthetic stream, which repeats itself by
 * definition.
 *
 *     block:  head 28 | headers | payload, padding | options | last 16 bytes
 *
 * The last bytes (packet id, end of options, length) are held back until more comes: they are literals, as
 * the end of a block of LZ4 must be, and go in front of the next match. */
#include "sim/trace/pcapng_lz4.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sim/trace/lz4frame.h"
#include "sim/trace/pcapng_bytes.h"

/* A window of 64 KiB holds some forty frames of 1500 bytes and as many acknowledgements. */
#define RING 128
#define SLOTS 256
#define HEADERS 100 /* bytes of a packet's headers that are looked at; of these the first 64 are compared */
#define COMPARED 64u
#define MIN_RUN 12 /* of equal bytes in headers that become a match */
/* Payload shorter than this does not take the place of longer payload as the one to refer to. */
#define GOOD_PAYLOAD 512
#define OPTIONS_BYTES 12 /* flags with their header, the header of the packet id */
#define LAST_BYTES 16
/* So that an Lz4Out stays in registers (lz4frame.h). */
#define ALWAYS_INLINE inline __attribute__((always_inline))

typedef struct Entry { /* a packet block in the stream */
    uint64_t pos;
    /* Blocks of one shape differ in time, headers and id, and all their bytes lie equally far apart:
     * interface and captured length, length and header bytes, flags and the high half of the time. */
    uint64_t shape[3];
    uint8_t headers[HEADERS + LZ4_SLACK];
} Entry;

typedef struct Seen { /* synthetic payload in the stream that may still be in reach */
    uint64_t pos;
    uint32_t residue; /* of its offset */
    uint32_t len;
} Seen;

struct PcapngLz4 {
    Lz4Frame *frame;
    Seen seen;
    uint32_t n_held; /* 0 or LAST_BYTES */
    uint8_t held[LZ4_SLACK];
    unsigned n;
    uint8_t of_flow[SLOTS]; /* index in the ring of the last such block, or of any other: it is checked */
    uint8_t of_shape[SLOTS];
    Entry ring[RING];
};

/* ---- what differs ---- */

#ifdef __SSE2__
static inline uint64_t equal16(const uint8_t *a, const uint8_t *b)
{
    __m128i x = _mm_loadu_si128((const __m128i *)a), y = _mm_loadu_si128((const __m128i *)b);

    return (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
}
#else
static inline uint64_t equal8(const uint8_t *a, const uint8_t *b)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t x, y;

    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    x = GUINT64_FROM_LE(x ^ y);
    x = ~(((x & low) + low) | x) >> 7 & UINT64_C(0x0101010101010101); /* bit 8k: byte k is zero */
    return x * UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t equal16(const uint8_t *a, const uint8_t *b)
{
    return equal8(a, b) | equal8(a + 8, b + 8) << 8;
}
#endif

/* Bit i: a[i] differs from b[i], for the first n of COMPARED bytes. */
static inline uint64_t differences(const uint8_t *a, const uint8_t *b, unsigned n)
{
    uint64_t d = ~(equal16(a, b) | equal16(a + 16, b + 16) << 16 | equal16(a + 32, b + 32) << 32 |
                   equal16(a + 48, b + 48) << 48);

    return n < 64 ? d & ((UINT64_C(1) << n) - 1) : d;
}

/* Runs of less than MIN_RUN zeros between ones become ones, so that few runs are left. */
static inline uint64_t fill_short_runs(uint64_t d)
{
    _Static_assert(MIN_RUN == 12, "the shifts below: 1 + 2 + 4 + 4");
    uint64_t x = d | d << 1;
    int64_t y;

    x |= x << 2;
    x |= x << 4;
    y = (int64_t)(x | x << 4); /* each one and the eleven bits above it; the sign goes on above the last */
    y &= y >> 1;
    y &= y >> 2;
    y &= y >> 4;
    return (uint64_t)(y & y >> 4);
}

/* The low half of the time, two lengths, the headers; all but the time equal up to the first difference. */
static ALWAYS_INLINE void put_headers(Lz4Out *o, const Entry *e, const Entry *old, uint32_t time_low,
                                      unsigned n, uint32_t distance)
{
    const unsigned compared = HS_MIN(n, COMPARED);
    uint64_t d = fill_short_runs(differences(e->headers, old->headers, compared));
    unsigned at = d ? (unsigned)__builtin_ctzll(d) : compared;
    unsigned lits = at;

    pcapng_put32(lz4out_room(o), time_low);
    lz4out_add(o, 4);
    lz4out_match(o, distance, 8 + at);
    while (d) {
        uint64_t equal = ~(d >> at);
        unsigned run = equal ? at + (unsigned)__builtin_ctzll(equal) : 64, end;

        d = run < 64 ? d >> run << run : 0;
        end = d ? (unsigned)__builtin_ctzll(d) : compared;
        if (run >= compared || end - run < MIN_RUN)
            break;
        lz4out_put(o, e->headers + lits, run - lits);
        lz4out_match(o, distance, end - run);
        lits = at = end;
    }
    lz4out_put(o, e->headers + lits, n - lits);
}

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

/* n bytes of the packet from offset `off` on. */
static ALWAYS_INLINE void put_body(Seen *seen, Lz4Out *o, uint64_t pos, uint64_t first, const Packet *p,
                                   uint32_t off, uint32_t n)
{
    const uint32_t n_headers = packet_header_len(p);

    if (HS_UNLIKELY(off < n_headers)) {
        uint32_t step = packet_copy(p, off, lz4out_room(o), HS_MIN(n, n_headers - off));

        lz4out_add(o, step);
        off += step;
        n -= step;
        pos += step;
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
            put_synthetic(seen, o, pos, first, slice->off + off, step);
        } else {
            memcpy(lz4out_room(o), slice->chunk->bytes + slice->off + off, step);
            lz4out_add(o, step);
        }
        n -= step;
        pos += step;
        off = 0;
    }
    if (n) { /* up to Ethernet's least */
        memset(lz4out_room(o), 0, n);
        lz4out_add(o, n);
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

static void put_held(PcapngLz4 *z)
{
    lz4frame_put(z->frame, z->held, z->n_held);
    z->n_held = 0;
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

/* The packet's first n bytes, which are headers, with the checksum that captures show. */
static ALWAYS_INLINE void copy_headers(uint8_t *to, const Packet *p, uint32_t n)
{
    if (HS_LIKELY(p->head + HEADERS <= PKT_BUF)) {
        memcpy(to, packet_cdata(p), COMPARED);
        if (n > COMPARED)
            memcpy(to + COMPARED, packet_cdata(p) + COMPARED, HEADERS - COMPARED);
    } else {
        memcpy(to, packet_cdata(p), n);
    }
    if (p->csum == PKT_CSUM_PARTIAL) {
        unsigned at = p->csum_at - p->head;
        uint16_t sum = packet_csum_value(p);

        if (at < n)
            to[at] = (uint8_t)(sum >> 8);
        if (at + 1 < n)
            to[at + 1] = (uint8_t)sum;
    }
}

static inline unsigned slot_of(uint64_t key)
{
    return (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return GUINT64_FROM_LE(v);
}

/* Where a flow shows in the headers: IPv4 addresses and ports, or what of IPv6 stands before the ports. A
 * hint only: which block is found decides how well the next one packs. */
static inline uint64_t flow_of(const Entry *e, const Packet *p)
{
    unsigned at = p->l3 > p->head ? p->l3 - p->head : 0;
    unsigned is_6;

    if (at > HEADERS - 44)
        return 0;
    is_6 = e->headers[at] >> 4 == 6;
    at += is_6 ? 32 : 12;
    return load64(e->headers + at) * UINT64_C(0xff51afd7ed558ccd) + load64(e->headers + at + 4);
}

static inline bool is_like(const Entry *old, const Entry *e, uint64_t first)
{
    return ((old->shape[0] ^ e->shape[0]) | (old->shape[1] ^ e->shape[1]) | (old->shape[2] ^ e->shape[2])) ==
               0 &&
           old->pos >= first && old != e && e->pos - old->pos <= LZ4_MAX_DISTANCE;
}

/* The block to compare e with, or NULL; and e is remembered. */
static ALWAYS_INLINE const Entry *find_like(PcapngLz4 *z, const Entry *e, const Packet *p, uint64_t first)
{
    const uint8_t me = (uint8_t)(e - z->ring);
    uint8_t *of_shape = &z->of_shape[slot_of(e->shape[0])];
    uint8_t *of_flow = &z->of_flow[slot_of(flow_of(e, p) ^ e->shape[0])];
    const Entry *old = &z->ring[*of_flow];

    if (HS_UNLIKELY(!is_like(old, e, first))) {
        old = &z->ring[*of_shape];
        if (!is_like(old, e, first))
            old = NULL;
    }
    *of_flow = *of_shape = me;
    return old;
}

/* What is held, and the first sixteen bytes of the block. */
static ALWAYS_INLINE void put_start(Lz4Out *o, const PcapngLz4 *z, uint32_t distance)
{
    if (HS_LIKELY(z->n_held && o->n_lits == 0)) { /* the same, without moving bytes */
        o->token[0] = 15 << 4 | (16 - LZ4_MIN_MATCH);
        o->token[1] = LAST_BYTES - 15;
        memcpy(o->token + 2, z->held, LAST_BYTES);
        lz4_put16(o->token + 2 + LAST_BYTES, distance);
        o->token += 4 + LAST_BYTES;
        return;
    }
    lz4out_put(o, z->held, z->n_held);
    lz4out_match(o, distance, 16);
}

void pcapng_lz4_add_packet(PcapngLz4 *z, uint32_t iface, uint64_t time, const Packet *pkt, uint32_t caplen,
                           uint32_t flags, uint64_t packetid)
{
    const uint32_t len = packet_len(pkt), padding = pcapng_padding(caplen);
    const uint32_t n_headers = HS_MIN(packet_header_len(pkt), (unsigned)HEADERS);
    const uint32_t n = HS_MIN(n_headers, caplen);
    const uint32_t total = PCAPNG_PACKET_HEAD_BYTES + caplen + padding + OPTIONS_BYTES + LAST_BYTES;
    Entry *e = &z->ring[z->n++ % RING];
    const Entry *old = NULL;
    uint32_t distance = 0, before;
    uint64_t first;
    uint8_t head[PCAPNG_PACKET_HEAD_BYTES + 4], options[LZ4_SLACK] = {0}, *p;
    Lz4Out o;

    hs_assert(flags);
    hs_assert(caplen <= len && len <= LZ4_MAX_STEP - 1024);
    copy_headers(e->headers, pkt, n);
    e->shape[0] = (uint64_t)iface << 32 | caplen;
    e->shape[1] = (uint64_t)len << 32 | n;
    e->shape[2] = time >> 32 << 32 | flags;
    if (HS_UNLIKELY(lz4frame_is_full(z->frame)))
        put_held(z); /* this ends the block */
    first = z->frame->pos - lz4frame_reach(z->frame);
    e->pos = z->frame->pos + z->n_held;
    before = z->n_held + PCAPNG_PACKET_HEAD_BYTES + n;
    old = find_like(z, e, pkt, first);
    o = lz4frame_begin(z->frame);
    if (HS_LIKELY(old != NULL)) {
        distance = (uint32_t)(e->pos - old->pos);
        put_start(&o, z, distance);
        put_headers(&o, e, old, (uint32_t)time, n, distance);
    } else {
        lz4out_put(&o, z->held, z->n_held);
        pcapng_put_packet_head(head, total, iface, time, caplen, len);
        lz4out_put(&o, head, sizeof head - 4);
        lz4out_put(&o, e->headers, n);
    }
    put_body(&z->seen, &o, z->frame->pos + before, first, pkt, n, caplen - n);
    if (HS_LIKELY(old != NULL)) {
        lz4out_match_short(&o, distance, padding + OPTIONS_BYTES);
    } else {
        p = pcapng_put_flags(options + padding, flags);
        p = pcapng_put16(p, PCAPNG_EPB_PACKETID);
        pcapng_put16(p, 8);
        lz4out_put(&o, options, padding + OPTIONS_BYTES);
    }
    lz4frame_end(z->frame, o, before + caplen - n + padding + OPTIONS_BYTES);
    p = pcapng_put64(z->held, packetid);
    p = pcapng_put32(p, PCAPNG_OPT_END);
    pcapng_put32(p, total);
    z->n_held = LAST_BYTES;
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
