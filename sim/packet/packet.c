#include "sim/packet/packet.h"

#include <glib.h>
#include <string.h>

#include "sim/packet/checksum.h"

#define PACKETS_PER_SLAB 128
/* What came by a serial line with one byte of header may have to leave by a VLAN, with 18. */
#define FROM_BYTES_HEADROOM 20

struct PacketPool {
    Pool pool;
    Blocks blocks;
};

PacketPool *packetpool_new(void)
{
    PacketPool *pp = g_new0(PacketPool, 1);

    pool_init_aligned(&pp->pool, sizeof(Packet), PACKETS_PER_SLAB, POOL_CACHELINE);
    blocks_init(&pp->blocks);
    return pp;
}

void packetpool_free(PacketPool *pp)
{
    if (!pp)
        return;
    pool_clear(&pp->pool);
    blocks_clear(&pp->blocks);
    g_free(pp);
}

void packetpool_get_info(const PacketPool *pp, PacketPoolInfo *info)
{
    *info = (PacketPoolInfo){pp->pool.live, pp->pool.peak, pp->pool.slabs, pp->pool.bytes};
}

Blocks *packetpool_blocks(PacketPool *pp)
{
    return &pp->blocks;
}

Packet *packet_new(PacketPool *pool, uint32_t birth_node, uint64_t birth_id, unsigned headroom)
{
    Packet *p = pool_alloc(&pool->pool);

    hs_assert(headroom <= PKT_BUF);
    /* Only the meta data: buf is written by whoever puts headers there. The first chunk belongs to it: a
     * packet without payload may be taken for one whose payload is synthetic. */
    memset(p, 0, offsetof(Packet, slice[0].off));
    p->pool = pool;
    p->ref = 1;
    p->head = p->tail = (uint16_t)headroom;
    p->birth_node = birth_node;
    p->birth_id = birth_id;
    return p;
}

static void drop_payload(Packet *p)
{
    for (unsigned i = 0; i < p->n_slices; i++)
        pktchunk_unref(p->slice[i].chunk);
    p->n_slices = 0;
    p->payload_len = 0;
}

void packet_unref(Packet *p)
{
    if (!p || --p->ref)
        return;
    drop_payload(p);
    pool_free(&p->pool->pool, p);
}

Packet *packet_clone(const Packet *p)
{
    Packet *c = pool_alloc(&p->pool->pool);

    memcpy(c, p, offsetof(Packet, buf));
    memcpy(c->buf + p->head, p->buf + p->head, packet_header_len(p));
    c->ref = 1;
    for (unsigned i = 0; i < c->n_slices; i++)
        if (c->slice[i].chunk)
            pktchunk_ref(c->slice[i].chunk);
    return c;
}

Packet *packet_own_shared(Packet *p)
{
    Packet *c;

    if (p->ref == 1)
        return p;
    c = packet_clone(p);
    p->ref--;
    return c;
}

/* All payload into one chunk of ours with room for `extra` more bytes at its end. */
static PktChunk *flatten(Packet *p, uint32_t extra)
{
    PktChunk *c = pktchunk_new(p->payload_len + extra);
    uint32_t len = p->payload_len;

    packet_copy_raw(p, packet_header_len(p), c->bytes, len);
    drop_payload(p);
    p->slice[0] = (PktSlice){c, 0, len + extra};
    p->n_slices = 1;
    p->payload_len = len + extra;
    return c;
}

void packet_add_slice(Packet *p, const PktSlice *s)
{
    PktSlice *last = p->n_slices ? &p->slice[p->n_slices - 1] : NULL;

    if (s->len == 0)
        return;
    if (last && last->chunk == s->chunk && last->off + last->len == s->off) {
        last->len += s->len;
    } else if (p->n_slices < PKT_SLICES) {
        p->slice[p->n_slices++] = *s;
        if (s->chunk)
            pktchunk_ref(s->chunk);
    } else {
        uint32_t at = p->payload_len;
        PktChunk *c = flatten(p, s->len);

        if (s->chunk)
            memcpy(c->bytes + at, s->chunk->bytes + s->off, s->len);
        else
            payload_fill(c->bytes + at, s->off, s->len);
        return;
    }
    p->payload_len += s->len;
}

