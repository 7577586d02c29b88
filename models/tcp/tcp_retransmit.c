/* Sending again (Linux __tcp_retransmit_skb, tcp_retrans_try_collapse, tcp_xmit_retransmit_queue). What is
 * lost was decided elsewhere (tcp_rack.c, tcp_recovery.c); here it goes out, recut for the MSS and the window
 * of today. */
#include <errno.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"
#include "models/tcp/tcp_timer.h"

/* Joins the segment behind to s; the counts follow (tcp_collapse_retrans). */
static bool collapse_next(TcpConn *c, TcpSeg *s)
{
    TcpSeg *next = s->next;

    if (s->n_frags || next->n_frags) /* the application's pages stay where they are: skb_shift */
        return false;
    if (!tcpsndq_join(c, s, next))
        return false;
    if (c->sack.highest_sack == next)
        c->sack.highest_sack = s;
    s->sacked |= next->sacked & SEG_EVER_RETRANS;
    s->eor = next->eor;
    tcp_errq_on_joined(c, s->seq, s->end_seq);
    if (c->sack.lost_hint == next)
        c->sack.lost_hint = s;
    if (c->sack.retransmit_hint == next)
        c->sack.retransmit_hint = s;
    tcpsndq_adjust_pcount(c, next, next->pcount);
    tcpsndq_rtx_unlink_free(c, next);
    return true;
}

/* Linux tcp_can_collapse */
static bool can_collapse(const TcpConn *c, const TcpSeg *s)
{
    return s->pcount <= 1 && !(s->sacked & SEG_SACKED) && !(c->has_errq && tcp_errq_shares(c, s));
}

/* Small segments behind s ride along (tcp_retrans_try_collapse). */
static void try_collapse(TcpConn *c, TcpSeg *s, int64_t space)
{
    if (!c->tcp->sysctl->tcp_retrans_collapse || s->flags & TCP_SYN)
        return;
    if (!can_collapse(c, s) || s->eor)
        return;
    space -= tcpseg_len(s);
    while (s->next && can_collapse(c, s->next) && !s->eor) {
        space -= tcpseg_len(s->next);
        if (space < 0 || tcp_after(s->next->end_seq, tcp_wnd_end(c)))
            break;
        if (!collapse_next(c, s))
            break;
    }
}

/* Takes off what has been acknowledged meanwhile. */
static int trim_acked(TcpConn *c, TcpSeg *s)
{
    if (!tcp_before(s->seq, c->snd_una))
        return 0;
    if (s->flags & TCP_SYN) { /* Fast Open: the SYN is acknowledged, its data is not */
        s->flags &= ~TCP_SYN;
        s->seq++;
        if (!tcp_before(s->seq, c->snd_una))
            return 0;
    }
    if (tcp_before(s->end_seq, c->snd_una))
        return -EINVAL;
    tcpsndq_trim_head(c, s, c->snd_una - s->seq);
    return 0;
}

/* Recut for the window and the MSS of now; 0 or -errno. */
static int resize(TcpConn *c, TcpSeg *s, uint32_t segs)
{
    uint32_t mss = tcp_pmtu_current_mss(c), len = mss * segs;
    int32_t avail = (int32_t)(tcp_wnd_end(c) - s->seq);

    /* the peer has shrunk its window: only the first segment is sent, as a window probe */
    if (avail <= 0) {
        if (s->seq != c->snd_una)
            return -EAGAIN;
        avail = (int32_t)mss;
    }
    if (len > (uint32_t)avail) {
        len = (uint32_t)avail - (uint32_t)avail % mss;
        if (!len)
            len = (uint32_t)avail;
    }
    if (tcpseg_len(s) > len)
        return tcpsndq_fragment(c, s, len, mss) ? 0 : -ENOMEM;

    if (HS_UNLIKELY(c->has_errq)) /* it gets bytes of its own (skb_unclone_keeptruesize) */
        tcp_errq_unshare(c, s);
    int diff = s->pcount;
    diff -= tcpsndq_set_pcount(s, mss);
    if (diff)
        tcpsndq_adjust_pcount(c, s, diff);
    avail = HS_MIN(avail, (int32_t)mss);
    if (tcpseg_len(s) < (uint32_t)avail)
        try_collapse(c, s, avail);
    return 0;
}

