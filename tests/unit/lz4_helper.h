/* Compressed files of tests: unpacked by sim/trace/lz4reader, and by lz4(1) where it is installed, which has
 * to agree. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/bytesource.h"

/* What the reader makes of n bytes; NULL and *error: it refuses. */
static inline GByteArray *lz4_unpack(const void *packed, size_t n, bool *is_cut_short, GError **error)
{
    GByteArray *out = g_byte_array_new();
    uint8_t piece[1000];
    ByteSource s;
    ssize_t k;

    bytesource_init_memory(&s, packed, n, "x.lz4");
    while ((k = bytesource_read(&s, piece, sizeof piece, error)) > 0)
        g_byte_array_append(out, piece, (guint)k);
    *is_cut_short = bytesource_is_cut_short(&s);
    bytesource_clear(&s);
    if (k < 0) {
        g_byte_array_unref(out);
        return NULL;
    }
    return out;
}

/* Our reader makes these bytes of the file; one that is still being written has no end mark yet. */
static inline void lz4_assert_unpacks(const char *path, const void *expected, size_t n)
{
    bool is_cut_short;
    GError *error = NULL;
    gsize n_packed;
    GByteArray *got;
    char *packed;

    g_assert_true(g_file_get_contents(path, &packed, &n_packed, NULL));
    got = lz4_unpack(packed, n_packed, &is_cut_short, &error);
    g_assert_no_error(error);
    g_assert_false(is_cut_short);
    g_assert_cmpmem(got->data, got->len, expected, n);
    g_byte_array_unref(got);
    g_free(packed);
}

/* The file holds these bytes, compressed, and nothing is wrong with it, for lz4(1) either. */
static inline void lz4_assert_holds(const char *path, const void *expected, size_t n)
{
    char *program = g_find_program_in_path("lz4");
    char *unpacked;
    gsize n_unpacked;

    lz4_assert_unpacks(path, expected, n);
    if (program) {
        char *to = g_strconcat(path, ".out", NULL);
        char *argv[] = {program, (char *)"-dqf", (char *)path, to, NULL};
        int status;

        g_assert_true(g_spawn_sync(NULL, argv, NULL, 0, NULL, NULL, NULL, NULL, &status, NULL));
        g_assert_cmpint(status, ==, 0);
        g_assert_true(g_file_get_contents(to, &unpacked, &n_unpacked, NULL));
        g_assert_cmpmem(unpacked, n_unpacked, expected, n);
        g_free(unpacked);
        g_unlink(to);
        g_free(to);
    }
    g_free(program);
}
