#include "view/plot_gnuplot.h"

#include <string.h>

#include "sim/base/exactmath.h"
#include "sim/trace/outfile.h"
#include "view/plot_place.h"
#include "view/textwidth.h"

/* Sizes in pixels; a paper's are 0.8 of them. */
#define WIDTH 800
#define WIDTH_PAPER 350 /* 3.5 inches: one of two columns */
#define LEFT 74
#define RIGHT 22
#define TOP_TITLE 50
#define TOP_PLAIN 34
#define TOP_NONE 2
#define BOTTOM 60
#define LEFT_PAPER 50
#define BOTTOM_PAPER 38
#define GAP 20
#define KEY_ROW 20
#define PANEL_ALONE 300
#define PANEL_TWO 200
#define PANEL_MANY 150
#define PANEL_LEAST 80  /* for the name of its axis */
#define LETTER 7.4      /* width of a letter in a legend, generously */
#define TITLE_SIZE 16.7 /* of the letters */
#define SUBTITLE_SIZE 12.5
#define SAMPLE 46         /* of a line in a legend, with what is around it */
#define TICKS_AS_LINES 80 /* so many marks are drawn as lines, crosses would cover each other */
#define CROSSES_LARGE 40  /* more of them are small */
#define PNG_SCALE 2       /* finer than the sizes say, for print; not where the user gave one */

static const char *const suffixes[PLOT_FORMATS] = {".svg", ".png", ".pdf"};

bool plotgnuplot_format(const char *path, PlotFormat *format)
{
    for (unsigned i = 0; i < PLOT_FORMATS; i++) {
        size_t len = strlen(path);

        if (len > 4 && !g_ascii_strcasecmp(path + len - 4, suffixes[i])) {
            *format = (PlotFormat)i;
            return true;
        }
    }
    return false;
}

char *plotgnuplot_beside(const char *path, const char *suffix)
{
    PlotFormat format;
    size_t len = strlen(path);

    return plotgnuplot_format(path, &format) ? g_strdup_printf("%.*s%s", (int)len - 4, path, suffix)
                                             : g_strconcat(path, suffix, NULL);
}

/* ---- data ---- */

static const char *columns_of(PlotStyle style)
{
    switch (style) {
    case PLOT_BARS:
    case PLOT_FILL:
        return "\tfrom\tto";
    case PLOT_SPANS:
        return "\tuntil";
    case PLOT_TICKS:
        return "";
    default:
        return "\tvalue";
    }
}

static void write_curve(OutFile *out, const PlotFigure *f, const PlotPanel *p, const PlotCurve *c)
{
    outfile_printf(out, "# %s%s%s\n# %s%s\n", p->axis, *c->label ? ": " : "", c->label, f->axis,
                   columns_of(c->style));
    for (unsigned i = 0; i < c->points->len; i++) {
        const PlotXY *at = &g_array_index(c->points, PlotXY, i);

        outfile_printf(out, "%.10g", at->x);
        if (c->style == PLOT_BARS || c->style == PLOT_FILL)
            outfile_printf(out, "\t%.10g\t%.10g", at->y, at->y2);
        else if (c->style == PLOT_SPANS)
            outfile_printf(out, "\t%.10g", at->y2);
        else if (c->style != PLOT_TICKS)
            outfile_printf(out, "\t%.10g", at->y);
        outfile_write(out, "\n", 1);
    }
}

static bool write_data(const PlotFigure *f, const char *path, GError **error)
{
    OutFile *out = outfile_open(path, OUTFILE_WHOLE, error);
    bool is_first = true;

    if (!out)
        return false;
    for (unsigned i = 0; i < f->panels->len; i++) {
        const PlotPanel *p = f->panels->pdata[i];

        for (unsigned k = 0; k < p->curves->len; k++) {
            const PlotCurve *c = p->curves->pdata[k];

            if (c->points->len == 0)
                continue;
            if (!is_first)
                outfile_printf(out, "\n\n");
            write_curve(out, f, p, c);
            is_first = false;
        }
    }
    return outfile_close(out, error);
}

