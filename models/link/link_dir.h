/* One direction of a link, for the files of this folder.
 *
 * Who touches what. With one partition everything runs in one thread; the fields are nevertheless kept apart
 * by the side that touches them, so that an engine with several partitions can split them:
 *
 *   the sender's node    everything up to the receiving side, and the ring's producing end (ring, ring_log2,
 *                        ring_tail)
 *   the receiver's node  `to`, the ring's consuming end (ring_head, arrival_ev), what was delivered, strays
 *                        that arrive
 *   both, at a barrier   carrier loss (link_set_up, link_unplug): it takes back frames in flight
 *
 * An arrival is an event of the receiver's partition, with a key that the sender took: its place among the
 * events of that instant does not depend on when it is queued. */
#pragma once

#include "models/link/link.h"
#include "models/link/linktiming.h"

typedef struct Flight { /* a frame in flight */
    Packet *pkt;
    SimTime arrival;
    uint64_t key; /* its arrival's place in the order of events, taken by the sender at transmission */
} Flight;

typedef struct Stray Stray;
struct Stray { /* a frame that may overtake others: an event of its own */
    LinkDir *dir;
    Packet *pkt;
    Event *ev;
    Stray *prev, *next; /* in flight, or (next only) the free list */
};

typedef struct LinkFollow LinkFollow; /* linkfollow.c: a trace being played */
typedef struct LinkRing LinkRing;     /* linkring.c: the card's transmit ring */

/* What most links do without; allocated when first needed. */
typedef struct LinkExtra {
    SimTime jitter;
    Rng *jitter_rng;
    bool jitter_reorders;
    Impair *impair;
    LinkRuleFn rule;
    void *rule_user;
    LinkFollow *follow;
    LinkRing *ring;
    Stray *strays, *strays_last, *strays_free;
    uint32_t n_strays;
    uint64_t duplicate_packets, lost_packets, queue_drops; /* see LinkDirStats */
} LinkExtra;

/* Reasons why a frame that finds the transmitter idle cannot start all the same. */
enum {
    LINK_STOP_DOWN = 1,
    LINK_STOP_PAUSED = 2,
    LINK_STOP_OPPORTUNITY = 4, /* frames leave at a trace's opportunities only */
    LINK_STOP_RING = 8,        /* frames leave through the transmit ring */
};

/* What moves: made with the first frame, because most links of a large network never carry one. */
typedef struct LinkMoving {
    /* The transmitter. It is busy until busy_until + busy_frac / rate_bps nanoseconds, busy_frac < rate_bps.
     */
    SimTime busy_until;
    uint64_t busy_frac;

    /* In flight: a ring in order of arrival; only its head is in the event queue. */
    uint32_t ring_tail; /* head and tail count on for ever */
    uint32_t ring_head; /* the receiver's */
    Flight *ring;       /* a block of the packets' pool while frames are in flight; NULL: none are */
    Event *arrival_ev;  /* the receiver's: of the ring's head; NULL: the ring is empty */

    Event *tx_ev; /* when the next frame will be taken from the queue; NULL: nothing waits */
    LinkExtra *extra;
    uint8_t ring_log2; /* room for so many frames; 0: there was never one */
    bool slow;         /* there is a rule, an impairment or jitter: frames take the long way */
    uint64_t tx_packets, tx_bytes, delivered_bytes; /* see LinkDirStats; delivered is the receiver's */
    SimTime busy;
} LinkMoving;
_Static_assert(sizeof(LinkMoving) <= 96, "LinkMoving has grown: what few links need belongs into LinkExtra");

struct LinkDir {
    LinkTx tx; /* first: what the sending port holds */
    LinkPort *from, *to;
    LinkMoving *m;        /* NULL: no frame yet, and nothing but the plainest of settings */
    Queue *queue;         /* NULL until a frame has to wait and none was given */
    LinkTiming *timing;   /* rate and delay, and what follows from them; shared with others */
    uint32_t max_frame;   /* MTU + header of the shortest kind: what is shorter fits without looking */
    uint8_t header_bytes; /* without VLAN tags */
    uint8_t stop;         /* LINK_STOP_ bits */
};

/* An idle host costs two of these; see docs/performance.md. */
_Static_assert(sizeof(LinkDir) <= 64, "LinkDir has grown: what idle links do without belongs elsewhere");

struct Link {
    LinkDir dir[2]; /* 0: port 0 → port 1 */
};

static inline Node *linkdir_node(const LinkDir *d) /* the sender's */
{
    return (Node *)d->from->point.node;
}

/* linkdir.c: the way of a frame */
void linkdir_send(LinkTx *tx, Packet *pkt);
/* The transmitter takes a frame now: it must be free. Takes the packet. */
void linkdir_transmit(LinkDir *d, Packet *pkt);
/* Puts a frame on the wire, its last bit at `departure`. Takes the packet. */
void linkdir_launch(LinkDir *d, Packet *pkt, SimTime departure);
/* Takes the next waiting frame if it may go now, and arranges for the one after it. To be called when
 * anything changed that may let a frame go. */
void linkdir_kick(LinkDir *d);
/* What kick arranged is off. */
void linkdir_unkick(LinkDir *d);
Packet *linkdir_dequeue(LinkDir *d);
void linkdir_enqueue(LinkDir *d, Packet *pkt);
void linkdir_adopt_queue(LinkDir *d, Queue *q);
/* Carrier loss: the frames in flight and in the queue are gone. */
void linkdir_lose_all(LinkDir *d);
LinkExtra *linkdir_extra(LinkDir *d);
LinkMoving *linkdir_moving_new(LinkDir *d);
static inline LinkMoving *linkdir_moving(LinkDir *d)
{
    return HS_LIKELY(d->m != NULL) ? d->m : linkdir_moving_new(d);
}
static inline LinkExtra *linkdir_has_extra(const LinkDir *d)
{
    return d->m ? d->m->extra : NULL;
}
void linkdir_update_slow(LinkDir *d);

/* linkfollow.c */
void linkfollow_clear(LinkDir *d);
bool linkfollow_has_loss(const LinkFollow *f);
bool linkfollow_loses(LinkFollow *f);  /* one draw */
void linkfollow_on_down(LinkDir *d);   /* a frame that was leaving piece by piece is lost */
void linkfollow_on_plug(LinkDir *d);   /* the sender may be another node now */
void linkopportunity_send(LinkDir *d); /* a frame was queued, or may go again */
size_t linkfollow_bytes(const LinkFollow *f);

/* linkring.c */
void linkring_clear(LinkDir *d);
void linkring_drop(LinkDir *d);    /* takes the ring away: what stands in it is lost, and told */
void linkring_kick(LinkDir *d);    /* frames wait, or may go again */
void linkring_on_down(LinkDir *d); /* the frames in it are lost */
void linkring_on_plug(LinkDir *d); /* the sender may be another node now */
size_t linkring_bytes(const LinkRing *r);
