#include "store/records/blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/attributes.h"
#include "base/prefetch.h"
#include "store/records/accounts.h"
#include "store/records/block_extra.h"
#include "store/records/block_memory.h"
#include "store/records/durable_notes.h"
#include "store/records/fault.h"
#include "store/records/heaps.h"
#include "store/records/holds.h"
#include "store/records/locks.h"
#include "store/records/observers.h"
#include "store/records/reclaim.h"
#include "store/records/store_events.h"
#include "store/records/unused.h"
#include "store/records/validation.h"

enum {
    PREFETCHED_BYTES = 128,   /* of a block that are fetched */
    RENEWED_SIZE = 64 * 1024, /* bytes of the largest block that one of the same name is made of */
};

/* An allocation in steps: memory that is being prepared for a block that does not exist yet. */
struct um_alloc {
    struct um_heap *heap;
    struct um_owner *owner;
    struct um_block_options options; /* its name is that of `name` */
    struct um_name *name;            /* in no table yet; NULL: none */
    unsigned char *address;          /* the memory; NULL once it is the block's */
    uint64_t prepared;               /* first bytes that are there, and zero or written already */
    struct um_block *block;          /* made; NULL: not yet */
};

/* ---- finding ---- */

UM_NEVER_INLINE static int not_found(um_handle handle, enum um_slot_verdict verdict, struct um_fault *fault)
{
    const char *what = "this block was never given out; block.list tells which there are";
    int code = UMEM_E_UNKNOWN_HANDLE;

    if (verdict == UM_SLOT_OK || verdict == UM_SLOT_STALE) {
        code = UMEM_E_STALE_HANDLE;
        what = "this block was freed, by itself, with its heap or with its session; do not use its handle "
               "any more";
    } else if (verdict == UM_SLOT_OTHER_KIND && (handle & 3) == UM_HANDLE_HEAP) {
        what = "this is the handle of a heap, where a block is wanted";
    }
    return um_fault(fault, code, (struct um_fault){.block = handle, .what = what});
}

int um_store_find_block(struct um_store *store, um_handle handle, struct um_block **block,
                        struct um_fault *fault)
{
    void *record = NULL;
    enum um_slot_verdict verdict = um_slots_find(&store->blocks, handle, &record);

    if (verdict != UM_SLOT_OK || !um_block_is_alive(store, record))
        return not_found(handle, verdict, fault);
    *block = record;
    return 0;
}

/* Every call that uses bytes runs through this: it reads each record once. */
UM_ALWAYS_INLINE int find_for(struct um_store *store, const struct um_owner *owner, um_handle handle,
                              bool is_used, struct um_block **block, struct um_fault *fault)
{
    void *record = NULL;
    enum um_slot_verdict verdict = um_slots_find(&store->blocks, handle, &record);
    const struct um_account *account;

    if (verdict != UM_SLOT_OK)
        return not_found(handle, verdict, fault);
    account = um_account_of(store, record);
    if (!um_account_is_alive(account))
        return not_found(handle, verdict, fault);
    if (account->heap->locked_by != NULL && account->heap->locked_by != owner)
        return um_heap_check_lock(account->heap, owner, fault);
    if (is_used)
        um_heap_count_call(store, account->heap);
    *block = record;
    return 0;
}

int um_owner_find_block(struct um_store *store, const struct um_owner *owner, um_handle handle,
                        struct um_block **block, struct um_fault *fault)
{
    return find_for(store, owner, handle, false, block, fault);
}

int um_owner_use_block(struct um_store *store, const struct um_owner *owner, um_handle handle,
                       struct um_block **block, struct um_fault *fault)
{
    return find_for(store, owner, handle, true, block, fault);
}

/* The live block that a name of the table belongs to, or NULL. A dead one's name is free from then on. */
static struct um_block *bearer_of(struct um_store *store, struct um_name *name)
{
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
    struct um_block *found = bearer_of(store, um_names_find(&store->block_names, name));
    if (found == NULL)
        return um_fault(fault, UMEM_E_UNKNOWN_HANDLE, (struct um_fault){.what = "no block has this name"});
    *block = found;
    return 0;
}

