/* The panels over time, from top to bottom. With one flow a curve's colour says what it shows, with several
 * whose it is; of more than PLOT_CROWD flows all are faint, and the median and the middle 80 % are strong. */
#include <string.h>

#include "view/plot_build_priv.h"

#define CROWD_COLUMNS 200
#define MAX_SEQUENCES 4
#define MAX_SEPARATE 12
#define BAND_LEAST 600 /* a shorter recovery is made so long: a pixel, so that it is seen */

PlotPart plotpart_new(PlotBuild *b, const GArray *items, const char *name, const char *unit,
                      const char *brief)
{
    char *axis = *unit ? g_strdup_printf("%s (%s)", name, unit) : g_strdup(name);
    PlotPart panel = {b, plotfigure_add_panel(b->figure, axis, brief), items, 1, false, items->len == 1};

    panel.p->is_log = b->wish->log;
    if (b->is_separate && items->len == 1) {
        panel.p->heading = g_strdup(plotbuild_item(items, 0)->label);
        panel.p->group = g_str_hash(axis) | 1;
    }
    g_free(axis);
    return panel;
}

void plotpart_add_levels(const PlotPart *p, PlotWhat what)
{
    for (unsigned r = 0; r < p->b->n_runs; r++)
        for (unsigned i = 0; i < plotsink_level_count(p->b->runs[r].sink) && r == 0; i++) {
            const PlotLevel *level = plotsink_level(p->b->runs[r].sink, i);

            if (level->what == what)
                plotpanel_add_level(p->p, level->value / p->factor, level->text);
        }
}

const PlotSeries *plotitem_series(const PlotItem *item, PlotWhat what)
{
    const PlotEnd *e = item->end;

    switch (what) {
    case PLOT_CWND:
        return &e->s[PLOT_END_CWND];
    case PLOT_SSTHRESH:
        return &e->s[PLOT_END_SSTHRESH];
    case PLOT_INFLIGHT:
        return &e->s[PLOT_END_INFLIGHT];
    case PLOT_RWND:
        return &e->s[PLOT_END_RWND];
    case PLOT_RTT:
        return &e->s[PLOT_END_RTT];
    case PLOT_RTO:
        return &e->s[PLOT_END_RTO];
    case PLOT_QUEUE:
        return &item->queue->length;
    case PLOT_SOJOURN:
        return &item->queue->sojourn;
    case PLOT_LOSS:
        return &e->s[PLOT_END_LOST];
    case PLOT_MARK:
        return &e->s[PLOT_END_MARK];
    default:
        return NULL;
    }
}

static double largest(const GArray *items, PlotWhat what)
{
    double max = 0;

    for (unsigned i = 0; i < items->len; i++) {
        const PlotSeries *s = plotitem_series(plotbuild_item(items, i), what);

        for (unsigned k = 0; k < plotseries_count(s); k++)
            max = HS_MAX(max, plotseries_point(s, k)->y);
    }
    return max;
}

/* ---- one curve for each flow ---- */

/* Of several flows the smoothed round-trip times are shown: samples would hide each other. */
static const PlotSeries *shown_series(const PlotPart *p, unsigned i, PlotWhat what)
{
    const PlotItem *item = plotbuild_item(p->items, i);

    return what == PLOT_RTT && p->items->len > 1 ? &item->end->s[PLOT_END_SRTT] : plotitem_series(item, what);
}

static void fill_curve(const PlotPart *p, PlotCurve *c, const PlotSeries *s)
{
    GArray *points = plotseries_thinned(s, c->style == PLOT_DOTS ? p->b->thin * 3 : p->b->thin);

    for (unsigned i = 0; i < points->len; i++) {
        const PlotPoint *at = &g_array_index(points, PlotPoint, i);

        plotcurve_add(c, plotbuild_x(p->b, at->t), at->y / p->factor, at->y2 / p->factor);
    }
    g_array_free(points, TRUE);
}

