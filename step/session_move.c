/* Commands that move: forwards by going on, backwards by searching and executing again. */
#include <inttypes.h>
#include <string.h>

#include "sim/base/units.h"
#include "step/session_priv.h"

#define SHOWN_EVENTS 10 /* of so many at once every record is shown */

/* "packet", "packets"; STEP_UNIT_NONE is an event. */
static bool unit_of(const char *word, StepUnit *unit)
{
    static const struct {
        const char *name;
        StepUnit unit;
    } units[] = {{"event", STEP_UNIT_NONE},     {"events", STEP_UNIT_NONE},   {"packet", STEP_UNIT_PACKET},
                 {"packets", STEP_UNIT_PACKET}, {"state", STEP_UNIT_STATE},   {"states", STEP_UNIT_STATE},
                 {"record", STEP_UNIT_RECORD},  {"records", STEP_UNIT_RECORD}};

    for (unsigned i = 0; i < HS_ARRAY_LEN(units); i++)
        if (!strcmp(units[i].name, word)) {
            *unit = units[i].unit;
            return true;
        }
    return false;
}

/* "next 3 packets", "np 3", "back packet": how many of what. */
static bool parse_steps(const StepLine *l, uint64_t *count, StepUnit *unit, char **error)
{
    char kind = strlen(l->word[0]) == 2 ? l->word[0][1] : 0;
    char *why = NULL;
    unsigned i = 1;

    *count = 1;
    *unit = kind == 'p'   ? STEP_UNIT_PACKET
            : kind == 's' ? STEP_UNIT_STATE
            : kind == 'r' ? STEP_UNIT_RECORD
                          : STEP_UNIT_NONE;
    if (i < l->n && g_ascii_isdigit(*l->word[i])) {
        if (!units_parse_count(l->word[i], count, &why) || !*count) {
            stepsession_wrong(error, "\"%s\" is no number of steps; expected 1 or more", l->word[i]);
            g_free(why);
            return false;
        }
        i++;
    }
    if (i < l->n && !kind && unit_of(l->word[i], unit))
        i++;
    if (i < l->n) {
        stepsession_wrong(error, "cannot step by \"%s\"; expected a number, event, packet, state or record",
                          l->word[i]);
        return false;
    }
    return true;
}

static StepResult go(StepSession *s, const StepPlan *plan, const char *watches, char **error)
{
    if (steptimeline_here(s->timeline)->is_ended) {
        stepsession_say(s, "The run is over; 'back' goes back.\n");
        return STEP_FINE;
    }
    if (!steptimeline_go(s->timeline, plan, watches, error))
        return STEP_WRONG;
    if (steptimeline_here(s->timeline)->why == STEP_WHY_ERROR) {
        *error = g_strdup(steptimeline_said(s->timeline));
        return STEP_WRONG;
    }
    stepsession_tell(s);
    return STEP_FINE;
}

StepResult stepcmd_next(StepSession *s, const StepLine *l, char **error)
{
    const StepPos here = steptimeline_here(s->timeline)->pos;
    StepPlan plan = {.limit = STEP_POS_NEVER, .time = SIM_NEVER};
    uint64_t count;

    if (!parse_steps(l, &count, &plan.unit, error))
        return STEP_WRONG;
    if (plan.unit == STEP_UNIT_NONE) {
        plan.limit = (StepPos){here.event + count, 0};
        plan.show = count <= SHOWN_EVENTS ? STEP_SHOW_ALL : STEP_SHOW_LOG;
    } else {
        plan.count = count;
        plan.show = STEP_SHOW_UNIT;
    }
    return go(s, &plan, NULL, error);
}

StepResult stepcmd_until(StepSession *s, const StepLine *l, char **error)
{
    StepPlan plan = {.limit = STEP_POS_NEVER, .time = SIM_NEVER, .use_breaks = true, .show = STEP_SHOW_LOG};
    g_autofree char *watches = NULL;
    char *why = NULL;
    StepResult result;
    SimTime time;

    if (l->n < 2)
        return stepsession_wrong(error, "until what? A time (20ms) or a condition");
    if (l->n == 2 && units_parse_time(l->word[1], &time, &why)) {
        if (time <= steptimeline_here(s->timeline)->time)
            return stepsession_wrong(error, "%s is not in the future; 'goto' goes back", l->word[1]);
        plan.time = time;
        watches = stepbreaks_text(s, NULL);
    } else {
        g_free(why);
        if (!stepbreaks_check(s, 'u', l->rest[1], error))
            return STEP_WRONG;
        watches = stepbreaks_text(s, l->rest[1]);
    }
    result = go(s, &plan, watches, error);
    return result;
}

