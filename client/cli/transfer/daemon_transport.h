/*
 * A bare connection to the daemon, for what relays messages or sends those of a file.
 *
 * Owns: nothing. Must not know: what goes through it.
 */
#ifndef CLI_DAEMON_TRANSPORT_H
#define CLI_DAEMON_TRANSPORT_H

#include <stdint.h>

#include "lib/connection/transport.h"

/* As um_transport_open(), to the daemon of the user whom UMEM_SERVER_USER (or --server-user) names, too. */
int cli_transport_open(const char *pipe, uint64_t deadline_ms, struct um_transport **transport,
                       struct um_reason *reason);

#endif
