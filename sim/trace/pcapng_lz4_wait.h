/* Frames that wait to be written into a compressed capture. When a frame passes, only what will change is
 * copied: its headers and what describes it. Synthetic payload needs no copy. A whole batch is then put into
 * LZ4 in one loop: the simulation, whose code a first-level cache cannot hold beside ours, is in between only
 * once in a batch, the processor works at several frames at a time, and nothing waits for headers that were
 * stored a moment ago. */
#pragma once

#include <glib.h>
#include <string.h>

#include "sim/packet/packet.h"

/* Of headers that are copied in any case; and at most. */
#define PCAPNG_WAIT_HEADERS 80u
#define PCAPNG_WAIT_HEADERS_MAX 112u
#define PCAPNG_WAIT_SLACK 16u /* zeros that may be read behind them */
#define PCAPNG_WAIT_NO_ENDS PCAPNG_WAIT_HEADERS_MAX
/* Enough to make what is done once for all of them small, few enough to stay in a second-level cache. */
#define PCAPNG_WAIT_FRAMES 256u

typedef struct PcapngWaiting {         /* three cache lines */
    _Alignas(64) uint64_t payload_off; /* in the synthetic stream */
    uint32_t flow;                     /* for the writer: where it is likely to find the flow */
    uint32_t time_low;
    /* What must be the same in two frames, so that one's block is like the other's but for time, headers,
     * payload and packet id: PCAPNG_WAIT_LIKE_BYTES. The second half are the packet's, from `head` on. */
    uint32_t time_high;
    uint32_t iface, caplen, flags;
    uint16_t head, tail;
    uint32_t payload_len;
    uint8_t n_slices, csum, pkt_flags, pad;
    uint16_t l3, l4;
    uint16_t csum_start, csum_at;
    uint64_t packetid;
    uint8_t headers[PCAPNG_WAIT_HEADERS_MAX + PCAPNG_WAIT_SLACK];
} PcapngWaiting;

#define PCAPNG_WAIT_LIKE_BYTES 36u
#define PCAPNG_WAIT_SAME_BYTES 20u
#define PCAPNG_WAIT_LIKE_AT 16u
_Static_assert(sizeof(PcapngWaiting) == 192 && offsetof(PcapngWaiting, headers) == 64 &&
                   offsetof(PcapngWaiting, time_high) == PCAPNG_WAIT_LIKE_AT &&
                   offsetof(Packet, gso_size) - offsetof(Packet, head) == PCAPNG_WAIT_SAME_BYTES &&
                   offsetof(PcapngWaiting, head) ==
                       PCAPNG_WAIT_LIKE_AT + PCAPNG_WAIT_LIKE_BYTES - PCAPNG_WAIT_SAME_BYTES &&
                   offsetof(PcapngWaiting, packetid) >= PCAPNG_WAIT_LIKE_AT + PCAPNG_WAIT_LIKE_BYTES &&
                   offsetof(PcapngWaiting, l3) - offsetof(PcapngWaiting, head) ==
                       offsetof(Packet, l3) - offsetof(Packet, head) &&
                   offsetof(PcapngWaiting, csum_at) - offsetof(PcapngWaiting, head) ==
                       offsetof(Packet, csum_at) - offsetof(Packet, head),
               "the same members in the same order");

/* Payload that somebody may still change or release, headers that are long: these are written at once. */
static inline bool pcapng_wait_can(const Packet *p)
{
    return HS_LIKELY(p->n_slices == 0 || (p->n_slices == 1 && !p->slice[0].chunk)) &&
           HS_LIKELY(p->head + PCAPNG_WAIT_HEADERS <= PKT_BUF) &&
           HS_LIKELY(packet_header_len(p) <= PCAPNG_WAIT_HEADERS_MAX);
}

/* Where in the headers are IPv4's addresses, or the end of IPv6's destination, and the ports; twelve bytes,
 * or else zeros. */
static inline uint32_t pcapng_wait_ends_at(const PcapngWaiting *w)
{
    const int at = w->l4 - w->head - 8;

    return HS_LIKELY(at >= 0 && at + 12 <= w->tail - w->head) ? (uint32_t)at : PCAPNG_WAIT_NO_ENDS;
}

static inline const uint8_t *pcapng_wait_like(const PcapngWaiting *w)
{
    return (const uint8_t *)w + PCAPNG_WAIT_LIKE_AT;
}

/* Those who add, and what they fill; the first member of a PcapngLz4. */
typedef struct PcapngWaitQueue {
    PcapngWaiting *next, *end;
} PcapngWaitQueue;

/* All but the headers. */
static inline void pcapng_wait_describe(PcapngWaiting *w, const Packet *p, uint32_t iface, uint64_t time,
                                        uint32_t caplen, uint32_t flags, uint64_t packetid)
{
    w->time_low = (uint32_t)time;
    w->time_high = (uint32_t)(time >> 32);
    w->iface = iface;
    w->caplen = caplen;
    w->flags = flags;
    w->payload_off = p->slice[0].off;
    w->packetid = packetid;
    memcpy((uint8_t *)w + offsetof(PcapngWaiting, head), (const uint8_t *)p + offsetof(Packet, head),
           PCAPNG_WAIT_SAME_BYTES);
}

static inline void pcapng_wait_copy_headers(PcapngWaiting *w, const Packet *p)
{
    const uint8_t *headers = packet_cdata(p);

    memcpy(w->headers, headers, PCAPNG_WAIT_HEADERS);
    if (HS_UNLIKELY(packet_header_len(p) > PCAPNG_WAIT_HEADERS))
        memcpy(w->headers + PCAPNG_WAIT_HEADERS, headers + PCAPNG_WAIT_HEADERS,
               packet_header_len(p) - PCAPNG_WAIT_HEADERS);
}

/* As if it were still the packet, for those who only read. */
static inline void pcapng_wait_view(const PcapngWaiting *w, Packet *view)
{
    memset(view, 0, offsetof(Packet, buf));
    memcpy((uint8_t *)view + offsetof(Packet, head), (const uint8_t *)w + offsetof(PcapngWaiting, head),
           PCAPNG_WAIT_SAME_BYTES);
    view->slice[0] = (PktSlice){NULL, w->payload_off, w->payload_len};
    memcpy(view->buf + view->head, w->headers, (size_t)(w->tail - w->head));
}
