/* Shell commands of scripts, run by /bin/sh in the namespace. The suites' own helpers (defaults.sh,
 * set_sysctls.py, sysctl_restore_*.sh) and programs that a small machine lacks (sysctl, ethtool) are shell
 * functions here; qdiscs that the kernel may lack (fq) are no error, since TCP paces itself without one.
 * Parameters of congestion controllers belong to no namespace: what a script wrote there is put back. */
#pragma once

#include <glib.h>

typedef struct LnxShell {
    char *state_dir; /* what the functions leave for us */
    char *script_dir;
    char cc[16]; /* congestion control that was asked for last */
    GPtrArray
        *parameters; /* files of /sys/module and their texts, by turns; NULL: no command came near them */
} LnxShell;

void lnx_shell_init(LnxShell *sh, const char *script_path);
void lnx_shell_clear(LnxShell *sh);

/* The exit status; -1 and *error: no shell. */
int lnx_shell_run(LnxShell *sh, const char *text, char **output, char **error);

/* argv: -K DEVICE tso|gso on|off …; what `pdlinux --ethtool` does. */
int lnx_shell_ethtool(int argc, char **argv);
