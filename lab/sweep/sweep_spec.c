#include "lab/sweep/sweep_spec.h"

#include <inttypes.h>
#include <string.h>

#include "lab/sweep/sweep_grid.h"
#include "sim/base/units.h"
#include "sim/trace/eventlog_json.h"

static void free_axis(gpointer p)
{
    SweepAxis *a = p;

    g_free(a->name);
    g_ptr_array_free(a->values, TRUE);
    g_ptr_array_free(a->shown, TRUE);
    g_free(a);
}

SweepSpec *sweep_spec_new(const char *scenario)
{
    SweepSpec *s = g_new0(SweepSpec, 1);

    s->version = g_strdup(HS_VERSION);
    s->scenario = g_strdup(scenario);
    s->set = g_ptr_array_new_with_free_func(g_free);
    s->axes = g_ptr_array_new_with_free_func(free_axis);
    s->seeds = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    s->until = SIM_NEVER;
    return s;
}

void sweep_spec_free(SweepSpec *s)
{
    if (!s)
        return;
    g_free(s->version);
    g_free(s->scenario);
    g_free(s->digest);
    g_ptr_array_free(s->set, TRUE);
    g_ptr_array_free(s->axes, TRUE);
    g_array_free(s->seeds, TRUE);
    g_free(s);
}

/* ---- the grid ---- */

static SweepAxis *append_axis(SweepSpec *s, const char *name)
{
    SweepAxis *a = g_new0(SweepAxis, 1);

    a->name = g_strdup(name);
    a->values = g_ptr_array_new_with_free_func(g_free);
    a->shown = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(s->axes, a);
    return a;
}

bool sweep_spec_add_axis(SweepSpec *s, const char *text, char **error)
{
    const char *equals = strchr(text, '=');
    char *why = NULL;

    if (!equals || equals == text) {
        *error = g_strdup_printf("\"%s\" is not NAME=VALUES, as in loss=0,0.01 or n=1..10", text);
        return false;
    }
    g_autofree char *name = g_strndup(text, (gsize)(equals - text));

    for (unsigned i = 0; i < s->axes->len; i++)
        if (!strcmp(((const SweepAxis *)s->axes->pdata[i])->name, name)) {
            *error = g_strdup_printf("\"%s\" is there twice", name);
            return false;
        }
    GPtrArray *values = sweep_grid_values(equals + 1, &why);

    if (!values) {
        *error = g_strdup_printf("%s: %s", name, why);
        g_free(why);
        return false;
    }
    SweepAxis *a = append_axis(s, name);

    for (unsigned i = 0; i < values->len; i++) {
        g_ptr_array_add(a->values, g_strdup(values->pdata[i]));
        g_ptr_array_add(a->shown, g_strdup(values->pdata[i]));
    }
    g_ptr_array_free(values, TRUE);
    return true;
}

static uint64_t count(const SweepSpec *s, uint64_t n)
{
    for (unsigned i = 0; i < s->axes->len; i++)
        n = HS_MIN(n * ((const SweepAxis *)s->axes->pdata[i])->values->len, SWEEP_RUNS_MAX);
    return n;
}

unsigned sweep_spec_points(const SweepSpec *s)
{
    return (unsigned)count(s, 1);
}

unsigned sweep_spec_runs(const SweepSpec *s)
{
    return (unsigned)count(s, s->seeds->len);
}

unsigned sweep_spec_at(const SweepSpec *s, unsigned point, unsigned axis)
{
    const SweepAxis *a = s->axes->pdata[axis];

    for (unsigned i = s->axes->len - 1; i > axis; i--)
        point /= ((const SweepAxis *)s->axes->pdata[i])->values->len;
    return point % a->values->len;
}

uint64_t sweep_spec_seed(const SweepSpec *s, unsigned run)
{
    return g_array_index(s->seeds, uint64_t, run % s->seeds->len);
}

/* --set first: where both name a parameter the last one wins. */
char **sweep_spec_params(const SweepSpec *s, unsigned point)
{
    char **params = g_new0(char *, s->set->len + s->axes->len + 1);
    unsigned n = 0;

    for (unsigned i = 0; i < s->set->len; i++)
        params[n++] = g_strdup(s->set->pdata[i]);
    for (unsigned i = 0; i < s->axes->len; i++) {
        const SweepAxis *a = s->axes->pdata[i];

        params[n++] = g_strdup_printf("%s=%s", a->name, (char *)a->values->pdata[sweep_spec_at(s, point, i)]);
    }
    return params;
}

