/* What tcp_ip.c (IPv4 and what is common) and tcp_ip6.c share. Everybody else calls the functions of
 * tcp_passive.h. */
#pragma once

#include "models/ip/ip4.h"
#include "models/tcp/tcp_passive.h"

/* IP_MTU_DISCOVER */
enum {
    TCP_PMTUDISC_DONT,
    TCP_PMTUDISC_WANT,
    TCP_PMTUDISC_DO,
    TCP_PMTUDISC_PROBE,
    TCP_PMTUDISC_INTERFACE,
    TCP_PMTUDISC_OMIT
};

uint8_t tcp_ip_pmtudisc(const TcpConn *c);
uint8_t tcp_ip_default_pmtudisc(const TcpConn *c); /* of IPv4 */
const Ip4If *tcp_ip_bound_if(const TcpConn *c);
/* A look-up gave these metrics: kept, if they are new. */
void tcp_ip_keep_metrics(const TcpConn *c, const struct RouteMetrics *m, uint32_t gen);
/* Takes the packet, whose head is at the TCP header; in holds what the IP header said. */
void tcp_ip_receive(Tcp *t, Packet *pkt, TcpIn *in, uint32_t pseudo_sum);

/* tcp_ip6.c: without an Ip6 there are no routes, and nothing arrives. */
void tcp_ip6_attach(Tcp *t);
void tcp_ip6_detach(Tcp *t);
int tcp_ip6_route(TcpConn *c);
uint32_t tcp_ip6_mtu(const TcpConn *c);
uint32_t tcp_ip6_advmss(const TcpConn *c);
bool tcp_ip6_path(Tcp *t, const InetAddr *local, const InetAddr *remote, TcpPath *out);
const struct RouteMetrics *tcp_ip6_metrics_to(Tcp *t, const InetAddr *remote);
void tcp_ip6_pmtu_update(TcpConn *c, uint32_t mtu);
bool tcp_ip6_is_local(Tcp *t, const InetAddr *a);
void tcp_ip6_way_out(const TcpConn *c, struct TcpErrWay *way);
int tcp_ip6_send(TcpConn *c, Packet *pkt, uint8_t ecn_bits);
int tcp_ip6_send_raw(Tcp *t, Packet *pkt, const TcpRaw *to);
