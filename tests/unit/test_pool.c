#include "sim/base/pool.h"

#include <string.h>
#include <glib.h>

static void test_lifo(void)
{
    Pool pool;

    pool_init(&pool, 24, 4);
    void *a = pool_alloc(&pool), *b = pool_alloc(&pool);
    pool_free(&pool, a);
    pool_free(&pool, b);
    g_assert_true(pool_alloc(&pool) == b);
    g_assert_true(pool_alloc(&pool) == a);
    pool_clear(&pool);
}

static void test_counters(void)
{
    void *p[10];
    Pool pool;

    pool_init(&pool, 100, 4);
    g_assert_cmpuint(pool.slabs, ==, 0); /* nothing is taken before it is needed */
    g_assert_cmpuint(pool.bytes, ==, 0);
    for (int i = 0; i < 10; i++)
        p[i] = pool_alloc(&pool);
    g_assert_cmpuint(pool.live, ==, 10);
    g_assert_cmpuint(pool.slabs, ==, 3); /* 10 objects in fours */
    g_assert_cmpuint(pool.bytes, ==, 3 * (16 + 4 * 112));
    for (int i = 0; i < 10; i++)
        pool_free(&pool, p[i]);
    pool_free(&pool, NULL);
    g_assert_cmpuint(pool.live, ==, 0);
    g_assert_cmpuint(pool.peak, ==, 10);
    g_assert_cmpuint(pool.slabs, ==, 3);
    for (int i = 0; i < 10; i++)
        p[i] = pool_alloc(&pool);
    g_assert_cmpuint(pool.slabs, ==, 3); /* reused, not grown */
    pool_clear(&pool);                   /* live objects included */
    g_assert_cmpuint(pool.slabs + pool.bytes + pool.live, ==, 0);
    g_assert_cmpuint(pool.peak, ==, 10);
    p[0] = pool_alloc(&pool);
    memset(p[0], 1, 100);
    g_assert_cmpuint(pool.slabs, ==, 1);
    pool_clear(&pool);
    pool_clear(&pool);
}

/* Objects are aligned, apart from each other, and keep what is written to them. */
static void test_objects(void)
{
    static const size_t sizes[] = {1, 7, 8, 16, 63, 64, 65, 300}, aligns[] = {16, POOL_CACHELINE, 4096};
    enum { N = 50 };

    for (size_t s = 0; s < HS_ARRAY_LEN(sizes); s++) {
        for (size_t a = 0; a < HS_ARRAY_LEN(aligns); a++) {
            uint8_t *p[N];
            Pool pool;
            pool_init_aligned(&pool, sizes[s], 7, aligns[a]);
            for (int i = 0; i < N; i++) {
                p[i] = pool_alloc(&pool);
                g_assert_cmpuint((uintptr_t)p[i] % aligns[a], ==, 0);
                memset(p[i], i, sizes[s]);
            }
            for (int i = 0; i < N; i++) {
                for (size_t k = 0; k < sizes[s]; k++)
                    g_assert_cmpuint(p[i][k], ==, (unsigned)i);
            }
            for (int i = 0; i < N; i += 2)
                pool_free(&pool, p[i]);
            for (int i = 1; i < N; i += 2)
                g_assert_cmpuint(p[i][sizes[s] - 1], ==, (unsigned)i);
            pool_clear(&pool);
        }
    }
}

static void test_poison(void)
{
#if POOL_ASAN
    Pool pool;
    pool_init(&pool, 32, 4);
    char *p = pool_alloc(&pool);
    g_assert_false(__asan_address_is_poisoned(p + 31));
    pool_free(&pool, p);
    g_assert_true(__asan_address_is_poisoned(p));
    g_assert_true(__asan_address_is_poisoned(p + 31));
    g_assert_true(pool_alloc(&pool) == p);
    g_assert_false(__asan_address_is_poisoned(p));
    pool_clear(&pool);
#else
    g_test_skip("needs AddressSanitizer");
#endif
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/pool/lifo", test_lifo);
    g_test_add_func("/base/pool/counters", test_counters);
    g_test_add_func("/base/pool/objects", test_objects);
    g_test_add_func("/base/pool/poison", test_poison);
    return g_test_run();
}
