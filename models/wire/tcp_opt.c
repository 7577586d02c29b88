/* TCP options: walking, reading, writing, printing. */
#include "models/wire/tcp_opt.h"

#include <stdarg.h>
#include <stdio.h>

#include "sim/base/base.h"

bool tcp_opt_next(TcpOptIter *it, TcpOpt *opt)
{
    if (it->len == 0 || it->error || it->p[0] == TCP_OPT_EOL)
        return false;
    *opt = (TcpOpt){.kind = it->p[0], .p = it->p, .len = 1};
    if (opt->kind != TCP_OPT_NOP) {
        if (it->len < 2)
            it->error = WIRE_TRUNCATED;
        else if (it->p[1] < 2 || it->p[1] > it->len)
            it->error = WIRE_BAD_LENGTH;
        if (it->error)
            return false;
        opt->len = it->p[1];
    }
    it->p += opt->len;
    it->len -= opt->len;
    return true;
}

/* RFC 7413 4.1.1: an empty cookie asks for one; otherwise 4 to 16 bytes and an even number of them. */
static bool read_fastopen(TcpOptions *o, const uint8_t *cookie, unsigned len, bool is_experimental)
{
    if (len > TCP_MAX_FASTOPEN_COOKIE || (len > 0 && len < 4) || len % 2)
        return false;
    o->has_fastopen = true;
    o->is_fastopen_experimental = is_experimental;
    o->fastopen_cookie_len = (uint8_t)len;
    memset(o->fastopen_cookie, 0, sizeof o->fastopen_cookie); /* of an earlier one in the same header */
    memcpy(o->fastopen_cookie, cookie, len);
    return true;
}

static bool read_sack(TcpOptions *o, const TcpOpt *opt)
{
    unsigned n = (opt->len - 2u) / 8;

    if (n == 0 || n > TCP_MAX_SACK_BLOCKS || (opt->len - 2) % 8)
        return false;
    memset(o->sack, 0, sizeof o->sack);
    o->n_sack = (uint8_t)n;
    for (unsigned i = 0; i < n; i++)
        o->sack[i] = (TcpSackBlock){wire_get32(opt->p + 2 + 8 * i), wire_get32(opt->p + 6 + 8 * i)};
    return true;
}

/* The length must only be right for the fields that are used: Linux tcp_accecn_process_option takes as many
 * whole ones as there are. */
static void read_accecn(TcpOptions *o, const TcpOpt *opt)
{
    o->has_accecn = true;
    o->accecn_kind = opt->kind;
    o->n_accecn = (uint8_t)HS_MIN((opt->len - 2u) / 3, TCP_OPT_ACCECN_MAX_FIELDS);
    for (unsigned i = 0; i < o->n_accecn; i++)
        o->accecn[i] = wire_get24(opt->p + 2 + 3 * i);
}

/* false: known kind, wrong length. */
static bool read_option(TcpOptions *o, const TcpOpt *opt)
{
    switch (opt->kind) {
    case TCP_OPT_NOP:
        return true;
    case TCP_OPT_MSS:
        if (opt->len != TCP_OPT_MSS_LEN)
            return false;
        o->has_mss = true;
        o->mss = wire_get16(opt->p + 2);
        return true;
    case TCP_OPT_WSCALE:
        if (opt->len != TCP_OPT_WSCALE_LEN)
            return false;
        o->has_wscale = true;
        o->wscale = opt->p[2];
        return true;
    case TCP_OPT_SACK_PERMITTED:
        if (opt->len != TCP_OPT_SACK_PERMITTED_LEN)
            return false;
        o->has_sack_permitted = true;
        return true;
    case TCP_OPT_SACK:
        return read_sack(o, opt);
    case TCP_OPT_TIMESTAMPS:
        if (opt->len != TCP_OPT_TIMESTAMPS_LEN)
            return false;
        o->has_timestamps = true;
        o->ts_val = wire_get32(opt->p + 2);
        o->ts_ecr = wire_get32(opt->p + 6);
        return true;
    case TCP_OPT_MD5:
        if (opt->len != TCP_OPT_MD5_LEN)
            return false;
        o->has_md5 = true;
        memcpy(o->md5, opt->p + 2, 16);
        return true;
    case TCP_OPT_FASTOPEN:
        return read_fastopen(o, opt->p + 2, opt->len - 2u, false);
    case TCP_OPT_ACCECN0:
    case TCP_OPT_ACCECN1:
        read_accecn(o, opt);
        return true;
    case TCP_OPT_EXPERIMENTAL:
        if (opt->len >= 4 && wire_get16(opt->p + 2) == TCP_OPT_FASTOPEN_MAGIC)
            return read_fastopen(o, opt->p + 4, opt->len - 4u, true);
        break;
    default:
        break;
    }
    o->n_unknown++;
    return true;
}

