/* Round-trip times: smoothed estimate and timeout (RFC 6298 with Linux's tcp_rtt_estimator), the windowed
 * minimum (Kathleen Nichols' algorithm as in Linux lib/win_minmax.c), and where samples come from.
 *
 * Differences from RFC 6298, all Linux's: the variance is the largest mean deviation of the last round trip
 * and decays once per round trip only; its floor is the minimum timeout, so that RTO >= SRTT + 200 ms; a
 * falling RTT raises the deviation at 1/8 of the usual gain. */
#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"

#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"

/* Linux tcp_rto_min: what the route says goes before socket option and sysctl; iproute2 always locks rto_min.
 */
uint32_t tcp_rtt_rto_min_us(const TcpConn *c)
{
    if (HS_UNLIKELY(route_metrics_has(c->metrics, ROUTE_RTO_MIN_US)))
        return route_metrics_get(c->metrics, ROUTE_RTO_MIN_US);
    return c->rtt.rto_min_ms * 1000;
}

void tcp_rtt_estimate(TcpRtt *r, int64_t mrtt_us, uint32_t rto_min_us, uint32_t snd_nxt, uint32_t snd_una)
{
    int64_t m = mrtt_us; /* becomes the error of the estimate */
    uint32_t srtt = r->srtt_us;

    if (srtt == 0) {
        /* the first sample: RTO = 3 * RTT (RFC 6298 2.2) */
        srtt = (uint32_t)m << 3;
        r->mdev_us = (uint32_t)m << 1;
        r->rttvar_us = HS_MAX(r->mdev_us, rto_min_us);
        r->mdev_max_us = r->rttvar_us;
        r->rtt_seq = snd_nxt;
        r->srtt_us = HS_MAX(1u, srtt);
        return;
    }

    m -= srtt >> 3;
    srtt += (uint32_t)m;
    if (m < 0) {
        m = -m - (int64_t)(r->mdev_us >> 2);
        /* A sudden fall of the RTT must not blow the timeout up: Eifel's finding. */
        if (m > 0)
            m >>= 3;
    } else {
        m -= r->mdev_us >> 2;
    }
    r->mdev_us += (uint32_t)m;
    if (r->mdev_us > r->mdev_max_us) {
        r->mdev_max_us = r->mdev_us;
        if (r->mdev_max_us > r->rttvar_us)
            r->rttvar_us = r->mdev_max_us;
    }
    if (tcp_after(snd_una, r->rtt_seq)) {
        if (r->mdev_max_us < r->rttvar_us)
            r->rttvar_us -= (r->rttvar_us - r->mdev_max_us) >> 2;
        r->rtt_seq = snd_nxt;
        r->mdev_max_us = rto_min_us;
    }
    r->srtt_us = HS_MAX(1u, srtt);
}

/* RFC 6298 2.2 and 2.3, as Jacobson's fixed-point arithmetic does it: SRTT in eighths, RTTVAR in quarters. */
static void estimate_rfc6298(TcpRtt *r, int64_t mrtt_us)
{
    int64_t error = mrtt_us - (int64_t)(r->srtt_us >> 3);

    if (r->srtt_us == 0) {
        r->srtt_us = HS_MAX(1u, (uint32_t)mrtt_us << 3);
        r->mdev_us = (uint32_t)mrtt_us << 1;
    } else {
        r->mdev_us += (uint32_t)((error < 0 ? -error : error) - (int64_t)(r->mdev_us >> 2));
        r->srtt_us = HS_MAX(1u, r->srtt_us + (uint32_t)error);
    }
    r->rttvar_us = r->mdev_us;
}

static uint32_t rto_rfc6298_us(const TcpRtt *r)
{
    uint32_t us = (r->srtt_us >> 3) + HS_MAX(r->rttvar_us, TCP_JIFFY_NS / SIM_US);

    return HS_MAX(us, 1000000u);
}

/* Linux tcp_set_rto: whole ticks, rounded up. */
void tcp_rtt_set_rto(TcpConn *c)
{
    const TcpSysctl *s = c->tcp->sysctl;
    uint32_t us = (c->rtt.srtt_us >> 3) + c->rtt.rttvar_us;

    if (HS_UNLIKELY(s->quirks & TCP_QUIRK_RFC6298))
        us = rto_rfc6298_us(&c->rtt);
    if (HS_UNLIKELY(s->rto_fixed_ms))
        us = s->rto_fixed_ms * 1000;
    c->rtt.rto_ms = HS_MIN((us + 999) / 1000, c->rtt.rto_max_ms);
}

uint32_t tcp_rtt_min_us(const TcpConn *c)
{
    uint32_t v = c->rtt.min_rtt[0].v;

    return v ? v : UINT32_MAX; /* nothing measured is never 0: see tcp_rtt_update_min */
}

static void min_reset(TcpRtt *r, uint32_t t, uint32_t v)
{
    for (int i = 0; i < 3; i++) {
        r->min_rtt[i].t = t;
        r->min_rtt[i].v = v;
    }
}

