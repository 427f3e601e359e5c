/*
 * Balanced search trees whose nodes lie inside the members.
 *
 * Owns: nothing; a tree is a root and nodes of the caller's. Must not know: what the members are, or how they
 * are ordered: a function of the caller's tells.
 *
 * AVL trees: the heights of a node's two subtrees differ by one at most, so that every call takes time in
 * proportion to the logarithm of the count, in the worst case too. Nothing allocates and nothing can fail.
 */
#ifndef UM_TREE_H
#define UM_TREE_H

#include <stddef.h>

#include "base/steps.h"

/* A member's place in one tree. */
struct um_tree_node {
    struct um_tree_node *child[2]; /* what comes before it, and what comes after it */
    int height;                    /* levels, itself included: 1 for a leaf */
};

struct um_tree {
    struct um_tree_node *root; /* NULL: empty */
    size_t count;              /* members */

    /* Negative where `left` comes before `right`, positive where it comes after it, 0 for a member and
     * itself. */
    int (*compare)(const struct um_tree_node *left, const struct um_tree_node *right);
};

/* The struct of `type` whose `member` is this node. */
#define UM_TREE_ITEM(node, type, member) (UM_STEP(), (type *)(void *)((char *)(node)-offsetof(type, member)))

/* Makes an empty tree in that order. */
void um_tree_init(struct um_tree *tree,
                  int (*compare)(const struct um_tree_node *left, const struct um_tree_node *right));

/* Inserts a member that is equal to none in the tree. While it is in, it may change only in ways that leave
 * its place in the order as it is. */
void um_tree_insert(struct um_tree *tree, struct um_tree_node *node);

/* Takes a member out that is in the tree. */
void um_tree_remove(struct um_tree *tree, struct um_tree_node *node);

/* The first and the last member, or NULL. */
struct um_tree_node *um_tree_first(const struct um_tree *tree);
struct um_tree_node *um_tree_last(const struct um_tree *tree);

/* The last member that does not come after `key`, and the first one that does not come before it, or NULL.
 * `key` is a node that need not be in the tree: one in a struct that holds just what the comparison looks at.
 * */
struct um_tree_node *um_tree_floor(const struct um_tree *tree, const struct um_tree_node *key);
struct um_tree_node *um_tree_ceiling(const struct um_tree *tree, const struct um_tree_node *key);

#endif
