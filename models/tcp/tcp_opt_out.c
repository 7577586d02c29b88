/* Options of outgoing segments: which fit into 40 bytes, and their layout (Linux tcp_syn_options,
 * tcp_synack_options, tcp_established_options, tcp_options_fit_accecn, tcp_options_write). Order and padding
 * are Linux's, which other stacks and fingerprinting tools know: MD5, MSS, timestamps (with SACK-permitted in
 * place of its NOPs on a SYN), accurate ECN, window scale, SACK, Fast Open. Accurate ECN's last one or two
 * bytes may take the place of NOPs that pad what follows it. */
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"

#define MD5_SPACE 20
#define MSS_SPACE 4
#define TS_SPACE 12
#define WSCALE_SPACE 4
#define SACK_PERMITTED_SPACE 4
#define SACK_BASE_SPACE 4
#define SACK_BLOCK_SPACE 8
#define ACCECN_BASE 2
#define ACCECN_FIELD 3
#define ACCECN_MAX (ACCECN_BASE + TCP_OPT_ACCECN_MAX_FIELDS * ACCECN_FIELD)

/* false: no cookie to send, or no room for it. */
static bool add_fastopen(TcpOptions *o, const TcpFastopenCookie *foc, unsigned *remaining)
{
    unsigned need = (foc->len + (foc->exp ? 4u : 2u) + 3) & ~3u;

    if (foc->len == TCP_FASTOPEN_NONE || *remaining < need)
        return false;
    o->has_fastopen = true;
    o->is_fastopen_experimental = foc->exp;
    o->fastopen_cookie_len = foc->len;
    memcpy(o->fastopen_cookie, foc->val, foc->len);
    *remaining -= need;
    return true;
}

/* How many bytes of padding elsewhere the option's end may use (tcp_synack_options_combine_saving). */
static unsigned combine_saving(const TcpOptions *o, bool is_synack)
{
    if (!is_synack)
        return o->n_sack ? 2 : 0;
    if (o->has_sack_permitted && !o->has_timestamps)
        return 2;
    return o->has_wscale ? 1 : 0;
}

/* As many counters as fit, at least `required`; to make room for those a third or fourth SACK block may go.
 * Returns the space taken beyond padding that is there anyway. */
static unsigned fit_accecn(TcpOptions *o, unsigned required, unsigned remaining, bool is_synack)
{
    unsigned saving = combine_saving(o, is_synack);
    unsigned dropped_blocks = 0;
    unsigned rem = remaining, size = ACCECN_MAX;
    int fields = TCP_OPT_ACCECN_MAX_FIELDS;

    while (fields >= (int)required) {
        unsigned aligned = (size & 3) > saving ? (size + 3) & ~3u : size & ~3u;

        if (rem >= aligned) {
            size = aligned;
            break;
        }
        if (fields == (int)required && o->n_sack > 2 && required > 0) {
            o->n_sack--;
            dropped_blocks++;
            rem += SACK_BLOCK_SPACE;
            fields = TCP_OPT_ACCECN_MAX_FIELDS;
            size = ACCECN_MAX;
            continue;
        }
        fields--;
        size -= ACCECN_FIELD;
    }
    if (fields < (int)required) {
        o->n_sack += (uint8_t)dropped_blocks;
        return 0;
    }
    o->has_accecn = true;
    o->accecn_kind = TCP_OPT_ACCECN1;
    o->n_accecn = (uint8_t)fields;
    return size - dropped_blocks * SACK_BLOCK_SPACE;
}

/* Linux tcp_advertise_mss: the route may have become narrower. */
static uint16_t advertised_mss(TcpConn *c)
{
    uint32_t route = tcp_ip_advmss(c);

    if (route && route < c->advmss)
        c->advmss = (uint16_t)route;
    return c->advmss;
}

