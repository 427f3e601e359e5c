#include "store/records/durable.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/memory/heap_shared.h"
#include "store/records/fault.h"

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

static int has_failed(struct um_durable *durable, struct um_fault *fault)
{
    const struct um_journal *journal = &durable->journal;
    struct um_state *state = durable->state;
    char path[PATH_CAPACITY];

    um_state_path(state, journal->header.heap, journal->current.number, path, sizeof path);
    snprintf(state->text, sizeof state->text,
             "%s could not be written: %s; the heap can only be read until umemd is started again", path,
             um_file_status_text(journal->failure));
    return um_fault(fault, UMEM_E_CORRUPTED,
                    (struct um_fault){.heap = journal->header.heap, .what = state->text});
}

/* ---- commits ---- */

static void note_uncommitted(struct um_durable *durable)
{
    if (um_list_is_empty(&durable->in_uncommitted))
        um_list_append(&durable->state->uncommitted, &durable->in_uncommitted);
    durable->state->store->status.is_uncommitted = true;
}

static void release_freed(struct um_durable *durable)
{
    struct um_heap *heap = durable->heap;

    for (unsigned i = 0; i < durable->freed_count && heap != NULL; i++) {
        const struct um_freed *freed = &durable->freed[i];

        if (durable->state->store->wipes)
            heap->ops->wipe(heap->memory, freed->address, freed->size);
        heap->ops->free(heap->memory, freed->address, freed->size, heap->alignment);
    }
    durable->freed_count = 0;
}

/* Writes what was noted for one heap. */
static bool commit(struct um_durable *durable)
{
    um_list_remove(&durable->in_uncommitted);
    if (!um_journal_commit(&durable->journal)) {
        durable->freed_count = 0; /* it stays as it is: the blocks come back */
        return false;
    }
    release_freed(durable);
    if (um_list_is_empty(&durable->in_unsynced))
        um_list_append(&durable->state->unsynced, &durable->in_unsynced);
    if (durable->heap != NULL && um_journal_wants_compaction(&durable->journal)) {
        durable->state->has_work = true;
        durable->state->store->status.has_work = true;
    }
    return true;
}

bool um_store_commit(struct um_store *store)
{
    struct um_state *state = store->state;
    bool done = true;

    store->status.is_uncommitted = false;
    if (state == NULL)
        return true;
    while (!um_list_is_empty(&state->uncommitted))
        done = commit(UM_LIST_ITEM(state->uncommitted.next, struct um_durable, in_uncommitted)) && done;
    return done;
}

bool um_durable_release(struct um_durable *durable)
{
    if (durable->freed_count == 0)
        return false;
    return commit(durable);
}

void um_durable_free_memory(struct um_durable *durable, void *address, uint64_t size)
{
    if (durable->journal.state == UM_JOURNAL_FAILED)
        return;
    if (durable->freed_count == UM_DURABLE_FREED_LIMIT && !commit(durable))
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
    const struct um_journal_entry entry = owner_entry(account->owner);

    if (account->journal_epoch < durable->epoch)
        um_journal_add(&durable->journal, &entry, to_next);
    else if (to_next && account->journal_epoch < durable->next_epoch)
        um_journal_add_to_next(&durable->journal, &entry);
    else
        return;
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
    return commit(heap->durable) ? 0 : has_failed(heap->durable, fault);
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
                                      uint64_t length)
{
    const struct um_files_ops *ops = state->files->ops;
    unsigned char trailer[UM_DURABLE_TRAILER_SIZE];
    char name[UM_JOURNAL_NAME_CAPACITY];
    struct um_file *file;
    enum um_file_status status;

    um_journal_name(name, header->heap, 0);
    put_trailer(trailer, header);
    status = ops->create(state->files, name, &file);
    if (status != UM_FILE_OK)
        return status;
    status = ops->set_size(file, length + sizeof trailer);
    if (status == UM_FILE_OK)
        status = ops->write(file, length, trailer, sizeof trailer);
    ops->close(file);
    if (status != UM_FILE_OK)
        (void)ops->remove(state->files, name);
    return status;
}

struct um_durable *um_durable_new(struct um_state *state, struct um_heap *heap)
{
    struct um_durable *made = calloc(1, sizeof *made);