static int by_value(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

void plotpart_add_crowd(const PlotPart *p, const PlotGrid *g, double x, double step)
{
    PlotCurve *range = plotpanel_add_curve(p->p, "middle 80 %", PLOT_FILL, PLOT_ORANGE);
    PlotCurve *median;
    double *column = g_new(double, g->rows);

    for (unsigned r = 0; r < g->rows; r += plotbuild_every(g->rows)) {
        PlotCurve *c = plotpanel_add_curve(p->p, "", PLOT_LINE, PLOT_BLUE);

        c->alpha = 0.25;
        c->is_faint = true;
        c->width = 0.6;
        for (unsigned k = 0; k < g->columns; k++)
            if (g->value[r * g->columns + k] >= 0)
                plotcurve_add(c, x + k * step, g->value[r * g->columns + k], 0);
    }
    median = plotpanel_add_curve(p->p, "median", PLOT_LINE, PLOT_RED);
    median->width = 2;
    range->alpha = 0.35;
    for (unsigned k = 0; k < g->columns; k++) {
        unsigned n = 0;

        for (unsigned r = 0; r < g->rows; r++)
            if (g->value[r * g->columns + k] >= 0)
                column[n++] = g->value[r * g->columns + k];
        if (n == 0)
            continue;
        qsort(column, n, sizeof(*column), by_value);
        plotcurve_add(median, x + k * step, n % 2 ? column[n / 2] : (column[n / 2 - 1] + column[n / 2]) / 2,
                      0);
        plotcurve_add(range, x + k * step, column[(n - 1) / 10], column[n - 1 - (n - 1) / 10]);
    }
    g_free(column);
}

static void add_crowd_of_series(const PlotPart *p, PlotWhat what)
{
    const PlotBuild *b = p->b;
    PlotGrid g = {p->items->len, CROWD_COLUMNS, NULL};
    SimTime step = (b->to - b->from) / CROWD_COLUMNS;

    g.value = g_new(double, (size_t)g.rows *g.columns);
    for (unsigned r = 0; r < g.rows; r++) {
        const PlotSeries *s = shown_series(p, r, what);
        unsigned at = 0, n = plotseries_count(s);
        double value = -1;

        for (unsigned k = 0; k < g.columns; k++) {
            SimTime t = b->from + step * (SimTime)(k + 1);

            while (at < n && plotseries_point(s, at)->t <= t)
                value = plotseries_point(s, at++)->y / p->factor;
            if (at == n && n && plotseries_point(s, n - 1)->t < t - step)
                value = -1; /* it is over */
            g.value[r * g.columns + k] = value;
        }
    }
    plotpart_add_crowd(p, &g, plotbuild_x(b, b->from + step), plotbuild_x(b, step));
    g_free(g.value);
}

PlotCurve *plotpart_add_curve(PlotPart *p, const PlotItem *item, unsigned i, const char *name,
                              PlotStyle style, uint32_t rgb)
{
    bool is_second = p->has_main && !p->is_alone;
    const char *label = p->is_alone ? name : is_second ? (i == 0 ? name : "") : item->label;
    PlotCurve *c = plotpanel_add_curve(p->p, label, style, p->is_alone ? rgb : item->rgb);

    c->is_dashed = is_second;
    c->width = is_second ? 1 : 1.5;
    return c;
}

static void add_series(PlotPart *p, PlotWhat what, const char *name, PlotStyle style, uint32_t rgb,
                       bool is_dashed)
{
    if (p->items->len > PLOT_CROWD) {
        if (!p->has_main)
            add_crowd_of_series(p, what);
        p->has_main = true;
        return;
    }
    for (unsigned i = 0; i < p->items->len; i++) {
        const PlotItem *item = plotbuild_item(p->items, i);
        PlotCurve *c = plotpart_add_curve(p, item, i, name, style, rgb);

        c->is_dashed |= is_dashed && p->is_alone;
        fill_curve(p, c, shown_series(p, i, what));
    }
    p->has_main = true;
}

/* ---- the sender's states ---- */

static const struct {
    const char *name;
    uint32_t rgb;
    double alpha;
} states[PLOT_STATES] = {
    [PLOT_STATE_SLOW_START] = {"slow start", PLOT_GREEN, 0.14},
    [PLOT_STATE_CWR] = {"CWR", PLOT_SKY, 0.35},
    [PLOT_STATE_RECOVERY] = {"recovery", PLOT_ORANGE, 0.35},
    [PLOT_STATE_LOSS] = {"loss", PLOT_RED, 0.35},
};

static void add_state(const PlotPart *p, const PlotSeries *s, unsigned state)
{
    PlotCurve *c = plotpanel_add_curve(p->p, states[state].name, PLOT_SPANS, states[state].rgb);
    unsigned n = plotseries_count(s);
    SimTime least = state == PLOT_STATE_SLOW_START ? 0 : (p->b->to - p->b->from) / BAND_LEAST;

    c->alpha = states[state].alpha;
    c->width = 0;
    for (unsigned i = 0; i < n; i++) {
        const PlotPoint *at = plotseries_point(s, i);
        unsigned last = i;

        if ((unsigned)at->y != state)
            continue;
        while (last + 1 < n && (unsigned)plotseries_point(s, last + 1)->y == state)
            last++;
        plotcurve_add(
            c, plotbuild_x(p->b, at->t), 0,
            plotbuild_x(p->b, HS_MAX(plotseries_point(s, HS_MIN(last + 1, n - 1))->t, at->t + least)));
        i = last;
    }
    if (c->points->len == 0)
        g_ptr_array_remove(p->p->curves, c);
}

static void add_windows(PlotBuild *b)
{
    PlotPart p;

    if (!(b->wish->what & (PLOT_BIT(PLOT_CWND) | PLOT_BIT(PLOT_SSTHRESH) | PLOT_BIT(PLOT_INFLIGHT))))
        return;
    p = plotpart_new(b, b->flows, "Window", "segments", "cwnd");
    if (p.is_alone && plotbuild_wants(b, PLOT_CWND) && !b->wish->no_states)
        for (unsigned i = PLOT_STATE_AVOIDANCE + 1; i < PLOT_STATES; i++)
            add_state(&p, &plotbuild_item(b->flows, 0)->end->s[PLOT_END_STATE], i);
    if (plotbuild_wants(b, PLOT_INFLIGHT) && p.is_alone) {
        add_series(&p, PLOT_INFLIGHT, "in flight", PLOT_STEPS, PLOT_SKY, false);
        if (plotbuild_wants(b, PLOT_CWND)) /* seen below the window, which it often equals */
            ((PlotCurve *)p.p->curves->pdata[p.p->curves->len - 1])->width = 3;
    }
    if (plotbuild_wants(b, PLOT_CWND))
        add_series(&p, PLOT_CWND, "cwnd", PLOT_STEPS, PLOT_BLUE, false);
    if (plotbuild_wants(b, PLOT_INFLIGHT) && !p.is_alone)
        add_series(&p, PLOT_INFLIGHT, "in flight", PLOT_STEPS, PLOT_SKY, false);
    if (plotbuild_wants(b, PLOT_SSTHRESH))
        add_series(&p, PLOT_SSTHRESH, "ssthresh", PLOT_STEPS, PLOT_RED, true);
    for (unsigned what = PLOT_CWND; what <= PLOT_INFLIGHT; what++)
        if (plotbuild_wants(b, (PlotWhat)what))
            plotpart_add_levels(&p, (PlotWhat)what);
}

/* ---- sequence numbers, as tcptrace drew them ---- */

static void add_ranges(const PlotPart *p, const PlotEnd *e, PlotEndSeries which, const char *name,
                       PlotStyle style, uint32_t rgb, double width)
{
    PlotCurve *c;

    if (plotseries_count(&e->s[which]) == 0)
        return;
    c = plotpanel_add_curve(p->p, name, style, rgb);
    c->width = width;
    c->is_faint = which == PLOT_END_SACK;
    fill_curve(p, c, &e->s[which]);
}

/* The window is part of the picture where it is not far above what was sent. */
static bool is_edge_near(const PlotEnd *e, double *low, double *high)
{
    double sent = 0, edge = 0;

    *low = *high = 0;
    for (unsigned k = PLOT_END_SENT; k <= PLOT_END_AGAIN; k++)
        for (unsigned i = 0; i < plotseries_count(&e->s[k]); i++) {
            const PlotPoint *at = plotseries_point(&e->s[k], i);

            *low = sent == 0 ? at->y : HS_MIN(*low, at->y);
            sent = HS_MAX(sent, at->y2);
        }
    for (unsigned i = 0; i < plotseries_count(&e->s[PLOT_END_EDGE]); i++)
        edge = HS_MAX(edge, plotseries_point(&e->s[PLOT_END_EDGE], i)->y);
    *high = edge > sent && edge - *low <= 1.4 * (sent - *low) ? edge : sent;
    return edge - *low <= 1.4 * (sent - *low);
}

static void add_sequence(PlotBuild *b, const PlotItem *item, bool is_alone)
{
    const PlotEnd *e = item->end;
    GArray *one = g_array_new(FALSE, TRUE, sizeof(PlotItem));
    double low, high;
    bool near = is_edge_near(e, &low, &high);
    PlotUnit unit = plotunit_bytes(high);
    PlotPart p;

    g_array_append_val(one, *item);
    p = plotpart_new(b, one, "Sequence number", unit.name, "sequence");
    p.factor = unit.factor;
    p.p->is_from_zero = b->from == 0;
    p.p->is_log = false;
    if (!is_alone && !p.p->heading)
        p.p->heading = g_strdup(item->label);
    if (near)
        add_ranges(&p, e, PLOT_END_EDGE, "window", PLOT_STEPS, PLOT_ORANGE, 1.2);
    add_ranges(&p, e, PLOT_END_ACK, "ACK", PLOT_STEPS, PLOT_GREEN, 1.2);
    add_ranges(&p, e, PLOT_END_SACK, "SACK", PLOT_BARS, PLOT_PURPLE, 1.2);
    add_ranges(&p, e, PLOT_END_DSACK, "D-SACK", PLOT_BARS, PLOT_WINE, 3);
    add_ranges(&p, e, PLOT_END_SENT, "data", PLOT_BARS, PLOT_BLUE, 2);
    add_ranges(&p, e, PLOT_END_AGAIN, "sent again", PLOT_BARS, PLOT_RED, 4);
    add_ranges(&p, e, PLOT_END_PROBE, "probe", PLOT_DOTS, PLOT_BLACK, 1.5);
    if (plotseries_count(&e->s[PLOT_END_LOST])) {
        PlotCurve *c = plotpanel_add_curve(p.p, "lost", PLOT_CROSSES, PLOT_BLACK);

        c->width = 1.2;
        for (unsigned i = 0; i < plotseries_count(&e->s[PLOT_END_LOST]); i++) {
            const PlotPoint *at = plotseries_point(&e->s[PLOT_END_LOST], i);

            plotcurve_add(c, plotbuild_x(b, at->t), at->y / p.factor, 0);
        }
    }
    plotpart_add_levels(&p, PLOT_SEQUENCE);
    g_array_free(one, TRUE);
}

static void add_sequences(PlotBuild *b)
{
    if (!plotbuild_wants(b, PLOT_SEQUENCE))
        return;
    if (b->flows->len > MAX_SEQUENCES) {
        b->error =
            g_strdup_printf("sequence numbers of %u flows are too many for one picture (at most %u); choose "
                            "some with --flow or --host, in a scenario with flow or host",
                            b->flows->len, MAX_SEQUENCES);
        return;
    }
    for (unsigned i = 0; i < b->flows->len; i++)
        add_sequence(b, plotbuild_item(b->flows, i), b->all_flows->len == 1);
}

/* ---- times, windows, queues ---- */

static void add_rwnd(PlotBuild *b)
{
    PlotUnit unit;
    PlotPart p;

    if (!plotbuild_wants(b, PLOT_RWND))
        return;
    unit = plotunit_bytes(largest(b->all_flows, PLOT_RWND));
    p = plotpart_new(b, b->flows, "Receive window", unit.name, "rwnd");
    p.factor = unit.factor;
    add_series(&p, PLOT_RWND, "", PLOT_STEPS, PLOT_GREEN, false);
    plotpart_add_levels(&p, PLOT_RWND);
}

static void add_rtt(PlotBuild *b)
{
    double max = 0;
    PlotUnit unit;
    PlotPart p;

    if (!(b->wish->what & (PLOT_BIT(PLOT_RTT) | PLOT_BIT(PLOT_RTO))))
        return;
    if (plotbuild_wants(b, PLOT_RTT))
        max = largest(b->all_flows, PLOT_RTT);
    if (plotbuild_wants(b, PLOT_RTO))
        max = HS_MAX(max, largest(b->all_flows, PLOT_RTO));
    unit = plotunit_time(max > 1 && max < 2 ? 0.5 : max);
    p = plotpart_new(b, b->flows,
                     !plotbuild_wants(b, PLOT_RTT) ? "Timeout"
                     : b->flows->len > 1           ? "Smoothed RTT"
                                                   : "Round-trip time",
                     unit.name, plotbuild_wants(b, PLOT_RTT) ? "rtt" : "rto");
    p.factor = unit.factor;
    if (plotbuild_wants(b, PLOT_RTT) && p.is_alone) {
        PlotCurve *c = plotpanel_add_curve(p.p, "sample", PLOT_DOTS, PLOT_SKY);
        PlotCurve *smooth;

        fill_curve(&p, c, &plotbuild_item(b->flows, 0)->end->s[PLOT_END_RTT]);
        smooth = plotpanel_add_curve(p.p, "smoothed", PLOT_LINE, PLOT_BLUE);
        fill_curve(&p, smooth, &plotbuild_item(b->flows, 0)->end->s[PLOT_END_SRTT]);
    } else if (plotbuild_wants(b, PLOT_RTT)) {
        add_series(&p, PLOT_RTT, "RTT", PLOT_LINE, PLOT_BLUE, false);
    }
    if (plotbuild_wants(b, PLOT_RTO))
        add_series(&p, PLOT_RTO, "RTO", PLOT_STEPS, PLOT_PURPLE, true);
    plotpart_add_levels(&p, PLOT_RTT);
    plotpart_add_levels(&p, PLOT_RTO);
}

static void add_queues(PlotBuild *b)
{
    PlotPart p;

    if (plotbuild_wants(b, PLOT_QUEUE) && b->queues->len) {
        p = plotpart_new(b, b->queues, "Queue", "packets", "queue");
        p.is_alone = b->is_separate; /* its name says where it is */
        add_series(&p, PLOT_QUEUE, "", PLOT_STEPS, PLOT_BLUE, false);
        plotpart_add_levels(&p, PLOT_QUEUE);
    }
    if (plotbuild_wants(b, PLOT_SOJOURN) && b->queues->len) {
        PlotUnit unit = plotunit_time(largest(b->all_queues, PLOT_SOJOURN));

        p = plotpart_new(b, b->queues, "Time in the queue", unit.name, "sojourn");
        p.factor = unit.factor;
        p.is_alone = b->is_separate;
        add_series(&p, PLOT_SOJOURN, "", PLOT_LINE, PLOT_BLUE, false);
        plotpart_add_levels(&p, PLOT_SOJOURN);
    }
}

/* ---- events ---- */

static void add_events(PlotBuild *b, PlotWhat what, const char *name, uint32_t rgb)
{
    bool is_below = b->figure->panels->len > b->first_panel;
    PlotCurve *c;
    PlotPart p;

    if (!plotbuild_wants(b, what) || (is_below && what == PLOT_LOSS && plotbuild_wants(b, PLOT_SEQUENCE) &&
                                      !plotbuild_wants(b, PLOT_CWND)))
        return;
    if (!is_below) {
        p = plotpart_new(b, b->flows, plot_whats[what].title, "", plot_whats[what].name);
        for (unsigned i = 0; i < b->flows->len; i++) {
            const PlotItem *item = plotbuild_item(b->flows, i);
            const PlotSeries *s = plotitem_series(item, what);
            double sum = 0;

            c = plotpanel_add_curve(p.p, p.is_alone || b->flows->len > PLOT_CROWD ? "" : item->label,
                                    PLOT_STEPS, item->rgb);
            plotcurve_add(c, plotbuild_x(b, b->from), 0, 0);
            for (unsigned k = 0; k < plotseries_count(s); k++)
                plotcurve_add(c, plotbuild_x(b, plotseries_point(s, k)->t), sum += plotseries_point(s, k)->y2,
                              0);
        }
        return;
    }
    c = plotpanel_add_curve(b->figure->panels->pdata[b->first_panel], name, PLOT_TICKS, rgb);
    for (unsigned i = 0; i < b->flows->len; i++) {
        GArray *points = plotseries_thinned(plotitem_series(plotbuild_item(b->flows, i), what), b->thin);

        for (unsigned k = 0; k < points->len; k++)
            plotcurve_add(c, plotbuild_x(b, g_array_index(points, PlotPoint, k).t), 0, 0);
        g_array_free(points, TRUE);
    }
    if (c->points->len == 0)
        g_ptr_array_remove(((PlotPanel *)b->figure->panels->pdata[b->first_panel])->curves, c);
}

static void add_panels_of_flows(PlotBuild *b)
{
    b->first_panel = b->figure->panels->len;
    add_windows(b);
    add_sequences(b);
    add_rwnd(b);
    add_rtt(b);
}

static void add_rates_and_events(PlotBuild *b)
{
    plotrates_add(b);
    if (!b->is_separate)
        plotrates_add_fairness(b);
    add_events(b, PLOT_LOSS, "lost", PLOT_BLACK);
    add_events(b, PLOT_MARK, "marked", PLOT_PURPLE);
}

/* Each flow's panels below each other, then the queues'. */
static void add_separate(PlotBuild *b)
{
    GArray *flows = b->flows, *queues = b->queues;
    GArray *one = g_array_new(FALSE, TRUE, sizeof(PlotItem));

    if (flows->len > MAX_SEPARATE || queues->len > MAX_SEPARATE) {
        b->error = g_strdup_printf(
            "%u %s are too many for panels of their own (at most %u); choose some with "
            "--flow or --host, in a scenario with flow or host",
            HS_MAX(flows->len, queues->len), flows->len > queues->len ? "flows" : "queues", MAX_SEPARATE);
        g_array_free(one, TRUE);
        return;
    }
    for (unsigned i = 0; i < flows->len && !b->error; i++) {
        g_array_set_size(one, 0);
        g_array_append_val(one, *plotbuild_item(flows, i));
        b->flows = one;
        add_panels_of_flows(b);
        add_rates_and_events(b);
    }
    for (unsigned i = 0; i < queues->len; i++) {
        g_array_set_size(one, 0);
        g_array_append_val(one, *plotbuild_item(queues, i));
        b->queues = one;
        add_queues(b);
    }
    b->flows = flows;
    b->queues = queues;
    b->is_separate = false;
    plotrates_add_fairness(b);
    g_array_free(one, TRUE);
}

void plotpanels_add(PlotBuild *b)
{
    b->is_separate = b->wish->separate;
    if (b->is_separate) {
        add_separate(b);
    } else {
        add_panels_of_flows(b);
        add_queues(b);
        add_rates_and_events(b);
    }
}
