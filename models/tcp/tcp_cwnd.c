/* Is the congestion window in use? (Linux tcp_cwnd_validate, tcp_cwnd_restart, tcp_chrono_*; RFC 2861, RFC
 * 7661.) A window that was not filled says nothing about the network: it does not grow, decays, and starts
 * again after idleness. The chronograph of TCP_INFO (busy, limited by the peer's window, by our buffer) is
 * kept here too. */
#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"

enum { CHRONO_UNSPEC, CHRONO_BUSY, CHRONO_RWND_LIMITED, CHRONO_SNDBUF_LIMITED };

uint32_t tcp_cwnd_initial(const TcpConn *c)
{
    uint32_t cwnd = route_metrics_get(c->metrics, ROUTE_INITCWND);

    return HS_MIN(cwnd ? cwnd : TCP_INIT_CWND, c->snd_cwnd_clamp);
}

uint32_t tcp_cwnd_current_ssthresh(const TcpConn *c)
{
    uint32_t cwnd = c->cc.s.cwnd;

    if (tcp_in_cwnd_reduction(c))
        return c->cc.s.ssthresh;
    return HS_MAX(c->cc.s.ssthresh, (cwnd >> 1) + (cwnd >> 2));
}

/* Halved for each RTO of silence, down to the initial window (RFC 5681 4.1 would drop to that at once). */
void tcp_cwnd_restart(TcpConn *c, SimTime idle_ns)
{
    uint32_t restart = tcp_cwnd_initial(c), cwnd = c->cc.s.cwnd;
    int64_t idle_ms = (int64_t)(idle_ns / TCP_JIFFY_NS);

    tcp_cc_event(c, CC_EVENT_CWND_RESTART);
    c->cc.s.ssthresh = tcp_cwnd_current_ssthresh(c);
    restart = HS_MIN(restart, cwnd);
    while ((idle_ms -= c->rtt.rto_ms) > 0 && cwnd > restart)
        cwnd >>= 1;
    c->cc.s.cwnd = HS_MAX(cwnd, restart);
    c->snd_cwnd_stamp = c->mstamp;
    c->snd_cwnd_used = 0;
}

void tcp_cwnd_slow_start_after_idle_check(TcpConn *c)
{
    SimTime now = node_now(c->tcp->node);

    if (!c->tcp->sysctl->tcp_slow_start_after_idle || c->packets_out || cc_has_cong_control(&c->cc))
        return;

    SimTime idle_ms = now / TCP_JIFFY_NS - c->lsndtime / TCP_JIFFY_NS;
    if (idle_ms > c->rtt.rto_ms)
        tcp_cwnd_restart(c, idle_ms * TCP_JIFFY_NS);
}

/* Linux tcp_cwnd_application_limited: an RTO has passed without filling the window. */
static void application_limited(TcpConn *c)
{
    bool has_socket = !(c->sflags & TCP_S_DEAD);

    if (c->rec.ca_state == TCP_CA_OPEN && has_socket && !(c->sflags & TCP_S_NOSPACE)) {
        uint32_t used = HS_MAX(c->snd_cwnd_used, tcp_cwnd_initial(c));

        if (used < c->cc.s.cwnd) {
            c->cc.s.ssthresh = tcp_cwnd_current_ssthresh(c);
            c->cc.s.cwnd = (c->cc.s.cwnd + used) >> 1;
        }
        c->snd_cwnd_used = 0;
    }
    c->snd_cwnd_stamp = c->mstamp;
}

/* Linux tcp_is_cwnd_limited */
static bool is_limited(const TcpConn *c)
{
    if (c->is_cwnd_limited)
        return true;
    return tcp_in_slow_start(c) && c->cc.s.cwnd < 2 * c->max_packets_out;
}

void tcp_cwnd_validate(TcpConn *c, bool is_cwnd_limited)
{
    /* the strongest sign of this window of data is remembered until the next */
    if (!tcp_before(c->snd_una, c->cwnd_usage_seq) || is_cwnd_limited ||
        (!c->is_cwnd_limited && c->packets_out > c->max_packets_out)) {
        c->is_cwnd_limited = is_cwnd_limited;
        c->max_packets_out = c->packets_out;
        c->cwnd_usage_seq = c->snd_nxt;
    }
    if (is_limited(c)) {
        c->snd_cwnd_used = 0;
        c->snd_cwnd_stamp = c->mstamp;
        return;
    }
    c->snd_cwnd_used = HS_MAX(c->snd_cwnd_used, c->packets_out);
    if (c->tcp->sysctl->tcp_slow_start_after_idle && !cc_has_cong_control(&c->cc) &&
        c->mstamp / TCP_JIFFY_NS - c->snd_cwnd_stamp / TCP_JIFFY_NS >= c->rtt.rto_ms)
        application_limited(c);
    /* something was just sent, nothing is left, and the application waits for buffer */
    if (!c->snd.write_head && !(c->sflags & TCP_S_DEAD) && c->sflags & TCP_S_NOSPACE &&
        tcp_state_can_send(c->state))
        tcp_cwnd_chrono_start(c, CHRONO_SNDBUF_LIMITED);
}

static void chrono_set(TcpConn *c, uint8_t type)
{
    TcpChrono *ch = &c->chrono;
    SimTime now = node_now(c->tcp->node);

    if (c->chrono_type != CHRONO_UNSPEC)
        ch->stat[c->chrono_type - 1] += now - ch->start;
    ch->start = now;
    c->chrono_type = type;
}

void tcp_cwnd_chrono_start(TcpConn *c, int type)
{
    if (type > c->chrono_type)
        chrono_set(c, (uint8_t)type);
}

void tcp_cwnd_chrono_stop(TcpConn *c, int type)
{
    if (!c->snd.rtx_head && !c->snd.write_head)
        chrono_set(c, CHRONO_UNSPEC);
    else if (type == c->chrono_type)
        chrono_set(c, CHRONO_BUSY);
}
