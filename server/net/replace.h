/*
 * umemd --replace: the daemon that runs hands its pipe over and ends, and this process goes on with it.
 *
 * Owns: the request, and what its answers mean. Must not know: how handles travel (listener/hand_over.h does), the loop.
 */
#ifndef UM_REPLACE_H
#define UM_REPLACE_H

#include <stddef.h>

#include "net/listener/hand_over.h"

/* Asks the daemon at a pipe (as um_endpoint_find() gives it) to hand it over, and waits until that daemon has closed its state.
 * Clients that connect meanwhile wait. The new daemon will let those in who are allowed. *handed is for um_server_options, with a count of 0 where no daemon runs. Otherwise
 * UMEM_E_NAME_TAKEN (another daemon is doing the same), UMEM_E_DENIED, UMEM_E_UNSUPPORTED, UMEM_E_TIMEOUT, UMEM_E_NO_MEMORY, and `why` holds a sentence without a full stop: the daemon
 * goes on, unless that says that it has handed over its pipe. Blocks, for two minutes at most. */
int um_replace(const char *pipe, const struct um_principal *allowed, struct um_handed *handed, char *why,
               size_t capacity);

#endif
