#include "view/chart.h"

#include <math.h>
#include <string.h>

#include "sim/trace/outfile.h"
#include "view/plot_figure.h"

#define GROUPS 7            /* of plot_colour, whose next is black */
#define LEGEND_INSIDE_MAX 8 /* more of them stand beside the picture */

static const unsigned marks[GROUPS] = {7, 5, 9, 13, 11, 4, 6};

/* Where there are more groups than colours they are steps of a scale, from dark to light: viridis (van der
 * Walt and Smith), without its yellow end. */
static const uint32_t spectrum[] = {0x440154, 0x46327e, 0x365c8d, 0x277f8e, 0x1fa187, 0x4ac16d, 0xa0da39};
#define MARKED_MAX 12 /* more lines have no marks */
#define LEGEND_MAX 12 /* and the legend names some of them only */

static unsigned count_groups(const Chart *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->series->len; i++)
        n = HS_MAX(n, ((const ChartSeries *)c->series->pdata[i])->group + 1);
    return n;
}

static void append_colour(GString *out, const Chart *c, const ChartSeries *s)
{
    unsigned n = count_groups(c), last = G_N_ELEMENTS(spectrum) - 1;
    uint32_t rgb = 0;

    if (n <= GROUPS) {
        g_string_append_printf(out, "rgb '#%06x'", plot_colour(s->group));
        return;
    }
    unsigned at = s->group * last * 256 / (n - 1), i = HS_MIN(at / 256, last - 1), part = at - 256 * i;

    for (unsigned shift = 0; shift <= 16; shift += 8) {
        unsigned a = spectrum[i] >> shift & 0xff, b = spectrum[i + 1] >> shift & 0xff;

        rgb |= (a * (256 - part) + b * part) / 256 << shift;
    }
    g_string_append_printf(out, "rgb '#%06x'", rgb);
}

/* Evenly chosen, the first and the last among them. */
static bool is_in_legend(const Chart *c, const ChartSeries *s)
{
    unsigned n = count_groups(c);
    unsigned step = n > LEGEND_MAX ? (n - 2) / (LEGEND_MAX - 1) + 1 : 1;

    return *s->label && !s->is_reference && (s->group % step == 0 || s->group == n - 1);
}

/* ---- making ---- */

static void free_series(gpointer p)
{
    ChartSeries *s = p;

    g_free(s->label);
    g_array_free(s->points, TRUE);
    g_free(s);
}

Chart *chart_new(void)
{
    Chart *c = g_new0(Chart, 1);

    c->series = g_ptr_array_new_with_free_func(free_series);
    return c;
}

static void clear_axis(ChartAxis *a)
{
    g_free(a->label);
    g_free(a->unit);
    if (a->categories)
        g_ptr_array_free(a->categories, TRUE);
}

void chart_free(Chart *c)
{
    if (!c)
        return;
    g_free(c->title);
    g_free(c->subtitle);
    g_free(c->reference);
    clear_axis(&c->x);
    clear_axis(&c->y);
    g_ptr_array_free(c->series, TRUE);
    g_free(c);
}

ChartSeries *chart_add_series(Chart *c, const char *label, unsigned group, bool is_reference)
{
    ChartSeries *s = g_new0(ChartSeries, 1);

    s->label = g_strdup(label);
    s->group = group;
    s->is_reference = is_reference;
    s->points = g_array_new(FALSE, FALSE, sizeof(ChartPoint));
    g_ptr_array_add(c->series, s);
    return s;
}

double chart_scale(const char *unit, double max, const char **prefix)
{
    static const struct {
        double factor;
        const char *prefix;
    } steps[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}};
    static const char *const units[] = {"bit/s", "B/s", "byte/s", "bit", "byte", "B", "s", "Hz", NULL};
    unsigned i = !strcmp(unit, "s") ? 3 : 0;

    *prefix = "";
    if (!g_strv_contains(units, unit) || !(max > 0))
        return 1;
    while (i + 1 < G_N_ELEMENTS(steps) && max < steps[i].factor)
        i++;
    *prefix = steps[i].prefix;
    return steps[i].factor;
}

