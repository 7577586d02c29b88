/* The queues of a listening socket (Linux inet_csk_listen_start, inet_csk_accept, inet_csk_reqsk_queue_add,
 * inet_csk_listen_stop). Half-open requests wait in req_head and are counted in qlen; connections that nobody
 * has accepted yet wait in accept_head, counted in ack_backlog. */
#include <glib.h>

#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_timer.h"

TcpListen *tcp_listen_get(TcpConn *c)
{
    if (!c->listen)
        c->listen = g_new0(TcpListen, 1);
    return c->listen;
}

void tcp_listen_free(TcpConn *c)
{
    g_free(c->listen);
    c->listen = NULL;
}

/* reqsk_queue_alloc before Linux 4.4: the next power of two above all three limits (at least 8). */
static uint32_t max_qlen_pow2(const Tcp *t, uint32_t backlog)
{
    uint32_t n = HS_MAX(HS_MIN(backlog, t->sysctl->tcp_max_syn_backlog), 8u), pow2 = 8;

    while (pow2 < n + 1 && pow2 < 1u << 31)
        pow2 <<= 1;
    return pow2;
}

void tcp_listen_start(TcpConn *c, int backlog)
{
    TcpListen *l = tcp_listen_get(c);

    l->max_ack_backlog = (uint32_t)backlog;
    l->max_qlen = c->tcp->sysctl->synq_pow2 ? max_qlen_pow2(c->tcp, l->max_ack_backlog) : 0;
    l->ack_backlog = 0;
    c->ack = (TcpAckSched){0}; /* inet_csk_delack_init */
    tcp_table_insert_listener(c);
}

void tcp_listen_add_child(TcpConn *listener, TcpConn *child)
{
    TcpListen *l = listener->listen;

    child->parent = listener;
    child->accept_next = NULL;
    if (l->accept_tail)
        l->accept_tail->accept_next = child;
    else
        l->accept_head = child;
    l->accept_tail = child;
    l->ack_backlog++;
}

TcpConn *tcp_listen_accept(TcpConn *listener)
{
    TcpListen *l = listener->listen;
    TcpConn *child = l->accept_head;

    if (!child)
        return NULL;
    l->accept_head = child->accept_next;
    if (!l->accept_head)
        l->accept_tail = NULL;
    l->ack_backlog--;
    child->accept_next = NULL;
    child->parent = NULL;
    return child;
}

/* inet_child_forget: nobody will ever accept it. */
static void forget_child(TcpConn *child)
{
    TcpReq *req;

    tcp_conn_hold(child);
    child->parent = NULL;
    child->sflags |= TCP_S_DEAD;
    tcp_disconnect(child); /* with a RST, if the peer believes in it */
    req = child->fastopen_req;
    if (req)
        tcp_fastopen_remove_child(req->listener, req, false);
    tcp_conn_free(child);
    tcp_conn_let(child);
}

void tcp_listen_stop(TcpConn *c)
{
    TcpListen *l = c->listen;
    TcpConn *child;
    TcpReq *r;

    if (!l)
        return;
    /* Linux leaves them to their timers, which find no listener and drop them: nothing is ever sent. */
    while ((r = l->req_head))
        tcp_req_drop(r);
    while ((child = tcp_listen_accept(c)))
        forget_child(child);
    /* Fast Open connections that were accepted but whose handshake goes on: the account is closed. */
    for (r = l->tfo_head; r; r = r->next)
        r->listener = NULL;
    l->tfo_head = NULL;
    while ((r = l->rst_head)) {
        l->rst_head = r->next;
        tcp_req_free(r);
    }
    l->rst_tail = NULL;
    l->fastopen_qlen = 0;
    l->qlen = l->young = 0;
}
