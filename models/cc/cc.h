/* The contract of congestion controllers: facts in, decisions out. A controller sees neither TCP nor QUIC,
 * neither clock nor engine; both transports drive it alike.
 *
 * The operations are those of Linux's tcp_congestion_ops, so that each Linux algorithm is ported function by
 * function; what a Linux controller reads from struct tcp_sock comes in a CcView, and what it writes there is
 * in a CcState, which nobody but the transport's own recovery and the controller writes.
 *
 *   socket made       cc_assign        the controller is known, nothing runs (TCP_CONGESTION)
 *   established       cc_start         ops->init
 *   each ACK          cc_in_ack_event  before anything else of the ACK is looked at
 *                     cc_pkts_acked    once an ACK that gave a round-trip sample or newly acked packets
 *                     cc_cong_control  the whole decision, if ops->cong_control is there; else
 *                     cc_cong_avoid    when the state allows growth (Linux tcp_may_raise_cwnd)
 *   before a          cc_ssthresh      cwnd.ssthresh becomes its answer; the transport then leads cwnd there
 *   reduction                          (PRR), or to 1 (RTO)
 *   state changes     cc_set_ca_state  told before view->ca_state changes, as Linux tcp_set_ca_state
 *   spurious loss     cc_undo_cwnd     the window to go back to
 *   closed            cc_stop          ops->release
 *
 * Units: windows in packets of view->mss bytes (Linux snd_cwnd); a transport that counts bytes converts.
 * Pacing rates are bytes per second as Linux's sk_pacing_rate. Times: `_ns`, `_us`; srtt_us is scaled by 8
 * and mdev_us by 4, as in Linux. Sequence numbers wrap at 2^32 and are compared with cc_before and cc_after;
 * QUIC passes the low 32 bits of its packet numbers.
 *
 * A new controller is one file that defines `const CcOps cc_<stem>_ops` and its line in this folder's build
 * list. */
#pragma once

#include <string.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef struct Cc Cc;
typedef struct CcOps CcOps;

#define CC_NAME_MAX 16     /* with the NUL (Linux TCP_CA_NAME_MAX) */
#define CC_STATE_MAX 128   /* bytes of a controller's own state (Linux ICSK_CA_PRIV_SIZE is 104) */
#define CC_STATE_INLINE 88 /* so many are in the connection; who has more gets a block of its own */
#define CC_PARAMS_MAX 16   /* module parameters of one controller */
#define CC_SSTHRESH_INFINITE 0x7fffffffu
#define CC_PACING_UNLIMITED UINT64_MAX

typedef enum CcCaState { /* Linux tcp_ca_state: also what TCP_INFO shows */
                         CC_CA_OPEN,
                         CC_CA_DISORDER, /* duplicate ACKs or SACKs, not yet a loss */
                         CC_CA_CWR,      /* window reduced by ECN or local congestion */
                         CC_CA_RECOVERY, /* fast retransmit */
                         CC_CA_LOSS,     /* retransmission timeout */
} CcCaState;

typedef enum CcEvent {                        /* Linux tcp_ca_event */
                       CC_EVENT_TX_START,     /* first transmission when nothing was in flight */
                       CC_EVENT_CWND_RESTART, /* the window is restarted after idleness */
                       CC_EVENT_COMPLETE_CWR, /* end of the reduction */
                       CC_EVENT_LOSS,         /* retransmission timeout */
                       CC_EVENT_ECN_NO_CE,    /* a packet came in, ECT but not CE */
                       CC_EVENT_ECN_IS_CE,    /* a packet came in with CE */
                       CC_EVENT_TLP_RECOVERY, /* a tail loss probe repaired a loss (BBRv3) */
} CcEvent;

/* Flags of cc_in_ack_event and cc_cong_control (Linux CA_ACK_*). */
enum {
    CC_ACK_SLOWPATH = 1 << 0, /* anything but a plain in-order ACK */
    CC_ACK_WIN_UPDATE = 1 << 1,
    CC_ACK_ECE = 1 << 2, /* the ACK carries congestion marks */
};

