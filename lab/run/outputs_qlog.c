#include "lab/run/outputs_qlog.h"

#include <string.h>

#include "lab/run/outputs.h"
#include "sim/base/suggest.h"
#include "sim/trace/qlog.h"

/* Of one wish: --qlog, or one hs.qlog. */
typedef struct QlogWish {
    const struct OutputsQlog *owner;
    QlogTcp *log;
    ScenarioQlog asked; /* file NULL: the wish of --qlog */
    bool has_file;      /* asked.file is taken */
} QlogWish;

struct OutputsQlog {
    OutputsQlogConfig config;
    Scenario *scenario;
    GPtrArray *wishes; /* QlogWish */
    unsigned n_wishes; /* of the scenario, that were looked at */
    char *trace_title;
};

const char *const outputs_qlog_levels[] = {"core", "base", "extra", NULL};

static QlogLevel level_of(const char *name)
{
    unsigned i;

    if (!name)
        return QLOG_BASE;
    for (i = 0; strcmp(outputs_qlog_levels[i], name); i++)
        hs_assert(outputs_qlog_levels[i + 1]); /* who read the name has checked it */
    return (QlogLevel)i;
}

static bool is_wanted(const OutputsQlog *o, const char *host)
{
    for (unsigned i = 0; i < o->config.hosts->len; i++) {
        const char *pattern = o->config.hosts->pdata[i];

        if (!*pattern || g_pattern_match_simple(pattern, host))
            return true;
    }
    return false;
}

static char *path_of_host(const OutputsQlog *o, const Node *node, const char *role)
{
    char *suffix, *path;

    if (!is_wanted(o, node->name))
        return NULL;
    suffix = g_strdup_printf("%s-%s.%s", node->name, role, QLOG_SUFFIX);
    path = outputs_path(o->config.out_dir, o->config.scenario, suffix);
    g_free(suffix);
    return path;
}

/* A file has one vantage point. The role that comes first has the name that was asked for; the other one gets
 * "NAME-server.sqlog". */
static char *path_of_wish(QlogWish *w, const Node *node, const char *role)
{
    const char *dir = w->owner->config.out_dir;
    char *name, *path;

    if (strcmp(w->asked.host, node->name) || (w->asked.role && strcmp(w->asked.role, role)))
        return NULL;
    if (w->has_file)
        name = g_strdup_printf("%.*s-%s.%s", (int)(strlen(w->asked.file) - strlen("." QLOG_SUFFIX)),
                               w->asked.file, role, QLOG_SUFFIX);
    else
        name = g_strdup(w->asked.file);
    w->has_file = true;
    path = strcmp(dir, ".") ? g_build_filename(dir, name, NULL) : g_strdup(name);
    g_free(name);
    return path;
}

static char *path_of(void *user, const Node *node, const char *role)
{
    QlogWish *w = user;

    return w->asked.file ? path_of_wish(w, node, role) : path_of_host(w->owner, node, role);
}

static bool owns_address(void *user, const Node *node, const char *address)
{
    const QlogWish *w = user;
    uint32_t addr;
    const char *owner;

    if (!ipv4_addr_parse(address, &addr))
        return false;
    owner = net_name_of(scenario_net(w->owner->scenario), addr);
    return owner && !strcmp(owner, node->name);
}

static void add_wish(OutputsQlog *o, const ScenarioQlog *asked)
{
    QlogWish *w = g_new0(QlogWish, 1);
    QlogTcpConfig c = {.path = path_of,
                       .owns = owns_address,
                       .user = w,
                       .title = o->config.scenario,
                       .description = o->config.comment,
                       .trace_title = o->trace_title,
                       .port = asked->port,
                       .level = level_of(asked->level),
                       .hold = o->config.hold};

    w->owner = o;
    w->asked = *asked;
    w->log = qlog_tcp_new(net_probes(scenario_net(o->scenario)), &c);
    g_ptr_array_add(o->wishes, w);
}

OutputsQlog *outputs_qlog_new(Scenario *s, const OutputsQlogConfig *config)
{
    OutputsQlog *o = g_new0(OutputsQlog, 1);

    o->config = *config;
    o->scenario = s;
    o->wishes = g_ptr_array_new_with_free_func(g_free);
    o->trace_title = g_path_get_basename(config->scenario);
    if (g_str_has_suffix(o->trace_title, ".lua"))
        o->trace_title[strlen(o->trace_title) - strlen(".lua")] = '\0';
    if (config->hosts && config->hosts->len)
        add_wish(o, &(ScenarioQlog){.port = config->port, .level = config->level});
    return o;
}

void outputs_qlog_on_wish(OutputsQlog *o)
{
    while (!o->config.no_scenario_files && o->n_wishes < scenario_qlog_count(o->scenario)) {
        ScenarioQlog asked;

        scenario_qlog(o->scenario, o->n_wishes++, &asked);
        add_wish(o, &asked);
    }
}

static bool fail_to_match(const char *pattern, Net *net, GError **error)
{
    unsigned n = net_host_count(net);
    g_autofree const char **known = g_new(const char *, n + 1);
    const char *closest;

    for (unsigned i = 0; i < n; i++)
        known[i] = host_node(net_host_at(net, i))->name;
    closest = suggest_closest(pattern, known, n);
    if (closest)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "--qlog: \"%s\" matches no host; did you mean \"%s\"?", pattern, closest);
    else
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                    "--qlog: \"%s\" matches no host; expected a host's name or a pattern such as \"client*\"",
                    pattern);
    return false;
}

/* Hosts exist when the network is built. */
bool outputs_qlog_check(const OutputsQlog *o, GError **error)
{
    Net *net = scenario_net(o->scenario);

    for (unsigned i = 0; o->config.hosts && i < o->config.hosts->len; i++) {
        const char *pattern = o->config.hosts->pdata[i];
        bool found = !*pattern;

        for (unsigned k = 0; !found && k < net_host_count(net); k++)
            found = g_pattern_match_simple(pattern, host_node(net_host_at(net, k))->name);
        if (!found)
            return fail_to_match(pattern, net, error);
    }
    return true;
}

bool outputs_qlog_has_failed(const OutputsQlog *o)
{
    for (unsigned i = 0; i < o->wishes->len; i++)
        if (qlog_tcp_has_failed(((const QlogWish *)o->wishes->pdata[i])->log))
            return true;
    return false;
}

static void forget(OutputsQlog *o)
{
    g_ptr_array_free(o->wishes, TRUE);
    g_free(o->trace_title);
    g_free(o);
}

bool outputs_qlog_close(OutputsQlog *o, void (*tell)(void *user, const char *path, uint64_t events),
                        void *user, GError **error)
{
    GError *first = NULL;

    for (unsigned i = 0; o && i < o->wishes->len; i++) {
        QlogWish *w = o->wishes->pdata[i];

        qlog_tcp_finish(w->log);
        for (unsigned k = 0; k < qlog_tcp_file_count(w->log); k++) {
            uint64_t events;
            const char *path = qlog_tcp_file(w->log, k, &events);

            tell(user, path, events);
        }
        (void)!qlog_tcp_close(w->log, first ? NULL : &first);
    }
    if (o)
        forget(o);
    if (first)
        g_propagate_error(error, first);
    return !first;
}

void outputs_qlog_discard(OutputsQlog *o)
{
    if (!o)
        return;
    for (unsigned i = 0; i < o->wishes->len; i++)
        qlog_tcp_discard(((QlogWish *)o->wishes->pdata[i])->log);
    forget(o);
}
