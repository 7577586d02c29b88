#include "models/app/tcp_sink.h"

#include <errno.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BACKLOG 4096

typedef struct SinkConn {
    TcpSink *sink;
    TcpConn *conn;
    uint64_t bytes;
    bool is_over;
    struct SinkConn *next, *prev;
    struct SinkConn *over_next;
} SinkConn;

struct TcpSink {
    TcpConn *listener;
    SinkConn *conns;
    SinkConn *over; /* to be closed by the timer: not from inside their own wake-up */
    Timer timer;
    bool check;
    TcpSinkResult r;
};

static uint64_t wrong_bytes(const PktSlice *s, uint64_t off)
{
    uint64_t n = 0;

    if (!s->chunk)
        return s->off % PAYLOAD_PERIOD == off % PAYLOAD_PERIOD ? 0 : s->len;
    if (payload_matches(s->chunk->bytes + s->off, off, s->len))
        return 0;
    for (uint32_t i = 0; i < s->len; i++)
        n += s->chunk->bytes[s->off + i] != payload_byte(off + i);
    return n;
}

static void take(void *user, const PktSlice *slice)
{
    SinkConn *sc = user;

    if (sc->sink->check)
        sc->sink->r.wrong_bytes += wrong_bytes(slice, sc->bytes);
    sc->bytes += slice->len;
    if (sc->sink->r.bytes == 0)
        sc->sink->r.first = node_now(sc->sink->timer.node);
    sc->sink->r.last = node_now(sc->sink->timer.node);
    sc->sink->r.bytes += slice->len;
}

static void read_all(SinkConn *sc)
{
    while (!sc->is_over) {
        TcpRecv r = {.take = take, .user = sc, .len = INT32_MAX};
        int64_t n = tcp_recv(sc->conn, &r);

        if (n > 0)
            continue;
        if (n == -EAGAIN)
            return;
        sc->is_over = true; /* end of stream, or an error */
        sc->over_next = sc->sink->over;
        sc->sink->over = sc;
        timer_arm_after(&sc->sink->timer, 0);
    }
}

static void on_wake(void *user, TcpConn *c, unsigned events)
{
    (void)c;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        read_all(user);
}

static void on_listener(void *user, TcpConn *listener, unsigned events)
{
    TcpSink *s = user;
    TcpConn *c;
    int err;

    (void)events;
    while ((c = tcp_accept(listener, &err))) {
        SinkConn *sc = g_new0(SinkConn, 1);

        sc->sink = s;
        sc->conn = c;
        sc->next = s->conns;
        if (sc->next)
            sc->next->prev = sc;
        s->conns = sc;
        s->r.connections++;
        tcp_on_wake(c, on_wake, sc);
        read_all(sc);
    }
}

static void free_conn(SinkConn *sc)
{
    tcp_on_wake(sc->conn, NULL, NULL);
    tcp_close(sc->conn);
    if (sc->prev)
        sc->prev->next = sc->next;
    else
        sc->sink->conns = sc->next;
    if (sc->next)
        sc->next->prev = sc->prev;
    g_free(sc);
}

static void on_timer(Timer *t)
{
    TcpSink *s = HS_CONTAINER_OF(t, TcpSink, timer);
    SinkConn *sc = s->over;

    s->over = NULL;
    while (sc) {
        SinkConn *next = sc->over_next;

        free_conn(sc);
        s->r.closed++;
        sc = next;
    }
}

TcpSink *tcp_sink_new(Tcp *tcp, Node *node, const TcpSinkOptions *o, int *err)
{
    TcpSink *s = g_new0(TcpSink, 1);

    s->check = o->check;
    s->listener = tcp_socket(tcp, o->at.is_v6);
    timer_init(&s->timer, node, on_timer);
    if (o->rcvbuf)
        tcp_setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &o->rcvbuf, sizeof o->rcvbuf);
    *err = tcp_bind(s->listener, &o->at);
    if (*err == 0)
        *err = tcp_listen(s->listener, o->backlog ? o->backlog : BACKLOG);
    if (*err) {
        tcp_sink_free(s);
        return NULL;
    }
    tcp_on_wake(s->listener, on_listener, s);
    return s;
}

void tcp_sink_free(TcpSink *s)
{
    if (!s)
        return;
    timer_clear(&s->timer);
    tcp_on_wake(s->listener, NULL, NULL);
    tcp_close(s->listener);
    while (s->conns)
        free_conn(s->conns);
    g_free(s);
}

void tcp_sink_result(const TcpSink *s, TcpSinkResult *out)
{
    *out = s->r;
}
