/*
 * How heaps, blocks and the sessions that made them are described: the members of results, and their writers.
 *
 * Owns: nothing. Must not know: which methods answer with them.
 */
#ifndef UM_DESCRIBE_H
#define UM_DESCRIBE_H

#include "base/buf.h"
#include "rpc/schema/method.h"
#include "store/store.h"

#define UM_ADDRESS_DOC "Where it lies in the daemon: unique among the blocks alive."

/* The members of um_block_members and um_block_place_members, for results that have more. */
#define UM_BLOCK_MEMBERS \
    {.name = "block", .type = UM_BLOCK, .doc = "The handle."}, \
        {.name = "name", .type = UM_STRING, .nullable = true, .doc = "Its name."}, \
        {.name = "heap", .type = UM_HEAP, .doc = "Where it was allocated."}, \
        {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "Its size."}, \
        {.name = "address", .type = UM_JSON, .doc = UM_ADDRESS_DOC}, \
        {.name = "lifetime", .type = UM_STRING, .doc = "\"server\" or \"session\"."}, \
        {.name = "owner", \
         .type = UM_OBJECT, \
         .nullable = true, \
         .members = um_owner_members, \
         .doc = "Who made it."}, \
        {.name = "holders", .type = UM_UINT, .doc = "Open sessions that hold it."}, \
        {.name = "orphaned", .type = UM_BOOLEAN, .doc = "No name, and no open session holds it."}, \
    { \
        .name = "created", .type = UM_UINT, .unit = "seconds since 1970-01-01 UTC", \
        .doc = "When it was allocated." \
    }
#define UM_BLOCK_PLACE_MEMBERS \
    {.name = "block", .type = UM_BLOCK, .doc = "The block."}, \
        {.name = "size", .type = UM_UINT, .unit = "bytes", .doc = "As requested."}, \
    { \
        .name = "address", .type = UM_JSON, .doc = UM_ADDRESS_DOC \
    }

/* Members that um_describe_block(), um_describe_place() and um_describe_heap() write into an object that is begun. */
extern const struct um_member um_block_members[];
extern const struct um_member um_block_place_members[];
extern const struct um_member um_heap_members[];
extern const struct um_member um_owner_members[]; /* of the session that made something */

/* Those of a heap, and how its small blocks lie in size classes. */
extern const struct um_member um_heap_detail_members[];

/* A member that is a moment; null where it is 0. */
void um_describe_time(struct um_buf *out, const char *key, int64_t unix_seconds);

void um_describe_block(struct um_buf *out, const struct um_store *store, const struct um_block *block);
void um_describe_place(struct um_buf *out, const struct um_store *store, const struct um_block *block);
void um_describe_heap(struct um_buf *out, const struct um_heap *heap);
void um_describe_heap_detail(struct um_buf *out, const struct um_heap *heap);

#endif
