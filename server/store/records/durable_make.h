/*
 * Durable heaps are made, destroyed, and closed with the daemon.
 *
 * Owns: the file of bytes, which it makes, and its trailer. Must not know: which heaps may be made.
 */
#ifndef UM_STORE_DURABLE_MAKE_H
#define UM_STORE_DURABLE_MAKE_H

#include "store/records/durable.h"

/* Makes the files and the memory of a new heap, whose record has its handle and options already. `name` may be NULL.
 * UMEM_E_NO_MEMORY. */
int um_durable_create(struct um_store *store, struct um_heap *heap, const char *name,
                      const struct um_owner *maker, struct um_fault *fault);

/* Notes that a heap is destroyed, and writes that at once. Its memory may still be in use; its files are removed when nothing depends on
 * them. UMEM_E_NO_MEMORY, UMEM_E_CORRUPTED: it is not destroyed. */
int um_durable_destroy(struct um_heap *heap, struct um_fault *fault);

/* Parts a heap, whose memory may still be in use, from its files, which go on in a list of um_durable.in_all. */
void um_durable_detach(struct um_heap *heap, struct um_link *list);

/* Makes a durable heap of a record with memory, for restoring, with its file of bytes, which it owns if that succeeds. NULL: no memory. */
struct um_durable *um_durable_new(struct um_state *state, struct um_heap *heap, struct um_file *bytes);

/* Closes the file of bytes, if it is open. */
void um_durable_close_bytes(struct um_durable *durable);

/* Frees it when its files are closed. */
void um_durable_free(struct um_durable *durable);

/* Ends in order when all is committed: everything that was noted is on the disk, and nothing is noted any more. */
void um_state_close(struct um_store *store);

#endif
