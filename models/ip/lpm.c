/*
 * Longest-prefix match: a sorted array while the table is small, a tree bitmap when it is not.
 *
 * The trie is the tree bitmap of Eatherton, Varghese and Dittia ("Tree bitmap: hardware/software IP lookups
 * with incremental updates", CCR 2004) with a stride of 6 bits. A node has 63 bits for the prefixes that end
 * in it (relative lengths 0 to 5) and 64 for its children; values and children are two dense arrays, found by
 * counting the bits below. Prefixes are stored where they are and not pushed to leaves (as poptrie does), so
 * one update touches one path, exact matches and ordered iteration need no second structure.
 *
 *     level     0     1     2      3      4      5      6   ...   22      level = (plen + 4) / 6
 *     lengths  0-1   2-7   8-13  14-19  20-25  26-31  32-37 ...  128
 *
 * Only the root is narrower. That puts /20 to /25, the bulk of the Internet's IPv4 table, into one level: up
 * to 16 /24s share a node, where strides counted from 0 would give each /24 its own. For IPv6, /44 to /49
 * share a level. Large tables also have an array that leads directly from the first 14 bits to the node of
 * level 3, so an address usually costs two nodes and a value.
 *
 * Differences from the paper: the ancestors of a path inside a node are found with one mask and one clz, and
 * no search; the value array is touched once, at the end. x86-64 without compiler flags has no popcnt, and
 * libgcc answers the builtin with a call and a table, hence our own rank(). There is no path compression: a
 * lone /128 in a large IPv6 table costs up to 22 nodes of 24 bytes.
 *
 * Nodes and values live in one array of 64-bit words and refer to each other by index: 4 bytes instead of 8,
 * and no malloc header per array. Freed blocks wait in a list per size; when too many wait, the trie is
 * copied into a new array. At least a fixed share of the words was freed since the last copy, so an update
 * stays O(1) amortised.
 */
#include "models/ip/lpm.h"

#include <glib.h>
#include <string.h>

#define ROUTES_MAX 16   /* a larger table becomes a trie … */
#define TRIE_MIN 8      /* … and a trie with fewer prefixes an array again */
#define DIRECT_ON 16384 /* prefixes from which the direct array (256 KiB) pays */
#define DIRECT_OFF 8192 /* and below which it goes */
#define DIRECT_BITS 14  /* where level 3 begins */
#define DIRECT_LEVEL 3
#define STRIDE 6
#define LEVELS_MAX 23 /* levels of a 128-bit trie */
#define NODE_WORDS 3
#define BLOCK_WORDS_MAX (NODE_WORDS * 64)
#define WASTE_MIN_WORDS 256

/* A key or prefix, left-aligned: the first bit is the top bit of hi. */
typedef struct {
    uint64_t hi, lo;
} Key;

typedef struct {
    uint64_t internal; /* bit (1 << rel) - 1 + b: the prefix of relative length rel and bits b ends here */
    uint64_t external; /* bit c: there is a child for the 6 bits c */
    uint32_t values;   /* first word of the values, in the order of the bits of internal */
    uint32_t children; /* first word of the child nodes, in the order of the bits of external */
} Node;

static_assert(sizeof(Node) == NODE_WORDS * sizeof(uint64_t), "a node is three words");
static_assert(sizeof(void *) <= sizeof(uint64_t), "a value fits a word");

typedef struct {
    void *best;    /* the longest match among the prefixes of fewer than 14 bits */
    uint32_t node; /* the node of level 3, or 0 */
} DirectSlot;

struct LpmTrie {
    uint64_t *words; /* the root node is at 0, so 0 also says "none" */
    uint32_t used, capacity;
    uint32_t waste;     /* words in the free lists */
    DirectSlot *direct; /* by the first 14 bits; NULL while the table is not large */
    bool has_popcnt;
    uint32_t free_list[BLOCK_WORDS_MAX + 1];
};

