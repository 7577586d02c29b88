/* The timers of a connection and what each does when it fires (Linux net/ipv4/tcp_timer.c):
 *
 *   t_rtx     one of four, timer_kind: RETRANS on_retrans, LOSS_PROBE tcp_tlp_send, REO tcp_rack_on_timeout,
 *             PROBE0 on_probe0
 *   t_delack  tcp_delack_on_timeout
 *
 * and, of those that most connections never need (TcpSeldomTimers):
 *
 *   keep      keepalive, the end of an orphan in FIN_WAIT2: tcp_keepalive_on_timeout
 *   comp      tcp_delack_on_comp_timeout
 *   pace      more may be sent
 *
 * Giving up is measured in time, not in retransmissions: the time that this many would take with the smallest
 * RTO (model_timeout). Delays are whole milliseconds as Linux's jiffies at HZ=1000, and timers fire exactly
 * then. */
#include "models/tcp/tcp_timer.h"

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_keepalive.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"

#define RTO_MIN_MS 200 /* TCP_RTO_MIN */
#define THIN_LINEAR_RETRIES 6
#define THIN_PACKETS 4
#define SOCK_MIN_SNDBUF 4608 /* below it, a socket is not to blame for memory pressure */

enum { STATE_SYN = 1u << TCP_SYN_SENT | 1u << TCP_SYN_RECV };

static bool is_in(const TcpConn *c, unsigned states)
{
    return states >> c->state & 1;
}

static bool is_orphan(const TcpConn *c)
{
    return c->sflags & TCP_S_DEAD;
}

static SimTime now_ms(const TcpConn *c)
{
    return c->mstamp / TCP_JIFFY_NS;
}

static unsigned log2_floor(uint32_t v)
{
    return v ? 31 - (unsigned)__builtin_clz(v) : 0;
}

/* ---- arming ---- */

static const char *const kind_name[] = {"none", "rto", "tlp", "reo", "probe0"};

void tcp_timer_arm_rtx(TcpConn *c, int kind, SimTime delay_ns)
{
    SimTime max = c->rtt.rto_max_ms * SIM_MS;
    SimTime at = node_now(c->tcp->node) + HS_MIN(HS_MAX(delay_ns, 0), max);

    c->timer_kind = (uint8_t)kind;
    timer_arm(&c->t_rtx, at);
    tcp_probes_timer(c, kind_name[kind], "armed", at);
}

void tcp_timer_stop_rtx(TcpConn *c)
{
    if (c->timer_kind != TCP_TIMER_NONE)
        tcp_probes_timer(c, kind_name[c->timer_kind], "stopped", node_now(c->tcp->node));
    c->timer_kind = TCP_TIMER_NONE;
    timer_cancel(&c->t_rtx);
}

void tcp_timer_arm_keep(TcpConn *c, SimTime delay_ns)
{
    tcp_timer_arm_seldom(c, TCP_SELDOM_KEEP, node_now(c->tcp->node) + HS_MAX(delay_ns, 0));
}

void tcp_timer_stop_keep(TcpConn *c)
{
    tcp_timer_stop_seldom(c, TCP_SELDOM_KEEP);
}

/* ---- the persist timer ---- */

static uint32_t probe0_base_ms(const TcpConn *c)
{
    return HS_MAX(c->rtt.rto_ms, RTO_MIN_MS);
}

/* inet_csk_rto_backoff-like: the base doubled for each probe so far, 10 times at most. */
SimTime tcp_timer_probe0_when(const TcpConn *c, SimTime max)
{
    unsigned most = log2_floor(120000 / RTO_MIN_MS) + 1;
    unsigned backoff = HS_MIN(most, c->rtt.backoff);
    SimTime when = (SimTime)probe0_base_ms(c) * SIM_MS << backoff;

    return HS_MIN(when, max);
}

void tcp_timer_arm_probe0(TcpConn *c)
{
    tcp_timer_arm_rtx(c, TCP_TIMER_PROBE0, probe0_base_ms(c) * SIM_MS + tcp_pace_delay(c));
}

void tcp_timer_probe0_check(TcpConn *c)
{
    if (!c->packets_out && c->timer_kind == TCP_TIMER_NONE)
        tcp_timer_arm_probe0(c);
}

