/* Segments that came too early, in a tree by sequence number (Linux tcp_data_queue_ofo, tcp_ofo_queue), and
 * what is done when the receive buffer is full: squeezing small segments together (tcp_collapse) and throwing
 * away from the end (tcp_prune_ofo_queue; RFC 2018 8 allows to renege). */
#include <sys/epoll.h>

#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_probes.h"

/* A collapsed buffer: one page of data and bookkeeping (SKB_MAX_ORDER(0, 0)), and what it costs. */
#define COLLAPSED_MAX 3776
#define COLLAPSED_OVERHEAD 320
#define SKB_STRUCT 256
#define SKB_SMALL_HEAD 576

static TcpRcvSeg *seg_of(RbNode *n)
{
    return n ? HS_CONTAINER_OF(n, TcpRcvSeg, rb) : NULL;
}

static TcpRcvSeg *next_of(const TcpRcvSeg *s)
{
    return seg_of(rbtree_next(&s->rb));
}

static void discard(TcpConn *c, TcpRcvSeg *s)
{
    rbtree_erase(&c->rcv.ooo, &s->rb);
    tcp_rcvq_free_seg(c, s);
}

static void drop(TcpConn *c, TcpRcvSeg *s)
{
    c->rcv.drops++;
    discard(c, s);
}

static void grow_buffer(TcpConn *c)
{
    if (!(c->sflags & TCP_S_DEAD) && !c->parent)
        tcp_window_rcvbuf_grow(c, c->win.space_space);
}

typedef enum Place {
    PLACE_NEW,
    PLACE_JOINED, /* Linux looks no further than the buffer that it can be put into */
    PLACE_COVERS, /* it begins where another does and reaches further: takes its place */
    PLACE_OLD,    /* it has nothing new */
} Place;

/* The place of a new segment in the tree; overlaps to its left are dealt with. Segments in the tree may
 * overlap, and only those on the way down are compared: which they are depends on the tree's shape. */
static Place find_place(TcpConn *c, const TcpIn *in, RbNode **parent, RbNode ***link, TcpRcvSeg **to)
{
    uint32_t seq = in->seq, end_seq = in->end_seq;
    RbNode **p = &c->rcv.ooo.top;

    *parent = NULL;
    if (*p && tcp_rcvq_is_joinable(c->rcv.ooo_last, in)) {
        *to = c->rcv.ooo_last;
        return PLACE_JOINED;
    }
    if (*p && !tcp_before(seq, c->rcv.ooo_last->end_seq)) {
        *parent = &c->rcv.ooo_last->rb;
        *link = &(*parent)->right;
        return PLACE_NEW;
    }
    while (*p) {
        TcpRcvSeg *s = seg_of(*p);

        if (tcp_before(seq, s->seq)) {
            *parent = *p;
            p = &(*p)->left;
            continue;
        }
        if (tcp_before(seq, s->end_seq)) {
            if (!tcp_after(end_seq, s->end_seq)) {
                TCP_INC(c->tcp, TcpExtTCPOFOMerge);
                tcp_dsack_set(c, seq, end_seq);
                return PLACE_OLD;
            }
            if (!tcp_after(seq, s->seq)) {
                *to = s;
                return PLACE_COVERS;
            }
            tcp_dsack_set(c, seq, s->end_seq);
        } else if (tcp_rcvq_is_joinable(s, in)) {
            *to = s;
            return PLACE_JOINED;
        }
        *parent = *p;
        p = &(*p)->right;
    }
    *link = p;
    return PLACE_NEW;
}

static void take_over(TcpConn *c, TcpRcvSeg *covered, TcpRcvSeg *s)
{
    rbtree_replace(&c->rcv.ooo, &covered->rb, &s->rb);
    tcp_dsack_extend(c, covered->seq, covered->end_seq);
    TCP_INC(c->tcp, TcpExtTCPOFOMerge);
    c->rcv.drops++;
    tcp_rcvq_free_seg(c, covered);
}

