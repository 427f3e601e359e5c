/* block.*, blocking, but for the bytes of blocks: calls_data.c. */
#include "lib/api/paged_list.h"
#include "lib/connection/client.h"
#include "lib/request/info.h"
#include "lib/request/requests.h"

int umem_block_alloc(umem_client *client, uint64_t size, const struct umem_block_options *options,
                     umem_handle *block)
{
    struct um_request request;

    um_request_block_alloc(&request, size, options, block);
    return um_client_call(client, &request);
}

int umem_block_resize(umem_client *client, umem_handle block, uint64_t size, uint32_t flags)
{
    struct um_request request;

    um_request_block_resize(&request, block, size, flags);
    return um_client_call(client, &request);
}

int umem_block_info(umem_client *client, umem_handle block, struct umem_block_info *info)
{
    struct um_request request;

    um_request_block_info(&request, block, info);
    return um_client_call(client, &request);
}

int umem_block_lookup(umem_client *client, const char *name, umem_handle *block)
{
    struct um_request request;

    um_request_block_lookup(&request, name, block);
    return um_client_call(client, &request);
}

int umem_block_at(umem_client *client, uint64_t address, umem_handle *block)
{
    struct um_request request;

    um_request_block_at(&request, address, block);
    return um_client_call(client, &request);
}

int umem_block_change(umem_client *client, umem_handle block, const char *name,
                      const enum umem_lifetime *lifetime, struct umem_block_info *info)
{
    struct um_request request;

    um_request_block_change(&request, block, name, lifetime, info);
    return um_client_call(client, &request);
}

int umem_block_hold(umem_client *client, umem_handle block, uint64_t *holders)
{
    struct um_request request;

    um_request_block_hold(&request, block, holders);
    return um_client_call(client, &request);
}

int umem_block_release(umem_client *client, umem_handle block, uint64_t *holders)
{
    struct um_request request;

    um_request_block_release(&request, block, holders);
    return um_client_call(client, &request);
}

int umem_block_free(umem_client *client, umem_handle block)
{
    struct um_request request;

    um_request_block_free(&request, block, false);
    return um_client_call(client, &request);
}

int umem_block_free_orphan(umem_client *client, umem_handle block)
{
    struct um_request request;

    um_request_block_free(&request, block, true);
    return um_client_call(client, &request);
}

/* ---- block.list ---- */

/* What the caller asked for, as um_paged_list_visit() hands it on. */
struct visit {
    const struct umem_block_filter *filter; /* NULL: all blocks */
    umem_block_visitor *visitor;
    void *context;
};

static void add_filter(void *context, struct um_request *request)
{
    const struct umem_block_filter *filter = ((const struct visit *)context)->filter;

    if (filter == NULL)
        return;
    um_param_heap_or_default(request, "heap", filter->heap);
    um_param_size_unless(request, "session", filter->session, 0);
    if (filter->orphaned_only)
        um_param_true(request, "orphaned");
}

static int visit_block(void *context, struct um_json_slice element, const char **bad_member)
{
    const struct visit *visit = context;
    struct umem_block_info info;

    *bad_member = um_info_read_block(element, &info);
    return *bad_member == NULL ? visit->visitor(&info, visit->context) : UMEM_OK;
}

int umem_block_list(umem_client *client, const struct umem_block_filter *filter, umem_block_visitor *visitor,
                    void *context)
{
    struct visit visit = {filter, visitor, context};
    struct um_paged_list list = {.method = "block.list",
                                 .member = "blocks",
                                 .add = add_filter,
                                 .visit = visit_block,
                                 .context = &visit};

    return um_paged_list_visit(client, &list);
}