int tcp_options_decode(TcpOptions *out, const uint8_t *p, size_t len)
{
    TcpOptIter it = {p, HS_MIN(len, TCP_MAX_OPTIONS_LEN), 0};
    TcpOpt opt;
    bool ok = true;

    *out = (TcpOptions){0};
    while (tcp_opt_next(&it, &opt))
        ok &= read_option(out, &opt);
    return ok && !it.error ? WIRE_OK : WIRE_BAD_LENGTH;
}

size_t tcp_opt_put_nop(uint8_t *p)
{
    p[0] = TCP_OPT_NOP;
    return 1;
}

static uint8_t *put_head(uint8_t *p, uint8_t kind, unsigned len)
{
    p[0] = kind;
    p[1] = (uint8_t)len;
    return p + 2;
}

size_t tcp_opt_put_mss(uint8_t *p, uint16_t mss)
{
    wire_put16(put_head(p, TCP_OPT_MSS, TCP_OPT_MSS_LEN), mss);
    return TCP_OPT_MSS_LEN;
}

size_t tcp_opt_put_wscale(uint8_t *p, uint8_t shift)
{
    *put_head(p, TCP_OPT_WSCALE, TCP_OPT_WSCALE_LEN) = shift;
    return TCP_OPT_WSCALE_LEN;
}

size_t tcp_opt_put_sack_permitted(uint8_t *p)
{
    put_head(p, TCP_OPT_SACK_PERMITTED, TCP_OPT_SACK_PERMITTED_LEN);
    return TCP_OPT_SACK_PERMITTED_LEN;
}

size_t tcp_opt_put_sack(uint8_t *p, const TcpSackBlock *blocks, unsigned n)
{
    uint8_t *at = put_head(p, TCP_OPT_SACK, 2 + 8 * n);

    hs_assert(n > 0 && n <= TCP_MAX_SACK_BLOCKS);
    for (unsigned i = 0; i < n; i++, at += 8) {
        wire_put32(at, blocks[i].left);
        wire_put32(at + 4, blocks[i].right);
    }
    return 2 + 8 * n;
}

size_t tcp_opt_put_timestamps(uint8_t *p, uint32_t val, uint32_t ecr)
{
    uint8_t *at = put_head(p, TCP_OPT_TIMESTAMPS, TCP_OPT_TIMESTAMPS_LEN);

    wire_put32(at, val);
    wire_put32(at + 4, ecr);
    return TCP_OPT_TIMESTAMPS_LEN;
}

size_t tcp_opt_put_fastopen(uint8_t *p, const uint8_t *cookie, unsigned len)
{
    hs_assert(len <= TCP_MAX_FASTOPEN_COOKIE);
    memcpy(put_head(p, TCP_OPT_FASTOPEN, 2 + len), cookie, len);
    return 2 + len;
}

size_t tcp_opt_put_fastopen_experimental(uint8_t *p, const uint8_t *cookie, unsigned len)
{
    uint8_t *at = put_head(p, TCP_OPT_EXPERIMENTAL, 4 + len);

    hs_assert(len <= TCP_MAX_FASTOPEN_COOKIE);
    wire_put16(at, TCP_OPT_FASTOPEN_MAGIC);
    memcpy(at + 2, cookie, len);
    return 4 + len;
}

size_t tcp_opt_put_accecn(uint8_t *p, uint8_t kind, const uint32_t *values, unsigned n)
{
    uint8_t *at = put_head(p, kind, 2 + 3 * n);

    hs_assert(n <= TCP_OPT_ACCECN_MAX_FIELDS);
    for (unsigned i = 0; i < n; i++)
        wire_put24(at + 3 * i, values[i]);
    return 2 + 3 * n;
}

size_t tcp_opt_put_md5(uint8_t *p, const uint8_t digest[16])
{
    memcpy(put_head(p, TCP_OPT_MD5, TCP_OPT_MD5_LEN), digest, 16);
    return TCP_OPT_MD5_LEN;
}

static size_t fastopen_len(const TcpOptions *o)
{
    return (o->is_fastopen_experimental ? 4u : 2u) + o->fastopen_cookie_len;
}

size_t tcp_options_encoded_len(const TcpOptions *o)
{
    size_t len = 0;

    len += o->has_md5 ? 2 + TCP_OPT_MD5_LEN : 0;
    len += o->has_mss ? TCP_OPT_MSS_LEN : 0;
    len += o->has_timestamps ? 2 + TCP_OPT_TIMESTAMPS_LEN : o->has_sack_permitted ? 4 : 0;
    len += o->has_wscale ? 4 : 0;
    len += o->n_sack ? 4 + 8u * o->n_sack : 0;
    len += o->has_fastopen ? (fastopen_len(o) + 3) & ~(size_t)3 : 0;
    return len;
}

