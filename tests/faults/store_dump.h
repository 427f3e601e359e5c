/*
 * A store as a text, to be compared: what a call has changed, and that it has changed nothing.
 *
 * Owns: nothing. Must not know: what the calls are.
 */
#ifndef STORE_DUMP_H
#define STORE_DUMP_H

#include <stdbool.h>

#include "store/store.h"

/* All that a store has but addresses: its counters, heaps, blocks with their bytes, owners. With handles: one line
 * for each in the order of slots. Without: in the order of the alphabet, so that stores in which handles were given out
 * otherwise compare as equal. Free it. */
char *state_of(struct um_store *store, bool with_handles);

/* Makes the backends of the store count their requests to the system as allocations, so that they fail in turn. */
void state_make_faulty(struct um_store *store);

#endif
