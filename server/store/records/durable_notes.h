/*
 * Notes: what was done with the blocks of durable heaps, as entries of their journals.
 *
 * Owns: nothing. Must not know: when notes are written.
 */
#ifndef UM_STORE_DURABLE_NOTES_H
#define UM_STORE_DURABLE_NOTES_H

#include "store/records/durable.h"

enum {
    UM_DURABLE_NOTE_SIZE = 1024
}; /* bytes that a change takes in a journal, at most: an owner and a block with a name */

/* Makes sure that a change of a block can be noted, and undone: 0, UMEM_E_NO_MEMORY or, where the journal has failed, UMEM_E_CORRUPTED. `is_freeing`: it
 * makes space. */
int um_durable_check(struct um_heap *heap, bool is_freeing, struct um_fault *fault);

/* Likewise of any heap. */
UM_ALWAYS_INLINE int um_heap_check_journal(struct um_heap *heap, bool is_freeing, struct um_fault *fault)
{
    return heap->durable != NULL ? um_durable_check(heap, is_freeing, fault) : 0;
}

/* Note what was done with a block of a durable heap. That of a block and its place are kept, too, to be undone; a place with what it was. */
void um_durable_note_block(struct um_store *store, const struct um_block *block);
void um_durable_note_free(struct um_store *store, const struct um_heap *heap, um_handle block);
void um_durable_note_place(struct um_store *store, const struct um_block *block, void *address,
                           uint64_t size);
void um_durable_note_change(struct um_store *store, const struct um_block *block);

/* Notes that a block is smaller before it is, and writes that at once: the rest of its memory is free then. */
int um_durable_shrink(struct um_store *store, struct um_block *block, uint64_t size, struct um_fault *fault);

/* ---- entries, for what writes them by other ways ---- */

/* The text is the caller's. NULL: no name. */
void um_durable_put_name(struct um_journal_entry *entry, const char *name);

struct um_journal_entry um_durable_owner_entry(const struct um_owner *owner);

/* An entry about a block with all that it says, but for what its type has not. */
struct um_journal_entry um_durable_block_entry(const struct um_store *store, const struct um_block *block,
                                               enum um_journal_entry_type type);

/* Notes an owner where the journal, or the file that it is being written anew to, does not know it yet. */
void um_durable_note_owner(struct um_durable *durable, struct um_account *account, bool to_next);

#endif
