/* HyStart++ (RFC 9406): when a round's smallest delay has risen by an eighth, do not leave slow start at once
 * but grow at a quarter of its pace (conservative slow start). Only if the delay stays high for five rounds,
 * ssthresh is set; if it falls again it was jitter, and slow start goes on.
 *
 * Usable by any controller: hold a HyStartPP; hystartpp_init at the start, hystartpp_on_rtt for each ACK with
 * a sample while in slow start, then hystartpp_slow_start in place of cc_slow_start; hystartpp_on_loss at the
 * first reduction, after which slow start is the ordinary one (RFC 9406 4.3: for the initial slow start
 * only). */
#pragma once

#include "models/cc/cc_round.h"

typedef enum HyStartPPPhase { HYSTARTPP_SLOW_START, HYSTARTPP_CONSERVATIVE, HYSTARTPP_DONE } HyStartPPPhase;

typedef struct HyStartPP {
    CcRound round;
    uint32_t last_round_rtt_us, round_rtt_us; /* smallest; UINT32_MAX: no sample */
    uint32_t baseline_us;                     /* the delay that ended slow start */
    uint8_t samples;                          /* in this round, up to 8 */
    uint8_t phase;                            /* HyStartPPPhase */
    uint8_t conservative_rounds;              /* that have ended */
    uint8_t quarters;                         /* of a packet that the window has still to grow */
} HyStartPP;

void hystartpp_init(HyStartPP *h, const CcView *v);
void hystartpp_on_rtt(HyStartPP *h, CcState *s, const CcView *v, uint32_t rtt_us);
/* Grows the window; returns the acknowledged packets that are left over for congestion avoidance. */
uint32_t hystartpp_slow_start(HyStartPP *h, CcState *s, const CcView *v, uint32_t acked);
void hystartpp_on_loss(HyStartPP *h);
