/* Neighbour cache of one device: which link address belongs to a network address? Knows no protocol: keys are
 * 4 bytes (IPv4, filled by ARP) or 16 (IPv6, filled by neighbour discovery); the owner asks the questions
 * (NeighOps.solicit) and reports the answers (neigh_update).
 *
 * States, timers and rules are Linux's (net/core/neighbour.c):
 *
 *   NONE ─ a packet ─→ INCOMPLETE ─ answer ─→ REACHABLE ─ 15–45 s ─→ STALE ─ a packet ─→ DELAY
 *                         │ 3 tries, 1 s apart      ↑                                        │ 5 s
 *                         └──→ FAILED               ├──── confirmed from above ──────────────┤
 *                                                   └──── answer ───────────────────────── PROBE
 *                                                                                            │ 3 tries
 *                                                                                            └──→ FAILED
 *
 * Where we differ: the step REACHABLE → STALE has no timer. It is found when somebody looks (a packet, an
 * update, neigh_state), so an idle entry costs no events; nobody can tell the difference but by the time of
 * the probe event, which therefore carries the time at which the step was due.
 *
 * Nothing is allocated before the first entry. A Neigh may be kept in a route (neigh_ref): a removed one
 * still takes packets and sends them through its successor. */
#pragma once

#include "models/ether/netdev.h"
#include "sim/engine/timer.h"

typedef struct Neigh Neigh;
typedef struct NeighTable NeighTable;
typedef struct NeighBody NeighBody;
typedef struct NeighWait NeighWait;

typedef enum NeighState {
    NEIGH_NONE,
    NEIGH_INCOMPLETE,
    NEIGH_REACHABLE,
    NEIGH_STALE,
    NEIGH_DELAY,
    NEIGH_PROBE,
    NEIGH_FAILED,
    NEIGH_NOARP,     /* needs no resolution: broadcast, multicast, point-to-point */
    NEIGH_PERMANENT, /* set by hand */
    NEIGH_STATES
} NeighState;

/* net.ipv4.neigh.default.* */
typedef struct NeighParams {
    SimTime base_reachable_time; /* 30 s; the time in force is drawn from 0.5–1.5 of it, anew every 300 s */
    SimTime delay_first_probe_time; /* 5 s */
    SimTime retrans_time;           /* 1 s */
    SimTime gc_stale_time;          /* 60 s */
    SimTime locktime;               /* 1 s: changes within it are ignored (ARP) */
    SimTime
        lifetime; /* 0: as Linux. Else the classic cache of BSD: an entry unused for so long is forgotten and
                     resolved anew (20 minutes there), there are no probes; SIM_NEVER: never forgotten */
    uint32_t unres_qlen_bytes; /* 212992, of true size as Linux counts it (neigh_truesize) */
    uint32_t gc_thresh1, gc_thresh2, gc_thresh3; /* 128, 512, 1024 entries */
    uint8_t mcast_solicit, ucast_solicit;        /* 3, 3 */
} NeighParams;

typedef struct NeighOps {
    unsigned key_len; /* 4 or 16 */
    uint16_t ethertype;
    /* Asks for n's link address: everybody if dst is NULL. waiting: the oldest packet that waits for the
     * answer, or NULL. */
    void (*solicit)(NeighTable *t, const Neigh *n, const MacAddr *dst, const Packet *waiting);
    /* There was no answer. Takes the packet. */
    void (*unreachable)(NeighTable *t, Packet *pkt);
} NeighOps;

struct NeighTable {
    NetDev *dev;
    const NeighOps *ops;
    const NeighParams *params;
    NeighBody *body; /* NULL until the first entry */
};

