/* What the application writes becomes segments (Linux tcp_sendmsg_locked, sk_stream_wait_memory,
 * sk_stream_error). Waiting is the socket layer's: where Linux would sleep, we answer -EAGAIN or a short
 * count, and a blocking caller comes back with `resumed` set. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sndbuf.h"
#include "models/tcp/tcp_sockopt.h"

/* Linux MAX_SKB_FRAGS: pages that one segment can refer to. */
#define MAX_FRAGS 17u
#define PAGE 4096u
/* Where a buffer begins in its page, as malloc() has it. */
#define BUFFER_OFFSET 16u

/* Where the next bytes come from: one of the four ways of TcpSend. */
typedef struct Source {
    const TcpSend *m;
    size_t done; /* of m->len */
    unsigned i;  /* of iov or slices */
    size_t off;  /* in it */
} Source;

static void source_init(Source *s, const TcpSend *m)
{
    *s = (Source){.m = m};
    for (size_t skip = m->has_iov ? m->skip : 0; skip; s->i++) {
        size_t n = m->iov[s->i].iov_len;

        if (n > skip) {
            s->off = skip;
            break;
        }
        skip -= n;
    }
}

/* The next piece that lies in one place. */
static void source_next(Source *s, size_t max, const void **bytes, PktSlice *slice, bool *is_slice,
                        size_t *len)
{
    const TcpSend *m = s->m;

    *bytes = NULL;
    *is_slice = false;
    *len = HS_MIN(max, m->len - s->done);
    if (m->has_iov) {
        while (s->off == m->iov[s->i].iov_len) {
            s->i++;
            s->off = 0;
        }
        *bytes = (const char *)m->iov[s->i].iov_base + s->off;
        *len = HS_MIN(*len, m->iov[s->i].iov_len - s->off);
    } else if (m->slices) {
        while (s->off == m->slices[s->i].len) {
            s->i++;
            s->off = 0;
        }
        *len = HS_MIN(*len, m->slices[s->i].len - s->off);
        *slice = (PktSlice){m->slices[s->i].chunk, m->slices[s->i].off + s->off, (uint32_t)*len};
        *is_slice = true;
    } else if (m->bytes) {
        *bytes = (const char *)m->bytes + s->done;
    }
}

static void source_advance(Source *s, size_t n)
{
    s->done += n;
    s->off += n;
}

/* Linux sk_stream_error */
static int64_t stream_error(TcpConn *c, TcpSend *m, int err)
{
    if (err == -EPIPE) {
        int pending = tcp_take_error(c);

        if (pending)
            err = -pending;
    }
    if (err == -EPIPE && !(m->flags & MSG_NOSIGNAL))
        m->sigpipe = true;
    return err;
}

void tcp_send_mark_push(TcpConn *c, TcpSeg *s)
{
    s->flags |= TCP_PSH;
    c->pushed_seq = c->write_seq;
}

/* More than half the peer's largest window since the last PSH. */
static bool is_push_due(const TcpConn *c)
{
    return tcp_after(c->write_seq, c->pushed_seq + (c->max_window >> 1));
}

/* The last segment, if it got no byte, goes again (Linux tcp_remove_empty_skb). */
static void remove_empty(TcpConn *c)
{
    TcpSeg *s = c->snd.write_tail;

    if (!s || s->seq != s->end_seq || s->flags & (TCP_SYN | TCP_FIN))
        return;
    tcpsndq_unlink_write(c, s);
    if (!c->snd.write_head)
        tcp_cwnd_chrono_stop(c, 1);
    tcpsndq_free_seg(c, s);
}

/* Linux tcp_skb_entail: a fresh segment at the end of the queue. */
static TcpSeg *new_segment(TcpConn *c)
{
    TcpSeg *s = tcpsndq_append_new(c);

    if (c->nonagle & TCP_NAGLE_PUSH)
        c->nonagle &= (uint8_t)~TCP_NAGLE_PUSH;
    tcp_cwnd_slow_start_after_idle_check(c);
    return s;
}

/* Is there memory that cannot be read among the next n bytes? Then none of them is taken: Linux copies what
 * one segment has room for in one go (skb_copy_to_page_nocache, copy_from_iter_full). */
