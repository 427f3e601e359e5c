/*
 * Freeing records that nothing refers to any more.
 *
 * Owns: nothing. Must not know: why the last reference went.
 */
#ifndef UM_STORE_UNUSED_H
#define UM_STORE_UNUSED_H

#include "store/records/records.h"

/* Lets go of an account that is empty, unless it is its open owner's most recent one and alive. May free the
 * owner, and finishes a destroyed heap. */
void um_account_free_if_unused(struct um_store *store, struct um_account *account);

/* Frees the record of a closed owner of which nothing is left. */
void um_owner_free_if_unused(struct um_store *store, struct um_owner *owner);

/* Destroys the memory, then frees the record, of a destroyed heap as far as accounts and pins allow. */
void um_heap_free_if_unused(struct um_store *store, struct um_heap *heap);

#endif
