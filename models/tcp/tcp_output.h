/* Sending. tcp_output.c is the coordinator: what may go, what next (Linux tcp_output.c); tcp_transmit.c
 * builds a segment and hands it to the network; tcp_control.c: SYN, ACK, RST, FIN, probes. Beside it:
 * tcp_retransmit.c, tcp_opt_out.c (options of outgoing segments), tcp_pace.c (pacing, TSO sizes), tcp_cwnd.c
 * (validation, restart), tcp_pmtu.c (MSS, path MTU, RFC 4821), tcp_tlp.c, tcp_sndq.c (the queues). */
#pragma once

#include "models/tcp/tcp_conn.h"

struct TcpFastopenCookie;

/* ---- tcp_output.c ---- */
/* Linux tcp_write_xmit: sends what windows, Nagle, pacing, TSQ allow. push_one: 0 all, 1 one segment, 2 a
 * loss probe beyond cwnd. true: nothing is in flight but something waits (the caller starts the persist
 * timer). */
bool tcp_output_write(TcpConn *c, uint32_t mss_now, int nonagle, int push_one);
void tcp_output_count_again(TcpConn *c); /* a retransmission is about to leave: when, for RACK */
void tcp_output_push_pending(TcpConn *c, uint32_t mss_now, int nonagle); /* __tcp_push_pending_frames */
void tcp_output_push_one(TcpConn *c, uint32_t mss_now);                  /* tcp_push_one */
void tcp_output_push(TcpConn *c, int flags, uint32_t mss_now, int nonagle, uint32_t size_goal); /* tcp_push */
void tcp_output_data_snd_check(TcpConn *c); /* tcp_data_snd_check: push, then wake writers */
/* Builds and sends a segment (__tcp_transmit_skb): clone keeps it in its queue with its marks. rcv_nxt goes
 * into the ACK field. 0, a negative errno (-EHOSTUNREACH …), or 1: dropped by our own device's queue
 * (-ENOBUFS below; Linux NET_XMIT_DROP), after which cwnd is reduced and the caller tries again after
 * TCP_PROBE_INTERVAL_MIN_MS. The segment stays the caller's. */
int tcp_output_transmit(TcpConn *c, TcpSeg *s, bool clone, uint32_t rcv_nxt);
void tcp_output_send_ack(TcpConn *c);                                             /* tcp_send_ack */
void tcp_output_send_ack_nxt(TcpConn *c, uint32_t rcv_nxt, uint16_t extra_flags); /* __tcp_send_ack */
void tcp_output_send_fin(TcpConn *c);
void tcp_output_send_active_reset(TcpConn *c);
int tcp_output_send_synack(TcpConn *c); /* simultaneous open: tcp_send_synack */
int tcp_output_connect(
    TcpConn *c); /* tcp_connect: init, SYN (with Fast Open: tcp_fastopen_send_syn), timer */
int tcp_output_write_wakeup(TcpConn *c,
                            int mib); /* window probe or what the window allows (tcp_write_wakeup) */
void tcp_output_send_probe0(TcpConn *c);
void tcp_output_send_window_probe(TcpConn *c);
void tcp_output_event_new_data_sent(TcpConn *c, TcpSeg *s);
bool tcp_output_should_autocork(TcpConn *c, const TcpSeg *s, uint32_t size_goal);
bool tcp_output_snd_wnd_test(const TcpConn *c, const TcpSeg *s, uint32_t mss);
bool tcp_output_small_queue_check(TcpConn *c, const TcpSeg *s, unsigned factor); /* true: TSQ says wait */
void tcp_output_tsq_done(TcpConn *c); /* a packet of ours left the device queue (tcp_wfree → tasklet) */
/* A segment that belongs to no connection (RST, SYN-ACK of a request, ACK of TIME_WAIT): tcp_demux.c and
 * friends describe it, tcp_ip.c sends it. */

/* ---- tcp_retransmit.c ---- */
int tcp_retransmit_seg(TcpConn *c, TcpSeg *s,
                       uint32_t segs); /* tcp_retransmit_skb: 0, -EAGAIN, -EBUSY …, 1: local drop */
int tcp_retransmit_unmarked(TcpConn *c, TcpSeg *s,
                            uint32_t segs); /* __tcp_retransmit_skb: without the marks (loss probe) */
void tcp_retransmit_queue(TcpConn *c);      /* tcp_xmit_retransmit_queue */

