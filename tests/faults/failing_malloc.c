#include "failing_malloc.h"

#include <stdlib.h>

static struct {
    bool is_armed;
    bool goes_on;         /* those behind the nth fail too */
    unsigned long nth;    /* which one fails */
    unsigned long count;  /* allocations since fault_arm() */
    unsigned long failed; /* of these */
    long live;            /* pieces allocated and not freed */
} fault;

void fault_arm(unsigned long nth, bool and_all_after)
{
    fault.is_armed = true;
    fault.goes_on = and_all_after;
    fault.nth = nth;
    fault.count = 0;
    fault.failed = 0;
}

unsigned long fault_disarm(void)
{
    fault.is_armed = false;
    return fault.failed;
}

void fault_pause(void)
{
    fault.is_armed = false;
}

void fault_go_on(void)
{
    fault.is_armed = true;
}

bool fault_is_due(void)
{
    if (!fault.is_armed)
        return false;
    fault.count++;
    if (fault.count != fault.nth && !(fault.goes_on && fault.count > fault.nth))
        return false;
    fault.failed++;
    return true;
}

long fault_live(void)
{
    return fault.live;
}

void *fault_counted(void *piece)
{
    fault.live += piece != NULL;
    return piece;
}

void *um_fault_malloc(size_t size)
{
    return fault_is_due() ? NULL : fault_counted(malloc(size));
}

void *um_fault_calloc(size_t count, size_t size)
{
    return fault_is_due() ? NULL : fault_counted(calloc(count, size));
}

void *um_fault_realloc(void *piece, size_t size)
{
    void *moved;

    if (fault_is_due())
        return NULL;
    moved = realloc(piece, size);
    if (piece == NULL)
        fault_counted(moved);
    return moved;
}

void um_fault_free(void *piece)
{
    fault.live -= piece != NULL;
    free(piece);
}
