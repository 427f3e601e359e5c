/* Observing, and the events: each is raised once, and only where it is observed. */
#include "store_fixture.h"

#include "store/records/records.h"
#include "store/store.h"

static void destroy(struct fixture *f, struct um_heap *heap)
{
    uint64_t blocks;
    uint64_t bytes;
    assert_int_equal(um_heap_destroy(f->store, heap, &blocks, &bytes, NULL), 0);
}

static um_handle observe(struct fixture *f, struct um_block *block)
{
    assert_int_equal(um_block_observe(f->store, block), 0);
    return um_block_handle(f->store, block);
}

static struct um_heap *make_session_heap(struct fixture *f, struct um_owner *owner)
{
    const struct um_heap_options options = {.kind = UM_HEAP_PRIVATE, .lifetime = UM_LIFETIME_SESSION};
    struct um_heap *heap = NULL;
    assert_int_equal(um_heap_create(f->store, owner, &options, &heap, NULL), 0);
    return heap;
}

/* How many events there were in all, reclaiming included. */
static void expect_counts(struct fixture *f, size_t freed, size_t vanished, size_t destroyed, size_t unlocked)
{
    reclaim_all(f->store);
    assert_int_equal(f->freed.count, freed);
    assert_int_equal(f->vanished.count, vanished);
    assert_int_equal(f->destroyed.count, destroyed);
    assert_int_equal(f->unlocked.count, unlocked);
}

/* By the query and by the result of a write, which must be the same. */
static bool is_observed(struct um_store *store, struct um_block *block)
{
    bool observed = um_block_is_observed(store, block);

    assert_int_equal(um_block_wrote(store, block, 0, 0), observed);
    return observed;
}

static void test_a_block_is_observed_by_itself_its_heap_or_with_everything(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 1);
    struct um_block *other = make_block(f->store, NULL, f->owners[0], 1);
    assert_false(is_observed(f->store, block));
    observe(f, block);
    observe(f, block); /* a flag, not a count */
    assert_true(is_observed(f->store, block));
    assert_false(is_observed(f->store, other));
    um_block_unobserve(f->store, block);
    assert_false(is_observed(f->store, block));
    assert_null(um_extra_of(block));
    um_heap_observe(heap);
    assert_true(is_observed(f->store, block));
    assert_false(is_observed(f->store, other));
    um_block_unobserve(f->store, block); /* it never was, by itself */
    assert_true(is_observed(f->store, block));
    um_heap_unobserve(heap);
    assert_false(is_observed(f->store, block));
    um_store_observe_all(f->store, true);
    assert_true(is_observed(f->store, block));
    assert_true(is_observed(f->store, other));
    um_store_observe_all(f->store, false);
    assert_false(is_observed(f->store, block));
}

static void test_unobserving_leaves_what_else_the_block_has(void **state)
{
    struct fixture *f = *state;
    struct um_block *block = make_named(f->store, f->owners[0], 1, "kept");
    struct um_block *found;
    observe(f, block);
    um_block_unobserve(f->store, block);
    assert_int_equal(um_store_find_block_by_name(f->store, "kept", &found, NULL), 0);
    assert_string_equal(info_of(f->store, block).name, "kept");
    um_block_free(f->store, block);
    expect_counts(f, 0, 0, 0, 0);
}

static void test_freeing_a_block_raises_one_event(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    um_block_free(f->store, make_block(f->store, heap, f->owners[0], 1));
    expect_counts(f, 0, 0, 0, 0);
    struct um_block *block = make_block(f->store, heap, f->owners[0], 1);
    um_handle handle = observe(f, block);
    um_block_free(f->store, block);
    expect_counts(f, 1, 0, 0, 0);
    assert_int_equal(f->freed.handles[0], handle);
    assert_int_equal(f->freed_from.handles[0], handle_of(heap));
    um_heap_observe(heap);
    um_block_free(f->store, make_block(f->store, heap, f->owners[0], 1));
    um_block_free(f->store, make_block(f->store, NULL, f->owners[0], 1));
    expect_counts(f, 2, 0, 0, 0);
    assert_int_equal(f->freed_from.handles[1], handle_of(heap));
    um_store_observe_all(f->store, true);
    block = make_block(f->store, heap, f->owners[0], 1);
    observe(f, block); /* in all three ways, and one event */
    um_block_free(f->store, block);
    um_block_free(f->store, make_block(f->store, NULL, f->owners[0], 1));
    expect_counts(f, 4, 0, 0, 0);
    assert_int_equal(f->freed_from.handles[3], handle_of(um_store_process_heap(f->store)));
}

