/*
 * Longest-prefix match in large tables: the tree bitmap of Eatherton, Varghese and Dittia ("Tree bitmap:
 * hardware/software IP lookups with incremental updates", CCR 2004) with a stride of 6 bits. A node has 63
 * bits for the prefixes that end in it (relative lengths 0 to 5) and 64 for its children; values and children
 * are two dense arrays, found by counting the bits below. Prefixes are stored where they are and not pushed
 * to leaves (as poptrie does), so one update touches one path, exact matches and ordered iteration need no
 * second structure.
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
 * no search; the value array is touched once, at the end. Compilers that know only plain x86-64 have no
 * popcnt and answer the builtin with a call, hence popcount() below, and lookups in two versions of which the
 * processor picks one; both give the same answers. There is no path compression: a lone /128 in a large IPv6
 * table costs up to 22 nodes of 24 bytes.
 *
 * Nodes and values live in one array of 64-bit words and refer to each other by index: 4 bytes instead of 8,
 * and no malloc header per array. Freed blocks wait in a list per size; when too many wait, the trie is
 * copied into a new array. At least a fixed share of the words was freed since the last copy, so an update
 * stays O(1) amortised.
 */
#include "models/ip/lpm_trie.h"

#include <glib.h>
#include <string.h>

#define DIRECT_ON 16384 /* prefixes from which the direct array (256 KiB) pays */
#define DIRECT_OFF 8192 /* and below which it goes */
#define DIRECT_BITS 14  /* where level 3 begins */
#define DIRECT_LEVEL 3
#define STRIDE 6
#define LEVELS_MAX 23 /* levels of a 128-bit trie */
#define NODE_WORDS 3
#define BLOCK_WORDS_MAX (NODE_WORDS * 64)
#define WASTE_MIN_WORDS 256

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

static inline LpmKey key_shift(LpmKey k, unsigned n)
{
    return n == 0 ? k : (LpmKey){k.hi << n | k.lo >> (64 - n), k.lo << n};
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
static inline unsigned key_chunk(LpmKey k, unsigned level)
{
    if (level == 0)
        return (unsigned)(k.hi >> 62);
    unsigned depth = level_depth(level);
    if (depth >= 64)
        return (unsigned)(depth == 128 ? 0 : k.lo << (depth - 64) >> 58);
    return (unsigned)(key_shift(k, depth).hi >> 58);
}

/* The bit of a prefix in the internal bitmap of its node. */
static inline unsigned key_pos(LpmKey k, unsigned plen)
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
static inline __attribute__((always_inline)) void *walk(const uint64_t *words, uint32_t idx, LpmKey k,
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
static void direct_refresh_best(LpmTrie *trie, LpmKey k, unsigned plen)
{
    unsigned first = (unsigned)(k.hi >> (64 - DIRECT_BITS)), n = 1u << (DIRECT_BITS - plen);
    for (unsigned i = first; i < first + n; i++) {
        LpmKey slot_key = {(uint64_t)i << (64 - DIRECT_BITS), 0};
        trie->direct[i].best = walk(trie->words, 0, slot_key, 2, DIRECT_LEVEL, false);
    }
}

/* The index of the node that holds prefixes of `level` on the way to k, or UINT32_MAX. */
static uint32_t find_node(const LpmTrie *trie, LpmKey k, unsigned level)
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
        uint32_t idx = find_node(trie, (LpmKey){(uint64_t)octet << 56, 0}, DIRECT_LEVEL - 1);
        direct_refresh(trie, idx == UINT32_MAX ? NULL : node_at(trie, idx), octet);
    }
}

static void direct_adapt(LpmTrie *trie, uint32_t len)
{
    if (!trie->direct && len >= DIRECT_ON) {
        trie->direct = g_new(DirectSlot, 1u << DIRECT_BITS);
        direct_fill(trie);
        direct_refresh_best(trie, (LpmKey){0, 0}, 0);
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

LpmTrie *lpm_trie_new(void)
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

void lpm_trie_free(LpmTrie *trie)
{
    g_free(trie->direct);
    g_free(trie->words);
    g_free(trie);
}

void *lpm_trie_insert(LpmTrie *trie, LpmKey k, unsigned plen, void *value)
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

void *lpm_trie_remove(LpmTrie *trie, LpmKey k, unsigned plen)
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

void *lpm_trie_get(const LpmTrie *trie, LpmKey k, unsigned plen)
{
    uint32_t idx = find_node(trie, k, plen_level(plen));
    if (idx == UINT32_MAX)
        return NULL;
    const Node *n = node_at(trie, idx);
    unsigned pos = key_pos(k, plen);
    return n->internal >> pos & 1 ? value_at(trie->words, n, pos) : NULL;
}

static inline __attribute__((always_inline)) void *lookup(const LpmTrie *trie, LpmKey k, bool popcnt)
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
    return lookup(trie, (LpmKey){(uint64_t)addr << 32, 0}, true);
}

static __attribute__((target("popcnt"))) void *lookup6_popcnt(const LpmTrie *trie, LpmKey k)
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
    return lookup(trie, lpm_key_from4(addr), false);
}

void *lpm_trie_lookup6(const LpmTrie *trie, LpmKey k)
{
#if POPCNT_AT_RUN_TIME
    if (HS_LIKELY(trie->has_popcnt))
        return lookup6_popcnt(trie, k);
#endif
    return lookup(trie, k, false);
}

/* Iteration. */

/* k with `chunk` at the place that `level` consumes. */
static LpmKey key_with_chunk(LpmKey k, unsigned level, unsigned chunk)
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
static void foreach_node(const LpmTrie *trie, LpmTrieVisitFunc fn, void *user, uint32_t idx, LpmKey k,
                         unsigned level)
{
    const Node *n = node_at(trie, idx);
    for (unsigned chunk = 0; chunk < 64; chunk++) {
        /* The prefixes whose first address is that of this chunk, shortest first. */
        unsigned shortest = chunk ? STRIDE - (unsigned)__builtin_ctz(chunk) : 0;
        LpmKey at = key_with_chunk(k, level, chunk);
        for (unsigned rel = shortest; rel < STRIDE; rel++) {
            unsigned pos = (1u << rel) - 1 + (chunk >> (STRIDE - rel));
            if (n->internal >> pos & 1)
                fn(at, STRIDE * level + rel - 4, value_at(trie->words, n, pos), user);
        }
        if (n->external >> chunk & 1)
            foreach_node(trie, fn, user, child_at(n, chunk), at, level + 1);
    }
}

void lpm_trie_foreach(const LpmTrie *trie, LpmTrieVisitFunc fn, void *user)
{
    foreach_node(trie, fn, user, 0, (LpmKey){0, 0}, 0);
}

void lpm_trie_adapt(LpmTrie *trie, uint32_t len)
{
    compact_if_wasteful(trie);
    direct_adapt(trie, len);
}

size_t lpm_trie_bytes(const LpmTrie *trie)
{
    size_t direct = trie->direct ? sizeof *trie->direct << DIRECT_BITS : 0;
    return sizeof *trie + trie->capacity * sizeof *trie->words + direct;
}
