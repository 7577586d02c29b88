/* Distributions: which share of the samples, or of the time, a value is not exceeded. Round-trip times, times
 * in a queue and rates of intervals count each once; what holds until it changes (a window, a queue's length)
 * is weighted with how long it held. */
#include "view/plot_build_priv.h"

#define CDF_POINTS 400
#define CDF_POINTS_OF_CROWD 100

typedef struct Sample {
    double value, weight;
} Sample;

static int by_value(gconstpointer a, gconstpointer b)
{
    double x = ((const Sample *)a)->value, y = ((const Sample *)b)->value;

    return x < y ? -1 : x > y;
}

static bool is_weighted(PlotWhat what)
{
    return what == PLOT_CWND || what == PLOT_SSTHRESH || what == PLOT_INFLIGHT || what == PLOT_RWND ||
           what == PLOT_QUEUE;
}

static void add_series(const PlotBuild *b, const PlotSeries *s, PlotWhat what, GArray *out)
{
    for (unsigned i = 0; i < plotseries_count(s); i++) {
        const PlotPoint *p = plotseries_point(s, i);
        SimTime next = i + 1 < plotseries_count(s) ? plotseries_point(s, i + 1)->t : p->t;
        Sample sample = {p->y, is_weighted(what) ? (double)(next - p->t) : (double)s->step};

        if (sample.weight > 0)
            g_array_append_val(out, sample);
    }
}

static void add_rates(const PlotBuild *b, const PlotBins *bins, GArray *out)
{
    SimTime interval = plotbuild_interval(b);

    for (SimTime t = bins->first / interval * interval; bins->is_any && t < bins->last; t += interval) {
        Sample sample = {plotbins_sum(bins, t, interval) * 8e9 / (double)interval, 1};

        g_array_append_val(out, sample);
    }
}

static void add_curve(PlotPanel *p, const PlotItem *item, unsigned n_items, GArray *samples, double factor)
{
    bool is_crowd = n_items > PLOT_CROWD;
    PlotCurve *c = plotpanel_add_curve(p, n_items == 1 || is_crowd ? "" : item->label, PLOT_STEPS, item->rgb);
    double all = 0, sum = 0, told = 0;

    c->alpha = is_crowd ? 0.3 : 1;
    c->width = is_crowd ? 0.7 : 1.5;

    g_array_sort(samples, by_value);
    for (unsigned i = 0; i < samples->len; i++)
        all += g_array_index(samples, Sample, i).weight;
    for (unsigned i = 0; i < samples->len; i++) {
        const Sample *s = &g_array_index(samples, Sample, i);

        if (i == 0)
            plotcurve_add(c, s->value / factor, 0, 0);
        sum += s->weight;
        if (sum - told < all / (is_crowd ? CDF_POINTS_OF_CROWD : CDF_POINTS) && i + 1 < samples->len)
            continue;
        told = sum;
        plotcurve_add(c, s->value / factor, sum / all, 0);
    }
}

/* Of a crowd also the distribution of all its samples. */
static void add_all(PlotPanel *p, const GPtrArray *all, const char *name, double factor)
{
    PlotItem item = {.label = (char *)name, .rgb = PLOT_RED};
    GArray *samples = g_array_new(FALSE, FALSE, sizeof(Sample));
    PlotCurve *c;

    for (unsigned i = 0; i < all->len; i++) {
        const GArray *some = all->pdata[i];

        if (some->len)
            g_array_append_vals(samples, some->data, some->len);
    }
    add_curve(p, &item, 2, samples, factor);
    c = p->curves->pdata[p->curves->len - 1];
    c->width = 2;
    g_array_free(samples, TRUE);
}

static PlotUnit unit_of(PlotWhat what, double max)
{
    switch (what) {
    case PLOT_RTT:
    case PLOT_RTO:
    case PLOT_SOJOURN:
        return plotunit_time(max);
    case PLOT_THROUGHPUT:
    case PLOT_GOODPUT:
        return plotunit_rate(max);
    case PLOT_RWND:
        return plotunit_bytes(max);
    case PLOT_QUEUE:
        return (PlotUnit){1, "packets"};
    default:
        return (PlotUnit){1, "segments"};
    }
}

void plotcdf_add(PlotBuild *b)
{
    unsigned what = 0;
    bool is_queue = b->wish->what & (PLOT_BIT(PLOT_QUEUE) | PLOT_BIT(PLOT_SOJOURN));
    const GArray *items = is_queue ? b->queues : b->flows;
    GPtrArray *all = g_ptr_array_new();
    double max = 0, least = 0;
    PlotUnit unit;
    PlotPanel *p;

    while (!plotbuild_wants(b, (PlotWhat)what))
        what++;
    if ((what == PLOT_THROUGHPUT || what == PLOT_GOODPUT) && !plotbuild_check_interval(b)) {
        g_ptr_array_free(all, TRUE);
        return;
    }
    for (unsigned i = 0; i < items->len; i++) {
        const PlotItem *item = plotbuild_item(items, i);
        GArray *samples = g_array_new(FALSE, FALSE, sizeof(Sample));

        if (what == PLOT_THROUGHPUT || what == PLOT_GOODPUT)
            add_rates(b, what == PLOT_THROUGHPUT ? &item->end->received : &item->end->useful, samples);
        else
            add_series(b, plotitem_series(item, (PlotWhat)what), (PlotWhat)what, samples);
        for (unsigned k = 0; k < samples->len; k++) {
            double value = g_array_index(samples, Sample, k).value;

            max = HS_MAX(max, value);
            if (value > 0 && (least == 0 || value < least))
                least = value;
        }
        g_ptr_array_add(all, samples);
    }
    unit = unit_of((PlotWhat)what, max);
    p = plotfigure_add_panel(
        b->figure, is_weighted((PlotWhat)what) ? "Share of the time" : "Share of the samples", "share");
    p->min = 0;
    p->max = 1.02;
    for (unsigned i = 0; i < items->len; i += HS_MAX(plotbuild_every(items->len), 1u))
        add_curve(p, plotbuild_item(items, i), items->len, all->pdata[i], unit.factor);
    if (items->len > PLOT_CROWD)
        add_all(p, all, is_queue ? "all queues" : "all flows", unit.factor);
    for (unsigned i = 0; i < all->len; i++)
        g_array_free(all->pdata[i], TRUE);
    g_ptr_array_free(all, TRUE);
    g_free(b->figure->axis);
    b->figure->axis = g_strdup_printf("%s (%s)", plot_whats[what].title, unit.name);
    b->figure->is_log = b->wish->log && least > 0;
    b->figure->min = b->figure->is_log ? least / unit.factor : 0;
    b->figure->max = max / unit.factor * 1.02;
}
