/* What the two halves of the neighbour cache share: neigh.c (the states) and neigh_table.c (where entries
 * live). */
#pragma once

#include "models/ether/neigh.h"

typedef struct NeighCounts { /* as in NeighStats */
    uint64_t lookups, hits;
    uint32_t allocs, res_failed, unresolved_discards, forced_gc_runs, table_fulls;
} NeighCounts;

#define NEIGH_FEW 2 /* most devices have one neighbour */
struct NeighBody {
    Neigh **slot; /* open addressing, linear probing; cap is a power of two; at first `few` */
    uint32_t cap, len;
    SimTime reachable_time, last_draw, last_gc;
    struct Rng *rng;
    NeighCounts stats;
    bool own_params;
    Neigh *few[NEIGH_FEW];
};

static inline SimTime neigh_now(const NeighTable *t)
{
    return node_now(t->dev->node);
}

/* neigh.c */
void neigh_on_timer(Timer *timer);
void neigh_catch_up(Neigh *n); /* the steps that are due without an event */
void neigh_emit_state(Neigh *n, NeighState old, SimTime due);
void neigh_bury(Neigh *n); /* takes timer and queue from an entry that leaves the table */
