/* view/plot_figure, plot_gnuplot, plot_term: axes, the files for gnuplot, and the drawing on a terminal. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "view/plot.h"
#include "view/plot_figure.h"
#include "view/plot_gnuplot.h"
#include "view/plot_place.h"
#include "view/plot_term.h"

/* A straight line from (0, 0) to (10, 100), and a short second one. */
static PlotFigure *two_lines(void)
{
    PlotFigure *f = plotfigure_new();
    PlotPanel *p = plotfigure_add_panel(f, "Window (segments)", "cwnd");
    PlotCurve *c = plotpanel_add_curve(p, "it's a", PLOT_LINE, PLOT_BLUE);

    f->title = g_strdup("A title");
    f->axis = g_strdup("Time (s)");
    f->max = 10;
    plotcurve_add(c, 0, 0, 0);
    plotcurve_add(c, 10, 96, 0);
    c = plotpanel_add_curve(p, "b", PLOT_LINE, PLOT_RED);
    plotcurve_add(c, 0, 50, 0);
    plotcurve_add(c, 10, 50, 0);
    plotpanel_add_curve(p, "empty", PLOT_LINE, PLOT_GREEN);
    plotfigure_settle(f);
    return f;
}

static void test_steps(void)
{
    g_assert_cmpfloat(plot_round_step(100, 10), ==, 10);
    g_assert_cmpfloat(plot_round_step(30, 10), ==, 2);
    g_assert_cmpfloat(plot_round_step(5, 10), ==, 0.5);
    g_assert_cmpfloat(plot_round_up(172, 20), ==, 180);
    g_assert_cmpfloat(plot_round_up(180, 20), ==, 180);
}

static void test_axes(void)
{
    PlotFigure *f = two_lines();
    const PlotPanel *p = f->panels->pdata[0];

    g_assert_cmpfloat(p->min, ==, 0);
    g_assert_cmpfloat(p->max, ==, 100);
    g_assert_cmpuint(plotpanel_legend_count(p), ==, 2); /* an empty curve has no entry */
    plotfigure_free(f);
}

static void test_names(void)
{
    uint32_t what = 0;
    char *error = NULL;

    g_assert_true(plot_parse_what("cwnd, rtt", &what, &error));
    g_assert_cmpuint(what, ==, PLOT_BIT(PLOT_CWND) | PLOT_BIT(PLOT_RTT));
    g_assert_false(plot_parse_what("cwdn", &what, &error));
    g_assert_nonnull(strstr(error, "did you mean \"cwnd\""));
    g_free(error);
    g_assert_true(plot_has_distribution(PLOT_BIT(PLOT_RTT)));
    g_assert_false(plot_has_distribution(PLOT_BIT(PLOT_RTT) | PLOT_BIT(PLOT_RTO)));
    g_assert_false(plot_has_distribution(PLOT_BIT(PLOT_SEQUENCE)));
    for (unsigned i = 0; i < PLOT_WHATS; i++) {
        g_assert_nonnull(plot_whats[i].name);
        g_assert_nonnull(plot_whats[i].title);
    }
}

