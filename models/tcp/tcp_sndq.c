/* The send queues (Linux tcp_output.c: tcp_fragment, tcp_trim_head, tcp_skb_shift; net/core/stream.c;
 * tcp_input.c: tcp_new_space).
 *
 * Payload is held as at most two slices a segment. Written bytes go into a chunk that grows with use, so
 * neighbours adjoin and join; whatever would need a third slice is copied together into one chunk, which is
 * then written on. The cost that Linux would count for a segment (truesize) is emulated: SEG_OVERHEAD for its
 * head, plus its payload. */
#include "models/tcp/tcp_sndq.h"

#include <string.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"

/* What an empty segment costs in Linux: SKB_TRUESIZE of the smallest head that holds all headers. */
#define SEG_OVERHEAD 832u
#define CHUNK_MIN 2048u
#define CHUNK_MAX 65536u
/* References to less than this are not worth a slice. */
#define COPY_BELOW 2048u
#define LINUX_SHARED_INFO 320u /* sizeof(skb_shared_info), sizeof(sk_buff), aligned */
#define LINUX_SK_BUFF 256u
#define MEM_PAGE 4096u
/* tcp_skb_shift: 65535 segments of TCP_MIN_GSO_SIZE */
#define SHIFT_MAX_LEN (65535u * 8)
/* tcp_fragment: two of the largest packets (SKB_TRUESIZE(GSO_LEGACY_MAX_SIZE)) may be over the limit */
#define FRAGMENT_ALLOWANCE (2 * (65536u + LINUX_SK_BUFF + LINUX_SHARED_INFO))

static void charge(TcpConn *c, int64_t n)
{
    c->snd.wmem_queued += (uint32_t)n;
    c->tcp->mem_pages8 += n;
    /* Both directions share what was reserved in whole pages; what is left of a page decides whether a
     * segment that arrives can take the short cut (Linux tcp_rcv_established). */
    c->rcv.fwd_alloc = (c->rcv.fwd_alloc - (uint32_t)n) % MEM_PAGE;
}

static TcpSeg *seg_new(TcpConn *c, uint32_t seq, uint16_t flags)
{
    TcpSeg *s = pool_alloc(c->tcp->shared->segs);

    *s = (TcpSeg){.seq = seq, .end_seq = seq, .flags = flags, .truesize = SEG_OVERHEAD};
    return s;
}

void tcpsndq_free_seg(TcpConn *c, TcpSeg *s)
{
    for (unsigned i = 0; i < s->n_slices; i++)
        pktchunk_unref(s->slice[i].chunk);
    pool_free(c->tcp->shared->segs, s);
}

/* ---- the two lists and the tree ---- */

static bool is_in_write_queue(const TcpConn *c, const TcpSeg *s)
{
    return !s->in_rtx && (s->prev || c->snd.write_head == s);
}

static void link_after(TcpSeg **head, TcpSeg **tail, TcpSeg *s, TcpSeg *pos)
{
    s->prev = pos;
    s->next = pos ? pos->next : *head;
    if (s->next)
        s->next->prev = s;
    else
        *tail = s;
    if (pos)
        pos->next = s;
    else
        *head = s;
}

static void unlink_from(TcpSeg **head, TcpSeg **tail, TcpSeg *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        *head = s->next;
    if (s->next)
        s->next->prev = s->prev;
    else
        *tail = s->prev;
    s->next = s->prev = NULL;
}

static void link_rtx(TcpConn *c, TcpSeg *s, TcpSeg *pos)
{
    link_after(&c->snd.rtx_head, &c->snd.rtx_tail, s, pos);
    rbtree_insert_after(&c->snd.rtx_tree, &s->rb, pos ? &pos->rb : NULL);
    s->in_rtx = true;
}

TcpSeg *tcpsndq_new_control(TcpConn *c, uint32_t seq, uint16_t flags)
{
    TcpSeg *s = seg_new(c, seq, flags);

    s->pcount = 1;
    if (flags & (TCP_SYN | TCP_FIN))
        s->end_seq++;
    return s;
}

static void on_queued_first(TcpConn *c, const TcpSeg *s)
{
    if (c->snd.write_head == s)
        tcp_cwnd_chrono_start(c, 1);
}