char *sweep_spec_describe(const SweepSpec *s, unsigned run)
{
    char **params = sweep_spec_params(s, run / s->seeds->len);
    GString *out = g_string_new(NULL);

    for (char **p = params; *p; p++)
        g_string_append_printf(out, "--set %s ", *p);
    g_string_append_printf(out, "--seed %" PRIu64, sweep_spec_seed(s, run));
    g_strfreev(params);
    return g_string_free(out, FALSE);
}

/* ---- JSON ---- */

static void write_text(GString *out, const char *name, const char *text)
{
    eventlog_json_key(out, name);
    eventlog_json_string(out, text, strlen(text));
}

static void write_list(GString *out, const char *name, const GPtrArray *list)
{
    eventlog_json_key(out, name);
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < list->len; i++) {
        if (i)
            g_string_append_c(out, ',');
        eventlog_json_string(out, list->pdata[i], strlen(list->pdata[i]));
    }
    g_string_append_c(out, ']');
}

/* Whole numbers are written as text: JSON's may lose digits. */
static void write_count(GString *out, const char *name, uint64_t value)
{
    eventlog_json_key(out, name);
    g_string_append_printf(out, "\"%" PRIu64 "\"", value);
}

void sweep_spec_write(const SweepSpec *s, GString *out)
{
    g_string_append(out, "{\"journal\":\"hopscope sweep\"");
    write_text(out, "version", s->version);
    write_text(out, "scenario", s->scenario);
    write_text(out, "digest", s->digest ? s->digest : "");
    write_list(out, "set", s->set);
    write_count(out, "until", (uint64_t)s->until);
    write_count(out, "max_events", s->max_events);
    write_count(out, "max_memory", s->max_memory);
    eventlog_json_key(out, "grid");
    for (unsigned i = 0; i < s->axes->len; i++) {
        const SweepAxis *a = s->axes->pdata[i];

        g_string_append(out, i ? ",{\"name\":" : "[{\"name\":");
        eventlog_json_string(out, a->name, strlen(a->name));
        write_list(out, "values", a->values);
        write_list(out, "shown", a->shown);
        g_string_append_c(out, '}');
    }
    g_string_append(out, s->axes->len ? "]" : "[]");
    eventlog_json_key(out, "seeds");
    for (unsigned i = 0; i < s->seeds->len; i++)
        g_string_append_printf(out, "%s\"%" PRIu64 "\"", i ? "," : "[", g_array_index(s->seeds, uint64_t, i));
    g_string_append(out, "]}\n");
}

static const char *get_text(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static bool get_count(JsonObject *o, const char *name, uint64_t *out)
{
    const char *text = get_text(o, name);
    guint64 value;

    if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &value, NULL))
        return false;
    *out = value;
    return true;
}

static JsonArray *get_array(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static bool get_list(JsonObject *o, const char *name, GPtrArray *list)
{
    JsonArray *array = get_array(o, name);

    for (unsigned i = 0; array && i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
            return false;
        g_ptr_array_add(list, g_strdup(json_node_get_string(node)));
    }
    return array != NULL;
}

static bool get_axes(JsonObject *o, SweepSpec *s)
{
    JsonArray *grid = get_array(o, "grid");

    for (unsigned i = 0; grid && i < json_array_get_length(grid); i++) {
        JsonNode *node = json_array_get_element(grid, i);
        JsonObject *one = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        const char *name = one ? get_text(one, "name") : NULL;
        SweepAxis *a = name ? append_axis(s, name) : NULL;

        if (!a || !get_list(one, "values", a->values) || !get_list(one, "shown", a->shown) ||
            a->values->len == 0 || a->shown->len != a->values->len)
            return false;
    }
    return grid != NULL;
}

static bool get_seeds(JsonObject *o, SweepSpec *s)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    bool ok = get_list(o, "seeds", list) && list->len > 0;

    for (unsigned i = 0; ok && i < list->len; i++) {
        guint64 value = 0;

        ok = g_ascii_string_to_unsigned(list->pdata[i], 10, 0, G_MAXUINT64, &value, NULL);
        g_array_append_val(s->seeds, value);
    }
    g_ptr_array_free(list, TRUE);
    return ok;
}

