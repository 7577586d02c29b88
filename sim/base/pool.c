#include "sim/base/pool.h"

#include <glib.h>

struct PoolSlab {
    PoolSlab *next;
};

void pool_init(Pool *pool, size_t object_size, size_t objects_per_slab)
{
    pool_init_aligned(pool, object_size, objects_per_slab, 16);
}

void pool_init_aligned(Pool *pool, size_t object_size, size_t objects_per_slab, size_t align)
{
    hs_assert(object_size > 0);
    hs_assert(objects_per_slab > 0);
    hs_assert(align >= sizeof(PoolSlab));
    hs_assert((align & (align - 1)) == 0);
    *pool = (Pool){
        .stride = (object_size + align - 1) & ~(align - 1),
        .objects_per_slab = objects_per_slab,
        .align = align,
    };
    hs_assert(pool->stride >= object_size);
    hs_assert(objects_per_slab <= (SIZE_MAX - align) / pool->stride);
}

/* The slab's header takes one alignment unit, the objects follow; the first object of a new slab is handed
 * out first. */
void pool_grow(Pool *pool)
{
    size_t size = pool->align + pool->stride * pool->objects_per_slab;
    PoolSlab *slab = g_aligned_alloc(1, size, pool->align);
    char *objects = (char *)slab + pool->align;

    slab->next = pool->slab_list;
    pool->slab_list = slab;
    pool->slabs++;
    pool->bytes += size;
    for (size_t i = pool->objects_per_slab; i-- > 0;) {
        PoolFree *f = (PoolFree *)(objects + i * pool->stride);
        f->next = pool->free;
        pool->free = f;
        POOL_POISON(f, pool->stride);
    }
}

void pool_clear(Pool *pool)
{
    while (pool->slab_list != NULL) {
        PoolSlab *slab = pool->slab_list;
        pool->slab_list = slab->next;
        POOL_UNPOISON((char *)slab + pool->align, pool->stride * pool->objects_per_slab);
        g_aligned_free(slab);
    }
    pool->free = NULL;
    pool->live = 0;
    pool->slabs = 0;
    pool->bytes = 0;
}
