/*
 * A producer and a consumer: two programs, and a ring buffer of messages in one block. Both wait without polling.
 *
 *     example_queue take & example_queue put apples pears plums; wait
 *
 * The block holds how many messages were put, how many were taken, and SLOTS slots. Only the producer writes the first number,
 * and only the consumer the second. umem_block_wait() is answered when the other's number changes: the consumer waits while the
 * ring is empty, the producer while it is full.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "umem_client.h"

#define NAME "example-queue"

enum { PUT = 0, TAKEN = 8, RING = 16, SLOTS = 4, SLOT_SIZE = 64, WAIT_MS = 60000 };

struct queue {
    umem_client *client;
    umem_handle block;
    uint64_t put;
    uint64_t taken;
};

/* The first of the two makes it. It is empty, because new memory is zero. */
static int open_queue(struct queue *queue)
{
    const struct umem_block_options options = {.name = NAME};
    int code = umem_block_alloc(queue->client, RING + SLOTS * SLOT_SIZE, &options, &queue->block);

    if (code == UMEM_E_NAME_TAKEN)
        code = umem_block_lookup(queue->client, NAME, &queue->block);
    if (code == UMEM_OK)
        code = umem_block_get(queue->client, queue->block, PUT, UMEM_TYPE_U64, &queue->put, 1);
    if (code == UMEM_OK)
        code = umem_block_get(queue->client, queue->block, TAKEN, UMEM_TYPE_U64, &queue->taken, 1);
    return code;
}

static uint64_t slot_of(uint64_t number)
{
    return RING + number % SLOTS * SLOT_SIZE;
}

static int put(struct queue *queue, const char *text)
{
    char slot[SLOT_SIZE] = {0};
    int code = UMEM_OK;

    snprintf(slot, sizeof slot, "%s", text);
    /* Full: wait until the consumer's number changes. */
    while (code == UMEM_OK && queue->put - queue->taken == SLOTS)
        code = umem_block_wait(queue->client, queue->block, TAKEN, UMEM_TYPE_U64, &queue->taken, WAIT_MS,
                               &queue->taken);
    if (code == UMEM_OK)
        code = umem_block_write(queue->client, queue->block, slot_of(queue->put), slot, sizeof slot);
    queue->put++;
    /* The number comes last: once the consumer sees it, the message is there. */
    if (code == UMEM_OK)
        code = umem_block_set(queue->client, queue->block, PUT, UMEM_TYPE_U64, &queue->put, 1);
    return code;
}

static int take(struct queue *queue, char slot[SLOT_SIZE])
{
    int code = UMEM_OK;

    /* Empty: wait until the producer's number changes. */
    while (code == UMEM_OK && queue->put == queue->taken)
        code = umem_block_wait(queue->client, queue->block, PUT, UMEM_TYPE_U64, &queue->put, WAIT_MS,
                               &queue->put);
    if (code == UMEM_OK)
        code = umem_block_read(queue->client, queue->block, slot_of(queue->taken), slot, SLOT_SIZE);
    slot[SLOT_SIZE - 1] = '\0';
    queue->taken++;
    if (code == UMEM_OK)
        code = umem_block_set(queue->client, queue->block, TAKEN, UMEM_TYPE_U64, &queue->taken, 1);
    return code;
}

/* Puts all words, and an empty one that marks the end. */
static int produce(struct queue *queue, char **words)
{
    uint64_t first = queue->put;
    int code = UMEM_OK;

    for (; *words != NULL && code == UMEM_OK; words++)
        code = put(queue, *words);
    if (code == UMEM_OK)
        code = put(queue, "");
    if (code == UMEM_OK)
        printf("put %" PRIu64 " words\n", queue->put - first - 1);
    return code;
}

/* Takes words up to the empty one. Then the producer does not need the queue any more, and the consumer frees it. */
static int consume(struct queue *queue)
{
    char slot[SLOT_SIZE] = "";
    int code;

    for (;;) {
        code = take(queue, slot);
        if (code != UMEM_OK)
            return code;
        if (*slot == '\0')
            return umem_block_free(queue->client, queue->block);
        printf("took %s\n", slot);
    }
}

int main(int argc, char **argv)
{
    struct queue queue = {.client = NULL};
    int is_consumer = argc == 2 && strcmp(argv[1], "take") == 0;
    int code;

    if (!is_consumer && (argc < 3 || strcmp(argv[1], "put") != 0)) {
        fprintf(stderr, "Usage: example_queue put WORD... | example_queue take\n");
        return EXIT_FAILURE;
    }
    for (int i = 2; i < argc; i++) {
        if (*argv[i] == '\0' || strlen(argv[i]) >= SLOT_SIZE) {
            fprintf(stderr, "a word has 1 to %d bytes\n", SLOT_SIZE - 1);
            return EXIT_FAILURE;
        }
    }
    queue.client = umem_client_new(NULL);
    code = umem_connect(queue.client);
    if (code == UMEM_OK)
        code = open_queue(&queue);
    if (code == UMEM_OK)
        code = is_consumer ? consume(&queue) : produce(&queue, argv + 2);
    /* UMEM_E_TIMEOUT: the other program was not started, or has died. */
    if (code != UMEM_OK)
        fprintf(stderr, "%s\n", umem_last_error(queue.client)->message);
    umem_client_free(queue.client);
    return code == UMEM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
