#include "lab/sweep/sweep_plot.h"

#include <string.h>

#include "lab/run/gnuplot.h"
#include "sim/base/suggest.h"
#include "sim/trace/outfile.h"
#include "view/chart.h"
#include "view/plot_gnuplot.h"

/* A request, taken apart. */
typedef struct Request {
    char **ys;
    char *x;
    GPtrArray *by;                  /* names of axes; empty: all that are left */
    GPtrArray *fixed, *fixed_value; /* name, value */
    bool log_x, log_y;
    bool is_each;   /* a point is a run, not the mean over seeds */
    bool is_median; /* a point is a median, its bar from the 5th to the 95th percentile */
} Request;

static void clear_request(Request *r)
{
    g_strfreev(r->ys);
    g_free(r->x);
    if (r->by) {
        g_ptr_array_free(r->by, TRUE);
        g_ptr_array_free(r->fixed, TRUE);
        g_ptr_array_free(r->fixed_value, TRUE);
    }
}

static bool fail(GError **error, const char *request, const char *format, ...) HS_PRINTF(3, 4);

static bool fail(GError **error, const char *request, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list args;

    va_start(args, format);
    why = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--plot \"%s\": %s", request, why);
    return false;
}

static bool parse_item(Request *r, const char *request, const char *item, GError **error)
{
    const char *equals = strchr(item, '=');

    if (!strcmp(item, "each")) {
        r->is_each = true;
        return true;
    }
    if (!strcmp(item, "median")) {
        r->is_median = true;
        return true;
    }
    if (!equals || equals == item || !equals[1])
        return fail(error, request,
                    "cannot read \"%s\"; expected by=NAME, NAME=VALUE, each, median or log=x, log=y, log=xy",
                    item);
    if (g_str_has_prefix(item, "by=")) {
        g_ptr_array_add(r->by, g_strdup(equals + 1));
    } else if (g_str_has_prefix(item, "log=")) {
        if (strspn(equals + 1, "xy") != strlen(equals + 1))
            return fail(error, request, "\"%s\": expected log=x, log=y or log=xy", item);
        r->log_x = strchr(equals + 1, 'x') != NULL;
        r->log_y = strchr(equals + 1, 'y') != NULL;
    } else {
        g_ptr_array_add(r->fixed, g_strndup(item, (gsize)(equals - item)));
        g_ptr_array_add(r->fixed_value, g_strdup(equals + 1));
    }
    return true;
}

static bool parse(const char *request, Request *r, GError **error)
{
    g_auto(GStrv) items = g_strsplit(request, ",", -1);
    const char *colon = *items ? strchr(*items, ':') : NULL;

    *r = (Request){.by = g_ptr_array_new_with_free_func(g_free),
                   .fixed = g_ptr_array_new_with_free_func(g_free),
                   .fixed_value = g_ptr_array_new_with_free_func(g_free)};
    if (!colon || colon == *items || !colon[1])
        return fail(error, request, "expected Y:X, the names of two columns, as in goodput:loss");
    g_autofree char *ys = g_strndup(*items, (gsize)(colon - *items));

    r->ys = g_strsplit(ys, "+", -1);
    r->x = g_strdup(colon + 1);
    for (char **item = items + 1; *item; item++)
        if (!parse_item(r, request, *item, error))
            return false;
    return true;
}

bool sweep_plot_check(const char *request, const char *file, GError **error)
{
    Request r;
    bool ok = parse(request, &r, error);

    clear_request(&r);
    if (!ok)
        return false;
    if (!file || chart_format(file))
        return true;
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--plot-file: \"%s\" is no name of a picture; expected one that ends in .svg, .png or .pdf",
                file);
    return false;
}

/* ---- the request against what there is ---- */

typedef struct Plan {
    const SweepTable *t; /* NULL: there is only the grid */
    const SweepSpec *spec;
    const char *request;
    Request r;
    const SweepColumn *ys[16], *x;
    unsigned n_ys;
    unsigned left_out;  /* points that a logarithmic axis cannot show */
    bool is_by[64];     /* of the axes */
    int fixed_at[64];   /* the value's index; -1: any */
    GHashTable *groups; /* label -> number + 1; look-up only */
} Plan;

