/* The receive window: how much is advertised, how buffers turn into windows (scaling ratio), how both grow
 * with what arrives and how fast it is read (Linux __tcp_select_window, tcp_grow_window, dynamic
 * right-sizing: tcp_rcv_space_adjust). RFC 9293 3.8.6.2.2: no silly windows; RFC 7323 2.4: a window is not
 * taken back.
 *
 *   truesize that fits: rcvbuf --- * scaling_ratio / 256 --> bytes of payload: full space
 *   rcv_ssthresh: what is really offered; starts small and grows as arriving segments prove to be well filled
 *   window_clamp: upper bound of both
 *
 * Linux keeps its buffer in kernel memory of real size; tcp_rcvq_truesize says what each segment would cost
 * there. */
#include <errno.h>

#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_quirk.h"
#include "models/tcp/tcp_sndbuf.h"

#define RMEM_TO_WIN_SHIFT 8
#define MIN_RCVBUF 2304 /* SOCK_MIN_RCVBUF: 2048 and an sk_buff */
#define TCP_REMNANT (TCP_FIN | TCP_URG | TCP_SYN | TCP_PSH)
#define TCP_TS_HZ 1000

static uint32_t align_up(uint32_t v, unsigned shift)
{
    uint32_t mask = (1u << shift) - 1;

    return (v + mask) & ~mask;
}

/* tcp_win_from_space; negative when the buffer is overcommitted */
static int32_t win_from_space(const TcpConn *c, int32_t space)
{
    return (int32_t)(((int64_t)space * c->win.scaling_ratio) >> RMEM_TO_WIN_SHIFT);
}

static int32_t free_space_now(const TcpConn *c)
{
    return win_from_space(c, (int32_t)(c->win.rcvbuf - c->rcv.rmem_alloc));
}

uint32_t tcp_window_from_space(const TcpConn *c, uint32_t space)
{
    return (uint32_t)win_from_space(c, (int32_t)space);
}

uint32_t tcp_window_space_from_win(const TcpConn *c, uint32_t win)
{
    return (uint32_t)(((uint64_t)win << RMEM_TO_WIN_SHIFT) / c->win.scaling_ratio);
}

uint32_t tcp_window_space(const TcpConn *c)
{
    int32_t space = free_space_now(c);

    return space > 0 ? (uint32_t)space : 0;
}

uint32_t tcp_window_full_space(const TcpConn *c)
{
    return tcp_window_from_space(c, c->win.rcvbuf);
}

bool tcp_window_rmem_pressure(const TcpConn *c)
{
    if (c->tcp->mem_pressure)
        return true;
    return c->rcv.rmem_alloc > c->win.rcvbuf - (c->win.rcvbuf >> 3);
}

/* ---- what is advertised ---- */

uint32_t tcp_window_receive(const TcpConn *c)
{
    int32_t win = (int32_t)(c->win.rcv_wup + c->win.rcv_wnd - c->rcv_nxt);

    return win > 0 ? (uint32_t)win : 0;
}

/* RFC 7323 2.4: what was once advertised stays acceptable, also after a window was taken back. */
static void remember_right_edge(TcpConn *c)
{
    uint32_t edge = c->win.rcv_wup + c->win.rcv_wnd;

    if (tcp_after(edge, c->win.rcv_mwnd_seq))
        c->win.rcv_mwnd_seq = edge;
}

static void lower_ssthresh(TcpConn *c, uint32_t limit)
{
    c->win.rcv_ssthresh = HS_MIN(c->win.rcv_ssthresh, limit);
}

void tcp_window_adjust_ssthresh(TcpConn *c)
{
    lower_ssthresh(c, 4u * c->advmss);
}

/* Little room: announce zero rather than crumbs; below 1/16 of the buffer too, or tcp_window_clamp would grow
 * it and what the peer sends in good faith would be dropped. */
static bool is_too_little(int32_t space, int32_t allowed, int32_t mss)
{
    return space < (allowed >> 4) || space < mss;
}

