/* Runs what a script does (packets to the stack, calls, commands) and writes down what the stack did,
 * whatever the script expects. With a kernel behind it a script of mere stimuli becomes a test that tells the
 * truth; with two stacks, two traces to compare.
 *
 * Timestamps: the stack's first TS val is the script's first outbound one, or 100; an inbound ecr is a number
 * on that scale. */
#pragma once

#include <glib.h>

#include "packetdrill/pd_packet.h"
#include "packetdrill/pd_run.h"

typedef struct StimuliItem {
    int64_t at_us;
    int64_t end_us;       /* a call that slept: when it returned; else -1 */
    const PdEvent *event; /* NULL: a packet that the stack sent */
    PdSeen seen;          /* with the script's numbers */
    bool with_ports;      /* --many_connections */
    bool is_as_written;   /* a call whose result is the script's */
    bool is_asleep;       /* a call that did not return */
    PdResult result;
    char *note;       /* NULL: nothing to remark */
    char *output;     /* of a command */
    GPtrArray *facts; /* a code block: "tcpi_snd_cwnd", "10", … for the names in it */
} StimuliItem;

/* Items in order of time. NULL and *error: the script cannot be run. tail_us: how long to listen after the
 * last event. */
GPtrArray *stimuli_run(const PdScript *script, const PdConfig *config, const PdStackOps *ops, void *user,
                       int64_t tail_us, char **error);
