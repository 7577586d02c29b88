/* The balanced tree: order, links both ways and the AVL rule hold after every insertion and removal. */
#include "sim/base/rbtree.h"

#include <glib.h>

typedef struct Item {
    RbNode rb;
    unsigned key;
} Item;

#define N_ITEMS 500

static Item *item_of(RbNode *n)
{
    return n ? HS_CONTAINER_OF(n, Item, rb) : NULL;
}

static void insert(RbRoot *root, Item *it)
{
    RbNode **link = &root->top, *parent = NULL;

    while (*link) {
        parent = *link;
        link = it->key < item_of(parent)->key ? &parent->left : &parent->right;
    }
    rbtree_insert(root, &it->rb, parent, link);
}

static int check_subtree(const RbNode *n, const RbNode *parent)
{
    if (!n)
        return 0;
    g_assert_true(n->parent == parent);
    int l = check_subtree(n->left, n), r = check_subtree(n->right, n);
    g_assert_cmpint(ABS(l - r), <=, 1);
    g_assert_cmpint(n->height, ==, MAX(l, r) + 1);
    return n->height;
}

static void check(const RbRoot *root, unsigned n)
{
    unsigned count = 0;
    RbNode *last = NULL;

    check_subtree(root->top, NULL);
    for (RbNode *i = rbtree_first(root); i; last = i, i = rbtree_next(i), count++) {
        g_assert_true(rbtree_prev(i) == last);
        if (last)
            g_assert_cmpuint(item_of(last)->key, <, item_of(i)->key);
    }
    g_assert_true(rbtree_last(root) == last);
    g_assert_cmpuint(count, ==, n);
}

static void test_random(void)
{
    static Item items[N_ITEMS];
    RbRoot root = {0};

    /* 7919 is prime and no divisor of 500: every key once, in a scattered order */
    for (unsigned i = 0; i < N_ITEMS; i++) {
        items[i].key = i * 7919 % N_ITEMS;
        insert(&root, &items[i]);
        check(&root, i + 1);
    }
    for (unsigned i = 0; i < N_ITEMS; i++) {
        Item *it = &items[i * 331 % N_ITEMS];
        rbtree_erase(&root, &it->rb);
        g_assert_false(rbtree_is_linked(&it->rb));
        check(&root, N_ITEMS - i - 1);
    }
    g_assert_true(rbtree_is_empty(&root));
}

static void test_queue(void)
{
    static Item items[N_ITEMS];
    RbRoot root = {0};

    /* a send queue: appended behind, taken away in front */
    for (unsigned i = 0; i < N_ITEMS; i++) {
        items[i].key = i;
        rbtree_insert_after(&root, &items[i].rb, rbtree_last(&root));
        if (i >= 10) {
            g_assert_true(item_of(rbtree_first(&root)) == &items[i - 10]);
            rbtree_erase(&root, &items[i - 10].rb);
        }
        check(&root, MIN(i + 1, 10u));
    }
}

static void test_insert_after(void)
{
    Item a = {.key = 10}, b = {.key = 20}, m = {.key = 15}, z = {.key = 5};
    RbRoot root = {0};

    insert(&root, &a);
    insert(&root, &b);
    rbtree_insert_after(&root, &m.rb, &a.rb);
    rbtree_insert_after(&root, &z.rb, NULL);
    check(&root, 4);
    g_assert_true(item_of(rbtree_first(&root)) == &z);
    g_assert_true(item_of(rbtree_next(&a.rb)) == &m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/rbtree/random", test_random);
    g_test_add_func("/base/rbtree/queue", test_queue);
    g_test_add_func("/base/rbtree/insert-after", test_insert_after);
    return g_test_run();
}
