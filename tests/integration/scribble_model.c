#include "scribble_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t draw(struct model *model, uint64_t limit)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return model->random % limit;
}

umem_client *some_client(struct model *model)
{
    return model->clients[draw(model, CLIENTS)];
}

uint64_t taken(uint64_t size)
{
    return size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

uint64_t offset_of(umem_client *client, umem_handle block)
{
    char params[32];
    char *place = NULL;
    const char *offset;
    uint64_t found;

    snprintf(params, sizeof params, "[%llu]", (unsigned long long)block);
    ok(client, umem_call(client, "block.map", params, &place));
    offset = strstr(place, "\"offset\":");
    assert_non_null(offset);
    found = strtoull(offset + strlen("\"offset\":"), NULL, 10);
    umem_free_text(place);
    return found;
}

/* The first block of a shared heap that begins at `from` or later. The anchor, which begins the first heap, is none of these. */
static const struct entry *next_entry(const struct model *model, int heap, uint64_t from)
{
    const struct entry *next = NULL;

    for (int i = 0; i < BLOCKS; i++) {
        const struct entry *entry = &model->entries[i];

        if (entry->alive && entry->heap == heap && entry->offset >= from &&
            (next == NULL || entry->offset < next->offset))
            next = entry;
    }
    return next;
}

/* What lies between the blocks of a shared heap. */
void find_gaps(const struct model *model, int heap, struct umem_heap_info *info)
{
    uint64_t end = heap == 0 ? ALIGNMENT : 0;

    info->free_bytes = info->free_ranges = info->largest_free = 0;
    while (end < LENGTH) {
        const struct entry *next = next_entry(model, heap, end);
        uint64_t gap = (next != NULL ? next->offset : LENGTH) - end;

        info->free_bytes += gap;
        info->free_ranges += gap != 0;
        info->largest_free = gap > info->largest_free ? gap : info->largest_free;
        end = next != NULL ? next->offset + taken(next->size) : LENGTH;
    }
}

/* The place is nobody else's. */
void check_place(struct model *model, struct entry *entry)
{
    if (entry->heap == 2)
        return;
    entry->offset = offset_of(some_client(model), entry->handle);
    assert_int_equal(entry->offset % ALIGNMENT, 0);
    assert_true(entry->offset + taken(entry->size) <= LENGTH);
    assert_true(entry->heap != 0 || entry->offset >= ALIGNMENT);
    for (int i = 0; i < BLOCKS; i++) {
        const struct entry *other = &model->entries[i];

        if (other != entry && other->alive && other->heap == entry->heap)
            assert_true(entry->offset + taken(entry->size) <= other->offset ||
                        other->offset + taken(other->size) <= entry->offset);
    }
}

void check_bytes(struct model *model, const struct entry *entry)
{
    umem_client *client = some_client(model);
    unsigned char *bytes = malloc((size_t)entry->size + 1);

    assert_non_null(bytes);
    ok(client, umem_block_read(client, entry->handle, 0, bytes, (size_t)entry->size));
    if (entry->heap != 0)
        assert_memory_equal(bytes, entry->bytes, (size_t)entry->size);
    free(bytes);
}

void check_heap(struct model *model, int heap)
{
    umem_client *client = some_client(model);
    struct umem_heap_info info;
    struct umem_heap_info expected;
    uint64_t blocks = heap == 0;
    uint64_t bytes = heap == 0;

    for (int i = 0; i < BLOCKS; i++) {
        const struct entry *entry = &model->entries[i];

        blocks += entry->alive && entry->heap == heap;
        bytes += entry->alive && entry->heap == heap ? entry->size : 0;
    }
    ok(client, umem_heap_info(client, model->heaps[heap], &info));
    ok(client, umem_heap_validate(client, model->heaps[heap], 0));
    assert_int_equal(info.blocks, blocks);
    assert_int_equal(info.bytes, bytes);
    if (heap == 2)
        return;
    find_gaps(model, heap, &expected);
    assert_int_equal(info.reserved, LENGTH);
    assert_int_equal(info.committed, LENGTH);
    assert_int_equal(info.free_bytes, expected.free_bytes);
    assert_int_equal(info.free_ranges, expected.free_ranges);
    assert_int_equal(info.largest_free, expected.largest_free);
    assert_false(info.corrupted);
}

void check_entry(struct model *model, const struct entry *entry)
{
    umem_client *client = some_client(model);
    struct umem_block_info info;
    int code;

    if (entry->handle == 0)
        return;
    code = umem_block_info(client, entry->handle, &info);
    assert_int_equal(code, entry->alive ? UMEM_OK : UMEM_E_STALE_HANDLE);
    if (!entry->alive)
        return;
    assert_int_equal(info.size, entry->size);
    assert_true(info.heap == model->heaps[entry->heap]);
    if (entry->heap != 2)
        assert_int_equal(offset_of(client, entry->handle), entry->offset);
}
