#include "rpc/call/range_ref.h"

#include "rpc/call/call.h"

struct um_range_ref um_range_ref_of(const struct um_call *call, const struct um_range *range)
{
    return (struct um_range_ref){um_block_handle(um_call_store(call), range->block), range->offset,
                                 range->size};
}

int um_range_ref_find(const struct um_call *call, const struct um_range_ref *ref, struct um_block **block,
                      struct um_fault *fault)
{
    struct um_store *store = um_call_store(call);
    struct um_block *found = NULL;
    int code = um_store_find_block(store, ref->block, &found, fault);

    if (code == UMEM_OK)
        code = um_heap_check_lock(um_block_heap(store, found), call->session->owner, fault);
    if (code != UMEM_OK)
        return code;
    if (um_block_size(found) < ref->offset + ref->size) {
        *fault = (struct um_fault){.block = ref->block,
                                   .what = "the block was made smaller while the call was at work on it"};
        return UMEM_E_OUT_OF_RANGE;
    }
    *block = found;
    return UMEM_OK;
}
