/* Segments that carry no queued data: SYN and the opening of a connection, pure ACKs, window probes and
 * keepalives, FIN, RST (Linux tcp_connect, tcp_send_ack, tcp_write_wakeup, tcp_send_probe0, tcp_send_fin,
 * tcp_send_active_reset, tcp_send_synack). */
#include <errno.h>

#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_timer.h"
#include "models/wire/tcp.h"

#define TS_SPACE 12
#define MD5_SPACE 20

static int transmit_bare(TcpConn *c, uint32_t seq, uint16_t flags, uint32_t rcv_nxt)
{
    TcpSeg s = {.seq = seq, .end_seq = seq, .flags = flags, .pcount = 1};

    return tcp_output_transmit(c, &s, false, rcv_nxt);
}

/* The sequence number of a segment without data: snd_nxt, unless the peer has shrunk its window since
 * (tcp_acceptable_seq). */
static uint32_t acceptable_seq(const TcpConn *c)
{
    uint32_t end = tcp_wnd_end(c);

    if (!tcp_before(end, c->snd_nxt) || (c->win.wscale_ok && c->snd_nxt - end < 1u << c->win.rcv_wscale))
        return c->snd_nxt;
    return end;
}

/* ---- ACK, RST ---- */

void tcp_output_send_ack_nxt(TcpConn *c, uint32_t rcv_nxt, uint16_t extra_flags)
{
    if (c->state == TCP_CLOSE)
        return;
    transmit_bare(c, acceptable_seq(c), TCP_ACK | extra_flags, rcv_nxt);
}

void tcp_output_send_ack(TcpConn *c)
{
    tcp_output_send_ack_nxt(c, c->rcv_nxt, 0);
}

void tcp_output_send_active_reset(TcpConn *c)
{
    TCP_INC(c->tcp, TcpOutRsts);
    if (transmit_bare(c, acceptable_seq(c), TCP_ACK | TCP_RST, c->rcv_nxt))
        TCP_INC(c->tcp, TcpExtTCPAbortFailed);
}

/* ---- FIN ---- */

void tcp_output_send_fin(TcpConn *c)
{
    TcpSeg *s = c->snd.write_tail;

    if (!s && c->tcp->mem_pressure && c->snd.rtx_tail) {
        /* no memory for a segment: the last one sent carries it when it is retransmitted */
        s = c->snd.rtx_tail;
        s->flags |= TCP_FIN;
        s->end_seq++;
        c->write_seq++;
        c->snd_nxt++;
        return;
    }
    if (s) {
        s->flags |= TCP_FIN;
        s->end_seq++;
    } else {
        s = tcpsndq_new_control(c, c->write_seq, TCP_ACK | TCP_FIN);
        tcpsndq_append(c, s);
    }
    c->write_seq++;
    tcp_output_push_pending(c, tcp_pmtu_current_mss(c), TCP_NAGLE_OFF);
}

/* ---- probes ---- */

/* A segment that the peer must answer: a sequence number that it has acknowledged already
 * (tcp_xmit_probe_skb). */
static int transmit_probe(TcpConn *c, bool urgent, int mib)
{
    tcp_mib_add(c->tcp, (unsigned)mib, 1);
    return transmit_bare(c, c->snd_una - !urgent, TCP_ACK, c->rcv_nxt);
}

int tcp_output_write_wakeup(TcpConn *c, int mib)
{
    TcpSeg *s = c->snd.write_head;
    uint32_t mss, room;
    int err;

    if (c->state == TCP_CLOSE)
        return -1;
    if (!s || !tcp_before(s->seq, tcp_wnd_end(c))) {
        if (c->urg && tcp_between(c->urg->snd_up, c->snd_una + 1, c->snd_una + 0xffff))
            transmit_probe(c, true, mib);
        return transmit_probe(c, false, mib);
    }
    /* The window is not closed: our own avoidance of silly segments held this back. What fits goes now. */
    mss = tcp_pmtu_current_mss(c);
    room = tcp_wnd_end(c) - s->seq;
    if (tcp_before(c->pushed_seq, s->end_seq))
        c->pushed_seq = s->end_seq;
    if (room < s->end_seq - s->seq || tcpseg_len(s) > mss) {
        room = HS_MIN(room, mss);
        s->flags |= TCP_PSH;
        if (!tcpsndq_fragment(c, s, room, mss))
            return -1;
    } else if (!s->pcount) {
        tcpsndq_set_pcount(s, mss);
    }
    s->flags |= TCP_PSH;
    err = tcp_output_transmit(c, s, true, c->rcv_nxt);
    if (!err)
        tcp_output_event_new_data_sent(c, s);
    return err;
}

/* The end of TCP_REPAIR: the answer tells the window (Linux tcp_send_window_probe). */
void tcp_output_send_window_probe(TcpConn *c)
{
    if (c->state != TCP_ESTABLISHED)
        return;
    c->snd_wl1 = c->rcv_nxt - 1;
    tcp_mstamp_refresh(c);
    transmit_probe(c, false, MIB_TcpExtTCPWinProbe);
}