SimTime tcp_timer_clamp_to_user_timeout(const TcpConn *c, SimTime when)
{
    int64_t elapsed_ms, remaining_ms;

    if (!c->keep.user_timeout_ms || !c->keep.probes_stamp)
        return when;
    elapsed_ms = HS_MAX(now_ms(c) - c->keep.probes_stamp / TCP_JIFFY_NS, 0);
    remaining_ms = HS_MAX((int64_t)c->keep.user_timeout_ms - elapsed_ms, TCP_TIMEOUT_MIN_US / 1000);
    return HS_MIN(remaining_ms * SIM_MS, when);
}

/* Linux tcp_clamp_rto_to_user_timeout */
static SimTime clamped_rto(const TcpConn *c)
{
    int64_t remaining_ms;

    if (!c->keep.user_timeout_ms)
        return c->rtt.rto_ms * SIM_MS;
    remaining_ms = (int64_t)c->keep.user_timeout_ms - (now_ms(c) - c->rtt.retrans_stamp / TCP_JIFFY_NS);
    if (remaining_ms <= 0)
        return SIM_MS; /* it has passed: as soon as possible */
    return HS_MIN(c->rtt.rto_ms, remaining_ms) * SIM_MS;
}

/* ---- giving up ---- */

/* How long `boundary` retransmissions take if the first RTO is base: doubling up to rto_max, then linear. */
static int64_t model_timeout_ms(const TcpConn *c, unsigned boundary, uint32_t base_ms)
{
    uint32_t max = c->rtt.rto_max_ms;
    unsigned thresh = log2_floor(max / base_ms);

    if (boundary <= thresh)
        return ((INT64_C(2) << boundary) - 1) * base_ms;
    return ((INT64_C(2) << thresh) - 1) * base_ms + (int64_t)(boundary - thresh) * max;
}

/* Linux retransmits_timed_out; timeout_ms 0: by the model */
static bool timed_out(const TcpConn *c, unsigned boundary, int64_t timeout_ms)
{
    if (!c->retransmits)
        return false;
    if (!timeout_ms)
        timeout_ms = model_timeout_ms(c, boundary, is_in(c, STATE_SYN) ? TCP_TIMEOUT_INIT_MS : RTO_MIN_MS);
    return now_ms(c) - c->rtt.retrans_stamp / TCP_JIFFY_NS - timeout_ms >= 0;
}

static unsigned orphan_retries(const TcpConn *c, bool alive)
{
    unsigned n = c->tcp->sysctl->tcp_orphan_retries;

    /* an ICMP error said that something is wrong */
    if (c->err_soft && !alive)
        n = 0;
    /* it sent something not long ago: 8 is more than 100 seconds with the smallest RTO */
    if (n == 0 && alive)
        n = 8;
    return n;
}

static bool is_oom(TcpConn *c, unsigned shift)
{
    const Tcp *t = c->tcp;

    if ((uint64_t)t->n_orphans << shift > t->sysctl->tcp_max_orphans)
        return true;
    return c->snd.wmem_queued > SOCK_MIN_SNDBUF && t->mem_pages8 / 4096 > (int64_t)t->sysctl->tcp_mem[2];
}

/* Linux tcp_check_oom with no penalty, for tcp_close */
bool tcp_timer_too_many_orphans(TcpConn *c)
{
    return is_oom(c, 0);
}

/* Linux tcp_out_of_resources: orphans that hold memory for long are killed. true: it is gone. */
static bool out_of_resources(TcpConn *c, bool do_reset)
{
    int64_t silent_ms = now_ms(c) - c->lsndtime / TCP_JIFFY_NS;
    unsigned shift = 0;

    if (silent_ms > 2 * (int64_t)c->rtt.rto_max_ms || !do_reset)
        shift++;
    if (c->err_soft)
        shift++;
    if (!is_oom(c, shift))
        return false;
    if (silent_ms <= TCP_TIMEWAIT_LEN_MS || (!c->snd_wnd && !c->packets_out))
        do_reset = true;
    if (do_reset)
        tcp_output_send_active_reset(c);
    TCP_INC(c->tcp, TcpExtTCPAbortOnMemory);
    tcp_conn_done(c);
    return true;
}

