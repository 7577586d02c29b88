#include "sim/base/cells.h"

#include <glib.h>
#include <string.h>

#define SLAB_BYTES 4080 /* with malloc's own word still within a page */

void cells_init(Cells *c)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(c->pool); i++) {
        size_t size = (i + 1) * (size_t)CELLS_STEP;

        pool_init_aligned(&c->pool[i], size, (SLAB_BYTES - CELLS_STEP) / size, CELLS_STEP);
    }
}

void cells_clear(Cells *c)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(c->pool); i++)
        pool_clear(&c->pool[i]);
}

size_t cells_bytes(const Cells *c)
{
    size_t n = 0;

    for (unsigned i = 0; i < HS_ARRAY_LEN(c->pool); i++)
        n += c->pool[i].bytes;
    return n;
}

static Pool *pool_of(Cells *c, size_t bytes)
{
    hs_assert(bytes > 0);
    return bytes <= CELLS_MAX && !POOL_ASAN ? &c->pool[(bytes - 1) / CELLS_STEP] : NULL;
}

void *cells_take(Cells *c, size_t bytes)
{
    Pool *pool = pool_of(c, bytes);

    return pool ? memset(pool_alloc(pool), 0, bytes) : g_malloc0(bytes);
}

void cells_give(Cells *c, void *cell, size_t bytes)
{
    Pool *pool = pool_of(c, bytes);

    if (pool)
        pool_free(pool, cell);
    else
        g_free(cell);
}
