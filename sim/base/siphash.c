/* Straight from the paper's section 2; bytes are read as little-endian whatever the machine. */
#include "sim/base/siphash.h"

#include <stdbool.h>

static uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] = rotl(v[2], 32);
    }
}

static uint64_t read_le(const uint8_t *p, size_t n)
{
    uint64_t w = 0;

    for (size_t i = 0; i < n; i++)
        w |= (uint64_t)p[i] << (8 * i);
    return w;
}

uint64_t siphash(const SipKey *key, const void *data, size_t size)
{
    const uint8_t *p = data;
    size_t left = size;
    /* The paper's constants spell "somepseudorandomlygeneratedbytes". */
    uint64_t v[4] = {key->k0 ^ 0x736f6d6570736575ULL, key->k1 ^ 0x646f72616e646f6dULL,
                     key->k0 ^ 0x6c7967656e657261ULL, key->k1 ^ 0x7465646279746573ULL};

    for (;;) {
        bool last = left < 8;
        uint64_t w = last ? read_le(p, left) | (uint64_t)size << 56 : read_le(p, 8);

        v[3] ^= w;
        rounds(v, 2);
        v[0] ^= w;
        if (last)
            break;
        p += 8;
        left -= 8;
    }
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