unsigned tcp_opt_out_syn(TcpConn *c, const TcpSeg *s, TcpOptOut *out)
{
    const TcpSysctl *ctl = c->tcp->sysctl;
    unsigned remaining = TCP_MAX_OPTIONS_LEN;
    TcpOptions *o = &out->o;

    *out = (TcpOptOut){.md5 = c->md5 ? tcp_md5_find(c, &c->remote) : NULL};
    if (out->md5) {
        o->has_md5 = true;
        remaining -= MD5_SPACE;
    }
    o->has_mss = true;
    o->mss = advertised_mss(c);
    remaining -= MSS_SPACE;
    /* MD5, timestamps and SACK do not fit together: timestamps give way */
    if (ctl->tcp_timestamps && !out->md5) {
        o->has_timestamps = true;
        o->ts_val = tcp_ts_clock(s->sent_ns) + c->ts.tsoffset;
        o->ts_ecr = c->ts.ts_recent;
        remaining -= TS_SPACE;
    }
    if (ctl->tcp_window_scaling) {
        o->has_wscale = true;
        o->wscale = c->win.rcv_wscale;
        remaining -= WSCALE_SPACE;
    }
    if (ctl->tcp_sack) {
        o->has_sack_permitted = true;
        if (!o->has_timestamps)
            remaining -= SACK_PERMITTED_SPACE;
    }
    if (c->fastopen_tx && add_fastopen(o, &c->fastopen_tx->cookie, &remaining)) {
        c->sflags |= TCP_S_SYN_FASTOPEN;
        c->sflags &= ~(uint32_t)TCP_S_SYN_FASTOPEN_EXP;
        if (o->is_fastopen_experimental)
            c->sflags |= TCP_S_SYN_FASTOPEN_EXP;
    }
    /* Of SYNs only the SYN-ACK of a simultaneous open has the option, and not for ever (RFC 9768 3.2.3.2). */
    if (s->flags & TCP_ACK && tcp_ecn_is_accecn(c) && c->retransmits < 2 && ctl->tcp_ecn_option &&
        remaining >= ACCECN_BASE) {
        remaining -= fit_accecn(o, 0, remaining, true);
        tcp_ecn_option_values(NULL, o->accecn);
    }
    out->size = TCP_MAX_OPTIONS_LEN - remaining;
    return out->size;
}

/* s NULL: only how much space the next segment's options take (tcp_current_mss). */
unsigned tcp_opt_out_established(TcpConn *c, const TcpSeg *s, TcpOptOut *out)
{
    unsigned size = 0;
    TcpOptions *o = &out->o;
    unsigned sacks = c->rcv.num_sacks + c->rcv.dsack;

    *out = (TcpOptOut){.md5 = c->md5 ? tcp_md5_find(c, &c->remote) : NULL};
    if (out->md5) {
        o->has_md5 = true;
        size += MD5_SPACE;
    }
    if (c->ts.tstamp_ok) {
        o->has_timestamps = true;
        o->ts_val = s ? tcp_ts_clock(s->sent_ns) + c->ts.tsoffset : 0;
        o->ts_ecr = c->ts.ts_recent;
        size += TS_SPACE;
    }
    if (sacks) {
        unsigned remaining = TCP_MAX_OPTIONS_LEN - size;

        if (remaining >= SACK_BASE_SPACE + SACK_BLOCK_SPACE) {
            o->n_sack = (uint8_t)HS_MIN(sacks, (remaining - SACK_BASE_SPACE) / SACK_BLOCK_SPACE);
            size += SACK_BASE_SPACE + o->n_sack * SACK_BLOCK_SPACE;
        }
    }
    if (tcp_ecn_is_accecn(c) && tcp_ecn_option_due(c))
        size += fit_accecn(o, c->ecn.accecn_minlen, TCP_MAX_OPTIONS_LEN - size, false);
    out->size = size;
    if (!s)
        return size;

    /* the D-SACK block goes first (RFC 2883), and is told once */
    unsigned i = 0;
    if (c->rcv.dsack && o->n_sack)
        o->sack[i++] = c->rcv.duplicate_sack;
    for (unsigned k = 0; i < o->n_sack; k++)
        o->sack[i++] = c->rcv.selective_acks[k];
    if (o->has_accecn) {
        tcp_ecn_option_values(c, o->accecn);
        tcp_ecn_option_sent(c); /* wants to know whether it goes with a D-SACK */
    } else {
        c->ecn.accecn_opt_sent_w_dsack = false;
    }
    if (o->n_sack)
        c->rcv.dsack = 0;
    return size;
}

unsigned tcp_opt_out_synack(TcpReq *r, const TcpConn *listener, TcpOptOut *out, uint16_t mss, bool is_cookie,
                            const struct TcpFastopenCookie *foc)
{
    const TcpSysctl *ctl = r->tcp->sysctl;
    unsigned remaining = TCP_MAX_OPTIONS_LEN;
    SimTime now = node_now(r->tcp->node);
    TcpOptions *o = &out->o;

    *out = (TcpOptOut){.md5 = listener && listener->md5 ? tcp_md5_find(listener, &r->remote) : NULL};
    if (out->md5) {
        o->has_md5 = true;
        remaining -= MD5_SPACE;
        if (!is_cookie && r->sack_ok)
            r->tstamp_ok = 0;
    }
    o->has_mss = true;
    o->mss = mss;
    remaining -= MSS_SPACE;
    if (r->wscale_ok) {
        o->has_wscale = true;
        o->wscale = r->rcv_wscale;
        remaining -= WSCALE_SPACE;
    }
    if (r->tstamp_ok) {
        o->has_timestamps = true;
        o->ts_val = (is_cookie ? tcp_cookie_tsval(r, now) : tcp_ts_clock(now)) + r->ts_off;
        o->ts_ecr = r->ts_recent;
        remaining -= TS_SPACE;
    }
    if (r->sack_ok) {
        o->has_sack_permitted = true;
        if (!r->tstamp_ok)
            remaining -= SACK_PERMITTED_SPACE;
    }
    if (foc)
        add_fastopen(o, foc, &remaining);
    /* a retransmitted SYN-ACK does without: the option may be what was lost on the way (RFC 9768 3.2.3.2) */
    if (r->accecn_ok && ctl->tcp_ecn_option && !r->is_again && remaining >= ACCECN_BASE) {
        remaining -= fit_accecn(o, 0, remaining, true);
        tcp_ecn_option_values(NULL, o->accecn);
    }
    out->size = TCP_MAX_OPTIONS_LEN - remaining;
    return out->size;
}

