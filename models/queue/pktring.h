/* A growing ring of packets, first in first out: what most queue disciplines keep their packets in. */
#pragma once

#include <glib.h>

#include "sim/packet/packet.h"

typedef struct PktRing {
    Packet **slot;
    uint32_t head, len, cap; /* cap: a power of two, or 0 */
} PktRing;

static inline void pktring_push(PktRing *r, Packet *p)
{
    if (HS_UNLIKELY(r->len == r->cap)) {
        uint32_t cap = r->cap ? 2 * r->cap : 16;
        Packet **slot = g_new(Packet *, cap);

        for (uint32_t i = 0; i < r->len; i++)
            slot[i] = r->slot[(r->head + i) & (r->cap - 1)];
        g_free(r->slot);
        r->slot = slot;
        r->head = 0;
        r->cap = cap;
    }
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
        if (r->len > 1) /* the next but one: the next comes too soon */
            packet_prefetch(r->slot[(r->head + 1) & (r->cap - 1)]);
    }
    return p;
}

static inline void pktring_clear(PktRing *r)
{
    Packet *p;

    while ((p = pktring_pop(r)))
        packet_unref(p);
    g_free(r->slot);
    *r = (PktRing){0};
}
