/* Allocating in steps: memory of a shared heap that has to be got and cleared, which for a large block takes long. */
#include "store/records/store_internal.h"

#include <assert.h>
#include <stdlib.h>

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

static int start(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                 const struct um_block_options *options, struct um_name *name, struct um_alloc **alloc,
                 struct um_fault *fault)
{
    struct um_alloc *made = calloc(1, sizeof *made);
    if (made != NULL)
        made->address = um_block_reserve_memory(store, heap, options->size);
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
    made->name = name;
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
    bool is_long = heap->backend->reserve != NULL && options->size > store->cleared_at_once;
    int code = um_block_check_new(store, heap, owner, options, &name, fault);
    if (code == 0 && is_long)
        return start(store, heap, owner, options, name, alloc, fault);
    if (code == 0)
        code = um_block_make(store, heap, owner, options, name, NULL, block, fault);
    if (code == 0)
        *alloc = NULL;
    return code;
}

/* Makes the block, if it still may be. */
static int finish(struct um_store *store, struct um_alloc *alloc, struct um_fault *fault)
{
    struct um_name *name = NULL;
    unreserve(store, alloc);
    int code = um_block_check_new(store, alloc->heap, alloc->owner, &alloc->options, &name, fault);
    if (code == 0)
        code = um_block_make(store, alloc->heap, alloc->owner, &alloc->options, name, alloc->address,
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
    struct um_heap *heap = alloc->heap;
    uint64_t left = alloc->options.size - alloc->prepared;
    uint64_t size = left < budget ? left : budget;
    assert(alloc->block == NULL);
    if (!um_heap_is_alive(heap))
        return um_fault(
            fault, UMEM_E_STALE_HANDLE,
            (struct um_fault){.heap = um_heap_handle(heap),
                              .what = "the heap was destroyed while memory for the block was got"});
    if (!um_block_prepare_memory(store, heap, alloc->address, alloc->prepared, size)) {
        int code = um_block_no_memory(heap, alloc->options.size, fault);
        if (fault != NULL)
            fault->ntstatus = um_block_ntstatus(heap, alloc->options.flags);
        return code;
    }
    alloc->prepared += size;
    if (size == left) {
        int code = finish(store, alloc, fault);
        if (code != 0)
            return code;
    }
    *more = size < left;
    return 0;
}

unsigned char *um_alloc_bytes(const struct um_alloc *alloc)
{
    return alloc->address;
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