/* CcOps.flags */
enum {
    CC_NON_RESTRICTED = 1 << 0, /* any process may choose it (tcp_allowed_congestion_control) */
    CC_NEEDS_ECN = 1 << 1,      /* Linux TCP_CONG_NEEDS_ECN: ECT on every packet, ECN always negotiated */
    CC_NEEDS_ACCECN = 1 << 2,   /* asks for accurate ECN */
    CC_ECT_1 = 1 << 3,          /* ECT(1) instead of ECT(0) (L4S) */
    CC_EXACT_CE_ECHO = 1 << 4,  /* a change of CE is acknowledged at once (RFC 8257 3.2), by the transport */
    CC_NEEDS_PACING = 1 << 5,   /* Linux SK_PACING_NEEDED */
    CC_SMALL_VIEW = 1 << 7,     /* reads nothing of the view but CcView's first part */
    CC_TRACKS_LOSS = 1 << 6,    /* wants packet_lost and CcRateSample.tx_in_flight, .lost (BBRv3) */
};

/* What has been counted since the transport last looked (it clears them): Linux's TcpExt counters of HyStart.
 */
enum {
    CC_NOTE_HYSTART_TRAIN = 1 << 0, /* TCPHystartTrainDetect; TCPHystartTrainCwnd += cwnd */
    CC_NOTE_HYSTART_DELAY = 1 << 1, /* TCPHystartDelayDetect; TCPHystartDelayCwnd += cwnd */
    CC_NOTE_ROUND_START = 1 << 2,   /* for plots */
    CC_NOTE_MODE = 1 << 3,          /* the controller's phase changed (cc_get_info names it) */
};

/* Facts, as they are now. The transport fills one for each call, or keeps one and brings it up to date. */
typedef struct CcView {
    /* ---- the first part: all that CC_SMALL_VIEW asks for ---- */
    SimTime now_ns;
    SimTime last_send_ns;     /* when data last left (Linux lsndtime) */
    uint64_t pacing_rate;     /* bytes/s in force (Linux sk_pacing_rate): the default rule's if the controller
                                 sets none; 0: none yet */
    uint32_t gso_max_bytes;   /* Linux sk_gso_max_size: 65536 */
    uint32_t cwnd_clamp;      /* no window beyond it */
    uint32_t prior_cwnd;      /* before the last reduction */
    uint32_t max_packets_out; /* in flight at most in the last window */
    uint32_t delivered;       /* packets delivered in all, wraps */
    uint32_t snd_una, snd_nxt;
    bool is_cwnd_limited; /* the window, not the application or the peer, held back sending */
    bool is_paced;        /* Linux sk_pacing_status != SK_PACING_NONE */

    /* ---- the rest ---- */
    bool is_ecn;              /* negotiated */
    uint8_t ca_state;         /* CcCaState */
    uint8_t pacing_shift;     /* Linux sk_pacing_shift: 10 */
    SimTime edt_ns;           /* earliest departure of the next packet (Linux max(tcp_wstamp_ns, now)) */
    SimTime delivered_ns;     /* when `delivered` last grew (Linux delivered_mstamp) */
    uint64_t pacing_rate_max; /* SO_MAX_PACING_RATE; CC_PACING_UNLIMITED */
    uint64_t bytes_acked;
    uint32_t mss;       /* bytes of payload of a full packet (Linux mss_cache) */
    uint32_t in_flight; /* packets_out - (sacked_out + lost_out) + retrans_out */
    uint32_t packets_out, sacked_out, lost_out, retrans_out;
    uint32_t srtt_us;    /* << 3; 0: no sample yet */
    uint32_t mdev_us;    /* << 2 */
    uint32_t rttvar_us;  /* << 2 */
    uint32_t min_rtt_us; /* windowed minimum (tcp_min_rtt_wlen); UINT32_MAX: none yet */
    uint32_t rto_us;
    uint32_t delivered_ce; /* of them, acknowledged as CE-marked */
    uint32_t lost;         /* packets marked lost in all, wraps */
    uint32_t app_limited;  /* `delivered` at which the bubble ends; 0: not application-limited */
    uint32_t write_seq, high_seq;
    uint32_t rcv_nxt;
    uint32_t init_cwnd; /* the route's or 10 */
} CcView;

