/* Heaps on POSIX: a pool of pages for small blocks, mappings of their own for large ones. A heap is
 * nothing but the store's list of its blocks. The size alone says how a block was allocated, so there is no
 * header to keep. */
#include "store/memory/heap_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "store/memory/mapping_posix.h"
#include "store/memory/pool_posix.h"

enum {
    MAPPED_SIZE =
        1024 *
        1024 /* bytes; from here on a block is a mapping, which is zero and is unmapped without being touched */
};

static bool is_mapped(uint64_t size)
{
    return size >= MAPPED_SIZE;
}

static void *alloc(void *memory, uint64_t size, uint32_t alignment)
{
    (void)memory;
    if (size > PTRDIFF_MAX / 2)
        return NULL;
    if (is_mapped(size))
        return um_mapping_new((size_t)size, alignment);
    return um_pool_alloc((size_t)size, alignment);
}

static void free_block(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)memory;
    if (is_mapped(size))
        um_mapping_free(address, um_mapping_length((size_t)size));
    else
        um_pool_free(address, (size_t)size, alignment);
}

/* Both sizes are those of a mapping. */
static bool resize_mapping(void **address, size_t old_size, size_t new_size, uint32_t alignment,
                           bool in_place_only)
{
    size_t old_length = um_mapping_length(old_size);
    size_t new_length = um_mapping_length(new_size);
    if (new_length < old_length) {
        um_mapping_free((char *)*address + new_length, old_length - new_length);
    } else if (new_length > old_length) {
#ifdef __linux__
        bool may_move = !in_place_only && alignment <= um_mapping_page_size();
        void *moved = mremap(*address, old_length, new_length, may_move ? MREMAP_MAYMOVE : 0);
        if (moved == MAP_FAILED)
            return false;
        *address = moved;
#else
        (void)alignment;
        (void)in_place_only;
        return false;
#endif
    }
    if (new_size > old_size) { /* the last page may hold what was there before the block was made smaller */
        size_t end = new_size < old_length ? new_size : old_length;
        memset((char *)*address + old_size, 0, end - old_size);
    }
    return true;
}

/* The kernel moves mappings, to page boundaries. */
static bool moves_uncopied(uint64_t old_size, uint64_t new_size, uint32_t alignment)
{
#ifdef __linux__
    return is_mapped(old_size) && is_mapped(new_size) && alignment <= um_mapping_page_size();
#else
    (void)old_size;
    (void)new_size;
    (void)alignment;
    return false;
#endif
}

static bool resize(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only)
{
    if (new_size > PTRDIFF_MAX / 2)
        return false;
    if (is_mapped(old_size) && is_mapped(new_size)) {
        if (resize_mapping(address, (size_t)old_size, (size_t)new_size, alignment, in_place_only))
            return true;
    } else if (!is_mapped(old_size) && !is_mapped(new_size)) {
        if (um_pool_resize(*address, (size_t)old_size, (size_t)new_size, alignment, in_place_only))
            return true;
    }
    return !in_place_only &&
           um_heap_move(&um_heap_private_ops, memory, address, old_size, new_size, alignment);
}

static bool create_private(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
    (void)initial_size; /* there is nothing that could be committed in advance */
    (void)maximum_size;
    (void)alignment;
    *memory = NULL;
    return true;
}

static bool create_process(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
#ifdef __GLIBC__
    /* Small blocks that are freed are joined with their neighbours at once. Left to itself glibc joins them
     * in heaps: after a million frees, one later call takes a tenth of a second. */
    mallopt(M_MXFAST, 0);
#endif
    return create_private(initial_size, maximum_size, alignment, memory);
}

static void destroy(void *memory)
{
    (void)memory;
}

static void compact_start(void *memory)
{
    (void)memory;
    um_pool_compact();
}

static bool compact_step(void *memory, uint64_t *largest_free)
{
    (void)memory;
    *largest_free = 0;
    return um_pool_purge();
}

const struct um_heap_ops um_heap_process_ops = {
    .create = create_process,
    .destroy = destroy,
    .alloc = alloc,
    .resize = resize,
    .moves_uncopied = moves_uncopied,
    .free = free_block,
    .returns_pages = is_mapped,
    .compact_start = compact_start,
    .compact_step = compact_step,
};

const struct um_heap_ops um_heap_private_ops = {
    .create = create_private,
    .destroy = destroy,
    .alloc = alloc,
    .resize = resize,
    .moves_uncopied = moves_uncopied,
    .free = free_block,
    .returns_pages = is_mapped,
    .compact_start = compact_start,
    .compact_step = compact_step,
};

uint32_t um_heap_private_system_heaps(void)
{
    return 0;
}

void um_heap_private_end(void)
{
    um_pool_end();
}
