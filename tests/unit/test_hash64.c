#include "sim/base/hash64.h"

#include <glib.h>

#include "sim/base/rng.h"

static void hash_bytes(const void *p, size_t n, uint64_t out[2])
{
    Hash64 h;

    hash64_init(&h, 0);
    hash64_update(&h, p, n);
    hash64_final(&h, out);
}

/* Values as they were when the function was fixed: digests are kept in files, so they may not drift. */
static void test_golden(void)
{
    static const struct {
        size_t n;
        const char *hex;
    } golden[] = {{0, "17911e0ba0b14d86b8295527bd11f486"},   {1, "7b7546cf28a87be1ee9ea3656e93f5f4"},
                  {3, "2c69401791f2fe0cc7d3c54b1d02ce0e"},   {4, "02706c8db17b0b4a951cb386b4eb3580"},
                  {8, "46e292a779fb3f61c4322d234b5cf104"},   {16, "bf5139885bbc0d54066666c1e85c9c2e"},
                  {17, "2299f495e25cf3c377ed6accb4f2b864"},  {63, "87dc0278cf3de2107af0da760753235d"},
                  {64, "3d03b7c095a3aa9b618728b1144ea24e"},  {65, "4e6eb841bac03b449d0804261c61528f"},
                  {128, "916c534f800203270484c62c87cfeac7"}, {1000, "6e57f3d97ce8ad38905c073c98be1921"},
                  {1024, "7674b02c0b648f4eb0058a9fd9a85018"}};
    uint8_t bytes[1024];
    char hex[HASH64_HEX_LEN];
    Hash64 h;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    for (size_t i = 0; i < HS_ARRAY_LEN(golden); i++) {
        hash64_init(&h, 42);
        hash64_update(&h, bytes, golden[i].n);
        g_assert_cmpstr(hash64_hex(&h, hex), ==, golden[i].hex);
    }
    hash64_init(&h, 42);
    hash64_u64(&h, 1);
    hash64_u64(&h, 2);
    g_assert_cmpstr(hash64_hex(&h, hex), ==, "88d81104e63c9fc7460225c6f4386ff6");
}

/* Flipping any bit of the input flips each bit of both halves about half the time. 400 inputs a length; 32 of
 * the 64 bits of each half on average, deviation of the mean 0.2 per input bit position. */
static void test_avalanche(void)
{
    static const size_t lengths[] = {1, 3, 4, 8, 15, 16, 17, 33, 64, 100, 200};
    Rng rng;

    rng_init(&rng, 1, "test", "avalanche");
    for (size_t l = 0; l < HS_ARRAY_LEN(lengths); l++) {
        size_t n = lengths[l];
        for (size_t bit = 0; bit < n * 8; bit++) {
            int flips[2] = {0};
            for (int trial = 0; trial < 400; trial++) {
                uint8_t bytes[200];
                uint64_t a[2], b[2];
                for (size_t i = 0; i < n; i++)
                    bytes[i] = (uint8_t)rng_next(&rng);
                hash_bytes(bytes, n, a);
                bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
                hash_bytes(bytes, n, b);
                for (int k = 0; k < 2; k++)
                    flips[k] += __builtin_popcountll(a[k] ^ b[k]);
            }
            for (int k = 0; k < 2; k++)
                g_assert_cmpfloat_with_epsilon(flips[k] / 400.0, 32, 6 * 0.2);
        }
    }
}

static void add_unseen(GHashTable *seen, uint64_t v)
{
    g_assert_true(g_hash_table_add(seen, g_memdup2(&v, sizeof(v))));
}

/* The families that digests are made of: counters, sparse bytes, lengths, repeated blocks. Each half must
 * tell all apart (among n values a good 64-bit hash collides with n^2 / 2^65: here 10^-9). */
static void test_families(void)
{
    for (int half = 0; half < 2; half++) {
        GHashTable *seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        uint8_t zeros[300] = {0};
        uint64_t out[2];
        Hash64 h;

        for (size_t n = 0; n <= sizeof(zeros); n++) {
            hash_bytes(zeros, n, out);
            add_unseen(seen, out[half]);
        }
        for (size_t i = 0; i < sizeof(zeros); i++) {
            for (unsigned v = 1; v < 256; v++) {
                zeros[i] = (uint8_t)v;
                hash_bytes(zeros, sizeof(zeros), out);
                add_unseen(seen, out[half]);
            }
            zeros[i] = 0;
        }
        for (uint64_t i = 0; i < 50000; i++) {
            hash64_init(&h, 1);
            hash64_u64(&h, i % 223);
            hash64_u64(&h, i / 223);
            hash64_final(&h, out);
            add_unseen(seen, out[half]);
        }
        for (uint64_t seed = 1; seed < 10000; seed++) {
            hash64_init(&h, seed << 16);
            hash64_final(&h, out);
            add_unseen(seen, out[half]);
        }
        g_hash_table_unref(seen);
    }
}

/* Inputs that make a factor of the product zero must not hide what came before or beside. */
static void test_zero_factors(void)
{
    static const uint64_t keys[] = {HASH64_K1, HASH64_K2, HASH64_K3, HASH64_K4};
    uint8_t bytes[128];
    uint64_t a[2], b[2];

    for (size_t k = 0; k < HS_ARRAY_LEN(keys); k++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)(keys[k] >> (8 * (i % 8)));
        hash_bytes(bytes, sizeof(bytes), a);
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] ^= 1;
            hash_bytes(bytes, sizeof(bytes), b);
            bytes[i] ^= 1;
            g_assert_cmphex(a[0], !=, b[0]);
            g_assert_cmphex(a[1], !=, b[1]);
        }
    }
}

static void test_records_are_framed(void)
{
    uint64_t a[2], b[2];
    Hash64 h;

    hash64_init(&h, 0);
    hash64_update(&h, "ab", 2);
    hash64_update(&h, "c", 1);
    hash64_final(&h, a);
    hash64_init(&h, 0);
    hash64_update(&h, "a", 1);
    hash64_update(&h, "bc", 2);
    hash64_final(&h, b);
    g_assert_cmphex(a[0], !=, b[0]);

    /* Reading the value does not change the state. */
    hash64_final(&h, a);
    g_assert_cmpmem(a, sizeof(a), b, sizeof(b));
    g_assert_cmphex(hash64_final64(&h), ==, b[0]);
}

/* The same bytes at every alignment give the same value, and nothing beyond them is looked at. */
static void test_alignment(void)
{
    uint8_t *data = g_malloc(200);
    uint64_t a[2], b[2];

    for (size_t i = 0; i < 200; i++)
        data[i] = (uint8_t)(i * 31);
    for (size_t n = 0; n <= 150; n++) {
        uint8_t *exact = g_memdup2(data, n);
        hash_bytes(exact, n, a);
        g_free(exact);
        for (size_t shift = 1; shift < 9; shift++) {
            uint8_t moved[220];
            memset(moved, 0xaa, sizeof(moved));
            memcpy(moved + shift, data, n);
            hash_bytes(moved + shift, n, b);
            g_assert_cmpmem(a, sizeof(a), b, sizeof(b));
        }
    }
    g_free(data);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/hash64/golden", test_golden);
    g_test_add_func("/base/hash64/avalanche", test_avalanche);
    g_test_add_func("/base/hash64/families", test_families);
    g_test_add_func("/base/hash64/zero-factors", test_zero_factors);
    g_test_add_func("/base/hash64/records-are-framed", test_records_are_framed);
    g_test_add_func("/base/hash64/alignment", test_alignment);
    return g_test_run();
}
