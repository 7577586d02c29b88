/* What an ACK says, and what follows from it: tcp_ack.c (coordinator: Linux tcp_ack, tcp_clean_rtx_queue),
 * tcp_sack.c (scoreboard, D-SACK, reordering), tcp_recovery.c (states, entry, exit, undo, F-RTO, the classic
 * styles), tcp_rack.c, tcp_prr.c, tcp_rtt.c, tcp_rate.c, tcp_cc.c (the bridge to models/cc). */
#pragma once

#include "models/tcp/tcp_conn.h"

/* Flags of an ACK under way (Linux FLAG_*) */
enum {
    ACK_DATA = 0x01,
    ACK_WIN_UPDATE = 0x02,
    ACK_DATA_ACKED = 0x04,
    ACK_RETRANS_DATA_ACKED = 0x08,
    ACK_SYN_ACKED = 0x10,
    ACK_DATA_SACKED = 0x20,
    ACK_ECE = 0x40,
    ACK_LOST_RETRANS = 0x80,
    ACK_SLOWPATH = 0x100,
    ACK_ORIG_SACK_ACKED = 0x200,
    ACK_SND_UNA_ADVANCED = 0x400,
    ACK_DSACKING_ACK = 0x800,
    ACK_SET_XMIT_TIMER = 0x1000,
    ACK_SACK_RENEGING = 0x2000,
    ACK_UPDATE_TS_RECENT = 0x4000,
    ACK_NO_CHALLENGE_ACK = 0x8000,
    ACK_MAYBE_DELAYED = 0x10000,
    ACK_DSACK_TLP = 0x20000,
    ACK_TS_PROGRESS = 0x40000,
    ACK_ACKED = ACK_DATA_ACKED | ACK_SYN_ACKED,
    ACK_NOT_DUP = ACK_DATA | ACK_WIN_UPDATE | ACK_ACKED,
    ACK_CA_ALERT = ACK_DATA_SACKED | ACK_ECE | ACK_DSACKING_ACK,
    ACK_FORWARD_PROGRESS = ACK_ACKED | ACK_DATA_SACKED,
};

/* ---- tcp_ack.c ---- */
/* Linux tcp_ack: 1 acceptable, 0 old but harmless, negative: a drop reason (ack beyond snd_nxt, too old).
 * `flag`: ACK_SLOWPATH, ACK_UPDATE_TS_RECENT, ACK_NO_CHALLENGE_ACK … */
enum { TCP_ACK_TOO_OLD = -1, TCP_ACK_UNSENT = -2 };
int tcp_ack_process(TcpConn *c, TcpIn *in, int flag);
void tcp_ack_init_buffer_and_metrics(TcpConn *c, int bpf_event); /* tcp_init_transfer */
void tcp_ack_rearm_rto(TcpConn *c);                              /* tcp_rearm_rto */
void tcp_ack_set_xmit_timer(TcpConn *c);                         /* TLP or RTO */
void tcp_ack_snd_una_update(TcpConn *c, uint32_t ack);
void tcp_ack_probe0(TcpConn *c); /* tcp_ack_probe */

void tcp_ack_count_delivered(TcpConn *c, uint32_t delivered, bool ece_ack); /* tcp_count_delivered */

/* ---- tcp_sack.c ---- */
typedef struct TcpSackState { /* Linux tcp_sacktag_state */
    SimTime first_sackt, last_sackt;
    uint32_t reord;
    uint32_t sack_delivered;
    uint32_t delivered_bytes; /* payload newly acknowledged or SACKed, for accurate ECN */
    int flag;
    uint32_t mss_now;
    struct CcRateSample *rate;
    uint8_t ttl; /* of the ACK */
} TcpSackState;
int tcp_sack_tag_queue(TcpConn *c, const TcpIn *in, uint32_t prior_snd_una,
                       TcpSackState *st); /* tcp_sacktag_write_queue; returns flags */
