/* Reads LZ4 frames (lz4_Frame_format.md 1.6): our own compressed captures and what lz4(1) makes of others;
 * frames one after the other, linked and independent blocks, skippable frames. No dictionaries, no frames of
 * before 2013. Checksums are read over, not verified: what is unpacked is checked by whoever reads it.
 *
 * The bytes are not trusted: every length is checked, and memory is bounded by a block's 4 MiB. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "sim/base/base.h"

#define LZ4READER_MAGIC 0x184d2204u

typedef struct Lz4Reader Lz4Reader;

/* As bytesource_read: n bytes, fewer at the end only, negative with *error. */
typedef ssize_t (*Lz4ReadFunc)(void *user, uint8_t *to, size_t n, GError **error);

/* name stands in messages and must outlive the reader. */
Lz4Reader *lz4reader_new(Lz4ReadFunc read, void *user, const char *name);
void lz4reader_free(Lz4Reader *r);

/* n unpacked bytes, fewer at the end only. Negative: nothing can be read beyond this, "NAME: byte N: …" in
 * *error. */
ssize_t lz4reader_read(Lz4Reader *r, uint8_t *to, size_t n, GError **error);
/* At the end: whether the file ends inside a block or a header, so that bytes are missing. */
bool lz4reader_is_cut_short(const Lz4Reader *r);
