/* Statements and names of code blocks: assert, print, assignments. */
#include "packetdrill/pd_code.h"

#include <stdarg.h>
#include <string.h>

#include "packetdrill/pd_code_priv.h"
#include "packetdrill/pd_info.h"

bool pd_code_fail(PdCode *c, unsigned line, const char *format, ...)
{
    va_list args;

    if (c->error)
        return false;
    va_start(args, format);
    c->error = g_strdup_vprintf(format, args);
    va_end(args);
    c->error_line = line;
    return false;
}

/* ---- tokens ---- */

static void skip_blanks(PdCode *c)
{
    while (c->at < c->end) {
        if (*c->at == ' ' || *c->at == '\t' || *c->at == '\r') {
            c->at++;
        } else if (*c->at == '\n' && c->brackets > 0) {
            c->at++;
            c->line++;
        } else if (*c->at == '\\' && c->at + 1 < c->end && c->at[1] == '\n') {
            c->at += 2;
            c->line++;
        } else if (*c->at == '#') {
            while (c->at < c->end && *c->at != '\n')
                c->at++;
        } else {
            return;
        }
    }
}

static void take_number(PdCode *c)
{
    const char *from = c->at;
    unsigned __int128 v = 0;
    unsigned base = 10;
    bool is_float = false;

    if (c->end - from > 2 && from[0] == '0' && (from[1] | 32) == 'x' && g_ascii_isxdigit(from[2])) {
        base = 16;
        c->at += 2;
    }
    for (; c->at < c->end; c->at++) {
        int digit = g_ascii_xdigit_value(*c->at);

        if (*c->at == '_')
            continue;
        if (base == 10 && *c->at == '.' && !is_float) {
            is_float = true;
            continue;
        }
        if (digit < 0 || (unsigned)digit >= base)
            break;
        if (v >> 100) {
            c->tok.kind = CODE_WRONG;
            c->tok.text = "a number that is too large";
            return;
        }
        v = v * base + (unsigned)digit;
    }
    if (!is_float && base == 10 && c->at < c->end && (*c->at | 32) == 'e')
        is_float = true;
    c->tok.kind = CODE_NUMBER;
    c->tok.value = (PdValue){.kind = VALUE_INT, .i = (__int128)v};
    if (is_float) {
        char *copy = g_strndup(from, (gsize)(c->end - from)), *end;

        c->tok.value = (PdValue){.kind = VALUE_FLOAT, .f = g_ascii_strtod(copy, &end)};
        c->at = from + (end - copy);
        g_free(copy);
    }
}

static void take_text(PdCode *c)
{
    char quote = *c->at++;
    GString *s = g_string_new(NULL);

    while (c->at < c->end && *c->at != quote && *c->at != '\n') {
        if (*c->at == '\\' && c->at + 1 < c->end) {
            c->at++;
            g_string_append_c(s, *c->at == 'n' ? '\n' : *c->at == 't' ? '\t' : *c->at);
        } else {
            g_string_append_c(s, *c->at);
        }
        c->at++;
    }
    if (c->at >= c->end || *c->at != quote) {
        c->tok.kind = CODE_WRONG;
        c->tok.text = "a text without a closing quote";
    } else {
        c->at++;
        c->tok.kind = CODE_TEXT;
        c->tok.text = pd_arena_strndup(&c->arena, s->str, s->len);
    }
    g_string_free(s, TRUE);
}

