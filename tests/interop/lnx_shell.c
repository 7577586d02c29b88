/* See lnx_shell.h; the table of defaults.sh is in docs/packetdrill.md. */
#include "tests/interop/lnx_shell.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <glob.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICE "tun0"
#define DEFAULT_CC "cubic"
#define MODULES "/sys/module/"
#define PARAMETERS MODULES "tcp_*/parameters/*"

/* hs_put FILE VALUE: a kernel that is older than a sysctl, or a value of a newer one, is remarked upon and
 * passed over. */
static const char functions[] =
    "hs_put() {\n"
    "  case \"$1\" in */tcp_congestion_control) echo \"$2\" > \"$HS_STATE/cc\"; return 0;; esac\n"
    "  if [ ! -e \"$1\" ]; then echo \"no $1 here\" >&2; return 0; fi\n"
    "  echo \"$2\" 2>/dev/null > \"$1\" || { echo \"$1 refuses '$2'\" >&2; return 0; }\n"
    "}\n"
    "hs_set_sysctls() { for hs_a; do hs_put \"${hs_a%%=*}\" \"${hs_a#*=}\"; done; }\n"
    "hs_path() { case \"$1\" in */*) echo \"/proc/sys/$1\";; *) echo \"/proc/sys/$(echo \"$1\" | tr . /)\";; "
    "esac; }\n"
    "sysctl() {\n"
    "  hs_n=0\n"
    "  for hs_a; do case \"$hs_a\" in\n"
    "    -n) hs_n=1;; -*) ;;\n"
    "    *=*) hs_put \"$(hs_path \"${hs_a%%=*}\")\" \"${hs_a#*=}\";;\n"
    "    *) if [ $hs_n = 1 ]; then cat \"$(hs_path \"$hs_a\")\"; else echo \"$hs_a = $(cat \"$(hs_path "
    "\"$hs_a\")\")\"; fi;;\n"
    "  esac; done\n"
    "}\n"
    "hs_defaults() {\n"
    "  sysctl net.ipv4.tcp_rmem='4096 540000 15728640' net.ipv4.tcp_wmem='4096 262144 4194304' \\\n"
    "    net.ipv4.tcp_timestamps=1 net.ipv4.tcp_syn_retries=5 net.ipv4.tcp_synack_retries=5 "
    "net.ipv4.tcp_frto=2 \\\n"
    "    net.ipv4.tcp_sack=1 net.ipv4.tcp_dsack=1 net.ipv4.tcp_fack=0 net.ipv4.tcp_reordering=3 \\\n"
    "    net.ipv4.tcp_congestion_control=cubic net.ipv4.tcp_slow_start_after_idle=0 "
    "net.ipv4.tcp_early_retrans=4 \\\n"
    "    net.ipv4.tcp_recovery=1 net.ipv4.tcp_tso_win_divisor=3 net.ipv4.tcp_ecn=0 net.ipv4.tcp_ecn_option=2 "
    "\\\n"
    "    net.ipv4.tcp_pacing_ss_ratio=200 net.ipv4.tcp_pacing_ca_ratio=120 "
    "net.ipv4.tcp_notsent_lowat=4294967295 \\\n"
    "    net.ipv4.tcp_fastopen=$1 net.ipv4.tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4 \\\n"
    "    net.ipv4.tcp_syncookies=1\n"
    "  command ip tcp_metrics flush all >/dev/null 2>&1\n"
    "  command tc qdisc replace dev " DEVICE " root pfifo\n"
    "}\n"
    "tc() {\n"
    "  command tc \"$@\" 2>\"$HS_STATE/err\" && return 0\n"
    "  case \" $* \" in *' fq '*) return 0;; esac\n"
    "  cat \"$HS_STATE/err\" >&2; return 1\n"
    "}\n"
    "ethtool() { if command -v ethtool >/dev/null 2>&1 && [ -x \"$(command -v ethtool)\" ]; then command "
    "ethtool \"$@\"; "
    "else \"$HS_SELF\" --ethtool \"$@\"; fi; }\n";

void lnx_shell_init(LnxShell *sh, const char *script_path)
{
    sh->state_dir = g_dir_make_tmp("pdlinux-XXXXXX", NULL);
    sh->script_dir = script_path ? g_path_get_dirname(script_path) : g_strdup(".");
    g_strlcpy(sh->cc, DEFAULT_CC, sizeof(sh->cc));
}

/* ---- parameters of congestion controllers ---- */

