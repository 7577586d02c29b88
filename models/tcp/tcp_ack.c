/* An acceptable ACK arrives (Linux tcp_ack): what does it newly say — acknowledged, SACKed, window, marks,
 * round-trip time — and who is to know. The order is Linux's and matters: first what is known is brought up
 * to date (window, scoreboard, queue, rate samples), then loss is judged (tcp_recovery.c), then the window
 * changes (tcp_cc.c), then retransmissions leave. New data follow later, by tcp_output_data_snd_check. */
#include "models/tcp/tcp_ack.h"

#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"
#include "models/tcp/tcp_timer.h"

/* ---- timers ---- */

void tcp_ack_rearm_rto(TcpConn *c)
{
    SimTime rto_ms = c->rtt.rto_ms;

    /* Until its handshake is over, a Fast Open child's timer is the SYN-ACK's. */
    if (c->fastopen_req)
        return;
    if (!c->packets_out) {
        tcp_timer_stop_rtx(c);
        return;
    }
    /* A probe or the reordering timer took the place of the timeout: what has passed counts. */
    if ((c->timer_kind == TCP_TIMER_REO || c->timer_kind == TCP_TIMER_LOSS_PROBE) && c->snd.rtx_head) {
        int64_t left_us = c->snd.rtx_head->sent_ns / SIM_US + rto_ms * 1000 - c->mstamp / SIM_US;

        rto_ms = (HS_MAX(left_us, 1) + 999) / 1000;
    }
    tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, rto_ms * SIM_MS + tcp_pace_delay(c));
}

void tcp_ack_set_xmit_timer(TcpConn *c)
{
    if (tcp_classic_is_on(c) || !tcp_tlp_schedule(c, true))
        tcp_ack_rearm_rto(c);
}

/* Nothing is in flight: does the window still keep us from sending? */
void tcp_ack_probe0(TcpConn *c)
{
    const TcpSeg *head = c->snd.write_head;

    if (!head)
        return;
    if (!tcp_after(head->end_seq, tcp_wnd_end(c))) {
        c->rtt.backoff = 0;
        c->keep.probes_stamp = 0;
        if (c->timer_kind == TCP_TIMER_PROBE0)
            tcp_timer_stop_rtx(c);
        /* the caller's tcp_output_data_snd_check sends */
    } else {
        SimTime when = tcp_timer_probe0_when(c, (SimTime)c->rtt.rto_max_ms * SIM_MS);

        tcp_timer_arm_rtx(c, TCP_TIMER_PROBE0, tcp_timer_clamp_to_user_timeout(c, when) + tcp_pace_delay(c));
    }
}

/* ---- bookkeeping ---- */

void tcp_ack_count_delivered(TcpConn *c, uint32_t delivered, bool ece_ack)
{
    c->delivered += delivered;
    /* RFC 3168 feedback knows no numbers: all that such an ACK acknowledges counts as marked. */
    if (ece_ack && tcp_ecn_is_rfc3168(c))
        c->delivered_ce += delivered;
}

void tcp_ack_snd_una_update(TcpConn *c, uint32_t ack)
{
    c->stats.bytes_acked += ack - c->snd_una;
    c->snd_una = ack;
}

/* Linux tcp_may_update_window: RFC 9293's rule (SND.WL1, SND.WL2), and a window that grows or closes without
 * anything new. */
static bool may_update_window(const TcpConn *c, uint32_t ack, uint32_t ack_seq, uint32_t nwin)
{
    return tcp_after(ack, c->snd_una) || tcp_after(ack_seq, c->snd_wl1) ||
           (ack_seq == c->snd_wl1 && (nwin > c->snd_wnd || !nwin));
}

static int update_window(TcpConn *c, const TcpIn *in)
{
    uint32_t nwin = in->window;
    int flag = 0;

    /* RFC 7323 2.2: the window of a SYN is never scaled. */
    if (!(in->flags & TCP_SYN))
        nwin <<= c->win.snd_wscale;

    if (may_update_window(c, in->ack, in->seq, nwin)) {
        flag |= ACK_WIN_UPDATE;
        c->snd_wl1 = in->seq;
        if (c->snd_wnd != nwin) {
            c->snd_wnd = nwin;
            c->pred_is_valid = 0;
            tcp_input_fast_path_check(c);
            if (c->snd.write_head)
                tcp_cwnd_slow_start_after_idle_check(c);
            if (nwin > c->max_window) {
                c->max_window = nwin;
                tcp_pmtu_sync_mss(c, c->pmtu_cookie);
            }
        }
    }
    tcp_ack_snd_una_update(c, in->ack);
    return flag;
}