static const SweepColumn *find_column(Plan *p, const char *name, GError **error)
{
    const SweepColumn *c = sweep_table_column(p->t, name);
    GPtrArray *known = g_ptr_array_new();
    const char *close;
    char *list;

    for (unsigned i = 0; i < p->t->columns->len; i++)
        if (g_array_index(p->t->columns, SweepColumn, i).is_number)
            g_ptr_array_add(known, (void *)g_array_index(p->t->columns, SweepColumn, i).name);
    close = suggest_closest(name, (const char *const *)known->pdata, known->len);
    g_ptr_array_add(known, NULL);
    list = g_strjoinv(", ", (char **)known->pdata);
    if (!c && close)
        fail(error, p->request, "there is no column \"%s\" (did you mean \"%s\"?)", name, close);
    else if (!c)
        fail(error, p->request, "there is no column \"%s\": there are %s", name, list);
    g_free(list);
    g_ptr_array_free(known, TRUE);
    return c;
}

static bool find_axis(const Plan *p, const char *name, unsigned *out, GError **error)
{
    const GPtrArray *axes = p->spec->axes;
    g_autofree const char **known = g_new(const char *, axes->len + 1);
    const char *closest;

    for (*out = 0; *out < axes->len; (*out)++) {
        known[*out] = ((const SweepAxis *)axes->pdata[*out])->name;
        if (!strcmp(known[*out], name))
            return true;
    }
    closest = suggest_closest(name, known, axes->len);
    return closest
               ? fail(error, p->request, "\"%s\" is no axis of the grid; did you mean \"%s\"?", name, closest)
               : fail(error, p->request, "\"%s\" is no axis of the grid", name);
}

/* 100ms is 0.1s. */
static bool is_same_value(const char *a, const char *b)
{
    const char *unit_a, *unit_b;
    double x, y;

    return !strcmp(a, b) || (sweep_table_parse(a, &x, &unit_a) && sweep_table_parse(b, &y, &unit_b) &&
                             !strcmp(unit_a, unit_b) && x == y);
}

static bool fix(Plan *p, GError **error)
{
    for (unsigned i = 0; i < p->r.fixed->len; i++) {
        const char *value = p->r.fixed_value->pdata[i];
        unsigned axis = 0, at = 0;

        if (!find_axis(p, p->r.fixed->pdata[i], &axis, error))
            return false;
        const SweepAxis *a = p->spec->axes->pdata[axis];

        while (at < a->values->len && strcmp(a->values->pdata[at], value) != 0 &&
               !is_same_value(a->shown->pdata[at], value))
            at++;
        if (at == a->values->len)
            return fail(error, p->request, "the grid has no %s=%s", a->name, value);
        p->fixed_at[axis] = (int)at;
    }
    return true;
}

/* Every axis is the x axis, is fixed, makes lines, or is what a line follows. */
static bool divide(Plan *p, GError **error)
{
    const GPtrArray *axes = p->t->spec->axes;
    unsigned along = 0;

    for (unsigned i = 0; i < p->r.by->len; i++) {
        unsigned axis = 0;

        if (!find_axis(p, p->r.by->pdata[i], &axis, error))
            return false;
        p->is_by[axis] = true;
    }
    for (unsigned i = 0; i < axes->len; i++) {
        const SweepAxis *a = axes->pdata[i];

        if (p->x->axis == (int)i || p->fixed_at[i] >= 0 || p->is_by[i] || a->values->len == 1)
            continue;
        if (p->x->axis < 0 && along++ == 0)
            continue;
        if (p->r.by->len && p->r.is_each) /* its runs are points like others */
            continue;
        if (p->r.by->len)
            return fail(error, p->request,
                        "the grid has an axis \"%s\", too: add by=%s, or take one value: %s=%s", a->name,
                        a->name, a->name, (char *)a->shown->pdata[0]);
        p->is_by[i] = true;
    }
    return true;
}

