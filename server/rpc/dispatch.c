/*
 * From one message to its requests: the text is checked and read, and is one request or a batch of them.
 */
#include <stdio.h>

#include <cJSON.h>

#include "arena.h"
#include "batch.h"
#include "engine.h"
#include "envelope.h"
#include "intake.h"
#include "json_check.h"

static void handle_json(struct um_peer *peer, const cJSON *json, const struct um_message *message)
{
    struct um_call single = {.peer = peer, .payload_size = message->payload_size};

    if (cJSON_IsArray(json))
        um_batch_begin(peer, json, message);
    else
        um_envelope_handle(&single, json);
}

void um_peer_refuse(struct um_peer *peer, int code, const char *what)
{
    peer->rpc->requests++;
    um_envelope_refuse(peer, code, what);
}

static void refuse_text(struct um_peer *peer, const struct um_json_check *check)
{
    char what[128];

    snprintf(what, sizeof what, "%s at byte %zu", check->what, check->bad_offset);
    um_peer_refuse(peer, UMEM_E_PARSE_ERROR, what);
}

void um_peer_message(struct um_peer *peer, char *text, size_t size, uint64_t payload_size)
{
    struct um_message message = {.text = text, .size = size, .payload_size = payload_size};
    struct um_json_check check;

    if (!um_json_check(text, size, &check)) {
        refuse_text(peer, &check);
    } else {
        const cJSON *json = cJSON_ParseWithLengthOpts(text, size, NULL, 0);

        message.has_nul = check.has_nul;
        peer->rpc->had_nul = check.has_nul;
        if (json != NULL)
            handle_json(peer, json, &message);
        else
            um_peer_refuse(peer, UMEM_E_INTERNAL_ERROR, "no memory to read the message; send a shorter one");
        um_arena_reset();
    }
    if (payload_size != 0 && peer->intake == NULL)
        um_intake_discard(peer, payload_size);
    um_engine_settle(peer->rpc);
}
