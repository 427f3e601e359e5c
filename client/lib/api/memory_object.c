/* A block as an object: it keeps its client, and frees itself when it is disposed of. */
#include <stdlib.h>

#include "lib/answer/failure.h"

struct umem_memory {
    umem_client *client;
    umem_handle block;
    uint64_t size; /* bytes */
    bool free_on_dispose;
    bool freed; /* by umem_memory_free() */
};

int umem_memory_alloc(umem_client *client, umem_handle heap, uint64_t size, umem_memory **memory)
{
    struct umem_block_options options = {.heap = heap};
    umem_memory *made = malloc(sizeof *made);
    int code;

    if (made == NULL)
        return um_failure_set(client, UMEM_E_OUT_OF_MEMORY, NULL);
    *made = (umem_memory){.client = client, .size = size, .free_on_dispose = true};
    code = umem_block_alloc(client, size, &options, &made->block);
    if (code != UMEM_OK) {
        free(made);
        return code;
    }
    *memory = made;
    return UMEM_OK;
}

umem_handle umem_memory_block(const umem_memory *memory)
{
    return memory->block;
}

uint64_t umem_memory_size(const umem_memory *memory)
{
    return memory->size;
}

int umem_memory_get(const umem_memory *memory, uint64_t index, uint8_t *value)
{
    return umem_block_get(memory->client, memory->block, index, UMEM_TYPE_U8, value, 1);
}

int umem_memory_set(umem_memory *memory, uint64_t index, uint8_t value)
{
    return umem_block_set(memory->client, memory->block, index, UMEM_TYPE_U8, &value, 1);
}

int umem_memory_write_bytes(umem_memory *memory, uint64_t offset, const void *bytes, size_t size)
{
    return umem_block_write(memory->client, memory->block, offset, bytes, size);
}

int umem_memory_copy(umem_memory *target, const umem_memory *source, uint64_t size)
{
    return umem_block_copy(target->client, source->block, 0, target->block, 0, size);
}

int umem_memory_free(umem_memory *memory)
{
    int code = umem_block_free(memory->client, memory->block);

    if (code == UMEM_OK)
        memory->freed = true;
    return code;
}

bool umem_memory_is_free_on_dispose(const umem_memory *memory)
{
    return memory->free_on_dispose;
}

void umem_memory_set_free_on_dispose(umem_memory *memory, bool free_on_dispose)
{
    memory->free_on_dispose = free_on_dispose;
}

int umem_memory_dispose(umem_memory *memory)
{
    int code = UMEM_OK;

    if (memory == NULL)
        return UMEM_OK;
    if (memory->free_on_dispose && !memory->freed)
        code = umem_memory_free(memory);
    free(memory);
    return code;
}
