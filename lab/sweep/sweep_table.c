#include "lab/sweep/sweep_table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/base/units.h"
#include "sim/trace/eventlog_json.h"

static const SweepColumn before[] = {{"run", "", "number of the run", SWEEP_FIXED, -1, true},
                                     {"seed", "", "seed", SWEEP_FIXED, -1, true}};
static const SweepColumn between[] = {
    {"status", "", "how the run ended", SWEEP_FIXED, -1, false},
    {"events", "", "events", SWEEP_FIXED, -1, true},
    {"seconds", "s", "simulated time", SWEEP_FIXED, -1, true},
    {"frames_sent", "", "frames sent", SWEEP_FIXED, -1, true},
    {"frames_delivered", "", "frames delivered", SWEEP_FIXED, -1, true},
    {"frames_lost", "", "frames lost on the way", SWEEP_FIXED, -1, true},
    {"expectations_failed", "", "failed expectations", SWEEP_FIXED, -1, true}};
static const SweepColumn after[] = {{"detail", "", "what went wrong", SWEEP_FIXED, -1, false}};

/* ---- columns ---- */

static void add_param(SweepTable *t, const char *name)
{
    SweepColumn c = {.name = name, .unit = "", .help = name, .kind = SWEEP_PARAM, .axis = -1};

    if (sweep_table_column(t, name))
        return;
    for (unsigned i = 0; i < t->spec->axes->len; i++)
        if (!strcmp(((const SweepAxis *)t->spec->axes->pdata[i])->name, name))
            c.axis = (int)i;
    if (c.axis >= 0) {
        const GPtrArray *shown = ((const SweepAxis *)t->spec->axes->pdata[c.axis])->shown;
        double value;

        c.is_number = true;
        for (unsigned i = 0; i < shown->len; i++) {
            const char *unit;

            c.is_number = c.is_number && sweep_table_parse(shown->pdata[i], &value, &unit);
            if (c.is_number && *unit)
                c.unit = unit;
        }
    }
    g_array_append_val(t->columns, c);
}

SweepTable *sweep_table_new(const SweepSpec *spec, SweepRow *const *rows, unsigned batches)
{
    SweepTable *t = g_new0(SweepTable, 1);

    t->spec = spec;
    t->rows = rows;
    t->n_rows = sweep_spec_runs(spec);
    t->batches = batches;
    t->columns = g_array_new(FALSE, FALSE, sizeof(SweepColumn));
    g_array_append_vals(t->columns, before, G_N_ELEMENTS(before));
    for (unsigned r = 0; r < t->n_rows; r++) /* what only some runs declare comes last */
        for (unsigned i = 0; rows[r] && i < rows[r]->param_names->len; i++)
            add_param(t, rows[r]->param_names->pdata[i]);
    for (unsigned i = 0; i < spec->axes->len; i++)
        add_param(t, ((const SweepAxis *)spec->axes->pdata[i])->name);
    g_array_append_vals(t->columns, between, G_N_ELEMENTS(between));
    for (unsigned r = 0; r < t->n_rows; r++)
        for (unsigned i = 0; rows[r] && i < rows[r]->results->len; i++) {
            const SweepValue *v = rows[r]->results->pdata[i];
            const SweepColumn c = {v->name, v->unit, *v->help ? v->help : v->name, SWEEP_RESULT, -1, true};

            if (!sweep_table_column(t, v->name))
                g_array_append_val(t->columns, c);
        }
    g_array_append_vals(t->columns, after, G_N_ELEMENTS(after));
    return t;
}

void sweep_table_free(SweepTable *t)
{
    g_array_free(t->columns, TRUE);
    g_free(t);
}

const SweepColumn *sweep_table_column(const SweepTable *t, const char *name)
{
    for (unsigned i = 0; i < t->columns->len; i++) {
        const SweepColumn *c = &g_array_index(t->columns, SweepColumn, i);

        if (!strcmp(c->name, name))
            return c;
    }
    return NULL;
}

/* ---- cells ---- */

bool sweep_table_parse(const char *text, double *out, const char **unit)
{
    char *end;
    double value = g_ascii_strtod(text, &end);
    SimTime time;
    uint64_t n;

    *unit = "";
    if (*text && !*end && isfinite(value))
        *out = value;
    else if (units_parse_ratio(text, &value, NULL))
        *out = value;
    else if (units_parse_time(text, &time, NULL))
        *out = (double)time / 1e9, *unit = "s";
    else if (units_parse_rate(text, &n, NULL))
        *out = (double)n, *unit = "bit/s";
    else if (units_parse_size(text, &n, NULL))
        *out = (double)n, *unit = "byte";
    else
        return false;
    return true;
}

