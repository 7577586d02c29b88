/* Commands that look: asked where the run stands (step/inspect.h). */
#include <inttypes.h>
#include <string.h>

#include "sim/base/units.h"
#include "step/session_priv.h"

#define LIST_DEFAULT 10
#define LIST_MAX 1000
#define LADDER_DEFAULT 16

static StepResult tell_answer(StepSession *s, char *text, bool fine, char **error)
{
    if (!fine) {
        *error = text;
        return STEP_WRONG;
    }
    if (*text)
        stepsession_say(s, "%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
    g_free(text);
    return STEP_FINE;
}

static StepResult ask(StepSession *s, const char *query, char **error)
{
    bool fine;
    char *text = steptimeline_ask(s->timeline, query, &fine);

    return tell_answer(s, text, fine, error);
}

/* The last packet record before here. */
static bool last_packet(StepSession *s, StepPos *pos, char **error)
{
    const StepPlan plan = {.scan = STEP_SCAN_MATCHES, .unit = STEP_UNIT_PACKET, .count = 1};
    GArray *found = steptimeline_search(s->timeline, &plan, NULL, steptimeline_here(s->timeline)->pos, error);
    bool has = found->len > 0 && !*error;

    if (has)
        *pos = g_array_index(found, StepMatch, 0).pos;
    else if (!*error)
        stepsession_wrong(error, "there was no packet yet");
    g_array_free(found, TRUE);
    return has;
}

StepResult stepcmd_packet(StepSession *s, const StepLine *l, char **error)
{
    bool fine;
    char *text = steptimeline_ask(s->timeline, "packet", &fine);
    StepPos pos;

    (void)l;
    if (!fine) { /* there is none here: the last one before */
        g_free(text);
        if (!last_packet(s, &pos, error))
            return STEP_WRONG;
        text = steptimeline_ask_at(s->timeline, pos, "packet", &fine);
    }
    return tell_answer(s, text, fine, error);
}

/* Other words for the same things. */
static const char *thing_of(const char *word)
{
    static const char *const also[][2] = {
        {"router", "host"},    {"node", "host"},        {"connection", "socket"}, {"conn", "socket"},
        {"tcp", "socket"},     {"routes", "route"},     {"routing", "route"},     {"neighbour", "neigh"},
        {"neighbor", "neigh"}, {"neighbours", "neigh"}, {"arp", "neigh"},         {"link", "queue"},
        {"queues", "queue"},   {"sockets", "socket"}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(also); i++)
        if (!strcmp(also[i][0], word))
            return also[i][1];
    return word;
}

StepResult stepcmd_inspect(StepSession *s, const StepLine *l, char **error)
{
    const char *what = l->n > 1 ? thing_of(l->word[1]) : "";
    g_autofree char *query = NULL;

    if (!strcmp(what, "packet") && l->n > 2)
        return stepsession_wrong(
            error, "\"%s\": 'packet' shows the last one; 'back packet' goes to the one before", l->rest[2]);
    if (!strcmp(what, "packet"))
        return stepcmd_packet(s, l, error);
    if (l->n < 2)
        return stepsession_wrong(error, "inspect what? HOST, socket, route, neigh, nat, queue or packet");
    if ((!strcmp(what, "route") || !strcmp(what, "neigh")) && l->n == 3)
        query = g_strdup_printf("on %s ip %s", l->word[2], what);
    else
        query = g_strdup_printf("%s %s", what, l->rest[2]);
    return ask(s, query, error);
}

bool stepsession_node(StepSession *s, const char *name, uint32_t *node, char **error)
{
    g_autofree char *query = g_strdup_printf("node %s", name);
    bool fine;
    char *text = steptimeline_ask(s->timeline, query, &fine);

    if (!fine) {
        *error = text;
        return false;
    }
    *node = (uint32_t)g_ascii_strtoull(text, NULL, 10);
    g_free(text);
    return true;
}

StepResult stepcmd_on(StepSession *s, const StepLine *l, char **error)
{
    unsigned i = !strcmp(l->word[0], "on");
    g_autofree char *query = NULL;

    if (l->n == i)
        return stepsession_wrong(error, "expected a host and a command: on client ss -ti");
    if (l->n == i + 1) {
        query = g_strdup_printf("host %s", l->word[i]);
    } else if (!strcmp(l->word[i + 1], "tcpdump")) {
        const char *count = l->n > i + 2 ? l->word[l->n - 1] : "20";
        g_autofree char *text =
            g_strdup_printf("list %s packets %s", g_ascii_isdigit(*count) ? count : "20", l->word[i]);
        StepLine list;
        StepResult result;

        stepline_parse(&list, text);
        result = stepcmd_list(s, &list, error);
        g_free(list.copy);
        return result;
    } else {
        query = g_strchomp(g_strdup_printf("on %s", l->rest[i]));
    }
    return ask(s, query, error);
}

StepResult stepcmd_bare(StepSession *s, const StepLine *l, char **error)
{
    g_autofree char *line = g_strchomp(g_strdup(l->text));

    (void)s;
    return stepsession_wrong(error, "on which host? For example 'client %s'; 'nodes' lists them", line);
}

StepResult stepcmd_nodes(StepSession *s, const StepLine *l, char **error)
{
    (void)l;
    return ask(s, "nodes", error);
}

StepResult stepcmd_digest(StepSession *s, const StepLine *l, char **error)
{
    (void)l;
    return ask(s, "state", error);
}

StepResult stepcmd_where(StepSession *s, const StepLine *l, char **error)
{
    const StepStop *here = steptimeline_here(s->timeline);
    char time[SIMTIME_STR_LEN];

    (void)l;
    (void)error;
    simtime_str(here->time, time);
    if (here->is_ended)
        stepsession_say(s, "%s s, at the end: %" PRIu64 " event%s\n", time, here->pos.event - 1,
                        here->pos.event == 2 ? "" : "s");
    else if (here->is_main && !here->pos.event)
        stepsession_say(s, "%s s, in the scenario's main part, before the first event\n", time);
    else if (here->is_main)
        stepsession_say(s, "%s s, in the scenario's main part, behind event %" PRIu64 "\n", time,
                        here->pos.event);
    else if (here->pos.record)
        stepsession_say(s, "%s s, in event %" PRIu64 ", behind its record %" PRIu64 "\n", time,
                        here->pos.event, here->pos.record);
    else
        stepsession_say(s, "%s s, before event %" PRIu64 "\n", time, here->pos.event);
    return STEP_FINE;
}

StepResult stepcmd_print(StepSession *s, const StepLine *l, char **error)
{
    g_autofree char *query = g_strdup_printf("print %s", l->rest[1]);

    if (l->n < 2)
        return stepsession_wrong(error, "print what? 'help expressions' tells what there is");
    return ask(s, query, error);
}

/* ---- display ---- */

void stepsession_show_displays(StepSession *s)
{
    for (unsigned i = 0; i < s->displays->len; i++) {
        const char *expr = s->displays->pdata[i];
        g_autofree char *query = g_strdup_printf("print %s", expr);
        bool fine;
        char *text = g_strchomp(steptimeline_ask(s->timeline, query, &fine));

        stepsession_say(s, "%u: %s = %s\n", i + 1, expr, fine ? text : "nil");
        g_free(text);
    }
}

StepResult stepcmd_display(StepSession *s, const StepLine *l, char **error)
{
    if (l->n > 1) {
        if (!stepbreaks_check(s, 'c', l->rest[1], error))
            return STEP_WRONG;
        g_ptr_array_add(s->displays, g_strchomp(g_strdup(l->rest[1])));
    }
    stepsession_show_displays(s);
    return STEP_FINE;
}

StepResult stepcmd_undisplay(StepSession *s, const StepLine *l, char **error)
{
    guint64 n;

    if (l->n == 1) {
        g_ptr_array_set_size(s->displays, 0);
        return STEP_FINE;
    }
    n = g_ascii_strtoull(l->word[1], NULL, 10);
    if (!n || n > s->displays->len)
        return stepsession_wrong(error, "there is no display \"%s\"", l->word[1]);
    g_ptr_array_remove_index(s->displays, (guint)n - 1);
    return STEP_FINE;
}

/* ---- list, ladder ---- */

typedef struct Wanted {
    uint64_t count;
    StepUnit unit;
    uint32_t node; /* UINT32_MAX: anywhere */
} Wanted;

static bool is_kind(const char *word, StepUnit *unit)
{
    static const struct {
        const char *name;
        StepUnit unit;
    } kinds[] = {{"packets", STEP_UNIT_PACKET},
                 {"states", STEP_UNIT_STATE},
                 {"drops", STEP_UNIT_DROP},
                 {"records", STEP_UNIT_RECORD}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(kinds); i++)
        if (!strncmp(kinds[i].name, word, strlen(kinds[i].name) - 1) &&
            strlen(word) <= strlen(kinds[i].name)) {
            *unit = kinds[i].unit;
            return true;
        }
    return false;
}

/* "20 packets client", in any order. */
static bool parse_wanted(StepSession *s, const StepLine *l, Wanted *w, bool only_count, char **error)
{
    for (unsigned i = 1; i < l->n; i++) {
        const char *word = l->word[i];
        char *why = NULL;

        if (!only_count && is_kind(word, &w->unit))
            continue;
        if (only_count || g_ascii_isdigit(*word) || *word == '-') {
            if (units_parse_count(word, &w->count, &why) && w->count && w->count <= LIST_MAX)
                continue;
            g_free(why);
            stepsession_wrong(error, "cannot show \"%s\" of them; expected 1 to %d", word, LIST_MAX);
            return false;
        }
        if (!stepsession_node(s, word, &w->node, error))
            return false;
    }
    return true;
}

/* The places of the last so many records, for g_array_free; NULL: *error, or it was told that there are none.
 * A record that we stand behind counts. */
static GArray *last_places(StepSession *s, const Wanted *w, char **error)
{
    StepPos here = steptimeline_here(s->timeline)->pos;
    const StepPlan plan = {.scan = STEP_SCAN_MATCHES,
                           .unit = w->unit,
                           .count = w->count,
                           .is_at_node = w->node != UINT32_MAX,
                           .node = w->node};
    GArray *found;

    here.record += here.record > 0;
    found = steptimeline_search(s->timeline, &plan, NULL, here, error);
    if (!*error && found->len)
        return found;
    if (!*error)
        stepsession_say(s, "There was none yet.\n");
    g_array_free(found, TRUE);
    return NULL;
}

StepResult stepcmd_list(StepSession *s, const StepLine *l, char **error)
{
    Wanted w = {LIST_DEFAULT, STEP_UNIT_RECORD, UINT32_MAX};
    GArray *found = parse_wanted(s, l, &w, false, error) ? last_places(s, &w, error) : NULL;

    if (!found)
        return *error ? STEP_WRONG : STEP_FINE;
    steptimeline_show(s->timeline, g_array_index(found, StepMatch, 0).pos,
                      steptimeline_here(s->timeline)->pos, w.unit, w.node);
    g_array_free(found, TRUE);
    return STEP_FINE;
}

StepResult stepcmd_ladder(StepSession *s, const StepLine *l, char **error)
{
    Wanted w = {LADDER_DEFAULT, STEP_UNIT_PACKET, UINT32_MAX};
    GArray *found = parse_wanted(s, l, &w, true, error) ? last_places(s, &w, error) : NULL;
    char *text;

    if (!found)
        return *error ? STEP_WRONG : STEP_FINE;
    text = steptimeline_ladder(s->timeline, &g_array_index(found, StepMatch, 0),
                               steptimeline_here(s->timeline)->pos);
    stepsession_say(s, "%s%s", text, g_str_has_suffix(text, "\n") ? "" : "\n");
    g_free(text);
    g_array_free(found, TRUE);
    return STEP_FINE;
}
