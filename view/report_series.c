/* "series": {"cwnd": [[conn, {t, cwnd, ssthresh, inflight, ca}]], "rtt": [[conn, {t, srtt, rto, sample}]],
 *            "queue": [[point, {t, packets, bytes}]]}
 * Times as distances in ns; cwnd, ssthresh (-1: none yet) and inflight in segments; ca a string; srtt and
 * sample in µs, rto in ms.
 *
 * A long series is thinned: of every stretch of samples, as many stretches as are wider than any screen, its
 * first one and the two at which the first column is least and greatest stay, so that no peak is lost. */
#include "view/report_series.h"

#define MAX_STRETCHES 2500
#define MAX_COLUMNS 5
#define SSTHRESH_NONE UINT64_C(0x7fffffff) /* Linux TCP_INFINITE_SSTHRESH */

typedef struct Table {
    int32_t key; /* conn or point */
    GArray *row; /* int64_t [MAX_COLUMNS] */
} Table;

typedef struct Kind {
    const char *key;
    const char *column[MAX_COLUMNS]; /* the first is "t" */
    int n;
    GArray *tables; /* Table, in order of appearance */
} Kind;

enum { CWND, RTT, QUEUE, N_KINDS };

static void add_row(Kind *k, int32_t key, const int64_t *row)
{
    Table *t = NULL;

    for (guint i = 0; i < k->tables->len && !t; i++)
        if (g_array_index(k->tables, Table, i).key == key)
            t = &g_array_index(k->tables, Table, i);
    if (!t) {
        g_array_append_val(k->tables,
                           ((Table){key, g_array_new(FALSE, FALSE, MAX_COLUMNS * sizeof(int64_t))}));
        t = &g_array_index(k->tables, Table, k->tables->len - 1);
    }
    g_array_append_vals(t->row, row, 1);
}

static int64_t number(const StoryRecord *r, const char *field)
{
    const ProbeValue *v = story_value(r, field, NULL);

    return v ? v->i : 0;
}

static void add(Kind kinds[N_KINDS], const Story *story, const StoryRecord *r, ReportStrings *strings)
{
    int64_t row[MAX_COLUMNS] = {r->time};

    if (story_is(r, "queue.length") && r->point != STORY_NONE) {
        row[1] = number(r, "packets");
        row[2] = number(r, "bytes");
        add_row(&kinds[QUEUE], r->point, row);
    } else if (story_is(r, "tcp.cwnd")) {
        uint64_t ssthresh = (uint64_t)number(r, "ssthresh");

        row[1] = number(r, "cwnd");
        row[2] = ssthresh >= SSTHRESH_NONE ? -1 : (int64_t)ssthresh;
        row[3] = number(r, "inflight");
        row[4] = report_strings_add(strings, story_str(r, "ca_state"));
        add_row(&kinds[CWND], story_conn_of(story, r), row);
    } else if (story_is(r, "tcp.rtt")) {
        row[1] = number(r, "srtt_us");
        row[2] = number(r, "rto_ms");
        row[3] = number(r, "sample_us");
        add_row(&kinds[RTT], story_conn_of(story, r), row);
    }
}

static const int64_t *row_at(const GArray *rows, guint i)
{
    return (const int64_t *)(const void *)rows->data + (gsize)i * MAX_COLUMNS;
}

static GArray *thin(const GArray *rows)
{
    GArray *out = g_array_new(FALSE, FALSE, MAX_COLUMNS * sizeof(int64_t));
    guint step = HS_MAX(rows->len / MAX_STRETCHES, 1);

    if (step <= 3) {
        g_array_append_vals(out, rows->data, rows->len);
        return out;
    }
    for (guint first = 0; first < rows->len; first += step) {
        guint end = HS_MIN(first + step, rows->len), least = first, greatest = first;

        for (guint i = first; i < end; i++) {
            if (row_at(rows, i)[1] < row_at(rows, least)[1])
                least = i;
            if (row_at(rows, i)[1] > row_at(rows, greatest)[1])
                greatest = i;
        }
        g_array_append_vals(out, row_at(rows, first), 1);
        for (guint i = first + 1; i < end; i++)
            if (i == least || i == greatest || (end == rows->len && i == end - 1))
                g_array_append_vals(out, row_at(rows, i), 1);
    }
    return out;
}

static void write_table(const Kind *k, const Table *t, ReportJson *j)
{
    GArray *rows = thin(t->row), *column = g_array_new(FALSE, FALSE, sizeof(int64_t));

    report_json_begin(j, '[');
    report_json_int(j, t->key);
    report_json_begin(j, '{');
    for (int c = 0; c < k->n; c++) {
        g_array_set_size(column, 0);
        for (guint i = 0; i < rows->len; i++)
            g_array_append_val(column, row_at(rows, i)[c]);
        if (c == 0)
            report_json_deltas(j, k->column[c], column);
        else
            report_json_ints(j, k->column[c], column);
    }
    report_json_end(j, '}');
    report_json_end(j, ']');
    g_array_free(rows, TRUE);
    g_array_free(column, TRUE);
}

void report_series_write(const Story *story, const ReportConfig *config, ReportJson *j,
                         ReportStrings *strings)
{
    Kind kinds[N_KINDS] = {
        [CWND] = {.key = "cwnd", .column = {"t", "cwnd", "ssthresh", "inflight", "ca"}, .n = 5},
        [RTT] = {.key = "rtt", .column = {"t", "srtt", "rto", "sample"}, .n = 4},
        [QUEUE] = {.key = "queue", .column = {"t", "packets", "bytes"}, .n = 3},
    };

    for (int k = 0; k < N_KINDS; k++)
        kinds[k].tables = g_array_new(FALSE, FALSE, sizeof(Table));
    for (int32_t i = 0; i < story_record_count(story); i++) {
        const StoryRecord *r = story_record(story, i);

        if (r->time >= config->from && r->time <= config->to)
            add(kinds, story, r, strings);
    }
    report_json_key(j, "series");
    report_json_begin(j, '{');
    for (int k = 0; k < N_KINDS; k++) {
        report_json_key(j, kinds[k].key);
        report_json_begin(j, '[');
        for (guint i = 0; i < kinds[k].tables->len; i++) {
            Table *t = &g_array_index(kinds[k].tables, Table, i);

            write_table(&kinds[k], t, j);
            g_array_free(t->row, TRUE);
        }
        report_json_end(j, ']');
        g_array_free(kinds[k].tables, TRUE);
    }
    report_json_end(j, '}');
}
