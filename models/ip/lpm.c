/*
 * Longest-prefix match: a sorted array while the table is small, a tree bitmap (lpm_trie.c) when it is not.
 *
 * The array is sorted by descending length, so the first route that matches is the answer; 16 of them are
 * scanned faster than the trie takes its first steps. The gap between the two limits keeps a table whose size
 * wanders around one of them from changing its shape all the time.
 */
#include "models/ip/lpm.h"

#include <glib.h>
#include <string.h>

#include "models/ip/lpm_trie.h"

#define ROUTES_MAX 16 /* a larger table becomes a trie … */
#define TRIE_MIN 8    /* … and a trie with fewer prefixes an array again */

static inline LpmKey key_mask(LpmKey k, unsigned plen)
{
    if (plen == 0)
        return (LpmKey){0, 0};
    if (plen <= 64)
        return (LpmKey){k.hi & (~0ull << (64 - plen)), 0};
    return (LpmKey){k.hi, k.lo & (~0ull << (128 - plen))};
}

static inline uint64_t load_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return GUINT64_FROM_BE(v);
}

static LpmKey key_load(unsigned key_bits, const uint8_t *bytes)
{
    if (key_bits == 32) {
        uint32_t v;
        memcpy(&v, bytes, sizeof v);
        return (LpmKey){(uint64_t)GUINT32_FROM_BE(v) << 32, 0};
    }
    return (LpmKey){load_be64(bytes), load_be64(bytes + 8)};
}

