/* Reno: one packet per acknowledged packet in slow start, one per window in congestion avoidance, half the
 * window at a loss (RFC 5681; Linux net/ipv4/tcp_cong.c tcp_reno). How a loss is found and how the window
 * gets to ssthresh is the transport's recovery, which is where Tahoe, Reno and NewReno differ.
 *
 * As in Linux, and unlike RFC 5681 3.1: packets are counted, not bytes, and each acknowledged packet counts
 * whether or not ACKs are delayed (appropriate byte counting, RFC 3465, without its limit L). The parameter
 * hystartpp is not Linux's: RFC 9406 in place of slow start. */
#include "models/cc/cc.h"
#include "models/cc/hystartpp.h"

enum { HYSTARTPP };

#define CWND_MIN 2 /* packets: RFC 5681 equation (4), 2*SMSS */

typedef struct Reno {
    HyStartPP hystartpp;
} Reno;

uint32_t cc_reno_ssthresh(Cc *cc, const CcView *v)
{
    return HS_MAX(cc->s.cwnd >> 1, CWND_MIN);
}

void cc_reno_cong_avoid(Cc *cc, const CcView *v, uint32_t ack, uint32_t acked)
{
    if (!cc_is_cwnd_limited(&cc->s, v))
        return;
    if (cc_in_slow_start(&cc->s)) {
        acked = cc_slow_start(&cc->s, v, acked);
        if (acked == 0)
            return;
    }
    cc_avoid_ai(&cc->s, v, cc->s.cwnd, acked);
}

uint32_t cc_reno_undo_cwnd(Cc *cc, const CcView *v)
{
    return HS_MAX(cc->s.cwnd, v->prior_cwnd);
}

static void reno_init(Cc *cc, const CcView *v)
{
    hystartpp_init(&((Reno *)cc_priv(cc))->hystartpp, v);
}

static uint32_t reno_ssthresh(Cc *cc, const CcView *v)
{
    hystartpp_on_loss(&((Reno *)cc_priv(cc))->hystartpp);
    return cc_reno_ssthresh(cc, v);
}

static void reno_cong_avoid(Cc *cc, const CcView *v, uint32_t ack, uint32_t acked)
{
    Reno *r = cc_priv(cc);

    if (!cc_param(cc, HYSTARTPP)) {
        cc_reno_cong_avoid(cc, v, ack, acked);
        return;
    }
    if (!cc_is_cwnd_limited(&cc->s, v))
        return;
    if (cc_in_slow_start(&cc->s)) {
        acked = hystartpp_slow_start(&r->hystartpp, &cc->s, v, acked);
        if (acked == 0 || cc_in_slow_start(&cc->s))
            return;
    }
    cc_avoid_ai(&cc->s, v, cc->s.cwnd, acked);
}

static void reno_pkts_acked(Cc *cc, const CcView *v, const CcAckSample *a)
{
    if (cc_param(cc, HYSTARTPP) && a->rtt_us >= 0 && cc_in_slow_start(&cc->s))
        hystartpp_on_rtt(&((Reno *)cc_priv(cc))->hystartpp, &cc->s, v, (uint32_t)a->rtt_us);
}

static void reno_get_info(const Cc *cc, const CcView *v, CcInfo *info)
{
    const Reno *r = cc_priv_const(cc);

    if (!cc_in_slow_start(&cc->s))
        info->mode = "congestion avoidance";
    else if (cc_param(cc, HYSTARTPP) && r->hystartpp.phase == HYSTARTPP_CONSERVATIVE)
        info->mode = "conservative slow start";
    else
        info->mode = "slow start";
}

const CcOps cc_reno_ops = {
    .name = "reno",
    .help = "one packet more per round trip, half at a loss (RFC 5681)",
    .flags = CC_NON_RESTRICTED | CC_SMALL_VIEW,
    .state_size = sizeof(Reno),
    .params = (const CcParam[]){{"hystartpp", 0, 0, 1, "leave slow start as RFC 9406 says"}, {NULL}},
    .init = reno_init,
    .ssthresh = reno_ssthresh,
    .cong_avoid = reno_cong_avoid,
    .pkts_acked = reno_pkts_acked,
    .undo_cwnd = cc_reno_undo_cwnd,
    .get_info = reno_get_info,
};
