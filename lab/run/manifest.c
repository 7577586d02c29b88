#include "lab/run/manifest.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "lab/run/keep.h"
#include "lab/run/outcome_json.h"
#include "sim/base/units.h"
#include "sim/trace/outfile.h"

#define FORMAT 1
#define MANIFEST_MAX ((size_t)256 << 20)

/* ---- writing ---- */

static void put_int(JsonBuilder *b, const char *name, int64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

/* JSON's readers hold numbers of 63 bits at most. */
static void put_count(JsonBuilder *b, const char *name, uint64_t value)
{
    char text[24];

    g_snprintf(text, sizeof(text), "%" PRIu64, value);
    if (value <= INT64_MAX)
        put_int(b, name, (int64_t)value);
    else
        outcome_json_string(b, name, text);
}

static void put_time(JsonBuilder *b, const char *name, SimTime t)
{
    char text[SIMTIME_STR_LEN];

    if (t != SIM_NEVER)
        outcome_json_string(b, name, simtime_str(t, text));
}

static void put_set(JsonBuilder *b, const Runner *r)
{
    json_builder_set_member_name(b, "set");
    json_builder_begin_array(b);
    for (const char *const *p = r->config.scenario.params; p && *p; p++)
        json_builder_add_string_value(b, *p);
    json_builder_end_array(b);
    json_builder_set_member_name(b, "parameters");
    json_builder_begin_object(b);
    for (unsigned i = 0; i < scenario_param_count(r->scenario); i++) {
        ScenarioParam p;

        scenario_param(r->scenario, i, &p);
        outcome_json_string(b, p.name, p.value);
    }
    json_builder_end_object(b);
}

static void put_outcome(JsonBuilder *b, const Runner *r, int status)
{
    const Sim *sim = net_sim(scenario_net(r->scenario));
    SinkDigestValue digest;
    char text[24];

    put_int(b, "status", status);
    put_time(b, "time", sim_now(sim));
    put_count(b, "executed", sim_events(sim));
    sink_digest_get(outputs_digest(r->outputs), &digest);
    json_builder_set_member_name(b, "digest");
    json_builder_begin_object(b);
    outcome_json_string(b, "frames", digest.frames);
    outcome_json_string(b, "state", digest.state);
    outcome_json_string(b, "events", digest.events);
    json_builder_end_object(b);
    g_snprintf(text, sizeof(text), "%016" PRIx64, sim_unseed(sim));
    outcome_json_string(b, "unseed", text);
    outcome_json_expectations(b, "expectations", r->scenario);
}

/* A result without a value says why. */
static void put_results(JsonBuilder *b, const Runner *r)
{
    json_builder_set_member_name(b, "results");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < scenario_result_count(r->scenario); i++) {
        ScenarioResult result;

        scenario_result(r->scenario, i, &result);
        json_builder_begin_object(b);
        outcome_json_string(b, "name", result.name);
        if (result.missing) {
            outcome_json_string(b, "missing", result.missing);
        } else {
            json_builder_set_member_name(b, "value");
            json_builder_add_double_value(b, result.value);
        }
        if (*result.unit)
            outcome_json_string(b, "unit", result.unit);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static const char *relative(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return !strncmp(path, dir, len) && path[len] == '/' ? path + len + 1 : path;
}

static bool is_written(const Runner *r, const char *dir, const char *file)
{
    for (unsigned i = 0; i < outputs_path_count(r->outputs); i++)
        if (!strcmp(relative(outputs_path_at(r->outputs, i), dir), file))
            return true;
    return false;
}

/* Those of the run that this one repeats, too, if they are in this folder. */
static void put_files(JsonBuilder *b, const char *dir, const Runner *r, const Manifest *before)
{
    json_builder_set_member_name(b, "files");
    json_builder_begin_array(b);
    for (unsigned i = 0; before && i < before->files->len; i++) {
        const char *file = before->files->pdata[i];
        g_autofree char *path = g_build_filename(dir, file, NULL);

        if (!is_written(r, dir, file) && g_file_test(path, G_FILE_TEST_EXISTS))
            json_builder_add_string_value(b, file);
    }
    for (unsigned i = 0; i < outputs_path_count(r->outputs); i++)
        json_builder_add_string_value(b, relative(outputs_path_at(r->outputs, i), dir));
    json_builder_end_array(b);
}

/* What was kept unasked, and what these files lack. */
static void put_kept(JsonBuilder *b, const char *dir, const Runner *r, const Manifest *before)
{
    unsigned kept = r->config.outputs.keep | (before ? before->keep : 0);

    json_builder_set_member_name(b, "keep");
    json_builder_begin_array(b);
    for (unsigned i = 0; keep_name(i); i++)
        if (kept & 1u << i)
            json_builder_add_string_value(b, keep_name(i));
    json_builder_end_array(b);
    json_builder_set_member_name(b, "left_out");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < outputs_left_out_count(r->outputs); i++) {
        const OutputsLack *lack = outputs_left_out(r->outputs, i);

        json_builder_begin_object(b);
        outcome_json_string(b, "file", relative(lack->path, dir));
        outcome_json_string(b, "what", lack->what);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void put_inputs(JsonBuilder *b, const Inputs *inputs)
{
    json_builder_set_member_name(b, "inputs");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < inputs_count(inputs); i++) {
        const char *path;
        size_t len;
        const char *text = inputs_at(inputs, i, &path, &len);

        json_builder_begin_object(b);
        outcome_json_string(b, "path", path);
        if (g_utf8_validate_len(text, len, NULL)) {
            outcome_json_string(b, "text", text);
        } else {
            g_autofree char *code = g_base64_encode((const guchar *)text, len);

            outcome_json_string(b, "base64", code);
        }
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

/* Stopped by ^C or by the clock: it can be repeated up to the same event. */
static uint64_t event_limit(const Runner *r)
{
    return r->stop == RUNNER_ENDED ? r->config.scenario.max_events
                                   : sim_events(net_sim(scenario_net(r->scenario)));
}

static char *compose(const char *dir, const Runner *r, int status, const Inputs *inputs,
                     const Manifest *before, size_t *len)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonGenerator) gen = json_generator_new();
    JsonNode *root;
    char *text;

    json_builder_begin_object(b);
    outcome_json_string(b, "hopscope", HS_VERSION);
    put_int(b, "manifest", FORMAT);
    outcome_json_string(b, "scenario", r->config.scenario.path);
    put_count(b, "seed", scenario_seed(r->scenario));
    put_set(b, r);
    put_time(b, "until", r->config.scenario.until);
    if (event_limit(r))
        put_count(b, "max_events", event_limit(r));
    if (r->config.scenario.max_memory)
        put_count(b, "max_memory", r->config.scenario.max_memory);
    put_outcome(b, r, status);
    put_results(b, r);
    put_kept(b, dir, r, before);
    put_files(b, dir, r, before);
    put_inputs(b, inputs);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    json_generator_set_root(gen, root);
    json_generator_set_pretty(gen, TRUE);
    text = json_generator_to_data(gen, len);
    json_node_free(root);
    return text;
}

bool manifest_write(const char *dir, Runner *r, int status, const Inputs *inputs, const Manifest *before,
                    GError **error)
{
    g_autofree char *path = g_build_filename(dir, MANIFEST_NAME, NULL);
    size_t len;
    g_autofree char *text = compose(dir, r, status, inputs, before, &len);
    OutFile *f = outfile_open(path, OUTFILE_WHOLE, error);

    if (!f)
        return false;
    outfile_write(f, text, len);
    outfile_write(f, "\n", 1);
    if (!outfile_close(f, error))
        return false;
    outputs_add_file(r->outputs, path);
    return true;
}

/* ---- reading ---- */

static bool wrong(GError **error, const char *path, const char *what)
{
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s is not the manifest of a run: %s", path, what);
    return false;
}

/* NULL: there is no such member of that type. */
static JsonNode *member(JsonObject *o, const char *name, JsonNodeType type)
{
    JsonNode *n = json_object_get_member(o, name);

    return n && JSON_NODE_TYPE(n) == type ? n : NULL;
}

static const char *text_of(JsonObject *o, const char *name)
{
    JsonNode *n = member(o, name, JSON_NODE_VALUE);

    return n && json_node_get_value_type(n) == G_TYPE_STRING ? json_node_get_string(n) : NULL;
}

static bool read_count(JsonObject *o, const char *name, uint64_t *value)
{
    JsonNode *n = member(o, name, JSON_NODE_VALUE);
    const char *text = text_of(o, name);

    if (!n)
        return false;
    if (text)
        return g_ascii_string_to_unsigned(text, 10, 0, UINT64_MAX, value, NULL);
    if (json_node_get_value_type(n) != G_TYPE_INT64 || json_node_get_int(n) < 0)
        return false;
    *value = (uint64_t)json_node_get_int(n);
    return true;
}

static bool read_digest(Manifest *m, JsonObject *o)
{
    JsonNode *n = member(o, "digest", JSON_NODE_OBJECT);
    JsonObject *d = n ? json_node_get_object(n) : NULL;
    const char *frames = d ? text_of(d, "frames") : NULL, *state = d ? text_of(d, "state") : NULL,
               *events = d ? text_of(d, "events") : NULL;

    if (!frames || !state || !events)
        return false;
    g_strlcpy(m->digest.frames, frames, sizeof(m->digest.frames));
    g_strlcpy(m->digest.state, state, sizeof(m->digest.state));
    g_strlcpy(m->digest.events, events, sizeof(m->digest.events));
    return true;
}

/* A list of strings, appended to `list`. */
static bool read_list(JsonObject *o, const char *name, GPtrArray *list)
{
    JsonNode *n = member(o, name, JSON_NODE_ARRAY);
    JsonArray *a = n ? json_node_get_array(n) : NULL;

    for (guint i = 0; a && i < json_array_get_length(a); i++) {
        JsonNode *e = json_array_get_element(a, i);

        if (JSON_NODE_TYPE(e) != JSON_NODE_VALUE || json_node_get_value_type(e) != G_TYPE_STRING)
            return false;
        g_ptr_array_add(list, json_node_dup_string(e));
    }
    return a != NULL;
}

static bool read_set(Manifest *m, JsonObject *o)
{
    if (!read_list(o, "set", m->set))
        return false;
    for (unsigned i = 0; i < m->set->len; i++)
        if (!strchr(m->set->pdata[i], '='))
            return false;
    g_ptr_array_add(m->set, NULL);
    return true;
}

/* Runs of old have none, and kept nothing. */
static bool read_keep(Manifest *m, JsonObject *o)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    bool ok = !json_object_has_member(o, "keep") || read_list(o, "keep", names);

    for (unsigned i = 0; ok && i < names->len; i++) {
        g_autofree char *why = NULL;
        unsigned kind;

        ok = keep_parse(names->pdata[i], &kind, &why);
        m->keep |= ok ? kind : 0;
    }
    return ok;
}

static bool read_inputs(Manifest *m, JsonObject *o)
{
    JsonNode *n = member(o, "inputs", JSON_NODE_ARRAY);
    JsonArray *a = n ? json_node_get_array(n) : NULL;

    for (guint i = 0; a && i < json_array_get_length(a); i++) {
        JsonNode *e = json_array_get_element(a, i);
        JsonObject *file = JSON_NODE_TYPE(e) == JSON_NODE_OBJECT ? json_node_get_object(e) : NULL;
        const char *path = file ? text_of(file, "path") : NULL;
        const char *text = file ? text_of(file, "text") : NULL;
        const char *code = file ? text_of(file, "base64") : NULL;

        if (!path || (!text && !code))
            return false;
        if (text) {
            inputs_add(m->inputs, path, text, strlen(text));
        } else {
            gsize len;
            g_autofree guchar *bytes = g_base64_decode(code, &len);

            inputs_add(m->inputs, path, (const char *)bytes, len);
        }
    }
    return a && json_array_get_length(a) > 0;
}

static bool read_members(Manifest *m, JsonObject *o, const char *path, GError **error)
{
    const char *version = text_of(o, "hopscope"), *scenario = text_of(o, "scenario");
    const char *until = text_of(o, "until");
    uint64_t format;

    if (!version || !read_count(o, "manifest", &format))
        return wrong(error, path, "expected the members \"hopscope\" and \"manifest\"");
    if (format != FORMAT)
        return wrong(error, path, "it is of another format; use the hopscope that wrote it");
    if (!scenario || !read_count(o, "seed", &m->seed))
        return wrong(error, path, "expected the members \"scenario\" and \"seed\"");
    m->version = g_strdup(version);
    m->scenario = g_strdup(scenario);
    m->until = SIM_NEVER;
    if (until) {
        g_autofree char *with_unit = g_strconcat(until, "s", NULL);

        if (!units_parse_time(with_unit, &m->until, NULL) || m->until < 0)
            return wrong(error, path, "member \"until\": expected a time in seconds");
    }
    if ((json_object_has_member(o, "max_events") && !read_count(o, "max_events", &m->max_events)) ||
        (json_object_has_member(o, "max_memory") && !read_count(o, "max_memory", &m->max_memory)))
        return wrong(error, path, "a limit is no number");
    if (!read_set(m, o))
        return wrong(error, path, "member \"set\": expected a list of \"NAME=VALUE\"");
    if (!read_list(o, "files", m->files))
        return wrong(error, path, "member \"files\": expected a list of names");
    if (!read_keep(m, o))
        return wrong(error, path, "member \"keep\": expected a list of kinds of files");
    if (!read_digest(m, o))
        return wrong(error, path, "member \"digest\": expected \"frames\", \"state\" and \"events\"");
    if (!read_inputs(m, o))
        return wrong(error, path, "member \"inputs\": expected a list of files with \"path\" and \"text\"");
    return true;
}

static JsonParser *parse(const char *path, GError **error)
{
    JsonParser *parser = json_parser_new_immutable();
    g_autofree char *text = NULL;
    size_t len;
    int why = inputfile_read(path, MANIFEST_MAX, &text, &len);
    GError *cause = NULL;

    if (why != 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(why), "cannot read %s: %s", path,
                    g_strerror(why));
    } else if (!json_parser_load_from_data(parser, text, (gssize)len, &cause)) {
        wrong(error, path, cause->message);
        g_error_free(cause);
    } else if (!json_parser_get_root(parser) ||
               JSON_NODE_TYPE(json_parser_get_root(parser)) != JSON_NODE_OBJECT) {
        wrong(error, path, "expected an object");
    } else {
        return parser;
    }
    g_object_unref(parser);
    return NULL;
}

