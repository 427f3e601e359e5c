#include "store/records/block_resize.h"

#include <stdlib.h>
#include <string.h>

#include "store/records/accounts.h"
#include "store/records/block_extra.h"
#include "store/records/block_memory.h"
#include "store/records/blocks.h"
#include "store/records/durable_notes.h"
#include "store/records/fault.h"
#include "store/records/reclaim.h"
#include "store/records/unused.h"

/* Bytes that can be prepared in the time that it takes to copy one. */
enum { PREPARED_FOR_COPIED = 16 };

static uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static bool is_pinned(const struct um_block *block)
{
    const struct um_block_extra *extra = um_extra_of(block);
    return extra != NULL && extra->pin != NULL;
}

static bool stays_in_place(const struct um_heap *heap, uint32_t flags)
{
    return ((heap->flags | flags) & UM_FLAG_REALLOC_IN_PLACE_ONLY) != 0;
}

static int check_growth(struct um_store *store, const struct um_heap *heap, const struct um_block *block,
                        uint64_t size, struct um_fault *fault)
{
    const struct um_owner *owner = um_account_of(store, block)->owner;
    /* A block that is pinned moves, and what it had counts until the pin is released. */
    bool moves = is_pinned(block) && size != block->size;
    int code = 0;
    if (size <= block->size && !moves)
        return 0;
    do {
        if (size > block->size)
            code = um_block_check_bytes(store, heap, owner, size - block->size, fault);
        if (code == 0 && moves)
            code = um_block_check_total(store, heap, size, fault);
    } while (code != 0 && um_ends_are_pending(store) && um_reclaim_urgently(store));
    return code;
}

static int no_memory(const struct um_heap *heap, const struct um_block *block, uint64_t size,
                     struct um_fault *fault)
{
    int code = um_block_no_memory(heap, size, fault); /* a move needs memory for all of it */

    if (fault != NULL)
        fault->asked = size > block->size ? size - block->size : 0;
    return code;
}

static const char not_in_place[] = "the block cannot be resized where it is; leave realloc_in_place_only out";

/* Adds to the facts of a failure whose it is. */
static void explain(const struct um_store *store, const struct um_heap *heap, const struct um_block *block,
                    uint32_t flags, struct um_fault *fault)
{
    if (fault == NULL)
        return;
    fault->block = um_block_handle(store, block);
    fault->ntstatus = um_block_ntstatus(heap, flags);
}

/* Notes the size of a block whose memory has it already, and was elsewhere before, or there. check_note() has noted a durable one that is
 * smaller where it is. */
static void note_size(struct um_store *store, struct um_block *block, uint64_t size, void *former)
{
    struct um_account *account = um_account_of(store, block);
    uint64_t former_size = block->size;
    um_resize_cancel(block);
    um_usage_remove(store, account, block);
    block->size = size;
    um_usage_add(store, account, block);
    um_extra_free_if_unused(block);
    if (account->heap->durable != NULL && (size > former_size || um_address_of(block) != former))
        um_durable_note_place(store, block, former, former_size);
}

/* Gives a block other memory. The old is its pin's from then on, or freed. */
static void put_memory(struct um_heap *heap, struct um_block *block, void *address)
{
    if (is_pinned(block))
        um_pin_detach(um_extra_of(block)->pin);
    else
        um_block_free_memory(heap, um_address_of(block), block->size);
    um_block_set_address(block, address);
}

static bool resize_by_moving(struct um_store *store, struct um_heap *heap, struct um_block *block,
                             uint64_t size)
{
    void *address = um_block_alloc_memory(store, heap, size);
    if (address == NULL)
        return false;
    memcpy(address, um_address_of(block), (size_t)smaller(size, block->size));
    put_memory(heap, block, address);
    return true;
}

static bool resize_memory(struct um_store *store, struct um_heap *heap, struct um_block *block, uint64_t size,
                          bool in_place_only)
{
    if (is_pinned(block))
        return !in_place_only && resize_by_moving(store, heap, block, size);
    for (;;) {
        void *address = um_address_of(block);
        if (heap->durable != NULL && store->wipes && size < block->size)
            heap->ops->wipe(heap->memory, (unsigned char *)address + size, block->size - size);
        /* A durable block's old memory is freed when its new place is noted. */
        if (heap->durable != NULL)
            return heap->ops->resize(heap->memory, &address, block->size, size, heap->alignment, true) ||
                   (!in_place_only && resize_by_moving(store, heap, block, size));
        bool done =
            heap->ops->resize(heap->memory, &address, block->size, size, heap->alignment, in_place_only);
        if (done)
            um_block_set_address(block, address);
        if (done || in_place_only || !um_reclaim_urgently(store))
            return done;
    }
}

/* Whether a durable block's new size can be noted. A smaller one is noted before the rest is free, unless the block moves: shrinking it
 * where it is cannot fail. */
