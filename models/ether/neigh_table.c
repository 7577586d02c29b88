/* Where neighbour entries live: a small hash table for each device, nothing before the first entry, and the
 * collection of what is no longer used (Linux net/core/neighbour.c: neigh_alloc, neigh_forced_gc,
 * neigh_periodic_work). There is no periodic work: stale entries are collected when the table grows. */
#include <glib.h>
#include <string.h>

#include "models/ether/neigh_priv.h"

#define CAP_MIN 4                    /* of more than one entry */
#define FORCED_GC_KEEP (5 * SIM_SEC) /* neigh_alloc: gc_thresh2 is enforced at most so often */

void neightable_init(NeighTable *t, NetDev *dev, const NeighOps *ops)
{
    hs_assert(ops->key_len == 4 || ops->key_len == 16);
    *t = (NeighTable){.dev = dev, .ops = ops, .params = &neigh_params_default};
}

static Cells *cells_of(const NeighTable *t)
{
    return &t->dev->node->part->cells;
}

static NeighBody *body_of(NeighTable *t)
{
    if (!t->body) {
        t->body = cells_take(cells_of(t), sizeof *t->body);
        t->body->cap = 1;
    }
    return t->body;
}

NeighTrouble *neightable_trouble(NeighTable *t)
{
    NeighBody *b = body_of(t);

    if (!b->trouble)
        b->trouble = cells_take(cells_of(t), sizeof *b->trouble);
    return b->trouble;
}

NeighParams *neightable_params(NeighTable *t)
{
    NeighBody *b = body_of(t);

    if (!b->own_params) {
        t->params = g_memdup2(t->params, sizeof *t->params);
        b->own_params = true;
    }
    b->reachable_time = 0; /* neigh_proc_base_reachable_time: drawn anew at a change */
    return (NeighParams *)t->params;
}

/* ---- the table ---- */

static uint32_t hash_key(const NeighTable *t, const void *key)
{
    uint64_t k[2] = {0, 0};

    memcpy(k, key, t->ops->key_len);
    return (uint32_t)((k[0] * 0x9e3779b97f4a7c15u ^ k[1] * 0xc2b2ae3d27d4eb4fu) >> 32);
}

static bool key_is(const NeighTable *t, const Neigh *n, const void *key)
{
    return memcmp(&n->key, key, t->ops->key_len) == 0;
}

Neigh *neigh_lookup(NeighTable *t, const void *key)
{
    NeighBody *b = t->body;
    Neigh *n;

    if (!b)
        return NULL;
    b->lookups++;
    if (b->cap == 1) {
        n = b->slot.one;
        if (n && !key_is(t, n, key))
            n = NULL;
    } else {
        uint32_t i = hash_key(t, key) & (b->cap - 1);

        while ((n = b->slot.many[i]) && !key_is(t, n, key))
            i = (i + 1) & (b->cap - 1);
    }
    b->hits += n != NULL;
    return n;
}

static Neigh **slots(NeighBody *b)
{
    return b->cap == 1 ? &b->slot.one : b->slot.many;
}

static void insert(NeighTable *t, Neigh *n)
{
    NeighBody *b = t->body;
    Neigh **slot = slots(b);
    uint32_t i = hash_key(t, &n->key) & (b->cap - 1);

    while (slot[i])
        i = (i + 1) & (b->cap - 1);
    slot[i] = n;
}

static void grow(NeighTable *t)
{
    NeighBody *b = t->body;
    NeighBody before = *b;
    Neigh **old = slots(&before);

    b->cap = b->cap == 1 ? CAP_MIN : 2 * b->cap;
    b->slot.many = g_new0(Neigh *, b->cap);
    for (uint32_t i = 0; i < before.cap; i++)
        if (old[i])
            insert(t, old[i]);
    if (before.cap > 1)
        g_free(old);
}

/* A place is always free but in a table of one, so that searches end. */
static bool is_full(const NeighBody *b)
{
    return b->cap == 1 ? b->len == 1 : (b->len + 1) * 4 > b->cap * 3;
}

/* Linear probing without tombstones: the entries behind the gap move up if that brings them no further than
 * home. */
static void unlink_slot(NeighTable *t, const Neigh *n)
{
    NeighBody *b = t->body;
    Neigh **slot = slots(b);
    uint32_t mask = b->cap - 1, i = hash_key(t, &n->key) & mask;

    while (slot[i] != n)
        i = (i + 1) & mask;
    for (uint32_t j = (i + 1) & mask; mask && slot[j]; j = (j + 1) & mask) {
        uint32_t home = hash_key(t, &slot[j]->key) & mask;

        if (((j - home) & mask) >= ((j - i) & mask)) {
            slot[i] = slot[j];
            i = j;
        }
    }
    slot[i] = NULL;
    b->len--;
}

void neigh_remove(Neigh *n)
{
    NeighState old = n->state;

    if (n->is_dead)
        return;
    unlink_slot(n->table, n);
    neigh_bury(n);
    neigh_emit_state(n, old, neigh_now(n->table));
    neigh_unref(n);
}

static bool collectable(const Neigh *n)
{
    return n->state != NEIGH_PERMANENT && n->state != NEIGH_NOARP && n->state != NEIGH_INCOMPLETE &&
           n->state != NEIGH_DELAY && n->state != NEIGH_PROBE;
}

