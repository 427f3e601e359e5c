/*
 * From one message to its requests: the text is read, and is one request or a batch of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "engine.h"
#include "envelope.h"
#include "intake.h"
#include "json_read.h"

void um_peer_refuse(struct um_peer *peer, int code, const char *what)
{
    um_envelope_refuse(peer, code, what);
}

void um_peer_refuse_limit(struct um_peer *peer, int code, const char *what, const char *limit, uint64_t used,
                          uint64_t asked)
{
    um_envelope_refuse_limit(peer, code, what, limit, used, asked);
}

static void refuse_text(struct um_peer *peer, int code, const struct um_json_check *check)
{
    char what[128];

    if (code == UMEM_E_TOO_LARGE) {
        um_peer_refuse(peer, code, "it has more than 1,048,576 values; send it in several messages");
        return;
    }
    if (code == UMEM_E_NO_MEMORY) {
        um_peer_refuse(peer, UMEM_E_INTERNAL_ERROR, "no memory to read the message; send a shorter one");
        return;
    }
    snprintf(what, sizeof what, "%s at byte %zu", check->what, check->bad_offset);
    um_peer_refuse(peer, UMEM_E_PARSE_ERROR, what);
}

/* What reading a message costs, as um_peer_charge() has it: about 30 ns a value, most of it for new memory, and up to half a
 * nanosecond a byte. */
enum { READ_VALUE_COST = 128, READ_BYTE_COST = 2 };

static bool is_array(const char *text, size_t size)
{
    while (size != 0 && strchr(" \t\r\n", *text) != NULL && *text != '\0') {
        text++;
        size--;
    }
    return size != 0 && *text == '[';
}

/* A batch whose raw bytes are still to come is read a second time, and reading changes the text. */
static char *copy_for_later(const char *text, size_t size, uint64_t payload_size)
{
    char *copy = payload_size != 0 && is_array(text, size) ? malloc(size) : NULL;

    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void um_peer_set_content_type(struct um_peer *peer, const char *type)
{
    if (type[0] != '\0' || peer->content_type[0] != '\0')
        snprintf(peer->content_type, sizeof peer->content_type, "%s", type);
}

int um_engine_read(struct um_peer *peer, char *text, size_t size, struct um_json **json,
                   struct um_json_check *check)
{
    struct um_rpc *rpc = peer->rpc;
    int code;

    if (peer->framing == UM_FRAMING_LINES && size != 0 && (*text == '{' || *text == '[')) {
        code = um_json_read_first(text, size, &rpc->arena, json, check);
    } else {
        code = um_json_read(text, size, &rpc->arena, json, check);
        check->size = size;
    }
    rpc->text = text;
    rpc->text_size = check->size;
    um_peer_charge(peer, READ_BYTE_COST * (uint64_t)check->size + READ_VALUE_COST * (uint64_t)check->values);
    return code;
}

size_t um_peer_message(struct um_peer *peer, char *text, size_t size, uint64_t payload_size)
{
    struct um_message copy = {copy_for_later(text, size, payload_size), size, payload_size};
    struct um_call single = {.peer = peer, .payload_size = payload_size};
    struct um_json_check check;
    struct um_json *json = NULL;
    int code = um_engine_read(peer, text, size, &json, &check);

    if (code == UMEM_OK && json->kind == UM_JSON_ARRAY) {
        um_batch_begin(peer, json, &copy);
    } else {
        free(copy.text);
        if (code == UMEM_OK)
            um_envelope_handle(&single, json);
        else
            refuse_text(peer, code, &check);
    }
    um_arena_reset(&peer->rpc->arena);
    if (payload_size != 0 && peer->intake == NULL)
        um_intake_discard(peer, payload_size);
    um_engine_settle(peer->rpc, peer);
    return check.size;
}
