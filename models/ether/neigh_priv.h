/* What the two halves of the neighbour cache share: neigh.c (the states) and neigh_table.c (where entries
 * live). */
#pragma once

#include "models/ether/neigh.h"

/* What an entry has while it asks, or is about to: its timer, and the packets that wait for the answer. */
struct NeighWait {
    Timer timer;
    Neigh *neigh;
    /* Only if neigh->has_queue, that is, while INCOMPLETE and soon after: */
    Packet *last; /* a ring chained by Packet.cb, last->cb is the first; NULL: none */
    uint32_t queued_bytes;
};

typedef struct NeighTrouble { /* what most tables never see; the counts as in NeighStats */
    SimTime last_gc;
    uint32_t res_failed, unresolved_discards, forced_gc_runs, table_fulls;
} NeighTrouble;

struct NeighBody {
    union {
        Neigh *one;   /* cap is 1: most devices have one neighbour */
        Neigh **many; /* open addressing, linear probing; cap is a power of two */
    } slot;
    uint32_t cap, len;
    SimTime reachable_time, last_draw;
    NeighTrouble *trouble; /* NULL: none yet */
    uint64_t lookups, hits;
    uint32_t allocs;
    bool own_params;
};
_Static_assert(sizeof(NeighBody) <= 64, "NeighBody has grown: each interface in use has one");

static inline size_t neigh_size(unsigned key_len)
{
    return offsetof(Neigh, key) + key_len;
}

static inline SimTime neigh_now(const NeighTable *t)
{
    return node_now(t->dev->node);
}

/* neigh.c */
void neigh_on_timer(Timer *timer);
NeighTrouble *neightable_trouble(NeighTable *t); /* made when first needed */
void neigh_catch_up(Neigh *n);                   /* the steps that are due without an event */
void neigh_emit_state(Neigh *n, NeighState old, SimTime due);
void neigh_bury(Neigh *n); /* takes timer and queue from an entry that leaves the table */
