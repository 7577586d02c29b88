/* The hopscope command: finds the subcommand. */
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "sim/base/base.h"
#include "sim/base/suggest.h"

typedef struct Command {
    const char *name;
    const char *about;
    int (*main)(int argc, char **argv);
} Command;

/* Sorted by name. */
static const Command commands[] = {
    {"bench", "measure the engine and the packet path on this machine", cmd_bench},
    {"diff", "find the first difference between two runs and its causes", cmd_diff},
    {"dissect", "explain captured frames field by field", cmd_dissect},
    {"ladder", "draw a run as a sequence diagram", cmd_ladder},
    {"packetdrill", "run packetdrill scripts against a simulated host", cmd_packetdrill},
    {"plot", "draw what runs show over time", cmd_plot},
    {"report", "make one page that shows a run: ladder, bytes, states, windows, plots", cmd_report},
    {"run", "run a scenario", cmd_run},
    {"step", "walk through a run, forwards and backwards", cmd_step},
    {"sweep", "run a scenario over a grid of parameters and seeds", cmd_sweep},
    {"test", "run scenarios as tests, several at a time", cmd_test},
};

static void print_help(void)
{
    printf("usage: hopscope COMMAND [options]\n\n"
           "A deterministic laboratory for TCP/IP: networks are described in Lua, simulated frame by frame,\n"
           "and every run is a function of its scenario and its seed.\n\ncommands:\n");
    for (unsigned i = 0; i < HS_ARRAY_LEN(commands); i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].about);
    printf(
        "\noptions:\n"
        "  -h, --help     show this help; 'hopscope COMMAND --help' explains a command\n"
        "  -V, --version  show the version\n"
        "\nexit status: 0 success, 1 an expectation failed, 2 wrong usage or scenario, 3 a limit was hit\n");
}

static int unknown_command(const char *name)
{
    const char *names[HS_ARRAY_LEN(commands)];
    const char *closest;

    for (unsigned i = 0; i < HS_ARRAY_LEN(commands); i++)
        names[i] = commands[i].name;
    closest = suggest_closest(name, names, HS_ARRAY_LEN(names));
    fprintf(stderr, "hopscope: unknown command '%s'", name);
    if (closest)
        fprintf(stderr, "; did you mean '%s'?\n", closest);
    else if (g_str_has_suffix(name, ".lua"))
        fprintf(stderr, "; to run a scenario: hopscope run %s\n", name);
    else
        fprintf(stderr, "\n");
    fprintf(stderr, "Try 'hopscope --help'.\n");
    return EXIT_WRONG;
}

/* A pipe whose reader has left is the reader's decision, anything else is worth a message. */
int commands_finish_output(const char *command, int status)
{
    int why;

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    why = errno;
    if (why == EPIPE)
        return status;
    fprintf(stderr, "hopscope%s%s: cannot write the output: %s\n", command ? " " : "", command ? command : "",
            why ? g_strerror(why) : "write error");
    return EXIT_WRONG;
}

int main(int argc, char **argv)
{
    /* Full disks and closed pipes are errors to be reported, not signals to die of. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);

    if (argc < 2) {
        fprintf(stderr, "hopscope: missing command\nTry 'hopscope --help'.\n");
        return EXIT_WRONG;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_help();
        return commands_finish_output(NULL, EXIT_OK);
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("hopscope %s\n", HS_VERSION);
        return commands_finish_output(NULL, EXIT_OK);
    }
    for (unsigned i = 0; i < HS_ARRAY_LEN(commands); i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands_finish_output(argv[1], commands[i].main(argc - 1, argv + 1));
    return unknown_command(argv[1]);
}
