/* One direction of a link, for the files of this folder. */
#pragma once

#include "models/link/link.h"

typedef struct Flight { /* a frame in flight */
    Packet *pkt;
    SimTime arrival;
    uint64_t key; /* its arrival's place in the order of events, taken by the sender at transmission */
} Flight;

typedef struct Stray { /* a frame that may overtake others: an event of its own */
    LinkDir *dir;
    Packet *pkt;
    uint32_t epoch;
} Stray;

struct LinkOpportunity; /* models/link/linkfollow.c: a transmitter that sends only at given moments */

struct LinkDir {
    LinkTx tx; /* first: what the sending port holds */
    LinkPort *from, *to;
    Link *link;

    /* The transmitter. It is busy until busy_until + busy_frac / rate_bps nanoseconds. */
    uint64_t rate_bps;
    SimTime busy_until;
    uint64_t busy_frac;
    uint32_t overhead_bytes, gap_bytes;
    SimTime gap;       /* gap_bytes at the present rate */
    uint32_t max_frame; /* MTU + the largest link header */
    uint32_t mtu;
    uint32_t timed_len; /* the length for which timed_ns and timed_frac were computed */
    SimTime timed_ns;
    uint64_t timed_frac;

    Queue *queue; /* NULL until a frame has to wait and none was given */
    bool tx_armed; /* an event at busy_until will take the next frame from the queue */
    bool slow;     /* there is a rule, an impairment or jitter: frames take the long way */
    bool paused;
    bool up;
    bool jitter_reorders;

    /* In flight: a ring in order of arrival; only its head is in the event queue. */
    Flight *ring;
    uint32_t ring_head, ring_len, ring_cap; /* cap: a power of two */
    uint32_t epoch; /* counts carrier losses: strays of an older epoch are lost */
    Event *arrival_ev;
    SimTime delay, last_arrival;

    SimTime jitter;
    Rng *jitter_rng;
    Impair *impair;
    LinkRuleFn rule;
    void *rule_user;
    struct LinkOpportunity *opportunity;
    struct LinkFollow *follow;

    LinkDirStats stats;
};

struct Link {
    LinkDir dir[2]; /* 0: port 0 → port 1 */
    bool up;
};

/* Puts a frame on the wire now: the transmitter is free. Takes the packet. */
void linkdir_transmit(LinkDir *d, Packet *pkt);
/* The transmitter became free, or something else changed that may let a waiting frame go. */
void linkdir_kick(LinkDir *d);
/* Hands a frame to the propagation delay; it leaves at `departure` (its last bit). */
void linkdir_propagate(LinkDir *d, Packet *pkt, SimTime departure, SimTime extra, bool may_overtake);
/* Impairments and rule for a frame that starts now; NULL when it is lost (and reported). *copies etc. in v. */
Packet *linkdir_judge(LinkDir *d, Packet *pkt, ImpairVerdict *v);
void linkdir_update_slow(LinkDir *d);
void linkfollow_clear(LinkDir *d); /* releases d->follow and d->opportunity */
void linkopportunity_send(LinkDir *d); /* a frame was queued in opportunity mode */
