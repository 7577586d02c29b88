/* Functions, methods and subscripts of the interpreter. */
#include <string.h>

#include "packetdrill/pd_code_priv.h"

#define KNOWN                                                                                                \
    "abs, all, any, bin, bool, float, hex, int, len, list, max, min, pow, range, repr, round, set, sorted, " \
    "str, "                                                                                                  \
    "sum, tuple"

static bool none_given(PdCode *c, unsigned line, const char *name, PdValue *out)
{
    return pd_code_wrong(c, out, line, "%s() of nothing", name);
}

/* The least, or the greatest. */
static bool extreme(PdCode *c, const char *name, unsigned line, const PdValue *v, unsigned n, PdValue *out)
{
    if (n == 0)
        return none_given(c, line, name, out);
    *out = v[0];
    for (unsigned i = 1; i < n; i++) {
        PdValue is_better;

        pd_code_compare(c, line, name[1] == 'i' ? "<" : ">", &v[i], out, &is_better);
        if (is_better.kind == VALUE_WRONG)
            *out = is_better;
        if (is_better.kind == VALUE_WRONG)
            return true;
        if (is_better.i)
            *out = v[i];
    }
    return true;
}

static bool sum(PdCode *c, unsigned line, const PdValue *v, unsigned n, PdValue *out)
{
    *out = (PdValue){.kind = VALUE_INT};
    for (unsigned i = 0; i < n; i++) {
        PdValue so_far = *out;

        pd_code_binary(c, line, "+", &so_far, &v[i], out);
    }
    return true;
}

/* all(), any() */
static bool quantified(bool is_all, const PdValue *v, unsigned n, PdValue *out)
{
    bool result = is_all;

    for (unsigned i = 0; i < n && result == is_all; i++)
        result = pd_value_is_true(&v[i]);
    *out = pd_value_bool(result);
    return true;
}

/* By insertion: what stands in a script is short. */
static bool sorted(PdCode *c, unsigned line, const PdValue *v, unsigned n, PdValue *out)
{
    PdValue is_less;

    if (n > 1000)
        return pd_code_wrong(c, out, line, "sorted() of so many values");
    *out = pd_value_tuple(c, v, n);
    for (unsigned i = 1; i < n; i++) {
        for (unsigned j = i; j > 0; j--) {
            PdValue lower = out->item[j - 1];

            pd_code_compare(c, line, "<", &out->item[j], &lower, &is_less);
            if (is_less.kind == VALUE_WRONG) {
                *out = is_less;
                return true;
            }
            if (!is_less.i)
                break;
            out->item[j - 1] = out->item[j];
            out->item[j] = lower;
        }
    }
    return true;
}

static bool range(PdCode *c, unsigned line, const PdValue *arg, unsigned n, PdValue *out)
{
    __int128 from, to, step;
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        if (!pd_value_is_integer(&arg[i]) || arg[i].i > INT64_MAX || arg[i].i < INT64_MIN)
            return pd_code_wrong(c, out, line, "range() of %s", pd_value_kind_name(&arg[i]));
    if (n < 1 || n > 3)
        return pd_code_wrong(c, out, line, "range() with %u arguments", n);
    from = n > 1 ? arg[0].i : 0;
    to = n > 1 ? arg[1].i : arg[0].i;
    step = n > 2 ? arg[2].i : 1;
    if (step == 0)
        return pd_code_wrong(c, out, line, "range() with a step of 0");
    if ((step > 0) == (to > from) && to != from) {
        __int128 steps = (to - from + step + (step > 0 ? -1 : 1)) / step;

        if (steps > PD_CODE_MAX_ITEMS)
            return pd_code_wrong(c, out, line, "range() of more than %d values", PD_CODE_MAX_ITEMS);
        count = (unsigned)steps;
    }
    *out = pd_value_tuple(c, NULL, count);
    for (unsigned i = 0; i < count; i++)
        out->item[i] = (PdValue){.kind = VALUE_INT, .i = from + (__int128)i * step};
    return true;
}

