/* Giving a connection up: close, shutdown, disconnect (Linux tcp_close, tcp_shutdown and inet_shutdown,
 * tcp_disconnect; RFC 9293 3.10.4, 3.10.5; RFC 2525 2.17 for the reset when data was not read). */
#include <errno.h>
#include <string.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_keepalive.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_passive.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/tcp/tcp_timer.h"

/* What our closing makes of each state (Linux new_state). */
static const struct {
    uint8_t next;
    bool has_fin;
} after_close[] = {
    [TCP_ESTABLISHED] = {TCP_FIN_WAIT1, true}, [TCP_SYN_SENT] = {TCP_CLOSE, false},
    [TCP_SYN_RECV] = {TCP_FIN_WAIT1, true},    [TCP_FIN_WAIT1] = {TCP_FIN_WAIT1, false},
    [TCP_FIN_WAIT2] = {TCP_FIN_WAIT2, false},  [TCP_TIME_WAIT] = {TCP_CLOSE, false},
    [TCP_CLOSE] = {TCP_CLOSE, false},          [TCP_CLOSE_WAIT] = {TCP_LAST_ACK, true},
    [TCP_LAST_ACK] = {TCP_LAST_ACK, false},    [TCP_LISTEN] = {TCP_CLOSE, false},
    [TCP_CLOSING] = {TCP_CLOSING, false},
};

bool tcp_close_state(TcpConn *c)
{
    TcpState s = c->state;

    if (after_close[s].next != s)
        tcp_set_state(c, after_close[s].next);
    return after_close[s].has_fin;
}

static bool has_unread(const TcpConn *c)
{
    for (const TcpRcvSeg *r = c->rcv.head; r; r = r->next) {
        uint32_t end = r->end_seq - ((r->flags & TCP_FIN) != 0);

        if (tcp_after(end, c->copied_seq))
            return true;
    }
    return false;
}

static void send_what_closing_means(TcpConn *c)
{
    bool was_unread = has_unread(c);

    tcp_rcvq_purge_in_order(c); /* before the reset, which shows the window that is free then */
    if (c->repair) {            /* it goes on elsewhere: not a word */
        tcp_disconnect(c);
    } else if (was_unread) { /* RFC 2525 2.17: the peer must learn that its data is lost */
        TCP_INC(c->tcp, TcpExtTCPAbortOnClose);
        tcp_set_state(c, TCP_CLOSE);
        tcp_output_send_active_reset(c);
    } else if (c->sflags & TCP_S_LINGER && !c->linger_s) {
        tcp_disconnect(c);
        TCP_INC(c->tcp, TcpExtTCPAbortOnData);
    } else if (tcp_close_state(c)) {
        tcp_output_send_fin(c);
    }
}

bool tcp_close_must_wait(const TcpConn *c)
{
    return c->state == TCP_FIN_WAIT1 || c->state == TCP_CLOSING || c->state == TCP_LAST_ACK;
}

bool tcp_close_begin(TcpConn *c, SimTime *linger_ns)
{
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    c->sflags |= TCP_S_RCV_SHUTDOWN | TCP_S_SEND_SHUTDOWN;
    if (c->state == TCP_LISTEN) {
        tcp_set_state(c, TCP_CLOSE);
        tcp_listen_stop(c);
    } else if (c->state != TCP_CLOSE) {
        send_what_closing_means(c);
    }
    *linger_ns = c->sflags & TCP_S_LINGER ? (SimTime)c->linger_s * SIM_SEC : 0;
    tcp_conn_let(c);
    return *linger_ns && tcp_close_must_wait(c);
}

/* An orphan in FIN_WAIT2: nobody will read what may still come. true: the connection is TIME_WAIT now. */
static bool leave_fin_wait2(TcpConn *c)
{
    uint32_t ms;

    if (c->keep.linger2_s < 0) {
        tcp_set_state(c, TCP_CLOSE);
        tcp_output_send_active_reset(c);
        TCP_INC(c->tcp, TcpExtTCPAbortOnLinger);
        return false;
    }
    ms = tcp_keepalive_fin_time_ms(c);
    if (ms > TCP_TIMEWAIT_LEN_MS) {
        tcp_timer_arm_keep(c, (SimTime)(ms - TCP_TIMEWAIT_LEN_MS) * SIM_MS);
        return false;
    }
    tcp_tw_enter(c, TCP_FIN_WAIT2, ms);
    return true;
}

