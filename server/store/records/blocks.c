/* Blocks: finding, allocating, freeing, telling. */
#include "store/records/store_internal.h"

#include <assert.h>
#include <string.h>

int um_store_find_block(struct um_store *store, um_handle handle, struct um_block **block,
                        struct um_fault *fault)
{
    void *record;
    const char *what = "this block was never given out; block.list tells which there are";
    switch (um_slots_find(&store->blocks, handle, &record)) {
    case UM_SLOT_OK:
        if (um_block_is_alive(store, record)) {
            *block = record;
            return 0;
        }
        break;
    case UM_SLOT_STALE:
        break;
    case UM_SLOT_OTHER_KIND:
        if ((handle & 3) == UM_HANDLE_HEAP)
            what = "this is the handle of a heap, where a block is wanted";
        return um_fault(fault, UMEM_E_UNKNOWN_HANDLE, (struct um_fault){.block = handle, .what = what});
    case UM_SLOT_UNKNOWN:
        return um_fault(fault, UMEM_E_UNKNOWN_HANDLE, (struct um_fault){.block = handle, .what = what});
    }
    return um_fault(fault, UMEM_E_STALE_HANDLE,
                    (struct um_fault){.block = handle,
                                      .what = "this block was freed, by itself, with its heap or with its "
                                              "session; do not use its handle any more"});
}

struct um_block *um_block_named(struct um_store *store, const char *text)
{
    struct um_name *name = um_names_find(&store->block_names, text);
    if (name == NULL)
        return NULL;
    struct um_block *block = um_slots_at(&store->blocks, um_handle_slot(name->handle));
    if (um_block_is_alive(store, block))
        return block;
    um_names_remove(&store->block_names, name);
    return NULL;
}

int um_store_find_block_by_name(struct um_store *store, const char *name, struct um_block **block,
                                struct um_fault *fault)
{
    struct um_block *found = um_block_named(store, name);
    if (found == NULL)
        return um_fault(fault, UMEM_E_UNKNOWN_HANDLE, (struct um_fault){.what = "no block has this name"});
    *block = found;
    return 0;
}

int um_block_name_new(struct um_store *store, const char *text, struct um_name **name, struct um_fault *fault)
{
    int code = um_name_check(text, fault);
    if (code != 0)
        return code;
    const struct um_block *taken = um_block_named(store, text);
    if (taken != NULL)
        return um_fault(
            fault, UMEM_E_NAME_TAKEN,
            (struct um_fault){.block = um_block_handle(store, taken), .what = "another block has this name"});
    struct um_name *made = um_names_new(&store->block_names, text);
    if (made == NULL)
        return um_fault(fault, UMEM_E_NO_MEMORY,
                        (struct um_fault){.what = "the system has no memory for the name"});
    *name = made;
    return 0;
}

uint32_t um_block_ntstatus(const struct um_heap *heap, uint32_t flags)
{
    return ((heap->flags | flags) & UM_FLAG_GENERATE_EXCEPTIONS) != 0 ? UM_STATUS_NO_MEMORY : 0;
}

static const char pinned_too[] = "memory of freed blocks counts until clients have read the answers that it "
                                 "is sent from; free blocks, or have "
                                 "them read";

/* What an owner left that has ended is nobody's. A limit that allows as much as that for all is none: then the other one is told. */
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

/* Whether one more block of this size is allowed. */
static int check_alloc(const struct um_store *store, const struct um_heap *heap, const struct um_owner *owner,
                       uint64_t size, struct um_fault *fault)
{
    if (store->stats.blocks >= store->blocks_limit)
        return um_fault(
            fault, UMEM_E_LIMIT_EXCEEDED,
            (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                              .limit = "blocks",
                              .maximum = store->blocks_limit,
                              .used = store->stats.blocks,
                              .asked = 1,
                              .what = "there are as many blocks as the daemon allows; free blocks"});
    return um_block_check_bytes(store, heap, owner, size, fault);
}

