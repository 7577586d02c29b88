/* hopscope plot: what one run or several show over time, as a picture or on the terminal. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/out_check.h"
#include "lab/run/gnuplot.h"
#include "cli/observe_options.h"
#include "lab/run/plot_net.h"
#include "view/plot_build.h"
#include "view/plot_gnuplot.h"
#include "view/plot_term.h"

#define MAX_RUNS 16
#define TERM_WIDTH 80

typedef struct PlotOptions {
    ObserveConfig observe;
    PlotWish wish;
    GPtrArray *what, *labels;
    const char *vary, *output, *size, *style;
    bool term, ascii, has_width, has_height, has_from, has_to, has_interval, has_until;
    uint64_t width, height;
    /* The run that is being collected. */
    PlotSink *sink;
} PlotOptions;

/* What one of the runs is: an operand, and a setting of --vary. */
typedef struct Variant {
    const char *operand;
    char *set, *label;
    PlotSink *sink;
} Variant;

static void on_start(void *user, Scenario *s)
{
    PlotOptions *o = user;
    PlotSinkConfig config = {.wish = o->wish};

    plotnet_fill(&config, s);
    o->sink = plotsink_new(&config);
    plotsink_attach(o->sink, net_probes(scenario_net(s)));
}

/* ---- options ---- */

static bool check_what(const ArgCommand *command, PlotOptions *o)
{
    for (unsigned i = 0; i < o->what->len; i++) {
        char *error = NULL;

        if (!plot_parse_what(o->what->pdata[i], &o->wish.what, &error)) {
            args_wrong(command, "--what: %s", error);
            g_free(error);
            return false;
        }
    }
    if (!o->wish.what)
        o->wish.what = o->wish.cdf ? PLOT_BIT(PLOT_RTT) : PLOT_BIT(PLOT_CWND) | PLOT_BIT(PLOT_SSTHRESH);
    if (o->wish.cdf && !plot_has_distribution(o->wish.what)) {
        args_wrong(
            command,
            "--cdf: expected --what with exactly one of cwnd, ssthresh, inflight, rwnd, rtt, rto, queue, "
            "sojourn, throughput, goodput");
        return false;
    }
    return true;
}

/* "800x400" */
static bool parse_size(const char *text, PlotLook *look)
{
    g_auto(GStrv) parts = g_strsplit(text, "x", -1);
    guint64 width, height;

    if (g_strv_length(parts) != 2 || !g_ascii_string_to_unsigned(parts[0], 10, 200, 8000, &width, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 100, 8000, &height, NULL))
        return false;
    look->width = (unsigned)width;
    look->height = (unsigned)height;
    return true;
}

static bool check(const ArgCommand *command, PlotOptions *o)
{
    PlotFormat format;

    if (!check_what(command, o))
        return false;
    if (!o->has_to)
        o->wish.to = SIM_NEVER;
    if (o->wish.from < 0 || o->wish.to <= o->wish.from) {
        args_wrong(command, "--from and --to: expected two times, the second one later than the first");
        return false;
    }
    if (o->has_interval && o->wish.interval < SIM_US) {
        args_wrong(command, "--interval: expected at least 1us");
        return false;
    }
    if (o->output && !plotgnuplot_format(o->output, &format)) {
        args_wrong(command,
                   "--output: \"%s\" is no name of a picture; expected one that ends in .svg, .png or .pdf",
                   o->output);
        return false;
    }
    if (o->has_width && (o->width < PLOT_TERM_MIN || o->width > 1000)) {
        args_wrong(command, "--width: expected %d to 1000 columns", PLOT_TERM_MIN);
        return false;
    }
    if (o->has_height && (o->height < 4 || o->height > 200)) {
        args_wrong(command, "--height: expected 4 to 200 rows");
        return false;
    }
    if (o->size && !parse_size(o->size, &o->wish.look)) {
        args_wrong(command,
                   "--size: \"%s\" is no size; expected WIDTHxHEIGHT in pixels: 200x100 to 8000x8000",
                   o->size);
        return false;
    }
    if (o->style && strcmp(o->style, "screen") && strcmp(o->style, "paper")) {
        args_wrong(command, "--style: got \"%s\", expected screen or paper", o->style);
        return false;
    }
    o->wish.look.is_paper = o->style && !strcmp(o->style, "paper");
    if (o->vary && (!strchr(o->vary, '=') || *o->vary == '=' || !strchr(o->vary, '=')[1])) {
        args_wrong(command, "--vary: \"%s\" is not NAME=VALUE,VALUE,...", o->vary);
        return false;
    }
    return true;
}

