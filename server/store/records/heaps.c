#include "store/records/heaps.h"

#include <assert.h>
#include <string.h>

#include "store/records/durable_make.h"
#include "store/records/fault.h"
#include "store/records/reclaim.h"

#define HEAP_FLAGS \
    (UM_FLAG_ZERO_MEMORY | UM_FLAG_NO_SERIALIZE | UM_FLAG_GENERATE_EXCEPTIONS | UM_FLAG_REALLOC_IN_PLACE_ONLY)

um_handle um_heap_handle(const struct um_heap *heap)
{
    return um_slot_handle(&heap->slot, UM_HANDLE_HEAP);
}

int um_store_find_heap(struct um_store *store, um_handle handle, struct um_heap **heap,
                       struct um_fault *fault)
{
    void *record = NULL;
    const char *what = "this heap was never made; heap.list tells which there are";
    switch (um_slots_find(&store->heaps, handle, &record)) {
    case UM_SLOT_OK:
        if (um_heap_is_alive(record)) {
            *heap = record;
            return 0;
        }
        break;
    case UM_SLOT_STALE:
        break;
    case UM_SLOT_OTHER_KIND:
        if ((handle & 3) == UM_HANDLE_BLOCK)
            what = "this is the handle of a block, where a heap is wanted";
        return um_fault(fault, UMEM_E_UNKNOWN_HANDLE, (struct um_fault){.heap = handle, .what = what});
    case UM_SLOT_UNKNOWN:
        return um_fault(fault, UMEM_E_UNKNOWN_HANDLE, (struct um_fault){.heap = handle, .what = what});
    }
    return um_fault(
        fault, UMEM_E_STALE_HANDLE,
        (struct um_fault){.heap = handle, .what = "this heap was destroyed; do not use its handle any more"});
}

/* The live heap with a name, or NULL. A dead one's name is free from then on. */
static struct um_heap *heap_named(struct um_store *store, const char *text)
{
    struct um_name *name = um_names_find(&store->heap_names, text);
    if (name == NULL)
        return NULL;
    struct um_heap *heap = um_slots_at(&store->heaps, um_handle_slot(name->handle));
    if (um_heap_is_alive(heap))
        return heap;
    um_names_remove(&store->heap_names, name);
    return NULL;
}

int um_store_find_heap_by_name(struct um_store *store, const char *name, struct um_heap **heap,
                               struct um_fault *fault)
{
    if (strcmp(name, "process") == 0) {
        *heap = store->process;
        return 0;
    }
    struct um_heap *found = heap_named(store, name);
    if (found == NULL)
        return um_fault(fault, UMEM_E_UNKNOWN_HANDLE, (struct um_fault){.what = "no heap has this name"});
    *heap = found;
    return 0;
}

struct um_heap *um_store_process_heap(struct um_store *store)
{
    return store->process;
}

uint32_t um_store_system_heaps(const struct um_store *store)
{
    (void)store;
    return um_heap_memory_system_heaps();
}

/* ---- making ---- */