static inline Key key_mask(Key k, unsigned plen)
{
    if (plen == 0)
        return (Key){0, 0};
    if (plen <= 64)
        return (Key){k.hi & (~0ull << (64 - plen)), 0};
    return (Key){k.hi, k.lo & (~0ull << (128 - plen))};
}

static inline Key key_shift(Key k, unsigned n)
{
    return n == 0 ? k : (Key){k.hi << n | k.lo >> (64 - n), k.lo << n};
}

static inline uint64_t load_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return GUINT64_FROM_BE(v);
}

static Key key_load(unsigned key_bits, const uint8_t *bytes)
{
    if (key_bits == 32) {
        uint32_t v;
        memcpy(&v, bytes, sizeof v);
        return (Key){(uint64_t)GUINT32_FROM_BE(v) << 32, 0};
    }
    return (Key){load_be64(bytes), load_be64(bytes + 8)};
}

static Key key_from4(uint32_t addr)
{
    return (Key){(uint64_t)addr << 32, 0};
}

static int key_compare(Key a, Key b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

/* Whether lookups have a second version for processors that turn out to have popcnt. */
#if defined(__x86_64__) && !defined(__POPCNT__)
#define POPCNT_AT_RUN_TIME 1
#else
#define POPCNT_AT_RUN_TIME 0
#endif

static inline unsigned popcount(uint64_t x)
{
#if !POPCNT_AT_RUN_TIME
    return (unsigned)__builtin_popcountll(x);
#else
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)(x * 0x0101010101010101u >> 56);
#endif
}

/* How many bits are set below bit pos. */
static inline unsigned rank(uint64_t bitmap, unsigned pos)
{
    return popcount(bitmap & ((1ull << pos) - 1));
}

/* Words. */

static inline Node *node_at(const LpmTrie *trie, uint32_t idx)
{
    return (Node *)&trie->words[idx];
}

static inline void *value_at(const uint64_t *words, const Node *n, unsigned pos)
{
    return (void *)(uintptr_t)words[n->values + rank(n->internal, pos)];
}

static inline uint32_t child_at(const Node *n, unsigned chunk)
{
    return n->children + NODE_WORDS * rank(n->external, chunk);
}

static void words_reserve(LpmTrie *trie, uint64_t n)
{
    hs_assert(n <= UINT32_MAX);
    if (n <= trie->capacity)
        return;
    uint64_t capacity = HS_MAX(n, trie->capacity + trie->capacity / 8 + 64ull);
    trie->capacity = (uint32_t)HS_MIN(capacity, UINT32_MAX);
    trie->words = g_realloc_n(trie->words, trie->capacity, sizeof *trie->words);
}

/* May move the words: pointers to nodes are stale afterwards, indices are not. */
static uint32_t block_alloc(LpmTrie *trie, unsigned n)
{
    uint32_t idx = trie->free_list[n];
    if (idx) {
        trie->free_list[n] = (uint32_t)trie->words[idx];
        trie->waste -= n;
        return idx;
    }
    idx = trie->used;
    words_reserve(trie, (uint64_t)trie->used + n);
    trie->used += n;
    return idx;
}

static void block_free(LpmTrie *trie, uint32_t idx, unsigned n)
{
    if (n == 0)
        return;
    trie->words[idx] = trie->free_list[n];
    trie->free_list[n] = idx;
    trie->waste += n;
}

/* A copy of the block with a gap of `gap` words opened at `at`. */
static uint32_t block_open(LpmTrie *trie, uint32_t old, unsigned n, unsigned at, unsigned gap)
{
    uint32_t idx = block_alloc(trie, n + gap);
    uint64_t *w = trie->words;
    if (n) {
        memcpy(&w[idx], &w[old], at * sizeof *w);
        memcpy(&w[idx + at + gap], &w[old + at], (n - at) * sizeof *w);
    }
    memset(&w[idx + at], 0, gap * sizeof *w);
    block_free(trie, old, n);
    return idx;
}

