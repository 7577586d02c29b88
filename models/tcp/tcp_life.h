/* The host's TCP and the life of a connection: tcp.c (Tcp, counters, sysctls), tcp_conn.c (create, connect,
 * disconnect, close, done, orphan), tcp_state.c (the legal transitions, one setter), tcp_send.c (sendmsg),
 * tcp_sockopt.c + tcp_opts.c, tcp_info.c, tcp_poll.c, tcp_probes.c. */
#pragma once

#include "models/tcp/tcp_passive.h"
#include "sim/base/pool.h"
#include "sim/base/rng.h"
#include "sim/base/siphash.h"

struct Tcp {
    struct Ip4 *ip4;
    struct Ip6 *ip6;
    Node *node;
    PacketPool *packets;
    const TcpSysctl *sysctl;         /* tcp_sysctl_default or our own */
    const struct CcSet *controllers; /* those made at run time; NULL: none */
    uint64_t mib_hot[TCP_MIB_HOT_COUNT];
    uint64_t *mib_seldom;                                       /* NULL, or TCP_MIB_COUNT */
    Pool *segs, *rcvsegs, *conns, *reqs, *tws, *sacks, *timers; /* the partition's, shared by its hosts */
    SipKey isn_key, ts_key, port_key, cookie_key[2];
    Rng *rng;
    TcpConn *all_head, *all_tail;
    TcpTw *tw_head, *tw_tail;
    uint32_t n_conns, n_tw, n_orphans, n_reqs;
    uint32_t next_id;
    int64_t mem_pages8; /* bytes accounted, for tcp_mem */
    bool mem_pressure;
    SimTime mem_pressure_since;
    /* challenge ACK limit per second, metrics, tables */
    uint32_t challenge_count;
    SimTime challenge_stamp;
    struct TcpMetrics *metrics;
    struct TcpTable *table;
    uint32_t fastopen_blackhole_times;
    SimTime fastopen_blackhole_stamp;
    struct TcpRouteMetrics *route_metrics; /* tcp_ip.c */
    CcParams **cc_params; /* module parameters that were set on this host; NULL-terminated, NULL: none */
};
/* tcp.c */
/* The host's parameters of a controller (/sys/module/tcp_cubic/parameters); NULL: all defaults, unless make.
 */
CcParams *tcp_cc_params(Tcp *t, const CcOps *ops, bool make);
uint64_t *tcp_mib_make(Tcp *t); /* the counters that are seldom needed */
static inline uint64_t *tcp_mib_at(Tcp *t, unsigned i)
{
    int hot = tcp_mib_hot(i);

    if (hot >= 0)
        return &t->mib_hot[hot];
    return (t->mib_seldom ? t->mib_seldom : tcp_mib_make(t)) + i;
}
#define TCP_INC(t, name) ((*tcp_mib_at(t, MIB_##name))++)
#define TCP_ADD(t, name, n) (*tcp_mib_at(t, MIB_##name) += (n))

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
