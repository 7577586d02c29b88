/* The bridge to the congestion controllers (models/cc): shows them a connection, and takes over what they
 * decide. The window itself lives in c->cc.s; who changes it when is decided here as in Linux
 * tcp_cong_control: PRR during a reduction, the controller's cong_avoid while ACKs advance, or cong_control
 * for those that want to do it all. */
#include <errno.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_quirk.h"

#define CC_VIEW_GSO_MAX 65536
#define CC_VIEW_PACING_SHIFT 10

static uint64_t pacing_rate(const TcpConn *c)
{
    return c->pacing_rate_bps8 == UINT64_MAX ? 0 : c->pacing_rate_bps8;
}

static void fill_small_view(const TcpConn *c, CcView *v)
{
    v->now_ns = c->mstamp;
    v->last_send_ns = c->lsndtime;
    v->pacing_rate = pacing_rate(c);
    v->gso_max_bytes = CC_VIEW_GSO_MAX;
    v->cwnd_clamp = c->snd_cwnd_clamp;
    v->prior_cwnd = c->rec.prior_cwnd;
    v->max_packets_out = c->max_packets_out;
    v->delivered = c->delivered;
    v->snd_una = c->snd_una;
    v->snd_nxt = c->snd_nxt;
    v->is_cwnd_limited = c->is_cwnd_limited;
    v->is_paced = c->pacing_on;
}

void tcp_cc_fill_view(TcpConn *c, CcView *v)
{
    if (c->cc.ops->flags & CC_SMALL_VIEW) {
        fill_small_view(c, v);
        return;
    }
    *v = (CcView){
        .now_ns = c->mstamp,
        .edt_ns = HS_MAX(c->pace_wstamp, c->mstamp),
        .last_send_ns = c->lsndtime,
        .delivered_ns = c->rate.delivered_ns,
        .pacing_rate = pacing_rate(c),
        .pacing_rate_max = c->max_pacing_rate,
        .bytes_acked = c->stats.bytes_acked,
        .mss = c->mss_cache,
        .gso_max_bytes = CC_VIEW_GSO_MAX,
        .cwnd_clamp = c->snd_cwnd_clamp,
        .prior_cwnd = c->rec.prior_cwnd,
        .in_flight = tcp_packets_in_flight(c),
        .packets_out = c->packets_out,
        .sacked_out = c->sacked_out,
        .lost_out = c->lost_out,
        .retrans_out = c->retrans_out,
        .max_packets_out = c->max_packets_out,
        .srtt_us = c->rtt.srtt_us,
        .mdev_us = c->rtt.mdev_us,
        .rttvar_us = c->rtt.rttvar_us,
        .min_rtt_us = tcp_rtt_min_us(c),
        .rto_us = c->rtt.rto_ms * 1000,
        .delivered = c->delivered,
        .delivered_ce = c->delivered_ce,
        .lost = c->lost,
        .app_limited = c->rate.app_limited,
        .snd_una = c->snd_una,
        .snd_nxt = c->snd_nxt,
        .write_seq = c->write_seq,
        .high_seq = c->rec.high_seq,
        .rcv_nxt = c->rcv_nxt,
        .init_cwnd = tcp_cwnd_initial(c),
        .ca_state = c->rec.ca_state,
        .pacing_shift = CC_VIEW_PACING_SHIFT,
        .is_cwnd_limited = c->is_cwnd_limited,
        .is_paced = c->pacing_on,
        .is_ecn = tcp_ecn_is_rfc3168(c) || tcp_ecn_is_accecn(c),
    };
}

