/* When to acknowledge (RFC 9293 3.8.6.3, RFC 5681 4.2; Linux inet_csk's icsk_ack): at once for every second
 * full segment, in quick-ACK mode (a new or restarted sender in slow start needs the clock) and when the
 * protocol demands it; otherwise after a delay that follows the rhythm of arrivals (ato), or on the back of
 * data ("ping-pong": the two sides take turns, as in request and response). Runs of SACKs are compressed
 * (Linux tcp_comp_sack_*). */
#include "models/tcp/tcp_input.h"

#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_timer.h"

#define FASTRETRANS_THRESH 3
#define MAX_ATO_INTERACTIVE_MS 500 /* HZ / 2 */

/* ---- modes ---- */

bool tcp_delack_in_pingpong(const TcpConn *c)
{
    return c->ack.pingpong >= c->tcp->sysctl->tcp_pingpong_thresh;
}

void tcp_delack_enter_pingpong(TcpConn *c)
{
    c->ack.pingpong = c->tcp->sysctl->tcp_pingpong_thresh;
}

void tcp_delack_exit_pingpong(TcpConn *c)
{
    c->ack.pingpong = 0;
}

void tcp_delack_incr_quickack(TcpConn *c, unsigned max_quickacks)
{
    unsigned n = c->win.rcv_wnd / (2u * c->ack.rcv_mss);

    if (n == 0)
        n = 2;
    n = HS_MIN(n, max_quickacks);
    if (n > c->ack.quick)
        c->ack.quick = (uint8_t)n;
}

void tcp_delack_enter_quickack(TcpConn *c, unsigned max_quickacks)
{
    tcp_delack_incr_quickack(c, max_quickacks);
    tcp_delack_exit_pingpong(c);
    c->ack.ato_ms = TCP_ATO_MIN_MS;
}

bool tcp_delack_in_quickack(const TcpConn *c)
{
    return route_metrics_get(c->metrics, ROUTE_QUICKACK) || (c->ack.quick && !tcp_delack_in_pingpong(c));
}

void tcp_delack_set_quickack(TcpConn *c, int val)
{
    if (!val) {
        tcp_delack_enter_pingpong(c);
        return;
    }
    tcp_delack_exit_pingpong(c);
    if ((c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT) && c->ack.pending & TCP_ACK_SCHED) {
        c->ack.pending |= TCP_ACK_PUSHED;
        tcp_delack_cleanup_rbuf(c, 1);
        if (!(val & 1))
            tcp_delack_enter_pingpong(c);
    }
}

/* ---- what happens ---- */

void tcp_delack_schedule(TcpConn *c)
{
    c->ack.pending |= TCP_ACK_SCHED;
}

/* In order data has come: learn the sender's rhythm. */
void tcp_delack_event_data_recv(TcpConn *c, TcpIn *in, uint32_t truesize)
{
    TcpAckSched *a = &c->ack;

    tcp_delack_schedule(c);
    tcp_window_measure_rcv_mss(c, in, truesize);
    tcp_window_rcv_rtt_measure(c);
    if (!a->ato_ms) { /* the first data of this connection */
        tcp_delack_incr_quickack(c, TCP_MAX_QUICKACKS);
        a->ato_ms = TCP_ATO_MIN_MS;
    } else {
        int32_t gap = (int32_t)(tcp_jiffies(c) - (uint32_t)(a->lrcv_ns / TCP_JIFFY_NS));

        if (gap <= TCP_ATO_MIN_MS / 2) {
            a->ato_ms = (a->ato_ms >> 1) + TCP_ATO_MIN_MS / 2;
        } else if (gap < (int32_t)a->ato_ms) {
            a->ato_ms = (a->ato_ms >> 1) + (uint32_t)gap;
            a->ato_ms = HS_MIN(a->ato_ms, c->rtt.rto_ms);
        } else if (gap > (int32_t)c->rtt.rto_ms) { /* the sender restarts: it needs ACKs to get going */
            tcp_delack_incr_quickack(c, TCP_MAX_QUICKACKS);
        }
    }
    a->lrcv_ns = c->mstamp;
    tcp_rcvq_save_flowlabel(c, in);
    tcp_ecn_data(c, in);
    if (in->len >= 128)
        tcp_window_grow(c, in, truesize, true);
}

/* Data of ours goes out within ato of what came last: perhaps an answer. */
void tcp_delack_event_data_sent(TcpConn *c)
{
    uint32_t since = tcp_jiffies(c) - (uint32_t)(c->ack.lrcv_ns / TCP_JIFFY_NS);

    if (since < c->ack.ato_ms && c->ack.pingpong < UINT8_MAX)
        c->ack.pingpong++;
}

