/* Sequence numbers that begin at 0, as people count them: remembers with which number each direction of a
 * connection began, by the SYNs that were sent. */
#pragma once

#include <glib.h>

#include "sim/trace/probe.h"

typedef struct StepSeqs StepSeqs;

StepSeqs *stepseqs_new(void);
/* To be called with every record. */
void stepseqs_look(StepSeqs *s, const ProbeRecord *r);
/* Rewrites the numbers in a line about that packet ("seq 12:20", "ack 7", "{3:4}"), from byte `from` on; they
 * stay as they are where the beginning was not seen. */
void stepseqs_rewrite(const StepSeqs *s, const ProbeRecord *r, GString *line, gsize from);
/* Of a packet's own direction, or of the other one; false: not known. */
bool stepseqs_packet(const StepSeqs *s, const ProbeRecord *r, bool is_back, uint32_t *isn);
/* Of the connection that a tcp.* record names; false: not known. */
bool stepseqs_conn(const StepSeqs *s, const ProbeRecord *r, uint32_t *isn);
