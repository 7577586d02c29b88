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

/* The pattern's bytes, seven laps of them: a frame's payload is one copy, from wherever it begins. */
#define P1(t, u) 10 * (10 * (t) + (u))
#define P10(t, u)                                                                                            \
    P1(t, u), P1(t, u) + 1, P1(t, u) + 2, P1(t, u) + 3, P1(t, u) + 4, P1(t, u) + 5, P1(t, u) + 6,            \
        P1(t, u) + 7, P1(t, u) + 8, P1(t, u) + 9
#define P50(t, u) P10(t, u), P10(t, u + 1), P10(t, u + 2), P10(t, u + 3), P10(t, u + 4)
#define LAP P50(0, 0), P50(0, 5), P50(1, 0), P50(1, 5), P50(2, 0), 250
#define LAPS 7

static const uint8_t pattern[] = {LAP, LAP, LAP, LAP, LAP, LAP, LAP};
_Static_assert(sizeof pattern == LAPS * PAYLOAD_PERIOD, "the pattern is 0 … 250");

void payload_fill(uint8_t *dst, uint64_t off, size_t len)
{
    const uint8_t *from = pattern + off % PAYLOAD_PERIOD;
    const size_t most = (LAPS - 1) * PAYLOAD_PERIOD; /* whole laps: the next piece begins at the same place */

    while (len > most) {
        memcpy(dst, from, most);
        dst += most;
        len -= most;
    }
    memcpy(dst, from, len);
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
