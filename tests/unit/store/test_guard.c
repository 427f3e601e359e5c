/* Guards and wiping: writes past a block are found, and the bytes of a block are wiped when it is freed. */
#include "store_fixture.h"

#include <string.h>

#include "store/records/records.h"
#include "store/store.h"

struct guarded_store {
    struct um_store *store;
    struct um_owner *owner;
    struct um_heap *heap; /* private */
};

static void begin(struct guarded_store *guarded_store, bool guard, bool wipe)
{
    const struct um_store_options options = {.bytes_limit = 1 << 30,
                                             .blocks_limit = 1000,
                                             .heaps_limit = 10,
                                             .shared_heaps_limit = 4,
                                             .guard = guard,
                                             .wipe = wipe,
                                             .seed = 7};
    const struct um_owner_options owner = {.id = 1};

    assert_int_equal(um_store_new(&options, &guarded_store->store), 0);
    assert_int_equal(um_owner_open(guarded_store->store, &owner, &guarded_store->owner), 0);
    guarded_store->heap = make_heap(guarded_store->store, guarded_store->owner, NULL, 0);
}

static void end(struct guarded_store *guarded_store)
{
    um_owner_close(guarded_store->store, guarded_store->owner);
    um_store_free(guarded_store->store);
}

/* Damages the byte at an offset from the block's start, sees that all find it, and puts it right. */
static void expect_found(struct guarded_store *guarded_store, struct um_heap *heap, struct um_block *block,
                         int64_t offset)
{
    unsigned char *byte = um_block_bytes(block) + offset;
    struct um_fault fault = {0};

    *byte ^= 1;
    assert_int_equal(um_block_check(guarded_store->store, block, &fault), UMEM_E_CORRUPTED);
    assert_true(fault.block == um_block_handle(guarded_store->store, block));
    assert_int_equal(um_heap_validate(guarded_store->store, heap, block, NULL), UMEM_E_CORRUPTED);
    memset(&fault, 0, sizeof fault);
    assert_int_equal(validate_all(guarded_store->store, heap, 100, &fault), UMEM_E_CORRUPTED);
    assert_true(fault.block == um_block_handle(guarded_store->store, block));
    *byte ^= 1;
    assert_int_equal(um_block_check(guarded_store->store, block, NULL), 0);
    assert_int_equal(validate_all(guarded_store->store, heap, 100, NULL), 0);
}

static void guards_find_what_is_written_past_a_block(void **state)
{
    static const uint64_t sizes[] = {0, 1, 15, 16, 100, 5000, 1 << 20, (1 << 20) + 1};
    struct guarded_store guarded_store;

    (void)state;
    begin(&guarded_store, true, false);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct um_heap *const heaps[] = {guarded_store.heap, um_store_process_heap(guarded_store.store)};

        for (unsigned k = 0; k < 2; k++) {
            struct um_block *first = make_block(guarded_store.store, heaps[k], guarded_store.owner, 10);
            struct um_block *block = make_block(guarded_store.store, heaps[k], guarded_store.owner, sizes[i]);

            expect_found(&guarded_store, heaps[k], block, -1);
            expect_found(&guarded_store, heaps[k], block, -16);
            expect_found(&guarded_store, heaps[k], block, (int64_t)sizes[i]);
            expect_found(&guarded_store, heaps[k], block, (int64_t)sizes[i] + 15);
            um_block_free(guarded_store.store, first);
            um_block_free(guarded_store.store, block);
        }
    }
    end(&guarded_store);
}

