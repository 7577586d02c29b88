/* why cwnd: where a connection's congestion window changed last, and by which rule. The change is found by
 * searching backwards the records that tell of it; the rule follows from the state before and after, the
 * records of the event in between, and the connection's controller and style of recovery. */
#include <inttypes.h>
#include <string.h>

#include "sim/base/units.h"
#include "step/session_priv.h"

#define INFINITE_SSTHRESH 0x7fffffff /* Linux TCP_INFINITE_SSTHRESH */

/* A tcp.cwnd or tcp.recovery record, asked for where it was emitted. */
typedef struct Window {
    StepPos pos;
    uint64_t cwnd, ssthresh, inflight;
    char ca_state[16];
} Window;

/* What the host counted in the event of the change tells which of several rules it was. */
static const char *const counters[] = {
    "TcpExtTCPHystartTrainDetect", "TcpExtTCPHystartDelayDetect", "TcpExtTCPLossProbeRecovery",
    "TcpExtTCPFullUndo",           "TcpExtTCPPartialUndo",        "TcpExtTCPDSACKUndo",
    "TcpExtTCPLossUndo",           "TcpExtTCPSpuriousRTOs",       "TcpExtTCPMTUPSuccess",
};
enum { TRAIN, DELAY, PROBE_REPAIR, FULL_UNDO, PARTIAL_UNDO, DSACK_UNDO, LOSS_UNDO, SPURIOUS_RTO, MTU_PROBE };

typedef struct Change {
    bool counted[HS_ARRAY_LEN(counters)];
    bool has_old;
    Window old, new;
    char node[64];
    uint64_t conn;
    char *lines;      /* the records of the event in which it changed */
    char *controller; /* "cubic" */
    char *style;      /* "linux", "tahoe", "reno" … */
} Change;

typedef struct Rule {
    const char *what;
    const char *law;  /* RFC and section */
    const char *code; /* Linux function */
} Rule;

static uint64_t number_at(StepSession *s, StepPos pos, const char *name)
{
    g_autofree char *query = g_strdup_printf("print %s", name);
    bool fine;
    g_autofree char *text = steptimeline_ask_at(s->timeline, pos, query, &fine);

    return fine ? g_ascii_strtoull(text, NULL, 10) : 0;
}

static void word_at(StepSession *s, StepPos pos, const char *name, char *out, size_t size)
{
    g_autofree char *query = g_strdup_printf("print %s", name);
    bool fine;
    g_autofree char *text = steptimeline_ask_at(s->timeline, pos, query, &fine);

    g_strlcpy(out, fine ? g_strchomp(text) : "", size);
}

/* tcp.recovery does not tell it: then the connection is asked. */
static uint64_t ssthresh_at(StepSession *s, StepPos pos, const Change *c)
{
    uint64_t told = number_at(s, pos, "ssthresh or 0");
    g_autofree char *query = g_strdup_printf("ssthresh %s %" PRIu64, c->node, c->conn);
    bool fine;
    g_autofree char *text = told ? NULL : steptimeline_ask_at(s->timeline, pos, query, &fine);

    return told ? told : g_ascii_strtoull(text, NULL, 10);
}

static void read_window(StepSession *s, StepPos pos, const Change *c, Window *w)
{
    w->pos = pos;
    w->cwnd = number_at(s, pos, "cwnd");
    w->ssthresh = ssthresh_at(s, pos, c);
    w->inflight = number_at(s, pos, "inflight or 0");
    word_at(s, pos, "ca_state or what", w->ca_state, sizeof(w->ca_state));
}

static bool find(StepSession *s, const StepPlan *plan, StepPos before, StepPos *out, char **error)
{
    GArray *found = steptimeline_search(s->timeline, plan, NULL, before, error);
    bool has = found->len > 0 && !*error;

    if (has)
        *out = g_array_index(found, StepMatch, 0).pos;
    g_array_free(found, TRUE);
    return has;
}

/* What was counted between the places before and behind the event. */
static void read_counters(StepSession *s, Change *c)
{
    const StepPos before = {c->new.pos.event, 0}, behind = {c->new.pos.event + 1, 0};
    g_autoptr(GString) query = g_string_new("print \"\"");
    bool fine;

    for (unsigned i = 0; i < HS_ARRAY_LEN(counters); i++)
        g_string_append_printf(query, "..counter(\"%s\",\"%s\")..\" \"", c->node, counters[i]);

    g_autofree char *a = steptimeline_ask_at(s->timeline, before, query->str, &fine);
    g_autofree char *b = steptimeline_ask_at(s->timeline, behind, query->str, &fine);
    char *pa = a, *pb = b;

    for (unsigned i = 0; i < HS_ARRAY_LEN(counters) && fine; i++) {
        guint64 was = g_ascii_strtoull(pa, &pa, 10), is = g_ascii_strtoull(pb, &pb, 10);

        c->counted[i] = is > was;
    }
}

