#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

enum { CHUNK_SIZE = 64 * 1024 /* bytes in a chunk of the usual size */ };

/* A piece of memory from the system; its bytes follow. */
struct um_arena_chunk {
    struct um_arena_chunk *before; /* made before it; NULL: it is the first */
    size_t size;                   /* bytes that follow */
};

UM_ALWAYS_INLINE size_t round_up(size_t size)
{
    return (size + UM_ARENA_ALIGNMENT - 1) & ~(size_t)(UM_ARENA_ALIGNMENT - 1);
}

UM_ALWAYS_INLINE void use(struct um_arena *arena, struct um_arena_chunk *chunk)
{
    arena->chunk = chunk;
    arena->next = (char *)chunk + round_up(sizeof *chunk);
    arena->left = chunk->size;
}

void *um_arena_alloc_chunk(struct um_arena *arena, size_t size)
{
    size_t header = round_up(sizeof(struct um_arena_chunk));
    size_t wanted = size < CHUNK_SIZE ? CHUNK_SIZE : round_up(size);
    struct um_arena_chunk *chunk;

    if (wanted < size || wanted > SIZE_MAX - header)
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

void um_arena_reset(struct um_arena *arena)
{
    struct um_arena_chunk *chunk = arena->chunk;

    if (chunk == NULL)
        return;
    while (chunk->before != NULL || chunk->size > CHUNK_SIZE) {
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
