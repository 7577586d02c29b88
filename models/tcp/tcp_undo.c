/* Taking a window reduction back when it turns out that nothing was lost. Evidence, as in Linux:
 *   - an echoed timestamp from before the first retransmission: the original arrived (Eifel, RFC 3522);
 *   - D-SACKs for each segment that was sent again (RFC 2883, 3708): undo_retrans reaches 0;
 *   - F-RTO's (RFC 5682), judged in tcp_recovery.c;
 *   - nothing was sent again at all.
 * undo_marker is snd_una at the beginning of the episode; 0 means that it cannot be undone. prior_ssthresh 0
 * (an ECN echo) keeps the reduction even so. */
#include "models/tcp/tcp_ack.h"

#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_probes.h"

#define RACK_RECOVERY_THRESH 16

void tcp_undo_init(TcpConn *c)
{
    c->rec.undo_marker = c->snd_una;
    /* What is in flight for the second time may yet cause D-SACKs … */
    c->rec.undo_retrans = (int32_t)c->retrans_out;
    /* … a loss probe as well … */
    if (c->tlp.high_seq && c->tlp.is_retrans)
        c->rec.undo_retrans++;
    /* … and 0 would mean "can be undone now". */
    if (!c->rec.undo_retrans)
        c->rec.undo_retrans = -1;
}

bool tcp_undo_any_retrans_done(const TcpConn *c)
{
    return c->retrans_out || (c->snd.rtx_head && (c->snd.rtx_head->sacked & SEG_EVER_RETRANS));
}

void tcp_undo_retrans_stamp_cleanup(TcpConn *c)
{
    if (!tcp_undo_any_retrans_done(c))
        c->rtt.retrans_stamp = 0;
}

bool tcp_undo_ecr_is_before(const TcpConn *c, SimTime when)
{
    return c->ts.saw_tstamp && c->ts.rcv_tsecr && tcp_before(c->ts.rcv_tsecr, tcp_ts_clock(when));
}

/* Linux tcp_packet_delayed: was what snd_una just passed merely late? */
static bool is_packet_delayed(const TcpConn *c)
{
    if (c->rtt.retrans_stamp)
        return tcp_undo_ecr_is_before(c, c->rtt.retrans_stamp);

    /* No stamp: nothing was sent again (the retransmission may be stuck in the device) — but for two cases
     * in which the stamp was erased: a connection without SACK at the end of its episode, and a SYN that
     * was retransmitted. */
    if (!c->sack.is_sack_ok && !tcp_before(c->snd_una, c->rec.high_seq))
        return false;
    return c->state != TCP_SYN_SENT;
}

static bool may_undo(const TcpConn *c)
{
    return c->rec.undo_marker && (!c->rec.undo_retrans || is_packet_delayed(c));
}

static void undo_reduction(TcpConn *c, bool unmark_loss)
{
    if (unmark_loss) {
        for (TcpSeg *s = c->snd.rtx_head; s; s = s->next)
            s->sacked &= (uint8_t)~SEG_LOST;
        c->lost_out = 0;
        tcp_sack_reset(c);
    }

    if (c->rec.prior_ssthresh) {
        CcView v;

        tcp_cc_fill_view(c, &v);
        c->cc.s.cwnd = cc_undo_cwnd(&c->cc, &v);
        if (c->rec.prior_ssthresh > c->cc.s.ssthresh) {
            c->cc.s.ssthresh = c->rec.prior_ssthresh;
            c->ecn.flags &= (uint8_t)~TCP_ECN_QUEUE_CWR; /* tcp_ecn_withdraw_cwr */
        }
    }
    c->snd_cwnd_stamp = c->mstamp;
    c->rec.undo_marker = 0;
    c->rack.advanced = true; /* RACK looks again at what was unmarked */
    tcp_probes_recovery(c, "undo");
}

/* Without SACK the state is held until something above high_seq is acknowledged: duplicate ACKs that our
 * retransmissions cause must not start another fast retransmit (RFC 6582 5;
 * tcp_is_non_sack_preventing_reopen). */
static bool is_reopening_prevented(TcpConn *c)
{
    if (c->snd_una != c->rec.high_seq || c->sack.is_sack_ok)
        return false;
    tcp_undo_retrans_stamp_cleanup(c);
    return true;
}

/* The episode's last ACK. true: the state stays. */
bool tcp_undo_recovery(TcpConn *c)
{
    if (may_undo(c)) {
        undo_reduction(c, false);
        if (c->rec.ca_state == TCP_CA_LOSS)
            TCP_INC(c->tcp, TcpExtTCPLossUndo);
        else
            TCP_INC(c->tcp, TcpExtTCPFullUndo);
    } else if (c->rack.reo_wnd_persist) {
        c->rack.reo_wnd_persist--;
    }
    if (is_reopening_prevented(c))
        return true;
    tcp_recovery_set_ca_state(c, TCP_CA_OPEN);
    c->rec.is_sack_reneg = 0;
    return false;
}

bool tcp_undo_dsack(TcpConn *c)
{
    if (!c->rec.undo_marker || c->rec.undo_retrans)
        return false;
    c->rack.reo_wnd_persist = (uint8_t)HS_MIN(RACK_RECOVERY_THRESH, c->rack.reo_wnd_persist + 1);
    undo_reduction(c, false);
    TCP_INC(c->tcp, TcpExtTCPDSACKUndo);
    return true;
}

bool tcp_undo_loss(TcpConn *c, bool frto_undo)
{
    if (!frto_undo && !may_undo(c))
        return false;
    undo_reduction(c, true);
    TCP_INC(c->tcp, TcpExtTCPLossUndo);
    if (frto_undo)
        TCP_INC(c->tcp, TcpExtTCPSpuriousRTOs);
    c->retransmits = 0;
    if (is_reopening_prevented(c))
        return true;
    if (frto_undo || c->sack.is_sack_ok) {
        tcp_recovery_set_ca_state(c, TCP_CA_OPEN);
        c->rec.is_sack_reneg = 0;
    }
    return true;
}

/* A partial ACK in recovery. true: nothing more is to be marked or sent again. */
bool tcp_undo_partial(TcpConn *c, uint32_t prior_snd_una)
{
    if (!c->rec.undo_marker || !is_packet_delayed(c))
        return false;
    /* The hole was filled by what had been late. */
    tcp_sack_update_reordering(c, prior_snd_una, 1);
    /* With retransmissions still in flight only new data are clocked out. */
    if (c->retrans_out)
        return true;
    tcp_undo_retrans_stamp_cleanup(c);
    undo_reduction(c, true);
    TCP_INC(c->tcp, TcpExtTCPPartialUndo);
    tcp_recovery_try_keep_open(c);
    return false;
}

/* The SYN-ACK answers the first of our SYNs: the timeout was too short, not the network lossy
 * (tcp_try_undo_spurious_syn; RFC 6298 5.7's window of 1 does not apply). */
void tcp_recovery_undo_spurious_syn(TcpConn *c)
{
    if (c->rec.undo_marker && c->rtt.retrans_stamp && c->ts.saw_tstamp &&
        tcp_ts_clock(c->rtt.retrans_stamp) == c->ts.rcv_tsecr)
        c->rec.undo_marker = 0;
}
