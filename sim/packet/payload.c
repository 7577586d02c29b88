#include "sim/packet/payload.h"

#include <glib.h>
#include <string.h>

PktChunk *pktchunk_new(size_t len)
{
    hs_assert(len <= UINT32_MAX);
    PktChunk *c = g_malloc(sizeof *c + len);

    c->ref = 1;
    c->len = (uint32_t)len;
    return c;
}

PktChunk *pktchunk_new_copy(const void *p, size_t len)
{
    PktChunk *c = pktchunk_new(len);

    memcpy(c->bytes, p, len);
    return c;
}

void pktchunk_unref(PktChunk *c)
{
    if (c && --c->ref == 0)
        g_free(c);
}

void payload_fill(uint8_t *dst, uint64_t off, size_t len)
{
    unsigned v = (unsigned)(off % PAYLOAD_PERIOD);
    size_t n = HS_MIN(len, (size_t)PAYLOAD_PERIOD);

    for (size_t i = 0; i < n; i++) {
        dst[i] = (uint8_t)v;
        v = v + 1 == PAYLOAD_PERIOD ? 0 : v + 1;
    }
    /* The rest repeats what is there, in doubling copies. */
    for (size_t done = n, step = PAYLOAD_PERIOD; done < len; done += n, step *= 2) {
        n = HS_MIN(step, len - done);
        memcpy(dst + done, dst, n);
    }
}

bool payload_matches(const uint8_t *p, uint64_t off, size_t len)
{
    unsigned v = (unsigned)(off % PAYLOAD_PERIOD);

    for (size_t i = 0; i < len; i++) {
        if (p[i] != v)
            return false;
        v = v + 1 == PAYLOAD_PERIOD ? 0 : v + 1;
    }
    return true;
}

/* The sum of every second byte, k of them, from value v on: values advance by 2 modulo 251, and as 251 is odd
 * the sequence passes every residue once in 251 steps. Residues v, v+2, … before and after each wrap are
 * arithmetic series, so each of the (at most two) laps has a closed form. */
static uint64_t sum_every_second(unsigned v, uint64_t k)
{
    const uint64_t lap = (uint64_t)PAYLOAD_PERIOD * (PAYLOAD_PERIOD - 1) / 2;
    uint64_t sum = k / PAYLOAD_PERIOD * lap;

    k %= PAYLOAD_PERIOD;
    while (k) {
        uint64_t n = HS_MIN(k, (uint64_t)((PAYLOAD_PERIOD - 1 - v) / 2 + 1)); /* terms before the next wrap */
        sum += n * v + n * (n - 1);
        v = (unsigned)((v + 2 * n) % PAYLOAD_PERIOD);
        k -= n;
    }
    return sum;
}

uint32_t payload_checksum(uint64_t off, size_t len)
{
    unsigned v = (unsigned)(off % PAYLOAD_PERIOD);
    uint64_t sum =
        (sum_every_second(v, (len + 1) / 2) << 8) + sum_every_second((v + 1) % PAYLOAD_PERIOD, len / 2);

    while (sum >> 32)
        sum = (sum & 0xffffffff) + (sum >> 32);
    return (uint32_t)sum;
}
