/* The digest hash: fast, well mixed, the same on every machine; not cryptographic (somebody who tries can
 * make two runs collide; an accidental difference goes unnoticed with a probability of about 2^-64).
 *
 * State is 128 bits. The mixing step is the 64 x 64 -> 128 bit product with its halves XORed, as in the
 * wyhash and MUM families. Bytes are read as little-endian.
 *
 * Each call is one record: its length goes into the hash, and "ab" then "c" differs from "abc" in one call.
 * That spares a buffer between calls and frames the fields of a digest by themselves. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sim/base/base.h"

typedef struct Hash64 {
    uint64_t a, b;
} Hash64;

/* Odd constants: binary digits of the square roots of 2, 3, 5 and 7 after the point. */
#define HASH64_K1 0x6a09e667f3bcc909ULL
#define HASH64_K2 0xbb67ae8584caa73bULL
#define HASH64_K3 0x3c6ef372fe94f82bULL
#define HASH64_K4 0xa54ff53a5f1d36f1ULL

static inline uint64_t hash64_fold(uint64_t x, uint64_t y)
{
    __extension__ typedef unsigned __int128 U128;
    U128 p = (U128)x * y;

    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t hash64_read64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(v) : v;
}

static inline uint64_t hash64_read32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(v) : v;
}

/* Both halves of the state see both words: where one product has a zero factor and forgets, the other
 * remembers. */
static inline void hash64_inject(Hash64 *h, uint64_t x, uint64_t y)
{
    uint64_t a = hash64_fold(h->a ^ x, y ^ HASH64_K1) ^ h->b;

    h->b = hash64_fold(h->b ^ y, x ^ HASH64_K2) + h->a;
    h->a = a;
}

static inline void hash64_init(Hash64 *h, uint64_t seed)
{
    *h = (Hash64){HASH64_K3, HASH64_K4};
    hash64_inject(h, seed, 0);
}

static inline void hash64_u64(Hash64 *h, uint64_t v)
{
    hash64_inject(h, v, HASH64_K3);
}

void hash64_update_long(Hash64 *h, const uint8_t *p, size_t n);

static inline void hash64_update(Hash64 *h, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t x = n * HASH64_K4, y = 0;

    if (n > 16) {
        hash64_update_long(h, p, n);
        return;
    }
    /* Two reads that may overlap cover every length. */
    if (n >= 8) {
        x += hash64_read64(p);
        y = hash64_read64(p + n - 8);
    } else if (n >= 4) {
        x += hash64_read32(p);
        y = hash64_read32(p + n - 4);
    } else if (n > 0) {
        x += (uint64_t)p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
    }
    hash64_inject(h, x, y);
}

/* The value so far; h can go on being fed. */
void hash64_final(const Hash64 *h, uint64_t out[2]);

/* One half of it, where 64 bits are enough. */
uint64_t hash64_final64(const Hash64 *h);

/* 32 hexadecimal digits. Returns buf. */
#define HASH64_HEX_LEN 33
char *hash64_hex(const Hash64 *h, char buf[HASH64_HEX_LEN]);
