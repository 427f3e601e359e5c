/*
 * Who is at the other end of a Unix domain socket. POSIX only.
 *
 * Owns: nothing. Must not know: what the socket is used for.
 */
#ifndef UM_PEER_H
#define UM_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads the process (0 where the system does not tell) and the user. Returns false where they are not known. */
bool um_peer_read(int fd, int64_t *pid, uid_t *user);

#endif