/* What the new segment covers to its right goes; the last of the queue is found again. */
static void merge_right(TcpConn *c, TcpRcvSeg *s)
{
    TcpRcvSeg *r;

    while ((r = next_of(s)) != NULL) {
        if (!tcp_after(s->end_seq, r->seq))
            break;
        if (tcp_before(s->end_seq, r->end_seq)) {
            tcp_dsack_extend(c, r->seq, s->end_seq);
            break;
        }
        tcp_dsack_extend(c, r->seq, r->end_seq);
        TCP_INC(c->tcp, TcpExtTCPOFOMerge);
        drop(c, r);
    }
    if (!r)
        c->rcv.ooo_last = s;
}

void tcp_ofo_queue(TcpConn *c, TcpIn *in)
{
    uint32_t truesize = tcp_rcvq_truesize(in);
    uint32_t seq = in->seq, end_seq = in->end_seq;
    RbNode *parent = NULL, **link = NULL;
    TcpRcvSeg *s = NULL;
    Place place;

    tcp_rcvq_save_flowlabel(c, in);
    tcp_ecn_data(c, in);
    if (!tcp_rcvq_has_room(c, in)) {
        TCP_INC(c->tcp, TcpExtTCPOFODrop);
        tcp_wake_events(c, EPOLLIN | EPOLLRDNORM);
        tcp_probes_drop(c->tcp, c, in, "PROTO_MEM");
        return;
    }
    tcp_window_measure_rcv_mss(c, in, truesize);
    c->pred_is_valid = 0;
    tcp_delack_schedule(c);
    c->stats.rcv_ooopack += in->gso_segs ? in->gso_segs : 1;
    TCP_INC(c->tcp, TcpExtTCPOFOQueue);

    place = find_place(c, in, &parent, &link, &s);
    if (place == PLACE_OLD) {
        tcp_probes_drop(c->tcp, c, in, "TCP_OFOMERGE");
        if (c->sack.is_sack_ok)
            tcp_dsack_sack_new(c, seq, end_seq);
        grow_buffer(c);
        return;
    }
    if (place == PLACE_JOINED) {
        tcp_rcvq_absorb(c, s, in);
    } else {
        TcpRcvSeg *covered = s;

        s = tcp_rcvq_new_seg(c, in);
        if (place == PLACE_COVERS)
            take_over(c, covered, s);
        else
            rbtree_insert(&c->rcv.ooo, &s->rb, parent, link);
        merge_right(c, s);
    }
    if (c->sack.is_sack_ok) {
        tcp_dsack_sack_new(c, seq, end_seq);
        /* Without SACK the window stays, so that our ACKs are recognised as duplicates. */
        tcp_window_grow(c, in, truesize, place == PLACE_JOINED);
    }
    if (place != PLACE_JOINED)
        tcp_rcvq_charge(c, truesize);
    grow_buffer(c);
}

void tcp_ofo_deliver(TcpConn *c)
{
    uint32_t dsack_high = c->rcv_nxt;
    TcpRcvSeg *s;

    while ((s = seg_of(rbtree_first(&c->rcv.ooo))) != NULL && !tcp_after(s->seq, c->rcv_nxt)) {
        bool is_fin = s->flags & TCP_FIN;

        if (tcp_before(s->seq, dsack_high)) /* part of it came again in order */
            tcp_dsack_extend(c, s->seq, tcp_before(s->end_seq, dsack_high) ? s->end_seq : dsack_high);
        if (!tcp_after(s->end_seq, c->rcv_nxt)) {
            drop(c, s);
            continue;
        }
        rbtree_erase(&c->rcv.ooo, &s->rb);
        tcp_rcvq_push(c, s, true);
        if (is_fin) { /* nothing can follow; tcp_rcvq_fin has thrown it away */
            tcp_rcvq_fin(c);
            break;
        }
    }
    if (rbtree_is_empty(&c->rcv.ooo))
        c->rcv.ooo_last = NULL;
}

void tcp_ofo_purge(TcpConn *c)
{
    TcpRcvSeg *s;

    while ((s = seg_of(rbtree_first(&c->rcv.ooo))) != NULL)
        discard(c, s);
    c->rcv.ooo_last = NULL;
}