/* Decisions. Owned by the connection (in its Cc); cwnd and ssthresh are read here too. */
typedef struct CcState {
    uint32_t cwnd;         /* packets, >= 1 */
    uint32_t ssthresh;     /* packets; CC_SSTHRESH_INFINITE */
    uint32_t cwnd_cnt;     /* acknowledgments on their way to the next +1 (Linux snd_cwnd_cnt) */
    uint8_t notes;         /* CC_NOTE_* */
    bool mark_app_limited; /* the controller asks: treat what is in flight as application-limited (BBR's
                              PROBE_RTT) */
    uint64_t pacing_rate;  /* bytes/s; 0: the transport's rule (cwnd * mss / srtt, x 2 in slow start, x 1.2
                              beyond) */
} CcState;

typedef struct CcAckSample { /* Linux ack_sample */
    uint32_t pkts_acked;
    int32_t rtt_us;     /* of the latest packet; < 0: no sample */
    uint32_t in_flight; /* when that packet was sent */
} CcAckSample;

typedef struct CcRateSample { /* Linux rate_sample */
    SimTime prior_ns;         /* delivered_ns when the sampled packet left; 0: no packet */
    uint32_t prior_delivered, prior_delivered_ce;
    int32_t delivered; /* packets over the interval; < 0: invalid */
    int32_t delivered_ce;
    int64_t interval_us; /* <= 0: invalid */
    uint32_t snd_interval_us, rcv_interval_us;
    int64_t rtt_us;        /* of this ACK; < 0: none */
    int32_t losses;        /* packets newly marked lost with this ACK */
    uint32_t acked_sacked; /* packets newly acknowledged or SACKed */
    uint32_t prior_in_flight;
    uint32_t last_end_seq; /* end of the most recently sent packet that was acknowledged */
    bool is_app_limited;
    bool is_retrans;            /* the sampled packet was retransmitted */
    bool is_ack_delayed;        /* the ACK looks delayed */
    bool is_ece;                /* the ACK carried congestion marks */
    bool is_acking_tlp_retrans; /* acknowledges a tail loss probe's retransmission */
    uint32_t tx_in_flight;      /* CC_TRACKS_LOSS: in flight when the sampled packet had left */
    int32_t lost;               /* CC_TRACKS_LOSS: lost between then and now */
} CcRateSample;

typedef struct CcLostPacket { /* CC_TRACKS_LOSS: a packet that is being marked lost */
    uint32_t segs;
    uint32_t tx_in_flight;
    uint32_t lost_at_send; /* view->lost when it left */
    uint32_t delivered_at_send;
    bool is_app_limited;
} CcLostPacket;

/* For TCP_CC_INFO, `ss -ti` and plots. */
typedef enum CcInfoKind { CC_INFO_NONE, CC_INFO_VEGAS, CC_INFO_DCTCP, CC_INFO_BBR } CcInfoKind;

#define CC_INFO_VALUES_MAX 12

typedef struct CcInfo {
    CcInfoKind kind; /* which member of the union holds (Linux tcp_cc_info) */
    union {
        struct {
            uint32_t enabled, rttcnt, rtt_us, minrtt_us;
        } vegas;
        struct {
            uint16_t enabled, ce_state;
            uint32_t alpha, ab_ecn, ab_tot;
        } dctcp;
        struct {
            uint64_t bw; /* bytes/s */
            uint32_t min_rtt_us;
            uint32_t pacing_gain, cwnd_gain; /* << 8 */
        } bbr;
    };
    const char *mode; /* "slow start", "PROBE_BW"; NULL: nothing beyond ca_state */
    unsigned n;       /* the algorithm's own numbers, named as in its source */
    struct {
        const char *name, *unit;
        double value;
    } values[CC_INFO_VALUES_MAX];
} CcInfo;

/* ---- module parameters (/sys/module/tcp_cubic/parameters/…) ---- */

typedef struct CcParam {
    const char *name;
    int32_t def, min, max;
    const char *help;
    bool is_read_only; /* once the module is loaded (mode 0444) */
} CcParam;

/* A set of values for one controller: of a host (then every connection sees a change, as in Linux) or of a
 * socket. Counted references. */
typedef struct CcParams {
    const CcOps *ops;
    unsigned refs;
    int32_t values[CC_PARAMS_MAX];
    int32_t loaded[CC_PARAMS_MAX]; /* as the module was loaded with them */
} CcParams;

CcParams *cc_params_new(const CcOps *ops); /* all at their defaults */
CcParams *cc_params_ref(CcParams *p);
void cc_params_unref(CcParams *p); /* accepts NULL */
/* As given to modprobe, and as written to /sys/module later: some things are worked out from the former only
 * (cc_param_loaded). false: *error (g_malloc'ed) says what the name or the value should have been. */
