/* sim/trace/outfile: what stands on the disk after success, failure and change of mind. */
#include "sim/trace/outfile.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;

static char *in_dir(const char *name)
{
    return g_build_filename(dir, name, NULL);
}

static bool exists(const char *name)
{
    char *path = in_dir(name);
    bool is_there = g_file_test(path, G_FILE_TEST_EXISTS);

    g_free(path);
    return is_there;
}

static void remove_file(const char *name)
{
    char *path = in_dir(name);

    g_unlink(path);
    g_free(path);
}

static void assert_content(const char *name, const char *expected)
{
    char *path = in_dir(name), *content;
    GError *error = NULL;

    g_file_get_contents(path, &content, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(content, ==, expected);
    g_free(content);
    g_free(path);
}

static OutFile *open_ok(const char *name, OutFileMode mode)
{
    char *path = in_dir(name);
    GError *error = NULL;
    OutFile *f = outfile_open(path, mode, &error);

    g_assert_no_error(error);
    g_assert_nonnull(f);
    g_free(path);
    return f;
}

static void close_ok(OutFile *f)
{
    GError *error = NULL;

    g_assert_true(outfile_close(f, &error));
    g_assert_no_error(error);
}

static void test_whole(void)
{
    OutFile *f = open_ok("a.tsv", OUTFILE_WHOLE);

    outfile_printf(f, "%s\t%d\n", "cwnd", 10);
    outfile_flush(f);
    g_assert_false(exists("a.tsv")); /* nothing half-written has the name */
    g_assert_true(exists("a.tsv.part"));
    g_assert_cmpuint(outfile_size(f), ==, 8);
    close_ok(f);
    g_assert_false(exists("a.tsv.part"));
    assert_content("a.tsv", "cwnd\t10\n");

    /* Giving up leaves the older file alone. */
    f = open_ok("a.tsv", OUTFILE_WHOLE);
    outfile_write(f, "new", 3);
    outfile_discard(f);
    g_assert_false(exists("a.tsv.part"));
    assert_content("a.tsv", "cwnd\t10\n");
    remove_file("a.tsv");
}

static void test_stream(void)
{
    OutFile *f = open_ok("a.log", OUTFILE_STREAM);

    outfile_write(f, "one\n", 4);
    outfile_flush(f);
    assert_content("a.log", "one\n");
    outfile_write(f, "two\n", 4);
    outfile_discard(f);
    g_assert_false(exists("a.log"));
    assert_content("a.log.incomplete", "one\ntwo\n");
    remove_file("a.log.incomplete");
    outfile_discard(NULL);
}

static OutFile *open_held(const char *name, OutHold *hold)
{
    g_autofree char *path = in_dir(name);
    GError *error = NULL;
    OutFile *f = outfile_open_held(path, hold, &error);

    g_assert_no_error(error);
    return f;
}

/* Up to the release an older file stays, and giving up leaves nothing. */
static void test_held(void)
{
    OutHold *hold = outhold_new();
    OutFile *f = open_ok("h.log", OUTFILE_STREAM), *g;

    outfile_write(f, "old\n", 4);
    close_ok(f);
    f = open_held("h.log", hold);
    outfile_write(f, "new\n", 4);
    outfile_flush(f);
    assert_content("h.log", "old\n");
    outfile_discard(f);
    assert_content("h.log", "old\n");
    g_assert_false(exists("h.log.part"));
    g_assert_false(exists("h.log.incomplete"));

    f = open_held("h.log", hold);
    g = open_held("i.log", hold);
    outfile_write(f, "new\n", 4);
    outfile_write(g, "too\n", 4);
    close_ok(g); /* before the release: it is whole */
    assert_content("i.log", "too\n");
    g_assert_true(outhold_release(hold, NULL));
    g_assert_false(exists("h.log.part"));
    outfile_flush(f);
    assert_content("h.log", "new\n");
    outfile_discard(f); /* from here on like others */
    assert_content("h.log.incomplete", "new\n");
    g = open_held("i.log", hold);
    g_assert_false(exists("i.log.part"));
    close_ok(g);
    assert_content("i.log", "");
    outhold_free(hold);
    outhold_free(NULL);
    remove_file("h.log.incomplete");
    remove_file("i.log");
}

/* A link is written through, and what it points to is there until then. */
static void test_held_link(void)
{
    OutHold *hold = outhold_new();
    g_autofree char *target = in_dir("target"), *link = in_dir("link");
    OutFile *f;

    g_assert_true(g_file_set_contents(target, "a longer text", -1, NULL));
    g_assert_cmpint(symlink(target, link), ==, 0);
    f = open_held("link", hold);
    outfile_write(f, "short", 5);
    outfile_discard(f);
    assert_content("target", "a longer text");
    f = open_held("link", hold);
    outfile_write(f, "short", 5);
    g_assert_true(outhold_release(hold, NULL));
    close_ok(f);
    assert_content("target", "short");
    f = open_held("link", hold);
    close_ok(f);
    assert_content("target", "");
    outhold_free(hold);
    remove_file("link");
    remove_file("target");
}

static void check_refused(const char *name, const char *why)
{
    g_autofree char *path = in_dir(name);
    g_autofree char *message = g_strdup_printf("cannot create %s: %s", path, why);
    GError *error = NULL;

    g_assert_false(outfile_check(path, &error));
    g_assert_nonnull(error);
    g_assert_cmpstr(error->message, ==, message);
    g_error_free(error);
}

static void test_check(void)
{
    g_autofree char *path = in_dir("c.log"), *folder = in_dir("folder"), *link = in_dir("dangling");

    g_assert_true(outfile_check(path, NULL));
    g_assert_false(exists("c.log"));
    close_ok(open_ok("c.log", OUTFILE_STREAM));
    g_assert_true(outfile_check(path, NULL));
    g_assert_true(outfile_check("/dev/null", NULL));
    g_assert_true(outfile_check("here", NULL)); /* no folder in the name */
    g_assert_cmpint(g_mkdir(folder, 0777), ==, 0);
    check_refused("folder", "Is a directory");
    check_refused("folder/", "Is a directory");
    check_refused("c.log/x", "Not a directory");
    check_refused("none/x", "No such file or directory");
    g_assert_cmpint(symlink("folder", link), ==, 0);
    check_refused("dangling", "Is a directory");
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    g_assert_true(outfile_check(link, NULL)); /* opening it makes what it points to */
    remove_file("dangling");
    remove_file("c.log");
}

/* Every way to write, across many buffers' ends, against the same bytes put together in memory. */
static void test_large(void)
{
    GByteArray *expected = g_byte_array_new();
    OutFile *f = open_ok("big", OUTFILE_WHOLE);
    uint8_t *big = g_malloc(700000);
    char *path = in_dir("big"), *content;
    gsize n;

    for (unsigned i = 0; i < 700000; i++)
        big[i] = (uint8_t)(i * 7 + i / 256);
    for (unsigned i = 0; i < 4000; i++) {
        unsigned k = i * 37 % 1500;
        char text[32];

        outfile_write(f, big + i, k);
        g_byte_array_append(expected, big + i, k);
        memcpy(outfile_reserve(f, k + 10), big, k);
        outfile_commit(f, k); /* less than reserved */
        g_byte_array_append(expected, big, k);
        outfile_printf(f, "<%u>", i);
        g_snprintf(text, sizeof(text), "<%u>", i);
        g_byte_array_append(expected, (uint8_t *)text, (guint)strlen(text));
        if (i % 1000 == 0) {
            outfile_write(f, big, 700000); /* goes out beside the buffer, in order */
            g_byte_array_append(expected, big, 700000);
        }
    }
    /* A reservation beyond the buffer, grown while it is being filled. */
    memset(outfile_reserve(f, 10), 'x', 10);
    memset(outfile_grow(f, 10, 600000) + 10, 'y', 599990);
    outfile_commit(f, 600000);
    memset(big, 'x', 10);
    memset(big + 10, 'y', 599990);
    g_byte_array_append(expected, big, 600000);
    g_assert_cmpuint(outfile_size(f), ==, expected->len);
    close_ok(f);
    g_assert_true(g_file_get_contents(path, &content, &n, NULL));
    g_assert_cmpmem(content, n, expected->data, expected->len);
    g_unlink(path);
    g_free(content);
    g_free(path);
    g_free(big);
    g_byte_array_unref(expected);
}

/* Blocks that a long file got in advance are given back, and its length is what was written. */
static void test_ahead(void)
{
    const size_t piece = 100000, n = 55;
    char *bytes = g_strnfill(piece, 'x'), *path = in_dir("ahead.bin");
    OutFile *f = open_ok("ahead.bin", OUTFILE_STREAM);
    struct stat st;

    for (size_t i = 0; i < n; i++)
        outfile_write(f, bytes, piece);
    outfile_flush(f);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, (off_t)(n * piece)); /* readers who follow it see no more either */
    close_ok(f);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, (off_t)(n * piece));
    g_assert_cmpint(st.st_blocks * 512, <, (off_t)(n * piece) + (1 << 20));
    g_unlink(path);
    g_free(path);
    g_free(bytes);
}

