/* Longest-prefix match against a table so naive that it cannot be wrong, and the cases a random test may
 * miss. */
#include "models/ip/lpm.h"

#include <glib.h>
#include <string.h>

typedef struct {
    uint8_t prefix[16];
    unsigned plen;
    void *value;
} NaiveRoute;

typedef struct {
    unsigned key_bytes;
    GArray *routes;
} Naive;

static unsigned bit_at(const uint8_t *key, unsigned i)
{
    return key[i / 8] >> (7 - i % 8) & 1;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (bit_at(a, i) != bit_at(b, i))
            return false;
    }
    return true;
}

static NaiveRoute *naive_find(const Naive *naive, const uint8_t *prefix, unsigned plen)
{
    for (unsigned i = 0; i < naive->routes->len; i++) {
        NaiveRoute *r = &g_array_index(naive->routes, NaiveRoute, i);
        if (r->plen == plen && same_bits(r->prefix, prefix, plen))
            return r;
    }
    return NULL;
}

static void *naive_insert(Naive *naive, const uint8_t *prefix, unsigned plen, void *value)
{
    NaiveRoute *r = naive_find(naive, prefix, plen);
    if (r) {
        void *old = r->value;
        r->value = value;
        return old;
    }
    NaiveRoute new_route = {.plen = plen, .value = value};
    for (unsigned i = 0; i < plen; i++)
        new_route.prefix[i / 8] |= (uint8_t)(bit_at(prefix, i) << (7 - i % 8));
    g_array_append_val(naive->routes, new_route);
    return NULL;
}

static void *naive_remove(Naive *naive, const uint8_t *prefix, unsigned plen)
{
    NaiveRoute *r = naive_find(naive, prefix, plen);
    if (!r)
        return NULL;
    void *old = r->value;
    g_array_remove_index_fast(naive->routes, (guint)(r - (NaiveRoute *)(void *)naive->routes->data));
    return old;
}

static void *naive_lookup(const Naive *naive, const uint8_t *key)
{
    const NaiveRoute *best = NULL;
    for (unsigned i = 0; i < naive->routes->len; i++) {
        const NaiveRoute *r = &g_array_index(naive->routes, NaiveRoute, i);
        if ((!best || r->plen > best->plen) && same_bits(r->prefix, key, r->plen))
            best = r;
    }
    return best ? best->value : NULL;
}

static int route_order(gconstpointer a, gconstpointer b)
{
    const NaiveRoute *x = a, *y = b;
    int order = memcmp(x->prefix, y->prefix, sizeof x->prefix);
    return order ? order : (int)x->plen - (int)y->plen;
}

static void collect(const uint8_t *prefix, unsigned plen, void *value, void *user)
{
    Naive *seen = user;
    NaiveRoute r = {.plen = plen, .value = value};
    memcpy(r.prefix, prefix, seen->key_bytes);
    g_array_append_val(seen->routes, r);
}

/* The table visits what the naive one holds, in order of (prefix, plen). */
static void check_iteration(const Lpm *t, const Naive *naive)
{
    Naive seen = {naive->key_bytes, g_array_new(FALSE, FALSE, sizeof(NaiveRoute))};
    lpm_foreach(t, collect, &seen);
    g_assert_cmpuint(seen.routes->len, ==, naive->routes->len);
    g_assert_cmpuint(lpm_len(t), ==, naive->routes->len);
    g_array_sort(naive->routes, route_order);
    for (unsigned i = 0; i < seen.routes->len; i++) {
        const NaiveRoute *a = &g_array_index(seen.routes, NaiveRoute, i);
        const NaiveRoute *b = &g_array_index(naive->routes, NaiveRoute, i);
        g_assert_cmpmem(a->prefix, naive->key_bytes, b->prefix, naive->key_bytes);
        g_assert_cmpuint(a->plen, ==, b->plen);
        g_assert_true(a->value == b->value);
    }
    g_array_free(seen.routes, TRUE);
}

/* Keys that share leading bits, so that prefixes nest: a common stem, then noise from a random bit on. */
static void random_key(GRand *rng, unsigned key_bits, uint8_t *key)
{
    static const uint8_t stems[4] = {0x00, 0xff, 0x2a, 0xc0};
    unsigned split = (unsigned)g_rand_int_range(rng, 0, (int)key_bits + 1);
    memset(key, stems[g_rand_int_range(rng, 0, 4)], key_bits / 8);
    for (unsigned i = split; i < key_bits; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        key[i / 8] = (uint8_t)(g_rand_boolean(rng) ? key[i / 8] | bit : key[i / 8] & ~bit);
    }
}