uint32_t tcp_window_select_free(TcpConn *c)
{
    TcpWindow *w = &c->win;
    int32_t mss = c->ack.rcv_mss;
    int32_t space = free_space_now(c);
    int32_t allowed = (int32_t)tcp_window_full_space(c);
    int32_t full = (int32_t)HS_MIN(w->window_clamp, (uint32_t)HS_MAX(allowed, 0));
    int32_t unit = 1 << w->rcv_wscale;
    bool may_shrink = c->tcp->sysctl->tcp_shrink_window && w->rcv_wscale;

    if (HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_EXACT_WINDOW)) {
        uint32_t unread = c->rcv_nxt - c->copied_seq;

        return w->window_clamp > unread ? w->window_clamp - unread : 0;
    }
    if (mss > full) {
        mss = full;
        if (mss <= 0)
            return 0;
    }
    if (may_shrink)
        space &= -unit;
    if (space < (full >> 1)) {
        c->ack.quick = 0;
        if (c->tcp->mem_pressure)
            tcp_window_adjust_ssthresh(c);
        space &= -unit; /* scaling must not turn it into more */
        if (is_too_little(space, allowed, mss) || (may_shrink && space < unit))
            return 0;
    }
    if (space > (int32_t)w->rcv_ssthresh) {
        space = (int32_t)w->rcv_ssthresh;
        if (may_shrink)
            space = (int32_t)align_up((uint32_t)space, w->rcv_wscale);
    }
    if (may_shrink)
        return (uint32_t)space;
    if (w->rcv_wscale) /* rounded up: a window must not be scaled away */
        return align_up((uint32_t)space, w->rcv_wscale);

    int32_t window =
        (int32_t)w->rcv_wnd; /* kept while it is within one segment of the truth: RFC 9293 3.8.6.2.2 */
    if (window <= space - mss || window > space)
        return (uint32_t)(space / mss * mss);
    if (mss == full && space > window + (full >> 1))
        return (uint32_t)space;
    return (uint32_t)window;
}

uint16_t tcp_window_select(TcpConn *c)
{
    TcpWindow *w = &c->win;
    uint32_t old = w->rcv_wnd;

    if (c->ack.pending & TCP_ACK_NOMEM) { /* there was no memory for what came: say so */
        c->pred_is_valid = 0;
        w->rcv_wnd = 0;
        w->rcv_wup = c->rcv_nxt;
        remember_right_edge(c);
        return 0;
    }

    uint32_t cur = tcp_window_receive(c);
    uint32_t next = tcp_window_select_free(c);

    if (next < cur && !(c->tcp->sysctl->tcp_shrink_window && w->rcv_wscale)) {
        if (next == 0)
            TCP_INC(c->tcp, TcpExtTCPWantZeroWindowAdv);
        next = align_up(cur, w->rcv_wscale);
    }
    w->rcv_wnd = next;
    w->rcv_wup = c->rcv_nxt;
    remember_right_edge(c);

    if (!w->rcv_wscale && c->tcp->sysctl->tcp_workaround_signed_windows)
        next = HS_MIN(next, TCP_MAX_WINDOW);
    else
        next = HS_MIN(next, 65535u << w->rcv_wscale);
    next >>= w->rcv_wscale;
    if (next == 0) {
        c->pred_is_valid = 0;
        if (old)
            TCP_INC(c->tcp, TcpExtTCPToZeroWindowAdv);
    } else if (old == 0) {
        TCP_INC(c->tcp, TcpExtTCPFromZeroWindowAdv);
    }
    return (uint16_t)next;
}

void tcp_window_select_initial(const TcpConn *c, uint32_t space, uint32_t mss, uint32_t *rcv_wnd,
                               uint32_t *clamp, bool wscale_ok, uint8_t *rcv_wscale, uint32_t init_rcv_wnd)
{
    const TcpSysctl *s = c->tcp->sysctl;
    uint32_t window_clamp = *clamp ? *clamp : 65535u << TCP_MAX_WSCALE;

    space = HS_MIN((int32_t)space < 0 ? 0 : space, window_clamp);
    if (space > mss && !HS_UNLIKELY(s->quirks & TCP_QUIRK_EXACT_WINDOW))
        space -= space % mss;
    *rcv_wnd = s->tcp_workaround_signed_windows ? HS_MIN(space, TCP_MAX_WINDOW) : space;
    if (init_rcv_wnd)
        *rcv_wnd = HS_MIN(*rcv_wnd, init_rcv_wnd * mss);

    *rcv_wscale = 0;
    if (wscale_ok) { /* for the largest window that the buffer may ever grow to */
        int bits;

        space = HS_MAX(space, s->tcp_rmem[2]);
        space = HS_MAX(space, s->rmem_max);
        space = HS_MIN(space, window_clamp);
        bits = space ? 31 - __builtin_clz(space) - 15 : 0;
        *rcv_wscale = (uint8_t)(bits < 0 ? 0 : HS_MIN(bits, TCP_MAX_WSCALE));
    }
    *clamp = HS_MIN(65535u << *rcv_wscale, window_clamp);
}