static guint64 size_of(const char *name)
{
    char *path = in_dir(name);
    GStatBuf st;

    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_free(path);
    return (guint64)st.st_size;
}

/* What is lent comes out in order, in whole stretches at multiples of them, and all of it at last. */
static void test_lend(void)
{
    static const size_t pieces[] = {100000, 1, 300000, 262144, 5, 900000, 200000, 0, 70000};
    OutFile *f = open_ok("lent", OUTFILE_STREAM);
    char *path = in_dir("lent"), *content;
    GByteArray *all = g_byte_array_new();
    uint8_t *lent[HS_ARRAY_LEN(pieces)];
    gsize n;

    outfile_write(f, "head", 4);
    g_byte_array_append(all, (const guint8 *)"head", 4);
    for (unsigned i = 0; i < HS_ARRAY_LEN(pieces); i++) {
        lent[i] = g_malloc(pieces[i] + 1);
        for (size_t k = 0; k < pieces[i]; k++)
            lent[i][k] = (uint8_t)(k * 7 + i);
        g_byte_array_append(all, lent[i], (guint)pieces[i]);
        outfile_lend(f, lent[i], pieces[i]);
        if (i)
            memset(lent[i - 1], 0xee, pieces[i - 1]); /* it is the caller's again */
        g_assert_cmpuint(outfile_size(f), ==, all->len);
        if (i == 5) { /* one after the other, long enough: not more than one stretch is missing */
            g_assert_cmpuint(size_of("lent") % OUTFILE_STRETCH_BYTES, ==, 0);
            g_assert_cmpuint(all->len - size_of("lent"), <, OUTFILE_STRETCH_BYTES);
        } else if (i == 6) {
            outfile_flush(f);
            g_assert_cmpuint(size_of("lent"), ==, all->len);
            memset(lent[i], 0xee, pieces[i]);
        }
    }
    outfile_write(f, "tail", 4);
    g_byte_array_append(all, (const guint8 *)"tail", 4);
    g_assert_cmpuint(outfile_size(f), ==, all->len);
    close_ok(f);
    g_assert_true(g_file_get_contents(path, &content, &n, NULL));
    g_assert_cmpmem(content, n, all->data, all->len);
    for (unsigned i = 0; i < HS_ARRAY_LEN(pieces); i++)
        g_free(lent[i]);
    g_byte_array_unref(all);
    g_free(content);
    g_unlink(path);
    g_free(path);
}

