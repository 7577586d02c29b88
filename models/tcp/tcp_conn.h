/* A TCP connection from inside: a table of contents. Each mechanism's variables are in a struct of its own,
 * named after the file that owns them; what many of them need (sequence variables, packet counts) stands
 * first, by Linux's names (struct tcp_sock).
 *
 * Memory: 100 000 idle connections are to fit; what few connections need (listening, Fast Open, MD5, urgent
 * data, a full receive queue) hangs on pointers. */
#pragma once

#include "models/cc/cc.h"
#include "models/ip/inet.h"
#include "models/tcp/tcp.h"
#include "models/tcp/tcp_in.h"
#include "models/tcp/tcp_sndq.h"
#include "models/tcp/tcp_types.h"
#include "sim/engine/timer.h"

/* ---- sending: tcp_output.c, tcp_cwnd.c, tcp_pmtu.c ---- */

/* TcpConn.nonagle */
enum { TCP_NAGLE_OFF = 1, TCP_NAGLE_CORK = 2, TCP_NAGLE_PUSH = 4 };

typedef struct TcpRtt { /* tcp_rtt.c; units as Linux */
    uint32_t srtt_us;   /* << 3 */
    uint32_t mdev_us, mdev_max_us, rttvar_us;
    uint32_t rtt_seq;    /* sequence number to update rttvar */
    uint32_t rto_ms;     /* icsk_rto */
    uint32_t rto_min_ms; /* icsk_rto_min: sysctl or socket option */
    uint32_t rto_max_ms;
    uint32_t delack_max_ms;
    uint8_t backoff; /* icsk_backoff */
    struct {
        uint32_t t; /* ms, wraps */
        uint32_t v;
    } min_rtt[3];          /* µs; Linux's windowed minimum filter (win_minmax) */
    SimTime retrans_stamp; /* time of the first retransmission of this episode; 0: none */
} TcpRtt;

typedef struct TcpRate { /* tcp_rate.c: delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation) */
    SimTime first_tx_ns, delivered_ns;
    uint32_t app_limited; /* delivered + in flight when the application had nothing more; 0: not limited */
    uint32_t rate_delivered, rate_interval_us;
    bool rate_app_limited;
} TcpRate;

typedef struct TcpRack { /* tcp_rack.c, RFC 8985 */
    SimTime mstamp;      /* (re)transmission time of the most recently sent segment that was delivered */
    uint32_t rtt_us, end_seq, last_delivered;
    uint8_t reo_wnd_steps, reo_wnd_persist;
    bool dsack_seen, advanced;
} TcpRack;

typedef struct TcpRecovery { /* tcp_recovery.c, tcp_prr.c */
    uint32_t high_seq;       /* snd_nxt at the onset of congestion */
    uint32_t prior_ssthresh, prior_cwnd;
    uint32_t prr_delivered, prr_out;
    uint32_t undo_marker; /* snd_una when the episode began; 0: nothing to undo */
    int32_t undo_retrans; /* retransmissions not yet known to be superfluous */
    uint8_t ca_state;
    uint8_t frto : 1, is_sack_reneg : 1, is_rescued : 1, has_recover : 1; /* the last two: tcp_classic.c */
    uint16_t dupacks;                                                     /* tcp_classic.c */
    uint32_t dup_flight; /* packets out when the first of them came */
    uint32_t total_rto, total_rto_time_ms;
    uint16_t total_rto_recoveries;
    SimTime rto_stamp;
} TcpRecovery;

typedef struct TcpSack {      /* tcp_sack.c: the sender's view */
    TcpSackBlock *recv_cache; /* TCP_NUM_SACKS of them, with the first SACK */
    TcpSeg *highest_sack;     /* the segment after the highest SACKed one; NULL: none known */
    TcpSeg *lost_hint, *retransmit_hint;
    uint32_t lost_cnt_hint;
    uint32_t reordering; /* packets */
    uint32_t reord_seen, dsack_dups;
    bool is_sack_ok, dsack_seen; /* sack_ok: negotiated */
} TcpSack;

