/* The life of a connection: made with the defaults of every mechanism, woken, ended, freed (Linux
 * tcp_init_sock, tcp_done, inet_csk_destroy_sock). Opening and closing by the application are in tcp_open.c
 * and tcp_close.c.
 *
 * When is it freed? A connection belongs to its socket until that is closed, or, before accept, to the queue
 * of its listener; then it is an orphan (TCP_S_DEAD) and tcp_conn_done frees it. An event that works with a
 * connection holds it meanwhile (tcp_conn_hold), so that freeing happens when the last holder lets go: until
 * then it is TCP_S_ZAPPED, in no table, with all timers off. */
#include "models/tcp/tcp_conn.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/epoll.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_info.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/tcp/tcp_timer.h"

/* Half of what the buffer holds is payload, to begin with (Linux TCP_DEFAULT_SCALING_RATIO), in 1/256 */
#define DEFAULT_SCALING_RATIO 128

static void list_add(Tcp *t, TcpConn *c)
{
    c->all_prev = t->all_tail;
    if (t->all_tail)
        t->all_tail->all_next = c;
    else
        t->all_head = c;
    t->all_tail = c;
    t->n_conns++;
}

static void list_remove(Tcp *t, TcpConn *c)
{
    if (c->all_prev)
        c->all_prev->all_next = c->all_next;
    else
        t->all_head = c->all_next;
    if (c->all_next)
        c->all_next->all_prev = c->all_prev;
    else
        t->all_tail = c->all_prev;
    t->n_conns--;
}

void tcp_conn_init_defaults(TcpConn *c)
{
    const TcpSysctl *s = c->tcp->sysctl;

    c->rtt = (TcpRtt){
        .mdev_us = TCP_TIMEOUT_INIT_MS * 1000,
        .rto_ms = TCP_TIMEOUT_INIT_MS,
        .rto_min_ms = s->tcp_rto_min_us / 1000,
        .rto_max_ms = s->tcp_rto_max_ms,
        .delack_max_ms = TCP_DELACK_MAX_MS,
    };
    for (unsigned i = 0; i < HS_ARRAY_LEN(c->rtt.min_rtt); i++) {
        c->rtt.min_rtt[i].t = (uint32_t)(c->mstamp / SIM_MS);
        c->rtt.min_rtt[i].v = UINT32_MAX;
    }
    c->rate = (TcpRate){.app_limited = UINT32_MAX, .rate_app_limited = true};
    c->rack = (TcpRack){.reo_wnd_steps = 1};
    if (c->sack.recv_cache)
        pool_free(c->tcp->shared->sacks, c->sack.recv_cache);
    c->sack = (TcpSack){.reordering = s->tcp_reordering};
    c->cc.s.cwnd = TCP_INIT_CWND;
    c->cc.s.ssthresh = TCP_INFINITE_SSTHRESH;
    c->cc.s.cwnd_cnt = 0;
}

static const CcOps *default_controller(const Tcp *t)
{
    const CcOps *ops = cc_ops_find(t->controllers, t->sysctl->tcp_congestion_control);

    if (!ops)
        ops = cc_ops_by_name("reno");
    hs_assert(ops);
    return ops;
}

TcpConn *tcp_conn_new(Tcp *t, bool is_v6)
{
    TcpConn *c = pool_alloc(t->shared->conns);
    const TcpSysctl *s = t->sysctl;
    const CcOps *ops = default_controller(t);

    memset(c, 0, sizeof(*c));
    c->tcp = t;
    c->id = ++t->next_id;
    c->state = TCP_CLOSE;
    c->sflags = is_v6 ? TCP_S_V6 : 0;
    c->mstamp = node_now(t->node);
    if (!is_v6)
        c->local = c->remote = inet_from_ip4(0);
    tcp_conn_init_defaults(c);
    c->snd_cwnd_clamp = UINT32_MAX;
    c->mss_cache = TCP_MSS_DEFAULT;
    c->mss_clamp = TCP_MSS_DEFAULT;
    c->pacing_rate_bps8 = UINT64_MAX;
    c->max_pacing_rate = UINT64_MAX;
    c->win.sndbuf = s->tcp_wmem[1];
    c->win.rcvbuf = s->tcp_rmem[1];
    c->win.scaling_ratio = DEFAULT_SCALING_RATIO;
    c->rcvlowat = 1;
    tcp_timer_init(c);
    cc_assign(&c->cc, ops, tcp_cc_params(t, ops, false));
    tcp_ecn_cc_assigned(c);
    list_add(t, c);
    return c;
}

TcpConn *tcp_socket(Tcp *t, bool is_v6)
{
    return tcp_conn_new(t, is_v6);
}

/* ---- holding and freeing ---- */

void tcp_conn_hold(TcpConn *c)
{
    hs_assert(c->holds < UINT16_MAX);
    c->holds++;
}

