/* Reading (Linux tcp_recvmsg_locked): in order, around urgent bytes, up to FIN; and what there is to read. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_sockopt.h"

static uint16_t urg_data(const TcpConn *c)
{
    return c->urg ? c->urg->urg_data : 0;
}

/* Bytes that recv would give: up to an urgent byte, FIN not counted (Linux tcp_inq). */
uint32_t tcp_recv_inq(TcpConn *c)
{
    uint32_t n = c->rcv_nxt - c->copied_seq;

    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV)
        return 0;
    if (c->sflags & TCP_S_OOBINLINE || !urg_data(c) || tcp_before(c->urg->urg_seq, c->copied_seq) ||
        !tcp_before(c->urg->urg_seq, c->rcv_nxt)) {
        if (n && c->sflags & TCP_S_DONE)
            n--;
        return n;
    }
    return c->urg->urg_seq - c->copied_seq;
}

/* Linux tcp_epollin_ready, with SO_RCVLOWAT. poll's target is one more while an urgent byte is next, which an
 * ordinary read leaves out (tcp_poll). */
bool tcp_recv_is_readable(TcpConn *c, bool for_poll)
{
    int32_t avail = (int32_t)(c->rcv_nxt - c->copied_seq);
    int32_t target = (int32_t)c->rcvlowat;

    if (for_poll && urg_data(c) && c->urg->urg_seq == c->copied_seq && !(c->sflags & TCP_S_OOBINLINE))
        target++;

    if (avail <= 0)
        return false;
    /* However much is waited for: when no more can come, it is time. */
    return avail >= target || tcp_window_rmem_pressure(c) || tcp_window_receive(c) <= c->ack.rcv_mss;
}

/* Gives the reader bytes [off, off + n) of a piece. */
static void deliver(const TcpRcvSeg *s, TcpRecv *r, size_t at, uint32_t off, uint32_t n)
{
    const Packet *p = s->pkt;
    uint32_t hdr = packet_header_len(p);

    if (r->flags & MSG_TRUNC)
        return;
    if (r->bytes) {
        packet_copy_raw(p, hdr + off, (uint8_t *)r->bytes + at, n);
        return;
    }
    if (!r->take)
        return;
    for (unsigned i = 0; i < p->n_slices && n; i++) {
        PktSlice piece = p->slice[i];

        if (off >= piece.len) {
            off -= piece.len;
            continue;
        }
        piece.off += off;
        piece.len = HS_MIN(piece.len - off, n);
        n -= piece.len;
        off = 0;
        r->take(r->user, &piece);
    }
}

/* Linux tcp_update_recv_tstamps; segments put together have the time of the last. */
static void note_arrival(const TcpRcvSeg *s, TcpRecv *r)
{
    while (!s->truesize && s->next)
        s = s->next;
    r->has_stamp = true;
    r->stamp = s->when;
}

/* How much of the `avail` bytes at seq may be read in one go: not across an urgent byte. *skip: an urgent
 * byte stands first and is left out. */
static uint32_t limit_by_urgent(const TcpConn *c, uint32_t seq, uint32_t avail, bool *skip)
{
    uint32_t urg_off;

    *skip = false;
    if (!urg_data(c))
        return avail;
    urg_off = c->urg->urg_seq - seq;
    if (urg_off >= avail)
        return avail;
    if (urg_off)
        return urg_off;
    if (!(c->sflags & TCP_S_OOBINLINE)) {
        *skip = true;
        return avail - 1;
    }
    return avail;
}

/* The piece that holds seq; NULL: none. */
static TcpRcvSeg *piece_at(const TcpConn *c, TcpRcvSeg *from, uint32_t seq)
{
    TcpRcvSeg *s = from ? from : c->rcv.head;

    for (; s; s = s->next) {
        if (seq - s->seq < tcp_rcvseg_len(s) || s->flags & TCP_FIN)
            return s;
    }
    return NULL;
}

/* Nothing (more) is there: what does that mean? */
static int64_t nothing(TcpConn *c, const TcpRecv *r)
{
    if (r->done) { /* a blocking call goes on waiting only while something may still come */
        bool is_over = c->err || c->state == TCP_CLOSE || c->sflags & (TCP_S_RCV_SHUTDOWN | TCP_S_DONE);

        return is_over ? 0 : -EAGAIN;
    }
    if (c->sflags & TCP_S_DONE)
        return 0;
    if (c->err)
        return -tcp_take_error(c);
    if (c->sflags & TCP_S_RCV_SHUTDOWN)
        return 0;
    return c->state == TCP_CLOSE ? -ENOTCONN : -EAGAIN;
}

