/* Received data: accepting what fits in sequence and window (Linux tcp_data_queue), the queue in order, FIN,
 * and the accounts of memory. What comes too early goes to tcp_ofo.c.
 *
 * Linux joins a small segment to the buffer before it when there is room behind its bytes (tcp_try_coalesce).
 * Here pieces stay apart, which nobody sees, but the accounts are kept as if they had been joined: the cost
 * of the buffer moves to the last piece in it and is given back when that has been read. */
#include <sys/epoll.h>

#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_passive.h"
#include "models/tcp/tcp_probes.h"

/* ---- what a segment costs in Linux ----
 * A buffer as a TUN device makes it (measured on 6.18): 64 bytes of headroom, headers, payload and
 * skb_shared_info (320), rounded up to what kmalloc gives; what does not fit into a page of that goes to
 * whole pages; and the sk_buff (256). */
#define SKB_HEADROOM 64
#define SKB_SHARED_INFO 320
#define SKB_STRUCT 256
#define SKB_SMALL_HEAD 576
#define SKB_HEAD_ONLY (SKB_SMALL_HEAD + SKB_STRUCT)
#define SKB_PAGE 4096
#define SKB_MAX_ORDER 3
#define SKB_MAX_FRAGS 17

typedef struct Cost {
    uint32_t truesize;
    uint32_t tailroom; /* bytes that still fit behind the payload */
    uint32_t frags;    /* payload is in that many fragments of pages, none of it in the head */
} Cost;

static Cost cost_of_frame(uint32_t frame)
{
    uint32_t need = SKB_HEADROOM + frame + SKB_SHARED_INFO, size = SKB_SMALL_HEAD;

    if (SKB_HEADROOM + frame >= SKB_PAGE)
        return (Cost){SKB_STRUCT + SKB_PAGE + ((need - 1) & ~(SKB_PAGE - 1u)), 0, 0};
    if (need > size)
        size = 1u << (32 - __builtin_clz(need - 1)); /* the next power of two, at least 1024 */
    return (Cost){SKB_STRUCT + size, size - need, 0};
}

static Cost cost_of_pages(uint32_t len)
{
    uint32_t pages = (len + SKB_PAGE - 1) / SKB_PAGE, frags = pages >> SKB_MAX_ORDER;

    for (unsigned order = 0; order < SKB_MAX_ORDER; order++)
        frags += pages >> order & 1;
    return (Cost){SKB_HEAD_ONLY + pages * SKB_PAGE, 0, frags};
}

static Cost cost_of(const TcpIn *in)
{
    uint32_t headers = (in->is_v6 ? 40 : 20) + in->hdr_len;

    if (in->gso_segs > 1 && in->gso_size) /* put together by GRO from single frames */
        return (Cost){in->gso_segs * cost_of_frame(headers + in->gso_size).truesize, 0, 0};
    /* An aggregate that came as one, more than a page of it: headers apart, payload in pages (tun_alloc_skb).
     */
    if (in->gso_size && in->len > in->gso_size && SKB_HEADROOM + headers + in->len >= SKB_PAGE)
        return cost_of_pages(in->len);
    return cost_of_frame(headers + in->len);
}

uint32_t tcp_rcvq_truesize(const TcpIn *in)
{
    return cost_of(in).truesize;
}

uint32_t tcp_rcvq_frame_truesize(uint32_t len)
{
    return cost_of_frame(len).truesize;
}

uint32_t tcp_rcvq_spare_head(const TcpIn *in)
{
    return cost_of(in).frags || !in->len ? SKB_HEAD_ONLY : 0;
}

/* ---- accounts ---- */

void tcp_rcvq_charge(TcpConn *c, uint32_t truesize)
{
    TcpRcvq *r = &c->rcv;

    if (r->fwd_alloc < truesize) /* sk_forced_mem_schedule */
        r->fwd_alloc += (truesize - r->fwd_alloc + SKB_PAGE - 1) / SKB_PAGE * SKB_PAGE;
    r->fwd_alloc -= truesize;
    r->rmem_alloc += truesize;
    c->tcp->mem_pages8 += truesize;
}

void tcp_rcvq_uncharge(TcpConn *c, uint32_t truesize)
{
    c->rcv.fwd_alloc = (c->rcv.fwd_alloc + truesize) % SKB_PAGE; /* whole pages are given back at once */
    c->rcv.rmem_alloc -= truesize;
    c->tcp->mem_pages8 -= truesize;
}