/* Linux tcp_write_timeout: true: given up. */
static bool write_timeout(TcpConn *c)
{
    const TcpSysctl *s = c->tcp->sysctl;
    bool expired = false;
    unsigned until;

    if (is_in(c, STATE_SYN)) {
        unsigned most;

        if (c->retransmits)
            tcp_ip_negative_advice(c);
        until = c->syn_retries ? c->syn_retries : s->tcp_syn_retries;
        most = until;
        if (c->state == TCP_SYN_SENT)
            most += s->tcp_syn_linear_timeouts;
        expired = c->retransmits >= most;
    } else {
        if (timed_out(c, s->tcp_retries1, 0)) {
            tcp_pmtu_on_timeout(c);
            tcp_ip_negative_advice(c);
        }
        until = s->tcp_retries2;
        if (is_orphan(c)) {
            bool alive = c->rtt.rto_ms < c->rtt.rto_max_ms;

            until = orphan_retries(c, alive);
            if (out_of_resources(c, alive || !timed_out(c, until, 0)))
                return true;
        }
    }
    if (!expired)
        expired = timed_out(c, until, c->keep.user_timeout_ms);
    tcp_fastopen_active_detect_blackhole(c, expired);
    if (expired) {
        tcp_conn_write_err(c);
        return true;
    }
    /* another path, perhaps: Linux draws a new flow hash (sk_rethink_txhash) */
    c->stats.timeout_rehash++;
    TCP_INC(c->tcp, TcpExtTcpTimeoutRehash);
    return false;
}

/* ---- retransmission ---- */

static void count_timeout(TcpConn *c) /* tcp_update_rto_stats */
{
    if (!c->retransmits) {
        c->rec.total_rto_recoveries++;
        c->rec.rto_stamp = c->mstamp;
    }
    if (c->retransmits < UINT8_MAX)
        c->retransmits++;
    c->rec.total_rto++;
}

/* Linux tcp_fastopen_synack_timer: the SYN-ACK of a Fast Open child; nothing else is retransmitted before it
 * is answered. */
static void on_fastopen_synack(TcpConn *c, TcpReq *r)
{
    unsigned most = c->syn_retries ? c->syn_retries : c->tcp->sysctl->tcp_synack_retries + 1u;

    TCP_INC(c->tcp, TcpExtTCPTimeouts);
    if (r->num_timeout >= most) {
        tcp_conn_write_err(c);
        return;
    }
    if (c->retransmits == 1)
        tcp_recovery_enter_loss(c);
    tcp_req_retransmit_synack(c, r);
    r->num_timeout++;
    count_timeout(c);
    if (!c->rtt.retrans_stamp)
        c->rtt.retrans_stamp = HS_MAX(c->mstamp, 1);
    tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, (SimTime)r->timeout_ms * SIM_MS << r->num_timeout);
}

/* Linux tcp_rtx_probe0_timed_out: the window went to zero under us, so retransmissions are window probes: the
 * connection lives as long as the peer answers anything. */
static bool rtx_probe0_timed_out(const TcpConn *c, const TcpSeg *s)
{
    SimTime since = c->rtt.retrans_stamp ? c->rtt.retrans_stamp : s->sent_ns;
    int64_t rtx_ms = now_ms(c) - since / TCP_JIFFY_NS;
    int64_t timeout = 2 * (int64_t)c->rtt.rto_max_ms;

    if (c->keep.user_timeout_ms) {
        if (rtx_ms > c->keep.user_timeout_ms)
            return true;
        timeout = HS_MIN(timeout, (int64_t)c->keep.user_timeout_ms);
    }
    if (now_ms(c) - c->rcv_tstamp / TCP_JIFFY_NS <= timeout)
        return false;
    return rtx_ms > timeout;
}

