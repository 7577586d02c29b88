/* Red-black tree with parent links: a red node has no red child, and all ways down from a node pass equally
 * many black ones. An insertion or a removal breaks one of the two at one place, which is repaired there or
 * moved up. */
#include "sim/base/rbtree.h"

static bool is_red(const RbNode *n)
{
    return n && n->colour == RB_RED;
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

/* n goes down to the left (or right), and its child of the other side takes its place. */
static void rotate(RbRoot *root, RbNode *n, bool to_left)
{
    RbNode *up = to_left ? n->right : n->left;
    RbNode **outer = to_left ? &n->right : &n->left, **inner = to_left ? &up->left : &up->right;

    replace(root, n, up);
    *outer = *inner;
    if (*outer)
        (*outer)->parent = n;
    *inner = n;
    n->parent = up;
}

/* n is red, and perhaps its parent is too. */
static void repair_red(RbRoot *root, RbNode *n)
{
    RbNode *parent;

    while (is_red(parent = n->parent)) {
        RbNode *above = parent->parent;
        bool is_left = above->left == parent;
        RbNode *uncle = is_left ? above->right : above->left;

        if (is_red(uncle)) {
            parent->colour = uncle->colour = RB_BLACK;
            above->colour = RB_RED;
            n = above;
            continue;
        }
        if (n == (is_left ? parent->right : parent->left)) { /* on the inner side: turned outwards */
            rotate(root, parent, is_left);
            parent = n;
        }
        parent->colour = RB_BLACK;
        above->colour = RB_RED;
        rotate(root, above, !is_left);
        return;
    }
    root->top->colour = RB_BLACK;
}

/* The ways through n (may be NULL), a child of parent, lack one black node. */
static void repair_black(RbRoot *root, RbNode *n, RbNode *parent)
{
    while (parent && !is_red(n)) {
        bool is_left = parent->left == n;
        RbNode *other = is_left ? parent->right : parent->left;
        RbNode *near, *far;

        if (is_red(other)) {
            other->colour = RB_BLACK;
            parent->colour = RB_RED;
            rotate(root, parent, is_left);
            other = is_left ? parent->right : parent->left;
        }
        near = is_left ? other->left : other->right;
        far = is_left ? other->right : other->left;
        if (!is_red(near) && !is_red(far)) {
            other->colour = RB_RED;
            n = parent;
            parent = n->parent;
            continue;
        }
        if (!is_red(far)) {
            rotate(root, other, !is_left);
            far = other;
            other = near;
        }
        other->colour = parent->colour;
        parent->colour = far->colour = RB_BLACK;
        rotate(root, parent, is_left);
        return;
    }
    if (n)
        n->colour = RB_BLACK;
}

void rbtree_insert(RbRoot *root, RbNode *node, RbNode *parent, RbNode **link)
{
    hs_assert(*link == NULL);
    *node = (RbNode){.parent = parent, .colour = RB_RED};
    *link = node;
    repair_red(root, node);
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
    RbNode *child, *parent; /* what has moved up where a node is missing now, and above it */
    int missing = node->colour;

    hs_assert(node->colour != RB_NONE);
    if (node->left && node->right) {
        RbNode *heir = node->right;

        while (heir->left)
            heir = heir->left;
        missing = heir->colour;
        child = heir->right;
        parent = heir->parent == node ? heir : heir->parent;
        replace(root, heir, child);
        rbtree_replace(root, node, heir);
    } else {
        child = node->left ? node->left : node->right;
        parent = node->parent;
        replace(root, node, child);
        *node = (RbNode){0};
    }
    if (missing == RB_BLACK)
        repair_black(root, child, parent);
}

void rbtree_replace(RbRoot *root, RbNode *node, RbNode *fresh)
{
    replace(root, node, fresh);
    *fresh = *node;
    if (fresh->left)
        fresh->left->parent = fresh;
    if (fresh->right)
        fresh->right->parent = fresh;
    *node = (RbNode){0};
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