static void test_no_folder(void)
{
    char *path = in_dir("none/x.svg");
    char *message = g_strdup_printf("cannot create %s: No such file or directory", path);
    GError *error = NULL;

    g_assert_null(outfile_open(path, OUTFILE_WHOLE, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_assert_cmpstr(error->message, ==, message);
    g_error_free(error);
    g_free(message);
    g_free(path);
}

/* /dev/full is a device: it is written in place, and never renamed. */
static void test_dev_full(void)
{
    GError *error = NULL;
    OutFile *f;

    if (!g_file_test("/dev/full", G_FILE_TEST_EXISTS)) {
        g_test_skip("no /dev/full here");
        return;
    }
    f = outfile_open("/dev/full", OUTFILE_WHOLE, &error);
    g_assert_no_error(error);
    outfile_write(f, "x", 1);
    outfile_flush(f);
    g_assert_true(outfile_has_failed(f));
    for (int i = 0; i < 1000; i++) { /* writers need not look: what they do is forgotten */
        memset(outfile_reserve(f, 1000), 0, 1000);
        outfile_commit(f, 1000);
    }
    g_assert_false(outfile_close(f, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    g_assert_cmpstr(error->message, ==, "cannot write /dev/full: No space left on device");
    g_error_free(error);
    g_assert_true(g_file_test("/dev/full", G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test("/dev/full.incomplete", G_FILE_TEST_EXISTS));
}

/* A disk that fills up in the middle, by RLIMIT_FSIZE: the file so far must not look whole. */
static void test_full_midway(gconstpointer mode)
{
    struct rlimit old, limit;
    char *path = in_dir("cut");
    char *message = g_strdup_printf("cannot write %s: File too large", path);
    GError *error = NULL;
    OutFile *f = open_ok("cut", GPOINTER_TO_INT(mode));

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = (struct rlimit){300000, old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 1000; i++) {
        memset(outfile_reserve(f, 1000), 'a', 1000);
        outfile_commit(f, 1000);
    }
    g_assert_false(outfile_close(f, &error));
    setrlimit(RLIMIT_FSIZE, &old);
    g_assert_cmpstr(error->message, ==, message);
    g_error_free(error);
    g_assert_false(exists("cut"));
    g_assert_false(exists("cut.part"));
    g_assert_true(exists("cut.incomplete") == (GPOINTER_TO_INT(mode) == OUTFILE_STREAM));
    remove_file("cut.incomplete");
    g_free(message);
    g_free(path);
}

static void test_broken_pipe(void)
{
    char *path = in_dir("fifo");
    char *message = g_strdup_printf("cannot write %s: Broken pipe", path);
    GError *error = NULL;
    OutFile *f;
    int reader;

    signal(SIGPIPE, SIG_IGN);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    reader = g_open(path, O_RDONLY | O_NONBLOCK, 0);
    f = open_ok("fifo", OUTFILE_STREAM);
    close(reader);
    outfile_write(f, "x", 1);
    g_assert_false(outfile_close(f, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_error_free(error);
    g_assert_true(exists("fifo"));
    g_unlink(path);
    g_free(message);
    g_free(path);
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("outfile-XXXXXX", NULL);
    g_test_add_func("/trace/outfile/whole", test_whole);
    g_test_add_func("/trace/outfile/stream", test_stream);
    g_test_add_func("/trace/outfile/held", test_held);
    g_test_add_func("/trace/outfile/held-link", test_held_link);
    g_test_add_func("/trace/outfile/check", test_check);
    g_test_add_func("/trace/outfile/large", test_large);
    g_test_add_func("/trace/outfile/ahead", test_ahead);
    g_test_add_func("/trace/outfile/lend", test_lend);
    g_test_add_func("/trace/outfile/no-folder", test_no_folder);
    g_test_add_func("/trace/outfile/dev-full", test_dev_full);
    g_test_add_data_func("/trace/outfile/full-midway/whole", GINT_TO_POINTER(OUTFILE_WHOLE),
                         test_full_midway);
    g_test_add_data_func("/trace/outfile/full-midway/stream", GINT_TO_POINTER(OUTFILE_STREAM),
                         test_full_midway);
    g_test_add_func("/trace/outfile/broken-pipe", test_broken_pipe);
    rc = g_test_run();
    g_rmdir(dir);
    g_free(dir);
    return rc;
}