static unsigned random_plen(GRand *rng, unsigned key_bits)
{
    switch (g_rand_int_range(rng, 0, 16)) {
    case 0:
        return 0;
    case 1:
    case 2:
        return key_bits;
    default:
        return (unsigned)g_rand_int_range(rng, 0, (int)key_bits + 1);
    }
}

static void check_lookup(const Lpm *t, const Naive *naive, const uint8_t *key)
{
    void *expected = naive_lookup(naive, key);
    g_assert_true(lpm_lookup(t, key) == expected);
    if (naive->key_bytes == 4) {
        uint32_t addr = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
        g_assert_true(lpm_lookup4(t, addr) == expected);
    }
}

/* Random walks whose target size wanders between nothing and `size_max`. */
static void run_property(unsigned key_bits, unsigned size_max, unsigned steps, guint32 seed)
{
    GRand *rng = g_rand_new_with_seed(seed);
    Naive naive = {key_bits / 8, g_array_new(FALSE, FALSE, sizeof(NaiveRoute))};
    Lpm t;
    lpm_init(&t, key_bits);
    uintptr_t next_value = 1;
    bool was_trie = false;
    unsigned grown = 0, shrunk = 0, target = size_max;

    for (unsigned step = 0; step < steps; step++) {
        uint8_t key[16];
        random_key(rng, key_bits, key);
        unsigned plen = random_plen(rng, key_bits);
        if (step % (2 * size_max) == 0)
            target = target ? 0 : size_max;
        if ((naive.routes->len < target) == (g_rand_int_range(rng, 0, 8) != 0)) {
            void *value = (void *)next_value++;
            g_assert_true(lpm_insert(&t, key, plen, value) == naive_insert(&naive, key, plen, value));
            g_assert_true(lpm_get(&t, key, plen) == value);
        } else {
            /* One in four removes a prefix that is most likely missing. */
            if (naive.routes->len && g_rand_int_range(rng, 0, 4)) {
                unsigned i = (unsigned)g_rand_int_range(rng, 0, (int)naive.routes->len);
                NaiveRoute *r = &g_array_index(naive.routes, NaiveRoute, i);
                memcpy(key, r->prefix, sizeof key);
                plen = r->plen;
            }
            g_assert_true(lpm_remove(&t, key, plen) == naive_remove(&naive, key, plen));
            g_assert_null(lpm_get(&t, key, plen));
            g_assert_null(lpm_remove(&t, key, plen));
        }
        g_assert_cmpuint(lpm_len(&t), ==, naive.routes->len);
        grown += t.is_trie && !was_trie;
        shrunk += !t.is_trie && was_trie;
        was_trie = t.is_trie;

        check_lookup(&t, &naive, key);
        random_key(rng, key_bits, key);
        check_lookup(&t, &naive, key);
        NaiveRoute *r = naive_find(&naive, key, plen);
        g_assert_true(lpm_get(&t, key, plen) == (r ? r->value : NULL));
        if (step % 64 == 0)
            check_iteration(&t, &naive);
    }
    g_assert_cmpuint(grown, >, 0);
    g_assert_cmpuint(shrunk, >, 0);

    while (naive.routes->len) {
        NaiveRoute r = g_array_index(naive.routes, NaiveRoute, 0);
        g_assert_true(lpm_remove(&t, r.prefix, r.plen) == naive_remove(&naive, r.prefix, r.plen));
    }
    g_assert_cmpuint(lpm_len(&t), ==, 0);
    g_assert_cmpuint(lpm_bytes(&t), ==, 0);
    lpm_clear(&t);
    g_array_free(naive.routes, TRUE);
    g_rand_free(rng);
}

static void test_property_32(void)
{
    run_property(32, 24, 20000, 1);
    run_property(32, 400, 8000, 2);
}

static void test_property_128(void)
{
    run_property(128, 24, 20000, 3);
    run_property(128, 400, 4000, 4);
}