static bool to_int(PdCode *c, unsigned line, const PdValue *v, PdValue *out)
{
    if (pd_value_is_integer(v))
        return pd_value_int(c, line, false, v->i, out);
    if (v->kind == VALUE_TEXT) {
        char *end;
        gint64 number = g_ascii_strtoll(v->text, &end, 10);

        if (*end || end == v->text)
            return pd_code_wrong(c, out, line, "int() of '%s'", v->text);
        return pd_value_int(c, line, false, number, out);
    }
    if (v->f > -1e30 && v->f < 1e30)
        return pd_value_int(c, line, false, (__int128)v->f, out);
    return pd_code_wrong(c, out, line, "a number that is too large");
}

/* To the nearest, halves to the even one; with a second argument to so many decimals. */
static bool rounded(PdCode *c, unsigned line, const PdValue *arg, unsigned n, PdValue *out)
{
    double scale = 1, f;
    __int128 whole;

    if (pd_value_is_integer(&arg[0]))
        return pd_value_int(c, line, false, arg[0].i, out);
    for (__int128 i = 0; n > 1 && i < arg[1].i && i < 15; i++)
        scale *= 10;
    f = arg[0].f * scale;
    if (!(f > -1e30 && f < 1e30))
        return pd_code_wrong(c, out, line, "a number that is too large");
    whole = (__int128)(f + (f < 0 ? -0.5 : 0.5));
    if ((double)whole - f == (f < 0 ? -0.5 : 0.5) && whole % 2 != 0)
        whole += f < 0 ? 1 : -1;
    *out = n > 1 ? (PdValue){.kind = VALUE_FLOAT, .f = (double)whole / scale}
                 : (PdValue){.kind = VALUE_INT, .i = whole};
    return true;
}

/* hex(), bin() */
static bool digits(PdCode *c, unsigned line, unsigned bits, const PdValue *v, PdValue *out)
{
    GString *s;
    unsigned shift = 0;

    if (!pd_value_is_integer(v) || v->i < 0 || v->i > UINT64_MAX)
        return pd_code_wrong(c, out, line, "%s() of what is not a positive integer",
                             bits == 4 ? "hex" : "bin");
    while (shift + bits < 64 && v->i >> (shift + bits))
        shift += bits;
    s = g_string_new(bits == 4 ? "0x" : "0b");
    for (;; shift -= bits) {
        g_string_append_c(s, "0123456789abcdef"[(unsigned)(v->i >> shift) & ((1u << bits) - 1)]);
        if (shift == 0)
            return pd_value_take_text(c, line, s, out);
    }
}

static bool of_numbers(PdCode *c, const char *name, unsigned line, const PdValue *arg, unsigned n,
                       PdValue *out)
{
    for (unsigned i = 0; i < n; i++)
        if (!pd_value_is_number(&arg[i]))
            return pd_code_wrong(c, out, line, "%s() of %s", name, pd_value_kind_name(&arg[i]));
    if (strcmp(name, "pow") == 0 && n == 2)
        return pd_code_binary(c, line, "**", &arg[0], &arg[1], out);
    if (strcmp(name, "round") == 0 && (n == 1 || n == 2))
        return rounded(c, line, arg, n, out);
    if (n != 1)
        return pd_code_wrong(c, out, line, "%s() with %u arguments", name, n);
    if (strcmp(name, "hex") == 0 || strcmp(name, "bin") == 0)
        return digits(c, line, *name == 'h' ? 4 : 1, &arg[0], out);
    *out = arg[0];
    if (strcmp(name, "float") == 0)
        *out = (PdValue){.kind = VALUE_FLOAT, .f = pd_value_as_double(&arg[0])};
    else if (out->kind == VALUE_FLOAT) /* abs */
        out->f = out->f < 0 ? -out->f : out->f;
    else if (out->i < 0)
        return pd_code_integer_op(c, line, "-", 0, arg[0].i, out);
    return true;
}

