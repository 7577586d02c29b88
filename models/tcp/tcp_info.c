/* TCP_INFO (Linux tcp_get_info, tcp_get_info_chrono_stats, tcp_compute_delivery_rate). Times that Linux keeps
 * in jiffies are shown in whole milliseconds, as HZ=1000 would. */
#include "models/tcp/tcp_info.h"

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"

static uint32_t jiffies(SimTime t)
{
    return (uint32_t)(t / TCP_JIFFY_NS);
}

static uint64_t delivery_rate(const TcpConn *c)
{
    if (!c->rate.rate_delivered || !c->rate.rate_interval_us)
        return 0;
    return (uint64_t)c->rate.rate_delivered * c->mss_cache * 1000000 / c->rate.rate_interval_us;
}

static void fill_chrono(const TcpConn *c, TcpInfo *info)
{
    uint64_t us[4], total = 0;

    for (unsigned i = 1; i <= 3; i++) {
        us[i] = (uint64_t)(c->chrono.stat[i - 1] / TCP_JIFFY_NS) * 1000;
        if (i == c->chrono_type)
            us[i] += (uint64_t)(jiffies(c->mstamp) - jiffies(c->chrono.start)) * 1000;
        total += us[i];
    }
    info->tcpi_busy_time = total;
    info->tcpi_rwnd_limited = us[2];
    info->tcpi_sndbuf_limited = us[3];
}

static unsigned ecn_mode(const TcpConn *c)
{
    return tcp_ecn_is_pending(c)   ? TCPI_ECN_MODE_PENDING
           : tcp_ecn_is_accecn(c)  ? TCPI_ECN_MODE_ACCECN
           : tcp_ecn_is_rfc3168(c) ? TCPI_ECN_MODE_RFC3168
                                   : TCPI_ECN_MODE_DISABLED;
}

static void fill_options(const TcpConn *c, TcpInfo *info)
{
    if (c->ts.tstamp_ok)
        info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
    if (c->sack.is_sack_ok)
        info->tcpi_options |= TCPI_OPT_SACK;
    if (c->win.wscale_ok) {
        info->tcpi_options |= TCPI_OPT_WSCALE;
        info->tcpi_snd_wscale = c->win.snd_wscale & 15;
        info->tcpi_rcv_wscale = c->win.rcv_wscale & 15;
    }
    info->tcpi_ecn_mode = ecn_mode(c) & 3;
    if (info->tcpi_ecn_mode)
        info->tcpi_options |= TCPI_OPT_ECN;
    if (c->ecn.flags & TCP_ECN_SEEN)
        info->tcpi_options |= TCPI_OPT_ECN_SEEN;
    if (c->sflags & TCP_S_SYN_DATA_ACKED)
        info->tcpi_options |= TCPI_OPT_SYN_DATA;
    if (c->sflags & TCP_S_TFO_CHILD)
        info->tcpi_options |= TCPI_OPT_TFO_CHILD;
}

static void fill_ecn(const TcpConn *c, TcpInfo *info)
{
    const TcpEcn *e = &c->ecn;

    info->tcpi_accecn_fail_mode = e->accecn_fail_mode & 15;
    info->tcpi_accecn_opt_seen = e->saw_accecn_opt & 3;
    info->tcpi_received_ce = e->received_ce;
    /* in the order of the codepoints: ECT(1) is 1, ECT(0) 2, CE 3 */
    info->tcpi_delivered_e1_bytes = e->delivered_ecn_bytes[0];
    info->tcpi_delivered_e0_bytes = e->delivered_ecn_bytes[1];
    info->tcpi_delivered_ce_bytes = e->delivered_ecn_bytes[2];
    info->tcpi_received_e1_bytes = e->received_ecn_bytes[0];
    info->tcpi_received_e0_bytes = e->received_ecn_bytes[1];
    info->tcpi_received_ce_bytes = e->received_ecn_bytes[2];
}

static void fill_recovery(const TcpConn *c, TcpInfo *info)
{
    info->tcpi_ca_state = c->rec.ca_state;
    info->tcpi_retransmits = c->retransmits;
    info->tcpi_probes = c->keep.probes_out;
    info->tcpi_backoff = c->rtt.backoff;
    info->tcpi_unacked = c->packets_out;
    info->tcpi_sacked = c->sacked_out;
    info->tcpi_lost = c->lost_out;
    info->tcpi_retrans = c->retrans_out;
    info->tcpi_total_retrans = c->stats.total_retrans;
    info->tcpi_dsack_dups = c->sack.dsack_dups;
    info->tcpi_reord_seen = c->sack.reord_seen;
    info->tcpi_rehash = c->stats.timeout_rehash;
    info->tcpi_total_rto = (uint16_t)c->rec.total_rto;
    info->tcpi_total_rto_recoveries = c->rec.total_rto_recoveries;
    info->tcpi_total_rto_time = c->rec.total_rto_time_ms;
    if (c->rec.rto_stamp)
        info->tcpi_total_rto_time += jiffies(c->mstamp) - jiffies(c->rec.rto_stamp);
}

