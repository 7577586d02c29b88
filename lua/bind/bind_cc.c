/* hs.cc { name = …, on_ack = function(view, sample, state) … end }: a congestion controller written by the
 * scenario, chosen like any other by its name (congestion = "mine", sysctl net.ipv4.tcp_congestion_control).
 *
 * The functions get facts (view, and the sample of an ACK: fresh tables of numbers) and state, one table for
 * each connection, in which they keep what they like. state.cwnd and state.ssthresh (packets) and
 * state.pacing_rate (bytes a second) are set before each call and taken over after it. They are called in the
 * middle of a segment's processing, so they must only look at everything else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lua/bind/bind.h"
#include "models/cc/cc.h"
#include "models/node/net.h"

typedef enum CallKind { CALL_INIT, CALL_ACK, CALL_CONTROL, CALL_LOSS, CALL_SSTHRESH, CALL_UNDO } CallKind;

enum { N_FUNCTIONS = CALL_UNDO + 1 };

static const char *const function_names[N_FUNCTIONS] = {"init",    "on_ack",   "control",
                                                        "on_loss", "ssthresh", "undo"};

typedef struct ScnCc {
    CcOps ops; /* first */
    Scenario *s;
    char *name, *help;
    int fn[N_FUNCTIONS]; /* LUA_NOREF: left out */
} ScnCc;

typedef struct State { /* in the connection */
    int ref;           /* of the state table; 0: not made yet */
    int32_t rtt_us;    /* of the ACK that is being processed; < 0: none */
} State;

typedef struct Call { /* through luaerr_protect */
    ScnCc *c;
    Cc *cc;
    const CcView *v;
    CallKind kind;
    const CcRateSample *rs;
    uint32_t acked;
    const char *loss;
    uint32_t result;
} Call;

typedef struct CcOptions {
    const char *name, *help;
    bool ecn, exact_ce, pacing;
    int fn[N_FUNCTIONS];
} CcOptions;

#define FUNCTION(i, field)                                                                                   \
    {                                                                                                        \
        .name = field, .kind = LUAOPT_FUNCTION, .offset = offsetof(CcOptions, fn) + (i) * sizeof(int)        \
    }
static const LuaOpt cc_opts[] = {
    {.name = "name", .kind = LUAOPT_STRING, .offset = offsetof(CcOptions, name), .required = true},
    {.name = "help", .kind = LUAOPT_STRING, .offset = offsetof(CcOptions, help)},
    {.name = "ecn", .kind = LUAOPT_BOOL, .offset = offsetof(CcOptions, ecn)},
    {.name = "exact_ce", .kind = LUAOPT_BOOL, .offset = offsetof(CcOptions, exact_ce)},
    {.name = "pacing", .kind = LUAOPT_BOOL, .offset = offsetof(CcOptions, pacing)},
    FUNCTION(CALL_INIT, "init"),
    FUNCTION(CALL_ACK, "on_ack"),
    FUNCTION(CALL_CONTROL, "control"),
    FUNCTION(CALL_LOSS, "on_loss"),
    FUNCTION(CALL_SSTHRESH, "ssthresh"),
    FUNCTION(CALL_UNDO, "undo"),
};
const BindOptions bind_cc_options = {"hs.cc", cc_opts, HS_ARRAY_LEN(cc_opts)};

/* ---- tables ---- */

