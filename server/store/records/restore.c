#include "store/records/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/memory/heap_shared.h"
#include "store/records/accounts.h"
#include "store/records/block_extra.h"
#include "store/records/blocks.h"
#include "store/records/durable_make.h"
#include "store/records/durable_notes.h"
#include "store/records/names.h"
#include "store/records/owners.h"

enum {
    BLOCK_SIZE = 48 /* bytes of a journal that a block takes */
};

/* One heap that is restored. */
struct restore {
    struct um_store *store;
    struct um_state *state;
    struct um_recovery *recovery;
    struct um_file *bytes; /* the file of bytes; NULL: it is not open, or the heap has it */
    void *memory;
    void **addresses;         /* of the blocks, as they come in the replay; NULL where there is none */
    struct um_owner **owners; /* as they come in the replay */
    struct um_heap *heap;
    uint64_t kept_size; /* bytes of the journal that the blocks take which are there */
    size_t given_up;    /* blocks, and names of blocks, because others have them */
    char why[UM_STATE_TEXT_CAPACITY];
};

/* ---- memory ---- */

static void close_bytes(struct restore *restore)
{
    if (restore->bytes != NULL)
        restore->state->files->ops->close(restore->bytes);
    restore->bytes = NULL;
}

/* Whether the file of bytes is this heap's, and whole. It stays open. */
static bool check_bytes(struct restore *restore)
{
    const struct um_files_ops *ops = restore->state->files->ops;
    const struct um_journal_header *expected = &restore->recovery->summary.header;
    uint64_t length = restore->recovery->replay.heap.length;
    unsigned char trailer[UM_JOURNAL_HEADER_SIZE];
    struct um_journal_summary found;
    char name[UM_JOURNAL_NAME_CAPACITY];
    uint64_t size = 0;
    enum um_file_status status;
    const char *path = restore->state->path;

    um_journal_name(name, expected->heap, 0);
    status = ops->open(restore->state->files, name, &restore->bytes);
    if (status != UM_FILE_OK) {
        restore->bytes = NULL;
        snprintf(restore->why, sizeof restore->why,
                 "%s/%s cannot be opened: %s; put it back, or move the heap's files elsewhere", path, name,
                 um_file_status_text(status));
        return false;
    }
    status = ops->get_size(restore->bytes, &size);
    if (status == UM_FILE_OK && size == length + UM_DURABLE_TRAILER_SIZE)
        status = ops->read(restore->bytes, length, trailer, sizeof trailer);
    if (status != UM_FILE_OK || size != length + UM_DURABLE_TRAILER_SIZE) {
        snprintf(restore->why, sizeof restore->why,
                 "%s/%s has %llu bytes, not %llu: it was cut, or is another heap's; put the right file back, "
                 "or move the "
                 "heap's files elsewhere",
                 path, name, (unsigned long long)size,
                 (unsigned long long)(length + UM_DURABLE_TRAILER_SIZE));
        return false;
    }
    (void)um_journal_examine(trailer, sizeof trailer, &found);
    if (found.header.id[0] == expected->id[0] && found.header.id[1] == expected->id[1] &&
        found.header.heap == expected->heap)
        return true;
    snprintf(restore->why, sizeof restore->why,
             "%s/%s is not the file that its journal is about (byte %llu); put the right file back, or move "
             "the heap's "
             "files elsewhere",
             path, name, (unsigned long long)length);
    return false;
}

static bool is_kept(const struct um_replay_block *block)
{
    return !block->is_freed && !block->is_session;
}

/* Maps the file, and takes the memory of all blocks. */
static bool restore_memory(struct restore *restore)
{
    const struct um_replay *replay = &restore->recovery->replay;
    char path[UM_STATE_PATH_CAPACITY];

    um_state_path(restore->state, replay->heap.handle, 0, path, sizeof path);
    if (!um_heap_shared_open(path, replay->heap.length, replay->heap.alignment, &restore->memory)) {
        restore->memory = NULL;
        snprintf(restore->why, sizeof restore->why,
                 "%s cannot be mapped: there is no memory or no descriptor for it", path);
        return false;
    }
    restore->addresses = calloc(replay->blocks.count + 1, sizeof *restore->addresses);
    if (restore->addresses == NULL) {
        snprintf(restore->why, sizeof restore->why, "there is no memory for the heap's blocks");
        return false;
    }
    for (size_t i = 0; i < replay->blocks.count; i++) {
        const struct um_replay_block *block = um_replay_block_at(replay, i);

        if (is_kept(block) &&
            !um_heap_shared_restore(restore->memory, block->offset, block->size, &restore->addresses[i])) {
            snprintf(restore->why, sizeof restore->why,
                     "%s: the block %llu at byte %llu overlaps another one, or the disk has no space for it",
                     path, (unsigned long long)block->handle, (unsigned long long)block->offset);
            return false;
        }
    }
    return true;
}