static void test_no_event_after_unobserving(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heaps[3];
    for (int i = 0; i < 3; i++) {
        heaps[i] = i == 2 ? make_session_heap(f, f->owners[0]) : make_heap(f->store, f->owners[1], NULL, 0);
        um_heap_observe(heaps[i]);
        observe(f, make_block(f->store, heaps[i], f->owners[0], 1));
        observe(f, make_session_block(f->store, heaps[i], f->owners[0], 1));
    }
    um_store_observe_all(f->store, true);
    um_store_observe_all(f->store, false);
    const struct um_block_filter any = {0};
    size_t budget = SIZE_MAX;
    um_handle next;
    struct um_block *block = um_store_next_block(f->store, &any, 0, &budget, &next);
    while (block != NULL) {
        um_block_unobserve(f->store, block);
        block = um_store_next_block(f->store, &any, um_block_handle(f->store, block), &budget, &next);
    }
    for (int i = 0; i < 3; i++)
        um_heap_unobserve(heaps[i]);
    um_block_free(f->store, make_block(f->store, heaps[0], f->owners[0], 1));
    destroy(f, heaps[0]);
    close_fixture_owner(f, 0);
    expect_counts(f, 0, 0, 0, 0);
}

static void test_destroying_a_heap_raises_one_event_at_once(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    um_handle handle = handle_of(heap);
    um_heap_observe(heap);
    for (int i = 0; i < 20; i++) {
        struct um_block *block = make_block(f->store, heap, f->owners[i % 3], 1);
        if (i % 2 == 0)
            observe(f, block);
    }
    destroy(f, heap);
    assert_int_equal(f->freed.count, 10);
    assert_int_equal(f->destroyed.count, 1);
    assert_int_equal(f->destroyed.handles[0], handle);
    for (int i = 0; i < 10; i++)
        assert_int_equal(f->freed_from.handles[i], handle);
    expect_counts(f, 10, 0, 1, 0);
    close_fixture_owner(f, 0);
    expect_counts(f, 10, 0, 1, 0);
}

static void test_an_unobserved_heap_raises_events_of_observed_blocks_only(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    make_block(f->store, heap, f->owners[0], 1);
    um_handle handle = observe(f, make_block(f->store, heap, f->owners[1], 1));
    destroy(f, heap);
    expect_counts(f, 1, 0, 0, 0);
    assert_int_equal(f->freed.handles[0], handle);
    um_store_observe_all(f->store, true);
    heap = make_heap(f->store, f->owners[0], NULL, 0);
    make_block(f->store, heap, f->owners[0], 1);
    destroy(f, heap);
    expect_counts(f, 1, 0, 1, 0);
}

static void test_an_owner_s_end_raises_one_event_a_heap(void **state)
{
    struct fixture *f = *state;
    struct um_heap *watched = make_heap(f->store, f->owners[1], NULL, 0);
    struct um_heap *other = make_heap(f->store, f->owners[1], NULL, 0);
    um_heap_observe(watched);
    for (int i = 0; i < 100; i++) {
        make_session_block(f->store, watched, f->owners[0], 1);
        make_session_block(f->store, other, f->owners[0], 1);
        make_block(f->store, watched, f->owners[0], 1);
        make_session_block(f->store, watched, f->owners[1], 1);
    }
    um_handle handle = observe(f, make_session_block(f->store, watched, f->owners[0], 1));
    um_handle heap = handle_of(watched);
    close_fixture_owner(f, 0);
    assert_int_equal(f->vanished.count, 1);
    destroy(f, watched); /* before what vanished is reclaimed */
    expect_counts(f, 1, 1, 1, 0);
    assert_int_equal(f->freed.handles[0], handle);
    assert_int_equal(f->vanished.handles[0], heap);
}

