/* From a request to a connection (Linux tcp_v4_syn_recv_sock, tcp_create_openreq_child, inet_csk_clone_lock).
 * Linux clones the listener; here a fresh socket takes over what its application has set. */
#include <glib.h>
#include <string.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_keepalive.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/tcp/tcp_timer.h"

/* What a child has from its listener. */
#define INHERITED                                                                                            \
    (TCP_S_REUSEADDR | TCP_S_REUSEPORT | TCP_S_LINGER | TCP_S_OOBINLINE | TCP_S_FASTOPEN_CONNECT |           \
     TCP_S_V6 | TCP_S_V6ONLY | TCP_S_RECVERR | TCP_S_FREEBIND | TCP_S_FASTOPEN_NO_COOKIE)

static void inherit(TcpConn *c, const TcpConn *l)
{
    c->sflags |= l->sflags & INHERITED;
    c->nonagle = l->nonagle;
    c->user_mss = l->user_mss;
    c->tos = l->tos;
    c->tclass = l->tclass;
    c->linger_s = l->linger_s;
    c->rcvlowat = l->rcvlowat;
    c->syn_retries = l->syn_retries;
    c->keep = l->keep;
    c->keep.probes_out = 0;
    c->keep.probes_stamp = 0;
    c->thin_lto = l->thin_lto;
    c->thin_dupack = l->thin_dupack;
    c->save_syn = l->save_syn;
    c->max_pacing_rate = l->max_pacing_rate;
    c->pacing_rate_bps8 = l->pacing_rate_bps8;
    c->pacing_on = l->pacing_on;
    c->snd_cwnd_clamp = l->snd_cwnd_clamp;
    c->rtt.rto_min_ms = l->rtt.rto_min_ms;
    c->rtt.rto_max_ms = l->rtt.rto_max_ms;
    c->rtt.delack_max_ms = l->rtt.delack_max_ms;
    c->ack = (TcpAckSched){.pingpong = l->ack.pingpong}; /* ato 0: no data has come yet */
    c->win.rcvbuf = l->win.rcvbuf;
    c->win.sndbuf = l->win.sndbuf;
    c->win.is_rcvbuf_locked = l->win.is_rcvbuf_locked;
    c->win.is_sndbuf_locked = l->win.is_sndbuf_locked;
    c->win.scaling_ratio = l->win.scaling_ratio;
    if (l->opts) {
        TcpOpts *o = tcp_opts(c);

        *o = *l->opts;
        o->errq = NULL;
        o->saved_syn = NULL;
        o->priority = 0;
        o->peeks_on = false;
    }
    if (l->cc.ops && l->cc.ops != c->cc.ops)
        tcp_cc_set(c, l->cc.ops->name);
}

static void set_sequences(TcpConn *c, const TcpReq *r)
{
    c->win.rcv_wup = c->copied_seq = c->rcv_nxt = r->rcv_isn + 1;
    c->stats.segs_in = 1;
    c->snd_sml = c->snd_una = c->snd_nxt = r->snt_isn + 1;
    c->write_seq = c->pushed_seq = r->snt_isn + 1;
    c->snd_wl1 = r->rcv_isn;
    c->ack.lrcv_ns = c->lsndtime = c->mstamp;
    c->stats.total_retrans = r->num_retrans;
}

static void set_windows(TcpConn *c, const TcpReq *r, const TcpIn *in)
{
    TcpWindow *w = &c->win;

    w->window_clamp = r->window_clamp;
    w->rcv_ssthresh = r->rsk_rcv_wnd;
    w->rcv_wnd = r->rsk_rcv_wnd;
    w->rcv_mwnd_seq = w->rcv_wup + w->rcv_wnd;
    w->wscale_ok = r->wscale_ok;
    if (w->wscale_ok) {
        w->snd_wscale = r->snd_wscale;
        w->rcv_wscale = r->rcv_wscale;
    } else {
        w->window_clamp = HS_MIN(w->window_clamp, 65535u);
    }
    c->snd_wnd = (uint32_t)in->window << w->snd_wscale;
    c->max_window = c->snd_wnd;
}

