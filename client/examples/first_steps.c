/*
 * First steps: a block that is indexed like an array, a block that is freed with its object, a heap of its own.
 *
 *     example_first_steps [pipe]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "umem_client.h"

/* Ends the program if a call failed. */
static void check(const umem_client *client, int code, const char *what)
{
    if (code == UMEM_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, umem_last_error(client)->message);
    exit(EXIT_FAILURE);
}

static void print_bytes(const umem_client *client, const umem_memory *memory)
{
    for (uint64_t i = 0; i < umem_memory_size(memory); i++) {
        uint8_t byte;

        check(client, umem_memory_get(memory, i, &byte), "reading a byte");
        printf("  [%" PRIu64 "] = 0x%02X\n", i, (unsigned)byte);
    }
}

/* Four bytes on the process heap: indexed, overwritten, freed. */
static void use_block(umem_client *client)
{
    static const uint8_t ones[4] = {0xFF, 0xFF, 0xFF, 0xFF};
    umem_memory *memory;

    check(client, umem_memory_alloc(client, UMEM_PROCESS_HEAP, sizeof ones, &memory), "allocating 4 bytes");
    printf("block %" PRIu64 " of 4 bytes; new memory is zero:\n", umem_memory_block(memory));
    print_bytes(client, memory);

    check(client, umem_memory_set(memory, 0, 42), "setting a byte");
    printf("after [0] = 42:\n");
    print_bytes(client, memory);

    check(client, umem_memory_write_bytes(memory, 0, ones, sizeof ones), "writing 4 bytes");
    printf("after writing 4 bytes of 0xFF:\n");
    print_bytes(client, memory);

    check(client, umem_memory_free(memory), "freeing the block");
    printf("freed; reading it now gives: ");
    printf("%s\n", umem_memory_get(memory, 0, &(uint8_t){0}) == UMEM_OK ? "a byte, which is wrong"
                                                                        : umem_last_error(client)->name);
    umem_memory_dispose(memory);
}

/* A block that is freed with its object. */
static void free_on_dispose(umem_client *client)
{
    umem_memory *memory;

    check(client, umem_memory_alloc(client, UMEM_PROCESS_HEAP, 4, &memory), "allocating 4 bytes");
    printf("block %" PRIu64 " of 4 bytes; free on dispose: %s\n", umem_memory_block(memory),
           umem_memory_is_free_on_dispose(memory) ? "yes" : "no");
    check(client, umem_memory_dispose(memory), "disposing of the block");
    printf("disposed of, and so freed\n");
}

/* The blocks of a heap are freed with the heap. */
static void use_heap(umem_client *client)
{
    umem_handle heap;
    umem_memory *memory;
    uint64_t blocks;
    uint64_t bytes;

    check(client, umem_heap_create(client, NULL, &heap), "creating a heap");
    check(client, umem_memory_alloc(client, heap, 8, &memory), "allocating 8 bytes");
    printf("heap %" PRIu64 " with block %" PRIu64 " of 8 bytes\n", heap, umem_memory_block(memory));

    umem_memory_set_free_on_dispose(memory, false);
    umem_memory_dispose(memory);
    check(client, umem_heap_destroy(client, heap, &blocks, &bytes), "destroying the heap");
    printf("heap destroyed, and with it %" PRIu64 " block of %" PRIu64 " bytes\n", blocks, bytes);
}

int main(int argc, char **argv)
{
    const struct umem_options options = {.pipe = argc > 1 ? argv[1] : NULL, .timeout_ms = 10000};
    umem_client *client = umem_client_new(&options);

    check(client, umem_connect(client), "connecting to the daemon");
    printf("connected to %s\n", umem_pipe(client));
    use_block(client);
    free_on_dispose(client);
    use_heap(client);
    umem_client_free(client);
    return EXIT_SUCCESS;
}
