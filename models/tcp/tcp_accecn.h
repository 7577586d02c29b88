/* Accurate ECN feedback (RFC 9768): the parts that only tcp_ecn.c calls. */
#pragma once

#include "models/tcp/tcp_conn.h"
#include "models/tcp/tcp_passive.h"

enum { ECN_NOT_ECT, ECN_ECT_1, ECN_ECT_0, ECN_CE, ECN_MASK = 3 };

enum { /* TcpEcn.saw_accecn_opt, tcpi_accecn_opt_seen */
       TCP_ACCECN_OPT_NOT_SEEN,
       TCP_ACCECN_OPT_EMPTY_SEEN,
       TCP_ACCECN_OPT_COUNTER_SEEN,
       TCP_ACCECN_OPT_FAIL_SEEN,
};

enum { /* accecn_fail_mode: what was found not to work (RFC 9768 3.2.2.3, 3.2.3.2.2) */
       TCP_ACCECN_ACE_FAIL_SEND = 1,
       TCP_ACCECN_ACE_FAIL_RECV = 2,
       TCP_ACCECN_OPT_FAIL_SEND = 4,
       TCP_ACCECN_OPT_FAIL_RECV = 8,
};

static inline uint8_t tcp_accecn_ace(uint16_t flags)
{
    return (uint8_t)(((flags & TCP_AE) != 0) << 2 | ((flags & TCP_CWR) != 0) << 1 | ((flags & TCP_ECE) != 0));
}

/* Any flags but none and those of RFC 3168 ask for accurate ECN or for something later (table 2). */
static inline bool tcp_accecn_is_requested(uint16_t syn_flags)
{
    uint8_t ace = tcp_accecn_ace(syn_flags);

    return ace && ace != 3;
}

void tcp_ecn_xmit(TcpConn *c, bool on);          /* ECT on what follows, or not */
void tcp_ecn_set_mode(TcpConn *c, uint8_t mode); /* of TCP_ECN_MODE_MASK */

void tcp_accecn_rcv_synack(TcpConn *c, TcpIn *in, bool has_feedback);
void tcp_accecn_openreq_child(TcpConn *child, TcpReq *r, TcpIn *in);
void tcp_accecn_send(TcpConn *c, const TcpSeg *s, uint16_t *flags);