/* ---- script ---- */

/* In gnuplot's single quotes nothing is special but the quote itself. */
static char *quoted(const char *text)
{
    GString *q = g_string_new("'");

    for (; *text; text++)
        if (*text == '\'')
            g_string_append(q, "''");
        else if ((unsigned char)*text >= 0x20)
            g_string_append_c(q, *text);
    g_string_append_c(q, '\'');
    return g_string_free(q, FALSE);
}

typedef struct Layout {
    double k; /* all sizes are multiplied by it */
    double left, right;
    unsigned width, height, panel, top, bottom, gap, row;
    unsigned least; /* height in which all is legible */
} Layout;

static double legend_width(const PlotPanel *p, const Layout *l)
{
    double width = 0;

    for (unsigned i = 0; i < p->curves->len; i++) {
        const PlotCurve *c = p->curves->pdata[i];

        if (*c->label && c->points->len && !c->is_unlisted)
            width = HS_MAX(width, l->k * (SAMPLE + LETTER * textwidth_columns(c->label)));
    }
    return width;
}

/* All columns of a legend are as wide as the widest. */
static unsigned key_rows(const PlotPanel *p, const Layout *l)
{
    unsigned n = plotpanel_legend_count(p), columns;

    if (n == 0)
        return 0;
    columns = (unsigned)HS_MAX(1.0, (l->width - l->left - l->right) / legend_width(p, l));
    return (n + columns - 1) / columns;
}

/* The legend's, and one for the heading if it does not fit beside the legend. */
static unsigned rows_above(const PlotPanel *p, const Layout *l)
{
    unsigned rows = key_rows(p, l);
    double legend = legend_width(p, l) * plotpanel_legend_count(p);
    bool fits = rows == 1 && legend * 1.15 + l->k * LETTER * textwidth_columns(p->heading ? p->heading : "") <
                                 l->width - l->left - l->right;

    return rows + (p->heading && !fits);
}

static Layout lay_out(const PlotFigure *f)
{
    unsigned n = f->panels->len, rows = 0, fixed;
    Layout l = {.k = f->look.is_paper ? 0.8 : 1};

    l.width = f->look.width ? f->look.width : f->look.is_paper ? WIDTH_PAPER : WIDTH;
    l.left = f->look.is_paper ? LEFT_PAPER : LEFT;
    l.right = RIGHT * l.k;
    l.gap = (unsigned)(GAP * l.k);
    l.row = (unsigned)(KEY_ROW * l.k);
    l.bottom = f->look.is_paper ? BOTTOM_PAPER : BOTTOM;
    l.top = f->look.is_paper ? TOP_NONE : f->subtitle ? TOP_TITLE : TOP_PLAIN;
    l.panel = (unsigned)((n == 1 ? PANEL_ALONE : n == 2 ? PANEL_TWO : PANEL_MANY) * (l.k < 1 ? 0.6 : 1));
    for (unsigned i = 0; i < n; i++)
        rows += rows_above(f->panels->pdata[i], &l);
    fixed = l.top + l.bottom + (n - 1) * l.gap + rows * l.row;
    if (f->look.height && f->look.height > fixed)
        l.panel = (f->look.height - fixed) / n;
    l.height = f->look.height ? f->look.height : fixed + n * l.panel;
    l.least = fixed + (unsigned)(n * PANEL_LEAST * l.k);
    return l;
}

/* As much of a text as fits in that width. */
static char *fitting(const char *text, double width, double size)
{
    GString *out = g_string_new(text);

    while (out->len && textwidth_sans(out->str, false) * size / 1000 > width) {
        const char *end = out->str + out->len - (g_str_has_suffix(out->str, "…") ? strlen("…") : 0);

        g_string_truncate(out, (gsize)(g_utf8_prev_char(end) - out->str));
        g_string_append(out, "…");
    }
    return g_string_free(out, FALSE);
}

