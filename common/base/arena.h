/*
 * Memory that is freed all at once: what a message is read into, and what its parameters become.
 *
 * Owns: chunks of memory. Must not know: what is kept in them.
 */
#ifndef UM_ARENA_H
#define UM_ARENA_H

#include <stddef.h>

#include "base/attributes.h"

enum {
    UM_ARENA_ALIGNMENT = 8,         /* bytes: enough for pointers, integers and doubles */
    UM_ARENA_CHUNK_SIZE = 64 * 1024 /* bytes in a chunk of the usual size */
};

/* A piece of memory from the system; its bytes follow. */
struct um_arena_chunk {
    struct um_arena_chunk *before; /* made before it; NULL: it is the first */
    size_t size;                   /* bytes that follow */
};

/* One that is all zero is an empty one. */
struct um_arena {
    char *next;                   /* the place of the next allocation */
    size_t left;                  /* bytes that are free there */
    struct um_arena_chunk *chunk; /* the one it lies in, and behind it all others; NULL: none yet */
};

/* Gives all memory back. The arena is then as one that is all zero. */
void um_arena_deinit(struct um_arena *arena);

/* As um_arena_reset(), where there is none, more than one, or a large one. */
void um_arena_reset_chunks(struct um_arena *arena);

/* Forgets all that was allocated. Keeps one small chunk, so that most messages allocate nothing from the system. */
UM_ALWAYS_INLINE void um_arena_reset(struct um_arena *arena)
{
    struct um_arena_chunk *chunk = arena->chunk;

    if (chunk == NULL || chunk->before != NULL || chunk->size != UM_ARENA_CHUNK_SIZE) {
        um_arena_reset_chunks(arena);
        return;
    }
    arena->next = (char *)(chunk + 1);
    arena->left = chunk->size;
}

/* Bytes that it has from the system. */
size_t um_arena_size(const struct um_arena *arena);

/* As um_arena_alloc(), where the present chunk is too small. */
void *um_arena_alloc_chunk(struct um_arena *arena, size_t size);

/* Memory aligned to UM_ARENA_ALIGNMENT, good until um_arena_reset(); NULL where there is none. */
UM_ALWAYS_INLINE void *um_arena_alloc(struct um_arena *arena, size_t size)
{
    size_t rounded = (size + UM_ARENA_ALIGNMENT - 1) & ~(size_t)(UM_ARENA_ALIGNMENT - 1);
    char *memory = arena->next;

    if (rounded > arena->left || rounded < size)
        return um_arena_alloc_chunk(arena, size);
    arena->next += rounded;
    arena->left -= rounded;
    return memory;
}

#endif
