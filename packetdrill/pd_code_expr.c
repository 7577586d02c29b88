/* Expressions, by Python's precedence: or, and, not, comparisons (chained), |, ^, &, shifts, + -, * // % /,
 * sign, calls and parentheses. */
#include <string.h>

#include "packetdrill/pd_code_priv.h"

#define MAX_DEPTH 100
#define MAX_TEXT 65536

static bool parse_or(PdCode *c, PdValue *out);

static PdValue boolean(bool b)
{
    return (PdValue){.kind = VALUE_BOOL, .i = b};
}

static bool is_integer(const PdValue *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_BOOL;
}

static bool is_number(const PdValue *v)
{
    return is_integer(v) || v->kind == VALUE_FLOAT;
}

static double as_double(const PdValue *v)
{
    return v->kind == VALUE_FLOAT ? v->f : (double)v->i;
}

static const char *kind_name(const PdValue *v)
{
    static const char *const names[] = {"None", "a truth value", "an integer", "a float", "text", "a tuple"};

    return names[v->kind];
}

bool pd_value_is_true(const PdValue *v)
{
    switch (v->kind) {
    case VALUE_NONE:
        return false;
    case VALUE_FLOAT:
        return v->f != 0;
    case VALUE_TEXT:
        return *v->text != 0;
    case VALUE_TUPLE:
        return v->n_items > 0;
    default:
        return v->i != 0;
    }
}

static void format_int(GString *out, __int128 v)
{
    char buf[48], *p = buf + sizeof buf;
    bool negative = v < 0;
    unsigned __int128 u = negative ? -(unsigned __int128)v : (unsigned __int128)v;

    *--p = 0;
    do {
        *--p = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u);
    if (negative)
        *--p = '-';
    g_string_append(out, p);
}

void pd_value_format(GString *out, const PdValue *v, bool quoted)
{
    char buf[G_ASCII_DTOSTR_BUF_SIZE];

    switch (v->kind) {
    case VALUE_NONE:
        g_string_append(out, "None");
        break;
    case VALUE_BOOL:
        g_string_append(out, v->i ? "True" : "False");
        break;
    case VALUE_INT:
        format_int(out, v->i);
        break;
    case VALUE_FLOAT:
        g_string_append(out, g_ascii_formatd(buf, sizeof buf, "%.12g", v->f));
        break;
    case VALUE_TEXT:
        g_string_append_printf(out, quoted ? "'%s'" : "%s", v->text);
        break;
    case VALUE_TUPLE:
        g_string_append_c(out, '(');
        for (unsigned i = 0; i < v->n_items; i++) {
            if (i)
                g_string_append(out, ", ");
            pd_value_format(out, &v->item[i], true);
        }
        g_string_append(out, v->n_items == 1 ? ",)" : ")");
        break;
    }
}

static bool make_text(PdCode *c, unsigned line, GString *s, PdValue *out)
{
    bool ok = s->len <= MAX_TEXT || pd_code_fail(c, line, "a text that is too long");

    if (ok)
        *out = (PdValue){.kind = VALUE_TEXT, .text = pd_arena_strndup(&c->arena, s->str, s->len)};
    g_string_free(s, TRUE);
    return ok;
}

static bool make_int(PdCode *c, unsigned line, bool overflow, __int128 v, PdValue *out)
{
    if (overflow)
        return pd_code_fail(c, line, "a number that is too large");
    *out = (PdValue){.kind = VALUE_INT, .i = v};
    return true;
}

/* ---- 'text %d' % values ---- */

