/* A segment arrives at its connection: RFC 9293 3.10.7.4 in Linux's order (tcp_v4_do_rcv,
 * tcp_rcv_established, tcp_rcv_state_process, tcp_validate_incoming). Control flow only: every step is a
 * function of another room.
 *
 *   tcp_input_segment
 *     ESTABLISHED  tcp_input_established: predicted segments take a short cut, else: validate, ACK, URG, data
 *     LISTEN       cookie, then tcp_input_state_process: the SYN goes to tcp_req.c
 *     SYN-SENT     tcp_input_synsent (tcp_synsent.c)
 *     others       tcp_input_state_process: validate, ACK, what the ACK means in this state, URG, data
 *   validate       tcp_validate.c and tcp_paws.c */
#include "models/tcp/tcp_input.h"

#include <errno.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_keepalive.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_passive.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"
#include "models/tcp/tcp_timer.h"

#define TSTAMP_ALIGNED 12
#define ACE_FLAGS (TCP_AE | TCP_CWR | TCP_ECE)
#define ACE_INIT_OFFSET 5 /* RFC 9768 3.2.1: the counter starts there */

static void drop(TcpConn *c, TcpIn *in, const char *reason)
{
    tcp_probes_drop(c->tcp, c, in, reason);
}

void tcp_input_reset(TcpConn *c, TcpIn *in)
{
    (void)in;
    switch (c->state) {
    case TCP_SYN_SENT:
        tcp_conn_done_with_error(c, ECONNREFUSED);
        break;
    case TCP_CLOSE_WAIT:
        tcp_conn_done_with_error(c, EPIPE);
        break;
    case TCP_CLOSE:
        break;
    default:
        tcp_conn_done_with_error(c, ECONNRESET);
        break;
    }
}

/* ---- ESTABLISHED ---- */

void tcp_input_fast_path_check(TcpConn *c)
{
    if (rbtree_is_empty(&c->rcv.ooo) && c->win.rcv_wnd && c->rcv.rmem_alloc < c->win.rcvbuf &&
        !(c->urg && c->urg->urg_data))
        c->pred_is_valid = 1;
}

/* Nothing but ACK (and PSH), the window as it was, the header as long as usual, next in order. */
static bool is_predicted(const TcpConn *c, const TcpIn *in)
{
    uint16_t expected = TCP_ACK;

    if (!c->pred_is_valid)
        return false;
    if (tcp_ecn_is_accecn(c)) {
        unsigned ace = (c->delivered_ce + ACE_INIT_OFFSET) & 7;

        expected |= (uint16_t)(ace << 6);
    }
    return (in->flags & ~TCP_PSH) == expected && in->window == (c->snd_wnd >> c->win.snd_wscale) &&
           in->hdr_len == c->tcp_header_len && in->seq == c->rcv_nxt && !tcp_after(in->ack, c->snd_nxt);
}

static bool has_usual_options(TcpConn *c, TcpIn *in)
{
    c->ts.saw_tstamp = false;
    in->saw_ts = false;
    if (c->tcp_header_len != TCP_MIN_HDR_LEN + TSTAMP_ALIGNED)
        return true;
    tcp_paws_parse_options(c, in);
    return in->saw_ts && (int32_t)(in->tsval - c->ts.ts_recent) >= 0;
}

static int update_ts_in_order(TcpConn *c, TcpIn *in)
{
    return in->saw_ts && c->rcv_nxt == c->win.rcv_wup ? tcp_paws_store_progress(c, in) : 0;
}

static void fast_ack(TcpConn *c, TcpIn *in)
{
    int flag = update_ts_in_order(c, in);

    tcp_ecn_received_counters(c, in, 0);
    tcp_ack_process(c, in, flag);
    tcp_output_data_snd_check(c);
    c->win.rcv_rtt_last_tsecr = c->ts.rcv_tsecr;
}

/* true: done; false: let the slow path do it, which may throw something away. */
static bool fast_data(TcpConn *c, TcpIn *in)
{
    uint32_t truesize = tcp_rcvq_truesize(in);
    uint32_t ack = in->ack;
    int flag;

    if (truesize >
        c->rcv.fwd_alloc) /* more must be reserved: that and its failure are tcp_rcvq_data's business */
        return false;
    flag = update_ts_in_order(c, in);
    tcp_window_rcv_rtt_measure_ts(c, in);
    TCP_INC(c->tcp, TcpExtTCPHPHits);
    tcp_ecn_received_counters(c, in, in->len);
    tcp_rcvq_append(c, in);
    tcp_delack_event_data_recv(c, in, truesize);
    if (ack != c->snd_una) {
        tcp_ack_process(c, in, flag | ACK_DATA);
        tcp_output_data_snd_check(c);
        if (c->ack.pending & TCP_ACK_SCHED)
            tcp_delack_check_now(c, false);
    } else {
        c->snd_wl1 = in->seq;
        tcp_delack_check_now(c, false);
    }
    tcp_rcvq_data_ready(c);
    return true;
}

