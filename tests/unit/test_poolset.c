#include "sim/base/poolset.h"

#include <glib.h>

static void test_shared(void)
{
    PoolSet set = {NULL};
    Pool *a = poolset_get(&set, "tcp.a", 40, 8), *b = poolset_get(&set, "tcp.b", 40, 8);
    void *x;

    g_assert_true(a != b);
    g_assert_true(poolset_get(&set, "tcp.a", 40, 8) == a);
    x = pool_alloc(a);
    pool_free(a, x);
    g_assert_true(pool_alloc(poolset_get(&set, "tcp.a", 40, 8)) == x); /* whoever asks: last in, first out */
    poolset_clear(&set);
}

static void test_bytes(void)
{
    PoolSet set = {NULL};
    Pool *a = poolset_get(&set, "tcp.a", 100, 4), *u = poolset_get(&set, "udp.u", 100, 4);

    g_assert_cmpuint(poolset_bytes(&set, "tcp."), ==, 0); /* nothing before the first object */
    pool_alloc(a);
    pool_alloc(u);
    g_assert_cmpuint(poolset_bytes(&set, "tcp."), ==, a->bytes);
    g_assert_cmpuint(poolset_bytes(&set, ""), ==, a->bytes + u->bytes);
    poolset_clear(&set);
    g_assert_cmpuint(poolset_bytes(&set, ""), ==, 0);
}

/* One object of a name, empty at first. */
static void test_one(void)
{
    PoolSet set = {NULL};
    uint64_t *a = poolset_one(&set, "tcp.one", 3 * sizeof *a);

    g_assert_cmpuint(a[0] | a[1] | a[2], ==, 0);
    a[2] = 7;
    g_assert_true(poolset_one(&set, "tcp.one", 3 * sizeof *a) == a);
    g_assert_true(poolset_one(&set, "tcp.other", 3 * sizeof *a) != a);
    g_assert_cmpuint(poolset_bytes(&set, "tcp.one"), >=, 3 * sizeof *a);
    poolset_clear(&set);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/poolset/shared", test_shared);
    g_test_add_func("/base/poolset/bytes", test_bytes);
    g_test_add_func("/base/poolset/one", test_one);
    return g_test_run();
}