/* Linux tcp_check_oom: too many orphans, or too much memory in theirs. */
static bool is_out_of_memory(TcpConn *c)
{
    return tcp_timer_too_many_orphans(c) ||
           (c->snd.wmem_queued > 2048 && c->tcp->mem_pages8 > (int64_t)c->tcp->sysctl->tcp_mem[2] * 4096);
}

void tcp_close_finish(TcpConn *c)
{
    hs_assert(!(c->sflags & TCP_S_DEAD));
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    c->sflags |= TCP_S_DEAD;
    c->wake = NULL;
    c->is_orphan = true;
    c->tcp->n_orphans++;
    if (c->state == TCP_FIN_WAIT2 && leave_fin_wait2(c)) {
        tcp_conn_let(c);
        return;
    }
    if (c->state != TCP_CLOSE && is_out_of_memory(c)) {
        tcp_set_state(c, TCP_CLOSE);
        tcp_output_send_active_reset(c);
        TCP_INC(c->tcp, TcpExtTCPAbortOnMemory);
    }
    if (c->state == TCP_CLOSE) {
        /* A Fast Open child whose handshake was not over: the listener's account is settled. */
        if (c->fastopen_req)
            tcp_fastopen_remove_child(c->fastopen_req->listener, c->fastopen_req, false);
        tcp_conn_free(c);
    }
    tcp_conn_let(c);
}

void tcp_close(TcpConn *c)
{
    SimTime linger_ns;

    tcp_close_begin(c, &linger_ns);
    tcp_close_finish(c);
}

int tcp_shutdown(TcpConn *c, int how)
{
    int err = 0;

    if (how < 0 || how > 2)
        return -EINVAL;
    how++; /* 1: receiving, 2: sending */
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    if (c->sock_state == TCP_SS_CONNECTING)
        c->sock_state = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV || c->state == TCP_CLOSE
                            ? TCP_SS_DISCONNECTING
                            : TCP_SS_CONNECTED;
    switch (c->state) {
    case TCP_LISTEN:
        if (!(how & 1))
            break;
        __attribute__((fallthrough));
    case TCP_SYN_SENT:
        err = tcp_disconnect(c);
        c->sock_state = err ? TCP_SS_DISCONNECTING : TCP_SS_UNCONNECTED;
        break;
    case TCP_CLOSE:
        err = -ENOTCONN;
        __attribute__((fallthrough)); /* poll tells of the hang-up even so */
    default:
        if (how & 1)
            c->sflags |= TCP_S_RCV_SHUTDOWN;
        if (how & 2) {
            c->sflags |= TCP_S_SEND_SHUTDOWN;
            if ((c->state == TCP_ESTABLISHED || c->state == TCP_SYN_SENT || c->state == TCP_CLOSE_WAIT) &&
                tcp_close_state(c))
                tcp_output_send_fin(c);
        }
        break;
    }
    tcp_wake(c);
    tcp_conn_let(c);
    return err;
}

/* Linux tcp_need_reset: the peer believes in a connection. */
static bool is_reset_needed(TcpState s)
{
    return s == TCP_ESTABLISHED || s == TCP_CLOSE_WAIT || s == TCP_FIN_WAIT1 || s == TCP_FIN_WAIT2 ||
           s == TCP_SYN_RECV;
}

static void forget_addresses(TcpConn *c)
{
    bool is_v6_any = c->sflags & TCP_S_V6;

    c->remote_port = 0;
    c->remote = is_v6_any ? (InetAddr){{0}} : inet_from_ip4(0);
    if (!(c->sflags & TCP_S_BIND_ADDR))
        c->local = c->remote;
    if (!(c->sflags & TCP_S_BIND_PORT) && !(c->sflags & TCP_S_BOUND))
        c->local_port = 0;
}

