/* The shell of a simulated host: the commands that scripts use to configure Linux, recognised and applied to
 * the host. Nothing is ever executed. A command that is not known is an error, never silently ignored. */
#pragma once

#include "packetdrill/pd_sim_priv.h"

typedef struct PdShell PdShell;
struct PdShell {
    PdSim *sim;
    GPtrArray *variables;  /* name, value, name, value … */
    unsigned depth;        /* of $(…) in $(…) */
    unsigned nesting;      /* of compound commands */
    unsigned in_condition; /* of if, or behind '!': set -e lets it fail */
    int status;            /* $? */
    int substituted;       /* status of the last $(…): that of an assignment */
    bool is_over;          /* exit */
    bool is_strict;        /* set -e */
    bool is_scanning;      /* words are read, not expanded */
    char *error;
};

typedef struct PdShellCommand {
    const char *name;
    /* Exit status. args: argv without the name, NULL at the end. A command that cannot be done calls
     * pd_shell_fail. */
    int (*run)(PdShell *sh, char **args, const GString *in, GString *out);
} PdShellCommand;

/* Returns -1; the first error is kept. */
int pd_shell_fail(PdShell *sh, const char *format, ...) HS_PRINTF(2, 3);
const PdShellCommand *pd_shell_command(const char *name); /* NULL: not known */
char *pd_shell_known(void);                               /* the names of all, for a message; g_malloc'ed */
/* An integer from C or Python syntax; false: *error is set by the caller. */
bool pd_shell_number(const char *text, int64_t *out);

/* The next word of *p, its quotes and variables resolved; NULL: an error was told. g_malloc'ed.
 * (pd_shell_word.c) */
char *pd_shell_take_word(PdShell *sh, const char **p, const char *end);
void pd_shell_skip_blanks(const char **p, const char *end); /* and comments, not line ends */
bool pd_shell_is_word_end(char c);
/* A whole text, as $(…) and a command have it; its exit status, -1: an error was told. */
int pd_shell_run_text(PdShell *sh, const char *text, size_t len, GString *output);
/* NAME=VALUE; false: it is none. */
bool pd_shell_assign(PdShell *sh, const char *word);
/* head, tail, wc; test and [: pd_shell_text.c */
int pd_shell_head(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_wc(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_test(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_sysctl(PdShell *sh, char **args, const GString *in, GString *out);
/* `echo text > path`: what the file would do. */
int pd_shell_write_file(PdShell *sh, const char *path, const char *text);
int pd_shell_cat(PdShell *sh, char **args, const GString *in, GString *out);
bool pd_shell_read_file(PdShell *sh, const char *path, GString *out);
int pd_shell_ip(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_tc(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_ethtool(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_nstat(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_ss(PdShell *sh, char **args, const GString *in, GString *out);
int pd_shell_grep(PdShell *sh, char **args, const GString *in, GString *out);
void pd_shell_proc_net_tcp(PdShell *sh, bool v6, GString *out);
