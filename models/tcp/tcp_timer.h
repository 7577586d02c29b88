/* One table of timers and what each does when it fires (Linux tcp_timer.c). t_rtx is shared by four purposes,
 * of which one is on at a time (icsk_pending). */
#pragma once

#include "models/tcp/tcp_conn.h"

enum { TCP_TIMER_NONE, TCP_TIMER_RETRANS, TCP_TIMER_LOSS_PROBE, TCP_TIMER_REO, TCP_TIMER_PROBE0 };

/* Timers that most connections never need, apart from them. */
enum { TCP_SELDOM_KEEP, TCP_SELDOM_PACE, TCP_SELDOM_COMP };
struct TcpSeldomTimers {
    TcpConn *conn;
    Timer keep; /* keepalive, FIN_WAIT2, orphans */
    Timer pace;
    Timer comp; /* compressed ACKs */
};
void tcp_timer_arm_seldom(TcpConn *c, unsigned which, SimTime at);
void tcp_timer_stop_seldom(TcpConn *c, unsigned which);
bool tcp_timer_is_seldom_armed(const TcpConn *c, unsigned which);

void tcp_timer_init(TcpConn *c);
void tcp_timer_clear(TcpConn *c); /* all of them, for good */
void tcp_timer_arm_rtx(
    TcpConn *c, int kind,
    SimTime delay_ns); /* inet_csk_reset_xmit_timer, capped at rto_max; pacing delay added by the caller */
void tcp_timer_stop_rtx(TcpConn *c);                   /* inet_csk_clear_xmit_timer */
void tcp_timer_arm_keep(TcpConn *c, SimTime delay_ns); /* tcp_reset_keepalive_timer */
void tcp_timer_stop_keep(TcpConn *c);
SimTime tcp_timer_probe0_when(const TcpConn *c, SimTime max);
void tcp_timer_probe0_check(TcpConn *c); /* tcp_check_probe_timer */
void tcp_timer_arm_probe0(TcpConn *c);
SimTime tcp_timer_clamp_to_user_timeout(const TcpConn *c, SimTime when);
bool tcp_timer_too_many_orphans(TcpConn *c);
