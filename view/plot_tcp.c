/* What TCP's records tell of a sender: window, threshold, what is in flight, state, round-trip times. */
#include <string.h>

#include "view/plot_sink_priv.h"

#define TCP_SYN_OR_FIN 0x03

/* Linux tcp_in_slow_start: cwnd < ssthresh. */
static PlotState state_of(uint64_t cwnd, uint64_t ssthresh, const char *ca_state)
{
    if (!strcmp(ca_state, "recovery"))
        return PLOT_STATE_RECOVERY;
    if (!strcmp(ca_state, "loss"))
        return PLOT_STATE_LOSS;
    if (!strcmp(ca_state, "cwr"))
        return PLOT_STATE_CWR;
    return cwnd < ssthresh ? PLOT_STATE_SLOW_START : PLOT_STATE_AVOIDANCE;
}

bool plotsink_carries(const PlotSink *k, PlotSeries *s, SimTime t, double y)
{
    if (t >= k->config.wish.from)
        return false;
    if (plotseries_count(s))
        g_array_index(s->points, PlotPoint, 0).y = y;
    else
        plotseries_add(s, k->config.wish.from, y, 0);
    return true;
}

/* Values that did not change are left out: lines of steps need only the changes, and the last time. */
static void add_change(const PlotSink *k, PlotSeries *s, SimTime t, double y)
{
    const PlotPoint *last = plotseries_last(s);
    unsigned n = plotseries_count(s);

    if (plotsink_carries(k, s, t, y))
        return;
    if (last && last->y == y && n > 1 && plotseries_point(s, n - 2)->y == y && s->thin == PLOT_THIN_VALUE) {
        g_array_index(s->points, PlotPoint, n - 1).t = t;
        return;
    }
    plotseries_add(s, t, y, 0);
}

/* Between an ACK and what it lets out no time goes by. */
static void set_inflight(const PlotSink *k, PlotSeries *s, SimTime t, double y)
{
    const PlotPoint *last = plotseries_last(s);

    if (last && last->t == t && s->thin == PLOT_THIN_VALUE)
        g_array_index(s->points, PlotPoint, plotseries_count(s) - 1).y = y;
    else
        add_change(k, s, t, y);
}

/* TCP tells what is in flight with its window, before it sends; a pure ACK does not count. */
void plotsink_on_send(const PlotSink *k, PlotEnd *e, const ProbeRecord *r, const unsigned *at)
{
    PlotSeries *s = &e->s[PLOT_END_INFLIGHT];
    const PlotPoint *last = plotseries_last(s);

    if (last && (r->value[at[1]].u || r->value[at[2]].u & TCP_SYN_OR_FIN))
        set_inflight(k, s, r->time, last->y + (double)r->value[at[3]].u);
}

#define SSTHRESH_INFINITE UINT64_C(0x7fffffff) /* Linux TCP_INFINITE_SSTHRESH */

void plotsink_on_cwnd(const PlotSink *k, PlotEnd *e, const ProbeRecord *r, const unsigned *at)
{
    uint64_t cwnd = r->value[at[1]].u, ssthresh = r->value[at[2]].u;

    add_change(k, &e->s[PLOT_END_CWND], r->time, (double)cwnd);
    if (ssthresh < SSTHRESH_INFINITE)
        add_change(k, &e->s[PLOT_END_SSTHRESH], r->time, (double)ssthresh);
    set_inflight(k, &e->s[PLOT_END_INFLIGHT], r->time, (double)r->value[at[3]].u);
    add_change(k, &e->s[PLOT_END_STATE], r->time, state_of(cwnd, ssthresh, r->value[at[4]].s));
}

void plotsink_on_rtt(const PlotSink *k, PlotEnd *e, const ProbeRecord *r, const unsigned *at)
{
    int64_t sample_us = r->value[at[1]].i;

    if (sample_us >= 0 && plotsink_is_time(k, r->time))
        plotseries_add(&e->s[PLOT_END_RTT], r->time, (double)sample_us / 1e6, 0);
    add_change(k, &e->s[PLOT_END_SRTT], r->time, (double)r->value[at[2]].u / 1e6);
    add_change(k, &e->s[PLOT_END_RTO], r->time, (double)r->value[at[3]].u / 1e3);
}