typedef struct TcpTlp { /* tcp_tlp.c */
    uint32_t high_seq;  /* snd_nxt when the probe was sent; 0: none outstanding */
    bool is_retrans;
} TcpTlp;

typedef struct TcpMtuProbe { /* tcp_pmtu.c, RFC 4821 */
    uint16_t search_low, search_high, probe_size;
    bool enabled;
    uint32_t probe_seq_start, probe_seq_end;
    SimTime timestamp;
} TcpMtuProbe;

/* ---- receiving ---- */

typedef struct TcpAckSched { /* tcp_delack.c (icsk_ack, compressed ACKs) */
    uint8_t pending;         /* TCP_ACK_* */
    uint8_t quick, pingpong, retry;
    uint8_t compressed; /* ACKs held back */
    uint8_t dup_ack_counter;
    uint16_t last_seg_size, rcv_mss;
    uint32_t ato_ms;
    SimTime lrcv_ns, timeout;
    uint32_t compressed_rcv_nxt;
    uint32_t lrcv_flowlabel; /* IPv6: of the last data segment */
} TcpAckSched;
enum {
    TCP_ACK_SCHED = 1,
    TCP_ACK_TIMER = 2,
    TCP_ACK_PUSHED = 4,
    TCP_ACK_PUSHED2 = 8,
    TCP_ACK_NOW = 16,
    TCP_ACK_NOMEM = 32
};

typedef struct TcpOoo TcpOoo; /* tcp_ofo.c: an out-of-order packet */

typedef struct TcpRcvq { /* tcp_rcvq.c: in order and not read yet; and what came too early */
    struct TcpRcvSeg *head, *tail;
    RbRoot ooo;
    struct TcpRcvSeg *ooo_last;
    uint32_t rmem_alloc; /* truesize of both, as Linux would count */
    uint32_t drops;      /* packets thrown away, SK_MEMINFO_DROPS (sk_drops) */
    uint32_t fwd_alloc; /* reserved in whole pages and not used yet, for both directions (sk_forward_alloc) */
    TcpSackBlock *selective_acks; /* room for TCP_NUM_SACKS, with the first gap */
    TcpSackBlock duplicate_sack;
    uint8_t num_sacks, dsack;
} TcpRcvq;

typedef struct TcpWindow { /* tcp_window.c */
    uint32_t rcv_wnd, rcv_wup, rcv_ssthresh, window_clamp, rcv_mwnd_seq;
    uint8_t rcv_wscale, snd_wscale, scaling_ratio, wscale_ok : 1;
    uint8_t is_rcvbuf_locked : 1, is_sndbuf_locked : 1; /* set by SO_RCVBUF, SO_SNDBUF */
    uint32_t rcvbuf, sndbuf;                            /* sk_rcvbuf, sk_sndbuf */
    uint32_t space_seq, space_space;
    SimTime space_time; /* rcvq_space: dynamic right-sizing */
    SimTime rcv_rtt_time;
    uint32_t rcv_rtt_us, rcv_rtt_seq, rcv_rtt_last_tsecr; /* rcv_rtt_est */
} TcpWindow;

typedef struct TcpTs { /* timestamps (rx_opt, RFC 7323) */
    uint32_t ts_recent, tsoffset;
    uint32_t rcv_tsval, rcv_tsecr; /* of the last segment */
    uint32_t ts_recent_stamp;      /* seconds; 0: none */
    bool tstamp_ok, saw_tstamp;
} TcpTs;

typedef struct TcpUrg { /* tcp_urg.c: allocated when first needed */
    uint32_t urg_seq;
    uint16_t urg_data; /* TCP_URG_* | byte */
    uint32_t snd_up;
    bool is_snd_urg;
} TcpUrg;

/* ---- signals: tcp_ecn.c, tcp_accecn.c ---- */

enum {
    TCP_ECN_OK = 1,
    TCP_ECN_QUEUE_CWR = 2,
    TCP_ECN_DEMAND_CWR = 4,
    TCP_ECN_SEEN = 8,
    TCP_ECN_MODE_ACCECN = 16,
    TCP_ECN_LOW = 32
};