static bool is_fault_ahead(const Source *s, size_t n)
{
    const TcpSend *m = s->m;
    size_t off = s->off;

    if (!m->has_iov)
        return false;
    n = HS_MIN(n, m->len - s->done);
    for (unsigned i = s->i; n; i++, off = 0) {
        size_t have = HS_MIN(m->iov[i].iov_len - off, n);

        if (have && !m->iov[i].iov_base)
            return true;
        n -= have;
    }
    return false;
}

static bool is_lending(const TcpConn *c, const TcpSend *m)
{
    return m->flags & MSG_ZEROCOPY && c->opts && c->opts->zerocopy;
}

/* How much of len bytes that begin at src there is room for among the segment's pages
 * (zerocopy_fill_skb_from_iter). What is copied behind lent pages has one of its own each time, as such a
 * segment does not let them grow (skb_can_coalesce). *extra: whole pages are charged. */
static size_t take_frags(TcpSeg *s, const Source *src, bool lends, size_t len, uint32_t *extra)
{
    uint32_t start = (uint32_t)((BUFFER_OFFSET + src->off) % PAGE), pages;

    *extra = 0;
    if (s->n_frags >= MAX_FRAGS)
        return 0;
    if (!lends) {
        s->n_frags++;
        return len;
    }
    if (!s->n_frags && tcpseg_len(s))
        s->n_frags = 1;
    len = HS_MIN(len, (size_t)(MAX_FRAGS - s->n_frags) * PAGE - start);
    pages = (uint32_t)((start + len + PAGE - 1) / PAGE);
    s->n_frags = (uint8_t)(s->n_frags + pages);
    *extra = pages * PAGE - (uint32_t)len;
    return len;
}

/* Copies into one segment as much as fits it; 0, or -EFAULT and nothing was copied. */
static int fill(TcpConn *c, TcpSeg *s, Source *src, size_t room, bool *is_full)
{
    bool lends = HS_UNLIKELY(is_lending(c, src->m)), counts = lends || s->n_frags;

    *is_full = false;
    if (is_fault_ahead(src, room))
        return -EFAULT;
    while (room && src->done < src->m->len) {
        const void *bytes;
        PktSlice slice = {0};
        bool is_slice;
        size_t len;
        uint32_t n, extra = 0;

        source_next(src, room, &bytes, &slice, &is_slice, &len);
        if (HS_UNLIKELY(counts)) {
            len = take_frags(s, src, lends, len, &extra);
            counts = lends;
            if (!len) {
                *is_full = true;
                break;
            }
            slice.len = (uint32_t)len;
        }
        n = tcpsndq_add(c, s, bytes, is_slice ? &slice : NULL, src->m->synthetic_off + src->done,
                        (uint32_t)len);
        if (HS_UNLIKELY(extra))
            tcpsndq_charge_more(c, s, extra);
        if (HS_UNLIKELY(s->n_frags) && !lends)
            tcp_errq_on_appended(c, s->end_seq);
        c->write_seq += n;
        source_advance(src, n);
        room -= n;
        if (n < len) {
            *is_full = true;
            break;
        }
    }
    return 0;
}

/* Linux tcp_sendmsg_locked's loop. Returns 0, -EAGAIN or -EFAULT; src->done says how far it came. */
static int queue_all(TcpConn *c, TcpSend *m, Source *src, uint32_t *mss, uint32_t *goal)
{
    bool force_new = false;

    while (src->done < m->len) {
        TcpSeg *s = c->snd.write_tail;
        uint32_t len = s ? tcpseg_len(s) : 0;
        bool is_first = src->done == 0 && !m->resumed, is_full;
        size_t before = src->done;
        int err;

        if (!s || len >= *goal || s->eor || force_new) {
            if (!tcp_sndbuf_has_room(c)) {
                c->sflags |= TCP_S_NOSPACE;
                remove_empty(c);
                if (src->done)
                    tcp_output_push(c, m->flags & ~MSG_MORE, *mss, TCP_NAGLE_PUSH, *goal);
                if (!tcp_sndbuf_has_room(c))
                    return -EAGAIN;
                *mss = tcp_pmtu_send_mss(c, goal, m->flags);
                continue;
            }
            s = new_segment(c);
            len = 0;
            force_new = false;
        }
        err = fill(c, s, src, *goal - len, &is_full);
        if (src->done != before && is_first)
            s->flags &= (uint16_t)~TCP_PSH;
        if (err)
            return err;
        if (src->done == m->len) {
            if (m->flags & MSG_EOR)
                s->eor = true;
            break;
        }
        if (is_full) { /* no place for another reference to payload: Linux's limit of fragments */
            tcp_send_mark_push(c, s);
            force_new = true;
            continue;
        }
        if (tcpseg_len(s) < *goal || m->flags & MSG_OOB)
            continue;
        if (is_push_due(c)) {
            tcp_send_mark_push(c, s);
            tcp_output_push_pending(c, *mss, TCP_NAGLE_PUSH);
        } else if (s == c->snd.write_head) {
            tcp_output_push_one(c, *mss);
        }
    }
    return 0;
}

