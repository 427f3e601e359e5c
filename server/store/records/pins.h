/*
 * Pins: memory that is being sent or received, and must stay whatever becomes of its block.
 *
 * Owns: the memory of blocks that are gone and were pinned. Must not know: who sends or receives.
 */
#ifndef UM_STORE_PINS_H
#define UM_STORE_PINS_H

#include "store/records/store_types.h"

/* Keeps the block's present memory (not its handle, nor its later memory where it is resized) until
 * released. */
int um_pin_new(struct um_store *store, struct um_block *block, struct um_pin **pin);
void um_pin_release(struct um_store *store, struct um_pin *pin);

/* The memory pinned, and whether the block still is that memory: false once it was freed or moved. */
unsigned char *um_pin_bytes(const struct um_pin *pin);
bool um_pin_is_current(const struct um_pin *pin);

#endif
