/* hopscope diff: two runs, and the first record in which they differ. A side is an event log, a folder that
 * holds one, or a scenario, which is run for the purpose. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/difflog.h"
#include "cli/runner.h"
#include "sim/trace/eventlog.h"

#define LOG_SUFFIX ".events.jsonl"

typedef struct Side {
    const char *operand;
    GPtrArray *set; /* of this side only */
    uint64_t seed;
    bool has_seed;
    char *path, *title;
} Side;

typedef struct Diff {
    const ArgCommand *command;
    Side side[2];
    GPtrArray *set; /* of both */
    uint64_t seed;
    SimTime until;
    bool has_seed;
    uint64_t classes;
    DiffStyle style;
    char *folder; /* for logs of runs */
} Diff;

static char *describe_run(const char *path, const GPtrArray *params, bool has_seed, uint64_t seed)
{
    GString *s = g_string_new(path);

    for (unsigned i = 0; i < params->len; i++)
        g_string_append_printf(s, "%s %s", i ? "" : " --set", (const char *)params->pdata[i]);
    if (has_seed)
        g_string_append_printf(s, " --seed %" G_GUINT64_FORMAT, seed);
    return g_string_free(s, FALSE);
}

static bool make_folder(Diff *d)
{
    GError *error = NULL;

    if (d->folder)
        return true;
    d->folder = g_dir_make_tmp("hopscope-diff-XXXXXX", &error);
    if (d->folder)
        return true;
    fprintf(stderr, "hopscope diff: %s\n", error->message);
    g_error_free(error);
    return false;
}

/* Expectations may fail and limits be hit: the records up to there are compared. */
static int run_side(Diff *d, Side *s, int number)
{
    GPtrArray *params = g_ptr_array_new();
    GPtrArray *no_pcap = g_ptr_array_new();
    RunnerConfig c = {.command = "diff", .mute = true, .progress = PROGRESS_IF_TERMINAL};
    Runner r;
    int status;

    if (!make_folder(d))
        return EXIT_WRONG;
    for (unsigned i = 0; i < d->set->len; i++)
        g_ptr_array_add(params, d->set->pdata[i]);
    for (unsigned i = 0; i < s->set->len; i++)
        g_ptr_array_add(params, s->set->pdata[i]);
    s->title = describe_run(s->operand, params, s->has_seed || d->has_seed, s->has_seed ? s->seed : d->seed);
    g_ptr_array_add(params, NULL);
    s->path = g_strdup_printf("%s/%c%s", d->folder, 'a' + number, LOG_SUFFIX);
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

/* The one event log in the folder. */
static char *find_log(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    char *found = NULL;
    unsigned n = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        if (!g_str_has_suffix(name, LOG_SUFFIX))
            continue;
        g_free(found);
        found = g_build_filename(folder, name, NULL);
        n++;
    }
    if (dir)
        g_dir_close(dir);
    if (n == 1)
        return found;
    g_free(found);
    fprintf(stderr, "hopscope diff: %s %s; expected one file *%s (hopscope run --events --out %s)\n", folder,
            n ? "holds several event logs" : "holds no event log", LOG_SUFFIX, folder);
    return NULL;
}

static int prepare(Diff *d, int number)
{
    Side *s = &d->side[number];

    if (g_str_has_suffix(s->operand, ".lua"))
        return run_side(d, s, number);
    if (s->set->len || s->has_seed || d->set->len || d->has_seed)
        return args_wrong(d->command, "\"%s\" is an event log: --set and --seed are for scenarios (*.lua)",
                          s->operand);
    s->path = g_file_test(s->operand, G_FILE_TEST_IS_DIR) ? find_log(s->operand) : g_strdup(s->operand);
    s->title = g_strdup(s->path);
    return s->path ? EXIT_OK : EXIT_WRONG;
}

