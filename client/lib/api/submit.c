/* Submitting the calls that make, change and end heaps and blocks, and any method by its name. */
#include "lib/api/pipeline.h"
#include "lib/request/requests.h"

int umem_submit_heap_create(umem_calls *calls, const struct umem_heap_options *options, umem_handle *heap)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_create(request, options, heap);
    return um_calls_end(calls, request);
}

int umem_submit_heap_info(umem_calls *calls, umem_handle heap, struct umem_heap_info *info)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_info(request, heap, info);
    return um_calls_end(calls, request);
}

int umem_submit_heap_lookup(umem_calls *calls, const char *name, umem_handle *heap)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_lookup(request, name, heap);
    return um_calls_end(calls, request);
}

int umem_submit_heap_destroy(umem_calls *calls, umem_handle heap, uint64_t *blocks, uint64_t *bytes)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_destroy(request, heap, blocks, bytes);
    return um_calls_end(calls, request);
}

int umem_submit_heap_validate(umem_calls *calls, umem_handle heap, umem_handle block)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_validate(request, heap, block);
    return um_calls_end(calls, request);
}

int umem_submit_heap_compact(umem_calls *calls, umem_handle heap, uint64_t *largest_free)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_compact(request, heap, largest_free);
    return um_calls_end(calls, request);
}

int umem_submit_heap_lock(umem_calls *calls, umem_handle heap, uint32_t timeout_ms)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_lock(request, heap, timeout_ms);
    return um_calls_end(calls, request);
}

int umem_submit_heap_unlock(umem_calls *calls, umem_handle heap)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_heap_unlock(request, heap);
    return um_calls_end(calls, request);
}

int umem_submit_block_alloc(umem_calls *calls, uint64_t size, const struct umem_block_options *options,
                            umem_handle *block)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_alloc(request, size, options, block);
    return um_calls_end(calls, request);
}

int umem_submit_block_resize(umem_calls *calls, umem_handle block, uint64_t size, uint32_t flags)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_resize(request, block, size, flags);
    return um_calls_end(calls, request);
}

int umem_submit_block_info(umem_calls *calls, umem_handle block, struct umem_block_info *info)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_info(request, block, info);
    return um_calls_end(calls, request);
}

int umem_submit_block_lookup(umem_calls *calls, const char *name, umem_handle *block)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_lookup(request, name, block);
    return um_calls_end(calls, request);
}

int umem_submit_block_change(umem_calls *calls, umem_handle block, const char *name,
                             const enum umem_lifetime *lifetime, struct umem_block_info *info)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_change(request, block, name, lifetime, info);
    return um_calls_end(calls, request);
}

int umem_submit_block_hold(umem_calls *calls, umem_handle block, uint64_t *holders)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_hold(request, block, holders);
    return um_calls_end(calls, request);
}

int umem_submit_block_release(umem_calls *calls, umem_handle block, uint64_t *holders)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_release(request, block, holders);
    return um_calls_end(calls, request);
}

int umem_submit_block_free(umem_calls *calls, umem_handle block)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_free(request, block, false);
    return um_calls_end(calls, request);
}

int umem_submit_block_wake(umem_calls *calls, umem_handle block, uint64_t offset, uint64_t size)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_block_wake(request, block, offset, size);
    return um_calls_end(calls, request);
}

int umem_submit_call(umem_calls *calls, const char *method, const char *params_json, char **result_json)
{
    int code;
    struct um_request *request = um_calls_begin(calls, &code);

    if (request == NULL)
        return code;
    um_request_begin_raw(request, method, params_json);
    if (result_json != NULL)
        um_output_text(request, result_json);
    return um_calls_end(calls, request);
}
