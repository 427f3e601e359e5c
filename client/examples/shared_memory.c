/*
 * Shared memory: a table of numbers that is read and written with pointers, not with calls. One program waits until another has
 * filled it.
 *
 *     example_shared_memory wait [pipe]    makes the table, waits until it is filled, adds it up
 *     example_shared_memory fill [pipe]    in another terminal: fills it, and wakes the one that waits
 *     example_shared_memory [pipe]         both, one after the other, over two connections
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "umem_client.h"

enum { COUNT = 1000, PATIENCE_MS = 30000 };

static const char name[] = "squares";

/* Ends the program if a call failed. */
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

/* A shared heap must have a maximum size. It is destroyed with this program's session, and the table with it. */
static umem_handle make_table(umem_client *client)
{
    const struct umem_heap_options options = {
        .maximum_size = 1024 * 1024, .kind = UMEM_HEAP_SHARED, .lifetime = UMEM_LIFETIME_SESSION};
    struct umem_block_options on_heap = {.name = name};
    umem_handle table = 0;

    check(client, umem_heap_create(client, &options, &on_heap.heap), "making a shared heap");
    check(client, umem_block_alloc(client, COUNT * sizeof(uint64_t), &on_heap, &table),
          "allocating the table");
    return table;
}

/* Fills the table, its last number last, and wakes the programs that wait: the daemon does not see writes through a mapping. */
static void fill(umem_client *client)
{
    umem_handle table = 0;
    void *bytes = NULL;
    uint64_t *numbers;

    check(client, umem_block_lookup(client, name, &table), "finding the table");
    check(client, umem_map(client, table, &bytes, NULL), "mapping the table");
    numbers = bytes;
    for (uint64_t i = 0; i < COUNT; i++)
        numbers[i] = i * i;
    check(client, umem_block_wake(client, table, 0, UMEM_TO_END), "waking");
    check(client, umem_unmap(client, bytes), "unmapping");
}

/* Waits for the last number and reads all. The daemon compares it with what was read here, and does not wait if it has changed. */
static void add_up(umem_client *client, umem_handle table)
{
    const uint64_t last = (COUNT - 1) * sizeof(uint64_t);
    const uint64_t nothing = 0;
    uint64_t sum = 0;
    void *bytes = NULL;

    check(client, umem_map(client, table, &bytes, NULL), "mapping the table");
    check(client, umem_block_wait(client, table, last, UMEM_TYPE_U64, &nothing, PATIENCE_MS, NULL),
          "waiting");
    for (uint64_t i = 0; i < COUNT; i++)
        sum += ((const uint64_t *)bytes)[i];
    check(client, umem_unmap(client, bytes), "unmapping");
    printf("the sum of %d squares: %" PRIu64 "\n", COUNT, sum);
}

int main(int argc, char **argv)
{
    const char *part =
        argc > 1 && (strcmp(argv[1], "wait") == 0 || strcmp(argv[1], "fill") == 0) ? argv[1] : "";
    const char *pipe = argc > (*part != '\0' ? 2 : 1) ? argv[argc - 1] : NULL;
    umem_client *waiter = connect_to(pipe);
    umem_client *filler = *part == '\0' ? connect_to(pipe) : waiter;
    umem_handle table = 0;

    if (strcmp(part, "fill") != 0) {
        table = make_table(waiter);
        fputs("the table is there\n", stderr);
        fflush(stderr); /* some systems buffer it if it is no terminal */
    }
    if (strcmp(part, "wait") != 0)
        fill(filler);
    if (table != 0)
        add_up(waiter, table);
    if (filler != waiter)
        umem_client_free(filler);
    umem_client_free(waiter);
    return EXIT_SUCCESS;
}
