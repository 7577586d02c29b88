/* Bernoulli loss: each frame is lost with the same probability, independently of all others.
 *
 * Random numbers: one for each frame, whatever comes of it. */
#include <glib.h>

#include "models/link/impair.h"

enum { LOSS };

typedef struct Bernoulli {
    Impair im;
    uint64_t loss;
} Bernoulli;

static bool bernoulli_init(Impair *im, const ImpairValue *values, char **error)
{
    Bernoulli *b = (Bernoulli *)im;

    if (!values[LOSS].set) {
        *error = g_strdup("bernoulli: the loss ratio is missing (expected loss = 0 to 1)");
        return false;
    }
    return rng_threshold(values[LOSS].ratio, &b->loss);
}

static void bernoulli_apply(Impair *im, const ImpairFrame *f, ImpairVerdict *v)
{
    if (!rng_chance(im->rng, ((Bernoulli *)im)->loss))
        return;
    im->hits++;
    v->drop = DROP_LOSS;
}

const ImpairOps impair_bernoulli_ops = {
    .name = "bernoulli",
    .help = "loses each frame with the same probability",
    .size = sizeof(Bernoulli),
    .params = (const ImpairParam[]){{"loss", IMPAIR_RATIO, "probability that a frame is lost"}, {NULL}},
    .init = bernoulli_init,
    .apply = bernoulli_apply,
};
