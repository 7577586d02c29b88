#include "models/tcp/tcp_errq.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/epoll.h>

#include "models/tcp/tcp_info.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_passive.h"
#include "models/tcp/tcp_sockopt.h"

enum { ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3, ORIGIN_TIMESTAMPING = 4, ORIGIN_ZEROCOPY = 5 };
#define CODE_ZEROCOPY_COPIED 1

/* A byte whose way is to be told (skb_shinfo tskey): the last of a write. */
typedef struct Mark {
    struct Mark *next;
    uint32_t seq;
    uint32_t flags;      /* TCP_TS_TX_* */
    uint32_t start, end; /* of the segment it is in, as that was sent last */
    bool is_many;        /* of more than one MSS: an ACK shortens it */
} Mark;

/* A write whose memory the kernel would still use. */
typedef struct Loan {
    struct Loan *next;
    uint32_t end_seq, id, last_id;
} Loan;

struct TcpErrQueue {
    TcpErrMsg *first, *last;
    Mark *marks;
    Loan *loans, *last_loan;
    uint32_t zerocopy_next;
};

static struct TcpErrQueue *queue(TcpConn *c)
{
    TcpOpts *o = tcp_opts(c);

    if (!o->errq) {
        o->errq = g_new0(struct TcpErrQueue, 1);
        c->has_errq = true;
    }
    return o->errq;
}

bool tcp_errq_is_empty(const TcpConn *c)
{
    return !c->has_errq || !c->opts->errq->first;
}

static void push(TcpConn *c, TcpErrMsg *m)
{
    struct TcpErrQueue *q = queue(c);

    c->rcv.rmem_alloc += m->truesize;
    if (q->last)
        q->last->next = m;
    else
        q->first = m;
    q->last = m;
    tcp_wake_events(c, EPOLLERR);
}

/* Linux sock_queue_err_skb: a message takes room in the receive buffer, to the last byte of which it must not
 * come; but none of the memory that the protocol reserves. What does not fit is lost: nobody is told. */
static bool push_if_room(TcpConn *c, TcpErrMsg *m)
{
    if (c->rcv.rmem_alloc + m->truesize >= c->win.rcvbuf) {
        g_free(m);
        return false;
    }
    push(c, m);
    return true;
}

static TcpErrMsg *pop(TcpConn *c, struct TcpErrQueue *q)
{
    TcpErrMsg *m = q->first;

    if (!m)
        return NULL;
    c->rcv.rmem_alloc -= m->truesize;
    q->first = m->next;
    if (!q->first)
        q->last = NULL;
    m->next = NULL;
    return m;
}

static bool is_icmp(const TcpErrMsg *m)
{
    return m && (m->origin == ORIGIN_ICMP || m->origin == ORIGIN_ICMP6);
}

/* The segment that was acknowledged in part when m was made may be sent again; it is the first if it is
 * still there. */
static void let_go(TcpConn *c, const TcpErrMsg *m)
{
    TcpSeg *s = c->snd.rtx_head;

    if (s && !tcp_before(s->seq, m->start) && tcp_before(s->seq, m->end))
        s->is_copy_held = false;
}

/* Linux sock_dequeue_err_skb: the error of the next complaint takes the place of this one's, or none does. */
TcpErrMsg *tcp_errq_take(TcpConn *c)
{
    struct TcpErrQueue *q = c->has_errq ? c->opts->errq : NULL;
    TcpErrMsg *m = q ? pop(c, q) : NULL;
    const TcpErrMsg *next = m ? q->first : NULL;

    if (is_icmp(next))
        c->err = (int)next->ee_errno;
    else if (is_icmp(m))
        c->err = 0;
    if (m && m->clone == TCP_CLONE_HELD)
        let_go(c, m);
    if (next)
        tcp_wake_events(c, EPOLLERR);
    return m;
}

void tcp_errq_clear(TcpConn *c)
{
    struct TcpErrQueue *q = c->has_errq ? c->opts->errq : NULL;
    TcpErrMsg *m;

    if (!q)
        return;
    while ((m = pop(c, q)))
        g_free(m);
    for (Mark *k = q->marks, *next; k; k = next) {
        next = k->next;
        g_free(k);
    }
    for (Loan *l = q->loans, *next; l; l = next) {
        next = l->next;
        g_free(l);
    }
    g_free(q);
    c->opts->errq = NULL;
    c->has_errq = false;
}

