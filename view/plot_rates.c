/* Panels of what is counted in intervals: throughput, goodput, and how fairly flows share. */
#include "sim/base/units.h"
#include "view/plot_build_priv.h"

#define RATE_INTERVALS 100
#define MAX_INTERVALS 100000

static const PlotBins *bins_of(const PlotItem *item, PlotWhat what)
{
    return what == PLOT_THROUGHPUT ? &item->end->received : &item->end->useful;
}

SimTime plotbuild_interval(const PlotBuild *b)
{
    double step = plot_round_step((double)(b->to - b->from), RATE_INTERVALS);
    SimTime interval = b->wish->interval;

    if (interval)
        return interval;
    interval = (SimTime)(step + 0.5);
    for (unsigned i = 0; i < b->all_flows->len; i++) {
        interval = HS_MAX(interval, plotbuild_item(b->all_flows, i)->end->received.width);
        interval = HS_MAX(interval, plotbuild_item(b->all_flows, i)->end->useful.width);
    }
    return interval;
}

/* More than anybody could see, and than was collected. */
bool plotbuild_check_interval(PlotBuild *b)
{
    char interval[UNITS_STR_LEN], least[UNITS_STR_LEN];

    if (!b->wish->interval || (b->to - b->from) / b->wish->interval <= MAX_INTERVALS)
        return true;
    if (!b->error)
        b->error = g_strdup_printf(
            "an interval of %s is too short for so long a time; expected at least %s",
            units_format_time(b->wish->interval, interval),
            units_format_time((b->to - b->from) / MAX_INTERVALS / SIM_US * SIM_US + SIM_US, least));
    return false;
}

static double rate_at(const PlotBuild *b, const PlotItem *item, PlotWhat what, SimTime t, SimTime interval)
{
    return plotbins_sum(bins_of(item, what), t, interval) * 8e9 / (double)interval;
}

static double largest_rate(const PlotBuild *b, SimTime interval)
{
    double max = 0;

    for (unsigned i = 0; i < b->all_flows->len; i++)
        for (unsigned what = PLOT_THROUGHPUT; what <= PLOT_GOODPUT; what++)
            for (SimTime t = b->from / interval * interval; t < b->to && plotbuild_wants(b, what);
                 t += interval)
                max = HS_MAX(max, rate_at(b, plotbuild_item(b->all_flows, i), what, t, interval));
    return max;
}

/* From its first to its last byte: a flow that has ended has no rate, not the rate 0. */
static bool is_active(const PlotItem *item, PlotWhat what, SimTime t, SimTime interval)
{
    const PlotBins *bins = bins_of(item, what);

    return bins->is_any && t + interval > bins->first && t <= bins->last;
}

static void add_rates_of_crowd(PlotPart *p, PlotWhat what, SimTime interval)
{
    const PlotBuild *b = p->b;
    SimTime from = b->from / interval * interval;
    PlotGrid g = {p->items->len, (unsigned)((b->to - from + interval - 1) / interval), NULL};

    g.value = g_new(double, (size_t)g.rows *g.columns);
    for (unsigned r = 0; r < g.rows; r++)
        for (unsigned k = 0; k < g.columns; k++) {
            const PlotItem *item = plotbuild_item(p->items, r);
            SimTime t = from + interval * (SimTime)k;

            g.value[r * g.columns + k] =
                is_active(item, what, t, interval) ? rate_at(b, item, what, t, interval) / p->factor : -1;
        }
    plotpart_add_crowd(p, &g, plotbuild_x(b, from + interval / 2), plotbuild_x(b, interval));
    g_free(g.value);
}