static bool apply(PdCode *c, const char *name, unsigned line, const PdValue *arg, unsigned n, PdValue *out)
{
    static const char *const numeric[] = {"abs", "bin", "float", "hex", "pow", "round"};
    static const char *const plain[] = {"all",  "any", "bool",   "int", "len", "list",
                                        "repr", "set", "sorted", "str", "sum", "tuple"};
    bool is_minimum = strcmp(name, "min") == 0 || strcmp(name, "max") == 0, is_known = false;
    bool is_many = n == 1 && arg[0].kind == VALUE_TUPLE;

    if (strcmp(name, "range") == 0)
        return range(c, line, arg, n, out);
    if (is_minimum)
        return extreme(c, name, line, is_many ? arg[0].item : arg, is_many ? arg[0].n_items : n, out);
    for (unsigned i = 0; i < HS_ARRAY_LEN(numeric); i++)
        if (strcmp(name, numeric[i]) == 0)
            return of_numbers(c, name, line, arg, n, out);
    for (unsigned i = 0; i < HS_ARRAY_LEN(plain); i++)
        is_known |= strcmp(name, plain[i]) == 0;
    if (!is_known)
        return pd_code_wrong(c, out, line, "no function '%s' here; there are " KNOWN, name);
    if (n != 1)
        return pd_code_wrong(c, out, line, "%s() with %u arguments", name, n);
    if (strcmp(name, "str") == 0 || strcmp(name, "repr") == 0) {
        GString *s = g_string_new(NULL);

        pd_value_format(s, &arg[0], *name == 'r');
        return pd_value_take_text(c, line, s, out);
    }
    if (strcmp(name, "bool") == 0) {
        *out = pd_value_bool(pd_value_is_true(&arg[0]));
        return true;
    }
    if (strcmp(name, "int") == 0 && (pd_value_is_number(&arg[0]) || arg[0].kind == VALUE_TEXT))
        return to_int(c, line, &arg[0], out);
    if (strcmp(name, "len") == 0 && (is_many || arg[0].kind == VALUE_TEXT)) {
        *out = (PdValue){.kind = VALUE_INT, .i = is_many ? arg[0].n_items : (__int128)strlen(arg[0].text)};
        return true;
    }
    if (!is_many)
        return pd_code_wrong(c, out, line, "%s() of %s", name, pd_value_kind_name(&arg[0]));
    if (strcmp(name, "sum") == 0)
        return sum(c, line, arg[0].item, arg[0].n_items, out);
    if (name[0] == 'a')
        return quantified(name[1] == 'l', arg[0].item, arg[0].n_items, out);
    if (strcmp(name, "sorted") == 0)
        return sorted(c, line, arg[0].item, arg[0].n_items, out);
    *out = arg[0]; /* list, tuple; a set, too, is only asked what is in it */
    return true;
}

/* The arguments of one call; x for x in … is one argument. */
static bool take_arguments(PdCode *c, PdValue *args)
{
    CodeItems kind;

    if (!pd_code_items(c, ")", args, &kind))
        return false;
    if (kind == ITEMS_GENERATED && args->kind == VALUE_TUPLE) {
        PdValue only = *args;

        *args = pd_value_tuple(c, &only, 1);
    }
    return true;
}

bool pd_code_call(PdCode *c, const char *name, unsigned line, PdValue *out)
{
    PdValue args;

    if (!take_arguments(c, &args))
        return false;
    if (args.kind == VALUE_WRONG)
        *out = args;
    else
        apply(c, name, line, args.item, args.n_items, out);
    return true;
}