void packet_add_bytes(Packet *p, const void *bytes, size_t len)
{
    PktChunk *c;

    if (!len)
        return;
    c = pktchunk_new_copy(bytes, len);
    packet_add_slice(p, &(PktSlice){c, 0, (uint32_t)len});
    pktchunk_unref(c);
}

void packet_add_payload_of(Packet *p, const Packet *src, uint32_t off, uint32_t len)
{
    for (unsigned i = 0; i < src->n_slices && len; i++) {
        const PktSlice *s = &src->slice[i];
        uint32_t n;

        if (off >= s->len) {
            off -= s->len;
            continue;
        }
        n = HS_MIN(len, s->len - off);
        packet_add_slice(p, &(PktSlice){s->chunk, s->off + off, n});
        off = 0;
        len -= n;
    }
}

Packet *packet_from_bytes(PacketPool *pool, uint32_t birth_node, uint64_t birth_id, const uint8_t *bytes,
                          size_t len)
{
    Packet *p = packet_new(pool, birth_node, birth_id, FROM_BYTES_HEADROOM);
    size_t in_buf = HS_MIN(len, (size_t)PKT_BUF - FROM_BYTES_HEADROOM);

    memcpy(packet_put(p, (unsigned)in_buf), bytes, in_buf);
    packet_add_bytes(p, bytes + in_buf, len - in_buf);
    return p;
}

uint32_t packet_copy_raw(const Packet *p, uint32_t off, void *dst, uint32_t len)
{
    uint8_t *out = dst;
    uint32_t hdr = packet_header_len(p), n;

    if (off < hdr) {
        n = HS_MIN(len, hdr - off);
        memcpy(out, p->buf + p->head + off, n);
        out += n, len -= n, off = 0;
    } else {
        off -= hdr;
    }
    for (unsigned i = 0; i < p->n_slices && len; i++) {
        const PktSlice *s = &p->slice[i];

        if (off >= s->len) {
            off -= s->len;
            continue;
        }
        n = HS_MIN(len, s->len - off);
        if (s->chunk)
            memcpy(out, s->chunk->bytes + s->off + off, n);
        else
            payload_fill(out, s->off + off, n);
        out += n, len -= n, off = 0;
    }
    if (len && off < p->pad) {
        n = HS_MIN(len, p->pad - off);
        memset(out, 0, n);
        out += n;
    }
    return (uint32_t)(out - (uint8_t *)dst);
}

uint32_t packet_copy(const Packet *p, uint32_t off, void *dst, uint32_t len)
{
    uint32_t n = packet_copy_raw(p, off, dst, len);
    uint8_t *out = dst;

    if (p->csum == PKT_CSUM_PARTIAL) {
        int64_t at =
            (int64_t)p->csum_at - p->head - off; /* in dst; it may lie before or behind what was asked for */
        uint16_t v = packet_csum_value(p);

        if (at >= 0 && at < n)
            out[at] = (uint8_t)(v >> 8);
        if (at + 1 >= 0 && at + 1 < n)
            out[at + 1] = (uint8_t)v;
    }
    return n;
}

bool packet_pullup(Packet *p, unsigned n)
{
    unsigned have = packet_header_len(p), need = n - have;
    PktSlice rest[PKT_SLICES];
    unsigned n_rest = 0;

    if (n <= have)
        return true;
    if (need > p->payload_len + p->pad)
        return false;
    if (p->head + n > PKT_BUF) {
        /* Slide the headers down; offsets into buf move with them. */
        unsigned by = p->head;
        if (n > PKT_BUF)
            return false;
        memmove(p->buf, p->buf + by, have);
        p->head = 0, p->tail -= by;
        p->l3 -= by, p->l4 -= by, p->csum_start -= by, p->csum_at -= by;
    }
    packet_copy_raw(p, have, p->buf + p->tail, need);
    p->tail += need;
    if (need > p->payload_len) { /* the padding too */
        p->pad -= need - p->payload_len;
        drop_payload(p);
        return true;
    }
    for (unsigned i = 0; i < p->n_slices; i++) {
        PktSlice s = p->slice[i];
        uint32_t cut = HS_MIN(need, s.len);

        need -= cut;
        if (cut == s.len) {
            pktchunk_unref(s.chunk);
            continue;
        }
        rest[n_rest++] = (PktSlice){s.chunk, s.off + cut, s.len - cut};
    }
    p->payload_len -= n - have;
    p->n_slices = (uint8_t)n_rest;
    memcpy(p->slice, rest, n_rest * sizeof *rest);
    return true;
}