int um_store_find_block_at(struct um_store *store, uint64_t address, size_t budget, um_handle *after,
                           struct um_block **block, struct um_fault *fault)
{
    for (uint32_t slot = um_walk_slot(*after); slot < store->blocks.used; slot++, budget--) {
        if (budget == 0) {
            *after = um_walk_place(slot);
            *block = NULL;
            return 0;
        }
        struct um_block *found = um_slots_at(&store->blocks, slot);
        if (um_slot_is_live(&found->slot) && (uint64_t)(uintptr_t)um_address_of(found) == address &&
            um_block_is_alive(store, found)) {
            *block = found;
            return 0;
        }
    }
    return um_fault(fault, UMEM_E_UNKNOWN_HANDLE,
                    (struct um_fault){.what = "no block starts at this address"});
}

bool um_store_is_large(const struct um_store *store)
{
    return store->stats.blocks >= store->large_blocks;
}

void um_store_prefetch(const struct um_store *store, const um_handle *handles, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = um_handle_slot(handles[i]);
        if (slot < store->blocks.used)
            um_prefetch(um_slots_at(&store->blocks, slot));
    }
    /* By now the first record is being fetched, and the others follow at once. */
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = um_handle_slot(handles[i]);
        const struct um_block *block = slot < store->blocks.used ? um_slots_at(&store->blocks, slot) : NULL;
        if (block == NULL || !um_slot_is_live(&block->slot))
            continue;
        um_prefetch((const void *)block->memory);
        if (block->size > UM_ALIGNMENT_MINIMUM && um_extra_of(block) == NULL)
            um_prefetch((const char *)block->memory +
                        (block->size < PREFETCHED_BYTES ? block->size : PREFETCHED_BYTES) - 1);
    }
}

/* ---- allocating ---- */

/* Whether the block that has a name may be freed, so that an owner's block in a heap has it. The journals of two durable heaps cannot be
 * written in one step. */
static int check_replaced(struct um_store *store, struct um_block *taken, const struct um_heap *heap,
                          const struct um_owner *owner, struct um_fault *fault)
{
    struct um_heap *present = um_block_heap(store, taken);
    int code = um_heap_check_lock(present, owner, fault);
    if (code == 0 && present != heap && present->durable != NULL && heap->durable != NULL)
        return um_fault(
            fault, UMEM_E_DENIED,
            (struct um_fault){.block = um_block_handle(store, taken),
                              .what = "a block of a durable heap is not replaced by one of another durable "
                                      "heap; free it, or use its heap"});
    return code != 0 ? code : um_block_check(store, taken, fault);
}

/* The name for a block of `owner` in `heap`: that of the block it replaces, if it may, or a copy of the text, if that is valid and free.
 * take_name() it or drop_name() it. */
static int find_name(struct um_store *store, const char *text, struct um_block *replaced,
                     const struct um_heap *heap, const struct um_owner *owner, struct um_name **name,
                     struct um_fault *fault)
{
    int code =
        replaced != NULL ? check_replaced(store, replaced, heap, owner, fault) : um_name_check(text, fault);
    if (code != 0)
        return code;
    if (replaced != NULL) {
        *name = um_extra_of(replaced)->name;
        return 0;
    }
    struct um_name *made = um_names_new(&store->block_names, text);
    if (made == NULL)
        return um_fault(fault, UMEM_E_NO_MEMORY,
                        (struct um_fault){.what = "the system has no memory for the name"});
    struct um_block *taken = bearer_of(store, um_names_find_same(&store->block_names, made));
    if (taken == NULL) {
        *name = made;
        return 0;
    }
    um_names_free(&store->block_names, made);
    return um_fault(
        fault, UMEM_E_NAME_TAKEN,
        (struct um_fault){.block = um_block_handle(store, taken), .what = "another block has this name"});
}

