/* heap.* */
#include "lib/request/info.h"
#include "lib/request/requests.h"

/* Where the process heap must be named. */
static void param_heap(struct um_request *request, umem_handle heap)
{
    if (heap == UMEM_PROCESS_HEAP)
        um_param_word(request, "heap", "process");
    else
        um_param_handle(request, "heap", heap);
}

static void begin(struct um_request *request, const char *method, umem_handle heap)
{
    um_request_begin(request, method);
    param_heap(request, heap);
}

void um_request_heap_process(struct um_request *request, umem_handle *heap)
{
    um_request_begin(request, "heap.process");
    um_output_uint(request, "heap", heap);
}

void um_request_heap_create(struct um_request *request, const struct umem_heap_options *options,
                            umem_handle *heap)
{
    static const struct umem_heap_options defaults = {.lifetime = UMEM_LIFETIME_SERVER};

    if (options == NULL)
        options = &defaults;
    um_request_begin(request, "heap.create");
    if (options->kind == UMEM_HEAP_SHARED)
        um_param_word(request, "kind", "shared");
    um_param_flags(request, options->flags);
    um_param_size_unless(request, "initial_size", options->initial_size, 0);
    um_param_size_unless(request, "maximum_size", options->maximum_size, 0);
    um_param_size_unless(request, "alignment", options->alignment, 0);
    if (options->name != NULL)
        um_param_name(request, "name", options->name);
    um_param_lifetime(request, options->lifetime);
    um_output_uint(request, "heap", heap);
}

void um_request_heap_info(struct um_request *request, umem_handle heap, struct umem_heap_info *info)
{
    begin(request, "heap.info", heap);
    um_output_result(request, um_info_read_heap, info);
}

void um_request_heap_lookup(struct um_request *request, const char *name, umem_handle *heap)
{
    um_request_begin(request, "heap.info");
    if (name == NULL)
        um_request_refuse(request, "the heap's name is missing");
    else
        um_param_by_name(request, "heap", name);
    um_output_uint(request, "heap", heap);
}

void um_request_heap_destroy(struct um_request *request, umem_handle heap, uint64_t *blocks, uint64_t *bytes)
{
    um_request_begin(request, "heap.destroy");
    um_param_handle(request, "heap", heap);
    um_output_uint(request, "blocks", blocks);
    um_output_uint(request, "bytes", bytes);
}

void um_request_heap_validate(struct um_request *request, umem_handle heap, umem_handle block)
{
    begin(request, "heap.validate", heap);
    if (block != 0)
        um_param_handle(request, "block", block);
}

void um_request_heap_compact(struct um_request *request, umem_handle heap, uint64_t *largest_free)
{
    begin(request, "heap.compact", heap);
    um_output_uint(request, "largest_free", largest_free);
}

void um_request_heap_lock(struct um_request *request, umem_handle heap, uint32_t timeout_ms)
{
    begin(request, "heap.lock", heap);
    if (timeout_ms != 0)
        um_param_timeout(request, timeout_ms);
    /* Left out, it would mean not to wait at all. */
    if (timeout_ms == UMEM_FOREVER)
        um_param_size(request, "timeout_ms", UMEM_SIZE_MAX);
    request->waits = true;
    request->keeps_lock = true;
}

void um_request_heap_unlock(struct um_request *request, umem_handle heap)
{
    begin(request, "heap.unlock", heap);
}
