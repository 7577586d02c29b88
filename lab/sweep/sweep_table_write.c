/* The tables as text. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "lab/sweep/sweep_table.h"
#include "sim/trace/eventlog_json.h"
#include "view/chart.h"

#define COLUMN(t, i) (&g_array_index((t)->columns, SweepColumn, i))

static OutFile *open_in(const char *dir, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    return outfile_open(path, OUTFILE_WHOLE, error);
}

static bool write_runs_tsv(const SweepTable *t, const char *dir, GError **error)
{
    OutFile *f = open_in(dir, "runs.tsv", error);

    if (!f)
        return false;
    for (unsigned i = 0; i < t->columns->len; i++)
        outfile_printf(f, "%s%s", i ? "\t" : "", COLUMN(t, i)->name);
    for (unsigned run = 0; run < t->n_rows; run++)
        for (unsigned i = 0; i < t->columns->len; i++) {
            g_autofree char *text = sweep_table_text(t, run, COLUMN(t, i));

            outfile_printf(f, "%s%s", i ? "\t" : "\n", text);
        }
    outfile_printf(f, "\n");
    return outfile_close(f, error);
}

/* A number as it stands, if it is one in JSON's sense. */
static bool is_json_number(const char *text)
{
    const char *c = text + (*text == '-');
    char *end;

    if (!g_ascii_isdigit(*c) || (*c == '0' && g_ascii_isdigit(c[1])))
        return false;
    g_ascii_strtod(text, &end);
    return !*end && g_ascii_isdigit(end[-1]) && !strpbrk(text, "xX");
}

static bool write_runs_jsonl(const SweepTable *t, const char *dir, GError **error)
{
    OutFile *f = open_in(dir, "runs.jsonl", error);
    g_autoptr(GString) line = g_string_new(NULL);

    if (!f)
        return false;
    for (unsigned run = 0; run < t->n_rows; run++) {
        g_string_assign(line, "{");
        for (unsigned i = 0; i < t->columns->len; i++) {
            const SweepColumn *c = COLUMN(t, i);
            g_autofree char *text = sweep_table_text(t, run, c);

            if (i)
                g_string_append_c(line, ',');
            eventlog_json_string(line, c->name, strlen(c->name));
            g_string_append_c(line, ':');
            if (!strcmp(text, "NA"))
                g_string_append(line, "null");
            else if (is_json_number(text))
                g_string_append(line, text);
            else
                eventlog_json_string(line, text, strlen(text));
        }
        g_string_append(line, "}\n");
        outfile_write(f, line->str, line->len);
    }
    return outfile_close(f, error);
}

static void write_number(OutFile *f, bool is_there, double value)
{
    char text[40];

    outfile_printf(f, "\t%s", is_there ? g_ascii_formatd(text, sizeof(text), "%.12g", value) : "NA");
}

static void write_summary_row(OutFile *f, const SweepTable *t, unsigned point, const SweepColumn *c,
                              const char *method)
{
    StatsSummary s;
    unsigned missing;

    sweep_table_summarize(t, point, c, &s, &missing);
    for (unsigned i = 0; i < t->spec->axes->len; i++) {
        const SweepAxis *a = t->spec->axes->pdata[i];
        const char *value = a->shown->pdata[sweep_spec_at(t->spec, point, i)];

        outfile_printf(f, "%s\t", *value ? value : "NA");
    }
    outfile_printf(f, "%s\t%s\t%s\t%u\t%u", c->name, *c->unit ? c->unit : "1", method, s.n, missing);
    write_number(f, s.n > 0, s.mean);
    write_number(f, s.n > 1, s.sd);
    write_number(f, s.n > 0, s.median);
    write_number(f, s.n > 0, s.p5);
    write_number(f, s.n > 0, s.p25);
    write_number(f, s.n > 0, s.p75);
    write_number(f, s.n > 0, s.p95);
    write_number(f, s.n > 0, s.min);
    write_number(f, s.n > 0, s.max);
    write_number(f, s.n > 1, s.low);
    write_number(f, s.n > 1, s.high);
    outfile_printf(f, "\n");
}

static bool is_summarized(const SweepColumn *c)
{
    return c->kind == SWEEP_RESULT || (c->kind == SWEEP_FIXED && c->is_number &&
                                       strcmp(c->name, "run") != 0 && strcmp(c->name, "seed") != 0);
}

static bool write_summary(const SweepTable *t, const char *dir, GError **error)
{
    OutFile *f = open_in(dir, "summary.tsv", error);
    g_autofree char *batches = g_strdup_printf("batch means (%u)", t->batches);
    g_autofree bool *is_batched = g_new(bool, t->columns->len);

    if (!f)
        return false;
    for (unsigned i = 0; i < t->columns->len; i++)
        is_batched[i] = sweep_table_has_batches(t, COLUMN(t, i));
    for (unsigned i = 0; i < t->spec->axes->len; i++)
        outfile_printf(f, "%s\t", ((const SweepAxis *)t->spec->axes->pdata[i])->name);
    outfile_printf(f, "result\tunit\tmethod\tn\tmissing\tmean\tsd\tmedian\tp5\tp25\tp75\tp95\tmin\tmax\tci95_"
                      "low\tci95_high\n");
    for (unsigned point = 0; point < sweep_spec_points(t->spec); point++)
        for (int results = 1; results >= 0; results--)
            for (unsigned i = 0; i < t->columns->len; i++)
                if (is_summarized(COLUMN(t, i)) && (COLUMN(t, i)->kind == SWEEP_RESULT) == results)
                    write_summary_row(f, t, point, COLUMN(t, i), is_batched[i] ? batches : "replication");
    return outfile_close(f, error);
}

