/* why state: what made a connection change its state last: the rule, where it is written, and the chain of
 * events that led to it. */
#include <inttypes.h>
#include <string.h>

#include "step/session_priv.h"

typedef struct Transition {
    const char *old, *new;
    const char *what, *law, *code;
} Transition;

/* "" is any state; the first one that fits counts. */
static const Transition transitions[] = {
    {"CLOSED", "LISTEN", "the application called listen(): a passive open", "RFC 9293 3.10.1",
     "inet_csk_listen_start"},
    {"CLOSED", "SYN-SENT", "the application called connect(): an active open, and the SYN is sent",
     "RFC 9293 3.10.1", "tcp_v4_connect"},
    {"CLOSED", "SYN-RECEIVED",
     "the handshake's last ACK has come: only now the listener's request becomes a socket of its own (the "
     "RFC's "
     "connection is in this state since the SYN)",
     "RFC 9293 3.10.7.2, 3.10.7.4", "tcp_check_req, tcp_v4_syn_recv_sock"},
    {"SYN-SENT", "ESTABLISHED", "a SYN came that acknowledges ours", "RFC 9293 3.10.7.3",
     "tcp_rcv_synsent_state_process"},
    {"SYN-SENT", "SYN-RECEIVED", "a SYN without an ACK came: both sides open at once",
     "RFC 9293 3.10.7.3, 3.5", "tcp_rcv_synsent_state_process"},
    {"SYN-RECEIVED", "ESTABLISHED", "our SYN is acknowledged", "RFC 9293 3.10.7.4 (check the ACK)",
     "tcp_rcv_state_process"},
    {"SYN-RECEIVED", "FIN-WAIT-1", "the application closed: a FIN is sent", "RFC 9293 3.10.4",
     "tcp_close_state"},
    {"ESTABLISHED", "FIN-WAIT-1", "the application closed, or shut down its sending side: a FIN is sent",
     "RFC 9293 3.10.4, 3.6", "tcp_close_state"},
    {"ESTABLISHED", "CLOSE-WAIT", "the other side's FIN came, and all data before it",
     "RFC 9293 3.10.7.4 (check the FIN)", "tcp_fin"},
    {"FIN-WAIT-1", "FIN-WAIT-2", "our FIN is acknowledged; the other side may still send",
     "RFC 9293 3.10.7.4 (check the ACK)", "tcp_rcv_state_process"},
    {"FIN-WAIT-1", "CLOSING", "the other side's FIN came before it acknowledged ours: both close at once",
     "RFC 9293 3.10.7.4 (check the FIN)", "tcp_fin"},
    {"FIN-WAIT-1", "TIME-WAIT", "one segment acknowledged our FIN and brought the other side's",
     "RFC 9293 3.10.7.4 (check the FIN)", "tcp_fin, tcp_time_wait"},
    {"FIN-WAIT-2", "TIME-WAIT",
     "the other side's FIN came; old segments shall die out before the addresses are used again",
     "RFC 9293 3.10.7.4 (check the FIN), 3.4.2", "tcp_fin, tcp_time_wait"},
    {"CLOSING", "TIME-WAIT", "our FIN is acknowledged", "RFC 9293 3.10.7.4 (check the ACK)",
     "tcp_rcv_state_process"},
    {"CLOSE-WAIT", "LAST-ACK", "the application closed as well: its FIN is sent", "RFC 9293 3.10.4",
     "tcp_close_state"},
    {"LAST-ACK", "CLOSED", "our FIN is acknowledged: nothing is left to do",
     "RFC 9293 3.10.7.4 (check the ACK)", "tcp_rcv_state_process"},
    {"TIME-WAIT", "CLOSED", "the time of twice a segment's life is over (60 s in Linux)",
     "RFC 9293 3.10.8, 3.4.2", "tw_timer_handler"},
    {"LISTEN", "CLOSED", "the listening socket was closed", "RFC 9293 3.10.4", "inet_csk_listen_stop"},
    {"SYN-SENT", "CLOSED",
     "the connection came to nothing: a RST refused it, an ICMP error did, it took too long, or "
     "the application gave it up (the records of the event say which)",
     "RFC 9293 3.10.7.3, 3.10.5, 3.10.8", "tcp_reset, tcp_v4_err, tcp_write_err"},
    {"", "CLOSED",
     "the connection was aborted: a RST came, it took too long, or the application did so (the records of "
     "the event say "
     "which)",
     "RFC 9293 3.10.7.4 (check the RST), 3.10.5, 3.10.8", "tcp_reset, tcp_write_err, tcp_disconnect"},
    {"", "", "an uncommon change: the records of the event tell more", "RFC 9293 3.3.2", "tcp_set_state"},
};

static const Transition *rule_of(const char *old, const char *new)
{
    const Transition *t = transitions;

    while ((*t->old && strcmp(t->old, old) != 0) || (*t->new &&strcmp(t->new, new) != 0))
        t++;
    return t;
}

static char *word_at(StepSession *s, StepPos pos, const char *name)
{
    g_autofree char *query = g_strdup_printf("print %s", name);
    bool fine;

    return g_strchomp(steptimeline_ask_at(s->timeline, pos, query, &fine));
}

StepResult stepwhy_state(StepSession *s, const StepLine *l, char **error)
{
    StepPlan plan = {.scan = STEP_SCAN_STATE, .count = 1, .node = UINT32_MAX};
    StepPos before = steptimeline_here(s->timeline)->pos;
    GArray *found;
    StepMatch m = {.node = 0};

    if (l->n > 2 && !stepsession_node(s, l->word[2], &plan.node, error))
        return STEP_WRONG;
    if (l->n > 3)
        plan.number = g_ascii_strtoull(l->word[3], NULL, 10);
    before.record++; /* a record that we stand behind counts */
    found = steptimeline_search(s->timeline, &plan, NULL, before, error);
    if (found->len)
        m = g_array_index(found, StepMatch, 0);
    else if (!*error)
        stepsession_wrong(error, "no connection has changed its state yet");
    g_array_free(found, TRUE);
    if (*error)
        return STEP_WRONG;

    g_autofree char *node = word_at(s, m.pos, "node"), *conn = word_at(s, m.pos, "conn");
    g_autofree char *old = word_at(s, m.pos, "old"), *new = word_at(s, m.pos, "new");
    const Transition *t = rule_of(old, new);
    char time[SIMTIME_STR_LEN];

    stepsession_say(s, "%s, connection %s: %s -> %s at %s s\n  rule:   %s\n  source: %s\n  Linux:  %s\n",
                    node, conn, old, new, simtime_str(m.time, time), t->what, t->law, t->code);
    return stepwhy_chain(s, m.pos, m.is_main, 2, error);
}