/* The shortest and the longest prefixes, and every length in between, all containing one address. */
static void check_nested(unsigned key_bits)
{
    Lpm t;
    lpm_init(&t, key_bits);
    uint8_t key[16];
    for (unsigned i = 0; i < 16; i++)
        key[i] = (uint8_t)(0xa5 + 29 * i);
    g_assert_null(lpm_lookup(&t, key));
    for (unsigned plen = 0; plen <= key_bits; plen++) {
        g_assert_null(lpm_insert(&t, key, plen, (void *)(uintptr_t)(plen + 1)));
        g_assert_cmpuint((uintptr_t)lpm_lookup(&t, key), ==, plen + 1);
    }
    for (unsigned i = 0; i < key_bits; i++) {
        /* An address that differs first in bit i is matched by the prefix of i bits. */
        uint8_t other[16];
        memcpy(other, key, sizeof other);
        other[i / 8] ^= (uint8_t)(0x80 >> i % 8);
        g_assert_cmpuint((uintptr_t)lpm_lookup(&t, other), ==, i + 1);
    }
    for (unsigned plen = key_bits + 1; plen-- > 0;) {
        g_assert_cmpuint((uintptr_t)lpm_lookup(&t, key), ==, plen + 1);
        g_assert_cmpuint((uintptr_t)lpm_remove(&t, key, plen), ==, plen + 1);
    }
    g_assert_null(lpm_lookup(&t, key));
    g_assert_cmpuint(lpm_bytes(&t), ==, 0);
}

static void test_nested(void)
{
    check_nested(32);
    check_nested(128);
}

static int a, b, c;

static void test_replace(void)
{
    Lpm t;
    lpm_init(&t, 32);
    g_assert_null(lpm_insert4(&t, 0x0a000000, 8, &a));
    g_assert_true(lpm_insert4(&t, 0x0a000000, 8, &b) == &a);
    g_assert_cmpuint(lpm_len(&t), ==, 1);
    g_assert_true(lpm_lookup4(&t, 0x0a010203) == &b);
    /* Bits beyond the length do not make another prefix. */
    g_assert_true(lpm_insert4(&t, 0x0affffff, 8, &c) == &b);
    g_assert_true(lpm_get4(&t, 0x0a123456, 8) == &c);
    g_assert_null(lpm_get4(&t, 0x0a000000, 9));
    g_assert_true(lpm_remove4(&t, 0x0a0000ff, 8) == &c);
    g_assert_null(lpm_remove4(&t, 0x0a000000, 8));
    g_assert_cmpuint(lpm_bytes(&t), ==, 0);
}

/* The routing table of RFC 1812's world: default, network, subnet, host. */
static void test_default_and_host(void)
{
    static const uint8_t net[4] = {192, 0, 2, 0}, host[4] = {192, 0, 2, 1}, any[4] = {0};
    static int by_default, by_net, by_host;
    Lpm t;
    lpm_init(&t, 32);
    lpm_insert(&t, any, 0, &by_default);
    lpm_insert(&t, net, 24, &by_net);
    lpm_insert(&t, host, 32, &by_host);
    g_assert_true(lpm_lookup4(&t, 0xc0000201) == &by_host);
    g_assert_true(lpm_lookup4(&t, 0xc0000202) == &by_net);
    g_assert_true(lpm_lookup4(&t, 0xc0000300) == &by_default);
    g_assert_true(lpm_lookup4(&t, 0x00000000) == &by_default);
    g_assert_true(lpm_lookup4(&t, 0xffffffff) == &by_default);
    lpm_remove(&t, any, 0);
    g_assert_null(lpm_lookup4(&t, 0xc0000300));
    lpm_clear(&t);
}

/* 100 000 hosts have such tables: what they cost is part of the contract. */
static void test_small_is_small(void)
{
    Lpm t4, t6;
    uint8_t key[16] = {0x20, 0x01, 0x0d, 0xb8};
    g_assert_cmpuint(sizeof(Lpm), <=, 48);
    lpm_init(&t4, 32);
    lpm_init(&t6, 128);
    g_assert_cmpuint(lpm_bytes(&t4) + lpm_bytes(&t6), ==, 0);
    for (unsigned n = 1; n <= 8; n++) {
        lpm_insert(&t4, key, n, &a);
        lpm_insert(&t6, key, n, &a);
        g_assert_cmpuint(lpm_bytes(&t4), ==, 16 * n);
        g_assert_cmpuint(lpm_bytes(&t6), ==, 32 * n);
    }
    lpm_clear(&t4);
    lpm_clear(&t6);
    g_assert_cmpuint(lpm_len(&t4) + lpm_bytes(&t4) + lpm_bytes(&t6), ==, 0);
}

