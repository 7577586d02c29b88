#include "sim/base/suggest.h"

#include <glib.h>

#include "sim/base/base.h"

static const char *const options[] = {"rate", "delay",     "loss",    "jitter", "queue",
                                      "mtu",  "duplicate", "reorder", "Mbps",   "mbps"};

static void test_words(void)
{
    static const struct {
        const char *word, *want;
    } cases[] = {
        {"dealy", "delay"},  /* swapped neighbours: one edit */
        {"dellay", "delay"}, /* one letter too many */
        {"dlay", "delay"},   /* one lost */
        {"relay", "delay"},  /* one wrong */
        {"Rate", "rate"},    /* a capital */
        {"RATE", "rate"},    /* all of them */
        {"jiter", "jitter"},
        {"duplicat", "duplicate"},
        {"duplciaet", "duplicate"}, /* two swaps */
        {"reodrder", "reorder"},
        {"mut", "mtu"},
        {"MBPS", "Mbps"}, /* three wrong capitals rather than four */
        {"mbps", "mbps"},
        {"bandwidth", NULL}, /* nothing like it */
        {"xyz", NULL},
        {"x", NULL}, /* everything is one edit from one letter, and no likeness */
        {"", NULL},
        {"quick", NULL}, /* three wrong of five */
    };

    for (size_t i = 0; i < HS_ARRAY_LEN(cases); i++)
        g_assert_cmpstr(suggest_closest(cases[i].word, options, HS_ARRAY_LEN(options)), ==, cases[i].want);
}

static void test_ties(void)
{
    static const char *const ab[] = {"cat", "car"}, *const ba[] = {"car", "cat"};

    g_assert_cmpstr(suggest_closest("caz", ab, 2), ==, "cat");
    g_assert_cmpstr(suggest_closest("caz", ba, 2), ==, "car");
    g_assert_null(suggest_closest("caz", ab, 0));
}

static void test_long(void)
{
    char *word = g_strnfill(64, 'a'), *known = g_strnfill(63, 'a');
    const char *list[] = {known, word, ""};

    g_assert_null(suggest_closest(word, list, 3)); /* too long to look at */
    word[62] = '\0';
    g_assert_true(suggest_closest(word, list, 1) == known);
    g_free(word);
    g_free(known);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/suggest/words", test_words);
    g_test_add_func("/base/suggest/ties", test_ties);
    g_test_add_func("/base/suggest/long", test_long);
    return g_test_run();
}
