/*
 * A cache that survives its program: one run computes results, the next one finds them.
 *
 *     example_cache 1000        # how many primes there are below 1000: computes it
 *     example_cache 1000        # finds it
 *     umem heap destroy example-cache
 *
 * Three kinds of blocks, and what happens to them when their program ends:
 *   - with a name: stays, to be found by it. The results are such blocks.
 *   - of lifetime session: is freed with the connection. The sieve, which only this run needs, is such a block.
 *   - neither: stays, but no program knows its handle. It is orphaned, as are the blocks of a program that
 *     crashed. Only a person, or a program that knows what they are, can say that they are not needed: so the
 *     daemon keeps them, and lists them. The next run frees the orphans of its own heap.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "umem_client.h"

#define HEAP_NAME "example-cache"

enum { LIMIT_MAX = 1 << 20 };

static int open_heap(umem_client *client, umem_handle *heap)
{
    const struct umem_heap_options options = {.name = HEAP_NAME};
    int code = umem_heap_create(client, &options, heap);

    return code == UMEM_E_NAME_TAKEN ? umem_heap_lookup(client, HEAP_NAME, heap) : code;
}

/* Called for each orphan. The visitor may use the client. */
static int free_orphan(const struct umem_block_info *block, void *context)
{
    umem_client *client = context;
    int code = umem_block_free_orphan(client, block->block);

    if (code == UMEM_OK)
        printf("freed an orphan of %" PRIu64 " bytes, left by %s\n", block->size, block->owner.program);
    /* Another program may have freed it already, or holds it now. */
    return code == UMEM_E_STALE_HANDLE || code == UMEM_E_DENIED ? UMEM_OK : code;
}

/* Counts the primes below `limit` with a sieve in a block of its own: one byte a number, 0 for a prime. */
static int count_primes(umem_client *client, umem_handle heap, uint64_t limit, uint64_t *primes)
{
    const struct umem_block_options options = {.heap = heap, .lifetime = UMEM_LIFETIME_SESSION};
    uint8_t *sieve = calloc((size_t)limit, 1);
    umem_handle block;
    int code = umem_block_alloc(client, limit, &options, &block);

    *primes = 0;
    if (code != UMEM_OK || sieve == NULL) {
        free(sieve);
        return code != UMEM_OK ? code : UMEM_E_OUT_OF_MEMORY;
    }
    for (uint64_t i = 2; i < limit; i++) {
        *primes += sieve[i] == 0;
        for (uint64_t k = i * i; k < limit; k += i)
            sieve[k] = 1;
    }
    /* While the program runs, others may look at the block (`umem dump`). */
    code = umem_block_write(client, block, 0, sieve, (size_t)limit);
    free(sieve);
    return code;
}

/* The cached result for a key; if there is none, it is computed and cached. */
static int find_primes(umem_client *client, umem_handle heap, uint64_t limit)
{
    char key[64];
    const struct umem_block_options options = {.heap = heap};
    umem_handle block;
    uint64_t primes;
    int code;

    snprintf(key, sizeof key, HEAP_NAME "/primes-below-%" PRIu64, limit);
    code = umem_block_lookup(client, key, &block);
    if (code == UMEM_OK) {
        code = umem_block_get(client, block, 0, UMEM_TYPE_U64, &primes, 1);
        if (code == UMEM_OK)
            printf("found: %" PRIu64 " primes below %" PRIu64 "\n", primes, limit);
        return code;
    }
    if (code != UMEM_E_UNKNOWN_HANDLE)
        return code;
    code = count_primes(client, heap, limit, &primes);
    /* Written before it has its name, so that a program that finds it finds it complete. */
    if (code == UMEM_OK)
        code = umem_block_alloc(client, sizeof primes, &options, &block);
    if (code == UMEM_OK)
        code = umem_block_set(client, block, 0, UMEM_TYPE_U64, &primes, 1);
    if (code == UMEM_OK)
        code = umem_block_change(client, block, key, NULL, NULL);
    if (code == UMEM_E_NAME_TAKEN) /* another run was quicker, with the same result */
        code = umem_block_free(client, block);
    if (code == UMEM_OK)
        printf("worked out: %" PRIu64 " primes below %" PRIu64 "\n", primes, limit);
    return code;
}

int main(int argc, char **argv)
{
    umem_client *client = umem_client_new(NULL);
    char *end = NULL;
    long limit = argc == 2 ? strtol(argv[1], &end, 10) : 0;
    struct umem_block_filter filter = {.orphaned_only = true};
    struct umem_block_options forgotten = {.heap = UMEM_PROCESS_HEAP};
    umem_handle block;
    int code;

    if (limit < 1 || limit > LIMIT_MAX || *end != '\0') {
        fprintf(stderr, "Usage: example_cache LIMIT    (1 to %d)\n", LIMIT_MAX);
        umem_client_free(client);
        return EXIT_FAILURE;
    }
    code = umem_connect(client);
    if (code == UMEM_OK)
        code = open_heap(client, &filter.heap);
    if (code == UMEM_OK)
        code = umem_block_list(client, &filter, free_orphan, client);
    if (code == UMEM_OK)
        code = find_primes(client, filter.heap, (uint64_t)limit);
    /* A deliberate leak, to show an orphan: no name, no lifetime session, and never freed. */
    forgotten.heap = filter.heap;
    if (code == UMEM_OK)
        code = umem_block_alloc(client, 100, &forgotten, &block);
    if (code != UMEM_OK)
        fprintf(stderr, "%s: %s\n", umem_error_text(code), umem_last_error(client)->message);
    umem_client_free(client);
    return code == UMEM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
