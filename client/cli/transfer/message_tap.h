/*
 * Whole messages, with their payloads, out of the bytes of one direction of a connection.
 *
 * Owns: what has come of a message that is not whole. Must not know: connections, what messages mean.
 */
#ifndef UMEM_CLI_MESSAGE_TAP_H
#define UMEM_CLI_MESSAGE_TAP_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/frame.h"

enum {
    /* Most bytes of a message, and of its payload: so that both fit in a line of a recording, as base64. */
    CLI_TAP_TEXT_LIMIT = 16 << 20,
    CLI_TAP_PAYLOAD_LIMIT = 30 << 20,
    CLI_TAP_FEED_LIMIT = 1 << 16 /* most bytes that are fed at one time */
};

struct cli_tap_message {
    const char *text;
    size_t size;
    const char *payload;
    size_t payload_size;
};

struct cli_message_tap {
    struct um_frame frame;
    struct um_buf text;    /* of a message whose payload is not whole yet */
    struct um_buf payload; /* likewise */
    void (*on_message)(void *context, const struct cli_tap_message *message);
    void *context;
    bool is_blind; /* nothing more is found: what came is broken or too large, or memory is used up */
};

void cli_tap_init(struct cli_message_tap *tap,
                  void (*on_message)(void *context, const struct cli_tap_message *message), void *context);
void cli_tap_deinit(struct cli_message_tap *tap);

/* Takes bytes, which may be changed, and calls on_message for each message that ends in them. */
void cli_tap_feed(struct cli_message_tap *tap, char *bytes, size_t size);

#endif
