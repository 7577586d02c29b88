/* Splitting a command's text as sh does: lists (newline ; && ||), pipes, quotes, backslash-newline, comments,
 * variables,
 * $((…)), $(…), redirections. */
#include "packetdrill/pd_shell.h"

#include <stdarg.h>
#include <string.h>

#include "packetdrill/pd_code_priv.h"

#define MAX_SHELL_DEPTH 8

typedef enum Join { LINK_SEQ, LINK_AND, LINK_OR, LINK_PIPE } Join;

typedef struct Simple { /* one simple command */
    GPtrArray *words;   /* NULL-terminated when complete */
    char *out_path;     /* > path */
    Join link;          /* what joins it to the next */
} Simple;

int pd_shell_fail(PdShell *sh, const char *format, ...)
{
    va_list args;

    if (sh->error)
        return -1;
    va_start(args, format);
    sh->error = g_strdup_vprintf(format, args);
    va_end(args);
    return -1;
}

/* ---- expansion ---- */

static int run_text(PdShell *sh, const char *text, size_t len, GString *output);

static const char *variable(PdShell *sh, const char *name)
{
    for (guint i = sh->variables->len; i >= 2; i -= 2) {
        if (strcmp(sh->variables->pdata[i - 2], name) == 0)
            return sh->variables->pdata[i - 1];
    }
    if (strcmp(name, "PPID") == 0 || strcmp(name, "PACKETDRILL_PID") == 0 || strcmp(name, "$") == 0)
        return "1";
    return NULL;
}

/* $((…)): C's integers, written in Python's signs. */
static bool arithmetic(PdShell *sh, const char *text, size_t len, GString *out)
{
    PdCode *code = pd_code_new();
    GString *source = g_string_new("v = ("), *ignored = g_string_new(NULL);
    char *error = NULL;
    unsigned line;
    bool ok;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '$')
            continue;
        g_string_append_c(source, text[i]);
        if (text[i] == '/' && (i + 1 == len || text[i + 1] != '/') && (i == 0 || text[i - 1] != '/'))
            g_string_append_c(source, '/');
    }
    g_string_append(source, ")");
    for (guint i = 0; i + 1 < sh->variables->len; i += 2) {
        int64_t v;

        if (pd_shell_number(sh->variables->pdata[i + 1], &v))
            pd_code_set(code, sh->variables->pdata[i], (PdValue){.kind = VALUE_INT, .i = v});
    }
    ok = pd_code_run(code, source->str, 1, NULL, ignored, &line, &error);
    if (ok)
        pd_value_format(out, &pd_code_find(code, "v")->value, false);
    else
        pd_shell_fail(sh, "$((%.*s)): %s", (int)len, text, error);
    g_free(error);
    g_string_free(source, TRUE);
    g_string_free(ignored, TRUE);
    pd_code_free(code);
    return ok;
}

/* Behind a '$' at *p; moves *p behind what was expanded. */
static bool expand(PdShell *sh, const char **p, const char *end, GString *out)
{
    const char *at = *p, *from;
    char *name;
    const char *value;

    if (end - at >= 2 && at[0] == '(' && at[1] == '(') {
        const char *close = g_strstr_len(at, end - at, "))");

        if (!close)
            return pd_shell_fail(sh, "a $((…)) that does not end") == 0;
        *p = close + 2;
        return arithmetic(sh, at + 2, (size_t)(close - at - 2), out);
    }
    if (at < end && *at == '(') {
        GString *inner = g_string_new(NULL);
        unsigned depth = 1;

        for (from = ++at; at < end && depth > 0; at++) {
            depth += *at == '(';
            depth -= *at == ')';
        }
        if (depth > 0 || sh->depth >= MAX_SHELL_DEPTH) {
            g_string_free(inner, TRUE);
            return pd_shell_fail(sh, "a $(…) that does not end or is nested too deeply") == 0;
        }
        *p = at;
        sh->depth++;
        run_text(sh, from, (size_t)(at - 1 - from), inner);
        sh->depth--;
        while (inner->len && inner->str[inner->len - 1] == '\n')
            g_string_truncate(inner, inner->len - 1);
        g_string_append(out, inner->str);
        g_string_free(inner, TRUE);
        return sh->error == NULL;
    }
    if (at < end && *at == '{') {
        from = ++at;
        while (at < end && *at != '}')
            at++;
        name = g_strndup(from, (gsize)(at - from));
        at += at < end;
    } else if (at < end && *at == '$') {
        name = g_strdup("$");
        at++;
    } else {
        from = at;
        while (at < end && (g_ascii_isalnum(*at) || *at == '_'))
            at++;
        name = g_strndup(from, (gsize)(at - from));
    }
    *p = at;
    value = variable(sh, name);
    if (!*name)
        g_string_append_c(out, '$');
    else if (value)
        g_string_append(out, value);
    else
        pd_shell_fail(sh, "the variable $%s is not set", name);
    g_free(name);
    return sh->error == NULL;
}