void tcp_input_established(TcpConn *c, TcpIn *in)
{
    int acked;

    tcp_mstamp_refresh(c);
    c->ts.saw_tstamp = false;
    if (is_predicted(c, in) && has_usual_options(c, in)) {
        if (!in->len) {
            fast_ack(c, in);
            return;
        }
        if (!tcp_after(in->end_seq, c->rcv_nxt + tcp_window_receive(c))) {
            if (fast_data(c, in))
                return;
            goto ack; /* it is valid */
        }
    }
    if (!(in->flags & (TCP_ACK | TCP_RST | TCP_SYN))) {
        drop(c, in, "TCP_FLAGS");
        return;
    }
    if (!tcp_validate_segment(c, in, 1))
        return;
ack:
    tcp_ecn_received_counters(c, in, in->len);
    acked = tcp_ack_process(c, in, ACK_SLOWPATH | ACK_UPDATE_TS_RECENT);
    if (acked < 0) {
        drop(c, in, "TCP_INVALID_ACK");
        return;
    }
    tcp_window_rcv_rtt_measure_ts(c, in);
    tcp_urg_input(c, in);
    tcp_rcvq_data(c, in);
    tcp_output_data_snd_check(c);
    tcp_delack_snd_check(c);
}

/* ---- other states ---- */

/* The handshake of a Fast Open child has ended (Linux tcp_rcv_synrecv_state_fastopen). */
static void fastopen_completed(TcpConn *c)
{
    TcpReq *r = c->fastopen_req;

    if (c->rec.ca_state == TCP_CA_LOSS && !c->packets_out)
        tcp_undo_recovery(c);
    if (c->rec.rto_stamp) { /* Linux tcp_update_rto_time */
        c->rec.total_rto_time_ms += (uint32_t)(c->mstamp / SIM_MS - c->rec.rto_stamp / SIM_MS);
        c->rec.rto_stamp = 0;
    }
    c->retransmits = 0;
    tcp_undo_retrans_stamp_cleanup(c);
    tcp_fastopen_remove_child(r->listener, r, false);
    tcp_ack_rearm_rto(c);
}

/* The ACK of our SYN-ACK (or both SYNs crossed). */
static void syn_recv_acked(TcpConn *c, TcpIn *in)
{
    TcpReq *r = c->fastopen_req;

    c->delivered++; /* the SYN-ACK */
    if (!c->rtt.srtt_us)
        tcp_rtt_synack(c, r);
    if (c->ts.tstamp_ok)
        c->advmss = (uint16_t)(c->advmss - TSTAMP_ALIGNED);
    if (r) {
        fastopen_completed(c);
    } else {
        tcp_recovery_undo_spurious_syn(c);
        c->rtt.retrans_stamp = 0;
        tcp_ack_init_buffer_and_metrics(c, 1);
        c->copied_seq = c->rcv_nxt;
    }
    tcp_set_state(c, TCP_ESTABLISHED);
    tcp_wake(c);
    c->snd_una = in->ack;
    c->snd_wnd = (uint32_t)in->window << c->win.snd_wscale;
    c->snd_wl1 = in->seq;
    if (!cc_has_cong_control(&c->cc))
        tcp_pace_update_rate(c);
    c->lsndtime = c->mstamp;
    tcp_window_init_rcv_mss(c);
    if (tcp_ecn_is_accecn(c))
        tcp_ecn_third_ack(c, in);
    c->pred_is_valid = 1;
    if (c->sflags & TCP_S_SEND_SHUTDOWN)
        tcp_shutdown(c, 1);
}

/* Our FIN may be acknowledged now. false: the connection is done with; *answer is what to return. */
static bool fin_wait1(TcpConn *c, TcpIn *in, int *answer)
{
    bool is_fin = in->flags & TCP_FIN;
    uint32_t tmo_ms;

    if (c->fastopen_req)
        fastopen_completed(c);
    if (c->snd_una != c->write_seq)
        return true;
    c->is_passing = is_fin && !tcp_after(in->seq, c->rcv_nxt);
    tcp_set_state(c, TCP_FIN_WAIT2);
    c->sflags |= TCP_S_SEND_SHUTDOWN;
    tcp_ip_confirm_neigh(c);
    if (!(c->sflags & TCP_S_DEAD)) {
        tcp_wake(c); /* a lingering close waits for this */
        return true;
    }
    *answer = 1;
    if (c->keep.linger2_s < 0) {
        tcp_conn_done(c);
        TCP_INC(c->tcp, TcpExtTCPAbortOnData);
        return false;
    }
    /* Nobody will read it any more: RFC 9293 3.10.4, half-duplex close. */
    if (in->end_seq != in->seq && tcp_after(in->end_seq - is_fin, c->rcv_nxt)) {
        if (c->sflags & TCP_S_SYN_FASTOPEN && is_fin)
            tcp_fastopen_active_disable(c);
        tcp_conn_done(c);
        TCP_INC(c->tcp, TcpExtTCPAbortOnData);
        return false;
    }
    tmo_ms = tcp_keepalive_fin_time_ms(c);
    if (tmo_ms > TCP_TIMEWAIT_LEN_MS) {
        tcp_timer_arm_keep(c, (SimTime)(tmo_ms - TCP_TIMEWAIT_LEN_MS) * TCP_JIFFY_NS);
        return true;
    }
    if (is_fin) { /* handled below, which needs the whole connection */
        tcp_timer_arm_keep(c, (SimTime)tmo_ms * TCP_JIFFY_NS);
        return true;
    }
    tcp_tw_enter(c, TCP_FIN_WAIT2, tmo_ms);
    *answer = 0;
    return false;
}