int um_heap_check_options(const struct um_store *store, const struct um_heap_options *options,
                          struct um_fault *fault)
{
    uint32_t alignment = options->alignment;
    const char *what = NULL;
    if (options->kind == UM_HEAP_SHARED && store->heap_ops[UM_HEAP_SHARED] == NULL)
        return um_fault(fault, UMEM_E_UNSUPPORTED,
                        (struct um_fault){.what = "this daemon has no shared heaps"});
    int code = um_flags_check(options->flags, fault);
    if (code != 0)
        return code;
    if (options->is_durable && store->state == NULL)
        return um_fault(fault, UMEM_E_UNSUPPORTED,
                        (struct um_fault){.what = "this daemon keeps no durable heaps: start it with "
                                                  "umemd --state DIR"});
    if (options->kind == UM_HEAP_PROCESS || (int)options->kind >= UM_HEAP_KINDS)
        what = "there is no such kind of a new heap";
    else if ((options->flags & ~(uint32_t)HEAP_FLAGS) != 0)
        what = "there is no such flag";
    else if (alignment != 0 && (alignment < UM_ALIGNMENT_MINIMUM || alignment > UM_ALIGNMENT_MAXIMUM ||
                                (alignment & (alignment - 1)) != 0))
        what = "an alignment is a power of two from 16 to 65536";
    else if (options->maximum_size != 0 && options->initial_size > options->maximum_size)
        what = "initial_size is more than maximum_size";
    else if (options->is_durable && options->kind != UM_HEAP_SHARED)
        what = "a durable heap is of kind shared";
    else if (options->maximum_size == 0 && options->kind == UM_HEAP_SHARED)
        what = "a shared heap cannot grow: give it a maximum_size";
    if (what != NULL)
        return um_fault(fault, UMEM_E_INVALID_PARAMS, (struct um_fault){.what = what});
    return 0;
}

/* The limits, and the name. */
static int check_quota(struct um_store *store, const struct um_heap_options *options, struct um_fault *fault)
{
    while (store->stats.heaps > store->heaps_limit && um_reclaim_is_pending(store) &&
           um_reclaim_urgently(store))
        continue;
    uint64_t made = store->stats.heaps - 1;
    if (made >= store->heaps_limit)
        return um_fault(
            fault, UMEM_E_LIMIT_EXCEEDED,
            (struct um_fault){.limit = "heaps",
                              .maximum = store->heaps_limit,
                              .used = made,
                              .asked = 1,
                              .what = "there are as many heaps as the daemon allows; destroy one"});
    uint64_t shared = store->shared_heaps + um_heap_memory_ending();
    if (options->kind == UM_HEAP_SHARED && shared >= store->shared_heaps_limit)
        return um_fault(
            fault, UMEM_E_LIMIT_EXCEEDED,
            (struct um_fault){
                .limit = "shared_heaps",
                .maximum = store->shared_heaps_limit,
                .used = shared,
                .asked = 1,
                .what = store->shared_heaps < store->shared_heaps_limit
                            ? "shared heaps that were destroyed are still being reclaimed; try again"
                            : "there are as many shared heaps as the daemon allows; destroy one"});
    uint64_t used = store->stats.bytes + store->stats.pinned_bytes;
    if (used > store->bytes_limit || options->initial_size > store->bytes_limit - used)
        return um_fault(fault, UMEM_E_LIMIT_EXCEEDED,
                        (struct um_fault){.limit = "bytes",
                                          .maximum = store->bytes_limit,
                                          .used = used,
                                          .asked = options->initial_size,
                                          .what = "initial_size is more than the daemon may still lend"});
    if (options->name == NULL)
        return 0;
    int code = um_name_check(options->name, fault);
    if (code != 0)
        return code;
    if (strcmp(options->name, "process") == 0)
        return um_fault(fault, UMEM_E_NAME_TAKEN,
                        (struct um_fault){.heap = um_heap_handle(store->process),
                                          .what = "\"process\" names the process heap"});
    const struct um_heap *taken = heap_named(store, options->name);
    if (taken != NULL)
        return um_fault(
            fault, UMEM_E_NAME_TAKEN,
            (struct um_fault){.heap = um_heap_handle(taken), .what = "another heap has this name"});
    return 0;
}

/* Heaps that are destroyed take descriptors until they are purged: these count, too, but keep no new one from being made unless there
 * are more than a turn can end. */
static void reclaim_shared(struct um_store *store)
{
    while (store->shared_heaps + um_heap_memory_ending() >= store->shared_heaps_limit &&
           um_reclaim_urgently(store))
        continue;
}

/* Makes a heap's memory. Where there is none, all that is pending is reclaimed, and it is tried once more: an
 * attempt that fails may leave work of its own behind, which must be no reason to try without end. */
