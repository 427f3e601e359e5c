/*
 * Which requests that went by have not been answered yet.
 *
 * Owns: their ids. Must not know: framing, pipes, what the methods do (except which of them may wait).
 *
 * Only requests are counted that are answered under their own id for sure: single ones, with a method and an
 * id that is an integer or a plain string. Notifications have no answer, and batches and texts that are none
 * of that are not followed.
 */
#ifndef UMEM_CLI_UNANSWERED_H
#define UMEM_CLI_UNANSWERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum { CLI_REQUEST_ID_SIZE = 64 };

struct cli_unanswered_entry {
    char id[CLI_REQUEST_ID_SIZE]; /* as JSON */
    bool may_wait;                /* its answer may come after those to later requests */
};

struct cli_unanswered {
    struct cli_unanswered_entry *entries; /* the oldest is at `first` */
    size_t first;
    size_t count;
    size_t capacity;
    size_t waiting;        /* how many of them may wait */
    uint64_t refused;      /* errors without an id: each may have been for one of them */
    struct um_arena arena; /* what a message is read into */
};

/* Sees a message that goes to the daemon, or one that comes from it. The text may be changed. */
void cli_unanswered_request(struct cli_unanswered *requests, char *text, size_t size);
void cli_unanswered_answer(struct cli_unanswered *requests, char *text, size_t size);

/* How many are surely not answered. */
size_t cli_unanswered_count(const struct cli_unanswered *requests);

/* Frees the ids. */
void cli_unanswered_deinit(struct cli_unanswered *requests);

#endif
