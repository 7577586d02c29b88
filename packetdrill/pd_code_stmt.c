/* Statements of code blocks: assert, print, assignments, if, for, while.
 *
 * A body is run where it stands: to run it again, or not at all, the interpreter goes back to its place or
 * reads on over it (skip_line). A body is what is indented further than the line with the colon. */
#include <string.h>

#include "packetdrill/pd_code_priv.h"

static bool statement_line(PdCode *c, GString *output, int indent);

/* What an assertion said and what the names in it were. */
static void describe_failure(PdCode *c, const char *from, const char *to, unsigned line,
                             const PdValue *message)
{
    GString *s = g_string_new("assertion failed: ");
    const char *p = from, *sep = "\n  with ";
    GPtrArray *told = g_ptr_array_new_with_free_func(g_free);

    while (to > from && g_ascii_isspace(to[-1]))
        to--;
    g_string_append_len(s, from, to - from);
    if (message) {
        g_string_append(s, "\n  message: ");
        pd_value_format(s, message, false);
    }
    while (p < to) {
        const char *start = p;
        const PdVariable *v;
        char *name;

        if (!g_ascii_isalpha(*p) && *p != '_') {
            p++;
            continue;
        }
        while (p < to && (g_ascii_isalnum(*p) || *p == '_'))
            p++;
        name = g_strndup(start, (gsize)(p - start));
        v = pd_code_find(c, name);
        if (v && !g_ptr_array_find_with_equal_func(told, name, g_str_equal, NULL)) {
            g_string_append_printf(s, "%s%s = ", sep, name);
            pd_value_format(s, &v->value, true);
            sep = ", ";
            g_ptr_array_add(told, g_strdup(name));
        }
        g_free(name);
    }
    pd_code_fail(c, line, "%s", s->str);
    c->is_assertion = true;
    g_ptr_array_free(told, TRUE);
    g_string_free(s, TRUE);
}

/* An expression whose value is wanted. */
static bool value(PdCode *c, PdValue *out)
{
    return pd_code_expr(c, out) && pd_code_settle(c, out);
}

static bool statement_assert(PdCode *c)
{
    unsigned line = c->tok.line;
    const char *from = c->at, *to;
    PdValue v, message;
    bool has_message = false;

    while (from < c->end && (*from == ' ' || *from == '\t'))
        from++;
    pd_code_next(c);
    if (!value(c, &v))
        return false;
    to = c->tok.kind == CODE_END ? c->end : c->at - (c->tok.kind == CODE_OP || c->tok.kind == CODE_NEWLINE);
    if (pd_code_is_op(c, ",")) {
        pd_code_next(c);
        has_message = true;
        if (!pd_code_expr(c, &message))
            return false;
    }
    if (pd_value_is_true(&v))
        return true;
    if (has_message && !pd_code_settle(c, &message))
        return false;
    describe_failure(c, from, to, line, has_message ? &message : NULL);
    return false;
}

/* The next character that is no blank. */
static char peek(const PdCode *c)
{
    const char *p = c->at;

    while (p < c->end && (*p == ' ' || *p == '\t'))
        p++;
    return p < c->end && !(p + 1 < c->end && p[1] == '=') ? *p : 0;
}

/* print(…), with sep= and end= perhaps. */
static bool statement_print(PdCode *c, GString *output)
{
    GString *values = g_string_new(NULL);
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    const char *sep = " ", *end = "\n";
    bool ok = true;

    pd_code_next(c);
    if (!pd_code_is_op(c, "("))
        ok = pd_code_expected(c, "'(' behind print");
    c->brackets++;
    pd_code_next(c);
    while (ok && !pd_code_is_op(c, ")")) {
        const char *name = c->tok.kind == CODE_NAME && peek(c) == '=' ? c->tok.text : NULL;
        PdValue v;

        if (name && strcmp(name, "sep") != 0 && strcmp(name, "end") != 0) {
            ok = pd_code_fail(c, c->tok.line, "print() with %s= is not supported", name);
            break;
        }
        if (name) {
            pd_code_next(c);
            pd_code_next(c);
        }
        ok = value(c, &v);
        if (ok && name && v.kind == VALUE_TEXT)
            *(*name == 's' ? &sep : &end) = v.text;
        if (ok && !name) {
            g_string_truncate(values, 0);
            pd_value_format(values, &v, false);
            g_ptr_array_add(texts, g_strdup(values->str));
        }
        ok = ok && pd_code_skip_comma(c, ")");
    }
    if (ok) {
        c->brackets--;
        pd_code_next(c);
        for (guint i = 0; i < texts->len; i++)
            g_string_append_printf(output, "%s%s", i ? sep : "", (const char *)texts->pdata[i]);
        g_string_append(output, end);
    }
    g_ptr_array_free(texts, TRUE);
    g_string_free(values, TRUE);
    return ok;
}