typedef struct TcpEcn { /* names as in Linux */
    uint8_t flags;      /* TCP_ECN_* */
    uint8_t snd_ect;    /* codepoint of what we send now (INET_ECN_xmit, INET_ECN_dontxmit) */
    uint8_t syn_ect_rcv, syn_ect_snt;
    uint8_t saw_accecn_opt;   /* TCP_ACCECN_OPT_* */
    uint8_t accecn_fail_mode; /* TCP_ACCECN_FAIL_* */
    uint8_t accecn_minlen, accecn_opt_demand;
    uint8_t est_ecnfield, prev_ecnfield;
    bool accecn_opt_sent_w_dsack;
    bool ce_state; /* CC_EXACT_CE_ECHO: the latest data had CE */
    uint8_t received_ce_pending;
    uint32_t ce_rcv_nxt; /* and rcv_nxt before them */
    uint32_t received_ce;
    uint32_t received_ecn_bytes[3]; /* [codepoint - 1] */
    uint32_t delivered_ecn_bytes[3];
    uint16_t pkts_acked_ewma; /* << 6 */
    SimTime accecn_opt_ns;    /* when we last sent the option */
} TcpEcn;

typedef struct TcpKeep {      /* tcp_timer.c: keepalive, user timeout, linger2 */
    uint16_t time_s, intvl_s; /* at most 32767; 0: the sysctl's */
    uint8_t probes;           /* 0: likewise */
    bool is_on;               /* SO_KEEPALIVE */
    uint8_t probes_out;       /* icsk_probes_out */
    int32_t linger2_s;
    uint32_t user_timeout_ms;
    SimTime probes_stamp; /* icsk_probes_tstamp */
} TcpKeep;

typedef struct TcpChrono { /* tcp_cwnd.c: busy, rwnd limited, sndbuf limited; TcpConn.chrono_type runs */
    SimTime start;
    SimTime stat[3];
} TcpChrono;

typedef struct TcpStats { /* what TCP_INFO tells beyond the above */
    uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
    uint32_t segs_in, segs_out, data_segs_in, data_segs_out, total_retrans, rcv_ooopack, rehash;
    uint16_t timeout_rehash;
} TcpStats;

/* What the application set (socket options) and what the flow below is. */
typedef struct TcpOpts TcpOpts; /* tcp_sockopt.h: rarely used options, allocated when first set */

enum {                      /* TcpConn.sflags */
       TCP_S_DEAD = 1 << 0, /* SOCK_DEAD: no socket any more, an orphan */
       TCP_S_DONE = 1 << 1, /* SOCK_DONE: the peer is gone */
       TCP_S_RCV_SHUTDOWN = 1 << 2,
       TCP_S_SEND_SHUTDOWN = 1 << 3,
       TCP_S_BIND_ADDR = 1 << 4, /* address, port chosen by bind */
       TCP_S_BIND_PORT = 1 << 5,
       TCP_S_NOSPACE = 1 << 6,
       TCP_S_REUSEADDR = 1 << 7,
       TCP_S_REUSEPORT = 1 << 8,
       TCP_S_LINGER = 1 << 9,
       TCP_S_OOBINLINE = 1 << 10,
       TCP_S_V6 = 1 << 11, /* an AF_INET6 socket */
       TCP_S_V6ONLY = 1 << 12,
       TCP_S_WIRE_V6 = 1 << 13, /* speaks IPv6 on the wire */
       TCP_S_HASHED = 1 << 14,  /* in the table of connections or listeners */
       TCP_S_BOUND = 1 << 15,   /* in the table of ports */
       TCP_S_RECVERR = 1 << 16,
       TCP_S_FREEBIND = 1 << 17,
       TCP_S_IN_CALL = 1 << 18, /* an application call is running: not to be freed (lock_sock) */
       TCP_S_ZAPPED = 1 << 19,  /* to be freed as soon as it is let go */
       TCP_S_MARKED_CONNECTING = 1 << 20,
       TCP_S_QUEUED_SHUTDOWN = 1 << 21,
       TCP_S_DEFER_CONNECT = 1 << 22, /* Fast Open connect waits for the first write */
       TCP_S_FASTOPEN_NO_COOKIE = 1 << 23,
       TCP_S_FASTOPEN_CONNECT = 1 << 24,
       TCP_S_SYN_DATA = 1 << 25,
       TCP_S_SYN_DATA_ACKED = 1 << 26,
       TCP_S_SYN_FASTOPEN = 1 << 27,
       TCP_S_SYN_FASTOPEN_EXP = 1 << 28,
       TCP_S_SYN_FASTOPEN_CH = 1 << 29,
       TCP_S_TFO_CHILD = 1 << 30, /* made by a SYN with a valid cookie: its request is in c->fastopen_req */
};

