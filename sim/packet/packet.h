/* A frame on its way through a simulated network.
 *
 *   buf: |  headroom  | headers: head .. tail |  room  |
 *   then by reference: slice[0], slice[1]; then `pad` zeros
 *
 * Headers are pushed and pulled by moving `head`; they are never copied. The payload is referenced, never
 * copied, until somebody needs its bytes (a capture, a corrupting link, a reader).
 *
 * Sharing. packet_ref gives another reference to the same frame: everybody who holds a shared packet only
 * reads it. Whoever wants to change anything (a header byte, `head`, a mark) calls packet_own first, which
 * returns the packet itself when nobody else holds it, and a copy of its headers with the same payload
 * otherwise. A flooded broadcast is therefore one packet in many hands.
 *
 * Checksums are lazy, as with hardware offload (Linux CHECKSUM_PARTIAL): csum == PKT_CSUM_PARTIAL says that
 * the 16 bits at csum_at hold only the folded pseudo-header sum, and that the rest, from csum_start to the
 * end of the payload, is to be added and complemented by whoever needs the true value. Until a frame is
 * corrupted such a checksum is right by definition, and a receiver does not verify it. packet_copy (what
 * captures use) always gives true bytes.
 *
 * Packets come from a pool per partition; a pool recycles last-in first-out. */
#pragma once

#include "sim/base/blocks.h"
#include "sim/base/base.h"
#include "sim/base/pool.h"
#include "sim/base/simtime.h"
#include "sim/packet/checksum.h"
#include "sim/packet/payload.h"

typedef struct Packet Packet;
typedef struct PacketPool PacketPool;

#define PKT_BUF 192         /* headers of all layers, outermost to innermost, with their options */
#define PKT_SLICES 2        /* a segment that spans two writes; more are flattened into one new chunk */
#define PKT_MAX_LEN 0x10000 /* headers + payload of the largest IP datagram fit */

enum { PKT_CSUM_FULL = 0, PKT_CSUM_PARTIAL = 1 };

enum {
    PKT_HAS_FCS = 1 << 0,   /* fcs holds the check sequence that was on the wire: compare before trusting */
    PKT_BROADCAST = 1 << 1, /* link-layer destination, set by the receiving device (Linux pkt_type) */
    PKT_MULTICAST = 1 << 2,
    PKT_OTHERHOST = 1 << 3, /* promiscuous reception: for somebody else */
    PKT_LOOPBACK = 1 << 4,
    PKT_FORWARDED = 1 << 5, /* passed through a router's forwarding path on this node */
    PKT_ACCECN = 1 << 6,    /* a super packet whose CWR counts for accurate ECN: each frame carries it (Linux
                               SKB_GSO_TCP_ACCECN) */
};

struct Packet {
    PacketPool *pool;
    uint32_t ref;
    uint16_t head, tail; /* offsets in buf */
    uint32_t payload_len;
    uint8_t n_slices;
    uint8_t csum;
    uint8_t flags;
    uint8_t pad; /* zero bytes after the payload (Ethernet minimum) */
    uint16_t l3,
        l4; /* offsets in buf of the network and transport headers, set by whoever parses or builds them */
    uint16_t csum_start, csum_at; /* offsets in buf; valid when csum is PARTIAL */
    /* A TCP super packet on its way to a device that cuts it into frames (TSO), or as one that put frames
     * together hands it up (GRO): payload bytes of each frame but the last, and how many. 0: one frame. */
    uint16_t gso_size, gso_segs;
    uint32_t fcs;
    uint32_t birth_node; /* where it was made, and its number there: survives forwarding, cloning, NAT */
    uint64_t birth_id;
    SimTime stamp; /* for whoever holds the packet: a queue's time of arrival */
    uint64_t cb;   /* likewise: scratch of the holder (receiving interface, mark, …) */
    PktSlice slice[PKT_SLICES];
    uint8_t buf[PKT_BUF];
};

PacketPool *packetpool_new(void);
void packetpool_free(PacketPool *pool); /* every packet must have been released */
/* Figures for --stats and for the test that counts allocations: packets live now, at most, and slabs taken so
 * far. */
typedef struct PacketPoolInfo {
    uint64_t live, peak, slabs, bytes;
} PacketPoolInfo;
void packetpool_get_info(const PacketPool *pool, PacketPoolInfo *info);
/* Room for rings of packets (links, queues) while there are packets in them. */
Blocks *packetpool_blocks(PacketPool *pool);

/* An empty packet with `headroom` bytes free before head. */
Packet *packet_new(PacketPool *pool, uint32_t birth_node, uint64_t birth_id, unsigned headroom);
/* Default headroom: room for everything below the transport header (Ethernet + VLAN + IP with options). */
#define PKT_HEADROOM 96

static inline Packet *packet_ref(Packet *p)
{
    p->ref++;
    return p;
}
void packet_unref(Packet *p); /* NULL is allowed */
/* Takes the caller's reference, returns one to a packet that nobody else holds. */
Packet *packet_own_shared(Packet *p);
static inline Packet *packet_own(Packet *p)
{
    return HS_LIKELY(p->ref == 1) ? p : packet_own_shared(p);
}
/* A new packet with the same headers, payload and birth; the caller keeps its reference to p. */
Packet *packet_clone(const Packet *p);

