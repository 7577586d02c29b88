/* What TCP shows the world: one list. */
#pragma once

#include "models/tcp/tcp_conn.h"
#include "sim/trace/probe.h"

extern const ProbeDesc tcp_probe_state; /* conn, local_port, remote, remote_port, old, new */
extern const ProbeDesc
    tcp_probe_cwnd; /* conn, cwnd, ssthresh, inflight, ca_state … after each ACK that changed something */
extern const ProbeDesc tcp_probe_rtt;  /* conn, sample_us, srtt_us, rttvar_us, rto_ms */
extern const ProbeDesc tcp_probe_send; /* conn, seq, len, flags, is_retrans */
extern const ProbeDesc tcp_probe_retransmit;
extern const ProbeDesc tcp_probe_timer;    /* conn, name, event (armed, fired, stopped), delay */
extern const ProbeDesc tcp_probe_drop;     /* a segment not accepted: reason as Linux's skb drop reasons */
extern const ProbeDesc tcp_probe_window;   /* conn, rcv_wnd, snd_wnd, rcvbuf */
extern const ProbeDesc tcp_probe_recovery; /* conn, event: enter, exit, undo, … */

#define tcp_wants_probe(t) probe_wanted((t)->node, PROBE_TCP)
void tcp_probes_state(const TcpConn *c, TcpState old, TcpState new_state);
void tcp_probes_tw(const TcpTw *tw, TcpState old,
                   TcpState new_state); /* the same, of a connection that is only remembered */
void tcp_probes_cwnd(const TcpConn *c);
void tcp_probes_rtt(const TcpConn *c, int64_t sample_us);
void tcp_probes_send(const TcpConn *c, const TcpSeg *s, bool is_retrans);
void tcp_probes_recovery(const TcpConn *c, const char *event);
void tcp_probes_timer(const TcpConn *c, const char *name, const char *event, SimTime at);
/* Why a segment was not accepted; also where the packet ends (probe_drop) if it still has one. */
void tcp_probes_drop(Tcp *t, TcpConn *c, TcpIn *in, const char *reason);
