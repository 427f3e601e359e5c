/* Submitting the calls that carry or look at bytes. */
#include "asks.h"
#include "pipeline.h"

struct um_ask *um_calls_begin(umem_calls *calls, int *code)
{
    *code = UMEM_E_OUT_OF_MEMORY;
    return calls != NULL ? calls->way->begin(calls, code) : NULL;
}

int um_calls_end(umem_calls *calls, struct um_ask *ask)
{
    return calls->way->end(calls, ask);
}

int umem_submit_block_read(umem_calls *calls, umem_handle block, uint64_t offset, void *bytes, size_t size)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_read(ask, block, offset, bytes, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_write(umem_calls *calls, umem_handle block, uint64_t offset, const void *bytes,
                            size_t size)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_write(ask, block, offset, bytes, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_get(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          void *values, size_t count)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_get(ask, block, offset, type, values, count);
    return um_calls_end(calls, ask);
}

int umem_submit_block_set(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *values, size_t count)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_set(ask, block, offset, type, values, count);
    return um_calls_end(calls, ask);
}

int umem_submit_block_fill(umem_calls *calls, umem_handle block, uint64_t offset, uint8_t value,
                           uint64_t size)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_fill(ask, block, offset, value, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_copy(umem_calls *calls, umem_handle source, uint64_t source_offset, umem_handle target,
                           uint64_t target_offset, uint64_t size)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_copy(ask, source, source_offset, target, target_offset, size);
    return um_calls_end(calls, ask);
}

int umem_submit_block_compare(umem_calls *calls, umem_handle left, uint64_t left_offset, umem_handle right,
                              uint64_t right_offset, uint64_t size, uint64_t *difference)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_compare(ask, left, left_offset, right, right_offset, size, difference);
    return um_calls_end(calls, ask);
}

int umem_submit_block_find(umem_calls *calls, umem_handle block, uint64_t offset, const void *bytes,
                           size_t size, uint64_t *found)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_find(ask, block, offset, bytes, size, found);
    return um_calls_end(calls, ask);
}

int umem_submit_block_add(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *value, void *before, void *after)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_add(ask, block, offset, type, value, before, after);
    return um_calls_end(calls, ask);
}

int umem_submit_block_exchange(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                               const void *value, const void *expected, void *before, bool *exchanged)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_exchange(ask, block, offset, type, value, expected, before, exchanged);
    return um_calls_end(calls, ask);
}

int umem_submit_block_wait(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                           const void *value, uint32_t timeout_ms, void *now)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_wait(ask, block, offset, type, value, timeout_ms, now);
    return um_calls_end(calls, ask);
}