/* Of one flow the intervals are seen as steps; of several as lines through their middles. */
static void add_rate(PlotPart *p, PlotWhat what, const char *name, uint32_t rgb, SimTime interval)
{
    const PlotBuild *b = p->b;

    if (!plotbuild_wants(b, what))
        return;
    if (p->items->len > PLOT_CROWD) {
        if (!p->has_main)
            add_rates_of_crowd(p, what, interval);
        p->has_main = true;
        return;
    }
    for (unsigned i = 0; i < p->items->len; i++) {
        const PlotItem *item = plotbuild_item(p->items, i);
        PlotCurve *c = plotpart_add_curve(p, item, i, name, p->is_alone ? PLOT_STEPS : PLOT_LINE, rgb);
        SimTime t = b->from / interval * interval;
        double rate = 0;

        for (; t < b->to; t += interval) {
            if (!is_active(item, what, t, interval))
                continue;
            rate = rate_at(b, item, what, t, interval) / p->factor;
            plotcurve_add(c, plotbuild_x(b, p->is_alone ? HS_MAX(t, b->from) : t + interval / 2), rate, 0);
        }
        if (p->is_alone && c->points->len)
            plotcurve_add(c, plotbuild_x(b, HS_MIN(t, b->to)), rate, 0);
    }
    p->has_main = true;
}

void plotrates_add(PlotBuild *b)
{
    SimTime interval = plotbuild_interval(b);
    bool both = plotbuild_wants(b, PLOT_THROUGHPUT) && plotbuild_wants(b, PLOT_GOODPUT);
    PlotUnit unit;
    PlotPart p;

    if (!plotbuild_wants(b, PLOT_THROUGHPUT) && !plotbuild_wants(b, PLOT_GOODPUT))
        return;
    if (!plotbuild_check_interval(b))
        return;
    unit = plotunit_rate(largest_rate(b, interval));
    p = plotpart_new(b, b->flows,
                     both                               ? "Rate"
                     : plotbuild_wants(b, PLOT_GOODPUT) ? "Goodput"
                                                        : "Throughput",
                     unit.name,
                     both                               ? "rate"
                     : plotbuild_wants(b, PLOT_GOODPUT) ? "goodput"
                                                        : "throughput");
    p.factor = unit.factor;
    add_rate(&p, PLOT_THROUGHPUT, "throughput", PLOT_BLUE, interval);
    add_rate(&p, PLOT_GOODPUT, "goodput", PLOT_GREEN, interval);
    plotpart_add_levels(&p, PLOT_THROUGHPUT);
    plotpart_add_levels(&p, PLOT_GOODPUT);
}

/* Jain, Chiu and Hawe 1984: (sum x)^2 / (n sum x^2) of the flows that are active; from 1/n to 1. */
void plotrates_add_fairness(PlotBuild *b)
{
    SimTime interval = plotbuild_interval(b);
    bool is_any = false;
    PlotPart p;

    if (!plotbuild_wants(b, PLOT_FAIRNESS) || !plotbuild_check_interval(b))
        return;
    p = plotpart_new(b, b->flows, "Jain's fairness index", "", "fairness");
    p.p->min = 0;
    p.p->max = 1.05;
    p.p->is_log = false;
    plotpart_add_levels(&p, PLOT_FAIRNESS);
    for (unsigned r = 0; r < b->n_runs; r++) {
        PlotCurve *c = plotpanel_add_curve(p.p, b->runs[r].label, PLOT_LINE, plot_colour(r));

        for (SimTime t = b->from / interval * interval; t < b->to; t += interval) {
            double sum = 0, squares = 0;
            unsigned n = 0;

            for (unsigned i = 0; i < b->flows->len; i++) {
                const PlotItem *item = plotbuild_item(b->flows, i);
                double rate = rate_at(b, item, PLOT_GOODPUT, t, interval);

                if (item->run != r || !is_active(item, PLOT_GOODPUT, t, interval))
                    continue;
                n++;
                sum += rate;
                squares += rate * rate;
            }
            if (n > 1 && squares > 0) {
                plotcurve_add(c, plotbuild_x(b, t + interval / 2), sum * sum / (n * squares), 0);
                is_any = true;
            }
        }
    }
    if (!is_any && !b->error)
        b->error = g_strdup("fairness is of two flows or more that send at the same time; there are none");
}
