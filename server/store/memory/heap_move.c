/* Moving a block to memory of another size, for all backends that can do no better. */
#include "store/memory/heap_ops.h"

#include <string.h>

bool um_heap_move(void *(*alloc)(void *memory, uint64_t size, uint32_t alignment),
                  void (*free_block)(void *memory, void *address, uint64_t size, uint32_t alignment),
                  void *memory, void **address, uint64_t old_size, uint64_t new_size, uint32_t alignment)
{
    void *moved = alloc(memory, new_size, alignment);

    if (moved == NULL)
        return false;
    memcpy(moved, *address, (size_t)(old_size < new_size ? old_size : new_size));
    free_block(memory, *address, old_size, alignment);
    *address = moved;
    return true;
}
