/* Explicit congestion notification: who uses which feedback, and the classic one (RFC 3168). Accurate
 * feedback is in tcp_accecn.c.
 *
 * net.ipv4.tcp_ecn, as Linux's enum tcp_ecn_mode: what is granted to others, what is asked for
 *   0 nothing, nothing     1 ECN, ECN             2 ECN, nothing
 *   3 accurate, accurate   4 accurate, ECN        5 accurate, nothing
 *
 * Linux include/net/tcp_ecn.h, tcp_ecn_* in tcp_input.c and tcp_output.c. */
#include "models/tcp/tcp_ecn.h"

#include "models/tcp/tcp_accecn.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"

#define ACE_FLAGS (TCP_AE | TCP_CWR | TCP_ECE)

enum { ECN_ALWAYS = 1, ACCECN_ALWAYS = 3, ACCECN_OUT_ECN = 4 };

static bool cc_needs_ecn(const TcpConn *c)
{
    return c->cc.ops && (c->cc.ops->flags & CC_NEEDS_ECN);
}

static bool cc_needs_accecn(const TcpConn *c)
{
    return c->cc.ops && (c->cc.ops->flags & CC_NEEDS_ACCECN);
}

/* Linux tcp_ca_no_fallback_rfc3168: L4S is of no use with the classic feedback. */
static bool cc_refuses_classic(const TcpConn *c)
{
    return c->cc.ops && (c->cc.ops->flags & CC_ECT_1);
}

void tcp_ecn_xmit(TcpConn *c, bool on)
{
    c->ecn.snd_ect = !on ? ECN_NOT_ECT : cc_refuses_classic(c) ? ECN_ECT_1 : ECN_ECT_0;
}

void tcp_ecn_set_mode(TcpConn *c, uint8_t mode)
{
    c->ecn.flags = (uint8_t)((c->ecn.flags & ~TCP_ECN_MODE_MASK) | mode);
}

void tcp_ecn_cc_assigned(TcpConn *c)
{
    tcp_ecn_xmit(c, cc_needs_ecn(c));
    c->ecn.ce_state = false;
    c->ecn.ce_rcv_nxt = c->rcv_nxt;
}

/* ---- opening: our side asks ---- */

void tcp_ecn_send_syn(TcpConn *c, TcpSeg *syn)
{
    uint8_t mode = c->tcp->sysctl->tcp_ecn;
    bool use_accecn = mode == ACCECN_ALWAYS || cc_needs_accecn(c);
    bool use_ecn = mode == ECN_ALWAYS || mode == ACCECN_OUT_ECN || cc_needs_ecn(c) || use_accecn ||
                   tcp_ip_wants_ecn(c->tcp, &c->remote, c->sflags & TCP_S_WIRE_V6);

    c->ecn.flags = 0;
    if (!use_ecn)
        return;
    if (cc_needs_ecn(c))
        tcp_ecn_xmit(c, true);
    syn->flags |= TCP_ECE | TCP_CWR;
    if (use_accecn) {
        syn->flags |= TCP_AE;
        tcp_ecn_set_mode(c, TCP_ECN_MODE_MASK);
        c->ecn.syn_ect_snt = c->ecn.snd_ect;
    } else {
        tcp_ecn_set_mode(c, TCP_ECN_OK);
    }
}

/* RFC 3168 6.1.1.1: a SYN that gets no answer may have died of its ECN bits. RFC 9768 3.1.4.1: accurate ECN
 * is tried once more first. */
void tcp_ecn_clear_syn(TcpConn *c, TcpSeg *s)
{
    if ((s->flags & (TCP_SYN | TCP_ECE | TCP_CWR)) != (TCP_SYN | TCP_ECE | TCP_CWR) ||
        !c->tcp->sysctl->tcp_ecn_fallback)
        return;
    if (tcp_ecn_is_pending(c) && c->retransmits <= 1)
        return;
    s->flags &= (uint16_t)~ACE_FLAGS;
}

/* The SYN-ACK of a simultaneous open. */
void tcp_ecn_send_synack_conn(TcpConn *c, TcpSeg *synack)
{
    /* AE stays in that of a connection that was downgraded, as in Linux; RFC 9768 table 2 would clear it. */
    synack->flags &= (uint16_t)~TCP_CWR;
    if (!tcp_ecn_is_any(c))
        synack->flags &= (uint16_t)~TCP_ECE;
    else if (cc_needs_ecn(c))
        tcp_ecn_xmit(c, true);
    if (tcp_ecn_is_accecn(c)) {
        synack->flags =
            (uint16_t)((synack->flags & ~ACE_FLAGS) | tcp_ecn_reflector_flags(c->ecn.syn_ect_rcv));
        c->ecn.syn_ect_snt = c->ecn.snd_ect;
    }
}