/* ---- guessing the peer's segment size ---- */

void tcp_window_init_rcv_mss(TcpConn *c)
{
    uint32_t hint = HS_MIN((uint32_t)c->advmss, c->mss_cache);

    hint = HS_MIN(hint, c->win.rcv_wnd / 2);
    hint = HS_MIN(hint, TCP_MSS_DEFAULT);
    c->ack.rcv_mss = (uint16_t)HS_MAX(hint, TCP_MIN_MSS);
}

static void update_scaling_ratio(TcpConn *c, uint32_t len, uint32_t truesize)
{
    TcpWindow *w = &c->win;
    uint8_t old = w->scaling_ratio;
    uint64_t ratio = ((uint64_t)len << RMEM_TO_WIN_SHIFT) / truesize;

    w->scaling_ratio = (uint8_t)(ratio ? ratio : 1);
    if (w->scaling_ratio == old || HS_UNLIKELY(c->tcp->sysctl->quirks & TCP_QUIRK_EXACT_WINDOW))
        return;
    tcp_window_set_clamp(c, (int)tcp_window_full_space(c));
    if (w->window_clamp < w->space_space)
        w->space_space = w->window_clamp;
}

/* Linux tcp_measure_rcv_mss. rcv_mss decides when "two full segments" have come (RFC 9293 3.8.6.3), PUSHED
 * when the end of a small exchange has. */
void tcp_window_measure_rcv_mss(TcpConn *c, const TcpIn *in, uint32_t truesize)
{
    TcpAckSched *a = &c->ack;
    uint32_t last = a->last_seg_size;
    uint32_t len = in->gso_size ? in->gso_size : in->len;

    a->last_seg_size = 0;
    if (len >= a->rcv_mss) {
        if (len != a->rcv_mss)
            update_scaling_ratio(c, in->len, truesize);
        a->rcv_mss = (uint16_t)HS_MIN(len, (uint32_t)c->advmss);
        /* One full segment with PSH is likely the end of a write: acknowledge as soon as it has been read. */
        if (in->flags & TCP_PSH)
            a->pending |= TCP_ACK_PUSHED;
        return;
    }
    /* Header included, the length does not depend on whether SACK blocks took some of it. */
    len += in->hdr_len;
    if (len >= TCP_MSS_DEFAULT + TCP_MIN_HDR_LEN ||
        (len >= TCP_MIN_MSS + TCP_MIN_HDR_LEN && !(in->flags & TCP_REMNANT))) {
        len -= c->tcp_header_len;
        a->last_seg_size = (uint16_t)len;
        if (len == last) {
            a->rcv_mss = (uint16_t)len;
            return;
        }
    }
    if (a->pending & TCP_ACK_PUSHED)
        a->pending |= TCP_ACK_PUSHED2;
    a->pending |= TCP_ACK_PUSHED;
}

/* ---- growing ---- */

/* Would more of such badly filled buffers still fit? (Linux __tcp_grow_window) */
static uint32_t grow_slowly(const TcpConn *c, uint32_t len, uint32_t truesize)
{
    int32_t ts = win_from_space(c, (int32_t)truesize) >> 1;
    int32_t window = win_from_space(c, (int32_t)c->tcp->sysctl->tcp_rmem[2]) >> 1;

    while ((int32_t)c->win.rcv_ssthresh <= window) {
        if (ts <= (int32_t)len)
            return 2u * c->ack.rcv_mss;
        ts >>= 1;
        window >>= 1;
    }
    return 0;
}

