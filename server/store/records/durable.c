#include "store/records/durable.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/memory/heap_shared.h"
#include "store/records/fault.h"
#include "store/records/unused.h"

enum {
    NOTE_SIZE = 1024, /* bytes that a change takes in a journal, at most: an owner and a block with a name */
    SLOTS_A_PIECE = 4096,  /* that are looked at in one piece of writing a journal anew */
    BLOCKS_A_PIECE = 1024, /* that are written in one */
    PATH_CAPACITY = 4096
};

void um_state_path(const struct um_state *state, uint64_t heap, uint32_t number, char *path, size_t capacity)
{
    char name[UM_JOURNAL_NAME_CAPACITY];

    um_journal_name(name, heap, number);
    snprintf(path, capacity, "%s/%s", state->path, name);
}

static uint64_t draw(struct um_state *state)
{
    state->chance += UINT64_C(0x9e3779b97f4a7c15);
    return um_hash_mix(state->chance);
}

/* ---- faults ---- */

/* A full disk, or the like: nothing has changed. */
static int no_space(struct um_state *state, uint64_t heap, uint32_t number, enum um_file_status status,
                    struct um_fault *fault)
{
    char path[PATH_CAPACITY];

    um_state_path(state, heap, number, path, sizeof path);
    snprintf(state->text, sizeof state->text, "%s cannot be extended: %s; make space there, or free blocks",
             path, um_file_status_text(status));
    return um_fault(fault, UMEM_E_NO_MEMORY, (struct um_fault){.heap = heap, .what = state->text});
}

static int has_failed(const struct um_durable *durable, struct um_fault *fault)
{
    const struct um_journal *journal = &durable->journal;
    struct um_state *state = durable->state;
    char path[PATH_CAPACITY];

    um_state_path(state, journal->header.heap, durable->bytes_failed ? 0 : journal->current.number, path,
                  sizeof path);
    snprintf(state->text, sizeof state->text,
             "%s could not be written: %s; the heap can only be read until umemd is started again", path,
             um_file_status_text(journal->failure));
    return um_fault(fault, UMEM_E_CORRUPTED,
                    (struct um_fault){.heap = journal->header.heap, .what = state->text});
}

/* Where the journal has failed: counts that once, and says it. The memory that was to be freed stays as it is: the blocks come back. Returns
 * whether the journal goes on. */
static bool is_open(struct um_durable *durable)
{
    struct um_state *state = durable->state;
    struct um_fault fault = {0};

    if (durable->journal.state == UM_JOURNAL_OPEN)
        return true;
    durable->freed_count = 0;
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    if (durable->is_failure_told)
        return false;
    durable->is_failure_told = true;
    state->store->status.failures++;
    if (state->report != NULL) {
        (void)has_failed(durable, &fault);
        state->report(state->context, fault.what);
    }
    return false;
}

/* One that is destroyed is looked for among all that were, if its files are still there. */
bool um_store_heap_has_failed(const struct um_store *store, um_handle heap, struct um_fault *fault)
{
    const struct um_state *state = store->state;
    const struct um_link *lists[] = {&state->all, &state->ended, &state->failed};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const struct um_link *link = lists[i]->next; link != lists[i]; link = link->next) {
            const struct um_durable *durable = UM_LIST_ITEM(link, const struct um_durable, in_all);

            if (durable->journal.header.heap != heap)
                continue;
            if (durable->journal.state == UM_JOURNAL_OPEN)
                return false;
            (void)has_failed(durable, fault);
            return true;
        }
    }
    return false;
}

/* ---- commits ---- */

static void note_unsynced(struct um_durable *durable)
{
    if (um_list_is_empty(&durable->in_unsynced))
        um_list_append(&durable->state->unsynced, &durable->in_unsynced);
}

/* Notes a change that an answer may tell of. */
static void note_changed(struct um_durable *durable)
{
    struct um_store_status *status = &durable->state->store->status;

    status->is_uncommitted = true;
    status->changes++;
    status->changed = durable->journal.header.heap;
}

static void note_uncommitted(struct um_durable *durable)
{
    if (um_list_is_empty(&durable->in_uncommitted))
        um_list_append(&durable->state->uncommitted, &durable->in_uncommitted);
    note_changed(durable);
}

void um_durable_note_bytes(struct um_durable *durable)
{
    if (!durable->state->is_always)
        return;
    note_changed(durable);
    if (durable->journal.state != UM_JOURNAL_OPEN) {
        durable->state->store->status.failures++; /* it is not on the disk, and the answer is to say so */
        return;
    }
    durable->bytes_unsynced = true;
    note_unsynced(durable);
}