/* ---- numbers ---- */

static void write_number(OutFile *f, double v)
{
    char text[40];

    outfile_printf(f, "\t%s", g_ascii_formatd(text, sizeof(text), "%.12g", v));
}

static void write_interval(OutFile *f, double low, double high)
{
    if (low < high) {
        write_number(f, low);
        write_number(f, high);
    } else {
        outfile_printf(f, "\tNA\tNA");
    }
}

static char *one_line(const char *text)
{
    return g_strdelimit(g_strdup(text), "\t\r\n", ' ');
}

static bool write_data(const Chart *c, const char *path, GError **error)
{
    OutFile *f = outfile_open(path, OUTFILE_WHOLE, error);

    if (!f)
        return false;
    outfile_printf(f, "series\tlabel\tx\tx_low\tx_high\ty\ty_low\ty_high\n");
    for (unsigned i = 0; i < c->series->len; i++) {
        const ChartSeries *s = c->series->pdata[i];
        g_autofree char *label = one_line(*s->label ? s->label : "all");

        for (unsigned k = 0; k < s->points->len; k++) {
            const ChartPoint *p = &g_array_index(s->points, ChartPoint, k);

            outfile_printf(f, "%u\t%s", i + 1, label);
            write_number(f, p->x);
            write_interval(f, p->x_low, p->x_high);
            write_number(f, p->y);
            write_interval(f, p->y_low, p->y_high);
            outfile_printf(f, "\n");
        }
    }
    return outfile_close(f, error);
}

/* ---- axes ---- */

typedef struct Range {
    double min, max; /* of what is to be seen */
    double positive; /* the least that a logarithmic axis can show */
    bool is_empty;
} Range;

static void widen(Range *r, double v)
{
    if (r->is_empty || v < r->min)
        r->min = v;
    if (r->is_empty || v > r->max)
        r->max = v;
    if (v > 0 && (r->positive == 0 || v < r->positive))
        r->positive = v;
    r->is_empty = false;
}

static Range range_of(const Chart *c, bool is_y)
{
    Range r = {.is_empty = true};

    for (unsigned i = 0; i < c->series->len; i++) {
        const ChartSeries *s = c->series->pdata[i];

        for (unsigned k = 0; k < s->points->len; k++) {
            const ChartPoint *p = &g_array_index(s->points, ChartPoint, k);

            widen(&r, is_y ? p->y : p->x);
            if (s->is_reference)
                continue;
            widen(&r, is_y ? p->y_high : p->x_high);
            /* On a logarithmic axis a bar down to nearly nothing would make the rest small: it is cut. */
            double value = is_y ? p->y : p->x, end = is_y ? p->y_low : p->x_low;

            if (!(is_y ? c->y : c->x).is_log || end > value / 10)
                widen(&r, end);
        }
    }
    if (r.is_empty)
        widen(&r, 0);
    return r;
}

/* "text", for a script. */
static void quote(GString *out, const char *text)
{
    g_autofree char *plain = one_line(text);

    g_string_append_c(out, '\'');
    for (const char *c = plain; *c; c++)
        g_string_append(out, *c == '\'' ? "''" : (char[]){*c, '\0'});
    g_string_append_c(out, '\'');
}

static void append_number(GString *out, double v)
{
    char text[40];

    g_string_append(out, g_ascii_formatd(text, sizeof(text), "%.9g", v));
}

static void append_range(GString *out, const char *name, const ChartAxis *a, const Range *r, double scale)
{
    double span = r->max - r->min, low = r->min, high = r->max;

    g_string_append_printf(out, "set %srange [", name);
    if (a->categories) {
        low = -0.5;
        high = a->categories->len - 0.5;
    } else if (a->is_log) {
        low = r->positive > 0 ? r->positive / 1.25 : 0.1;
        high = r->max > 0 ? r->max * 1.25 : 10;
    } else {
        if (span == 0)
            span = r->max != 0 ? fabs(r->max) : 1;
        /* Zero belongs to the picture unless everything happens far from it. */
        low = low >= 0 && low < 0.6 * high + (high == 0) ? (name[0] == 'x' && low == 0 ? -0.03 * span : 0)
                                                         : low - 0.06 * span;
        high = high <= 0 ? 0.06 * span : high + 0.06 * span;
    }
    append_number(out, low / scale);
    g_string_append_c(out, ':');
    append_number(out, high / scale);
    g_string_append(out, "]\n");
}