static int compare(Diff *d)
{
    const DiffSide sides[2] = {{"a", d->side[0].title, d->side[0].path},
                               {"b", d->side[1].title, d->side[1].path}};
    GError *error = NULL;

    switch (difflog_compare(sides, &d->style, &error)) {
    case DIFF_SAME:
        return EXIT_OK;
    case DIFF_DIFFERENT:
        return EXIT_UNEXPECTED;
    case DIFF_ERROR:
        break;
    }
    fflush(stdout);
    fprintf(stderr, "hopscope diff: %s\n", error->message);
    g_error_free(error);
    return EXIT_WRONG;
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

static void clear(Diff *d)
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

static int work(Diff *d, const char *events)
{
    char *error = NULL;
    int status;

    if (!eventlog_parse_classes(events, &d->classes, &error)) {
        args_wrong(d->command, "--events: %s", error);
        g_free(error);
        return EXIT_WRONG;
    }
    status = prepare(d, 0);
    if (status == EXIT_OK)
        status = prepare(d, 1);
    return status == EXIT_OK ? compare(d) : status;
}

int cmd_diff(int argc, char **argv)
{
    Diff d = {.until = SIM_NEVER, .set = g_ptr_array_new()};
    const char *operand[3], *events = "all";
    uint64_t context = 5, after = 3;
    int status = EXIT_WRONG;

    d.side[0].set = g_ptr_array_new();
    d.side[1].set = g_ptr_array_new();
    const ArgOption options[] = {
        {"set", 'p', ARG_LIST, "NAME=VALUE", "set a parameter of both scenarios; may be repeated", d.set,
         NULL, NULL},
        {"set-a", 0, ARG_LIST, "NAME=VALUE", "the same for side a only", d.side[0].set, NULL, NULL},
        {"set-b", 0, ARG_LIST, "NAME=VALUE", "the same for side b only", d.side[1].set, NULL, NULL},
        {"seed", 's', ARG_COUNT, "N", "seed of both runs", &d.seed, &d.has_seed, NULL},
        {"seed-a", 0, ARG_COUNT, "N", "seed of side a", &d.side[0].seed, &d.side[0].has_seed, NULL},
        {"seed-b", 0, ARG_COUNT, "N", "seed of side b", &d.side[1].seed, &d.side[1].has_seed, NULL},
        {"until", 'u', ARG_TIME, "TIME", "end both runs at this simulated time", &d.until, NULL, NULL},
        {"events", 'e', ARG_STRING, "CLASSES",
         "what to compare, as in 'run --events' (default all; all,engine compares every event of the engine "
         "too)",
         &events, NULL, NULL},
        {"context", 'n', ARG_COUNT, "N", "show so many records before the difference (default 5)", &context,
         NULL, NULL},
        {"after", 'a', ARG_COUNT, "N", "show so many records of each side from the difference on (default 3)",
         &after, NULL, NULL},
        {"quiet", 'q', ARG_FLAG, NULL, "say nothing, only exit with 0 or 1", &d.style.quiet, NULL, NULL},
        {0},
    };
    const ArgCommand command = {
        "diff",
        "A [B]",
        "Finds the first record in which two runs differ and shows it with what came before. A and B are "
        "event logs "
        "(written by 'hopscope run --events'), folders that hold one, or scenarios, which are run; without "
        "B, A is run "
        "twice. Exit status: 0 if they are the same, 1 if they differ, 2 on an error.",
        options,
        1,
        2,
        "  hopscope diff old/ping.events.jsonl new/ping.events.jsonl\n"
        "  hopscope diff ping.lua --set-a loss=0 --set-b loss=1%\n"
        "  hopscope diff ping.lua --seed-b 2 --events=frames\n"
        "  hopscope diff ping.lua                (does it repeat itself?)\n",
    };

    d.command = &command;
    switch (args_parse(&command, argc, argv, operand)) {
    case ARGS_HELPED:
        status = EXIT_OK;
        break;
    case ARGS_OK:
        d.side[0].operand = operand[0];
        d.side[1].operand = operand[1] ? operand[1] : operand[0];
        if (!operand[1] && !g_str_has_suffix(operand[0], ".lua")) {
            args_wrong(&command,
                       "missing operand B: \"%s\" is not a scenario (*.lua) that could be run twice",
                       operand[0]);
            break;
        }
        d.style.context = (unsigned)HS_MIN(context, 100000);
        d.style.after = (unsigned)HS_MAX(HS_MIN(after, 100000), 1);
        status = work(&d, events);
        break;
    case ARGS_WRONG:
        break;
    }
    clear(&d);
    return status;
}