static bool create_memory(struct um_store *store, const struct um_heap_options *options, struct um_heap *heap)
{
    const struct um_heap_ops *ops = heap->ops;
    bool is_due = store->process != NULL && um_reclaim_has_memory(store);

    if (ops->create(options->initial_size, options->maximum_size, heap->alignment, &heap->memory))
        return true;
    if (!is_due)
        return false;
    while (um_reclaim_memory_urgently(store))
        continue;
    return ops->create(options->initial_size, options->maximum_size, heap->alignment, &heap->memory);
}

int um_heap_open(struct um_store *store, const struct um_heap_options *options, const struct um_owner *maker,
                 struct um_heap **heap, struct um_fault *fault)
{
    struct um_heap *made = um_slots_acquire(&store->heaps);
    if (made == NULL)
        goto fail;
    made->alignment = options->alignment != 0 ? options->alignment : UM_ALIGNMENT_MINIMUM;
    made->ops = options->is_durable ? um_heap_memory_durable_ops() : store->heap_ops[options->kind];
    made->flags = options->flags;
    made->initial_size = options->initial_size;
    made->maximum_size = options->maximum_size;
    if (options->is_durable) {
        int code = um_durable_create(store, made, options->name, maker, fault);
        if (code != 0) {
            um_slots_release(&store->heaps, made);
            return code;
        }
    } else if (!create_memory(store, options, made)) {
        goto fail;
    }
    made->is_durable = options->is_durable;
    if (options->kind == UM_HEAP_SHARED)
        store->shared_heaps++;
    made->memory_open = true;
    made->kind = options->kind;
    made->lifetime = options->lifetime;
    um_list_init(&made->accounts);
    um_list_init(&made->in_owner);
    um_list_init(&made->in_locks);
    *heap = made;
    return 0;
fail:
    if (made != NULL)
        um_slots_release(&store->heaps, made);
    return um_fault(
        fault, UMEM_E_NO_MEMORY,
        (struct um_fault){.asked = options->initial_size,
                          .ntstatus =
                              (options->flags & UM_FLAG_GENERATE_EXCEPTIONS) != 0 ? UM_STATUS_NO_MEMORY : 0,
                          .what = options->kind == UM_HEAP_SHARED
                                      ? "the system has no shared memory for another heap of this size"
                                      : "the system has no memory for another heap"});
}

int um_heap_create(struct um_store *store, struct um_owner *owner, const struct um_heap_options *options,
                   struct um_heap **heap, struct um_fault *fault)
{
    assert(owner != NULL && owner->open);
    um_reclaim_in_call(store);
    struct um_name *name = NULL;
    int code = um_heap_check_options(store, options, fault);
    if (code == 0 && options->kind == UM_HEAP_SHARED)
        reclaim_shared(store);
    if (code == 0)
        code = check_quota(store, options, fault);
    if (code != 0)
        return code;
    if (options->name != NULL) {
        name = um_names_new(&store->heap_names, options->name);
        if (name == NULL)
            return um_fault(fault, UMEM_E_NO_MEMORY,
                            (struct um_fault){.what = "the system has no memory for the name"});
    }
    struct um_heap *made = NULL;
    code = um_heap_open(store, options, owner, &made, fault);
    if (code != 0) {
        um_names_free(&store->heap_names, name);
        return code;
    }
    assert(made != NULL);
    made->name = name;
    if (name != NULL)
        um_names_insert(&store->heap_names, name, um_heap_handle(made));
    made->owner = owner;
    um_list_append(&owner->heaps, &made->in_owner);
    owner->heap_count[made->kind]++;
    store->stats.heaps++;
    *heap = made;
    return 0;
}

