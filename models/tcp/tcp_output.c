/* What may go, and when (Linux net/ipv4/tcp_output.c). Paths through this file:
 *
 *   application, ACKs, timers
 *     → tcp_output_write: for each waiting segment, in Linux's order: pacing, congestion window, grow it, the
 *       peer's window, Nagle or deferral, cut it to size, TSQ
 *     → tcp_output_transmit → tcp_output_event_new_data_sent
 *
 * Pushes of various kinds, window probes and FIN lead there too; what is no data is in tcp_control.c, and the
 * building of a segment in tcp_transmit.c. */
#include "models/tcp/tcp_output.h"

#include <errno.h>
#include <sys/socket.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"
#include "models/tcp/tcp_sndbuf.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/tcp/tcp_timer.h"

/* sysctl tcp_tso_win_divisor 0: do not wait when so many segments could go */
#define MAX_DEFERRED_MSS 3
#define PACING_SHIFT 10

static bool is_urgent(const TcpConn *c) /* tcp_urg_mode */
{
    return c->urg && c->snd_una != c->urg->snd_up;
}

/* ---- tests ---- */

/* Segments that the congestion window leaves; half of it at most, so that two TSO packets are in flight
 * (tcp_cwnd_test). */
static uint32_t cwnd_quota(const TcpConn *c)
{
    uint32_t in_flight = tcp_packets_in_flight(c), cwnd = c->cc.s.cwnd;
    uint32_t half = HS_MAX(cwnd >> 1, 1u);

    if (in_flight >= cwnd)
        return 0;
    return HS_MIN(half, cwnd - in_flight);
}

/* At least the first MSS of it fits into the peer's window. */
bool tcp_output_snd_wnd_test(const TcpConn *c, const TcpSeg *s, uint32_t mss)
{
    uint32_t end = tcpseg_len(s) > mss ? s->seq + mss : s->end_seq;

    return !tcp_after(end, tcp_wnd_end(c));
}

/* Is a small segment unacknowledged? (Minshall's variant of Nagle's algorithm: RFC 896, draft-minshall-nagle)
 */
static bool minshall_check(const TcpConn *c)
{
    return tcp_after(c->snd_sml, c->snd_una) && !tcp_after(c->snd_sml, c->snd_nxt);
}

static bool nagle_holds(const TcpConn *c, bool is_partial, int nonagle)
{
    return is_partial && ((nonagle & TCP_NAGLE_CORK) || (!nonagle && c->packets_out && minshall_check(c)));
}

static bool nagle_test(const TcpConn *c, const TcpSeg *s, uint32_t mss, int nonagle)
{
    if (nonagle & TCP_NAGLE_PUSH)
        return true;
    if (is_urgent(c) || s->flags & TCP_FIN)
        return true;
    return !nagle_holds(c, tcpseg_len(s) < mss, nonagle);
}

/* How much of a TSO segment to send: what window and quota allow, cut at an MSS boundary if Nagle would hold
 * the rest (tcp_mss_split_point). */
static uint32_t split_point(const TcpConn *c, const TcpSeg *s, uint32_t mss, uint32_t max_segs, int nonagle)
{
    uint32_t window = tcp_wnd_end(c) - s->seq, max_len = mss * max_segs, needed, partial;

    if (max_len <= window && s != c->snd.write_tail)
        return max_len;
    needed = HS_MIN(tcpseg_len(s), window);
    if (max_len <= needed)
        return max_len;
    partial = needed % mss;
    return nagle_holds(c, partial != 0, nonagle) ? needed - partial : needed;
}

/* Is the next ACK near enough to wait for, so that a fuller TSO packet can go? */
static bool ack_is_near(const TcpConn *c)
{
    const TcpSeg *head = c->snd.rtx_head;
    int64_t srtt_ns = (int64_t)c->rtt.srtt_us * (SIM_US >> 3);
    int64_t threshold = HS_MIN(srtt_ns >> 1, SIM_MS);

    if (!head)
        return false;
    return head->sent_ns + srtt_ns - c->mstamp <= threshold;
}

/* Linux tcp_tso_should_defer: a TSO packet that the window cuts short waits for the next ACK, if that comes
 * soon. */