/* A copy of the block without the `gap` words at `at`. */
static uint32_t block_close(LpmTrie *trie, uint32_t old, unsigned n, unsigned at, unsigned gap)
{
    uint32_t idx = 0;
    if (n > gap) {
        idx = block_alloc(trie, n - gap);
        uint64_t *w = trie->words;
        memcpy(&w[idx], &w[old], at * sizeof *w);
        memcpy(&w[idx + at], &w[old + at + gap], (n - at - gap) * sizeof *w);
    }
    block_free(trie, old, n);
    return idx;
}

/* The place of a prefix. */

static inline unsigned plen_level(unsigned plen)
{
    return (plen + 4) / STRIDE;
}

static inline unsigned level_depth(unsigned level)
{
    return level ? STRIDE * level - 4 : 0;
}

/* The bits of the key that the level consumes. The root consumes two, as if four zero bits preceded them. */
static inline unsigned key_chunk(Key k, unsigned level)
{
    if (level == 0)
        return (unsigned)(k.hi >> 62);
    unsigned depth = level_depth(level);
    if (depth >= 64)
        return (unsigned)(depth == 128 ? 0 : k.lo << (depth - 64) >> 58);
    return (unsigned)(key_shift(k, depth).hi >> 58);
}

/* The bit of a prefix in the internal bitmap of its node. */
static inline unsigned key_pos(Key k, unsigned plen)
{
    unsigned rel = (plen + 4) % STRIDE;
    return (1u << rel) - 1 + (key_chunk(k, plen_level(plen)) >> (STRIDE - rel));
}

static inline __attribute__((always_inline)) unsigned count(uint64_t x, bool popcnt)
{
    return popcnt ? (unsigned)__builtin_popcountll(x) : popcount(x);
}

/* For the first five bits of a chunk, the bits of `internal` that stand for prefixes of it. The position
 * grows with the length, so the highest one that is set is the longest match. */
#define ANCESTOR(rel, c) (1ull << ((1u << (rel)) - 1 + ((unsigned)(c) >> (5 - (rel)))))
#define ANCESTORS(c)                                                                                         \
    (ANCESTOR(0, c) | ANCESTOR(1, c) | ANCESTOR(2, c) | ANCESTOR(3, c) | ANCESTOR(4, c) | ANCESTOR(5, c))
#define ANCESTORS_4(c) ANCESTORS(c), ANCESTORS((c) + 1), ANCESTORS((c) + 2), ANCESTORS((c) + 3)
static const uint64_t ancestors[32] = {
    ANCESTORS_4(0),  ANCESTORS_4(4),  ANCESTORS_4(8),  ANCESTORS_4(12),
    ANCESTORS_4(16), ANCESTORS_4(20), ANCESTORS_4(24), ANCESTORS_4(28),
};

/* Longest match from the node at idx down, through at most `levels` nodes. k begins with the `take` bits that
 * the node consumes. Inlined so that take, levels, popcnt and (IPv4) k.lo become constants. */
static inline __attribute__((always_inline)) void *walk(const uint64_t *words, uint32_t idx, Key k,
                                                        unsigned take, unsigned levels, bool popcnt)
{
    const Node *best = NULL;
    uint64_t best_matches = 0;
    while (levels--) {
        const Node *n = (const Node *)&words[idx];
        unsigned c = (unsigned)(k.hi >> (64 - take));
        uint64_t matches = n->internal & ancestors[c >> 1];
        if (matches) {
            best = n;
            best_matches = matches;
        }
        if (!(n->external >> c & 1))
            break;
        idx = n->children + NODE_WORDS * count(n->external & ((1ull << c) - 1), popcnt);
        k = key_shift(k, take);
        take = STRIDE;
    }
    if (!best)
        return NULL;
    uint64_t longest = 1ull << (63 - __builtin_clzll(best_matches));
    return (void *)(uintptr_t)words[best->values + count(best->internal & (longest - 1), popcnt)];
}

/* The direct array. */

