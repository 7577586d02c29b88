#include "lab/sweep/sweep_row.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/eventlog_json.h"

const char *const sweep_statuses[] = {SWEEP_OK,      SWEEP_FAILED, SWEEP_ERROR, SWEEP_LIMIT,
                                      SWEEP_TIMEOUT, SWEEP_CRASH,  NULL};

static void free_value(gpointer p)
{
    SweepValue *v = p;

    g_free(v->name);
    g_free(v->unit);
    g_free(v->help);
    g_free(v->missing);
    if (v->samples)
        g_array_free(v->samples, TRUE);
    g_free(v);
}

SweepRow *sweep_row_new(unsigned run, const char *status, const char *detail)
{
    SweepRow *r = g_new0(SweepRow, 1);

    r->run = run;
    r->status = status;
    r->detail = g_strdup(detail);
    r->param_names = g_ptr_array_new_with_free_func(g_free);
    r->param_values = g_ptr_array_new_with_free_func(g_free);
    r->results = g_ptr_array_new_with_free_func(free_value);
    return r;
}

void sweep_row_free(SweepRow *r)
{
    if (!r)
        return;
    g_free(r->detail);
    g_ptr_array_free(r->param_names, TRUE);
    g_ptr_array_free(r->param_values, TRUE);
    g_ptr_array_free(r->results, TRUE);
    g_free(r);
}

bool sweep_row_is(const SweepRow *r, const char *status)
{
    return !strcmp(r->status, status);
}

char *sweep_row_number(double value, char *buf, size_t len)
{
    for (int digits = 15; digits <= 17; digits++) {
        char format[8];

        g_snprintf(format, sizeof(format), "%%.%dg", digits);
        g_ascii_formatd(buf, (int)len, format, value);
        if (g_ascii_strtod(buf, NULL) == value)
            break;
    }
    return buf;
}

/* ---- writing ---- */

static void write_text(GString *out, const char *name, const char *text)
{
    eventlog_json_key(out, name);
    eventlog_json_string(out, text, strlen(text));
}

static void write_count(GString *out, const char *name, uint64_t value)
{
    eventlog_json_key(out, name);
    g_string_append_printf(out, "%" PRIu64, value);
}

static void write_value(GString *out, const SweepValue *v)
{
    char text[40];

    g_string_append(out, "{\"name\":");
    eventlog_json_string(out, v->name, strlen(v->name));
    write_text(out, "unit", v->unit);
    write_text(out, "help", v->help);
    if (!v->has_value) {
        write_text(out, "missing", v->missing);
    } else {
        eventlog_json_key(out, "value");
        g_string_append(out, sweep_row_number(v->value, text, sizeof(text)));
    }
    for (unsigned i = 0; v->samples && i < v->samples->len; i++)
        g_string_append_printf(out, "%s%s", i ? "," : ",\"samples\":[",
                               sweep_row_number(g_array_index(v->samples, double, i), text, sizeof(text)));
    g_string_append(out, v->samples ? "]}" : "}");
}

void sweep_row_write(const SweepRow *r, GString *out)
{
    g_string_append_printf(out, "{\"run\":%u", r->run + 1);
    write_text(out, "status", r->status);
    write_text(out, "detail", r->detail);
    eventlog_json_key(out, "params");
    g_string_append_c(out, '{');
    for (unsigned i = 0; i < r->param_names->len; i++) {
        const char *name = r->param_names->pdata[i], *value = r->param_values->pdata[i];

        if (i)
            g_string_append_c(out, ',');
        eventlog_json_string(out, name, strlen(name));
        g_string_append_c(out, ':');
        eventlog_json_string(out, value, strlen(value));
    }
    g_string_append_c(out, '}');
    if (r->has_end) {
        write_count(out, "events", r->events);
        write_count(out, "time_ns", (uint64_t)r->time);
        write_count(out, "frames_sent", r->sent);
        write_count(out, "frames_delivered", r->delivered);
        write_count(out, "frames_lost", r->lost);
        write_count(out, "expectations_failed", r->failed);
    }
    eventlog_json_key(out, "results");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < r->results->len; i++) {
        if (i)
            g_string_append_c(out, ',');
        write_value(out, r->results->pdata[i]);
    }
    g_string_append(out, "]}\n");
}

