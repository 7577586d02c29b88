/* Linux net/ipv4/tcp_cubic.c: bictcp_hystart_reset, hystart_update, hystart_ack_delay. */
#include "models/cc/hystart.h"

#define MIN_SAMPLES 8         /* Linux HYSTART_MIN_SAMPLES */
#define DELAY_MIN_US 4000     /* HYSTART_DELAY_MIN */
#define DELAY_MAX_US 16000    /* HYSTART_DELAY_MAX */
#define ACK_DELAY_MAX_US 1000 /* one jiffy of a HZ = 1000 machine, and of aggregation */

void hystart_reset(HyStart *h, const CcView *v)
{
    h->round_start_us = h->last_ack_us = cc_now_us(v);
    h->end_seq = v->snd_nxt;
    h->rtt_us = UINT32_MAX;
    h->samples = 0;
}

/* How long segmentation offload may hold ACKs together: four of its largest bursts at the pacing rate. */
static uint32_t ack_delay_us(const CcView *v)
{
    uint64_t us;

    if (v->pacing_rate == 0)
        return 0;
    us = (uint64_t)v->gso_max_bytes * 4 * 1000000 / v->pacing_rate;
    return (uint32_t)HS_MIN(us, ACK_DELAY_MAX_US);
}

static uint32_t delay_threshold_us(uint32_t min_rtt_us)
{
    uint32_t eighth = min_rtt_us >> 3;

    return HS_MAX(DELAY_MIN_US, HS_MIN(eighth, DELAY_MAX_US));
}

static void end_slow_start(HyStart *h, CcState *s, unsigned note)
{
    h->found = true;
    s->ssthresh = s->cwnd;
    s->notes |= (uint8_t)note;
}

static void look_for_train(HyStart *h, CcState *s, const CcView *v, const HyStartParams *p,
                           uint32_t min_rtt_us)
{
    uint32_t now = cc_now_us(v), threshold;

    if ((int32_t)(now - h->last_ack_us) > (int32_t)p->ack_delta_us)
        return;
    h->last_ack_us = now;
    threshold = min_rtt_us + ack_delay_us(v);
    /* Half a round trip is the way one direction. Pacing spreads a flight over that half already, so the
     * train must then be twice as long. */
    if (!v->is_paced)
        threshold >>= 1;
    if ((int32_t)(now - h->round_start_us) > (int32_t)threshold)
        end_slow_start(h, s, CC_NOTE_HYSTART_TRAIN);
}

static void look_for_delay(HyStart *h, CcState *s, uint32_t rtt_us, uint32_t min_rtt_us)
{
    h->rtt_us = HS_MIN(h->rtt_us, rtt_us);
    if (h->samples < MIN_SAMPLES) {
        h->samples++;
        return;
    }
    if (h->rtt_us > min_rtt_us + delay_threshold_us(min_rtt_us))
        end_slow_start(h, s, CC_NOTE_HYSTART_DELAY);
}

void hystart_on_rtt(HyStart *h, CcState *s, const CcView *v, const HyStartParams *p, uint32_t rtt_us,
                    uint32_t min_rtt_us)
{
    if (cc_after(v->snd_una, h->end_seq))
        hystart_reset(h, v);
    if (s->cwnd < p->low_window)
        return;
    if (p->detect & HYSTART_ACK_TRAIN)
        look_for_train(h, s, v, p, min_rtt_us);
    if (p->detect & HYSTART_DELAY)
        look_for_delay(h, s, rtt_us, min_rtt_us);
}
