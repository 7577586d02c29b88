/* The balanced tree: order, links both ways and the red-black rules hold after every insertion and removal.
 */
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

/* Returns how many black nodes there are on each way down. */
static int check_subtree(const RbNode *n, const RbNode *parent)
{
    if (!n)
        return 0;
    g_assert_true(n->parent == parent);
    g_assert_cmpint(n->colour, !=, RB_NONE);
    g_assert_false(n->colour == RB_RED && (!parent || parent->colour == RB_RED));
    int l = check_subtree(n->left, n), r = check_subtree(n->right, n);
    g_assert_cmpint(l, ==, r);
    return l + (n->colour == RB_BLACK);
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

static void write_shape(const RbNode *n, GString *text)
{
    if (!n)
        return;
    g_string_append_printf(text, "(%c%u", n->colour == RB_RED ? 'r' : 'b', item_of((RbNode *)n)->key);
    write_shape(n->left, text);
    write_shape(n->right, text);
    g_string_append_c(text, ')');
}

static void assert_shape(const RbRoot *root, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    write_shape(root->top, text);
    g_assert_cmpstr(text->str, ==, expected);
}

/* The shape itself is what Linux's lib/rbtree.c would build, worked out by hand from the rules. */
static void test_shape(void)
{
    Item items[9], fresh = {.key = 4};
    RbRoot root = {0};

    for (unsigned i = 1; i <= 8; i++) {
        items[i].key = i;
        insert(&root, &items[i]);
    }
    assert_shape(&root, "(b4(r2(b1)(b3))(r6(b5)(b7(r8))))");
    rbtree_replace(&root, &items[4].rb, &fresh.rb);
    g_assert_false(rbtree_is_linked(&items[4].rb));
    assert_shape(&root, "(b4(r2(b1)(b3))(r6(b5)(b7(r8))))");
    rbtree_erase(&root, &fresh.rb); /* 5 comes in its place; the black that 6 lacks is 8's */
    assert_shape(&root, "(b5(r2(b1)(b3))(r7(b6)(b8)))");
    rbtree_erase(&root, &items[1].rb);
    assert_shape(&root, "(b5(b2(r3))(r7(b6)(b8)))");
    check(&root, 6);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/rbtree/random", test_random);
    g_test_add_func("/base/rbtree/queue", test_queue);
    g_test_add_func("/base/rbtree/insert-after", test_insert_after);
    g_test_add_func("/base/rbtree/shape", test_shape);
    return g_test_run();
}