/* Up to so many marks on a logarithmic axis. */
#define LOG_TICS_MAX 9

/* The values of x itself, if a mark fits at each of them. */
static GArray *tics_at_values(const Chart *c)
{
    GArray *at = g_array_new(FALSE, FALSE, sizeof(double));
    bool fits = true;

    for (unsigned i = 0; i < c->series->len && fits; i++) {
        const ChartSeries *s = c->series->pdata[i];

        for (unsigned k = 0; k < s->points->len && fits; k++) {
            double v = g_array_index(s->points, ChartPoint, k).x;
            unsigned j = 0;

            while (j < at->len && g_array_index(at, double, j) < v)
                j++;
            if (j == at->len || g_array_index(at, double, j) != v)
                g_array_insert_val(at, j, v);
            fits = at->len <= LOG_TICS_MAX;
        }
    }
    for (unsigned j = 1; j < at->len && fits; j++)
        fits = g_array_index(at, double, j) >= 1.4 * g_array_index(at, double, j - 1);
    if (!fits)
        g_array_set_size(at, 0);
    return at;
}

/* At 1, 2 and 5 of every power of ten, or where that is too many at 1. */
static GArray *tics_round(const Range *r)
{
    static const double all[] = {1, 2, 5};
    GArray *at = g_array_new(FALSE, FALSE, sizeof(double));

    for (unsigned n = G_N_ELEMENTS(all); n > 0; n -= 2) {
        g_array_set_size(at, 0);
        for (int power = -15; power <= 18; power++)
            for (unsigned i = 0; i < n; i++) {
                double v = all[i];

                for (int k = 0; k < power; k++)
                    v *= 10;
                for (int k = 0; k > power; k--)
                    v /= 10;
                if (v >= r->positive / 1.25 && v <= r->max * 1.25)
                    g_array_append_val(at, v);
            }
        if (at->len <= LOG_TICS_MAX)
            break;
    }
    return at;
}

static void append_log_tics(GString *out, const Chart *c, const char *name, const Range *r)
{
    GArray *at = *name == 'x' ? tics_at_values(c) : tics_round(r);

    if (*name == 'x' && at->len < 2) {
        g_array_free(at, TRUE);
        at = tics_round(r);
    }
    for (unsigned i = 0; i < at->len; i++) {
        if (i)
            g_string_append(out, ", ");
        else
            g_string_append_printf(out, "set %stics (", name);
        append_number(out, g_array_index(at, double, i));
    }
    g_string_append(out, at->len ? ")\n" : "");
    g_array_free(at, TRUE);
}

static double append_axis(GString *out, const Chart *c, const char *name, const ChartAxis *a, const Range *r)
{
    const char *prefix = "";
    double scale =
        a->is_log || a->categories ? 1 : chart_scale(a->unit, HS_MAX(fabs(r->max), fabs(r->min)), &prefix);
    g_autofree char *label =
        *a->unit ? g_strdup_printf("%s (%s%s)", a->label, prefix, a->unit) : g_strdup(a->label);
    const char *none;
    bool has_prefixes = *a->unit && chart_scale(a->unit, 1e6, &none) != 1;

    g_string_append_printf(out, "set %slabel ", name);
    quote(out, label);
    g_string_append(out, *name == 'x' ? " offset 0,0.4\n" : "\n");
    append_range(out, name, a, r, scale);
    if (a->categories) {
        g_string_append_printf(out, "set %stics (", name);
        for (unsigned i = 0; i < a->categories->len; i++) {
            g_string_append(out, i ? ", " : "");
            quote(out, a->categories->pdata[i]);
            g_string_append_printf(out, " %u", i);
        }
        g_string_append(out, ")\n");
    } else if (a->is_log) {
        g_string_append_printf(out, "set logscale %s\n", name);
        append_log_tics(out, c, name, r);
        g_string_append_printf(out, "set format %s \"%s\"\n", name, has_prefixes ? "%.0s %c" : "%g");
    }
    return scale;
}