static void count_failure(TcpConn *c)
{
    bool sack = c->sack.is_sack_ok;
    Tcp *t = c->tcp;

    if (c->retransmits)
        return;
    if (c->rec.ca_state == TCP_CA_RECOVERY && sack)
        TCP_INC(t, TcpExtTCPSackRecoveryFail);
    else if (c->rec.ca_state == TCP_CA_RECOVERY)
        TCP_INC(t, TcpExtTCPRenoRecoveryFail);
    else if (c->rec.ca_state == TCP_CA_LOSS)
        TCP_INC(t, TcpExtTCPLossFailures);
    else if ((c->rec.ca_state == TCP_CA_DISORDER || c->sacked_out) && sack)
        TCP_INC(t, TcpExtTCPSackFailures);
    else if (c->rec.ca_state == TCP_CA_DISORDER || c->sacked_out)
        TCP_INC(t, TcpExtTCPRenoFailures);
}

static bool is_thin(const TcpConn *c)
{
    return c->packets_out < THIN_PACKETS && !tcp_in_initial_slowstart(c);
}

/* The next timeout: doubled (RFC 6298 5.5), but linear for thin streams and for the first SYNs. */
static void back_off(TcpConn *c)
{
    const TcpSysctl *s = c->tcp->sysctl;

    if (c->state == TCP_ESTABLISHED && (c->thin_lto || s->tcp_thin_linear_timeouts) && is_thin(c) &&
        c->retransmits <= THIN_LINEAR_RETRIES) {
        uint32_t us = (c->rtt.srtt_us >> 3) + c->rtt.rttvar_us, ms = (us + 999) / 1000;

        c->rtt.backoff = 0;
        ms = HS_MAX(ms, tcp_rtt_rto_min_us(c) / 1000);
        c->rtt.rto_ms = HS_MIN(ms, c->rtt.rto_max_ms);
    } else if (c->state != TCP_SYN_SENT || c->rec.total_rto > s->tcp_syn_linear_timeouts) {
        c->rtt.backoff++;
        c->rtt.rto_ms = (uint32_t)HS_MIN((uint64_t)c->rtt.rto_ms << 1, (uint64_t)c->rtt.rto_max_ms);
    }
    tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, clamped_rto(c));
    if (timed_out(c, s->tcp_retries1 + 1u, 0))
        tcp_ip_negative_advice(c);
}

static void on_retrans(TcpConn *c)
{
    TcpSeg *s = c->snd.rtx_head;

    if (c->fastopen_req) {
        on_fastopen_synack(c, c->fastopen_req);
        return;
    }
    if (!c->packets_out || !s)
        return;
    if (!c->snd_wnd && !is_orphan(c) && !is_in(c, STATE_SYN)) {
        if (rtx_probe0_timed_out(c, s)) {
            tcp_conn_write_err(c);
            return;
        }
        tcp_recovery_enter_loss(c);
        tcp_retransmit_seg(c, c->snd.rtx_head, 1);
        tcp_ip_negative_advice(c);
        back_off(c);
        return;
    }
    TCP_INC(c->tcp, TcpExtTCPTimeouts);
    if (write_timeout(c))
        return;
    count_failure(c);
    tcp_recovery_enter_loss(c);
    count_timeout(c);
    if (tcp_retransmit_seg(c, c->snd.rtx_head, 1) > 0) {
        /* dropped by our own device: nothing has been learnt about the network */
        tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, TCP_PROBE_INTERVAL_MIN_MS * SIM_MS);
        return;
    }
    back_off(c);
}

/* ---- window probes ---- */

/* RFC 9293 3.8.6.1: a closed window is probed as long as the peer answers. But orphans, and sockets with a
 * user timeout, end. */
static void on_probe0(TcpConn *c)
{
    unsigned most = c->tcp->sysctl->tcp_retries2;

    if (HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_NO_PERSIST))
        return;
    if (c->packets_out || !c->snd.write_head) {
        c->keep.probes_out = 0;
        c->keep.probes_stamp = 0;
        return;
    }
    if (!c->keep.probes_stamp) {
        c->keep.probes_stamp = c->mstamp;
    } else if (c->keep.user_timeout_ms &&
               now_ms(c) - c->keep.probes_stamp / TCP_JIFFY_NS >= (int64_t)c->keep.user_timeout_ms) {
        tcp_conn_write_err(c);
        return;
    }
    if (is_orphan(c)) {
        uint64_t rto = (uint64_t)c->rtt.rto_ms << HS_MIN(c->rtt.backoff, 32);
        bool alive = rto < c->rtt.rto_max_ms;

        most = orphan_retries(c, alive);
        if (!alive && c->rtt.backoff >= most) {
            tcp_conn_write_err(c);
            return;
        }
        if (out_of_resources(c, true))
            return;
    }
    if (c->keep.probes_out >= most)
        tcp_conn_write_err(c);
    else
        tcp_output_send_probe0(c);
}

