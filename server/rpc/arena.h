/*
 * Memory for one message: what cJSON builds of it, and what its parameters become. Freed all at once.
 *
 * Owns: cJSON's hooks (which are process-wide, hence no instances). Must not know: what is kept in it.
 */
#ifndef UM_ARENA_H
#define UM_ARENA_H

#include <stddef.h>

/* Makes cJSON allocate here. UMEM_E_NO_MEMORY. */
int um_arena_init(void);

/* Gives the memory back, and cJSON its own allocator. */
void um_arena_deinit(void);

/* Memory aligned for any type, good until um_arena_reset(); NULL where there is none. */
void *um_arena_alloc(size_t size);

/* Forgets all that was allocated. Keeps one small chunk, so that most messages allocate nothing from the system. */
void um_arena_reset(void);

#endif