/* Linux __sk_mem_raise_allocated, for receiving */
static bool may_raise(TcpConn *c, uint32_t bytes)
{
    Tcp *t = c->tcp;
    uint64_t pages = (uint64_t)(t->mem_pages8 + bytes + SKB_PAGE - 1) / SKB_PAGE;

    if (pages <= t->sysctl->tcp_mem[0]) {
        if (t->mem_pressure) /* tcp_leave_memory_pressure */
            TCP_ADD(t, TcpExtTCPMemoryPressuresChrono,
                    (uint64_t)((node_now(t->node) - t->rare->mem_pressure_since) / SIM_MS));
        t->mem_pressure = false;
        return true;
    }
    if (pages > t->sysctl->tcp_mem[1] && !t->mem_pressure) {
        t->mem_pressure = true;
        tcp_rare(t)->mem_pressure_since = node_now(t->node);
        TCP_INC(t, TcpExtTCPMemoryPressures);
    }
    if (pages > t->sysctl->tcp_mem[2])
        return false;
    if (c->rcv.rmem_alloc < t->sysctl->tcp_rmem[0] || !t->mem_pressure)
        return true;
    /* under pressure everybody may have a fair share */
    return t->sysctl->tcp_mem[2] >
           (uint64_t)t->n_conns *
               ((c->snd.wmem_queued + c->rcv.rmem_alloc + bytes + SKB_PAGE - 1) / SKB_PAGE);
}

bool tcp_rcvq_may_charge(TcpConn *c, uint32_t truesize)
{
    TcpRcvq *r = &c->rcv;
    uint32_t need;

    if (r->fwd_alloc >= truesize)
        return true;
    need = truesize - r->fwd_alloc;
    if (!may_raise(c, need))
        return false;
    r->fwd_alloc += (need + SKB_PAGE - 1) / SKB_PAGE * SKB_PAGE;
    return true;
}

/* The last one may stand out of the buffer (Linux 6.18 tcp_can_ingest, as measured). */
bool tcp_rcvq_can_ingest(const TcpConn *c)
{
    return c->rcv.rmem_alloc <= c->win.rcvbuf;
}

/* Linux tcp_prune_queue: the buffer is full. Step by step: let it grow, squeeze what is in it, throw away
 * what came out of order. */
static bool prune(TcpConn *c, const TcpIn *in)
{
    if (!c->rcv.rmem_alloc) /* there is nothing to be had here */
        return false;
    TCP_INC(c->tcp, TcpExtPruneCalled);
    if (!tcp_rcvq_can_ingest(c))
        tcp_window_clamp(c);
    else if (c->tcp->mem_pressure)
        tcp_window_adjust_ssthresh(c);
    if (tcp_rcvq_can_ingest(c))
        return true;

    tcp_ofo_collapse(c);
    if (c->rcv.head)
        tcp_rcvq_collapse(c, NULL, c->rcv.head, NULL, c->copied_seq, c->rcv_nxt);
    if (tcp_rcvq_can_ingest(c))
        return true;

    tcp_ofo_prune(c, in);
    if (tcp_rcvq_can_ingest(c))
        return true;
    TCP_INC(c->tcp, TcpExtRcvPruned);
    c->pred_is_valid = 0;
    return false;
}

bool tcp_rcvq_has_room(TcpConn *c, const TcpIn *in)
{
    uint32_t truesize = tcp_rcvq_truesize(in);

    if (tcp_rcvq_can_ingest(c) && tcp_rcvq_may_charge(c, truesize))
        return true;
    if (!prune(c, in))
        return false;
    while (!tcp_rcvq_may_charge(c, truesize)) {
        if (!tcp_ofo_prune(c, in))
            return false;
    }
    return true;
}

/* ---- pieces ---- */

TcpRcvSeg *tcp_rcvq_new_seg(TcpConn *c, TcpIn *in)
{
    TcpRcvSeg *s = pool_alloc(c->tcp->shared->rcvsegs);
    Cost cost = cost_of(in);

    *s = (TcpRcvSeg){
        .pkt = tcpin_take(in),
        .seq = in->seq + ((in->flags & TCP_SYN) != 0),
        .end_seq = in->end_seq,
        .truesize = cost.truesize,
        .tailroom = cost.tailroom,
        .frags = (uint8_t)HS_MIN(cost.frags, (uint32_t)UINT8_MAX),
        .flags = in->flags,
        .when = in->now,
    };
    return s;
}

void tcp_rcvq_free_seg(TcpConn *c, TcpRcvSeg *s)
{
    tcp_rcvq_uncharge(c, s->truesize);
    packet_unref(s->pkt);
    pool_free(c->tcp->shared->rcvsegs, s);
}

static bool is_room_behind(const TcpRcvSeg *to, uint32_t len, unsigned frags)
{
    return len <= to->tailroom || (frags && to->frags + frags <= SKB_MAX_FRAGS);
}

bool tcp_rcvq_is_joinable(const TcpRcvSeg *to, const TcpIn *in)
{
    return in->seq == to->end_seq && is_room_behind(to, in->len, cost_of(in).frags);
}