/* Rewrites the 64 entries that the children of one node of level 2 (depth 8) stand for. */
static void direct_refresh(LpmTrie *trie, const Node *n, unsigned first_octet)
{
    DirectSlot *slot = &trie->direct[first_octet << STRIDE];
    uint32_t child = n ? n->children : 0;
    for (unsigned c = 0; c < 64; c++) {
        bool has_child = n && (n->external >> c & 1);
        slot[c].node = has_child ? child : 0;
        child += has_child ? NODE_WORDS : 0;
    }
}

/* Looks up anew what the slots under a prefix of fewer than 14 bits fall back to. */
static void direct_refresh_best(LpmTrie *trie, Key k, unsigned plen)
{
    unsigned first = (unsigned)(k.hi >> (64 - DIRECT_BITS)), n = 1u << (DIRECT_BITS - plen);
    for (unsigned i = first; i < first + n; i++) {
        Key slot_key = {(uint64_t)i << (64 - DIRECT_BITS), 0};
        trie->direct[i].best = walk(trie->words, 0, slot_key, 2, DIRECT_LEVEL, false);
    }
}

/* The index of the node that holds prefixes of `level` on the way to k, or UINT32_MAX. */
static uint32_t find_node(const LpmTrie *trie, Key k, unsigned level)
{
    uint32_t idx = 0;
    for (unsigned l = 0; l < level; l++) {
        const Node *n = node_at(trie, idx);
        unsigned c = key_chunk(k, l);
        if (!(n->external >> c & 1))
            return UINT32_MAX;
        idx = child_at(n, c);
    }
    return idx;
}

static void direct_fill(LpmTrie *trie)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        uint32_t idx = find_node(trie, (Key){(uint64_t)octet << 56, 0}, DIRECT_LEVEL - 1);
        direct_refresh(trie, idx == UINT32_MAX ? NULL : node_at(trie, idx), octet);
    }
}

static void direct_adapt(LpmTrie *trie, uint32_t len)
{
    if (!trie->direct && len >= DIRECT_ON) {
        trie->direct = g_new(DirectSlot, 1u << DIRECT_BITS);
        direct_fill(trie);
        direct_refresh_best(trie, (Key){0, 0}, 0);
    } else if (trie->direct && len < DIRECT_OFF) {
        g_clear_pointer(&trie->direct, g_free);
    }
}

/* Compaction. */

static void copy_node(LpmTrie *to, uint32_t to_idx, const LpmTrie *from, uint32_t from_idx)
{
    Node n = *node_at(from, from_idx);
    unsigned n_values = popcount(n.internal), n_children = popcount(n.external);
    uint32_t from_children = n.children;
    if (n_values) {
        uint32_t values = block_alloc(to, n_values);
        memcpy(&to->words[values], &from->words[n.values], n_values * sizeof *to->words);
        n.values = values;
    }
    if (n_children)
        n.children = block_alloc(to, NODE_WORDS * n_children);
    *node_at(to, to_idx) = n;
    for (unsigned i = 0; i < n_children; i++)
        copy_node(to, n.children + NODE_WORDS * i, from, from_children + NODE_WORDS * i);
}

static void compact_if_wasteful(LpmTrie *trie)
{
    if (trie->waste < WASTE_MIN_WORDS || trie->waste < trie->used / 4)
        return;
    LpmTrie old = *trie;
    uint32_t live = old.used - old.waste;
    memset(trie->free_list, 0, sizeof trie->free_list);
    trie->waste = 0;
    trie->words = NULL;
    trie->capacity = 0;
    words_reserve(trie, (uint64_t)live + live / 16);
    trie->used = NODE_WORDS;
    copy_node(trie, 0, &old, 0);
    hs_assert(trie->used == live);
    g_free(old.words);
    if (trie->direct)
        direct_fill(trie);
}

/* The trie. */