size_t tcp_options_encode(uint8_t *p, const TcpOptions *o)
{
    uint8_t *at = p;

    if (o->has_md5) {
        at += tcp_opt_put_nop(at);
        at += tcp_opt_put_nop(at);
        at += tcp_opt_put_md5(at, o->md5);
    }
    if (o->has_mss)
        at += tcp_opt_put_mss(at, o->mss);
    if (o->has_sack_permitted) {
        /* With timestamps the two take the place of their padding. */
        if (!o->has_timestamps) {
            at += tcp_opt_put_nop(at);
            at += tcp_opt_put_nop(at);
        }
        at += tcp_opt_put_sack_permitted(at);
    }
    if (o->has_timestamps) {
        if (!o->has_sack_permitted) {
            at += tcp_opt_put_nop(at);
            at += tcp_opt_put_nop(at);
        }
        at += tcp_opt_put_timestamps(at, o->ts_val, o->ts_ecr);
    }
    if (o->has_wscale) {
        at += tcp_opt_put_nop(at);
        at += tcp_opt_put_wscale(at, o->wscale);
    }
    if (o->n_sack) {
        at += tcp_opt_put_nop(at);
        at += tcp_opt_put_nop(at);
        at += tcp_opt_put_sack(at, o->sack, o->n_sack);
    }
    if (o->has_fastopen) {
        if (o->is_fastopen_experimental)
            at += tcp_opt_put_fastopen_experimental(at, o->fastopen_cookie, o->fastopen_cookie_len);
        else
            at += tcp_opt_put_fastopen(at, o->fastopen_cookie, o->fastopen_cookie_len);
        while ((at - p) % 4)
            at += tcp_opt_put_nop(at);
    }
    return (size_t)(at - p);
}

/* Appends as far as there is room. */
typedef struct Out {
    char *buf;
    size_t at, size;
} Out;

HS_PRINTF(2, 3) static void put(Out *o, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(o->buf + o->at, o->size - o->at, fmt, args);
    va_end(args);
    o->at = HS_MIN(o->at + (size_t)n, o->size - 1);
}

static void put_option(Out *o, const TcpOpt *opt)
{
    TcpOptions v = {0};

    if (!read_option(&v, opt))
        put(o, "[bad option %u]", opt->kind);
    else if (opt->kind == TCP_OPT_NOP)
        put(o, "nop");
    else if (v.has_mss)
        put(o, "mss %u", v.mss);
    else if (v.has_wscale)
        put(o, "wscale %u", v.wscale);
    else if (v.has_sack_permitted)
        put(o, "sackOK");
    else if (v.has_timestamps)
        put(o, "TS val %u ecr %u", v.ts_val, v.ts_ecr);
    else if (v.has_md5)
        put(o, "md5");
    else if (v.has_accecn) {
        static const char *const names[2][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};

        put(o, "ECN");
        for (unsigned i = 0; i < v.n_accecn; i++)
            put(o, " %s %u", names[opt->kind == TCP_OPT_ACCECN1][i], v.accecn[i]);
    } else if (v.n_sack) {
        put(o, "sack %u ", v.n_sack);
        for (unsigned i = 0; i < v.n_sack; i++)
            put(o, "{%u:%u}", v.sack[i].left, v.sack[i].right);
    } else if (v.has_fastopen) {
        put(o, "%s ", v.is_fastopen_experimental ? "exp-tfo" : "tfo");
        if (v.fastopen_cookie_len == 0)
            put(o, "cookiereq");
        else
            put(o, "cookie ");
        for (unsigned i = 0; i < v.fastopen_cookie_len; i++)
            put(o, "%02x", v.fastopen_cookie[i]);
    } else
        put(o, "unknown-%u", opt->kind);
}

char *tcp_options_format(const uint8_t *p, size_t len, char *buf, size_t buf_len)
{
    TcpOptIter it = {p, len, 0};
    Out out = {buf, 0, buf_len};
    TcpOpt opt;

    hs_assert(buf_len > 0);
    buf[0] = '\0';
    while (tcp_opt_next(&it, &opt)) {
        put(&out, "%s", out.at ? "," : "");
        put_option(&out, &opt);
    }
    if (it.error)
        put(&out, "%s[bad option]", out.at ? "," : "");
    else if (it.len > 0)
        put(&out, "%seol", out.at ? "," : "");
    return buf;
}
