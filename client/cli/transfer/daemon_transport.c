#include "cli/transfer/daemon_transport.h"

#include <stdio.h>

#include "base/umem_errors.h"
#include "wire/endpoint.h"

int cli_transport_open(const char *pipe, uint64_t deadline_ms, struct um_transport **transport,
                       struct um_reason *reason)
{
    char server_user[UM_PRINCIPAL_NAME_SIZE];
    const char *what = "";
    int code = um_endpoint_find_server_user(NULL, server_user, &what);

    if (code != UMEM_OK) {
        snprintf(reason->text, sizeof reason->text, "%s", what);
        return code;
    }
    return um_transport_open(pipe, server_user, 0, deadline_ms, transport, reason);
}
