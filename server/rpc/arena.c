#include "arena.h"

#include <stdint.h>
#include <stdlib.h>

#include <cJSON.h>

#include "umem_errors.h"

enum { CHUNK_SIZE = 64 * 1024, ALIGNMENT = 16 };

/* A piece of memory from the system; its bytes follow. */
struct chunk {
    struct chunk *next;
    size_t size; /* bytes that follow */
    size_t used; /* of them */
    char *bytes;
};

static struct chunk
    *current; /* where the next allocation is tried; the first chunk is the last in the list */

static struct chunk *new_chunk(size_t size)
{
    size_t header = (sizeof(struct chunk) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct chunk *chunk;

    if (size > SIZE_MAX - header)
        return NULL;
    chunk = malloc(header + size);
    if (chunk != NULL)
        *chunk = (struct chunk){.size = size, .bytes = (char *)chunk + header};
    return chunk;
}

void *um_arena_alloc(size_t size)
{
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *bytes;

    if (rounded < size || current == NULL)
        return NULL;
    if (rounded > current->size - current->used) {
        struct chunk *chunk = new_chunk(rounded > CHUNK_SIZE ? rounded : CHUNK_SIZE);

        if (chunk == NULL)
            return NULL;
        chunk->next = current;
        current = chunk;
    }
    bytes = current->bytes + current->used;
    current->used += rounded;
    return bytes;
}

void um_arena_reset(void)
{
    if (current == NULL)
        return;
    while (current->next != NULL) {
        struct chunk *next = current->next;

        free(current);
        current = next;
    }
    current->used = 0;
}

static void *CJSON_CDECL hook_alloc(size_t size)
{
    return um_arena_alloc(size);
}

/* Single pieces are never given back; um_arena_reset() takes them all. */
static void CJSON_CDECL hook_free(void *memory)
{
    (void)memory;
}

int um_arena_init(void)
{
    cJSON_Hooks hooks = {.malloc_fn = hook_alloc, .free_fn = hook_free};

    current = new_chunk(CHUNK_SIZE);
    if (current == NULL)
        return UMEM_E_NO_MEMORY;
    cJSON_InitHooks(&hooks);
    return UMEM_OK;
}

void um_arena_deinit(void)
{
    um_arena_reset();
    free(current);
    current = NULL;
    cJSON_InitHooks(NULL);
}
