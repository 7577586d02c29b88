/* Corruption: bits of the frame are inverted on the way.
 *
 * Either `probability`: a frame is hit with that probability, and then `bits` random bits of it (1) are
 * inverted, uniformly over the frame; the same bit may be drawn twice, and is then as before. Or `ber`: every
 * bit on the wire is wrong with that probability, independently, so long frames suffer more.
 *
 * Normally the receiver finds a wrong FCS. With fcs = false the damage was done inside a device that computed
 * the FCS afterwards: only the checksums of IP, UDP and TCP can notice (J. Stone, C. Partridge, "When the CRC
 * and TCP checksum disagree", SIGCOMM 2000).
 *
 * The frame is headers and payload, without preamble and FCS. Random numbers: with `probability` one for each
 * frame and one more for each inverted bit; with `ber` one for each wrong bit (the distance to the next one
 * is geometric). */
#include <glib.h>

#include "models/link/impair.h"
#include "sim/base/exactmath.h"

enum { PROBABILITY, BITS, BER, FCS };

#define GAP_MAX 0x1p62

typedef struct Corrupt {
    Impair im;
    uint64_t probability;
    unsigned bits;
    double log_right; /* ln(1 - ber); 0: not by ber */
    uint64_t gap;     /* bits that are right until the next wrong one */
    bool has_gap;
    bool fcs_fixed;
} Corrupt;

static bool corrupt_init(Impair *im, const ImpairValue *values, char **error)
{
    Corrupt *c = (Corrupt *)im;

    if (values[PROBABILITY].set == values[BER].set) {
        *error = g_strdup("corrupt: expected either a probability (of a frame) or ber (of a bit)");
        return false;
    }
    if (values[BITS].set &&
        (values[BER].set || values[BITS].number < 1 || values[BITS].number > IMPAIR_FLIPS_MAX)) {
        *error = values[BER].set ? g_strdup("corrupt: bits goes with probability, not with ber")
                                 : g_strdup_printf("corrupt: bits = %" G_GINT64_FORMAT
                                                   " is out of range (expected 1 to %d)",
                                                   values[BITS].number, IMPAIR_FLIPS_MAX);
        return false;
    }
    if (values[BER].set && values[BER].ratio > 0.5) {
        *error =
            g_strdup_printf("corrupt: ber = %.15g is out of range (expected 0 to 0.5)", values[BER].ratio);
        return false;
    }
    c->bits = values[BITS].set ? (unsigned)values[BITS].number : 1;
    c->fcs_fixed = values[FCS].set && values[FCS].ratio == 0;
    if (values[BER].set)
        c->log_right = exactmath_log1p(-values[BER].ratio);
    return rng_threshold(values[PROBABILITY].ratio, &c->probability);
}

/* How many right bits before the next wrong one: P(gap >= n) = (1 - ber)^n, by inversion. */
static void draw_gap(Corrupt *c)
{
    double u = rng_unit(c->im.rng), gap = exactmath_log1p(-u) / c->log_right;

    c->gap = gap < GAP_MAX ? (uint64_t)gap : (uint64_t)GAP_MAX;
    c->has_gap = true;
}

static void by_ber(Corrupt *c, uint64_t bits, ImpairVerdict *v)
{
    uint64_t at = 0;

    if (!c->has_gap)
        draw_gap(c);
    while (c->gap < bits - at) {
        at += c->gap;
        impair_flip(v, (uint32_t)at);
        at++;
        draw_gap(c);
    }
    c->gap -= bits - at;
}

static void corrupt_apply(Impair *im, const ImpairFrame *f, ImpairVerdict *v)
{
    Corrupt *c = (Corrupt *)im;
    unsigned before = v->n_flips;

    if (c->log_right < 0) {
        by_ber(c, (uint64_t)f->len * 8, v);
    } else if (rng_chance(im->rng, c->probability) && f->len) {
        for (unsigned i = 0; i < c->bits; i++)
            impair_flip(v, (uint32_t)rng_below(im->rng, (uint64_t)f->len * 8));
    }
    if (v->n_flips == before)
        return;
    im->hits++;
    v->fcs_fixed |= c->fcs_fixed;
}

const ImpairOps impair_corrupt_ops = {
    .name = "corrupt",
    .help = "inverts bits of frames",
    .size = sizeof(Corrupt),
    .params = (const ImpairParam[]){{"probability", IMPAIR_RATIO, "probability that a frame is hit"},
                                    {"bits", IMPAIR_COUNT, "bits inverted in such a frame (1)"},
                                    {"ber", IMPAIR_RATIO, "probability that a bit is wrong, instead of both"},
                                    {"fcs", IMPAIR_BOOL, "whether the FCS reveals it (true)"},
                                    {NULL}},
    .init = corrupt_init,
    .apply = corrupt_apply,
};