/* The last record of all, the last one with another window, and the first one behind that. */
static bool find_change(StepSession *s, StepPlan plan, Change *c, char **error)
{
    StepPos here = steptimeline_here(s->timeline)->pos, last, old;
    g_autofree char *watches = NULL;

    here.record++; /* a record that we stand behind counts */
    plan.scan = STEP_SCAN_CWND;
    plan.count = 1;
    plan.other = plan.other_ssthresh = UINT64_MAX;
    if (!find(s, &plan, here, &last, error)) {
        if (!*error)
            stepsession_wrong(error, "no connection has told of its congestion window yet");
        return false;
    }
    word_at(s, last, "node", c->node, sizeof(c->node));
    c->conn = number_at(s, last, "conn");
    plan.node = (uint32_t)number_at(s, last, "node_id");
    plan.number = c->conn;
    plan.other = number_at(s, last, "cwnd");
    plan.other_ssthresh = ssthresh_at(s, last, c);
    c->has_old = find(s, &plan, last, &old, error);
    if (*error)
        return false;
    if (!c->has_old) { /* it has never been another one: the first record tells */
        read_window(s, last, c, &c->new);
        return true;
    }
    read_window(s, old, c, &c->old);
    watches = g_strdup_printf("0 c (probe == \"tcp.cwnd\" or probe == \"tcp.recovery\") and node == \"%s\" "
                              "and conn == %" PRIu64 "\n",
                              c->node, c->conn);
    read_window(s, steptimeline_next(s->timeline, old, watches), c, &c->new);
    return true;
}

static char *ask_text(StepSession *s, StepPos pos, const char *format, const char *node, uint64_t conn)
{
    g_autofree char *query = g_strdup_printf("%s %s %" PRIu64, format, node, conn);
    bool fine;

    return g_strchomp(steptimeline_ask_at(s->timeline, pos, query, &fine));
}

/* ---- the rules ---- */

static bool was(const Window *w, const char *ca_state)
{
    return !strcmp(w->ca_state, ca_state);
}

static bool says(const Change *c, const char *text)
{
    return c->lines && strstr(c->lines, text);
}

static Rule growth(const Change *c)
{
    if (c->old.cwnd < c->old.ssthresh)
        return (Rule){
            "slow start: the window was below ssthresh, and grows by what each ACK acknowledges (at most to "
            "ssthresh), so it doubles in a round trip",
            "RFC 5681 3.1 (and RFC 3465: bytes are counted, not ACKs)", "tcp_slow_start"};
    if (!strcmp(c->controller, "cubic"))
        return (Rule){
            "congestion avoidance: the window follows the cubic curve through the size at which it was last "
            "reduced (W_max), or Reno's line where that is higher",
            "RFC 9438 4.2 to 4.4", "bictcp_update, tcp_cong_avoid_ai"};
    if (!strcmp(c->controller, "reno"))
        return (Rule){
            "congestion avoidance: a window's worth of acknowledged packets makes it one packet larger",
            "RFC 5681 3.1 (equation 3)", "tcp_reno_cong_avoid, tcp_cong_avoid_ai"};
    return (Rule){"the controller's own rule", "the controller's definition",
                  "its cong_avoid or cong_control"};
}

static Rule in_recovery(const Change *c)
{
    bool is_cwr = was(&c->new, "cwr");

    if (strcmp(c->style, "linux") != 0 && c->new.cwnd > c->old.cwnd)
        return (Rule){
            "fast recovery: each duplicate ACK tells that a packet has left the network, and inflates the "
            "window by one",
            "RFC 5681 3.2 (step 4)", "none: sysctl hopscope.tcp_recovery_style"};
    if (strcmp(c->style, "linux") != 0)
        return (Rule){
            "fast retransmit: ssthresh is set to half of what was in flight, and the window to that and the "
            "three packets that the duplicates told of",
            "RFC 5681 3.2 (steps 2 and 3)", "none: sysctl hopscope.tcp_recovery_style"};
    if (c->new.cwnd > c->old.cwnd)
        return (Rule){"fast recovery: less is in flight than the reduced ssthresh allows, so the window may "
                      "grow again by "
                      "what is delivered (slow start reduction bound)",
                      "RFC 9937 (proportional rate reduction)", "tcp_cwnd_reduction"};
    if (is_cwr)
        return (Rule){"a congestion mark (ECE) or a local drop: ssthresh was reduced, and the window comes "
                      "down to it in "
                      "proportion to what is delivered",
                      "RFC 3168 6.1.2, RFC 9937 (proportional rate reduction)",
                      "tcp_enter_cwr, tcp_cwnd_reduction"};
    return (Rule){"fast recovery: a packet is known to be lost; ssthresh was reduced, and the window comes "
                  "down to it in "
                  "proportion to what is delivered",
                  "RFC 5681 3.2, RFC 6675, RFC 9937 (proportional rate reduction)",
                  "tcp_enter_recovery, tcp_cwnd_reduction"};
}