/* ---- records ---- */

/* A text of the replay as a string. */
static const char *text_of(const char *text, uint8_t size, char string[UM_NAME_SIZE_LIMIT + 1])
{
    memcpy(string, text, size);
    string[size] = '\0';
    return string;
}

bool um_restore_is_foreign(const struct um_state *state, const struct um_recovery *recovery)
{
    uint64_t place = recovery->summary.header.place;

    return place != 0 && place != state->handles.header.place;
}

/* A power failure may leave two heaps as they were at two moments. Where a block of each has the same slot, the older one was freed
 * before the other was allocated, and only that is not in its journal. */
static void give_up_slot(struct restore *restore, struct um_replay_block *block)
{
    struct um_slots *slots = &restore->store->blocks;
    um_handle other = um_slots_find_live(slots, block->handle);
    void *record = NULL;

    restore->given_up += other != 0;
    if (other > block->handle) {
        block->is_freed = true;
        block->is_replaced = true;
    } else if (other != 0 && um_slots_find(slots, other, &record) == UM_SLOT_OK) {
        um_block_free(restore->store, record);
    }
}

/* Likewise where two have the same name: this one has none from now on. */
static void give_up_name(struct restore *restore, struct um_replay_block *block)
{
    char name[UM_NAME_SIZE_LIMIT + 1];

    if (block->name_size == 0 ||
        um_names_find(&restore->store->block_names, text_of(block->name, block->name_size, name)) == NULL)
        return;
    block->name_size = 0;
    block->is_renamed = true;
    restore->given_up++;
}

/* Whether another heap has the handle or the name of this one, or a block's that must not be given up. */
static bool is_taken(const struct restore *restore)
{
    struct um_store *store = restore->store;
    const struct um_replay *replay = &restore->recovery->replay;
    bool is_copy = um_restore_is_foreign(restore->state, restore->recovery);
    char name[UM_NAME_SIZE_LIMIT + 1];

    if (um_slots_find_live(&store->heaps, replay->heap.handle) != 0)
        return true;
    if (replay->heap.name_size != 0 &&
        um_names_find(&store->heap_names, text_of(replay->heap.name, replay->heap.name_size, name)) != NULL)
        return true;
    for (size_t i = 0; i < replay->blocks.count; i++) {
        const struct um_replay_block *block = um_replay_block_at(replay, i);
        um_handle other = is_kept(block) ? um_slots_find_live(&store->blocks, block->handle) : 0;

        if (other != 0 && (is_copy || other == block->handle))
            return true;
        if (is_copy && is_kept(block) && block->name_size != 0 &&
            um_names_find(&store->block_names, text_of(block->name, block->name_size, name)) != NULL)
            return true;
    }
    return false;
}

static bool has_handles(const struct um_replay *replay)
{
    bool has = um_handle_is_of(replay->heap.handle, UM_HANDLE_HEAP);

    for (size_t i = 0; i < replay->blocks.count && has; i++)
        has = um_handle_is_of(um_replay_block_at(replay, i)->handle, UM_HANDLE_BLOCK);
    return has;
}

/* Says that the handle or a name is another heap's; `later` has the slot: 0: it is something else. */
static void explain_taken(struct restore *restore, um_handle later)
{
    char name[UM_JOURNAL_NAME_CAPACITY];

    um_journal_name(name, restore->recovery->heap, restore->recovery->number);
    if (later != 0 && !um_restore_is_foreign(restore->state, restore->recovery))
        snprintf(
            restore->why, sizeof restore->why,
            "%s/%s is of a heap that was destroyed before heap %llu was made: an older copy, or the power "
            "failed then; move both of its files elsewhere",
            restore->state->path, name, (unsigned long long)later);
    else
        snprintf(
            restore->why, sizeof restore->why,
            "%s/%s tells of a handle or a name that another heap or block has already: the file is a copy, "
            "or older than that; move both files of the heap to a directory of their own, where another "
            "umemd --state can serve it",
            restore->state->path, name);
}

/* Whether handles and names are free. Those of a copy of a heap's files are not, and those of a heap of another state directory need not
 * be. */
