/*
 * The process and the user at the other end of a pipe, as the operating system knows them.
 *
 * Owns: nothing. Must not know: connections, the protocol.
 */
#ifndef UM_IDENTITY_H
#define UM_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/principal.h"

struct um_identity {
    int64_t pid;       /* process id, 0: not known */
    char program[128]; /* the program's name, without its directory; UTF-8, "": not known */
    char user[128];    /* the user's name; UTF-8, "": not known */
    bool
        trusted; /* the user who runs this process, the system's own (root, SYSTEM), or one who is let in beside these */
};

/* Looks this process's own user up, which most clients are of: so that what the system needs for that is there before there are
 * any. (The GNU C library ends a process that has no memory when it looks up its first user.) */
void um_identity_prepare(void);

/* Writes the name of the program that a process runs, without its directory; nothing where that is not known. */
void um_identity_read_program(int64_t pid, char *program, size_t capacity);

/* Reads it for an accepted connection. What the system does not say stays unknown. `allowed`: the group (POSIX), or the user or group
 * (Windows), whose members are let in as well; not set: nobody.
 *
 * POSIX: a client whose user is unknown is not trusted. Windows: the pipe's access list has let it in,
 * and this is a second look; a client whose token may not be read (it has ended, or runs elevated) is
 * trusted to that list. */
void um_identity_read(const uv_pipe_t *client, const struct um_principal *allowed,
                      struct um_identity *identity);

#endif