    if (made == NULL)
        return NULL;
    made->state = state;
    made->heap = heap;
    made->epoch = 1;
    made->next_epoch = 1;
    um_list_init(&made->in_all);
    um_list_init(&made->in_unsynced);
    um_list_init(&made->in_uncommitted);
    return made;
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
    struct um_durable *made = um_durable_new(state, heap);
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
        status = make_bytes(state, &header, entry.length);
    if (status == UM_FILE_OK) {
        um_state_path(state, header.heap, 0, path, sizeof path);
        if (um_heap_shared_open(path, entry.length, heap->alignment, &heap->memory)) {
            um_journal_add(&made->journal, &owner, true);
            um_list_append(&state->all, &made->in_all);
            heap->durable = made;
            note_uncommitted(made);
            return 0;
        }
        status = UM_FILE_NO_MEMORY;
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
        status = um_journal_compact_complete(&state->handles, sync);
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
    return um_journal_compact_end(&state->handles, &sync);
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
    (void)um_journal_commit(&durable->journal);
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
    (void)um_store_commit(state->store);
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
static void mark_bytes(struct um_state *state, struct um_durable *durable)
{
    const struct um_files_ops *ops = state->files->ops;
    char name[UM_JOURNAL_NAME_CAPACITY];
    struct um_file *file;

    um_journal_name(name, durable->journal.header.heap, 0);
    if (ops->open(state->files, name, &file) != UM_FILE_OK)
        return;
    durable->is_marked = ops->write(file, durable->entry.length + UM_JOURNAL_HEADER_SIZE, UM_DURABLE_MARK,
                                    sizeof UM_DURABLE_MARK) == UM_FILE_OK;
    ops->close(file);
}

/* Ends with a heap; its files stay. */
static void close_durable(struct um_durable *durable)
{
    const struct um_journal_entry closed = {.type = UM_JOURNAL_CLOSED};
    struct um_journal_sync sync;

    um_journal_compact_cancel(&durable->journal);
    (void)um_journal_commit(&durable->journal);
    if (um_journal_wants_sync(&durable->journal)) {
        um_journal_sync_begin(&durable->journal, &sync);
        um_journal_sync_run(&sync);
        if (um_journal_sync_end(&durable->journal, &sync) && durable->heap != NULL && !durable->is_marked)
            mark_bytes(durable->state, durable);
    }
    /* Last, because it says what is on the disk. */
    if (durable->heap != NULL && um_journal_reserve(&durable->journal, NOTE_SIZE, true) == UM_FILE_OK)
        um_journal_add(&durable->journal, &closed, true);
    (void)um_journal_commit(&durable->journal);
    um_journal_close(&durable->journal);
    if (durable->heap != NULL)
        durable->heap->durable = NULL;
    um_list_remove(&durable->in_all);
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    free(durable);
}

/* The next heap with something that is not on the disk yet. */
static struct um_durable *take_unsynced(struct um_state *state)
{
    while (!um_list_is_empty(&state->unsynced)) {
        struct um_durable *durable =
            UM_LIST_ITEM(um_list_take(&state->unsynced), struct um_durable, in_unsynced);

        if (um_journal_wants_sync(&durable->journal))
            return durable;
    }
    return NULL;
}

/* The end of a compaction: both journals, or neither. */
static bool begin_last_sync(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable = state->compacting;

    if (durable->journal.state == UM_JOURNAL_FAILED ||
        write_handles(state, &sync->journals[0]) != UM_FILE_OK ||
        um_journal_compact_complete(&durable->journal, &sync->journals[1]) != UM_FILE_OK) {
        um_journal_compact_cancel(&durable->journal);
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
    sync->kind = UM_SYNC_COMPACTION;
    sync->count = 2;
    sync->durable = durable;
    return true;
}

/* That the heap was destroyed is on the disk before its files go, and so are its handles. */
static bool begin_removal(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable;

    if (um_list_is_empty(&state->ended))
        return false;
    durable = UM_LIST_ITEM(state->ended.next, struct um_durable, in_all);
    if (durable->journal.state == UM_JOURNAL_FAILED) {
        close_durable(durable); /* the files stay */
        return false;
    }
    if (write_handles(state, &sync->journals[0]) != UM_FILE_OK)
        return false;
    um_journal_sync_begin(&durable->journal, &sync->journals[1]);
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
    if (state->is_complete || (!um_list_is_empty(&state->ended) && state->handles.state == UM_JOURNAL_OPEN))
        return UM_SYNC_NOW;
    return um_list_is_empty(&state->unsynced) && um_list_is_empty(&state->uncommitted) ? UM_SYNC_NOT_DUE
                                                                                       : UM_SYNC_LATER;
}

bool um_store_sync_begin(struct um_store *store, struct um_store_sync *sync)
{
    struct um_state *state = store->state;
    struct um_durable *durable;
    bool begun;

    *sync = (struct um_store_sync){.count = 0};
    if (state == NULL || state->is_syncing)
        return false;
    (void)um_store_commit(store);
    sync->files = state->files;
    begun = state->compacting != NULL && state->is_complete && begin_last_sync(state, sync);
    if (!begun)
        begun = begin_removal(state, sync);
    durable = begun ? NULL : take_unsynced(state);
    if (durable != NULL) {
        um_journal_sync_begin(&durable->journal, &sync->journals[0]);
        sync->kind = UM_SYNC_RECORDS;
        sync->count = 1;
        sync->durable = durable;
        begun = true;
    }
    state->is_syncing = begun;
    return begun;
}

void um_store_sync_run(struct um_store_sync *sync)
{
    for (unsigned i = 0; i < sync->count; i++)
        um_journal_sync_run(&sync->journals[i]);
    sync->names = sync->files->ops->sync_names(sync->files);
}

/* Removes a destroyed heap's files: the bytes first, so that what is left if that is interrupted still says that they are to be removed. What
 * cannot be removed (Windows: a program has it mapped) is removed at the next start. */
static void remove_files(struct um_state *state, struct um_durable *durable)
{
    uint64_t heap = durable->journal.header.heap;
    uint32_t number = durable->journal.current.number;
    bool has_next = durable->journal.compaction != UM_JOURNAL_NOT_COMPACTING;
    enum um_file_status status;

    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    um_journal_close(&durable->journal);
    um_list_remove(&durable->in_all);
    free(durable);
    status = um_journal_remove(state->files, heap, 0);
    if (status != UM_FILE_OK && status != UM_FILE_NOT_THERE)
        return;
    (void)um_journal_remove(state->files, heap, number);
    if (has_next)
        (void)um_journal_remove(state->files, heap, number + 1);
}

void um_store_sync_end(struct um_store *store, struct um_store_sync *sync)
{
    struct um_state *state = store->state;
    struct um_durable *durable = sync->durable;

    state->is_syncing = false;
    /* Where the names are not on the disk, nothing that depends on them may go on. */
    for (unsigned i = 0; i < sync->count; i++) {
        if (sync->journals[i].status == UM_FILE_OK)
            sync->journals[i].status = sync->names;
    }
    if (sync->kind == UM_SYNC_RECORDS) {
        if (um_journal_sync_end(&durable->journal, &sync->journals[0]) && !durable->is_marked)
            mark_bytes(state, durable);
        return;
    }
    /* Without the handles on the disk, the journal that tells of them must stay: it counts with the new one. */
    if (!um_journal_compact_end(&state->handles, &sync->journals[0]) && sync->count == 2)
        sync->journals[1].status = UM_FILE_FAILED;
    if (sync->kind == UM_SYNC_COMPACTION) {
        if (um_journal_compact_end(&durable->journal, &sync->journals[1]))
            durable->epoch = durable->next_epoch;
        durable->cursor = 0;
        state->has_work = true;
        store->status.has_work = true;
        state->compacting = NULL;
        state->is_complete = false;
    } else if (sync->kind == UM_SYNC_REMOVAL) {
        if (um_journal_sync_end(&durable->journal, &sync->journals[1]))
            remove_files(state, durable);
        else
            close_durable(durable);
    }
}

/* ---- the end ---- */

void um_state_close(struct um_store *store)
{
    struct um_state *state = store->state;

    if (state == NULL)
        return;
    assert(!state->is_syncing);
    (void)um_store_commit(store);
    while (!um_list_is_empty(&state->all))
        close_durable(UM_LIST_ITEM(state->all.next, struct um_durable, in_all));
    while (!um_list_is_empty(&state->ended))
        close_durable(UM_LIST_ITEM(state->ended.next, struct um_durable, in_all));
    um_journal_close(&state->handles);
    (void)state->files->ops->sync_names(state->files);
    um_state_directory_close(state->directory);
    free(state->path);
    free(state);
    store->state = NULL;
}