static void write_terminal(OutFile *out, const PlotFigure *f, PlotFormat format, const Layout *l)
{
    bool is_svg = format == PLOT_SVG;
    char *font = g_strdup_printf("%s,%g",
                                 f->look.font ? f->look.font
                                 : is_svg     ? "sans-serif"
                                              : "Sans",
                                 (is_svg ? 13 : 10) * l->k);
    char *q_font = quoted(font);
    unsigned scale = f->look.width || f->look.height ? 1 : PNG_SCALE;

    if (is_svg)
        outfile_printf(out, "set terminal svg size %u,%u noenhanced font %s background '#ffffff' rounded\n",
                       l->width, l->height, q_font);
    else if (format == PLOT_PNG)
        outfile_printf(out,
                       "set terminal pngcairo size %u,%u noenhanced font %s fontscale %u linewidth %u "
                       "dashlength %u pointscale %u background '#ffffff' rounded\n",
                       l->width * scale, l->height * scale, q_font, scale, scale, scale, scale);
    else
        outfile_printf(out,
                       "set terminal pdfcairo size %.2fin,%.2fin noenhanced font %s background '#ffffff' "
                       "rounded\n",
                       l->width / 100.0, l->height / 100.0, q_font);
    outfile_printf(out, "large = ',%g'\nsmall = ',%g'\n", (is_svg ? 15 : 12) * l->k,
                   (is_svg ? 12 : 9) * l->k);
    g_free(font);
    g_free(q_font);
}

static const char *style_of(const PlotCurve *c)
{
    switch (c->style) {
    case PLOT_STEPS:
        return "steps";
    case PLOT_DOTS:
        return "points";
    case PLOT_CROSSES:
    case PLOT_TICKS:
        return "points";
    case PLOT_BARS:
        return "vectors nohead";
    case PLOT_FILL:
        return "filledcurves";
    case PLOT_SPANS:
        return "boxxyerror";
    default:
        return "lines";
    }
}

static bool is_rug(const PlotCurve *c)
{
    return c->style == PLOT_TICKS && c->points->len > TICKS_AS_LINES;
}

/* The value at a share of a panel's height, near its lower edge. */
static double share_of(const PlotPanel *p, double share)
{
    if (p->is_log)
        return p->min * (1 + share * 2.5 * exactmath_log(p->max / p->min)); /* about (max/min)^share */
    return p->min + (p->max - p->min) * share;
}