/* *found: a FIN, or, when no byte was asked for, that there would have been some: otherwise Linux waits for
 * them (tcp_recvmsg_locked looks at the queue before it looks at the length). */
static int64_t read_stream(TcpConn *c, TcpRecv *r, bool *found)
{
    bool is_peek = r->flags & MSG_PEEK;
    TcpOpts *o = c->opts && c->opts->peeks_on ? c->opts : NULL; /* SO_PEEK_OFF */
    uint32_t peek_seq = c->copied_seq + (o ? o->peek_off : 0);
    uint32_t *seq = is_peek ? &peek_seq : &c->copied_seq;
    TcpRcvSeg *s = NULL;
    int64_t copied = 0;
    size_t len = r->len;

    do {
        uint32_t off, used, seg_len;
        bool skip;

        if (urg_data(c) && c->urg->urg_seq == *seq && copied + (int64_t)r->done > 0)
            break;
        s = piece_at(c, is_peek ? s : NULL, *seq);
        if (!s)
            break;
        seg_len = tcp_rcvseg_len(s);
        off = *seq - s->seq;
        if (off < seg_len) {
            used = limit_by_urgent(c, *seq, (uint32_t)HS_MIN((size_t)(seg_len - off), len), &skip);
            if (skip) {
                (*seq)++;
                off++;
            }
            if (HS_UNLIKELY(r->has_fault) && used && (size_t)copied + used > r->fault_at &&
                !(r->flags & MSG_TRUNC)) { /* Linux copies buffer by buffer, each wholly */
                *found = true;
                copied = copied ? copied : -EFAULT;
                break;
            }
            if (used) {
                deliver(s, r, (size_t)copied, off, used);
                *seq += used;
                copied += used;
                len -= used;
                if (s->truesize || !len) /* once for each buffer of Linux: the last piece in it */
                    tcp_window_rcv_space_adjust(c);
            }
            if (urg_data(c) && tcp_after(c->copied_seq, c->urg->urg_seq)) {
                c->urg->urg_data = 0;
                tcp_input_fast_path_check(c);
            }
            note_arrival(s, r); /* also when nothing was asked for */
            *found = !r->len;
            if (off + used < seg_len)
                continue;
        }
        /* A bare FIN that shares the buffer of the last bytes goes with them. */
        if (!is_peek && !s->truesize && s->next && s->next->flags & TCP_FIN && !tcp_rcvseg_len(s->next)) {
            tcp_rcvq_pop(c);
            s = c->rcv.head;
        }
        if (s->flags & TCP_FIN) {
            (*seq)++;
            *found = true;
            if (!is_peek)
                tcp_rcvq_pop(c);
            break;
        }
        if (is_peek)
            s = s->next;
        else
            tcp_rcvq_pop(c);
        if (is_peek && !s)
            break;
    } while (len > 0);
    if (copied < 0)
        return copied;
    if (o && is_peek) /* sk_peek_offset_fwd, _bwd */
        o->peek_off += (uint32_t)copied;
    else if (o)
        o->peek_off -= (uint32_t)HS_MIN(copied, (int64_t)o->peek_off);
    return copied;
}

int64_t tcp_recv(TcpConn *c, TcpRecv *r)
{
    bool found = false;
    int64_t n;

    r->msg_flags = 0;
    r->has_inq = false;
    r->has_stamp = false;
    if (r->flags & MSG_ERRQUEUE)
        return -EAGAIN; /* nothing is queued there */
    if (c->state == TCP_LISTEN)
        return -ENOTCONN;

    tcp_conn_hold(c);
    if (r->flags & MSG_OOB) {
        n = tcp_urg_recv(c, r->bytes, r->len, r->flags);
        if (n >= 0 && urg_data(c) & (TCP_URG_VALID | TCP_URG_READ))
            r->msg_flags |= MSG_OOB | (r->len ? 0 : MSG_TRUNC);
    } else {
        n = read_stream(c, r, &found);
        if (n == 0 && !found)
            n = nothing(c, r);
        /* In any case: what was read may call for an ACK or a window update. */
        tcp_delack_cleanup_rbuf(c, n > 0 ? (int)n : 0);
        if (n >= 0 && c->opts && c->opts->inq) {
            r->has_inq = true;
            r->inq = (int)(c->rcv_nxt - c->copied_seq);
            if (r->inq == 0 && c->sflags & TCP_S_DONE) /* there is an end of file to be read */
                r->inq = 1;
        }
    }
    tcp_conn_let(c);
    return n;
}
