/* Writes the LZ4 frame format (lz4_Frame_format.md 1.6, lz4_Block_format.md), which lz4(1) and Wireshark
 * read, for callers that know what repeats: nothing is searched here. A stream is made from two calls: "these
 * bytes", and "n bytes that are the same as those so far back". How far a match may reach back is
 * lz4frame_reach.
 *
 * Blocks are independent, so that readers can begin at any of them; Wireshark does when somebody scrolls
 * through a capture. No match crosses a block's beginning therefore, and a block can end only behind literals
 * (the last match begins twelve bytes before the end, the last five bytes are literals). When a block is full
 * nothing is in reach any more; the caller, who then has to put bytes, thereby ends it.
 *
 * Neither blocks nor content have checksums: the files are as safe as the plain ones that they replace. The
 * same calls give the same file.
 *
 * What every captured frame passes is inline and works on an Lz4Out, a copy of what moves, between
 * lz4frame_begin and lz4frame_end. Its address must not escape: it lives in registers then; a store of a byte
 * may alias anything else. */
#pragma once

#include <glib.h>
#include <string.h>

#include "sim/base/base.h"
#include "sim/trace/outfile.h"

#define LZ4_MIN_MATCH 4u
#define LZ4_MAX_DISTANCE 65535u
/* The most that may be added between _begin and _end. */
#define LZ4_MAX_STEP (72u * 1024)
/* So much behind what they are asked to copy do the inline functions read and write. */
#define LZ4_SLACK 32u

typedef struct Lz4Out { /* the sequence in progress */
    uint8_t *token;
    uint8_t *lits; /* behind the token, or one byte further when it is known that they are many */
    uint8_t *end;  /* of the literals: where the next ones go */
} Lz4Out;

/* What the inline functions need; the rest is private to lz4frame.c. */
typedef struct Lz4Frame {
    Lz4Out out;
    /* In the stream, but that a block begins LZ4_MAX_DISTANCE + 1 behind the end of the last one, and the
     * first one there: what is not too far away to be referred to is in the same block. */
    uint64_t pos;
    uint64_t block_pos;  /* where the block begins */
    const uint8_t *full; /* where the block in memory is */
    uint64_t full_pos;   /* and in the stream */
} Lz4Frame;

/* The file follows OUTFILE_STREAM's rules (sim/trace/outfile.h): flushed after whole blocks. hold: NULL, or
 * outfile_open_held's. */
Lz4Frame *lz4frame_open(const char *path, OutHold *hold, GError **error) HS_MUST_USE;
/* Both free z. A frame ends as it is flushed: see there. */
bool lz4frame_close(Lz4Frame *z, GError **error);
void lz4frame_discard(Lz4Frame *z);

/* n literal bytes, any number. */
void lz4frame_put(Lz4Frame *z, const void *bytes, size_t n);
/* Everything up to here goes into the file. The last twelve bytes must have been put as literals. */
void lz4frame_flush(Lz4Frame *z);

/* Bytes of the file so far, without the block in progress. */
uint64_t lz4frame_size(const Lz4Frame *z);
bool lz4frame_has_failed(const Lz4Frame *z);

static inline bool lz4frame_is_full(const Lz4Frame *z)
{
    return z->out.end >= z->full || z->pos >= z->full_pos;
}

/* How far back a match may begin now; 0: put bytes first, the block is full or empty. */
static inline uint32_t lz4frame_reach(const Lz4Frame *z)
{
    uint64_t in_block = z->pos - z->block_pos;

    return lz4frame_is_full(z) ? 0 : in_block < LZ4_MAX_DISTANCE ? (uint32_t)in_block : LZ4_MAX_DISTANCE;
}

/* Up to LZ4_MAX_STEP bytes of stream by the functions below; not when the block is full. */
static inline Lz4Out lz4frame_begin(const Lz4Frame *z)
{
    hs_assert(!lz4frame_is_full(z));
    return z->out;
}

/* They were n. */
static inline void lz4frame_end(Lz4Frame *z, Lz4Out o, size_t n)
{
    hs_assert(n <= LZ4_MAX_STEP);
    z->out = o;
    z->pos += n;
}

static inline void lz4_put16(uint8_t *p, uint32_t v)
{
    uint16_t le = GUINT16_TO_LE((uint16_t)v);

    memcpy(p, &le, 2);
}

/* n literals, of which LZ4_SLACK bytes are read and written in any case. */
static inline void lz4out_put(Lz4Out *o, const uint8_t *bytes, size_t n)
{
    if (o->end == o->token + 1 && n >= 15)
        o->lits = ++o->end;
    memcpy(o->end, bytes, LZ4_SLACK);
    if (n > LZ4_SLACK)
        memcpy(o->end + LZ4_SLACK, bytes + LZ4_SLACK, n - LZ4_SLACK);
    o->end += n;
}

/* Fifteen literals and more have their number between token and literals, which may have to make room for it.
 * Returns their end. */
uint8_t *lz4out_shift_literals(uint8_t *token, const uint8_t *lits, size_t n);

/* The literals' number in the token; returns what follows them. */
static inline uint8_t *lz4out_end_literals(const Lz4Out *o)
{
    size_t n = (size_t)(o->end - o->lits);

    if (HS_LIKELY(n < 15)) {
        *o->token = (uint8_t)(n << 4);
        return o->end;
    }
    if (HS_UNLIKELY(o->lits == o->token + 1 || n >= 15 + 255))
        return lz4out_shift_literals(o->token, o->lits, n);
    o->token[0] = 15 << 4;
    o->token[1] = (uint8_t)(n - 15);
    return o->end;
}

static inline void lz4out_begin(Lz4Out *o, uint8_t *token)
{
    o->token = token;
    o->lits = o->end = token + 1;
}

static inline uint8_t *lz4out_put_distance(uint8_t *p, uint32_t distance)
{
    uint16_t le = GUINT16_TO_LE((uint16_t)distance);

    memcpy(p, &le, 2);
    return p + 2;
}

/* n >= LZ4_MIN_MATCH bytes that are the same as those `distance` back; the two may overlap. */
static inline void lz4out_match(Lz4Out *o, uint32_t distance, size_t n)
{
    uint8_t *p = lz4out_put_distance(lz4out_end_literals(o), distance);
    size_t code = n - LZ4_MIN_MATCH;

    if (code < 15) {
        *o->token |= (uint8_t)code;
    } else {
        size_t full = (code - 15) / 255;

        *o->token |= 15;
        memset(p, 255, 8); /* a frame's worth; the compiler makes one store of it */
        if (HS_UNLIKELY(full > 8))
            memset(p + 8, 255, full - 8);
        p += full;
        *p++ = (uint8_t)(code - 15 - 255 * full);
    }
    lz4out_begin(o, p);
}

/* The same for n up to 18. */
static inline void lz4out_match_short(Lz4Out *o, uint32_t distance, size_t n)
{
    uint8_t *p = lz4out_put_distance(lz4out_end_literals(o), distance);

    *o->token |= (uint8_t)(n - LZ4_MIN_MATCH);
    lz4out_begin(o, p);
}
