/* pdlinux: packetdrill scripts against the kernel of this machine, in a network namespace of its own.
 *
 *   pdlinux [flags] FILE…            checks, as `hopscope packetdrill` does with the simulated host
 *   pdlinux --record [flags] FILE    prints the script with what the kernel really does
 *   pdlinux --trace [flags] FILE     prints a trace to be compared (tests/interop/pddiff)
 *   pdlinux --stack=simulated …     the same with the simulated host in the kernel's place
 *   pdlinux --tries=N …              a script passes when one of N runs does: the machine is not ours alone
 *   pdlinux --ethtool -K tun0 tso off   what scripts' ethtool commands come to
 *
 * Exit status: 0; 1 a script failed; 2 a wrong command line or script; 77 no namespace or TUN device here. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packetdrill/pd_parse.h"
#include "packetdrill/pd_run.h"
#if __has_include("packetdrill/pd_sim.h")
#include "packetdrill/pd_sim.h"
#endif
#include "tests/interop/lnx_shell.h"
#include "tests/interop/lnx_stack.h"
#include "tests/interop/lnx_tun.h"
#include "tests/interop/stimuli_text.h"

/* Real time, on a machine that does other things, with a tick of 4 ms. */
#define TOLERANCE_US "20000"
#define TAIL_US 300000

typedef enum Mode { CHECK, RECORD, TRACE } Mode;

typedef struct Options {
    Mode mode;
    const PdStackOps *stack;
    bool verbose;
    int64_t tail_us;
    unsigned tries;
    PdConfig config;
} Options;

static void print_line(void *user, const char *text)
{
    printf("# %s\n", text);
}

static bool set_flag(Options *o, const char *arg, const char *value_after, bool *used_after, char **error)
{
    const char *eq = strchr(arg, '=');
    char *name = eq ? g_strndup(arg, (gsize)(eq - arg)) : g_strdup(arg);
    const char *value = eq ? eq + 1 : NULL;
    bool known = true, takes = pd_config_takes_value(name, &known);
    if (known && takes && !value && value_after) {
        value = value_after;
        *used_after = true;
    }
    bool ok = pd_config_set(&o->config, name, value, true, error);
    g_free(name);
    return ok;
}

static const PdStackOps *find_stack(const char *name)
{
#if __has_include("packetdrill/pd_sim.h")
    if (strcmp(name, "simulated") == 0)
        return &pd_sim_ops;
#endif
    return strcmp(name, "linux") == 0 ? &lnx_stack_ops : NULL;
}

/* How many arguments were read; 0 and *error: wrong ones. */
static int parse_args(Options *o, int argc, char **argv, char **error)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *arg = argv[i], *after = i + 1 < argc ? argv[i + 1] : NULL;
        bool used_after = false;
        if (strcmp(arg, "--record") == 0) {
            o->mode = RECORD;
        } else if (strcmp(arg, "--trace") == 0) {
            o->mode = TRACE;
        } else if (strcmp(arg, "-v") == 0 || strcmp(arg, "--verbose") == 0) {
            o->verbose = true;
        } else if (g_str_has_prefix(arg, "--stack=")) {
            o->stack = find_stack(arg + strlen("--stack="));
            if (!o->stack)
                *error = g_strdup_printf("%s: linux or simulated", arg);
        } else if (g_str_has_prefix(arg, "--tail=")) {
            o->tail_us = (int64_t)(g_ascii_strtod(arg + strlen("--tail="), NULL) * 1e6);
        } else if (g_str_has_prefix(arg, "--tries=")) {
            o->tries = (unsigned)g_ascii_strtoull(arg + strlen("--tries="), NULL, 10);
        } else if (g_str_has_prefix(arg, "-D")) {
            used_after = !arg[2];
            if (!pd_config_set(&o->config, "define", arg[2] ? arg + 2 : after, true, error))
                return 0;
        } else if (!g_str_has_prefix(arg, "--")) {
            *error = g_strdup_printf("no option %s", arg);
            return 0;
        } else if (!set_flag(o, arg + 2, after, &used_after, error)) {
            return 0;
        }
        i += used_after;
    }
    if (i == argc)
        *error = g_strdup("usage: pdlinux [--record|--trace] [--tail=SECONDS] [packetdrill flags] FILE…");
    return *error ? 0 : i;
}

static PdOutcome print_stimuli(const Options *o, const PdScript *script, const PdConfig *config, char **error)
{
    GPtrArray *items = stimuli_run(script, config, o->stack, NULL, o->tail_us, error);
    if (!items)
        return PD_WRONG;
    GString *text = g_string_new(NULL);
    if (o->mode == RECORD)
        stimuli_format_script(text, script, items);
    else
        stimuli_format_trace(text, script, items);
    fwrite(text->str, 1, text->len, stdout);
    g_string_free(text, TRUE);
    g_ptr_array_free(items, TRUE);
    return PD_PASSED;
}

static PdOutcome run_file(const Options *o, const char *path, char **error)
{
    char *text;
    gsize len;
    GError *gerror = NULL;
    if (!g_file_get_contents(path, &text, &len, &gerror)) {
        *error = g_strdup(gerror->message);
        g_error_free(gerror);
        return PD_WRONG;
    }
    PdConfig config;
    pd_config_init(&config);
    pd_config_copy(&config, &o->config);
    PdScript *script = pd_parse(path, text, len, &config, error);
    PdOutcome outcome = PD_WRONG;
    if (script) {
        const PdObserver observer = {.line = o->verbose ? print_line : NULL};
        outcome = o->mode == CHECK ? pd_run(script, &config, o->stack, NULL, &observer, error)
                                   : print_stimuli(o, script, &config, error);
        pd_script_free(script);
    }
    pd_config_clear(&config);
    g_free(text);
    return outcome;
}

static int run_files(const Options *o, int n, char **paths)
{
    int status = 0;
    if (o->mode == CHECK)
        printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        char *error = NULL;
        PdOutcome outcome = run_file(o, paths[i], &error);
        for (unsigned k = 1; k < o->tries && outcome == PD_FAILED; k++) {
            printf("# once more: %.*s\n", (int)strcspn(error, "\n"), error);
            g_clear_pointer(&error, g_free);
            outcome = run_file(o, paths[i], &error);
        }
        if (o->mode == CHECK)
            printf("%sok %d - %s\n", outcome == PD_PASSED ? "" : "not ", i + 1, paths[i]);
        if (error)
            fprintf(stderr, "%s\n", error);
        g_free(error);
        status = MAX(status, outcome == PD_PASSED ? 0 : outcome == PD_FAILED ? 1 : 2);
        fflush(stdout);
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--ethtool") == 0)
        return lnx_shell_ethtool(argc - 2, argv + 2);
    Options o = {.mode = CHECK, .stack = &lnx_stack_ops, .tail_us = TAIL_US, .tries = 1};
    char *error = NULL;
    pd_config_init(&o.config);
    pd_config_set(&o.config, "tolerance_usecs", TOLERANCE_US, true, &error);
    int first = parse_args(&o, argc, argv, &error);
    int status = 2;
    if (!first)
        fprintf(stderr, "pdlinux: %s\n", error);
    else if (o.stack == &lnx_stack_ops && !lnx_tun_is_possible(&error)) {
        printf("1..0 # SKIP %s\n", error);
        status = 77;
    } else {
        status = run_files(&o, argc - first, argv + first);
    }
    g_free(error);
    pd_config_clear(&o.config);
    return status;
}
