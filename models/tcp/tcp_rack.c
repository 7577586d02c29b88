/* RACK (RFC 8985; Linux tcp_recovery.c): a segment is lost when one that was sent later has been delivered
 * and it itself is overdue by a reordering window. Works for retransmissions as for originals, and needs no
 * counting of duplicate ACKs. Without SACK, NewReno's rule stands in: tcp_rack_mark_newreno.
 *
 * The queue in order of transmission (TcpSndq.tsort) is why this is cheap: the walk ends at the first segment
 * that was sent after the latest delivered one. */
#include "models/tcp/tcp_ack.h"

#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_timer.h"

/* bits of sysctl tcp_recovery */
enum { RACK_STATIC_REO_WND = 2, RACK_NO_DUPTHRESH = 4 };
#define RACK_RECOVERY_THRESH 16 /* recoveries without D-SACK until the window shrinks back */

bool tcp_rack_is_sent_after(SimTime t1, SimTime t2, uint32_t seq1, uint32_t seq2)
{
    int64_t a = t1 / SIM_US, b = t2 / SIM_US;

    return a > b || (a == b && tcp_after(seq1, seq2));
}

uint32_t tcp_rack_reo_wnd_us(const TcpConn *c)
{
    uint64_t wnd;

    /* Where reordering has never been seen, three SACKed segments are evidence enough, and in recovery the
     * first is. */
    if (!c->sack.reord_seen) {
        if (c->rec.ca_state >= TCP_CA_RECOVERY)
            return 0;
        if (c->sacked_out >= c->sack.reordering && !(c->tcp->sysctl->tcp_recovery & RACK_NO_DUPTHRESH))
            return 0;
    }
    wnd = (uint64_t)(tcp_rtt_min_us(c) >> 2) * c->rack.reo_wnd_steps;
    return (uint32_t)HS_MIN(wnd, (uint64_t)(c->rtt.srtt_us >> 3));
}

int64_t tcp_rack_seg_timeout_us(TcpConn *c, const TcpSeg *s, uint32_t reo_wnd_us)
{
    return (int64_t)c->rack.rtt_us + reo_wnd_us - tcp_us_between(c->mstamp, tcp_rack_sent(s));
}

/* Marks what is overdue. Returns when the last of those that may still become so will be; 0: none. */
static uint32_t detect_loss(TcpConn *c)
{
    uint32_t reo_wnd_us = tcp_rack_reo_wnd_us(c);
    uint32_t timeout_us = 0;
    TcpSeg *next;

    for (TcpSeg *s = c->snd.tsort_head; s; s = next) {
        int64_t remaining;

        next = s->tsort_next;
        /* lost and not sent again yet */
        if ((s->sacked & SEG_LOST) && !(s->sacked & SEG_RETRANS))
            continue;
        if (!tcp_rack_is_sent_after(c->rack.mstamp, tcp_rack_sent(s), c->rack.end_seq, s->end_seq))
            break;
        remaining = tcp_rack_seg_timeout_us(c, s, reo_wnd_us);
        if (remaining <= 0) {
            tcp_recovery_mark_lost(c, s);
            tcpsndq_tsort_unlink(c, s);
        } else {
            timeout_us = HS_MAX(timeout_us, (uint32_t)remaining);
        }
    }
    return timeout_us;
}

bool tcp_rack_mark_lost(TcpConn *c)
{
    uint32_t timeout_us;

    if (!c->rack.advanced)
        return false;
    c->rack.advanced = false;
    timeout_us = detect_loss(c);
    if (!timeout_us)
        return false;
    /* whole ticks, rounded up, as every timer of Linux's TCP */
    tcp_timer_arm_rtx(c, TCP_TIMER_REO, (SimTime)((timeout_us + TCP_TIMEOUT_MIN_US + 999) / 1000) * SIM_MS);
    return true;
}

/* `s`, or what of it ends at end_seq, was delivered. */
void tcp_rack_advance(TcpConn *c, const TcpSeg *s, uint8_t sacked, uint32_t end_seq)
{
    SimTime xmit = tcp_rack_sent(s);
    uint32_t rtt_us = (uint32_t)tcp_us_between(c->mstamp, xmit);

    /* Faster than ever for a retransmission: that was the original's ACK (RFC 8985 6.2 step 2). The least
     * round trip does not know of microseconds between writes, so they must not make one of the same length
     * shorter. */
    if (tcp_us_between(c->mstamp, s->sent_ns) < (int64_t)tcp_rtt_min_us(c) &&
        (sacked & (SEG_RETRANS | SEG_EVER_RETRANS)))
        return;
    c->rack.advanced = true;
    c->rack.rtt_us = rtt_us;
    if (tcp_rack_is_sent_after(xmit, c->rack.mstamp, end_seq, c->rack.end_seq)) {
        c->rack.mstamp = xmit;
        c->rack.end_seq = end_seq;
    }
}

void tcp_rack_on_timeout(TcpConn *c)
{
    uint32_t prior_in_flight = tcp_packets_in_flight(c);
    uint32_t lost = c->lost;

    detect_loss(c);
    if (prior_in_flight != tcp_packets_in_flight(c)) {
        if (c->rec.ca_state != TCP_CA_RECOVERY) {
            tcp_recovery_enter(c, false);
            if (!cc_has_cong_control(&c->cc))
                tcp_prr_reduce(c, 1, (int)(c->lost - lost), 0);
        }
        tcp_retransmit_queue(c);
    }
    if (c->timer_kind != TCP_TIMER_RETRANS)
        tcp_ack_rearm_rto(c);
}

/* Each round trip in which D-SACKs prove needless retransmissions widens the window by a quarter of the
 * minimal RTT; 16 recoveries later it falls back (RFC 8985 6.2 step 4). */
void tcp_rack_update_reo_wnd(TcpConn *c, const CcRateSample *rs)
{
    TcpRack *r = &c->rack;

    if ((c->tcp->sysctl->tcp_recovery & RACK_STATIC_REO_WND) || !rs->prior_delivered)
        return;
    if (tcp_before(rs->prior_delivered, r->last_delivered))
        r->dsack_seen = false; /* one round trip has not passed since the last change */
    if (r->dsack_seen) {
        r->reo_wnd_steps = (uint8_t)HS_MIN(0xff, r->reo_wnd_steps + 1);
        r->dsack_seen = false;
        r->last_delivered = c->delivered;
        r->reo_wnd_persist = RACK_RECOVERY_THRESH;
    } else if (!r->reo_wnd_persist) {
        r->reo_wnd_steps = 1;
    }
}

/* RFC 6582: without SACK the first segment is lost after `reordering` duplicates, and at each partial ACK. */
void tcp_rack_mark_newreno(TcpConn *c, bool snd_una_advanced)
{
    uint8_t state = c->rec.ca_state;
    TcpSeg *s = c->snd.rtx_head;

    if (!s || !((state < TCP_CA_RECOVERY && c->sacked_out >= c->sack.reordering) ||
                (state == TCP_CA_RECOVERY && snd_una_advanced)))
        return;
    if (s->sacked & SEG_LOST)
        return;
    if (s->pcount > 1 && tcpseg_len(s) > s->mss)
        tcpsndq_fragment(c, s, s->mss, s->mss);
    tcp_recovery_mark_lost(c, s);
}
