/*
 * Batches: several requests in one message, which run as a whole.
 *
 * Owns: the order of a batch's requests, its limits, and how its raw bytes are shared out. Must not know: what requests do.
 */
#ifndef UM_BATCH_H
#define UM_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc.h"

struct cJSON;

/* A message whose text has been checked. */
struct um_message {
    const char *text;
    size_t size;           /* bytes of text */
    bool has_nul;          /* the text has \u0000 in it, see json_check.h */
    uint64_t payload_size; /* raw bytes that follow it */
};

/* Handles an array of requests: now, or once its raw bytes have come. `json` is what the message's text says. */
void um_batch_begin(struct um_peer *peer, const struct cJSON *json, const struct um_message *message);

/* Handles a batch whose raw bytes have come. `text` is the message's. */
void um_batch_finish(struct um_peer *peer, const struct um_message *message, const unsigned char *payload);

#endif