static bool should_defer(const TcpConn *c, const TcpSeg *s, bool *is_cwnd_limited, bool *is_rwnd_limited,
                         uint32_t max_segs)
{
    uint32_t in_flight = tcp_packets_in_flight(c), len = tcpseg_len(s);
    uint32_t send_win, cong_win, limit, divisor = c->tcp->sysctl->tcp_tso_win_divisor;

    if (c->rec.ca_state >= TCP_CA_RECOVERY)
        return false;
    /* Only a sender that sent something in the last millisecond can be a burst in the making. What a script
     * does a millisecond after sending, a kernel does a little later than that, so exactly one is too long
     * ago. */
    if (c->mstamp - c->pace_wstamp - SIM_MS >= 0)
        return false;
    send_win = tcp_wnd_end(c) - s->seq;
    cong_win = (c->cc.s.cwnd - in_flight) * c->mss_cache;
    limit = HS_MIN(send_win, cong_win);
    if (limit >= max_segs * c->mss_cache)
        return false;
    if (s != c->snd.write_tail && limit >= len)
        return false;
    if (divisor) {
        uint32_t chunk = (uint32_t)HS_MIN((uint64_t)c->snd_wnd, (uint64_t)c->cc.s.cwnd * c->mss_cache);

        if (limit >= chunk / divisor)
            return false;
    } else if (limit > MAX_DEFERRED_MSS * c->mss_cache) {
        return false;
    }
    if (!ack_is_near(c))
        return false;
    if (cong_win < send_win) {
        if (cong_win <= len) {
            *is_cwnd_limited = true;
            return true;
        }
    } else if (send_win <= len) {
        *is_rwnd_limited = true;
        return true;
    }
    /* nothing more will be added to it */
    return !(s->flags & TCP_FIN) && !s->eor;
}

/* Linux tcp_small_queue_check: not more than about a millisecond's worth of ours waits in this host's device.
 */
bool tcp_output_small_queue_check(TcpConn *c, const TcpSeg *s, unsigned factor)
{
    uint64_t limit = HS_MAX(2 * (uint64_t)s->truesize, c->pacing_rate_bps8 >> PACING_SHIFT);

    limit = HS_MIN(limit, (uint64_t)c->tcp->sysctl->tcp_limit_output_bytes);
    limit <<= factor;
    /* TCP_TX_DELAY keeps packets back too: twice what it holds, with 1 s = 2^20 us */
    if (c->opts && c->opts->tx_delay_us)
        limit += (uint64_t)((unsigned __int128)c->pacing_rate_bps8 * c->opts->tx_delay_us >> 19);
    if (c->snd.wmem_alloc <= limit)
        return false;
    /* the first packets of a flow, or of one with a tiny window, are always let through */
    return c->snd.rtx_head != c->snd.rtx_tail;
}

bool tcp_output_should_autocork(TcpConn *c, const TcpSeg *s, uint32_t size_goal)
{
    return tcpseg_len(s) < size_goal && c->tcp->sysctl->tcp_autocorking && c->snd.rtx_head &&
           c->snd.wmem_alloc > s->truesize && !s->eor;
}

/* ---- the loop ---- */

/* Payload of the next segment joins s (tcp_grow_skb). */
static void grow(TcpConn *c, TcpSeg *s, uint32_t amount)
{
    TcpSeg *next = s->next;
    bool is_whole;
    uint32_t n;

    if (!next || s->eor || s->n_frags || next->n_frags)
        return;
    n = HS_MIN(amount, tcpseg_len(next));
    if (!n || tcpseg_len(s) + n > TCP_SEG_MAX_LEN)
        return;
    is_whole = n == tcpseg_len(next);
    tcpsndq_shift(c, s, next, n);
    if (is_whole) /* tcp_eat_one_skb */
        tcp_errq_on_joined(c, s->seq, s->end_seq);
}

