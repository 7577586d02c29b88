/* Values of the interpreter: what they are, how they are written. */
#include <string.h>

#include "packetdrill/pd_code_priv.h"

#define MAX_TEXT 65536

PdValue pd_value_bool(bool b)
{
    return (PdValue){.kind = VALUE_BOOL, .i = b};
}

bool pd_value_is_integer(const PdValue *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_BOOL;
}

bool pd_value_is_number(const PdValue *v)
{
    return pd_value_is_integer(v) || v->kind == VALUE_FLOAT;
}

double pd_value_as_double(const PdValue *v)
{
    return v->kind == VALUE_FLOAT ? v->f : (double)v->i;
}

const char *pd_value_kind_name(const PdValue *v)
{
    static const char *const names[] = {"None", "a truth value", "an integer", "a float",
                                        "text", "a tuple",       "a mistake"};

    return names[v->kind];
}

PdValue pd_value_tuple(PdCode *c, const PdValue *item, unsigned n)
{
    PdValue v = {.kind = VALUE_TUPLE, .n_items = n, .item = pd_arena_alloc(&c->arena, n * sizeof(PdValue))};

    if (n && item)
        memcpy(v.item, item, n * sizeof(PdValue));
    for (unsigned i = 0; i < n; i++)
        if (item && item[i].kind == VALUE_WRONG)
            return item[i];
    return v;
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
        if (!strpbrk(buf, ".ein"))
            g_string_append(out, ".0");
        break;
    case VALUE_WRONG:
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

bool pd_value_take_text(PdCode *c, unsigned line, GString *s, PdValue *out)
{
    if (s->len <= MAX_TEXT)
        *out = (PdValue){.kind = VALUE_TEXT, .text = pd_arena_strndup(&c->arena, s->str, s->len)};
    else
        pd_code_wrong(c, out, line, "a text that is too long");
    g_string_free(s, TRUE);
    return true;
}

bool pd_value_int(PdCode *c, unsigned line, bool overflow, __int128 v, PdValue *out)
{
    if (overflow)
        return pd_code_wrong(c, out, line, "a number that is too large");
    *out = (PdValue){.kind = VALUE_INT, .i = v};
    return true;
}

/* ---- 'text %d' % values ---- */

static bool format_one(PdCode *c, unsigned line, GString *out, const char *spec, char conversion,
                       const PdValue *v, PdValue *wrong)
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
    } else if (!pd_value_is_number(v)) {
        g_string_free(plain, TRUE);
        pd_code_wrong(c, wrong, line, "%%%c needs a number, found %s", conversion, pd_value_kind_name(v));
        return false;
    } else if (strchr("diu", conversion)) {
        format_int(plain, pd_value_is_integer(v) ? v->i : (__int128)CLAMP(v->f, -1e30, 1e30));
        if (sign && plain->str[0] != '-')
            g_string_prepend_c(plain, '+');
    } else if (strchr("xX", conversion) && pd_value_is_integer(v)) {
        g_string_append_printf(
            plain, conversion == 'x' ? "%" G_GINT64_MODIFIER "x" : "%" G_GINT64_MODIFIER "X", (guint64)v->i);
    } else {
        char buf[400], format[16];

        g_snprintf(format, sizeof format, "%%.%d%c", precision < 0 ? 6 : precision, conversion);
        g_string_append(plain, g_ascii_formatd(buf, sizeof buf, format, pd_value_as_double(v)));
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

bool pd_value_format_text(PdCode *c, unsigned line, const char *format, const PdValue *args, PdValue *out)
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
            ok = !pd_code_wrong(c, out, line, "in a format: expected %%d, %%x, %%s, %%f or %%%%");
        else if (used == n)
            ok = !pd_code_wrong(c, out, line, "a format with more places than values");
        if (!ok)
            break;
        g_strlcpy(spec, p + 1, len + 1);
        ok = format_one(c, line, s, spec, p[1 + len], &item[used++], out);
        p += 1 + len;
    }
    if (ok && used != n)
        ok = !pd_code_wrong(c, out, line, "a format with fewer places than values");
    if (!ok) {
        g_string_free(s, TRUE);
        return true;
    }
    return pd_value_take_text(c, line, s, out);
}

void pd_value_format_spec(PdCode *c, unsigned line, GString *out, const char *spec, const PdValue *v,
                          PdValue *wrong)
{
    GString *s = g_string_new(NULL);
    size_t len = strlen(spec);
    bool is_text = v->kind == VALUE_TEXT || v->kind == VALUE_TUPLE || v->kind == VALUE_NONE;
    char conversion = v->kind == VALUE_FLOAT ? 'g' : is_text ? 's' : 'd';

    if (v->kind == VALUE_WRONG) {
        *wrong = *v;
        g_string_free(s, TRUE);
        return;
    }
    if (*spec == '<' || (is_text && *spec != '>'))
        g_string_append_c(s, '-');
    if (*spec == '<' || *spec == '>') {
        spec++;
        len--;
    }
    if (len && g_ascii_isalpha(spec[len - 1]))
        conversion = spec[--len];
    g_string_append_len(s, spec, (gssize)len);
    if (strspn(s->str, "-+ #.0123456789") != s->len || s->len > 15 || !strchr("diuxXsrfeg", conversion))
        pd_code_wrong(c, wrong, line, "a format {:%s}: expected a width and d, x, f, e, g or s", spec);
    else
        format_one(c, line, out, s->str, conversion, v, wrong);
    g_string_free(s, TRUE);
}
