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

StepResult stepcmd_inspect(StepSession *s, const StepLine *l, char **error)
{
    const char *what = l->n > 1 ? l->word[1] : "";
    g_autofree char *query = NULL;

    if (!strcmp(what, "packet"))
        return stepcmd_packet(s, l, error);
    if ((!strcmp(what, "route") || !strcmp(what, "neigh")) && l->n == 3)
        query = g_strdup_printf("on %s ip %s", l->word[2], what);
    else if (l->n < 2)
        return stepsession_wrong(error, "inspect what? host, socket, route, neigh, nat, queue or packet");
    return ask(s, query ? query : l->rest[1], error);
}

StepResult stepcmd_on(StepSession *s, const StepLine *l, char **error)
{
    bool is_on = !strcmp(l->word[0], "on");
    g_autofree char *query = NULL;

    if (is_on && l->n < 3)
        return stepsession_wrong(error, "expected a host and a command: on client ss -ti");
    query = g_strdup_printf("on %s", l->rest[is_on ? 1 : 0]);
    g_strchomp(query);
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

/* The places of the last so many records of that unit, for g_array_free; NULL: *error. A record that we stand
 * behind counts. */
static GArray *last_places(StepSession *s, const StepLine *l, StepUnit unit, uint64_t count, char **error)
{
    StepPos here = steptimeline_here(s->timeline)->pos;
    StepPlan plan = {.scan = STEP_SCAN_MATCHES, .unit = unit, .count = count};
    char *why = NULL;
    GArray *found;

    if (l->n > 1 &&
        (!units_parse_count(l->word[1], &plan.count, &why) || !plan.count || plan.count > LIST_MAX)) {
        g_free(why);
        stepsession_wrong(error, "cannot show \"%s\" of them; expected 1 to %d", l->word[1], LIST_MAX);
        return NULL;
    }
    here.record += here.record > 0; /* a record that we stand behind counts */
    found = steptimeline_search(s->timeline, &plan, NULL, here, error);
    if (!*error && found->len)
        return found;
    if (!*error)
        stepsession_say(s, "Nothing has been recorded yet.\n");
    g_array_free(found, TRUE);
    return NULL;
}

StepResult stepcmd_list(StepSession *s, const StepLine *l, char **error)
{
    GArray *found = last_places(s, l, STEP_UNIT_RECORD, LIST_DEFAULT, error);

    if (!found)
        return *error ? STEP_WRONG : STEP_FINE;
    steptimeline_show(s->timeline, g_array_index(found, StepMatch, 0).pos,
                      steptimeline_here(s->timeline)->pos);
    g_array_free(found, TRUE);
    return STEP_FINE;
}

StepResult stepcmd_ladder(StepSession *s, const StepLine *l, char **error)
{
    GArray *found = last_places(s, l, STEP_UNIT_PACKET, LADDER_DEFAULT, error);
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
