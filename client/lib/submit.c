/* Submitting the calls that make, change and end heaps and blocks, and any method by its name. */
#include "asks.h"
#include "pipeline.h"

int umem_submit_heap_create(umem_calls *calls, const struct umem_heap_options *options, umem_handle *heap)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_create(ask, options, heap);
    return um_calls_end(calls, ask);
}

int umem_submit_heap_info(umem_calls *calls, umem_handle heap, struct umem_heap_info *info)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_info(ask, heap, info);
    return um_calls_end(calls, ask);
}

int umem_submit_heap_lookup(umem_calls *calls, const char *name, umem_handle *heap)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_lookup(ask, name, heap);
    return um_calls_end(calls, ask);
}

int umem_submit_heap_destroy(umem_calls *calls, umem_handle heap, uint64_t *blocks, uint64_t *bytes)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_destroy(ask, heap, blocks, bytes);
    return um_calls_end(calls, ask);
}

int umem_submit_heap_validate(umem_calls *calls, umem_handle heap, umem_handle block)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_validate(ask, heap, block);
    return um_calls_end(calls, ask);
}

int umem_submit_heap_compact(umem_calls *calls, umem_handle heap, uint64_t *largest_free)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_compact(ask, heap, largest_free);
    return um_calls_end(calls, ask);
}

int umem_submit_heap_lock(umem_calls *calls, umem_handle heap, uint32_t timeout_ms)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_lock(ask, heap, timeout_ms);
    return um_calls_end(calls, ask);
}

int umem_submit_heap_unlock(umem_calls *calls, umem_handle heap)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_heap_unlock(ask, heap);
    return um_calls_end(calls, ask);
}

int umem_submit_block_alloc(umem_calls *calls, uint64_t size, const struct umem_block_options *options,
                            umem_handle *block)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_alloc(ask, size, options, block);
    return um_calls_end(calls, ask);
}

int umem_submit_block_resize(umem_calls *calls, umem_handle block, uint64_t size, uint32_t flags)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_resize(ask, block, size, flags);
    return um_calls_end(calls, ask);
}

int umem_submit_block_info(umem_calls *calls, umem_handle block, struct umem_block_info *info)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_info(ask, block, info);
    return um_calls_end(calls, ask);
}

int umem_submit_block_lookup(umem_calls *calls, const char *name, umem_handle *block)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_lookup(ask, name, block);
    return um_calls_end(calls, ask);
}

int umem_submit_block_change(umem_calls *calls, umem_handle block, const char *name,
                             const enum umem_lifetime *lifetime, struct umem_block_info *info)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_change(ask, block, name, lifetime, info);
    return um_calls_end(calls, ask);
}

int umem_submit_block_hold(umem_calls *calls, umem_handle block, uint64_t *holders)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_hold(ask, block, holders);
    return um_calls_end(calls, ask);
}

int umem_submit_block_release(umem_calls *calls, umem_handle block, uint64_t *holders)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_release(ask, block, holders);
    return um_calls_end(calls, ask);
}

int umem_submit_block_free(umem_calls *calls, umem_handle block)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_free(ask, block, false);
    return um_calls_end(calls, ask);
}

int umem_submit_block_wake(umem_calls *calls, umem_handle block, uint64_t offset, uint64_t size)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_block_wake(ask, block, offset, size);
    return um_calls_end(calls, ask);
}

int umem_submit_call(umem_calls *calls, const char *method, const char *params_json, char **result_json)
{
    int code;
    struct um_ask *ask = um_calls_begin(calls, &code);

    if (ask == NULL)
        return code;
    um_ask_begin_raw(ask, method, params_json);
    if (result_json != NULL)
        um_want_text(ask, result_json);
    return um_calls_end(calls, ask);
}
