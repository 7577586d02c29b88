#include "lab/diff/diff_series.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/diff/diff_record.h"
#include "sim/base/suggest.h"
#include "sim/trace/eventlog.h"

#define ROWS 20

/* Short names for what is asked most. */
static const struct {
    const char *name, *event, *field;
} known[] = {
    {"cwnd", "tcp.cwnd", "cwnd"},         {"delivered", "tcp.cwnd", "delivered"},
    {"inflight", "tcp.cwnd", "inflight"}, {"lost", "tcp.cwnd", "lost"},
    {"queue", "queue.length", "packets"}, {"rto", "tcp.rtt", "rto_ms"},
    {"rtt", "tcp.rtt", "srtt_us"},        {"ssthresh", "tcp.cwnd", "ssthresh"},
    {"window", "tcp.window", "snd_wnd"},
};

typedef struct Sample {
    SimTime time;
    double value;
} Sample;

typedef struct Wanted {
    char *event, *field; /* of the log */
} Wanted;

/* One field at one place, on both sides. */
typedef struct Column {
    char *title;        /* "client connection 1 tcp.cwnd cwnd" */
    unsigned wanted;    /* which name asked for it */
    GArray *samples[2]; /* Sample */
} Column;

typedef struct Table {
    const DiffSeriesConfig *config;
    GPtrArray *wanted;    /* Wanted */
    GPtrArray *columns;   /* Column, in order of first appearance */
    GHashTable *by_title; /* look-up only */
    SimTime end;
} Table;

/* ---- names ---- */

static bool resolve(const char *word, Wanted *w)
{
    const char *dot = strrchr(word, '.');

    for (unsigned i = 0; i < HS_ARRAY_LEN(known); i++) {
        if (!strcmp(known[i].name, word)) {
            *w = (Wanted){g_strdup(known[i].event), g_strdup(known[i].field)};
            return true;
        }
    }
    if (!dot || dot == word || !dot[1] || !memchr(word, '.', (size_t)(dot - word)))
        return false;
    *w = (Wanted){g_strndup(word, (gsize)(dot - word)), g_strdup(dot + 1)};
    return true;
}

static char *unknown_name(const char *word)
{
    const char *names[HS_ARRAY_LEN(known)];
    const char *closest;

    for (unsigned i = 0; i < HS_ARRAY_LEN(known); i++)
        names[i] = known[i].name;
    closest = suggest_closest(word, names, HS_ARRAY_LEN(names));
    if (closest)
        return g_strdup_printf("\"%s\" is no series; did you mean \"%s\"?", word, closest);
    return g_strdup_printf(
        "\"%s\" is no series; expected cwnd, delivered, inflight, lost, queue, rto, rtt, ssthresh, "
        "window, or a field of a probe such as tcp.cwnd.cwnd",
        word);
}

static void free_wanted(gpointer wanted)
{
    g_free(((Wanted *)wanted)->event);
    g_free(((Wanted *)wanted)->field);
    g_free(wanted);
}

static GPtrArray *resolve_all(const char *names, char **error)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_wanted);
    char **words = g_strsplit(names, ",", -1);

    for (char **word = words; *word && !*error; word++) {
        Wanted w;

        if (resolve(g_strstrip(*word), &w))
            g_ptr_array_add(list, g_memdup2(&w, sizeof(w)));
        else
            *error = unknown_name(*word);
    }
    if (!list->len && !*error)
        *error = unknown_name("");
    g_strfreev(words);
    return list;
}

char *diff_series_check(const char *names)
{
    char *error = NULL;

    g_ptr_array_free(resolve_all(names, &error), TRUE);
    return error;
}

/* ---- reading ---- */

static Column *find_column(Table *t, unsigned wanted, const char *title)
{
    Column *c = g_hash_table_lookup(t->by_title, title);

    if (c)
        return c;
    c = g_new0(Column, 1);
    c->title = g_strdup(title);
    c->wanted = wanted;
    for (unsigned i = 0; i < 2; i++)
        c->samples[i] = g_array_new(FALSE, FALSE, sizeof(Sample));
    g_ptr_array_add(t->columns, c);
    g_hash_table_insert(t->by_title, c->title, c);
    return c;
}

/* At one instant the last report counts. */
static void add_sample(GArray *samples, SimTime time, double value)
{
    Sample s = {time, value};

    if (samples->len && g_array_index(samples, Sample, samples->len - 1).time == time)
        g_array_set_size(samples, samples->len - 1);
    g_array_append_val(samples, s);
}

