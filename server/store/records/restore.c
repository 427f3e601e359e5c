/* Durable heaps come back: what their journals say becomes records again, at the same handles. A heap is restored as a whole or not at
 * all: its memory first, then its records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/journal/journal_recovery.h"
#include "store/memory/heap_shared.h"
#include "store/records/accounts.h"
#include "store/records/block_extra.h"
#include "store/records/blocks.h"
#include "store/records/durable_handles.h"
#include "store/records/durable_make.h"
#include "store/records/durable_notes.h"
#include "store/records/names.h"
#include "store/records/owners.h"
#include "store/records/state_sync.h"

enum {
    WHY_CAPACITY = 4096 + 512,
    PATH_CAPACITY = 4096,
    BLOCK_SIZE = 48,     /* bytes of a journal that a block takes */
    LISTED_SLOTS = 65536 /* a damaged heap is listed in one of these, whatever its file's name says */
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
    char why[WHY_CAPACITY];
};

/* ---- heaps that cannot be used ---- */

static void *lost_alloc(void *memory, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)size;
    (void)alignment;
    return NULL;
}

static bool lost_validate(void *memory, void *address, uint64_t size, uint32_t alignment)
{
    (void)memory;
    (void)address;
    (void)size;
    (void)alignment;
    return false;
}

static bool lost_compact_step(void *memory, uint64_t *largest_free)
{
    (void)memory;
    *largest_free = 0;
    return false;
}

static void lost_get_stats(void *memory, struct um_heap_memory_stats *stats)
{
    (void)memory;
    *stats = (struct um_heap_memory_stats){.corrupted = true};
}

static const struct um_heap_ops lost_ops = {
    .validates_whole = true,
    .alloc = lost_alloc,
    .validate = lost_validate,
    .compact_step = lost_compact_step,
    .get_stats = lost_get_stats,
};

/* A record that says that the heap is there. It has no owner, no memory and no blocks. When those that can be used are there: the name of
 * a file that was copied or renamed may be no handle, or have another heap's slot. Then there is only what was reported. */
static void add_lost(struct um_store *store, uint64_t handle)
{
    struct um_heap *heap = NULL;

    if (um_handle_slot(handle) < LISTED_SLOTS || um_handle_slot(handle) < store->heaps.used)
        heap = um_slots_restore(&store->heaps, handle);
    if (heap == NULL)
        return;
    (void)um_slots_raise_floor(&store->heaps,
                               handle); /* its own generation says the same while it is there */
    heap->ops = &lost_ops;
    heap->kind = UM_HEAP_SHARED;
    heap->lifetime = UM_LIFETIME_SERVER;
    heap->alignment = UM_ALIGNMENT_MINIMUM;
    heap->is_durable = true;
    heap->is_lost = true;
    um_list_init(&heap->accounts);
    um_list_init(&heap->in_owner);
    um_list_init(&heap->in_locks);
    store->stats.heaps++;
}

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
    char path[PATH_CAPACITY];

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

/* Has a journal say which state directory it is of. Where that cannot be written, it is so after the next start. */
static void set_place(const struct um_state *state, struct um_journal *journal, uint64_t place)
{
    unsigned char bytes[UM_JOURNAL_HEADER_SIZE];
    struct um_journal_header header = journal->header;

    journal->header.place = place;
    header.place = place;
    header.key = journal->current.key;
    um_journal_put_header(bytes, &header);
    (void)state->files->ops->write(journal->current.file, 0, bytes, sizeof bytes);
}

/* Whether the heap was made in another state directory, and its files were copied here. Where the journal of handles is a new one (a power
 * failure took the former, or somebody), this directory is that of the first heap. */
static bool is_foreign(struct um_state *state, const struct um_recovery *recovery)
{
    uint64_t place = recovery->summary.header.place;

    if (place != 0 && state->is_new) {
        state->is_new = false;
        set_place(state, &state->handles, place);
        (void)state->files->ops->sync(
            state->handles.current.file); /* else the next start takes all heaps for foreign */
    }
    return place != 0 && place != state->handles.header.place;
}

/* A power failure may leave two heaps as they were at two moments. Where a block of each has the same slot, the older one was freed
 * before the other was allocated, and only that is not in its journal. */
