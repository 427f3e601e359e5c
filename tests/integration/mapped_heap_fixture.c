#include "mapped_heap_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

umem_handle new_shared_heap(umem_client *client)
{
    const struct umem_heap_options options = {.maximum_size = 4 << 20, .kind = UMEM_HEAP_SHARED};
    umem_handle heap = 0;

    ok(client, umem_heap_create(client, &options, &heap));
    return heap;
}

umem_handle new_shared_block(umem_client *client, umem_handle heap, uint64_t size)
{
    const struct umem_block_options options = {.heap = heap};
    umem_handle block = 0;

    ok(client, umem_block_alloc(client, size, &options, &block));
    return block;
}

void object_name(umem_client *client, umem_handle block, char name[64])
{
    char params[32];
    char *result = NULL;
    const char *begin;

    snprintf(params, sizeof params, "[%llu]", (unsigned long long)block);
    ok(client, umem_call(client, "block.map", params, &result));
    begin = strstr(result, "/umemd-");
    assert_non_null(begin);
    snprintf(name, 64, "%.*s", (int)strcspn(begin, "\""), begin);
    umem_free_text(result);
}

unsigned char *mapped(umem_client *client, umem_handle block)
{
    void *bytes = NULL;
    uint64_t size = 0;
    struct umem_block_info info;

    ok(client, umem_map(client, block, &bytes, &size));
    ok(client, umem_block_info(client, block, &info));
    assert_int_equal(size, info.size);
    return bytes;
}
