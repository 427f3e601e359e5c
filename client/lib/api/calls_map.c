/* umem_map() and umem_unmap(): blocks of shared heaps as this process's memory. */
#include "lib/connection/client.h"
#include "lib/request/requests.h"

int umem_map(umem_client *client, umem_handle block, void **bytes, uint64_t *size)
{
    struct um_reason reason = {""};
    struct um_block_location location;
    struct um_request request;
    int code;

    um_request_block_map(&request, block, &location);
    if (bytes == NULL)
        um_request_refuse(&request, "there is no place for the pointer to the bytes");
    code = um_client_call(client, &request);
    if (code != UMEM_OK)
        return code;
    um_mutex_lock(client->lock);
    code = um_mapped_heap_use(&client->mapped, &location, bytes, &reason);
    um_mutex_unlock(client->lock);
    if (code != UMEM_OK)
        return um_failure_set_text(client, code, "%s",
                                   reason.text[0] != '\0' ? reason.text : umem_error_text(code));
    if (size != NULL)
        *size = location.size;
    return UMEM_OK;
}

int umem_unmap(umem_client *client, void *bytes)
{
    int code;

    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    um_mutex_lock(client->lock);
    code = um_mapped_heap_release(&client->mapped, bytes);
    um_mutex_unlock(client->lock);
    if (code != UMEM_OK)
        return um_failure_set_text(client, code, "nothing is mapped at this address");
    return um_failure_set(client, UMEM_OK, NULL);
}