/* ---- the runs ---- */

static void add_variants(GArray *variants, const char *operand, const char *vary)
{
    const char *equals = vary ? strchr(vary, '=') : NULL;
    char **values;

    if (!vary) {
        g_array_append_val(variants, ((Variant){.operand = operand}));
        return;
    }
    values = g_strsplit(equals + 1, ",", -1);
    for (unsigned i = 0; values[i]; i++) {
        Variant v = {.operand = operand,
                     .set = g_strdup_printf("%.*s=%s", (int)(equals - vary), vary, values[i])};

        g_array_append_val(variants, v);
    }
    g_strfreev(values);
}

/* "reno" of "lessons/reno.lua" and of "runs/reno/". */
static char *stem_of(const char *operand)
{
    char *name = g_path_get_basename(operand), *folder;

    if (g_str_has_suffix(name, ".lua")) {
        name[strlen(name) - 4] = 0;
    } else if (g_str_has_suffix(name, ".json")) {
        folder = g_path_get_dirname(operand);
        g_free(name);
        name = g_path_get_basename(folder);
        g_free(folder);
    }
    return name;
}

static void name_variants(GArray *variants, const GPtrArray *labels, unsigned n_operands)
{
    for (unsigned i = 0; i < variants->len; i++) {
        Variant *v = &g_array_index(variants, Variant, i);
        char *stem = stem_of(v->operand);

        if (i < labels->len)
            v->label = g_strdup(labels->pdata[i]);
        else if (variants->len == 1)
            v->label = g_strdup("");
        else if (v->set && n_operands == 1)
            v->label = g_strdup(v->set);
        else if (v->set)
            v->label = g_strdup_printf("%s, %s", stem, v->set);
        else
            v->label = g_strdup(stem);
        g_free(stem);
    }
}

/* Runs one; the scenario's name is kept for the title. */
static int collect(PlotOptions *o, Variant *v, char **scenario)
{
    Console console = {.command = "plot", .mute = true};
    Runner r;
    int status;

    o->observe.operand = v->operand;
    o->observe.user = o;
    o->sink = NULL;
    if (v->set)
        g_ptr_array_add(o->observe.set, v->set);
    o->observe.front = console_front(&console);
    status = observe_run(&r, &o->observe);
    if (v->set)
        g_ptr_array_remove_index(o->observe.set, o->observe.set->len - 1);
    v->sink = o->sink;
    if (v->sink) {
        plotnet_add_notes(v->sink, r.scenario);
        plotsink_seal(v->sink);
    }
    if (status == EXIT_LIMIT && v->sink)
        status = EXIT_OK; /* told; the picture goes up to there */
    if (status == EXIT_OK && !*scenario)
        *scenario = g_path_get_basename(observe_scenario(&r));
    runner_clear(&r);
    return status;
}

/* ---- the picture ---- */

static int tell(const char *text)
{
    return console_tell("plot", text);
}

static unsigned term_width(const PlotOptions *o)
{
    const char *columns = g_getenv("COLUMNS");
    struct winsize size;
    uint64_t n;

    if (o->has_width)
        return (unsigned)o->width;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= PLOT_TERM_MIN)
        return size.ws_col;
    if (columns && g_ascii_string_to_unsigned(columns, 10, PLOT_TERM_MIN, 1000, &n, NULL))
        return (unsigned)n;
    return TERM_WIDTH;
}

/* Does the terminal's locale have other characters than those of ASCII? It is not known where none is set. */
static bool has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < HS_ARRAY_LEN(names); i++) {
        const char *value = g_getenv(names[i]);
        g_autofree char *lower = value && *value ? g_ascii_strdown(value, -1) : NULL;

        if (lower)
            return strstr(lower, "utf-8") || strstr(lower, "utf8");
    }
    return true;
}

static void tell_missing(const char *missing)
{
    fflush(stdout);
    fprintf(stderr, "hopscope plot: left out, since there is nothing of it: %s\n", missing);
}

static int draw_picture(const PlotFigure *figure, const char *path)
{
    g_autofree char *script = plotgnuplot_beside(path, ".gp");
    GError *error = NULL;

    if (!plotgnuplot_write(figure, path, &error) || !gnuplot_draw(script, path, &error)) {
        tell(error->message);
        g_error_free(error);
        return EXIT_WRONG;
    }
    printf("wrote %s\n", path);
    return EXIT_OK;
}