static bool format_one(PdCode *c, unsigned line, GString *out, const char *spec, char conversion,
                       const PdValue *v)
{
    GString *plain = g_string_new(NULL);
    int width = 0, precision = -1;
    bool left = false, zero = false, sign = false;
    const char *p = spec;

    for (; *p && strchr("-0+ #", *p); p++) {
        left |= *p == '-';
        zero |= *p == '0';
        sign |= *p == '+';
    }
    for (; g_ascii_isdigit(*p); p++)
        width = HS_MIN(width * 10 + (*p - '0'), 1000);
    if (*p == '.') {
        precision = 0;
        for (p++; g_ascii_isdigit(*p); p++)
            precision = HS_MIN(precision * 10 + (*p - '0'), 50);
    }
    if (conversion == 's' || conversion == 'r') {
        pd_value_format(plain, v, conversion == 'r');
    } else if (!is_number(v)) {
        g_string_free(plain, TRUE);
        return pd_code_fail(c, line, "%%%c needs a number, found %s", conversion, kind_name(v));
    } else if (strchr("diu", conversion)) {
        format_int(plain, is_integer(v) ? v->i : (__int128)CLAMP(v->f, -1e30, 1e30));
        if (sign && plain->str[0] != '-')
            g_string_prepend_c(plain, '+');
    } else if (strchr("xX", conversion) && is_integer(v)) {
        g_string_append_printf(
            plain, conversion == 'x' ? "%" G_GINT64_MODIFIER "x" : "%" G_GINT64_MODIFIER "X", (guint64)v->i);
    } else {
        char buf[400], format[16];

        g_snprintf(format, sizeof format, "%%.%d%c", precision < 0 ? 6 : precision, conversion);
        g_string_append(plain, g_ascii_formatd(buf, sizeof buf, format, as_double(v)));
    }
    while ((int)plain->len < width) {
        if (left)
            g_string_append_c(plain, ' ');
        else if (zero)
            g_string_insert_c(plain, plain->str[0] == '-' || plain->str[0] == '+', '0');
        else
            g_string_prepend_c(plain, ' ');
    }
    g_string_append(out, plain->str);
    g_string_free(plain, TRUE);
    return true;
}

static bool format_text(PdCode *c, unsigned line, const char *format, const PdValue *args, PdValue *out)
{
    GString *s = g_string_new(NULL);
    const PdValue *item = args->kind == VALUE_TUPLE ? args->item : args;
    unsigned n = args->kind == VALUE_TUPLE ? args->n_items : 1, used = 0;
    bool ok = true;

    for (const char *p = format; *p && ok; p++) {
        size_t len;
        char spec[16];

        if (*p != '%' || p[1] == '%') {
            g_string_append_c(s, *p);
            p += *p == '%';
            continue;
        }
        len = strspn(p + 1, "-+ #.0123456789");
        if (!p[1 + len] || !strchr("diuxXsrfeg", p[1 + len]) || len >= sizeof spec)
            ok = pd_code_fail(c, line, "in a format: expected %%d, %%x, %%s, %%f or %%%%");
        else if (used == n)
            ok = pd_code_fail(c, line, "a format with more places than values");
        if (!ok)
            break;
        g_strlcpy(spec, p + 1, len + 1);
        ok = format_one(c, line, s, spec, p[1 + len], &item[used++]);
        p += 1 + len;
    }
    if (ok && used != n)
        ok = pd_code_fail(c, line, "a format with fewer places than values");
    if (!ok) {
        g_string_free(s, TRUE);
        return false;
    }
    return make_text(c, line, s, out);
}

/* ---- operators ---- */