static Rule undo(const Change *c)
{
    if (c->counted[DSACK_UNDO])
        return (Rule){"the reduction was undone: D-SACK told that every retransmission had been unnecessary",
                      "RFC 2883, RFC 3708", "tcp_try_undo_dsack"};
    if (c->counted[SPURIOUS_RTO] || c->counted[LOSS_UNDO])
        return (Rule){"the timeout was spurious: acknowledgments of the originals came after all, and what "
                      "it did is undone",
                      "RFC 5682 (F-RTO), RFC 3522 (Eifel)", "tcp_try_undo_loss"};
    if (c->counted[FULL_UNDO] || c->counted[PARTIAL_UNDO])
        return (Rule){
            "the reduction was undone: by its timestamp an acknowledgment was about the original, which had "
            "only been late",
            "RFC 3522, RFC 4015 (Eifel)", "tcp_try_undo_recovery, tcp_try_undo_partial"};
    return (Rule){"the reduction was undone: the packets that were taken for lost had arrived all the same",
                  "RFC 4015, RFC 5682 (F-RTO), RFC 3708 (D-SACK)", "tcp_undo_cwnd_reduction"};
}

/* The window stayed, ssthresh did not. */
static Rule threshold(const Change *c)
{
    if (c->counted[TRAIN])
        return (Rule){"HyStart: ACKs have come in a train as long as half the smallest round trip, so the "
                      "path is full: "
                      "ssthresh becomes the window, and slow start ends before anything is lost",
                      "Ha and Rhee, Taming the elephants (2011); RFC 9438 4.10", "hystart_update"};
    if (c->counted[DELAY])
        return (Rule){
            "HyStart: this round trip's times are longer than before, so a queue grows: ssthresh becomes the "
            "window, and slow start ends before anything is lost",
            "Ha and Rhee, Taming the elephants (2011); RFC 9406 4.2; RFC 9438 4.10", "hystart_update"};
    if (c->new.ssthresh < c->old.ssthresh)
        return (Rule){"ssthresh was reduced because of congestion; the window follows",
                      "RFC 5681 3.1 (equation 4)", "tcp_init_cwnd_reduction, tcp_enter_loss"};
    return (Rule){
        "ssthresh was raised to three quarters of the window that had been in use, before that is given up",
        "RFC 2861 3", "tcp_current_ssthresh"};
}

/* Linux halves after silence, and takes the mean of window and use where the application set the pace. */
static Rule unused(const Change *c)
{
    bool is_halved = false;

    for (unsigned i = 1; i < 32; i++)
        is_halved |= c->new.cwnd == HS_MAX(c->old.cwnd >> i, 10);
    if (is_halved)
        return (Rule){"restart after silence: nothing was sent for longer than a retransmission timeout, and "
                      "the window is "
                      "halved for each of these, down to the initial one",
                      "RFC 5681 4.1, RFC 2861 3 (net.ipv4.tcp_slow_start_after_idle)", "tcp_cwnd_restart"};
    return (Rule){"the application has not filled the window for a retransmission timeout: it is brought "
                  "half the way to "
                  "what was used",
                  "RFC 2861 3, RFC 7661", "tcp_cwnd_application_limited"};
}