/* Frees the first `count` of those that wait. */
static void release_freed(struct um_durable *durable, size_t count)
{
    struct um_heap *heap = durable->heap;

    if (count > durable->freed_count)
        count = durable->freed_count; /* the heap was destroyed since */
    for (size_t i = 0; i < count && heap != NULL; i++) {
        const struct um_freed *freed = &durable->freed[i];

        if (durable->state->store->wipes)
            heap->ops->wipe(heap->memory, freed->address, freed->size);
        heap->ops->free(heap->memory, freed->address, freed->size, heap->alignment);
    }
    durable->freed_count -= count;
    if (durable->freed_count != 0)
        memmove(durable->freed, durable->freed + count, durable->freed_count * sizeof *durable->freed);
}

static void note_work(struct um_durable *durable)
{
    if (durable->heap == NULL || !um_journal_wants_compaction(&durable->journal))
        return;
    durable->state->has_work = true;
    durable->state->store->status.has_work = true;
}

/* Writes what was noted for one heap. */
static bool commit(struct um_durable *durable)
{
    um_list_remove(&durable->in_uncommitted);
    (void)um_journal_commit(&durable->journal);
    if (!is_open(durable))
        return false;
    release_freed(durable, durable->freed_count);
    note_unsynced(durable);
    note_work(durable);
    return true;
}

void um_store_commit(struct um_store *store)
{
    struct um_state *state = store->state;

    store->status.is_uncommitted = false;
    if (state == NULL)
        return;
    while (!um_list_is_empty(&state->uncommitted)) {
        struct um_durable *durable =
            UM_LIST_ITEM(um_list_take(&state->uncommitted), struct um_durable, in_uncommitted);

        if (!state->is_always)
            (void)commit(durable);
        else if (is_open(durable))
            note_unsynced(durable);
    }
}

bool um_durable_release(struct um_durable *durable)
{
    if (durable->freed_count == 0 || durable->state->is_always)
        return false;
    return commit(durable);
}

bool um_durable_has_freed(const struct um_durable *durable)
{
    return durable->freed_count != 0;
}