static int key_compare(LpmKey a, LpmKey b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

/* The small table. */

typedef struct {
    LpmKey key;
    unsigned plen;
    void *value;
} Route;

static Route route_at(const Lpm *t, unsigned i)
{
    if (t->key_bits == 32) {
        const LpmRoute4 *r = &t->u.routes4[i];
        return (Route){lpm_key_from4(r->prefix), r->mask ? 32 - (unsigned)__builtin_ctz(r->mask) : 0,
                       r->value};
    }
    const LpmRoute6 *r = &t->u.routes6[i];
    return (Route){{r->hi, r->lo}, r->plen, r->value};
}

static void route_set(Lpm *t, unsigned i, const Route *r)
{
    if (t->key_bits == 32) {
        uint32_t mask = (uint32_t)(key_mask((LpmKey){~0ull, 0}, r->plen).hi >> 32);
        t->u.routes4[i] = (LpmRoute4){(uint32_t)(r->key.hi >> 32), mask, r->value};
    } else {
        t->u.routes6[i] = (LpmRoute6){r->key.hi, r->key.lo, r->value, r->plen};
    }
}

static size_t route_size(const Lpm *t)
{
    return t->key_bits == 32 ? sizeof(LpmRoute4) : sizeof(LpmRoute6);
}

/* Exactly as many as there are: a host keeps its few routes for long, and 100 000 hosts pay for every spare
 * one. */
static void routes_resize(Lpm *t, unsigned n)
{
    if (t->key_bits == 32)
        t->u.routes4 = g_realloc_n(t->u.routes4, n, sizeof *t->u.routes4);
    else
        t->u.routes6 = g_realloc_n(t->u.routes6, n, sizeof *t->u.routes6);
}

/* Where the prefix is, or where it belongs: longest first, then by key. */
static unsigned routes_find(const Lpm *t, LpmKey k, unsigned plen, bool *found)
{
    unsigned i;
    *found = false;
    for (i = 0; i < t->len; i++) {
        Route r = route_at(t, i);
        if (r.plen > plen)
            continue;
        int order = r.plen < plen ? 1 : key_compare(r.key, k);
        *found = order == 0;
        if (order >= 0)
            break;
    }
    return i;
}

static void *routes_lookup6(const Lpm *t, LpmKey k)
{
    const LpmRoute6 *r = t->u.routes6;
    for (uint32_t n = t->len; n > 0; n--, r++) {
        if (key_compare(key_mask(k, r->plen), (LpmKey){r->hi, r->lo}) == 0)
            return r->value;
    }
    return NULL;
}

/* Iteration. */

typedef struct {
    LpmVisitFunc fn;
    void *user;
} Visitor;

static void visit(LpmKey k, unsigned plen, void *value, void *user)
{
    const Visitor *v = user;
    uint8_t bytes[16];
    uint64_t hi = GUINT64_TO_BE(k.hi), lo = GUINT64_TO_BE(k.lo);
    memcpy(bytes, &hi, sizeof hi);
    memcpy(bytes + 8, &lo, sizeof lo);
    v->fn(bytes, plen, value, v->user);
}

static int route_compare(const Route *a, const Route *b)
{
    int order = key_compare(a->key, b->key);
    return order ? order : (int)a->plen - (int)b->plen;
}

void lpm_foreach(const Lpm *t, LpmVisitFunc fn, void *user)
{
    Visitor v = {fn, user};
    if (t->is_trie) {
        lpm_trie_foreach(t->u.trie, visit, &v);
        return;
    }
    Route sorted[ROUTES_MAX];
    for (unsigned i = 0; i < t->len; i++) {
        Route r = route_at(t, i);
        unsigned j = i;
        for (; j > 0 && route_compare(&r, &sorted[j - 1]) < 0; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = r;
    }
    for (unsigned i = 0; i < t->len; i++)
        visit(sorted[i].key, sorted[i].plen, sorted[i].value, &v);
}

/* From one shape to the other. */

static void become_trie(Lpm *t)
{
    LpmTrie *trie = lpm_trie_new();
    for (unsigned i = 0; i < t->len; i++) {
        Route r = route_at(t, i);
        lpm_trie_insert(trie, r.key, r.plen, r.value);
    }
    g_free(t->u.routes4);
    t->u.trie = trie;
    t->is_trie = true;
}

static void collect_route(const uint8_t *prefix, unsigned plen, void *value, void *user)
{
    lpm_insert(user, prefix, plen, value);
}

static void become_routes(Lpm *t)
{
    Lpm small;
    lpm_init(&small, t->key_bits);
    lpm_foreach(t, collect_route, &small);
    lpm_trie_free(t->u.trie);
    *t = small;
}

/* Both shapes. */

static void *insert(Lpm *t, LpmKey k, unsigned plen, void *value)
{
    hs_assert(plen <= t->key_bits);
    hs_assert(value != NULL);
    k = key_mask(k, plen);
    if (!t->is_trie) {
        bool found;
        unsigned i = routes_find(t, k, plen, &found);
        Route r = {k, plen, value};
        if (found) {
            void *old = route_at(t, i).value;
            route_set(t, i, &r);
            return old;
        }
        if (t->len < ROUTES_MAX) {
            routes_resize(t, t->len + 1);
            size_t size = route_size(t);
            uint8_t *at = (uint8_t *)t->u.routes4 + i * size;
            memmove(at + size, at, (t->len - i) * size);
            route_set(t, i, &r);
            t->len++;
            return NULL;
        }
        become_trie(t);
    }
    void *old = lpm_trie_insert(t->u.trie, k, plen, value);
    if (!old) {
        hs_assert(t->len < UINT32_MAX);
        t->len++;
        lpm_trie_adapt(t->u.trie, t->len);
    }
    return old;
}

static void *remove_prefix(Lpm *t, LpmKey k, unsigned plen)
{
    hs_assert(plen <= t->key_bits);
    k = key_mask(k, plen);
    if (!t->is_trie) {
        bool found;
        unsigned i = routes_find(t, k, plen, &found);
        if (!found)
            return NULL;
        void *old = route_at(t, i).value;
        size_t size = route_size(t);
        uint8_t *at = (uint8_t *)t->u.routes4 + i * size;
        t->len--;
        memmove(at, at + size, (t->len - i) * size);
        routes_resize(t, t->len);
        return old;
    }
    void *old = lpm_trie_remove(t->u.trie, k, plen);
    if (old) {
        t->len--;
        if (t->len < TRIE_MIN) {
            become_routes(t);
        } else {
            lpm_trie_adapt(t->u.trie, t->len);
        }
    }
    return old;
}

static void *get(const Lpm *t, LpmKey k, unsigned plen)
{
    hs_assert(plen <= t->key_bits);
    k = key_mask(k, plen);
    if (t->is_trie)
        return lpm_trie_get(t->u.trie, k, plen);
    bool found;
    unsigned i = routes_find(t, k, plen, &found);
    return found ? route_at(t, i).value : NULL;
}

void lpm_init(Lpm *t, unsigned key_bits)
{
    hs_assert(key_bits == 32 || key_bits == 128);
    *t = (Lpm){.key_bits = (uint8_t)key_bits};
}

void lpm_clear(Lpm *t)
{
    if (t->is_trie)
        lpm_trie_free(t->u.trie);
    else
        g_free(t->u.routes4);
    lpm_init(t, t->key_bits);
}

void *lpm_insert(Lpm *t, const uint8_t *prefix, unsigned plen, void *value)
{
    return insert(t, key_load(t->key_bits, prefix), plen, value);
}

void *lpm_remove(Lpm *t, const uint8_t *prefix, unsigned plen)
{
    return remove_prefix(t, key_load(t->key_bits, prefix), plen);
}

void *lpm_get(const Lpm *t, const uint8_t *prefix, unsigned plen)
{
    return get(t, key_load(t->key_bits, prefix), plen);
}

void *lpm_insert4(Lpm *t, uint32_t prefix, unsigned plen, void *value)
{
    hs_assert(t->key_bits == 32);
    return insert(t, lpm_key_from4(prefix), plen, value);
}

void *lpm_remove4(Lpm *t, uint32_t prefix, unsigned plen)
{
    hs_assert(t->key_bits == 32);
    return remove_prefix(t, lpm_key_from4(prefix), plen);
}

void *lpm_get4(const Lpm *t, uint32_t prefix, unsigned plen)
{
    hs_assert(t->key_bits == 32);
    return get(t, lpm_key_from4(prefix), plen);
}

void *lpm_lookup(const Lpm *t, const uint8_t *key)
{
    LpmKey k = key_load(t->key_bits, key);
    if (t->key_bits == 32)
        return lpm_lookup4(t, (uint32_t)(k.hi >> 32));
    return t->is_trie ? lpm_trie_lookup6(t->u.trie, k) : routes_lookup6(t, k);
}

size_t lpm_bytes(const Lpm *t)
{
    if (!t->is_trie)
        return t->len * route_size(t);
    return lpm_trie_bytes(t->u.trie);
}
