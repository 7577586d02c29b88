/* The register of a simulation's random streams, by (node's name, purpose). A stream that is seldom drawn
 * from is kept as the number of its draws: the state (sim/base/rng.h) follows from the names and is found
 * again, which costs some draws. A large network has a few streams for each host, most of them drawn from
 * once or twice. */
#pragma once

#include <glib.h>

#include "sim/base/cells.h"
#include "sim/base/rng.h"

typedef struct Stream Stream;

typedef struct Streams {
    uint64_t seed;
    Cells *cells;
    Stream **bucket;       /* chained; for look-ups only */
    uint32_t n, n_buckets; /* buckets: 0 or a power of two */
    GPtrArray *purposes;   /* each once; a stream holds the index */
    GHashTable *purpose_index;
} Streams;

void streams_init(Streams *s, uint64_t seed, Cells *cells);
void streams_clear(Streams *s); /* before the cells */

/* The names are kept by pointer: they live as long as the register. */
Rng *streams_get(Streams *s, const char *node, const char *purpose);
/* 0: any 64 bits. */
uint64_t streams_draw(Streams *s, const char *node, const char *purpose, uint64_t below);
uint64_t streams_pass(Streams *s, const char *node, const char *purpose, unsigned count);
/* A hash of all states, in the order of the names: sim_unseed. */
uint64_t streams_hash(const Streams *s);
