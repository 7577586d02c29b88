/* A record of the probe bus as one line for people:
 *
 *     0.001000576  client:eth0     sends     10.0.0.2.32768 > 10.0.1.2.80: Flags [S], …
 *     0.041003456  client          tcp.state SYN_SENT -> ESTABLISHED …
 */
#pragma once

#include <glib.h>

#include "sim/trace/probe.h"
#include "step/plan.h"
#include "step/seqs.h"

/* No line end. seqs: TCP's sequence numbers begin at 0; NULL: as they are. */
void steprecord_line(GString *out, const ProbeRecord *r, const StepSeqs *seqs);
/* Without the time. */
void steprecord_text(GString *out, const ProbeRecord *r, const StepSeqs *seqs);
bool steprecord_is(const ProbeRecord *r, StepUnit unit);
/* The packet in one line. */
void steprecord_summary(GString *out, const ProbeRecord *r);
/* A field's value by its name; NULL: the record has none of that name. */
const ProbeValue *steprecord_value(const ProbeRecord *r, const char *field);
