/* Proportional rate reduction (RFC 9937, which revises RFC 6937; Linux tcp_cwnd_reduction): during recovery
 * the window follows what the network delivers, so that it arrives at ssthresh after one round trip without a
 * pause and without a burst.
 *
 * Above ssthresh each delivered packet lets ssthresh/prior_cwnd packets out. At or below it, slow start up to
 * ssthresh (PRR-SSRB) while ACKs advance and nothing new is found lost ("safeACK"); else only what was
 * delivered (PRR-CRB). Controllers with a cong_control of their own (BBR) do without it. */
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"

void tcp_prr_init_reduction(TcpConn *c)
{
    CcView v;

    c->rec.high_seq = c->snd_nxt;
    c->tlp.high_seq = 0;
    c->cc.s.cwnd_cnt = 0;
    c->rec.prior_cwnd = c->cc.s.cwnd;
    c->rec.prr_delivered = 0;
    c->rec.prr_out = 0;
    tcp_cc_fill_view(c, &v);
    c->cc.s.ssthresh = cc_ssthresh(&c->cc, &v);
    tcp_ecn_queue_cwr(c);
}

void tcp_prr_reduce(TcpConn *c, int newly_acked_sacked, int newly_lost, int flag)
{
    uint32_t in_flight = tcp_packets_in_flight(c);
    int delta = (int)(c->cc.s.ssthresh - in_flight);
    int sndcnt;

    if (newly_acked_sacked <= 0 || !c->rec.prior_cwnd)
        return;

    c->rec.prr_delivered += (uint32_t)newly_acked_sacked;
    if (delta < 0) {
        uint64_t dividend = (uint64_t)c->cc.s.ssthresh * c->rec.prr_delivered + c->rec.prior_cwnd - 1;

        sndcnt = (int)(dividend / c->rec.prior_cwnd) - (int)c->rec.prr_out;
    } else {
        sndcnt = HS_MAX((int)(c->rec.prr_delivered - c->rec.prr_out), newly_acked_sacked);
        if ((flag & ACK_SND_UNA_ADVANCED) && !newly_lost)
            sndcnt++;
        sndcnt = HS_MIN(delta, sndcnt);
    }
    /* the fast retransmit itself always goes */
    sndcnt = HS_MAX(sndcnt, c->rec.prr_out ? 0 : 1);
    c->cc.s.cwnd = in_flight + (uint32_t)sndcnt;
}

void tcp_prr_end(TcpConn *c)
{
    if (cc_has_cong_control(&c->cc))
        return;

    /* Wherever the window was led, it ends at ssthresh. */
    if (c->cc.s.ssthresh < TCP_INFINITE_SSTHRESH && (c->rec.ca_state == TCP_CA_CWR || c->rec.undo_marker)) {
        c->cc.s.cwnd = c->cc.s.ssthresh;
        c->snd_cwnd_stamp = c->mstamp;
    }
    tcp_cc_event(c, CC_EVENT_COMPLETE_CWR);
}