static bool make_plan(Plan *p, GError **error)
{
    if (p->r.is_each && p->r.is_median)
        return fail(error, p->request, "a single run has no median: expected each or median");
    for (unsigned i = 0; i < G_N_ELEMENTS(p->fixed_at); i++)
        p->fixed_at[i] = -1;
    if (p->t->spec->axes->len > G_N_ELEMENTS(p->is_by) || g_strv_length(p->r.ys) > G_N_ELEMENTS(p->ys))
        return fail(error, p->request, "there are more columns than a picture can show");
    for (char **y = p->r.ys; *y; y++) {
        p->ys[p->n_ys] = find_column(p, *y, error);
        if (!p->ys[p->n_ys])
            return false;
        if (!p->ys[p->n_ys]->is_number)
            return fail(error, p->request, "column \"%s\" has no numbers", *y);
        p->n_ys++;
    }
    p->x = find_column(p, p->r.x, error);
    if (!p->x)
        return false;
    /* No mean over seeds is of one seed. */
    if (!strcmp(p->x->name, "run") || !strcmp(p->x->name, "seed"))
        p->r.is_each = true;
    if (!p->x->is_number && p->x->axis < 0)
        return fail(error, p->request, "column \"%s\" has no numbers", p->x->name);
    if (!p->x->is_number && p->r.log_x)
        return fail(error, p->request, "\"%s\" has values that are no numbers: no log=x", p->x->name);
    return fix(p, error) && divide(p, error);
}

/* ---- the chart ---- */

static bool is_wanted(const Plan *p, unsigned point)
{
    for (unsigned i = 0; i < p->t->spec->axes->len; i++)
        if (p->fixed_at[i] >= 0 && sweep_spec_at(p->t->spec, point, i) != (unsigned)p->fixed_at[i])
            return false;
    return true;
}

static char *group_label(const Plan *p, unsigned point)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < p->t->spec->axes->len; i++) {
        const SweepAxis *a = p->t->spec->axes->pdata[i];

        if (p->is_by[i])
            g_string_append_printf(out, "%s%s = %s", out->len ? ", " : "", a->name,
                                   (char *)a->shown->pdata[sweep_spec_at(p->t->spec, point, i)]);
    }
    return g_string_free(out, FALSE);
}

static ChartSeries *series_of(Plan *p, Chart *c, unsigned point, unsigned y)
{
    g_autofree char *label = group_label(p, point);
    g_autofree char *key = g_strdup_printf("%u %s", y, label);
    unsigned at = GPOINTER_TO_UINT(g_hash_table_lookup(p->groups, key));

    if (at)
        return c->series->pdata[at - 1];
    unsigned group = 0;

    for (unsigned i = 0; i < c->series->len; i++) {
        const ChartSeries *s = c->series->pdata[i];

        group = strcmp(s->label, label) == 0 ? s->group : HS_MAX(group, s->group + 1);
        if (strcmp(s->label, label) == 0)
            break;
    }
    g_hash_table_insert(p->groups, g_steal_pointer(&key), GUINT_TO_POINTER(c->series->len + 1));
    return chart_add_series(c, label, group, y > 0);
}

static void middle_of(const Plan *p, const StatsSummary *s, double *value, double *low, double *high)
{
    *value = p->r.is_median ? s->median : s->mean;
    *low = p->r.is_median ? s->p5 : s->n > 1 ? s->low : s->mean;
    *high = p->r.is_median ? s->p95 : s->n > 1 ? s->high : s->mean;
}

static bool x_of(const Plan *p, unsigned point, ChartPoint *out)
{
    StatsSummary s;
    unsigned missing, first = point * p->t->spec->seeds->len;

    if (p->x->kind == SWEEP_PARAM && !p->x->is_number) {
        out->x = sweep_spec_at(p->t->spec, point, (unsigned)p->x->axis);
    } else if (p->x->kind == SWEEP_PARAM) {
        if (!sweep_table_number(p->t, first, p->x, &out->x))
            return false;
    } else {
        sweep_table_summarize(p->t, point, p->x, &s, &missing);
        if (s.n == 0)
            return false;
        middle_of(p, &s, &out->x, &out->x_low, &out->x_high);
        return true;
    }
    out->x_low = out->x_high = out->x;
    return true;
}

static void insert(Plan *p, Chart *c, unsigned point, unsigned y, const ChartPoint *new)
{
    ChartPoint at = *new;
    ChartSeries *series;

    if ((p->r.log_x && at.x <= 0) || (p->r.log_y && at.y <= 0)) {
        p->left_out++;
        return;
    }
    series = series_of(p, c, point, y);
    unsigned i = series->points->len;

    /* A line over a parameter goes from left to right; over a result it follows the grid. */
    while (p->x->kind == SWEEP_PARAM && i > 0 && g_array_index(series->points, ChartPoint, i - 1).x > at.x)
        i--;
    g_array_insert_val(series->points, i, at);
}

