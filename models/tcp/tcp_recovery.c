/* Congestion states and what leads from one to another (Linux tcp_fastretrans_alert and around it):
 *
 *   OPEN      nothing unusual
 *   DISORDER  duplicate ACKs or SACKs, nothing thought lost yet
 *   CWR       the window is being reduced for a congestion mark or a local drop
 *   RECOVERY  the window is being reduced for a loss; fast retransmit
 *   LOSS      after a retransmission timeout, or SACK reneging
 *
 * CWR, RECOVERY and LOSS end when what was sent at their beginning (high_seq) is acknowledged. What is lost
 * is judged by RACK (tcp_rack.c); how the window gets smaller by PRR (tcp_prr.c); undoing is in tcp_undo.c.
 * F-RTO (RFC 5682, with SACK) is in process_loss. */
#include "models/tcp/tcp_ack.h"

#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_timer.h"

void tcp_recovery_set_ca_state(TcpConn *c, uint8_t ca_state)
{
    uint8_t old = c->rec.ca_state;
    CcView v;

    tcp_cc_fill_view(c, &v);
    cc_set_ca_state(&c->cc, &v, ca_state);
    c->rec.ca_state = ca_state;
    if (old != ca_state) {
        static const char *const name[] = {"open", "disorder", "cwr", "recovery", "loss"};

        tcp_probes_recovery(c, name[ca_state]);
    }
}

/* Linux tcp_current_ssthresh: what an undone reduction goes back to. */
static uint32_t current_ssthresh(const TcpConn *c)
{
    uint32_t cwnd = c->cc.s.cwnd;

    if (tcp_in_cwnd_reduction(c))
        return c->cc.s.ssthresh;
    return HS_MAX(c->cc.s.ssthresh, (cwnd >> 1) + (cwnd >> 2));
}

/* ---- marking ---- */

static void notify_loss(TcpConn *c, const TcpSeg *s)
{
    c->lost += s->pcount;
    if (c->cc.ops->packet_lost) {
        CcLostPacket p = {
            .segs = s->pcount,
            .tx_in_flight = s->in_flight,
            .lost_at_send = s->lost,
            .delivered_at_send = s->delivered,
            .is_app_limited = s->is_app_limited,
        };
        CcView v;

        tcp_cc_fill_view(c, &v);
        cc_packet_lost(&c->cc, &v, &p);
    }
}

void tcp_recovery_mark_lost(TcpConn *c, TcpSeg *s)
{
    TcpSeg *hint = c->sack.retransmit_hint;

    if (s->sacked & SEG_SACKED)
        return;
    /* where tcp_retransmit_queue begins to look (tcp_verify_retransmit_hint) */
    if ((!hint && c->retrans_out >= c->lost_out) || (hint && tcp_before(s->seq, hint->seq)))
        c->sack.retransmit_hint = s;

    if (!(s->sacked & SEG_LOST)) {
        c->lost_out += s->pcount;
        s->sacked |= SEG_LOST;
        notify_loss(c, s);
    } else if (s->sacked & SEG_RETRANS) {
        /* the retransmission is lost as well */
        s->sacked &= (uint8_t)~SEG_RETRANS;
        c->retrans_out -= s->pcount;
        TCP_ADD(c->tcp, TcpExtTCPLostRetransmit, s->pcount);
        notify_loss(c, s);
    }
}

/* After a timeout: the head is lost, and whatever was sent a round trip ago. If the head had been SACKed, the
 * peer has gone back on its word (reneging, RFC 2018 8), and nothing that it said counts. */
static void timeout_mark_lost(TcpConn *c)
{
    TcpSeg *head = c->snd.rtx_head;
    bool is_reneg = head && (head->sacked & SEG_SACKED);

    if (is_reneg) {
        TCP_INC(c->tcp, TcpExtTCPSACKReneging);
        c->sacked_out = 0;
        c->rec.is_sack_reneg = 1;
    } else if (!c->sack.is_sack_ok) {
        tcp_sack_reset_reno(c);
    }

    for (TcpSeg *s = head; s; s = s->next) {
        if (is_reneg)
            s->sacked &= (uint8_t)~SEG_SACKED;
        else if (s != head && tcp_rack_seg_timeout_us(c, s, 0) > 0 && !tcp_classic_is_on(c))
            continue;
        tcp_recovery_mark_lost(c, s);
    }
    tcp_sack_reset(c);
}