enum { TCP_SS_UNCONNECTED, TCP_SS_CONNECTING, TCP_SS_CONNECTED, TCP_SS_DISCONNECTING };

/* In the order of use: what every segment touches stands first, what an idle or ordinary connection does not
 * need last. */
struct TcpConn {
    Tcp *tcp;
    /* look-up: tcp_table.c */
    TcpConn *hash_next;
    InetAddr local, remote;
    uint16_t local_port, remote_port;
    uint8_t state; /* TcpState: only by tcp_set_state */
    uint8_t nonagle;
    uint16_t holds; /* tcp_conn_hold */
    uint32_t sflags;
    int err_soft; /* sk_err_soft, like err: a positive errno */

    /* sequence variables and counts */
    uint32_t snd_una, snd_nxt, snd_sml, snd_wnd, snd_wl1, max_window, write_seq, pushed_seq;
    uint32_t rcv_nxt, copied_seq;
    uint32_t packets_out, retrans_out, sacked_out, lost_out;
    uint32_t snd_cwnd_clamp, snd_cwnd_used; /* the window itself: cc.s.cwnd, .ssthresh, .cwnd_cnt */
    uint32_t max_packets_out, cwnd_usage_seq;
    uint32_t delivered, delivered_ce, lost;
    uint32_t mss_cache, pmtu_cookie, tcp_header_len, gso_segs;
    bool is_cwnd_limited;
    uint8_t retransmits;   /* icsk_retransmits */
    uint8_t pred_is_valid; /* header prediction may be used */
    uint8_t timer_kind;    /* TCP_TIMER_* */
    uint8_t n_write;       /* of the writes at write_at that sent something, the last one's number */
    uint8_t pacing_on;     /* sk_pacing_status: 0 none, 1 TCP's own timer, 2 fq */
    uint8_t tos;           /* IP_TOS: of IPv4 packets, */
    uint8_t tclass;        /* IPV6_TCLASS: of IPv6 ones */
    uint8_t repair : 1, thin_lto : 1, thin_dupack : 1, save_syn : 2;
    uint8_t is_last_write_again : 1;      /* n_write counted retransmissions */
    uint8_t is_route_dropped : 1;         /* sk_dst_reset: until the next packet */
    uint8_t chrono_type;                  /* TcpChrono: which of them runs; 0: none */
    uint16_t advmss, user_mss, mss_clamp; /* mss_clamp: the peer's MSS option */
    uint16_t ip_id;                       /* of its next datagram: tcp_ip.c */
    SimTime mstamp;                       /* the "now" of what is being processed (tcp_mstamp_refresh) */
    SimTime snd_cwnd_stamp, lsndtime, rcv_tstamp; /* last: data sent, ACK received */
    uint64_t pacing_rate_bps8;                    /* bytes a second (sk_pacing_rate); UINT64_MAX: unlimited */
    uint64_t max_pacing_rate;
    SimTime pace_wstamp; /* earliest time of the next transmission (tcp_wstamp_ns) */
    SimTime write_at;    /* when something was last sent, for the first time or again */
    uint32_t rcvlowat;
    uint32_t route_gen; /* of the look-up that gave these: */
    const struct RouteMetrics
        *metrics; /* of the route, when it has any; owned by the host's Tcp (tcp_ip.c) */
    TcpWakeFn wake;
    void *wake_user;

