/* Random observing and locking, and what the store does in slices, over many steps of a run. */
#include "random_store.h"

static void note(struct run *run, enum model_event_kind kind, um_handle heap, um_handle block)
{
    assert_true(run->event_count < EVENTS);
    if (run->event_count == 0)
        run->stats_seen = stats_of(run->store);
    run->events[run->event_count++] = (struct seen){.kind = (uint64_t)kind, .heap = heap, .block = block};
}

static void on_block_freed(void *context, um_handle block, um_handle heap)
{
    struct run *run = context;
    assert_int_equal(block_verdict(run->store, block), UMEM_E_STALE_HANDLE);
    note(run, MODEL_FREED, heap, block);
}

static void on_blocks_vanished(void *context, um_handle heap)
{
    struct run *run = context;
    assert_int_equal(heap_verdict(run->store, heap), 0);
    note(run, MODEL_VANISHED, heap, 0);
}

static void on_heap_destroyed(void *context, um_handle heap)
{
    struct run *run = context;
    assert_int_equal(heap_verdict(run->store, heap), UMEM_E_STALE_HANDLE);
    note(run, MODEL_DESTROYED, heap, 0);
}

static void on_heap_unlocked(void *context, um_handle heap)
{
    struct run *run = context;
    assert_int_equal(heap_verdict(run->store, heap), 0);
    note(run, MODEL_UNLOCKED, heap, 0);
}

bool is_observed(const struct run *run, int heap)
{
    return run->observes_all || run->model.heaps[heap].is_observed;
}

static bool on_block_is_observed(void *context, int block)
{
    struct run *run = context;
    return run->model.blocks[block].is_observed;
}

static bool on_heap_is_observed(void *context, int heap)
{
    return is_observed(context, heap);
}

/* The store raises events of observed blocks and heaps, and one for each. */
static void on_expected(void *context, const struct model_event *event)
{
    struct run *run = context;
    enum model_event_kind kind = event->kind == MODEL_LOST ? MODEL_FREED : event->kind;
    if (!event->is_observed && event->kind != MODEL_UNLOCKED && !is_observed(run, event->heap))
        return;
    assert_true(run->expected_count < EVENTS);
    run->expected[run->expected_count++] =
        (struct seen){.kind = (uint64_t)kind, .heap = event->heap_handle, .block = event->block_handle};
}

static void on_leaves(void *context, int block)
{
    note_leaving(context, block);
}

void watch_events(struct run *run)
{
    const struct um_store_events events = {run, on_block_freed, on_blocks_vanished, on_heap_destroyed,
                                           on_heap_unlocked};
    um_store_set_events(run->store, &events);
    run->model.hooks =
        (struct model_hooks){run, on_leaves, on_block_is_observed, on_heap_is_observed, on_expected};
}

static void observe_block(struct run *run, int block, bool observed)
{
    struct um_block *found = block_of(run, block);
    if (observed)
        assert_int_equal(um_block_observe(run->store, found), 0);
    else
        um_block_unobserve(run->store, found);
    run->model.blocks[block].is_observed = observed;
}

static void observe_heap(struct run *run, int heap, bool observed)
{
    if (observed)
        um_heap_observe(heap_of(run, heap));
    else
        um_heap_unobserve(heap_of(run, heap));
    run->model.heaps[heap].is_observed = observed;
}

void do_observe(struct run *run)
{
    int block = some_block(run);
    bool observed = roll(run, 2) == 0;
    switch (roll(run, 8)) {
    case 0:
        run->observes_all = roll(run, 4) == 0;
        um_store_observe_all(run->store, run->observes_all);
        break;
    case 1:
    case 2:
        observe_heap(run, some_heap(run), observed);
        break;
    default:
        if (block >= 0)
            observe_block(run, block, observed);
    }
}

void do_lock(struct run *run)
{
    int heap = some_heap(run);
    int owner = some_owner(run);
    int may_lock = model_is_locked(&run->model, heap, owner) ? UMEM_E_LOCKED : 0;
    int may_unlock = run->model.heaps[heap].locker == owner ? 0 : UMEM_E_DENIED;
    struct um_heap *found = heap_of(run, heap);
    assert_int_equal(um_heap_check_lock(found, run->owners[owner], NULL), may_lock);
    if (roll(run, 2) == 0) {
        assert_int_equal(um_heap_lock(found, run->owners[owner], NULL), may_lock);
        if (may_lock == 0)
            model_lock(&run->model, heap, owner);
    } else {
        assert_int_equal(um_heap_unlock(run->store, found, run->owners[owner], NULL), may_unlock);
        if (may_unlock == 0)
            model_unlock(&run->model, heap);
    }
}

/* One step of a validation that runs beside all other operations. */
void do_validate(struct run *run)
{
    if (!run->check_begun) {
        um_heap_check_begin(&run->check, heap_of(run, some_heap(run)));
        run->check_begun = true;
    }
    bool more = false;
    int expected = heap_verdict(run->store, run->check.heap);
    assert_int_equal(um_heap_check_step(run->store, &run->check, (size_t)roll(run, 60), &more, NULL),
                     expected);
    run->check_begun = expected == 0 && more;
}

void do_find_at(struct run *run)
{
    int block = some_block(run);
    struct um_block *found;
    if (block < 0)
        return;
    uint64_t address = (uint64_t)(uintptr_t)um_block_bytes(block_of(run, block));
    size_t budget = 1 + (size_t)roll(run, 100);
    assert_int_equal(find_at(run->store, address, budget, &found), 0);
    assert_ptr_equal(found, block_of(run, block));
    assert_int_equal(find_at(run->store, address + 1, budget, &found), UMEM_E_UNKNOWN_HANDLE);
}
