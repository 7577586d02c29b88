/* Questions about the state at the place where the run stands, answered as text: what a host's own commands
 * would print, and what is behind a name. Runs in a copy of the process (step/backend_serve.c), so that
 * looking changes nothing.
 *
 *     nodes                    hosts, routers, switches and what joins them
 *     host NAME (or NAME), socket HOST [N], queue [PLACE], nat, packet
 *     names hosts|places|shell|counters HOST, node NAME, id HOST   for completion and for plans
 *     on HOST ss -ti | netstat -s | ip addr | ip route | ip neigh | ip -s link | arp -a | sysctl NAME …
 *     print EXPRESSION         step/cond.h
 *     check LINES              conditions (step/watch.h): is there anything wrong with them?
 *     state                    a fingerprint of everything, for tests and for `digest` */
#pragma once

#include <glib.h>

#include "lua/scenario.h"
#include "sim/trace/sink_digest.h"
#include "step/cond.h"
#include "step/position.h"
#include "step/seqs.h"

typedef struct StepInspect {
    Scenario *scenario;
    Net *net; /* NULL: the scenario came to nothing */
    StepCond *cond;
    const SinkDigest *digest;  /* NULL: not asked for */
    const ProbeRecord *record; /* where it stands behind one; else NULL */
    const StepSeqs *seqs;
    StepPos pos;
    bool is_ended;
} StepInspect;

/* Appends the answer, or what is wrong with the question (false). */
bool stepinspect(const StepInspect *w, const char *query, GString *out);

/* ---- for the files inspect_*.c ---- */

/* word[0] is the command; n words, NULL behind. */
bool stepinspect_host(const StepInspect *w, Host *h, GString *out);                 /* inspect_host.c */
bool stepinspect_shell(Host *h, const char *const *word, unsigned n, GString *out); /* inspect_shell.c */
unsigned stepinspect_shell_names(const char **out, unsigned max);                   /* likewise */
bool stepinspect_socket(Host *h, unsigned nth, GString *out);                       /* inspect_ss.c */
bool stepinspect_queue(const StepInspect *w, const char *place, GString *out);      /* inspect_link.c */
void stepinspect_link(const NetLink *l, GString *out);                              /* inspect_link.c */
bool stepinspect_packet(const StepInspect *w, GString *out);                        /* inspect_packet.c */
void stepinspect_state(const StepInspect *w, GString *out);                         /* inspect_state.c */
