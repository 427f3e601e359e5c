#include "store/memory/heap_ops.h"

#include <string.h>

bool um_heap_move(const struct um_heap_ops *ops, void *memory, void **address, uint64_t old_size,
                  uint64_t new_size, uint32_t alignment)
{
    void *moved = ops->alloc(memory, new_size, alignment);

    if (moved == NULL)
        return false;
    memcpy(moved, *address, (size_t)(old_size < new_size ? old_size : new_size));
    ops->free(memory, *address, old_size, alignment);
    *address = moved;
    return true;
}
