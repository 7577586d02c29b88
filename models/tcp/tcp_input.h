/* Arrival and receiving. tcp_demux.c finds whose segment it is; tcp_input.c (coordinator, RFC 9293 3.10.7 in
 * Linux's order), tcp_synsent.c (answers to our SYN), tcp_validate.c (is it acceptable), tcp_paws.c
 * (timestamps), tcp_challenge.c (RFC 5961 and the rate limits); tcp_rcvq.c (queue in order, FIN), tcp_ofo.c
 * (out of order, prune), tcp_dsack.c (SACK blocks to send), tcp_window.c (advertised window, buffer tuning),
 * tcp_delack.c (when to acknowledge), tcp_urg.c, tcp_recv.c (recvmsg). */
#pragma once

#include "models/tcp/tcp_conn.h"

/* ---- tcp_input.c ---- */
void tcp_input_established(TcpConn *c, TcpIn *in); /* tcp_rcv_established */
/* tcp_rcv_state_process: not 0: the caller answers with a RST (it then has in->…). */
int tcp_input_state_process(TcpConn *c, TcpIn *in);
/* Linux tcp_v4_do_rcv: the segment belongs to this connection or listener (not a request, not TIME_WAIT). */
void tcp_input_segment(TcpConn *c, TcpIn *in);
void tcp_input_fast_path_check(TcpConn *c);
void tcp_input_reset(TcpConn *c, TcpIn *in);          /* tcp_reset: the peer's RST */
void tcp_input_finish_connect(TcpConn *c, TcpIn *in); /* tcp_finish_connect */
int tcp_input_synsent(TcpConn *c, TcpIn *in);

/* ---- tcp_validate.c ---- */
/* tcp_validate_incoming: false: dealt with. */
bool tcp_validate_segment(TcpConn *c, TcpIn *in, int syn_inerr);

/* ---- tcp_paws.c ---- */
/* tcp_fast_parse_options of an established connection: fills in->saw_ts, tsval, tsecr (offset removed) and
 * c->ts. */
void tcp_paws_parse_options(TcpConn *c, TcpIn *in);
/* tcp_paws_check: not older than what we have by more than `window`. */
bool tcp_paws_is_ok(const TcpTs *ts, const TcpIn *in, int32_t window);
/* tcp_paws_reject: shared with requests and TIME_WAIT. */
bool tcp_paws_reject(const TcpTs *ts, const TcpIn *in, bool is_rst);
/* A segment failed PAWS. Reordered pure ACKs do that all the time and do no harm. Returns the reason to
 * refuse it, NULL: let it pass (tcp_disordered_ack_check). */
const char *tcp_paws_disordered_ack(const TcpConn *c, const TcpIn *in, bool *is_old_ack);
void tcp_paws_store_recent(TcpTs *ts, const TcpIn *in); /* tcp_store_ts_recent */
/* tcp_replace_ts_recent: takes over the segment's timestamp if it may (RFC 7323 4.3); ACK_TS_PROGRESS if that
 * moved it on, else 0. */
int tcp_paws_replace_recent(TcpConn *c, uint32_t seq, TcpIn *in);
/* Moves ts_recent to the segment's, as the former does without its conditions. */
int tcp_paws_store_progress(TcpConn *c, const TcpIn *in);
/* The clock of ts_recent_stamp, which counts seconds from 1: 0 there means none. */
static inline int64_t tcp_ts_seconds(SimTime now)
{
    return (int64_t)(now / SIM_SEC) + 1;
}

/* ---- tcp_challenge.c ---- */
void tcp_challenge_send_ack(TcpConn *c,
                            bool accecn_reflector); /* tcp_send_challenge_ack, limited per socket and host */
void tcp_challenge_send_dupack(TcpConn *c, const TcpIn *in); /* tcp_send_dupack, with D-SACK */
/* The last ACK of our handshake; under accurate ECN it tells how the SYN-ACK arrived
 * (tcp_send_ack_reflect_ect). */
void tcp_challenge_ack_handshake(TcpConn *c, bool accecn);
/* true: too soon since the last one (tcp_oow_rate_limited); counts mib if so. Segments with data are never
 * too soon. */
bool tcp_challenge_oow_limited(Tcp *t, const TcpIn *in, int mib, SimTime *last_oow);
/* Those that carry data too (__tcp_oow_rate_limited). */
bool tcp_challenge_limited(Tcp *t, SimTime now, int mib, SimTime *last_oow);