static Rule rule_of(const Change *c)
{
    if (!c->has_old)
        return (Rule){"the initial window: it has not changed since", "RFC 6928 (10 packets)",
                      "tcp_init_cwnd"};
    if (says(c, "what=undo"))
        return undo(c);
    if (c->counted[PROBE_REPAIR])
        return (Rule){
            "a tail loss probe repaired a loss (no D-SACK told that both copies arrived), which counts as "
            "congestion: ssthresh is reduced, and the window with it",
            "RFC 8985 7.4.2", "tcp_process_tlp_ack"};
    if (c->counted[MTU_PROBE])
        return (Rule){"a probe of the path's MTU succeeded: packets are longer now, and the window counts "
                      "fewer of them",
                      "RFC 4821 7.6", "tcp_mtup_probe_success"};
    if (was(&c->new, "loss") && c->new.cwnd < c->old.cwnd)
        return (Rule){"a retransmission timeout: everything in flight counts as lost, ssthresh is reduced, "
                      "and the window "
                      "begins again with one packet more than is in flight",
                      "RFC 5681 3.1 (equation 4, loss window), RFC 6298 5", "tcp_enter_loss"};
    if (was(&c->new, "recovery") || was(&c->new, "cwr"))
        return in_recovery(c);
    if (c->new.cwnd == c->old.cwnd)
        return threshold(c);
    if (was(&c->old, "recovery") || was(&c->old, "cwr"))
        return (Rule){
            "recovery is over: all that was outstanding when it began is acknowledged, and the window is "
            "ssthresh",
            "RFC 5681 3.2 (step 6), RFC 6675 5, RFC 9937", "tcp_end_cwnd_reduction"};
    if (c->new.cwnd < c->old.cwnd)
        return unused(c);
    return growth(c);
}

/* ---- the command ---- */

static void append_ssthresh(GString *out, uint64_t ssthresh)
{
    if (ssthresh >= INFINITE_SSTHRESH)
        g_string_append(out, "unlimited");
    else
        g_string_append_printf(out, "%" PRIu64, ssthresh);
}

/* Why nothing has happened since, perhaps. */
static void tell_limits(StepSession *s, const Change *c)
{
    g_autofree char *query = g_strdup_printf("limits %s %" PRIu64, c->node, c->conn);
    bool fine;
    g_autofree char *text = steptimeline_ask(s->timeline, query, &fine);

    if (fine && *text)
        stepsession_say(s, "  now:    %s\n", text);
}

static void tell(StepSession *s, const Change *c)
{
    const Rule rule = rule_of(c);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s, connection %" PRIu64 " (%s", c->node, c->conn, c->controller);
    if (strcmp(c->style, "linux") != 0)
        g_string_append_printf(out, ", recovery as %s", c->style);
    g_string_append_printf(out, "): cwnd ");
    if (c->has_old && c->old.cwnd != c->new.cwnd)
        g_string_append_printf(out, "%" PRIu64 " -> ", c->old.cwnd);
    g_string_append_printf(out, "%" PRIu64 " packets", c->new.cwnd);
    if (c->new.ssthresh) { /* tcp.recovery does not tell it */
        g_string_append(out, ", ssthresh ");
        if (c->has_old && c->old.ssthresh && c->old.ssthresh != c->new.ssthresh) {
            append_ssthresh(out, c->old.ssthresh);
            g_string_append(out, " -> ");
        }
        append_ssthresh(out, c->new.ssthresh);
    }
    g_string_append(out, ", state ");
    if (c->has_old && strcmp(c->old.ca_state, c->new.ca_state) != 0)
        g_string_append_printf(out, "%s -> ", c->old.ca_state);
    g_string_append(out, c->new.ca_state);
    if (c->new.inflight)
        g_string_append_printf(out, ", in flight %" PRIu64, c->new.inflight);
    g_string_append_c(out, '\n');
    g_string_append_printf(out, "  rule:   %s\n  source: %s\n  Linux:  %s\n", rule.what, rule.law, rule.code);
    stepsession_say(s, "%s", out->str);
    g_string_free(out, TRUE);
    tell_limits(s, c);
    stepsession_say(s, "  in event #%" PRIu64 " ('goto #%" PRIu64 ".%" PRIu64 "'):\n", c->new.pos.event,
                    c->new.pos.event, c->new.pos.record);
    for (const char *line = c->lines; line && *line;) {
        size_t len = strcspn(line, "\n");

        stepsession_say(s, "      %.*s\n", (int)len, line);
        line += len + (line[len] != 0);
    }
}

StepResult stepwhy_cwnd(StepSession *s, const StepLine *l, char **error)
{
    StepPlan plan = {.node = UINT32_MAX};
    Change c = {.has_old = false};
    StepEvent event;

    if (l->n > 2 && !stepsession_node(s, l->word[2], &plan.node, error))
        return STEP_WRONG;
    if (l->n > 3)
        plan.number = g_ascii_strtoull(l->word[3], NULL, 10);
    if (!find_change(s, plan, &c, error))
        return STEP_WRONG;
    c.controller = ask_text(s, c.new.pos, "controller", c.node, c.conn);
    c.style = ask_text(s, c.new.pos, "style", c.node, c.conn);
    if (!steptimeline_event(s->timeline, c.new.pos.event, &event, &c.lines))
        c.lines = NULL;
    read_counters(s, &c);
    tell(s, &c);
    g_free(c.controller);
    g_free(c.style);
    g_free(c.lines);
    return STEP_FINE;
}