static const char *param_text(const SweepTable *t, unsigned run, const SweepColumn *c)
{
    const SweepRow *row = t->rows[run];

    if (c->axis >= 0) {
        const SweepAxis *a = t->spec->axes->pdata[c->axis];

        return a->shown->pdata[sweep_spec_at(t->spec, run / t->spec->seeds->len, (unsigned)c->axis)];
    }
    for (unsigned i = 0; row && i < row->param_names->len; i++)
        if (!strcmp(row->param_names->pdata[i], c->name))
            return row->param_values->pdata[i];
    return NULL;
}

static const SweepValue *result_of(const SweepRow *row, const char *name)
{
    for (unsigned i = 0; row && i < row->results->len; i++) {
        const SweepValue *v = row->results->pdata[i];

        if (!strcmp(v->name, name))
            return v->has_value ? v : NULL;
    }
    return NULL;
}

static bool fixed_number(const SweepTable *t, unsigned run, const char *name, double *out)
{
    const SweepRow *row = t->rows[run];
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"events", row ? (double)row->events : 0},    {"seconds", row ? (double)row->time / 1e9 : 0},
        {"frames_sent", row ? (double)row->sent : 0}, {"frames_delivered", row ? (double)row->delivered : 0},
        {"frames_lost", row ? (double)row->lost : 0}, {"expectations_failed", row ? row->failed : 0}};

    if (!strcmp(name, "run"))
        *out = run + 1;
    else if (!strcmp(name, "seed"))
        *out = (double)sweep_spec_seed(t->spec, run);
    else if (!row || !row->has_end)
        return false;
    else
        for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
            if (!strcmp(numbers[i].name, name)) {
                *out = numbers[i].value;
                return true;
            }
    return true;
}

bool sweep_table_number(const SweepTable *t, unsigned run, const SweepColumn *c, double *out)
{
    const SweepValue *v;
    const char *text, *unit;

    if (!c->is_number)
        return false;
    switch (c->kind) {
    case SWEEP_FIXED:
        return fixed_number(t, run, c->name, out);
    case SWEEP_PARAM:
        text = param_text(t, run, c);
        return text && sweep_table_parse(text, out, &unit);
    case SWEEP_RESULT:
        v = result_of(t->rows[run], c->name);
        if (v)
            *out = v->value;
        return v != NULL;
    }
    return false;
}

/* What would break a line or a column of the table. */
static char *one_line(const char *text)
{
    return g_strdelimit(g_strdup(*text ? text : "NA"), "\t\r\n", ' ');
}

char *sweep_table_text(const SweepTable *t, unsigned run, const SweepColumn *c)
{
    const SweepRow *row = t->rows[run];
    const char *param;
    double value;
    char text[40];

    if (!strcmp(c->name, "seed") && c->kind == SWEEP_FIXED) /* 64 bits are more than a double's digits */
        return g_strdup_printf("%" PRIu64, sweep_spec_seed(t->spec, run));
    if (c->kind == SWEEP_FIXED && !c->is_number)
        return one_line(!row ? "" : !strcmp(c->name, "status") ? row->status : row->detail);
    if (c->kind == SWEEP_PARAM) {
        param = param_text(t, run, c);
        return one_line(param ? param : "");
    }
    return g_strdup(sweep_table_number(t, run, c, &value) ? sweep_row_number(value, text, sizeof(text))
                                                          : "NA");
}

/* ---- statistics ---- */

static const GArray *samples_of(const SweepTable *t, unsigned run, const SweepColumn *c)
{
    const SweepValue *v = c->kind == SWEEP_RESULT && t->batches ? result_of(t->rows[run], c->name) : NULL;

    return v ? v->samples : NULL;
}

void sweep_table_summarize(const SweepTable *t, unsigned point, const SweepColumn *c, StatsSummary *out,
                           unsigned *missing)
{
    unsigned n_seeds = t->spec->seeds->len;
    GArray *values = g_array_new(FALSE, FALSE, sizeof(double));

    *missing = 0;
    for (unsigned run = point * n_seeds; run < (point + 1) * n_seeds; run++) {
        const GArray *samples = samples_of(t, run, c);
        unsigned n = values->len;
        double value;

        if (samples) {
            g_array_set_size(values, n + t->batches);
            n += stats_batch_means((const double *)samples->data, samples->len, t->batches,
                                   &g_array_index(values, double, n));
            g_array_set_size(values, n);
        } else if (sweep_table_number(t, run, c, &value)) {
            g_array_append_val(values, value);
        } else {
            ++*missing;
        }
    }
    stats_summarize((const double *)values->data, values->len, out);
    g_array_free(values, TRUE);
}

bool sweep_table_has_batches(const SweepTable *t, const SweepColumn *c)
{
    for (unsigned run = 0; run < t->n_rows; run++)
        if (samples_of(t, run, c))
            return true;
    return false;
}