/* ---- entering ---- */

void tcp_recovery_enter_loss(TcpConn *c)
{
    bool is_new = c->rec.ca_state < TCP_CA_RECOVERY;
    uint32_t reordering = c->tcp->sysctl->tcp_reordering;

    timeout_mark_lost(c);

    /* once per window of data */
    if (c->rec.ca_state <= TCP_CA_DISORDER || !tcp_after(c->rec.high_seq, c->snd_una) ||
        (c->rec.ca_state == TCP_CA_LOSS && !c->retransmits)) {
        CcView v;

        c->rec.prior_ssthresh = current_ssthresh(c);
        c->rec.prior_cwnd = c->cc.s.cwnd;
        tcp_cc_fill_view(c, &v);
        c->cc.s.ssthresh = tcp_classic_is_on(c) ? tcp_classic_ssthresh(c) : cc_ssthresh(&c->cc, &v);
        tcp_cc_event(c, CC_EVENT_LOSS);
        tcp_undo_init(c);
    }
    c->cc.s.cwnd = tcp_packets_in_flight(c) + 1;
    c->cc.s.cwnd_cnt = 0;
    c->snd_cwnd_stamp = c->mstamp;

    /* Many duplicates before and a timeout all the same: reordering was overestimated. */
    if (c->rec.ca_state <= TCP_CA_DISORDER && c->sacked_out >= reordering)
        c->sack.reordering = HS_MIN(c->sack.reordering, reordering);

    tcp_recovery_set_ca_state(c, TCP_CA_LOSS);
    c->rec.high_seq = c->snd_nxt;
    c->tlp.high_seq = 0;
    tcp_ecn_queue_cwr(c);

    /* RFC 5682 3.1 step 1; not while a path MTU probe is out, whose loss would look the same */
    c->rec.frto = c->tcp->sysctl->tcp_frto && (is_new || c->retransmits) && !c->mtup.probe_size &&
                  !tcp_classic_is_on(c);
    tcp_probes_cwnd(c);
}

void tcp_recovery_enter_cwr(TcpConn *c)
{
    c->rec.prior_ssthresh = 0;
    if (tcp_classic_is_on(c)) {
        tcp_classic_on_mark(c);
        return;
    }
    if (c->rec.ca_state < TCP_CA_CWR) {
        c->rec.undo_marker = 0;
        tcp_prr_init_reduction(c);
        tcp_recovery_set_ca_state(c, TCP_CA_CWR);
    }
}

void tcp_recovery_enter(TcpConn *c, bool ece_ack)
{
    /* the clock of this episode starts with its first retransmission */
    tcp_undo_retrans_stamp_cleanup(c);

    if (c->sack.is_sack_ok)
        TCP_INC(c->tcp, TcpExtTCPSackRecovery);
    else
        TCP_INC(c->tcp, TcpExtTCPRenoRecovery);

    c->rec.prior_ssthresh = 0;
    tcp_undo_init(c);
    if (!tcp_in_cwnd_reduction(c)) {
        if (!ece_ack)
            c->rec.prior_ssthresh = current_ssthresh(c);
        tcp_prr_init_reduction(c);
    }
    tcp_recovery_set_ca_state(c, TCP_CA_RECOVERY);
}

/* The path's MTU shrank, and segments are too big now: send them again, smaller. The amount of data in flight
 * does not change, only the unit: the window is left alone. */
void tcp_recovery_simple_retransmit(TcpConn *c)
{
    uint32_t mss;

    /* Fast Open: SYN and its data are two segments here, one packet on the wire; all of it goes again. */
    if ((c->sflags & TCP_S_SYN_DATA) && c->state == TCP_SYN_SENT)
        mss = 0;
    else
        mss = tcp_pmtu_current_mss(c);

    for (TcpSeg *s = c->snd.rtx_head; s; s = s->next) {
        uint32_t seglen = s->pcount > 1 ? s->mss : tcpseg_len(s);

        if (seglen > mss || ((c->sflags & TCP_S_SYN_DATA) && c->state == TCP_SYN_SENT))
            tcp_recovery_mark_lost(c, s);
    }
    if (!c->lost_out)
        return;

    if (!c->sack.is_sack_ok) {
        uint32_t holes = HS_MIN(HS_MAX(c->lost_out, 1u), c->packets_out);

        c->sacked_out = HS_MIN(c->sacked_out, c->packets_out - holes);
    }
    if (c->rec.ca_state != TCP_CA_LOSS) {
        c->rec.high_seq = c->snd_nxt;
        c->cc.s.ssthresh = current_ssthresh(c);
        c->rec.prior_ssthresh = 0;
        c->rec.undo_marker = 0;
        tcp_recovery_set_ca_state(c, TCP_CA_LOSS);
    }
    tcp_retransmit_queue(c);
}

