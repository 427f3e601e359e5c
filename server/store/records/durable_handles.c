#include "store/records/durable_handles.h"

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

enum um_file_status um_state_write_handles(struct um_state *state, struct um_journal_sync *sync)
{
    enum um_file_status status;

    if (state->handles.state == UM_JOURNAL_FAILED)
        return state->handles.failure;
    status = um_journal_compact_begin(&state->handles, um_state_draw(state));
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

    if (um_state_write_handles(state, &sync) != UM_FILE_OK)
        return false;
    um_journal_sync_run(&sync);
    if (sync.status == UM_FILE_OK)
        sync.status = state->files->ops->sync_names(state->files);
    return um_journal_compact_end(&state->handles, &sync, NULL);
}
