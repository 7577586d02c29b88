/* why: the chain of causes of an event.
 *
 * An event that begins with the arrival of a frame was caused by the sending of that frame; any other one by
 * the event in which it was planned (a timer was armed, a transmission began …), which the engine's number of
 * the event tells: every node numbers what it plans, so it was planned in the event during which the node's
 * count went past that number. Both are found by executing again. */
#include <inttypes.h>
#include <string.h>

#include "sim/base/units.h"
#include "sim/engine/node.h"
#include "step/session_priv.h"

#define CHAIN_DEFAULT 6
#define CHAIN_MAX 100
#define LINES_SHOWN 4

typedef struct Cause {
    StepPos pos;
    uint32_t node;   /* of the record that was found */
    bool is_sending; /* it is a frame.tx */
    const char *how; /* "it was sent in" */
    bool is_main;    /* by the scenario's main part, behind that event; event 0: before the first one */
} Cause;

static void tell_event(StepSession *s, uint64_t event, const StepEvent *e, const char *lines)
{
    g_auto(GStrv) line = g_strsplit(lines, "\n", -1);
    char time[SIMTIME_STR_LEN];
    uint64_t shown = 0;

    stepsession_say(s, "event #%" PRIu64 " at %s s\n", event, simtime_str(e->time, time));
    for (; line[shown] && *line[shown] && shown < LINES_SHOWN; shown++)
        stepsession_say(s, "      %s\n", line[shown]);
    if (!shown)
        stepsession_say(
            s, "      (nothing that is recorded: a step inside a device, a protocol or a process)\n");
    if (e->n_records > shown)
        stepsession_say(s, "      … and %" PRIu64 " more\n", e->n_records - shown);
}

static void tell_main(StepSession *s, uint64_t event)
{
    if (event)
        stepsession_say(s, "the scenario's main part, where hs.run returned behind event #%" PRIu64 "\n",
                        event);
    else
        stepsession_say(s, "the scenario's main part, before the first event\n");
}

/* The last place before the event that the search finds. */
static bool find(StepSession *s, StepPlan plan, uint64_t event, Cause *out, char **error)
{
    StepPos before = {event, 0};
    GArray *found;
    bool has;

    plan.count = 1;
    found = steptimeline_search(s->timeline, &plan, NULL, before, error);
    has = found->len > 0;
    if (has) {
        const StepMatch *m = &g_array_index(found, StepMatch, 0);

        out->pos = m->pos;
        out->node = m->node;
        out->is_main = m->is_main;
    }
    g_array_free(found, TRUE);
    return !*error && has;
}

static bool find_cause(StepSession *s, uint64_t event, const StepEvent *e, Cause *out, char **error)
{
    const StepPlan sent = {
        .scan = STEP_SCAN_SENT, .node = e->birth_node, .number = e->birth, .not_node = e->at_node};
    const StepPlan arrived = {
        .scan = STEP_SCAN_ARRIVED, .node = e->birth_node, .number = e->birth, .not_node = e->at_node};
    const StepPlan born = {.scan = STEP_SCAN_BIRTH, .node = e->birth_node, .number = e->birth};
    /* Node.key_next is compared as a whole: the node's id and its count. */
    const StepPlan planned = {.scan = STEP_SCAN_KEY, .node = event_key_node(e->key), .number = e->key};

    *out = (Cause){.how = NULL};
    if (e->is_arrival && find(s, sent, event, out, error)) {
        out->how = "that frame was sent in";
        out->is_sending = true;
        return true;
    }
    if (*error)
        return false;
    /* A frame that waited for the wire: what matters is how it came to this node. */
    if (e->is_sending && e->birth_node != e->at_node && find(s, arrived, event, out, error)) {
        out->how = "that packet had come in";
        return true;
    }
    if (!*error && e->is_sending && e->birth_node == e->at_node && find(s, born, event, out, error) &&
        !out->is_main) {
        out->how = "that packet was made, and waited for the wire since";
        return true;
    }
    if (*error)
        return false;
    out->how = e->is_timer ? "that timer was armed in" : "this was planned in";
    return find(s, planned, event, out, error);
}

/* Of several frames that the event sent, the one that we came from. */
static void follow(StepEvent *e, const Cause *from, const StepEvent *last)
{
    if (!from->is_sending || e->is_arrival)
        return;
    e->is_sending = true;
    e->at_node = from->node;
    e->birth_node = last->birth_node;
    e->birth = last->birth;
}

static StepResult chain(StepSession *s, uint64_t event, uint64_t steps, char **error)
{
    Cause cause = {.is_sending = false};
    StepEvent last = {0};

    for (;;) {
        StepEvent e;
        char *lines;

        if (!steptimeline_event(s->timeline, event, &e, &lines))
            return stepsession_wrong(error, "there is no event %" PRIu64, event);
        tell_event(s, event, &e, lines);
        g_free(lines);
        if (!steps--)
            return STEP_FINE;
        follow(&e, &cause, &last);
        if (!find_cause(s, event, &e, &cause, error))
            return *error ? STEP_WRONG : STEP_FINE;
        if (cause.is_main) {
            stepsession_say(s, "  <- %s ", cause.how);
            tell_main(s, cause.pos.event);
            return STEP_FINE;
        }
        last = e;
        event = cause.pos.event;
        stepsession_say(s, "  <- %s ", cause.how);
    }
}

StepResult stepwhy_chain(StepSession *s, StepPos pos, bool is_main, uint64_t steps, char **error)
{
    if (!is_main)
        return chain(s, pos.event, steps, error);
    stepsession_say(s, "This is done by ");
    tell_main(s, pos.event);
    return STEP_FINE;
}

StepResult stepcmd_why(StepSession *s, const StepLine *l, char **error)
{
    const StepStop *here = steptimeline_here(s->timeline);
    uint64_t steps = CHAIN_DEFAULT;
    char *why = NULL;
    uint64_t event;

    if (l->n > 1 && !strcmp(l->word[1], "cwnd"))
        return stepwhy_cwnd(s, l, error);
    if (l->n > 1 && !strcmp(l->word[1], "state"))
        return stepwhy_state(s, l, error);
    if (l->n > 1 && (!units_parse_count(l->word[1], &steps, &why) || !steps || steps > CHAIN_MAX)) {
        g_free(why);
        return stepsession_wrong(error, "why \"%s\"? expected 1 to %d causes, cwnd or state", l->word[1],
                                 CHAIN_MAX);
    }
    if (here->is_main)
        return stepwhy_chain(s, here->pos, true, steps, error);
    /* Between two events, the one that has just happened. */
    event = here->pos.record ? here->pos.event : here->pos.event - 1;
    if (!event) {
        stepsession_say(s, "No event has happened yet: what there is was made by ");
        tell_main(s, 0);
        return STEP_FINE;
    }
    return stepwhy_chain(s, (StepPos){event, 0}, false, steps, error);
}
