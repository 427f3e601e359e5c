/*
 * Shared heaps that a client has mapped.
 *
 * Owns: their list. Must not know: how the system maps them (mapped_memory.h), how the daemon is asked where a block lies, what else uses the
 * list: its owner sees to it that one thread at a time does.
 */
#ifndef UM_MAP_H
#define UM_MAP_H

#include <stdint.h>

#include "lib/connection/transport.h"
#include "lib/request/info.h"

/* A heap that is mapped; a list is a pointer to the first, NULL at the beginning. */
struct um_mapped_heap;

/* Gives a block as memory: maps its heap, unless the list has it, and counts one more use. UMEM_E_CORRUPTED, and what um_mapped_memory_open()
 * gives; *reason may then tell more. */
int um_mapped_heap_use(struct um_mapped_heap **list, const struct um_block_location *place, void **bytes,
                       struct um_reason *reason);

/* Ends one use of the heap that lies there, and unmaps it at the last. UMEM_E_BAD_ARGUMENT: there is none. */
int um_mapped_heap_release(struct um_mapped_heap **list, const void *bytes);

/* Unmaps all, however often they are in use. */
void um_mapped_heap_free_all(struct um_mapped_heap *mapped);

#endif
