/* heap.*, blocking. */
#include "asks.h"
#include "client.h"
#include "info.h"
#include "list.h"

int umem_heap_process(umem_client *client, umem_handle *heap)
{
    struct um_ask ask;

    um_ask_heap_process(&ask, heap);
    return um_client_run(client, &ask);
}

int umem_heap_create(umem_client *client, const struct umem_heap_options *options, umem_handle *heap)
{
    struct um_ask ask;

    um_ask_heap_create(&ask, options, heap);
    return um_client_run(client, &ask);
}

int umem_heap_info(umem_client *client, umem_handle heap, struct umem_heap_info *info)
{
    struct um_ask ask;

    um_ask_heap_info(&ask, heap, info);
    return um_client_run(client, &ask);
}

int umem_heap_lookup(umem_client *client, const char *name, umem_handle *heap)
{
    struct um_ask ask;

    um_ask_heap_lookup(&ask, name, heap);
    return um_client_run(client, &ask);
}

int umem_heap_destroy(umem_client *client, umem_handle heap, uint64_t *blocks, uint64_t *bytes)
{
    struct um_ask ask;

    um_ask_heap_destroy(&ask, heap, blocks, bytes);
    return um_client_run(client, &ask);
}

int umem_heap_validate(umem_client *client, umem_handle heap, umem_handle block)
{
    struct um_ask ask;

    um_ask_heap_validate(&ask, heap, block);
    return um_client_run(client, &ask);
}

int umem_heap_compact(umem_client *client, umem_handle heap, uint64_t *largest_free)
{
    struct um_ask ask;

    um_ask_heap_compact(&ask, heap, largest_free);
    return um_client_run(client, &ask);
}

int umem_heap_lock(umem_client *client, umem_handle heap, uint32_t timeout_ms)
{
    struct um_ask ask;

    um_ask_heap_lock(&ask, heap, timeout_ms);
    return um_client_run(client, &ask);
}

int umem_heap_unlock(umem_client *client, umem_handle heap)
{
    struct um_ask ask;

    um_ask_heap_unlock(&ask, heap);
    return um_client_run(client, &ask);
}

/* ---- heap.list ---- */

/* What the caller wants to be called with, as um_list_run() hands it on. */
struct visit {
    umem_heap_visitor *visitor;
    void *context;
};

static int visit_heap(void *context, struct um_json_slice element, const char **bad_member)
{
    const struct visit *visit = context;
    struct umem_heap_info info;

    *bad_member = um_info_read_heap(element, &info);
    return *bad_member == NULL ? visit->visitor(&info, visit->context) : UMEM_OK;
}

int umem_heap_list(umem_client *client, umem_heap_visitor *visitor, void *context)
{
    struct visit visit = {visitor, context};
    struct um_list list = {.method = "heap.list", .member = "heaps", .visit = visit_heap, .context = &visit};

    return um_list_run(client, &list);
}
