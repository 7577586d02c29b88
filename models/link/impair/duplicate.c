/* Duplication: a frame arrives more than once.
 *
 * Without a gap the copies arrive right behind the frame, ahead of later frames; with one, each copy arrives
 * that much after the one before it, and other frames pass it. Random numbers: one for each frame. */
#include <glib.h>

#include "models/link/impair.h"

enum { PROBABILITY, COPIES, GAP };

#define COPIES_MAX 1000

typedef struct Duplicate {
    Impair im;
    uint64_t probability;
    unsigned copies;
    SimTime gap;
} Duplicate;

static bool duplicate_init(Impair *im, const ImpairValue *values, char **error)
{
    Duplicate *d = (Duplicate *)im;

    if (!values[PROBABILITY].set) {
        *error = g_strdup("duplicate: the probability is missing (expected probability = 0 to 1)");
        return false;
    }
    if (values[COPIES].set && (values[COPIES].number < 1 || values[COPIES].number > COPIES_MAX)) {
        *error =
            g_strdup_printf("duplicate: copies = %" G_GINT64_FORMAT " is out of range (expected 1 to %d)",
                            values[COPIES].number, COPIES_MAX);
        return false;
    }
    d->copies = values[COPIES].set ? (unsigned)values[COPIES].number : 1;
    d->gap = values[GAP].number;
    return rng_threshold(values[PROBABILITY].ratio, &d->probability);
}

static void duplicate_apply(Impair *im, const ImpairFrame *f, ImpairVerdict *v)
{
    const Duplicate *d = (const Duplicate *)im;

    if (!rng_chance(im->rng, d->probability))
        return;
    im->hits++;
    v->copies += d->copies;
    v->copy_gap = HS_MAX(v->copy_gap, d->gap);
}

const ImpairOps impair_duplicate_ops = {
    .name = "duplicate",
    .help = "lets frames arrive more than once",
    .size = sizeof(Duplicate),
    .params = (const ImpairParam[]){{"probability", IMPAIR_RATIO, "probability that a frame is duplicated"},
                                    {"copies", IMPAIR_COUNT, "extra copies of such a frame (1)"},
                                    {"gap", IMPAIR_TIME, "time between a copy and the one before it (0)"},
                                    {NULL}},
    .init = duplicate_init,
    .apply = duplicate_apply,
};