/* A resize takes the guards along, and the old one never shows in the bytes that it adds. */
static void guards_go_with_a_resize(void **state)
{
    static const uint64_t sizes[] = {100, 101, 130, 1000, 50, 0, 3, 1 << 20, (1 << 20) + 9000, 1 << 20, 17};
    struct guarded_store guarded_store;
    struct um_block *block;
    uint64_t size = 20;

    (void)state;
    for (int wipe = 0; wipe < 2; wipe++) {
        begin(&guarded_store, true, wipe != 0);
        block = make_block(guarded_store.store, guarded_store.heap, guarded_store.owner, size);
        for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            uint64_t kept = size < sizes[i] ? size : sizes[i];

            memset(um_block_bytes(block), 0x77, (size_t)size);
            assert_int_equal(um_block_resize(guarded_store.store, block, sizes[i], 0, NULL), 0);
            for (uint64_t k = 0; k < kept; k++)
                assert_int_equal(um_block_bytes(block)[k], 0x77);
            assert_true(is_zero(um_block_bytes(block) + kept, sizes[i] - kept));
            size = sizes[i];
            expect_found(&guarded_store, guarded_store.heap, block, -1);
            expect_found(&guarded_store, guarded_store.heap, block, (int64_t)size);
        }
        size = 20;
        end(&guarded_store);
    }
}

/* ---- shared heaps: what lies between the end of a block and what is behind it ---- */

static struct um_heap *make_shared_heap(struct guarded_store *guarded_store)
{
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED, .maximum_size = 64 << 20};
    struct um_heap *heap = NULL;

    assert_int_equal(um_heap_create(guarded_store->store, guarded_store->owner, &options, &heap, NULL), 0);
    return heap;
}

/* A write past the block is found, but does not keep the block from being freed: every client may have done it. */
static void expect_validated(struct guarded_store *guarded_store, struct um_heap *heap,
                             struct um_block *block, uint64_t offset, bool is_guarded)
{
    unsigned char *byte = um_block_bytes(block) + offset;
    int code = is_guarded ? UMEM_E_CORRUPTED : 0;
    struct um_fault fault = {0};

    *byte ^= 1;
    assert_int_equal(um_block_check(guarded_store->store, block, NULL), 0);
    assert_int_equal(um_heap_validate(guarded_store->store, heap, block, NULL), code);
    assert_int_equal(validate_all(guarded_store->store, heap, 100, &fault), code);
    assert_true(!is_guarded || fault.block == um_block_handle(guarded_store->store, block));
    *byte ^= 1;
    assert_int_equal(validate_all(guarded_store->store, heap, 100, NULL), 0);
}

static void shared_heaps_have_guards_where_there_is_space(void **state)
{
    static const uint64_t sizes[] = {1, 15, 100, 5000, 65521, (1 << 20) + 5, (5 << 20) + 9};
    static const uint64_t full[] = {16, 4096, 65536, 2 << 20};

    (void)state;
    for (int wipe = 0; wipe < 2; wipe++) {
        struct guarded_store guarded_store;
        struct um_heap *heap;

        begin(&guarded_store, true, wipe != 0);
        heap = make_shared_heap(&guarded_store);
        for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct um_block *block = make_block(guarded_store.store, heap, guarded_store.owner, sizes[i]);
            struct um_block *next = make_block(guarded_store.store, heap, guarded_store.owner, 3);

            assert_true(is_zero(um_block_bytes(block), sizes[i]));
            expect_validated(&guarded_store, heap, block, sizes[i], true);
            /* At least as far as the next multiple of the alignment. */
            expect_validated(&guarded_store, heap, block, (sizes[i] + 15) / 16 * 16 - 1, true);
            expect_validated(&guarded_store, heap, block, sizes[i] - 1, false);
            um_block_free(guarded_store.store, block);
            expect_validated(&guarded_store, heap, next, 3, true);
            um_block_bytes(next)[3] ^= 1;
            um_block_free(guarded_store.store, next);
        }
        for (unsigned i = 0; i < sizeof full / sizeof full[0]; i++)
            make_block(guarded_store.store, heap, guarded_store.owner, full[i]);
        make_block(guarded_store.store, heap, guarded_store.owner, 0);
        assert_int_equal(validate_all(guarded_store.store, heap, 100, NULL), 0);
        assert_int_equal(um_heap_destroy(guarded_store.store, heap, &(uint64_t){0}, &(uint64_t){0}, NULL), 0);
        reclaim_all(guarded_store.store);
        end(&guarded_store);
    }
}

