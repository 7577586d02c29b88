/* Frames that wait to be written into a compressed capture. When a frame passes, only what will change is
 * copied: its headers and what describes it. Synthetic payload needs no copy. A whole batch is then put into
 * LZ4 in one loop: the simulation, whose code a first-level cache cannot hold beside ours, is in between only
 * once in a batch, the processor works at several frames at a time, and nothing waits for headers that were
 * stored a moment ago.
 *
 * What is done when a frame passes is done in caches full of the simulation: few instructions, in few lines
 * of code, and two cache lines of data. Everything else is left to the batch. */
#pragma once

#include <glib.h>
#include <string.h>

#include "sim/packet/packet.h"

/* Of headers that are copied in any case. Longer ones go on in the next frame's place. */
#define PCAPNG_WAIT_HEADERS 80u
/* Enough to make what is done once for all of them small, few enough to stay in a second-level cache. */
#define PCAPNG_WAIT_FRAMES 256u
/* Interfaces with larger numbers do not wait. */
#define PCAPNG_WAIT_IFACES (1u << 24)

typedef struct PcapngWaiting { /* two cache lines */
    /* What must be the same in two frames, so that one's block is like the other's but for time, headers,
     * payload and packet id: PCAPNG_WAIT_LIKE_BYTES. The first of them are the packet's, from `head` on. */
    _Alignas(64) uint16_t head;
    uint16_t tail;
    uint32_t payload_len;
    uint8_t n_slices, csum, pkt_flags, pad;
    uint16_t l3, l4;
    uint16_t csum_start, csum_at;
    uint32_t where; /* pcapng_wait_where */
    uint32_t time_high;
    uint32_t time_low;
    union {
        uint64_t payload_off;     /* in the synthetic stream */
        struct {                  /* then, when its batch is being written: */
            uint32_t payload_sum; /* payload_checksum */
            uint16_t flow;        /* where it is likely to be found */
            uint8_t residue;      /* of the offset */
        };
    };
    uint64_t packetid;
    uint8_t headers[PCAPNG_WAIT_HEADERS];
} PcapngWaiting;

#define PCAPNG_WAIT_LIKE_BYTES 28u
#define PCAPNG_WAIT_SAME_BYTES 20u
_Static_assert(sizeof(PcapngWaiting) == 128 && offsetof(PcapngWaiting, headers) == 48 &&
                   offsetof(PcapngWaiting, where) == PCAPNG_WAIT_SAME_BYTES &&
                   offsetof(PcapngWaiting, time_low) == PCAPNG_WAIT_LIKE_BYTES &&
                   offsetof(Packet, gso_size) - offsetof(Packet, head) == PCAPNG_WAIT_SAME_BYTES &&
                   offsetof(PcapngWaiting, l3) == offsetof(Packet, l3) - offsetof(Packet, head) &&
                   offsetof(PcapngWaiting, csum_at) == offsetof(Packet, csum_at) - offsetof(Packet, head) &&
                   PKT_BUF <= PCAPNG_WAIT_HEADERS + sizeof(PcapngWaiting) && PAYLOAD_PERIOD <= 256,
               "the same members in the same order, and room for them");

/* Interface and flags in one; the latter's lower byte only, which is what is said of usual packets. */
static inline uint32_t pcapng_wait_where(uint32_t iface, uint32_t flags)
{
    return iface | flags << 24;
}

static inline uint32_t pcapng_wait_iface(uint32_t where)
{
    return where & (PCAPNG_WAIT_IFACES - 1);
}

static inline uint32_t pcapng_wait_flags(uint32_t where)
{
    return where >> 24;
}

/* Not if somebody may still change or release the payload: these are written at once. (A packet that has lost
 * its payload may look as if it had some; no harm is done.) */
static inline bool pcapng_wait_can(const Packet *p)
{
    return !((p->n_slices > 1) | (p->slice[0].chunk != NULL) | (p->head + PCAPNG_WAIT_HEADERS > PKT_BUF));
}

static inline PcapngWaiting *pcapng_wait_next(const PcapngWaiting *w)
{
    return (PcapngWaiting *)w + 1 + (w->tail - w->head > (int)PCAPNG_WAIT_HEADERS);
}

static inline const uint8_t *pcapng_wait_like(const PcapngWaiting *w)
{
    return (const uint8_t *)w;
}

/* Those who add, and what they fill; the first member of a PcapngLz4. Behind `end` is room for one more. */
typedef struct PcapngWaitQueue {
    PcapngWaiting *next, *end;
} PcapngWaitQueue;

/* All but the headers. */
static inline void pcapng_wait_describe(PcapngWaiting *w, const Packet *p, uint32_t where, uint64_t time,
                                        uint64_t packetid)
{
    const uint64_t upper_first = G_BYTE_ORDER == G_LITTLE_ENDIAN ? time << 32 | time >> 32 : time;

    _Static_assert(offsetof(PcapngWaiting, time_low) == offsetof(PcapngWaiting, time_high) + 4, "one store");
    memcpy(w, (const uint8_t *)p + offsetof(Packet, head), PCAPNG_WAIT_SAME_BYTES);
    w->where = where;
    memcpy(&w->time_high, &upper_first, 8);
    w->payload_off = p->slice[0].off;
    w->packetid = packetid;
}

/* Returns the next place. */
static inline PcapngWaiting *pcapng_wait_put(PcapngWaiting *w, const Packet *p, uint32_t where, uint64_t time,
                                             uint64_t packetid)
{
    const uint8_t *headers = packet_cdata(p);
    const unsigned n = packet_header_len(p);

    pcapng_wait_describe(w, p, where, time, packetid);
    memcpy(w->headers, headers, PCAPNG_WAIT_HEADERS);
    if (HS_UNLIKELY(n > PCAPNG_WAIT_HEADERS))
        memcpy(++w, headers + PCAPNG_WAIT_HEADERS, n - PCAPNG_WAIT_HEADERS);
    return w + 1;
}

/* As if it were still the packet, for those who only read; w's batch is being written. */
static inline void pcapng_wait_view(const PcapngWaiting *w, Packet *view)
{
    memset(view, 0, offsetof(Packet, buf));
    memcpy((uint8_t *)view + offsetof(Packet, head), w, PCAPNG_WAIT_SAME_BYTES);
    view->slice[0] = (PktSlice){NULL, w->residue, w->payload_len};
    memcpy(view->buf + view->head, (const uint8_t *)w + offsetof(PcapngWaiting, headers),
           (size_t)(w->tail - w->head));
}
