/* What a direction's rate, overhead, gap and delay make of a frame. A large network has thousands of links of
 * a few kinds: those that agree in all four share one LinkTiming, found by its values and counted; nobody
 * changes one that others use. So the arithmetic is done once for a kind and a frame's length, and an idle
 * direction pays for a pointer.
 *
 * Times are exact: `ns` nanoseconds and `frac` / rate_bps of another. */
#pragma once

#include "sim/engine/node.h"

typedef struct LinkTime {
    SimTime ns;
    uint64_t frac; /* < rate_bps */
    uint32_t len;
} LinkTime;

#define LINKTIMING_LENGTHS 4 /* remembered: data and acknowledgments, say, of both directions */

typedef struct LinkTiming LinkTiming;
struct LinkTiming {
    uint64_t rate_bps; /* 0: infinitely fast */
    SimTime delay;
    uint16_t overhead_bytes, gap_bytes;
    uint32_t users;
    LinkTime gap;
    LinkTime frame[LINKTIMING_LENGTHS];
    LinkTiming *next; /* of the same hash */
};

/* The partition's LinkTiming of those values. */
LinkTiming *linktiming_take(Partition *part, uint64_t rate_bps, SimTime delay, uint16_t overhead_bytes,
                            uint16_t gap_bytes);
void linktiming_give(Partition *part, LinkTiming *t);

void linktiming_compute(const LinkTiming *t, LinkTime *of);

/* What a frame of that length takes on the wire, gap included. The rate is not 0. */
static inline const LinkTime *linktiming_frame(LinkTiming *t, uint32_t len)
{
    /* Full-sized frames and small ones (42, 54, 60, 66, 1514 …) in different places. */
    LinkTime *f = &t->frame[(len >> 3 ^ len >> 2) % LINKTIMING_LENGTHS];

    if (HS_UNLIKELY(f->len != len)) {
        f->len = len;
        linktiming_compute(t, f);
    }
    return f;
}