/* A guard lies in the block's last page: the next one may have no memory, and is not cleared if it has. */
static void shared_guards_take_no_page(void **state)
{
    const struct um_heap_options options = {
        .kind = UM_HEAP_SHARED, .maximum_size = 1 << 20, .alignment = 65536};
    struct guarded_store guarded_store;
    struct um_heap *heap = NULL;
    struct um_block *block;

    (void)state;
    begin(&guarded_store, true, false);
    assert_int_equal(um_heap_create(guarded_store.store, guarded_store.owner, &options, &heap, NULL), 0);
    block = make_block(guarded_store.store, heap, guarded_store.owner, 4096);
    expect_validated(&guarded_store, heap, block, 4096, false);
    block = make_block(guarded_store.store, heap, guarded_store.owner, 4090);
    expect_validated(&guarded_store, heap, block, 4090, true);
    expect_validated(&guarded_store, heap, block, 4095, true);
    expect_validated(&guarded_store, heap, block, 4096, false);
    block = make_block(guarded_store.store, heap, guarded_store.owner, 4097);
    expect_validated(&guarded_store, heap, block, 4097 + 15, true);
    end(&guarded_store);
}

static void shared_guards_go_with_a_resize(void **state)
{
    static const uint64_t sizes[] = {5, 1, 14, 30, 1000, 999, 70001, 69999, (3 << 20) + 1, 20};
    struct guarded_store guarded_store;
    struct um_heap *heap;
    struct um_block *block;
    uint64_t size = 20;

    (void)state;
    begin(&guarded_store, true, false);
    heap = make_shared_heap(&guarded_store);
    block = make_block(guarded_store.store, heap, guarded_store.owner, size);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t kept = size < sizes[i] ? size : sizes[i];

        memset(um_block_bytes(block), 7, (size_t)size);
        assert_int_equal(um_block_resize(guarded_store.store, block, sizes[i], 0, NULL), 0);
        assert_true(is_zero(um_block_bytes(block) + kept, sizes[i] - kept));
        size = sizes[i];
        expect_validated(&guarded_store, heap, block, size, true);
    }
    end(&guarded_store);
}

/* While a block grows where it is, its guard lies behind what it will be; where that is given up, it is where it was. */
static void shared_guards_go_with_a_resize_in_steps(void **state)
{
    struct guarded_store guarded_store;
    struct um_heap *heap;
    struct um_block *block;

    (void)state;
    begin(&guarded_store, true, false);
    guarded_store.store->grown_at_once = 1 << 20;
    heap = make_shared_heap(&guarded_store);
    block = make_block(guarded_store.store, heap, guarded_store.owner, (40 << 20) + 3); /* no space for two */
    for (int given_up = 1; given_up >= 0; given_up--) {
        struct um_resize *resize = NULL;
        bool more = true;

        memset(um_block_bytes(block) + (40 << 20), 7, 3);
        assert_int_equal(um_resize_begin(guarded_store.store, block, (50 << 20) + 3, 0, &resize, NULL), 0);
        assert_non_null(resize);
        for (int step = 0; more && (step < 3 || !given_up); step++) {
            assert_int_equal(um_resize_step(guarded_store.store, resize, 1 << 16, &more, NULL), 0);
            assert_int_equal(validate_all(guarded_store.store, heap, 100, NULL), 0);
        }
        um_resize_end(guarded_store.store, resize);
        assert_int_equal(um_block_size(block), ((given_up ? 40 : 50) << 20) + 3);
        expect_validated(&guarded_store, heap, block, um_block_size(block), true);
    }
    assert_true(is_zero(um_block_bytes(block) + (40 << 20) + 3, 10 << 20));
    end(&guarded_store);
}

