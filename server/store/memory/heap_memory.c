#include "store/memory/heap_memory.h"

#include "store/memory/guard.h"
#include "store/memory/heap_private.h"
#include "store/memory/shared_access.h"
#include "store/memory/shm.h"

const struct um_heap_ops *um_heap_memory_ops(enum um_heap_kind kind, bool guards, bool wipes)
{
    static const struct um_heap_ops *const plain[UM_HEAP_KINDS] = {
        [UM_HEAP_PROCESS] = &um_heap_process_ops,
        [UM_HEAP_PRIVATE] = &um_heap_private_ops,
        [UM_HEAP_SHARED] = &um_heap_shared_ops,
    };

    return guards || wipes ? um_guard_ops(kind, guards, wipes) : plain[kind];
}

const struct um_heap_ops *um_heap_memory_durable_ops(void)
{
    return &um_heap_shared_ops;
}

size_t um_heap_memory_ending(void)
{
    return um_heap_shared_ending();
}

void um_heap_memory_allow(const struct um_principal *allowed)
{
    um_shared_access_allow(allowed);
}

size_t um_heap_memory_remove_stale(void)
{
    return um_shm_remove_stale();
}

uint32_t um_heap_memory_system_heaps(void)
{
    return um_heap_private_system_heaps();
}

void um_heap_memory_end(void)
{
    um_heap_private_end();
}
