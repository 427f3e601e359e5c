#include "store/memory/mapping_posix.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/memory/purge.h"

enum {
    PIECE_SIZE = 4 * 1024 * 1024, /* bytes that are unmapped at once, about */
    PIECE_CALLS = 16              /* and calls of the system */
};

static bool purge(struct um_purge_source *purged);

static struct um_mapping *freed;
static struct um_mapping
    *refused; /* that the system did not unmap: their memory is returned, their addresses are not */
static struct um_purge_source source = {.run = purge};

size_t um_mapping_page_size(void)
{
    static size_t size;

    if (size == 0)
        size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

/* Whole pages; without huge ones, of which one block that lives would keep two megabytes. */
static unsigned char *map(size_t length)
{
    unsigned char *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (start == MAP_FAILED)
        return NULL;
#ifdef MADV_NOHUGEPAGE
    (void)madvise(start, length, MADV_NOHUGEPAGE);
#endif
    return start;
}

struct um_mapping *um_mapping_new(size_t size, size_t alignment)
{
    size_t page = um_mapping_page_size();
    size_t slack = alignment > page ? alignment - page : 0;
    struct um_mapping *mapping = malloc(sizeof *mapping);

    if (mapping == NULL)
        return NULL;
    mapping->length = round_up(size, page) + slack;
    mapping->start = map(mapping->length);
    if (mapping->start == NULL) {
        free(mapping);
        return NULL;
    }
    /* What lies before it and behind it stays mapped: it is never touched, and each cut might be refused. */
    mapping->address = mapping->start + ((uintptr_t) - (uintptr_t)mapping->start & (alignment - 1));
    return mapping;
}

void um_mapping_free(struct um_mapping *mapping)
{
    mapping->kept = mapping->length;
    mapping->next = freed;
    freed = mapping;
    um_purge_set_pending(&source, true);
}

#ifdef __linux__
static bool remap(struct um_mapping *mapping, size_t length, bool may_move)
{
    void *moved = mremap(mapping->start, mapping->length, length, may_move ? MREMAP_MAYMOVE : 0);

    if (moved == MAP_FAILED)
        return false;
    mapping->address = (unsigned char *)moved + (mapping->address - mapping->start);
    mapping->start = moved;
    mapping->length = length;
    return true;
}
#else
static bool remap(struct um_mapping *mapping, size_t length, bool may_move)
{
    (void)mapping;
    (void)length;
    (void)may_move;
    return false;
}
#endif

/* The end of a mapping becomes one of its own, which is freed. */
static bool cut(struct um_mapping *mapping, size_t length)
{
    struct um_mapping *rest = malloc(sizeof *rest);

    if (rest == NULL)
        return false;
    rest->start = mapping->start + length;
    rest->length = mapping->length - length;
    mapping->length = length;
    um_mapping_free(rest);
    return true;
}

bool um_mapping_resize(struct um_mapping *mapping, size_t size, bool may_move)
{
    size_t before = (size_t)(mapping->address - mapping->start);
    size_t length = round_up(before + size, um_mapping_page_size());

    if (length < mapping->length)
        return cut(mapping, length);
    return length == mapping->length || remap(mapping, length, may_move);
}

/* A mapping in the middle of others cannot be unmapped where the process may have no more pieces. Then it is tried again with the next. */
static void unmap(struct um_mapping *mapping)
{
    if (munmap(mapping->start, mapping->length) == 0) {
        free(mapping);
        return;
    }
    (void)madvise(mapping->start, mapping->kept, MADV_DONTNEED);
    mapping->kept = 0;
    mapping->next = refused;
    refused = mapping;
}

/* Unmaps the last piece of a large mapping, or returns its memory where the system cannot cut it. */
static void cut_piece(struct um_mapping *mapping)
{
    mapping->kept -= PIECE_SIZE;
    if (munmap(mapping->start + mapping->kept, mapping->length - mapping->kept) == 0)
        mapping->length = mapping->kept;
    else
        (void)madvise(mapping->start + mapping->kept, PIECE_SIZE, MADV_DONTNEED);
}

static void retry_one(void)
{
    struct um_mapping *mapping = refused;

    if (mapping == NULL)
        return;
    refused = mapping->next;
    unmap(mapping);
}

/* Returns whether there is more. */
static bool unmap_some(void)
{
    size_t left = PIECE_SIZE;

    for (int calls = 0; calls < PIECE_CALLS && left != 0 && freed != NULL; calls++) {
        struct um_mapping *mapping = freed;

        if (mapping->kept > 2 * PIECE_SIZE) {
            cut_piece(mapping);
            break;
        }
        freed = mapping->next;
        left -= mapping->kept < left ? mapping->kept : left;
        unmap(mapping);
    }
    if (freed == NULL)
        retry_one();
    return freed != NULL;
}

static bool purge(struct um_purge_source *purged)
{
    (void)purged;
    return unmap_some();
}

void um_mapping_end(void)
{
    while (unmap_some())
        continue;
    for (struct um_mapping *last = NULL; refused != NULL && refused != last;) {
        last = refused;
        retry_one();
    }
    um_purge_set_pending(&source, false);
}