static void in_ack_event(TcpConn *c, int flag)
{
    uint32_t ev = 0;
    CcView v;

    if (!c->cc.ops->in_ack_event)
        return;
    if (flag & ACK_WIN_UPDATE)
        ev |= CC_ACK_WIN_UPDATE;
    if (flag & ACK_SLOWPATH)
        ev |= CC_ACK_SLOWPATH;
    if (flag & ACK_ECE)
        ev |= CC_ACK_ECE;
    tcp_cc_fill_view(c, &v);
    cc_in_ack_event(&c->cc, &v, ev);
}

/* How many packets this ACK delivered, after the counters have it too (tcp_newly_delivered). */
static uint32_t newly_delivered(TcpConn *c, uint32_t prior_delivered, uint32_t ecn_count, int flag)
{
    uint32_t delivered = c->delivered - prior_delivered;

    TCP_ADD(c->tcp, TcpExtTCPDelivered, delivered);
    if (flag & ACK_ECE)
        TCP_ADD(c->tcp, TcpExtTCPDeliveredCE, tcp_ecn_is_rfc3168(c) ? delivered : ecn_count);
    return delivered;
}

/* ---- the rtx queue ---- */

typedef struct Cleaned {
    SimTime first_ackt, last_ackt; /* sent times of what was sent once only */
    uint32_t reord;                /* lowest such sequence number */
    uint32_t pkts;
    bool has_ackt;
    bool is_fully; /* no segment was acknowledged in part */
    int flag;
} Cleaned;

/* One segment of which `pcount` packets are acknowledged now. */
static void clean_one(TcpConn *c, TcpSeg *s, uint32_t start_seq, uint32_t pcount, TcpSackState *st,
                      bool ece_ack, Cleaned *k)
{
    uint8_t sacked = s->sacked;

    if (sacked & (SEG_RETRANS | SEG_EVER_RETRANS)) {
        if (sacked & SEG_RETRANS)
            c->retrans_out -= pcount;
        k->flag |= ACK_RETRANS_DATA_ACKED;
        if (HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_RTT_NO_KARN)) {
            k->last_ackt = s->sent_ns;
            k->first_ackt = k->has_ackt ? k->first_ackt : k->last_ackt;
            k->has_ackt = true;
        }
    } else if (!(sacked & SEG_SACKED)) {
        k->last_ackt = s->sent_ns;
        if (!k->has_ackt)
            k->first_ackt = k->last_ackt;
        k->has_ackt = true;
        if (tcp_before(start_seq, k->reord))
            k->reord = start_seq;
        if (!tcp_after(s->end_seq, c->rec.high_seq))
            k->flag |= ACK_ORIG_SACK_ACKED;
    }

    if (sacked & SEG_SACKED) {
        c->sacked_out -= pcount;
    } else if (c->sack.is_sack_ok) {
        tcp_ack_count_delivered(c, pcount, ece_ack);
        /* An echo from before the retransmission: its time says nothing (tcp_skb_spurious_retrans). */
        if (!((sacked & (SEG_RETRANS | SEG_EVER_RETRANS)) && tcp_undo_ecr_is_before(c, s->sent_ns)))
            tcp_rack_advance(c, s, sacked, s->end_seq);
    }
    if (sacked & SEG_LOST)
        c->lost_out -= pcount;

    c->packets_out -= pcount;
    k->pkts += pcount;
    tcp_rate_on_delivered(c, s, st->rate);

    /* A SYN is no data: it must not make slow start a packet faster. */
    if (s->flags & TCP_SYN) {
        k->flag |= ACK_SYN_ACKED;
        c->rtt.retrans_stamp = 0;
    } else {
        k->flag |= ACK_DATA_ACKED;
    }
}

