#include "lab/run/outputs.h"

#include <inttypes.h>
#include <string.h>

#include "lab/run/keep.h"
#include "lab/run/outputs_captures.h"
#include "lab/run/outputs_kept.h"
#include "lab/run/outputs_names.h"
#include "lab/run/outputs_pictures.h"
#include "lab/run/outputs_qlog.h"
#include "models/wire/dissect.h"
#include "sim/trace/pcapng.h"
#include "sim/trace/sink_events.h"
#include "sim/trace/sink_pcapng.h"
#include "sim/trace/sink_series.h"
#include "view/plot_gnuplot.h"

/* Of a longer run the log of its folder has the beginning, and whatever is rarer than packets in full. */
#define KEPT_EVENTS_EACH 5000
#define PROBE_ALL (PROBE_BIT(PROBE_CLASSES) - 1)

typedef struct DropCounter {
    ProbeSink sink; /* first */
    GArray *rows;   /* OutputsDrops */
} DropCounter;

typedef struct OutputsSeries {
    SinkSeries *sink;
    char *path;
} OutputsSeries;

struct Outputs {
    OutputsConfig config;
    Scenario *scenario;
    Sim *sim;
    Probes *probes;
    SinkDigest *digest;
    SinkEvents *events;
    OutputsQlog *qlog;
    char *events_path;
    OutputsCaptures *captures;
    GPtrArray *series;         /* OutputsSeries */
    unsigned n_series;         /* of the scenario, that were looked at */
    OutputsPictures *pictures; /* NULL: the scenario gets no files */
    OutputsKept *kept;         /* NULL: nothing of that is kept */
    OutputsNames *names;
    OutHold *hold;
    unsigned n_captures, n_plots, n_ladders, n_qlogs; /* of the scenario, whose names are known */
    GError *error;                                    /* of a wish; told when ready, or at the end */
    DropCounter drops;
    char *comment;
    GPtrArray *files, *paths; /* char * */
    GArray *left_out;         /* OutputsLack */
    bool is_attached;
};

static void summarize(void *user, uint16_t linktype, const uint8_t *bytes, size_t len, char *buf,
                      size_t buf_len)
{
    dissect_summary(buf, buf_len, linktype == PCAPNG_LINKTYPE_PPP ? WIRE_LINK_PPP : (WireLinkType)linktype,
                    bytes, len);
}

/* ---- drops ---- */

static void on_drop(ProbeSink *sink, const ProbeRecord *r)
{
    DropCounter *c = (DropCounter *)sink;
    OutputsDrops row = {r->value[0].s, 1};

    for (unsigned i = 0; i < c->rows->len; i++) {
        OutputsDrops *known = &g_array_index(c->rows, OutputsDrops, i);

        if (known->reason == row.reason) {
            known->count++;
            return;
        }
    }
    g_array_append_val(c->rows, row);
}

/* ---- names ---- */

static const char kept_by[] = "the run's folder";

static bool claim(Outputs *o, const char *file, const char *who, bool is_plot)
{
    g_autofree char *path = g_build_filename(o->config.out_dir, file, NULL);
    GError **error = o->error ? NULL : &o->error;

    return is_plot ? outputs_names_claim_plot(o->names, path, who, error)
                   : outputs_names_claim(o->names, path, who, error);
}

/* What the command line asked for, and what is kept. */
static bool claim_first(Outputs *o)
{
    const OutputsConfig *c = &o->config;
    g_autofree char *pcap =
        outputs_path(".", c->scenario, c->pcap_compress ? "pcapng" PCAPNG_WRITER_PACKED_SUFFIX : "pcapng");
    g_autofree char *events = outputs_path(".", c->scenario, "events.jsonl");

    return claim(o, "manifest.json", kept_by, false) &&
           (!c->pcap->len || c->pcap_per_interface || claim(o, pcap, "--pcap", false)) &&
           (!c->event_classes || c->event_path || claim(o, events, "--events", false)) &&
           (!(c->keep & KEEP_CAPTURES) || claim(o, KEEP_CAPTURE_NAME, kept_by, false)) &&
           (!(c->keep & KEEP_EVENTS) || claim(o, KEEP_EVENTS_NAME, kept_by, false)) &&
           (!(c->keep & KEEP_SERIES) ||
            (claim(o, "series/tcp.tsv", kept_by, false) && claim(o, "series/queues.tsv", kept_by, false))) &&
           (!(c->keep & KEEP_PICTURES) || (claim(o, "pictures/cwnd.svg", kept_by, true) &&
                                           claim(o, "pictures/ladder.svg", kept_by, false)));
}

