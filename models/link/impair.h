/* The contract of impairments: what a cable may do to a frame. Each kind is one file that defines
 * `const ImpairOps impair_<stem>_ops`. They are chained per direction, in the scenario's order; each sees the verdict so far.
 *
 * An impairment takes facts and says what should happen; the link does it. */
#pragma once

#include "sim/base/base.h"
#include "sim/base/rng.h"
#include "sim/base/simtime.h"
#include "sim/trace/probe.h"

typedef struct Impair Impair;
typedef struct ImpairOps ImpairOps;

typedef struct ImpairVerdict {
    ProbeDrop drop;      /* DROP_NONE: goes on. Later impairments are not asked about a dropped frame */
    SimTime delay;       /* extra propagation delay, added up */
    bool may_overtake;   /* the extra delay may reorder (otherwise later frames wait behind this one) */
    unsigned copies;     /* extra copies, each delivered copy_gap after the one before */
    SimTime copy_gap;
    int64_t flip_bit; /* bit to invert (see packet_flip_bit); -1: none */
    bool fcs_fixed;   /* the corruption happened where a device computed the FCS afterwards: only upper checksums catch it */
} ImpairVerdict;

typedef struct ImpairFrame { /* the facts */
    const Packet *pkt;
    uint64_t nth; /* this direction's frame number, from 1 */
    uint32_t len; /* bytes, without FCS */
    SimTime now;  /* when its first bit goes on the wire */
} ImpairFrame;

typedef struct ImpairParam {
    const char *name;
    enum { IMPAIR_RATIO, IMPAIR_TIME, IMPAIR_COUNT, IMPAIR_BOOL, IMPAIR_LIST /* of counts */ } kind;
    const char *help;
} ImpairParam;

typedef struct ImpairValue {
    bool set;
    double ratio;       /* RATIO, BOOL */
    int64_t number;     /* TIME, COUNT */
    const uint64_t *list; /* LIST: ascending, borrowed during init */
    size_t list_len;
} ImpairValue;

struct ImpairOps {
    const char *name; /* "bernoulli" */
    const char *help;
    size_t size; /* of the impairment's struct, Impair first */
    const ImpairParam *params;
    bool (*init)(Impair *im, const ImpairValue *values, char **error); /* values[i] belongs to params[i] */
    void (*clear)(Impair *im);                                        /* NULL: nothing to release */
    void (*apply)(Impair *im, const ImpairFrame *f, ImpairVerdict *v);
};

struct Impair {
    const ImpairOps *ops;
    Impair *next;
    Rng *rng; /* the stream "node/link-direction/impairment-name[#n]"; set before the first apply */
    uint64_t hits;
};

Impair *impair_new(const ImpairOps *ops, const ImpairValue *values, char **error);
void impair_free(Impair *im);
const ImpairOps *impair_ops_by_name(const char *name);
/* All kinds, sorted by name, NULL at the end (generated from models/link/impair/meson.build). */
extern const ImpairOps *const impair_ops_table[];
extern const unsigned impair_ops_table_len;
