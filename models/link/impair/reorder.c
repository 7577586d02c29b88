/* Reordering: some frames take longer, and those behind them overtake.
 *
 * A frame is delayed by `delay` with the given probability; with `every` = n only each n-th frame is a
 * candidate (and the probability defaults to 1, so that exactly these are delayed). Linux netem says it the
 * other way round: there all frames are delayed and the chosen ones are sent at once; the order in which
 * frames arrive is the same kind.
 *
 * Random numbers: one for each frame, also for those that are no candidates. */
#include <glib.h>

#include "models/link/impair.h"

enum { PROBABILITY, EVERY, DELAY };

typedef struct Reorder {
    Impair im;
    uint64_t probability, every;
    SimTime delay;
} Reorder;

static bool reorder_init(Impair *im, const ImpairValue *values, char **error)
{
    Reorder *r = (Reorder *)im;

    if (!values[PROBABILITY].set && !values[EVERY].set) {
        *error = g_strdup("reorder: expected a probability, or every = n for each n-th frame, or both");
        return false;
    }
    if (values[EVERY].set && values[EVERY].number < 1) {
        *error = g_strdup("reorder: every = 0 makes no sense (expected 1 or more)");
        return false;
    }
    if (!values[DELAY].set || values[DELAY].number == 0) {
        *error = g_strdup("reorder: the delay is missing (expected how much later the chosen frames arrive)");
        return false;
    }
    r->every = values[EVERY].set ? (uint64_t)values[EVERY].number : 1;
    r->delay = values[DELAY].number;
    return rng_threshold(values[PROBABILITY].set ? values[PROBABILITY].ratio : 1, &r->probability);
}

static void reorder_apply(Impair *im, const ImpairFrame *f, ImpairVerdict *v)
{
    const Reorder *r = (const Reorder *)im;

    if (!rng_chance(im->rng, r->probability) || f->nth % r->every)
        return;
    im->hits++;
    v->delay += r->delay;
    v->may_overtake = true;
}

const ImpairOps impair_reorder_ops = {
    .name = "reorder",
    .help = "delays some frames, so that later ones overtake them",
    .size = sizeof(Reorder),
    .params = (const ImpairParam[]){{"probability", IMPAIR_RATIO, "probability that a frame is delayed"},
                                    {"every", IMPAIR_COUNT, "only each n-th frame may be"},
                                    {"delay", IMPAIR_TIME, "how much later it arrives"},
                                    {NULL}},
    .init = reorder_init,
    .apply = reorder_apply,
};
