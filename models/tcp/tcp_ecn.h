/* Explicit congestion notification: tcp_ecn.c (RFC 3168, negotiation with its fall-backs), tcp_accecn.c (RFC
 * 9768: ACE counter, option, beacon). Functions are named after Linux's include/net/tcp_ecn.h. */
#pragma once

#include "models/tcp/tcp_conn.h"

/* sending */
void tcp_ecn_send_syn(TcpConn *c, TcpSeg *syn);            /* flags of our SYN */
void tcp_ecn_send_synack_conn(TcpConn *c, TcpSeg *synack); /* simultaneous open */
/* c: the listener, or the child of a Fast Open. Retransmissions fall back. */
void tcp_ecn_make_synack(const TcpConn *c, TcpReq *r, uint16_t *flags, uint8_t *ip_ecn);
void tcp_ecn_cc_assigned(TcpConn *c); /* a controller was chosen: DCTCP wants ECT on everything */
/* Flags (CWR, ECE, AE or ACE) and the IP codepoint for a segment of an established connection (tcp_ecn_send).
 */
void tcp_ecn_send(TcpConn *c, const TcpSeg *s, uint32_t payload_len, uint16_t *flags, uint8_t *ip_ecn);
/* Before a SYN is sent again (tcp_retransmit_skb): the fall-back to one without ECN, once, or for accurate
 * ECN twice, unanswered. */
void tcp_ecn_clear_syn(TcpConn *c, TcpSeg *s);
void tcp_ecn_queue_cwr(TcpConn *c);
/* receiving */
void tcp_ecn_create_request(TcpReq *r, const TcpIn *in, TcpConn *listener); /* tcp_ecn_create_request */
void tcp_ecn_rcv_synack(TcpConn *c,
                        TcpIn *in); /* tcp_ecn_rcv_synack / tcp_ecn_rcv_syn in simultaneous open */
void tcp_ecn_rcv_syn(TcpConn *c, TcpIn *in);
bool tcp_ecn_rcv_ecn_echo(TcpConn *c, const TcpIn *in);
void tcp_ecn_accept_cwr(TcpConn *c, TcpIn *in);
void tcp_ecn_data(TcpConn *c, TcpIn *in); /* tcp_data_ecn_check: CE on arriving data */
void tcp_ecn_openreq_child(TcpConn *child, TcpReq *r, TcpIn *in);
void tcp_ecn_third_ack(TcpConn *child, TcpIn *in); /* accurate ECN feedback of the handshake's last ACK */
void tcp_ecn_received_counters(TcpConn *c, const TcpIn *in, uint32_t payload_len);
/* Accurate ECN: packets that this ACK newly reports as CE-marked (tcp_accecn_process); counts them in
 * delivered_ce and adds ACK_ECE to *flag. Only when tcp_ecn_is_accecn. delivered_bytes: payload newly
 * acknowledged or SACKed by this ACK (TcpSackState.delivered_bytes). */
uint32_t tcp_ecn_on_ack(TcpConn *c, TcpIn *in, uint32_t delivered_pkts, uint32_t delivered_bytes, int *flag);
/* options */
bool tcp_ecn_option_due(const TcpConn *c); /* does a segment of an established connection get the option?
                                              (tcp_established_options) */
/* The byte counters that an option of ours reports, in the order ECT(1), CE, ECT(0) with their initial
 * offsets (kind 174). A SYN-ACK (c NULL) reports none. */
void tcp_ecn_option_values(const TcpConn *c, uint32_t value[3]);
/* On a retransmission that we had already acknowledged (tcp_rcv_spurious_retrans): was the ACK with our
 * option lost again? */
void tcp_ecn_on_spurious_retrans(TcpConn *c, const TcpIn *in);
/* ACE flags of the last ACK of a handshake and of challenges to a SYN (tcp_accecn_reflector_flags): what
 * codepoint the other side's SYN came with. */
uint16_t tcp_ecn_reflector_flags(uint8_t ect);
/* A segment with SYN arrives for a half-open connection again, or its last ACK with an option
 * (tcp_check_req). */
void tcp_ecn_req_syn_again(TcpReq *r, const TcpIn *in);
void tcp_ecn_req_sent_again(TcpReq *r); /* its SYN-ACK went out once more */
void tcp_ecn_req_saw_option(TcpReq *r, TcpIn *in);
/* A SYN in the middle of a connection, that will be challenged: its option counts (tcp_validate_incoming). */
void tcp_ecn_syn_in_connection(TcpConn *c, const TcpIn *in);
/* After the option has been written into a segment (tcp_options_write's bookkeeping). */
void tcp_ecn_option_sent(TcpConn *c);

/* Which feedback is in use (Linux tcp_ecn_mode_*). Pending: asked for accurate ECN, no answer yet. */
enum { TCP_ECN_MODE_MASK = TCP_ECN_OK | TCP_ECN_MODE_ACCECN };
static inline bool tcp_ecn_is_any(const TcpConn *c)
{
    return c->ecn.flags & TCP_ECN_MODE_MASK;
}
static inline bool tcp_ecn_is_rfc3168(const TcpConn *c)
{
    return (c->ecn.flags & TCP_ECN_MODE_MASK) == TCP_ECN_OK;
}
static inline bool tcp_ecn_is_accecn(const TcpConn *c)
{
    return (c->ecn.flags & TCP_ECN_MODE_MASK) == TCP_ECN_MODE_ACCECN;
}
static inline bool tcp_ecn_is_pending(const TcpConn *c)
{
    return (c->ecn.flags & TCP_ECN_MODE_MASK) == TCP_ECN_MODE_MASK;
}