/* ---- leaving ---- */

void tcp_recovery_try_keep_open(TcpConn *c)
{
    uint8_t state = TCP_CA_OPEN;

    if (tcp_left_out(c) || tcp_undo_any_retrans_done(c))
        state = TCP_CA_DISORDER;
    if (c->rec.ca_state != state) {
        tcp_recovery_set_ca_state(c, state);
        c->rec.high_seq = c->snd_nxt;
    }
}

static void try_to_open(TcpConn *c, int flag)
{
    tcp_undo_retrans_stamp_cleanup(c);
    if (flag & ACK_ECE)
        tcp_recovery_enter_cwr(c);
    if (c->rec.ca_state != TCP_CA_CWR)
        tcp_recovery_try_keep_open(c);
}

/* ---- an ACK that is no plain progress ---- */

/* The head is SACKed: perhaps the peer reneges, perhaps the ACK that tells the rest is on its way. Wait a
 * little before everything is thrown away. */
static bool check_reneging(TcpConn *c, int *ack_flag)
{
    SimTime delay;

    if (!(*ack_flag & ACK_SACK_RENEGING) || !(*ack_flag & ACK_SND_UNA_ADVANCED))
        return false;
    delay = ((c->rtt.srtt_us >> 4) + 999) / 1000;
    delay = HS_MAX(delay, 10);
    tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, delay * SIM_MS);
    *ack_flag &= ~ACK_SET_XMIT_TIMER;
    return true;
}

static void identify_loss(TcpConn *c, int *ack_flag)
{
    uint32_t prior_retrans = c->retrans_out;

    if (!c->snd.rtx_head)
        return;
    if (!c->sack.is_sack_ok) {
        tcp_rack_mark_newreno(c, *ack_flag & ACK_SND_UNA_ADVANCED);
        return;
    }
    if (tcp_rack_mark_lost(c))
        *ack_flag &= ~ACK_SET_XMIT_TIMER;
    if (prior_retrans > c->retrans_out)
        *ack_flag |= ACK_LOST_RETRANS;
}

static void process_loss(TcpConn *c, int flag, int num_dupack, int *rexmit)
{
    bool recovered = !tcp_before(c->snd_una, c->rec.high_seq);

    if (((flag & ACK_SND_UNA_ADVANCED) || c->fastopen_req) && tcp_undo_loss(c, false))
        return;

    if (c->rec.frto) {
        /* RFC 5682 3.1 step 3.b: something that was sent once only has arrived. */
        if ((flag & ACK_ORIG_SACK_ACKED) && tcp_undo_loss(c, true))
            return;
        if (tcp_after(c->snd_nxt, c->rec.high_seq)) {
            if ((flag & ACK_DATA_SACKED) || num_dupack)
                c->rec.frto = 0; /* step 3.a: the loss was real */
        } else if ((flag & ACK_SND_UNA_ADVANCED) && !recovered) {
            c->rec.high_seq = c->snd_nxt;
            /* Step 2.b: new data, if there are any and the window lets them; sent after cwnd is updated. */
            if (c->snd.write_head && tcp_after(tcp_wnd_end(c), c->snd_nxt)) {
                *rexmit = TCP_REXMIT_NEW;
                return;
            }
            c->rec.frto = 0;
        }
    }

    if (recovered) {
        /* step 2.a and the first part of 3.a */
        tcp_undo_recovery(c);
        return;
    }
    if (!c->sack.is_sack_ok) {
        /* A duplicate means that the new data of step 2.b arrived. */
        if (tcp_after(c->snd_nxt, c->rec.high_seq) && num_dupack)
            tcp_sack_add_reno(c, num_dupack, flag & ACK_ECE);
        else if (flag & ACK_SND_UNA_ADVANCED)
            tcp_sack_reset_reno(c);
    }
    *rexmit = TCP_REXMIT_LOST;
}