static char *default_path(const PlotOptions *o, const char *scenario)
{
    char *stem = stem_of(scenario), *what = plot_what_stem(o->wish.what);
    char *path = g_strdup_printf("%s-%s%s.svg", stem, what, o->wish.cdf ? "-cdf" : "");

    g_free(stem);
    g_free(what);
    return path;
}

/* The picture, and what is kept beside it. What a run's folder is called after is not known yet. */
static bool check_files(const ArgCommand *command, const PlotOptions *o, const char *const *operands)
{
    g_autofree char *path = o->output                                ? g_strdup(o->output)
                            : !g_str_has_suffix(operands[0], ".lua") ? NULL
                                                                     : default_path(o, operands[0]);
    g_autofree char *script = path ? plotgnuplot_beside(path, ".gp") : NULL;
    g_autofree char *data = path ? plotgnuplot_beside(path, ".tsv") : NULL;
    const char *option = o->output ? "--output" : NULL;
    OutCheck out;
    bool ok;

    if (!path || (o->term && !o->output))
        return true;
    outcheck_init(&out, command, operands);
    ok = outcheck_file(&out, option, path) && outcheck_file(&out, option, data) &&
         outcheck_file(&out, option, script);
    outcheck_clear(&out);
    return ok;
}

static int draw(const PlotOptions *o, const GArray *variants, const char *scenario)
{
    PlotRun *runs = g_new(PlotRun, variants->len);
    PlotFigure *figure;
    char *error = NULL, *text;
    int status = EXIT_OK;

    for (unsigned i = 0; i < variants->len; i++)
        runs[i] =
            (PlotRun){g_array_index(variants, Variant, i).sink, g_array_index(variants, Variant, i).label};
    figure = plot_build(runs, variants->len, scenario, &error);
    g_free(runs);
    if (!figure) {
        tell(error);
        g_free(error);
        return EXIT_WRONG;
    }
    if (figure->missing)
        tell_missing(figure->missing);
    if (o->term) {
        PlotTermConfig config = {.width = term_width(o),
                                 .height = o->has_height ? (unsigned)o->height : 0,
                                 .is_coloured = isatty(STDOUT_FILENO) && !g_getenv("NO_COLOR"),
                                 .is_ascii = o->ascii || (isatty(STDOUT_FILENO) && !has_utf8())};

        text = plotterm_render(figure, &config);
        fputs(text, stdout);
        g_free(text);
    }
    if (o->output || !o->term) {
        text = o->output ? g_strdup(o->output) : default_path(o, scenario);
        status = draw_picture(figure, text);
        g_free(text);
    }
    plotfigure_free(figure);
    return status;
}

static int plot(PlotOptions *o, const char *const *operands)
{
    GArray *variants = g_array_new(FALSE, TRUE, sizeof(Variant));
    char *scenario = NULL;
    unsigned n = 0;
    int status = EXIT_OK;

    for (; operands[n]; n++)
        add_variants(variants, operands[n], o->vary);
    if (o->labels->len > variants->len) {
        g_autofree char *text = g_strdup_printf("--label: %u names for %u run%s", o->labels->len,
                                                variants->len, variants->len == 1 ? "" : "s");

        status = tell(text);
    }
    name_variants(variants, o->labels, n);
    for (unsigned i = 0; i < variants->len && status == EXIT_OK; i++)
        status = collect(o, &g_array_index(variants, Variant, i), &scenario);
    if (status == EXIT_OK)
        status = draw(o, variants, scenario);
    for (unsigned i = 0; i < variants->len; i++) {
        Variant *v = &g_array_index(variants, Variant, i);

        plotsink_free(v->sink);
        g_free(v->set);
        g_free(v->label);
    }
    g_array_free(variants, TRUE);
    g_free(scenario);
    return status;
}

