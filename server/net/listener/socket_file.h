/*
 * The file that a Unix domain socket is at: made for the user alone or a group as well, looked for, and removed by the process that made it. POSIX only.
 *
 * Owns: nothing; which file is meant is the caller's. Must not know: libuv, the lock, clients.
 */
#ifndef UM_SOCKET_FILE_H
#define UM_SOCKET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/principal.h"
#include "wire/endpoint.h"

/* One file, whatever becomes of its path. The number is not given out again while the socket is open. */
struct um_socket_file {
    char path[UM_ENDPOINT_CAPACITY];
    dev_t device;
    ino_t number;
};

/* What is at the path. */
enum um_socket_file_state {
    UM_SOCKET_FILE_PRESENT, /* the file, or it is not known */
    UM_SOCKET_FILE_MISSING, /* nothing */
    UM_SOCKET_FILE_OTHER    /* something else */
};

/* Makes a socket at `path`, where nothing is, with mode 0600, or 0660 for the group that is let in, and listens. Returns it, closed on
 * exec, or -1 with errno set; EPERM where the socket cannot be given to that group. */
int um_socket_file_create(const char *path, const struct um_principal *allowed, int backlog,
                          struct um_socket_file *file);

/* Gives the file mode 0600, or 0660 for the group that is let in. Returns false with errno set; EPERM where it cannot be given to that
 * group. */
bool um_socket_file_set_access(const char *path, const struct um_principal *allowed);

/* Writes why one of the two has failed, a sentence without a full stop; `error` is errno. */
void um_socket_file_explain(const char *path, const struct um_principal *allowed, int error, char *why,
                            size_t capacity);

/* Describes the file that is at `path`. Returns 0, or -1 with errno set. */
int um_socket_file_describe(const char *path, struct um_socket_file *file);

enum um_socket_file_state um_socket_file_state_of(const struct um_socket_file *file);

/* Removes it, where it is still at its path. The socket is open still. */
void um_socket_file_remove(const struct um_socket_file *file);

#endif
