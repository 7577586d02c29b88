/* A switch's filtering database (IEEE 802.1D-2004 7.9): which port leads to an address? Keys are (VLAN, MAC)
 * in 64 bits; a switch that knows no VLANs uses VLAN 0.
 *
 * Ageing is lazy: an entry that has not been heard of for `age` is found dead when somebody looks, and costs
 * no events meanwhile. Open addressing with linear probing; deletion moves later entries back, so there are
 * no tombstones. */
#pragma once

#include "models/wire/mac.h"
#include "sim/base/base.h"
#include "sim/base/simtime.h"

#define SWITCH_TABLE_AGE_DEFAULT (300 * SIM_SEC) /* IEEE 802.1D-2004 table 7-5 */
#define SWITCH_TABLE_LIMIT_DEFAULT 8192          /* a usual size of small switches */

typedef struct SwitchEntry {
    uint64_t key; /* VLAN << 48 | MAC; 0: a free slot (no station has the address 0) */
    SimTime seen;
    uint16_t port;
    bool is_static;
} SwitchEntry;

typedef struct SwitchTable SwitchTable;
struct SwitchTable {
    SwitchEntry *slot;
    uint32_t cap; /* a power of two, at least twice the number of entries */
    unsigned shift;
    uint32_t used; /* live and dead entries */
    uint32_t limit;
    SimTime age;         /* 0: entries live for ever */
    SimTime sweep_after; /* nothing can have died before: do not look again in a full table */
    /* An entry was found dead; it died at seen + age. May be NULL. */
    void (*aged)(SwitchTable *t, const SwitchEntry *e);
};

typedef enum SwitchLearn {
    SWITCH_LEARN_KNOWN, /* refreshed */
    SWITCH_LEARN_NEW,
    SWITCH_LEARN_MOVED,  /* known, at another port until now */
    SWITCH_LEARN_STATIC, /* set by hand: stays where it is */
    SWITCH_LEARN_FULL,   /* no room: frames for it will be flooded */
} SwitchLearn;

void switch_table_init(SwitchTable *t);
void switch_table_clear(SwitchTable *t);

static inline uint64_t switch_table_key(uint16_t vid, uint64_t mac)
{
    return (uint64_t)vid << 48 | mac;
}

SwitchEntry *switch_table_probe(const SwitchTable *t, uint64_t key); /* dead ones too */
SwitchEntry *switch_table_dead(SwitchTable *t, SwitchEntry *e);      /* buries it; NULL */

/* NULL: unknown, or dead. Valid until the table changes. */
static inline SwitchEntry *switch_table_find(SwitchTable *t, uint64_t key, SimTime now)
{
    SwitchEntry *e = switch_table_probe(t, key);

    if (HS_UNLIKELY(e && now - e->seen > t->age && t->age && !e->is_static))
        return switch_table_dead(t, e);
    return e;
}

SwitchLearn switch_table_learn_slow(SwitchTable *t, uint64_t key, uint16_t port, SimTime now,
                                    uint16_t *old_port);

/* The station sent a frame through port. *old_port is set when it moved. */
static inline SwitchLearn switch_table_learn(SwitchTable *t, uint64_t key, uint16_t port, SimTime now,
                                             uint16_t *old_port)
{
    SwitchEntry *e = switch_table_find(t, key, now);

    if (HS_LIKELY(e && e->port == port)) {
        e->seen = now;
        return SWITCH_LEARN_KNOWN;
    }
    return switch_table_learn_slow(t, key, port, now, old_port);
}

/* false: the table is full. Replaces a learnt entry. */
bool switch_table_set_static(SwitchTable *t, uint64_t key, uint16_t port, SimTime now);
bool switch_table_remove(SwitchTable *t, uint64_t key); /* false: there was none */
/* Forgets what was learnt at this port (SWITCH_TABLE_ANY_PORT: at all of them); returns how many. Static
 * entries stay. */
#define SWITCH_TABLE_ANY_PORT UINT16_MAX
uint32_t switch_table_flush(SwitchTable *t, uint16_t port);
/* Fewer than there are: the table is emptied of learnt entries first. */
void switch_table_set_limit(SwitchTable *t, uint32_t limit);
uint32_t switch_table_count(SwitchTable *t, SimTime now); /* live ones; buries the dead */
/* Live entries in order of (VLAN, MAC). The function must not change the table. */
void switch_table_foreach(SwitchTable *t, SimTime now, void (*fn)(void *user, const SwitchEntry *e),
                          void *user);
size_t switch_table_bytes(const SwitchTable *t);
