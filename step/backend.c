/* Where the running scenario is looked at: before each event, behind each record. */
#include "step/backend.h"

#include <signal.h>
#include <string.h>

#include "step/backend_priv.h"
#include "step/pipe.h"
#include "step/record.h"

#define LOOK_EVERY 512 /* events between two looks at the socket and at the time used */
#define MARK_NS_DEFAULT UINT64_C(12000000)
#define MARK_SHARE 20 /* making checkpoints takes a twentieth of the time at most */

StepBackend *stepbackend_new(const StepBackendConfig *config)
{
    StepBackend *b = g_new0(StepBackend, 1);

    b->config = *config;
    if (!b->config.checkpoint_ns)
        b->config.checkpoint_ns = MARK_NS_DEFAULT;
    b->plan = (StepPlan){.limit = STEP_POS_FIRST, .time = SIM_NEVER, .show = STEP_SHOW_ALL};
    b->told_text = g_string_new(NULL);
    b->seqs = stepseqs_new();
    b->printed = g_string_new(NULL);
    b->matches = g_array_new(FALSE, TRUE, sizeof(StepMatch));
    return b;
}

/* ---- what a plan wants ---- */

static bool is_at_limit(const StepBackend *b)
{
    return steppos_compare(b->pos, b->plan.limit) >= 0;
}

static bool is_counted(const StepBackend *b, const ProbeRecord *r)
{
    return steprecord_is(r, b->plan.unit) && (!b->plan.is_at_node || r->node->id == b->plan.node);
}

static void show(StepBackend *b, const ProbeRecord *r)
{
    GString *line;

    if (b->plan.show == STEP_SHOW_NOTHING || steppos_compare(b->pos, b->plan.show_from) < 0)
        return;
    if (b->plan.show < STEP_SHOW_ALL && (r->desc->cls != PROBE_LOG || b->plan.show == STEP_SHOW_ONLY) &&
        !(b->plan.show >= STEP_SHOW_UNIT && is_counted(b, r)))
        return;
    if (b->plan.is_at_node && r->node->id != b->plan.node)
        return;
    b->is_shown = true;
    if (b->shown++ >= STEP_SHOW_MAX)
        return;
    line = g_string_new(NULL);
    steprecord_line(line, r, b->seqs);
    g_string_append_c(line, '\n');
    steppipe_send(b->config.fd, STEP_MSG_TEXT, line->str, line->len, NULL, 0, -1);
    g_string_free(line, TRUE);
}

/* What the scenario printed comes before this place. hs.log prints a line, and then tells it as a record:
 * then the line itself is not shown. */
static void show_printed(StepBackend *b, bool is_logged)
{
    if (!b->printed->len)
        return;
    if (is_logged) {
        g_string_truncate(b->printed, b->printed->len - 1);
        g_string_truncate(b->printed, (gsize)(strrchr(b->printed->str, '\n') + 1 - b->printed->str));
    }
    if (b->printed->len > 1 && b->plan.show != STEP_SHOW_NOTHING && b->plan.show != STEP_SHOW_ONLY &&
        steppos_compare(b->pos, b->plan.show_from) >= 0)
        steppipe_send(b->config.fd, STEP_MSG_TEXT, b->printed->str + 1, b->printed->len - 1, NULL, 0, -1);
    g_string_truncate(b->printed, 0);
}

void stepbackend_on_print(StepBackend *b, const char *line)
{
    if (b->is_free)
        return;
    /* A line end in front, so that every line has one before it. */
    g_string_append_printf(b->printed, "%s%s\n", b->printed->len ? "" : "\n", line);
}

static void add_match(StepBackend *b, uint32_t break_id, const ProbeRecord *r)
{
    StepMatch m = {.pos = b->pos, .time = b->part->now, .break_id = break_id, .is_main = b->is_main};

    if (r) {
        m.node = r->node->id;
        if (r->pkt)
            m.number = r->pkt->birth_id;
    }
    if (b->matches->len && b->matches->len >= b->plan.count)
        g_array_remove_index(b->matches, 0);
    g_array_append_val(b->matches, m);
}

