/*
 * One message: its text, and what that says.
 *
 * Owns: the memory of a message that outlives the bytes it came in: because it is read in steps, or its raw bytes are still to come.
 * Must not know: requests.
 */
#ifndef UM_MESSAGE_H
#define UM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "wire/json_read.h"

struct um_message {
    char *text;            /* malloc; NULL: it has no memory of its own */
    size_t size;           /* bytes of text */
    uint64_t payload_size; /* raw bytes that follow it */
    uint64_t begun_ns;     /* when its handling began, see um_meter_resume() */
    struct um_arena arena; /* where the tree lies; empty: it has no memory of its own */
    struct um_json *json;  /* what the text says */
};

/* Takes over a message's text, malloc. */
void um_message_take(struct um_message *message, char *text, size_t size, uint64_t payload_size);

/* Copies a message's text. False: no memory. */
bool um_message_init(struct um_message *message, const char *text, size_t size, uint64_t payload_size);

/* Moves one to other memory, where there was none; what is left has nothing to be freed. */
void um_message_move(struct um_message *to, struct um_message *from);

/* Frees what it has; once more is fine. */
void um_message_deinit(struct um_message *message);

/* Bytes that it has from the system. */
size_t um_message_memory(const struct um_message *message);

#endif
