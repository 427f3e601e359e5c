/* heap.* */
#include "info.h"
#include "list.h"
#include "request.h"

int umem_heap_process(umem_client *client, umem_handle *heap)
{
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = um_request_simple(client, "heap.process");
    if (code == UMEM_OK)
        code = um_result_uint64(client, "heap", heap);
    return code;
}

static int check_options(umem_client *client, const struct umem_heap_options *options)
{
    int code = UMEM_OK;

    if (options->name != NULL)
        code = um_client_check_name(client, options->name);
    if (code == UMEM_OK)
        code = um_client_check_size(client, "initial_size", options->initial_size);
    if (code == UMEM_OK)
        code = um_client_check_size(client, "maximum_size", options->maximum_size);
    return code;
}

static void write_size(struct um_buf *out, const char *key, uint64_t size)
{
    if (size == 0)
        return;
    um_json_key(out, key);
    um_json_uint(out, size);
}

int umem_heap_create(umem_client *client, const struct umem_heap_options *options, umem_handle *heap)
{
    static const struct umem_heap_options defaults = {.lifetime = UMEM_LIFETIME_SERVER};
    struct um_buf *out;
    int code = um_client_begin(client);

    if (options == NULL)
        options = &defaults;
    if (code == UMEM_OK)
        code = check_options(client, options);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "heap.create");
    um_info_write_flags(out, options->flags);
    write_size(out, "initial_size", options->initial_size);
    write_size(out, "maximum_size", options->maximum_size);
    write_size(out, "alignment", options->alignment);
    if (options->name != NULL) {
        um_json_key(out, "name");
        um_json_cstring(out, options->name);
    }
    um_info_write_lifetime(out, options->lifetime);
    code = um_request_end(client);
    if (code == UMEM_OK)
        code = um_result_uint64(client, "heap", heap);
    return code;
}

/* ---- heap.info ---- */

static int read_info(umem_client *client, struct umem_heap_info *info)
{
    struct umem_heap_info read;
    const char *bad_member;

    if (!um_info_read_heap(client->answer.result, &read, &bad_member))
        return um_request_bad_result(client, bad_member);
    *info = read;
    return UMEM_OK;
}

int umem_heap_info(umem_client *client, umem_handle heap, struct umem_heap_info *info)
{
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code == UMEM_OK && heap != UMEM_PROCESS_HEAP)
        code = um_client_check_handle(client, "heap", heap);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "heap.info");
    um_json_key(out, "heap");
    if (heap == UMEM_PROCESS_HEAP)
        um_json_cstring(out, "process");
    else
        um_json_uint(out, heap);
    code = um_request_end(client);
    if (code == UMEM_OK)
        code = read_info(client, info);
    return code;
}

int umem_heap_find(umem_client *client, const char *name, umem_handle *heap)
{
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = um_client_check_name(client, name);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "heap.info");
    um_json_key(out, "heap");
    um_json_cstring(out, name);
    code = um_request_end(client);
    if (code == UMEM_OK)
        code = um_result_uint64(client, "heap", heap);
    return code;
}

int umem_heap_destroy(umem_client *client, umem_handle heap, uint64_t *blocks, uint64_t *bytes)
{
    uint64_t block_count = 0;
    uint64_t byte_count = 0;
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = um_client_check_handle(client, "heap", heap);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "heap.destroy");
    um_json_key(out, "heap");
    um_json_uint(out, heap);
    code = um_request_end(client);
    if (code == UMEM_OK)
        code = um_result_uint64(client, "blocks", &block_count);
    if (code == UMEM_OK)
        code = um_result_uint64(client, "bytes", &byte_count);
    if (code != UMEM_OK)
        return code;
    if (blocks != NULL)
        *blocks = block_count;
    if (bytes != NULL)
        *bytes = byte_count;
    return UMEM_OK;
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

    if (!um_info_read_heap(element, &info, bad_member))
        return UMEM_OK;
    return visit->visitor(&info, visit->context);
}

int umem_heap_list(umem_client *client, umem_heap_visitor *visitor, void *context)
{
    struct visit visit = {visitor, context};
    struct um_list list = {.method = "heap.list", .member = "heaps", .visit = visit_heap, .context = &visit};

    return um_list_run(client, &list);
}
