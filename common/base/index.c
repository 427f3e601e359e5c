#include "base/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/steps.h"

enum {
    SEGMENT_BUCKETS = 256,             /* buckets in a segment */
    BUCKETS_MINIMUM = SEGMENT_BUCKETS, /* an index never shrinks below */
    MERGES_AT_ONCE = 4 /* by one removal, so that there are never more than four buckets for a member */
};

static struct um_index_node **bucket_at(const struct um_index *index, size_t number)
{
    return &index->segments[number / SEGMENT_BUCKETS][number % SEGMENT_BUCKETS];
}

static struct um_index_node **bucket_of(const struct um_index *index, uint64_t hash)
{
    size_t number = (size_t)hash & (2 * index->base - 1);
    if (number >= index->buckets)
        number &= index->base - 1; /* that bucket has not been split off yet */
    return bucket_at(index, number);
}

/* Makes sure that the bucket after the last one has memory. */
static bool make_segment(struct um_index *index)
{
    size_t segment = index->buckets / SEGMENT_BUCKETS;
    if (index->buckets % SEGMENT_BUCKETS != 0)
        return true;
    if (segment == index->segment_capacity) {
        size_t capacity = index->segment_capacity == 0 ? 8 : index->segment_capacity * 2;
        struct um_index_node ***segments = realloc(index->segments, capacity * sizeof *segments);
        if (segments == NULL)
            return false;
        index->segments = segments;
        index->segment_capacity = capacity;
    }
    index->segments[segment] = calloc(SEGMENT_BUCKETS, sizeof(struct um_index_node *));
    return index->segments[segment] != NULL;
}

bool um_index_init(struct um_index *index)
{
    memset(index, 0, sizeof *index);
    if (!make_segment(index)) {
        free(index->segments);
        index->segments = NULL;
        return false;
    }
    index->base = BUCKETS_MINIMUM;
    index->buckets = BUCKETS_MINIMUM;
    return true;
}

void um_index_deinit(struct um_index *index)
{
    size_t segments = (index->buckets + SEGMENT_BUCKETS - 1) / SEGMENT_BUCKETS;
    for (size_t i = 0; i < segments; i++)
        free(index->segments[i]);
    free(index->segments);
    memset(index, 0, sizeof *index);
}

/* Adds one bucket and moves to it what belongs there from the one that it is split off. */
static void split(struct um_index *index)
{
    if (!make_segment(index))
        return;
    size_t number = index->buckets;
    struct um_index_node **target = bucket_at(index, number);
    struct um_index_node **link = bucket_at(index, number - index->base);
    while (*link != NULL) {
        struct um_index_node *node = *link;
        if (((size_t)node->hash & (2 * index->base - 1)) == number) {
            *link = node->next;
            node->next = *target;
            *target = node;
        } else {
            link = &node->next;
        }
    }
    index->buckets++;
    if (index->buckets == 2 * index->base)
        index->base *= 2;
}

/* Undoes the last split. */
static void merge(struct um_index *index)
{
    if (index->buckets == index->base)
        index->base /= 2;
    index->buckets--;
    struct um_index_node **source = bucket_at(index, index->buckets);
    struct um_index_node **link = bucket_at(index, index->buckets - index->base);
    while (*link != NULL)
        link = &(*link)->next;
    *link = *source;
    *source = NULL;
    if (index->buckets % SEGMENT_BUCKETS == 0) {
        free(index->segments[index->buckets / SEGMENT_BUCKETS]);
        index->segments[index->buckets / SEGMENT_BUCKETS] = NULL;
    }
}

void um_index_insert(struct um_index *index, struct um_index_node *node)
{
    if (index->count >= index->buckets)
        split(index);
    struct um_index_node **bucket = bucket_of(index, node->hash);
    node->next = *bucket;
    *bucket = node;
    index->count++;
}

void um_index_remove(struct um_index *index, struct um_index_node *node)
{
    struct um_index_node **link = bucket_of(index, node->hash);
    while (*link != node) {
        UM_STEP();
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    index->count--;
    for (int i = 0; i < MERGES_AT_ONCE; i++) {
        if (index->buckets > BUCKETS_MINIMUM && index->count < index->buckets / MERGES_AT_ONCE)
            merge(index);
    }
}

struct um_index_node *um_index_find(const struct um_index *index, uint64_t hash,
                                    bool (*is_key)(const struct um_index_node *node, const void *key),
                                    const void *key)
{
    struct um_index_node *node = *bucket_of(index, hash);
    while (node != NULL && !(node->hash == hash && is_key(node, key))) {
        UM_STEP();
        node = node->next;
    }
    return node;
}