void tcpsndq_append(TcpConn *c, TcpSeg *s)
{
    link_after(&c->snd.write_head, &c->snd.write_tail, s, c->snd.write_tail);
    charge(c, s->truesize);
    on_queued_first(c, s);
}

void tcpsndq_insert_before(TcpConn *c, TcpSeg *s, TcpSeg *pos)
{
    link_after(&c->snd.write_head, &c->snd.write_tail, s, pos->prev);
    charge(c, s->truesize);
}

TcpSeg *tcpsndq_append_new(TcpConn *c)
{
    TcpSeg *s = seg_new(c, c->write_seq, TCP_ACK);

    tcpsndq_append(c, s);
    return s;
}

void tcpsndq_unlink_write(TcpConn *c, TcpSeg *s)
{
    unlink_from(&c->snd.write_head, &c->snd.write_tail, s);
    charge(c, -(int64_t)s->truesize);
}

void tcpsndq_to_rtx(TcpConn *c, TcpSeg *s)
{
    hs_assert(!s->in_rtx);
    if (is_in_write_queue(c, s))
        unlink_from(&c->snd.write_head, &c->snd.write_tail, s);
    else
        charge(c, s->truesize);
    link_rtx(c, s, c->snd.rtx_tail);
}

void tcpsndq_rtx_unlink_free(TcpConn *c, TcpSeg *s)
{
    tcpsndq_tsort_unlink(c, s);
    unlink_from(&c->snd.rtx_head, &c->snd.rtx_tail, s);
    rbtree_erase(&c->snd.rtx_tree, &s->rb);
    charge(c, -(int64_t)s->truesize);
    tcpsndq_free_seg(c, s);
    if (!c->snd.rtx_head && !c->snd.write_head) {
        /* an idle connection keeps no buffer */
        pktchunk_unref(c->snd.chunk);
        c->snd.chunk = NULL;
        c->snd.chunk_used = 0;
    }
}

void tcpsndq_purge(TcpConn *c)
{
    tcp_cwnd_chrono_stop(c, 1);
    while (c->snd.write_head) {
        TcpSeg *s = c->snd.write_head;

        tcpsndq_unlink_write(c, s);
        tcpsndq_free_seg(c, s);
    }
    while (c->snd.rtx_head)
        tcpsndq_rtx_unlink_free(c, c->snd.rtx_head);
    pktchunk_unref(c->snd.chunk);
    c->snd.chunk = NULL;
    c->snd.chunk_used = 0;
    c->sack.highest_sack = c->sack.lost_hint = c->sack.retransmit_hint = NULL;
    c->packets_out = 0;
    c->rtt.backoff = 0;
}

TcpSeg *tcpsndq_rtx_find(const TcpConn *c, uint32_t seq)
{
    RbNode *n = c->snd.rtx_tree.top;
    TcpSeg *best = NULL;

    while (n) {
        TcpSeg *s = HS_CONTAINER_OF(n, TcpSeg, rb);

        if (tcp_after(s->end_seq, seq)) {
            best = s;
            n = n->left;
        } else {
            n = n->right;
        }
    }
    return best;
}

/* ---- in order of transmission ---- */

static bool is_tsorted(const TcpConn *c, const TcpSeg *s)
{
    return s->tsort_prev || c->snd.tsort_head == s;
}

void tcpsndq_tsort_unlink(TcpConn *c, TcpSeg *s)
{
    if (!is_tsorted(c, s))
        return;
    if (s->tsort_prev)
        s->tsort_prev->tsort_next = s->tsort_next;
    else
        c->snd.tsort_head = s->tsort_next;
    if (s->tsort_next)
        s->tsort_next->tsort_prev = s->tsort_prev;
    else
        c->snd.tsort_tail = s->tsort_prev;
    s->tsort_next = s->tsort_prev = NULL;
}

static void tsort_link_after(TcpConn *c, TcpSeg *s, TcpSeg *pos)
{
    s->tsort_prev = pos;
    s->tsort_next = pos ? pos->tsort_next : c->snd.tsort_head;
    if (s->tsort_next)
        s->tsort_next->tsort_prev = s;
    else
        c->snd.tsort_tail = s;
    if (pos)
        pos->tsort_next = s;
    else
        c->snd.tsort_head = s;
}