Manifest *manifest_read(const char *path, GError **error)
{
    bool is_dir = g_file_test(path, G_FILE_TEST_IS_DIR);
    g_autofree char *file = is_dir ? g_build_filename(path, MANIFEST_NAME, NULL) : g_strdup(path);
    JsonParser *parser;
    Manifest *m;
    bool ok;

    if (is_dir && !g_file_test(file, G_FILE_TEST_EXISTS)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "the folder %s holds no run: there is no %s in it (hopscope run SCENARIO.lua --out %s "
                    "makes one)",
                    path, MANIFEST_NAME, path);
        return NULL;
    }
    parser = parse(file, error);
    if (!parser)
        return NULL;
    m = g_new0(Manifest, 1);
    m->set = g_ptr_array_new_with_free_func(g_free);
    m->files = g_ptr_array_new_with_free_func(g_free);
    m->inputs = inputs_new();
    ok = read_members(m, json_node_get_object(json_parser_get_root(parser)), file, error);
    g_object_unref(parser);
    if (ok)
        return m;
    manifest_free(m);
    return NULL;
}

void manifest_free(Manifest *m)
{
    if (!m)
        return;
    g_free(m->version);
    g_free(m->scenario);
    g_ptr_array_free(m->set, TRUE);
    g_ptr_array_free(m->files, TRUE);
    inputs_free(m->inputs);
    g_free(m);
}