/* Makes space for one more. Where there is none, the memory is free when the daemon is started again. */
static bool grow_freed(struct um_durable *durable)
{
    size_t capacity = durable->freed_capacity != 0 ? 2 * durable->freed_capacity : UM_DURABLE_FREED_LIMIT;
    struct um_freed *grown;

    if (durable->freed_count < durable->freed_capacity)
        return true;
    grown = realloc(durable->freed, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    durable->freed = grown;
    durable->freed_capacity = capacity;
    return true;
}

void um_durable_free_memory(struct um_durable *durable, void *address, uint64_t size)
{
    if (durable->journal.state == UM_JOURNAL_FAILED)
        return;
    if (durable->freed_count == UM_DURABLE_FREED_LIMIT && !durable->state->is_always && !commit(durable))
        return;
    if (!grow_freed(durable))
        return;
    durable->freed[durable->freed_count++] = (struct um_freed){address, size};
    note_uncommitted(durable);
}

/* ---- notes ---- */

int um_durable_check(struct um_heap *heap, bool is_freeing, struct um_fault *fault)
{
    struct um_durable *durable = heap->durable;
    struct um_slots *blocks = &durable->state->store->blocks;
    enum um_file_status status = um_journal_reserve(&durable->journal, NOTE_SIZE, is_freeing);

    /* There is a floor for the slot that a new block may get, so that raising it cannot fail. */
    if (status == UM_FILE_OK &&
        !um_slots_raise_floor(blocks, um_handle_make(UM_HANDLE_BLOCK, blocks->used, 0)))
        status = UM_FILE_NO_MEMORY;
    if (status == UM_FILE_OK)
        return 0;
    if (durable->journal.state == UM_JOURNAL_FAILED)
        return has_failed(durable, fault);
    return no_space(durable->state, durable->journal.header.heap, durable->journal.current.number, status,
                    fault);
}

void um_durable_explain_space(struct um_durable *durable, struct um_fault *fault)
{
    struct um_state *state = durable->state;
    char path[PATH_CAPACITY];

    if (fault == NULL)
        return;
    um_state_path(state, durable->journal.header.heap, 0, path, sizeof path);
    snprintf(state->text, sizeof state->text,
             "there is no space on the disk of %s for it; make space there, ask for less, or free blocks",
             path);
    fault->what = state->text;
}

static uint8_t text_size(const char *text)
{
    size_t size = strlen(text);

    return (uint8_t)(size < UM_JOURNAL_TEXT_LIMIT ? size : UM_JOURNAL_TEXT_LIMIT);
}

static struct um_journal_entry owner_entry(const struct um_owner *owner)
{
    return (struct um_journal_entry){
        .type = UM_JOURNAL_OWNER,
        .owner = owner->id,
        .pid = (uint64_t)owner->pid,
        .name = owner->program,
        .name_size = text_size(owner->program),
        .user = owner->user,
        .user_size = text_size(owner->user),
    };
}

/* Notes an owner where the journal, or the file that it is being written anew to, does not know it yet. */
static void note_owner(struct um_durable *durable, struct um_account *account, bool to_next)
{
    bool is_known = account->journal_epoch >= durable->epoch;
    struct um_journal_entry entry;

    if (is_known && (!to_next || account->journal_epoch >= durable->next_epoch))
        return;
    entry = owner_entry(account->owner);
    if (is_known)
        um_journal_add_to_next(&durable->journal, &entry);
    else
        um_journal_add(&durable->journal, &entry, to_next);
    account->journal_epoch = to_next ? durable->next_epoch : durable->epoch;
}

static uint64_t offset_of(const struct um_heap *heap, const void *address)
{
    struct um_place place;

    heap->ops->locate(heap->memory, address, &place);
    return place.offset;
}

/* An entry about a block with all that it says, but for what its type has not. */
static struct um_journal_entry block_entry(const struct um_store *store, const struct um_block *block,
                                           enum um_journal_entry_type type)
{
    const struct um_account *account = um_account_of(store, block);
    const struct um_block_extra *extra = um_extra_of(block);
    struct um_journal_entry entry = {
        .type = type,
        .is_session = account->lifetime == UM_LIFETIME_SESSION,
        .created = block->created_seconds,
        .handle = um_slot_handle(&block->slot, UM_HANDLE_BLOCK),
        .owner = account->owner->id,
        .offset = offset_of(account->heap, um_address_of(block)),
        .size = block->size,
    };

    if (extra != NULL && extra->name != NULL) {
        entry.name = extra->name->text;
        entry.name_size = text_size(extra->name->text);
    }
    return entry;
}

/* Blocks that are not in the new file yet are written there later, as they are then. */
static bool is_written(const struct um_durable *durable, uint32_t slot)
{
    return slot < durable->cursor;
}

static void note(struct um_store *store, const struct um_block *block, enum um_journal_entry_type type)
{
    struct um_account *account = um_account_of(store, block);
    struct um_durable *durable = account->heap->durable;
    const struct um_journal_entry entry = block_entry(store, block, type);
    bool to_next = is_written(durable, block->slot.link);

    if (type != UM_JOURNAL_PLACE)
        note_owner(durable, account, to_next);
    um_journal_add(&durable->journal, &entry, to_next);
    note_uncommitted(durable);
    if (type != UM_JOURNAL_CHANGE)
        um_durable_note_bytes(durable);
}

void um_durable_note_block(struct um_store *store, const struct um_block *block)
{
    (void)um_slots_raise_floor(&store->blocks, um_slot_handle(&block->slot, UM_HANDLE_BLOCK));
    note(store, block, UM_JOURNAL_BLOCK);
}

void um_durable_note_place(struct um_store *store, const struct um_block *block)
{
    note(store, block, UM_JOURNAL_PLACE);
}

void um_durable_note_change(struct um_store *store, const struct um_block *block)
{
    note(store, block, UM_JOURNAL_CHANGE);
}

void um_durable_note_free(struct um_store *store, const struct um_heap *heap, um_handle block)
{
    const struct um_journal_entry entry = {.type = UM_JOURNAL_FREE, .handle = block};

    (void)store;
    um_journal_add(&heap->durable->journal, &entry, is_written(heap->durable, um_handle_slot(block)));
    note_uncommitted(heap->durable);
}

int um_durable_shrink(struct um_store *store, struct um_block *block, uint64_t size, struct um_fault *fault)
{
    struct um_heap *heap = um_account_of(store, block)->heap;
    struct um_journal_entry entry = block_entry(store, block, UM_JOURNAL_PLACE);
    int code = um_durable_check(heap, true, fault);

    if (code != 0)
        return code;
    entry.size = size;
    um_journal_add(&heap->durable->journal, &entry, is_written(heap->durable, block->slot.link));
    note_uncommitted(heap->durable);
    if (heap->durable->state->is_always || commit(heap->durable))
        return 0;
    return has_failed(heap->durable, fault);
}

/* ---- making ---- */

/* The end of the file of bytes: whose it is. */
static void put_trailer(unsigned char bytes[UM_DURABLE_TRAILER_SIZE], const struct um_journal_header *header)
{
    struct um_journal_header own = *header;

    memset(bytes, 0, UM_DURABLE_TRAILER_SIZE);
    own.key = 0;
    um_journal_put_header(bytes, &own);
}

static enum um_file_status make_bytes(struct um_state *state, const struct um_journal_header *header,
                                      uint64_t length, struct um_file **file)
{
    const struct um_files_ops *ops = state->files->ops;
    unsigned char trailer[UM_DURABLE_TRAILER_SIZE];
    char name[UM_JOURNAL_NAME_CAPACITY];
    struct um_file *made;
    enum um_file_status status;

    um_journal_name(name, header->heap, 0);
    put_trailer(trailer, header);
    status = ops->create(state->files, name, &made);
    if (status != UM_FILE_OK)
        return status;
    status = ops->set_size(made, length + sizeof trailer);
    if (status == UM_FILE_OK)
        status = ops->write(made, length, trailer, sizeof trailer);
    if (status == UM_FILE_OK) {
        *file = made;
        return UM_FILE_OK;
    }
    ops->close(made);
    (void)ops->remove(state->files, name);
    return status;
}

struct um_durable *um_durable_new(struct um_state *state, struct um_heap *heap, struct um_file *bytes)
{
    struct um_durable *made = calloc(1, sizeof *made);

    if (made == NULL)
        return NULL;
    made->state = state;
    made->heap = heap;
    made->bytes = bytes;
    made->epoch = 1;
    made->next_epoch = 1;
    um_list_init(&made->in_all);
    um_list_init(&made->in_unsynced);
    um_list_init(&made->in_syncing);
    um_list_init(&made->in_uncommitted);
    return made;
}

static void close_bytes(struct um_durable *durable)
{
    if (durable->bytes != NULL)
        durable->state->files->ops->close(durable->bytes);
    durable->bytes = NULL;
}

/* Its files are closed. */
static void free_durable(struct um_durable *durable)
{
    um_list_remove(&durable->in_all);
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    free(durable->freed);
    free(durable);
}

static struct um_journal_entry heap_entry(const struct um_heap *heap, const struct um_owner *maker)
{
    return (struct um_journal_entry){
        .type = UM_JOURNAL_HEAP,
        .flags = heap->flags,
        .alignment = heap->alignment,
        .handle = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
        .owner = maker->id,
        .initial_size = heap->initial_size,
        .maximum_size = heap->maximum_size,
        .length = um_heap_shared_length(heap->maximum_size),
    };
}

int um_durable_create(struct um_store *store, struct um_heap *heap, const char *name,
                      const struct um_owner *maker, struct um_fault *fault)
{
    struct um_state *state = store->state;
    struct um_durable *made = um_durable_new(state, heap, NULL);
    const struct um_journal_entry owner = owner_entry(maker);
    struct um_journal_entry entry = heap_entry(heap, maker);
    const struct um_journal_header header = {
        .id = {draw(state), draw(state)}, .heap = entry.handle, .key = draw(state)};
    char path[PATH_CAPACITY];
    enum um_file_status status;

    if (made == NULL)
        return um_fault(fault, UMEM_E_NO_MEMORY,
                        (struct um_fault){.what = "the system has no memory for another heap"});
    made->entry = entry;
    if (!um_slots_raise_floor(&store->heaps, entry.handle)) {
        free(made);
        return um_fault(fault, UMEM_E_NO_MEMORY,
                        (struct um_fault){.what = "the system has no memory for another heap"});
    }
    if (name != NULL) {
        entry.name = name;
        entry.name_size = text_size(name);
    }
    status = um_journal_create(&made->journal, state->files, &header, &entry);
    if (status != UM_FILE_OK)
        goto fail;
    status = um_journal_reserve(&made->journal, NOTE_SIZE, false);
    if (status == UM_FILE_OK)
        status = make_bytes(state, &header, entry.length, &made->bytes);
    if (status == UM_FILE_OK) {
        um_state_path(state, header.heap, 0, path, sizeof path);
        if (um_heap_shared_open(path, entry.length, heap->alignment, &heap->memory)) {
            um_journal_add(&made->journal, &owner, true);
            um_list_append(&state->all, &made->in_all);
            heap->durable = made;
            made->names_unsynced = true;
            made->bytes_unsynced = true; /* they say whose they are */
            note_uncommitted(made);
            return 0;
        }
        status = UM_FILE_NO_MEMORY;
        close_bytes(made);
        (void)um_journal_remove(state->files, header.heap, 0);
    }
    um_journal_close(&made->journal);
    (void)um_journal_remove(state->files, header.heap, 1);
fail:
    free(made);
    um_state_path(state, header.heap, 0, path, sizeof path);
    snprintf(state->text, sizeof state->text, "%s cannot be made: %s", path, um_file_status_text(status));
    return um_fault(fault, UMEM_E_NO_MEMORY,
                    (struct um_fault){.asked = heap->initial_size, .what = state->text});
}

void um_durable_destroy(struct um_heap *heap)
{
    const struct um_journal_entry entry = {.type = UM_JOURNAL_DESTROYED};
    struct um_durable *durable = heap->durable;

    um_journal_compact_cancel(&durable->journal);
    if (durable->state->compacting == durable && durable->journal.compaction == UM_JOURNAL_NOT_COMPACTING) {
        durable->state->compacting = NULL;
        durable->state->is_complete = false;
    }
    heap->durable = NULL;
    durable->heap = NULL;
    durable->freed_count = 0;
    um_journal_add(&durable->journal, &entry, true);
    note_uncommitted(durable);
    um_list_remove(&durable->in_all);
    um_list_append(&durable->state->ended, &durable->in_all);
}

/* ---- handles ---- */

/* Adds what a table knows of handles that were given out, to the journal that is being written anew. */
static enum um_file_status add_floors(struct um_state *state, const struct um_slots *slots)
{
    enum um_file_status status = UM_FILE_OK;

    for (size_t page = 0; page < slots->floor_count && status == UM_FILE_OK; page++) {
        const struct um_journal_entry entry = {
            .type = UM_JOURNAL_SLOTS,
            .handle = um_handle_make(slots->kind, (uint32_t)page * UM_SLOT_FLOOR_SLOTS, slots->floors[page]),
        };

        if (slots->floors[page] != 0)
            status = um_journal_compact_add(&state->handles, &entry);
    }
    return status;
}

/* Writes the journal of handles anew, and begins its sync. */
static enum um_file_status write_handles(struct um_state *state, struct um_journal_sync *sync)
{
    enum um_file_status status;

    if (state->handles.state == UM_JOURNAL_FAILED)
        return state->handles.failure;
    status = um_journal_compact_begin(&state->handles, draw(state));
    if (status == UM_FILE_OK)
        status = add_floors(state, &state->store->heaps);
    if (status == UM_FILE_OK)
        status = add_floors(state, &state->store->blocks);
    if (status == UM_FILE_OK)
        status = um_journal_compact_complete(&state->handles, sync, false);
    return status;
}

bool um_state_save_handles(struct um_state *state)
{
    struct um_journal_sync sync;

    if (write_handles(state, &sync) != UM_FILE_OK)
        return false;
    um_journal_sync_run(&sync);
    if (sync.status == UM_FILE_OK)
        sync.status = state->files->ops->sync_names(state->files);
    return um_journal_compact_end(&state->handles, &sync, NULL);
}

/* ---- writing a journal anew ---- */

static struct um_durable *wants_compaction(const struct um_state *state)
{
    for (struct um_link *link = state->all.next; link != &state->all; link = link->next) {
        struct um_durable *durable = UM_LIST_ITEM(link, struct um_durable, in_all);

        if (um_journal_wants_compaction(&durable->journal) && !durable->journal.is_syncing)
            return durable;
    }
    return NULL;
}

static void begin_compaction(struct um_state *state, struct um_durable *durable)
{
    struct um_journal_entry entry = durable->entry;
    const struct um_heap *heap = durable->heap;
    const struct um_journal_entry owner = owner_entry(heap->owner);

    durable->cursor = 0;
    durable->next_epoch++;
    if (heap->name != NULL) {
        entry.name = heap->name->text;
        entry.name_size = text_size(heap->name->text);
    }
    if (um_journal_compact_begin(&durable->journal, draw(state)) == UM_FILE_OK &&
        um_journal_compact_add(&durable->journal, &entry) == UM_FILE_OK &&
        um_journal_compact_add(&durable->journal, &owner) == UM_FILE_OK)
        state->compacting = durable;
}

/* Writes a block to the new file, if it is one of the heap's. False: the compaction is over. */
static bool compact_block(struct um_durable *durable, const struct um_block *block, unsigned *left)
{
    const struct um_store *store = durable->state->store;
    struct um_account *account;
    struct um_journal_entry entry;

    if (!um_slot_is_live(&block->slot))
        return true;
    account = um_account_of(store, block);
    if (account->heap != durable->heap || !um_account_is_alive(account))
        return true;
    --*left;
    entry = block_entry(store, block, UM_JOURNAL_BLOCK);
    note_owner(durable, account, true);
    return um_journal_compact_add(&durable->journal, &entry) == UM_FILE_OK;
}

static void compact_some(struct um_state *state)
{
    struct um_durable *durable = state->compacting;
    const struct um_slots *slots = &state->store->blocks;
    unsigned left = BLOCKS_A_PIECE;

    for (unsigned looked_at = 0; looked_at < SLOTS_A_PIECE && left != 0 && durable->cursor < slots->used;
         looked_at++) {
        if (um_journal_reserve(&durable->journal, NOTE_SIZE, true) != UM_FILE_OK ||
            !um_journal_is_compacting(&durable->journal) ||
            !compact_block(durable, um_slots_at(slots, durable->cursor), &left)) {
            um_journal_compact_cancel(&durable->journal);
            break;
        }
        durable->cursor++;
    }
    um_journal_commit_next(&durable->journal);
    if (!um_journal_is_compacting(&durable->journal)) {
        durable->cursor = 0;
        state->compacting = NULL;
    } else if (durable->cursor == slots->used) {
        durable->cursor = UM_SLOT_NONE; /* all that comes is to be written to both */
        state->is_complete = true;
    }
}

void um_state_work(struct um_state *state)
{
    um_store_commit(state->store);
    if (state->compacting == NULL) {
        struct um_durable *durable = wants_compaction(state);

        state->has_work = durable != NULL;
        if (durable != NULL)
            begin_compaction(state, durable);
    } else if (!state->is_complete) {
        compact_some(state);
    }
}

bool um_state_has_work(const struct um_state *state)
{
    return state->compacting != NULL ? !state->is_complete : state->has_work;
}

/* ---- the disk ---- */

/* Where it cannot be written, it is tried after the next sync. */
static void mark_bytes(struct um_durable *durable)
{
    if (durable->is_marked || durable->heap == NULL)
        return;
    durable->is_marked =
        durable->state->files->ops->write(durable->bytes, durable->entry.length + UM_JOURNAL_HEADER_SIZE,
                                          UM_DURABLE_MARK, sizeof UM_DURABLE_MARK) == UM_FILE_OK;
}

/* ---- syncs of heaps ---- */

/* Begins a heap's part, but for the journal. All that was noted goes with it. */
static void begin_part(struct um_durable *durable)
{
    struct um_durable_sync *part = &durable->sync;

    part->heap = durable->bytes_unsynced ? durable->heap : NULL;
    if (part->heap != NULL)
        part->heap->pins++; /* its memory stays, though it may be destroyed */
    part->bytes = durable->bytes;
    part->bytes_status = UM_FILE_OK;
    part->flushes = durable->flushes;
    part->freed = durable->state->is_always ? durable->freed_count : 0; /* else commits free them */
    durable->bytes_unsynced = false;
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
}

/* The bytes first: no record is on the disk that tells of some which are not. */
static void run_part(const struct um_files *files, struct um_durable_sync *part)
{
    if (part->heap != NULL)
        part->bytes_status =
            um_heap_shared_flush(part->heap->memory) ? files->ops->sync(part->bytes) : UM_FILE_FAILED;
    if (part->bytes_status != UM_FILE_OK)
        part->journal.status = part->bytes_status;
    um_journal_sync_run(&part->journal);
}

/* Ends it, but for the journal. */
static void end_part(struct um_durable *durable)
{
    struct um_durable_sync *part = &durable->sync;

    durable->flushed = part->flushes;
    if (part->bytes_status != UM_FILE_OK)
        durable->bytes_failed = durable->journal.state == UM_JOURNAL_OPEN;
    if (part->heap == NULL)
        return;
    part->heap->pins--;
    um_heap_free_if_unused(durable->state->store, part->heap);
}

/* Whether something of it is not on the disk. */
static bool wants_sync(const struct um_durable *durable)
{
    return durable->journal.state == UM_JOURNAL_OPEN &&
           (um_journal_wants_sync(&durable->journal) || durable->bytes_unsynced);
}

/* A sync of all heaps that want one, or where only flushes are wanted, of those that wait for one. It counts even where there is none. */
static bool begin_round(struct um_state *state, struct um_store_sync *sync)
{
    bool flushes_only = !state->is_always && state->rounds_wanted > state->rounds_ended;
    struct um_link *next;

    sync->kind = UM_SYNC_HEAPS;
    sync->syncs_names = false;
    for (struct um_link *link = state->unsynced.next; link != &state->unsynced; link = next) {
        struct um_durable *durable = UM_LIST_ITEM(link, struct um_durable, in_unsynced);

        next = link->next;
        if (flushes_only && durable->flushes == durable->flushed)
            continue;
        um_list_remove(link);
        if (!is_open(durable) || !wants_sync(durable))
            continue;
        begin_part(durable);
        um_journal_sync_begin(&durable->journal, &durable->sync.journal, state->is_always);
        sync->syncs_names |= durable->names_unsynced;
        um_list_append(&sync->heaps, &durable->in_syncing);
    }
    state->rounds_begun++;
    if (!um_list_is_empty(&sync->heaps))
        return true;
    state->rounds_ended = state->rounds_begun;
    return false;
}

static void end_round(struct um_state *state, struct um_store_sync *sync)
{
    state->rounds_ended = state->rounds_begun;
    while (!um_list_is_empty(&sync->heaps)) {
        struct um_durable *durable = UM_LIST_ITEM(um_list_take(&sync->heaps), struct um_durable, in_syncing);
        struct um_journal_sync *journal = &durable->sync.journal;

        /* Where its names are not on the disk, nothing of it is. */
        if (durable->names_unsynced && journal->status == UM_FILE_OK)
            journal->status = sync->names;
        end_part(durable);
        (void)um_journal_sync_end(&durable->journal, journal);
        if (!is_open(durable))
            continue;
        durable->names_unsynced = false;
        release_freed(durable, durable->sync.freed);
        mark_bytes(durable);
        note_work(durable);
    }
}

/* Has all that was noted of it on the disk. */
static void sync_now(struct um_durable *durable)
{
    struct um_journal_sync *journal = &durable->sync.journal;

    if (!wants_sync(durable))
        return;
    begin_part(durable);
    um_journal_sync_begin(&durable->journal, journal, true);
    run_part(durable->state->files, &durable->sync);
    end_part(durable);
    (void)um_journal_sync_end(&durable->journal, journal);
    if (is_open(durable))
        mark_bytes(durable);
}

/* Ends with a heap; its files stay. */
static void close_durable(struct um_durable *durable)
{
    const struct um_journal_entry closed = {.type = UM_JOURNAL_CLOSED};

    um_journal_compact_cancel(&durable->journal);
    sync_now(durable);
    /* Last, because it says what is on the disk. */
    if (durable->heap != NULL && um_journal_reserve(&durable->journal, NOTE_SIZE, true) == UM_FILE_OK)
        um_journal_add(&durable->journal, &closed, true);
    (void)um_journal_commit(&durable->journal);
    um_journal_close(&durable->journal);
    close_bytes(durable);
    if (durable->heap != NULL)
        durable->heap->durable = NULL;
    free_durable(durable);
}

/* ---- flushing ---- */

int um_heap_flush(struct um_heap *heap, uint64_t *ticket, struct um_fault *fault)
{
    struct um_durable *durable = heap->durable;

    if (heap->is_lost)
        return um_fault(fault, UMEM_E_CORRUPTED,
                        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                          .what = "the heap's files are damaged, and are left alone"});
    if (durable == NULL)
        return um_fault(fault, UMEM_E_UNSUPPORTED,
                        (struct um_fault){.heap = um_slot_handle(&heap->slot, UM_HANDLE_HEAP),
                                          .what = "only a durable heap is kept on the disk"});
    if (durable->journal.state == UM_JOURNAL_FAILED)
        return has_failed(durable, fault);
    *ticket = ++durable->flushes;
    durable->bytes_unsynced = true;
    note_unsynced(durable);
    durable->state->rounds_wanted = durable->state->rounds_begun + 1;
    return 0;
}

