/* A node is the unit of state: a host, a switch, a router. It belongs to one partition, and everything in it
 * changes only in events that run there. Nodes touch each other only through links.
 *
 * Hosts, switches and routers embed a Node as their first member. */
#pragma once

#include "sim/base/base.h"
#include "sim/base/cells.h"
#include "sim/base/poolset.h"
#include "sim/base/simtime.h"
#include "sim/engine/evqueue.h"

typedef struct Sim Sim;
typedef struct Partition Partition;
typedef struct Node Node;

#define EVENT_SEQ_BITS 40 /* of an event key: 10^12 events a node, 16 million nodes */
struct Rng;
struct PacketPool;
struct Probes;
struct ProbeSink;

/* What runs in one thread. Now there is one of them; models reach it only through their node. */
struct Partition {
    SimTime now;
    uint64_t probe_mask; /* one bit a probe: somebody listens (sim/trace/probe.h) */
    EvQueue queue;
    uint64_t events;              /* executed so far */
    uint64_t dormant;             /* entries in the queue whose timer is not armed: they will be forgotten */
    struct PacketPool *packets;   /* sim/packet */
    PoolSet pools;                /* of the protocols, shared by all hosts */
    Cells cells;                  /* what each host, card and link keeps */
    struct Probes *probes;        /* sim/trace */
    struct ProbeSink *frame_sink; /* likewise: who is told of frames */
    struct LinkTimings *link_timings; /* models/link; NULL: there is no link */
    Sim *sim;
    /* Called before each event when set: the finest grade of the digest, stepping. It must not change
     * anything. */
    void (*on_event)(void *user, SimTime time, uint64_t key);
    void *on_event_user;
};

struct Node {
    Partition *part;
    uint64_t key_next; /* id << EVENT_SEQ_BITS | the sequence number of the next event this node schedules */
    uint64_t birth_next; /* the id of the next packet born here */
    uint32_t id;         /* 0-based, in order of creation */
    uint16_t kind;       /* the owner's own enum (models/node/net.h) */
    uint16_t flags;
    const char *name; /* owned by the Sim; unique */
};

/* Registers an embedded node. The name must be new (sim_node_by_name). */
void node_init(Node *n, Sim *sim, const char *name);
/* Events that the node still owns must have been cancelled before. */
void node_clear(Node *n);

static inline SimTime node_now(const Node *n)
{
    return n->part->now;
}

static inline Sim *node_sim(const Node *n)
{
    return n->part->sim;
}

static inline uint32_t event_key_node(uint64_t key)
{
    return (uint32_t)(key >> EVENT_SEQ_BITS);
}

/* Takes the node's next place in the total order of events. */
static inline uint64_t node_take_key(Node *n)
{
    return n->key_next++;
}

/* Run fn(arg) on this node at time t (>= now). The event cannot be taken back: for that, use a Timer. */
static inline void node_at(Node *n, SimTime t, EventFn fn, void *arg)
{
    hs_assert(t >= n->part->now);
    evqueue_push(&n->part->queue, t, node_take_key(n), fn, arg);
}

static inline void node_after(Node *n, SimTime delay, EventFn fn, void *arg)
{
    node_at(n, n->part->now + delay, fn, arg);
}

/* The stream of random numbers of this node for that purpose; the same pointer at every call, owned by the
 * Sim. Look it up once and keep it: the look-up is not for hot paths. */
struct Rng *node_rng(Node *n, const char *purpose);
/* A number of that stream, for those who draw so seldom (a host when it chooses a port) that 32 bytes of
 * state are not worth keeping: the same as rng_next and rng_below of node_rng. */
uint64_t node_draw(Node *n, const char *purpose);
uint64_t node_draw_below(Node *n, const char *purpose, uint64_t below);
/* So many numbers of that stream become the caller's, who gets them when needed, and again when needed again,
 * by node_passed_draws with what is returned: keys. */
uint64_t node_pass_draws(Node *n, const char *purpose, unsigned count);
void node_passed_draws(const Node *n, const char *purpose, uint64_t from, uint64_t *out, unsigned count);