void tcp_delack_clear(TcpConn *c)
{
    c->ack.pending = 0;
    c->ack.retry = 0;
    if (timer_is_armed(&c->t_delack)) {
        timer_cancel(&c->t_delack);
        tcp_probes_timer(c, "delack", "stopped", 0);
    }
}

void tcp_delack_event_ack_sent(TcpConn *c, uint32_t rcv_nxt)
{
    TcpAckSched *a = &c->ack;

    if (a->compressed) {
        TCP_ADD(c->tcp, TcpExtTCPAckCompressed, a->compressed);
        a->compressed = 0;
        tcp_timer_stop_seldom(c, TCP_SELDOM_COMP);
    }
    if (rcv_nxt != c->rcv_nxt) /* an ACK for an earlier state, to tell of a change of CE */
        return;
    if (a->quick) {
        unsigned n = a->pending & TCP_ACK_SCHED ? 1 : 0;

        if (n >= a->quick) {
            a->quick = 0;
            a->ato_ms = TCP_ATO_MIN_MS;
        } else {
            a->quick = (uint8_t)(a->quick - n);
        }
    }
    tcp_delack_clear(c);
}

/* ---- decisions ---- */

/* Linux tcp_delack_max: never beyond what the peer's minimal RTO would stand */
static uint32_t delack_max_ms(const TcpConn *c)
{
    uint32_t rto_min = HS_MAX(tcp_rtt_rto_min_us(c) / 1000, 2u) - 1;

    return HS_MIN(c->rtt.delack_max_ms, rto_min);
}

void tcp_delack_send_delayed(TcpConn *c)
{
    TcpAckSched *a = &c->ack;
    uint32_t ato = a->ato_ms;
    SimTime timeout;

    if (ato > TCP_DELACK_MIN_MS) {
        uint32_t max = MAX_ATO_INTERACTIVE_MS;

        if (tcp_delack_in_pingpong(c) || a->pending & TCP_ACK_PUSHED)
            max = TCP_DELACK_MAX_MS;
        if (c->rtt.srtt_us) {
            uint32_t rtt_ms = ((c->rtt.srtt_us >> 3) + 999) / 1000;

            max = HS_MIN(max, HS_MAX(rtt_ms, (uint32_t)TCP_DELACK_MIN_MS));
        }
        ato = HS_MIN(ato, max);
    }
    ato = HS_MIN(ato, delack_max_ms(c));
    if (!ato) /* no data has come yet, but a FIN: the next tick */
        ato = 1;
    timeout = c->mstamp + (SimTime)ato * TCP_JIFFY_NS;

    if (a->pending & TCP_ACK_TIMER) {
        /* It would have gone soon anyway: go now. */
        if (a->timeout <= c->mstamp + (SimTime)(ato >> 2) * TCP_JIFFY_NS) {
            tcp_output_send_ack(c);
            return;
        }
        timeout = HS_MIN(timeout, a->timeout);
    }
    a->pending |= TCP_ACK_SCHED | TCP_ACK_TIMER;
    a->timeout = timeout;
    timer_arm(&c->t_delack, timeout);
    tcp_probes_timer(c, "delack", "armed", timeout);
}

static void arm_compressed(TcpConn *c)
{
    const TcpSysctl *s = c->tcp->sysctl;
    uint32_t rtt = c->win.rcv_rtt_us; /* both are eight times the round trip */
    uint64_t delay;

    if (tcp_timer_is_seldom_armed(c, TCP_SELDOM_COMP))
        return;
    if (c->rtt.srtt_us && c->rtt.srtt_us < rtt)
        rtt = c->rtt.srtt_us;
    /* rtt / 8 us * 1000 ns * percent / 100 = rtt * 1.25 * percent */
    delay = (uint64_t)(rtt + (rtt >> 2)) * s->tcp_comp_sack_rtt_percent;
    delay = HS_MIN(delay, (uint64_t)s->tcp_comp_sack_delay_ns);
    /* The slack lets Linux join the timer to another; alone it fires at the end of it. Without a measured
     * round trip that is all the delay there is. */
    delay += s->tcp_comp_sack_slack_ns;
    tcp_timer_arm_seldom(c, TCP_SELDOM_COMP, c->mstamp + (SimTime)delay);
    tcp_probes_timer(c, "compressed-ack", "armed", c->mstamp + (SimTime)delay);
}