int um_heap_check_flush(struct um_heap *heap, uint64_t ticket, bool *done, struct um_fault *fault)
{
    struct um_durable *durable = heap->durable;

    *done = durable->flushed >= ticket;
    return durable->journal.state == UM_JOURNAL_FAILED ? has_failed(durable, fault) : 0;
}

/* ---- other syncs ---- */

/* The end of a compaction: both journals, or neither. */
static bool begin_last_sync(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable = state->compacting;

    if (!um_journal_is_compacting(&durable->journal) ||
        write_handles(state, &sync->journals[0]) != UM_FILE_OK ||
        um_journal_compact_complete(&durable->journal, &durable->sync.journal, state->is_always) !=
            UM_FILE_OK) {
        um_journal_compact_cancel(&durable->journal);
        (void)is_open(durable);
        if (state->handles.is_syncing) {
            /* It is complete, and is synced all the same. */
            sync->kind = UM_SYNC_HANDLES;
            sync->count = 1;
        }
        durable->cursor = 0;
        state->compacting = NULL;
        state->is_complete = false;
        return sync->count != 0;
    }
    begin_part(durable);
    um_list_append(&sync->heaps, &durable->in_syncing);
    sync->kind = UM_SYNC_COMPACTION;
    sync->count = 1;
    return true;
}

