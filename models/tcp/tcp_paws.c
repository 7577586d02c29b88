/* Timestamps on arrival: reading them, protection against wrapped sequence numbers (PAWS), and which of them
 * is echoed (RFC 7323 4 and 5; Linux tcp_fast_parse_options, tcp_paws_check, tcp_replace_ts_recent,
 * tcp_disordered_ack_check). */
#include "models/tcp/tcp_input.h"

#include "models/tcp/tcp_ack.h"

void tcp_paws_parse_options(TcpConn *c, TcpIn *in)
{
    TcpTs *ts = &c->ts;

    tcpin_options(in);
    in->saw_ts = ts->tstamp_ok && in->opt.has_timestamps;
    ts->saw_tstamp = in->saw_ts;
    if (!in->saw_ts)
        return;
    in->tsval = in->opt.ts_val;
    in->tsecr = in->opt.ts_ecr ? in->opt.ts_ecr - ts->tsoffset : 0;
    ts->rcv_tsval = in->tsval;
    ts->rcv_tsecr = in->tsecr;
}

bool tcp_paws_is_ok(const TcpTs *ts, const TcpIn *in, int32_t window)
{
    if ((int32_t)(ts->ts_recent - in->tsval) <= window)
        return true;
    /* RFC 7323 5.5: after 24 days of silence the clock may have wrapped. */
    if (tcp_ts_seconds(in->now) >= ts->ts_recent_stamp + TCP_PAWS_24DAYS_S)
        return true;
    /* Some stacks send 0 in SYNs and true values afterwards. */
    return ts->ts_recent == 0;
}

bool tcp_paws_reject(const TcpTs *ts, const TcpIn *in, bool is_rst)
{
    if (tcp_paws_is_ok(ts, in, 0))
        return false;
    /* A RST may come from a host that has restarted and lost its clock: after a minute it is believed. */
    return !(is_rst && tcp_ts_seconds(in->now) >= ts->ts_recent_stamp + TCP_PAWS_MSL_S);
}

void tcp_paws_store_recent(TcpTs *ts, const TcpIn *in)
{
    ts->ts_recent = in->tsval;
    ts->ts_recent_stamp = tcp_ts_seconds(in->now);
}

int tcp_paws_store_progress(TcpConn *c, const TcpIn *in)
{
    int32_t delta = (int32_t)(in->tsval - c->ts.ts_recent);

    tcp_paws_store_recent(&c->ts, in);
    return delta > 0 ? ACK_TS_PROGRESS : 0;
}

int tcp_paws_replace_recent(TcpConn *c, uint32_t seq, TcpIn *in)
{
    if (!in->saw_ts || tcp_after(seq, c->win.rcv_wup)) /* RFC 7323 4.3 (2): SEG.SEQ <= Last.ACK.sent */
        return 0;
    if (!tcp_paws_is_ok(&c->ts, in, 0)) /* an old pure ACK that was let pass */
        return 0;
    return tcp_paws_store_progress(c, in);
}

const char *tcp_paws_disordered_ack(const TcpConn *c, const TcpIn *in, bool *is_old_ack)
{
    static const char paws[] = "TCP_RFC7323_PAWS";
    uint32_t window = (uint32_t)in->window << c->win.snd_wscale;

    *is_old_ack = false;
    if (!(in->flags & TCP_ACK) || in->seq != in->end_seq)
        return paws;
    if (in->seq != c->rcv_nxt) {
        *is_old_ack = tcp_before(in->seq, c->rcv_nxt);
        return *is_old_ack ? "TCP_RFC7323_PAWS_ACK" : paws;
    }
    if (in->ack != c->snd_una)
        return paws;
    if (tcp_after(in->seq, c->snd_wl1) || (in->seq == c->snd_wl1 && (window > c->snd_wnd || !window)))
        return paws; /* it would update the window */
    if ((int32_t)(c->ts.ts_recent - in->tsval) > (int32_t)(c->rtt.rto_ms * 1200 / 1000))
        return paws;
    return NULL;
}
