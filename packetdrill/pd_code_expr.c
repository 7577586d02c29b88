/* Expressions, by Python's precedence: if else, or, and, not, comparisons (chained), |, ^, &, shifts, + -, *
 * // % /, sign, **, then calls, [ ] and parentheses.
 *
 * A text is read and evaluated in one go. What Python would not evaluate (behind a false `and`, the other
 * branch of `if else`) must not be a mistake, so a mistake in a value is a value itself, VALUE_WRONG, that
 * spreads through operators and counts only where a statement wants the result (pd_code_settle). Only what no
 * Python reads, the grammar, fails at once. */
#include <string.h>

#include "packetdrill/pd_code_priv.h"

static bool parse_choice(PdCode *c, PdValue *out);

CodePlace pd_code_place(const PdCode *c)
{
    return (CodePlace){c->at, c->line, c->brackets, c->depth, c->tok};
}

void pd_code_goto(PdCode *c, const CodePlace *place)
{
    c->at = place->at;
    c->line = place->line;
    c->brackets = place->brackets;
    c->depth = place->depth;
    c->tok = place->tok;
}

bool pd_code_deeper(PdCode *c)
{
    return ++c->depth <= PD_CODE_MAX_DEPTH ||
           pd_code_fail(c, c->tok.line, "an expression that is nested too deeply");
}

bool pd_code_targets(PdCode *c, const char **name, unsigned *n)
{
    bool in_parentheses = pd_code_is_op(c, "(");

    *n = 0;
    if (in_parentheses)
        pd_code_next(c);
    while (c->tok.kind == CODE_NAME && *n < PD_CODE_TARGETS) {
        name[(*n)++] = c->tok.text;
        pd_code_next(c);
        if (!pd_code_is_op(c, ","))
            break;
        pd_code_next(c);
    }
    if (in_parentheses) {
        if (!pd_code_is_op(c, ")"))
            return false;
        pd_code_next(c);
    }
    return *n > 0;
}

bool pd_code_bind(PdCode *c, unsigned line, const char *const *name, unsigned n, const PdValue *v)
{
    if (v->kind == VALUE_WRONG)
        return pd_code_settle(c, v);
    if (n == 1) {
        pd_code_set(c, name[0], *v);
        return true;
    }
    if (v->kind != VALUE_TUPLE || v->n_items != n)
        return pd_code_fail(c, line, "%u names for %s of another size", n, pd_value_kind_name(v));
    for (unsigned i = 0; i < n; i++)
        pd_code_set(c, name[i], v->item[i]);
    return true;
}

/* Behind an element: for NAMES in VALUES [if CONDITION]. The element has been read once already; `start` is
 * where it began. Its values are appended to `items`. */
static bool comprehension(PdCode *c, const CodePlace *start, GArray *items)
{
    const char *name[PD_CODE_TARGETS];
    unsigned n, line = c->tok.line;
    PdValue all, condition = pd_value_bool(true), v, old[PD_CODE_TARGETS];
    bool had[PD_CODE_TARGETS] = {false}, ok = true;
    CodePlace filter = {0}, end;

    pd_code_next(c);
    if (!pd_code_targets(c, name, &n))
        return pd_code_expected(c, "a name behind 'for'");
    if (!pd_code_is_name(c, "in"))
        return pd_code_expected(c, "'in'");
    pd_code_next(c);
    if (!pd_code_operand(c, &all))
        return false;
    if (pd_code_is_name(c, "if")) {
        pd_code_next(c);
        filter = pd_code_place(c);
        if (!pd_code_operand(c, &condition))
            return false;
    }
    if (pd_code_is_name(c, "for"))
        return pd_code_fail(c, line, "only one 'for' in brackets is supported");
    end = pd_code_place(c);
    if (all.kind != VALUE_TUPLE) {
        pd_code_wrong(c, &v, line, "for … in %s has no meaning", pd_value_kind_name(&all));
        g_array_append_val(items, *(all.kind == VALUE_WRONG ? &all : &v));
        return true;
    }
    for (unsigned i = 0; i < n; i++) {
        const PdVariable *var = pd_code_find(c, name[i]);

        had[i] = var != NULL;
        if (var)
            old[i] = var->value;
    }
    for (unsigned i = 0; ok && i < all.n_items; i++) {
        ok = pd_code_step(c) && pd_code_bind(c, line, name, n, &all.item[i]);
        if (ok && filter.at) {
            pd_code_goto(c, &filter);
            ok = pd_code_operand(c, &condition);
        }
        if (!ok || (condition.kind != VALUE_WRONG && !pd_value_is_true(&condition)))
            continue;
        pd_code_goto(c, start);
        ok = parse_choice(c, &v);
        g_array_append_val(items, *(condition.kind == VALUE_WRONG ? &condition : &v));
    }
    for (unsigned i = 0; i < n; i++)
        if (had[i])
            pd_code_set(c, name[i], old[i]);
    pd_code_goto(c, &end);
    return ok;
}

