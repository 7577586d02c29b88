/* AVL tree with parent links: the heights of a node's two sides differ by one at most. After an insertion or
 * a removal, the path to the top is repaired by rotations until a subtree has the height it had before. */
#include "sim/base/rbtree.h"

static int height_of(const RbNode *n)
{
    return n ? n->height : 0;
}

static void measure(RbNode *n)
{
    n->height = HS_MAX(height_of(n->left), height_of(n->right)) + 1;
}

/* The place that points to n. */
static RbNode **link_of(RbRoot *root, RbNode *n)
{
    if (!n->parent)
        return &root->top;
    return n->parent->left == n ? &n->parent->left : &n->parent->right;
}

/* Puts n (may be NULL) where `old` hangs. */
static void replace(RbRoot *root, RbNode *old, RbNode *n)
{
    *link_of(root, old) = n;
    if (n)
        n->parent = old->parent;
}

/* n's right child takes its place, n becomes that one's left child; returns the new top of the subtree. */
static RbNode *rotate_left(RbRoot *root, RbNode *n)
{
    RbNode *r = n->right;

    replace(root, n, r);
    n->right = r->left;
    if (n->right)
        n->right->parent = n;
    r->left = n;
    n->parent = r;
    measure(n);
    measure(r);
    return r;
}

static RbNode *rotate_right(RbRoot *root, RbNode *n)
{
    RbNode *l = n->left;

    replace(root, n, l);
    n->left = l->right;
    if (n->left)
        n->left->parent = n;
    l->right = n;
    n->parent = l;
    measure(n);
    measure(l);
    return l;
}

/* Something below n changed its height. */
static void rebalance(RbRoot *root, RbNode *n)
{
    for (; n; n = n->parent) {
        int before = n->height;
        int lean = height_of(n->left) - height_of(n->right);

        if (lean > 1) {
            if (height_of(n->left->left) < height_of(n->left->right))
                rotate_left(root, n->left);
            n = rotate_right(root, n);
        } else if (lean < -1) {
            if (height_of(n->right->right) < height_of(n->right->left))
                rotate_right(root, n->right);
            n = rotate_left(root, n);
        } else {
            measure(n);
        }
        if (n->height == before)
            return;
    }
}

void rbtree_insert(RbRoot *root, RbNode *node, RbNode *parent, RbNode **link)
{
    hs_assert(*link == NULL);
    *node = (RbNode){.parent = parent, .height = 1};
    *link = node;
    rebalance(root, parent);
}

void rbtree_insert_after(RbRoot *root, RbNode *node, RbNode *pos)
{
    RbNode **link = pos ? &pos->right : &root->top;
    RbNode *parent = pos;

    /* the leftmost free place of what follows pos */
    while (*link) {
        parent = *link;
        link = &parent->left;
    }
    rbtree_insert(root, node, parent, link);
}

void rbtree_erase(RbRoot *root, RbNode *node)
{
    RbNode *from; /* the lowest node whose subtree shrank */

    hs_assert(node->height != 0);
    if (node->left && node->right) {
        RbNode *heir = node->right;

        while (heir->left)
            heir = heir->left;
        from = heir->parent == node ? heir : heir->parent;
        replace(root, heir, heir->right);
        replace(root, node, heir);
        heir->left = node->left;
        heir->left->parent = heir;
        heir->right = node->right;
        if (heir->right)
            heir->right->parent = heir;
        heir->height = node->height;
    } else {
        from = node->parent;
        replace(root, node, node->left ? node->left : node->right);
    }
    *node = (RbNode){0};
    rebalance(root, from);
}

RbNode *rbtree_first(const RbRoot *root)
{
    RbNode *n = root->top;

    while (n && n->left)
        n = n->left;
    return n;
}

RbNode *rbtree_last(const RbRoot *root)
{
    RbNode *n = root->top;

    while (n && n->right)
        n = n->right;
    return n;
}

RbNode *rbtree_next(const RbNode *node)
{
    const RbNode *n = node;

    if (n->right) {
        for (n = n->right; n->left;)
            n = n->left;
        return (RbNode *)n;
    }
    while (n->parent && n->parent->right == n)
        n = n->parent;
    return n->parent;
}

RbNode *rbtree_prev(const RbNode *node)
{
    const RbNode *n = node;

    if (n->left) {
        for (n = n->left; n->right;)
            n = n->right;
        return (RbNode *)n;
    }
    while (n->parent && n->parent->left == n)
        n = n->parent;
    return n->parent;
}
