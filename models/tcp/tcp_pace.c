/* Pacing: how fast, and how much at once (Linux tcp_update_pacing_rate, tcp_pacing_check,
 * tcp_update_skb_after_send, tcp_tso_autosize, tcp_xmit_size_goal). The rate is set with every ACK; it sizes
 * TSO packets whether or not packets are spaced by it. Spacing is on (pacing_on) when the application set
 * SO_MAX_PACING_RATE or the controller asks: then by our own timer; or by the device when its queue is fq,
 * which obeys the departure time in each packet. */
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_timer.h"

/* sk_pacing_shift: about 1 ms of data at once */
#define PACING_SHIFT 10
/* sk_gso_max_size: 64 KiB less room for headers (sk_dst_gso_max_size) */
#define GSO_MAX_SIZE (65536u - 256 - 1)
#define GSO_MAX_SEGS 65535u
/* The first packets of a flow are not spaced, as in sch_fq */
#define UNPACED_SEGS 10

/* Linux sk_gso_max_segs: nobody below could sign each frame of a super packet (sk_gso_disable). */
static uint32_t gso_max_segs(const TcpConn *c)
{
    return c->md5 ? 1 : GSO_MAX_SEGS;
}

void tcp_pace_update_rate(TcpConn *c)
{
    const TcpSysctl *s = c->tcp->sysctl;
    /* mss * cwnd / srtt: srtt is scaled by 8, the ratios are percent */
    uint64_t rate = (uint64_t)c->mss_cache * ((1000000 / 100) << 3);

    rate *= c->cc.s.cwnd < c->cc.s.ssthresh / 2 ? s->tcp_pacing_ss_ratio : s->tcp_pacing_ca_ratio;
    rate *= HS_MAX(c->cc.s.cwnd, c->packets_out);
    if (c->rtt.srtt_us)
        rate /= c->rtt.srtt_us;
    c->pacing_rate_bps8 = HS_MIN(rate, c->max_pacing_rate);
}

SimTime tcp_pace_delay(const TcpConn *c)
{
    if (c->pace_wstamp <= c->mstamp)
        return 0;
    return (c->pace_wstamp - c->mstamp) / TCP_JIFFY_NS * TCP_JIFFY_NS;
}

bool tcp_pace_must_wait(TcpConn *c)
{
    if (c->pacing_on != 1 || c->pace_wstamp <= c->mstamp)
        return false;
    if (!tcp_timer_is_seldom_armed(c, TCP_SELDOM_PACE))
        tcp_timer_arm_seldom(c, TCP_SELDOM_PACE, c->pace_wstamp);
    return true;
}

void tcp_pace_on_sent(TcpConn *c, const TcpSeg *s, SimTime prior_wstamp)
{
    uint64_t rate = c->pacing_rate_bps8;

    if (!c->pacing_on || rate == UINT64_MAX || !rate || c->stats.data_segs_out < UNPACED_SEGS)
        return;

    SimTime len_ns = (SimTime)((unsigned __int128)tcpseg_len(s) * SIM_SEC / rate);
    SimTime credit = c->pace_wstamp - prior_wstamp;

    /* what was late is made up for, by half at most */
    len_ns -= HS_MIN(len_ns / 2, credit);
    c->pace_wstamp += len_ns;
}

uint32_t tcp_pace_tso_segs(TcpConn *c, uint32_t mss_now)
{
    const TcpSysctl *s = c->tcp->sysctl;
    uint32_t min_segs = s->tcp_min_tso_segs;
    uint64_t bytes = c->pacing_rate_bps8 >> PACING_SHIFT;
    uint32_t rtt = tcp_rtt_min_us(c);

    if (c->cc.ops && c->cc.ops->min_tso_segs) {
        CcView v;

        tcp_cc_fill_view(c, &v);
        min_segs = cc_min_tso_segs(&c->cc, &v, min_segs);
    }
    /* near peers get bigger bursts: halved for each 2^tso_rtt_log µs of round-trip time */
    rtt = s->tcp_tso_rtt_log < 32 ? rtt >> s->tcp_tso_rtt_log : 0;
    if (rtt < 32)
        bytes += GSO_MAX_SIZE >> rtt;
    bytes = HS_MIN(bytes, (uint64_t)GSO_MAX_SIZE);

    uint32_t segs = HS_MAX((uint32_t)bytes / mss_now, min_segs);

    return HS_MIN(segs, gso_max_segs(c));
}

/* Linux tcp_bound_to_half_wnd: not more than half the largest window that the peer ever offered, unless it is
 * tiny. */
uint32_t tcp_pace_bound_to_half_wnd(const TcpConn *c, uint32_t size)
{
    uint32_t cutoff = c->max_window > TCP_MSS_DEFAULT ? c->max_window >> 1 : c->max_window;

    if (cutoff && size > cutoff) {
        int32_t floor = 68 - (int32_t)c->tcp_header_len;
        return (uint32_t)HS_MAX((int32_t)cutoff, floor);
    }
    return size;
}

uint32_t tcp_pace_size_goal(TcpConn *c, uint32_t mss_now, bool large_allowed)
{
    uint32_t limit, goal;

    if (!large_allowed)
        return mss_now;
    limit = tcp_pace_bound_to_half_wnd(c, GSO_MAX_SIZE);
    goal = c->gso_segs * mss_now;
    if (limit < goal || limit >= goal + mss_now) {
        c->gso_segs = HS_MIN(limit / mss_now, gso_max_segs(c));
        goal = c->gso_segs * mss_now;
    }
    return HS_MAX(goal, mss_now);
}
