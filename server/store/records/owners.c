#include "store/records/owners.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/records/reclaim.h"

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

void um_owner_close(struct um_store *store, struct um_owner *owner)
{
    if (owner == NULL)
        return;
    assert(owner->open);
    /* From here on the owner is freed with the last record that refers to it. It is on this list so that it
     * cannot be freed before its end is done. */
    um_store_add_work(store, &store->closing_owners, &owner->in_closing);
    owner->open = false;
    owner->stage = UM_OWNER_ENDS_HEAPS;
    store->status.turn_is_used = true;
    um_owner_end_step(store, owner, &store->ends_left);
    um_store_raise_events(store, &store->ends_left);
    um_reclaim_update_status(store);
}

static uint64_t count_heaps(const struct um_owner *owner)
{
    uint64_t count = 0;

    for (int kind = 0; kind < UM_HEAP_KINDS; kind++)
        count += owner->heap_count[kind];
    return count;
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
        .heaps = count_heaps(owner),
        .shared_heaps = owner->heap_count[UM_HEAP_SHARED],
        .holds = owner->hold_count,
    };
}
