/* Expressions, by Python's precedence: if else, or, and, not, comparisons (chained), |, ^, &, shifts, + -, *
 * // % /, sign, calls and parentheses. */
#include <string.h>

#include "packetdrill/pd_code_priv.h"

#define MAX_DEPTH 100

static bool parse_choice(PdCode *c, PdValue *out);

static bool call(PdCode *c, const char *name, unsigned line, PdValue *out)
{
    PdValue arg[8];
    unsigned n = 0;

    c->brackets++;
    pd_code_next(c);
    while (!pd_code_is_op(c, ")")) {
        if (n == HS_ARRAY_LEN(arg))
            return pd_code_fail(c, line, "%s() with so many arguments", name);
        if (!parse_choice(c, &arg[n++]))
            return false;
        if (!pd_code_skip_comma(c, ")"))
            return false;
    }
    c->brackets--;
    pd_code_next(c);
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(name, "str") != 0 && strcmp(name, "len") != 0 && !pd_value_is_number(&arg[i]))
            return pd_code_fail(c, line, "%s() of %s", name, pd_value_kind_name(&arg[i]));
    }
    if ((strcmp(name, "min") == 0 || strcmp(name, "max") == 0) && n > 0) {
        *out = arg[0];
        for (unsigned i = 1; i < n; i++) {
            if ((pd_value_as_double(&arg[i]) < pd_value_as_double(out)) == (name[1] == 'i') &&
                pd_value_as_double(&arg[i]) != pd_value_as_double(out))
                *out = arg[i];
        }
        return true;
    }
    if (n != 1)
        return pd_code_fail(c, line, "%s() with %u arguments", name, n);
    if (strcmp(name, "str") == 0) {
        GString *s = g_string_new(NULL);

        pd_value_format(s, &arg[0], false);
        return pd_value_take_text(c, line, s, out);
    }
    if (strcmp(name, "len") == 0) {
        if (arg[0].kind != VALUE_TEXT && arg[0].kind != VALUE_TUPLE)
            return pd_code_fail(c, line, "len() of %s", pd_value_kind_name(&arg[0]));
        *out = (PdValue){.kind = VALUE_INT,
                         .i = arg[0].kind == VALUE_TEXT ? (__int128)strlen(arg[0].text) : arg[0].n_items};
        return true;
    }
    if (strcmp(name, "hex") == 0) {
        const PdValue format = {.kind = VALUE_TEXT, .text = "0x%x"};

        if (!pd_value_is_integer(&arg[0]) || arg[0].i < 0)
            return pd_code_fail(c, line, "hex() of what is not a positive integer");
        return pd_code_binary(c, line, "%", &format, &arg[0], out);
    }
    if (strcmp(name, "int") == 0) {
        double f = arg[0].f;

        if (pd_value_is_integer(&arg[0]))
            return pd_value_int(c, line, false, arg[0].i, out);
        return pd_value_int(c, line, !(f > -1e30 && f < 1e30), f > -1e30 && f < 1e30 ? (__int128)f : 0, out);
    }
    if (strcmp(name, "float") == 0) {
        *out = (PdValue){.kind = VALUE_FLOAT, .f = pd_value_as_double(&arg[0])};
        return true;
    }
    if (strcmp(name, "bool") == 0) {
        *out = pd_value_bool(pd_value_is_true(&arg[0]));
        return true;
    }
    if (strcmp(name, "abs") == 0) {
        *out = arg[0];
        if (out->kind == VALUE_FLOAT)
            out->f = out->f < 0 ? -out->f : out->f;
        else if (out->i < 0)
            return pd_code_integer_op(c, line, "-", 0, arg[0].i, out);
        return true;
    }
    return pd_code_fail(
        c, line, "no function '%s' here; there are abs, bool, float, hex, int, len, max, min, str", name);
}

static bool name_value(PdCode *c, PdValue *out)
{
    const char *name = c->tok.text;
    unsigned line = c->tok.line;
    const PdVariable *v;

    pd_code_next(c);
    if (pd_code_is_op(c, "("))
        return call(c, name, line, out);
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0) {
        *out = pd_value_bool(*name == 'T');
        return true;
    }
    if (strcmp(name, "None") == 0) {
        *out = (PdValue){VALUE_NONE};
        return true;
    }
    v = pd_code_find(c, name);
    if (!v)
        return pd_code_fail(c, line, "name '%s' is not defined", name);
    *out = v->value;
    return true;
}

/* Behind '(': one expression, or a tuple; behind '[': a list, which is a tuple that nobody changes. */
static bool parenthesised(PdCode *c, const char *close, PdValue *out)
{
    PdValue item[16];
    unsigned n = 0;
    bool is_tuple = *close == ']';

    c->brackets++;
    pd_code_next(c);
    while (!pd_code_is_op(c, close)) {
        if (n == HS_ARRAY_LEN(item))
            return pd_code_fail(c, c->tok.line, "a tuple with so many values");
        if (!parse_choice(c, &item[n++]))
            return false;
        is_tuple |= pd_code_is_op(c, ",");
        if (!pd_code_skip_comma(c, close))
            return false;
    }
    c->brackets--;
    pd_code_next(c);
    if (n == 1 && !is_tuple) {
        *out = item[0];
        return true;
    }
    *out = (PdValue){.kind = VALUE_TUPLE, .n_items = n, .item = pd_arena_alloc(&c->arena, n * sizeof *item)};
    if (n)
        memcpy(out->item, item, n * sizeof *item);
    return true;
}

