/* Words of a command's text: blanks and comments between them, quotes, and what stands behind a dollar sign
 * (variables, $((…)), $(…)). */
#include <string.h>

#include "packetdrill/pd_code_priv.h"
#include "packetdrill/pd_shell.h"

#define MAX_SUBSTITUTIONS 8 /* of $(…) in $(…) */

/* ---- expansion ---- */

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
    GString *source = g_string_new("v = +("), *ignored = g_string_new(NULL);
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
    char *name, *fallback;
    const char *value;

    if (end - at >= 2 && at[0] == '(' && at[1] == '(') {
        const char *close = g_strstr_len(at, end - at, "))");

        if (!close)
            return pd_shell_fail(sh, "a $((…)) that does not end") == 0;
        *p = close + 2;
        return sh->is_scanning || arithmetic(sh, at + 2, (size_t)(close - at - 2), out);
    }
    if (at < end && *at == '(') {
        GString *inner = g_string_new(NULL);
        unsigned depth = 1;

        for (from = ++at; at < end && depth > 0; at++) {
            depth += *at == '(';
            depth -= *at == ')';
        }
        if (depth > 0 || sh->depth >= MAX_SUBSTITUTIONS) {
            g_string_free(inner, TRUE);
            return pd_shell_fail(sh, "a $(…) that does not end or is nested too deeply") == 0;
        }
        *p = at;
        if (!sh->is_scanning) {
            sh->depth++;
            sh->substituted = pd_shell_run_text(sh, from, (size_t)(at - 1 - from), inner);
            sh->depth--;
            sh->is_scanning = false;
        }
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
    } else if (at < end && (*at == '$' || *at == '?')) {
        name = g_strndup(at, 1);
        at++;
    } else {
        from = at;
        while (at < end && (g_ascii_isalnum(*at) || *at == '_'))
            at++;
        name = g_strndup(from, (gsize)(at - from));
    }
    *p = at;
    fallback = strstr(name, ":-");
    if (fallback) { /* ${NAME:-TEXT} */
        *fallback = 0;
        fallback += 2;
    }
    value = variable(sh, name);
    if (!*name)
        g_string_append_c(out, '$');
    else if (strcmp(name, "?") == 0)
        g_string_append_printf(out, "%d", sh->status);
    else if (fallback && (!value || !*value))
        g_string_append(out, fallback);
    else if (value)
        g_string_append(out, value);
    else if (!sh->is_scanning)
        pd_shell_fail(sh, "the variable $%s is not set", name);
    g_free(name);
    return sh->error == NULL;
}

/* ---- words ---- */

bool pd_shell_is_word_end(char c)
{
    return strchr(" \t\r\n;|&<>()", c) != NULL;
}

void pd_shell_skip_blanks(const char **p, const char *end)
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
char *pd_shell_take_word(PdShell *sh, const char **p, const char *end)
{
    GString *word = g_string_new(NULL);
    const char *at = *p;
    char quote = 0;

    while (at < end && (quote || !pd_shell_is_word_end(*at))) {
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
