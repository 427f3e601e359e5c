/* Pins: memory that is being sent or received and must stay, whatever becomes of its block. */
#include "store_internal.h"

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

void um_pin_detach(struct um_pin *pin)
{
    um_extra_of(pin->block)->pin = NULL;
    pin->block = NULL;
}

void um_pin_release(struct um_store *store, struct um_pin *pin)
{
    struct um_heap *heap = pin->heap;
    pin->count--;
    if (pin->count > 0)
        return;
    if (pin->block != NULL) {
        struct um_block *block = pin->block;
        um_pin_detach(pin);
        um_extra_tidy(block);
    } else {
        um_block_free_memory(heap, pin->address, pin->size);
    }
    free(pin);
    heap->pins--;
    um_heap_settle(store, heap);
}

unsigned char *um_pin_bytes(const struct um_pin *pin)
{
    return pin->address;
}

bool um_pin_is_current(const struct um_pin *pin)
{
    return pin->block != NULL && um_block_is_alive(pin->store, pin->block);
}
