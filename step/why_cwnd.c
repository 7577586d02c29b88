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

typedef struct Change {
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

static void read_window(StepSession *s, StepPos pos, Window *w)
{
    w->pos = pos;
    w->cwnd = number_at(s, pos, "cwnd");
    w->ssthresh = number_at(s, pos, "ssthresh or 0");
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

/* The last record of all, the last one with another window, and the first one behind that. */
static bool find_change(StepSession *s, StepPlan plan, Change *c, char **error)
{
    StepPos here = steptimeline_here(s->timeline)->pos, last, old;
    g_autofree char *watches = NULL;

    here.record++; /* a record that we stand behind counts */
    plan.scan = STEP_SCAN_CWND;
    plan.count = 1;
    plan.other = UINT64_MAX;
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
    c->has_old = find(s, &plan, last, &old, error);
    if (*error)
        return false;
    if (!c->has_old) { /* it has never been another one: the first record tells */
        read_window(s, last, &c->new);
        return true;
    }
    read_window(s, old, &c->old);
    watches = g_strdup_printf("0 c (probe == \"tcp.cwnd\" or probe == \"tcp.recovery\") and node == \"%s\" "
                              "and conn == %" PRIu64 "\n",
                              c->node, c->conn);
    read_window(s, steptimeline_next(s->timeline, old, watches), &c->new);
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

static Rule rule_of(const Change *c)
{
    if (!c->has_old)
        return (Rule){"the initial window: it has not changed since", "RFC 6928 (10 packets)",
                      "tcp_init_cwnd"};
    if (says(c, "what=undo"))
        return (Rule){
            "the reduction was undone: the packets that were taken for lost had arrived all the same",
            "RFC 4015, RFC 5682 (F-RTO), RFC 3708 (D-SACK)", "tcp_undo_cwnd_reduction"};
    if (was(&c->new, "loss") && c->new.cwnd < c->old.cwnd)
        return (Rule){"a retransmission timeout: everything in flight counts as lost, ssthresh is reduced, "
                      "and the window "
                      "begins again with one packet more than is in flight",
                      "RFC 5681 3.1 (equation 4, loss window), RFC 6298 5", "tcp_enter_loss"};
    if (was(&c->new, "recovery") || was(&c->new, "cwr"))
        return in_recovery(c);
    if (was(&c->old, "recovery") || was(&c->old, "cwr"))
        return (Rule){
            "recovery is over: all that was outstanding when it began is acknowledged, and the window is "
            "ssthresh",
            "RFC 5681 3.2 (step 6), RFC 6675 5, RFC 9937", "tcp_end_cwnd_reduction"};
    if (c->new.cwnd < c->old.cwnd)
        return (Rule){"the window had not been used: it is halved for each timeout of silence, or brought "
                      "nearer to what "
                      "the application filled",
                      "RFC 5681 4.1, RFC 2861", "tcp_cwnd_restart, tcp_cwnd_application_limited"};
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

static void tell(StepSession *s, const Change *c)
{
    const Rule rule = rule_of(c);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "%s, connection %" PRIu64 " (%s", c->node, c->conn, c->controller);
    if (strcmp(c->style, "linux") != 0)
        g_string_append_printf(out, ", recovery as %s", c->style);
    g_string_append_printf(out, "): cwnd ");
    if (c->has_old)
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
    g_string_append_printf(out, "  in event #%" PRIu64 " ('goto #%" PRIu64 ".%" PRIu64 "'):\n",
                           c->new.pos.event, c->new.pos.event, c->new.pos.record);
    stepsession_say(s, "%s", out->str);
    g_string_free(out, TRUE);
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
    tell(s, &c);
    g_free(c.controller);
    g_free(c.style);
    g_free(c.lines);
    return STEP_FINE;
}