/* What Linux skb_try_coalesce does to the accounts: bytes are copied into the room behind, fragments change
 * hands. Returns what `to` costs more. */
static uint32_t account_joined(TcpConn *c, TcpRcvSeg *to, uint32_t len, uint32_t truesize, unsigned frags)
{
    TCP_INC(c->tcp, TcpExtTCPRcvCoalesce);
    if (len <= to->tailroom) {
        to->tailroom -= len;
        return 0;
    }
    to->tailroom = 0;
    to->frags = (uint8_t)(to->frags + frags);
    tcp_rcvq_charge(c, truesize - SKB_HEAD_ONLY);
    return truesize - SKB_HEAD_ONLY;
}

void tcp_rcvq_absorb(TcpConn *c, TcpRcvSeg *to, const TcpIn *in)
{
    Cost cost = cost_of(in);
    Packet *whole = packet_new(c->tcp->node->part->packets, c->tcp->node->id, c->tcp->node->birth_next++, 0);

    to->truesize += account_joined(c, to, in->len, cost.truesize, cost.frags);
    packet_add_payload_of(whole, to->pkt, 0, tcp_rcvseg_len(to));
    packet_add_payload_of(whole, in->pkt, 0, in->len);
    packet_unref(to->pkt);
    to->pkt = whole;
    to->end_seq = in->end_seq;
    to->flags |= in->flags;
}

bool tcp_rcvq_coalesce(TcpConn *c, TcpRcvSeg *to, TcpRcvSeg *from)
{
    uint32_t len = tcp_rcvseg_len(from);

    if (from->seq != to->end_seq || !is_room_behind(to, len, from->frags))
        return false;
    from->truesize = to->truesize + account_joined(c, to, len, from->truesize, from->frags);
    from->tailroom = to->tailroom;
    from->frags = to->frags;
    to->truesize = 0;
    to->tailroom = 0;
    return true;
}

void tcp_rcvq_push(TcpConn *c, TcpRcvSeg *s, bool is_charged)
{
    TcpRcvq *r = &c->rcv;
    uint32_t truesize = s->truesize;
    bool joined = r->tail && tcp_rcvq_coalesce(c, r->tail, s);

    if (joined && is_charged)
        tcp_rcvq_uncharge(c, truesize);
    else if (!joined && !is_charged)
        tcp_rcvq_charge(c, truesize);
    s->next = NULL;
    if (r->tail)
        r->tail->next = s;
    else
        r->head = s;
    r->tail = s;
    c->stats.bytes_received += s->end_seq - c->rcv_nxt;
    c->rcv_nxt = s->end_seq;
}

void tcp_rcvq_pop(TcpConn *c)
{
    TcpRcvSeg *s = c->rcv.head;

    c->rcv.head = s->next;
    if (!c->rcv.head)
        c->rcv.tail = NULL;
    tcp_rcvq_free_seg(c, s);
}

void tcp_rcvq_append(TcpConn *c, TcpIn *in)
{
    tcp_rcvq_push(c, tcp_rcvq_new_seg(c, in), false);
}

void tcp_rcvq_purge_in_order(TcpConn *c)
{
    while (c->rcv.head)
        tcp_rcvq_pop(c);
}

void tcp_rcvq_purge(TcpConn *c)
{
    tcp_rcvq_purge_in_order(c);
    tcp_ofo_purge(c);
}

/* copied_seq has moved over an urgent byte: if that was the last of the first piece, it is done with. */
void tcp_rcvq_check_urg_shift(TcpConn *c)
{
    if (c->rcv.head && !tcp_before(c->copied_seq, c->rcv.head->end_seq))
        tcp_rcvq_pop(c);
}

void tcp_rcvq_data_ready(TcpConn *c)
{
    if (tcp_recv_is_readable(c, false) || c->sflags & TCP_S_DONE)
        tcp_wake_events(c, EPOLLIN | EPOLLRDNORM);
}

/* ---- arrival ---- */

void tcp_rcvq_save_flowlabel(TcpConn *c, const TcpIn *in)
{
    if (in->is_v6)
        c->ack.lrcv_flowlabel = in->flow_label;
}

/* The peer repeats what we have, with a new flow label: it had a timeout, so our ACKs do not arrive. Another
 * path may be better. */
void tcp_rcvq_spurious_retrans(TcpConn *c, const TcpIn *in)
{
    if (c->rec.ca_state != TCP_CA_LOSS && in->is_v6 && in->flow_label != c->ack.lrcv_flowlabel) {
        tcp_ip_negative_advice(c);
        TCP_INC(c->tcp, TcpExtTcpDuplicateDataRehash);
    }
    tcp_rcvq_save_flowlabel(c, in);
    tcp_ecn_on_spurious_retrans(c, in);
}

