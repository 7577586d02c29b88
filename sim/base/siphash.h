/* SipHash-2-4 with a 64-bit result (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF",
 * 2012). For keyed hashes that must not be guessable or must be well spread: seeds of random streams, initial
 * sequence numbers, flow hashes. The digest of a run uses the faster hash64.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct SipKey {
    uint64_t k0, k1; /* the key's 16 bytes as two little-endian words */
} SipKey;

uint64_t siphash(const SipKey *key, const void *data, size_t size);