void tcp_window_grow(TcpConn *c, const TcpIn *in, uint32_t truesize, bool adjust)
{
    TcpWindow *w = &c->win;
    int32_t room = HS_MIN((int32_t)w->window_clamp, free_space_now(c)) - (int32_t)w->rcv_ssthresh;

    if (adjust) /* a head that is about to be given back when fragments are joined (truesize_adjust) */
        truesize -= tcp_rcvq_spare_head(in);
    if (room <= 0)
        return;
    if (c->tcp->mem_pressure) {
        tcp_window_adjust_ssthresh(c);
        return;
    }

    uint32_t incr = win_from_space(c, (int32_t)truesize) <= (int32_t)in->len
                        ? 2u * c->advmss
                        : grow_slowly(c, in->len, truesize);
    if (incr) {
        incr = HS_MAX(incr, 2 * in->len);
        w->rcv_ssthresh += HS_MIN((uint32_t)room, incr);
        c->ack.quick |= 1;
    }
}

void tcp_window_init_buffer_space(TcpConn *c)
{
    TcpWindow *w = &c->win;
    unsigned app_win = c->tcp->sysctl->tcp_app_win;
    uint32_t max, mss = c->advmss;

    if (!w->is_sndbuf_locked)
        tcp_sndbuf_expand(c);
    tcp_mstamp_refresh(c);
    w->space_time = c->mstamp;
    w->space_seq = c->copied_seq;
    max = tcp_window_full_space(c);
    if (w->window_clamp >= max) {
        w->window_clamp = max;
        if (app_win && max > 4 * mss)
            w->window_clamp = HS_MAX(max - (app_win < 32 ? max >> app_win : 0), 4 * mss);
    }
    if (app_win && w->window_clamp > 2 * mss && w->window_clamp + mss > max)
        w->window_clamp = HS_MAX(2 * mss, max - mss);
    w->rcv_ssthresh = HS_MIN(w->rcv_ssthresh, w->window_clamp);
    c->snd_cwnd_stamp = c->mstamp;
    w->space_space = HS_MIN(HS_MIN(w->rcv_ssthresh, w->rcv_wnd), TCP_INIT_CWND * mss);
}

/* Linux tcp_clamp_window: the buffer is full. It may grow to what is in it already, if nobody fixed it and
 * the host has memory; otherwise the window comes down. */
void tcp_window_clamp(TcpConn *c)
{
    TcpWindow *w = &c->win;
    const Tcp *t = c->tcp;
    uint32_t rmem2 = t->sysctl->tcp_rmem[2];

    c->ack.quick = 0;
    if (w->rcvbuf < rmem2 && !w->is_rcvbuf_locked && !t->mem_pressure &&
        (uint64_t)t->mem_pages8 / 4096 < t->sysctl->tcp_mem[0])
        w->rcvbuf = HS_MIN(c->rcv.rmem_alloc, rmem2);
    if (c->rcv.rmem_alloc > w->rcvbuf)
        w->rcv_ssthresh = HS_MIN(w->window_clamp, 2u * c->advmss);
}

/* What a sender in slow start adds (Linux 7 tcp_rcvbuf_grow): as the rate has grown since last time. Within
 * tcp_rcvbuf_low_rtt µs only as the round trip is to that: such a path is soon full anyhow, and a smaller
 * buffer stays in the processor's caches. */
static uint64_t growth_ahead(const TcpConn *c, uint32_t old, uint32_t new_space)
{
    uint32_t rtt_us = c->win.rcv_rtt_us >> 3, low = c->tcp->sysctl->tcp_rcvbuf_low_rtt;
    uint64_t win = (uint64_t)new_space << 1;

    if (rtt_us < low)
        return win * rtt_us / low;
    return old ? (win << 1) * (new_space - old) / old : 0;
}

/* Linux tcp_rcvbuf_grow: two round trips' worth, and what growth adds. */
void tcp_window_rcvbuf_grow(TcpConn *c, uint32_t new_space)
{
    TcpWindow *w = &c->win;
    uint32_t old = w->space_space;
    uint32_t win, buf;

    w->space_space = new_space;
    if (!c->tcp->sysctl->tcp_moderate_rcvbuf || w->is_rcvbuf_locked)
        return;
    win = (new_space << 1) + (uint32_t)growth_ahead(c, old, new_space);
    if (!rbtree_is_empty(&c->rcv.ooo))
        win += c->rcv.ooo_last->end_seq - c->rcv_nxt;
    buf = HS_MIN(tcp_window_space_from_win(c, win), c->tcp->sysctl->tcp_rmem[2]);
    if (buf > w->rcvbuf) {
        w->rcvbuf = buf;
        w->window_clamp = tcp_window_from_space(c, buf);
    }
}