void tcpsndq_tsort_to_tail(TcpConn *c, TcpSeg *s)
{
    tcpsndq_tsort_unlink(c, s);
    tsort_link_after(c, s, c->snd.tsort_tail);
}

/* ---- payload ---- */

static bool adjoins(const PktSlice *a, const PktSlice *b)
{
    return a->chunk == b->chunk && a->off + a->len == b->off;
}

static void copy_slice(uint8_t *dst, const PktSlice *sl)
{
    if (sl->chunk)
        memcpy(dst, sl->chunk->bytes + sl->off, sl->len);
    else
        payload_fill(dst, sl->off, sl->len);
}

/* A chunk to write to, with room for len bytes. */
static void new_chunk(TcpConn *c, uint32_t len)
{
    uint32_t size = c->snd.chunk ? c->snd.chunk->len * 2 : CHUNK_MIN;

    size = HS_MAX(len, HS_MIN(size, CHUNK_MAX));
    pktchunk_unref(c->snd.chunk);
    c->snd.chunk = pktchunk_new(size);
    c->snd.chunk_used = 0;
}

/* All that s has, in one piece at the end of the connection's chunk, with room for `more` bytes behind. */
static void flatten(TcpConn *c, TcpSeg *s, uint32_t more)
{
    uint32_t len = 0;

    for (unsigned i = 0; i < s->n_slices; i++)
        len += s->slice[i].len;
    new_chunk(c, HS_MAX(len + more, HS_MIN(2 * (len + more), CHUNK_MAX)));
    for (unsigned i = 0; i < s->n_slices; i++) {
        copy_slice(c->snd.chunk->bytes + c->snd.chunk_used, &s->slice[i]);
        c->snd.chunk_used += s->slice[i].len;
        pktchunk_unref(s->slice[i].chunk);
    }
    s->slice[0] = (PktSlice){pktchunk_ref(c->snd.chunk), 0, len};
    s->n_slices = 1;
}

static bool ends_at_chunk_end(const TcpConn *c, const TcpSeg *s)
{
    const PktSlice *last = s->n_slices ? &s->slice[s->n_slices - 1] : NULL;

    return last && last->chunk && last->chunk == c->snd.chunk && last->off + last->len == c->snd.chunk_used;
}

static void attach(TcpConn *c, TcpSeg *s, const PktSlice *sl);

/* Appends a copy of bytes, or of a slice. */
static void append_copy(TcpConn *c, TcpSeg *s, const void *bytes, const PktSlice *sl, uint32_t len)
{
    if (!c->snd.chunk || c->snd.chunk->len - c->snd.chunk_used < len) {
        if (s->n_slices == TCP_SEG_SLICES)
            flatten(c, s, len);
        else
            new_chunk(c, len);
    }

    uint8_t *dst = c->snd.chunk->bytes + c->snd.chunk_used;
    PktSlice mine = {c->snd.chunk, c->snd.chunk_used, len};

    if (bytes)
        memcpy(dst, bytes, len);
    else
        copy_slice(dst, sl);
    if (ends_at_chunk_end(c, s)) {
        s->slice[s->n_slices - 1].len += len;
        c->snd.chunk_used += len;
    } else {
        c->snd.chunk_used += len;
        attach(c, s, &mine);
    }
}

/* Appends a reference. */
static void attach(TcpConn *c, TcpSeg *s, const PktSlice *sl)
{
    if (!sl->len)
        return;
    if (s->n_slices && adjoins(&s->slice[s->n_slices - 1], sl)) {
        s->slice[s->n_slices - 1].len += sl->len;
        return;
    }
    if (s->n_slices == TCP_SEG_SLICES) {
        PktChunk *keep = sl->chunk ? pktchunk_ref(sl->chunk) : NULL;

        flatten(c, s, sl->len);
        append_copy(c, s, NULL, sl, sl->len);
        pktchunk_unref(keep);
        return;
    }
    s->slice[s->n_slices] = *sl;
    if (sl->chunk)
        pktchunk_ref(sl->chunk);
    s->n_slices++;
}

