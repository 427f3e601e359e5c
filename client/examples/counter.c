/*
 * Processes that share a counter: each adds 1 many times, at the same time, and no addition is lost.
 *
 *     example_counter 1000 & example_counter 1000; wait
 *     umem get example-counter 0 --type i64       # 2000
 *     umem free example-counter
 *
 * umem_block_add() reads, adds and writes within the daemon, with no request of another program in between. With
 * umem_block_get() and umem_block_set() in its place, two programs would read the same number, and one addition would be lost.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "umem_client.h"

#define NAME "example-counter"

/* The block of that name, made by the first process. Names are unique, so two processes that start together do not make two. */
static int find_counter(umem_client *client, umem_handle *counter)
{
    const struct umem_block_options options = {.name = NAME};
    int code = umem_block_alloc(client, sizeof(int64_t), &options, counter);

    /* It begins with 0, as all new memory does. */
    return code == UMEM_E_NAME_TAKEN ? umem_block_lookup(client, NAME, counter) : code;
}

/* Adds 1 `times` times; *first and *last are what the counter was before and after all of it. */
static int count(umem_client *client, umem_handle counter, long times, int64_t *first, int64_t *last)
{
    static const int64_t one = 1;
    static const int64_t zero = 0;
    int code = umem_block_add(client, counter, 0, UMEM_TYPE_I64, &zero, first, last);

    for (long i = 0; i < times && code == UMEM_OK; i++)
        code = umem_block_add(client, counter, 0, UMEM_TYPE_I64, &one, NULL, last);
    return code;
}

int main(int argc, char **argv)
{
    umem_client *client = umem_client_new(NULL);
    char *end = NULL;
    long times = argc == 2 ? strtol(argv[1], &end, 10) : -1;
    umem_handle counter;
    int64_t first;
    int64_t last;
    int code;

    if (times < 0 || *end != '\0') {
        fprintf(stderr, "Usage: example_counter TIMES\n");
        umem_client_free(client);
        return EXIT_FAILURE;
    }
    code = umem_connect(client);
    if (code == UMEM_OK)
        code = find_counter(client, &counter);
    if (code == UMEM_OK)
        code = count(client, counter, times, &first, &last);
    if (code != UMEM_OK)
        fprintf(stderr, "%s\n", umem_last_error(client)->message);
    else
        printf("added 1 %ld times, from %" PRId64 " to %" PRId64 "; others have added %" PRId64
               " meanwhile\n",
               times, first, last, last - first - times);
    umem_client_free(client);
    return code == UMEM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