static LpmTrie *trie_new(void)
{
    LpmTrie *trie = g_new0(LpmTrie, 1);
    words_reserve(trie, 64);
    trie->used = NODE_WORDS;
    memset(trie->words, 0, sizeof(Node));
#if POPCNT_AT_RUN_TIME
    trie->has_popcnt = __builtin_cpu_supports("popcnt");
#endif
    return trie;
}

static void trie_free(LpmTrie *trie)
{
    g_free(trie->direct);
    g_free(trie->words);
    g_free(trie);
}

static void *trie_insert(LpmTrie *trie, Key k, unsigned plen, void *value)
{
    unsigned level = plen_level(plen);
    uint32_t idx = 0;
    for (unsigned l = 0; l < level; l++) {
        Node *n = node_at(trie, idx);
        unsigned c = key_chunk(k, l);
        if (!(n->external >> c & 1)) {
            unsigned size = NODE_WORDS * popcount(n->external);
            uint32_t block =
                block_open(trie, n->children, size, NODE_WORDS * rank(n->external, c), NODE_WORDS);
            n = node_at(trie, idx);
            n->children = block;
            n->external |= 1ull << c;
            if (l == DIRECT_LEVEL - 1 && trie->direct)
                direct_refresh(trie, n, (unsigned)(k.hi >> 56));
        }
        idx = child_at(n, c);
    }

    Node *n = node_at(trie, idx);
    unsigned pos = key_pos(k, plen);
    void *old = NULL;
    if (n->internal >> pos & 1) {
        old = value_at(trie->words, n, pos);
    } else {
        uint32_t block = block_open(trie, n->values, popcount(n->internal), rank(n->internal, pos), 1);
        n = node_at(trie, idx);
        n->values = block;
        n->internal |= 1ull << pos;
    }
    trie->words[n->values + rank(n->internal, pos)] = (uintptr_t)value;
    if (plen < DIRECT_BITS && trie->direct)
        direct_refresh_best(trie, k, plen);
    return old;
}

static void *trie_remove(LpmTrie *trie, Key k, unsigned plen)
{
    unsigned level = plen_level(plen);
    uint32_t path[LEVELS_MAX] = {0};
    for (unsigned l = 0; l < level; l++) {
        const Node *n = node_at(trie, path[l]);
        unsigned c = key_chunk(k, l);
        if (!(n->external >> c & 1))
            return NULL;
        path[l + 1] = child_at(n, c);
    }

    Node *n = node_at(trie, path[level]);
    unsigned pos = key_pos(k, plen);
    if (!(n->internal >> pos & 1))
        return NULL;
    void *old = value_at(trie->words, n, pos);
    uint32_t block = block_close(trie, n->values, popcount(n->internal), rank(n->internal, pos), 1);
    n = node_at(trie, path[level]);
    n->values = block;
    n->internal &= ~(1ull << pos);
    if (plen < DIRECT_BITS && trie->direct)
        direct_refresh_best(trie, k, plen);

    /* A node that became empty leaves its parent, which may become empty by that. Moving the children of a
     * node moves none of the nodes above it, so the path stays valid. */
    while (level > 0 && (n->internal | n->external) == 0) {
        level--;
        n = node_at(trie, path[level]);
        unsigned c = key_chunk(k, level);
        unsigned size = NODE_WORDS * popcount(n->external);
        block = block_close(trie, n->children, size, NODE_WORDS * rank(n->external, c), NODE_WORDS);
        n = node_at(trie, path[level]);
        n->children = block;
        n->external &= ~(1ull << c);
        if (level == DIRECT_LEVEL - 1 && trie->direct)
            direct_refresh(trie, n, (unsigned)(k.hi >> 56));
    }
    return old;
}

static void *trie_get(const LpmTrie *trie, Key k, unsigned plen)
{
    uint32_t idx = find_node(trie, k, plen_level(plen));
    if (idx == UINT32_MAX)
        return NULL;
    const Node *n = node_at(trie, idx);
    unsigned pos = key_pos(k, plen);
    return n->internal >> pos & 1 ? value_at(trie->words, n, pos) : NULL;
}

