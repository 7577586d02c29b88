/* One line for each record, put together in a buffer that is kept. */
#include "sim/trace/sink_events.h"

/* How many of one kind there were. */
typedef struct Kind {
    const ProbeDesc *desc;
    uint64_t seen;
} Kind;

struct SinkEvents {
    ProbeSink sink; /* first */
    Probes *probes;
    SinkEventsConfig config;
    OutFile *file;
    GString *line;
    uint64_t records, left_out;
    GArray *kinds;  /* Kind; in the order in which they came first */
    GPtrArray *cut; /* names */
    Kind *last;     /* of the previous record: most follow one of their kind */
};

static bool is_named(const SinkEvents *s, const char *name)
{
    if (!s->config.names)
        return true;
    for (const char *const *p = s->config.names; *p; p++)
        if (g_pattern_match_simple(*p, name))
            return true;
    return false;
}

static bool is_placed(const SinkEvents *s, const ProbeRecord *r)
{
    if (!s->config.places)
        return true;
    for (const char *const *p = s->config.places; *p; p++)
        if (eventlog_matches(*p, r->node->name, r->point ? r->point->name : NULL))
            return true;
    return false;
}

static Kind *kind_of(SinkEvents *s, const ProbeDesc *desc)
{
    Kind fresh = {desc, 0};

    for (unsigned i = 0; i < s->kinds->len; i++)
        if (g_array_index(s->kinds, Kind, i).desc == desc)
            return &g_array_index(s->kinds, Kind, i);
    g_array_append_val(s->kinds, fresh);
    return &g_array_index(s->kinds, Kind, s->kinds->len - 1);
}

static bool is_too_many(SinkEvents *s, const ProbeDesc *desc)
{
    if (!s->last || s->last->desc != desc)
        s->last = kind_of(s, desc);
    if (s->last->seen++ < s->config.max_each)
        return false;
    if (s->last->seen == s->config.max_each + 1)
        g_ptr_array_add(s->cut, (gpointer)desc->name);
    s->left_out++;
    return true;
}

static void write_line(SinkEvents *s)
{
    g_string_append_c(s->line, '\n');
    outfile_write(s->file, s->line->str, s->line->len);
    s->records++;
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    SinkEvents *s = (SinkEvents *)sink;

    if (!is_named(s, r->desc->name) || !is_placed(s, r))
        return;
    if (s->config.max_each && is_too_many(s, r->desc))
        return;
    g_string_truncate(s->line, 0);
    eventlog_append_record(s->line, &s->config.format, r);
    write_line(s);
}

void sink_events_on_event(void *user, SimTime time, uint64_t key)
{
    SinkEvents *s = user;

    g_string_truncate(s->line, 0);
    eventlog_append_event(s->line, &s->config.format, time, key);
    write_line(s);
}

SinkEvents *sink_events_new(Probes *probes, const SinkEventsConfig *config, GError **error)
{
    OutFile *file = outfile_open_held(config->path, config->hold, error);
    SinkEvents *s;

    if (!file)
        return NULL;
    s = g_new0(SinkEvents, 1);
    s->probes = probes;
    s->config = *config;
    s->file = file;
    s->line = g_string_sized_new(512);
    s->kinds = g_array_new(FALSE, FALSE, sizeof(Kind));
    s->cut = g_ptr_array_new();
    s->sink.mask = config->classes & ~EVENTLOG_ENGINE_EVENTS;
    s->sink.record = on_record;
    probes_attach(probes, &s->sink);
    return s;
}

bool sink_events_wants_engine(const SinkEvents *s)
{
    return (s->config.classes & EVENTLOG_ENGINE_EVENTS) != 0;
}

uint64_t sink_events_records(const SinkEvents *s)
{
    return s->records;
}

const char *sink_events_cut(const SinkEvents *s, unsigned i)
{
    return i < s->cut->len ? s->cut->pdata[i] : NULL;
}

uint64_t sink_events_left_out(const SinkEvents *s)
{
    return s->left_out;
}

bool sink_events_has_failed(const SinkEvents *s)
{
    return outfile_has_failed(s->file);
}

static void forget(SinkEvents *s)
{
    probes_detach(s->probes, &s->sink);
    g_string_free(s->line, TRUE);
    g_array_free(s->kinds, TRUE);
    g_ptr_array_free(s->cut, TRUE);
    g_free(s);
}

bool sink_events_close(SinkEvents *s, GError **error)
{
    bool ok = outfile_close(s->file, error);

    forget(s);
    return ok;
}

void sink_events_discard(SinkEvents *s)
{
    if (!s)
        return;
    outfile_discard(s->file);
    forget(s);
}