static void push_view(lua_State *L, const Cc *cc, const CcView *v)
{
    static const char *const states[] = {"open", "disorder", "cwr", "recovery", "loss"};

    lua_createtable(L, 0, 24);
    bind_set_number(L, "now", (double)v->now_ns / SIM_SEC);
    bind_set_int(L, "mss", v->mss);
    bind_set_int(L, "in_flight", v->in_flight);
    bind_set_int(L, "packets_out", v->packets_out);
    bind_set_int(L, "sacked_out", v->sacked_out);
    bind_set_int(L, "lost_out", v->lost_out);
    bind_set_int(L, "retrans_out", v->retrans_out);
    bind_set_int(L, "prior_cwnd", v->prior_cwnd);
    bind_set_int(L, "delivered", v->delivered);
    bind_set_int(L, "delivered_ce", v->delivered_ce);
    bind_set_int(L, "lost", v->lost);
    bind_set_int(L, "init_cwnd", v->init_cwnd);
    bind_set_int(L, "bytes_acked", (int64_t)v->bytes_acked);
    bind_set_int(L, "snd_una", v->snd_una);
    bind_set_int(L, "snd_nxt", v->snd_nxt);
    if (v->srtt_us)
        bind_set_number(L, "srtt", v->srtt_us / 8e6);
    if (v->min_rtt_us != UINT32_MAX)
        bind_set_number(L, "min_rtt", v->min_rtt_us / 1e6);
    bind_set_number(L, "rto", v->rto_us / 1e6);
    bind_set_text(L, "ca_state", states[v->ca_state]);
    bind_set_flag(L, "is_cwnd_limited", cc_is_cwnd_limited(&cc->s, v));
    bind_set_flag(L, "is_app_limited", v->app_limited != 0);
    bind_set_flag(L, "is_ecn", v->is_ecn);
}

static void push_sample(lua_State *L, const Call *k)
{
    const State *st = cc_priv_const(k->cc);
    int64_t rtt_us = k->rs ? k->rs->rtt_us : st->rtt_us;

    lua_createtable(L, 0, 8);
    bind_set_int(L, "acked", k->acked);
    if (rtt_us >= 0)
        bind_set_number(L, "rtt", (double)rtt_us / 1e6);
    if (!k->rs)
        return;
    bind_set_int(L, "losses", k->rs->losses);
    bind_set_int(L, "prior_in_flight", k->rs->prior_in_flight);
    bind_set_flag(L, "is_ece", k->rs->is_ece);
    bind_set_flag(L, "is_app_limited", k->rs->is_app_limited);
    if (k->rs->interval_us > 0 && k->rs->delivered >= 0) {
        bind_set_int(L, "delivered", k->rs->delivered);
        bind_set_int(L, "delivered_ce", k->rs->delivered_ce);
        bind_set_number(L, "interval", (double)k->rs->interval_us / 1e6);
    }
}

static void push_state(lua_State *L, Cc *cc)
{
    State *st = cc_priv(cc);

    if (!st->ref) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        st->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, st->ref);
    }
    /* A controller that adds fractions of a packet finds them again, unless the window was changed by others.
     */
    lua_getfield(L, -1, "cwnd");
    double before = lua_tonumber(L, -1);

    if (!(before >= cc->s.cwnd && before < cc->s.cwnd + 1.0)) {
        lua_pushinteger(L, cc->s.cwnd);
        lua_setfield(L, -3, "cwnd");
    }
    lua_pop(L, 1);
    bind_set_number(L, "ssthresh", cc->s.ssthresh >= CC_SSTHRESH_INFINITE ? HUGE_VAL : cc->s.ssthresh);
}

/* ---- what the functions decide ---- */

/* Names the line where the function begins, as it has returned already. */
_Noreturn static void bad(lua_State *L, const Call *k, const char *what, int idx, const char *expected)
{
    const char *got = luaerr_describe(L, idx);
    lua_Debug ar;

    lua_rawgeti(L, LUA_REGISTRYINDEX, k->c->fn[k->kind]);
    lua_getinfo(L, ">S", &ar);
    lua_pushfstring(L, "%s:%d: congestion controller \"%s\": %s: %s is %s, expected %s", ar.short_src,
                    ar.linedefined, k->c->name, function_names[k->kind], what, got, expected);
    lua_error(L);
    abort();
}

/* Packets; a fraction is rounded down. */
static uint32_t check_packets(lua_State *L, const Call *k, const char *what, int idx, uint32_t most)
{
    double d = lua_type(L, idx) == LUA_TNUMBER ? lua_tonumber(L, idx) : 0;

    if (!(d >= 1))
        bad(L, k, what, idx, "a number of packets of at least 1");
    return d >= most ? most : (uint32_t)d;
}