void tcp_errq_icmp(TcpConn *c, const struct TcpIcmp *e)
{
    TcpErrMsg *m;

    /* ip_icmp_error queues it for whoever asks; ipv6_icmp_error wants IPV6_RECVERR. */
    if (e->is_v6 && !(c->opts && c->opts->ipv6_recverr))
        return;
    m = g_new0(TcpErrMsg, 1);
    m->ee_errno = (uint32_t)e->err;
    m->origin = e->is_v6 ? ORIGIN_ICMP6 : ORIGIN_ICMP;
    m->type = e->type;
    m->code = e->code;
    m->ee_info = e->mtu;
    m->is_v6 = c->sflags & TCP_S_V6;
    m->offender = e->reporter;
    m->has_offender = true;
    m->payload_len = 8; /* of the quoted segment: what every error has */
    m->way = (TcpErrWay){.is_known = true,
                         .is_ip6 = e->is_v6,
                         .ttl = e->ttl,
                         .tos = e->tos,
                         .to_port = e->dst_port, /* of the quoted segment, which is the message's bytes now */
                         .ifindex = e->ifindex,
                         .from = e->reporter,
                         .to = e->to};
    m->stamp = node_now(c->tcp->node);
    m->truesize = tcp_rcvq_frame_truesize(e->len); /* ip_icmp_error: a clone of the message */
    push_if_room(c, m);
}

/* ---- statistics (tcp_get_timestamping_opt_stats) ---- */

static uint8_t *put(uint8_t *p, uint16_t type, const void *value, uint16_t len)
{
    uint16_t head[2] = {(uint16_t)(4 + len), type};

    memcpy(p, head, 4);
    memset(p + 4, 0, (len + 3u) & ~3u);
    memcpy(p + 4, value, len);
    return p + 4 + ((len + 3u) & ~3u);
}

static uint8_t *put64(uint8_t *p, uint16_t type, uint64_t v)
{
    return put(p, type, &v, 8);
}

static uint8_t *put32(uint8_t *p, uint16_t type, uint64_t v)
{
    uint32_t w = (uint32_t)v;

    return put(p, type, &w, 4);
}

static uint8_t *put8(uint8_t *p, uint16_t type, unsigned v)
{
    uint8_t b = (uint8_t)v;

    return put(p, type, &b, 1);
}

static uint32_t put_stats(TcpConn *c, uint8_t *to, const uint8_t *ttl)
{
    uint8_t *p = to;
    uint16_t rehash = c->stats.timeout_rehash;
    TcpInfo i;

    tcp_get_info(c, &i);
    p = put64(p, 1, i.tcpi_busy_time);
    p = put64(p, 2, i.tcpi_rwnd_limited);
    p = put64(p, 3, i.tcpi_sndbuf_limited);
    p = put64(p, 4, i.tcpi_data_segs_out);
    p = put64(p, 5, i.tcpi_total_retrans);
    p = put64(p, 6, i.tcpi_pacing_rate);
    p = put64(p, 7, i.tcpi_delivery_rate);
    p = put32(p, 8, i.tcpi_snd_cwnd);
    p = put32(p, 9, i.tcpi_reordering);
    p = put32(p, 10, i.tcpi_min_rtt);
    p = put8(p, 11, i.tcpi_retransmits);
    p = put8(p, 12, i.tcpi_delivery_rate_app_limited);
    p = put32(p, 15, i.tcpi_snd_ssthresh);
    p = put32(p, 16, i.tcpi_delivered);
    p = put32(p, 17, i.tcpi_delivered_ce);
    p = put32(p, 13, c->write_seq - c->snd_una);
    p = put8(p, 14, i.tcpi_ca_state);
    p = put64(p, 18, i.tcpi_bytes_sent);
    p = put64(p, 19, i.tcpi_bytes_retrans);
    p = put32(p, 20, i.tcpi_dsack_dups);
    p = put32(p, 21, i.tcpi_reord_seen);
    p = put32(p, 22, c->rtt.srtt_us >> 3);
    p = put(p, 23, &rehash, 2);
    p = put32(p, 24, i.tcpi_notsent_bytes);
    p = put64(p, 25, (uint64_t)c->pace_wstamp);
    if (ttl)
        p = put8(p, 26, *ttl);
    p = put32(p, 27, i.tcpi_rehash);
    hs_assert(p - to <= TCP_ERRQ_STATS);
    return (uint32_t)(p - to);
}

/* ---- timestamps ---- */

