/* Counting rounds: a round ends when what was sent last at its beginning has been acknowledged. Two ways to
 * tell, both used by Linux's controllers: by sequence (HyStart, Vegas, DCTCP) and by the count of delivered
 * packets (BBR), which also advances when the acknowledged packet is a retransmission. */
#pragma once

#include "models/cc/cc.h"

typedef struct CcRound {
    uint32_t end;   /* a sequence number, or a value of `delivered` */
    uint32_t count; /* rounds that have ended */
} CcRound;

static inline void cc_round_init_seq(CcRound *r, const CcView *v)
{
    *r = (CcRound){.end = v->snd_nxt};
}

/* To be asked at each ACK. true: a round has ended and the next begins. */
static inline bool cc_round_on_ack_seq(CcRound *r, const CcView *v)
{
    if (cc_before(v->snd_una, r->end))
        return false;
    r->end = v->snd_nxt;
    r->count++;
    return true;
}

static inline void cc_round_init_delivered(CcRound *r, const CcView *v)
{
    *r = (CcRound){.end = v->delivered};
}

/* rs: a valid sample. The packet left when `prior_delivered` had been delivered: if that was after the
 * round's beginning, the round trip is over (Linux bbr_update_bw). */
static inline bool cc_round_on_ack_delivered(CcRound *r, const CcView *v, const CcRateSample *rs)
{
    if (cc_before(rs->prior_delivered, r->end))
        return false;
    r->end = v->delivered;
    r->count++;
    return true;
}
