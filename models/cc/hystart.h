/* Hybrid slow start: leave slow start before the queue overflows. S. Ha, I. Rhee, "Taming the Elephants: New
 * TCP Slow Start", 2011, as in Linux's tcp_cubic.c, where two signs end slow start:
 *   - ACK train: ACKs that follow each other closely span the path's one-way delay: the pipe is full;
 *   - delay: the smallest of a round's first samples lies an eighth of the minimum above it: a queue grows.
 * Usable by any controller: hold a HyStart, call hystart_reset when a flight begins anew (start,
 * timeout) and hystart_on_rtt for each ACK with a sample during slow start. It ends slow start by setting
 * ssthresh. */
#pragma once

#include "models/cc/cc.h"

enum { HYSTART_ACK_TRAIN = 1, HYSTART_DELAY = 2 }; /* Linux hystart_detect */

typedef struct HyStartParams {
    uint32_t detect;       /* HYSTART_*: both */
    uint32_t low_window;   /* 16: below it, nothing is looked for */
    uint32_t ack_delta_us; /* 2000: closer ACKs belong to one train */
} HyStartParams;

typedef struct HyStart {
    uint32_t round_start_us;
    uint32_t last_ack_us; /* of the train */
    uint32_t end_seq;     /* the round lasts until it is acknowledged */
    uint32_t rtt_us;      /* smallest of the round; UINT32_MAX: none */
    uint8_t samples;      /* of the round, up to 8 */
    bool found;           /* slow start has been ended */
} HyStart;

void hystart_reset(HyStart *h, const CcView *v);
/* min_rtt_us: the smallest delay that the controller knows. */
void hystart_on_rtt(HyStart *h, CcState *s, const CcView *v, const HyStartParams *p, uint32_t rtt_us,
                    uint32_t min_rtt_us);
