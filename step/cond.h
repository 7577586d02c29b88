/* Conditions: Lua expressions about the record that was just emitted and the hosts' state, such as
 *
 *     tcp.flags.syn and src == "client"
 *     counter("server", "TcpExtListenOverflows") > 0
 *
 * They run in a Lua state of their own, never in the scenario's, and see copies only, so that they cannot
 * change anything. An expression that names something of a record is asked behind each record; any other one
 * before each event.
 *
 * Names of a record: probe, node, point, time, src and dst (hosts' names where they are known), payload
 * (bytes behind the last header), the record's fields (cwnd, reason, new …), and the headers of its packet:
 * eth, arp, ip, tcp … with the fields that `dissect` knows. What a record does not have is nil, and an
 * expression that stumbles over that does not hold. Elsewhere: now (seconds), event, counter(host, name),
 * info(host [, nth connection]), which is a table of tcp_info, and Lua's own library. */
#pragma once

#include "models/node/net.h"
#include "sim/trace/probe.h"

typedef struct StepCond StepCond;
typedef struct StepExpr StepExpr;

StepCond *stepcond_new(Net *net);
void stepcond_free(StepCond *c); /* and its expressions */

/* An expression ran into a limit: nothing can be evaluated any more. */
bool stepcond_is_spent(const StepCond *c);

/* NULL and *error (for g_free). The expression lives as long as the StepCond, or until stepcond_forget. */
StepExpr *stepcond_compile(StepCond *c, const char *text, char **error);
void stepcond_forget(StepExpr *e); /* NULL is allowed */
bool stepexpr_is_of_record(const StepExpr *e);

/* Does it hold? r NULL: there is no record. An error other than a missing value sets *error if that is
 * NULL. */
bool stepcond_holds(StepExpr *e, const ProbeRecord *r, char **error);
/* Its value as text (for g_free); NULL and *error. */
char *stepcond_text(StepExpr *e, const ProbeRecord *r, char **error);