int cmd_plot(int argc, char **argv)
{
    PlotOptions o = {.observe = {.until = SIM_NEVER, .set = g_ptr_array_new(), .on_start = on_start},
                     .wish = {.to = SIM_NEVER},
                     .what = g_ptr_array_new(),
                     .labels = g_ptr_array_new()};
    const char *operands[MAX_RUNS + 1];
    const ArgOption options[] = {
        {"what", 'w', ARG_LIST, "LIST",
         "what to show, separated by commas: cwnd, ssthresh, inflight, sequence, rwnd, rtt, rto, queue, "
         "sojourn, "
         "throughput, goodput, fairness, loss, mark (default cwnd,ssthresh); different units stand below "
         "each other",
         o.what, NULL, NULL},
        {"output", 'o', ARG_STRING, "FILE",
         "the picture: FILE.svg, FILE.png or FILE.pdf (default SCENARIO-WHAT.svg here); its data and "
         "gnuplot's script, "
         "FILE.tsv and FILE.gp, are kept beside it",
         &o.output, NULL, NULL},
        {"term", 't', ARG_FLAG, NULL, "draw on the terminal; no picture unless --output is given", &o.term,
         NULL, NULL},
        {"width", 0, ARG_COUNT, "COLUMNS", "of --term (default: the terminal's, else 80)", &o.width,
         &o.has_width, NULL},
        {"height", 0, ARG_COUNT, "ROWS", "of each part with --term", &o.height, &o.has_height, NULL},
        {"ascii", 0, ARG_FLAG, NULL, "--term in ASCII only", &o.ascii, NULL, NULL},
        {"host", 0, ARG_STRING, "PATTERN", "only what this host sends, only this node's queues: client, 'c*'",
         &o.wish.host, NULL, NULL},
        {"flow", 'f', ARG_STRING, "FROM>TO", "only these flows: 'client>server:80', 'client:40000>*'",
         &o.wish.flow, NULL, NULL},
        {"from", 0, ARG_TIME, "TIME", "begin at this simulated time", &o.wish.from, &o.has_from, NULL},
        {"to", 0, ARG_TIME, "TIME", "end there", &o.wish.to, &o.has_to, NULL},
        {"interval", 'i', ARG_TIME, "TIME",
         "of throughput, goodput and fairness (default: about a hundredth of the time)", &o.wish.interval,
         &o.has_interval, NULL},
        {"separate", 0, ARG_FLAG, NULL, "a panel for each flow or queue, with equal axes, not one for all",
         &o.wish.separate, NULL, NULL},
        {"log", 0, ARG_FLAG, NULL, "logarithmic axes of values", &o.wish.log, NULL, NULL},
        {"cdf", 0, ARG_FLAG, NULL, "how the values are distributed, instead of their course", &o.wish.cdf,
         NULL, NULL},
        {"no-states", 0, ARG_FLAG, NULL,
         "no bands for slow start, recovery and loss behind a congestion window", &o.wish.no_states, NULL,
         NULL},
        {"title", 0, ARG_STRING, "TEXT", "instead of what and the scenario's name", &o.wish.title, NULL,
         NULL},
        {"no-legend", 0, ARG_FLAG, NULL, "no legend", &o.wish.look.no_legend, NULL, NULL},
        {"size", 0, ARG_STRING, "WxH",
         "of the picture in pixels, in PDF hundredths of an inch (default: 800 wide, as high as needed)",
         &o.size, NULL, NULL},
        {"font", 0, ARG_STRING, "NAME", "family of its letters (default: sans serif)", &o.wish.look.font,
         NULL, NULL},
        {"style", 0, ARG_STRING, "STYLE",
         "screen, or paper: 3.5 inches wide with small letters and without a title, for one of two columns",
         &o.style, NULL, NULL},
        {"vary", 'v', ARG_STRING, "NAME=A,B,...",
         "run with each of these values of a parameter, and show all of them", &o.vary, NULL, NULL},
        {"label", 'l', ARG_LIST, "TEXT", "names of the runs, in order; may be repeated", o.labels, NULL,
         NULL},
        OBSERVE_OPTIONS(&o.observe),
        {0},
    };
    const ArgCommand command = {
        "plot",
        "RUN...",
        "Runs a scenario, or again what an earlier run left in a folder, and draws what happened over time. "
        "Several runs are shown together. Exit status: 0, 2 if the scenario or the command line is wrong or "
        "nothing can be drawn, 3 if a limit was hit, 130 after ^C.",
        options,
        1,
        MAX_RUNS,
        "  hopscope plot reno.lua\n"
        "  hopscope plot reno.lua --what cwnd,rtt,queue --from 2s --to 6s -o reno.png\n"
        "  hopscope plot reno.lua --what sequence --term\n"
        "  hopscope plot loss.lua --vary cc=reno,cubic --what goodput\n",
    };
    ArgsResult result = args_parse(&command, argc, argv, operands);
    int status = EXIT_WRONG;

    if (result == ARGS_HELPED)
        status = EXIT_OK;
    else if (result == ARGS_OK && check(&command, &o) && check_files(&command, &o, operands))
        status = plot(&o, operands);
    g_ptr_array_free(o.observe.set, TRUE);
    g_ptr_array_free(o.what, TRUE);
    g_ptr_array_free(o.labels, TRUE);
    return status;
}