static void settle_slot(struct restore *restore, struct um_replay_block *block)
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
static void settle_name(struct restore *restore, struct um_replay_block *block)
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
    bool is_copy = is_foreign(restore->state, restore->recovery);
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
    if (later != 0 && !is_foreign(restore->state, restore->recovery))
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
            settle_slot(restore, block);
        if (is_kept(block))
            settle_name(restore, block);
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
    if (is_foreign(restore->state, recovery))
        set_place(restore->state, &durable->journal, restore->state->handles.header.place);
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
static bool note_settled(struct restore *restore)
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
    done = done && continue_journal(restore) && note_settled(restore);
    /* Sessions have ended: what they made is no one's. */
    for (size_t i = 0; restore->owners != NULL && i < replay->owners.count; i++)
        um_owner_close(restore->store, restore->owners[i]);
    return done;
}

/* ---- one heap ---- */

static void report(const struct um_state_options *options, const char *text)
{
    if (options->report != NULL)
        options->report(options->context, text);
}

/* The heap is there, but is it as its journal says? False where the store has no memory to go on. */
static bool restore_one(struct um_state *state, struct um_recovery *recovery,
                        const struct um_state_options *options)
{
    struct restore restore = {.store = state->store, .state = state, .recovery = recovery};
    bool done = true;

    if (check_bytes(&restore) && check_records(&restore) && restore_memory(&restore)) {
        done = restore_records(&restore);
    } else {
        report(options, restore.why);
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
        report(options, restore.why);
    }
    if (restore.memory != NULL)
        um_heap_shared_ops.destroy(restore.memory);
    close_bytes(&restore);
    free(restore.addresses);
    free(restore.owners);
    return done;
}

/* Which handles of all kinds must not be given out. */
static bool raise_floors(struct um_store *store, const struct um_replay *replay)
{
    for (size_t i = 0; i < replay->blocks.count; i++) {
        uint64_t handle = um_replay_block_at(replay, i)->handle;
        struct um_slots *slots = (handle & 3) == UM_HANDLE_HEAP ? &store->heaps : &store->blocks;

        if (!um_slots_raise_floor(slots, handle))
            return false;
    }
    return true;
}

/* ---- the journal of handles ---- */

static enum um_file_status make_handles(struct um_state *state, uint64_t seed)
{
    const struct um_journal_header header = {
        .id = {seed, ~seed}, .key = seed, .place = um_hash_mix(seed) | 1};

    state->is_new = true;
    return um_journal_create(&state->handles, state->files, &header, NULL);
}

static bool open_handles(struct um_state *state, struct um_recovery *recovery,
                         const struct um_state_options *options, char *why, size_t capacity)
{
    enum um_file_status status = UM_FILE_OK;

    if (recovery->kind == UM_RECOVERY_CORRUPTED || recovery->kind == UM_RECOVERY_FAILED) {
        um_recovery_explain(recovery, options->path, why, capacity);
        return false;
    }
    if (recovery->kind == UM_RECOVERY_UNFINISHED) {
        status = make_handles(state, options->seed);
    } else {
        if (!raise_floors(state->store, &recovery->replay)) {
            snprintf(why, capacity, "no memory");
            return false;
        }
        status = um_journal_continue(&state->handles, state->files, recovery->number, recovery->file,
                                     &recovery->summary, recovery->summary.end);
        if (status == UM_FILE_OK)
            recovery->file = NULL;
    }
    if (status != UM_FILE_OK)
        snprintf(why, capacity, "the journal of handles in %s cannot be written: %s", options->path,
                 um_file_status_text(status));
    return status == UM_FILE_OK;
}

/* Keeps the handles of a heap that was destroyed elsewhere than in its journal. On a full disk its bytes make space for that. */
static bool save_handles(struct um_state *state, const struct um_recovery *recovery)
{
    if (um_state_save_handles(state))
        return true;
    return recovery->replay.is_destroyed && recovery->file != NULL &&
           state->files->ops->sync(recovery->file) == UM_FILE_OK &&
           um_journal_remove(state->files, recovery->heap, 0) == UM_FILE_OK && um_state_save_handles(state);
}

/* Removes what is left of a heap that was destroyed or only begun, when its handles are kept elsewhere. Where there is no space for that, the
 * files stay, and say the same at the next start. */
static bool remove_unfinished(struct um_state *state, struct um_recovery *recovery,
                              const struct um_heap_files *list, const struct um_state_options *options)
{
    char text[WHY_CAPACITY];

    if (!um_slots_raise_floor(&state->store->heaps, recovery->heap) ||
        !raise_floors(state->store, &recovery->replay))
        return false;
    if (save_handles(state, recovery))
        return um_recovery_tidy(recovery, state->files, list) == UM_FILE_OK;
    snprintf(text, sizeof text,
             "the files of heap %llu in %s, which was destroyed, cannot be removed before handles.*.journal "
             "can be "
             "written anew; make space, and start umemd again",
             (unsigned long long)recovery->heap, options->path);
    report(options, text);
    return state->handles.state == UM_JOURNAL_OPEN;
}