/* ---- tcp_rcvq.c ---- */
typedef struct TcpRcvSeg { /* a queued piece */
    struct TcpRcvSeg *next;
    RbNode rb;
    Packet *pkt; /* payload only from head on */
    uint32_t seq, end_seq;
    uint32_t truesize; /* 0: it was put into the room behind the next one's bytes */
    uint32_t tailroom; /* bytes that Linux could still append to this buffer */
    uint16_t flags;    /* FIN, … */
    uint8_t frags;     /* fragments of pages that hold the payload; 0: it is in the buffer's head */
    SimTime when;      /* it arrived */
} TcpRcvSeg;
void tcp_rcvq_data(TcpConn *c, TcpIn *in); /* tcp_data_queue */
/* The fast path: in order, fits (tcp_queue_rcv). */
void tcp_rcvq_append(TcpConn *c, TcpIn *in);
bool tcp_rcvq_has_room(TcpConn *c, const TcpIn *in);              /* tcp_try_rmem_schedule + prune */
void tcp_rcvq_fin(TcpConn *c);                                    /* tcp_fin */
void tcp_rcvq_purge(TcpConn *c);                                  /* both queues */
void tcp_rcvq_purge_in_order(TcpConn *c);                         /* tcp_ofo.c's stays */
bool tcp_rcvq_is_joinable(const TcpRcvSeg *to, const TcpIn *in);  /* right behind, and there is room */
void tcp_rcvq_absorb(TcpConn *c, TcpRcvSeg *to, const TcpIn *in); /* puts it there */
/* Linux tcp_rcv_spurious_retrans: the peer sent again what we have. */
void tcp_rcvq_spurious_retrans(TcpConn *c, const TcpIn *in);
void tcp_rcvq_save_flowlabel(TcpConn *c, const TcpIn *in);
uint32_t tcp_rcvq_truesize(const TcpIn *in);
uint32_t tcp_rcvq_frame_truesize(uint32_t len); /* of a packet of so many bytes, IP header included */
uint32_t tcp_rcvq_spare_head(const TcpIn *in);  /* the part of it that is a head without payload */
void tcp_rcvq_data_ready(TcpConn *c);
void tcp_rcvq_check_urg_shift(TcpConn *c);
/* Pieces outside any queue: made of a segment (takes its packet; not charged yet), and given up (charged
 * ones). */
TcpRcvSeg *tcp_rcvq_new_seg(TcpConn *c, TcpIn *in);
void tcp_rcvq_free_seg(TcpConn *c, TcpRcvSeg *s);
void tcp_rcvq_push(TcpConn *c, TcpRcvSeg *s,
                   bool is_charged); /* the next in order, at the end; moves rcv_nxt */
void tcp_rcvq_pop(TcpConn *c);       /* the first one has been read (tcp_eat_recv_skb) */
bool tcp_rcvq_coalesce(
    TcpConn *c, TcpRcvSeg *to,
    TcpRcvSeg *from); /* tcp_try_coalesce, for the accounts only: from then has to's charge */
void tcp_rcvq_charge(TcpConn *c, uint32_t truesize);
void tcp_rcvq_uncharge(TcpConn *c, uint32_t truesize);
bool tcp_rcvq_can_ingest(const TcpConn *c);
/* Reserves memory for it if the host's limits allow (sk_rmem_schedule). */
bool tcp_rcvq_may_charge(TcpConn *c, uint32_t truesize);
static inline uint32_t tcp_rcvseg_len(const TcpRcvSeg *s)
{
    return s->pkt ? s->pkt->payload_len : 0;
}

/* ---- tcp_ofo.c ---- */
void tcp_ofo_queue(TcpConn *c, TcpIn *in);       /* tcp_data_queue_ofo */
void tcp_ofo_deliver(TcpConn *c);                /* tcp_ofo_queue: what fits now */
bool tcp_ofo_prune(TcpConn *c, const TcpIn *in); /* tcp_prune_ofo_queue */
void tcp_ofo_purge(TcpConn *c);
void tcp_ofo_collapse(TcpConn *c); /* tcp_collapse_ofo_queue */
/* tcp_collapse: joins small buffers of a list in order. root: the tree they are in; NULL: the queue in order.
 */
void tcp_rcvq_collapse(TcpConn *c, RbRoot *root, TcpRcvSeg *first, TcpRcvSeg *stop, uint32_t start,
                       uint32_t end);

/* ---- tcp_dsack.c ---- */
void tcp_dsack_set(TcpConn *c, uint32_t seq, uint32_t end_seq);
void tcp_dsack_extend(TcpConn *c, uint32_t seq, uint32_t end_seq);
void tcp_dsack_sack_new(TcpConn *c, uint32_t seq, uint32_t end_seq); /* tcp_sack_new_ofo_skb */
void tcp_dsack_sack_remove(TcpConn *c);
void tcp_dsack_sack_reset(TcpConn *c);

