#include "store/memory/mapping_posix.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/memory/purge.h"

enum {
    PIECE_SIZE = 4 * 1024 * 1024, /* bytes that are unmapped at once, about */
    PIECE_CALLS = 16              /* and calls of the system */
};

/* A mapping that is to be unmapped. It lies at its own start, so that freeing allocates nothing. */
struct freed {
    struct freed *next;
    size_t length; /* bytes that are still mapped */
};

static bool purge(struct um_purge_source *purged);

static struct freed *queue;
static struct um_purge_source source = {.run = purge};

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
    struct freed *freed = start;
    freed->next = queue;
    freed->length = length;
    queue = freed;
    um_purge_set_pending(&source, true);
}

static bool purge(struct um_purge_source *purged)
{
    size_t left = PIECE_SIZE;

    (void)purged;
    for (int calls = 0; calls < PIECE_CALLS && left != 0 && queue != NULL; calls++) {
        struct freed *freed = queue;
        if (freed->length > 2 * PIECE_SIZE) {
            freed->length -= PIECE_SIZE;
            munmap((char *)freed + freed->length, PIECE_SIZE);
            break;
        }
        queue = freed->next;
        left -= freed->length < left ? freed->length : left;
        munmap(freed, freed->length);
    }
    return queue != NULL;
}
