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

/* What a command wants to pass: so many steps of a kind, or a time. */
typedef struct Steps {
    uint64_t count;
    StepUnit unit;
    bool has_time;
    SimTime time; /* how long */
} Steps;

/* "20ms": a number with a unit behind it. Without one it counts steps. */
static bool is_time(const char *word, SimTime *time)
{
    char *why = NULL;

    if (!g_ascii_isdigit(*word) || !g_ascii_isalpha(word[strlen(word) - 1]))
        return false;
    if (units_parse_time(word, time, &why) && *time >= 0)
        return true;
    g_free(why);
    return false;
}

static bool take_word(Steps *st, const char *word, bool *has_count, bool *has_unit, char **error)
{
    char *why = NULL;

    if (!*has_count && !*has_unit && is_time(word, &st->time)) {
        *has_count = *has_unit = st->has_time = true;
        return true;
    }
    if (!*has_count && g_ascii_isdigit(*word)) {
        *has_count = true;
        if (units_parse_count(word, &st->count, &why) && st->count)
            return true;
        stepsession_wrong(error, "\"%s\" is no number of steps; expected 1 or more, or a time such as 20ms",
                          word);
        g_free(why);
        return false;
    }
    if (!*has_unit && unit_of(word, &st->unit)) {
        *has_unit = true;
        return true;
    }
    stepsession_wrong(
        error, "cannot step by \"%s\"; expected a number, event, packet, state, record or a time (20ms)",
        word);
    return false;
}

/* "next 3 packets", "next packet 3", "np 3", "back 20ms". */
static bool parse_steps(const StepLine *l, Steps *st, char **error)
{
    char kind = strlen(l->word[0]) == 2 ? l->word[0][1] : 0;
    bool has_count = false, has_unit = kind != 0;

    *st = (Steps){.count = 1};
    st->unit = kind == 'p'   ? STEP_UNIT_PACKET
               : kind == 's' ? STEP_UNIT_STATE
               : kind == 'r' ? STEP_UNIT_RECORD
                             : STEP_UNIT_NONE;
    for (unsigned i = 1; i < l->n; i++)
        if (!take_word(st, l->word[i], &has_count, &has_unit, error))
            return false;
    return true;
}

/* The clock jumps from event to event: the place before the next one may be later than what was asked for. */
static void tell_gap(StepSession *s, SimTime time)
{
    const StepStop *here = steptimeline_here(s->timeline);
    char from[SIMTIME_STR_LEN], until[SIMTIME_STR_LEN];

    if (here->why == STEP_WHY_LIMIT && here->time > time && !here->is_main && time > 0)
        stepsession_say(s, "Nothing happens between %s s and %s s.\n", simtime_str(time, from),
                        simtime_str(here->time, until));
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
    const StepStop *here = steptimeline_here(s->timeline);
    StepPlan plan = {.limit = STEP_POS_NEVER, .time = SIM_NEVER};
    StepResult result;
    Steps st;

    if (!parse_steps(l, &st, error))
        return STEP_WRONG;
    if (st.has_time) {
        plan.time = st.time > SIM_NEVER - here->time ? SIM_NEVER : here->time + st.time;
        plan.show = STEP_SHOW_LOG;
    } else if (st.unit == STEP_UNIT_NONE) {
        plan.limit = (StepPos){here->pos.event + st.count, 0};
        plan.show = st.count <= SHOWN_EVENTS ? STEP_SHOW_ALL : STEP_SHOW_LOG;
    } else {
        plan.unit = st.unit;
        plan.count = st.count;
        plan.show = STEP_SHOW_UNIT;
    }
    result = go(s, &plan, NULL, error);
    if (result == STEP_FINE && st.has_time)
        tell_gap(s, plan.time);
    return result;
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
            return stepsession_wrong(error, "%s is not in the future; 'back until %s' goes back", l->word[1],
                                     l->word[1]);
        plan.time = time;
        watches = stepbreaks_text(s, NULL);
    } else {
        g_free(why);
        if (!stepbreaks_check(s, 'u', l->rest[1], error))
            return STEP_WRONG;
        watches = stepbreaks_text(s, l->rest[1]);
    }
    result = go(s, &plan, watches, error);
    if (result == STEP_FINE && plan.time != SIM_NEVER)
        tell_gap(s, plan.time);
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

static StepResult go_to_time(StepSession *s, SimTime time, char **error)
{
    if (!steptimeline_goto_time(s->timeline, time, error))
        return STEP_WRONG;
    stepsession_tell(s);
    tell_gap(s, time);
    return STEP_FINE;
}

