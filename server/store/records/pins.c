#include "store/records/pins.h"

#include <stdlib.h>

#include "store/records/block_extra.h"
#include "store/records/unused.h"

int um_pin_new(struct um_store *store, struct um_block *block, struct um_pin **pin)
{
    struct um_block_extra *extra = um_extra_get(block);
    if (extra == NULL)
        return UMEM_E_NO_MEMORY;
    if (extra->pin == NULL) {
        struct um_pin *made = calloc(1, sizeof *made);
        if (made == NULL) {
            um_extra_free_if_unused(block);
            return UMEM_E_NO_MEMORY;
        }
        made->store = store;
        made->heap = um_account_of(store, block)->heap;
        made->block = block;
        made->address = um_address_of(block);
        made->size = block->size;
        made->heap->pins++;
        extra->pin = made;
    }
    extra->pin->count++;
    *pin = extra->pin;
    return 0;
}

static void free_memory(struct um_store *store, struct um_pin *pin)
{
    struct um_owner *owner = pin->owner;
    owner->pinned.blocks--;
    owner->pinned.bytes -= pin->size;
    store->stats.pinned_bytes -= pin->size;
    um_block_free_memory(pin->heap, pin->address, pin->size);
    um_owner_free_if_unused(store, owner);
}

void um_pin_release(struct um_store *store, struct um_pin *pin)
{
    struct um_heap *heap = pin->heap;
    pin->count--;
    if (pin->count > 0)
        return;
    if (pin->block != NULL) {
        struct um_block *block = pin->block;
        um_extra_of(block)->pin = NULL;
        um_extra_free_if_unused(block);
    } else {
        free_memory(store, pin);
    }
    free(pin);
    heap->pins--;
    um_heap_free_if_unused(store, heap);
}

unsigned char *um_pin_bytes(const struct um_pin *pin)
{
    return pin->address;
}

bool um_pin_is_current(const struct um_pin *pin)
{
    return pin->block != NULL && um_block_is_alive(pin->store, pin->block);
}
