/* block.*, but for those that carry bytes and numbers: calls_data.c and calls_values.c. */
#include "info.h"
#include "list.h"
#include "request.h"

/* ---- block.alloc ---- */

static int check_options(umem_client *client, const struct umem_block_options *options)
{
    int code = UMEM_OK;

    if (options->heap != UMEM_PROCESS_HEAP)
        code = um_client_check_handle(client, "heap", options->heap);
    if (code == UMEM_OK && options->name != NULL)
        code = um_client_check_name(client, options->name);
    return code;
}

static void write_options(struct um_buf *out, const struct umem_block_options *options)
{
    if (options->heap != UMEM_PROCESS_HEAP) {
        um_json_key(out, "heap");
        um_json_uint(out, options->heap);
    }
    um_info_write_flags(out, options->flags);
    if (options->name != NULL) {
        um_json_key(out, "name");
        um_json_cstring(out, options->name);
    }
    um_info_write_lifetime(out, options->lifetime);
}

int umem_block_alloc(umem_client *client, uint64_t size, const struct umem_block_options *options,
                     umem_handle *block)
{
    static const struct umem_block_options defaults = {.heap = UMEM_PROCESS_HEAP};
    struct um_buf *out;
    int code = um_client_begin(client);

    if (options == NULL)
        options = &defaults;
    if (code == UMEM_OK)
        code = um_client_check_size(client, "size", size);
    if (code == UMEM_OK)
        code = check_options(client, options);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "block.alloc");
    um_json_key(out, "size");
    um_json_uint(out, size);
    write_options(out, options);
    code = um_request_end(client);
    if (code == UMEM_OK)
        code = um_result_uint64(client, "block", block);
    return code;
}

/* ---- block.info ---- */

static int read_info(umem_client *client, struct umem_block_info *info)
{
    struct umem_block_info read;
    const char *bad_member;

    if (!um_info_read_block(client->answer.result, &read, &bad_member))
        return um_request_bad_result(client, bad_member);
    *info = read;
    return UMEM_OK;
}

int umem_block_info(umem_client *client, umem_handle block, struct umem_block_info *info)
{
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = um_client_check_handle(client, "block", block);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "block.info");
    um_json_key(out, "block");
    um_json_uint(out, block);
    code = um_request_end(client);
    if (code == UMEM_OK)
        code = read_info(client, info);
    return code;
}

int umem_block_find(umem_client *client, const char *name, umem_handle *block)
{
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = um_client_check_name(client, name);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "block.info");
    um_json_key(out, "block");
    um_json_cstring(out, name);
    code = um_request_end(client);
    if (code == UMEM_OK)
        code = um_result_uint64(client, "block", block);
    return code;
}

/* ---- block.list ---- */

/* What the caller asked for, as um_list_run() hands it on. */
struct visit {
    const struct umem_block_filter *filter; /* NULL: all blocks */
    umem_block_visitor *visitor;
    void *context;
};

static void write_filter(void *context, struct um_buf *out)
{
    const struct umem_block_filter *filter = ((const struct visit *)context)->filter;

    if (filter == NULL)
        return;
    if (filter->heap != 0) {
        um_json_key(out, "heap");
        um_json_uint(out, filter->heap);
    }
    if (filter->session != 0) {
        um_json_key(out, "session");
        um_json_uint(out, filter->session);
    }
    if (filter->orphaned_only) {
        um_json_key(out, "orphaned");
        um_json_bool(out, true);
    }
}

static int visit_block(void *context, struct um_json_slice element, const char **bad_member)
{
    const struct visit *visit = context;
    struct umem_block_info info;

    if (!um_info_read_block(element, &info, bad_member))
        return UMEM_OK;
    return visit->visitor(&info, visit->context);
}

int umem_block_list(umem_client *client, const struct umem_block_filter *filter, umem_block_visitor *visitor,
                    void *context)
{
    struct visit visit = {filter, visitor, context};
    struct um_list list = {.method = "block.list",
                           .member = "blocks",
                           .write = write_filter,
                           .visit = visit_block,
                           .context = &visit};
    int code = um_client_begin(client);

    if (code == UMEM_OK && filter != NULL && filter->heap != 0)
        code = um_client_check_handle(client, "heap", filter->heap);
    if (code == UMEM_OK && filter != NULL)
        code = um_client_check_size(client, "session", filter->session);
    return code == UMEM_OK ? um_list_run(client, &list) : code;
}

/* ---- block.copy and block.free ---- */

static int check_copy(umem_client *client, umem_handle source, uint64_t source_offset, umem_handle target,
                      uint64_t target_offset, uint64_t size)
{
    int code = um_client_check_handle(client, "source", source);

    if (code == UMEM_OK)
        code = um_client_check_handle(client, "target", target);
    if (code == UMEM_OK)
        code = um_client_check_size(client, "source_offset", source_offset);
    if (code == UMEM_OK)
        code = um_client_check_size(client, "target_offset", target_offset);
    if (code == UMEM_OK && size != UMEM_TO_END)
        code = um_client_check_size(client, "size", size);
    return code;
}

int umem_block_copy(umem_client *client, umem_handle source, uint64_t source_offset, umem_handle target,
                    uint64_t target_offset, uint64_t size)
{
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = check_copy(client, source, source_offset, target, target_offset, size);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "block.copy");
    um_json_key(out, "source");
    um_json_uint(out, source);
    um_json_key(out, "target");
    um_json_uint(out, target);
    um_json_key(out, "source_offset");
    um_json_uint(out, source_offset);
    um_json_key(out, "target_offset");
    um_json_uint(out, target_offset);
    if (size != UMEM_TO_END) {
        um_json_key(out, "size");
        um_json_uint(out, size);
    }
    return um_request_end(client);
}

int umem_block_free(umem_client *client, umem_handle block)
{
    struct um_buf *out;
    int code = um_client_begin(client);

    if (code == UMEM_OK)
        code = um_client_check_handle(client, "block", block);
    if (code != UMEM_OK)
        return code;
    out = um_request_begin(client, "block.free");
    um_json_key(out, "block");
    um_json_uint(out, block);
    return um_request_end(client);
}
