/* Is the other side still there? Keepalive (RFC 1122 4.2.3.6), and the end of FIN_WAIT2 that nobody waits
 * for, which shares its timer (Linux tcp_keepalive_timer). */
#include "models/tcp/tcp_keepalive.h"

#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_timer.h"

uint32_t tcp_keepalive_time_ms(const TcpConn *c)
{
    return (c->keep.time_s ? c->keep.time_s : c->tcp->sysctl->tcp_keepalive_time_s) * 1000;
}

uint32_t tcp_keepalive_intvl_ms(const TcpConn *c)
{
    return (c->keep.intvl_s ? c->keep.intvl_s : c->tcp->sysctl->tcp_keepalive_intvl_s) * 1000;
}

uint8_t tcp_keepalive_max_probes(const TcpConn *c)
{
    return c->keep.probes ? c->keep.probes : c->tcp->sysctl->tcp_keepalive_probes;
}

/* At least 3.5 RTO, so that our last ACK can be lost once. */
uint32_t tcp_keepalive_fin_time_ms(const TcpConn *c)
{
    int64_t ms = c->keep.linger2_s ? (int64_t)c->keep.linger2_s * 1000
                                   : c->tcp->sysctl->tcp_fin_timeout_s * INT64_C(1000);
    int64_t least = ((int64_t)c->rtt.rto_ms << 2) - (c->rtt.rto_ms >> 1);

    return (uint32_t)HS_MAX(ms, least);
}

void tcp_keepalive_set(TcpConn *c, bool on)
{
    if (c->state == TCP_CLOSE || c->state == TCP_LISTEN) {
        c->keep.is_on = on;
        return;
    }
    if (on && !(c->keep.is_on && tcp_timer_is_seldom_armed(c, TCP_SELDOM_KEEP)))
        tcp_timer_arm_keep(c, tcp_keepalive_time_ms(c) * SIM_MS);
    else if (!on)
        tcp_timer_stop_keep(c);
    c->keep.is_on = on;
}

static SimTime idle_time(const TcpConn *c)
{
    return HS_MIN(c->mstamp - c->ack.lrcv_ns, c->mstamp - c->rcv_tstamp);
}

static bool has_failed(const TcpConn *c, SimTime elapsed)
{
    uint32_t user = c->keep.user_timeout_ms;

    if (user)
        return elapsed >= user * SIM_MS && c->keep.probes_out > 0;
    return c->keep.probes_out >= tcp_keepalive_max_probes(c);
}

void tcp_keepalive_on_timeout(TcpConn *c)
{
    SimTime when = tcp_keepalive_time_ms(c) * SIM_MS, elapsed;

    if (c->state == TCP_LISTEN)
        return;
    if (c->state == TCP_FIN_WAIT2 && c->sflags & TCP_S_DEAD) {
        if (c->keep.linger2_s >= 0) {
            int64_t left = (int64_t)tcp_keepalive_fin_time_ms(c) - TCP_TIMEWAIT_LEN_MS;

            if (left > 0) {
                tcp_tw_enter(c, TCP_FIN_WAIT2, (uint32_t)left);
                return;
            }
        }
        tcp_output_send_active_reset(c);
        tcp_conn_done(c);
        return;
    }
    if (!c->keep.is_on || c->state == TCP_CLOSE || c->state == TCP_SYN_SENT)
        return;
    if (c->packets_out || c->snd.write_head) { /* alive without keepalive */
        tcp_timer_arm_keep(c, when);
        return;
    }
    elapsed = idle_time(c);
    if (elapsed < when) {
        tcp_timer_arm_keep(c, when - elapsed);
        return;
    }
    if (has_failed(c, elapsed)) {
        tcp_output_send_active_reset(c);
        tcp_conn_write_err(c);
        return;
    }
    if (tcp_output_write_wakeup(c, MIB_TcpExtTCPKeepAlive) <= 0) {
        c->keep.probes_out++;
        tcp_timer_arm_keep(c, tcp_keepalive_intvl_ms(c) * SIM_MS);
    } else {
        tcp_timer_arm_keep(c, TCP_PROBE_INTERVAL_MIN_MS * SIM_MS);
    }
}
