/* Named streams of random numbers.
 *
 * A stream is keyed by (seed, node name, purpose), never by order of creation: adding a host, a link or an
 * observer does not shift anybody else's draws. The generator is xoshiro256** (D. Blackman, S. Vigna,
 * "Scrambled linear pseudorandom number generators", 2018): period 2^256 - 1, passes the usual test
 * batteries. Its 256 bits of state come from SipHash over the names, keyed with the seed.
 *
 * Everything here is integers or exact scaling by powers of two, thus the same everywhere. Distributions:
 * dist.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/base.h"

typedef struct Rng {
    uint64_t s[4];
} Rng;

/* node is the node's name ("" for the simulation as a whole), purpose says what the draws decide ("isn",
 * "loss:0"). */
void rng_init(Rng *rng, uint64_t seed, const char *node, const char *purpose);

/* Turns a probability into a threshold for rng_chance: p = 0 never happens, p = 1 always does, and between
 * them the chance is p cut to 64 binary places (at least 2^-64). False, and out untouched, unless 0 <= p
 * <= 1. */
bool rng_threshold(double p, uint64_t *out) HS_MUST_USE;

/* A hash of the state, for the "unseed": two runs that drew differently differ here. Draws nothing. */
uint64_t rng_hash(const Rng *rng);

static inline uint64_t rng_next(Rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t x = s[1] * 5;
    uint64_t result = (x << 7 | x >> 57) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}

uint64_t rng_below_slow(Rng *rng, uint64_t n, uint64_t first);

/* Uniform in [0, n), n > 0, without bias: usually one draw, more with a probability below n / 2^64
 * (D. Lemire, "Fast random integer generation in an interval", 2019). */
static inline uint64_t rng_below(Rng *rng, uint64_t n)
{
    __extension__ typedef unsigned __int128 U128;
    uint64_t x = rng_next(rng);
    U128 m = (U128)x * n;

    if (HS_UNLIKELY((uint64_t)m < n))
        return rng_below_slow(rng, n, x);
    return (uint64_t)(m >> 64);
}

/* Uniform in [lo, hi], both included; lo <= hi. */
static inline int64_t rng_range(Rng *rng, int64_t lo, int64_t hi)
{
    uint64_t width = (uint64_t)hi - (uint64_t)lo + 1;

    hs_assert(lo <= hi);
    return (int64_t)((uint64_t)lo + (width == 0 ? rng_next(rng) : rng_below(rng, width)));
}

/* Uniform in [0, 1): a multiple of 2^-53, one draw. */
static inline double rng_unit(Rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

/* Always exactly one draw, so that changing a probability (even to 0 or 1) does not shift the stream. */
static inline bool rng_chance(Rng *rng, uint64_t threshold)
{
    uint64_t x = rng_next(rng);

    return (x < threshold) | (threshold == UINT64_MAX);
}
