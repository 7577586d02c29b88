/* What the two files of the compressed writer share: what is known of the blocks that were written.
 *
 * Blocks of one shape (interface, lengths, flags) are the same in what is not headers; a flow's blocks, in
 * what two packets of it have in common besides. Shapes and flows lie in tables, by a hash, two places for
 * each: a third one takes the place of that which was not seen for longer. */
#pragma once

#include <string.h>

#include "sim/trace/lz4frame.h"
#include "sim/trace/pcapng_bytes.h"
#include "sim/trace/pcapng_lz4.h"
#include "sim/trace/pcapng_lz4_plan.h"
#include "sim/trace/pcapng_lz4_wait.h"

#define SHAPE_BITS 5
#define FLOW_BITS 8
#define WAYS 2
#define EDGES 4
/* Payload shorter than this does not take the place of longer payload as the one to refer to. */
#define GOOD_PAYLOAD 512
#define OPTIONS_BYTES 12 /* flags with their header, the header of the packet id */
#define LAST_BYTES 16
#define ID_BYTES 8 /* the first of them */
/* So that an Lz4Out stays in registers (lz4frame.h). */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What must be the same in two blocks, so that one is like the other byte for byte but in time, headers,
 * payload and packet id; and the flow. */
typedef struct Key {
    uint8_t like[PCAPNG_WAIT_LIKE_BYTES]; /* with `ports` two lanes, as in a PcapngWaiting */
    uint32_t ports;
    uint64_t addresses; /* IPv4's, or the end of IPv6's destination */
} Key;

typedef struct Edge { /* where a block of a shape follows a packet's block */
    uint64_t pos;     /* of the former */
    uint32_t before;  /* the latter's length */
} Edge;

typedef struct Flow Flow;

typedef struct Shape { /* what flows have in common that differ in addresses and ports only */
    Key key;
    Flow *last;     /* that of the last block; maybe of another shape by now */
    uint32_t total; /* a block's length */
    uint32_t lap;   /* of its payload, that one match may take */
    uint32_t step;  /* from a packet that waits to the next one, in bytes */
    /* What a lazy checksum covers of the headers, if it is whole words; 0 of them: it is not. */
    uint16_t csum_from, csum_bytes;
    bool can_plan;
    PcapngLz4Shape what;
    Edge edge[EDGES];       /* by a hash of `before` */
    PcapngLz4Plan own, any; /* after a block of the same flow; of the same shape */
} Shape;

struct Flow { /* two cache lines */
    _Alignas(64) Key key;
    uint64_t pos; /* of its last block */
    /* Of a block of its own: the present ones where the plan says so, but not where a lazy checksum is. */
    uint8_t headers[LZ4_PLAN_BYTES];
};
_Static_assert(sizeof(Flow) == 128 && offsetof(Flow, headers) % 16 == 0, "looked at as lanes");

typedef struct Mark { /* what is asked of a flow before it is looked at */
    Shape *shape;
    uint32_t tag; /* of its hash, so that the way is chosen without a branch */
} Mark;

typedef struct Seen { /* synthetic payload in the stream that may still be in reach */
    uint64_t pos, end;
    uint32_t residue; /* of its offset */
} Seen;

struct PcapngLz4 {
    PcapngWaitQueue queue; /* first */
    Lz4Frame *frame;
    Seen seen;
    /* Of the last packet block LAST_BYTES are held back, if held_total, its length, is not 0. */
    uint64_t held_id;
    uint32_t held_total;
    uint32_t most;    /* bytes captured of a packet */
    uint32_t longest; /* of the shapes' blocks */
    PcapngWaiting waiting[PCAPNG_WAIT_FRAMES + 1];
    Shape shapes[WAYS << SHAPE_BITS]; /* by a hash */
    Shape none;                       /* which nothing is like */
    Mark marks[WAYS << FLOW_BITS];
    Flow flows[WAYS << FLOW_BITS];
};

static inline Mark *mark_of(PcapngLz4 *z, const Flow *f)
{
    return &z->marks[f - z->flows];
}

/* What is held back, at p; returns its length. */
static inline uint32_t get_held(const PcapngLz4 *z, uint8_t *p)
{
    if (!z->held_total)
        return 0;
    p = pcapng_put64(p, z->held_id);
    p = pcapng_put32(p, PCAPNG_OPT_END);
    pcapng_put32(p, z->held_total);
    return LAST_BYTES;
}

static inline uint64_t load64(const void *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

static inline uint32_t load32(const void *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

typedef struct Ends { /* as in Key */
    uint64_t addresses;
    uint32_t ports;
} Ends;

/* Without such headers, zeros. */
static ALWAYS_INLINE Ends ends_in(const PcapngWaiting *w, const uint8_t *headers)
{
    const int at = w->l4 - w->head - 8;

    if (HS_LIKELY(at >= 0 && at + 12 <= w->tail - w->head))
        return (Ends){load64(headers + at), load32(headers + at + 8)};
    return (Ends){0, 0};
}

/* 2^64 by the golden ratio: a product's upper bits are well mixed. */
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

static ALWAYS_INLINE uint64_t hash_flow(const PcapngWaiting *w, Ends ends)
{
    const uint64_t lengths_and_place = load64(w) + ((uint64_t)w->where << 40);

    return (lengths_and_place + ends.addresses + ((uint64_t)ends.ports << 32)) * HASH_FACTOR;
}

/* What packets of one flow have in common, and packets of others in the same place not, but by rare chance.
 */
static ALWAYS_INLINE uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> (64 - FLOW_BITS - 32));
}

/* The first of two places where the flow may be. */
static ALWAYS_INLINE unsigned flows_of(uint64_t hash)
{
    return (unsigned)(hash >> (64 - FLOW_BITS)) * WAYS;
}

/* ---- pcapng_lz4_usual.c ---- */

/* Looks for the flows of a batch's next frames, some at once, so that the processor need not wait for one
 * after the other; returns the first that was not looked at. Where a flow is not what it seemed, its packet
 * is not usual. */
PcapngWaiting *pcapng_lz4_usual_find(PcapngLz4 *z, PcapngWaiting *w, const PcapngWaiting *end);
/* Writes blocks like the last ones of their flows, or of their shapes where those are out of reach. Returns
 * the first that is not like that, or end. */
const PcapngWaiting *pcapng_lz4_usual_add(PcapngLz4 *z, const PcapngWaiting *w, const PcapngWaiting *end);