static void write_curve_line(OutFile *out, const PlotPanel *p, const PlotCurve *c, unsigned index,
                             bool is_last)
{
    bool is_listed = *c->label && !c->is_unlisted;
    char *label = quoted(c->label);
    char using[160] = "1:2", look[120];
    unsigned clear = (unsigned)((1 - c->alpha) * 255 + 0.5);

    g_snprintf(look, sizeof(look), "lw %.2g lc rgb '#%02x%06x'%s", c->width, clear, c->rgb,
               c->is_dashed ? " dt (6,5)" : "");
    if (p->is_log) /* what is 0 stands on the axis */
        g_snprintf(using, sizeof(using), "1:($2>%.10g?$2:%.10g)", p->min, p->min);
    if (c->style == PLOT_BARS)
        g_strlcpy(using, "1:2:(0):($3-$2)", sizeof(using));
    else if (c->style == PLOT_FILL && p->is_log)
        g_snprintf(using, sizeof(using), "1:($2>%.10g?$2:%.10g):($3>%.10g?$3:%.10g)", p->min, p->min, p->min,
                   p->min);
    else if (c->style == PLOT_FILL)
        g_strlcpy(using, "1:2:3", sizeof(using));
    else if (is_rug(c))
        g_snprintf(using, sizeof(using), "1:(%.10g):(0):(%.10g)", p->min, share_of(p, 0.04) - p->min);
    else if (c->style == PLOT_TICKS)
        g_snprintf(using, sizeof(using), "1:(%.10g)", share_of(p, 0.025));
    else if (c->style == PLOT_SPANS)
        g_snprintf(using, sizeof(using), "1:(%.10g):1:2:(%.10g):(%.10g)", p->min, p->min, p->max);
    if (c->style == PLOT_FILL || c->style == PLOT_SPANS)
        g_snprintf(look, sizeof(look), "fs transparent solid %.2g noborder fc rgb '#%06x'", c->alpha, c->rgb);
    else if (c->style == PLOT_DOTS)
        g_snprintf(look, sizeof(look), "pt 7 ps %.2g lc rgb '#%02x%06x'", c->width / 5, clear, c->rgb);
    else if (is_rug(c))
        g_snprintf(look, sizeof(look), "lw 0.8 lc rgb '#%06x'", c->rgb);
    else if (c->style == PLOT_CROSSES || c->style == PLOT_TICKS)
        g_snprintf(look, sizeof(look), "pt 2 ps %s lw 1.5 lc rgb '#%06x'",
                   c->style == PLOT_TICKS           ? "0.5"
                   : c->points->len > CROSSES_LARGE ? "0.4"
                                                    : "0.8",
                   c->rgb);
    outfile_printf(out, "  data index %u using %s with %s %s %s%s%s\n", index, using,
                   is_rug(c) ? "vectors nohead" : style_of(c), look, is_listed ? "title " : "notitle",
                   is_listed ? label : "", is_last ? "" : ", \\");
    g_free(label);
}

/* The index of the first curve of the panel in the data; NULL: no curve has points. */
static unsigned count_curves(const PlotPanel *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->curves->len; i++)
        n += ((const PlotCurve *)p->curves->pdata[i])->points->len > 0;
    return n;
}

/* The words stand in the first panel, on three levels, so that neighbours do not meet. */
static void write_notes(OutFile *out, const PlotFigure *f, bool with_text)
{
    for (unsigned i = 0; i < f->notes->len; i++) {
        const PlotFigureNote *note = &g_array_index(f->notes, PlotFigureNote, i);
        bool is_right = note->x > f->min + (f->max - f->min) * 0.75;
        char *text = quoted(note->text);

        outfile_printf(out,
                       "set arrow %u from first %.10g, graph 0 to first %.10g, graph 1 nohead lw 1 dt (3,4) "
                       "lc rgb '#666666'\n",
                       i + 1, note->x, note->x);
        if (with_text)
            outfile_printf(
                out,
                "set label %u %s at first %.10g, graph %.2f %s offset %s,0 font small tc rgb '#333333'\n",
                i + 10, text, note->x, 0.95 - 0.07 * (i % 3), is_right ? "right" : "left",
                is_right ? "-0.6" : "0.6");
        g_free(text);
    }
}

static void write_level(OutFile *out, const PlotFigure *f, const PlotPanel *p, unsigned i, const Layout *l)
{
    const PlotFigureNote *level = &g_array_index(p->levels, PlotFigureNote, i);
    double width =
        textwidth_sans(level->text, false) * SUBTITLE_SIZE * l->k / 1000 / (l->width - l->left - l->right);
    PlotPlace place = plotplace_level(f, p, level->x, width, SUBTITLE_SIZE * 1.3 * l->k / l->panel);
    char *text = quoted(level->text);

    outfile_printf(out,
                   "set arrow %u from graph 0, first %.10g to graph 1, first %.10g nohead lw 1 dt (8,5) "
                   "lc rgb '#666666'\n",
                   i + 1000, level->x, level->x);
    outfile_printf(out,
                   "set label %u %s at graph %.2f, first %.10g %s offset 0,%s font small tc rgb '#333333'\n",
                   i + 1000, text, place.at, level->x,
                   place.align == 'r'   ? "right"
                   : place.align == 'c' ? "center"
                                        : "left",
                   place.is_above ? "0.5" : "-0.6");
    g_free(text);
}

