/*
 * Raising events, if there is a listener.
 *
 * Owns: nothing. Must not know: who listens.
 */
#ifndef UM_STORE_EVENTS_H
#define UM_STORE_EVENTS_H

#include "store/records/records.h"

static inline void um_raise_block_freed(const struct um_store *store, um_handle block, um_handle heap)
{
    if (store->events.block_freed != NULL)
        store->events.block_freed(store->events.context, block, heap);
}

static inline void um_raise_blocks_vanished(const struct um_store *store, um_handle heap)
{
    if (store->events.blocks_vanished != NULL)
        store->events.blocks_vanished(store->events.context, heap);
}

static inline void um_raise_heap_destroyed(const struct um_store *store, um_handle heap)
{
    if (store->events.heap_destroyed != NULL)
        store->events.heap_destroyed(store->events.context, heap);
}

static inline void um_raise_heap_unlocked(const struct um_store *store, um_handle heap)
{
    if (store->events.heap_unlocked != NULL)
        store->events.heap_unlocked(store->events.context, heap);
}

#endif
