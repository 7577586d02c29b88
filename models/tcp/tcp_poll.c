/* What poll and epoll see (Linux tcp_poll, __sk_stream_is_writeable). */
#include <sys/epoll.h>

#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_sockopt.h"

/* A third of the buffer must be free before a writer is woken, so that it has something to do; and not more
 * than TCP_NOTSENT_LOWAT may wait unsent (doubled here, as for every wake-up). */
bool tcp_poll_is_writeable(const TcpConn *c)
{
    int64_t queued = c->snd.wmem_queued;
    uint64_t unsent = c->write_seq - c->snd_nxt;
    uint32_t lowat =
        c->opts && c->opts->notsent_lowat ? c->opts->notsent_lowat : c->tcp->sysctl->tcp_notsent_lowat;

    return (int64_t)c->win.sndbuf - queued >= queued >> 1 && queued < (int64_t)c->win.sndbuf &&
           unsent << 1 < lowat;
}

static unsigned poll_connected(TcpConn *c)
{
    unsigned mask = 0;

    if (tcp_recv_is_readable(c, true))
        mask |= EPOLLIN | EPOLLRDNORM;
    if (c->sflags & TCP_S_SEND_SHUTDOWN) {
        mask |= EPOLLOUT | EPOLLWRNORM;
    } else if (tcp_poll_is_writeable(c)) {
        mask |= EPOLLOUT | EPOLLWRNORM;
    } else {
        c->sflags |= TCP_S_NOSPACE;
    }
    if (c->urg && c->urg->urg_data & TCP_URG_VALID)
        mask |= EPOLLPRI;
    return mask;
}

void tcp_writer_sleeps(TcpConn *c, bool sleeps)
{
    if (sleeps)
        c->write_pending++;
    else
        c->write_pending--;
}

unsigned tcp_poll(TcpConn *c)
{
    unsigned mask = 0;

    if (c->state == TCP_LISTEN)
        return c->listen->accept_head ? EPOLLIN | EPOLLRDNORM : 0;
    if ((c->sflags & (TCP_S_RCV_SHUTDOWN | TCP_S_SEND_SHUTDOWN)) ==
            (TCP_S_RCV_SHUTDOWN | TCP_S_SEND_SHUTDOWN) ||
        c->state == TCP_CLOSE)
        mask |= EPOLLHUP;
    if (c->sflags & TCP_S_RCV_SHUTDOWN)
        mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
    if (c->state != TCP_SYN_SENT && (c->state != TCP_SYN_RECV || c->fastopen_req))
        mask |= poll_connected(c);
    else if (c->state == TCP_SYN_SENT && c->sflags & TCP_S_DEFER_CONNECT)
        mask |= EPOLLOUT | EPOLLWRNORM; /* the first write is what connects */
    if (c->err || !tcp_errq_is_empty(c))
        mask |= EPOLLERR;
    return mask;
}