static inline __attribute__((always_inline)) void *lookup(const LpmTrie *trie, Key k, bool popcnt)
{
    if (!trie->direct)
        return walk(trie->words, 0, k, 2, LEVELS_MAX, popcnt);
    const DirectSlot *slot = &trie->direct[k.hi >> (64 - DIRECT_BITS)];
    void *value = NULL;
    if (slot->node)
        value = walk(trie->words, slot->node, key_shift(k, DIRECT_BITS), STRIDE, LEVELS_MAX, popcnt);
    return value ? value : slot->best;
}

#if POPCNT_AT_RUN_TIME
static __attribute__((target("popcnt"))) void *lookup4_popcnt(const LpmTrie *trie, uint32_t addr)
{
    return lookup(trie, (Key){(uint64_t)addr << 32, 0}, true);
}

static __attribute__((target("popcnt"))) void *lookup6_popcnt(const LpmTrie *trie, Key k)
{
    return lookup(trie, k, true);
}
#endif

void *lpm_trie_lookup4(const LpmTrie *trie, uint32_t addr)
{
#if POPCNT_AT_RUN_TIME
    if (HS_LIKELY(trie->has_popcnt))
        return lookup4_popcnt(trie, addr);
#endif
    return lookup(trie, key_from4(addr), false);
}

static void *trie_lookup6(const LpmTrie *trie, Key k)
{
#if POPCNT_AT_RUN_TIME
    if (HS_LIKELY(trie->has_popcnt))
        return lookup6_popcnt(trie, k);
#endif
    return lookup(trie, k, false);
}

/* The small table. */

typedef struct {
    Key key;
    unsigned plen;
    void *value;
} Route;

static Route route_at(const Lpm *t, unsigned i)
{
    if (t->key_bits == 32) {
        const LpmRoute4 *r = &t->u.routes4[i];
        return (Route){key_from4(r->prefix), popcount(r->mask), r->value};
    }
    const LpmRoute6 *r = &t->u.routes6[i];
    return (Route){{r->hi, r->lo}, r->plen, r->value};
}

