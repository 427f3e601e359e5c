/* Resizing in steps: what is written in between is kept, and whatever becomes of the block in between. */
#include "store_fixture.h"

#include <string.h>

#include "store/records/records.h"
#include "store/store.h"

enum { BEFORE = 10000, AFTER = 30000, STEP = 700 /* bytes */ };

static bool resize_nothing(void *memory, void **address, uint64_t old_size, uint64_t new_size,
                           uint32_t alignment, bool in_place_only)
{
    (void)memory;
    (void)address;
    (void)old_size;
    (void)new_size;
    (void)alignment;
    (void)in_place_only;
    return false;
}

static void *alloc_nothing(void *memory, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)size;
    (void)alignment;
    return NULL;
}

static struct um_heap_ops stubborn; /* resizes nothing where it is */

/* A heap of that, in a store that copies little at once, with a block full of 1. */
static struct um_block *make_stubborn(struct fixture *f, uint64_t maximum_size)
{
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, maximum_size);
    stubborn = *f->store->heap_ops[UM_HEAP_PRIVATE];
    stubborn.resize = resize_nothing;
    stubborn.moves_uncopied = NULL;
    heap->ops = &stubborn;
    f->store->copied_at_once = 100;
    struct um_block *block = make_block(f->store, heap, f->owners[1], BEFORE);
    memset(um_block_bytes(block), 1, BEFORE);
    return block;
}

static struct um_resize *begin(struct fixture *f, struct um_block *block, uint64_t size)
{
    struct um_resize *resize = NULL;
    assert_int_equal(um_resize_begin(f->store, block, size, 0, &resize, NULL), 0);
    assert_non_null(resize);
    return resize;
}

static bool step(struct fixture *f, struct um_resize *resize)
{
    bool more = false;
    assert_int_equal(um_resize_step(f->store, resize, STEP, &more, NULL), 0);
    return more;
}

/* Runs to the end, which must come. */
static void finish(struct fixture *f, struct um_resize *resize)
{
    int steps = 0;
    while (step(f, resize))
        assert_true(steps++ < 1000);
    um_resize_end(f->store, resize);
}

static void expect_stale(struct fixture *f, struct um_resize *resize)
{
    bool more = true;
    assert_int_equal(um_resize_step(f->store, resize, STEP, &more, NULL), UMEM_E_STALE_HANDLE);
    assert_true(more);
    um_resize_end(f->store, resize);
    assert_int_equal(f->store->reserved, 0);
    reclaim_all(f->store);
}

static void expect_block(struct fixture *f, struct um_block *block, unsigned char value, uint64_t filled,
                         uint64_t size)
{
    assert_int_equal(um_block_size(block), size);
    assert_int_equal(stats_of(f->store).bytes, size);
    assert_int_equal(f->store->reserved, 0);
    assert_int_equal(um_block_heap(f->store, block)->reserved, 0);
    assert_int_equal(um_block_heap(f->store, block)->pins, 0);
    for (uint64_t i = 0; i < filled; i++)
        assert_int_equal(um_block_bytes(block)[i], value);
    assert_true(is_zero(um_block_bytes(block) + filled, size - filled));
    assert_null(um_extra_of(block));
}

static void test_what_copies_little_is_done_at_once(void **state)
{
    struct fixture *f = *state;
    struct um_resize *resize = (struct um_resize *)f;
    struct um_fault fault = {0};
    struct um_block *block = make_block(f->store, NULL, f->owners[0], 100);
    assert_int_equal(um_resize_begin(f->store, block, UM_COPIED_AT_ONCE, 0, &resize, NULL), 0);
    assert_null(resize);
    assert_int_equal(um_resize_begin(f->store, block, 5, 0, &resize, NULL), 0);
    assert_null(resize);
    expect_block(f, block, 0, 5, 5);
    struct um_pin *pin;
    assert_int_equal(um_resize_begin(f->store, block, UM_COPIED_AT_ONCE * 3, 0, &resize, NULL), 0);
    assert_null(resize);
    assert_int_equal(um_pin_new(f->store, block, &pin), 0);
    assert_int_equal(um_resize_begin(f->store, block, UM_COPIED_AT_ONCE * 3, 0, &resize, NULL), 0);
    assert_null(resize); /* it has that size */
    resize = (struct um_resize *)f;
    assert_int_equal(um_resize_begin(f->store, block, UM_COPIED_AT_ONCE * 2, UM_FLAG_REALLOC_IN_PLACE_ONLY,
                                     &resize, &fault),
                     UMEM_E_NO_MEMORY);
    assert_ptr_equal(resize, f);
    assert_non_null(strstr(fault.what, "in_place_only"));
    um_pin_release(f->store, pin);
}

