/* What a packet carries behind its headers, by reference: slices of shared immutable chunks, or of a
 * *synthetic* stream, a pattern that costs no memory and whose checksum over any range is O(1).
 *
 * The synthetic stream is one infinite sequence of bytes, byte(o) = o mod 251: the prime makes a shift of any
 * power-of-two distance visible to a reader who checks. An application that sends "10 MB of payload" sends
 * its offsets 0 to 10 MB, so what arrives can be verified byte by byte without being stored. */
#pragma once

#include "sim/base/base.h"

#define PAYLOAD_PERIOD 251

typedef struct PktChunk {
    uint32_t ref;
    uint32_t len;
    uint8_t bytes[];
} PktChunk;

PktChunk *pktchunk_new(size_t len); /* one reference, contents to be filled in before it is shared */
PktChunk *pktchunk_new_copy(const void *p, size_t len);
static inline PktChunk *pktchunk_ref(PktChunk *c)
{
    c->ref++;
    return c;
}
void pktchunk_unref(PktChunk *c); /* NULL is allowed */

typedef struct PktSlice {
    PktChunk *chunk; /* NULL: synthetic */
    uint64_t off;    /* in the chunk, or in the synthetic stream */
    uint32_t len;
} PktSlice;

static inline uint8_t payload_byte(uint64_t off)
{
    return (uint8_t)(off % PAYLOAD_PERIOD);
}

void payload_fill(uint8_t *dst, uint64_t off, size_t len);
/* Is p what the synthetic stream has at off? */
bool payload_matches(const uint8_t *p, uint64_t off, size_t len);
/* Partial Internet checksum of the range, as checksum_add would give for its bytes (the first byte is the
 * high half of the first word). Constant time. */
uint32_t payload_checksum(uint64_t off, size_t len);
/* Those of the stream's first bytes: what payload_checksum_at is made from. */
#define PAYLOAD_SUMS 2048
extern const uint32_t payload_sums[PAYLOAD_SUMS];
uint32_t payload_checksum_of_long(unsigned residue, size_t len);
/* The same of a range that begins `residue` bytes, less than PAYLOAD_PERIOD, into a lap. Captures sum every
 * frame's payload. */
static inline uint32_t payload_checksum_at(unsigned residue, size_t len)
{
    /* The same byte, maybe one lap later, at an even place. */
    const unsigned from = residue + (-(residue & 1) & PAYLOAD_PERIOD);

    if (HS_UNLIKELY(len > PAYLOAD_SUMS - 2 * PAYLOAD_PERIOD))
        return payload_checksum_of_long(residue, len);
    return payload_sums[from + len] - payload_sums[from];
}
