/* The host's TCP and the life of a connection: tcp.c (Tcp, counters, sysctls), tcp_conn.c (create, connect,
 * disconnect, close, done, orphan), tcp_state.c (the legal transitions, one setter), tcp_send.c (sendmsg),
 * tcp_sockopt.c + tcp_opts.c, tcp_info.c, tcp_poll.c, tcp_probes.c. */
#pragma once

#include "models/tcp/tcp_passive.h"
#include "sim/base/pool.h"

/* What the hosts of a partition share. */
typedef struct TcpShared {
    Pool *segs, *rcvsegs, *conns, *reqs, *sacks, *timers;
    struct {
        const Tcp *of;
        TcpKeys keys;
    } recent[16]; /* tcp_isn_keys */
} TcpShared;

/* What many hosts never need: made by tcp_rare. */
typedef struct TcpRare {
    uint64_t mib[TCP_MIB_COUNT]; /* of the hot ones: what is beyond 32 bits */
    SimTime mem_pressure_since;
    SimTime challenge_stamp; /* RFC 5961 7: budget of the second */
    uint32_t challenge_count;
    uint32_t fastopen_blackhole_times;
    SimTime fastopen_blackhole_stamp;
    struct TcpRouteMetrics *route_metrics; /* tcp_ip.c */
    CcParams **cc_params; /* module parameters that were set on this host; NULL-terminated, NULL: none */
} TcpRare;

struct TcpMetric;
typedef struct TcpMetrics { /* tcp_metrics.c: a hash by pair, looked up only, never walked */
    union {
        struct TcpMetric *one; /* mask is 0 */
        struct TcpMetric **many;
    } bucket;
    uint32_t n, mask;
} TcpMetrics;

struct Tcp {
    struct Ip4 *ip4;
    struct Ip6 *ip6;
    Node *node;
    TcpShared *shared;
    const TcpSysctl *sysctl;         /* tcp_sysctl_default or our own */
    const struct CcSet *controllers; /* those made at run time; NULL: none */
    TcpRare *rare;                   /* NULL: not needed yet */
    TcpConn *all_head, *all_tail;
    TcpTw *tw_head, *tw_tail;
    int64_t mem_pages8; /* bytes accounted, for tcp_mem */
    TcpTable table;
    TcpMetrics metrics;
    uint32_t mib_hot[TCP_MIB_HOT_COUNT];
    uint32_t n_conns, n_tw, n_orphans, n_reqs;
    uint32_t next_id;
    uint32_t keys_from : 31; /* where in the stream they are */
    uint32_t mem_pressure : 1;
};
_Static_assert(sizeof(Tcp) <= 256, "Tcp has grown: what many hosts do without belongs into TcpRare");
#define TCP_STREAM "tcp" /* the host's stream of random numbers */

/* tcp.c */
/* The host's parameters of a controller (/sys/module/tcp_cubic/parameters); NULL: all defaults, unless make.
 */
CcParams *tcp_cc_params(Tcp *t, const CcOps *ops, bool make);
TcpRare *tcp_rare_make(Tcp *t);
static inline TcpRare *tcp_rare(Tcp *t)
{
    return t->rare ? t->rare : tcp_rare_make(t);
}
/* Also (uint64_t)-1. */
static inline void tcp_mib_add(Tcp *t, unsigned i, uint64_t n)
{
    int hot = tcp_mib_hot(i);

    if (hot < 0) {
        tcp_rare(t)->mib[i] += n;
        return;
    }
    n += t->mib_hot[hot];
    t->mib_hot[hot] = (uint32_t)n;
    if (HS_UNLIKELY(n > UINT32_MAX))
        tcp_rare(t)->mib[i] += n - (uint32_t)n;
}
#define TCP_INC(t, name) tcp_mib_add(t, MIB_##name, 1)
#define TCP_ADD(t, name, n) tcp_mib_add(t, MIB_##name, n)

/* tcp_conn.c */
TcpConn *tcp_conn_new(Tcp *t, bool is_v6); /* tcp_init_sock: defaults of every mechanism */
void tcp_conn_init_defaults(TcpConn *c);   /* the part of it that a disconnect repeats */
void tcp_conn_done(TcpConn *c);            /* tcp_done: CLOSE, out of the tables; freed if it is an orphan */
void tcp_conn_done_with_error(TcpConn *c, int err);
void tcp_conn_free(TcpConn *c);      /* really */
void tcp_conn_write_err(TcpConn *c); /* tcp_write_err: timeout */
void tcp_conn_hold(TcpConn *c);      /* an event is at work with it: freeing waits for tcp_conn_let */
void tcp_conn_let(TcpConn *c);
void tcp_conn_init_xmit_timers(TcpConn *c);
void tcp_wake(TcpConn *c); /* something for poll changed: sk_state_change, sk_error_report */
void tcp_wake_events(TcpConn *c,
                     unsigned events); /* sk_data_ready: EPOLLIN | EPOLLRDNORM; sk_write_space: EPOLLOUT … */
static inline void tcp_mstamp_refresh(TcpConn *c)
{
    c->mstamp = node_now(c->tcp->node);
}
static inline uint32_t tcp_jiffies(const TcpConn *c)
{
    return (uint32_t)(c->mstamp / TCP_JIFFY_NS);
}
/* The timestamp option's clock: milliseconds plus the connection's offset (tcp_time_stamp_ts). */
static inline uint32_t tcp_ts_clock(SimTime t)
{
    return (uint32_t)(t / TCP_JIFFY_NS);
}
/* tcp_state.c */
void tcp_set_state(TcpConn *c, TcpState s);
bool tcp_state_is_legal(TcpState from, TcpState to);
bool tcp_state_can_send(TcpState s); /* ESTABLISHED, CLOSE_WAIT */
/* tcp_send.c */
void tcp_send_mark_push(TcpConn *c, TcpSeg *s);
bool tcp_close_state(TcpConn *c); /* the state that follows our FIN; true: it must be sent */
/* tcp_open.c: connect(2); from MSG_FASTOPEN with is_sendmsg (__inet_stream_connect) */
int tcp_connect_from(TcpConn *c, const InetEndpoint *to, bool is_sendmsg);
/* tcp_poll.c */
bool tcp_poll_is_writeable(const TcpConn *c);