static void test_a_block_grows_in_steps_while_it_is_written_to(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    um_handle handle = um_block_handle(f->store, block);
    const unsigned char *former = um_block_bytes(block);
    static unsigned char expected[AFTER];
    memset(expected, 1, BEFORE);
    memset(expected + BEFORE, 0, AFTER - BEFORE);
    struct um_resize *resize = begin(f, block, AFTER);
    int steps = 0;
    do {
        assert_int_equal(um_block_size(block), BEFORE);
        assert_ptr_equal(um_block_bytes(block), former);
        for (uint64_t offset = (uint64_t)steps; offset < BEFORE; offset += 1501) {
            uint64_t size = offset + 800 < BEFORE ? 800 : BEFORE - offset;
            memset(expected + offset, 2 + steps, (size_t)size);
            memset(um_block_bytes(block) + offset, 2 + steps, (size_t)size);
            um_block_wrote(f->store, block, offset, size);
        }
        steps++;
    } while (step(f, resize));
    um_resize_end(f->store, resize);
    assert_int_equal(steps, (BEFORE + STEP - 1) / STEP);
    assert_int_equal(um_block_handle(f->store, block), handle);
    assert_int_equal(um_block_size(block), AFTER);
    assert_memory_equal(um_block_bytes(block), expected, AFTER);
    assert_int_equal(stats_of(f->store).bytes, AFTER);
    assert_int_equal(f->store->reserved, 0);
    assert_null(um_extra_of(block));
}

static void test_a_block_shrinks_in_steps(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    struct um_resize *resize = begin(f, block, BEFORE / 2);
    while (step(f, resize)) {
        memset(um_block_bytes(block), 3, BEFORE);
        um_block_wrote(f->store, block, 0, BEFORE);
    }
    um_resize_end(f->store, resize);
    expect_block(f, block, 3, BEFORE / 2, BEFORE / 2);
}

static void test_a_resize_respects_what_the_owner_allocated_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    struct um_heap *heap = um_block_heap(f->store, block);
    struct um_fault fault = {0};
    bool more = true;
    int code = 0;
    f->store->owner_bytes_limit = AFTER + BEFORE;
    struct um_resize *resize = begin(f, block, AFTER);
    struct um_block *other = make_block(f->store, heap, f->owners[1], BEFORE + 1);
    for (int i = 0; i < AFTER && code == 0 && more; i++)
        code = um_resize_step(f->store, resize, STEP, &more, &fault);
    assert_int_equal(code, UMEM_E_LIMIT_EXCEEDED);
    assert_true(more);
    assert_string_equal(fault.limit, "session_bytes");
    assert_int_equal(fault.block, um_block_handle(f->store, block));
    um_resize_end(f->store, resize);
    um_block_free(f->store, other);
    expect_block(f, block, 1, BEFORE, BEFORE);
    assert_int_equal(heap->reserved, 0);
}

static void test_a_resize_that_is_given_up_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    um_resize_end(f->store, begin(f, block, AFTER));
    expect_block(f, block, 1, BEFORE, BEFORE);
    struct um_resize *resize = begin(f, block, AFTER);
    assert_true(step(f, resize));
    um_resize_end(f->store, resize);
    expect_block(f, block, 1, BEFORE, BEFORE);
    um_resize_end(f->store, NULL);
}

static void test_growth_is_reserved_until_the_end(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, AFTER + 10);
    struct um_heap *heap = um_block_heap(f->store, block);
    struct um_block *second;
    struct um_fault fault = {0};
    const struct um_block_options large = {.size = 11};
    struct um_resize *resize = begin(f, block, AFTER);
    struct um_resize *none = NULL;
    assert_int_equal(um_block_alloc(f->store, heap, f->owners[0], &large, &second, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.used, AFTER);
    assert_int_equal(um_resize_begin(f->store, block, AFTER * 2, 0, &none, NULL), 0); /* waits */
    assert_true(step(f, none));
    um_block_free(f->store, make_block(f->store, heap, f->owners[0], 10));
    finish(f, resize);
    assert_int_equal(um_resize_step(f->store, none, STEP, &(bool){false}, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.block, um_block_handle(f->store, block));
    assert_string_equal(fault.limit, "maximum_size");
    um_resize_end(f->store, none);
    expect_block(f, block, 1, BEFORE, AFTER);
    assert_int_equal(um_resize_begin(f->store, block, AFTER + 11, 0, &none, &fault), UMEM_E_NO_MEMORY);
    assert_int_equal(fault.block, um_block_handle(f->store, block));
    expect_block(f, block, 1, BEFORE, AFTER);
}

static void test_two_resizes_of_a_block_go_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    struct um_resize *first = begin(f, block, AFTER);
    struct um_resize *second = begin(f, block, BEFORE * 2);
    assert_true(step(f, second));
    assert_true(step(f, second));
    finish(f, first);
    assert_int_equal(um_block_size(block), AFTER);
    finish(f, second);
    expect_block(f, block, 1, BEFORE, BEFORE * 2);
    first = begin(f, block, AFTER);
    second = begin(f, block, BEFORE);
    um_resize_end(f->store, first);
    finish(f, second);
    expect_block(f, block, 1, BEFORE, BEFORE);
}

