/* hopscope step: the debugger of networks, in a terminal or from a file of commands. */
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/lineedit.h"
#include "cli/observe_options.h"
#include "step/session.h"

typedef struct StepOptions {
    ObserveConfig observe;
    const char *commands;
    SimTime checkpoint; /* 0: the default */
    bool no_color, digest;
} StepOptions;

typedef struct Stepper {
    const StepOptions *options;
    bool color;
} Stepper;

/* A signal handler has nowhere else to leave its message. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static bool was_interrupted(void *user)
{
    bool was = interrupted;

    (void)user;
    interrupted = 0;
    return was;
}

static uint64_t cpu_ns(void *user)
{
    struct timespec t;

    (void)user;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* By what a line is about: losses red, changes of state green, recovery yellow, the scenario's words cyan. */
static const char *colour_of(const char *line, size_t len)
{
    static const struct {
        const char *word, *colour;
    } colours[] = {{" drops (", "\033[31m"},       {".state ", "\033[32m"},
                   {" tcp.recovery ", "\033[33m"}, {" tcp.retransmit ", "\033[33m"},
                   {" says: ", "\033[36m"},        {"Breakpoint ", "\033[1m"},
                   {"Watch ", "\033[1m"},          {"  <- ", "\033[1m"}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(colours); i++)
        if (g_strstr_len(line, (gssize)len, colours[i].word))
            return colours[i].colour;
    return NULL;
}

static void print(void *user, const char *text, size_t len)
{
    const Stepper *stepper = user;

    if (!stepper->color) {
        fwrite(text, 1, len, stdout);
        return;
    }
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) : len;
        const char *colour = colour_of(text, n);

        printf("%s%.*s%s%s", colour ? colour : "", (int)n, text, colour ? "\033[0m" : "", end ? "\n" : "");
        n += end != NULL;
        text += n;
        len -= n;
    }
}

/* ---- the process that runs the scenario ---- */

static void on_start(void *user, Scenario *s)
{
    stepbackend_on_start(user, s);
}

static void on_print(void *user, const char *line)
{
    stepbackend_on_print(user, line);
}

static void on_resume(void *user)
{
    stepbackend_on_resume(user);
}

static void append_outcome(GString *out, const Scenario *s, int status)
{
    unsigned n = scenario_expect_count(s);

    if (status != EXIT_OK && status != EXIT_UNEXPECTED)
        return;
    g_string_append(out, "The run is over.\n");
    for (unsigned i = 0; i < n; i++) {
        ScenarioExpect e;

        scenario_expect(s, i, &e);
        g_string_append_printf(out, "  %s %s%s%s\n", e.ok ? "✓" : "✗", e.name, *e.detail ? ": " : "",
                               e.detail);
    }
}

/* What is told on stderr would be told again whenever the end is reached again: it goes where the run's end
 * is told. */
static void run(void *user, StepBackend *b)
{
    const Stepper *stepper = user;
    ObserveConfig observe = stepper->options->observe;
    Console console = {.command = "step", .mute = true, .progress = PROGRESS_NEVER};
    FILE *told = tmpfile();
    GString *outcome = g_string_new(NULL);
    char text[4096];
    Runner r;
    int status;
    ssize_t n;

    if (told)
        dup2(fileno(told), STDERR_FILENO);
    observe.front = console_front(&console);
    observe.on_start = on_start;
    observe.on_print = on_print;
    observe.on_resume = on_resume;
    observe.user = b;
    status = observe_run(&r, &observe);
    fflush(stderr);
    if (told && lseek(fileno(told), 0, SEEK_SET) == 0)
        while ((n = read(fileno(told), text, sizeof(text))) > 0)
            g_string_append_len(outcome, text, n);
    if (r.scenario)
        append_outcome(outcome, r.scenario, status);
    stepbackend_on_end(b, status, outcome->str);
}

/* ---- commands from a file ---- */

/* NULL, and told: there is none. */
static char **read_commands(const char *path)
{
    g_autofree char *text = NULL;
    GError *error = NULL;

    if (g_file_get_contents(path, &text, NULL, &error))
        return g_strsplit(text, "\n", -1);
    fprintf(stderr, "hopscope step: --commands: %s\n", error->message);
    g_error_free(error);
    return NULL;
}

static int run_commands(StepSession *s, const char *path, char **lines)
{
    for (unsigned i = 0; lines[i]; i++) {
        char *why = NULL;
        char prompt[64];
        StepResult result;

        g_strstrip(lines[i]);
        if (!*lines[i] || *lines[i] == '#')
            continue;
        printf("%s> %s\n", stepsession_prompt(s, prompt), lines[i]);
        result = stepsession_do(s, lines[i], &why);
        if (result == STEP_WRONG) {
            fflush(stdout);
            fprintf(stderr, "%s:%u: %s\n", path, i + 1, why);
            g_free(why);
            return EXIT_WRONG;
        }
        if (result == STEP_QUIT)
            break;
    }
    return EXIT_OK;
}

/* ---- a dialogue ---- */

static char **complete(void *user, const char *line)
{
    return stepsession_complete(user, line);
}

