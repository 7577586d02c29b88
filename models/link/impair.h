/* The contract of impairments: what a cable may do to a frame. Each kind is one file that defines
 * `const ImpairOps impair_<stem>_ops`. They are chained per direction, in the scenario's order; each sees the
 * verdict so far.
 *
 * An impairment takes facts and says what should happen; the link does it. */
#pragma once

#include "sim/base/base.h"
#include "sim/base/rng.h"
#include "sim/base/simtime.h"
#include "sim/trace/probe.h"

typedef struct Impair Impair;
typedef struct ImpairOps ImpairOps;

#define IMPAIR_FLIPS_MAX 32

typedef struct ImpairVerdict {
    ProbeDrop drop;    /* DROP_NONE: goes on. Later impairments are not asked about a dropped frame */
    SimTime delay;     /* extra propagation delay, added up */
    bool may_overtake; /* the extra delay may reorder (otherwise later frames wait behind this one) */
    unsigned copies;   /* extra copies, each delivered copy_gap after the one before */
    SimTime copy_gap;
    bool fcs_fixed;   /* the corruption happened where a device computed the FCS afterwards: only upper
                         checksums catch it */
    unsigned n_flips; /* bits to invert: see impair_flip */
    uint32_t flip[IMPAIR_FLIPS_MAX];
} ImpairVerdict;

static inline void impair_verdict_init(ImpairVerdict *v)
{
    v->drop = DROP_NONE;
    v->delay = v->copy_gap = 0;
    v->may_overtake = v->fcs_fixed = false;
    v->copies = v->n_flips = 0;
}

/* Inverts a bit of the frame (bit 0: the top bit of the first byte; taken modulo the frame's length). More
 * than IMPAIR_FLIPS_MAX are left alone: the frame is rotten already. */
static inline void impair_flip(ImpairVerdict *v, uint32_t bit)
{
    if (v->n_flips < IMPAIR_FLIPS_MAX)
        v->flip[v->n_flips++] = bit;
}

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
    bool set;             /* false: the rest is zero */
    double ratio;         /* RATIO, BOOL */
    int64_t number;       /* TIME, COUNT */
    const uint64_t *list; /* LIST: ascending, borrowed during init */
    size_t list_len;
} ImpairValue;

struct ImpairOps {
    const char *name; /* "bernoulli" */
    const char *help;
    size_t size;               /* of the impairment's struct, Impair first */
    const ImpairParam *params; /* ends with a NULL name */
    /* Values are in range already (impair_new): ratios 0 to 1, times and counts >= 0, lists not empty. */
    bool (*init)(Impair *im, const ImpairValue *values, char **error); /* values[i] belongs to params[i] */
    void (*clear)(Impair *im);                                         /* NULL: nothing to release */
    void (*apply)(Impair *im, const ImpairFrame *f, ImpairVerdict *v);
};

struct Impair {
    const ImpairOps *ops;
    Impair *next;
    Rng *rng; /* the sending node's stream "<port>/<name>#<n>", its n-th of that kind; set before the first
                 apply */
    uint64_t hits; /* frames that it did something to */
};

#define IMPAIR_PARAMS_MAX 8

/* NULL and *error (a g_malloc'ed sentence): a value out of range or missing. */
Impair *impair_new(const ImpairOps *ops, const ImpairValue *values, char **error);
void impair_free(Impair *im);
const ImpairOps *impair_ops_by_name(const char *name);
/* All kinds, sorted by name, NULL at the end (generated from this folder's build list). */
extern const ImpairOps *const impair_ops_table[];
extern const unsigned impair_ops_table_len;