static void take_record(Table *t, unsigned side, const EventlogMember *m)
{
    g_autofree char *node = diff_record_text(m, "node"), *point = diff_record_text(m, "point");
    g_autofree char *event = diff_record_text(m, "event"), *conn = diff_record_text(m, "conn");
    SimTime time = diff_record_time(m);

    if (t->config->place && !eventlog_matches(t->config->place, node, *point ? point : NULL))
        return;
    t->end = HS_MAX(t->end, time);
    for (unsigned i = 0; i < t->wanted->len; i++) {
        const Wanted *w = t->wanted->pdata[i];
        const char *value = strcmp(w->event, event) ? NULL : diff_record_member(m, w->field);
        g_autofree char *title = NULL;
        double number;
        char *end;

        if (!value)
            continue;
        number = g_ascii_strtod(value, &end);
        if (*end || end == value)
            continue;
        title = g_strdup_printf("%s%s%s%s%s %s %s", node, *point ? ":" : "", point,
                                *conn ? " connection " : "", conn, w->event, w->field);
        add_sample(find_column(t, i, title)->samples[side], time, number);
    }
}

static bool is_interesting(const Table *t, const char *line)
{
    for (unsigned i = 0; i < t->wanted->len; i++)
        if (strstr(line, ((const Wanted *)t->wanted->pdata[i])->event))
            return true;
    return false;
}

static bool read_log(Table *t, unsigned side, const char *path, GError **error)
{
    FILE *file = fopen(path, "re");
    char *line = NULL, *why = NULL;
    size_t room = 0;
    ssize_t n = 0;
    uint64_t number = 0;
    bool ok = file != NULL;

    while (ok && (n = getline(&line, &room, file)) > 0) {
        EventlogMember *m;

        number++;
        if (!is_interesting(t, line))
            continue;
        m = eventlog_json_read(line, line[n - 1] == '\n' ? (size_t)n - 1 : (size_t)n, &why);
        if (m)
            take_record(t, side, m);
        ok = m != NULL;
        g_free(m);
    }
    if (!file)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "cannot open %s: %s", path,
                    g_strerror(errno));
    else if (!ok)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "%s:%" PRIu64 ": not a record of an event log: %s", path, number, why);
    g_free(why);
    free(line);
    if (file)
        fclose(file);
    return ok;
}

/* ---- comparing ---- */

/* The value that counts at a time: the last one reported up to then. */
static double value_at(const GArray *samples, SimTime time, unsigned *from)
{
    while (*from < samples->len && g_array_index(samples, Sample, *from).time <= time)
        (*from)++;
    return *from ? g_array_index(samples, Sample, *from - 1).value : NAN;
}

static bool is_same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* False: it never differs. */
static bool first_difference(const Column *c, SimTime *when)
{
    unsigned at[2] = {0, 0};

    for (;;) {
        SimTime next = SIM_NEVER;

        for (unsigned i = 0; i < 2; i++)
            if (at[i] < c->samples[i]->len)
                next = HS_MIN(next, g_array_index(c->samples[i], Sample, at[i]).time);
        if (next == SIM_NEVER)
            return false;
        if (!is_same(value_at(c->samples[0], next, &at[0]), value_at(c->samples[1], next, &at[1]))) {
            *when = next;
            return true;
        }
    }
}

/* Over the time in which there is a value. */
static double mean(const GArray *samples, SimTime end)
{
    double sum = 0;
    SimTime begin;

    if (!samples->len)
        return NAN;
    begin = g_array_index(samples, Sample, 0).time;
    for (unsigned i = 0; i < samples->len; i++) {
        const Sample *s = &g_array_index(samples, Sample, i);
        SimTime until = i + 1 < samples->len ? s[1].time : end;

        sum += s->value * (double)(until - s->time);
    }
    return end > begin ? sum / (double)(end - begin) : g_array_index(samples, Sample, samples->len - 1).value;
}

/* 1, 2 or 5 times a power of ten, so that there are about ROWS rows. */
static SimTime nice_period(SimTime end)
{
    static const SimTime steps[] = {1, 2, 5};
    SimTime unit = 1;

    for (;; unit *= 10)
        for (unsigned i = 0; i < HS_ARRAY_LEN(steps); i++)
            if (end / (unit * steps[i]) <= ROWS)
                return unit * steps[i];
}

/* ---- printing ---- */

static void print_value(GString *out, double v, const char *format, const char *none)
{
    char text[40] = "";

    if (!isnan(v))
        g_snprintf(text, sizeof(text), "%.10g", v);
    g_string_append_printf(out, format, *text ? text : none);
}

