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

/* Members that um_describe_block(), um_describe_place() and um_describe_heap() write into an object that is begun. */
extern const struct um_member um_block_members[];
extern const struct um_member um_block_place_members[];
extern const struct um_member um_heap_members[];

/* Those of a heap, and how its small blocks lie in size classes. */
extern const struct um_member um_heap_detail_members[];

void um_describe_block(struct um_buf *out, const struct um_store *store, const struct um_block *block);
void um_describe_place(struct um_buf *out, const struct um_store *store, const struct um_block *block);
void um_describe_heap(struct um_buf *out, const struct um_heap *heap);
void um_describe_heap_detail(struct um_buf *out, const struct um_heap *heap);

#endif
