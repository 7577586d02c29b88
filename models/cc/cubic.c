/* CUBIC (RFC 9438; S. Ha, I. Rhee, L. Xu, "CUBIC: A New TCP-Friendly High-Speed TCP Variant", 2008) in the
 * integer arithmetic of Linux's net/ipv4/tcp_cubic.c, so that windows agree packet by packet:
 *
 *   W(t) = C (t - K)^3 + W_max,  K = cbrt((W_max - cwnd) / C),  C = 410/1024, beta = 717/1024
 *
 * Times of the curve are in units of 1/1024 s, from a clock of 1 ms (HZ = 1000). The window is not set to
 * W(t): `cnt` says how many acknowledged packets give one more, so that W is reached a round trip later.
 *
 * As Linux, and unlike RFC 9438: growth is at most one packet per two acknowledged; before the first loss at
 * least one per twenty; the Reno-friendly estimate keeps its slope of 9/17 beyond W_max (the RFC then takes
 * 1). The parameter hystartpp is not Linux's: RFC 9406 in place of HyStart. */
#include "models/cc/cc.h"
#include "models/cc/hystart.h"
#include "models/cc/hystartpp.h"

enum {
    FAST_CONVERGENCE,
    BETA,
    INITIAL_SSTHRESH,
    BIC_SCALE,
    TCP_FRIENDLINESS,
    HYSTART,
    HYSTART_DETECT,
    HYSTART_LOW_WINDOW,
    HYSTART_ACK_DELTA_US,
    HYSTARTPP,
};

#define BETA_SCALE 1024 /* of the parameter beta */
#define TIME_SHIFT 10   /* curve times are in 1/1024 s (Linux BICTCP_HZ) */
#define CWND_MIN 2
#define CNT_MIN 2             /* the window grows by at most half a window per round trip */
#define CNT_MAX_FIRST_TIME 20 /* … and by at least a twentieth while no loss has been seen */

typedef struct Cubic {
    uint32_t cnt;       /* acknowledged packets for one more of window */
    uint32_t w_max;     /* window before the last reduction (Linux last_max_cwnd) */
    uint32_t last_cwnd; /* for which cnt was worked out … */
    uint32_t last_time; /* … and when, in jiffies */
    uint32_t origin;    /* the plateau of this epoch's curve (bic_origin_point) */
    uint32_t k;         /* 1/1024 s from the epoch's start to the plateau (bic_K) */
    uint32_t delay_min_us;
    uint32_t epoch_start; /* jiffies; 0: a new epoch begins with the next ACK */
    uint32_t ack_cnt;     /* acknowledged packets that the estimate below has not used up */
    uint32_t tcp_cwnd;    /* what a Reno flow would have by now */
    HyStart hystart;
    HyStartPP hystartpp;
} Cubic;

static void reset(Cubic *c)
{
    memset(c, 0, offsetof(Cubic, hystart));
    c->hystart.found = false;
}

static void cubic_init(Cc *cc, const CcView *v)
{
    Cubic *c = cc_priv(cc);

    reset(c);
    hystartpp_init(&c->hystartpp, v);
    if (cc_param(cc, HYSTART))
        hystart_reset(&c->hystart, v);
    else if (cc_param(cc, INITIAL_SSTHRESH))
        cc->s.ssthresh = (uint32_t)cc_param(cc, INITIAL_SSTHRESH);
}

/* After idleness the curve goes on where it stood, not where the clock has got to. */
static void cubic_cwnd_event(Cc *cc, const CcView *v, CcEvent ev)
{
    Cubic *c = cc_priv(cc);
    uint32_t now = cc_jiffies(v);
    int32_t idle = (int32_t)(now - cc_jiffies_at(v->last_send_ns));

    if (ev != CC_EVENT_TX_START || !c->epoch_start || idle <= 0)
        return;
    c->epoch_start += (uint32_t)idle;
    if (cc_after(c->epoch_start, now))
        c->epoch_start = now;
}

/* Cube root by a table of 64 values and one round of Newton and Raphson; within 0.2 % on average (Linux
 * cubic_root, whose table it must share: its roundings decide windows). */
static uint32_t cube_root(uint64_t a)
{
    static const uint8_t first[] = {
        0,   54,  54,  54,  118, 118, 118, 118, 123, 129, 134, 138, 143, 147, 151, 156,
        157, 161, 164, 168, 170, 173, 176, 179, 181, 185, 187, 190, 192, 194, 197, 199,
        200, 202, 204, 206, 209, 211, 213, 215, 217, 219, 221, 222, 224, 225, 227, 229,
        231, 232, 234, 236, 237, 239, 240, 242, 244, 245, 246, 248, 250, 251, 252, 254,
    };
    uint32_t bits = a ? 64 - (uint32_t)__builtin_clzll(a) : 0;
    uint32_t thirds, x;

    if (bits < 7)
        return ((uint32_t)first[a] + 35) >> 6;
    thirds = (bits * 84 >> 8) - 1; /* bits / 3 - 1 */
    x = (((uint32_t)first[a >> (thirds * 3)] + 10) << thirds) >> 6;
    x = 2 * x + (uint32_t)(a / ((uint64_t)x * (x - 1)));
    return x * 341 >> 10; /* / 3 */
}

