/* hopscope run: one scenario, what it says, a summary, and the files that were asked for. */
#include <glib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/run_summary.h"
#include "lab/run/keep.h"
#include "lab/run/manifest.h"
#include "lab/run/outputs_qlog.h"
#include "lab/run/run_folder.h"
#include "sim/trace/eventlog.h"

typedef struct RunOptions {
    RunnerConfig config;
    Console console;
    GPtrArray *set;    /* "name=value" */
    GPtrArray *events; /* classes */
    const char *operand;
    const char *out_dir;
    char *folder; /* of the run that is repeated */
    char *made;   /* what of out_dir was not there */
    bool has_until, has_progress, has_snaplen, has_qlog_port, has_qlog_level, stats, digest, manifest;
    bool progress;
    const char *keep; /* a list; NULL: not said */
    unsigned kinds;   /* of it */
    uint64_t max_memory, snaplen, qlog_port;
} RunOptions;

static bool check_params(const ArgCommand *command, const GPtrArray *set)
{
    for (unsigned i = 0; i < set->len; i++) {
        const char *param = set->pdata[i];
        const char *equals = strchr(param, '=');

        if (!equals || equals == param) {
            args_wrong(command, "--set: \"%s\" is not NAME=VALUE", param);
            return false;
        }
    }
    return true;
}

static bool parse_events(const ArgCommand *command, const GPtrArray *lists, uint64_t *classes)
{
    for (unsigned i = 0; i < lists->len; i++) {
        const char *list = lists->pdata[i];
        uint64_t mask = 0;
        char *error = NULL;

        if (!eventlog_parse_classes(*list ? list : "all", &mask, &error)) {
            args_wrong(command, "--events: %s", error);
            g_free(error);
            return false;
        }
        *classes |= mask;
    }
    return true;
}

static bool check_keep(const ArgCommand *command, RunOptions *o, const char *operand)
{
    g_autofree char *error = NULL;

    if (!o->keep)
        return true;
    if (!keep_parse(o->keep, &o->kinds, &error)) {
        args_wrong(command, "--keep: %s", error);
        return false;
    }
    if (!o->manifest || (!o->out_dir && !manifest_is_named(operand))) {
        args_wrong(command, o->manifest ? "--keep goes with --out DIR"
                                        : "--keep and --no-manifest exclude each other");
        return false;
    }
    return true;
}

/* Somebody who names several has something else in mind. */
static bool check_operands(const ArgCommand *command, const char *const *operand)
{
    if (!operand[1])
        return true;
    args_wrong(command,
               "\"%s\" is a second scenario, and there is one to a run: \"hopscope test\" runs several and "
               "tells which "
               "pass, \"hopscope sweep\" runs one with several parameters and seeds",
               operand[1]);
    return false;
}

static bool check(const ArgCommand *command, RunOptions *o)
{
    RunnerConfig *c = &o->config;

    if (!check_params(command, o->set) || !parse_events(command, o->events, &c->outputs.event_classes))
        return false;
    if (o->console.max_wall < 0 || c->scenario.until < 0) {
        args_wrong(command, "%s: a time must not be negative",
                   o->console.max_wall < 0 ? "--max-wall" : "--until");
        return false;
    }
    if (o->has_snaplen && (o->snaplen == 0 || o->snaplen > UINT32_MAX)) {
        args_wrong(command, "--snaplen: expected at least 1 byte and less than 4 GiB");
        return false;
    }
    c->outputs.snaplen = (uint32_t)o->snaplen;
    if ((c->outputs.pcap_drops || c->outputs.pcap_per_interface || c->outputs.pcap_compress ||
         o->has_snaplen) &&
        !c->outputs.pcap->len)
        g_ptr_array_add(c->outputs.pcap, (void *)"");
    if (o->has_qlog_port && (o->qlog_port == 0 || o->qlog_port > UINT16_MAX)) {
        args_wrong(command, "--qlog-port: expected a number from 1 to 65535, got %" PRIu64, o->qlog_port);
        return false;
    }
    c->outputs.qlog_port = (uint16_t)o->qlog_port;
    if ((o->has_qlog_port || o->has_qlog_level) && !c->outputs.qlog->len)
        g_ptr_array_add(c->outputs.qlog, (void *)"");
    return true;
}

static void complete(RunOptions *o, const char *path)
{
    RunnerConfig *c = &o->config;

    g_ptr_array_add(o->set, NULL);
    c->front = console_front(&o->console);
    o->operand = path;
    c->scenario.path = c->outputs.scenario = path;
    c->scenario.params = (const char *const *)o->set->pdata;
    c->scenario.out_dir = c->outputs.out_dir = o->out_dir ? o->out_dir : ".";
    c->scenario.max_memory = o->max_memory;
    c->outputs.count_drops = !c->scenario.quiet;
    if (o->has_progress)
        o->console.progress = o->progress ? PROGRESS_ALWAYS : PROGRESS_NEVER;
}

