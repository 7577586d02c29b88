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

/* Partial sums from the stream's beginning, as an Internet checksum counts: bytes at even places are high
 * halves. The period is odd, so that what is at even places in one lap is at odd ones in the next: two laps
 * repeat. payload_sums[i] is of the first i bytes: a range that begins in the first two laps and is a frame's
 * payload ends there, and of a longer one so many times two laps are left out.
 *
 * Of i bytes (i + 1) / 2 are at even places, k of them would sum to k (k - 1) and the i / 2 = k at odd ones
 * to k k, if there were no laps; each lap that was left behind takes 251 from every byte after it. */
#define PAST(k, n) ((k) > (n) ? (k) - (n) : 0)
#define EVEN(k)                                                                                              \
    ((k) * ((k)-1) - PAYLOAD_PERIOD * (PAST(k, 126) + PAST(k, 251) + PAST(k, 377) + PAST(k, 502) +           \
                                       PAST(k, 628) + PAST(k, 753) + PAST(k, 879) + PAST(k, 1004)))
#define ODD(k)                                                                                               \
    ((k) * (k)-PAYLOAD_PERIOD *                                                                              \
     (PAST(k, 125) + PAST(k, 251) + PAST(k, 376) + PAST(k, 502) + PAST(k, 627) + PAST(k, 753) +              \
      PAST(k, 878) + PAST(k, 1004)))
#define SUM1(i) EVEN(((i) + 1) / 2) * 256 + ODD((i) / 2)
#define SUM4(i) SUM1(i), SUM1((i) + 1), SUM1((i) + 2), SUM1((i) + 3)
#define SUM16(i) SUM4(i), SUM4((i) + 4), SUM4((i) + 8), SUM4((i) + 12)
#define SUM64(i) SUM16(i), SUM16((i) + 16), SUM16((i) + 32), SUM16((i) + 48)
#define SUM256(i) SUM64(i), SUM64((i) + 64), SUM64((i) + 128), SUM64((i) + 192)
#define TWO_LAPS (2 * PAYLOAD_PERIOD)

const uint32_t payload_sums[PAYLOAD_SUMS] = {SUM256(0),    SUM256(256),  SUM256(512),  SUM256(768),
                                             SUM256(1024), SUM256(1280), SUM256(1536), SUM256(1792)};
_Static_assert(PAYLOAD_SUMS - 2 * TWO_LAPS >= 1500 - TWO_LAPS, "see above");

uint32_t payload_checksum(uint64_t off, size_t len)
{
    return payload_checksum_at((unsigned)(off % PAYLOAD_PERIOD), len);
}

/* So many times two laps, and the rest. */
uint32_t payload_checksum_of_long(unsigned residue, size_t len)
{
    uint64_t sum = len / TWO_LAPS * payload_sums[TWO_LAPS];

    while (sum >> 31)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum + payload_checksum_at(residue, len % TWO_LAPS);
}