void tcp_output_send_probe0(TcpConn *c)
{
    int err = tcp_output_write_wakeup(c, MIB_TcpExtTCPWinProbe);
    SimTime when = TCP_PROBE_INTERVAL_MIN_MS * SIM_MS;

    if (c->packets_out || !c->snd.write_head) {
        c->keep.probes_out = 0;
        c->keep.probes_stamp = 0;
        c->rtt.backoff = 0;
        return;
    }
    c->keep.probes_out++;
    if (err <= 0) {
        if (c->rtt.backoff < c->tcp->sysctl->tcp_retries2)
            c->rtt.backoff++;
        when = tcp_timer_probe0_when(c, c->rtt.rto_max_ms * SIM_MS);
    }
    when = tcp_timer_clamp_to_user_timeout(c, when);
    tcp_timer_arm_rtx(c, TCP_TIMER_PROBE0, when + tcp_pace_delay(c));
}

/* ---- opening ---- */

int tcp_output_send_synack(TcpConn *c)
{
    TcpSeg *s = c->snd.rtx_head;

    if (!s || !(s->flags & TCP_SYN))
        return -EFAULT;
    if (!(s->flags & TCP_ACK)) {
        s->flags |= TCP_ACK;
        tcp_ecn_send_synack_conn(c, s);
    }
    return tcp_output_transmit(c, s, true, c->rcv_nxt);
}

static void clear_retrans(TcpConn *c) /* tcp_clear_retrans */
{
    c->retrans_out = c->lost_out = c->sacked_out = 0;
    c->rec.undo_marker = 0;
    c->rec.undo_retrans = -1;
    c->rec.rto_stamp = 0;
    c->rec.total_rto = c->rec.total_rto_time_ms = 0;
    c->rec.total_rto_recoveries = 0;
}

/* The first window that we offer, and its scale (the rest of tcp_connect_init). */
static void init_window(TcpConn *c)
{
    TcpWindow *w = &c->win;
    uint32_t full = tcp_window_full_space(c);

    if (!w->window_clamp)
        w->window_clamp = route_metrics_get(c->metrics, ROUTE_WINDOW);
    if (w->is_rcvbuf_locked && (w->window_clamp > full || !w->window_clamp))
        w->window_clamp = full;
    tcp_window_select_initial(c, full,
                              c->advmss - (c->ts.ts_recent_stamp ? c->tcp_header_len - TCP_MIN_HDR_LEN : 0),
                              &w->rcv_wnd, &w->window_clamp, c->tcp->sysctl->tcp_window_scaling,
                              &w->rcv_wscale, route_metrics_get(c->metrics, ROUTE_INITRWND));
    w->rcv_ssthresh = w->rcv_wnd;
}

static void connect_init(TcpConn *c)
{
    uint32_t advmss;

    /* corrected when the answer tells which options the peer has */
    c->tcp_header_len = TCP_MIN_HDR_LEN;
    if (c->md5 && tcp_md5_find(c, &c->remote))
        c->tcp_header_len += MD5_SPACE;
    else if (c->tcp->sysctl->tcp_timestamps)
        c->tcp_header_len += TS_SPACE;
    if (c->user_mss)
        c->mss_clamp = c->user_mss;
    c->max_window = 0;
    tcp_pmtu_init(c);
    tcp_pmtu_sync_mss(c, tcp_ip_mtu(c));
    advmss = tcp_ip_advmss(c);
    c->advmss = (uint16_t)(c->user_mss && c->user_mss < advmss ? c->user_mss : advmss);
    tcp_window_init_rcv_mss(c);
    init_window(c);
    c->err = 0;
    c->sflags &= ~(uint32_t)TCP_S_DONE;
    c->snd_wnd = 0;
    c->snd_wl1 = 0;
    tcpsndq_purge(c);
    c->snd_una = c->snd_sml = c->snd_nxt = c->write_seq;
    if (c->urg)
        c->urg->snd_up = c->write_seq;
    if (!c->repair)
        c->rcv_nxt = 0;
    else
        c->rcv_tstamp = c->mstamp;
    c->win.rcv_wup = c->copied_seq = c->rcv_nxt;
    c->win.rcv_mwnd_seq = c->rcv_nxt + c->win.rcv_wnd;
    c->rtt.rto_ms = TCP_TIMEOUT_INIT_MS;
    c->retransmits = 0;
    clear_retrans(c);
}

int tcp_output_connect(TcpConn *c)
{
    TcpSeg *syn;
    int err;

    tcp_mstamp_refresh(c);
    if (tcp_ip_route(c))
        return -EHOSTUNREACH;
    connect_init(c);
    if (c->repair) {
        tcp_input_finish_connect(c, NULL);
        return 0;
    }
    syn = tcpsndq_new_control(c, c->write_seq, TCP_SYN);
    c->rtt.retrans_stamp = HS_MAX(c->mstamp, 1);
    c->write_seq = syn->end_seq;
    c->packets_out += syn->pcount;
    tcp_ecn_send_syn(c, syn);
    tcpsndq_to_rtx(c, syn);
    err = c->fastopen_tx ? tcp_fastopen_connect_syn(c, syn) : tcp_output_transmit(c, syn, true, c->rcv_nxt);
    if (err == -ECONNREFUSED)
        return err;
    /* only now, so that the SYN counts as sent and not as retransmitted */
    c->snd_nxt = c->pushed_seq = c->snd.write_head ? c->snd.write_head->seq : c->write_seq;
    TCP_INC(c->tcp, TcpActiveOpens);
    tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, c->rtt.rto_ms * SIM_MS);
    return 0;
}