/* What the scenario has asked for since the last time. */
static bool claim_wishes(Outputs *o)
{
    bool ok = true;

    for (; ok && o->n_captures < scenario_capture_count(o->scenario); o->n_captures++) {
        ScenarioCapture wish;

        scenario_capture(o->scenario, o->n_captures, &wish);
        ok = claim(o, wish.file, "hs.capture", false);
    }
    for (unsigned i = o->n_series; ok && i < scenario_series_count(o->scenario); i++) {
        ScenarioSeries wish;

        scenario_series(o->scenario, i, &wish);
        ok = claim(o, wish.file, "hs.series", false);
    }
    for (; ok && o->n_qlogs < scenario_qlog_count(o->scenario); o->n_qlogs++) {
        ScenarioQlog wish;

        scenario_qlog(o->scenario, o->n_qlogs, &wish);
        ok = claim(o, wish.file, "hs.qlog", false);
    }
    for (; ok && o->n_plots < scenario_plot_count(o->scenario); o->n_plots++) {
        ScenarioPlot wish;

        scenario_plot(o->scenario, o->n_plots, &wish);
        ok = claim(o, wish.file, "hs.plot", true);
    }
    for (; ok && o->n_ladders < scenario_ladder_count(o->scenario); o->n_ladders++) {
        ScenarioLadder wish;

        scenario_ladder(o->scenario, o->n_ladders, &wish);
        ok = claim(o, wish.file, "hs.ladder", false);
    }
    return ok;
}

/* ---- attaching ---- */

static bool add_events(Outputs *o, GError **error)
{
    SinkEventsConfig c = {
        .classes = o->config.event_classes, .format = {.summary = summarize, .sim = o->sim}, .hold = o->hold};

    if (!c.classes && (o->config.keep & KEEP_EVENTS)) {
        c.classes = PROBE_ALL;
        c.max_each = KEPT_EVENTS_EACH;
        o->events_path = g_build_filename(o->config.out_dir, KEEP_EVENTS_NAME, NULL);
    } else if (c.classes) {
        o->events_path = o->config.event_path
                             ? g_strdup(o->config.event_path)
                             : outputs_path(o->config.out_dir, o->config.scenario, "events.jsonl");
    } else {
        return true;
    }
    c.path = o->events_path;
    o->events = sink_events_new(o->probes, &c, error);
    return o->events != NULL;
}

/* ---- events ---- */

static void on_event(void *user, SimTime time, uint64_t key)
{
    Outputs *o = user;

    if (o->digest)
        sink_digest_on_event(o->digest, time, key);
    if (o->events && sink_events_wants_engine(o->events))
        sink_events_on_event(o->events, time, key);
}

bool outputs_attach(Outputs *o, Scenario *s, GError **error)
{
    Partition *part;

    o->scenario = s;
    o->sim = net_sim(scenario_net(s));
    o->probes = net_probes(scenario_net(s));
    o->is_attached = true;
    o->comment = g_strdup_printf("%s, seed %" PRIu64, o->config.scenario, scenario_seed(s));
    if (!o->config.no_scenario_files)
        o->pictures = outputs_pictures_new(s, o->config.scenario, o->config.out_dir);
    o->names = outputs_names_new();
    if (!claim_first(o)) {
        g_propagate_error(error, g_steal_pointer(&o->error));
        return false;
    }
    o->captures = outputs_captures_new(s, &o->config, o->comment, o->hold);
    if (o->config.keep & (KEEP_SERIES | KEEP_PICTURES))
        o->kept = outputs_kept_new(s, o->config.scenario, o->config.out_dir, o->config.keep);
    if (!add_events(o, error))
        return false;
    o->qlog = outputs_qlog_new(s, &(OutputsQlogConfig){.scenario = o->config.scenario,
                                                       .out_dir = o->config.out_dir,
                                                       .comment = o->comment,
                                                       .hosts = o->config.qlog,
                                                       .port = o->config.qlog_port,
                                                       .level = o->config.qlog_level,
                                                       .no_scenario_files = o->config.no_scenario_files,
                                                       .hold = o->hold});
    if (o->config.count_drops)
        probes_attach(o->probes, &o->drops.sink);
    part = sim_partition(o->sim, 0);
    if (o->config.digest) {
        o->digest = sink_digest_new(o->sim, o->probes);
        part->on_event = sink_digest_on_event;
        part->on_event_user = o->digest;
    }
    if (o->events && sink_events_wants_engine(o->events)) {
        part->on_event = on_event;
        part->on_event_user = o;
    }
    return true;
}

