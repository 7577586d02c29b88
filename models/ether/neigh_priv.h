/* What the two halves of the neighbour cache share: neigh.c (the states) and neigh_table.c (where entries
 * live). */
#pragma once

#include "models/ether/neigh.h"

struct NeighBody {
    Neigh **slot; /* open addressing, linear probing; cap is a power of two */
    uint32_t cap, len;
    bool own_params;
    SimTime reachable_time, last_draw, last_gc;
    struct Rng *rng;
    NeighStats stats;
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
