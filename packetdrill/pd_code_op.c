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
        if (b < 0 || b > 64 || a < 0 || a >> 63)
            return pd_code_fail(c, line, "a shift by so much");
        v = *op == '<' ? a << b : a >> b;
    } else if (b == 0) {
        return pd_code_fail(c, line, "division by zero");
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

bool pd_code_binary(PdCode *c, unsigned line, const char *op, const PdValue *left, const PdValue *right,
                    PdValue *out)
{
    PdValue l = *left, r = *right;

    if (l.kind == VALUE_TEXT && strcmp(op, "%") == 0)
        return pd_value_format_text(c, line, l.text, &r, out);
    if (l.kind == VALUE_TEXT && r.kind == VALUE_TEXT && strcmp(op, "+") == 0) {
        GString *s = g_string_new(l.text);

        g_string_append(s, r.text);
        return pd_value_take_text(c, line, s, out);
    }
    if (pd_value_is_integer(&l) && pd_value_is_integer(&r) && strcmp(op, "/") != 0)
        return pd_code_integer_op(c, line, op, l.i, r.i, out);
    if (pd_value_is_number(&l) && pd_value_is_number(&r) && strchr("+-*/", *op) && !op[1]) {
        double a = pd_value_as_double(&l), b = pd_value_as_double(&r);

        if (*op == '/' && b == 0)
            return pd_code_fail(c, line, "division by zero");
        *out = (PdValue){.kind = VALUE_FLOAT,
                         .f = *op == '+'   ? a + b
                              : *op == '-' ? a - b
                              : *op == '*' ? a * b
                                           : a / b};
        return true;
    }
    return pd_code_fail(c, line, "%s %s %s has no meaning", pd_value_kind_name(&l), op,
                        pd_value_kind_name(&r));
}

bool pd_code_compare(PdCode *c, unsigned line, const char *op, const PdValue *a, const PdValue *b, bool *out)
{
    int order;
    bool equal;

    if (pd_value_is_number(a) && pd_value_is_number(b)) {
        if (a->kind == VALUE_FLOAT || b->kind == VALUE_FLOAT)
            order = pd_value_as_double(a) < pd_value_as_double(b)
                        ? -1
                        : pd_value_as_double(a) > pd_value_as_double(b);
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
        return pd_code_fail(c, line, "%s %s %s has no meaning", pd_value_kind_name(a), op,
                            pd_value_kind_name(b));
    }
    if (op[0] == '=')
        *out = equal;
    else if (op[0] == '!')
        *out = !equal;
    else
        *out = (op[1] == '=' && equal) || (op[0] == '<' ? order < 0 : order > 0);
    return true;
}
