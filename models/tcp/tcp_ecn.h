/* Explicit congestion notification: tcp_ecn.c (RFC 3168, negotiation with its fall-backs), tcp_accecn.c (RFC 9768: ACE counter, option, beacon). Functions are named after
 * Linux's include/net/tcp_ecn.h. */
#pragma once

#include "models/tcp/tcp_conn.h"

/* sending */
void tcp_ecn_send_syn(TcpConn *c, TcpSeg *syn);                 /* flags of our SYN */
void tcp_ecn_send_synack_conn(TcpConn *c, TcpSeg *synack);      /* simultaneous open */
void tcp_ecn_make_synack(const TcpReq *r, uint16_t *flags, uint8_t *ip_ecn, int synack_type); /* 0 normal, 1 cookie, 2 fastopen; retransmissions fall back */
/* Flags (CWR, ECE, AE or ACE) and the IP codepoint for a segment of an established connection (tcp_ecn_send). */
void tcp_ecn_send(TcpConn *c, const TcpSeg *s, uint32_t payload_len, uint16_t *flags, uint8_t *ip_ecn);
void tcp_ecn_clear_syn(TcpConn *c, TcpSeg *s);                  /* tcp_ecn_clear_syn, retransmitted SYN without ECN */
void tcp_ecn_queue_cwr(TcpConn *c);
/* receiving */
void tcp_ecn_create_request(TcpReq *r, const TcpIn *in, TcpConn *listener); /* tcp_ecn_create_request */
void tcp_ecn_rcv_synack(TcpConn *c, TcpIn *in);                 /* tcp_ecn_rcv_synack / tcp_ecn_rcv_syn in simultaneous open */
void tcp_ecn_rcv_syn(TcpConn *c, TcpIn *in);
bool tcp_ecn_rcv_ecn_echo(TcpConn *c, const TcpIn *in);
void tcp_ecn_accept_cwr(TcpConn *c, TcpIn *in);
void tcp_ecn_data(TcpConn *c, TcpIn *in);                       /* tcp_data_ecn_check: CE on arriving data */
void tcp_ecn_openreq_child(TcpConn *child, TcpReq *r, TcpIn *in);
void tcp_ecn_third_ack(TcpReq *r, TcpIn *in, TcpConn *child);   /* accurate ECN feedback of the handshake's last ACK */
void tcp_ecn_received_counters(TcpConn *c, const TcpIn *in, uint32_t payload_len);
/* Newly CE-marked packets that this ACK reports (tcp_accecn_process / ECE); updates delivered_ce; returns flags to add (ACK_ECE). */
int tcp_ecn_on_ack(TcpConn *c, TcpIn *in, uint32_t delivered_pkts, int flag);
/* options */
bool tcp_ecn_option_due(TcpConn *c);                            /* tcp_accecn_option_beacon_check and demand */
unsigned tcp_ecn_put_option(uint8_t *p, TcpConn *c, unsigned max_fields); /* writes kind 172/174 */
unsigned tcp_ecn_put_option_req(uint8_t *p, const TcpReq *r);
static inline bool tcp_ecn_is_rfc3168(const TcpConn *c) { return (c->ecn.flags & (TCP_ECN_OK | TCP_ECN_MODE_ACCECN)) == TCP_ECN_OK; }
static inline bool tcp_ecn_is_accecn(const TcpConn *c) { return c->ecn.flags & TCP_ECN_MODE_ACCECN; }
