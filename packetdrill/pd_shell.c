/* Reading a command's text as sh does: lists (newline ; && ||), pipes, quotes, backslash-newline, comments,
 * variables, $((…)), $(…), redirections, ( ), { }, if and for. One pass reads and runs; what must not run
 * (the other branch of an if, what is behind a false &&) is read in the same way with nothing expanded. */
#include "packetdrill/pd_shell.h"

#include <stdarg.h>
#include <string.h>

#define MAX_NESTING 32

typedef struct Simple {
    GPtrArray *words; /* NULL-terminated when complete */
    char *in_path, *out_path;
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

/* ---- one simple command: words and redirections ---- */

static void simple_clear(Simple *s)
{
    g_ptr_array_free(s->words, TRUE);
    g_free(s->out_path);
    g_free(s->in_path);
}

static void set_path(char **to, char *path)
{
    g_free(*to);
    *to = path;
}

/* > path, >> path, 2> path, 2>&1, >&2, &> path, < path. Only where input comes from and output goes to
 * matters. */
static bool take_redirection(PdShell *sh, Simple *s, const char **p, const char *end)
{
    const char *at = *p;
    int fd = -1;
    char *path;
    bool is_input;

    if (at < end && g_ascii_isdigit(*at))
        fd = *at++ - '0';
    if (at < end && *at == '&')
        at++;
    is_input = *at == '<';
    if (fd < 0)
        fd = is_input ? 0 : 1;
    if (is_input && end - at >= 2 && at[1] == '<')
        return pd_shell_fail(sh, "input in the text of a command (<<) is not supported") == 0;
    while (at < end && (*at == '>' || *at == '<'))
        at++;
    if (at < end && *at == '&') {
        at++;
        if (fd == 1 && at < end && *at == '2')
            set_path(&s->out_path, g_strdup("/dev/null"));
        while (at < end && (g_ascii_isdigit(*at) || *at == '-'))
            at++;
        *p = at;
        return true;
    }
    pd_shell_skip_blanks(&at, end);
    path = pd_shell_take_word(sh, &at, end);
    *p = at;
    if (!path)
        return false;
    if (fd == 0 && is_input)
        set_path(&s->in_path, path);
    else if (fd == 1 && !is_input)
        set_path(&s->out_path, path);
    else
        g_free(path);
    return true;
}

static bool redirection_follows(const char *at, const char *end)
{
    if (at < end && (*at == '>' || *at == '<'))
        return true;
    return end - at >= 2 && (g_ascii_isdigit(*at) || *at == '&') && (at[1] == '>' || at[1] == '<');
}

/* Up to what joins it to the next. Behind a compound command (only_redirections) no words may come. */
static bool take_simple(PdShell *sh, Simple *s, const char **p, const char *end, bool only_redirections)
{
    for (;;) {
        char *word;

        pd_shell_skip_blanks(p, end);
        if (*p < end && redirection_follows(*p, end)) {
            if (!take_redirection(sh, s, p, end))
                return false;
            continue;
        }
        if (*p >= end || strchr("\n;&|)", **p))
            break;
        if (**p == '(')
            return pd_shell_fail(sh, "functions are not supported here, found '('") == 0;
        if (only_redirections)
            return pd_shell_fail(sh, "expected the end of a command, found '%.*s'", (int)HS_MIN(end - *p, 20),
                                 *p) == 0;
        word = pd_shell_take_word(sh, p, end);
        if (!word)
            return false;
        g_ptr_array_add(s->words, word);
    }
    return true;
}

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

bool pd_shell_assign(PdShell *sh, const char *word)
{
    const char *equals = strchr(word, '=');

    if (!is_assignment(word))
        return false;
    g_ptr_array_add(sh->variables, g_strndup(word, (gsize)(equals - word)));
    g_ptr_array_add(sh->variables, g_strdup(equals + 1));
    return true;
}

static int run_words(PdShell *sh, char **words, const GString *in, GString *out)
{
    const PdShellCommand *command;
    char *base;

    while (*words && pd_shell_assign(sh, *words))
        words++;
    while (*words && (strcmp(*words, "sudo") == 0 || strcmp(*words, "exec") == 0))
        words++;
    if (!*words)
        return sh->substituted;
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
    return command->run(sh, words, in, out);
}

/* ---- compound commands ---- */

typedef struct Part { /* of the text, as it is read */
    const char *at, *end;
} Part;

static int run_list(PdShell *sh, Part *t, bool active, const GString *in, GString *out);

/* The word that comes next, as it is written; it is not taken. */
static size_t peek_word(const Part *t)
{
    size_t n = 0;

    while (t->at + n < t->end && !pd_shell_is_word_end(t->at[n]))
        n++;
    return n;
}

static bool next_is(const Part *t, const char *word)
{
    size_t n = peek_word(t);

    return n == strlen(word) && memcmp(t->at, word, n) == 0;
}

static bool next_is_one_of(const Part *t, const char *const *words)
{
    for (; *words; words++) {
        if (next_is(t, *words))
            return true;
    }
    return false;
}

/* Blanks, line ends and empty commands. */
static void skip_lines(Part *t)
{
    for (;;) {
        pd_shell_skip_blanks(&t->at, t->end);
        if (t->at >= t->end || (*t->at != '\n' && *t->at != ';'))
            return;
        t->at++;
    }
}

static bool take_reserved(PdShell *sh, Part *t, const char *word)
{
    skip_lines(t);
    if (!next_is(t, word))
        return pd_shell_fail(sh, "expected '%s', found '%.*s'", word, (int)HS_MIN(t->end - t->at, 20),
                             t->at) == 0;
    t->at += strlen(word);
    return true;
}

/* if LIST; then LIST; [elif LIST; then LIST;] … [else LIST;] fi: behind if or elif. */
static int run_if(PdShell *sh, Part *t, bool active, const GString *in, GString *out)
{
    int status = 0, condition;
    bool yes;

    sh->in_condition++;
    condition = run_list(sh, t, active, in, out);
    sh->in_condition--;
    yes = active && condition == 0;
    if (!take_reserved(sh, t, "then"))
        return -1;
    if (yes)
        status = run_list(sh, t, true, in, out);
    else
        run_list(sh, t, false, in, out);
    skip_lines(t);
    if (next_is(t, "elif")) {
        int rest;

        t->at += strlen("elif");
        rest = run_if(sh, t, active && !yes, in, out);
        return yes ? status : rest;
    }
    if (next_is(t, "else")) {
        int rest;

        t->at += strlen("else");
        rest = run_list(sh, t, active && !yes, in, out);
        status = yes ? status : rest;
    }
    return take_reserved(sh, t, "fi") ? status : -1;
}

/* for NAME in WORD …; do LIST; done: behind for. */
static int run_for(PdShell *sh, Part *t, bool active, const GString *in, GString *out)
{
    Simple items = {.words = g_ptr_array_new_with_free_func(g_free)};
    char *name;
    int status = 0;
    Part body;

    pd_shell_skip_blanks(&t->at, t->end);
    name = g_strndup(t->at, peek_word(t));
    t->at += strlen(name);
    pd_shell_skip_blanks(&t->at, t->end);
    if (next_is(t, "in"))
        t->at += 2;
    else
        pd_shell_fail(sh, "expected 'in' behind 'for %s'", name);
    if (!sh->error && take_simple(sh, &items, &t->at, t->end, false) && take_reserved(sh, t, "do")) {
        body = *t;
        for (guint i = 0; active && i < items.words->len && !sh->error && !sh->is_over; i++) {
            g_ptr_array_add(sh->variables, g_strdup(name));
            g_ptr_array_add(sh->variables, g_strdup(items.words->pdata[i]));
            *t = body;
            status = run_list(sh, t, true, in, out);
        }
        *t = body;
        run_list(sh, t, false, in, out);
        take_reserved(sh, t, "done");
    }
    simple_clear(&items);
    g_free(name);
    return status;
}

/* ( LIST ), whose variables and exit are its own. */
static int run_subshell(PdShell *sh, Part *t, bool active, const GString *in, GString *out)
{
    guint n = sh->variables->len;
    bool is_over = sh->is_over;
    int status = run_list(sh, t, active, in, out);

    if (t->at >= t->end || *t->at != ')')
        return pd_shell_fail(sh, "a '(' that is not closed");
    t->at++;
    sh->is_over = is_over;
    g_ptr_array_set_size(sh->variables, (gint)n);
    return status;
}

static int run_compound(PdShell *sh, Part *t, bool active, const GString *in, GString *out)
{
    int status;

    if (*t->at == '(') {
        t->at++;
        return run_subshell(sh, t, active, in, out);
    }
    if (next_is(t, "if")) {
        t->at += 2;
        return run_if(sh, t, active, in, out);
    }
    if (next_is(t, "for")) {
        t->at += 3;
        return run_for(sh, t, active, in, out);
    }
    t->at++; /* { */
    status = run_list(sh, t, active, in, out);
    return take_reserved(sh, t, "}") ? status : -1;
}

/* One command, simple or compound, with its redirections. Those of a compound command come behind it: its
 * output is kept until they are known. */
static int run_command(PdShell *sh, Part *t, bool active, const GString *piped, GString *output)
{
    static const char *const unknown[] = {"while", "until", "case", "select", "function", "[[", NULL};
    static const char *const compounds[] = {"if", "for", "{", NULL};
    Simple s = {.words = g_ptr_array_new_with_free_func(g_free)};
    GString *out = g_string_new(NULL), *in = g_string_new_len(piped->str, (gssize)piped->len);
    bool is_compound = t->at < t->end && (*t->at == '(' || next_is_one_of(t, compounds)), ok;
    int status = 0;

    sh->is_scanning = !active;
    if (next_is_one_of(t, unknown))
        pd_shell_fail(sh, "'%.*s' is not supported here", (int)peek_word(t), t->at);
    else if (++sh->nesting > MAX_NESTING)
        pd_shell_fail(sh, "commands are nested too deeply");
    else if (is_compound)
        status = run_compound(sh, t, active, in, out);
    sh->is_scanning = !active;
    sh->substituted = 0;
    ok = !sh->error && take_simple(sh, &s, &t->at, t->end, is_compound);
    if (ok && active && s.in_path && strcmp(s.in_path, "/dev/null") != 0) {
        if (is_compound)
            pd_shell_fail(sh, "input of a compound command (<) is not supported");
        g_string_truncate(in, 0);
        ok = !sh->error && pd_shell_read_file(sh, s.in_path, in);
    }
    g_ptr_array_add(s.words, NULL);
    if (ok && active && !is_compound)
        status = run_words(sh, (char **)s.words->pdata, in, out);
    if (s.out_path && strcmp(s.out_path, "/dev/null") != 0 && active && !sh->error)
        pd_shell_write_file(sh, s.out_path, out->str);
    else if (!s.out_path)
        g_string_append_len(output, out->str, (gssize)out->len);
    g_string_free(out, TRUE);
    g_string_free(in, TRUE);
    simple_clear(&s);
    sh->nesting--;
    return sh->error ? -1 : status;
}

/* [!] COMMAND | COMMAND … */
static int run_pipeline(PdShell *sh, Part *t, bool active, const GString *first, GString *output)
{
    GString *in = g_string_new_len(first->str, (gssize)first->len);
    bool is_negated = false;
    int status;

    while (next_is(t, "!")) {
        is_negated = !is_negated;
        t->at++;
        pd_shell_skip_blanks(&t->at, t->end);
    }
    sh->in_condition += is_negated;
    for (;;) {
        GString *out = g_string_new(NULL);

        status = run_command(sh, t, active, in, out);
        g_string_free(in, TRUE);
        in = out;
        if (sh->error || t->at >= t->end || *t->at != '|' || (t->at + 1 < t->end && t->at[1] == '|'))
            break;
        t->at++;
        while (t->at < t->end && g_ascii_isspace(*t->at))
            t->at++;
        pd_shell_skip_blanks(&t->at, t->end);
    }
    sh->in_condition -= is_negated;
    g_string_append_len(output, in->str, (gssize)in->len);
    g_string_free(in, TRUE);
    if (is_negated)
        status = status == 0;
    if (active)
        sh->status = status;
    return status;
}

/* Commands up to the end of the text, a ')' or a word that closes what a compound command began. What is not
 * active is only read. */
static int run_list(PdShell *sh, Part *t, bool active, const GString *in, GString *out)
{
    static const char *const closing[] = {"then", "elif", "else", "fi", "do", "done", "}", NULL};
    int status = 0;
    bool is_empty = true;

    for (;;) {
        bool wanted = true, is_last;

        skip_lines(t);
        if (sh->error || t->at >= t->end || *t->at == ')' || next_is_one_of(t, closing))
            break;
        is_empty = false;
        do { /* … && … || … */
            const char *from = t->at;
            bool runs = active && wanted && !sh->is_over, joined, is_negated = next_is(t, "!");

            if (runs)
                status = run_pipeline(sh, t, true, in, out);
            else
                run_pipeline(sh, t, false, in, out);
            joined = t->end - t->at >= 2 && (*t->at == '&' || *t->at == '|') && t->at[1] == *t->at;
            is_last = !joined;
            if (runs && is_last && !is_negated && status != 0 && sh->is_strict && !sh->in_condition)
                sh->is_over = true;
            if (joined) {
                wanted = (*t->at == '&') == (status == 0);
                t->at += 2;
                while (t->at < t->end && g_ascii_isspace(*t->at))
                    t->at++;
                pd_shell_skip_blanks(&t->at, t->end);
            } else if (t->at < t->end && *t->at == '&') {
                t->at++;
            } else if (t->at == from && !sh->error) {
                pd_shell_fail(sh, "expected a command, found '%.*s'", (int)HS_MIN(t->end - t->at, 20), t->at);
            }
        } while (!is_last && !sh->error);
    }
    sh->is_scanning = !active;
    return sh->error ? -1 : is_empty ? 0 : status;
}

int pd_shell_run_text(PdShell *sh, const char *text, size_t len, GString *output)
{
    Part t = {text, text + len};
    GString *in = g_string_new(NULL);
    int status = run_list(sh, &t, true, in, output);

    if (!sh->error && t.at < t.end)
        pd_shell_fail(sh, "expected a command, found '%.*s'", (int)HS_MIN(t.end - t.at, 20), t.at);
    g_string_free(in, TRUE);
    return sh->error ? -1 : HS_MAX(status, 0);
}

int pd_shell_run(PdSim *s, const char *text, GString *output, char **error)
{
    PdShell sh = {.sim = s, .variables = g_ptr_array_new_with_free_func(g_free)};
    int status = pd_shell_run_text(&sh, text, strlen(text), output);

    g_ptr_array_free(sh.variables, TRUE);
    *error = sh.error;
    return sh.error ? -1 : status;
}