static void add_mean(Plan *p, Chart *c, unsigned point, unsigned y)
{
    ChartPoint at = {0};
    StatsSummary s;
    unsigned missing;

    sweep_table_summarize(p->t, point, p->ys[y], &s, &missing);
    if (s.n == 0 || !x_of(p, point, &at))
        return;
    middle_of(p, &s, &at.y, &at.y_low, &at.y_high);
    insert(p, c, point, y, &at);
}

static void add_runs(Plan *p, Chart *c, unsigned point, unsigned y)
{
    unsigned seeds = p->t->spec->seeds->len;

    for (unsigned run = point * seeds; run < (point + 1) * seeds; run++) {
        ChartPoint at = {0};
        bool ok = p->x->is_number ? sweep_table_number(p->t, run, p->x, &at.x) : x_of(p, point, &at);

        if (!ok || !sweep_table_number(p->t, run, p->ys[y], &at.y))
            continue;
        at.x_low = at.x_high = at.x;
        at.y_low = at.y_high = at.y;
        insert(p, c, point, y, &at);
    }
}

static void add_point(Plan *p, Chart *c, unsigned point, unsigned y)
{
    (p->r.is_each ? add_runs : add_mean)(p, c, point, y);
}

/* Points of several lines over one category stand side by side. */
static void dodge(Chart *c)
{
    unsigned groups = 0;

    for (unsigned i = 0; i < c->series->len; i++)
        groups = HS_MAX(groups, ((const ChartSeries *)c->series->pdata[i])->group + 1);
    for (unsigned i = 0; i < c->series->len; i++) {
        const ChartSeries *s = c->series->pdata[i];
        double shift = 0.5 * (s->group - (groups - 1) / 2.0) / groups;

        for (unsigned k = 0; k < s->points->len; k++) {
            ChartPoint *at = &g_array_index(s->points, ChartPoint, k);

            at->x += shift;
            at->x_low = at->x_high = at->x;
        }
    }
}

static char *capital(const char *text)
{
    char *copy = g_strdup(text);

    *copy = g_ascii_toupper(*copy);
    return copy;
}

static char *title_of(const Plan *p)
{
    g_autofree char *y = capital(p->ys[0]->help);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s against %s", y, p->x->help);
    for (unsigned i = 0; i < p->t->spec->axes->len; i++) {
        const SweepAxis *a = p->t->spec->axes->pdata[i];

        if (p->x->axis != (int)i && (p->fixed_at[i] >= 0 || a->values->len == 1))
            g_string_append_printf(out, ", %s = %s", a->name,
                                   (char *)a->shown->pdata[HS_MAX(p->fixed_at[i], 0)]);
    }
    return g_string_free(out, FALSE);
}

static char *subtitle_of(const Plan *p)
{
    unsigned seeds = p->t->spec->seeds->len;
    const char *what =
        p->r.is_median ? "medians, 5th to 95th percentile," : "means and 95 % confidence intervals";
    g_autofree char *name = g_path_get_basename(p->t->spec->scenario);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s: ", name);
    if (p->r.is_each)
        g_string_append(out, "every run a point");
    else if (sweep_table_has_batches(p->t, p->ys[0]))
        g_string_append_printf(out, "%s of %u batch means each", what, p->t->batches * seeds);
    else if (seeds == 1)
        g_string_append(out, "one run each");
    else
        g_string_append_printf(out, "%s over %u seeds", what, seeds);
    if (p->left_out)
        g_string_append_printf(out, "; %u point%s at 0 left out", p->left_out, p->left_out == 1 ? "" : "s");
    return g_string_free(out, FALSE);
}

static void set_axis(ChartAxis *a, const SweepColumn *c, bool is_log)
{
    a->label = c->kind == SWEEP_PARAM ? g_strdup(c->help) : capital(c->help);
    a->unit = g_strdup(c->unit);
    a->is_log = is_log;
}

