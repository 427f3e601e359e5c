/*
 * A client that writes random bytes all over a shared heap, again and again.
 *
 *     scribbler PIPE BLOCK SECONDS
 *
 * BLOCK is the name of a block of the heap. Prints "scribbling" to standard error when it has begun. Ends with 0 when the daemon has ended
 * or the time is over; but it is meant to be killed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "umem_client.h"

static void check(const umem_client *client, int code, const char *what)
{
    if (code == UMEM_OK)
        return;
    fprintf(stderr, "scribbler: %s: %s\n", what, umem_last_error(client)->message);
    exit(EXIT_FAILURE);
}

/* Where the block begins in the heap's memory. */
static uint64_t offset_of(umem_client *client, const char *block)
{
    char params[64];
    char *place = NULL;
    const char *offset;
    uint64_t found;

    snprintf(params, sizeof params, "[\"%.40s\"]", block);
    check(client, umem_call(client, "block.map", params, &place), "block.map");
    offset = strstr(place, "\"offset\":");
    found = offset != NULL ? strtoull(offset + strlen("\"offset\":"), NULL, 10) : 0;
    umem_free_text(place);
    return found;
}

/* Another row of numbers in each round. */
static void scribble(unsigned char *start, uint64_t size, uint64_t *random)
{
    for (uint64_t i = 0; i + sizeof *random <= size; i += sizeof *random) {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        memcpy(start + i, random, sizeof *random);
    }
}

int main(int argc, char **argv)
{
    struct umem_options options = {.pipe = argc > 1 ? argv[1] : NULL};
    umem_client *client = umem_client_new(&options);
    struct umem_block_info block;
    struct umem_heap_info heap;
    uint64_t random = UINT64_C(88172645463325252);
    umem_handle handle = 0;
    void *bytes = NULL;
    unsigned char *start;
    time_t end;

    if (argc != 4) {
        fputs("usage: scribbler PIPE BLOCK SECONDS\n", stderr);
        return 2;
    }
    end = time(NULL) + atoi(argv[3]);
    check(client, umem_connect(client), "connecting");
    check(client, umem_block_lookup(client, argv[2], &handle), "finding the block");
    check(client, umem_block_info(client, handle, &block), "asking for the block");
    check(client, umem_heap_info(client, block.heap, &heap), "asking for the heap");
    check(client, umem_map(client, handle, &bytes, NULL), "mapping");
    start = (unsigned char *)bytes - offset_of(client, argv[2]);
    scribble(start, heap.committed, &random);
    fputs("scribbling\n", stderr);
    fflush(stderr);
    /* Where all of the heap is committed from the beginning, all of it is written. */
    while (umem_server_ping(client) == UMEM_OK && time(NULL) < end)
        scribble(start, heap.committed, &random);
    umem_client_free(client);
    return 0;
}