void tcp_delack_check_now(TcpConn *c, bool ofo_possible)
{
    TcpAckSched *a = &c->ack;

    /* More than one full segment, and the window moves on with it (or recvmsg will send the ACK, unless the
     * application waits for more than there is); or quick; or demanded. */
    if ((c->rcv_nxt - c->win.rcv_wup > a->rcv_mss &&
         (c->rcv_nxt - c->copied_seq < c->rcvlowat || tcp_window_select_free(c) >= c->win.rcv_wnd)) ||
        tcp_delack_in_quickack(c) || a->pending & TCP_ACK_NOW) {
        tcp_output_send_ack(c);
        return;
    }
    if (!ofo_possible || rbtree_is_empty(&c->rcv.ooo)) {
        tcp_delack_send_delayed(c);
        return;
    }
    if (!c->sack.is_sack_ok || a->compressed >= c->tcp->sysctl->tcp_comp_sack_nr) {
        tcp_output_send_ack(c);
        return;
    }
    if (a->compressed_rcv_nxt != c->rcv_nxt) {
        a->compressed_rcv_nxt = c->rcv_nxt;
        a->dup_ack_counter = 0;
    }
    if (a->dup_ack_counter < FASTRETRANS_THRESH) { /* enough for a sender that counts duplicates */
        a->dup_ack_counter++;
        tcp_output_send_ack(c);
        return;
    }
    a->compressed++;
    arm_compressed(c);
}

void tcp_delack_snd_check(TcpConn *c)
{
    if (c->ack.pending & TCP_ACK_SCHED)
        tcp_delack_check_now(c, true);
}

void tcp_delack_flush_compressed(TcpConn *c)
{
    if (!c->ack.compressed)
        return;
    tcp_timer_stop_seldom(c, TCP_SELDOM_COMP);
    /* one of them is sent after all */
    TCP_ADD(c->tcp, TcpExtTCPAckCompressed, c->ack.compressed - 1u);
    c->ack.compressed = 0;
    tcp_output_send_ack(c);
}

/* ---- timers ---- */

void tcp_delack_on_timeout(TcpConn *c)
{
    TcpAckSched *a = &c->ack;

    if (c->state == TCP_CLOSE || c->state == TCP_LISTEN)
        return;
    tcp_mstamp_refresh(c);
    if (a->compressed) {
        tcp_delack_flush_compressed(c);
        return;
    }
    if (!(a->pending & TCP_ACK_TIMER))
        return;
    if (a->timeout > c->mstamp) {
        timer_arm(&c->t_delack, a->timeout);
        return;
    }
    a->pending &= (uint8_t)~TCP_ACK_TIMER;
    if (!(a->pending & TCP_ACK_SCHED))
        return;
    if (!tcp_delack_in_pingpong(c)) {
        a->ato_ms =
            HS_MIN(a->ato_ms << 1, c->rtt.rto_ms); /* the next segment did not come in time: wait longer */
    } else {
        tcp_delack_exit_pingpong(c); /* no answer came to carry it */
        a->ato_ms = TCP_ATO_MIN_MS;
    }
    tcp_output_send_ack(c);
    TCP_INC(c->tcp, TcpExtDelayedACKs);
}

void tcp_delack_on_comp_timeout(TcpConn *c)
{
    if (!c->ack.compressed || c->state == TCP_CLOSE)
        return;
    tcp_mstamp_refresh(c);
    c->ack.compressed--; /* one of them is sent after all; the rest is counted by tcp_delack_event_ack_sent */
    tcp_output_send_ack(c);
}

/* ---- the application has read ---- */

void tcp_delack_cleanup_rbuf(TcpConn *c, int copied)
{
    const TcpAckSched *a = &c->ack;
    bool is_time = false;

    if (a->pending & TCP_ACK_SCHED) {
        if (c->rcv_nxt - c->win.rcv_wup > a->rcv_mss)
            is_time = true;
        /* It has read everything, and the last was a small segment or the end of a write. */
        if (copied > 0 && !c->rcv.rmem_alloc &&
            (a->pending & TCP_ACK_PUSHED2 || (a->pending & TCP_ACK_PUSHED && !tcp_delack_in_pingpong(c))))
            is_time = true;
    }
    /* A window update is worth a segment when the window at least doubles (RFC 9293 3.8.6.2.2). */
    if (copied > 0 && !is_time && !(c->sflags & TCP_S_RCV_SHUTDOWN)) {
        uint32_t now = tcp_window_receive(c);

        if (2 * now <= c->win.window_clamp) {
            uint32_t next = tcp_window_select_free(c);

            if (next && next >= 2 * now)
                is_time = true;
        }
    }
    if (is_time) {
        tcp_mstamp_refresh(c);
        tcp_output_send_ack(c);
    }
}