static void count(const uint8_t *prefix, unsigned plen, void *value, void *user)
{
    ++*(size_t *)user;
}

/* With b at 0.1.0.0/plen and a at 255.254.0.0/plen (b alone if plen is 0): addresses in no /24 of the table,
 * near those two, fall back to them. */
static void check_fallback(const Lpm *t, GRand *rng, unsigned plen)
{
    for (unsigned i = 0; i < 256; i++) {
        uint32_t base = i & 1 ? 0x00010000 : 0xfffe0000;
        uint32_t addr = base ^ g_rand_int(rng) >> g_rand_int_range(rng, 0, 17);
        void *expected = lpm_get4(t, addr, 24);
        if (!expected && (uint64_t)(addr ^ 0x00010000) >> (32 - plen) == 0)
            expected = &b;
        else if (!expected && (uint64_t)(addr ^ 0xfffe0000) >> (32 - plen) == 0)
            expected = &a;
        g_assert_true(lpm_lookup4(t, addr) == expected);
    }
}

/* Large enough for the direct array. Prefixes shorter than its 14 bits, and as long, come and go under it;
 * lookups are checked against prefixes whose answer is known by construction. */
static void test_large(void)
{
    enum { N = 50000 };
    GRand *rng = g_rand_new_with_seed(5);
    Lpm t;
    lpm_init(&t, 32);
    /* Value i + 1 at a /24; multiplying by an odd number permutes the 2^24 of them. */
    for (uint32_t i = 0; i < N; i++)
        lpm_insert4(&t, (i * 0x9e3779b1u) << 8, 24, (void *)(uintptr_t)(i + 1));
    g_assert_cmpuint(lpm_len(&t), ==, N);
    size_t bytes = lpm_bytes(&t), visited = 0;
    lpm_foreach(&t, count, &visited);
    g_assert_cmpuint(visited, ==, N);

    for (unsigned plen = 0; plen <= 16; plen++) {
        g_assert_null(lpm_insert4(&t, 0xfffe0000, plen, &a));
        g_assert_true(lpm_insert4(&t, 0x00010000, plen, &b) == (plen ? NULL : &a));
        for (uint32_t i = 0; i < N; i += 17) {
            uint32_t addr = (i * 0x9e3779b1u) << 8 | (g_rand_int(rng) & 0xff);
            g_assert_cmpuint((uintptr_t)lpm_lookup4(&t, addr), ==, i + 1);
        }
        check_fallback(&t, rng, plen);
        lpm_remove4(&t, 0xfffe0000, plen);
        lpm_remove4(&t, 0x00010000, plen);
        for (unsigned i = 0; i < 64; i++) {
            uint32_t addr = g_rand_int(rng);
            g_assert_true(lpm_lookup4(&t, addr) == lpm_get4(&t, addr, 24));
        }
    }

    /* Churn must not leak words: remove and add everything in another order, several times. */
    for (unsigned round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < N; i += 1 + round % 2)
            g_assert_cmpuint((uintptr_t)lpm_remove4(&t, (i * 0x9e3779b1u) << 8, 24), ==, i + 1);
        for (uint32_t i = N; i-- > 0;)
            lpm_insert4(&t, (i * 0x9e3779b1u) << 8, 24, (void *)(uintptr_t)(i + 1));
        g_assert_cmpuint(lpm_len(&t), ==, N);
        g_assert_cmpuint(lpm_bytes(&t), <, bytes * 3 / 2);
    }
    for (uint32_t i = 0; i < N; i++) {
        g_assert_cmpuint((uintptr_t)lpm_remove4(&t, (i * 0x9e3779b1u) << 8, 24), ==, i + 1);
        g_assert_null(lpm_lookup4(&t, (i * 0x9e3779b1u) << 8));
        if (i == N / 2)
            g_assert_cmpuint(lpm_bytes(&t), <, bytes * 3 / 4);
    }
    g_assert_cmpuint(lpm_bytes(&t), ==, 0);
    g_rand_free(rng);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ip/lpm/property-32", test_property_32);
    g_test_add_func("/ip/lpm/property-128", test_property_128);
    g_test_add_func("/ip/lpm/nested", test_nested);
    g_test_add_func("/ip/lpm/replace", test_replace);
    g_test_add_func("/ip/lpm/default-and-host", test_default_and_host);
    g_test_add_func("/ip/lpm/small-is-small", test_small_is_small);
    g_test_add_func("/ip/lpm/large", test_large);
    return g_test_run();
}
