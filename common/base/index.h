/*
 * A hash table that never stops to rehash: linear hashing, which splits at most one bucket at each insertion.
 *
 * Owns: the buckets. The nodes lie inside the members. Must not know: keys, or what the members are.
 */
#ifndef UM_INDEX_H
#define UM_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member's place in an index. */
struct um_index_node {
    struct um_index_node *next; /* in the same bucket */
    uint64_t hash;              /* of the member's key; set by the caller before the insertion */
};

struct um_index {
    struct um_index_node ***segments; /* the buckets, in pieces of a fixed size */
    size_t segment_capacity;          /* entries allocated in `segments` */
    size_t buckets;                   /* in use: base <= buckets < 2 * base */
    size_t base;                      /* a power of two */
    size_t count;                     /* members */
};

/* Makes an empty index. Returns false when memory runs out. */
bool um_index_init(struct um_index *index);

/* Frees the buckets, not the members. Fine on one that is all zero. */
void um_index_deinit(struct um_index *index);

/* Inserts a member. Cannot fail: where there is no memory for a bucket, the chains just grow longer. */
void um_index_insert(struct um_index *index, struct um_index_node *node);

/* Takes a member out that is in the index. */
void um_index_remove(struct um_index *index, struct um_index_node *node);

/* The first member with this hash of which `is_key` says that it has this key, or NULL. */
struct um_index_node *um_index_find(const struct um_index *index, uint64_t hash,
                                    bool (*is_key)(const struct um_index_node *node, const void *key),
                                    const void *key);

#endif