static void keep_parameters(LnxShell *sh)
{
    glob_t found;
    sh->parameters = g_ptr_array_new_with_free_func(g_free);
    if (glob(PARAMETERS, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *text;
        if (!g_file_get_contents(found.gl_pathv[i], &text, NULL, NULL))
            continue;
        g_ptr_array_add(sh->parameters, g_strdup(found.gl_pathv[i]));
        g_ptr_array_add(sh->parameters, text);
    }
    globfree(&found);
}

/* Not g_file_set_contents, which would make a new file. */
static void put_back(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return;
    fputs(text, f);
    fclose(f);
}

static void put_back_parameters(LnxShell *sh)
{
    for (guint i = 0; i + 1 < sh->parameters->len; i += 2) {
        const char *path = sh->parameters->pdata[i], *before = sh->parameters->pdata[i + 1];
        char *now;
        if (!g_file_get_contents(path, &now, NULL, NULL))
            continue;
        if (strcmp(now, before) != 0)
            put_back(path, before);
        g_free(now);
    }
    g_ptr_array_free(sh->parameters, TRUE);
}

static void remove_state(const LnxShell *sh, const char *name)
{
    char *path = g_build_filename(sh->state_dir, name, NULL);
    g_unlink(path);
    g_free(path);
}

void lnx_shell_clear(LnxShell *sh)
{
    if (sh->parameters)
        put_back_parameters(sh);
    if (sh->state_dir) {
        remove_state(sh, "cc");
        remove_state(sh, "err");
        g_rmdir(sh->state_dir);
    }
    g_free(sh->state_dir);
    g_free(sh->script_dir);
}

static bool word_ends(const char *word, size_t len, const char *tail)
{
    size_t n = strlen(tail);
    return len >= n && memcmp(word + len - n, tail, n) == 0 && (len == n || word[len - n - 1] == '/');
}

/* Helper scripts by their path become functions. Which table defaults.sh holds depends on whose it is: one
 * beside the script, or one in a common folder. */
static char *with_functions(const char *text)
{
    GString *out = g_string_new(functions);
    g_string_append(out, "true\n");
    const char *p = text;
    while (*p) {
        size_t n = strcspn(p, " \t\n;&|()<>\"'`");
        if (word_ends(p, n, "defaults.sh"))
            g_string_append_printf(out, "hs_defaults %s",
                                   g_strstr_len(p, (gssize)n, "common/") ? "0x70403" : "0x3");
        else if (word_ends(p, n, "set_sysctls.py"))
            g_string_append(out, "hs_set_sysctls");
        else if (g_strstr_len(p, (gssize)n, "/sysctl_restore_"))
            g_string_append(out, "true");
        else
            g_string_append_len(out, p, (gssize)n);
        p += n;
        if (*p)
            g_string_append_c(out, *p++);
    }
    return g_string_free(out, FALSE);
}

static void to_script_dir(void *data)
{
    const LnxShell *sh = data;
    if (chdir(sh->script_dir) != 0)
        _exit(127);
}

static void read_cc(LnxShell *sh)
{
    char *path = g_build_filename(sh->state_dir, "cc", NULL), *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL))
        g_strlcpy(sh->cc, g_strstrip(text), sizeof(sh->cc));
    g_free(text);
    g_free(path);
}

int lnx_shell_run(LnxShell *sh, const char *text, char **output, char **error)
{
    if (!sh->parameters && strstr(text, MODULES))
        keep_parameters(sh);
    char *script = with_functions(text);
    char *self = g_file_read_link("/proc/self/exe", NULL);
    char **env = g_get_environ();
    char *pid = g_strdup_printf("%d", (int)getpid());
    env = g_environ_setenv(env, "HS_STATE", sh->state_dir, TRUE);
    char *counters = g_build_filename(sh->state_dir, "nstat", NULL);
    env = g_environ_setenv(env, "NSTAT_HISTORY", counters, TRUE);
    g_free(counters);
    env = g_environ_setenv(env, "HS_SELF", self, TRUE);
    env = g_environ_setenv(env, "PACKETDRILL_PID", pid, TRUE);
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    char *out = NULL, *err = NULL;
    int status = 0;
    GError *gerror = NULL;
    /* Not G_SPAWN_DEFAULT's posix_spawn: the folder is changed in the child. */
    bool ok = g_spawn_sync(NULL, (char **)argv, env, 0, to_script_dir, sh, &out, &err, &status, &gerror);
    int ret = -1;
    if (!ok) {
        *error = g_strdup(gerror->message);
        g_error_free(gerror);
    } else {
        read_cc(sh);
        ret = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        *output = g_strconcat(out, err, NULL);
    }
    g_free(out);
    g_free(err);
    g_free(pid);
    g_strfreev(env);
    g_free(self);
    g_free(script);
    return ret;
}

/* ---- ethtool -K ---- */

int lnx_shell_ethtool(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[0], "-K") != 0) {
        fprintf(stderr, "ethtool: only -K DEVICE FEATURE on|off … is known here\n");
        return 1;
    }
    static const struct {
        const char *name;
        uint32_t command;
    } features[] = {{"tso", ETHTOOL_STSO},
                    {"gso", ETHTOOL_SGSO},
                    {"gro", ETHTOOL_SGRO},
                    {"tx", ETHTOOL_STXCSUM},
                    {"sg", ETHTOOL_SSG}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int failed = 0;
    for (int i = 2; i + 1 < argc; i += 2) {
        bool known = false;
        for (size_t k = 0; k < G_N_ELEMENTS(features); k++) {
            if (strcmp(argv[i], features[k].name) != 0)
                continue;
            known = true;
            struct ethtool_value v = {.cmd = features[k].command, .data = strcmp(argv[i + 1], "on") == 0};
            struct ifreq ifr = {.ifr_data = (void *)&v};
            g_strlcpy(ifr.ifr_name, argv[1], sizeof(ifr.ifr_name));
            if (ioctl(fd, SIOCETHTOOL, &ifr) < 0) {
                fprintf(stderr, "ethtool: %s %s: %s\n", argv[i], argv[i + 1], g_strerror(errno));
                failed = 1;
            }
        }
        if (!known)
            fprintf(stderr, "ethtool: %s passed over\n", argv[i]);
    }
    close(fd);
    return failed;
}
