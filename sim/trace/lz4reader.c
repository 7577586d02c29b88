/* LZ4 frames, reading side; see lz4reader.h. A block is unpacked as a whole, behind the last 64 KiB of what
 * came before, which linked blocks refer to. */
#include "sim/trace/lz4reader.h"

#include <inttypes.h>
#include <string.h>

#define WINDOW ((size_t)64 * 1024)
#define SKIPPABLE_MAGIC 0x184d2a50u /* and the fifteen after it */
#define STORED (UINT32_C(1) << 31)  /* in a block's length: it is not compressed */

enum { FLG_DICTIONARY = 1, FLG_RESERVED = 2, FLG_CONTENT_SUM = 4, FLG_CONTENT_SIZE = 8, FLG_BLOCK_SUM = 16 };

typedef enum State { BETWEEN_FRAMES, IN_FRAME, AT_END, FAILED } State;

struct Lz4Reader {
    Lz4ReadFunc read;
    void *user;
    const char *name;
    uint64_t offset; /* in the file */
    State state;
    bool cut_short;
    uint8_t flg;
    size_t block_max;
    uint8_t *packed; /* block_max */
    uint8_t *window; /* WINDOW + block_max; the first n_history bytes are of before */
    size_t n_history;
    size_t n_unpacked; /* behind the history */
    size_t n_taken;    /* of these */
};

Lz4Reader *lz4reader_new(Lz4ReadFunc read, void *user, const char *name)
{
    Lz4Reader *r = g_new0(Lz4Reader, 1);

    r->read = read;
    r->user = user;
    r->name = name;
    return r;
}

void lz4reader_free(Lz4Reader *r)
{
    if (!r)
        return;
    g_free(r->packed);
    g_free(r->window);
    g_free(r);
}

bool lz4reader_is_cut_short(const Lz4Reader *r)
{
    return r->cut_short;
}

static bool fail(Lz4Reader *r, GError **error, const char *fmt, ...) HS_PRINTF(3, 4);
static bool fail(Lz4Reader *r, GError **error, const char *fmt, ...)
{
    va_list ap;
    char *what;

    va_start(ap, fmt);
    what = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: byte %" PRIu64 ": %s", r->name, r->offset,
                what);
    g_free(what);
    r->state = FAILED;
    return false;
}

/* All n bytes, or false: the file ends (is_end_fine: it may do so before the first of them) or cannot be
 * read. */