static int check_note(struct um_store *store, struct um_heap *heap, struct um_block *block, uint64_t size,
                      struct um_fault *fault)
{
    if (heap->durable != NULL && size < block->size && !is_pinned(block))
        return um_durable_shrink(store, block, size, fault);
    return um_heap_check_journal(heap, false, fault);
}

int um_block_resize(struct um_store *store, struct um_block *block, uint64_t size, uint32_t flags,
                    struct um_fault *fault)
{
    struct um_heap *heap = um_block_heap(store, block);
    bool in_place_only = stays_in_place(heap, flags);
    int code = um_flags_check(flags, fault);
    if (code != 0 || size == block->size)
        return code;
    um_reclaim_in_call(store);
    code = check_growth(store, heap, block, size, fault);
    if (code == 0)
        code = check_note(store, heap, block, size, fault);
    if (code == 0) {
        void *former = um_address_of(block);
        if (resize_memory(store, heap, block, size, in_place_only)) {
            note_size(store, block, size, former);
            return 0;
        }
        code = no_memory(heap, block, size, fault);
        if (fault != NULL && in_place_only)
            fault->what = not_in_place;
    }
    explain(store, heap, block, flags, fault);
    return code;
}

/* ---- in steps ---- */

/* Whether a block grows by so much memory that it is prepared in steps. */
static bool is_cleared_in_steps(const struct um_store *store, const struct um_heap *heap,
                                const struct um_block *block, uint64_t size)
{
    return heap->ops->prepare != NULL && size > block->size && size - block->size > store->grown_at_once;
}

/* Whether um_block_resize() copies and clears little or nothing. */
static bool is_short(const struct um_store *store, const struct um_heap *heap, const struct um_block *block,
                     uint64_t size, uint32_t flags)
{
    const struct um_heap_ops *ops = heap->ops;
    if (size != block->size && is_cleared_in_steps(store, heap, block, size))
        return false;
    if (size == block->size || stays_in_place(heap, flags))
        return true;
    if (smaller(size, block->size) <= store->copied_at_once)
        return true;
    return !is_pinned(block) && ops->moves_uncopied != NULL &&
           ops->moves_uncopied(block->size, size, heap->alignment);
}

/* Notes that the block is being resized, the first bytes being there already. */
static void begin_at(struct um_store *store, struct um_block *block, struct um_resize *resize, uint64_t done)
{
    um_extra_of(block)->resize = resize;
    resize->block = block;
    resize->copied = done;
    resize->reserved = resize->size > block->size ? resize->size - block->size : 0;
    resize->heap->reserved += resize->reserved;
    store->reserved += resize->reserved;
}

/* Allocates the memory to move to, and a place beside the block. */
static bool get_target(struct um_store *store, struct um_block *block, struct um_resize *resize)
{
    struct um_block_extra *extra = um_extra_get(block);
    if (extra == NULL)
        return false;
    if (resize->heap->ops->reserve != NULL)
        resize->address = um_block_reserve_memory(store, resize->heap, resize->size);
    else
        resize->address = um_block_alloc_memory(store, resize->heap, resize->size);
    if (resize->address == NULL) {
        um_extra_free_if_unused(block);
        return false;
    }
    begin_at(store, block, resize, 0);
    return true;
}

/* Takes what lies behind the block, to be prepared in steps. */
static bool extend(struct um_store *store, struct um_block *block, struct um_resize *resize)
{
    const struct um_heap *heap = resize->heap;
    struct um_block_extra *extra = is_pinned(block) ? NULL : um_extra_get(block);
    if (extra == NULL)
        return false;
    if (!heap->ops->extend(heap->memory, extra->address, block->size, resize->size)) {
        um_extra_free_if_unused(block);
        return false;
    }
    resize->address = extra->address;
    resize->extends = true;
    resize->extended_from = block->size;
    begin_at(store, block, resize, block->size);
    return true;
}

/* Resizes where the block is or begins to move it, whichever works; where it grows by much that has to be cleared, it is moved, or
 * else extended where it is. */
static bool resize_or_move(struct um_store *store, struct um_heap *heap, struct um_block *block,
                           struct um_resize *resize, bool *done)
{
    if (is_cleared_in_steps(store, heap, block, resize->size))
        return (!stays_in_place(heap, resize->flags) && get_target(store, block, resize)) ||
               extend(store, block, resize);
    void *former = um_address_of(block);
    *done = resize_memory(store, heap, block, resize->size, true);
    if (*done)
        note_size(store, block, resize->size, former);
    return *done || get_target(store, block, resize);
}

/* Resizes where that can be done without copying much, else begins to move the block; does nothing while
 * another resize is moving it. */