bool cc_params_set(CcParams *p, const char *name, int64_t value, char **error);
bool cc_params_write(CcParams *p, const char *name, int64_t value, char **error);
bool cc_params_get(const CcParams *p, const char *name, int32_t *value);

/* ---- the controller ---- */

struct CcOps {
    const char *name;
    const char *help;
    uint32_t flags;
    uint32_t state_size;   /* bytes, at most CC_STATE_MAX; zeroed before init */
    const CcParam *params; /* ends with a NULL name; NULL: none */
    void *user;            /* for controllers that are made at run time (Lua) */

    void (*init)(Cc *cc, const CcView *v); /* optional */
    void (*release)(Cc *cc);               /* optional */
    uint32_t (*ssthresh)(Cc *cc, const CcView *v);
    void (*cong_avoid)(Cc *cc, const CcView *v, uint32_t ack, uint32_t acked); /* this or cong_control */
    void (*set_state)(Cc *cc, const CcView *v, CcCaState new_state); /* optional, and so are the rest … */
    void (*cwnd_event)(Cc *cc, const CcView *v, CcEvent ev);
    void (*in_ack_event)(Cc *cc, const CcView *v, uint32_t flags);
    void (*pkts_acked)(Cc *cc, const CcView *v, const CcAckSample *s);
    uint32_t (*undo_cwnd)(Cc *cc, const CcView *v); /* … but this one */
    /* Replaces cong_avoid and the transport's proportional rate reduction. */
    void (*cong_control)(Cc *cc, const CcView *v, uint32_t ack, uint32_t flags, const CcRateSample *rs);
    uint32_t (*min_tso_segs)(Cc *cc, const CcView *v);  /* default: tcp_min_tso_segs */
    uint32_t (*sndbuf_expand)(Cc *cc, const CcView *v); /* default: 2 */
    void (*packet_lost)(Cc *cc, const CcView *v, const CcLostPacket *p);
    void (*get_info)(const Cc *cc, const CcView *v, CcInfo *info);
};

/* Inline in the connection: the state by way of cc_priv. */
struct Cc {
    const CcOps *ops;
    CcParams *params; /* NULL: defaults */
    CcState s;
    bool is_started;
    union {
        uint64_t priv[CC_STATE_INLINE / sizeof(uint64_t)];
        void *big; /* ops->state_size > CC_STATE_INLINE */
    };
};

const CcOps *cc_ops_by_name(const char *name); /* of those built in; NULL: none */
/* Controllers made at run time, for all hosts of a network; in order of creation. */
typedef struct CcSet {
    const CcOps **ops;
    unsigned n;
} CcSet;
const CcOps *cc_ops_find(const CcSet *more, const char *name); /* of both; more may be NULL */
/* All that are built in, sorted by name, NULL at the end (generated from this folder's build list). */
extern const CcOps *const cc_ops_table[];
extern const unsigned cc_ops_table_len;
/* false: a required member is missing or the state is too big; *error names it. */
bool cc_ops_check(const CcOps *ops, char **error);

/* Chooses a controller, or another one: what ran is stopped, its state forgotten; windows stay. params may be
 * NULL; a reference is taken. */
void cc_assign(Cc *cc, const CcOps *ops, CcParams *params);
void cc_start(Cc *cc, const CcView *v);
void cc_stop(Cc *cc);  /* ops->release, if it was started */
void cc_clear(Cc *cc); /* cc_stop, and lets go of params */

/* ---- calls for the transport: an absent operation does what Linux does without it ---- */

static inline uint32_t cc_ssthresh(Cc *cc, const CcView *v)
{
    return cc->ops->ssthresh(cc, v);
}

static inline bool cc_has_cong_control(const Cc *cc)
{
    return cc->ops->cong_control;
}

static inline void cc_cong_control(Cc *cc, const CcView *v, uint32_t ack, uint32_t flags,
                                   const CcRateSample *rs)
{
    cc->ops->cong_control(cc, v, ack, flags, rs);
}

static inline void cc_cong_avoid(Cc *cc, const CcView *v, uint32_t ack, uint32_t acked)
{
    if (cc->ops->cong_avoid)
        cc->ops->cong_avoid(cc, v, ack, acked);
}

