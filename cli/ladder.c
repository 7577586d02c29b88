/* hopscope ladder: a run as a sequence diagram, in the terminal or as a picture. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/out_check.h"
#include "lab/run/ladder_out.h"
#include "cli/observe_options.h"

#define WIDTH_DEFAULT 80
#define WIDTH_MIN 60
#define WIDTH_MAX 1000

typedef struct LadderOptions {
    ObserveConfig observe;
    LadderConfig ladder;
    const char *between;
    GPtrArray *files;
    uint64_t width, max_rows;
    bool has_width, svg, ascii, list_flows;
    LadderRecorder *recorder;
} LadderOptions;

static void on_start(void *user, Scenario *s)
{
    LadderOptions *o = user;

    o->recorder = ladderout_record(s, 0);
}

static unsigned terminal_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
        return WIDTH_DEFAULT;
    return HS_MIN(HS_MAX(size.ws_col, WIDTH_MIN), 140);
}

static bool check_files(const ArgCommand *command, const LadderOptions *o, const char *const *operand)
{
    OutCheck out;
    bool ok = true;

    outcheck_init(&out, command, operand);
    for (guint i = 0; i < o->files->len && ok; i++)
        ok = outcheck_file(&out, "--output", o->files->pdata[i]);
    outcheck_clear(&out);
    return ok;
}

static bool check(const ArgCommand *command, LadderOptions *o)
{
    if (o->has_width && (o->width < WIDTH_MIN || o->width > WIDTH_MAX)) {
        args_wrong(command, "--width: expected %d to %d columns", WIDTH_MIN, WIDTH_MAX);
        return false;
    }
    if (o->ladder.from < 0 || o->ladder.to < o->ladder.from) {
        args_wrong(command, "--from and --to: expected times of which the first is not the later one");
        return false;
    }
    for (guint i = 0; i < o->files->len; i++) {
        const char *path = o->files->pdata[i];

        if (!g_str_has_suffix(path, ".svg") && !g_str_has_suffix(path, ".txt")) {
            args_wrong(command,
                       "--output: \"%s\" has no known format; expected a name that ends in .svg or .txt",
                       path);
            return false;
        }
    }
    if (o->max_rows > INT32_MAX / 2) {
        args_wrong(command, "--max-rows: expected less than a thousand million");
        return false;
    }
    if (!o->has_width)
        o->width = o->files->len ? LADDEROUT_WIDTH : terminal_width();
    o->ladder.max_rows = (uint32_t)o->max_rows;
    return true;
}

static void print(const LadderOptions *o, const Ladder *l)
{
    const char *no_color = g_getenv("NO_COLOR");
    LadderTextConfig config = {.width = (unsigned)o->width,
                               .ascii = o->ascii,
                               .color = isatty(STDOUT_FILENO) && !(no_color && *no_color)};
    char *text = o->svg ? ladder_svg(l) : ladder_text(l, &config);

    fputs(text, stdout);
    g_free(text);
}

static int tell(const char *message)
{
    return console_tell("ladder", message);
}

static int draw(LadderOptions *o)
{
    char *error = NULL, **between = o->between ? g_strsplit(o->between, ",", -1) : NULL;
    GError *broken = NULL;
    Ladder *l;
    int status = EXIT_OK;

    o->ladder.between = (const char *const *)between;
    l = ladder_new(ladderout_story(o->recorder), &o->ladder, &error);
    if (!l) {
        status = tell(error);
        g_free(error);
    } else if (!o->files->len) {
        print(o, l);
    }
    for (guint i = 0; l && i < o->files->len && status == EXIT_OK; i++)
        if (!ladderout_write(l, o->files->pdata[i], (unsigned)o->width, o->ascii, &broken)) {
            status = tell(broken->message);
            g_error_free(broken);
        } else {
            printf("wrote %s\n", (const char *)o->files->pdata[i]);
        }
    ladder_free(l);
    g_strfreev(between);
    return status;
}

static int run(LadderOptions *o)
{
    Console console = {.command = "ladder", .mute = true};
    Runner r;
    char *flows, *name;
    int status;

    o->observe.front = console_front(&console);
    o->observe.on_start = on_start;
    o->observe.user = o;
    status = observe_run(&r, &o->observe);
    name = g_path_get_basename(observe_scenario(&r));
    if (o->recorder && status != EXIT_WRONG) {
        story_seal(ladderout_story(o->recorder));
        o->ladder.title = name;
        if (o->list_flows) {
            flows = ladder_list_flows(ladderout_story(o->recorder));
            fputs(*flows ? flows : "no flows: nothing sent TCP or UDP\n", stdout);
            g_free(flows);
        } else {
            int drawn = draw(o);

            status = drawn == EXIT_OK ? status : drawn;
        }
    }
    g_free(name);
    ladderout_free(o->recorder);
    runner_clear(&r);
    return status;
}

int cmd_ladder(int argc, char **argv)
{
    LadderOptions o = {.observe = {.until = SIM_NEVER, .set = g_ptr_array_new()},
                       .ladder = {.to = SIM_NEVER},
                       .files = g_ptr_array_new()};
    ObserveConfig *c = &o.observe;
    static const char *const languages[] = {"en", "zh", NULL};
    const char *operand[2];
    const ArgOption options[] = {
        OBSERVE_OPTIONS(c),
        {"between", 'b', ARG_STRING, "NODES",
         "lanes for these nodes, in this order: client,server (default: hosts, and who else sends packets of "
         "its own)",
         &o.between, NULL, NULL},
        {"hops", 0, ARG_FLAG, NULL, "lanes for the routers, switches and hubs on the way too", &o.ladder.hops,
         NULL, NULL},
        {"flow", 'f', ARG_STRING, "FLOW",
         "only this conversation: its number (--list-flows), client:40000>server:80, or a port",
         &o.ladder.flow, NULL, NULL},
        {"list-flows", 'l', ARG_FLAG, NULL, "list the conversations of the run, and draw nothing",
         &o.list_flows, NULL, NULL},
        {"from", 0, ARG_TIME, "TIME", "only what was sent at this time or later", &o.ladder.from, NULL, NULL},
        {"to", 0, ARG_TIME, "TIME", "only what was sent until this time", &o.ladder.to, NULL, NULL},
        {"timers", 't', ARG_FLAG, NULL, "show TCP's timers: armed, stopped, fired", &o.ladder.timers, NULL,
         NULL},
        {"options", 0, ARG_FLAG, NULL, "show the TCP options of every segment, not only SYN's and SACK",
         &o.ladder.options, NULL, NULL},
        {"absolute", 'a', ARG_FLAG, NULL, "sequence numbers as on the wire; default: they count from the SYN",
         &o.ladder.absolute, NULL, NULL},
        {"unfold", 0, ARG_FLAG, NULL, "show long exchanges in full", &o.ladder.unfold, NULL, NULL},
        {"no-notes", 0, ARG_FLAG, NULL, "leave out what the scenario says", &o.ladder.no_notes, NULL, NULL},
        {"no-states", 0, ARG_FLAG, NULL, "leave out the states of TCP connections", &o.ladder.no_states, NULL,
         NULL},
        {"max-rows", 0, ARG_COUNT, "N", "end the picture after so many rows (default 600)", &o.max_rows, NULL,
         NULL},
        {"output", 'o', ARG_LIST, "FILE", "write FILE.svg or FILE.txt instead of printing; may be repeated",
         o.files, NULL, NULL},
        {"svg", 0, ARG_FLAG, NULL, "print SVG instead of text", &o.svg, NULL, NULL},
        {"width", 'w', ARG_COUNT, "N",
         "columns of text, at least 60 (default: the terminal's, 80, 100 in a file)", &o.width, &o.has_width,
         NULL},
        {"lang", 0, ARG_CHOICE, "en|zh", "language of the scenario's title and notes, where it has both",
         &o.ladder.lang, NULL, languages},
        {"ascii", 0, ARG_FLAG, NULL, "text in ASCII only", &o.ascii, NULL, NULL},
        {0},
    };
    const ArgCommand command = {
        "ladder",
        "RUN",
        "Draws a run as a sequence diagram: nodes are vertical lines, frames are arrows that leave and "
        "arrive at their true times, from top to bottom; what was lost ends where it was lost. RUN is a "
        "scenario, which is run, or the folder of a run, which is run again. Long exchanges are folded, and "
        "time in which nothing happens is left out, with a mark. Exit status: 0, 2 if the scenario or the "
        "command line is wrong or a file cannot be written, 3 if a limit was hit, 130 after ^C.",
        options,
        1,
        1,
        "  hopscope ladder handshake.lua\n"
        "  hopscope ladder handshake.lua --timers -o handshake.svg\n"
        "  hopscope ladder network.lua --between client,server --hops --flow 1 --from 1s --to 2s\n",
    };
    ArgsResult result = args_parse(&command, argc, argv, operand);
    int status = EXIT_WRONG;

    if (result == ARGS_HELPED) {
        status = EXIT_OK;
    } else if (result == ARGS_OK && check(&command, &o) && check_files(&command, &o, operand)) {
        c->operand = operand[0];
        status = run(&o);
    }
    g_ptr_array_free(c->set, TRUE);
    g_ptr_array_free(o.files, TRUE);
    return status;
}