static void begin_epoch(Cubic *c, uint32_t scale, uint32_t cwnd, uint32_t acked, uint32_t now)
{
    c->epoch_start = now;
    c->ack_cnt = acked;
    c->tcp_cwnd = cwnd;
    if (c->w_max <= cwnd) {
        c->k = 0;
        c->origin = cwnd;
    } else {
        uint64_t factor = (1ull << (10 + 3 * TIME_SHIFT)) / scale; /* 1 / C */

        c->k = cube_root(factor * (c->w_max - cwnd));
        c->origin = c->w_max;
    }
}

/* The curve's window one shortest round trip from now. */
static uint32_t target(const Cubic *c, uint32_t scale, uint32_t now)
{
    uint64_t t = (uint64_t)(int64_t)(int32_t)(now - c->epoch_start);
    uint64_t off;
    uint32_t delta;

    t += (c->delay_min_us + 999) / 1000; /* jiffies, rounded up */
    t = (t << TIME_SHIFT) / CC_HZ;
    off = t < c->k ? c->k - t : t - c->k;
    delta = (uint32_t)(scale * off * off * off >> (10 + 3 * TIME_SHIFT));
    return t < c->k ? c->origin - delta : c->origin + delta;
}

/* RFC 9438 4.3: no slower than Reno would be with the same average, that is with a reduction to beta and a
 * slope of 3 (1 - beta) / (1 + beta). Linux works the slope out once, from the beta that the module is loaded
 * with (cubictcp_register): one that is written later changes reductions alone. */
static void keep_up_with_reno(Cubic *c, uint32_t beta, uint32_t cwnd)
{
    uint32_t scale = 8 * (BETA_SCALE + beta) / 3 / (BETA_SCALE - beta); /* 8 / slope */
    uint32_t per_packet = cwnd * scale >> 3;

    while (c->ack_cnt > per_packet) {
        c->ack_cnt -= per_packet;
        c->tcp_cwnd++;
    }
    if (c->tcp_cwnd > cwnd)
        c->cnt = HS_MIN(c->cnt, cwnd / (c->tcp_cwnd - cwnd));
}

/* Linux bictcp_update. */
static void update(Cc *cc, Cubic *c, const CcView *v, uint32_t acked)
{
    uint32_t now = cc_jiffies(v), cwnd = cc->s.cwnd;
    uint32_t scale = (uint32_t)cc_param(cc, BIC_SCALE) * 10; /* C << 10 */

    c->ack_cnt += acked;
    if (c->last_cwnd == cwnd && (int32_t)(now - c->last_time) <= CC_HZ / 32)
        return;
    if (!c->epoch_start || now != c->last_time) { /* the curve moves once per jiffy */
        uint32_t w;

        c->last_cwnd = cwnd;
        c->last_time = now;
        if (!c->epoch_start)
            begin_epoch(c, scale, cwnd, acked, now);
        w = target(c, scale, now);
        c->cnt = w > cwnd ? cwnd / (w - cwnd) : 100 * cwnd;
        if (c->w_max == 0)
            c->cnt = HS_MIN(c->cnt, CNT_MAX_FIRST_TIME);
    }
    if (cc_param(cc, TCP_FRIENDLINESS))
        keep_up_with_reno(c, (uint32_t)cc_param_loaded(cc, BETA), cwnd);
    c->cnt = HS_MAX(c->cnt, CNT_MIN);
}

static void cubic_cong_avoid(Cc *cc, const CcView *v, uint32_t ack, uint32_t acked)
{
    Cubic *c = cc_priv(cc);

    if (!cc_is_cwnd_limited(&cc->s, v))
        return;
    if (cc_in_slow_start(&cc->s)) {
        if (cc_param(cc, HYSTARTPP)) {
            acked = hystartpp_slow_start(&c->hystartpp, &cc->s, v, acked);
            if (cc_in_slow_start(&cc->s))
                return;
        } else {
            acked = cc_slow_start(&cc->s, v, acked);
        }
        if (acked == 0)
            return;
    }
    update(cc, c, v, acked);
    cc_avoid_ai(&cc->s, v, c->cnt, acked);
}

static uint32_t cubic_ssthresh(Cc *cc, const CcView *v)
{
    Cubic *c = cc_priv(cc);
    uint32_t cwnd = cc->s.cwnd, beta = (uint32_t)cc_param(cc, BETA);

    c->epoch_start = 0;
    hystartpp_on_loss(&c->hystartpp);
    /* A flow that loses before it is back at its plateau has company: it makes room (RFC 9438 4.7). */
    if (cwnd < c->w_max && cc_param(cc, FAST_CONVERGENCE))
        c->w_max = cwnd * (BETA_SCALE + beta) / (2 * BETA_SCALE);
    else
        c->w_max = cwnd;
    return HS_MAX(cwnd * beta / BETA_SCALE, CWND_MIN);
}

