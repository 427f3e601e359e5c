/*
 * Where the daemon listens and clients connect: the pipe's path.
 *
 * Owns: the choice of the path and, for the daemon, the directory that it lies in. Must not know: libuv, what
 * is sent. Both the client library and the daemon stand on it, so that they always agree.
 *
 * The first of these that is given:
 * 1. a path that the user names (--pipe);
 * 2. the environment's UMEM_PIPE;
 * 3. Windows: \\.\pipe\umemd-USER, with the user's name;
 *    elsewhere: umemd.sock in XDG_RUNTIME_DIR, where that is an absolute path of a directory that is the
 *    user's own, else /tmp/umemd-UID/umemd.sock.
 *
 * The path is absolute: a relative one that the user names is taken from the working directory, once.
 *
 * On Windows a name without a backslash stands for \\.\pipe\ and that name, and slashes may stand for
 * backslashes.
 */
#ifndef UM_ENDPOINT_H
#define UM_ENDPOINT_H

#include <stdbool.h>

#include "base/principal.h"

enum { UM_ENDPOINT_CAPACITY = 512 }; /* bytes for any path, its end counted */

/* Finds the path (UTF-8) that `wanted` (NULL or "": the user wants none) and the environment lead to, and
 * writes it to `path`. UMEM_E_BAD_ARGUMENT where it cannot be a pipe's, because it is too long, say: then
 * *what is a sentence without a full stop, static. */
int um_endpoint_find(const char *wanted, char path[UM_ENDPOINT_CAPACITY], const char **what);

/* For clients: finds whose daemon they will talk to beside this user's and root's or SYSTEM's: `wanted` (NULL or "": the user wants none),
 * else UMEM_SERVER_USER of the environment, else "", nobody's. It is the name, which um_principal_find_user() looks up. UMEM_E_BAD_ARGUMENT
 * where it is too long, with *what as above. */
int um_endpoint_find_server_user(const char *wanted, char user[UM_PRINCIPAL_NAME_SIZE], const char **what);

/* Whether the path lies in a directory named umemd-UID, with the user's number, which a daemon makes for itself. Never on
 * Windows. */
bool um_endpoint_is_private(const char *path);

/* Checks that such a directory is a directory (no link), the user's, and closed to others. Does nothing for other
 * paths. UMEM_E_DENIED with *what as above. */
int um_endpoint_check(const char *path, const char **what);

/* For the daemon, before it listens: makes such a directory, for the user alone, where it is not there, and checks it as
 * um_endpoint_check() does. */
int um_endpoint_prepare(const char *path, const char **what);

#endif
