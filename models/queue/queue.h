/* The contract of queues and active queue management: a push side that may refuse, with a reason; a pull
 * side; and "when is the next one ready". A queue never sees a link, a clock or a node: `now` comes in.
 *
 * A new discipline is one file that defines `const QueueOps queue_<stem>_ops` and its line in this folder's
 * build list. Queue itself is the head of the discipline's own struct (ops->size bytes, zeroed, then
 * ops->init). */
#pragma once

#include "sim/base/base.h"
#include "sim/base/simtime.h"
#include "sim/packet/packet.h"

typedef struct Queue Queue;
typedef struct QueueOps QueueOps;
struct Rng;

typedef struct QueueParam { /* what a scenario says: { "droptail", packets = 100 } */
    const char *name;
    enum {
        QUEUE_PARAM_PACKETS,
        QUEUE_PARAM_BYTES,
        QUEUE_PARAM_TIME,
        QUEUE_PARAM_RATIO,
        QUEUE_PARAM_BOOL
    } kind;
    const char *help;
} QueueParam;

typedef struct QueueSignals {                /* what tells of congestion */
    uint64_t dropped_packets, dropped_bytes; /* refused at the push side or dropped later */
    uint64_t marked_packets;                 /* ECN CE set */
} QueueSignals;

typedef struct QueueStats { /* what was taken out is what went in and neither waits nor was dropped later */
    uint64_t enqueued_packets, enqueued_bytes;
    uint32_t peak_packets, peak_bytes;
    QueueSignals *signals; /* NULL: none yet; queue_signals reads them, queue_count counts */
} QueueStats;

typedef enum QueueVerdict {
    QUEUE_OK,
    QUEUE_FULL,    /* refused: no room */
    QUEUE_DROPPED, /* refused: the discipline's decision */
} QueueVerdict;

struct QueueOps {
    const char *name;
    const char *help;
    size_t size;     /* of the discipline's struct, Queue first */
    bool can_bypass; /* a frame that finds queue and transmitter idle may go without passing through (Linux
                        TCQ_F_CAN_BYPASS) */
    const QueueParam *params; /* ends with a NULL name */
    /* values[i] belongs to params[i]; set[i] says whether the scenario gave it. false: *error (g_malloc'ed
     * sentence). */
    bool (*init)(Queue *q, const double *values, const bool *set, char **error);
    void (*clear)(Queue *q);
    /* On QUEUE_OK the queue has taken the packet; otherwise it stays the caller's. The packet may be shared
     * (a flooded frame waits in many queues): times of arrival belong into the queue's own slots, and marking
     * needs packet_own. */
    QueueVerdict (*enqueue)(Queue *q, Packet *p, SimTime now);
    /* The next packet, or NULL when there is none ready. Packets that the discipline drops here go to
     * q->owner->drop. */
    Packet *(*dequeue)(Queue *q, SimTime now);
    /* When dequeue could give a packet: <= now when at once, SIM_NEVER when empty. */
    SimTime (*next)(const Queue *q, SimTime now);
    /* The next packet, ready or not, and without a drop: the owner empties the queue. NULL: dequeue does
     * that. */
    Packet *(*take)(Queue *q, SimTime now);
    void (*set_rng)(Queue *q, struct Rng *rng); /* NULL: draws no random numbers */
};

typedef enum QueueMark {
    QUEUE_NOT_ECT, /* not ECN-capable: to signal congestion, drop it */
    QUEUE_MARKED,
    QUEUE_WAS_MARKED,
} QueueMark;

typedef struct QueueOwner {
    /* Takes packets that the discipline drops after accepting them. */
    void (*drop)(void *user, Packet *p);
    /* Sets Congestion Experienced: the owner knows headers. NULL: no ECN. */
    QueueMark (*mark)(Packet **p);
} QueueOwner;

struct Queue {
    const QueueOps *ops;
    uint32_t packets, bytes; /* waiting now */
    const QueueOwner *owner; /* set by the owner; NULL: none yet */
    void *user;              /* the owner's */
    QueueStats stats;
};

Queue *queue_new(const QueueOps *ops, const double *values, const bool *set, char **error);
Queue *queue_new_default(uint32_t packets); /* drop-tail */
void queue_free(Queue *q);                  /* releases the packets that still wait */
const QueueOps *queue_ops_by_name(const char *name);
/* All disciplines, sorted by name, NULL at the end (generated from this folder's build list). */
extern const QueueOps *const queue_ops_table[];
extern const unsigned queue_ops_table_len;

QueueSignals *queue_count(Queue *q); /* to be counted in */
static inline QueueSignals queue_signals(const Queue *q)
{
    return q->stats.signals ? *q->stats.signals : (QueueSignals){0};
}
size_t queue_bytes(const Queue *q); /* memory, without the packets and what the discipline keeps beside */

static inline QueueVerdict queue_enqueue(Queue *q, Packet *p, SimTime now)
{
    return q->ops->enqueue(q, p, now);
}

static inline Packet *queue_dequeue(Queue *q, SimTime now)
{
    return q->ops->dequeue(q, now);
}

/* For an owner who empties the queue (a cable pulled, another discipline): NULL when nothing is left. */
static inline Packet *queue_take(Queue *q, SimTime now)
{
    return q->ops->take ? q->ops->take(q, now) : q->ops->dequeue(q, now);
}

/* Sets Congestion Experienced if the packet is ECN-capable; false: it is not. *p may become a copy where it
 * was shared. */
static inline bool queue_mark(Queue *q, Packet **p)
{
    QueueMark m = q->owner && q->owner->mark ? q->owner->mark(p) : QUEUE_NOT_ECT;

    if (m == QUEUE_MARKED)
        queue_count(q)->marked_packets++;
    return m != QUEUE_NOT_ECT;
}
