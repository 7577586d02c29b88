/* A growing ring of packets, first in first out: what most queue disciplines keep their packets in. An empty
 * one holds no memory. */
#pragma once

#include <glib.h>

#include "sim/packet/packet.h"

typedef struct PktRing {
    Packet **slot;           /* NULL: empty. A block of the packets' pool */
    uint32_t head, len, cap; /* cap: a power of two, or 0; kept while empty */
} PktRing;

#define PKTRING_MIN 16

/* Room for one more: a first block, or one of twice the size. */
static inline void pktring_grow(PktRing *r, PacketPool *pool)
{
    Blocks *b = packetpool_blocks(pool);
    uint32_t cap = r->slot ? 2 * r->cap : HS_MAX(r->cap, PKTRING_MIN);
    Packet **slot = blocks_take(b, cap * sizeof *slot);

    for (uint32_t i = 0; i < r->len; i++)
        slot[i] = r->slot[(r->head + i) & (r->cap - 1)];
    blocks_give(b, r->slot, r->cap * sizeof *slot);
    r->slot = slot;
    r->head = 0;
    r->cap = cap;
}

static inline void pktring_push(PktRing *r, Packet *p)
{
    if (HS_UNLIKELY(!r->slot || r->len == r->cap))
        pktring_grow(r, p->pool);
    r->slot[(r->head + r->len++) & (r->cap - 1)] = p;
}

static inline Packet *pktring_peek(const PktRing *r)
{
    return r->len ? r->slot[r->head] : NULL;
}

static inline Packet *pktring_pop(PktRing *r)
{
    Packet *p = pktring_peek(r);

    if (p) {
        r->head = (r->head + 1) & (r->cap - 1);
        r->len--;
        if (r->len == 0) {
            blocks_give(packetpool_blocks(p->pool), r->slot, r->cap * sizeof *r->slot);
            r->slot = NULL;
        } else if (r->len > 1) /* the next but one: the next comes too soon */
            packet_prefetch(r->slot[(r->head + 1) & (r->cap - 1)]);
    }
    return p;
}

static inline void pktring_clear(PktRing *r)
{
    Packet *p;

    while ((p = pktring_pop(r)))
        packet_unref(p);
    *r = (PktRing){0};
}
