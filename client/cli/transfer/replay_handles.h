/*
 * Handles of a recording and those that stand for them when it is replayed.
 *
 * Owns: the pairs. Must not know: which answers they come from.
 */
#ifndef UMEM_CLI_REPLAY_HANDLES_H
#define UMEM_CLI_REPLAY_HANDLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct cli_handle_pair {
    uint64_t recorded; /* 0: none */
    uint64_t now;
};

struct cli_replay_handles {
    struct cli_handle_pair *pairs; /* by hash */
    size_t capacity;               /* a power of two */
    size_t count;
};

void cli_handles_free(struct cli_replay_handles *handles);

/* From now on one stands for the other. Returns false where memory is used up. */
bool cli_handles_add(struct cli_replay_handles *handles, uint64_t recorded, uint64_t now);

/* 0: it is not known. */
uint64_t cli_handles_find(const struct cli_replay_handles *handles, uint64_t recorded);

/* Appends a JSON text in which every integer, or string of digits, that is a recorded handle is the one of now. Names of members stay
 * as they are. */
void cli_handles_rewrite(const struct cli_replay_handles *handles, const char *text, size_t size,
                         struct um_buf *out);

#endif
