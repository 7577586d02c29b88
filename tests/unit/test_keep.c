/* lab/run: which kinds of files a run's folder gets, and that no two files have the same name. */
#include "lab/run/keep.h"

#include <glib.h>
#include <string.h>

#include "lab/run/outputs_names.h"

static void assert_keeps(const char *list, unsigned expected)
{
    char *error = NULL;
    unsigned kinds = 99;

    g_assert_true(keep_parse(list, &kinds, &error));
    g_assert_null(error);
    g_assert_cmpuint(kinds, ==, expected);
}

static void assert_wrong(const char *list, const char *said)
{
    char *error = NULL;
    unsigned kinds;

    g_assert_false(keep_parse(list, &kinds, &error));
    g_assert_nonnull(strstr(error, said));
    g_free(error);
}

static void test_parse(void)
{
    assert_keeps("all", KEEP_ALL);
    assert_keeps("manifest", 0);
    assert_keeps("captures", KEEP_CAPTURES);
    assert_keeps("series, events", KEEP_SERIES | KEEP_EVENTS);
    assert_keeps("manifest,pictures", KEEP_PICTURES);
    assert_wrong("capture", "\"capture\" is nothing to keep");
    assert_wrong("capture", "did you mean captures?");
    assert_wrong("", "\"\" is nothing to keep");
    assert_wrong("all,", "\"\" is nothing to keep");
}

/* What a manifest says is what --keep reads. */
static void test_names(void)
{
    unsigned all = 0;

    for (unsigned i = 0; keep_name(i); i++) {
        assert_keeps(keep_name(i), 1u << i);
        all |= 1u << i;
    }
    g_assert_cmpuint(all, ==, KEEP_ALL);
}

static void test_claims(void)
{
    OutputsNames *n = outputs_names_new();
    GError *error = NULL;

    g_assert_true(outputs_names_claim(n, "out/a.pcapng", "--pcap", &error));
    g_assert_true(outputs_names_claim(n, "out/b.tsv", "hs.series", &error));
    g_assert_false(outputs_names_claim(n, "out/./a.pcapng", "hs.capture", &error));
    g_assert_cmpstr(
        error->message, ==,
        "two files would be called out/./a.pcapng: that of --pcap and that of hs.capture; expected "
        "another name");
    g_clear_error(&error);
    g_assert_false(outputs_names_claim_plot(n, "out/b.svg", "hs.plot", &error)); /* its data */
    g_clear_error(&error);
    g_assert_true(outputs_names_claim_plot(n, "out/c.svg", "hs.plot", &error));
    g_assert_false(outputs_names_claim(n, "out/c.gp", "hs.series", NULL));
    outputs_names_free(n);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lab/keep/parse", test_parse);
    g_test_add_func("/lab/keep/names", test_names);
    g_test_add_func("/lab/outputs_names/claims", test_claims);
    return g_test_run();
}
