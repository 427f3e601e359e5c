/* umem_map(), umem_unmap() and umem_block_wake(). */
#include "asks.h"
#include "client.h"

int umem_map(umem_client *client, umem_handle block, void **bytes, uint64_t *size)
{
    struct um_reason reason = {""};
    struct um_place place;
    struct um_ask ask;
    int code;

    um_ask_block_map(&ask, block, &place);
    code = um_client_run(client, &ask);
    if (code != UMEM_OK)
        return code;
    um_lock_enter(client->lock);
    code = um_mapped_map(&client->mapped, &place, bytes, &reason);
    um_lock_leave(client->lock);
    if (code != UMEM_OK)
        return um_failure_show_text(client, code, "%s",
                                    reason.text[0] != '\0' ? reason.text : umem_error_text(code));
    if (size != NULL)
        *size = place.size;
    return UMEM_OK;
}

int umem_unmap(umem_client *client, void *bytes)
{
    int code;

    if (client == NULL)
        return UMEM_E_OUT_OF_MEMORY;
    um_lock_enter(client->lock);
    code = um_mapped_unmap(&client->mapped, bytes);
    um_lock_leave(client->lock);
    if (code != UMEM_OK)
        return um_failure_show_text(client, code, "nothing is mapped at this address");
    return um_failure_show(client, UMEM_OK, NULL);
}

int umem_block_wake(umem_client *client, umem_handle block, uint64_t offset, uint64_t size)
{
    struct um_ask ask;

    um_ask_block_wake(&ask, block, offset, size);
    return um_client_run(client, &ask);
}
