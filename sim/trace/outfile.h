/* A buffered output file for everything that a run leaves behind: captures, series, pictures, event logs.
 *
 * Two modes, because "half-written must not look whole" means different things:
 *
 *   OUTFILE_WHOLE   An artefact that is worth something only when complete (SVG, TSV, JSON). It is written as
 *                   NAME.part and gets its name at a successful close. Error or discard: NAME.part is removed
 *                   and an older NAME stays as it was.
 *   OUTFILE_STREAM  A capture or log that is useful up to where it was cut. It is written under its final
 *                   name and every flush ends after a whole commit (or outfile_write), so that what a killed
 *                   run leaves is readable to its end; only a kill inside write(2) itself can leave a torn
 *                   last record. Error or discard: the file is renamed to NAME.incomplete, so that a short
 *                   capture is never taken for a whole one, and yet can be looked at.
 *
 * What is lent (outfile_lend) is written in large stretches wherever they end: a killed run's last piece may
 * be cut, and what waits for its stretch is missing. That is for formats whose readers take a cut end.
 *
 * A long file has blocks on the disk ahead of what is in it (fallocate(2)), never more than 8 MB; a killed
 * run leaves them with the file.
 *
 * A run finds out that it cannot begin (a name that does not exist, an error in the scenario's main part)
 * when its streams are open already. Those of an OutHold are therefore NAME.part too until they are released:
 * up to then an older NAME stays as it was, and giving up leaves nothing.
 *
 * An existing NAME that is not a regular file (a symbolic link, a FIFO, /dev/stdout) is written through in
 * place; there is nothing to rename then.
 *
 * Errors stick: after the first one nothing more is written and whatever is committed is forgotten, so that
 * writers need not check anything until outfile_close, which reports it. Nobody calls fsync: a simulation's
 * output can be made again. A caller that writes into pipes or under RLIMIT_FSIZE must ignore SIGPIPE and
 * SIGXFSZ to see the error instead of the signal. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

typedef struct OutFile OutFile;

typedef struct OutHold OutHold; /* streams that have not got their names yet */

typedef enum OutFileMode {
    OUTFILE_WHOLE,
    OUTFILE_STREAM,
} OutFileMode;

/* The two members the inline functions need; the rest is private to outfile.c. */
typedef struct OutFileCursor {
    uint8_t *next; /* first free byte */
    uint8_t *end;  /* past the buffer */
} OutFileCursor;

OutFile *outfile_open(const char *path, OutFileMode mode, GError **error) HS_MUST_USE;

/* A stream that has its name only when the hold is released; then, and when hold is NULL, it is an
 * OUTFILE_STREAM like others. The hold must outlive the file. */
OutFile *outfile_open_held(const char *path, OutHold *hold, GError **error) HS_MUST_USE;

/* Would a file of this name be opened? Without touching the disk, for those who open it after long work.
 * False and *error, what outfile_open would say: no. */
bool outfile_check(const char *path, GError **error) HS_MUST_USE;

OutHold *outhold_new(void);
/* Everything that could be checked has been: names are given, now and to streams opened later. */
bool outhold_release(OutHold *hold, GError **error) HS_MUST_USE;
void outhold_free(OutHold *hold); /* NULL is fine */

/* Flush, close, give the file its name. False when anything since the open failed. Frees f in either case. */
bool outfile_close(OutFile *f, GError **error);

/* Give up: what was written is removed (WHOLE, and what is held) or set aside as NAME.incomplete (STREAM).
 * Frees f. NULL is fine. */
void outfile_discard(OutFile *f);

/* What was written so far, flushed or not; after an error the count goes on as if nothing had happened. */
uint64_t outfile_size(const OutFile *f);
bool outfile_has_failed(const OutFile *f);
const char *outfile_path(const OutFile *f);

/* Push the buffer out, for readers who follow a stream while it grows. */
void outfile_flush(OutFile *f);

/* One unit of n bytes; long ones go out beside the buffer by writev(2), without being copied. */
void outfile_write(OutFile *f, const void *data, size_t n);
/* The same for large pieces that the caller leaves alone until the next call for f: what the kernel takes
 * most cheaply, whole stretches of OUTFILE_STRETCH_BYTES at multiples of it, is written, the rest with the
 * next piece. Only this, outfile_write and what ends or flushes may follow. */
void outfile_lend(OutFile *f, const void *data, size_t n);
#define OUTFILE_STRETCH_BYTES ((size_t)256 * 1024)
void outfile_printf(OutFile *f, const char *fmt, ...) HS_PRINTF(2, 3);
void outfile_vprintf(OutFile *f, const char *fmt, va_list ap) HS_PRINTF(2, 0);

/* Room for n bytes in one piece, whose first `keep` bytes are those already filled at the cursor and not yet
 * committed. The pointer holds until the next call. */
uint8_t *outfile_grow(OutFile *f, size_t keep, size_t n);

/* Room for n bytes in one piece: fill it, then commit what was filled. */
static inline uint8_t *outfile_reserve(OutFile *f, size_t n)
{
    OutFileCursor *c = (OutFileCursor *)f;

    return HS_LIKELY((size_t)(c->end - c->next) >= n) ? c->next : outfile_grow(f, 0, n);
}

static inline void outfile_commit(OutFile *f, size_t n)
{
    ((OutFileCursor *)f)->next += n;
}