/* A probe's class is not known by its name; any but the frames, which have no fields. */
static void add_scenario_series(Outputs *o, unsigned i)
{
    ScenarioSeries wish;
    char *path;
    SinkSeries *s;

    scenario_series(o->scenario, i, &wish);
    path = g_build_filename(o->config.out_dir, wish.file, NULL);
    s = o->error ? NULL : sink_series_new(o->probes, path, &o->error);
    if (!s) {
        g_free(path);
        return;
    }
    sink_series_set_period(s, wish.every);
    for (const char *const *place = wish.places; *place; place++)
        for (const char *const *field = wish.fields; *field; field++)
            sink_series_add_column(s, PROBE_CLASSES, wish.of, *field, *place, NULL);
    OutputsSeries *kept = g_new(OutputsSeries, 1);

    *kept = (OutputsSeries){s, path};
    g_ptr_array_add(o->series, kept);
}

void outputs_on_wish(Outputs *o)
{
    unsigned n_series = o->config.no_scenario_files ? 0 : scenario_series_count(o->scenario);

    if (o->error || (!o->config.no_scenario_files && !claim_wishes(o)))
        return;
    if (!o->config.no_scenario_files)
        outputs_captures_on_wish(o->captures);
    while (o->n_series < n_series)
        add_scenario_series(o, o->n_series++);
    outputs_qlog_on_wish(o->qlog);
    if (o->pictures)
        outputs_pictures_on_wish(o->pictures);
}

bool outputs_on_ready(Outputs *o, GError **error)
{
    if (o->error) {
        g_propagate_error(error, g_steal_pointer(&o->error));
        return false;
    }
    return outputs_captures_settle(o->captures, error) && outputs_qlog_check(o->qlog, error);
}

bool outputs_begin(Outputs *o, GError **error)
{
    return outhold_release(o->hold, error);
}

/* ---- life ---- */

static void clear_lack(gpointer ptr)
{
    OutputsLack *lack = ptr;

    g_free((char *)lack->path);
    g_free((char *)lack->what);
}

Outputs *outputs_new(const OutputsConfig *config)
{
    Outputs *o = g_new0(Outputs, 1);

    o->config = *config;
    o->hold = outhold_new();
    o->series = g_ptr_array_new();
    o->files = g_ptr_array_new_with_free_func(g_free);
    o->paths = g_ptr_array_new_with_free_func(g_free);
    o->left_out = g_array_new(FALSE, FALSE, sizeof(OutputsLack));
    g_array_set_clear_func(o->left_out, clear_lack);
    o->drops.rows = g_array_new(FALSE, FALSE, sizeof(OutputsDrops));
    o->drops.sink = (ProbeSink){.mask = PROBE_BIT(PROBE_FRAME_DROP), .record = on_drop};
    return o;
}

bool outputs_are_attached(const Outputs *o)
{
    return o->is_attached;
}

bool outputs_have_failed(const Outputs *o)
{
    return o->error || (o->captures && outputs_captures_have_failed(o->captures)) ||
           (o->events && sink_events_has_failed(o->events)) || (o->qlog && outputs_qlog_has_failed(o->qlog));
}

/* note: what is said of the file behind its name, NULL: nothing. */
static void tell_file(Outputs *o, const char *path, const char *note)
{
    g_ptr_array_add(o->paths, g_strdup(path));
    g_ptr_array_add(o->files, note ? g_strdup_printf("%s (%s)", path, note) : g_strdup(path));
}

static void tell_count(Outputs *o, const char *path, uint64_t n, const char *what)
{
    g_autofree char *note = g_strdup_printf("%" PRIu64 " %s%s", n, what, n == 1 ? "" : "s");

    tell_file(o, path, note);
}

static void on_written(void *user, const char *path, const char *note)
{
    tell_file(user, path, note);
}

static void on_beside(void *user, const char *path)
{
    g_ptr_array_add(((Outputs *)user)->paths, g_strdup(path));
}

static void on_left_out(void *user, const char *path, const char *what)
{
    OutputsLack lack = {g_strdup(path), g_strdup(what)};

    g_array_append_val(((Outputs *)user)->left_out, lack);
}

static void on_picture(void *user, const char *path, bool has_data)
{
    static const char *const beside[] = {".tsv", ".gp"};

    tell_file(user, path, NULL);
    for (unsigned i = 0; has_data && i < HS_ARRAY_LEN(beside); i++) {
        g_autofree char *name = plotgnuplot_beside(path, beside[i]);

        on_beside(user, name);
    }
}

