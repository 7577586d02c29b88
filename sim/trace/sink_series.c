/* Rows are written when time has moved on, so that an instant is one row. */
#include "sim/trace/sink_series.h"

#include <string.h>

#include "sim/trace/eventlog.h"
#include "sim/trace/eventlog_json.h"
#include "sim/trace/outfile.h"

typedef struct Column {
    char *event, *field, *place, *title;
    ProbeKind kind;
    ProbeValue value;
    char *text; /* of a string field */
    bool has_value;
    /* The last description that was asked, and where the field is in it: -1 nowhere. Descriptions are
     * constants. */
    const ProbeDesc *desc;
    int index;
} Column;

struct SinkSeries {
    ProbeSink sink; /* first */
    Probes *probes;
    OutFile *file;
    GArray *columns;
    GString *row;
    SimTime period; /* 0: none */
    SimTime time;   /* of the row that is being put together */
    bool has_row, has_header;
    uint64_t rows;
};

static int field_index(const ProbeDesc *desc, const char *field)
{
    for (unsigned i = 0; i < desc->n_fields; i++)
        if (!strcmp(desc->field[i].name, field))
            return (int)i;
    return -1;
}

static void append_clean(GString *row, const char *text)
{
    for (; *text; text++)
        g_string_append_c(row, (unsigned char)*text < 0x20 ? ' ' : *text);
}

static void append_column(GString *row, const Column *c)
{
    if (!c->has_value)
        g_string_append(row, "nan");
    else if (c->kind == PROBE_STR)
        append_clean(row, c->text);
    else if (c->kind == PROBE_BOOL)
        g_string_append_c(row, c->value.u ? '1' : '0');
    else if (c->kind == PROBE_TIME && c->value.i == SIM_NEVER)
        g_string_append(row, "inf");
    else
        eventlog_append_value(row, c->kind, c->value);
}

static void write_header(SinkSeries *s)
{
    g_string_assign(s->row, "# time (s)");
    for (unsigned i = 0; i < s->columns->len; i++) {
        g_string_append_c(s->row, '\t');
        append_clean(s->row, g_array_index(s->columns, Column, i).title);
    }
    g_string_append_c(s->row, '\n');
    outfile_write(s->file, s->row->str, s->row->len);
    s->has_header = true;
}

static void write_row(SinkSeries *s)
{
    if (!s->has_header)
        write_header(s);
    if (!s->has_row)
        return;
    g_string_truncate(s->row, 0);
    eventlog_json_time(s->row, s->time);
    for (unsigned i = 0; i < s->columns->len; i++) {
        g_string_append_c(s->row, '\t');
        append_column(s->row, &g_array_index(s->columns, Column, i));
    }
    g_string_append_c(s->row, '\n');
    outfile_write(s->file, s->row->str, s->row->len);
    s->has_row = false;
    s->rows++;
}

static bool concerns(Column *c, const ProbeRecord *r)
{
    if (c->desc != r->desc) {
        c->desc = r->desc;
        c->index = strcmp(r->desc->name, c->event) ? -1 : field_index(r->desc, c->field);
    }
    return c->index >= 0 && eventlog_matches(c->place, r->node->name, r->point ? r->point->name : NULL);
}

/* The row that a report belongs to: the next multiple of the period, or its own time. */
static SimTime row_time(const SinkSeries *s, SimTime time)
{
    SimTime into = s->period ? time % s->period : 0;

    if (into == 0)
        return time;
    return time > SIM_NEVER - 1 - s->period ? SIM_NEVER - 1 : time - into + s->period;
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    SinkSeries *s = (SinkSeries *)sink;
    SimTime time = row_time(s, r->time);

    for (unsigned i = 0; i < s->columns->len; i++) {
        Column *c = &g_array_index(s->columns, Column, i);

        if (!concerns(c, r))
            continue;
        if (s->has_row && time != s->time)
            write_row(s);
        c->kind = r->desc->field[c->index].kind;
        c->value = r->value[c->index];
        if (c->kind == PROBE_STR) {
            g_free(c->text);
            c->text = g_strdup(c->value.s ? c->value.s : "");
        }
        c->has_value = true;
        s->time = time;
        s->has_row = true;
    }
}

SinkSeries *sink_series_new(Probes *probes, const char *path, GError **error)
{
    OutFile *file = outfile_open(path, OUTFILE_WHOLE, error);
    SinkSeries *s;

    if (!file)
        return NULL;
    s = g_new0(SinkSeries, 1);
    s->probes = probes;
    s->file = file;
    s->columns = g_array_new(FALSE, TRUE, sizeof(Column));
    s->row = g_string_new(NULL);
    s->sink.record = on_record;
    probes_attach(probes, &s->sink);
    return s;
}

void sink_series_set_period(SinkSeries *s, SimTime period)
{
    s->period = period;
}

void sink_series_add_column(SinkSeries *s, ProbeClass cls, const char *event, const char *field,
                            const char *place, const char *title)
{
    Column c = {.event = g_strdup(event), .field = g_strdup(field), .place = g_strdup(place)};

    hs_assert(!s->has_header);
    c.title = title ? g_strdup(title) : g_strdup_printf("%s %s %s", place, event, field);
    g_array_append_val(s->columns, c);
    /* The bus learns the mask when a sink is attached. */
    probes_detach(s->probes, &s->sink);
    s->sink.mask |= cls == PROBE_CLASSES ? PROBE_STATE_MASK : PROBE_BIT(cls);
    probes_attach(s->probes, &s->sink);
}

void sink_series_add_probe(SinkSeries *s, const ProbeDesc *desc, const char *place)
{
    for (unsigned i = 0; i < desc->n_fields; i++)
        sink_series_add_column(s, desc->cls, desc->name, desc->field[i].name, place, NULL);
}

uint64_t sink_series_rows(const SinkSeries *s)
{
    return s->rows + s->has_row;
}

static void forget(SinkSeries *s)
{
    probes_detach(s->probes, &s->sink);
    for (unsigned i = 0; i < s->columns->len; i++) {
        Column *c = &g_array_index(s->columns, Column, i);

        g_free(c->event);
        g_free(c->field);
        g_free(c->place);
        g_free(c->title);
        g_free(c->text);
    }
    g_array_free(s->columns, TRUE);
    g_string_free(s->row, TRUE);
    g_free(s);
}

bool sink_series_close(SinkSeries *s, GError **error)
{
    bool ok;

    write_row(s);
    ok = outfile_close(s->file, error);
    forget(s);
    return ok;
}

void sink_series_discard(SinkSeries *s)
{
    if (!s)
        return;
    outfile_discard(s->file);
    forget(s);
}