/* ---- searches ---- */

/* The number that is counted up on that node: the next event it plans, or the next packet it makes. */
static bool has_passed(const StepBackend *b)
{
    const Node *n = sim_node(b->part->sim, b->plan.node);
    uint64_t next = !n ? 0 : b->plan.scan == STEP_SCAN_KEY ? n->key_next : n->birth_next;

    return next > b->plan.number;
}

/* true: found, or known to be elsewhere; the search ends. What is looked for was the event before this, or
 * the main part behind it. */
static bool search_event(StepBackend *b)
{
    if (b->plan.scan != STEP_SCAN_KEY && b->plan.scan != STEP_SCAN_BIRTH)
        return false;
    if (!has_passed(b))
        return false;
    g_array_set_size(b->matches, 0);
    add_match(b, 0, NULL);
    g_array_index(b->matches, StepMatch, 0).pos = b->last;
    g_array_index(b->matches, StepMatch, 0).is_main = b->was_main;
    return true;
}

static bool is_packet(const StepBackend *b, const ProbeRecord *r)
{
    return r->pkt && r->pkt->birth_id == b->plan.number && r->pkt->birth_node == b->plan.node;
}

/* tcp.cwnd and tcp.recovery tell of the window; their first field is the connection. */
static void search_window(StepBackend *b, const ProbeRecord *r)
{
    const ProbeValue *cwnd, *ssthresh;

    if (r->desc->cls != PROBE_TCP || (b->plan.node != UINT32_MAX && r->node->id != b->plan.node) ||
        (b->plan.number && r->value[0].u != b->plan.number))
        return;
    if (strcmp(r->desc->name, "tcp.cwnd") != 0 && strcmp(r->desc->name, "tcp.recovery") != 0)
        return;
    cwnd = steprecord_value(r, "cwnd");
    ssthresh = steprecord_value(r, "ssthresh");
    if (!cwnd || (cwnd->u == b->plan.other && (!ssthresh || ssthresh->u == b->plan.other_ssthresh)))
        return;
    add_match(b, 0, r);
    g_array_index(b->matches, StepMatch, b->matches->len - 1).number = r->value[0].u;
}

static void search_state(StepBackend *b, const ProbeRecord *r)
{
    if (r->desc->cls != PROBE_TCP || strcmp(r->desc->name, "tcp.state") != 0)
        return;
    if ((b->plan.node == UINT32_MAX || r->node->id == b->plan.node) &&
        (!b->plan.number || r->value[0].u == b->plan.number))
        add_match(b, 0, r);
}

static void search_record(StepBackend *b, const ProbeRecord *r)
{
    switch (b->plan.scan) {
    case STEP_SCAN_SENT:
        if (r->desc == &probe_frame_tx && is_packet(b, r) && r->node->id != b->plan.not_node)
            add_match(b, 0, r);
        break;
    case STEP_SCAN_ARRIVED:
        if (r->desc == &probe_frame_rx && is_packet(b, r) && r->node->id == b->plan.not_node)
            add_match(b, 0, r);
        break;
    case STEP_SCAN_CWND:
        search_window(b, r);
        break;
    case STEP_SCAN_STATE:
        search_state(b, r);
        break;
    case STEP_SCAN_NO:
    case STEP_SCAN_MATCHES:
    case STEP_SCAN_KEY:
    case STEP_SCAN_BIRTH:
        break;
    }
}

/* ---- what is told of an event ---- */

static void tell_record(StepBackend *b, const ProbeRecord *r)
{
    StepEvent *e = &b->told;

    if (!e->has_records) {
        e->has_records = true;
        e->node = r->node->id;
        e->is_arrival = r->desc == &probe_frame_rx;
    }
    if ((e->is_arrival && !e->n_records) ||
        (r->desc == &probe_frame_tx && !e->is_arrival && !e->is_sending)) {
        e->is_sending = r->desc == &probe_frame_tx;
        e->birth_node = r->pkt->birth_node;
        e->birth = r->pkt->birth_id;
        e->at_node = r->node->id;
    }
    if (!strcmp(r->desc->name, "tcp.timer") && !strcmp(r->value[2].s, "fired"))
        e->is_timer = true;
    e->n_records++;
    steprecord_text(b->told_text, r, b->seqs);
    g_string_append_c(b->told_text, '\n');
}

