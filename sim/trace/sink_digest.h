/* The digest of a run, in three grades (docs/determinism.md says exactly what is hashed):
 *
 *   frames   every frame that was put on a wire, and every one that was dropped
 *   state    frames, and every other record of the probe bus but arrivals
 *   events   state, and every executed event
 *
 * Each node has hashes of its own, combined at the end in the order of the nodes; executed events are summed.
 * So the digest does not depend on how events of different nodes are interleaved, and an engine that runs
 * them in parallel gives the same one. */
#pragma once

#include "sim/base/hash64.h"
#include "sim/engine/sim.h"
#include "sim/trace/probe.h"

typedef struct SinkDigest SinkDigest;

/* "digest frames=" … with three times 32 digits. */
#define SINK_DIGEST_LINE_LEN 136

SinkDigest *sink_digest_new(Sim *sim, Probes *probes);
/* Detaches itself. NULL is allowed. */
void sink_digest_free(SinkDigest *d);

/* For Partition.on_event, with the SinkDigest as user; the caller sets it, because there is only one such
 * place. */
void sink_digest_on_event(void *user, SimTime time, uint64_t key);

/* The value so far. */
typedef struct SinkDigestValue {
    char frames[HASH64_HEX_LEN], state[HASH64_HEX_LEN], events[HASH64_HEX_LEN];
} SinkDigestValue;
void sink_digest_get(const SinkDigest *d, SinkDigestValue *value);
/* "digest frames=<32 hex> state=<32 hex> events=<32 hex>" into buf; returns buf. */
char *sink_digest_line(const SinkDigest *d, char buf[SINK_DIGEST_LINE_LEN]);