static void take_state(lua_State *L, const Call *k, int idx)
{
    CcState *s = &k->cc->s;
    uint32_t cwnd, ssthresh;
    double rate = 0;

    lua_getfield(L, idx, "cwnd");
    cwnd = check_packets(L, k, "state.cwnd", -1, k->v->cwnd_clamp ? k->v->cwnd_clamp : INT32_MAX);
    lua_getfield(L, idx, "ssthresh");
    ssthresh = check_packets(L, k, "state.ssthresh", -1, CC_SSTHRESH_INFINITE);
    if (lua_getfield(L, idx, "pacing_rate") != LUA_TNIL) {
        rate = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(rate >= 0))
            bad(L, k, "state.pacing_rate", -1, "a number of bytes a second");
        if (!(k->c->ops.flags & CC_NEEDS_PACING))
            bad(L, k, "state.pacing_rate", -1, "nil: hs.cc was not told pacing = true");
    }
    s->cwnd = cwnd;
    s->ssthresh = ssthresh;
    s->pacing_rate = rate >= 1e18 ? (uint64_t)1e18 : (uint64_t)rate;
}

static int call(lua_State *L)
{
    Call *k = lua_touserdata(L, 1);
    bool answers = k->kind == CALL_SSTHRESH || k->kind == CALL_UNDO;
    int nargs = 2;

    push_state(L, k->cc); /* index 2 */
    lua_rawgeti(L, LUA_REGISTRYINDEX, k->c->fn[k->kind]);
    push_view(L, k->cc, k->v);
    if (k->kind == CALL_ACK || k->kind == CALL_CONTROL) {
        push_sample(L, k);
        nargs++;
    } else if (k->kind == CALL_LOSS) {
        lua_pushstring(L, k->loss);
        nargs++;
    }
    lua_pushvalue(L, 2);
    lua_call(L, nargs, answers);
    if (answers)
        k->result = check_packets(L, k, "the answer", -1, CC_SSTHRESH_INFINITE);
    else
        take_state(L, k, 2);
    return 0;
}

/* false: the function is left out, or the scenario has failed, or init has not been called: Linux asks while
 * the handshake is still going on. */
static bool run(Call *k)
{
    Scenario *s = k->c->s;
    LuaErr err = {0};

    if (k->kind != CALL_INIT && !k->cc->is_started)
        return false;
    if (k->c->fn[k->kind] == LUA_NOREF || s->failed)
        return false;
    s->observing++; /* a call that sends from here would find the connection half updated */
    bool ok = luaerr_protect(s->L, call, k, &err);

    s->observing--;
    if (!ok)
        scenario_fail(s, &err);
    return ok;
}

/* ---- CcOps ---- */

static ScnCc *of(const Cc *cc)
{
    return (ScnCc *)cc->ops->user;
}

static void cc_init(Cc *cc, const CcView *v)
{
    ((State *)cc_priv(cc))->rtt_us = -1;
    run(&(Call){.c = of(cc), .cc = cc, .v = v, .kind = CALL_INIT});
}

static void cc_release(Cc *cc)
{
    State *st = cc_priv(cc);
    Scenario *s = of(cc)->s;

    if (st->ref && !s->failed) /* else Lua may be gone already, with all that it held */
        luaL_unref(s->L, LUA_REGISTRYINDEX, st->ref);
    st->ref = 0;
}

static void cc_pkts(Cc *cc, const CcView *v, const CcAckSample *a)
{
    ((State *)cc_priv(cc))->rtt_us = a->rtt_us;
}

static void cc_avoid(Cc *cc, const CcView *v, uint32_t ack, uint32_t acked)
{
    run(&(Call){.c = of(cc), .cc = cc, .v = v, .kind = CALL_ACK, .acked = acked});
    ((State *)cc_priv(cc))->rtt_us = -1;
}