uint32_t
tcp_sack_highest_seq(const TcpConn *c); /* tcp_highest_sack_seq: where the highest SACKed data ends */
void tcp_sack_reset(TcpConn *c);        /* tcp_clear_all_retrans_hints etc. */
void tcp_sack_update_reordering(TcpConn *c, uint32_t low_seq, int ts); /* tcp_check_sack_reordering */
void tcp_sack_reset_reno(TcpConn *c);                                  /* tcp_reset_reno_sack */
void tcp_sack_add_reno(TcpConn *c, int num_dupack, bool ece_ack);      /* tcp_add_reno_sack */
void tcp_sack_remove_reno(TcpConn *c, uint32_t acked, bool ece_ack);
void tcp_sack_check_reno_reordering(TcpConn *c, uint32_t addend);

/* ---- tcp_recovery.c ---- */
void tcp_recovery_fastretrans_alert(TcpConn *c, uint32_t prior_snd_una, int num_dupack, int *ack_flag,
                                    int *rexmit);
void tcp_recovery_enter_loss(TcpConn *c);
void tcp_recovery_enter_cwr(TcpConn *c);
void tcp_recovery_enter(TcpConn *c, bool ece_ack);  /* tcp_enter_recovery */
void tcp_recovery_simple_retransmit(TcpConn *c);    /* path MTU shrank */
void tcp_recovery_mark_lost(TcpConn *c, TcpSeg *s); /* tcp_mark_skb_lost */
void tcp_recovery_xmit(TcpConn *c, int rexmit);     /* tcp_xmit_recovery: 1 lost, 2 new data (F-RTO) */
void tcp_recovery_set_ca_state(TcpConn *c, uint8_t ca_state);
void tcp_recovery_try_keep_open(TcpConn *c);
void tcp_recovery_undo_spurious_syn(TcpConn *c);
enum { TCP_REXMIT_NONE, TCP_REXMIT_LOST, TCP_REXMIT_NEW };

/* ---- tcp_rack.c ---- */
bool tcp_rack_mark_lost(TcpConn *c); /* true: the reordering timer was armed */
void tcp_rack_advance(TcpConn *c, const TcpSeg *s, uint8_t sacked, uint32_t end_seq);
void tcp_rack_on_timeout(TcpConn *c); /* tcp_rack_reo_timeout */
void tcp_rack_update_reo_wnd(TcpConn *c, const struct CcRateSample *rs);
void tcp_rack_mark_newreno(TcpConn *c, bool snd_una_advanced); /* tcp_newreno_mark_lost */
/* When it was sent, for RACK. What one write after the other sends at one instant of ours, a real host sends
 * some microseconds apart. */
static inline SimTime tcp_rack_sent(const TcpSeg *s)
{
    return s->sent_ns + s->n_write * SIM_US;
}
/* Was what ends at seq1 sent at t1 later than what ends at seq2 at t2? (tcp_skb_sent_after) */
bool tcp_rack_is_sent_after(SimTime t1, SimTime t2, uint32_t seq1, uint32_t seq2);
int64_t tcp_rack_seg_timeout_us(TcpConn *c, const TcpSeg *s, uint32_t reo_wnd_us); /* tcp_rack_skb_timeout */
uint32_t tcp_rack_reo_wnd_us(const TcpConn *c);

/* ---- tcp_prr.c ---- */
void tcp_prr_init_reduction(TcpConn *c); /* tcp_init_cwnd_reduction */
void tcp_prr_reduce(TcpConn *c, int newly_acked_sacked, int newly_lost, int flag); /* tcp_cwnd_reduction */
void tcp_prr_end(TcpConn *c); /* tcp_end_cwnd_reduction */

/* ---- tcp_classic.c: sysctl hopscope.tcp_recovery_style ---- */
enum { TCP_STYLE_LINUX, TCP_STYLE_TAHOE, TCP_STYLE_RENO, TCP_STYLE_NEWRENO, TCP_STYLE_SACK };
/* Everything that such a stack does about an ACK: instead of tcp_recovery_fastretrans_alert, tcp_cc_control
 * and tcp_recovery_xmit. */