void tcp_window_rcv_space_adjust(TcpConn *c)
{
    TcpWindow *w = &c->win;
    int32_t copied;

    /* since the last segment came or went, not since now: Linux 7 does not look at the clock for this */
    if (w->rcv_rtt_us == 0 || (uint64_t)(c->mstamp - w->space_time) / SIM_US < w->rcv_rtt_us >> 3)
        return;
    /* read in the last round trip, less what waits: a slow reader needs no larger buffer */
    copied = (int32_t)(c->copied_seq - w->space_seq) - (int32_t)(c->rcv_nxt - c->copied_seq);
    if (copied > (int32_t)w->space_space)
        tcp_window_rcvbuf_grow(c, (uint32_t)copied);
    w->space_seq = c->copied_seq;
    w->space_time = c->mstamp;
}

/* ---- the receiver's own estimate of the round trip, for the above ---- */

static void rtt_update(TcpConn *c, uint32_t sample, bool by_window)
{
    TcpWindow *w = &c->win;
    uint32_t old = w->rcv_rtt_us;

    if (old == 0 || (uint64_t)sample << 3 < old) {
        w->rcv_rtt_us = sample << 3;
        return;
    }
    /* How long a window takes is an upper bound only; and with unread data a timestamp echo says little. */
    if (by_window || c->rcv_nxt != c->copied_seq)
        return;
    w->rcv_rtt_us = old - (old >> 3) + sample;
}

void tcp_window_rcv_rtt_measure(TcpConn *c)
{
    TcpWindow *w = &c->win;

    if (w->rcv_rtt_time) {
        uint64_t us;

        if (tcp_before(c->rcv_nxt, w->rcv_rtt_seq))
            return;
        us = (uint64_t)(c->mstamp - w->rcv_rtt_time) / SIM_US;
        rtt_update(c, us ? (uint32_t)us : 1, true);
    }
    w->rcv_rtt_seq = c->rcv_nxt + w->rcv_wnd;
    w->rcv_rtt_time = c->mstamp;
}

void tcp_window_rcv_rtt_measure_ts(TcpConn *c, const TcpIn *in)
{
    TcpWindow *w = &c->win;
    uint32_t delta;

    if (c->ts.rcv_tsecr == w->rcv_rtt_last_tsecr)
        return;
    w->rcv_rtt_last_tsecr = c->ts.rcv_tsecr;
    if (in->end_seq - in->seq < c->ack.rcv_mss)
        return;
    delta = tcp_ts_clock(c->mstamp) - c->ts.rcv_tsecr;
    if (delta && delta < INT32_MAX / (1000000 / TCP_TS_HZ))
        rtt_update(c, delta * (1000000 / TCP_TS_HZ), false);
}

/* ---- socket options ---- */

int tcp_window_set_clamp(TcpConn *c, int val)
{
    TcpWindow *w = &c->win;
    uint32_t old = w->window_clamp;
    uint32_t next;

    if (!val) {
        if (c->state != TCP_CLOSE)
            return -EINVAL;
        w->window_clamp = 0;
        return 0;
    }
    next = (uint32_t)HS_MAX(c->tcp->sysctl->quirks & TCP_QUIRK_EXACT_WINDOW ? 1 : MIN_RCVBUF / 2, val);
    if (next == old)
        return 0;
    w->window_clamp = next;
    if (next < old)
        lower_ssthresh(c, next);
    else
        w->rcv_ssthresh = HS_MAX(HS_MIN(w->rcv_wnd, next), w->rcv_ssthresh);
    return 0;
}

int tcp_window_set_rcvlowat(TcpConn *c, int val)
{
    TcpWindow *w = &c->win;
    uint32_t cap = (w->is_rcvbuf_locked ? w->rcvbuf : c->tcp->sysctl->tcp_rmem[2]) >> 1;
    uint32_t v = HS_MIN(val < 0 ? UINT32_MAX : (uint32_t)val, cap);
    uint32_t space;

    c->rcvlowat = v ? v : 1;
    tcp_rcvq_data_ready(c);
    if (w->is_rcvbuf_locked)
        return 0;
    space = tcp_window_space_from_win(c, v);
    if (space > w->rcvbuf) {
        w->rcvbuf = space;
        if (w->window_clamp && w->window_clamp < v)
            w->window_clamp = v;
    }
    return 0;
}
