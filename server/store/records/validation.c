#include "store/records/validation.h"

#include "store/records/durable_notes.h"
#include "store/records/fault.h"
#include "store/records/heaps.h"
#include "store/records/records.h"

static int corrupted(const struct um_heap *heap, um_handle block, const char *what, struct um_fault *fault)
{
    return um_fault(
        fault, UMEM_E_CORRUPTED,
        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP), .block = block, .what = what});
}

/* The account that a block says it belongs to, or NULL where there is no such account. */
static const struct um_account *account_of(const struct um_store *store, const struct um_block *block)
{
    if (block->account >= store->accounts.used)
        return NULL;
    const struct um_account *account = um_account_of(store, block);
    return um_slot_is_live(&account->slot) ? account : NULL;
}

/* Whether a block has this slot. */
static bool is_live(const struct um_store *store, uint32_t slot)
{
    if (slot >= store->blocks.used)
        return false;
    const struct um_block *block = um_slots_at(&store->blocks, slot);
    return um_slot_is_live(&block->slot);
}

/* Whether a block and its neighbours in the account's list agree. */
static bool is_linked(const struct um_store *store, const struct um_account *account,
                      const struct um_block *block)
{
    uint32_t self = block->slot.link;
    const struct um_block_links *links = um_links_of(store, self);
    if (links->prev == UM_SLOT_NONE) {
        if (account->first != self)
            return false;
    } else if (!is_live(store, links->prev) || um_links_of(store, links->prev)->next != self) {
        return false;
    }
    return links->next == UM_SLOT_NONE ||
           (is_live(store, links->next) && um_links_of(store, links->next)->prev == self);
}

/* Bytes that a block's memory has: it may be larger already than the block, which is being resized where it is. */
static uint64_t memory_size(const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    return extra != NULL && extra->resize != NULL && extra->resize->extends ? extra->resize->size
                                                                            : block->size;
}

/* Whether a live block's record and the system agree that all is well with it. */
static bool is_sound(const struct um_store *store, const struct um_account *account,
                     const struct um_block *block)
{
    const struct um_heap *heap = account->heap;
    unsigned char *address = um_address_of(block);
    if (address == NULL || (uintptr_t)address % heap->alignment != 0 || !is_linked(store, account, block))
        return false;
    return heap->ops->validate == NULL ||
           heap->ops->validate(heap->memory, address, memory_size(block), heap->alignment);
}

int um_heap_validate(struct um_store *store, struct um_heap *heap, struct um_block *block,
                     struct um_fault *fault)
{
    const struct um_account *account = um_account_of(store, block);
    if (account->heap != heap)
        return um_fault(fault, UMEM_E_INVALID_PARAMS,
                        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                          .block = um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
                                          .what = "the block is not in this heap"});
    if (!is_sound(store, account, block))
        return corrupted(heap, um_slot_handle(&block->slot, UM_HANDLE_BLOCK), "the block is damaged", fault);
    return 0;
}

int um_block_check(struct um_store *store, struct um_block *block, struct um_fault *fault)
{
    const struct um_account *account = um_account_of(store, block);
    int code = um_heap_check_journal(account->heap, true, fault);
    if (code != 0)
        return code;
    if (!account->heap->ops->checked_when_freed || is_sound(store, account, block))
        return 0;
    return corrupted(account->heap, um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
                     "somebody wrote past the block; it stays as it is, until its heap or its session ends",
                     fault);
}

void um_heap_check_begin(struct um_heap_check *check, const struct um_heap *heap)
{
    *check = (struct um_heap_check){
        .heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
        .changes = heap->changes,
    };
}

/* Looks at a slot in use; a block of this heap is counted. */
static bool check_block(const struct um_store *store, const struct um_heap *heap,
                        const struct um_block *block, struct um_heap_check *check)
{
    const struct um_account *account = account_of(store, block);
    if (account == NULL)
        return false;
    if (account->heap != heap || !um_account_is_alive(account))
        return true;
    check->blocks++;
    check->bytes += block->size;
    return is_sound(store, account, block);
}

/* The checks that need the heap as a whole. */
static int check_whole(const struct um_heap *heap, const struct um_heap_check *check, struct um_fault *fault)
{
    if (check->changes == heap->changes && (check->blocks != heap->blocks || check->bytes != heap->bytes))
        return corrupted(heap, 0, "the heap's counts do not agree with its blocks", fault);
    if (heap->ops->validates_whole && !heap->ops->validate(heap->memory, NULL, 0, heap->alignment))
        return corrupted(heap, 0, "the heap is damaged, though none of its blocks is", fault);
    return 0;
}

int um_heap_check_step(struct um_store *store, struct um_heap_check *check, size_t budget, bool *more,
                       struct um_fault *fault)
{
    struct um_heap *heap;
    int code = um_store_find_heap(store, check->heap, &heap, fault);
    if (code != 0)
        return code;
    for (uint32_t slot = um_walk_slot(check->after); slot < store->blocks.used; slot++, budget--) {
        if (budget == 0) {
            check->after = um_walk_place(slot);
            *more = true;
            return 0;
        }
        const struct um_block *block = um_slots_at(&store->blocks, slot);
        if (um_slot_is_live(&block->slot) && !check_block(store, heap, block, check))
            return corrupted(heap, um_slot_handle(&block->slot, UM_HANDLE_BLOCK), "the block is damaged",
                             fault);
    }
    code = check_whole(heap, check, fault);
    if (code == 0)
        *more = false;
    return code;
}
