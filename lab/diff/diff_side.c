/* A scenario is run, a folder of a run or its manifest is run again, and an event log is what it is. A folder
 * may hold both: logs are taken as they are if both sides have one; next to a fresh one, a run is repeated,
 * so that both hold the same kinds of records. */
#include "lab/diff/diff_side.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lab/run/manifest.h"
#include "lab/run/observe.h"
#include "lab/status.h"
#include "models/wire/dissect.h"
#include "sim/trace/pcapng.h"
#include "sim/trace/sink_events.h"

#define LOG_SUFFIX ".events.jsonl"

static int HS_PRINTF(2, 3) wrong_use(GError **error, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    if (error)
        *error = g_error_new_valist(G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, ap);
    va_end(ap);
    return EXIT_WRONG;
}

static char *describe_run(const char *path, const GPtrArray *params, bool has_seed, uint64_t seed)
{
    GString *s = g_string_new(path);

    for (unsigned i = 0; i < params->len; i++)
        g_string_append_printf(s, "%s %s", i ? "" : " --set", (const char *)params->pdata[i]);
    if (has_seed)
        g_string_append_printf(s, " --seed %" G_GUINT64_FORMAT, seed);
    return g_string_free(s, FALSE);
}

static bool make_folder(DiffSides *d, GError **error)
{
    if (!d->folder)
        d->folder = g_dir_make_tmp("hopscope-diff-XXXXXX", error);
    return d->folder != NULL;
}

/* Expectations may fail and limits be hit: the records up to there are compared. */
static int run_side(const DiffSides *d, DiffOperand *s)
{
    GPtrArray *params = g_ptr_array_new();
    GPtrArray *no_pcap = g_ptr_array_new();
    RunnerConfig c = {.front = d->front};
    Runner r;
    int status;

    for (unsigned i = 0; i < d->set->len; i++)
        g_ptr_array_add(params, d->set->pdata[i]);
    for (unsigned i = 0; i < s->set->len; i++)
        g_ptr_array_add(params, s->set->pdata[i]);
    s->title = describe_run(s->operand, params, s->has_seed || d->has_seed, s->has_seed ? s->seed : d->seed);
    g_ptr_array_add(params, NULL);
    c.scenario = (ScenarioConfig){.path = s->operand,
                                  .has_seed = s->has_seed || d->has_seed,
                                  .seed = s->has_seed ? s->seed : d->seed,
                                  .params = (const char *const *)params->pdata,
                                  .until = d->until,
                                  .out_dir = d->folder,
                                  .quiet = true};
    c.outputs = (OutputsConfig){.scenario = s->operand,
                                .out_dir = d->folder,
                                .pcap = no_pcap,
                                .event_classes = d->classes,
                                .event_path = s->path,
                                .no_scenario_files = true};
    status = runner_run(&r, &c);
    runner_clear(&r);
    g_ptr_array_free(params, TRUE);
    g_ptr_array_free(no_pcap, TRUE);
    return status == EXIT_UNEXPECTED || status == EXIT_LIMIT ? EXIT_OK : status;
}

/* ---- a run again ---- */

typedef struct Rerun {
    const DiffSides *sides;
    const char *path;
    SinkEvents *events;
    GError *error;
} Rerun;

static void summarize(void *user, uint16_t linktype, const uint8_t *bytes, size_t len, char *buf,
                      size_t buf_len)
{
    dissect_summary(buf, buf_len, linktype == PCAPNG_LINKTYPE_PPP ? WIRE_LINK_PPP : (WireLinkType)linktype,
                    bytes, len);
}

static void on_start(void *user, Scenario *s)
{
    Rerun *r = user;
    Net *net = scenario_net(s);
    SinkEventsConfig c = {
        .path = r->path, .classes = r->sides->classes, .format = {.summary = summarize, .sim = net_sim(net)}};

    r->events = sink_events_new(net_probes(net), &c, &r->error);
}