/* The first n payload bytes go. */
static void drop_front(TcpSeg *s, uint32_t n)
{
    while (n) {
        PktSlice *sl = &s->slice[0];

        if (sl->len > n) {
            sl->off += n;
            sl->len -= n;
            return;
        }
        n -= sl->len;
        pktchunk_unref(sl->chunk);
        s->n_slices--;
        for (unsigned i = 0; i < s->n_slices; i++)
            s->slice[i] = s->slice[i + 1];
    }
}

/* Only the first n payload bytes stay. */
static void keep_front(TcpSeg *s, uint32_t n)
{
    for (unsigned i = 0; i < s->n_slices; i++) {
        if (s->slice[i].len > n)
            s->slice[i].len = n;
        n -= s->slice[i].len;
    }
    while (s->n_slices && s->slice[s->n_slices - 1].len == 0)
        pktchunk_unref(s->slice[--s->n_slices].chunk);
}

/* Calls attach for each piece of the range. */
static void attach_range(TcpConn *c, TcpSeg *to, const TcpSeg *from, uint32_t off, uint32_t len)
{
    for (unsigned i = 0; i < from->n_slices && len; i++) {
        PktSlice sl = from->slice[i];

        if (off >= sl.len) {
            off -= sl.len;
            continue;
        }
        sl.off += off;
        sl.len = HS_MIN(sl.len - off, len);
        off = 0;
        len -= sl.len;
        attach(c, to, &sl);
    }
}

uint32_t tcpsndq_add(TcpConn *c, TcpSeg *s, const void *bytes, const PktSlice *slice, uint64_t synthetic_off,
                     uint32_t len)
{
    uint32_t have = tcpseg_len(s);

    if (have >= TCP_SEG_MAX_LEN)
        return 0;
    len = HS_MIN(len, TCP_SEG_MAX_LEN - have);
    if (!len)
        return 0;
    if (bytes) {
        append_copy(c, s, bytes, NULL, len);
    } else {
        PktSlice sl = slice ? *slice : (PktSlice){NULL, synthetic_off, 0};

        sl.len = len;
        if (sl.chunk && len < COPY_BELOW && !(s->n_slices && adjoins(&s->slice[s->n_slices - 1], &sl)))
            append_copy(c, s, NULL, &sl, len);
        else
            attach(c, s, &sl);
    }
    s->end_seq += len;
    s->pcount = 0;
    s->truesize += len;
    if (is_in_write_queue(c, s))
        charge(c, len);
    return len;
}

void tcpsndq_charge_more(TcpConn *c, TcpSeg *s, uint32_t n)
{
    s->truesize += n;
    charge(c, n);
}

void tcpsndq_payload_to(const TcpSeg *s, uint32_t off, uint32_t len, Packet *pkt)
{
    for (unsigned i = 0; i < s->n_slices && len; i++) {
        PktSlice sl = s->slice[i];

        if (off >= sl.len) {
            off -= sl.len;
            continue;
        }
        sl.off += off;
        sl.len = HS_MIN(sl.len - off, len);
        off = 0;
        len -= sl.len;
        packet_add_slice(pkt, &sl);
    }
}

/* ---- cutting and joining ---- */

uint16_t tcpsndq_set_pcount(TcpSeg *s, uint32_t mss)
{
    uint32_t len = tcpseg_len(s);

    if (len <= mss) {
        s->mss = 0;
        s->pcount = 1;
    } else {
        s->mss = (uint16_t)mss;
        s->pcount = (uint16_t)((len + mss - 1) / mss);
    }
    return s->pcount;
}

void tcpsndq_adjust_pcount(TcpConn *c, const TcpSeg *s, int decr)
{
    c->packets_out -= (uint32_t)decr;
    if (s->sacked & SEG_SACKED)
        c->sacked_out -= (uint32_t)decr;
    if (s->sacked & SEG_RETRANS)
        c->retrans_out -= (uint32_t)decr;
    if (s->sacked & SEG_LOST)
        c->lost_out -= (uint32_t)decr;
    /* without SACK, sacked_out counts duplicate ACKs and belongs to no segment */
    if (!c->sack.is_sack_ok && decr > 0)
        c->sacked_out -= HS_MIN(c->sacked_out, (uint32_t)decr);
}