SweepSpec *sweep_spec_read(JsonObject *o)
{
    const char *kind = get_text(o, "journal"), *version = get_text(o, "version"),
               *scenario = get_text(o, "scenario"), *digest = get_text(o, "digest");
    uint64_t until;
    SweepSpec *s;

    if (!kind || strcmp(kind, "hopscope sweep") != 0 || !version || !scenario || !digest)
        return NULL;
    s = sweep_spec_new(scenario);
    g_free(s->version);
    s->version = g_strdup(version);
    s->digest = g_strdup(digest);
    if (get_list(o, "set", s->set) && get_count(o, "until", &until) &&
        get_count(o, "max_events", &s->max_events) && get_count(o, "max_memory", &s->max_memory) &&
        get_axes(o, s) && get_seeds(o, s)) {
        s->until = (SimTime)until;
        return s;
    }
    sweep_spec_free(s);
    return NULL;
}

/* ---- the same? ---- */

static char *list_text(const GPtrArray *list)
{
    GPtrArray *copy = g_ptr_array_new();
    char *text;

    for (unsigned i = 0; i < list->len; i++)
        g_ptr_array_add(copy, list->pdata[i]);
    g_ptr_array_add(copy, NULL);
    text = g_strjoinv(",", (char **)copy->pdata);
    g_ptr_array_free(copy, TRUE);
    return text;
}

static char *grid_text(const SweepSpec *s)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < s->axes->len; i++) {
        const SweepAxis *a = s->axes->pdata[i];
        g_autofree char *values = list_text(a->values);

        g_string_append_printf(out, "%s%s=%s", i ? " " : "", a->name, values);
    }
    return g_string_free(out, FALSE);
}

static char *seeds_text(const SweepSpec *s)
{
    uint64_t first = sweep_spec_seed(s, 0);
    bool in_turn = s->seeds->len > 2;
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < s->seeds->len; i++)
        in_turn = in_turn && sweep_spec_seed(s, i) == first + i;
    for (unsigned i = 0; i < (in_turn ? 1 : s->seeds->len); i++)
        g_string_append_printf(out, "%s%" PRIu64, i ? "," : "", sweep_spec_seed(s, i));
    if (in_turn)
        g_string_append_printf(out, "..%" PRIu64, first + s->seeds->len - 1);
    return g_string_free(out, FALSE);
}

static char *until_text(const SweepSpec *s)
{
    char text[UNITS_STR_LEN];

    return g_strdup(s->until == SIM_NEVER ? "none" : units_format_time(s->until, text));
}

static char *limits_text(const SweepSpec *s)
{
    return g_strdup_printf("%" PRIu64 " events, %" PRIu64 " bytes", s->max_events, s->max_memory);
}

static char *set_text(const SweepSpec *s)
{
    return list_text(s->set);
}

char *sweep_spec_difference(const SweepSpec *was, const SweepSpec *now)
{
    static const struct {
        const char *what;
        char *(*text)(const SweepSpec *s);
    } parts[] = {{"--grid", grid_text},
                 {"--seeds", seeds_text},
                 {"--set", set_text},
                 {"--until", until_text},
                 {"limits", limits_text}};
    char *said = NULL;

    if (strcmp(was->version, now->version) != 0)
        return g_strdup_printf("it was made by hopscope %s, this is %s", was->version, now->version);
    if (strcmp(was->scenario, now->scenario) != 0)
        return g_strdup_printf("it is a sweep of %s", was->scenario);
    for (unsigned i = 0; i < HS_ARRAY_LEN(parts) && !said; i++) {
        g_autofree char *before = parts[i].text(was), *after = parts[i].text(now);

        if (strcmp(before, after) != 0)
            said = g_strdup_printf("%s was \"%s\", and is now \"%s\"", parts[i].what, before, after);
    }
    if (!said && g_strcmp0(was->digest, now->digest) != 0)
        said = g_strdup("the text of the scenario, or of a file that it reads, has changed since");
    return said;
}
