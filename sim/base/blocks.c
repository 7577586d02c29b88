#include "sim/base/blocks.h"

#define SLAB_BYTES 4096

void blocks_init(Blocks *b)
{
    for (unsigned i = 0; i < BLOCKS_SIZES; i++) {
        size_t size = (size_t)BLOCKS_MIN << i;

        pool_init(&b->pool[i], size, size < SLAB_BYTES ? SLAB_BYTES / size : 1);
    }
}

void blocks_clear(Blocks *b)
{
    for (unsigned i = 0; i < BLOCKS_SIZES; i++)
        pool_clear(&b->pool[i]);
}

size_t blocks_bytes(const Blocks *b)
{
    size_t n = 0;

    for (unsigned i = 0; i < BLOCKS_SIZES; i++)
        n += b->pool[i].bytes;
    return n;
}

static Pool *pool_of(Blocks *b, size_t bytes)
{
    unsigned i = bytes <= BLOCKS_MIN
                     ? 0
                     : 64 - (unsigned)__builtin_clzll((unsigned long long)(bytes - 1) / BLOCKS_MIN);

    hs_assert(i < BLOCKS_SIZES);
    return &b->pool[i];
}

void *blocks_take(Blocks *b, size_t bytes)
{
    return pool_alloc(pool_of(b, bytes));
}

void blocks_give(Blocks *b, void *block, size_t bytes)
{
    if (block)
        pool_free(pool_of(b, bytes), block);
}
