/* view/plot_series: what survives thinning, sums in intervals, distributions. */
#include <glib.h>

#include "view/plot_series.h"

static double extreme(const PlotSeries *s, bool is_max)
{
    double found = plotseries_point(s, 0)->y;

    for (unsigned i = 0; i < plotseries_count(s); i++) {
        double y = plotseries_point(s, i)->y;

        if (is_max ? y > found : y < found)
            found = y;
    }
    return found;
}

/* A million values with one peak and one hole: both stay, and the first and the last point too. */
static void test_values(void)
{
    PlotSeries s;

    plotseries_init(&s, PLOT_THIN_VALUE);
    for (int i = 0; i < 1000000; i++)
        plotseries_add(&s, (SimTime)i * SIM_US, i == 123456 ? 99 : i == 654321 ? -7 : i % 10, 0);
    g_assert_cmpuint(s.seen, ==, 1000000);
    g_assert_cmpuint(plotseries_count(&s), <=, PLOT_SERIES_LIMIT);
    g_assert_cmpuint(plotseries_count(&s), >, PLOT_SERIES_LIMIT / 8);
    g_assert_cmpfloat(extreme(&s, true), ==, 99);
    g_assert_cmpfloat(extreme(&s, false), ==, -7);
    g_assert_cmpint(plotseries_point(&s, 0)->t, ==, 0);
    g_assert_cmpint(plotseries_last(&s)->t, ==, 999999 * SIM_US);
    for (unsigned i = 1; i < plotseries_count(&s); i++)
        g_assert_cmpint(plotseries_point(&s, i - 1)->t, <=, plotseries_point(&s, i)->t);
    plotseries_clear(&s);
}

/* First, smallest, largest, last of each interval, in order of time, and none twice. */
static void test_interval(void)
{
    static const double values[] = {5, 9, 1, 4, 3, 3, 3};
    PlotSeries s;
    GArray *thin;

    plotseries_init(&s, PLOT_THIN_VALUE);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        plotseries_add(&s, i < 4 ? (SimTime)i : 10 + (SimTime)i, values[i], 0);
    thin = plotseries_thinned(&s, 10);
    g_assert_cmpuint(thin->len, ==, 6);
    static const double kept[] = {5, 9, 1, 4, 3, 3};
    for (unsigned i = 0; i < thin->len; i++)
        g_assert_cmpfloat(g_array_index(thin, PlotPoint, i).y, ==, kept[i]);
    g_array_free(thin, TRUE);
    thin = plotseries_thinned(&s, 0);
    g_assert_cmpuint(thin->len, ==, G_N_ELEMENTS(values));
    g_array_free(thin, TRUE);
    plotseries_clear(&s);
}

/* Segments sent back to back become one bar, a gap stays a gap. */
static void test_ranges(void)
{
    PlotSeries s;
    GArray *thin;

    plotseries_init(&s, PLOT_THIN_RANGE);
    plotseries_add(&s, 1, 0, 1000);
    plotseries_add(&s, 2, 1000, 2000);
    plotseries_add(&s, 3, 3000, 4000);
    plotseries_add(&s, 11, 4000, 5000);
    thin = plotseries_thinned(&s, 10);
    g_assert_cmpuint(thin->len, ==, 3);
    g_assert_cmpfloat(g_array_index(thin, PlotPoint, 0).y2, ==, 2000);
    g_assert_cmpfloat(g_array_index(thin, PlotPoint, 1).y, ==, 3000);
    g_assert_cmpint(g_array_index(thin, PlotPoint, 2).t, ==, 11);
    g_array_free(thin, TRUE);
    plotseries_clear(&s);
}

/* However they are thinned, events are not lost count of. */
static void test_events(void)
{
    PlotSeries s;
    double sum = 0;

    plotseries_init(&s, PLOT_THIN_EVENT);
    for (int i = 0; i < 100000; i++)
        plotseries_add(&s, (SimTime)i * SIM_MS, 0, 1);
    for (unsigned i = 0; i < plotseries_count(&s); i++)
        sum += plotseries_point(&s, i)->y2;
    g_assert_cmpuint(plotseries_count(&s), <=, PLOT_SERIES_LIMIT);
    g_assert_cmpfloat(sum, ==, 100000);
    plotseries_clear(&s);
}

/* Every n-th sample, evenly: the mean of 0 .. 99999 is kept within a per mille. */
static void test_every(void)
{
    PlotSeries s;
    double sum = 0;

    plotseries_init(&s, PLOT_THIN_EVERY);
    for (int i = 0; i < 100000; i++)
        plotseries_add(&s, i, i, 0);
    for (unsigned i = 0; i < plotseries_count(&s); i++)
        sum += plotseries_point(&s, i)->y;
    g_assert_cmpuint(plotseries_count(&s), <=, PLOT_SERIES_LIMIT);
    g_assert_cmpfloat_with_epsilon(sum / plotseries_count(&s), 50000, 50);
    plotseries_clear(&s);
}

static void test_bins(void)
{
    PlotBins b;

    plotbins_init(&b, SIM_MS, false);
    g_assert_cmpfloat(plotbins_sum(&b, 0, SIM_SEC), ==, 0);
    plotbins_add(&b, 0, 1);
    plotbins_add(&b, SIM_MS - 1, 2);
    plotbins_add(&b, SIM_MS, 4);
    plotbins_add(&b, 25 * SIM_MS, 8);
    g_assert_cmpfloat(plotbins_sum(&b, 0, SIM_MS), ==, 3);
    g_assert_cmpfloat(plotbins_sum(&b, SIM_MS, SIM_MS), ==, 4);
    g_assert_cmpfloat(plotbins_sum(&b, 20 * SIM_MS, 10 * SIM_MS), ==, 8);
    /* Two hours later intervals of a millisecond are too many: nothing is lost. */
    plotbins_add(&b, 7200 * SIM_SEC, 16);
    g_assert_cmpint(b.width, ==, SIM_SEC);
    g_assert_cmpfloat(plotbins_sum(&b, 0, SIM_SEC), ==, 15);
    g_assert_cmpfloat(plotbins_sum(&b, 7200 * SIM_SEC, SIM_SEC), ==, 16);
    g_assert_cmpint(b.last, ==, 7200 * SIM_SEC);
    plotbins_clear(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/plot_series/values", test_values);
    g_test_add_func("/view/plot_series/interval", test_interval);
    g_test_add_func("/view/plot_series/ranges", test_ranges);
    g_test_add_func("/view/plot_series/events", test_events);
    g_test_add_func("/view/plot_series/every", test_every);
    g_test_add_func("/view/plot_series/bins", test_bins);
    return g_test_run();
}
