#include "base/tree.h"

#include <stdbool.h>

enum {
    BEFORE, /* indices of um_tree_node.child */
    AFTER,
    HEIGHT_LIMIT = 96 /* levels: more than an AVL tree of 2^64 members has */
};

/* The links from the root down to where a tree was changed: each is the root or a child of the one above. */
struct path {
    struct um_tree_node **links[HEIGHT_LIMIT];
    size_t depth; /* links in it */
};

static int height_of(const struct um_tree_node *node)
{
    return node != NULL ? node->height : 0;
}

static void measure(struct um_tree_node *node)
{
    int before = height_of(node->child[BEFORE]);
    int after = height_of(node->child[AFTER]);
    node->height = 1 + (before > after ? before : after);
}

/* Lifts the child on `side` into its parent's place. The order stays as it is. */
static void rotate(struct um_tree_node **link, int side)
{
    struct um_tree_node *parent = *link;
    struct um_tree_node *child = parent->child[side];
    parent->child[side] = child->child[!side];
    child->child[!side] = parent;
    measure(parent);
    measure(child);
    *link = child;
}

/* Puts one subtree right whose own subtrees are balanced and differ in height by two at most. */
static void balance(struct um_tree_node **link)
{
    struct um_tree_node *node = *link;
    int lean = height_of(node->child[AFTER]) - height_of(node->child[BEFORE]);
    if (lean >= -1 && lean <= 1) {
        measure(node);
        return;
    }
    int side = lean > 0 ? AFTER : BEFORE;
    const struct um_tree_node *higher = node->child[side];
    if (height_of(higher->child[!side]) > height_of(higher->child[side]))
        rotate(&node->child[side], !side); /* else its inner part would only change sides */
    rotate(link, side);
}

/* Balances from the bottom up, as far as heights change. */
static void balance_path(const struct path *path)
{
    for (size_t i = path->depth; i > 0; i--) {
        struct um_tree_node **link = path->links[i - 1];
        int height = (*link)->height;
        balance(link);
        if ((*link)->height == height)
            return;
    }
}

void um_tree_init(struct um_tree *tree,
                  int (*compare)(const struct um_tree_node *left, const struct um_tree_node *right))
{
    tree->root = NULL;
    tree->compare = compare;
    tree->count = 0;
}

void um_tree_insert(struct um_tree *tree, struct um_tree_node *node)
{
    struct path path;
    struct um_tree_node **link = &tree->root;
    path.depth = 0;
    while (*link != NULL) {
        path.links[path.depth++] = link;
        link = &(*link)->child[tree->compare(*link, node) < 0 ? AFTER : BEFORE];
    }
    node->child[BEFORE] = NULL;
    node->child[AFTER] = NULL;
    node->height = 1;
    *link = node;
    tree->count++;
    balance_path(&path);
}

/* Puts the member that comes right after it in the place of one that has two children. `link` leads to it. */
static void replace(struct um_tree_node **link, struct path *path)
{
    struct um_tree_node *node = *link;
    struct um_tree_node **lower = &node->child[AFTER];
    size_t place = path->depth;
    path->links[path->depth++] = link;
    while ((*lower)->child[BEFORE] != NULL) {
        path->links[path->depth++] = lower;
        lower = &(*lower)->child[BEFORE];
    }
    struct um_tree_node *successor = *lower;
    *lower = successor->child[AFTER];
    *successor = *node;
    *link = successor;
    if (path->depth > place + 1)
        path->links[place + 1] = &successor->child[AFTER]; /* it led through the node taken out */
}

void um_tree_remove(struct um_tree *tree, struct um_tree_node *node)
{
    struct path path;
    struct um_tree_node **link = &tree->root;
    path.depth = 0;
    while (*link != node) {
        path.links[path.depth++] = link;
        link = &(*link)->child[tree->compare(*link, node) < 0 ? AFTER : BEFORE];
    }
    if (node->child[BEFORE] == NULL)
        *link = node->child[AFTER];
    else if (node->child[AFTER] == NULL)
        *link = node->child[BEFORE];
    else
        replace(link, &path);
    tree->count--;
    balance_path(&path);
}

static struct um_tree_node *outermost(const struct um_tree *tree, int side)
{
    struct um_tree_node *node = tree->root;
    while (node != NULL && node->child[side] != NULL)
        node = node->child[side];
    return node;
}

struct um_tree_node *um_tree_first(const struct um_tree *tree)
{
    return outermost(tree, BEFORE);
}

struct um_tree_node *um_tree_last(const struct um_tree *tree)
{
    return outermost(tree, AFTER);
}

/* The member nearest to `key` on that side of it, or at it. */
static struct um_tree_node *nearest(const struct um_tree *tree, const struct um_tree_node *key, int side)
{
    struct um_tree_node *node = tree->root;
    struct um_tree_node *found = NULL;
    while (node != NULL) {
        int order = tree->compare(node, key);
        bool is_on_side = side == AFTER ? order >= 0 : order <= 0;
        if (is_on_side)
            found = node;
        node = node->child[is_on_side ? !side : side];
    }
    return found;
}

struct um_tree_node *um_tree_floor(const struct um_tree *tree, const struct um_tree_node *key)
{
    return nearest(tree, key, BEFORE);
}

struct um_tree_node *um_tree_ceiling(const struct um_tree *tree, const struct um_tree_node *key)
{
    return nearest(tree, key, AFTER);
}
