/* An impairment asked about one frame after another, without a link. */
#pragma once

#include <glib.h>

#include "models/link/impair.h"

#define RATIO(x)                                                                                             \
    {                                                                                                        \
        .set = true, .ratio = (x)                                                                            \
    }
#define NUMBER(x)                                                                                            \
    {                                                                                                        \
        .set = true, .number = (x)                                                                           \
    }
#define UNSET                                                                                                \
    {                                                                                                        \
        0                                                                                                    \
    }

static inline Impair *impair_make(const char *name, const ImpairValue *values, Rng *rng)
{
    char *error = NULL;
    Impair *im = impair_new(impair_ops_by_name(name), values, &error);

    g_assert_cmpstr(error, ==, NULL);
    g_assert_nonnull(im);
    rng_init(rng, 1, "a", name);
    im->rng = rng;
    return im;
}

static inline void impair_ask(Impair *im, uint64_t nth, uint32_t len, ImpairVerdict *v)
{
    impair_verdict_init(v);
    im->ops->apply(im, &(ImpairFrame){.nth = nth, .len = len}, v);
}

static inline void impair_refuses(const char *name, const ImpairValue *values, const char *want)
{
    char *error = NULL;

    g_assert_null(impair_new(impair_ops_by_name(name), values, &error));
    g_assert_cmpstr(error, ==, want);
    g_free(error);
    g_assert_null(impair_new(impair_ops_by_name(name), values, NULL)); /* nobody needs to ask why */
}

/* How many draws took the stream from `before` to `after`. */
static inline unsigned rng_distance(Rng before, const Rng *after)
{
    for (unsigned n = 0; n < 1000; n++) {
        if (rng_hash(&before) == rng_hash(after))
            return n;
        rng_next(&before);
    }
    return 1000;
}