/* A block that is prepared in steps has its guard, too. */
static void shared_guards_are_there_after_the_last_step(void **state)
{
    const struct um_block_options options = {.size = (5 << 20) + 77};
    struct guarded_store guarded_store;
    struct um_alloc *alloc = NULL;
    struct um_block *block = NULL;
    struct um_heap *heap;
    bool more = true;

    (void)state;
    begin(&guarded_store, true, true);
    heap = make_shared_heap(&guarded_store);
    assert_int_equal(
        um_alloc_begin(guarded_store.store, heap, guarded_store.owner, &options, &alloc, &block, NULL), 0);
    assert_non_null(alloc);
    while (more)
        assert_int_equal(um_alloc_step(guarded_store.store, alloc, 1 << 20, &more, NULL), 0);
    block = um_alloc_block(alloc);
    um_alloc_end(guarded_store.store, alloc);
    assert_true(is_zero(um_block_bytes(block), options.size));
    expect_validated(&guarded_store, heap, block, options.size, true);
    end(&guarded_store);
}

static void without_guards_nothing_is_checked(void **state)
{
    struct guarded_store guarded_store;
    struct um_block *block;

    (void)state;
    begin(&guarded_store, false, false);
    block = make_block(guarded_store.store, guarded_store.heap, guarded_store.owner, 16);
    assert_false(guarded_store.heap->ops->checked_when_freed);
    assert_int_equal(um_block_check(guarded_store.store, block, NULL), 0);
    end(&guarded_store);
}

/* ---- wiping: what base is given to free is zero ---- */

static struct um_heap_ops watching;
static void (*real_free)(void *memory, void *address, uint64_t size, uint32_t alignment);
static unsigned seen;

static void free_watched(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    assert_true(is_zero(address, size));
    seen++;
    real_free(memory, address, size, alignment);
}

/* As guard.c has it: the first member of a heap's memory is the kind that stands behind. */
static void watch_base(struct um_heap *heap)
{
    const struct um_heap_ops **base = heap->memory;

    watching = **base;
    real_free = watching.free;
    watching.free = free_watched;
    *base = &watching;
    seen = 0;
}

static void wiping_leaves_nothing_behind(void **state)
{
    struct guarded_store guarded_store;

    (void)state;
    for (int guard = 0; guard < 2; guard++) {
        struct um_block *block;
        bool goes_whole;

        begin(&guarded_store, guard != 0, true);
        watch_base(guarded_store.heap);
        block = make_block(guarded_store.store, guarded_store.heap, guarded_store.owner, 1000);
        memset(um_block_bytes(block), 0x77, 1000);
        um_block_free(guarded_store.store, block);
        assert_int_equal(seen, 1);
        /* Moved, and made smaller. */
        block = make_block(guarded_store.store, guarded_store.heap, guarded_store.owner, 1000);
        memset(um_block_bytes(block), 0x77, 1000);
        assert_int_equal(um_block_resize(guarded_store.store, block, 100, 0, NULL), 0);
        assert_int_equal(seen, 2);
        /* With its heap: where its pages go back to the system as a whole, that clears them. */
        make_block(guarded_store.store, guarded_store.heap, guarded_store.owner, 100);
        goes_whole = guarded_store.heap->ops->destroy_frees_blocks;
        assert_int_equal(
            um_heap_destroy(guarded_store.store, guarded_store.heap, &(uint64_t){0}, &(uint64_t){0}, NULL),
            0);
        reclaim_all(guarded_store.store);
        assert_int_equal(seen, goes_whole ? 2 : 4);
        end(&guarded_store);
    }
}

/* Programs may still have it mapped. */
static void wiping_clears_a_shared_heap_that_is_destroyed(void **state)
{
    struct guarded_store guarded_store;
    struct um_heap *heap;

    (void)state;
    begin(&guarded_store, false, true);
    heap = make_shared_heap(&guarded_store);
    watch_base(heap);
    for (int i = 0; i < 3; i++)
        memset(um_block_bytes(make_block(guarded_store.store, heap, guarded_store.owner, 100)), 0x77, 100);
    assert_int_equal(um_heap_destroy(guarded_store.store, heap, &(uint64_t){0}, &(uint64_t){0}, NULL), 0);
    reclaim_all(guarded_store.store);
    assert_int_equal(seen, 3);
    end(&guarded_store);
}