/* Linux tcp_update_rto_time: how long timeouts have held us up, for TCP_INFO. */
static void update_rto_time(TcpConn *c)
{
    if (!c->rec.rto_stamp)
        return;
    c->rec.total_rto_time_ms += (uint32_t)(c->mstamp / SIM_MS - c->rec.rto_stamp / SIM_MS);
    c->rec.rto_stamp = 0;
}

void tcp_recovery_fastretrans_alert(TcpConn *c, uint32_t prior_snd_una, int num_dupack, int *ack_flag,
                                    int *rexmit)
{
    int flag = *ack_flag;
    bool ece_ack = flag & ACK_ECE;
    bool is_reno = !c->sack.is_sack_ok;

    if (!c->packets_out && c->sacked_out)
        c->sacked_out = 0;
    /* A. a congestion mark: whatever else happened, the reduction stays */
    if (ece_ack)
        c->rec.prior_ssthresh = 0;
    /* B. */
    if (check_reneging(c, ack_flag))
        return;
    /* C. */
    hs_assert(tcp_left_out(c) <= c->packets_out);

    /* D. Does the state end? */
    if (c->rec.ca_state == TCP_CA_OPEN) {
        c->rtt.retrans_stamp = 0;
    } else if (!tcp_before(c->snd_una, c->rec.high_seq)) {
        switch (c->rec.ca_state) {
        case TCP_CA_CWR:
            /* held until the CWR bit has certainly arrived */
            if (c->snd_una != c->rec.high_seq) {
                tcp_prr_end(c);
                tcp_recovery_set_ca_state(c, TCP_CA_OPEN);
            }
            break;
        case TCP_CA_RECOVERY:
            if (is_reno)
                tcp_sack_reset_reno(c);
            if (tcp_undo_recovery(c))
                return;
            tcp_prr_end(c);
            break;
        }
    }

    /* E. What does this ACK mean in this state? */
    switch (c->rec.ca_state) {
    case TCP_CA_RECOVERY:
        if (!(flag & ACK_SND_UNA_ADVANCED)) {
            if (is_reno)
                tcp_sack_add_reno(c, num_dupack, ece_ack);
        } else if (tcp_undo_partial(c, prior_snd_una)) {
            return;
        }
        if (tcp_undo_dsack(c))
            try_to_open(c, flag);
        identify_loss(c, ack_flag);
        if (c->rec.ca_state != TCP_CA_RECOVERY) {
            /* undone; but if there is loss all the same, a new episode begins */
            if (!c->lost_out)
                return;
            tcp_recovery_enter(c, ece_ack);
        }
        break;
    case TCP_CA_LOSS:
        process_loss(c, flag, num_dupack, rexmit);
        if (c->rec.ca_state != TCP_CA_LOSS)
            update_rto_time(c);
        identify_loss(c, ack_flag);
        if (c->rec.ca_state != TCP_CA_OPEN && !(*ack_flag & ACK_LOST_RETRANS))
            return;
        /* fall through: undone, or retransmissions were lost */
        __attribute__((fallthrough));
    default:
        if (is_reno) {
            if (flag & ACK_SND_UNA_ADVANCED)
                tcp_sack_reset_reno(c);
            tcp_sack_add_reno(c, num_dupack, ece_ack);
        }
        if (c->rec.ca_state <= TCP_CA_DISORDER)
            tcp_undo_dsack(c);
        identify_loss(c, ack_flag);
        if (!c->lost_out) {
            try_to_open(c, flag);
            return;
        }
        /* A path MTU probe was too big: no congestion (RFC 4821 7.5). The probe took one from the window. */
        if (c->rec.ca_state < TCP_CA_CWR && c->mtup.probe_size && c->snd_una == c->mtup.probe_seq_start) {
            tcp_pmtu_on_probe_acked(c, false);
            c->cc.s.cwnd++;
            tcp_recovery_simple_retransmit(c);
            return;
        }
        tcp_recovery_enter(c, ece_ack);
    }
    *rexmit = TCP_REXMIT_LOST;
}

void tcp_recovery_xmit(TcpConn *c, int rexmit)
{
    if (rexmit == TCP_REXMIT_NONE || c->state == TCP_SYN_SENT)
        return;
    if (rexmit == TCP_REXMIT_NEW) {
        tcp_output_push_pending(c, tcp_pmtu_current_mss(c), TCP_NAGLE_OFF);
        if (tcp_after(c->snd_nxt, c->rec.high_seq))
            return;
        c->rec.frto = 0;
    }
    tcp_retransmit_queue(c);
}
