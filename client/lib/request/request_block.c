/* block.*, but for the bytes of blocks: request_data.c. */
#include "lib/request/info.h"
#include "lib/request/requests.h"

void um_request_block_alloc(struct um_request *request, uint64_t size,
                            const struct umem_block_options *options, umem_handle *block)
{
    static const struct umem_block_options defaults = {.heap = UMEM_PROCESS_HEAP};

    if (options == NULL)
        options = &defaults;
    um_request_begin(request, "block.alloc");
    um_param_size(request, "size", size);
    um_param_heap_or_default(request, "heap", options->heap);
    um_param_flags(request, options->flags);
    if (options->name != NULL)
        um_param_name(request, "name", options->name);
    um_param_lifetime(request, options->lifetime);
    um_output_uint(request, "block", block);
}

static void begin(struct um_request *request, const char *method, umem_handle block)
{
    um_request_begin(request, method);
    um_param_handle(request, "block", block);
}

void um_request_block_resize(struct um_request *request, umem_handle block, uint64_t size, uint32_t flags)
{
    begin(request, "block.resize", block);
    um_param_size(request, "size", size);
    um_param_flags(request, flags);
}

void um_request_block_info(struct um_request *request, umem_handle block, struct umem_block_info *info)
{
    begin(request, "block.info", block);
    um_output_result(request, um_info_read_block, info);
}

void um_request_block_lookup(struct um_request *request, const char *name, umem_handle *block)
{
    um_request_begin(request, "block.info");
    if (name == NULL)
        um_request_refuse(request, "the block's name is missing");
    else
        um_param_by_name(request, "block", name);
    um_output_uint(request, "block", block);
}

void um_request_block_at(struct um_request *request, uint64_t address, umem_handle *block)
{
    um_request_begin(request, "block.at");
    um_param_size(request, "address", address);
    um_output_uint(request, "block", block);
}

void um_request_block_change(struct um_request *request, umem_handle block, const char *name,
                             const enum umem_lifetime *lifetime, struct umem_block_info *info)
{
    begin(request, "block.change", block);
    if (name != NULL)
        um_param_name(request, "name", name);
    if (lifetime != NULL)
        um_param_word(request, "lifetime", *lifetime == UMEM_LIFETIME_SESSION ? "session" : "server");
    if (info != NULL)
        um_output_result(request, um_info_read_block, info);
}

void um_request_block_hold(struct um_request *request, umem_handle block, uint64_t *holders)
{
    begin(request, "block.hold", block);
    um_output_uint(request, "holders", holders);
}

void um_request_block_release(struct um_request *request, umem_handle block, uint64_t *holders)
{
    begin(request, "block.release", block);
    um_output_uint(request, "holders", holders);
}

void um_request_block_free(struct um_request *request, umem_handle block, bool if_orphaned)
{
    begin(request, "block.free", block);
    if (if_orphaned)
        um_param_true(request, "if_orphaned");
}

/* ---- mapped blocks ---- */

static const char *read_place(struct um_json_slice result, void *target)
{
    struct um_block_location *place = target;

    if (!um_json_to_text(um_json_member(result, "name"), place->name, sizeof place->name))
        return "name";
    if (!um_json_to_uint64(um_json_member(result, "offset"), &place->offset))
        return "offset";
    return um_json_to_uint64(um_json_member(result, "size"), &place->size) ? NULL : "size";
}

void um_request_block_map(struct um_request *request, umem_handle block, struct um_block_location *place)
{
    begin(request, "block.map", block);
    um_output_result(request, read_place, place);
}

void um_request_block_wake(struct um_request *request, umem_handle block, uint64_t offset, uint64_t size)
{
    begin(request, "block.wake", block);
    um_param_size_unless(request, "offset", offset, 0);
    um_param_size_unless(request, "size", size, UMEM_TO_END);
}