void pd_code_next(PdCode *c)
{
    static const char *const ops[] = {"<<=", ">>=", "//=", "==", "!=", "<=", ">=", "//", "<<", ">>",
                                      "+=",  "-=",  "*=",  "/=", "%=", "^=", "|=", "&=", "<",  ">",
                                      "=",   "+",   "-",   "*",  "/",  "%",  "&",  "|",  "^",  "~",
                                      "(",   ")",   ",",   ";",  "[",  "]",  ":",  "."};
    bool is_formatted = false;

    skip_blanks(c);
    c->tok = (CodeToken){.kind = CODE_END, .line = c->line};
    if (c->at >= c->end)
        return;
    if (*c->at == '\n') {
        c->at++;
        c->line++;
        c->tok.kind = CODE_NEWLINE;
        return;
    }
    if (g_ascii_isdigit(*c->at) || (*c->at == '.' && c->at + 1 < c->end && g_ascii_isdigit(c->at[1]))) {
        take_number(c);
        return;
    }
    /* r'…' is taken as it stands: texts are for messages. */
    if (strchr("rfbu", *c->at) && c->at + 1 < c->end && (c->at[1] == '"' || c->at[1] == '\''))
        is_formatted = *c->at++ == 'f';
    if (*c->at == '"' || *c->at == '\'') {
        take_text(c);
        c->tok.is_formatted = is_formatted;
        return;
    }
    if (g_ascii_isalpha(*c->at) || *c->at == '_') {
        const char *from = c->at;

        while (c->at < c->end && (g_ascii_isalnum(*c->at) || *c->at == '_'))
            c->at++;
        c->tok.kind = CODE_NAME;
        c->tok.text = pd_arena_strndup(&c->arena, from, (size_t)(c->at - from));
        return;
    }
    for (unsigned i = 0; i < HS_ARRAY_LEN(ops); i++) {
        size_t len = strlen(ops[i]);

        if ((size_t)(c->end - c->at) >= len && memcmp(c->at, ops[i], len) == 0) {
            c->tok.kind = CODE_OP;
            c->tok.text = ops[i];
            c->at += len;
            return;
        }
    }
    c->tok.kind = CODE_WRONG;
    c->tok.text = "a character that does not belong here";
}

bool pd_code_is_op(const PdCode *c, const char *op)
{
    return c->tok.kind == CODE_OP && strcmp(c->tok.text, op) == 0;
}

bool pd_code_is_name(const PdCode *c, const char *name)
{
    return c->tok.kind == CODE_NAME && strcmp(c->tok.text, name) == 0;
}

bool pd_code_expected(PdCode *c, const char *what)
{
    switch (c->tok.kind) {
    case CODE_END:
    case CODE_NEWLINE:
        return pd_code_fail(c, c->tok.line, "expected %s, found the end of the line", what);
    case CODE_WRONG:
        return pd_code_fail(c, c->tok.line, "expected %s, found %s", what, c->tok.text);
    case CODE_NUMBER:
        return pd_code_fail(c, c->tok.line, "expected %s, found a number", what);
    default:
        return pd_code_fail(c, c->tok.line, "expected %s, found '%s'", what, c->tok.text);
    }
}

bool pd_code_skip_comma(PdCode *c, const char *close)
{
    if (pd_code_is_op(c, ","))
        pd_code_next(c);
    else if (!pd_code_is_op(c, close))
        return pd_code_expected(c, *close == ')' ? "',' or ')'" : "',' or ']'");
    return true;
}

/* ---- names ---- */

const PdVariable *pd_code_find(PdCode *c, const char *name)
{
    guint i = GPOINTER_TO_UINT(g_hash_table_lookup(c->names, name));

    return i ? &g_array_index(c->variables, PdVariable, i - 1) : NULL;
}

void pd_code_set(PdCode *c, const char *name, PdValue v)
{
    guint i = GPOINTER_TO_UINT(g_hash_table_lookup(c->names, name));
    PdVariable var = {pd_arena_strndup(&c->arena, name, strlen(name)), v};

    if (i) {
        g_array_index(c->variables, PdVariable, i - 1).value = v;
        return;
    }
    g_array_append_val(c->variables, var);
    g_hash_table_insert(c->names, (gpointer)var.name, GUINT_TO_POINTER(c->variables->len));
}

static void set_number(void *user, const char *name, uint64_t value)
{
    pd_code_set(user, name, (PdValue){.kind = VALUE_INT, .i = (__int128)value});
}

PdCode *pd_code_new(void)
{
    PdCode *c = g_new0(PdCode, 1);

    c->names = g_hash_table_new(g_str_hash, g_str_equal);
    c->variables = g_array_new(FALSE, FALSE, sizeof(PdVariable));
    c->arena.blocks = g_ptr_array_new_with_free_func(g_free);
    pd_info_foreach_constant(set_number, c);
    return c;
}

void pd_code_free(PdCode *c)
{
    if (!c)
        return;
    g_hash_table_destroy(c->names);
    g_array_free(c->variables, TRUE);
    g_ptr_array_free(c->arena.blocks, TRUE);
    g_free(c);
}