/* So that the socket may connect again. Sequence numbers go on behind what the old connection used. */
static void forget_connection(TcpConn *c)
{
    uint32_t seq = c->write_seq + c->max_window + 2;
    __typeof__(c->rtt.min_rtt[0]) min_rtt[HS_ARRAY_LEN(c->rtt.min_rtt)];

    c->sflags &= ~(uint32_t)(TCP_S_RCV_SHUTDOWN | TCP_S_SEND_SHUTDOWN | TCP_S_DONE | TCP_S_DEFER_CONNECT |
                             TCP_S_SYN_DATA | TCP_S_SYN_DATA_ACKED | TCP_S_SYN_FASTOPEN |
                             TCP_S_SYN_FASTOPEN_EXP | TCP_S_SYN_FASTOPEN_CH | TCP_S_WIRE_V6);
    c->write_seq = seq ? seq : 1;
    memcpy(min_rtt, c->rtt.min_rtt, sizeof(min_rtt)); /* the path may be the same again */
    cc_stop(&c->cc);
    tcp_conn_init_defaults(c);
    memcpy(c->rtt.min_rtt, min_rtt, sizeof(min_rtt));
    memset(&c->rec, 0, sizeof(c->rec));
    memset(&c->tlp, 0, sizeof(c->tlp));
    memset(&c->ts, 0, sizeof(c->ts));
    /* The next SYN decides; until then TCP_INFO shows what was. The ECN field is part of the TOS, which
     * stays: the next SYN goes out as the last segment did, ECT perhaps. */
    c->ecn = (TcpEcn){.flags = c->ecn.flags, .snd_ect = c->ecn.snd_ect};
    memset(&c->chrono, 0, sizeof(c->chrono));
    memset(&c->stats, 0, sizeof(c->stats));
    memset(&c->ack, 0, sizeof(c->ack));
    c->ack.rcv_mss = TCP_MIN_MSS;
    c->packets_out = c->retrans_out = c->sacked_out = c->lost_out = 0;
    c->fastopen_client_fail = TCP_TFO_NO_FAIL;
    c->max_packets_out = c->cwnd_usage_seq = c->snd_cwnd_used = 0;
    c->is_cwnd_limited = false;
    c->delivered = c->delivered_ce = c->lost = 0;
    c->keep.probes_out = 0;
    c->keep.probes_stamp = 0;
    c->win.window_clamp = 0;
    c->win.rcv_rtt_last_tsecr = 0;
    c->win.wscale_ok = c->win.snd_wscale = c->win.rcv_wscale = 0;
    c->rcv.num_sacks = c->rcv.dsack = 0;
    c->mss_clamp = TCP_MSS_DEFAULT;
    c->pred_is_valid = 0;
    c->metrics = NULL;
}

int tcp_disconnect(TcpConn *c)
{
    TcpState old = c->state;

    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    if (old != TCP_CLOSE)
        tcp_set_state(c, TCP_CLOSE);
    if (old == TCP_LISTEN) {
        tcp_listen_stop(c);
    } else if (c->repair) {
        c->err = ECONNABORTED;
    } else if (is_reset_needed(old) ||
               (c->snd_nxt != c->write_seq && (old == TCP_CLOSING || old == TCP_LAST_ACK))) {
        tcp_output_send_active_reset(c);
        c->err = ECONNRESET;
    } else if (old == TCP_SYN_SENT) {
        c->err = ECONNRESET;
    }
    tcp_timer_stop_rtx(c);
    tcp_timer_stop_keep(c);
    timer_cancel(&c->t_delack);
    tcp_timer_stop_seldom(c, TCP_SELDOM_PACE);
    tcp_timer_stop_seldom(c, TCP_SELDOM_COMP);
    tcp_rcvq_purge(c);
    c->copied_seq = c->rcv_nxt;
    if (c->urg)
        memset(c->urg, 0, sizeof(*c->urg));
    tcpsndq_purge(c);
    tcp_errq_on_purged(c);
    tcp_fastopen_active_disable_ofo_check(c);
    tcp_fastopen_free_tx(c);
    forget_addresses(c);
    forget_connection(c);
    c->sock_state = TCP_SS_UNCONNECTED;
    if (c->err)
        tcp_wake(c);
    tcp_conn_let(c);
    return 0;
}