/* ---- tcp_window.c ---- */
uint16_t tcp_window_select(TcpConn *c);        /* tcp_select_window: value for the header */
uint32_t tcp_window_receive(const TcpConn *c); /* tcp_receive_window */
uint32_t tcp_window_select_free(TcpConn *c);   /* __tcp_select_window */
void tcp_window_select_initial(const TcpConn *c, uint32_t space, uint32_t mss, uint32_t *rcv_wnd,
                               uint32_t *clamp, bool wscale_ok, uint8_t *rcv_wscale, uint32_t init_rcv_wnd);
void tcp_window_measure_rcv_mss(TcpConn *c, const TcpIn *in, uint32_t truesize);
void tcp_window_init_rcv_mss(TcpConn *c);
void tcp_window_grow(TcpConn *c, const TcpIn *in, uint32_t truesize, bool adjust);
void tcp_window_init_buffer_space(TcpConn *c);
void tcp_window_rcv_space_adjust(TcpConn *c);
void tcp_window_rcv_rtt_measure(TcpConn *c);
void tcp_window_rcv_rtt_measure_ts(TcpConn *c, const TcpIn *in);
void tcp_window_clamp(TcpConn *c);           /* tcp_clamp_window */
uint32_t tcp_window_space(const TcpConn *c); /* tcp_space */
uint32_t tcp_window_full_space(const TcpConn *c);
uint32_t tcp_window_from_space(const TcpConn *c, uint32_t space); /* tcp_win_from_space with scaling_ratio */
uint32_t tcp_window_space_from_win(const TcpConn *c, uint32_t win);
int tcp_window_set_clamp(TcpConn *c, int val); /* TCP_WINDOW_CLAMP */
int tcp_window_set_rcvlowat(TcpConn *c, int val);
bool tcp_window_rmem_pressure(const TcpConn *c);
void tcp_window_adjust_ssthresh(TcpConn *c); /* tcp_adjust_rcv_ssthresh, under memory pressure */
void tcp_window_rcvbuf_grow(TcpConn *c, uint32_t new_space);

/* ---- tcp_delack.c ---- */
void tcp_delack_event_data_recv(TcpConn *c, TcpIn *in, uint32_t truesize); /* tcp_event_data_recv */
void tcp_delack_event_ack_sent(TcpConn *c, uint32_t rcv_nxt); /* tcp_event_ack_sent, dec_quickack_mode */
void tcp_delack_event_data_sent(TcpConn *c);                  /* tcp_event_data_sent: pingpong */
void tcp_delack_snd_check(TcpConn *c);                        /* tcp_ack_snd_check */
void tcp_delack_check_now(TcpConn *c, bool ofo_possible);     /* __tcp_ack_snd_check */
void tcp_delack_schedule(TcpConn *c);                         /* inet_csk_schedule_ack */
void tcp_delack_send_delayed(TcpConn *c);                     /* tcp_send_delayed_ack */
void tcp_delack_enter_quickack(TcpConn *c, unsigned max_quickacks);
void tcp_delack_incr_quickack(TcpConn *c, unsigned max_quickacks);
bool tcp_delack_in_quickack(const TcpConn *c);
void tcp_delack_on_timeout(TcpConn *c);       /* tcp_delack_timer_handler */
void tcp_delack_on_comp_timeout(TcpConn *c);  /* tcp_compressed_ack_kick */
void tcp_delack_flush_compressed(TcpConn *c); /* tcp_sack_compress_send_ack */
void tcp_delack_clear(TcpConn *c);            /* inet_csk_clear_xmit_timer(ICSK_TIME_DACK) */
bool tcp_delack_in_pingpong(const TcpConn *c);
void tcp_delack_enter_pingpong(TcpConn *c);
void tcp_delack_exit_pingpong(TcpConn *c);
void tcp_delack_set_quickack(TcpConn *c, int val);    /* TCP_QUICKACK */
void tcp_delack_cleanup_rbuf(TcpConn *c, int copied); /* tcp_cleanup_rbuf, with its window updates */

/* ---- tcp_urg.c ---- */
enum { TCP_URG_VALID = 0x100, TCP_URG_NOTYET = 0x200, TCP_URG_READ = 0x400 };
void tcp_urg_input(TcpConn *c, TcpIn *in);                      /* tcp_urg */
int tcp_urg_recv(TcpConn *c, void *buf, size_t len, int flags); /* MSG_OOB */
void tcp_urg_mark_send(TcpConn *c);                             /* tcp_mark_urg */

/* ---- tcp_recv.c ---- */
/* tcp_recv() of tcp.h */
uint32_t tcp_recv_inq(TcpConn *c);                    /* tcp_inq */
bool tcp_recv_is_readable(TcpConn *c, bool for_poll); /* tcp_stream_is_readable / tcp_epollin_ready */