/* Both are there, or neither: without the handles on the disk, the journal that tells of them must stay. */
static void end_compaction(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable = UM_LIST_ITEM(um_list_take(&sync->heaps), struct um_durable, in_syncing);
    struct um_journal_sync *journal = &durable->sync.journal;

    if (!um_journal_compact_end(&state->handles, &sync->journals[0], NULL))
        journal->status = UM_FILE_FAILED;
    if (journal->status == UM_FILE_OK)
        journal->status = sync->names;
    end_part(durable);
    if (um_journal_compact_end(&durable->journal, journal, &state->former)) {
        durable->epoch = durable->next_epoch;
        durable->names_unsynced = false;
        release_freed(durable, durable->sync.freed);
    }
    (void)is_open(durable);
    durable->cursor = 0;
    state->has_work = true;
    state->store->status.has_work = true;
    state->compacting = NULL;
    state->is_complete = false;
}

/* A destroyed heap that could not be written: its files stay. */
static void keep_failed(struct um_durable *durable)
{
    um_list_remove(&durable->in_all);
    um_list_append(&durable->state->failed, &durable->in_all);
}

/* That the heap was destroyed is on the disk before its files go, and so are its handles. */
static bool begin_removal(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable;

    if (um_list_is_empty(&state->ended))
        return false;
    durable = UM_LIST_ITEM(state->ended.next, struct um_durable, in_all);
    if (!is_open(durable)) {
        keep_failed(durable);
        return false;
    }
    if (write_handles(state, &sync->journals[0]) != UM_FILE_OK)
        return false;
    um_journal_sync_begin(&durable->journal, &sync->journals[1], state->is_always);
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    sync->kind = UM_SYNC_REMOVAL;
    sync->count = 2;
    sync->durable = durable;
    return true;
}

