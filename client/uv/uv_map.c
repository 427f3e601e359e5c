/* Shared heaps on a loop: the daemon is asked where a block lies, and what it answers is mapped in the loop's thread. */
#include <stdlib.h>

#include "asks.h"
#include "uv_client.h"

int umem_uv_map(umem_uv *client, umem_handle block, void **bytes, uint64_t *size, umem_uv_done *done,
                void *context)
{
    int code;
    struct um_uv_request *request = um_uv_make(client, done, context, &code);

    if (request == NULL)
        return code;
    request->mapping = calloc(1, sizeof *request->mapping);
    if (request->mapping == NULL) {
        free(request);
        return um_uv_fail(client, UMEM_E_OUT_OF_MEMORY, "there is no memory for the call");
    }
    request->mapping->bytes = bytes;
    request->mapping->size = size;
    um_ask_block_map(&request->ask, block, &request->mapping->place);
    return um_uv_send(client, request);
}

int um_uv_map_answered(struct um_uv_request *request, struct um_reason *reason)
{
    struct um_uv_mapping *mapping = request->mapping;
    int code = um_mapped_map(&request->client->mapped, &mapping->place, mapping->bytes, reason);

    if (code == UMEM_OK && mapping->size != NULL)
        *mapping->size = mapping->place.size;
    return code;
}

int umem_uv_unmap(umem_uv *client, void *bytes)
{
    int code = um_mapped_unmap(&client->mapped, bytes);

    if (code != UMEM_OK)
        return um_uv_fail(client, code, "nothing is mapped at this address");
    return um_uv_succeed(client);
}
