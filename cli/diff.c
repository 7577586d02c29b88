/* hopscope diff: two runs, and the first record in which they differ, with its causes; or their numbers side
 * by side. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "lab/diff/diff_series.h"
#include "lab/diff/diff_side.h"
#include "lab/diff/difflog.h"
#include "sim/trace/eventlog.h"

typedef struct Diff {
    const ArgCommand *command;
    DiffSides sides;
    DiffStyle style;
    DiffSeriesConfig series; /* names NULL: not asked for */
    bool has_every;
} Diff;

static DiffResult compare_sides(Diff *d, const DiffSide sides[2], GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    DiffResult result = d->series.names ? diff_series_compare(text, sides, &d->series, error)
                                        : difflog_compare(text, sides, &d->style, error);

    fputs(text->str, stdout);
    return result;
}

static int compare(Diff *d)
{
    const DiffOperand *o = d->sides.side;
    const DiffSide sides[2] = {{"a", o[0].title, o[0].path}, {"b", o[1].title, o[1].path}};
    GError *error = NULL;

    switch (compare_sides(d, sides, &error)) {
    case DIFF_SAME:
        return EXIT_OK;
    case DIFF_DIFFERENT:
        return EXIT_UNEXPECTED;
    case DIFF_ERROR:
        break;
    }
    return console_tell_error("diff", error);
}

static int prepare(Diff *d)
{
    Console console = {.command = "diff", .mute = true};
    GError *error = NULL;
    int status;

    d->sides.front = console_front(&console);
    status = diff_side_prepare(&d->sides, &error);
    if (error && error->domain == G_OPTION_ERROR) {
        args_wrong(d->command, "%s", error->message);
        g_error_free(error);
    } else if (error) {
        console_tell_error("diff", error);
    }
    return status;
}

static bool check(Diff *d, const char *events, const char *const *operand)
{
    const ArgCommand *command = d->command;
    g_autofree char *error = NULL;

    d->series.quiet = d->style.quiet;
    d->sides.side[0].operand = operand[0];
    d->sides.side[1].operand = operand[1] ? operand[1] : operand[0];
    if (!operand[1] && !g_str_has_suffix(operand[0], ".lua"))
        return args_wrong(command,
                          "missing operand B: \"%s\" is not a scenario (*.lua) that could be run twice",
                          operand[0]),
               false;
    if (!eventlog_parse_classes(events, &d->sides.classes, &error))
        return args_wrong(command, "--events: %s", error), false;
    if (d->series.names && (error = diff_series_check(d->series.names)))
        return args_wrong(command, "--series: %s", error), false;
    if (d->has_every && d->series.every <= 0)
        return args_wrong(command, "--every: expected a time above 0"), false;
    if (!d->series.names && (d->series.place || d->series.tsv || d->has_every))
        return args_wrong(command, "--at, --every and --tsv go with --series"), false;
    return true;
}

int cmd_diff(int argc, char **argv)
{
    Diff d = {0};
    DiffOperand *side = d.sides.side;
    const char *operand[3], *events = "all";
    uint64_t context = 5, after = 3, causes = 8;
    int status = EXIT_WRONG;

    diff_side_init(&d.sides);
    const ArgOption options[] = {
        {"set", 'p', ARG_LIST, "NAME=VALUE", "set a parameter of both scenarios; may be repeated",
         d.sides.set, NULL, NULL},
        {"set-a", 0, ARG_LIST, "NAME=VALUE", "the same for side a only", side[0].set, NULL, NULL},
        {"set-b", 0, ARG_LIST, "NAME=VALUE", "the same for side b only", side[1].set, NULL, NULL},
        {"seed", 's', ARG_COUNT, "N", "seed of both runs", &d.sides.seed, &d.sides.has_seed, NULL},
        {"seed-a", 0, ARG_COUNT, "N", "seed of side a", &side[0].seed, &side[0].has_seed, NULL},
        {"seed-b", 0, ARG_COUNT, "N", "seed of side b", &side[1].seed, &side[1].has_seed, NULL},
        {"until", 'u', ARG_TIME, "TIME", "end both runs at this simulated time", &d.sides.until, NULL, NULL},
        {"events", 'e', ARG_STRING, "CLASSES",
         "what to compare, as in 'run --events' (default all; all,engine compares every event of the engine "
         "too)",
         &events, NULL, NULL},
        {"context", 'n', ARG_COUNT, "N", "show so many records before the difference (default 5)", &context,
         NULL, NULL},
        {"after", 'a', ARG_COUNT, "N", "show so many records of each side from the difference on (default 3)",
         &after, NULL, NULL},
        {"causes", 'c', ARG_COUNT, "N",
         "go back at most so many steps to what led to the difference (default 8)", &causes, NULL, NULL},
        {"series", 'S', ARG_STRING, "NAMES",
         "numbers side by side instead: cwnd, delivered, inflight, lost, queue, rto, rtt, ssthresh, window, "
         "or "
         "fields of probes such as tcp.cwnd.cwnd, separated by commas",
         &d.series.names, NULL, NULL},
        {"at", 0, ARG_STRING, "PATTERN", "with --series: only there: client, 'r:*'", &d.series.place, NULL,
         NULL},
        {"every", 0, ARG_TIME, "TIME", "with --series: a row for each such time (default: about 20 rows)",
         &d.series.every, &d.has_every, NULL},
        {"tsv", 0, ARG_FLAG, NULL, "with --series: one table of tab-separated text", &d.series.tsv, NULL,
         NULL},
        {"quiet", 'q', ARG_FLAG, NULL, "say nothing, only exit with 0 or 1", &d.style.quiet, NULL, NULL},
        {0},
    };
    const ArgCommand command = {
        "diff",
        "A [B]",
        "Finds the first record in which two runs differ and shows it with what came before and what caused "
        "it; "
        "or, with --series, numbers of both side by side. A and B are scenarios, which are run, folders of "
        "runs "
        "('hopscope run --out'), which are run again, or event logs ('hopscope run --events') and folders "
        "that hold "
        "one; without B, A is run twice. Exit status: 0 if they are the same, 1 if they differ, 2 on an "
        "error.",
        options,
        1,
        2,
        "  hopscope diff old/ping.events.jsonl new/ping.events.jsonl\n"
        "  hopscope diff ping.lua --set-a loss=0 --set-b loss=1%\n"
        "  hopscope diff ping.lua --seed-b 2 --events=frames\n"
        "  hopscope diff bulk.lua --set-a cc=reno --set-b cc=cubic --series cwnd,queue --at 'client*'\n"
        "  hopscope diff ping.lua                (does it repeat itself?)\n",
    };

    d.command = &command;
    switch (args_parse(&command, argc, argv, operand)) {
    case ARGS_HELPED:
        status = EXIT_OK;
        break;
    case ARGS_OK:
        d.style.context = (unsigned)HS_MIN(context, 100000);
        d.style.causes = (unsigned)HS_MIN(causes, 100000);
        d.style.after = (unsigned)HS_MAX(HS_MIN(after, 100000), 1);
        if (!check(&d, events, operand))
            break;
        status = prepare(&d);
        if (status == EXIT_OK)
            status = compare(&d);
        break;
    case ARGS_WRONG:
        break;
    }
    diff_side_clear(&d.sides);
    return status;
}
