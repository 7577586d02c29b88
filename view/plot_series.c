#include "view/plot_series.h"

#define BINS_FIXED_LIMIT 4000000
#define RANGES_BACK 8

void plotseries_init(PlotSeries *s, PlotThin thin)
{
    *s = (PlotSeries){.thin = thin, .limit = PLOT_SERIES_LIMIT, .step = 1};
}

void plotseries_clear(PlotSeries *s)
{
    if (s->points)
        g_array_free(s->points, TRUE);
    s->points = NULL;
}

unsigned plotseries_count(const PlotSeries *s)
{
    return s->points ? s->points->len : 0;
}

const PlotPoint *plotseries_point(const PlotSeries *s, unsigned i)
{
    return &g_array_index(s->points, PlotPoint, i);
}

const PlotPoint *plotseries_last(const PlotSeries *s)
{
    return plotseries_count(s) ? plotseries_point(s, s->points->len - 1) : NULL;
}

/* ---- thinning ---- */

/* The points first .. last - 1 of one interval, in order of time. */
static void keep_values(const GArray *in, unsigned first, unsigned last, GArray *out)
{
    unsigned keep[4] = {first, first, first, last - 1};

    for (unsigned i = first; i < last; i++) {
        double y = g_array_index(in, PlotPoint, i).y;

        if (y < g_array_index(in, PlotPoint, keep[1]).y)
            keep[1] = i;
        if (y > g_array_index(in, PlotPoint, keep[2]).y)
            keep[2] = i;
    }
    if (keep[1] > keep[2]) {
        unsigned swap = keep[1];

        keep[1] = keep[2];
        keep[2] = swap;
    }
    for (unsigned k = 0; k < 4; k++)
        if (k == 0 || keep[k] != keep[k - 1])
            g_array_append_val(out, g_array_index(in, PlotPoint, keep[k]));
}

/* Of the last few ranges: the blocks of SACKs take turns. */
static PlotPoint *find_touching(GArray *out, unsigned from, const PlotPoint *p)
{
    for (unsigned i = out->len; i > from && out->len - i < RANGES_BACK; i--) {
        PlotPoint *kept = &g_array_index(out, PlotPoint, i - 1);

        if (p->y <= kept->y2 && p->y2 >= kept->y)
            return kept;
    }
    return NULL;
}

static void keep_ranges(const GArray *in, unsigned first, unsigned last, GArray *out)
{
    unsigned from = out->len;

    for (unsigned i = first; i < last; i++) {
        PlotPoint p = g_array_index(in, PlotPoint, i);
        PlotPoint *kept = find_touching(out, from, &p);

        if (kept) {
            kept->y = HS_MIN(kept->y, p.y);
            kept->y2 = HS_MAX(kept->y2, p.y2);
        } else {
            g_array_append_val(out, p);
        }
    }
}

static void keep_events(const GArray *in, unsigned first, unsigned last, GArray *out)
{
    PlotPoint p = g_array_index(in, PlotPoint, first);

    for (unsigned i = first + 1; i < last; i++)
        p.y2 += g_array_index(in, PlotPoint, i).y2;
    g_array_append_val(out, p);
}

static GArray *thinned(const GArray *in, PlotThin thin, SimTime width)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(PlotPoint));
    unsigned first = 0;

    while (first < in->len) {
        SimTime interval = g_array_index(in, PlotPoint, first).t / width;
        unsigned last = first + 1;

        while (last < in->len && g_array_index(in, PlotPoint, last).t / width == interval)
            last++;
        if (thin == PLOT_THIN_VALUE)
            keep_values(in, first, last, out);
        else if (thin == PLOT_THIN_RANGE)
            keep_ranges(in, first, last, out);
        else
            keep_events(in, first, last, out);
        first = last;
    }
    return out;
}

static void keep_every_other(PlotSeries *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->points->len; i += 2)
        g_array_index(s->points, PlotPoint, n++) = g_array_index(s->points, PlotPoint, i);
    g_array_set_size(s->points, n);
    s->step *= 2;
}

static void make_room(PlotSeries *s)
{
    if (s->thin == PLOT_THIN_EVERY) {
        keep_every_other(s);
        return;
    }
    /* First with the intervals as they are: what is new was not thinned yet. */
    for (SimTime width = HS_MAX(s->width, 1024);; width *= 2) {
        GArray *fewer = thinned(s->points, s->thin, width);

        g_array_free(s->points, TRUE);
        s->points = fewer;
        s->width = width;
        if (s->points->len <= s->limit / 2)
            return;
        /* Ranges that do not touch, and points of one instant, may all have to stay. */
        if (width > SIM_SEC * 60) {
            s->limit = HS_MAX(s->limit, s->points->len * 2);
            return;
        }
    }
}

void plotseries_add(PlotSeries *s, SimTime t, double y, double y2)
{
    PlotPoint p = {t, y, y2};

    if (!s->points)
        s->points = g_array_new(FALSE, FALSE, sizeof(PlotPoint));
    if (s->seen++ % s->step)
        return;
    g_array_append_val(s->points, p);
    if (s->points->len > s->limit)
        make_room(s);
}

GArray *plotseries_thinned(const PlotSeries *s, SimTime width)
{
    GArray *copy;

    if (s->points && width > 1 && s->thin != PLOT_THIN_EVERY)
        return thinned(s->points, s->thin, width);
    copy = g_array_new(FALSE, FALSE, sizeof(PlotPoint));
    if (s->points)
        g_array_append_vals(copy, s->points->data, s->points->len);
    return copy;
}

/* ---- sums ---- */

void plotbins_init(PlotBins *b, SimTime width, bool is_fixed)
{
    *b = (PlotBins){.width = width, .is_fixed = is_fixed};
}

void plotbins_clear(PlotBins *b)
{
    if (b->sums)
        g_array_free(b->sums, TRUE);
    b->sums = NULL;
}

static void widen(PlotBins *b)
{
    unsigned n = (b->sums->len + 9) / 10;

    for (unsigned i = 0; i < n; i++) {
        double sum = 0;

        for (unsigned k = i * 10; k < i * 10 + 10 && k < b->sums->len; k++)
            sum += g_array_index(b->sums, double, k);
        g_array_index(b->sums, double, i) = sum;
    }
    g_array_set_size(b->sums, n);
    b->width *= 10;
}

void plotbins_add(PlotBins *b, SimTime t, double amount)
{
    if (!b->sums)
        b->sums = g_array_new(FALSE, TRUE, sizeof(double));
    while (!b->is_fixed && t / b->width >= PLOT_BINS_LIMIT)
        widen(b);
    if (t / b->width >= BINS_FIXED_LIMIT)
        return;
    if (t / b->width >= b->sums->len)
        g_array_set_size(b->sums, (unsigned)(t / b->width) + 1);
    g_array_index(b->sums, double, t / b->width) += amount;
    b->first = b->is_any ? b->first : t;
    b->last = t;
    b->is_any = true;
}

double plotbins_sum(const PlotBins *b, SimTime t, SimTime length)
{
    double sum = 0;

    for (SimTime i = t / b->width; b->sums && i < (t + length) / b->width && i < b->sums->len; i++)
        sum += g_array_index(b->sums, double, i);
    return sum;
}
