/* SYN cookies (Linux net/ipv4/syncookies.c; RFC 4987 3.6): under pressure the server remembers nothing and
 * puts what it must know into its sequence number and timestamp:
 *
 *   seq:  hash(tuple) + peer's seq + minute << 24 + (hash(tuple, minute) + index of the MSS) mod 2^24
 *   ts:   milliseconds, the low six bits replaced by window scale (4), SACK (1), ECN (1)
 *
 * The hash is our SipHash over the tuple; which one does not show. */
#include <string.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_accecn.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"

#define COOKIE_BITS 24
#define COOKIE_MASK ((1u << COOKIE_BITS) - 1)
#define MAX_AGE 2 /* minutes, a partly elapsed one included */
#define PERIOD (60 * SIM_SEC)
#define VALID (MAX_AGE * PERIOD)

#define TS_BITS 6
#define TS_WSCALE_NONE 0xfu
#define TS_SACK 0x10u
#define TS_ECN 0x20u

/* Values that are common; the last is not above what Ethernet allows. */
static const uint16_t mss_v4[] = {536, 1300, 1440, 1460};
static const uint16_t mss_v6[] = {1220, 1420, 1440, 8940};

static uint32_t hash(const Tcp *t, const TcpIn *in, uint32_t count, int which)
{
    uint8_t b[40];

    for (unsigned i = 0; i < 4; i++) {
        wire_put32(b + 4 * i, in->src.w[i]);
        wire_put32(b + 16 + 4 * i, in->dst.w[i]);
    }
    wire_put16(b + 32, in->src_port);
    wire_put16(b + 34, in->dst_port);
    wire_put32(b + 36, count);
    return (uint32_t)siphash(&tcp_isn_keys(t)->cookie[which], b, sizeof(b));
}

static uint32_t minute(const Tcp *t)
{
    return (uint32_t)(node_now(t->node) / PERIOD);
}

uint32_t tcp_cookie_make(TcpConn *listener, const TcpIn *in, uint16_t *mss)
{
    Tcp *t = listener->tcp;
    const uint16_t *table = in->is_v6 ? mss_v6 : mss_v4;
    uint32_t count = minute(t), i = HS_ARRAY_LEN(mss_v4) - 1;

    listener->listen->synq_overflow_ts = node_now(t->node);
    listener->listen->has_overflown = true;
    TCP_INC(t, TcpExtSyncookiesSent);
    while (i > 0 && *mss < table[i])
        i--;
    *mss = table[i];
    return hash(t, in, 0, 0) + in->seq + (count << COOKIE_BITS) + ((hash(t, in, count, 1) + i) & COOKIE_MASK);
}

/* The MSS, or 0: no cookie of ours, or too old. */
static uint16_t check(const Tcp *t, const TcpIn *in)
{
    uint32_t cookie = in->ack - 1, seq = in->seq - 1, count = minute(t), age, i;

    cookie -= hash(t, in, 0, 0) + seq;
    age = (count - (cookie >> COOKIE_BITS)) & (UINT32_MAX >> COOKIE_BITS);
    if (age >= MAX_AGE)
        return 0;
    i = (cookie - hash(t, in, count - age, 1)) & COOKIE_MASK;
    return i < HS_ARRAY_LEN(mss_v4) ? (in->is_v6 ? mss_v6 : mss_v4)[i] : 0;
}

uint32_t tcp_cookie_tsval(const TcpReq *r, SimTime now)
{
    uint32_t clock = tcp_ts_clock(now), bits = r->wscale_ok ? r->snd_wscale : TS_WSCALE_NONE, ts;

    if (r->sack_ok)
        bits |= TS_SACK;
    if (r->ecn_ok)
        bits |= TS_ECN;
    ts = clock >> TS_BITS << TS_BITS | bits;
    if (ts > clock) /* never ahead of the clock, or the next real value would look old */
        ts -= 1u << TS_BITS;
    return ts;
}