struct Neigh {
    NeighTable *table; /* NULL: removed together with its table */
    Node *node;
    SimTime usable_until; /* the fast path: send while now is before that */
    SimTime confirmed, used, updated;
    NeighWait *wait; /* timer and packets that wait; NULL: neither */
    MacAddr mac;
    uint8_t state;
    uint8_t probes;
    uint16_t ref;
    bool is_dead : 1;   /* no longer in the table */
    bool has_queue : 1; /* wait has room for packets, not only for the timer */
    uint8_t key_len;
    union {           /* last: there is room for the table's key_len only */
        uint32_t ip4; /* host order */
        uint8_t ip6[16];
    } key;
};
_Static_assert(offsetof(Neigh, key) + 4 <= 72, "Neigh has grown: hosts and routers keep one for each link");

typedef struct NeighStats { /* the columns of /proc/net/stat/arp_cache */
    uint64_t allocs, lookups, hits, res_failed, unresolved_discards, forced_gc_runs, table_fulls;
    uint32_t entries;
    size_t bytes;
} NeighStats;

extern const NeighParams neigh_params_default;
extern const ProbeDesc neigh_probe_state;   /* "neigh.state": ip, mac, old, new, due */
const char *neigh_state_name(NeighState s); /* "REACHABLE", as ip neigh prints it */

void neightable_init(NeighTable *t, NetDev *dev, const NeighOps *ops);
void neightable_clear(
    NeighTable *t); /* entries that are referenced outlive the table and then drop what they are given */
/* A copy of its own for this table, to be written to. */
NeighParams *neightable_params(NeighTable *t);
/* The device went down, or changed its own address: forgets what was learnt (all: also what was set by hand).
 */
void neightable_flush(NeighTable *t, bool all);
void neightable_stats(const NeighTable *t, NeighStats *out);
/* In a fixed order (by key). */
void neightable_foreach(NeighTable *t, void (*fn)(Neigh *n, void *user), void *user);

/* key: 4 bytes as uint32_t in host order, or 16 bytes. neigh_get makes the entry if there is none (NULL: the
 * table is full); the caller gets no reference: neigh_ref what is kept. */
Neigh *neigh_lookup(NeighTable *t, const void *key);
Neigh *neigh_get(NeighTable *t, const void *key);
static inline Neigh *neigh_ref(Neigh *n)
{
    n->ref++;
    return n;
}
void neigh_unref(Neigh *n);  /* NULL is allowed */
void neigh_remove(Neigh *n); /* ip neigh del */

/* The state as of now. */
NeighState neigh_state(Neigh *n);

enum {
    NEIGH_UPDATE_OVERRIDE = 1 << 0,      /* a different link address replaces the known one */
    NEIGH_UPDATE_WEAK_OVERRIDE = 1 << 1, /* … makes a connected entry STALE instead, keeping its address */
    NEIGH_UPDATE_ADMIN = 1 << 2,         /* by hand: also over PERMANENT and NOARP */
};
/* Something was learnt. mac NULL: no news about the address. */
void neigh_update(Neigh *n, const MacAddr *mac, NeighState state, unsigned flags);
/* neigh_event_ns: a request from there told its address. Returns the entry (NULL: table full). */
Neigh *neigh_on_request(NeighTable *t, const void *key, const MacAddr *mac);
/* An upper layer made progress with this neighbour (a TCP ACK of new data): it is reachable. */
void neigh_confirm(Neigh *n);

/* What Linux would charge for the packet: SKB_TRUESIZE, the data in cache lines + 576 bytes of descriptors.
 */
static inline uint32_t neigh_truesize(const Packet *pkt)
{
    return ((packet_len(pkt) + 63) & ~63u) + 576;
}

void neigh_output_slow(Neigh *n, Packet *pkt);

/* Sends the packet, whose head stands at the network header, or queues it until the answer comes. Takes it.
 */
static inline void neigh_output(Neigh *n, Packet *pkt)
{
    if (HS_LIKELY(n->node->part->now < n->usable_until)) {
        NetDev *dev = n->table->dev;

        dev->ops->xmit(dev, pkt, &n->mac, n->table->ops->ethertype);
    } else {
        neigh_output_slow(n, pkt);
    }
}
