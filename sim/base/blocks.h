/* Blocks of 64, 128, 256 … bytes for rings that come and go: what a queue fills for a moment and gives back
 * when it is empty serves the next one, which may be another host's. A pool (sim/base/pool.h) for each size:
 * last given, first taken; nothing reaches malloc once every size has been there. */
#pragma once

#include "sim/base/pool.h"

#define BLOCKS_MIN 64
#define BLOCKS_SIZES 24 /* up to 512 MiB */

typedef struct Blocks {
    Pool pool[BLOCKS_SIZES];
} Blocks;

void blocks_init(Blocks *b);
void blocks_clear(Blocks *b); /* blocks still taken included */
size_t blocks_bytes(const Blocks *b);

/* A block of at least so many bytes; contents are not initialised. */
void *blocks_take(Blocks *b, size_t bytes);
/* With the same number of bytes. NULL is allowed. */
void blocks_give(Blocks *b, void *block, size_t bytes);
