/* block.*, but for the bytes of blocks: ask_data.c. */
#include "asks.h"
#include "info.h"

void um_ask_block_alloc(struct um_ask *ask, uint64_t size, const struct umem_block_options *options,
                        umem_handle *block)
{
    static const struct umem_block_options defaults = {.heap = UMEM_PROCESS_HEAP};

    if (options == NULL)
        options = &defaults;
    um_ask_begin(ask, "block.alloc");
    um_param_size(ask, "size", size);
    um_param_heap_or_default(ask, "heap", options->heap);
    um_param_flags(ask, options->flags);
    if (options->name != NULL)
        um_param_name(ask, "name", options->name);
    um_param_lifetime(ask, options->lifetime);
    um_want_uint(ask, "block", block);
}

static void begin(struct um_ask *ask, const char *method, umem_handle block)
{
    um_ask_begin(ask, method);
    um_param_handle(ask, "block", block);
}

void um_ask_block_resize(struct um_ask *ask, umem_handle block, uint64_t size, uint32_t flags)
{
    begin(ask, "block.resize", block);
    um_param_size(ask, "size", size);
    um_param_flags(ask, flags);
}

void um_ask_block_info(struct um_ask *ask, umem_handle block, struct umem_block_info *info)
{
    begin(ask, "block.info", block);
    um_want_result(ask, um_info_read_block, info);
}

void um_ask_block_lookup(struct um_ask *ask, const char *name, umem_handle *block)
{
    um_ask_begin(ask, "block.info");
    if (name == NULL)
        um_ask_refuse(ask, "the block's name is missing");
    else
        um_param_by_name(ask, "block", name);
    um_want_uint(ask, "block", block);
}

void um_ask_block_at(struct um_ask *ask, uint64_t address, umem_handle *block)
{
    um_ask_begin(ask, "block.at");
    um_param_size(ask, "address", address);
    um_want_uint(ask, "block", block);
}

void um_ask_block_change(struct um_ask *ask, umem_handle block, const char *name,
                         const enum umem_lifetime *lifetime, struct umem_block_info *info)
{
    begin(ask, "block.change", block);
    if (name != NULL)
        um_param_name(ask, "name", name);
    if (lifetime != NULL)
        um_param_word(ask, "lifetime", *lifetime == UMEM_LIFETIME_SESSION ? "session" : "server");
    if (info != NULL)
        um_want_result(ask, um_info_read_block, info);
}

void um_ask_block_hold(struct um_ask *ask, umem_handle block, uint64_t *holders)
{
    begin(ask, "block.hold", block);
    um_want_uint(ask, "holders", holders);
}

void um_ask_block_release(struct um_ask *ask, umem_handle block, uint64_t *holders)
{
    begin(ask, "block.release", block);
    um_want_uint(ask, "holders", holders);
}

void um_ask_block_free(struct um_ask *ask, umem_handle block, bool if_orphaned)
{
    begin(ask, "block.free", block);
    if (if_orphaned)
        um_param_true(ask, "if_orphaned");
}

/* ---- mapped blocks ---- */

static const char *read_place(struct um_json_slice result, void *target)
{
    struct um_place *place = target;

    if (!um_json_to_text(um_json_member(result, "name"), place->name, sizeof place->name))
        return "name";
    if (!um_json_to_uint64(um_json_member(result, "offset"), &place->offset))
        return "offset";
    return um_json_to_uint64(um_json_member(result, "size"), &place->size) ? NULL : "size";
}

void um_ask_block_map(struct um_ask *ask, umem_handle block, struct um_place *place)
{
    begin(ask, "block.map", block);
    um_want_result(ask, read_place, place);
}

void um_ask_block_wake(struct um_ask *ask, umem_handle block, uint64_t offset, uint64_t size)
{
    begin(ask, "block.wake", block);
    um_param_size_unless(ask, "offset", offset, 0);
    um_param_size_unless(ask, "size", size, UMEM_TO_END);
}
