/* A shared half-duplex Ethernet segment, coax or hub: everybody hears everybody, one at a time, CSMA/CD (IEEE
 * 802.3 clause 4). Two ports on a segment are a half-duplex point-to-point link.
 *
 * All stations are the same distance apart (a hub with equal cables). A segment is a node: the hub. What its
 * stations do they do to it directly, so they all live in its partition.
 *
 * A station that has a frame waits until it hears nobody, then for the inter-frame gap, then sends. If
 * another's first bit has not reached it yet, the two collide: both notice when they hear the other, jam, and
 * try again after a random number of slots. */
#pragma once

#include "models/link/port.h"
#include "sim/engine/sim.h"

typedef struct Segment Segment;

typedef struct SegmentConfig {
    uint64_t rate_bps;      /* 10 Mbit/s */
    SimTime delay;          /* from any station to any other: 1 µs (200 m) */
    uint32_t mtu;           /* 1500 */
    uint32_t queue_packets; /* per station: 1000 */
    unsigned attempts;      /* 16 */
} SegmentConfig;

typedef struct SegmentStats {
    uint64_t delivered_frames, delivered_bytes; /* counted once, however many stations hear them */
    uint64_t collisions;                        /* that happened, whoever took part */
    SimTime busy;                               /* good frames on the wire */
} SegmentStats;

typedef struct SegmentPortStats {
    uint64_t tx_frames, tx_bytes;
    uint64_t collisions;           /* attempts that failed */
    uint64_t single, multiple;     /* frames sent after one failure, after more */
    uint64_t deferred;             /* frames that found somebody sending */
    uint64_t excessive_collisions; /* frames given up */
    uint64_t queue_drops;
} SegmentPortStats;

void segmentconfig_init(SegmentConfig *c);
/* NULL and *error (a sentence, g_malloc'ed) when the segment is longer than a slot allows. */
Segment *segment_new(Sim *sim, const char *name, const SegmentConfig *c, char **error);
void segment_free(Segment *s); /* NULL allowed; pulls every plug */

/* Plugs a port in (which must not be plugged in elsewhere), and out. */
void segment_join(Segment *s, LinkPort *port);
void segment_leave(Segment *s, LinkPort *port);

Node *segment_node(Segment *s);
SimTime segment_slot(const Segment *s);
const SegmentStats *segment_stats(const Segment *s);
/* NULL: the port is not plugged in here. */
const SegmentPortStats *segment_port_stats(const Segment *s, const LinkPort *port);