static int by_key(const void *a, const void *b)
{
    const Neigh *x = *(Neigh *const *)a, *y = *(Neigh *const *)b;

    if (x->table->ops->key_len == 4)
        return x->key.ip4 < y->key.ip4 ? -1 : x->key.ip4 > y->key.ip4;
    return memcmp(x->key.ip6, y->key.ip6, 16);
}

static Neigh **sorted(NeighTable *t, uint32_t *len)
{
    NeighBody *b = t->body;
    Neigh **all = g_new(Neigh *, b->len + 1);

    *len = 0;
    for (uint32_t i = 0; i < b->cap; i++)
        if (slots(b)[i])
            all[(*len)++] = slots(b)[i];
    qsort(all, *len, sizeof *all, by_key); /* tidy-allow: qsort (keys are unique in a table) */
    return all;
}

/* neigh_periodic_work, when the table has grown beyond gc_thresh1: what failed, or was unused for
 * gc_stale_time. forced (neigh_forced_gc): also what was used since then, but not within 5 s. */
static void collect(NeighTable *t, bool forced)
{
    SimTime now = neigh_now(t), age = forced ? FORCED_GC_KEEP : t->params->gc_stale_time;
    uint32_t len;
    Neigh **all = sorted(t, &len);

    neightable_trouble(t)->last_gc = now;
    t->body->trouble->forced_gc_runs += forced;
    for (uint32_t i = 0; i < len; i++) {
        Neigh *n = all[i];
        SimTime used = HS_MAX(n->used, n->confirmed);

        neigh_catch_up(n);
        if (collectable(n) && (n->state == NEIGH_FAILED || n->state == NEIGH_NONE || now - used > age))
            neigh_remove(n);
    }
    g_free(all);
}

Neigh *neigh_get(NeighTable *t, const void *key)
{
    Neigh *n = neigh_lookup(t, key);
    const NeighParams *p = t->params;
    NeighBody *b;
    SimTime now, last_gc;

    if (n)
        return n;
    b = body_of(t);
    now = neigh_now(t);
    last_gc = b->trouble ? b->trouble->last_gc : 0;
    if (b->len >= p->gc_thresh3 || (b->len >= p->gc_thresh2 && now > last_gc + FORCED_GC_KEEP)) {
        collect(t, true);
        if (b->len >= p->gc_thresh3) {
            b->trouble->table_fulls++;
            return NULL;
        }
    } else if (b->len >= p->gc_thresh1 && now >= last_gc + p->base_reachable_time / 2) {
        collect(t, false);
    }
    if (is_full(b))
        grow(t);
    n = cells_take(cells_of(t), neigh_size(t->ops->key_len));
    n->key_len = (uint8_t)t->ops->key_len;
    n->table = t;
    n->node = t->dev->node;
    n->ref = 1;
    memcpy(&n->key, key, t->ops->key_len);
    n->used = n->updated = now;
    n->confirmed = now - 2 * p->base_reachable_time;
    insert(t, n);
    b->len++;
    b->allocs++;
    return n;
}

void neightable_flush(NeighTable *t, bool all)
{
    uint32_t len;
    Neigh **list;

    if (!t->body)
        return;
    list = sorted(t, &len);
    for (uint32_t i = 0; i < len; i++)
        if (all || list[i]->state != NEIGH_PERMANENT)
            neigh_remove(list[i]);
    g_free(list);
}

void neightable_clear(NeighTable *t)
{
    NeighBody *b = t->body;

    if (!b)
        return;
    for (uint32_t i = 0; i < b->cap; i++) {
        Neigh *n = slots(b)[i];

        if (!n)
            continue;
        neigh_bury(n);
        n->table = NULL;
        neigh_unref(n);
    }
    if (b->own_params)
        g_free((NeighParams *)t->params);
    t->params = &neigh_params_default;
    if (b->cap > 1)
        g_free(b->slot.many);
    if (b->trouble)
        cells_give(cells_of(t), b->trouble, sizeof *b->trouble);
    cells_give(cells_of(t), b, sizeof *b);
    t->body = NULL;
}

void neightable_stats(const NeighTable *t, NeighStats *out)
{
    const NeighBody *b = t->body;

    *out = (NeighStats){0};
    if (!b)
        return;
    out->lookups = b->lookups;
    out->hits = b->hits;
    out->allocs = b->allocs;
    out->entries = b->len;
    out->bytes = sizeof *b + (b->cap > 1 ? b->cap * sizeof *b->slot.many : 0) +
                 b->len * neigh_size(t->ops->key_len) + (b->own_params ? sizeof *t->params : 0);
    if (!b->trouble)
        return;
    out->bytes += sizeof *b->trouble;
    out->res_failed = b->trouble->res_failed;
    out->unresolved_discards = b->trouble->unresolved_discards;
    out->forced_gc_runs = b->trouble->forced_gc_runs;
    out->table_fulls = b->trouble->table_fulls;
}

void neightable_foreach(NeighTable *t, void (*fn)(Neigh *n, void *user), void *user)
{
    uint32_t len;
    Neigh **all;

    if (!t->body)
        return;
    all = sorted(t, &len);
    for (uint32_t i = 0; i < len; i++) {
        neigh_catch_up(all[i]);
        fn(all[i], user);
    }
    g_free(all);
}
