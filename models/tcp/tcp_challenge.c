/* Answers to segments that do not fit: duplicate ACKs and the challenge ACKs of RFC 5961, limited so that two
 * confused (or spoofed) ends do not talk to each other for ever (RFC 5961 7; Linux tcp_oow_rate_limited). */
#include "models/tcp/tcp_input.h"

#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"

/* The time 0 means "never" in last_oow_ack. */
static SimTime stamp_of(SimTime now)
{
    return now ? now : 1;
}

bool tcp_challenge_limited(Tcp *t, SimTime now, int mib, SimTime *last)
{
    if (*last) {
        int64_t elapsed_ms = (int64_t)(now / TCP_JIFFY_NS) - (int64_t)(*last / TCP_JIFFY_NS);

        if (elapsed_ms >= 0 && elapsed_ms < (int64_t)t->sysctl->tcp_invalid_ratelimit_ms) {
            tcp_mib_add(t, (unsigned)mib, 1);
            return true;
        }
    }
    *last = stamp_of(now);
    return false;
}

bool tcp_challenge_oow_limited(Tcp *t, const TcpIn *in, int mib, SimTime *last_oow)
{
    /* A segment with data is hardly part of a loop of ACKs. */
    if (in->seq != in->end_seq && !(in->flags & TCP_SYN))
        return false;
    return tcp_challenge_limited(t, in->now, mib, last_oow);
}

/* The host's budget of challenge ACKs a second, drawn anew each second so that it cannot be counted from
 * outside (CVE-2016-5696). */
static bool take_of_budget(TcpConn *c)
{
    Tcp *t = c->tcp;
    uint32_t limit = t->sysctl->tcp_challenge_ack_limit;
    SimTime second = c->mstamp / SIM_SEC + 1;
    TcpRare *r;

    if (limit == INT32_MAX)
        return true;
    r = tcp_rare(t);
    if (r->challenge_stamp != second) {
        uint32_t half = (limit + 1) >> 1;

        r->challenge_stamp = second;
        r->challenge_count = half + (limit ? (uint32_t)node_draw_below(t->node, TCP_STREAM, limit) : 0);
    }
    if (!r->challenge_count)
        return false;
    r->challenge_count--;
    return true;
}

void tcp_challenge_send_ack(TcpConn *c, bool accecn_reflector)
{
    if (tcp_challenge_limited(c->tcp, c->mstamp, MIB_TcpExtTCPACKSkippedChallenge, &c->last_oow_ack))
        return;
    if (!take_of_budget(c))
        return;
    TCP_INC(c->tcp, TcpExtTCPChallengeACK);
    tcp_output_send_ack_nxt(c, c->rcv_nxt,
                            accecn_reflector ? tcp_ecn_reflector_flags(c->ecn.syn_ect_rcv) : 0);
}

void tcp_challenge_send_dupack(TcpConn *c, const TcpIn *in)
{
    if (in->end_seq != in->seq && tcp_before(in->seq, c->rcv_nxt)) {
        TCP_INC(c->tcp, TcpExtDelayedACKLost);
        tcp_delack_enter_quickack(c, TCP_MAX_QUICKACKS);
        if (c->sack.is_sack_ok && c->tcp->sysctl->tcp_dsack) {
            tcp_rcvq_spurious_retrans(c, in);
            tcp_dsack_set(c, in->seq, tcp_after(in->end_seq, c->rcv_nxt) ? c->rcv_nxt : in->end_seq);
        }
    }
    tcp_output_send_ack(c);
}

void tcp_challenge_ack_handshake(TcpConn *c, bool accecn)
{
    tcp_output_send_ack_nxt(c, c->rcv_nxt, accecn ? tcp_ecn_reflector_flags(c->ecn.syn_ect_rcv) : 0);
}