TcpSeg *tcpsndq_fragment(TcpConn *c, TcpSeg *s, uint32_t len, uint32_t mss)
{
    uint32_t total = tcpseg_len(s), rest = total - len;
    int old_pcount = s->pcount;

    hs_assert(len <= total);
    if (s->in_rtx && c->snd.wmem_queued / 2 > c->win.sndbuf + FRAGMENT_ALLOWANCE && s != c->snd.rtx_head &&
        s != c->snd.rtx_tail) {
        TCP_INC(c->tcp, TcpExtTCPWqueueTooBig);
        return NULL;
    }

    TcpSeg *n = seg_new(c, s->seq + len + ((s->flags & TCP_SYN) != 0), s->flags & ~TCP_SYN);

    charge(c, n->truesize);
    n->truesize += rest;
    s->truesize -= rest;
    n->end_seq = s->end_seq;
    s->end_seq = n->seq;
    s->flags &= ~(TCP_FIN | TCP_PSH);
    n->sacked = s->sacked;
    n->eor = s->eor;
    s->eor = false;
    n->n_frags = (uint8_t)((s->n_frags * (uint64_t)rest + total - 1) / HS_MAX(total, 1u));
    attach_range(c, n, s, len, rest);
    keep_front(s, len);
    n->has_tx_time = s->has_tx_time;
    n->sent_ns = s->sent_ns;
    n->n_write = s->n_write;
    n->first_tx_ns = s->first_tx_ns;
    n->delivered_ns = s->delivered_ns;
    n->delivered = s->delivered;
    n->delivered_ce = s->delivered_ce;
    n->in_flight = s->in_flight;
    n->is_app_limited = s->is_app_limited;
    tcpsndq_set_pcount(s, mss);
    tcpsndq_set_pcount(n, mss);
    if (!tcp_before(c->snd_nxt, n->end_seq)) {
        int diff = old_pcount - s->pcount - n->pcount;

        if (diff)
            tcpsndq_adjust_pcount(c, s, diff);
    }
    if (s->in_rtx) {
        link_rtx(c, n, s);
        if (is_tsorted(c, s))
            tsort_link_after(c, n, s);
    } else {
        link_after(&c->snd.write_head, &c->snd.write_tail, n, s);
    }
    return n;
}

void tcpsndq_trim_head(TcpConn *c, TcpSeg *s, uint32_t len)
{
    drop_front(s, len);
    s->seq += len;
    s->truesize -= len;
    charge(c, -(int64_t)len);
    if (s->pcount > 1)
        tcpsndq_set_pcount(s, s->mss);
}

bool tcpsndq_join(TcpConn *c, TcpSeg *a, TcpSeg *b)
{
    uint32_t n = tcpseg_len(b);

    if (tcpseg_len(a) + n > TCP_SEG_MAX_LEN)
        return false;
    attach_range(c, a, b, 0, n);
    keep_front(b, 0);
    a->truesize += n;
    b->truesize -= n;
    a->end_seq = b->end_seq;
    a->flags |= b->flags & ~TCP_SYN;
    return true;
}

void tcpsndq_shift(TcpConn *c, TcpSeg *a, TcpSeg *b, uint32_t n)
{
    attach_range(c, a, b, 0, n);
    drop_front(b, n);
    a->truesize += n;
    b->truesize -= n;
    a->end_seq += n;
    b->seq += n;
    if (b->n_slices)
        return;
    a->end_seq = b->end_seq; /* its FIN, if it has one */
    a->flags |= b->flags;
    a->eor = b->eor;
    if (b->in_rtx) {
        tcpsndq_rtx_unlink_free(c, b);
        return;
    }
    tcpsndq_unlink_write(c, b);
    tcpsndq_free_seg(c, b);
}

bool tcpsndq_can_shift(const TcpSeg *a, const TcpSeg *b, uint32_t n)
{
    uint32_t sum = tcpseg_len(a) + n;

    /* lent memory stays where it is (skb_shift) */
    if (sum >= SHIFT_MAX_LEN || a->pcount + b->pcount > 65535 || a->n_frags || b->n_frags)
        return false;
    /* Bytes that are not side by side have to be copied: not for ever more of them. */
    return sum <= TCP_SEG_MAX_LEN ||
           (a->n_slices && b->n_slices && adjoins(&a->slice[a->n_slices - 1], &b->slice[0]));
}