static bool want(Lz4Reader *r, uint8_t *to, size_t n, bool is_end_fine, GError **error)
{
    ssize_t got = r->read(r->user, to, n, error);

    if (got < 0) {
        r->state = FAILED;
        return false;
    }
    if ((size_t)got < n) {
        r->state = AT_END;
        r->cut_short = got > 0 || !is_end_fine;
        return false;
    }
    r->offset += n;
    return true;
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool skip(Lz4Reader *r, uint32_t n, GError **error)
{
    uint8_t scratch[4096];

    while (n) {
        uint32_t step = HS_MIN(n, (uint32_t)sizeof scratch);

        if (!want(r, scratch, step, false, error))
            return false;
        n -= step;
    }
    return true;
}

/* ---- blocks ---- */

/* A length of 15 goes on in bytes until one is not 255. */
static bool read_length(const uint8_t **p, const uint8_t *end, size_t *n)
{
    uint8_t more;

    if (*n < 15)
        return true;
    do {
        if (*p == end)
            return false;
        more = *(*p)++;
        *n += more;
    } while (more == 255);
    return true;
}

/* What is wrong with the block, or NULL and all of it behind the history. */
static const char *unpack(Lz4Reader *r, size_t n_packed)
{
    const uint8_t *p = r->packed, *end = p + n_packed;
    uint8_t *out = r->window + r->n_history, *limit = out + r->block_max;

    while (p < end) {
        size_t n_lits = *p >> 4, n_match = *p & 15, distance;

        p++;
        if (!read_length(&p, end, &n_lits) || n_lits > (size_t)(end - p))
            return "literals beyond the end of the block";
        if (n_lits > (size_t)(limit - out))
            return "more bytes than the block may have";
        memcpy(out, p, n_lits);
        out += n_lits;
        p += n_lits;
        if (p == end) /* the last sequence has no match */
            break;
        if (end - p < 2)
            return "a match beyond the end of the block";
        distance = p[0] | p[1] << 8;
        p += 2;
        if (!read_length(&p, end, &n_match))
            return "a match beyond the end of the block";
        n_match += 4;
        if (distance == 0 || distance > (size_t)(out - r->window))
            return "a match with bytes before the beginning";
        if (n_match > (size_t)(limit - out))
            return "more bytes than the block may have";
        if (distance >= n_match) {
            memcpy(out, out - distance, n_match);
            out += n_match;
        } else {
            for (; n_match; n_match--, out++) /* it repeats itself */
                *out = out[-(ptrdiff_t)distance];
        }
    }
    r->n_unpacked = (size_t)(out - r->window) - r->n_history;
    return NULL;
}

static void keep_history(Lz4Reader *r)
{
    size_t have = r->n_history + r->n_unpacked, keep = HS_MIN(have, WINDOW);

    memmove(r->window, r->window + have - keep, keep);
    r->n_history = keep;
    r->n_unpacked = r->n_taken = 0;
}

static bool read_block(Lz4Reader *r, GError **error)
{
    uint8_t head[4];
    uint32_t length;
    uint64_t begin = r->offset;
    const char *wrong = NULL;

    /* Whoever is killed while writing leaves no end mark: what is there is whole. */
    if (!want(r, head, 4, true, error))
        return false;
    length = get32(head);
    if (length == 0) {
        r->state = BETWEEN_FRAMES;
        return !(r->flg & FLG_CONTENT_SUM) || skip(r, 4, error);
    }
    if ((length & ~STORED) > r->block_max)
        return fail(r, error, "compressed block of %" PRIu32 " bytes, expected at most %zu", length & ~STORED,
                    r->block_max);
    keep_history(r);
    if (length & STORED) {
        length &= ~STORED;
        if (!want(r, r->window + r->n_history, length, false, error))
            return false;
        r->n_unpacked = length;
    } else {
        if (!want(r, r->packed, length, false, error))
            return false;
        wrong = unpack(r, length);
    }
    if (wrong) {
        r->offset = begin;
        return fail(r, error, "compressed block has %s", wrong);
    }
    return !(r->flg & FLG_BLOCK_SUM) || skip(r, 4, error);
}

/* ---- frames ---- */

static bool read_frame_head(Lz4Reader *r, GError **error)
{
    uint8_t head[4];
    uint32_t magic;
    size_t block_max;

    if (!want(r, head, 4, true, error))
        return false;
    magic = get32(head);
    if ((magic & ~0xfu) == SKIPPABLE_MAGIC)
        return want(r, head, 4, false, error) && skip(r, get32(head), error);
    if (magic != LZ4READER_MAGIC) {
        r->offset -= 4;
        return fail(r, error, "magic number %02x %02x %02x %02x, expected 04 22 4d 18 (LZ4)", head[0],
                    head[1], head[2], head[3]);
    }
    if (!want(r, head, 2, false, error))
        return false;
    if (head[0] >> 6 != 1 || head[0] & FLG_RESERVED || head[1] & 0x8f || head[1] >> 4 < 4)
        return fail(r, error, "LZ4 frame descriptor %02x %02x is of no known version", head[0], head[1]);
    if (head[0] & FLG_DICTIONARY)
        return fail(r, error, "LZ4 frame needs a dictionary");
    r->flg = head[0];
    block_max = (size_t)1 << (8 + 2 * (head[1] >> 4)); /* 4 to 7: 64 KiB to 4 MiB */
    if (!skip(r, (r->flg & FLG_CONTENT_SIZE ? 8 : 0) + 1, error))
        return false;
    if (r->block_max != block_max) {
        r->block_max = block_max;
        r->packed = g_realloc(r->packed, block_max);
        r->window = g_realloc(r->window, WINDOW + block_max);
    }
    r->n_history = 0;
    r->state = IN_FRAME;
    return true;
}

ssize_t lz4reader_read(Lz4Reader *r, uint8_t *to, size_t n, GError **error)
{
    size_t got = 0;

    while (got < n) {
        size_t step = HS_MIN(n - got, r->n_unpacked - r->n_taken);

        if (step) {
            memcpy(to + got, r->window + r->n_history + r->n_taken, step);
            r->n_taken += step;
            got += step;
        } else if (r->state == AT_END) {
            break;
        } else if (r->state == FAILED) {
            if (error && !*error)
                fail(r, error, "nothing can be read beyond this");
            return -1;
        } else if (r->state == IN_FRAME) {
            if (!read_block(r, error) && r->state == FAILED)
                return -1;
        } else if (!read_frame_head(r, error) && r->state == FAILED) {
            return -1;
        }
    }
    return (ssize_t)got;
}