/* ---- all ---- */

/* Whether a heap was only begun: it has no blocks, and either the file for them was not made, or who made it was not written, which is what
 * the first answer about it waits for. */
static bool is_begun_only(const struct um_recovery *recovery)
{
    const struct um_replay *replay = &recovery->replay;
    size_t place;

    return recovery->kind == UM_RECOVERY_HEAP && recovery->heap != 0 && replay->blocks.count == 0 &&
           (!recovery->has_bytes || !um_replay_find_owner(replay, replay->heap.owner, &place));
}

/* Whether a journal of which nothing is left was on the disk once: the heap's bytes say so. */
static bool has_mark(const struct um_state *state, const struct um_recovery *recovery)
{
    const struct um_files_ops *ops = state->files->ops;
    unsigned char mark[sizeof UM_DURABLE_MARK];
    char name[UM_JOURNAL_NAME_CAPACITY];
    struct um_file *file;
    uint64_t size;
    bool found;

    um_journal_name(name, recovery->heap, 0);
    if (!recovery->has_bytes || ops->open(state->files, name, &file) != UM_FILE_OK)
        return false;
    found = ops->get_size(file, &size) == UM_FILE_OK && size >= UM_DURABLE_TRAILER_SIZE &&
            ops->read(file, size - UM_DURABLE_TRAILER_SIZE + UM_JOURNAL_HEADER_SIZE, mark, sizeof mark) ==
                UM_FILE_OK &&
            memcmp(mark, UM_DURABLE_MARK, sizeof mark) == 0;
    ops->close(file);
    return found;
}

/* A journal of which nothing is left, though it was on the disk, was cut. */
static void judge_empty(const struct um_state *state, struct um_recovery *recovery)
{
    if (recovery->kind != UM_RECOVERY_UNFINISHED || recovery->replay.is_destroyed ||
        !has_mark(state, recovery))
        return;
    recovery->kind = UM_RECOVERY_CORRUPTED;
    recovery->verdict = UM_JOURNAL_EMPTY;
}

static bool open_one(struct um_state *state, struct um_recovery *recovery, const struct um_heap_files *list,
                     const struct um_state_options *options, char *why, size_t capacity)
{
    char text[WHY_CAPACITY];

    snprintf(why, capacity, "no memory, or the files in %s cannot be written", options->path);
    if (is_begun_only(recovery)) {
        state->files->ops->close(recovery->file);
        recovery->file = NULL;
        recovery->kind = UM_RECOVERY_UNFINISHED;
    }
    if (recovery->heap == 0) {
        if (recovery->kind == UM_RECOVERY_UNFINISHED)
            (void)um_recovery_tidy(recovery, state->files, list);
        return open_handles(state, recovery, options, why, capacity);
    }
    judge_empty(state, recovery);
    switch (recovery->kind) {
    case UM_RECOVERY_HEAP:
        return um_recovery_tidy(recovery, state->files, list) == UM_FILE_OK &&
               restore_one(state, recovery, options);
    case UM_RECOVERY_UNFINISHED:
        return remove_unfinished(state, recovery, list, options);
    case UM_RECOVERY_CORRUPTED:
    case UM_RECOVERY_FAILED:
        um_recovery_explain(recovery, options->path, text, sizeof text);
        report(options, text);
        return true;
    }
    return false;
}

static struct um_state *new_state(struct um_store *store, const struct um_state_options *options)
{
    struct um_state *state = calloc(1, sizeof *state);

    if (state == NULL)
        return NULL;
    state->path = malloc(strlen(options->path) + 1);
    if (state->path == NULL) {
        free(state);
        return NULL;
    }
    strcpy(state->path, options->path);
    state->store = store;
    state->files = options->files;
    state->chance = options->seed;
    um_list_init(&state->all);
    um_list_init(&state->ended);
    um_list_init(&state->uncommitted);
    um_list_init(&state->unsynced);
    um_list_init(&state->failed);
    um_list_init(&state->failing);
    state->is_always = options->is_always;
    state->context = options->context;
    state->report = options->report;
    return state;
}

/* What was found out of two journals is in one of them on the disk before the other changes: else it might come back. */
static void sync_settled(struct um_state *state)
{
    struct um_store_sync sync;

    if (um_list_is_empty(&state->uncommitted))
        return;
    while (um_store_sync_begin(state->store, &sync)) {
        um_store_sync_run(&sync);
        um_store_sync_end(state->store, &sync);
    }
}