typedef struct TcpClassicAck {
    uint32_t ack, newly_acked_sacked;
    int num_dupack, flag;
    const struct CcRateSample *rate;
} TcpClassicAck;
void tcp_classic_on_ack(TcpConn *c, const TcpClassicAck *a);
void tcp_classic_on_mark(TcpConn *c);      /* a congestion mark or a local drop: once per window */
uint32_t tcp_classic_ssthresh(TcpConn *c); /* RFC 5681 equation 4 for "reno", else the controller's */
bool tcp_classic_is_on(const TcpConn *c);
bool tcp_classic_uses_sack(const TcpConn *c);

/* ---- tcp_undo.c ---- */
bool tcp_undo_recovery(TcpConn *c);                        /* tcp_try_undo_recovery */
bool tcp_undo_dsack(TcpConn *c);                           /* tcp_try_undo_dsack */
bool tcp_undo_loss(TcpConn *c, bool frto_undo);            /* tcp_try_undo_loss */
bool tcp_undo_partial(TcpConn *c, uint32_t prior_snd_una); /* tcp_try_undo_partial */
void tcp_undo_init(TcpConn *c);                            /* tcp_init_undo: an episode begins */
bool tcp_undo_any_retrans_done(const TcpConn *c);
void tcp_undo_retrans_stamp_cleanup(TcpConn *c);
bool tcp_undo_ecr_is_before(
    const TcpConn *c,
    SimTime when); /* tcp_tsopt_ecr_before: the echoed timestamp is of something sent earlier */

/* ---- tcp_rtt.c ---- */
/* Whole microseconds between two instants on Linux's clock, which has no finer ones; never negative. */
static inline int64_t tcp_us_between(SimTime later, SimTime earlier)
{
    int64_t d = later / SIM_US - earlier / SIM_US;

    return d > 0 ? d : 0;
}
bool tcp_rtt_ack_update(TcpConn *c, int flag, int64_t seq_rtt_us, int64_t sack_rtt_us, int64_t ca_rtt_us,
                        struct CcRateSample *rs); /* tcp_ack_update_rtt */
void tcp_rtt_synack(TcpConn *c, const TcpReq *r); /* tcp_synack_rtt_meas */
void tcp_rtt_estimate(TcpRtt *r, int64_t mrtt_us, uint32_t rto_min_us, uint32_t snd_nxt,
                      uint32_t snd_una); /* tcp_rtt_estimator, with Linux's arithmetic */
void tcp_rtt_set_rto(TcpConn *c);        /* tcp_set_rto and tcp_bound_rto */
uint32_t tcp_rtt_rto_min_us(const TcpConn *c);
void tcp_rtt_shift(TcpConn *c, int32_t delta_us); /* tcp_enable_tx_delay: the path is longer by that */
uint32_t tcp_rtt_min_us(const TcpConn *c);        /* tcp_min_rtt; UINT32_MAX: none */
void tcp_rtt_update_min(TcpConn *c, uint32_t rtt_us, int flag);

/* ---- tcp_rate.c ---- */
void tcp_rate_on_sent(TcpConn *c, TcpSeg *s);
void tcp_rate_on_delivered(TcpConn *c, TcpSeg *s, struct CcRateSample *rs); /* tcp_rate_skb_delivered */
void tcp_rate_generate(TcpConn *c, uint32_t delivered, uint32_t lost, bool is_sack_reneg,
                       struct CcRateSample *rs);
void tcp_rate_check_app_limited(TcpConn *c);

/* ---- tcp_cc.c ---- */
void tcp_cc_fill_view(TcpConn *c, CcView *v);
void tcp_cc_init(
    TcpConn *c); /* on the way to ESTABLISHED: tcp_init_congestion_control; starts the controller */
int tcp_cc_set(TcpConn *c, const char *name); /* TCP_CONGESTION: 0, -ENOENT */
void tcp_cc_control(TcpConn *c, uint32_t ack, uint32_t acked_sacked, int flag,
                    const struct CcRateSample *rs); /* tcp_cong_control */
void tcp_cc_event(TcpConn *c, CcEvent ev);
