/* Is a segment acceptable? Linux tcp_validate_incoming: PAWS (RFC 7323 5), sequence (RFC 9293 3.10.7.4), RST
 * (RFC 5961 3), SYN (RFC 5961 4), each with its answer. */
#include "models/tcp/tcp_input.h"

#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_passive.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"

static void drop(TcpConn *c, TcpIn *in, const char *reason)
{
    tcp_probes_drop(c->tcp, c, in, reason);
}

/* Linux tcp_sequence. NULL: yes. The right edge is the furthest that was ever advertised (RFC 7323 2.4). A
 * FIN may stand just beyond it, and an empty queue takes a segment that begins inside, since some senders do
 * not heed the window. */
static const char *bad_sequence(const TcpConn *c, const TcpIn *in, bool *is_beyond)
{
    int32_t win = (int32_t)(c->win.rcv_mwnd_seq - c->rcv_nxt);
    uint32_t limit = c->rcv_nxt + (win > 0 ? (uint32_t)win : 0);

    if (tcp_before(in->end_seq, c->win.rcv_wup))
        return "TCP_OLD_SEQUENCE";
    if (!tcp_after(in->end_seq, limit))
        return NULL;
    if (!tcp_after(in->end_seq - ((in->flags & TCP_FIN) != 0), limit))
        return NULL;
    *is_beyond = true;
    if (tcp_after(in->seq, limit))
        return "TCP_INVALID_SEQUENCE";
    return c->rcv.head ? "TCP_INVALID_END_SEQUENCE" : NULL;
}

/* Some stacks answer data after their FIN with a RST one before rcv_nxt (Linux tcp_reset_check). */
static bool is_reset_after_fin(const TcpConn *c, const TcpIn *in)
{
    return in->seq == c->rcv_nxt - 1 &&
           (c->state == TCP_CLOSE_WAIT || c->state == TCP_LAST_ACK || c->state == TCP_CLOSING);
}

/* RFC 5961 3.2, and beyond it the right end of the last SACK block, where a peer may be that does not keep
 * the gap. */
static bool is_reset_exact(const TcpConn *c, const TcpIn *in)
{
    uint32_t max;

    if (in->seq == c->rcv_nxt || is_reset_after_fin(c, in))
        return true;
    if (!c->sack.is_sack_ok || !c->rcv.num_sacks)
        return false;
    max = c->rcv.selective_acks[0].right;
    for (unsigned i = 1; i < c->rcv.num_sacks; i++) {
        if (tcp_after(c->rcv.selective_acks[i].right, max))
            max = c->rcv.selective_acks[i].right;
    }
    return in->seq == max;
}

static void syn_challenge(TcpConn *c, TcpIn *in, int syn_inerr, bool accecn)
{
    if (syn_inerr)
        TCP_INC(c->tcp, TcpInErrs);
    TCP_INC(c->tcp, TcpExtTCPSYNChallenge);
    tcp_challenge_send_ack(c, accecn);
    drop(c, in, "TCP_INVALID_SYN");
}

/* The second half of a simultaneous open: the other's SYN-ACK is no challenge. */
static bool is_crossed_synack(const TcpConn *c, const TcpIn *in)
{
    return c->state == TCP_SYN_RECV && !c->parent && !(c->sflags & (TCP_S_DEAD | TCP_S_TFO_CHILD)) &&
           in->flags & TCP_ACK && in->seq + 1 == in->end_seq && in->seq + 1 == c->rcv_nxt &&
           in->ack == c->snd_nxt;
}

/* false: refused (and answered). */
static bool passes_paws(TcpConn *c, TcpIn *in, int syn_inerr)
{
    bool is_old_ack;
    const char *reason;

    tcp_paws_parse_options(c, in);
    if (!in->saw_ts || tcp_paws_is_ok(&c->ts, in, TCP_PAWS_WINDOW))
        return true;
    reason = tcp_paws_disordered_ack(c, in, &is_old_ack);
    if (!reason || in->flags & TCP_RST) /* RFC 7323 5.2: a RST needs no timestamp */
        return true;
    if (in->flags & TCP_SYN) {
        syn_challenge(c, in, syn_inerr, false);
        return false;
    }
    if (is_old_ack) {
        TCP_INC(c->tcp, TcpExtPAWSOldAck);
    } else {
        TCP_INC(c->tcp, TcpExtPAWSEstab);
        if (!tcp_challenge_oow_limited(c->tcp, in, MIB_TcpExtTCPACKSkippedPAWS, &c->last_oow_ack))
            tcp_challenge_send_dupack(c, in);
    }
    drop(c, in, reason);
    return false;
}

bool tcp_validate_segment(TcpConn *c, TcpIn *in, int syn_inerr)
{
    const char *reason;
    bool accecn = false, is_beyond = false;

    if (!passes_paws(c, in, syn_inerr))
        return false;

    reason = bad_sequence(c, in, &is_beyond);
    if (reason) {
        if (in->flags & TCP_RST) {
            if (is_reset_after_fin(c, in)) {
                tcp_input_reset(c, in);
                return false;
            }
        } else if (in->flags & TCP_SYN) {
            syn_challenge(c, in, syn_inerr, false);
            return false;
        } else {
            if (is_beyond)
                TCP_INC(c->tcp, TcpExtBeyondWindow);
            if (!tcp_challenge_oow_limited(c->tcp, in, MIB_TcpExtTCPACKSkippedSeq, &c->last_oow_ack))
                tcp_challenge_send_dupack(c, in);
        }
        drop(c, in, reason);
        return false;
    }

    if (in->flags & TCP_RST) {
        if (is_reset_exact(c, in) || HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_RST_IN_WINDOW)) {
            tcp_input_reset(c, in);
            return false;
        }
        /* A box on the path that does not like Fast Open answers like this. */
        if (c->sflags & TCP_S_SYN_FASTOPEN && !c->stats.data_segs_in && c->state == TCP_ESTABLISHED)
            tcp_fastopen_active_disable(c);
        tcp_challenge_send_ack(c, false);
        drop(c, in, "TCP_RESET");
        return false;
    }

    if (in->flags & TCP_SYN) { /* RFC 5961 4.2 */
        if (tcp_ecn_is_accecn(c)) {
            accecn = true;
            tcp_ecn_syn_in_connection(c, in);
        }
        if (is_crossed_synack(c, in))
            return true;
        syn_challenge(c, in, syn_inerr, accecn);
        return false;
    }
    return true;
}
