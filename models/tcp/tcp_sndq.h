/* The send side's memory: what the application wrote, cut into segments, in two queues (Linux's
 * sk_write_queue and tcp_rtx_queue, and its sk_buffs with tcp_skb_cb):
 *
 *     snd_una                    snd_nxt / send_head                write_seq
 *        | rtx: sent, not acked     | write queue: not sent yet        |
 *
 * A segment may stand for several on the wire (TSO): `pcount` of them of `mss` bytes. It keeps its identity
 * through retransmission, so marks (SACKed, lost, retransmitted) and times belong to it; a SACK or ACK for a
 * part of it splits it. The rtx queue is a list in order of sequence with a tree on top for look-ups, and a
 * second list in order of (re)transmission time for RACK. Segments come from a pool per host. */
#pragma once

#include "models/tcp/tcp_types.h"
#include "sim/base/rbtree.h"
#include "sim/base/simtime.h"
#include "sim/packet/packet.h"

/* TcpSeg.sacked (Linux TCPCB_*) */
enum {
    SEG_SACKED = 0x01,
    SEG_RETRANS = 0x02, /* the retransmission is in flight */
    SEG_LOST = 0x04,
    SEG_TAGBITS = 0x07,
    SEG_EVER_RETRANS = 0x80,
};

#define TCP_SEG_SLICES 2

typedef struct TcpSeg {
    struct TcpSeg *next, *prev;             /* in its queue */
    struct TcpSeg *tsort_next, *tsort_prev; /* sent, in order of time; both NULL: not in it */
    RbNode rb;                              /* rtx queue only */
    uint32_t seq, end_seq;                  /* SYN and FIN count */
    uint16_t pcount;                        /* segments on the wire; 0: not counted yet */
    uint16_t mss;                           /* size of each but the last when pcount > 1 */
    uint16_t flags;                         /* TCP_SYN, TCP_FIN, TCP_PSH, … as the header will carry */
    uint8_t sacked;
    bool eor;            /* MSG_EOR: nothing is appended or joined behind it */
    bool is_app_limited; /* delivery-rate sampling (tcp_rate.c) */
    uint8_t n_slices;
    bool in_rtx;
    bool has_tx_time;  /* sent at least once */
    bool is_copy_held; /* a clone is somewhere, in the error queue (Linux skb_still_in_host_queue) */
    uint8_t n_write;   /* which write it left in, of those at one instant (tcp_rack_sent) */
    uint8_t n_frags;   /* MSG_ZEROCOPY: pieces of payload, as Linux would count them; 0: none is lent */
    uint32_t truesize; /* what it costs the send buffer, as Linux would count it */
    SimTime sent_ns;   /* last (re)transmission; earliest departure time until sent (skb_mstamp_ns) */
    SimTime first_tx_ns, delivered_ns; /* tcp_rate.c's snapshot at transmission */
    uint32_t delivered, delivered_ce;
    uint32_t in_flight; /* packets in flight when sent */
    uint32_t lost;      /* TcpConn.lost when sent (tcp_rate.c) */
    PktSlice slice[TCP_SEG_SLICES];
} TcpSeg;

static inline uint32_t tcpseg_len(const TcpSeg *s) /* payload bytes */
{
    return s->end_seq - s->seq - ((s->flags & 0x02) != 0) - ((s->flags & 0x01) != 0);
}

typedef struct TcpSndq {
    TcpSeg *write_head, *write_tail; /* not yet sent */
    TcpSeg *rtx_head, *rtx_tail;     /* sent, lowest sequence first */
    RbRoot rtx_tree;
    TcpSeg *tsort_head, *tsort_tail; /* earliest sent first */
    PktChunk *chunk;                 /* where written bytes go while there is room */
    uint32_t chunk_used;
    uint32_t wmem_queued; /* truesize of both queues (sk_wmem_queued) */
    uint32_t wmem_alloc;  /* truesize of copies in this host's own device queue (TSQ) */
} TcpSndq;

/* Linux tcp_stream_alloc_skb and tcp_add_write_queue_tail: a new, empty segment at write_seq at the end of
 * the write queue, charged. What else tcp_skb_entail does (nonagle, restart after idle) is the caller's. */
