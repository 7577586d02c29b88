#include "models/ether/switch_table.h"

#include <glib.h>

#include "sim/base/hash64.h"

#define CAP_MIN 16

static uint32_t home(const SwitchTable *t, uint64_t key)
{
    return (uint32_t)(key * HASH64_K1 >> t->shift);
}

static bool is_dead(const SwitchTable *t, const SwitchEntry *e, SimTime now)
{
    return t->age && !e->is_static && now - e->seen > t->age;
}

static void set_cap(SwitchTable *t, uint32_t cap)
{
    t->cap = cap;
    t->shift = 64u - (unsigned)__builtin_ctz(cap);
    t->slot = g_new0(SwitchEntry, cap);
}

void switch_table_init(SwitchTable *t)
{
    *t = (SwitchTable){.limit = SWITCH_TABLE_LIMIT_DEFAULT, .age = SWITCH_TABLE_AGE_DEFAULT};
    set_cap(t, CAP_MIN);
}

void switch_table_clear(SwitchTable *t)
{
    g_free(t->slot);
    t->slot = NULL;
}

SwitchEntry *switch_table_probe(const SwitchTable *t, uint64_t key)
{
    uint32_t mask = t->cap - 1;

    for (uint32_t i = home(t, key); t->slot[i].key; i = (i + 1) & mask)
        if (t->slot[i].key == key)
            return &t->slot[i];
    return NULL;
}

/* Knuth, The Art of Computer Programming 3, 6.4, algorithm R: entries behind the gap that may stand in it
 * move there. */
static void remove_slot(SwitchTable *t, uint32_t gap)
{
    uint32_t mask = t->cap - 1;

    for (uint32_t i = (gap + 1) & mask; t->slot[i].key; i = (i + 1) & mask) {
        uint32_t want = home(t, t->slot[i].key);

        if (((i - want) & mask) >= ((i - gap) & mask)) {
            t->slot[gap] = t->slot[i];
            gap = i;
        }
    }
    t->slot[gap] = (SwitchEntry){0};
    t->used--;
}

SwitchEntry *switch_table_dead(SwitchTable *t, SwitchEntry *e)
{
    if (t->aged)
        t->aged(t, e);
    remove_slot(t, (uint32_t)(e - t->slot));
    return NULL;
}

static void place(SwitchTable *t, const SwitchEntry *e)
{
    uint32_t mask = t->cap - 1, i = home(t, e->key);

    while (t->slot[i].key)
        i = (i + 1) & mask;
    t->slot[i] = *e;
    t->used++;
}

static void grow(SwitchTable *t)
{
    SwitchEntry *old = t->slot;
    uint32_t n = t->cap;

    set_cap(t, 2 * n);
    t->used = 0;
    for (uint32_t i = 0; i < n; i++)
        if (old[i].key)
            place(t, &old[i]);
    g_free(old);
}

/* Buries the dead in order of slots, which is a function of the keys and of their order of arrival. */
static void sweep(SwitchTable *t, SimTime now)
{
    SimTime oldest = SIM_NEVER;

    for (uint32_t i = 0; i < t->cap; i++) {
        while (t->slot[i].key && is_dead(t, &t->slot[i], now))
            switch_table_dead(t, &t->slot[i]);
        if (t->slot[i].key && !t->slot[i].is_static && t->slot[i].seen < oldest)
            oldest = t->slot[i].seen;
    }
    t->sweep_after = oldest == SIM_NEVER || !t->age ? SIM_NEVER : oldest + t->age;
}

static bool insert(SwitchTable *t, uint64_t key, uint16_t port, bool is_static, SimTime now)
{
    if (t->used >= t->limit) {
        if (now > t->sweep_after)
            sweep(t, now);
        if (t->used >= t->limit)
            return false;
    }
    if (2 * (t->used + 1) > t->cap)
        grow(t);
    place(t, &(SwitchEntry){key, now, port, is_static});
    /* Entries are refreshed or come later: the bound stays a bound. It only must not be later than this one's
     * end. */
    if (!is_static && t->age && now + t->age < t->sweep_after)
        t->sweep_after = now + t->age;
    return true;
}

SwitchLearn switch_table_learn_slow(SwitchTable *t, uint64_t key, uint16_t port, SimTime now,
                                    uint16_t *old_port)
{
    SwitchEntry *e = switch_table_find(t, key, now);

    if (!e)
        return insert(t, key, port, false, now) ? SWITCH_LEARN_NEW : SWITCH_LEARN_FULL;
    if (e->is_static)
        return SWITCH_LEARN_STATIC;
    *old_port = e->port;
    e->port = port;
    e->seen = now;
    return SWITCH_LEARN_MOVED;
}

bool switch_table_set_static(SwitchTable *t, uint64_t key, uint16_t port, SimTime now)
{
    SwitchEntry *e = switch_table_probe(t, key);

    if (!e)
        return insert(t, key, port, true, now);
    *e = (SwitchEntry){key, now, port, true};
    return true;
}

bool switch_table_remove(SwitchTable *t, uint64_t key)
{
    SwitchEntry *e = switch_table_probe(t, key);

    if (!e)
        return false;
    remove_slot(t, (uint32_t)(e - t->slot));
    return true;
}

uint32_t switch_table_flush(SwitchTable *t, uint16_t port)
{
    uint32_t before = t->used;

    /* What remove_slot moves into slot i comes from behind it; at the end of the table also from its
     * beginning, but that was looked at already. */
    for (uint32_t i = 0; i < t->cap; i++)
        while (t->slot[i].key && !t->slot[i].is_static &&
               (port == SWITCH_TABLE_ANY_PORT || t->slot[i].port == port))
            remove_slot(t, i);
    return before - t->used;
}

void switch_table_set_limit(SwitchTable *t, uint32_t limit)
{
    if (limit < t->used)
        switch_table_flush(t, SWITCH_TABLE_ANY_PORT);
    t->limit = limit;
}

uint32_t switch_table_count(SwitchTable *t, SimTime now)
{
    sweep(t, now);
    return t->used;
}

static gint by_key(gconstpointer a, gconstpointer b)
{
    uint64_t x = ((const SwitchEntry *)a)->key, y = ((const SwitchEntry *)b)->key;

    return x < y ? -1 : x > y;
}

void switch_table_foreach(SwitchTable *t, SimTime now, void (*fn)(void *user, const SwitchEntry *e),
                          void *user)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(SwitchEntry));

    sweep(t, now);
    for (uint32_t i = 0; i < t->cap; i++)
        if (t->slot[i].key)
            g_array_append_val(all, t->slot[i]);
    g_array_sort(all, by_key); /* keys are unique */
    for (guint i = 0; i < all->len; i++)
        fn(user, &g_array_index(all, SwitchEntry, i));
    g_array_free(all, TRUE);
}

size_t switch_table_bytes(const SwitchTable *t)
{
    return t->cap * sizeof(SwitchEntry);
}
