/* Owners: who made what, open or closed. */
#include "store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { HOLDS_ENDED_AT_ONCE = 4096 /* by um_owner_close(); the rest is left to um_store_reclaim() */ };

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
    um_list_init(&made->locks);
    um_list_init(&made->holds);
    um_list_init(&made->in_closing);
    *owner = made;
    return 0;
}

/* Makes its heaps of lifetime session stale and puts them on a list of those to be told. */
static void kill_session_heaps(struct um_store *store, struct um_owner *owner, struct um_link *killed)
{
    struct um_link *link = owner->heaps.next;
    while (link != &owner->heaps) {
        struct um_heap *heap = UM_LIST_ITEM(link, struct um_heap, in_owner);
        link = link->next;
        if (heap->lifetime == UM_LIFETIME_SESSION) {
            um_heap_kill(store, heap);
            um_list_append(killed, &heap->in_owner);
        }
    }
}

/* Makes what has lifetime session stale and orphans what is left. */
static void close_accounts(struct um_store *store, struct um_owner *owner)
{
    for (struct um_link *link = owner->accounts.next; link != &owner->accounts; link = link->next) {
        struct um_account *account = UM_LIST_ITEM(link, struct um_account, in_owner);
        if (account->dead)
            continue;
        if (account->lifetime == UM_LIFETIME_SESSION) {
            account->vanished = account->first != UM_SLOT_NONE && um_heap_is_observed(store, account->heap);
            um_account_kill(store, account);
        } else {
            um_account_orphan(store, account);
        }
    }
}

static void announce_heaps(struct um_store *store, struct um_link *killed)
{
    while (!um_list_is_empty(killed)) {
        struct um_heap *heap = UM_LIST_ITEM(killed->next, struct um_heap, in_owner);
        um_list_remove(&heap->in_owner);
        um_heap_announce(store, heap);
    }
}

static void announce_accounts(struct um_store *store, struct um_owner *owner)
{
    struct um_link *link = owner->accounts.next;
    while (link != &owner->accounts) {
        struct um_account *account = UM_LIST_ITEM(link, struct um_account, in_owner);
        link = link->next;
        if (account->dead)
            um_account_announce(store, account);
        else
            um_account_settle(store, account);
    }
}

void um_owner_close(struct um_store *store, struct um_owner *owner)
{
    if (owner == NULL)
        return;
    assert(owner->open);
    /* From here on the owner goes with the last thing that is left of it. It is on this list so that it
     * cannot go before this function is done with it. */
    um_list_append(&store->closing_owners, &owner->in_closing);
    owner->open = false;

    /* All is done before the first event tells of any of it, so that nobody is shown half of it. */
    struct um_link killed;
    size_t budget = HOLDS_ENDED_AT_ONCE;
    um_list_init(&killed);
    um_locks_drop_all(owner);
    kill_session_heaps(store, owner, &killed);
    close_accounts(store, owner);
    um_hold_end_all(store, owner, &budget);

    announce_heaps(store, &killed);
    announce_accounts(store, owner);
    um_locks_announce(store, owner);
    if (um_list_is_empty(&owner->holds))
        um_list_remove(&owner->in_closing);
    um_owner_settle(store, owner);
}

void um_owner_settle(struct um_store *store, struct um_owner *owner)
{
    if (owner->open || !um_list_is_empty(&owner->in_closing) || !um_list_is_empty(&owner->accounts) ||
        !um_list_is_empty(&owner->heaps))
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
