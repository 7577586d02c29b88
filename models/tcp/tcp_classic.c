/* Loss recovery as in the textbooks, for comparison and teaching (sysctl hopscope.tcp_recovery_style).
 * Linux's own is tcp_recovery.c.
 *
 *   tahoe    three duplicate ACKs are as good as a timeout: everything outstanding is taken for lost, the
 *            window starts again from 1 (Jacobson 1988).
 *   reno     RFC 5681: fast retransmit, then fast recovery. The window is inflated by each duplicate, since
 *            each tells that a packet has left the network; the first new ACK deflates it and ends recovery,
 *            even if more was lost.
 *   newreno  RFC 6582: a partial ACK tells of the next hole, which is filled at once; recovery ends when
 *            everything sent before it began is acknowledged. The timer is restarted by every partial ACK
 *            ("slow but steady").
 *   sack     RFC 6675: what is lost, and how much is in flight ("pipe"), is read off the scoreboard.
 *            TcpConn's counts give pipe = packets_out - sacked_out - lost_out + retrans_out, in packets.
 *
 * None has RACK, TLP, F-RTO, PRR or undo. The timeout is Linux's (tcp_timer.c, tcp_recovery_enter_loss), and
 * so are counting in packets and the congestion controllers' growth. ssthresh after a loss is half the flight
 * for "reno"; other controllers have their own opinion. */
#include <string.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"

#define DUP_THRESH 3

static int style(const TcpConn *c)
{
    int s = c->tcp->sysctl->recovery_style;

    /* RFC 6675 needs a peer that sends SACKs. */
    return s == TCP_STYLE_SACK && !c->sack.is_sack_ok ? TCP_STYLE_NEWRENO : s;
}

bool tcp_classic_is_on(const TcpConn *c)
{
    return c->tcp->sysctl->recovery_style != TCP_STYLE_LINUX;
}

bool tcp_classic_uses_sack(const TcpConn *c)
{
    int s = c->tcp->sysctl->recovery_style;

    return s == TCP_STYLE_LINUX || s == TCP_STYLE_SACK;
}

/* Half of what is in flight, not of the window; without what limited transmit added (RFC 5681 3.2 step 2). */
static uint32_t half_flight(const TcpConn *c)
{
    uint32_t flight = c->rec.dupacks ? HS_MIN(c->rec.dup_flight, c->packets_out) : c->packets_out;

    return HS_MAX(flight / 2, 2u);
}

uint32_t tcp_classic_ssthresh(TcpConn *c)
{
    CcView v;

    if (!strcmp(c->cc.ops->name, "reno"))
        return half_flight(c);
    tcp_cc_fill_view(c, &v);
    return cc_ssthresh(&c->cc, &v);
}

static void set_cwnd(TcpConn *c, uint32_t cwnd)
{
    c->cc.s.cwnd = HS_MAX(cwnd, 1u);
    c->cc.s.cwnd_cnt = 0;
    c->snd_cwnd_stamp = c->mstamp;
}

static void episode(TcpConn *c, uint8_t ca_state)
{
    c->rec.prior_cwnd = c->cc.s.cwnd;
    c->cc.s.ssthresh = tcp_classic_ssthresh(c);
    c->rec.high_seq = c->snd_nxt;
    c->rec.has_recover = 1;
    c->rec.is_rescued = 0;
    tcp_recovery_set_ca_state(c, ca_state);
}

void tcp_classic_on_mark(TcpConn *c)
{
    /* RFC 3168 6.1.2: once per window, and not for what recovery has answered already */
    if (c->rec.ca_state >= TCP_CA_RECOVERY || (c->rec.has_recover && !tcp_after(c->snd_una, c->rec.high_seq)))
        return;
    episode(c, TCP_CA_OPEN);
    set_cwnd(c, c->cc.s.ssthresh);
    tcp_ecn_queue_cwr(c);
}

static void leave(TcpConn *c, uint32_t cwnd)
{
    set_cwnd(c, cwnd);
    c->rec.dupacks = 0;
    tcp_undo_retrans_stamp_cleanup(c);
    tcp_recovery_set_ca_state(c, TCP_CA_OPEN);
    tcp_cc_event(c, CC_EVENT_COMPLETE_CWR);
}

