/* The balanced tree: what is in it, in which order, and that it stays balanced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/tree.h"

enum {
    KEYS = 300,
    STEPS = 20000,
    ALL_ORDERS_OF = 7, /* members that are put in, and taken out, in every order */
    MANY = 100000
};

struct member {
    int key;
    struct um_tree_node node;
};

static int key_of(const struct um_tree_node *node)
{
    return UM_TREE_ITEM(node, const struct member, node)->key;
}

static int compare(const struct um_tree_node *left, const struct um_tree_node *right)
{
    return (key_of(left) > key_of(right)) - (key_of(left) < key_of(right));
}

/* Checks a subtree, whose keys are between two others; returns its height and adds its members to *count. */
static int check_subtree(const struct um_tree_node *node, int above, int below, size_t *count)
{
    if (node == NULL)
        return 0;
    int key = key_of(node);
    assert_true(key > above && key < below);
    int before = check_subtree(node->child[0], above, key, count);
    int after = check_subtree(node->child[1], key, below, count);
    int height = 1 + (before > after ? before : after);
    assert_int_equal(node->height, height);
    assert_true(before - after <= 1 && after - before <= 1);
    ++*count;
    return height;
}

static void check_tree(const struct um_tree *tree)
{
    size_t count = 0;
    check_subtree(tree->root, INT32_MIN, INT32_MAX, &count);
    assert_int_equal(tree->count, count);
}

static void fill(struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memset(&members[i], 0xa5, sizeof members[i]);
        members[i].key = (int)i;
    }
}

/* Writes the number-th order of the numbers below `count`. */
static void permute(size_t *order, size_t count, size_t number)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t other = number % i;
        size_t moved = order[i - 1];
        number /= i;
        order[i - 1] = order[other];
        order[other] = moved;
    }
}

static void test_members_come_and_go_in_every_order(void **state)
{
    struct member members[ALL_ORDERS_OF];
    size_t order[ALL_ORDERS_OF];
    size_t orders = 1;
    (void)state;
    for (size_t i = 2; i <= ALL_ORDERS_OF; i++)
        orders *= i;
    for (size_t number = 0; number < orders; number++) {
        struct um_tree tree;
        um_tree_init(&tree, compare);
        fill(members, ALL_ORDERS_OF);
        permute(order, ALL_ORDERS_OF, number);
        for (size_t i = 0; i < ALL_ORDERS_OF; i++) {
            um_tree_insert(&tree, &members[order[i]].node);
            check_tree(&tree);
        }
        permute(order, ALL_ORDERS_OF, orders - 1 - number);
        for (size_t i = 0; i < ALL_ORDERS_OF; i++) {
            um_tree_remove(&tree, &members[order[i]].node);
            check_tree(&tree);
        }
        assert_null(tree.root);
    }
}

/* The key of the nearest member in one direction, looked for one by one; -1: none. */
static int nearest_key(const char *is_in, int key, int step)
{
    while (key >= 0 && key < KEYS && !is_in[key])
        key += step;
    return key >= 0 && key < KEYS ? key : -1;
}

static int key_or_none(const struct um_tree_node *node)
{
    return node != NULL ? key_of(node) : -1;
}

static void test_look_ups_agree_with_a_list_of_flags(void **state)
{
    static struct member members[KEYS];
    static char is_in[KEYS];
    struct um_tree tree;
    uint32_t random = 1;
    (void)state;
    um_tree_init(&tree, compare);
    fill(members, KEYS);
    for (int i = 0; i < STEPS; i++) {
        random = random * 1664525 + 1013904223;
        int key = (int)((random >> 8) % KEYS);
        const struct member probe = {.key = key};
        if (is_in[key])
            um_tree_remove(&tree, &members[key].node);
        else if (i % 2000 < 1500 || random >> 31 != 0)
            um_tree_insert(&tree, &members[key].node);
        else
            continue;
        is_in[key] = !is_in[key];
        check_tree(&tree);
        assert_int_equal(key_or_none(um_tree_first(&tree)), nearest_key(is_in, 0, 1));
        assert_int_equal(key_or_none(um_tree_last(&tree)), nearest_key(is_in, KEYS - 1, -1));
        assert_int_equal(key_or_none(um_tree_floor(&tree, &probe.node)), nearest_key(is_in, key, -1));
        assert_int_equal(key_or_none(um_tree_ceiling(&tree, &probe.node)), nearest_key(is_in, key, 1));
    }
}

static void test_a_long_row_in_order_stays_low(void **state)
{
    static struct member members[MANY];
    struct um_tree tree;
    (void)state;
    um_tree_init(&tree, compare);
    fill(members, MANY);
    for (size_t i = 0; i < MANY; i++)
        um_tree_insert(&tree, &members[i].node);
    check_tree(&tree);
    assert_true(tree.root->height <= 24); /* 1.44 * log2(100000) */
    for (size_t i = 0; i < MANY; i += 2)
        um_tree_remove(&tree, &members[i].node);
    check_tree(&tree);
    assert_int_equal(tree.count, MANY / 2);
}

static void test_an_empty_tree_has_nothing_to_find(void **state)
{
    struct um_tree tree;
    const struct member probe = {.key = 5};
    (void)state;
    um_tree_init(&tree, compare);
    assert_null(um_tree_first(&tree));
    assert_null(um_tree_last(&tree));
    assert_null(um_tree_floor(&tree, &probe.node));
    assert_null(um_tree_ceiling(&tree, &probe.node));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_come_and_go_in_every_order),
        cmocka_unit_test(test_look_ups_agree_with_a_list_of_flags),
        cmocka_unit_test(test_a_long_row_in_order_stays_low),
        cmocka_unit_test(test_an_empty_tree_has_nothing_to_find),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