static void refuse(TcpConn *c, TcpIn *in, const char *reason)
{
    tcp_delack_enter_quickack(c, TCP_MAX_QUICKACKS);
    tcp_delack_schedule(c);
    tcp_probes_drop(c->tcp, c, in, reason);
}

/* It begins at or before rcv_nxt and has something new. */
static void accept_in_order(TcpConn *c, TcpIn *in)
{
    uint32_t truesize = tcp_rcvq_truesize(in);

    if (!tcp_rcvq_has_room(c, in)) {
        c->ack.pending |= TCP_ACK_NOMEM | TCP_ACK_NOW;
        tcp_delack_schedule(c);
        tcp_wake_events(c, EPOLLIN | EPOLLRDNORM);
        if (c->rcv.head && in->len) {
            TCP_INC(c->tcp, TcpExtTCPRcvQDrop);
            tcp_probes_drop(c->tcp, c, in, "PROTO_MEM");
            return;
        }
        /* an empty queue takes one in any case, or nothing would ever move */
    }
    tcp_rcvq_append(c, in);
    if (in->len)
        tcp_delack_event_data_recv(c, in, truesize);
    if (in->flags & TCP_FIN)
        tcp_rcvq_fin(c);
    if (!rbtree_is_empty(&c->rcv.ooo)) {
        tcp_ofo_deliver(c);
        if (rbtree_is_empty(&c->rcv.ooo)) /* RFC 5681 4.2: at once when a gap has been filled */
            c->ack.pending |= TCP_ACK_NOW;
    }
    if (c->rcv.num_sacks)
        tcp_dsack_sack_remove(c);
    tcp_input_fast_path_check(c);
    if (!(c->sflags & TCP_S_DEAD))
        tcp_rcvq_data_ready(c);
}

void tcp_rcvq_data(TcpConn *c, TcpIn *in)
{
    uint32_t window = tcp_window_receive(c);

    if (in->seq == in->end_seq)
        return;
    c->rcv.dsack = 0;
    if (in->seq == c->rcv_nxt) {
        /* Some stacks send a bare FIN again and again into a closed window: it costs nothing. */
        if (window == 0 && (in->len || !(in->flags & TCP_FIN))) {
            TCP_INC(c->tcp, TcpExtTCPZeroWindowDrop);
            refuse(c, in, "TCP_ZEROWINDOW");
            return;
        }
        accept_in_order(c, in);
        return;
    }
    if (!tcp_after(in->end_seq, c->rcv_nxt)) { /* all of it is old: the second most common case */
        tcp_rcvq_spurious_retrans(c, in);
        TCP_INC(c->tcp, TcpExtDelayedACKLost);
        tcp_dsack_set(c, in->seq, in->end_seq);
        refuse(c, in, "TCP_OLD_DATA");
        return;
    }
    if (!tcp_before(in->seq, c->rcv_nxt + window)) { /* a zero window probe, for one */
        TCP_INC(c->tcp, TcpExtBeyondWindow);
        refuse(c, in, "TCP_OVERWINDOW");
        return;
    }
    if (tcp_before(in->seq, c->rcv_nxt)) { /* the head is old */
        tcp_dsack_set(c, in->seq, c->rcv_nxt);
        if (window == 0) {
            TCP_INC(c->tcp, TcpExtTCPZeroWindowDrop);
            refuse(c, in, "TCP_ZEROWINDOW");
            return;
        }
        accept_in_order(c, in);
        return;
    }
    tcp_ofo_queue(c, in);
}

void tcp_rcvq_fin(TcpConn *c)
{
    tcp_delack_schedule(c);
    c->sflags |= TCP_S_RCV_SHUTDOWN | TCP_S_DONE;
    switch (c->state) {
    case TCP_SYN_RECV:
    case TCP_ESTABLISHED:
        tcp_set_state(c, TCP_CLOSE_WAIT);
        tcp_delack_enter_pingpong(c); /* the application will likely close now: our FIN carries the ACK */
        break;
    case TCP_FIN_WAIT1: /* both close at once */
        tcp_output_send_ack(c);
        tcp_set_state(c, TCP_CLOSING);
        break;
    case TCP_FIN_WAIT2:
        tcp_output_send_ack(c);
        tcp_tw_enter(c, TCP_TIME_WAIT, 0);
        break;
    default: /* CLOSE_WAIT, CLOSING, LAST_ACK: the FIN again */
        break;
    }
    /* Nothing can follow a FIN. */
    tcp_ofo_purge(c);
    if (c->sack.is_sack_ok)
        tcp_dsack_sack_reset(c);
    if (!(c->sflags & TCP_S_DEAD))
        tcp_wake(c);
}
