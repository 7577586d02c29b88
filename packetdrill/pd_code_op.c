/* Operators of the interpreter, with the meaning that Python gives them. */
#include <string.h>

#include "packetdrill/pd_code_priv.h"

/* Python rounds towards minus infinity. */
static __int128 floor_div(__int128 a, __int128 b)
{
    __int128 q = a / b;

    return q - (a % b != 0 && (a < 0) != (b < 0));
}

bool pd_code_integer_op(PdCode *c, unsigned line, const char *op, __int128 a, __int128 b, PdValue *out)
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
        if (b < 0 || b > 64 || (*op == '<' && (a < 0 || a >> 63)))
            return pd_code_wrong(c, out, line, "a shift by so much");
        v = *op == '<' ? a << b : a >> b;
    } else if (b == 0) {
        return pd_code_wrong(c, out, line, "division by zero");
    } else if (a - 1 > a || b == -1) {
        return pd_code_integer_op(c, line, "*", *op == '%' ? 0 : a, -1, out);
    } else if (strcmp(op, "//") == 0) {
        v = floor_div(a, b);
    } else if (strcmp(op, "%") == 0) {
        v = a - floor_div(a, b) * b;
    } else {
        *out = (PdValue){.kind = VALUE_FLOAT, .f = (double)a / (double)b};
        return true;
    }
    return pd_value_int(c, line, overflow, v, out);
}

/* Integers to integers, and floats by repeated multiplication. */
static bool power(PdCode *c, unsigned line, const PdValue *a, const PdValue *b, PdValue *out)
{
    *out = (PdValue){.kind = VALUE_INT, .i = 1};
    if (!pd_value_is_number(a) || !pd_value_is_integer(b) || b->i < -1000 || b->i > 1000)
        return pd_code_wrong(c, out, line, "%s ** %s: only integers up to 1000 as exponents",
                             pd_value_kind_name(a), pd_value_kind_name(b));
    for (__int128 i = b->i < 0 ? -b->i : b->i; i > 0 && out->kind != VALUE_WRONG; i--) {
        PdValue so_far = *out;

        pd_code_binary(c, line, "*", &so_far, a, out);
    }
    if (b->i < 0 && out->kind != VALUE_WRONG) {
        const PdValue one = {.kind = VALUE_INT, .i = 1}, whole = *out;

        return pd_code_binary(c, line, "/", &one, &whole, out);
    }
    return true;
}

/* Tuples one behind the other. */
static PdValue joined(PdCode *c, const PdValue *a, const PdValue *b)
{
    PdValue out = pd_value_tuple(c, NULL, a->n_items + b->n_items);

    for (unsigned i = 0; i < out.n_items; i++)
        out.item[i] = i < a->n_items ? a->item[i] : b->item[i - a->n_items];
    return out;
}

bool pd_code_binary(PdCode *c, unsigned line, const char *op, const PdValue *left, const PdValue *right,
                    PdValue *out)
{
    PdValue l = *left, r = *right;

    if (l.kind == VALUE_WRONG || r.kind == VALUE_WRONG) {
        *out = l.kind == VALUE_WRONG ? l : r;
        return true;
    }
    if (strcmp(op, "**") == 0)
        return power(c, line, &l, &r, out);
    if (l.kind == VALUE_TUPLE && r.kind == VALUE_TUPLE && strcmp(op, "+") == 0 &&
        l.n_items + r.n_items <= PD_CODE_MAX_ITEMS) {
        *out = joined(c, &l, &r);
        return true;
    }
    if (l.kind == VALUE_TEXT && strcmp(op, "%") == 0)
        return pd_value_format_text(c, line, l.text, &r, out);
    if (l.kind == VALUE_TEXT && r.kind == VALUE_TEXT && strcmp(op, "+") == 0) {
        GString *s = g_string_new(l.text);

        g_string_append(s, r.text);
        return pd_value_take_text(c, line, s, out);
    }
    if (pd_value_is_integer(&l) && pd_value_is_integer(&r) && strcmp(op, "/") != 0)
        return pd_code_integer_op(c, line, op, l.i, r.i, out);
    if (pd_value_is_number(&l) && pd_value_is_number(&r) && (strcmp(op, "//") == 0 || *op == '%')) {
        double a = pd_value_as_double(&l), b = pd_value_as_double(&r), q = b == 0 ? 0 : a / b;

        if (b == 0 || !(q > -1e30 && q < 1e30))
            return pd_code_wrong(c, out, line, "division by zero");
        q = (double)((__int128)q - (q < (double)(__int128)q));
        *out = (PdValue){.kind = VALUE_FLOAT, .f = *op == '%' ? a - q * b : q};
        return true;
    }
    if (pd_value_is_number(&l) && pd_value_is_number(&r) && strchr("+-*/", *op) && !op[1]) {
        double a = pd_value_as_double(&l), b = pd_value_as_double(&r);

        if (*op == '/' && b == 0)
            return pd_code_wrong(c, out, line, "division by zero");
        *out = (PdValue){.kind = VALUE_FLOAT,
                         .f = *op == '+'   ? a + b
                              : *op == '-' ? a - b
                              : *op == '*' ? a * b
                                           : a / b};
        return true;
    }
    return pd_code_wrong(c, out, line, "%s %s %s has no meaning", pd_value_kind_name(&l), op,
                         pd_value_kind_name(&r));
}

