/* heap.*, blocking. */
#include "lib/api/paged_list.h"
#include "lib/connection/client.h"
#include "lib/request/info.h"
#include "lib/request/requests.h"

int umem_heap_process(umem_client *client, umem_handle *heap)
{
    struct um_request request;

    um_request_heap_process(&request, heap);
    return um_client_call(client, &request);
}

int umem_heap_create(umem_client *client, const struct umem_heap_options *options, umem_handle *heap)
{
    struct um_request request;

    um_request_heap_create(&request, options, heap);
    return um_client_call(client, &request);
}

int umem_heap_info(umem_client *client, umem_handle heap, struct umem_heap_info *info)
{
    struct um_request request;

    um_request_heap_info(&request, heap, info);
    return um_client_call(client, &request);
}

int umem_heap_lookup(umem_client *client, const char *name, umem_handle *heap)
{
    struct um_request request;

    um_request_heap_lookup(&request, name, heap);
    return um_client_call(client, &request);
}

int umem_heap_destroy(umem_client *client, umem_handle heap, uint64_t *blocks, uint64_t *bytes)
{
    struct um_request request;

    um_request_heap_destroy(&request, heap, blocks, bytes);
    return um_client_call(client, &request);
}

int umem_heap_validate(umem_client *client, umem_handle heap, umem_handle block)
{
    struct um_request request;

    um_request_heap_validate(&request, heap, block);
    return um_client_call(client, &request);
}

int umem_heap_compact(umem_client *client, umem_handle heap, uint64_t *largest_free)
{
    struct um_request request;

    um_request_heap_compact(&request, heap, largest_free);
    return um_client_call(client, &request);
}

int umem_heap_lock(umem_client *client, umem_handle heap, uint32_t timeout_ms)
{
    struct um_request request;

    um_request_heap_lock(&request, heap, timeout_ms);
    return um_client_call(client, &request);
}

int umem_heap_unlock(umem_client *client, umem_handle heap)
{
    struct um_request request;

    um_request_heap_unlock(&request, heap);
    return um_client_call(client, &request);
}

/* ---- heap.list ---- */

/* What the caller wants to be called with, as um_paged_list_visit() hands it on. */
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
    struct um_paged_list list = {
        .method = "heap.list", .member = "heaps", .visit = visit_heap, .context = &visit};

    return um_paged_list_visit(client, &list);
}