/* Python rounds towards minus infinity. */
static __int128 floor_div(__int128 a, __int128 b)
{
    __int128 q = a / b;

    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static bool integer_op(PdCode *c, unsigned line, const char *op, __int128 a, __int128 b, PdValue *out)
{
    __int128 v = 0;
    bool overflow = false;

    if (strcmp(op, "+") == 0) {
        overflow = __builtin_add_overflow(a, b, &v);
    } else if (strcmp(op, "-") == 0) {
        overflow = __builtin_sub_overflow(a, b, &v);
    } else if (strcmp(op, "*") == 0) {
        overflow = __builtin_mul_overflow(a, b, &v);
    } else if (strcmp(op, "&") == 0) {
        v = a & b;
    } else if (strcmp(op, "|") == 0) {
        v = a | b;
    } else if (strcmp(op, "^") == 0) {
        v = a ^ b;
    } else if (strcmp(op, "<<") == 0 || strcmp(op, ">>") == 0) {
        if (b < 0 || b > 64 || a < 0 || a >> 63)
            return pd_code_fail(c, line, "a shift by so much");
        v = *op == '<' ? a << b : a >> b;
    } else if (b == 0) {
        return pd_code_fail(c, line, "division by zero");
    } else if (a - 1 > a || b == -1) {
        return integer_op(c, line, "*", *op == '%' ? 0 : a, -1, out);
    } else if (strcmp(op, "//") == 0) {
        v = floor_div(a, b);
    } else if (strcmp(op, "%") == 0) {
        v = a - floor_div(a, b) * b;
    } else {
        *out = (PdValue){.kind = VALUE_FLOAT, .f = (double)a / (double)b};
        return true;
    }
    return make_int(c, line, overflow, v, out);
}

bool pd_code_binary(PdCode *c, unsigned line, const char *op, const PdValue *left, const PdValue *right,
                    PdValue *out)
{
    PdValue l = *left, r = *right;

    if (l.kind == VALUE_TEXT && strcmp(op, "%") == 0)
        return format_text(c, line, l.text, &r, out);
    if (l.kind == VALUE_TEXT && r.kind == VALUE_TEXT && strcmp(op, "+") == 0) {
        GString *s = g_string_new(l.text);

        g_string_append(s, r.text);
        return make_text(c, line, s, out);
    }
    if (is_integer(&l) && is_integer(&r) && strcmp(op, "/") != 0)
        return integer_op(c, line, op, l.i, r.i, out);
    if (is_number(&l) && is_number(&r) && strchr("+-*/", *op) && !op[1]) {
        double a = as_double(&l), b = as_double(&r);

        if (*op == '/' && b == 0)
            return pd_code_fail(c, line, "division by zero");
        *out = (PdValue){.kind = VALUE_FLOAT,
                         .f = *op == '+'   ? a + b
                              : *op == '-' ? a - b
                              : *op == '*' ? a * b
                                           : a / b};
        return true;
    }
    return pd_code_fail(c, line, "%s %s %s has no meaning", kind_name(&l), op, kind_name(&r));
}

static bool compare(PdCode *c, unsigned line, const char *op, const PdValue *a, const PdValue *b, bool *out)
{
    int order;
    bool equal;

    if (is_number(a) && is_number(b)) {
        if (a->kind == VALUE_FLOAT || b->kind == VALUE_FLOAT)
            order = as_double(a) < as_double(b) ? -1 : as_double(a) > as_double(b);
        else
            order = a->i < b->i ? -1 : a->i > b->i;
        equal = order == 0;
    } else if (a->kind == VALUE_TEXT && b->kind == VALUE_TEXT) {
        order = strcmp(a->text, b->text);
        equal = order == 0;
    } else if (strcmp(op, "==") == 0 || strcmp(op, "!=") == 0) {
        order = 0;
        equal = a->kind == b->kind && a->kind == VALUE_NONE;
    } else {
        return pd_code_fail(c, line, "%s %s %s has no meaning", kind_name(a), op, kind_name(b));
    }
    if (op[0] == '=')
        *out = equal;
    else if (op[0] == '!')
        *out = !equal;
    else
        *out = (op[1] == '=' && equal) || (op[0] == '<' ? order < 0 : order > 0);
    return true;
}

/* ---- grammar ---- */

static bool call(PdCode *c, const char *name, unsigned line, PdValue *out)
{
    PdValue arg[8];
    unsigned n = 0;

    c->brackets++;
    pd_code_next(c);
    while (!pd_code_is_op(c, ")")) {
        if (n == HS_ARRAY_LEN(arg))
            return pd_code_fail(c, line, "%s() with so many arguments", name);
        if (!parse_or(c, &arg[n++]))
            return false;
        if (pd_code_is_op(c, ","))
            pd_code_next(c);
        else if (!pd_code_is_op(c, ")"))
            return pd_code_expected(c, "',' or ')'");
    }
    c->brackets--;
    pd_code_next(c);
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(name, "str") != 0 && !is_number(&arg[i]))
            return pd_code_fail(c, line, "%s() of %s", name, kind_name(&arg[i]));
    }
    if ((strcmp(name, "min") == 0 || strcmp(name, "max") == 0) && n > 0) {
        *out = arg[0];
        for (unsigned i = 1; i < n; i++) {
            if ((as_double(&arg[i]) < as_double(out)) == (name[1] == 'i') &&
                as_double(&arg[i]) != as_double(out))
                *out = arg[i];
        }
        return true;
    }
    if (n != 1)
        return pd_code_fail(c, line, "%s() with %u arguments", name, n);
    if (strcmp(name, "str") == 0) {
        GString *s = g_string_new(NULL);

        pd_value_format(s, &arg[0], false);
        return make_text(c, line, s, out);
    }
    if (strcmp(name, "int") == 0) {
        double f = arg[0].f;

        if (is_integer(&arg[0]))
            return make_int(c, line, false, arg[0].i, out);
        return make_int(c, line, !(f > -1e30 && f < 1e30), f > -1e30 && f < 1e30 ? (__int128)f : 0, out);
    }
    if (strcmp(name, "float") == 0) {
        *out = (PdValue){.kind = VALUE_FLOAT, .f = as_double(&arg[0])};
        return true;
    }
    if (strcmp(name, "bool") == 0) {
        *out = boolean(pd_value_is_true(&arg[0]));
        return true;
    }
    if (strcmp(name, "abs") == 0) {
        *out = arg[0];
        if (out->kind == VALUE_FLOAT)
            out->f = out->f < 0 ? -out->f : out->f;
        else if (out->i < 0)
            return integer_op(c, line, "-", 0, arg[0].i, out);
        return true;
    }
    return pd_code_fail(c, line, "no function '%s' here; there are abs, bool, float, int, max, min, str",
                        name);
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
        *out = boolean(*name == 'T');
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