static bool is_passive_fastopen(const TcpConn *c)
{
    return c->state == TCP_SYN_RECV && c->fastopen_req;
}

/* Linux sk_stream_wait_connect, as far as it does not wait. */
static int check_connected(TcpConn *c, const TcpSend *m)
{
    int err;

    if (tcp_state_can_send(c->state) || is_passive_fastopen(c))
        return 0;
    /* A call that goes on has been through here; what it has sent is its result, the error the next one's. */
    err = m->resumed ? 0 : tcp_take_error(c);
    if (err)
        return -err;
    return c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV ? -EAGAIN : -EPIPE;
}

/* Somebody may want to know when these bytes have left, or arrived, or when their memory is free. */
static void note_written(TcpConn *c, const TcpSend *m, bool behind_lent)
{
    const TcpSeg *tail = c->snd.write_tail ? c->snd.write_tail : c->snd.rtx_tail;

    tcp_errq_on_written(c, tail, m->has_tsflags ? m->tsflags : c->opts->tsflags,
                        !is_lending(c, m) || m->resumed ? TCP_LEND_NOTHING
                        : behind_lent                   ? TCP_LEND_MORE
                                                        : TCP_LEND);
}

static int64_t send_it(TcpConn *c, TcpSend *m)
{
    uint32_t mss, goal = 0;
    bool behind_lent = c->snd.write_tail && c->snd.write_tail->n_frags;
    size_t in_syn = 0;
    Source src;
    int64_t err;

    source_init(&src, m);
    if (HS_UNLIKELY(m->flags & MSG_FASTOPEN || c->sflags & TCP_S_DEFER_CONNECT)) {
        err = tcp_fastopen_sendmsg(c, m, &in_syn);
        if (err == -EINPROGRESS && in_syn > 0) {
            if (is_lending(c, m))
                tcp_errq_on_copied(c);
            return (int64_t)in_syn;
        }
        if (err)
            return stream_error(c, m, (int)err);
        while (in_syn > src.done) { /* the SYN took it and the connection is there already */
            const void *bytes;
            PktSlice slice;
            bool is_slice;
            size_t len;

            source_next(&src, in_syn - src.done, &bytes, &slice, &is_slice, &len);
            source_advance(&src, len);
        }
    }
    tcp_rate_check_app_limited(c);
    err = check_connected(c, m);
    if (err)
        return in_syn ? (int64_t)in_syn : m->resumed && err != -EAGAIN ? 0 : stream_error(c, m, (int)err);
    if (m->cmsg_err) /* not before: what cannot be sent at all is worse, and a SYN may have left */
        return stream_error(c, m, m->cmsg_err);
    mss = tcp_pmtu_send_mss(c, &goal, m->flags);
    if (c->err || c->sflags & TCP_S_SEND_SHUTDOWN)
        err = -EPIPE;
    else
        err = queue_all(c, m, &src, &mss, &goal);
    if (err)
        remove_empty(c);
    if (src.done > in_syn && c->opts)
        note_written(c, m, behind_lent);
    if (src.done > in_syn)
        tcp_output_push(c, m->flags, mss, c->nonagle, goal);
    if (!err || src.done)
        return (int64_t)src.done;
    if (err != -EAGAIN && m->resumed)
        return 0;
    err = stream_error(c, m, (int)err);
    /* An edge-triggered waiter must not be forgotten when nothing is queued that an ACK could free. */
    if (err == -EAGAIN && !c->snd.write_head && !c->snd.rtx_head) {
        tcp_wake_events(c, EPOLLOUT | EPOLLWRNORM);
        tcp_cwnd_chrono_stop(c, 3);
    }
    return err;
}

int64_t tcp_send(TcpConn *c, TcpSend *m)
{
    int64_t n;

    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    m->sigpipe = false;
    n = send_it(c, m);
    tcp_conn_let(c);
    return n;
}