/* What the ACK means in this state. false: the connection is gone. */
static bool after_ack(TcpConn *c, TcpIn *in, int *answer)
{
    switch (c->state) {
    case TCP_SYN_RECV:
        syn_recv_acked(c, in);
        break;
    case TCP_FIN_WAIT1:
        return fin_wait1(c, in, answer);
    case TCP_CLOSING:
        if (c->snd_una == c->write_seq) {
            tcp_tw_enter(c, TCP_TIME_WAIT, 0);
            return false;
        }
        break;
    case TCP_LAST_ACK:
        if (c->snd_una == c->write_seq) {
            tcp_metrics_update(c);
            tcp_conn_done(c);
            return false;
        }
        break;
    default:
        break;
    }
    return true;
}

/* Step 7, the segment text. false: answered with a reset, the connection is gone. */
static bool take_data(TcpConn *c, TcpIn *in)
{
    switch (c->state) {
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
        if (!tcp_before(in->seq, c->rcv_nxt)) { /* behind the FIN: nothing can be there */
            c->rcv.drops += HS_MAX(in->gso_segs, 1);
            return true;
        }
        break;
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_ESTABLISHED:
        break;
    default:
        return true;
    }
    /* RFC 1122 4.2.2.13: data for somebody who has closed is answered with a reset. */
    if (c->state != TCP_ESTABLISHED && c->sflags & TCP_S_RCV_SHUTDOWN && in->end_seq != in->seq &&
        tcp_after(in->end_seq - ((in->flags & TCP_FIN) != 0), c->rcv_nxt)) {
        TCP_INC(c->tcp, TcpExtTCPAbortOnData);
        tcp_input_reset(c, in);
        return false;
    }
    tcp_rcvq_data(c, in);
    return true;
}

static int listening(TcpConn *c, TcpIn *in)
{
    if (in->flags & TCP_ACK)
        return 1;
    if (in->flags & TCP_RST) {
        drop(c, in, "TCP_RESET");
    } else if ((in->flags & (TCP_SYN | TCP_FIN)) == TCP_SYN) {
        tcp_req_on_syn(c, in);
    } else {
        drop(c, in, "TCP_FLAGS");
    }
    return 0;
}

int tcp_input_state_process(TcpConn *c, TcpIn *in)
{
    int answer = 0, acked;

    if (c->state == TCP_CLOSE) {
        drop(c, in, "TCP_CLOSE");
        return 0;
    }
    if (c->state == TCP_LISTEN)
        return listening(c, in);

    tcp_mstamp_refresh(c);
    c->ts.saw_tstamp = false;
    if (c->state == TCP_SYN_SENT) {
        answer = tcp_input_synsent(c, in);
        if (answer >= 0)
            return answer;
        tcp_urg_input(c, in);
        tcp_output_data_snd_check(c);
        return 0;
    }
    if (c->fastopen_req) {
        bool lost_race = false;

        if (!tcp_req_check(c, c->fastopen_req, in, true, &lost_race)) {
            drop(c, in, "TCP_FASTOPEN");
            return 0;
        }
    }
    if (!(in->flags & (TCP_ACK | TCP_RST | TCP_SYN))) {
        drop(c, in, "TCP_FLAGS");
        return 0;
    }
    if (!tcp_validate_segment(c, in, 0))
        return 0;

    acked = tcp_ack_process(c, in, ACK_SLOWPATH | ACK_UPDATE_TS_RECENT | ACK_NO_CHALLENGE_ACK);
    if (acked <= 0 && c->state == TCP_SYN_RECV)
        return 1;
    if (acked < 0) {
        tcp_challenge_send_ack(c, false);
        drop(c, in, "TCP_INVALID_ACK");
        return 0;
    }
    if (!after_ack(c, in, &answer))
        return answer;
    tcp_urg_input(c, in);
    if (!take_data(c, in))
        return 1;
    if (c->state != TCP_CLOSE) { /* the data may have moved it to TIME-WAIT */
        tcp_output_data_snd_check(c);
        tcp_delack_snd_check(c);
    }
    return 0;
}

/* ---- entry ---- */

void tcp_input_segment(TcpConn *c, TcpIn *in)
{
    tcp_conn_hold(c);
    if (c->state == TCP_ESTABLISHED) {
        tcp_input_established(c, in);
    } else {
        TcpConn *to = c;

        if (c->state == TCP_LISTEN && !(in->flags & TCP_SYN)) {
            to = tcp_cookie_check(c, in);
            if (to && to != c)
                tcp_req_child_process(c, to, in);
        }
        if (to == c && tcp_input_state_process(c, in))
            tcp_demux_send_reset(c->tcp, c, in);
    }
    tcp_conn_let(c);
}