/* Whether a heap waits for others: it was made elsewhere, or one that was made later has its slot. Those come first. */
static bool is_later(struct um_state *state, const struct um_recovery *recovery,
                     const struct um_heap_files *list, size_t next)
{
    if (recovery->kind != UM_RECOVERY_HEAP || recovery->heap == 0 || is_begun_only(recovery))
        return false;
    for (; next < list->count; next++) {
        if (um_handle_slot(list->row[next].heap) == um_handle_slot(recovery->heap))
            return true;
    }
    return is_foreign(state, recovery);
}

/* The handle of a heap that cannot be used; 0: it can. The journal knows it better than its name does. */
static uint64_t lost_handle(const struct um_recovery *recovery)
{
    uint64_t own = recovery->summary.header.heap;

    if (recovery->kind != UM_RECOVERY_CORRUPTED && recovery->kind != UM_RECOVERY_FAILED)
        return 0;
    return own != 0 ? own : recovery->heap;
}

/* Opens all heaps of the list that come first, or those that come later. */
static bool open_list(struct um_state *state, struct um_heap_files *list, bool later,
                      const struct um_state_options *options, char *why, size_t capacity)
{
    bool done = true;

    for (size_t at = 0; at < list->count && done;) {
        struct um_heap_file *row = &list->row[at];
        struct um_recovery recovery;

        if (later && !row->is_later) {
            at++;
            continue;
        }
        um_recovery_init(&recovery, state->files, list, &at);
        row->is_later = !later && is_later(state, &recovery, list, at);
        if (!row->is_later) {
            done = open_one(state, &recovery, list, options, why, capacity);
            row->lost = lost_handle(&recovery);
        }
        um_recovery_deinit(&recovery, state->files);
    }
    return done;
}

/* Reads all that is there. */
static bool open_all(struct um_state *state, const struct um_state_options *options, char *why,
                     size_t capacity)
{
    struct um_heap_files list;
    enum um_file_status status = um_heap_files_init(&list, state->files);
    bool done = status == UM_FILE_OK;

    if (done && (list.count == 0 || list.row[0].heap != 0)) {
        status = make_handles(state, options->seed);
        done = status == UM_FILE_OK;
    }
    if (!done)
        snprintf(why, capacity, "the state directory %s cannot be used: %s", options->path,
                 um_file_status_text(status));
    done = done && open_list(state, &list, false, options, why, capacity) &&
           open_list(state, &list, true, options, why, capacity);
    for (size_t i = 0; i < list.count && done; i++) {
        if (list.row[i].lost != 0)
            add_lost(state->store, list.row[i].lost);
    }
    um_heap_files_deinit(&list);
    um_slots_end_restoring(&state->store->heaps);
    um_slots_end_restoring(&state->store->blocks);
    if (done)
        sync_settled(state);
    return done;
}

int um_store_open_state(struct um_store *store, const struct um_state_options *options, char *why,
                        size_t capacity)
{
    struct um_state_options found = *options;
    struct um_state_directory *directory = NULL;

    if (found.files == NULL) {
        int code = um_state_directory_open(options->path, true, &directory, why, capacity);

        if (code != UMEM_OK)
            return code;
        found.files = um_state_directory_files(directory);
        found.path = um_state_directory_path(directory);
    }
    store->state = new_state(store, &found);
    if (store->state == NULL) {
        um_state_directory_close(directory);
        snprintf(why, capacity, "no memory");
        return UMEM_E_NO_MEMORY;
    }
    store->state->directory = directory;
    um_slots_allow_former(&store->heaps);
    um_slots_allow_former(&store->blocks);
    return open_all(store->state, &found, why, capacity) ? UMEM_OK : UMEM_E_INTERNAL_ERROR;
}

/* ---- looking at it only ---- */

/* Whether the journal of handles can be used, without which no heap can: UMEM_E_DENIED where not. */
static int try_handles(struct um_files *files, const char *path, char *why, size_t capacity)
{
    struct um_heap_files list;
    struct um_recovery recovery;
    enum um_file_status status = um_heap_files_init(&list, files);
    int code = UMEM_OK;
    size_t at = 0;

    if (status != UM_FILE_OK) {
        snprintf(why, capacity, "the state directory %s cannot be used: %s", path,
                 um_file_status_text(status));
        code = UMEM_E_DENIED;
    } else if (list.count != 0 && list.row[0].heap == 0) {
        um_recovery_init(&recovery, files, &list, &at);
        if (recovery.kind == UM_RECOVERY_CORRUPTED || recovery.kind == UM_RECOVERY_FAILED) {
            um_recovery_explain(&recovery, path, why, capacity);
            code = UMEM_E_DENIED;
        }
        um_recovery_deinit(&recovery, files);
    }
    um_heap_files_deinit(&list);
    return code;
}