static void tell_nothing(StepBackend *b)
{
    b->told = (StepEvent){.key = b->key, .time = b->part->now};
    g_string_truncate(b->told_text, 0);
}

/* ---- stopping ---- */

void stepbackend_begin(StepBackend *b)
{
    b->shown = b->found = 0;
    g_array_set_size(b->matches, 0);
    tell_nothing(b);
    if (!b->part)
        return;
    stepwatches_prime(b->watches);
    if (b->plan.ladder && !b->story) {
        b->story = stepladder_record(b->net);
        probes_detach(net_probes(b->net), &b->sink); /* it stops: the story is told before */
        probes_attach(net_probes(b->net), &b->sink);
    }
    /* A search's first question: is it before all this? */
    b->has_before = (b->plan.scan == STEP_SCAN_KEY || b->plan.scan == STEP_SCAN_BIRTH) && has_passed(b);
}

static void stop(StepBackend *b, StepWhy why, uint32_t break_id, const char *text)
{
    stepbackend_stop(b, why, break_id, text);
    stepbackend_begin(b);
}

/* Conditions; true: it has stopped. */
static bool check_watches(StepBackend *b, const ProbeRecord *r)
{
    char *text = NULL, *error = NULL;
    uint32_t id = 0;
    bool hit = r ? stepwatches_record(b->watches, r, &id, &text, &error)
                 : stepwatches_event(b->watches, &id, &text, &error);

    if (!hit)
        return false;
    if (b->plan.scan == STEP_SCAN_MATCHES && !error) {
        add_match(b, id, r);
        hit = false;
    } else {
        stop(b, error ? STEP_WHY_ERROR : STEP_WHY_BREAK, id, error ? error : text);
    }
    g_free(text);
    g_free(error);
    return hit;
}

static void look_around(StepBackend *b)
{
    uint64_t now;

    b->next_look = b->part->events + LOOK_EVERY;
    if (steppipe_has_news(b->config.fd, 0)) {
        stop(b, STEP_WHY_ASKED, 0, "");
        return;
    }
    if (!b->config.cpu_ns || b->story) /* a checkpoint must not go on recording it */
        return;
    now = b->config.cpu_ns(b->config.user);
    if (now - b->mark_at < HS_MAX(b->config.checkpoint_ns, b->mark_cost * MARK_SHARE))
        return;
    stepbackend_mark(b);
    b->mark_at = b->config.cpu_ns(b->config.user);
    if (!b->is_woken)
        b->mark_cost = b->mark_at - now;
}

/* Stops here as often as there are plans that end here. */
static void check_event(StepBackend *b)
{
    /* What a checkpoint begets looks at what comes behind the checkpoint: the place itself belongs to the
     * search that ends there. */
    bool is_first = b->is_woken;

    b->is_woken = false;
    if (!is_first && (!is_at_limit(b) || b->plan.inclusive) && stepwatches_wants_events(b->watches))
        check_watches(b, NULL);
    if (!is_first && !b->has_before && search_event(b))
        stop(b, STEP_WHY_LIMIT, 0, "");
    while (b->has_before || is_at_limit(b) || b->part->now >= b->plan.time)
        stop(b, STEP_WHY_LIMIT, 0, "");
}

static void on_event(void *user, SimTime time, uint64_t key)
{
    StepBackend *b = user;

    if (b->is_free)
        return;
    if (b->next_on_event)
        b->next_on_event(b->next_user, time, key);
    if (b->digest)
        sink_digest_on_event(b->digest, time, key);
    b->last = (StepPos){b->part->events - 1, 0};
    b->pos = (StepPos){b->part->events, 0};
    b->key = key;
    b->record = NULL;
    b->is_main = false;
    show_printed(b, false);
    if (!b->has_mark) { /* the first event can always be gone back to, however long the main part takes */
        b->has_mark = true;
        stepbackend_mark(b);
    }
    if (b->part->events >= b->next_look)
        look_around(b);
    check_event(b);
    b->was_main = false;
    if (b->plan.tell_event)
        tell_nothing(b);
}