/* Behind '=': one value, or a tuple without parentheses. */
static bool values(PdCode *c, PdValue *out)
{
    PdValue item[PD_CODE_TARGETS];
    unsigned n = 0;
    bool is_tuple = false;

    for (;;) {
        if (!value(c, &item[n++]))
            return false;
        if (!pd_code_is_op(c, ","))
            break;
        is_tuple = true;
        pd_code_next(c);
        if (c->tok.kind == CODE_END || c->tok.kind == CODE_NEWLINE || pd_code_is_op(c, ";") ||
            pd_code_is_op(c, ":"))
            break;
        if (n == PD_CODE_TARGETS)
            return pd_code_fail(c, c->tok.line, "a tuple of so many values without parentheses");
    }
    *out = is_tuple ? pd_value_tuple(c, item, n) : item[0];
    return true;
}

/* NAMES = …, NAME += …; *is_one false: neither, nothing was taken. */
static bool statement_assign(PdCode *c, bool *is_one)
{
    static const char *const ops[] = {
        "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "//=", "**=", "<<=", ">>="};
    CodePlace start = pd_code_place(c);
    const char *name[PD_CODE_TARGETS];
    unsigned n, line = c->tok.line;
    bool is_target = pd_code_targets(c, name, &n);
    PdValue v, sum;

    *is_one = true;
    if (is_target && pd_code_is_op(c, "=")) {
        bool is_again;

        pd_code_next(c);
        /* a = b = 1: what is on the right of the last one is in `v` then. */
        if (!statement_assign(c, &is_again))
            return false;
        if (is_again)
            v = c->assigned;
        else if (!values(c, &v))
            return false;
        c->assigned = v;
        return pd_code_bind(c, line, name, n, &v);
    }
    for (unsigned i = 0; is_target && n == 1 && i < HS_ARRAY_LEN(ops); i++) {
        const PdVariable *old;
        char op[3];

        if (!pd_code_is_op(c, ops[i]))
            continue;
        g_strlcpy(op, ops[i], strlen(ops[i]));
        pd_code_next(c);
        if (!values(c, &v))
            return false;
        old = pd_code_find(c, name[0]);
        if (!old)
            return pd_code_fail(c, line, "name '%s' is not defined", name[0]);
        pd_code_binary(c, line, op, &old->value, &v, &sum);
        return pd_code_bind(c, line, name, 1, &sum);
    }
    *is_one = false;
    pd_code_goto(c, &start);
    return c->error == NULL;
}

static bool simple_statement(PdCode *c, GString *output)
{
    static const char *const strangers[] = {"import", "from",   "def", "class",  "try",    "with",  "raise",
                                            "return", "global", "del", "lambda", "except", "yield", "exit"};
    const char *name = c->tok.kind == CODE_NAME ? c->tok.text : "";
    bool is_assignment;
    PdValue v;

    if (strcmp(name, "assert") == 0)
        return statement_assert(c);
    if (strcmp(name, "print") == 0)
        return statement_print(c, output);
    for (unsigned i = 0; i < HS_ARRAY_LEN(strangers); i++)
        if (strcmp(name, strangers[i]) == 0)
            return pd_code_fail(
                c, c->tok.line,
                "'%s ...' is not supported in a code block: expected assert, print(...), if, for, "
                "while or an assignment",
                name);
    if (strcmp(name, "break") == 0 || strcmp(name, "continue") == 0) {
        if (c->loops == 0)
            return pd_code_fail(c, c->tok.line, "'%s' outside a loop", name);
        c->jump = *name == 'b' ? JUMP_BREAK : JUMP_CONTINUE;
    }
    if (c->jump || strcmp(name, "pass") == 0) {
        pd_code_next(c);
        return true;
    }
    return statement_assign(c, &is_assignment) && (is_assignment || values(c, &v));
}

/* ---- bodies ---- */

/* Behind the end of a line: how far the next statement is indented; -1: there is none. */
static int next_indent(const PdCode *c)
{
    const char *line = c->at;

    while (line < c->end) {
        const char *p = line;

        while (p < c->end && (*p == ' ' || *p == '\t' || *p == '\r'))
            p++;
        if (p < c->end && *p != '\n' && *p != '#')
            return (int)(p - line);
        while (p < c->end && *p != '\n')
            p++;
        line = p + 1;
    }
    return -1;
}

static bool is_at_line_end(const PdCode *c)
{
    return c->tok.kind == CODE_NEWLINE || c->tok.kind == CODE_END;
}

/* Reads over ends of lines up to the next statement. */
static void skip_newlines(PdCode *c)
{
    while (c->tok.kind == CODE_NEWLINE)
        pd_code_next(c);
}

/* Reads to the end of a statement's line without running it. */
static bool skip_line(PdCode *c)
{
    for (; !is_at_line_end(c); pd_code_next(c)) {
        if (c->tok.kind == CODE_WRONG)
            return pd_code_expected(c, "a statement");
        if (c->tok.kind == CODE_OP && strchr("([{", *c->tok.text))
            c->brackets++;
        if (c->tok.kind == CODE_OP && strchr(")]}", *c->tok.text) && c->brackets > 0)
            c->brackets--;
    }
    c->brackets = 0;
    return true;
}

/* From the ':' over a body, which is run or not; *body: how far it is indented (its header, when it stands
 * behind the colon). Behind it the token is the end of its last line; after a jump it is anywhere. */
static bool run_body(PdCode *c, GString *output, int indent, bool run, int *body)
{
    *body = indent;
    if (!pd_code_is_op(c, ":"))
        return pd_code_expected(c, "':'");
    pd_code_next(c);
    if (c->tok.kind != CODE_NEWLINE)
        return run ? statement_line(c, output, indent) : skip_line(c);
    *body = next_indent(c);
    if (*body <= indent)
        return pd_code_fail(c, c->tok.line, "expected an indented statement behind ':'");
    do {
        skip_newlines(c);
        if (!(run ? statement_line(c, output, *body) : skip_line(c)))
            return false;
    } while (!c->jump && next_indent(c) >= *body);
    return true;
}

/* Is the next line one of if's with this word, and not one of an if further out? Takes it then. */
static bool take_branch(PdCode *c, const char *word, int indent, int body)
{
    int next = next_indent(c);
    CodePlace end = pd_code_place(c);

    if (c->tok.kind != CODE_NEWLINE || next < indent || (next >= body && next != indent))
        return false;
    skip_newlines(c);
    if (pd_code_is_name(c, word))
        return true;
    pd_code_goto(c, &end);
    return false;
}

static bool statement_if(PdCode *c, GString *output, int indent)
{
    bool was_true = false, is_else = false;
    int body = indent;

    do {
        PdValue condition = pd_value_bool(true);
        bool run;

        pd_code_next(c);
        if (!is_else && !pd_code_expr(c, &condition))
            return false;
        if (!was_true && !pd_code_settle(c, &condition))
            return false;
        run = !was_true && pd_value_is_true(&condition);
        if (!run_body(c, output, indent, run, &body))
            return false;
        if (c->jump)
            return true;
        was_true |= run;
    } while (!is_else &&
             (take_branch(c, "elif", indent, body) || (is_else = take_branch(c, "else", indent, body))));
    return true;
}

/* for NAMES in VALUES: …, while CONDITION: … */
static bool statement_loop(PdCode *c, GString *output, int indent, bool is_for)
{
    const char *name[PD_CODE_TARGETS];
    unsigned n = 0, line = c->tok.line;
    PdValue v = {VALUE_NONE};
    CodePlace start, header;
    int body;

    pd_code_next(c);
    if (is_for && !pd_code_targets(c, name, &n))
        return pd_code_expected(c, "a name behind 'for'");
    if (is_for && !pd_code_is_name(c, "in"))
        return pd_code_expected(c, "'in'");
    if (is_for)
        pd_code_next(c);
    header = pd_code_place(c);
    if (!values(c, &v))
        return false;
    if (is_for && v.kind != VALUE_TUPLE)
        return pd_code_fail(c, line, "for … in %s has no meaning", pd_value_kind_name(&v));
    start = pd_code_place(c);
    c->loops++;
    for (unsigned i = 0; is_for ? i < v.n_items : pd_value_is_true(&v); i++) {
        pd_code_goto(c, &start);
        if (!pd_code_step(c) || (is_for && !pd_code_bind(c, line, name, n, &v.item[i])) ||
            !run_body(c, output, indent, true, &body))
            return false;
        if (c->jump == JUMP_BREAK)
            break;
        c->jump = JUMP_NONE;
        pd_code_goto(c, &header);
        if (!is_for && !values(c, &v))
            return false;
    }
    c->jump = JUMP_NONE;
    c->loops--;
    pd_code_goto(c, &start);
    return run_body(c, output, indent, false, &body);
}

/* Everything up to the end of a line. */
static bool statement_line(PdCode *c, GString *output, int indent)
{
    bool ok = pd_code_deeper(c);

    if (ok && pd_code_is_name(c, "if")) {
        ok = statement_if(c, output, indent);
    } else if (ok && (pd_code_is_name(c, "for") || pd_code_is_name(c, "while"))) {
        ok = statement_loop(c, output, indent, pd_code_is_name(c, "for"));
    } else {
        while (ok && !is_at_line_end(c)) {
            if (!pd_code_is_op(c, ";"))
                ok = simple_statement(c, output);
            if (ok && c->jump)
                break;
            if (ok && !is_at_line_end(c) && !pd_code_is_op(c, ";"))
                ok = pd_code_expected(c, "the end of the statement");
            if (ok && pd_code_is_op(c, ";"))
                pd_code_next(c);
        }
    }
    c->depth--;
    return ok;
}

/* Here the first line's indentation is unknown and nobody's: blanks at a block's ends do not count. */
bool pd_code_block(PdCode *c, GString *output)
{
    int indent = 0;

    pd_code_next(c);
    while (c->tok.kind != CODE_END && !c->error) {
        if (c->tok.kind == CODE_NEWLINE) {
            indent = next_indent(c);
            skip_newlines(c);
        } else {
            statement_line(c, output, indent);
        }
    }
    return c->error == NULL;
}
