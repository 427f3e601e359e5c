/*
 * Guards and wiping: operations that wrap those of another kind of heap.
 *
 * Owns: the guard bytes on both sides of a block, and the clearing of memory that is freed. Must not know: how the memory behind is
 * allocated, beyond heap_ops.h.
 *
 * With guards, a private block lies between bytes that are not to be written to: if they have changed, a program has
 * written past the block's end or before its start. With wiping, no byte of a block stays where it was once
 * the block is freed, moved or made smaller.
 */
#ifndef UM_STORE_GUARD_H
#define UM_STORE_GUARD_H

#include "store/memory/heap_ops.h"

/* The operations for a kind of heap with guards, with wiping or with both. In a shared heap the guard is as much of 16 bytes as there
 * is between the end of a block and what lies behind it: it takes no memory, and there may be no space for it. Clients that map the
 * heap may overwrite it, which only validate() says: such a block can be freed. */
const struct um_heap_ops *um_guard_ops(enum um_heap_kind kind, bool guards, bool wipes);

#endif
