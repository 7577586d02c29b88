/* Gilbert-Elliott loss: a Markov chain of two states (E. N. Gilbert, BSTJ 39, 1960; E. O. Elliott, BSTJ 42,
 * 1963).
 *
 *              p                      loss in state good: loss_good (1 - k), default 0
 *     good ---------> bad             loss in state bad:  loss_bad  (1 - h), default 1
 *          <---------
 *              r
 *
 * One step of the chain for each frame, as Linux netem's "loss gemodel" does it: the frame's fate is decided
 * in the state in which it finds the chain, which then moves. The chain begins in the good state. Either p
 * and r are given, or the mean burst, in frames that find the bad state (r = 1 / burst), and optionally the
 * overall ratio `loss`, from which p follows: the bad state's share of the time is p / (p + r) = (loss -
 * loss_good) / (loss_bad - loss_good).
 *
 * Random numbers: two for each frame, for the loss and for the move, whatever comes of them. */
#include <glib.h>

#include "models/link/impair.h"

enum { P, R, LOSS_GOOD, LOSS_BAD, LOSS, BURST };

typedef struct GilbertElliott {
    Impair im;
    uint64_t p, r, loss[2]; /* loss[is_bad] */
    bool is_bad;
} GilbertElliott;

static bool gilbert_elliott_init(Impair *im, const ImpairValue *values, char **error)
{
    GilbertElliott *g = (GilbertElliott *)im;
    double good = values[LOSS_GOOD].set ? values[LOSS_GOOD].ratio : 0;
    double bad = values[LOSS_BAD].set ? values[LOSS_BAD].ratio : 1;
    double p = values[P].ratio, r = values[R].ratio;

    if (values[R].set == values[BURST].set) {
        *error =
            g_strdup("gilbert_elliott: expected either r (bad to good) or burst (the mean burst in frames)");
        return false;
    }
    if (values[P].set == values[LOSS].set) {
        *error = g_strdup("gilbert_elliott: expected either p (good to bad) or loss (the overall ratio)");
        return false;
    }
    if (values[BURST].set) {
        if (values[BURST].number < 1) {
            *error = g_strdup("gilbert_elliott: burst = 0 makes no sense (expected 1 frame or more)");
            return false;
        }
        r = 1 / (double)values[BURST].number;
    }
    if (values[LOSS].set) {
        double share = (values[LOSS].ratio - good) / (bad - good);

        p = share * r / (1 - share);
        if (!(bad > good) || !(share >= 0) || !(p <= 1)) {
            *error = g_strdup_printf(
                "gilbert_elliott: loss = %.15g cannot be reached with loss_good = %.15g, loss_bad = %.15g "
                "and bursts of %.15g frames",
                values[LOSS].ratio, good, bad, 1 / r);
            return false;
        }
    }
    return rng_threshold(p, &g->p) && rng_threshold(r, &g->r) && rng_threshold(good, &g->loss[false]) &&
           rng_threshold(bad, &g->loss[true]);
}

static void gilbert_elliott_apply(Impair *im, const ImpairFrame *f, ImpairVerdict *v)
{
    GilbertElliott *g = (GilbertElliott *)im;
    bool is_lost = rng_chance(im->rng, g->loss[g->is_bad]);
    bool moves = rng_chance(im->rng, g->is_bad ? g->r : g->p);

    if (is_lost) {
        im->hits++;
        v->drop = g->is_bad ? DROP_LOSS_BURST : DROP_LOSS;
    }
    g->is_bad ^= moves;
}

const ImpairOps impair_gilbert_elliott_ops = {
    .name = "gilbert_elliott",
    .help = "loses frames in bursts: a Markov chain with a good and a bad state",
    .size = sizeof(GilbertElliott),
    .params =
        (const ImpairParam[]){{"p", IMPAIR_RATIO, "probability of going from good to bad, for each frame"},
                              {"r", IMPAIR_RATIO, "probability of going from bad to good, for each frame"},
                              {"loss_good", IMPAIR_RATIO, "probability of loss in the good state (0)"},
                              {"loss_bad", IMPAIR_RATIO, "probability of loss in the bad state (1)"},
                              {"loss", IMPAIR_RATIO, "overall loss ratio, instead of p"},
                              {"burst", IMPAIR_COUNT, "mean burst in frames, instead of r"},
                              {NULL}},
    .init = gilbert_elliott_init,
    .apply = gilbert_elliott_apply,
};
