/*
 * Batches: several requests in one message, which run as a whole.
 *
 * Owns: the order of a batch's requests, its limits, and how its raw bytes are shared out. Must not know: what requests do.
 */
#ifndef UM_BATCH_H
#define UM_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "rpc.h"

struct um_json;

/* A message that raw bytes follow. */
struct um_message {
    char *text;            /* as it came: reading it unescapes strings in place */
    size_t size;           /* bytes of text */
    uint64_t payload_size; /* raw bytes that follow it */
};

/* Handles an array of requests: now, or once its raw bytes have come. `json` is what the message's text says, `copy` (malloc)
 * that text once more where raw bytes follow, which it takes over. */
void um_batch_begin(struct um_peer *peer, const struct um_json *json, const struct um_message *copy);

/* Handles a batch whose raw bytes have come. */
void um_batch_finish(struct um_peer *peer, const struct um_message *message, const unsigned char *payload);

#endif