/* ---- words ---- */

static bool is_end(char c)
{
    return strchr(" \t\r\n;|&<>()", c) != NULL;
}

static void skip(const char **p, const char *end)
{
    const char *at = *p;

    for (;;) {
        if (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
            at++;
        else if (end - at >= 2 && at[0] == '\\' && at[1] == '\n')
            at += 2;
        else
            break;
    }
    if (at < end && *at == '#') {
        while (at < end && *at != '\n')
            at++;
    }
    *p = at;
}

/* One word with its quotes resolved; NULL: an error was told. */
static char *take_word(PdShell *sh, const char **p, const char *end)
{
    GString *word = g_string_new(NULL);
    const char *at = *p;
    char quote = 0;

    while (at < end && (quote || !is_end(*at))) {
        char c = *at;

        if (quote == '\'') {
            at++;
            if (c == '\'')
                quote = 0;
            else
                g_string_append_c(word, c);
        } else if (c == '\\' && at + 1 < end) {
            if (quote && !strchr("\"\\$`\n", at[1]))
                g_string_append_c(word, c);
            if (at[1] != '\n')
                g_string_append_c(word, at[1]);
            at += 2;
        } else if (c == '$') {
            at++;
            if (!expand(sh, &at, end, word))
                break;
        } else if (c == '"') {
            quote = quote ? 0 : '"';
            at++;
        } else if (c == '\'' && !quote) {
            quote = '\'';
            at++;
        } else {
            g_string_append_c(word, c);
            at++;
        }
    }
    *p = at;
    if (quote && !sh->error)
        pd_shell_fail(sh, "a quote that is not closed");
    return g_string_free(word, sh->error != NULL);
}

static void simple_clear(void *item)
{
    Simple *s = item;

    g_ptr_array_free(s->words, TRUE);
    g_free(s->out_path);
}

/* > path, >> path, 2> path, 2>&1, &> path, < path. Only where output goes matters. */
static bool take_redirection(PdShell *sh, Simple *s, const char **p, const char *end)
{
    const char *at = *p;
    int fd = 1;
    char *path;

    if (at < end && g_ascii_isdigit(*at))
        fd = *at++ - '0';
    if (at < end && *at == '&')
        at++;
    if (*at == '<')
        fd = 0;
    while (at < end && (*at == '>' || *at == '<'))
        at++;
    if (at < end && *at == '&') {
        at++;
        while (at < end && (g_ascii_isdigit(*at) || *at == '-'))
            at++;
        *p = at;
        return true;
    }
    skip(&at, end);
    path = take_word(sh, &at, end);
    *p = at;
    if (!path)
        return false;
    if (fd == 1) {
        g_free(s->out_path);
        s->out_path = path;
    } else {
        g_free(path);
    }
    return true;
}

static bool redirection_follows(const char *at, const char *end)
{
    if (at < end && (*at == '>' || *at == '<'))
        return true;
    return end - at >= 2 && (g_ascii_isdigit(*at) || *at == '&') && (at[1] == '>' || at[1] == '<');
}

/* One simple command up to what joins it to the next. */
static bool take_simple(PdShell *sh, Simple *s, const char **p, const char *end)
{
    *s = (Simple){.words = g_ptr_array_new_with_free_func(g_free)};
    for (;;) {
        char *word;

        skip(p, end);
        if (*p >= end)
            break;
        if (redirection_follows(*p, end)) {
            if (!take_redirection(sh, s, p, end))
                return false;
            continue;
        }
        if (**p == '\n' || **p == ';') {
            (*p)++;
            break;
        }
        if (**p == '&' || **p == '|') {
            bool twice = end - *p >= 2 && (*p)[1] == **p;

            s->link = **p == '|' ? (twice ? LINK_OR : LINK_PIPE) : twice ? LINK_AND : LINK_SEQ;
            *p += 1 + twice;
            /* The list goes on behind a line end. */
            while (*p < end && s->link != LINK_SEQ && (g_ascii_isspace(**p)))
                (*p)++;
            break;
        }
        if (**p == '(' || **p == ')')
            return pd_shell_fail(sh, "subshells ( ) are not supported") == 0;
        word = take_word(sh, p, end);
        if (!word)
            return false;
        g_ptr_array_add(s->words, word);
    }
    g_ptr_array_add(s->words, NULL);
    return true;
}

/* ---- running ---- */

static bool is_assignment(const char *word)
{
    const char *equals = strchr(word, '=');

    if (!equals || equals == word || g_ascii_isdigit(*word))
        return false;
    for (const char *c = word; c < equals; c++) {
        if (!g_ascii_isalnum(*c) && *c != '_')
            return false;
    }
    return true;
}

static int run_simple(PdShell *sh, const Simple *s, const GString *in, GString *output)
{
    char **words = (char **)s->words->pdata;
    const PdShellCommand *command;
    GString *out;
    char *base;
    int status;

    for (; *words && is_assignment(*words); words++) {
        const char *equals = strchr(*words, '=');

        g_ptr_array_add(sh->variables, g_strndup(*words, (gsize)(equals - *words)));
        g_ptr_array_add(sh->variables, g_strdup(equals + 1));
    }
    while (*words && (strcmp(*words, "sudo") == 0 || strcmp(*words, "exec") == 0 || strcmp(*words, "!") == 0))
        words++;
    if (!*words)
        return 0;
    base = g_path_get_basename(*words);
    command = pd_shell_command(base);
    g_free(base);
    if (!command) {
        char *known = pd_shell_known();

        pd_shell_fail(sh, "'%s' is not supported here: commands act on the simulated host, and there are %s",
                      *words, known);
        g_free(known);
        return -1;
    }
    out = g_string_new(NULL);
    status = command->run(sh, words, in, out);
    if (s->out_path && strcmp(s->out_path, "/dev/null") != 0 && status >= 0)
        status = pd_shell_write_file(sh, s->out_path, out->str) ? -1 : status;
    else if (!s->out_path)
        g_string_append_len(output, out->str, (gssize)out->len);
    g_string_free(out, TRUE);
    return status;
}

static int run_list(PdShell *sh, const GArray *list, GString *output)
{
    int status = 0;
    bool skipping = false, is_negated = false;
    GString *in = g_string_new(NULL);

    for (guint i = 0; i < list->len && !sh->error && !sh->is_over; i++) {
        const Simple *s = &g_array_index(list, Simple, i);
        Join before = i ? g_array_index(list, Simple, i - 1).link : LINK_SEQ;

        if (before == LINK_AND)
            skipping = status != 0;
        else if (before == LINK_OR)
            skipping = status == 0;
        else if (before == LINK_SEQ)
            skipping = false;
        if (skipping)
            continue;
        if (before != LINK_PIPE)
            is_negated = s->words->len > 1 && strcmp(s->words->pdata[0], "!") == 0;
        if (s->link == LINK_PIPE) {
            GString *piped = g_string_new(NULL);

            status = run_simple(sh, s, in, piped);
            g_string_free(in, TRUE);
            in = piped;
        } else {
            status = run_simple(sh, s, in, output);
            if (is_negated)
                status = status == 0;
            g_string_truncate(in, 0);
        }
    }
    g_string_free(in, TRUE);
    return sh->error ? -1 : status;
}

static int run_text(PdShell *sh, const char *text, size_t len, GString *output)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(Simple));
    const char *p = text, *end = text + len;
    int status = 0;

    g_array_set_clear_func(list, simple_clear);
    while (p < end) {
        Simple s;
        bool ok = take_simple(sh, &s, &p, end);

        g_array_append_val(list, s);
        if (!ok)
            break;
        if (s.link == LINK_SEQ && list->len == 1 && s.words->len == 1 && !s.out_path) {
            g_array_set_size(list, 0); /* an empty line: the status stays */
        } else if (s.link == LINK_SEQ) {
            /* Variables that a command sets are seen by the next: words are expanded as late as that. */
            status = run_list(sh, list, output);
            g_array_set_size(list, 0);
            if (sh->error || sh->is_over)
                break;
        }
    }
    if (!sh->error && !sh->is_over && list->len)
        status = run_list(sh, list, output);
    g_array_free(list, TRUE);
    return sh->error ? -1 : HS_MAX(status, 0);
}

int pd_shell_run(PdSim *s, const char *text, GString *output, char **error)
{
    PdShell sh = {.sim = s, .variables = g_ptr_array_new_with_free_func(g_free)};
    int status = run_text(&sh, text, strlen(text), output);

    g_ptr_array_free(sh.variables, TRUE);
    *error = sh.error;
    return sh.error ? -1 : status;
}
