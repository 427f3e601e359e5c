#include "store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/journal/state_directory.h"
#include "store/records/durable_compact.h"
#include "store/records/durable_make.h"
#include "store/records/reclaim.h"

/* A number that follows from the seed, but does not give it away where clients get to see it. */
static uint64_t derive(uint64_t seed, const char *purpose)
{
    const uint64_t key[2] = {seed, ~seed};
    return um_hash_bytes(key, purpose, strlen(purpose));
}

static uint32_t first_generation(uint64_t seed, const char *purpose)
{
    return 1 + (uint32_t)(derive(seed, purpose) % UM_GENERATION_FIRST_LIMIT);
}

static void init_tables(struct um_store *store, uint64_t seed)
{
    um_slots_init(&store->blocks, UM_HANDLE_BLOCK, sizeof(struct um_block), sizeof(struct um_block_links),
                  UM_SLOT_COUNT_LIMIT, first_generation(seed, "blocks"));
    um_slots_init(&store->heaps, UM_HANDLE_HEAP, sizeof(struct um_heap), 0, UM_SLOT_COUNT_LIMIT,
                  first_generation(seed, "heaps"));
    um_slots_init(&store->accounts, UM_HANDLE_ACCOUNT, sizeof(struct um_account), 0, UM_SLOT_COUNT_LIMIT, 1);
    um_slots_init(&store->owners, UM_HANDLE_OWNER, sizeof(struct um_owner), 0, UM_SLOT_COUNT_LIMIT, 1);
    um_list_init(&store->accounts_with_events);
    um_list_init(&store->dead_accounts);
    um_list_init(&store->ending_heaps);
    um_list_init(&store->heaps_with_events);
    um_list_init(&store->unlocked_heaps);
    um_list_init(&store->closing_owners);
}

static void free_tables(struct um_store *store)
{
    um_index_deinit(&store->account_index);
    um_index_deinit(&store->holds);
    um_names_deinit(&store->block_names);
    um_names_deinit(&store->heap_names);
    um_slots_deinit(&store->blocks);
    um_slots_deinit(&store->heaps);
    um_slots_deinit(&store->accounts);
    um_slots_deinit(&store->owners);
    free(store);
}

void um_store_set_limits(struct um_store *store, const struct um_store_options *options)
{
    store->bytes_limit = options->bytes_limit < UM_BYTES_MAXIMUM ? options->bytes_limit : UM_BYTES_MAXIMUM;
    store->blocks_limit =
        options->blocks_limit < UM_SLOT_COUNT_LIMIT - 2 ? options->blocks_limit : UM_SLOT_COUNT_LIMIT - 2;
    store->heaps_limit = options->heaps_limit;
    store->shared_heaps_limit = options->shared_heaps_limit;
    store->owner_bytes_limit = options->owner_bytes_limit;
    store->holds_limit = options->holds_limit;
}

int um_store_new(const struct um_store_options *options, struct um_store **store)
{
    struct um_store *made = calloc(1, sizeof *made);
    if (made == NULL)
        return UMEM_E_NO_MEMORY;
    init_tables(made, options->seed);
    um_store_set_limits(made, options);
    made->wipes = options->wipe;
    made->copied_at_once = UM_COPIED_AT_ONCE;
    made->cleared_at_once = UM_COPIED_AT_ONCE;
    made->large_blocks = UM_LARGE_BLOCKS;
    made->grown_at_once = UM_GROWN_AT_ONCE;
    made->ends_left = UM_ENDS_PER_TURN;
    made->urgent_left = UM_URGENT_PER_TURN;
    for (int kind = UM_HEAP_PROCESS; kind < UM_HEAP_KINDS; kind++)
        made->heap_ops[kind] = um_heap_memory_ops((enum um_heap_kind)kind, options->guard, options->wipe);

    const struct um_heap_options process = {.kind = UM_HEAP_PROCESS};
    if (!um_index_init(&made->account_index) || !um_index_init(&made->holds) ||
        !um_names_init(&made->block_names, derive(options->seed, "block names")) ||
        !um_names_init(&made->heap_names, derive(options->seed, "heap names")) ||
        um_heap_open(made, &process, NULL, &made->process, NULL) != 0) {
        free_tables(made);
        return UMEM_E_NO_MEMORY;
    }
    made->stats.heaps = 1;
    made->status.has_work = um_purge_is_pending();
    um_purge_watch(&made->purge_watcher, &made->status.has_work);
    *store = made;
    return 0;
}

void um_store_free(struct um_store *store)
{
    if (store == NULL)
        return;
    store->events = (struct um_store_events){0};
    um_store_sync_all(store);
    um_state_close(store);
    size_t budget = SIZE_MAX;
    um_handle next;
    struct um_heap *heap = um_store_next_heap(store, 0, &budget, &next);
    while (heap != NULL) {
        um_handle handle = um_slot_handle(&heap->slot, UM_HANDLE_HEAP);
        um_heap_kill(store, heap, &budget);
        heap = um_store_next_heap(store, handle, &budget, &next);
    }
    um_reclaim_update_status(store);
    while (um_store_reclaim(store, SIZE_MAX))
        continue;
    um_heap_memory_end();
    um_purge_unwatch(&store->purge_watcher);
    free_tables(store);
}

void um_store_set_events(struct um_store *store, const struct um_store_events *events)
{
    store->events = *events;
}

void um_store_get_stats(const struct um_store *store, struct um_store_stats *stats)
{
    *stats = store->stats;
}

uint64_t um_store_last_owner_id(const struct um_store *store)
{
    return store->last_owner_id;
}

const struct um_store_status *um_store_get_status(const struct um_store *store)
{
    return &store->status;
}

bool um_store_has_work(const struct um_store *store)
{
    return store->status.has_work;
}

bool um_store_reclaim(struct um_store *store, size_t budget)
{
    um_reclaim_run(store, budget);
    if (store->state != NULL && um_state_has_work(store->state)) {
        um_store_commit(store);
        um_state_work(store->state);
        um_reclaim_update_status(store);
    }
    return store->status.has_work;
}

static_assert((int)UM_STORE_TICK_MS == (int)UM_PURGE_PERIOD_MS, "one period");

bool um_store_wants_tick(const struct um_store *store)
{
    (void)store;
    return um_purge_is_listed();
}

void um_store_tick(struct um_store *store)
{
    um_purge_tick();
    um_reclaim_update_status(store);
}

void um_store_set_time(struct um_store *store, int64_t unix_seconds)
{
    store->ends_left = UM_ENDS_PER_TURN;
    store->urgent_left = UM_URGENT_PER_TURN;
    store->status.turn_is_used = false;
    store->status.is_large = store->stats.blocks >= store->large_blocks;
    if (unix_seconds < 0)
        store->now_seconds = 0;
    else
        store->now_seconds = unix_seconds < UINT32_MAX ? (uint32_t)unix_seconds : UINT32_MAX;
}

void um_store_allow(const struct um_principal *allowed)
{
    um_heap_memory_allow(allowed);
    um_state_directory_allow(allowed);
}

size_t um_store_remove_stale_objects(void)
{
    return um_heap_memory_remove_stale();
}