static bool check_records(struct restore *restore)
{
    const struct um_replay *replay = &restore->recovery->replay;
    char name[UM_JOURNAL_NAME_CAPACITY];
    size_t place;

    um_journal_name(name, replay->heap.handle, restore->recovery->number);
    if (is_taken(restore)) {
        explain_taken(restore, um_slots_find_live(&restore->store->heaps, replay->heap.handle));
        return false;
    }
    if (!has_handles(replay) || !um_replay_find_owner(replay, replay->heap.owner, &place)) {
        snprintf(restore->why, sizeof restore->why,
                 "%s/%s has a handle that is none, or does not say who made the heap: it is damaged; put a "
                 "backup of "
                 "both of the heap's files in their place, or move them elsewhere",
                 restore->state->path, name);
        return false;
    }
    for (size_t i = 0; i < replay->blocks.count; i++) {
        struct um_replay_block *block = um_replay_block_at(replay, i);

        if (is_kept(block))
            give_up_slot(restore, block);
        if (is_kept(block))
            give_up_name(restore, block);
    }
    return true;
}

static bool restore_owners(struct restore *restore)
{
    const struct um_replay *replay = &restore->recovery->replay;

    restore->owners = calloc(replay->owners.count + 1, sizeof(struct um_owner *));
    if (restore->owners == NULL)
        return false;
    for (size_t i = 0; i < replay->owners.count; i++) {
        const struct um_replay_owner *owner = um_replay_owner_at(replay, i);
        char program[UM_NAME_SIZE_LIMIT + 1];
        char user[UM_NAME_SIZE_LIMIT + 1];
        const struct um_owner_options options = {
            .id = owner->id,
            .pid = (int64_t)owner->pid,
            .program = text_of(owner->program, owner->program_size, program),
            .user = text_of(owner->user, owner->user_size, user),
        };

        if (um_owner_open(restore->store, &options, &restore->owners[i]) != 0)
            return false;
        if (owner->id > restore->store->last_owner_id)
            restore->store->last_owner_id = owner->id;
    }
    return true;
}

static struct um_owner *owner_of(const struct restore *restore, uint64_t id)
{
    const struct um_replay *replay = &restore->recovery->replay;
    size_t place;

    return um_replay_find_owner(replay, id, &place) ? restore->owners[place] : NULL;
}

static bool restore_heap(struct restore *restore)
{
    struct um_store *store = restore->store;
    struct um_recovery *recovery = restore->recovery;
    const struct um_journal_entry *entry = &recovery->replay.heap;
    struct um_owner *owner = owner_of(restore, entry->owner);
    struct um_heap *heap;
    char name[UM_NAME_SIZE_LIMIT + 1];

    if (!um_slots_raise_floor(&store->heaps, entry->handle))
        return false;
    heap = um_slots_restore(&store->heaps, entry->handle);
    if (heap == NULL)
        return false;
    restore->heap = heap;
    heap->ops = &um_heap_shared_ops;
    heap->memory = restore->memory;
    heap->memory_open = true;
    restore->memory = NULL;
    store->shared_heaps++;
    heap->kind = UM_HEAP_SHARED;
    heap->lifetime = UM_LIFETIME_SERVER;
    heap->is_durable = true;
    heap->flags = entry->flags;
    heap->alignment = entry->alignment;
    heap->initial_size = entry->initial_size;
    heap->maximum_size = entry->maximum_size;
    um_list_init(&heap->accounts);
    um_list_init(&heap->in_owner);
    um_list_init(&heap->in_locks);
    heap->owner = owner;
    um_list_append(&owner->heaps, &heap->in_owner);
    owner->heap_count[UM_HEAP_SHARED]++;
    store->stats.heaps++;
    if (entry->name_size == 0)
        return true;
    heap->name = um_names_new(&store->heap_names, text_of(entry->name, entry->name_size, name));
    if (heap->name == NULL)
        return false;
    um_names_insert(&store->heap_names, heap->name, entry->handle);
    return true;
}

static bool restore_block(struct restore *restore, const struct um_replay_block *found, void *address)
{
    struct um_store *store = restore->store;
    struct um_block *block;
    struct um_account *account;
    char text[UM_NAME_SIZE_LIMIT + 1];

    if (!um_slots_raise_floor(&store->blocks, found->handle))
        return false;
    if (!is_kept(found))
        return um_slots_restore_stale(&store->blocks, found->handle);
    restore->kept_size += BLOCK_SIZE + found->name_size;
    block = um_slots_restore(&store->blocks, found->handle);
    if (block == NULL)
        return false;
    block->memory = (uintptr_t)address;
    block->size = found->size;
    block->created_seconds = found->created;
    account = um_account_get(store, restore->heap, owner_of(restore, found->owner), UM_LIFETIME_SERVER);
    if (account == NULL)
        return false;
    if (found->name_size != 0) {
        struct um_block_extra *extra = um_extra_get(block);

        if (extra != NULL)
            extra->name = um_names_new(&store->block_names, text_of(found->name, found->name_size, text));
        if (extra == NULL || extra->name == NULL)
            return false;
        um_names_insert(&store->block_names, extra->name, found->handle);
    }
    um_account_link(store, account, block);
    um_usage_add(store, account, block);
    return true;
}

