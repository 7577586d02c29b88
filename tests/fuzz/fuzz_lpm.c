/* Any sequence of inserts and removes leaves the table equal to a list. Six bytes are one operation. */
#include "models/ip/lpm.h"

#include <stdlib.h>
#include <string.h>

#define ROUTES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    uint8_t prefix[16];
    unsigned plen;
    uintptr_t value;
} Route;

static bool covers(const uint8_t *prefix, unsigned plen, const uint8_t *key)
{
    unsigned whole = plen / 8, rest = plen % 8;
    return memcmp(prefix, key, whole) == 0 &&
           (rest == 0 || ((prefix[whole] ^ key[whole]) & (0xff << (8 - rest)) & 0xff) == 0);
}

static void count(const uint8_t *prefix, unsigned plen, void *value, void *user)
{
    ++*(size_t *)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned key_bits = data[0] & 1 ? 128 : 32, n = 0;
    Route *routes = calloc(ROUTES_MAX, sizeof *routes);
    Lpm t;
    lpm_init(&t, key_bits);
    uintptr_t value = 0;
    for (data++, size--; size >= 6; data += 6, size -= 6) {
        uint8_t key[16] = {0};
        memcpy(key, data + 2, 4);
        memcpy(key + 12, key_bits == 128 ? data + 2 : key + 12, 4);
        unsigned plen = data[1] % (key_bits + 1), i = 0;
        while (i < n && !(routes[i].plen == plen && covers(routes[i].prefix, plen, key)))
            i++;
        uintptr_t old = i < n ? routes[i].value : 0;
        if (data[0] & 1) {
            hs_assert((uintptr_t)lpm_remove(&t, key, plen) == old);
            if (i < n)
                routes[i] = routes[--n];
        } else if (i < ROUTES_MAX) {
            n += i == n;
            routes[i].plen = plen;
            routes[i].value = ++value;
            memcpy(routes[i].prefix, key, sizeof key);
            hs_assert((uintptr_t)lpm_insert(&t, key, plen, (void *)value) == old);
        }
        const Route *best = NULL;
        key[data[0] >> 1 & 3] ^= (uint8_t)(data[0] >> 3);
        for (i = 0; i < n; i++) {
            if ((!best || routes[i].plen > best->plen) && covers(routes[i].prefix, routes[i].plen, key))
                best = &routes[i];
        }
        hs_assert((uintptr_t)lpm_lookup(&t, key) == (best ? best->value : 0));
        hs_assert(lpm_len(&t) == n);
    }
    size_t visited = 0;
    lpm_foreach(&t, count, &visited);
    hs_assert(visited == n);
    while (n--)
        hs_assert((uintptr_t)lpm_remove(&t, routes[n].prefix, routes[n].plen) == routes[n].value);
    hs_assert(lpm_bytes(&t) == 0);
    lpm_clear(&t);
    free(routes);
    return 0;
}
