#include "view/plot_gnuplot.h"

#include <string.h>

#include "sim/trace/outfile.h"

/* Sizes in pixels of a picture 800 wide. */
#define WIDTH 800
#define LEFT 74
#define RIGHT 22
#define TOP_TITLE 50
#define TOP_PLAIN 34
#define BOTTOM 60
#define GAP 20
#define KEY_ROW 20
#define PANEL_ALONE 300
#define PANEL_TWO 200
#define PANEL_MANY 150
#define LETTER 7.4 /* width of a letter in a legend, generously */
#define SAMPLE 46  /* of a line in it, with what is around it */

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

static unsigned key_rows(const PlotPanel *p)
{
    double width = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < p->curves->len; i++) {
        const PlotCurve *c = p->curves->pdata[i];

        if (*c->label && c->points->len) {
            width = HS_MAX(width, SAMPLE + LETTER * (double)g_utf8_strlen(c->label, -1));
            n++;
        }
    }
    if (n == 0)
        return 0;
    double columns =
        HS_MAX(1.0, (double)(unsigned)((WIDTH - LEFT - RIGHT) / width)); /* all are as wide as the widest */

    return (unsigned)(((double)n + columns - 1) / columns);
}

typedef struct Layout {
    unsigned height, panel, top;
} Layout;

static Layout lay_out(const PlotFigure *f)
{
    unsigned n = f->panels->len;
    Layout l = {.panel = n == 1   ? PANEL_ALONE
                         : n == 2 ? PANEL_TWO
                                  : PANEL_MANY,
                .top = f->subtitle ? TOP_TITLE : TOP_PLAIN};

    l.height = l.top + BOTTOM + n * l.panel + (n - 1) * GAP;
    for (unsigned i = 0; i < n; i++)
        l.height += KEY_ROW * key_rows(f->panels->pdata[i]);
    return l;
}

