/* How large a segment may be: path MTU discovery as ICMP tells it (RFC 1191, RFC 8201), and by probing when
 * ICMP is silent (RFC 4821; Linux tcp_sync_mss, tcp_current_mss, tcp_mtu_probe, tcp_mtu_probing). Sizes
 * called mss are payload of a segment with the connection's usual options; mtu includes all headers. */
#include <errno.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_ip.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/wire/tcp.h"

/* ---- conversions ---- */

uint32_t tcp_pmtu_mtu_to_mss(TcpConn *c, uint32_t pmtu)
{
    int64_t mss = (int64_t)pmtu - tcp_ip_header_len(c) - TCP_MIN_HDR_LEN;

    mss = HS_MIN(mss, (int64_t)c->mss_clamp);
    mss = HS_MAX(mss, (int64_t)c->tcp->sysctl->tcp_min_snd_mss);
    return (uint32_t)(mss - ((int64_t)c->tcp_header_len - TCP_MIN_HDR_LEN));
}

uint32_t tcp_pmtu_mss_to_mtu(TcpConn *c, uint32_t mss)
{
    return mss + c->tcp_header_len + tcp_ip_header_len(c);
}

uint32_t tcp_pmtu_sync_mss(TcpConn *c, uint32_t pmtu)
{
    uint32_t mss;

    if (c->mtup.search_high > pmtu)
        c->mtup.search_high = (uint16_t)pmtu;
    mss = tcp_pace_bound_to_half_wnd(c, tcp_pmtu_mtu_to_mss(c, pmtu));
    c->pmtu_cookie = pmtu;
    if (c->mtup.enabled)
        mss = HS_MIN(mss, tcp_pmtu_mtu_to_mss(c, c->mtup.search_low));
    c->mss_cache = mss;
    return mss;
}

uint32_t tcp_pmtu_current_mss(TcpConn *c)
{
    uint32_t mss = c->mss_cache, mtu = tcp_ip_mtu(c);
    TcpOptOut opts;

    if (mtu && mtu != c->pmtu_cookie)
        mss = tcp_pmtu_sync_mss(c, mtu);
    /* mss_cache allows for the usual options: SACK blocks and the like take from the payload */
    return mss - (tcp_opt_out_established(c, NULL, &opts) + TCP_MIN_HDR_LEN - c->tcp_header_len);
}

uint32_t tcp_pmtu_send_mss(TcpConn *c, uint32_t *size_goal, int flags)
{
    uint32_t mss = tcp_pmtu_current_mss(c);

    *size_goal = tcp_pace_size_goal(c, mss, !(flags & 1 /* MSG_OOB */));
    return mss;
}

/* ---- ICMP ---- */

/* What was too big has been dropped: it goes again now, smaller. */
static void shrink(TcpConn *c, uint32_t mtu)
{
    if (!mtu || c->pmtu_cookie <= mtu)
        return;
    tcp_pmtu_sync_mss(c, mtu);
    tcp_recovery_simple_retransmit(c);
}

/* tcp_v6_mtu_reduced: whatever IPV6_MTU_DISCOVER says, except that two of its modes ignore such errors
 * (tcp_v6_err). */
static void reduced6(TcpConn *c, uint32_t mtu, int mode)
{
    if (mode == TCP_PMTUDISC_INTERFACE || mode == TCP_PMTUDISC_OMIT)
        return;
    if (tcp_pmtu_mtu_to_mss(c, mtu) >= c->mss_cache) /* no error makes a path wider */
        return;
    tcp_ip_pmtu_update(c, mtu);
    shrink(c, tcp_ip_mtu(c));
}

/* tcp_v4_mtu_reduced */
void tcp_pmtu_reduced(TcpConn *c, uint32_t mtu)
{
    int mode = tcp_ip_pmtudisc(c);

    if (c->state == TCP_LISTEN || c->state == TCP_CLOSE)
        return;
    if (c->sflags & TCP_S_WIRE_V6) {
        reduced6(c, mtu, mode);
        return;
    }
    tcp_ip_pmtu_update(c, mtu);
    if (mtu < tcp_ip_mtu(c) && mode != TCP_PMTUDISC_DONT && !tcp_ip_mtu_is_locked(c))
        c->err_soft = EMSGSIZE;
    if (mode != TCP_PMTUDISC_DONT && mode != TCP_PMTUDISC_INTERFACE && mode != TCP_PMTUDISC_OMIT)
        shrink(c, tcp_ip_mtu(c));
}

/* ---- probing ---- */

static uint16_t clamp_mtu(const TcpConn *c)
{
    return (uint16_t)HS_MIN(c->mss_clamp + TCP_MIN_HDR_LEN + tcp_ip_header_len(c), 65535u);
}

void tcp_pmtu_init(TcpConn *c)
{
    TcpMtuProbe *m = &c->mtup;

    m->enabled = c->tcp->sysctl->tcp_mtu_probing > 1;
    m->search_high = clamp_mtu(c);
    m->search_low = (uint16_t)tcp_pmtu_mss_to_mtu(c, c->tcp->sysctl->tcp_base_mss);
    m->probe_size = 0;
    if (m->enabled)
        m->timestamp = c->mstamp;
}

/* Linux tcp_mtu_check_reprobe: the path may have become wider since. */
static void check_reprobe(TcpConn *c)
{
    TcpMtuProbe *m = &c->mtup;

    if (c->mstamp - m->timestamp < (SimTime)c->tcp->sysctl->tcp_probe_interval_s * SIM_SEC)
        return;
    m->probe_size = 0;
    m->search_high = clamp_mtu(c);
    m->search_low = (uint16_t)tcp_pmtu_mss_to_mtu(c, tcp_pmtu_current_mss(c));
    m->timestamp = c->mstamp;
}

