#include "store/records/durable_make.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/memory/heap_shared.h"
#include "store/records/durable_notes.h"
#include "store/records/durable_part.h"
#include "store/records/fault.h"

/* ---- the file of bytes ---- */

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

/* ---- making and destroying ---- */

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
    um_list_init(&made->in_failing);
    return made;
}

void um_durable_close_bytes(struct um_durable *durable)
{
    if (durable->bytes != NULL)
        durable->state->files->ops->close(durable->bytes);
    durable->bytes = NULL;
}

void um_durable_free(struct um_durable *durable)
{
    um_list_remove(&durable->in_all);
    um_list_remove(&durable->in_uncommitted);
    um_list_remove(&durable->in_unsynced);
    um_list_remove(&durable->in_failing);
    durable->heap = NULL; /* memory stays as it is: the bytes are the file's */
    um_durable_end_changes(durable, durable->change_count);
    free(durable->changes);
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
    const struct um_journal_entry owner = um_durable_owner_entry(maker);
    struct um_journal_entry entry = heap_entry(heap, maker);
    const struct um_journal_header header = {.id = {um_state_draw(state), um_state_draw(state)},
                                             .heap = entry.handle,
                                             .key = um_state_draw(state),
                                             .place = state->handles.header.place};
    char path[UM_STATE_PATH_CAPACITY];
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
    um_durable_put_name(&entry, name);
    status = um_journal_create(&made->journal, state->files, &header, &entry);
    if (status != UM_FILE_OK)
        goto fail;
    made->journal.holds = state->is_always;
    status = um_journal_reserve(&made->journal, UM_DURABLE_NOTE_SIZE, false);
    if (status == UM_FILE_OK)
        status = make_bytes(state, &header, entry.length, &made->bytes);
    if (status == UM_FILE_OK) {
        um_state_path(state, header.heap, 0, path, sizeof path);
        if (um_heap_shared_open(path, entry.length, heap->alignment, &heap->memory)) {
            um_journal_add(&made->journal, &owner, true);
            um_list_append(&state->all, &made->in_all);
            heap->durable = made;
            made->is_new = true;
            made->names_unsynced = true;
            made->bytes_unsynced = true; /* they say whose they are */
            um_durable_note_uncommitted(made);
            return 0;
        }
        status = UM_FILE_NO_MEMORY;
        um_durable_close_bytes(made);
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

void um_durable_detach(struct um_heap *heap, struct um_link *list)
{
    struct um_durable *durable = heap->durable;

    heap->durable = NULL;
    durable->heap = NULL;
    um_list_remove(&durable->in_all);
    um_list_append(list, &durable->in_all);
}

/* The new file is removed with the others, which takes as long as it is large. */
static void end_compaction(struct um_durable *durable)
{
    struct um_state *state = durable->state;

    if (state->compacting != durable || durable->journal.compaction == UM_JOURNAL_COMPLETING)
        return;
    state->compacting = NULL;
    state->is_complete = false;
}

/* What goes with a heap cannot be kept until the next commit. */
int um_durable_destroy(struct um_heap *heap, struct um_fault *fault)
{
    const struct um_journal_entry entry = {.type = UM_JOURNAL_DESTROYED};
    struct um_durable *durable = heap->durable;
    int code = um_durable_check(heap, true, fault);

    if (code != 0)
        return code;
    end_compaction(durable);
    um_journal_add(&durable->journal, &entry, true);
    um_durable_note_uncommitted(durable);
    if (!um_journal_commit(&durable->journal)) {
        (void)um_durable_goes_on(durable);
        return um_durable_explain_failure(durable, fault);
    }
    um_durable_detach(heap, &durable->state->ended);
    return 0;
}

/* ---- the end ---- */

/* Ends with a heap; its files stay. */
static void close_durable(struct um_durable *durable)
{
    const struct um_journal_entry closed = {.type = UM_JOURNAL_CLOSED};

    um_journal_compact_cancel(&durable->journal);
    um_durable_sync_now(durable);
    /* Last, because it says what is on the disk. */
    if (durable->heap != NULL &&
        um_journal_reserve(&durable->journal, UM_DURABLE_NOTE_SIZE, true) == UM_FILE_OK)
        um_journal_add(&durable->journal, &closed, true);
    (void)um_journal_commit(&durable->journal);
    um_journal_close(&durable->journal);
    um_durable_close_bytes(durable);
    if (durable->heap != NULL)
        durable->heap->durable = NULL;
    um_durable_free(durable);
}

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
    assert(!state->is_syncing && um_list_is_empty(&state->uncommitted));
    close_all(&state->all);
    close_all(&state->ended);
    close_all(&state->failed);
    for (int i = 0; i < UM_FORMERS; i++)
        um_journal_former_remove(state->files, &state->formers[i]);
    um_journal_close(&state->handles);
    (void)state->files->ops->sync_names(state->files);
    um_state_directory_close(state->directory);
    free(state->path);
    free(state);
    store->state = NULL;
}
