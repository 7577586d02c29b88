/* The options that we send: for whatever a connection or a half-open one may be asked to carry (MD5,
 * timestamps, SACK blocks and a D-SACK, accurate ECN, Fast Open cookies), the layout fits into 40 bytes, is a
 * whole number of words, and reads back as what was meant, in an order that others know. Accurate ECN is the
 * hard one: its field count and the SACK blocks that give way for it depend on all the others, and its last
 * bytes take the place of other options' padding. */
#include "models/tcp/tcp_accecn.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "sim/engine/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct Fuzz {
    const uint8_t *p, *end;
    Tcp t;
    TcpSysctl sysctl;
    TcpMd5Key key;
} Fuzz;

static uint8_t u8(Fuzz *f)
{
    return f->p < f->end ? *f->p++ : 0;
}

static uint32_t u32(Fuzz *f)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v = v << 8 | u8(f);
    return v;
}

/* Kinds by their place, where both are there. */
static void check_order(const uint8_t *p, unsigned len)
{
    static const uint8_t order[] = {TCP_OPT_MD5,    TCP_OPT_MSS,  TCP_OPT_TIMESTAMPS, TCP_OPT_ACCECN1,
                                    TCP_OPT_WSCALE, TCP_OPT_SACK, TCP_OPT_FASTOPEN};
    TcpOptIter it = {p, len, 0};
    TcpOpt opt;
    unsigned at = 0;

    while (tcp_opt_next(&it, &opt)) {
        if (opt.kind == TCP_OPT_NOP || opt.kind == TCP_OPT_SACK_PERMITTED || opt.kind == TCP_OPT_EXPERIMENTAL)
            continue;
        while (at < HS_ARRAY_LEN(order) && order[at] != opt.kind)
            at++;
        hs_assert(at < HS_ARRAY_LEN(order));
    }
    hs_assert(!it.error);
}

static void check(const TcpOptOut *out)
{
    const TcpOptions *o = &out->o;
    uint8_t raw[2 * TCP_MAX_OPTIONS_LEN];
    TcpOptions back;
    unsigned len = tcp_opt_out_write(raw, out);

    hs_assert(len == out->size && len <= TCP_MAX_OPTIONS_LEN && len % 4 == 0);
    hs_assert(tcp_options_decode(&back, raw, len) == WIRE_OK);
    check_order(raw, len);
    hs_assert(back.has_mss == o->has_mss && back.mss == o->mss);
    hs_assert(back.has_wscale == o->has_wscale && back.has_md5 == o->has_md5);
    hs_assert(back.has_sack_permitted == o->has_sack_permitted);
    hs_assert(back.has_timestamps == o->has_timestamps);
    hs_assert(!o->has_timestamps || (back.ts_val == o->ts_val && back.ts_ecr == o->ts_ecr));
    hs_assert(back.n_sack == o->n_sack && memcmp(back.sack, o->sack, o->n_sack * sizeof o->sack[0]) == 0);
    hs_assert(back.has_fastopen == o->has_fastopen && back.fastopen_cookie_len == o->fastopen_cookie_len);
    hs_assert(back.is_fastopen_experimental == o->is_fastopen_experimental);
    hs_assert(memcmp(back.fastopen_cookie, o->fastopen_cookie, o->fastopen_cookie_len) == 0);
    hs_assert(back.has_accecn == o->has_accecn && back.n_accecn == o->n_accecn && !back.n_unknown);
    for (unsigned i = 0; i < o->n_accecn; i++)
        hs_assert(back.accecn[i] == (o->accecn[i] & 0xffffff));
}

static void established(Fuzz *f, TcpConn *c)
{
    uint8_t has = u8(f), n = u8(f);
    TcpSackBlock blocks[8];
    TcpSeg seg = {.sent_ns = u32(f)};
    TcpOptOut out;
    unsigned space;
    uint8_t minlen;

    c->ts.tstamp_ok = has & 1;
    c->ts.ts_recent = u32(f);
    c->rcv.num_sacks = n & 7;
    c->rcv.num_sacks = HS_MIN(c->rcv.num_sacks, 4);
    c->rcv.dsack = has >> 1 & 1;
    for (unsigned i = 0; i < HS_ARRAY_LEN(blocks); i++)
        blocks[i] = (TcpSackBlock){u32(f), u32(f)};
    c->rcv.selective_acks = blocks;
    c->rcv.duplicate_sack = blocks[7];
    c->ecn.flags = has & 4 ? TCP_ECN_MODE_ACCECN : 0;
    c->ecn.saw_accecn_opt = has >> 3 & 3;
    c->ecn.accecn_fail_mode = n >> 4;
    minlen = c->ecn.accecn_minlen = has >> 5 & 3;
    c->ecn.accecn_opt_demand = n >> 3 & 1;
    for (int i = 0; i < 3; i++)
        c->ecn.received_ecn_bytes[i] = u32(f);
    space = tcp_opt_out_established(c, NULL, &out);
    hs_assert(tcp_opt_out_established(c, &seg, &out) == space);
    /* A counter that has changed is told, or the option is not there at all. */
    hs_assert(!out.o.has_accecn || out.o.n_accecn >= minlen);
    /* No more than the third and the fourth block give way. */
    hs_assert(!(has & 4) || out.o.n_sack >= HS_MIN(2, c->rcv.num_sacks) || out.size > 40 - 8 || out.md5);
    check(&out);
}

static void synack(Fuzz *f, TcpConn *c)
{
    uint8_t has = u8(f);
    TcpFastopenCookie foc = {0};
    TcpReq r = {.tcp = &f->t, .listener = c};
    TcpOptOut out;

    r.wscale_ok = has & 1;
    r.tstamp_ok = has >> 1 & 1;
    r.sack_ok = has >> 2 & 1;
    r.accecn_ok = has >> 3 & 1;
    r.is_again = has >> 4 & 1;
    r.rcv_wscale = u8(f) % 15;
    r.ts_recent = u32(f);
    r.ts_off = u32(f);
    foc.len = u8(f) % 8 * 2; /* what a cookie may have: none, or 4 to 16 bytes */
    foc.len += foc.len ? 2 : 0;
    foc.exp = has >> 5 & 1;
    for (int i = 0; i < foc.len; i++)
        foc.val[i] = u8(f);
    tcp_opt_out_synack(&r, c, &out, (uint16_t)u32(f), has & 64, has & 128 ? &foc : NULL);
    hs_assert(!out.o.has_accecn || (r.accecn_ok && !r.is_again));
    check(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Fuzz f = {.p = data, .end = data + n};
    Sim *sim = sim_new(1);
    Node node;
    TcpConn c = {.tcp = &f.t};
    uint8_t mode = u8(&f);

    node_init(&node, sim, "fuzz");
    f.t.node = &node;
    f.t.sysctl = &f.sysctl;
    f.sysctl.tcp_ecn_option = mode >> 2 & 3;
    f.sysctl.tcp_ecn_option_beacon = mode >> 4 & 3;
    c.remote = f.key.addr = inet_from_ip4(0xc0000201);
    f.key.prefix_len = 32;
    if (mode & 128)
        c.md5 = &f.key;
    if (mode & 1)
        synack(&f, &c);
    else
        established(&f, &c);
    node_clear(&node);
    sim_free(sim);
    return 0;
}