/* ---- firing ---- */

static void fire_rtx(Timer *t)
{
    TcpConn *c = HS_CONTAINER_OF(t, TcpConn, t_rtx);
    uint8_t kind = c->timer_kind;

    if (c->state == TCP_CLOSE || c->state == TCP_LISTEN || kind == TCP_TIMER_NONE)
        return;
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    tcp_probes_timer(c, kind_name[kind], "fired", c->mstamp);
    switch (kind) {
    case TCP_TIMER_RETRANS:
        c->timer_kind = TCP_TIMER_NONE;
        on_retrans(c);
        break;
    case TCP_TIMER_LOSS_PROBE:
        tcp_tlp_send(c);
        break;
    case TCP_TIMER_REO:
        tcp_rack_on_timeout(c);
        break;
    case TCP_TIMER_PROBE0:
        c->timer_kind = TCP_TIMER_NONE;
        on_probe0(c);
        break;
    default:
        break;
    }
    tcp_conn_let(c);
}

static void fire_with(TcpConn *c, void (*fn)(TcpConn *c))
{
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    fn(c);
    tcp_conn_let(c);
}

static void fire_keep(Timer *t)
{
    fire_with(HS_CONTAINER_OF(t, struct TcpSeldomTimers, keep)->conn, tcp_keepalive_on_timeout);
}

static void fire_delack(Timer *t)
{
    fire_with(HS_CONTAINER_OF(t, TcpConn, t_delack), tcp_delack_on_timeout);
}

static void fire_comp(Timer *t)
{
    fire_with(HS_CONTAINER_OF(t, struct TcpSeldomTimers, comp)->conn, tcp_delack_on_comp_timeout);
}

static void fire_pace(Timer *t)
{
    fire_with(HS_CONTAINER_OF(t, struct TcpSeldomTimers, pace)->conn, tcp_output_tsq_done);
}

static Timer *seldom(const TcpConn *c, unsigned which)
{
    struct TcpSeldomTimers *s = c->seldom;

    return which == TCP_SELDOM_KEEP ? &s->keep : which == TCP_SELDOM_PACE ? &s->pace : &s->comp;
}

void tcp_timer_arm_seldom(TcpConn *c, unsigned which, SimTime at)
{
    if (!c->seldom) {
        Node *n = c->tcp->node;

        c->seldom = pool_alloc(c->tcp->shared->timers);
        c->seldom->conn = c;
        timer_init(&c->seldom->keep, n, fire_keep);
        timer_init(&c->seldom->pace, n, fire_pace);
        timer_init(&c->seldom->comp, n, fire_comp);
    }
    timer_arm(seldom(c, which), at);
}

void tcp_timer_stop_seldom(TcpConn *c, unsigned which)
{
    if (c->seldom)
        timer_cancel(seldom(c, which));
}

bool tcp_timer_is_seldom_armed(const TcpConn *c, unsigned which)
{
    return c->seldom && timer_is_armed(seldom(c, which));
}

void tcp_timer_init(TcpConn *c)
{
    Node *n = c->tcp->node;

    timer_init(&c->t_rtx, n, fire_rtx);
    timer_init(&c->t_delack, n, fire_delack);
    c->timer_kind = TCP_TIMER_NONE;
}

void tcp_timer_clear(TcpConn *c)
{
    c->timer_kind = TCP_TIMER_NONE;
    timer_clear(&c->t_rtx);
    timer_clear(&c->t_delack);
    if (c->seldom) {
        timer_clear(&c->seldom->keep);
        timer_clear(&c->seldom->pace);
        timer_clear(&c->seldom->comp);
        pool_free(c->tcp->shared->timers, c->seldom);
        c->seldom = NULL;
    }
}
