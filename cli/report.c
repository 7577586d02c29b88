/* hopscope report: runs what is to be looked at, and writes the page that shows it. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/observe_options.h"
#include "cli/out_check.h"
#include "lab/run/report_net.h"
#include "lab/run/story_net.h"

/* A page of more than fifty megabytes opens slowly; so many records of full frames take a gigabyte of memory.
 */
#define MAX_RECORDS 1500000
#define MAX_BYTES (UINT64_C(1) << 30)

typedef struct Report {
    const ArgCommand *command;
    ObserveConfig observe;
    ReportConfig page;
    const char *path, *flow, *between;
    Story *story;
    StoryNet *story_net;
    ReportNet net;
    bool *shows_flow;
    GArray *lanes; /* int32_t */
    bool has_from, has_to, quiet;
} Report;

static void on_start(void *user, Scenario *s)
{
    Report *r = user;
    StoryConfig config = {
        .classes = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) | PROBE_BIT(PROBE_FRAME_DROP) |
                   PROBE_BIT(PROBE_QUEUE) | PROBE_BIT(PROBE_LINK) | PROBE_BIT(PROBE_TCP) |
                   PROBE_BIT(PROBE_LOG) | PROBE_BIT(PROBE_TRANSLATION),
        .max_records = MAX_RECORDS,
        .max_bytes = MAX_BYTES,
    };

    r->story_net = storynet_new(s);
    storynet_fill(r->story_net, &config);
    report_net_init(&r->net, s);
    r->story = story_new(&config);
    story_attach(r->story, net_probes(scenario_net(s)));
}

/* ---- what is chosen ---- */

static char *flow_name(const Story *s, int32_t i)
{
    const StoryFlow *f = story_flow(s, i);
    const char *end[2];

    for (int side = 0; side < 2; side++)
        end[side] = f->node[side] != STORY_NONE ? story_node(s, f->node[side])->name : f->addr[side];
    return g_strdup_printf("%s:%u>%s:%u", end[0], f->port[0], end[1], f->port[1]);
}

/* A number from 1, a port, or both ends as flow_name has them. */
static bool choose_flows(Report *r)
{
    int32_t n = story_flow_count(r->story);
    guint64 number = 0;
    bool is_number, found = false;

    if (!r->flow)
        return true;
    is_number = g_ascii_string_to_unsigned(r->flow, 10, 1, 65535, &number, NULL);
    r->shows_flow = g_new0(bool, (gsize)n + 1);
    if (is_number && number <= (guint64)n)
        found = r->shows_flow[number - 1] = true;
    for (int32_t i = 0; i < n && !found; i++) {
        const StoryFlow *f = story_flow(r->story, i);
        char *name = flow_name(r->story, i);

        r->shows_flow[i] = is_number ? f->port[0] == number || f->port[1] == number : !strcmp(name, r->flow);
        g_free(name);
    }
    for (int32_t i = 0; i < n; i++)
        found |= r->shows_flow[i];
    if (!found && n) {
        char *last = flow_name(r->story, n - 1);

        args_wrong(r->command,
                   "--flow: \"%s\" is no flow of this run; expected a number from 1 to %d, a port, or "
                   "both ends as in \"%s\"",
                   r->flow, n, last);
        g_free(last);
    } else if (!found) {
        args_wrong(r->command, "--flow: this run has no TCP or UDP");
    }
    r->page.shows_flow = r->shows_flow;
    return found;
}

static bool choose_lanes(Report *r)
{
    char **names = g_strsplit(r->between ? r->between : "", ",", -1);
    bool ok = true;

    for (char **name = names; *name && ok; name++) {
        int32_t node = story_node_by_name(r->story, g_strstrip(*name));

        if (node == STORY_NONE) {
            args_wrong(r->command, "--between: \"%s\" is no node of this run that sent or received anything",
                       *name);
            ok = false;
        } else {
            g_array_append_val(r->lanes, node);
        }
    }
    g_strfreev(names);
    r->page.lane = (const int32_t *)(const void *)r->lanes->data;
    r->page.n_lanes = r->lanes->len;
    return ok;
}

/* "handshake.html" of "lessons/handshake.lua". */
static char *default_path(const char *scenario)
{
    char *base = g_path_get_basename(scenario), *path;

    if (g_str_has_suffix(base, ".lua"))
        base[strlen(base) - 4] = '\0';
    path = g_strconcat(base, ".html", NULL);
    g_free(base);
    return path;
}

static bool check_page(const Report *r, const char *const *operand)
{
    g_autofree char *path = r->path                              ? g_strdup(r->path)
                            : g_str_has_suffix(*operand, ".lua") ? default_path(*operand)
                                                                 : NULL;
    OutCheck out;
    bool ok;

    outcheck_init(&out, r->command, operand);
    ok = !path || outcheck_file(&out, r->path ? "--output" : NULL, path);
    outcheck_clear(&out);
    return ok;
}

