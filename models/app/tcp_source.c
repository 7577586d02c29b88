#include "models/app/tcp_source.h"

#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define WRITE_BYTES 65536
#define TCP_OPT_CONGESTION 13 /* TCP_CONGESTION */

struct TcpSource {
    Tcp *tcp;
    TcpConn *conn;
    Timer timer; /* begins, and ends: a connection must not be closed from inside its own wake-up */
    TcpSourceOptions o;
    TcpSourceResult r;
    TcpSourceDoneFn done;
    void *user;
    bool is_over;
};

static void end(TcpSource *s, int err)
{
    s->is_over = true;
    if (!s->r.err)
        s->r.err = err;
    timer_arm_after(&s->timer, 0);
}

static void push(TcpSource *s)
{
    while (!s->is_over) {
        uint64_t left = s->o.bytes ? s->o.bytes - s->r.written : UINT64_MAX;
        TcpSend m = {
            .synthetic_off = s->r.written, .len = HS_MIN(left, s->o.write_bytes), .flags = MSG_NOSIGNAL};
        int64_t n;

        if (left == 0) {
            end(s, 0);
            return;
        }
        n = tcp_send(s->conn, &m);
        if (n == -EAGAIN)
            return;
        if (n < 0) {
            end(s, (int)-n);
            return;
        }
        s->r.written += (uint64_t)n;
    }
}

static void on_wake(void *user, TcpConn *c, unsigned events)
{
    TcpSource *s = user;

    (void)c;
    if (s->is_over)
        return;
    if (events & (EPOLLERR | EPOLLHUP)) {
        int err = tcp_take_error(s->conn);

        if (err) {
            end(s, err);
            return;
        }
    }
    if (!(events & EPOLLOUT))
        return;
    if (s->r.connected < 0) {
        if (tcp_state(s->conn) != TCP_ESTABLISHED && tcp_state(s->conn) != TCP_CLOSE_WAIT)
            return;
        s->r.connected = node_now(s->timer.node);
    }
    push(s);
}

static void close_conn(TcpSource *s)
{
    TcpConn *c = s->conn;

    s->conn = NULL;
    if (!c)
        return;
    tcp_on_wake(c, NULL, NULL);
    if (!s->o.keep_open || s->r.err)
        tcp_close(c);
    else
        s->conn = c;
}

static void begin(TcpSource *s)
{
    int rc;

    tcp_on_wake(s->conn, on_wake, s);
    rc = tcp_connect(s->conn, &s->o.to);
    if (rc < 0 && rc != -EINPROGRESS)
        end(s, -rc);
}

static void on_timer(Timer *t)
{
    TcpSource *s = HS_CONTAINER_OF(t, TcpSource, timer);

    if (!s->is_over) {
        begin(s);
        return;
    }
    close_conn(s);
    if (s->r.ended < 0) {
        s->r.ended = node_now(t->node);
        if (s->done)
            s->done(s->user, &s->r);
    }
}

TcpSource *tcp_source_new(Tcp *tcp, Node *node, const TcpSourceOptions *o, TcpSourceDoneFn done, void *user)
{
    TcpSource *s = g_new0(TcpSource, 1);

    s->tcp = tcp;
    s->o = *o;
    if (!s->o.write_bytes)
        s->o.write_bytes = WRITE_BYTES;
    s->r.connected = s->r.ended = -1;
    s->done = done;
    s->user = user;
    timer_init(&s->timer, node, on_timer);
    s->conn = tcp_socket(tcp, o->to.is_v6);
    if (o->congestion && tcp_setsockopt(s->conn, IPPROTO_TCP, TCP_OPT_CONGESTION, o->congestion,
                                        (unsigned)strlen(o->congestion)) < 0) {
        tcp_source_free(s);
        return NULL;
    }
    if (o->sndbuf)
        tcp_setsockopt(s->conn, SOL_SOCKET, SO_SNDBUF, &o->sndbuf, sizeof o->sndbuf);
    if (o->rcvbuf)
        tcp_setsockopt(s->conn, SOL_SOCKET, SO_RCVBUF, &o->rcvbuf, sizeof o->rcvbuf);
    timer_arm_after(&s->timer, o->start);
    return s;
}

void tcp_source_stop(TcpSource *s)
{
    if (!s->is_over)
        end(s, 0);
}

void tcp_source_free(TcpSource *s)
{
    if (!s)
        return;
    timer_clear(&s->timer);
    s->o.keep_open = false;
    close_conn(s);
    g_free(s);
}

void tcp_source_result(const TcpSource *s, TcpSourceResult *out)
{
    *out = s->r;
}

TcpConn *tcp_source_conn(const TcpSource *s)
{
    return s->conn;
}