enum um_sync_urgency um_store_sync_urgency(const struct um_store *store)
{
    const struct um_state *state = store->state;

    if (state == NULL || state->is_syncing)
        return UM_SYNC_NOT_DUE;
    if (state->is_complete || state->former.file != NULL || state->rounds_wanted > state->rounds_ended ||
        (!um_list_is_empty(&state->ended) && state->handles.state == UM_JOURNAL_OPEN))
        return UM_SYNC_NOW;
    if (um_list_is_empty(&state->unsynced) && um_list_is_empty(&state->uncommitted))
        return UM_SYNC_NOT_DUE;
    return state->is_always ? UM_SYNC_NOW : UM_SYNC_LATER;
}

uint64_t um_store_want_sync(struct um_store *store)
{
    struct um_state *state = store->state;

    state->rounds_wanted = state->rounds_begun + 1;
    return state->rounds_wanted;
}

bool um_store_is_synced(const struct um_store *store, uint64_t number)
{
    return store->state == NULL || store->state->rounds_ended >= number;
}

bool um_store_sync_begin(struct um_store *store, struct um_store_sync *sync)
{
    struct um_state *state = store->state;
    bool begun;

    *sync = (struct um_store_sync){.syncs_names = true};
    um_list_init(&sync->heaps);
    if (state == NULL || state->is_syncing)
        return false;
    um_store_commit(store);
    sync->files = state->files;
    begun = !state->was_round && state->rounds_wanted > state->rounds_ended && begin_round(state, sync);
    state->was_round = begun;
    if (!begun)
        begun = state->compacting != NULL && state->is_complete && begin_last_sync(state, sync);
    if (!begun)
        begun = begin_removal(state, sync);
    if (!begun)
        begun = state->was_round = begin_round(state, sync);
    begun = begun || state->former.file != NULL;
    sync->former = state->former;
    state->former.file = NULL;
    state->is_syncing = begun;
    return begun;
}