/* ttl: of the ACK; NULL: none came. way: of the packet that was sent; NULL: it is not at the device, but
 * waits to be acknowledged, where Linux knows no device any more. */
static void push_stamp(TcpConn *c, const Mark *k, TcpSeg *s, unsigned which, uint32_t len, const uint8_t *ttl,
                       const TcpErrWay *way)
{
    uint32_t flags = c->opts->tsflags;
    TcpErrMsg *m = g_malloc0(sizeof(*m) + (flags & TCP_TS_OPT_STATS ? TCP_ERRQ_STATS : 0));

    m->ee_errno = ENOMSG;
    m->origin = ORIGIN_TIMESTAMPING;
    m->ee_info = which;
    m->is_v6 = c->sflags & TCP_S_V6;
    if (flags & TCP_TS_OPT_ID)
        m->ee_data = k->seq - c->opts->tskey;
    m->stamp = node_now(c->tcp->node);
    m->has_stamp = true;
    if (flags & TCP_TS_OPT_STATS)
        m->stats_len = put_stats(c, m->stats, ttl);
    /* The statistics are the message's bytes, which a read of none leaves behind: MSG_TRUNC. */
    m->payload_len = flags & TCP_TS_OPT_TSONLY ? m->stats_len : len;
    m->truesize = tcp_rcvq_frame_truesize(0); /* headers and statistics fit into the smallest head */
    if (!(flags & TCP_TS_OPT_TSONLY)) {
        m->truesize = s->truesize;
        if (way)
            m->way = *way;
        /* what was lent is copied before (skb_orphan_frags_rx) */
        m->clone = which == TCP_STAMP_ACKED ? TCP_CLONE_HELD : s->n_frags ? TCP_CLONE_NOT : TCP_CLONE_SHARES;
        m->start = s->seq;
        m->end = s->end_seq;
    }
    if (push_if_room(c, m) && m->clone == TCP_CLONE_HELD)
        s->is_copy_held = true;
}

/* One completion for all writes whose first byte found a waiting segment with lent pages at the end of the
 * queue (msg_zerocopy_realloc). */
static void lend(TcpConn *c, bool more)
{
    struct TcpErrQueue *q = queue(c);
    Loan *l;

    if (more && q->last_loan && q->last_loan->last_id + 1 == q->zerocopy_next) {
        q->last_loan->end_seq = c->write_seq;
        q->last_loan->last_id = q->zerocopy_next++;
        return;
    }
    l = g_new0(Loan, 1);
    l->end_seq = c->write_seq;
    l->id = l->last_id = q->zerocopy_next++;
    if (q->last_loan)
        q->last_loan->next = l;
    else
        q->loans = l;
    q->last_loan = l;
}

void tcp_errq_on_appended(TcpConn *c, uint32_t end_seq)
{
    struct TcpErrQueue *q = c->has_errq ? c->opts->errq : NULL;

    if (q && q->last_loan)
        q->last_loan->end_seq = end_seq;
}

void tcp_errq_on_written(TcpConn *c, const TcpSeg *tail, uint32_t tsflags, int kind)
{
    uint32_t want = tsflags & (TCP_TS_TX_SOFTWARE | TCP_TS_TX_SCHED | TCP_TS_TX_ACK);
    Mark *k, **at;

    if (kind != TCP_LEND_NOTHING)
        lend(c, kind == TCP_LEND_MORE);
    if (!want || !tail)
        return;
    /* One mark a segment: a later write into the same one takes its place. */
    for (at = &queue(c)->marks; *at; at = &(*at)->next)
        if (!tcp_before((*at)->seq, tail->seq))
            break;
    if (!*at)
        *at = g_new0(Mark, 1);
    k = *at;
    k->seq = tail->end_seq - 1;
    k->flags |= want; /* what earlier writes into the same segment wanted stays (__sock_tx_timestamp) */
    k->start = tail->seq;
    k->end = tail->end_seq;
}

/* What is before the first segment has been acknowledged, but was in one with what follows. */
static bool is_mark_of(const TcpConn *c, const Mark *k, const TcpSeg *s)
{
    return tcp_before(k->seq, s->end_seq) && (!tcp_before(k->seq, s->seq) || s == c->snd.rtx_head);
}