static void test_nothing_vanishes_where_an_owner_has_nothing(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[1], NULL, 0);
    um_store_observe_all(f->store, true);
    make_block(f->store, heap, f->owners[0], 1);
    close_fixture_owner(f, 0); /* leaves an orphan */
    expect_counts(f, 0, 0, 0, 0);
    um_block_free(f->store, make_session_block(f->store, heap, f->owners[1], 1));
    close_fixture_owner(f, 1); /* its last account is an empty one */
    expect_counts(f, 1, 0, 0, 0);
    make_session_block(f->store, heap, f->owners[2], 1);
    destroy(f, heap);
    close_fixture_owner(f, 2); /* what it had went before, with the heap */
    expect_counts(f, 1, 0, 1, 0);
}

static void test_an_owner_s_end_takes_its_heaps_along(void **state)
{
    struct fixture *f = *state;
    const enum um_lifetime session = UM_LIFETIME_SESSION;
    struct um_heap *heap = make_session_heap(f, f->owners[0]);
    struct um_block *changed = make_block(f->store, NULL, f->owners[1], 1);
    observe(f, changed);
    assert_int_equal(um_block_change(f->store, changed, f->owners[0],
                                     &(struct um_block_changes){.lifetime = &session}, NULL),
                     0);
    observe(f, make_block(f->store, heap, f->owners[1], 1));
    make_session_block(f->store, heap, f->owners[0], 1);
    make_session_block(f->store, heap, f->owners[1], 1);
    observe(f, make_session_block(f->store, NULL, f->owners[0], 1));
    observe(f, make_block(f->store, NULL, f->owners[0], 1));
    um_heap_observe(heap);
    close_fixture_owner(f, 0);
    expect_counts(f, 3, 0, 1, 0);
    close_fixture_owner(f, 1);
    expect_counts(f, 3, 0, 1, 0);
}

static void test_unlocking_raises_one_event(void **state)
{
    struct fixture *f = *state;
    struct um_heap *heap = make_heap(f->store, f->owners[0], NULL, 0);
    assert_int_equal(um_heap_lock(heap, f->owners[0], NULL), 0);
    assert_int_equal(um_heap_lock(heap, f->owners[0], NULL), 0);
    assert_int_equal(um_heap_unlock(f->store, heap, f->owners[0], NULL), 0);
    assert_int_equal(um_heap_unlock(f->store, heap, f->owners[1], NULL), UMEM_E_DENIED);
    expect_counts(f, 0, 0, 0, 0);
    assert_int_equal(um_heap_unlock(f->store, heap, f->owners[0], NULL), 0);
    expect_counts(f, 0, 0, 0, 1);
    assert_int_equal(f->unlocked.handles[0], handle_of(heap));
    assert_int_equal(um_heap_unlock(f->store, heap, f->owners[0], NULL), UMEM_E_DENIED);
    close_fixture_owner(f, 0);
    expect_counts(f, 0, 0, 0, 1);
}

static void test_locks_that_end_with_their_owner_raise_events(void **state)
{
    struct fixture *f = *state;
    struct um_heap *own = make_session_heap(f, f->owners[0]);
    struct um_heap *gone = make_heap(f->store, f->owners[1], NULL, 0);
    struct um_heap *heap = make_heap(f->store, f->owners[1], NULL, 0);
    struct um_heap *process = um_store_process_heap(f->store);
    assert_int_equal(um_heap_lock(own, f->owners[0], NULL), 0);
    assert_int_equal(um_heap_lock(gone, f->owners[0], NULL), 0);
    assert_int_equal(um_heap_lock(heap, f->owners[0], NULL), 0);
    assert_int_equal(um_heap_lock(heap, f->owners[0], NULL), 0);
    assert_int_equal(um_heap_lock(process, f->owners[0], NULL), 0);
    destroy(f, gone);
    expect_counts(f, 0, 0, 0, 0);
    close_fixture_owner(f, 0);
    expect_counts(f, 0, 0, 0, 2);
    assert_int_equal(f->unlocked.handles[0], handle_of(heap));
    assert_int_equal(f->unlocked.handles[1], handle_of(process));
    assert_int_equal(um_heap_lock(heap, f->owners[2], NULL), 0);
}

/* What an event finds when it looks around. */
struct witness {
    struct um_store *store;
    struct um_store_stats stats; /* at the first event */
    unsigned events;
};

static void look(struct witness *witness)
{
    struct um_store_stats stats = stats_of(witness->store);
    if (witness->events++ == 0)
        witness->stats = stats;
    assert_memory_equal(&stats, &witness->stats, sizeof stats);
}