/* RFC 9768 table 2: what the SYN-ACK says about the other side. */
void tcp_ecn_rcv_synack(TcpConn *c, TcpIn *in)
{
    switch (tcp_accecn_ace(in->flags)) {
    case 0:
    case 7: /* an echo of our own flags: a broken peer */
        tcp_ecn_set_mode(c, 0);
        break;
    case 1:
        tcp_ecn_set_mode(c, cc_refuses_classic(c) ? 0 : TCP_ECN_OK);
        break;
    case 5: /* reserved for later variants: accurate, when that was asked for; a nonce otherwise (RFC 3540) */
        if (tcp_ecn_is_pending(c))
            tcp_accecn_rcv_synack(c, in, false);
        break;
    default: /* Linux also when classic ECN was asked for, where RFC 3168 6.1.1 knows only ECE alone as a
              * grant
              */
        tcp_accecn_rcv_synack(c, in, true);
    }
}

/* A SYN when we had sent one ourselves. */
void tcp_ecn_rcv_syn(TcpConn *c, TcpIn *in)
{
    if (tcp_ecn_is_pending(c)) {
        if (!tcp_accecn_is_requested(in->flags)) {
            tcp_ecn_set_mode(c, TCP_ECN_OK);
        } else {
            c->ecn.syn_ect_rcv = in->tos & ECN_MASK;
            c->ecn.prev_ecnfield = c->ecn.syn_ect_rcv;
            tcp_ecn_set_mode(c, TCP_ECN_MODE_ACCECN);
        }
    }
    if (tcp_ecn_is_rfc3168(c) &&
        ((in->flags & (TCP_ECE | TCP_CWR)) != (TCP_ECE | TCP_CWR) || cc_refuses_classic(c)))
        tcp_ecn_set_mode(c, 0);
}

/* ---- opening: the other side asks ---- */

void tcp_ecn_create_request(TcpReq *r, const TcpIn *in, TcpConn *listener)
{
    uint8_t mode = r->tcp->sysctl->tcp_ecn;
    bool ect = (in->tos & ECN_MASK) != ECN_NOT_ECT, granted, cc_needs;

    if (tcp_accecn_is_requested(in->flags) && (mode >= ACCECN_ALWAYS || cc_needs_accecn(listener))) {
        r->ecn_ok = true;
        r->accecn_ok = true;
        r->syn_ect_rcv = in->tos & ECN_MASK;
        return;
    }
    if ((in->flags & (TCP_ECE | TCP_CWR)) != (TCP_ECE | TCP_CWR))
        return;
    cc_needs = cc_needs_ecn(listener) || tcp_ip_cc_needs_ecn(r->tcp, &r->remote, r->is_v6);
    granted = mode || tcp_ip_wants_ecn(r->tcp, &r->remote, r->is_v6) || cc_needs;
    /* RFC 3168 6.1.1: a SYN is never ECT; one that is comes from something else (DCTCP), unless it asks for a
     * newer variant. */
    if (((!ect || in->flags & TCP_AE) && granted) || cc_needs)
        r->ecn_ok = true;
}

void tcp_ecn_make_synack(const TcpConn *c, TcpReq *r, uint16_t *flags, uint8_t *ip_ecn)
{
    /* RFC 9768 3.1.4.2: after a second time-out without the flags. Linux then drops RFC 3168's as well. */
    bool again = r->is_again && r->num_timeout;

    *flags &= (uint16_t)~ACE_FLAGS;
    *ip_ecn = c->ecn.snd_ect; /* a Fast Open child may have sent ECT data meanwhile (tcp_v4_send_synack) */
    r->syn_ect_snt = *ip_ecn & ECN_MASK;
    if (again)
        return;
    if (r->accecn_ok)
        *flags |= tcp_ecn_reflector_flags(r->syn_ect_rcv);
    else if (r->ecn_ok)
        *flags |= TCP_ECE;
}

void tcp_ecn_openreq_child(TcpConn *child, TcpReq *r, TcpIn *in)
{
    if (r->accecn_ok)
        tcp_accecn_openreq_child(child, r, in);
    else if (r->ecn_ok && !cc_refuses_classic(child))
        tcp_ecn_set_mode(child, TCP_ECN_OK);
    else
        tcp_ecn_set_mode(child, 0);
}

/* ---- established ---- */

