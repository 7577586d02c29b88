/*
 * The longest-prefix-match table at the two sizes that matter: a host's, and a core router's.
 *
 * The million prefixes have the length distribution of the public IPv4 table (about 60 % /24) and come in
 * runs of neighbours, as allocations do; "uniform" has no runs and is the harder case. lookup_ns is
 * throughput over random unicast addresses, lookup_dependent_ns makes every address depend on the previous
 * answer. Optional argument: the number of prefixes.
 */
#include "models/ip/lpm.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOKUPS (1u << 22)

static uint64_t rng_state = 1;

static uint64_t rng_next(void) /* SplitMix64 */
{
    uint64_t z = rng_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t random_unicast(void)
{
    return (uint32_t)((1u << 24) + rng_next() % (223ull << 24)); /* 1.0.0.0 to 223.255.255.255 */
}

static unsigned random_plen(void)
{
    static const struct {
        unsigned plen, per_mille;
    } table[] = {{24, 600}, {23, 100}, {22, 110}, {21, 50}, {20, 45}, {19, 25}, {18, 14},
                 {17, 8},   {16, 14},  {15, 2},   {14, 1},  {13, 1},  {25, 6},  {26, 6},
                 {27, 5},   {28, 4},   {29, 4},   {30, 2},  {32, 3}};
    unsigned draw = (unsigned)(rng_next() % 1000), i = 0;
    while (draw >= table[i].per_mille)
        draw -= table[i++].per_mille;
    return table[i].plen;
}

static double now_s(void)
{
    return (double)g_get_monotonic_time() / 1e6;
}

typedef struct {
    uint32_t *prefix;
    uint8_t *plen;
    unsigned n;
} Prefixes;

static Prefixes make_prefixes(unsigned n, unsigned neighbour_percent)
{
    Prefixes p = {g_new(uint32_t, n), g_new(uint8_t, n), n};
    Lpm seen;
    lpm_init(&seen, 32);
    uint32_t addr = 0;
    unsigned plen = 24;
    for (unsigned i = 0; i < n;) {
        if (rng_next() % 100 < neighbour_percent) {
            addr += 1u << (32 - plen);
        } else {
            addr = random_unicast();
            plen = random_plen();
        }
        addr &= ~0u << (32 - plen);
        if (addr >> 24 == 0 || addr >> 24 >= 224 || lpm_insert4(&seen, addr, plen, &seen)) {
            addr = random_unicast();
            continue;
        }
        p.prefix[i] = addr;
        p.plen[i++] = (uint8_t)plen;
    }
    lpm_clear(&seen);
    for (unsigned i = n - 1; i > 0; i--) { /* arrival order is not address order */
        unsigned j = (unsigned)(rng_next() % (i + 1));
        uint32_t prefix = p.prefix[i];
        uint8_t length = p.plen[i];
        p.prefix[i] = p.prefix[j], p.plen[i] = p.plen[j];
        p.prefix[j] = prefix, p.plen[j] = length;
    }
    return p;
}

static void bench_lookups(const char *name, const Lpm *t, const uint32_t *addrs, unsigned mask)
{
    uintptr_t sum = 0;
    unsigned hits = 0;
    double start = now_s();
    for (unsigned i = 0; i < LOOKUPS; i++)
        sum += (uintptr_t)lpm_lookup4(t, addrs[i & mask]);
    double throughput_ns = (now_s() - start) / LOOKUPS * 1e9;
    start = now_s();
    for (unsigned i = 0; i < LOOKUPS; i++) {
        uintptr_t value = (uintptr_t)lpm_lookup4(t, addrs[i & mask] ^ (uint32_t)(sum & 1));
        hits += value != 0;
        sum += value;
    }
    double dependent_ns = (now_s() - start) / LOOKUPS * 1e9;
    printf("%s_lookup_ns=%.1f\n%s_lookup_dependent_ns=%.1f\n%s_hit_ratio=%.3f\n", name, throughput_ns, name,
           dependent_ns, name, (double)hits / LOOKUPS);
    fprintf(stderr, "# %s checksum %zu\n", name, (size_t)sum);
}

static void bench_large(const char *name, unsigned n, unsigned neighbour_percent, const uint32_t *addrs)
{
    Prefixes p = make_prefixes(n, neighbour_percent);
    Lpm t;
    lpm_init(&t, 32);
    double start = now_s();
    for (unsigned i = 0; i < n; i++)
        lpm_insert4(&t, p.prefix[i], p.plen[i], (void *)(uintptr_t)(2 * i + 2));
    printf("%s_prefixes=%zu\n%s_load_s=%.3f\n", name, lpm_len(&t), name, now_s() - start);
    printf("%s_bytes_per_prefix=%.1f\n", name, (double)lpm_bytes(&t) / n);
    bench_lookups(name, &t, addrs, LOOKUPS - 1);

    /* Flapping: half of the table leaves and returns. */
    start = now_s();
    for (unsigned i = 0; i < n; i += 2)
        lpm_remove4(&t, p.prefix[i], p.plen[i]);
    for (unsigned i = 0; i < n; i += 2)
        lpm_insert4(&t, p.prefix[i], p.plen[i], (void *)(uintptr_t)(2 * i + 2));
    printf("%s_update_ns=%.0f\n", name, (now_s() - start) / n * 1e9);
    printf("%s_bytes_per_prefix_after_churn=%.1f\n", name, (double)lpm_bytes(&t) / n);
    start = now_s();
    for (unsigned i = 0; i < n; i++)
        lpm_remove4(&t, p.prefix[i], p.plen[i]);
    printf("%s_unload_s=%.3f\n%s_bytes_after_unload=%zu\n", name, now_s() - start, name, lpm_bytes(&t));
    g_free(p.prefix);
    g_free(p.plen);
}

/* A host: default route, n - 1 connected networks; a packet goes to any of them. */
static void bench_small(unsigned n)
{
    static uint32_t addrs[1024];
    char *name = g_strdup_printf("small%u", n);
    Lpm t;
    lpm_init(&t, 32);
    lpm_insert4(&t, 0, 0, (void *)(uintptr_t)2);
    for (unsigned i = 1; i < n; i++)
        lpm_insert4(&t, 10u << 24 | i << 16, 24 - i % 4, (void *)(uintptr_t)(2 * i + 2));
    for (unsigned i = 0; i < HS_ARRAY_LEN(addrs); i++)
        addrs[i] = 10u << 24 | (uint32_t)(rng_next() % n) << 16 | (uint32_t)(rng_next() % 256);
    printf("%s_bytes_per_prefix=%.1f\n", name, (double)lpm_bytes(&t) / n);
    bench_lookups(name, &t, addrs, HS_ARRAY_LEN(addrs) - 1);
    lpm_clear(&t);
    g_free(name);
}

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000000;
    uint32_t *addrs = g_new(uint32_t, LOOKUPS);
    for (unsigned i = 0; i < LOOKUPS; i++)
        addrs[i] = random_unicast();
    bench_large("bgp", n, 70, addrs);
    bench_large("uniform", n, 0, addrs);
    g_free(addrs);
    static const unsigned sizes[] = {2, 4, 8, 12, 16, 17, 24, 100};
    for (unsigned i = 0; i < HS_ARRAY_LEN(sizes); i++)
        bench_small(sizes[i]);
    return 0;
}