/* Removes what is acknowledged; returns the first segment that remains (which may have lost its head). */
static TcpSeg *clean_queue(TcpConn *c, TcpSackState *st, bool ece_ack, uint32_t prior_snd_una, Cleaned *k)
{
    TcpSeg *s, *next;

    for (s = c->snd.rtx_head; s; s = next) {
        uint32_t start_seq = s->seq, pcount = s->pcount;

        if (tcp_after(s->end_seq, c->snd_una)) {
            /* a part of a super segment: whole packets only (tcp_tso_acked) */
            if (s->pcount == 1 || !tcp_after(c->snd_una, s->seq))
                break;
            tcpsndq_trim_head(c, s, c->snd_una - s->seq);
            pcount -= s->pcount;
            if (!pcount)
                break;
            k->is_fully = false;
        }
        clean_one(c, s, start_seq, pcount, st, ece_ack, k);
        if (!k->is_fully)
            break;

        next = s->next;
        if (c->sack.retransmit_hint == s)
            c->sack.retransmit_hint = NULL;
        if (c->sack.lost_hint == s)
            c->sack.lost_hint = NULL;
        if (c->sack.highest_sack == s)
            c->sack.highest_sack = next;
        tcp_errq_on_acked(c, s, prior_snd_una, st->ttl);
        tcp_errq_on_freed(c, s->end_seq);
        tcpsndq_rtx_unlink_free(c, s);
    }
    return s;
}

/* Linux tcp_clean_rtx_queue; returns flags. */
static int clean_rtx(TcpConn *c, uint32_t prior_fack, uint32_t prior_snd_una, TcpSackState *st, bool ece_ack)
{
    Cleaned k = {.reord = c->snd_nxt, .is_fully = true};
    int64_t seq_rtt_us = -1, sack_rtt_us = -1, ca_rtt_us = -1;
    uint32_t prior_sacked = c->sacked_out;
    TcpSeg *s = clean_queue(c, st, ece_ack, prior_snd_una, &k);
    bool rtt_update;

    if (!s)
        tcp_cwnd_chrono_stop(c, 1);
    if (c->urg && tcp_between(c->urg->snd_up, prior_snd_una, c->snd_una))
        c->urg->snd_up = c->snd_una;
    if (s) {
        tcp_errq_on_acked(c, s, prior_snd_una, st->ttl);
        if (s->sacked & SEG_SACKED)
            k.flag |= ACK_SACK_RENEGING;
    }

    if (k.has_ackt &&
        (!(k.flag & ACK_RETRANS_DATA_ACKED) || HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_RTT_NO_KARN))) {
        seq_rtt_us = tcp_us_between(c->mstamp, k.first_ackt);
        ca_rtt_us = tcp_us_between(c->mstamp, k.last_ackt);
        /* A lone small packet, nothing else delivered: the receiver has probably waited for a second one. */
        if (k.pkts == 1 && k.is_fully && !prior_sacked && c->snd_una - prior_snd_una < c->mss_cache &&
            st->rate->prior_delivered + 1 == c->delivered && !(k.flag & (ACK_CA_ALERT | ACK_SYN_ACKED)))
            k.flag |= ACK_MAYBE_DELAYED;
    }
    if (st->first_sackt) {
        sack_rtt_us = tcp_us_between(c->mstamp, st->first_sackt);
        ca_rtt_us = tcp_us_between(c->mstamp, st->last_sackt);
    }
    rtt_update = tcp_rtt_ack_update(c, k.flag, seq_rtt_us, sack_rtt_us, ca_rtt_us, st->rate);

    if (k.flag & ACK_ACKED) {
        k.flag |= ACK_SET_XMIT_TIMER;
        if (c->mtup.probe_size && !tcp_after(c->mtup.probe_seq_end, c->snd_una))
            tcp_pmtu_on_probe_acked(c, true);
        if (!c->sack.is_sack_ok) {
            tcp_sack_remove_reno(c, k.pkts, ece_ack);
            /* Without SACK nobody knows whether it was the original that made progress. */
            if (k.flag & ACK_RETRANS_DATA_ACKED)
                k.flag &= ~ACK_ORIG_SACK_ACKED;
        } else if (tcp_before(k.reord, prior_fack)) {
            /* a hole was filled by what was never sent again: reordering */
            tcp_sack_update_reordering(c, k.reord, 0);
        }
        /* Linux takes the left edge's step alone, in whole packets: what was SACKed before counts again, what
         * the same ACK SACKs does not (tcp_clean_rtx_queue). The next option puts the byte counters right. */
        st->delivered_bytes = (s ? s->seq : c->snd_una) - prior_snd_una;
    } else if (s && rtt_update && sack_rtt_us >= 0 && sack_rtt_us > tcp_us_between(c->mstamp, s->sent_ns)) {
        /* Only if the sample is of something sent before the head: else SACKs would put the timeout off again
         * and again. */
        k.flag |= ACK_SET_XMIT_TIMER;
    }

    if (c->cc.ops->pkts_acked) {
        CcAckSample sample = {
            .pkts_acked = k.pkts,
            .rtt_us = (int32_t)st->rate->rtt_us,
            .in_flight = c->mss_cache * (c->delivered - st->rate->prior_delivered),
        };
        CcView v;

        tcp_cc_fill_view(c, &v);
        cc_pkts_acked(&c->cc, &v, &sample);
    }
    return k.flag;
}

