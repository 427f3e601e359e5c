/* Pins: memory that is being sent or received and must stay, whatever becomes of its block. */
#include "store/records/store_internal.h"

#include <stdlib.h>

int um_pin_new(struct um_store *store, struct um_block *block, struct um_pin **pin)
{
    struct um_block_extra *extra = um_extra_get(block);
    if (extra == NULL)
        return UMEM_E_NO_MEMORY;
    if (extra->pin == NULL) {
        struct um_pin *made = calloc(1, sizeof *made);
        if (made == NULL) {
            um_extra_tidy(block);
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

/* A heap whose memory goes all at once is kept as a whole, and counts so. */
static bool is_counted(const struct um_pin *pin)
{
    return pin->heap->kept_bytes == 0;
}

void um_pin_detach(struct um_pin *pin)
{
    struct um_store *store = pin->store;
    pin->owner = um_account_of(store, pin->block)->owner;
    um_extra_of(pin->block)->pin = NULL;
    pin->block = NULL;
    pin->size = is_counted(pin) ? pin->size : 0;
    pin->owner->pinned.blocks++;
    pin->owner->pinned.bytes += pin->size;
    store->stats.pinned_bytes += pin->size;
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
        um_extra_tidy(block);
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