void tcp_output_event_new_data_sent(TcpConn *c, TcpSeg *s)
{
    uint32_t prior = c->packets_out;

    c->snd_nxt = s->end_seq;
    tcpsndq_to_rtx(c, s);
    if (!c->sack.highest_sack)
        c->sack.highest_sack = s;
    c->packets_out += s->pcount;
    if (!prior || c->timer_kind == TCP_TIMER_LOSS_PROBE)
        tcp_ack_rearm_rto(c);
    TCP_ADD(c->tcp, TcpExtTCPOrigDataSent, s->pcount);
    tcp_sndbuf_check_space(c);
}

/* Of the writes at one instant, so many are told from another. */
enum { WRITES_APART = 15 };

/* What one round of tcp_output_write finds out. */
typedef struct Round {
    uint32_t mss, max_segs, sent;
    int nonagle, push_one;
    bool is_cwnd_limited, is_rwnd_limited;
} Round;

/* For lessons: cuts s to a window that is smaller than a segment. Also Nagle may hold such a piece, though
 * more follows it. */
static bool fill_silly_window(TcpConn *c, TcpSeg *s, const Round *r)
{
    uint32_t room = tcp_wnd_end(c) - s->seq;

    if (!(c->tcp->sysctl->quirks & TCP_QUIRK_SILLY_SENDER) || !tcp_before(s->seq, tcp_wnd_end(c)))
        return false;
    if (nagle_holds(c, true, r->nonagle))
        return false;
    return tcpseg_len(s) > room && tcpsndq_fragment(c, s, room, r->mss);
}

/* May s go, and how much of it? Cuts it. */
static bool may_send(TcpConn *c, TcpSeg *s, Round *r)
{
    uint32_t quota, len, limit = r->mss;
    uint16_t segs;

    if (tcp_pace_must_wait(c))
        return false;
    quota = cwnd_quota(c);
    if (!quota) {
        if (r->push_one != 2)
            return false;
        quota = 1; /* a loss probe goes out in any case */
    }
    quota = HS_MIN(quota, r->max_segs);
    len = tcpseg_len(s);
    if ((uint64_t)quota * r->mss > len)
        grow(c, s, quota * r->mss - len);
    segs = tcpsndq_set_pcount(s, r->mss);
    if (!tcp_output_snd_wnd_test(c, s, r->mss)) {
        if (!fill_silly_window(c, s, r)) {
            r->is_rwnd_limited = true;
            return false;
        }
        segs = tcpsndq_set_pcount(s, r->mss);
    }
    if (segs == 1) {
        if (!nagle_test(c, s, r->mss, s->next ? TCP_NAGLE_PUSH : r->nonagle))
            return false;
    } else if (!r->push_one && should_defer(c, s, &r->is_cwnd_limited, &r->is_rwnd_limited, r->max_segs)) {
        return false;
    }
    if (segs > 1 && !is_urgent(c))
        limit = split_point(c, s, r->mss, quota, r->nonagle);
    if (tcpseg_len(s) > limit && !tcpsndq_fragment(c, s, limit, r->mss))
        return false;
    if (tcp_output_small_queue_check(c, s, 0))
        return false;
    /* an empty one: somebody is about to write into it */
    return s->seq != s->end_seq;
}

/* Each write of Linux looks at the clock again (tcp_write_xmit, tcp_mstamp_refresh), which has gone on: a
 * large send that pushes twice, two sends one after the other, or the answer to an ACK that has retransmitted
 * before, leave at two times. The order is what RACK sees. */
static void count_write(TcpConn *c)
{
    c->n_write = c->write_at == c->mstamp ? (uint8_t)HS_MIN(c->n_write + 1, WRITES_APART) : 0;
    c->write_at = c->mstamp;
    c->is_last_write_again = false;
}

/* What one ACK lets go again leaves at one time, that of the ACK's arrival (tcp_xmit_retransmit_queue asks no
 * clock), which is later than what an ACK before it let go. */
void tcp_output_count_again(TcpConn *c)
{
    tcp_mstamp_refresh(c);
    if (c->write_at != c->mstamp || !c->is_last_write_again)
        count_write(c);
    c->is_last_write_again = true;
}

