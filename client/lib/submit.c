/* The calls that can be submitted. */
#include "asks.h"
#include "pipeline.h"

int umem_submit_block_alloc(umem_calls *calls, uint64_t size, const struct umem_block_options *options,
                            umem_handle *block)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_alloc(ask, size, options, block);
    return um_calls_end(calls, ask);
}

int umem_submit_block_read(umem_calls *calls, umem_handle block, uint64_t offset, void *bytes, size_t size)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_read(ask, block, offset, bytes, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_write(umem_calls *calls, umem_handle block, uint64_t offset, const void *bytes,
                            size_t size)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_write(ask, block, offset, bytes, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_get(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          void *values, size_t count)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_get(ask, block, offset, type, values, count);
    return um_calls_end(calls, ask);
}

int umem_submit_block_set(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *values, size_t count)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_set(ask, block, offset, type, values, count);
    return um_calls_end(calls, ask);
}

int umem_submit_block_fill(umem_calls *calls, umem_handle block, uint64_t offset, uint8_t value,
                           uint64_t size)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_fill(ask, block, offset, value, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_copy(umem_calls *calls, umem_handle source, uint64_t source_offset, umem_handle target,
                           uint64_t target_offset, uint64_t size)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_copy(ask, source, source_offset, target, target_offset, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_add(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *value, void *before, void *after)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_add(ask, block, offset, type, value, before, after);
    return um_calls_end(calls, ask);
}

int umem_submit_block_exchange(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                               const void *value, const void *expected, void *before, bool *exchanged)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_exchange(ask, block, offset, type, value, expected, before, exchanged);
    return um_calls_end(calls, ask);
}

int umem_submit_block_free(umem_calls *calls, umem_handle block)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_block_free(ask, block, false);
    return um_calls_end(calls, ask);
}

int umem_submit_call(umem_calls *calls, const char *method, const char *params_json, char **result_json)
{
    struct um_ask *ask = um_calls_begin(calls);

    if (ask == NULL)
        return um_calls_refuse(calls);
    um_ask_begin_raw(ask, method, params_json);
    if (result_json != NULL)
        um_want_text(ask, result_json);
    return um_calls_end(calls, ask);
}