/* Backwards: where nothing happened between that time and here, to the event before. */
static StepResult back_to_time(StepSession *s, SimTime time, char **error)
{
    const StepPos from = steptimeline_here(s->timeline)->pos;
    const StepStop *here = steptimeline_here(s->timeline);

    if (!steptimeline_goto_time(s->timeline, HS_MAX(time, 0), error))
        return STEP_WRONG;
    if (steppos_compare(here->pos, from) >= 0 && from.event > 0 &&
        !steptimeline_goto(s->timeline, (StepPos){from.event - !from.record, 0}, error))
        return STEP_WRONG;
    stepsession_tell(s);
    return STEP_FINE;
}

/* The first event's, then that of the scenario's main part. */
static StepResult beginning(StepSession *s, char **error)
{
    const StepStop *here = steptimeline_here(s->timeline);
    bool is_in = steppos_compare(here->pos, STEP_POS_FIRST) > 0;

    stepsession_say(s, is_in ? "The beginning.\n" : "The beginning of the scenario's main part.\n");
    return go_to(s, is_in ? STEP_POS_FIRST : STEP_POS_START, error);
}

/* To the count-th place back that the plan finds, else to the beginning. */
static StepResult search(StepSession *s, StepPlan *plan, const char *watches, uint64_t count, char **error)
{
    GArray *found;
    StepMatch m = {.break_id = 0};
    unsigned n;

    plan->scan = STEP_SCAN_MATCHES;
    plan->count = count;
    found = steptimeline_search(s->timeline, plan, watches, steptimeline_here(s->timeline)->pos, error);
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

static StepResult back_until(StepSession *s, const StepLine *l, char **error)
{
    const char *condition = l->rest[2];
    StepPlan plan = {.use_breaks = true};
    g_autofree char *watches = NULL;
    char *why = NULL;
    SimTime time;

    if (!*condition)
        return stepsession_wrong(error, "back until what? A time (20ms) or a condition");
    if (l->n == 3 && units_parse_time(l->word[2], &time, &why)) {
        if (time < 0 || time >= steptimeline_here(s->timeline)->time)
            return stepsession_wrong(error, "%s is not in the past; 'until %s' goes on", l->word[2],
                                     l->word[2]);
        return back_to_time(s, time, error);
    }
    g_free(why);
    if (!stepbreaks_check(s, 'c', condition, error))
        return STEP_WRONG;
    watches = g_strdup_printf("0 c %s\n", condition);
    return search(s, &plan, watches, 1, error);
}

StepResult stepcmd_back(StepSession *s, const StepLine *l, char **error)
{
    const StepStop *here = steptimeline_here(s->timeline);
    StepPlan plan = {.unit = STEP_UNIT_NONE};
    uint64_t event;
    Steps st;

    if (l->n > 1 && !strcmp(l->word[1], "until"))
        return back_until(s, l, error);
    if (!parse_steps(l, &st, error))
        return STEP_WRONG;
    if (st.has_time)
        return back_to_time(s, here->time - st.time, error);
    plan.unit = st.unit;
    if (plan.unit != STEP_UNIT_NONE)
        return search(s, &plan, NULL, st.count, error);
    event = here->pos.record ? here->pos.event + 1 : here->pos.event;
    if (event < st.count || !event)
        return beginning(s, error);
    return go_to(s, (StepPos){event - st.count, 0}, error);
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

/* "#12", "#12.3"; #0 is the scenario's main part. */
static bool parse_place(const char *word, StepPos *pos)
{
    char *end;

    if (*word != '#' || !g_ascii_isdigit(word[1]))
        return false;
    *pos = (StepPos){g_ascii_strtoull(word + 1, &end, 10), 0};
    if (*end == '.' && g_ascii_isdigit(end[1]))
        pos->record = g_ascii_strtoull(end + 1, &end, 10);
    return !*end;
}

StepResult stepcmd_goto(StepSession *s, const StepLine *l, char **error)
{
    const char *word = l->n == 2 ? l->word[1] : "";
    StepPos pos = STEP_POS_FIRST;
    bool is_relative = *word == '+' || *word == '-';
    char *why = NULL;
    SimTime time;

    if (!strcmp(word, "end"))
        pos = STEP_POS_NEVER;
    else if (strcmp(word, "start") != 0 && !parse_place(word, &pos)) {
        if (!units_parse_time(word + is_relative, &time, &why) || time < 0) {
            g_free(why);
            return stepsession_wrong(
                error,
                "cannot go to \"%s\"; expected a time (20ms, +5ms, -5ms), an event (#57), a "
                "record in it (#57.2), start or end",
                word);
        }
        if (*word == '-')
            return back_to_time(s, steptimeline_here(s->timeline)->time - time, error);
        return go_to_time(s, is_relative ? steptimeline_here(s->timeline)->time + time : time, error);
    }
    return go_to(s, pos, error);
}
