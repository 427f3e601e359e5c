#include "store/records/block_memory.h"

#include "base/attributes.h"
#include "store/records/durable.h"
#include "store/records/fault.h"
#include "store/records/heaps.h"
#include "store/records/reclaim.h"

static const char pinned_too[] = "memory of freed blocks counts until clients have read the answers that it "
                                 "is sent from; free blocks, or have "
                                 "them read";

/* What an ended owner left counts for no owner. A limit that is no lower than the limit for all is ignored: the fault names the other
 * one. */
int um_block_check_owner(const struct um_store *store, const struct um_heap *heap,
                         const struct um_owner *owner, uint64_t asked, struct um_fault *fault)
{
    uint64_t limit = store->owner_bytes_limit;
    bool is_none = limit == 0 || limit >= store->bytes_limit || !owner->open;
    uint64_t used = owner->made.bytes + owner->pinned.bytes;
    if (is_none || (used <= limit && asked <= limit - used))
        return 0;
    return um_fault(fault, UMEM_E_LIMIT_EXCEEDED,
                    (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                      .limit = "session_bytes",
                                      .maximum = limit,
                                      .used = used,
                                      .asked = asked,
                                      .what = owner->pinned.bytes != 0 ? pinned_too
                                                                       : "one session may not have so many "
                                                                         "bytes; free blocks of it"});
}

int um_block_check_total(const struct um_store *store, const struct um_heap *heap, uint64_t asked,
                         struct um_fault *fault)
{
    uint64_t used = store->stats.bytes + store->reserved + store->stats.pinned_bytes;
    if (used <= store->bytes_limit && asked <= store->bytes_limit - used)
        return 0;
    return um_fault(fault, UMEM_E_LIMIT_EXCEEDED,
                    (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                      .limit = "bytes",
                                      .maximum = store->bytes_limit,
                                      .used = used,
                                      .asked = asked,
                                      .what = store->stats.pinned_bytes != 0
                                                  ? pinned_too
                                                  : "the daemon may not lend so many bytes; free blocks"});
}

int um_block_check_bytes(const struct um_store *store, const struct um_heap *heap,
                         const struct um_owner *owner, uint64_t asked, struct um_fault *fault)
{
    um_handle handle = um_slot_handle(&heap->slot, UM_HANDLE_HEAP);
    uint64_t heap_used = heap->bytes + heap->reserved;
    if (heap->maximum_size != 0 && asked > heap->maximum_size - heap_used)
        return um_fault(
            fault, UMEM_E_NO_MEMORY,
            (struct um_fault){.heap = handle,
                              .limit = "maximum_size",
                              .maximum = heap->maximum_size,
                              .used = heap_used,
                              .asked = asked,
                              .what = "the heap's maximum does not allow it; free blocks of this heap"});
    int code = um_block_check_owner(store, heap, owner, asked, fault);
    if (code != 0)
        return code;
    return um_block_check_total(store, heap, asked, fault);
}

const char um_block_heap_corrupted[] =
    "a client has taken memory away from this shared heap; destroy it and make another one";

static const char lost[] =
    "the heap's files are damaged: the daemon's log says where, and so does umemd --check";

int um_block_no_memory(const struct um_heap *heap, uint64_t asked, struct um_fault *fault)
{
    struct um_fault facts = {.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                             .used = heap->bytes,
                             .asked = asked,
                             .what = "the system has no memory for it; ask for less, or free blocks"};
    struct um_heap_memory_stats figures;
    int code = UMEM_E_NO_MEMORY;

    if (um_heap_get_memory_stats(heap, &figures)) {
        if (figures.corrupted) {
            code = UMEM_E_CORRUPTED;
            facts.what = heap->is_lost ? lost : um_block_heap_corrupted;
        } else if (!figures.grows && asked > figures.largest_free) {
            facts.what =
                heap->durable != NULL && um_durable_has_freed(heap->durable)
                    ? "no free range of the heap is large enough until what was freed is free on the "
                      "disk, too; try again when that was answered"
                    : "no free range of the heap is large enough (heap.info tells); free blocks of "
                      "this heap, or make one with a larger maximum_size";
        } else if (heap->durable != NULL) {
            um_durable_explain_space(heap->durable, &facts);
        }
    }
    return um_fault(fault, code, facts);
}

/* Whether reclaiming may free memory in a heap: where no free range is large enough, only blocks that go can. */
static bool may_free_memory(const struct um_store *store, const struct um_heap *heap, uint64_t size)
{
    struct um_heap_memory_stats figures;
    return um_reclaim_is_pending(store) ||
           (um_reclaim_has_memory(store) &&
            !(um_heap_get_memory_stats(heap, &figures) && !figures.grows && figures.largest_free < size));
}

/* Whether memory that waits for a commit was freed now. */
static bool has_released(const struct um_heap *heap)
{
    return heap->durable != NULL && um_durable_release(heap->durable);
}

/* After the first attempt. */
UM_NEVER_INLINE static void *alloc_again(struct um_store *store, struct um_heap *heap, uint64_t size)
{
    void *address = NULL;
    while (address == NULL &&
           (has_released(heap) || (may_free_memory(store, heap, size) && um_reclaim_memory_urgently(store))))
        address = heap->ops->alloc(heap->memory, size, heap->alignment);
    return address;
}

void *um_block_alloc_memory(struct um_store *store, struct um_heap *heap, uint64_t size)
{
    void *address = heap->ops->alloc(heap->memory, size, heap->alignment);
    return address != NULL ? address : alloc_again(store, heap, size);
}

void *um_block_reserve_memory(struct um_store *store, struct um_heap *heap, uint64_t size)
{
    for (;;) {
        void *address = heap->ops->reserve(heap->memory, size);
        if (address == NULL && has_released(heap))
            continue;
        if (address != NULL || !may_free_memory(store, heap, size) || !um_reclaim_memory_urgently(store))
            return address;
    }
}

bool um_block_prepare_memory(struct um_store *store, struct um_heap *heap, unsigned char *address,
                             uint64_t offset, uint64_t size)
{
    while (!heap->ops->prepare(heap->memory, address, offset, size)) {
        if (!um_reclaim_memory_urgently(store))
            return false;
    }
    return true;
}
