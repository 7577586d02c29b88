#include "sim/base/blocks.h"

#include <glib.h>
#include <string.h>

/* Each size comes from the smallest pool that holds it. */
static void test_sizes(void)
{
    static const struct {
        size_t bytes;
        unsigned pool;
    } cases[] = {{1, 0}, {64, 0}, {65, 1}, {128, 1}, {129, 2}, {192, 2}, {256, 2}, {257, 3}, {1 << 20, 14}};
    Blocks b;

    blocks_init(&b);
    g_assert_cmpuint(blocks_bytes(&b), ==, 0);
    for (unsigned i = 0; i < HS_ARRAY_LEN(cases); i++) {
        size_t before = b.pool[cases[i].pool].live;
        void *p = blocks_take(&b, cases[i].bytes);

        memset(p, 1, cases[i].bytes);
        g_assert_cmpuint(b.pool[cases[i].pool].live, ==, before + 1);
        g_assert_cmpuint(b.pool[cases[i].pool].stride, >=, cases[i].bytes);
        if (i & 1)
            blocks_give(&b, p, cases[i].bytes);
    }
    g_assert_cmpuint(blocks_bytes(&b), >, 1 << 20);
    blocks_clear(&b);
    g_assert_cmpuint(blocks_bytes(&b), ==, 0);
}

/* What was given last is taken first, and a full turn takes nothing more from the heap. */
static void test_reuse(void)
{
    Blocks b;
    void *p, *q;
    size_t bytes;

    blocks_init(&b);
    p = blocks_take(&b, 200);
    q = blocks_take(&b, 250);
    g_assert_true(p != q);
    blocks_give(&b, p, 200);
    blocks_give(&b, q, 250);
    blocks_give(&b, NULL, 250);
    bytes = blocks_bytes(&b);
    g_assert_true(blocks_take(&b, 256) == q);
    g_assert_true(blocks_take(&b, 129) == p);
    g_assert_cmpuint(blocks_bytes(&b), ==, bytes);
    blocks_clear(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/blocks/sizes", test_sizes);
    g_test_add_func("/base/blocks/reuse", test_reuse);
    return g_test_run();
}