/* ---- statements ---- */

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

static bool statement_assert(PdCode *c)
{
    unsigned line = c->tok.line;
    const char *from, *to;
    PdValue v, message;
    bool has_message = false;

    skip_blanks(c);
    from = c->at;
    pd_code_next(c);
    if (!pd_code_expr(c, &v))
        return false;
    to = c->tok.kind == CODE_END ? c->end : c->at - (c->tok.kind == CODE_OP || c->tok.kind == CODE_NEWLINE);
    if (pd_code_is_op(c, ",")) {
        pd_code_next(c);
        has_message = true;
        if (!pd_code_expr(c, &message))
            return false;
    }
    if (!pd_value_is_true(&v))
        describe_failure(c, from, to, line, has_message ? &message : NULL);
    return c->error == NULL;
}

static bool statement_print(PdCode *c, GString *output)
{
    bool first = true;

    pd_code_next(c);
    if (!pd_code_is_op(c, "("))
        return pd_code_expected(c, "'(' behind print");
    c->brackets++;
    pd_code_next(c);
    while (!pd_code_is_op(c, ")")) {
        PdValue v;

        if (!pd_code_expr(c, &v))
            return false;
        if (!first)
            g_string_append_c(output, ' ');
        first = false;
        pd_value_format(output, &v, false);
        if (!pd_code_skip_comma(c, ")"))
            return false;
    }
    c->brackets--;
    pd_code_next(c);
    g_string_append_c(output, '\n');
    return true;
}

static bool statement_assign(PdCode *c)
{
    static const char *const ops[] = {"+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "//=", "<<=", ">>="};
    const char *name = c->tok.text;
    unsigned line = c->tok.line;
    const PdVariable *old;
    PdValue v, sum;

    pd_code_next(c);
    if (pd_code_is_op(c, "=")) {
        pd_code_next(c);
        if (!pd_code_expr(c, &v))
            return false;
        pd_code_set(c, name, v);
        return true;
    }
    for (unsigned i = 0; i < HS_ARRAY_LEN(ops); i++) {
        char op[3];

        if (!pd_code_is_op(c, ops[i]))
            continue;
        g_strlcpy(op, ops[i], strlen(ops[i]));
        pd_code_next(c);
        if (!pd_code_expr(c, &v))
            return false;
        old = pd_code_find(c, name);
        if (!old)
            return pd_code_fail(c, line, "name '%s' is not defined", name);
        if (!pd_code_binary(c, line, op, &old->value, &v, &sum))
            return false;
        pd_code_set(c, name, sum);
        return true;
    }
    return pd_code_fail(
        c, line, "'%s ...' is not supported in a code block: expected assert, print(...) or an assignment",
        name);
}

static bool statement(PdCode *c, GString *output)
{
    if (pd_code_is_name(c, "assert"))
        return statement_assert(c);
    if (pd_code_is_name(c, "print"))
        return statement_print(c, output);
    if (pd_code_is_name(c, "pass")) {
        pd_code_next(c);
        return true;
    }
    if (c->tok.kind == CODE_NAME)
        return statement_assign(c);
    return pd_code_expected(c, "a statement");
}

bool pd_code_run(PdCode *c, const char *text, unsigned line, const PdSnapshot *snapshot, GString *output,
                 unsigned *error_line, char **error)
{
    if (snapshot)
        pd_info_foreach(snapshot, set_number, c);
    c->at = text;
    c->end = text + strlen(text);
    c->line = line;
    c->depth = c->brackets = 0;
    c->error = NULL;
    c->is_assertion = false;
    pd_code_next(c);
    while (c->tok.kind != CODE_END && !c->error) {
        if (c->tok.kind == CODE_NEWLINE || pd_code_is_op(c, ";")) {
            pd_code_next(c);
            continue;
        }
        if (statement(c, output) && c->tok.kind != CODE_END && c->tok.kind != CODE_NEWLINE &&
            !pd_code_is_op(c, ";"))
            pd_code_expected(c, "the end of the statement");
    }
    if (!c->error)
        return true;
    *error = c->error;
    *error_line = c->error_line;
    return false;
}

bool pd_code_is_assertion(const PdCode *c)
{
    return c->is_assertion;
}
