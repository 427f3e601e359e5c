/*
 * Shared memory: a table of numbers that is read and written with pointers, not with calls.
 *
 *     example_shared_memory [pipe]
 *
 * The program is its own partner here: it has two connections, as two programs would.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "umem_client.h"

enum { COUNT = 1000 };

/* Ends the program where a call failed. */
static void check(const umem_client *client, int code, const char *what)
{
    if (code == UMEM_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, umem_last_error(client)->message);
    exit(EXIT_FAILURE);
}

static umem_client *connect_to(const char *pipe)
{
    const struct umem_options options = {.pipe = pipe};
    umem_client *client = umem_client_new(&options);

    check(client, umem_connect(client), "connecting");
    return client;
}

/* A shared heap must say how large it may become. */
static umem_handle make_table(umem_client *client, umem_handle *heap)
{
    const struct umem_heap_options options = {.maximum_size = 1024 * 1024, .kind = UMEM_HEAP_SHARED};
    struct umem_block_options on_heap = {0};
    umem_handle table = 0;

    check(client, umem_heap_create(client, &options, heap), "making a shared heap");
    on_heap.heap = *heap;
    check(client, umem_block_alloc(client, COUNT * sizeof(uint64_t), &on_heap, &table),
          "allocating the table");
    return table;
}

/* The one program fills the table, and tells those who wait that it did. */
static void fill(umem_client *client, umem_handle table)
{
    void *bytes = NULL;
    uint64_t *numbers;

    check(client, umem_map(client, table, &bytes, NULL), "mapping the table");
    numbers = bytes;
    for (uint64_t i = 0; i < COUNT; i++)
        numbers[i] = i * i;
    check(client, umem_block_wake(client, table, 0, UMEM_TO_END), "waking");
    check(client, umem_unmap(client, bytes), "unmapping");
}

/* The other waits for its last number, and reads it all. */
static uint64_t add_up(umem_client *client, umem_handle table)
{
    const uint64_t last = (COUNT - 1) * sizeof(uint64_t);
    const uint64_t nothing = 0;
    uint64_t sum = 0;
    void *bytes = NULL;

    check(client, umem_block_wait(client, table, last, UMEM_TYPE_U64, &nothing, 5000, NULL), "waiting");
    check(client, umem_map(client, table, &bytes, NULL), "mapping the table");
    for (uint64_t i = 0; i < COUNT; i++)
        sum += ((const uint64_t *)bytes)[i];
    check(client, umem_unmap(client, bytes), "unmapping");
    return sum;
}

int main(int argc, char **argv)
{
    const char *pipe = argc > 1 ? argv[1] : NULL;
    umem_client *writer = connect_to(pipe);
    umem_client *reader = connect_to(pipe);
    umem_handle heap = 0;
    umem_handle table = make_table(writer, &heap);

    fill(writer, table);
    printf("the sum of %d squares: %" PRIu64 "\n", COUNT, add_up(reader, table));
    check(writer, umem_heap_destroy(writer, heap, NULL, NULL), "destroying the heap");
    umem_client_free(reader);
    umem_client_free(writer);
    return EXIT_SUCCESS;
}