/* ---- reading ---- */

static const char *get_text(JsonObject *o, const char *name)
{
    JsonNode *node = json_object_get_member(o, name);

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static bool number_of(JsonNode *node, double *out)
{
    GType type = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

    if (type == G_TYPE_INT64)
        *out = (double)json_node_get_int(node);
    else if (type == G_TYPE_DOUBLE)
        *out = json_node_get_double(node);
    return (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) && isfinite(*out);
}

static bool get_count(JsonObject *o, const char *name, uint64_t *out)
{
    JsonNode *node = json_object_get_member(o, name);

    if (!node || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64 ||
        json_node_get_int(node) < 0)
        return false;
    *out = (uint64_t)json_node_get_int(node);
    return true;
}

static bool read_samples(JsonNode *node, SweepValue *v)
{
    JsonArray *array = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    unsigned n = array ? json_array_get_length(array) : 0;

    v->samples = g_array_sized_new(FALSE, FALSE, sizeof(double), n);
    for (unsigned i = 0; i < n; i++) {
        double x;

        if (!number_of(json_array_get_element(array, i), &x))
            return false;
        g_array_append_val(v->samples, x);
    }
    return n > 0;
}

static bool read_value(JsonNode *node, GPtrArray *results)
{
    JsonObject *o = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    const char *name = o ? get_text(o, "name") : NULL, *unit = o ? get_text(o, "unit") : NULL,
               *help = o ? get_text(o, "help") : NULL, *missing = o ? get_text(o, "missing") : NULL;
    SweepValue *v;

    if (!name || !unit || !help)
        return false;
    v = g_new0(SweepValue, 1);
    g_ptr_array_add(results, v);
    v->name = g_strdup(name);
    v->unit = g_strdup(unit);
    v->help = g_strdup(help);
    v->missing = g_strdup(missing ? missing : "");
    v->has_value = number_of(json_object_get_member(o, "value"), &v->value);
    if (!v->has_value && !missing)
        return false;
    return !json_object_has_member(o, "samples") || read_samples(json_object_get_member(o, "samples"), v);
}

static bool read_results(JsonObject *o, SweepRow *r)
{
    JsonNode *node = json_object_get_member(o, "results");
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;

    for (unsigned i = 0; array && i < json_array_get_length(array); i++)
        if (!read_value(json_array_get_element(array, i), r->results))
            return false;
    return array != NULL;
}

static bool read_params(JsonObject *o, SweepRow *r)
{
    JsonNode *node = json_object_get_member(o, "params");
    JsonObject *params = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    GList *names = params ? json_object_get_members(params) : NULL;
    bool ok = params != NULL;

    for (GList *l = names; l && ok; l = l->next) {
        const char *value = get_text(params, l->data);

        ok = value != NULL;
        g_ptr_array_add(r->param_names, g_strdup(l->data));
        g_ptr_array_add(r->param_values, g_strdup(value));
    }
    g_list_free(names);
    return ok;
}

static bool read_end(JsonObject *o, SweepRow *r)
{
    uint64_t time, failed;

    if (!json_object_has_member(o, "events"))
        return true;
    r->has_end = true;
    if (!get_count(o, "events", &r->events) || !get_count(o, "time_ns", &time) ||
        !get_count(o, "frames_sent", &r->sent) || !get_count(o, "frames_delivered", &r->delivered) ||
        !get_count(o, "frames_lost", &r->lost) || !get_count(o, "expectations_failed", &failed))
        return false;
    r->time = (SimTime)time;
    r->failed = (unsigned)failed;
    return true;
}

SweepRow *sweep_row_read(JsonObject *o)
{
    const char *status = get_text(o, "status"), *detail = get_text(o, "detail");
    unsigned known = 0;
    uint64_t run;
    SweepRow *r;

    while (status && sweep_statuses[known] && strcmp(sweep_statuses[known], status) != 0)
        known++;
    if (!status || !sweep_statuses[known] || !detail || !get_count(o, "run", &run) || run < 1 ||
        run > UINT32_MAX)
        return NULL;
    r = sweep_row_new((unsigned)run - 1, sweep_statuses[known], detail);
    if (read_params(o, r) && read_end(o, r) && read_results(o, r))
        return r;
    sweep_row_free(r);
    return NULL;
}
