#include "tests/unit/test_impair_helper.h"
#include "tests/unit/test_link_helper.h"

#define LIST(...)                                                                                            \
    {                                                                                                        \
        .set = true, .list = (const uint64_t[]){__VA_ARGS__},                                                \
        .list_len = sizeof((uint64_t[]){__VA_ARGS__}) / 8                                                    \
    }

/* "The 3rd and 7th", and no other; frames that it is not asked about do not confuse it; no random numbers. */
static void test_list(void)
{
    ImpairVerdict v;
    Rng rng, start;
    Impair *im = impair_make("list", (ImpairValue[]){LIST(3, 7, 8, 1000)}, &rng);

    start = rng;
    for (uint64_t k = 1; k <= 2000; k++) {
        if (k == 7)
            continue;
        impair_ask(im, k, 1000, &v);
        g_assert_cmpint(v.drop, ==, k == 3 || k == 8 || k == 1000 ? DROP_LOSS_LIST : DROP_NONE);
    }
    g_assert_cmpuint(im->hits, ==, 3);
    g_assert_cmpuint(rng_distance(start, &rng), ==, 0);
    impair_free(im);
}

/* On a link: each direction counts its own frames; copies have no number. */
static void test_on_link(void)
{
    static const unsigned left[] = {1, 2, 4, 5, 6, 8, 9, 10};
    Bed b;

    bed_start(&b, 0, 0);
    bed_impair(&b, impair_ops_by_name("list"), (ImpairValue[]){LIST(3, 7)});
    bed_impair(&b, impair_ops_by_name("duplicate"), (ImpairValue[]){RATIO(1), UNSET, UNSET});
    for (int i = 0; i < 10; i++) {
        port_send(&b.port[1].port, bed_packet(&b, 60));
        b.next_id--;
        bed_send(&b, 60);
    }
    bed_run(&b, SIM_NEVER);
    g_assert_cmpuint(b.port[0].got->len, ==, 10);
    g_assert_cmpuint(b.port[1].got->len, ==, 16);
    for (unsigned i = 0; i < 16; i++)
        g_assert_cmpuint(bed_got(&b, 1, i)->id, ==, left[i / 2]);
    bed_end(&b);
}

static void test_errors(void)
{
    const char *order = "list: frames must be frame numbers from 1 on, in ascending order, at least one";

    impair_refuses("list", (ImpairValue[]){UNSET},
                   "list: the frames are missing (expected frames = { 3, 7 })");
    impair_refuses("list", (ImpairValue[]){LIST(7, 3)}, order);
    impair_refuses("list", (ImpairValue[]){LIST(3, 3)}, order);
    impair_refuses("list", (ImpairValue[]){LIST(0, 3)}, order);
    impair_refuses("list", (ImpairValue[]){{.set = true}}, order);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/impair/list/exact", test_list);
    g_test_add_func("/link/impair/list/on-link", test_on_link);
    g_test_add_func("/link/impair/list/errors", test_errors);
    return g_test_run();
}
