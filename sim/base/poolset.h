/* The pools that all hosts of a partition share, by name: what a thousand hosts use by turns is taken from
 * the heap once, and stays warm in the cache. Look a pool up once and keep the pointer: it lives as long as
 * the set. */
#pragma once

#include "sim/base/pool.h"

typedef struct PoolSet {
    struct PoolSetEntry *head;
} PoolSet;

/* The pool of that name, made at the first call; a name always comes with the same size. The name is not
 * copied. */
Pool *poolset_get(PoolSet *set, const char *name, size_t object_size, size_t objects_per_slab);
/* Likewise; each object has cache lines of its own. */
Pool *poolset_get_aligned(PoolSet *set, const char *name, size_t object_size, size_t objects_per_slab);
/* Not a pool but one object, zeroed when it is made: what all hosts of the partition share. It must not own
 * anything. */
void *poolset_one(PoolSet *set, const char *name, size_t object_size);
/* Memory of the pools whose name begins so, in bytes taken from the heap. */
size_t poolset_bytes(const PoolSet *set, const char *prefix);
/* Gives everything back, objects still live included. */
void poolset_clear(PoolSet *set);