/* The record goes on with the journal where it ended. */
static bool continue_journal(struct restore *restore)
{
    struct um_recovery *recovery = restore->recovery;
    struct um_durable *durable = um_durable_new(restore->state, restore->heap, restore->bytes);

    if (durable == NULL)
        return false;
    if (um_journal_continue(&durable->journal, restore->state->files, recovery->number, recovery->file,
                            &recovery->summary, restore->kept_size) != UM_FILE_OK) {
        free(durable);
        return false;
    }
    durable->journal.holds = restore->state->is_always;
    if (um_restore_is_foreign(restore->state, recovery))
        um_journal_set_place(&durable->journal, restore->state->handles.header.place);
    recovery->file = NULL;
    restore->bytes = NULL;
    /* For all that is known: */
    durable->names_unsynced = true;
    durable->bytes_unsynced = true;
    durable->entry = recovery->replay.heap;
    durable->entry.name = NULL;
    durable->entry.name_size = 0;
    durable->entry.user = NULL;
    durable->is_marked = true;
    um_list_append(&restore->state->all, &durable->in_all);
    restore->heap->durable = durable;
    return true;
}

/* Has the journal say what another one's have shown. */
static bool note_given_up(struct restore *restore)
{
    const struct um_replay *replay = &restore->recovery->replay;
    bool done = true;

    for (size_t i = 0; i < replay->blocks.count && done; i++) {
        const struct um_replay_block *block = um_replay_block_at(replay, i);
        void *record = NULL;

        if (!block->is_replaced && !block->is_renamed)
            continue;
        done = um_heap_check_journal(restore->heap, true, NULL) == 0;
        if (!done)
            break;
        if (block->is_replaced)
            um_durable_note_free(restore->store, restore->heap, block->handle);
        else if (um_slots_find(&restore->store->blocks, block->handle, &record) == UM_SLOT_OK)
            um_durable_note_change(restore->store, record);
    }
    return done;
}

/* All but what check_records() and restore_memory() have found. False: no memory, and the store can only be freed. */
static bool restore_records(struct restore *restore)
{
    const struct um_replay *replay = &restore->recovery->replay;
    bool done = restore_owners(restore) && restore_heap(restore);

    for (size_t i = 0; i < replay->blocks.count && done; i++)
        done = restore_block(restore, um_replay_block_at(replay, i), restore->addresses[i]);
    done = done && continue_journal(restore) && note_given_up(restore);
    /* Sessions have ended: what they made is no one's. */
    for (size_t i = 0; restore->owners != NULL && i < replay->owners.count; i++)
        um_owner_close(restore->store, restore->owners[i]);
    return done;
}

/* ---- one heap ---- */

bool um_restore_heap(struct um_state *state, struct um_recovery *recovery)
{
    struct restore restore = {.store = state->store, .state = state, .recovery = recovery};
    bool done = true;

    if (check_bytes(&restore) && check_records(&restore) && restore_memory(&restore)) {
        done = restore_records(&restore);
    } else {
        um_state_report(state, restore.why);
        recovery->kind = UM_RECOVERY_CORRUPTED;
    }
    if (done && restore.given_up != 0) {
        snprintf(restore.why, sizeof restore.why,
                 "heap %llu in %s is of another moment than other heaps there, as after a power failure, or "
                 "with an "
                 "older copy of its files: %zu blocks or names of blocks were given up, because newer ones "
                 "have their "
                 "handles or names",
                 (unsigned long long)recovery->heap, state->path, restore.given_up);
        um_state_report(state, restore.why);
    }
    if (restore.memory != NULL)
        um_heap_shared_ops.destroy(restore.memory);
    close_bytes(&restore);
    free(restore.addresses);
    free(restore.owners);
    return done;
}

bool um_restore_try(struct um_state *state, struct um_recovery *recovery, um_handle other)
{
    struct restore restore = {.state = state, .recovery = recovery};
    bool is_whole = check_bytes(&restore);

    close_bytes(&restore);
    if (is_whole && other == 0)
        return true;
    if (is_whole)
        explain_taken(&restore, other);
    um_state_report(state, restore.why);
    return false;
}