static void see_block_freed(void *context, um_handle block, um_handle heap)
{
    (void)block;
    (void)heap;
    look(context);
}

static void see_heap(void *context, um_handle heap)
{
    (void)heap;
    look(context);
}

static void test_an_owner_s_end_is_whole_before_its_events(void **state)
{
    struct fixture *f = *state;
    struct witness witness = {.store = f->store};
    const struct um_store_events events = {&witness, see_block_freed, see_heap, see_heap, see_heap};
    uint32_t holders;
    struct um_heap *heap = make_heap(f->store, f->owners[1], NULL, 0);
    struct um_block *orphan = make_block(f->store, NULL, f->owners[1], 5);
    observe(f, make_block(f->store, make_session_heap(f, f->owners[0]), f->owners[0], 1));
    observe(f, make_block(f->store, make_session_heap(f, f->owners[0]), f->owners[0], 1));
    make_session_block(f->store, heap, f->owners[0], 1);
    make_block(f->store, heap, f->owners[0], 1);
    assert_int_equal(um_heap_lock(heap, f->owners[0], NULL), 0);
    assert_int_equal(um_block_hold(f->store, orphan, f->owners[0], &holders, NULL), 0);
    assert_int_equal(um_block_release(f->store, orphan, f->owners[1], &holders, NULL), 0);
    um_store_observe_all(f->store, true);
    um_store_set_events(f->store, &events);
    close_fixture_owner(f, 0);
    struct um_store_stats stats = stats_of(f->store);
    assert_int_equal(witness.events, 2 + 1 + 2 + 1);
    assert_memory_equal(&stats, &witness.stats, sizeof stats);
    assert_int_equal(stats.orphaned_bytes, 6);
}

static void test_events_without_a_callback_are_dropped(void **state)
{
    struct fixture *f = *state;
    const struct um_store_events none = {0};
    um_store_set_events(f->store, &none);
    um_store_observe_all(f->store, true);
    struct um_heap *heap = make_heap(f->store, f->owners[1], NULL, 0);
    observe(f, make_session_block(f->store, heap, f->owners[0], 1));
    assert_int_equal(um_heap_lock(heap, f->owners[0], NULL), 0);
    um_block_free(f->store, make_block(f->store, heap, f->owners[0], 1));
    close_fixture_owner(f, 0);
    destroy(f, heap);
    expect_counts(f, 0, 0, 0, 0);
}

static void test_the_store_s_end_is_silent(void **state)
{
    (void)state;
    struct um_owner *owner;
    struct um_store *store = small_store(1 << 20, 1000, 10, &owner);
    struct witness witness = {.store = store};
    const struct um_store_events events = {&witness, see_block_freed, see_heap, see_heap, see_heap};
    um_store_set_events(store, &events);
    struct um_heap *heap = make_heap(store, owner, NULL, 0);
    um_heap_observe(heap);
    assert_int_equal(um_block_observe(store, make_block(store, heap, owner, 1)), 0);
    assert_int_equal(um_block_observe(store, make_block(store, NULL, owner, 1)), 0);
    small_close(store, owner);
    assert_int_equal(witness.events, 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(test_a_block_is_observed_by_itself_its_heap_or_with_everything),
        WITH_FIXTURE(test_unobserving_leaves_what_else_the_block_has),
        WITH_FIXTURE(test_freeing_a_block_raises_one_event),
        WITH_FIXTURE(test_no_event_after_unobserving),
        WITH_FIXTURE(test_destroying_a_heap_raises_one_event_at_once),
        WITH_FIXTURE(test_an_unobserved_heap_raises_events_of_observed_blocks_only),
        WITH_FIXTURE(test_an_owner_s_end_raises_one_event_a_heap),
        WITH_FIXTURE(test_nothing_vanishes_where_an_owner_has_nothing),
        WITH_FIXTURE(test_an_owner_s_end_takes_its_heaps_along),
        WITH_FIXTURE(test_unlocking_raises_one_event),
        WITH_FIXTURE(test_locks_that_end_with_their_owner_raise_events),
        WITH_FIXTURE(test_an_owner_s_end_is_whole_before_its_events),
        WITH_FIXTURE(test_events_without_a_callback_are_dropped),
        cmocka_unit_test(test_the_store_s_end_is_silent),
    };
    return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}