static int rerun_side(const DiffSides *d, DiffOperand *s, GError **error)
{
    Rerun again = {.sides = d, .path = s->path};
    ObserveConfig c = {.front = d->front,
                       .operand = s->operand,
                       .set = s->set->len ? s->set : d->set,
                       .seed = s->seed,
                       .has_seed = s->has_seed || d->has_seed,
                       .until = d->until,
                       .on_start = on_start,
                       .user = &again};
    Runner r;
    int status;

    if (d->classes & EVENTLOG_ENGINE_EVENTS)
        return wrong_use(error, "\"%s\" is a run: events of the engine are compared of scenarios (*.lua)",
                         s->operand);
    status = observe_run(&r, &c);
    if (again.events && !sink_events_close(again.events, again.error ? NULL : &again.error) &&
        status == EXIT_OK)
        status = EXIT_WRONG;
    if (again.error) {
        g_propagate_error(error, again.error);
        status = EXIT_WRONG;
    }
    if (r.scenario)
        s->title = g_strdup_printf("%s (%s, seed %" G_GUINT64_FORMAT ")", s->operand, observe_scenario(&r),
                                   scenario_seed(r.scenario));
    runner_clear(&r);
    return status;
}

/* ---- logs ---- */

static bool is_scenario(const char *operand)
{
    return g_str_has_suffix(operand, ".lua");
}

/* The event log in the folder, how many there are in *n. */
static char *find_log(const char *folder, unsigned *n)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    char *found = NULL;

    *n = 0;
    while (dir && (name = g_dir_read_name(dir))) {
        if (!g_str_has_suffix(name, LOG_SUFFIX))
            continue;
        g_free(found);
        found = g_build_filename(folder, name, NULL);
        (*n)++;
    }
    if (dir)
        g_dir_close(dir);
    if (*n == 1)
        return found;
    g_free(found);
    return NULL;
}

static bool has_manifest(const char *operand)
{
    g_autofree char *path = g_build_filename(operand, MANIFEST_NAME, NULL);

    return g_str_has_suffix(operand, ".json") || g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool has_log(const DiffOperand *s)
{
    g_autofree char *log = NULL;
    unsigned n;

    if (is_scenario(s->operand) || g_str_has_suffix(s->operand, ".json"))
        return false;
    if (!g_file_test(s->operand, G_FILE_TEST_IS_DIR))
        return true;
    log = find_log(s->operand, &n);
    return log != NULL;
}

static int take_log(const DiffSides *d, DiffOperand *s, GError **error)
{
    unsigned n = 0;

    if (s->set->len || s->has_seed || d->set->len || d->has_seed)
        return wrong_use(error, "\"%s\" is an event log: --set and --seed are for scenarios (*.lua)",
                         s->operand);
    s->path = g_file_test(s->operand, G_FILE_TEST_IS_DIR) ? find_log(s->operand, &n) : g_strdup(s->operand);
    s->title = g_strdup(s->path);
    if (s->path)
        return EXIT_OK;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                "%s holds %s; expected a run's %s (hopscope run --out %s), or one file *%s", s->operand,
                n ? "several event logs" : "no event log", MANIFEST_NAME, s->operand, LOG_SUFFIX);
    return EXIT_WRONG;
}

/* ---- both ---- */

static int prepare(DiffSides *d, int number, bool are_logs, GError **error)
{
    DiffOperand *s = &d->side[number];

    if (!is_scenario(s->operand) && (are_logs || !has_manifest(s->operand)))
        return take_log(d, s, error);
    if (!make_folder(d, error))
        return EXIT_WRONG;
    s->path = g_strdup_printf("%s/%c%s", d->folder, 'a' + number, LOG_SUFFIX);
    return is_scenario(s->operand) ? run_side(d, s) : rerun_side(d, s, error);
}

int diff_side_prepare(DiffSides *d, GError **error)
{
    bool are_logs = has_log(&d->side[0]) && has_log(&d->side[1]);
    int status = prepare(d, 0, are_logs, error);

    return status == EXIT_OK ? prepare(d, 1, are_logs, error) : status;
}

/* Whatever the runs left there goes with the folder. */
static void remove_folder(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_folder(path);
        else
            g_unlink(path);
        g_free(path);
    }
    if (dir)
        g_dir_close(dir);
    g_rmdir(folder);
}

void diff_side_init(DiffSides *d)
{
    *d = (DiffSides){.until = SIM_NEVER, .set = g_ptr_array_new()};
    d->side[0].set = g_ptr_array_new();
    d->side[1].set = g_ptr_array_new();
}

void diff_side_clear(DiffSides *d)
{
    for (int i = 0; i < 2; i++) {
        g_ptr_array_free(d->side[i].set, TRUE);
        g_free(d->side[i].path);
        g_free(d->side[i].title);
    }
    g_ptr_array_free(d->set, TRUE);
    if (d->folder)
        remove_folder(d->folder);
    g_free(d->folder);
}
