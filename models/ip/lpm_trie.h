/*
 * The large shape of a longest-prefix-match table (lpm.h); only lpm.c and tests of the trie itself include
 * this.
 *
 * Prefixes are given masked: bits beyond the length are zero. Values are never NULL. Inserting and removing
 * may move everything inside, so no pointer into the trie survives them.
 */
#pragma once

#include "models/ip/lpm.h"

/* A key or prefix, left-aligned: the first bit is the top bit of hi. */
typedef struct {
    uint64_t hi, lo;
} LpmKey;

typedef void (*LpmTrieVisitFunc)(LpmKey prefix, unsigned plen, void *value, void *user);

LpmTrie *lpm_trie_new(void);
void lpm_trie_free(LpmTrie *trie);

/* Adds or replaces. Returns the value that was replaced, or NULL. */
void *lpm_trie_insert(LpmTrie *trie, LpmKey k, unsigned plen, void *value);
void *lpm_trie_remove(LpmTrie *trie, LpmKey k, unsigned plen);
void *lpm_trie_get(const LpmTrie *trie, LpmKey k, unsigned plen);
void *lpm_trie_lookup6(const LpmTrie *trie, LpmKey k); /* lpm_trie_lookup4 is in lpm.h */

/* In order of (prefix, plen). */
void lpm_trie_foreach(const LpmTrie *trie, LpmTrieVisitFunc fn, void *user);

/* To be called when the number of prefixes has changed to len: compacts, and adds or drops the direct array.
 */
void lpm_trie_adapt(LpmTrie *trie, uint32_t len);

size_t lpm_trie_bytes(const LpmTrie *trie);

static inline LpmKey lpm_key_from4(uint32_t addr)
{
    return (LpmKey){(uint64_t)addr << 32, 0};
}