void tcp_rtt_shift(TcpConn *c, int32_t delta_us)
{
    if (!delta_us || !c->rtt.srtt_us)
        return;
    c->rtt.srtt_us = (uint32_t)HS_MAX(1, HS_MIN(UINT32_MAX, (int64_t)c->rtt.srtt_us + (int64_t)delta_us * 8));
    tcp_rtt_set_rto(c);
    min_reset(&c->rtt, (uint32_t)(c->mstamp / SIM_MS), UINT32_MAX);
    tcp_pace_update_rate(c);
}

/* The best, second best and third best of the window, each later than the one before: when the best one gets
 * too old, the next steps in. Linux minmax_running_min and minmax_subwin_update. */
static void min_running(TcpRtt *r, uint32_t win, uint32_t t, uint32_t v)
{
    uint32_t dt;

    if (r->min_rtt[0].v == 0 || v <= r->min_rtt[0].v || t - r->min_rtt[2].t > win) {
        min_reset(r, t, v);
        return;
    }
    if (v <= r->min_rtt[1].v) {
        r->min_rtt[1].t = r->min_rtt[2].t = t;
        r->min_rtt[1].v = r->min_rtt[2].v = v;
    } else if (v <= r->min_rtt[2].v) {
        r->min_rtt[2].t = t;
        r->min_rtt[2].v = v;
    }

    dt = t - r->min_rtt[0].t;
    if (dt > win) {
        for (int again = 0; again < 2; again++) {
            r->min_rtt[0] = r->min_rtt[1];
            r->min_rtt[1] = r->min_rtt[2];
            r->min_rtt[2].t = t;
            r->min_rtt[2].v = v;
            if (t - r->min_rtt[0].t <= win)
                break;
        }
    } else if (r->min_rtt[1].t == r->min_rtt[0].t && dt > win / 4) {
        /* a quarter of the window without a second choice: take one from the second quarter */
        r->min_rtt[1].t = r->min_rtt[2].t = t;
        r->min_rtt[1].v = r->min_rtt[2].v = v;
    } else if (r->min_rtt[2].t == r->min_rtt[1].t && dt > win / 2) {
        r->min_rtt[2].t = t;
        r->min_rtt[2].v = v;
    }
}

void tcp_rtt_update_min(TcpConn *c, uint32_t rtt_us, int flag)
{
    uint32_t ms = (uint32_t)(c->mstamp / SIM_MS);

    /* The receiver's delayed ACK says nothing about the path. */
    if ((flag & ACK_MAYBE_DELAYED) && rtt_us > tcp_rtt_min_us(c))
        return;
    min_running(&c->rtt, c->tcp->sysctl->tcp_min_rtt_wlen_s * 1000, ms, rtt_us ? rtt_us : 1000);
}

/* Linux tcp_rtt_tsopt_us: what the echoed timestamp says, in the clock's milliseconds; -1: nonsense. */
static int64_t tsopt_us(const TcpConn *c)
{
    uint32_t delta = tcp_ts_clock(c->mstamp) - c->ts.rcv_tsecr;

    if (delta >= INT32_MAX / 1000)
        return -1;
    return (int64_t)(delta ? delta : 1) * 1000;
}

bool tcp_rtt_ack_update(TcpConn *c, int flag, int64_t seq_rtt_us, int64_t sack_rtt_us, int64_t ca_rtt_us,
                        CcRateSample *rs)
{
    /* Karn: only what was sent once is measured. A SACK for it is as good as an ACK; after a retransmission
     * the echoed timestamp still tells which one was acknowledged (RFC 7323 4.1). */
    if (seq_rtt_us < 0)
        seq_rtt_us = sack_rtt_us;
    if (seq_rtt_us < 0 && c->ts.saw_tstamp && c->ts.rcv_tsecr && (flag & ACK_ACKED))
        seq_rtt_us = ca_rtt_us = tsopt_us(c);
    rs->rtt_us = ca_rtt_us; /* without the peer's delay of ACKs, or -1 */
    if (seq_rtt_us < 0)
        return false;

    tcp_rtt_update_min(c, (uint32_t)ca_rtt_us, flag);
    if (HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_RFC6298))
        estimate_rfc6298(&c->rtt, seq_rtt_us);
    else
        tcp_rtt_estimate(&c->rtt, seq_rtt_us, tcp_rtt_rto_min_us(c), c->snd_nxt, c->snd_una);
    tcp_rtt_set_rto(c);
    c->rtt.backoff = 0; /* RFC 6298: the timeout is computed anew */
    tcp_probes_rtt(c, seq_rtt_us);
    return true;
}

void tcp_rtt_synack(TcpConn *c, const TcpReq *r)
{
    CcRateSample rs;
    int64_t rtt_us = -1;

    if (r && !r->num_retrans && r->snt_synack)
        rtt_us = tcp_us_between(c->mstamp, r->snt_synack);
    tcp_rtt_ack_update(c, ACK_SYN_ACKED, rtt_us, -1, rtt_us, &rs);
}