/* Counts what the controller noted, and obeys. */
static void take_over(TcpConn *c)
{
    CcState *s = &c->cc.s;

    if (s->notes & CC_NOTE_HYSTART_TRAIN) {
        TCP_INC(c->tcp, TcpExtTCPHystartTrainDetect);
        TCP_ADD(c->tcp, TcpExtTCPHystartTrainCwnd, s->cwnd);
    }
    if (s->notes & CC_NOTE_HYSTART_DELAY) {
        TCP_INC(c->tcp, TcpExtTCPHystartDelayDetect);
        TCP_ADD(c->tcp, TcpExtTCPHystartDelayCwnd, s->cwnd);
    }
    s->notes = 0;
    if (s->mark_app_limited) {
        uint32_t bubble = c->delivered + tcp_packets_in_flight(c);

        c->rate.app_limited = bubble ? bubble : 1;
        s->mark_app_limited = false;
    }
    if (s->pacing_rate)
        c->pacing_rate_bps8 = HS_MIN(s->pacing_rate, c->max_pacing_rate);
    hs_assert(s->cwnd > 0);
}

void tcp_cc_init(TcpConn *c)
{
    CcView v;

    c->rec.prior_ssthresh = 0;
    if ((c->cc.ops->flags & CC_NEEDS_PACING) && !c->pacing_on)
        c->pacing_on = 1;
    tcp_cc_fill_view(c, &v);
    cc_start(&c->cc, &v);
    take_over(c);
    tcp_ecn_cc_assigned(c);
}

/* Linux tcp_set_congestion_control: any time; one that runs is replaced, and starts as on a new connection.
 */
int tcp_cc_set(TcpConn *c, const char *name)
{
    const CcOps *ops = cc_ops_find(c->tcp->controllers, name);

    if (!ops)
        return -ENOENT;
    if (ops == c->cc.ops)
        return 0;
    cc_assign(&c->cc, ops, tcp_cc_params(c->tcp, ops, false));
    tcp_ecn_cc_assigned(c);
    if (c->state != TCP_CLOSE && c->state != TCP_LISTEN)
        tcp_cc_init(c);
    return 0;
}

void tcp_cc_event(TcpConn *c, CcEvent ev)
{
    CcView v;

    if (!c->cc.ops->cwnd_event)
        return;
    tcp_cc_fill_view(c, &v);
    cc_cwnd_event(&c->cc, &v, ev);
    take_over(c);
}

/* Linux tcp_may_raise_cwnd: in order only, unless the network is known to reorder much: then whatever makes
 * progress. */
static bool may_raise_cwnd(const TcpConn *c, int flag)
{
    if (c->sack.reordering > c->tcp->sysctl->tcp_reordering)
        return flag & ACK_FORWARD_PROGRESS;
    return flag & ACK_DATA_ACKED;
}

void tcp_cc_control(TcpConn *c, uint32_t ack, uint32_t acked_sacked, int flag, const CcRateSample *rs)
{
    CcView v;

    if (HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_FIXED_CWND)) {
        c->cc.s.cwnd = tcp_cwnd_initial(c);
        tcp_pace_update_rate(c);
        return;
    }
    if (HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_COUNT_ACKS))
        acked_sacked = HS_MIN(acked_sacked, 1u);
    if (cc_has_cong_control(&c->cc)) {
        uint32_t ev = (flag & ACK_WIN_UPDATE ? CC_ACK_WIN_UPDATE : 0) |
                      (flag & ACK_SLOWPATH ? CC_ACK_SLOWPATH : 0) | (flag & ACK_ECE ? CC_ACK_ECE : 0);

        tcp_cc_fill_view(c, &v);
        cc_cong_control(&c->cc, &v, ack, ev, rs);
    } else if (tcp_in_cwnd_reduction(c)) {
        tcp_prr_reduce(c, (int)acked_sacked, rs->losses, flag);
    } else if (may_raise_cwnd(c, flag)) {
        tcp_cc_fill_view(c, &v);
        cc_cong_avoid(&c->cc, &v, ack, acked_sacked);
        c->snd_cwnd_stamp = c->mstamp;
    }
    take_over(c);
    if (!c->cc.s.pacing_rate) /* one that controls everything sets it, as in Linux, or leaves it to us */
        tcp_pace_update_rate(c);
}