void um_store_sync_run(struct um_store_sync *sync)
{
    for (unsigned i = 0; i < sync->count; i++)
        um_journal_sync_run(&sync->journals[i]);
    for (struct um_link *link = sync->heaps.next; link != &sync->heaps; link = link->next)
        run_part(sync->files, &UM_LIST_ITEM(link, struct um_durable, in_syncing)->sync);
    um_journal_former_remove(sync->files, &sync->former);
    sync->names = sync->syncs_names ? sync->files->ops->sync_names(sync->files) : UM_FILE_OK;
}

/* Removes a destroyed heap's files: the bytes first, so that what is left if that is interrupted still says that they are to be removed. What
 * cannot be removed (Windows: a program has it mapped) is removed at the next start. */
static void remove_files(struct um_state *state, struct um_durable *durable)
{
    uint64_t heap = durable->journal.header.heap;
    uint32_t number = durable->journal.current.number;
    bool has_next = durable->journal.compaction != UM_JOURNAL_NOT_COMPACTING;
    enum um_file_status status;

    um_journal_close(&durable->journal);
    close_bytes(durable);
    free_durable(durable);
    status = um_journal_remove(state->files, heap, 0);
    if (status != UM_FILE_OK && status != UM_FILE_NOT_THERE)
        return;
    (void)um_journal_remove(state->files, heap, number);
    if (has_next)
        (void)um_journal_remove(state->files, heap, number + 1);
}

