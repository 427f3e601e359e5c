/* Changing a block's name, lifetime and owner: all that it takes is obtained first, then everything changes at
 * once. */
#include "store/records/store_internal.h"

#include <assert.h>
#include <string.h>

/* What a change comes down to. */
struct change {
    struct um_account *account; /* that the block belongs to now */
    struct um_account *target;  /* that it will belong to */
    struct um_name *name;       /* new name, or NULL */
    struct um_hold *hold;       /* for the owner so far, who goes on holding the block; or NULL */
    bool drops_name;            /* the name so far goes */
    bool adopts;                /* the maker holds it from now on */
};

static int get_name(struct um_store *store, const struct um_block *block, const char *name,
                    struct change *change, struct um_fault *fault)
{
    const struct um_name *present = um_extra_of(block) != NULL ? um_extra_of(block)->name : NULL;
    if (name == NULL || (present != NULL && strcmp(present->text, name) == 0))
        return 0;
    if (name[0] != '\0') {
        int code = um_block_name_new(store, name, &change->name, fault);
        if (code != 0)
            return code;
    }
    change->drops_name = present != NULL;
    return 0;
}

/* Whether the new owner may have so many bytes. */
static int check_owner(const struct um_store *store, const struct um_block *block,
                       const struct um_owner *owner, const struct um_account *account, struct um_fault *fault)
{
    int code = 0;
    if (owner != account->owner)
        code = um_block_check_owner(store, account->heap, owner, block->size, fault);
    if (code != 0 && fault != NULL)
        fault->block = um_block_handle(store, block);
    return code;
}

/* Gets the account that the block goes to and, where it changes owners, the hold that the first one keeps. */
static bool get_target(struct um_store *store, struct um_block *block, struct um_owner *owner,
                       enum um_lifetime lifetime, struct change *change)
{
    struct um_account *account = change->account;
    bool maker_holds =
        account->owner_open && (um_extra_of(block) == NULL || !um_extra_of(block)->maker_released);
    change->target = account;
    if (owner == account->owner && lifetime == account->lifetime)
        return true;
    if (owner != account->owner && maker_holds) {
        change->hold = um_hold_new(block, account->owner);
        if (change->hold == NULL)
            return false;
    }
    change->target = um_account_get(store, account->heap, owner, lifetime);
    return change->target != NULL;
}

static void apply(struct um_store *store, struct um_block *block, const struct change *change)
{
    struct um_account *account = change->account;
    struct um_account *target = change->target;
    um_usage_remove(store, account, block);
    if (change->drops_name) {
        um_names_free(&store->block_names, um_extra_of(block)->name);
        um_extra_of(block)->name = NULL;
    }
    if (change->name != NULL) {
        um_extra_of(block)->name = change->name;
        um_names_insert(&store->block_names, change->name, um_block_handle(store, block));
    }
    if (target->owner != account->owner) {
        struct um_hold *former = um_hold_find(store, block, target->owner);
        if (former != NULL)
            um_hold_free(store, former); /* it holds it as the owner now */
        if (change->hold != NULL)
            um_hold_place(store, change->hold);
    }
    if (change->adopts && um_extra_of(block) != NULL)
        um_extra_of(block)->maker_released = false;
    if (target != account) {
        um_account_unlink(store, account, block);
        um_account_link(store, target, block);
    }
    um_usage_add(store, target, block);
    um_extra_tidy(block);
    um_account_free_if_unused(store, account);
}

int um_block_change(struct um_store *store, struct um_block *block, struct um_owner *owner, const char *name,
                    const enum um_lifetime *lifetime, struct um_fault *fault)
{
    assert(owner != NULL && owner->open);
    struct change change = {.account = um_account_of(store, block)};
    bool is_orphan = um_block_ownership(change.account, block) == UM_OWNERSHIP_NONE;
    bool takes_over = is_orphan || (lifetime != NULL && *lifetime == UM_LIFETIME_SESSION);
    change.adopts = takes_over;

    struct um_owner *target = takes_over ? owner : change.account->owner;

    int code = check_owner(store, block, target, change.account, fault);
    if (code == 0)
        code = get_name(store, block, name, &change, fault);
    if (code != 0)
        return code;
    bool obtained =
        get_target(store, block, target, lifetime != NULL ? *lifetime : change.account->lifetime, &change);
    code = change.hold != NULL ? um_hold_check_quota(store, block, fault) : 0;
    if (code == 0 && obtained && (change.name != NULL || change.hold != NULL))
        obtained = um_extra_get(block) != NULL;
    if (code == 0 && obtained) {
        apply(store, block, &change);
        return 0;
    }
    um_names_free(&store->block_names, change.name);
    um_hold_discard(change.hold);
    if (code != 0)
        return code;
    return um_fault(fault, UMEM_E_NO_MEMORY,
                    (struct um_fault){.block = um_block_handle(store, block),
                                      .what = "the system has no memory to note the change"});
}
