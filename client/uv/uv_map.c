/* Shared heaps on a loop: the daemon is asked where a block lies, and what it answers is mapped in the loop's thread. */
#include <stdlib.h>

#include "lib/request/requests.h"
#include "uv/uv_client.h"

int umem_uv_map(umem_uv *client, umem_handle block, void **bytes, uint64_t *size, umem_uv_done *done,
                void *context)
{
    int code;
    struct um_uv_call *call = um_uv_call_new(client, done, context, &code);

    if (call == NULL)
        return code;
    call->mapping = calloc(1, sizeof *call->mapping);
    if (call->mapping == NULL) {
        free(call);
        return um_uv_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    }
    call->mapping->bytes = bytes;
    call->mapping->size = size;
    um_request_block_map(&call->request, block, &call->mapping->place);
    return um_uv_call_send(client, call);
}

int um_uv_map_answered(struct um_uv_call *call, struct um_reason *reason)
{
    struct um_uv_mapping *mapping = call->mapping;
    int code = um_mapped_heap_use(&call->client->mapped, &mapping->place, mapping->bytes, reason);

    if (code == UMEM_OK && mapping->size != NULL)
        *mapping->size = mapping->place.size;
    return code;
}

int umem_uv_unmap(umem_uv *client, void *bytes)
{
    int code = um_mapped_heap_release(&client->mapped, bytes);

    if (code != UMEM_OK)
        return um_uv_fail(client, code, "nothing is mapped at this address");
    return um_uv_succeed(client);
}
