/* SYN-SENT: answers to our SYN, and the other's SYN that crosses it (RFC 9293 3.10.7.3; Linux
 * tcp_rcv_synsent_state_process). */
#include <string.h>
#include <sys/epoll.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_keepalive.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_passive.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/tcp/tcp_timer.h"

#define TSTAMP_ALIGNED 12 /* timestamps with two NOPs */

/* Linux tcp_parse_options with estab = 0: the options of a SYN set the connection up. */
static void take_options(TcpConn *c, TcpIn *in)
{
    const TcpSysctl *s = c->tcp->sysctl;
    const TcpOptions *o = &in->opt;

    tcpin_options(in);
    in->saw_ts = false;
    c->ts.saw_tstamp = false;
    if (o->has_mss && o->mss && in->flags & TCP_SYN)
        c->mss_clamp = c->user_mss && c->user_mss < o->mss ? c->user_mss : o->mss;
    if (o->has_wscale && s->tcp_window_scaling && in->flags & TCP_SYN) {
        c->win.wscale_ok = 1;
        c->win.snd_wscale = HS_MIN(o->wscale, TCP_MAX_WSCALE);
    }
    if (o->has_timestamps && s->tcp_timestamps) {
        in->saw_ts = true;
        in->tsval = o->ts_val;
        in->tsecr = o->ts_ecr ? o->ts_ecr - c->ts.tsoffset : 0;
        c->ts.saw_tstamp = true;
        c->ts.rcv_tsval = in->tsval;
        c->ts.rcv_tsecr = in->tsecr;
    }
    if (o->has_sack_permitted && s->tcp_sack && in->flags & TCP_SYN) {
        c->sack.is_sack_ok = true;
        tcp_dsack_sack_reset(c);
    }
}

/* Linux tcp_clear_options: as if the segment had never been */
static void undo_options(TcpConn *c, uint16_t mss_clamp)
{
    c->ts.tstamp_ok = false;
    c->sack.is_sack_ok = false;
    c->win.wscale_ok = 0;
    c->win.snd_wscale = 0;
    c->mss_clamp = mss_clamp;
}

static void take_sequence(TcpConn *c, const TcpIn *in)
{
    c->rcv_nxt = in->seq + 1;
    c->win.rcv_wup = c->rcv_nxt;
    c->win.rcv_mwnd_seq = c->rcv_nxt + c->win.rcv_wnd;
    c->snd_wnd = in->window; /* RFC 7323 2.2: never scaled in a SYN */
}

static void take_timestamps(TcpConn *c, const TcpIn *in)
{
    if (in->saw_ts) {
        c->ts.tstamp_ok = true;
        c->tcp_header_len = TCP_MIN_HDR_LEN + TSTAMP_ALIGNED;
        tcp_paws_store_recent(&c->ts, in);
    } else {
        c->tcp_header_len = TCP_MIN_HDR_LEN;
    }
}

/* The echoed timestamp must be of this attempt (RFC 9293 would not look; Linux counts PAWSActive). */
static bool echo_is_of_this_attempt(const TcpConn *c, const TcpIn *in)
{
    if (!in->saw_ts || !in->tsecr)
        return true;
    return tcp_between(in->tsecr, tcp_ts_clock(c->rtt.retrans_stamp), tcp_ts_clock(c->mstamp));
}

void tcp_input_finish_connect(TcpConn *c, TcpIn *in)
{
    (void)in;
    tcp_set_state(c, TCP_ESTABLISHED);
    c->ack.lrcv_ns = c->mstamp;
    tcp_ack_init_buffer_and_metrics(c, 0);
    c->lsndtime = c->mstamp; /* the first data is not a restart after idleness */
    if (c->keep.is_on)
        tcp_timer_arm_keep(c, (SimTime)tcp_keepalive_time_ms(c) * TCP_JIFFY_NS);
    c->pred_is_valid = c->win.snd_wscale == 0;
}

