/* A flow for a congestion controller to steer, without any transport: packets, ACKs and a clock. */
#pragma once

#include <glib.h>
#include <math.h>

#include "models/cc/cc.h"

typedef struct Flow {
    Cc cc;
    CcView v;
    uint32_t rtt_us;
} Flow;

/* As an established connection whose first flight of `cwnd` packets has been sent. */
G_GNUC_UNUSED static void flow_start(Flow *f, const char *name, CcParams *params, uint32_t cwnd,
                                     uint32_t rtt_us)
{
    *f = (Flow){.rtt_us = rtt_us};
    f->v = (CcView){.mss = 1000,
                    .gso_max_bytes = 65536,
                    .cwnd_clamp = UINT32_MAX,
                    .prior_cwnd = 0,
                    .srtt_us = rtt_us << 3,
                    .min_rtt_us = rtt_us,
                    .is_cwnd_limited = true,
                    .pacing_shift = 10,
                    .pacing_rate_max = CC_PACING_UNLIMITED};
    f->cc.s = (CcState){.cwnd = cwnd, .ssthresh = CC_SSTHRESH_INFINITE};
    cc_assign(&f->cc, cc_ops_by_name(name), params);
    cc_start(&f->cc, &f->v);
    f->v.snd_nxt = cwnd * f->v.mss;
    f->v.packets_out = f->v.in_flight = f->v.max_packets_out = cwnd;
}

/* One ACK that newly acknowledges `acked` packets and lets as many be sent as the window then allows. */
G_GNUC_UNUSED static void flow_ack_rtt(Flow *f, uint32_t acked, int32_t rtt_us)
{
    CcAckSample sample = {.pkts_acked = acked, .rtt_us = rtt_us, .in_flight = f->v.in_flight};
    uint32_t out;

    f->v.snd_una += acked * f->v.mss;
    f->v.delivered += acked;
    cc_pkts_acked(&f->cc, &f->v, &sample);
    cc_cong_avoid(&f->cc, &f->v, f->v.snd_una, acked);
    out = HS_MAX(f->cc.s.cwnd, (f->v.snd_nxt - f->v.snd_una) / f->v.mss);
    f->v.snd_nxt = f->v.snd_una + out * f->v.mss;
    f->v.packets_out = f->v.in_flight = f->v.max_packets_out = out;
}

G_GNUC_UNUSED static void flow_ack(Flow *f, uint32_t acked)
{
    flow_ack_rtt(f, acked, (int32_t)f->rtt_us);
}

/* A window's worth of ACKs, spread evenly over one round trip. */
G_GNUC_UNUSED static void flow_round(Flow *f)
{
    uint32_t n = f->cc.s.cwnd;
    SimTime start = f->v.now_ns;

    for (uint32_t i = 1; i <= n; i++) {
        f->v.now_ns = start + (SimTime)f->rtt_us * SIM_US * i / n;
        flow_ack(f, 1);
    }
}

/* A loss and its repair: the window goes to ssthresh at once. */
G_GNUC_UNUSED static void flow_loss(Flow *f)
{
    f->v.prior_cwnd = f->cc.s.cwnd;
    f->cc.s.ssthresh = cc_ssthresh(&f->cc, &f->v);
    cc_set_ca_state(&f->cc, &f->v, CC_CA_RECOVERY);
    f->cc.s.cwnd = f->cc.s.ssthresh;
    cc_set_ca_state(&f->cc, &f->v, CC_CA_OPEN);
}

/* One of the controller's own numbers. */
G_GNUC_UNUSED static double flow_info(const Flow *f, const char *name)
{
    CcInfo info;

    cc_get_info(&f->cc, &f->v, &info);
    for (unsigned i = 0; i < info.n; i++)
        if (strcmp(info.values[i].name, name) == 0)
            return info.values[i].value;
    g_error("%s has no value '%s'", f->cc.ops->name, name);
}

G_GNUC_UNUSED static const char *flow_mode(const Flow *f)
{
    CcInfo info;

    cc_get_info(&f->cc, &f->v, &info);
    return info.mode;
}

/* The average window with one loss in every `every` packets, over `epochs` losses after `warm_up` of them. */
G_GNUC_UNUSED static double flow_average(Flow *f, uint32_t every, unsigned warm_up, unsigned epochs)
{
    double packets = 0, round_trips = 0;
    uint32_t since_loss = 0;

    for (unsigned losses = 0; losses < warm_up + epochs;) {
        uint32_t n = f->cc.s.cwnd;
        SimTime start = f->v.now_ns;

        for (uint32_t i = 1; i <= n; i++) {
            f->v.now_ns = start + (SimTime)f->rtt_us * SIM_US * i / n;
            if (++since_loss == every) {
                since_loss = 0;
                losses++;
                flow_loss(f);
                packets += losses > warm_up ? i : 0;
                round_trips += losses > warm_up ? (double)i / n : 0;
                n = 0; /* what else was in flight belongs to the next round */
            } else {
                flow_ack(f, 1);
            }
        }
        if (n && losses >= warm_up) {
            packets += n;
            round_trips += 1;
        }
    }
    return packets / round_trips;
}

#define assert_near(value, want, tolerance)                                                                  \
    do {                                                                                                     \
        double v_ = (value), w_ = (want);                                                                    \
        if (fabs(v_ - w_) > (tolerance))                                                                     \
            g_error("%s:%d: %s is %.4f, expected %.4f +- %.4f", __FILE__, __LINE__, #value, v_, w_,          \
                    (double)(tolerance));                                                                    \
    } while (0)