/* ---- a full buffer ---- */

bool tcp_ofo_prune(TcpConn *c, const TcpIn *in)
{
    int64_t goal = c->win.rcvbuf >> 3;
    TcpRcvSeg *s = c->rcv.ooo_last;
    bool pruned = false;

    if (rbtree_is_empty(&c->rcv.ooo))
        return false;
    while (s) {
        TcpRcvSeg *prev = seg_of(rbtree_prev(&s->rb));

        if (tcp_after(in->seq, s->seq)) /* what has come would be the last itself */
            break;
        pruned = true;
        goal -= s->truesize;
        drop(c, s);
        c->rcv.ooo_last = prev;
        if (!prev || goal <= 0) { /* an eighth of the buffer at a time */
            if (tcp_rcvq_can_ingest(c) && !c->tcp->mem_pressure)
                break;
            goal = c->win.rcvbuf >> 3;
        }
        s = prev;
    }
    if (pruned) {
        TCP_INC(c->tcp, TcpExtOfoPruned);
        /* What the blocks tell is not true any more. */
        if (c->sack.is_sack_ok)
            tcp_dsack_sack_reset(c);
    }
    return pruned;
}

/* A list in order, whichever way it is held: the queue (root NULL) or the tree. */
static TcpRcvSeg *list_next(const RbRoot *root, const TcpRcvSeg *s)
{
    return root ? next_of(s) : s->next;
}

/* Takes one out and frees it (tcp_collapse_one). `prev` is the piece before it in the queue in order. */
static TcpRcvSeg *take_one(TcpConn *c, RbRoot *root, TcpRcvSeg *prev, TcpRcvSeg *s)
{
    TcpRcvSeg *next = list_next(root, s);

    if (root) {
        if (c->rcv.ooo_last == s)
            c->rcv.ooo_last = seg_of(rbtree_prev(&s->rb));
        rbtree_erase(root, &s->rb);
    } else {
        if (prev)
            prev->next = next;
        else
            c->rcv.head = next;
        if (c->rcv.tail == s)
            c->rcv.tail = prev;
    }
    if (s->truesize) /* not one of several in a buffer */
        TCP_INC(c->tcp, TcpExtTCPRcvCollapsed);
    tcp_rcvq_free_seg(c, s);
    return next;
}

static uint32_t collapsed_truesize(uint32_t len)
{
    uint32_t need = len + COLLAPSED_OVERHEAD, size = SKB_SMALL_HEAD;

    if (need > size) {
        for (size = 1024; size < need; size <<= 1)
            ;
    }
    return size + SKB_STRUCT;
}

static void insert(TcpConn *c, RbRoot *root, TcpRcvSeg *prev, TcpRcvSeg *s)
{
    if (root) {
        RbNode **p = &root->top, *parent = NULL;

        while (*p) {
            parent = *p;
            p = tcp_before(s->seq, seg_of(parent)->seq) ? &parent->left : &parent->right;
        }
        rbtree_insert(root, &s->rb, parent, p);
        if (!next_of(s))
            c->rcv.ooo_last = s;
        return;
    }
    s->next = prev ? prev->next : c->rcv.head;
    if (prev)
        prev->next = s;
    else
        c->rcv.head = s;
    if (!s->next)
        c->rcv.tail = s;
}

/* What was collapsed goes into the tree only when what it was made of has left it: both may begin at the same
 * byte. */
static void insert_all(TcpConn *c, RbRoot *root, TcpRcvSeg *fresh)
{
    while (fresh) {
        TcpRcvSeg *next = fresh->next;

        fresh->next = NULL;
        insert(c, root, NULL, fresh);
        fresh = next;
    }
}

static bool has_end_flag(const TcpRcvSeg *s)
{
    return s->flags & (TCP_SYN | TCP_FIN);
}

/* Is it worth beginning here? A bloated buffer, one with bytes before start, or one that overlaps the next.
 */