/* ---- repeating ---- */

bool manifest_is_named(const char *operand)
{
    return g_file_test(operand, G_FILE_TEST_IS_DIR) || g_str_has_suffix(operand, ".json");
}

void manifest_apply(Manifest *m, RunnerConfig *config)
{
    config->scenario.path = config->outputs.scenario = m->scenario;
    config->scenario.params = (const char *const *)m->set->pdata;
    config->scenario.seed = m->seed;
    config->scenario.has_seed = true;
    config->scenario.until = m->until;
    config->scenario.max_events = m->max_events;
    config->scenario.max_memory = m->max_memory;
    config->outputs.digest = true;
    config->inputs = m->inputs;
    config->replay = config->limit_is_known = true;
}

/* The finest grade holds the others. */
bool manifest_check(const Manifest *m, const char *path, const Runner *r, GError **error)
{
    SinkDigestValue now;

    sink_digest_get(outputs_digest(r->outputs), &now);
    if (!strcmp(now.events, m->digest.events))
        return true;
    g_set_error(
        error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
        "%s cannot be repeated: hopscope %s made it with the digest events=%s, this is hopscope %s and "
        "makes events=%s; run the scenario again",
        path, m->version, m->digest.events, HS_VERSION, now.events);
    return false;
}

bool manifest_find_earlier(const char *dir, Manifest **earlier, GError **error)
{
    g_autofree char *path = g_build_filename(dir, MANIFEST_NAME, NULL);
    JsonParser *parser;
    bool is_ours;

    *earlier = NULL;
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    parser = parse(path, NULL);
    is_ours = parser && text_of(json_node_get_object(json_parser_get_root(parser)), "hopscope");
    g_clear_object(&parser);
    if (!is_ours) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
            "%s is not a run's, and is not replaced: choose another folder for --out, or move it away", path);
        return false;
    }
    *earlier = manifest_read(dir, NULL);
    return true;
}

