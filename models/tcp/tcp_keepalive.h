/* Keepalive, and how long FIN_WAIT2 lasts: TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_LINGER2, or the
 * sysctls. */
#pragma once

#include "models/tcp/tcp_conn.h"

uint32_t tcp_keepalive_time_ms(const TcpConn *c);  /* keepalive_time_when */
uint32_t tcp_keepalive_intvl_ms(const TcpConn *c); /* keepalive_intvl_when */
uint8_t tcp_keepalive_max_probes(const TcpConn *c);
uint32_t tcp_keepalive_fin_time_ms(const TcpConn *c); /* tcp_fin_time */
void tcp_keepalive_set(TcpConn *c, bool on);          /* SO_KEEPALIVE */
void tcp_keepalive_on_timeout(TcpConn *c);
