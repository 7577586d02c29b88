/* A pool of objects of one size: what is freed last is handed out next (warm in the cache), and steady
 * traffic never reaches malloc. Slabs are only returned by pool_clear. Contents are not initialised. One
 * thread.
 *
 * Addresses come from the heap and differ from run to run: never let them order anything. Under
 * AddressSanitizer free objects are poisoned, so a use after free is reported as if each object came from
 * malloc. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sim/base/base.h"

#if defined(__SANITIZE_ADDRESS__)
#define POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ASAN 1
#endif
#endif
#ifndef POOL_ASAN
#define POOL_ASAN 0
#endif

#if POOL_ASAN
#include <sanitizer/asan_interface.h>
#define POOL_POISON(p, n) __asan_poison_memory_region(p, n)
#define POOL_UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define POOL_POISON(p, n) ((void)(p), (void)(n))
#define POOL_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define POOL_CACHELINE 64

typedef struct PoolFree {
    struct PoolFree *next;
} PoolFree;

typedef struct PoolSlab PoolSlab;

typedef struct Pool {
    PoolFree *free;
    size_t stride; /* object size rounded up to the alignment */
    size_t live;   /* objects handed out now */
    size_t peak;   /* most that ever were */
    size_t objects_per_slab;
    size_t align;
    size_t slabs;
    size_t bytes; /* taken from the heap, headers included */
    PoolSlab *slab_list;
} Pool;

/* Objects are aligned for any C type (16 bytes). */
void pool_init(Pool *pool, size_t object_size, size_t objects_per_slab);

/* align is a power of two, at least 8 (then without long double); POOL_CACHELINE gives each object cache
 * lines of its own. */
void pool_init_aligned(Pool *pool, size_t object_size, size_t objects_per_slab, size_t align);

/* Gives all memory back, objects still live included; the pool stays usable and its peak is kept. */
void pool_clear(Pool *pool);

void pool_grow(Pool *pool);

static inline void *pool_alloc(Pool *pool)
{
    if (HS_UNLIKELY(pool->free == NULL))
        pool_grow(pool);

    PoolFree *object = pool->free;
    POOL_UNPOISON(object, pool->stride);
    pool->free = object->next;
    pool->live++;
    if (pool->live > pool->peak)
        pool->peak = pool->live;
    return object;
}

/* object comes from this pool, or is NULL. */
static inline void pool_free(Pool *pool, void *object)
{
    PoolFree *f = object;

    if (f == NULL)
        return;
    hs_assert(pool->live > 0);
    f->next = pool->free;
    pool->free = f;
    pool->live--;
    POOL_POISON(object, pool->stride);
}