static void test_a_block_that_is_resized_otherwise_is_moved_from_the_start(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    struct um_resize *resize = begin(f, block, AFTER);
    assert_true(step(f, resize));
    stubborn.resize = f->store->heap_ops[UM_HEAP_PRIVATE]->resize;
    assert_int_equal(um_block_resize(f->store, block, BEFORE / 2, 0, NULL), 0);
    assert_int_equal(f->store->reserved, 0);
    stubborn.resize = resize_nothing;
    memset(um_block_bytes(block), 4, BEFORE / 2);
    um_block_wrote(f->store, block, 0, BEFORE / 2);
    finish(f, resize);
    expect_block(f, block, 4, BEFORE / 2, AFTER);
}

static void test_a_block_is_freed_while_it_is_moved(void **state)
{
    struct fixture *f = *state;
    const enum um_lifetime session = UM_LIFETIME_SESSION;
    uint64_t blocks;
    uint64_t bytes;
    for (int way = 0; way < 4; way++) {
        struct um_block *block = make_stubborn(f, 0);
        struct um_heap *heap = um_block_heap(f->store, block);
        struct um_resize *resize = begin(f, block, AFTER);
        struct um_resize *waiting = begin(f, block, AFTER + 1);
        assert_true(step(f, resize));
        if (way == 0) {
            um_block_free(f->store, block);
        } else if (way == 1) {
            assert_int_equal(um_heap_destroy(f->store, heap, &blocks, &bytes, NULL), 0);
        } else if (way == 2) {
            assert_int_equal(um_heap_destroy(f->store, heap, &blocks, &bytes, NULL), 0);
            reclaim_all(f->store);
        } else {
            assert_int_equal(um_block_change(f->store, block, f->owners[2],
                                             &(struct um_block_changes){.lifetime = &session}, NULL),
                             0);
            assert_true(step(f, resize));
            close_fixture_owner(f, 2);
        }
        expect_stale(f, resize);
        expect_stale(f, waiting);
        assert_int_equal(stats_of(f->store).bytes, 0);
        if (way != 0 && way != 3)
            assert_false(um_slot_is_live(&heap->slot));
    }
}

static void test_a_pinned_block_is_moved_and_its_pin_keeps_the_memory(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    struct um_pin *pin;
    struct um_resize *resize = begin(f, block, AFTER);
    assert_true(step(f, resize));
    assert_int_equal(um_pin_new(f->store, block, &pin), 0);
    finish(f, resize);
    assert_false(um_pin_is_current(pin));
    assert_ptr_not_equal(um_pin_bytes(pin), um_block_bytes(block));
    memset(um_block_bytes(block), 5, AFTER);
    assert_int_equal(um_pin_bytes(pin)[BEFORE - 1], 1);
    um_pin_release(f->store, pin);
    expect_block(f, block, 5, AFTER, AFTER);
}

static void test_without_memory_nothing_is_begun(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_stubborn(f, 0);
    struct um_resize *resize = NULL;
    struct um_fault fault = {0};
    stubborn.alloc = alloc_nothing;
    assert_int_equal(um_resize_begin(f->store, block, AFTER, UM_FLAG_GENERATE_EXCEPTIONS, &resize, &fault),
                     UMEM_E_NO_MEMORY);
    assert_null(resize);
    assert_int_equal(fault.block, um_block_handle(f->store, block));
    assert_int_equal(fault.asked, AFTER - BEFORE);
    assert_int_equal(fault.ntstatus, UM_STATUS_NO_MEMORY);
    expect_block(f, block, 1, BEFORE, BEFORE);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_what_copies_little_is_done_at_once),
        WITH_FIXTURE(test_a_block_grows_in_steps_while_it_is_written_to),
        WITH_FIXTURE(test_a_block_shrinks_in_steps),
        WITH_FIXTURE(test_a_resize_respects_what_the_owner_allocated_meanwhile),
        WITH_FIXTURE(test_a_resize_that_is_given_up_changes_nothing),
        WITH_FIXTURE(test_growth_is_reserved_until_the_end),
        WITH_FIXTURE(test_two_resizes_of_a_block_go_one_after_the_other),
        WITH_FIXTURE(test_a_block_that_is_resized_otherwise_is_moved_from_the_start),
        WITH_FIXTURE(test_a_block_is_freed_while_it_is_moved),
        WITH_FIXTURE(test_a_pinned_block_is_moved_and_its_pin_keeps_the_memory),
        WITH_FIXTURE(test_without_memory_nothing_is_begun),
    };
    return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
