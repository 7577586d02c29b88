/* A full-duplex point-to-point link: two independent directions, each with a queue, a transmitter of exact
 * rate, a chain of impairments, a propagation delay, and the frames in flight.
 *
 *    port a --> [queue] -> [transmitter: rate] -> [impairments] -> [in flight: delay] --> port b
 *
 * A direction is a FIFO: frames in flight sit in its own ring, and only the head is in the event queue. One
 * event per frame and hop when the transmitter keeps up, two when frames wait.
 *
 * Times. A frame of n bytes (without FCS) occupies the transmitter for n + overhead bytes, where overhead is
 * LINK_OVERHEAD_ETHERNET (preamble 8, FCS 4, inter-frame gap 12) unless said otherwise, and arrives when its
 * last bit does: the gap delays only the next frame. The transmitter keeps the sub-nanosecond remainder, so
 * over time the rate is exact. */
#pragma once

#include "models/link/impair.h"
#include "models/link/port.h"
#include "models/queue/queue.h"
#include "sim/engine/sim.h"
#include "sim/engine/timer.h"

#define LINK_OVERHEAD_ETHERNET 24
#define LINK_GAP_ETHERNET 12
#define LINK_QUEUE_DEFAULT 1000 /* packets: Linux txqueuelen */

typedef struct Link Link;
typedef struct LinkDir LinkDir;
struct LinkTrace; /* models/link/linktrace.h */

typedef struct LinkDirConfig {
    uint64_t rate_bps; /* 0: infinitely fast */
    SimTime delay;
    SimTime jitter;       /* extra delay, uniform in [0, jitter], from the sender's stream "<port>/jitter" */
    bool jitter_reorders; /* may later frames overtake? */
    uint32_t mtu;         /* largest frame payload, without the link header and its VLAN tags; 0: 1500 */
    uint32_t overhead_bytes, gap_bytes; /* per frame on the wire; gap is part of overhead. < 65536 */
    Queue *queue;                       /* taken over; NULL: drop-tail of LINK_QUEUE_DEFAULT packets */
    Impair *impair;                     /* chain, taken over */
} LinkDirConfig;

typedef struct LinkDirStats {
    uint64_t tx_packets, tx_bytes; /* put on the wire (bytes without FCS) */
    uint64_t duplicate_packets;    /* copies that an impairment or a rule added */
    uint64_t lost_packets;         /* impairments, cable pulled with frames in flight */
    uint64_t queue_drops; /* refused or dropped by the queue, or lost in it when the link went down */
    SimTime busy;         /* time spent transmitting, gaps and preambles included */
    uint64_t delivered_packets, delivered_bytes;
} LinkDirStats; /* tx + duplicate = delivered + lost + in flight */

void linkdirconfig_init(LinkDirConfig *c);

/* Joins two ports (neither may be plugged in). c[0] is a → b, c[1] is b → a. */
Link *link_new(LinkPort *a, LinkPort *b, const LinkDirConfig c[2]);
/* Pulls both plugs; the ports may be joined again by another link. An unplugged link is down, and must stay
 * until sim_run returns. */
void link_unplug(Link *l);
/* The pulled cable joins these two ports and comes up, with its settings, impairments and their random
 * streams (which keep the names of the first sender), queues and traces. */
void link_plug(Link *l, LinkPort *a, LinkPort *b);
void link_free(Link *l); /* NULL allowed; before its ports' owners and not during a run */

LinkPort *link_port(const Link *l, unsigned end); /* end 0 = a, 1 = b */
LinkDir *link_dir(const Link *l, unsigned i);     /* 0: a → b */
Queue *linkdir_queue(const LinkDir *d);
LinkDirStats linkdir_stats(const LinkDir *d);
uint32_t linkdir_mtu(const LinkDir *d);
uint64_t linkdir_rate(const LinkDir *d);
SimTime linkdir_delay(const LinkDir *d);
const LinkPort *linkdir_from(const LinkDir *d);

/* Changes take effect for frames whose transmission starts from now on. Must be called from an event of the
 * sending node (or before the run). */
void linkdir_set_rate(LinkDir *d, uint64_t rate_bps);
void linkdir_set_delay(LinkDir *d,
                       SimTime delay); /* a shorter delay lets later frames wait behind earlier ones: FIFO */
void linkdir_set_jitter(LinkDir *d, SimTime jitter, bool reorders);
void linkdir_set_mtu(LinkDir *d, uint32_t mtu);
void linkdir_set_queue(LinkDir *d,
                       Queue *q); /* waiting packets move over, in order; what does not fit is dropped */
void linkdir_set_paused(LinkDir *d,
                        bool paused); /* a stopped transmitter: frames wait in the queue (802.3x pause) */
void linkdir_add_impair(LinkDir *d, Impair *im);               /* at the end of the chain */
void linkdir_remove_impairs(LinkDir *d, const ImpairOps *ops); /* all of that kind; NULL: all */
/* Follows a parsed trace (rate/delay/loss, or delivery opportunities) from now on; the trace is taken over
 * and replaces one followed before; NULL ends it. A schedule's last values stay. With opportunities the rate
 * is without meaning: see linkfollow.c. */
void linkdir_follow(LinkDir *d, struct LinkTrace *trace);

/* The sending card's transmit ring: so many frames at most are between the queue and the end of their
 * transmission; a slot is free again irq_delay after that (see linkring.c). 0 slots: no ring (the default).
 * false: the link follows opportunities, which leave no place for one. What stands in a ring that is replaced
 * is lost. */
typedef struct LinkRingInfo {
    uint32_t slots, used, peak;
    uint64_t interrupts, completed; /* completion interrupts, and the frames they reported */
} LinkRingInfo;
bool linkdir_set_ring(LinkDir *d, unsigned slots, SimTime irq_delay);
LinkRingInfo linkdir_ring_info(const LinkDir *d); /* all 0: no ring */

/* Down: frames in flight and in the queues are lost, as when a cable is pulled from a running card (Linux
 * dev_deactivate drops what the qdisc holds); what is sent meanwhile is dropped; both ends hear about the
 * carrier. Nothing happens to an unplugged link. With several partitions this is a change at a barrier: it
 * touches both ends. */
void link_set_up(Link *l, bool up);
bool link_is_up(const Link *l);
size_t link_bytes(const Link *l); /* memory, for --stats */

/* A scenario's rule (Lua): sees each frame before the impairments; fills in the verdict (`drop` as
 * DROP_RULE); may replace the packet by an altered one (it gets its own reference and returns one, also with
 * a verdict of drop). It may change and pull the link. Captures at the sender show the frame as it was sent.
 * NULL takes the rule away. */
typedef Packet *(*LinkRuleFn)(void *user, LinkDir *d, Packet *pkt, const ImpairFrame *f, ImpairVerdict *v);
void linkdir_set_rule(LinkDir *d, LinkRuleFn fn, void *user);
