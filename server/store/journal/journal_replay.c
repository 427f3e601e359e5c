#include "store/journal/journal_replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "umem_errors.h"

enum { FIRST_CAPACITY = 64 /* records */ };

/* ---- tables ---- */

static uint64_t key_of(const struct um_replay_table *table, size_t place)
{
    uint64_t key;

    memcpy(&key, table->records + place * table->record_size, sizeof key);
    return key;
}

/* Where the index has a key, or would have it. */
static uint32_t *entry_of(const struct um_replay_table *table, uint64_t key)
{
    size_t mask = table->index_size - 1;
    size_t at = (size_t)um_hash_mix(key) & mask;

    while (table->index[at] != 0 && key_of(table, table->index[at] - 1) != key)
        at = (at + 1) & mask;
    return &table->index[at];
}

static void *find(const struct um_replay_table *table, uint64_t key)
{
    uint32_t number = table->count != 0 ? *entry_of(table, key) : 0;

    return number != 0 ? table->records + (number - 1) * table->record_size : NULL;
}

/* Doubles the memory of a table. */
static bool grow(struct um_replay_table *table)
{
    size_t capacity = table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2;
    uint32_t *index = calloc(2 * capacity, sizeof *index);
    unsigned char *records = index != NULL ? realloc(table->records, capacity * table->record_size) : NULL;

    if (records == NULL) {
        free(index);
        return false;
    }
    free(table->index);
    table->records = records;
    table->index = index;
    table->capacity = capacity;
    table->index_size = 2 * capacity;
    for (size_t i = 0; i < table->count; i++)
        *entry_of(table, key_of(table, i)) = (uint32_t)i + 1;
    return true;
}

/* Adds a record whose key is not there. False: no memory. */
static bool add(struct um_replay_table *table, const void *record, uint64_t key)
{
    if (table->count == table->capacity && (table->count >= UINT32_MAX / 4 || !grow(table)))
        return false;
    memcpy(table->records + table->count * table->record_size, record, table->record_size);
    table->count++;
    *entry_of(table, key) = (uint32_t)table->count;
    return true;
}

static void free_table(struct um_replay_table *table)
{
    free(table->records);
    free(table->index);
}

bool um_replay_find_owner(const struct um_replay *replay, uint64_t id, size_t *place)
{
    uint32_t number = replay->owners.count != 0 ? *entry_of(&replay->owners, id) : 0;

    if (number == 0)
        return false;
    *place = number - 1;
    return true;
}

/* ---- entries ---- */

/* A failure: what is wrong. NULL: nothing. */
typedef const char *complaint;

static const char no_memory[] = "no memory";

static complaint add_owner(struct um_replay *replay, const struct um_journal_entry *entry)
{
    const struct um_replay_owner owner = {
        .id = entry->owner,
        .pid = entry->pid,
        .program = entry->name,
        .user = entry->user,
        .program_size = entry->name_size,
        .user_size = entry->user_size,
    };

    if (entry->owner == 0)
        return "an owner without a number";
    /* One that comes back is noted again. */
    if (find(&replay->owners, entry->owner) != NULL)
        return NULL;
    return add(&replay->owners, &owner, owner.id) ? NULL : no_memory;
}

/* Whether a block lies within the heap's file. */
static bool fits(const struct um_replay *replay, uint64_t offset, uint64_t size)
{
    const struct um_journal_entry *heap = &replay->heap;

    return offset % heap->alignment == 0 && offset < heap->length && size <= heap->length - offset;
}

static complaint add_block(struct um_replay *replay, const struct um_journal_entry *entry)
{
    const struct um_replay_block block = {
        .handle = entry->handle,
        .offset = entry->offset,
        .size = entry->size,
        .owner = entry->owner,
        .name = entry->name,
        .created = entry->created,
        .name_size = entry->name_size,
        .is_session = entry->is_session,
    };

    if (entry->handle == 0 || find(&replay->blocks, entry->handle) != NULL)
        return "a block with a handle that was given out already";
    if (find(&replay->owners, entry->owner) == NULL)
        return "a block of an owner that is not known";
    if (!fits(replay, entry->offset, entry->size))
        return "a block outside of the heap";
    return add(&replay->blocks, &block, block.handle) ? NULL : no_memory;
}

