/* How the packet blocks of a flow are written into LZ4 when nothing happens but what always does: a plan of
 * literals and matches, made once, by which a block is some stores at known places.
 *
 * Blocks of one shape (interface, lengths, flags) differ in time and packet id, and in those bytes of their
 * headers that a flow changes. Which these are is learnt: whatever has once differed between two packets of
 * one flow is a literal from then on. All other bytes are the same in the next packet of that flow, or it
 * does not fit (pcapng_lz4_plan_fits) and is written otherwise.
 *
 *     block:    head 28 …  time | lengths, headers                        | payload          | options
 *     written:      literal 4   | match, literals, match … literals, match of payload, match | match
 *
 * Without payload the options are part of the last match. Payload, when there is any, is one piece of the
 * synthetic stream: its first lap is a match with payload somewhere before, the others with the first. */
#pragma once

#include "sim/base/base.h"
#include "sim/packet/packet.h"
#include "sim/packet/payload.h"

#define LZ4_PLAN_BYTES 80u /* of a packet's headers, that are compared; those behind them are literals */
#define LZ4_PLAN_SEQS 8u
#define LZ4_PLAN_STEP_LITERALS 16u
#define LZ4_PLAN_STEPS (LZ4_PLAN_SEQS + PKT_BUF / LZ4_PLAN_STEP_LITERALS)
#define LZ4_PLAN_NO_CSUM 255u
#define LZ4_PLAN_TAIL_BYTES 48u
/* A plan's output is less, with a sequence in front of it and what is stored beyond its end: headers, and no
 * more than four bytes around each literal. */
#define LZ4_PLAN_OUT_MOST (5u * PKT_BUF)

typedef struct PcapngLz4Shape {
    uint32_t n_headers; /* captured */
    uint32_t n_payload; /* captured, behind them */
    uint32_t n_options; /* behind padding and all: what follows the payload and is always the same */
    uint32_t csum_at;   /* in the headers: two bytes that are not in the packet as captured */
} PcapngLz4Shape;

/* Up to LZ4_PLAN_STEP_LITERALS literals, and the rest of their sequence of LZ4 up to the next one's: places
 * are counted from the plan's first token. Literals that are more take several steps; what all but the last
 * of these store behind theirs, the next one overwrites. */
typedef struct PcapngLz4Step {
    uint64_t behind;      /* to be stored at distance_at, with the distance */
    uint16_t from;        /* in the headers */
    uint16_t literals_at; /* LZ4_PLAN_STEP_LITERALS are stored there, however few it has */
    uint16_t distance_at;
} PcapngLz4Step;

typedef struct PcapngLz4Plan {
    _Alignas(16) uint8_t same[LZ4_PLAN_BYTES]; /* 0xff: the same in all packets of a flow, 0: not */
    uint8_t token;                             /* the first; then time, then step[0].behind */
    uint8_t n_steps;                           /* 0: there is no plan */
    uint8_t n_tail;
    uint16_t csum_out;                  /* where the checksum of csum_at goes; 0: there is none */
    uint16_t size;                      /* without tail */
    PcapngLz4Step step[LZ4_PLAN_STEPS]; /* the last one's distance is the payload's, if there is payload */
    uint8_t tail[LZ4_PLAN_TAIL_BYTES];  /* behind the payload's distance, up to that of the options */
} PcapngLz4Plan;

/* Nothing known yet: no plan. */
void pcapng_lz4_plan_init(PcapngLz4Plan *plan, const PcapngLz4Shape *shape);
/* What two packets teach. Where known[i] is 0 nothing is known of the one before; NULL: all is known. */
void pcapng_lz4_plan_learn(PcapngLz4Plan *plan, const PcapngLz4Shape *shape, const uint8_t *known,
                           const uint8_t before[LZ4_PLAN_BYTES], const uint8_t now[LZ4_PLAN_BYTES]);

typedef uint64_t PcapngLz4Lanes __attribute__((vector_size(16), may_alias));

/* In both, n bytes, a multiple of 16, from an address that is one too: all zero if they are the same. */
static inline __attribute__((always_inline)) PcapngLz4Lanes pcapng_lz4_differ(const void *a, const void *b,
                                                                              unsigned n)
{
    PcapngLz4Lanes differ = {0, 0};

    for (unsigned i = 0; i < n / 16; i++)
        differ |= ((const PcapngLz4Lanes *)a)[i] ^ ((const PcapngLz4Lanes *)b)[i];
    return differ;
}

/* Everything that the plan takes to be the same is; the two are at multiples of 16. */
static inline __attribute__((always_inline)) PcapngLz4Lanes
pcapng_lz4_plan_differ(const PcapngLz4Plan *plan, const uint8_t before[LZ4_PLAN_BYTES],
                       const uint8_t now[LZ4_PLAN_BYTES])
{
    const PcapngLz4Lanes *a = (const PcapngLz4Lanes *)before, *b = (const PcapngLz4Lanes *)now,
                         *same = (const PcapngLz4Lanes *)plan->same;

    _Static_assert(LZ4_PLAN_BYTES == 5 * 16, "so many lanes");
    return ((a[0] ^ b[0]) & same[0]) | ((a[1] ^ b[1]) & same[1]) | ((a[2] ^ b[2]) & same[2]) |
           ((a[3] ^ b[3]) & same[3]) | ((a[4] ^ b[4]) & same[4]);
}

static inline __attribute__((always_inline)) bool pcapng_lz4_plan_fits(const PcapngLz4Plan *plan,
                                                                       const uint8_t before[LZ4_PLAN_BYTES],
                                                                       const uint8_t now[LZ4_PLAN_BYTES])
{
    PcapngLz4Lanes differ = pcapng_lz4_plan_differ(plan, before, now);

    return (differ[0] | differ[1]) == 0;
}