/* '{} {0} {:spec}'.format(…) */
static bool format_braces(PdCode *c, unsigned line, const char *format, const PdValue *args, PdValue *out)
{
    GString *s = g_string_new(NULL);
    PdValue wrong = {VALUE_NONE};
    unsigned used = 0;

    for (const char *p = format; *p; p++) {
        const char *close = *p == '{' ? strchr(p, '}') : NULL;
        unsigned long i = used;
        char *end, *spec;

        if ((*p == '{' || *p == '}') && p[1] == *p) {
            g_string_append_c(s, *p++);
            continue;
        }
        if (!close) {
            g_string_append_c(s, *p);
            continue;
        }
        if (g_ascii_isdigit(p[1]))
            i = (unsigned long)g_ascii_strtoull(p + 1, &end, 10);
        else
            end = (char *)p + 1, used++;
        if (i >= args->n_items || (*end != ':' && *end != '}')) {
            pd_code_wrong(c, &wrong, line, "a place %.*s without a value", (int)(close + 1 - p), p);
            break;
        }
        spec = *end == ':' ? g_strndup(end + 1, (gsize)(close - end - 1)) : NULL;
        if (spec)
            pd_value_format_spec(c, line, s, spec, &args->item[i], &wrong);
        else
            pd_value_format(s, &args->item[i], false);
        g_free(spec);
        p = close;
    }
    pd_value_take_text(c, line, s, out);
    if (wrong.kind == VALUE_WRONG)
        *out = wrong;
    return true;
}

static bool join(PdCode *c, unsigned line, const char *between, const PdValue *all, PdValue *out)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < all->n_items; i++) {
        if (all->item[i].kind != VALUE_TEXT) {
            g_string_free(s, TRUE);
            return pd_code_wrong(c, out, line, "join() of %s", pd_value_kind_name(&all->item[i]));
        }
        g_string_append_printf(s, "%s%s", i ? between : "", all->item[i].text);
    }
    return pd_value_take_text(c, line, s, out);
}

bool pd_code_method(PdCode *c, const PdValue *of, PdValue *out)
{
    const char *name = c->tok.text;
    unsigned line = c->tok.line;
    const PdValue *arg;
    PdValue args = {VALUE_NONE};

    pd_code_next(c);
    if (pd_code_is_op(c, "(") && !take_arguments(c, &args))
        return false;
    if (of->kind == VALUE_WRONG || args.kind == VALUE_WRONG) {
        *out = of->kind == VALUE_WRONG ? *of : args;
        return true;
    }
    arg = args.kind == VALUE_TUPLE && args.n_items == 1 ? &args.item[0] : NULL;
    if (of->kind == VALUE_TEXT && args.kind == VALUE_TUPLE && strcmp(name, "format") == 0)
        return format_braces(c, line, of->text, &args, out);
    if (of->kind == VALUE_TEXT && arg && arg->kind == VALUE_TUPLE && strcmp(name, "join") == 0)
        return join(c, line, of->text, arg, out);
    if (of->kind == VALUE_TEXT && arg && arg->kind == VALUE_TEXT && strcmp(name, "startswith") == 0) {
        *out = pd_value_bool(g_str_has_prefix(of->text, arg->text));
        return true;
    }
    if (of->kind == VALUE_TEXT && arg && arg->kind == VALUE_TEXT && strcmp(name, "endswith") == 0) {
        *out = pd_value_bool(g_str_has_suffix(of->text, arg->text));
        return true;
    }
    return pd_code_wrong(c, out, line,
                         "'.%s' of %s is not supported; texts have format, join, startswith, endswith", name,
                         pd_value_kind_name(of));
}

void pd_code_subscript(PdCode *c, unsigned line, const PdValue *of, const PdValue *index, PdValue *out)
{
    const PdValue *i = index->kind == VALUE_TUPLE && index->n_items == 1 ? &index->item[0] : NULL;
    __int128 n = of->kind == VALUE_TEXT ? (__int128)strlen(of->text) : of->n_items, at;

    if (of->kind == VALUE_WRONG || index->kind == VALUE_WRONG) {
        *out = of->kind == VALUE_WRONG ? *of : *index;
        return;
    }
    if ((of->kind != VALUE_TEXT && of->kind != VALUE_TUPLE) || !i || !pd_value_is_integer(i)) {
        pd_code_wrong(c, out, line, "%s[…] has no meaning", pd_value_kind_name(of));
        return;
    }
    at = i->i < 0 ? i->i + n : i->i;
    if (at < 0 || at >= n)
        pd_code_wrong(c, out, line, "an index out of range");
    else if (of->kind == VALUE_TUPLE)
        *out = of->item[at];
    else
        *out = (PdValue){.kind = VALUE_TEXT, .text = pd_arena_strndup(&c->arena, of->text + at, 1)};
}