static const char heap_corrupted[] =
    "a client has taken memory away from this shared heap; destroy it and make another one";

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
            facts.what = heap_corrupted;
        } else if (asked > figures.largest_free) {
            facts.what = "no free range of the heap is large enough (heap.info tells); free blocks of this "
                         "heap, or make "
                         "one with a larger maximum_size";
        }
    }
    return um_fault(fault, code, facts);
}

/* Whether reclaiming may make room in a heap: where no free range is large enough, only blocks that go can. */
static bool may_free_memory(const struct um_store *store, const struct um_heap *heap, uint64_t size)
{
    struct um_heap_memory_stats figures;
    return um_reclaim_is_pending(store) ||
           (um_store_has_work(store) &&
            !(um_heap_get_memory_stats(heap, &figures) && figures.largest_free < size));
}

void *um_block_alloc_memory(struct um_store *store, struct um_heap *heap, uint64_t size)
{
    for (;;) {
        void *address = heap->backend->alloc(heap->memory, size, heap->alignment);
        if (address != NULL || !may_free_memory(store, heap, size) || !um_reclaim_urgently(store))
            return address;
    }
}

void *um_block_reserve_memory(struct um_store *store, struct um_heap *heap, uint64_t size)
{
    for (;;) {
        void *address = heap->backend->reserve(heap->memory, size);
        if (address != NULL || !may_free_memory(store, heap, size) || !um_reclaim_urgently(store))
            return address;
    }
}

bool um_block_prepare_memory(struct um_store *store, struct um_heap *heap, unsigned char *address,
                             uint64_t offset, uint64_t size)
{
    while (!heap->backend->prepare(heap->memory, address, offset, size)) {
        if (!um_reclaim_urgently(store))
            return false;
    }
    return true;
}

/* A block's record, if need be one that is still to be given back. */
static struct um_block *acquire(struct um_store *store)
{
    for (;;) {
        struct um_block *block = um_slots_acquire(&store->blocks);
        if (block != NULL || !um_reclaim_urgently(store))
            return block;
    }
}

/* Makes a block that the limits allow; where it succeeds it takes `name` over, and `address`, if that is not NULL, as its
 * memory. */
static struct um_block *make(struct um_store *store, struct um_heap *heap, struct um_account *account,
                             uint64_t size, struct um_name *name, void *address)
{
    struct um_block *block = acquire(store);
    if (block == NULL)
        return NULL;
    if (name != NULL && um_extra_get(block) == NULL)
        goto fail;
    if (address == NULL)
        address = um_block_alloc_memory(store, heap, size);
    if (address == NULL)
        goto fail;
    um_block_set_address(block, address);
    block->size = size;
    block->created_seconds = store->now_seconds;
    if (name != NULL) {
        um_extra_of(block)->name = name;
        um_names_insert(&store->block_names, name, um_block_handle(store, block));
    }
    um_account_link(store, account, block);
    um_usage_add(store, account, block);
    return block;
fail:
    um_extra_tidy(block);
    um_slots_release(&store->blocks, block);
    return NULL;
}

int um_block_check_new(struct um_store *store, struct um_heap *heap, const struct um_owner *owner,
                       const struct um_block_options *options, struct um_name **name, struct um_fault *fault)
{
    *name = NULL;
    int code = um_flags_check(options->flags, fault);
    if (code != 0)
        return code;
    do {
        code = check_alloc(store, heap, owner, options->size, fault);
    } while (code != 0 && um_ends_are_pending(store) && um_reclaim_urgently(store));
    if (code != 0) {
        if (um_ends_are_pending(store))
            um_reclaim_explain(store, fault);
        if (fault != NULL)
            fault->ntstatus = um_block_ntstatus(heap, options->flags);
        return code;
    }
    return options->name != NULL ? um_block_name_new(store, options->name, name, fault) : 0;
}