static void set_options(TcpConn *c, const TcpReq *r)
{
    c->ts.tstamp_ok = r->tstamp_ok;
    c->ts.tsoffset = r->ts_off;
    c->tcp_header_len = TCP_MIN_HDR_LEN;
    if (r->tstamp_ok) {
        c->ts.ts_recent = r->ts_recent;
        c->ts.ts_recent_stamp = tcp_ts_seconds(c->mstamp);
        c->tcp_header_len += 12;
    }
    c->sack.is_sack_ok = r->sack_ok;
    c->mss_clamp = r->mss;
}

/* The SYN-ACK timed out before: were that spurious, the first ACK could undo what it costs (RFC 6298 5.7). */
static void note_timeouts(TcpConn *c, const TcpReq *r)
{
    if (!r->num_timeout)
        return;
    c->rec.total_rto = r->num_timeout;
    c->rec.undo_marker = r->snt_isn;
    c->rtt.retrans_stamp = r->snt_synack;
    c->rec.total_rto_time_ms = (uint32_t)((c->mstamp - r->snt_synack) / SIM_MS);
    c->rec.total_rto_recoveries = 1;
}

static void hand_over_syn(TcpConn *c, TcpReq *r)
{
    if (!r->saved_syn)
        return;
    tcp_opts(c)->saved_syn = r->saved_syn;
    r->saved_syn = NULL;
}

TcpConn *tcp_req_make_child(TcpConn *listener, TcpReq *r, TcpIn *in)
{
    Tcp *t = listener->tcp;
    TcpPath path;
    TcpConn *c;

    if (tcp_listen_accept_is_full(listener)) {
        TCP_INC(t, TcpExtListenOverflows);
        TCP_INC(t, TcpExtListenDrops);
        return NULL;
    }
    if (!tcp_ip_path(t, &r->local, &r->remote, &path)) {
        TCP_INC(t, TcpExtListenDrops);
        return NULL;
    }
    c = tcp_conn_new(t, listener->sflags & TCP_S_V6);
    inherit(c, listener);
    c->local = r->local;
    c->remote = r->remote;
    c->local_port = r->local_port;
    c->remote_port = r->remote_port;
    if (r->is_v6)
        c->sflags |= TCP_S_WIRE_V6;
    if (t->sysctl->tcp_reflect_tos)
        *(r->is_v6 ? &c->tclass : &c->tos) = r->tos & (uint8_t)~IP_ECN_MASK;
    c->rx_ttl = in->ttl;
    c->txhash = r->txhash;
    tcp_set_state(c, TCP_SYN_RECV);
    set_sequences(c, r);
    set_options(c, r);
    set_windows(c, r, in);
    note_timeouts(c, r);
    if (in->len >= TCP_MSS_DEFAULT)
        c->ack.last_seg_size = (uint16_t)HS_MIN(in->len, 0xffffu);
    tcp_ecn_openreq_child(c, r, in);
    TCP_INC(t, TcpPassiveOpens);
    if (tcp_ip_route(c)) {
        TCP_INC(t, TcpExtListenDrops);
        c->sflags |= TCP_S_DEAD;
        tcp_conn_free(c);
        return NULL;
    }
    tcp_pmtu_sync_mss(c, path.mtu); /* path MTU probing begins with tcp_ack_init_buffer_and_metrics */
    c->advmss = (uint16_t)(c->user_mss && c->user_mss < path.advmss ? c->user_mss : path.advmss);
    tcp_window_init_rcv_mss(c);
    tcp_md5_copy(c, listener, &r->remote);
    tcp_table_bind_child(c, listener);
    tcp_table_remove_req(r); /* its place is taken */
    tcp_table_insert(c);
    hand_over_syn(c, r);
    if (c->keep.is_on)
        tcp_timer_arm_keep(c, (SimTime)tcp_keepalive_time_ms(c) * SIM_MS);
    return c;
}
