/*
 * Which requests that went by have not been answered yet.
 *
 * Owns: their ids. Must not know: framing, pipes, what the methods do (but which of them may wait).
 *
 * Only requests are counted that are answered under their own id for sure: single ones, with a method and an
 * id that is an integer or a plain string. Notifications have no answer, and batches and texts that are none
 * of that are not followed.
 */
#ifndef UMEM_CLI_PENDING_H
#define UMEM_CLI_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLI_PENDING_ID_ROOM = 64 };

struct cli_pending_entry {
    char id[CLI_PENDING_ID_ROOM]; /* as JSON */
    bool may_wait;                /* its answer may come after those to later requests */
};

struct cli_pending {
    struct cli_pending_entry *entries; /* the oldest is at `first` */
    size_t first;
    size_t count;
    size_t capacity;
    size_t waiting;   /* how many of them may wait */
    uint64_t refused; /* errors without an id: each may have been for one of them */
};

/* Sees a message that goes to the daemon, or one that comes from it. The text may be changed. */
void cli_pending_request(struct cli_pending *pending, char *text, size_t size);
void cli_pending_answer(struct cli_pending *pending, char *text, size_t size);

/* How many are surely not answered. */
size_t cli_pending_left(const struct cli_pending *pending);

/* Frees the ids. */
void cli_pending_deinit(struct cli_pending *pending);

#endif