/* ---- the ACK ---- */

static bool is_dubious(const TcpConn *c, int flag)
{
    return !(flag & ACK_NOT_DUP) || (flag & ACK_CA_ALERT) || c->rec.ca_state != TCP_CA_OPEN;
}

static bool has_sack(const TcpConn *c, const TcpIn *in)
{
    return in->has_opts && in->opt.n_sack && c->sack.is_sack_ok && tcp_classic_uses_sack(c);
}

/* An ACK below snd_una: its SACKs and D-SACKs may still be news. */
static int old_ack(TcpConn *c, TcpIn *in, int flag, uint32_t prior_snd_una, uint32_t delivered,
                   TcpSackState *st)
{
    int rexmit = TCP_REXMIT_NONE;

    if (!has_sack(c, in) || tcp_classic_is_on(c))
        return 0;
    /* What these SACKs deliver is not counted, nor the marks that it tells of: sack_delivered and accurate
     * ECN are for ACKs that are not old (Linux tcp_ack). */
    flag |= tcp_sack_tag_queue(c, in, prior_snd_una, st);
    tcp_recovery_fastretrans_alert(c, prior_snd_una, 0, &flag, &rexmit);
    newly_delivered(c, delivered, 0, flag);
    tcp_recovery_xmit(c, rexmit);
    return 0;
}