/* Our SYN is acknowledged: ESTABLISHED. */
static int synack(TcpConn *c, TcpIn *in)
{
    TcpFastopenCookie cookie = {0};
    bool is_accecn, fastopen_fail;

    if (c->ecn.flags & (TCP_ECN_OK | TCP_ECN_MODE_ACCECN))
        tcp_ecn_rcv_synack(c, in);
    is_accecn = tcp_ecn_is_accecn(c);
    c->snd_wl1 = in->seq;
    tcp_recovery_undo_spurious_syn(c);
    tcp_ack_process(c, in, ACK_SLOWPATH);

    take_sequence(c, in);
    if (!c->win.wscale_ok) {
        c->win.snd_wscale = c->win.rcv_wscale = 0;
        c->win.window_clamp = HS_MIN(c->win.window_clamp, 65535u);
    }
    take_timestamps(c, in);
    if (in->saw_ts)
        c->advmss = (uint16_t)(c->advmss - TSTAMP_ALIGNED);
    tcp_pmtu_sync_mss(c, c->pmtu_cookie);
    tcp_window_init_rcv_mss(c);
    c->copied_seq = c->rcv_nxt;
    tcp_input_finish_connect(c, in);

    if (in->opt.has_fastopen) {
        cookie.len = in->opt.fastopen_cookie_len;
        cookie.exp = in->opt.is_fastopen_experimental;
        memcpy(cookie.val, in->opt.fastopen_cookie, sizeof(cookie.val));
    }
    fastopen_fail = c->sflags & (TCP_S_SYN_FASTOPEN | TCP_S_SYN_DATA) &&
                    tcp_fastopen_rcv_synack(c, in, in->opt.has_fastopen ? &cookie : NULL);
    if (!(c->sflags & TCP_S_DEAD))
        tcp_wake(c);
    if (fastopen_fail)
        return -1;
    if (c->state == TCP_CLOSE)
        return 0;
    /* Data will follow soon and can carry the ACK. */
    if (c->write_pending || c->defer_accept || tcp_delack_in_pingpong(c)) {
        tcp_delack_schedule(c);
        tcp_delack_enter_quickack(c, TCP_MAX_QUICKACKS);
        c->ack.pending |= TCP_ACK_TIMER;
        c->ack.timeout = c->mstamp + (SimTime)TCP_DELACK_MAX_MS * TCP_JIFFY_NS;
        timer_arm(&c->t_delack, c->ack.timeout);
        return 0;
    }
    if (HS_UNLIKELY(c->tcp->sysctl->handshake == 2)) /* the answer is not confirmed */
        return -1;
    tcp_challenge_ack_handshake(c, is_accecn);
    return -1;
}

/* A SYN without ACK: both ends open at once (RFC 9293 3.5, figure 7). */
static void crossed_syn(TcpConn *c, TcpIn *in)
{
    tcp_set_state(c, TCP_SYN_RECV);
    take_timestamps(c, in);
    take_sequence(c, in);
    c->copied_seq = c->rcv_nxt;
    c->snd_wl1 = in->seq;
    c->max_window = c->snd_wnd;
    tcp_ecn_rcv_syn(c, in);
    tcp_pmtu_init(c);
    tcp_pmtu_sync_mss(c, c->pmtu_cookie);
    tcp_window_init_rcv_mss(c);
    tcp_output_send_synack(c);
}

/* hopscope.tcp_handshake 4: our SYN is acknowledged first, the other's comes by itself. RFC 9293 3.10.7.3,
 * fourth: a SYN without ACK opens the connection once SND.UNA > ISS. Linux is content with a SYN-ACK only. */
static bool is_half_of_synack(TcpConn *c, TcpIn *in, int *answer)
{
    uint16_t flags = in->flags & (TCP_SYN | TCP_ACK | TCP_RST);

    if (flags == TCP_ACK && in->ack == c->snd_nxt) {
        *answer = 0;
        tcp_ack_process(c, in, ACK_SLOWPATH);
        return true;
    }
    if (flags == TCP_SYN && c->snd_una == c->snd_nxt) {
        in->flags |= TCP_ACK;
        in->ack = c->snd_una;
        *answer = synack(c, in);
        return true;
    }
    return false;
}

int tcp_input_synsent(TcpConn *c, TcpIn *in)
{
    uint16_t mss_clamp = c->mss_clamp;
    int answer;

    take_options(c, in);
    if (HS_UNLIKELY(c->tcp->sysctl->handshake == 4) && is_half_of_synack(c, in, &answer))
        return answer;
    if (in->flags & TCP_ACK) {
        /* RFC 9293 3.10.7.3, first: an ACK of something that was not sent is answered with a reset (unless it
         * is one itself: the caller sees to that). */
        if (!tcp_after(in->ack, c->snd_una) || tcp_after(in->ack, c->snd_nxt)) {
            if (c->retransmits == 0) /* perhaps an old connection of the peer: try again soon */
                tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, (SimTime)TCP_TIMEOUT_MIN_US * SIM_US);
            undo_options(c, mss_clamp);
            return 1;
        }
        if (!echo_is_of_this_attempt(c, in)) {
            TCP_INC(c->tcp, TcpExtPAWSActive);
            undo_options(c, mss_clamp);
            return 1;
        }
        if (in->flags & TCP_RST) {
            tcp_input_reset(c, in);
            return 0;
        }
        if (in->flags & TCP_SYN)
            return synack(c, in);
        undo_options(c, mss_clamp);
        tcp_probes_drop(c->tcp, c, in, "TCP_FLAGS");
        return 0;
    }
    if (in->flags & TCP_RST) {
        undo_options(c, mss_clamp);
        tcp_probes_drop(c->tcp, c, in, "TCP_RESET");
        return 0;
    }
    if (c->ts.ts_recent_stamp && in->saw_ts && tcp_paws_reject(&c->ts, in, false)) {
        undo_options(c, mss_clamp);
        tcp_probes_drop(c->tcp, c, in, "TCP_RFC7323_PAWS");
        return 0;
    }
    if (in->flags & TCP_SYN) {
        crossed_syn(c, in);
        return 0;
    }
    undo_options(c, mss_clamp);
    tcp_probes_drop(c->tcp, c, in, "TCP_FLAGS");
    return 0;
}
