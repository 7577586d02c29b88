#include "sim/base/hash64.h"

#include <inttypes.h>
#include <stdio.h>

/* Four independent lanes of 16 bytes keep the multiplier busy; a chain through one would wait for each
 * product. Adding lane + y keeps both when the product forgets them because x happens to equal k. */
static inline uint64_t lane_step(uint64_t lane, const uint8_t *p, uint64_t k)
{
    uint64_t x = hash64_read64(p), y = hash64_read64(p + 8);

    return hash64_fold(x ^ k, y ^ lane) ^ (lane + y);
}

void hash64_update_long(Hash64 *h, const uint8_t *p, size_t n)
{
    Hash64 s = *h;
    size_t left = n;

    s.a += n * HASH64_K4;
    if (left >= 64) {
        uint64_t l0 = s.a ^ HASH64_K1, l1 = s.b ^ HASH64_K2, l2 = s.a ^ HASH64_K3, l3 = s.b ^ HASH64_K4;

        do {
            l0 = lane_step(l0, p, HASH64_K1);
            l1 = lane_step(l1, p + 16, HASH64_K2);
            l2 = lane_step(l2, p + 32, HASH64_K3);
            l3 = lane_step(l3, p + 48, HASH64_K4);
            p += 64;
            left -= 64;
        } while (left >= 64);
        hash64_inject(&s, l0, l1);
        hash64_inject(&s, l2, l3);
    }
    for (; left > 16; left -= 16, p += 16)
        hash64_inject(&s, hash64_read64(p), hash64_read64(p + 8));
    /* The last 16 bytes, again in part if need be: n > 16 makes them readable. */
    if (left > 0)
        hash64_inject(&s, hash64_read64(p + left - 16), hash64_read64(p + left - 8));
    *h = s;
}

void hash64_final(const Hash64 *h, uint64_t out[2])
{
    Hash64 s = *h;

    for (int i = 0; i < 3; i++)
        hash64_inject(&s, HASH64_K2, HASH64_K4);
    out[0] = s.a;
    out[1] = s.b;
}

uint64_t hash64_final64(const Hash64 *h)
{
    uint64_t v[2];

    hash64_final(h, v);
    return v[0];
}

char *hash64_hex(const Hash64 *h, char buf[HASH64_HEX_LEN])
{
    uint64_t v[2];

    hash64_final(h, v);
    snprintf(buf, HASH64_HEX_LEN, "%016" PRIx64 "%016" PRIx64, v[0], v[1]);
    return buf;
}
