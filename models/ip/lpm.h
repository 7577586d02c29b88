/*
 * Longest-prefix-match table: the heart of every routing table, for IPv4 (32-bit keys) and IPv6 (128-bit
 * keys).
 *
 * A host has two or three routes, a core router a million, so the table has two shapes and changes between
 * them by itself: a sorted array that is scanned (16 or 32 bytes per route), and a compressed multibit trie
 * (lpm.c). Both can be changed at any time at a cost that does not depend on the size of the table.
 *
 * Prefixes and keys are bytes in network order, 4 or 16 of them; bits of a prefix beyond its length are
 * ignored. The ...4 functions take an IPv4 address as a number in host order instead. Values belong to the
 * caller, and are never NULL: NULL means "no such prefix". What a table answers, and the order of
 * lpm_foreach, depend on the prefixes in it and not on the order they came in; lpm_bytes is the exception.
 */
#pragma once

#include "sim/base/base.h"

typedef struct LpmTrie LpmTrie;

/* One route of a small IPv4 table. */
typedef struct {
    uint32_t prefix, mask; /* host order; prefix & ~mask == 0 */
    void *value;
} LpmRoute4;

/* One route of a small IPv6 table. */
typedef struct {
    uint64_t hi, lo; /* the prefix, bits beyond plen are 0 */
    void *value;
    uint32_t plen;
} LpmRoute6;

typedef struct Lpm {
    union {
        LpmRoute4 *routes4; /* !is_trie, key_bits 32: longest first */
        LpmRoute6 *routes6; /* !is_trie, key_bits 128: longest first */
        LpmTrie *trie;      /* is_trie */
    } u;
    uint32_t len; /* number of prefixes */
    uint8_t key_bits;
    bool is_trie;
} Lpm;

/* key_bits is 32 or 128. An empty table owns no memory besides the struct. */
void lpm_init(Lpm *t, unsigned key_bits);

/* Forgets all prefixes and frees everything; the table is then as after lpm_init. */
void lpm_clear(Lpm *t);

/* Adds or replaces. Returns the value that was replaced, or NULL. */
void *lpm_insert(Lpm *t, const uint8_t *prefix, unsigned plen, void *value);

/* Returns the value that was removed, or NULL if this very prefix is not in the table. */
void *lpm_remove(Lpm *t, const uint8_t *prefix, unsigned plen);

/* The value of exactly this prefix, or NULL. */
void *lpm_get(const Lpm *t, const uint8_t *prefix, unsigned plen);

/* The value of the longest prefix that contains the key, or NULL. */
void *lpm_lookup(const Lpm *t, const uint8_t *key);

typedef void (*LpmVisitFunc)(const uint8_t *prefix, unsigned plen, void *value, void *user);

/* Visits all prefixes ordered by (prefix, plen). The function must not change the table. */
void lpm_foreach(const Lpm *t, LpmVisitFunc fn, void *user);

/* Heap bytes the table owns, the struct itself not counted. */
size_t lpm_bytes(const Lpm *t);

static inline size_t lpm_len(const Lpm *t)
{
    return t->len;
}

void *lpm_insert4(Lpm *t, uint32_t prefix, unsigned plen, void *value);
void *lpm_remove4(Lpm *t, uint32_t prefix, unsigned plen);
void *lpm_get4(const Lpm *t, uint32_t prefix, unsigned plen);

/* The trie half of lpm_lookup4; not to be called directly. */
void *lpm_trie_lookup4(const LpmTrie *trie, uint32_t addr);

/* lpm_lookup for an IPv4 address in host order. The small table, which nearly every node has, is inline. */
static inline void *lpm_lookup4(const Lpm *t, uint32_t addr)
{
    if (HS_UNLIKELY(t->is_trie))
        return lpm_trie_lookup4(t->u.trie, addr);
    const LpmRoute4 *r = t->u.routes4;
    for (uint32_t n = t->len; n > 0; n--, r++) {
        if ((addr & r->mask) == r->prefix)
            return r->value;
    }
    return NULL;
}