/* One {EXPR} or {EXPR:SPEC} of f'…', where a SPEC says what the same letters say behind a '%'. */
static bool fill_in_one(PdCode *c, const char *from, const char *to, GString *out)
{
    PdCode saved = *c;
    PdValue v, text;
    bool ok;

    c->at = from;
    c->end = to;
    c->brackets = 1;
    if (++c->depth > MAX_DEPTH)
        return pd_code_fail(c, c->tok.line, "an expression that is nested too deeply");
    pd_code_next(c);
    ok = parse_choice(c, &v);
    if (ok && pd_code_is_op(c, ":")) {
        char *format = g_strdup_printf("%%%.*s", (int)(to - c->at), c->at);
        PdValue one = {.kind = VALUE_TUPLE, .item = &v, .n_items = 1};

        ok = pd_value_format_text(c, c->tok.line, format, &one, &text);
        if (ok)
            g_string_append(out, text.text);
        g_free(format);
    } else if (ok && c->tok.kind != CODE_END) {
        ok = pd_code_expected(c, "'}' or ':' in f'…'");
    } else if (ok) {
        pd_value_format(out, &v, false);
    }
    c->at = saved.at;
    c->end = saved.end;
    c->line = saved.line;
    c->brackets = saved.brackets;
    c->depth = saved.depth;
    c->tok = saved.tok;
    return ok;
}

/* The text of a token f'…'. */
static bool fill_in(PdCode *c, GString *out)
{
    for (const char *p = c->tok.text; *p; p++) {
        const char *close;

        if ((*p == '{' || *p == '}') && p[1] == *p) {
            g_string_append_c(out, *p++);
        } else if (*p == '{') {
            close = strchr(p, '}');
            if (!close)
                return pd_code_fail(c, c->tok.line, "a '{' in f'…' that is not closed");
            if (!fill_in_one(c, p + 1, close, out))
                return false;
            p = close;
        } else {
            g_string_append_c(out, *p);
        }
    }
    return true;
}

static bool parse_atom(PdCode *c, PdValue *out)
{
    switch (c->tok.kind) {
    case CODE_NUMBER:
        *out = c->tok.value;
        pd_code_next(c);
        return true;
    case CODE_TEXT: {
        GString *s = g_string_new(NULL);
        unsigned line = c->tok.line;

        for (; c->tok.kind == CODE_TEXT; pd_code_next(c))
            if (!c->tok.is_formatted)
                g_string_append(s, c->tok.text);
            else if (!fill_in(c, s))
                break;
        if (c->error) {
            g_string_free(s, TRUE);
            return false;
        }
        return pd_value_take_text(c, line, s, out);
    }
    case CODE_NAME:
        return name_value(c, out);
    case CODE_OP:
        if (pd_code_is_op(c, "("))
            return parenthesised(c, ")", out);
        if (pd_code_is_op(c, "["))
            return parenthesised(c, "]", out);
        break;
    default:
        break;
    }
    return pd_code_expected(c, "a value");
}

static bool parse_sign(PdCode *c, PdValue *out)
{
    unsigned line = c->tok.line;
    const PdValue zero = {.kind = VALUE_INT};
    PdValue v;
    bool ok;

    if (!pd_code_is_op(c, "-") && !pd_code_is_op(c, "+") && !pd_code_is_op(c, "~"))
        return parse_atom(c, out);
    if (++c->depth > MAX_DEPTH)
        return pd_code_fail(c, line, "an expression that is nested too deeply");
    {
        const char *op = c->tok.text;

        pd_code_next(c);
        ok = parse_sign(c, &v);
        c->depth--;
        if (!ok)
            return false;
        if (*op == '~')
            return pd_value_is_integer(&v)
                       ? pd_value_int(c, line, false, ~v.i, out)
                       : pd_code_fail(c, line, "~ of %s has no meaning", pd_value_kind_name(&v));
        return pd_code_binary(c, line, op, &zero, &v, out);
    }
}

/* Binary operators of equal rank, weakest first. */
static const char *const ranks[][5] = {{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "//", "%", "/"}};

static const char *op_of_rank(const PdCode *c, unsigned rank)
{
    for (unsigned i = 0; i < 5 && ranks[rank][i]; i++) {
        if (pd_code_is_op(c, ranks[rank][i]))
            return ranks[rank][i];
    }
    return NULL;
}

static bool parse_binary(PdCode *c, unsigned rank, PdValue *out)
{
    const char *op;

    if (rank == HS_ARRAY_LEN(ranks))
        return parse_sign(c, out);
    if (!parse_binary(c, rank + 1, out))
        return false;
    while ((op = op_of_rank(c, rank))) {
        unsigned line = c->tok.line;
        PdValue left = *out, right;

        pd_code_next(c);
        if (!parse_binary(c, rank + 1, &right) || !pd_code_binary(c, line, op, &left, &right, out))
            return false;
    }
    return true;
}

