#include "store/memory/mapping_posix.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    PIECE_SIZE = 4 * 1024 * 1024, /* bytes that are given back at once, about */
    PIECE_CALLS = 16              /* and calls of the system */
};

/* One that stands in line. It lies at its own start, so that nothing is allocated in order to free. */
struct leftover {
    struct leftover *next;
    size_t length; /* bytes that are left of it */
};

static struct leftover *line;

size_t um_mapping_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

size_t um_mapping_length(size_t size)
{
    return round_up(size, um_mapping_page_size());
}

void *um_mapping_new(size_t size, size_t alignment)
{
    size_t page = um_mapping_page_size();
    size_t length = um_mapping_length(size);
    size_t slack = alignment > page ? alignment - page : 0;
    char *start = mmap(NULL, length + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    size_t before = round_up((size_t)(uintptr_t)start, alignment) - (size_t)(uintptr_t)start;
    if (before > 0)
        munmap(start, before);
    if (slack > before)
        munmap(start + before + length, slack - before);
    return start + before;
}

void um_mapping_free(void *start, size_t length)
{
    struct leftover *leftover = start;
    leftover->next = line;
    leftover->length = length;
    line = leftover;
}

bool um_mapping_purge_pending(void)
{
    return line != NULL;
}

void um_mapping_purge(void)
{
    size_t left = PIECE_SIZE;
    for (int calls = 0; calls < PIECE_CALLS && left != 0 && line != NULL; calls++) {
        struct leftover *leftover = line;
        if (leftover->length > 2 * PIECE_SIZE) {
            leftover->length -= PIECE_SIZE;
            munmap((char *)leftover + leftover->length, PIECE_SIZE);
            return;
        }
        line = leftover->next;
        left -= leftover->length < left ? leftover->length : left;
        munmap(leftover, leftover->length);
    }
}