TcpSeg *tcpsndq_append_new(TcpConn *c);
/* Appends payload to a segment: bytes, or the synthetic stream when both are NULL, or slices. Moves the
 * segment's end_seq, forgets pcount, charges wmem_queued if it is queued; write_seq is the caller's. Returns
 * how much fitted: all, as long as the segment stays below TCP_SEG_MAX_LEN. */
#define TCP_SEG_MAX_LEN 65535u
uint32_t tcpsndq_add(TcpConn *c, TcpSeg *s, const void *bytes, const PktSlice *slice, uint64_t synthetic_off,
                     uint32_t len);
/* The tail of the write queue costs n bytes more (whole pages of the application's). */
void tcpsndq_charge_more(TcpConn *c, TcpSeg *s, uint32_t n);
/* A segment in no queue and not charged: seq and end_seq as the flags say (SYN, FIN count). */
TcpSeg *tcpsndq_new_control(TcpConn *c, uint32_t seq, uint16_t flags);
void tcpsndq_append(TcpConn *c,
                    TcpSeg *s); /* at the end of the write queue, and charged; write_seq is the caller's */
void tcpsndq_insert_before(TcpConn *c, TcpSeg *s, TcpSeg *pos); /* likewise, before one of the write queue */
void tcpsndq_unlink_write(TcpConn *c, TcpSeg *s); /* out of the write queue, its charge given back */
void tcpsndq_to_rtx(TcpConn *c, TcpSeg *s); /* from the head of the write queue, or fresh, to the end of rtx
                                               (tcp_event_new_data_sent's part; a fresh one is charged) */
void tcpsndq_rtx_unlink_free(TcpConn *c,
                             TcpSeg *s);      /* acked: out of tree, list and time order, memory given back */
void tcpsndq_free_seg(TcpConn *c, TcpSeg *s); /* one that is in no queue */
void tcpsndq_purge(TcpConn *c);               /* everything (tcp_write_queue_purge) */
TcpSeg *
tcpsndq_rtx_find(const TcpConn *c,
                 uint32_t seq); /* the first rtx segment that ends after seq (tcp_sacktag_bsearch); NULL */
void tcpsndq_tsort_to_tail(TcpConn *c, TcpSeg *s);
void tcpsndq_tsort_unlink(TcpConn *c, TcpSeg *s);
/* Linux tcp_fragment: cuts s so that `len` bytes remain in it and the rest becomes a new segment behind, in
 * the same queue; marks, counts (packets_out, sacked_out, lost_out, retrans_out) and times are kept right. */
TcpSeg *tcpsndq_fragment(TcpConn *c, TcpSeg *s, uint32_t len, uint32_t mss);
void tcpsndq_trim_head(TcpConn *c, TcpSeg *s, uint32_t len); /* tcp_trim_head */
/* Joins b, which follows a, to it if the payload allows (slices); false: not possible. Counts are the
 * caller's. */
bool tcpsndq_join(TcpConn *c, TcpSeg *a, TcpSeg *b);
/* The first n payload bytes of b, which follows a in the same queue, move to a; all of b: FIN and eor too,
 * and b is gone (tcp_grow_skb, tcp_eat_one_skb; tcp_shifted_skb). Counts of packets are the caller's. */
void tcpsndq_shift(TcpConn *c, TcpSeg *a, TcpSeg *b, uint32_t n);
/* Is there room in a for so much of b (tcp_skb_shift)? */
bool tcpsndq_can_shift(const TcpSeg *a, const TcpSeg *b, uint32_t n);
/* Sets pcount and mss for the given mss (tcp_set_skb_tso_segs); the tso_adjust of counts of a queued segment
 * is tcpsndq_adjust_pcount. */
uint16_t tcpsndq_set_pcount(TcpSeg *s, uint32_t mss);
void tcpsndq_adjust_pcount(TcpConn *c, const TcpSeg *s, int decr);
/* Adds the payload range [off, off+len) of the segment to a packet. */
void tcpsndq_payload_to(const TcpSeg *s, uint32_t off, uint32_t len, Packet *pkt);