static inline void cc_set_ca_state(Cc *cc, const CcView *v, CcCaState new_state)
{
    if (cc->ops->set_state)
        cc->ops->set_state(cc, v, new_state);
}

static inline void cc_cwnd_event(Cc *cc, const CcView *v, CcEvent ev)
{
    if (cc->ops->cwnd_event)
        cc->ops->cwnd_event(cc, v, ev);
}

static inline void cc_in_ack_event(Cc *cc, const CcView *v, uint32_t flags)
{
    if (cc->ops->in_ack_event)
        cc->ops->in_ack_event(cc, v, flags);
}

static inline void cc_pkts_acked(Cc *cc, const CcView *v, const CcAckSample *s)
{
    if (cc->ops->pkts_acked)
        cc->ops->pkts_acked(cc, v, s);
}

static inline uint32_t cc_undo_cwnd(Cc *cc, const CcView *v)
{
    return cc->ops->undo_cwnd(cc, v);
}

static inline uint32_t cc_min_tso_segs(Cc *cc, const CcView *v, uint32_t sysctl_min_tso_segs)
{
    return cc->ops->min_tso_segs ? cc->ops->min_tso_segs(cc, v) : sysctl_min_tso_segs;
}

static inline uint32_t cc_sndbuf_expand(Cc *cc, const CcView *v)
{
    return cc->ops->sndbuf_expand ? cc->ops->sndbuf_expand(cc, v) : 2;
}

static inline void cc_packet_lost(Cc *cc, const CcView *v, const CcLostPacket *p)
{
    if (cc->ops->packet_lost)
        cc->ops->packet_lost(cc, v, p);
}

void cc_get_info(const Cc *cc, const CcView *v, CcInfo *info);

/* ---- for controllers ---- */

static inline void *cc_priv(Cc *cc)
{
    return cc->ops->state_size > CC_STATE_INLINE ? cc->big : cc->priv;
}

static inline const void *cc_priv_const(const Cc *cc)
{
    return cc->ops->state_size > CC_STATE_INLINE ? cc->big : cc->priv;
}

static inline int32_t cc_param(const Cc *cc, unsigned i)
{
    return cc->params ? cc->params->values[i] : cc->ops->params[i].def;
}

static inline int32_t cc_param_loaded(const Cc *cc, unsigned i)
{
    return cc->params ? cc->params->loaded[i] : cc->ops->params[i].def;
}

static inline bool cc_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool cc_after(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) < 0;
}

#define CC_HZ 1000 /* jiffies in a second */

/* Linux's jiffies. Not 0 at the beginning of a run: controllers use 0 for "not yet". */
static inline uint32_t cc_jiffies_at(SimTime t)
{
    return (uint32_t)(t / SIM_MS) + 1;
}

static inline uint32_t cc_jiffies(const CcView *v)
{
    return cc_jiffies_at(v->now_ns);
}

static inline uint32_t cc_now_us(const CcView *v)
{
    return (uint32_t)(v->now_ns / SIM_US);
}

static inline bool cc_in_slow_start(const CcState *s)
{
    return s->cwnd < s->ssthresh;
}

/* Was the window used, so that growing it means something? (Linux tcp_is_cwnd_limited; RFC 7661.) In slow
 * start half used is enough: the window doubles what was acknowledged. */
static inline bool cc_is_cwnd_limited(const CcState *s, const CcView *v)
{
    if (v->is_cwnd_limited)
        return true;
    return cc_in_slow_start(s) && s->cwnd < 2 * v->max_packets_out;
}

/* Exponential growth up to ssthresh; returns the acknowledged packets that are left over (Linux
 * tcp_slow_start). */
uint32_t cc_slow_start(CcState *s, const CcView *v, uint32_t acked);
/* One packet more for every w acknowledged (Linux tcp_cong_avoid_ai). */
void cc_avoid_ai(CcState *s, const CcView *v, uint32_t w, uint32_t acked);
/* Reno's answers, which many controllers share (Linux tcp_reno_*). */
uint32_t cc_reno_ssthresh(Cc *cc, const CcView *v);
void cc_reno_cong_avoid(Cc *cc, const CcView *v, uint32_t ack, uint32_t acked);
uint32_t cc_reno_undo_cwnd(Cc *cc, const CcView *v);
