/* Tokens and names of code blocks. */
#include "packetdrill/pd_code.h"

#include <stdarg.h>
#include <string.h>

#include "packetdrill/pd_code_priv.h"
#include "packetdrill/pd_info.h"

#define MAX_STEPS 100000

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

bool pd_code_wrong(PdCode *c, PdValue *out, unsigned line, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    *out = (PdValue){.kind = VALUE_WRONG, .i = line, .text = pd_arena_strndup(&c->arena, text, strlen(text))};
    g_free(text);
    return true;
}

bool pd_code_settle(PdCode *c, const PdValue *v)
{
    return v->kind != VALUE_WRONG || pd_code_fail(c, (unsigned)v->i, "%s", v->text);
}

bool pd_code_step(PdCode *c)
{
    return ++c->steps <= MAX_STEPS ||
           pd_code_fail(c, c->tok.line, "loops with more than %d turns", MAX_STEPS);
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

    if (c->end - from > 2 && from[0] == '0' && g_ascii_isxdigit(from[2])) {
        base = (from[1] | 32) == 'x' ? 16 : (from[1] | 32) == 'o' ? 8 : (from[1] | 32) == 'b' ? 2 : 10;
        c->at += base != 10 ? 2 : 0;
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
    if (c->at < c->end && (g_ascii_isalnum(*c->at) || *c->at == '_')) {
        c->tok.kind = CODE_WRONG;
        c->tok.text = "letters behind a number";
    }
}

/* One character behind a backslash; \xHH too. */
static void take_escape(PdCode *c, GString *s)
{
    static const char names[] = "abfnrtv0", values[] = "\a\b\f\n\r\t\v";
    const char *name = strchr(names, *c->at);

    if (*c->at == 'x' && c->end - c->at > 2 && g_ascii_isxdigit(c->at[1]) && g_ascii_isxdigit(c->at[2])) {
        g_string_append_c(s, (char)(g_ascii_xdigit_value(c->at[1]) * 16 + g_ascii_xdigit_value(c->at[2])));
        c->at += 2;
    } else if (*c->at == '\n') {
        c->line++;
    } else if (*c->at && name) {
        g_string_append_c(s, values[name - names]);
    } else {
        if (!strchr("\\'\"", *c->at))
            g_string_append_c(s, '\\');
        g_string_append_c(s, *c->at);
    }
}

/* '…', "…", and three quotes, between which lines may end. */
static void take_text(PdCode *c, bool is_raw)
{
    char quotes[4] = {*c->at, 0};
    size_t n = 1;
    GString *s = g_string_new(NULL);

    if (c->end - c->at > 5 && c->at[1] == *c->at && c->at[2] == *c->at) {
        quotes[1] = quotes[2] = *c->at;
        n = 3;
    }
    for (c->at += n; c->at < c->end && strncmp(c->at, quotes, n) != 0 && (n == 3 || *c->at != '\n');
         c->at++) {
        if (*c->at == '\\' && c->at + 1 < c->end) {
            c->at++;
            if (is_raw)
                g_string_append_printf(s, "\\%c", *c->at);
            else
                take_escape(c, s);
            continue;
        }
        c->line += *c->at == '\n';
        g_string_append_c(s, *c->at);
    }
    if (c->at >= c->end || strncmp(c->at, quotes, n) != 0) {
        c->tok.kind = CODE_WRONG;
        c->tok.text = "a text without a closing quote";
    } else {
        c->at += n;
        c->tok.kind = CODE_TEXT;
        c->tok.text = pd_arena_strndup(&c->arena, s->str, s->len);
    }
    g_string_free(s, TRUE);
}

/* The letters in front of a text: r'…', f'…', rf'…', b'…', u'…'. */
static unsigned text_prefix(const PdCode *c, bool *is_raw, bool *is_formatted)
{
    unsigned n = 0;

    *is_raw = *is_formatted = false;
    for (; n < 2 && c->at + n < c->end && strchr("rRfFbBuU", c->at[n]); n++) {
        *is_raw |= (c->at[n] | 32) == 'r';
        *is_formatted |= (c->at[n] | 32) == 'f';
    }
    return c->at + n < c->end && (c->at[n] == '"' || c->at[n] == '\'') ? n : 0;
}

void pd_code_next(PdCode *c)
{
    static const char *const ops[] = {"<<=", ">>=", "//=", "**=", "==", "!=", "<=", ">=", "//", "<<", ">>",
                                      "**",  "+=",  "-=",  "*=",  "/=", "%=", "^=", "|=", "&=", "<",  ">",
                                      "=",   "+",   "-",   "*",   "/",  "%",  "&",  "|",  "^",  "~",  "(",
                                      ")",   ",",   ";",   "[",   "]",  "{",  "}",  ":",  ".",  "!"};
    bool is_raw, is_formatted;

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
    if (!strchr("'\"", *c->at))
        c->at += text_prefix(c, &is_raw, &is_formatted);
    else
        is_raw = is_formatted = false;
    if (*c->at == '"' || *c->at == '\'') {
        take_text(c, is_raw);
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
        return pd_code_expected(c, *close == ')'   ? "',' or ')'"
                                   : *close == ']' ? "',' or ']'"
                                                   : "',' or '}'");
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

/* ---- a block ---- */

bool pd_code_run(PdCode *c, const char *text, unsigned line, const PdSnapshot *snapshot, GString *output,
                 unsigned *error_line, char **error)
{
    if (snapshot)
        pd_info_foreach(snapshot, set_number, c);
    c->at = text;
    c->end = text + strlen(text);
    c->line = line;
    c->depth = c->brackets = c->loops = c->steps = 0;
    c->jump = JUMP_NONE;
    c->error = NULL;
    c->is_assertion = false;
    if (pd_code_block(c, output))
        return true;
    *error = c->error;
    *error_line = c->error_line;
    return false;
}

bool pd_code_is_assertion(const PdCode *c)
{
    return c->is_assertion;
}
