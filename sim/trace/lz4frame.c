/* LZ4 frames, writing side; see lz4frame.h. */
#include "sim/trace/lz4frame.h"

/* A block ends when so much of the stream is in it, or so much of the file: the first is what the format
 * allows (less two steps), the second stays in a second-level cache and is enough for one write. */
#define FULL_STREAM_BYTES (((size_t)4 << 20) - 2 * LZ4_MAX_STEP)
#define FULL_OUT_BYTES ((size_t)256 * 1024)
/* Behind it: one step, its literals' lengths, and what is written ahead. */
#define OUT_BYTES (FULL_OUT_BYTES + 2 * LZ4_MAX_STEP)
#define BLOCK_HEAD_BYTES 4
/* The last match of a block begins so far before its end at least; all bytes behind it are literals here,
 * which is more than the five that must be. */
#define END_LITERALS 12

typedef struct Writer {
    Lz4Frame frame; /* first */
    OutFile *file;
    uint8_t *block;  /* its length, then its sequences */
    uint8_t *before; /* the last one, a part of which is still to be written */
} Writer;

static void begin_block(Writer *w)
{
    Lz4Frame *z = &w->frame;

    lz4out_begin(&z->out, w->block + BLOCK_HEAD_BYTES);
    z->block_pos = z->pos += LZ4_MAX_DISTANCE + 1;
    z->full = w->block + FULL_OUT_BYTES;
    z->full_pos = z->pos + FULL_STREAM_BYTES;
}

Lz4Frame *lz4frame_open(const char *path, OutHold *hold, GError **error)
{
    /* Magic number; FLG: version 1, independent blocks, no checksums, no content size; BD: blocks of up to 4
     * MiB; the second byte of these two bytes' xxHash32. */
    static const uint8_t head[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73};
    OutFile *file = outfile_open_held(path, hold, error);
    Writer *w;

    if (!file)
        return NULL;
    w = g_new0(Writer, 1);
    w->file = file;
    w->block = g_malloc(BLOCK_HEAD_BYTES + OUT_BYTES);
    w->before = g_malloc(BLOCK_HEAD_BYTES + OUT_BYTES);
    outfile_write(file, head, sizeof head);
    begin_block(w);
    return &w->frame;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

uint8_t *lz4out_shift_literals(uint8_t *token, const uint8_t *lits, size_t n)
{
    size_t full = (n - 15) / 255;
    uint8_t *p = token + 1;

    *token = 15 << 4;
    memmove(p + full + 1, lits, n);
    memset(p, 255, full);
    p[full] = (uint8_t)(n - 15 - 255 * full);
    return p + full + 1 + n;
}

/* The last sequence has literals only. */
static void end_block(Writer *w)
{
    Lz4Frame *z = &w->frame;
    size_t n_lits = (size_t)(z->out.end - z->out.lits);
    uint8_t *end, *block = w->block;

    if (z->pos == z->block_pos)
        return;
    hs_assert(n_lits >= END_LITERALS || n_lits == z->pos - z->block_pos);
    end = lz4out_end_literals(&z->out);
    put32(block, (uint32_t)(end - block - BLOCK_HEAD_BYTES));
    outfile_lend(w->file, block, (size_t)(end - block));
    w->block = w->before;
    w->before = block;
    begin_block(w);
}

static void free_writer(Writer *w)
{
    g_free(w->block);
    g_free(w->before);
    g_free(w);
}

bool lz4frame_close(Lz4Frame *z, GError **error)
{
    static const uint8_t end_mark[4];
    Writer *w = (Writer *)z;
    bool ok;

    end_block(w);
    outfile_write(w->file, end_mark, sizeof end_mark);
    ok = outfile_close(w->file, error);
    free_writer(w);
    return ok;
}

void lz4frame_discard(Lz4Frame *z)
{
    Writer *w = (Writer *)z;

    if (!w)
        return;
    outfile_discard(w->file);
    free_writer(w);
}

void lz4frame_put(Lz4Frame *z, const void *bytes, size_t n)
{
    const uint8_t *from = bytes;

    while (n) {
        size_t step = HS_MIN(n, (size_t)LZ4_MAX_STEP / 2);

        memcpy(z->out.end, from, step);
        z->out.end += step;
        z->pos += step;
        from += step;
        n -= step;
        if (lz4frame_is_full(z) && z->out.end - z->out.lits >= END_LITERALS)
            end_block((Writer *)z);
    }
}

void lz4frame_flush(Lz4Frame *z)
{
    end_block((Writer *)z);
    outfile_flush(((Writer *)z)->file);
}

uint64_t lz4frame_size(const Lz4Frame *z)
{
    return outfile_size(((const Writer *)z)->file);
}

bool lz4frame_has_failed(const Lz4Frame *z)
{
    return outfile_has_failed(((const Writer *)z)->file);
}