/* Whoever reads the log must know that there was more. */
static void tell_cut_events(Outputs *o)
{
    g_autofree char *text = NULL;
    unsigned n = 0;

    while (sink_events_cut(o->events, n))
        n++;
    if (!n)
        return;
    text = g_strdup_printf("%" PRIu64 " records; of %u kind%s the first %d each are there (--events: all)",
                           sink_events_left_out(o->events), n, n == 1 ? "" : "s", KEPT_EVENTS_EACH);
    on_left_out(o, o->events_path, text);
}

static void on_qlog(void *user, const char *path, uint64_t events)
{
    tell_count(user, path, events, "event");
}

bool outputs_close(Outputs *o, GError **error)
{
    GError *first = g_steal_pointer(&o->error);

    if (o->captures)
        (void)!outputs_captures_close(o->captures, on_written, o, first ? NULL : &first);
    for (unsigned i = 0; i < o->series->len; i++) {
        OutputsSeries *s = o->series->pdata[i];

        tell_count(o, s->path, sink_series_rows(s->sink), "row");
        (void)!sink_series_close(s->sink, first ? NULL : &first);
        g_free(s->path);
        g_free(s);
    }
    g_ptr_array_set_size(o->series, 0);
    if (o->pictures)
        (void)!outputs_pictures_draw(o->pictures, on_picture, o, first ? NULL : &first);
    if (o->kept) {
        const OutputsKeptTell tell = {on_written, on_beside, on_left_out, o};

        (void)!outputs_kept_write(o->kept, &tell, first ? NULL : &first);
    }
    if (o->events) {
        tell_cut_events(o);
        tell_count(o, o->events_path, sink_events_records(o->events), "record");
        (void)!sink_events_close(g_steal_pointer(&o->events), first ? NULL : &first);
    }
    (void)!outputs_qlog_close(g_steal_pointer(&o->qlog), on_qlog, o, first ? NULL : &first);
    if (first) {
        g_propagate_error(error, first);
        return false;
    }
    return true;
}

void outputs_discard(Outputs *o)
{
    if (o->captures)
        outputs_captures_discard(o->captures);
    for (unsigned i = 0; i < o->series->len; i++) {
        OutputsSeries *s = o->series->pdata[i];

        sink_series_discard(s->sink);
        g_free(s->path);
        g_free(s);
    }
    g_ptr_array_set_size(o->series, 0);
    sink_events_discard(g_steal_pointer(&o->events));
    outputs_qlog_discard(g_steal_pointer(&o->qlog));
}

const SinkDigest *outputs_digest(const Outputs *o)
{
    return o->digest;
}

unsigned outputs_drops(const Outputs *o, const OutputsDrops **rows)
{
    *rows = (const OutputsDrops *)o->drops.rows->data;
    return o->drops.rows->len;
}

unsigned outputs_file_count(const Outputs *o)
{
    return o->files->len;
}

const char *outputs_file(const Outputs *o, unsigned i)
{
    return o->files->pdata[i];
}

void outputs_add_file(Outputs *o, const char *path)
{
    tell_file(o, path, NULL);
}

unsigned outputs_path_count(const Outputs *o)
{
    return o->paths->len;
}

unsigned outputs_left_out_count(const Outputs *o)
{
    return o->left_out->len;
}

const OutputsLack *outputs_left_out(const Outputs *o, unsigned i)
{
    return &g_array_index(o->left_out, OutputsLack, i);
}

const char *outputs_path_at(const Outputs *o, unsigned i)
{
    return o->paths->pdata[i];
}

void outputs_free(Outputs *o)
{
    outputs_discard(o);
    if (o->is_attached) {
        Partition *part = sim_partition(o->sim, 0);

        part->on_event = NULL;
        probes_detach(o->probes, &o->drops.sink);
    }
    sink_digest_free(o->digest);
    outputs_captures_free(o->captures);
    g_ptr_array_free(o->series, TRUE);
    outputs_pictures_free(o->pictures);
    outputs_kept_free(o->kept);
    outputs_names_free(o->names);
    outhold_free(o->hold);
    g_clear_error(&o->error);
    g_ptr_array_free(o->files, TRUE);
    g_ptr_array_free(o->paths, TRUE);
    g_array_free(o->left_out, TRUE);
    g_array_free(o->drops.rows, TRUE);
    g_free(o->comment);
    g_free(o->events_path);
    g_free(o);
}

char *outputs_path(const char *dir, const char *scenario, const char *suffix)
{
    char *base = g_path_get_basename(scenario);
    char *name, *path;

    if (g_str_has_suffix(base, ".lua") && strlen(base) > 4)
        base[strlen(base) - 4] = 0;
    name = g_strdup_printf("%s.%s", base, suffix);
    path = strcmp(dir, ".") ? g_build_filename(dir, name, NULL) : g_strdup(name);
    g_free(base);
    g_free(name);
    return path;
}