StepResult stepcmd_continue(StepSession *s, const StepLine *l, char **error)
{
    const StepPlan plan = {
        .limit = STEP_POS_NEVER, .time = SIM_NEVER, .use_breaks = true, .show = STEP_SHOW_LOG};
    g_autofree char *watches = stepbreaks_text(s, NULL);

    return go(s, &plan, watches, error);
}

/* ---- backwards ---- */

static StepResult go_to(StepSession *s, StepPos pos, char **error)
{
    if (!steptimeline_goto(s->timeline, pos, error))
        return STEP_WRONG;
    stepsession_tell(s);
    return STEP_FINE;
}

static StepResult beginning(StepSession *s, char **error)
{
    const StepStop *here = steptimeline_here(s->timeline);

    stepsession_say(s, "The beginning.\n");
    if (!steppos_compare(here->pos, STEP_POS_FIRST) || !steptimeline_mark_count(s->timeline))
        return STEP_FINE;
    return go_to(s, STEP_POS_FIRST, error);
}

/* To the count-th place back that the plan finds, else to the beginning. */
static StepResult search(StepSession *s, StepPlan *plan, const char *watches, uint64_t count, char **error)
{
    GArray *found;
    StepMatch m = {.break_id = 0};
    unsigned n;

    plan->scan = STEP_SCAN_MATCHES;
    plan->count = count;
    found = steptimeline_search(s->timeline, plan, watches, steptimeline_here(s->timeline)->pos, NULL, error);
    n = found->len;
    if (n)
        m = g_array_index(found, StepMatch, 0);
    g_array_free(found, TRUE);
    if (*error)
        return STEP_WRONG;
    if (n < count)
        return beginning(s, error);
    if (m.break_id && stepbreaks_find(s, m.break_id))
        stepsession_say(s, "Breakpoint %u: %s\n", m.break_id, stepbreaks_find(s, m.break_id)->wish);
    return go_to(s, m.pos, error);
}

static StepResult back_until(StepSession *s, const char *condition, char **error)
{
    StepPlan plan = {.use_breaks = true};
    g_autofree char *watches = NULL;

    if (!*condition)
        return stepsession_wrong(error, "back until what? A condition");
    if (!stepbreaks_check(s, 'c', condition, error))
        return STEP_WRONG;
    watches = g_strdup_printf("0 c %s\n", condition);
    return search(s, &plan, watches, 1, error);
}

StepResult stepcmd_back(StepSession *s, const StepLine *l, char **error)
{
    const StepPos here = steptimeline_here(s->timeline)->pos;
    StepPlan plan = {.unit = STEP_UNIT_NONE};
    uint64_t count, event;

    if (l->n > 1 && !strcmp(l->word[1], "until"))
        return back_until(s, l->rest[2], error);
    if (!parse_steps(l, &count, &plan.unit, error))
        return STEP_WRONG;
    if (plan.unit != STEP_UNIT_NONE)
        return search(s, &plan, NULL, count, error);
    event = here.record ? here.event + 1 : here.event;
    if (event <= count)
        return beginning(s, error);
    return go_to(s, (StepPos){event - count, 0}, error);
}

StepResult stepcmd_reverse(StepSession *s, const StepLine *l, char **error)
{
    StepPlan plan = {.use_breaks = true};
    g_autofree char *watches = stepbreaks_text(s, NULL);

    if (!s->breaks->len)
        return beginning(s, error);
    return search(s, &plan, watches, 1, error);
}

/* ---- anywhere ---- */

/* "#12", "#12.3" */
static bool parse_place(const char *word, StepPos *pos)
{
    char *end;

    if (*word != '#' || !g_ascii_isdigit(word[1]))
        return false;
    *pos = (StepPos){g_ascii_strtoull(word + 1, &end, 10), 0};
    if (*end == '.' && g_ascii_isdigit(end[1]))
        pos->record = g_ascii_strtoull(end + 1, &end, 10);
    return !*end && pos->event > 0;
}

StepResult stepcmd_goto(StepSession *s, const StepLine *l, char **error)
{
    const char *word = l->n == 2 ? l->word[1] : "";
    StepPos pos = STEP_POS_FIRST;
    char *why = NULL;
    SimTime time;

    if (!steptimeline_mark_count(s->timeline)) {
        stepsession_say(s, "Nothing happened: there is no other place.\n");
        return STEP_FINE;
    }
    if (!strcmp(word, "end"))
        pos = STEP_POS_NEVER;
    else if (strcmp(word, "start") != 0 && !parse_place(word, &pos)) {
        if (!units_parse_time(word, &time, &why) || time < 0) {
            g_free(why);
            return stepsession_wrong(
                error,
                "cannot go to \"%s\"; expected a time (20ms), an event (#57), a record in "
                "it (#57.2), start or end",
                word);
        }
        if (!steptimeline_goto_time(s->timeline, time, error))
            return STEP_WRONG;
        stepsession_tell(s);
        return STEP_FINE;
    }
    return go_to(s, pos, error);
}
