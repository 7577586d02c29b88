/* TCP_REPAIR (Linux net/ipv4/tcp.c, for CRIU): enough of it to set sequence numbers before a connect, and to
 * leave a connection without a word. */
#include <errno.h>

#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"

enum { REPAIR_OFF_NO_PROBE = -1, REPAIR_OFF = 0, REPAIR_ON = 1 };
enum { REPAIR_NO_QUEUE, REPAIR_RECV, REPAIR_SEND, REPAIR_QUEUES };

int tcp_repair_set(TcpConn *c, int val)
{
    if (c->state == TCP_LISTEN)
        return -EPERM;
    if (val < REPAIR_OFF_NO_PROBE || val > REPAIR_ON)
        return -EINVAL;
    c->repair = val == REPAIR_ON;
    if (val == REPAIR_ON) {
        tcp_opts(c)->repair_queue = REPAIR_NO_QUEUE;
    } else if (val == REPAIR_OFF) {
        tcp_output_send_window_probe(c);
    }
    return 0;
}

int tcp_repair_set_seq(TcpConn *c, int val)
{
    if (c->state != TCP_CLOSE)
        return -EPERM;
    switch (c->opts ? c->opts->repair_queue : REPAIR_NO_QUEUE) {
    case REPAIR_SEND:
        c->write_seq = (uint32_t)val;
        return 0;
    case REPAIR_RECV:
        c->rcv_nxt = c->copied_seq = (uint32_t)val;
        return 0;
    default:
        return -EINVAL;
    }
}

int tcp_repair_get_seq(const TcpConn *c, int *val)
{
    unsigned queue = c->opts ? c->opts->repair_queue : REPAIR_NO_QUEUE;

    *val = (int)(queue == REPAIR_SEND ? c->write_seq : c->rcv_nxt);
    return queue == REPAIR_NO_QUEUE ? -EINVAL : 0;
}

int tcp_repair_set_queue(TcpConn *c, int val)
{
    if (!c->repair)
        return -EPERM;
    if (val < REPAIR_NO_QUEUE || val >= REPAIR_QUEUES)
        return -EINVAL;
    tcp_opts(c)->repair_queue = (uint8_t)val;
    return 0;
}
