/*
 * What the tests of shared heaps share.
 *
 * Owns: nothing. Must not know: how the memory is shared.
 */
#ifndef UM_TEST_STORE_SHARED_H
#define UM_TEST_STORE_SHARED_H

#include "foreign_segment.h"
#include "store_fixture.h"

enum { UNIT = 65536, SHARED_LENGTH = 16 * UNIT };

/* A shared heap of SHARED_LENGTH bytes, of which `initial_size` are committed. */
struct um_heap *make_shared(struct um_store *store, struct um_owner *owner, uint64_t initial_size,
                            uint32_t alignment);

struct um_heap_memory_stats figures_of(const struct um_heap *heap);
struct um_place place_of(const struct um_store *store, const struct um_block *block);

/* The heap's object, by a block of it. */
struct segment segment_of(const struct um_store *store, const struct um_block *block);

/* Allocates, or expects the error. NULL: the error. */
struct um_block *try_block(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                           uint64_t size, int code);

void destroy_heap(struct um_store *store, struct um_heap *heap);

#endif
