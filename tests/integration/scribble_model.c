#include "scribble_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chance.h"

uint64_t draw(struct run *run, uint64_t limit)
{
    return chance_roll(&run->random, limit);
}

umem_client *some_client(struct run *run)
{
    return run->clients[draw(run, CLIENTS)];
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

bool fits(const struct run *run, int heap, uint64_t size)
{
    return heap == PRIVATE || model_find_gap(&run->model, heap, size) != UINT64_MAX;
}

void check_place(struct run *run, int block)
{
    struct model_block *it = &run->model.blocks[block];

    if (it->heap == PRIVATE)
        return;
    it->offset = offset_of(some_client(run), it->handle);
    assert_true(model_place_is_right(&run->model, block));
}

void check_bytes(struct run *run, int block)
{
    const struct model_block *it = &run->model.blocks[block];
    umem_client *client = some_client(run);
    unsigned char *bytes = malloc((size_t)it->size + 1);

    assert_non_null(bytes);
    ok(client, umem_block_read(client, it->handle, 0, bytes, (size_t)it->size));
    if (it->heap != 0)
        assert_memory_equal(bytes, it->bytes, (size_t)it->size);
    free(bytes);
}

void check_heap(struct run *run, int heap)
{
    umem_client *client = some_client(run);
    struct model_gaps gaps = {0};
    struct umem_heap_info info;

    ok(client, umem_heap_info(client, run->model.heaps[heap].handle, &info));
    ok(client, umem_heap_validate(client, run->model.heaps[heap].handle, 0));
    assert_int_equal(info.blocks, model_count_blocks(&run->model, heap, 0));
    assert_int_equal(info.bytes, model_sum_bytes(&run->model, heap, 0));
    if (heap == PRIVATE)
        return;
    gaps = model_find_gaps(&run->model, heap);
    assert_int_equal(info.reserved, LENGTH);
    assert_int_equal(info.committed, LENGTH);
    assert_int_equal(info.free_bytes, gaps.bytes);
    assert_int_equal(info.free_ranges, gaps.count);
    assert_int_equal(info.largest_free, gaps.largest);
    assert_false(info.corrupted);
}

void check_block(struct run *run, int block)
{
    const struct model_block *it = &run->model.blocks[block];
    umem_client *client = some_client(run);
    struct umem_block_info info;
    int code;

    if (it->handle == 0)
        return;
    code = umem_block_info(client, it->handle, &info);
    assert_int_equal(code, it->alive ? UMEM_OK : UMEM_E_STALE_HANDLE);
    if (!it->alive)
        return;
    assert_int_equal(info.size, it->size);
    assert_true(info.heap == run->model.heaps[it->heap].handle);
    if (it->heap != PRIVATE)
        assert_int_equal(offset_of(client, it->handle), it->offset);
}