/* In a low panel the short name. */
static char *axis_of(const PlotPanel *p, const Layout *l)
{
    const char *unit = strstr(p->axis, " (");

    return textwidth_columns(p->axis) * LETTER * l->k <= l->panel * 1.15
               ? g_strdup(p->axis)
               : g_strconcat(p->axis_short, unit ? unit : "", NULL);
}

/* 1, 2, 5, 10 …, or powers of ten where those would be too many. */
static void write_log_tics(OutFile *out, char axis, double min, double max, double room)
{
    unsigned n = 0;

    for (double v = min; v <= max * 1.000001; v = plot_log_next(v))
        n++;
    outfile_printf(out, "set %ctics (", axis);
    for (double v = min; v <= max * 1.000001; v = plot_log_next(v)) {
        bool is_power = plot_log_next(v) / v < 2.2 && plot_log_next(plot_log_next(v)) / v > 4.5;

        outfile_printf(out, "%s%s %.10g", v > min ? ", " : "", is_power || n <= room ? "'%g'" : "''", v);
    }
    outfile_printf(out, ")\n");
}

static void write_panel(OutFile *out, const PlotFigure *f, unsigned i, const Layout *l, unsigned top,
                        unsigned first)
{
    const PlotPanel *p = f->panels->pdata[i];
    bool is_last = i + 1 == f->panels->len;
    unsigned n = count_curves(p);
    char *name = axis_of(p, l), *axis = quoted(name), *x_axis = quoted(is_last ? f->axis : "");
    double height = l->height, low = p->is_log ? 1 - 1e-7 : 1; /* gnuplot leaves out a mark at the very end */

    outfile_printf(out, "\nset tmargin at screen %.6f\nset bmargin at screen %.6f\n", 1 - top / height,
                   1 - (top + l->panel) / height);
    write_notes(out, f, i == 0);
    for (unsigned k = 0; k < p->levels->len; k++) {
        double y = g_array_index(p->levels, PlotFigureNote, k).x;

        if (y >= p->min && y <= p->max)
            write_level(out, f, p, k, l);
    }
    outfile_printf(out,
                   "set yrange [%.10g:%.10g]\nset label 3 %s at screen %.6f, graph 0.5 center rotate by 90 "
                   "tc rgb '#111111'\nset xlabel %s offset 0,0.2\n",
                   p->min * low, p->max, axis, (l->k < 1 ? 9.0 : 16.0) / l->width, x_axis);
    if (p->heading) {
        char *heading = quoted(p->heading);

        outfile_printf(out, "set label 4 %s at screen %.6f,%.6f left tc rgb '#111111'\n", heading,
                       l->left / l->width, 1 - (top - l->row * (rows_above(p, l) - 0.5)) / height);
        g_free(heading);
    }
    if (p->is_log) {
        outfile_printf(out, "set logscale y\n");
        write_log_tics(out, 'y', p->min, p->max, l->panel / (18 * l->k));
    }
    outfile_printf(out, "set format x '%s'\n", is_last ? "%g" : "");
    if (key_rows(p, l))
        outfile_printf(
            out, "set key at graph 1,1 right bottom horizontal Left reverse samplen 2 height 0.2 width 0\n");
    else
        outfile_printf(out, "unset key\n");
    if (n == 0)
        outfile_printf(out, "plot NaN notitle\n");
    else
        outfile_printf(out, "plot \\\n");
    for (unsigned k = 0; k < p->curves->len; k++) {
        const PlotCurve *c = p->curves->pdata[k];

        if (c->points->len)
            write_curve_line(out, p, c, first++, --n == 0);
    }
    outfile_printf(out, "unset label\nunset arrow\n%s",
                   p->is_log ? "unset logscale y\nset ytics autofreq\n" : "");
    g_free(name);
    g_free(axis);
    g_free(x_axis);
}

