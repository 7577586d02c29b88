/* Urgent data (RFC 9293 3.8.5, RFC 6093): one byte that the peer points at, delivered aside (MSG_OOB) or in
 * line. Linux follows BSD: the pointer names the byte after the urgent one, unless tcp_stdurg. */
#include <errno.h>
#include <glib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"

static TcpUrg *urg(TcpConn *c)
{
    if (!c->urg) {
        c->urg = g_new0(TcpUrg, 1);
        c->urg->snd_up = c->snd_una; /* follows it until something urgent is sent (tcp_clean_rtx_queue) */
    }
    return c->urg;
}

/* Linux tcp_check_urg: is this pointer news? */
static void check(TcpConn *c, const TcpIn *in)
{
    uint32_t ptr = in->urgent;
    uint16_t data = c->urg ? c->urg->urg_data : 0;
    TcpUrg *u;

    if (ptr && !c->tcp->sysctl->tcp_stdurg)
        ptr--;
    ptr += in->seq;
    if (tcp_after(c->copied_seq, ptr)) /* read already */
        return;
    if (tcp_before(ptr, c->rcv_nxt)) /* a repetition */
        return;
    if (data && !tcp_after(ptr, c->urg->urg_seq))
        return;
    u = urg(c);
    tcp_wake_events(c, EPOLLPRI); /* SIGURG */

    /* The last byte read was urgent too: step over it, or it would be read again as plain data. */
    if (u->urg_seq == c->copied_seq && data && !(c->sflags & TCP_S_OOBINLINE) &&
        c->copied_seq != c->rcv_nxt) {
        c->copied_seq++;
        tcp_rcvq_check_urg_shift(c);
    }
    u->urg_data = TCP_URG_NOTYET;
    u->urg_seq = ptr;
    c->pred_is_valid = 0;
}

void tcp_urg_input(TcpConn *c, TcpIn *in)
{
    uint32_t off;
    uint8_t byte;

    if (in->flags & TCP_URG)
        check(c, in);
    if (!c->urg || c->urg->urg_data != TCP_URG_NOTYET || !in->pkt)
        return;
    off = c->urg->urg_seq - in->seq - ((in->flags & TCP_SYN) != 0);
    if (off >= in->len)
        return;
    packet_copy_raw(in->pkt, packet_header_len(in->pkt) + off, &byte, 1);
    c->urg->urg_data = TCP_URG_VALID | byte;
    if (!(c->sflags & TCP_S_DEAD))
        tcp_wake_events(c, EPOLLIN | EPOLLRDNORM | EPOLLPRI);
}

int tcp_urg_recv(TcpConn *c, void *buf, size_t len, int flags)
{
    TcpUrg *u = c->urg;

    if (c->sflags & TCP_S_OOBINLINE || !u || !u->urg_data || u->urg_data == TCP_URG_READ)
        return -EINVAL;
    if (c->state == TCP_CLOSE && !(c->sflags & TCP_S_DONE))
        return -ENOTCONN;
    if (u->urg_data & TCP_URG_VALID) {
        uint8_t byte = (uint8_t)u->urg_data;

        if (!(flags & MSG_PEEK))
            u->urg_data = TCP_URG_READ;
        if (len == 0)
            return 0;
        if (buf && !(flags & MSG_TRUNC))
            *(uint8_t *)buf = byte;
        return 1;
    }
    if (c->state == TCP_CLOSE || c->sflags & TCP_S_RCV_SHUTDOWN)
        return 0;
    return -EAGAIN; /* it never waits for the byte */
}

void tcp_urg_mark_send(TcpConn *c)
{
    TcpUrg *u = urg(c);

    u->snd_up = c->write_seq;
    u->is_snd_urg = true;
}
