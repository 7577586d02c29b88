/* sim/trace/lz4frame: bytes as the format's document has them, and any sequence of calls unpacks to what was
 * said. */
#include "sim/trace/lz4frame.h"

#include "tests/unit/lz4_helper.h"

static char *dir, *path;

static void match(Lz4Frame *z, uint32_t distance, size_t n)
{
    Lz4Out o = lz4frame_begin(z);

    lz4out_match(&o, distance, n);
    lz4frame_end(z, o, n);
}

static void finish(Lz4Frame *z, const void *expected, size_t n)
{
    GError *error = NULL;

    g_assert_true(lz4frame_close(z, &error));
    g_assert_no_error(error);
    lz4_assert_holds(path, expected, n);
}

static void test_bytes(void)
{
    static const uint8_t want[] = {
        0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, /* independent blocks of up to 4 MiB, no checksums */
        20,   0,    0,    0,                      /* length of the block */
        0x40, 'a',  'b',  'c',  'd',  4,    0,    /* 4 literals, match of 4, 4 back */
        0xc0, 'l',  'i',  't',  'e',  'r',  'a',  'l', 's', ' ', '!', '!', '!', /* 12 literals end it */
        0,    0,    0,    0,                                                    /* the end mark */
    };
    Lz4Frame *z = lz4frame_open(path, NULL, NULL);
    char *got;
    gsize n;

    lz4frame_put(z, "abcd", 4);
    g_assert_cmpuint(lz4frame_reach(z), ==, 4);
    match(z, 4, 4);
    lz4frame_put(z, "literals !!!", 12);
    finish(z, "abcdabcdliterals !!!", 20);
    g_assert_true(g_file_get_contents(path, &got, &n, NULL));
    g_assert_cmpmem(got, n, want, sizeof want);
    g_free(got);
}

/* Lengths around each place where the format takes another byte. */
static void test_lengths(void)
{
    static const unsigned lengths[] = {4,   5,   14,  15,  16,  18,  19,  20,   269,  270,
                                       271, 273, 274, 275, 524, 529, 530, 4000, 65535};

    for (unsigned i = 0; i < HS_ARRAY_LEN(lengths); i++) {
        for (unsigned k = 0; k < HS_ARRAY_LEN(lengths); k++) {
            unsigned n = lengths[i], m = lengths[k];
            GByteArray *a = g_byte_array_new();
            Lz4Frame *z = lz4frame_open(path, NULL, NULL);

            for (unsigned j = 0; j < n; j++)
                g_byte_array_append(a, &(uint8_t){(uint8_t)(j * j >> 3)}, 1);
            lz4frame_put(z, a->data, n);
            match(z, HS_MIN(n, 65535u), m);
            for (unsigned j = 0; j < m; j++)
                g_byte_array_append(a, &(uint8_t){a->data[j]}, 1);
            lz4frame_put(z, "that is the end", 15);
            g_byte_array_append(a, (const uint8_t *)"that is the end", 15);
            g_assert_true(lz4frame_close(z, NULL));
            lz4_assert_unpacks(path, a->data, a->len);
            g_byte_array_unref(a);
        }
    }
}

/* A model of the stream beside the frame; matches only as far as the frame says. */
static void test_any(void)
{
    for (unsigned seed = 0; seed < 12; seed++) {
        GRand *rand = g_rand_new_with_seed(seed);
        GByteArray *a = g_byte_array_new();
        Lz4Frame *z = lz4frame_open(path, NULL, NULL);
        uint8_t *bytes = g_malloc(200000);
        unsigned n_blocks = 0; /* begun */
        uint64_t block_pos = 0, last_pos = 0;

        for (unsigned i = 0; i < 200000; i++)
            bytes[i] = (uint8_t)g_rand_int(rand);
        for (unsigned i = 0; i < 4000; i++) {
            uint32_t reach = lz4frame_reach(z);

            g_assert_cmpuint(reach, <=, LZ4_MAX_DISTANCE);
            /* Out of reach of all that is in the block before. */
            g_assert_true(z->block_pos == block_pos || z->block_pos > last_pos + LZ4_MAX_DISTANCE);
            block_pos = z->block_pos;
            last_pos = z->pos;
            g_assert_cmpuint((z->pos - a->len) % (LZ4_MAX_DISTANCE + 1), ==, 0);
            n_blocks = (unsigned)((z->pos - a->len) / (LZ4_MAX_DISTANCE + 1));
            if (reach && g_rand_boolean(rand)) {
                uint32_t distance = (uint32_t)g_rand_int_range(rand, 1, (gint32)reach + 1);
                unsigned n = (unsigned)g_rand_int_range(rand, 4, g_rand_int(rand) % 20 ? 100 : 70000);

                match(z, distance, n);
                g_byte_array_set_size(a, a->len + n);
                for (unsigned j = a->len - n; j < a->len; j++)
                    a->data[j] = a->data[j - distance];
            } else {
                unsigned n = (unsigned)g_rand_int_range(rand, 0, g_rand_int(rand) % 50 ? 40 : 200000);

                if (!reach)
                    n = HS_MAX(n, 12u);
                lz4frame_put(z, bytes, n);
                g_byte_array_append(a, bytes, n);
                if (n >= 12 && g_rand_int(rand) % 50 == 0)
                    lz4frame_flush(z);
            }
        }
        lz4frame_put(z, bytes, 12);
        g_byte_array_append(a, bytes, 12);
        g_assert_cmpuint(n_blocks, >, 3);
        finish(z, a->data, a->len);
        g_byte_array_unref(a);
        g_rand_free(rand);
        g_free(bytes);
    }
}