static void write_terminal(OutFile *out, PlotFormat format, const Layout *l)
{
    switch (format) {
    case PLOT_PNG:
        outfile_printf(
            out, "set terminal pngcairo size %u,%u noenhanced font 'Sans,10' background '#ffffff' rounded\n",
            WIDTH, l->height);
        break;
    case PLOT_PDF:
        outfile_printf(out,
                       "set terminal pdfcairo size %.2fin,%.2fin noenhanced font 'Sans,10' background "
                       "'#ffffff' rounded\n",
                       WIDTH / 100.0, l->height / 100.0);
        break;
    default:
        outfile_printf(
            out, "set terminal svg size %u,%u noenhanced font 'sans-serif,13' background '#ffffff' rounded\n",
            WIDTH, l->height);
    }
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

static void write_curve_line(OutFile *out, const PlotPanel *p, const PlotCurve *c, unsigned index,
                             bool is_last)
{
    char *label = quoted(c->label);
    char using[80] = "1:2", look[120];
    unsigned clear = (unsigned)((1 - c->alpha) * 255 + 0.5);

    g_snprintf(look, sizeof(look), "lw %.2g lc rgb '#%02x%06x'%s", c->width, clear, c->rgb,
               c->is_dashed ? " dt (6,5)" : "");
    if (c->style == PLOT_BARS)
        g_strlcpy(using, "1:2:(0):($3-$2)", sizeof(using));
    else if (c->style == PLOT_FILL)
        g_strlcpy(using, "1:2:3", sizeof(using));
    else if (c->style == PLOT_TICKS)
        g_snprintf(using, sizeof(using), "1:(%.10g)", p->min + (p->max - p->min) * 0.025);
    else if (c->style == PLOT_SPANS)
        g_snprintf(using, sizeof(using), "1:(%.10g):1:2:(%.10g):(%.10g)", p->min, p->min, p->max);
    if (c->style == PLOT_FILL || c->style == PLOT_SPANS)
        g_snprintf(look, sizeof(look), "fs transparent solid %.2g noborder fc rgb '#%06x'", c->alpha, c->rgb);
    else if (c->style == PLOT_DOTS)
        g_snprintf(look, sizeof(look), "pt 7 ps %.2g lc rgb '#%02x%06x'", c->width / 5, clear, c->rgb);
    else if (c->style == PLOT_CROSSES || c->style == PLOT_TICKS)
        g_snprintf(look, sizeof(look), "pt 2 ps %s lw 1.5 lc rgb '#%06x'",
                   c->style == PLOT_TICKS ? "0.5" : "0.8", c->rgb);
    outfile_printf(out, "  data index %u using %s with %s %s %s%s%s\n", index, using, style_of(c), look,
                   *c->label ? "title " : "notitle", *c->label ? label : "", is_last ? "" : ", \\");
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

static void write_panel(OutFile *out, const PlotFigure *f, unsigned i, const Layout *l, unsigned top,
                        unsigned first)
{
    const PlotPanel *p = f->panels->pdata[i];
    bool is_last = i + 1 == f->panels->len;
    unsigned n = count_curves(p);
    char *axis = quoted(p->axis), *x_axis = quoted(is_last ? f->axis : "");
    double height = l->height;

    outfile_printf(out, "\nset tmargin at screen %.6f\nset bmargin at screen %.6f\n", 1 - top / height,
                   1 - (top + l->panel) / height);
    write_notes(out, f, i == 0);
    outfile_printf(out,
                   "set yrange [%.10g:%.10g]\nset label 3 %s at screen %.6f, graph 0.5 center rotate by 90 "
                   "tc rgb '#111111'\nset xlabel %s offset 0,0.2\n",
                   p->min, p->max, axis, 16 / (double)WIDTH, x_axis);
    outfile_printf(out, "set format x '%s'\n", is_last ? "%g" : "");
    if (key_rows(p))
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
    g_free(axis);
    g_free(x_axis);
}

static void write_head(OutFile *out, const PlotFigure *f, const char *path, PlotFormat format,
                       const Layout *l)
{
    char *name = g_path_get_basename(path), *data = plotgnuplot_beside(name, ".tsv");
    char *script = plotgnuplot_beside(name, ".gp");
    char *q_name = quoted(name), *q_data = quoted(data), *title = quoted(f->title);
    double height = l->height;

    outfile_printf(out, "# Draws %s from %s: gnuplot %s\n", name, data, script);
    outfile_printf(out, "if (!exists(\"out\")) out = %s\ndata = %s\n\nset encoding utf8\n", q_name, q_data);
    write_terminal(out, format, l);
    outfile_printf(out, "large = ',%u'\nsmall = ',%u'\nset output out\n", format == PLOT_SVG ? 15 : 12,
                   format == PLOT_SVG ? 12 : 9);
    outfile_printf(out, "set datafile separator '\\t'\nset border 3 lw 0.8 lc rgb '#444444'\n"
                        "set tics out nomirror scale 0.6 tc rgb '#333333'\n"
                        "set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back\n");
    outfile_printf(out, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", LEFT / (double)WIDTH,
                   1 - RIGHT / (double)WIDTH);
    outfile_printf(out, "set xrange [%.10g:%.10g]\n", f->min, f->max);
    outfile_printf(out, "set label 1 %s at screen %.6f,%.6f left font large tc rgb '#111111'\n", title,
                   LEFT / (double)WIDTH, 1 - 20 / height);
    if (f->subtitle) {
        char *subtitle = quoted(f->subtitle);

        outfile_printf(out, "set label 2 %s at screen %.6f,%.6f left font small tc rgb '#555555'\n", subtitle,
                       LEFT / (double)WIDTH, 1 - 38 / height);
        g_free(subtitle);
    }
    g_free(name);
    g_free(data);
    g_free(script);
    g_free(q_name);
    g_free(q_data);
    g_free(title);
}

static bool write_script(const PlotFigure *f, const char *path, PlotFormat format, const char *script,
                         GError **error)
{
    OutFile *out = outfile_open(script, OUTFILE_WHOLE, error);
    Layout l = lay_out(f);
    unsigned top = l.top, first = 0;

    if (!out)
        return false;
    write_head(out, f, path, format, &l);
    if (f->panels->len > 1)
        outfile_printf(out, "set multiplot\n");
    for (unsigned i = 0; i < f->panels->len; i++) {
        top += KEY_ROW * key_rows(f->panels->pdata[i]);
        write_panel(out, f, i, &l, top, first);
        if (i == 0)
            outfile_printf(out, "unset label\n");
        first += count_curves(f->panels->pdata[i]);
        top += l.panel + GAP;
    }
    if (f->panels->len > 1)
        outfile_printf(out, "unset multiplot\n");
    outfile_printf(out, "unset output\n");
    return outfile_close(out, error);
}

bool plotgnuplot_write(const PlotFigure *f, const char *path, GError **error)
{
    char *data = plotgnuplot_beside(path, ".tsv"), *script = plotgnuplot_beside(path, ".gp");
    PlotFormat format = PLOT_SVG;
    bool ok;

    (void)!plotgnuplot_format(path, &format);
    ok = write_data(f, data, error) && write_script(f, path, format, script, error);
    g_free(data);
    g_free(script);
    return ok;
}