static void cubic_set_state(Cc *cc, const CcView *v, CcCaState new_state)
{
    Cubic *c = cc_priv(cc);

    if (new_state != CC_CA_LOSS)
        return;
    reset(c);
    hystart_reset(&c->hystart, v);
}

static void cubic_pkts_acked(Cc *cc, const CcView *v, const CcAckSample *a)
{
    Cubic *c = cc_priv(cc);
    HyStartParams p = {(uint32_t)cc_param(cc, HYSTART_DETECT), (uint32_t)cc_param(cc, HYSTART_LOW_WINDOW),
                       (uint32_t)cc_param(cc, HYSTART_ACK_DELTA_US)};
    uint32_t rtt_us;

    if (a->rtt_us < 0)
        return;
    /* Just after a recovery the samples hold the queue that caused it. */
    if (c->epoch_start && (int32_t)(cc_jiffies(v) - c->epoch_start) < CC_HZ)
        return;
    rtt_us = HS_MAX((uint32_t)a->rtt_us, 1);
    if (c->delay_min_us == 0 || c->delay_min_us > rtt_us)
        c->delay_min_us = rtt_us;

    if (!cc_in_slow_start(&cc->s))
        return;
    if (cc_param(cc, HYSTARTPP))
        hystartpp_on_rtt(&c->hystartpp, &cc->s, v, rtt_us);
    else if (cc_param(cc, HYSTART) && !c->hystart.found)
        hystart_on_rtt(&c->hystart, &cc->s, v, &p, rtt_us, c->delay_min_us);
}

static const char *mode(const Cc *cc, const Cubic *c, const CcView *v)
{
    if (cc_in_slow_start(&cc->s)) {
        bool slow = cc_param(cc, HYSTARTPP) && c->hystartpp.phase == HYSTARTPP_CONSERVATIVE;

        return slow ? "conservative slow start" : "slow start";
    }
    if (c->tcp_cwnd > cc->s.cwnd && cc_param(cc, TCP_FRIENDLINESS))
        return "Reno-friendly";
    return cc->s.cwnd < c->origin ? "concave" : "convex";
}

static void add(CcInfo *info, const char *name, const char *unit, double value)
{
    info->values[info->n].name = name;
    info->values[info->n].unit = unit;
    info->values[info->n++].value = value;
}

static void cubic_get_info(const Cc *cc, const CcView *v, CcInfo *info)
{
    const Cubic *c = cc_priv_const(cc);

    info->mode = mode(cc, c, v);
    add(info, "w_max", "packets", c->w_max);
    add(info, "origin", "packets", c->origin);
    add(info, "k", "s", c->k / 1024.0);
    add(info, "tcp_cwnd", "packets", c->tcp_cwnd);
    add(info, "cnt", "packets", c->cnt);
    add(info, "delay_min", "us", c->delay_min_us);
}

static const CcParam params[] = {
    [FAST_CONVERGENCE] = {"fast_convergence", 1, 0, 1, "give way to newcomers"},
    [BETA] = {"beta", 717, 1, 1023, "what is left of the window at a loss, in 1024ths"},
    [INITIAL_SSTHRESH] = {"initial_ssthresh", 0, 0, INT32_MAX,
                          "first ssthresh where HyStart is off; 0: none"},
    [BIC_SCALE] = {"bic_scale", 41, 1, 100000, "C in 10/1024 packets per cubic second", true},
    [TCP_FRIENDLINESS] = {"tcp_friendliness", 1, 0, 1, "never slower than Reno"},
    [HYSTART] = {"hystart", 1, 0, 1, "leave slow start before losses"},
    [HYSTART_DETECT] = {"hystart_detect", 3, 0, 3, "1: by ACK trains, 2: by delay, 3: by both"},
    [HYSTART_LOW_WINDOW] = {"hystart_low_window", 16, 0, INT32_MAX, "smallest window for HyStart, packets"},
    [HYSTART_ACK_DELTA_US] = {"hystart_ack_delta_us", 2000, 0, INT32_MAX, "gap between the ACKs of a train"},
    [HYSTARTPP] = {"hystartpp", 0, 0, 1, "HyStart++ (RFC 9406) instead of HyStart"},
    {NULL},
};

const CcOps cc_cubic_ops = {
    .name = "cubic",
    .help = "a cubic curve around the window of the last loss (RFC 9438), Linux's default",
    .flags = CC_NON_RESTRICTED | CC_SMALL_VIEW,
    .state_size = sizeof(Cubic),
    .params = params,
    .init = cubic_init,
    .ssthresh = cubic_ssthresh,
    .cong_avoid = cubic_cong_avoid,
    .set_state = cubic_set_state,
    .cwnd_event = cubic_cwnd_event,
    .pkts_acked = cubic_pkts_acked,
    .undo_cwnd = cc_reno_undo_cwnd,
    .get_info = cubic_get_info,
};