/* A client that has a shared heap mapped does not see a freed block's bytes. */
static void wiping_clears_shared_memory(void **state)
{
    static const uint64_t sizes[] = {1000, (3 << 20) + 77};
    const struct um_heap_options options = {.kind = UM_HEAP_SHARED, .maximum_size = 8 << 20};
    struct guarded_store guarded_store;
    struct um_heap *heap;

    (void)state;
    begin(&guarded_store, true, true);
    assert_int_equal(um_heap_create(guarded_store.store, guarded_store.owner, &options, &heap, NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct um_block *before = make_block(guarded_store.store, heap, guarded_store.owner, 48);
        struct um_block *block = make_block(guarded_store.store, heap, guarded_store.owner, sizes[i]);
        struct um_block *after = make_block(guarded_store.store, heap, guarded_store.owner, 48);
        const unsigned char *bytes = um_block_bytes(block);

        memset(um_block_bytes(before), 0x11, 48);
        memset(um_block_bytes(block), 0x77, (size_t)sizes[i]);
        memset(um_block_bytes(after), 0x22, 48);
        um_block_free(guarded_store.store, block);
        assert_true(is_zero(bytes, sizes[i]));
        assert_int_equal(um_block_bytes(before)[47], 0x11);
        assert_int_equal(um_block_bytes(after)[0], 0x22);
        um_block_free(guarded_store.store, before);
        um_block_free(guarded_store.store, after);
    }
    end(&guarded_store);
}

/* Memory that was never used is returned, and the memory around it stays. */
static void an_allocation_in_steps_may_be_given_up(void **state)
{
    const struct um_heap_options large = {.kind = UM_HEAP_SHARED, .maximum_size = 8 << 20};
    const struct um_block_options options = {.size = (5 << 20) + 77};
    struct guarded_store guarded_store;
    struct um_heap *heap;
    struct um_block *before;
    struct um_block *block = NULL;

    (void)state;
    begin(&guarded_store, false, true);
    assert_int_equal(um_heap_create(guarded_store.store, guarded_store.owner, &large, &heap, NULL), 0);
    before = make_block(guarded_store.store, heap, guarded_store.owner, 48);
    memset(um_block_bytes(before), 0x77, 48);
    for (uint64_t steps = 0; steps < 3; steps++) {
        struct um_alloc *alloc = NULL;
        bool more;

        assert_int_equal(
            um_alloc_begin(guarded_store.store, heap, guarded_store.owner, &options, &alloc, &block, NULL),
            0);
        assert_non_null(alloc);
        for (uint64_t i = 0; i < steps; i++) {
            assert_int_equal(um_alloc_step(guarded_store.store, alloc, 1 << 20, &more, NULL), 0);
            memset(um_alloc_bytes(alloc) + (i << 20), 0x77, 1 << 20);
        }
        um_alloc_end(guarded_store.store, alloc);
        reclaim_all(guarded_store.store);
    }
    assert_int_equal(um_block_bytes(before)[47], 0x77);
    block = make_block(guarded_store.store, heap, guarded_store.owner, options.size);
    assert_true(is_zero(um_block_bytes(block), options.size));
    end(&guarded_store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_find_what_is_written_past_a_block),
        cmocka_unit_test(guards_go_with_a_resize),
        cmocka_unit_test(shared_heaps_have_guards_where_there_is_space),
        cmocka_unit_test(shared_guards_take_no_page),
        cmocka_unit_test(shared_guards_go_with_a_resize),
        cmocka_unit_test(shared_guards_go_with_a_resize_in_steps),
        cmocka_unit_test(shared_guards_are_there_after_the_last_step),
        cmocka_unit_test(without_guards_nothing_is_checked),
        cmocka_unit_test(wiping_leaves_nothing_behind),
        cmocka_unit_test(wiping_clears_a_shared_heap_that_is_destroyed),
        cmocka_unit_test(wiping_clears_shared_memory),
        cmocka_unit_test(an_allocation_in_steps_may_be_given_up),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
