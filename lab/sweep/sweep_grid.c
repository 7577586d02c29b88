#include "lab/sweep/sweep_grid.h"

#include <string.h>

/* A decimal number, value / 10^places, and what stands behind it. */
typedef struct Number {
    int64_t value;
    unsigned places;
    const char *unit;
    size_t unit_len;
} Number;

#define PLACES_MAX 12
#define VALUE_MAX (INT64_C(1) << 53)

static bool read_number(const char *text, size_t len, Number *out)
{
    const char *c = text, *end = text + len;
    bool negative = c < end && *c == '-', any = false, point = false;

    *out = (Number){0};
    for (c += negative; c < end && (g_ascii_isdigit(*c) || (*c == '.' && !point)); c++) {
        if (*c == '.') {
            point = true;
            continue;
        }
        if (out->value > VALUE_MAX / 10 || (point && out->places == PLACES_MAX))
            return false;
        out->value = 10 * out->value + (*c - '0');
        out->places += point;
        any = true;
    }
    if (negative)
        out->value = -out->value;
    out->unit = c;
    out->unit_len = (size_t)(end - c);
    for (; c < end; c++)
        if (!g_ascii_isalpha(*c) && !strchr("%/", *c))
            return false;
    return any;
}

static bool scale(Number *n, unsigned places)
{
    for (; n->places < places; n->places++) {
        if (n->value > VALUE_MAX / 10 || n->value < -VALUE_MAX / 10)
            return false;
        n->value *= 10;
    }
    return true;
}

static char *format(const Number *n, int64_t value)
{
    uint64_t left = (uint64_t)(value < 0 ? -value : value), unit = 1;
    unsigned places = n->places;
    GString *s = g_string_new(value < 0 ? "-" : NULL);

    for (; places > 0 && left % 10 == 0; places--)
        left /= 10;
    for (unsigned i = 0; i < places; i++)
        unit *= 10;
    g_string_append_printf(s, "%" G_GUINT64_FORMAT, left / unit);
    if (places)
        g_string_append_printf(s, ".%0*" G_GUINT64_FORMAT, (int)places, left % unit);
    g_string_append_len(s, n->unit, (gssize)n->unit_len);
    return g_string_free(s, FALSE);
}

static bool add(GPtrArray *values, char *value, char **error)
{
    for (unsigned i = 0; i < values->len; i++)
        if (!strcmp(values->pdata[i], value)) {
            *error = g_strdup_printf("the value \"%s\" is there twice", value);
            g_free(value);
            return false;
        }
    g_ptr_array_add(values, value);
    return true;
}

static bool same_unit(const Number *a, const Number *b)
{
    return a->unit_len == b->unit_len && !memcmp(a->unit, b->unit, a->unit_len);
}

/* No step: the step is 1 or -1. Steps by numbers that would need more digits are refused. */
static bool expand(GPtrArray *values, Number from, Number to, Number step, bool times, char **error)
{
    unsigned places = HS_MAX(HS_MAX(from.places, to.places), times ? 0 : step.places);
    bool up;

    if (!scale(&from, places) || !scale(&to, places) || (!times && !scale(&step, places))) {
        *error = g_strdup("too many digits");
        return false;
    }
    up = to.value >= from.value;
    if (times ? step.places || step.value < 2 || from.value <= 0 || !up : step.value <= 0) {
        *error = g_strdup(times ? "a range with a factor rises from more than 0, and its factor is a whole "
                                  "number of at least 2"
                                : "a step is more than 0");
        return false;
    }
    if (!times && (to.value - from.value) / step.value * (up ? 1 : -1) >= SWEEP_VALUES_MAX) {
        *error = g_strdup_printf("more than %d values", SWEEP_VALUES_MAX);
        return false;
    }
    for (int64_t v = from.value; up ? v <= to.value : v >= to.value;) {
        if (!add(values, format(&from, v), error))
            return false;
        if (times && v > to.value / step.value)
            break;
        v = times ? v * step.value : up ? v + step.value : v - step.value;
    }
    return true;
}

/* "A..B", "A..B/S", "A..BxF". Anything else is a value as it stands. */
static bool add_item(GPtrArray *values, const char *item, char **error)
{
    const char *dots = strstr(item, ".."), *rest, *mark;
    Number from, to, step;
    char *why = NULL;

    if (!*item) {
        *error = g_strdup("there is an empty value");
        return false;
    }
    if (!dots || !read_number(item, (size_t)(dots - item), &from))
        return add(values, g_strdup(item), error);
    rest = dots + 2;
    /* The mark of the step: the last / or x that a digit follows; a unit may have a slash (bit/s). */
    for (mark = rest + strlen(rest) - 1; mark > rest; mark--)
        if (strchr("/x", *mark) && (g_ascii_isdigit(mark[1]) || mark[1] == '.'))
            break;
    if (mark <= rest)
        mark = rest + strlen(rest);
    if (!read_number(rest, (size_t)(mark - rest), &to) || !same_unit(&from, &to))
        why = g_strdup("expected two numbers with the same unit, as in 1..10 or 10ms..50ms/20ms");
    else if (!*mark)
        step = (Number){.value = 1};
    else if (!read_number(mark + 1, strlen(mark + 1), &step) ||
             (step.unit_len && (*mark == 'x' || !same_unit(&from, &step))))
        why = g_strdup_printf("cannot read the step \"%s\"", mark + 1);
    if (!why && expand(values, from, to, step, *mark == 'x', &why))
        return true;
    *error = g_strdup_printf("\"%s\": %s", item, why);
    g_free(why);
    return false;
}

GPtrArray *sweep_grid_values(const char *list, char **error)
{
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    char **items = g_strsplit(list, ",", -1);
    bool ok = *items != NULL;

    if (!ok)
        *error = g_strdup("there are no values");
    for (char **item = items; *item && ok; item++)
        ok = add_item(values, *item, error);
    g_strfreev(items);
    if (!ok)
        g_ptr_array_free(g_steal_pointer(&values), TRUE);
    return values;
}

GArray *sweep_grid_seeds(const char *list, char **error)
{
    GPtrArray *values = sweep_grid_values(list, error);
    GArray *seeds = values ? g_array_new(FALSE, FALSE, sizeof(uint64_t)) : NULL;

    for (unsigned i = 0; seeds && i < values->len; i++) {
        const char *text = values->pdata[i];
        guint64 seed;

        if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &seed, NULL)) {
            *error =
                g_strdup_printf("\"%s\" is not a seed: expected whole numbers, as in 1..30 or 7,8", text);
            g_array_free(g_steal_pointer(&seeds), TRUE);
        } else {
            g_array_append_val(seeds, seed);
        }
    }
    if (values)
        g_ptr_array_free(values, TRUE);
    return seeds;
}
