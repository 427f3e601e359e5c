/*
 * Accounts: all that one owner has in one heap with one lifetime, and the usage (blocks and bytes) that is counted by them.
 *
 * Owns: the records of accounts and their index. Must not know: why a block comes or goes.
 */
#ifndef UM_STORE_ACCOUNTS_H
#define UM_STORE_ACCOUNTS_H

#include "store/records/records.h"

/* The account of an open owner in a live heap, made where there is none. NULL when memory runs out. An
 * account that stays empty is freed when the owner uses another one. */
struct um_account *um_account_get(struct um_store *store, struct um_heap *heap, struct um_owner *owner,
                                  enum um_lifetime lifetime);

/* Makes orphans of the blocks that only their maker keeps, as that owner has ended. */
void um_account_orphan(struct um_store *store, struct um_account *account);

/* Puts a block into an account's list, or takes it out. The usage does not change. */
void um_account_link(struct um_store *store, struct um_account *account, struct um_block *block);
void um_account_unlink(struct um_store *store, struct um_account *account, struct um_block *block);

/* Counts a live block, or takes it out of all counts. To change a block, take it out, change it and count it
 * again. */
void um_usage_add(struct um_store *store, struct um_account *account, const struct um_block *block);
void um_usage_remove(struct um_store *store, struct um_account *account, const struct um_block *block);

/* Raises what a heap and the store have had at most, as if there were a block of so many bytes more. */
void um_usage_note_peaks(struct um_store *store, struct um_heap *heap, uint64_t bytes);

/* What keeps a live block from being orphaned. */
enum um_ownership um_block_ownership(const struct um_account *account, const struct um_block *block);

/* Takes all of an account's live blocks out of the usage of its owner, its heap and the store. A heap that is destroyed has left
 * those with all its blocks. */
void um_usage_subtract(struct um_store *store, struct um_account *account);

#endif
