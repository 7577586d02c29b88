/* An intrusive balanced search tree. The keys and their comparison are the user's: walk down from root->top
 * yourself, remember the link where the new node belongs, then rbtree_insert balances:
 *
 *     RbNode **link = &root->top, *parent = NULL;
 *     while (*link) {
 *         parent = *link;
 *         link = is_less(new, owner_of(parent)) ? &parent->left : &parent->right;
 *     }
 *     rbtree_insert(root, &new->rb, parent, link);
 *
 * It is a red-black tree (Guibas and Sedgewick, 1978) with the repairs of the textbooks (Cormen et al.,
 * chapter 13), and a removed node is replaced by the one after it: so its shape is that of Linux's rb_root
 * after the same insertions and removals. Where segments overlap (tcp_ofo.c), a search finds what lies on its
 * way, and the shape can be seen on the wire. Order depends on the user's keys alone, never on addresses.
 */
#pragma once

#include "sim/base/base.h"

enum { RB_NONE, RB_BLACK, RB_RED };

typedef struct RbNode RbNode;
struct RbNode {
    RbNode *parent, *left, *right;
    int colour; /* RB_NONE: in no tree (as after zeroing or rbtree_erase) */
};

typedef struct RbRoot {
    RbNode *top;
} RbRoot;

/* node goes to *link, which is empty and belongs to parent (NULL: link is &root->top). */
void rbtree_insert(RbRoot *root, RbNode *node, RbNode *parent, RbNode **link);
/* node comes right after pos; pos NULL: before all others. */
void rbtree_insert_after(RbRoot *root, RbNode *node, RbNode *pos);
void rbtree_erase(RbRoot *root, RbNode *node);
/* fresh stands where node stood, which is in no tree afterwards. */
void rbtree_replace(RbRoot *root, RbNode *node, RbNode *fresh);

/* NULL: none */
RbNode *rbtree_first(const RbRoot *root);
RbNode *rbtree_last(const RbRoot *root);
RbNode *rbtree_next(const RbNode *node);
RbNode *rbtree_prev(const RbNode *node);

static inline bool rbtree_is_empty(const RbRoot *root)
{
    return root->top == NULL;
}

static inline bool rbtree_is_linked(const RbNode *node)
{
    return node->colour != RB_NONE;
}
