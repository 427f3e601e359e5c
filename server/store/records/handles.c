#include "store/records/handles.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_SIZE_TARGET = 64 * 1024, /* bytes; a chunk is the largest power of two of records that fits */
    LINE_SIZE = 64                 /* bytes in a cache line, or a part of one */
};

void um_slots_init(struct um_slots *slots, enum um_handle_kind kind, size_t record_size, size_t aside_size,
                   uint32_t limit, uint32_t first_generation)
{
    assert(record_size >= sizeof(struct um_slot) && record_size % 8 == 0 && aside_size % 8 == 0);
    assert(record_size + aside_size <= CHUNK_SIZE_TARGET);
    assert(limit <= UM_SLOT_COUNT_LIMIT);
    assert(first_generation >= 1 && first_generation <= UM_GENERATION_LIMIT);
    memset(slots, 0, sizeof *slots);
    slots->kind = kind;
    slots->record_size = record_size;
    slots->aside_size = aside_size;
    slots->limit = limit;
    slots->first_generation = first_generation;
    slots->free_first = UM_SLOT_NONE;
    slots->free_last = UM_SLOT_NONE;
    while (((record_size + aside_size) << (slots->chunk_bits + 1)) <= CHUNK_SIZE_TARGET)
        slots->chunk_bits++;
}

/* Memory that begins where a cache line does; the address that malloc() returned lies right before it. */
static unsigned char *new_chunk(size_t size)
{
    unsigned char *memory = malloc(size + LINE_SIZE + sizeof memory);
    if (memory == NULL)
        return NULL;
    size_t before = sizeof memory + (LINE_SIZE - ((uintptr_t)memory + sizeof memory) % LINE_SIZE) % LINE_SIZE;
    unsigned char *chunk = memory + before;
    memcpy(chunk - sizeof memory, &memory, sizeof memory);
    return chunk;
}

static void free_chunk(unsigned char *chunk)
{
    unsigned char *memory;
    memcpy(&memory, chunk - sizeof memory, sizeof memory);
    free(memory);
}

void um_slots_deinit(struct um_slots *slots)
{
    size_t records = (size_t)1 << slots->chunk_bits;
    size_t chunks = (slots->used + records - 1) / records;
    for (size_t i = 0; i < chunks; i++)
        free_chunk(slots->chunks[i]);
    free(slots->chunks);
    slots->chunks = NULL;
    slots->used = 0;
}

/* Makes sure that there is memory for slot number `used`. */
static bool make_chunk(struct um_slots *slots)
{
    size_t chunk = slots->used >> slots->chunk_bits;
    size_t mask = ((size_t)1 << slots->chunk_bits) - 1;
    if ((slots->used & mask) != 0)
        return true; /* in the chunk that the slot before it lies in */
    if (chunk == slots->chunk_capacity) {
        size_t capacity = slots->chunk_capacity == 0 ? 16 : slots->chunk_capacity * 2;
        unsigned char **chunks = realloc(slots->chunks, capacity * sizeof *chunks);
        if (chunks == NULL)
            return false;
        slots->chunks = chunks;
        slots->chunk_capacity = capacity;
    }
    slots->chunks[chunk] = new_chunk((slots->record_size + slots->aside_size) << slots->chunk_bits);
    return slots->chunks[chunk] != NULL;
}

void *um_slots_acquire(struct um_slots *slots)
{
    struct um_slot *slot;
    uint32_t number = slots->free_first;
    if (number != UM_SLOT_NONE) {
        slot = um_slots_at(slots, number);
        slots->free_first = slot->link;
        if (slots->free_first == UM_SLOT_NONE)
            slots->free_last = UM_SLOT_NONE;
    } else {
        if (slots->used == slots->limit || !make_chunk(slots))
            return NULL;
        number = slots->used++;
        slot = um_slots_at(slots, number);
        slot->state = slots->first_generation;
    }
    slot->state |= UM_SLOT_LIVE;
    slot->link = number;
    memset(slot + 1, 0, slots->record_size - sizeof *slot);
    return slot;
}

void um_slots_release(struct um_slots *slots, void *record)
{
    struct um_slot *slot = record;
    uint32_t number = slot->link;
    assert(um_slot_is_live(slot));
    slot->state = (slot->state & ~UM_SLOT_LIVE) + 1;
    slot->link = UM_SLOT_NONE;
    if (slot->state > UM_GENERATION_LIMIT)
        return; /* retired: one more generation would bring an old handle back to life */
    if (slots->free_last == UM_SLOT_NONE) {
        slots->free_first = number;
    } else {
        struct um_slot *last = um_slots_at(slots, slots->free_last);
        last->link = number;
    }
    slots->free_last = number;
}
