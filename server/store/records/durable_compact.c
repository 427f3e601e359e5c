#include "store/records/durable_compact.h"

#include "store/records/durable_handles.h"
#include "store/records/durable_notes.h"
#include "store/records/durable_part.h"

enum {
    SLOTS_A_PIECE = 4096, /* that are looked at in one piece of writing a journal anew */
    BLOCKS_A_PIECE = 1024 /* that are written in one */
};

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
    const struct um_journal_entry owner = um_durable_owner_entry(heap->owner);

    durable->cursor = 0;
    durable->next_epoch++;
    um_durable_put_name(&entry, heap->name != NULL ? heap->name->text : NULL);
    if (um_journal_compact_begin(&durable->journal, um_state_draw(state)) == UM_FILE_OK &&
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
    entry = um_durable_block_entry(store, block, UM_JOURNAL_BLOCK);
    um_durable_note_owner(durable, account, true);
    return um_journal_compact_add(&durable->journal, &entry) == UM_FILE_OK;
}

static void compact_some(struct um_state *state)
{
    struct um_durable *durable = state->compacting;
    const struct um_slots *slots = &state->store->blocks;
    unsigned left = BLOCKS_A_PIECE;

    for (unsigned looked_at = 0; looked_at < SLOTS_A_PIECE && left != 0 && durable->cursor < slots->used;
         looked_at++) {
        if (um_journal_reserve(&durable->journal, UM_DURABLE_NOTE_SIZE, true) != UM_FILE_OK ||
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
    if (state->compacting == NULL) {
        struct um_durable *durable = wants_compaction(state);

        state->has_work = durable != NULL;
        if (durable != NULL)
            begin_compaction(state, durable);
    } else if (!state->is_complete) {
        compact_some(state);
    }
}

bool um_state_begin_last_sync(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable = state->compacting;

    if (!um_journal_is_compacting(&durable->journal) ||
        um_state_write_handles(state, &sync->handles) != UM_FILE_OK ||
        um_journal_compact_complete(&durable->journal, &durable->sync.journal, state->is_always) !=
            UM_FILE_OK) {
        um_journal_compact_cancel(&durable->journal);
        (void)um_durable_goes_on(durable);
        if (state->handles.is_syncing) {
            /* It is complete, and is synced all the same. */
            sync->kind = UM_SYNC_HANDLES;
            sync->has_handles = true;
        }
        durable->cursor = 0;
        state->compacting = NULL;
        state->is_complete = false;
        return sync->has_handles;
    }
    um_durable_sync_begin(durable);
    um_list_append(&sync->heaps, &durable->in_syncing);
    sync->kind = UM_SYNC_COMPACTION;
    sync->has_handles = true;
    return true;
}

void um_state_end_compaction(struct um_state *state, struct um_store_sync *sync)
{
    struct um_durable *durable = UM_LIST_ITEM(um_list_take(&sync->heaps), struct um_durable, in_syncing);
    struct um_journal_sync *journal = &durable->sync.journal;

    if (!um_journal_compact_end(&state->handles, &sync->handles, &state->formers[UM_FORMER_HANDLES]))
        journal->status = UM_FILE_FAILED;
    if (journal->status == UM_FILE_OK)
        journal->status = sync->names;
    um_durable_sync_end(durable);
    if (um_journal_compact_end(&durable->journal, journal, &state->formers[UM_FORMER_RECORDS])) {
        durable->epoch = durable->next_epoch;
        durable->names_unsynced = false;
        um_durable_end_synced(durable);
    }
    (void)um_durable_goes_on(durable);
    durable->cursor = 0;
    state->has_work = true;
    state->store->status.has_work = true;
    state->compacting = NULL;
    state->is_complete = false;
}
