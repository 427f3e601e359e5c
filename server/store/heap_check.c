/* Validating and compacting heaps. */
#include "store_internal.h"

static int corrupted(const struct um_heap *heap, um_handle block, const char *what, struct um_fault *fault)
{
    return um_fault(
        fault, UMEM_E_CORRUPTED,
        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP), .block = block, .what = what});
}

/* Whether a block's record and the system agree that all is well with it. */
static bool is_sound(const struct um_store *store, const struct um_account *account,
                     const struct um_block *block)
{
    const struct um_heap *heap = account->heap;
    if (!um_slot_is_live(&block->slot) || block->account != account->slot.link || block->address == NULL ||
        (uintptr_t)block->address % heap->alignment != 0)
        return false;
    if (block->next != UM_SLOT_NONE) {
        const struct um_block *next = um_slots_at(&store->blocks, block->next);
        if (next->prev != block->slot.link)
            return false;
    }
    return heap->backend->validate == NULL ||
           heap->backend->validate(heap->memory, block->address, heap->alignment);
}

/* Looks at all blocks of an account and adds them up. Returns the first that is damaged, or NULL. */
static const struct um_block *first_damaged(const struct um_store *store, const struct um_account *account,
                                            struct um_tally *sum)
{
    for (uint32_t slot = account->first; slot != UM_SLOT_NONE;) {
        const struct um_block *block = um_slots_at(&store->blocks, slot);
        if (!is_sound(store, account, block))
            return block;
        sum->blocks++;
        sum->bytes += block->size;
        slot = block->next;
    }
    return NULL;
}

int um_heap_validate(struct um_store *store, struct um_heap *heap, struct um_block *block,
                     struct um_fault *fault)
{
    if (block != NULL) {
        const struct um_account *account = um_account_of(store, block);
        if (account->heap != heap)
            return um_fault(fault, UMEM_E_INVALID_PARAMS,
                            (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                              .block = um_block_handle(store, block),
                                              .what = "the block is not in this heap"});
        return is_sound(store, account, block)
                   ? 0
                   : corrupted(heap, um_block_handle(store, block), "the block is damaged", fault);
    }
    struct um_tally sum = {0};
    for (const struct um_link *link = heap->accounts.next; link != &heap->accounts; link = link->next) {
        const struct um_account *account = UM_LIST_ITEM(link, const struct um_account, in_heap);
        const struct um_block *damaged = account->dead ? NULL : first_damaged(store, account, &sum);
        if (damaged != NULL)
            return corrupted(heap, um_block_handle(store, damaged), "the block is damaged", fault);
    }
    if (sum.blocks != heap->blocks || sum.bytes != heap->bytes)
        return corrupted(heap, 0, "the heap's counts do not agree with its blocks", fault);
    if (heap->backend->validates_whole && !heap->backend->validate(heap->memory, NULL, heap->alignment))
        return corrupted(heap, 0, "the heap is damaged, though none of its blocks is", fault);
    return 0;
}

int um_heap_compact(struct um_store *store, struct um_heap *heap, uint64_t *largest_free,
                    struct um_fault *fault)
{
    (void)store;
    (void)fault;
    *largest_free = heap->backend->compact(heap->memory);
    return 0;
}
