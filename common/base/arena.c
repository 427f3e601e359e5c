#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

static_assert(sizeof(struct um_arena_chunk) % UM_ARENA_ALIGNMENT == 0,
              "what follows a chunk's head must be aligned");

UM_ALWAYS_INLINE size_t round_up(size_t size)
{
    return (size + UM_ARENA_ALIGNMENT - 1) & ~(size_t)(UM_ARENA_ALIGNMENT - 1);
}

UM_ALWAYS_INLINE void use(struct um_arena *arena, struct um_arena_chunk *chunk)
{
    arena->chunk = chunk;
    arena->next = (char *)(chunk + 1);
    arena->left = chunk->size;
}

void *um_arena_alloc_chunk(struct um_arena *arena, size_t size)
{
    size_t header = sizeof(struct um_arena_chunk);
    size_t wanted = size < UM_ARENA_CHUNK_SIZE ? UM_ARENA_CHUNK_SIZE : round_up(size);
    struct um_arena_chunk *chunk;

    if (wanted < size || wanted > PTRDIFF_MAX - header)
        return NULL;
    chunk = malloc(header + wanted);
    if (chunk == NULL)
        return NULL;
    chunk->before = arena->chunk;
    chunk->size = wanted;
    use(arena, chunk);
    return um_arena_alloc(arena, size);
}

size_t um_arena_size(const struct um_arena *arena)
{
    size_t size = 0;

    for (const struct um_arena_chunk *chunk = arena->chunk; chunk != NULL; chunk = chunk->before)
        size += chunk->size;
    return size;
}

void um_arena_reset_chunks(struct um_arena *arena)
{
    struct um_arena_chunk *chunk = arena->chunk;

    if (chunk == NULL)
        return;
    while (chunk->before != NULL || chunk->size > UM_ARENA_CHUNK_SIZE) {
        struct um_arena_chunk *before = chunk->before;

        free(chunk);
        chunk = before;
        if (chunk == NULL) {
            *arena = (struct um_arena){NULL, 0, NULL};
            return;
        }
    }
    use(arena, chunk);
}

void um_arena_deinit(struct um_arena *arena)
{
    while (arena->chunk != NULL) {
        struct um_arena_chunk *before = arena->chunk->before;

        free(arena->chunk);
        arena->chunk = before;
    }
    *arena = (struct um_arena){NULL, 0, NULL};
}