/* A place like one behind a record: what the main part does next belongs to no event. */
void stepbackend_on_resume(StepBackend *b)
{
    if (b->is_free)
        return;
    b->last = (StepPos){b->pos.event, 0};
    b->pos.record++;
    b->record = NULL;
    show_printed(b, false);
    if (!b->has_before && search_event(b))
        stop(b, STEP_WHY_LIMIT, 0, "");
    b->is_main = b->was_main = true;
    while (is_at_limit(b) || b->part->now >= b->plan.time)
        stop(b, STEP_WHY_LIMIT, 0, "The scenario's main part goes on.");
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    StepBackend *b = HS_CONTAINER_OF(sink, StepBackend, sink);
    bool is_unit;

    if (b->is_free)
        return;
    b->pos.record++;
    b->record = r;
    b->is_shown = false;
    show_printed(b, r->desc->cls == PROBE_LOG);
    stepseqs_look(b->seqs, r);
    if (b->plan.show)
        show(b, r);
    if (b->plan.tell_event && b->pos.event + 1 == b->plan.limit.event && !b->is_main)
        tell_record(b, r);
    if (!is_at_limit(b)) {
        search_record(b, r);
        is_unit = is_counted(b, r);
        if (is_unit && b->plan.scan == STEP_SCAN_MATCHES)
            add_match(b, 0, r);
        else if (is_unit && ++b->found >= b->plan.count)
            stop(b, STEP_WHY_UNIT, 0, "");
        else if (stepwatches_wants_records(b->watches))
            check_watches(b, r);
    }
    while (is_at_limit(b))
        stop(b, STEP_WHY_LIMIT, 0, "");
    b->record = NULL;
}

/* ---- beginning and end ---- */

void stepbackend_on_start(StepBackend *b, Scenario *s)
{
    /* The terminal's ^C is for the process that talks to it, which then asks. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTSTP, SIG_DFL);
    b->scenario = s;
    b->net = scenario_net(s);
    b->part = sim_partition(net_sim(b->net), 0);
    b->cond = stepcond_new(b->net);
    /* What the scenario says is told once, in English. */
    b->sink = (ProbeSink){.mask = (PROBE_BIT(PROBE_CLASSES) - 1) & ~PROBE_BIT(PROBE_TRANSLATION),
                          .record = on_record};
    probes_attach(net_probes(b->net), &b->sink);
    if (b->config.has_digest)
        b->digest = sink_digest_new(net_sim(b->net), net_probes(b->net));
    b->next_on_event =
        b->part->on_event; /* whoever else counts events: the digest of a run that is repeated */
    b->next_user = b->part->on_event_user;
    b->part->on_event = on_event;
    b->part->on_event_user = b;
    b->is_main = b->was_main = true;
    stepbackend_mark(b);
    b->is_woken = false; /* there is nothing at this place that another search could have looked at */
    while (is_at_limit(b))
        stop(b, STEP_WHY_LIMIT, 0, "");
}

_Noreturn void stepbackend_on_end(StepBackend *b, int status, const char *error)
{
    b->is_ended = true;
    b->status = status;
    b->error = error;
    b->record = NULL;
    if (b->part) {
        b->last = (StepPos){b->part->events, 0};
        b->pos = (StepPos){b->part->events + 1, 0};
    }
    show_printed(b, false);
    for (;;) {
        if (b->part && (!is_at_limit(b) || b->plan.inclusive) && stepwatches_wants_events(b->watches))
            check_watches(b, NULL);
        if (b->part && !b->has_before)
            search_event(b);
        stop(b, STEP_WHY_ENDED, 0, b->error);
    }
}
