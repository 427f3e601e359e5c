/*
 * How shared memory objects end. Taking a mapping of a gigabyte away takes some 130 ms, and as long again where the memory goes with
 * it: large objects go from their end on, piece by piece.
 */
#include "store/memory/shm_object_posix.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE_SIZE = 4 * 1024 * 1024,  /* bytes that are let go at once, at least */
    LARGEST_CUT = 16 * PIECE_SIZE, /* bytes */
    CUTS = 256                     /* at once */
};

static struct um_shm *line;
static size_t line_length;

/* Whether no other process has an object whose name is gone: then the kernel would lease it to us. */
static bool is_ours_alone(int fd)
{
#ifdef F_SETLEASE
    /* Who opens it in this very moment raises a signal: one that does nothing. */
    if (fcntl(fd, F_SETSIG, SIGURG) != 0 || fcntl(fd, F_SETLEASE, F_WRLCK) != 0)
        return false;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return true;
#else
    (void)fd;
    return false;
#endif
}

/* Bytes of memory that an object has. */
static uint64_t memory_of(const struct um_shm *shm)
{
    struct stat facts;

    return fstat(shm->fd, &facts) == 0 ? (uint64_t)facts.st_blocks * 512 : UINT64_MAX;
}

/* Lets go of so much of an object's end. */
static void cut(struct um_shm *shm, size_t size)
{
    shm->length -= size;
    munmap(shm->start + shm->length, size);
    if (shm->is_ours_alone && shm->length > 0)
        (void)!ftruncate(shm->fd, (off_t)shm->length);
}

/* Lets go of an object's end, so that PIECE_SIZE bytes of memory go, or of all of it. What has no memory costs next to nothing, and
 * may be most of it: the more of that comes in a row, the more goes at once. Returns whether the object is gone. */
static bool end_piece(struct um_shm *shm)
{
    uint64_t before = memory_of(shm);
    uint64_t left = before;
    size_t size = shm->is_ours_alone ? PIECE_SIZE : LARGEST_CUT; /* else it is only the mapping that goes */

    for (int i = 0; i < CUTS && shm->length > 0 && before - left < PIECE_SIZE; i++) {
        uint64_t last = left;

        cut(shm, left <= PIECE_SIZE || size > shm->length ? shm->length : size);
        left = memory_of(shm);
        if (left != last)
            size = PIECE_SIZE;
        else if (!shm->is_ours_alone)
            break;
        else if (size < LARGEST_CUT)
            size *= 2;
    }
    if (shm->length > 0)
        return false;
    close(shm->fd);
    free(shm);
    return true;
}

void um_shm_end(struct um_shm *shm)
{
    if (shm->length <= PIECE_SIZE) {
        end_piece(shm);
        return;
    }
    shm->is_ours_alone = is_ours_alone(shm->fd);
    shm->next = line;
    line = shm;
    line_length++;
}

bool um_shm_end_first(void)
{
    struct um_shm *shm = line;

    if (shm == NULL)
        return false;
    line = shm->next;
    line_length--;
    while (!end_piece(shm))
        continue;
    return true;
}

size_t um_shm_ending(void)
{
    return line_length;
}

void um_shm_end_step(void)
{
    struct um_shm *shm = line;

    if (shm == NULL)
        return;
    line = shm->next;
    if (end_piece(shm)) {
        line_length--;
        return;
    }
    shm->next = line;
    line = shm;
}