static complaint change_block(struct um_replay *replay, const struct um_journal_entry *entry)
{
    struct um_replay_block *block = find(&replay->blocks, entry->handle);

    if (block == NULL || block->is_freed)
        return "a change of a block that is not there";
    if (entry->type == UM_JOURNAL_FREE) {
        block->is_freed = true;
    } else if (entry->type == UM_JOURNAL_PLACE) {
        if (!fits(replay, entry->offset, entry->size))
            return "a block outside of the heap";
        block->offset = entry->offset;
        block->size = entry->size;
    } else {
        if (find(&replay->owners, entry->owner) == NULL)
            return "a block of an owner that is not known";
        block->owner = entry->owner;
        block->is_session = entry->is_session;
        block->name = entry->name;
        block->name_size = entry->name_size;
    }
    return NULL;
}

static bool is_alignment(uint32_t alignment)
{
    return alignment >= 16 && alignment <= 65536 && (alignment & (alignment - 1)) == 0;
}

static complaint set_heap(struct um_replay *replay, const struct um_journal_entry *entry, uint64_t handle)
{
    if (!is_alignment(entry->alignment) || entry->length == 0 || entry->length % 65536 != 0 ||
        entry->length > INT64_MAX / 2 || entry->maximum_size == 0 || entry->maximum_size > entry->length ||
        entry->initial_size > entry->maximum_size)
        return "a heap that cannot be";
    if (entry->handle != handle)
        return "a heap with another handle than the header's";
    replay->heap = *entry;
    return NULL;
}

/* The journal of handles has no heap. */
static complaint add_slots(struct um_replay *replay, const struct um_journal_entry *entry)
{
    const struct um_replay_block slots = {.handle = entry->handle, .name = "", .is_freed = true};

    if (entry->type != UM_JOURNAL_SLOTS)
        return entry->type == UM_JOURNAL_COMPLETE || entry->type == UM_JOURNAL_CLOSED
                   ? NULL
                   : "an entry that is not about handles";
    if (find(&replay->blocks, entry->handle) != NULL)
        return NULL;
    return add(&replay->blocks, &slots, slots.handle) ? NULL : no_memory;
}

static complaint apply(struct um_replay *replay, const struct um_journal_entry *entry, uint64_t handle)
{
    bool has_heap = replay->heap.type == UM_JOURNAL_HEAP;

    replay->is_complete |= entry->type == UM_JOURNAL_COMPLETE;
    if (handle == 0)
        return add_slots(replay, entry);
    if (!has_heap && entry->type != UM_JOURNAL_HEAP)
        return "an entry before that of the heap";
    if (replay->is_destroyed)
        return "an entry after the heap was destroyed";
    replay->is_closed = entry->type == UM_JOURNAL_CLOSED;
    switch (entry->type) {
    case UM_JOURNAL_HEAP:
        return has_heap ? "a second heap" : set_heap(replay, entry, handle);
    case UM_JOURNAL_OWNER:
        return add_owner(replay, entry);
    case UM_JOURNAL_BLOCK:
        return add_block(replay, entry);
    case UM_JOURNAL_FREE:
    case UM_JOURNAL_PLACE:
    case UM_JOURNAL_CHANGE:
        return change_block(replay, entry);
    case UM_JOURNAL_COMPLETE:
        return NULL;
    case UM_JOURNAL_DESTROYED:
        replay->is_destroyed = true;
        return NULL;
    case UM_JOURNAL_CLOSED:
        return NULL;
    case UM_JOURNAL_SLOTS:
        return "an entry about handles";
    }
    return "an entry of no kind";
}

int um_replay_init(struct um_replay *replay, const unsigned char *bytes,
                   const struct um_journal_summary *summary)
{
    struct um_journal_walk walk;
    struct um_journal_entry entry;
    complaint what = NULL;

    *replay = (struct um_replay){
        .blocks = {.record_size = sizeof(struct um_replay_block)},
        .owners = {.record_size = sizeof(struct um_replay_owner)},
    };
    um_journal_walk_begin(&walk, bytes, summary);
    while (what == NULL && um_journal_walk_next(&walk, &entry, &what))
        what = apply(replay, &entry, summary->header.heap);
    if (what == NULL && summary->header.heap != 0 && replay->heap.type != UM_JOURNAL_HEAP)
        what = "no entry of a heap";
    if (what == NULL)
        return UMEM_OK;
    replay->what = what;
    replay->at = walk.read_at;
    return what == no_memory ? UMEM_E_NO_MEMORY : UMEM_E_CORRUPTED;
}

void um_replay_deinit(struct um_replay *replay)
{
    free_table(&replay->blocks);
    free_table(&replay->owners);
    *replay = (struct um_replay){.at = 0};
}