static int start(struct um_store *store, struct um_block *block, struct um_resize *resize, bool *done,
                 struct um_fault *fault)
{
    struct um_heap *heap = resize->heap;
    *done = is_short(store, heap, block, resize->size, resize->flags);
    if (*done)
        return um_block_resize(store, block, resize->size, resize->flags, fault);
    if (um_extra_of(block) != NULL && um_extra_of(block)->resize != NULL)
        return 0;
    um_reclaim_in_call(store);
    int code = check_growth(store, heap, block, resize->size, fault);
    if (code == 0)
        code = check_note(store, heap, block, resize->size, fault);
    if (code == 0 && !resize_or_move(store, heap, block, resize, done)) {
        code = no_memory(heap, block, resize->size, fault);
        if (fault != NULL && stays_in_place(heap, resize->flags))
            fault->what = not_in_place;
    }
    if (code != 0)
        explain(store, heap, block, resize->flags, fault);
    return code;
}

int um_resize_begin(struct um_store *store, struct um_block *block, uint64_t size, uint32_t flags,
                    struct um_resize **resize, struct um_fault *fault)
{
    struct um_heap *heap = um_block_heap(store, block);
    struct um_resize *made = NULL;
    bool done = is_short(store, heap, block, size, flags);
    int code = um_flags_check(flags, fault);
    if (code != 0)
        return code;
    if (done) {
        code = um_block_resize(store, block, size, flags, fault);
    } else {
        made = calloc(1, sizeof *made);
        if (made == NULL)
            return no_memory(heap, block, size, fault);
        made->store = store;
        made->heap = heap;
        made->handle = um_block_handle(store, block);
        made->size = size;
        made->flags = flags;
        heap->pins++;
        code = start(store, block, made, &done, fault);
        if (code != 0 || done) {
            um_resize_end(store, made);
            made = NULL;
        }
    }
    if (code == 0)
        *resize = made;
    return code;
}

/* Copies up to `budget` bytes. Where the new memory has to be prepared, that is done as it goes, and past the block's end in
 * pieces as large as the system's pages allow. Returns false where there is no memory. */
static bool move_some(struct um_resize *resize, const struct um_block *block, uint64_t budget, bool *done)
{
    struct um_heap *heap = resize->heap;
    bool is_prepared = heap->ops->prepare == NULL;
    uint64_t common = smaller(block->size, resize->size);
    uint64_t at = resize->copied;
    uint64_t left = (is_prepared ? common : resize->size) - at;
    uint64_t size;
    if (at < common)
        left = smaller(left, common - at);
    size = smaller(left, at < common ? budget : budget * PREPARED_FOR_COPIED);
    if (!is_prepared && !um_block_prepare_memory(resize->store, heap, resize->address, at, size))
        return false;
    if (at < common)
        memcpy(resize->address + at, um_address_of(block) + at, (size_t)size);
    resize->copied += size;
    *done = resize->copied == (is_prepared ? common : resize->size);
    return true;
}

/* Puts the block where it was moved to, if it still may have so many bytes: its owner may have allocated others meanwhile, or the
 * block another owner. */
static int finish(struct um_store *store, struct um_resize *resize, struct um_block *block,
                  struct um_fault *fault)
{
    unsigned char *address = resize->address;
    void *former = um_address_of(block);
    bool extends = resize->extends;
    um_resize_unreserve(resize);
    int code = check_growth(store, resize->heap, block, resize->size, fault);
    if (code == 0)
        code = um_heap_check_journal(resize->heap, false, fault);
    if (code != 0) {
        explain(store, resize->heap, block, resize->flags, fault);
        return code;
    }
    resize->address = NULL;
    resize->extends = false;
    if (!extends)
        put_memory(resize->heap, block, address);
    note_size(store, block, resize->size, former);
    return 0;
}

int um_resize_step(struct um_store *store, struct um_resize *resize, uint64_t budget, bool *more,
                   struct um_fault *fault)
{
    struct um_block *block;
    bool done = false;
    int code = um_store_find_block(store, resize->handle, &block, fault);
    if (code == 0 && resize->block == NULL)
        code = start(store, block, resize, &done, fault);
    if (code != 0)
        return code;
    if (resize->block != NULL) {
        if (!move_some(resize, block, budget, &done)) {
            code = no_memory(resize->heap, block, resize->size, fault);
            explain(store, resize->heap, block, resize->flags, fault);
            return code;
        }
        if (done)
            code = finish(store, resize, block, fault);
    }
    if (code == 0)
        *more = !done;
    return code;
}

void um_resize_end(struct um_store *store, struct um_resize *resize)
{
    if (resize == NULL)
        return;
    struct um_heap *heap = resize->heap;
    struct um_block *block = resize->block;
    if (block != NULL) {
        um_resize_cancel(block);
        um_extra_free_if_unused(block);
    }
    free(resize);
    heap->pins--;
    um_heap_free_if_unused(store, heap);
}