static void release(TcpConn *c)
{
    Tcp *t = c->tcp;

    list_remove(t, c);
    pool_free(t->shared->conns, c);
}

void tcp_conn_let(TcpConn *c)
{
    hs_assert(c->holds > 0);
    if (--c->holds == 0 && c->sflags & TCP_S_ZAPPED)
        release(c);
}

/* Linux tcp_v4_destroy_sock and sk_stream_kill_queues: everything that hangs on it. */
static void destroy(TcpConn *c)
{
    tcp_timer_clear(c);
    tcp_table_remove(c);
    tcp_table_unbind(c);
    if (c->listen)
        tcp_listen_free(c);
    cc_clear(&c->cc);
    tcpsndq_purge(c);
    if (c->snd.chunk)
        pktchunk_unref(c->snd.chunk);
    c->snd.chunk = NULL;
    tcp_rcvq_purge(c);
    pool_free(c->tcp->shared->sacks, c->sack.recv_cache);
    pool_free(c->tcp->shared->sacks, c->rcv.selective_acks);
    c->sack.recv_cache = c->rcv.selective_acks = NULL;
    tcp_fastopen_free_tx(c);
    tcp_md5_free(c);
    g_free(c->urg);
    c->urg = NULL;
    tcp_opts_free(c);
}

void tcp_conn_free(TcpConn *c)
{
    if (c->sflags & TCP_S_ZAPPED)
        return;
    if (c->state != TCP_CLOSE)
        tcp_set_state(c, TCP_CLOSE);
    c->sflags |= TCP_S_ZAPPED | TCP_S_DEAD;
    if (c->is_orphan)
        c->tcp->n_orphans--;
    destroy(c);
    if (!c->holds)
        release(c);
}

/* ---- waking ---- */

void tcp_on_wake(TcpConn *c, TcpWakeFn fn, void *user)
{
    c->wake = fn;
    c->wake_user = user;
}

void tcp_wake_events(TcpConn *c, unsigned events)
{
    if (c->wake && !(c->sflags & TCP_S_DEAD))
        c->wake(c->wake_user, c, events);
}

void tcp_wake(TcpConn *c)
{
    tcp_wake_events(c, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLRDHUP | EPOLLHUP | EPOLLERR |
                           EPOLLPRI);
}

/* ---- the end ---- */

void tcp_conn_done(TcpConn *c)
{
    TcpReq *req = c->fastopen_req;

    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV)
        TCP_INC(c->tcp, TcpAttemptFails);
    tcp_set_state(c, TCP_CLOSE);
    tcp_timer_stop_rtx(c);
    tcp_timer_stop_keep(c);
    timer_cancel(&c->t_delack);
    tcp_timer_stop_seldom(c, TCP_SELDOM_PACE);
    tcp_timer_stop_seldom(c, TCP_SELDOM_COMP);
    if (req)
        tcp_fastopen_remove_child(req->listener, req, false);
    c->sflags |= TCP_S_RCV_SHUTDOWN | TCP_S_SEND_SHUTDOWN;
    if (c->sflags & TCP_S_DEAD)
        tcp_conn_free(c);
    else
        tcp_wake(c);
}

void tcp_conn_done_with_error(TcpConn *c, int err)
{
    bool has_socket = !(c->sflags & TCP_S_DEAD);

    c->err = err;
    tcpsndq_purge(c);
    tcp_conn_hold(c);
    tcp_errq_on_purged(c);
    tcp_conn_done(c);
    if (has_socket)
        tcp_wake(c);
    tcp_conn_let(c);
}

void tcp_conn_write_err(TcpConn *c)
{
    TCP_INC(c->tcp, TcpExtTCPAbortOnTimeout);
    tcp_conn_done_with_error(c, c->err_soft ? c->err_soft : ETIMEDOUT);
}

/* ---- looking at it ---- */

TcpState tcp_state(const TcpConn *c)
{
    return c->state;
}

uint32_t tcp_id(const TcpConn *c)
{
    return c->id;
}

InetEndpoint tcp_local(const TcpConn *c)
{
    return (InetEndpoint){.addr = c->local, .port = c->local_port, .is_v6 = c->sflags & TCP_S_V6};
}

InetEndpoint tcp_remote(const TcpConn *c)
{
    return (InetEndpoint){.addr = c->remote, .port = c->remote_port, .is_v6 = c->sflags & TCP_S_V6};
}

int tcp_peername(const TcpConn *c, InetEndpoint *out)
{
    if (!c->remote_port || c->state == TCP_CLOSE || c->state == TCP_SYN_SENT)
        return -ENOTCONN;
    *out = tcp_remote(c);
    return 0;
}

int tcp_take_error(TcpConn *c)
{
    int err = c->err;

    c->err = 0;
    return err;
}