/* ---- tcp_opt_out.c ---- */
typedef struct TcpOptOut {
    TcpOptions o;
    unsigned size;        /* bytes, a multiple of 4 */
    const TcpMd5Key *md5; /* sign with this: the option's place is written as zeros */
} TcpOptOut;
unsigned tcp_opt_out_syn(TcpConn *c, const TcpSeg *s, TcpOptOut *out);         /* tcp_syn_options */
unsigned tcp_opt_out_established(TcpConn *c, const TcpSeg *s, TcpOptOut *out); /* tcp_established_options */
/* mss: what to advertise (advmss of the route, clamped by TCP_MAXSEG); foc: NULL or the cookie that the
 * SYN-ACK carries. */
unsigned tcp_opt_out_synack(TcpReq *r, const TcpConn *listener, TcpOptOut *out, uint16_t mss, bool is_cookie,
                            const struct TcpFastopenCookie *foc); /* tcp_synack_options */
unsigned tcp_opt_out_write(
    uint8_t *p, const TcpOptOut *o); /* tcp_options_write, in Linux's exact layout and order; returns bytes */

/* ---- tcp_pace.c ---- */
void tcp_pace_update_rate(TcpConn *c);    /* tcp_update_pacing_rate */
SimTime tcp_pace_delay(const TcpConn *c); /* tcp_pacing_delay, whole ms: to be added to a timer */
bool tcp_pace_must_wait(TcpConn *c);      /* tcp_pacing_check: arms the timer */
void tcp_pace_on_sent(TcpConn *c, const TcpSeg *s,
                      SimTime prior_wstamp); /* tcp_update_skb_after_send's part */
uint32_t tcp_pace_tso_segs(TcpConn *c, uint32_t mss_now);
uint32_t tcp_pace_bound_to_half_wnd(const TcpConn *c, uint32_t size);          /* tcp_bound_to_half_wnd */
uint32_t tcp_pace_size_goal(TcpConn *c, uint32_t mss_now, bool large_allowed); /* tcp_xmit_size_goal */

/* ---- tcp_cwnd.c ---- */
uint32_t tcp_cwnd_initial(const TcpConn *c); /* tcp_init_cwnd: the route's or 10 */
uint32_t tcp_cwnd_current_ssthresh(const TcpConn *c);
void tcp_cwnd_restart(TcpConn *c, SimTime idle_ns); /* after idle */
void tcp_cwnd_slow_start_after_idle_check(TcpConn *c);
void tcp_cwnd_validate(TcpConn *c, bool is_cwnd_limited);
void tcp_cwnd_chrono_start(TcpConn *c, int type); /* 1 busy, 2 rwnd limited, 3 sndbuf limited */
void tcp_cwnd_chrono_stop(TcpConn *c, int type);

/* ---- tcp_pmtu.c ---- */
uint32_t tcp_pmtu_sync_mss(TcpConn *c, uint32_t pmtu);                  /* tcp_sync_mss */
uint32_t tcp_pmtu_current_mss(TcpConn *c);                              /* tcp_current_mss */
uint32_t tcp_pmtu_send_mss(TcpConn *c, uint32_t *size_goal, int flags); /* tcp_send_mss */
uint32_t tcp_pmtu_mtu_to_mss(TcpConn *c, uint32_t pmtu);
uint32_t tcp_pmtu_mss_to_mtu(TcpConn *c, uint32_t mss);
void tcp_pmtu_init(TcpConn *c);                  /* tcp_mtup_init */
void tcp_pmtu_reduced(TcpConn *c, uint32_t mtu); /* ICMP: tcp_v4_mtu_reduced and tcp_simple_retransmit */
int tcp_pmtu_probe(TcpConn *c);                  /* tcp_mtu_probe: 1 sent, 0 wait, -1 nothing to do */
void tcp_pmtu_on_timeout(TcpConn *c);            /* tcp_mtu_probing */
void tcp_pmtu_on_probe_acked(TcpConn *c, bool success);

/* ---- tcp_tlp.c ---- */
bool tcp_tlp_schedule(TcpConn *c, bool advancing_rto);   /* tcp_schedule_loss_probe */
void tcp_tlp_send(TcpConn *c);                           /* tcp_send_loss_probe: the timer's handler */
void tcp_tlp_on_ack(TcpConn *c, uint32_t ack, int flag); /* tcp_process_tlp_ack */
