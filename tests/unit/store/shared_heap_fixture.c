#include "shared_heap_fixture.h"

struct um_heap *make_shared(struct um_store *store, struct um_owner *owner, uint64_t initial_size,
                            uint32_t alignment)
{
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED,
                                            .initial_size = initial_size,
                                            .maximum_size = SHARED_LENGTH,
                                            .alignment = alignment};
    struct um_heap *heap = NULL;

    assert_int_equal(um_heap_create(store, owner, &options, &heap, NULL), 0);
    return heap;
}

struct um_heap_memory_stats figures_of(const struct um_heap *heap)
{
    struct um_heap_memory_stats figures;

    assert_true(um_heap_get_memory_stats(heap, &figures));
    return figures;
}

struct um_place place_of(const struct um_store *store, const struct um_block *block)
{
    struct um_place place;

    assert_int_equal(um_block_locate(store, block, &place, NULL), 0);
    return place;
}

struct segment segment_of(const struct um_store *store, const struct um_block *block)
{
    struct segment segment;

    assert_int_equal(segment_open(&segment, place_of(store, block).name, SHARED_LENGTH), 0);
    return segment;
}

struct um_block *try_block(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                           uint64_t size, int code)
{
    const struct um_block_options options = {.size = size};
    struct um_block *block = NULL;
    struct um_fault fault = {0};

    assert_int_equal(um_block_alloc(store, heap, owner, &options, &block, &fault), code);
    assert_true(code == 0 || (block == NULL && fault.what != NULL));
    return block;
}

void destroy_heap(struct um_store *store, struct um_heap *heap)
{
    uint64_t blocks;
    uint64_t bytes;

    assert_int_equal(um_heap_destroy(store, heap, &blocks, &bytes, NULL), 0);
}