int tcp_ack_process(TcpConn *c, TcpIn *in, int flag)
{
    CcRateSample rs = {.rtt_us = -1};
    TcpSackState st = {.rate = &rs, .ttl = in->ttl};
    uint32_t prior_snd_una = c->snd_una, prior_packets = c->packets_out, prior_fack;
    uint32_t delivered = c->delivered, lost = c->lost, ecn_count = 0, ack = in->ack;
    bool is_sack_reneg = c->rec.is_sack_reneg;
    int num_dupack = 0, rexmit = TCP_REXMIT_NONE;

    if (tcp_before(ack, prior_snd_una)) {
        /* RFC 5961 5.2, and nothing that was never sent */
        uint32_t max_window = (uint32_t)HS_MIN((uint64_t)c->max_window, c->stats.bytes_acked);

        if (tcp_before(ack, prior_snd_una - max_window)) {
            if (!(flag & ACK_NO_CHALLENGE_ACK))
                tcp_challenge_send_ack(c, false);
            return TCP_ACK_TOO_OLD;
        }
        return old_ack(c, in, flag, prior_snd_una, delivered, &st);
    }
    /* RFC 9293 3.10.7.4, RFC 5961 5.2: an ACK for something not sent yet is answered with one */
    if (tcp_after(ack, c->snd_nxt)) {
        if (!(flag & ACK_NO_CHALLENGE_ACK))
            tcp_challenge_send_ack(c, false);
        return TCP_ACK_UNSENT;
    }

    if (tcp_after(ack, prior_snd_una)) {
        flag |= ACK_SND_UNA_ADVANCED;
        c->retransmits = 0;
    }
    prior_fack = c->sack.is_sack_ok ? tcp_sack_highest_seq(c) : c->snd_una;
    rs.prior_in_flight = tcp_packets_in_flight(c);

    if (flag & ACK_UPDATE_TS_RECENT)
        flag |= tcp_paws_replace_recent(c, in->seq, in);

    if ((flag & (ACK_SLOWPATH | ACK_SND_UNA_ADVANCED)) == ACK_SND_UNA_ADVANCED) {
        /* the window is what it was, nothing but progress */
        c->snd_wl1 = in->seq;
        tcp_ack_snd_una_update(c, ack);
        flag |= ACK_WIN_UPDATE;
        TCP_INC(c->tcp, TcpExtTCPHPAcks);
    } else {
        if (in->seq != in->end_seq)
            flag |= ACK_DATA;
        else
            TCP_INC(c->tcp, TcpExtTCPPureAcks);
        flag |= update_window(c, in);
        if (has_sack(c, in))
            flag |= tcp_sack_tag_queue(c, in, prior_snd_una, &st);
        if (tcp_ecn_rcv_ecn_echo(c, in))
            flag |= ACK_ECE;
        if (st.sack_delivered)
            tcp_ack_count_delivered(c, st.sack_delivered, flag & ACK_ECE);
    }

    /* RFC 3168 wants CWR on data only; Linux accepts it on pure ACKs, which many send. */
    tcp_ecn_accept_cwr(c, in);

    c->err_soft = 0;
    c->keep.probes_out = 0;
    c->rcv_tstamp = c->mstamp;

    if (!prior_packets) {
        if (tcp_ecn_is_accecn(c))
            ecn_count = tcp_ecn_on_ack(c, in, c->delivered - delivered, st.delivered_bytes, &flag);
        in_ack_event(c, flag);
        if ((flag & ACK_DSACKING_ACK) && !tcp_classic_is_on(c)) {
            tcp_recovery_fastretrans_alert(c, prior_snd_una, num_dupack, &flag, &rexmit);
            newly_delivered(c, delivered, ecn_count, flag);
        }
        tcp_ack_probe0(c);
        if (c->tlp.high_seq)
            tcp_tlp_on_ack(c, ack, flag);
        return 1;
    }

    flag |= clean_rtx(c, prior_fack, prior_snd_una, &st, flag & ACK_ECE);
    if (tcp_ecn_is_accecn(c))
        ecn_count = tcp_ecn_on_ack(c, in, c->delivered - delivered, st.delivered_bytes, &flag);
    in_ack_event(c, flag);
    tcp_rack_update_reo_wnd(c, &rs);
    rs.is_acking_tlp_retrans =
        c->tlp.high_seq && c->tlp.is_retrans && !tcp_before(ack, c->tlp.high_seq); /* BBRv3 */
    if (c->tlp.high_seq)
        tcp_tlp_on_ack(c, ack, flag);

    if (!(flag & (ACK_SND_UNA_ADVANCED | ACK_NOT_DUP | ACK_DSACKING_ACK)))
        num_dupack = flag & ACK_DATA ? 1 : HS_MAX(1, in->gso_segs);

    if (HS_UNLIKELY(tcp_classic_is_on(c))) {
        TcpClassicAck a = {.ack = ack, .num_dupack = num_dupack, .flag = flag, .rate = &rs};

        if (flag & ACK_SET_XMIT_TIMER)
            tcp_ack_set_xmit_timer(c);
        a.newly_acked_sacked = newly_delivered(c, delivered, ecn_count, flag);
        tcp_rate_generate(c, a.newly_acked_sacked, 0, false, &rs);
        tcp_classic_on_ack(c, &a);
        tcp_probes_cwnd(c);
        return 1;
    }

    if (is_dubious(c, flag))
        tcp_recovery_fastretrans_alert(c, prior_snd_una, num_dupack, &flag, &rexmit);

    if (flag & ACK_SET_XMIT_TIMER)
        tcp_ack_set_xmit_timer(c);
    if ((flag & ACK_FORWARD_PROGRESS) || !(flag & ACK_NOT_DUP))
        tcp_ip_confirm_neigh(c);

    delivered = newly_delivered(c, delivered, ecn_count, flag);
    lost = c->lost - lost;
    rs.is_ack_delayed = flag & ACK_MAYBE_DELAYED;
    rs.is_ece = flag & ACK_ECE;
    tcp_rate_generate(c, delivered, lost, is_sack_reneg, &rs);
    tcp_cc_control(c, ack, delivered, flag, &rs);
    tcp_probes_cwnd(c);
    tcp_recovery_xmit(c, rexmit);
    return 1;
}

/* ESTABLISHED is near (Linux tcp_init_transfer). */
void tcp_ack_init_buffer_and_metrics(TcpConn *c, int bpf_event)
{
    (void)bpf_event;
    tcp_pmtu_init(c);
    tcp_ip_route(c);
    tcp_metrics_init(c);
    /* RFC 6298 5.7: after lost SYNs the window is 1; Linux forgives the first loss. */
    if (c->stats.total_retrans > 1 && c->rec.undo_marker)
        c->cc.s.cwnd = 1;
    else
        c->cc.s.cwnd = tcp_cwnd_initial(c);
    c->snd_cwnd_stamp = c->mstamp;
    if (!c->cc.is_started)
        tcp_cc_init(c);
    tcp_window_init_buffer_space(c);
}