static void cc_control(Cc *cc, const CcView *v, uint32_t ack, uint32_t flags, const CcRateSample *rs)
{
    run(&(Call){.c = of(cc), .cc = cc, .v = v, .kind = CALL_CONTROL, .acked = rs->acked_sacked, .rs = rs});
}

static void cc_state(Cc *cc, const CcView *v, CcCaState to)
{
    const char *loss = to == CC_CA_CWR        ? "mark"
                       : to == CC_CA_RECOVERY ? "recovery"
                       : to == CC_CA_LOSS     ? "timeout"
                                              : NULL;

    if (loss && to != v->ca_state)
        run(&(Call){.c = of(cc), .cc = cc, .v = v, .kind = CALL_LOSS, .loss = loss});
}

static uint32_t cc_threshold(Cc *cc, const CcView *v)
{
    Call k = {.c = of(cc), .cc = cc, .v = v, .kind = CALL_SSTHRESH};

    return run(&k) ? k.result : cc_reno_ssthresh(cc, v);
}

static uint32_t cc_undo(Cc *cc, const CcView *v)
{
    Call k = {.c = of(cc), .cc = cc, .v = v, .kind = CALL_UNDO};

    return run(&k) ? k.result : cc_reno_undo_cwnd(cc, v);
}

/* ---- hs.cc ---- */

static void check_name(lua_State *L, Scenario *s, const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len >= CC_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
        luaerr_arg(L, 0, "name", lua_pushfstring(L, "\"%s\"", name),
                   "1 to 15 small letters, digits, '_' and '-'");
    if (cc_ops_find(net_controllers(s->net), name))
        luaerr_raise(L, "there is a congestion controller \"%s\" already", name);
}

static int hs_cc(lua_State *L)
{
    Scenario *s = scenario_of(L);
    CcOptions o = {0};
    ScnCc *c;

    scenario_may_change(L);
    luaopt_read(L, 1, "hs.cc", cc_opts, HS_ARRAY_LEN(cc_opts), 0, &o);
    check_name(L, s, o.name);
    if (!o.fn[CALL_ACK] == !o.fn[CALL_CONTROL])
        luaerr_raise(L, "hs.cc \"%s\" needs one of on_ack and control", o.name);
    c = g_new0(ScnCc, 1);
    c->s = s;
    c->name = g_strdup(o.name);
    c->help = g_strdup(o.help ? o.help : "written by the scenario");
    for (unsigned i = 0; i < N_FUNCTIONS; i++) {
        c->fn[i] = LUA_NOREF;
        if (o.fn[i]) {
            lua_pushvalue(L, o.fn[i]);
            c->fn[i] = luaL_ref(L, LUA_REGISTRYINDEX);
        }
    }
    c->ops = (CcOps){
        .name = c->name,
        .help = c->help,
        .flags = CC_NON_RESTRICTED | (o.ecn || o.exact_ce ? CC_NEEDS_ECN : 0) |
                 (o.exact_ce ? CC_EXACT_CE_ECHO : 0) | (o.pacing ? CC_NEEDS_PACING : 0),
        .state_size = sizeof(State),
        .user = c,
        .init = cc_init,
        .release = cc_release,
        .ssthresh = cc_threshold,
        .cong_avoid = o.fn[CALL_ACK] ? cc_avoid : NULL,
        .cong_control = o.fn[CALL_CONTROL] ? cc_control : NULL,
        .set_state = cc_state,
        .pkts_acked = cc_pkts,
        .undo_cwnd = cc_undo,
    };
    net_add_controller(s->net, &c->ops);
    g_ptr_array_add(s->controllers, c);
    return 0;
}

void bind_cc_free(Scenario *s)
{
    for (guint i = 0; i < s->controllers->len; i++) {
        ScnCc *c = g_ptr_array_index(s->controllers, i);

        g_free(c->name);
        g_free(c->help);
        g_free(c);
    }
    g_ptr_array_free(s->controllers, true);
}

void bind_cc_open(lua_State *L)
{
    lua_pushcfunction(L, hs_cc);
    lua_setfield(L, -2, "cc");
}