/* value in (a, b, c), text in text */
static bool contains(PdCode *c, unsigned line, const PdValue *item, const PdValue *all, bool *out)
{
    *out = false;
    if (all->kind == VALUE_TEXT && item->kind == VALUE_TEXT) {
        *out = strstr(all->text, item->text) != NULL;
        return true;
    }
    if (all->kind != VALUE_TUPLE)
        return pd_code_fail(c, line, "%s in %s has no meaning", pd_value_kind_name(item),
                            pd_value_kind_name(all));
    for (unsigned i = 0; i < all->n_items && !*out; i++) {
        if (!pd_code_compare(c, line, "==", item, &all->item[i], out))
            return false;
    }
    return true;
}

/* A comparison's sign or word, taken; NULL: there is none. Of `is` only `is None` and `is not None` are sure.
 */
static const char *take_comparison(PdCode *c)
{
    static const char *const ops[] = {"==", "!=", "<=", ">=", "<", ">"};
    const char *op = NULL;

    for (unsigned i = 0; i < HS_ARRAY_LEN(ops) && !op; i++)
        op = pd_code_is_op(c, ops[i]) ? ops[i] : NULL;
    if (pd_code_is_name(c, "in")) {
        op = "in";
    } else if (pd_code_is_name(c, "is")) {
        pd_code_next(c);
        if (!pd_code_is_name(c, "not"))
            return "==";
        op = "!=";
    } else if (pd_code_is_name(c, "not")) {
        pd_code_next(c);
        if (!pd_code_is_name(c, "in")) {
            pd_code_expected(c, "'in' behind 'not'");
            return NULL;
        }
        op = "not in";
    }
    if (op)
        pd_code_next(c);
    return op;
}

/* a < b <= c means (a < b) and (b <= c). */
static bool parse_comparison(PdCode *c, PdValue *out)
{
    PdValue left, right;
    bool is_chain = false, all = true;

    if (!parse_binary(c, 0, &left))
        return false;
    for (;;) {
        unsigned line = c->tok.line;
        const char *op = take_comparison(c);
        bool one = false, ok;

        if (!op)
            break;
        is_chain = true;
        if (!parse_binary(c, 0, &right))
            return false;
        if (strcmp(op, "in") == 0 || strcmp(op, "not in") == 0) {
            ok = contains(c, line, &left, &right, &one);
            one = one == (*op == 'i');
        } else {
            ok = pd_code_compare(c, line, op, &left, &right, &one);
        }
        if (!ok)
            return false;
        all = all && one;
        left = right;
    }
    *out = is_chain ? pd_value_bool(all) : left;
    return c->error == NULL;
}

static bool parse_not(PdCode *c, PdValue *out)
{
    PdValue v;
    bool ok;

    if (!pd_code_is_name(c, "not"))
        return parse_comparison(c, out);
    if (++c->depth > MAX_DEPTH)
        return pd_code_fail(c, c->tok.line, "an expression that is nested too deeply");
    pd_code_next(c);
    ok = parse_not(c, &v);
    c->depth--;
    if (ok)
        *out = pd_value_bool(!pd_value_is_true(&v));
    return ok;
}

static bool parse_and(PdCode *c, PdValue *out)
{
    PdValue right;

    if (!parse_not(c, out))
        return false;
    while (pd_code_is_name(c, "and")) {
        pd_code_next(c);
        if (!parse_not(c, &right))
            return false;
        if (pd_value_is_true(out))
            *out = right;
    }
    return true;
}

/* Both sides are always evaluated: nothing here has side effects, and a name that is not defined is a mistake
 * wherever it stands. */
static bool parse_or(PdCode *c, PdValue *out)
{
    PdValue right;
    bool ok;

    if (++c->depth > MAX_DEPTH)
        return pd_code_fail(c, c->tok.line, "an expression that is nested too deeply");
    ok = parse_and(c, out);
    while (ok && pd_code_is_name(c, "or")) {
        pd_code_next(c);
        ok = parse_and(c, &right);
        if (ok && !pd_value_is_true(out))
            *out = right;
    }
    c->depth--;
    return ok;
}

/* a if condition else b */
static bool parse_choice(PdCode *c, PdValue *out)
{
    PdValue condition, other;

    if (!parse_or(c, out))
        return false;
    if (!pd_code_is_name(c, "if"))
        return true;
    pd_code_next(c);
    if (!parse_or(c, &condition))
        return false;
    if (!pd_code_is_name(c, "else"))
        return pd_code_expected(c, "'else'");
    pd_code_next(c);
    if (++c->depth > MAX_DEPTH)
        return pd_code_fail(c, c->tok.line, "an expression that is nested too deeply");
    if (!parse_choice(c, &other))
        return false;
    c->depth--;
    if (!pd_value_is_true(&condition))
        *out = other;
    return true;
}

bool pd_code_expr(PdCode *c, PdValue *out)
{
    return parse_choice(c, out);
}
