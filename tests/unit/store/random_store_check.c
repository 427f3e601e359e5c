/* Comparing a store with the model of it. */
#include "random_store.h"

#include <stdlib.h>
#include <string.h>

const char *name_text(int name)
{
    return name == KEEP_NAME ? NULL : model_name_text(name);
}

struct um_block *block_of(struct run *run, int block)
{
    struct um_block *found = NULL;
    assert_int_equal(um_store_find_block(run->store, run->model.blocks[block].handle, &found, NULL), 0);
    return found;
}

struct um_heap *heap_of(struct run *run, int heap)
{
    struct um_heap *found = NULL;
    assert_int_equal(um_store_find_heap(run->store, run->model.heaps[heap].handle, &found, NULL), 0);
    return found;
}

static int by_value(const void *left, const void *right)
{
    const struct seen *a = left;
    const struct seen *b = right;
    if (a->kind != b->kind)
        return a->kind > b->kind ? 1 : -1;
    if (a->heap != b->heap)
        return a->heap > b->heap ? 1 : -1;
    return (a->block > b->block) - (a->block < b->block);
}

/* Within one step the order of events is the store's own affair, but all is done before the first. */
static void check_events(struct run *run)
{
    assert_int_equal(run->event_count, run->expected_count);
    if (run->event_count > 0) {
        struct um_store_stats stats = stats_of(run->store);
        /* Memory may be returned to the system between two events. */
        run->stats_seen.pinned_bytes = stats.pinned_bytes;
        assert_memory_equal(&run->stats_seen, &stats, sizeof stats);
    }
    qsort(run->events, run->event_count, sizeof *run->events, by_value);
    qsort(run->expected, run->event_count, sizeof *run->expected, by_value);
    assert_int_equal(memcmp(run->events, run->expected, run->event_count * sizeof *run->events), 0);
    run->event_count = 0;
    run->expected_count = 0;
}

void check_step(struct run *run)
{
    end_move_of_the_dead(run);
    um_store_set_time(run->store, 0); /* each step is a turn of its own */
    struct um_store_stats stats = stats_of(run->store);
    assert_int_equal(stats.heaps, model_count_heaps(&run->model));
    assert_int_equal(stats.blocks, model_count_blocks(&run->model, NONE, 0));
    assert_int_equal(stats.bytes, model_sum_bytes(&run->model, NONE, 0));
    assert_int_equal(stats.peak_bytes, run->model.peak);
    assert_int_equal(stats.orphaned_blocks, model_count_orphans(&run->model, 0));
    assert_int_equal(stats.orphaned_bytes, model_sum_orphans(&run->model));
    check_events(run);
    for (int i = 0; i < MODEL_STALE; i++) {
        if (run->model.stale_blocks[i] != 0)
            assert_int_equal(block_verdict(run->store, run->model.stale_blocks[i]), UMEM_E_STALE_HANDLE);
        if (run->model.stale_heaps[i] != 0)
            assert_int_equal(heap_verdict(run->store, run->model.stale_heaps[i]), UMEM_E_STALE_HANDLE);
    }
}

static void check_block(struct run *run, int number)
{
    const struct model_block *block = &run->model.blocks[number];
    const struct um_block *found = block_of(run, number);
    struct um_block_info info = info_of(run->store, found);
    struct um_owner_info maker;
    um_owner_get_info(info.owner, &maker);
    assert_int_equal(info.block, block->handle);
    assert_int_equal(info.heap, run->model.heaps[block->heap].handle);
    assert_int_equal(info.size, block->size);
    assert_int_equal(info.lifetime, block->for_session ? UM_LIFETIME_SESSION : UM_LIFETIME_SERVER);
    assert_int_equal(maker.id, block->maker.id);
    assert_int_equal(info.holders, model_holders(block));
    assert_int_equal(info.orphaned, model_is_orphan(block));
    assert_int_equal(um_block_is_observed(run->store, found),
                     block->is_observed || is_observed(run, block->heap));
    if (block->name == NONE)
        assert_null(info.name);
    else
        assert_string_equal(info.name, name_text(block->name));
    assert_int_equal(memcmp(um_block_bytes(found), block->bytes, (size_t)block->size), 0);
}