int um_heap_commit_step(struct um_heap *heap, uint64_t budget, uint64_t *done, bool *more,
                        struct um_fault *fault)
{
    uint64_t left = heap->initial_size - *done;
    uint64_t size = left < budget ? left : budget;
    if (heap->ops->commit != NULL && !heap->ops->commit(heap->memory, *done, size))
        return um_fault(
            fault, UMEM_E_NO_MEMORY,
            (struct um_fault){.asked = heap->initial_size,
                              .ntstatus = um_block_ntstatus(heap, 0),
                              .what = "the system has no shared memory for another heap of this size"});
    *done += size;
    *more = heap->ops->commit != NULL && size < left;
    return 0;
}

/* ---- a heap ---- */

int um_heap_destroy(struct um_store *store, struct um_heap *heap, uint64_t *blocks, uint64_t *bytes,
                    struct um_fault *fault)
{
    if (heap == store->process)
        return um_fault(fault, UMEM_E_DENIED,
                        (struct um_fault){.heap = um_heap_handle(heap),
                                          .what = "the process heap cannot be destroyed; free its "
                                                  "blocks"});
    if (heap->is_lost)
        return um_fault(
            fault, UMEM_E_DENIED,
            (struct um_fault){.heap = um_heap_handle(heap),
                              .what = "the heap's files are damaged, and are left alone; move them away "
                                      "from the state directory, and start umemd again"});
    int code = heap->durable != NULL ? um_durable_destroy(heap, fault) : 0;
    if (code != 0)
        return code;
    *blocks = heap->blocks;
    *bytes = heap->bytes;
    store->status.turn_is_used = true;
    um_heap_kill(store, heap, &store->ends_left);
    um_store_raise_events(store, &store->ends_left);
    um_reclaim_update_status(store);
    return 0;
}

void um_heap_get_info(const struct um_heap *heap, struct um_heap_info *info)
{
    *info = (struct um_heap_info){
        .heap = um_heap_handle(heap),
        .name = heap->name != NULL              ? heap->name->text
                : heap->kind == UM_HEAP_PROCESS ? "process"
                                                : NULL,
        .kind = heap->kind,
        .flags = heap->flags,
        .initial_size = heap->initial_size,
        .maximum_size = heap->maximum_size,
        .alignment = heap->alignment,
        .blocks = heap->blocks,
        .bytes = heap->bytes,
        .peak_bytes = heap->peak_bytes,
        .calls = heap->calls,
        .touched_bytes = heap->touched_bytes,
        .last_used = heap->used_seconds,
        .lifetime = heap->lifetime,
        .is_durable = heap->is_durable,
        .is_corrupted = heap->is_lost,
        .owner = heap->owner,
        .locked_by = heap->locked_by,
    };
}

void um_heap_note_call(const struct um_store *store, struct um_heap *heap)
{
    um_heap_count_call(store, heap);
}

void um_heap_note_bytes(struct um_heap *heap, uint64_t bytes)
{
    heap->touched_bytes += bytes;
}

bool um_heap_get_memory_stats(const struct um_heap *heap, struct um_heap_memory_stats *figures)
{
    if (heap->ops->get_stats == NULL)
        return false;
    heap->ops->get_stats(heap->memory, figures);
    return true;
}

struct um_heap *um_store_next_heap(struct um_store *store, um_handle after, size_t *budget, um_handle *next)
{
    *next = 0;
    for (uint32_t slot = um_walk_slot(after); slot < store->heaps.used; slot++) {
        if (*budget == 0) {
            *next = um_walk_place(slot);
            return NULL;
        }
        --*budget;
        struct um_heap *heap = um_slots_at(&store->heaps, slot);
        if (um_slot_is_live(&heap->slot) && um_heap_is_alive(heap))
            return heap;
    }
    return NULL;
}

void um_heap_compact_start(struct um_heap *heap)
{
    if (heap->ops->compact_start != NULL)
        heap->ops->compact_start(heap->memory);
}

bool um_heap_compact_step(struct um_heap *heap, uint64_t *largest_free)
{
    return heap->ops->compact_step(heap->memory, largest_free);
}