bool tcp_output_write(TcpConn *c, uint32_t mss_now, int nonagle, int push_one)
{
    Round r = {.mss = mss_now, .nonagle = nonagle, .push_one = push_one};
    TcpSeg *s;

    tcp_mstamp_refresh(c);
    /* the option's beacon may just have become due, and takes from the payload */
    if (tcp_ecn_is_accecn(c) && tcp_ecn_option_due(c))
        r.mss = tcp_pmtu_current_mss(c);
    if (!push_one) {
        int probed = tcp_pmtu_probe(c);

        if (!probed)
            return false;
        if (probed > 0)
            r.sent = 1;
    }
    r.max_segs = tcp_pace_tso_segs(c, r.mss);
    while ((s = c->snd.write_head)) {
        if (c->repair) {
            s->sent_ns = c->pace_wstamp = c->mstamp;
            tcpsndq_tsort_to_tail(c, s);
            tcpsndq_set_pcount(s, r.mss);
        } else {
            if (!may_send(c, s, &r))
                break;
            if (!r.sent)
                count_write(c);
            if (tcp_output_transmit(c, s, true, c->rcv_nxt))
                break;
        }
        tcp_output_event_new_data_sent(c, s);
        if (tcpseg_len(s) < s->pcount * r.mss)
            c->snd_sml = s->end_seq;
        r.sent += s->pcount;
        if (push_one)
            break;
    }
    if (r.is_rwnd_limited)
        tcp_cwnd_chrono_start(c, 2);
    else
        tcp_cwnd_chrono_stop(c, 2);
    r.is_cwnd_limited |= tcp_packets_in_flight(c) >= c->cc.s.cwnd;
    if (r.sent || r.is_cwnd_limited)
        tcp_cwnd_validate(c, r.is_cwnd_limited);
    if (r.sent) {
        if (tcp_in_cwnd_reduction(c))
            c->rec.prr_out += r.sent;
        if (push_one != 2)
            tcp_tlp_schedule(c, false);
        return false;
    }
    return !c->packets_out && c->snd.write_head;
}

/* ---- pushes ---- */

void tcp_output_push_pending(TcpConn *c, uint32_t mss_now, int nonagle)
{
    if (c->state == TCP_CLOSE)
        return;
    if (tcp_output_write(c, mss_now, nonagle, 0))
        tcp_timer_probe0_check(c);
}

void tcp_output_push_one(TcpConn *c, uint32_t mss_now)
{
    tcp_output_write(c, mss_now, TCP_NAGLE_PUSH, 1);
}

/* Linux forced_push: a PSH at least every half window of the peer. */
static bool is_push_forced(const TcpConn *c)
{
    return tcp_after(c->write_seq, c->pushed_seq + (c->max_window >> 1));
}

void tcp_output_push(TcpConn *c, int flags, uint32_t mss_now, int nonagle, uint32_t size_goal)
{
    TcpSeg *s = c->snd.write_tail;

    if (!s)
        return;
    if (!(flags & MSG_MORE) || is_push_forced(c))
        tcp_send_mark_push(c, s);
    if (flags & MSG_OOB)
        tcp_urg_mark_send(c);
    if (tcp_output_should_autocork(c, s, size_goal)) {
        TCP_INC(c->tcp, TcpExtTCPAutoCorking);
        return;
    }
    if (flags & MSG_MORE)
        nonagle = TCP_NAGLE_CORK;
    tcp_output_push_pending(c, mss_now, nonagle);
}

void tcp_output_data_snd_check(TcpConn *c)
{
    if (c->snd.write_head)
        tcp_output_push_pending(c, tcp_pmtu_current_mss(c), c->nonagle);
    tcp_sndbuf_check_space(c);
}

/* Linux tcp_tsq_write: room in the device, or the pacing timer says that the next packet's time has come. */
void tcp_output_tsq_done(TcpConn *c)
{
    const unsigned states = 1u << TCP_ESTABLISHED | 1u << TCP_FIN_WAIT1 | 1u << TCP_CLOSING |
                            1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK;

    if (!(states >> c->state & 1))
        return;
    if (c->lost_out > c->retrans_out && c->cc.s.cwnd > tcp_packets_in_flight(c)) {
        tcp_mstamp_refresh(c);
        tcp_retransmit_queue(c);
    }
    tcp_output_write(c, tcp_pmtu_current_mss(c), c->nonagle, 0);
}