/* ---- the script ---- */

static void append_title(GString *out, const Chart *c, bool is_svg)
{
    g_string_append(out, "set label 1 ");
    quote(out, c->title);
    g_string_append_printf(out, " at screen 0.105,0.96 left font ',%s' tc rgb '#111111'\nset label 2 ",
                           is_svg ? "15" : "11.5");
    quote(out, c->subtitle);
    g_string_append_printf(out, " at screen 0.105,0.924 left font ',%s' tc rgb '#555555'\n",
                           is_svg ? "12" : "9");
}

/* As other pictures look (plot_gnuplot.c). */
static void append_head(GString *out, const Chart *c, const char *path, const char *data)
{
    static const char *const terminals[][2] = {{"svg", "svg size 800,500 noenhanced font 'sans-serif,13'"},
                                               {"png", "pngcairo size 800,500 noenhanced font 'Sans,10'"},
                                               {"pdf", "pdfcairo size 8in,5in noenhanced font 'Sans,10'"}};
    bool is_beside = count_groups(c) > LEGEND_INSIDE_MAX;
    g_autofree char *stem = g_strndup(path, strlen(path) - 4);

    g_string_append_printf(out, "# Draws %s from %s: gnuplot %s.gp\nif (!exists(\"out\")) out = ", path, data,
                           stem);
    quote(out, path);
    g_string_append(out, "\ndata = ");
    quote(out, data);
    g_string_append(out, "\n\nset encoding utf8\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(terminals); i++)
        if (!strcmp(terminals[i][0], chart_format(path)))
            g_string_append_printf(out, "set terminal %s background '#ffffff' rounded\n", terminals[i][1]);
    g_string_append(out, "set output out\n"
                         "set datafile separator '\\t'\nset datafile missing 'NA'\n"
                         "set border 3 lw 0.8 lc rgb '#444444'\n"
                         "set tics out nomirror scale 0.6 tc rgb '#333333'\n"
                         "set grid lt 1 lw 0.6 lc rgb '#e2e2e2' back\nset bars 0.5\n"
                         "set lmargin at screen 0.105\nset tmargin at screen 0.88\n");
    g_string_append(out, is_beside ? "set key outside right top reverse Left samplen 2\n"
                                   : "set rmargin at screen 0.9725\n"
                                     "set key below center reverse Left samplen 2 spacing 1.2 height 0.6\n");
    append_title(out, c, !strcmp(chart_format(path), "svg"));
}

/* using (series == n ? column / scale : NaN) */
static void append_column(GString *out, unsigned series, unsigned column, double scale)
{
    g_string_append_printf(out, "($1==%u?$%u/", series + 1, column);
    append_number(out, scale);
    g_string_append(out, ":NaN)");
}

/* The end of a bar that a logarithmic axis cannot show is at its lower edge. */
static void append_low(GString *out, unsigned column, double scale, bool is_log, double edge)
{
    if (is_log) {
        g_string_append_printf(out, "($%u>", column);
        append_number(out, edge);
        g_string_append_printf(out, "?$%u:", column);
        append_number(out, edge);
        g_string_append(out, ")");
        return;
    }
    g_string_append_printf(out, "($%u/", column);
    append_number(out, scale);
    g_string_append(out, ")");
}

static bool has_interval(const ChartSeries *s, bool is_y)
{
    for (unsigned i = 0; i < s->points->len; i++) {
        const ChartPoint *p = &g_array_index(s->points, ChartPoint, i);

        if (is_y ? p->y_low < p->y_high : p->x_low < p->x_high)
            return true;
    }
    return false;
}

static void append_bars(GString *out, const Chart *c, unsigned i, bool is_y, const double scale[2],
                        double edge)
{
    const ChartSeries *s = c->series->pdata[i];
    unsigned first = is_y ? 7 : 4;

    if (s->is_reference || !has_interval(s, is_y))
        return;
    g_string_append(out, "  data using ");
    append_column(out, i, 3, scale[0]);
    g_string_append_c(out, ':');
    append_column(out, i, 6, scale[1]);
    g_string_append_c(out, ':');
    append_low(out, first, scale[is_y], is_y ? c->y.is_log : c->x.is_log, edge);
    g_string_append_printf(out, ":($%u/", first + 1);
    append_number(out, scale[is_y]);
    g_string_append_printf(out, ") with %s pt -1 lw 1.3 lc ", is_y ? "yerrorbars" : "xerrorbars");
    append_colour(out, c, s);
    g_string_append(out, " notitle, \\\n");
}

static void append_series(GString *out, const Chart *c, unsigned i, const double scale[2])
{
    const ChartSeries *s = c->series->pdata[i];
    unsigned mark = marks[s->group % GROUPS];
    bool is_marked = count_groups(c) <= MARKED_MAX;

    g_string_append(out, "  data using ");
    append_column(out, i, 3, scale[0]);
    g_string_append_c(out, ':');
    append_column(out, i, 6, scale[1]);
    if (s->is_reference)
        g_string_append(out, " with lines dt (8,6) lw 1.3");
    else if (c->x.categories || c->is_scatter)
        g_string_append_printf(out, " with points pt %u ps 0.9", mark);
    else if (is_marked)
        g_string_append_printf(out, " with linespoints pt %u ps 0.8 lw 1.8", mark);
    else
        g_string_append(out, " with lines lw 1.5");
    g_string_append(out, " lc ");
    append_colour(out, c, s);
    if (is_in_legend(c, s)) {
        g_string_append(out, " title ");
        quote(out, s->label);
    } else {
        g_string_append(out, " notitle");
    }
    g_string_append(out, ", \\\n");
}

static bool write_script(const Chart *c, const char *path, const char *data, const char *picture,
                         GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const Range x = range_of(c, false), y = range_of(c, true);
    double scale[2], edge[2] = {x.positive / 1.25, y.positive / 1.25};
    OutFile *f;

    append_head(out, c, picture, data);
    scale[0] = append_axis(out, c, "x", &c->x, &x);
    scale[1] = append_axis(out, c, "y", &c->y, &y);
    g_string_append(out, "plot \\\n");
    for (unsigned i = 0; i < c->series->len; i++) {
        append_bars(out, c, i, false, scale, edge[0]);
        append_bars(out, c, i, true, scale, edge[1]);
    }
    for (unsigned i = 0; i < c->series->len; i++)
        append_series(out, c, i, scale);
    if (c->reference) {
        g_string_append(out, "  NaN with lines dt (8,6) lw 1.3 lc rgb '#555555' title ");
        quote(out, c->reference);
        g_string_append_c(out, '\n');
    } else {
        g_string_append(out, "  NaN notitle\n");
    }
    f = outfile_open(path, OUTFILE_WHOLE, error);
    if (!f)
        return false;
    outfile_write(f, out->str, out->len);
    return outfile_close(f, error);
}

const char *chart_format(const char *path)
{
    static const char *const formats[] = {"svg", "png", "pdf"};
    const char *dot = strrchr(path, '.');

    for (unsigned i = 0; dot && i < G_N_ELEMENTS(formats); i++)
        if (!strcmp(dot + 1, formats[i]))
            return formats[i];
    return NULL;
}

bool chart_write(const Chart *c, const char *path, char **script, GError **error)
{
    g_autofree char *stem = g_strndup(path, strlen(path) - 4), *data = g_strconcat(stem, ".tsv", NULL);
    g_autofree char *data_name = g_path_get_basename(data), *picture = g_path_get_basename(path);

    hs_assert(chart_format(path));
    *script = g_strconcat(stem, ".gp", NULL);
    if (write_data(c, data, error) && write_script(c, *script, data_name, picture, error))
        return true;
    g_clear_pointer(script, g_free);
    return false;
}