bool pd_code_items(PdCode *c, const char *close, PdValue *out, CodeItems *kind)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(PdValue));
    bool ok = pd_code_deeper(c);

    *kind = ITEMS_ONE;
    c->brackets++;
    pd_code_next(c);
    while (ok && !pd_code_is_op(c, close)) {
        CodePlace start = pd_code_place(c);
        PdValue v;

        ok = parse_choice(c, &v);
        if (ok && pd_code_is_name(c, "for")) {
            *kind = ITEMS_GENERATED;
            ok = comprehension(c, &start, items);
        } else if (ok) {
            g_array_append_val(items, v);
        }
        if (pd_code_is_op(c, ","))
            *kind = ITEMS_MANY;
        ok = ok && pd_code_skip_comma(c, close);
    }
    if (ok) {
        c->brackets--;
        c->depth--;
        pd_code_next(c);
        *out = pd_value_tuple(c, &g_array_index(items, PdValue, 0), items->len);
    }
    g_array_free(items, TRUE);
    return ok;
}

/* Behind '(': one expression, or a tuple; behind '[': a list, which is a tuple that nobody changes; behind
 * '{': a set, likewise. */
static bool parenthesised(PdCode *c, const char *close, PdValue *out)
{
    PdValue tuple;
    CodeItems kind;

    if (!pd_code_items(c, close, &tuple, &kind))
        return false;
    *out = tuple.kind == VALUE_TUPLE && tuple.n_items == 1 && *close == ')' && kind == ITEMS_ONE
               ? tuple.item[0]
               : tuple;
    return true;
}

static bool name_value(PdCode *c, PdValue *out)
{
    static const char *const strangers[] = {"lambda", "yield", "await", "import", "def", "class"};
    static const char *const joints[] = {"and", "or", "if", "else", "in", "is", "for", "not", "assert"};
    const char *name = c->tok.text;
    unsigned line = c->tok.line;
    const PdVariable *v;

    for (unsigned i = 0; i < HS_ARRAY_LEN(strangers); i++)
        if (strcmp(name, strangers[i]) == 0)
            return pd_code_fail(c, line, "'%s' is not supported in a code block", name);
    for (unsigned i = 0; i < HS_ARRAY_LEN(joints); i++)
        if (strcmp(name, joints[i]) == 0)
            return pd_code_expected(c, "a value");
    pd_code_next(c);
    if (pd_code_is_op(c, "(") && !pd_code_find(c, name))
        return pd_code_call(c, name, line, out);
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
        return pd_code_wrong(c, out, line, "name '%s' is not defined", name);
    *out = v->value;
    return true;
}

/* One {EXPR}, {EXPR=}, {EXPR!r} or {EXPR:SPEC} of f'…'. */
static bool fill_in_one(PdCode *c, const char *from, const char *to, GString *out, PdValue *wrong)
{
    CodePlace saved = pd_code_place(c);
    const char *saved_end = c->end;
    PdValue v;
    bool ok, quoted = false;

    if (!pd_code_deeper(c))
        return false;
    c->at = from;
    c->end = to;
    c->brackets = 1;
    pd_code_next(c);
    ok = parse_choice(c, &v);
    if (ok && pd_code_is_op(c, "=")) {
        g_string_append_len(out, from, c->at - from);
        quoted = true;
        pd_code_next(c);
    }
    if (ok && pd_code_is_op(c, "!")) {
        pd_code_next(c);
        quoted = pd_code_is_name(c, "r");
        pd_code_next(c);
    }
    if (ok && pd_code_is_op(c, ":")) {
        char *spec = g_strndup(c->at, (gsize)(to - c->at));

        pd_value_format_spec(c, c->tok.line, out, spec, &v, wrong);
        g_free(spec);
    } else if (ok && c->tok.kind != CODE_END) {
        ok = pd_code_expected(c, "'}' or ':' in f'…'");
    } else if (ok && v.kind == VALUE_WRONG) {
        *wrong = v;
    } else if (ok) {
        pd_value_format(out, &v, quoted);
    }
    c->end = saved_end;
    pd_code_goto(c, &saved);
    return ok;
}

/* The text of a token f'…'. */
static bool fill_in(PdCode *c, GString *out, PdValue *wrong)
{
    for (const char *p = c->tok.text; *p; p++) {
        const char *close;

        if ((*p == '{' || *p == '}') && p[1] == *p) {
            g_string_append_c(out, *p++);
        } else if (*p == '{') {
            close = strchr(p, '}');
            if (!close)
                return pd_code_fail(c, c->tok.line, "a '{' in f'…' that is not closed");
            if (!fill_in_one(c, p + 1, close, out, wrong))
                return false;
            p = close;
        } else {
            g_string_append_c(out, *p);
        }
    }
    return true;
}

static bool parse_text(PdCode *c, PdValue *out)
{
    GString *s = g_string_new(NULL);
    unsigned line = c->tok.line;
    PdValue wrong = {VALUE_NONE};
    bool ok = true;

    for (; ok && c->tok.kind == CODE_TEXT; pd_code_next(c)) {
        if (!c->tok.is_formatted)
            g_string_append(s, c->tok.text);
        else
            ok = fill_in(c, s, &wrong);
    }
    if (!ok) {
        g_string_free(s, TRUE);
        return false;
    }
    pd_value_take_text(c, line, s, out);
    if (wrong.kind == VALUE_WRONG)
        *out = wrong;
    return true;
}

