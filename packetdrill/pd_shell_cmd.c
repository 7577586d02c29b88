/* The table of commands, and the small ones: sysctl and its helper scripts, echo, cat, grep, dd, rm. */
#include <string.h>

#include "models/cc/cc.h"
#include "models/tcp/tcp.h"
#include "models/tcp/tcp_life.h"
#include "packetdrill/pd_shell.h"

#define MAX_FILE (UINT64_C(1) << 40)

bool pd_shell_number(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    const char *digits = text + negative;
    char *end;
    uint64_t v;

    if (!g_ascii_isdigit(*digits))
        return false;
    v = g_ascii_strtoull(digits, &end, 0);
    if (*end)
        return false;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

/* ---- sysctl ---- */

/* net/ipv4/tcp_ecn, /proc/sys/net/ipv4/tcp_ecn and net.ipv4.tcp_ecn are one name. */
static char *sysctl_name(const char *text)
{
    char *name;

    if (g_str_has_prefix(text, "/proc/sys/"))
        text += strlen("/proc/sys/");
    name = g_strdup(text);
    for (char *c = name; *c; c++)
        *c = *c == '/' ? '.' : *c;
    return name;
}

/* Blanks of any kind between the numbers of a list; hexadecimal numbers become decimal ones. */
static char *sysctl_value(const char *text)
{
    char **parts = g_strsplit_set(text, " \t\n", -1);
    GString *s = g_string_new(NULL);

    for (char **p = parts; *p; p++) {
        int64_t v;

        if (!**p)
            continue;
        if (s->len)
            g_string_append_c(s, ' ');
        if (g_str_has_prefix(*p, "0x") && pd_shell_number(*p, &v))
            g_string_append_printf(s, "%" G_GINT64_FORMAT, v);
        else
            g_string_append(s, *p);
    }
    g_strfreev(parts);
    return g_string_free(s, FALSE);
}

static bool set_sysctl(PdShell *sh, const char *name_text, const char *value_text, bool ignore_unknown)
{
    char *name = sysctl_name(name_text), *value = sysctl_value(value_text), *error = NULL, *old = NULL;
    bool ok = host_sysctl_set(sh->sim->host, name, value, &error);

    if (!ok && ignore_unknown) {
        char *ignored = NULL;

        /* -e forgives names that are not known, nothing else. */
        ok = !host_sysctl_get(sh->sim->host, name, &old, &ignored);
        g_free(ignored);
        g_free(old);
    }
    if (!ok)
        pd_shell_fail(sh, "%s=%s: %s", name, value, error);
    g_free(error);
    g_free(name);
    g_free(value);
    return ok;
}

static bool print_sysctl(PdShell *sh, const char *name_text, bool only_value, GString *out)
{
    char *name = sysctl_name(name_text), *value = NULL, *error = NULL;
    bool ok = host_sysctl_get(sh->sim->host, name, &value, &error);

    if (!ok)
        pd_shell_fail(sh, "%s: %s", name, error);
    else if (only_value)
        g_string_append_printf(out, "%s\n", value);
    else
        g_string_append_printf(out, "%s = %s\n", name, value);
    g_free(name);
    g_free(value);
    g_free(error);
    return ok;
}

static bool assign_sysctl(PdShell *sh, const char *assignment, bool ignore_unknown)
{
    const char *equals = strchr(assignment, '=');
    char *name = g_strchomp(g_strndup(assignment, (gsize)(equals - assignment)));
    bool ok = set_sysctl(sh, name, equals + 1, ignore_unknown);

    g_free(name);
    return ok;
}

int pd_shell_sysctl(PdShell *sh, char **args, const GString *in, GString *out)
{
    bool ignore = false, only_value = false;

    for (args++; *args; args++) {
        if (**args == '-') {
            if (strspn(*args + 1, "benqrw") != strlen(*args + 1) || !(*args)[1])
                return pd_shell_fail(sh, "sysctl: the option %s is not supported here", *args);
            ignore |= strchr(*args, 'e') != NULL;
            only_value |= strchr(*args, 'n') != NULL;
        } else if (strchr(*args, '=')) {
            if (!assign_sysctl(sh, *args, ignore))
                return -1;
        } else if (args[1] && strcmp(args[1], "=") == 0 && args[2]) {
            if (!set_sysctl(sh, args[0], args[2], ignore))
                return -1;
            args += 2;
        } else if (!print_sysctl(sh, *args, only_value, out)) {
            return -1;
        }
    }
    return 0;
}

/* set_sysctls.py /proc/sys/net/ipv4/NAME=VALUE …: sets them, and writes a script that restores them. */
static int set_sysctls(PdShell *sh, char **args, const GString *in, GString *out)
{
    for (args++; *args; args++) {
        if (!strchr(*args, '='))
            return pd_shell_fail(sh, "set_sysctls.py: expected NAME=VALUE, found '%s'", *args);
        if (!assign_sysctl(sh, *args, false))
            return -1;
    }
    return 0;
}

/* The suites' common settings. The two suites differ in the bits of tcp_fastopen: scripts of the one call a
 * helper in a common folder, scripts of the other one that lies beside them. */
static int defaults(PdShell *sh, char **args, const GString *in, GString *out)
{
    static const char *const table[][2] = {
        {"tcp_rmem", "4096 540000 15728640"},
        {"tcp_wmem", "4096 262144 4194304"},
        {"tcp_timestamps", "1"},
        {"tcp_syn_retries", "5"},
        {"tcp_synack_retries", "5"},
        {"tcp_frto", "2"},
        {"tcp_sack", "1"},
        {"tcp_dsack", "1"},
        {"tcp_fack", "0"},
        {"tcp_reordering", "3"},
        {"tcp_congestion_control", "cubic"},
        {"tcp_slow_start_after_idle", "0"},
        {"tcp_early_retrans", "4"},
        {"tcp_recovery", "1"},
        {"tcp_tso_win_divisor", "3"},
        {"tcp_ecn", "0"},
        {"tcp_ecn_option", "2"},
        {"tcp_pacing_ss_ratio", "200"},
        {"tcp_pacing_ca_ratio", "120"},
        {"tcp_notsent_lowat", "4294967295"},
        {"tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"},
        {"tcp_syncookies", "1"},
    };
    bool is_common = strstr(args[0], "common/") != NULL;

    for (unsigned i = 0; i < HS_ARRAY_LEN(table); i++) {
        char *name = g_strdup_printf("net.ipv4.%s", table[i][0]);
        bool ok = set_sysctl(sh, name, table[i][1], false);

        g_free(name);
        if (!ok)
            return -1;
    }
    if (!set_sysctl(sh, "net.ipv4.tcp_fastopen", is_common ? "0x70403" : "0x3", false))
        return -1;
    tcp_metrics_flush(host_tcp(sh->sim->host));
    sh->sim->tun->is_fq = false;
    pd_tun_set_limit(sh->sim->tun, false);
    return 0;
}

/* ---- files ---- */

/* "/sys/module/tcp_cubic/parameters/hystart_detect" */
static bool module_parameter(const char *path, char **module, char **name)
{
    static const char prefix[] = "/sys/module/tcp_";
    const char *from = path + strlen(prefix), *middle;

    if (!g_str_has_prefix(path, prefix))
        return false;
    middle = strstr(from, "/parameters/");
    if (!middle)
        return false;
    *module = g_strndup(from, (gsize)(middle - from));
    *name = g_strdup(middle + strlen("/parameters/"));
    return true;
}

static CcParams *parameters_of(PdShell *sh, const char *module)
{
    const CcOps *ops = cc_ops_by_name(module);

    if (ops)
        return tcp_cc_params(host_tcp(sh->sim->host), ops, true);
    pd_shell_fail(sh, "there is no congestion control module tcp_%s", module);
    return NULL;
}

int pd_shell_write_file(PdShell *sh, const char *path, const char *text)
{
    char *module, *name, *value = g_strstrip(g_strdup(text)), *error = NULL;

    if (module_parameter(path, &module, &name)) {
        CcParams *params = parameters_of(sh, module);
        int64_t v;

        if (params && !pd_shell_number(value, &v))
            pd_shell_fail(sh, "%s: expected a number, found '%s'", path, value);
        else if (params && !cc_params_write(params, name, v, &error))
            pd_shell_fail(sh, "%s: %s", path, error);
        g_free(module);
        g_free(name);
    } else if (g_str_has_prefix(path, "/proc/sys/")) {
        set_sysctl(sh, path, value, false);
    } else if (g_str_has_prefix(path, "/tmp/")) {
        host_put_file(sh->sim->host, path, strlen(text));
    } else {
        pd_shell_fail(
            sh, "writing to %s is not supported: there are /proc/sys, /sys/module/tcp_…/parameters and /tmp",
            path);
    }
    g_free(error);
    g_free(value);
    return sh->error ? -1 : 0;
}

bool pd_shell_read_file(PdShell *sh, const char *path, GString *out)
{
    char *module, *name;

    if (g_str_has_prefix(path, "/proc/sys/"))
        return print_sysctl(sh, path, true, out);
    if (strcmp(path, "/proc/net/tcp") == 0 || strcmp(path, "/proc/net/tcp6") == 0) {
        pd_shell_proc_net_tcp(sh, path[13] != 0, out);
        return true;
    }
    if (module_parameter(path, &module, &name)) {
        CcParams *params = parameters_of(sh, module);
        int32_t v = 0;

        if (params && !cc_params_get(params, name, &v))
            pd_shell_fail(sh, "%s: no such parameter", path);
        g_string_append_printf(out, "%d\n", v);
        g_free(module);
        g_free(name);
        return sh->error == NULL;
    }
    pd_shell_fail(sh,
                  "reading %s is not supported: there are /proc/sys, /proc/net/tcp, /proc/net/tcp6 and "
                  "/sys/module/tcp_…/parameters",
                  path);
    return false;
}

int pd_shell_cat(PdShell *sh, char **args, const GString *in, GString *out)
{
    if (!args[1])
        g_string_append_len(out, in->str, (gssize)in->len);
    for (args++; *args; args++) {
        if (!pd_shell_read_file(sh, *args, out))
            return -1;
    }
    return 0;
}

static int echo(PdShell *sh, char **args, const GString *in, GString *out)
{
    bool newline = !args[1] || strcmp(args[1], "-n") != 0;

    for (args += 1 + !newline; *args; args++) {
        g_string_append(out, *args);
        if (args[1])
            g_string_append_c(out, ' ');
    }
    if (newline)
        g_string_append_c(out, '\n');
    return 0;
}

/* dd if=/dev/zero of=PATH bs=N count=N */
static int dd(PdShell *sh, char **args, const GString *in, GString *out)
{
    const char *path = NULL;
    uint64_t bs = 512, count = 1;

    for (args++; *args; args++) {
        char *end = NULL;
        uint64_t *number = g_str_has_prefix(*args, "bs=")      ? &bs
                           : g_str_has_prefix(*args, "count=") ? &count
                                                               : NULL;

        if (g_str_has_prefix(*args, "of="))
            path = *args + 3;
        if (!number)
            continue;
        *number = g_ascii_strtoull(strchr(*args, '=') + 1, &end, 10);
        if (*end == 'k' || *end == 'K')
            *number <<= 10;
        else if (*end == 'M')
            *number <<= 20;
    }
    if (!path || bs == 0 || count > MAX_FILE / bs)
        return pd_shell_fail(sh, "dd: expected if=/dev/zero of=PATH bs=N count=N");
    host_put_file(sh->sim->host, path, bs * count);
    return 0;
}

static int rm(PdShell *sh, char **args, const GString *in, GString *out)
{
    for (args++; *args; args++) {
        if (**args != '-')
            host_remove_file(sh->sim->host, *args);
    }
    return 0;
}

/* ---- grep ---- */

/* One of the patterns, as what g_regex reads. */
static void add_pattern(GString *s, const char *text, bool fixed, bool extended, bool word, bool line)
{
    if (s->len)
        g_string_append_c(s, '|');
    g_string_append(s, line ? "^(?:" : word ? "\\b(?:" : "(?:");

    if (fixed) {
        char *escaped = g_regex_escape_string(text, -1);

        g_string_append(s, escaped);
        g_free(escaped);
    } else {
        /* In basic expressions \| \( \) \{ \} + ? are the special ones, and the plain signs are plain. */
        for (const char *c = text; *c; c++) {
            if (!extended && *c == '\\' && c[1] && strchr("|(){}+?", c[1]))
                g_string_append_c(s, *++c);
            else if (!extended && strchr("|(){}+?", *c))
                g_string_append_printf(s, "\\%c", *c);
            else
                g_string_append_c(s, *c);
        }
    }
    g_string_append(s, line ? ")$" : word ? ")\\b" : ")");
}

int pd_shell_grep(PdShell *sh, char **args, const GString *in, GString *out)
{
    bool quiet = false, invert = false, count = false, fixed = false, extended = false, word = false,
         whole_line = false, any = false;
    GRegexCompileFlags flags = 0;
    GString *text = g_string_new(in->str);
    GPtrArray *patterns = g_ptr_array_new(); /* one of them is enough */
    GString *converted = g_string_new(NULL);
    unsigned n = 0;
    char **lines;
    GRegex *regex;

    for (args++; *args; args++) {
        if (**args == '-' && (*args)[1]) {
            quiet |= strchr(*args, 'q') != NULL;
            invert |= strchr(*args, 'v') != NULL;
            count |= strchr(*args, 'c') != NULL;
            fixed |= strchr(*args, 'F') != NULL;
            extended |= strpbrk(*args, "EP") != NULL;
            word |= strchr(*args, 'w') != NULL;
            flags |= strchr(*args, 'i') ? G_REGEX_CASELESS : 0;
            whole_line |= strchr(*args, 'x') != NULL;
            if (strchr(*args, 'e') && args[1])
                g_ptr_array_add(patterns, *++args);
        } else if (!patterns->len) {
            g_ptr_array_add(patterns, *args);
        } else if (!pd_shell_read_file(sh, *args, text)) {
            g_ptr_array_unref(patterns);
            g_string_free(converted, TRUE);
            g_string_free(text, TRUE);
            return -1;
        }
    }
    for (guint i = 0; i < patterns->len; i++)
        add_pattern(converted, patterns->pdata[i], fixed, extended, word, whole_line);
    g_ptr_array_unref(patterns);
    regex = g_regex_new(converted->str, flags, 0, NULL);
    if (!regex) {
        int status = pd_shell_fail(sh, "grep: '%s' is no regular expression", converted->str);

        g_string_free(converted, TRUE);
        g_string_free(text, TRUE);
        return status;
    }
    g_string_free(converted, TRUE);
    lines = g_strsplit(text->str, "\n", -1);
    for (char **l = lines; *l; l++) {
        if ((!**l && !l[1]) || g_regex_match(regex, *l, 0, NULL) == invert)
            continue;
        any = true;
        n++;
        if (!quiet && !count)
            g_string_append_printf(out, "%s\n", *l);
    }
    if (count)
        g_string_append_printf(out, "%u\n", n);
    g_strfreev(lines);
    g_regex_unref(regex);
    g_string_free(text, TRUE);
    return any ? 0 : 1;
}

/* ---- trivia ---- */

static int do_nothing(PdShell *sh, char **args, const GString *in, GString *out)
{
    return 0;
}

static int do_set(PdShell *sh, char **args, const GString *in, GString *out)
{
    for (args++; *args; args++) {
        if (**args == '-' && strchr(*args, 'e'))
            sh->is_strict = true;
        else if (**args == '+' && strchr(*args, 'e'))
            sh->is_strict = false;
    }
    return 0;
}

static int do_export(PdShell *sh, char **args, const GString *in, GString *out)
{
    for (args++; *args; args++) {
        if (strchr(*args, '=') && !pd_shell_assign(sh, *args))
            return pd_shell_fail(sh, "export: expected NAME=VALUE, found '%s'", *args);
    }
    return 0;
}

/* Every congestion controller is there. */
static int modprobe(PdShell *sh, char **args, const GString *in, GString *out)
{
    for (args++; *args; args++) {
        const char *name = g_str_has_prefix(*args, "tcp_") ? *args + strlen("tcp_") : *args;

        if (**args != '-' && !cc_ops_by_name(name))
            return pd_shell_fail(
                sh, "modprobe: '%s' is not supported here: modules are congestion controllers", *args);
    }
    return 0;
}

static int do_fail(PdShell *sh, char **args, const GString *in, GString *out)
{
    return 1;
}

static int do_exit(PdShell *sh, char **args, const GString *in, GString *out)
{
    sh->is_over = true;
    return args[1] ? (int)(g_ascii_strtoull(args[1], NULL, 10) & 0xff) : 0;
}

static int do_sleep(PdShell *sh, char **args, const GString *in, GString *out)
{
    char *end = NULL;
    double s = args[1] ? g_ascii_strtod(args[1], &end) : -1;

    if (!args[1] || end == args[1] || (*end && strcmp(end, "s") != 0) || args[2] || !(s >= 0 && s <= 86400))
        return pd_shell_fail(sh, "sleep: expected seconds (0 to 86400), got '%s'",
                             args[1] ? args[1] : "nothing");
    pd_sim_sleep(sh->sim, (SimTime)(s * SIM_SEC));
    return 0;
}

/* Sorted. */
static const PdShellCommand commands[] = {
    {":", do_nothing},
    {"[", pd_shell_test},
    {"cat", pd_shell_cat},
    {"cd", do_nothing},
    {"dd", dd},
    {"defaults.sh", defaults},
    {"echo", echo},
    {"ethtool", pd_shell_ethtool},
    {"exit", do_exit},
    {"export", do_export},
    {"false", do_fail},
    {"grep", pd_shell_grep},
    {"head", pd_shell_head},
    {"ip", pd_shell_ip},
    {"modprobe", modprobe},
    {"nstat", pd_shell_nstat},
    {"rm", rm},
    {"set", do_set},
    {"set_sysctls.py", set_sysctls},
    {"sleep", do_sleep},
    {"ss", pd_shell_ss},
    {"sync", do_nothing},
    {"sysctl", pd_shell_sysctl},
    {"tail", pd_shell_head},
    {"tc", pd_shell_tc},
    {"test", pd_shell_test},
    {"true", do_nothing},
    {"wc", pd_shell_wc},
};

const PdShellCommand *pd_shell_command(const char *name)
{
    static const PdShellCommand restore = {"sysctl_restore", do_nothing};

    for (unsigned i = 0; i < HS_ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    /* Every test has a host of its own: there is nothing to restore. */
    return g_str_has_prefix(name, "sysctl_restore") ? &restore : NULL;
}

char *pd_shell_known(void)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < HS_ARRAY_LEN(commands); i++)
        g_string_append_printf(s, "%s%s", i ? ", " : "", commands[i].name);
    return g_string_free(s, FALSE);
}