int um_state_try(const char *path, int64_t *holder, char *why, size_t capacity)
{
    struct um_state_directory *directory = NULL;
    int code = um_state_directory_open(path, true, &directory, why, capacity);

    if (code == UMEM_OK)
        code = try_handles(um_state_directory_files(directory), um_state_directory_path(directory), why,
                           capacity);
    um_state_directory_close(directory);
    if (code == UMEM_E_NAME_TAKEN)
        *holder = um_state_directory_holder(path);
    return code;
}

/* The heap that can be used, and has this one's slot; 0: none has. */
static um_handle find_used(const struct um_heap_files *list, um_handle heap)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->row[i].is_used && um_handle_slot(list->row[i].heap) == um_handle_slot(heap))
            return list->row[i].heap;
    }
    return 0;
}

/* Whether there is a heap that can be used; what is wrong is reported. */
static bool examine_one(struct um_state *state, struct um_recovery *recovery,
                        const struct um_heap_files *list, const struct um_state_options *options)
{
    struct restore restore = {.state = state, .recovery = recovery};
    char text[WHY_CAPACITY];
    um_handle other;
    bool is_used;

    judge_empty(state, recovery);
    if (recovery->kind == UM_RECOVERY_CORRUPTED || recovery->kind == UM_RECOVERY_FAILED) {
        um_recovery_explain(recovery, options->path, text, sizeof text);
        report(options, text);
    }
    if (recovery->kind != UM_RECOVERY_HEAP || recovery->heap == 0 || is_begun_only(recovery))
        return false;
    is_used = check_bytes(&restore);
    close_bytes(&restore);
    other = is_used ? find_used(list, recovery->heap) : 0;
    if (other != 0) {
        explain_taken(&restore, other);
        is_used = false;
    }
    if (!is_used)
        report(options, restore.why);
    return is_used;
}

/* Those of the list that come first, or those that come later, as open_list() has them. Returns how many can be used. */
static size_t examine_list(struct um_state *state, struct um_heap_files *list, bool later,
                           const struct um_state_options *options)
{
    size_t count = 0;

    for (size_t at = 0; at < list->count;) {
        struct um_heap_file *row = &list->row[at];
        struct um_recovery recovery;

        if (later && !row->is_later) {
            at++;
            continue;
        }
        um_recovery_init(&recovery, state->files, list, &at);
        if (state->handles.header.place == 0 && recovery.kind == UM_RECOVERY_HEAP)
            state->handles.header.place = recovery.summary.header.place;
        row->is_later = !later && is_later(state, &recovery, list, at);
        if (!row->is_later)
            row->is_used = examine_one(state, &recovery, list, options);
        count += row->is_used;
        um_recovery_deinit(&recovery, state->files);
    }
    return count;
}

static int examine_all(const struct um_state_options *options, size_t *heaps, char *why, size_t capacity)
{
    struct um_state state = {.files = options->files, .path = (char *)(uintptr_t)options->path};
    struct um_heap_files list;
    enum um_file_status status = um_heap_files_init(&list, options->files);

    if (status == UM_FILE_OK)
        *heaps = examine_list(&state, &list, false, options) + examine_list(&state, &list, true, options);
    um_heap_files_deinit(&list);
    if (status != UM_FILE_OK)
        snprintf(why, capacity, "the state directory %s cannot be read: %s", options->path,
                 um_file_status_text(status));
    return status == UM_FILE_OK ? UMEM_OK : UMEM_E_INTERNAL_ERROR;
}

int um_state_examine(const struct um_state_options *options, size_t *heaps, char *why, size_t capacity)
{
    struct um_state_options found = *options;
    struct um_state_directory *directory = NULL;
    int code = UMEM_OK;

    *heaps = 0;
    if (found.files == NULL) {
        code = um_state_directory_open(options->path, false, &directory, why, capacity);
        if (code != UMEM_OK)
            return code;
        found.files = um_state_directory_files(directory);
        found.path = um_state_directory_path(directory);
    }
    code = examine_all(&found, heaps, why, capacity);
    um_state_directory_close(directory);
    return code;
}