static void fill_time(const TcpConn *c, TcpInfo *info)
{
    uint32_t now = jiffies(c->mstamp);

    info->tcpi_rto = c->rtt.rto_ms * 1000;
    info->tcpi_ato = HS_MIN(c->ack.ato_ms, c->rtt.delack_max_ms) * 1000;
    info->tcpi_last_data_sent = now - jiffies(c->lsndtime);
    info->tcpi_last_data_recv = now - jiffies(c->ack.lrcv_ns);
    info->tcpi_last_ack_recv = now - jiffies(c->rcv_tstamp);
    info->tcpi_rtt = c->rtt.srtt_us >> 3;
    info->tcpi_rttvar = c->rtt.mdev_us >> 2;
    info->tcpi_rcv_rtt = c->win.rcv_rtt_us >> 3;
    info->tcpi_min_rtt = tcp_rtt_min_us(c);
    info->tcpi_delivery_rate_app_limited = c->rate.rate_app_limited;
    info->tcpi_delivery_rate = delivery_rate(c);
    fill_chrono(c, info);
}

static void fill_counts(const TcpConn *c, TcpInfo *info)
{
    const TcpStats *s = &c->stats;

    info->tcpi_bytes_acked = s->bytes_acked;
    info->tcpi_bytes_received = s->bytes_received;
    info->tcpi_bytes_sent = s->bytes_sent;
    info->tcpi_bytes_retrans = s->bytes_retrans;
    info->tcpi_segs_out = s->segs_out;
    info->tcpi_segs_in = s->segs_in;
    info->tcpi_data_segs_in = s->data_segs_in;
    info->tcpi_data_segs_out = s->data_segs_out;
    info->tcpi_rcv_ooopack = s->rcv_ooopack;
    info->tcpi_delivered = c->delivered;
    info->tcpi_delivered_ce = c->delivered_ce;
    info->tcpi_notsent_bytes = tcp_after(c->write_seq, c->snd_nxt) ? c->write_seq - c->snd_nxt : 0;
}

void tcp_get_info(TcpConn *c, TcpInfo *info)
{
    tcp_mstamp_refresh(c);
    *info = (TcpInfo){
        .tcpi_state = c->state,
        .tcpi_pacing_rate = c->pacing_rate_bps8,
        .tcpi_max_pacing_rate = c->max_pacing_rate,
        .tcpi_reordering = c->sack.reordering,
        .tcpi_snd_cwnd = c->cc.s.cwnd,
    };
    if (c->state == TCP_LISTEN) { /* the two are what waits to be accepted, and how much may */
        info->tcpi_unacked = c->listen->ack_backlog;
        info->tcpi_sacked = c->listen->max_ack_backlog;
        return;
    }
    fill_options(c, info);
    fill_recovery(c, info);
    fill_time(c, info);
    fill_counts(c, info);
    fill_ecn(c, info);
    info->tcpi_snd_mss = c->mss_cache;
    info->tcpi_rcv_mss = c->ack.rcv_mss;
    info->tcpi_pmtu = c->pmtu_cookie;
    info->tcpi_rcv_ssthresh = c->win.rcv_ssthresh;
    info->tcpi_snd_ssthresh = c->cc.s.ssthresh;
    info->tcpi_advmss = c->advmss;
    info->tcpi_rcv_space = c->win.space_space;
    info->tcpi_snd_wnd = c->snd_wnd;
    info->tcpi_rcv_wnd = c->win.rcv_wnd;
    info->tcpi_fastopen_client_fail = c->fastopen_client_fail & 3;
}

/* clang-format off */
#define FIELDS(X)                                                                                            \
    X(state)                                                                                                 \
    X(ca_state)                                                                                              \
    X(retransmits)                                                                                           \
    X(probes) X(backoff) X(options) X(snd_wscale) X(rcv_wscale) X(delivery_rate_app_limited)                 \
        X(fastopen_client_fail) X(rto) X(ato) X(snd_mss) X(rcv_mss) X(unacked) X(sacked) X(lost) X(retrans)  \
            X(fackets) X(last_data_sent) X(last_ack_sent) X(last_data_recv) X(last_ack_recv) X(pmtu)         \
                X(rcv_ssthresh) X(rtt) X(rttvar) X(snd_ssthresh) X(snd_cwnd) X(advmss) X(reordering)         \
                    X(rcv_rtt) X(rcv_space) X(total_retrans) X(pacing_rate) X(max_pacing_rate)               \
                        X(bytes_acked) X(bytes_received) X(segs_out) X(segs_in) X(notsent_bytes) X(min_rtt)  \
                            X(data_segs_in) X(data_segs_out) X(delivery_rate) X(busy_time) X(rwnd_limited)   \
                                X(sndbuf_limited) X(delivered) X(delivered_ce) X(bytes_sent)                 \
                                    X(bytes_retrans) X(dsack_dups) X(reord_seen) X(rcv_ooopack) X(snd_wnd)   \
                                        X(rcv_wnd) X(rehash) X(total_rto) X(total_rto_recoveries)            \
                                            X(total_rto_time) X(received_ce) X(delivered_e1_bytes)           \
                                                X(delivered_e0_bytes) X(delivered_ce_bytes)                  \
                                                    X(received_e1_bytes) X(received_e0_bytes)                \
                                                        X(received_ce_bytes) X(ecn_mode) X(accecn_opt_seen)  \
                                                            X(accecn_fail_mode) X(options2)

#define X(name)                                                                                              \
    static uint64_t get_##name(const TcpInfo *info)                                                          \
    {                                                                                                        \
        return info->tcpi_##name;                                                                            \
    }
FIELDS(X)
#undef X

const TcpInfoField tcp_info_fields[] = {
#define X(name) {"tcpi_" #name, get_##name},
    FIELDS(X)
#undef X
        {NULL, NULL},
};
/* clang-format on */
