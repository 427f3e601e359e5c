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

struct um_peer {
    int64_t pid; /* 0: the system does not tell */
    uid_t user;
    gid_t group; /* the main one */
};

/* Returns false where it is not known. */
bool um_peer_read(int fd, struct um_peer *peer);

#endif