/* Sends the first segment that is not acknowledged again, whatever the window says. */
static void retransmit_head(TcpConn *c)
{
    TcpSeg *s = c->snd.rtx_head;

    if (!s)
        return;
    if (s->pcount > 1 && tcpseg_len(s) > s->mss)
        tcpsndq_fragment(c, s, s->mss, s->mss);
    tcp_recovery_mark_lost(c, s);
    tcp_retransmit_seg(c, s, 1);
}

static void count_entry(TcpConn *c)
{
    if (style(c) == TCP_STYLE_SACK)
        TCP_INC(c->tcp, TcpExtTCPSackRecovery);
    else
        TCP_INC(c->tcp, TcpExtTCPRenoRecovery);
}

/* ---- the third duplicate ---- */

static void enter_tahoe(TcpConn *c)
{
    episode(c, TCP_CA_LOSS);
    for (TcpSeg *s = c->snd.rtx_head; s; s = s->next)
        tcp_recovery_mark_lost(c, s);
    tcp_sack_reset(c);
    if (!HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_GO_BACK_N))
        set_cwnd(c, 1);
    tcp_retransmit_queue(c);
}

static void enter_reno(TcpConn *c)
{
    episode(c, TCP_CA_RECOVERY);
    retransmit_head(c);
    /* three packets have left the network */
    set_cwnd(c, c->cc.s.ssthresh + DUP_THRESH);
}

/* RFC 6675 IsLost() for every segment: three segments above it are SACKed (in packets, the byte rule of the
 * RFC says the same). Goes down from the top, so one pass is enough. */
static void sack_mark_lost(TcpConn *c)
{
    uint32_t above = 0;

    for (TcpSeg *s = c->snd.rtx_tail; s; s = s->prev) {
        if (s->sacked & SEG_SACKED)
            above += s->pcount;
        else if (above >= DUP_THRESH && !(s->sacked & (SEG_LOST | SEG_RETRANS)))
            tcp_recovery_mark_lost(c, s);
    }
}

/* NextSeg() rules 3 and 4: what is not thought lost, when nothing better can be sent. */
static void sack_retransmit_others(TcpConn *c)
{
    uint32_t highest = tcp_sack_highest_seq(c);
    TcpSeg *last = NULL;

    if (c->snd.write_head && !tcp_after(c->snd.write_head->end_seq, tcp_wnd_end(c)))
        return; /* rule 2: new data go first, by tcp_output_data_snd_check */
    for (TcpSeg *s = c->snd.rtx_head; s && tcp_packets_in_flight(c) < c->cc.s.cwnd; s = s->next) {
        if (s->sacked & SEG_SACKED)
            continue;
        if (!(s->sacked & SEG_RETRANS) && tcp_before(s->seq, highest)) {
            if (tcp_retransmit_seg(c, s, 1))
                return;
        } else {
            last = s;
        }
    }
    if (!last || c->rec.is_rescued || tcp_packets_in_flight(c) >= c->cc.s.cwnd)
        return;
    /* the rescue retransmission: the highest outstanding segment, once per recovery */
    for (TcpSeg *s = c->snd.rtx_tail; s; s = s->prev) {
        if (s->sacked & SEG_SACKED)
            continue;
        c->rec.is_rescued = 1;
        if (!(s->sacked & SEG_RETRANS))
            tcp_retransmit_seg(c, s, 1);
        return;
    }
}

static void enter_sack(TcpConn *c)
{
    episode(c, TCP_CA_RECOVERY);
    set_cwnd(c, c->cc.s.ssthresh);
    sack_mark_lost(c);
    retransmit_head(c);
    tcp_retransmit_queue(c);
}

/* ---- states ---- */