/* Blocks end by themselves, before either limit; what is more than a block goes on in the next. */
static void test_blocks(void)
{
    size_t n = (size_t)9 << 20;
    uint8_t *bytes = g_malloc(n);
    Lz4Frame *z = lz4frame_open(path, NULL, NULL);
    uint64_t block_pos, pos;

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * i >> 11);
    lz4frame_put(z, bytes, n);
    finish(z, bytes, n);
    z = lz4frame_open(path, NULL, NULL);
    block_pos = z->block_pos;
    memset(bytes, 'x', n);
    lz4frame_put(z, bytes, 20);
    while (lz4frame_reach(z))
        match(z, 20, 60000);
    g_assert_cmpuint(z->block_pos, ==, block_pos);
    g_assert_cmpuint(z->pos - block_pos, <=, 4 << 20);
    lz4frame_put(z, bytes, 11);
    g_assert_cmpuint(z->block_pos, ==, block_pos); /* too little behind a match for a block to end */
    g_assert_cmpuint(lz4frame_reach(z), ==, 0);
    pos = z->pos - block_pos;
    lz4frame_put(z, bytes, 1);
    g_assert_cmpuint(z->block_pos, ==, block_pos + pos + 1 + LZ4_MAX_DISTANCE + 1);
    g_assert_cmpuint(z->pos, ==, z->block_pos);
    lz4frame_put(z, bytes, 5);
    finish(z, bytes, pos + 6);
    g_free(bytes);
}

static void test_empty_and_failed(void)
{
    GError *error = NULL;
    Lz4Frame *z = lz4frame_open(path, NULL, NULL);

    lz4frame_flush(z);
    g_assert_cmpuint(lz4frame_size(z), ==, 7);
    finish(z, "", 0);
    g_assert_null(lz4frame_open("/nowhere/x.lz4", NULL, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_clear_error(&error);
    z = lz4frame_open("/dev/full", NULL, &error);
    g_assert_no_error(error);
    lz4frame_put(z, "twelve bytes", 12);
    lz4frame_flush(z);
    g_assert_true(lz4frame_has_failed(z));
    g_assert_false(lz4frame_close(z, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    g_clear_error(&error);
    lz4frame_discard(NULL);
    z = lz4frame_open(path, NULL, NULL);
    lz4frame_discard(z);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS)); /* set aside: sim/trace/outfile.h */
}

int main(int argc, char **argv)
{
    int status;
    char *aside;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("lz4frame-XXXXXX", NULL);
    path = g_build_filename(dir, "x.lz4", NULL);
    g_test_add_func("/trace/lz4frame/bytes", test_bytes);
    g_test_add_func("/trace/lz4frame/lengths", test_lengths);
    g_test_add_func("/trace/lz4frame/any", test_any);
    g_test_add_func("/trace/lz4frame/blocks", test_blocks);
    g_test_add_func("/trace/lz4frame/empty-and-failed", test_empty_and_failed);
    status = g_test_run();
    aside = g_strconcat(path, ".incomplete", NULL);
    g_unlink(aside);
    g_unlink(path);
    g_rmdir(dir);
    g_free(aside);
    g_free(path);
    g_free(dir);
    return status;
}