static bool parse_atom(PdCode *c, PdValue *out)
{
    switch (c->tok.kind) {
    case CODE_NUMBER:
        *out = c->tok.value;
        pd_code_next(c);
        return true;
    case CODE_TEXT:
        return parse_text(c, out);
    case CODE_NAME:
        return name_value(c, out);
    case CODE_OP:
        if (pd_code_is_op(c, "("))
            return parenthesised(c, ")", out);
        if (pd_code_is_op(c, "["))
            return parenthesised(c, "]", out);
        if (pd_code_is_op(c, "{"))
            return parenthesised(c, "}", out);
        break;
    default:
        break;
    }
    return pd_code_expected(c, "a value");
}

/* value[index], value.method(…) */
static bool parse_suffixed(PdCode *c, PdValue *out)
{
    if (!parse_atom(c, out))
        return false;
    for (;;) {
        unsigned line = c->tok.line;
        PdValue of = *out, index;
        CodeItems kind;

        if (pd_code_is_op(c, "[")) {
            if (!pd_code_items(c, "]", &index, &kind))
                return false;
            pd_code_subscript(c, line, &of, &index, out);
        } else if (pd_code_is_op(c, ".")) {
            pd_code_next(c);
            if (c->tok.kind != CODE_NAME)
                return pd_code_expected(c, "a name behind '.'");
            if (!pd_code_method(c, &of, out))
                return false;
        } else {
            return true;
        }
    }
}

static bool parse_sign(PdCode *c, PdValue *out)
{
    unsigned line = c->tok.line;
    const PdValue zero = {.kind = VALUE_INT};
    const char *op = c->tok.text;
    PdValue v, power;

    if (!pd_code_is_op(c, "-") && !pd_code_is_op(c, "+") && !pd_code_is_op(c, "~")) {
        if (!parse_suffixed(c, out) || !pd_code_is_op(c, "**"))
            return c->error == NULL;
        v = *out;
        pd_code_next(c);
        if (!pd_code_deeper(c) || !parse_sign(c, &power))
            return false;
        c->depth--;
        return pd_code_binary(c, line, "**", &v, &power, out);
    }
    pd_code_next(c);
    if (!pd_code_deeper(c) || !parse_sign(c, &v))
        return false;
    c->depth--;
    if (*op != '~')
        return pd_code_binary(c, line, op, &zero, &v, out);
    if (v.kind == VALUE_WRONG)
        *out = v;
    else if (pd_value_is_integer(&v))
        pd_value_int(c, line, false, ~v.i, out);
    else
        pd_code_wrong(c, out, line, "~ of %s has no meaning", pd_value_kind_name(&v));
    return true;
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
    PdValue left, right, all = pd_value_bool(true), one;
    bool is_chain = false;

    if (!parse_binary(c, 0, &left))
        return false;
    for (;;) {
        unsigned line = c->tok.line;
        const char *op = take_comparison(c);

        if (!op)
            break;
        is_chain = true;
        if (!parse_binary(c, 0, &right))
            return false;
        pd_code_compare(c, line, op, &left, &right, &one);
        if (all.kind == VALUE_BOOL && all.i)
            all = one;
        left = right;
    }
    *out = is_chain ? all : left;
    return c->error == NULL;
}

static bool parse_not(PdCode *c, PdValue *out)
{
    if (!pd_code_is_name(c, "not"))
        return parse_comparison(c, out);
    pd_code_next(c);
    if (!pd_code_deeper(c) || !parse_not(c, out))
        return false;
    c->depth--;
    if (out->kind != VALUE_WRONG)
        *out = pd_value_bool(!pd_value_is_true(out));
    return true;
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
        if (out->kind != VALUE_WRONG && pd_value_is_true(out))
            *out = right;
    }
    return true;
}

bool pd_code_operand(PdCode *c, PdValue *out)
{
    PdValue right;

    if (!pd_code_deeper(c) || !parse_and(c, out))
        return false;
    while (pd_code_is_name(c, "or")) {
        pd_code_next(c);
        if (!parse_and(c, &right))
            return false;
        if (out->kind != VALUE_WRONG && !pd_value_is_true(out))
            *out = right;
    }
    c->depth--;
    return true;
}

/* a if condition else b */
static bool parse_choice(PdCode *c, PdValue *out)
{
    PdValue condition, other;

    if (!pd_code_operand(c, out))
        return false;
    if (!pd_code_is_name(c, "if"))
        return true;
    pd_code_next(c);
    if (!pd_code_operand(c, &condition))
        return false;
    if (!pd_code_is_name(c, "else"))
        return pd_code_expected(c, "'else'");
    pd_code_next(c);
    if (!pd_code_deeper(c) || !parse_choice(c, &other))
        return false;
    c->depth--;
    if (condition.kind == VALUE_WRONG)
        *out = condition;
    else if (!pd_value_is_true(&condition))
        *out = other;
    return true;
}

bool pd_code_expr(PdCode *c, PdValue *out)
{
    return parse_choice(c, out);
}