static void in_open(TcpConn *c, const TcpClassicAck *a)
{
    int st = style(c);
    bool is_dup = st == TCP_STYLE_SACK ? (a->flag & ACK_DATA_SACKED) && !(a->flag & ACK_SND_UNA_ADVANCED)
                                       : a->num_dupack > 0;

    if (a->flag & ACK_SND_UNA_ADVANCED) {
        c->rec.dupacks = 0;
        /* or the next timeout would take the first loss of all for the begin of its own (Linux
         * tcp_try_to_open)
         */
        tcp_undo_retrans_stamp_cleanup(c);
        tcp_recovery_try_keep_open(c);
        if (!(a->flag & ACK_ECE))
            tcp_cc_control(c, a->ack, a->newly_acked_sacked, a->flag, a->rate);
        return;
    }
    if (!is_dup || !c->snd.rtx_head)
        return;

    if (!c->rec.dupacks)
        c->rec.dup_flight = c->packets_out;
    c->rec.dupacks = (uint16_t)(c->rec.dupacks + HS_MAX(a->num_dupack, 1));
    /* RFC 6582 3.2 step 1, RFC 6675 5: not for duplicates that the last episode's retransmissions cause. Reno
     * and Tahoe know of no such thing. */
    if (c->rec.has_recover && ((st == TCP_STYLE_NEWRENO && !tcp_after(c->snd_una, c->rec.high_seq)) ||
                               (st == TCP_STYLE_SACK && tcp_before(c->snd_una, c->rec.high_seq))))
        return;
    if (st == TCP_STYLE_SACK)
        sack_mark_lost(c);
    if (c->rec.dupacks < DUP_THRESH && !c->lost_out) {
        if (c->rec.ca_state == TCP_CA_OPEN)
            tcp_recovery_set_ca_state(c, TCP_CA_DISORDER);
        /* RFC 3042, for what the scoreboard does not let out by itself */
        if ((st == TCP_STYLE_RENO || st == TCP_STYLE_NEWRENO) &&
            !(c->tcp->sysctl->quirks & TCP_QUIRK_NO_LIMITED_TRANSMIT))
            tcp_output_write(c, tcp_pmtu_current_mss(c), TCP_NAGLE_OFF, 2);
        return;
    }

    count_entry(c);
    switch (st) {
    case TCP_STYLE_TAHOE:
        enter_tahoe(c);
        break;
    case TCP_STYLE_SACK:
        enter_sack(c);
        break;
    default:
        enter_reno(c);
    }
    tcp_pace_update_rate(c);
}

static void in_recovery(TcpConn *c, const TcpClassicAck *a)
{
    bool is_done = !tcp_before(c->snd_una, c->rec.high_seq);
    int st = style(c);

    if (is_done || (st == TCP_STYLE_RENO && (a->flag & ACK_SND_UNA_ADVANCED))) {
        leave(c, c->cc.s.ssthresh);
    } else if (st == TCP_STYLE_SACK) {
        sack_mark_lost(c);
        tcp_retransmit_queue(c);
        sack_retransmit_others(c);
    } else if (a->flag & ACK_SND_UNA_ADVANCED) {
        /* RFC 6582 3.2 step 3, partial: deflate by what was acknowledged, plus one for what goes out again */
        uint32_t acked = HS_MIN(a->newly_acked_sacked, c->cc.s.cwnd - 1);

        c->cc.s.cwnd = c->cc.s.cwnd - acked + 1;
        retransmit_head(c);
    } else {
        c->cc.s.cwnd += (uint32_t)a->num_dupack;
    }
    tcp_pace_update_rate(c);
}

/* After a timeout, or Tahoe's fast retransmit: slow start through everything that is marked lost. */
static void in_loss(TcpConn *c, const TcpClassicAck *a)
{
    c->rec.dupacks = 0;
    c->rec.has_recover = 1;
    if (!tcp_before(c->snd_una, c->rec.high_seq))
        tcp_recovery_set_ca_state(c, TCP_CA_OPEN);
    if (a->flag & ACK_SND_UNA_ADVANCED)
        tcp_cc_control(c, a->ack, a->newly_acked_sacked, a->flag, a->rate);
    if (c->rec.ca_state == TCP_CA_LOSS)
        tcp_retransmit_queue(c);
}

void tcp_classic_on_ack(TcpConn *c, const TcpClassicAck *a)
{
    if (a->flag & ACK_ECE)
        tcp_classic_on_mark(c);
    switch (c->rec.ca_state) {
    case TCP_CA_RECOVERY:
        in_recovery(c, a);
        break;
    case TCP_CA_LOSS:
        in_loss(c, a);
        break;
    default:
        in_open(c, a);
    }
}