/* Linux tcp_can_coalesce_send_queue_head: nothing forbids joining the first len bytes. */
static bool can_coalesce(const TcpConn *c, uint32_t len)
{
    for (const TcpSeg *s = c->snd.write_head; s; s = s->next) {
        if (len <= tcpseg_len(s))
            return true;
        if (s->eor || !s->next)
            return false;
        len -= tcpseg_len(s);
    }
    return true;
}

/* The next len bytes become one segment at the head of the write queue. */
static TcpSeg *build_probe(TcpConn *c, uint32_t len, uint32_t mss_now)
{
    TcpSeg *head = c->snd.write_head;
    TcpSeg *p = tcpsndq_new_control(c, head->seq, TCP_ACK);

    tcpsndq_insert_before(c, p, head);
    if (c->sack.highest_sack == head)
        c->sack.highest_sack = p;
    while (tcpseg_len(p) < len) {
        TcpSeg *s = p->next;
        uint32_t have = tcpseg_len(s), copy = HS_MIN(have, len - tcpseg_len(p));

        if (have > copy)
            p->flags |= s->flags & ~(TCP_FIN | TCP_PSH);
        tcpsndq_shift(c, p, s, copy);
        if (have > copy)
            tcpsndq_charge_more(c, s, copy); /* cut without giving its memory back (__pskb_trim_head) */
        if (have > copy)
            tcpsndq_set_pcount(s, mss_now);
    }
    tcpsndq_set_pcount(p, tcpseg_len(p));
    return p;
}

int tcp_pmtu_probe(TcpConn *c)
{
    TcpMtuProbe *m = &c->mtup;
    uint32_t mss_now, probe_size, size_needed;

    /* not probing already, no trouble, window enough, no SACKs that vary the header */
    if (HS_LIKELY(!m->enabled) || m->probe_size || c->rec.ca_state != TCP_CA_OPEN || c->cc.s.cwnd < 11 ||
        c->rcv.num_sacks || c->rcv.dsack)
        return -1;
    mss_now = tcp_pmtu_current_mss(c);
    probe_size = tcp_pmtu_mtu_to_mss(c, (uint32_t)(m->search_high + m->search_low) >> 1);
    size_needed = probe_size + (c->sack.reordering + 1) * c->mss_cache;
    if (probe_size > tcp_pmtu_mtu_to_mss(c, m->search_high) ||
        m->search_high - m->search_low < (int)c->tcp->sysctl->tcp_probe_threshold) {
        check_reprobe(c);
        return -1;
    }
    /* enough behind it that its loss will be seen by duplicate ACKs */
    if (c->write_seq - c->snd_nxt < size_needed || c->snd_wnd < size_needed)
        return -1;
    if (tcp_after(c->snd_nxt + size_needed, tcp_wnd_end(c)))
        return 0;
    if (tcp_packets_in_flight(c) + 2 > c->cc.s.cwnd)
        return tcp_packets_in_flight(c) ? 0 : -1;
    if (!can_coalesce(c, probe_size) || tcp_pace_must_wait(c))
        return -1;

    TcpSeg *p = build_probe(c, probe_size, mss_now);

    /* if it cannot be sent, tcp_output_write cuts it up again */
    if (tcp_output_transmit(c, p, true, c->rcv_nxt))
        return -1;
    /* it takes the place of two */
    c->cc.s.cwnd--;
    tcp_output_event_new_data_sent(c, p);
    m->probe_size = (uint16_t)tcp_pmtu_mss_to_mtu(c, tcpseg_len(p));
    m->probe_seq_start = p->seq;
    m->probe_seq_end = p->end_seq;
    return 1;
}

/* Linux tcp_mtup_probe_success, tcp_mtup_probe_failed */
void tcp_pmtu_on_probe_acked(TcpConn *c, bool success)
{
    TcpMtuProbe *m = &c->mtup;

    if (!success) {
        m->search_high = m->probe_size - 1;
        m->probe_size = 0;
        TCP_INC(c->tcp, TcpExtTCPMTUPFail);
        return;
    }
    /* the window is counted in packets: as many bytes as before */
    uint64_t cwnd = (uint64_t)c->cc.s.cwnd * tcp_pmtu_mss_to_mtu(c, c->mss_cache) / m->probe_size;

    c->cc.s.cwnd = HS_MAX(1u, (uint32_t)cwnd);
    c->cc.s.cwnd_cnt = 0;
    c->snd_cwnd_stamp = c->mstamp;
    c->cc.s.ssthresh = tcp_cwnd_current_ssthresh(c);
    m->search_low = m->probe_size;
    m->probe_size = 0;
    tcp_pmtu_sync_mss(c, c->pmtu_cookie);
    TCP_INC(c->tcp, TcpExtTCPMTUPSuccess);
}

/* Linux tcp_mtu_probing: repeated timeouts may be a black hole for large packets. */
void tcp_pmtu_on_timeout(TcpConn *c)
{
    const TcpSysctl *s = c->tcp->sysctl;
    TcpMtuProbe *m = &c->mtup;

    if (!s->tcp_mtu_probing)
        return;
    if (!m->enabled) {
        m->enabled = true;
        m->timestamp = c->mstamp;
    } else {
        uint32_t mss = tcp_pmtu_mtu_to_mss(c, m->search_low) >> 1;

        mss = HS_MIN(s->tcp_base_mss, mss);
        mss = HS_MAX(mss, s->tcp_mtu_probe_floor);
        mss = HS_MAX(mss, s->tcp_min_snd_mss);
        m->search_low = (uint16_t)tcp_pmtu_mss_to_mtu(c, mss);
    }
    tcp_pmtu_sync_mss(c, c->pmtu_cookie);
}
