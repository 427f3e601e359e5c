/* What both systems' transports have in common. */
#include "lib/connection/transport.h"

#include "umem_errors.h"

int um_transport_write(struct um_transport *transport, const struct um_slice *slices, size_t count,
                       uint64_t deadline_ms, struct um_reason *reason)
{
    struct um_slice left[UM_TRANSPORT_SLICES];
    size_t done = 0;

    for (size_t i = 0; i < count && i < UM_TRANSPORT_SLICES; i++)
        left[i] = slices[i];
    for (;;) {
        bool readable = false;
        int code;

        count = um_transport_advance(left, count, done);
        if (count == 0)
            return UMEM_OK;
        code = um_transport_write_some(transport, left, count, &done, &readable, deadline_ms, reason);
        if (code != UMEM_OK)
            return code == UMEM_E_NOT_CONNECTED ? UMEM_E_CONNECTION_LOST : code;
    }
}