/* A manifest may come from anywhere: only files below the folder are its own. */
static bool is_below(const char *file)
{
    g_auto(GStrv) parts = g_strsplit(file, "/", -1);

    for (char **part = parts; *part; part++)
        if (!**part || !strcmp(*part, "..") || !strcmp(*part, "."))
            return false;
    return *parts != NULL;
}

static bool remove_file(const char *path, GError **error)
{
    if (g_unlink(path) == 0 || errno == ENOENT)
        return true;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "cannot replace %s: %s", path,
                g_strerror(errno));
    return false;
}

bool manifest_remove_earlier(const char *dir, const Manifest *earlier, GError **error)
{
    g_autofree char *path = g_build_filename(dir, MANIFEST_NAME, NULL);

    for (unsigned i = 0; earlier && i < earlier->files->len; i++) {
        const char *file = earlier->files->pdata[i];
        g_autofree char *name = g_build_filename(dir, file, NULL), *folder = g_path_get_dirname(name);

        if (!is_below(file) || g_file_test(name, G_FILE_TEST_IS_SYMLINK) ||
            !g_file_test(name, G_FILE_TEST_IS_REGULAR))
            continue;
        if (!remove_file(name, error))
            return false;
        if (strchr(file, '/'))
            g_rmdir(folder); /* if nothing else is in it */
    }
    return remove_file(path, error);
}