static void write_title(OutFile *out, unsigned id, const char *text, const char *font, double size,
                        const char *colour, unsigned down, const Layout *l)
{
    char *fit = fitting(text, l->width - l->left - l->right, size), *q = quoted(fit);

    outfile_printf(out, "set label %u %s at screen %.6f,%.6f left font %s tc rgb '%s'\n", id, q,
                   l->left / l->width, 1 - down / (double)l->height, font, colour);
    g_free(fit);
    g_free(q);
}

static void write_head(OutFile *out, const PlotFigure *f, const char *path, PlotFormat format,
                       const Layout *l)
{
    char *name = g_path_get_basename(path), *data = plotgnuplot_beside(name, ".tsv");
    char *script = plotgnuplot_beside(name, ".gp");
    char *q_name = quoted(name), *q_data = quoted(data);

    outfile_printf(out, "# Draws %s from %s: gnuplot %s\n", name, data, script);
    outfile_printf(out, "if (!exists(\"out\")) out = %s\ndata = %s\n\nset encoding utf8\n", q_name, q_data);
    write_terminal(out, f, format, l);
    outfile_printf(out, "set output out\n");
    outfile_printf(out, "set datafile separator '\\t'\nset border 3 lw 0.8 lc rgb '#444444'\n"
                        "set tics out nomirror scale 0.6 tc rgb '#333333'\n"
                        "set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back\n");
    outfile_printf(out, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", l->left / l->width,
                   1 - l->right / l->width);
    outfile_printf(out, "set xrange [%.10g:%.10g]\n", f->min, f->max);
    if (f->is_log) {
        outfile_printf(out, "set logscale x\n");
        write_log_tics(out, 'x', f->min, f->max, (l->width - l->left - l->right) / (50 * l->k));
    }
    if (!f->look.is_paper)
        write_title(out, 1, f->title, "large", TITLE_SIZE * l->k, "#111111", 20, l);
    if (!f->look.is_paper && f->subtitle)
        write_title(out, 2, f->subtitle, "small", SUBTITLE_SIZE * l->k, "#555555", 38, l);
    g_free(name);
    g_free(data);
    g_free(script);
    g_free(q_name);
    g_free(q_data);
}

static bool write_script(const PlotFigure *f, const char *path, PlotFormat format, const char *script,
                         GError **error)
{
    Layout l = lay_out(f);
    unsigned top = l.top, first = 0;
    OutFile *out = outfile_open(script, OUTFILE_WHOLE, error);

    if (!out)
        return false;
    write_head(out, f, path, format, &l);
    if (f->panels->len > 1)
        outfile_printf(out, "set multiplot\n");
    for (unsigned i = 0; i < f->panels->len; i++) {
        top += l.row * rows_above(f->panels->pdata[i], &l);
        write_panel(out, f, i, &l, top, first);
        first += count_curves(f->panels->pdata[i]);
        top += l.panel + l.gap;
    }
    if (f->panels->len > 1)
        outfile_printf(out, "unset multiplot\n");
    outfile_printf(out, "unset output\n");
    return outfile_close(out, error);
}

/* Of a size that the user chose. */
static bool has_room(const PlotFigure *f, const char *path, GError **error)
{
    Layout l = lay_out(f);

    if (!f->look.height || l.height >= l.least)
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s: %u pixels of height are too few for %u panel%s with %s legends; expected at least %u",
                path, l.height, f->panels->len, f->panels->len == 1 ? "" : "s",
                f->panels->len == 1 ? "its" : "their", l.least);
    return false;
}

bool plotgnuplot_write(const PlotFigure *f, const char *path, GError **error)
{
    char *data = plotgnuplot_beside(path, ".tsv"), *script = plotgnuplot_beside(path, ".gp");
    PlotFormat format = PLOT_SVG;
    bool ok;

    (void)!plotgnuplot_format(path, &format);
    ok = has_room(f, path, error) && write_data(f, data, error) &&
         write_script(f, path, format, script, error);
    g_free(data);
    g_free(script);
    return ok;
}