static void check_heap(struct run *run, int number)
{
    const struct model_heap *heap = &run->model.heaps[number];
    struct um_heap *found = heap_of(run, number);
    struct um_heap_info info;
    um_heap_get_info(found, &info);
    assert_int_equal(info.blocks, model_count_blocks(&run->model, number, 0));
    assert_int_equal(info.bytes, model_sum_bytes(&run->model, number, 0));
    assert_int_equal(info.peak_bytes, heap->peak);
    assert_int_equal(info.maximum_size, heap->maximum_size);
    assert_true((info.owner == NULL) == (heap->maker.id == 0));
    struct um_owner_info locker = {0};
    if (info.locked_by != NULL)
        um_owner_get_info(info.locked_by, &locker);
    assert_int_equal(locker.id, heap->locker != NONE ? run->model.owners[heap->locker].id : 0);
    assert_int_equal(validate_all(run->store, found, SIZE_MAX, NULL), 0);
}

static void check_person(struct run *run, int number)
{
    struct um_owner_info info;
    um_owner_get_info(run->owners[number], &info);
    assert_true(info.open);
    assert_int_equal(info.id, run->model.owners[number].id);
    assert_int_equal(info.blocks, model_count_blocks(&run->model, NONE, info.id));
    assert_int_equal(info.bytes, model_sum_bytes(&run->model, NONE, info.id));
}

static void check_pin(const struct run *run, const struct pinned *pinned)
{
    assert_int_equal(um_pin_is_current(pinned->pin), pinned->block >= 0);
    const unsigned char *expected = pinned->frozen;
    uint64_t size = pinned->size;
    if (pinned->block >= 0) {
        expected = run->model.blocks[pinned->block].bytes;
        size = run->model.blocks[pinned->block].size;
    }
    assert_int_equal(memcmp(um_pin_bytes(pinned->pin), expected, (size_t)size), 0);
}

/* Lists in pages of a few slots, and counts. */
static void check_list(struct run *run, const struct um_block_filter *filter, uint64_t expected)
{
    um_handle after = 0;
    uint64_t count = 0;
    for (;;) {
        size_t budget = 7;
        um_handle next;
        const struct um_block *block = um_store_next_block(run->store, filter, after, &budget, &next);
        if (block == NULL && next == 0)
            break;
        after = block != NULL ? um_block_handle(run->store, block) : next;
        count += block != NULL;
    }
    assert_int_equal(count, expected);
}

static void check_lists(struct run *run)
{
    struct um_block_filter filter = {0};
    check_list(run, &filter, model_count_blocks(&run->model, NONE, 0));
    filter.orphaned_only = true;
    check_list(run, &filter, model_count_orphans(&run->model, 0));
    filter.owner_id = run->last_id;
    check_list(run, &filter, model_count_orphans(&run->model, filter.owner_id));
    filter = (struct um_block_filter){.heap = heap_of(run, 0)};
    check_list(run, &filter, model_count_blocks(&run->model, 0, 0));
}

void check_all(struct run *run)
{
    for (int i = 0; i < BLOCKS; i++) {
        if (run->model.blocks[i].alive)
            check_block(run, i);
    }
    for (int i = 0; i < MODEL_HEAPS; i++) {
        if (run->model.heaps[i].alive)
            check_heap(run, i);
    }
    for (int i = 0; i < OWNERS; i++) {
        if (run->model.owners[i].open)
            check_person(run, i);
    }
    for (int name = 0; name < MODEL_NAMES; name++) {
        struct um_block *found = NULL;
        int number = model_block_named(&run->model, name_text(name));
        int code = um_store_find_block_by_name(run->store, name_text(name), &found, NULL);
        assert_int_equal(code, number < 0 ? UMEM_E_UNKNOWN_HANDLE : 0);
        if (number >= 0)
            assert_ptr_equal(found, block_of(run, number));
    }
    for (int i = 0; i < PINS; i++) {
        if (run->pins[i].pin != NULL)
            check_pin(run, &run->pins[i]);
    }
    check_lists(run);
}
