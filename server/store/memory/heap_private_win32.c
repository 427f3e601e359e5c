/* Heaps on Windows: the Win32 heap functions. Heaps are made growable, whatever their maximum, since a heap
 * of fixed size also limits the size of a block; the store keeps the maximum. HEAP_NO_SERIALIZE is not passed
 * on, as it would turn the low-fragmentation heap off, and HEAP_GENERATE_EXCEPTIONS is not, as nothing here
 * could go on after one. */
#include <windows.h>

#include "store/memory/heap_private.h"

#include <string.h>

enum {
    INITIAL_SIZE_LIMIT =
        1024 * 1024 /* bytes; what a client may have committed without a block to show for it */
};

/* A block with more than the system's alignment lies inside a larger one, whose address lies right before
 * it. */
static bool is_padded(uint32_t alignment)
{
    return alignment > MEMORY_ALLOCATION_ALIGNMENT;
}

static void *base_of(void *address, uint32_t alignment)
{
    if (!is_padded(alignment))
        return address;
    void *base;
    memcpy(&base, (char *)address - sizeof base, sizeof base);
    return base;
}

static void *alloc(void *memory, uint64_t size, uint32_t alignment)
{
    if (size > (uint64_t)(PTRDIFF_MAX / 2))
        return NULL;
    SIZE_T bytes = size == 0 ? 1 : (SIZE_T)size;
    if (!is_padded(alignment))
        return HeapAlloc(memory, HEAP_ZERO_MEMORY, bytes);

    char *base = HeapAlloc(memory, HEAP_ZERO_MEMORY, bytes + alignment + sizeof base);
    if (base == NULL)
        return NULL;
    uintptr_t first = (uintptr_t)base + sizeof base;
    size_t before = sizeof base + (size_t)((alignment - first % alignment) % alignment);
    char *address = base + before;
    memcpy(address - sizeof base, &base, sizeof base);
    return address;
}

static void free_block(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)size;
    HeapFree(memory, 0, base_of(address, alignment));
}

/* Changes a padded block without moving it. The bytes behind it may be left over from a larger size: they are
 * cleared here rather than by the system, which does not know where the block ends. */
static bool resize_padded(void *memory, void *address, uint64_t old_size, uint64_t new_size,
                          uint32_t alignment)
{
    char *base = base_of(address, alignment);
    SIZE_T bytes = (SIZE_T)((char *)address - base) + (new_size == 0 ? 1 : (SIZE_T)new_size);
    if (HeapReAlloc(memory, HEAP_REALLOC_IN_PLACE_ONLY, base, bytes) == NULL)
        return false;
    if (new_size > old_size)
        memset((char *)address + old_size, 0, (size_t)(new_size - old_size));
    return true;
}

static bool resize(void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment,
                   bool in_place_only)
{
    if (new_size > (uint64_t)(PTRDIFF_MAX / 2))
        return false;
    if (!is_padded(alignment)) {
        DWORD flags = HEAP_ZERO_MEMORY | (in_place_only ? (DWORD)HEAP_REALLOC_IN_PLACE_ONLY : 0);
        void *moved = HeapReAlloc(memory, flags, *address, new_size == 0 ? 1 : (SIZE_T)new_size);
        if (moved == NULL)
            return false;
        if (old_size == 0 && new_size > 0)
            *(unsigned char *)moved =
                0; /* an empty block has one byte in truth, left over from a larger size perhaps */
        *address = moved;
        return true;
    }
    if (resize_padded(memory, *address, old_size, new_size, alignment))
        return true;
    return !in_place_only &&
           um_heap_move(&um_heap_private_ops, memory, address, old_size, new_size, alignment);
}

static bool create_private(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
    (void)maximum_size;
    (void)alignment;
    SIZE_T initial = (SIZE_T)(initial_size < INITIAL_SIZE_LIMIT ? initial_size : INITIAL_SIZE_LIMIT);
    *memory = HeapCreate(0, initial, 0);
    return *memory != NULL;
}

static void destroy_private(void *memory)
{
    HeapDestroy(memory);
}

static bool validate(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)size;
    return HeapValidate(memory, 0, address == NULL ? NULL : base_of(address, alignment)) != 0;
}

/* One call of the system's. */
static bool compact_step(void *memory, uint64_t *largest_free)
{
    *largest_free = HeapCompact(memory, 0);
    return false;
}

static bool create_process(uint64_t initial_size, uint64_t maximum_size, uint32_t alignment, void **memory)
{
    (void)initial_size;
    (void)maximum_size;
    (void)alignment;
    /* Once for the process: damage to a heap ends it, rather than spreads. A failure (of a system without
     * this option) is no error. */
    HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
    *memory = GetProcessHeap();
    return *memory != NULL;
}

static void destroy_process(void *memory)
{
    (void)memory; /* it is the system's, and lives as long as the process */
}

const struct um_heap_ops um_heap_private_ops = {
    .destroy_frees_blocks = true,
    .validates_whole = true,
    .create = create_private,
    .destroy = destroy_private,
    .alloc = alloc,
    .resize = resize,
    .free = free_block,
    .validate = validate,
    .compact_step = compact_step,
};

/* The process heap is validated block by block: as a whole it is also the C library's and libuv's. */
const struct um_heap_ops um_heap_process_ops = {
    .create = create_process,
    .destroy = destroy_process,
    .alloc = alloc,
    .resize = resize,
    .free = free_block,
    .validate = validate,
    .compact_step = compact_step,
};

uint32_t um_heap_private_system_heaps(void)
{
    return GetProcessHeaps(0, NULL);
}

/* The system keeps what is free until the heap is destroyed; HeapFree() returns large blocks at once. Nothing is left to purge. */
void um_heap_private_end(void)
{
}