bool tcp_cookie_ts_decode(Tcp *t, TcpOptions *o, uint32_t ts_off)
{
    uint32_t bits = o->ts_ecr - ts_off;

    if (!o->has_timestamps) {
        o->has_sack_permitted = o->has_wscale = false;
        return true;
    }
    if (!t->sysctl->tcp_timestamps)
        return false;
    o->has_sack_permitted = bits & TS_SACK;
    if (o->has_sack_permitted && !t->sysctl->tcp_sack)
        return false;
    o->has_wscale = (bits & TS_WSCALE_NONE) != TS_WSCALE_NONE;
    if (!o->has_wscale)
        return true;
    o->wscale = bits & TS_WSCALE_NONE;
    return t->sysctl->tcp_window_scaling;
}

static bool expects_cookies(const TcpConn *listener) /* !tcp_synq_no_recent_overflow */
{
    const TcpListen *l = listener->listen;

    return l->has_overflown && node_now(listener->tcp->node) - l->synq_overflow_ts <= VALID;
}

/* The request that was never kept (cookie_tcp_reqsk_init). */
static void rebuild(TcpReq *r, TcpConn *listener, const TcpIn *in, const TcpOptions *o, uint16_t mss)
{
    memset(r, 0, sizeof(*r));
    r->tcp = listener->tcp;
    r->listener = listener;
    r->local = in->dst;
    r->remote = in->src;
    r->local_port = in->dst_port;
    r->remote_port = in->src_port;
    r->is_v6 = in->is_v6;
    r->is_cookie = 1;
    r->tos = in->tos;
    r->rcv_isn = in->seq - 1;
    r->rcv_nxt = in->seq;
    r->snt_isn = in->ack - 1;
    r->mss = mss;
    r->tstamp_ok = o->has_timestamps;
    r->ts_recent = o->has_timestamps ? o->ts_val : 0;
    r->sack_ok = o->has_sack_permitted;
    r->wscale_ok = o->has_wscale;
    r->snd_wscale = o->has_wscale ? o->wscale : 0;
}

TcpConn *tcp_cookie_check(TcpConn *listener, TcpIn *in)
{
    Tcp *t = listener->tcp;
    TcpOptions o = {0};
    uint32_t ts_off = 0;
    TcpConn *child;
    uint16_t mss;
    TcpReq r;

    if (in->flags & TCP_SYN || !t->sysctl->tcp_syncookies || !(in->flags & TCP_ACK) || in->flags & TCP_RST)
        return listener;
    if (!expects_cookies(listener))
        return listener;
    mss = check(t, in);
    if (!mss) {
        TCP_INC(t, TcpExtSyncookiesFailed);
        return listener;
    }
    TCP_INC(t, TcpExtSyncookiesRecv);
    tcpin_options(in);
    o.has_timestamps = in->opt.has_timestamps && t->sysctl->tcp_timestamps;
    o.ts_val = in->opt.ts_val;
    o.ts_ecr = in->opt.ts_ecr;
    if (o.has_timestamps && o.ts_ecr)
        ts_off = tcp_isn_ts_offset(t, &in->dst, &in->src, in->is_v6);
    if (!tcp_cookie_ts_decode(t, &o, ts_off))
        return listener;
    rebuild(&r, listener, in, &o, mss);
    r.ts_off = ts_off;
    if (!tcp_req_init_window(&r, listener, true))
        return NULL;
    /* cookie_ecn_ok: the bit says that the peer asked; whether we still want it is the host's setting */
    r.ecn_ok = o.has_timestamps && (o.ts_ecr - ts_off) & TS_ECN &&
               (t->sysctl->tcp_ecn || tcp_ip_wants_ecn(t, &in->src, in->is_v6));
    /* cookie_accecn_ok: which feedback was agreed on is not in the cookie, but shows in the ACK itself, which
     * reflects our SYN-ACK's codepoint (RFC 9768 5.1) */
    r.accecn_ok = r.ecn_ok && tcp_accecn_ace(in->flags) > 1;
    child = tcp_req_make_child(listener, &r, in);
    if (!child)
        return NULL;
    tcp_listen_add_child(listener, child);
    return child;
}