static Chart *make_chart(Plan *p)
{
    Chart *c = chart_new();

    c->title = title_of(p);
    c->is_scatter = p->r.is_each;
    set_axis(&c->x, p->x, p->r.log_x);
    set_axis(&c->y, p->ys[0], p->r.log_y);
    if (p->n_ys > 1)
        c->reference = g_strdup(p->n_ys == 2 ? p->ys[1]->help : "to compare with");
    if (!p->x->is_number) {
        const GPtrArray *shown = ((const SweepAxis *)p->t->spec->axes->pdata[p->x->axis])->shown;

        c->x.categories = g_ptr_array_new_with_free_func(g_free);
        for (unsigned i = 0; i < shown->len; i++)
            g_ptr_array_add(c->x.categories, g_strdup(shown->pdata[i]));
    }
    for (unsigned y = 0; y < p->n_ys; y++)
        for (unsigned point = 0; point < sweep_spec_points(p->t->spec); point++)
            if (is_wanted(p, point))
                add_point(p, c, point, y);
    if (c->x.categories)
        dodge(c);
    c->subtitle = subtitle_of(p);
    return c;
}

/* What a file's name can hold of the request. */
static char *default_name(const Request *r, bool says_each)
{
    GString *out = g_string_new(NULL);

    for (char **y = r->ys; *y; y++)
        g_string_append_printf(out, "%s-", *y);
    g_string_append(out, r->x);
    for (unsigned i = 0; i < r->fixed->len; i++)
        g_string_append_printf(out, "-%s-%s", (char *)r->fixed->pdata[i], (char *)r->fixed_value->pdata[i]);
    if (says_each)
        g_string_append(out, "-each");
    if (r->is_median)
        g_string_append(out, "-median");
    g_strcanon(out->str, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.%", '_');
    g_string_append(out, ".svg");
    return g_string_free(out, FALSE);
}

/* names: those of the pictures before. */
static bool check_request(const SweepSpec *spec, const char *request, GHashTable *names, GError **error)
{
    Plan p = {.spec = spec, .request = request};
    unsigned axis, i;
    bool ok = parse(request, &p.r, error);

    for (i = 0; i < G_N_ELEMENTS(p.fixed_at); i++)
        p.fixed_at[i] = -1;
    ok = ok && (spec->axes->len <= G_N_ELEMENTS(p.fixed_at) ||
                fail(error, request, "there are more columns than a picture can show"));
    ok = ok && fix(&p, error);
    for (i = 0; ok && i < p.r.by->len; i++)
        ok = find_axis(&p, p.r.by->pdata[i], &axis, error);
    if (ok) {
        char *name = default_name(&p.r, p.r.is_each);

        ok = g_hash_table_add(names, name) ||
             fail(error, request,
                  "two files would be called %s; expected --plot-file, and a sweep --from "
                  "this one for the other picture",
                  name);
    }
    clear_request(&p.r);
    return ok;
}

bool sweep_plot_check_grid(const SweepSpec *spec, const GPtrArray *requests, const char *file, GError **error)
{
    static const char *const ends[] = {".tsv", ".gp"};
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (unsigned i = 0; i < requests->len; i++)
        if (!check_request(spec, requests->pdata[i], names, error))
            return false;
    if (file && !outfile_check(file, error))
        return false;
    for (unsigned i = 0; file && i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *path = plotgnuplot_beside(file, ends[i]);

        if (!outfile_check(path, error))
            return false;
    }
    return true;
}

char *sweep_plot(const SweepTable *t, const char *request, const char *dir, const char *file, GError **error)
{
    Plan p = {.t = t,
              .spec = t->spec,
              .request = request,
              .groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    char *path = NULL, *script = NULL;
    bool ok = parse(request, &p.r, error) && make_plan(&p, error);

    if (ok) {
        g_autofree char *name = default_name(&p.r, p.r.is_each && p.x->kind != SWEEP_FIXED);
        Chart *c = make_chart(&p);

        path = file ? g_strdup(file) : g_build_filename(dir, name, NULL);
        ok = c->series->len > 0 || fail(error, request, "no run has values for it");
        ok = ok && chart_write(c, path, &script, error) && gnuplot_draw(script, path, error);
        chart_free(c);
    }
    g_hash_table_destroy(p.groups);
    clear_request(&p.r);
    g_free(script);
    if (!ok)
        g_clear_pointer(&path, g_free);
    return path;
}