/* ---- layout ---- */

/* The one or two bytes that an option left over for the next padding; NOPs when there are none. */
typedef struct Leftover {
    uint8_t b[2];
} Leftover;

static const Leftover no_leftover = {{TCP_OPT_NOP, TCP_OPT_NOP}};

static uint8_t *put_leftover(uint8_t *p, Leftover *l)
{
    p[0] = l->b[0];
    p[1] = l->b[1];
    *l = no_leftover;
    return p + 2;
}

static bool has_leftover(const Leftover *l)
{
    return l->b[0] != TCP_OPT_NOP || l->b[1] != TCP_OPT_NOP;
}

static uint8_t *put_accecn(uint8_t *p, const TcpOptions *o, Leftover *l)
{
    uint8_t buf[ACCECN_MAX + 1];
    unsigned len = (unsigned)tcp_opt_put_accecn(buf, o->accecn_kind, o->accecn, o->n_accecn);
    unsigned whole = len & ~3u, rest = len & 3;

    if (rest == 3) { /* too much to leave over: padded */
        buf[len] = TCP_OPT_NOP;
        whole = len + 1;
        rest = 0;
    }
    memcpy(p, buf, whole);
    for (unsigned i = 0; i < rest; i++)
        l->b[i] = buf[whole + i];
    return p + whole;
}

static uint8_t *put_timestamps(uint8_t *p, const TcpOptions *o)
{
    if (o->has_sack_permitted) {
        p += tcp_opt_put_sack_permitted(p);
    } else {
        p += tcp_opt_put_nop(p);
        p += tcp_opt_put_nop(p);
    }
    return p + tcp_opt_put_timestamps(p, o->ts_val, o->ts_ecr);
}

static uint8_t *put_fastopen(uint8_t *p, const TcpOptions *o)
{
    uint8_t *start = p;

    if (o->is_fastopen_experimental)
        p += tcp_opt_put_fastopen_experimental(p, o->fastopen_cookie, o->fastopen_cookie_len);
    else
        p += tcp_opt_put_fastopen(p, o->fastopen_cookie, o->fastopen_cookie_len);
    while ((p - start) & 3)
        *p++ = TCP_OPT_NOP;
    return p;
}

unsigned tcp_opt_out_write(uint8_t *p, const TcpOptOut *out)
{
    static const uint8_t no_digest[16];
    const TcpOptions *o = &out->o;
    Leftover left = no_leftover;
    uint8_t *start = p;

    if (o->has_md5) {
        p += tcp_opt_put_nop(p);
        p += tcp_opt_put_nop(p);
        p += tcp_opt_put_md5(p, no_digest);
    }
    if (o->has_mss)
        p += tcp_opt_put_mss(p, o->mss);
    if (o->has_timestamps)
        p = put_timestamps(p, o);
    if (o->has_accecn)
        p = put_accecn(p, o, &left);
    if (o->has_sack_permitted && !o->has_timestamps) {
        p = put_leftover(p, &left);
        p += tcp_opt_put_sack_permitted(p);
    }
    if (o->has_wscale) {
        /* one byte to pad: only a single leftover byte fits */
        if (left.b[0] != TCP_OPT_NOP && left.b[1] == TCP_OPT_NOP) {
            *p++ = left.b[0];
            left = no_leftover;
        } else {
            *p++ = TCP_OPT_NOP;
        }
        p += tcp_opt_put_wscale(p, o->wscale);
    }
    if (o->n_sack) {
        p = put_leftover(p, &left);
        p += tcp_opt_put_sack(p, o->sack, o->n_sack);
    } else if (has_leftover(&left)) {
        p = put_leftover(p, &left);
        *p++ = TCP_OPT_NOP;
        *p++ = TCP_OPT_NOP;
    }
    if (o->has_fastopen)
        p = put_fastopen(p, o);
    hs_assert((size_t)(p - start) == out->size);
    return out->size;
}
