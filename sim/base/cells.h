/* Small objects that live as long as a host does: many of them, of few sizes, whose owner knows the size when
 * it gives one back. Malloc takes 8 bytes for its own use and rounds up to 16; 100 000 hosts of 16 objects
 * each pay for that. Here an object takes its size, rounded up to 8, out of slabs of a page
 * (sim/base/pool.h): one pool for each size, last given, first taken.
 *
 * Cells are aligned to 8 bytes: pointers, 64-bit integers and doubles, not long double. What is larger than
 * CELLS_MAX comes from malloc. Under AddressSanitizer everything does, so that leaks are seen. */
#pragma once

#include "sim/base/pool.h"

#define CELLS_STEP 8
#define CELLS_MAX 512

typedef struct Cells {
    Pool pool[CELLS_MAX / CELLS_STEP]; /* pool[i]: objects of (i + 1) * CELLS_STEP bytes */
} Cells;

void cells_init(Cells *c);
void cells_clear(Cells *c);         /* cells still taken included; what came from malloc is its owner's */
size_t cells_bytes(const Cells *c); /* taken from the heap for cells, free ones included */

/* A cell of so many bytes (not 0), zeroed. */
void *cells_take(Cells *c, size_t bytes);
/* With the same number of bytes. NULL is allowed. */
void cells_give(Cells *c, void *cell, size_t bytes);
