#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>

static void note(struct event_log *log, um_handle handle)
{
    assert_true(log->count < sizeof log->handles / sizeof *log->handles);
    log->handles[log->count++] = handle;
}

static void on_block_freed(void *context, um_handle block, um_handle heap)
{
    struct fixture *fixture = context;
    assert_int_equal(block_verdict(fixture->store, block), UMEM_E_STALE_HANDLE);
    note(&fixture->freed, block);
    note(&fixture->freed_from, heap);
}

static void on_blocks_vanished(void *context, um_handle heap)
{
    struct fixture *fixture = context;
    assert_int_equal(heap_verdict(fixture->store, heap), 0);
    note(&fixture->vanished, heap);
}

static void on_heap_destroyed(void *context, um_handle heap)
{
    struct fixture *fixture = context;
    assert_int_equal(heap_verdict(fixture->store, heap), UMEM_E_STALE_HANDLE);
    note(&fixture->destroyed, heap);
}

static void on_heap_unlocked(void *context, um_handle handle)
{
    struct fixture *fixture = context;
    struct um_heap *heap;
    struct um_heap_info info;
    assert_int_equal(um_store_find_heap(fixture->store, handle, &heap, NULL), 0);
    um_heap_get_info(heap, &info);
    assert_null(info.locked_by);
    note(&fixture->unlocked, handle);
}

static const struct um_store_options roomy = {.bytes_limit = UINT64_C(1) << 40,
                                              .blocks_limit = 1000000,
                                              .heaps_limit = 1000,
                                              .shared_heaps_limit = 4,
                                              .seed = 42};

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    assert_int_equal(um_store_new(&roomy, &fixture->store), 0);
    const struct um_store_events events = {fixture, on_block_freed, on_blocks_vanished, on_heap_destroyed,
                                           on_heap_unlocked};
    um_store_set_events(fixture->store, &events);
    for (int i = 0; i < TEST_OWNERS; i++) {
        const struct um_owner_options options = {
            .id = (uint64_t)i + 1, .pid = 100 + i, .program = "tester", .user = "someone"};
        assert_int_equal(um_owner_open(fixture->store, &options, &fixture->owners[i]), 0);
    }
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    const struct um_store_events no_events = {0};
    um_store_set_events(fixture->store, &no_events);
    for (int i = 0; i < TEST_OWNERS; i++)
        um_owner_close(fixture->store, fixture->owners[i]);
    um_store_free(fixture->store);
    free(fixture);
    return 0;
}

struct um_store *small_store(uint64_t bytes_limit, uint32_t blocks_limit, uint32_t heaps_limit,
                             struct um_owner **owner)
{
    struct um_store *store;
    const struct um_store_options options = {.bytes_limit = bytes_limit,
                                             .blocks_limit = blocks_limit,
                                             .heaps_limit = heaps_limit,
                                             .shared_heaps_limit = 4,
                                             .seed = 7};
    const struct um_owner_options who = {.id = 1};
    assert_int_equal(um_store_new(&options, &store), 0);
    assert_int_equal(um_owner_open(store, &who, owner), 0);
    return store;
}

void small_close(struct um_store *store, struct um_owner *owner)
{
    um_owner_close(store, owner);
    um_store_free(store);
}

struct um_heap *make_heap(struct um_store *store, struct um_owner *owner, const char *name,
                          uint64_t maximum_size)
{
    struct um_heap *heap = NULL;
    const struct um_heap_options options = {
        .kind = UM_HEAP_PRIVATE, .name = name, .maximum_size = maximum_size};
    assert_int_equal(um_heap_create(store, owner, &options, &heap, NULL), 0);
    return heap;
}

static struct um_block *make(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                             const struct um_block_options *options)
{
    struct um_block *block = NULL;
    if (heap == NULL)
        heap = um_store_process_heap(store);
    assert_int_equal(um_block_alloc(store, heap, owner, options, &block, NULL), 0);
    return block;
}

struct um_block *make_block(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                            uint64_t size)
{
    const struct um_block_options options = {.size = size};
    return make(store, heap, owner, &options);
}

struct um_block *make_named(struct um_store *store, struct um_owner *owner, uint64_t size, const char *name)
{
    const struct um_block_options options = {.size = size, .name = name};
    return make(store, NULL, owner, &options);
}

struct um_block *make_session_block(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                                    uint64_t size)
{
    const struct um_block_options options = {.size = size, .lifetime = UM_LIFETIME_SESSION};
    return make(store, heap, owner, &options);
}

void close_fixture_owner(struct fixture *fixture, int owner)
{
    um_owner_close(fixture->store, fixture->owners[owner]);
    fixture->owners[owner] = NULL;
}

int validate_all(struct um_store *store, const struct um_heap *heap, size_t budget, struct um_fault *fault)
{
    struct um_heap_check check;
    bool more = true;
    int code = 0;
    um_heap_check_begin(&check, heap);
    while (code == 0 && more)
        code = um_heap_check_step(store, &check, budget, &more, fault);
    return code;
}

int find_at(struct um_store *store, uint64_t address, size_t budget, struct um_block **block)
{
    um_handle after = 0;
    int code;
    do {
        *block = NULL;
        code = um_store_find_block_at(store, address, budget, &after, block, NULL);
    } while (code == 0 && *block == NULL);
    return code;
}

uint64_t compact(struct um_heap *heap)
{
    uint64_t largest = UINT64_MAX;
    unsigned steps = 1;

    um_heap_compact_start(heap);
    while (um_heap_compact_step(heap, &largest))
        assert_in_range(++steps, 1, 10000);
    assert_true(largest != UINT64_MAX);
    return largest;
}

int block_verdict(struct um_store *store, um_handle handle)
{
    struct um_block *block;
    return um_store_find_block(store, handle, &block, NULL);
}

int heap_verdict(struct um_store *store, um_handle handle)
{
    struct um_heap *heap;
    return um_store_find_heap(store, handle, &heap, NULL);
}

struct um_store_stats stats_of(const struct um_store *store)
{
    struct um_store_stats stats;
    um_store_get_stats(store, &stats);
    return stats;
}

um_handle handle_of(const struct um_heap *heap)
{
    struct um_heap_info info;
    um_heap_get_info(heap, &info);
    return info.heap;
}

struct um_block_info info_of(const struct um_store *store, const struct um_block *block)
{
    struct um_block_info info;
    um_block_get_info(store, block, &info);
    return info;
}

bool is_zero(const unsigned char *bytes, uint64_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)size - 1) == 0);
}

void reclaim_all(struct um_store *store)
{
    while (um_store_reclaim(store, 1000))
        continue;
}