static void route_set(Lpm *t, unsigned i, const Route *r)
{
    if (t->key_bits == 32) {
        uint32_t mask = (uint32_t)(key_mask((Key){~0ull, 0}, r->plen).hi >> 32);
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
static unsigned routes_find(const Lpm *t, Key k, unsigned plen, bool *found)
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

static void *routes_lookup6(const Lpm *t, Key k)
{
    for (const LpmRoute6 *r = t->u.routes6, *end = r + t->len; r < end; r++) {
        if (key_compare(key_mask(k, r->plen), (Key){r->hi, r->lo}) == 0)
            return r->value;
    }
    return NULL;
}

/* Iteration. */

typedef struct {
    LpmVisitFunc fn;
    void *user;
    unsigned key_bits;
} Visitor;

static void visit(const Visitor *v, Key k, unsigned plen, void *value)
{
    uint8_t bytes[16];
    uint64_t hi = GUINT64_TO_BE(k.hi), lo = GUINT64_TO_BE(k.lo);
    memcpy(bytes, &hi, sizeof hi);
    memcpy(bytes + 8, &lo, sizeof lo);
    v->fn(bytes, plen, value, v->user);
}

/* k with `chunk` at the place that `level` consumes. */
static Key key_with_chunk(Key k, unsigned level, unsigned chunk)
{
    unsigned depth = level_depth(level), take = level ? STRIDE : 2;
    if (depth + take <= 64) {
        k.hi |= (uint64_t)chunk << (64 - depth - take);
    } else if (depth < 64) {
        k.hi |= (uint64_t)chunk >> (depth + take - 64);
        k.lo |= (uint64_t)chunk << (128 - depth - take);
    } else if (depth < 128) {
        k.lo |= (uint64_t)chunk << (128 - depth - take);
    }
    return k;
}

/* A node is a small binary tree: each prefix comes before its two halves, the left before the right. */
static void foreach_node(const Visitor *v, const LpmTrie *trie, uint32_t idx, Key k, unsigned level)
{
    const Node *n = node_at(trie, idx);
    for (unsigned chunk = 0; chunk < 64; chunk++) {
        /* The prefixes whose first address is that of this chunk, shortest first. */
        unsigned shortest = chunk ? STRIDE - (unsigned)__builtin_ctz(chunk) : 0;
        Key at = key_with_chunk(k, level, chunk);
        for (unsigned rel = shortest; rel < STRIDE; rel++) {
            unsigned pos = (1u << rel) - 1 + (chunk >> (STRIDE - rel));
            if (n->internal >> pos & 1)
                visit(v, at, STRIDE * level + rel - 4, value_at(trie->words, n, pos));
        }
        if (n->external >> chunk & 1)
            foreach_node(v, trie, child_at(n, chunk), at, level + 1);
    }
}

static int route_compare(const Route *a, const Route *b)
{
    int order = key_compare(a->key, b->key);
    return order ? order : (int)a->plen - (int)b->plen;
}

void lpm_foreach(const Lpm *t, LpmVisitFunc fn, void *user)
{
    Visitor v = {fn, user, t->key_bits};
    if (t->is_trie) {
        foreach_node(&v, t->u.trie, 0, (Key){0, 0}, 0);
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
        visit(&v, sorted[i].key, sorted[i].plen, sorted[i].value);
}

/* From one shape to the other. */

static void become_trie(Lpm *t)
{
    LpmTrie *trie = trie_new();
    for (unsigned i = 0; i < t->len; i++) {
        Route r = route_at(t, i);
        trie_insert(trie, r.key, r.plen, r.value);
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
    trie_free(t->u.trie);
    *t = small;
}

/* Both shapes. */

static void *insert(Lpm *t, Key k, unsigned plen, void *value)
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
    void *old = trie_insert(t->u.trie, k, plen, value);
    if (!old) {
        hs_assert(t->len < UINT32_MAX);
        t->len++;
        compact_if_wasteful(t->u.trie);
        direct_adapt(t->u.trie, t->len);
    }
    return old;
}

static void *remove_prefix(Lpm *t, Key k, unsigned plen)
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
    void *old = trie_remove(t->u.trie, k, plen);
    if (old) {
        t->len--;
        if (t->len < TRIE_MIN) {
            become_routes(t);
        } else {
            compact_if_wasteful(t->u.trie);
            direct_adapt(t->u.trie, t->len);
        }
    }
    return old;
}

static void *get(const Lpm *t, Key k, unsigned plen)
{
    hs_assert(plen <= t->key_bits);
    k = key_mask(k, plen);
    if (t->is_trie)
        return trie_get(t->u.trie, k, plen);
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
        trie_free(t->u.trie);
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
    return insert(t, key_from4(prefix), plen, value);
}

void *lpm_remove4(Lpm *t, uint32_t prefix, unsigned plen)
{
    hs_assert(t->key_bits == 32);
    return remove_prefix(t, key_from4(prefix), plen);
}

void *lpm_get4(const Lpm *t, uint32_t prefix, unsigned plen)
{
    hs_assert(t->key_bits == 32);
    return get(t, key_from4(prefix), plen);
}

void *lpm_lookup(const Lpm *t, const uint8_t *key)
{
    Key k = key_load(t->key_bits, key);
    if (t->key_bits == 32)
        return lpm_lookup4(t, (uint32_t)(k.hi >> 32));
    return t->is_trie ? trie_lookup6(t->u.trie, k) : routes_lookup6(t, k);
}

size_t lpm_bytes(const Lpm *t)
{
    if (!t->is_trie)
        return t->len * route_size(t);
    const LpmTrie *trie = t->u.trie;
    size_t direct = trie->direct ? sizeof *trie->direct << DIRECT_BITS : 0;
    return sizeof *trie + trie->capacity * sizeof *trie->words + direct;
}
