/* sim/trace/lz4reader: frames of others, put together here byte by byte from the format's document, and
 * hostile ones. */
#include "sim/trace/lz4reader.h"

#include "tests/unit/lz4_helper.h"

#define MAGIC "\x04\x22\x4d\x18"
#define HEAD MAGIC "\x60\x40\x82" /* independent blocks of up to 64 KiB; the last byte is not looked at */
#define END "\0\0\0\0"

typedef struct Case {
    const char *name, *packed;
    size_t n;
    const char *expected; /* bytes, or what the message says */
    size_t n_expected;
} Case;

#define CASE(name, packed, expected)                                                                         \
    {                                                                                                        \
        name, packed, sizeof(packed) - 1, expected, sizeof(expected) - 1                                     \
    }

static const Case good[] = {
    CASE("nothing", HEAD END, ""),
    CASE("literals",
         HEAD "\x05\0\0\0\x40"
              "abcd" END,
         "abcd"),
    CASE("a match that repeats itself",
         HEAD "\x08\0\0\0\x14"
              "a"
              "\x01\0"
              "\x30"
              "xyz" END,
         "aaaaaaaaaxyz"),
    CASE("two blocks",
         HEAD "\x02\0\0\0\x10"
              "a"
              "\x02\0\0\0\x10"
              "b" END,
         "ab"),
    CASE("an empty block",
         HEAD "\x01\0\0\0\0"
              "\x02\0\0\0\x10"
              "b" END,
         "b"),
    CASE("linked blocks",
         MAGIC "\x40\x40\0"
               "\x05\0\0\0\x40"
               "abcd"
               "\x07\0\0\0\x01\x04\0\x30"
               "xyz" END,
         "abcdabcdaxyz"),
    CASE("a stored block",
         HEAD "\x04\0\0\x80"
              "abcd" END,
         "abcd"),
    CASE("a stored block in the window",
         MAGIC "\x40\x40\0"
               "\x04\0\0\x80"
               "abcd"
               "\x07\0\0\0\x01\x04\0\x30"
               "xyz" END,
         "abcdabcdaxyz"),
    CASE("content size",
         MAGIC "\x68\x40\x01\0\0\0\0\0\0\0\0"
               "\x02\0\0\0\x10"
               "a" END,
         "a"),
    CASE("checksums of blocks and content",
         MAGIC "\x74\x40\0"
               "\x02\0\0\0\x10"
               "a"
               "1234"
               "\x01\0\0\x80"
               "b"
               "1234" END "1234",
         "ab"),
    CASE("two frames",
         HEAD "\x02\0\0\0\x10"
              "a" END MAGIC "\x60\x70\x73"
              "\x02\0\0\0\x10"
              "b" END,
         "ab"),
    CASE("a frame to skip",
         HEAD "\x02\0\0\0\x10"
              "a" END "\x5f\x2a\x4d\x18\x03\0\0\0"
              "abc" HEAD "\x02\0\0\0\x10"
              "b" END,
         "ab"),
    CASE("nobody wrote the end mark",
         HEAD "\x02\0\0\0\x10"
              "a",
         "a"),
};

static const Case bad[] = {
    CASE("a block too long", HEAD "\x01\0\x01\0",
         "x.lz4: byte 11: compressed block of 65537 bytes, expected at most 65536"),
    CASE("a stored block too long", HEAD "\x01\0\x01\x80",
         "x.lz4: byte 11: compressed block of 65537 bytes, expected at most 65536"),
    CASE("literals that are not there",
         HEAD "\x03\0\0\0\x30"
              "ab" END,
         "x.lz4: byte 7: compressed block has literals beyond the end of the block"),
    CASE("a length that does not end", HEAD "\x03\0\0\0\xf0\xff\xff" END,
         "x.lz4: byte 7: compressed block has literals beyond the end of the block"),
    CASE("half a distance",
         HEAD "\x03\0\0\0\x10"
              "a"
              "\x01" END,
         "x.lz4: byte 7: compressed block has a match beyond the end of the block"),
    CASE("a match's length that does not end",
         HEAD "\x05\0\0\0\x1f"
              "a"
              "\x01\0\xff" END,
         "x.lz4: byte 7: compressed block has a match beyond the end of the block"),
    CASE("no distance",
         HEAD "\x05\0\0\0\x10"
              "a"
              "\0\0\0" END,
         "x.lz4: byte 7: compressed block has a match with bytes before the beginning"),
    CASE("a distance too far",
         HEAD "\x05\0\0\0\x10"
              "a"
              "\x02\0\0" END,
         "x.lz4: byte 7: compressed block has a match with bytes before the beginning"),
    CASE("a dictionary",
         MAGIC "\x61\x40"
               "1234\0",
         "x.lz4: byte 6: LZ4 frame needs a dictionary"),
    CASE("version 2", MAGIC "\xa0\x40\0", "x.lz4: byte 6: LZ4 frame descriptor a0 40 is of no known version"),
    CASE("blocks of no size", MAGIC "\x60\x30\0",
         "x.lz4: byte 6: LZ4 frame descriptor 60 30 is of no known version"),
    CASE("something behind the frame", HEAD END "abcd",
         "x.lz4: byte 11: magic number 61 62 63 64, expected 04 22 4d 18 (LZ4)"),
};

