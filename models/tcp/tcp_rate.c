/* Delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation; Linux tcp_rate.c).
 *
 * Each segment remembers at transmission how much had been delivered by then, and when. When it is
 * acknowledged, the difference is a rate: the amount delivered since, over the longer of the time it took to
 * send and the time it took to be acknowledged, which keeps bunched ACKs and bunched sending from inflating
 * it. A sample is application-limited when the sender had nothing to send some time in between. */
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"

/* truesize of an skb with one byte: less than that in the device queue means that nothing is */
#define RATE_WMEM_EMPTY 768

void tcp_rate_on_sent(TcpConn *c, TcpSeg *s)
{
    /* After idleness the interval begins with this segment: what happened before says nothing of the rate. */
    if (!c->packets_out) {
        c->rate.first_tx_ns = HS_MAX(s->sent_ns, SIM_US); /* 0 would mean "none" */
        c->rate.delivered_ns = c->rate.first_tx_ns;
    }
    s->first_tx_ns = c->rate.first_tx_ns;
    s->delivered_ns = c->rate.delivered_ns;
    s->delivered = c->delivered;
    s->delivered_ce = c->delivered_ce;
    s->is_app_limited = c->rate.app_limited != 0;
    s->in_flight = tcp_packets_in_flight(c) + s->pcount;
    s->lost = c->lost;
}

/* s was acknowledged or SACKed just now. The most recently sent one of an ACK gives the sample. */
void tcp_rate_on_delivered(TcpConn *c, TcpSeg *s, CcRateSample *rs)
{
    if (!s->delivered_ns)
        return;

    if (!rs->prior_delivered ||
        tcp_rack_is_sent_after(s->sent_ns, c->rate.first_tx_ns, s->end_seq, rs->last_end_seq)) {
        rs->prior_delivered = s->delivered;
        rs->prior_delivered_ce = s->delivered_ce;
        rs->prior_ns = s->delivered_ns;
        rs->is_app_limited = s->is_app_limited;
        rs->is_retrans = s->sacked & (SEG_RETRANS | SEG_EVER_RETRANS);
        rs->last_end_seq = s->end_seq;
        rs->tx_in_flight = s->in_flight;
        rs->lost = (int32_t)s->lost; /* becomes a difference in tcp_rate_generate */
        /* its transmission begins the next send phase */
        c->rate.first_tx_ns = s->sent_ns;
        rs->interval_us = tcp_us_between(c->rate.first_tx_ns, s->first_tx_ns);
    }
    /* A SACKed segment stays in the queue: it must not give another sample when it is acknowledged. */
    if (s->sacked & SEG_SACKED)
        s->delivered_ns = 0;
}

void tcp_rate_generate(TcpConn *c, uint32_t delivered, uint32_t lost, bool is_sack_reneg, CcRateSample *rs)
{
    uint32_t snd_us, ack_us;

    if (c->rate.app_limited && tcp_after(c->delivered, c->rate.app_limited))
        c->rate.app_limited = 0; /* the bubble has left the pipe */
    if (delivered)
        c->rate.delivered_ns = c->mstamp;
    rs->acked_sacked = delivered;
    rs->losses = (int32_t)lost;
    if (!rs->prior_ns || is_sack_reneg) {
        rs->delivered = -1;
        rs->interval_us = -1;
        return;
    }
    rs->delivered = (int32_t)(c->delivered - rs->prior_delivered);
    rs->lost = (int32_t)(c->lost - (uint32_t)rs->lost);
    rs->delivered_ce = (int32_t)(c->delivered_ce - rs->prior_delivered_ce);

    snd_us = (uint32_t)rs->interval_us;
    ack_us = (uint32_t)tcp_us_between(c->mstamp, rs->prior_ns);
    rs->interval_us = HS_MAX(snd_us, ack_us);
    rs->snd_interval_us = snd_us;
    rs->rcv_interval_us = ack_us;

    /* Shorter than the shortest round trip: an ACK for the original of what has been retransmitted. */
    if (rs->interval_us < tcp_rtt_min_us(c)) {
        rs->interval_us = -1;
        return;
    }
    if (!rs->is_app_limited || (uint64_t)rs->delivered * c->rate.rate_interval_us >=
                                   (uint64_t)c->rate.rate_delivered * (uint64_t)rs->interval_us) {
        c->rate.rate_delivered = (uint32_t)rs->delivered;
        c->rate.rate_interval_us = (uint32_t)rs->interval_us;
        c->rate.rate_app_limited = rs->is_app_limited;
    }
}

/* Is the application what holds us back: less than a segment to send, nothing waits in the device, the window
 * is not full, and whatever is lost has been sent again? */
void tcp_rate_check_app_limited(TcpConn *c)
{
    uint32_t in_flight = tcp_packets_in_flight(c);

    if (c->write_seq - c->snd_nxt < c->mss_cache && c->snd.wmem_alloc < RATE_WMEM_EMPTY &&
        in_flight < c->cc.s.cwnd && c->lost_out <= c->retrans_out)
        c->rate.app_limited = c->delivered + in_flight ? c->delivered + in_flight : 1;
}
