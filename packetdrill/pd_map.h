/* Between the numbers of a script and those on the wire (section 6 of the language): initial sequence
 * numbers, timestamps, flow labels. Nothing here knows packets' bytes or the stack. */
#pragma once

#include <glib.h>

#include "packetdrill/pd_ast.h"

typedef struct PdTsPair {
    uint32_t script, live;
} PdTsPair;

typedef struct PdMap {
    uint32_t remote_isn; /* from the script, verbatim; 0 until known */
    bool has_local;
    uint32_t script_isn, live_isn; /* of the stack: as the script writes it, as it was */
    GArray *ts;                    /* of PdTsPair, newest last */
    bool has_flow_label;
    uint32_t script_flow_label, live_flow_label;
} PdMap;

void pd_map_init(PdMap *m);
void pd_map_clear(PdMap *m);

void pd_map_learn_remote(PdMap *m, uint32_t isn);
void pd_map_learn_local(PdMap *m, uint32_t script_isn, uint32_t live_isn);

/* Live number of the stack's sequence space; `syn`: in a packet with SYN. */
uint32_t pd_map_local_to_live(const PdMap *m, uint32_t script, bool syn);
uint32_t pd_map_local_to_script(const PdMap *m, uint32_t live, bool syn);
uint32_t pd_map_remote_to_live(const PdMap *m, uint32_t script, bool syn);
uint32_t pd_map_remote_to_script(const PdMap *m, uint32_t live, bool syn);

/* Remembers an outbound TS val. */
void pd_map_learn_ts(PdMap *m, uint32_t script, uint32_t live);
bool pd_map_has_ts(const PdMap *m);
/* first_script + (live - first_live); the live value while nothing is known. */
uint32_t pd_map_ts_to_script(const PdMap *m, uint32_t live);
/* The live value of an inbound ecr; false: never seen as an outbound val. scaled: by its distance. */
bool pd_map_ecr_to_live(const PdMap *m, uint32_t script, bool scaled, uint32_t *live);

/* Script numbers to live ones, for an inbound segment: seq, ack, SACK blocks, ecr. false: no live ecr is
 * known for *bad_ecr. options: p->n_options places to write to. */
bool pd_map_inbound(const PdMap *m, const PdTcp *p, bool ecr_scaled, PdTcp *out, PdTcpOption *options,
                    uint32_t *bad_ecr);

/* 0 in a script means nothing. A label that is new is bound; false: it breaks the binding. */
bool pd_map_flow_label(PdMap *m, uint32_t script, uint32_t live);