void packet_trim(Packet *p, uint32_t n)
{
    uint32_t cut = packet_len(p) - n;
    uint32_t c = HS_MIN(cut, (uint32_t)p->pad);

    hs_assert(n <= packet_len(p));
    p->pad -= (uint8_t)c;
    cut -= c;
    if (cut) /* what the checksum covered is cut off: the field keeps the value that it had on the wire */
        packet_fill_csum(p);
    while (cut && p->n_slices) {
        PktSlice *s = &p->slice[p->n_slices - 1];

        c = HS_MIN(cut, s->len);
        s->len -= c, p->payload_len -= c, cut -= c;
        if (!s->len) {
            pktchunk_unref(s->chunk);
            p->n_slices--;
        }
    }
    p->tail -= (uint16_t)cut;
}

uint32_t packet_sum(const Packet *p, unsigned start, uint32_t len)
{
    uint32_t sum = 0, pos = 0, n;
    uint32_t off = 0;

    if (start < p->tail) {
        n = HS_MIN(len, (uint32_t)(p->tail - start));
        sum = checksum_add(0, p->buf + start, n);
        pos = n;
    } else {
        off = start - p->tail;
    }
    for (unsigned i = 0; i < p->n_slices && pos < len; i++) {
        const PktSlice *s = &p->slice[i];
        uint32_t part;

        if (off >= s->len) {
            off -= s->len;
            continue;
        }
        n = HS_MIN(len - pos, s->len - off);
        part =
            s->chunk ? checksum_add(0, s->chunk->bytes + s->off + off, n) : payload_checksum(s->off + off, n);
        part = checksum_fold(part);
        if (pos & 1) /* RFC 1071 2(B): a range at an odd offset contributes byte-swapped */
            part = (part >> 8 | part << 8) & 0xffff;
        sum = checksum_fold(sum) + part;
        pos += n;
        off = 0;
    }
    return sum;
}

uint16_t packet_csum_value_of_any(const Packet *p)
{
    uint16_t v = checksum_finish(packet_sum(p, p->csum_start, p->tail - p->csum_start + p->payload_len));

    /* RFC 768: a computed zero is sent as all ones, for 0 means "none". Only UDP's field has that meaning,
     * and only UDP's is six bytes into its header; in others a zero stays one, as RFC 1624 4 and hardware
     * have it. */
    return v || p->csum_at - p->csum_start != 6 ? v : 0xffff;
}

void packet_fill_csum(Packet *p)
{
    uint16_t v;

    if (p->csum != PKT_CSUM_PARTIAL)
        return;
    v = packet_csum_value(p);
    p->buf[p->csum_at] = (uint8_t)(v >> 8);
    p->buf[p->csum_at + 1] = (uint8_t)v;
    p->csum = PKT_CSUM_FULL;
}

void packet_materialise(Packet *p)
{
    uint32_t pad = p->pad;

    packet_fill_csum(p);
    if (p->payload_len + pad == 0)
        return;
    p->pad = 0;
    PktChunk *c = flatten(p, pad);
    memset(c->bytes + p->payload_len - pad, 0, pad);
}

uint32_t packet_fcs(const Packet *p)
{
    uint8_t frame[2048];
    uint32_t crc = 0;

    for (uint32_t off = 0, n; (n = packet_copy(p, off, frame, sizeof frame)); off += n)
        crc = checksum_crc32(crc, frame, n);
    return crc;
}

bool packet_fcs_ok(const Packet *p)
{
    return !(p->flags & PKT_HAS_FCS) || packet_fcs(p) == p->fcs;
}

void packet_flip_bit(Packet *p, uint32_t bit)
{
    uint32_t byte = bit / 8, hdr;

    hs_assert(p->ref == 1 && byte < packet_len(p));
    packet_materialise(p);
    if (!(p->flags & PKT_HAS_FCS)) {
        p->fcs = packet_fcs(p);
        p->flags |= PKT_HAS_FCS;
    }
    hdr = packet_header_len(p);
    if (byte < hdr)
        p->buf[p->head + byte] ^= (uint8_t)(0x80 >> (bit & 7));
    else
        p->slice[0].chunk->bytes[p->slice[0].off + byte - hdr] ^= (uint8_t)(0x80 >> (bit & 7));
}