void tcp_ecn_send(TcpConn *c, const TcpSeg *s, uint32_t payload_len, uint16_t *flags, uint8_t *ip_ecn)
{
    if (HS_LIKELY(!tcp_ecn_is_any(c))) {
        *ip_ecn = c->ecn.snd_ect;
        return;
    }
    if (tcp_ecn_is_accecn(c)) {
        tcp_accecn_send(c, s, flags);
        *ip_ecn = c->ecn.snd_ect;
        return;
    }
    /* RFC 3168 6.1.4, 6.1.5: new data are ECN-capable; pure ACKs and retransmissions are not. */
    if (payload_len > 0 && s && !tcp_before(s->seq, c->snd_nxt)) {
        tcp_ecn_xmit(c, true);
        if (c->ecn.flags & TCP_ECN_QUEUE_CWR) {
            c->ecn.flags &= (uint8_t)~TCP_ECN_QUEUE_CWR;
            *flags |= TCP_CWR;
        }
    } else if (!cc_needs_ecn(c)) {
        tcp_ecn_xmit(c, false);
    }
    if (c->ecn.flags & TCP_ECN_DEMAND_CWR)
        *flags |= TCP_ECE;
    *ip_ecn = c->ecn.snd_ect;
}

void tcp_ecn_queue_cwr(TcpConn *c)
{
    if (tcp_ecn_is_rfc3168(c)) /* with accurate feedback nobody waits for a CWR */
        c->ecn.flags |= TCP_ECN_QUEUE_CWR;
}

bool tcp_ecn_rcv_ecn_echo(TcpConn *c, const TcpIn *in)
{
    return (in->flags & (TCP_ECE | TCP_SYN)) == TCP_ECE && tcp_ecn_is_rfc3168(c);
}

void tcp_ecn_accept_cwr(TcpConn *c, TcpIn *in)
{
    if (!tcp_ecn_is_rfc3168(c) || !(in->flags & TCP_CWR))
        return;
    c->ecn.flags &= (uint8_t)~TCP_ECN_DEMAND_CWR;
    /* The sender has reduced its window, perhaps to a single packet: it must not wait for a delayed ACK. */
    if (in->seq != in->end_seq)
        c->ack.pending |= TCP_ACK_NOW;
}

static void demand_cwr(TcpConn *c, bool on)
{
    c->ecn.flags = (uint8_t)((c->ecn.flags & ~TCP_ECN_DEMAND_CWR) | (on ? TCP_ECN_DEMAND_CWR : 0));
}

/* RFC 8257 3.2: ECE tells exactly which data had CE, so an ACK never covers both kinds: what is owed for the
 * data before a change goes at once, and so does the ACK for the change (Linux dctcp_ece_ack_update). */
static void exact_echo(TcpConn *c, bool is_ce)
{
    TcpEcn *e = &c->ecn;

    if (!c->cc.ops || !(c->cc.ops->flags & CC_EXACT_CE_ECHO))
        return;
    if (e->ce_state != is_ce) {
        if (c->ack.pending & TCP_ACK_TIMER) {
            demand_cwr(c, e->ce_state);
            tcp_output_send_ack_nxt(c, e->ce_rcv_nxt, 0);
        }
        c->ack.pending |= TCP_ACK_NOW;
    }
    e->ce_rcv_nxt = c->rcv_nxt;
    e->ce_state = is_ce;
    demand_cwr(c, is_ce);
}

/* Linux tcp_data_ecn_check */
void tcp_ecn_data(TcpConn *c, TcpIn *in)
{
    if (!tcp_ecn_is_any(c))
        return;
    switch (in->tos & ECN_MASK) {
    case ECN_NOT_ECT:
        /* ECT was seen before, this is not: probably a retransmission, whose sender waits for our ACK. */
        if (c->ecn.flags & TCP_ECN_SEEN)
            tcp_delack_enter_quickack(c, 2);
        break;
    case ECN_CE:
        if (cc_needs_ecn(c)) {
            tcp_cc_event(c, CC_EVENT_ECN_IS_CE);
            exact_echo(c, true);
        }
        if (!(c->ecn.flags & TCP_ECN_DEMAND_CWR) && tcp_ecn_is_rfc3168(c)) {
            tcp_delack_enter_quickack(c, 2);
            c->ecn.flags |= TCP_ECN_DEMAND_CWR;
        }
        if (tcp_ecn_is_rfc3168(c))
            c->ecn.flags |= TCP_ECN_SEEN;
        break;
    default:
        if (cc_needs_ecn(c)) {
            tcp_cc_event(c, CC_EVENT_ECN_NO_CE);
            exact_echo(c, false);
        }
        if (tcp_ecn_is_rfc3168(c))
            c->ecn.flags |= TCP_ECN_SEEN;
        break;
    }
}
