/* LZ4 frames, writing side; see lz4frame.h. */
#include "sim/trace/lz4frame.h"

#include "sim/trace/outfile.h"

/* A block ends when so much of the stream is in it, or so much of the file: the first is what the format
 * allows (less one step), the second stays in a second-level cache and is enough for one write. */
#define FULL_STREAM_BYTES (((size_t)4 << 20) - 2 * LZ4_MAX_STEP)
#define FULL_OUT_BYTES ((size_t)256 * 1024)
/* Behind it: one step, its literals' lengths, and what is written ahead. */
#define OUT_BYTES (FULL_OUT_BYTES + 2 * LZ4_MAX_STEP)
#define BLOCK_HEAD_BYTES 4
/* The last match of a block begins so far before its end at least; all bytes behind it are literals here,
 * which is more than the five that must be. */
#define END_LITERALS 12

struct Lz4Frame {
    OutFile *file;
    uint8_t *block; /* its length, then its sequences */
    Lz4Out out;
    uint64_t block_pos; /* of the stream, where the block begins */
};

static void begin_block(Lz4Frame *z)
{
    z->out.token = z->block + BLOCK_HEAD_BYTES;
    z->out.n_lits = 0;
    z->block_pos = z->out.pos;
}

Lz4Frame *lz4frame_open(const char *path, GError **error)
{
    /* Magic number; FLG: version 1, independent blocks, no checksums, no content size; BD: blocks of up to 4
     * MiB; the second byte of these two bytes' xxHash32. */
    static const uint8_t head[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73};
    OutFile *file = outfile_open(path, OUTFILE_STREAM, error);
    Lz4Frame *z;

    if (!file)
        return NULL;
    z = g_new0(Lz4Frame, 1);
    z->file = file;
    z->block = g_malloc(BLOCK_HEAD_BYTES + OUT_BYTES);
    outfile_write(file, head, sizeof head);
    begin_block(z);
    return z;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

uint8_t *lz4out_shift_literals(Lz4Out *o)
{
    size_t more = o->n_lits - 15;
    size_t full = more / 255;
    uint8_t *lits = o->token + 1;

    *o->token = 15 << 4;
    memmove(lits + full + 1, lits, o->n_lits);
    memset(lits, 255, full);
    lits[full] = (uint8_t)(more - 255 * full);
    return lits + full + 1 + o->n_lits;
}

/* The last sequence has literals only. */
static void end_block(Lz4Frame *z)
{
    Lz4Out *o = &z->out;
    uint8_t *end = o->token + 1 + o->n_lits;

    if (o->pos == z->block_pos)
        return;
    hs_assert(o->n_lits >= END_LITERALS || o->n_lits == o->pos - z->block_pos);
    if (o->n_lits >= 15)
        end = lz4out_shift_literals(o);
    else
        *o->token = (uint8_t)(o->n_lits << 4);
    put32(z->block, (uint32_t)(end - z->block - BLOCK_HEAD_BYTES));
    outfile_write(z->file, z->block, (size_t)(end - z->block));
    begin_block(z);
}

static void free_frame(Lz4Frame *z)
{
    g_free(z->block);
    g_free(z);
}

bool lz4frame_close(Lz4Frame *z, GError **error)
{
    static const uint8_t end_mark[4];
    bool ok;

    end_block(z);
    outfile_write(z->file, end_mark, sizeof end_mark);
    ok = outfile_close(z->file, error);
    free_frame(z);
    return ok;
}

void lz4frame_discard(Lz4Frame *z)
{
    if (!z)
        return;
    outfile_discard(z->file);
    free_frame(z);
}

static bool is_full(const Lz4Frame *z)
{
    return z->out.pos - z->block_pos >= FULL_STREAM_BYTES ||
           (size_t)(lz4out_room(&z->out) - z->block) >= FULL_OUT_BYTES;
}

uint32_t lz4frame_reach(const Lz4Frame *z)
{
    return is_full(z) ? 0 : (uint32_t)HS_MIN(z->out.pos - z->block_pos, (uint64_t)LZ4_MAX_DISTANCE);
}

void lz4frame_put(Lz4Frame *z, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;

    while (n) {
        size_t step = HS_MIN(n, (size_t)LZ4_MAX_STEP / 2);

        memcpy(lz4out_room(&z->out), from, step);
        lz4out_add(&z->out, step);
        from += step;
        n -= step;
        if (is_full(z) && z->out.n_lits >= END_LITERALS)
            end_block(z);
    }
}

void lz4frame_flush(Lz4Frame *z)
{
    end_block(z);
    outfile_flush(z->file);
}

uint64_t lz4frame_pos(const Lz4Frame *z)
{
    return z->out.pos;
}

uint64_t lz4frame_size(const Lz4Frame *z)
{
    return outfile_size(z->file);
}

bool lz4frame_has_failed(const Lz4Frame *z)
{
    return outfile_has_failed(z->file);
}

Lz4Out lz4frame_begin(const Lz4Frame *z)
{
    return z->out;
}

void lz4frame_end(Lz4Frame *z, const Lz4Out *o)
{
    hs_assert(o->pos - z->out.pos <= LZ4_MAX_STEP);
    z->out = *o;
}