void tcp_errq_note_sent(TcpConn *c, TcpSeg *s, uint32_t headers)
{
    TcpErrWay way = {0};

    for (Mark *k = c->opts->errq->marks; k; k = k->next) {
        if (!is_mark_of(c, k, s))
            continue;
        k->start = s->seq;
        k->end = s->end_seq;
        k->is_many = s->pcount > 1;
        if (!way.is_known)
            tcp_ip_way_out(c, &way);
        if (k->flags & TCP_TS_TX_SCHED)
            push_stamp(c, k, s, TCP_STAMP_SCHED, headers + tcpseg_len(s), NULL, &way);
        if (k->flags & TCP_TS_TX_SOFTWARE)
            push_stamp(c, k, s, TCP_STAMP_SENT, headers + tcpseg_len(s), NULL, &way);
    }
}

/* Linux tcp_zerocopy's completions: neighbours are told as one range. Everything leaves as a copy here. */
static void end_loan(TcpConn *c, uint32_t id, uint32_t last_id)
{
    TcpErrMsg *m = c->opts->errq->last;

    if (m && m->origin == ORIGIN_ZEROCOPY && m->ee_data + 1 == id) {
        m->ee_data = last_id;
        return;
    }
    m = g_new0(TcpErrMsg, 1);
    m->origin = ORIGIN_ZEROCOPY;
    m->code = CODE_ZEROCOPY_COPIED;
    m->is_v6 = c->sflags & TCP_S_V6;
    m->ee_info = id;
    m->ee_data = last_id;
    push(c, m);
}

static void end_first_loan(TcpConn *c, struct TcpErrQueue *q)
{
    Loan *l = q->loans;

    q->loans = l->next;
    if (!q->loans)
        q->last_loan = NULL;
    end_loan(c, l->id, l->last_id);
    g_free(l);
}

/* Linux tcp_ack_tstamp */
void tcp_errq_note_acked(TcpConn *c, TcpSeg *s, uint32_t prior_snd_una, uint8_t ttl)
{
    uint32_t end = tcp_before(s->end_seq, c->snd_una) ? s->end_seq : c->snd_una;

    for (Mark *k = c->opts->errq->marks; k && tcp_before(k->seq, end); k = k->next) {
        bool is_trimmed = k->is_many && tcp_after(prior_snd_una, k->start); /* tcp_tso_acked */

        if (k->flags & TCP_TS_TX_ACK && !tcp_before(k->seq, prior_snd_una))
            push_stamp(c, k, s, TCP_STAMP_ACKED, k->end - (is_trimmed ? prior_snd_una : k->start), &ttl,
                       NULL);
    }
}

void tcp_errq_note_freed(TcpConn *c, uint32_t end_seq)
{
    struct TcpErrQueue *q = c->opts->errq;

    for (Mark *k; (k = q->marks) != NULL && tcp_before(k->seq, end_seq); g_free(k))
        q->marks = k->next;
    while (q->loans && !tcp_after(q->loans->end_seq, end_seq))
        end_first_loan(c, q);
}

bool tcp_errq_shares(const TcpConn *c, const TcpSeg *s)
{
    for (const TcpErrMsg *m = c->opts->errq->first; m; m = m->next)
        if (m->clone == TCP_CLONE_SHARES && m->start == s->seq && m->end == s->end_seq)
            return true;
    return false;
}

void tcp_errq_unshare(TcpConn *c, const TcpSeg *s)
{
    for (TcpErrMsg *m = c->opts->errq->first; m; m = m->next)
        if (m->clone == TCP_CLONE_SHARES && m->start == s->seq)
            m->clone = TCP_CLONE_NOT;
}

/* Linux tcp_skb_collapse_tstamp */
void tcp_errq_note_joined(TcpConn *c, uint32_t start, uint32_t end)
{
    for (Mark **at = &c->opts->errq->marks; *at && (*at)->next;) {
        Mark *k = *at;

        if (tcp_before(k->seq, start) || !tcp_before(k->next->seq, end)) {
            at = &k->next;
            continue;
        }
        k->next->flags |= k->flags;
        k->next->start = start;
        k->next->end = end;
        *at = k->next;
        g_free(k);
    }
}

void tcp_errq_note_purged(TcpConn *c)
{
    struct TcpErrQueue *q = c->opts->errq;

    for (Mark *k; (k = q->marks) != NULL; g_free(k))
        q->marks = k->next;
    while (q->loans)
        end_first_loan(c, q);
}

void tcp_errq_on_copied(TcpConn *c)
{
    uint32_t id = queue(c)->zerocopy_next++;

    end_loan(c, id, id);
}