static int tell_error(GError *error)
{
    return console_tell_error("run", error);
}

static void print_summary(const RunOptions *o, const Runner *r, int status)
{
    const RunSummaryStyle style = {o->console.seconds, o->digest, o->stats};

    runsummary_print(r, status, &style);
}

static int run_only(RunOptions *o)
{
    Runner r;
    int status = runner_run(&r, &o->config);

    print_summary(o, &r, status);
    runner_clear(&r);
    return status;
}

static int run_into_folder(RunOptions *o)
{
    const RunFolderConfig folder = {o->out_dir, &o->config, o->keep ? o->kinds : (unsigned)KEEP_ALL};
    Runner r;
    int status = run_folder_run(&r, &folder);

    if (r.scenario)
        print_summary(o, &r, status);
    runner_clear(&r);
    return status;
}

static bool is_same_folder(const char *a, const char *b)
{
    GStatBuf x, y;

    return g_stat(a, &x) == 0 && g_stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* An earlier run again: what it left, or is to leave now. */
static int run_again(RunOptions *o, Manifest *m)
{
    const RunFolderConfig folder = {o->out_dir, &o->config, o->keep ? o->kinds : m->keep,
                                    is_same_folder(o->out_dir, o->folder)};
    Runner r;
    int status = run_folder_repeat(&r, &folder, m, o->operand);

    if (r.scenario)
        print_summary(o, &r, status);
    runner_clear(&r);
    return status;
}

static int find_and_run_again(RunOptions *o)
{
    RunnerConfig *c = &o->config;
    GError *error = NULL;
    Manifest *m;
    int status;

    if (c->scenario.has_seed || o->set->len > 1 || o->has_until || c->scenario.max_events || o->max_memory) {
        fprintf(
            stderr,
            "hopscope run: %s is a run that has been: --seed, --set, --until, --max-events and --max-memory "
            "are for scenarios (*.lua)\n",
            o->operand);
        return EXIT_WRONG;
    }
    m = manifest_read(o->operand, &error);
    if (!m)
        return tell_error(error);
    o->folder =
        g_file_test(o->operand, G_FILE_TEST_IS_DIR) ? g_strdup(o->operand) : g_path_get_dirname(o->operand);
    if (!o->out_dir)
        o->out_dir = o->folder;
    c->scenario.out_dir = c->outputs.out_dir = o->out_dir;
    status = runner_make_folder(o->out_dir, &o->made, &error) ? run_again(o, m) : tell_error(error);
    manifest_free(m);
    return status;
}

static int run(RunOptions *o)
{
    GError *error = NULL;

    if (manifest_is_named(o->operand))
        return find_and_run_again(o);
    o->config.outputs.digest = o->digest;
    if (o->out_dir && !runner_make_folder(o->out_dir, &o->made, &error))
        return tell_error(error);
    return o->out_dir && o->manifest ? run_into_folder(o) : run_only(o);
}

int cmd_run(int argc, char **argv)
{
    RunOptions o = {.manifest = true,
                    .config = {.scenario = {.until = SIM_NEVER},
                               .outputs = {.pcap = g_ptr_array_new(), .qlog = g_ptr_array_new()}},
                    .console = {.command = "run"},
                    .set = g_ptr_array_new(),
                    .events = g_ptr_array_new()};
    RunnerConfig *c = &o.config;
    g_autofree const char **operand = g_new0(const char *, argc + 1);
    const ArgOption options[] = {
        {"seed", 's', ARG_COUNT, "N", "seed of every random stream (default 1)", &c->scenario.seed,
         &c->scenario.has_seed, NULL},
        {"set", 'p', ARG_LIST, "NAME=VALUE", "set a parameter of the scenario (hs.param); may be repeated",
         o.set, NULL, NULL},
        {"until", 'u', ARG_TIME, "TIME", "end the run at this simulated time at the latest: 10s, 250ms",
         &c->scenario.until, &o.has_until, NULL},
        {"out", 'o', ARG_STRING, "DIR",
         "folder of the run, which gets all that belongs to it; made if need be. Without it files that are "
         "asked for "
         "come here",
         &o.out_dir, NULL, NULL},
        {"keep", 'k', ARG_STRING, "LIST",
         "with --out: what the folder gets unasked: all (the default), or some of captures, events, series, "
         "pictures; manifest: nothing but that",
         &o.keep, NULL, NULL},
        {"no-manifest", 0, ARG_NO_FLAG, NULL,
         "with --out: no manifest.json, which plot, ladder, report and step need to find the run again, and "
         "nothing "
         "that was not asked for",
         &o.manifest, NULL, NULL},
        {"pcap", 'c', ARG_OPTIONAL_LIST, "PATTERN",
         "capture into SCENARIO.pcapng: every interface, or those that match: client:eth0, 'r*:*', client "
         "(all of its "
         "interfaces), client-r (both ends of a link); may be repeated",
         c->outputs.pcap, NULL, NULL},
        {"pcap-drops", 0, ARG_FLAG, NULL, "capture dropped frames too, with the reason as a comment",
         &c->outputs.pcap_drops, NULL, NULL},
        {"pcap-per-interface", 0, ARG_FLAG, NULL, "one capture file for each interface: NODE-DEVICE.pcapng",
         &c->outputs.pcap_per_interface, NULL, NULL},
        {"pcap-compress", 0, ARG_FLAG, NULL,
         "compress with LZ4: SCENARIO.pcapng.lz4, which Wireshark opens like the plain file",
         &c->outputs.pcap_compress, NULL, NULL},
        {"snaplen", 0, ARG_SIZE, "BYTES", "capture only the first bytes of each frame", &o.snaplen,
         &o.has_snaplen, NULL},
        {"digest", 'd', ARG_FLAG, NULL, "print the digest of the run (docs/determinism.md)", &o.digest, NULL,
         NULL},
        {"stats", 'S', ARG_FLAG, NULL,
         "print what the run cost: events, packets, memory for each host and link, unseed", &o.stats, NULL,
         NULL},
        {"events", 'e', ARG_OPTIONAL_LIST, "CLASSES",
         "log what happens into SCENARIO.events.jsonl: all, or some of frames, state, engine, tx, rx, drop, "
         "queue, link, "
         "switch, neigh, route, ip, udp, socket, tcp, app, log, translation, separated by commas",
         o.events, NULL, NULL},
        {"qlog", 0, ARG_OPTIONAL_LIST, "HOST",
         "log what TCP does as qlog, for qvis: SCENARIO.HOST-client.sqlog and SCENARIO.HOST-server.sqlog, of "
         "all "
         "hosts or of those that match; may be repeated",
         c->outputs.qlog, NULL, NULL},
        {"qlog-port", 0, ARG_COUNT, "PORT", "log only connections with this port at either end", &o.qlog_port,
         &o.has_qlog_port, NULL},
        {"qlog-level", 0, ARG_CHOICE, "LEVEL",
         "how much: core (packets, losses, metrics), base (states and timeouts too; the default), extra "
         "(every timer, every option)",
         &c->outputs.qlog_level, &o.has_qlog_level, outputs_qlog_levels},
        {"quiet", 'q', ARG_FLAG, NULL, "no narration and no summary; failed expectations are still told",
         &c->scenario.quiet, NULL, NULL},
        {"max-events", 0, ARG_COUNT, "N", "stop after so many events: 1e6, 5M", &c->scenario.max_events, NULL,
         NULL},
        {"max-wall", 0, ARG_TIME, "TIME", "stop after so much real time", &o.console.max_wall, NULL, NULL},
        {"max-memory", 0, ARG_SIZE, "SIZE", "memory that the scenario's Lua may use: 64MiB", &o.max_memory,
         NULL, NULL},
        {"progress", 0, ARG_FLAG, NULL, "show progress on stderr even if it is no terminal", &o.progress,
         &o.has_progress, NULL},
        {"no-progress", 0, ARG_NO_FLAG, NULL, "show no progress on a terminal", &o.progress, &o.has_progress,
         NULL},
        {0},
    };
    const ArgCommand command = {
        "run",
        "SCENARIO.lua|RUN",
        "Runs a scenario and tells what happened; --out keeps it. RUN, a folder that --out made, is run "
        "again, for "
        "its files or for others. Exit status: 0, 1 if an expectation failed, 2 if the "
        "scenario or the "
        "command line is wrong or a file cannot be written, 3 if a limit was hit, 130 after ^C.",
        options,
        1,
        (unsigned)argc,
        "  hopscope run ping.lua --out out                      manifest, capture, events, series, pictures\n"
        "  hopscope run ping.lua --out out --keep manifest      the rest can be had later:\n"
        "  hopscope run out --pcap\n"
        "  hopscope run ping.lua --set loss=2% --seed 7 --digest\n"
        "  hopscope run ping.lua --pcap='client:*' --pcap-drops --events=neigh,ip\n",
    };
    ArgsResult result;
    int status = EXIT_WRONG;

    result = args_parse(&command, argc, argv, operand);
    if (result == ARGS_HELPED) {
        status = EXIT_OK;
    } else if (result == ARGS_OK && check_operands(&command, operand) && check(&command, &o) &&
               check_keep(&command, &o, operand[0])) {
        complete(&o, operand[0]);
        status = run(&o);
        if (status != EXIT_OK && status != EXIT_UNEXPECTED)
            runner_remove_folder(o.out_dir, o.made); /* if nothing came into it */
    }
    g_free(o.folder);
    g_free(o.made);
    g_ptr_array_free(o.set, TRUE);
    g_ptr_array_free(o.events, TRUE);
    g_ptr_array_free(c->outputs.pcap, TRUE);
    g_ptr_array_free(c->outputs.qlog, TRUE);
    return status;
}
