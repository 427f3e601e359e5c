/*
 * A shared memory object of POSIX: its record, and its end.
 *
 * Owns: the line of objects that are let go. Must not know: how objects are made and named (shm_posix.c), heaps.
 */
#ifndef UM_STORE_SHM_OBJECT_POSIX_H
#define UM_STORE_SHM_OBJECT_POSIX_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/memory/shm.h"

#define UM_SHM_PREFIX "umemd-"

enum {
    UM_SHM_RANDOM_SIZE =
        12, /* bytes in a name, as hexadecimal digits: with the prefix 31 characters, which fit anywhere */
    UM_SHM_NAME_CAPACITY = 1 + sizeof UM_SHM_PREFIX + 2 * UM_SHM_RANDOM_SIZE,
    UM_SHM_PATH_CAPACITY = sizeof "/dev/shm" + UM_SHM_NAME_CAPACITY
};

struct um_shm {
    struct um_shm
        *next; /* the one made before it; the handler of SIGBUS walks these. In line: the one behind it */
    unsigned char *start; /* of the mapping */
    size_t length;        /* bytes; in line: that are still mapped */
    int fd;               /* open and locked */
    bool is_ours_alone;   /* in line: nobody else has it mapped or can map it any more */
    volatile sig_atomic_t is_damaged;
    char name[UM_SHM_NAME_CAPACITY]; /* "/umemd-..." */
    char path[UM_SHM_PATH_CAPACITY]; /* "": it is no file */
};

/* Takes an object over that nobody here uses any more, and whose name is gone: a small one ends at once, a large one stands in line
 * (um_shm_ending()). */
void um_shm_end(struct um_shm *shm);

/* Ends the object that is first in line as a whole. Returns whether there was one. */
bool um_shm_end_first(void);

#endif