int tcp_retransmit_unmarked(TcpConn *c, TcpSeg *s, uint32_t segs)
{
    Tcp *t = c->tcp;
    SimTime first_sent;
    int err;

    /* a path MTU probe under way proves nothing any more */
    c->mtup.probe_size = 0;
    if (s->is_copy_held) {
        TCP_INC(t, TcpExtTCPSpuriousRtxHostQueues);
        return -EBUSY;
    }
    err = trim_acked(c, s);
    if (err)
        return err;
    if (tcp_ip_route(c))
        return -EHOSTUNREACH;
    err = resize(c, s, segs);
    if (err)
        return err;
    if (s->flags & TCP_SYN)
        tcp_ecn_clear_syn(c, s);

    uint32_t n = s->pcount;

    TCP_ADD(t, TcpRetransSegs, n);
    if (s->flags & TCP_SYN)
        TCP_INC(t, TcpExtTCPSynRetrans);
    c->stats.total_retrans += n;
    c->stats.bytes_retrans += tcpseg_len(s);
    first_sent = s->sent_ns;
    tcp_output_count_again(c);
    err = tcp_output_transmit(c, s, true, c->rcv_nxt);
    if (HS_UNLIKELY(t->sysctl->quirks & TCP_QUIRK_RTT_FROM_FIRST))
        s->sent_ns = first_sent;
    if (err && err != -EBUSY)
        TCP_ADD(t, TcpExtTCPRetransFail, n);
    /* even if it never left: no RTT sample may come from it (Karn) */
    s->sacked |= SEG_EVER_RETRANS;
    return err;
}

int tcp_retransmit_seg(TcpConn *c, TcpSeg *s, uint32_t segs)
{
    int err = tcp_retransmit_unmarked(c, s, segs);

    if (!err) {
        s->sacked |= SEG_RETRANS;
        c->retrans_out += s->pcount;
    }
    if (!c->rtt.retrans_stamp)
        c->rtt.retrans_stamp = HS_MAX(s->sent_ns, 1);
    if (c->rec.undo_retrans < 0)
        c->rec.undo_retrans = 0;
    c->rec.undo_retrans += s->pcount;
    return err;
}

/* Everything marked lost, as far as the window allows. */
void tcp_retransmit_queue(TcpConn *c)
{
    TcpSeg *head = c->snd.rtx_head, *hole = NULL;
    uint32_t max_segs;
    bool rearm = false;

    if (!c->packets_out)
        return;
    max_segs = tcp_pace_tso_segs(c, tcp_pmtu_current_mss(c));
    for (TcpSeg *s = c->sack.retransmit_hint ? c->sack.retransmit_hint : head; s; s = s->next) {
        int32_t segs;

        if (tcp_pace_must_wait(c))
            break;
        if (!hole)
            c->sack.retransmit_hint = s;
        segs = (int32_t)(c->cc.s.cwnd - tcp_packets_in_flight(c));
        if (segs <= 0 || c->retrans_out >= c->lost_out)
            break;
        segs = HS_MIN(segs, (int32_t)max_segs);
        if (!(s->sacked & SEG_LOST)) {
            if (!hole && !(s->sacked & (SEG_RETRANS | SEG_SACKED)))
                hole = s;
            continue;
        }
        if (s->sacked & (SEG_SACKED | SEG_RETRANS))
            continue;
        if (tcp_output_small_queue_check(c, s, 1) || tcp_retransmit_seg(c, s, (uint32_t)segs))
            break;
        if (c->rec.ca_state != TCP_CA_LOSS)
            TCP_ADD(c->tcp, TcpExtTCPFastRetrans, s->pcount);
        else
            TCP_ADD(c->tcp, TcpExtTCPSlowStartRetrans, s->pcount);
        if (tcp_in_cwnd_reduction(c))
            c->rec.prr_out += s->pcount;
        if (s == head && c->timer_kind != TCP_TIMER_REO)
            rearm = true;
    }
    if (rearm)
        tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, c->rtt.rto_ms * SIM_MS + tcp_pace_delay(c));
}
