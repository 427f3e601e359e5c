/*
 * Guards and wiping: operations that wrap those of another kind of heap.
 *
 * Owns: the guard bytes on both sides of a block, and the clearing of memory that is freed. Must not know: how the memory behind is
 * allocated, beyond heap_ops.h.
 *
 * With guards, a block lies between bytes that are not to be written to: if they have changed, a program has
 * written past the block's end or before its start. With wiping, no byte of a block stays where it was once
 * the block is freed, moved or made smaller.
 */
#ifndef UM_STORE_GUARD_H
#define UM_STORE_GUARD_H

#include "store/memory/heap_ops.h"

/* The operations for a kind of heap with guards, with wiping or with both; NULL where there are none: a
 * shared heap never has guards, because mapped clients may write outside of blocks. */
const struct um_heap_ops *um_guard_ops(enum um_heap_kind kind, bool guards, bool wipes);

#endif