    /* asked for with every segment, and seldom there */
    TcpUrg *urg;
    TcpMd5Key *md5;
    TcpOpts *opts;
    TcpReq *fastopen_req; /* a Fast Open child before its handshake has ended */

    /* mechanisms */
    TcpSndq snd;
    TcpRcvq rcv;
    TcpWindow win;
    TcpTs ts;
    TcpAckSched ack;
    TcpRtt rtt;
    TcpRate rate;
    TcpStats stats;
    Cc cc; /* windows and the controller: written by tcp_cc.c, tcp_prr.c, tcp_recovery.c and the controller */
    TcpRack rack;
    TcpTlp tlp;
    TcpEcn ecn;
    TcpRecovery rec;
    TcpSack sack;
    TcpMtuProbe mtup;
    TcpKeep keep;
    TcpChrono chrono;

    /* timers: tcp_timer.c */
    Timer t_rtx; /* RTO, probe0, TLP, RACK reordering: one at a time, see timer_kind */
    Timer t_delack;
    struct TcpSeldomTimers *seldom; /* NULL: none of them was ever armed */

    /* its beginning and its end */
    struct TcpBind *bind; /* the port it holds: tcp_table.c */
    TcpConn *bind_next, *bind_prev;
    TcpConn *all_next, *all_prev; /* every socket of the host, in order of creation */
    TcpListen *listen;            /* LISTEN: queues (tcp_listen.c) */
    TcpConn *parent;              /* not accepted yet: the listener whose queue it is in */
    TcpConn *accept_next;
    struct TcpFastopenTx *fastopen_tx; /* client: cookie and data of the SYN */
    SimTime last_oow_ack;              /* challenge ACKs and duplicates, rate limited */
    uint32_t id;
    int err;             /* sk_err */
    uint32_t txhash;     /* the flow label comes of it (sk_txhash); 0: none yet */
    uint16_t txhash_gen; /* how often it was chosen anew */
    uint8_t rx_ttl;
    uint8_t syn_retries; /* TCP_SYNCNT; 0: the sysctl's */
    uint32_t linger_s;
    uint32_t defer_accept; /* rskq_defer_accept: SYN-ACK retransmissions */
    bool is_passing;       /* FIN_WAIT2 for the rest of this segment, which has the FIN: not reported */
    bool is_remembered;    /* a TcpTw goes on where it ends: its CLOSE is not reported */
    bool is_orphan;        /* counted in Tcp.n_orphans */
    bool has_errq;         /* opts->errq is there: tcp_errq.c */
    uint8_t write_pending; /* calls that sleep and will write more (Linux sk_write_pending) */
    uint8_t fastopen_client_fail; /* TFO_CLIENT_FAIL: 0 no reason, 1 no cookie, 2 data not acked, 3 the SYN
                                     was lost */
    uint8_t sock_state;           /* TCP_SS_*: what calls on the socket go by (Linux socket.state) */
};

/* ---- helpers that everybody uses ---- */

static inline uint32_t tcp_packets_in_flight(const TcpConn *c)
{
    return c->packets_out - (c->sacked_out + c->lost_out) + c->retrans_out;
}
/* What an IP header of this family says besides ECN. */
static inline uint8_t tcp_conn_tos(const TcpConn *c, bool is_v6)
{
    return is_v6 ? c->tclass : c->tos;
}
static inline uint32_t tcp_left_out(const TcpConn *c)
{
    return c->sacked_out + c->lost_out;
}
static inline uint32_t tcp_wnd_end(const TcpConn *c)
{
    return c->snd_una + c->snd_wnd;
}
static inline bool tcp_in_slow_start(const TcpConn *c)
{
    return c->cc.s.cwnd < c->cc.s.ssthresh;
}
static inline bool tcp_in_initial_slowstart(const TcpConn *c)
{
    return c->cc.s.ssthresh >= TCP_INFINITE_SSTHRESH;
}
static inline bool tcp_in_cwnd_reduction(const TcpConn *c)
{
    return c->rec.ca_state == TCP_CA_CWR || c->rec.ca_state == TCP_CA_RECOVERY;
}