/* Behind '(': one expression, or a tuple. */
static bool parenthesised(PdCode *c, PdValue *out)
{
    PdValue item[16];
    unsigned n = 0;
    bool is_tuple = false;

    c->brackets++;
    pd_code_next(c);
    while (!pd_code_is_op(c, ")")) {
        if (n == HS_ARRAY_LEN(item))
            return pd_code_fail(c, c->tok.line, "a tuple with so many values");
        if (!parse_or(c, &item[n++]))
            return false;
        if (pd_code_is_op(c, ",")) {
            is_tuple = true;
            pd_code_next(c);
        } else if (!pd_code_is_op(c, ")")) {
            return pd_code_expected(c, "',' or ')'");
        }
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
            g_string_append(s, c->tok.text);
        return make_text(c, line, s, out);
    }
    case CODE_NAME:
        return name_value(c, out);
    case CODE_OP:
        if (pd_code_is_op(c, "("))
            return parenthesised(c, out);
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
            return is_integer(&v) ? make_int(c, line, false, ~v.i, out)
                                  : pd_code_fail(c, line, "~ of %s has no meaning", kind_name(&v));
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

/* a < b <= c means (a < b) and (b <= c). */
static bool parse_comparison(PdCode *c, PdValue *out)
{
    static const char *const ops[] = {"==", "!=", "<=", ">=", "<", ">"};
    PdValue left, right;
    bool is_chain = false, all = true;

    if (!parse_binary(c, 0, &left))
        return false;
    for (;;) {
        const char *op = NULL;
        unsigned line = c->tok.line;
        bool one = false;

        for (unsigned i = 0; i < HS_ARRAY_LEN(ops) && !op; i++)
            op = pd_code_is_op(c, ops[i]) ? ops[i] : NULL;
        if (!op)
            break;
        is_chain = true;
        pd_code_next(c);
        if (!parse_binary(c, 0, &right) || !compare(c, line, op, &left, &right, &one))
            return false;
        all = all && one;
        left = right;
    }
    *out = is_chain ? boolean(all) : left;
    return true;
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
        *out = boolean(!pd_value_is_true(&v));
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

bool pd_code_expr(PdCode *c, PdValue *out)
{
    return parse_or(c, out);
}
