/* heap.* */
#include "asks.h"
#include "info.h"

/* Where the process heap must be named. */
static void param_heap(struct um_ask *ask, umem_handle heap)
{
    if (heap == UMEM_PROCESS_HEAP)
        um_param_word(ask, "heap", "process");
    else
        um_param_handle(ask, "heap", heap);
}

static void begin(struct um_ask *ask, const char *method, umem_handle heap)
{
    um_ask_begin(ask, method);
    param_heap(ask, heap);
}

void um_ask_heap_process(struct um_ask *ask, umem_handle *heap)
{
    um_ask_begin(ask, "heap.process");
    um_want_uint(ask, "heap", heap);
}

void um_ask_heap_create(struct um_ask *ask, const struct umem_heap_options *options, umem_handle *heap)
{
    static const struct umem_heap_options defaults = {.lifetime = UMEM_LIFETIME_SERVER};

    if (options == NULL)
        options = &defaults;
    um_ask_begin(ask, "heap.create");
    if (options->kind == UMEM_HEAP_SHARED)
        um_param_word(ask, "kind", "shared");
    um_param_flags(ask, options->flags);
    um_param_size_unless(ask, "initial_size", options->initial_size, 0);
    um_param_size_unless(ask, "maximum_size", options->maximum_size, 0);
    um_param_size_unless(ask, "alignment", options->alignment, 0);
    if (options->name != NULL)
        um_param_name(ask, "name", options->name);
    um_param_lifetime(ask, options->lifetime);
    um_want_uint(ask, "heap", heap);
}

void um_ask_heap_info(struct um_ask *ask, umem_handle heap, struct umem_heap_info *info)
{
    begin(ask, "heap.info", heap);
    um_want_result(ask, um_info_read_heap, info);
}

void um_ask_heap_lookup(struct um_ask *ask, const char *name, umem_handle *heap)
{
    um_ask_begin(ask, "heap.info");
    if (name == NULL)
        um_ask_refuse(ask, "the heap's name is missing");
    else
        um_param_by_name(ask, "heap", name);
    um_want_uint(ask, "heap", heap);
}

void um_ask_heap_destroy(struct um_ask *ask, umem_handle heap, uint64_t *blocks, uint64_t *bytes)
{
    um_ask_begin(ask, "heap.destroy");
    um_param_handle(ask, "heap", heap);
    um_want_uint(ask, "blocks", blocks);
    um_want_uint(ask, "bytes", bytes);
}

void um_ask_heap_validate(struct um_ask *ask, umem_handle heap, umem_handle block)
{
    begin(ask, "heap.validate", heap);
    if (block != 0)
        um_param_handle(ask, "block", block);
}

void um_ask_heap_compact(struct um_ask *ask, umem_handle heap, uint64_t *largest_free)
{
    begin(ask, "heap.compact", heap);
    um_want_uint(ask, "largest_free", largest_free);
}

void um_ask_heap_lock(struct um_ask *ask, umem_handle heap, uint32_t timeout_ms)
{
    begin(ask, "heap.lock", heap);
    if (timeout_ms != 0)
        um_param_timeout(ask, timeout_ms);
    /* Left out, it would mean not to wait at all. */
    if (timeout_ms == UMEM_FOREVER)
        um_param_size(ask, "timeout_ms", UMEM_SIZE_MAX);
    ask->waits = true;
    ask->keeps_lock = true;
}

void um_ask_heap_unlock(struct um_ask *ask, umem_handle heap)
{
    begin(ask, "heap.unlock", heap);
}