static int write_page(Report *r, Runner *runner)
{
    char *path = r->path ? g_strdup(r->path) : default_path(observe_scenario(runner));
    char *scenario = g_path_get_basename(observe_scenario(runner));
    GError *error = NULL;
    int status = EXIT_OK;

    r->page.scenario = scenario;
    report_net_tell(&r->net, runner->scenario, &r->page);
    if (!report_write(r->story, &r->page, path, &error)) {
        status = console_tell_error("report", error);
    } else if (!r->quiet) {
        printf("wrote %s\n", path);
    }
    if (status == EXIT_OK && story_is_cut(r->story))
        fprintf(stderr,
                "hopscope report: the run has more than %d records; the page shows what came before\n",
                MAX_RECORDS);
    g_free(scenario);
    g_free(path);
    return status;
}

static int work(Report *r)
{
    Console console = {.command = "report", .mute = true};
    Runner runner;
    int status;

    r->observe.front = console_front(&console);
    status = observe_run(&runner, &r->observe);

    if (r->story)
        story_seal(r->story);
    if (status == EXIT_OK)
        status = choose_flows(r) && choose_lanes(r) ? write_page(r, &runner) : EXIT_WRONG;
    story_free(r->story);
    storynet_free(r->story_net);
    report_net_clear(&r->net);
    runner_clear(&runner);
    return status;
}

int cmd_report(int argc, char **argv)
{
    static const char *const languages[] = {"en", "zh", NULL};
    Report r = {.observe = {.until = SIM_NEVER, .set = g_ptr_array_new()},
                .page = {.to = SIM_NEVER},
                .lanes = g_array_new(FALSE, FALSE, sizeof(int32_t))};
    const char *operand[2];
    const ArgOption options[] = {
        {"output", 'o', ARG_STRING, "FILE",
         "the page (default: the scenario's name with .html, in this folder)", &r.path, NULL, NULL},
        {"between", 'b', ARG_STRING, "A,B",
         "show the lanes of these nodes at first (default: those that matter)", &r.between, NULL, NULL},
        {"flow", 'f', ARG_STRING, "FLOW",
         "only this conversation: its number from 1, a port, or \"client:40000>server:80\"", &r.flow, NULL,
         NULL},
        {"from", 0, ARG_TIME, "TIME", "leave out what happened before", &r.page.from, &r.has_from, NULL},
        {"to", 0, ARG_TIME, "TIME", "leave out what happened later", &r.page.to, &r.has_to, NULL},
        {"lang", 'l', ARG_CHOICE, "en|zh", "the page's language (default: what the reader's browser prefers)",
         &r.page.lang, NULL, languages},
        {"title", 't', ARG_STRING, "TEXT", "the page's title (default: what the scenario calls itself)",
         &r.page.title, NULL, NULL},
        {"quiet", 'q', ARG_FLAG, NULL, "do not say what was written", &r.quiet, NULL, NULL},
        OBSERVE_OPTIONS(&r.observe),
        {0},
    };
    const ArgCommand command = {
        "report",
        "RUN",
        "Makes one HTML page that shows a run: the ladder with a time slider and steps both ways, every "
        "packet's bytes "
        "and fields, TCP's states and windows, plots, the topology, narration and expectations. The page "
        "needs no "
        "network. RUN is a scenario or the folder of an earlier run. Exit status: 0, 2 if the scenario or "
        "the command "
        "line is wrong or the page cannot be written, 3 if a limit was hit, 130 after ^C.",
        options,
        1,
        1,
        "  hopscope report handshake.lua                       handshake.html\n"
        "  hopscope report handshake.lua -o page.html --lang zh\n"
        "  hopscope report transfer.lua --set loss=2% --flow 80 --between client,server --from 1s --to 3s\n",
    };
    int status = EXIT_WRONG;

    r.command = &command;
    switch (args_parse(&command, argc, argv, operand)) {
    case ARGS_HELPED:
        status = EXIT_OK;
        break;
    case ARGS_OK:
        if (r.page.from < 0 || r.page.to < r.page.from) {
            args_wrong(&command, "--from, --to: expected two times, the earlier one first");
            break;
        }
        if (!check_page(&r, operand))
            break;
        r.observe.operand = operand[0];
        r.observe.on_start = on_start;
        r.observe.user = &r;
        status = work(&r);
        break;
    case ARGS_WRONG:
        break;
    }
    g_ptr_array_free(r.observe.set, TRUE);
    g_array_free(r.lanes, TRUE);
    g_free(r.shows_flow);
    return status;
}
