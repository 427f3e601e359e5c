/*
 * Guards and wiping: kinds of heaps in front of the others.
 *
 * Owns: the guard bytes on both sides of a block, and the clearing of memory that is let go. Must not know: what is in
 * front of it, beyond heap_backend.h.
 *
 * With guards, a block lies between bytes that nobody writes to: where they are not what they were, somebody has written
 * past the block's end or before its start. With wiping, no byte of a block stays where it was once the block is freed,
 * moved or made smaller.
 */
#ifndef UM_STORE_GUARD_H
#define UM_STORE_GUARD_H

#include <stdbool.h>

#include "store/memory/heap_ops.h"

/* The backend for a kind of heap with guards (which a shared one never has: clients write there, and are told so), with
 * wiping, both or neither. NULL where this system has no such kind. */
const struct um_heap_ops *um_guard_ops(enum um_heap_kind kind, bool guards, bool wipes);

#endif
