#include "sim/base/cells.h"

#include <glib.h>
#include <string.h>

/* Every size gives a zeroed place of its own, aligned to 8, that keeps what is written to it. */
static void test_sizes(void)
{
    enum { N = 3 };
    static uint8_t *cell[CELLS_MAX + 100][N];
    Cells c;

    cells_init(&c);
    g_assert_cmpuint(cells_bytes(&c), ==, 0); /* nothing is taken before it is needed */
    for (size_t size = 1; size < HS_ARRAY_LEN(cell); size++) {
        for (unsigned i = 0; i < N; i++) {
            cell[size][i] = cells_take(&c, size);
            g_assert_cmpuint((uintptr_t)cell[size][i] % 8, ==, 0);
            for (size_t k = 0; k < size; k++)
                g_assert_cmpuint(cell[size][i][k], ==, 0);
            memset(cell[size][i], (int)(size + i), size);
        }
    }
    for (size_t size = 1; size < HS_ARRAY_LEN(cell); size++) {
        for (unsigned i = 0; i < N; i++) {
            for (size_t k = 0; k < size; k++)
                g_assert_cmpuint(cell[size][i][k], ==, (uint8_t)(size + i));
            cells_give(&c, cell[size][i], size);
        }
    }
    cells_give(&c, NULL, 8);
    cells_clear(&c);
    g_assert_cmpuint(cells_bytes(&c), ==, 0);
}

/* What they are for: 1000 objects of 152 bytes take hardly more than 152 000 bytes, and what was given back
 * is taken first, zeroed again. */
static void test_cost(void)
{
    static uint64_t *cell[1000];
    Cells c;
    size_t bytes;

    if (POOL_ASAN) {
        g_test_skip("cells come from malloc under AddressSanitizer");
        return;
    }
    cells_init(&c);
    for (unsigned i = 0; i < HS_ARRAY_LEN(cell); i++)
        cell[i] = cells_take(&c, 152);
    bytes = cells_bytes(&c);
    g_assert_cmpuint(bytes, >=, 152 * HS_ARRAY_LEN(cell));
    g_assert_cmpuint(bytes, <=, 153 * HS_ARRAY_LEN(cell) + 4096);
    for (unsigned i = 0; i < 10; i++) {
        *cell[i] = 1;
        cells_give(&c, cell[i], 152);
    }
    for (unsigned i = 10; i--;) {
        uint64_t *again = cells_take(&c, 152);

        g_assert_true(again == cell[i]);
        g_assert_cmpuint(*again, ==, 0);
    }
    g_assert_cmpuint(cells_bytes(&c), ==, bytes);
    cells_clear(&c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/cells/sizes", test_sizes);
    g_test_add_func("/base/cells/cost", test_cost);
    return g_test_run();
}
