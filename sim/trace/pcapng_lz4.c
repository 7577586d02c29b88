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

#include "sim/trace/lz4frame.h"
#include "sim/trace/pcapng_bytes.h"

#define SLOTS 64
#define START_BYTES 32u /* of a packet, that are compared */
/* Payload shorter than this does not take the place of longer payload as the one to refer to. */
#define GOOD_PAYLOAD 512
#define OPTIONS_BYTES 12 /* flags with their header, the header of the packet id */
#define LAST_BYTES 16
/* So that an Lz4Out stays in registers (lz4frame.h). */
#define ALWAYS_INLINE inline __attribute__((always_inline))

typedef struct Slot { /* a packet block in the stream */
    uint64_t pos;
    /* Blocks of one shape differ in time, headers and id, and all their bytes lie equally far apart:
     * interface and captured length, length and header bytes, the high half of the time and flags. */
    uint64_t shape[3];
    uint8_t start[START_BYTES];
} Slot;

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
    Slot slots[SLOTS]; /* by a hash of the shape */
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

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return GUINT64_FROM_LE(v);
}

/* The checksum that captures show, into the packet's first n bytes. */
static inline void put_checksum(uint8_t *headers, uint32_t n, unsigned at, uint16_t sum)
{
    if (at < n)
        headers[at] = (uint8_t)(sum >> 8);
    if (at + 1 < n)
        headers[at + 1] = (uint8_t)sum;
}

/* How many of the first START_BYTES bytes are the same. */
static inline unsigned equal_start(const uint8_t *a, const uint8_t *b)
{
    for (unsigned i = 0; i < START_BYTES; i += 8) {
        uint64_t x = load64(a + i) ^ load64(b + i);

        if (x)
            return i + (unsigned)__builtin_ctzll(x) / 8;
    }
    return START_BYTES;
}

/* The block that begins at pos is like the one before it in the slot, and may refer to it. */
static inline bool is_like(const Slot *s, uint64_t pos, uint64_t first, const uint64_t shape[3])
{
    return ((s->shape[0] ^ shape[0]) | (s->shape[1] ^ shape[1]) | (s->shape[2] ^ shape[2])) == 0 &&
           s->pos >= first && pos - s->pos <= LZ4_MAX_DISTANCE;
}

void pcapng_lz4_add_packet(PcapngLz4 *z, uint32_t iface, uint64_t time, const Packet *pkt, uint32_t caplen,
                           uint32_t flags, uint64_t packetid)
{
    const uint32_t len = packet_len(pkt), n = HS_MIN(packet_header_len(pkt), caplen);
    const uint32_t padding = pcapng_padding(caplen);
    const uint32_t total = PCAPNG_PACKET_HEAD_BYTES + caplen + padding + OPTIONS_BYTES + LAST_BYTES;
    const uint64_t shape[3] = {(uint64_t)iface << 32 | caplen, (uint64_t)len << 32 | n,
                               time >> 32 << 32 | flags};
    Slot *slot = &z->slots[shape[0] * UINT64_C(0x9e3779b97f4a7c15) >> 58];
    const uint8_t *headers = packet_cdata(pkt);
    uint8_t head[PCAPNG_PACKET_HEAD_BYTES + LZ4_SLACK], options[LZ4_SLACK], copy[PKT_BUF + LZ4_SLACK], *p;
    uint32_t distance = 0, same = 0;
    uint64_t pos, first;
    bool like;
    Lz4Out o;

    _Static_assert(SLOTS == 1 << (64 - 58), "the shift of the hash");
    hs_assert(flags);
    hs_assert(caplen <= len && len <= LZ4_MAX_STEP - 1024);
    if (HS_UNLIKELY(pkt->head + n + LZ4_SLACK > PKT_BUF)) /* it would be read beyond */
        headers = memcpy(copy, headers, n);
    if (HS_UNLIKELY(lz4frame_is_full(z->frame)))
        put_held(z); /* this ends the block */
    pos = z->frame->pos + z->n_held;
    first = z->frame->pos - lz4frame_reach(z->frame);
    like = is_like(slot, pos, first, shape);
    o = lz4frame_begin(z->frame);
    lz4out_put(&o, z->held, z->n_held);
    if (HS_LIKELY(like)) {
        distance = (uint32_t)(pos - slot->pos);
        lz4out_match_short(&o, distance, 16); /* up to the high half of the time */
        o.end = pcapng_put32(o.end, (uint32_t)time);
        same = HS_MIN(equal_start(headers, slot->start), n);
        if (pkt->csum == PKT_CSUM_PARTIAL) /* not in the packet as it is */
            same = HS_MIN(same, (uint32_t)(pkt->csum_at - pkt->head));
        lz4out_match(&o, distance, 8 + same); /* both lengths, and what begins like it */
    } else {
        pcapng_put_packet_head(head, total, iface, time, caplen, len);
        lz4out_put(&o, head, PCAPNG_PACKET_HEAD_BYTES);
    }
    memcpy(slot->start, headers, START_BYTES);
    slot->pos = pos;
    memcpy(slot->shape, shape, sizeof shape);
    lz4out_put(&o, headers + same, n - same);
    if (pkt->csum == PKT_CSUM_PARTIAL) {
        unsigned at = pkt->csum_at - pkt->head;
        uint16_t sum = packet_csum_value(pkt);

        put_checksum(o.end - n, n, at, sum);
        put_checksum(slot->start, START_BYTES, at, sum);
    }
    put_body(&z->seen, &o, pos + PCAPNG_PACKET_HEAD_BYTES + n, first, pkt, caplen - n);
    if (HS_LIKELY(like)) {
        lz4out_match_short(&o, distance, padding + OPTIONS_BYTES);
    } else {
        memset(options, 0, padding);
        p = pcapng_put_flags(options + padding, flags);
        p = pcapng_put16(p, PCAPNG_EPB_PACKETID);
        pcapng_put16(p, 8);
        lz4out_put(&o, options, padding + OPTIONS_BYTES);
    }
    lz4frame_end(z->frame, o, z->n_held + total - LAST_BYTES);
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
