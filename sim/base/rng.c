#include "sim/base/rng.h"

#include <string.h>
#include <glib.h>

#include "sim/base/siphash.h"

/* "hopscope" as a big-endian word: the second half of the key, counted up for each word of the state. */
#define STREAM_KEY 0x686f7073636f7065ULL

void rng_init(Rng *rng, uint64_t seed, const char *node, const char *purpose)
{
    size_t node_len = strlen(node), purpose_len = strlen(purpose);
    char small[128];
    size_t size = node_len + 1 + purpose_len;
    char *name = size <= sizeof(small) ? small : g_malloc(size);

    /* The zero byte between them keeps ("ab", "c") apart from ("a", "bc"). */
    memcpy(name, node, node_len + 1);
    memcpy(name + node_len + 1, purpose, purpose_len);
    for (int i = 0; i < 4; i++) {
        SipKey key = {seed, STREAM_KEY + (uint64_t)i};
        rng->s[i] = siphash(&key, name, size);
    }
    if (name != small)
        g_free(name);
    /* The one state that xoshiro cannot leave. */
    if ((rng->s[0] | rng->s[1] | rng->s[2] | rng->s[3]) == 0)
        rng->s[0] = 1;
}

uint64_t rng_below_slow(Rng *rng, uint64_t n, uint64_t first)
{
    __extension__ typedef unsigned __int128 U128;
    U128 m = (U128)first * n;

    hs_assert(n > 0);
    /* 2^64 mod n values of the low word are surplus; drawing again for them makes all results equally likely.
     */
    for (uint64_t surplus = -n % n; (uint64_t)m < surplus;)
        m = (U128)rng_next(rng) * n;
    return (uint64_t)(m >> 64);
}

bool rng_threshold(double p, uint64_t *out)
{
    if (!(p >= 0 && p <= 1))
        return false;
    if (p == 1) {
        /* No double below 1 comes near: the largest gives 2^64 - 2^11. */
        *out = UINT64_MAX;
    } else {
        uint64_t t = (uint64_t)(p * 0x1p64);
        *out = t == 0 && p > 0 ? 1 : t;
    }
    return true;
}

uint64_t rng_hash(const Rng *rng)
{
    const SipKey key = {STREAM_KEY, 0};
    uint8_t bytes[32];

    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(rng->s[i / 8] >> (8 * (i % 8)));
    return siphash(&key, bytes, sizeof(bytes));
}