static void end_removal(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable = sync->durable;

    if (!um_journal_compact_end(&state->handles, &sync->journals[0], NULL))
        sync->journals[1].status = UM_FILE_FAILED;
    if (um_journal_sync_end(&durable->journal, &sync->journals[1])) {
        remove_files(state, durable);
        return;
    }
    (void)is_open(durable);
    keep_failed(durable);
}

void um_store_sync_end(struct um_store *store, struct um_store_sync *sync)
{
    struct um_state *state = store->state;

    state->is_syncing = false;
    /* Where the names are not on the disk, nothing that depends on them may go on. */
    for (unsigned i = 0; i < sync->count; i++) {
        if (sync->journals[i].status == UM_FILE_OK)
            sync->journals[i].status = sync->names;
    }
    switch (sync->kind) {
    case UM_SYNC_HEAPS:
        end_round(state, sync);
        break;
    case UM_SYNC_COMPACTION:
        end_compaction(state, sync);
        break;
    case UM_SYNC_HANDLES:
        (void)um_journal_compact_end(&state->handles, &sync->journals[0], NULL);
        break;
    case UM_SYNC_REMOVAL:
        end_removal(state, sync);
        break;
    }
}

/* ---- the end ---- */

static void close_all(struct um_link *list)
{
    while (!um_list_is_empty(list))
        close_durable(UM_LIST_ITEM(list->next, struct um_durable, in_all));
}

void um_state_close(struct um_store *store)
{
    struct um_state *state = store->state;

    if (state == NULL)
        return;
    assert(!state->is_syncing);
    um_store_commit(store);
    close_all(&state->all);
    close_all(&state->ended);
    close_all(&state->failed);
    um_journal_former_remove(state->files, &state->former);
    um_journal_close(&state->handles);
    (void)state->files->ops->sync_names(state->files);
    um_state_directory_close(state->directory);
    free(state->path);
    free(state);
    store->state = NULL;
}
