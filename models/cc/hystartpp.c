/* RFC 9406 section 4.2, constants of section 4.3. */
#include "models/cc/hystartpp.h"

#define RTT_THRESH_MIN_US 4000
#define RTT_THRESH_MAX_US 16000
#define RTT_DIVISOR 8
#define N_RTT_SAMPLE 8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS 5
#define L_UNPACED 8 /* packets per ACK; without limit where a pacer smooths the burst */

void hystartpp_init(HyStartPP *h, const CcView *v)
{
    *h = (HyStartPP){.last_round_rtt_us = UINT32_MAX, .round_rtt_us = UINT32_MAX, .baseline_us = UINT32_MAX};
    cc_round_init_seq(&h->round, v);
}

static void on_round_end(HyStartPP *h, CcState *s)
{
    h->last_round_rtt_us = h->round_rtt_us;
    h->round_rtt_us = UINT32_MAX;
    h->samples = 0;
    s->notes |= CC_NOTE_ROUND_START;
    if (h->phase == HYSTARTPP_CONSERVATIVE && ++h->conservative_rounds >= CSS_ROUNDS) {
        h->phase = HYSTARTPP_DONE;
        s->ssthresh = s->cwnd;
        s->notes |= CC_NOTE_MODE;
    }
}

static uint32_t threshold_us(uint32_t rtt_us)
{
    uint32_t eighth = rtt_us / RTT_DIVISOR;

    return HS_MAX(RTT_THRESH_MIN_US, HS_MIN(eighth, RTT_THRESH_MAX_US));
}

void hystartpp_on_rtt(HyStartPP *h, CcState *s, const CcView *v, uint32_t rtt_us)
{
    if (h->phase == HYSTARTPP_DONE)
        return;
    if (cc_round_on_ack_seq(&h->round, v))
        on_round_end(h, s);
    if (h->phase == HYSTARTPP_DONE)
        return;

    h->round_rtt_us = HS_MIN(h->round_rtt_us, rtt_us);
    if (h->samples < N_RTT_SAMPLE && ++h->samples < N_RTT_SAMPLE)
        return;
    if (h->phase == HYSTARTPP_CONSERVATIVE) {
        if (h->round_rtt_us < h->baseline_us) {
            h->phase = HYSTARTPP_SLOW_START;
            h->baseline_us = UINT32_MAX;
            s->notes |= CC_NOTE_MODE;
        }
    } else if (h->last_round_rtt_us != UINT32_MAX &&
               h->round_rtt_us >= h->last_round_rtt_us + threshold_us(h->last_round_rtt_us)) {
        h->phase = HYSTARTPP_CONSERVATIVE;
        h->baseline_us = h->round_rtt_us;
        h->conservative_rounds = 0;
        h->quarters = 0;
        s->notes |= CC_NOTE_MODE;
    }
}

uint32_t hystartpp_slow_start(HyStartPP *h, CcState *s, const CcView *v, uint32_t acked)
{
    uint32_t counted = acked;

    if (h->phase == HYSTARTPP_DONE)
        return cc_slow_start(s, v, acked);
    if (!v->is_paced)
        counted = HS_MIN(counted, L_UNPACED);
    if (h->phase == HYSTARTPP_CONSERVATIVE) {
        counted += h->quarters;
        h->quarters = (uint8_t)(counted % CSS_GROWTH_DIVISOR);
        counted /= CSS_GROWTH_DIVISOR;
    }
    return cc_slow_start(s, v, counted);
}

void hystartpp_on_loss(HyStartPP *h)
{
    h->phase = HYSTARTPP_DONE;
}