static void test_good(void)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(good); i++) {
        GError *error = NULL;
        bool is_cut;
        GByteArray *got = lz4_unpack(good[i].packed, good[i].n, &is_cut, &error);

        g_test_message("%s", good[i].name);
        g_assert_no_error(error);
        g_assert_false(is_cut);
        g_assert_cmpmem(got->data, got->len, good[i].expected, good[i].n_expected);
        g_byte_array_unref(got);
    }
}

/* Wherever a file ends, what is whole is there. Only an end behind the frame's head or behind a block is no
 * surprise: whoever was killed while writing left it. */
static void test_cut_short(void)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(good); i++) {
        for (size_t n = 4; n < good[i].n; n++) {
            GError *error = NULL;
            bool is_cut;
            uint8_t *copy = g_memdup2(good[i].packed, n); /* for the sanitizer: nothing behind it is read */
            GByteArray *got = lz4_unpack(copy, n, &is_cut, &error);

            g_assert_no_error(error);
            g_assert_cmpmem(got->data, got->len, good[i].expected, got->len);
            if (i == 1) { /* head 7, length 4, block 5, end mark 4 */
                g_assert_cmpint(is_cut, ==, n != 7 && n != 16);
                g_assert_cmpuint(got->len, ==, n < 16 ? 0 : 4);
            }
            g_byte_array_unref(got);
            g_free(copy);
        }
    }
}

static void test_bad(void)
{
    for (unsigned i = 0; i < HS_ARRAY_LEN(bad); i++) {
        GError *error = NULL;
        bool is_cut;

        g_test_message("%s", bad[i].name);
        g_assert_null(lz4_unpack(bad[i].packed, bad[i].n, &is_cut, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL);
        g_assert_cmpstr(error->message, ==, bad[i].expected);
        g_clear_error(&error);
    }
}

/* A block may unpack to its limit, and to no byte more. */
static void test_limit(void)
{
    for (unsigned more = 0; more < 2; more++) {
        GByteArray *a = g_byte_array_new();
        GError *error = NULL;
        GByteArray *got;
        uint8_t length[4] = {0};
        unsigned n = 65536 - 1 - 19 - 5 + more; /* 1 literal, 19 of the match, n in its length, 5 literals */
        bool is_cut;

        g_byte_array_append(a, (const uint8_t *)HEAD, 7);
        g_byte_array_append(a, length, 4);
        g_byte_array_append(a,
                            (const uint8_t *)"\x1f"
                                             "a"
                                             "\1\0",
                            4);
        for (; n >= 255; n -= 255)
            g_byte_array_append(a, (const uint8_t *)"\xff", 1);
        g_byte_array_append(a, &(uint8_t){(uint8_t)n}, 1);
        g_byte_array_append(a,
                            (const uint8_t *)"\x50"
                                             "ababa",
                            6);
        a->data[7] = (uint8_t)(a->len - 11);
        a->data[8] = (uint8_t)((a->len - 11) >> 8);
        g_byte_array_append(a, (const uint8_t *)END, 4);
        got = lz4_unpack(a->data, a->len, &is_cut, &error);
        if (more) {
            g_assert_null(got);
            g_assert_cmpstr(error->message, ==,
                            "x.lz4: byte 7: compressed block has more bytes than the block may have");
            g_clear_error(&error);
        } else {
            g_assert_no_error(error);
            g_assert_cmpuint(got->len, ==, 65536);
            g_byte_array_unref(got);
        }
        g_byte_array_unref(a);
    }
}

/* What lz4(1) makes by itself: linked blocks, checksums, every block size. */
static void test_of_the_tool(void)
{
    char *program = g_find_program_in_path("lz4");
    char *dir, *path, *to;
    size_t n = 700000;
    uint8_t *bytes;
    static const char *const flags[] = {"-qfB4", "-qfB5D", "-qfB7X", "-qf9", "-qfBX"};

    if (!program) {
        g_test_skip("no lz4(1)");
        return;
    }
    bytes = g_malloc(n);
    for (size_t i = 0; i < n; i++) /* repeats itself from far and from near */
        bytes[i] = (uint8_t)(i % 60000 * (i % 60000) >> 9 ^ i / 100000);
    dir = g_dir_make_tmp("lz4reader-XXXXXX", NULL);
    path = g_build_filename(dir, "x", NULL);
    to = g_build_filename(dir, "x.lz4", NULL);
    g_assert_true(g_file_set_contents(path, (const char *)bytes, (gssize)n, NULL));
    for (unsigned i = 0; i < HS_ARRAY_LEN(flags); i++) {
        char *argv[] = {program, (char *)flags[i], path, to, NULL};

        g_assert_true(
            g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL, NULL, NULL));
        lz4_assert_holds(to, bytes, n);
    }
    g_unlink(path);
    g_unlink(to);
    g_rmdir(dir);
    g_free(path);
    g_free(to);
    g_free(dir);
    g_free(bytes);
    g_free(program);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/lz4reader/good", test_good);
    g_test_add_func("/trace/lz4reader/cut-short", test_cut_short);
    g_test_add_func("/trace/lz4reader/bad", test_bad);
    g_test_add_func("/trace/lz4reader/limit", test_limit);
    g_test_add_func("/trace/lz4reader/of-the-tool", test_of_the_tool);
    return g_test_run();
}