static bool is_collapsible(const TcpConn *c, const TcpRcvSeg *s, const TcpRcvSeg *last, const TcpRcvSeg *next,
                           uint32_t start)
{
    if (!has_end_flag(last) &&
        (tcp_window_from_space(c, last->truesize) > last->end_seq - s->seq || tcp_before(s->seq, start)))
        return true;
    return next && last->end_seq != next->seq;
}

/* The last of the pieces that share a buffer in Linux. */
static TcpRcvSeg *last_in_buffer(const RbRoot *root, TcpRcvSeg *s, const TcpRcvSeg *stop)
{
    TcpRcvSeg *next;

    while (!s->truesize && (next = list_next(root, s)) != NULL && next != stop)
        s = next;
    return s;
}

void tcp_rcvq_collapse(TcpConn *c, RbRoot *root, TcpRcvSeg *s, TcpRcvSeg *stop, uint32_t start, uint32_t end)
{
    TcpRcvSeg *prev = NULL, *first = NULL, **tail = &first, *n;
    bool ends = false;

    for (; s && s != stop; s = n) {
        TcpRcvSeg *last = last_in_buffer(root, s, stop);

        n = list_next(root, last);
        if (!tcp_before(start, s->end_seq)) { /* no new bytes in it */
            n = take_one(c, root, prev, s);
            continue;
        }
        if (is_collapsible(c, s, last, n == stop ? NULL : n, start))
            break;
        start = last->end_seq;
        prev = last;
    }
    if (!s || s == stop || has_end_flag(s))
        return;

    while (!ends && tcp_before(start, end)) {
        uint32_t room = HS_MIN((uint32_t)COLLAPSED_MAX, end - start);
        TcpRcvSeg *fresh = pool_alloc(c->tcp->shared->rcvsegs);

        *fresh = (TcpRcvSeg){
            .pkt = packet_new(c->tcp->node->part->packets, c->tcp->node->id, c->tcp->node->birth_next++, 0),
            .seq = start,
            .end_seq = start,
            .truesize = collapsed_truesize(room),
            .flags = s->flags,
            .when = s->when,
        };
        while (room && !ends) {
            uint32_t size = s->end_seq - start;

            if (tcp_after(s->end_seq, start)) {
                size = HS_MIN(size, room);
                packet_add_payload_of(fresh->pkt, s->pkt, start - s->seq, size);
                fresh->end_seq += size;
                room -= size;
                start += size;
            }
            if (tcp_before(start, s->end_seq))
                continue;
            s = take_one(c, root, prev, s);
            ends = !s || s == stop || has_end_flag(s);
        }
        fresh->tailroom = fresh->truesize - SKB_STRUCT - COLLAPSED_OVERHEAD - (fresh->end_seq - fresh->seq);
        tcp_rcvq_charge(c, fresh->truesize);
        if (root) {
            *tail = fresh;
            tail = &fresh->next;
            continue;
        }
        insert(c, root, prev, fresh);
        prev = fresh;
    }
    insert_all(c, root, first);
}

/* Linux tcp_collapse_ofo_queue: each island of touching segments, unless it is so small that nothing is to be
 * won; stops when an eighth of the buffer has been looked at without gain. */
void tcp_ofo_collapse(TcpConn *c)
{
    TcpRcvSeg *s = seg_of(rbtree_first(&c->rcv.ooo)), *head;
    uint32_t range_truesize, sum_tiny = 0, start, end;

    while (s) {
        head = s;
        start = s->seq;
        end = s->end_seq;
        range_truesize = s->truesize;
        for (s = next_of(s); s && !tcp_after(s->seq, end) && !tcp_after(start, s->end_seq); s = next_of(s)) {
            range_truesize += s->truesize;
            if (tcp_before(s->seq, start))
                start = s->seq;
            if (tcp_after(s->end_seq, end))
                end = s->end_seq;
        }
        /* one segment alone cannot be joined to anything */
        if (range_truesize != head->truesize || end - start >= COLLAPSED_MAX) {
            tcp_rcvq_collapse(c, &c->rcv.ooo, head, s, start, end);
        } else {
            sum_tiny += range_truesize;
            if (sum_tiny > c->win.rcvbuf >> 3)
                return;
        }
    }
}
