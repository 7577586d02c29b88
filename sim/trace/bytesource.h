/* Bytes one after the other, out of a file or out of memory: what the capture reader stands on. Reads far
 * ahead, so that asking for a few bytes at a time costs no system call each. What is compressed with LZ4 (its
 * first bytes say so) is unpacked on the way. */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "sim/base/base.h"

#include "sim/trace/lz4reader.h"

typedef struct ByteSource {
    char *name;           /* for messages */
    int fd;               /* -1: memory */
    uint8_t *input;       /* what read(2) brings; NULL for memory */
    const uint8_t *ahead; /* what is left of the input, or of the memory */
    size_t n_ahead;
    bool has_begun;
    Lz4Reader *unpacker; /* NULL: plain bytes */
} ByteSource;

/* False leaves *s untouched; the message is "cannot open PATH: …". */
bool bytesource_init_file(ByteSource *s, const char *path, GError **error) HS_MUST_USE;
/* data must outlive s. */
void bytesource_init_memory(ByteSource *s, const void *data, size_t n, const char *name);
void bytesource_clear(ByteSource *s);

/* n bytes to `to`; fewer only at the end. Negative: "cannot read PATH: …" in *error. */
ssize_t bytesource_read(ByteSource *s, uint8_t *to, size_t n, GError **error);
/* At the end: whether a compressed file ends where it should not. */
bool bytesource_is_cut_short(const ByteSource *s);
