/* Commands that judge or cut text: test and [, head, tail, wc. */
#include <string.h>

#include "packetdrill/pd_shell.h"

static bool is(const char *word, const char *name)
{
    return word && strcmp(word, name) == 0;
}

static int numbers(PdShell *sh, const char *left, const char *op, const char *right)
{
    int64_t a, b;

    if (!pd_shell_number(left, &a) || !pd_shell_number(right, &b))
        return pd_shell_fail(sh, "test: %s %s %s: expected two numbers", left, op, right);
    if (is(op, "-eq"))
        return a != b;
    if (is(op, "-ne"))
        return a == b;
    if (is(op, "-lt"))
        return a >= b;
    if (is(op, "-le"))
        return a > b;
    return is(op, "-gt") ? a <= b : a < b;
}

/* One of `TEXT`, `-z TEXT`, `-n TEXT`, `A = B`, `A != B`, `A -eq B` …, behind any number of '!': POSIX
 * decides by the number of arguments. */
static int primary(PdShell *sh, char **arg, unsigned n)
{
    static const char *const ops[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};

    if (n == 0)
        return 1;
    if (n == 1)
        return *arg[0] == 0;
    if (n == 3) {
        if (is(arg[1], "=") || is(arg[1], "=="))
            return strcmp(arg[0], arg[2]) != 0;
        if (is(arg[1], "!="))
            return strcmp(arg[0], arg[2]) == 0;
        for (unsigned i = 0; i < HS_ARRAY_LEN(ops); i++) {
            if (is(arg[1], ops[i]))
                return numbers(sh, arg[0], arg[1], arg[2]);
        }
    }
    if (is(arg[0], "!")) {
        int status = primary(sh, arg + 1, n - 1);

        return status < 0 ? status : !status;
    }
    if (n == 2 && is(arg[0], "-z"))
        return *arg[1] != 0;
    if (n == 2 && is(arg[0], "-n"))
        return *arg[1] == 0;
    return pd_shell_fail(
        sh,
        "test: '%s %s' is not supported here: there are -z, -n, =, !=, -eq, -ne, -lt, -le, -gt, -ge, "
        "!, -a and -o",
        arg[0], arg[1]);
}

/* -a binds stronger than -o. */
static int any_or_all(PdShell *sh, char **arg, unsigned n, const char *op)
{
    int status = 0;

    for (unsigned from = 0, i = 0; i <= n && status >= 0; i++) {
        bool is_or = *op == '-' && op[1] == 'o';
        int one;

        /* A sign where a value belongs is a value. */
        if (i < n && (i == from || !is(arg[i], op)))
            continue;
        one = is_or ? any_or_all(sh, arg + from, i - from, "-a") : primary(sh, arg + from, i - from);
        if (one < 0)
            return one;
        status = from == 0 ? one : is_or ? status && one : status || one;
        from = i + 1;
    }
    return status;
}

int pd_shell_test(PdShell *sh, char **args, const GString *in, GString *out)
{
    unsigned n = g_strv_length(args) - 1;

    if (is(args[0], "[") && (n == 0 || !is(args[n], "]")))
        return pd_shell_fail(sh, "a '[' without its ']'");
    n -= is(args[0], "[");
    return n <= 3 ? primary(sh, args + 1, n) : any_or_all(sh, args + 1, n, "-o");
}

/* A text's lines; the empty one behind the last line end is none. */
static char **lines_of(const GString *in, unsigned *n)
{
    char **lines = g_strsplit(in->str, "\n", -1);

    *n = g_strv_length(lines);
    *n -= *n > 0 && !*lines[*n - 1];
    return lines;
}

/* head, tail: [-n N | -N], of what comes through the pipe. */
int pd_shell_head(PdShell *sh, char **args, const GString *in, GString *out)
{
    bool is_tail = is(args[0], "tail");
    int64_t wanted = 10;
    unsigned n, from, to;
    char **lines;

    for (char **a = args + 1; *a; a++) {
        const char *number = is(*a, "-n") && a[1] ? *++a : g_str_has_prefix(*a, "-n") ? *a + 2 : *a + 1;

        if (!pd_shell_number(number, &wanted) || wanted < 0)
            return pd_shell_fail(sh, "%s: expected -n N behind a pipe, found '%s'", args[0], *a);
    }
    lines = lines_of(in, &n);
    from = is_tail && n > wanted ? n - (unsigned)wanted : 0;
    to = !is_tail && n > wanted ? (unsigned)wanted : n;
    for (unsigned i = from; i < to; i++)
        g_string_append_printf(out, "%s\n", lines[i]);
    g_strfreev(lines);
    return 0;
}

int pd_shell_wc(PdShell *sh, char **args, const GString *in, GString *out)
{
    unsigned n;

    if (!is(args[1], "-l") || args[2])
        return pd_shell_fail(sh, "wc: expected -l behind a pipe");
    g_strfreev(lines_of(in, &n));
    g_string_append_printf(out, "%u\n", n);
    return 0;
}