static void print_column(GString *out, const Table *t, const Column *c, SimTime every)
{
    char time[SIMTIME_STR_LEN];
    unsigned at[2] = {0, 0};
    SimTime when;

    g_string_append_printf(out, "\n%s\n", c->title);
    if (!first_difference(c, &when)) {
        g_string_append_printf(out, "  the same on both sides\n");
        return;
    }
    g_string_append_printf(out, "  first differs at %s s\n", simtime_str(when, time));
    g_string_append_printf(out, "  %15s %14s %14s %14s\n", "time (s)", "a", "b", "b - a");
    for (SimTime now = 0; now <= t->end; now += every) {
        double a = value_at(c->samples[0], now, &at[0]), b = value_at(c->samples[1], now, &at[1]);

        if (isnan(a) && isnan(b))
            continue; /* not yet */
        g_string_append_printf(out, "  %15s", simtime_str(now, time));
        print_value(out, a, " %14s", "-");
        print_value(out, b, " %14s", "-");
        print_value(out, b - a, " %14s\n", "-");
    }
    g_string_append_printf(out, "  %15s %14.6g %14.6g %14.6g\n", "mean over time",
                           mean(c->samples[0], t->end), mean(c->samples[1], t->end),
                           mean(c->samples[1], t->end) - mean(c->samples[0], t->end));
}

static void print_tsv(GString *out, const Table *t, SimTime every)
{
    g_autofree unsigned *at = g_new0(unsigned, 2 * t->columns->len);
    char time[SIMTIME_STR_LEN];

    g_string_append_printf(out, "# time (s)");
    for (unsigned i = 0; i < t->columns->len; i++)
        for (unsigned side = 0; side < 2; side++)
            g_string_append_printf(out, "\t%c: %s", 'a' + (int)side,
                                   ((const Column *)t->columns->pdata[i])->title);
    g_string_append_printf(out, "\n");
    for (SimTime now = 0; now <= t->end; now += every) {
        g_string_append_printf(out, "%s", simtime_str(now, time));
        for (unsigned i = 0; i < t->columns->len; i++)
            for (unsigned side = 0; side < 2; side++)
                print_value(
                    out,
                    value_at(((const Column *)t->columns->pdata[i])->samples[side], now, &at[2 * i + side]),
                    "\t%s", "nan");
        g_string_append_printf(out, "\n");
    }
}

/* In the order of the names, and then of their appearance. */
static void order_columns(Table *t)
{
    GPtrArray *ordered = g_ptr_array_new();

    for (unsigned i = 0; i < t->wanted->len; i++)
        for (unsigned k = 0; k < t->columns->len; k++)
            if (((const Column *)t->columns->pdata[k])->wanted == i)
                g_ptr_array_add(ordered, t->columns->pdata[k]);
    memcpy(t->columns->pdata, ordered->pdata, ordered->len * sizeof(gpointer));
    g_ptr_array_free(ordered, TRUE);
}

static DiffResult print(GString *out, Table *t, const DiffSide side[2])
{
    SimTime every = t->config->every ? t->config->every : nice_period(t->end), when;
    DiffResult result = DIFF_SAME;

    for (unsigned i = 0; i < t->columns->len; i++)
        if (first_difference(t->columns->pdata[i], &when))
            result = DIFF_DIFFERENT;
    order_columns(t);
    if (t->config->quiet)
        return result;
    if (t->config->tsv) {
        print_tsv(out, t, every);
        return result;
    }
    g_string_append_printf(out, "a: %s\nb: %s\n", side[0].title, side[1].title);
    for (unsigned i = 0; i < t->columns->len; i++)
        print_column(out, t, t->columns->pdata[i], every);
    return result;
}

static void free_column(gpointer column)
{
    Column *c = column;

    for (unsigned i = 0; i < 2; i++)
        g_array_free(c->samples[i], TRUE);
    g_free(c->title);
    g_free(c);
}

DiffResult diff_series_compare(GString *out, const DiffSide side[2], const DiffSeriesConfig *config,
                               GError **error)
{
    char *wrong = NULL;
    Table t = {.config = config,
               .wanted = resolve_all(config->names, &wrong),
               .columns = g_ptr_array_new_with_free_func(free_column),
               .by_title = g_hash_table_new(g_str_hash, g_str_equal)};
    DiffResult result = DIFF_ERROR;

    hs_assert(!wrong); /* diff_series_check */
    if (read_log(&t, 0, side[0].path, error) && read_log(&t, 1, side[1].path, error)) {
        if (t.columns->len)
            result = print(out, &t, side);
        else
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "--series %s: neither side has it%s%s",
                        config->names, config->place ? " at " : "", config->place ? config->place : "");
    }
    g_hash_table_destroy(t.by_title);
    g_ptr_array_free(t.columns, TRUE);
    g_ptr_array_free(t.wanted, TRUE);
    return result;
}
