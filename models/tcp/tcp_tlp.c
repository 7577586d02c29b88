/* Tail loss probe (RFC 8985 7; Linux tcp_schedule_loss_probe, tcp_send_loss_probe, tcp_process_tlp_ack): when
 * ACKs stop, send something after two round-trip times, long before the retransmission timeout, so that SACKs
 * tell what is missing. */
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_timer.h"

/* How far in the future is the RTO of the oldest segment? (tcp_rto_delta_us) */
static int64_t rto_delta_us(const TcpConn *c)
{
    int64_t rto_us = (int64_t)c->rtt.rto_ms * 1000;

    if (!c->snd.rtx_head)
        return rto_us;
    return c->snd.rtx_head->sent_ns / 1000 + rto_us - c->mstamp / 1000;
}

bool tcp_tlp_schedule(TcpConn *c, bool advancing_rto)
{
    uint8_t early = c->tcp->sysctl->tcp_early_retrans;
    uint32_t timeout_ms = TCP_TIMEOUT_INIT_MS;
    int64_t delta_us;

    if (c->fastopen_req ||
        tcp_classic_is_on(c)) /* the handshake has not ended; textbook stacks have no TLP */
        return false;
    if ((early != 3 && early != 4) || !c->packets_out || !c->sack.is_sack_ok ||
        (c->rec.ca_state != TCP_CA_OPEN && c->rec.ca_state != TCP_CA_CWR))
        return false;
    /* 2 RTT; one packet alone may be waiting for a delayed ACK, for which Linux allows the minimum RTO */
    if (c->rtt.srtt_us) {
        uint32_t us = c->rtt.srtt_us >> 2;

        us += c->packets_out == 1 ? tcp_rtt_rto_min_us(c) : TCP_TIMEOUT_MIN_US;
        timeout_ms = (us + 999) / 1000;
    }
    delta_us = advancing_rto ? (int64_t)c->rtt.rto_ms * 1000 : rto_delta_us(c);
    if (delta_us > 0)
        timeout_ms = (uint32_t)HS_MIN((int64_t)timeout_ms, (delta_us + 999) / 1000);
    tcp_timer_arm_rtx(c, TCP_TIMER_LOSS_PROBE, timeout_ms * SIM_MS + tcp_pace_delay(c));
    return true;
}

/* New data beyond the window if there is some (the one packet more that RFC 8985 allows), else the last
 * segment again. false: neither. */
static bool send_probe(TcpConn *c)
{
    uint32_t mss = tcp_pmtu_current_mss(c), before = c->packets_out;
    TcpSeg *s = c->snd.write_head;

    if (s && tcp_output_snd_wnd_test(c, s, mss)) {
        tcp_output_write(c, mss, TCP_NAGLE_OFF, 2);
        return c->packets_out > before;
    }
    s = c->snd.rtx_tail;
    if (!s)
        return false;
    if (s->is_copy_held) {
        TCP_INC(c->tcp, TcpExtTCPSpuriousRtxHostQueues);
        return false;
    }
    if (s->pcount > 1 && tcpseg_len(s) > (s->pcount - 1u) * mss) {
        s = tcpsndq_fragment(c, s, (s->pcount - 1u) * mss, mss);
        if (!s)
            return false;
    }
    if (tcp_retransmit_unmarked(c, s, 1))
        return false;
    c->tlp.is_retrans = true;
    return true;
}

void tcp_tlp_send(TcpConn *c)
{
    /* one at a time */
    if (!c->tlp.high_seq) {
        c->tlp.is_retrans = false;
        if (!c->snd.rtx_head && !c->snd.write_head) {
            c->timer_kind = TCP_TIMER_NONE;
            return;
        }
        if (send_probe(c)) {
            c->tlp.high_seq = c->snd_nxt;
            TCP_INC(c->tcp, TcpExtTCPLossProbes);
            /* so that the RTO counts from now */
            c->timer_kind = TCP_TIMER_NONE;
        }
    }
    tcp_ack_rearm_rto(c);
}

void tcp_tlp_on_ack(TcpConn *c, uint32_t ack, int flag)
{
    if (tcp_before(ack, c->tlp.high_seq))
        return;
    if (!c->tlp.is_retrans || flag & ACK_DSACK_TLP) {
        /* new data was the probe; or both copies arrived: no loss */
        c->tlp.high_seq = 0;
    } else if (tcp_after(ack, c->tlp.high_seq)) {
        /* something beyond the probe is acknowledged and no D-SACK came: the probe repaired a loss, which
         * counts as congestion (RFC 8985 7.4.2). high_seq is cleared by the reduction. */
        tcp_prr_init_reduction(c);
        tcp_recovery_set_ca_state(c, TCP_CA_CWR);
        tcp_prr_end(c);
        tcp_recovery_try_keep_open(c);
        tcp_cc_event(c, CC_EVENT_TLP_RECOVERY);
        TCP_INC(c->tcp, TcpExtTCPLossProbeRecovery);
    } else if (!(flag & (ACK_SND_UNA_ADVANCED | ACK_NOT_DUP | ACK_DATA_SACKED))) {
        /* a bare duplicate ACK: both arrived */
        c->tlp.high_seq = 0;
    }
}
