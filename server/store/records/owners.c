/* Owners: who made what, open or closed. */
#include "store/records/store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool copy_texts(struct um_owner *owner, const struct um_owner_options *options)
{
    const char *program = options->program != NULL ? options->program : "";
    const char *user = options->user != NULL ? options->user : "";
    size_t program_size = strlen(program) + 1;
    size_t user_size = strlen(user) + 1;
    owner->program = malloc(program_size + user_size);
    if (owner->program == NULL)
        return false;
    owner->user = owner->program + program_size;
    memcpy(owner->program, program, program_size);
    memcpy(owner->user, user, user_size);
    return true;
}

int um_owner_open(struct um_store *store, const struct um_owner_options *options, struct um_owner **owner)
{
    struct um_owner *made = um_slots_acquire(&store->owners);
    if (made == NULL)
        return UMEM_E_NO_MEMORY;
    if (!copy_texts(made, options)) {
        um_slots_release(&store->owners, made);
        return UMEM_E_NO_MEMORY;
    }
    made->id = options->id;
    made->pid = options->pid;
    made->open = true;
    um_list_init(&made->accounts);
    um_list_init(&made->heaps);
    um_list_init(&made->kept_heaps);
    um_list_init(&made->locks);
    um_list_init(&made->holds);
    um_list_init(&made->in_closing);
    *owner = made;
    return 0;
}

static void end_heaps(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && !um_list_is_empty(&owner->heaps); --*budget) {
        struct um_heap *heap = UM_LIST_ITEM(um_list_take(&owner->heaps), struct um_heap, in_owner);
        if (heap->lifetime == UM_LIFETIME_SESSION)
            um_heap_kill(store, heap, budget);
        else
            um_list_append(&owner->kept_heaps, &heap->in_owner);
        if (*budget == 0)
            return;
    }
}

static bool has_open_account(const struct um_owner *owner)
{
    return !um_list_is_empty(&owner->accounts) &&
           UM_LIST_ITEM(owner->accounts.next, const struct um_account, in_owner)->owner_open;
}

/* Those that have been looked at stand behind the others. */
static void end_accounts(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && has_open_account(owner); --*budget) {
        struct um_account *account =
            UM_LIST_ITEM(um_list_take(&owner->accounts), struct um_account, in_owner);
        um_list_append(&owner->accounts, &account->in_owner);
        if (account->dead || account->heap->destroyed) {
            account->owner_open = false; /* it goes with its heap */
        } else if (account->lifetime == UM_LIFETIME_SESSION) {
            account->owner_open = false;
            account->vanished = account->first != UM_SLOT_NONE && um_heap_is_observed(store, account->heap);
            um_account_kill(store, account);
        } else {
            um_account_orphan(store, account);
            um_account_free_if_unused(store, account);
        }
    }
}

void um_owner_end_step(struct um_store *store, struct um_owner *owner, size_t *budget)
{
    for (; *budget > 0 && owner->stage != UM_OWNER_ENDED; owner->stage++) {
        if (owner->stage == UM_OWNER_ENDS_HEAPS)
            end_heaps(store, owner, budget);
        else if (owner->stage == UM_OWNER_ENDS_ACCOUNTS)
            end_accounts(store, owner, budget);
        else if (owner->stage == UM_OWNER_ENDS_HOLDS)
            um_holds_end_step(store, owner, budget);
        else
            um_locks_end_step(store, owner, budget);
        if (*budget == 0)
            return;
    }
    if (owner->stage != UM_OWNER_ENDED)
        return;
    um_list_remove(&owner->in_closing);
    um_owner_free_if_unused(store, owner);
}

void um_owner_close(struct um_store *store, struct um_owner *owner)
{
    if (owner == NULL)
        return;
    assert(owner->open);
    /* From here on the owner goes with the last thing that is left of it. It is on this list so that it
     * cannot go before its end is done. */
    um_list_append(&store->closing_owners, &owner->in_closing);
    owner->open = false;
    owner->stage = UM_OWNER_ENDS_HEAPS;
    um_owner_end_step(store, owner, &store->ends_left);
    um_store_raise_events(store, &store->ends_left);
}

void um_owner_free_if_unused(struct um_store *store, struct um_owner *owner)
{
    if (owner->open || !um_list_is_empty(&owner->in_closing) || !um_list_is_empty(&owner->accounts) ||
        !um_list_is_empty(&owner->heaps) || !um_list_is_empty(&owner->kept_heaps) ||
        owner->pinned.blocks != 0)
        return;
    free(owner->program);
    um_slots_release(&store->owners, owner);
}

void um_owner_get_info(const struct um_owner *owner, struct um_owner_info *info)
{
    *info = (struct um_owner_info){
        .id = owner->id,
        .pid = owner->pid,
        .program = owner->program,
        .user = owner->user,
        .open = owner->open,
        .blocks = owner->made.blocks,
        .bytes = owner->made.bytes,
        .heaps = (uint64_t)owner->heap_count[UM_HEAP_PRIVATE] + owner->heap_count[UM_HEAP_SHARED],
        .shared_heaps = owner->heap_count[UM_HEAP_SHARED],
        .holds = owner->hold_count,
    };
}