int um_block_make(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                  const struct um_block_options *options, struct um_name *name, void *address,
                  struct um_block **block, struct um_fault *fault)
{
    struct um_account *account = um_account_get(store, heap, owner, options->lifetime);
    struct um_block *made = account != NULL ? make(store, heap, account, options->size, name, address) : NULL;
    if (made != NULL) {
        *block = made;
        return 0;
    }
    um_names_free(&store->block_names, name);
    int code = um_block_no_memory(heap, options->size, fault);
    if (code == UMEM_E_NO_MEMORY)
        um_reclaim_explain(store, fault);
    if (fault != NULL)
        fault->ntstatus = um_block_ntstatus(heap, options->flags);
    return code;
}

int um_block_alloc(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   const struct um_block_options *options, struct um_block **block, struct um_fault *fault)
{
    assert(owner != NULL && owner->open);
    um_reclaim_in_call(store);
    struct um_name *name;
    int code = um_block_check_new(store, heap, owner, options, &name, fault);
    return code != 0 ? code : um_block_make(store, heap, owner, options, name, NULL, block, fault);
}

void um_block_free_memory(struct um_heap *heap, void *address, uint64_t size)
{
    if (heap->destroyed && heap->backend->destroy_frees_blocks)
        return;
    heap->backend->free(heap->memory, address, size, heap->alignment);
}

void um_block_dispose(struct um_store *store, struct um_heap *heap, struct um_block *block)
{
    bool is_pinned = um_extra_of(block) != NULL && um_extra_dispose(store, block);
    if (!is_pinned)
        um_block_free_memory(heap, um_address_of(block), block->size);
    um_slots_release(&store->blocks, block);
}

void um_block_free(struct um_store *store, struct um_block *block)
{
    um_handle handle = um_block_handle(store, block);
    struct um_account *account = um_account_of(store, block);
    um_handle heap = um_slot_handle(&account->heap->slot, UM_HANDLE_HEAP);
    bool observed = um_block_is_observed(store, block);
    um_usage_remove(store, account, block);
    um_account_unlink(store, account, block);
    um_block_dispose(store, account->heap, block);
    um_account_free_if_unused(store, account);
    if (observed)
        um_raise_block_freed(store, handle, heap);
}

void um_block_get_info(const struct um_store *store, const struct um_block *block, struct um_block_info *info)
{
    const struct um_account *account = um_account_of(store, block);
    const struct um_block_extra *extra = um_extra_of(block);
    *info = (struct um_block_info){
        .block = um_block_handle(store, block),
        .name = extra != NULL && extra->name != NULL ? extra->name->text : NULL,
        .heap = um_slot_handle(&account->heap->slot, UM_HANDLE_HEAP),
        .size = block->size,
        .address = (uint64_t)(uintptr_t)um_address_of(block),
        .lifetime = account->lifetime,
        .owner = account->owner,
        .holders = um_block_holders(account, block),
        .orphaned = um_block_ownership(account, block) == UM_OWNERSHIP_NONE,
        .created = (int64_t)block->created_seconds,
    };
}

int um_block_locate(const struct um_store *store, const struct um_block *block, struct um_place *place,
                    struct um_fault *fault)
{
    const struct um_heap *heap = um_block_heap(store, block);
    struct um_fault facts = {.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                             .block = um_block_handle(store, block)};
    struct um_heap_memory_stats figures;

    if (heap->backend->locate == NULL) {
        facts.what = "only blocks of a heap of kind shared can be mapped";
        return um_fault(fault, UMEM_E_UNSUPPORTED, facts);
    }
    if (um_heap_get_memory_stats(heap, &figures) && figures.corrupted) {
        facts.what = heap_corrupted;
        return um_fault(fault, UMEM_E_CORRUPTED, facts);
    }
    heap->backend->locate(heap->memory, um_address_of(block), place);
    return 0;
}

um_handle um_block_handle(const struct um_store *store, const struct um_block *block)
{
    (void)store;
    return um_slot_handle(&block->slot, UM_HANDLE_BLOCK);
}

unsigned char *um_block_bytes(const struct um_block *block)
{
    return um_address_of(block);
}

uint64_t um_block_size(const struct um_block *block)
{
    return block->size;
}

struct um_heap *um_block_heap(const struct um_store *store, const struct um_block *block)
{
    return um_account_of(store, block)->heap;
}