/* Headers */
static inline uint8_t *packet_data(Packet *p)
{
    return p->buf + p->head;
}
static inline const uint8_t *packet_cdata(const Packet *p)
{
    return p->buf + p->head;
}
/* It will be looked at soon: meta data, slices, and the headers behind the usual head room, from wherever a
 * long queue has let them sink. */
static inline void packet_prefetch(const Packet *p)
{
    for (unsigned at = 0; at < 256; at += 64)
        __builtin_prefetch((const char *)p + at, 1);
}

static inline unsigned packet_header_len(const Packet *p) /* bytes in buf */
{
    return p->tail - p->head;
}
static inline uint32_t packet_len(const Packet *p) /* the frame as it stands, without FCS */
{
    return p->tail - p->head + p->payload_len + p->pad;
}
static inline uint8_t *packet_push(Packet *p, unsigned n)
{
    hs_assert(p->head >= n);
    p->head -= n;
    return p->buf + p->head;
}
static inline uint8_t *packet_pull(Packet *p, unsigned n)
{
    hs_assert(packet_header_len(p) >= n);
    p->head += n;
    return p->buf + p->head;
}
/* Appends n bytes to the header area (before any payload is attached) and returns where they go. */
static inline uint8_t *packet_put(Packet *p, unsigned n)
{
    uint8_t *at = p->buf + p->tail;

    hs_assert(p->tail + n <= PKT_BUF && p->payload_len == 0);
    p->tail += n;
    return at;
}
/* Makes sure that the first n bytes of the frame are in buf, moving payload bytes in if need be (a frame from
 * outside, a reassembled datagram). false: the frame is shorter than n, or n bytes do not fit. Needs an owned
 * packet. */
bool packet_pullup(Packet *p, unsigned n);
/* Cuts the frame to its first n bytes (padding first, then payload, then headers). n <= packet_len. A PARTIAL
 * checksum over bytes that go is filled in before. Needs an owned packet. */
void packet_trim(Packet *p, uint32_t n);

/* Payload. The packet takes its own reference to the chunk. Adjoining slices are joined. */
void packet_add_slice(Packet *p, const PktSlice *s);
static inline void packet_add_synthetic(Packet *p, uint64_t off, uint32_t len)
{
    packet_add_slice(p, &(PktSlice){NULL, off, len});
}
void packet_add_bytes(Packet *p, const void *bytes, size_t len); /* copies into a new chunk */
/* Appends the payload range [off, off+len) of src (counted from the end of src's header area). */
void packet_add_payload_of(Packet *p, const Packet *src, uint32_t off, uint32_t len);
/* A packet from plain bytes: as many of them as fit in buf, the others as payload. */
Packet *packet_from_bytes(PacketPool *pool, uint32_t birth_node, uint64_t birth_id, const uint8_t *bytes,
                          size_t len);

/* Reading. Copies len bytes from offset off (0 = head) of the true frame: padding included and a PARTIAL
 * checksum filled in, in the copy only. Returns how many bytes there were. */
uint32_t packet_copy(const Packet *p, uint32_t off, void *dst, uint32_t len);
/* The same without filling in a checksum: payload for applications. */
uint32_t packet_copy_raw(const Packet *p, uint32_t off, void *dst, uint32_t len);

/* Checksums. Partial one's-complement sum over len bytes from absolute buffer offset `start` (in buf),
 * payload included. */
uint32_t packet_sum(const Packet *p, unsigned start, uint32_t len);
/* Marks the checksum at csum_at (offset in buf) as to be computed over [start, end of payload); the field
 * must already hold the folded, uncomplemented pseudo-header sum. */
static inline void packet_set_csum_partial(Packet *p, unsigned start, unsigned at)
{
    p->csum = PKT_CSUM_PARTIAL;
    p->csum_start = (uint16_t)start;
    p->csum_at = (uint16_t)at;
}
/* What a PARTIAL checksum field would have to hold. */
uint16_t packet_csum_value_of_any(const Packet *p);
static inline uint16_t packet_csum_value(const Packet *p)
{
    unsigned n = p->tail - p->csum_start;
    uint32_t sum;
    uint16_t v;

    /* What most packets are: a header in words, one piece of synthetic payload or none. */
    if (HS_UNLIKELY(n % 4 || n > PKT_BUF || p->n_slices > 1 || (p->n_slices && p->slice[0].chunk)))
        return packet_csum_value_of_any(p);
    sum = checksum_add_words(0, p->buf + p->csum_start, n);
    if (p->n_slices)
        sum = checksum_combine(sum, payload_checksum(p->slice[0].off, p->slice[0].len));
    v = checksum_finish(sum);
    return HS_LIKELY(v) ? v : packet_csum_value_of_any(p);
}
/* Writes it and makes the packet FULL. Needs an owned packet. */
void packet_fill_csum(Packet *p);
/* Everything becomes real bytes: checksum filled in, payload (and padding) in one private chunk. Needs an
 * owned packet. */
void packet_materialise(Packet *p);
/* Flips one bit of the frame (bit 0 = the top bit of the first byte), as a bad cable does: records the check
 * sequence that was sent (PKT_HAS_FCS) unless there is one already. Needs an owned packet. */
void packet_flip_bit(Packet *p, uint32_t bit);
/* The Ethernet FCS over the true frame. */
uint32_t packet_fcs(const Packet *p);
/* false: the frame carries an FCS and it does not match. */
bool packet_fcs_ok(const Packet *p);
