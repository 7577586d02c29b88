#include "sim/base/poolset.h"

#include <glib.h>
#include <string.h>

struct PoolSetEntry {
    struct PoolSetEntry *next;
    const char *name;
    size_t object_size;
    Pool pool;
    void *one;
};

static Pool *get(PoolSet *set, const char *name, size_t object_size, size_t objects_per_slab, size_t align)
{
    struct PoolSetEntry *e;

    for (e = set->head; e; e = e->next)
        if (strcmp(e->name, name) == 0) {
            hs_assert(e->object_size == object_size);
            return &e->pool;
        }
    e = g_new0(struct PoolSetEntry, 1);
    e->name = name;
    e->object_size = object_size;
    pool_init_aligned(&e->pool, object_size, objects_per_slab, align);
    e->next = set->head;
    set->head = e;
    return &e->pool;
}

Pool *poolset_get(PoolSet *set, const char *name, size_t object_size, size_t objects_per_slab)
{
    return get(set, name, object_size, objects_per_slab, 16);
}

Pool *poolset_get_aligned(PoolSet *set, const char *name, size_t object_size, size_t objects_per_slab)
{
    return get(set, name, object_size, objects_per_slab, POOL_CACHELINE);
}

void *poolset_one(PoolSet *set, const char *name, size_t object_size)
{
    Pool *pool = get(set, name, object_size, 1, 16);
    struct PoolSetEntry *e = HS_CONTAINER_OF(pool, struct PoolSetEntry, pool);

    if (!e->one)
        e->one = memset(pool_alloc(pool), 0, object_size);
    return e->one;
}

size_t poolset_bytes(const PoolSet *set, const char *prefix)
{
    size_t n = 0;

    for (const struct PoolSetEntry *e = set->head; e; e = e->next)
        if (g_str_has_prefix(e->name, prefix))
            n += e->pool.bytes;
    return n;
}

void poolset_clear(PoolSet *set)
{
    for (struct PoolSetEntry *e = set->head, *next; e; e = next) {
        next = e->next;
        pool_clear(&e->pool);
        g_free(e);
    }
    set->head = NULL;
}