/* Frees a name that was found for a block which there will not be. Another block's stays that one's. */
static void drop_name(struct um_store *store, struct um_name *name)
{
    if (name != NULL && !name->listed)
        um_names_free(&store->block_names, name);
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

/* A block's record, if need be by reclaiming. */
static struct um_block *acquire(struct um_store *store)
{
    for (;;) {
        struct um_block *block = um_slots_acquire(&store->blocks);
        if (block != NULL || !um_reclaim_urgently(store))
            return block;
    }
}

UM_ALWAYS_INLINE void free_block(struct um_store *store, struct um_block *block)
{
    struct um_account *account = um_account_of(store, block);
    um_handle handle = um_block_handle(store, block);
    bool observed = um_block_is_observed(store, block);
    um_handle heap = observed ? um_slot_handle(&account->heap->slot, UM_HANDLE_HEAP) : 0;
    if (account->heap->durable != NULL)
        um_durable_note_free(store, account->heap, handle);
    um_usage_remove(store, account, block);
    um_account_unlink(store, account, block);
    if (account->heap->durable != NULL && !store->blocks.is_restoring)
        um_block_withdraw(store, account->heap->durable, block);
    else
        um_block_dispose(store, account->heap, block);
    if (account->first == UM_SLOT_NONE)
        um_account_free_if_unused(store, account);
    if (observed)
        um_raise_block_freed(store, handle, heap);
}

/* Frees the block whose name another one has taken. */
UM_NEVER_INLINE static void free_bearer(struct um_store *store, struct um_block *block)
{
    free_block(store, block);
}

/* Makes a name that find_name() has found a block's own, in whose extra it is already. The block that had it is freed. */
static void take_name(struct um_store *store, struct um_name *name, const struct um_block *block)
{
    um_handle former = name->handle;
    if (!name->listed) {
        um_names_insert(&store->block_names, name, um_block_handle(store, block));
        return;
    }
    name->handle = um_block_handle(store, block);
    free_bearer(store, um_slots_at(&store->blocks, um_handle_slot(former)));
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
    if (name != NULL)
        um_extra_of(block)->name = name;
    um_account_link(store, account, block);
    um_usage_add(store, account, block);
    if (heap->durable != NULL)
        um_durable_note_block(store, block);
    /* Last, as the account of the block that is freed may end with it. */
    if (name != NULL)
        take_name(store, name, block);
    return block;
fail:
    um_extra_free_if_unused(block);
    um_slots_release(&store->blocks, block);
    return NULL;
}

/* Checks what a new block is asked for with, and makes its name (*name is NULL where it is to have none). */
static int check_new(struct um_store *store, struct um_heap *heap, const struct um_owner *owner,
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
    if (options->name == NULL)
        return 0;
    return find_name(store, options->name, options->replaced, heap, owner, name, fault);
}

/* Whether a block can become the one that replaces it: this is as large and of the same account, and nobody else uses the block's memory
 * or is informed of its end. Large ones are left to heaps that need not clear them. */
static bool can_renew(const struct um_store *store, const struct um_block *block,
                      const struct um_account *account, uint64_t size)
{
    const struct um_block_extra *extra = um_extra_of(block);
    return um_account_of(store, block) == account && block->size == size && size <= RENEWED_SIZE &&
           account->heap->ops->locate == NULL && extra->pin == NULL && extra->resize == NULL &&
           extra->holders == 0 && !extra->maker_released && !um_block_is_observed(store, block);
}

/* Puts a block in the place of one that has its name, account and memory: but for the handle and the bytes nothing changes. Returns false
 * where the record has no handle for it. */
static bool renew(struct um_store *store, struct um_block *block)
{
    if (!um_slot_renew(&block->slot))
        return false;
    um_usage_note_peaks(store, um_block_heap(store, block), block->size);
    um_extra_of(block)->name->handle = um_block_handle(store, block);
    block->created_seconds = store->now_seconds;
    if (block->size != 0)
        memset(um_address_of(block), 0, (size_t)block->size);
    return true;
}

/* Makes a block after that check. It takes `name` over in any case, and `address`, where it is not NULL and the call succeeds,
 * as its memory. UMEM_E_NO_MEMORY, UMEM_E_CORRUPTED. */
static int make_block(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                      const struct um_block_options *options, struct um_name *name, void *address,
                      struct um_block **block, struct um_fault *fault)
{
    int code = um_heap_check_journal(heap, false, fault);
    if (code != 0) {
        drop_name(store, name);
        return code;
    }
    struct um_account *account = um_account_get(store, heap, owner, options->lifetime);
    if (account != NULL && options->replaced != NULL && address == NULL &&
        can_renew(store, options->replaced, account, options->size) && renew(store, options->replaced)) {
        *block = options->replaced;
        return 0;
    }
    struct um_block *made = account != NULL ? make(store, heap, account, options->size, name, address) : NULL;
    if (made != NULL) {
        *block = made;
        return 0;
    }
    drop_name(store, name);
    code = um_block_no_memory(heap, options->size, fault);
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
    int code = check_new(store, heap, owner, options, &name, fault);
    return code != 0 ? code : make_block(store, heap, owner, options, name, NULL, block, fault);
}

/* ---- allocating in steps: memory of a shared heap that has to be committed and cleared, which for a large block takes long ---- */

static void reserve(struct um_store *store, const struct um_alloc *alloc)
{
    alloc->heap->reserved += alloc->options.size;
    store->reserved += alloc->options.size;
}

static void unreserve(struct um_store *store, const struct um_alloc *alloc)
{
    alloc->heap->reserved -= alloc->options.size;
    store->reserved -= alloc->options.size;
}

/* Memory of the heap's for a block of this size has to be prepared in pieces. */
static bool alloc_takes_long(const struct um_store *store, const struct um_heap *heap, uint64_t size)
{
    return heap->ops->reserve != NULL && size > store->cleared_at_once;
}

static int start_alloc(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                       const struct um_block_options *options, struct um_name *name, struct um_alloc **alloc,
                       struct um_fault *fault)
{
    bool is_long = alloc_takes_long(store, heap, options->size);
    struct um_alloc *made = calloc(1, sizeof *made);
    bool is_own = name == NULL || !name->listed;
    if (!is_own) /* the other block may go before this one is made */
        name = um_names_new(&store->block_names, options->name);
    if (made != NULL && (is_own || name != NULL))
        made->address = is_long ? um_block_reserve_memory(store, heap, options->size)
                                : um_block_alloc_memory(store, heap, options->size);
    if (made == NULL || made->address == NULL) {
        free(made);
        um_names_free(&store->block_names, name);
        int code = um_block_no_memory(heap, options->size, fault);
        if (code == UMEM_E_NO_MEMORY)
            um_reclaim_explain(store, fault);
        if (fault != NULL)
            fault->ntstatus = um_block_ntstatus(heap, options->flags);
        return code;
    }
    made->heap = heap;
    made->owner = owner;
    made->options = *options;
    made->options.name = name != NULL ? name->text : NULL;
    made->options.replaced = NULL;
    made->name = name;
    made->prepared = is_long ? 0 : options->size;
    heap->pins++;
    reserve(store, made);
    *alloc = made;
    return 0;
}

int um_alloc_begin(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                   const struct um_block_options *options, struct um_alloc **alloc, struct um_block **block,
                   struct um_fault *fault)
{
    assert(owner != NULL && owner->open);
    um_reclaim_in_call(store);
    struct um_name *name;
    int code = check_new(store, heap, owner, options, &name, fault);
    if (code == 0 && alloc_takes_long(store, heap, options->size))
        return start_alloc(store, heap, owner, options, name, alloc, fault);
    if (code == 0)
        code = make_block(store, heap, owner, options, name, NULL, block, fault);
    if (code == 0)
        *alloc = NULL;
    return code;
}

int um_alloc_reserve(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                     const struct um_block_options *options, struct um_alloc **alloc, struct um_fault *fault)
{
    assert(owner != NULL && owner->open);
    um_reclaim_in_call(store);
    struct um_name *name;
    int code = check_new(store, heap, owner, options, &name, fault);
    return code != 0 ? code : start_alloc(store, heap, owner, options, name, alloc, fault);
}

/* Whether the heap is still there, and prepares more of the memory. */
static int prepare(struct um_store *store, struct um_alloc *alloc, uint64_t budget, struct um_fault *fault)
{
    struct um_heap *heap = alloc->heap;
    uint64_t left = alloc->options.size - alloc->prepared;
    uint64_t size = left < budget ? left : budget;
    assert(alloc->block == NULL);
    if (!um_heap_is_alive(heap))
        return um_fault(
            fault, UMEM_E_STALE_HANDLE,
            (struct um_fault){.heap = um_heap_handle(heap),
                              .what = "the heap was destroyed while memory for the block was prepared"});
    if (size != 0 && !um_block_prepare_memory(store, heap, alloc->address, alloc->prepared, size)) {
        int code = um_block_no_memory(heap, alloc->options.size, fault);
        if (fault != NULL)
            fault->ntstatus = um_block_ntstatus(heap, alloc->options.flags);
        return code;
    }
    alloc->prepared += size;
    return 0;
}

/* Makes the block, if it still may be. */
static int finish_alloc(struct um_store *store, struct um_alloc *alloc, struct um_fault *fault)
{
    struct um_name *name = NULL;
    unreserve(store, alloc);
    int code = check_new(store, alloc->heap, alloc->owner, &alloc->options, &name, fault);
    if (code == 0)
        code = make_block(store, alloc->heap, alloc->owner, &alloc->options, name, alloc->address,
                          &alloc->block, fault);
    if (code == 0)
        alloc->address = NULL;
    else
        reserve(store, alloc);
    return code;
}

int um_alloc_step(struct um_store *store, struct um_alloc *alloc, uint64_t budget, bool *more,
                  struct um_fault *fault)
{
    int code = prepare(store, alloc, budget, fault);
    bool is_last = alloc->prepared == alloc->options.size;
    if (code == 0 && is_last)
        code = finish_alloc(store, alloc, fault);
    alloc->options.replaced = NULL;
    if (code == 0)
        *more = !is_last;
    return code;
}

int um_alloc_prepare(struct um_store *store, struct um_alloc *alloc, uint64_t budget, uint64_t *prepared,
                     struct um_fault *fault)
{
    int code = prepare(store, alloc, budget, fault);
    if (code == 0)
        code = um_heap_check_lock(alloc->heap, alloc->owner, fault);
    if (code == 0)
        *prepared = alloc->prepared;
    return code;
}

int um_alloc_finish(struct um_store *store, struct um_alloc *alloc, struct um_fault *fault)
{
    uint64_t prepared;
    int code = um_alloc_prepare(store, alloc, 0, &prepared, fault);
    if (code != 0)
        return code;
    assert(prepared == alloc->options.size);
    code = finish_alloc(store, alloc, fault);
    alloc->options.replaced = NULL;
    return code;
}

unsigned char *um_alloc_bytes(const struct um_alloc *alloc)
{
    return alloc->address;
}

void um_alloc_set_replaced(struct um_alloc *alloc, struct um_block *replaced)
{
    alloc->options.replaced = replaced;
}

const struct um_block_options *um_alloc_options(const struct um_alloc *alloc)
{
    return &alloc->options;
}

struct um_heap *um_alloc_heap(const struct um_alloc *alloc)
{
    return alloc->heap;
}

struct um_block *um_alloc_block(const struct um_alloc *alloc)
{
    return alloc->block;
}

void um_alloc_end(struct um_store *store, struct um_alloc *alloc)
{
    if (alloc == NULL)
        return;
    struct um_heap *heap = alloc->heap;
    if (alloc->address != NULL) {
        um_block_free_memory(heap, alloc->address, alloc->options.size);
        unreserve(store, alloc);
    }
    um_names_free(&store->block_names, alloc->name);
    free(alloc);
    heap->pins--;
    um_heap_free_if_unused(store, heap);
}

/* ---- a block ---- */

void um_block_free(struct um_store *store, struct um_block *block)
{
    free_block(store, block);
}

bool um_block_wrote(struct um_store *store, struct um_block *block, uint64_t offset, uint64_t size)
{
    const struct um_heap *heap = um_account_of(store, block)->heap;
    bool observed = store->observes_all || heap->observed;
    const struct um_block_extra *extra = um_extra_of(block);
    const struct um_resize *resize;

    if (heap->durable != NULL)
        um_durable_note_bytes(heap->durable);
    if (extra == NULL)
        return observed;
    resize = extra->resize;
    if (resize != NULL && !resize->extends && offset < resize->copied) {
        uint64_t copied = resize->copied - offset;

        memcpy(resize->address + offset, extra->address + offset, (size_t)(size < copied ? size : copied));
    }
    return observed || extra->observed;
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

    if (heap->ops->locate == NULL) {
        facts.what = "only blocks of a heap of kind shared can be mapped";
        return um_fault(fault, UMEM_E_UNSUPPORTED, facts);
    }
    if (um_heap_get_memory_stats(heap, &figures) && figures.corrupted) {
        facts.what = um_block_heap_corrupted;
        return um_fault(fault, UMEM_E_CORRUPTED, facts);
    }
    heap->ops->locate(heap->memory, um_address_of(block), place);
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

uint32_t um_block_count_holders(const struct um_store *store, const struct um_block *block)
{
    return um_block_holders(um_account_of(store, block), block);
}

void um_block_note_bytes(const struct um_store *store, const struct um_block *block, uint64_t bytes)
{
    um_account_of(store, block)->heap->touched_bytes += bytes;
}

/* ---- changing name, lifetime and owner: all that it takes is obtained first, then everything changes at once ---- */

/* What a change comes down to. */
struct change {
    struct um_account *account; /* that the block belongs to now */
    struct um_account *target;  /* that it will belong to */
    struct um_name *name;       /* new name, or NULL */
    struct um_hold *hold;       /* with which the owner so far keeps holding the block; or NULL */
    bool drops_name;            /* the present name is removed */
    bool adopts;                /* the maker holds it from now on */
};

static int get_name(struct um_store *store, const struct um_block *block, const struct um_owner *owner,
                    const struct um_block_changes *changes, struct change *change, struct um_fault *fault)
{
    const char *name = changes->name;
    const struct um_name *present = um_extra_of(block) != NULL ? um_extra_of(block)->name : NULL;
    if (name == NULL || (present != NULL && strcmp(present->text, name) == 0))
        return 0;
    if (name[0] != '\0') {
        int code =
            find_name(store, name, changes->replaced, change->account->heap, owner, &change->name, fault);
        if (code != 0)
            return code;
    }
    change->drops_name = present != NULL;
    return 0;
}

/* Whether the new owner may have so many bytes. */
static int check_owner(const struct um_store *store, const struct um_block *block,
                       const struct um_owner *owner, const struct um_account *account, struct um_fault *fault)
{
    int code = 0;
    if (owner != account->owner)
        code = um_block_check_owner(store, account->heap, owner, block->size, fault);
    if (code != 0 && fault != NULL)
        fault->block = um_block_handle(store, block);
    return code;
}

/* Gets the account that the block will belong to and, if it changes owners, the hold that the first one
 * keeps. */
static bool get_target(struct um_store *store, struct um_block *block, struct um_owner *owner,
                       enum um_lifetime lifetime, struct change *change)
{
    struct um_account *account = change->account;
    bool maker_holds =
        account->owner_open && (um_extra_of(block) == NULL || !um_extra_of(block)->maker_released);
    change->target = account;
    if (owner == account->owner && lifetime == account->lifetime)
        return true;
    if (owner != account->owner && maker_holds) {
        change->hold = um_hold_new(block, account->owner);
        if (change->hold == NULL)
            return false;
    }
    change->target = um_account_get(store, account->heap, owner, lifetime);
    return change->target != NULL;
}

/* Keeps what a durable block was, to undo a change of it. */
static void keep_record(const struct um_store *store, const struct um_block *block,
                        const struct change *change)
{
    const struct um_block_extra *extra = um_extra_of(block);
    const struct um_durable_change kept = {
        .kind = UM_DURABLE_RECORD,
        .handle = um_block_handle(store, block),
        .account = change->account,
        .was_renamed = change->drops_name || change->name != NULL,
        .name = change->drops_name ? extra->name : NULL,
        .was_released = extra != NULL && extra->maker_released,
    };
    change->account->waiting++;
    um_durable_keep(change->account->heap->durable, &kept);
}

static void apply_change(struct um_store *store, struct um_block *block, const struct change *change)
{
    struct um_account *account = change->account;
    struct um_account *target = change->target;
    bool is_kept = account->heap->durable != NULL;
    um_usage_remove(store, account, block);
    if (is_kept)
        keep_record(store, block, change);
    if (change->drops_name && is_kept)
        um_names_remove(&store->block_names, um_extra_of(block)->name);
    else if (change->drops_name)
        um_names_free(&store->block_names, um_extra_of(block)->name);
    if (change->drops_name)
        um_extra_of(block)->name = NULL;
    if (change->name != NULL)
        um_extra_of(block)->name = change->name;
    if (target->owner != account->owner) {
        struct um_hold *former = um_hold_find(store, block, target->owner);
        if (former != NULL)
            um_hold_free(store, former); /* it holds it as the owner now */
        if (change->hold != NULL)
            um_hold_place(store, change->hold);
    }
    if (change->adopts && um_extra_of(block) != NULL)
        um_extra_of(block)->maker_released = false;
    if (target != account) {
        um_account_unlink(store, account, block);
        um_account_link(store, target, block);
    }
    um_usage_add(store, target, block);
    um_extra_free_if_unused(block);
    um_account_free_if_unused(store, account);
    if (is_kept)
        um_durable_note_change(store, block);
    /* Last, as the account of the block that is freed may end with it. */
    if (change->name != NULL)
        take_name(store, change->name, block);
}

int um_block_change(struct um_store *store, struct um_block *block, struct um_owner *owner,
                    const struct um_block_changes *changes, struct um_fault *fault)
{
    const enum um_lifetime *lifetime = changes->lifetime;
    assert(owner != NULL && owner->open);
    struct change change = {.account = um_account_of(store, block)};
    bool is_orphan = um_block_ownership(change.account, block) == UM_OWNERSHIP_NONE;
    bool takes_over = is_orphan || (lifetime != NULL && *lifetime == UM_LIFETIME_SESSION);
    change.adopts = takes_over;

    struct um_owner *target = takes_over ? owner : change.account->owner;

    int code = um_heap_check_journal(change.account->heap, false, fault);
    if (code == 0)
        code = check_owner(store, block, target, change.account, fault);
    if (code == 0)
        code = get_name(store, block, owner, changes, &change, fault);
    if (code != 0)
        return code;
    bool obtained =
        get_target(store, block, target, lifetime != NULL ? *lifetime : change.account->lifetime, &change);
    code = change.hold != NULL ? um_hold_check_quota(store, block, fault) : 0;
    if (code == 0 && obtained && (change.name != NULL || change.hold != NULL))
        obtained = um_extra_get(block) != NULL;
    if (code == 0 && obtained) {
        apply_change(store, block, &change);
        return 0;
    }
    drop_name(store, change.name);
    um_hold_discard(change.hold);
    if (code != 0)
        return code;
    return um_fault(fault, UMEM_E_NO_MEMORY,
                    (struct um_fault){.block = um_block_handle(store, block),
                                      .what = "the system has no memory to note the change"});
}

/* ---- listing ---- */

static bool fits(const struct um_store *store, const struct um_block *block,
                 const struct um_block_filter *filter)
{
    const struct um_account *account = um_account_of(store, block);
    if (!um_account_is_alive(account))
        return false;
    if (filter->heap != NULL && account->heap != filter->heap)
        return false;
    if (filter->owner_id != 0 && account->owner->id != filter->owner_id)
        return false;
    return !filter->orphaned_only || um_block_ownership(account, block) == UM_OWNERSHIP_NONE;
}

struct um_block *um_store_next_block(struct um_store *store, const struct um_block_filter *filter,
                                     um_handle after, size_t *budget, um_handle *next)
{
    *next = 0;
    for (uint32_t slot = um_walk_slot(after); slot < store->blocks.used; slot++) {
        if (*budget == 0) {
            *next = um_walk_place(slot);
            return NULL;
        }
        --*budget;
        struct um_block *block = um_slots_at(&store->blocks, slot);
        if (um_slot_is_live(&block->slot) && fits(store, block, filter))
            return block;
    }
    return NULL;
}
