/*
 * Unix sockets as the system has them, for tests that look below libuv.
 *
 * Owns: nothing. Must not know: what is sent over them. Not for Windows.
 */
#ifndef UNIX_SOCKET_H
#define UNIX_SOCKET_H

#include <sys/un.h>

/* The address of a path, which must be short enough: else the process is aborted. */
struct sockaddr_un unix_address(const char *path);

/* A socket of that type (for example, SOCK_STREAM) which is connected to the path; -1 with errno. */
int unix_connect(const char *path, int type);

/* A socket of that type which is bound to the path and does not listen yet; -1 with errno. */
int unix_bind(const char *path, int type);

#endif