/* Two blocks, since the third curve is empty; the quote in a label is doubled; equal figures, equal files. */
static void test_gnuplot(void)
{
    g_autofree char *dir = g_dir_make_tmp("hopscope-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "it's.svg", NULL), *tsv = plotgnuplot_beside(path, ".tsv"),
                    *gp = plotgnuplot_beside(path, ".gp");
    PlotFigure *f = two_lines();
    char *data, *script, *again;

    g_assert_true(plotgnuplot_write(f, path, NULL));
    g_assert_true(g_file_get_contents(tsv, &data, NULL, NULL));
    g_assert_cmpstr(data, ==,
                    "# Window (segments): it's a\n# Time (s)\tvalue\n0\t0\n10\t96\n\n\n"
                    "# Window (segments): b\n# Time (s)\tvalue\n0\t50\n10\t50\n");
    g_assert_true(g_file_get_contents(gp, &script, NULL, NULL));
    g_assert_nonnull(strstr(script, "data = 'it''s.tsv'"));
    g_assert_nonnull(strstr(script, "title 'it''s a'"));
    g_assert_nonnull(strstr(script, "index 1"));
    g_assert_null(strstr(script, "index 2"));
    g_assert_true(plotgnuplot_write(f, path, NULL));
    g_assert_true(g_file_get_contents(gp, &again, NULL, NULL));
    g_assert_cmpstr(script, ==, again);
    g_free(data);
    g_free(script);
    g_free(again);
    plotfigure_free(f);
    g_unlink(tsv);
    g_unlink(gp);
    g_rmdir(dir);
}

static void test_format(void)
{
    PlotFormat format;
    g_autofree char *beside = plotgnuplot_beside("a.b/c.PNG", ".gp");

    g_assert_true(plotgnuplot_format("x.svg", &format) && format == PLOT_SVG);
    g_assert_true(plotgnuplot_format("x.PNG", &format) && format == PLOT_PNG);
    g_assert_true(plotgnuplot_format("x.pdf", &format) && format == PLOT_PDF);
    g_assert_false(plotgnuplot_format("x.jpg", &format));
    g_assert_false(plotgnuplot_format(".svg", &format));
    g_assert_cmpstr(beside, ==, "a.b/c.gp");
}

/* The diagonal goes from the lower left to the upper right, no line is wider than asked, both are named. */
static void test_term(void)
{
    PlotFigure *f = two_lines();
    g_autofree char *text = plotterm_render(f, &(PlotTermConfig){.width = 60, .height = 10});
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    long last = 1000;

    g_assert_cmpstr(lines[0], ==, "A title");
    g_assert_cmpstr(lines[1], ==, "Window (segments)");
    g_assert_cmpstr(g_strstrip(lines[2]), ==, "a it's a   b b");
    for (unsigned i = 0; lines[i]; i++)
        g_assert_cmpint(g_utf8_strlen(lines[i], -1), <=, 60);
    for (unsigned row = 0; row < 4; row++) { /* above the second line */
        const char *after =
            strstr(lines[3 + row], "┤") ? strstr(lines[3 + row], "┤") : strstr(lines[3 + row], "│");
        long column = 0;

        for (after = g_utf8_next_char(after); *after == ' '; after++)
            column++;
        g_assert_cmpint(column, <, last);
        last = column;
    }
    g_assert_null(strchr(text, '\033'));
    plotfigure_free(f);
}

static void test_colour(void)
{
    PlotFigure *f = two_lines();
    g_autofree char *text =
        plotterm_render(f, &(PlotTermConfig){.width = 60, .height = 10, .is_coloured = true});

    g_assert_nonnull(strstr(text, "\033[38;2;0;114;178m"));
    plotfigure_free(f);
}

/* Nothing but ASCII, and the curves as their letters. */
static void test_ascii(void)
{
    PlotFigure *f = two_lines();

    g_free(f->title);
    f->title = g_strdup("a → b: 3 µs, 中");
    plotpanel_add_level(f->panels->pdata[0], 80, "full");
    g_autofree char *text =
        plotterm_render(f, &(PlotTermConfig){.width = 60, .height = 10, .is_ascii = true});

    g_assert_true(g_str_is_ascii(text));
    g_assert_true(g_str_has_prefix(text, "a > b: 3 us, ?\n"));
    g_assert_nonnull(strstr(text, "bbbbbbbb"));
    g_assert_nonnull(strstr(text, "- 80: full"));
    plotfigure_free(f);
}

/* 1, 2 and 5 times powers of ten around the values above 0. */
static void test_log(void)
{
    PlotFigure *f = plotfigure_new();
    PlotPanel *p = plotfigure_add_panel(f, "Queue (packets)", "queue");
    PlotCurve *c = plotpanel_add_curve(p, "", PLOT_LINE, PLOT_BLUE);

    p->is_log = true;
    f->axis = g_strdup("Time (s)");
    f->title = g_strdup("");
    f->max = 3;
    plotcurve_add(c, 0, 0, 0);
    plotcurve_add(c, 1, 0.3, 0);
    plotcurve_add(c, 2, 700, 0);
    plotfigure_settle(f);
    g_assert_cmpfloat_with_epsilon(p->min, 0.2, 1e-9);
    g_assert_cmpfloat_with_epsilon(p->max, 1000, 1e-6);
    g_autofree char *text = plotterm_render(f, &(PlotTermConfig){.width = 60, .height = 20});

    g_assert_nonnull(strstr(text, " 100 ┤"));
    g_assert_nonnull(strstr(text, " 0.2 ┤"));
    plotfigure_free(f);
}

/* A panel without points is taken out and named; what an earlier legend tells is not told again. */
static void test_panels(void)
{
    PlotFigure *f = two_lines();
    PlotCurve *c;

    plotfigure_add_panel(f, "Round-trip time (ms)", "rtt");
    c = plotpanel_add_curve(plotfigure_add_panel(f, "Rate (bit/s)", "rate"), "b", PLOT_LINE, PLOT_RED);
    plotcurve_add(c, 1, 1, 0);
    c = plotpanel_add_curve(f->panels->pdata[2], "c", PLOT_LINE, PLOT_RED);
    plotcurve_add(c, 1, 1, 0);
    plotfigure_drop_empty(f);
    plotfigure_settle(f);
    g_assert_cmpuint(f->panels->len, ==, 2);
    g_assert_cmpstr(f->missing, ==, "rtt");
    g_assert_cmpuint(plotpanel_legend_count(f->panels->pdata[1]), ==, 1);
    plotfigure_free(f);
}

/* The diagonal comes from the lower left: a word above the middle stands on the left, one below it on the
 * right. */
static void test_place(void)
{
    PlotFigure *f = plotfigure_new();
    PlotPanel *p = plotfigure_add_panel(f, "y", "y");
    PlotCurve *c = plotpanel_add_curve(p, "", PLOT_LINE, PLOT_BLUE);
    PlotPlace place;

    f->max = 10;
    plotcurve_add(c, 0, 0, 0);
    plotcurve_add(c, 10, 100, 0);
    plotfigure_settle(f);
    place = plotplace_level(f, p, 80, 0.3, 0.1); /* from 7 to 10 the curve goes through what is above it */
    g_assert_true(place.align == 'l' && place.is_above);
    place = plotplace_level(f, p, 10, 0.3, 0.1);
    g_assert_true(place.align == 'r' && place.is_above);
    plotfigure_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/plot_figure/steps", test_steps);
    g_test_add_func("/view/plot_figure/axes", test_axes);
    g_test_add_func("/view/plot/names", test_names);
    g_test_add_func("/view/plot_gnuplot/files", test_gnuplot);
    g_test_add_func("/view/plot_gnuplot/format", test_format);
    g_test_add_func("/view/plot_term/lines", test_term);
    g_test_add_func("/view/plot_term/colour", test_colour);
    g_test_add_func("/view/plot_term/ascii", test_ascii);
    g_test_add_func("/view/plot_figure/log", test_log);
    g_test_add_func("/view/plot_figure/panels", test_panels);
    g_test_add_func("/view/plot_place/level", test_place);
    return g_test_run();
}
