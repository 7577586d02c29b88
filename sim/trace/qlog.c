/* The envelope: a header record, then one record for each event, put together in a buffer that is kept. */
#include "sim/trace/qlog.h"

#include <inttypes.h>
#include <string.h>

#include "sim/trace/eventlog_json.h"

#define RECORD_SEPARATOR '\x1e'

struct QlogFile {
    OutFile *file;
    char *path;
    GString *line;
    SimTime latest;
    uint64_t events;
};

/* ---- members ---- */

/* Exact, with one decimal at least: CDDL takes a JSON number without a fraction for an integer (RFC 8610
 * appendix E), and times are of type float64. */
static void append_ms(GString *s, int64_t ns)
{
    uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    gsize len;

    g_string_append_printf(s, "%s%" PRIu64 ".%06" PRIu64, ns < 0 ? "-" : "", magnitude / 1000000,
                           magnitude % 1000000);
    for (len = s->len; s->str[len - 1] == '0' && s->str[len - 2] != '.'; len--)
        ;
    g_string_truncate(s, len);
}

void qlog_u64(GString *s, const char *name, uint64_t v)
{
    eventlog_json_key(s, name);
    g_string_append_printf(s, "%" PRIu64, v);
}

void qlog_str(GString *s, const char *name, const char *v)
{
    eventlog_json_key(s, name);
    eventlog_json_string(s, v, strlen(v));
}

void qlog_bool(GString *s, const char *name, bool v)
{
    eventlog_json_key(s, name);
    g_string_append(s, v ? "true" : "false");
}

void qlog_ms(GString *s, const char *name, int64_t ns)
{
    eventlog_json_key(s, name);
    append_ms(s, ns);
}

static void open_bracket(GString *s, const char *name, char bracket)
{
    char last = s->str[s->len - 1];

    if (name)
        eventlog_json_key(s, name);
    else if (last != '[')
        g_string_append_c(s, ',');
    g_string_append_c(s, bracket);
}

void qlog_object(GString *s, const char *name)
{
    open_bracket(s, name, '{');
}

void qlog_array(GString *s, const char *name)
{
    open_bracket(s, name, '[');
}

/* ---- records ---- */

static void begin_record(QlogFile *f)
{
    g_string_truncate(f->line, 0);
    g_string_append_c(f->line, RECORD_SEPARATOR);
    g_string_append_c(f->line, '{');
}

static void end_record(QlogFile *f)
{
    g_string_append(f->line, "}\n");
    outfile_write(f->file, f->line->str, f->line->len);
}

/* file_schema and serialization_format belong into the first 256 bytes (section 3). The clock is the
 * simulation's: it began at zero, and no date belongs to that.
 *
 * Without a time_offset that is not zero, qvis takes the clocks of two files for different ones, and moves
 * the server's by half a round trip: arrows of its sequence diagram then point backwards in time. A
 * femtosecond is not zero, and nothing that anybody sees. */
#define QVIS_TIME_OFFSET "0.000000000001"

static void write_header(QlogFile *f, const QlogHeader *h)
{
    GString *s = f->line;

    begin_record(f);
    qlog_str(s, "file_schema", "urn:ietf:params:qlog:file:sequential");
    qlog_str(s, "serialization_format", "application/qlog+json-seq");
    qlog_str(s, "qlog_version", "0.3");
    qlog_str(s, "qlog_format", "JSON-SEQ");
    qlog_str(s, "title", h->title);
    if (h->description)
        qlog_str(s, "description", h->description);
    qlog_object(s, "trace");
    if (h->trace_title)
        qlog_str(s, "title", h->trace_title);
    qlog_object(s, "vantage_point");
    qlog_str(s, "name", h->vantage_name);
    qlog_str(s, "type", h->vantage_type);
    g_string_append_c(s, '}');
    qlog_object(s, "common_fields");
    qlog_str(s, "time_format", "relative_to_epoch");
    qlog_object(s, "reference_time");
    qlog_str(s, "clock_type", "monotonic");
    qlog_str(s, "epoch", "unknown");
    g_string_append(s, "}}");
    qlog_object(s, "configuration");
    qlog_str(s, "time_offset", QVIS_TIME_OFFSET);
    g_string_append_c(s, '}');
    qlog_array(s, "event_schemas");
    for (const char *const *uri = h->schemas; *uri; uri++) {
        if (uri != h->schemas)
            g_string_append_c(s, ',');
        eventlog_json_string(s, *uri, strlen(*uri));
    }
    g_string_append(s, "]}");
    end_record(f);
}

QlogFile *qlog_open(const char *path, const QlogHeader *header, GError **error)
{
    OutFile *file = outfile_open_held(path, header->hold, error);
    QlogFile *f;

    if (!file)
        return NULL;
    f = g_new0(QlogFile, 1);
    f->file = file;
    f->path = g_strdup(path);
    f->line = g_string_sized_new(1024);
    write_header(f, header);
    return f;
}

GString *qlog_begin(QlogFile *f, SimTime time, const char *name, const char *category, const char *group)
{
    hs_assert(time >= f->latest);
    f->latest = time;
    begin_record(f);
    qlog_ms(f->line, "time", time);
    qlog_str(f->line, "name", name);
    qlog_str(f->line, "category", category);
    qlog_str(f->line, "group_id", group);
    qlog_object(f->line, "data");
    return f->line;
}

void qlog_end(QlogFile *f)
{
    g_string_append_c(f->line, '}');
    end_record(f);
    f->events++;
}

uint64_t qlog_events(const QlogFile *f)
{
    return f->events;
}

const char *qlog_path(const QlogFile *f)
{
    return f->path;
}

bool qlog_has_failed(const QlogFile *f)
{
    return outfile_has_failed(f->file);
}

static void forget(QlogFile *f)
{
    g_string_free(f->line, TRUE);
    g_free(f->path);
    g_free(f);
}

bool qlog_close(QlogFile *f, GError **error)
{
    bool ok = outfile_close(f->file, error);

    forget(f);
    return ok;
}

void qlog_discard(QlogFile *f)
{
    if (!f)
        return;
    outfile_discard(f->file);
    forget(f);
}