/* Of the terminal; 0: it is none. */
static unsigned columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col ? HS_MAX(size.ws_col, 40) : 0;
}

static void run_dialogue(StepSession *s, const Stepper *stepper)
{
    LineEdit *edit = lineedit_new(complete, s);

    for (;;) {
        char place[64], prompt[128];
        char *why = NULL;
        char *line;
        StepResult result;

        stepsession_prompt(s, place);
        snprintf(prompt, sizeof(prompt), stepper->color ? "\033[1;34m%s>\033[0m " : "%s> ", place);
        fflush(stdout);
        line = lineedit_read(edit, prompt);
        if (!line)
            break;
        interrupted = 0;
        stepsession_set_columns(s, columns()); /* the window may have been resized */
        result = stepsession_do(s, line, &why);
        g_free(line);
        if (result == STEP_WRONG)
            printf(stepper->color ? "\033[31m%s\033[0m\n" : "%s\n", why);
        g_free(why);
        if (result == STEP_QUIT)
            break;
    }
    lineedit_free(edit);
}

static bool start(StepSession *s, const StepOptions *o, int *status)
{
    int failed = stepsession_failed(s);

    if (failed > EXIT_UNEXPECTED) {
        fflush(stdout);
        fprintf(stderr, "%s", stepsession_said(s));
        *status = failed;
        return false;
    }
    if (!o->commands)
        printf("%s: 'help' lists the commands, 'next' goes on, 'back' goes back.\n", o->observe.operand);
    if (failed >= 0)
        printf("Nothing happens in this scenario.\n%s", stepsession_said(s));
    return true;
}

/* lines: of the commands' file; NULL: a dialogue. */
static int step(const StepOptions *o, char **lines)
{
    Stepper stepper = {o, !o->no_color && !o->commands && isatty(STDOUT_FILENO)};
    const StepTimelineConfig config = {.run = run,
                                       .cpu_ns = cpu_ns,
                                       .was_interrupted = was_interrupted,
                                       .text = print,
                                       .user = &stepper,
                                       .columns = columns(),
                                       .checkpoint_ns = (uint64_t)o->checkpoint,
                                       .has_digest = o->digest};
    struct sigaction action = {.sa_handler = on_interrupt};
    char *why = NULL;
    int status = EXIT_OK;
    StepSession *s;

    fflush(stdout);
    sigaction(SIGINT, &action, NULL);
    s = stepsession_new(&config, &why);
    if (!s) {
        fprintf(stderr, "hopscope step: %s\n", why);
        g_free(why);
        return EXIT_WRONG;
    }
    if (start(s, o, &status)) {
        if (o->commands)
            status = run_commands(s, o->commands, lines);
        else
            run_dialogue(s, &stepper);
    }
    stepsession_free(s);
    return status;
}

int cmd_step(int argc, char **argv)
{
    StepOptions o = {.observe = {.set = g_ptr_array_new(), .until = SIM_NEVER}};
    const char *operand[2];
    const ArgOption options[] = {
        OBSERVE_OPTIONS(&o.observe),
        {"commands", 'c', ARG_STRING, "FILE",
         "take the commands from a file (- for standard input) and end with it", &o.commands, NULL, NULL},
        {"checkpoints", 0, ARG_TIME, "TIME", "processor time between two checkpoints (default 12ms)",
         &o.checkpoint, NULL, NULL},
        {"digest", 'd', ARG_FLAG, NULL, "let the command 'digest' show the run's digest so far (slower)",
         &o.digest, NULL, NULL},
        {"no-color", 0, ARG_FLAG, NULL, "no colours", &o.no_color, NULL, NULL},
        {0},
    };
    const ArgCommand command = {
        "step",
        "SCENARIO.lua|RUN",
        "Walks through a run, forwards and backwards: to the next event, packet, change of state, to a time "
        "or a "
        "condition; shows what is inside hosts, sockets, queues and packets, and tells why something "
        "happened. "
        "Without a terminal the commands are read from standard input. Exit status: 0, or 2 if the scenario, "
        "the "
        "command line or a line of the commands' file is wrong.",
        options,
        1,
        1,
        "  hopscope step handshake.lua\n"
        "  hopscope step bulk.lua --set loss=1% --seed 7 --commands look.txt\n",
    };
    ArgsResult result = args_parse(&command, argc, argv, operand);
    char **lines;
    int status = EXIT_WRONG;

    if (result == ARGS_HELPED) {
        status = EXIT_OK;
    } else if (result == ARGS_OK && o.observe.until < 0) {
        args_wrong(&command, "--until: a time must not be negative");
    } else if (result == ARGS_OK && o.checkpoint < 0) {
        args_wrong(&command, "--checkpoints: a time must not be negative");
    } else if (result == ARGS_OK) {
        o.observe.operand = operand[0];
        if (!o.commands && !isatty(STDIN_FILENO))
            o.commands = "-";
        if (o.commands && !strcmp(o.commands, "-"))
            o.commands = "/dev/stdin";
        lines = o.commands ? read_commands(o.commands) : NULL;
        if (lines || !o.commands)
            status = step(&o, lines);
        g_strfreev(lines);
    }
    g_ptr_array_free(o.observe.set, TRUE);
    return status;
}