unsigned sweep_table_summary_rows(const SweepTable *t)
{
    unsigned n = 0;

    for (unsigned i = 0; i < t->columns->len; i++)
        n += is_summarized(COLUMN(t, i));
    return n * sweep_spec_points(t->spec);
}

bool sweep_table_write(const SweepTable *t, const char *dir, GError **error)
{
    return write_runs_tsv(t, dir, error) && write_runs_jsonl(t, dir, error) && write_summary(t, dir, error);
}

/* ---- to be read ---- */

/* One number of decimals for a column. */
static char *pretty_number(double value, double max, double scale)
{
    char text[40];
    double top = max / scale;
    const char *format = "%.3f";

    if (value == 0)
        return g_strdup("0");
    if (top >= 1e15 || top < 0.001)
        format = "%.4g";
    else if (top >= 10)
        format = top >= 1000 ? "%.0f" : top >= 100 ? "%.1f" : "%.2f";
    return g_strdup(g_ascii_formatd(text, sizeof(text), format, value / scale));
}

/* The cells of a column, its heading first. [7]: only 7 runs of the point have a value. */
static GPtrArray *pretty_column(const SweepTable *t, const SweepColumn *c, bool *is_partial)
{
    unsigned points = sweep_spec_points(t->spec);
    GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
    g_autofree StatsSummary *s = g_new(StatsSummary, points);
    g_autofree unsigned *missing = g_new(unsigned, points);
    double max = 0, scale;
    const char *prefix;

    for (unsigned p = 0; p < points; p++) {
        sweep_table_summarize(t, p, c, &s[p], &missing[p]);
        max = s[p].n ? HS_MAX(max, fabs(s[p].mean)) : max;
    }
    scale = chart_scale(c->unit, max, &prefix);
    g_ptr_array_add(cells,
                    *c->unit ? g_strdup_printf("%s (%s%s)", c->name, prefix, c->unit) : g_strdup(c->name));
    for (unsigned p = 0; p < points; p++) {
        g_autofree char *mean = s[p].n ? pretty_number(s[p].mean, max, scale) : g_strdup("NA");
        g_autofree char *half = s[p].n > 1 ? pretty_number(s[p].high - s[p].mean, max, scale) : NULL;

        g_autofree char *few =
            s[p].n && missing[p] ? g_strdup_printf(" [%u]", t->spec->seeds->len - missing[p]) : g_strdup("");

        *is_partial |= s[p].n && missing[p];
        g_ptr_array_add(cells,
                        half ? g_strdup_printf("%s ± %s%s", mean, half, few) : g_strconcat(mean, few, NULL));
    }
    return cells;
}

static GPtrArray *axis_column(const SweepTable *t, unsigned axis)
{
    const SweepAxis *a = t->spec->axes->pdata[axis];
    GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(cells, g_strdup(a->name));
    for (unsigned p = 0; p < sweep_spec_points(t->spec); p++)
        g_ptr_array_add(cells, g_strdup(a->shown->pdata[sweep_spec_at(t->spec, p, axis)]));
    return cells;
}

GString *sweep_table_pretty(const SweepTable *t, bool *is_partial)
{
    GPtrArray *columns = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    GString *out = g_string_new(NULL);
    bool has_results = false;

    *is_partial = false;

    for (unsigned i = 0; i < t->spec->axes->len; i++)
        g_ptr_array_add(columns, axis_column(t, i));
    for (unsigned i = 0; i < t->columns->len; i++)
        has_results |= COLUMN(t, i)->kind == SWEEP_RESULT;
    for (unsigned i = 0; i < t->columns->len; i++)
        if (is_summarized(COLUMN(t, i)) && (COLUMN(t, i)->kind == SWEEP_RESULT) == has_results)
            g_ptr_array_add(columns, pretty_column(t, COLUMN(t, i), is_partial));
    for (unsigned row = 0; row <= sweep_spec_points(t->spec); row++) {
        for (unsigned i = 0; i < columns->len; i++) {
            const GPtrArray *cells = columns->pdata[i];
            glong width = 0, len = g_utf8_strlen(cells->pdata[row], -1);

            for (unsigned k = 0; k < cells->len; k++)
                width = HS_MAX(width, g_utf8_strlen(cells->pdata[k], -1));
            g_string_append_printf(out, "%s%*s%s", i ? "   " : "", (int)(width - len), "",
                                   (const char *)cells->pdata[row]);
        }
        g_string_append_c(out, '\n');
    }
    g_ptr_array_free(columns, TRUE);
    return out;
}
