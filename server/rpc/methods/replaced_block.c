#include "rpc/methods/replaced_block.h"

#include "rpc/methods/methods.h"

bool um_replaced_check(struct um_call *call, const struct um_arg *name, enum um_if_exists if_exists)
{
    return if_exists == UM_IF_EXISTS_FAIL || name->given ||
           um_args_refuse(call, "name", "is missing: if_exists is about the block that has it");
}

struct um_block *um_replaced_find(const struct um_call *call, const char *name, const struct um_block *taker)
{
    struct um_block *found = NULL;

    (void)um_store_find_block_by_name(call->store, name, &found, NULL);
    return found != taker ? found : NULL;
}

um_handle um_replaced_handle(const struct um_call *call, const struct um_block *block)
{
    return block != NULL ? um_block_handle(call->store, block) : 0;
}

uint64_t um_block_end_cost(const struct um_call *call, const struct um_block *block)
{
    uint64_t holders = um_block_count_holders(call->store, block);
    uint64_t size = um_block_size(block);
    uint64_t holds = holders > 1 ? holders * UM_HOLD_COST : 0;
    uint64_t cleared = size < UM_CALL_ATOMIC_SIZE ? size : UM_CALL_ATOMIC_SIZE;

    return call->session->rpc->wipe ? holds + cleared : holds;
}
