/* Submitting the calls that carry or look at bytes. */
#include "lib/api/pipeline.h"
#include "lib/request/requests.h"

struct um_request *um_calls_begin(umem_calls *calls, int *code)
{
    *code = UMEM_E_OUT_OF_MEMORY;
    return calls != NULL ? calls->ops->begin(calls, code) : NULL;
}

int um_calls_end(umem_calls *calls, struct um_request *request)
{
    return calls->ops->end(calls, request);
}

int umem_submit_block_read(umem_calls *calls, umem_handle block, uint64_t offset, void *bytes, size_t size)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_read(request, block, offset, bytes, size);
    return um_calls_end(calls, request);
}

int umem_submit_block_write(umem_calls *calls, umem_handle block, uint64_t offset, const void *bytes,
                            size_t size)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_write(request, block, offset, bytes, size);
    return um_calls_end(calls, request);
}

int umem_submit_block_get(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          void *values, size_t count)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_get(request, block, offset, type, values, count);
    return um_calls_end(calls, request);
}

int umem_submit_block_set(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *values, size_t count)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_set(request, block, offset, type, values, count);
    return um_calls_end(calls, request);
}

int umem_submit_block_fill(umem_calls *calls, umem_handle block, uint64_t offset, uint8_t value,
                           uint64_t size)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_fill(request, block, offset, value, size);
    return um_calls_end(calls, request);
}

int umem_submit_block_copy(umem_calls *calls, umem_handle source, uint64_t source_offset, umem_handle target,
                           uint64_t target_offset, uint64_t size)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_copy(request, source, source_offset, target, target_offset, size);
    return um_calls_end(calls, request);
}

int umem_submit_block_compare(umem_calls *calls, umem_handle left, uint64_t left_offset, umem_handle right,
                              uint64_t right_offset, uint64_t size, uint64_t *difference)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_compare(request, left, left_offset, right, right_offset, size, difference);
    return um_calls_end(calls, request);
}

int umem_submit_block_find(umem_calls *calls, umem_handle block, uint64_t offset, const void *bytes,
                           size_t size, uint64_t *found)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_find(request, block, offset, bytes, size, found);
    return um_calls_end(calls, request);
}

int umem_submit_block_add(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                          const void *value, void *before, void *after)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_add(request, block, offset, type, value, before, after);
    return um_calls_end(calls, request);
}

int umem_submit_block_exchange(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                               const void *value, const void *expected, void *before, bool *exchanged)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_exchange(request, block, offset, type, value, expected, before, exchanged);
    return um_calls_end(calls, request);
}

int umem_submit_block_wait(umem_calls *calls, umem_handle block, uint64_t offset, enum umem_type type,
                           const void *value, uint32_t timeout_ms, void *now)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_wait(request, block, offset, type, value, timeout_ms, now);
    return um_calls_end(calls, request);
}