/* Less than 0, 0 or more; false: they have no order (and are equal only when *equal says so). */
static bool ordered(const PdValue *a, const PdValue *b, int *order, bool *equal)
{
    *order = 0;
    *equal = a->kind == b->kind && a->kind == VALUE_NONE;
    if (pd_value_is_number(a) && pd_value_is_number(b)) {
        if (a->kind == VALUE_FLOAT || b->kind == VALUE_FLOAT)
            *order = pd_value_as_double(a) < pd_value_as_double(b)
                         ? -1
                         : pd_value_as_double(a) > pd_value_as_double(b);
        else
            *order = a->i < b->i ? -1 : a->i > b->i;
    } else if (a->kind == VALUE_TEXT && b->kind == VALUE_TEXT) {
        *order = strcmp(a->text, b->text);
    } else if (a->kind == VALUE_TUPLE && b->kind == VALUE_TUPLE) {
        unsigned n = HS_MIN(a->n_items, b->n_items);

        for (unsigned i = 0; i < n; i++) {
            bool has_order = ordered(&a->item[i], &b->item[i], order, equal);

            if (!*equal)
                return has_order;
        }
        *order = a->n_items < b->n_items ? -1 : a->n_items > b->n_items;
    } else {
        return false;
    }
    *equal = *order == 0;
    return true;
}

/* value in (a, b, c), text in text */
static bool contains(PdCode *c, unsigned line, const PdValue *item, const PdValue *all, PdValue *out)
{
    int order;
    bool equal = false;

    if (all->kind == VALUE_TEXT && item->kind == VALUE_TEXT) {
        equal = strstr(all->text, item->text) != NULL;
    } else if (all->kind != VALUE_TUPLE) {
        return pd_code_wrong(c, out, line, "%s in %s has no meaning", pd_value_kind_name(item),
                             pd_value_kind_name(all));
    } else {
        for (unsigned i = 0; i < all->n_items && !equal; i++)
            ordered(item, &all->item[i], &order, &equal);
    }
    *out = pd_value_bool(equal);
    return true;
}

bool pd_code_compare(PdCode *c, unsigned line, const char *op, const PdValue *a, const PdValue *b,
                     PdValue *out)
{
    int order;
    bool equal, has_order;

    if (a->kind == VALUE_WRONG || b->kind == VALUE_WRONG) {
        *out = a->kind == VALUE_WRONG ? *a : *b;
        return true;
    }
    if (strcmp(op, "in") == 0)
        return contains(c, line, a, b, out);
    if (strcmp(op, "not in") == 0) {
        contains(c, line, a, b, out);
        if (out->kind == VALUE_BOOL)
            out->i = !out->i;
        return true;
    }
    has_order = ordered(a, b, &order, &equal);
    if (op[0] == '=' || op[0] == '!')
        *out = pd_value_bool(equal == (op[0] == '='));
    else if (has_order)
        *out = pd_value_bool((op[1] == '=' && equal) || (op[0] == '<' ? order < 0 : order > 0));
    else
        return pd_code_wrong(c, out, line, "%s %s %s has no meaning", pd_value_kind_name(a), op,
                             pd_value_kind_name(b));
    return true;
}
